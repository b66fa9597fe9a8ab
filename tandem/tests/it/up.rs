//! The life of `tandem up`: what it starts, keeps running and stops.

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use service_kit::testing::TestDatabase;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tandem::Part;
use tandem::api::{Api, http_client};
use tandem::stack::{Running, Stack};
use tempfile::TempDir;

pub const START: Duration = Duration::from_secs(60);
/// What is promised.
const STOP: Duration = Duration::from_secs(10);

pub fn wait_for<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(started.elapsed() < patience, "{what}: not within {patience:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn pid(of: u32) -> Pid {
    Pid::from_raw(i32::try_from(of).unwrap()).unwrap()
}

fn lives(of: u32) -> bool {
    test_kill_process(pid(of)).is_ok()
}

fn is_ready(service: &Running) -> bool {
    let address: SocketAddr = service.url.trim_start_matches("http://").parse().unwrap();
    service_kit::health::check(address)
}

/// A directory that PostgreSQL's user can reach, also when we are root.
pub fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    directory
}

/// A `tandem up`, stopped if the test fails.
pub struct Up(Child);

impl Up {
    pub fn command(directory: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command.arg("up").args(arguments).env("TANDEM_DIR", directory);
        for part in Part::ALL {
            command.env(part.variable("BIND"), "127.0.0.1:0");
            command.env_remove(part.variable("DATABASE_URL"));
        }
        command
    }

