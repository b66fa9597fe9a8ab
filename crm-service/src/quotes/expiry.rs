//! Quotes whose last day has passed.
//!
//! They are shown as expired from the next day on, in the company's time zone; this writes it down
//! and tells it. A command that comes first does so itself.

use super::editing::{save, tell};
use super::model::Quote;
use super::queries;
use super::status::QuoteState;
use super::stored::StoredQuote;
use service_kit::background::{Background, Round};
use service_kit::server::Kit;
use service_kit::{Result, Tx};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How many quotes a round writes down.
const ROUND: usize = 100;

pub const EXPIRY: Background = Background {
    name: "quote expiry",
    every: Duration::from_secs(60),
    wakes_on: &[],
    round,
};

fn round(kit: Kit) -> Round {
    Box::pin(async move {
        let more = Arc::new(AtomicBool::new(false));
        let found = more.clone();
        let work = move |tx: &mut Tx<'_>| {
            found.store(expire_due(tx)? == ROUND, Ordering::Relaxed);
            Ok(())
        };
        kit.run_as_service("quote expiry", work).await?;
        Ok(more.load(Ordering::Relaxed))
    })
}

fn expire_due(tx: &mut Tx<'_>) -> Result<usize> {
    let today = tx.today();
    let due = queries::to_expire(tx, today, ROUND as i64)?;
    for id in &due {
        let quote = queries::lock(tx, *id)?;
        expire(tx, &quote)?;
    }
    Ok(due.len())
}

/// Writes down that a quote has expired.
pub fn expire(tx: &mut Tx<'_>, quote: &StoredQuote) -> Result<Quote> {
    let mut after = quote.clone();
    after.row.state = QuoteState::Expired;
    let after = save(tx, quote, after)?;
    tell(tx, &after, "quote_expired", "Quote expired")?;
    Ok(after)
}
