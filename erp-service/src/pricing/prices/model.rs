use crate::schema::{price_lists, prices};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::present;
use service_kit::tx::Emitted;
use service_kit::{Currency, Cursor, Limit, Quantity, Resource, Sort, UnitPrice};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A price, with what matters of its list.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = prices)]
pub struct Price {
    pub id: Uuid,
    pub price_list_id: Uuid,
    #[diesel(select_expression = price_lists::name)]
    pub price_list_name: String,
    #[diesel(select_expression = price_lists::currency)]
    pub currency: Currency,
    /// `null`: the base list, or a customer's own.
    #[diesel(select_expression = price_lists::tier)]
    pub tier: Option<String>,
    /// The customer whose own list it is in.
    #[diesel(select_expression = price_lists::customer_id)]
    pub customer_id: Option<Uuid>,
    pub product_id: Uuid,
    pub unit_price: UnitPrice,
    /// The price holds for this quantity and more.
    pub minimum_quantity: Quantity,
    /// First day; `null`: from the beginning.
    pub valid_from: Option<NaiveDate>,
    /// Last day, included; `null`: without end.
    pub valid_to: Option<NaiveDate>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceIn {
    pub id: Option<Uuid>,
    pub product_id: Uuid,
    pub unit_price: UnitPrice,
    /// The price holds for this quantity and more; absent: for any quantity.
    pub minimum_quantity: Option<Quantity>,
    /// First day; absent: from the beginning.
    pub valid_from: Option<NaiveDate>,
    /// Last day, included; absent: without end.
    pub valid_to: Option<NaiveDate>,
}

/// What a price is for stays: another product, quantity or first day is another price.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PricePatch {
    #[schema(nullable = false)]
    pub unit_price: Option<UnitPrice>,
    #[serde(default, deserialize_with = "present")]
    pub valid_to: Option<Option<NaiveDate>>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PricesQuery {
    pub product_id: Option<Uuid>,
    pub price_list_id: Option<Uuid>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PricesOfListQuery {
    pub product_id: Option<Uuid>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl PricesOfListQuery {
    pub(super) fn in_list(&self, list: Uuid) -> PricesQuery {
        PricesQuery {
            product_id: self.product_id,
            price_list_id: Some(list),
            limit: self.limit,
            cursor: self.cursor.clone(),
            sort: self.sort.clone(),
        }
    }
}

impl Resource for Price {
    const PATH: &'static str = "prices";
    const TYPE: &'static str = "price";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Price {
    const EVENT: &'static str = "price.changed";
    fn version(&self) -> i64 {
        self.version
    }
}
