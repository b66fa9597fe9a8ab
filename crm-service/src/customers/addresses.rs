//! Addresses: the places of a customer.

use crate::customers::country::Country;
use crate::customers::model::{Customer, set};
use crate::customers::parts::{self, Part, stored_in, told_by_fields};
use crate::customers::queries;
use crate::may;
use crate::schema::addresses;
use actix_web::{delete, get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{IdPath, present};
use service_kit::{
    Answer, Body, Command, Cursor, Limit, Page, Path, Problem, Query, Read, Resource, Routes, Sort, keyset_page,
    text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// What an address is for.
    AddressKind { Billing = "billing", Shipping = "shipping", Office = "office" }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    pub kind: AddressKind,
    /// Street, house number and whatever else stands above the city; may have several lines.
    #[schema(min_length = 1, max_length = 300, pattern = r"\S", example = "Obere Str. 57")]
    pub street: String,
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "Berlin")]
    pub city: String,
    #[schema(min_length = 1, max_length = 100)]
    pub region: Option<String>,
    #[schema(min_length = 1, max_length = 20)]
    pub postal_code: Option<String>,
    pub country: Country,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressPatch {
    #[schema(nullable = false)]
    pub kind: Option<AddressKind>,
    #[schema(nullable = false, min_length = 1, max_length = 300, pattern = r"\S")]
    pub street: Option<String>,
    #[schema(nullable = false, min_length = 1, max_length = 100, pattern = r"\S")]
    pub city: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 100)]
    pub region: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 20)]
    pub postal_code: Option<Option<String>>,
    #[schema(nullable = false)]
    pub country: Option<Country>,
}

/// A place of a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = addresses, treat_none_as_null = true)]
pub struct Address {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub kind: AddressKind,
    pub street: String,
    pub city: String,
    pub region: Option<String>,
    pub postal_code: Option<String>,
    pub country: Country,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Address {
    const PATH: &'static str = "addresses";
    const TYPE: &'static str = "address";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Part for Address {
    type In = AddressIn;
    const WORDS: &'static str = "address";
    const FIELD: &'static str = "addresses";
    const KINDS: [&'static str; 3] = ["address_added", "address_changed", "address_removed"];

    fn all(customer: &Customer) -> &Vec<Self> {
        &customer.addresses
    }
    fn all_mut(customer: &mut Customer) -> &mut Vec<Self> {
        &mut customer.addresses
    }
    fn new(input: &AddressIn, id: Uuid, customer_id: Uuid, now: DateTime<Utc>) -> Self {
        Address {
            id,
            customer_id,
            kind: input.kind,
            street: input.street.clone(),
            city: input.city.clone(),
            region: input.region.clone(),
            postal_code: input.postal_code.clone(),
            country: input.country,
            revision: 1,
            created_at: now,
            updated_at: now,
        }
    }
    fn label(&self) -> String {
        format!("{} ({}), {}", self.city, self.country.code(), self.kind)
    }
    told_by_fields!();
    stored_in!(addresses);
}

impl From<&Address> for AddressIn {
    fn from(address: &Address) -> Self {
        let address = address.clone();
        AddressIn {
            id: Some(address.id),
            kind: address.kind,
            street: address.street,
            city: address.city,
            region: address.region,
            postal_code: address.postal_code,
            country: address.country,
        }
    }
}

impl AddressPatch {
    pub(super) fn apply(&self, address: &mut Address) {
        set(&mut address.kind, &self.kind);
        set(&mut address.street, &self.street);
        set(&mut address.city, &self.city);
        set(&mut address.region, &self.region);
        set(&mut address.postal_code, &self.postal_code);
        set(&mut address.country, &self.country);
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AddressesQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` (or `-created_at`).
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_addresses)
        .add(create_address)
        .add(get_address)
        .add(update_address)
        .add(delete_address);
}

/// The places of a customer.
#[utoipa::path(tag = "customers", params(IdPath, AddressesQuery), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "A page of addresses", body = Page<Address>)))]
#[get("/customers/{id}/addresses")]
async fn list_addresses(
    read: Read<may::ReadCustomers>,
    path: Path<IdPath>,
    query: Query<AddressesQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        queries::require(conn, &sight, path.id, "/addresses")?;
        let rows = addresses::table.filter(addresses::customer_id.eq(path.id));
        let rows = rows.select(Address::as_select()).into_boxed();
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort, id: addresses::id as Uuid => |a: &Address| a.id, [
            "created_at" => addresses::created_at as DateTime<Utc> => |a: &Address| a.created_at,
        ])
    })
    .await
}

/// Add an address to a customer.
#[utoipa::path(tag = "customers", params(IdPath), request_body = AddressIn, security(("api_key" = ["customers:write"])),
    responses((status = 201, description = "The address", body = Address)))]
#[post("/customers/{id}/addresses")]
async fn create_address(
    command: Command<may::WriteCustomers>,
    path: Path<IdPath>,
    body: Body<AddressIn>,
) -> Result<Answer, Problem> {
    command
        .create(move |tx| parts::add::<Address>(tx, path.id, &body.0))
        .await
}

#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "The address", body = Address)))]
#[get("/addresses/{id}")]
async fn get_address(read: Read<may::ReadCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| parts::get::<Address>(conn, &sight, path.id)).await
}

/// Change an address. The customer's version rises with it.
#[utoipa::path(tag = "customers", params(IdPath), request_body = AddressPatch, security(("api_key" = ["customers:write"])),
    responses((status = 200, description = "The address", body = Address)))]
#[patch("/addresses/{id}")]
async fn update_address(
    command: Command<may::WriteCustomers>,
    path: Path<IdPath>,
    body: Body<AddressPatch>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| parts::change::<Address>(tx, path.id, |address| body.0.apply(address)))
        .await
}

/// Remove an address. `If-Match` is obeyed when it is sent.
#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:write"])),
    responses((status = 204, description = "It is gone")))]
#[delete("/addresses/{id}")]
async fn delete_address(command: Command<may::WriteCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.answer(move |tx| parts::remove::<Address>(tx, path.id)).await
}
