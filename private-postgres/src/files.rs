//! Small helpers for files: errors that name the path, careful writes, the lock, a stable hash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::ClusterError;
use crate::server_user::ServerUser;

/// Longer than a start with crash recovery may take.
const LOCK_PATIENCE: Duration = Duration::from_secs(300);

/// For `map_err`: which action failed on which path.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ClusterError + use<> {
    let path = path.to_owned();
    move |source| ClusterError::File { action, path, source }
}

/// The content of a file, or `None` if there is no such file.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<String>, ClusterError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Who may read a file that we write.
#[derive(Clone, Copy)]
pub(crate) enum Readers {
    /// We alone.
    Ourselves,
    /// The user who runs the server, who owns the file then (and root, as always).
    Server(ServerUser),
}

/// Writes a whole file of mode 0600 at once: after a crash it has the old or the new content.
///
/// The new file is created exclusively, so nothing is ever written through a link that somebody
/// else has put there.
pub(crate) fn write(path: &Path, content: &[u8], readers: Readers) -> Result<(), ClusterError> {
    let new = path.with_extension("new");
    remove_if_there(&new)?;
    create(&new, content, readers).map_err(failed("write", &new))?;
    fs::rename(&new, path).map_err(failed("write", path))?;
    sync_parent(path)
}

/// Creates an empty file of mode 0600 unless it is there.
pub(crate) fn ensure(path: &Path, readers: Readers) -> Result<(), ClusterError> {
    match create(path, b"", readers) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed("create", path)(error)),
        _ => Ok(()),
    }
}

fn create(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    if let Readers::Server(user) = readers
        && !user.is_us()
    {
        fchown(&file, Some(user.uid()), Some(user.gid()))?;
    }
    file.write_all(content)?;
    file.sync_all()
}

/// Makes a rename or creation in the directory of `path` survive a power cut.
pub(crate) fn sync_parent(path: &Path) -> Result<(), ClusterError> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    File::open(parent)
        .and_then(|directory| directory.sync_all())
        .map_err(failed("sync", parent))
}

/// Removes a file or a whole directory, if there is one; never follows a link.
pub(crate) fn remove_if_there(path: &Path) -> Result<(), ClusterError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

/// The right to start, stop or remove a cluster; given up when dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Waits until no other process holds the lock on `path`.
    pub(crate) fn acquire(path: PathBuf) -> Result<Self, ClusterError> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { file, path }),
                Err(error) if error != Errno::WOULDBLOCK => {
                    return Err(failed("lock", &path)(error.into()));
                }
                Err(_) if Instant::now() > deadline => return Err(ClusterError::Locked(path)),
                Err(_) => sleep(Duration::from_millis(50)),
            }
        }
    }

    /// A standard input for a child that shall not be disturbed: should we be killed, the lock
    /// stays held until the child ends as well.
    pub(crate) fn shared_with_child(&self) -> Result<Stdio, ClusterError> {
        let file = self.file.try_clone().map_err(failed("share", &self.path))?;
        Ok(file.into())
    }
}

/// 256 random bits in hexadecimal digits.
pub(crate) fn random_password() -> Result<String, ClusterError> {
    let source = PathBuf::from("/dev/urandom");
    let mut bytes = [0u8; 32];
    File::open(&source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(failed("read", &source))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// FNV-1a in 16 hexadecimal digits: short, and the same in every build, as names on disk must be.
pub(crate) fn stable_hash(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(stable_hash(b""), "cbf29ce484222325");
        assert_eq!(stable_hash(b"a"), "af63dc4c8601ec8c");
        assert_eq!(stable_hash(b"foobar"), "85944171f73967e8");
    }

    #[test]
    fn passwords_are_long_and_differ() {
        let (one, other) = (random_password().unwrap(), random_password().unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }

    #[test]
    fn a_write_replaces_a_link_instead_of_following_it() {
        let directory = tempfile::tempdir().unwrap();
        let victim = directory.path().join("victim");
        let path = directory.path().join("password");
        fs::write(&victim, "untouched").unwrap();
        for link in [&path, &path.with_extension("new")] {
            std::os::unix::fs::symlink(&victim, link).unwrap();
        }
        write(&path, b"secret", Readers::Ourselves).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
        assert_eq!(fs::read_to_string(&path).unwrap(), "secret");
    }
}
