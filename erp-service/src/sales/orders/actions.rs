//! Hold, close, cancel.

use super::change::change;
use super::model::{Hold, SalesOrder};
use super::rows::{LineRow, OrderRow};
use super::status::Action;
use service_kit::{Problem, Quantity, Result, Tx};
use uuid::Uuid;

/// Holds a confirmed order by hand. It keeps what it reserved; nothing ships until the release.
///
/// # Errors
/// 409 `illegal_transition`.
pub fn hold(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<SalesOrder> {
    change(tx, id, |tx, row, _| {
        row.state()?.check(Action::Hold)?;
        let hold = Hold {
            code: "manual".to_owned(),
            reason: reason.to_owned(),
            placed_at: tx.now(),
        };
        row.holds = serde_json::to_value([hold])?;
        Ok(())
    })
}

/// Closes an order; an undelivered rest is dropped, with a reason.
///
/// # Errors
/// 409 `illegal_transition`, 422 `reason_required`.
pub fn close(tx: &mut Tx<'_>, id: Uuid, reason: Option<&str>) -> Result<SalesOrder> {
    change(tx, id, |_, row, lines| {
        row.state()?.check(Action::Close)?;
        let rest = lines.iter().any(|line| line.delivered_quantity < line.quantity);
        if rest && reason.is_none() {
            return Err(Problem::rule("reason_required", "closing drops what is not delivered: say why").into());
        }
        row.lifecycle = "closed".to_owned();
        row.end_reason = reason.map(str::to_owned);
        drop_rest(lines);
        Ok(())
    })
}

/// Cancels an order while nothing has shipped.
///
/// # Errors
/// 409 `illegal_transition`.
pub fn cancel(tx: &mut Tx<'_>, id: Uuid, reason: Option<&str>) -> Result<SalesOrder> {
    change(tx, id, |_, row, lines| {
        row.state()?.check(Action::Cancel)?;
        cancel_rows(row, lines, reason.map(str::to_owned));
        Ok(())
    })
}

/// Cancels rows whose state allows it.
pub(super) fn cancel_rows(row: &mut OrderRow, lines: &mut [LineRow], reason: Option<String>) {
    row.lifecycle = "cancelled".to_owned();
    row.end_reason = reason;
    row.holds = serde_json::json!([]);
    drop_rest(lines);
}

fn drop_rest(lines: &mut [LineRow]) {
    for line in lines {
        line.reserved_quantity = Quantity::ZERO;
        line.backordered_quantity = Quantity::ZERO;
    }
}
