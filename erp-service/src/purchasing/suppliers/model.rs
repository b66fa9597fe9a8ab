use crate::schema::suppliers;
use chrono::{DateTime, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Jsonb;
use serde::{Deserialize, Serialize};
use service_kit::http::{SearchText, present};
use service_kit::tx::Emitted;
use service_kit::{Currency, Cursor, Limit, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// An archived supplier gets no new orders.
    SupplierStatus { Active = "active", Archived = "archived" }
}

text_enum! {
    /// What an address of a supplier is for.
    SupplierAddressKind { Office = "office", Billing = "billing", Shipping = "shipping", Returns = "returns" }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierAddress {
    pub kind: SupplierAddressKind,
    #[schema(min_length = 1, max_length = 200)]
    pub street: String,
    #[schema(min_length = 1, max_length = 100)]
    pub city: String,
    #[schema(max_length = 100)]
    pub region: Option<String>,
    #[schema(max_length = 20)]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Z]{2}$", example = "DE")]
    pub country: String,
}

/// The addresses, one JSON column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[serde(transparent)]
#[diesel(sql_type = Jsonb)]
pub struct Addresses(pub Vec<SupplierAddress>);

impl FromSql<Jsonb, Pg> for Addresses {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let value = <serde_json::Value as FromSql<Jsonb, Pg>>::from_sql(bytes)?;
        Ok(serde_json::from_value(value)?)
    }
}

impl ToSql<Jsonb, Pg> for Addresses {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let value = serde_json::to_value(self)?;
        <serde_json::Value as ToSql<Jsonb, Pg>>::to_sql(&value, &mut out.reborrow())
    }
}

/// A supplier.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = suppliers)]
pub struct Supplier {
    pub id: Uuid,
    pub name: String,
    pub legal_name: Option<String>,
    pub tax_id: Option<String>,
    /// Decides together with a product's tax class which tax applies.
    pub tax_class: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    #[schema(value_type = Vec<SupplierAddress>)]
    pub addresses: Addresses,
    /// Currency of its orders unless they name another.
    pub currency: Currency,
    pub payment_terms_id: Option<Uuid>,
    /// Where payments go.
    pub iban: Option<String>,
    pub bic: Option<String>,
    /// Whose account it is, where that is not the supplier's legal name.
    pub account_holder: Option<String>,
    /// Who last changed where payments go, and when.
    pub bank_details_changed_by: Option<Uuid>,
    pub bank_details_changed_at: Option<DateTime<Utc>>,
    /// Nothing is proposed for payment meanwhile.
    pub payments_blocked: bool,
    /// Days from order to arrival, unless a price says otherwise.
    pub lead_time_days: i32,
    pub status: SupplierStatus,
    pub external_ref: Option<String>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema, Insertable, AsChangeset)]
