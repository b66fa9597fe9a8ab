use crate::schema::customers;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::http::{SearchText, same_revision};
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Cursor, Limit, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// What a customer is.
    CustomerKind { Company = "company", Person = "person" }
}

text_enum! {
    /// The CRM archives customers that it no longer serves.
    CustomerStatus { Active = "active", Archived = "archived" }
}

/// The row.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = customers)]
pub(super) struct CustomerRow {
    pub id: Uuid,
    #[diesel(embed)]
    pub replicated: CrmPart,
    pub source_version: i64,
    pub as_of: DateTime<Utc>,
    #[diesel(embed)]
    pub own: OwnPart,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What the CRM owns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = customers, treat_none_as_null = true)]
pub(super) struct CrmPart {
    pub name: String,
    pub kind: CustomerKind,
    pub status: CustomerStatus,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub tax_id: Option<String>,
    /// The approved grade, and since when.
    pub grade: Option<String>,
    pub grade_effective_from: Option<NaiveDate>,
    /// As the CRM describes them.
    #[schema(value_type = Vec<Object>)]
    pub legal_entities: Value,
    /// As the CRM describes them.
    #[schema(value_type = Vec<Object>)]
    pub contacts: Value,
    /// As the CRM describes them.
    #[schema(value_type = Vec<Object>)]
    pub addresses: Value,
    pub external_ref: Option<String>,
    /// The customer that it turned out to be.
    pub merged_into: Option<Uuid>,
}

/// What the ERP owns.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = customers, treat_none_as_null = true)]
pub(super) struct OwnPart {
    pub tier: Option<String>,
    pub tier_reason: Option<String>,
    pub tier_valid_to: Option<NaiveDate>,
    pub credit_limit: Option<Amount>,
    pub credit_hold: bool,
    pub credit_hold_reason: Option<String>,
    pub blocked: bool,
    pub blocked_reason: Option<String>,
    pub payment_terms_id: Option<Uuid>,
    pub overdue_stop_days: Option<i32>,
    pub dunning_blocked: bool,
    pub tax_class: Option<String>,
}

/// A customer: the CRM's part as last applied, and the terms that the ERP owns.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Customer {
    pub id: Uuid,
    pub name: String,
    pub kind: CustomerKind,
    pub status: CustomerStatus,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub tax_id: Option<String>,
    /// The approved grade, and since when.
    pub grade: Option<String>,
    pub grade_effective_from: Option<NaiveDate>,
    /// As the CRM describes them.
    #[schema(value_type = Vec<Object>)]
    pub legal_entities: Value,
    /// As the CRM describes them.
    #[schema(value_type = Vec<Object>)]
    pub contacts: Value,
    /// As the CRM describes them.
    #[schema(value_type = Vec<Object>)]
    pub addresses: Value,
    pub external_ref: Option<String>,
    /// The customer that it turned out to be: its terms decide on both, and exposure and balance are of both.
    pub merged_into: Option<Uuid>,
    /// The CRM's version of its part.
    pub source_version: i64,
    /// When the CRM's part was what it is here.
    pub as_of: DateTime<Utc>,
    /// Set by hand: goes before what the grade means.
    pub tier: Option<String>,
    pub tier_reason: Option<String>,
    /// Last day of the tier; `null`: without end.
    pub tier_valid_to: Option<NaiveDate>,
    /// Whose prices apply today: the tier set by hand, else what the grade in force means, else the default.
    pub effective_tier: Option<String>,
    /// Whose prices apply on which day: each from its day on.
    pub tiers: Vec<DatedTier>,
    /// `null`: unlimited. 0: prepayment.
    pub credit_limit: Option<Amount>,
    pub credit_currency: Currency,
    /// New orders are held.
    pub credit_hold: bool,
    pub credit_hold_reason: Option<String>,
    /// New orders are rejected.
    pub blocked: bool,
    pub blocked_reason: Option<String>,
    /// `null`: the company's.
    pub payment_terms_id: Option<Uuid>,
    /// Releases and shipments stop when an invoice is overdue by more days; `null`: as the company says.
    pub overdue_stop_days: Option<i32>,
    /// Gets no reminders.
    pub dunning_blocked: bool,
    /// Decides the tax, with the product's; `null` counts as `standard`.
    pub tax_class: Option<String>,
    /// Counts changes of the ERP's part.
    pub version: i64,
    /// Counts changes of the whole record.
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// The tier from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatedTier {
    /// `null`: from ever.
    pub from: Option<NaiveDate>,
    /// `null`: none, which is the base list.
    pub tier: Option<String>,
}

