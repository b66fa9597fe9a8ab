//! The services as processes: how much memory they take, how fast they start, and who used the
//! processors.

use crate::api::{Api, http_client};
use crate::failure::{Context, Failure, Result};
use crate::ratios::median;
use crate::report::Report;
use crate::stack::Stack;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::json;
use std::fmt;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

const STARTS: usize = 3;
const START_MILLISECONDS: f64 = 1_000.0;
const MEMORY_MIB: f64 = 64.0;
/// A service that is not ready by then never will be.
const PATIENCE: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// What Linux counts processor time in, wherever it shows it to programs.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Deserialize)]
struct NewKey {
    key: String,
}

/// # Errors
/// When a service is gone or does not start.
pub async fn measure(stack: &Stack, tandem: &Path, report: &mut Report) -> Result<()> {
    println!("Starting each service {STARTS} times more, on the same databases");
    let starter = Starter::new(stack, tandem).await?;
    for (name, _) in stack.services() {
        let mut milliseconds = Vec::new();
        for _ in 0..STARTS {
            milliseconds.push(starter.start(name).await?.as_secs_f64() * 1_000.0);
        }
        let shown: Vec<String> = milliseconds.iter().map(|start| format!("{start:.0}")).collect();
        println!("  {name}: {} ms", shown.join(", "));
        report.at_most(
            &format!("start of {name}, until it is ready"),
            median(&milliseconds),
            "ms",
            START_MILLISECONDS,
        );
    }
    for (name, service) in stack.services() {
        let [highest, now, own] = ["VmHWM", "VmRSS", "RssAnon"].map(|field| mebibytes(service.pid, field));
        let what = format!("resident memory of {name}, highest");
        report.at_most(&what, highest?, "MiB", MEMORY_MIB);
        println!(
            "  {name}: {:.0} MiB resident now, {:.0} MiB of it its own (not program text)",
            now?, own?
        );
    }
    Ok(())
}

/// A field of `/proc/<pid>/status`, which counts in KiB.
///
/// # Errors
/// When the service is gone.
pub fn mebibytes(pid: u32, field: &str) -> Result<f64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).context(|| format!("cannot read {path}: the service is gone"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    number
        .map(|kib| kib / 1_024.0)
        .ok_or_else(|| Failure::new(format!("{path} has no {field}")))
}

/// Starts a service beside the one that runs, on the same database.
struct Starter<'a> {
    stack: &'a Stack,
    tandem: PathBuf,
    /// What the sync shows to the ERP and the CRM.
    keys: [String; 2],
    http: reqwest::Client,
}

impl<'a> Starter<'a> {
    async fn new(stack: &'a Stack, tandem: &Path) -> Result<Self> {
        let http = http_client()?;
        let body = json!({ "name": "bench", "role": "integration" });
        let [erp, crm] = [&stack.erp, &stack.crm].map(|service| Api::new(&http, service));
        let erp: NewKey = erp.post("/v1/api-keys", &body).await?;
        let crm: NewKey = crm.post("/v1/api-keys", &body).await?;
        Ok(Starter {
            stack,
            tandem: tandem.to_owned(),
            keys: [erp.key, crm.key],
            http,
        })
    }

    /// From the start of the process until it says that it is ready.
    async fn start(&self, name: &str) -> Result<Duration> {
        let cannot = || format!("{name} cannot be started again");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let bind = free.context(cannot)?;
        let prefix = name.to_uppercase();
        let log = self.stack.directory.join(format!("bench-{name}.log"));
        let file = File::create(&log).context(cannot)?;
        let mut command = Command::new(&self.tandem);
        command
            .args(["serve", name])
            .env(format!("{prefix}_DATABASE_URL"), self.stack.cluster.url(name))
            .env(format!("{prefix}_BIND"), bind.to_string())
            .env("ERP_URL", &self.stack.erp.url)
            .env("ERP_API_KEY", &self.keys[0])
            .env("CRM_URL", &self.stack.crm.url)
            .env("CRM_API_KEY", &self.keys[1])
            .stdin(Stdio::null())
            .stdout(file.try_clone().context(cannot)?)
            .stderr(file)
            .kill_on_drop(true);
        let started = Instant::now();
        let mut child = command.spawn().context(cannot)?;
        let ready = self.ready(&mut child, &format!("http://{bind}/health/ready")).await;
        let took = started.elapsed();
        stop(child).await;
        match ready {
            true => Ok(took),
            false => {
                let said = fs::read_to_string(&log).unwrap_or_default();
                Err(Failure::new(format!("{name} did not get ready: {said}")))
            }
        }
    }

