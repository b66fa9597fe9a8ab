//! Finding the programs of an installed PostgreSQL.
//!
//! Debian and Ubuntu keep them by major version in `/usr/lib/postgresql/<major>/bin`, outside
//! PATH; other systems tell through `pg_config` or have them in PATH. A directory counts only
//! with all programs in it: the client package alone leaves a `bin` with `psql` and no server.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::ClusterError;

/// The oldest major version that is good enough.
pub(crate) const OLDEST_MAJOR: u32 = 15;

const DEBIAN: &str = "/usr/lib/postgresql";
const NEEDED: [&str; 4] = ["initdb", "pg_ctl", "postgres", "psql"];

/// The programs of one PostgreSQL installation.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    directory: PathBuf,
    major: u32,
}

impl Binaries {
    /// The newest installation, to make a cluster with.
    pub(crate) fn newest() -> Result<Self, ClusterError> {
        installed()
            .into_iter()
            .max_by_key(|found| found.major)
            .ok_or(ClusterError::NotInstalled)
    }

    /// The installation of the version that made `data`: no other can run it.
    pub(crate) fn for_data(data: &Path) -> Result<Self, ClusterError> {
        let version = data.join("PG_VERSION");
        let text = fs::read_to_string(&version).map_err(crate::files::failed("read", &version))?;
        let major = text.trim().parse().unwrap_or(0);
        installed()
            .into_iter()
            .find(|found| found.major == major)
            .ok_or_else(|| ClusterError::VersionNotInstalled {
                data: data.to_owned(),
                major,
            })
    }

    /// The path of one program.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// Every usable installation: Debian's directories, else `pg_config`'s, else those in PATH.
fn installed() -> Vec<Binaries> {
    let debian = below(Path::new(DEBIAN));
    if !debian.is_empty() {
        return debian;
    }
    let configured = Command::new("pg_config").arg("--bindir").output().ok();
    let configured = configured
        .filter(|output| output.status.success())
        .map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let path = env::var_os("PATH").unwrap_or_default();
    configured
        .into_iter()
        .chain(env::split_paths(&path))
        .filter(|directory| is_complete(directory))
        .filter_map(|directory| {
            let major = ask_version(&directory)?;
            Some(Binaries { directory, major })
        })
        .filter(|found| found.major >= OLDEST_MAJOR)
        .collect()
}

/// The installations in Debian's layout below `root`.
fn below(root: &Path) -> Vec<Binaries> {
    let Ok(entries) = fs::read_dir(root) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.parse().ok()?;
            let directory = entry.path().join("bin");
            Some(Binaries { directory, major })
        })
        .filter(|found| found.major >= OLDEST_MAJOR && is_complete(&found.directory))
        .collect()
}

fn is_complete(directory: &Path) -> bool {
    directory.is_absolute() && NEEDED.iter().all(|name| directory.join(name).is_file())
}

fn ask_version(directory: &Path) -> Option<u32> {
    let output = Command::new(directory.join("pg_ctl")).arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// The major version in `pg_ctl (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`, or `17beta1`.
fn parse_version(text: &str) -> Option<u32> {
    let (_, version) = text.split_once("(PostgreSQL) ")?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_pg_ctl_says() {
        assert_eq!(
            parse_version("pg_ctl (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(parse_version("pg_ctl (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_version("pg_ctl: not found"), None);
    }

    #[test]
    fn a_directory_with_only_the_client_or_an_old_version_does_not_count() {
        let root = tempfile::tempdir().unwrap();
        for (major, names) in [
            ("17", &["psql"][..]),
            ("16", &NEEDED[..]),
            ("15", &NEEDED[..]),
            ("14", &NEEDED[..]),
        ] {
            let bin = root.path().join(major).join("bin");
            fs::create_dir_all(&bin).unwrap();
            for name in names {
                fs::write(bin.join(name), "").unwrap();
            }
        }
        let mut majors: Vec<u32> = below(root.path()).iter().map(|found| found.major).collect();
        majors.sort_unstable();
        assert_eq!(majors, [15, 16]);
    }
}
