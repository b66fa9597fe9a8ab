//! Scoring rules: conditions with points. A score is the sum of the rules that apply, and says so.
//!
//! The conditions are those of [`crate::filter`]. Whoever writes a lead holds the rules (a shared lock),
//! whoever changes a rule waits for them and then computes all scores anew: so each lead has the score of the
//! rules as they are. A converted lead keeps the score that it had.

use super::model::LeadRow;
use crate::filter::fragment::Bound;
use crate::filter::{Filter, Fragment, SCORED_LEADS, Scope};
use crate::json::AsJson;
use crate::may;
use crate::schema::lead_scoring_rules::{self, dsl};
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_kit::db::sql;
use service_kit::http::IdPath;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result,
    Routes, Sight, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What a rule gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScorePart {
    pub rule_id: Uuid,
    /// Of the rule.
    pub name: String,
    pub points: i32,
}

/// Points for the leads that a condition finds.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = lead_scoring_rules)]
pub struct LeadScoringRule {
    pub id: Uuid,
    pub name: String,
    /// In the language of filters.
    pub condition: String,
    pub points: i32,
    pub active: bool,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for LeadScoringRule {
    const PATH: &'static str = "lead-scoring-rules";
    const TYPE: &'static str = "lead_scoring_rule";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadScoringRuleIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Came to the fair")]
    pub name: String,
    /// In the language of filters; score, state, owner and team are not looked at.
    #[schema(
        min_length = 1,
        max_length = 4_000,
        example = r#"touches.source has "fair" and email is not empty"#
    )]
    pub condition: String,
    /// Not 0.
    #[schema(minimum = -1_000, maximum = 1_000)]
    pub points: i32,
    /// `true` when absent.
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadScoringRulePatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    #[schema(nullable = false, min_length = 1, max_length = 4_000)]
    pub condition: Option<String>,
    #[schema(nullable = false, minimum = -1_000, maximum = 1_000)]
    pub points: Option<i32>,
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

/// So many rules are looked at for every lead.
const MOST: i64 = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LeadScoringRulesQuery {
    active: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_lead_scoring_rules)
        .add(create_lead_scoring_rule)
        .add(get_lead_scoring_rule)
        .add(update_lead_scoring_rule);
}

/// The rules that score leads.
#[utoipa::path(tag = "lead rules", params(LeadScoringRulesQuery), security(("api_key" = ["lead_rules:read"])),
    responses((status = 200, description = "A page of rules", body = Page<LeadScoringRule>)))]
#[get("/lead-scoring-rules")]
async fn list_lead_scoring_rules(
    read: Read<may::ReadLeadRules>,
    query: Query<LeadScoringRulesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = lead_scoring_rules::table
            .select(LeadScoringRule::as_select())
            .into_boxed();
        if let Some(active) = query.active {
            rows = rows.filter(dsl::active.eq(active));
        }
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: lead_scoring_rules::id as Uuid => |rule: &LeadScoringRule| rule.id, [
            "created_at" => lead_scoring_rules::created_at as DateTime<Utc> => |rule: &LeadScoringRule| rule.created_at,
        ])
    })
    .await
}

/// Add a scoring rule. All leads that are not converted are scored anew.
#[utoipa::path(tag = "lead rules", request_body = LeadScoringRuleIn, security(("api_key" = ["lead_rules:write"])),
    responses((status = 201, description = "The rule", body = LeadScoringRule)))]
#[post("/lead-scoring-rules")]
async fn create_lead_scoring_rule(
    command: Command<may::WriteLeadRules>,
    body: Body<LeadScoringRuleIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

/// One scoring rule.
#[utoipa::path(tag = "lead rules", params(IdPath), security(("api_key" = ["lead_rules:read"])),
    responses((status = 200, description = "The rule", body = LeadScoringRule)))]
#[get("/lead-scoring-rules/{id}")]
async fn get_lead_scoring_rule(read: Read<may::ReadLeadRules>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let found = lead_scoring_rules::table
            .find(path.id)
            .select(LeadScoringRule::as_select());
        found.first(conn).or_not_found("scoring rule")
    })
    .await
}

/// Change a scoring rule, or make it inactive. All leads that are not converted are scored anew.
#[utoipa::path(tag = "lead rules", params(IdPath), request_body = LeadScoringRulePatch,
    security(("api_key" = ["lead_rules:write"])),
    responses((status = 200, description = "The rule", body = LeadScoringRule)))]
#[patch("/lead-scoring-rules/{id}")]
async fn update_lead_scoring_rule(
    command: Command<may::WriteLeadRules>,
    path: Path<IdPath>,
    body: Body<LeadScoringRulePatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| change(tx, path.id, &body.0)).await
}

const RULES: i64 = 0x6c65_6164_7275_6c65;

/// Keeps the rules as they are until the end of the transaction.
pub fn hold(conn: &mut PgConnection) -> QueryResult<()> {
    sql("SELECT pg_advisory_xact_lock_shared($1)")
        .bind::<BigInt, _>(RULES)
        .run(conn)?;
    Ok(())
}

/// Waits for all who hold the rules.
fn take(conn: &mut PgConnection) -> QueryResult<()> {
    sql("SELECT pg_advisory_xact_lock($1)")
        .bind::<BigInt, _>(RULES)
        .run(conn)?;
    Ok(())
}

