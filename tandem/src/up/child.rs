//! One service process: started, seen ready, stopped.

use super::ports;
use crate::failure::{Context, Failure, Result};
use crate::part::Part;
use crate::serve::CHILD;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File, OpenOptions};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{sleep, timeout};

const LOOK_AGAIN: Duration = Duration::from_millis(20);
const ASK: Duration = Duration::from_secs(2);
const LARGE_LOG_BYTES: u64 = 20_000_000;
/// Lines of a log that say why a service did not start.
const LAST_LINES: usize = 10;

/// How to start a service.
#[derive(Debug, Clone)]
pub struct Recipe {
    pub part: Part,
    pub bind: SocketAddr,
    /// Database, keys, the other services. Secrets go this way: arguments are for all to see.
    pub environment: Vec<(String, String)>,
    pub log: PathBuf,
}

/// A service process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pub pid: u32,
    /// Closed when we end, however we do: the child then ends too.
    _lifeline: Option<ChildStdin>,
}

impl Recipe {
    /// Starts the process in a process group of its own, so that Ctrl-C in the terminal reaches
    /// only us, who stop everything in order.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self) -> Result<Process> {
        let (part, cannot) = (self.part, || format!("the {} cannot be started", self.part));
        let program = our_program();
        let log = open_log(&self.log)?;
        let second = log.try_clone().context(cannot)?;
        let mut command = Command::new(program);
        command.args(["serve", part.name()]);
        for other in Part::ALL {
            for secret in ["DATABASE_URL", "BOOTSTRAP_KEY", "INTEGRATION_KEY", "API_KEY"] {
                command.env_remove(other.variable(secret));
            }
        }
        command
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env(part.variable("BIND"), self.bind.to_string())
            .env(CHILD, "1")
            // A heap for each thread would hold a third more memory under load, for nothing: the
            // threads wait for the database.
            .env("MALLOC_ARENA_MAX", "2")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(second);
        let mut child = command.spawn().context(cannot)?;
        let pid = child.id().ok_or_else(|| Failure::new(cannot()))?;
        let _lifeline = child.stdin.take();
        Ok(Process { child, pid, _lifeline })
    }

    /// The end of the log.
    pub fn last_words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

impl Process {
    /// Returns when the service answers that it is ready, or when the process has ended.
    pub async fn ready(&mut self, http: &reqwest::Client, bind: SocketAddr) -> Result<(), ExitStatus> {
        let url = format!("{}/health/ready", ports::url(bind));
        loop {
            tokio::select! {
                status = self.ended() => return Err(status),
                answer = http.get(&url).timeout(ASK).send() => {
                    if answer.is_ok_and(|answer| answer.status().is_success()) {
                        return Ok(());
                    }
                }
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Returns when the process has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        loop {
            match self.child.wait().await {
                Ok(status) => return status,
                // Nobody else may reap it, so this does not last.
                Err(_) => sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// Asks the process to stop, and kills it if it takes longer than `patience`.
    pub async fn stop(mut self, patience: Duration) {
        let pid = self
            .child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It has not been waited for, so the number is still its own.
            let _ = kill_process(pid, Signal::TERM);
        }
        if timeout(patience, self.ended()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}

/// Also when a newer build has taken the place of this one meanwhile.
fn our_program() -> PathBuf {
    std::env::current_exe()
        .ok()
        .filter(|program| program.exists())
        .unwrap_or_else(|| "/proc/self/exe".into())
}

/// Appends; what is large is put aside first.
fn open_log(path: &Path) -> Result<File> {
    let size = fs::metadata(path).map_or(0, |found| found.len());
    if size > LARGE_LOG_BYTES {
        let old = path.with_extension("log.old");
        fs::rename(path, &old).context(|| format!("cannot put {} aside", path.display()))?;
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .context(|| format!("cannot open {}", path.display()))
}
