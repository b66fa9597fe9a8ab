//! `/v1/lots` and `/v1/stock-places`.

use super::Lot;
use crate::may;
use crate::schema::{lots, stock_places};
use actix_web::{get, patch};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{IdPath, SearchText, present};
use service_kit::{
    Answer, Body, Command, Cursor, Limit, OrNotFound, Page, Path, Problem, Quantity, Query, Read, Result, Routes, Sort,
    Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LotsQuery {
    product_id: Option<Uuid>,
    /// Exactly this code.
    code: Option<SearchText>,
    /// Only those of which something is on hand, or nothing.
    in_stock: Option<bool>,
    /// Only those that may not be sold on this day any more.
    expired_on: Option<NaiveDate>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `code`, with `-` for descending.
    sort: Option<Sort>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LotPatch {
    #[serde(default, deserialize_with = "present")]
    pub expires_on: Option<Option<NaiveDate>>,
}

/// What lies in a lot, a location or both. Of products that are not tracked, what was not put away
/// is no place.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = stock_places)]
pub struct StockPlace {
    pub id: Uuid,
    pub product_id: Uuid,
    pub warehouse_id: Uuid,
    pub lot_id: Option<Uuid>,
    pub location_id: Option<Uuid>,
    pub quantity: Quantity,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct StockPlacesQuery {
    product_id: Option<Uuid>,
    warehouse_id: Option<Uuid>,
    lot_id: Option<Uuid>,
    location_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `product_id`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_lots)
        .add(get_lot)
        .add(update_lot)
        .add(list_stock_places);
}

/// Lots and serials. They are made by what brings them.
#[utoipa::path(tag = "inventory", params(LotsQuery), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "A page of lots", body = Page<Lot>)))]
#[get("/lots")]
async fn list_lots(read: Read<may::ReadStock>, query: Query<LotsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = lots::table.select(Lot::as_select()).into_boxed();
        if let Some(product) = query.product_id {
            found = found.filter(lots::product_id.eq(product));
        }
        if let Some(code) = &query.code {
            found = found.filter(lots::code.eq(code.as_str()));
        }
        match query.in_stock {
            Some(true) => found = found.filter(lots::on_hand.gt(Quantity::ZERO)),
            Some(false) => found = found.filter(lots::on_hand.eq(Quantity::ZERO)),
            None => {}
        }
        if let Some(day) = query.expired_on {
            found = found.filter(lots::expires_on.lt(day));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: lots::id as Uuid => |lot: &Lot| lot.id, [
            "created_at" => lots::created_at as DateTime<Utc> => |lot: &Lot| lot.created_at,
            "code" => lots::code as String => |lot: &Lot| lot.code.clone(),
        ])
    })
    .await
}

#[utoipa::path(tag = "inventory", params(IdPath), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "The lot", body = Lot)))]
#[get("/lots/{id}")]
async fn get_lot(read: Read<may::ReadStock>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        lots::table
            .find(path.id)
            .select(Lot::as_select())
            .first(conn)
            .or_not_found("lot")
    })
    .await
}

/// Correct the last day on which a lot may be sold. What has been promised of it stays promised.
#[utoipa::path(tag = "inventory", params(IdPath), request_body(content = LotPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["stock:adjust"])), responses((status = 200, description = "The changed lot", body = Lot)))]
#[patch("/lots/{id}")]
async fn update_lot(
    command: Command<may::AdjustStock>,
    path: Path<IdPath>,
    body: Body<LotPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, path.id, &body.0)).await
}

fn update(tx: &mut Tx<'_>, id: Uuid, patch: &LotPatch) -> Result<Lot> {
    let before: Lot = lots::table
        .find(id)
        .for_update()
        .select(Lot::as_select())
        .first(&mut **tx)
        .or_not_found("lot")?;
    tx.require_match(&before)?;
    let expires_on = patch.expires_on.unwrap_or(before.expires_on);
    if expires_on == before.expires_on {
        return Ok(before);
    }
    let after: Lot = diesel::update(lots::table.find(id))
        .set((
            lots::expires_on.eq(expires_on),
            lots::revision.eq(lots::revision + 1),
            lots::updated_at.eq(tx.now()),
        ))
        .returning(Lot::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

/// What lies in which lot and location.
#[utoipa::path(tag = "inventory", params(StockPlacesQuery), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "A page of places", body = Page<StockPlace>)))]
#[get("/stock-places")]
async fn list_stock_places(read: Read<may::ReadStock>, query: Query<StockPlacesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = stock_places::table.select(StockPlace::as_select()).into_boxed();
        if let Some(product) = query.product_id {
            found = found.filter(stock_places::product_id.eq(product));
        }
        if let Some(warehouse) = query.warehouse_id {
            found = found.filter(stock_places::warehouse_id.eq(warehouse));
        }
        if let Some(lot) = query.lot_id {
            found = found.filter(stock_places::lot_id.eq(lot));
        }
        if let Some(location) = query.location_id {
            found = found.filter(stock_places::location_id.eq(location));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: stock_places::id as Uuid => |p: &StockPlace| p.id, [
            "product_id" => stock_places::product_id as Uuid => |p: &StockPlace| p.product_id,
        ])
    })
    .await
}
