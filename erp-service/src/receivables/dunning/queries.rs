//! SQL of runs and letters.

use super::model::{
    DroppedItem, DunningLetter, DunningLetterItem, DunningLetterStatus, DunningLettersQuery, DunningRun,
    DunningRunStatus, DunningRunSummary, DunningRunsQuery,
};
use crate::ledger::shown;
use crate::schema::{dunning_letter_items, dunning_letters, dunning_runs};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Integer, Nullable, Numeric, SmallInt, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde_json::Value;
use service_kit::db::sql;
use service_kit::{Currency, OrNotFound, Page, Resource, Result, keyset_page};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// How many letters a run shows with itself.
const SHOWN: i64 = 500;

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = dunning_runs)]
pub(super) struct RunRow {
    pub id: Uuid,
    pub status: DunningRunStatus,
    pub date: NaiveDate,
    pub customer_ids: Value,
    pub currency: Option<Currency>,
    pub maximum_level: Option<i16>,
    pub language: String,
    pub reason: Option<String>,
    pub issued_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = dunning_letters)]
pub(super) struct LetterRow {
    pub id: Uuid,
    pub run_id: Uuid,
    pub number: Option<String>,
    pub status: DunningLetterStatus,
    pub customer_id: Uuid,
    pub currency: Currency,
    pub date: NaiveDate,
    pub pay_by: NaiveDate,
    pub level: i16,
    pub language: String,
    pub party: Value,
    pub open_amount: Decimal,
    pub credits: Decimal,
    pub fee: Decimal,
    pub credit_hold: bool,
    pub subject: String,
    pub body: String,
    pub reason: Option<String>,
    pub issued_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = dunning_letter_items)]
pub(super) struct ItemRow {
    pub letter_id: Uuid,
    pub position: i32,
    pub open_item_id: Uuid,
    pub document_type: String,
    pub document_id: Uuid,
    pub document_number: Option<String>,
    pub instalment: i16,
    pub posted_on: NaiveDate,
    pub due_on: NaiveDate,
    pub amount: Decimal,
    pub open_amount: Decimal,
    pub days_overdue: i32,
    pub level_before: i16,
    pub level: i16,
    pub dropped: Option<DroppedItem>,
}

/// An item that may be reminded of.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Candidate {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub party_id: Uuid,
    #[diesel(sql_type = Text)]
    pub currency: Currency,
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
    pub open_amount: Decimal,
    #[diesel(sql_type = Numeric)]
    pub open_base_amount: Decimal,
    #[diesel(sql_type = SmallInt)]
    pub dunning_level: i16,
    #[diesel(sql_type = Nullable<Date>)]
    pub dunned_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    pub language: Option<String>,
}

/// What is overdue on a day, not disputed, and of customers that are not exempt: by customer and currency.
pub(super) fn candidates(
    conn: &mut PgConnection,
    on: NaiveDate,
    customers: &[Uuid],
    currency: Option<Currency>,
) -> QueryResult<Vec<Candidate>> {
    sql("SELECT i.id, i.party_id, i.currency, i.document_type, i.document_id, i.document_number, i.instalment, i.posted_on, i.due_on,
                i.amount, i.open_amount, i.open_base_amount, i.dunning_level, i.dunned_on, s.language
         FROM open_items i JOIN customers c ON c.id = i.party_id LEFT JOIN dunning_settings s ON s.customer_id = c.id
         WHERE i.side = 'receivable' AND i.open_amount <> 0 AND i.open_amount > 0 AND NOT i.disputed
           AND i.due_on < $1 AND i.posted_on <= $2
           AND NOT c.dunning_blocked AND (s.exempt_until IS NULL OR s.exempt_until < $3)
           AND ($4 OR i.party_id = ANY($5)) AND ($6::text IS NULL OR i.currency = $7)
         ORDER BY c.name, i.party_id, i.currency, i.due_on, i.posted_on, i.id")
    .bind::<Date, _>(on)
    .bind::<Date, _>(on)
    .bind::<Date, _>(on)
    .bind::<Bool, _>(customers.is_empty())
    .bind::<Array<SqlUuid>, _>(customers.to_vec())
    .bind::<Nullable<Text>, _>(currency)
    .bind::<Nullable<Text>, _>(currency)
    .rows(conn)
}

/// Those of the customers that get no letters on a day.
pub(super) fn exempt(conn: &mut PgConnection, customers: &[Uuid], on: NaiveDate) -> QueryResult<HashSet<Uuid>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let found: Vec<Found> = sql(
        "SELECT c.id FROM customers c LEFT JOIN dunning_settings s ON s.customer_id = c.id
         WHERE c.id = ANY($1) AND (c.dunning_blocked OR s.exempt_until >= $2)",
    )
    .bind::<Array<SqlUuid>, _>(customers.to_vec())
    .bind::<Date, _>(on)
    .rows(conn)?;
    Ok(found.into_iter().map(|found| found.id).collect())
}

