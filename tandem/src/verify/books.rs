//! Do the books of the ERP show what the files come to? On the day of the newest order.

use super::Check;
use crate::api::Api;
use crate::demo::{CURRENCY, Company};
use crate::failure::Result;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The accounts that the company's documents post to, in the chart that comes with the ERP.
const BANK: &str = "1020";
const RECEIVABLE: &str = "1100";
const STOCK: &str = "1300";
const OPENING_EQUITY: &str = "3020";
const REVENUE: &str = "4010";
const FREIGHT: &str = "4020";
const COST_OF_GOODS_SOLD: &str = "5010";

/// The trial balance, by account.
pub(super) struct Shown {
    balances: BTreeMap<String, (String, Decimal)>,
    debit: Decimal,
    credit: Decimal,
    not_due: Decimal,
}

#[derive(Deserialize)]
struct TrialBalance {
    total: Sides,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Sides {
    balance_debit: Decimal,
    balance_credit: Decimal,
}

#[derive(Deserialize)]
struct Row {
    account: String,
    account_name: String,
    balance: Decimal,
}

#[derive(Deserialize)]
struct Ageing {
    totals: NotDue,
}

#[derive(Deserialize)]
struct NotDue {
    not_due: Decimal,
}

pub(super) async fn shown(erp: &Api, company: &Company) -> Result<Shown> {
    let date = company.closing_date();
    let balance: TrialBalance = erp.get(&format!("/v1/reports/trial-balance?date={date}")).await?;
    let ageing: Ageing = erp.get(&format!("/v1/reports/receivable-ageing?date={date}")).await?;
    let rows = balance.rows.into_iter();
    Ok(Shown {
        balances: rows.map(|row| (row.account, (row.account_name, row.balance))).collect(),
        debit: balance.total.balance_debit,
        credit: balance.total.balance_credit,
        not_due: ageing.totals.not_due,
    })
}

pub(super) fn all(company: &Company, shown: &Shown) -> Vec<Check> {
    let books = company.books();
    let accounts = [
        ("books: bank", BANK, books.bank),
        ("books: receivable", RECEIVABLE, books.receivable),
        ("books: stock", STOCK, books.stock),
        (
            "books: cost of goods sold",
            COST_OF_GOODS_SOLD,
            books.cost_of_goods_sold,
        ),
        ("books: revenue", REVENUE, -books.revenue),
        ("books: freight", FREIGHT, -books.freight),
        ("books: opening equity", OPENING_EQUITY, -books.opening_equity),
    ];
    let balance = |account: &str| {
        shown
            .balances
            .get(account)
            .map_or(Decimal::ZERO, |(_, balance)| *balance)
    };
    let mut checks: Vec<Check> = accounts
        .iter()
        .map(|(name, account, expected)| check(name, *expected, balance(account), Vec::new()))
        .collect();
    let others = shown
        .balances
        .iter()
        .filter(|(account, (_, balance))| !balance.is_zero() && accounts.iter().all(|(_, known, _)| known != account));
    let others: Vec<String> = others
        .map(|(account, (name, balance))| format!("account {account} {name} stands at {balance}"))
        .collect();
    checks.push(check("books: debit side", books.debit(), shown.debit, others));
    checks.push(check("books: credit side", books.credit(), shown.credit, Vec::new()));
    checks.push(check(
        "books: receivable, not due",
        books.not_due,
        shown.not_due,
        Vec::new(),
    ));
    checks
}

/// A credit balance is shown without its sign, as books do.
fn check(name: &'static str, expected: Decimal, found: Decimal, differences: Vec<String>) -> Check {
    let text = |amount: Decimal| {
        let shown = match (amount.is_zero(), expected.is_sign_negative()) {
            (true, _) => Decimal::ZERO,
            (false, true) => -amount,
            (false, false) => amount,
        };
        CURRENCY.round(shown).to_string()
    };
    Check {
        name,
        expected: text(expected),
        erp: text(found),
        crm: None,
        differences,
    }
}
