//! The verbs of segments.

use super::memberships::{self, Membership};
use super::model::{
    Segment, SegmentAction, SegmentIn, SegmentKind, SegmentMembersIn, SegmentPatch, SegmentRow, SegmentRule,
    SegmentStatus,
};
use super::{queries, refresh};
use crate::filter::{CUSTOMERS, Filter};
use crate::may;
use crate::schema::customers;
use diesel::prelude::*;
use serde_json::json;
use service_kit::{Faults, Permission, Problem, Result, Tx, visible};
use std::collections::HashSet;
use uuid::Uuid;

pub fn create(tx: &mut Tx<'_>, input: &SegmentIn) -> Result<Segment> {
    let mut faults = Faults::default();
    match (input.kind, &input.rule) {
        (SegmentKind::Static, Some(_)) => faults.add("/rule", "not_allowed", "a static segment has no rule"),
        (SegmentKind::Rule, None) => faults.add("/rule", "required", "say who is in the segment"),
        _ => {}
    }
    faults.check()?;
    if let Some(rule) = &input.rule {
        check_rule(tx, rule)?;
    }
    let now = tx.now();
    let by_rule = input.kind == SegmentKind::Rule;
    let segment = SegmentRow {
        id: tx.mint(input.id),
        name: input.name.clone(),
        description: input.description.clone(),
        kind: input.kind,
        status: SegmentStatus::Active,
        rule_version: by_rule.then_some(1),
        refreshed_at: None,
        due_at: by_rule.then_some(now),
        refresh_day: None,
        refresh_from: None,
        fault: None,
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    queries::insert(tx, &segment)?;
    if let Some(rule) = &input.rule {
        store_rule(tx, &segment, rule)?;
    }
    tx.changed(None, &segment.record(input.rule.clone()))?;
    shown(tx, segment)
}

/// Understands a rule. One that counts what not everybody sees is for those who see everything.
fn check_rule(tx: &mut Tx<'_>, rule: &str) -> Result<()> {
    let filter = Filter::of(tx, &CUSTOMERS, rule, "/rule")?;
    if filter.follows_owners() && !tx.actor().sight.sees_all() {
        let refused = Problem {
            detail:
                "this rule counts everybody's orders, deals or activities: it is only for those who see all records"
                    .to_owned(),
            ..Problem::forbidden(may::WriteSegments::NAME)
        };
        return Err(refused.fact("required_sight", "all").into());
    }
    Ok(())
}

fn store_rule(tx: &mut Tx<'_>, segment: &SegmentRow, rule: &str) -> Result<()> {
    let rule = SegmentRule {
        segment_id: segment.id,
        version: segment.rule_version.unwrap_or(1),
        rule: rule.to_owned(),
        created_by: tx.actor().name.to_string(),
        created_at: tx.now(),
    };
    queries::insert_rule(tx, &rule)?;
    Ok(())
}

fn shown(tx: &mut Tx<'_>, segment: SegmentRow) -> Result<Segment> {
    let sight = tx.sight();
    Ok(queries::shown(tx, &sight, segment)?)
}

/// Locks a segment for what its state must allow.
fn locked(tx: &mut Tx<'_>, id: Uuid, action: SegmentAction) -> Result<SegmentRow> {
    let segment = queries::lock(tx, id)?;
    let allowed = segment.allowed_actions();
    if allowed.contains(&action) {
        return Ok(segment);
    }
    let allowed: Vec<&str> = allowed.iter().map(|action| action.as_str()).collect();
    let state = match segment.status {
        SegmentStatus::Archived => "archived",
        SegmentStatus::Active => segment.kind.as_str(),
    };
    Err(Problem::illegal_transition(action.as_str(), state, &allowed).into())
}

pub fn change(tx: &mut Tx<'_>, id: Uuid, patch: &SegmentPatch) -> Result<Segment> {
    let segment = queries::lock(tx, id)?;
    let before = shown(tx, segment)?;
    tx.require_match(&before)?;
    let mut segment = locked(tx, id, SegmentAction::Edit)?;
    let mut rule = before.record.rule.clone();
    if let Some(given) = &patch.rule {
        if segment.kind == SegmentKind::Static {
            let mut faults = Faults::default();
            faults.add("/rule", "not_allowed", "a static segment has no rule");
            faults.check()?;
        }
        if rule.as_ref() != Some(given) {
            check_rule(tx, given)?;
            segment.rule_version = segment.rule_version.map(|version| version + 1);
            store_rule(tx, &segment, given)?;
            rule = Some(given.clone());
            refresh::ask(tx, &mut segment);
        }
    }
    if let Some(name) = &patch.name {
        segment.name.clone_from(name);
    }
    if let Some(description) = &patch.description {
        segment.description.clone_from(description);
    }
    if segment.record(rule.clone()) == before.record {
        return Ok(before);
    }
    save(tx, &before, segment, rule)
}

fn save(tx: &mut Tx<'_>, before: &Segment, mut segment: SegmentRow, rule: Option<String>) -> Result<Segment> {
    segment.revision += 1;
    segment.updated_at = tx.now();
    queries::update(tx, &segment)?;
    tx.changed(Some(&before.record), &segment.record(rule))?;
    shown(tx, segment)
}

pub fn archive(tx: &mut Tx<'_>, id: Uuid) -> Result<Segment> {
    turn(tx, id, SegmentAction::Archive, SegmentStatus::Archived)
}

pub fn restore(tx: &mut Tx<'_>, id: Uuid) -> Result<Segment> {
    turn(tx, id, SegmentAction::Restore, SegmentStatus::Active)
}

fn turn(tx: &mut Tx<'_>, id: Uuid, action: SegmentAction, to: SegmentStatus) -> Result<Segment> {
    let mut segment = locked(tx, id, action)?;
    let before = shown(tx, segment.clone())?;
    tx.match_if_given(&before)?;
    segment.status = to;
    if segment.kind == SegmentKind::Rule && to == SegmentStatus::Active {
        refresh::ask(tx, &mut segment);
    }
    let rule = before.record.rule.clone();
    save(tx, &before, segment, rule)
}

/// Brings the members of a rule up to date now, as far as that is quick; the rest follows by itself.
pub fn bring_up_to_date(tx: &mut Tx<'_>, id: Uuid) -> Result<Segment> {
    const BATCHES: usize = 5;
    let mut segment = locked(tx, id, SegmentAction::Refresh)?;
    refresh::ask(tx, &mut segment);
    for _ in 0..BATCHES {
        if refresh::step(tx, &mut segment)? {
            break;
        }
    }
    shown(tx, segment)
}

/// Puts customers into a static segment.
pub fn add(tx: &mut Tx<'_>, id: Uuid, input: &SegmentMembersIn) -> Result<Segment> {
    let segment = locked(tx, id, SegmentAction::Add)?;
    require_customers(tx, &input.customer_ids)?;
    let by = tx.actor().name.to_string();
    let now = tx.now();
    let entered = queries::add(tx, id, &input.customer_ids, now, &by)?;
    members_changed(tx, &segment, "entered", &entered)?;
    shown(tx, segment)
}

/// Takes customers out of a static segment; who is not in it, is out already.
pub fn remove(tx: &mut Tx<'_>, id: Uuid, input: &SegmentMembersIn) -> Result<Segment> {
    let segment = locked(tx, id, SegmentAction::Remove)?;
    require_customers(tx, &input.customer_ids)?;
    let now = tx.now();
    let departed = queries::remove(tx, id, &input.customer_ids, now)?;
    members_changed(tx, &segment, "left", &departed)?;
    shown(tx, segment)
}

fn members_changed(tx: &mut Tx<'_>, segment: &SegmentRow, what: &'static str, changed: &[Membership]) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let customers: Vec<Uuid> = changed.iter().map(|membership| membership.customer_id).collect();
    tx.audit_changes(
        "segment",
        segment.id,
        segment.revision,
        json!({ what: { "from": null, "to": customers } }),
    );
    let told = json!({ "segment_id": segment.id, "rule_version": null, what: changed.len() });
    tx.emit("segment.members_changed", segment.id, segment.revision, told);
    memberships::tell(tx, changed)
}

fn require_customers(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<()> {
    let sight = tx.sight();
    let there: Vec<Uuid> = customers::table
        .filter(customers::id.eq_any(ids))
        .filter(customers::merged_into.is_null())
        .filter(visible!(&sight, customers))
        .select(customers::id)
        .load(&mut **tx)?;
    let there: HashSet<Uuid> = there.into_iter().collect();
    let (mut seen, mut faults) = (HashSet::new(), Faults::default());
    for (index, id) in ids.iter().enumerate() {
        let pointer = || format!("/customer_ids/{index}");
        if !there.contains(id) {
            faults.add(pointer(), "unknown_customer", "there is no such customer");
        } else if !seen.insert(id) {
            faults.add(pointer(), "duplicate", "this customer stands there already");
        }
    }
    Ok(faults.check()?)
}
