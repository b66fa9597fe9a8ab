//! The words of leads: what goes over the wire and what stands in the table.

use super::scoring::ScorePart;
use super::state::{DisqualifiedReason, LeadAction, LeadState};
use crate::custom_fields::CustomValues;
use crate::custom_fields::schemas::LeadCustomFields;
use crate::customers::country::Country;
use crate::customers::model::CustomerKind;
use crate::json::AsJson;
use crate::schema::leads;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{Resource, present};
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Email, Owned};
use utoipa::ToSchema;
use uuid::Uuid;

/// Somebody who may want something. At least one of name, company, e-mail address and telephone number is needed.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    /// The person.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Maria Anders")]
    pub name: Option<String>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub company: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub job_title: Option<String>,
    pub email: Option<Email>,
    #[schema(min_length = 1, max_length = 50)]
    pub phone: Option<String>,
    pub country: Option<Country>,
    #[schema(min_length = 1, max_length = 20)]
    pub postal_code: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub region: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub city: Option<String>,
    /// What they want.
    #[schema(min_length = 1, max_length = 5_000)]
    pub message: Option<String>,
    /// Where they come from, such as `fair`.
    #[schema(min_length = 1, max_length = 200)]
    pub source: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub campaign: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub utm_source: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub utm_medium: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub utm_campaign: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub utm_term: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub utm_content: Option<String>,
    /// The page that led to ours.
    #[schema(min_length = 1, max_length = 2_000)]
    pub referrer: Option<String>,
    /// The page of ours that they came to.
    #[schema(min_length = 1, max_length = 2_000)]
    pub landing_page: Option<String>,
    #[schema(value_type = Option<LeadCustomFields>)]
    pub custom_fields: Option<CustomValues>,
    /// What another system calls this lead; unique.
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
    /// `false`: a lead of its own, also when one with this e-mail address or telephone number is open.
    #[schema(nullable = false)]
    pub join: Option<bool>,
    /// Absent: who captures it; for a client with a key, whom the assignment rules choose.
    pub owner_id: Option<Uuid>,
    /// Absent: the owner's.
    pub team_id: Option<Uuid>,
}

/// Changes of an open lead.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadPatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub company: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200)]
    pub job_title: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub email: Option<Option<Email>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 50)]
    pub phone: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub country: Option<Option<Country>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 20)]
    pub postal_code: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 100)]
    pub region: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 100)]
    pub city: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 5_000)]
    pub message: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200)]
    pub source: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200)]
    pub campaign: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<Option<String>>,
    /// Those that change; `null` takes a value away.
    #[schema(nullable = false, value_type = Option<LeadCustomFields>)]
    pub custom_fields: Option<CustomValues>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadDisqualifyIn {
    pub reason: DisqualifiedReason,
    #[schema(min_length = 1, max_length = 1_000)]
    pub note: Option<String>,
}

/// What a lead becomes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadConvertIn {
    /// A customer that is there already; absent, one is made.
    pub customer_id: Option<Uuid>,
    /// Of the customer to be made; the lead's company, else its name, when absent.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub customer_name: Option<String>,
    /// Of the customer to be made: a company if the lead has one.
    pub customer_kind: Option<CustomerKind>,
    /// Absent, a deal is opened that is named after the lead.
    pub deal: Option<LeadDealIn>,
    /// `true`: no deal is opened.
    #[serde(default)]
    pub without_deal: bool,
}

/// The deal that a lead becomes.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadDealIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    /// The default one when absent.
    pub pipeline_id: Option<Uuid>,
    pub currency: Option<Currency>,
    /// Not negative.
    pub amount: Option<Amount>,
    pub expected_close_on: Option<NaiveDate>,
}

