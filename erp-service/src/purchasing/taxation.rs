//! Which taxes a purchase bears, and what they come to.

use super::suppliers::{Supplier, SupplierAddressKind};
use crate::company;
use crate::taxes::{self, Direction, Party, TaxCodeRate, TaxTotal, Taxable, TaxableLine};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::{Currency, Result, Tx};
use uuid::Uuid;

/// The taxes of a document.
#[derive(Debug, Clone)]
pub struct PurchaseTaxes {
    /// The codes of each line.
    pub lines: Vec<Vec<TaxCodeRate>>,
    pub totals: Vec<TaxTotal>,
    /// What the supplier charges; without reverse charge.
    pub tax: Decimal,
}

/// The taxes of a document with these lines (product, net), at the rates of `tax_point`.
///
/// # Errors
/// 422 `tax_rate_missing`, `out_of_range`.
pub fn of_purchase(
    tx: &mut Tx<'_>,
    supplier: &Supplier,
    currency: Currency,
    lines: &[(Option<Uuid>, Decimal)],
    tax_point: NaiveDate,
) -> Result<PurchaseTaxes> {
    let taxable: Vec<Taxable<'_>> = lines
        .iter()
        .map(|(product, _)| product.map_or(Taxable::Class(None), Taxable::Product))
        .collect();
    let codes = taxes::determine(tx, Direction::Purchase, &party(supplier), &taxable, tax_point)?;
    let parts: Vec<TaxableLine> = lines
        .iter()
        .zip(&codes)
        .map(|((_, net), codes)| TaxableLine {
            amount: *net,
            codes: codes.clone(),
        })
        .collect();
    let rounding = company::settings(tx)?.tax_rounding;
    let taxed = taxes::compute(currency, false, rounding, &parts)?;
    Ok(PurchaseTaxes {
        lines: codes,
        totals: taxed.totals,
        tax: taxed.tax,
    })
}

/// Where goods come from: the office's country, else that of the first address.
fn party(supplier: &Supplier) -> Party {
    let addresses = &supplier.addresses.0;
    let office = addresses
        .iter()
        .find(|address| address.kind == SupplierAddressKind::Office)
        .or(addresses.first());
    Party {
        tax_class: supplier.tax_class.clone(),
        country: office.map(|address| address.country.clone()),
    }
}

/// A total as a document keeps it.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    code: TaxCodeRate,
    base: Decimal,
    tax: Decimal,
}

/// Totals as a JSON column.
///
/// # Errors
/// When they cannot be serialised, which is a bug.
pub fn to_json(totals: &[TaxTotal]) -> Result<Value> {
    let stored = totals.iter().map(|total| Stored {
        code: total.code.clone(),
        base: total.base,
        tax: total.tax,
    });
    Ok(serde_json::to_value(stored.collect::<Vec<_>>())?)
}

/// Totals from a JSON column.
///
/// # Errors
/// When somebody else wrote the column.
pub fn from_json(value: &Value) -> Result<Vec<TaxTotal>> {
    let stored: Vec<Stored> = serde_json::from_value(value.clone())?;
    let totals = stored.into_iter().map(|total| TaxTotal {
        code: total.code,
        base: total.base,
        tax: total.tax,
    });
    Ok(totals.collect())
}
