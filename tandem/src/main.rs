//! `tandem`: see `tandem --help`.

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use tandem::demo::Company;
use tandem::failure::{Context, Result};
use tandem::stack::Stack;
use tandem::up::Wanted;
use tandem::{Part, directory, openapi, serve, up, verify};

/// An ERP and a CRM that keep each other true, with all that they need, in one program.
///
/// TANDEM_DIR (default .tandem) is where everything is kept. ERP_BIND, CRM_BIND and SYNC_BIND
/// (default 127.0.0.1:8081, 8082, 8083) are where the services listen; with ERP_DATABASE_URL,
/// CRM_DATABASE_URL and SYNC_DATABASE_URL they use databases of yours.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything, with a demo company; Ctrl-C stops it
    Up {
        /// Load no company: no business record is made
        #[arg(long, conflicts_with = "demo")]
        no_demo: bool,
        /// Load the company in this folder of eight CSV files instead of the one that comes along
        #[arg(long, value_name = "DIR")]
        demo: Option<PathBuf>,
    },
    /// Run one service as a process, configured by its environment
    Serve { part: Part },
    /// Compare the running stack with the files of a company; exit code 1 if they differ
    Verify {
        /// The folder of the company; without it, the one that comes along
        dir: Option<PathBuf>,
    },
    /// Write the OpenAPI documents erp.json, crm.json and sync.json
    Openapi { dir: PathBuf },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("tandem: {}", failure.with_causes());
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve { part } => serve::run(part)?,
        Command::Openapi { dir } => openapi::write(&dir)?,
        Command::Up { no_demo: true, .. } => block_on(up::up(Wanted::Nothing))?,
        Command::Up { demo: None, .. } => block_on(up::up(Wanted::Shipped))?,
        Command::Up { demo: Some(folder), .. } => block_on(up::up(Wanted::Folder(folder)))?,
        Command::Verify { dir } => return compare(dir),
    }
    Ok(ExitCode::SUCCESS)
}

fn compare(folder: Option<PathBuf>) -> Result<ExitCode> {
    let company = match folder {
        Some(folder) => Company::read(&folder)?,
        None => Company::shipped()?,
    };
    let stack = Stack::read(&directory::from_env())?;
    let report = block_on(verify::check(&stack, &company))?;
    println!("{}\n\n{report}", company.name);
    Ok(match report.is_ok() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context(|| "no runtime".to_owned())?
        .block_on(work)
}
