//! Soft demand: what open deals may need of which product and when, for whoever plans stock.
//!
//! Of each deal one record: its lines × the probability of its stage, at the expected close date.
//! It is told whole with every change, as the event `soft_demand.changed` and in the list, under the
//! deal's version. A deal that is closed, or has no date or no lines any more, tells empty lines: so
//! what a lost deal may have needed is withdrawn. Soft demand reserves nothing.

use super::status::DealState;
use super::stored::StoredDeal;
use crate::json::AsJson;
use crate::may;
use crate::schema::{deal_lines, deals, soft_demand};
use actix_web::get;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::RoundingStrategy;
use serde::{Deserialize, Serialize};
use service_kit::decimal::Fraction;
use service_kit::{
    Answer, Cursor, Limit, Page, Problem, Quantity, Query, Read, Result, Routes, Sight, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The event that tells the whole of it.
pub const CHANGED: &str = "soft_demand.changed";

/// What may be needed of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SoftDemandLine {
    pub product_id: Uuid,
    /// What the deal's lines say.
    pub quantity: Quantity,
    /// round(quantity × probability, 3), half to even.
    pub weighted_quantity: Quantity,
}

/// What a deal may need.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SoftDemand {
    /// That of the deal.
    pub id: Uuid,
    pub customer_id: Uuid,
    /// When the deal is expected to be won.
    pub expected_on: Option<NaiveDate>,
    pub probability: Fraction,
    /// A line for each product; empty when the deal needs nothing any more.
    pub lines: Vec<SoftDemandLine>,
    /// That of the deal when this changed: orders the events.
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = soft_demand, treat_none_as_null = true)]
struct Row {
    deal_id: Uuid,
    customer_id: Uuid,
    expected_on: Option<NaiveDate>,
    probability: Fraction,
    lines: AsJson<Vec<SoftDemandLine>>,
    is_empty: bool,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for SoftDemand {
    fn from(row: Row) -> Self {
        SoftDemand {
            id: row.deal_id,
            customer_id: row.customer_id,
            expected_on: row.expected_on,
            probability: row.probability,
            lines: row.lines.0,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SoftDemandQuery {
    /// Of deals with this product.
    product_id: Option<Uuid>,
    /// Expected on this day or later.
    expected_from: Option<NaiveDate>,
    /// Expected on this day or earlier.
    expected_to: Option<NaiveDate>,
    /// `false`: only deals that need something. The sync wants the others too: they withdraw.
    empty: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(list_soft_demand);
}

/// What deals may need of which product and when: lines × probability at the expected date.
///
/// One item for each deal that ever told something; empty lines withdraw it. It reserves nothing.
#[utoipa::path(tag = "deals", params(SoftDemandQuery), security(("api_key" = ["deals:read"])),
    responses((status = 200, description = "A page of soft demand", body = Page<SoftDemand>)))]
#[get("/soft-demand")]
async fn list_soft_demand(read: Read<may::ReadDeals>, query: Query<SoftDemandQuery>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        let mut found = soft_demand::table.select(Row::as_select()).into_boxed();
        // It is seen with its deal. `visible!` cannot look from within another table's query.
        let of = deals::table.select(deals::id);
        found = match &sight {
            Sight::All => found,
            Sight::Own { user } => found.filter(soft_demand::deal_id.eq_any(of.filter(deals::owner_id.eq(*user)))),
            Sight::Team { user, teams } => {
                let seen = deals::owner_id.eq(*user).or(deals::team_id.eq_any(teams.to_vec()));
                found.filter(soft_demand::deal_id.eq_any(of.filter(seen)))
            }
        };
        if let Some(product) = query.product_id {
            let with = deal_lines::table
                .filter(deal_lines::product_id.eq(product))
                .select(deal_lines::deal_id);
            found = found.filter(soft_demand::deal_id.eq_any(with));
        }
        if let Some(from) = query.expected_from {
            found = found.filter(soft_demand::expected_on.ge(from));
        }
        if let Some(to) = query.expected_to {
            found = found.filter(soft_demand::expected_on.le(to));
        }
        if let Some(empty) = query.empty {
            found = found.filter(soft_demand::is_empty.eq(empty));
        }
        let page: Result<Page<Row>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: soft_demand::deal_id as Uuid => |row: &Row| row.deal_id, [
            "created_at" => soft_demand::created_at as DateTime<Utc> => |row: &Row| row.created_at,
        ]);
        Ok(page?.map(SoftDemand::from))
    })
    .await
}

/// Tells what a deal may need, if that is not what was told last.
pub fn tell(tx: &mut Tx<'_>, deal: &StoredDeal) -> Result<()> {
    let told: Option<Row> = soft_demand::table
        .find(deal.row.id)
        .select(Row::as_select())
        .first(&mut **tx)
        .optional()?;
    let lines = needed(deal);
    if told.is_none() && lines.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let row = Row {
        deal_id: deal.row.id,
        customer_id: deal.row.customer_id,
        expected_on: deal.row.expected_close_on,
        probability: deal.row.probability,
        is_empty: lines.is_empty(),
        lines: AsJson(lines),
        version: deal.row.version,
        created_at: told.as_ref().map_or(now, |told| told.created_at),
        updated_at: now,
    };
    if told.is_some_and(|told| says_the_same(&told, &row)) {
        return Ok(());
    }
    diesel::insert_into(soft_demand::table)
        .values(&row)
        .on_conflict(soft_demand::deal_id)
        .do_update()
        .set(&row)
        .execute(&mut **tx)?;
    let demand = SoftDemand::from(row);
    tx.emit(CHANGED, demand.id, demand.version, serde_json::to_value(&demand)?);
    Ok(())
}

/// Tells what a merge has moved to another customer, under the versions that the deals have now.
///
/// # Errors
/// When the database refuses.
pub fn moved(tx: &mut Tx<'_>, deals: &[Uuid]) -> Result<()> {
    let rows: Vec<Row> = soft_demand::table
        .filter(soft_demand::deal_id.eq_any(deals))
        .order(soft_demand::deal_id)
        .select(Row::as_select())
        .load(&mut **tx)?;
    for demand in rows.into_iter().map(SoftDemand::from) {
        tx.emit(CHANGED, demand.id, demand.version, serde_json::to_value(&demand)?);
    }
    Ok(())
}

/// Of nothing, the date and the probability do not matter.
fn says_the_same(told: &Row, row: &Row) -> bool {
    let same_when =
        (told.customer_id, told.expected_on, told.probability) == (row.customer_id, row.expected_on, row.probability);
    told.lines == row.lines && (row.is_empty || same_when)
}

/// What the deal may need: by product, in the order of its lines.
fn needed(deal: &StoredDeal) -> Vec<SoftDemandLine> {
    let row = &deal.row;
    if row.state != DealState::Open || row.expected_close_on.is_none() || row.probability.is_zero() {
        return Vec::new();
    }
    let mut needed: Vec<SoftDemandLine> = Vec::new();
    for line in &deal.lines {
        match needed.iter_mut().find(|other| other.product_id == line.product_id) {
            Some(other) => other.quantity = other.quantity + line.quantity,
            None => needed.push(SoftDemandLine {
                product_id: line.product_id,
                quantity: line.quantity,
                weighted_quantity: Quantity::ZERO,
            }),
        }
    }
    for line in &mut needed {
        let weighted = line.quantity.value() * row.probability.value();
        let weighted = weighted.round_dp_with_strategy(3, RoundingStrategy::MidpointNearestEven);
        line.weighted_quantity = Quantity::new(weighted).unwrap_or(line.quantity);
    }
    needed
}
