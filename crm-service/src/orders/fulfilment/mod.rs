//! Fulfilment: what the ERP reports about an order, kept beside what was ordered.
//!
//! The sync puts the ERP's whole sales order here, with the ERP's version; a newer one replaces
//! the report, an equal or older one changes nothing. Of an order that was submitted here the
//! report brings status, rejection, answers to a cancellation, quantities reserved, backordered
//! and delivered, deliveries and holds, and the prices of lines that had none. Its content stays
//! as it was submitted.
//!
//! An order that was never submitted here is taken over whole, read-only: one that the back office
//! placed, and one that this CRM has forgotten because it was restored from a dump.
//!
//! **A cancellation is answered by a report that has seen the request**: its `source_version`, the
//! version of our order that the ERP had applied, must not be older than the request. A report
//! that left the ERP before still carries the answer to an earlier one.

mod apply;
mod model;
mod told;

pub use model::Fulfilment;

use self::model::FulfilmentIn;
use super::model::Order;
use crate::may;
use actix_web::put;
use service_kit::http::IdPath;
use service_kit::{Answer, Body, Command, Path, Problem, Routes};

pub fn routes(routes: &mut Routes) {
    routes.add(apply_fulfilment);
}

/// Apply what the ERP reports about an order. For the sync.
#[utoipa::path(tag = "orders", params(IdPath), request_body = FulfilmentIn,
    security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "The stored order", body = Order),
        (status = 201, description = "The order, new here", body = Order)))]
#[put("/orders/{id}/fulfilment")]
async fn apply_fulfilment(
    command: Command<may::ApplyFulfilment>,
    path: Path<IdPath>,
    body: Body<FulfilmentIn>,
) -> Result<Answer, Problem> {
    command.put(move |tx| apply::apply(tx, path.id, &body.0)).await
}
