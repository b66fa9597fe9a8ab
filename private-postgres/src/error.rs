//! The one error of this crate: every message is a line that tells a person what to do or see.

use std::io;
use std::path::PathBuf;

/// Why a cluster could not be made, started, stopped or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// No PostgreSQL server of a supported version was found.
    #[error(
        "no PostgreSQL server {} or newer found: apt-get install postgresql libpq-dev",
        crate::binaries::OLDEST_MAJOR
    )]
    NotInstalled,

    /// The cluster was made by a version that is no longer installed.
    #[error(
        "{} was made by PostgreSQL {major}, which is not installed: apt-get install postgresql-{major}",
        data.display()
    )]
    VersionNotInstalled {
        /// The data directory.
        data: PathBuf,
        /// The major version that made it.
        major: u32,
    },

    /// We are root and the machine has no unprivileged user to run the server.
    #[error("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")]
    NoServerUser,

    /// The data belong to a user whom we cannot be.
    #[error("{} belongs to user id {owner}: run as that user (PostgreSQL never runs as root)", data.display())]
    ForeignOwner {
        /// The data directory.
        data: PathBuf,
        /// Its owner.
        owner: u32,
    },

    /// The directory holds files of somebody else.
    #[error("{} is not empty and holds no cluster of Tandem's", .0.display())]
    ForeignDirectory(PathBuf),

    /// The socket directory exists and is not safe to use.
    #[error("{} {reason}: remove it", directory.display())]
    UnsafeSocketDirectory {
        /// The directory below `/tmp`.
        directory: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// Another living server listens in the socket directory.
    #[error("process {pid}, a PostgreSQL with other data, listens in {}: stop it", directory.display())]
    SocketInUse {
        /// The socket directory.
        directory: PathBuf,
        /// The other server.
        pid: u32,
    },

    /// The password file of an existing cluster is gone.
    #[error("{} is missing, and without it nobody can connect: restore it or remove the cluster", .0.display())]
    PasswordMissing(PathBuf),

    /// Another process held the lock for too long.
    #[error("another process has been starting or stopping the cluster for too long; it holds {}", .0.display())]
    Locked(PathBuf),

    /// A setting that cannot be written into a configuration file.
    #[error("not a PostgreSQL setting: {0:?}")]
    InvalidSetting(String),

    /// A name that PostgreSQL would not take, or would silently shorten.
    #[error("not a database name of 1 to 63 bytes: {0:?}")]
    InvalidDatabaseName(String),

    /// The server did not come up.
    #[error("PostgreSQL did not start; the end of {}:\n{lines}", log.display())]
    NotStarted {
        /// The log file.
        log: PathBuf,
        /// Its last lines since the start, or what `pg_ctl` said.
        lines: String,
    },

    /// The server lives and does not answer.
    #[error("PostgreSQL (process {pid}) lives but does not answer; see {}", log.display())]
    NotAnswering {
        /// The postmaster.
        pid: u32,
        /// The log file.
        log: PathBuf,
    },

    /// The cluster is not running, and what was asked needs it to.
    #[error("PostgreSQL in {} is not running", .0.display())]
    NotRunning(PathBuf),

    /// A program of PostgreSQL's failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Which one.
        program: String,
        /// The end of what it said.
        output: String,
    },

    /// A file or program could not be used.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}
