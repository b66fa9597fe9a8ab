use super::imports::{self, Import, ImportRow, RowResult};
use super::settings::ImportSettings;
use super::upload::{self, Upload};
use super::{Column, Importable};
use crate::auth::{ImportRecords, ReadImports};
use crate::command::{Command, OrNotFound, Read};
use crate::http::{Answer, IdPath, Path, Query};
use crate::openapi::Routes;
use crate::paging::{Cursor, Limit, Page, Sort};
use crate::problem::Problem;
use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(run_import)
        .add(list_imports)
        .add(get_import)
        .add(list_import_rows)
        .add(list_import_kinds);
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// What the file holds.
    kind: String,
    /// Id of the import, minted by you: with it the same file can be sent again, to go on where an
    /// earlier request ended. Absent: made from the `Idempotency-Key`, or a new one.
    id: Option<Uuid>,
    /// For columns that the file calls otherwise: a JSON object such as `{"Company": "name", "Notes": null}`; `null` is not
    /// looked at.
    #[param(max_length = 4_000)]
    columns: Option<String>,
    /// The column by which records are recognised, where the kind leaves a choice.
    #[param(max_length = 100)]
    match_by: Option<String>,
    /// Make records although there are some that may be the same, where the kind looks for that.
    #[serde(default)]
    allow_duplicate: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ImportsQuery {
    #[param(max_length = 60)]
    kind: Option<String>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ImportRowsQuery {
    /// Only rows with this result, e.g. `rejected`.
    #[param(inline)]
    result: Option<RowResult>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

/// What can be imported.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct ImportKinds {
    items: Vec<ImportKind>,
}

/// A kind of file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct ImportKind {
    kind: String,
    description: String,
    /// The permission to write such records, needed beside `imports:run`.
    permission: String,
    /// The list that shows them; columns that its CSV has beside those below are not looked at.
    list: String,
    columns: Vec<ImportColumn>,
    /// By what `match_by` can ask to recognise records, the usual one first.
    matched_by: Vec<String>,
    /// What the names of further columns begin with: `custom_fields.`.
    open: Option<String>,
    /// Whether such an import can be taken back.
    undoable: bool,
}

/// A column that a file may have.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct ImportColumn {
    name: String,
    description: String,
    /// A file without it is refused.
    required: bool,
}

/// Import a CSV file of any length.
///
/// UTF-8, with the names of the columns in the first line; commas, semicolons or tabs between them. A column that the
/// file does not have stays as it is, an empty cell clears; decimals have a point, dates look like `2026-01-31`. The
/// answer comes when the file has been read to its end; until then `GET /v1/imports/{id}` shows how far it is. Each row
/// is answered at `GET /v1/imports/{id}/rows`: a rejected row changes nothing, names all its faults and holds no other row back.
///
/// The rows are applied in batches. If the request breaks off, send the same file under the same id: it goes on
/// after the last batch. Another file under that id is refused with 409 `other_file`.
///
/// A dry run answers every row in the same way and changes nothing; it has an id of its own.
#[utoipa::path(tag = "exchange", params(ImportQuery),
    request_body(content = String, content_type = "text/csv", description = "The file"),
    security(("api_key" = ["imports:run"])),
    responses((status = 200, description = "The import, which an earlier request began, or a dry run", body = Import),
              (status = 201, description = "The import", body = Import)))]
#[post("/imports")]
async fn run_import(
    command: Command<ImportRecords>,
    query: Query<ImportQuery>,
    payload: web::Payload,
) -> Result<Answer, Problem> {
    let kinds = command.kit().imports;
    let kind = known(kinds, &query.kind)
        .ok_or_else(|| Problem::bad_request("invalid_parameter", "kind: there is no such kind of import"))?;
    command.require_named(kind.write)?;
    let settings = ImportSettings::of(
        kind,
        query.columns.as_deref(),
        query.match_by.as_deref(),
        query.allow_duplicate,
    )?;
    upload::run(Upload::of(command, kind, query.id, settings)?, payload).await
}

