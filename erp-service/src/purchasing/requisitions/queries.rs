use super::model::{Requisition, RequisitionLineRow, RequisitionRow, RequisitionsQuery};
use crate::company;
use crate::schema::{requisition_lines, requisitions};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use service_kit::{Error, Page, Quantity, Result, Tx, keyset_page};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// A requisition with its lines, as read or as locked.
pub(super) type Loaded = (RequisitionRow, Vec<RequisitionLineRow>);

pub(super) fn load(conn: &mut PgConnection, id: Uuid) -> QueryResult<Loaded> {
    let row = requisitions::table
        .find(id)
        .select(RequisitionRow::as_select())
        .first(conn)?;
    let lines = lines_of(conn, &[id])?.remove(&id).unwrap_or_default();
    Ok((row, lines))
}

pub(super) fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Loaded> {
    requisitions::table
        .find(id)
        .for_no_key_update()
        .select(requisitions::id)
        .first::<Uuid>(conn)?;
    load(conn, id)
}

fn lines_of(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, Vec<RequisitionLineRow>>> {
    let rows: Vec<RequisitionLineRow> = requisition_lines::table
        .filter(requisition_lines::requisition_id.eq_any(ids))
        .order(requisition_lines::position)
        .select(RequisitionLineRow::as_select())
        .load(conn)?;
    let mut lines: HashMap<Uuid, Vec<RequisitionLineRow>> = HashMap::new();
    for line in rows {
        lines.entry(line.requisition_id).or_default().push(line);
    }
    Ok(lines)
}

pub(super) fn insert(tx: &mut Tx<'_>, row: &RequisitionRow, lines: &[RequisitionLineRow]) -> QueryResult<()> {
    diesel::insert_into(requisitions::table)
        .values(row)
        .execute(&mut **tx)?;
    diesel::insert_into(requisition_lines::table)
        .values(lines)
        .execute(&mut **tx)?;
    Ok(())
}

pub(super) fn replace_lines(tx: &mut Tx<'_>, id: Uuid, lines: &[RequisitionLineRow]) -> QueryResult<()> {
    diesel::delete(requisition_lines::table.filter(requisition_lines::requisition_id.eq(id))).execute(&mut **tx)?;
    diesel::insert_into(requisition_lines::table)
        .values(lines)
        .execute(&mut **tx)?;
    Ok(())
}

/// Which of these lines exist.
///
/// # Errors
/// When the database refuses.
pub fn lines_exist(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashSet<Uuid>> {
    let known = requisition_lines::table
        .filter(requisition_lines::id.eq_any(ids))
        .select(requisition_lines::id);
    Ok(known.load(conn)?.into_iter().collect())
}

pub(super) fn note_ordered(tx: &mut Tx<'_>, line: Uuid, quantity: Quantity) -> QueryResult<()> {
    diesel::update(requisition_lines::table.find(line))
        .set(requisition_lines::ordered_quantity.eq(requisition_lines::ordered_quantity + quantity))
        .execute(&mut **tx)?;
    Ok(())
}

/// Stores what changed of a locked requisition, counts the change, and tells the world.
pub(super) fn save(
    tx: &mut Tx<'_>,
    before: &Loaded,
    row: &mut RequisitionRow,
    lines: &[RequisitionLineRow],
) -> Result<Requisition> {
    row.revision += 1;
    row.version += 1;
    row.updated_at = tx.now();
    let same = requisitions::id
        .eq(row.id)
        .and(requisitions::revision.eq(before.0.revision));
    let touched = diesel::update(requisitions::table.filter(same))
        .set(&*row)
        .execute(&mut **tx)?;
    if touched != 1 {
        return Err(Error::Stale);
    }
    let base = company::settings(tx)?.base_currency;
    let after = Requisition::from_rows(row, lines, base);
    tx.changed(Some(&Requisition::from_rows(&before.0, &before.1, base)), &after)?;
    Ok(after)
}

pub(super) fn page(conn: &mut PgConnection, query: &RequisitionsQuery) -> Result<Page<Requisition>> {
    let mut found = requisitions::table.select(RequisitionRow::as_select()).into_boxed();
    if let Some(text) = &query.q {
        let pattern = text.contains();
        found = found.filter(
            requisitions::number
                .ilike(pattern.clone())
                .or(requisitions::reason.ilike(pattern.clone()))
                .or(requisitions::external_ref.ilike(pattern)),
        );
    }
    if let Some(status) = query.status {
        found = found.filter(requisitions::status.eq(status));
    }
    let page: Result<Page<RequisitionRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: requisitions::id as Uuid => |r: &RequisitionRow| r.id, [
        "created_at" => requisitions::created_at as DateTime<Utc> => |r: &RequisitionRow| r.created_at,
    ]);
    let Page { items, next_cursor } = page?;
    let base = company::settings(conn)?.base_currency;
    let mut lines = lines_of(conn, &items.iter().map(|row| row.id).collect::<Vec<_>>())?;
    let items = items
        .iter()
        .map(|row| Requisition::from_rows(row, &lines.remove(&row.id).unwrap_or_default(), base));
    Ok(Page {
        items: items.collect(),
        next_cursor,
    })
}
