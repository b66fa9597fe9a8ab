//! The SQL of grades.

use super::model::{GradeProposal, GradeProposalsQuery, GradeRun, GradeRunsQuery, GradeSettings, ProposalRow, RunRow};
use crate::schema::{customers, grade_proposals, grade_runs, grade_settings};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Int4, Numeric, Timestamptz, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{OrNotFound, Page, Problem, Result, Sight, Tx, keyset_page, visible};
use uuid::Uuid;

pub fn settings(conn: &mut PgConnection) -> QueryResult<GradeSettings> {
    grade_settings::table.select(GradeSettings::as_select()).first(conn)
}

/// The settings, held against other runs.
pub fn lock_settings(conn: &mut PgConnection) -> QueryResult<GradeSettings> {
    let found = grade_settings::table.select(GradeSettings::as_select());
    found.for_update().first(conn)
}

pub fn save_settings(conn: &mut PgConnection, settings: &GradeSettings) -> QueryResult<usize> {
    diesel::update(grade_settings::table.find(settings.id))
        .set(settings)
        .execute(conn)
}

/// What a run made.
#[derive(Debug, QueryableByName)]
pub struct Made {
    #[diesel(sql_type = BigInt)]
    pub proposals: i64,
    #[diesel(sql_type = BigInt)]
    pub unvalued: i64,
}

/// What nobody decided is superseded.
pub fn supersede(conn: &mut PgConnection, now: DateTime<Utc>) -> QueryResult<usize> {
    sql("UPDATE grade_proposals SET state = 'superseded', revision = revision + 1, updated_at = $1 WHERE state = 'proposed'")
        .bind::<Timestamptz, _>(now)
        .run(conn)
}

pub fn insert_run(conn: &mut PgConnection, run: &RunRow) -> QueryResult<usize> {
    diesel::insert_into(grade_runs::table).values(run).execute(conn)
}

/// Looks at all active customers, and proposes another grade where that comes out; counts into the run.
pub fn propose(conn: &mut PgConnection, run: &RunRow) -> QueryResult<Made> {
    let settings = &run.settings.0;
    sql("WITH q AS MATERIALIZED (
             SELECT $1 AS run, $2 AS as_of, $3 AS days, $4 AS now, $5 AS a_revenue, $6 AS a_orders, $7 AS b_revenue,
                    $8 AS b_orders, $9 AS c_revenue, $10 AS c_orders),
         bought AS (
             SELECT o.customer_id, count(*) AS orders, bool_and(r.rate IS NOT NULL) AS valued,
                    sum(round(o.net * r.rate, 4)) AS revenue
             FROM q JOIN orders o ON o.order_date > q.as_of - q.days AND o.order_date <= q.as_of
                    AND o.status NOT IN ('draft', 'rejected', 'cancelled')
             CROSS JOIN LATERAL (SELECT rate_to_base(o.currency, o.order_date) AS rate) r
             GROUP BY o.customer_id),
         figures AS (
             SELECT c.id, c.grade, coalesce(b.orders, 0) AS orders, coalesce(b.valued, true) AS valued,
                    coalesce(b.revenue, 0) AS revenue
             FROM customers c LEFT JOIN bought b ON b.customer_id = c.id
             WHERE c.status = 'active' AND c.merged_into IS NULL),
         graded AS (
             SELECT f.*, CASE
                 WHEN f.revenue >= q.a_revenue AND f.orders >= q.a_orders THEN 'A'
                 WHEN f.revenue >= q.b_revenue AND f.orders >= q.b_orders THEN 'B'
                 WHEN f.revenue >= q.c_revenue AND f.orders >= q.c_orders THEN 'C'
                 ELSE 'D' END AS to_grade
             FROM figures f, q WHERE f.valued),
         made AS (
             INSERT INTO grade_proposals (id, run_id, customer_id, from_grade, to_grade, revenue, orders, state, revision,
                                          created_at, updated_at)
             SELECT gen_random_uuid(), q.run, g.id, g.grade, g.to_grade, g.revenue, g.orders, 'proposed', 1, q.now, q.now
             FROM graded g, q
             -- Of whom nothing is known, nothing is proposed.
             WHERE g.to_grade IS DISTINCT FROM g.grade AND (g.grade IS NOT NULL OR g.orders > 0)
             RETURNING 1)
         SELECT (SELECT count(*) FROM made) AS proposals, (SELECT count(*) FROM figures WHERE NOT valued) AS unvalued")
    .bind::<SqlUuid, _>(run.id)
    .bind::<Date, _>(run.as_of)
    .bind::<Int4, _>(settings.period_days)
    .bind::<Timestamptz, _>(run.created_at)
    .bind::<Numeric, _>(settings.a_revenue)
    .bind::<Int4, _>(settings.a_orders)
    .bind::<Numeric, _>(settings.b_revenue)
    .bind::<Int4, _>(settings.b_orders)
    .bind::<Numeric, _>(settings.c_revenue)
    .bind::<Int4, _>(settings.c_orders)
    .row(conn)
}

