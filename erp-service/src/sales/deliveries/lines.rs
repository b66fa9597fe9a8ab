//! Which lines a delivery ships, and what each was worth.

use super::model::{DeliveredLot, DeliveryIn, DeliveryLine};
use crate::catalog::{self, ProductFacts};
use crate::inventory::average;
use crate::inventory::levels::{self, Demand, Issued, Level};
use crate::inventory::lots::{self, LotLine, Named};
use crate::inventory::movement::Pick;
use crate::sales::orders::LineRow as OrderLine;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use service_kit::{Amount, Currency, Error, Faults, Problem, Quantity, Result, Tx};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Quantities by line: as asked, or all that is reserved.
pub(super) fn wanted(input: &DeliveryIn, lines: &[OrderLine]) -> Result<BTreeMap<Uuid, Quantity>> {
    let Some(asked) = &input.lines else {
        let all: BTreeMap<Uuid, Quantity> = lines
            .iter()
            .filter(|line| !line.reserved_quantity.is_zero())
            .map(|line| (line.id, line.reserved_quantity))
            .collect();
        return match all.is_empty() {
            true => Err(Problem::conflict("nothing_reserved", "no line has anything reserved").into()),
            false => Ok(all),
        };
    };
    let (mut faults, mut shipped) = (Faults::default(), BTreeMap::new());
    for (index, line) in asked.iter().enumerate() {
        if line.quantity.is_zero() {
            faults.add(
                format!("/lines/{index}/quantity"),
                "out_of_range",
                "must be more than 0",
            );
        }
        if !lines.iter().any(|known| known.id == line.line_id) {
            faults.add(
                format!("/lines/{index}/line_id"),
                "unknown_line",
                "the order has no such line",
            );
        } else if shipped.insert(line.line_id, line.quantity).is_some() {
            faults.add(
                format!("/lines/{index}/line_id"),
                "duplicate",
                "the line is named twice",
            );
        }
    }
    faults.check()?;
    Ok(shipped)
}

/// A delivery ships what is reserved, never more; all lines at fault are named.
pub(super) fn refuse_more_than_reserved(
    shipped: &BTreeMap<Uuid, Quantity>,
    lines: &[OrderLine],
) -> Result<(), Problem> {
    let short: Vec<_> = lines
        .iter()
        .filter_map(|line| shipped.get(&line.id).filter(|wanted| **wanted > line.reserved_quantity).map(|wanted| (line, wanted)))
        .map(|(line, wanted)| serde_json::json!({ "line_id": line.id, "wanted": wanted, "reserved": line.reserved_quantity }))
        .collect();
    match short.is_empty() {
        true => Ok(()),
        false => {
            Err(Problem::conflict("exceeds_reserved", "more is to be delivered than is reserved").fact("lines", short))
        }
    }
}

/// What leaves the warehouse, by product; services leave none.
pub(super) fn stocked_demand(
    tx: &mut Tx<'_>,
    shipped: &BTreeMap<Uuid, Quantity>,
    lines: &[OrderLine],
) -> Result<(Demand, HashMap<Uuid, ProductFacts>)> {
    let products: Vec<Uuid> = lines
        .iter()
        .filter(|line| shipped.contains_key(&line.id))
        .map(|line| line.product_id)
        .collect();
    let facts = catalog::facts(tx, &products)?;
    let mut demand = Demand::new();
    for line in lines
        .iter()
        .filter(|line| facts.get(&line.product_id).is_some_and(|facts| facts.stocked))
    {
        if let Some(quantity) = shipped.get(&line.id) {
            let sum = demand.entry(line.product_id).or_insert(Quantity::ZERO);
            *sum = *sum + *quantity;
        }
    }
    Ok((demand, facts))
}

/// A backdated issue must leave every later day with stock that is not negative.
pub(super) fn refuse_backdating(
    tx: &mut Tx<'_>,
    locked: &BTreeMap<Uuid, Level>,
    demand: &Demand,
    date: NaiveDate,
) -> Result<()> {
    let least: BTreeMap<Uuid, Decimal> = levels::least_on_hand_since(tx, locked, date)?;
    let short: Vec<_> = demand
        .iter()
        .filter_map(|(product, wanted)| {
            least
                .get(product)
                .filter(|least| **least < wanted.value())
                .map(|least| (product, wanted, least))
        })
        .map(
            |(product, wanted, least)| serde_json::json!({ "product_id": product, "wanted": wanted, "on_hand": least }),
        )
        .collect();
    match short.is_empty() {
        true => Ok(()),
        false => {
            let detail = format!("shipping on {date} would make the stock of a later day negative");
            Err(Problem::conflict("insufficient_stock", detail)
                .fact("products", short)
                .into())
        }
    }
}

