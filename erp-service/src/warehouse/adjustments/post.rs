//! Posting an adjustment: levels, moves, ledger.

use super::{AdjustmentKind, StockAdjustment, StockAdjustmentIn, StockAdjustmentLine};
use crate::catalog::{self, ProductFacts};
use crate::company;
use crate::inventory::levels::{self, Demand, Document, Incoming, Issue, Level, Values};
use crate::inventory::lots::{self, LotLine, Named};
use crate::inventory::{average, cost, posting, warehouses};
use crate::ledger::numbers::{self, Series};
use crate::ledger::{self, Entry, EntryKind, Journal, Role, Source};
use crate::sales::backorders;
use crate::schema::stock_adjustments;
use crate::warehouse::shortage;
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Jsonb, Nullable, Numeric, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::decimal::Amount;
use service_kit::{Currency, Faults, Problem, Quantity, Result, Tx};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Posts an adjustment; what becomes free fills backorders.
///
/// # Errors
/// 422 with every fault; 409 `insufficient_stock` or `period_closed`.
pub fn adjust(tx: &mut Tx<'_>, input: &StockAdjustmentIn) -> Result<StockAdjustment> {
    let (facts, named) = check_input(tx, input)?;
    let on = ledger::posting_day(tx, input.date)?;
    let base = company::settings(tx)?.base_currency;
    let kind = input.kind.unwrap_or(AdjustmentKind::Correction);
    let (more, less) = quantities(input);
    let products: Vec<Uuid> = facts.keys().copied().collect();
    let locked = levels::lock(tx, input.warehouse_id, &products)?;
    let document = Document {
        kind: match kind {
            AdjustmentKind::Opening => "opening",
            AdjustmentKind::Correction => "adjustment",
            AdjustmentKind::Scrap => "scrap",
        },
        id: tx.mint(input.id),
        date: on.date,
        base,
    };
    let issue = Issue::new(input.warehouse_id, &less, document).named(&named);
    shortage::refuse(tx, &more, &issue, &locked)?;
    let came = worth(tx, input, &locked, base)?;
    let mut incoming: Vec<Incoming> = Vec::new();
    for (line, value) in lot_lines(input, false)
        .iter()
        .zip(came.iter().filter_map(|value| *value))
    {
        incoming.extend(lots::bring(tx, &facts, line, value, base)?);
    }
    levels::receive(tx, input.warehouse_id, &incoming, document)?;
    let issued = levels::issue(tx, &issue)?;

    let mut adjustment = StockAdjustment {
        id: document.id,
        number: None,
        warehouse_id: input.warehouse_id,
        kind,
        reason: input.reason.clone(),
        date: on.date,
        lines: lines(input, &came, &issued.values, base)?,
        revision: 1,
        created_at: tx.now(),
    };
    backorders::fill(tx, input.warehouse_id, &more.keys().copied().collect::<Vec<_>>())?;

    let series = match kind {
        AdjustmentKind::Scrap => Series::Scrap,
        _ => Series::Adjustment,
    };
    adjustment.number = numbers::draw(tx, series, &on)?;
    insert(tx, &adjustment)?;
    let rules = ledger::rules(tx)?;
    let source = Source::new("stock_adjustment", adjustment.id, adjustment.number.clone());
    let (entry_kind, contra) = match kind {
        AdjustmentKind::Opening => (EntryKind::Opening, Role::OpeningBalance),
        AdjustmentKind::Correction => (EntryKind::Regular, Role::StockAdjustment),
        AdjustmentKind::Scrap => (EntryKind::Regular, Role::Scrap),
    };
    let mut entry = Entry::new(Journal::Stock, &on, source, &adjustment.reason).kind(entry_kind);
    let values = adjustment
        .lines
        .iter()
        .map(|line| (line.product_id, line.value.value()));
    posting::add(
        &mut entry,
        &rules,
        &facts,
        posting::at(input.warehouse_id),
        values,
        contra,
        base,
    )?;
    posting::post(tx, entry)?;
    tx.audit(None, &adjustment)?;
    Ok(adjustment)
}

/// What lines say of lots: of those that bring, or of those that take away.
fn lot_lines(input: &StockAdjustmentIn, away: bool) -> Vec<LotLine<'_>> {
    let lines = input.lines.iter().enumerate();
    let lines = lines.filter(|(_, line)| !line.quantity.is_zero() && (line.quantity.value() < Decimal::ZERO) == away);
    lines
        .map(|(index, line)| LotLine {
            pointer: format!("/lines/{index}"),
            product_id: line.product_id,
            quantity: Quantity::new(line.quantity.value().abs()).unwrap_or_default(),
            lots: &line.lots,
        })
        .collect()
}

