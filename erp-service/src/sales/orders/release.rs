//! What credit has to say after the confirmation: at the release from a hold, and when it ships.

use super::change::{change, stocked_products};
use super::model::{Hold, SalesOrder};
use super::rows::OrderRow;
use super::status::{Action, Status};
use super::{place, queries};
use crate::customers::{self, Terms};
use crate::inventory::warehouses;
use crate::sales::backorders;
use crate::sales::credit::{self, Asked, Step};
use service_kit::{OrNotFound, Problem, Result, Tx};
use uuid::Uuid;

/// Releases an order from its holds, on the authority of who releases it.
///
/// Released from a credit hold, it counts towards the exposure from now on and ships past the
/// limit. Released from another hold, it goes on a credit hold when credit does not suffice. It
/// reserves what it did not reserve yet.
///
/// # Errors
/// 409 `illegal_transition`.
pub fn release(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<SalesOrder> {
    let customer: Uuid = queries::load(tx, id).or_not_found("sales order")?.0.customer_id;
    // The exposure changes, so the customer is locked, and first of all locks.
    let terms = customers::lock_terms(tx, customer)?;
    let today = tx.today();
    let after = change(tx, id, |tx, row, lines| {
        row.state()?.check(Action::Release)?;
        note_release(tx, row, reason)?;
        let was_for_credit = row.holds.as_array().into_iter().flatten().any(is_for_credit);
        row.holds = serde_json::json!([]);
        row.credit_released |= was_for_credit;
        // Released from another hold, credit has its say as at any other step.
        if !row.credit_released
            && let Some(terms) = &terms
            && let Some(stop) = credit::check(tx, terms, customer, asked(row, Step::Release), today)?
        {
            row.holds = serde_json::to_value([Hold {
                code: stop.code.to_owned(),
                reason: stop.reason,
                placed_at: tx.now(),
            }])?;
            return Ok(());
        }
        row.credit_counted = true;
        if row.warehouse_id.is_none() {
            row.warehouse_id = warehouses::default_warehouse(tx)?;
        }
        let products: Vec<Uuid> = lines.iter().filter_map(|line| line.known_product_id).collect();
        let stocked = stocked_products(tx, &products)?;
        let stocked: Vec<bool> = lines.iter().map(|line| stocked.contains(&line.product_id)).collect();
        place::reserve(tx, row, lines, &stocked)
    })?;
    if after.status == Status::OnHold {
        return Ok(after);
    }
    // Stock may have become free while it was skipped.
    if let Some(warehouse) = after.warehouse_id {
        let waiting: Vec<Uuid> = after
            .lines
            .iter()
            .filter(|line| !line.backordered_quantity.is_zero())
            .map(|line| line.product_id)
            .collect();
        backorders::fill(tx, warehouse, &waiting)?;
        return queries::find(tx, id);
    }
    Ok(after)
}

/// What is still to be invoiced of the order asks for credit.
fn asked(row: &OrderRow, step: Step) -> Asked<'_> {
    Asked {
        step,
        gross: row.uninvoiced_gross,
        currency: &row.currency,
        counted: row.credit_counted,
    }
}

fn is_for_credit(hold: &serde_json::Value) -> bool {
    hold["code"].as_str().is_some_and(|code| code.starts_with("credit"))
}

/// Who releases takes it on themselves: the log keeps from what, why, and at which exposure.
fn note_release(tx: &mut Tx<'_>, row: &OrderRow, reason: &str) -> Result<()> {
    let today = tx.today();
    let exposure = credit::exposure(tx, row.customer_id, today)?.total();
    let note = serde_json::json!({
        "released": { "from": row.holds, "to": null },
        "reason": { "from": null, "to": reason },
        "exposure_before": { "from": null, "to": exposure },
    });
    tx.audit_changes("sales_order", row.id, row.revision + 1, note);
    Ok(())
}

/// Whether shipping is stopped for credit; the customer is locked when there is a limit.
///
/// # Errors
/// 409 `credit_exceeded`.
pub fn check_credit_to_ship(tx: &mut Tx<'_>, row: &OrderRow) -> Result<()> {
    if row.credit_released {
        return Ok(());
    }
    let Some(terms) = lock_terms_for_credit(tx, row.customer_id)? else {
        return Ok(());
    };
    let today = tx.today();
    match credit::check(tx, &terms, row.customer_id, asked(row, Step::Ship), today)? {
        None => Ok(()),
        Some(stop) => Err(Problem::conflict("credit_exceeded", stop.reason)
            .fact("hold", stop.code)
            .into()),
    }
}

/// The terms of a customer, locked when they set a limit: whoever decides on credit waits here.
pub(super) fn lock_terms_for_credit(tx: &mut Tx<'_>, customer_id: Uuid) -> Result<Option<Terms>> {
    let terms = customers::terms(tx, customer_id)?;
    match terms {
        Some(terms) if terms.credit_limit.is_some() => Ok(customers::lock_terms(tx, customer_id)?),
        other => Ok(other),
    }
}
