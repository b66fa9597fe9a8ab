//! The CRM as a process. `crm-service` serves; `crm-service health` asks a running one whether it
//! is ready, for the health check of a container.

use crm_service::SERVICE;
use service_kit::config::Config;
use std::error::Error;
use std::process::ExitCode;

#[actix_web::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("crm-service: {error}");
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
    if std::env::args().nth(1).as_deref() == Some("health") {
        let bind = service_kit::config::parsed("CRM_BIND", "an address and port", DEFAULT_BIND.parse()?)?;
        return Ok(match service_kit::health::check(bind) {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        });
    }
    service_kit::telemetry::init_logs();
    let config = Config::from_env("CRM", DEFAULT_BIND)?;
    service_kit::server::serve(SERVICE, config, |_, _| {}).await?;
    Ok(ExitCode::SUCCESS)
}

const DEFAULT_BIND: &str = "127.0.0.1:8082";
