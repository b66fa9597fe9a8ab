//! The words of customers: what goes over the wire and what stands in the table.

use crate::custom_fields::CustomValues;
use crate::custom_fields::schemas::CustomerCustomFields;
use crate::customers::addresses::{Address, AddressIn};
use crate::customers::contacts::{Contact, ContactIn};
use crate::customers::credit::CustomerCredit;
use crate::customers::depth::Tag;
use crate::customers::email::Email;
use crate::customers::legal_entities::{LegalEntity, LegalEntityIn};
use crate::schema::customers;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::present;
use service_kit::{Owned, Resource, text_enum};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// What a customer is.
    CustomerKind { Company = "company", Person = "person" }
}

text_enum! {
    /// An archived customer takes no new orders.
    CustomerStatus { Active = "active", Archived = "archived" }
}

text_enum! {
    /// How good a customer is, in the judgement of sales; the ERP maps it to a tier.
    Grade { A = "A", B = "B", C = "C", D = "D" }
}

/// A customer to be made, or the whole of one to be put in place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerIn {
    /// Minted here when absent; the same in both systems.
    pub id: Option<Uuid>,
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"\S",
        example = "Société Générale de Thé"
    )]
    pub name: String,
    pub kind: CustomerKind,
    pub email: Option<Email>,
    #[schema(min_length = 1, max_length = 50)]
    pub phone: Option<String>,
    /// VAT or other tax number, as the customer writes it.
    #[schema(min_length = 1, max_length = 50)]
    pub tax_id: Option<String>,
    pub grade: Option<Grade>,
    /// First day of the grade; today when absent.
    pub grade_effective_from: Option<NaiveDate>,
    /// What another system calls this customer; unique.
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
    /// Whose customer it is: an active user. Absent: who makes it; of one that is there already, as it is.
    pub owner_id: Option<Uuid>,
    /// Absent: the team of the owner that is given.
    pub team_id: Option<Uuid>,
    /// Absent, they stay.
    #[schema(max_items = 50)]
    pub tags: Option<Vec<Tag>>,
    /// The company that this one belongs to.
    pub parent_id: Option<Uuid>,
    /// What it is written to in, e.g. in quotes.
    #[schema(max_length = 6, pattern = "^[a-z]{2,3}(-[A-Z]{2})?$", example = "de")]
    pub language: Option<String>,
    /// Absent, they stay; given, they are all that there are.
    #[schema(value_type = Option<CustomerCustomFields>)]
    pub custom_fields: Option<CustomValues>,
    #[serde(default)]
    #[schema(max_items = 200)]
    pub contacts: Vec<ContactIn>,
    #[serde(default)]
    #[schema(max_items = 200)]
    pub addresses: Vec<AddressIn>,
    #[serde(default)]
    #[schema(max_items = 200)]
    pub legal_entities: Vec<LegalEntityIn>,
}

/// Changes of a customer's core; its parts have places of their own.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerPatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    #[schema(nullable = false)]
    pub kind: Option<CustomerKind>,
    #[serde(default, deserialize_with = "present")]
    pub email: Option<Option<Email>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 50)]
    pub phone: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 50)]
    pub tax_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub grade: Option<Option<Grade>>,
    /// First day of the grade; today when the grade changes and this is absent.
    #[schema(nullable = false)]
    pub grade_effective_from: Option<NaiveDate>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<Option<String>>,
    /// All tags from now on.
    #[schema(nullable = false, max_items = 50)]
    pub tags: Option<Vec<Tag>>,
    #[serde(default, deserialize_with = "present")]
    pub parent_id: Option<Option<Uuid>>,
    /// What it is written to in, e.g. in quotes.
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 6, pattern = "^[a-z]{2,3}(-[A-Z]{2})?$")]
    pub language: Option<Option<String>>,
    /// Those that change; `null` takes a value away.
    #[schema(nullable = false, value_type = Option<CustomerCustomFields>)]
    pub custom_fields: Option<CustomValues>,
}

/// What a customer is without its parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = customers, treat_none_as_null = true)]
pub struct CustomerCore {
    pub id: Uuid,
    pub name: String,
    pub kind: CustomerKind,
    pub status: CustomerStatus,
    pub email: Option<Email>,
    pub phone: Option<String>,
    pub tax_id: Option<String>,
    pub grade: Option<Grade>,
    pub grade_effective_from: Option<NaiveDate>,
    pub external_ref: Option<String>,
    /// Whose customer it is.
    pub owner_id: Option<Uuid>,
    /// The owner's team when it was assigned: who sees their team's records sees it.
    pub team_id: Option<Uuid>,
    /// In the order of the alphabet.
    pub tags: Vec<String>,
    /// The company that this one belongs to.
    pub parent_id: Option<Uuid>,
    /// What it is written to in, e.g. in quotes.
    pub language: Option<String>,
    #[schema(value_type = CustomerCustomFields)]
    pub custom_fields: CustomValues,
    /// The customer that it became part of.
    pub merged_into: Option<Uuid>,
    /// Counts changes of what the CRM owns; `source_version` in the ERP.
    pub version: i64,
    /// Counts every change of what is shown; the `ETag`.
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A customer with its parts, oldest first, and what the ERP says of its credit.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Customer {
    #[serde(flatten)]
    pub core: CustomerCore,
    pub legal_entities: Vec<LegalEntity>,
    pub contacts: Vec<Contact>,
    pub addresses: Vec<Address>,
    /// A replica: the ERP owns it. `null` until the ERP has told it.
    #[schema(required = true)]
    pub credit: Option<CustomerCredit>,
}

impl Resource for Customer {
    const PATH: &'static str = "customers";
    const TYPE: &'static str = "customer";
    fn id(&self) -> Uuid {
        self.core.id
    }
    fn revision(&self) -> i64 {
        self.core.revision
    }
}

impl CustomerCore {
    pub fn owned(&self) -> Owned {
        Owned {
            owner_id: self.owner_id,
            team_id: self.team_id,
        }
    }

    pub fn give_to(&mut self, owned: Owned) {
        (self.owner_id, self.team_id) = (owned.owner_id, owned.team_id);
    }
}

impl Customer {
    /// One without parts.
    pub fn empty(core: CustomerCore) -> Self {
        Customer {
            core,
            legal_entities: Vec::new(),
            contacts: Vec::new(),
            addresses: Vec::new(),
            credit: None,
        }
    }

    /// Counts one more change of what the CRM owns.
    pub fn bump(&mut self, now: DateTime<Utc>) {
        self.core.version += 1;
        self.core.revision += 1;
        self.core.updated_at = now;
    }
}

/// Gives a field what a patch says of it; an absent one leaves it alone.
pub fn set<T: Clone>(field: &mut T, given: &Option<T>) {
    if let Some(value) = given {
        field.clone_from(value);
    }
}
