//! The decision on an order, without the database: which lines are in order, at which price.
//!
//! Rejected, line by line with every reason: unknown product, retired product (unless an accepted quote
//! promised it), no price, blocked customer, unknown currency. Anything else is accepted: a shortage is backordered, a failed
//! credit check or a price below the role's limit is a hold.

use super::model::RejectionReason;
use super::rows::LineRow;
use crate::catalog::ProductFacts;
use crate::pricing::Found;
use crate::taxes::TaxCodeRate;
use rust_decimal::Decimal;
use service_kit::money::Currency;
use service_kit::{Discount, Problem, Quantity, UnitPrice};
use std::collections::HashMap;
use uuid::Uuid;

/// Code of the reason that a line is of a product that is no longer sold.
pub const RETIRED: &str = "retired_product";

/// A line as asked for.
#[derive(Debug, Clone)]
pub struct AskedLine {
    pub id: Uuid,
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// A given price is a promise: it is kept.
    pub unit_price: Option<UnitPrice>,
    pub discount: Discount,
}

impl AskedLine {
    /// What a stored line asks for.
    pub fn of(line: &LineRow) -> Self {
        AskedLine {
            id: line.id,
            product_id: line.product_id,
            quantity: line.quantity,
            unit_price: line.unit_price,
            discount: line.discount,
        }
    }
}

/// A line with its price.
#[derive(Debug, Clone)]
pub struct PricedLine {
    pub asked: AskedLine,
    pub known: bool,
    /// Goods reserve stock; services do not.
    pub stocked: bool,
    pub unit: Option<String>,
    pub unit_price: Option<UnitPrice>,
    pub list_price: Option<UnitPrice>,
    pub explanation: Option<String>,
    pub line_total: Option<Decimal>,
    pub taxes: Vec<TaxCodeRate>,
}

/// What the decision rests on.
pub struct Grounds<'a> {
    /// `None` when the code is not in ISO 4217.
    pub currency: Option<Currency>,
    pub customer_blocked: bool,
    pub warehouse_known: bool,
    pub products: &'a HashMap<Uuid, ProductFacts>,
    /// One for each line, in their order: what the price rules say.
    pub prices: &'a [Option<Found>],
}

/// Prices the lines and gathers every reason to reject.
///
/// # Errors
/// 422 `out_of_range` when a line total does not fit.
pub fn decide(lines: &[AskedLine], grounds: &Grounds<'_>) -> Result<(Vec<PricedLine>, Vec<RejectionReason>), Problem> {
    let mut reasons = Vec::new();
    let mut reject = |line: Option<Uuid>, code: &str, message: &str| {
        reasons.push(RejectionReason {
            line,
            code: code.to_owned(),
            message: message.to_owned(),
        });
    };
    if grounds.currency.is_none() {
        reject(None, "unknown_currency", "the currency is not in ISO 4217");
    }
    if grounds.customer_blocked {
        reject(None, "customer_blocked", "the customer is blocked");
    }
    if !grounds.warehouse_known {
        reject(None, "unknown_warehouse", "there is no such warehouse");
    }
    let mut priced = Vec::with_capacity(lines.len());
    for (index, asked) in lines.iter().enumerate() {
        let product = grounds.products.get(&asked.product_id);
        let found = grounds.prices.get(index).and_then(Option::as_ref);
        match product {
            None => reject(Some(asked.id), "unknown_product", "there is no such product"),
            Some(product) if product.retired => reject(Some(asked.id), RETIRED, "the product is retired"),
            Some(_) => {}
        }
        let list_price = found.map(|found| found.unit_price);
        let unit_price = asked.unit_price.or(list_price);
        if unit_price.is_none() && product.is_some() {
            reject(
                Some(asked.id),
                "no_price",
                "the line carries no price and no price list has one",
            );
        }
        let line_total = match (grounds.currency, unit_price) {
            (Some(currency), Some(price)) => Some(currency.line_total(asked.quantity, price, asked.discount)?),
            _ => None,
        };
        priced.push(PricedLine {
            asked: asked.clone(),
            known: product.is_some(),
            stocked: product.is_some_and(|product| product.stocked),
            unit: product.map(|product| product.unit.clone()),
            unit_price,
            list_price,
            explanation: found.map(crate::pricing::explain),
            line_total,
            taxes: Vec::new(),
        });
    }
    Ok((priced, reasons))
}

/// Whether a given price lies further below the list price than `limit` (a fraction) allows.
pub fn below_limit(line: &PricedLine, limit: Decimal) -> bool {
    match (line.unit_price, line.list_price) {
        (Some(given), Some(list)) => given.value() < list.value() * (Decimal::ONE - limit),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(product_id: Uuid, price: Option<&str>) -> AskedLine {
        AskedLine {
            id: Uuid::now_v7(),
            product_id,
            quantity: "3".parse().unwrap(),
            unit_price: price.map(|price| price.parse().unwrap()),
            discount: "0.05".parse().unwrap(),
        }
    }

    fn product(retired: bool) -> ProductFacts {
        ProductFacts {
            unit: "pcs".into(),
            stocked: true,
            retired,
            category_id: None,
            tracking: crate::catalog::Tracking::None,
        }
    }

    #[test]
    fn every_reason_is_named() {
        let (retired, unpriced) = (Uuid::now_v7(), Uuid::now_v7());
        let products = HashMap::from([(retired, product(true)), (unpriced, product(false))]);
        let lines = [
            line(Uuid::now_v7(), Some("1")),
            line(retired, Some("1")),
            line(unpriced, None),
        ];
        let prices = [None, None, None];
        let grounds = Grounds {
            currency: None,
            customer_blocked: true,
            warehouse_known: true,
            products: &products,
            prices: &prices,
        };
        let (_, reasons) = decide(&lines, &grounds).unwrap();
        let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
        assert_eq!(
            codes,
            [
                "unknown_currency",
                "customer_blocked",
                "unknown_product",
                "retired_product",
                "no_price"
            ]
        );
    }

    #[test]
    fn a_given_price_is_kept_and_rounds_half_to_even() {
        let id = Uuid::now_v7();
        let products = HashMap::from([(id, product(false))]);
        let lines = [line(id, Some("14.10"))];
        let grounds = Grounds {
            currency: Some(Currency::USD),
            customer_blocked: false,
            warehouse_known: true,
            products: &products,
            prices: &[None],
        };
        let (priced, reasons) = decide(&lines, &grounds).unwrap();
        assert!(reasons.is_empty());
        // 3 × 14.10 × 0.95 = 40.185, half to even.
        assert_eq!(priced[0].line_total.unwrap().to_string(), "40.18");
    }
}
