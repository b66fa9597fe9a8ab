//! The way in for somebody unknown: signing in, a form on a web page, a calendar's secret address.
//!
//! A route that is added with [`Routes::open`](crate::Routes::open) is outside of authentication
//! and documented so. Its handler takes [`Open`] first, which lets an address make only so many
//! such requests a minute, before anything of the request is read. What it then does, it does in
//! the name of an [`Actor`] that it has to name.

use crate::auth::Actor;
use crate::http::Answer;
use crate::problem::{Problem, Result};
use crate::server::Kit;
use crate::tx::{Context, Tx};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use diesel::PgConnection;
use sha2::{Digest, Sha256};
use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr};

/// A request of somebody unknown.
pub struct Open {
    kit: web::Data<Kit>,
    request: HttpRequest,
    address: IpAddr,
}

impl FromRequest for Open {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::new(request))
    }
}

impl Open {
    fn new(request: &HttpRequest) -> Result<Self, Problem> {
        let kit = request
            .app_data::<web::Data<Kit>>()
            .ok_or_else(Problem::internal)?
            .clone();
        let address = address(request, kit.behind_proxy);
        let open = Open {
            kit,
            request: request.clone(),
            address,
        };
        open.limit("address", &network(address))?;
        Ok(open)
    }

    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Whom the address stands for, to count by.
    pub fn network(&self) -> String {
        network(self.address)
    }

    pub(crate) fn kit(&self) -> &web::Data<Kit> {
        &self.kit
    }

    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Lets `who` do `what` only so often a minute, as often as an address may make open requests.
    ///
    /// # Errors
    /// 429 `rate_limited`.
    pub fn limit(&self, what: &str, who: &str) -> Result<(), Problem> {
        self.kit.limit_open(Sha256::digest(format!("{what}\n{who}")).into())
    }

    /// Reads, before it is clear in whose name to act.
    ///
    /// # Errors
    /// The query's refusal as a problem.
    pub async fn read<T, F>(&self, query: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut PgConnection) -> Result<T> + Send + 'static,
    {
        self.kit.run_read(query).await
    }

    /// Runs an action in the name of `actor` (see [`Actor::outsider`]).
    ///
    /// # Errors
    /// The action's refusal as a problem.
    pub async fn run<F>(self, actor: Actor, action: F) -> Result<Answer, Problem>
    where
        F: Fn(&mut Tx<'_>) -> Result<Answer> + Send + 'static,
    {
        let context = Context {
            actor,
            request_id: crate::telemetry::current_request_id().unwrap_or_default(),
            operation: format!(
                "{} {}",
                self.request.method(),
                self.request.match_pattern().unwrap_or_default()
            ),
            idempotency_key: None,
            if_match: None,
            dry_run: false,
            time_zone: self.kit.time_zone,
        };
        self.kit.run_command(context, action).await
    }
}

/// The address that the request came from; behind a proxy, the one that the proxy has seen.
fn address(request: &HttpRequest, behind_proxy: bool) -> IpAddr {
    let peer = request.peer_addr().map(|peer| peer.ip());
    // The proxy adds to the end; what stands before that, anybody may have written.
    let forwarded = request.headers().get_all(header::X_FORWARDED_FOR).last();
    let seen = forwarded
        .filter(|_| behind_proxy)
        .and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    seen.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// Whom an address stands for: of IPv6 everybody has at least a whole /64.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{:x?}", &address.segments()[..4]),
    }
}
