//! The ERP against PostgreSQL's own limit: wrk on its API and pgbench with the reference
//! statements, in turn, in one run, on the same server, with as many connections. Of each the
//! median counts.

use crate::failure::Result;
use crate::postgres::Database;
use crate::prepare::Shop;
use crate::processes::Cpu;
use crate::report::{Contest, Report};
use crate::stack::Stack;
use crate::wrk::{Ids, Script};
use crate::{pgbench, wrk};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// As many as the reference schema has.
const ORDERS: usize = 5_000;
/// The database of the reference schema: made for this, and dropped afterwards.
const DATABASE: &str = "bench";
const SCHEMA: &str = "schema.sql";
const OWN_SCHEMA: &str = "settle_schema.sql";

const CREATE: Script = Script {
    file: "create_order.lua",
    threads: "2",
    requests: 1.0,
};
const CREATE_THEN_CONFIRM: Script = Script {
    file: "create_then_confirm.lua",
    threads: "8",
    requests: 2.0,
};
const SETTLE: Script = Script {
    file: "settle_order.lua",
    threads: "8",
    requests: 4.0,
};
const GET: Script = Script {
    file: "get_order.lua",
    threads: "2",
    requests: 1.0,
};

/// Who takes turns, in this order. Each of ours stands beside what it is compared with.
const RUNNERS: [Runner; 8] = [
    Runner::Limit("w1.sql"),
    Runner::Ours(CREATE),
    Runner::Limit("w1cte.sql"),
    Runner::Ours(CREATE_THEN_CONFIRM),
    Runner::Limit("w2.sql"),
    Runner::Ours(GET),
    Runner::OwnLimit("settle.sql"),
    Runner::Ours(SETTLE),
];

/// What is compared: what it is called, ours, its limit, and the ratio that we want.
const CONTESTS: [(&str, usize, usize, Option<f64>); 5] = [
    ("order create + confirm, 3 lines, one request", 1, 0, Some(0.5)),
    ("the same, against one statement", 1, 2, None),
    ("the same as two requests", 3, 0, None),
    ("order by id with its 3 lines", 5, 4, Some(0.3)),
    ("order, deliver, invoice and pay, four requests", 7, 6, None),
];

enum Runner {
    Ours(Script),
    /// A reference statement.
    Limit(&'static str),
    /// Statements of our own, where the reference has none.
    OwnLimit(&'static str),
}

pub struct Plan<'a> {
    pub seconds: u64,
    pub rounds: u32,
    pub scripts: &'a Path,
    pub reference: &'a Path,
}

impl Plan<'_> {
    /// Our own statements, beside the scripts of wrk.
    fn own_reference(&self) -> PathBuf {
        self.scripts.with_file_name("sql")
    }
}

#[derive(Deserialize)]
struct Flows {
    items: Vec<Flow>,
}

#[derive(Deserialize)]
struct Flow {
    name: String,
}

/// # Errors
/// When something cannot be run; not when the reference is missing.
pub async fn measure(shop: &Shop, stack: &Stack, plan: &Plan<'_>, report: &mut Report) -> Result<()> {
    println!("Preparing {ORDERS} orders in the ERP; the flows pause: the ERP is measured alone");
    pause_flows(shop).await?;
    let orders = shop.sales_orders(ORDERS).await?;
    let ids = Ids::write(stack.directory.join("bench"), shop, &orders)?;
    // As the reference schema does for itself.
    Database::of(&stack.cluster, "erp")?.run("VACUUM ANALYZE").await?;
    if !plan.reference.join(SCHEMA).is_file() {
        println!(
            "No {} here: the ratios are skipped, and the ERP runs alone",
            plan.reference.display()
        );
        let results = take_turns(stack, &ids, plan, None).await?;
        tell(&results, report);
        return Ok(());
    }
    let administration = Database::of(&stack.cluster, "postgres")?;
    let drop_it = format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)");
    administration.run(&drop_it).await?;
    administration.run(&format!("CREATE DATABASE {DATABASE}")).await?;
    let results = with_limit(stack, &ids, plan).await;
    let dropped = administration.run(&drop_it).await;
    tell(&results?, report);
    dropped.map(|_| ())
}

async fn with_limit(stack: &Stack, ids: &Ids, plan: &Plan<'_>) -> Result<Vec<Vec<f64>>> {
    let database = Database::of(&stack.cluster, DATABASE)?;
    database.run_file(&plan.reference.join(SCHEMA)).await?;
    database.run_file(&plan.own_reference().join(OWN_SCHEMA)).await?;
    take_turns(stack, ids, plan, Some(&database)).await
}

/// The sync would carry every order to the CRM while the ERP, or pgbench, is measured.
///
/// # Errors
/// When the sync refuses.
pub async fn pause_flows(shop: &Shop) -> Result<()> {
    let flows: Flows = shop.sync.get("/v1/flows").await?;
    for flow in flows.items {
        shop.sync.command(&format!("/v1/flows/{}/pause", flow.name)).await?;
    }
    Ok(())
}

/// What each runner did a second, round by round.
async fn take_turns(stack: &Stack, ids: &Ids, plan: &Plan<'_>, limit: Option<&Database>) -> Result<Vec<Vec<f64>>> {
    let mut results = vec![Vec::new(); RUNNERS.len()];
    for round in 1..=plan.rounds {
        println!("Round {round} of {}, {} s each", plan.rounds, plan.seconds);
        for (runner, results) in RUNNERS.iter().zip(&mut results) {
            match (runner, limit) {
                (Runner::Ours(script), _) => {
                    let cpu = Cpu::now(stack)?;
                    let run = wrk::run(&stack.erp, ids, plan.scripts, script, plan.seconds).await?;
                    let busy = cpu.since(stack)?;
                    println!("  {:<24} {run}; processors: {busy}", script.file);
                    results.push(run.per_second);
                }
                (Runner::Limit(file) | Runner::OwnLimit(file), Some(database)) => {
                    let folder = match runner {
                        Runner::OwnLimit(_) => plan.own_reference(),
                        _ => plan.reference.to_path_buf(),
                    };
                    let per_second = pgbench::run(database, &folder.join(file), plan.seconds).await?;
                    println!("  {file:<24} {per_second:>8.0}/s");
                    results.push(per_second);
                }
                (Runner::Limit(_) | Runner::OwnLimit(_), None) => {}
            }
        }
    }
    Ok(results)
}

fn tell(results: &[Vec<f64>], report: &mut Report) {
    for (what, ours, limit, target) in CONTESTS {
        let against = match &RUNNERS[limit] {
            Runner::Limit(file) | Runner::OwnLimit(file) => *file,
            Runner::Ours(script) => script.file,
        };
        let limit = (!results[limit].is_empty()).then(|| median(&results[limit]));
        report.contest(Contest {
            what,
            ours: median(&results[ours]),
            against,
            limit,
            target,
        });
    }
}

/// The middle value; of an even number the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => 0.0,
        (count, middle) if count.is_multiple_of(2) => (sorted[middle - 1] + sorted[middle]) / 2.0,
        (_, middle) => sorted[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::{CONTESTS, RUNNERS, Runner, median};

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(
            [median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0]), median(&[])],
            [2.0, 2.5, 0.0]
        );
    }

    #[test]
    fn contests_are_between_us_and_the_limit() {
        for (what, ours, limit, _) in CONTESTS {
            assert!(matches!(RUNNERS[ours], Runner::Ours(_)), "{what}");
            assert!(
                matches!(RUNNERS[limit], Runner::Limit(_) | Runner::OwnLimit(_)),
                "{what}"
            );
        }
    }
}
