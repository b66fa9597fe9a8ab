//! Units of measure: a code such as `pcs`, `kg` or `h`, and its name.

use crate::may;
use crate::schema::units;
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::{
    Answer, Body, Command, Cursor, IdPath, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result,
    Routes, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A unit of measure. Documents name it by its code.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = units)]
pub struct Unit {
    pub id: Uuid,
    #[schema(example = "kg")]
    pub code: String,
    pub name: String,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitIn {
    #[schema(min_length = 1, max_length = 20, pattern = r"^\S+$", example = "crate")]
    pub code: String,
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub name: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct UnitsQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `code` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for Unit {
    const PATH: &'static str = "units";
    const TYPE: &'static str = "unit";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub fn routes(routes: &mut Routes) {
    routes.add(list_units).add(create_unit).add(get_unit);
}

#[utoipa::path(tag = "catalog", params(UnitsQuery), security(("api_key" = ["units:read"])),
    responses((status = 200, description = "A page of units", body = Page<Unit>)))]
#[get("/units")]
async fn list_units(read: Read<may::ReadUnits>, query: Query<UnitsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let found = units::table.select(Unit::as_select()).into_boxed();
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: units::id as Uuid => |u: &Unit| u.id, [
            "code" => units::code as String => |u: &Unit| u.code.clone(),
            "created_at" => units::created_at as DateTime<Utc> => |u: &Unit| u.created_at,
        ])
    })
    .await
}

/// Add a unit of measure; the common ones are there.
#[utoipa::path(tag = "catalog", request_body = UnitIn, security(("api_key" = ["units:write"])),
    responses((status = 201, description = "The unit", body = Unit)))]
#[post("/units")]
async fn create_unit(command: Command<may::WriteUnits>, body: Body<UnitIn>) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

#[utoipa::path(tag = "catalog", params(IdPath), security(("api_key" = ["units:read"])),
    responses((status = 200, description = "The unit", body = Unit)))]
#[get("/units/{id}")]
async fn get_unit(read: Read<may::ReadUnits>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        units::table
            .find(path.id)
            .select(Unit::as_select())
            .first(conn)
            .or_not_found("unit")
    })
    .await
}

fn create(tx: &mut Tx<'_>, input: &UnitIn) -> Result<Unit> {
    let unit: Unit = diesel::insert_into(units::table)
        .values((
            units::id.eq(tx.mint(None)),
            units::code.eq(&input.code),
            units::name.eq(&input.name),
            units::created_at.eq(tx.now()),
        ))
        .returning(Unit::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(None, &unit)?;
    Ok(unit)
}

/// Whether there is a unit with this code.
///
/// # Errors
/// When the database refuses.
pub(super) fn is_known(conn: &mut PgConnection, code: &str) -> QueryResult<bool> {
    diesel::select(exists(units::table.filter(units::code.eq(code)))).get_result(conn)
}

/// Which of these codes are units.
///
/// # Errors
/// When the database refuses.
pub fn known(conn: &mut PgConnection, codes: &[&str]) -> QueryResult<std::collections::HashSet<String>> {
    let known = units::table.filter(units::code.eq_any(codes)).select(units::code);
    Ok(known.load(conn)?.into_iter().collect())
}
