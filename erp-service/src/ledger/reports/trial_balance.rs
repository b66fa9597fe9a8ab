use super::sums::{self, ByAccount, Sums};
use super::{ReportFormat, consistent, ledger_link};
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
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TrialBalanceQuery {
    /// Balances at the end of this day; default today.
    date: Option<NaiveDate>,
    /// Instead of `date`: what was moved from this day …
    from: Option<NaiveDate>,
    /// … to this one; default today.
    to: Option<NaiveDate>,
    /// `csv` for the rows as CSV, as with `Accept: text/csv`.
    #[param(inline)]
    #[allow(dead_code, reason = "the kit reads it")]
    format: Option<ReportFormat>,
}

/// Every account with its balance: both sides come to the same.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TrialBalance {
    /// `null`: from the beginning.
    pub from: Option<NaiveDate>,
    pub to: NaiveDate,
    /// The base currency, in which all figures are.
    pub currency: Currency,
    pub total: TrialBalanceTotal,
    /// By code; accounts without lines and without a balance are left out.
    pub rows: Vec<TrialBalanceRow>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TrialBalanceTotal {
    pub debit: Amount,
    pub credit: Amount,
    pub balance_debit: Amount,
    pub balance_credit: Amount,
}

/// An account in a trial balance.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TrialBalanceRow {
    pub account_id: Uuid,
    /// Code of the account.
    pub account: String,
    pub account_name: String,
    pub kind: AccountKind,
    /// Balance before; a debit is positive.
    pub opening: Amount,
    pub debit: Amount,
    pub credit: Amount,
    /// Balance after; a debit is positive.
    pub balance: Amount,
    /// The balance when it is a debit.
    pub balance_debit: Amount,
    /// The balance when it is a credit.
    pub balance_credit: Amount,
    /// Its lines.
    pub link: String,
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_trial_balance);
}

/// The trial balance at a day, or of a span of days.
#[utoipa::path(tag = "reports", params(TrialBalanceQuery), security(("api_key" = ["reports:read"])),
    responses((status = 200, description = "The trial balance", body = TrialBalance)))]
#[get("/reports/trial-balance")]
async fn get_trial_balance(read: Read<may::ReadReports>, query: Query<TrialBalanceQuery>) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| consistent(conn, |conn| report(conn, &query, today)))
        .await
}

fn report(conn: &mut PgConnection, query: &TrialBalanceQuery, today: NaiveDate) -> Result<TrialBalance> {
    if query.date.is_some() && (query.from.is_some() || query.to.is_some()) {
        return Err(Problem::bad_request("invalid_parameter", "date: give either it or from and to").into());
    }
    let to = query.date.or(query.to).unwrap_or(today);
    if query.from.is_some_and(|from| from > to) {
        return Err(Problem::bad_request("invalid_parameter", "to: is before from").into());
    }
    let opening = match query.from.and_then(|from| from.pred_opt()) {
        Some(before) => sums::of_all(conn, None, before)?,
        None => ByAccount::new(),
    };
    let moved = sums::of_all(conn, query.from, to)?;
    let currency = company::settings(conn)?.base_currency;
    let chart: Vec<Account> = accounts::table
        .order(accounts::code)
        .select(Account::as_select())
        .load(conn)?;
    let mut total = Total::default();
    let mut rows = Vec::new();
    for account in chart {
        let opening = opening.get(&account.id).copied().unwrap_or_default().balance();
        let moved = moved.get(&account.id).copied().unwrap_or_default();
        if opening.is_zero() && moved == Sums::default() {
            continue;
        }
        let balance = opening + moved.balance();
        let sides = (balance.max(Decimal::ZERO), (-balance).max(Decimal::ZERO));
        total.add(moved, sides);
        rows.push(TrialBalanceRow {
            link: ledger_link(&account.code, query.from, to),
            account_id: account.id,
            account: account.code,
            account_name: account.name,
            kind: account.kind,
            opening: shown(currency, opening)?,
            debit: shown(currency, moved.debit)?,
            credit: shown(currency, moved.credit)?,
            balance: shown(currency, balance)?,
            balance_debit: shown(currency, sides.0)?,
            balance_credit: shown(currency, sides.1)?,
        });
    }
    Ok(TrialBalance {
        from: query.from,
        to,
        currency,
        total: total.shown(currency)?,
        rows,
    })
}

#[derive(Default)]
struct Total {
    moved: Sums,
    sides: Sums,
}

impl Total {
    fn add(&mut self, moved: Sums, sides: (Decimal, Decimal)) {
        self.moved.debit += moved.debit;
        self.moved.credit += moved.credit;
        self.sides.debit += sides.0;
        self.sides.credit += sides.1;
    }

    fn shown(&self, currency: Currency) -> Result<TrialBalanceTotal> {
        Ok(TrialBalanceTotal {
            debit: shown(currency, self.moved.debit)?,
            credit: shown(currency, self.moved.credit)?,
            balance_debit: shown(currency, self.sides.debit)?,
            balance_credit: shown(currency, self.sides.credit)?,
        })
    }
}
