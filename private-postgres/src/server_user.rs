//! The user who runs the server: ourselves, or, because PostgreSQL refuses root, an
//! unprivileged stand-in. Everything that touches the data runs as that user.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use std::os::unix::process::CommandExt;

use crate::error::ClusterError;
use crate::files::failed;

/// In order of preference.
const STAND_INS: [&str; 2] = ["postgres", "nobody"];

/// A user and group by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServerUser {
    uid: u32,
    gid: u32,
}

impl ServerUser {
    /// Who shall run a cluster that is to be made.
    pub(crate) fn for_new_cluster() -> Result<Self, ClusterError> {
        if !we_are_root() {
            return Ok(Self {
                uid: effective_uid(),
                gid: rustix::process::getegid().as_raw(),
            });
        }
        let passwd = Path::new("/etc/passwd");
        let text = fs::read_to_string(passwd).map_err(failed("read", passwd))?;
        STAND_INS
            .iter()
            .find_map(|name| find_in_passwd(&text, name))
            .ok_or(ClusterError::NoServerUser)
    }

    /// The owner of existing data, if we can act as that user.
    pub(crate) fn owner_of(data: &Path) -> Result<Self, ClusterError> {
        let found = fs::metadata(data).map_err(failed("read", data))?;
        let (uid, gid) = (found.uid(), found.gid());
        let usable = if we_are_root() {
            uid != 0
        } else {
            uid == effective_uid()
        };
        if !usable {
            return Err(ClusterError::ForeignOwner {
                data: data.to_owned(),
                owner: uid,
            });
        }
        Ok(Self { uid, gid })
    }

    pub(crate) fn uid(self) -> u32 {
        self.uid
    }

    pub(crate) fn gid(self) -> u32 {
        self.gid
    }

    /// Whether the server runs as the user that we are.
    pub(crate) fn is_us(self) -> bool {
        self.uid == effective_uid()
    }

    /// A program to be run as this user, in the root directory, with a bare environment:
    /// neither `PG…` variables nor secrets of ours shall reach the server.
    pub(crate) fn command(self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LC_ALL", "C")
            .current_dir("/");
        if !self.is_us() {
            // std drops our supplementary groups together with the user id
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Whether this user can enter `directory`, really tried.
    pub(crate) fn can_enter(self, directory: &Path) -> bool {
        self.holds("[ -x \"$1\" ]", &[directory])
    }

    /// Whether process `pid` lives and has `directory` as its working directory.
    ///
    /// Asked as this user: root in a container may not look into processes of others.
    pub(crate) fn works_in(self, pid: u32, directory: &Path) -> bool {
        let cwd = format!("/proc/{pid}/cwd");
        self.holds("[ \"$1\" -ef \"$2\" ]", &[Path::new(&cwd), directory])
    }

    /// Whether any process has `directory` as its working directory.
    pub(crate) fn anyone_works_in(self, directory: &Path) -> bool {
        let script = "for cwd in /proc/[0-9]*/cwd; do [ \"$cwd\" -ef \"$1\" ] && exit 0; done; exit 1";
        self.holds(script, &[directory])
    }

    /// Whether process `pid` lives and its working directory has been deleted.
    pub(crate) fn works_nowhere(self, pid: u32) -> bool {
        let cwd = format!("/proc/{pid}/cwd");
        let script = "case \"$(readlink \"$1\")\" in *' (deleted)') ;; *) exit 1 ;; esac";
        self.holds(script, &[Path::new(&cwd)])
    }

    fn holds(self, script: &str, arguments: &[&Path]) -> bool {
        let answer = self
            .command("/bin/sh")
            .args(["-c", script, "sh"])
            .args(arguments)
            .output();
        answer.is_ok_and(|output| output.status.success())
    }
}

fn effective_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether we run as root and need a stand-in.
pub(crate) fn we_are_root() -> bool {
    effective_uid() == 0
}

fn find_in_passwd(text: &str, name: &str) -> Option<ServerUser> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        (uid != 0).then_some(ServerUser { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_in_passwd() {
        let text = "root:x:0:0:root:/root:/bin/bash\n\
                    postgresql:x:7:7::/:/bin/sh\n\
                    postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\n";
        let found = find_in_passwd(text, "postgres");
        assert_eq!(found, Some(ServerUser { uid: 101, gid: 104 }));
        assert_eq!(find_in_passwd(text, "nobody"), None);
        assert_eq!(find_in_passwd(text, "root"), None);
    }
}
