//! Orders that a quote was accepted with: what was offered is what is ordered.

use super::drafts::{self, Content, emit_changed};
use super::model::{Order, OrderLineIn};
use super::stored::StoredOrder;
use super::{queries, submission};
use chrono::NaiveDate;
use service_kit::{Currency, Owned, Problem, Result, Sight, Tx};
use uuid::Uuid;

/// What an accepted quote promises.
#[derive(Debug)]
pub struct Promised<'a> {
    pub quote_id: Uuid,
    /// Minted here when absent.
    pub order_id: Option<Uuid>,
    pub customer_id: Uuid,
    pub owned: Owned,
    pub currency: Currency,
    pub requested_date: Option<NaiveDate>,
    pub external_ref: Option<&'a str>,
    /// Each with its price.
    pub lines: &'a [OrderLineIn],
    /// Submit it at once.
    pub submit: bool,
}

/// Places the order of a quote, dated today.
///
/// # Errors
/// 409 `duplicate`, `customer_archived`; 422 with every fault.
pub fn place(tx: &mut Tx<'_>, promised: &Promised<'_>) -> Result<Order> {
    let id = tx.mint(promised.order_id);
    let content = Content {
        customer_id: promised.customer_id,
        given: Owned::default(),
        otherwise: Some(promised.owned),
        currency: promised.currency,
        order_date: None,
        requested_date: promised.requested_date,
        external_ref: promised.external_ref,
        lines: promised.lines,
    };
    // Whoever sees the quote may accept it, even on a customer that is somebody else's.
    let (mut order, standing) = drafts::draft(tx, &Sight::All, id, &content)?;
    order.row.quote_id = Some(promised.quote_id);
    (order.row.owner_id, order.row.team_id) = (promised.owned.owner_id, promised.owned.team_id);
    if promised.submit {
        submission::price_and_mark(tx, &mut order, &standing)?;
    }
    if !queries::insert(tx, &order)? {
        return Err(Problem::conflict("duplicate", "there is an order with this id already").into());
    }
    let order = order.wire()?;
    tx.audit(None, &order)?;
    match promised.submit {
        true => submission::tell(tx, &order, &standing)?,
        false => emit_changed(tx, &order)?,
    }
    Ok(order)
}

/// Refuses an edit of the draft that would change what the quote promised.
pub fn keep(before: &StoredOrder, after: &StoredOrder) -> Result<(), Problem> {
    let same = after.lines == before.lines
        && after.row.customer_id == before.row.customer_id
        && after.row.currency == before.row.currency;
    match before.row.quote_id {
        Some(quote) if !same => {
            let detail = "customer, currency and lines are those of the accepted quote";
            Err(Problem::conflict("promised_by_quote", detail).fact("quote_id", quote.to_string()))
        }
        _ => Ok(()),
    }
}
