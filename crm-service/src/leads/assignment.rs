//! Assignment rules: whose a lead becomes that belongs to nobody.
//!
//! Rules stand in an order; the first decides that is active, fits the lead (its territory and its condition)
//! and has an active member. `round_robin` gives to each in turn, `by_load` to whoever has the fewest open
//! leads. Whoever chooses locks the rule's row until the lead is stored, so turns are fair.

use super::scoring::beside;
use super::state::LeadState;
use crate::customers::country::Country;
use crate::customers::model::set;
use crate::filter::fragment::Bound;
use crate::filter::{Filter, Fragment, LEADS, Scope};
use crate::may;
use crate::schema::lead_assignment_rules::{self, dsl};
use crate::schema::leads;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool};
use serde::{Deserialize, Serialize};
use service_kit::http::{IdPath, present};
use service_kit::schema::users;
use service_kit::{
    Answer, Body, Command, Cursor, Error, Faults, Limit, OrNotFound, Owned, Page, Path, Problem, Query, Read, Resource,
    Result, Routes, Sight, Sort, Tx, keyset_page, text_enum,
};
use std::collections::{HashMap, HashSet};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Which of the members gets a lead.
    AssignmentMethod {
        /// Each in turn.
        RoundRobin = "round_robin",
        /// Who has the fewest open leads.
        ByLoad = "by_load",
    }
}

/// A rule for the leads of a territory.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = lead_assignment_rules, treat_none_as_null = true)]
pub struct LeadAssignmentRule {
    pub id: Uuid,
    pub name: String,
    /// The first rule that fits decides.
    pub position: i32,
    /// In the language of filters.
    pub condition: Option<String>,
    /// Any of these; empty: all.
    pub countries: Vec<Country>,
    /// How the postal code starts; empty: all.
    pub postal_prefixes: Vec<String>,
    /// Any of these, whatever their capitals; empty: all.
    pub regions: Vec<String>,
    pub method: AssignmentMethod,
    /// Users, in the order of their turns.
    pub members: Vec<Uuid>,
    pub active: bool,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for LeadAssignmentRule {
    const PATH: &'static str = "lead-assignment-rules";
    const TYPE: &'static str = "lead_assignment_rule";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

/// The beginning of a postal code.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct PostalPrefix(String);

impl utoipa::PartialSchema for PostalPrefix {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        text(20, "10")
    }
}

impl ToSchema for PostalPrefix {}

/// The name of a region.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct RegionName(String);

impl utoipa::PartialSchema for RegionName {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        text(100, "Bavaria")
    }
}

impl ToSchema for RegionName {}

fn text(longest: usize, example: &str) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    utoipa::openapi::ObjectBuilder::new()
        .schema_type(utoipa::openapi::schema::Type::String)
        .min_length(Some(1))
        .max_length(Some(longest))
        .pattern(Some(r"\S"))
        .examples([example])
        .into()
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadAssignmentRuleIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "Germany, north")]
    pub name: String,
    #[schema(minimum = 1, maximum = 10_000)]
    pub position: i32,
    /// In the language of filters, such as `score >= 50`.
    #[schema(min_length = 1, max_length = 4_000)]
    pub condition: Option<String>,
    #[serde(default)]
    #[schema(max_items = 249)]
    pub countries: Vec<Country>,
    #[serde(default)]
    #[schema(max_items = 500)]
    pub postal_prefixes: Vec<PostalPrefix>,
    #[serde(default)]
    #[schema(max_items = 500)]
    pub regions: Vec<RegionName>,
    pub method: AssignmentMethod,
    /// Active users.
    #[schema(min_items = 1, max_items = 200)]
    pub members: Vec<Uuid>,
    /// `true` when absent.
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadAssignmentRulePatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    #[schema(nullable = false, minimum = 1, maximum = 10_000)]
    pub position: Option<i32>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 4_000)]
    pub condition: Option<Option<String>>,
    #[schema(nullable = false, max_items = 249)]
    pub countries: Option<Vec<Country>>,
    #[schema(nullable = false, max_items = 500)]
    pub postal_prefixes: Option<Vec<PostalPrefix>>,
    #[schema(nullable = false, max_items = 500)]
    pub regions: Option<Vec<RegionName>>,
    #[schema(nullable = false)]
    pub method: Option<AssignmentMethod>,
    #[schema(nullable = false, min_items = 1, max_items = 200)]
    pub members: Option<Vec<Uuid>>,
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

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

fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<LeadAssignmentRule> {
    let row = lead_assignment_rules::table
        .find(id)
        .select(LeadAssignmentRule::as_select())
        .for_no_key_update();
    row.first(&mut **tx).or_not_found("assignment rule")
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

/// The active among these users, with their teams.
fn active_members(conn: &mut PgConnection, members: &[Uuid]) -> QueryResult<HashMap<Uuid, Option<Uuid>>> {
    let found: Vec<(Uuid, Option<Uuid>)> = users::table
        .filter(users::id.eq_any(members).and(users::active))
        .select((users::id, users::team_id))
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// Whose a lead becomes, and by which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    pub owned: Owned,
    pub rule_id: Uuid,
}

/// Chooses for a lead as it is stored; `None` where no rule fits.
pub fn choose(tx: &mut Tx<'_>, lead: Uuid) -> Result<Option<Chosen>> {
    let rules: Vec<LeadAssignmentRule> = lead_assignment_rules::table
        .filter(dsl::active)
        .order((dsl::position, dsl::id))
        .select(LeadAssignmentRule::as_select())
        .load(&mut **tx)?;
    let fitting = fits(tx, lead, &rules)?;
    for (rule, _) in rules.into_iter().zip(fitting).filter(|(_, fits)| *fits) {
        let locked = lock(tx, rule.id)?;
        if locked != rule {
            // Changed since it was found to fit.
            return Err(Error::Stale);
        }
        if let Some(owned) = turn(tx, &locked)? {
            return Ok(Some(Chosen {
                owned,
                rule_id: rule.id,
            }));
        }
    }
    Ok(None)
}

/// Which of the rules fit the lead.
fn fits(tx: &mut Tx<'_>, lead: Uuid, rules: &[LeadAssignmentRule]) -> Result<Vec<bool>> {
    #[derive(QueryableByName)]
    struct Fits {
        #[diesel(sql_type = Array<Bool>)]
        fits: Vec<bool>,
    }
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let scope = Scope::within(tx, Sight::All);
    let mut conditions = Vec::new();
    for rule in rules {
        conditions.push(
            Fragment::new("coalesce(")
                .then(territory(tx, rule, &scope)?)
                .sql(", false)"),
        );
    }
    let mut all = Fragment::new("SELECT ARRAY[");
    for (index, condition) in conditions.into_iter().enumerate() {
        all = all.sql(if index > 0 { ", " } else { "" }).then(condition);
    }
    let statement = all.sql("] AS fits FROM leads WHERE leads.id = ").bind(Bound::Id(lead));
    Ok(statement.statement().row::<Fits>(tx)?.fits)
}

fn territory(tx: &mut Tx<'_>, rule: &LeadAssignmentRule, scope: &Scope) -> Result<Fragment> {
    let mut parts = vec![Fragment::new("true")];
    if !rule.countries.is_empty() {
        let codes = rule.countries.iter().map(|country| country.code().to_owned());
        let part = Fragment::new("leads.country = ANY(").bind(Bound::Texts(codes.collect()));
        parts.push(part.sql(")"));
    }
    if !rule.postal_prefixes.is_empty() {
        let part = Fragment::new("EXISTS (SELECT FROM unnest(").bind(Bound::Texts(rule.postal_prefixes.clone()));
        parts.push(
            part.sql(
                ") AS prefix WHERE starts_with(upper(regexp_replace(leads.postal_code, '\\s', '', 'g')), prefix))",
            ),
        );
    }
    if !rule.regions.is_empty() {
        let names = rule.regions.iter().map(|region| region.to_lowercase());
        let part = Fragment::new("lower(trim(leads.region)) = ANY(").bind(Bound::Texts(names.collect()));
        parts.push(part.sql(")"));
    }
    if let Some(text) = &rule.condition {
        let condition = match Filter::of(tx, &LEADS, text, "/condition") {
            Ok(filter) => filter.sql(scope),
            // It names a custom field that is gone: it fits nobody.
            Err(Error::Problem(_)) => Fragment::new("false"),
            Err(other) => return Err(other),
        };
        parts.push(Fragment::joined([condition], ""));
    }
    Ok(Fragment::joined(parts, " AND "))
}

/// Whose turn it is by a rule that is locked; `None` when no member is active.
fn turn(tx: &mut Tx<'_>, rule: &LeadAssignmentRule) -> Result<Option<Owned>> {
    let teams = active_members(tx, &rule.members)?;
    let active: Vec<Uuid> = rule
        .members
        .iter()
        .copied()
        .filter(|id| teams.contains_key(id))
        .collect();
    let next = match rule.method {
        AssignmentMethod::RoundRobin => next_in_turn(tx, rule, &active)?,
        AssignmentMethod::ByLoad => least_loaded(tx, &active)?,
    };
    Ok(next.map(|owner| Owned {
        owner_id: Some(owner),
        team_id: teams.get(&owner).copied().flatten(),
    }))
}

fn next_in_turn(tx: &mut Tx<'_>, rule: &LeadAssignmentRule, active: &[Uuid]) -> QueryResult<Option<Uuid>> {
    let last: Option<Uuid> = lead_assignment_rules::table
        .find(rule.id)
        .select(dsl::last_member)
        .first(&mut **tx)?;
    let place = last.and_then(|last| rule.members.iter().position(|member| *member == last));
    let start = place.map_or(0, |place| place + 1);
    let turns = rule.members.iter().cycle().skip(start).take(rule.members.len());
    let next = turns.copied().find(|member| active.contains(member));
    if next.is_some() {
        diesel::update(lead_assignment_rules::table.find(rule.id))
            .set(dsl::last_member.eq(next))
            .execute(&mut **tx)?;
    }
    Ok(next)
}

fn least_loaded(tx: &mut Tx<'_>, active: &[Uuid]) -> QueryResult<Option<Uuid>> {
    let open: Vec<(Option<Uuid>, i64)> = leads::table
        .filter(leads::state.eq_any(LeadState::OPEN))
        .filter(leads::owner_id.eq_any(active))
        .group_by(leads::owner_id)
        .select((leads::owner_id, diesel::dsl::count_star()))
        .load(&mut **tx)?;
    let open: HashMap<Uuid, i64> = open.into_iter().filter_map(|(owner, n)| Some((owner?, n))).collect();
    let load = |member: &&Uuid| open.get(member).copied().unwrap_or(0);
    Ok(active.iter().min_by_key(load).copied())
}
