//! What `postmaster.pid` says, and whether to believe it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::home::Home;
use crate::socket;

/// How the server of a home is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// No process of ours; a `postmaster.pid` that is there anyway is stale.
    Stopped,
    /// It is starting, stopping, or too busy to answer.
    Busy { pid: u32 },
    /// It runs, and its socket has been deleted: nobody can reach it any more.
    CutOff { pid: u32 },
    /// It runs and answers on the socket in this directory.
    Ready { pid: u32, socket_directory: PathBuf },
}

impl State {
    /// The postmaster, if it lives.
    pub(crate) fn pid(&self) -> Option<u32> {
        match self {
            Self::Stopped => None,
            Self::Busy { pid } | Self::CutOff { pid } | Self::Ready { pid, .. } => Some(*pid),
        }
    }

    /// Looks at the server of `home`.
    pub(crate) fn of(home: &Home) -> Self {
        let Some(file) = PidFile::read(&home.data()) else {
            return Self::Stopped;
        };
        let pid = file.pid;
        // A copied directory, a recycled process id or a zombie all fail this.
        if !home.user().works_in(pid, &home.data()) {
            return Self::Stopped;
        }
        match file.ready_at {
            None => Self::Busy { pid },
            Some(socket_directory) if socket::listener(&socket_directory) == Some(pid) => {
                Self::Ready { pid, socket_directory }
            }
            Some(directory) if !socket::file_in(&directory).exists() => Self::CutOff { pid },
            Some(_) => Self::Busy { pid },
        }
    }
}

/// The lines of `postmaster.pid` that matter here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: u32,
    /// The socket's directory, if the server says that it accepts connections.
    ready_at: Option<PathBuf>,
}

impl PidFile {
    /// Where the file lies.
    pub(crate) fn path(data: &Path) -> PathBuf {
        data.join("postmaster.pid")
    }

    pub(crate) fn read(data: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(Self::path(data)).ok()?)
    }

    /// Process id, data directory, start time, port, socket directory, TCP address, shared
    /// memory key, status: a line each, the later ones written as the start proceeds.
    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let pid = lines.first()?.parse().ok()?;
        let ready_at = match (lines.get(4), lines.get(7)) {
            (Some(directory), Some(&"ready")) => Some(PathBuf::from(directory)),
            _ => None,
        };
        Some(Self { pid, ready_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_when_its_file_says_so() {
        let text = "42\n/d/data\n1700000000\n5432\n/tmp/s\n\n  1234   5\nready   \n";
        let ready = PidFile {
            pid: 42,
            ready_at: Some(PathBuf::from("/tmp/s")),
        };
        assert_eq!(PidFile::parse(text), Some(ready));
        for partial in [text.replace("ready   ", "starting"), "42\n/d".to_owned()] {
            let busy = PidFile {
                pid: 42,
                ready_at: None,
            };
            assert_eq!(PidFile::parse(&partial), Some(busy));
        }
        assert_eq!(PidFile::parse(""), None);
    }
}
