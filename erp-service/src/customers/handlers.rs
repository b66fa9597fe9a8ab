use super::input::{CustomerPatch, ReplicatedCustomer};
use super::model::{Customer, CustomerWithExposure, CustomersQuery};
use super::{OWNER_PATH, actions, queries};
use crate::may;
use actix_web::{get, patch, post, put};
use service_kit::{Answer, Body, Command, IdPath, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes};

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_customers)
        .add(create_customer)
        .add(get_customer)
        .add(put_customer)
        .add(update_customer);
}

/// Customers with their terms; the exposure stands at each single one.
#[utoipa::path(tag = "customers", params(CustomersQuery), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "A page of customers", body = Page<Customer>)))]
#[get("/customers")]
async fn list_customers(read: Read<may::ReadCustomers>, query: Query<CustomersQuery>) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| queries::page(conn, &query.0, today)).await
}

/// Refused: customers are born in the CRM. The answer says where.
#[utoipa::path(tag = "customers", security(("api_key" = ["customers:write"])),
    responses((status = 409, description = "The CRM is the master of customers", body = Problem, content_type = "application/problem+json")))]
#[post("/customers")]
async fn create_customer(_: Command<may::WriteCustomers>) -> Result<Answer, Problem> {
    Err(Problem::not_owner("crm", OWNER_PATH))
}

#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "The customer with its terms and exposure", body = CustomerWithExposure)))]
#[get("/customers/{id}")]
async fn get_customer(read: Read<may::ReadCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let today = read.today();
    read.snapshot(move |conn| {
        let row = queries::row(conn, path.id).or_not_found("customer")?;
        queries::with_exposure(conn, row, today)
    })
    .await
}

/// Apply the CRM's part of a customer; the integration does.
///
/// A newer `source_version` applies, an equal or older one answers with what is stored.
#[utoipa::path(tag = "customers", params(IdPath), request_body = ReplicatedCustomer, security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "The customer as it is stored", body = CustomerWithExposure),
              (status = 201, description = "The customer is new here", body = CustomerWithExposure)))]
#[put("/customers/{id}")]
async fn put_customer(
    command: Command<may::ApplyCustomers>,
    path: Path<IdPath>,
    body: Body<ReplicatedCustomer>,
) -> Result<Answer, Problem> {
    command.put(move |tx| actions::apply(tx, path.id, &body.0)).await
}

/// Change the terms: tier, credit limit, credit hold, block.
///
/// Fields of the CRM are refused with 409 `not_owner`.
#[utoipa::path(tag = "customers", params(IdPath), request_body(content = CustomerPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["customers:write"])), responses((status = 200, description = "The customer", body = CustomerWithExposure)))]
#[patch("/customers/{id}")]
async fn update_customer(
    command: Command<may::WriteCustomers>,
    path: Path<IdPath>,
    body: Body<CustomerPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::change_terms(tx, path.id, &body.0)).await
}
