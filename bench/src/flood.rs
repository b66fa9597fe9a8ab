//! How many orders a second go through all three: submitted in the CRM as fast as it takes them,
//! carried to the ERP, decided there, and shown in the CRM. Afterwards the books are compared: each
//! was accepted exactly once.

use crate::api::Api;
use crate::failure::{Context, Failure, Result};
use crate::feed::{Change, Feed};
use crate::prepare::{NewOrder, Shop};
use crate::processes::Cpu;
use crate::report::Report;
use crate::stack::Stack;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;

const ORDERS_PER_SECOND: f64 = 300.0;
/// Whatever came twice would come within this time.
const QUIET: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct SalesOrder {
    id: Uuid,
    number: Option<String>,
    status: String,
}

#[derive(Deserialize)]
struct Level {
    reserved: String,
}

/// # Errors
/// When an order is refused, lost or doubled.
pub async fn measure(shop: &Shop, stack: &Stack, count: u32, clients: u32, report: &mut Report) -> Result<()> {
    println!("Submitting {count} orders with {clients} clients at once");
    let orders: Vec<NewOrder> = (0..count).map(|_| shop.order()).collect();
    let ids: HashSet<Uuid> = orders.iter().map(|order| order.id).collect();
    let quantity: u64 = orders.iter().map(|order| order.quantity).sum();
    let reserved = reserved(&shop.erp).await?;
    let mut feed = Feed::follow(&shop.crm).await?;
    let cpu = Cpu::now(stack)?;
    let started = Instant::now();
    let submitting = submit_all(&shop.crm, orders, clients);
    let (submitted, accepted) = tokio::try_join!(submitting, accept_all(&mut feed, &ids))?;
    let all = seconds(started, accepted);
    println!(
        "  submitted within {:.1} s, all accepted within {all:.1} s; processors: {}",
        seconds(started, submitted),
        cpu.since(stack)?
    );
    check_books(shop, &mut feed, &ids, reserved + quantity as f64).await?;
    println!("  each was accepted exactly once: one event, one sales order, one number, one reservation");
    let what = format!("orders sustained through all three, {count} at once");
    report.at_least(&what, f64::from(count) / all, "orders/s", ORDERS_PER_SECOND);
    Ok(())
}

fn seconds(from: Instant, to: Instant) -> f64 {
    to.duration_since(from).as_secs_f64()
}

/// Every client submits the next order as soon as its last one was answered. Tells when the last
/// was.
async fn submit_all(crm: &Api, orders: Vec<NewOrder>, clients: u32) -> Result<Instant> {
    let orders = Arc::new(Mutex::new(orders));
    let mut running = JoinSet::new();
    for _ in 0..clients {
        let (crm, orders) = (crm.clone(), orders.clone());
        running.spawn(async move {
            let next = || orders.lock().unwrap_or_else(PoisonError::into_inner).pop();
            while let Some(order) = next() {
                crm.post::<Value>("/v1/orders", &order.body).await?;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(client) = running.join_next().await {
        client.context(|| "a client broke off".to_owned())??;
    }
    Ok(Instant::now())
}

/// Tells when the last of `ids` was seen accepted.
async fn accept_all(feed: &mut Feed, ids: &HashSet<Uuid>) -> Result<Instant> {
    let mut accepted = HashMap::with_capacity(ids.len());
    let mut last = Instant::now();
    while accepted.len() < ids.len() {
        let change = feed.accepted().await?;
        if ids.contains(&change.order) {
            last = change.at;
            once(accepted.insert(change.order, change.at), &change)?;
        }
    }
    Ok(last)
}

fn once(before: Option<Instant>, change: &Change) -> Result<()> {
    match before {
        None => Ok(()),
        Some(_) => Err(Failure::new(format!("order {} was accepted twice", change.order))),
    }
}

/// No order came back twice; the ERP has each of them once, under a number of its own; and it has
/// reserved neither more nor less than was ordered.
async fn check_books(shop: &Shop, feed: &mut Feed, ids: &HashSet<Uuid>, reserved_now: f64) -> Result<()> {
    tokio::time::sleep(QUIET).await;
    while let Some(change) = feed.already_accepted().await? {
        once(ids.contains(&change.order).then_some(change.at), &change)?;
    }
    let orders: Vec<SalesOrder> = shop.erp.list("/v1/sales-orders?origin=crm&limit=500").await?;
    let ours: Vec<&SalesOrder> = orders.iter().filter(|order| ids.contains(&order.id)).collect();
    let confirmed = ours.iter().filter(|order| order.status == "confirmed").count();
    let different = ours.iter().map(|order| order.id).collect::<HashSet<_>>().len();
    let numbers = ours
        .iter()
        .filter_map(|order| order.number.as_ref())
        .collect::<HashSet<_>>()
        .len();
    let reserved = reserved(&shop.erp).await?;
    let expected = ids.len();
    if [ours.len(), confirmed, different, numbers] != [expected; 4] || reserved != reserved_now {
        return Err(Failure::new(format!(
            "of {expected} orders the ERP has {}, {confirmed} of them confirmed, with {different} ids and {numbers} \
             numbers; it has reserved {reserved} pieces instead of {reserved_now}",
            ours.len()
        )));
    }
    Ok(())
}

/// Pieces reserved in the ERP, over all products.
async fn reserved(erp: &Api) -> Result<f64> {
    let levels: Vec<Level> = erp.list("/v1/availability?limit=500").await?;
    // Whole pieces: a float adds them exactly.
    let pieces = levels.iter().map(|level| level.reserved.parse::<f64>());
    pieces
        .sum::<Result<f64, _>>()
        .context(|| "a quantity is not a number".to_owned())
}
