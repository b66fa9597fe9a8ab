use super::{ReportFormat, consistent, encoded, span, sums};
use crate::company;
use crate::ledger::shown;
use crate::may;
use crate::schema::accounts;
use actix_web::get;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::{Amount, Answer, Currency, Problem, Query, Read, Result, Routes};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CashFlowQuery {
    /// Default: the beginning of the fiscal year.
    from: Option<NaiveDate>,
    /// Default today.
    to: Option<NaiveDate>,
    /// `csv` for the rows as CSV, as with `Accept: text/csv`.
    #[param(inline)]
    #[allow(dead_code, reason = "the kit reads it")]
    format: Option<ReportFormat>,
}

/// Where money came from and went to, by the direct method: opening balance + flows = closing balance of cash and bank.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CashFlow {
    pub from: NaiveDate,
    pub to: NaiveDate,
    /// The base currency, in which all figures are.
    pub currency: Currency,
    /// Of all cash and bank accounts, before the first day.
    pub opening_balance: Amount,
    pub operating: Amount,
    pub investing: Amount,
    pub financing: Amount,
    /// What revaluation changed: no money moved.
    pub exchange_rates: Amount,
    /// After the last day.
    pub closing_balance: Amount,
    /// By category and by the account on the other side.
    pub rows: Vec<CashFlowRow>,
}

/// What one account on the other side brought and took.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CashFlowRow {
    /// `operating`, `investing`, `financing` or `exchange_rates`.
    pub category: String,
    pub account_id: Option<Uuid>,
    /// Code of the account on the other side.
    pub account: Option<String>,
    pub account_name: Option<String>,
    pub inflow: Amount,
    pub outflow: Amount,
    /// Inflow less outflow.
    pub net: Amount,
    /// The entries of that account.
    pub link: Option<String>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_cash_flow);
}

/// The cash flow of a span of days.
///
/// A cash or bank line counts for the category that it names; otherwise the other lines of its entry say, by themselves or by
/// their accounts, what the money was for. Transfers between cash and bank are no flow.
#[utoipa::path(tag = "reports", params(CashFlowQuery), security(("api_key" = ["reports:read"])),
    responses((status = 200, description = "The cash flow", body = CashFlow)))]
#[get("/reports/cash-flow")]
async fn get_cash_flow(read: Read<may::ReadReports>, query: Query<CashFlowQuery>) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| consistent(conn, |conn| report(conn, &query, today)))
        .await
}

#[derive(QueryableByName)]
struct Flow {
    #[diesel(sql_type = Text)]
    category: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    account_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Numeric)]
    inflow: Decimal,
    #[diesel(sql_type = Numeric)]
    outflow: Decimal,
}

/// What is not cash or bank in an entry comes to the opposite of what is: so the other lines say what the money was for, to
/// the cent. Where a cash or bank line says it itself, it counts as a whole; the largest of the other lines then names the
/// account, and the category of the lines beside it that say nothing.
const FLOWS: &str = "
    WITH touched AS (
        SELECT l.entry_id, e.kind = 'revaluation' AS revalued, bool_or(l.cash_flow_category IS NOT NULL) AS told
        FROM accounts a JOIN journal_entry_lines l ON l.account_id = a.id JOIN journal_entries e ON e.id = l.entry_id
        WHERE a.liquid AND l.posted_on BETWEEN $1 AND $2
        GROUP BY l.entry_id, e.kind
    ), flows AS (
        SELECT CASE WHEN t.revalued THEN 'exchange_rates' ELSE coalesce(l.cash_flow_category, a.cash_flow_category, 'operating') END AS category,
               l.account_id, l.credit - l.debit AS amount
        FROM touched t JOIN journal_entry_lines l ON l.entry_id = t.entry_id JOIN accounts a ON a.id = l.account_id
        WHERE NOT t.told AND NOT a.liquid
        UNION ALL
        SELECT coalesce(own.category, other.category, 'operating'), other.account_id, own.amount
        FROM touched t
        CROSS JOIN LATERAL (
            SELECT l.cash_flow_category AS category, sum(l.debit - l.credit) AS amount
            FROM journal_entry_lines l JOIN accounts a ON a.id = l.account_id
            WHERE l.entry_id = t.entry_id AND a.liquid GROUP BY l.cash_flow_category) own
        LEFT JOIN LATERAL (
            SELECT l.account_id, coalesce(l.cash_flow_category, a.cash_flow_category) AS category
            FROM journal_entry_lines l JOIN accounts a ON a.id = l.account_id
            WHERE l.entry_id = t.entry_id AND NOT a.liquid ORDER BY l.debit + l.credit DESC, l.position LIMIT 1) other ON true
        WHERE t.told
    )
    SELECT f.category, f.account_id, a.code, a.name,
           coalesce(sum(f.amount) FILTER (WHERE f.amount > 0), 0) AS inflow,
           coalesce(-sum(f.amount) FILTER (WHERE f.amount < 0), 0) AS outflow
    FROM flows f LEFT JOIN accounts a ON a.id = f.account_id
    GROUP BY f.category, f.account_id, a.code, a.name
    HAVING bool_or(f.amount <> 0)
    ORDER BY array_position(ARRAY['operating', 'investing', 'financing', 'exchange_rates'], f.category), a.code";

fn report(conn: &mut PgConnection, query: &CashFlowQuery, today: NaiveDate) -> Result<CashFlow> {
    let (from, to) = span(conn, query.from, query.to, today)?;
    let currency = company::settings(conn)?.base_currency;
    let opening = match from.pred_opt() {
        Some(before) => liquid(conn, before)?,
        None => Decimal::ZERO,
    };
    let closing = liquid(conn, to)?;
    let flows: Vec<Flow> = sql(FLOWS).bind::<Date, _>(from).bind::<Date, _>(to).rows(conn)?;
    let net = |category: &str| {
        let flows = flows.iter().filter(|flow| flow.category == category);
        shown(currency, flows.map(|flow| flow.inflow - flow.outflow).sum())
    };
    Ok(CashFlow {
        from,
        to,
        currency,
        opening_balance: shown(currency, opening)?,
        operating: net("operating")?,
        investing: net("investing")?,
        financing: net("financing")?,
        exchange_rates: net("exchange_rates")?,
        closing_balance: shown(currency, closing)?,
        rows: flows
            .iter()
            .map(|flow| {
                let code = flow.code.as_ref();
                Ok(CashFlowRow {
                    category: flow.category.clone(),
                    account_id: flow.account_id,
                    account: flow.code.clone(),
                    account_name: flow.name.clone(),
                    inflow: shown(currency, flow.inflow)?,
                    outflow: shown(currency, flow.outflow)?,
                    net: shown(currency, flow.inflow - flow.outflow)?,
                    link: code.map(|code| {
                        format!(
                            "/v1/journal-entries?account={}&date_from={from}&date_to={to}",
                            encoded(code)
                        )
                    }),
                })
            })
            .collect::<Result<_>>()?,
    })
}

/// Cash and bank at the end of a day.
fn liquid(conn: &mut PgConnection, day: NaiveDate) -> Result<Decimal> {
    let accounts: Vec<Uuid> = accounts::table
        .filter(accounts::liquid.eq(true))
        .select(accounts::id)
        .load(conn)?;
    let all = sums::of_all(conn, None, day)?;
    let balances = accounts.iter().filter_map(|id| all.get(id));
    Ok(balances.map(|sums| sums.balance()).sum())
}
