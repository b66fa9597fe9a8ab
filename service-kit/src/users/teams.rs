//! Teams: a tree. Who sees their team's records sees those of the teams below it as well.

use super::{ManageUsers, ReadUsers};
use crate::command::{Command, OrNotFound, Read};
use crate::db::sql;
use crate::http::{Answer, Body, IdPath, Path, Query, Resource, SearchText, present};
use crate::keyset_page;
use crate::openapi::Routes;
use crate::paging::{Cursor, Limit, Page, Sort};
use crate::problem::{Faults, Problem, Result};
use crate::schema::teams;
use crate::server::Kit;
use crate::tx::Tx;
use actix_web::{get, patch, post, web};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TeamIn {
    /// Minted here when absent.
    id: Option<Uuid>,
    /// Unique.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    name: String,
    /// The team that this one is a part of.
    parent_id: Option<Uuid>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TeamPatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    parent_id: Option<Option<Uuid>>,
}

/// People who work together.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = teams, treat_none_as_null = true)]
pub struct Team {
    pub id: Uuid,
    pub name: String,
    /// The team that this one is a part of.
    pub parent_id: Option<Uuid>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Team {
    const PATH: &'static str = "teams";
    const TYPE: &'static str = "team";
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
struct TeamsQuery {
    /// Part of the name.
    q: Option<SearchText>,
    /// Teams directly below this one.
    parent_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `name` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub(super) fn routes(routes: &mut Routes) {
    routes.add(list_teams).add(create_team).add(get_team).add(update_team);
}

#[utoipa::path(tag = "users", params(TeamsQuery), security(("api_key" = ["users:read"])),
    responses((status = 200, description = "A page of teams", body = Page<Team>)))]
#[get("/teams")]
async fn list_teams(read: Read<ReadUsers>, query: Query<TeamsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = teams::table.select(Team::as_select()).into_boxed();
        if let Some(text) = &query.q {
            rows = rows.filter(teams::name.ilike(text.contains()));
        }
        if let Some(parent) = query.parent_id {
            rows = rows.filter(teams::parent_id.eq(parent));
        }
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort, id: teams::id as Uuid => |t: &Team| t.id, [
            "name" => teams::name as String => |t: &Team| t.name.clone(),
            "created_at" => teams::created_at as DateTime<Utc> => |t: &Team| t.created_at,
        ])
    })
    .await
}

#[utoipa::path(tag = "users", request_body = TeamIn, security(("api_key" = ["users:manage"])),
    responses((status = 201, description = "The team", body = Team)))]
#[post("/teams")]
async fn create_team(
    command: Command<ManageUsers>,
    kit: web::Data<Kit>,
    body: Body<TeamIn>,
) -> Result<Answer, Problem> {
    let made = command.create(move |tx| create(tx, &body.0)).await;
    kit.recent_keys.forget();
    made
}

#[utoipa::path(tag = "users", params(IdPath), security(("api_key" = ["users:read"])),
    responses((status = 200, description = "The team", body = Team)))]
#[get("/teams/{id}")]
async fn get_team(read: Read<ReadUsers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| find(conn, path.id)).await
}

/// Rename a team, or make it a part of another: its people see what that changes at once.
#[utoipa::path(tag = "users", params(IdPath), request_body = TeamPatch, security(("api_key" = ["users:manage"])),
    responses((status = 200, description = "The team", body = Team)))]
#[patch("/teams/{id}")]
async fn update_team(
    command: Command<ManageUsers>,
    kit: web::Data<Kit>,
    path: Path<IdPath>,
    body: Body<TeamPatch>,
) -> Result<Answer, Problem> {
    let changed = command.run(move |tx| change(tx, path.id, &body.0)).await;
    kit.recent_keys.forget();
    changed
}

fn find(conn: &mut PgConnection, id: Uuid) -> Result<Team> {
    teams::table
        .find(id)
        .select(Team::as_select())
        .first(conn)
        .or_not_found("team")
}

/// Two changes of the tree, each without a cycle, may make one together: so one at a time. Records
/// get their teams meanwhile, which only asks whether the row is there.
fn hold_the_tree(tx: &mut Tx<'_>) -> Result<()> {
    Ok(tx.batch_execute("LOCK TABLE teams IN SHARE ROW EXCLUSIVE MODE")?)
}

fn create(tx: &mut Tx<'_>, input: &TeamIn) -> Result<Team> {
    let team = Team {
        id: tx.mint(input.id),
        name: input.name.clone(),
        parent_id: input.parent_id,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    hold_the_tree(tx)?;
    check_parent(tx, &team)?;
    diesel::insert_into(teams::table).values(&team).execute(&mut **tx)?;
    tx.audit(None, &team)?;
    Ok(team)
}

fn change(tx: &mut Tx<'_>, id: Uuid, patch: &TeamPatch) -> Result<Team> {
    hold_the_tree(tx)?;
    let before = find(tx, id)?;
    tx.require_match(&before)?;
    let mut after = before.clone();
    after.name = patch.name.clone().unwrap_or(after.name);
    after.parent_id = patch.parent_id.unwrap_or(after.parent_id);
    if after == before {
        return Ok(before);
    }
    check_parent(tx, &after)?;
    after.revision += 1;
    after.updated_at = tx.now();
    diesel::update(teams::table.find(id)).set(&after).execute(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

#[derive(QueryableByName)]
struct Parent {
    #[diesel(sql_type = Bool)]
    known: bool,
    #[diesel(sql_type = Bool)]
    below: bool,
}

/// The parent exists, and is neither the team itself nor anywhere below it.
fn check_parent(tx: &mut Tx<'_>, team: &Team) -> Result<()> {
    let Some(parent) = team.parent_id else {
        return Ok(());
    };
    let found: Parent = sql("WITH RECURSIVE above AS (
             SELECT id, parent_id FROM teams WHERE id = $1
             UNION SELECT t.id, t.parent_id FROM teams t JOIN above ON above.parent_id = t.id)
         SELECT EXISTS (SELECT FROM above) AS known, $2 IN (SELECT id FROM above) AS below")
    .bind::<SqlUuid, _>(parent)
    .bind::<SqlUuid, _>(team.id)
    .row(tx)?;
    let mut faults = Faults::default();
    if parent == team.id || found.below {
        faults.add(
            "/parent_id",
            "team_cycle",
            "a team cannot be a part of itself or of a team below it",
        );
    } else if !found.known {
        faults.add("/parent_id", "unknown_team", "there is no team with this id");
    }
    Ok(faults.check()?)
}
