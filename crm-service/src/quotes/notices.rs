//! Whom the feed of notifications tells of an approval: those who may decide on it, then those who wait for it.

use super::editing::words;
use super::limits;
use super::model::Quote;
use super::stored::StoredQuote;
use crate::activities::notifications;
use crate::{app, may};
use service_kit::users::{self, Owned};
use service_kit::{Permission, Resource, Result, Tx};
use std::collections::BTreeSet;
use uuid::Uuid;

fn owned(quote: &Quote) -> Owned {
    Owned {
        owner_id: quote.owner_id,
        team_id: quote.team_id,
    }
}

fn tell(tx: &mut Tx<'_>, user: Uuid, kind: &'static str, quote: &Quote) -> Result<()> {
    let now = tx.now();
    notifications::tell(tx, user, kind, &words(quote), (Quote::TYPE, quote.id), now)?;
    Ok(())
}

/// Tells those who may let the discount pass, see the quote, and neither made nor asked for it.
///
/// # Errors
/// When the database refuses.
pub fn waits(tx: &mut Tx<'_>, stored: &StoredQuote, quote: &Quote) -> Result<()> {
    let asking = tx.actor().id;
    let roles = app::SERVICE.all_roles();
    for approver in users::who_may(tx, may::ApproveQuotes::NAME, owned(quote), &roles)? {
        if approver.id == asking || stored.row.makers.contains(&approver.id) {
            continue;
        }
        let limit = limits::of_person(tx, Some(approver.id), approver.role.name)?;
        if stored.row.greatest_discount <= limit {
            tell(tx, approver.id, "quote_approval_requested", quote)?;
        }
    }
    Ok(())
}

/// Tells who asked for the approval and whose the quote is what was decided, if they still see it.
///
/// # Errors
/// When the database refuses.
pub fn decided(tx: &mut Tx<'_>, stored: &StoredQuote, quote: &Quote, kind: &'static str) -> Result<()> {
    let asked = stored.approvals.last().map(|approval| approval.requested_by_id);
    let waiting: BTreeSet<Uuid> = asked.into_iter().chain(quote.owner_id).collect();
    let roles = app::SERVICE.all_roles();
    let seeing = users::who_may(tx, may::ReadQuotes::NAME, owned(quote), &roles)?;
    let deciding = tx.actor().id;
    for reader in seeing {
        if reader.id != deciding && waiting.contains(&reader.id) {
            tell(tx, reader.id, kind, quote)?;
        }
    }
    Ok(())
}
