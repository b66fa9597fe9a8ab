//! Making, changing or touching the lead of a row.

use super::row::Row;
use crate::custom_fields::cells::{self, Definitions};
use crate::leads::capture;
use crate::leads::editing;
use crate::leads::model::{LeadIn, LeadPatch, LeadRow, phone_key};
use crate::leads::queries;
use crate::leads::state::{LeadAction, LeadState};
use crate::leads::touches::{self, Way};
use crate::schema::leads;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Jsonb};
use serde_json::Value;
use service_kit::exchange::{Done, Match, note};
use service_kit::{Faults, Problem, Result, Tx, visible};
use uuid::Uuid;

pub fn upsert(tx: &mut Tx<'_>, import: Uuid, row: &Row, fields: &Definitions) -> Result<Done> {
    let way = Way {
        import_id: Some(import),
        ..Way::default()
    };
    let mut input: LeadIn = serde_json::from_value(Value::Object(row.body(fields)))?;
    input.owner_id = row.owner_id;
    input.join = Some(!row.allow_duplicate);
    match find(tx, &row.by, fields)? {
        Some(id) => change(tx, id, row, &input, &way, fields),
        None => make(tx, row, input, &way),
    }
}

fn change(tx: &mut Tx<'_>, id: Uuid, row: &Row, input: &LeadIn, way: &Way, fields: &Definitions) -> Result<Done> {
    let patch: LeadPatch = serde_json::from_value(Value::Object(row.patch(fields)))?;
    let before = queries::lock(tx, id)?;
    let after = editing::patched(tx, &before, &patch)?;
    keep(tx, before, after, input, way)
}

fn make(tx: &mut Tx<'_>, row: &Row, mut input: LeadIn, way: &Way) -> Result<Done> {
    if let Match::Id(id) = &row.by {
        input.id = Some(*id);
    }
    let said = capture::described(tx, &input, way, Faults::default())?;
    if let Some(open) = capture::same(tx, &said, &input, way)? {
        let after = capture::completed(&open, &said);
        return keep(tx, open, after, &input, way);
    }
    let made = capture::enter(tx, said, &input, way)?;
    noted(tx, way, None, &made.row)?;
    Ok(Done::Created(made.row.id))
}

/// Stores what a row changed of a lead, with the touch that it is.
fn keep(tx: &mut Tx<'_>, before: LeadRow, after: LeadRow, input: &LeadIn, way: &Way) -> Result<Done> {
    let news = touches::is_news(tx, before.id, input)?;
    if after == before && !news {
        return Ok(Done::Unchanged(before.id));
    }
    before.state.check(LeadAction::Edit)?;
    let kept = match news {
        true => capture::touched(tx, &before, after, input, way)?,
        false => {
            let after = editing::settled(tx, after)?;
            editing::save(tx, &before, after)?
        }
    };
    noted(tx, way, Some(&before), &kept.row)?;
    Ok(Done::Updated(before.id))
}

fn noted(tx: &mut Tx<'_>, way: &Way, before: Option<&LeadRow>, after: &LeadRow) -> Result<()> {
    match way.import_id {
        Some(import) => note(tx, import, (after.id, after.version), before),
        None => Ok(()),
    }
}

/// The lead that a row names.
fn find(tx: &mut Tx<'_>, by: &Match, fields: &Definitions) -> Result<Option<Uuid>> {
    let sight = tx.sight();
    let mut named = leads::table.select(leads::id).limit(2).into_boxed();
    named = match by {
        Match::Nobody => return Ok(None),
        Match::Id(id) => named.filter(leads::id.eq(*id)),
        Match::Key { column, text } => match column.as_str() {
            "external_ref" => named.filter(leads::external_ref.eq(text.clone())),
            "email" => named.filter(leads::email_key.eq(text.to_lowercase())),
            "phone" => match phone_key(text) {
                Some(key) => named.filter(leads::phone_key.eq(key)),
                None => return Ok(None),
            },
            custom => match cells::containing(fields, custom, text) {
                Some(wanted) => named.filter(sql::<Bool>("leads.custom_fields @> ").bind::<Jsonb, _>(wanted)),
                None => return Ok(None),
            },
        },
    };
    if matches!(by, Match::Key { column, .. } if column == "email" || column == "phone") {
        named = named
            .filter(leads::state.eq_any(LeadState::OPEN))
            .filter(visible!(&sight, leads));
    }
    let ids: Vec<Uuid> = named.load(&mut **tx)?;
    match ids.as_slice() {
        [] => Ok(None),
        [id] => Ok(Some(*id)),
        _ => Err(Problem::conflict("ambiguous", "several leads have this match key; give the id").into()),
    }
}
