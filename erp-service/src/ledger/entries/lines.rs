//! Lines written by hand: checked against the chart, and kept with a draft.

use super::model::{CashFlowCategory, JournalEntryLineIn};
use crate::currencies;
use crate::schema::{accounts, dimensions};
use chrono::NaiveDate;
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::{Amount, Currency, Faults, Problem, Result};
use std::collections::HashMap;
use uuid::Uuid;

/// A line of a draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DraftLine {
    pub account_id: Uuid,
    pub currency: Currency,
    /// In its currency; a debit is positive.
    pub amount: Amount,
    /// In the base currency, with the same sign.
    pub base: Amount,
    /// Whether the value came from the rate of the day, and follows another date.
    #[serde(default)]
    pub rated: bool,
    pub description: Option<String>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub cash_flow_category: Option<CashFlowCategory>,
}

/// What a line must know of its account.
#[derive(Debug, Clone, Queryable)]
pub struct ChartFacts {
    pub id: Uuid,
    pub code: String,
    pub name: String,
    pub heading: bool,
    pub control: Option<String>,
    pub currency: Option<String>,
    pub status: String,
}

/// The accounts of these ids and codes.
pub fn chart(conn: &mut PgConnection, ids: &[Uuid], codes: &[&str]) -> QueryResult<Vec<ChartFacts>> {
    accounts::table
        .filter(accounts::id.eq_any(ids).or(accounts::code.eq_any(codes)))
        .select((
            accounts::id,
            accounts::code,
            accounts::name,
            accounts::heading,
            accounts::control,
            accounts::currency,
            accounts::status,
        ))
        .load(conn)
}

/// Lines as they are kept; every fault of all of them.
pub fn resolve(
    conn: &mut PgConnection,
    base_currency: Currency,
    date: NaiveDate,
    lines: &[JournalEntryLineIn],
    faults: &mut Faults,
) -> Result<Vec<DraftLine>> {
    let ids: Vec<Uuid> = lines.iter().filter_map(|line| line.account_id).collect();
    let codes: Vec<&str> = lines.iter().filter_map(|line| line.account.as_deref()).collect();
    let chart = chart(conn, &ids, &codes)?;
    let by_id: HashMap<Uuid, &ChartFacts> = chart.iter().map(|account| (account.id, account)).collect();
    let by_code: HashMap<&str, &ChartFacts> = chart.iter().map(|account| (account.code.as_str(), account)).collect();
    let mut resolved = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        let at = |field: &str| format!("/lines/{index}/{field}");
        let (pointer, account) = match (line.account_id, &line.account) {
            (Some(_), Some(_)) => {
                faults.add(
                    at("account"),
                    "ambiguous",
                    "name the account by id or by code, not both",
                );
                continue;
            }
            (Some(id), None) => (at("account_id"), by_id.get(&id)),
            (None, Some(code)) => (at("account"), by_code.get(code.as_str())),
            (None, None) => {
                faults.add(at("account"), "required", "name the account by id or by code");
                continue;
            }
        };
        let currency = line.currency.unwrap_or(base_currency);
        let sums = sums(line, currency, base_currency, &at, faults);
        let Some(account) = account else {
            faults.add(pointer, "unknown_account", "there is no such account");
            continue;
        };
        check_account(account, currency, &pointer, &at("currency"), faults);
        if let Some((amount, base)) = sums {
            resolved.push(DraftLine {
                account_id: account.id,
                currency,
                amount,
                base,
                rated: currency != base_currency && line.base_amount.is_none(),
                description: line.description.clone(),
                department_id: line.department_id,
                project_id: line.project_id,
                cash_flow_category: line.cash_flow_category,
            });
        }
    }
    check_dimensions(conn, lines, faults)?;
    if faults.is_empty() {
        value(conn, base_currency, date, &mut resolved)?;
    }
    Ok(resolved)
}

/// Gives lines whose value was not said the value of a day. Where all lines are such and balance in their one currency, what
/// rounding leaves goes to the largest.
///
/// # Errors
/// 422 `rate_missing`.
pub fn value(conn: &mut PgConnection, base_currency: Currency, date: NaiveDate, lines: &mut [DraftLine]) -> Result<()> {
    for line in lines.iter_mut().filter(|line| line.rated) {
        let rate = currencies::rate(conn, line.currency, base_currency, date)?;
        let value = currencies::convert(line.amount.value(), rate, base_currency)?;
        line.base = in_bounds(value)?;
    }
    let alike = lines
        .iter()
        .all(|line| line.rated && line.currency == lines[0].currency);
    let sum = |of: fn(&DraftLine) -> Decimal| lines.iter().map(of).sum::<Decimal>();
    let (amount, rest) = (sum(|line| line.amount.value()), sum(|line| line.base.value()));
    if alike && amount.is_zero() && !rest.is_zero() {
        let largest = lines.iter_mut().max_by_key(|line| line.base.value().abs());
        if let Some(line) = largest {
            line.base = in_bounds(line.base.value() - rest)?;
        }
    }
    Ok(())
}