    /// Starts it, and returns at once.
    pub fn spawn(mut command: Command) -> Self {
        Up(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Starts it, and returns when all three services are ready.
    pub fn start(directory: &Path, arguments: &[&str]) -> Self {
        let up = Self::spawn(Self::command(directory, arguments));
        Self::stack(directory);
        up
    }

    /// The stack that runs, once it does.
    pub fn stack(directory: &Path) -> Stack {
        wait_for("stack.json", START, || {
            let stack = Stack::read(directory).ok()?;
            // One that was killed has left its own.
            Part::ALL.iter().all(|part| lives(stack.of(*part).pid)).then_some(stack)
        })
    }

    pub fn stop(mut self, signal: Signal) -> (ExitStatus, Duration) {
        let started = Instant::now();
        kill_process(pid(self.0.id()), signal).unwrap();
        let status = self.0.wait().unwrap();
        (status, started.elapsed())
    }
}

/// An empty stack.
fn start(directory: &Path) -> (Up, Stack) {
    let up = Up::start(directory, &["--no-demo"]);
    (up, Up::stack(directory))
}

impl Drop for Up {
    fn drop(&mut self) {
        // As a user would, so that PostgreSQL stops as well.
        let _ = kill_process(pid(self.0.id()), Signal::TERM);
        let started = Instant::now();
        while self.0.try_wait().is_ok_and(|ended| ended.is_none()) && started.elapsed() < STOP {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn database_runs(directory: &Path) -> bool {
    let cluster = private_postgres::Cluster::find(directory.join("postgres")).unwrap();
    cluster.is_some_and(|cluster| cluster.is_ready())
}

#[test]
fn it_starts_everything_keeps_it_running_and_stops_it() {
    let parent = directory();
    let path = parent.path().join("stack");
    let (up, first) = start(&path);
    for part in Part::ALL {
        assert!(is_ready(first.of(part)), "the {part} is not ready");
    }

    let second = Up::command(&path, &["--no-demo"]).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1));
    assert!(said.contains("another `tandem up`"), "{said}");

    kill_process(pid(first.crm.pid), Signal::KILL).unwrap();
    let again = wait_for("a new CRM", START, || {
        Stack::read(&path).ok().filter(|stack| stack.crm.pid != first.crm.pid)
    });
    assert!(is_ready(&again.crm));
    assert_eq!(
        (&again.crm.url, &again.erp, &again.sync),
        (&first.crm.url, &first.erp, &first.sync)
    );

    let (status, took) = up.stop(Signal::INT);
    assert!(status.success() && took < STOP, "{status} after {took:?}");
    assert!(!Stack::path(&path).exists() && !database_runs(&path));
    for part in Part::ALL {
        assert!(!lives(again.of(part).pid), "the {part} still lives");
    }

    let (up, third) = start(&path);
    for part in Part::ALL {
        assert_eq!(third.of(part).api_key, first.of(part).api_key);
    }
    let (status, _) = up.stop(Signal::TERM);
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn a_stop_answers_long_polls_at_once() {
    let parent = directory();
    let path = parent.path().join("stack");
    let (up, stack) = start(&path);
    let crm = Api::new(&http_client().unwrap(), &stack.crm);
    let head: serde_json::Value = crm.get("/v1/events?after=latest").await.unwrap();
    let waiting = format!("/v1/events?wait=25&after={}", head["next_cursor"].as_str().unwrap());
    let poll = tokio::spawn(async move { crm.get::<serde_json::Value>(&waiting).await });
    // It has reached the CRM once it has waited for longer than any answer takes.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!poll.is_finished());
    let (status, took) = tokio::task::spawn_blocking(move || up.stop(Signal::INT)).await.unwrap();
    assert!(status.success() && took < STOP, "{status} after {took:?}");
    assert_eq!(poll.await.unwrap().unwrap()["events"], serde_json::json!([]));
}

#[test]
fn what_a_killed_one_leaves_behind_ends_or_is_adopted() {
    let parent = directory();
    let path = parent.path().join("stack");
    let (up, killed) = start(&path);
    up.stop(Signal::KILL);
    for part in Part::ALL {
        wait_for("the end of an orphan", STOP, || {
            (!lives(killed.of(part).pid)).then_some(())
        });
    }
    assert!(database_runs(&path), "a server outlives who started it");
    let (up, stack) = start(&path);
    assert!(is_ready(&stack.erp));
    let (status, _) = up.stop(Signal::INT);
    assert!(status.success() && !database_runs(&path));
}

#[test]
fn a_stop_while_it_starts_leaves_nothing_running() {
    let parent = directory();
    let path = parent.path().join("stack");
    let up = Up::spawn(Up::command(&path, &["--no-demo"]));
    wait_for("the start of PostgreSQL", START, || {
        path.join("postgres").exists().then_some(())
    });
    let (status, took) = up.stop(Signal::INT);
    assert!(status.success() && took < STOP, "{status} after {took:?}");
    assert!(!Stack::path(&path).exists() && !database_runs(&path));
}

#[test]
fn a_database_that_dies_is_started_again() {
    let parent = directory();
    let path = parent.path().join("stack");
    let (up, stack) = start(&path);
    let cluster = private_postgres::Cluster::find(path.join("postgres")).unwrap().unwrap();
    cluster.kill().unwrap();
    wait_for("PostgreSQL", START, || database_runs(&path).then_some(()));
    wait_for("the ERP", START, || is_ready(&stack.erp).then_some(()));
    let (status, _) = up.stop(Signal::INT);
    assert!(status.success() && !database_runs(&path));
}

#[test]
fn a_service_that_cannot_start_says_why() {
    let parent = directory();
    let path = parent.path().join("stack");
    let mut command = Up::command(&path, &["--no-demo"]);
    let nowhere = "postgresql://nobody@%2Fno%2Fsuch%2Fsocket/erp";
    let output = command.env("ERP_DATABASE_URL", nowhere).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("erp-service ended while starting"), "{said}");
    assert!(said.contains("/no/such/socket"), "{said}");
    assert!(!Stack::path(&path).exists() && !database_runs(&path));
}

#[test]
fn databases_from_outside_are_used_as_they_are() {
    let databases = [
        TestDatabase::of(&erp_service::app::SERVICE),
        TestDatabase::of(&crm_service::app::SERVICE),
        TestDatabase::of(&integration_sync::SERVICE),
    ];
    let parent = directory();
    let path = parent.path().join("stack");
    let mut command = Up::command(&path, &["--no-demo"]);
    for (part, database) in Part::ALL.into_iter().zip(&databases) {
        command.env(part.variable("DATABASE_URL"), &database.url);
    }
    let up = Up::spawn(command);
    let stack = Up::stack(&path);
    for part in Part::ALL {
        assert!(is_ready(stack.of(part)), "the {part} is not ready");
    }
    assert!(!path.join("postgres").exists(), "no cluster of our own is made");
    assert!(up.stop(Signal::INT).0.success());
}
