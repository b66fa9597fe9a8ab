//! Where a cluster lives: in the directory that was asked for, or, where the user who runs the
//! server cannot enter that, in `/var/lib/tandem`, with a file `location` that leads there.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::error::ClusterError;
use crate::files::{self, Lock, Readers, failed};
use crate::server_user::{ServerUser, we_are_root};

/// Where homes go that cannot stay; only root ever needs it, and root can write here.
const ELSEWHERE: &str = "/var/lib/tandem";

/// The directory that was asked for: exists, is ours, has its full name.
#[derive(Debug, Clone)]
pub(crate) struct Requested(PathBuf);

impl Requested {
    /// Makes the directory if it is missing.
    ///
    /// # Errors
    /// [`ClusterError::ForeignDirectory`] if it holds files and no cluster.
    pub(crate) fn create(directory: &Path) -> Result<Self, ClusterError> {
        if let Some(parent) = directory.parent() {
            fs::create_dir_all(parent).map_err(failed("create", parent))?;
        }
        match DirBuilder::new().mode(0o700).create(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(failed("create", directory)(error));
            }
            _ => {}
        }
        let requested = Self(directory.canonicalize().map_err(failed("enter", directory))?);
        requested.refuse_foreign_files()?;
        Ok(requested)
    }

    /// The directory, if it exists.
    pub(crate) fn find(directory: &Path) -> Result<Option<Self>, ClusterError> {
        match directory.canonicalize() {
            Ok(path) => Ok(Some(Self(path))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("enter", directory)(error)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Waits until no other process starts, stops or removes this cluster.
    pub(crate) fn lock(&self) -> Result<Lock, ClusterError> {
        Lock::acquire(self.0.join("lock"))
    }

    fn refuse_foreign_files(&self) -> Result<(), ClusterError> {
        let mut entries = fs::read_dir(&self.0).map_err(failed("read", &self.0))?;
        if entries.next().is_some() && !self.0.join("lock").exists() {
            return Err(ClusterError::ForeignDirectory(self.0.clone()));
        }
        Ok(())
    }

    /// Where `location` leads, unless it was copied from a directory that still uses that home:
    /// two checkouts must not share one cluster because one was copied from the other.
    fn location(&self) -> Result<Option<PathBuf>, ClusterError> {
        let Some(text) = files::read_if_there(&self.0.join("location"))? else {
            return Ok(None);
        };
        let home = PathBuf::from(text.trim_end());
        let Ok(claimed_by) = fs::read(home.join("requested")) else {
            return Ok(None);
        };
        let claimed_by = Path::new(std::ffi::OsStr::from_bytes(&claimed_by));
        let copied =
            claimed_by != self.0 && fs::read_to_string(claimed_by.join("location")).is_ok_and(|other| other == text);
        Ok((!copied).then_some(home))
    }
}

/// The directory that really holds a cluster, and the user who runs it.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    directory: PathBuf,
    user: ServerUser,
}

impl Home {
    /// The home of an existing, complete cluster.
    pub(crate) fn find(requested: &Requested) -> Result<Option<Self>, ClusterError> {
        let directory = match requested.location()? {
            Some(elsewhere) => elsewhere,
            None => requested.path().to_owned(),
        };
        let data = directory.join("data");
        match fs::metadata(&data) {
            Ok(_) => Ok(Some(Self {
                user: ServerUser::owner_of(&data)?,
                directory,
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("enter", &data)(error)),
        }
    }

    /// The home of a cluster that is to be made. The lock must be held.
    pub(crate) fn choose(requested: &Requested) -> Result<Self, ClusterError> {
        let user = ServerUser::for_new_cluster()?;
        let directory = match requested.location()? {
            Some(elsewhere) => elsewhere,
            None if open_to(user, requested.path()) => requested.path().to_owned(),
            None => claim_elsewhere(requested, user)?,
        };
        Ok(Self { directory, user })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn user(&self) -> ServerUser {
        self.user
    }

    /// PostgreSQL's data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    pub(crate) fn password_file(&self) -> PathBuf {
        self.directory.join("password")
    }

    pub(crate) fn configuration_file(&self) -> PathBuf {
        self.directory.join("server.conf")
    }
}

/// Lets `user` pass through `directory`, which stays ours, and tells whether it can.
///
/// The directory belongs to us and not to the user, so that whatever we write into it as root
/// cannot be led elsewhere by a link.
fn open_to(user: ServerUser, directory: &Path) -> bool {
    if user.is_us() {
        return true;
    }
    let granted = chown(directory, None, Some(user.gid()))
        .and_then(|()| fs::set_permissions(directory, Permissions::from_mode(0o710)));
    granted.is_ok() && user.can_enter(directory)
}

/// A new home below `/var/lib/tandem`; one that is already there belonged to an earlier
/// directory of this name, and may be wanted again: it is left alone.
fn claim_elsewhere(requested: &Requested, user: ServerUser) -> Result<PathBuf, ClusterError> {
    debug_assert!(we_are_root());
    let root = Path::new(ELSEWHERE);
    let mut builder = DirBuilder::new();
    builder.mode(0o755).recursive(true);
    builder.create(root).map_err(failed("create", root))?;
    fs::set_permissions(root, Permissions::from_mode(0o755)).map_err(failed("open", root))?;

    let name = files::stable_hash(requested.path().as_os_str().as_bytes());
    let home = create_first_free(root, &name)?;
    if !open_to(user, &home) {
        let source = io::Error::from(io::ErrorKind::PermissionDenied);
        return Err(failed("let the server's user into", &home)(source));
    }
    let claimed_by = requested.path().as_os_str().as_bytes();
    files::write(&home.join("requested"), claimed_by, Readers::Ourselves)?;
    let line = format!("{}\n", home.display());
    let location = requested.path().join("location");
    files::write(&location, line.as_bytes(), Readers::Ourselves)?;
    Ok(home)
}

fn create_first_free(root: &Path, name: &str) -> Result<PathBuf, ClusterError> {
    let mut candidate = root.join(name);
    for number in 2.. {
        match DirBuilder::new().mode(0o700).create(&candidate) {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                candidate = root.join(format!("{name}-{number}"));
            }
            Err(error) => return Err(failed("create", &candidate)(error)),
        }
    }
    Ok(candidate)
}
