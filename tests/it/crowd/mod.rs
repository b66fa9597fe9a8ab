//! Sixteen clients run a company at the same time: they order, deliver, take back, invoice, credit, buy, receive, bill,
//! pay, count and close months, on the same stock, customers and documents, while the ERP is killed again and again, and
//! PostgreSQL once. Who gets no answer repeats the request with its Idempotency-Key.
//!
//! Afterwards the invariants hold that the ERP's own random sequences check (`erp-service/tests/invariants/all.sql`); what was
//! answered with 2xx is there exactly once; and nothing is there of what was refused.
//!
//! - `TANDEM_CROWD_SECONDS`: how long; 60 for the full run.

mod client;
mod company;
mod ledger;

use client::Client;
use company::Company;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tests::eventually_within;
use tests::processes::Processes;

/// Seconds without the variable.
const USUAL: u64 = 15;
const CLIENTS: u64 = 16;
/// Seconds from one death to the next: the ERP needs some to start again, and the crowd to get going.
const BETWEEN: u64 = 5;

#[derive(Clone, Copy)]
enum Victim {
    Erp,
    Postgres,
}

/// Waits until the crowd has been answered this many more times.
async fn goes_on(company: &Company, more: usize) {
    let goal = company.answered.load(Ordering::Relaxed) + more;
    eventually_within(Duration::from_secs(90), "the crowd to go on", async || {
        (company.answered.load(Ordering::Relaxed) >= goal).then_some(())
    })
    .await;
}

async fn kill(victim: Victim, processes: &mut Processes) {
    match victim {
        Victim::Erp => {
            let stack: Value = processes.ready(Duration::from_secs(30)).await;
            Processes::signal(stack["erp"]["pid"].as_u64().expect("a pid"), "KILL");
        }
        Victim::Postgres => {
            let cluster = private_postgres::Cluster::find(processes.directory.join("postgres"));
            let cluster = cluster.expect("its directory").expect("a cluster");
            Processes::signal(cluster.pid().expect("a pid").into(), "KILL");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_dies_every_answer_has_its_effect_once() {
    let variable = std::env::var("TANDEM_CROWD_SECONDS").ok();
    let seconds = variable.and_then(|text| text.parse().ok()).unwrap_or(USUAL);
    let home = tempfile::tempdir().expect("a directory");
    let mut processes = Processes::up(home.path(), &["--no-demo"]);
    let stack = processes.ready(Duration::from_secs(90)).await;
    let (erp, crm) = (Processes::client(&stack, "erp"), Processes::client(&stack, "crm"));
    let company = Arc::new(Company::found(&erp, &crm, Duration::from_secs(seconds)).await);

    let begun = Instant::now();
    let crowd: Vec<_> = (0..CLIENTS)
        .map(|number| tokio::spawn(Client::new(Arc::clone(&company), number).work()))
        .collect();
    let deaths = (seconds / BETWEEN).saturating_sub(1).max(1);
    for death in 1..=deaths {
        let moment = Duration::from_secs(seconds * death / (deaths + 1));
        tokio::time::sleep(moment.saturating_sub(begun.elapsed())).await;
        // PostgreSQL dies once, in the middle.
        let victim = match death == deaths.div_ceil(2) && deaths > 1 {
            true => Victim::Postgres,
            false => Victim::Erp,
        };
        kill(victim, &mut processes).await;
        goes_on(&company, 20).await;
    }
    let left = Duration::from_secs(seconds).saturating_sub(begun.elapsed());
    tokio::time::sleep(left).await;
    company.over.store(true, Ordering::Relaxed);
    for client in crowd {
        client.await.expect("the client goes on to its end");
    }
    let took = begun.elapsed();

    let cluster = private_postgres::Cluster::find(home.path().join("postgres"));
    let url = cluster.expect("its directory").expect("a cluster").url("erp");
    let notes = company.notes.lock().expect("the notes").clone();
    println!("{notes}\n{deaths} kills, {:.1} s", took.as_secs_f64());
    let wrong = ledger::wrong(&url, &notes);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        notes.accepted() * 2 > notes.all(),
        "most of what the crowd does should succeed"
    );
    assert_eq!(processes.interrupt().await.0, Some(0));
}
