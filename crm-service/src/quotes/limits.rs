//! How much below the list price somebody may offer without being asked.
//!
//! A limit is for a user, a role, or for everybody who has none of those: the first that is there
//! counts. Without any, every discount asks for approval.

use super::stored::StoredQuote;
use crate::may;
use crate::schema::discount_limits;
use actix_web::{delete, get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_kit::http::IdPath;
use service_kit::{
    Actor, Answer, Body, Command, Cursor, Discount, Faults, Limit, OrNotFound, Page, Path, Problem, Query, Read,
    Resource, Result, Routes, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A limit to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscountLimitIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    /// For all of this role; or give a user, or neither for everybody who has no other.
    #[schema(min_length = 1, max_length = 60)]
    pub role: Option<String>,
    /// For this user alone.
    pub user_id: Option<Uuid>,
    /// As a fraction of the list price.
    pub max_discount: Discount,
}

/// Another limit for the same role or user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscountLimitPatch {
    #[schema(nullable = false)]
    pub max_discount: Option<Discount>,
}

/// How much discount may be offered without approval.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = discount_limits)]
pub struct DiscountLimit {
    pub id: Uuid,
    pub role: Option<String>,
    pub user_id: Option<Uuid>,
    /// As a fraction of the list price.
    pub max_discount: Discount,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for DiscountLimit {
    const PATH: &'static str = "discount-limits";
    const TYPE: &'static str = "discount_limit";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DiscountLimitsQuery {
    #[param(max_length = 60)]
    role: Option<String>,
    user_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_discount_limits)
        .add(create_discount_limit)
        .add(get_discount_limit)
        .add(update_discount_limit)
        .add(delete_discount_limit);
}

/// How much discount whom may be offered by without approval.
#[utoipa::path(tag = "quotes", params(DiscountLimitsQuery), security(("api_key" = ["quotes:read"])),
    responses((status = 200, description = "A page of limits", body = Page<DiscountLimit>)))]
#[get("/discount-limits")]
async fn list_discount_limits(
    read: Read<may::ReadQuotes>,
    query: Query<DiscountLimitsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = discount_limits::table.select(DiscountLimit::as_select()).into_boxed();
        if let Some(role) = &query.role {
            rows = rows.filter(discount_limits::role.eq(role.replace('\0', "")));
        }
        if let Some(user) = query.user_id {
            rows = rows.filter(discount_limits::user_id.eq(user));
        }
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: discount_limits::id as Uuid => |l: &DiscountLimit| l.id, [
            "created_at" => discount_limits::created_at as DateTime<Utc> => |l: &DiscountLimit| l.created_at,
        ])
    })
    .await
}

/// Set the limit of a role, of a user, or of everybody who has no other.
#[utoipa::path(tag = "quotes", request_body = DiscountLimitIn, security(("api_key" = ["discount_limits:write"])),
    responses((status = 201, description = "The limit", body = DiscountLimit)))]
#[post("/discount-limits")]
async fn create_discount_limit(
    command: Command<may::WriteDiscountLimits>,
    body: Body<DiscountLimitIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

/// One limit.
#[utoipa::path(tag = "quotes", params(IdPath), security(("api_key" = ["quotes:read"])),
    responses((status = 200, description = "The limit", body = DiscountLimit)))]
#[get("/discount-limits/{id}")]
async fn get_discount_limit(read: Read<may::ReadQuotes>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let found = discount_limits::table.find(path.id).select(DiscountLimit::as_select());
        found.first(conn).or_not_found("discount limit")
    })
    .await
}

/// Change a limit. It counts for what is sent from now on.
#[utoipa::path(tag = "quotes", params(IdPath), request_body = DiscountLimitPatch,
    security(("api_key" = ["discount_limits:write"])),
    responses((status = 200, description = "The limit", body = DiscountLimit)))]
#[patch("/discount-limits/{id}")]
async fn update_discount_limit(
    command: Command<may::WriteDiscountLimits>,
    path: Path<IdPath>,
    body: Body<DiscountLimitPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| change(tx, path.id, &body.0)).await
}

/// Take a limit away: the next one counts.
#[utoipa::path(tag = "quotes", params(IdPath), security(("api_key" = ["discount_limits:write"])),
    responses((status = 204, description = "It is gone")))]
