//! The order lines that figures of sales are made of.

use super::facts::{Facts, sales};
use super::{Asked, SalesQuery};
use crate::analytics::figure::{Figure, money};
use crate::may;
use actix_web::get;
use chrono::DateTime;
use chrono::{NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::Serialize;
use service_kit::db::figures;
use service_kit::paging::turn;
use service_kit::{Amount, Answer, Currency, Cursor, Page, Problem, Query, Read, Result, Routes, Sight};
use utoipa::ToSchema;
use uuid::Uuid;

/// A line of an order that counts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SalesLine {
    pub line_id: Uuid,
    pub order_id: Uuid,
    /// The ERP's number of the order.
    pub order_number: Option<String>,
    pub order_date: NaiveDate,
    /// The customer that it counts for; after a merge, what that became part of.
    pub customer_id: Uuid,
    pub product_id: Uuid,
    /// Whose order it was at its date.
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub quantity: Figure,
    /// In the order's currency; `null` without a price.
    pub line_total: Option<Amount>,
    pub currency: Currency,
    /// In the company's currency, at the rate of the order date; `null` without a price or a rate.
    pub net: Option<Amount>,
    /// The state that this is of.
    pub as_of: DateTime<Utc>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(list_sales_lines);
}

/// The order lines that a figure of sales is made of: the `net`s add up to it.
#[utoipa::path(tag = "analytics", params(SalesQuery), security(("api_key" = ["analytics:read"])),
    responses((status = 200, description = "A page of order lines, by order date", body = Page<SalesLine>)))]
#[get("/analytics/sales/lines")]
async fn list_sales_lines(read: Read<may::ReadAnalytics>, query: Query<SalesQuery>) -> Result<Answer, Problem> {
    let asked = Asked::of(&query, read.today())?;
    let sight = read.actor().sight.clone();
    read.json(move |conn| figures(conn, |conn| page(conn, &sight, &asked)))
        .await
}

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    line_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    number: Option<String>,
    #[diesel(sql_type = Date)]
    order_date: NaiveDate,
    #[diesel(sql_type = SqlUuid)]
    customer_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    owner_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    team_id: Option<Uuid>,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    line_total: Option<Decimal>,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Nullable<Numeric>)]
    net: Option<Decimal>,
}

const ORDER: &str = "sales lines";

fn page(conn: &mut PgConnection, sight: &Sight, asked: &Asked) -> Result<Page<SalesLine>> {
    let facts = Facts::of(conn, sight)?;
    let (limit, cursor) = turn(asked.query.limit, asked.query.cursor.as_ref());
    let after: Option<(NaiveDate, Uuid)> = cursor.map(|cursor| cursor.decode(ORDER)).transpose()?;
    let (after_date, after_line) = after.unzip();
    let rows: Vec<Row> = facts
        .ask(
            sales!(
                "SELECT s.line_id, s.id, s.number, s.order_date, s.customer_id, s.product_id, s.owner_id, s.team_id,
                        s.quantity, s.line_total, s.currency, s.net
                 FROM q CROSS JOIN sales s
                 WHERE (q.key IS NULL OR coalesce(s.key, 'none') = q.key)
                   AND ($20::date IS NULL OR (s.order_date, s.line_id) > ($21, $22))
                 ORDER BY s.order_date, s.line_id LIMIT $23"
            ),
            asked,
        )
        .bind::<Nullable<Date>, _>(after_date)
        .bind::<Nullable<Date>, _>(after_date)
        .bind::<Nullable<SqlUuid>, _>(after_line)
        .bind::<BigInt, _>(limit.plus_one())
        .rows(conn)?;
    let page = Page::from_rows(rows, limit, |row| Cursor::encode(ORDER, &(row.order_date, row.line_id)));
    let as_of = Utc::now();
    let items = page.items.into_iter().map(|row| {
        Ok(SalesLine {
            line_id: row.line_id,
            order_id: row.id,
            order_number: row.number,
            order_date: row.order_date,
            customer_id: row.customer_id,
            product_id: row.product_id,
            owner_id: row.owner_id,
            team_id: row.team_id,
            quantity: Figure::new(row.quantity),
            line_total: row.line_total.map(|total| money(row.currency, total)).transpose()?,
            currency: row.currency,
            net: row.net.map(|net| money(facts.base, net)).transpose()?,
            as_of,
        })
    });
    Ok(Page {
        items: items.collect::<Result<_>>()?,
        next_cursor: page.next_cursor,
    })
}
