//! Merging: two customers turn out to be one. A becomes part of B.
//!
//! **What moves**: whatever hangs on A hangs on B afterwards ([`moves::MOVES`] lists it, and a test compares that list with
//! the foreign keys of the database). **What B keeps**: its name, owner, grade, credit facts. What B does not have, it
//! takes from A: e-mail, telephone, tax number, custom fields; tags of both.
//!
//! **What A becomes**: archived, and a signpost. Reading it answers `308 Permanent Redirect` to B, a command on
//! it `409 merged` with the survivor. A chain of merges is one step long: whatever pointed at A now points at B.
//!
//! **Nothing falls in between.** Who merges holds A alone; who hangs something on A at that moment waits for it
//! and is refused by a trigger, and what the ERP still tells of A reaches B ([`survivor`]).
//!
//! **The ERP** learns it by `customer.merged`, which holds A as it was before its parts moved: open orders end under A there, posted
//! documents stay as they are, while B's terms decide on both and B's exposure is the sum.

mod actions;
pub mod moves;

pub use actions::merge;

use crate::schema::customers;
use diesel::prelude::*;
use service_kit::Problem;
use uuid::Uuid;

/// Where a customer is now: itself, or the one that it became part of. `None` when it is unknown.
///
/// It stays so until the end of the transaction: a merge waits.
pub fn survivor(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Uuid>> {
    let found: Option<(Uuid, Option<Uuid>)> = customers::table
        .find(id)
        .select((customers::id, customers::merged_into))
        .for_key_share()
        .first(conn)
        .optional()?;
    Ok(found.map(|(id, survivor)| survivor.unwrap_or(id)))
}

/// 409: the customer became part of another, on which this can be done.
pub fn refused(survivor: Uuid) -> Problem {
    Problem::conflict("merged", "the customer became part of another; do it there")
        .fact("survivor", survivor.to_string())
        .fact("survivor_path", format!("/v1/customers/{survivor}"))
}

/// 308: what is asked for stands below another customer now; `below` is what follows its id in the path.
pub fn moved(survivor: Uuid, below: &str) -> Problem {
    let path = format!("/v1/customers/{survivor}{below}");
    let status = actix_web::http::StatusCode::PERMANENT_REDIRECT;
    Problem::new(status, "merged", "the customer became part of another")
        .fact("survivor", survivor.to_string())
        .fact("survivor_path", path.clone())
        .header("Location", path)
}
