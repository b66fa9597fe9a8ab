//! SQL of statements.

use crate::schema::customers;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Date, Nullable, Numeric, SmallInt, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::{Currency, OrNotFound, Result};
use uuid::Uuid;

/// What a customer owes in one currency.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    pub customer_id: Uuid,
    pub currency: Currency,
}

pub(super) fn customer_name(conn: &mut PgConnection, id: Uuid) -> Result<String> {
    customers::table
        .find(id)
        .select(customers::name)
        .first(conn)
        .or_not_found("customer")
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    currency: Currency,
}

/// The currencies that a customer has documents in: one look into the index for each.
pub(super) fn currencies(conn: &mut PgConnection, customer: Uuid) -> QueryResult<Vec<Currency>> {
    let found: Vec<Found> = sql("WITH RECURSIVE known(currency) AS (
             (SELECT currency FROM open_items WHERE party_id = $1 AND side = 'receivable' ORDER BY currency LIMIT 1)
             UNION ALL
             SELECT (SELECT currency FROM open_items WHERE party_id = $2 AND side = 'receivable' AND currency > k.currency
                     ORDER BY currency LIMIT 1)
             FROM known k WHERE k.currency IS NOT NULL)
         SELECT currency FROM known WHERE currency IS NOT NULL")
    .bind::<SqlUuid, _>(customer)
    .bind::<SqlUuid, _>(customer)
    .rows(conn)?;
    Ok(found.into_iter().map(|found| found.currency).collect())
}

#[derive(QueryableByName)]
pub(super) struct Balances {
    #[diesel(sql_type = Numeric)]
    pub opening: Decimal,
    #[diesel(sql_type = Numeric)]
    pub closing: Decimal,
    #[diesel(sql_type = Numeric)]
    pub opening_base: Decimal,
    #[diesel(sql_type = Numeric)]
    pub closing_base: Decimal,
}

/// What is open now less what has moved since.
pub(super) fn balances(
    conn: &mut PgConnection,
    account: Account,
    from: NaiveDate,
    to: NaiveDate,
) -> QueryResult<Balances> {
    sql("WITH moved AS MATERIALIZED (
             SELECT id FROM open_items WHERE party_id = $1 AND side = 'receivable' AND currency = $2 AND moved_on >= $3),
         since AS (
             SELECT coalesce(sum(l.amount), 0) AS amount, coalesce(sum(l.debit - l.credit), 0) AS base,
                    coalesce(sum(l.amount) FILTER (WHERE l.posted_on > $4), 0) AS later,
                    coalesce(sum(l.debit - l.credit) FILTER (WHERE l.posted_on > $5), 0) AS later_base
             FROM moved m JOIN journal_entry_lines l ON l.open_item_id = m.id WHERE l.posted_on >= $6),
         now AS (
             SELECT coalesce(sum(open_amount), 0) AS amount, coalesce(sum(open_base_amount + revalued_base), 0) AS base
             FROM open_items WHERE party_id = $7 AND side = 'receivable' AND currency = $8 AND open_amount <> 0)
         SELECT n.amount - s.amount AS opening, n.amount - s.later AS closing,
                n.base - s.base AS opening_base, n.base - s.later_base AS closing_base
         FROM now n, since s")
    .bind::<SqlUuid, _>(account.customer_id)
    .bind::<Text, _>(account.currency)
    .bind::<Date, _>(from)
    .bind::<Date, _>(to)
    .bind::<Date, _>(to)
    .bind::<Date, _>(from)
    .bind::<SqlUuid, _>(account.customer_id)
    .bind::<Text, _>(account.currency)
    .row(conn)
}

/// An entry that changed what the customer owes.
#[derive(QueryableByName)]
pub(super) struct Movement {
    #[diesel(sql_type = SqlUuid)]
    pub entry_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    pub entry_number: Option<String>,
    #[diesel(sql_type = Bool)]
    pub reversal: bool,
    #[diesel(sql_type = Date)]
    pub posted_on: NaiveDate,
    #[diesel(sql_type = Text)]
    pub description: String,
    #[diesel(sql_type = Text)]
    pub source_type: String,
    #[diesel(sql_type = SqlUuid)]
    pub source_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    pub source_number: Option<String>,
    /// The direction of a payment, the kind of a clearing.
    #[diesel(sql_type = Nullable<Text>)]
    pub kind: Option<String>,
    #[diesel(sql_type = Nullable<Date>)]
    pub due_on: Option<NaiveDate>,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
    #[diesel(sql_type = Numeric)]
    pub discount: Decimal,
    #[diesel(sql_type = Numeric)]
    pub written_off: Decimal,
    #[diesel(sql_type = Numeric)]
    pub exchange_difference: Decimal,
}

