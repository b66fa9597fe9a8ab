//! What other modules ask of a customer that their records refer to.

use super::credit::Tiers;
use super::model::CustomerStatus;
use crate::schema::{contacts, customer_credits, customers};
use diesel::prelude::*;
use service_kit::{Owned, Sight};
use uuid::Uuid;

/// A customer that a record is to hang on.
#[derive(Debug, Clone, PartialEq)]
pub struct Referred {
    pub id: Uuid,
    pub name: String,
    pub status: CustomerStatus,
    /// The tiers whose prices apply.
    pub tiers: Tiers,
    pub owned: Owned,
    /// The customer that it became part of.
    pub merged_into: Option<Uuid>,
}

/// The customer, if it is in sight.
///
/// # Errors
/// When the database refuses.
pub fn referred(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> QueryResult<Option<Referred>> {
    type Row = (String, CustomerStatus, Tiers, Option<Uuid>, Option<Uuid>, Option<Uuid>);
    let row: Option<Row> = customers::table
        .left_join(customer_credits::table)
        .filter(customers::id.eq(id))
        .select((
            customers::name,
            customers::status,
            (customer_credits::tier.nullable(), customer_credits::tiers.nullable()),
            customers::owner_id,
            customers::team_id,
            customers::merged_into,
        ))
        .first(conn)
        .optional()?;
    Ok(row
        .filter(|(.., owner_id, team_id, _)| sight.covers(*owner_id, *team_id))
        .map(|(name, status, tiers, owner_id, team_id, merged_into)| Referred {
            id,
            name,
            status,
            tiers,
            owned: Owned { owner_id, team_id },
            merged_into,
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
