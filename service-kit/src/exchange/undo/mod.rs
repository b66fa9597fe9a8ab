//! Taking an import back: once, and within a day.
//!
//! A kind that can be taken back says how ([`Importer::TAKE_BACK`](super::Importer::TAKE_BACK)) and notes, in the transaction
//! of each change, how the record was and in which version the import left it ([`note`]). What the import changed is then as it was
//! before, what it made is withdrawn in the way of its kind. A record that was changed since, or that
//! something hangs on, stays, and is named with the reason. A request takes some of them, until none is left.

mod changes;
mod handlers;

pub(crate) use changes::remove_changes;
pub use changes::{ImportUndoOutcome, Noted, note};

use super::Importable;
use super::imports::{self, ImportStatus};
use crate::command::OrNotFound;
use crate::db::sql;
use crate::http::Resource;
use crate::openapi::Routes;
use crate::problem::{Error, Problem, Result};
use crate::tx::Tx;
use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Takes back what an import did to a record; what it refuses becomes the reason for which the record is kept.
pub type TakeBack = fn(&mut Tx<'_>, &Noted) -> Result<ImportUndoOutcome>;

/// As many records as one transaction takes back.
const STEP: i64 = 500;

/// An import that was taken back.
#[derive(Debug, Clone, Serialize, QueryableByName, ToSchema)]
pub struct ImportUndo {
    /// That of the import.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub undone_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub undone_by: String,
    /// Records that are as they were before.
    #[diesel(sql_type = BigInt)]
    pub restored: i64,
    /// Records that the import made.
    #[diesel(sql_type = BigInt)]
    pub withdrawn: i64,
    /// Records that stay as they are: `GET /v1/imports/{id}/changes?outcome=kept` names them.
    #[diesel(sql_type = BigInt)]
    pub kept: i64,
    /// Records that are still to be looked at: send the request again until there are none.
    #[diesel(sql_type = BigInt)]
    pub remaining: i64,
}

impl Resource for ImportUndo {
    const PATH: &'static str = "imports";
    const TYPE: &'static str = "import_undo";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        1
    }
}

/// The routes of a service with a kind that can be taken back.
pub(super) fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}

/// # Errors
/// 404; 409 when it is no such import, not at its end, more than a day old, or taken back already.
fn undo(tx: &mut Tx<'_>, kinds: &[Importable], id: Uuid) -> Result<ImportUndo> {
    let import = imports::find(tx, id).or_not_found("import")?;
    let kind = kinds.iter().find(|kind| kind.kind == import.kind);
    let undoable = kind.and_then(|kind| Some((kind, kind.take_back?)));
    let Some((kind, take_back)) = undoable.filter(|_| !import.dry_run) else {
        let able: Vec<&str> = kinds.iter().filter(|k| k.take_back.is_some()).map(|k| k.kind).collect();
        let detail = format!("only an import of {} that was no dry run", able.join(" or "));
        return Err(Problem::conflict("not_undoable", detail).into());
    };
    if !tx.actor().may(kind.write) {
        return Err(Problem::forbidden(kind.write).into());
    }
    tx.actor().require_sight_for(kind.write)?;
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
            Ok(outcome) => (change.record_id, outcome, None),
            Err(Error::Problem(problem)) => (change.record_id, ImportUndoOutcome::Kept, Some(problem.code)),
            Err(Error::Database(error)) if is_conflict(&error) => {
                (change.record_id, ImportUndoOutcome::Kept, Some("conflict".to_owned()))
            }
            Err(other) => return Err(other),
        });
    }
    changes::settle(tx, id, &outcomes)?;
    let count = |wanted: ImportUndoOutcome| outcomes.iter().filter(|(_, outcome, _)| *outcome == wanted).count() as i64;
    let undone: ImportUndo = sql(
        "UPDATE import_undos SET restored = restored + $1, withdrawn = withdrawn + $2, kept = kept + $3
         WHERE import_id = $4
         RETURNING import_id AS id, undone_at, undone_by, restored, withdrawn, kept,
             (SELECT count(*) FROM import_changes WHERE import_id = $5 AND outcome IS NULL) AS remaining",
    )
    .bind::<BigInt, _>(count(ImportUndoOutcome::Restored))
    .bind::<BigInt, _>(count(ImportUndoOutcome::Withdrawn))
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
        "INSERT INTO import_undos (import_id, undone_at, undone_by) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(by)
    .run(tx)?;
    sql("SELECT FROM import_undos WHERE import_id = $1 FOR UPDATE")
        .bind::<SqlUuid, _>(id)
        .run(tx)?;
    Ok(claimed == 1)
}

/// Another has meanwhile what is to be given back, such as its reference.
fn is_conflict(error: &diesel::result::Error) -> bool {
    use diesel::result::DatabaseErrorKind::{CheckViolation, ForeignKeyViolation, UniqueViolation};
    matches!(
        error,
        diesel::result::Error::DatabaseError(UniqueViolation | CheckViolation | ForeignKeyViolation, _)
    )
}
