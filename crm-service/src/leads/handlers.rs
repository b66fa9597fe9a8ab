//! Leads over HTTP.

use super::list::{self, LeadsQuery};
use super::model::{Lead, LeadConvertIn, LeadDisqualifyIn, LeadIn, LeadPatch};
use super::touches::Way;
use super::{capture, conversion, editing, queries};
use crate::filter::Scope;
use crate::may;
use actix_web::{get, patch, post};
use serde::Deserialize;
use service_kit::http::IdPath;
use service_kit::users::AssignIn;
use service_kit::{Answer, Body, Command, Page, Path, Problem, Query, Read, Routes};
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LeadConvertQuery {
    /// Make the customer although there is one who may be the same.
    #[serde(default)]
    allow_duplicate: bool,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_leads)
        .add(create_lead)
        .add(get_lead)
        .add(update_lead)
        .add(start_lead)
        .add(qualify_lead)
        .add(disqualify_lead)
        .add(reopen_lead)
        .add(convert_lead)
        .add(assign_lead)
        .add(auto_assign_lead);
}

/// Leads that the caller sees.
#[utoipa::path(tag = "leads", params(LeadsQuery), security(("api_key" = ["leads:read"])),
    responses((status = 200, description = "A page of leads", body = Page<Lead>)))]
#[get("/leads")]
async fn list_leads(read: Read<may::ReadLeads>, query: Query<LeadsQuery>) -> Result<Answer, Problem> {
    let scope = Scope::of(&read);
    read.json(move |conn| list::page(conn, &query, &scope)).await
}

/// Capture a lead.
///
/// If one with this e-mail address or telephone number is open and in sight, this is another touch of it:
/// 200 with that lead. It is scored by the scoring rules; captured by a client with a key and without an
/// owner, it is given away by the assignment rules.
#[utoipa::path(tag = "leads", request_body = LeadIn, security(("api_key" = ["leads:write"])),
    responses((status = 201, description = "The lead", body = Lead),
              (status = 200, description = "The open lead that this touched", body = Lead)))]
#[post("/leads")]
async fn create_lead(command: Command<may::WriteLeads>, body: Body<LeadIn>) -> Result<Answer, Problem> {
    command.put(move |tx| capture::take(tx, &body.0, &Way::default())).await
}

/// One lead, with its score explained.
#[utoipa::path(tag = "leads", params(IdPath), security(("api_key" = ["leads:read"])),
    responses((status = 200, description = "The lead", body = Lead)))]
#[get("/leads/{id}")]
async fn get_lead(read: Read<may::ReadLeads>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| queries::get(conn, &sight, path.id)).await
}

/// Change an open lead.
#[utoipa::path(tag = "leads", params(IdPath), request_body = LeadPatch, security(("api_key" = ["leads:write"])),
    responses((status = 200, description = "The lead", body = Lead)))]
#[patch("/leads/{id}")]
async fn update_lead(
    command: Command<may::WriteLeads>,
    path: Path<IdPath>,
    body: Body<LeadPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| editing::change(tx, path.id, &body.0)).await
}

/// Begin to work on a new lead.
#[utoipa::path(tag = "leads", params(IdPath), security(("api_key" = ["leads:write"])),
    responses((status = 200, description = "The lead", body = Lead)))]
#[post("/leads/{id}/start")]
async fn start_lead(command: Command<may::WriteLeads>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| editing::start(tx, path.id)).await
}

/// Find that a lead is worth a deal.
#[utoipa::path(tag = "leads", params(IdPath), security(("api_key" = ["leads:write"])),
    responses((status = 200, description = "The lead", body = Lead)))]
#[post("/leads/{id}/qualify")]
async fn qualify_lead(command: Command<may::WriteLeads>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| editing::qualify(tx, path.id)).await
}

/// Find that nothing becomes of a lead, and why.
#[utoipa::path(tag = "leads", params(IdPath), request_body = LeadDisqualifyIn, security(("api_key" = ["leads:write"])),
    responses((status = 200, description = "The lead", body = Lead)))]
#[post("/leads/{id}/disqualify")]
async fn disqualify_lead(
    command: Command<may::WriteLeads>,
    path: Path<IdPath>,
    body: Body<LeadDisqualifyIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| editing::disqualify(tx, path.id, &body.0)).await
}

/// Work on a qualified or disqualified lead again.
#[utoipa::path(tag = "leads", params(IdPath), security(("api_key" = ["leads:write"])),
    responses((status = 200, description = "The lead", body = Lead)))]
#[post("/leads/{id}/reopen")]
async fn reopen_lead(command: Command<may::WriteLeads>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| editing::reopen(tx, path.id)).await
}

/// Make a qualified lead a customer, a contact and a deal.
///
/// They belong to the lead's owner. With `customer_id` the contact and the deal are those of a customer that is
/// there already; a customer to be made who may be there already is answered `409 possible_duplicate` with
/// `candidates`. A lead is converted once: whoever comes later gets 409 with `customer_id` and `deal_id`. Needs
/// `customers:write` and `deals:write` as well.
#[utoipa::path(tag = "leads", params(IdPath, LeadConvertQuery), request_body = LeadConvertIn, security(("api_key" = ["leads:write"])),
    responses((status = 200, description = "The converted lead", body = Lead)))]
#[post("/leads/{id}/convert")]
async fn convert_lead(
    command: Command<may::WriteLeads>,
    path: Path<IdPath>,
    query: Query<LeadConvertQuery>,
    body: Body<LeadConvertIn>,
) -> Result<Answer, Problem> {
    command.require::<may::WriteCustomers>()?;
    command.require::<may::WriteDeals>()?;
    command
        .run(move |tx| conversion::convert(tx, path.id, &body.0, query.allow_duplicate))
        .await
}

/// Give a lead to somebody, who is told.
#[utoipa::path(tag = "leads", params(IdPath), request_body = AssignIn, security(("api_key" = ["leads:write"])),
    responses((status = 200, description = "The lead", body = Lead)))]
#[post("/leads/{id}/assign")]
async fn assign_lead(
    command: Command<may::WriteLeads>,
    path: Path<IdPath>,
    body: Body<AssignIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| editing::assign(tx, path.id, &body.0)).await
}

/// Let the assignment rules choose anew whose a lead is; where none fits, nobody's.
#[utoipa::path(tag = "leads", params(IdPath), security(("api_key" = ["leads:write"])),
    responses((status = 200, description = "The lead", body = Lead)))]
#[post("/leads/{id}/auto-assign")]
async fn auto_assign_lead(command: Command<may::WriteLeads>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| editing::assign_by_rules(tx, path.id)).await
}
