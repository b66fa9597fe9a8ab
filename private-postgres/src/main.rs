//! `private-postgres`: the library from the command line, for the Makefile and for a look inside.

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use private_postgres::testing::shared_test_directory;
use private_postgres::{Cluster, ClusterError, Settings};

const USAGE: &str = "\
A private PostgreSQL cluster in a directory, run with the system's own binaries.

Usage:
  private-postgres start DIR [--not-durable]   start or adopt it, and print the admin URL
  private-postgres stop DIR                    stop it; fine if it does not run
  private-postgres url DIR [DATABASE]          print the URL of a database (default: postgres)
  private-postgres status DIR                  say whether it runs; exit code 3 if it does not
  private-postgres remove DIR                  stop it and delete it with all its data
  private-postgres remove-test-cluster         the same for the cluster that tests share

--not-durable turns fsync off: faster, and the data may be lost when the machine stops.
The URLs hold the password.";

/// The exit code of `status` for a server that does not run, as for any service.
const NOT_RUNNING: u8 = 3;
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["start", directory] => start(Settings::new(directory)),
        ["start", directory, "--not-durable"] | ["start", "--not-durable", directory] => start(Settings {
            durable: false,
            ..Settings::new(directory)
        }),
        ["stop", directory] => stop(directory),
        ["url", directory] => url(directory, "postgres"),
        ["url", directory, database] => url(directory, database),
        ["status", directory] => status(directory),
        ["remove", directory] => remove(Path::new(directory)),
        ["remove-test-cluster"] => remove(&shared_test_directory()),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(WRONG_USAGE))
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("private-postgres: {}", with_causes(&error));
        ExitCode::FAILURE
    })
}

fn start(settings: Settings) -> Result<ExitCode, ClusterError> {
    println!("{}", Cluster::start(settings)?.admin_url());
    Ok(ExitCode::SUCCESS)
}

fn stop(directory: &str) -> Result<ExitCode, ClusterError> {
    if let Some(cluster) = Cluster::find(directory)? {
        cluster.stop()?;
    }
    Ok(ExitCode::SUCCESS)
}

fn url(directory: &str, database: &str) -> Result<ExitCode, ClusterError> {
    let Some(cluster) = Cluster::find(directory)? else {
        return Ok(no_cluster(directory));
    };
    println!("{}", cluster.url(database));
    Ok(ExitCode::SUCCESS)
}

fn status(directory: &str) -> Result<ExitCode, ClusterError> {
    let Some(cluster) = Cluster::find(directory)? else {
        return Ok(no_cluster(directory));
    };
    let data = cluster.data_directory();
    let (words, code) = match (cluster.is_ready(), cluster.pid()) {
        (true, Some(pid)) => (format!("running as process {pid}"), ExitCode::SUCCESS),
        (_, Some(pid)) => (
            format!("process {pid} does not answer yet"),
            ExitCode::from(NOT_RUNNING),
        ),
        (_, None) => ("stopped".to_owned(), ExitCode::from(NOT_RUNNING)),
    };
    println!("{words}; data in {}", data.display());
    Ok(code)
}

fn remove(directory: &Path) -> Result<ExitCode, ClusterError> {
    if let Some(cluster) = Cluster::find(directory)? {
        cluster.remove()?;
    }
    Ok(ExitCode::SUCCESS)
}

fn no_cluster(directory: &str) -> ExitCode {
    eprintln!("private-postgres: no cluster in {directory}");
    ExitCode::from(NOT_RUNNING)
}

/// An error with the chain of its causes, in one line.
fn with_causes(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
