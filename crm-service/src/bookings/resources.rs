//! Resources: what can be booked.

use super::hours::{self, HoursException, WorkingHours};
use crate::customers::model::set;
use crate::json::AsJson;
use crate::may;
use crate::schema::resources;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{IdPath, SearchText, present};
use service_kit::schema::users;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result,
    Routes, Sort, Tx, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// What kind of thing can be booked.
    ResourceKind { Room = "room", Person = "person", Equipment = "equipment" }
}

/// A room, a person or a thing that can be booked.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = resources, treat_none_as_null = true)]
#[schema(as = BookableResource)]
pub struct BookableResource {
    pub id: Uuid,
    pub name: String,
    pub kind: ResourceKind,
    pub description: Option<String>,
    /// Of a person: the user.
    pub user_id: Option<Uuid>,
    /// Of its wall clock, e.g. `Europe/Berlin`.
    pub time_zone: String,
    #[schema(value_type = Vec<WorkingHours>)]
    pub working_hours: AsJson<Vec<WorkingHours>>,
    #[schema(value_type = Vec<HoursException>)]
    pub exceptions: AsJson<Vec<HoursException>>,
    /// Whether it can be booked.
    pub active: bool,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for BookableResource {
    const PATH: &'static str = "resources";
    const TYPE: &'static str = "resource";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl BookableResource {
    pub fn zone(&self) -> Tz {
        self.time_zone.parse().unwrap_or(Tz::UTC)
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookableResourceIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Showroom")]
    pub name: String,
    pub kind: ResourceKind,
    #[schema(min_length = 1, max_length = 2_000)]
    pub description: Option<String>,
    /// Of a person: an active user.
    pub user_id: Option<Uuid>,
    /// The company's when absent.
    #[schema(min_length = 1, max_length = 60, example = "Europe/Berlin")]
    pub time_zone: Option<String>,
    #[schema(max_items = 70)]
    pub working_hours: Vec<WorkingHours>,
    #[serde(default)]
    #[schema(max_items = 1_000)]
    pub exceptions: Vec<HoursException>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookableResourcePatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 2_000)]
    pub description: Option<Option<String>>,
    #[schema(nullable = false, min_length = 1, max_length = 60)]
    pub time_zone: Option<String>,
    /// All of them from now on. What is booked stays booked.
    #[schema(nullable = false, max_items = 70)]
    pub working_hours: Option<Vec<WorkingHours>>,
    /// All of them from now on.
    #[schema(nullable = false, max_items = 1_000)]
    pub exceptions: Option<Vec<HoursException>>,
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ResourcesQuery {
    /// Finds the text anywhere in the name.
    q: Option<SearchText>,
    #[param(inline)]
    kind: Option<ResourceKind>,
    active: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `name`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_resources)
        .add(create_resource)
        .add(get_resource)
        .add(update_resource);
}

/// What can be booked.
#[utoipa::path(tag = "bookings", params(ResourcesQuery), security(("api_key" = ["resources:read"])),
    responses((status = 200, description = "A page of resources", body = Page<BookableResource>)))]
#[get("/resources")]
async fn list_resources(read: Read<may::ReadResources>, query: Query<ResourcesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = resources::table.select(BookableResource::as_select()).into_boxed();
        if let Some(q) = &query.q {
            rows = rows.filter(resources::name.ilike(q.contains()));
        }
        if let Some(kind) = query.kind {
            rows = rows.filter(resources::kind.eq(kind));
        }
        if let Some(active) = query.active {
            rows = rows.filter(resources::active.eq(active));
        }
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: resources::id as Uuid => |one: &BookableResource| one.id, [
            "name" => resources::name as String => |one: &BookableResource| one.name.clone(),
        ])
    })
    .await
}

/// Add a room, a person or a thing that can be booked.
#[utoipa::path(tag = "bookings", request_body = BookableResourceIn, security(("api_key" = ["resources:write"])),
    responses((status = 201, description = "The resource", body = BookableResource)))]
