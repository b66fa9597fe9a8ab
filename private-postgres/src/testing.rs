//! One cluster for a whole test run.
//!
//! Every test process adopts the same server; the first one starts it. It is left running at
//! the end, because no test knows that it is the last: `private-postgres remove-test-cluster`
//! ends it. Nothing in it survives a power cut, and nothing needs to.

use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::{Cluster, ClusterError, Settings};

/// Enough for many test processes with small pools of their own.
const CONNECTIONS: u32 = 300;

/// The cluster that all tests share, started by the first that asks.
///
/// # Errors
/// As [`Cluster::start`]; the first answer stands for the whole process.
pub fn shared_test_cluster() -> Result<&'static Cluster, &'static ClusterError> {
    static SHARED: OnceLock<Result<Cluster, ClusterError>> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            Cluster::start(Settings {
                durable: false,
                max_connections: CONNECTIONS,
                // Nobody replays it, and it may take memory.
                extra: [
                    ("wal_level", "minimal"),
                    ("max_wal_senders", "0"),
                    ("max_wal_size", "256MB"),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
                ..Settings::new(shared_test_directory())
            })
        })
        .as_ref()
}

/// Where the shared cluster lives: `TANDEM_TEST_CLUSTER`; else in memory, where the machine has
/// plenty of it; else `test-postgres` in the target directory of the workspace.
///
/// Making a database from a template is making its thousand files: 0.9 s on a disk, 0.05 s in
/// memory (measured side by side, on a busy machine), and every test makes one.
pub fn shared_test_directory() -> PathBuf {
    if let Some(directory) = env::var_os("TANDEM_TEST_CLUSTER") {
        return PathBuf::from(directory);
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = package.parent().unwrap_or(package);
    let target = workspace.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    if free_bytes(MEMORY) < PLENTY {
        return target.join("test-postgres");
    }
    // One for each checkout and user.
    let mut hasher = DefaultHasher::new();
    (target, rustix::process::geteuid().as_raw()).hash(&mut hasher);
    Path::new(MEMORY).join(format!("tandem-test-postgres-{:016x}", hasher.finish()))
}

/// The file system in memory that every Linux has.
const MEMORY: &str = "/dev/shm";

/// A test run takes a few hundred megabytes.
const PLENTY: u64 = 4 << 30;

fn free_bytes(directory: &str) -> u64 {
    rustix::fs::statvfs(directory).map_or(0, |space| space.f_bavail * space.f_frsize)
}
