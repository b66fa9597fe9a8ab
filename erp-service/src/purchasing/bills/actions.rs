//! Entering, changing, holding, releasing and cancelling a bill. What a posting books stands in
//! [`book`](super::book).

use super::book;
use super::matching::{LineMatch, MatchFinding, Tolerance};
use super::model::{BillLineRow, BillRow, SupplierBill, SupplierBillIn, SupplierBillLineIn, SupplierBillPatch};
use super::queries::{self, Loaded};
use super::status::{SupplierBillAction, SupplierBillStatus};
use crate::inventory::levels;
use crate::ledger;
use crate::payment_terms;
use crate::purchasing::exchange::Rate;
use crate::purchasing::orders::queries as orders;
use crate::purchasing::receipts::queries::{self as receipts, Came};
use crate::purchasing::references::{self, Known, Named};
use crate::purchasing::suppliers::{self, Supplier};
use crate::purchasing::{settings, taxation};
use actix_web::http::StatusCode;
use chrono::NaiveDate;
use diesel::OptionalExtension;
use rust_decimal::Decimal;
use serde_json::json;
use service_kit::{Amount, Currency, Discount, Error, Faults, OrNotFound, Problem, Quantity, Result, Tx};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Enters a draft.
///
/// # Errors
/// 422 with every fault; 409 when the supplier's number is known.
pub fn create(tx: &mut Tx<'_>, input: &SupplierBillIn) -> Result<SupplierBill> {
    let mut faults = Faults::default();
    let Some(supplier) = suppliers::hold(tx, input.supplier_id).optional()? else {
        faults.add("/supplier_id", "unknown_supplier", "there is no such supplier");
        faults.check()?;
        return Err(Error::Bug("a fault was lost".into()));
    };
    let actor = tx.actor().id;
    let mut row = BillRow {
        id: tx.mint(input.id),
        number: None,
        supplier_id: supplier.id,
        supplier_number: input.supplier_number.trim().to_owned(),
        status: SupplierBillStatus::Draft,
        currency: input.currency.unwrap_or(supplier.currency),
        bill_date: input.bill_date,
        due_date: input.due_date,
        payment_terms_id: input.payment_terms_id,
        external_ref: input.external_ref.clone(),
        note: input.note.clone(),
        net: Decimal::ZERO,
        tax: Decimal::ZERO,
        gross: Decimal::ZERO,
        taxes: json!([]),
        findings: json!([]),
        posted_on: None,
        rate: None,
        release_reason: None,
        released_by: None,
        end_reason: None,
        entry_id: None,
        reversal_id: None,
        created_by: actor,
        changed_by: actor,
        posted_by: None,
        version: 1,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    check_header(tx, &row, &mut faults)?;
    let mut lines = lines(tx, &row, &input.lines, &mut faults)?;
    faults.check()?;
    set_totals(tx, &mut row, &supplier, &mut lines, input.gross)?;
    queries::insert(tx, &row, &lines)?;
    let bill = queries::find(tx, row.id)?;
    tx.changed(None, &bill)?;
    Ok(bill)
}

fn check_header(tx: &mut Tx<'_>, row: &BillRow, faults: &mut Faults) -> Result<()> {
    let today = tx.today();
    if row.bill_date > today {
        faults.add("/bill_date", "future_date", format!("must not be after today, {today}"));
    }
    if row.due_date.is_some_and(|due| due < row.bill_date) {
        faults.add("/due_date", "out_of_range", "must not be before the bill's date");
    }
    if let Some(terms) = row.payment_terms_id
        && !payment_terms::is_active(tx, terms)?
    {
        faults.add(
            "/payment_terms_id",
            "unknown_payment_terms",
            "there are no such payment terms",
        );
    }
    Ok(())
}

/// The lines, with what they refer to; every fault is added.
fn lines(
    tx: &mut Tx<'_>,
    row: &BillRow,
    asked: &[SupplierBillLineIn],
    faults: &mut Faults,
) -> Result<Vec<BillLineRow>> {
    let named: Vec<Named> = asked
        .iter()
        .map(|line| Named {
            product_id: line.product_id,
            account_id: line.account_id,
            department_id: line.department_id,
            project_id: line.project_id,
            warehouse_id: None,
        })
        .collect();
    let known = references::check(tx, &named, faults)?;
    let ordered: Vec<Uuid> = asked.iter().filter_map(|line| line.order_line_id).collect();
    let of = orders::orders_of_lines(tx, &ordered)?;
    let mut loaded: HashMap<Uuid, orders::Loaded> = HashMap::new();
    for order in of.values().collect::<BTreeSet<_>>() {
        loaded.insert(*order, orders::load(tx, *order)?);
    }
    let mut made = Vec::with_capacity(asked.len());
    for (index, line) in asked.iter().enumerate() {
        let order = line
            .order_line_id
            .map(|id| of.get(&id).and_then(|order| loaded.get(order)));
        check_line(index, line, row, order, &known, faults);
        let ordered = order
            .flatten()
            .and_then(|(_, lines)| lines.iter().find(|of| Some(of.id) == line.order_line_id));
        let Some(unit_price) = line.unit_price.or(ordered.map(|of| of.unit_price)) else {
            faults.add(
                format!("/lines/{index}/unit_price"),
                "required",
                "what was not ordered needs a price",
            );
            continue;
        };
        made.push(BillLineRow {
            id: Uuid::now_v7(),
            bill_id: row.id,
            position: i32::try_from(index + 1).unwrap_or(i32::MAX),
            order_line_id: line.order_line_id,
            product_id: line.product_id.or(ordered.and_then(|of| of.product_id)),
            description: line
                .description
                .clone()
                .or_else(|| ordered.and_then(|of| of.description.clone())),
            account_id: line.account_id,
            department_id: line.department_id,
            project_id: line.project_id,
            quantity: line.quantity,
            unit_price,
            line_total: row.currency.line_total(line.quantity, unit_price, Discount::ZERO)?,
            price_difference: Decimal::ZERO,
            revalued: Decimal::ZERO,
            variance: Decimal::ZERO,
            exchange_difference: Decimal::ZERO,
            matched_expected: Decimal::ZERO,
            matched_difference: Decimal::ZERO,
            taxes: json!([]),
        });
    }
    Ok(made)
}

fn check_line(
    index: usize,
    line: &SupplierBillLineIn,
    row: &BillRow,
    order: Option<Option<&orders::Loaded>>,
    known: &Known,
    faults: &mut Faults,
) {
    let mut fault = |field: &str, code: &str, message: &str| {
        faults.add(format!("/lines/{index}/{field}"), code, message);
    };
    if line.quantity.is_zero() {
        fault("quantity", "out_of_range", "must be more than 0");
    }
    match order {
        Some(None) => fault("order_line_id", "unknown_line", "no purchase order has such a line"),
        Some(Some((order, lines))) => {
            if order.supplier_id != row.supplier_id {
                fault("order_line_id", "other_supplier", "the order went to another supplier");
            }
            if order.currency != row.currency {
                fault("order_line_id", "other_currency", "the order is in another currency");
            }
            if order.number.is_none() {
                fault("order_line_id", "not_ordered", "the order is not binding yet");
            }
            let product = lines
                .iter()
                .find(|of| Some(of.id) == line.order_line_id)
                .and_then(|of| of.product_id);
            if line.product_id.is_some() && line.product_id != product {
                fault(
                    "product_id",
                    "other_product",
                    "the order's line is about another product",
                );
            }
            if line.account_id.is_some() {
                fault("account_id", "not_allowed", "what was ordered is posted by its receipt");
            }
        }
        None if line.product_id.is_none() && line.description.is_none() => {
            fault(
                "order_line_id",
                "one_of",
                "name a line of an order, a service, or say what it is for",
            );
        }
        None if known.stocked(line.product_id) => {
            fault(
                "order_line_id",
                "order_required",
                "goods are billed against a purchase order",
            );
        }
        None => {}
    }
}

/// Sums the lines and computes the taxes; a total that the bill states must be the same.
fn set_totals(
    tx: &mut Tx<'_>,
    row: &mut BillRow,
    supplier: &Supplier,
    lines: &mut [BillLineRow],
    stated: Option<Amount>,
) -> Result<()> {
    let too_large = || Problem::rule("out_of_range", "the total is too large");
    let sum = lines
        .iter()
        .try_fold(Decimal::ZERO, |sum, line| sum.checked_add(line.line_total));
    row.net = sum.ok_or_else(too_large)?;
    let taxed: Vec<(Option<Uuid>, Decimal)> = lines.iter().map(|line| (line.product_id, line.line_total)).collect();
    let taxes = taxation::of_purchase(tx, supplier, row.currency, &taxed, row.bill_date)?;
    for (line, codes) in lines.iter_mut().zip(&taxes.lines) {
        line.taxes = serde_json::to_value(codes)?;
    }
    row.tax = taxes.tax;
    row.gross = row.net + row.tax;
    row.taxes = taxation::to_json(&taxes.totals)?;
    Amount::money(row.currency, row.gross).ok_or_else(too_large)?;
    if let Some(stated) = stated.filter(|stated| stated.value() != row.gross) {
        let mut faults = Faults::default();
        let message = format!("the lines come to {} with tax, the bill says {stated}", row.gross);
        faults.add("/gross", "gross_differs", message);
        faults.check()?;
    }
    Ok(())
}

/// Changes a bill that is not posted; it is a draft again.
pub(super) fn edit(tx: &mut Tx<'_>, id: Uuid, patch: &SupplierBillPatch) -> Result<SupplierBill> {
    let before = queries::lock(tx, id).or_not_found("supplier bill")?;
    let seen = queries::find(tx, id)?;
    tx.require_match(&seen)?;
    before.0.status.check(SupplierBillAction::Edit)?;
    let (mut row, mut rows) = before.clone();
    if let Some(number) = &patch.supplier_number {
        row.supplier_number = number.trim().to_owned();
    }
    row.bill_date = patch.bill_date.unwrap_or(row.bill_date);
    row.due_date = patch.due_date.unwrap_or(row.due_date);
    row.payment_terms_id = patch.payment_terms_id.unwrap_or(row.payment_terms_id);
    row.external_ref = patch.external_ref.clone().unwrap_or(row.external_ref);
    row.note = patch.note.clone().unwrap_or(row.note);
    let mut faults = Faults::default();
    check_header(tx, &row, &mut faults)?;
    if let Some(asked) = &patch.lines {
        rows = lines(tx, &row, asked, &mut faults)?;
    }
    faults.check()?;
    let supplier = suppliers::find(tx, row.supplier_id)?;
    set_totals(tx, &mut row, &supplier, &mut rows, patch.gross)?;
    row.status = SupplierBillStatus::Draft;
    row.findings = json!([]);
    row.changed_by = tx.actor().id;
    if patch.lines.is_some() || patch.bill_date.is_some() {
        queries::replace_lines(tx, id, &rows)?;
    }
    queries::save(tx, &before, &mut row, &rows)
}

pub(super) fn cancel(tx: &mut Tx<'_>, id: Uuid, reason: Option<&str>) -> Result<SupplierBill> {
    let before = queries::lock(tx, id).or_not_found("supplier bill")?;
    let seen = queries::find(tx, id)?;
    tx.match_if_given(&seen)?;
    before.0.status.check(SupplierBillAction::Cancel)?;
    let (mut row, lines) = before.clone();
    row.status = SupplierBillStatus::Cancelled;
    row.end_reason = reason.map(str::to_owned);
    queries::save(tx, &before, &mut row, &lines)
}

/// Everything that a posting looks at, locked.
pub(super) struct Ground {
    pub before: Loaded,
    pub orders: BTreeMap<Uuid, orders::Loaded>,
    /// What came for the ordered lines, oldest first.
    pub came: Vec<Came>,
}

/// Locks stock levels, orders and the bill, in this order.
pub(super) fn ground(tx: &mut Tx<'_>, id: Uuid, action: SupplierBillAction) -> Result<Ground> {
    let seen = queries::load(tx, id).or_not_found("supplier bill")?;
    seen.0.status.check(action)?;
    let ordered: Vec<Uuid> = seen.1.iter().filter_map(|line| line.order_line_id).collect();
    let places = places(&receipts::of_order_lines(tx, &ordered)?);
    for (place, products) in &places {
        levels::lock(tx, *place, &products.iter().copied().collect::<Vec<_>>())?;
    }
    let orders: BTreeSet<Uuid> = orders::orders_of_lines(tx, &ordered)?.into_values().collect();
    let orders = orders::lock_many(tx, &orders.into_iter().collect::<Vec<_>>())?;
    let before = queries::lock(tx, id).or_not_found("supplier bill")?;
    let came = receipts::of_order_lines(tx, &ordered)?;
    // Somebody may have changed the bill, or received elsewhere, meanwhile.
    let again = self::places(&came);
    let covered = again
        .iter()
        .all(|(place, products)| places.get(place).is_some_and(|locked| products.is_subset(locked)));
    if before.0.revision != seen.0.revision || !covered {
        return Err(Error::Stale);
    }
    let seen = queries::find(tx, id)?;
    tx.match_if_given(&seen)?;
    Ok(Ground { before, orders, came })
}

/// Where goods came in, in key order.
fn places(came: &[Came]) -> BTreeMap<Uuid, BTreeSet<Uuid>> {
    let mut places: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
    for came in came {
        if let (Some(place), Some(product)) = (came.warehouse_id, came.line.product_id) {
            places.entry(place).or_default().insert(product);
        }
    }
    places
}

/// Posts a bill that matches; holds one that does not.
///
/// # Errors
/// 409 and 422 as the ledger says; nothing that is outside of the tolerance is an error.
pub(super) fn post(tx: &mut Tx<'_>, id: Uuid, date: Option<NaiveDate>) -> Result<SupplierBill> {
    let on = ledger::posting_day(tx, date)?;
    let ground = ground(tx, id, SupplierBillAction::Post)?;
    let rate = Rate::of(tx, ground.before.0.currency, on.date)?;
    let findings = findings(tx, &ground, rate)?;
    let mut row = ground.before.0.clone();
    row.posted_by = Some(tx.actor().id);
    row.findings = serde_json::to_value(&findings)?;
    if findings.is_empty() {
        return book::post(tx, ground, row, &findings, &on, rate);
    }
    row.status = SupplierBillStatus::MatchHeld;
    queries::save(tx, &ground.before, &mut row, &ground.before.1)
}

/// Posts a bill in spite of what is outside of the tolerance: somebody else takes the responsibility.
pub(super) fn release(tx: &mut Tx<'_>, id: Uuid, reason: &str, date: Option<NaiveDate>) -> Result<SupplierBill> {
    let on = ledger::posting_day(tx, date)?;
    let ground = ground(tx, id, SupplierBillAction::Release)?;
    let actor = tx.actor().id;
    let mut row = ground.before.0.clone();
    if [Some(row.created_by), Some(row.changed_by), row.posted_by].contains(&Some(actor)) {
        let detail = "who entered, last changed or posted it may not release it";
        return Err(Problem::new(StatusCode::FORBIDDEN, "maker_may_not_release", detail).into());
    }
    let rate = Rate::of(tx, row.currency, on.date)?;
    let findings = findings(tx, &ground, rate)?;
    row.findings = serde_json::to_value(&findings)?;
    row.released_by = Some(actor);
    row.release_reason = Some(reason.to_owned());
    book::post(tx, ground, row, &findings, &on, rate)
}

fn findings(tx: &mut Tx<'_>, ground: &Ground, rate: Rate) -> Result<Vec<MatchFinding>> {
    let settings = settings::settings(tx)?;
    let tolerance = Tolerance {
        fraction: settings.bill_tolerance_fraction.value(),
        amount: settings.bill_tolerance_amount.value(),
        rate: rate.rate,
    };
    let mut findings = Vec::new();
    let mut so_far: HashMap<Uuid, (Quantity, Decimal, Decimal)> = HashMap::new();
    for line in &ground.before.1 {
        let Some(of) = ordered(ground, line) else { continue };
        let kept = ground.came.iter().filter(|came| came.line.order_line_id == of.id);
        let expected = expected(rate.currency, line.quantity, of)?;
        let (billed, expected_before, difference_before) =
            so_far
                .entry(of.id)
                .or_insert((of.billed_quantity, of.matched_expected, of.matched_difference));
        let matched = LineMatch {
            line_id: line.id,
            received: kept.map(|came| came.line.quantity - came.line.returned_quantity).sum(),
            billed: *billed,
            quantity: line.quantity,
            amount: line.line_total,
            expected,
            expected_before: *expected_before,
            difference_before: *difference_before,
        };
        findings.extend(matched.findings(tolerance));
        *billed = *billed + line.quantity;
        *expected_before += expected;
        *difference_before += matched.difference();
    }
    Ok(findings)
}

/// The order's line that a bill's line names.
pub(super) fn ordered<'a>(ground: &'a Ground, line: &BillLineRow) -> Option<&'a crate::purchasing::orders::LineRow> {
    let id = line.order_line_id?;
    ground
        .orders
        .values()
        .flat_map(|(_, lines)| lines)
        .find(|of| of.id == id)
}

/// What a quantity comes to at the order's price.
pub(super) fn expected(
    currency: Currency,
    quantity: Quantity,
    of: &crate::purchasing::orders::LineRow,
) -> Result<Decimal, Problem> {
    currency.line_total(quantity, of.unit_price, Discount::ZERO)
}
