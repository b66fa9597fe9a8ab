//! Choosing: which rule decides of a lead, and whose turn it is by that.

use super::model::{AssignmentMethod, LeadAssignmentRule};
use crate::filter::fragment::Bound;
use crate::filter::{Filter, Fragment, LEADS, Scope};
use crate::leads::state::LeadState;
use crate::schema::lead_assignment_rules::{self, dsl};
use crate::schema::leads;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool};
use service_kit::schema::users;
use service_kit::{Error, OrNotFound, Owned, Result, Sight, Tx};
use std::collections::HashMap;
use uuid::Uuid;

/// The active among these users, with their teams.
pub fn active_members(conn: &mut PgConnection, members: &[Uuid]) -> QueryResult<HashMap<Uuid, Option<Uuid>>> {
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

/// A rule, locked against those who choose by it.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<LeadAssignmentRule> {
    let row = lead_assignment_rules::table
        .find(id)
        .select(LeadAssignmentRule::as_select())
        .for_no_key_update();
    row.first(&mut **tx).or_not_found("assignment rule")
}
