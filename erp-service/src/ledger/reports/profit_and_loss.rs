use super::statement::{Statement, StatementRow};
use super::{ReportFormat, consistent, ledger_link, span, sums};
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
struct ProfitAndLossQuery {
    /// Default: the beginning of the fiscal year.
    from: Option<NaiveDate>,
    /// Default today.
    to: Option<NaiveDate>,
    /// Only lines of this department.
    department_id: Option<Uuid>,
    /// Only lines of this project.
    project_id: Option<Uuid>,
    /// `csv` for the rows as CSV, as with `Accept: text/csv`.
    #[param(inline)]
    #[allow(dead_code, reason = "the kit reads it")]
    format: Option<ReportFormat>,
}

/// What was earned and spent. Entries that close a year are left out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProfitAndLoss {
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    /// The base currency, in which all figures are.
    pub currency: Currency,
    pub income: Amount,
    pub expenses: Amount,
    /// Income less expenses.
    pub result: Amount,
    /// Headings before what is below them.
    pub rows: Vec<StatementRow>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_profit_and_loss);
}

/// The profit and loss account of a span of days, of the company or of a department or project.
#[utoipa::path(tag = "reports", params(ProfitAndLossQuery), security(("api_key" = ["reports:read"])),
    responses((status = 200, description = "The profit and loss account", body = ProfitAndLoss)))]
#[get("/reports/profit-and-loss")]
async fn get_profit_and_loss(
    read: Read<may::ReadReports>,
    query: Query<ProfitAndLossQuery>,
) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| consistent(conn, |conn| report(conn, &query, today)))
        .await
}

fn report(conn: &mut PgConnection, query: &ProfitAndLossQuery, today: NaiveDate) -> Result<ProfitAndLoss> {
    let (from, to) = span(conn, query.from, query.to, today)?;
    let currency = company::settings(conn)?.base_currency;
    let chart: Vec<Account> = accounts::table.select(Account::as_select()).load(conn)?;
    let balances = match (query.department_id, query.project_id) {
        (None, None) => {
            let mut balances = balances(sums::of_all(conn, Some(from), to)?);
            for (account, moved) in sums::of_closing(conn, from, to)? {
                *balances.entry(account).or_default() -= moved.balance();
            }
            balances
        }
        (department, project) => balances(sums::of_dimensions(conn, department, project, from, to)?),
    };
    let link = |code: &str| ledger_link(code, Some(from), to);
    let statement = Statement::new(currency, &chart, &balances, &link);
    let mut rows = Vec::new();
    let income = statement.section(AccountKind::Income, &mut rows)?;
    let expenses = statement.section(AccountKind::Expense, &mut rows)?;
    Ok(ProfitAndLoss {
        from,
        to,
        department_id: query.department_id,
        project_id: query.project_id,
        currency,
        income: shown(currency, income)?,
        expenses: shown(currency, expenses)?,
        result: shown(currency, income - expenses)?,
        rows,
    })
}

fn balances(sums: sums::ByAccount) -> HashMap<Uuid, Decimal> {
    sums.into_iter().map(|(id, sums)| (id, sums.balance())).collect()
}
