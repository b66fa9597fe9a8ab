//! Taking an import back.

use super::Customers;
use super::changes::{self, Change, ImportUndoOutcome};
use crate::customers::merge::moves::MOVES;
use crate::customers::model::{CustomerCore, CustomerStatus};
use crate::customers::{actions, duplicates, queries};
use crate::json::AsJson;
use crate::may;
use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use serde::Serialize;
use service_kit::db::sql;
use service_kit::exchange::{self, ImportStatus, Importer};
use service_kit::{Error, OrNotFound, Permission, Problem, Resource, Result, Tx};
use std::sync::LazyLock;
use utoipa::ToSchema;
use uuid::Uuid;

/// As many customers as one transaction takes back.
const STEP: i64 = 500;

/// An import that was taken back.
#[derive(Debug, Clone, Serialize, QueryableByName, ToSchema)]
pub struct CustomerImportUndo {
    /// That of the import.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub undone_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub undone_by: String,
    /// Customers that are as they were before.
    #[diesel(sql_type = BigInt)]
    pub restored: i64,
    /// Customers that the import made.
    #[diesel(sql_type = BigInt)]
    pub archived: i64,
    /// Customers that stay as they are: `GET /v1/imports/{id}/changes?outcome=kept` names them.
    #[diesel(sql_type = BigInt)]
    pub kept: i64,
    /// Customers that are still to be looked at: send the request again until there are none.
    #[diesel(sql_type = BigInt)]
    pub remaining: i64,
}

impl Resource for CustomerImportUndo {
    const PATH: &'static str = "imports";
    const TYPE: &'static str = "import_undo";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        1
    }
}

/// # Errors
/// 404; 409 when it is no such import, not at its end, more than a day old, or taken back already.
pub fn undo(tx: &mut Tx<'_>, id: Uuid) -> Result<CustomerImportUndo> {
    let import = exchange::import(tx, id).or_not_found("import")?;
    if import.kind != Customers::KIND || import.dry_run {
        return Err(Problem::conflict("not_undoable", "only an import of customers that was no dry run").into());
    }
    if !tx.actor().may(may::WriteCustomers::NAME) {
        return Err(Problem::forbidden(may::WriteCustomers::NAME).into());
    }
    if import.status == ImportStatus::Open {
        let detail = "send the file again under its id, so that the import comes to its end";
        return Err(Problem::conflict("import_open", detail).into());
    }
    let first = claim(tx, id)?;
    if first && import.completed_at.is_none_or(|at| tx.now() - at > Duration::days(1)) {
        return Err(Problem::conflict("undo_too_late", "an import is taken back within a day").into());
    }
    let found = changes::open(tx, id, STEP)?;
    if found.is_empty() && !first {
        return Err(Problem::conflict("already_undone", "this import was taken back").into());
    }
    let mut outcomes = Vec::with_capacity(found.len());
    for change in &found {
        let taken = tx.savepoint(|tx| {
            let outcome = take_back(tx, change)?;
            tx.check_deferred()?;
            Ok(outcome)
        });
        outcomes.push(match taken {
            Ok(outcome) => (change.customer_id, outcome, None),
            Err(Error::Problem(problem)) => (change.customer_id, ImportUndoOutcome::Kept, Some(problem.code)),
            Err(Error::Database(error)) if is_conflict(&error) => {
                (change.customer_id, ImportUndoOutcome::Kept, Some("conflict".to_owned()))
            }
            Err(other) => return Err(other),
        });
    }
    changes::settle(tx, id, &outcomes)?;
    let count = |wanted: ImportUndoOutcome| outcomes.iter().filter(|(_, outcome, _)| *outcome == wanted).count() as i64;
    let undone: CustomerImportUndo = sql(
        "UPDATE customer_import_undos SET restored = restored + $1, archived = archived + $2, kept = kept + $3
         WHERE import_id = $4
         RETURNING import_id AS id, undone_at, undone_by, restored, archived, kept,
             (SELECT count(*) FROM customer_import_changes WHERE import_id = $5 AND outcome IS NULL) AS remaining",
    )
    .bind::<BigInt, _>(count(ImportUndoOutcome::Restored))
    .bind::<BigInt, _>(count(ImportUndoOutcome::Archived))
    .bind::<BigInt, _>(count(ImportUndoOutcome::Kept))
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(id)
    .row(tx)?;
    tx.audit(None, &undone)?;
    Ok(undone)
}

/// Whether this is the first request; another waits for it here.
fn claim(tx: &mut Tx<'_>, id: Uuid) -> Result<bool> {
    let (by, now) = (tx.actor().name.to_string(), tx.now());
    let claimed = sql(
        "INSERT INTO customer_import_undos (import_id, undone_at, undone_by) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .run(tx)?;
    sql("SELECT FROM customer_import_undos WHERE import_id = $1 FOR UPDATE")
        .bind::<SqlUuid, _>(id)
        .run(tx)?;
    Ok(claimed == 1)
}

fn take_back(tx: &mut Tx<'_>, change: &Change) -> Result<ImportUndoOutcome> {
    let now = queries::lock(tx, change.customer_id)?;
    if now.core.version != change.version {
        return Err(Problem::conflict("changed_since", "the customer was changed since").into());
    }
    let Some(AsJson(before)) = &change.before else {
        if is_in_use(tx, change.customer_id)? {
            return Err(Problem::conflict("in_use", "something hangs on the customer").into());
        }
        let core = CustomerCore {
            status: CustomerStatus::Archived,
            external_ref: None,
            ..now.core.clone()
        };
        actions::put_back(tx, &now, core)?;
        // The corrected file is no duplicate of what was taken back.
        duplicates::keys::forget(tx, change.customer_id)?;
        return Ok(ImportUndoOutcome::Archived);
    };
    let core = CustomerCore {
        version: now.core.version,
        revision: now.core.revision,
        updated_at: now.core.updated_at,
        ..before.clone()
    };
    actions::put_back(tx, &now, core)?;
    Ok(ImportUndoOutcome::Restored)
}

/// Whether anything hangs on a customer but what it was made with.
fn is_in_use(tx: &mut Tx<'_>, id: Uuid) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Bool)]
        found: bool,
    }
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        // What comes by itself is nobody's reason to keep a customer.
        let own = [
            "timeline_entries",
            "customer_keys",
            "customer_credits",
            "soft_demand",
            "segment_members",
            "grade_proposals",
        ];
        let tables = MOVES.iter().map(|each| each.table).filter(|table| !own.contains(table));
        let hangs = tables.map(|table| format!("EXISTS (SELECT FROM {table} WHERE customer_id = who.id)"));
        format!(
            "SELECT {} OR EXISTS (SELECT FROM customers WHERE parent_id = who.id OR merged_into = who.id) AS found
             FROM (SELECT $1::uuid AS id) who",
            hangs.collect::<Vec<_>>().join(" OR ")
        )
    });
    let row: Found = sql(&TEXT).bind::<SqlUuid, _>(id).row(tx)?;
    Ok(row.found)
}

/// Another has meanwhile what is to be given back, such as its reference.
fn is_conflict(error: &diesel::result::Error) -> bool {
    use diesel::result::DatabaseErrorKind::{CheckViolation, ForeignKeyViolation, UniqueViolation};
    matches!(
        error,
        diesel::result::Error::DatabaseError(UniqueViolation | CheckViolation | ForeignKeyViolation, _)
    )
}
