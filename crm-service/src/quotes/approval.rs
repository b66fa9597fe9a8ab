//! Letting a discount pass: asked for by whoever made the quote, decided by somebody else.

use super::editing::{locked, save, tell};
use super::model::{Quote, QuoteNoteIn, QuoteRejectIn};
use super::sending;
use super::status::{ApprovalState, QuoteAction, QuoteState};
use super::stored::{ApprovalRow, StoredQuote};
use super::{content, limits, notices, queries};
use actix_web::http::StatusCode;
use serde_json::json;
use service_kit::{Error, Problem, Result, Tx};
use uuid::Uuid;

/// Asks for approval of the quote as it is. It must be fit to be sent otherwise.
pub fn request(tx: &mut Tx<'_>, id: Uuid, input: &QuoteNoteIn) -> Result<Quote> {
    let before = locked(tx, id, QuoteAction::RequestApproval)?;
    sending::check(tx, &before)?;
    let mut after = before.clone();
    let approval = ApprovalRow {
        id: Uuid::now_v7(),
        quote_id: id,
        state: ApprovalState::Open,
        content_hash: content::hash(&before, None),
        discount: before.row.greatest_discount,
        note: input.note.clone(),
        requested_by_id: tx.actor().id,
        requested_by: tx.actor().name.to_string(),
        requested_at: tx.now(),
        decided_by_id: None,
        decided_by: None,
        decided_at: None,
        decision_note: None,
    };
    queries::put_approval(tx, &approval)?;
    after.approvals.push(approval);
    after.row.state = QuoteState::InApproval;
    let quote = save(tx, &before, after)?;
    tell(
        tx,
        &quote,
        "quote_approval_requested",
        "Approval of a quote's discount requested",
    )?;
    notices::waits(tx, &before, &quote)?;
    Ok(quote)
}

/// Lets the discount pass: the quote may be sent as it is.
///
/// # Errors
/// 403 `maker_may_not_approve`, `above_discount_limit`; 409 `illegal_transition`.
pub fn approve(tx: &mut Tx<'_>, id: Uuid, input: &QuoteNoteIn) -> Result<Quote> {
    let before = locked(tx, id, QuoteAction::Approve)?;
    require_other(tx, &before)?;
    let actor = tx.actor().clone();
    let limit = limits::of(tx, &actor)?;
    if before.row.greatest_discount > limit {
        let detail = format!(
            "{} is more discount than the {limit} that you may let pass",
            before.row.greatest_discount
        );
        return Err(Problem::new(StatusCode::FORBIDDEN, "above_discount_limit", detail)
            .fact("max_discount", json!(limit))
            .into());
    }
    let quote = decide(tx, &before, ApprovalState::Approved, input.note.as_deref())?;
    tell(tx, &quote, "quote_approved", "Discount of a quote approved")?;
    notices::decided(tx, &before, &quote, "quote_approved")?;
    Ok(quote)
}

/// Sends the quote back to be changed.
///
/// # Errors
/// 403 `maker_may_not_approve`; 409 `illegal_transition`.
pub fn reject(tx: &mut Tx<'_>, id: Uuid, input: &QuoteRejectIn) -> Result<Quote> {
    let before = locked(tx, id, QuoteAction::Reject)?;
    require_other(tx, &before)?;
    let quote = decide(tx, &before, ApprovalState::Rejected, Some(&input.reason))?;
    tell(tx, &quote, "quote_rejected", "Discount of a quote rejected")?;
    notices::decided(tx, &before, &quote, "quote_rejected")?;
    Ok(quote)
}

/// Takes the request back, to change the quote.
pub fn withdraw(tx: &mut Tx<'_>, id: Uuid) -> Result<Quote> {
    let before = locked(tx, id, QuoteAction::Withdraw)?;
    decide(tx, &before, ApprovalState::Withdrawn, None)
}

/// Who made the quote, changed it or asked for the approval does not decide.
fn require_other(tx: &Tx<'_>, quote: &StoredQuote) -> Result<(), Problem> {
    let actor = tx.actor().id;
    let asked = quote.approvals.last().map(|approval| approval.requested_by_id);
    match asked == Some(actor) || quote.row.makers.contains(&actor) {
        false => Ok(()),
        true => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "maker_may_not_approve",
            "who made or changed it, or asked for the approval, does not decide on it",
        )),
    }
}

fn decide(tx: &mut Tx<'_>, before: &StoredQuote, state: ApprovalState, note: Option<&str>) -> Result<Quote> {
    let mut after = before.clone();
    let open = after.approvals.iter_mut().rev();
    let Some(approval) = open.into_iter().find(|approval| approval.state == ApprovalState::Open) else {
        return Err(Error::Bug(format!("the quote {} waits for no approval", before.row.id)));
    };
    approval.state = state;
    approval.decided_by_id = Some(tx.actor().id);
    approval.decided_by = Some(tx.actor().name.to_string());
    approval.decided_at = Some(tx.now());
    approval.decision_note = note.map(str::to_owned);
    queries::put_approval(tx, approval)?;
    after.row.state = QuoteState::Draft;
    save(tx, before, after)
}