/// What is unallocated of the customers' credits, by currency; without sign.
pub(super) fn credits(conn: &mut PgConnection, customers: &[Uuid]) -> QueryResult<HashMap<(Uuid, Currency), Decimal>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = SqlUuid)]
        party_id: Uuid,
        #[diesel(sql_type = Text)]
        currency: Currency,
        #[diesel(sql_type = Numeric)]
        amount: Decimal,
    }
    let found: Vec<Found> = sql("SELECT party_id, currency, -sum(open_amount) AS amount FROM open_items
         WHERE party_id = ANY($1) AND side = 'receivable' AND open_amount <> 0 AND open_amount < 0 GROUP BY 1, 2")
    .bind::<Array<SqlUuid>, _>(customers.to_vec())
    .rows(conn)?;
    let by = found
        .into_iter()
        .map(|found| ((found.party_id, found.currency), found.amount));
    Ok(by.collect())
}

/// Those of the ids that are no customers.
pub(super) fn unknown_customers(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashSet<Uuid>> {
    use crate::schema::customers;
    let known: HashSet<Uuid> = customers::table
        .filter(customers::id.eq_any(ids))
        .select(customers::id)
        .load(conn)?
        .into_iter()
        .collect();
    Ok(ids.iter().copied().filter(|id| !known.contains(id)).collect())
}

pub(super) fn insert(
    conn: &mut PgConnection,
    run: &RunRow,
    letters: &[LetterRow],
    items: &[ItemRow],
) -> QueryResult<()> {
    diesel::insert_into(dunning_runs::table).values(run).execute(conn)?;
    // A statement has at most 65,535 parameters.
    for some in letters.chunks(500) {
        diesel::insert_into(dunning_letters::table).values(some).execute(conn)?;
    }
    for some in items.chunks(500) {
        diesel::insert_into(dunning_letter_items::table)
            .values(some)
            .execute(conn)?;
    }
    Ok(())
}

/// The row as it is now, locked.
pub(super) fn lock(conn: &mut PgConnection, id: Uuid) -> Result<RunRow> {
    dunning_runs::table
        .find(id)
        .for_update()
        .select(RunRow::as_select())
        .first(conn)
        .or_not_found("dunning run")
}

pub(super) fn runs(conn: &mut PgConnection, query: &DunningRunsQuery) -> Result<Page<DunningRunSummary>> {
    let mut found = dunning_runs::table.select(RunRow::as_select()).into_boxed();
    if let Some(status) = query.status {
        found = found.filter(dunning_runs::status.eq(status));
    }
    if let Some(from) = query.from {
        found = found.filter(dunning_runs::date.ge(from));
    }
    if let Some(to) = query.to {
        found = found.filter(dunning_runs::date.le(to));
    }
    let page: Result<Page<RunRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: dunning_runs::id as Uuid => |r: &RunRow| r.id, [
        "created_at" => dunning_runs::created_at as DateTime<Utc> => |r: &RunRow| r.created_at,
        "date" => dunning_runs::date as NaiveDate => |r: &RunRow| r.date,
    ]);
    let Page { items, next_cursor } = page?;
    let ids: Vec<Uuid> = items.iter().map(|row| row.id).collect();
    let counts = counts(conn, &ids)?;
    let items = items
        .into_iter()
        .map(|row| {
            let count = counts.get(&row.id).copied().unwrap_or_default();
            row.shown(count)
        })
        .collect::<Result<_>>()?;
    Ok(Page { items, next_cursor })
}

