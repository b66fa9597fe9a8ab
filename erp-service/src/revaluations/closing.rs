//! A period with anything open in foreign currency closes after its last day was revalued.

use super::queries;
use crate::ledger::checks::{Check, CheckKind, ClosingPeriod, Finding};
use diesel::PgConnection;
use service_kit::Result;

/// Contributed to the checklist of a period.
pub const CHECKS: &[Check] = &[Check {
    code: "revaluation_missing",
    kind: CheckKind::Blocker,
    run: missing,
}];

fn missing(conn: &mut PgConnection, period: &ClosingPeriod) -> Result<Vec<Finding>> {
    if queries::of_date(conn, period.ends_on)?.is_some() {
        return Ok(Vec::new());
    }
    let open = queries::positions(conn, period.ends_on)?;
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let message = format!(
        "{} positions in foreign currency are not revalued on {}",
        open.len(),
        period.ends_on
    );
    Ok(vec![Finding::new(message).link("/v1/revaluations".to_owned())])
}
