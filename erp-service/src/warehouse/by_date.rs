//! Availability by date: what will be on hand when what is expected has come and what is promised has
//! gone.

use crate::catalog;
use crate::inventory::warehouses;
use crate::may;
use actix_web::get;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Date, Nullable, Numeric, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::decimal::SignedQuantity;
use service_kit::{Answer, Problem, Query, Read, Result, Routes};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AvailabilityByDateQuery {
    product_id: Uuid,
    /// Absent: all of them together, goods in transit left out.
    warehouse_id: Option<Uuid>,
    /// Last day; default the last on which anything happens.
    to: Option<NaiveDate>,
}

/// What will be on hand, day by day.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AvailabilityByDate {
    pub product_id: Uuid,
    pub warehouse_id: Option<Uuid>,
    /// Today, and each day on which goods are expected or asked for; what is overdue counts for today.
    pub days: Vec<AvailabilityDay>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AvailabilityDay {
    pub date: NaiveDate,
    /// Expected to come on this day.
    pub incoming: SignedQuantity,
    /// Asked for on this day by confirmed orders, reserved or not.
    pub outgoing: SignedQuantity,
    /// At the end of the day, when all that has happened; negative: a shortage.
    pub on_hand: SignedQuantity,
    /// Of today's stock reserved for later days, and held by promises.
    pub reserved: SignedQuantity,
    /// On hand − reserved.
    pub available: SignedQuantity,
}

#[derive(QueryableByName)]
struct Day {
    #[diesel(sql_type = Date)]
    date: NaiveDate,
    #[diesel(sql_type = Numeric)]
    incoming: Decimal,
    #[diesel(sql_type = Numeric)]
    outgoing: Decimal,
    #[diesel(sql_type = Numeric)]
    shipped: Decimal,
}

#[derive(QueryableByName)]
struct Now {
    #[diesel(sql_type = Numeric)]
    on_hand: Decimal,
    #[diesel(sql_type = Numeric)]
    reserved: Decimal,
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_availability_by_date);
}

/// What of a product will be on hand, reserved, incoming and outgoing on each coming day.
#[utoipa::path(tag = "inventory", params(AvailabilityByDateQuery), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "Day by day", body = AvailabilityByDate)))]
#[get("/availability/by-date")]
async fn get_availability_by_date(
    read: Read<may::ReadStock>,
    query: Query<AvailabilityByDateQuery>,
) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| by_date(conn, today, &query)).await
}

fn by_date(conn: &mut PgConnection, today: NaiveDate, query: &AvailabilityByDateQuery) -> Result<AvailabilityByDate> {
    // Parameters, so 400 and not the 422 of a body.
    if !catalog::facts(conn, &[query.product_id])?.contains_key(&query.product_id) {
        return Err(Problem::bad_request("unknown_product", "product_id: there is no such product").into());
    }
    if let Some(warehouse) = query.warehouse_id
        && !warehouses::exists(conn, warehouse)?
    {
        return Err(Problem::bad_request("unknown_warehouse", "warehouse_id: there is no such warehouse").into());
    }
    let now: Now = sql(
        "SELECT coalesce(sum(l.on_hand), 0) AS on_hand, coalesce(sum(l.reserved), 0) AS reserved
         FROM stock_levels l JOIN warehouses w ON w.id = l.warehouse_id AND w.kind = 'normal'
         WHERE l.product_id = $1 AND l.warehouse_id = coalesce($2, l.warehouse_id)",
    )
    .bind::<SqlUuid, _>(query.product_id)
    .bind::<Nullable<SqlUuid>, _>(query.warehouse_id)
    .row(conn)?;
    let days = days(conn, today, query)?;
    let (mut on_hand, mut reserved) = (now.on_hand, now.reserved);
    let until = query.to.unwrap_or(NaiveDate::MAX);
    let days = days.into_iter().filter(|day| day.date <= until).map(|day| {
        on_hand += day.incoming - day.outgoing;
        reserved -= day.shipped;
        Ok(AvailabilityDay {
            date: day.date,
            incoming: quantity(day.incoming)?,
            outgoing: quantity(day.outgoing)?,
            on_hand: quantity(on_hand)?,
            reserved: quantity(reserved)?,
            available: quantity(on_hand - reserved)?,
        })
    });
    Ok(AvailabilityByDate {
        product_id: query.product_id,
        warehouse_id: query.warehouse_id,
        days: days.collect::<Result<_>>()?,
    })
}

fn quantity(value: Decimal) -> Result<SignedQuantity> {
    SignedQuantity::new(value)
        .map_err(|_| Problem::rule("out_of_range", "the quantities sum to more than 99,999,999").into())
}

/// Today and every day on which something happens.
fn days(conn: &mut PgConnection, today: NaiveDate, query: &AvailabilityByDateQuery) -> QueryResult<Vec<Day>> {
    sql("WITH wanted (today, product_id, warehouse_id) AS (SELECT $1::date, $2::uuid, $3::uuid),
         happens AS (
             SELECT today AS date, 0 AS incoming, 0 AS outgoing, 0 AS shipped FROM wanted
             UNION ALL
             SELECT greatest(s.expected_on, w.today), s.open_quantity, 0, 0
             FROM wanted w JOIN expected_supply s ON s.product_id = w.product_id AND s.open_quantity > 0
             WHERE s.warehouse_id = coalesce(w.warehouse_id, s.warehouse_id)
             UNION ALL
             SELECT greatest(coalesce(o.requested_date, w.today), w.today), 0,
                    l.reserved_quantity + l.backordered_quantity, l.reserved_quantity
             FROM wanted w CROSS JOIN sales_orders o JOIN sales_order_lines l ON l.order_id = o.id AND l.known_product_id = w.product_id
             WHERE o.status IN ('confirmed', 'on_hold', 'partially_delivered')
               AND (w.warehouse_id IS NULL OR o.warehouse_id = w.warehouse_id)
               AND l.reserved_quantity + l.backordered_quantity > 0)
         SELECT date, sum(incoming) AS incoming, sum(outgoing) AS outgoing, sum(shipped) AS shipped
         FROM happens GROUP BY date ORDER BY date")
    .bind::<Date, _>(today)
    .bind::<SqlUuid, _>(query.product_id)
    .bind::<Nullable<SqlUuid>, _>(query.warehouse_id)
    .rows(conn)
}
