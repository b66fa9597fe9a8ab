//! Making a cluster: `initdb` into a neighbour directory, then one rename.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::Path;
use std::process::Command;

use crate::binaries::Binaries;
use crate::error::ClusterError;
use crate::files::{self, Lock, Readers, failed};
use crate::home::Home;
use crate::programs::last_words;

/// The superuser of every cluster.
pub(crate) const SUPERUSER: &str = "postgres";

/// Tried in order: UTF-8 without a language, and where the system lacks that, plain bytes.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

/// Makes the data directory of `home`, which has none.
///
/// A crash at any moment leaves either no `data` or a complete one.
pub(crate) fn create(home: &Home, durable: bool, lock: &Lock) -> Result<(), ClusterError> {
    let binaries = Binaries::newest()?;
    write_password(home)?;
    let new = home.directory().join("data.new");
    for (attempt, locale) in LOCALES.iter().enumerate() {
        make_empty(&new, home)?;
        let output = initdb(&binaries, home, &new, locale, durable)
            .stdin(lock.shared_with_child()?)
            .output()
            .map_err(failed("run", &binaries.program("initdb")))?;
        if output.status.success() {
            break;
        }
        let said = last_words(&output);
        let is_last = attempt + 1 == LOCALES.len();
        if is_last || !said.contains("locale") {
            return Err(ClusterError::Program {
                program: "initdb".to_owned(),
                output: said,
            });
        }
    }
    let data = home.data();
    fs::rename(&new, &data).map_err(failed("complete", &data))?;
    files::sync_parent(&data)
}

/// The password that opens an existing cluster.
pub(crate) fn read_password(home: &Home) -> Result<String, ClusterError> {
    let path = home.password_file();
    let text = files::read_if_there(&path)?;
    let password = text.unwrap_or_default().trim_end().to_owned();
    if password.is_empty() {
        return Err(ClusterError::PasswordMissing(path));
    }
    Ok(password)
}

/// Draws a password, for `initdb` to read as the server's user. Root reads it anyway, and that
/// user owns the data: the file tells nobody more than he can have.
fn write_password(home: &Home) -> Result<(), ClusterError> {
    let line = format!("{}\n", files::random_password()?);
    let readers = Readers::Server(home.user());
    files::write(&home.password_file(), line.as_bytes(), readers)
}

fn make_empty(directory: &Path, home: &Home) -> Result<(), ClusterError> {
    files::remove_if_there(directory)?;
    let user = home.user();
    DirBuilder::new()
        .mode(0o700)
        .create(directory)
        .map_err(failed("create", directory))?;
    if !user.is_us() {
        chown(directory, Some(user.uid()), Some(user.gid())).map_err(failed("own", directory))?;
    }
    Ok(())
}

fn initdb(binaries: &Binaries, home: &Home, data: &Path, locale: &str, durable: bool) -> Command {
    let mut command = home.user().command(binaries.program("initdb"));
    command
        .arg("--pgdata")
        .arg(data)
        .arg("--pwfile")
        .arg(home.password_file())
        .args(["--username", SUPERUSER, "--auth", "scram-sha-256"])
        .args(["--encoding", "UTF8", "--locale", locale])
        .args(["--lc-messages", "C", "--no-instructions"])
        .arg(if durable { "--data-checksums" } else { "--no-sync" });
    command
}
