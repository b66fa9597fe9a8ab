//! Leads from CSV files, and taking such an import back.
//!
//! **Which lead a row is.** Its `id`, if the row has one; else what the import is asked to match by: `external_ref`, `email`,
//! `phone` (these two among open leads) or a custom field. Such a row changes the lead. One that names none makes a lead, unless an
//! open lead of the same person is there: then it touches that one, as `POST /v1/leads` does, and fills in what was not
//! known. If another system calls the two by different names, the row is refused with `possible_duplicate`;
//! `allow_duplicate` makes leads of their own.
//!
//! **Touches.** A row is a touch if it says of how somebody came what no touch of the lead says yet, so that the same file
//! changes nothing when it is sent again. The touch names the import.
//!
//! **Whose it is.** `owner_id` says it; else the assignment rules; where none fits, whoever imports. An owner is told
//! once of a file.
//!
//! **Taking back** is the kit's. A lead that the import changed or touched is as it was, without those touches.
//! One that it made is disqualified, because leads are never deleted, and its `external_ref` is free again.

mod row;
mod undo;
mod upsert;

pub use row::Row;

use super::{queries, scoring};
use crate::custom_fields::{RecordType, cells};
use crate::may;
use service_kit::exchange::{Column, Fields, Importer, Rows, TakeBack};
use service_kit::{Permission, Result, Tx};

/// Leads as a kind of import.
pub struct Leads;

impl Importer for Leads {
    type Row = Row;
    const KIND: &'static str = "leads";
    const ABOUT: &'static str = "Leads, matched by `id` or, where that is empty, by `match_by` (`external_ref` unless told otherwise; \
        `email` and `phone` match open leads). A new one needs an e-mail address, a telephone number, a name or a company, is scored, and \
        is given away by the assignment rules. A row that matches none touches the open lead of the same person, unless `allow_duplicate` \
        says otherwise; if that has another `external_ref`, the row is refused with `possible_duplicate`.";
    const READ: &'static str = may::ReadLeads::NAME;
    const WRITE: &'static str = may::WriteLeads::NAME;
    const LIST: &'static str = "/v1/leads";
    const COLUMNS: &'static [Column] = &[
        Column::optional("id", "UUID of the lead; goes before the match key"),
        Column::optional("external_ref", "id in another system; unique"),
        Column::optional("name", "the person"),
        Column::optional("company", "at most 200 characters"),
        Column::optional("job_title", "at most 200 characters"),
        Column::optional("email", "an e-mail address"),
        Column::optional("phone", "at most 50 characters"),
        Column::optional("country", "ISO 3166-1 alpha-2 code"),
        Column::optional("postal_code", "at most 20 characters"),
        Column::optional("region", "at most 100 characters"),
        Column::optional("city", "at most 100 characters"),
        Column::optional("message", "what they want"),
        Column::optional("source", "where they come from, such as `fair`"),
        Column::optional("campaign", "at most 200 characters"),
        Column::optional("utm_source", "of the touch"),
        Column::optional("utm_medium", "of the touch"),
        Column::optional("utm_campaign", "of the touch"),
        Column::optional("utm_term", "of the touch"),
        Column::optional("utm_content", "of the touch"),
        Column::optional("referrer", "the page that led to ours"),
        Column::optional("landing_page", "the page of ours that they came to"),
        Column::optional("owner_id", "UUID of the user whose a new lead is; others keep theirs"),
    ];
    const MATCHED_BY: &'static [&'static str] = &["external_ref", "email", "phone"];
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
        let fields = cells::definitions(tx, RecordType::Lead, rows.iter().map(|entry| &entry.row.custom))?;
        // All of them before the first rule is locked: whoever captures one of these people holds no rule yet.
        scoring::hold(tx)?;
        let keys: Vec<_> = rows.iter().map(|entry| entry.row.identity()).collect();
        queries::lock_identities(
            tx,
            keys.iter().map(|(email, phone)| (email.as_deref(), phone.as_deref())),
        )?;
        let import = rows.import();
        rows.each(tx, |tx, row| upsert::upsert(tx, import, row, &fields))
    }
}
