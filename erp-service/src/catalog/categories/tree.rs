//! No category is its own ancestor.

use super::is_known;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Faults, Result, Tx};
use uuid::Uuid;

/// Two moves at once could close a circle that neither of them sees.
pub(super) fn lock(tx: &mut Tx<'_>, parent: Option<Uuid>) -> QueryResult<()> {
    match parent {
        Some(_) => tx.batch_execute("LOCK TABLE categories IN SHARE ROW EXCLUSIVE MODE"),
        None => Ok(()),
    }
}

/// The parent exists, and the category is not among its ancestors.
pub(super) fn check_parent(tx: &mut Tx<'_>, id: Uuid, parent: Option<Uuid>) -> Result<()> {
    let Some(parent) = parent else { return Ok(()) };
    let mut faults = Faults::default();
    if is_at_or_above(tx, id, parent)? {
        faults.add("/parent_id", "category_cycle", "the category would be its own ancestor");
    } else if !is_known(tx, parent)? {
        faults.add("/parent_id", "unknown_category", "there is no such category");
    }
    Ok(faults.check()?)
}

/// Whether `id` is `below` itself or one of its ancestors.
fn is_at_or_above(conn: &mut PgConnection, id: Uuid, below: Uuid) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        found: bool,
    }
    let row: Row = sql("WITH RECURSIVE ancestors (id) AS (
             SELECT $1
             UNION
             SELECT c.parent_id FROM categories c JOIN ancestors a ON c.id = a.id WHERE c.parent_id IS NOT NULL
         )
         SELECT EXISTS (SELECT FROM ancestors WHERE id = $2) AS found")
    .bind::<SqlUuid, _>(below)
    .bind::<SqlUuid, _>(id)
    .row(conn)?;
    Ok(row.found)
}
