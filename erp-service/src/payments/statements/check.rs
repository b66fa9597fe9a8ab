//! Unmatched lines stand in the way of closing their period.

use super::lines::{BankLineStatus, BankStatementLine};
use crate::ledger::checks::{Check, CheckKind, ClosingPeriod, Finding};
use crate::schema::bank_statement_lines as table;
use diesel::prelude::*;
use service_kit::Result;

/// Contributed to the checklist of a period.
pub const CHECKS: &[Check] = &[Check {
    code: "unmatched_bank_lines",
    kind: CheckKind::Blocker,
    run: unmatched,
}];

fn unmatched(conn: &mut PgConnection, period: &ClosingPeriod) -> Result<Vec<Finding>> {
    let lines: Vec<BankStatementLine> = table::table
        .filter(table::status.eq(BankLineStatus::Unmatched))
        .filter(table::booked_on.between(period.starts_on, period.ends_on))
        .order((table::booked_on, table::id))
        .limit(1_000)
        .select(BankStatementLine::as_select())
        .load(conn)?;
    let findings = lines.into_iter().map(|line| {
        let what = line
            .reference
            .as_deref()
            .or(line.counterparty_name.as_deref())
            .unwrap_or("without a reference");
        let what: String = what.chars().take(100).collect();
        let message = format!("{} {} {} is not matched: {what}", line.date, line.amount, line.currency);
        Finding::new(message)
            .subject("bank_statement_line", line.id)
            .link(format!("/v1/bank-statement-lines/{}", line.id))
    });
    Ok(findings.collect())
}
