use super::model::{BillLineRow, BillRow, MatchRow, RevaluationRow, SupplierBill, SupplierBillsQuery};
use crate::company;
use crate::schema::{
    purchase_order_lines, supplier_bill_lines, supplier_bill_matches, supplier_bill_revaluations, supplier_bills,
};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use service_kit::{Currency, Error, Page, Result, Tx, UnitPrice, keyset_page};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// A bill with its lines, as read or as locked.
pub(super) type Loaded = (BillRow, Vec<BillLineRow>);

pub(super) fn load(conn: &mut PgConnection, id: Uuid) -> QueryResult<Loaded> {
    let row = supplier_bills::table
        .find(id)
        .select(BillRow::as_select())
        .first(conn)?;
    let lines = lines_of(conn, &[id])?.remove(&id).unwrap_or_default();
    Ok((row, lines))
}

pub(super) fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Loaded> {
    supplier_bills::table
        .find(id)
        .for_no_key_update()
        .select(supplier_bills::id)
        .first::<Uuid>(conn)?;
    load(conn, id)
}

pub(super) fn find(conn: &mut PgConnection, id: Uuid) -> Result<SupplierBill> {
    let (row, lines) = load(conn, id)?;
    let base = company::settings(conn)?.base_currency;
    SupplierBill::from_rows(&row, &lines, base)
}

fn lines_of(conn: &mut PgConnection, bills: &[Uuid]) -> QueryResult<HashMap<Uuid, Vec<BillLineRow>>> {
    let rows: Vec<BillLineRow> = supplier_bill_lines::table
        .filter(supplier_bill_lines::bill_id.eq_any(bills))
        .order(supplier_bill_lines::position)
        .select(BillLineRow::as_select())
        .load(conn)?;
    let mut lines: HashMap<Uuid, Vec<BillLineRow>> = HashMap::new();
    for line in rows {
        lines.entry(line.bill_id).or_default().push(line);
    }
    Ok(lines)
}

pub(super) fn insert(tx: &mut Tx<'_>, row: &BillRow, lines: &[BillLineRow]) -> QueryResult<()> {
    diesel::insert_into(supplier_bills::table)
        .values(row)
        .execute(&mut **tx)?;
    diesel::insert_into(supplier_bill_lines::table)
        .values(lines)
        .execute(&mut **tx)?;
    Ok(())
}

pub(super) fn replace_lines(tx: &mut Tx<'_>, bill: Uuid, lines: &[BillLineRow]) -> QueryResult<()> {
    diesel::delete(supplier_bill_lines::table.filter(supplier_bill_lines::bill_id.eq(bill))).execute(&mut **tx)?;
    diesel::insert_into(supplier_bill_lines::table)
        .values(lines)
        .execute(&mut **tx)?;
    Ok(())
}

pub(super) fn save_line(tx: &mut Tx<'_>, line: &BillLineRow) -> QueryResult<()> {
    diesel::update(supplier_bill_lines::table.find(line.id))
        .set(line)
        .execute(&mut **tx)?;
    Ok(())
}

/// Stores what changed of a locked bill, counts the change, and tells the world.
pub(super) fn save(tx: &mut Tx<'_>, before: &Loaded, row: &mut BillRow, lines: &[BillLineRow]) -> Result<SupplierBill> {
    row.revision += 1;
    row.version += 1;
    row.updated_at = tx.now();
    let same = supplier_bills::id
        .eq(row.id)
        .and(supplier_bills::revision.eq(before.0.revision));
    let touched = diesel::update(supplier_bills::table.filter(same))
        .set(&*row)
        .execute(&mut **tx)?;
    if touched != 1 {
        return Err(Error::Stale);
    }
    let base = company::settings(tx)?.base_currency;
    let after = SupplierBill::from_rows(row, lines, base)?;
    tx.changed(Some(&SupplierBill::from_rows(&before.0, &before.1, base)?), &after)?;
    Ok(after)
}

pub(super) fn insert_matches(tx: &mut Tx<'_>, rows: &[MatchRow]) -> QueryResult<()> {
    diesel::insert_into(supplier_bill_matches::table)
        .values(rows)
        .execute(&mut **tx)?;
    Ok(())
}

pub(super) fn insert_revaluations(tx: &mut Tx<'_>, rows: &[RevaluationRow]) -> QueryResult<()> {
    diesel::insert_into(supplier_bill_revaluations::table)
        .values(rows)
        .execute(&mut **tx)?;
    Ok(())
}

/// The matches of a bill that count.
pub(super) fn matches_of(conn: &mut PgConnection, lines: &[Uuid]) -> QueryResult<Vec<MatchRow>> {
    supplier_bill_matches::table
        .filter(supplier_bill_matches::bill_line_id.eq_any(lines))
        .filter(supplier_bill_matches::reversed.eq(false))
        .order(supplier_bill_matches::id)
        .select(MatchRow::as_select())
        .load(conn)
}

