//! Suppliers, by id or by their reference in another system.

use super::named::Named;
use crate::may;
use crate::purchasing::suppliers::{self, SupplierPatch};
use serde_json::json;
use service_kit::exchange::{Column, Fields, Importer, Rows, Shape};
use service_kit::{Permission, Result, Tx};

pub struct Suppliers;

pub struct Row {
    supplier: Named,
    patch: SupplierPatch,
}

impl Importer for Suppliers {
    type Row = Row;
    const KIND: &'static str = "suppliers";
    const ABOUT: &'static str =
        "Suppliers, matched by `id` or, where that is empty, by `external_ref`. A new one needs `name` and `currency`.";
    const READ: &'static str = may::ReadSuppliers::NAME;
    const WRITE: &'static str = may::WriteSuppliers::NAME;
    const LIST: &'static str = "/v1/suppliers";
    const COLUMNS: &'static [Column] = &[
        Column::optional("id", "UUID of the supplier; goes before `external_ref`"),
        Column::optional("external_ref", "id in another system; unique"),
        Column::optional("name", "at most 200 characters"),
        Column::optional("legal_name", "at most 200 characters"),
        Column::optional("tax_id", "at most 60 characters"),
        Column::optional("tax_class", "decides the tax"),
        Column::optional("email", "an e-mail address"),
        Column::optional("phone", "at most 60 characters"),
        Column::optional("addresses", "JSON, as an export shows it"),
        Column::optional("currency", "currency of its orders"),
        Column::optional("payment_terms_id", "UUID of payment terms"),
        Column::optional("iban", "where payments go"),
        Column::optional("bic", "where payments go"),
        Column::optional(
            "account_holder",
            "whose account it is, where that is not the legal name",
        ),
        Column::optional("payments_blocked", "`true`: nothing is proposed for payment"),
        Column::optional("lead_time_days", "days from order to arrival"),
    ];
    const BATCH: usize = 250;

    fn read(fields: &mut Fields<'_>) -> Option<Row> {
        let supplier = Named::read(fields, "id", "external_ref", 200);
        let mut object = fields.object(&[
            ("external_ref", Shape::Code),
            ("name", Shape::Text),
            ("legal_name", Shape::Text),
            ("tax_id", Shape::Code),
            ("tax_class", Shape::Code),
            ("email", Shape::Code),
            ("phone", Shape::Code),
            ("addresses", Shape::Json),
            ("currency", Shape::Code),
            ("payment_terms_id", Shape::Code),
            ("iban", Shape::Code),
            ("bic", Shape::Code),
            ("account_holder", Shape::Text),
            ("payments_blocked", Shape::Boolean),
            ("lead_time_days", Shape::Integer),
        ]);
        for (column, empty) in [
            ("addresses", json!([])),
            ("lead_time_days", json!(0)),
            ("payments_blocked", json!(false)),
        ] {
            if let Some(cell) = object.get_mut(column).filter(|cell| cell.is_null()) {
                *cell = empty;
            }
        }
        let patch = fields.body(object);
        Some(Row {
            supplier: supplier?,
            patch: patch?,
        })
    }

    fn key(row: &Row) -> String {
        row.supplier.text()
    }

    fn apply(tx: &mut Tx<'_>, rows: &mut Rows<Row>) -> Result<()> {
        rows.each(tx, |tx, row| {
            let put = suppliers::upsert(tx, row.supplier.id(), row.patch.clone())?;
            Ok(put.into())
        })
    }
}
