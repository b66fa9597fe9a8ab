//! From answers to purchase orders, in one step.

use super::actions::open;
use super::model::{AnswerRow, AwardIn, AwardedRequest, QuotationAction, QuotationStatus};
use super::queries;
use crate::purchasing::orders::{self, PurchaseOrderIn, PurchaseOrderLineIn};
use chrono::Days;
use service_kit::{Currency, Faults, Quantity, Result, Tx};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Gives lines to suppliers: one purchase order for each supplier and currency.
///
/// # Errors
/// 422 with every fault.
pub(super) fn award(tx: &mut Tx<'_>, id: Uuid, input: &AwardIn) -> Result<AwardedRequest> {
    let before = open(tx, id, QuotationAction::Award)?;
    let today = tx.today();
    let mut left: HashMap<Uuid, Quantity> = before
        .lines
        .iter()
        .map(|line| (line.id, line.quantity - line.awarded_quantity))
        .collect();
    let mut faults = Faults::default();
    let mut groups: BTreeMap<(Uuid, &str), (Currency, Vec<PurchaseOrderLineIn>)> = BTreeMap::new();
    for (index, award) in input.awards.iter().enumerate() {
        let mut fault = |field: &str, code: &str, message: &str| {
            faults.add(format!("/awards/{index}/{field}"), code, message);
        };
        let Some(line) = before.lines.iter().find(|line| line.id == award.line_id) else {
            fault("line_id", "unknown_line", "the request has no such line");
            continue;
        };
        let is_of = |answer: &&AnswerRow| answer.line_id == line.id && answer.supplier_id == award.supplier_id;
        let Some(answer) = before.answers.iter().find(is_of) else {
            fault("supplier_id", "no_answer", "the supplier has not answered this line");
            continue;
        };
        if answer.valid_to.is_some_and(|last| last < today) {
            fault("supplier_id", "answer_expired", "the answer does not hold any more");
        }
        let open = left.entry(line.id).or_default();
        let quantity = award.quantity.unwrap_or(*open);
        if quantity.is_zero() || quantity > *open {
            fault(
                "quantity",
                "out_of_range",
                "must be more than 0 and at most what is not awarded yet",
            );
            continue;
        }
        *open = *open - quantity;
        let days = answer.lead_time_days.and_then(|days| u64::try_from(days).ok());
        let (_, lines) = groups
            .entry((award.supplier_id, answer.currency.code()))
            .or_insert_with(|| (answer.currency, Vec::new()));
        lines.push(PurchaseOrderLineIn {
            product_id: line.product_id,
            description: line.description.clone(),
            quantity,
            unit_price: Some(answer.unit_price),
            expected_date: days.and_then(|days| today.checked_add_days(Days::new(days))),
            requisition_line_id: line.requisition_line_id,
            ..PurchaseOrderLineIn::default()
        });
    }
    faults.check()?;
    let mut made = Vec::with_capacity(groups.len());
    for ((supplier_id, _), (currency, lines)) in groups {
        let order = PurchaseOrderIn {
            id: None,
            supplier_id,
            currency: Some(currency),
            order_date: None,
            warehouse_id: before.row.warehouse_id,
            external_ref: None,
            supplier_reference: None,
            note: before
                .row
                .number
                .as_ref()
                .map(|number| format!("Request for quotation {number}")),
            submit: input.submit,
            lines,
        };
        made.push(orders::place(tx, &order)?);
    }
    for line in &before.lines {
        let now = line.quantity - line.awarded_quantity - left.get(&line.id).copied().unwrap_or_default();
        if !now.is_zero() {
            queries::note_awarded(tx, line.id, now)?;
        }
    }
    let mut row = before.row.clone();
    if left.values().all(|quantity| quantity.is_zero()) {
        row.status = QuotationStatus::Awarded;
    }
    let request = queries::save(tx, &before, row)?;
    Ok(AwardedRequest { request, orders: made })
}
