//! Which lots and locations an issue takes from: what is named, then first expired, first out.

use super::{Named, short};
use crate::inventory::levels::{Demand, Issue};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Nullable, Numeric, Uuid as SqlUuid};
use serde_json::{Value, json};
use service_kit::db::sql;
use service_kit::{Problem, Quantity, Result};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A place with what is left in it.
#[derive(Debug, Clone, QueryableByName)]
struct Place {
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    lot_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    location_id: Option<Uuid>,
    #[diesel(sql_type = Numeric)]
    quantity: Quantity,
    #[diesel(sql_type = Nullable<Date>)]
    expires_on: Option<NaiveDate>,
}

/// Where each product of `demand` is taken from. The levels are locked.
///
/// # Errors
/// 409 `insufficient_stock` with every product or lot that is short, `lot_expired`.
pub fn allocate(conn: &mut PgConnection, issue: &Issue<'_>, demand: &Demand) -> Result<Vec<Named>> {
    let picked = pick(conn, issue, demand)?;
    Ok(picked.into_iter().map(|(named, _)| named).collect())
}

/// How much of what an issue would take lies in expired lots: that is not taken from anybody who
/// has reserved.
///
/// # Errors
/// As [`allocate`].
pub fn of_expired(conn: &mut PgConnection, issue: &Issue<'_>) -> Result<Demand> {
    let mut expired = Demand::new();
    for (named, is_expired) in pick(conn, issue, issue.demand)? {
        if is_expired {
            let sum = expired.entry(named.product_id).or_default();
            *sum = *sum + named.quantity;
        }
    }
    Ok(expired)
}

fn pick(conn: &mut PgConnection, issue: &Issue<'_>, demand: &Demand) -> Result<Vec<(Named, bool)>> {
    let mut places: BTreeMap<Uuid, Vec<Place>> = BTreeMap::new();
    for place in load(conn, issue.warehouse_id, demand)? {
        places.entry(place.product_id).or_default().push(place);
    }
    let date = issue.document.date;
    let (mut picked, mut missing, mut expired) = (Vec::new(), Vec::new(), Vec::new());
    for (product, wanted) in demand {
        let places = places.entry(*product).or_default();
        let mut open = *wanted;
        for wish in issue.named.iter().filter(|wish| wish.product_id == *product) {
            let mut left = wish.quantity.min(open);
            open = open - left;
            for place in places.iter_mut().filter(|place| wish.fits(place)) {
                if place.is_expired(date) && issue.document.kind == "delivery" {
                    expired
                        .push(json!({ "product_id": product, "lot_id": place.lot_id, "expires_on": place.expires_on }));
                }
                left = place.take(left, date, &mut picked);
            }
            if !left.is_zero() {
                missing.push(json!({ "product_id": product, "lot_id": wish.lot_id, "location_id": wish.location_id, "missing": left }));
            }
        }
        let sells = matches!(issue.document.kind, "delivery" | "transfer");
        for place in places.iter_mut().filter(|place| !(sells && place.is_expired(date))) {
            open = place.take(open, date, &mut picked);
        }
        if !open.is_zero() {
            missing.push(json!({ "product_id": product, "wanted": wanted, "missing": open }));
        }
    }
    refuse(missing, expired)?;
    Ok(picked)
}

fn refuse(missing: Vec<Value>, expired: Vec<Value>) -> Result<(), Problem> {
    if !expired.is_empty() {
        return Err(Problem::conflict("lot_expired", "an expired lot is not delivered").fact("lots", expired));
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(short(missing)),
    }
}

impl Named {
    fn fits(&self, place: &Place) -> bool {
        let fits = |wish: Option<Uuid>, of: Option<Uuid>| wish.is_none() || wish == of;
        fits(self.lot_id, place.lot_id) && fits(self.location_id, place.location_id)
    }
}

impl Place {
    fn is_expired(&self, date: NaiveDate) -> bool {
        self.expires_on.is_some_and(|last| last < date)
    }

    /// Takes at most `wanted` out; answers what is still wanted.
    fn take(&mut self, wanted: Quantity, date: NaiveDate, picked: &mut Vec<(Named, bool)>) -> Quantity {
        let got = wanted.min(self.quantity);
        if !got.is_zero() {
            self.quantity = self.quantity - got;
            let named = Named {
                product_id: self.product_id,
                lot_id: self.lot_id,
                location_id: self.location_id,
                quantity: got,
            };
            picked.push((named, self.is_expired(date)));
        }
        wanted - got
    }
}

/// All places of these products in the order in which they are emptied: what was not put away, then
/// by expiry, lot and location.
fn load(conn: &mut PgConnection, warehouse_id: Uuid, demand: &Demand) -> QueryResult<Vec<Place>> {
    let products: Vec<Uuid> = demand.keys().copied().collect();
    sql("SELECT product_id, lot_id, location_id, quantity, expires_on FROM (
             SELECT l.product_id, NULL::uuid AS lot_id, NULL::uuid AS location_id, l.on_hand - l.placed AS quantity,
                    NULL::date AS expires_on, '' AS lot, '' AS location
             FROM stock_levels l WHERE l.product_id = ANY ($1) AND l.warehouse_id = $2 AND NOT l.tracked AND l.on_hand > l.placed
             UNION ALL
             SELECT p.product_id, p.lot_id, p.location_id, p.quantity, lots.expires_on, coalesce(lots.code, ''), coalesce(c.code, '')
             FROM stock_places p LEFT JOIN lots ON lots.id = p.lot_id LEFT JOIN locations c ON c.id = p.location_id
             WHERE p.product_id = ANY ($3) AND p.warehouse_id = $4) places
         ORDER BY product_id, expires_on NULLS LAST, lot, location")
    .bind::<Array<SqlUuid>, _>(products.clone())
    .bind::<SqlUuid, _>(warehouse_id)
    .bind::<Array<SqlUuid>, _>(products)
    .bind::<SqlUuid, _>(warehouse_id)
    .rows(conn)
}
