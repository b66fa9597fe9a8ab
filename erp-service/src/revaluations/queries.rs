use super::model::{PositionKind, Revaluation, RevaluationLine, RevaluationRow, RevaluationSummary, RevaluationsQuery};
use crate::schema::revaluations;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Integer, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::{Amount, Currency, Page, Result, keyset_page};
use uuid::Uuid;

/// What is open in a foreign currency at the end of a day.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Position {
    #[diesel(sql_type = Text)]
    pub kind: PositionKind,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub open_item_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub document_type: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub document_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub document_number: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub party_id: Option<Uuid>,
    #[diesel(sql_type = SqlUuid)]
    pub account_id: Uuid,
    #[diesel(sql_type = Text)]
    pub account: String,
    #[diesel(sql_type = Text)]
    pub account_name: String,
    #[diesel(sql_type = Text)]
    pub currency: Currency,
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
    #[diesel(sql_type = Numeric)]
    pub book: Decimal,
}

pub(super) fn positions(conn: &mut PgConnection, day: NaiveDate) -> QueryResult<Vec<Position>> {
    sql(
        "SELECT p.kind, p.open_item_id, i.document_type, i.document_id, i.document_number, i.party_id,
                p.account_id, a.code AS account, a.name AS account_name, p.currency, p.amount, p.book
         FROM foreign_positions($1) p JOIN accounts a ON a.id = p.account_id
         LEFT JOIN open_items i ON i.id = p.open_item_id
         ORDER BY p.kind = 'bank', p.kind DESC, a.code, p.open_item_id",
    )
    .bind::<Date, _>(day)
    .rows(conn)
}

pub(super) fn of_date(conn: &mut PgConnection, date: NaiveDate) -> QueryResult<Option<Uuid>> {
    revaluations::table
        .filter(revaluations::revalued_on.eq(date))
        .select(revaluations::id)
        .first(conn)
        .optional()
}

pub(super) fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<Revaluation> {
    let row = revaluations::table
        .find(id)
        .select(RevaluationRow::as_select())
        .first(conn)?;
    let summary = row.shown();
    let lines = lines(conn, id)?.into_iter().map(|line| line.shown(summary.currency));
    Ok(Revaluation {
        lines: lines.collect(),
        summary,
    })
}

pub(super) fn page(conn: &mut PgConnection, query: &RevaluationsQuery) -> Result<Page<RevaluationSummary>> {
    let page = rows(conn, query)?;
    Ok(page.map(RevaluationRow::shown))
}

fn rows(conn: &mut PgConnection, query: &RevaluationsQuery) -> Result<Page<RevaluationRow>> {
    let mut found = revaluations::table.select(RevaluationRow::as_select()).into_boxed();
    if let Some(from) = query.from {
        found = found.filter(revaluations::revalued_on.ge(from));
    }
    if let Some(to) = query.to {
        found = found.filter(revaluations::revalued_on.le(to));
    }
    keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: revaluations::id as Uuid => |r: &RevaluationRow| r.id, [
        "date" => revaluations::revalued_on as NaiveDate => |r: &RevaluationRow| r.revalued_on,
        "created_at" => revaluations::created_at as DateTime<Utc> => |r: &RevaluationRow| r.created_at,
    ])
}

/// A position with the rate that it was revalued at.
#[derive(QueryableByName)]
pub(super) struct Revalued {
    #[diesel(embed)]
    pub position: Position,
    #[diesel(sql_type = Numeric)]
    pub rate: Decimal,
    #[diesel(sql_type = Numeric)]
    pub revalued: Decimal,
}

fn lines(conn: &mut PgConnection, id: Uuid) -> QueryResult<Vec<Revalued>> {
    sql("SELECT l.kind, l.open_item_id, i.document_type, i.document_id, i.document_number, i.party_id,
                l.account_id, a.code AS account, a.name AS account_name, l.currency, l.amount, l.book, l.rate, l.revalued
         FROM revaluation_lines l JOIN accounts a ON a.id = l.account_id
         LEFT JOIN open_items i ON i.id = l.open_item_id
         WHERE l.revaluation_id = $1 ORDER BY l.position")
    .bind::<SqlUuid, _>(id)
    .rows(conn)
}

pub(super) fn insert(
    conn: &mut PgConnection,
    revaluation: &RevaluationSummary,
    number: &str,
    lines: &[Revalued],
) -> QueryResult<()> {
    diesel::insert_into(revaluations::table)
        .values((
            revaluations::id.eq(revaluation.id),
            revaluations::number.eq(number),
            revaluations::revalued_on.eq(revaluation.date),
            revaluations::reversed_on.eq(revaluation.reversed_on),
            revaluations::base_currency.eq(revaluation.currency),
            revaluations::gain.eq(revaluation.gain),
            revaluations::loss.eq(revaluation.loss),
            revaluations::entry_id.eq(revaluation.entry_id),
            revaluations::reversal_entry_id.eq(revaluation.reversal_entry_id),
            revaluations::created_at.eq(revaluation.created_at),
        ))
        .execute(conn)?;
    let positions = || lines.iter().map(|line| &line.position);
    sql("INSERT INTO revaluation_lines (revaluation_id, position, kind, open_item_id, account_id, currency, amount, rate, book, revalued)
         SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10)")
        .bind::<SqlUuid, _>(revaluation.id)
        .bind::<Array<Integer>, _>((1..).zip(lines).map(|(position, _)| position).collect::<Vec<i32>>())
        .bind::<Array<Text>, _>(positions().map(|p| p.kind).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(positions().map(|p| p.open_item_id).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(positions().map(|p| p.account_id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(positions().map(|p| p.currency).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(positions().map(|p| p.amount).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.rate).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(positions().map(|p| p.book).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.revalued).collect::<Vec<_>>())
        .run(conn)?;
    Ok(())
}

impl Revalued {
    /// Unrealised; a gain is positive.
    pub(super) fn difference(&self) -> Decimal {
        self.revalued - self.position.book
    }

    pub(super) fn shown(&self, base: Currency) -> RevaluationLine {
        let money = |currency, value| Amount::money(currency, value).unwrap_or_default();
        let position = self.position.clone();
        RevaluationLine {
            kind: position.kind,
            open_item_id: position.open_item_id,
            document_type: position.document_type,
            document_id: position.document_id,
            document_number: position.document_number,
            party_id: position.party_id,
            account_id: position.account_id,
            account: position.account,
            currency: position.currency,
            amount: money(position.currency, position.amount),
            rate: self.rate.normalize(),
            book_value: money(base, position.book),
            value: money(base, self.revalued),
            difference: money(base, self.difference()),
        }
    }
}