/// What the lines of a delivery name of lots and locations, by line.
///
/// # Errors
/// 422 with every lot and location at fault.
pub(super) fn named_lots(
    tx: &mut Tx<'_>,
    warehouse_id: Uuid,
    input: &DeliveryIn,
    lines: &[OrderLine],
    facts: &HashMap<Uuid, ProductFacts>,
) -> Result<HashMap<Uuid, Vec<Named>>> {
    let (mut faults, mut named) = (Faults::default(), HashMap::new());
    let asked = input.lines.iter().flatten().enumerate();
    for (index, line) in asked.filter(|(_, line)| !line.lots.is_empty()) {
        let Some(known) = lines.iter().find(|known| known.id == line.line_id) else {
            continue;
        };
        let of_line = LotLine {
            pointer: format!("/lines/{index}"),
            product_id: known.product_id,
            quantity: line.quantity,
            lots: &line.lots,
        };
        let found = lots::named(tx, warehouse_id, facts, &[of_line], &mut faults)?;
        named.insert(line.line_id, found);
    }
    faults.check()?;
    Ok(named)
}

/// Which lots and locations each line was served from: those that it names, then the next ones.
fn served_from(
    shipped: &BTreeMap<Uuid, Quantity>,
    lines: &[OrderLine],
    named: &HashMap<Uuid, Vec<Named>>,
    picks: &[Pick],
) -> HashMap<Uuid, Vec<DeliveredLot>> {
    let told = |pick: &&Pick| pick.lot_id.is_some() || pick.location_id.is_some();
    let mut pool: Vec<Pick> = picks.iter().filter(told).cloned().collect();
    let mut served: HashMap<Uuid, Vec<DeliveredLot>> = HashMap::new();
    let mut open = shipped.clone();
    let anything = |line: &OrderLine| Named {
        product_id: line.product_id,
        lot_id: None,
        location_id: None,
        quantity: shipped.get(&line.id).copied().unwrap_or_default(),
    };
    let wishes = lines.iter().flat_map(|line| {
        named
            .get(&line.id)
            .into_iter()
            .flatten()
            .map(move |wish| (line, wish.clone()))
    });
    let rest = lines.iter().map(|line| (line, anything(line)));
    for (line, wish) in wishes.chain(rest) {
        let Some(left) = open.get_mut(&line.id) else {
            continue;
        };
        let mut wanted = wish.quantity.min(*left);
        let fits = |pick: &&mut Pick| {
            pick.product_id == wish.product_id
                && (wish.lot_id.is_none() || wish.lot_id == pick.lot_id)
                && (wish.location_id.is_none() || wish.location_id == pick.location_id)
        };
        for pick in pool.iter_mut().filter(fits) {
            let got = wanted.min(pick.quantity);
            if got.is_zero() {
                continue;
            }
            (wanted, *left, pick.quantity) = (wanted - got, *left - got, pick.quantity - got);
            let lots = served.entry(line.id).or_default();
            match lots
                .iter_mut()
                .find(|lot| (lot.lot_id, lot.location_id) == (pick.lot_id, pick.location_id))
            {
                Some(lot) => lot.quantity = lot.quantity + got,
                None => lots.push(DeliveredLot {
                    lot_id: pick.lot_id,
                    location_id: pick.location_id,
                    quantity: got,
                }),
            }
        }
    }
    served
}

/// The lines of a delivery, each with its share of what its product took along.
pub(super) fn delivered_lines(
    shipped: &BTreeMap<Uuid, Quantity>,
    lines: &[OrderLine],
    named: &HashMap<Uuid, Vec<Named>>,
    issued: &Issued,
    base: Currency,
) -> Result<Vec<DeliveryLine>> {
    let values = &issued.values;
    let mut lots = served_from(shipped, lines, named, &issued.picks);
    let mut left: HashMap<Uuid, (Decimal, Quantity)> = HashMap::new();
    for line in lines {
        if let (Some(quantity), Some(value)) = (shipped.get(&line.id), values.get(&line.product_id)) {
            let (_, sum) = left.entry(line.product_id).or_insert((*value, Quantity::ZERO));
            *sum = *sum + *quantity;
        }
    }
    let mut delivered = Vec::with_capacity(shipped.len());
    for line in lines {
        let Some(quantity) = shipped.get(&line.id) else {
            continue;
        };
        let value = match left.get_mut(&line.product_id) {
            Some((value, rest)) => {
                let share = average::share(*value, *rest, *quantity, base);
                (*value, *rest) = (*value - share, *rest - *quantity);
                share
            }
            None => Decimal::ZERO,
        };
        delivered.push(DeliveryLine {
            line_id: line.id,
            product_id: line.product_id,
            quantity: *quantity,
            value: Amount::money(base, value).ok_or_else(|| Error::Bug("a value beyond its bounds".into()))?,
            lots: lots.remove(&line.id).unwrap_or_default(),
        });
    }
    Ok(delivered)
}