/// What billed a receipt line: each match with the unit price and currency of its bill.
///
/// # Errors
/// When the database refuses.
pub fn billed_for_receipt_line(
    conn: &mut PgConnection,
    receipt_line: Uuid,
) -> QueryResult<Vec<(MatchRow, UnitPrice, Currency)>> {
    supplier_bill_matches::table
        .inner_join(supplier_bill_lines::table.on(supplier_bill_lines::id.eq(supplier_bill_matches::bill_line_id)))
        .inner_join(supplier_bills::table.on(supplier_bills::id.eq(supplier_bill_lines::bill_id)))
        .filter(supplier_bill_matches::receipt_line_id.eq(receipt_line))
        .filter(supplier_bill_matches::reversed.eq(false))
        .order(supplier_bill_matches::id)
        .select((
            MatchRow::as_select(),
            supplier_bill_lines::unit_price,
            supplier_bills::currency,
        ))
        .load(conn)
}

/// Supplier, currency and day of a posted bill.
///
/// # Errors
/// When the database refuses.
pub fn posted(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<(Uuid, Currency, NaiveDate)>> {
    supplier_bills::table
        .find(id)
        .filter(supplier_bills::status.eq("posted"))
        .select((
            supplier_bills::supplier_id,
            supplier_bills::currency,
            supplier_bills::bill_date,
        ))
        .first(conn)
        .optional()
}

/// The posted bills that billed these receipt lines, oldest first.
///
/// # Errors
/// When the database refuses.
pub fn bills_of_receipt_lines(conn: &mut PgConnection, receipt_lines: &[Uuid]) -> QueryResult<Vec<Uuid>> {
    let mut bills: Vec<Uuid> = supplier_bill_matches::table
        .inner_join(supplier_bill_lines::table.on(supplier_bill_lines::id.eq(supplier_bill_matches::bill_line_id)))
        .filter(supplier_bill_matches::receipt_line_id.eq_any(receipt_lines))
        .filter(supplier_bill_matches::reversed.eq(false))
        .order(supplier_bill_matches::id)
        .select(supplier_bill_lines::bill_id)
        .load(conn)?;
    let mut seen = HashSet::new();
    bills.retain(|bill| seen.insert(*bill));
    Ok(bills)
}

pub(super) fn mark_reversed(tx: &mut Tx<'_>, lines: &[Uuid]) -> QueryResult<()> {
    diesel::update(supplier_bill_matches::table.filter(supplier_bill_matches::bill_line_id.eq_any(lines)))
        .set(supplier_bill_matches::reversed.eq(true))
        .execute(&mut **tx)?;
    Ok(())
}

pub(super) fn revaluations_of(conn: &mut PgConnection, lines: &[Uuid]) -> QueryResult<Vec<RevaluationRow>> {
    supplier_bill_revaluations::table
        .filter(supplier_bill_revaluations::bill_line_id.eq_any(lines))
        .order(supplier_bill_revaluations::id)
        .select(RevaluationRow::as_select())
        .load(conn)
}

pub(super) fn page(conn: &mut PgConnection, query: &SupplierBillsQuery) -> Result<Page<SupplierBill>> {
    let mut found = supplier_bills::table.select(BillRow::as_select()).into_boxed();
    if let Some(text) = &query.q {
        let pattern = text.contains();
        found = found.filter(
            supplier_bills::supplier_number
                .ilike(pattern.clone())
                .nullable()
                .or(supplier_bills::number.ilike(pattern.clone()))
                .or(supplier_bills::external_ref.ilike(pattern.clone()))
                .or(supplier_bills::note.ilike(pattern)),
        );
    }
    if let Some(status) = query.status {
        found = found.filter(supplier_bills::status.eq(status));
    }
    if let Some(supplier) = query.supplier_id {
        found = found.filter(supplier_bills::supplier_id.eq(supplier));
    }
    if let Some(number) = &query.supplier_number {
        found = found.filter(supplier_bills::supplier_number.eq(number.as_str()));
    }
    if let Some(order) = query.order_id {
        let lines = purchase_order_lines::table
            .filter(purchase_order_lines::order_id.eq(order))
            .select(purchase_order_lines::id.nullable());
        let bills = supplier_bill_lines::table
            .filter(supplier_bill_lines::order_line_id.eq_any(lines))
            .select(supplier_bill_lines::bill_id);
        found = found.filter(supplier_bills::id.eq_any(bills));
    }
    if let Some(date) = query.date_from {
        found = found.filter(supplier_bills::bill_date.ge(date));
    }
    if let Some(date) = query.date_to {
        found = found.filter(supplier_bills::bill_date.le(date));
    }
    let page: Result<Page<BillRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: supplier_bills::id as Uuid => |b: &BillRow| b.id, [
        "created_at" => supplier_bills::created_at as DateTime<Utc> => |b: &BillRow| b.created_at,
        "bill_date" => supplier_bills::bill_date as NaiveDate => |b: &BillRow| b.bill_date,
    ]);
    let Page { items, next_cursor } = page?;
    let base = company::settings(conn)?.base_currency;
    let mut lines = lines_of(conn, &items.iter().map(|row| row.id).collect::<Vec<_>>())?;
    let items = items
        .iter()
        .map(|row| SupplierBill::from_rows(row, &lines.remove(&row.id).unwrap_or_default(), base))
        .collect::<Result<Vec<_>>>()?;
    Ok(Page { items, next_cursor })
}
