//! Taking back over HTTP.

use super::changes::{self, CustomerImportChange, ImportUndoOutcome};
use super::undo::{self, CustomerImportUndo};
use actix_web::{get, post};
use serde::Deserialize;
use service_kit::auth::{ImportRecords, ReadImports};
use service_kit::exchange;
use service_kit::http::IdPath;
use service_kit::{Answer, Command, Cursor, Limit, OrNotFound, Page, Path, Problem, Query, Read, Routes};
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

/// Take an import of customers back, once and within a day.
///
/// Customers that it changed are as they were; those that it made are archived and lose their `external_ref`. A
/// customer that was changed since, or that something hangs on, stays as it is: the list of the changes names it.
/// It needs `customers:write` as well. A request takes 500 of them; after a large import send it again until `remaining` is 0.
#[utoipa::path(tag = "exchange", params(IdPath), security(("api_key" = ["imports:run"])),
    responses((status = 200, description = "What was taken back", body = CustomerImportUndo)))]
#[post("/imports/{id}/undo")]
async fn undo_import(command: Command<ImportRecords>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| undo::undo(tx, path.id)).await
}

/// The customers that an import made or changed, and what became of that when it was taken back.
#[utoipa::path(tag = "exchange", params(IdPath, ImportChangesQuery), security(("api_key" = ["imports:read"])),
    responses((status = 200, description = "A page of changes", body = Page<CustomerImportChange>)))]
#[get("/imports/{id}/changes")]
async fn list_import_changes(
    read: Read<ReadImports>,
    path: Path<IdPath>,
    query: Query<ImportChangesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        exchange::import(conn, path.id).or_not_found("import")?;
        changes::page(conn, path.id, query.outcome, query.limit, &query.cursor)
    })
    .await
}
