//! The server's Unix socket: a short private directory to hold it, and who listens there.

use std::fs::{self, DirBuilder};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::ClusterError;
use crate::files::{failed, stable_hash};
use crate::home::Home;
use crate::server_user::ServerUser;

/// No port is opened: the number is only a part of the socket's name.
pub(crate) const PORT: &str = "5432";

/// `SSLRequest`: the shortest question of PostgreSQL's protocol, answered with one letter.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the socket of this home goes: always the same place, for the same data directory.
pub(crate) fn directory_for(home: &Home) -> PathBuf {
    let hash = stable_hash(home.data().as_os_str().as_bytes());
    PathBuf::from(format!("/tmp/tandem-{}-{hash}", home.user().uid()))
}

/// The socket in that directory.
pub(crate) fn file_in(directory: &Path) -> PathBuf {
    directory.join(format!(".s.PGSQL.{PORT}"))
}

/// The file beside the socket with which PostgreSQL claims its name.
pub(crate) fn lock_file_in(directory: &Path) -> PathBuf {
    directory.join(format!(".s.PGSQL.{PORT}.lock"))
}

/// Makes the directory, of mode 0700 and owned by the user who runs the server.
///
/// # Errors
/// [`ClusterError::UnsafeSocketDirectory`] if something else has that name: `/tmp` is open to
/// everyone, and whoever owns the directory could put a false server there.
pub(crate) fn make_directory(directory: &Path, user: ServerUser) -> Result<(), ClusterError> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("create", directory)(error));
        }
        _ => {}
    }
    let refuse = |reason| {
        Err(ClusterError::UnsafeSocketDirectory {
            directory: directory.to_owned(),
            reason,
        })
    };
    let found = fs::symlink_metadata(directory).map_err(failed("read", directory))?;
    let ours = rustix::process::geteuid().as_raw();
    if !found.is_dir() {
        return refuse("is not a directory");
    }
    if found.uid() != user.uid() && found.uid() != ours {
        return refuse("belongs to another user");
    }
    if found.mode() & 0o077 != 0 {
        return refuse("is open to other users");
    }
    if found.uid() != user.uid() {
        // just made by us as root: nobody else can replace it, /tmp is sticky
        lchown(directory, Some(user.uid()), Some(user.gid())).map_err(failed("own", directory))?;
    }
    Ok(())
}

/// The process that listens on the socket and answers, if there is one.
pub(crate) fn listener(directory: &Path) -> Option<u32> {
    let mut stream = UnixStream::connect(file_in(directory)).ok()?;
    let peer = rustix::net::sockopt::socket_peercred(&stream).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(&SSL_REQUEST).ok()?;
    let mut answer = [0u8; 1];
    stream.read_exact(&mut answer).ok()?;
    u32::try_from(peer.pid.as_raw_nonzero().get()).ok()
}

/// A text as it may stand in a URL: everything but letters, digits and `-._~` is encoded.
pub(crate) fn percent_encoded(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn hosts_are_encoded_for_a_url() {
        assert_eq!(percent_encoded(b"/tmp/a b-1"), "%2Ftmp%2Fa%20b-1");
    }

    #[test]
    fn links_and_open_directories_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let user = ServerUser::for_new_cluster().unwrap();
        let (safe, link) = (directory.path().join("safe"), directory.path().join("link"));
        make_directory(&safe, user).unwrap();
        make_directory(&safe, user).unwrap();
        let found = fs::metadata(&safe).unwrap();
        assert_eq!((found.uid(), found.mode() & 0o777), (user.uid(), 0o700));

        symlink(&safe, &link).unwrap();
        assert!(make_directory(&link, user).is_err());
        fs::set_permissions(&safe, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(make_directory(&safe, user).is_err());
    }

    #[test]
    fn a_directory_of_somebody_else_is_refused() {
        if !crate::server_user::we_are_root() {
            println!("skipped: needs root");
            return;
        }
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("theirs");
        DirBuilder::new().mode(0o700).create(&directory).unwrap();
        std::os::unix::fs::chown(&directory, Some(12345), None).unwrap();
        let user = ServerUser::for_new_cluster().unwrap();
        let refused = make_directory(&directory, user);
        assert!(matches!(refused, Err(ClusterError::UnsafeSocketDirectory { .. })));
    }
}
