//! Merging over HTTP: the merge itself ([`merge`]), and what stands above customers tells of it what it counts or follows by
//! customer. Whoever follows other records learns from `customer.merged` whose they are now.

use crate::customers::merge::merge;
use crate::customers::model::Customer;
use crate::{deals, may, segments};
use actix_web::post;
use serde::Deserialize;
use service_kit::http::IdPath;
use service_kit::{Answer, Body, Command, Path, Problem, Routes};
use utoipa::ToSchema;
use uuid::Uuid;

/// Which customer it turns out to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CustomerMergeIn {
    /// The survivor.
    into: Uuid,
}

pub fn routes(routes: &mut Routes) {
    routes.add(merge_customer);
}

/// Make a customer part of another, which takes all that hangs on it. Both must be in sight.
///
/// From then on its id leads to the other one (308), and commands on it answer `409 merged`.
#[utoipa::path(tag = "customers", params(IdPath), request_body = CustomerMergeIn, security(("api_key" = ["customers:write"])),
    responses((status = 200, description = "The survivor", body = Customer)))]
#[post("/customers/{id}/merge")]
async fn merge_customer(
    command: Command<may::WriteCustomers>,
    path: Path<IdPath>,
    body: Body<CustomerMergeIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| {
            let (survivor, moved) = merge(tx, path.id, body.0.into)?;
            deals::moved(tx, moved.of("deals"))?;
            deals::soft_demand::moved(tx, moved.of("soft_demand"))?;
            segments::moved(tx, moved.of("segment_members"))?;
            Ok(survivor)
        })
        .await
}