    async fn ready(&self, child: &mut Child, url: &str) -> bool {
        let started = Instant::now();
        while started.elapsed() < PATIENCE && matches!(child.try_wait(), Ok(None)) {
            let answer = self.http.get(url).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return true;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        false
    }
}

async fn stop(mut child: Child) {
    let pid = child
        .id()
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It has not been waited for, so the number is still its own.
        let _ = kill_process(pid, Signal::TERM);
    }
    if tokio::time::timeout(STOP, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

/// What the processors have done so far, in ticks: to see what bounds a measure.
pub struct Cpu {
    at: Instant,
    processes: Vec<(&'static str, u64)>,
    all: u64,
}

impl Cpu {
    /// # Errors
    /// When a service is gone.
    pub fn now(stack: &Stack) -> Result<Self> {
        let mut processes = Vec::new();
        for (name, service) in stack.services() {
            processes.push((name, ticks_of(service.pid)?));
        }
        processes.push(("this client", ticks_of(std::process::id())?));
        Ok(Cpu {
            at: Instant::now(),
            processes,
            all: ticks_of_all()?,
        })
    }

    /// How many processors each has kept busy since then.
    ///
    /// # Errors
    /// As [`Cpu::now`].
    pub fn since(&self, stack: &Stack) -> Result<Busy> {
        let now = Cpu::now(stack)?;
        let ticks = now.at.duration_since(self.at).as_secs_f64() * TICKS_PER_SECOND;
        let share = |before: u64, after: u64| after.saturating_sub(before) as f64 / ticks;
        let pairs = self.processes.iter().zip(&now.processes);
        let processes: Vec<_> = pairs
            .map(|((name, before), (_, after))| (*name, share(*before, *after)))
            .collect();
        let known: f64 = processes.iter().map(|(_, share)| share).sum();
        Ok(Busy {
            processes,
            rest: (share(self.all, now.all) - known).max(0.0),
        })
    }
}

/// How many processors were busy, and with what.
pub struct Busy {
    processes: Vec<(&'static str, f64)>,
    rest: f64,
}

impl fmt::Display for Busy {
    /// Without those that did nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, share) in self.processes.iter().filter(|(_, share)| *share >= 0.005) {
            write!(f, "{name} {share:.2}, ")?;
        }
        write!(f, "PostgreSQL and the rest {:.2}", self.rest)
    }
}

/// The 14th and 15th field of proc(5) stat, after the name in brackets: user and system time.
fn ticks_of(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).context(|| format!("cannot read {path}: the service is gone"))?;
    let fields = stat
        .rsplit_once(") ")
        .map(|(_, fields)| fields.split(' ').skip(11).take(2));
    Ok(fields
        .into_iter()
        .flatten()
        .filter_map(|field| field.parse::<u64>().ok())
        .sum())
}

/// All but idle and waiting (the 4th and 5th) of the first eight numbers of `/proc/stat`.
fn ticks_of_all() -> Result<u64> {
    let stat = fs::read_to_string("/proc/stat").context(|| "cannot read /proc/stat".to_owned())?;
    let numbers = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .take(8);
    let busy = numbers.enumerate().filter(|(index, _)| !matches!(index, 3 | 4));
    Ok(busy.filter_map(|(_, number)| number.parse::<u64>().ok()).sum())
}
