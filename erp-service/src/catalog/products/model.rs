use crate::schema::{categories, products};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{SearchText, present, same_revision};
use service_kit::tx::Emitted;
use service_kit::{Cursor, Limit, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Goods lie in stock and are reserved; services are not.
    ProductKind { Goods = "goods", Service = "service" }
}

text_enum! {
    /// A retired product is refused in new orders.
    ProductStatus { Active = "active", Retired = "retired" }
}

text_enum! {
    /// How pieces of goods are told apart: not at all, by lot, or each by its serial number.
    Tracking { None = "none", Lot = "lot", Serial = "serial" }
}

/// A product.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = products)]
pub struct Product {
    pub id: Uuid,
    pub sku: String,
    pub name: String,
    pub description: Option<String>,
    pub kind: ProductKind,
    /// Whether its stock lies in lots, or as pieces with serial numbers.
    pub tracking: Tracking,
    /// Code of its unit of measure.
    #[schema(example = "pcs")]
    pub unit: String,
    pub category_id: Option<Uuid>,
    #[diesel(select_expression = categories::name.nullable())]
    pub category_name: Option<String>,
    pub status: ProductStatus,
    pub external_ref: Option<String>,
    /// Decides the tax, with the customer's; `null` counts as `standard`.
    pub tax_class: Option<String>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// The answer shows the category's name too, so its revision is part of the `ETag`.
    #[serde(skip)]
    #[schema(ignore)]
    #[diesel(select_expression = categories::revision.nullable())]
    pub(super) category_revision: Option<i64>,
}

/// What an order needs to know of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductFacts {
    /// Code of its unit of measure.
    pub unit: String,
    /// Goods are in stock and reserved; services are not.
    pub stocked: bool,
    pub retired: bool,
    /// Posting rules look at it.
    pub category_id: Option<Uuid>,
    pub tracking: Tracking,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductIn {
    pub id: Option<Uuid>,
    /// Stock keeping unit: the number that people know the product by; unique.
    #[schema(min_length = 1, max_length = 60, pattern = r"\S")]
    pub sku: String,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    pub kind: ProductKind,
    /// Goods only; stays once there is or was stock. Default `none`; absent in a change, it stays.
    #[schema(nullable = false)]
    pub tracking: Option<Tracking>,
    /// Code of a unit of measure, such as `pcs`, `kg` or `h`.
    #[schema(min_length = 1, max_length = 20, example = "pcs")]
    pub unit: String,
    pub category_id: Option<Uuid>,
    /// Id in another system; unique.
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
    /// Decides the tax, with the customer's; absent: `standard`.
    #[schema(min_length = 1, max_length = 40, pattern = r"\S", example = "reduced")]
    pub tax_class: Option<String>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductPatch {
    #[schema(min_length = 1, max_length = 60, pattern = r"\S", nullable = false)]
    pub sku: Option<String>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 4000)]
    pub description: Option<Option<String>>,
    #[schema(nullable = false)]
    pub kind: Option<ProductKind>,
    #[schema(nullable = false)]
    pub tracking: Option<Tracking>,
    #[schema(min_length = 1, max_length = 20, nullable = false)]
    pub unit: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub category_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 40, pattern = r"\S")]
    pub tax_class: Option<Option<String>>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ProductsQuery {
    /// Finds in SKU and name.
    pub q: Option<SearchText>,
    /// The product with exactly this SKU.
    pub sku: Option<SearchText>,
    pub category_id: Option<Uuid>,
    #[param(inline)]
    pub status: Option<ProductStatus>,
    pub external_ref: Option<SearchText>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, `sku` or `name`, with `-` for descending.
    pub sort: Option<Sort>,
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
        match self.category_revision {
            Some(category) => format!("\"{}.{category}\"", self.revision),
            None => format!("\"{}\"", self.revision),
        }
    }
    fn matches(&self, tag: &str) -> bool {
        same_revision(tag, self.revision)
    }
}

impl Emitted for Product {
    const EVENT: &'static str = "product.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

impl Product {
    /// Whether it is what is wanted already.
    pub fn is(&self, wanted: &ProductIn) -> bool {
        let same_names = (&self.sku, &self.name, &self.description, &self.external_ref)
            == (&wanted.sku, &wanted.name, &wanted.description, &wanted.external_ref);
        let same_names = same_names && wanted.tracking.is_none_or(|tracking| tracking == self.tracking);
        let same_kind = (self.kind, &self.unit, self.category_id) == (wanted.kind, &wanted.unit, wanted.category_id);
        same_names && same_kind && self.tax_class == wanted.tax_class
    }

    /// What it will be with a patch.
    pub fn with(&self, patch: ProductPatch) -> ProductIn {
        ProductIn {
            id: Some(self.id),
            sku: patch.sku.unwrap_or_else(|| self.sku.clone()),
            name: patch.name.unwrap_or_else(|| self.name.clone()),
            description: patch.description.unwrap_or_else(|| self.description.clone()),
            kind: patch.kind.unwrap_or(self.kind),
            tracking: patch.tracking,
            unit: patch.unit.unwrap_or_else(|| self.unit.clone()),
            category_id: patch.category_id.unwrap_or(self.category_id),
            external_ref: patch.external_ref.unwrap_or_else(|| self.external_ref.clone()),
            tax_class: patch.tax_class.unwrap_or_else(|| self.tax_class.clone()),
        }
    }
}
