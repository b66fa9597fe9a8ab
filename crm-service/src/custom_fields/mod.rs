//! Custom fields: what a company wants to know of its records beyond what everybody wants to know.
//!
//! A field belongs to a kind of record (`customer`, `deal` …), has a key that never changes and a type:
//! text, number, money (in one currency), date, choice, multi_choice, boolean, reference. Its values
//! stand in the record itself, in one object `custom_fields` by key; the table of the record has a
//! column of that name.
//!
//! - **Checked on write** ([`values::merge`]): every fault with its pointer, `/custom_fields/<key>`.
//! - **Stored as jsonb**, in the form that goes over the wire; decimals in their shortest or, as
//!   money, in their currency's form, so that equal values are equal texts. Equality and choices are answered by one GIN index
//!   (`jsonb_path_ops`) for all fields that there are or will be. Ranges, texts within and orders
//!   read the value out of the row; an expression index for each field would make them faster and
//!   every write slower, and it would be DDL that a user causes.
//! - **Filtered and sorted** by the language of [`crate::filter`], where a field is `custom.<key>`.
//! - **Shown** in the OpenAPI document of the running instance ([`describe`]), and from there as columns of CSV.
//! - **Retired, not deleted**: a retired field keeps its values and takes no new ones.
//!
//! A kind of record gains custom fields so: a column `custom_fields jsonb NOT NULL DEFAULT '{}'` with
//! such an index, a field [`CustomValues`] in its row and its wire types (with the schema of the
//! kind, such as [`schemas::CustomerCustomFields`]), and a call of [`values::merge`] where it is written.

mod actions;
pub mod cells;
pub mod describe;
mod handlers;
pub mod model;
pub mod schemas;
pub mod values;

pub use model::{CustomField, FieldType, RecordType};
pub use values::{CustomValues, merge, of_keys, replace};

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "custom_fields_key_once",
        "duplicate",
        "/key",
        "there is a field with this key already; a retired one can be restored",
    ),
    Constraint::conflict(
        "custom_fields_pkey",
        "duplicate",
        "/id",
        "another custom field has this id",
    ),
];
