//! A service from its parts: pool, migrations, routes, middleware, graceful stop.

use crate::auth::{self, Role};
use crate::background::{self, Background};
use crate::config::{Config, Mail};
use crate::db::{self, Pool, StartError};
use crate::events::Notifier;
use crate::exchange::{self, Importable};
use crate::http::{Answer, Validators};
use crate::live_document::{Describe, LiveDocument};
use crate::openapi::{RouteTable, Routes};
use crate::passwords::{self, Passwords};
use crate::problem::{Constraint, Problem, Result};
use crate::telemetry::{self, Metrics};
use crate::tx::{self, Attempt, Context, Tx};
use crate::{api_keys, events, health, retention, sessions, users};
use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, ResponseError, web};
use chrono_tz::Tz;
use diesel::{Connection, PgConnection};
use diesel_migrations::EmbeddedMigrations;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// What makes a service: give it to [`start`].
#[derive(Clone, Copy)]
pub struct Service {
    /// `erp`: the source of its events.
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub migrations: &'static EmbeddedMigrations,
    pub routes: fn(&mut Routes),
    /// In addition to `admin`, `integration`, `viewer` and `custom`.
    pub roles: &'static [Role],
    pub permissions: &'static [&'static str],
    pub constraints: &'static [Constraint],
    /// What can be imported as CSV.
    pub imports: &'static [Importable],
    /// What the document of a running instance says beyond its routes.
    pub describe: Option<Describe>,
    /// Whether people sign in here: then there are users, teams and sessions.
    pub sign_in: bool,
    /// What it does by itself.
    pub background: &'static [Background],
}

impl Service {
    /// All routes of `/v1`, the kit's own included.
    fn collect(&self, mut routes: Routes) -> Routes {
        (self.routes)(&mut routes);
        events::routes(&mut routes);
        crate::audit::routes(&mut routes);
        api_keys::routes(&mut routes);
        if !self.imports.is_empty() {
            exchange::routes(&mut routes, self.imports);
        }
        if self.sign_in {
            users::routes(&mut routes);
            sessions::routes(&mut routes);
        }
        routes
    }

    /// What a key or a user can be given.
    pub fn all_permissions(&self) -> Vec<&'static str> {
        let users: &[&str] = if self.sign_in { users::ALL } else { &[] };
        let parts = [self.permissions, auth::ALL, users];
        parts.into_iter().flatten().copied().collect()
    }

    pub fn all_roles(&self) -> Vec<Role> {
        let own = [auth::ADMIN, auth::INTEGRATION, auth::VIEWER, auth::CUSTOM];
        own.into_iter().chain(self.roles.iter().copied()).collect()
    }

    /// Names of schemas that stand for two different ones in the document.
    pub fn clashing_schemas(&self) -> Vec<String> {
        self.collect(Routes::to_document()).clashing_schemas()
    }

    /// The OpenAPI document.
    pub fn document(&self) -> serde_json::Value {
        let routes = self.collect(Routes::to_document());
        let mut document = routes.document(self.title, self.description, &self.all_roles());
        exchange::describe(&mut document, self.imports);
        document
    }
}

