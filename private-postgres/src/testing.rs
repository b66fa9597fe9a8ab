//! One cluster for a whole test run.
//!
//! Every test process adopts the same server; the first one starts it. It is left running at
//! the end, because no test knows that it is the last: `private-postgres stop target/test-postgres`
//! ends it. Nothing in it survives a power cut, and nothing needs to.

use std::env;
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
                ..Settings::new(shared_test_directory())
            })
        })
        .as_ref()
}

/// Where the shared cluster lives: `TANDEM_TEST_CLUSTER`, else `test-postgres` in the target
/// directory of the workspace.
pub fn shared_test_directory() -> PathBuf {
    if let Some(directory) = env::var_os("TANDEM_TEST_CLUSTER") {
        return PathBuf::from(directory);
    }
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = package.parent().unwrap_or(package);
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    workspace.join(target).join("test-postgres")
}
