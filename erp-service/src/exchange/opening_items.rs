//! Opening items: open invoices, bills and credits of the time before, by kind, party and number.

use super::named::Named;
use super::parties::Parties;
use crate::payments::opening_items::{self, OpeningItem, OpeningItemIn, OpeningItemKind};
use crate::{company, may};
use chrono::NaiveDate;
use service_kit::exchange::{Column, Done, Fields, Importer, Rows, Shape};
use service_kit::{Faults, Permission, Problem, Result, Tx};
use std::collections::HashMap;
use uuid::Uuid;

/// The match key.
type Document = (OpeningItemKind, Uuid, String);

pub struct OpeningItems;

pub struct Row {
    party: Named,
    input: OpeningItemIn,
}

impl Importer for OpeningItems {
    type Row = Row;
    const KIND: &'static str = "opening-items";
    const ABOUT: &'static str = "Invoices, bills and credits of the time before that are still open, matched by `kind`, party and `document_number`; each is posted against the opening balance.";
    const READ: &'static str = may::ReadPayments::NAME;
    const WRITE: &'static str = may::PostJournalEntries::NAME;
    const LIST: &'static str = "/v1/opening-items";
    const COLUMNS: &'static [Column] = &[
        Column::required("kind", "`invoice`, `credit_note`, `bill` or `supplier_credit_note`"),
        Column::optional("party_id", "UUID of the customer or supplier; goes before `party`"),
        Column::optional("party", "`external_ref` of the customer or supplier"),
        Column::required("document_number", "as printed on it"),
        Column::required("document_date", "a date"),
        Column::required("due_date", "a date"),
        Column::required("currency", "ISO 4217 code"),
        Column::required("amount", "what is still open, without sign"),
        Column::optional(
            "base_amount",
            "its value in the base currency; empty: by the rate of the posting date",
        ),
        Column::optional("discount_until", "paid until then, the discount may be taken"),
        Column::optional("discount", "a fraction of the amount"),
        Column::optional("date", "posting date; empty: today"),
        Column::optional("external_ref", "id in another system; unique"),
    ];
    const BATCH: usize = 100;

    fn read(fields: &mut Fields<'_>) -> Option<Row> {
        let party = Named::read(fields, "party_id", "party", 400);
        let mut object = fields.object(&[
            ("kind", Shape::Code),
            ("document_number", Shape::Code),
            ("document_date", Shape::Code),
            ("due_date", Shape::Code),
            ("currency", Shape::Code),
            ("amount", Shape::Code),
            ("base_amount", Shape::Code),
            ("discount_until", Shape::Code),
            ("discount", Shape::Code),
            ("date", Shape::Code),
            ("external_ref", Shape::Code),
        ]);
        // Found when the row is applied.
        object.insert("party_id".to_owned(), Uuid::nil().to_string().into());
        let input = fields.body(object);
        Some(Row {
            party: party?,
            input: input?,
        })
    }

    fn key(row: &Row) -> String {
        let (kind, number) = (row.input.kind, &row.input.document_number);
        format!("{kind} | {} | {number}", row.party.text())
    }

    fn apply(tx: &mut Tx<'_>, rows: &mut Rows<Row>) -> Result<()> {
        let known = Known::of(tx, rows)?;
        let base = company::settings(tx)?.base_currency;
        for entry in rows.iter_mut() {
            known
                .parties(entry.row.input.kind)
                .find_or_reject(entry, |row| &row.party, ["party_id", "party"]);
            let mut faults = Faults::default();
            opening_items::check(&entry.row.input, base, &mut faults);
            if entry.row.input.date.is_some_and(|date| date > known.today) {
                faults.add(
                    "/date",
                    "future_date",
                    format!("must not be after today, {}", known.today),
                );
            }
            for fault in faults.check().err().into_iter().flat_map(|problem| problem.errors) {
                entry.reject(fault.pointer.trim_start_matches('/'), &fault.code, fault.message);
            }
        }
        let there = known.there(tx, rows)?;
        rows.each(tx, |tx, row| {
            let party_id = known
                .parties(row.input.kind)
                .find(&row.party)
                .map_err(|(code, message)| Problem::rule(code, message))?;
            let input = OpeningItemIn {
                party_id,
                ..row.input.clone()
            };
            match there.get(&(input.kind, party_id, input.document_number.clone())) {
                None => Ok(Done::Created(opening_items::create(tx, &input)?.id)),
                Some(there) => unchanged(there, &input),
            }
        })
    }
}

/// What the rows refer to, as far as it is there.
struct Known {
    customers: Parties,
    suppliers: Parties,
    today: NaiveDate,
}

impl Known {
    fn of(tx: &mut Tx<'_>, rows: &Rows<Row>) -> Result<Self> {
        let named = |of_customers: bool| {
            let wanted = rows
                .iter()
                .filter(move |entry| of_customer(entry.row.input.kind) == of_customers);
            wanted.map(|entry| &entry.row.party)
        };
        Ok(Known {
            customers: Parties::customers(tx, named(true))?,
            suppliers: Parties::suppliers(tx, named(false))?,
            today: tx.today(),
        })
    }

    fn parties(&self, kind: OpeningItemKind) -> &Parties {
        match of_customer(kind) {
            true => &self.customers,
            false => &self.suppliers,
        }
    }

    /// What was taken over before.
    fn there(&self, tx: &mut Tx<'_>, rows: &Rows<Row>) -> Result<HashMap<Document, OpeningItem>> {
        let parties = rows
            .iter()
            .map(|entry| self.parties(entry.row.input.kind).find(&entry.row.party));
        let parties: Vec<Uuid> = parties.flatten().collect();
        let numbers: Vec<&str> = rows
            .iter()
            .map(|entry| entry.row.input.document_number.as_str())
            .collect();
        Ok(opening_items::find_documents(tx, &parties, &numbers)?)
    }
}

fn of_customer(kind: OpeningItemKind) -> bool {
    matches!(kind, OpeningItemKind::Invoice | OpeningItemKind::CreditNote)
}

/// What was posted stays; the same again is no fault.
fn unchanged(there: &OpeningItem, input: &OpeningItemIn) -> Result<Done> {
    // Without a value of its own, a row is not compared with that of the rates at the time.
    let same = (there.currency, there.amount) == (input.currency, input.amount)
        && there.document_date == input.document_date
        && input.base_amount.is_none_or(|value| value == there.base_amount);
    if !same {
        let mut faults = Faults::default();
        let message = "the document was taken over with another date, currency or amount, and is posted";
        faults.add("/document_number", "already_posted", message);
        faults.check()?;
    }
    Ok(Done::Unchanged(there.id))
}
