//! Customers' terms. Who a customer is, the CRM owns: those columns of an export are not looked at.

use super::named::Named;
use super::parties::Parties;
use crate::customers::{self, CustomerPatch};
use crate::may;
use service_kit::exchange::{Column, Fields, Importer, Rows, Shape};
use service_kit::{Permission, Problem, Result, Tx};

pub struct Customers;

pub struct Row {
    customer: Named,
    patch: CustomerPatch,
}

impl Importer for Customers {
    type Row = Row;
    const KIND: &'static str = "customers";
    const ABOUT: &'static str = "The terms of customers, matched by `id` or, where that is empty, by `external_ref`. Customers themselves are made and changed in the CRM.";
    const READ: &'static str = may::ReadCustomers::NAME;
    const WRITE: &'static str = may::WriteCustomers::NAME;
    const LIST: &'static str = "/v1/customers";
    const COLUMNS: &'static [Column] = &[
        Column::optional("id", "UUID of the customer; goes before `external_ref`"),
        Column::optional("external_ref", "id in another system, if only one customer has it"),
        Column::optional("tier", "decides the price list"),
        Column::optional("tier_reason", "why it has this tier"),
        Column::optional("tier_valid_to", "last day of the tier"),
        Column::optional("credit_limit", "in the base currency; empty: unlimited, 0: prepayment"),
        Column::optional("credit_hold", "`true`: new orders are held"),
        Column::optional("credit_hold_reason", "why"),
        Column::optional("blocked", "`true`: new orders are rejected"),
        Column::optional("blocked_reason", "why"),
        Column::optional("payment_terms_id", "UUID of payment terms; empty: the company's"),
        Column::optional(
            "overdue_stop_days",
            "releases stop when an invoice is overdue by more days",
        ),
        Column::optional("dunning_blocked", "`true`: gets no reminders"),
        Column::optional("tax_class", "decides the tax; empty: `standard`"),
    ];
    const BATCH: usize = 250;

    fn read(fields: &mut Fields<'_>) -> Option<Row> {
        let customer = Named::read(fields, "id", "external_ref", 400);
        let object = fields.object(&[
            ("tier", Shape::Code),
            ("tier_reason", Shape::Text),
            ("tier_valid_to", Shape::Code),
            ("credit_limit", Shape::Code),
            ("credit_hold", Shape::Boolean),
            ("credit_hold_reason", Shape::Text),
            ("blocked", Shape::Boolean),
            ("blocked_reason", Shape::Text),
            ("payment_terms_id", Shape::Code),
            ("overdue_stop_days", Shape::Integer),
            ("dunning_blocked", Shape::Boolean),
            ("tax_class", Shape::Code),
        ]);
        let patch = fields.body(object);
        Some(Row {
            customer: customer?,
            patch: patch?,
        })
    }

    fn key(row: &Row) -> String {
        row.customer.text()
    }

    fn apply(tx: &mut Tx<'_>, rows: &mut Rows<Row>) -> Result<()> {
        let known = Parties::customers(tx, rows.iter().map(|entry| &entry.row.customer))?;
        for entry in rows.iter_mut() {
            known.find_or_reject(entry, |row| &row.customer, ["id", "external_ref"]);
        }
        rows.each(tx, |tx, row| {
            let id = known
                .find(&row.customer)
                .map_err(|(code, message)| Problem::rule(code, message))?;
            Ok(customers::import_terms(tx, id, &row.patch)?.into())
        })
    }
}