fn counts(conn: &mut PgConnection, runs: &[Uuid]) -> QueryResult<HashMap<Uuid, i64>> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = SqlUuid)]
        run_id: Uuid,
        #[diesel(sql_type = BigInt)]
        letters: i64,
    }
    let counts: Vec<Count> = sql("SELECT run_id, count(*) AS letters FROM dunning_letters
         WHERE run_id = ANY($1) AND status IN ('draft', 'issued') GROUP BY run_id")
    .bind::<Array<SqlUuid>, _>(runs.to_vec())
    .rows(conn)?;
    Ok(counts.into_iter().map(|count| (count.run_id, count.letters)).collect())
}

pub(super) fn summary(conn: &mut PgConnection, row: RunRow) -> Result<DunningRunSummary> {
    let count = counts(conn, &[row.id])?.remove(&row.id).unwrap_or_default();
    row.shown(count)
}

pub(super) fn run(conn: &mut PgConnection, id: Uuid) -> Result<DunningRun> {
    let row: RunRow = dunning_runs::table
        .find(id)
        .select(RunRow::as_select())
        .first(conn)
        .or_not_found("dunning run")?;
    complete_run(conn, row)
}

pub(super) fn complete_run(conn: &mut PgConnection, row: RunRow) -> Result<DunningRun> {
    let letters: Vec<LetterRow> = dunning_letters::table
        .filter(dunning_letters::run_id.eq(row.id))
        .order(dunning_letters::id)
        .limit(SHOWN)
        .select(LetterRow::as_select())
        .load(conn)?;
    Ok(DunningRun {
        letters: complete(conn, letters)?,
        summary: summary(conn, row)?,
    })
}

/// The drafts of a run, with their items.
pub(super) fn drafts(conn: &mut PgConnection, run_id: Uuid) -> Result<Vec<DunningLetter>> {
    let letters: Vec<LetterRow> = dunning_letters::table
        .filter(dunning_letters::run_id.eq(run_id))
        .filter(dunning_letters::status.eq(DunningLetterStatus::Draft))
        .order(dunning_letters::id)
        .select(LetterRow::as_select())
        .load(conn)?;
    complete(conn, letters)
}

pub(super) fn letter(conn: &mut PgConnection, id: Uuid) -> Result<DunningLetter> {
    let row: LetterRow = dunning_letters::table
        .find(id)
        .select(LetterRow::as_select())
        .first(conn)
        .or_not_found("dunning letter")?;
    let mut letters = complete(conn, vec![row])?;
    letters
        .pop()
        .ok_or_else(|| service_kit::Error::Bug("a letter that is not shown".into()))
}

