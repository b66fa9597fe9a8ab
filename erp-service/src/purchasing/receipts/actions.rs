//! Posting a receipt.

use super::model::{LineRow, PostedReceipt, ReceiptIn, ReceiptRow};
use super::queries;
use crate::catalog::{self, ProductFacts};
use crate::inventory::levels::{self, Document, Incoming};
use crate::inventory::lots::{self, LotLine, LotQuantity};
use crate::inventory::{posting, warehouses};
use crate::ledger::numbers::{self, Series};
use crate::ledger::{self, Account, Entry, Facts, Journal, Role, Rules, Source, Sum};
use crate::purchasing::bills::ahead;
use crate::purchasing::exchange::Rate;
use crate::purchasing::orders::queries::Loaded;
use crate::purchasing::orders::{self, LineRow as OrderLine, PurchaseOrderAction};
use crate::purchasing::settings;
use crate::sales::backorders;
use rust_decimal::Decimal;
use service_kit::{Discount, Error, Faults, OrNotFound, Problem, Quantity, Result, Tx};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// What shall come in, and where.
struct Plan {
    warehouse_id: Option<Uuid>,
    /// By order line, in the order's sequence.
    quantities: Vec<(Uuid, Quantity)>,
    /// By order line.
    lots: HashMap<Uuid, Vec<LotQuantity>>,
    facts: HashMap<Uuid, ProductFacts>,
    accounts: HashMap<Uuid, Account>,
}

/// Posts a receipt.
///
/// # Errors
/// 409 when the order is not open for it or `over_receipt` with the lines; 422 with every fault.
pub fn post(tx: &mut Tx<'_>, order_id: Uuid, input: &ReceiptIn) -> Result<PostedReceipt> {
    let on = ledger::posting_day(tx, input.date)?;
    let seen = orders::queries::load(tx, order_id).or_not_found("purchase order")?;
    seen.0.state().check(PurchaseOrderAction::Receive)?;
    let plan = plan(tx, &seen, input)?;
    let locked = stocked(&plan, &seen.1);
    if let Some(place) = plan.warehouse_id {
        levels::lock(tx, place, &locked.iter().copied().collect::<Vec<_>>())?;
    }
    // Somebody may have received or changed the order meanwhile.
    let before = orders::queries::lock(tx, order_id).or_not_found("purchase order")?;
    before.0.state().check(PurchaseOrderAction::Receive)?;
    let again = self::plan(tx, &before, input)?;
    if again.warehouse_id != plan.warehouse_id || !stocked(&again, &before.1).is_subset(&locked) {
        return Err(Error::Stale);
    }
    let plan = again;
    refuse_too_much(tx, &plan, &before.1)?;

    let rate = Rate::of(tx, before.0.currency, on.date)?;
    let mut row = ReceiptRow {
        id: tx.mint(input.id),
        number: String::new(),
        order_id,
        supplier_id: before.0.supplier_id,
        warehouse_id: plan.warehouse_id,
        received_on: on.date,
        supplier_reference: input.supplier_reference.clone(),
        external_ref: input.external_ref.clone(),
        created_by: tx.actor().id,
        created_at: tx.now(),
    };
    let (mut order, mut order_lines) = before.clone();
    let lines = lines(tx, &row, &plan, &order_lines, rate)?;
    for line in &lines {
        if let Some(of) = order_lines.iter_mut().find(|of| of.id == line.order_line_id) {
            of.received_quantity = of.received_quantity + line.quantity;
        }
    }
    order.receipt = orders::progress(&order_lines);
    let came = take_in(tx, &row, &plan, &lines, rate)?;
    let order = orders::store(tx, &before, order, &order_lines)?;
    if let Some(place) = plan.warehouse_id {
        backorders::fill(tx, place, &came)?;
    }

    let number = numbers::draw(tx, Series::Receipt, &on)?;
    row.number = number.clone().unwrap_or_else(|| format!("dry run {}", row.id));
    queries::insert(tx, &row, &lines)?;
    ahead::note_received(tx, &lines)?;
    let receipt = queries::shown(&row, &lines, rate.base);
    tx.changed(None, &receipt)?;

    let rules = ledger::rules(tx)?;
    let source = Source::new("receipt", row.id, number);
    let what = format!("Receipt of {}", order.number.as_deref().unwrap_or("a purchase order"));
    let mut entry = Entry::new(Journal::Stock, &on, source, what);
    book(&mut entry, &rules, &plan, &before, &lines, rate)?;
    posting::post(tx, entry)?;
    Ok(PostedReceipt { receipt, order })
}

