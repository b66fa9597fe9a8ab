use crate::schema::supplier_prices;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::present;
use service_kit::{Currency, Cursor, Limit, Quantity, Resource, Sort, UnitPrice};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What a supplier asks for a product.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = supplier_prices)]
pub struct SupplierPrice {
    pub id: Uuid,
    pub supplier_id: Uuid,
    pub product_id: Uuid,
    /// The number that the supplier knows the product by.
    pub supplier_sku: Option<String>,
    pub currency: Currency,
    pub unit_price: UnitPrice,
    /// The price holds for this quantity and more.
    pub minimum_quantity: Quantity,
    /// First day; `null`: from the beginning.
    pub valid_from: Option<NaiveDate>,
    /// Last day, included; `null`: without end.
    pub valid_to: Option<NaiveDate>,
    /// Days from order to arrival; `null`: the supplier's.
    pub lead_time_days: Option<i32>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierPriceIn {
    pub id: Option<Uuid>,
    pub product_id: Uuid,
    #[schema(min_length = 1, max_length = 60)]
    pub supplier_sku: Option<String>,
    /// Absent: the supplier's.
    pub currency: Option<Currency>,
    pub unit_price: UnitPrice,
    /// The price holds for this quantity and more; absent: for any quantity.
    pub minimum_quantity: Option<Quantity>,
    /// First day; absent: from the beginning.
    pub valid_from: Option<NaiveDate>,
    /// Last day, included; absent: without end.
    pub valid_to: Option<NaiveDate>,
    /// Days from order to arrival; absent: the supplier's.
    #[schema(minimum = 0, maximum = 3650)]
    pub lead_time_days: Option<i32>,
}

/// What a price is for stays: another product, currency, quantity or first day is another price.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupplierPricePatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 60)]
    pub supplier_sku: Option<Option<String>>,
    #[schema(nullable = false)]
    pub unit_price: Option<UnitPrice>,
    #[serde(default, deserialize_with = "present")]
    pub valid_to: Option<Option<NaiveDate>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 0, maximum = 3650)]
    pub lead_time_days: Option<Option<i32>>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SupplierPricesQuery {
    pub supplier_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PricesOfSupplierQuery {
    pub product_id: Option<Uuid>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

/// What shall be bought.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SupplierPriceQuestion {
    /// Absent: today.
    pub date: Option<NaiveDate>,
    /// Absent: the supplier's.
    pub currency: Option<Currency>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<SupplierPriceQuestionLine>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SupplierPriceQuestionLine {
    pub product_id: Uuid,
    pub quantity: Quantity,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct SupplierPriceAnswer {
    pub supplier_id: Uuid,
    pub currency: Currency,
    pub date: NaiveDate,
    pub lines: Vec<SupplierPriceAnswerLine>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct SupplierPriceAnswerLine {
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// `null`: the supplier has no price for it.
    pub unit_price: Option<UnitPrice>,
    pub price_id: Option<Uuid>,
    pub supplier_sku: Option<String>,
    pub lead_time_days: i32,
    /// Which price answers, or that none does.
    pub explanation: String,
}

impl Resource for SupplierPrice {
    const PATH: &'static str = "supplier-prices";
    const TYPE: &'static str = "supplier_price";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}
