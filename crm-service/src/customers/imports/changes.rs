//! What an import did to which customer.

use crate::customers::model::CustomerCore;
use crate::json::AsJson;
use crate::schema::customer_import_changes;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Json, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::Serialize;
use service_kit::db::sql;
use service_kit::{Cursor, Limit, Page, Result, Tx, keyset_page, text_enum};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// What became of a change when its import was taken back: `kept` of one that was changed since.
    ImportUndoOutcome { Restored = "restored", Archived = "archived", Kept = "kept" }
}

/// What an import did to a customer.
#[derive(Debug, Clone, Serialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = customer_import_changes)]
pub struct CustomerImportChange {
    pub customer_id: Uuid,
    /// The customer's version as the import left it.
    pub version: i64,
    pub recorded_at: DateTime<Utc>,
    /// `null` as long as the import is not taken back.
    pub outcome: Option<ImportUndoOutcome>,
    /// Why it was kept: `changed_since`, `in_use`, `merged`, or what else stood against it.
    pub reason: Option<String>,
}

/// A change with how the customer was before; `None` of one that the import made.
#[derive(Queryable, Selectable)]
#[diesel(table_name = customer_import_changes)]
pub struct Change {
    pub customer_id: Uuid,
    pub version: i64,
    pub before: Option<AsJson<CustomerCore>>,
}

/// Keeps how a customer was, the first time that the import changes it.
pub fn note(tx: &mut Tx<'_>, import: Uuid, before: Option<&CustomerCore>, after: &CustomerCore) -> Result<()> {
    let (before, now) = (before.map(serde_json::to_value).transpose()?, tx.now());
    sql(
        "INSERT INTO customer_import_changes (import_id, customer_id, before, version, recorded_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (import_id, customer_id) DO UPDATE SET version = excluded.version",
    )
    .bind::<SqlUuid, _>(import)
    .bind::<SqlUuid, _>(after.id)
    .bind::<Nullable<Json>, _>(before)
    .bind::<BigInt, _>(after.version)
    .bind::<Timestamptz, _>(now)
    .run(tx)?;
    Ok(())
}

/// After thirty days nothing can be taken back any more.
pub fn forget_old(tx: &mut Tx<'_>) -> QueryResult<()> {
    let before = tx.now() - chrono::Duration::days(30);
    sql("DELETE FROM customer_import_changes WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM customer_import_changes WHERE recorded_at < $1 LIMIT 1000))")
    .bind::<Timestamptz, _>(before)
    .run(tx)?;
    Ok(())
}

/// The next changes of an import that are to be taken back, in the order in which customers are locked.
pub fn open(conn: &mut PgConnection, import: Uuid, most: i64) -> QueryResult<Vec<Change>> {
    customer_import_changes::table
        .filter(customer_import_changes::import_id.eq(import))
        .filter(customer_import_changes::outcome.is_null())
        .order(customer_import_changes::customer_id)
        .limit(most)
        .select(Change::as_select())
        .load(conn)
}

/// Notes what became of changes.
pub fn settle(
    conn: &mut PgConnection,
    import: Uuid,
    outcomes: &[(Uuid, ImportUndoOutcome, Option<String>)],
) -> QueryResult<()> {
    sql(
        "UPDATE customer_import_changes c SET outcome = o.outcome, reason = o.reason
         FROM unnest($1, $2, $3) AS o (id, outcome, reason) WHERE c.import_id = $4 AND c.customer_id = o.id",
    )
    .bind::<Array<SqlUuid>, _>(outcomes.iter().map(|o| o.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(outcomes.iter().map(|o| o.1.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(outcomes.iter().map(|o| o.2.clone()).collect::<Vec<_>>())
    .bind::<SqlUuid, _>(import)
    .run(conn)?;
    Ok(())
}

pub fn page(
    conn: &mut PgConnection,
    import: Uuid,
    outcome: Option<ImportUndoOutcome>,
    limit: Option<Limit>,
    cursor: &Option<Cursor>,
) -> Result<Page<CustomerImportChange>> {
    let mut rows = customer_import_changes::table
        .filter(customer_import_changes::import_id.eq(import))
        .select(CustomerImportChange::as_select())
        .into_boxed();
    if let Some(outcome) = outcome {
        rows = rows.filter(customer_import_changes::outcome.eq(outcome));
    }
    let sort: Option<service_kit::Sort> = None;
    keyset_page!(rows, conn, limit, cursor, sort,
        id: customer_import_changes::customer_id as Uuid => |c: &CustomerImportChange| c.customer_id, [
        "recorded_at" => customer_import_changes::recorded_at as DateTime<Utc> => |c: &CustomerImportChange| c.recorded_at,
    ])
}
