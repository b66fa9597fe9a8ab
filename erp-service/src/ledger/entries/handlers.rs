use super::actions;
use super::model::{
    EntryStatus, JournalEntry, JournalEntryIn, JournalEntryPatch, JournalEntrySummary, PostJournalEntry,
    ReverseJournalEntry,
};
use super::queries::{self, EntryRow};
use crate::may;
use crate::schema::{accounts, journal_entries, journal_entry_lines};
use actix_web::{delete, get, patch, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::http::{IdPath, SearchText};
use service_kit::{
    Answer, Body, Command, Cursor, Limit, OptionalBody, Page, Path, Problem, Query, Read, Result, Routes, Sort,
    keyset_page,
};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct JournalEntriesQuery {
    /// Entries with a line on this account.
    account_id: Option<Uuid>,
    /// The same by the code of the account.
    account: Option<SearchText>,
    /// Kind of the document that made it, e.g. `invoice`.
    source_type: Option<SearchText>,
    source_id: Option<Uuid>,
    date_from: Option<NaiveDate>,
    date_to: Option<NaiveDate>,
    /// Code of the journal, e.g. `GEN`.
    journal: Option<SearchText>,
    status: Option<EntryStatus>,
    number: Option<SearchText>,
    /// Finds in the description.
    q: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `date` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_journal_entries)
        .add(create_journal_entry)
        .add(get_journal_entry)
        .add(update_journal_entry)
        .add(delete_journal_entry)
        .add(post_journal_entry)
        .add(reverse_journal_entry);
}

/// Entries of the general ledger, without their lines.
#[utoipa::path(tag = "ledger", params(JournalEntriesQuery), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "A page of entries", body = Page<JournalEntrySummary>)))]
#[get("/journal-entries")]
async fn list_journal_entries(
    read: Read<may::ReadLedger>,
    query: Query<JournalEntriesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let page = page(conn, &query)?;
        Ok(Page {
            items: queries::summaries(conn, page.items)?,
            next_cursor: page.next_cursor,
        })
    })
    .await
}

fn page(conn: &mut PgConnection, query: &JournalEntriesQuery) -> Result<Page<EntryRow>> {
    use journal_entries as e;
    let mut found = e::table.select(EntryRow::as_select()).into_boxed();
    if let Some(account) = query.account_id {
        let lines = journal_entry_lines::table.filter(journal_entry_lines::account_id.eq(account));
        found = found.filter(e::id.eq_any(lines.select(journal_entry_lines::entry_id)));
    }
    if let Some(code) = &query.account {
        let lines = journal_entry_lines::table.inner_join(accounts::table);
        let lines = lines.filter(accounts::code.eq(code.as_str().to_owned()));
        found = found.filter(e::id.eq_any(lines.select(journal_entry_lines::entry_id)));
    }
    if let Some(kind) = &query.source_type {
        found = found.filter(e::source_type.eq(kind.as_str()));
    }
    if let Some(source) = query.source_id {
        found = found.filter(e::source_id.eq(source));
    }
    if let Some(from) = query.date_from {
        found = found.filter(e::posted_on.ge(from));
    }
    if let Some(to) = query.date_to {
        found = found.filter(e::posted_on.le(to));
    }
    if let Some(journal) = &query.journal {
        found = found.filter(e::journal.eq(journal.as_str()));
    }
    found = match query.status {
        Some(EntryStatus::Draft) => found.filter(e::status.eq("draft")),
        Some(EntryStatus::Posted) => found.filter(e::status.eq("posted").and(e::reversed_by.is_null())),
        Some(EntryStatus::Reversed) => found.filter(e::reversed_by.is_not_null()),
        None => found,
    };
    if let Some(number) = &query.number {
        found = found.filter(e::number.eq(number.as_str()));
    }
    if let Some(text) = &query.q {
        found = found.filter(e::description.ilike(text.contains()));
    }
    keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: e::id as Uuid => |row: &EntryRow| row.id, [
        "date" => e::posted_on as NaiveDate => |row: &EntryRow| row.posted_on,
        "created_at" => e::created_at as DateTime<Utc> => |row: &EntryRow| row.created_at,
    ])
}

/// Write an entry: a draft, which need not balance, or posted at once with `post`.
///
/// Nothing is written to headings and to control accounts (receivables, payables, advances, stock): only
/// documents post there.
#[utoipa::path(tag = "ledger", request_body = JournalEntryIn, security(("api_key" = ["ledger:write"])),
    responses((status = 201, description = "The entry", body = JournalEntry)))]
#[post("/journal-entries")]
async fn create_journal_entry(
    command: Command<may::WriteLedger>,
    body: Body<JournalEntryIn>,
) -> Result<Answer, Problem> {
    if body.0.post {
        command.require::<may::PostJournalEntries>()?;
    }
    command.create(move |tx| actions::create(tx, &body.0)).await
}

/// An entry with its lines.
#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "The entry", body = JournalEntry)))]
#[get("/journal-entries/{id}")]
async fn get_journal_entry(read: Read<may::ReadLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| queries::get(conn, path.id)).await
}

/// Change a draft. Lines are given whole.
#[utoipa::path(tag = "ledger", params(IdPath), request_body(content = JournalEntryPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["ledger:write"])), responses((status = 200, description = "The changed draft", body = JournalEntry)))]
#[patch("/journal-entries/{id}")]
async fn update_journal_entry(
    command: Command<may::WriteLedger>,
    path: Path<IdPath>,
    body: Body<JournalEntryPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::update(tx, path.id, &body.0)).await
}

/// Remove a draft. `If-Match` is obeyed when it is sent.
#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["ledger:write"])),
    responses((status = 204, description = "It is gone")))]
#[delete("/journal-entries/{id}")]
async fn delete_journal_entry(command: Command<may::WriteLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.answer(move |tx| actions::delete(tx, path.id)).await
}

/// Post a draft: it gets its number and never changes again.
///
/// Debits and credits that differ are refused with 422 `unbalanced`, which names the difference.
#[utoipa::path(tag = "ledger", params(IdPath), request_body = PostJournalEntry, security(("api_key" = ["journal_entries:post"])),
    responses((status = 200, description = "The posted entry", body = JournalEntry)))]
#[post("/journal-entries/{id}/post")]
async fn post_journal_entry(
    command: Command<may::PostJournalEntries>,
    path: Path<IdPath>,
    body: OptionalBody<PostJournalEntry>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::post(tx, path.id, &body.0)).await
}

/// Mirror an entry that was written by hand. Entries of documents are reversed with their document.
#[utoipa::path(tag = "ledger", params(IdPath), request_body = ReverseJournalEntry, security(("api_key" = ["postings:reverse"])),
    responses((status = 201, description = "The mirror entry", body = JournalEntry)))]
#[post("/journal-entries/{id}/reverse")]
async fn reverse_journal_entry(
    command: Command<may::ReversePostings>,
    path: Path<IdPath>,
    body: Body<ReverseJournalEntry>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::reverse(tx, path.id, &body.0)).await
}
