//! The SQL of quotes. [`get`] and [`lock`] are the only ways to one.

use super::stored::{ApprovalRow, LineRow, QuoteRow, StoredQuote};
use crate::schema::{quote_approvals, quote_documents, quote_lines, quotes};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Text, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Problem, Result, Sight, Tx};
use std::collections::HashMap;
use uuid::Uuid;

use super::status::QuoteState;

/// A quote in sight, as it stands today.
///
/// # Errors
/// 404 when there is none, or none in sight.
pub fn get(conn: &mut PgConnection, sight: &Sight, today: NaiveDate, id: Uuid) -> Result<StoredQuote> {
    let row = quotes::table
        .find(id)
        .select(QuoteRow::as_select())
        .first(conn)
        .optional()?;
    let mut quote = seen(conn, sight, row)?;
    as_of_today(&mut quote.row, today);
    Ok(quote)
}

/// A sent quote whose last day has passed has expired, whether or not that is written down yet.
pub fn as_of_today(row: &mut QuoteRow, today: NaiveDate) {
    if row.state == QuoteState::Sent && row.valid_until < today {
        row.state = QuoteState::Expired;
    }
}

/// A quote in the actor's sight as it is stored, locked against other changes of it.
///
/// # Errors
/// 404 when there is none, or none in sight.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<StoredQuote> {
    let sight = tx.sight();
    let row = quotes::table
        .find(id)
        .select(QuoteRow::as_select())
        .for_no_key_update()
        .first(&mut **tx)
        .optional()?;
    seen(tx, &sight, row)
}

fn seen(conn: &mut PgConnection, sight: &Sight, row: Option<QuoteRow>) -> Result<StoredQuote> {
    let row = row.filter(|row| sight.covers(row.owner_id, row.team_id));
    let row = row.ok_or_else(|| Problem::not_found("quote"))?;
    let quote = with_parts(conn, vec![row])?.pop();
    Ok(quote.ok_or(diesel::NotFound)?)
}

/// Gives quotes their lines and approvals, one statement for each kind.
pub fn with_parts(conn: &mut PgConnection, rows: Vec<QuoteRow>) -> QueryResult<Vec<StoredQuote>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut lines: HashMap<Uuid, Vec<LineRow>> = HashMap::new();
    for line in quote_lines::table
        .filter(quote_lines::quote_id.eq_any(&ids))
        .order((quote_lines::quote_id, quote_lines::position))
        .select(LineRow::as_select())
        .load(conn)?
    {
        lines.entry(line.quote_id).or_default().push(line);
    }
    let mut approvals: HashMap<Uuid, Vec<ApprovalRow>> = HashMap::new();
    for approval in quote_approvals::table
        .filter(quote_approvals::quote_id.eq_any(&ids))
        .order((quote_approvals::requested_at, quote_approvals::id))
        .select(ApprovalRow::as_select())
        .load(conn)?
    {
        approvals.entry(approval.quote_id).or_default().push(approval);
    }
    Ok(rows
        .into_iter()
        .map(|row| StoredQuote {
            lines: lines.remove(&row.id).unwrap_or_default(),
            approvals: approvals.remove(&row.id).unwrap_or_default(),
            row,
        })
        .collect())
}

/// Stores a new quote with its lines; false when there is one with this id.
pub fn insert(conn: &mut PgConnection, quote: &StoredQuote) -> QueryResult<bool> {
    let made = diesel::insert_into(quotes::table)
        .values(&quote.row)
        .on_conflict(quotes::id)
        .do_nothing()
        .execute(conn)?;
    if made == 0 {
        return Ok(false);
    }
    insert_lines(conn, &quote.lines)?;
    Ok(true)
}

/// Stores a quote that is locked, with what changed of its lines.
pub fn update(conn: &mut PgConnection, before: &StoredQuote, after: &StoredQuote) -> QueryResult<()> {
    if after.lines != before.lines {
        diesel::delete(quote_lines::table.filter(quote_lines::quote_id.eq(after.row.id))).execute(conn)?;
        insert_lines(conn, &after.lines)?;
    }
    diesel::update(quotes::table.find(after.row.id))
        .set(&after.row)
        .execute(conn)?;
    Ok(())
}

fn insert_lines(conn: &mut PgConnection, lines: &[LineRow]) -> QueryResult<()> {
    if !lines.is_empty() {
        diesel::insert_into(quote_lines::table).values(lines).execute(conn)?;
    }
    Ok(())
}

/// Stores a request for approval, or what became of it.
pub fn put_approval(conn: &mut PgConnection, approval: &ApprovalRow) -> QueryResult<usize> {
    use diesel::upsert::excluded;
    diesel::insert_into(quote_approvals::table)
        .values(approval)
        .on_conflict(quote_approvals::id)
        .do_update()
        .set((
            quote_approvals::state.eq(excluded(quote_approvals::state)),
            quote_approvals::decided_by_id.eq(excluded(quote_approvals::decided_by_id)),
            quote_approvals::decided_by.eq(excluded(quote_approvals::decided_by)),
            quote_approvals::decided_at.eq(excluded(quote_approvals::decided_at)),
            quote_approvals::decision_note.eq(excluded(quote_approvals::decision_note)),
        ))
        .execute(conn)
}

/// The next number, e.g. `Q-000042`.
pub fn draw_number(conn: &mut PgConnection) -> QueryResult<String> {
    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = Text)]
        number: String,
    }
    let drawn: Number = sql(
        "SELECT 'Q-' || lpad(n::text, greatest(6, length(n::text)), '0') AS number FROM nextval('quote_numbers') AS n",
    )
    .row(conn)?;
    Ok(drawn.number)
}

/// The document that a quote was sent with.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = quote_documents)]
pub struct DocumentRow {
    pub quote_id: Uuid,
    pub html: String,
    pub sha256: String,
    pub language: String,
    pub template_id: Option<Uuid>,
    pub template_version: Option<i32>,
    pub created_at: DateTime<Utc>,
}

pub fn insert_document(conn: &mut PgConnection, document: &DocumentRow) -> QueryResult<usize> {
    diesel::insert_into(quote_documents::table)
        .values(document)
        .execute(conn)
}

pub fn document(conn: &mut PgConnection, quote: Uuid) -> QueryResult<Option<DocumentRow>> {
    let found = quote_documents::table.find(quote).select(DocumentRow::as_select());
    found.first(conn).optional()
}

/// Sent quotes whose last day has passed, that nobody else is busy with.
pub fn to_expire(conn: &mut PgConnection, today: NaiveDate, most: i64) -> QueryResult<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Due {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let due: Vec<Due> = sql("SELECT id FROM quotes WHERE state = 'sent' AND valid_until < $1
         ORDER BY valid_until, id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED")
    .bind::<Date, _>(today)
    .bind::<BigInt, _>(most)
    .rows(conn)?;
    Ok(due.into_iter().map(|due| due.id).collect())
}
