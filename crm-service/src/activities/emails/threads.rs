//! Which thread a message belongs to.
//!
//! A message names those before it (`In-Reply-To`, `References`). It joins the thread of whichever
//! of them is known here, and of whichever message here names it: an answer may arrive before what
//! it answers. When that joins two threads, they become the older one.

use crate::schema::activities::{self, dsl};
use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use service_kit::db::sql;
use uuid::Uuid;

/// A message of the thread that is to be gone on with.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Before {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub thread_id: Uuid,
}

/// Keeps others from threading messages of the same conversation until this transaction ends.
///
/// The oldest message that a conversation names is the same for all that belong to it.
pub fn lock(conn: &mut PgConnection, oldest: &str) -> QueryResult<()> {
    sql("SELECT pg_advisory_xact_lock(hashtextextended($1, 4))")
        .bind::<Text, _>(oldest)
        .run(conn)?;
    Ok(())
}

/// The messages here that this one names or that name it, the one named last first.
pub fn related(conn: &mut PgConnection, message_id: &str, names: &[String]) -> QueryResult<Vec<Before>> {
    sql("SELECT a.id, a.thread_id FROM (
             SELECT a.id, n.place FROM unnest($1) WITH ORDINALITY AS n (name, place)
             JOIN activities a ON a.message_id = n.name
             UNION ALL
             SELECT c.activity_id, 0 FROM email_contents c WHERE c.reference_ids @> ARRAY[$2]) r
         JOIN activities a ON a.id = r.id
         WHERE a.thread_id IS NOT NULL
         ORDER BY r.place DESC, a.created_at, a.id")
    .bind::<Array<Text>, _>(names)
    .bind::<Text, _>(message_id)
    .rows(conn)
}

/// Makes one thread of several: the oldest. Gives that thread.
///
/// The activities' revisions stay: which thread a message is in is no change of the message.
pub fn join(conn: &mut PgConnection, related: &[Before]) -> QueryResult<Option<Uuid>> {
    let mut threads: Vec<Uuid> = related.iter().map(|before| before.thread_id).collect();
    threads.sort_unstable();
    threads.dedup();
    let [first, rest @ ..] = threads.as_slice() else {
        return Ok(None);
    };
    if !rest.is_empty() {
        let others = activities::table.filter(dsl::thread_id.eq_any(rest));
        diesel::update(others).set(dsl::thread_id.eq(first)).execute(conn)?;
    }
    Ok(Some(*first))
}
