//! What other modules ask of a customer that their records refer to.

use super::model::CustomerStatus;
use crate::schema::{contacts, customer_credits, customers};
use diesel::prelude::*;
use service_kit::{Owned, Sight};
use uuid::Uuid;

/// A customer that a record is to hang on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referred {
    pub id: Uuid,
    pub name: String,
    pub status: CustomerStatus,
    /// The tier whose prices apply, as the ERP last told it.
    pub tier: Option<String>,
    pub owned: Owned,
}

/// The customer, if it is in sight.
///
/// # Errors
/// When the database refuses.
pub fn referred(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> QueryResult<Option<Referred>> {
    type Row = (String, CustomerStatus, Option<String>, Option<Uuid>, Option<Uuid>);
    let row: Option<Row> = customers::table
        .left_join(customer_credits::table)
        .filter(customers::id.eq(id))
        .select((
            customers::name,
            customers::status,
            customer_credits::tier.nullable(),
            customers::owner_id,
            customers::team_id,
        ))
        .first(conn)
        .optional()?;
    Ok(row
        .filter(|(.., owner_id, team_id)| sight.covers(*owner_id, *team_id))
        .map(|(name, status, tier, owner_id, team_id)| Referred {
            id,
            name,
            status,
            tier,
            owned: Owned { owner_id, team_id },
        }))
}

/// Whether a contact is one of the customer's.
///
/// # Errors
/// When the database refuses.
pub fn has_contact(conn: &mut PgConnection, customer: Uuid, contact: Uuid) -> QueryResult<bool> {
    let found = contacts::table
        .filter(contacts::id.eq(contact).and(contacts::customer_id.eq(customer)))
        .select(contacts::id);
    Ok(found.first::<Uuid>(conn).optional()?.is_some())
}
