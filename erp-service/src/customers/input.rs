//! What comes in: the CRM's part from the integration, the terms from users.

use super::model::{CrmPart, CustomerKind, CustomerStatus, OwnPart};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use service_kit::Amount;
use service_kit::http::present;
use utoipa::ToSchema;
use uuid::Uuid;

/// The CRM's part of a customer.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplicatedCustomer {
    /// The CRM's version: newer applies, equal or older leaves what is stored.
    #[schema(minimum = 1)]
    pub source_version: i64,
    /// Apply whatever the version: after one side was restored.
    #[serde(default)]
    pub replace: bool,
    /// When the record was what it is here; absent: now.
    pub as_of: Option<DateTime<Utc>>,
    #[schema(min_length = 1, max_length = 400)]
    pub name: String,
    pub kind: CustomerKind,
    pub status: CustomerStatus,
    #[schema(max_length = 400)]
    pub email: Option<String>,
    #[schema(max_length = 400)]
    pub phone: Option<String>,
    #[schema(max_length = 400)]
    pub tax_id: Option<String>,
    #[schema(max_length = 60)]
    pub grade: Option<String>,
    pub grade_effective_from: Option<NaiveDate>,
    #[serde(default)]
    #[schema(value_type = Vec<Object>, max_items = 1000)]
    pub legal_entities: Vec<Value>,
    #[serde(default)]
    #[schema(value_type = Vec<Object>, max_items = 1000)]
    pub contacts: Vec<Value>,
    #[serde(default)]
    #[schema(value_type = Vec<Object>, max_items = 1000)]
    pub addresses: Vec<Value>,
    #[schema(max_length = 400)]
    pub external_ref: Option<String>,
    /// The customer that it turned out to be. What it has here stays with it.
    pub merged_into: Option<Uuid>,
}

/// The terms. The fields of the CRM are known here so that they can be refused with their owner.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerPatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 60, pattern = r"\S")]
    pub tier: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 500)]
    pub tier_reason: Option<Option<String>>,
    /// Last day of the tier; `null`: without end.
    #[serde(default, deserialize_with = "present")]
    pub tier_valid_to: Option<Option<NaiveDate>>,
    /// `null`: unlimited. 0: prepayment.
    #[serde(default, deserialize_with = "present")]
    pub credit_limit: Option<Option<Amount>>,
    #[schema(nullable = false)]
    pub credit_hold: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 500)]
    pub credit_hold_reason: Option<Option<String>>,
    #[schema(nullable = false)]
    pub blocked: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 500)]
    pub blocked_reason: Option<Option<String>>,
    /// `null`: the company's.
    #[serde(default, deserialize_with = "present")]
    pub payment_terms_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 0, maximum = 3650)]
    pub overdue_stop_days: Option<Option<i32>>,
    #[schema(nullable = false)]
    pub dunning_blocked: Option<bool>,
    /// `null` counts as `standard`.
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 40, pattern = r"\S")]
    pub tax_class: Option<Option<String>>,
    /// The CRM's: refused with 409 `not_owner`.
    #[serde(default, deserialize_with = "given")]
    pub name: Option<Value>,
    /// The CRM's.
    #[serde(default, deserialize_with = "given")]
    pub kind: Option<Value>,
    /// The CRM's.
    #[serde(default, deserialize_with = "given")]
    pub status: Option<Value>,
    /// The CRM's.
    #[serde(default, deserialize_with = "given")]
    pub email: Option<Value>,
    /// The CRM's.
    #[serde(default, deserialize_with = "given")]
    pub phone: Option<Value>,
    /// The CRM's.
    #[serde(default, deserialize_with = "given")]
    pub tax_id: Option<Value>,
    /// The CRM's.
    #[serde(default, deserialize_with = "given")]
    pub grade: Option<Value>,
    /// The CRM's.
    #[serde(default, deserialize_with = "given")]
    pub grade_effective_from: Option<Value>,
    /// The CRM's.
    #[serde(default, deserialize_with = "given")]
    pub legal_entities: Option<Value>,
    /// The CRM's.
    #[serde(default, deserialize_with = "given")]
    pub contacts: Option<Value>,
    /// The CRM's.
    #[serde(default, deserialize_with = "given")]
    pub addresses: Option<Value>,
    /// The CRM's.
    #[serde(default, deserialize_with = "given")]
    pub external_ref: Option<Value>,
}

/// Anything that is there, `null` too.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl ReplicatedCustomer {
    pub(super) fn part(&self) -> CrmPart {
        CrmPart {
            name: self.name.clone(),
            kind: self.kind,
            status: self.status,
            email: self.email.clone(),
            phone: self.phone.clone(),
            tax_id: self.tax_id.clone(),
            grade: self.grade.clone(),
            grade_effective_from: self.grade_effective_from,
            legal_entities: Value::Array(self.legal_entities.clone()),
            contacts: Value::Array(self.contacts.clone()),
            addresses: Value::Array(self.addresses.clone()),
            external_ref: self.external_ref.clone(),
            merged_into: self.merged_into,
        }
    }
}

impl CustomerPatch {
    /// Fields of the CRM that the patch tries to change.
    pub(super) fn of_the_crm(&self) -> Vec<&'static str> {
        let fields = [
            ("name", &self.name),
            ("kind", &self.kind),
            ("status", &self.status),
            ("email", &self.email),
            ("phone", &self.phone),
            ("tax_id", &self.tax_id),
            ("grade", &self.grade),
            ("grade_effective_from", &self.grade_effective_from),
            ("legal_entities", &self.legal_entities),
            ("contacts", &self.contacts),
            ("addresses", &self.addresses),
            ("external_ref", &self.external_ref),
        ];
        let given = fields.into_iter().filter(|(_, value)| value.is_some());
        given.map(|(name, _)| name).collect()
    }

    /// The terms after the change; a reason goes with what it was the reason for.
    pub(super) fn applied_to(&self, own: &OwnPart) -> OwnPart {
        let tier = self.tier.clone().unwrap_or_else(|| own.tier.clone());
        let credit_hold = self.credit_hold.unwrap_or(own.credit_hold);
        let blocked = self.blocked.unwrap_or(own.blocked);
        let reason =
            |patch: &Option<Option<String>>, old: &Option<String>| patch.clone().unwrap_or_else(|| old.clone());
        OwnPart {
            tier_reason: reason(&self.tier_reason, &own.tier_reason).filter(|_| tier.is_some()),
            tier_valid_to: self
                .tier_valid_to
                .unwrap_or(own.tier_valid_to)
                .filter(|_| tier.is_some()),
            tier,
            credit_limit: self.credit_limit.unwrap_or(own.credit_limit),
            credit_hold,
            credit_hold_reason: reason(&self.credit_hold_reason, &own.credit_hold_reason).filter(|_| credit_hold),
            blocked,
            blocked_reason: reason(&self.blocked_reason, &own.blocked_reason).filter(|_| blocked),
            payment_terms_id: self.payment_terms_id.unwrap_or(own.payment_terms_id),
            overdue_stop_days: self.overdue_stop_days.unwrap_or(own.overdue_stop_days),
            dunning_blocked: self.dunning_blocked.unwrap_or(own.dunning_blocked),
            tax_class: self.tax_class.clone().unwrap_or_else(|| own.tax_class.clone()),
        }
    }
}
