//! Documents with free lines: made, changed and deleted while they are drafts.

use super::input::{InvoiceIn, InvoiceLineIn, InvoicePatch};
use super::model::{Invoice, InvoiceAction, InvoiceKind, InvoiceStatus, LineKind, Parts};
use super::posting::{self, Around};
use super::queries;
use super::rows::{InvoiceRow, LineRow};
use crate::customers::{self, Billing};
use crate::receivables::taxation;
use crate::{catalog, company, ledger, payment_terms, sales};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::json;
use service_kit::{Currency, Discount, Error, Faults, Problem, Result, Tx};
use uuid::Uuid;

/// A new document without lines.
pub(super) fn new_row(
    tx: &Tx<'_>,
    id: Uuid,
    kind: InvoiceKind,
    customer_id: Uuid,
    currency: Currency,
    date: NaiveDate,
) -> InvoiceRow {
    InvoiceRow {
        id,
        kind,
        number: None,
        status: InvoiceStatus::Draft,
        customer_id,
        order_id: None,
        credited_invoice_id: None,
        return_id: None,
        date,
        currency,
        prices_include_tax: false,
        payment_terms_id: None,
        legal_entity_id: None,
        party: None,
        exchange_rate: None,
        taxes: json!([]),
        net: Decimal::ZERO,
        tax: Decimal::ZERO,
        gross: Decimal::ZERO,
        base_gross: None,
        advances: json!([]),
        advances_gross: Decimal::ZERO,
        open_amount: Decimal::ZERO,
        credited_gross: Decimal::ZERO,
        discount_taken_back: Decimal::ZERO,
        discount_parts: json!([]),
        reason: None,
        notes: None,
        external_ref: None,
        department_id: None,
        project_id: None,
        entry_id: None,
        posted_at: None,
        version: 1,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

/// Makes a document with free lines, and posts it if asked.
///
/// # Errors
/// 422 with every fault; what posting refuses.
pub(super) fn create(tx: &mut Tx<'_>, input: &InvoiceIn) -> Result<Invoice> {
    let date = input.date.unwrap_or(tx.today());
    posting::not_in_the_future(tx, date)?;
    let Some(customer) = customers::lock_billing(tx, input.customer_id)? else {
        return Err(Problem::rule("unknown_customer", "there is no such customer here").into());
    };
    let kind = input.kind.unwrap_or(InvoiceKind::Invoice);
    let mut row = new_row(tx, tx.mint(input.id), kind, input.customer_id, input.currency, date);
    row.prices_include_tax = input.prices_include_tax;
    row.payment_terms_id = input.payment_terms_id;
    row.legal_entity_id = input.legal_entity_id;
    row.reason = input.reason.clone();
    row.notes = input.notes.clone();
    row.external_ref = input.external_ref.clone();
    (row.department_id, row.project_id) = (input.department_id, input.project_id);
    check_terms(tx, row.payment_terms_id)?;
    let lines = free_lines(tx, &row, &input.lines)?;
    match input.post {
        true => posting::post(tx, row, lines, &customer, Around::default()),
        false => store_new(tx, row, lines),
    }
}

fn check_terms(tx: &mut Tx<'_>, terms: Option<Uuid>) -> Result<()> {
    let mut faults = Faults::default();
    if let Some(id) = terms
        && !payment_terms::is_active(tx, id)?
    {
        faults.add(
            "/payment_terms_id",
            "unknown_payment_terms",
            "there are no such active terms",
        );
    }
    Ok(faults.check()?)
}

/// Stores a new draft.
pub(super) fn store_new(tx: &mut Tx<'_>, mut row: InvoiceRow, mut lines: Vec<LineRow>) -> Result<Invoice> {
    estimate(tx, &mut row, &mut lines)?;
    queries::insert(tx, &row, &lines)?;
    let draft = shown(tx, row, lines)?;
    tx.audit(None, &draft)?;
    Ok(draft)
}

fn shown(tx: &mut Tx<'_>, row: InvoiceRow, lines: Vec<LineRow>) -> Result<Invoice> {
    let base = company::settings(tx)?.base_currency;
    let parts = Parts {
        lines,
        ..Parts::default()
    };
    Invoice::from_rows(row, parts, base)
}

/// The taxes of a draft are those of the day; posting decides on them again.
fn estimate(tx: &mut Tx<'_>, row: &mut InvoiceRow, lines: &mut [LineRow]) -> Result<()> {
    let rounding = company::settings(tx)?.tax_rounding;
    taxation::determine(tx, row, lines)?;
    posting::tax(row, lines, rounding)?;
    Ok(())
}

/// The rows of free lines; all faults together.
fn free_lines(tx: &mut Tx<'_>, row: &InvoiceRow, input: &[InvoiceLineIn]) -> Result<Vec<LineRow>> {
    let products: Vec<Uuid> = input.iter().filter_map(|line| line.product_id).collect();
    let names = catalog::names(tx, &products)?;
    let facts = catalog::facts(tx, &products)?;
    let accounts: Vec<Uuid> = input.iter().filter_map(|line| line.account_id).collect();
    let accounts = ledger::postable(tx, &accounts)?;
    let mut dimensions: Vec<Uuid> = input
        .iter()
        .flat_map(|line| [line.department_id, line.project_id])
        .flatten()
        .collect();
    dimensions.extend([row.department_id, row.project_id].into_iter().flatten());
    let dimensions = ledger::dimensions_in_use(tx, &dimensions)?;
    let unknown = |kind: &str, id: Option<Uuid>| id.is_some_and(|id| !dimensions.contains(&(kind.to_owned(), id)));
    let (mut faults, mut lines) = (Faults::default(), Vec::with_capacity(input.len()));
    for (kind, id) in [("department", row.department_id), ("project", row.project_id)] {
        if unknown(kind, id) {
            faults.add(
                format!("/{kind}_id"),
                "unknown_dimension",
                format!("there is no such {kind} in use"),
            );
        }
    }
    for (index, asked) in input.iter().enumerate() {
        let name = asked.product_id.and_then(|id| names.get(&id));
        if asked.product_id.is_some() && name.is_none() {
            faults.add(
                format!("/lines/{index}/product_id"),
                "unknown_product",
                "there is no such product",
            );
        }
        if asked.account_id.is_some_and(|id| !accounts.contains_key(&id)) {
            faults.add(
                format!("/lines/{index}/account_id"),
                "unknown_account",
                "there is no such account to post to",
            );
        }
        let description = asked.description.clone().or_else(|| name.cloned());
        if description.is_none() && asked.product_id.is_none() {
            faults.add(
                format!("/lines/{index}/description"),
                "required",
                "say what the line is for",
            );
        }
        for (kind, id) in [("department", asked.department_id), ("project", asked.project_id)] {
            if unknown(kind, id) {
                faults.add(
                    format!("/lines/{index}/{kind}_id"),
                    "unknown_dimension",
                    format!("there is no such {kind} in use"),
                );
            }
        }
        if asked.quantity.is_zero() {
            faults.add(
                format!("/lines/{index}/quantity"),
                "out_of_range",
                "must be more than 0",
            );
        }
        let kind = match asked.product_id {
            Some(_) => LineKind::Product,
            None => LineKind::Account,
        };
        let position = i32::try_from(index + 1).unwrap_or(i32::MAX);
        let mut line = LineRow::new(row.id, position, kind, description.unwrap_or_default());
        line.product_id = asked.product_id;
        line.account_id = asked.account_id;
        line.quantity = asked.quantity;
        line.unit = asked.unit.clone().or_else(|| {
            asked
                .product_id
                .and_then(|id| facts.get(&id))
                .map(|facts| facts.unit.clone())
        });
        line.unit_price = asked.unit_price;
        line.discount = asked.discount.unwrap_or(Discount::ZERO);
        line.amount = row.currency.line_total(line.quantity, line.unit_price, line.discount)?;
        line.tax_class = asked.tax_class.clone();
        (line.department_id, line.project_id) = (asked.department_id, asked.project_id);
        lines.push(line);
    }
    faults.check()?;
    Ok(lines)
}

/// Changes a draft.
///
/// # Errors
/// 409 when it is posted, 412/428 by `If-Match`, 422 with every fault.
pub(super) fn edit(tx: &mut Tx<'_>, id: Uuid, patch: &InvoicePatch) -> Result<Invoice> {
    let (mut row, mut lines) = queries::lock(tx, id)?;
    let before = shown(tx, row.clone(), lines.clone())?;
    tx.require_match(&before)?;
    check(&row, InvoiceAction::Edit)?;
    row.date = patch.date.unwrap_or(row.date);
    posting::not_in_the_future(tx, row.date)?;
    row.payment_terms_id = patch.payment_terms_id.unwrap_or(row.payment_terms_id);
    row.legal_entity_id = patch.legal_entity_id.unwrap_or(row.legal_entity_id);
    row.reason = patch.reason.clone().unwrap_or(row.reason);
    row.notes = patch.notes.clone().unwrap_or(row.notes);
    row.external_ref = patch.external_ref.clone().unwrap_or(row.external_ref);
    row.department_id = patch.department_id.unwrap_or(row.department_id);
    row.project_id = patch.project_id.unwrap_or(row.project_id);
    check_terms(tx, patch.payment_terms_id.flatten())?;
    if let Some(input) = &patch.lines {
        if row.order_id.is_some() || row.credited_invoice_id.is_some() {
            let detail = "the lines of a document of an order come from it; delete the draft and make another";
            return Err(Problem::conflict("lines_of_order", detail).into());
        }
        lines = free_lines(tx, &row, input)?;
        estimate(tx, &mut row, &mut lines)?;
    }
    let candidate = shown(tx, row.clone(), lines.clone())?;
    if candidate == before {
        return Ok(before);
    }
    row.revision += 1;
    row.updated_at = tx.now();
    if patch.lines.is_some() {
        queries::replace_lines(tx, id, &lines)?;
    }
    queries::update(tx, &row)?;
    let after = shown(tx, row, lines)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

/// Deletes a draft; it never had a number.
///
/// # Errors
/// 404; 409 when it is posted.
pub(super) fn delete(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {
    let (row, lines) = queries::lock(tx, id)?;
    let before = shown(tx, row.clone(), lines)?;
    tx.match_if_given(&before)?;
    check(&row, InvoiceAction::Delete)?;
    queries::delete(tx, id)?;
    tx.audit_changes(
        "invoice",
        id,
        row.revision + 1,
        json!({ "status": { "from": "draft", "to": "deleted" } }),
    );
    Ok(())
}

/// # Errors
/// 409 `illegal_transition`.
pub(super) fn check(row: &InvoiceRow, action: InvoiceAction) -> Result<()> {
    let allowed = row.allowed_actions();
    if allowed.contains(&action) {
        return Ok(());
    }
    let name = |action: &InvoiceAction| serde_json::to_value(action).ok()?.as_str().map(str::to_owned);
    let names: Vec<String> = allowed.iter().filter_map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let wanted = name(&action).unwrap_or_default();
    Err(Problem::illegal_transition(&wanted, row.status.as_str(), &names).into())
}

/// Posts a stored draft.
///
/// # Errors
/// 404; 409 `illegal_transition`, `exceeds_invoiceable` and what posting refuses.
pub(super) fn post(tx: &mut Tx<'_>, id: Uuid, date: Option<NaiveDate>) -> Result<Invoice> {
    let (draft, lines) = queries::load(tx, id)?;
    check(&draft, InvoiceAction::Post)?;
    let customer = locked_customer(tx, draft.customer_id)?;
    let mut around = Around {
        stored: true,
        deduct: true,
        ..Around::default()
    };
    if let Some(order) = draft.order_id {
        let order = sales::orders::note_invoiced(tx, order, &super::billing::deltas(&lines))?;
        around.warehouse_id = order.warehouse_id;
    }
    let (mut row, lines) = queries::lock(tx, id)?;
    if row.revision != draft.revision {
        return Err(Error::Stale);
    }
    let before = shown(tx, row.clone(), lines.clone())?;
    tx.match_if_given(&before)?;
    row.date = date.unwrap_or(row.date);
    row.revision += 1;
    posting::post(tx, row, lines, &customer, around)
}

pub(super) fn locked_customer(tx: &mut Tx<'_>, id: Uuid) -> Result<Billing> {
    let customer = customers::lock_billing(tx, id)?;
    customer.ok_or_else(|| Error::Bug(format!("a document of the unknown customer {id}")))
}