#[post("/resources")]
async fn create_resource(
    command: Command<may::WriteResources>,
    body: Body<BookableResourceIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

/// One resource, with its hours.
#[utoipa::path(tag = "bookings", params(IdPath), security(("api_key" = ["resources:read"])),
    responses((status = 200, description = "The resource", body = BookableResource)))]
#[get("/resources/{id}")]
async fn get_resource(read: Read<may::ReadResources>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| find(conn, path.id)).await
}

/// Change a resource and its hours, or take it out of use.
#[utoipa::path(tag = "bookings", params(IdPath), request_body = BookableResourcePatch,
    security(("api_key" = ["resources:write"])),
    responses((status = 200, description = "The resource", body = BookableResource)))]
#[patch("/resources/{id}")]
async fn update_resource(
    command: Command<may::WriteResources>,
    path: Path<IdPath>,
    body: Body<BookableResourcePatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| change(tx, path.id, &body.0)).await
}

pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<BookableResource> {
    let found = resources::table.find(id).select(BookableResource::as_select());
    found.first(conn).or_not_found("resource")
}

/// A resource, locked against other changes of it and of its bookings.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> QueryResult<Option<BookableResource>> {
    let found = resources::table.find(id).select(BookableResource::as_select());
    found.for_no_key_update().first(&mut **tx).optional()
}

fn create(tx: &mut Tx<'_>, input: &BookableResourceIn) -> Result<BookableResource> {
    let now = tx.now();
    let resource = BookableResource {
        id: tx.mint(input.id),
        name: input.name.clone(),
        kind: input.kind,
        description: input.description.clone(),
        user_id: input.user_id,
        time_zone: input.time_zone.clone().unwrap_or_else(|| tx.zone().to_owned()),
        working_hours: AsJson(input.working_hours.clone()),
        exceptions: AsJson(input.exceptions.clone()),
        active: true,
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    let mut faults = faults_of(&resource);
    if let Some(user) = input.user_id {
        if input.kind != ResourceKind::Person {
            faults.add("/user_id", "not_allowed", "only a person is a user");
        }
        let active = users::table.filter(users::id.eq(user).and(users::active));
        if active.select(users::id).first::<Uuid>(&mut **tx).optional()?.is_none() {
            faults.add("/user_id", "unknown_user", "there is no active user with this id");
        }
    }
    faults.check()?;
    diesel::insert_into(resources::table)
        .values(&resource)
        .execute(&mut **tx)?;
    tx.audit(None, &resource)?;
    Ok(resource)
}

fn change(tx: &mut Tx<'_>, id: Uuid, patch: &BookableResourcePatch) -> Result<BookableResource> {
    let before = lock(tx, id)?.ok_or_else(|| Problem::not_found("resource"))?;
    tx.require_match(&before)?;
    let mut after = before.clone();
    set(&mut after.name, &patch.name);
    set(&mut after.description, &patch.description);
    set(&mut after.time_zone, &patch.time_zone);
    set(&mut after.working_hours, &patch.working_hours.clone().map(AsJson));
    set(&mut after.exceptions, &patch.exceptions.clone().map(AsJson));
    set(&mut after.active, &patch.active);
    if after == before {
        return Ok(before);
    }
    faults_of(&after).check()?;
    after.revision += 1;
    after.updated_at = tx.now();
    diesel::update(resources::table.find(id))
        .set(&after)
        .execute(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

fn faults_of(resource: &BookableResource) -> Faults {
    let mut faults = Faults::default();
    if resource.time_zone.parse::<Tz>().is_err() {
        faults.add(
            "/time_zone",
            "unknown_time_zone",
            "there is no such time zone; an example is Europe/Berlin",
        );
    }
    hours::check(&resource.working_hours.0, &resource.exceptions.0, &mut faults);
    faults
}
