//! Which tier a grade of the CRM means, from which day on; without a grade it is the default.
//!
//! An order is priced by the grade in force on its date and by what that grade meant on that day, so
//! entering it late changes nothing.

use crate::may;
use crate::schema::grade_tiers;
use actix_web::{get, patch, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{SearchText, present};
use service_kit::{
    Answer, Body, Command, Cursor, IdPath, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result,
    Routes, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What a grade means from a day on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = grade_tiers)]
pub struct GradeTier {
    pub id: Uuid,
    /// `null`: the default, for customers whose grade means nothing.
    pub grade: Option<String>,
    /// `null`: no tier any more.
    pub tier: Option<String>,
    /// First day; `null`: from the beginning.
    pub valid_from: Option<NaiveDate>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GradeTierIn {
    pub id: Option<Uuid>,
    /// As the CRM calls it; absent: the default.
    #[schema(min_length = 1, max_length = 60, pattern = r"\S")]
    pub grade: Option<String>,
    /// Absent: from that day on no tier.
    #[schema(min_length = 1, max_length = 60, pattern = r"\S")]
    pub tier: Option<String>,
    /// First day; absent: from the beginning.
    pub valid_from: Option<NaiveDate>,
}

/// Grade and first day stay: another day is another entry.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GradeTierPatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 60, pattern = r"\S")]
    pub tier: Option<Option<String>>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct GradeTiersQuery {
    grade: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for GradeTier {
    const PATH: &'static str = "grade-tiers";
    const TYPE: &'static str = "grade_tier";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_grade_tiers)
        .add(create_grade_tier)
        .add(get_grade_tier)
        .add(update_grade_tier);
}

/// What grades mean, from which day on.
#[utoipa::path(tag = "pricing", params(GradeTiersQuery), security(("api_key" = ["price_lists:read"])),
    responses((status = 200, description = "A page of grade tiers", body = Page<GradeTier>)))]
#[get("/grade-tiers")]
async fn list_grade_tiers(read: Read<may::ReadPriceLists>, query: Query<GradeTiersQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = grade_tiers::table.select(GradeTier::as_select()).into_boxed();
        if let Some(grade) = &query.grade {
            found = found.filter(grade_tiers::grade.eq(grade.as_str()));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: grade_tiers::id as Uuid => |g: &GradeTier| g.id, [
            "created_at" => grade_tiers::created_at as DateTime<Utc> => |g: &GradeTier| g.created_at,
        ])
    })
    .await
}

/// Say which tier a grade means, from a day on.
#[utoipa::path(tag = "pricing", request_body = GradeTierIn, security(("api_key" = ["price_lists:write"])),
    responses((status = 201, description = "The grade tier", body = GradeTier)))]
#[post("/grade-tiers")]
async fn create_grade_tier(command: Command<may::WritePriceLists>, body: Body<GradeTierIn>) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

#[utoipa::path(tag = "pricing", params(IdPath), security(("api_key" = ["price_lists:read"])),
    responses((status = 200, description = "The grade tier", body = GradeTier)))]
#[get("/grade-tiers/{id}")]
async fn get_grade_tier(read: Read<may::ReadPriceLists>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let found = grade_tiers::table.find(path.id).select(GradeTier::as_select());
        found.first(conn).or_not_found("grade tier")
    })
    .await
}

/// Correct the tier that a grade means. Orders keep the prices that they were confirmed with.
#[utoipa::path(tag = "pricing", params(IdPath), request_body(content = GradeTierPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["price_lists:write"])), responses((status = 200, description = "The changed grade tier", body = GradeTier)))]
#[patch("/grade-tiers/{id}")]
async fn update_grade_tier(
    command: Command<may::WritePriceLists>,
    path: Path<IdPath>,
    body: Body<GradeTierPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, path.id, &body.0)).await
}

fn create(tx: &mut Tx<'_>, input: &GradeTierIn) -> Result<GradeTier> {
    let made = GradeTier {
        id: tx.mint(input.id),
        grade: input.grade.clone(),
        tier: input.tier.clone(),
        valid_from: input.valid_from,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    diesel::insert_into(grade_tiers::table)
        .values((
            grade_tiers::id.eq(made.id),
            grade_tiers::grade.eq(&made.grade),
            grade_tiers::tier.eq(&made.tier),
            grade_tiers::valid_from.eq(made.valid_from),
            grade_tiers::created_at.eq(made.created_at),
            grade_tiers::updated_at.eq(made.updated_at),
        ))
        .execute(&mut **tx)?;
    tx.audit(None, &made)?;
    Ok(made)
}

fn update(tx: &mut Tx<'_>, id: Uuid, patch: &GradeTierPatch) -> Result<GradeTier> {
    let before: GradeTier = grade_tiers::table
        .find(id)
        .for_update()
        .select(GradeTier::as_select())
        .first(&mut **tx)
        .or_not_found("grade tier")?;
    tx.require_match(&before)?;
    let Some(tier) = patch.tier.as_ref().filter(|tier| **tier != before.tier) else {
        return Ok(before);
    };
    let after: GradeTier = diesel::update(grade_tiers::table.find(id))
        .set((
            grade_tiers::tier.eq(tier),
            grade_tiers::revision.eq(grade_tiers::revision + 1),
            grade_tiers::updated_at.eq(tx.now()),
        ))
        .returning(GradeTier::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}
