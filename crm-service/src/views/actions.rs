//! The verbs of saved views.

use super::model::{Column, SavedView, SavedViewIn, SavedViewPatch, ViewRow};
use super::{check, queries};
use crate::json::AsJson;
use serde_json::json;
use service_kit::{Answer, Faults, Owned, Result, Tx};
use uuid::Uuid;

pub fn create(tx: &mut Tx<'_>, input: &SavedViewIn) -> Result<SavedView> {
    let row = ViewRow {
        id: tx.mint(input.id),
        name: input.name.clone(),
        record_type: input.record_type,
        filters: AsJson(input.filters.clone()),
        sort: input.sort.clone(),
        column_names: texts(&input.columns),
        owner_id: tx.actor().user.map(|user| user.id),
        team_id: input.team_id,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    check_team(tx, input.team_id)?;
    check::check(tx, &row)?;
    queries::insert(tx, &row)?;
    let view = SavedView::from(row);
    tx.audit(None, &view)?;
    Ok(view)
}

fn texts(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| column.0.clone()).collect()
}

/// Who does not see everything shares with their own team.
fn check_team(tx: &mut Tx<'_>, team: Option<Uuid>) -> Result<()> {
    let (mut faults, actor) = (Faults::default(), tx.actor().clone());
    let own = actor.user.and_then(|user| user.team_id);
    if team.is_some() && team != own && !actor.sight.sees_all() {
        faults.add("/team_id", "unknown_team", "you share with your own team");
    } else {
        Owned::given(tx, None, team, &mut faults)?;
    }
    Ok(faults.check()?)
}

pub fn change(tx: &mut Tx<'_>, id: Uuid, patch: &SavedViewPatch) -> Result<SavedView> {
    let row = queries::lock(tx, id)?;
    let before = SavedView::from(row.clone());
    tx.require_match(&before)?;
    let mut after = row.clone();
    if let Some(name) = &patch.name {
        after.name.clone_from(name);
    }
    if let Some(filters) = &patch.filters {
        after.filters = AsJson(filters.clone());
    }
    if let Some(sort) = &patch.sort {
        after.sort.clone_from(sort);
    }
    if let Some(columns) = &patch.columns {
        after.column_names = texts(columns);
    }
    if let Some(team) = patch.team_id.filter(|team| *team != row.team_id) {
        check_team(tx, team)?;
        after.team_id = team;
    }
    if after == row {
        return Ok(before);
    }
    check::check(tx, &after)?;
    after.revision += 1;
    after.updated_at = tx.now();
    queries::update(tx, &after)?;
    let after = SavedView::from(after);
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

pub fn remove(tx: &mut Tx<'_>, id: Uuid) -> Result<Answer> {
    let before = SavedView::from(queries::lock(tx, id)?);
    tx.require_match(&before)?;
    queries::delete(tx, id)?;
    let revision = before.revision + 1;
    tx.audit_changes(
        "saved_view",
        id,
        revision,
        json!({ "deleted": { "from": before, "to": null } }),
    );
    Ok(Answer::no_content())
}
