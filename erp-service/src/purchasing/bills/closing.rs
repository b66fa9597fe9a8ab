//! Bills that are not posted stand in the way of closing their period.

use super::status::SupplierBillStatus;
use crate::ledger::checks::{Check, CheckKind, ClosingPeriod, Finding};
use crate::schema::supplier_bills;
use diesel::prelude::*;
use service_kit::Result;
use uuid::Uuid;

/// Contributed to the checklist of a period.
pub const CHECKS: &[Check] = &[Check {
    code: "unposted_bills",
    kind: CheckKind::Blocker,
    run: unposted,
}];

fn unposted(conn: &mut PgConnection, period: &ClosingPeriod) -> Result<Vec<Finding>> {
    let bills: Vec<(Uuid, String)> = supplier_bills::table
        .filter(supplier_bills::status.eq_any([SupplierBillStatus::Draft, SupplierBillStatus::MatchHeld]))
        .filter(supplier_bills::bill_date.between(period.starts_on, period.ends_on))
        .order((supplier_bills::bill_date, supplier_bills::id))
        .select((supplier_bills::id, supplier_bills::supplier_number))
        .load(conn)?;
    let findings = bills
        .into_iter()
        .map(|(id, number)| Finding::new(format!("bill {number} is not posted")).subject("supplier_bill", id));
    Ok(findings.collect())
}
