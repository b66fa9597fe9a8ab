//! Giving an order to somebody else. The ERP does not ask whose it is.

use super::model::Order;
use super::{drafts, queries};
use crate::customers::timeline::{self, Entry};
use serde_json::json;
use service_kit::users::AssignIn;
use service_kit::{Error, Owned, Result, Tx};
use uuid::Uuid;

/// # Errors
/// 404; 422 `unknown_user`, `unknown_team`.
pub fn assign(tx: &mut Tx<'_>, id: Uuid, to: &AssignIn) -> Result<Order> {
    let before = queries::acted_on(tx, id)?;
    let shown = before.wire()?;
    tx.match_if_given(&shown)?;
    let owned = Owned::assigned(tx, to)?;
    if before.owned() == owned {
        return Ok(shown);
    }
    let mut after = before.clone();
    (after.row.owner_id, after.row.team_id) = (owned.owner_id, owned.team_id);
    after.count_own_change(tx.now());
    if !queries::save(tx, &before, &after)? {
        return Err(Error::Stale);
    }
    let after = after.wire()?;
    tx.audit(Some(&shown), &after)?;
    drafts::emit_changed(tx, &after)?;
    timeline::reassign(tx, id, owned)?;
    let entry = Entry::here(tx, after.customer_id, "order_assigned", &after)
        .owned(owned.owner_id, owned.team_id)
        .summary("Order assigned to somebody else")
        .data(json!({ "owner_id": owned.owner_id, "team_id": owned.team_id }));
    timeline::add(tx, entry)?;
    Ok(after)
}
