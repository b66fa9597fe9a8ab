//! What the warehouse has to finish before a period closes.

use super::counts;
use crate::inventory::valuation;
use crate::ledger::checks::{Check, CheckKind, ClosingPeriod, Finding};
use crate::ledger::shown;
use diesel::PgConnection;
use service_kit::Result;

/// Contributed to the checklist of a period.
pub const CHECKS: &[Check] = &[
    Check {
        code: "unapproved_counts",
        kind: CheckKind::Blocker,
        run: unapproved_counts,
    },
    Check {
        code: "stock_differs",
        kind: CheckKind::Blocker,
        run: stock_differs,
    },
];

fn unapproved_counts(conn: &mut PgConnection, period: &ClosingPeriod) -> Result<Vec<Finding>> {
    let counts = counts::unapproved(conn, period.ends_on)?;
    let findings = counts
        .into_iter()
        .map(|id| Finding::new("a count that nobody has approved or cancelled").subject("stock_count", id));
    Ok(findings.collect())
}

/// The stock accounts against what the moves up to the end of the period are worth.
fn stock_differs(conn: &mut PgConnection, period: &ClosingPeriod) -> Result<Vec<Finding>> {
    let compared = valuation::matches_ledger(conn, period.ends_on)?;
    if compared.matches() {
        return Ok(Vec::new());
    }
    let message = format!(
        "stock is worth {}, the stock accounts are {}",
        compared.valuation.normalize(),
        compared.ledger.normalize()
    );
    let finding = Finding::new(message)
        .amount(shown(period.base_currency, compared.difference())?)
        .link(format!("/v1/reports/stock-valuation?date={}", period.ends_on));
    Ok(vec![finding])
}
