//! The SQL of deals. [`get`] and [`lock`] are the only ways to one, but for what happens to it of itself.

use super::pipelines::queries::{Way, ways};
use super::stored::{DealRow, LineRow, StepRow, StoredDeal};
use crate::schema::{deal_lines, deal_steps, deals};
use diesel::prelude::*;
use service_kit::{Owned, Problem, Result, Sight, Tx};
use std::collections::HashMap;
use uuid::Uuid;

/// A deal in sight.
///
/// # Errors
/// 404 when there is none, or none in sight.
pub fn get(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> Result<StoredDeal> {
    let row = deals::table
        .find(id)
        .select(DealRow::as_select())
        .first(conn)
        .optional()?;
    seen(conn, sight, row)
}

/// A deal in the actor's sight, locked against other changes of it; others refer to it meanwhile.
///
/// # Errors
/// 404 when there is none, or none in sight.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<StoredDeal> {
    let sight = tx.actor().sight.clone();
    lock_for(tx, &sight, id)
}

/// A deal, locked as by [`lock`], for what happens to it of itself: also out of the actor's sight.
///
/// # Errors
/// 404 when there is none.
pub fn lock_unseen(tx: &mut Tx<'_>, id: Uuid) -> Result<StoredDeal> {
    lock_for(tx, &Sight::All, id)
}

fn lock_for(tx: &mut Tx<'_>, sight: &Sight, id: Uuid) -> Result<StoredDeal> {
    let row = deals::table
        .find(id)
        .select(DealRow::as_select())
        .for_no_key_update()
        .first(&mut **tx)
        .optional()?;
    seen(tx, sight, row)
}

fn seen(conn: &mut PgConnection, sight: &Sight, row: Option<DealRow>) -> Result<StoredDeal> {
    let row = row.filter(|row| sight.covers(row.owner_id, row.team_id));
    let row = row.ok_or_else(|| Problem::not_found("deal"))?;
    let deal = with_parts(conn, vec![row])?.pop();
    Ok(deal.ok_or(diesel::NotFound)?)
}

/// What other modules need to know of a deal that something hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    pub customer_id: Uuid,
    pub owned: Owned,
}

/// The deal as a subject, if it is in sight.
///
/// # Errors
/// When the database refuses.
pub fn subject(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> QueryResult<Option<Subject>> {
    let row: Option<(Uuid, Option<Uuid>, Option<Uuid>)> = deals::table
        .find(id)
        .select((deals::customer_id, deals::owner_id, deals::team_id))
        .first(conn)
        .optional()?;
    Ok(row
        .filter(|(_, owner_id, team_id)| sight.covers(*owner_id, *team_id))
        .map(|(customer_id, owner_id, team_id)| Subject {
            customer_id,
            owned: Owned { owner_id, team_id },
        }))
}

/// Gives deals their lines, steps and ways, one statement for each kind.
pub fn with_parts(conn: &mut PgConnection, rows: Vec<DealRow>) -> QueryResult<Vec<StoredDeal>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut lines: HashMap<Uuid, Vec<LineRow>> = HashMap::new();
    for line in deal_lines::table
        .filter(deal_lines::deal_id.eq_any(&ids))
        .order((deal_lines::deal_id, deal_lines::position))
        .select(LineRow::as_select())
        .load(conn)?
    {
        lines.entry(line.deal_id).or_default().push(line);
    }
    let mut steps: HashMap<Uuid, Vec<StepRow>> = HashMap::new();
    for step in deal_steps::table
        .filter(deal_steps::deal_id.eq_any(&ids))
        .select(StepRow::as_select())
        .load(conn)?
    {
        steps.entry(step.deal_id).or_default().push(step);
    }
    let mut stages: Vec<Uuid> = rows.iter().map(|row| row.stage_id).collect();
    stages.sort_unstable();
    stages.dedup();
    let (on, ways) = ways(conn, &stages)?;
    let way = |stage: &Uuid| on.get(stage).and_then(|version| ways.get(version)).cloned();
    Ok(rows
        .into_iter()
        .map(|row| StoredDeal {
            lines: lines.remove(&row.id).unwrap_or_default(),
            steps: steps.remove(&row.id).unwrap_or_default(),
            way: way(&row.stage_id).unwrap_or(Way {
                number: 0,
                stages: Vec::new(),
            }),
            row,
        })
        .collect())
}

/// Stores a new deal with its lines; false when there is one with this id.
pub fn insert(conn: &mut PgConnection, deal: &StoredDeal) -> QueryResult<bool> {
    let made = diesel::insert_into(deals::table)
        .values(&deal.row)
        .on_conflict(deals::id)
        .do_nothing()
        .execute(conn)?;
    if made == 0 {
        return Ok(false);
    }
    insert_lines(conn, &deal.lines)?;
    Ok(true)
}

/// Stores a deal that is locked, with what changed of its lines.
pub fn update(conn: &mut PgConnection, before: &StoredDeal, after: &StoredDeal) -> QueryResult<()> {
    diesel::update(deals::table.find(after.row.id))
        .set(&after.row)
        .execute(conn)?;
    if after.lines != before.lines {
        diesel::delete(deal_lines::table.filter(deal_lines::deal_id.eq(after.row.id))).execute(conn)?;
        insert_lines(conn, &after.lines)?;
    }
    Ok(())
}

fn insert_lines(conn: &mut PgConnection, lines: &[LineRow]) -> QueryResult<()> {
    if !lines.is_empty() {
        diesel::insert_into(deal_lines::table).values(lines).execute(conn)?;
    }
    Ok(())
}

/// Stores the proof of a step; a newer one takes the place of an older one.
pub fn put_step(conn: &mut PgConnection, step: &StepRow) -> QueryResult<usize> {
    use diesel::upsert::excluded;
    diesel::insert_into(deal_steps::table)
        .values(step)
        .on_conflict((deal_steps::deal_id, deal_steps::step))
        .do_update()
        .set((
            deal_steps::evidence.eq(excluded(deal_steps::evidence)),
            deal_steps::evidence_id.eq(excluded(deal_steps::evidence_id)),
            deal_steps::completed_at.eq(excluded(deal_steps::completed_at)),
            deal_steps::completed_by.eq(excluded(deal_steps::completed_by)),
        ))
        .execute(conn)
}