/// Which lines come in, how much of each, and where.
fn plan(tx: &mut Tx<'_>, order: &Loaded, input: &ReceiptIn) -> Result<Plan> {
    let lines = &order.1;
    let products: Vec<Uuid> = lines.iter().filter_map(|line| line.product_id).collect();
    let facts = catalog::facts(tx, &products)?;
    let named: Vec<Uuid> = lines.iter().filter_map(|line| line.account_id).collect();
    let accounts = ledger::postable(tx, &named)?;
    let is_stocked = |line: &OrderLine| {
        line.product_id
            .and_then(|id| facts.get(&id))
            .is_some_and(|facts| facts.stocked)
    };
    let mut faults = Faults::default();
    if let Some(place) = input.warehouse_id
        && !warehouses::exists(tx, place)?
    {
        faults.add("/warehouse_id", "unknown_warehouse", "there is no such warehouse");
    }
    let mut quantities: Vec<(Uuid, Quantity)> = Vec::new();
    match &input.lines {
        Some(asked) => {
            let mut seen = BTreeSet::new();
            for (index, line) in asked.iter().enumerate() {
                let mut fault = |field: &str, code: &str, message: &str| {
                    faults.add(format!("/lines/{index}/{field}"), code, message);
                };
                if !lines.iter().any(|known| known.id == line.line_id) {
                    fault("line_id", "unknown_line", "the order has no such line");
                } else if !seen.insert(line.line_id) {
                    fault("line_id", "duplicate", "the line is named twice");
                }
                if line.quantity.is_zero() {
                    fault("quantity", "out_of_range", "must be more than 0");
                }
                quantities.push((line.line_id, line.quantity));
            }
        }
        None => {
            let here = |line: &&OrderLine| {
                input.warehouse_id.is_none() || !is_stocked(line) || line.warehouse_id == input.warehouse_id
            };
            let open = lines.iter().filter(here).filter(|line| !line.open_quantity().is_zero());
            quantities.extend(open.map(|line| (line.id, line.open_quantity())));
        }
    }
    let given = input.lines.iter().flatten();
    let lots: HashMap<Uuid, Vec<LotQuantity>> = given.map(|line| (line.line_id, line.lots.clone())).collect();
    let places: BTreeSet<Uuid> = lines
        .iter()
        .filter(|line| is_stocked(line) && quantities.iter().any(|(id, _)| *id == line.id))
        .filter_map(|line| input.warehouse_id.or(line.warehouse_id))
        .collect();
    if places.len() > 1 {
        faults.add(
            "/warehouse_id",
            "several_warehouses",
            "the lines go to several warehouses: name one",
        );
    }
    if let Some(place) = places.first() {
        let parts: Vec<LotLine<'_>> = lot_lines(&quantities, &lots, lines);
        lots::check_incoming(tx, *place, &facts, &parts, &mut faults)?;
    }
    faults.check()?;
    if quantities.is_empty() {
        return Err(Problem::conflict("nothing_to_receive", "nothing is still to come").into());
    }
    Ok(Plan {
        warehouse_id: places.into_iter().next(),
        quantities,
        lots,
        facts,
        accounts,
    })
}

/// What the lines of products say of lots.
fn lot_lines<'a>(
    quantities: &[(Uuid, Quantity)],
    lots: &'a HashMap<Uuid, Vec<LotQuantity>>,
    lines: &[OrderLine],
) -> Vec<LotLine<'a>> {
    let planned = quantities.iter().enumerate();
    planned
        .filter_map(|(index, (id, quantity))| {
            Some(LotLine {
                pointer: format!("/lines/{index}"),
                product_id: lines.iter().find(|line| line.id == *id)?.product_id?,
                quantity: *quantity,
                lots: lots.get(id).map_or(&[], Vec::as_slice),
            })
        })
        .collect()
}

/// The products of a plan that enter stock.
fn stocked(plan: &Plan, lines: &[OrderLine]) -> BTreeSet<Uuid> {
    let planned = lines
        .iter()
        .filter(|line| plan.quantities.iter().any(|(id, _)| *id == line.id));
    planned
        .filter_map(|line| line.product_id)
        .filter(|id| plan.facts.get(id).is_some_and(|facts| facts.stocked))
        .collect()
}

/// At most what was ordered (and is to be replaced), and the tolerance on top; all such lines at once.
fn refuse_too_much(tx: &mut Tx<'_>, plan: &Plan, lines: &[OrderLine]) -> Result<()> {
    let general = settings::settings(tx)?.over_receipt_tolerance;
    let mut over = Vec::new();
    for (id, quantity) in &plan.quantities {
        let Some(line) = lines.iter().find(|line| line.id == *id) else {
            continue;
        };
        let tolerance = line.over_receipt_tolerance.unwrap_or(general);
        let most = line.quantity.value() * (Decimal::ONE + tolerance.value()) + line.replaced_quantity.value();
        let received = line.received_quantity.value() + quantity.value();
        if received > most {
            over.push(serde_json::json!({
                "line_id": id, "ordered": line.quantity, "received": line.received_quantity, "wanted": quantity,
                "at_most": (most - line.received_quantity.value()).max(Decimal::ZERO).normalize(), "tolerance": tolerance,
            }));
        }
    }
    match over.is_empty() {
        true => Ok(()),
        false => {
            let detail = "more would come in than was ordered and the tolerance allows";
            Err(Problem::conflict("over_receipt", detail).fact("lines", over).into())
        }
    }
}

