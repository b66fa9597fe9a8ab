//! What the customer says to a quote: accepting makes its one order and wins its deal.

use super::editing::{locked, save, tell};
use super::model::{Quote, QuoteAcceptIn, QuoteDeclineIn};
use super::status::{QuoteAction, QuoteState};
use crate::deals::closing;
use crate::may;
use crate::orders::model::OrderLineIn;
use crate::orders::promised::{self, Promised};
use service_kit::{Faults, Permission, Problem, Result, Tx};
use uuid::Uuid;

/// Accepts a quote: places its order, at the prices that were promised.
///
/// The quote is locked, so that of any number that accept or decline one does. Its deal is won, unless it is
/// closed or steps are missing.
///
/// # Errors
/// 403 without `orders:write` or `orders:submit`; 409 `illegal_transition`, `customer_archived`; 422.
pub fn accept(tx: &mut Tx<'_>, id: Uuid, input: &QuoteAcceptIn) -> Result<Quote> {
    let before = locked(tx, id, QuoteAction::Accept)?;
    let submit = input.submit.unwrap_or(true);
    for (needed, permission) in [(true, may::WriteOrders::NAME), (submit, may::SubmitOrders::NAME)] {
        if needed && !tx.actor().may(permission) {
            return Err(Problem::forbidden(permission).into());
        }
    }
    let today = tx.today();
    let mut faults = Faults::default();
    if input.requested_date.is_some_and(|date| date < today) {
        faults.add("/requested_date", "out_of_range", "must not be in the past");
    }
    faults.check()?;
    // Lines keep their ids: whoever has the order finds the line of the quote.
    let lines = before.lines.iter().map(|line| OrderLineIn {
        id: Some(line.id),
        product_id: line.product_id,
        quantity: line.quantity,
        unit_price: line.unit_price,
        discount: line.discount,
    });
    let lines: Vec<OrderLineIn> = lines.collect();
    let promised = Promised {
        quote_id: id,
        order_id: input.order_id,
        customer_id: before.row.customer_id,
        owned: before.owned(),
        currency: before.row.currency,
        requested_date: input
            .requested_date
            .or(before.row.requested_date.filter(|date| *date >= today)),
        external_ref: input.external_ref.as_deref(),
        lines: &lines,
        submit,
    };
    let order = promised::place(tx, &promised)?;
    let mut after = before.clone();
    after.row.state = QuoteState::Accepted;
    after.row.order_id = Some(order.id);
    after.row.decided_at = Some(tx.now());
    after.row.decision_note.clone_from(&input.note);
    let quote = save(tx, &before, after)?;
    tell(tx, &quote, "quote_accepted", "Quote accepted")?;
    if let Some(deal) = quote.deal_id {
        closing::win_by_quote(tx, deal)?;
    }
    Ok(quote)
}

/// Declines a quote.
pub fn decline(tx: &mut Tx<'_>, id: Uuid, input: &QuoteDeclineIn) -> Result<Quote> {
    let before = locked(tx, id, QuoteAction::Decline)?;
    let mut after = before.clone();
    after.row.state = QuoteState::Declined;
    after.row.decided_at = Some(tx.now());
    after.row.decision_note.clone_from(&input.reason);
    let quote = save(tx, &before, after)?;
    tell(tx, &quote, "quote_declined", "Quote declined")?;
    Ok(quote)
}
