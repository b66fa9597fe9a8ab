//! Which taxes a purchase bears, and what they come to.

use super::suppliers::Supplier;
use crate::purchasing::bills::SupplierBillTax;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use service_kit::{Currency, Result, Tx};
use uuid::Uuid;

/// The taxes of a bill with these lines (product, net), once for each code and rate.
///
/// # Errors
/// When the database refuses.
pub fn of_purchase(
    _tx: &mut Tx<'_>,
    _supplier: &Supplier,
    _currency: Currency,
    _lines: &[(Option<Uuid>, Decimal)],
    _date: NaiveDate,
) -> Result<Vec<SupplierBillTax>> {
    Ok(Vec::new())
}
