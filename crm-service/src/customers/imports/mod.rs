//! Customers from CSV files, and taking such an import back.
//!
//! **Which customer a row is.** Its `id`, if the row has one; else what the import is asked to match by:
//! `external_ref`, `email`, `tax_id` or a custom field. A row that matches nobody makes a customer, unless one is
//! there that may be the same: that is the row's fault, with whom it may be, as it is of `POST /v1/customers`.
//!
//! **What a row says.** Columns are those of the list's CSV; one that the file lacks stays as it is, an empty cell clears.
//! Custom fields stand in `custom_fields.<key>`. Files that call their columns otherwise say so with `columns`.
//! A row may bring a contact and a billing and a delivery address.
//!
//! **Taking back** is the kit's. What the import changed is as it was before, its parts included; what it made is
//! archived, because a customer is never deleted, loses what the import brought along, and its `external_ref` is free again.

mod parts;
mod row;
mod undo;
mod upsert;

pub use row::Row;

use crate::custom_fields::{RecordType, cells};
use crate::may;
use service_kit::exchange::{Column, Fields, Importer, Rows, TakeBack};
use service_kit::{Permission, Result, Tx};

/// Customers as a kind of import.
pub struct Customers;

impl Importer for Customers {
    type Row = Row;
    const KIND: &'static str = "customers";
    const ABOUT: &'static str = "Customers, matched by `id` or, where that is empty, by `match_by` (`external_ref` unless told otherwise). \
        A new one needs `name`; one who may be there already is refused with `possible_duplicate` unless `allow_duplicate` says so. \
        The columns `contact_…`, `billing_…` and `shipping_…` bring a contact and two addresses: a row in which they are all empty \
        says nothing of them.";
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
        Column::optional("language", "what it is written to in, such as `de` or `de-AT`"),
        Column::optional(
            "owner_id",
            "UUID of the user whose a new customer is; others keep theirs",
        ),
        Column::optional(
            "contact_name",
            "the person to talk to: the contact with this `contact_email`, else with this name, else a new one",
        ),
        Column::optional("contact_role", "what they decide, such as `purchasing`"),
        Column::optional("contact_title", "their title"),
        Column::optional("contact_email", "an e-mail address"),
        Column::optional("contact_phone", "at most 50 characters"),
        Column::optional(
            "billing_street",
            "of the address for invoices: the one there is, of several the one with this street and city, else a new one",
        ),
        Column::optional("billing_city", "at most 100 characters"),
        Column::optional("billing_region", "at most 100 characters"),
        Column::optional("billing_postal_code", "at most 20 characters"),
        Column::optional("billing_country", "ISO 3166-1 alpha-2 code"),
        Column::optional("shipping_street", "of the address for deliveries, as `billing_street`"),
        Column::optional("shipping_city", "at most 100 characters"),
        Column::optional("shipping_region", "at most 100 characters"),
        Column::optional("shipping_postal_code", "at most 20 characters"),
        Column::optional("shipping_country", "ISO 3166-1 alpha-2 code"),
    ];
    const MATCHED_BY: &'static [&'static str] = &["external_ref", "email", "tax_id"];
    const OPEN: Option<&'static str> = Some(cells::COLUMNS);
    const TAKE_BACK: Option<TakeBack> = Some(undo::take_back);
    const BATCH: usize = 100;

    fn read(fields: &mut Fields<'_>) -> Option<Row> {
        row::read(fields)
    }

    fn key(row: &Row) -> String {
        row.key()
    }

    fn apply(tx: &mut Tx<'_>, rows: &mut Rows<Row>) -> Result<()> {
        let cells = rows.iter().map(|entry| &entry.row.custom);
        let fields = cells::definitions(tx, RecordType::Customer, cells)?;
        let import = rows.import();
        rows.each(tx, |tx, row| upsert::upsert(tx, import, row, &fields))
    }
}
