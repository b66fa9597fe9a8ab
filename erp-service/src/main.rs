//! `erp-service` serves; `erp-service health` asks the one on this machine whether it is ready.

use erp_service::app::SERVICE;
use service_kit::config::{Config, ConfigError, parsed};
use service_kit::{health, server, telemetry};
use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

const BIND: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8081);

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => serve().await,
        ["health"] => return check_health(),
        _ => Err("usage: erp-service [health]".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&*error),
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    telemetry::init_logs();
    let config = Config::from_env("ERP", &BIND.to_string())?;
    server::serve(SERVICE, config, |_, _| {}).await?;
    Ok(())
}

fn check_health() -> ExitCode {
    let bind: Result<SocketAddr, ConfigError> = parsed("ERP_BIND", "an address and port", BIND);
    match bind {
        Ok(bind) if health::check(bind) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => fail(&error),
    }
}

/// Says why, with the causes.
fn fail(error: &dyn Error) -> ExitCode {
    eprintln!("erp-service: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}
