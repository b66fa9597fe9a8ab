//! Sessions: somebody signs in with e-mail and password and gets a token, shown once.
//!
//! A session ends after `LASTS`, when it is ended (`DELETE`), when its user is deactivated or an
//! administrator ends all of theirs, and when the password changes elsewhere. An ended token works
//! no more from that instant on.
//!
//! **Guessing.** An address may make only so many open requests a minute, and so may everybody
//! together with one e-mail address. After `FAILURES` wrong passwords within `WINDOW` nobody
//! signs in with that e-mail address for `LOCKED`, not even with the right password: the answer is
//! 429 `too_many_failures` with `Retry-After`. Failures are counted under a lock, by what was typed:
//! an address that nobody has costs the same work, gets the same answers and locks in the same way,
//! so that no answer tells who works here. Of 32 guesses sent at once, five are answered.

mod failures;
mod handlers;
mod me;
mod model;
mod sign_in;

pub(crate) use failures::forgive;
pub use model::Session;

use crate::db::sql;
use crate::openapi::Routes;
use crate::problem::Result;
use crate::schema::sessions;
use crate::tx::Tx;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use uuid::Uuid;

/// How long a session lasts, whatever is done in it.
pub(crate) const LASTS: TimeDelta = TimeDelta::hours(12);
/// Wrong passwords that lock.
const FAILURES: i32 = 5;
/// Failures further apart do not add up.
const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// How long nobody signs in then.
const LOCKED: TimeDelta = TimeDelta::minutes(15);

pub(crate) fn routes(routes: &mut Routes) {
    sign_in::routes(routes);
    handlers::routes(routes);
    me::routes(routes);
}

/// Ends all sessions of a user but one. Forget the recent keys once this is committed.
pub(crate) fn end_all(tx: &mut Tx<'_>, user: Uuid, but: Option<Uuid>) -> Result<()> {
    let open = sessions::user_id.eq(user).and(sessions::revoked_at.is_null());
    let others = open.and(sessions::id.ne(but.unwrap_or_default()));
    let ended: Vec<Uuid> = diesel::update(sessions::table.filter(others))
        .set(sessions::revoked_at.eq(tx.now()))
        .returning(sessions::id)
        .get_results(&mut **tx)?;
    for session in ended {
        model::audit_end(tx, session);
    }
    Ok(())
}

/// Removes sessions that are over, and failures that count no more, a batch at a time.
pub(crate) fn remove_old(conn: &mut PgConnection, now: DateTime<Utc>) -> QueryResult<()> {
    for statement in [
        "DELETE FROM sessions WHERE ctid = ANY (ARRAY(SELECT ctid FROM sessions WHERE expires_at < $1 LIMIT $2))",
        "DELETE FROM sign_in_failures WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM sign_in_failures WHERE since < $1 LIMIT $2))",
    ] {
        // A day is longer than any window, and long enough to see what became of a session.
        let before = now - TimeDelta::days(1);
        while sql(statement)
            .bind::<Timestamptz, _>(before)
            .bind::<BigInt, _>(5_000)
            .run(conn)?
            == 5_000
        {}
    }
    Ok(())
}