fn check_input(tx: &mut Tx<'_>, input: &StockAdjustmentIn) -> Result<(HashMap<Uuid, ProductFacts>, Vec<Named>)> {
    let mut faults = Faults::default();
    if !warehouses::exists(tx, input.warehouse_id)? {
        faults.add("/warehouse_id", "unknown_warehouse", "there is no such warehouse");
    }
    let today = tx.today();
    if input.date.is_some_and(|date| date > today) {
        faults.add("/date", "future_date", format!("must not be after today, {today}"));
    }
    let facts = catalog::facts(tx, &input.lines.iter().map(|line| line.product_id).collect::<Vec<_>>())?;
    for (index, line) in input.lines.iter().enumerate() {
        let at = |field: &str| format!("/lines/{index}/{field}");
        match facts.get(&line.product_id) {
            None => faults.add(at("product_id"), "unknown_product", "there is no such product"),
            Some(facts) if !facts.stocked => faults.add(at("product_id"), "not_stocked", "a service has no stock"),
            Some(_) => {}
        }
        if line.quantity.is_zero() {
            faults.add(at("quantity"), "out_of_range", "must not be 0");
        }
        if line.unit_cost.is_some() && line.quantity.value() < Decimal::ZERO {
            faults.add(at("unit_cost"), "not_applicable", "what is gone leaves at the average");
        }
    }
    lots::check_incoming(tx, input.warehouse_id, &facts, &lot_lines(input, false), &mut faults)?;
    let named = lots::named(tx, input.warehouse_id, &facts, &lot_lines(input, true), &mut faults)?;
    faults.check()?;
    Ok((facts, named))
}

fn positive(quantity: Decimal) -> Option<Quantity> {
    Quantity::new(quantity).ok().filter(|quantity| !quantity.is_zero())
}

/// What comes and what goes, by product.
fn quantities(input: &StockAdjustmentIn) -> (Demand, Demand) {
    let (mut more, mut less) = (Demand::new(), Demand::new());
    for line in &input.lines {
        let quantity = line.quantity.value();
        let (side, quantity) = match quantity > Decimal::ZERO {
            true => (&mut more, positive(quantity)),
            false => (&mut less, positive(-quantity)),
        };
        let sum = side.entry(line.product_id).or_insert(Quantity::ZERO);
        *sum = *sum + quantity.unwrap_or(Quantity::ZERO);
    }
    (more, less)
}

/// What each line brings in; `None` for those that take away.
fn worth(
    tx: &mut Tx<'_>,
    input: &StockAdjustmentIn,
    locked: &BTreeMap<Uuid, Level>,
    base: Currency,
) -> Result<Vec<Option<Decimal>>> {
    let unpriced: Vec<Uuid> = input
        .lines
        .iter()
        .filter(|line| line.unit_cost.is_none() && line.quantity.value() > Decimal::ZERO)
        .map(|line| line.product_id)
        .collect();
    let known = cost::known(tx, locked, &unpriced)?;
    let values = input.lines.iter().map(|line| {
        let quantity = positive(line.quantity.value())?;
        Some(match (line.unit_cost, known.get(&line.product_id)) {
            // 8.3 × 8.4 digits always fit.
            (Some(cost), _) => base.round(cost.value() * quantity.value()),
            (None, Some(known)) => known.of(quantity, base),
            (None, None) => Decimal::ZERO,
        })
    });
    Ok(values.collect())
}

/// The lines with the values that came and went.
fn lines(
    input: &StockAdjustmentIn,
    came: &[Option<Decimal>],
    gone: &Values,
    base: Currency,
) -> Result<Vec<StockAdjustmentLine>> {
    // What a product took along is shared by its lines.
    let mut parts: BTreeMap<Uuid, std::vec::IntoIter<Decimal>> = BTreeMap::new();
    for (product, value) in gone {
        let quantities: Vec<Quantity> = input
            .lines
            .iter()
            .filter(|line| line.product_id == *product)
            .filter_map(|line| positive(-line.quantity.value()))
            .collect();
        parts.insert(*product, average::split(*value, &quantities, base).into_iter());
    }
    let lines = input.lines.iter().zip(came).map(|(line, came)| {
        let value = match line.quantity.value() < Decimal::ZERO {
            true => -parts
                .get_mut(&line.product_id)
                .and_then(Iterator::next)
                .unwrap_or_default(),
            false => came.unwrap_or_default(),
        };
        Ok(StockAdjustmentLine {
            product_id: line.product_id,
            quantity: line.quantity,
            unit_cost: line.unit_cost,
            value: Amount::money(base, value).ok_or_else(too_large)?,
            lots: line.lots.clone(),
        })
    });
    lines.collect()
}

fn too_large() -> Problem {
    Problem::rule("out_of_range", "the value is too large")
}

fn insert(tx: &mut Tx<'_>, adjustment: &StockAdjustment) -> Result<()> {
    diesel::insert_into(stock_adjustments::table)
        .values((
            stock_adjustments::id.eq(adjustment.id),
            stock_adjustments::number.eq(&adjustment.number),
            stock_adjustments::warehouse_id.eq(adjustment.warehouse_id),
            stock_adjustments::kind.eq(adjustment.kind),
            stock_adjustments::reason.eq(&adjustment.reason),
            stock_adjustments::adjusted_on.eq(adjustment.date),
            stock_adjustments::created_at.eq(adjustment.created_at),
        ))
        .execute(&mut **tx)?;
    let lines = &adjustment.lines;
    let lots = lines.iter().map(|line| serde_json::to_value(&line.lots));
    let lots = lots.collect::<Result<Vec<_>, _>>()?;
    sql(
        "INSERT INTO stock_adjustment_lines (adjustment_id, position, product_id, quantity, unit_cost, value, lots)
         SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7)",
    )
    .bind::<SqlUuid, _>(adjustment.id)
    .bind::<Array<Integer>, _>((1..).zip(lines).map(|(position, _)| position).collect::<Vec<i32>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.product_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind::<Array<Nullable<Numeric>>, _>(lines.iter().map(|line| line.unit_cost).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.value).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(lots)
    .run(tx)?;
    Ok(())
}
