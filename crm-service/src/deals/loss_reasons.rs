//! Reasons that deals are lost for. A deal keeps the code; one that is no longer wanted is made
//! inactive.

use crate::may;
use crate::schema::loss_reasons;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::IdPath;
use service_kit::{
    Answer, Body, Command, Cursor, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result, Routes, Sort,
    Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = loss_reasons)]
pub struct LossReason {
    pub id: Uuid,
    /// What deals refer to; stays.
    pub code: String,
    pub name: String,
    /// Whether a deal can be lost for it.
    pub active: bool,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for LossReason {
    const PATH: &'static str = "loss-reasons";
    const TYPE: &'static str = "loss_reason";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LossReasonIn {
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$", example = "delivery_time")]
    pub code: String,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LossReasonPatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LossReasonsQuery {
    active: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `name`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_loss_reasons)
        .add(create_loss_reason)
        .add(get_loss_reason)
        .add(update_loss_reason);
}

/// Reasons that deals are lost for.
#[utoipa::path(tag = "pipelines", params(LossReasonsQuery), security(("api_key" = ["pipelines:read"])),
    responses((status = 200, description = "A page of reasons", body = Page<LossReason>)))]
#[get("/loss-reasons")]
async fn list_loss_reasons(read: Read<may::ReadPipelines>, query: Query<LossReasonsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = loss_reasons::table.select(LossReason::as_select()).into_boxed();
        if let Some(active) = query.active {
            found = found.filter(loss_reasons::active.eq(active));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: loss_reasons::id as Uuid => |r: &LossReason| r.id, [
            "name" => loss_reasons::name as String => |r: &LossReason| r.name.clone(),
        ])
    })
    .await
}

/// Add a reason.
#[utoipa::path(tag = "pipelines", request_body = LossReasonIn, security(("api_key" = ["pipelines:write"])),
    responses((status = 201, description = "The reason", body = LossReason)))]
#[post("/loss-reasons")]
async fn create_loss_reason(
    command: Command<may::WritePipelines>,
    body: Body<LossReasonIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

/// One reason.
#[utoipa::path(tag = "pipelines", params(IdPath), security(("api_key" = ["pipelines:read"])),
    responses((status = 200, description = "The reason", body = LossReason)))]
#[get("/loss-reasons/{id}")]
async fn get_loss_reason(read: Read<may::ReadPipelines>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let found = loss_reasons::table.find(path.id).select(LossReason::as_select());
        found.first(conn).or_not_found("loss reason")
    })
    .await
}

/// Rename a reason, or make it inactive.
#[utoipa::path(tag = "pipelines", params(IdPath), request_body = LossReasonPatch,
    security(("api_key" = ["pipelines:write"])),
    responses((status = 200, description = "The reason", body = LossReason)))]
#[patch("/loss-reasons/{id}")]
async fn update_loss_reason(
    command: Command<may::WritePipelines>,
    path: Path<IdPath>,
    body: Body<LossReasonPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| change(tx, path.id, &body.0)).await
}

fn create(tx: &mut Tx<'_>, input: &LossReasonIn) -> Result<LossReason> {
    let now = tx.now();
    let reason = LossReason {
        id: tx.mint(input.id),
        code: input.code.clone(),
        name: input.name.clone(),
        active: true,
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    diesel::insert_into(loss_reasons::table)
        .values(&reason)
        .execute(&mut **tx)?;
    tx.audit(None, &reason)?;
    Ok(reason)
}

fn change(tx: &mut Tx<'_>, id: Uuid, patch: &LossReasonPatch) -> Result<LossReason> {
    let before: LossReason = loss_reasons::table
        .find(id)
        .select(LossReason::as_select())
        .for_no_key_update()
        .first(&mut **tx)
        .or_not_found("loss reason")?;
    tx.require_match(&before)?;
    let mut after = before.clone();
    if let Some(name) = &patch.name {
        after.name.clone_from(name);
    }
    after.active = patch.active.unwrap_or(after.active);
    if after == before {
        return Ok(before);
    }
    after.revision += 1;
    after.updated_at = tx.now();
    diesel::update(loss_reasons::table.find(id))
        .set(&after)
        .execute(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

/// The name of a reason that a deal can be lost for.
///
/// # Errors
/// When the database refuses.
pub fn active(conn: &mut PgConnection, code: &str) -> QueryResult<Option<String>> {
    loss_reasons::table
        .filter(loss_reasons::code.eq(code).and(loss_reasons::active))
        .select(loss_reasons::name)
        .first(conn)
        .optional()
}
