//! Price lists: one for each (customer or tier, currency); without either it is the currency's base list.

use super::prices;
use crate::may;
use crate::schema::price_lists;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::SearchText;
use service_kit::{
    Answer, Body, Command, Currency, Cursor, IdPath, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource,
    Result, Routes, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A price list.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = price_lists)]
pub struct PriceList {
    pub id: Uuid,
    pub name: String,
    pub currency: Currency,
    /// The tier of customers that it is for; `null` for the base list and for a customer's own.
    pub tier: Option<String>,
    /// The customer whose own list it is.
    pub customer_id: Option<Uuid>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceListIn {
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    pub currency: Currency,
    /// The tier of customers that it is for; absent for the base list of the currency.
    #[schema(min_length = 1, max_length = 60, pattern = r"\S")]
    pub tier: Option<String>,
    /// The customer whose own list it is: its prices go before those of its tier.
    pub customer_id: Option<Uuid>,
}

/// Tier and currency stay: prices of another tier are another list.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceListPatch {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PriceListsQuery {
    /// Finds in the name.
    q: Option<SearchText>,
    /// ISO 4217 code.
    currency: Option<SearchText>,
    tier: Option<SearchText>,
    customer_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `name`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for PriceList {
    const PATH: &'static str = "price-lists";
    const TYPE: &'static str = "price_list";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_price_lists)
        .add(create_price_list)
        .add(get_price_list)
        .add(update_price_list);
}

#[utoipa::path(tag = "pricing", params(PriceListsQuery), security(("api_key" = ["price_lists:read"])),
    responses((status = 200, description = "A page of price lists", body = Page<PriceList>)))]
#[get("/price-lists")]
async fn list_price_lists(read: Read<may::ReadPriceLists>, query: Query<PriceListsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = price_lists::table.select(PriceList::as_select()).into_boxed();
        if let Some(text) = &query.q {
            found = found.filter(price_lists::name.ilike(text.contains()));
        }
        if let Some(currency) = &query.currency {
            found = found.filter(price_lists::currency.eq(currency.as_str()));
        }
        if let Some(tier) = &query.tier {
            found = found.filter(price_lists::tier.eq(tier.as_str()));
        }
        if let Some(customer) = query.customer_id {
            found = found.filter(price_lists::customer_id.eq(customer));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: price_lists::id as Uuid => |l: &PriceList| l.id, [
            "created_at" => price_lists::created_at as DateTime<Utc> => |l: &PriceList| l.created_at,
            "name" => price_lists::name as String => |l: &PriceList| l.name.clone(),
        ])
    })
    .await
}

#[utoipa::path(tag = "pricing", request_body = PriceListIn, security(("api_key" = ["price_lists:write"])),
    responses((status = 201, description = "The price list", body = PriceList)))]
#[post("/price-lists")]
async fn create_price_list(command: Command<may::WritePriceLists>, body: Body<PriceListIn>) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

#[utoipa::path(tag = "pricing", params(IdPath), security(("api_key" = ["price_lists:read"])),
    responses((status = 200, description = "The price list", body = PriceList)))]
#[get("/price-lists/{id}")]
async fn get_price_list(read: Read<may::ReadPriceLists>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        price_lists::table
            .find(path.id)
            .select(PriceList::as_select())
            .first(conn)
            .or_not_found("price list")
    })
    .await
}

/// Rename a price list. Its prices change with it, because they carry its name.
#[utoipa::path(tag = "pricing", params(IdPath), request_body(content = PriceListPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["price_lists:write"])), responses((status = 200, description = "The changed price list", body = PriceList)))]
#[patch("/price-lists/{id}")]
async fn update_price_list(
    command: Command<may::WritePriceLists>,
    path: Path<IdPath>,
    body: Body<PriceListPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, path.id, &body.0)).await
}

fn create(tx: &mut Tx<'_>, input: &PriceListIn) -> Result<PriceList> {
    let list: PriceList = diesel::insert_into(price_lists::table)
        .values((
            price_lists::id.eq(tx.mint(input.id)),
            price_lists::name.eq(&input.name),
            price_lists::currency.eq(input.currency),
            price_lists::tier.eq(&input.tier),
            price_lists::customer_id.eq(input.customer_id),
            price_lists::created_at.eq(tx.now()),
            price_lists::updated_at.eq(tx.now()),
        ))
        .returning(PriceList::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(None, &list)?;
    Ok(list)
}

fn update(tx: &mut Tx<'_>, id: Uuid, patch: &PriceListPatch) -> Result<PriceList> {
    let before: PriceList = price_lists::table
        .find(id)
        .for_update()
        .select(PriceList::as_select())
        .first(&mut **tx)
        .or_not_found("price list")?;
    tx.require_match(&before)?;
    let Some(name) = patch.name.as_ref().filter(|name| **name != before.name) else {
        return Ok(before);
    };
    let after: PriceList = diesel::update(price_lists::table.find(id))
        .set((
            price_lists::name.eq(name),
            price_lists::version.eq(price_lists::version + 1),
            price_lists::revision.eq(price_lists::revision + 1),
            price_lists::updated_at.eq(tx.now()),
        ))
        .returning(PriceList::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    prices::renamed(tx, &before, &after)?;
    Ok(after)
}
