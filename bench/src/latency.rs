//! How long a sales client waits: from submitting an order in the CRM until the CRM shows that
//! the ERP has accepted it, with orders coming at a steady rate however long each takes.

use crate::api::Api;
use crate::failure::{Context, Failure, Result};
use crate::feed::Feed;
use crate::prepare::{NewOrder, Shop};
use crate::report::Report;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;

pub const ORDERS_PER_SECOND: u64 = 50;
const WARM_UP_SECONDS: u64 = 3;
/// Every so manieth order is read as well, as soon as the feed names it.
const SAMPLE: usize = 20;
const P50_MILLISECONDS: f64 = 100.0;
const P99_MILLISECONDS: f64 = 500.0;

#[derive(Deserialize)]
struct Order {
    status: String,
}

/// # Errors
/// When an order is refused, gets lost, or is not what the feed says.
pub async fn measure(shop: &Shop, seconds: u64, report: &mut Report) -> Result<()> {
    println!("Submitting {ORDERS_PER_SECOND} orders/s for {seconds} s");
    run(shop, WARM_UP_SECONDS).await?;
    let mut milliseconds = run(shop, seconds).await?;
    milliseconds.sort_by(f64::total_cmp);
    let [p50, p99, max] = [0.5, 0.99, 1.0].map(|part| percentile(&milliseconds, part));
    println!(
        "  {} orders: p50 {p50:.0} ms, p99 {p99:.0} ms, max {max:.0} ms",
        milliseconds.len()
    );
    let what = format!("submit → accepted visible in the CRM, {ORDERS_PER_SECOND} orders/s");
    report.at_most(&format!("{what}: p50"), p50, "ms", P50_MILLISECONDS);
    report.at_most(&format!("{what}: p99"), p99, "ms", P99_MILLISECONDS);
    report.note(
        &format!("{what}: longest of {}", milliseconds.len()),
        format!("{max:.0} ms"),
    );
    Ok(())
}

/// The waiting time of each order, in milliseconds.
async fn run(shop: &Shop, seconds: u64) -> Result<Vec<f64>> {
    let count = usize::try_from(ORDERS_PER_SECOND * seconds).context(|| "too many orders".to_owned())?;
    let orders: Vec<NewOrder> = (0..count).map(|_| shop.order()).collect();
    let mut feed = Feed::follow(&shop.crm).await?;
    let mut clients = JoinSet::new();
    let due = submit_in_time(&shop.crm, orders, &mut clients).await?;
    let mut waited = HashMap::new();
    while waited.len() < count {
        let change = feed.accepted().await?;
        let Some(due) = due.get(&change.order) else {
            continue;
        };
        waited.insert(change.order, change.at.duration_since(*due).as_secs_f64() * 1_000.0);
        if waited.len() % SAMPLE == 0 {
            clients.spawn(check(shop.crm.clone(), change.order));
        }
    }
    while let Some(client) = clients.join_next().await {
        client.context(|| "a client broke off".to_owned())??;
    }
    Ok(waited.into_values().collect())
}

/// Starts each order when it is due, whatever became of those before. The waiting time counts from
/// then on: what our own lateness adds is not hidden.
async fn submit_in_time(
    crm: &Api,
    orders: Vec<NewOrder>,
    clients: &mut JoinSet<Result<()>>,
) -> Result<HashMap<Uuid, Instant>> {
    let mut clock = tokio::time::interval(Duration::from_secs(1) / u32::try_from(ORDERS_PER_SECOND).unwrap_or(1));
    let mut due = HashMap::with_capacity(orders.len());
    for order in orders {
        due.insert(order.id, clock.tick().await.into_std());
        clients.spawn(submit(crm.clone(), order.body));
        while let Some(client) = clients.try_join_next() {
            client.context(|| "a client broke off".to_owned())??;
        }
    }
    Ok(due)
}

async fn submit(crm: Api, body: Value) -> Result<()> {
    crm.post::<Value>("/v1/orders", &body).await.map(|_| ())
}

/// The CRM shows what its feed says.
async fn check(crm: Api, id: Uuid) -> Result<()> {
    let order: Order = crm.get(&format!("/v1/orders/{id}")).await?;
    match order.status.as_str() {
        "accepted" => Ok(()),
        other => Err(Failure::new(format!(
            "the feed says that order {id} is accepted; the CRM shows {other}"
        ))),
    }
}

/// The value that `part` of all do not exceed.
fn percentile(sorted: &[f64], part: f64) -> f64 {
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(
            [0.5, 0.99, 1.0].map(|part| percentile(&hundred, part)),
            [50.0, 99.0, 100.0]
        );
        assert_eq!([0.5, 0.99, 1.0].map(|part| percentile(&[7.0], part)), [7.0; 3]);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }
}