pub(super) fn movements(
    conn: &mut PgConnection,
    account: Account,
    from: NaiveDate,
    to: NaiveDate,
) -> QueryResult<Vec<Movement>> {
    sql("WITH moved AS MATERIALIZED (
             SELECT id, document_id, amount, due_on FROM open_items
             WHERE party_id = $1 AND side = 'receivable' AND currency = $2 AND moved_on >= $3),
         entries AS MATERIALIZED (
             SELECT l.entry_id, sum(l.amount) AS amount FROM moved m JOIN journal_entry_lines l ON l.open_item_id = m.id
             WHERE l.posted_on >= $4 AND l.posted_on <= $5 GROUP BY l.entry_id HAVING sum(l.amount) <> 0),
         cleared AS MATERIALIZED (
             SELECT a.entry_id, sum(a.discount) AS discount, sum(a.written_off) AS written_off, sum(a.exchange_difference) AS exchange
             FROM moved m JOIN allocations a ON a.item_id = m.id
             WHERE a.allocated_on >= $6 AND a.allocated_on <= $7 GROUP BY a.entry_id),
         due AS MATERIALIZED (
             SELECT document_id, min(due_on) AS due_on FROM moved WHERE amount > 0 GROUP BY document_id)
         SELECT e.id AS entry_id, e.number AS entry_number, e.kind = 'reversal' AS reversal, e.posted_on, e.description, e.source_type,
                e.source_id, e.source_number, coalesce(p.direction, c.kind) AS kind, d.due_on, n.amount,
                coalesce(a.discount, 0) AS discount, coalesce(a.written_off, 0) AS written_off,
                coalesce(a.exchange, 0) AS exchange_difference
         FROM entries n JOIN journal_entries e ON e.id = n.entry_id
         LEFT JOIN payments p ON p.id = e.source_id AND e.source_type = 'payment'
         LEFT JOIN clearings c ON c.id = e.source_id AND e.source_type = 'clearing'
         LEFT JOIN due d ON d.document_id = e.source_id
         LEFT JOIN cleared a ON a.entry_id = e.id
         ORDER BY e.posted_on, e.created_at, e.id")
    .bind::<SqlUuid, _>(account.customer_id)
    .bind::<Text, _>(account.currency)
    .bind::<Date, _>(from)
    .bind::<Date, _>(from)
    .bind::<Date, _>(to)
    .bind::<Date, _>(from)
    .bind::<Date, _>(to)
    .rows(conn)
}

#[derive(QueryableByName)]
pub(super) struct OpenThen {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub document_type: String,
    #[diesel(sql_type = SqlUuid)]
    pub document_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    pub document_number: Option<String>,
    #[diesel(sql_type = SmallInt)]
    pub instalment: i16,
    #[diesel(sql_type = Date)]
    pub posted_on: NaiveDate,
    #[diesel(sql_type = Date)]
    pub due_on: NaiveDate,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
    #[diesel(sql_type = Numeric)]
    pub open: Decimal,
    #[diesel(sql_type = Bool)]
    pub disputed: bool,
}

/// What was open at the end of a day: of what is open now and of what has moved since.
pub(super) fn open_on(conn: &mut PgConnection, account: Account, day: NaiveDate) -> QueryResult<Vec<OpenThen>> {
    sql("WITH candidates AS MATERIALIZED (
             SELECT id FROM open_items WHERE party_id = $1 AND side = 'receivable' AND currency = $2 AND open_amount <> 0
             UNION
             SELECT id FROM open_items WHERE party_id = $3 AND side = 'receivable' AND currency = $4 AND moved_on > $5)
         SELECT i.id, i.document_type, i.document_id, i.document_number, i.instalment, i.posted_on, i.due_on, i.amount, l.open,
                EXISTS (SELECT FROM disputes d WHERE d.open_item_id = i.id AND d.raised_on <= $6
                        AND (d.lifted_on IS NULL OR d.lifted_on > $7)) AS disputed
         FROM candidates JOIN open_items i USING (id),
         LATERAL (SELECT sum(amount) AS open FROM journal_entry_lines WHERE open_item_id = i.id AND posted_on <= $8) l
         WHERE l.open <> 0 ORDER BY i.due_on, i.posted_on, i.id")
    .bind::<SqlUuid, _>(account.customer_id)
    .bind::<Text, _>(account.currency)
    .bind::<SqlUuid, _>(account.customer_id)
    .bind::<Text, _>(account.currency)
    .bind::<Date, _>(day)
    .bind::<Date, _>(day)
    .bind::<Date, _>(day)
    .bind::<Date, _>(day)
    .rows(conn)
}