fn in_bounds(value: Decimal) -> Result<Amount, Problem> {
    Amount::new(value).map_err(|error| Problem::rule("out_of_range", error.to_string()))
}

/// Whether a line may be written to an account by hand.
pub fn check_account(
    account: &ChartFacts,
    currency: Currency,
    pointer: &str,
    currency_pointer: &str,
    faults: &mut Faults,
) {
    let code = &account.code;
    if account.heading {
        faults.add(
            pointer,
            "heading",
            format!("{code} is a heading: post to an account below it"),
        );
    }
    if let Some(control) = &account.control {
        let message = format!("{code} is the control account of {control}: only documents post to it");
        faults.add(pointer, "control_account", message);
    }
    if account.status == "retired" {
        faults.add(pointer, "account_retired", format!("{code} is retired"));
    }
    if let Some(only) = account.currency.as_deref().filter(|only| *only != currency.code()) {
        faults.add(currency_pointer, "wrong_currency", format!("{code} takes {only} only"));
    }
}

/// Amount and value in the base currency, signed.
fn sums(
    line: &JournalEntryLineIn,
    currency: Currency,
    base: Currency,
    at: &dyn Fn(&str) -> String,
    faults: &mut Faults,
) -> Option<(Amount, Amount)> {
    let before = faults.len();
    let (field, given, sign) = match (line.debit, line.credit, line.amount) {
        (Some(debit), None, None) => ("debit", debit, Decimal::ONE),
        (None, Some(credit), None) => ("credit", credit, -Decimal::ONE),
        (None, None, Some(amount)) => ("amount", amount, Decimal::ONE),
        (None, None, None) => {
            faults.add(at("amount"), "required", "give one of debit, credit and amount");
            return None;
        }
        _ => {
            faults.add(
                at("amount"),
                "ambiguous",
                "give one of debit, credit and amount, not several",
            );
            return None;
        }
    };
    let valued = line.base_amount.filter(|value| !value.is_zero());
    if field != "amount" && given.value().is_sign_negative() {
        faults.add(at(field), "out_of_range", "must not be negative: use the other side");
    }
    if given.is_zero() && (currency == base || valued.is_none()) {
        faults.add(at(field), "out_of_range", "must not be 0");
    }
    too_fine(given, currency, &at(field), faults);
    let value = match (currency == base, line.base_amount) {
        (true, None) => given,
        (true, Some(value)) => {
            if value != given {
                let message = format!("the line is in {base}, the base currency: leave it out");
                faults.add(at("base_amount"), "differs", message);
            }
            given
        }
        (false, Some(value)) => {
            too_fine(value, base, &at("base_amount"), faults);
            let opposed = value.value().is_sign_negative() != given.value().is_sign_negative();
            if opposed && !value.is_zero() && !given.is_zero() {
                faults.add(
                    at("base_amount"),
                    "opposite_sign",
                    format!("must have the sign of {field}"),
                );
            }
            value
        }
        // The rate of the day gives it.
        (false, None) => Amount::ZERO,
    };
    let signed = |value: Amount| Amount::new(value.value() * sign).ok();
    (faults.len() == before)
        .then(|| Some((signed(given)?, signed(value)?)))
        .flatten()
}

fn too_fine(value: Amount, currency: Currency, pointer: &str, faults: &mut Faults) {
    if currency.round(value.value()) != value.value() {
        let message = format!("{currency} has {} digits after the point", currency.minor_digits());
        faults.add(pointer, "out_of_range", message);
    }
}

fn check_dimensions(conn: &mut PgConnection, lines: &[JournalEntryLineIn], faults: &mut Faults) -> Result<()> {
    let named = lines.iter().flat_map(|line| [line.department_id, line.project_id]);
    let ids: Vec<Uuid> = named.flatten().collect();
    if ids.is_empty() {
        return Ok(());
    }
    let known: Vec<(Uuid, String, String)> = dimensions::table
        .filter(dimensions::id.eq_any(&ids))
        .select((dimensions::id, dimensions::kind, dimensions::status))
        .load(conn)?;
    for (index, line) in lines.iter().enumerate() {
        for (kind, id) in [("department", line.department_id), ("project", line.project_id)] {
            let Some(id) = id else { continue };
            let pointer = format!("/lines/{index}/{kind}_id");
            match known.iter().find(|(of, is, _)| *of == id && is == kind) {
                None => faults.add(pointer, &format!("unknown_{kind}"), format!("there is no such {kind}")),
                Some((_, _, status)) if status == "retired" => {
                    faults.add(pointer, &format!("{kind}_retired"), format!("the {kind} is retired"))
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}