#[serde(deny_unknown_fields)]
#[diesel(table_name = suppliers, treat_none_as_null = true)]
pub struct SupplierIn {
    #[diesel(skip_insertion, skip_update)]
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    #[schema(min_length = 1, max_length = 200)]
    pub legal_name: Option<String>,
    #[schema(min_length = 1, max_length = 60)]
    pub tax_id: Option<String>,
    #[schema(min_length = 1, max_length = 40)]
    pub tax_class: Option<String>,
    #[schema(min_length = 3, max_length = 200, pattern = "@")]
    pub email: Option<String>,
    #[schema(min_length = 1, max_length = 60)]
    pub phone: Option<String>,
    #[serde(default)]
    #[schema(value_type = Vec<SupplierAddress>, max_items = 50)]
    pub addresses: Addresses,
    /// Currency of its orders unless they name another.
    pub currency: Currency,
    pub payment_terms_id: Option<Uuid>,
    /// Where payments go. To give or change these three needs `suppliers:bank_details`.
    #[schema(pattern = "^[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}$")]
    pub iban: Option<String>,
    #[schema(pattern = "^[A-Z0-9]{8}([A-Z0-9]{3})?$")]
    pub bic: Option<String>,
    /// Whose account it is, where that is not the supplier's legal name.
    #[schema(min_length = 1, max_length = 140, pattern = r"\S")]
    pub account_holder: Option<String>,
    /// Nothing is proposed for payment meanwhile.
    #[serde(default)]
    pub payments_blocked: bool,
    /// Days from order to arrival, unless a price says otherwise.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 3650)]
    pub lead_time_days: i32,
    /// Id in another system; unique.
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierPatch {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200)]
    pub legal_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 60)]
    pub tax_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 40)]
    pub tax_class: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 3, max_length = 200, pattern = "@")]
    pub email: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 60)]
    pub phone: Option<Option<String>>,
    /// All of them; those that are not named are gone.
    #[schema(value_type = Option<Vec<SupplierAddress>>, max_items = 50, nullable = false)]
    pub addresses: Option<Addresses>,
    #[schema(nullable = false)]
    pub currency: Option<Currency>,
    #[serde(default, deserialize_with = "present")]
    pub payment_terms_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(pattern = "^[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}$")]
    pub iban: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(pattern = "^[A-Z0-9]{8}([A-Z0-9]{3})?$")]
    pub bic: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 140, pattern = r"\S")]
    pub account_holder: Option<Option<String>>,
    #[schema(nullable = false)]
    pub payments_blocked: Option<bool>,
    #[schema(minimum = 0, maximum = 3650, nullable = false)]
    pub lead_time_days: Option<i32>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<Option<String>>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SuppliersQuery {
    /// Finds in name, legal name and tax id.
    pub q: Option<SearchText>,
    #[param(inline)]
    pub status: Option<SupplierStatus>,
    pub external_ref: Option<SearchText>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `name`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl Resource for Supplier {
    const PATH: &'static str = "suppliers";
    const TYPE: &'static str = "supplier";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Supplier {
    const EVENT: &'static str = "supplier.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

impl SupplierIn {
    /// Where its money goes: IBAN, BIC and account holder.
    pub(super) fn bank_details(&self) -> BankDetails<'_> {
        (
            self.iban.as_deref(),
            self.bic.as_deref(),
            self.account_holder.as_deref(),
        )
    }
}

/// IBAN, BIC and account holder.
pub(super) type BankDetails<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

impl Supplier {
    pub(super) fn bank_details(&self) -> BankDetails<'_> {
        (
            self.iban.as_deref(),
            self.bic.as_deref(),
            self.account_holder.as_deref(),
        )
    }

    /// Whose account payments go to.
    pub fn payee(&self) -> &str {
        let named = self.account_holder.as_ref().or(self.legal_name.as_ref());
        named.unwrap_or(&self.name)
    }

    /// What a user would have to send to get this supplier.
    pub(super) fn input(&self) -> SupplierIn {
        let own = self.clone();
        SupplierIn {
            id: Some(own.id),
            name: own.name,
            legal_name: own.legal_name,
            tax_id: own.tax_id,
            tax_class: own.tax_class,
            email: own.email,
            phone: own.phone,
            addresses: own.addresses,
            currency: own.currency,
            payment_terms_id: own.payment_terms_id,
            iban: own.iban,
            bic: own.bic,
            account_holder: own.account_holder,
            payments_blocked: own.payments_blocked,
            lead_time_days: own.lead_time_days,
            external_ref: own.external_ref,
        }
    }

    pub(super) fn is(&self, wanted: &SupplierIn) -> bool {
        let wanted = SupplierIn {
            id: Some(self.id),
            ..wanted.clone()
        };
        self.input() == wanted
    }

    pub(super) fn with(&self, patch: SupplierPatch) -> SupplierIn {
        self.input().with(patch)
    }
}

impl SupplierIn {
    /// A supplier of whom nothing else is known.
    pub(super) fn new(name: String, currency: Currency) -> Self {
        SupplierIn {
            id: None,
            name,
            legal_name: None,
            tax_id: None,
            tax_class: None,
            email: None,
            phone: None,
            addresses: Addresses::default(),
            currency,
            payment_terms_id: None,
            iban: None,
            bic: None,
            account_holder: None,
            payments_blocked: false,
            lead_time_days: 0,
            external_ref: None,
        }
    }

    pub(super) fn with(self, patch: SupplierPatch) -> Self {
        let own = self;
        SupplierIn {
            id: own.id,
            name: patch.name.unwrap_or(own.name),
            legal_name: patch.legal_name.unwrap_or(own.legal_name),
            tax_id: patch.tax_id.unwrap_or(own.tax_id),
            tax_class: patch.tax_class.unwrap_or(own.tax_class),
            email: patch.email.unwrap_or(own.email),
            phone: patch.phone.unwrap_or(own.phone),
            addresses: patch.addresses.unwrap_or(own.addresses),
            currency: patch.currency.unwrap_or(own.currency),
            payment_terms_id: patch.payment_terms_id.unwrap_or(own.payment_terms_id),
            iban: patch.iban.unwrap_or(own.iban),
            bic: patch.bic.unwrap_or(own.bic),
            account_holder: patch.account_holder.unwrap_or(own.account_holder),
            payments_blocked: patch.payments_blocked.unwrap_or(own.payments_blocked),
            lead_time_days: patch.lead_time_days.unwrap_or(own.lead_time_days),
            external_ref: patch.external_ref.unwrap_or(own.external_ref),
        }
    }
}