fn create(tx: &mut Tx<'_>, input: &LeadScoringRuleIn) -> Result<LeadScoringRule> {
    let now = tx.now();
    let rule = LeadScoringRule {
        id: tx.mint(input.id),
        name: input.name.clone(),
        condition: input.condition.clone(),
        points: input.points,
        active: input.active.unwrap_or(true),
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    check(tx, &rule)?;
    take(tx)?;
    diesel::insert_into(lead_scoring_rules::table)
        .values(&rule)
        .execute(&mut **tx)?;
    tx.audit(None, &rule)?;
    score_all(tx, &rule)?;
    Ok(rule)
}

fn change(tx: &mut Tx<'_>, id: Uuid, patch: &LeadScoringRulePatch) -> Result<LeadScoringRule> {
    take(tx)?;
    let before: LeadScoringRule = lead_scoring_rules::table
        .find(id)
        .select(LeadScoringRule::as_select())
        .for_no_key_update()
        .first(&mut **tx)
        .or_not_found("scoring rule")?;
    tx.require_match(&before)?;
    let mut after = before.clone();
    if let Some(name) = &patch.name {
        after.name.clone_from(name);
    }
    if let Some(condition) = &patch.condition {
        after.condition.clone_from(condition);
    }
    after.points = patch.points.unwrap_or(after.points);
    after.active = patch.active.unwrap_or(after.active);
    if after == before {
        return Ok(before);
    }
    check(tx, &after)?;
    after.revision += 1;
    after.updated_at = tx.now();
    diesel::update(lead_scoring_rules::table.find(id))
        .set(&after)
        .execute(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    score_all(tx, &after)?;
    Ok(after)
}

fn check(tx: &mut Tx<'_>, rule: &LeadScoringRule) -> Result<()> {
    let mut faults = Faults::default();
    if rule.points == 0 {
        faults.add("/points", "out_of_range", "a rule gives or takes points");
    }
    let others = lead_scoring_rules::table.filter(dsl::active.and(dsl::id.ne(rule.id)));
    if rule.active && others.count().get_result::<i64>(&mut **tx)? >= MOST {
        faults.add("/active", "too_many", format!("there are at most {MOST} active rules"));
    }
    match Filter::of(tx, &SCORED_LEADS, &rule.condition, "/condition") {
        Ok(_) => Ok(faults.check()?),
        // What is wrong with the condition has its positions; the other fault stands beside it.
        Err(error) => Err(beside(error, faults)),
    }
}

/// A refusal with more faults.
pub fn beside(error: service_kit::Error, faults: Faults) -> service_kit::Error {
    match (error, faults.check()) {
        (service_kit::Error::Problem(mut problem), Err(more)) => {
            problem.errors.extend(more.errors);
            (*problem).into()
        }
        (error, _) => error,
    }
}

/// The points of each rule that applies to a row of `leads`, as a value of SQL.
fn parts(tx: &mut Tx<'_>) -> Result<Fragment> {
    let rules: Vec<LeadScoringRule> = lead_scoring_rules::table
        .filter(dsl::active)
        .order((dsl::created_at, dsl::id))
        .select(LeadScoringRule::as_select())
        .load(&mut **tx)?;
    let scope = Scope::within(tx, Sight::All);
    let mut parts = Fragment::new("('[]'::jsonb");
    for rule in rules {
        let condition = match Filter::of(tx, &SCORED_LEADS, &rule.condition, "/condition") {
            Ok(filter) => filter.sql(&scope),
            // It names a custom field that is gone: it applies to nobody.
            Err(service_kit::Error::Problem(_)) => Fragment::new("false"),
            Err(other) => return Err(other),
        };
        let part = json!([ScorePart {
            rule_id: rule.id,
            name: rule.name,
            points: rule.points
        }]);
        parts = parts
            .sql(" || CASE WHEN ")
            .then(Fragment::joined([condition], ""))
            .sql(" THEN ")
            .bind(Bound::Json(part))
            .sql(" ELSE '[]'::jsonb END");
    }
    Ok(parts.sql(")"))
}

/// Scores a lead as it is stored.
pub fn score(tx: &mut Tx<'_>, row: &mut LeadRow) -> Result<()> {
    #[derive(QueryableByName)]
    struct Parts {
        #[diesel(sql_type = Text)]
        parts: String,
    }
    let statement = Fragment::new("SELECT ")
        .then(parts(tx)?)
        .sql("::text AS parts FROM leads WHERE leads.id = ")
        .bind(Bound::Id(row.id));
    let found: Parts = statement.statement().row(tx)?;
    let parts: Vec<ScorePart> = serde_json::from_str(&found.parts)?;
    row.score = parts.iter().map(|part| part.points).sum();
    row.score_parts = AsJson(parts);
    Ok(())
}

/// Scores all leads that are not converted, because of a changed rule; those whose score changes count it
/// in their revision.
fn score_all(tx: &mut Tx<'_>, rule: &LeadScoringRule) -> Result<()> {
    let statement = Fragment::new("WITH scored AS (SELECT leads.id, ")
        .then(parts(tx)?)
        .sql(
            " AS parts FROM leads WHERE leads.state <> 'converted')
             UPDATE leads AS l
             SET score = (SELECT coalesce(sum((part ->> 'points')::int), 0)::int FROM jsonb_array_elements(s.parts) AS part),
                 score_parts = s.parts::json, revision = l.revision + 1
             FROM scored AS s
             WHERE s.id = l.id AND l.score_parts::jsonb IS DISTINCT FROM s.parts",
        );
    let changed = statement.statement().run(tx)?;
    if changed > 0 {
        let changes = json!({ "scored_leads": { "from": null, "to": changed } });
        tx.audit_changes(LeadScoringRule::TYPE, rule.id, rule.revision, changes);
    }
    Ok(())
}
