//! Customers over HTTP.

use crate::customers::model::{Customer, CustomerCore, CustomerIn, CustomerPatch, CustomerStatus, Grade};
use crate::customers::{actions, country::Country, queries, search};
use crate::filter::{self, CustomOrder, Filter, FilterText, Scope};
use crate::may;
use crate::schema::{addresses, customers, segment_members};
use actix_web::{get, patch, post, put};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::http::{IdPath, SearchText};
use service_kit::users::AssignIn;
use service_kit::{
    Answer, Body, Command, Cursor, Limit, Page, Path, Problem, Query, Read, Result, Routes, Sort, keyset_page, visible,
};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CustomersQuery {
    /// Part of a name, e-mail address or phone number of the customer or a contact, of its tax id or `external_ref`.
    q: Option<SearchText>,
    #[param(inline)]
    status: Option<CustomerStatus>,
    #[param(inline)]
    grade: Option<Grade>,
    external_ref: Option<SearchText>,
    /// Customers with an address in this country.
    #[param(inline)]
    country: Option<Country>,
    /// Customers of this user.
    owner_id: Option<Uuid>,
    /// Customers that belong to this team.
    team_id: Option<Uuid>,
    /// Customers with this tag.
    tag: Option<SearchText>,
    /// Companies that belong directly to this one.
    parent_id: Option<Uuid>,
    /// Customers that are in this segment.
    segment_id: Option<Uuid>,
    /// Conditions in the language of filters, such as `grade in ("A", "B") and custom.region = "emea"`.
    #[param(inline)]
    filter: Option<FilterText>,
    /// Also those that became part of another, as they were then.
    include_merged: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, `name` or `custom.<key>`, with `-` for descending.
    sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct NewCustomerQuery {
    /// Make the customer although there is one who may be the same.
    #[serde(default)]
    allow_duplicate: bool,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_customers)
        .add(create_customer)
        .add(get_customer)
        .add(put_customer)
        .add(update_customer)
        .add(archive_customer)
        .add(restore_customer)
        .add(assign_customer);
}

/// Customers, each with all its parts.
#[utoipa::path(tag = "customers", params(CustomersQuery), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "A page of customers", body = Page<Customer>)))]
#[get("/customers")]
async fn list_customers(read: Read<may::ReadCustomers>, query: Query<CustomersQuery>) -> Result<Answer, Problem> {
    let scope = Scope::of(&read);
    read.json(move |conn| {
        // One snapshot: a customer and its parts are of the same version.
        conn.build_transaction()
            .repeatable_read()
            .read_only()
            .run(|conn| page(conn, &query, &scope))
    })
    .await
}

fn page(conn: &mut PgConnection, query: &CustomersQuery, scope: &Scope) -> Result<Page<Customer>> {
    let mut rows = customers::table.select(CustomerCore::as_select()).into_boxed();
    rows = rows.filter(visible!(&scope.sight, customers));
    if !query.include_merged.unwrap_or_default() {
        rows = rows.filter(customers::merged_into.is_null());
    }
    if let Some(text) = &query.q {
        rows = rows.filter(search::has_text(conn, text)?);
    }
    if let Some(status) = query.status {
        rows = rows.filter(customers::status.eq(status));
    }
    if let Some(grade) = query.grade {
        rows = rows.filter(customers::grade.eq(grade));
    }
    if let Some(external_ref) = &query.external_ref {
        rows = rows.filter(customers::external_ref.eq(external_ref.as_str()));
    }
    if let Some(country) = query.country {
        let there = addresses::table
            .filter(addresses::country.eq(country))
            .select(addresses::customer_id);
        rows = rows.filter(customers::id.eq_any(there));
    }
    if let Some(owner) = query.owner_id {
        rows = rows.filter(customers::owner_id.eq(owner));
    }
    if let Some(team) = query.team_id {
        rows = rows.filter(customers::team_id.eq(team));
    }
    if let Some(tag) = &query.tag {
        rows = rows.filter(customers::tags.contains(vec![tag.as_str().to_owned()]));
    }
    if let Some(parent) = query.parent_id {
        rows = rows.filter(customers::parent_id.eq(parent));
    }
    if let Some(segment) = query.segment_id {
        let members = segment_members::table
            .filter(segment_members::segment_id.eq(segment))
            .filter(segment_members::left_at.is_null())
            .select(segment_members::customer_id);
        rows = rows.filter(customers::id.eq_any(members));
    }
    if let Some(text) = &query.filter {
        rows = rows.filter(Filter::of(conn, &filter::CUSTOMERS, text.as_str(), "filter")?.sql(scope));
    }
    if let Some(order) = CustomOrder::of(conn, &filter::CUSTOMERS, query.sort.as_ref().map(Sort::as_str))? {
        let (limit, cursor) = service_kit::paging::turn(query.limit, query.cursor.as_ref());
        if let Some(cursor) = cursor {
            rows = rows.filter(order.behind(&cursor)?);
        }
        let found = rows.order(order.by()).limit(limit.plus_one()).load(conn)?;
        let page = Page::from_rows(found, limit, |core: &CustomerCore| {
            order.cursor(&core.custom_fields, core.id)
        });
        return Ok(Page {
            items: queries::all_with_parts(conn, page.items)?,
            next_cursor: page.next_cursor,
        });
    }
    let page: Result<Page<CustomerCore>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: customers::id as Uuid => |c: &CustomerCore| c.id, [
        "created_at" => customers::created_at as DateTime<Utc> => |c: &CustomerCore| c.created_at,
        "name" => customers::name as String => |c: &CustomerCore| c.name.clone(),
    ]);
    let page = page?;
    Ok(Page {
        items: queries::all_with_parts(conn, page.items)?,
        next_cursor: page.next_cursor,
    })
}

