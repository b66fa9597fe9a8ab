//! Price quotes: what would this cost, and why. Nothing is stored.

use super::rule::{self, Buyer, Found};
use crate::catalog::products;
use crate::{customers, may};
use actix_web::post;
use chrono::NaiveDate;
use diesel::PgConnection;
use serde::{Deserialize, Serialize};
use service_kit::{
    Amount, Answer, Body, Command, Currency, Discount, Faults, Problem, Quantity, Result, Routes, Total, UnitPrice,
};
use utoipa::ToSchema;
use uuid::Uuid;

/// For a customer's tier, a tier, or neither (the base list).
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceQuoteIn {
    /// Ask for the tier of this customer.
    pub customer_id: Option<Uuid>,
    /// Ask for this tier.
    #[schema(min_length = 1, max_length = 60)]
    pub tier: Option<String>,
    pub currency: Currency,
    /// The day that the prices hold on; absent: today.
    pub date: Option<NaiveDate>,
    #[schema(min_items = 1, max_items = 200)]
    pub lines: Vec<PriceQuoteLineIn>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceQuoteLineIn {
    pub product_id: Uuid,
    pub quantity: Quantity,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PriceQuote {
    pub customer_id: Option<Uuid>,
    /// The tier that the prices are for; `null`: only the base list.
    pub tier: Option<String>,
    pub currency: Currency,
    pub date: NaiveDate,
    pub lines: Vec<PriceQuoteLine>,
    /// `null` when a line has no price.
    pub total: Option<Total>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PriceQuoteLine {
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// `null`: no price holds.
    pub unit_price: Option<UnitPrice>,
    pub line_total: Option<Amount>,
    /// Which rule gave the price, or why there is none.
    pub explanation: String,
    /// The prices that were looked at, those that go first in front.
    pub candidates: Vec<PriceCandidate>,
}

/// A price that was looked at.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PriceCandidate {
    pub price_id: Uuid,
    pub price_list_id: Uuid,
    pub price_list_name: String,
    /// The customer whose list it is.
    pub customer_id: Option<Uuid>,
    pub tier: Option<String>,
    pub unit_price: UnitPrice,
    pub minimum_quantity: Quantity,
    pub valid_from: Option<NaiveDate>,
    pub valid_to: Option<NaiveDate>,
    /// Whether it is the answer.
    pub chosen: bool,
    /// Why it is the answer, or why not.
    pub reason: String,
}

pub fn routes(routes: &mut Routes) {
    routes.add(create_price_quote);
}

/// Ask which price applies, and why. Nothing is stored.
#[utoipa::path(tag = "pricing", request_body = PriceQuoteIn, security(("api_key" = ["price_quotes:read"])),
    responses((status = 200, description = "The prices and what gave them", body = PriceQuote)))]
#[post("/price-quotes")]
async fn create_price_quote(
    command: Command<may::ReadPriceQuotes>,
    body: Body<PriceQuoteIn>,
) -> Result<Answer, Problem> {
    command
        .answer(move |tx| {
            let date = body.0.date.unwrap_or_else(|| tx.today());
            Ok(Answer::json(&quote(tx, &body.0, date)?)?)
        })
        .await
}

fn quote(conn: &mut PgConnection, input: &PriceQuoteIn, date: NaiveDate) -> Result<PriceQuote> {
    let tier = checked_tier(conn, input, date)?;
    let buyer = Buyer {
        customer: input.customer_id,
        tier: tier.as_deref(),
    };
    let asked: Vec<(Uuid, Quantity)> = input
        .lines
        .iter()
        .map(|line| (line.product_id, line.quantity))
        .collect();
    let products: Vec<Uuid> = asked.iter().map(|(product, _)| *product).collect();
    let chosen = rule::prices_for(conn, buyer, input.currency, date, &asked)?;
    let candidates = rule::candidates(conn, buyer, input.currency, &products)?;
    let lines = asked
        .into_iter()
        .zip(chosen)
        .zip(candidates)
        .map(|(((product_id, quantity), chosen), candidates)| {
            let line_total = match &chosen {
                Some(price) => Some(input.currency.line_total(quantity, price.unit_price, Discount::ZERO)?),
                None => None,
            };
            Ok(PriceQuoteLine {
                product_id,
                quantity,
                unit_price: chosen.as_ref().map(|price| price.unit_price),
                line_total: line_total.and_then(|total| Amount::money(input.currency, total)),
                explanation: explanation(chosen.as_ref(), candidates.len(), tier.as_deref(), input.currency),
                candidates: candidates
                    .into_iter()
                    .map(|price| candidate(price, quantity, date, chosen.as_ref()))
                    .collect(),
            })
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    let totals: Option<Vec<_>> = lines.iter().map(|line| line.line_total.map(Amount::value)).collect();
    let total = totals
        .map(|totals| Total::of_lines(input.currency, totals))
        .transpose()?;
    Ok(PriceQuote {
        customer_id: input.customer_id,
        tier,
        currency: input.currency,
        date,
        lines,
        total,
    })
}

/// The tier asked for, once customer and products are known.
fn checked_tier(conn: &mut PgConnection, input: &PriceQuoteIn, date: NaiveDate) -> Result<Option<String>> {
    let mut faults = Faults::default();
    let mut tier = input.tier.clone();
    if let Some(customer) = input.customer_id {
        if input.tier.is_some() {
            faults.add("/tier", "ambiguous", "give customer_id or tier, not both");
        }
        match customers::terms(conn, customer)? {
            Some(_) => tier = customers::tier_on(conn, customer, date)?,
            None => faults.add("/customer_id", "unknown_customer", "there is no such customer"),
        }
    }
    let products: Vec<Uuid> = input.lines.iter().map(|line| line.product_id).collect();
    let known = products::exist(conn, &products)?;
    for (index, product) in products.iter().enumerate() {
        if !known.contains(product) {
            faults.add(
                format!("/lines/{index}/product_id"),
                "unknown_product",
                "there is no such product",
            );
        }
    }
    faults.check()?;
    Ok(tier)
}

fn candidate(price: Found, quantity: Quantity, date: NaiveDate, chosen: Option<&Found>) -> PriceCandidate {
    let is_chosen = chosen.is_some_and(|chosen| chosen.price_id == price.price_id);
    let reason = match is_chosen {
        true => "goes first of those that hold".to_owned(),
        false => rule::why_not(&price, quantity, date, chosen),
    };
    PriceCandidate {
        price_id: price.price_id,
        price_list_id: price.price_list_id,
        price_list_name: price.price_list_name,
        customer_id: price.customer_id,
        tier: price.tier,
        unit_price: price.unit_price,
        minimum_quantity: price.minimum_quantity,
        valid_from: price.valid_from,
        valid_to: price.valid_to,
        chosen: is_chosen,
        reason,
    }
}

fn explanation(chosen: Option<&Found>, candidates: usize, tier: Option<&str>, currency: Currency) -> String {
    let lists = match tier {
        Some(tier) => format!("neither the {currency} price list of tier {tier} nor the base list"),
        None => format!("no base price list in {currency}"),
    };
    match (chosen, candidates) {
        (Some(price), _) => rule::explain(price),
        (None, 0) => format!("{lists} has a price for this product"),
        (None, _) => format!("{lists} has a price for this product that holds on that day for that quantity"),
    }
}
