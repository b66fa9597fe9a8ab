//! The cluster as its users see it.

use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::ClusterError;
use crate::files::{self, Lock, Readers};
use crate::home::{Home, Requested};
use crate::initdb::{self, SUPERUSER};
use crate::postmaster::State;
use crate::server::Server;
use crate::settings::{self, Settings};
use crate::socket::{self, percent_encoded};

/// Everything that we ever put into a directory; removal touches nothing else.
const OUR_FILES: [&str; 11] = [
    "data",
    "data.new",
    "log",
    "log.old",
    "password",
    "password.new",
    "server.conf",
    "server.new",
    "location",
    "requested",
    "lock",
];

/// A private PostgreSQL cluster, see the [crate's page](crate).
///
/// Dropping it leaves the server running; [`stop`](Self::stop) ends it.
#[derive(Debug)]
pub struct Cluster {
    requested: Requested,
    pub(crate) server: Server,
    pub(crate) socket_directory: PathBuf,
    pub(crate) password: Password,
}

impl Cluster {
    /// A running cluster in `settings.directory`: adopts the server that runs there, else starts
    /// it, and makes the cluster first if there is none.
    ///
    /// Any number of processes may do this at once. An adopted server takes over the settings,
    /// except those that need a restart (`max_connections`).
    ///
    /// # Errors
    /// [`ClusterError::NotInstalled`] names the packages to install; a server that does not come
    /// up is [`ClusterError::NotStarted`] with the end of its log.
    pub fn start(settings: Settings) -> Result<Self, ClusterError> {
        let requested = Requested::create(&settings.directory)?;
        if let Some(running) = Self::adopt(&requested, &settings)? {
            return Ok(running);
        }
        let lock = requested.lock()?;
        let home = match Home::find(&requested)? {
            Some(home) => home,
            None => make(&requested, &settings, &lock)?,
        };
        let server = Server::of(home)?;
        let state = server.settled()?;
        let cluster = Self::in_state(requested, server, &state)?;
        let is_new_configuration = cluster.configure(&settings)?;
        match state {
            State::Ready { pid, .. } if is_new_configuration => cluster.server.reload(pid)?,
            State::Ready { .. } => {}
            State::Stopped | State::Busy { .. } | State::CutOff { .. } => {
                cluster.server.stop()?;
                cluster.server.launch(&cluster.socket_directory, &lock)?;
            }
        }
        Ok(cluster)
    }

    /// The cluster in `directory`, running or not; `None` if there is none.
    ///
    /// # Errors
    /// If the cluster belongs to another user, or its version is no longer installed.
    pub fn find(directory: impl AsRef<Path>) -> Result<Option<Self>, ClusterError> {
        let Some(requested) = Requested::find(directory.as_ref())? else {
            return Ok(None);
        };
        let Some(home) = Home::find(&requested)? else {
            return Ok(None);
        };
        let server = Server::of(home)?;
        let state = State::of(&server.home);
        Self::in_state(requested, server, &state).map(Some)
    }