/// Make a customer, with its parts if they are known.
///
/// If there is one who may be the same, by name, e-mail address, telephone or tax number, the answer is
/// `409 possible_duplicate` with `candidates`; `allow_duplicate` makes it all the same.
#[utoipa::path(tag = "customers", params(NewCustomerQuery), request_body = CustomerIn, security(("api_key" = ["customers:write"])),
    responses((status = 201, description = "The customer", body = Customer)))]
#[post("/customers")]
async fn create_customer(
    command: Command<may::WriteCustomers>,
    query: Query<NewCustomerQuery>,
    body: Body<CustomerIn>,
) -> Result<Answer, Problem> {
    command
        .create(move |tx| actions::create(tx, &body.0, query.allow_duplicate))
        .await
}

/// A customer with all its parts, and what the ERP says of its credit.
#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "The customer", body = Customer)))]
#[get("/customers/{id}")]
async fn get_customer(read: Read<may::ReadCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.snapshot(move |conn| queries::get(conn, &sight, path.id)).await
}

/// Put a customer in place, whole: parts that the body does not name are removed.
///
/// Makes it when there is none with this id; an identical repeat changes nothing; a change needs
/// `If-Match`. A part is recognised by its id, or by having the same content. A new one who may be there
/// already is refused as by `POST /v1/customers`.
#[utoipa::path(tag = "customers", params(IdPath, NewCustomerQuery), request_body = CustomerIn, security(("api_key" = ["customers:write"])),
    responses((status = 200, description = "The customer", body = Customer),
              (status = 201, description = "The new customer", body = Customer)))]
#[put("/customers/{id}")]
async fn put_customer(
    command: Command<may::WriteCustomers>,
    path: Path<IdPath>,
    query: Query<NewCustomerQuery>,
    body: Body<CustomerIn>,
) -> Result<Answer, Problem> {
    command
        .put(move |tx| actions::put(tx, path.id, &body.0, query.allow_duplicate))
        .await
}

/// Change a customer's core; its parts have places of their own.
#[utoipa::path(tag = "customers", params(IdPath), request_body = CustomerPatch, security(("api_key" = ["customers:write"])),
    responses((status = 200, description = "The customer", body = Customer)))]
#[patch("/customers/{id}")]
async fn update_customer(
    command: Command<may::WriteCustomers>,
    path: Path<IdPath>,
    body: Body<CustomerPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::change(tx, path.id, &body.0)).await
}

/// Archive a customer: it keeps its history and takes no new orders.
#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:write"])),
    responses((status = 200, description = "The archived customer", body = Customer)))]
#[post("/customers/{id}/archive")]
async fn archive_customer(command: Command<may::WriteCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::archive(tx, path.id)).await
}

/// Make an archived customer active again.
#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:write"])),
    responses((status = 200, description = "The active customer", body = Customer)))]
#[post("/customers/{id}/restore")]
async fn restore_customer(command: Command<may::WriteCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::restore(tx, path.id)).await
}

/// Give a customer to somebody else. What hangs on it stays with its own owners.
#[utoipa::path(tag = "customers", params(IdPath), request_body = AssignIn, security(("api_key" = ["customers:write"])),
    responses((status = 200, description = "The customer", body = Customer)))]
#[post("/customers/{id}/assign")]
async fn assign_customer(
    command: Command<may::WriteCustomers>,
    path: Path<IdPath>,
    body: Body<AssignIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::assign(tx, path.id, &body.0)).await
}
