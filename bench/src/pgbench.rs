//! PostgreSQL's own limit: the reference statements under pgbench.

use crate::failure::{Failure, Result};
use crate::postgres::{Database, output_of};
use std::path::Path;

pub const CLIENTS: &str = "8";
const THREADS: &str = "2";

/// Transactions a second of a script.
///
/// # Errors
/// When pgbench or a transaction fails.
pub async fn run(database: &Database, script: &Path, seconds: u64) -> Result<f64> {
    let mut command = database.command("pgbench");
    command.args([
        "--no-vacuum",
        "--protocol=prepared",
        "--client",
        CLIENTS,
        "--jobs",
        THREADS,
    ]);
    command.args(["--time", &seconds.to_string(), "--file"]).arg(script);
    let said = output_of("pgbench", &mut command).await?;
    transactions_per_second(&said).ok_or_else(|| Failure::new(format!("pgbench is not understood: {said}")))
}

/// From `tps = 2310.84 (without initial connection time)`, unless transactions failed.
fn transactions_per_second(said: &str) -> Option<f64> {
    let after = |name: &str| said.lines().find_map(|line| line.strip_prefix(name));
    let failed = after("number of failed transactions: ").unwrap_or("0 ");
    let tps = after("tps = ")?.split(' ').next()?.parse().ok();
    tps.filter(|_| failed.starts_with("0 "))
}

#[cfg(test)]
mod tests {
    use super::transactions_per_second;

    #[test]
    fn the_rate_is_read_from_what_pgbench_says() {
        let said = "number of failed transactions: 0 (0.000%)\nlatency average = 3.4 ms\n\
                    tps = 2310.842 (without initial connection time)\n";
        assert_eq!(transactions_per_second(said), Some(2310.842));
        assert_eq!(transactions_per_second(&said.replace(": 0 ", ": 7 ")), None);
        assert_eq!(transactions_per_second("pgbench (15.14)"), None);
    }
}
