//! Plans as records: one for each user or team, month and kind.

use super::{PlanKind, PlanOf};
use crate::may;
use crate::schema::plans;
use actix_web::{delete, get, patch, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::IdPath;
use service_kit::{
    Amount, Answer, Body, Command, Cursor, Faults, Limit, OrNotFound, Owned, Page, Path, Problem, Query, Read,
    Resource, Result, Routes, Sort, Tx, keyset_page, visible,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What is to be reached in a month.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = plans)]
pub struct Plan {
    pub id: Uuid,
    pub of: PlanOf,
    /// Of a user: who.
    pub owner_id: Option<Uuid>,
    /// The team; of a user, theirs when the plan was made.
    pub team_id: Option<Uuid>,
    /// First day of the month.
    pub month: NaiveDate,
    pub kind: PlanKind,
    /// Of revenue in the company's currency, else how many.
    pub target: Amount,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Plan {
    const PATH: &'static str = "plans";
    const TYPE: &'static str = "plan";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

/// A plan to be made, of a user or of a team.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    /// An active user; or `team_id`.
    pub owner_id: Option<Uuid>,
    /// A team; or `owner_id`.
    pub team_id: Option<Uuid>,
    #[schema(
        min_length = 7,
        max_length = 7,
        pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$",
        example = "2026-11"
    )]
    pub month: String,
    pub kind: PlanKind,
    /// Not negative; of revenue in the company's currency, else a whole number.
    pub target: Amount,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanPatch {
    #[schema(nullable = false)]
    pub target: Option<Amount>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PlansQuery {
    #[param(inline)]
    of: Option<PlanOf>,
    owner_id: Option<Uuid>,
    team_id: Option<Uuid>,
    #[param(inline)]
    kind: Option<PlanKind>,
    /// Of a month that begins on this day or later.
    from: Option<NaiveDate>,
    /// Of a month that begins on this day or earlier.
    to: Option<NaiveDate>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `month`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_plans)
        .add(create_plan)
        .add(get_plan)
        .add(update_plan)
        .add(delete_plan);
}

/// Plans, as far as the caller sees them.
#[utoipa::path(tag = "plans", params(PlansQuery), security(("api_key" = ["plans:read"])),
    responses((status = 200, description = "A page of plans", body = Page<Plan>)))]
#[get("/plans")]
async fn list_plans(read: Read<may::ReadPlans>, query: Query<PlansQuery>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        let mut rows = plans::table.select(Plan::as_select()).into_boxed();
        rows = rows.filter(visible!(&sight, plans));
        if let Some(of) = query.of {
            rows = rows.filter(plans::of.eq(of));
        }
        if let Some(owner) = query.owner_id {
            rows = rows.filter(plans::owner_id.eq(owner));
        }
        if let Some(team) = query.team_id {
            rows = rows.filter(plans::team_id.eq(team));
        }
        if let Some(kind) = query.kind {
            rows = rows.filter(plans::kind.eq(kind));
        }
        if let Some(from) = query.from {
            rows = rows.filter(plans::month.ge(from));
        }
        if let Some(to) = query.to {
            rows = rows.filter(plans::month.le(to));
        }
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort, id: plans::id as Uuid => |p: &Plan| p.id, [
            "created_at" => plans::created_at as DateTime<Utc> => |p: &Plan| p.created_at,
            "month" => plans::month as NaiveDate => |p: &Plan| p.month,
        ])
    })
    .await
}

/// Plan what a user or a team is to reach in a month.
#[utoipa::path(tag = "plans", request_body = PlanIn, security(("api_key" = ["plans:write"])),
    responses((status = 201, description = "The plan", body = Plan)))]
#[post("/plans")]
async fn create_plan(command: Command<may::WritePlans>, body: Body<PlanIn>) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

/// One plan.
#[utoipa::path(tag = "plans", params(IdPath), security(("api_key" = ["plans:read"])),
    responses((status = 200, description = "The plan", body = Plan)))]
#[get("/plans/{id}")]
async fn get_plan(read: Read<may::ReadPlans>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| {
        let plan: Plan = plans::table
            .find(path.id)
            .select(Plan::as_select())
            .first(conn)
            .or_not_found("plan")?;
        match sight.covers(plan.owner_id, plan.team_id) {
            true => Ok(plan),
            false => Err(Problem::not_found("plan").into()),
        }
    })
    .await
}