/// What the handlers of a running service share.
#[derive(Clone)]
pub struct Kit {
    pub name: &'static str,
    pub(crate) pool: Pool,
    pub(crate) validators: Arc<Validators>,
    pub(crate) routes: Arc<RouteTable>,
    pub(crate) roles: Arc<[Role]>,
    pub(crate) recent_keys: Arc<auth::RecentKeys>,
    pub(crate) permissions: Arc<[&'static str]>,
    pub(crate) constraints: &'static [Constraint],
    pub(crate) imports: &'static [Importable],
    /// The OpenAPI document, and which lists can be had as CSV, with their columns.
    pub(crate) document: Arc<LiveDocument>,
    pub(crate) notifier: Arc<Notifier>,
    /// Turns true when the service stops: long-polls then answer at once.
    pub shutdown: watch::Receiver<bool>,
    pub(crate) request_timeout: Duration,
    pub time_zone: Tz,
    pub metrics: Arc<Metrics>,
    limiter: Arc<DefaultKeyedRateLimiter<Uuid>>,
    /// Of requests without a key.
    open_limiter: Arc<DefaultKeyedRateLimiter<[u8; 32]>>,
    pub(crate) behind_proxy: bool,
    pub(crate) passwords: Passwords,
    /// How mail goes out, if it does.
    pub mail: Option<Arc<Mail>>,
}

/// Attempts at a command before it is answered 503: deadlocks and stale reads resolve in one or two.
const ATTEMPTS: u32 = 8;

impl Kit {
    /// Runs a query on a thread that may block. A lost connection is replaced: reads repeat safely.
    ///
    /// # Errors
    /// The query's refusal as a problem; 503 when no connection can be had.
    pub async fn run_read<T, F>(&self, query: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut PgConnection) -> Result<T> + Send + 'static,
    {
        let permit = self.pool.permit().await?;
        let (kit, span) = (self.clone(), tracing::Span::current());
        let run = move || {
            let _entered = span.entered();
            for _ in 0..=kit.pool.size() {
                let mut session = kit.pool.session(&permit)?;
                match query(&mut session) {
                    Err(crate::Error::Database(error)) if db::classify(&error) == db::Failure::ConnectionLost => {
                        session.broken = true
                    }
                    outcome => return outcome.map_err(|error| error.into_problem(kit.constraints)),
                }
            }
            Err(Problem::unavailable(
                "database_unavailable",
                "the database cannot be reached; try again",
            ))
        };
        web::block(run).await.map_err(|_| Problem::internal())?
    }

    /// Runs an action in one transaction on a thread that may block; a client that hangs up cannot
    /// cut it in half.
    ///
    /// # Errors
    /// The action's refusal as a problem; 503 when it cannot be run now.
    pub async fn run_command<F>(&self, context: Context, action: F) -> Result<Answer, Problem>
    where
        F: Fn(&mut Tx<'_>) -> Result<Answer> + Send + 'static,
    {
        let permit = self.pool.permit().await?;
        let (kit, span) = (self.clone(), tracing::Span::current());
        let run = move || {
            let _entered = span.entered();
            let (answer, events) = kit.attempts(&permit, &context, &action)?;
            kit.notifier.notify(&events);
            Ok(answer)
        };
        web::block(run).await.map_err(|_| Problem::internal())?
    }

    fn attempts(
        &self,
        permit: &db::Permit,
        context: &Context,
        action: &dyn Fn(&mut Tx<'_>) -> Result<Answer>,
    ) -> Result<(Answer, Vec<&'static str>), Problem> {
        let (mut lost, mut beaten) = (0, 0);
        loop {
            let mut session = self.pool.session(permit)?;
            match tx::attempt(&mut session, context, action) {
                Attempt::Done { answer, events } => return Ok((answer, events)),
                Attempt::Refused(error) => return Err(error.into_problem(self.constraints)),
                Attempt::OutcomeUnknown => {
                    session.broken = true;
                    let detail = "the connection broke while committing; repeat with the same Idempotency-Key to learn the outcome";
                    return Err(Problem::unavailable("outcome_unknown", detail));
                }
                Attempt::ConnectionLost => {
                    session.broken = true;
                    lost += 1;
                }
                Attempt::Retry => {
                    drop(session);
                    beaten += 1;
                    // Grows with the attempts, and differs between twins.
                    std::thread::sleep(Duration::from_millis(u64::from(rand::random_range(0..=beaten * 4))));
                }
            }
            if lost > self.pool.size() + 1 {
                return Err(Problem::unavailable(
                    "database_unavailable",
                    "the database cannot be reached; try again",
                ));
            }
            if beaten >= ATTEMPTS {
                return Err(Problem::unavailable("busy", "the record kept changing; try again"));
            }
        }
    }

    /// Runs work of the service itself (no request, no audit row) in one transaction.
    ///
    /// # Errors
    /// The work's refusal as a problem.
    pub async fn run_background<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut PgConnection) -> Result<T> + Send + 'static,
    {
        self.run_read(move |conn| conn.transaction(&work)).await
    }

    pub(crate) fn limit_open(&self, who: [u8; 32]) -> Result<(), Problem> {
        self.open_limiter.check_key(&who).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "too many requests; slow down",
            )
            .header("Retry-After", (wait.as_secs() + 1).to_string())
        })
    }

    pub(crate) fn rate_limit(&self, key: Uuid) -> Result<(), Problem> {
        self.limiter.check_key(&key).map_err(|_| {
            Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "too many requests with this key; slow down",
            )
            .header("Retry-After", "1")
        })
    }
}

