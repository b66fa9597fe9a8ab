//! Taking back over HTTP.

use super::changes::{self, ImportChange, ImportUndoOutcome};
use super::{ImportUndo, undo};
use crate::auth::{ImportRecords, ReadImports};
use crate::command::{Command, OrNotFound, Read};
use crate::exchange::handlers::Guard;
use crate::exchange::imports;
use crate::http::{Answer, IdPath, Path, Query};
use crate::openapi::Routes;
use crate::paging::{Cursor, Limit, Page};
use crate::problem::Problem;
use actix_web::{get, post};
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ImportChangesQuery {
    #[param(inline)]
    outcome: Option<ImportUndoOutcome>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

pub(super) fn routes(routes: &mut Routes) {
    routes.add(undo_import).add(list_import_changes);
}

/// Take an import back, once and within a day; `GET /v1/import-kinds` says of which kinds.
///
/// Records that it changed are as they were; those that it made are withdrawn, each kind in its way. A
/// record that was changed since, or that something hangs on, stays as it is: the list of the changes names it.
/// It needs the permission to write such records as well. A request takes 500 of them; after a large import send it again
/// until `remaining` is 0.
#[utoipa::path(tag = "exchange", params(IdPath), security(("api_key" = ["imports:run"])),
    responses((status = 200, description = "What was taken back", body = ImportUndo)))]
#[post("/imports/{id}/undo")]
async fn undo_import(command: Command<ImportRecords>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let kinds = command.kit().imports;
    command.run(move |tx| undo(tx, kinds, path.id)).await
}

/// The records that an import made or changed, and what became of that when it was taken back.
#[utoipa::path(tag = "exchange", params(IdPath, ImportChangesQuery), security(("api_key" = ["imports:read"])),
    responses((status = 200, description = "A page of changes", body = Page<ImportChange>)))]
#[get("/imports/{id}/changes")]
async fn list_import_changes(
    read: Read<ReadImports>,
    path: Path<IdPath>,
    query: Query<ImportChangesQuery>,
) -> Result<Answer, Problem> {
    let guard = Guard::of(&read);
    read.json(move |conn| {
        guard.check(&imports::find(conn, path.id).or_not_found("import")?)?;
        changes::page(conn, path.id, query.outcome, query.limit, &query.cursor)
    })
    .await
}
