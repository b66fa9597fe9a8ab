//! Addresses to listen on: free ones, held until the service that is to have them starts.

use crate::failure::{Context, Failure, Result};
use crate::part::Part;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

/// Where a port 0 is chosen: below the ports that the kernel gives to outgoing connections, which
/// could take the port of a service while it restarts.
const CHOSEN: std::ops::Range<u16> = 20_000..32_000;
const ATTEMPTS: usize = 100;
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// An address that is free as long as this value lives.
#[derive(Debug)]
pub struct Held {
    pub part: Part,
    pub bind: SocketAddr,
    _listener: TcpListener,
}

/// Takes the address of a service. Port 0 becomes one that is free, the same for the whole run.
/// `patience`: services of an earlier run may still be on their way out.
///
/// # Errors
/// When it is taken, with the variable to change.
pub async fn hold(part: Part, bind: SocketAddr, patience: Duration) -> Result<Held> {
    let started = Instant::now();
    loop {
        match listen(bind) {
            Ok((bind, listener)) => {
                let _listener = listener;
                return Ok(Held { part, bind, _listener });
            }
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                let name = part.variable("BIND");
                return Err(error).context(|| format!("the {part} cannot listen on {bind} (set {name})"));
            }
            Err(_) if started.elapsed() < patience => tokio::time::sleep(LOOK_AGAIN).await,
            Err(_) => {
                let name = part.variable("BIND");
                return Err(Failure::new(format!(
                    "port {} of {} is taken by another program: stop it, or set {name} (e.g. {name}={}:0) for the {part}",
                    bind.port(),
                    bind.ip(),
                    bind.ip(),
                )));
            }
        }
    }
}

fn listen(bind: SocketAddr) -> io::Result<(SocketAddr, TcpListener)> {
    if bind.port() != 0 {
        return TcpListener::bind(bind).map(|listener| (bind, listener));
    }
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..ATTEMPTS {
        let candidate = SocketAddr::new(bind.ip(), rand::random_range(CHOSEN));
        match TcpListener::bind(candidate) {
            Ok(listener) => return Ok((candidate, listener)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// How others on this machine reach a service that listens there.
pub fn url(bind: SocketAddr) -> String {
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, bind.port()))
}
