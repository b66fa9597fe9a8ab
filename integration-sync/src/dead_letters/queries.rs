use super::model::{DeadLetterRow, DeadLetterState, Parked, Refusal};
use crate::schema::dead_letters;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{OrNotFound, Result};
use uuid::Uuid;

pub(super) fn find(conn: &mut PgConnection, id: Uuid) -> Result<DeadLetterRow> {
    dead_letters::table
        .find(id)
        .select(DeadLetterRow::as_select())
        .first(conn)
        .or_not_found("dead letter")
}

pub(super) fn lock(conn: &mut PgConnection, id: Uuid) -> Result<DeadLetterRow> {
    dead_letters::table
        .find(id)
        .select(DeadLetterRow::as_select())
        .for_update()
        .first(conn)
        .or_not_found("dead letter")
}

pub(super) fn close(
    conn: &mut PgConnection,
    id: Uuid,
    state: DeadLetterState,
    resolution: &str,
) -> QueryResult<DeadLetterRow> {
    diesel::update(dead_letters::table.find(id))
        .set((
            dead_letters::state.eq(state),
            dead_letters::resolution.eq(resolution),
            dead_letters::closed_at.eq(diesel::dsl::now),
            dead_letters::updated_at.eq(diesel::dsl::now),
            dead_letters::revision.eq(dead_letters::revision + 1),
        ))
        .returning(DeadLetterRow::as_returning())
        .get_result(conn)
}

/// A retry by hand was refused as well.
pub(super) fn refuse_again(conn: &mut PgConnection, id: Uuid, refusal: &Refusal) -> QueryResult<DeadLetterRow> {
    diesel::update(dead_letters::table.find(id))
        .set((
            dead_letters::status.eq(refusal.status.map(i32::from)),
            dead_letters::answer.eq(refusal.answer.as_deref()),
            dead_letters::reason.eq(&refusal.reason),
            dead_letters::attempts.eq(dead_letters::attempts + 1),
            dead_letters::updated_at.eq(diesel::dsl::now),
            dead_letters::revision.eq(dead_letters::revision + 1),
        ))
        .returning(DeadLetterRow::as_returning())
        .get_result(conn)
}

/// Parks changes; each takes the place of the open dead letter of its record, if there is one.
///
/// # Errors
/// When the database refuses.
pub fn park(conn: &mut PgConnection, flow: &'static str, parked: &[Parked]) -> Result<()> {
    if parked.is_empty() {
        return Ok(());
    }
    let request = |p: &Parked| p.request.as_ref().map(|request| request.body.clone());
    sql("INSERT INTO dead_letters (flow, id, kind, subject, version, replace, as_of, path, request, status, answer, reason)
         SELECT $1, s.id, s.kind, s.subject, s.version, s.replace, s.as_of, s.path, s.request::json, s.status,
                s.answer, s.reason
         FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
              AS s(id, kind, subject, version, replace, as_of, path, request, status, answer, reason)
         ON CONFLICT (flow, kind, subject) WHERE state = 'open' DO UPDATE SET
             version = excluded.version, replace = excluded.replace, as_of = excluded.as_of, path = excluded.path,
             request = excluded.request, status = excluded.status, answer = excluded.answer, reason = excluded.reason,
             attempts = dead_letters.attempts + 1, updated_at = now(), revision = dead_letters.revision + 1")
    .bind::<Text, _>(flow)
    .bind::<Array<SqlUuid>, _>(parked.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(parked.iter().map(|p| p.kind).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(parked.iter().map(|p| p.subject).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(parked.iter().map(|p| p.version).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(parked.iter().map(|p| p.replace).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(parked.iter().map(|p| p.as_of).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        parked.iter().map(|p| p.request.as_ref().map(|r| r.path.clone())).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Text>>, _>(parked.iter().map(request).collect::<Vec<_>>())
    .bind::<Array<Nullable<Integer>>, _>(
        parked.iter().map(|p| p.refusal.status.map(i32::from)).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Text>>, _>(parked.iter().map(|p| p.refusal.answer.clone()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(parked.iter().map(|p| p.refusal.reason.as_str()).collect::<Vec<_>>())
    .run(conn)?;
    Ok(())
}