#[delete("/discount-limits/{id}")]
async fn delete_discount_limit(
    command: Command<may::WriteDiscountLimits>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    command
        .answer(move |tx| {
            let limit = lock(tx, path.id)?;
            tx.match_if_given(&limit)?;
            diesel::delete(discount_limits::table.find(path.id)).execute(&mut **tx)?;
            let gone = json!({ "deleted": { "from": serde_json::to_value(&limit)?, "to": null } });
            tx.audit_changes(DiscountLimit::TYPE, limit.id, limit.revision + 1, gone);
            Ok(Answer::no_content())
        })
        .await
}

fn create(tx: &mut Tx<'_>, input: &DiscountLimitIn) -> Result<DiscountLimit> {
    let mut faults = Faults::default();
    if input.role.is_some() && input.user_id.is_some() {
        faults.add("/user_id", "ambiguous", "give a role or a user");
    }
    faults.check()?;
    let limit = DiscountLimit {
        id: tx.mint(input.id),
        role: input.role.clone(),
        user_id: input.user_id,
        max_discount: input.max_discount,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    diesel::insert_into(discount_limits::table)
        .values(&limit)
        .execute(&mut **tx)?;
    tx.audit(None, &limit)?;
    Ok(limit)
}

fn change(tx: &mut Tx<'_>, id: Uuid, patch: &DiscountLimitPatch) -> Result<DiscountLimit> {
    let before = lock(tx, id)?;
    tx.require_match(&before)?;
    let mut after = before.clone();
    after.max_discount = patch.max_discount.unwrap_or(after.max_discount);
    if after == before {
        return Ok(before);
    }
    after.revision += 1;
    after.updated_at = tx.now();
    diesel::update(discount_limits::table.find(id))
        .set(&after)
        .execute(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<DiscountLimit> {
    discount_limits::table
        .find(id)
        .select(DiscountLimit::as_select())
        .for_update()
        .first(&mut **tx)
        .or_not_found("discount limit")
}

/// How much somebody may offer, or let pass.
///
/// # Errors
/// When the database refuses.
pub fn of(conn: &mut PgConnection, actor: &Actor) -> QueryResult<Discount> {
    of_person(conn, actor.user.map(|user| user.id), actor.role.name)
}

/// The same of somebody who is not acting.
///
/// # Errors
/// When the database refuses.
pub fn of_person(conn: &mut PgConnection, user: Option<Uuid>, role: &str) -> QueryResult<Discount> {
    let rows: Vec<DiscountLimit> = discount_limits::table
        .filter(
            discount_limits::user_id
                .is_not_distinct_from(user)
                .and(discount_limits::role.is_null())
                .or(discount_limits::role.eq(role))
                .or(discount_limits::role.is_null().and(discount_limits::user_id.is_null())),
        )
        .select(DiscountLimit::as_select())
        .load(conn)?;
    let narrowest = rows
        .into_iter()
        .max_by_key(|limit| (limit.user_id.is_some(), limit.role.is_some()));
    Ok(narrowest.map(|limit| limit.max_discount).unwrap_or_default())
}

/// Refuses to offer more discount than the actor may, unless somebody has let it pass.
///
/// # Errors
/// 409 `approval_required`, naming the lines.
pub fn require(tx: &mut Tx<'_>, quote: &StoredQuote) -> Result<()> {
    let actor = tx.actor().clone();
    let limit = of(tx, &actor)?;
    if quote.row.greatest_discount <= limit || quote.approval().is_some() {
        return Ok(());
    }
    let beyond = quote.lines.iter().filter(|line| line.discount_from_list() > limit);
    let lines: Vec<_> = beyond
        .map(
            |line| json!({ "id": line.id, "position": line.position, "discount_from_list": line.discount_from_list() }),
        )
        .collect();
    let detail = format!(
        "{} is more discount than the {limit} that you may offer without approval",
        quote.row.greatest_discount
    );
    Err(Problem::conflict("approval_required", detail)
        .fact("max_discount", json!(limit))
        .fact("greatest_discount", json!(quote.row.greatest_discount))
        .fact("lines", lines)
        .into())
}
