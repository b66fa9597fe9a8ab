//! The orders of a company on their way: submitted in the CRM, decided and delivered in the ERP,
//! followed in the CRM by its event feed.

use super::{Company, Order, memory::RoundTrip, requests};
use crate::api::Api;
use crate::failure::{Failure, Result};
use crate::progress::{Progress, Step};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Requests at once: enough to keep two cores busy.
pub(super) const WIDTH: usize = 12;
/// The last orders are submitted one at a time, to see how long one takes.
const TIMED: usize = 20;
/// How long nothing may move before we say so.
const PATIENCE: Duration = Duration::from_secs(90);

/// How far the CRM says that an order is, from submitted to delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Submitted,
    Accepted,
    Delivered,
    /// Somewhere else: rejected, on hold, cancelled.
    Astray,
}

/// An order, or the data of an event of one.
#[derive(Debug, Deserialize)]
struct Seen {
    id: Uuid,
    status: String,
}

#[derive(Deserialize)]
struct Batch {
    events: Vec<Event>,
    next_cursor: String,
}

#[derive(Deserialize)]
struct Event {
    data: Seen,
}

/// What the CRM shows of the company's orders.
pub(super) struct Orders<'a> {
    company: &'a Company,
    crm: &'a Api,
    erp: &'a Api,
    by_uuid: HashMap<Uuid, &'a Order>,
    stages: HashMap<Uuid, Stage>,
    cursor: String,
    astray: Vec<String>,
}

impl<'a> Orders<'a> {
    /// Looks at what is there, and from then on at what changes.
    pub(super) async fn follow(company: &'a Company, crm: &'a Api, erp: &'a Api) -> Result<Self> {
        let head: Batch = crm.get("/v1/events?after=latest").await?;
        let mut orders = Orders {
            company,
            crm,
            erp,
            by_uuid: company
                .orders
                .iter()
                .map(|order| (company.order_uuid(order.id), order))
                .collect(),
            stages: HashMap::new(),
            cursor: head.next_cursor,
            astray: Vec::new(),
        };
        for seen in crm.list::<Seen>("/v1/orders").await? {
            orders.note(seen);
        }
        Ok(orders)
    }

    /// Submits what the CRM does not have yet; the last few one at a time, which are timed.
    pub(super) async fn submit(&mut self, progress: &Progress) -> Result<Option<RoundTrip>> {
        let all: Vec<&Order> = self.company.orders.iter().collect();
        let missing: Vec<&Order> = all
            .iter()
            .copied()
            .filter(|order| self.stage(order).is_none())
            .collect();
        let (flood, timed) = missing.split_at(missing.len().saturating_sub(TIMED));
        let step = progress.step("Orders, through the CRM", all.len() - timed.len());
        step.at(all.len() - missing.len());
        let sent = stream::iter(flood).map(|order| self.send(order, &step));
        sent.buffer_unordered(WIDTH).try_collect::<()>().await?;
        step.done();
        let untimed: Vec<&Order> = all
            .iter()
            .copied()
            .filter(|order| !timed.iter().any(|t| t.id == order.id))
            .collect();
        let step = progress.step("Decided by the ERP", untimed.len());
        self.wait_for(Stage::Accepted, &untimed, Some(&step)).await?;
        step.done();
        let round_trip = self.submit_one_by_one(timed, progress).await?;
        self.wait_for(Stage::Accepted, &all, None).await?;
        Ok(round_trip)
    }

    async fn submit_one_by_one(&self, orders: &[&Order], progress: &Progress) -> Result<Option<RoundTrip>> {
        let mut times = Vec::new();
        if !orders.is_empty() {
            let step = progress.step("The last orders, one by one", orders.len());
            for order in orders {
                let started = Instant::now();
                self.send(order, &step).await?;
                self.is_decided(order).await?;
                times.push(started.elapsed());
            }
            step.done();
        }
        Ok(RoundTrip::of(times))
    }

    /// Delivers in the ERP what was shipped, oldest first, and waits until the CRM shows it.
    pub(super) async fn deliver(&mut self, progress: &Progress) -> Result<()> {
        let mut shipped: Vec<&Order> = self.company.shipped_orders().collect();
        shipped.sort_by_key(|order| (order.delivery_date(), order.id));
        let step = progress.step("Deliveries in the ERP", shipped.len());
        let posted = stream::iter(&shipped).map(|order| self.post_delivery(order, &step));
        posted.buffer_unordered(WIDTH).try_collect::<()>().await?;
        step.done();
        let step = progress.step("Deliveries back in the CRM", shipped.len());
        self.wait_for(Stage::Delivered, &shipped, Some(&step)).await?;
        step.done();
        Ok(())
    }

