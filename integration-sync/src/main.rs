//! The sync as a process. `integration-sync` runs it; `integration-sync health` asks the one on
//! this machine whether it is ready, for the health check of a container.

use integration_sync::Endpoints;
use service_kit::config::Config;
use std::error::Error;
use std::process::ExitCode;

const DEFAULT_BIND: &str = "127.0.0.1:8083";

#[actix_web::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("integration-sync: {error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                eprintln!("  because: {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            service_kit::telemetry::init_logs();
            let config = Config::from_env("SYNC", DEFAULT_BIND)?;
            integration_sync::serve(config, Endpoints::from_env()?).await?;
            Ok(ExitCode::SUCCESS)
        }
        ["health"] => {
            let bind = service_kit::config::parsed("SYNC_BIND", "an address and port", DEFAULT_BIND.parse()?)?;
            Ok(match service_kit::health::check(bind) {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            })
        }
        _ => Err("usage: integration-sync [health]".into()),
    }
}