pub(super) fn letters(conn: &mut PgConnection, query: &DunningLettersQuery) -> Result<Page<DunningLetter>> {
    let mut found = dunning_letters::table.select(LetterRow::as_select()).into_boxed();
    if let Some(run) = query.run_id {
        found = found.filter(dunning_letters::run_id.eq(run));
    }
    if let Some(customer) = query.customer_id {
        found = found.filter(dunning_letters::customer_id.eq(customer));
    }
    if let Some(status) = query.status {
        found = found.filter(dunning_letters::status.eq(status));
    }
    if let Some(level) = query.level {
        found = found.filter(dunning_letters::level.eq(level));
    }
    if let Some(currency) = query.currency {
        found = found.filter(dunning_letters::currency.eq(currency));
    }
    if let Some(number) = &query.number {
        found = found.filter(dunning_letters::number.eq(number.as_str()));
    }
    if let Some(item) = query.open_item_id {
        let about = dunning_letter_items::table
            .filter(dunning_letter_items::open_item_id.eq(item))
            .select(dunning_letter_items::letter_id);
        found = found.filter(dunning_letters::id.eq_any(about));
    }
    if let Some(from) = query.from {
        found = found.filter(dunning_letters::date.ge(from));
    }
    if let Some(to) = query.to {
        found = found.filter(dunning_letters::date.le(to));
    }
    let page: Result<Page<LetterRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: dunning_letters::id as Uuid => |l: &LetterRow| l.id, [
        "created_at" => dunning_letters::created_at as DateTime<Utc> => |l: &LetterRow| l.created_at,
        "date" => dunning_letters::date as NaiveDate => |l: &LetterRow| l.date,
    ]);
    let Page { items, next_cursor } = page?;
    Ok(Page {
        items: complete(conn, items)?,
        next_cursor,
    })
}

pub(super) fn complete(conn: &mut PgConnection, letters: Vec<LetterRow>) -> Result<Vec<DunningLetter>> {
    let ids: Vec<Uuid> = letters.iter().map(|letter| letter.id).collect();
    let rows: Vec<ItemRow> = dunning_letter_items::table
        .filter(dunning_letter_items::letter_id.eq_any(&ids))
        .order((dunning_letter_items::letter_id, dunning_letter_items::position))
        .select(ItemRow::as_select())
        .load(conn)?;
    let mut items: HashMap<Uuid, Vec<ItemRow>> = HashMap::new();
    for row in rows {
        items.entry(row.letter_id).or_default().push(row);
    }
    letters
        .into_iter()
        .map(|letter| {
            let items = items.remove(&letter.id).unwrap_or_default();
            letter.shown(items)
        })
        .collect()
}

