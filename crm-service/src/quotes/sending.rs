//! Sending: the quote gets its number, its document and its hash, and does not change any more. On its
//! deal the document is filed, where it proves that an offer was made.

use super::editing::{self, locked, save, tell};
use super::model::{Quote, QuoteEmailIn};
use super::queries::{self, DocumentRow};
use super::status::{QuoteAction, QuoteState};
use super::stored::StoredQuote;
use super::{content, document, limits, lines, mailing};
use crate::attachments;
use crate::customers::reference;
use crate::subjects::SubjectRef;
use service_kit::config::Mail;
use service_kit::{Faults, Result, Sight, Tx};
use uuid::Uuid;

/// Sends a quote: what it says is promised from now on, until its last day has passed.
///
/// # Errors
/// 409 `illegal_transition`, `approval_required`, `customer_archived`, `consent_withdrawn`; 422 with every fault.
pub fn send(tx: &mut Tx<'_>, id: Uuid, by_mail: Option<(&Mail, &QuoteEmailIn)>) -> Result<Quote> {
    let before = locked(tx, id, QuoteAction::Send)?;
    check(tx, &before)?;
    limits::require(tx, &before)?;
    let mut after = before.clone();
    if after.row.number.is_none() && !tx.dry_run() {
        after.row.number = Some(queries::draw_number(tx)?);
    }
    after.row.state = QuoteState::Sent;
    after.row.sent_at = Some(tx.now());
    after.row.sent_by = Some(tx.actor().name.to_string());
    let (today, now) = (tx.today(), tx.now());
    let made = document::make(tx, &after, today)?;
    let sha256 = content::sha256(&made.html);
    after.row.content_hash = Some(content::hash(&after, Some(&sha256)));
    let quote = save(tx, &before, after)?;
    let document = DocumentRow {
        quote_id: id,
        html: made.html,
        sha256,
        language: made.language,
        template_id: made.template.map(|(id, _)| id),
        template_version: made.template.map(|(_, version)| version),
        created_at: now,
    };
    queries::insert_document(tx, &document)?;
    let name = format!(
        "{}-{}.html",
        quote.number.as_deref().unwrap_or("quote"),
        quote.version_number
    );
    if let Some(deal) = quote.deal_id {
        attachments::file(tx, SubjectRef::deal(deal), &name, "text/html", document.html.as_bytes())?;
    }
    tell(tx, &quote, "quote_sent", "Quote sent")?;
    if let Some((mail, email)) = by_mail {
        mailing::mail(tx, mail, &quote, email, name, document)?;
    }
    Ok(quote)
}

/// Names what keeps a quote from being sent.
///
/// # Errors
/// 409 `customer_archived`; 422 with every fault.
pub fn check(tx: &mut Tx<'_>, quote: &StoredQuote) -> Result<()> {
    let mut faults = Faults::default();
    lines::check_offer(tx, &quote.lines, &mut faults)?;
    if quote.row.valid_until < tx.today() {
        faults.add("/valid_until", "out_of_range", "its last day has passed");
    }
    faults.check()?;
    if let Some(customer) = reference::referred(tx, &Sight::All, quote.row.customer_id)? {
        editing::require_active(&customer)?;
    }
    Ok(())
}
