//! Duplicates over HTTP.

use super::{DuplicateCandidate, SHOWS, candidates};
use crate::customers::queries;
use crate::may;
use actix_web::get;
use serde::Serialize;
use service_kit::http::IdPath;
use service_kit::{Answer, Path, Problem, Read, Routes};
use utoipa::ToSchema;

/// Customers who may be the same.
#[derive(Debug, Serialize, ToSchema)]
struct Duplicates {
    /// The likeliest first, ten at most.
    items: Vec<DuplicateCandidate>,
}

pub(super) fn routes(routes: &mut Routes) {
    routes.add(list_duplicates);
}

/// Customers who may be the same as this one, with what agrees. Merge them with `POST /v1/customers/{id}/merge`.
#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "The candidates", body = Duplicates)))]
#[get("/customers/{id}/duplicates")]
async fn list_duplicates(read: Read<may::ReadCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        conn.build_transaction().repeatable_read().read_only().run(|conn| {
            queries::require(conn, &sight, path.id, "/duplicates")?;
            let customer = queries::get(conn, &sight, path.id)?;
            let items = candidates(conn, &customer, &sight, SHOWS)?;
            Ok(Duplicates { items })
        })
    })
    .await
}