    /// The URL of a database, for libpq and whatever reads its URLs. It holds the password.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgresql://{SUPERUSER}:{}@{}:{}/{}",
            self.password.reveal(),
            percent_encoded(self.socket_directory.as_os_str().as_bytes()),
            socket::PORT,
            percent_encoded(database.as_bytes()),
        )
    }

    /// The URL of the database `postgres`, from which others are made.
    pub fn admin_url(&self) -> String {
        self.url("postgres")
    }

    /// The postmaster's process id, while it lives.
    pub fn pid(&self) -> Option<u32> {
        State::of(&self.server.home).pid()
    }

    /// Whether the server runs and answers.
    pub fn is_ready(&self) -> bool {
        matches!(State::of(&self.server.home), State::Ready { .. })
    }

    /// PostgreSQL's data directory, which may lie elsewhere than the directory asked for.
    pub fn data_directory(&self) -> PathBuf {
        self.server.home.data()
    }

    /// The server's log.
    pub fn log_file(&self) -> PathBuf {
        self.server.home.log()
    }

    /// Stops the server, breaking off open transactions, and waits; fine if it does not run.
    ///
    /// # Errors
    /// If the server does not end within a minute.
    pub fn stop(self) -> Result<(), ClusterError> {
        let _lock = self.requested.lock()?;
        self.end()
    }

    /// Kills the postmaster with SIGKILL, as a crash would; for fault tests.
    ///
    /// # Errors
    /// [`ClusterError::NotRunning`] if there is nothing to kill.
    pub fn kill(&self) -> Result<(), ClusterError> {
        self.server.kill()
    }

    /// Starts the server again, after [`kill`](Self::kill) or instead of the running one. URLs
    /// stay the same.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn restart(&self) -> Result<(), ClusterError> {
        let lock = self.requested.lock()?;
        self.server.stop()?;
        self.server.launch(&self.socket_directory, &lock)
    }

    /// Stops the server and deletes the cluster with all its data.
    ///
    /// # Errors
    /// If the server does not stop, or a file cannot be removed.
    pub fn remove(self) -> Result<(), ClusterError> {
        let _lock = self.requested.lock()?;
        self.end()?;
        let home = self.server.home.directory();
        for directory in [home, self.requested.path()] {
            for name in OUR_FILES {
                files::remove_if_there(&directory.join(name))?;
            }
            // stays if somebody else has put something into it
            let _ = fs::remove_dir(directory);
        }
        Ok(())
    }

    /// The running server, if there is one with these very settings: the common case, without
    /// waiting for the lock.
    fn adopt(requested: &Requested, settings: &Settings) -> Result<Option<Self>, ClusterError> {
        let Some(home) = Home::find(requested)? else {
            return Ok(None);
        };
        let state = State::of(&home);
        if !matches!(state, State::Ready { .. }) {
            return Ok(None);
        }
        let cluster = Self::in_state(requested.clone(), Server::of(home)?, &state)?;
        let unchanged = cluster.is_configured(&settings.configuration(&cluster.socket_directory)?)?;
        Ok(unchanged.then_some(cluster))
    }

    fn in_state(requested: Requested, server: Server, state: &State) -> Result<Self, ClusterError> {
        let socket_directory = match state {
            State::Ready { socket_directory, .. } => socket_directory.clone(),
            _ => socket::directory_for(&server.home),
        };
        let password = Password(initdb::read_password(&server.home)?);
        Ok(Self {
            requested,
            server,
            socket_directory,
            password,
        })
    }

    fn is_configured(&self, configuration: &str) -> Result<bool, ClusterError> {
        let written = files::read_if_there(&self.server.home.configuration_file())?;
        Ok(written.as_deref() == Some(configuration))
    }

    /// Writes the configuration if it differs; tells whether it did.
    fn configure(&self, settings: &Settings) -> Result<bool, ClusterError> {
        let configuration = settings.configuration(&self.socket_directory)?;
        if self.is_configured(&configuration)? {
            return Ok(false);
        }
        let path = self.server.home.configuration_file();
        let before = files::read_if_there(&path)?.unwrap_or_default();
        let readers = Readers::Server(self.server.home.user());
        files::write(&path, configuration.as_bytes(), readers)?;
        if settings::is_durable(&configuration) && !settings::is_durable(&before) {
            // what was written without fsync so far is made as safe as what follows
            rustix::fs::sync();
        }
        Ok(true)
    }

    fn end(&self) -> Result<(), ClusterError> {
        self.server.stop()?;
        // only an empty directory goes; the next start makes it again
        let _ = fs::remove_dir(&self.socket_directory);
        Ok(())
    }
}

/// Chooses a home and makes the cluster in it.
fn make(requested: &Requested, settings: &Settings, lock: &Lock) -> Result<Home, ClusterError> {
    // refuse nonsense before anything is made
    settings.configuration(Path::new("/tmp"))?;
    let home = Home::choose(requested)?;
    initdb::create(&home, settings.durable, lock)?;
    Ok(home)
}

/// A password that does not show in debug output.
pub(crate) struct Password(String);

impl Password {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
