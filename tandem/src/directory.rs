//! `$TANDEM_DIR`: where a stack keeps its data, keys and logs; and careful writes into it.
//!
//! | name | what |
//! |---|---|
//! | `postgres/` | the private PostgreSQL cluster |
//! | `keys.json` | the API keys of the three services, made at the first start |
//! | `stack.json` | addresses, admin keys and process ids, while everything runs |
//! | `demo.json` | which companies were loaded |
//! | `logs/` | what the services say |
//! | `lock` | held by the `tandem up` that runs here |

use crate::failure::{Context, Failure, Result};
use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The directory of this stack: `TANDEM_DIR`, or `.tandem`.
pub fn from_env() -> PathBuf {
    service_kit::config::var("TANDEM_DIR").map_or_else(|| ".tandem".into(), PathBuf::from)
}

/// A stack's directory, locked: only one `tandem up` works in it at a time.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// The kernel gives the lock back when the process ends, however it does.
    _lock: File,
}

impl Directory {
    /// Makes the directory if it is missing, for us alone, and locks it.
    ///
    /// # Errors
    /// When another process holds the lock, or nothing can be made there.
    pub fn lock(path: &Path) -> Result<Self> {
        make(path, mode_for_us())?;
        let lock = path.join("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock)
            .context(|| format!("cannot open {}", lock.display()))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            return Err(Failure::new(format!(
                "another `tandem up` (process {}) is running in {}: stop it, or set TANDEM_DIR to another directory",
                holder.trim(),
                path.display()
            )));
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .context(|| format!("cannot write {}", lock.display()))?;
        Ok(Directory {
            path: path.to_owned(),
            _lock: file,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn postgres(&self) -> PathBuf {
        self.path.join("postgres")
    }

    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }
}

/// Root's PostgreSQL runs as another user, who must pass through to `postgres/`; nobody but us
/// may look around, and the files in it are ours alone.
fn mode_for_us() -> u32 {
    match rustix::process::geteuid().is_root() {
        true => 0o711,
        false => 0o700,
    }
}

/// # Errors
/// When the directory cannot be made.
pub fn make(path: &Path, mode: u32) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .context(|| format!("cannot make the directory {}", path.display()))
}

/// Writes a JSON file of mode 0600 at once: readers see the old or the new content.
///
/// # Errors
/// When the directory refuses.
pub fn write_json(path: &Path, content: &impl Serialize) -> Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let write = || -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(content)?;
        text.push(b'\n');
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // A new file, so that nothing is written through a link that somebody else put there.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().context(|| format!("cannot write {}", path.display()))
}

/// Reads a JSON file; `None` if there is none.
///
/// # Errors
/// When it cannot be read or holds something else.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.context(|| format!("cannot read {}", path.display()))?,
    };
    serde_json::from_slice(&text)
        .map(Some)
        .context(|| format!("{} is not what Tandem wrote there", path.display()))
}