/// Change what is to be reached.
#[utoipa::path(tag = "plans", params(IdPath), request_body = PlanPatch, security(("api_key" = ["plans:write"])),
    responses((status = 200, description = "The plan", body = Plan)))]
#[patch("/plans/{id}")]
async fn update_plan(
    command: Command<may::WritePlans>,
    path: Path<IdPath>,
    body: Body<PlanPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| change(tx, path.id, &body.0)).await
}

/// Take a plan back.
#[utoipa::path(tag = "plans", params(IdPath), security(("api_key" = ["plans:write"])),
    responses((status = 204, description = "There is no such plan any more")))]
#[delete("/plans/{id}")]
async fn delete_plan(command: Command<may::WritePlans>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command
        .answer(move |tx| {
            let plan = locked(tx, path.id)?;
            tx.match_if_given(&plan)?;
            diesel::delete(plans::table.find(plan.id)).execute(&mut **tx)?;
            let gone = serde_json::json!({ "target": { "from": plan.target, "to": null } });
            tx.audit_changes(Plan::TYPE, plan.id, plan.revision + 1, gone);
            Ok(Answer::no_content())
        })
        .await
}

fn create(tx: &mut Tx<'_>, input: &PlanIn) -> Result<Plan> {
    let mut faults = Faults::default();
    let of = match (input.owner_id, input.team_id) {
        (Some(_), None) => PlanOf::User,
        (None, Some(_)) => PlanOf::Team,
        _ => {
            faults.add(
                "/owner_id",
                "one_of",
                "a plan is of a user or of a team: give one of owner_id and team_id",
            );
            PlanOf::User
        }
    };
    let owned = Owned::given(tx, input.owner_id, input.team_id, &mut faults)?.unwrap_or_default();
    let month = NaiveDate::parse_from_str(&format!("{}-01", input.month), "%Y-%m-%d").ok();
    let Some(month) = month else {
        faults.add("/month", "invalid", "expected a month such as 2026-11");
        return Err(refusal(faults));
    };
    check_target(input.kind, input.target, &mut faults);
    faults.check()?;
    // What somebody may not see they do not plan either.
    if !tx.sight().covers(owned.owner_id, owned.team_id) {
        return Err(Problem::rule("unknown_user", "there is no such user or team in sight").into());
    }
    let plan = Plan {
        id: tx.mint(input.id),
        of,
        owner_id: owned.owner_id,
        team_id: owned.team_id,
        month,
        kind: input.kind,
        target: input.target,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    diesel::insert_into(plans::table).values(&plan).execute(&mut **tx)?;
    tx.audit(None, &plan)?;
    Ok(plan)
}

fn refusal(faults: Faults) -> service_kit::Error {
    match faults.check() {
        Err(problem) => problem.into(),
        Ok(()) => service_kit::Error::Bug("a refusal without a fault".to_owned()),
    }
}

fn check_target(kind: PlanKind, target: Amount, faults: &mut Faults) {
    if target < Amount::ZERO {
        faults.add("/target", "out_of_range", "must not be negative");
    } else if kind != PlanKind::Revenue && !target.value().is_integer() {
        faults.add("/target", "out_of_range", "must be a whole number");
    }
}

/// The plan that a command is about, as its actor may see it.
fn locked(tx: &mut Tx<'_>, id: Uuid) -> Result<Plan> {
    let plan: Plan = plans::table
        .find(id)
        .select(Plan::as_select())
        .for_update()
        .first(&mut **tx)
        .or_not_found("plan")?;
    match tx.sight().covers(plan.owner_id, plan.team_id) {
        true => Ok(plan),
        false => Err(Problem::not_found("plan").into()),
    }
}

fn change(tx: &mut Tx<'_>, id: Uuid, patch: &PlanPatch) -> Result<Plan> {
    let before = locked(tx, id)?;
    tx.require_match(&before)?;
    let mut after = before.clone();
    after.target = patch.target.unwrap_or(after.target);
    let mut faults = Faults::default();
    check_target(after.kind, after.target, &mut faults);
    faults.check()?;
    if after == before {
        return Ok(before);
    }
    after.revision += 1;
    after.updated_at = tx.now();
    diesel::update(plans::table.find(id)).set(&after).execute(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}
