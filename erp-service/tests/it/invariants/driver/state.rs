//! What is there after a command: in the service, and in the model.

use super::Driver;
use crate::invariants::commands::World;
use crate::invariants::model::Model;
use diesel::prelude::*;
use diesel::sql_types::{Array, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What stands in the books, the warehouse and the subledgers after a command; zeros are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    pub accounts: BTreeMap<String, Vec<Decimal>>,
    /// On hand, reserved, value.
    pub stock: BTreeMap<Uuid, Vec<Decimal>>,
    /// Open in the item's currency and in the base currency, by document.
    pub items: BTreeMap<Uuid, Vec<Decimal>>,
    /// Open with tax in its currency, and without in the base currency, by prepayment.
    pub advances: BTreeMap<Uuid, Vec<Decimal>>,
    /// Reserved, backordered, delivered, invoiced, returned, still to be invoiced.
    pub lines: BTreeMap<Uuid, Vec<Decimal>>,
    /// Gross of an order, and what is still to be invoiced of it.
    pub orders: BTreeMap<Uuid, Vec<Decimal>>,
    /// Of customers with a limit.
    pub exposure: BTreeMap<Uuid, Vec<Decimal>>,
}

fn some<K: Ord>(figures: impl Iterator<Item = (K, Vec<Decimal>)>) -> BTreeMap<K, Vec<Decimal>> {
    figures
        .filter(|(_, figures)| figures.iter().any(|figure| !figure.is_zero()))
        .collect()
}

impl State {
    pub fn of(model: &Model) -> State {
        let lines = model.orders.values().flat_map(|order| &order.lines).map(|line| {
            let figures = vec![
                line.reserved,
                line.backordered,
                line.delivered,
                line.invoiced,
                line.returned,
            ];
            (line.id, figures)
        });
        let mut advances: BTreeMap<Uuid, Vec<Decimal>> = BTreeMap::new();
        for advance in &model.advances {
            let sums = advances
                .entry(advance.prepayment)
                .or_insert_with(|| vec![Decimal::ZERO; 2]);
            sums[0] += advance.open_gross;
            sums[1] += advance.open_net.1;
        }
        State {
            accounts: some(
                model
                    .accounts
                    .iter()
                    .map(|(code, sum)| ((*code).to_owned(), vec![*sum])),
            ),
            stock: some(
                model
                    .stock
                    .iter()
                    .map(|(id, stock)| (*id, vec![stock.on_hand, stock.reserved, stock.value])),
            ),
            items: some(
                model
                    .items
                    .iter()
                    .map(|(id, item)| (*id, vec![item.open, item.open_base])),
            ),
            advances: some(advances.into_iter()),
            lines: some(lines),
            orders: some(
                model
                    .orders
                    .values()
                    .map(|order| (order.id, vec![model.gross(order), model.uninvoiced(order)])),
            ),
            exposure: model.limits.keys().map(|id| (*id, vec![model.exposure(*id)])).collect(),
        }
    }

    /// What differs, in words; `self` is the service's.
    pub fn differences(&self, model: &State) -> Vec<String> {
        let mut found = Vec::new();
        compare("account", &self.accounts, &model.accounts, &mut found);
        let what = "stock (on hand, reserved, value) of";
        compare(what, &self.stock, &model.stock, &mut found);
        compare("open (amount, base) of", &self.items, &model.items, &mut found);
        let what = "advanced (gross, net in base) for";
        compare(what, &self.advances, &model.advances, &mut found);
        let what = "line (reserved, backordered, delivered, invoiced, returned)";
        compare(what, &self.lines, &model.lines, &mut found);
        compare("order (gross, uninvoiced)", &self.orders, &model.orders, &mut found);
        compare("exposure of", &self.exposure, &model.exposure, &mut found);
        found
    }
}

fn compare<K>(
    what: &str,
    service: &BTreeMap<K, Vec<Decimal>>,
    model: &BTreeMap<K, Vec<Decimal>>,
    found: &mut Vec<String>,
) where
    K: Ord + std::fmt::Display,
{
    let shown = |figures: Option<&Vec<Decimal>>| match figures {
        None => "nothing".to_owned(),
        Some(figures) => {
            let figures: Vec<String> = figures.iter().map(|figure| figure.normalize().to_string()).collect();
            figures.join(", ")
        }
    };
    let keys: BTreeSet<&K> = service.keys().chain(model.keys()).collect();
    for key in keys {
        let (is, expected) = (service.get(key), model.get(key));
        if is != expected {
            let (is, expected) = (shown(is), shown(expected));
            found.push(format!("{what} {key}: the service has {is}; the model {expected}"));
        }
    }
}

#[derive(QueryableByName)]
struct Figures {
    #[diesel(sql_type = Text)]
    what: String,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Array<Numeric>)]
    figures: Vec<Decimal>,
}

#[derive(QueryableByName)]
struct Broken {
    #[diesel(sql_type = Text)]
    what: String,
}

impl Driver {
    /// What the service has of this sequence.
    pub async fn state(&mut self, world: &World, model: &Model) -> State {
        let found: Vec<Figures> = sql(include_str!("state.sql"))
            .bind::<SqlUuid, _>(self.before)
            .bind::<Array<SqlUuid>, _>(world.products.clone())
            .bind::<Array<SqlUuid>, _>(world.parties())
            .rows(&mut self.conn)
            .expect("the figures");
        let mut state = State::default();
        for Figures { what, key, figures } in found {
            let id = || key.parse().expect("an id");
            match what.as_str() {
                "account" => drop(state.accounts.insert(key, figures)),
                "stock" => drop(state.stock.insert(id(), figures)),
                "item" => drop(state.items.insert(id(), figures)),
                "advance" => drop(state.advances.insert(id(), figures)),
                "order" => drop(state.orders.insert(id(), figures)),
                _ => drop(state.lines.insert(id(), figures)),
            }
        }
        for customer in model.limits.keys() {
            let shown = self.erp.get(&format!("/v1/customers/{customer}")).await.expect(200);
            let exposure = shown["exposure"].as_str().expect("an exposure").parse();
            state.exposure.insert(*customer, vec![exposure.expect("a decimal")]);
        }
        state
    }

    /// What must always hold and does not, of what this sequence did.
    pub fn broken(&mut self, world: &World) -> Vec<String> {
        let found: Vec<Broken> = sql(include_str!("broken.sql"))
            .bind::<SqlUuid, _>(self.before)
            .bind::<Array<SqlUuid>, _>(world.products.clone())
            .bind::<Array<SqlUuid>, _>(world.parties())
            .rows(&mut self.conn)
            .expect("the invariants can be read");
        found.into_iter().map(|broken| broken.what).collect()
    }

    /// What must always hold and does not, of all that is in the database.
    pub fn all_broken(&mut self) -> Vec<String> {
        let found: Vec<Broken> = diesel::sql_query(include_str!("../../../invariants/all.sql"))
            .load(&mut self.conn)
            .expect("the invariants can be read");
        found.into_iter().map(|broken| broken.what).collect()
    }
}