pub fn count_run(conn: &mut PgConnection, run: &RunRow) -> QueryResult<usize> {
    diesel::update(grade_runs::table.find(run.id))
        .set((
            grade_runs::proposals.eq(run.proposals),
            grade_runs::unvalued.eq(run.unvalued),
        ))
        .execute(conn)
}

/// # Errors
/// 404 when there is none.
pub fn run(conn: &mut PgConnection, id: Uuid) -> Result<RunRow> {
    let found = grade_runs::table.find(id).select(RunRow::as_select());
    found.first(conn).or_not_found("grade run")
}

pub fn runs(conn: &mut PgConnection, query: &GradeRunsQuery) -> Result<Page<GradeRun>> {
    let rows = grade_runs::table.select(RunRow::as_select()).into_boxed();
    let page: Result<Page<RunRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: grade_runs::id as Uuid => |run: &RunRow| run.id, [
        "created_at" => grade_runs::created_at as DateTime<Utc> => |run: &RunRow| run.created_at,
    ]);
    Ok(page?.map(GradeRun::from))
}

/// A proposal for a customer in sight.
///
/// # Errors
/// 404 when there is none.
pub fn proposal(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> Result<ProposalRow> {
    let found = grade_proposals::table.find(id).select(ProposalRow::as_select());
    let row: ProposalRow = found.first(conn).or_not_found("grade proposal")?;
    if !sight.sees_all() {
        let customer = customers::table
            .filter(customers::id.eq(row.customer_id))
            .filter(visible!(sight, customers))
            .select(customers::id);
        let seen: Option<Uuid> = customer.first(conn).optional()?;
        seen.ok_or_else(|| Problem::not_found("grade proposal"))?;
    }
    Ok(row)
}

/// Locks a proposal whose customer is locked.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> QueryResult<ProposalRow> {
    let found = grade_proposals::table.find(id).select(ProposalRow::as_select());
    found.for_update().first(&mut **tx)
}

pub fn save(conn: &mut PgConnection, row: &ProposalRow) -> QueryResult<usize> {
    diesel::update(grade_proposals::table.find(row.id))
        .set(row)
        .execute(conn)
}

pub fn proposals(conn: &mut PgConnection, sight: &Sight, query: &GradeProposalsQuery) -> Result<Page<GradeProposal>> {
    let mut rows = grade_proposals::table.select(ProposalRow::as_select()).into_boxed();
    if !sight.sees_all() {
        let seen = customers::table.select(customers::id).into_boxed();
        rows = rows.filter(grade_proposals::customer_id.eq_any(seen.filter(visible!(sight, customers))));
    }
    if let Some(run) = query.run_id {
        rows = rows.filter(grade_proposals::run_id.eq(run));
    }
    if let Some(customer) = query.customer_id {
        rows = rows.filter(grade_proposals::customer_id.eq(customer));
    }
    if let Some(state) = query.state {
        rows = rows.filter(grade_proposals::state.eq(state));
    }
    if let Some(grade) = query.to_grade {
        rows = rows.filter(grade_proposals::to_grade.eq(grade));
    }
    let page: Result<Page<ProposalRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: grade_proposals::id as Uuid => |row: &ProposalRow| row.id, [
        "created_at" => grade_proposals::created_at as DateTime<Utc> => |row: &ProposalRow| row.created_at,
    ]);
    Ok(page?.map(|row| row.shown(sight.sees_all())))
}
