//! The catalog: what can be sold.
//!
//! - A **product** has a SKU that is unique for ever, a kind (goods reserve stock, services do
//!   not), a unit of measure and perhaps a category. It is retired, never deleted, because old
//!   documents name it; a retired product is refused in new orders.
//! - **Categories** form a tree. It is acyclic: the action checks it under a lock, a trigger
//!   checks it for everybody else.
//! - **Units** are codes; the common ones come with the first migration.
//!
//! This service is the master of all three. Products and categories are emitted as
//! `product.changed` and `category.changed`; a product's event carries the name of its category,
//! and renaming the category does not emit its products again.

pub mod categories;
pub mod products;
pub mod units;

pub use products::{ProductFacts, Tracking, facts, names};

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    units::routes(routes);
    categories::routes(routes);
    products::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "units_code_unique",
        "duplicate",
        "/code",
        "a unit with this code exists",
    ),
    Constraint::conflict(
        "categories_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a category with this external_ref exists",
    ),
    Constraint::rule(
        "categories_parent_id_fkey",
        "unknown_category",
        "/parent_id",
        "there is no such category",
    ),
    Constraint::rule(
        "categories_acyclic",
        "category_cycle",
        "/parent_id",
        "the category would be its own ancestor",
    ),
    Constraint::conflict(
        "products_sku_unique",
        "duplicate",
        "/sku",
        "a product with this SKU exists",
    ),
    Constraint::conflict(
        "products_external_ref_unique",
        "duplicate",
        "/external_ref",
        "a product with this external_ref exists",
    ),
    Constraint::rule(
        "products_tracked_goods",
        "not_stocked",
        "/tracking",
        "a service has no lots",
    ),
    Constraint::rule("products_unit_fkey", "unknown_unit", "/unit", "there is no such unit"),
    Constraint::rule(
        "products_category_id_fkey",
        "unknown_category",
        "/category_id",
        "there is no such category",
    ),
];