/// Imports of kinds that the key may read.
#[utoipa::path(tag = "exchange", params(ImportsQuery), security(("api_key" = ["imports:read"])),
    responses((status = 200, description = "A page of imports", body = Page<Import>)))]
#[get("/imports")]
async fn list_imports(read: Read<ReadImports>, query: Query<ImportsQuery>) -> Result<Answer, Problem> {
    let asked_for = |kind: &&Importable| query.kind.as_deref().is_none_or(|wanted| wanted == kind.kind);
    let readable = read.kit().imports.iter().filter(|kind| read.actor().may(kind.read));
    let kinds: Vec<&'static str> = readable.filter(asked_for).map(|kind| kind.kind).collect();
    read.json(move |conn| imports::page(conn, &kinds, query.limit, &query.cursor, &query.sort))
        .await
}

#[utoipa::path(tag = "exchange", params(IdPath), security(("api_key" = ["imports:read"])),
    responses((status = 200, description = "The import", body = Import)))]
#[get("/imports/{id}")]
async fn get_import(read: Read<ReadImports>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let guard = Guard::of(&read);
    read.one(move |conn| {
        let import = imports::find(conn, path.id).or_not_found("import")?;
        guard.check(&import)?;
        Ok(import)
    })
    .await
}

/// The answers to the rows of an import, in the order of the file. They are kept for 30 days or longer.
#[utoipa::path(tag = "exchange", params(IdPath, ImportRowsQuery), security(("api_key" = ["imports:read"])),
    responses((status = 200, description = "A page of answers", body = Page<ImportRow>)))]
#[get("/imports/{id}/rows")]
async fn list_import_rows(
    read: Read<ReadImports>,
    path: Path<IdPath>,
    query: Query<ImportRowsQuery>,
) -> Result<Answer, Problem> {
    let guard = Guard::of(&read);
    read.json(move |conn| {
        guard.check(&imports::find(conn, path.id).or_not_found("import")?)?;
        imports::rows(conn, path.id, query.result, query.limit, &query.cursor)
    })
    .await
}

/// What can be imported, with the columns of each kind.
#[utoipa::path(tag = "exchange", security(("api_key" = ["imports:read"])),
    responses((status = 200, description = "The kinds", body = ImportKinds)))]
#[get("/import-kinds")]
async fn list_import_kinds(read: Read<ReadImports>) -> Result<Answer, Problem> {
    let kinds = read.kit().imports;
    read.json(move |_| {
        Ok(ImportKinds {
            items: kinds.iter().map(shown).collect(),
        })
    })
    .await
}

fn shown(kind: &Importable) -> ImportKind {
    let column = |column: &Column| ImportColumn {
        name: column.name.to_owned(),
        description: column.about.to_owned(),
        required: column.required,
    };
    ImportKind {
        kind: kind.kind.to_owned(),
        description: kind.about.to_owned(),
        permission: kind.write.to_owned(),
        list: kind.list.to_owned(),
        columns: kind.columns.iter().map(column).collect(),
        matched_by: kind.matched_by.iter().map(|key| (*key).to_owned()).collect(),
        open: kind.open.map(str::to_owned),
        undoable: kind.take_back.is_some(),
    }
}

fn known(kinds: &'static [Importable], name: &str) -> Option<&'static Importable> {
    kinds.iter().find(|kind| kind.kind == name)
}

/// The kinds whose imports an actor may not look into: their answers name records.
pub(super) struct Guard(Vec<&'static Importable>);

impl Guard {
    pub fn of(read: &Read<ReadImports>) -> Self {
        let kinds = read.kit().imports.iter();
        Guard(kinds.filter(|kind| !read.actor().may(kind.read)).collect())
    }

    pub fn check(&self, import: &Import) -> Result<(), Problem> {
        match self.0.iter().find(|kind| kind.kind == import.kind) {
            Some(kind) => Err(Problem::forbidden(kind.read)),
            None => Ok(()),
        }
    }
}
