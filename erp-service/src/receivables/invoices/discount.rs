//! Cash discounts that a customer took, taken back with what is credited.
//!
//! A cash discount is reckoned on the price of the goods that are kept (Weygandt, Kimmel, Kieso, *Accounting Principles*,
//! chapter 5: on the invoice price less returns), and what is refunded is what was received for the goods (IFRS 15 §55).
//! So a credit note on what was paid with a discount credits its price less the discount's share:
//!
//! - What a credit note clears of its own invoice's open amount was not paid: it takes nothing back.
//! - Of the rest it takes back the share rest ÷ (settled and not credited yet) of the discounts that are left, line by line as
//!   the payments posted them (so with or without tax, as the company's `discount_tax` was then). The last takes what is left.

use super::InvoiceKind;
use super::rows::InvoiceRow;
use crate::ledger::Part;
use crate::schema::invoices;
use diesel::prelude::*;
use diesel::sql_types::{Jsonb, Uuid as SqlUuid};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;
use service_kit::db::sql;
use service_kit::{Currency, Result, Tx};

#[derive(QueryableByName)]
struct Posted {
    #[diesel(sql_type = Jsonb)]
    part: Value,
}

/// The lines to take back with `credited`, which is the part of a credit note that was not open any more, of `settled`, which is
/// all that was neither open nor credited. Positive is a debit, as the discount was.
///
/// # Errors
/// When the database refuses.
pub(super) fn taken_back(
    tx: &mut Tx<'_>,
    invoice: &InvoiceRow,
    (credited, settled): (Decimal, Decimal),
    base: Currency,
) -> Result<Vec<Part>> {
    let left = left(tx, invoice)?;
    let whole: Decimal = left.iter().map(|part| part.amount).sum();
    // A payment that bounced took its discount back itself, also what a credit note had taken of it.
    if whole <= Decimal::ZERO || credited <= Decimal::ZERO {
        return Ok(Vec::new());
    }
    Ok(share(&left, (credited, settled), invoice.currency, base))
}

/// The discounts of payments that stand, less what credit notes took back.
fn left(tx: &mut Tx<'_>, invoice: &InvoiceRow) -> Result<Vec<Part>> {
    // A settlement's first line is the discount's net, if it has one; the only tax in it is the discount's.
    let given: Vec<Posted> = sql("SELECT p.part FROM open_items i JOIN settlements s ON s.item_id = i.id
             JOIN allocations a ON a.id = s.allocation_id,
             LATERAL jsonb_array_elements(s.parts) WITH ORDINALITY AS p(part, place)
         WHERE i.document_id = $1 AND i.side = 'receivable' AND s.undone_on IS NULL AND a.discount <> 0
           AND (p.place = 1 OR p.part ->> 'tax_code' IS NOT NULL)
         ORDER BY s.created_at, s.allocation_id, p.place")
    .bind::<SqlUuid, _>(invoice.id)
    .rows(tx)?;
    let taken: Vec<Value> = invoices::table
        .filter(invoices::credited_invoice_id.eq(invoice.id))
        .filter(invoices::kind.eq(InvoiceKind::CreditNote))
        .filter(invoices::number.is_not_null())
        .select(invoices::discount_parts)
        .load(&mut **tx)?;
    let mut left: Vec<Part> = Vec::new();
    for given in given {
        add(&mut left, serde_json::from_value(given.part)?, Decimal::ONE);
    }
    for parts in taken {
        let parts: Vec<Part> = serde_json::from_value(parts)?;
        parts
            .into_iter()
            .for_each(|part| add(&mut left, part, Decimal::NEGATIVE_ONE));
    }
    Ok(left)
}

fn add(sums: &mut Vec<Part>, part: Part, factor: Decimal) {
    let tax_base = part.tax_base.map(|base| base * factor);
    match sums.iter_mut().find(|known| known.is_like(&part)) {
        Some(known) => {
            known.amount += part.amount * factor;
            known.base += part.base * factor;
            known.tax_base = known.tax_base.zip(tax_base).map(|(known, more)| known + more);
        }
        None => sums.push(Part {
            amount: part.amount * factor,
            base: part.base * factor,
            tax_base,
            ..part
        }),
    }
}

/// `part ÷ of` of each line: the sum half to even, its taxes half away from zero, and the net is what remains.
fn share(left: &[Part], (part, of): (Decimal, Decimal), currency: Currency, base: Currency) -> Vec<Part> {
    if part >= of {
        return left.to_vec();
    }
    let exact = |value: Decimal| {
        let product = value.checked_mul(part).and_then(|product| product.checked_div(of));
        product.unwrap_or_default()
    };
    let half_up = |value: Decimal, currency: Currency| {
        let (value, digits) = (exact(value), currency.minor_digits());
        value.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
    };
    let mut rest = currency.round(exact(left.iter().map(|line| line.amount).sum()));
    let mut base_rest = base.round(exact(left.iter().map(|line| line.base).sum()));
    let mut shares: Vec<Part> = Vec::with_capacity(left.len());
    // The net comes first in the list and last in the reckoning.
    for (index, line) in left.iter().enumerate().rev() {
        let (amount, value) = match index {
            0 => (rest, base_rest),
            _ => (half_up(line.amount, currency), half_up(line.base, base)),
        };
        (rest, base_rest) = (rest - amount, base_rest - value);
        shares.push(Part {
            amount,
            base: value,
            tax_base: line.tax_base.map(|taxed| half_up(taxed, base)),
            ..line.clone()
        });
    }
    shares.reverse();
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn part(code: &str, amount: &str, tax: Option<&str>) -> Part {
        Part {
            account_id: Uuid::nil(),
            code: code.to_owned(),
            name: code.to_owned(),
            rule: None,
            currency: Currency::USD,
            amount: dec(amount),
            base: dec(amount),
            tax_code: tax.map(str::to_owned),
            tax_base: tax.map(|_| dec("20.00")),
            tax_rate: None,
            tax_kind: None,
        }
    }

    /// 23.80 of discount on 1,189.99: a third of it, a half of what is left, and the rest.
    #[test]
    fn shares_come_to_the_whole() {
        let mut left = vec![part("6100", "20.00", None), part("2100", "3.80", Some("VAT"))];
        let mut settled = dec("1189.99");
        let mut taken = Vec::new();
        for credited in ["396.66", "396.66", "396.67"] {
            let parts = share(&left, (dec(credited), settled), Currency::USD, Currency::USD);
            taken.push((parts[0].amount, parts[1].amount));
            parts
                .into_iter()
                .for_each(|part| add(&mut left, part, Decimal::NEGATIVE_ONE));
            settled -= dec(credited);
        }
        let expected = [("6.66", "1.27"), ("6.67", "1.26"), ("6.67", "1.27")];
        assert_eq!(taken, expected.map(|(net, tax)| (dec(net), dec(tax))));
        assert!(left.iter().all(|part| part.amount.is_zero()));
    }
}
