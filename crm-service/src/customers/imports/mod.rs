//! Customers from CSV files, and taking such an import back.
//!
//! **Which customer a row is.** Its `id`, if the row has one; else what the import is asked to match by:
//! `external_ref`, `email`, `tax_id` or a custom field. A row that matches nobody makes a customer, unless one is
//! there that may be the same: that is the row's fault, with whom it may be, as it is of `POST /v1/customers`.
//!
//! **What a row says.** Columns are those of the list's CSV; one that the file lacks stays as it is, an empty cell clears.
//! Custom fields stand in `custom_fields.<key>`. Files that call their columns otherwise say so with `columns`.
//!
//! **Taking back.** Within a day, once. What the import changed is as it was before; what it made is archived, because a
//! customer is never deleted, and its `external_ref` is free again. A customer that was changed since, or that
//! something hangs on, stays, and is named with the reason. So each change keeps how the customer was, and its version
//! after the import, in the transaction that makes it.

mod changes;
mod handlers;
mod row;
mod undo;
mod upsert;

pub use row::Row;

use crate::custom_fields::{RecordType, of_keys};
use crate::may;
use service_kit::exchange::{Column, Fields, Importer, Rows};
use service_kit::{Permission, Result, Routes, Tx};

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}

/// Customers as a kind of import.
pub struct Customers;

/// What the names of columns of custom fields begin with.
const CUSTOM: &str = "custom_fields.";

impl Importer for Customers {
    type Row = Row;
    const KIND: &'static str = "customers";
    const ABOUT: &'static str = "Customers, matched by `id` or, where that is empty, by `match_by` (`external_ref` unless told otherwise). \
        A new one needs `name`; one who may be there already is refused with `possible_duplicate` unless `allow_duplicate` says so. \
        `POST /v1/imports/{id}/undo` takes an import back within a day.";
    const READ: &'static str = may::ReadCustomers::NAME;
    const WRITE: &'static str = may::WriteCustomers::NAME;
    const LIST: &'static str = "/v1/customers";
    const COLUMNS: &'static [Column] = &[
        Column::optional("id", "UUID of the customer; goes before the match key"),
        Column::optional("external_ref", "id in another system; unique"),
        Column::optional("name", "at most 200 characters"),
        Column::optional(
            "kind",
            "`company` or `person`; a new one is a company unless told otherwise",
        ),
        Column::optional("email", "an e-mail address"),
        Column::optional("phone", "at most 50 characters"),
        Column::optional("tax_id", "at most 50 characters"),
        Column::optional("grade", "`A` to `D`"),
        Column::optional("grade_effective_from", "first day of the grade"),
        Column::optional("tags", "words with commas between them, or JSON as an export shows it"),
        Column::optional("parent_id", "UUID of the company that this one belongs to"),
        Column::optional(
            "owner_id",
            "UUID of the user whose a new customer is; others keep theirs",
        ),
    ];
    const MATCHED_BY: &'static [&'static str] = &["external_ref", "email", "tax_id"];
    const OPEN: Option<&'static str> = Some(CUSTOM);
    const BATCH: usize = 100;

    fn read(fields: &mut Fields<'_>) -> Option<Row> {
        row::read(fields)
    }

    fn key(row: &Row) -> String {
        row.key()
    }

    fn apply(tx: &mut Tx<'_>, rows: &mut Rows<Row>) -> Result<()> {
        changes::forget_old(tx)?;
        let keys: Vec<String> = rows.iter().flat_map(|entry| entry.row.custom_keys()).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let fields = of_keys(tx, RecordType::Customer, &keys)?;
        let import = rows.import();
        rows.each(tx, |tx, row| upsert::upsert(tx, import, row, &fields))
    }
}
