//! What was billed before it came: it waits in GRNI at what it was billed at, until its receipt
//! takes it over. The orders of the lines are locked.

use super::model::MatchRow;
use crate::inventory::average;
use crate::purchasing::receipts;
use crate::schema::supplier_bill_matches as matches;
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::{Currency, Quantity, Result, Tx};
use uuid::Uuid;

/// What of some order lines was billed and has not come.
#[derive(Debug, Default)]
pub struct Ahead(Vec<MatchRow>);

/// # Errors
/// When the database refuses.
pub fn open(conn: &mut PgConnection, order_lines: &[Uuid]) -> QueryResult<Ahead> {
    let rows = matches::table
        .filter(matches::order_line_id.eq_any(order_lines))
        .filter(matches::receipt_line_id.is_null().and(matches::reversed.eq(false)))
        .order(matches::id)
        .select(MatchRow::as_select())
        .load(conn)?;
    Ok(Ahead(rows))
}

impl Ahead {
    /// Takes up to `quantity` of a line, the oldest first; answers how much that was and its value.
    pub fn take(&mut self, order_line: Uuid, quantity: Quantity, base: Currency) -> (Quantity, Decimal) {
        let (mut left, mut value) = (quantity, Decimal::ZERO);
        for row in self.0.iter_mut().filter(|row| row.order_line_id == order_line) {
            let taken = left.min(row.quantity);
            if taken.is_zero() {
                continue;
            }
            let part = average::share(row.value, row.quantity, taken, base);
            value += part;
            row.value -= part;
            row.quantity = row.quantity - taken;
            left = left - taken;
        }
        (quantity - left, value)
    }
}

/// Notes in the matches what new receipt lines took over: their part of each match now names the
/// receipt line.
///
/// # Errors
/// When the database refuses.
pub fn note_received(tx: &mut Tx<'_>, lines: &[receipts::LineRow]) -> Result<()> {
    let base = crate::company::settings(tx)?.base_currency;
    for line in lines.iter().filter(|line| !line.billed_quantity.is_zero()) {
        let mut left = line.billed_quantity;
        for row in open(tx, &[line.order_line_id])?.0 {
            let taken = left.min(row.quantity);
            if taken.is_zero() {
                break;
            }
            left = left - taken;
            if taken == row.quantity {
                diesel::update(matches::table.find(row.id))
                    .set(matches::receipt_line_id.eq(line.id))
                    .execute(&mut **tx)?;
                continue;
            }
            let value = average::share(row.value, row.quantity, taken, base);
            diesel::update(matches::table.find(row.id))
                .set((
                    matches::quantity.eq(row.quantity - taken),
                    matches::value.eq(row.value - value),
                    matches::net.eq(row.net - value),
                ))
                .execute(&mut **tx)?;
            let part = MatchRow {
                id: Uuid::now_v7(),
                receipt_line_id: Some(line.id),
                quantity: taken,
                value,
                net: value,
                ..row
            };
            diesel::insert_into(matches::table).values(&part).execute(&mut **tx)?;
        }
    }
    Ok(())
}
