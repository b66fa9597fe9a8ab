//! Locations within a warehouse: bins, shelves. What lies in them is told by moves; moving goods
//! between them changes no value, see `POST /v1/relocations`.

use super::warehouses;
use crate::may;
use crate::schema::locations;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{IdPath, SearchText};
use service_kit::{
    Answer, Body, Command, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result,
    Routes, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A place within a warehouse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = locations)]
pub struct Location {
    pub id: Uuid,
    pub warehouse_id: Uuid,
    /// Unique in its warehouse; goods are taken from locations in the order of their codes.
    pub code: String,
    pub name: String,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LocationIn {
    pub id: Option<Uuid>,
    pub warehouse_id: Uuid,
    #[schema(min_length = 1, max_length = 40, pattern = r"\S")]
    pub code: String,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LocationPatch {
    #[schema(min_length = 1, max_length = 40, pattern = r"\S", nullable = false)]
    pub code: Option<String>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LocationsQuery {
    warehouse_id: Option<Uuid>,
    /// Finds in code and name.
    q: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `code` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for Location {
    const PATH: &'static str = "locations";
    const TYPE: &'static str = "location";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_locations)
        .add(create_location)
        .add(get_location)
        .add(update_location);
}

#[utoipa::path(tag = "inventory", params(LocationsQuery), security(("api_key" = ["warehouses:read"])),
    responses((status = 200, description = "A page of locations", body = Page<Location>)))]
#[get("/locations")]
async fn list_locations(read: Read<may::ReadWarehouses>, query: Query<LocationsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = locations::table.select(Location::as_select()).into_boxed();
        if let Some(warehouse) = query.warehouse_id {
            found = found.filter(locations::warehouse_id.eq(warehouse));
        }
        if let Some(text) = &query.q {
            let pattern = text.contains();
            found = found.filter(locations::code.ilike(pattern.clone()).or(locations::name.ilike(pattern)));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: locations::id as Uuid => |l: &Location| l.id, [
            "code" => locations::code as String => |l: &Location| l.code.clone(),
            "created_at" => locations::created_at as DateTime<Utc> => |l: &Location| l.created_at,
        ])
    })
    .await
}

#[utoipa::path(tag = "inventory", request_body = LocationIn, security(("api_key" = ["warehouses:write"])),
    responses((status = 201, description = "The location", body = Location)))]
#[post("/locations")]
async fn create_location(command: Command<may::WriteWarehouses>, body: Body<LocationIn>) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

#[utoipa::path(tag = "inventory", params(IdPath), security(("api_key" = ["warehouses:read"])),
    responses((status = 200, description = "The location", body = Location)))]
#[get("/locations/{id}")]
async fn get_location(read: Read<may::ReadWarehouses>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        locations::table
            .find(path.id)
            .select(Location::as_select())
            .first(conn)
            .or_not_found("location")
    })
    .await
}

#[utoipa::path(tag = "inventory", params(IdPath), request_body(content = LocationPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["warehouses:write"])), responses((status = 200, description = "The changed location", body = Location)))]
#[patch("/locations/{id}")]
async fn update_location(
    command: Command<may::WriteWarehouses>,
    path: Path<IdPath>,
    body: Body<LocationPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, path.id, &body.0)).await
}

fn create(tx: &mut Tx<'_>, input: &LocationIn) -> Result<Location> {
    let mut faults = Faults::default();
    if !warehouses::exists(tx, input.warehouse_id)? {
        faults.add("/warehouse_id", "unknown_warehouse", "there is no such warehouse");
    }
    faults.check()?;
    let location: Location = diesel::insert_into(locations::table)
        .values((
            locations::id.eq(tx.mint(input.id)),
            locations::warehouse_id.eq(input.warehouse_id),
            locations::code.eq(&input.code),
            locations::name.eq(&input.name),
            locations::created_at.eq(tx.now()),
            locations::updated_at.eq(tx.now()),
        ))
        .returning(Location::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(None, &location)?;
    Ok(location)
}

fn update(tx: &mut Tx<'_>, id: Uuid, patch: &LocationPatch) -> Result<Location> {
    let before: Location = locations::table
        .find(id)
        .for_update()
        .select(Location::as_select())
        .first(&mut **tx)
        .or_not_found("location")?;
    tx.require_match(&before)?;
    let code = patch.code.as_ref().unwrap_or(&before.code);
    let name = patch.name.as_ref().unwrap_or(&before.name);
    if (code, name) == (&before.code, &before.name) {
        return Ok(before);
    }
    let after: Location = diesel::update(locations::table.find(id))
        .set((
            locations::code.eq(code),
            locations::name.eq(name),
            locations::revision.eq(locations::revision + 1),
            locations::updated_at.eq(tx.now()),
        ))
        .returning(Location::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}
