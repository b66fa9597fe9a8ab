//! Logs as JSON lines, metrics for Prometheus, a request id for each request.

use crate::problem::Problem;
use crate::server::Kit;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web;
use prometheus::{Gauge, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};
use std::time::{Duration, Instant};
use tracing::Instrument;
use uuid::Uuid;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// The id of the request that this task serves.
pub fn current_request_id() -> Option<String> {
    REQUEST_ID.try_with(Clone::clone).ok()
}

/// JSON logs on standard error; the level comes from `TANDEM_LOG` (default `info`).
pub fn init_logs() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TANDEM_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,actix_server=warn"));
    // Fails only when a subscriber is already set, as in tests.
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Nobody may read the log any more; saying so would panic, and stop the service.
        .log_internal_errors(false)
        .try_init();
}

/// The metrics of one service.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    pub(crate) connections_free: Gauge,
    pub(crate) horizon_age: Gauge,
}

impl Metrics {
    /// # Errors
    /// When two metrics share a name, which is a bug.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new("http_requests_total", "Requests answered"),
            &["method", "route", "status"],
        )?;
        let buckets = vec![0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
        let seconds = HistogramVec::new(
            HistogramOpts::new("http_request_seconds", "Time to answer, long-polls included").buckets(buckets),
            &["method", "route"],
        )?;
        let connections_free = Gauge::new("database_connections_free", "Connections that nobody uses")?;
        let horizon_age = Gauge::new(
            "event_horizon_age_seconds",
            "Age of the oldest write transaction of the cluster",
        )?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(connections_free.clone()))?;
        registry.register(Box::new(horizon_age.clone()))?;
        Ok(Metrics {
            registry,
            requests,
            seconds,
            connections_free,
            horizon_age,
        })
    }

    /// Where a service registers metrics of its own.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn render(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap_or_default()
    }
}

/// Outermost middleware: request id, span, time limit, metrics.
pub(crate) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let started = Instant::now();
    let kit = request
        .app_data::<web::Data<Kit>>()
        .ok_or_else(Problem::internal)?
        .clone();
    let id = request_id(&request);
    let method = request.method().to_string();
    let traceparent = request
        .headers()
        .get("traceparent")
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let span = tracing::info_span!("request", request_id = %id, method = %method, path = %request.path(), traceparent);
    let limit = match request.path() {
        "/v1/events" => kit.request_timeout + Duration::from_secs(30),
        // As long as the file is; how long it may pause is limited where it is read.
        "/v1/imports" => Duration::from_secs(24 * 3_600),
        _ => kit.request_timeout,
    };
    let served = REQUEST_ID
        .scope(id.clone(), next.call(request))
        .instrument(span.clone());
    let mut response = match tokio::time::timeout(limit, served).await {
        Ok(response) => response?,
        Err(_) => {
            let mut problem = Problem::unavailable(
                "timeout",
                "the request took too long; what it did is settled by its Idempotency-Key",
            );
            problem.request_id = Some(id);
            return Err(problem.into());
        }
    };
    let route = response
        .request()
        .match_pattern()
        .unwrap_or_else(|| "(none)".to_owned());
    let status = response.status();
    kit.metrics
        .requests
        .with_label_values(&[method.as_str(), route.as_str(), status.as_str()])
        .inc();
    kit.metrics
        .seconds
        .with_label_values(&[method.as_str(), route.as_str()])
        .observe(started.elapsed().as_secs_f64());
    let milliseconds = started.elapsed().as_millis() as u64;
    span.in_scope(|| match status.is_server_error() {
        true => tracing::warn!(status = status.as_u16(), milliseconds, "answered"),
        false => tracing::debug!(status = status.as_u16(), milliseconds, "answered"),
    });
    if let Ok(value) = HeaderValue::from_str(&id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-request-id"), value);
    }
    Ok(response)
}

/// The caller's `X-Request-Id` if it is a plain word, else a new one.
fn request_id(request: &ServiceRequest) -> String {
    let given = request
        .headers()
        .get("x-request-id")
        .and_then(|v| v.to_str().ok())
        .filter(|id| {
            (1..=100).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        });
    given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}
