use super::statement::{Statement, StatementRow};
use super::{ReportFormat, consistent, ledger_link, start_of_year, sums};
use crate::company;
use crate::ledger::accounts::{Account, AccountKind};
use crate::ledger::shown;
use crate::may;
use crate::schema::accounts;
use actix_web::get;
use chrono::NaiveDate;
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::{Amount, Answer, Currency, Problem, Query, Read, Result, Routes};
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct BalanceSheetQuery {
    /// The end of this day; default today.
    date: Option<NaiveDate>,
    /// `csv` for the rows as CSV, as with `Accept: text/csv`.
    #[param(inline)]
    #[allow(dead_code, reason = "the kit reads it")]
    format: Option<ReportFormat>,
}

/// What the company has, and to whom it belongs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BalanceSheet {
    pub date: NaiveDate,
    /// The base currency, in which all figures are.
    pub currency: Currency,
    pub assets: Amount,
    pub liabilities: Amount,
    /// With the results that no closing entry has moved there yet.
    pub equity: Amount,
    /// Income less expense of the fiscal year so far; 0 once it is closed.
    pub result_of_year: Amount,
    /// Of earlier years that are not closed.
    pub result_of_earlier_years: Amount,
    /// Headings before what is below them.
    pub rows: Vec<StatementRow>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_balance_sheet);
}

/// The balance sheet at a day. Results that are not closed stand in equity as figures that are computed.
#[utoipa::path(tag = "reports", params(BalanceSheetQuery), security(("api_key" = ["reports:read"])),
    responses((status = 200, description = "The balance sheet", body = BalanceSheet)))]
#[get("/reports/balance-sheet")]
async fn get_balance_sheet(read: Read<may::ReadReports>, query: Query<BalanceSheetQuery>) -> Result<Answer, Problem> {
    let date = query.date.unwrap_or(read.today());
    read.json(move |conn| consistent(conn, |conn| report(conn, date))).await
}

fn report(conn: &mut PgConnection, date: NaiveDate) -> Result<BalanceSheet> {
    let currency = company::settings(conn)?.base_currency;
    let chart: Vec<Account> = accounts::table.select(Account::as_select()).load(conn)?;
    let start = start_of_year(conn, date)?;
    let balances: HashMap<Uuid, Decimal> = {
        let all = sums::of_all(conn, None, date)?;
        all.into_iter().map(|(id, sums)| (id, sums.balance())).collect()
    };
    let earlier = match start.pred_opt() {
        Some(before) => sums::of_all(conn, None, before)?,
        None => HashMap::new(),
    };
    // Income is a credit: a profit is positive.
    let result = |of: &dyn Fn(&Account) -> Decimal| {
        let results = chart.iter().filter(|account| is_result(account.kind));
        -results.map(of).sum::<Decimal>()
    };
    let all = result(&|account| balances.get(&account.id).copied().unwrap_or_default());
    let before = result(&|account| earlier.get(&account.id).copied().unwrap_or_default().balance());
    let link = |code: &str| ledger_link(code, None, date);
    let statement = Statement::new(currency, &chart, &balances, &link);
    let mut rows = Vec::new();
    let assets = statement.section(AccountKind::Asset, &mut rows)?;
    let liabilities = statement.section(AccountKind::Liability, &mut rows)?;
    let equity = statement.section(AccountKind::Equity, &mut rows)?;
    for (name, amount, from) in [
        ("Result of earlier years, not closed", before, None),
        ("Result of the year", all - before, Some(start)),
    ] {
        if amount.is_zero() {
            continue;
        }
        let from = from.map(|from| format!("from={from}&")).unwrap_or_default();
        rows.push(StatementRow {
            section: AccountKind::Equity,
            account_id: None,
            account: None,
            name: name.to_owned(),
            depth: 0,
            heading: false,
            amount: shown(currency, amount)?,
            link: (!from.is_empty()).then(|| format!("/v1/reports/profit-and-loss?{from}to={date}")),
        });
    }
    Ok(BalanceSheet {
        date,
        currency,
        assets: shown(currency, assets)?,
        liabilities: shown(currency, liabilities)?,
        equity: shown(currency, equity + all)?,
        result_of_year: shown(currency, all - before)?,
        result_of_earlier_years: shown(currency, before)?,
        rows,
    })
}

fn is_result(kind: AccountKind) -> bool {
    matches!(kind, AccountKind::Income | AccountKind::Expense)
}
