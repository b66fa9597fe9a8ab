//! What changed from one analysis to a later one.

use super::model::{AnalysisChange, AnalysisChangesQuery};
use super::queries::{self, RunRow};
use crate::analytics::figure::money;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::paging::turn;
use service_kit::{Cursor, Page, Problem, Result, Sight};
use uuid::Uuid;

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    subject_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    class_before: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    class: Option<String>,
    #[diesel(sql_type = Nullable<Numeric>)]
    net_before: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    net: Option<Decimal>,
}

const ORDER: &str = "analysis changes";

pub fn page(
    conn: &mut PgConnection,
    sight: &Sight,
    id: Uuid,
    query: &AnalysisChangesQuery,
) -> Result<Page<AnalysisChange>> {
    let run = queries::get(conn, sight, id)?;
    let earlier = match query.against {
        Some(against) => queries::get(conn, sight, against)?,
        None => queries::before(conn, sight, &run)?,
    };
    if (earlier.kind, earlier.subject) != (run.kind, run.subject) {
        let detail = "against: the other analysis must be of the same kind and subject";
        return Err(Problem::bad_request("invalid_parameter", detail).into());
    }
    let (limit, cursor) = turn(query.limit, query.cursor.as_ref());
    let after: Option<Uuid> = cursor.map(|cursor| cursor.decode(ORDER)).transpose()?;
    let (all, me, teams) = sight.binds();
    let rows: Vec<Row> = sql(
        "WITH b AS (SELECT * FROM analysis_run_items WHERE run_id = $1 AND subject_id > $2),
              a AS (SELECT * FROM analysis_run_items WHERE run_id = $3 AND subject_id > $4),
              changed AS (
                  SELECT subject_id, b.class AS class_before, a.class, b.net AS net_before, a.net
                  FROM b FULL JOIN a USING (subject_id) WHERE a.class IS DISTINCT FROM b.class
                  ORDER BY subject_id LIMIT $5)
         SELECT x.*, CASE $6
                WHEN 'customer' THEN (SELECT c.name FROM customers c WHERE c.id = x.subject_id
                                        AND ($7 OR c.owner_id = $8 OR c.team_id = ANY($9)))
                WHEN 'product' THEN (SELECT name FROM products WHERE id = x.subject_id)
                ELSE (SELECT name FROM categories WHERE id = x.subject_id) END AS name
         FROM changed x ORDER BY x.subject_id",
    )
    .bind::<SqlUuid, _>(earlier.id)
    .bind::<SqlUuid, _>(after.unwrap_or_default())
    .bind::<SqlUuid, _>(run.id)
    .bind::<SqlUuid, _>(after.unwrap_or_default())
    .bind::<BigInt, _>(limit.plus_one())
    .bind::<Text, _>(run.subject)
    .bind::<Bool, _>(all)
    .bind::<Nullable<SqlUuid>, _>(me)
    .bind::<Array<SqlUuid>, _>(teams)
    .rows(conn)?;
    let page = Page::from_rows(rows, limit, |row| Cursor::encode(ORDER, &row.subject_id));
    let items = page.items.into_iter().map(|row| shown(row, &run, &earlier));
    Ok(Page {
        items: items.collect::<Result<_>>()?,
        next_cursor: page.next_cursor,
    })
}

fn shown(row: Row, run: &RunRow, earlier: &RunRow) -> Result<AnalysisChange> {
    Ok(AnalysisChange {
        subject_id: row.subject_id,
        name: row.name,
        class_before: row.class_before,
        class: row.class,
        net_before: row.net_before.map(|net| money(earlier.currency, net)).transpose()?,
        net: row.net.map(|net| money(run.currency, net)).transpose()?,
        against: earlier.id,
        as_of: run.as_of,
    })
}
