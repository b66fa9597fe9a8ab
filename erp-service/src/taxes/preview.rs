//! The tax of a document that does not exist: for estimates, and to try rules out.

use super::compute::{TaxTotal, TaxableLine, compute};
use super::determine::{Party, Taxable, determine};
use super::rules::Direction;
use crate::{catalog, company, may};
use actix_web::post;
use chrono::NaiveDate;
use diesel::PgConnection;
use serde::{Deserialize, Serialize};
use service_kit::decimal::TaxRate;
use service_kit::{Amount, Answer, Body, Command, Currency, Faults, Problem, Result, Routes, Total};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxCalculationIn {
    pub direction: Direction,
    pub currency: Currency,
    /// The tax point: day of the delivery, or of a prepayment; default today.
    pub date: Option<NaiveDate>,
    /// Tax class of the customer or supplier; absent: `standard`.
    #[schema(min_length = 1, max_length = 40)]
    pub party_class: Option<String>,
    /// ISO 3166-1 alpha-2, of the customer or supplier.
    #[schema(min_length = 2, max_length = 2, pattern = r"^[A-Z]{2}$")]
    pub country: Option<String>,
    /// Whether the amounts have the tax in them.
    #[serde(default)]
    pub prices_include_tax: bool,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<TaxCalculationLineIn>,
}

/// Give `product_id`, or the `tax_class` of something else.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxCalculationLineIn {
    pub product_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 40)]
    pub tax_class: Option<String>,
    /// Rounded; negative on a credit.
    pub amount: Amount,
}

/// What a document would be taxed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TaxCalculation {
    /// What the party pays.
    pub total: Total,
    pub lines: Vec<TaxCalculationLine>,
    /// By code and rate.
    pub taxes: Vec<DocumentTax>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TaxCalculationLine {
    pub net: Amount,
    pub tax: Amount,
    pub gross: Amount,
    pub codes: Vec<String>,
}

/// The tax of a document by one code and rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DocumentTax {
    pub code: String,
    pub name: String,
    /// As a fraction: `"0.19"` is 19 %.
    pub rate: TaxRate,
    pub base: Amount,
    pub tax: Amount,
    /// The buyer owes it; it is no part of the total.
    pub reverse_charge: bool,
}

impl DocumentTax {
    pub fn of(currency: Currency, total: &TaxTotal) -> Self {
        DocumentTax {
            code: total.code.code.clone(),
            name: total.code.name.clone(),
            rate: total.code.rate,
            base: Amount::money(currency, total.base).unwrap_or_default(),
            tax: Amount::money(currency, total.tax).unwrap_or_default(),
            reverse_charge: total.code.reverse_charge,
        }
    }
}

pub(super) fn routes(routes: &mut Routes) {
    routes.add(create_tax_calculation);
}

/// Compute the tax of a document that need not exist. Nothing is stored.
#[utoipa::path(tag = "taxes", request_body = TaxCalculationIn, security(("api_key" = ["taxes:read"])),
    responses((status = 200, description = "The tax, and what it is computed on", body = TaxCalculation)))]
#[post("/tax-calculations")]
async fn create_tax_calculation(
    command: Command<may::ReadTaxes>,
    body: Body<TaxCalculationIn>,
) -> Result<Answer, Problem> {
    command
        .answer(move |tx| {
            let date = body.0.date.unwrap_or(tx.today());
            Ok(Answer::json(&calculate(tx, &body.0, date)?)?)
        })
        .await
}

fn calculate(conn: &mut PgConnection, input: &TaxCalculationIn, date: NaiveDate) -> Result<TaxCalculation> {
    check(conn, input)?;
    let party = Party {
        tax_class: input.party_class.clone(),
        country: input.country.clone(),
    };
    let taxable = input.lines.iter().map(|line| match line.product_id {
        Some(product) => Taxable::Product(product),
        None => Taxable::Class(line.tax_class.as_deref()),
    });
    let codes = determine(conn, input.direction, &party, &taxable.collect::<Vec<_>>(), date)?;
    let lines: Vec<TaxableLine> = input
        .lines
        .iter()
        .zip(codes)
        .map(|(line, codes)| TaxableLine {
            amount: line.amount.value(),
            codes,
        })
        .collect();
    let rounding = company::settings(conn)?.tax_rounding;
    let taxed = compute(input.currency, input.prices_include_tax, rounding, &lines)?;
    let money = |value| Amount::money(input.currency, value).unwrap_or_default();
    Ok(TaxCalculation {
        total: Total {
            net: money(taxed.net),
            tax: money(taxed.tax),
            gross: money(taxed.gross),
        },
        lines: taxed
            .lines
            .iter()
            .zip(&lines)
            .map(|(line, taxable)| TaxCalculationLine {
                net: money(line.net),
                tax: money(line.tax),
                gross: money(line.gross),
                codes: taxable.codes.iter().map(|code| code.code.clone()).collect(),
            })
            .collect(),
        taxes: taxed
            .totals
            .iter()
            .map(|total| DocumentTax::of(input.currency, total))
            .collect(),
    })
}

fn check(conn: &mut PgConnection, input: &TaxCalculationIn) -> Result<()> {
    let products: Vec<Uuid> = input.lines.iter().filter_map(|line| line.product_id).collect();
    let known = catalog::products::exist(conn, &products)?;
    let mut faults = Faults::default();
    for (index, line) in input.lines.iter().enumerate() {
        if let Some(product) = line.product_id {
            let pointer = format!("/lines/{index}/product_id");
            if line.tax_class.is_some() {
                let message = "a product has its own tax class";
                faults.add(format!("/lines/{index}/tax_class"), "ambiguous", message);
            } else if !known.contains(&product) {
                faults.add(pointer, "unknown_product", "there is no such product");
            }
        }
        if input.currency.round(line.amount.value()) != line.amount.value() {
            let digits = input.currency.minor_digits();
            let message = format!("{} has {digits} digits after the point", input.currency);
            faults.add(format!("/lines/{index}/amount"), "out_of_range", message);
        }
    }
    Ok(faults.check()?)
}
