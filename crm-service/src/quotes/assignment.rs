//! Giving many quotes to somebody at once.

use super::editing::{save, tell};
use super::queries;
use super::status::QuoteState;
use super::stored::{QuoteRow, StoredQuote};
use crate::customers::timeline;
use crate::schema::quotes;
use diesel::prelude::*;
use service_kit::{Owned, Result, Tx, visible};
use uuid::Uuid;

/// The quotes of customers that are not decided yet and in sight of who acts, locked in the order of their ids.
///
/// # Errors
/// When the database refuses.
pub fn open_of(tx: &mut Tx<'_>, customers: &[Uuid], most: i64) -> QueryResult<Vec<StoredQuote>> {
    let (sight, today) = (tx.sight(), tx.today());
    let sent = quotes::state.eq(QuoteState::Sent).and(quotes::valid_until.ge(today));
    let rows: Vec<QuoteRow> = quotes::table
        .filter(quotes::customer_id.eq_any(customers))
        .filter(
            quotes::state
                .eq_any([QuoteState::Draft, QuoteState::InApproval])
                .or(sent),
        )
        .filter(visible!(&sight, quotes))
        .order(quotes::id)
        .limit(most)
        .select(QuoteRow::as_select())
        .for_no_key_update()
        .load(&mut **tx)?;
    queries::with_parts(tx, rows)
}

/// Gives quotes that are locked to somebody; what is told of them follows.
///
/// # Errors
/// When the database refuses.
pub fn assign_all(tx: &mut Tx<'_>, before: &[StoredQuote], to: Owned) -> Result<()> {
    let ids: Vec<Uuid> = before.iter().map(|quote| quote.row.id).collect();
    timeline::reassign_all(tx, &ids, to)?;
    for quote in before {
        let mut after = quote.clone();
        (after.row.owner_id, after.row.team_id) = (to.owner_id, to.team_id);
        let after = save(tx, quote, after)?;
        tell(tx, &after, "quote_assigned", "Quote assigned")?;
    }
    Ok(())
}
