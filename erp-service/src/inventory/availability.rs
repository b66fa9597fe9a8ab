//! `GET /v1/availability`: on hand, reserved, available and incoming per product and warehouse.

use super::holds;
use super::levels::{self, Availability, LevelRow};
use crate::may;
use crate::schema::stock_levels;
use actix_web::get;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::{Answer, Cursor, Limit, Page, Problem, Query, Read, Routes, Sort, keyset_page};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AvailabilityQuery {
    product_id: Option<Uuid>,
    warehouse_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `product_id` or `updated_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(list_availability);
}

/// What is on hand, reserved, available and incoming, for pairs of product and warehouse with stock, past
/// or expected.
#[utoipa::path(tag = "inventory", params(AvailabilityQuery), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "A page of availability", body = Page<Availability>)))]
#[get("/availability")]
async fn list_availability(read: Read<may::ReadStock>, query: Query<AvailabilityQuery>) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| {
        // A level that never changed was only made to be locked.
        let mut levels = stock_levels::table
            .filter(stock_levels::version.gt(0))
            .select(LevelRow::as_select())
            .into_boxed();
        if let Some(product) = query.product_id {
            levels = levels.filter(stock_levels::product_id.eq(product));
        }
        if let Some(warehouse) = query.warehouse_id {
            levels = levels.filter(stock_levels::warehouse_id.eq(warehouse));
        }
        let page: service_kit::Result<Page<LevelRow>> = keyset_page!(levels, conn, query.limit, query.cursor, query.sort,
            id: stock_levels::id as Uuid => |level: &LevelRow| level.id, [
            "product_id" => stock_levels::product_id as Uuid => |level: &LevelRow| level.product_id,
            "updated_at" => stock_levels::updated_at as DateTime<Utc> => |level: &LevelRow| level.updated_at,
        ]);
        let Page { items, next_cursor } = page?;
        let items = holds::without_due(conn, items, Utc::now())?;
        let items = levels::with_expired(conn, items, today)?;
        Ok(Page {
            items: items.into_iter().map(Availability::try_from).collect::<service_kit::Result<_>>()?,
            next_cursor,
        })
    })
    .await
}
