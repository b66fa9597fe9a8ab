use crate::catalogue::availability::Availability;
use crate::catalogue::prices::Price;
use crate::replica::replica;
use crate::schema::products;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{Resource, SearchText};
use service_kit::{Cursor, Limit, Sort};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

service_kit::text_enum! {
    /// Goods are stocked, services are not.
    ProductKind { Goods = "goods", Service = "service" }
}

service_kit::text_enum! {
    /// A retired product takes no new orders.
    ProductStatus { Active = "active", Retired = "retired" }
}

/// A product as the ERP has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductReplicaIn {
    /// The ERP's version of the record.
    #[schema(minimum = 0)]
    pub source_version: i64,
    /// Replace whatever is stored, for a resync.
    #[serde(default)]
    pub replace: bool,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    #[schema(min_length = 1, max_length = 60)]
    pub sku: String,
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    pub kind: ProductKind,
    /// Code of the unit of measure, e.g. `pcs`.
    #[schema(min_length = 1, max_length = 20)]
    pub unit: String,
    pub category_id: Option<Uuid>,
    /// Shown until the category itself is known here.
    #[schema(min_length = 1, max_length = 200)]
    pub category_name: Option<String>,
    pub status: ProductStatus,
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
}

/// The product's own row.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = products, treat_none_as_null = true)]
pub struct ProductRow {
    pub id: Uuid,
    pub sku: String,
    pub name: String,
    pub description: Option<String>,
    pub kind: ProductKind,
    pub unit: String,
    pub category_id: Option<Uuid>,
    pub category_name: Option<String>,
    pub status: ProductStatus,
    pub external_ref: Option<String>,
    pub source_version: i64,
    pub as_of: DateTime<Utc>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

replica!(ProductRow, path: "products", type: "product");

/// A product with its prices and availability. The ERP is its master.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Product {
    pub id: Uuid,
    pub sku: String,
    pub name: String,
    pub description: Option<String>,
    pub kind: ProductKind,
    /// Code of the unit of measure, e.g. `pcs`.
    pub unit: String,
    pub category_id: Option<Uuid>,
    pub category_name: Option<String>,
    pub status: ProductStatus,
    pub external_ref: Option<String>,
    /// All prices, of all tiers, currencies and dates.
    pub prices: Vec<Price>,
    pub availability: Availability,
    /// The ERP's version of the product itself.
    pub source_version: i64,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Changes of what the answer shows beside the product itself.
    #[serde(skip)]
    pub shown: Shown,
}

/// Sums of revisions: they only grow, so every change shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown {
    pub prices: i64,
    pub availability: i64,
    pub category: i64,
}

impl Resource for Product {
    const PATH: &'static str = "products";
    const TYPE: &'static str = "product";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
    fn etag(&self) -> String {
        let Shown {
            prices,
            availability,
            category,
        } = self.shown;
        format!("\"{}.{prices}.{availability}.{category}\"", self.revision)
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ProductsQuery {
    /// Finds the text anywhere in SKU or name.
    pub q: Option<SearchText>,
    pub sku: Option<SearchText>,
    pub category_id: Option<Uuid>,
    #[param(inline)]
    pub status: Option<ProductStatus>,
    pub external_ref: Option<SearchText>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `name`, `sku` or `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}