/// A lead as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = leads, treat_none_as_null = true)]
pub struct LeadRow {
    pub id: Uuid,
    /// The company, else the person, else how to reach them.
    pub label: String,
    pub name: Option<String>,
    pub company: Option<String>,
    pub job_title: Option<String>,
    pub email: Option<Email>,
    pub phone: Option<String>,
    pub country: Option<Country>,
    pub postal_code: Option<String>,
    pub region: Option<String>,
    pub city: Option<String>,
    pub message: Option<String>,
    #[schema(value_type = LeadCustomFields)]
    pub custom_fields: CustomValues,
    #[serde(skip)]
    pub email_key: Option<String>,
    #[serde(skip)]
    pub phone_key: Option<String>,
    pub state: LeadState,
    pub disqualified_reason: Option<DisqualifiedReason>,
    pub disqualified_note: Option<String>,
    /// Of the first touch.
    pub source: Option<String>,
    /// Of the first touch.
    pub campaign: Option<String>,
    /// The form that it came through first.
    pub form_id: Option<Uuid>,
    /// The sum of `score_parts`.
    pub score: i32,
    /// Which rules gave what.
    #[schema(value_type = Vec<ScorePart>)]
    pub score_parts: AsJson<Vec<ScorePart>>,
    pub touch_count: i32,
    pub last_touch_at: DateTime<Utc>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    /// The assignment rule that chose the owner.
    pub assigned_by: Option<Uuid>,
    /// What it became.
    pub customer_id: Option<Uuid>,
    pub contact_id: Option<Uuid>,
    pub deal_id: Option<Uuid>,
    pub converted_at: Option<DateTime<Utc>>,
    /// What another system calls it.
    pub external_ref: Option<String>,
    /// Counts changes; orders the events.
    pub version: i64,
    /// Counts changes, and scores that a changed rule changed; the `ETag`.
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A lead, with what may be done with it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Lead {
    #[serde(flatten)]
    pub row: LeadRow,
    pub allowed_actions: Vec<LeadAction>,
}

impl From<LeadRow> for Lead {
    fn from(row: LeadRow) -> Self {
        Lead {
            allowed_actions: row.state.allowed_actions().to_vec(),
            row,
        }
    }
}

impl Resource for Lead {
    const PATH: &'static str = "leads";
    const TYPE: &'static str = "lead";
    fn id(&self) -> Uuid {
        self.row.id
    }
    fn revision(&self) -> i64 {
        self.row.revision
    }
}

impl Emitted for Lead {
    const EVENT: &'static str = "lead.changed";
    fn version(&self) -> i64 {
        self.row.version
    }
}

impl LeadRow {
    pub fn owned(&self) -> Owned {
        Owned {
            owner_id: self.owner_id,
            team_id: self.team_id,
        }
    }

    pub fn give_to(&mut self, owned: Owned) {
        (self.owner_id, self.team_id) = (owned.owner_id, owned.team_id);
    }

    /// Whether anybody could be reached or named.
    pub fn is_somebody(&self) -> bool {
        self.name.is_some() || self.company.is_some() || self.email.is_some() || self.phone.is_some()
    }

    /// Derives what follows from the other fields.
    pub fn settle(&mut self) {
        let named = self.company.as_deref().or(self.name.as_deref());
        let reached = self.email.as_ref().map(Email::as_str).or(self.phone.as_deref());
        named.or(reached).unwrap_or("?").clone_into(&mut self.label);
        self.email_key = self.email.as_ref().map(Email::lowercase);
        self.phone_key = self.phone.as_deref().and_then(phone_key);
    }
}

/// The digits of a telephone number as they mean the same wherever they are written; `None` for too few.
pub fn phone_key(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    (digits.len() >= 6).then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use super::phone_key;

    #[test]
    fn a_number_is_the_same_in_every_spelling() {
        for text in ["+49 30 1234-567", "0049 (30) 1234567", "49301234567"] {
            assert_eq!(phone_key(text).as_deref(), Some("49301234567"), "{text}");
        }
        for text in ["none", "110", "000000"] {
            assert_eq!(phone_key(text), None, "{text}");
        }
    }
}
