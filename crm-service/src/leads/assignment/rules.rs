//! Assignment rules: the resource.

use super::choosing::{active_members, lock};
use super::model::{LeadAssignmentRule, LeadAssignmentRuleIn, LeadAssignmentRulePatch, PostalPrefix, RegionName};
use crate::customers::model::set;
use crate::filter::{Filter, LEADS};
use crate::leads::scoring::beside;
use crate::may;
use crate::schema::lead_assignment_rules::{self, dsl};
use actix_web::{get, patch, post};
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::http::IdPath;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes, Sort,
    Tx, keyset_page,
};
use std::collections::HashSet;
use utoipa::IntoParams;
use uuid::Uuid;

/// So many rules are looked at for a lead.
const MOST: i64 = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LeadAssignmentRulesQuery {
    active: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `position`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_lead_assignment_rules)
        .add(create_lead_assignment_rule)
        .add(get_lead_assignment_rule)
        .add(update_lead_assignment_rule);
}

/// The rules that assign leads, in their order.
#[utoipa::path(tag = "lead rules", params(LeadAssignmentRulesQuery), security(("api_key" = ["lead_rules:read"])),
    responses((status = 200, description = "A page of rules", body = Page<LeadAssignmentRule>)))]
#[get("/lead-assignment-rules")]
async fn list_lead_assignment_rules(
    read: Read<may::ReadLeadRules>,
    query: Query<LeadAssignmentRulesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = lead_assignment_rules::table
            .select(LeadAssignmentRule::as_select())
            .into_boxed();
        if let Some(active) = query.active {
            rows = rows.filter(dsl::active.eq(active));
        }
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: lead_assignment_rules::id as Uuid => |rule: &LeadAssignmentRule| rule.id, [
            "position" => lead_assignment_rules::position as i32 => |rule: &LeadAssignmentRule| rule.position,
        ])
    })
    .await
}

/// Add an assignment rule.
#[utoipa::path(tag = "lead rules", request_body = LeadAssignmentRuleIn, security(("api_key" = ["lead_rules:write"])),
    responses((status = 201, description = "The rule", body = LeadAssignmentRule)))]
#[post("/lead-assignment-rules")]
async fn create_lead_assignment_rule(
    command: Command<may::WriteLeadRules>,
    body: Body<LeadAssignmentRuleIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

/// One assignment rule.
#[utoipa::path(tag = "lead rules", params(IdPath), security(("api_key" = ["lead_rules:read"])),
    responses((status = 200, description = "The rule", body = LeadAssignmentRule)))]
#[get("/lead-assignment-rules/{id}")]
async fn get_lead_assignment_rule(read: Read<may::ReadLeadRules>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let found = lead_assignment_rules::table
            .find(path.id)
            .select(LeadAssignmentRule::as_select());
        found.first(conn).or_not_found("assignment rule")
    })
    .await
}

/// Change an assignment rule, or make it inactive. Leads stay with whom they belong to.
#[utoipa::path(tag = "lead rules", params(IdPath), request_body = LeadAssignmentRulePatch,
    security(("api_key" = ["lead_rules:write"])),
    responses((status = 200, description = "The rule", body = LeadAssignmentRule)))]
#[patch("/lead-assignment-rules/{id}")]
async fn update_lead_assignment_rule(
    command: Command<may::WriteLeadRules>,
    path: Path<IdPath>,
    body: Body<LeadAssignmentRulePatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| change(tx, path.id, &body.0)).await
}

fn create(tx: &mut Tx<'_>, input: &LeadAssignmentRuleIn) -> Result<LeadAssignmentRule> {
    let now = tx.now();
    let rule = LeadAssignmentRule {
        id: tx.mint(input.id),
        name: input.name.clone(),
        position: input.position,
        condition: input.condition.clone(),
        countries: input.countries.clone(),
        postal_prefixes: prefixes(&input.postal_prefixes),
        regions: regions(&input.regions),
        method: input.method,
        members: input.members.clone(),
        active: input.active.unwrap_or(true),
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    check(tx, &rule, &[])?;
    diesel::insert_into(lead_assignment_rules::table)
        .values(&rule)
        .execute(&mut **tx)?;
    tx.audit(None, &rule)?;
    Ok(rule)
}

fn change(tx: &mut Tx<'_>, id: Uuid, patch: &LeadAssignmentRulePatch) -> Result<LeadAssignmentRule> {
    let before = lock(tx, id)?;
    tx.require_match(&before)?;
    let mut after = before.clone();
    set(&mut after.name, &patch.name);
    set(&mut after.position, &patch.position);
    set(&mut after.condition, &patch.condition);
    set(&mut after.countries, &patch.countries);
    set(
        &mut after.postal_prefixes,
        &patch.postal_prefixes.as_deref().map(prefixes),
    );
    set(&mut after.regions, &patch.regions.as_deref().map(regions));
    set(&mut after.method, &patch.method);
    set(&mut after.members, &patch.members);
    set(&mut after.active, &patch.active);
    if after == before {
        return Ok(before);
    }
    check(tx, &after, &before.members)?;
    after.revision += 1;
    after.updated_at = tx.now();
    diesel::update(lead_assignment_rules::table.find(id))
        .set(&after)
        .execute(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

/// Postal codes are compared without spaces and in capitals.
fn prefixes(given: &[PostalPrefix]) -> Vec<String> {
    let shape = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    given.iter().map(|prefix| shape(&prefix.0).to_uppercase()).collect()
}

fn regions(given: &[RegionName]) -> Vec<String> {
    given.iter().map(|region| region.0.trim().to_owned()).collect()
}

fn check(tx: &mut Tx<'_>, rule: &LeadAssignmentRule, known: &[Uuid]) -> Result<()> {
    let mut faults = Faults::default();
    let active: HashSet<Uuid> = active_members(tx, &rule.members)?.into_keys().collect();
    let mut seen = HashSet::new();
    for (index, member) in rule.members.iter().enumerate() {
        if !seen.insert(member) {
            faults.add(
                format!("/members/{index}"),
                "duplicate",
                "this user stands there already",
            );
        } else if !active.contains(member) && !known.contains(member) {
            let message = "there is no active user with this id";
            faults.add(format!("/members/{index}"), "unknown_user", message);
        }
    }
    let others = lead_assignment_rules::table.filter(dsl::active.and(dsl::id.ne(rule.id)));
    if rule.active && others.count().get_result::<i64>(&mut **tx)? >= MOST {
        faults.add("/active", "too_many", format!("there are at most {MOST} active rules"));
    }
    let condition = rule
        .condition
        .as_deref()
        .map(|text| Filter::of(tx, &LEADS, text, "/condition"));
    match condition {
        Some(Err(error)) => Err(beside(error, faults)),
        _ => Ok(faults.check()?),
    }
}
