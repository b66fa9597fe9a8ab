//! Money that came for a prepayment: the lines that it adds to the payment's entry.

use super::model::{AdvanceRow, PrepaymentStatus};
use super::requests;
use crate::ledger::open_items::{self, NewItem, Side};
use crate::ledger::{Entry, Role, Rules, Sum};
use crate::receivables::taxation::{self, InvoiceTax};
use crate::sales::orders::{Charge, queries as order_queries};
use crate::schema::{advances, prepayments};
use crate::taxes::{self, Direction, TaxCodeRate, Taxable, TaxableLine};
use crate::{company, customers, ledger};
use chrono::NaiveDate;
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;
use service_kit::{Currency, Error, OrNotFound, Problem, Result, Tx};
use uuid::Uuid;

/// Money that came.
#[derive(Debug, Clone, Copy)]
pub struct Receipt {
    /// What brought it, e.g. `payment`.
    pub document_type: &'static str,
    pub document_id: Uuid,
    pub party_id: Uuid,
    pub on: NaiveDate,
    /// Gross, in the currency of the prepayment, with its value in the base currency.
    pub sum: Sum,
}

/// Whether there is such a prepayment.
///
/// # Errors
/// When the database refuses.
pub fn exists(conn: &mut PgConnection, prepayment_id: Uuid) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(prepayments::table.find(prepayment_id))).get_result(conn)
}

/// What is still to come for a prepayment, in its currency, which must be that of the money.
///
/// # Errors
/// 404; 422 `wrong_currency`.
pub fn open_gross(conn: &mut PgConnection, prepayment_id: Uuid, currency: Currency) -> Result<Decimal> {
    let (status, gross, received, own): (PrepaymentStatus, Decimal, Decimal, Currency) = prepayments::table
        .find(prepayment_id)
        .select((
            prepayments::status,
            prepayments::gross,
            prepayments::received_gross,
            prepayments::currency,
        ))
        .first(conn)
        .or_not_found("prepayment")?;
    if own != currency {
        return Err(Problem::rule("wrong_currency", format!("the prepayment is in {own}")).into());
    }
    Ok(match status {
        PrepaymentStatus::Cancelled => Decimal::ZERO,
        _ => gross - received,
    })
}

/// Locks the order of a prepayment and the prepayment: before open items and numbers, after the customer.
///
/// # Errors
/// 404.
pub fn lock_for_receipt(tx: &mut Tx<'_>, prepayment_id: Uuid) -> Result<()> {
    let order: Uuid = prepayments::table
        .find(prepayment_id)
        .select(prepayments::order_id)
        .first(&mut **tx)
        .or_not_found("prepayment")?;
    order_queries::lock_many(tx, &[order])?;
    requests::lock(tx, prepayment_id)?;
    Ok(())
}

/// Locks the orders and prepayments of what a document brought in advance.
///
/// # Errors
/// When the database refuses.
pub fn lock_received(tx: &mut Tx<'_>, document_id: Uuid) -> Result<()> {
    let found: Vec<(Uuid, Uuid)> = advances::table
        .filter(advances::document_id.eq(document_id))
        .order((advances::order_id, advances::prepayment_id))
        .select((advances::order_id, advances::prepayment_id))
        .load(&mut **tx)?;
    let orders: Vec<Uuid> = found.iter().map(|(order, _)| *order).collect();
    order_queries::lock_many(tx, &orders)?;
    for (_, prepayment) in found {
        requests::lock(tx, prepayment)?;
    }
    Ok(())
}

