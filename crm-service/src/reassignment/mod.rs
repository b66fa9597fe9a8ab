//! Giving many customers to somebody at once: a colleague leaves, a territory changes.
//!
//! The customers are named by their ids or found by a filter, at most a thousand, all in sight of who acts. Their open
//! deals and activities stay with their owners, or go along: those of the owner that the customer had, or all in sight.
//! What is done stays with who did it. One transaction does all of it or nothing; every record has its audit row, its
//! event and its line in the timeline, as if it were given away by itself. With `dry_run` the answer says what would
//! change.
//!
//! It stands above customers, deals and activities, and changes each through its own module. Customers are locked first, then
//! deals, then activities, each in the order of their ids.

mod actions;
mod model;

use crate::may;
use actix_web::post;
use model::{ReassignIn, Reassigned};
use service_kit::{Answer, Body, Command, Problem, Routes};

pub fn routes(routes: &mut Routes) {
    routes.add(reassign_customers);
}

/// Give many customers to somebody, with or without their open deals and activities.
///
/// All or nothing: ids that are not there are all named (`422`). A filter that finds more than a thousand is refused.
#[utoipa::path(tag = "customers", request_body = ReassignIn, security(("api_key" = ["customers:write"])),
    responses((status = 200, description = "What changed hands", body = Reassigned)))]
#[post("/customers/reassign")]
async fn reassign_customers(command: Command<may::WriteCustomers>, body: Body<ReassignIn>) -> Result<Answer, Problem> {
    if body.0.deals.moves() {
        command.require::<may::WriteDeals>()?;
    }
    if body.0.activities.moves() {
        command.require::<may::WriteActivities>()?;
    }
    command
        .answer(move |tx| Ok(Answer::json(&actions::reassign(tx, &body.0)?)?))
        .await
}
