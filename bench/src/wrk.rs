//! The ERP under load, by wrk with the scripts of `bench/wrk/`.

use crate::failure::{Context, Failure, Result};
use crate::postgres::output_of;
use crate::prepare::Shop;
use crate::stack::Service;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;
use uuid::Uuid;

const CONNECTIONS: &str = "8";

/// A script and how it is run.
pub struct Script {
    pub file: &'static str,
    /// A script that needs the last answer for its next request has a thread for each connection.
    pub threads: &'static str,
    /// Of an order.
    pub requests: f64,
}

/// The ids that scripts choose from, as files of lines.
pub struct Ids {
    directory: PathBuf,
}

/// What wrk measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// Orders, not requests.
    pub per_second: f64,
    /// Of one request.
    pub p50_milliseconds: f64,
    pub p99_milliseconds: f64,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99) = (self.p50_milliseconds, self.p99_milliseconds);
        write!(
            f,
            "{:>8.0}/s; a request: p50 {p50:.1} ms, p99 {p99:.1} ms",
            self.per_second
        )
    }
}

impl Ids {
    /// # Errors
    /// When they cannot be written.
    pub fn write(directory: PathBuf, shop: &Shop, orders: &[Uuid]) -> Result<Self> {
        let cannot = || format!("cannot write into {}", directory.display());
        std::fs::create_dir_all(&directory).context(cannot)?;
        for (name, ids) in [
            ("customers", &shop.customers[..]),
            ("products", &shop.products),
            ("orders", orders),
        ] {
            let lines: String = ids.iter().map(|id| format!("{id}\n")).collect();
            std::fs::write(directory.join(name), lines).context(cannot)?;
        }
        Ok(Ids { directory })
    }
}

/// # Errors
/// When wrk fails or a request was not answered well.
pub async fn run(erp: &Service, ids: &Ids, scripts: &Path, script: &Script, seconds: u64) -> Result<Run> {
    let mut command = Command::new("wrk");
    command.args([
        "--threads",
        script.threads,
        "--connections",
        CONNECTIONS,
        "--timeout",
        "10s",
    ]);
    command
        .args(["--duration", &format!("{seconds}s"), "--script"])
        .arg(scripts.join(script.file));
    command.arg(&erp.url).stdin(Stdio::null()).kill_on_drop(true);
    command
        .env("BENCH_API_KEY", &erp.api_key)
        .env("BENCH_IDS", &ids.directory)
        .env("BENCH_SCRIPTS", scripts);
    let said = output_of("wrk", &mut command).await?;
    let (run, errors) = result(&said, script).ok_or_else(|| Failure::new(format!("wrk is not understood: {said}")))?;
    match errors {
        0 => Ok(run),
        _ => Err(Failure::new(format!(
            "{}: {errors} requests failed: {said}",
            script.file
        ))),
    }
}

/// From the line `RESULT requests microseconds errors p50 p99`, which our scripts print.
fn result(said: &str, script: &Script) -> Option<(Run, u64)> {
    let line = said.lines().find_map(|line| line.strip_prefix("RESULT "))?;
    let numbers: Vec<f64> = line.split(' ').map_while(|word| word.parse().ok()).collect();
    let [requests, microseconds, errors, p50, p99] = numbers[..] else {
        return None;
    };
    let run = Run {
        per_second: requests / script.requests / (microseconds / 1e6),
        p50_milliseconds: p50 / 1e3,
        p99_milliseconds: p99 / 1e3,
    };
    Some((run, errors as u64))
}

#[cfg(test)]
mod tests {
    use super::{Run, Script, result};

    #[test]
    fn orders_a_second_are_computed_from_requests() {
        let script = Script {
            file: "x.lua",
            threads: "8",
            requests: 2.0,
        };
        let run = Run {
            per_second: 500.0,
            p50_milliseconds: 5.0,
            p99_milliseconds: 21.5,
        };
        assert_eq!(
            result("Running\nRESULT 10000 10000000 3 5000 21500\n", &script),
            Some((run, 3))
        );
        assert_eq!(result("RESULT 10000 x\n", &script), None);
        assert_eq!(result("", &script), None);
    }
}
