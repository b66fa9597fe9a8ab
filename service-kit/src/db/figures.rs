//! Statements that read very many rows, for a report.
//!
//! The service's own plans are made once, for looking things up by key. Of a report over a month or
//! over years, narrowed or not, each is best read in another way: planning costs some milliseconds, a
//! plan for something else minutes.

use crate::problem::Result;
use diesel::connection::SimpleConnection;
use diesel::{PgConnection, QueryResult};

/// Reads figures: all statements see one state, and each is planned for its parameters.
///
/// # Errors
/// Those of the work.
pub fn figures<T>(conn: &mut PgConnection, work: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
    conn.build_transaction().repeatable_read().read_only().run(|conn| {
        plan_for_figures(conn)?;
        work(conn)
    })
}

/// From now to the end of the transaction, statements are planned for their parameters.
///
/// # Errors
/// When the database refuses.
pub fn plan_for_figures(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute(
        "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_seqscan = on; SET LOCAL work_mem = '32MB'",
    )
}
