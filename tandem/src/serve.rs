//! `tandem serve erp`: one service as a process, configured by its environment as its own program
//! is, until SIGTERM or SIGINT.
//!
//! As a child of `tandem up` it also ends when its parent does: the parent holds the other end of
//! its standard input, which the kernel closes however the parent ends.

use crate::failure::{Context, Result};
use crate::part::Part;
use rustix::process::{Signal, getpid, kill_process};
use service_kit::config::{Config, var};
use service_kit::{server, telemetry};
use std::io::Read;
use std::time::Duration;

/// Set by `tandem up` for the processes that it starts.
pub const CHILD: &str = "TANDEM_CHILD";
/// How long an orphan may take to stop.
const ORPHAN: Duration = Duration::from_secs(8);

/// Runs a service to its end.
///
/// # Errors
/// When it does not start.
pub fn run(part: Part) -> Result<()> {
    if var(CHILD).is_some() {
        std::thread::Builder::new()
            .name("parent".to_owned())
            .spawn(end_with_parent)
            .context(|| "no thread".to_owned())?;
    }
    telemetry::init_logs();
    actix_rt::System::new().block_on(serve(part))
}

async fn serve(part: Part) -> Result<()> {
    let served = || format!("{part} does not run");
    let config = Config::from_env(part.prefix(), &part.default_bind().to_string()).context(served)?;
    match part {
        Part::Erp => server::serve(erp_service::app::SERVICE, config, |_, _| {})
            .await
            .context(served),
        Part::Crm => server::serve(crm_service::app::SERVICE, config, |_, _| {})
            .await
            .context(served),
        Part::Sync => {
            let endpoints = integration_sync::Endpoints::from_env().context(served)?;
            integration_sync::serve(config, endpoints).await.context(served)
        }
    }
}

/// Stops as SIGTERM would when the parent is gone.
fn end_with_parent() {
    let mut ignored = [0; 64];
    let mut input = std::io::stdin().lock();
    loop {
        match input.read(&mut ignored) {
            Ok(0) => break,
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => break,
            _ => {}
        }
    }
    eprintln!("the process that started this one is gone: stopping");
    let _ = kill_process(getpid(), Signal::TERM);
    std::thread::sleep(ORPHAN);
    std::process::exit(1);
}