    async fn send(&self, order: &Order, step: &Step) -> Result<()> {
        let key = self.company.order_uuid(order.id).to_string();
        self.crm
            .post("/v1/orders", &key, &requests::order(self.company, order))
            .await?;
        step.tick();
        Ok(())
    }

    /// Waits until the CRM shows what the ERP decided, looking as often as an impatient client.
    async fn is_decided(&self, order: &Order) -> Result<()> {
        let path = format!("/v1/orders/{}", self.company.order_uuid(order.id));
        let started = Instant::now();
        while self.crm.get::<Seen>(&path).await?.status == "submitted" {
            if started.elapsed() > PATIENCE {
                return Err(Failure::new(format!(
                    "order {} is not decided after {PATIENCE:?}",
                    order.id
                )));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    async fn post_delivery(&self, order: &Order, step: &Step) -> Result<()> {
        let uuid = self.company.order_uuid(order.id);
        if self.stages.get(&uuid) != Some(&Stage::Delivered) {
            let path = format!("/v1/sales-orders/{uuid}/deliveries");
            let body = requests::delivery(self.company, order);
            self.erp.post(&path, &uuid.to_string(), &body).await?;
        }
        step.tick();
        Ok(())
    }

    fn stage(&self, order: &Order) -> Option<Stage> {
        self.stages.get(&self.company.order_uuid(order.id)).copied()
    }

    /// Follows the feed until all of `orders` have reached a stage.
    async fn wait_for(&mut self, stage: Stage, orders: &[&Order], step: Option<&Step>) -> Result<()> {
        let (mut reached, mut moved) = (0, Instant::now());
        loop {
            let there = orders.iter().filter(|order| self.stage(order) >= Some(stage)).count();
            if let Some(step) = step {
                step.at(there);
            }
            if there > reached {
                (reached, moved) = (there, Instant::now());
            }
            if !self.astray.is_empty() {
                return Err(self.lost());
            }
            if there == orders.len() {
                return Ok(());
            }
            if moved.elapsed() > PATIENCE {
                return Err(Failure::new(format!(
                    "{} of {} orders have not come further than {stage:?} for {PATIENCE:?}: \
                     see /v1/flows and /v1/dead-letters of the sync, and the logs",
                    orders.len() - there,
                    orders.len()
                )));
            }
            self.read_feed().await?;
        }
    }

    async fn read_feed(&mut self) -> Result<()> {
        let types = "order.submitted,order.fulfilment_changed";
        let path = format!("/v1/events?after={}&types={types}&limit=500&wait=5", self.cursor);
        let batch: Batch = self.crm.get(&path).await?;
        self.cursor = batch.next_cursor;
        for event in batch.events {
            self.note(event.data);
        }
        Ok(())
    }

    /// Takes note of a status. The feed's order is not the order of versions, but these orders
    /// only ever go forward.
    fn note(&mut self, seen: Seen) {
        let Some(order) = self.by_uuid.get(&seen.id) else {
            return;
        };
        let stage = match seen.status.as_str() {
            "draft" => return,
            "submitted" => Stage::Submitted,
            "accepted" => Stage::Accepted,
            "delivered" | "closed" => Stage::Delivered,
            other => {
                self.astray.push(format!("order {} is {other}", order.id));
                Stage::Astray
            }
        };
        let known = self.stages.entry(seen.id).or_insert(stage);
        *known = stage.max(*known);
    }

    fn lost(&self) -> Failure {
        let some: Vec<_> = self.astray.iter().take(5).map(String::as_str).collect();
        let more = match self.astray.len() - some.len() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        Failure::new(format!("the company cannot be loaded whole: {}{more}", some.join(", ")))
    }
}

impl RoundTrip {
    fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort();
        let median = times.get(times.len() / 2)?;
        Some(RoundTrip {
            orders: times.len(),
            median_milliseconds: (median.as_secs_f64() * 10_000.0).round() / 10.0,
        })
    }
}