/// A service that listens.
pub struct Running {
    pub address: SocketAddr,
    pub kit: Kit,
    /// An admin key made at this start, to be shown once.
    pub new_admin_key: Option<String>,
    handle: actix_web::dev::ServerHandle,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    shutdown: watch::Sender<bool>,
    housekeeping: tokio::task::JoinHandle<()>,
    background: tokio::task::JoinSet<()>,
}

impl Running {
    /// Stops the server from elsewhere, e.g. to show what others do meanwhile.
    pub fn handle(&self) -> actix_web::dev::ServerHandle {
        self.handle.clone()
    }

    /// Answers long-polls, lets requests end for some seconds, and stops.
    pub async fn stop(self) {
        self.shutdown.send_replace(true);
        self.housekeeping.abort();
        tokio::join!(self.handle.stop(true), background::stop(self.background));
        let _ = self.server.await;
    }
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the database is not usable")]
    Database(#[from] StartError),
    #[error("no connection pool")]
    Pool(#[from] r2d2::Error),
    #[error("cannot listen on {0}")]
    Bind(SocketAddr, #[source] std::io::Error),
    #[error("a metric is registered twice")]
    Metrics(#[from] prometheus::Error),
    #[error("a background thread ended early")]
    Thread(#[from] tokio::task::JoinError),
}

/// Migrates, listens, and returns. `data` adds what the service's own handlers need.
///
/// # Errors
/// See [`ServeError`].
pub async fn start<D>(service: Service, config: Config, data: D) -> Result<Running, ServeError>
where
    D: Fn(&Kit, &mut web::ServiceConfig) + Clone + Send + 'static,
{
    let prepared = config.clone();
    let new_admin_key = tokio::task::spawn_blocking(move || prepare(&service, &prepared)).await??;
    let document = Arc::new(service.document());
    let (shutdown, shutdown_seen) = watch::channel(false);
    let quota = NonZeroU32::new(config.requests_per_second).unwrap_or(NonZeroU32::MIN);
    let open_quota = NonZeroU32::new(config.open_requests_per_minute).unwrap_or(NonZeroU32::MIN);
    let kit = Kit {
        name: service.name,
        pool: Pool::new(&config)?,
        validators: Arc::new(Validators::of_document(&document)),
        routes: Arc::new(RouteTable::of_document(&document)),
        roles: service.all_roles().into(),
        recent_keys: Arc::default(),
        permissions: service.all_permissions().into(),
        constraints: service.constraints,
        imports: service.imports,
        document: Arc::new(LiveDocument::new(document, service.describe)),
        notifier: Arc::default(),
        shutdown: shutdown_seen,
        request_timeout: config.request_timeout,
        time_zone: config.time_zone,
        metrics: Arc::new(Metrics::new()?),
        limiter: Arc::new(RateLimiter::keyed(Quota::per_second(quota))),
        open_limiter: Arc::new(RateLimiter::keyed(Quota::per_minute(open_quota))),
        behind_proxy: config.behind_proxy,
        passwords: Passwords::new(config.connection_wait),
        mail: config.mail.map(Arc::new),
    };
    let shared = kit.clone();
    let app = move || {
        let (kit, data) = (shared.clone(), data.clone());
        let v1 = service
            .collect(Routes::to_serve())
            .into_scope()
            .unwrap_or_else(|| web::scope("/v1"));
        App::new()
            .app_data(web::Data::new(kit.clone()))
            .configure(|config| data(&kit, config))
            .configure(health::configure)
            .route("/openapi.json", web::get().to(serve_document))
            .route(
                "/docs",
                web::get().to(|| async {
                    HttpResponse::PermanentRedirect()
                        .insert_header(("Location", "/docs/"))
                        .finish()
                }),
            )
            .service(
                utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}")
                    .config(utoipa_swagger_ui::Config::from("/openapi.json")),
            )
            .service(v1.default_service(web::to(no_route)).wrap(from_fn(auth::authenticate)))
            .default_service(web::to(no_route))
            .wrap(from_fn(telemetry::observe))
    };
    let server = HttpServer::new(app)
        .workers(config.workers)
        .worker_max_blocking_threads((config.connections as usize).max(4) + passwords::AT_ONCE)
        .shutdown_timeout(5)
        .disable_signals()
        .bind(config.bind)
        .map_err(|error| ServeError::Bind(config.bind, error))?;
    let address = server.addrs().first().copied().unwrap_or(config.bind);
    let server = server.run();
    let handle = server.handle();
    let housekeeping = tokio::spawn(housekeep(kit.clone(), config.retention_days));
    let tasks = if config.background { service.background } else { &[] };
    Ok(Running {
        background: background::start(&kit, tasks),
        address,
        kit,
        new_admin_key,
        handle,
        server: tokio::spawn(server),
        shutdown,
        housekeeping,
    })
}

/// Everything the database needs before the service listens.
fn prepare(service: &Service, config: &Config) -> Result<Option<String>, StartError> {
    db::migrate(&config.database_url, &[&crate::migrations::KIT, service.migrations])?;
    let mut conn = PgConnection::establish(&config.database_url).map_err(StartError::Connect)?;
    retention::make_partitions(&mut conn, chrono::Utc::now())?;
    events::bind(&mut conn)?;
    if let Some(key) = &config.integration_key {
        api_keys::register(&mut conn, "integration", &auth::INTEGRATION, key)?;
    }
    match &config.bootstrap_key {
        Some(key) => api_keys::register(&mut conn, "bootstrap", &auth::ADMIN, key).map(|()| None),
        None => api_keys::bootstrap(&mut conn),
    }
    .map_err(Into::into)
}

/// The document must be there also while the database is not.
async fn serve_document(kit: web::Data<Kit>) -> HttpResponse {
    let described = match kit.document.current(&kit).await {
        Ok(described) => described,
        Err(_) => kit.document.latest(),
    };
    HttpResponse::Ok()
        .content_type("application/json")
        .body(described.text.clone())
}

/// 404 for a path that does not exist, 405 with `Allow` for a method that a path does not have.
async fn no_route(request: HttpRequest, kit: web::Data<Kit>) -> HttpResponse {
    let problem = match kit.routes.allowed(request.path()) {
        Some(methods) => Problem::method_not_allowed(request.method().as_str(), methods),
        None => Problem::new(
            StatusCode::NOT_FOUND,
            "no_such_path",
            "there is nothing at this path; see /docs",
        ),
    };
    problem.error_response()
}

/// Once an hour: next months' partitions, removal of what is past its time.
async fn housekeep(kit: Kit, days: u32) {
    let mut hourly = tokio::time::interval(Duration::from_secs(3_600));
    loop {
        hourly.tick().await;
        let work = move |conn: &mut PgConnection| {
            let now = chrono::Utc::now();
            retention::make_partitions(conn, now)?;
            Ok(retention::remove_old(conn, now, days)?)
        };
        kit.open_limiter.retain_recent();
        if let Err(problem) = kit.run_read(work).await {
            tracing::warn!(%problem, "housekeeping waits for its next turn");
        }
    }
}

/// Runs a service until SIGINT or SIGTERM; the `main` of a service process.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve<D>(service: Service, config: Config, data: D) -> Result<(), ServeError>
where
    D: Fn(&Kit, &mut web::ServiceConfig) + Clone + Send + 'static,
{
    let running = start(service, config, data).await?;
    if let Some(key) = &running.new_admin_key {
        // The only time that it is shown; it never reaches the log.
        println!("{} admin key (shown once): {key}", service.name);
    }
    tracing::info!(service = service.name, address = %running.address, "listening");
    stop_signal().await;
    running.stop().await;
    tracing::info!(service = service.name, "stopped");
    Ok(())
}

/// Returns at SIGINT or SIGTERM.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        _ => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