/// The lines with their values: at the order's price, except for what was billed before it came.
fn lines(tx: &mut Tx<'_>, row: &ReceiptRow, plan: &Plan, order: &[OrderLine], rate: Rate) -> Result<Vec<LineRow>> {
    let ids: Vec<Uuid> = plan.quantities.iter().map(|(id, _)| *id).collect();
    let mut ahead = ahead::open(tx, &ids)?;
    let mut lines = Vec::with_capacity(ids.len());
    for ((id, quantity), position) in plan.quantities.iter().zip(1..) {
        let Some(of) = order.iter().find(|of| of.id == *id) else {
            continue;
        };
        let (billed, billed_value) = ahead.take(*id, *quantity, rate.base);
        let rest = *quantity - billed;
        let price = |quantity| rate.currency.line_total(quantity, of.unit_price, Discount::ZERO);
        lines.push(LineRow {
            id: Uuid::now_v7(),
            receipt_id: row.id,
            position,
            order_line_id: *id,
            product_id: of.product_id,
            quantity: *quantity,
            amount: price(*quantity)?,
            value: rate.convert(price(rest)?)? + billed_value,
            billed_quantity: billed,
            billed_value,
            returned_quantity: Quantity::ZERO,
            returned_value: Decimal::ZERO,
            returned_billed_quantity: Quantity::ZERO,
            lots: serde_json::to_value(plan.lots.get(id).cloned().unwrap_or_default())?,
        });
    }
    Ok(lines)
}

/// Brings goods into stock; answers the products that came.
fn take_in(tx: &mut Tx<'_>, row: &ReceiptRow, plan: &Plan, lines: &[LineRow], rate: Rate) -> Result<Vec<Uuid>> {
    let Some(place) = plan.warehouse_id else {
        return Ok(Vec::new());
    };
    let mut incoming: Vec<Incoming> = Vec::new();
    for line in lines {
        let stocked = |id: &Uuid| plan.facts.get(id).is_some_and(|facts| facts.stocked);
        let Some(product_id) = line.product_id.filter(stocked) else {
            continue;
        };
        let parts = LotLine {
            pointer: String::new(),
            product_id,
            quantity: line.quantity,
            lots: plan.lots.get(&line.order_line_id).map_or(&[], Vec::as_slice),
        };
        incoming.extend(lots::bring(tx, &plan.facts, &parts, line.value, rate.base)?);
    }
    let document = Document {
        kind: "receipt",
        id: row.id,
        date: row.received_on,
        base: rate.base,
    };
    levels::receive(tx, place, &incoming, document)?;
    let products: BTreeSet<Uuid> = incoming.iter().map(|line| line.product_id).collect();
    Ok(products.into_iter().collect())
}

/// Dr stock or expense, Cr GRNI.
fn book(entry: &mut Entry, rules: &Rules, plan: &Plan, order: &Loaded, lines: &[LineRow], rate: Rate) -> Result<()> {
    let mut goods: BTreeMap<Uuid, Decimal> = BTreeMap::new();
    for line in lines {
        let facts = line.product_id.and_then(|id| plan.facts.get(&id));
        if let (Some(product), Some(true)) = (line.product_id, facts.map(|facts| facts.stocked)) {
            *goods.entry(product).or_default() += line.value;
            continue;
        }
        let Some(of) = order.1.iter().find(|of| of.id == line.order_line_id) else {
            continue;
        };
        let facts = Facts {
            category_id: facts.and_then(|facts| facts.category_id),
            ..Facts::default()
        };
        let account = match of.account_id.and_then(|id| plan.accounts.get(&id)) {
            Some(account) => account.clone(),
            None => rules.account(Role::PurchaseExpense, &facts)?,
        };
        let sum = Sum::base(rate.base, line.value);
        entry.debit(&account, sum).dimensions(of.department_id, of.project_id);
        entry.credit(&rules.account(Role::GoodsReceivedNotInvoiced, &facts)?, sum);
    }
    if let Some(place) = plan.warehouse_id {
        let contra = Role::GoodsReceivedNotInvoiced;
        posting::add(entry, rules, &plan.facts, posting::at(place), goods, contra, rate.base)?;
    }
    Ok(())
}
