//! Taking a posted bill back: as if it had not come.
//!
//! The entry is mirrored. What its price difference added to stock is taken back from what is left
//! of those goods; what has left with them since stays a variance. What it billed can be billed again.

use super::actions::ground;
use super::model::SupplierBill;
use super::queries;
use super::status::{SupplierBillAction, SupplierBillStatus};
use crate::catalog;
use crate::company;
use crate::inventory::levels::{self, Document};
use crate::ledger::{self, Entry, Facts, Journal, Role, Source, Sum};
use crate::purchasing::orders;
use crate::purchasing::receipts::queries as receipts;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use service_kit::{Problem, Result, Tx};
use uuid::Uuid;

/// # Errors
/// 409 when something of it was paid or sent back, or the ledger refuses.
pub(super) fn reverse(tx: &mut Tx<'_>, id: Uuid, reason: &str, date: Option<NaiveDate>) -> Result<SupplierBill> {
    let mut ground = ground(tx, id, SupplierBillAction::Reverse)?;
    let ids: Vec<Uuid> = ground.before.1.iter().map(|line| line.id).collect();
    for row in queries::matches_of(tx, &ids)? {
        let came = ground
            .came
            .iter_mut()
            .find(|came| Some(came.line.id) == row.receipt_line_id);
        if let Some(came) = came {
            if came.line.billed_quantity < came.line.returned_billed_quantity + row.quantity {
                let detail = "something of it was sent back after it was billed";
                return Err(Problem::conflict("returned_since", detail).into());
            }
            came.line.billed_quantity = came.line.billed_quantity - row.quantity;
            came.line.billed_value -= row.value;
            receipts::save_line(tx, &came.line)?;
        }
    }
    queries::mark_reversed(tx, &ids)?;
    for line in &ground.before.1 {
        let order_lines = ground.orders.values_mut().flat_map(|(_, lines)| lines);
        for of in order_lines.filter(|of| Some(of.id) == line.order_line_id) {
            of.billed_quantity = of.billed_quantity - line.quantity;
            of.matched_expected -= line.matched_expected;
            of.matched_difference -= line.matched_difference;
        }
    }
    for (_, (order, order_lines)) in std::mem::take(&mut ground.orders) {
        let before = orders::queries::load(tx, order.id)?;
        orders::store(tx, &before, order, &order_lines)?;
    }
    let mut row = ground.before.0.clone();
    row.status = SupplierBillStatus::Reversed;
    row.end_reason = Some(reason.to_owned());
    if let Some(entry) = row.entry_id {
        let (posted, on) = ledger::reverse(tx, entry, date, reason)?;
        row.reversal_id = Some(posted.id);
        take_back(tx, &row.supplier_number, id, &ids, &on)?;
    }
    queries::save(tx, &ground.before, &mut row, &ground.before.1)
}

/// The mirrored entry takes from the stock account what the bill had added to it; stock itself gives back
/// only the part whose goods are still there.
fn take_back(
    tx: &mut Tx<'_>,
    supplier_number: &str,
    bill: Uuid,
    lines: &[Uuid],
    on: &ledger::PostingDay,
) -> Result<()> {
    let base = company::settings(tx)?.base_currency;
    let rules = ledger::rules(tx)?;
    let source = Source::new("supplier_bill", bill, None);
    let what = format!("Reversal of bill {supplier_number}: what left stock with its goods");
    let mut entry = Entry::new(Journal::Purchases, on, source, what);
    let document = Document {
        kind: "revaluation",
        id: bill,
        date: on.date,
        base,
    };
    for row in queries::revaluations_of(tx, lines)? {
        let late = levels::late_cost(tx, row.warehouse_id, row.product_id, row.quantity, -row.value, document)?;
        let category_id = catalog::facts(tx, &[row.product_id])?
            .remove(&row.product_id)
            .and_then(|facts| facts.category_id);
        let facts = Facts {
            category_id,
            warehouse_id: Some(row.warehouse_id),
            tax_code: None,
        };
        let kept: Decimal = -late.variance;
        entry.debit(&rules.account(Role::Stock, &facts)?, Sum::base(base, kept));
        entry.credit(&rules.account(Role::PriceVariance, &facts)?, Sum::base(base, kept));
    }
    if entry.lines.iter().any(|line| !line.sum.is_zero()) {
        ledger::post(tx, entry)?;
    }
    Ok(())
}
