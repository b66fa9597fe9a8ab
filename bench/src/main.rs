//! `tandem-bench`: measures a running stack, and PostgreSQL's own limit beside it.
//!
//! `bench/run.sh` starts a stack of its own for it; `bench/README.md` says what the figures mean.
//! It knows the services only through their APIs, like any client.
//!
//! | module | what |
//! |---|---|
//! | [`prepare`] | products, stock, prices and customers, until they are in both systems |
//! | [`latency`] | submit → accepted at a steady rate |
//! | [`flood`] | how many orders a second go through all three, each exactly once |
//! | [`ratios`] | the ERP under [`wrk`] and [`pgbench`] in turn, on the same server |
//! | [`imports`] | a file of products: seconds, and memory meanwhile |
//! | [`sales`] | lists, searches, card and board in a CRM that is full |
//! | [`analytics`] | figures over a month, a quarter and a year of 500,000 orders |
//! | [`processes`] | memory and start of each service |
//! | [`report`] | the tables, and whether each target is met |

mod analytics;
mod api;
mod failure;
mod feed;
mod flood;
mod imports;
mod latency;
mod pgbench;
mod postgres;
mod prepare;
mod processes;
mod ratios;
mod report;
mod sales;
mod stack;
mod wrk;

use clap::builder::FalseyValueParser;
use clap::{Parser, ValueEnum};
use failure::Result;
use prepare::Shop;
use report::Report;
use sales::Crowd;
use stack::Stack;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measure the stack that runs in TANDEM_DIR. It is left full of orders, with its flows paused.
#[derive(Parser)]
struct Arguments {
    /// Of the stack to measure: started with --no-demo, still empty
    #[arg(long, env = "TANDEM_DIR")]
    tandem_dir: PathBuf,
    /// The program that runs there, to measure its start
    #[arg(long)]
    tandem: PathBuf,
    /// The folder of the wrk scripts
    #[arg(long)]
    wrk_scripts: PathBuf,
    /// The folder of the reference schema and statements
    #[arg(long)]
    reference: PathBuf,
    /// The folder of the statements that fill a database
    #[arg(long)]
    sql: PathBuf,
    /// Only these; without it, all
    #[arg(long, value_enum, value_delimiter = ',', env = "BENCH_ONLY")]
    only: Vec<Measure>,
    /// Length of each run of wrk and of pgbench
    #[arg(long, env = "BENCH_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How often they take turns
    #[arg(long, env = "BENCH_ROUNDS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long orders come at a steady rate
    #[arg(long, env = "BENCH_LATENCY_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    latency_seconds: u64,
    /// Orders of the flood
    #[arg(long, env = "BENCH_FLOOD_ORDERS", default_value_t = 6_000, value_parser = clap::value_parser!(u32).range(1..))]
    flood_orders: u32,
    /// Clients that submit them at once
    #[arg(long, env = "BENCH_FLOOD_CLIENTS", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    flood_clients: u32,
    /// Products of the file that is imported
    #[arg(long, env = "BENCH_IMPORT_ROWS", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    import_rows: u32,
    /// End with exit code 3 when a target is missed
    #[arg(long, env = "BENCH_STRICT", value_parser = FalseyValueParser::new())]
    strict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measure {
    Latency,
    Flood,
    Ratios,
    Imports,
    Sales,
    Analytics,
    Processes,
}

/// The exit code for a missed target, under `--strict`.
const MISSED: u8 = 3;

// One thread is enough for a client, and leaves the cores to what is measured.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match measure(&arguments).await {
        Ok(report) => {
            println!("\n{report}");
            match arguments.strict && !report.all_met() {
                true => ExitCode::from(MISSED),
                false => ExitCode::SUCCESS,
            }
        }
        Err(failure) => {
            eprintln!("tandem-bench: {}", failure.with_causes());
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &Arguments) -> Result<Report> {
    let stack = Stack::read(&arguments.tandem_dir)?;
    let wanted = |measure| arguments.only.is_empty() || arguments.only.contains(&measure);
    let mut report = Report::new(&postgres::version(&stack).await?);
    let shop = Shop::open(&stack).await?;
    if wanted(Measure::Latency) {
        latency::measure(&shop, arguments.latency_seconds, &mut report).await?;
    }
    if wanted(Measure::Flood) {
        flood::measure(
            &shop,
            &stack,
            arguments.flood_orders,
            arguments.flood_clients,
            &mut report,
        )
        .await?;
    }
    if wanted(Measure::Ratios) {
        let plan = ratios::Plan {
            seconds: arguments.seconds,
            rounds: arguments.rounds,
            scripts: &arguments.wrk_scripts,
            reference: &arguments.reference,
        };
        ratios::measure(&shop, &stack, &plan, &mut report).await?;
    }
    if wanted(Measure::Imports) {
        imports::measure(&shop, &stack, arguments.import_rows, &mut report).await?;
    }
    if wanted(Measure::Sales) || wanted(Measure::Analytics) {
        let crowd = Crowd::fill(&shop, &stack, &arguments.sql).await?;
        if wanted(Measure::Sales) {
            sales::measure(&crowd, &stack, arguments.seconds, &mut report).await?;
        }
        if wanted(Measure::Analytics) {
            analytics::measure(&crowd, &stack, &arguments.sql, arguments.seconds, &mut report).await?;
        }
    }
    if wanted(Measure::Processes) {
        processes::measure(&stack, &arguments.tandem, &mut report).await?;
    }
    Ok(report)
}