/// Stores what a letter was issued, removed or dropped as, and its items.
pub(super) fn close(conn: &mut PgConnection, letter: &DunningLetter, number: Option<&str>) -> QueryResult<()> {
    diesel::update(dunning_letters::table.find(letter.id))
        .set((
            dunning_letters::number.eq(number),
            dunning_letters::status.eq(letter.status),
            dunning_letters::level.eq(letter.level),
            dunning_letters::pay_by.eq(letter.pay_by),
            dunning_letters::open_amount.eq(letter.open_amount),
            dunning_letters::credits.eq(letter.credits),
            dunning_letters::fee.eq(letter.fee),
            dunning_letters::credit_hold.eq(letter.credit_hold),
            dunning_letters::subject.eq(&letter.subject),
            dunning_letters::body.eq(&letter.body),
            dunning_letters::reason.eq(&letter.reason),
            dunning_letters::issued_at.eq(letter.issued_at),
            dunning_letters::version.eq(letter.version),
            dunning_letters::revision.eq(letter.revision),
            dunning_letters::updated_at.eq(letter.updated_at),
        ))
        .execute(conn)?;
    let items = &letter.items;
    sql("UPDATE dunning_letter_items i SET open_amount = n.open_amount, dropped = n.dropped
         FROM unnest($1, $2, $3) AS n(position, open_amount, dropped) WHERE i.letter_id = $4 AND i.position = n.position")
    .bind::<Array<Integer>, _>((1..).zip(items).map(|(position, _)| position).collect::<Vec<i32>>())
    .bind::<Array<Numeric>, _>(items.iter().map(|item| item.open_amount.value()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(items.iter().map(|item| item.dropped.map(DroppedItem::as_str)).collect::<Vec<_>>())
    .bind::<SqlUuid, _>(letter.id)
    .run(conn)?;
    Ok(())
}

/// Items go to the levels of their letters.
pub(super) fn advance(conn: &mut PgConnection, items: &[(Uuid, i16)], on: NaiveDate) -> QueryResult<()> {
    sql(
        "UPDATE open_items i SET dunning_level = n.level, dunned_on = $1, updated_at = now()
         FROM unnest($2, $3) AS n(id, level) WHERE i.id = n.id",
    )
    .bind::<Date, _>(on)
    .bind::<Array<SqlUuid>, _>(items.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(items.iter().map(|(_, level)| *level).collect::<Vec<_>>())
    .run(conn)?;
    Ok(())
}

/// The run in its new state.
pub(super) fn set_status(
    conn: &mut PgConnection,
    id: Uuid,
    status: DunningRunStatus,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> QueryResult<RunRow> {
    diesel::update(dunning_runs::table.find(id))
        .set((
            dunning_runs::status.eq(status),
            dunning_runs::reason.eq(reason),
            dunning_runs::issued_at.eq((status == DunningRunStatus::Issued).then_some(now)),
            dunning_runs::version.eq(dunning_runs::version + 1),
            dunning_runs::revision.eq(dunning_runs::revision + 1),
            dunning_runs::updated_at.eq(now),
        ))
        .returning(RunRow::as_returning())
        .get_result(conn)
}

impl RunRow {
    pub(super) fn shown(self, letter_count: i64) -> Result<DunningRunSummary> {
        let allowed: &[&str] = match self.status {
            DunningRunStatus::Draft => &["issue", "discard"],
            DunningRunStatus::Issued | DunningRunStatus::Discarded => &[],
        };
        Ok(DunningRunSummary {
            customer_ids: serde_json::from_value(self.customer_ids)?,
            letter_count,
            allowed_actions: allowed.iter().map(|action| (*action).to_owned()).collect(),
            id: self.id,
            status: self.status,
            date: self.date,
            currency: self.currency,
            maximum_level: self.maximum_level,
            language: self.language,
            reason: self.reason,
            issued_at: self.issued_at,
            version: self.version,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// What may be done to a letter.
pub(super) fn allowed_actions(status: DunningLetterStatus) -> Vec<String> {
    match status {
        DunningLetterStatus::Draft => vec!["remove".to_owned()],
        _ => Vec::new(),
    }
}

impl LetterRow {
    pub(super) fn shown(self, items: Vec<ItemRow>) -> Result<DunningLetter> {
        let money = |value: Decimal| shown(self.currency, value);
        let items = items.into_iter().map(|item| {
            Ok(DunningLetterItem {
                amount: money(item.amount)?,
                open_amount: money(item.open_amount)?,
                open_item_id: item.open_item_id,
                document_type: item.document_type,
                document_id: item.document_id,
                document_number: item.document_number,
                instalment: item.instalment,
                date: item.posted_on,
                due_on: item.due_on,
                days_overdue: item.days_overdue,
                level_before: item.level_before,
                level: item.level,
                dropped: item.dropped,
            })
        });
        Ok(DunningLetter {
            items: items.collect::<Result<_>>()?,
            open_amount: money(self.open_amount)?,
            credits: money(self.credits)?,
            fee: money(self.fee)?,
            total: money(self.open_amount - self.credits + self.fee)?,
            allowed_actions: allowed_actions(self.status),
            page: format!("/v1/{}/{}/page", DunningLetter::PATH, self.id),
            party: serde_json::from_value(self.party)?,
            id: self.id,
            run_id: self.run_id,
            number: self.number,
            status: self.status,
            customer_id: self.customer_id,
            currency: self.currency,
            date: self.date,
            pay_by: self.pay_by,
            level: self.level,
            language: self.language,
            credit_hold: self.credit_hold,
            subject: self.subject,
            body: self.body,
            reason: self.reason,
            issued_at: self.issued_at,
            version: self.version,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}
