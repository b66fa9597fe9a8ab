//! The card over HTTP.

use super::model::CustomerCard;
use super::queries::{self, Shown};
use crate::may;
use actix_web::get;
use service_kit::http::IdPath;
use service_kit::{Answer, Path, Permission, Problem, Read, Routes};

pub fn routes(routes: &mut Routes) {
    routes.add(get_customer_card);
}

/// A customer at a glance: contacts, credit, open deals, orders, unpaid invoices, and what comes next.
///
/// Deals, orders and activities are those that the caller sees. A part that the caller may not read is `null`.
#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "The card", body = CustomerCard)))]
#[get("/customers/{id}/card")]
async fn get_customer_card(read: Read<may::ReadCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let (actor, today) = (read.actor().clone(), read.today());
    let shown = Shown {
        deals: actor.may(may::ReadDeals::NAME),
        orders: actor.may(may::ReadOrders::NAME),
        invoices: actor.may(may::ReadInvoices::NAME),
        activities: actor.may(may::ReadActivities::NAME),
        segments: actor.may(may::ReadSegments::NAME),
    };
    read.json(move |conn| {
        conn.build_transaction()
            .repeatable_read()
            .read_only()
            .run(|conn| queries::card(conn, &actor.sight, today, shown, path.id))
    })
    .await
}