/// Adds to the entry of a payment what came for a prepayment: Cr Advances and, where the company's advances are
/// taxed, Cr Tax by the rates of the day, in the proportions of the order. Call it before the entry is
/// posted, with the customer locked; pass the answered item to `note_settlement` afterwards.
///
/// # Errors
/// 404; 409 `illegal_transition`, `exceeds_open`; 422 `wrong_party`, `wrong_currency`.
pub fn receive(
    tx: &mut Tx<'_>,
    entry: &mut Entry,
    rules: &Rules,
    prepayment_id: Uuid,
    receipt: &Receipt,
) -> Result<Uuid> {
    let order_id: Uuid = prepayments::table
        .find(prepayment_id)
        .select(prepayments::order_id)
        .first(&mut **tx)
        .or_not_found("prepayment")?;
    let order = order_queries::lock_many(tx, &[order_id])?.pop();
    let (order, order_lines, _) = order.ok_or_else(|| Error::Bug("a prepayment without its order".into()))?;
    let (row, known) = requests::lock(tx, prepayment_id)?;
    check(&row, receipt)?;
    let company = company::settings(tx)?;
    let taxes = match company.tax_on_advances {
        false => Vec::new(),
        true => {
            let charges: Vec<Charge> = serde_json::from_value(order.charges.clone())?;
            let mut party = customers::tax_party(tx, row.customer_id)?;
            let shipped_to = order
                .shipping_address
                .as_ref()
                .and_then(|address| address["country"].as_str());
            if let Some(country) = shipped_to {
                party.country = Some(country.to_owned());
            }
            let mut amounts = Vec::new();
            let mut taxables = Vec::new();
            for line in &order_lines {
                amounts.push(line.line_total.unwrap_or_default());
                taxables.push(Taxable::Product(line.product_id));
            }
            for charge in &charges {
                amounts.push(charge.amount.value());
                taxables.push(Taxable::Class(charge.tax_class.as_deref()));
            }
            let codes = taxes::determine(tx, Direction::Sale, &party, &taxables, receipt.on)?;
            let lines: Vec<TaxableLine> = amounts
                .into_iter()
                .zip(codes)
                .map(|(amount, codes)| TaxableLine { amount, codes })
                .collect();
            let whole = taxes::compute(row.currency, order.prices_include_tax, company.tax_rounding, &lines)?;
            let grosses: Vec<Decimal> = whole.lines.iter().map(|line| line.gross).collect();
            let shares = in_proportion(row.currency, receipt.sum.amount, &lines, &grosses);
            taxed(
                row.currency,
                company.base_currency,
                company.tax_rounding,
                &shares,
                receipt.sum,
            )?
        }
    };
    let (tax, base_tax): (Decimal, Decimal) = taxes
        .iter()
        .map(|tax| (tax.tax.value(), tax.base_tax.value()))
        .fold((Decimal::ZERO, Decimal::ZERO), |sum, tax| {
            (sum.0 + tax.0, sum.1 + tax.1)
        });
    let net = Sum {
        base: receipt.sum.base - base_tax,
        amount: receipt.sum.amount - tax,
        currency: row.currency,
    };
    let account = rules.of(Role::AdvancesReceived)?;
    let item = Uuid::now_v7();
    open_items::create(
        tx,
        NewItem {
            id: item,
            side: Side::AdvancesReceived,
            party_id: row.customer_id,
            account_id: account.id,
            document_type: "prepayment",
            document_id: row.id,
            document_number: Some(row.number.clone()),
            instalment: i16::try_from(known.len() + 1).unwrap_or(i16::MAX),
            order_id: Some(row.order_id),
            currency: row.currency,
            amount: net.amount,
            posted_on: receipt.on,
            due_on: receipt.on,
            discount_until: None,
            discount: None,
        },
    )?;
    entry.credit(&account, net).item(item);
    taxation::post(entry, rules, row.currency, &[], &taxes, Decimal::NEGATIVE_ONE)?;
    let advance = AdvanceRow {
        id: Uuid::now_v7(),
        prepayment_id,
        customer_id: row.customer_id,
        order_id: row.order_id,
        document_type: receipt.document_type.to_owned(),
        document_id: receipt.document_id,
        received_on: receipt.on,
        currency: row.currency,
        gross: receipt.sum.amount,
        taxes: serde_json::to_value(&taxes)?,
        taxes_open: serde_json::to_value(&taxes)?,
        item_id: item,
        open_gross: receipt.sum.amount,
        entry_id: entry.id,
        cancelled_on: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    diesel::insert_into(advances::table)
        .values(&advance)
        .execute(&mut **tx)?;
    let mut after = row.clone();
    after.received_gross += receipt.sum.amount;
    after.status = match after.received_gross == after.gross {
        true => PrepaymentStatus::Received,
        false => PrepaymentStatus::PartiallyReceived,
    };
    requests::store(tx, (row, known), after)?;
    Ok(item)
}

fn check(row: &super::model::PrepaymentRow, receipt: &Receipt) -> Result<(), Problem> {
    if matches!(row.status, PrepaymentStatus::Received | PrepaymentStatus::Cancelled) {
        return Err(Problem::illegal_transition("receive", row.status.as_str(), &[]));
    }
    if row.customer_id != receipt.party_id {
        return Err(Problem::rule("wrong_party", "the prepayment is of another customer"));
    }
    if row.currency != receipt.sum.currency {
        let detail = format!("the prepayment is in {}", row.currency);
        return Err(Problem::rule("wrong_currency", detail));
    }
    let open = row.gross - row.received_gross;
    if receipt.sum.amount > open {
        let detail = format!("{} {} is still to come for it", open.normalize(), row.currency);
        return Err(Problem::conflict("exceeds_open", detail));
    }
    Ok(())
}

/// What came, shared among the order's codes by what each has of its gross; the last takes the rest.
fn in_proportion(currency: Currency, amount: Decimal, lines: &[TaxableLine], grosses: &[Decimal]) -> Vec<TaxableLine> {
    let mut groups: Vec<(Vec<TaxCodeRate>, Decimal)> = Vec::new();
    for (line, gross) in lines.iter().zip(grosses) {
        match groups.iter_mut().find(|(codes, _)| *codes == line.codes) {
            Some((_, sum)) => *sum += gross,
            None => groups.push((line.codes.clone(), *gross)),
        }
    }
    let whole: Decimal = groups.iter().map(|(_, gross)| gross).sum();
    let (mut rest, last) = (amount, groups.len().saturating_sub(1));
    let shares = groups.into_iter().enumerate().map(|(index, (codes, gross))| {
        let share = match index == last || whole.is_zero() {
            true => rest,
            false => currency.round(amount * gross / whole).min(rest),
        };
        rest -= share;
        TaxableLine { amount: share, codes }
    });
    shares.collect()
}

/// The taxes in sums that include them, with their values.
fn taxed(
    currency: Currency,
    base: Currency,
    rounding: taxes::Rounding,
    shares: &[TaxableLine],
    sum: Sum,
) -> Result<Vec<InvoiceTax>> {
    let taxed = taxes::compute(currency, true, rounding, shares)?;
    let value = |amount: Decimal| match sum.amount.is_zero() {
        true => Decimal::ZERO,
        false => base.round(sum.base * amount / sum.amount),
    };
    let taxes = taxed.totals.iter().filter(|total| !total.charged().is_zero());
    taxes
        .map(|total| {
            let (net, tax) = (total.base, total.charged());
            let values = (value(net), value(tax));
            Ok(InvoiceTax::new(&total.code, currency, (net, tax), base, values)?)
        })
        .collect()
}

/// The payment that brought advances is reversed: adds Dr Advances, Dr Tax to the entry of the reversal. They never
/// came; the prepayment waits for money again. Call [`lock_received`] before items are locked.
///
/// # Errors
/// 409 `exceeds_open` when an invoice has cleared some of it, or it was given back.
pub fn take_back(tx: &mut Tx<'_>, entry: &mut Entry, rules: &Rules, document_id: Uuid) -> Result<Vec<Uuid>> {
    let found: Vec<AdvanceRow> = advances::table
        .filter(advances::document_id.eq(document_id))
        .order(advances::id)
        .select(AdvanceRow::as_select())
        .load(&mut **tx)?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let base = company::settings(tx)?.base_currency;
    let items = open_items::lock(tx, &found.iter().map(|advance| advance.item_id).collect::<Vec<_>>())?;
    let accounts = ledger::accounts(tx, &items.iter().map(|item| item.account_id).collect::<Vec<_>>())?;
    for advance in &found {
        if advance.open_gross != advance.gross || advance.cancelled_on.is_some() {
            let detail = "what came in advance was cleared by an invoice or given back";
            return Err(Problem::conflict("exceeds_open", detail).into());
        }
        let item = items.iter().find(|item| item.id == advance.item_id);
        let account = item.and_then(|item| accounts.get(&item.account_id));
        let (Some(item), Some(account)) = (item, account) else {
            return Err(Error::Bug("an advance without its item".into()));
        };
        entry.debit(account, item.share(item.open_amount, base)?).item(item.id);
        let taxes = advance.taxes_open()?;
        taxation::post(entry, rules, advance.currency, &[], &taxes, Decimal::ONE)?;
        let (row, known) = requests::lock(tx, advance.prepayment_id)?;
        let (on, now) = (entry.date(), tx.now());
        diesel::update(advances::table.find(advance.id))
            .set((
                advances::open_gross.eq(Decimal::ZERO),
                advances::taxes_open.eq(json!([])),
                advances::cancelled_on.eq(on),
                advances::updated_at.eq(now),
            ))
            .execute(&mut **tx)?;
        let mut after = row.clone();
        after.received_gross -= advance.gross;
        if after.status != PrepaymentStatus::Cancelled {
            after.status = match after.received_gross.is_zero() {
                true => PrepaymentStatus::Requested,
                false => PrepaymentStatus::PartiallyReceived,
            };
        }
        requests::store(tx, (row, known), after)?;
    }
    Ok(found.into_iter().map(|advance| advance.item_id).collect())
}
