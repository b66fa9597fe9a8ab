//! `/v1/reports/stock-valuation` and `/v1/reports/stock-ledger`, as JSON and CSV.

use super::valuation::{self, Filter};
use crate::may;
use crate::{catalog, company};
use actix_web::get;
use chrono::NaiveDate;
use diesel::PgConnection;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use service_kit::decimal::{Amount, SignedQuantity};
use service_kit::{Answer, Currency, Error, Problem, Query, Read, Result, Routes};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct StockValuationQuery {
    /// At the end of this day; default today.
    date: Option<NaiveDate>,
    warehouse_id: Option<Uuid>,
    product_id: Option<Uuid>,
    /// The category itself, not those below it.
    category_id: Option<Uuid>,
}

/// What stock was worth at the end of a day.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StockValuation {
    pub date: NaiveDate,
    /// The base currency.
    pub currency: Currency,
    /// Sum of the lines.
    pub total: Amount,
    /// Balance of the accounts that stock posts to, on that day; absent when a filter is set.
    pub ledger: Option<Amount>,
    /// One for each product and warehouse. Its moves stand in the stock ledger of the product.
    pub lines: Vec<StockValuationLine>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StockValuationLine {
    pub product_id: Uuid,
    pub sku: String,
    pub name: String,
    pub category_id: Option<Uuid>,
    pub warehouse_id: Uuid,
    /// Code of the warehouse.
    pub warehouse: String,
    pub quantity: SignedQuantity,
    pub value: Amount,
    /// Value ÷ quantity, to 4 digits.
    pub unit_cost: Option<Amount>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct StockLedgerQuery {
    product_id: Uuid,
    warehouse_id: Option<Uuid>,
    /// First day; default the first day of all.
    from: Option<NaiveDate>,
    /// Last day; default today.
    to: Option<NaiveDate>,
}

/// The moves of a product between two days, with what was there after each.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StockLedger {
    pub product_id: Uuid,
    pub warehouse_id: Option<Uuid>,
    pub from: Option<NaiveDate>,
    pub to: NaiveDate,
    pub opening_quantity: SignedQuantity,
    pub opening_value: Amount,
    pub lines: Vec<StockLedgerLine>,
    pub closing_quantity: SignedQuantity,
    pub closing_value: Amount,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StockLedgerLine {
    /// The stock move.
    pub move_id: i64,
    pub date: NaiveDate,
    pub warehouse_id: Uuid,
    pub kind: String,
    pub document_id: Uuid,
    pub lot_id: Option<Uuid>,
    pub quantity: SignedQuantity,
    pub value: Amount,
    pub running_quantity: SignedQuantity,
    pub running_value: Amount,
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_stock_valuation).add(get_stock_ledger);
}

/// What stock was worth at the end of any day, beside what the ledger says.
#[utoipa::path(tag = "inventory", params(StockValuationQuery), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "The valuation", body = StockValuation)))]
#[get("/reports/stock-valuation")]
async fn get_stock_valuation(read: Read<may::ReadStock>, query: Query<StockValuationQuery>) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| valuation_report(conn, query.date.unwrap_or(today), &query))
        .await
}

/// The moves of a product with running quantity and value, by posting date.
#[utoipa::path(tag = "inventory", params(StockLedgerQuery), security(("api_key" = ["stock:read"])),
    responses((status = 200, description = "The stock ledger", body = StockLedger)))]
#[get("/reports/stock-ledger")]
async fn get_stock_ledger(read: Read<may::ReadStock>, query: Query<StockLedgerQuery>) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| ledger_report(conn, query.to.unwrap_or(today), &query))
        .await
}

fn money(base: Currency, value: Decimal) -> Result<Amount> {
    Amount::money(base, value).ok_or_else(|| Error::Bug(format!("stock is worth {value}")))
}

fn units(quantity: Decimal) -> Result<SignedQuantity> {
    SignedQuantity::new(quantity)
        .map_err(|_| Problem::rule("out_of_range", "the quantities sum to more than 99,999,999").into())
}

