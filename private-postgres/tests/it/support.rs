//! Directories that clean up after themselves, and ways to look at a server from outside.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use private_postgres::{Cluster, Settings};
use tempfile::TempDir;

/// A directory for one cluster, which is removed at the end, server and all.
pub struct Scratch {
    parent: TempDir,
    name: &'static str,
}

impl Scratch {
    /// In a directory that every user can enter.
    pub fn new() -> Self {
        Self::named("postgres")
    }

    /// The same, with a name of its own.
    pub fn named(name: &'static str) -> Self {
        Self::within(0o755, name)
    }

    /// In a directory that only we can enter.
    pub fn closed(name: &'static str) -> Self {
        Self::within(0o700, name)
    }

    fn within(mode: u32, name: &'static str) -> Self {
        let parent = tempfile::tempdir().unwrap();
        fs::set_permissions(parent.path(), Permissions::from_mode(mode)).unwrap();
        Self { parent, name }
    }

    pub fn path(&self) -> PathBuf {
        self.parent.path().join(self.name)
    }

    /// Settings of a cluster here that is quick to make.
    pub fn settings(&self) -> Settings {
        Settings {
            durable: false,
            ..Settings::new(self.path())
        }
    }

    pub fn start(&self) -> Cluster {
        Cluster::start(self.settings()).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Ok(Some(cluster)) = Cluster::find(self.path()) {
            let removed = cluster.remove();
            if !std::thread::panicking() {
                removed.unwrap();
            }
        }
    }
}

/// The crate's own binary.
pub fn binary(action: &str, directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_private-postgres"));
    command.arg(action).arg(directory);
    command
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs a statement as any client would.
pub fn try_query(url: &str, statement: &str) -> Output {
    Command::new("psql")
        .args(["--no-psqlrc", "--no-password", "-Atqc", statement, url])
        .env_remove("PGPASSWORD")
        .output()
        .unwrap()
}

pub fn query(url: &str, statement: &str) -> String {
    let output = try_query(url, statement);
    assert!(output.status.success(), "{output:?}");
    stdout(&output)
}

/// Process group and session of a process.
pub fn group_and_session(pid: u32) -> (u32, u32) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = fields.split_whitespace().collect();
    (fields[2].parse().unwrap(), fields[3].parse().unwrap())
}

pub fn we_are_root() -> bool {
    rustix::process::geteuid().is_root()
}
