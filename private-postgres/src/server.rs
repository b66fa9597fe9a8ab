//! The server process of one home: start, stop, kill. Callers hold the lock.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::binaries::Binaries;
use crate::error::ClusterError;
use crate::files::{self, Lock, Readers, failed};
use crate::home::Home;
use crate::postmaster::{PidFile, State};
use crate::programs::{last_lines, run};
use crate::socket;

/// Recovery after a crash reads up to `max_wal_size` of log.
const START_SECONDS: u64 = 180;
const STOP_SECONDS: u64 = 60;
/// How long the children of a killed postmaster may take to notice.
const LEFTOVERS: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(50);
const LARGE_LOG_BYTES: u64 = 10_000_000;

/// A home with the programs that can run it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) home: Home,
    pub(crate) binaries: Binaries,
}

impl Server {
    pub(crate) fn of(home: Home) -> Result<Self, ClusterError> {
        let binaries = Binaries::for_data(&home.data())?;
        Ok(Self { home, binaries })
    }

    /// The state, once the server is no longer on its way up or down.
    pub(crate) fn settled(&self) -> Result<State, ClusterError> {
        let deadline = Instant::now() + Duration::from_secs(START_SECONDS);
        loop {
            match State::of(&self.home) {
                State::Busy { pid } if Instant::now() > deadline => {
                    return Err(self.not_answering(pid));
                }
                State::Busy { .. } => sleep(STEP),
                state => return Ok(state),
            }
        }
    }

    /// Starts the server, which must not run, and waits until it answers.
    ///
    /// `pg_ctl` gives it a session of its own. Paths reach the server only through its working
    /// directory and environment: `pg_ctl` would pass its arguments through a shell.
    pub(crate) fn launch(&self, socket_directory: &Path, lock: &Lock) -> Result<(), ClusterError> {
        self.clear_leftovers()?;
        self.clear_socket(socket_directory)?;
        socket::make_directory(socket_directory, self.home.user())?;
        let logged = self.prepare_log()?;
        let mut start = self.pg_ctl("start", START_SECONDS);
        start
            .args(["--log=log", "--options=-c config_file=server.conf"])
            .stdin(lock.shared_with_child()?);
        let started = run(&mut start);
        if let Err(error) = started {
            return Err(self.not_started(logged, &error));
        }
        match self.settled()? {
            State::Ready { .. } => Ok(()),
            State::Busy { pid } | State::CutOff { pid } => Err(self.not_answering(pid)),
            State::Stopped => {
                let stopped = ClusterError::NotRunning(self.home.directory().to_owned());
                Err(self.not_started(logged, &stopped))
            }
        }
    }

    /// Stops the server, if it runs, breaking off open transactions, and waits for its end.
    pub(crate) fn stop(&self) -> Result<(), ClusterError> {
        let Some(pid) = State::of(&self.home).pid() else {
            return Ok(());
        };
        run(self.pg_ctl("stop", STOP_SECONDS).arg("--mode=fast"))?;
        self.wait_for_end(pid)
    }

    /// Kills the postmaster as a crash would, and waits for its end; its children follow.
    pub(crate) fn kill(&self) -> Result<(), ClusterError> {
        let Some(pid) = State::of(&self.home).pid() else {
            return Err(ClusterError::NotRunning(self.home.directory().to_owned()));
        };
        signal(pid, Signal::KILL)?;
        self.wait_for_end(pid)
    }

    /// Makes a running server read its configuration again.
    pub(crate) fn reload(&self, pid: u32) -> Result<(), ClusterError> {
        signal(pid, Signal::HUP)
    }

    fn pg_ctl(&self, action: &str, seconds: u64) -> Command {
        let program = self.binaries.program("pg_ctl");
        let mut command = self.home.user().command(program);
        command
            .current_dir(self.home.directory())
            .env("PGDATA", self.home.data())
            .args([action, "--silent", "--wait"])
            .arg(format!("--timeout={seconds}"));
        command
    }

    /// Waits for the children of a killed postmaster, then takes away a `postmaster.pid` whose
    /// number now belongs to another process: PostgreSQL would take that for its predecessor.
    fn clear_leftovers(&self) -> Result<(), ClusterError> {
        let (user, data) = (self.home.user(), self.home.data());
        if !wait_until(LEFTOVERS, || !user.anyone_works_in(&data)) {
            return Ok(()); // PostgreSQL sees them as well, and says so better than we can
        }
        match PidFile::read(&data) {
            Some(stale) if Path::new(&format!("/proc/{}", stale.pid)).exists() => {
                files::remove_if_there(&PidFile::path(&data))
            }
            _ => Ok(()),
        }
    }

    /// Frees the socket's name. A server that still listens there has lost its data directory
    /// (`rm -rf` of a checkout does not stop it) and is ended; one that has a directory is not.
    fn clear_socket(&self, directory: &Path) -> Result<(), ClusterError> {
        if let Some(pid) = socket::listener(directory) {
            if self.home.user().works_nowhere(pid) {
                signal(pid, Signal::QUIT)?;
            }
            if !wait_until(LEFTOVERS, || socket::listener(directory) != Some(pid)) {
                let directory = directory.to_owned();
                return Err(ClusterError::SocketInUse { directory, pid });
            }
        }
        files::remove_if_there(&socket::lock_file_in(directory))?;
        files::remove_if_there(&socket::file_in(directory))
    }

    /// Makes sure that the log exists and is not large; gives its size.
    fn prepare_log(&self) -> Result<u64, ClusterError> {
        let log = self.home.log();
        let size = |log: &Path| fs::symlink_metadata(log).map_or(0, |found| found.len());
        if size(&log) > LARGE_LOG_BYTES {
            fs::rename(&log, log.with_extension("old")).map_err(failed("put aside", &log))?;
        }
        files::ensure(&log, Readers::Server(self.home.user()))?;
        Ok(size(&log))
    }

    fn wait_for_end(&self, pid: u32) -> Result<(), ClusterError> {
        let (user, data) = (self.home.user(), self.home.data());
        if wait_until(LEFTOVERS, || !user.works_in(pid, &data)) {
            return Ok(());
        }
        Err(self.not_answering(pid))
    }

    fn not_answering(&self, pid: u32) -> ClusterError {
        let log = self.home.log();
        ClusterError::NotAnswering { pid, log }
    }

    /// The error of a failed start: what the log got since then, or else what `pg_ctl` said.
    fn not_started(&self, logged: u64, error: &ClusterError) -> ClusterError {
        let log = self.home.log();
        let mut text = String::new();
        let read = File::open(&log).and_then(|mut file| {
            file.seek(SeekFrom::Start(logged))?;
            file.read_to_string(&mut text)
        });
        let lines = match read {
            Ok(_) if !text.trim().is_empty() => last_lines(&text, 10),
            _ => error.to_string(),
        };
        ClusterError::NotStarted { log, lines }
    }
}

/// Sends a signal; a process that is already gone is as good as one that got it.
fn signal(pid: u32, signal: Signal) -> Result<(), ClusterError> {
    let Some(target) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Ok(());
    };
    match kill_process(target, signal) {
        Err(error) if error != rustix::io::Errno::SRCH => {
            let process = format!("/proc/{pid}");
            Err(failed("signal", Path::new(&process))(error.into()))
        }
        _ => Ok(()),
    }
}

/// Looks until `condition` holds; `false` if it did not in time.
fn wait_until(patience: Duration, condition: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        sleep(STEP);
    }
    true
}
