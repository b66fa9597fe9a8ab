//! Who owes what for how long: receivable and payable ageing, at any day.
//!
//! What was open of an item on a day is the sum of its entry lines up to then, so the report comes to the balance of
//! the control account. Only items that are open now, or were moved after the day, are looked at: the nearer
//! the day, the less is read.

use crate::ledger::ageing::{AgeingTotals, Buckets, days_overdue};
use crate::ledger::shown;
use crate::{company, may};
use actix_web::get;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Date, Nullable, Numeric, SmallInt, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::{Amount, Answer, Currency, Problem, Query, Read, Result, Routes};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AgeingQuery {
    /// At the end of this day; default today.
    date: Option<NaiveDate>,
    /// Of this customer or supplier only.
    party_id: Option<Uuid>,
    /// Only what is disputed on that day, or only what is not.
    disputed: Option<bool>,
}

/// What is open, by how long it is overdue; in the base currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ageing {
    pub date: NaiveDate,
    /// The base currency.
    pub currency: Currency,
    pub totals: AgeingTotals,
    /// One for each open item: by party, then by due date.
    pub rows: Vec<AgeingRow>,
}

/// An open item on that day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgeingRow {
    pub open_item_id: Uuid,
    pub party_id: Uuid,
    pub party_name: Option<String>,
    pub document_type: String,
    pub document_id: Uuid,
    pub document_number: Option<String>,
    pub instalment: i16,
    pub posted_on: NaiveDate,
    pub due_on: NaiveDate,
    /// 0: not due.
    pub days_overdue: i64,
    /// Whether it was disputed on that day.
    pub disputed: bool,
    pub document_currency: Currency,
    /// In the document's currency.
    pub open_amount: Amount,
    /// In the base currency, as the ledger has it: with revaluations of that day.
    pub open_base_amount: Amount,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    party_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    party_name: Option<String>,
    #[diesel(sql_type = Text)]
    document_type: String,
    #[diesel(sql_type = SqlUuid)]
    document_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    document_number: Option<String>,
    #[diesel(sql_type = SmallInt)]
    instalment: i16,
    #[diesel(sql_type = Date)]
    posted_on: NaiveDate,
    #[diesel(sql_type = Date)]
    due_on: NaiveDate,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Bool)]
    disputed: bool,
    #[diesel(sql_type = Numeric)]
    open: Decimal,
    #[diesel(sql_type = Numeric)]
    base: Decimal,
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_receivable_ageing).add(get_payable_ageing);
}

/// What customers owe, by how long it is overdue. The total is the balance of the control account on that day.
#[utoipa::path(tag = "reports", params(AgeingQuery), security(("api_key" = ["reports:read"])),
    responses((status = 200, description = "The open items of customers", body = Ageing)))]
#[get("/reports/receivable-ageing")]
async fn get_receivable_ageing(read: Read<may::ReadReports>, query: Query<AgeingQuery>) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| report(conn, "receivable", &query, today)).await
}

/// What we owe to suppliers, by how long it is overdue. The total is the balance of the control account on that day.
#[utoipa::path(tag = "reports", params(AgeingQuery), security(("api_key" = ["reports:read"])),
    responses((status = 200, description = "The open items of suppliers", body = Ageing)))]
#[get("/reports/payable-ageing")]
async fn get_payable_ageing(read: Read<may::ReadReports>, query: Query<AgeingQuery>) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| report(conn, "payable", &query, today)).await
}

fn report(conn: &mut PgConnection, side: &str, query: &AgeingQuery, today: NaiveDate) -> Result<Ageing> {
    let date = query.date.unwrap_or(today);
    let base = company::settings(conn)?.base_currency;
    let found = open_on(conn, side, date, query)?;
    let mut buckets = Buckets::default();
    let mut rows = Vec::with_capacity(found.len());
    for item in found {
        let days = days_overdue(item.open, item.due_on, date);
        buckets.add(days, item.base);
        rows.push(AgeingRow {
            open_item_id: item.id,
            party_id: item.party_id,
            party_name: item.party_name,
            document_type: item.document_type,
            document_id: item.document_id,
            document_number: item.document_number,
            instalment: item.instalment,
            posted_on: item.posted_on,
            due_on: item.due_on,
            days_overdue: days,
            disputed: item.disputed,
            document_currency: item.currency,
            open_amount: shown(item.currency, item.open)?,
            open_base_amount: shown(base, item.base)?,
        });
    }
    Ok(Ageing {
        date,
        currency: base,
        totals: buckets.shown(base)?,
        rows,
    })
}

fn open_on(conn: &mut PgConnection, side: &str, date: NaiveDate, query: &AgeingQuery) -> Result<Vec<Found>> {
    let found = sql("WITH candidates AS (
             SELECT id FROM open_items WHERE side = $1 AND (open_amount <> 0 OR revalued_base <> 0)
             UNION
             SELECT open_item_id FROM journal_entry_lines WHERE posted_on > $2 AND open_item_id IS NOT NULL)
         SELECT i.id, i.party_id, coalesce(cu.name, su.name) AS party_name, i.document_type, i.document_id, i.document_number,
                i.instalment, i.posted_on, i.due_on, i.currency, l.open, l.base,
                EXISTS (SELECT FROM disputes d WHERE d.open_item_id = i.id AND d.raised_on <= $3
                        AND (d.lifted_on IS NULL OR d.lifted_on > $4)) AS disputed
         FROM candidates c JOIN open_items i USING (id)
         LEFT JOIN customers cu ON cu.id = i.party_id LEFT JOIN suppliers su ON su.id = i.party_id,
         LATERAL (SELECT coalesce(sum(amount), 0) * s.sign AS open, coalesce(sum(debit - credit), 0) * s.sign AS base
                  FROM journal_entry_lines l, (SELECT CASE i.side WHEN 'payable' THEN -1 ELSE 1 END AS sign) s
                  WHERE l.open_item_id = i.id AND l.posted_on <= $5 GROUP BY s.sign) l
         WHERE i.side = $6 AND i.posted_on <= $7 AND (l.open <> 0 OR l.base <> 0) AND ($8::uuid IS NULL OR i.party_id = $9)
           AND ($10::boolean IS NULL OR $11 = EXISTS (SELECT FROM disputes d WHERE d.open_item_id = i.id AND d.raised_on <= $12
               AND (d.lifted_on IS NULL OR d.lifted_on > $13)))
         ORDER BY party_name, i.party_id, i.due_on, i.id")
        .bind::<Text, _>(side)
        .bind::<Date, _>(date)
        .bind::<Date, _>(date)
        .bind::<Date, _>(date)
        .bind::<Date, _>(date)
        .bind::<Text, _>(side)
        .bind::<Date, _>(date)
        .bind::<Nullable<SqlUuid>, _>(query.party_id)
        .bind::<Nullable<SqlUuid>, _>(query.party_id)
        .bind::<Nullable<Bool>, _>(query.disputed)
        .bind::<Nullable<Bool>, _>(query.disputed)
        .bind::<Date, _>(date)
        .bind::<Date, _>(date)
        .rows(conn)?;
    Ok(found)
}
