use crate::db::sql;
use diesel::connection::SimpleConnection;
use diesel::sql_types::{Integer, Text};
use diesel::{Connection, PgConnection, QueryableByName};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

/// Why a service cannot start on its database.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot connect to the database")]
    Connect(#[source] diesel::ConnectionError),
    #[error("a statement failed")]
    Statement(#[from] diesel::result::Error),
    #[error("a migration failed: {0}")]
    Migration(String),
    #[error("PostgreSQL {0} is too old; version 15 or newer is needed")]
    TooOld(String),
    #[error("the server's messages are not in English; set lc_messages to 'C' for this role or database")]
    Messages,
}

/// Any number will do, as long as every process of a service takes the same.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_lock(7426331)";
const MIGRATION_UNLOCK: &str = "SELECT pg_advisory_unlock(7426331)";

#[derive(QueryableByName)]
struct ServerVersion {
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Text)]
    version: String,
}

/// Refuses a server that is too old, or whose messages [`super::classify`] would not understand.
///
/// # Errors
/// See [`StartError`].
pub fn check_connection(conn: &mut PgConnection) -> Result<(), StartError> {
    let server: ServerVersion = sql(
        "SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version",
    )
    .row(conn)?;
    if server.number < 150_000 {
        return Err(StartError::TooOld(server.version));
    }
    let provoked = conn.batch_execute("BEGIN; SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)");
    conn.batch_execute("ROLLBACK")?;
    match provoked {
        Err(diesel::result::Error::DatabaseError(_, info)) if super::is_timeout(info.message()) => Ok(()),
        _ => Err(StartError::Messages),
    }
}

/// Brings the schema up to date, one process at a time.
///
/// # Errors
/// When the database cannot be reached, is unsuitable, or a migration fails.
pub fn migrate(url: &str, sources: &[&'static EmbeddedMigrations]) -> Result<(), StartError> {
    let mut conn = PgConnection::establish(url).map_err(StartError::Connect)?;
    check_connection(&mut conn)?;
    conn.batch_execute(MIGRATION_LOCK)?;
    for source in sources {
        let applied = conn
            .run_pending_migrations(EmbeddedSource(source))
            .map_err(|error| StartError::Migration(error.to_string()))?;
        for version in applied {
            tracing::info!(%version, "migrated");
        }
    }
    conn.batch_execute(MIGRATION_UNLOCK)?;
    Ok(())
}

/// The harness wants to own its source; ours are statics.
struct EmbeddedSource(&'static EmbeddedMigrations);

impl<DB: diesel::backend::Backend> diesel::migration::MigrationSource<DB> for EmbeddedSource {
    fn migrations(&self) -> diesel::migration::Result<Vec<Box<dyn diesel::migration::Migration<DB>>>> {
        diesel::migration::MigrationSource::<DB>::migrations(self.0)
    }
}
