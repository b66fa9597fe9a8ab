//! Giving many records to somebody at once: a colleague leaves, a territory changes.
//!
//! Customers or leads are named by their ids or found by a filter, at most a thousand, all in sight of who acts. What hangs on
//! them (open deals, undecided quotes, activities that are to be done) stays with its owners, or goes along: what belonged to the
//! record's owner, or all in sight. What is done stays with who did it. One transaction does all of it or nothing; every record has
//! its audit row, its event and its line in the timeline, as if it were given away by itself. With `dry_run` the answer says
//! what would change.
//!
//! It stands above the modules of these records, and changes each through its own. Customers or leads are locked first,
//! then deals, quotes and activities, each in the order of their ids.

mod choice;
mod customers;
mod leads;
mod model;

use crate::may;
use actix_web::post;
use model::{LeadsReassignIn, LeadsReassigned, ReassignIn, Reassigned};
use service_kit::{Answer, Body, Command, Problem, Routes};

pub fn routes(routes: &mut Routes) {
    routes.add(reassign_customers).add(reassign_leads);
}

/// Give many customers to somebody, with or without their open deals, quotes and activities.
///
/// All or nothing: ids that are not there are all named (`422`). A filter that finds more than a thousand is refused.
#[utoipa::path(tag = "customers", request_body = ReassignIn, security(("api_key" = ["customers:write"])),
    responses((status = 200, description = "What changed hands", body = Reassigned)))]
#[post("/customers/reassign")]
async fn reassign_customers(command: Command<may::WriteCustomers>, body: Body<ReassignIn>) -> Result<Answer, Problem> {
    if body.0.deals.moves() {
        command.require::<may::WriteDeals>()?;
    }
    if body.0.quotes.moves() {
        command.require::<may::WriteQuotes>()?;
    }
    if body.0.activities.moves() {
        command.require::<may::WriteActivities>()?;
    }
    command
        .answer(move |tx| Ok(Answer::json(&customers::reassign(tx, &body.0)?)?))
        .await
}

/// Give many leads to somebody, with or without what is still to be done with them.
///
/// All or nothing: ids that are not there, or of converted leads, are all named (`422`). A filter that finds more than a
/// thousand is refused.
#[utoipa::path(tag = "leads", request_body = LeadsReassignIn, security(("api_key" = ["leads:write"])),
    responses((status = 200, description = "What changed hands", body = LeadsReassigned)))]
#[post("/leads/reassign")]
async fn reassign_leads(command: Command<may::WriteLeads>, body: Body<LeadsReassignIn>) -> Result<Answer, Problem> {
    if body.0.activities.moves() {
        command.require::<may::WriteActivities>()?;
    }
    command
        .answer(move |tx| Ok(Answer::json(&leads::reassign(tx, &body.0)?)?))
        .await
}
