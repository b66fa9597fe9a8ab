//! The figures of a CRM that is full: each analysis over a month, a quarter and a year, from two clients
//! at once and then from eight, half of them with a key that sees everything and half as a user who sees
//! a team. Runs of ABC, XYZ, BCG and RFM are made one after the other.

use crate::failure::Result;
use crate::processes::Cpu;
use crate::report::Report;
use crate::sales::{self, Crowd, milliseconds};
use crate::stack::Stack;
use serde::de::IgnoredAny;
use serde_json::json;
use std::path::Path;
use std::time::Instant;

const CLIENTS: [usize; 2] = [2, 8];
/// So many days, and how long a report over them may take from two clients.
const PERIODS: [(&str, u64, f64); 3] = [
    ("month", 30, 1_000.0),
    ("quarter", 91, 2_000.0),
    ("year", 365, 10_000.0),
];

const REPORTS: [(&str, &str); 14] = [
    ("sales by customer", "/v1/analytics/sales?by=customer"),
    ("sales by product", "/v1/analytics/sales?by=product"),
    (
        "sales by category, rolled up",
        "/v1/analytics/sales?by=category&rolled_up=true",
    ),
    ("sales by region", "/v1/analytics/sales?by=region"),
    ("sales by owner", "/v1/analytics/sales?by=owner"),
    ("sales by month", "/v1/analytics/sales?by=month"),
    ("order lines of a figure", "/v1/analytics/sales/lines?limit=50"),
    ("funnel by pipeline", "/v1/analytics/funnel?by=pipeline"),
    ("deals of the funnel", "/v1/analytics/funnel/deals?limit=50"),
    ("win and loss by reason", "/v1/analytics/win-loss?by=reason"),
    ("plan and fact by user", "/v1/analytics/kpis?of=user"),
    ("records of plan and fact", "/v1/analytics/kpis/records?kind=calls"),
    ("forecast against plan", "/v1/analytics/forecast?by=owner"),
    ("cohorts", "/v1/analytics/cohorts?within_days=90"),
];

const RUNS: [(&str, &str); 4] = [
    ("abc", "customer"),
    ("xyz", "product"),
    ("bcg", "category"),
    ("rfm", "customer"),
];

/// # Errors
/// When the CRM refuses a request.
pub async fn measure(crowd: &Crowd, stack: &Stack, sql: &Path, seconds: u64, report: &mut Report) -> Result<()> {
    // Of 84 runs each may be short.
    let seconds = seconds.div_ceil(3);
    println!("Adding what they bought: 500,000 orders with 1,500,000 lines");
    crowd.add(&sql.join("sales_history.sql")).await?;
    let day = async |expression: String| -> Result<String> {
        let day = crowd.database.run(&format!("SELECT ({expression})::date")).await?;
        Ok(day.trim().to_owned())
    };
    let today = day("current_date".to_owned()).await?;
    for (what, path) in REPORTS {
        for (period, days, target) in PERIODS {
            let from = day(format!("current_date - {days} + 1")).await?;
            let path = format!("{path}&from={from}&to={today}");
            for clients in CLIENTS {
                let cpu = Cpu::now(stack)?;
                let mut times = sales::ask(&crowd.callers, clients, seconds, || path.clone()).await?;
                times.sort_unstable();
                let p99 = milliseconds(times[(times.len() - 1) * 99 / 100]);
                println!(
                    "  {what}, {period}, {clients} clients: {} in {seconds} s, p50 {:.0} ms, p99 {p99:.0} ms; processors: {}",
                    times.len(),
                    milliseconds(times[times.len() / 2]),
                    cpu.since(stack)?
                );
                let what = format!("{what}, {period}, {clients} clients, p99");
                match clients {
                    2 => report.at_most(&what, p99, "ms", target),
                    _ => report.note(&what, format!("{p99:.0} ms")),
                }
            }
        }
    }
    for (kind, subject) in RUNS {
        for (period, _, target) in PERIODS {
            let months = match period {
                "month" => 1,
                "quarter" => 3,
                _ => 12,
            };
            let first = |ago: u32| day(format!("date_trunc('month', current_date) - interval '{ago} months'"));
            let last = |ago: u32| {
                day(format!(
                    "date_trunc('month', current_date) - interval '{ago} months 1 day'"
                ))
            };
            let mut body =
                json!({ "kind": kind, "subject": subject, "from": first(months).await?, "to": last(0).await? });
            if kind == "bcg" {
                body["against_from"] = json!(first(2 * months).await?);
                body["against_to"] = json!(last(months).await?);
            }
            let started = Instant::now();
            crowd.callers[0].post::<IgnoredAny>("/v1/analysis-runs", &body).await?;
            let took = started.elapsed();
            report.at_most(
                &format!("{kind} of {subject}, {period}"),
                milliseconds(took),
                "ms",
                target * 2.0,
            );
        }
    }
    Ok(())
}
