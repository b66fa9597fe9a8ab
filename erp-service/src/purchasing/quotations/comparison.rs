//! The answers side by side.

use super::model::{QuotationComparison, QuotationComparisonRow};
use super::queries;
use crate::company;
use crate::purchasing::exchange::Rate;
use crate::purchasing::suppliers;
use chrono::NaiveDate;
use diesel::PgConnection;
use rust_decimal::Decimal;
use service_kit::{Amount, Currency, Discount, Error, OrNotFound, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// One row for each line and supplier, the cheapest and the fastest of a line marked.
///
/// # Errors
/// 404 when there is no such request.
pub(super) fn compare(conn: &mut PgConnection, id: Uuid, today: NaiveDate) -> Result<QuotationComparison> {
    let request = queries::load(conn, id).or_not_found("request for quotation")?;
    let base = company::settings(conn)?.base_currency;
    let asked: Vec<Uuid> = request.asked.iter().map(|asked| asked.supplier_id).collect();
    let names = suppliers::names(conn, &asked)?;
    let mut rates: HashMap<&str, Option<Rate>> = HashMap::new();
    let mut rows = Vec::new();
    for line in &request.lines {
        let first = rows.len();
        for supplier in &asked {
            let is_of =
                |answer: &&super::model::AnswerRow| answer.line_id == line.id && answer.supplier_id == *supplier;
            let answer = request.answers.iter().find(is_of);
            let mut row = QuotationComparisonRow {
                position: line.position,
                line_id: line.id,
                product_id: line.product_id,
                description: line.description.clone(),
                quantity: line.quantity,
                supplier_id: *supplier,
                supplier_name: names.get(supplier).cloned().unwrap_or_default(),
                unit_price: answer.map(|answer| answer.unit_price),
                currency: answer.map(|answer| answer.currency),
                line_total: None,
                base_total: None,
                lead_time_days: answer.and_then(|answer| answer.lead_time_days),
                valid_to: answer.and_then(|answer| answer.valid_to),
                cheapest: false,
                fastest: false,
                note: answer.and_then(|answer| answer.note.clone()),
            };
            if let Some(answer) = answer {
                let total = answer
                    .currency
                    .line_total(line.quantity, answer.unit_price, Discount::ZERO)?;
                row.line_total = Amount::money(answer.currency, total);
                let rate = match rates.get(answer.currency.code()) {
                    Some(rate) => *rate,
                    None => rate_if_any(conn, answer.currency, today)?,
                };
                rates.insert(answer.currency.code(), rate);
                let value = rate.map(|rate| rate.convert(total)).transpose()?;
                row.base_total = value.and_then(|value| Amount::money(base, value));
            }
            rows.push(row);
        }
        mark(&mut rows[first..]);
    }
    Ok(QuotationComparison {
        request_for_quotation_id: id,
        number: request.row.number.clone(),
        base_currency: base,
        date: today,
        rows,
    })
}

/// An answer in a currency without a rate stays in the table, without a value to compare.
fn rate_if_any(conn: &mut PgConnection, currency: Currency, today: NaiveDate) -> Result<Option<Rate>> {
    match Rate::of(conn, currency, today) {
        Ok(rate) => Ok(Some(rate)),
        Err(Error::Problem(problem)) if problem.code == "rate_missing" => Ok(None),
        Err(other) => Err(other),
    }
}

fn mark(rows: &mut [QuotationComparisonRow]) {
    let worth = |row: &QuotationComparisonRow| row.base_total.map(Decimal::from);
    let least = rows.iter().filter_map(worth).min();
    let soonest = rows.iter().filter_map(|row| row.lead_time_days).min();
    for row in rows {
        row.cheapest = least.is_some() && worth(row) == least;
        row.fastest = soonest.is_some() && row.lead_time_days == soonest;
    }
}
