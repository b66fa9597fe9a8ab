//! Departments and projects, which entry lines may name.

use crate::may;
use crate::schema::dimensions;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::SearchText;
use service_kit::{
    Answer, Body, Command, Cursor, IdPath, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result,
    Routes, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

service_kit::text_enum! {
    /// What a dimension divides by.
    DimensionKind { Department = "department", Project = "project" }
}

service_kit::text_enum! {
    /// Whether new lines may name it.
    DimensionStatus { Active = "active", Retired = "retired" }
}

/// A department or a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = dimensions)]
pub struct Dimension {
    pub id: Uuid,
    pub kind: DimensionKind,
    /// Unique among its kind.
    pub code: String,
    pub name: String,
    pub status: DimensionStatus,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DimensionIn {
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 40, pattern = r"^\S(.*\S)?$")]
    pub code: String,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DimensionPatch {
    #[schema(min_length = 1, max_length = 40, pattern = r"^\S(.*\S)?$", nullable = false)]
    pub code: Option<String>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
    /// Retired: no new line may name it.
    #[schema(nullable = false)]
    pub status: Option<DimensionStatus>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DimensionsQuery {
    /// Finds in code and name.
    q: Option<SearchText>,
    code: Option<SearchText>,
    status: Option<DimensionStatus>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `code` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for Dimension {
    const PATH: &'static str = "departments";
    const TYPE: &'static str = "dimension";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_departments)
        .add(create_department)
        .add(get_department)
        .add(update_department)
        .add(list_projects)
        .add(create_project)
        .add(get_project)
        .add(update_project);
}

#[utoipa::path(tag = "ledger", params(DimensionsQuery), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "A page of departments", body = Page<Dimension>)))]
#[get("/departments")]
async fn list_departments(read: Read<may::ReadLedger>, query: Query<DimensionsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| page(conn, DimensionKind::Department, &query))
        .await
}

#[utoipa::path(tag = "ledger", request_body = DimensionIn, security(("api_key" = ["ledger:write"])),
    responses((status = 201, description = "The department", body = Dimension)))]
#[post("/departments")]
async fn create_department(command: Command<may::WriteLedger>, body: Body<DimensionIn>) -> Result<Answer, Problem> {
    command
        .answer(move |tx| create(tx, DimensionKind::Department, &body.0))
        .await
}

#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "The department", body = Dimension)))]
#[get("/departments/{id}")]
async fn get_department(read: Read<may::ReadLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| find(conn, DimensionKind::Department, path.id))
        .await
}

#[utoipa::path(tag = "ledger", params(IdPath), request_body(content = DimensionPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["ledger:write"])), responses((status = 200, description = "The changed department", body = Dimension)))]
#[patch("/departments/{id}")]
async fn update_department(
    command: Command<may::WriteLedger>,
    path: Path<IdPath>,
    body: Body<DimensionPatch>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| update(tx, DimensionKind::Department, path.id, &body.0))
        .await
}

#[utoipa::path(tag = "ledger", params(DimensionsQuery), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "A page of projects", body = Page<Dimension>)))]
#[get("/projects")]
async fn list_projects(read: Read<may::ReadLedger>, query: Query<DimensionsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| page(conn, DimensionKind::Project, &query)).await
}

#[utoipa::path(tag = "ledger", request_body = DimensionIn, security(("api_key" = ["ledger:write"])),
    responses((status = 201, description = "The project", body = Dimension)))]
#[post("/projects")]
async fn create_project(command: Command<may::WriteLedger>, body: Body<DimensionIn>) -> Result<Answer, Problem> {
    command
        .answer(move |tx| create(tx, DimensionKind::Project, &body.0))
        .await
}

#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "The project", body = Dimension)))]
#[get("/projects/{id}")]
async fn get_project(read: Read<may::ReadLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| find(conn, DimensionKind::Project, path.id)).await
}

#[utoipa::path(tag = "ledger", params(IdPath), request_body(content = DimensionPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["ledger:write"])), responses((status = 200, description = "The changed project", body = Dimension)))]
#[patch("/projects/{id}")]
async fn update_project(
    command: Command<may::WriteLedger>,
    path: Path<IdPath>,
    body: Body<DimensionPatch>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| update(tx, DimensionKind::Project, path.id, &body.0))
        .await
}

fn page(conn: &mut PgConnection, kind: DimensionKind, query: &DimensionsQuery) -> Result<Page<Dimension>> {
    let mut found = dimensions::table
        .filter(dimensions::kind.eq(kind))
        .select(Dimension::as_select())
        .into_boxed();
    if let Some(text) = &query.q {
        let text = text.contains();
        found = found.filter(dimensions::name.ilike(text.clone()).or(dimensions::code.ilike(text)));
    }
    if let Some(code) = &query.code {
        found = found.filter(dimensions::code.eq(code.as_str()));
    }
    if let Some(status) = query.status {
        found = found.filter(dimensions::status.eq(status));
    }
    keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: dimensions::id as Uuid => |d: &Dimension| d.id, [
        "code" => dimensions::code as String => |d: &Dimension| d.code.clone(),
        "created_at" => dimensions::created_at as DateTime<Utc> => |d: &Dimension| d.created_at,
    ])
}

fn find(conn: &mut PgConnection, kind: DimensionKind, id: Uuid) -> Result<Dimension> {
    dimensions::table
        .filter(dimensions::id.eq(id).and(dimensions::kind.eq(kind)))
        .select(Dimension::as_select())
        .first(conn)
        .or_not_found(kind.as_str())
}

fn create(tx: &mut Tx<'_>, kind: DimensionKind, input: &DimensionIn) -> Result<Answer> {
    let made: Dimension = diesel::insert_into(dimensions::table)
        .values((
            dimensions::id.eq(tx.mint(input.id)),
            dimensions::kind.eq(kind),
            dimensions::code.eq(&input.code),
            dimensions::name.eq(&input.name),
            dimensions::created_at.eq(tx.now()),
            dimensions::updated_at.eq(tx.now()),
        ))
        .returning(Dimension::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(None, &made)?;
    let collection = match kind {
        DimensionKind::Department => "departments",
        DimensionKind::Project => "projects",
    };
    Ok(Answer {
        location: Some(format!("/v1/{collection}/{}", made.id)),
        ..Answer::created(&made)?
    })
}

fn update(tx: &mut Tx<'_>, kind: DimensionKind, id: Uuid, patch: &DimensionPatch) -> Result<Dimension> {
    let before: Dimension = dimensions::table
        .filter(dimensions::id.eq(id).and(dimensions::kind.eq(kind)))
        .for_update()
        .select(Dimension::as_select())
        .first(&mut **tx)
        .or_not_found(kind.as_str())?;
    tx.require_match(&before)?;
    let code = patch.code.as_ref().unwrap_or(&before.code);
    let name = patch.name.as_ref().unwrap_or(&before.name);
    let status = patch.status.unwrap_or(before.status);
    if (code, name, status) == (&before.code, &before.name, before.status) {
        return Ok(before);
    }
    let after: Dimension = diesel::update(dimensions::table.find(id))
        .set((
            dimensions::code.eq(code),
            dimensions::name.eq(name),
            dimensions::status.eq(status),
            dimensions::revision.eq(dimensions::revision + 1),
            dimensions::updated_at.eq(tx.now()),
        ))
        .returning(Dimension::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}
