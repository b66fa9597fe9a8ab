//! Health and metrics, open without a key.

use crate::server::Kit;
use actix_web::{HttpResponse, Responder, get, web};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub(crate) fn configure(config: &mut web::ServiceConfig) {
    config.service(live).service(ready).service(metrics);
}

#[get("/health/live")]
async fn live() -> impl Responder {
    web::Json(serde_json::json!({ "status": "live" }))
}

/// Ready when the database answers; migrations ran before the service listens.
#[get("/health/ready")]
async fn ready(kit: web::Data<Kit>) -> impl Responder {
    match kit.run_read(|conn| Ok(crate::db::sql("SELECT 1").run(conn)?)).await {
        Ok(_) => HttpResponse::Ok().json(serde_json::json!({ "status": "ready" })),
        Err(problem) => actix_web::ResponseError::error_response(&problem),
    }
}

#[get("/metrics")]
async fn metrics(kit: web::Data<Kit>) -> impl Responder {
    if let Ok(age) = kit.run_read(|conn| Ok(crate::events::horizon_age_seconds(conn)?)).await {
        kit.metrics.horizon_age.set(age);
    }
    kit.metrics.connections_free.set(kit.pool.free() as f64);
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(kit.metrics.render())
}

/// Asks a service on this machine whether it is ready: the health check of a container.
pub fn check(bind: SocketAddr) -> bool {
    let address = match bind.ip().is_unspecified() {
        true => SocketAddr::from(([127, 0, 0, 1], bind.port())),
        false => bind,
    };
    let limit = Duration::from_secs(3);
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, limit)?;
        stream.set_read_timeout(Some(limit))?;
        stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut start = [0_u8; 12];
        stream.read_exact(&mut start)?;
        Ok(start.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
