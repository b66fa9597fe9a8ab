use crate::config::Config;
use crate::problem::Problem;
use diesel::{Connection, ConnectionError, PgConnection};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A pooled connection that remembers whether it died.
pub struct Session {
    connection: PgConnection,
    /// Set when a statement failed because the connection is gone; the pool then drops it.
    pub broken: bool,
}

impl Deref for Session {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

struct Manager {
    url: String,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Session;
    type Error = ConnectionError;

    fn connect(&self) -> Result<Session, ConnectionError> {
        let connection = PgConnection::establish(&self.url)?;
        Ok(Session {
            connection,
            broken: false,
        })
    }

    fn is_valid(&self, _: &mut Session) -> Result<(), ConnectionError> {
        Ok(())
    }

    fn has_broken(&self, session: &mut Session) -> bool {
        use diesel::connection::TransactionManager;
        session.broken
            || diesel::connection::AnsiTransactionManager::is_broken_transaction_manager(&mut session.connection)
    }
}

/// The right to use one connection; held while a database operation runs.
pub struct Permit(#[allow(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// The service's connections. Handlers never see it: they use `Command` and `Read`.
#[derive(Clone)]
pub struct Pool {
    connections: r2d2::Pool<Manager>,
    permits: Arc<Semaphore>,
    wait: Duration,
    size: u32,
}

impl Pool {
    /// A pool of connections, opened when first needed and then kept.
    ///
    /// Every statement has a time limit, a transaction may not idle longer than 5 s, and a
    /// command waits at most 5 s for a lock. Triggers learn the company's time zone as
    /// `tandem.time_zone`; the session's own stays UTC.
    ///
    /// # Errors
    /// When the pool's own threads cannot be started.
    pub fn new(config: &Config) -> Result<Self, r2d2::Error> {
        let (url, size) = (&config.database_url, config.connections);
        let zone = format!("-c tandem.time_zone={}", config.time_zone.name());
        let options = [
            "-c statement_timeout=15s",
            "-c lock_timeout=5s",
            "-c idle_in_transaction_session_timeout=5s",
            "-c timezone=UTC",
            &zone,
            // A service looks things up by key. Plans are made once, often while a table is still
            // small, and must not turn into scans as it grows: so indexes, and plans that stay.
            "-c plan_cache_mode=force_generic_plan",
            "-c enable_seqscan=off",
            "-c random_page_cost=1.1",
            "-c jit=off",
        ]
        .join(" ");
        let separator = if url.contains('?') { '&' } else { '?' };
        let encoded = options.replace(' ', "%20").replace('=', "%3D");
        let url = format!("{url}{separator}options={encoded}&connect_timeout=5");
        let connections = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_on_check_out(false)
            .connection_timeout(Duration::from_secs(3))
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build(Manager { url })?;
        let permits = Arc::new(Semaphore::new(size as usize));
        Ok(Pool {
            connections,
            permits,
            wait: config.connection_wait,
            size,
        })
    }

    pub fn size(&self) -> u32 {
        self.size
    }

    /// Operations that wait for nothing at the moment.
    pub fn free(&self) -> usize {
        self.permits.available_permits()
    }

    /// Waits for the right to use a connection.
    ///
    /// # Errors
    /// 503 `overloaded` when the wait takes too long.
    pub async fn permit(&self) -> Result<Permit, Problem> {
        match tokio::time::timeout(self.wait, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Permit(permit)),
            _ => Err(Problem::unavailable(
                "overloaded",
                "too many requests wait for the database; try again",
            )),
        }
    }

    /// A connection; call with a [`Permit`] in hand, on a thread that may block.
    ///
    /// # Errors
    /// 503 `database_unavailable` when the database cannot be reached.
    pub fn session(
        &self,
        _permit: &Permit,
    ) -> Result<r2d2::PooledConnection<impl r2d2::ManageConnection<Connection = Session> + use<>>, Problem> {
        self.connections.get().map_err(|error| {
            tracing::warn!(%error, "no database connection");
            Problem::unavailable("database_unavailable", "the database cannot be reached; try again")
        })
    }
}
