//! What an import did to which record.

use crate::db::sql;
use crate::paging::{Cursor, Limit, Page, Sort};
use crate::problem::Result;
use crate::schema::import_changes;
use crate::tx::Tx;
use crate::{keyset_page, text_enum};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Json, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// What became of a change when its import was taken back: the record is as it was (`restored`), was made by the
    /// import and is so no more (`withdrawn`), or was changed since and stays (`kept`).
    ImportUndoOutcome { Restored = "restored", Withdrawn = "withdrawn", Kept = "kept" }
}

/// What an import did to a record.
#[derive(Debug, Clone, Serialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = import_changes)]
pub struct ImportChange {
    pub record_id: Uuid,
    /// The record's version as the import left it.
    pub version: i64,
    pub recorded_at: DateTime<Utc>,
    /// `null` as long as the import is not taken back.
    pub outcome: Option<ImportUndoOutcome>,
    /// Why it was kept: `changed_since`, `in_use`, or what else stood against it.
    pub reason: Option<String>,
}

/// A change with how the record was before.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = import_changes)]
pub struct Noted {
    pub import_id: Uuid,
    pub record_id: Uuid,
    pub version: i64,
    before: Option<Value>,
}

impl Noted {
    /// How the record was; `None` of one that the import made.
    ///
    /// # Errors
    /// When it was noted by another kind of import.
    pub fn before<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        Ok(self.before.clone().map(serde_json::from_value).transpose()?)
    }
}

/// Keeps how a record was, the first time that an import changes it, and the version in which the import leaves it.
///
/// # Errors
/// When the database refuses.
pub fn note(
    tx: &mut Tx<'_>,
    import: Uuid,
    (record, version): (Uuid, i64),
    before: Option<&impl Serialize>,
) -> Result<()> {
    let (before, now) = (before.map(serde_json::to_value).transpose()?, tx.now());
    sql(
        "INSERT INTO import_changes (import_id, record_id, before, version, recorded_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (import_id, record_id) DO UPDATE SET version = excluded.version",
    )
    .bind::<SqlUuid, _>(import)
    .bind::<SqlUuid, _>(record)
    .bind::<Nullable<Json>, _>(before)
    .bind::<BigInt, _>(version)
    .bind::<Timestamptz, _>(now)
    .run(tx)?;
    Ok(())
}

/// The next changes of an import that are to be taken back, in the order in which records are locked.
pub(super) fn open(conn: &mut PgConnection, import: Uuid, most: i64) -> QueryResult<Vec<Noted>> {
    import_changes::table
        .filter(import_changes::import_id.eq(import))
        .filter(import_changes::outcome.is_null())
        .order(import_changes::record_id)
        .limit(most)
        .select(Noted::as_select())
        .load(conn)
}

/// What became of a change, and why it was kept.
pub(super) type Outcome = (Uuid, ImportUndoOutcome, Option<String>);

/// Notes what became of changes.
pub(super) fn settle(conn: &mut PgConnection, import: Uuid, outcomes: &[Outcome]) -> QueryResult<()> {
    sql("UPDATE import_changes c SET outcome = o.outcome, reason = o.reason
         FROM unnest($1, $2, $3) AS o (id, outcome, reason) WHERE c.import_id = $4 AND c.record_id = o.id")
    .bind::<Array<SqlUuid>, _>(outcomes.iter().map(|o| o.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(outcomes.iter().map(|o| o.1.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(outcomes.iter().map(|o| o.2.clone()).collect::<Vec<_>>())
    .bind::<SqlUuid, _>(import)
    .run(conn)?;
    Ok(())
}

pub(super) fn page(
    conn: &mut PgConnection,
    import: Uuid,
    outcome: Option<ImportUndoOutcome>,
    limit: Option<Limit>,
    cursor: &Option<Cursor>,
) -> Result<Page<ImportChange>> {
    let mut rows = import_changes::table
        .filter(import_changes::import_id.eq(import))
        .select(ImportChange::as_select())
        .into_boxed();
    if let Some(outcome) = outcome {
        rows = rows.filter(import_changes::outcome.eq(outcome));
    }
    let sort: Option<Sort> = None;
    keyset_page!(rows, conn, limit, cursor, sort,
        id: import_changes::record_id as Uuid => |c: &ImportChange| c.record_id, [
        "recorded_at" => import_changes::recorded_at as DateTime<Utc> => |c: &ImportChange| c.recorded_at,
    ])
}

/// Forgets the changes of before: their imports are long past being taken back.
pub(crate) fn remove_changes(conn: &mut PgConnection, before: DateTime<Utc>) -> QueryResult<()> {
    while sql("DELETE FROM import_changes WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM import_changes WHERE recorded_at < $1 LIMIT $2))")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(5_000)
    .run(conn)?
        == 5_000
    {}
    Ok(())
}
