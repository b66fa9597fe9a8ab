//! Who works on which flow. An instance takes all flows that nobody holds and renews what it has,
//! in one statement a second.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName};
use service_kit::Result;
use service_kit::db::sql;
use std::time::Duration;
use uuid::Uuid;

/// How long a lease holds without renewal: the longest that a flow rests when its owner dies.
pub const LEASE: Duration = Duration::from_secs(4);

/// A flow that this instance works on, with what operators want of it.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Held {
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Rises with every change of owner.
    #[diesel(sql_type = BigInt)]
    pub epoch: i64,
    #[diesel(sql_type = Bool)]
    pub paused: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub resync_requested_at: Option<DateTime<Utc>>,
}

/// Renews the leases of this owner and takes those that have lapsed.
///
/// # Errors
/// When the database refuses.
pub fn hold(conn: &mut PgConnection, owner: Uuid) -> Result<Vec<Held>> {
    // Locked in the order of names, like everything that touches several flows.
    Ok(sql("WITH free AS (
                SELECT name FROM flow_states
                WHERE lease_owner = $1 OR lease_until IS NULL OR lease_until < clock_timestamp()
                ORDER BY name FOR UPDATE)
            UPDATE flow_states f
            SET lease_epoch = lease_epoch + CASE WHEN lease_owner = $2 THEN 0 ELSE 1 END,
                lease_owner = $3, lease_until = clock_timestamp() + make_interval(secs => $4)
            FROM free WHERE f.name = free.name
            RETURNING f.name, f.lease_epoch AS epoch, f.paused, f.resync_requested_at")
    .bind::<SqlUuid, _>(owner)
    .bind::<SqlUuid, _>(owner)
    .bind::<SqlUuid, _>(owner)
    .bind::<Double, _>(LEASE.as_secs_f64())
    .rows(conn)?)
}

/// Gives up all leases of this owner: another instance takes over at once.
///
/// # Errors
/// When the database refuses.
pub fn release(conn: &mut PgConnection, owner: Uuid) -> Result<()> {
    sql(
        "WITH mine AS (SELECT name FROM flow_states WHERE lease_owner = $1 ORDER BY name FOR UPDATE)
         UPDATE flow_states f SET lease_owner = NULL, lease_until = NULL FROM mine WHERE f.name = mine.name",
    )
    .bind::<SqlUuid, _>(owner)
    .run(conn)?;
    Ok(())
}
