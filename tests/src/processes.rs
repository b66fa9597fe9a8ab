//! The stack as processes, started by `tandem up` in a directory of its own: to be killed.

use crate::eventually_within;
use serde_json::Value;
use service_kit::testing::Client;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A stack of processes on free ports.
pub struct Processes {
    child: Child,
    pub directory: PathBuf,
}

/// The `tandem` binary of this build.
///
/// # Panics
/// When it was not built: `cargo build -p tandem` comes first.
pub fn tandem() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    let binary = test
        .ancestors()
        .find(|path| path.ends_with("debug") || path.ends_with("release"))
        .map(|path| path.join("tandem"));
    match binary {
        Some(binary) if binary.exists() => binary,
        _ => panic!("there is no tandem binary beside the tests: run cargo build -p tandem first"),
    }
}

impl Processes {
    /// `tandem up` with these arguments.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn up(directory: &Path, arguments: &[&str]) -> Processes {
        let log = std::fs::File::create(directory.join("up.log"));
        let (out, err) = match log.and_then(|log| Ok((log.try_clone()?, log))) {
            Ok((out, err)) => (Stdio::from(out), Stdio::from(err)),
            Err(error) => panic!("no log in {}: {error}", directory.display()),
        };
        let child = Command::new(tandem())
            .arg("up")
            .args(arguments)
            .env("TANDEM_DIR", directory)
            .envs([
                ("ERP_BIND", "127.0.0.1:0"),
                ("CRM_BIND", "127.0.0.1:0"),
                ("SYNC_BIND", "127.0.0.1:0"),
            ])
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn();
        match child {
            Ok(child) => Processes {
                child,
                directory: directory.to_owned(),
            },
            Err(error) => panic!("tandem does not start: {error}"),
        }
    }

    /// `stack.json`, once all services are ready.
    ///
    /// # Panics
    /// When they are not within `patience`, or `tandem` ends; shows its log.
    pub async fn ready(&mut self, patience: Duration) -> Value {
        let (path, log) = (self.directory.join("stack.json"), self.directory.join("up.log"));
        let child = &mut self.child;
        eventually_within(patience, "stack.json", async || {
            if let Ok(Some(status)) = child.try_wait() {
                panic!(
                    "tandem ended with {status}: {}",
                    std::fs::read_to_string(&log).unwrap_or_default()
                );
            }
            serde_json::from_slice(&std::fs::read(&path).ok()?).ok()
        })
        .await
    }

    /// Waits until the log says so.
    ///
    /// # Panics
    /// When it does not within `patience`, or `tandem` ends; shows its log.
    pub async fn says(&mut self, text: &str, patience: Duration) -> String {
        let log = self.directory.join("up.log");
        let child = &mut self.child;
        eventually_within(patience, &format!("the log to say {text:?}"), async || {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            if said.contains(text) {
                return Some(said);
            }
            if let Ok(Some(status)) = child.try_wait() {
                panic!("tandem ended with {status}: {said}");
            }
            None
        })
        .await
    }

    /// A client of one of the services.
    pub fn client(stack: &Value, service: &str) -> Client {
        let text = |field: &str| stack[service][field].as_str().unwrap_or_default().to_owned();
        Client::new(text("url"), &text("api_key"))
    }

    /// Sends a signal by name to a process.
    ///
    /// # Panics
    /// When there is no such process.
    pub fn signal(pid: u64, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid.to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name} {pid}");
    }

    /// SIGINT to `tandem`; returns its exit code and how long it took.
    ///
    /// # Panics
    /// When it has not ended after 20 s.
    pub async fn interrupt(&mut self) -> (Option<i32>, Duration) {
        let started = std::time::Instant::now();
        Self::signal(self.child.id().into(), "INT");
        let child = &mut self.child;
        let status = eventually_within(Duration::from_secs(20), "tandem to end", async || {
            child.try_wait().ok().flatten()
        })
        .await;
        (status.code(), started.elapsed())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        // A test that failed leaves nothing running: the services end with their parent.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = Command::new("kill")
                .args(["-INT", &self.child.id().to_string()])
                .status();
            for _ in 0..100 {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if let Ok(Some(cluster)) = private_postgres::Cluster::find(self.directory.join("postgres")) {
            let _ = cluster.remove();
        }
    }
}
