//! The data layer: one private pool per service, PostgreSQL through synchronous Diesel.
//!
//! As many database operations run at once as there are connections ([`Pool::permit`]), so no
//! thread ever waits for one. There is no check on checkout: a connection found dead is thrown
//! away and the work starts again on another, which costs nothing while all is well.

mod figures;
mod migrate;
mod pool;
mod sql;
mod text_enum;

pub use figures::{figures, plan_for_figures};
pub use migrate::{StartError, check_connection, migrate};
pub use pool::{Permit, Pool, Session};
pub use sql::{Sql, sql};

use diesel::result::{DatabaseErrorKind, Error};

/// What a failed statement means for the command that ran it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The connection is gone.
    ConnectionLost,
    /// Another transaction won; run the command again.
    Retry,
    /// Anything else.
    Other,
}

/// Diesel shows no SQLSTATE, so this is the one place that knows PostgreSQL's primary messages.
///
/// Start-up makes sure that they are in English ([`check_connection`]).
pub fn classify(error: &Error) -> Failure {
    let Error::DatabaseError(kind, info) = error else {
        return match error {
            Error::BrokenTransactionManager => Failure::ConnectionLost,
            _ => Failure::Other,
        };
    };
    let message = info.message();
    match kind {
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => Failure::ConnectionLost,
        DatabaseErrorKind::SerializationFailure => Failure::Retry,
        _ if message.starts_with("deadlock detected") => Failure::Retry,
        _ if CONNECTION_LOST.iter().any(|start| message.contains(start)) => Failure::ConnectionLost,
        _ => Failure::Other,
    }
}

const CONNECTION_LOST: &[&str] = &[
    "server closed the connection unexpectedly",
    "terminating connection due to",
    "the database system is",
    "no connection to the server",
    "could not receive data from server",
    "could not send data to server",
    "connection to server",
    "connection not open",
    "SSL connection has been closed",
    "crash of another server process",
];

/// Whether the message is that of a statement or lock that ran out of time.
pub fn is_timeout(message: &str) -> bool {
    message.starts_with("canceling statement due to statement timeout")
        || message.starts_with("canceling statement due to lock timeout")
}