/// A customer with what its orders come to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CustomerWithExposure {
    #[serde(flatten)]
    pub customer: Customer,
    /// What the customer may cost us, in `credit_currency`: the sum of `exposure_parts`.
    pub exposure: Amount,
    pub exposure_parts: ExposureParts,
    /// Open invoices less unallocated receipts and credit notes, in `credit_currency`.
    pub open_balance: Amount,
    /// Days that the oldest open invoice is overdue; 0 when none is.
    pub overdue_days: i64,
}

/// What an exposure consists of, in `credit_currency` at the rates of the day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExposureParts {
    /// Gross that is still to be invoiced of confirmed orders, delivered or not.
    pub orders: Amount,
    /// Open invoices.
    pub invoices: Amount,
    /// Unallocated receipts and credit notes; not positive.
    pub credits: Amount,
    /// Advances that no invoice has cleared; not positive.
    pub advances: Amount,
    /// Currencies without a rate: what is in them is not in the sums.
    pub rates_missing: Vec<Currency>,
}

/// What decides on orders of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = customers)]
pub struct Terms {
    pub tier: Option<String>,
    /// `None`: unlimited. 0: prepayment.
    pub credit_limit: Option<Amount>,
    pub credit_hold: bool,
    pub blocked: bool,
    pub status: CustomerStatus,
    pub name: String,
    pub payment_terms_id: Option<Uuid>,
    pub overdue_stop_days: Option<i32>,
    /// `None` of a customer that is itself; terms are always of one that is.
    pub merged_into: Option<Uuid>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomersQuery {
    /// Finds in the name.
    pub q: Option<SearchText>,
    #[param(inline)]
    pub status: Option<CustomerStatus>,
    pub tier: Option<SearchText>,
    pub credit_hold: Option<bool>,
    pub blocked: Option<bool>,
    pub external_ref: Option<SearchText>,
    /// Customers that are in this segment of the CRM now.
    pub segment_id: Option<Uuid>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `name`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl CustomerRow {
    pub(super) fn shown(self, base: Currency, tiers: Vec<DatedTier>, today: NaiveDate) -> Customer {
        let (crm, own) = (self.replicated, self.own);
        let in_force = tiers
            .iter()
            .rev()
            .find(|dated| dated.from.is_none_or(|from| from <= today));
        Customer {
            id: self.id,
            name: crm.name,
            kind: crm.kind,
            status: crm.status,
            email: crm.email,
            phone: crm.phone,
            tax_id: crm.tax_id,
            grade: crm.grade,
            grade_effective_from: crm.grade_effective_from,
            legal_entities: crm.legal_entities,
            contacts: crm.contacts,
            addresses: crm.addresses,
            external_ref: crm.external_ref,
            merged_into: crm.merged_into,
            source_version: self.source_version,
            as_of: self.as_of,
            tier: own.tier,
            tier_reason: own.tier_reason,
            tier_valid_to: own.tier_valid_to,
            effective_tier: in_force.and_then(|dated| dated.tier.clone()),
            tiers,
            credit_limit: own.credit_limit.and_then(|limit| Amount::money(base, limit.value())),
            credit_currency: base,
            credit_hold: own.credit_hold,
            credit_hold_reason: own.credit_hold_reason,
            blocked: own.blocked,
            blocked_reason: own.blocked_reason,
            payment_terms_id: own.payment_terms_id,
            overdue_stop_days: own.overdue_stop_days,
            dunning_blocked: own.dunning_blocked,
            tax_class: own.tax_class,
            version: self.version,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

impl Resource for Customer {
    const PATH: &'static str = "customers";
    const TYPE: &'static str = "customer";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Resource for CustomerWithExposure {
    const PATH: &'static str = Customer::PATH;
    const TYPE: &'static str = Customer::TYPE;
    fn id(&self) -> Uuid {
        self.customer.id
    }
    fn revision(&self) -> i64 {
        self.customer.revision
    }
    /// Orders change the exposure without changing the customer.
    fn etag(&self) -> String {
        let Customer { revision, version, .. } = self.customer;
        format!(
            "\"{revision}.{version}.{}.{}.{}\"",
            self.exposure, self.open_balance, self.overdue_days
        )
    }
    fn matches(&self, tag: &str) -> bool {
        same_revision(tag, self.customer.revision)
    }
}

impl Emitted for CustomerWithExposure {
    const EVENT: &'static str = "customer.credit_changed";
    fn version(&self) -> i64 {
        self.customer.version
    }
}