fn valuation_report(conn: &mut PgConnection, date: NaiveDate, query: &StockValuationQuery) -> Result<StockValuation> {
    let base = company::settings(conn)?.base_currency;
    let filter = Filter {
        warehouse_id: query.warehouse_id,
        product_id: query.product_id,
        category_id: query.category_id,
    };
    let found = valuation::at(conn, date, filter)?;
    let total = found.iter().map(|line| line.value).sum();
    let unfiltered = (filter.warehouse_id, filter.product_id, filter.category_id) == (None, None, None);
    let ledger = match unfiltered {
        true => Some(money(base, valuation::matches_ledger(conn, date)?.ledger)?),
        false => None,
    };
    let lines = found.into_iter().map(|line| {
        let unit_cost = line.value.checked_div(line.quantity);
        Ok(StockValuationLine {
            unit_cost: unit_cost.and_then(|cost| {
                Amount::new(cost.round_dp_with_strategy(4, RoundingStrategy::MidpointNearestEven)).ok()
            }),
            product_id: line.product_id,
            sku: line.sku,
            name: line.name,
            category_id: line.category_id,
            warehouse_id: line.warehouse_id,
            warehouse: line.warehouse,
            quantity: units(line.quantity)?,
            value: money(base, line.value)?,
        })
    });
    Ok(StockValuation {
        date,
        currency: base,
        total: money(base, total)?,
        ledger,
        lines: lines.collect::<Result<_>>()?,
    })
}

fn ledger_report(conn: &mut PgConnection, to: NaiveDate, query: &StockLedgerQuery) -> Result<StockLedger> {
    let base = company::settings(conn)?.base_currency;
    if !catalog::facts(conn, &[query.product_id])?.contains_key(&query.product_id) {
        return Err(Problem::bad_request("unknown_product", "product_id: there is no such product").into());
    }
    // PostgreSQL's dates begin later than chrono's.
    let from = query.from.or(NaiveDate::from_ymd_opt(1, 1, 1)).unwrap_or(to);
    let steps = valuation::steps(conn, query.product_id, query.warehouse_id, from, to)?;
    let before = from.pred_opt().unwrap_or(from);
    let (opening_quantity, opening_value) = match steps.first() {
        Some(first) => (
            first.running_quantity - first.quantity,
            first.running_value - first.value,
        ),
        // Nothing moved in between: what is there at the end was there at the beginning.
        None => {
            let filter = Filter {
                warehouse_id: query.warehouse_id,
                product_id: Some(query.product_id),
                category_id: None,
            };
            let lines = valuation::at(conn, if from > to { before } else { to }, filter)?;
            lines
                .iter()
                .fold((Decimal::ZERO, Decimal::ZERO), |(quantity, value), line| {
                    (quantity + line.quantity, value + line.value)
                })
        }
    };
    let (closing_quantity, closing_value) = match steps.last() {
        Some(last) => (last.running_quantity, last.running_value),
        None => (opening_quantity, opening_value),
    };
    let lines = steps.into_iter().map(|step| {
        Ok(StockLedgerLine {
            move_id: step.move_id,
            date: step.date,
            warehouse_id: step.warehouse_id,
            kind: step.kind,
            document_id: step.document_id,
            lot_id: step.lot_id,
            quantity: units(step.quantity)?,
            value: money(base, step.value)?,
            running_quantity: units(step.running_quantity)?,
            running_value: money(base, step.running_value)?,
        })
    });
    Ok(StockLedger {
        product_id: query.product_id,
        warehouse_id: query.warehouse_id,
        from: query.from,
        to,
        opening_quantity: units(opening_quantity)?,
        opening_value: money(base, opening_value)?,
        lines: lines.collect::<Result<_>>()?,
        closing_quantity: units(closing_quantity)?,
        closing_value: money(base, closing_value)?,
    })
}
