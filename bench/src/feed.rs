//! What the CRM tells about its orders: its own event feed, followed by long-polls as any client
//! may do.

use crate::api::Api;
use crate::failure::{Failure, Result};
use serde::Deserialize;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Orders that get nowhere for so long are lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// An order whose fulfilment changed, and when we learnt it.
#[derive(Debug, Clone)]
pub struct Change {
    pub order: Uuid,
    pub status: String,
    pub at: Instant,
}

#[derive(Deserialize)]
struct Batch {
    events: Vec<Event>,
    next_cursor: String,
}

#[derive(Deserialize)]
struct Event {
    subject: Uuid,
    data: Order,
}

#[derive(Deserialize)]
struct Order {
    status: String,
}

/// Follows the feed from now on, until it is dropped.
pub struct Feed {
    changes: UnboundedReceiver<Result<Change>>,
    task: JoinHandle<()>,
}

impl Feed {
    /// # Errors
    /// When the CRM does not answer.
    pub async fn follow(crm: &Api) -> Result<Self> {
        let now: Batch = crm.get("/v1/events?after=latest").await?;
        let (send, changes) = unbounded_channel();
        let crm = crm.clone();
        let task = tokio::spawn(async move {
            if let Err(failure) = follow(&crm, now.next_cursor, &send).await {
                let _ = send.send(Err(failure));
            }
        });
        Ok(Feed { changes, task })
    }

    /// The next order that was accepted.
    ///
    /// # Errors
    /// When an order ended otherwise, or nothing comes any more.
    pub async fn accepted(&mut self) -> Result<Change> {
        let next = tokio::time::timeout(PATIENCE, self.changes.recv()).await;
        let Ok(Some(change)) = next else {
            let seconds = PATIENCE.as_secs();
            return Err(Failure::new(format!(
                "no order was accepted for {seconds} s, and some are missing"
            )));
        };
        let change = change?;
        match change.status.as_str() {
            "accepted" => Ok(change),
            other => Err(Failure::new(format!("order {} is {other}, not accepted", change.order))),
        }
    }

    /// An order that was accepted meanwhile, if there is one.
    ///
    /// # Errors
    /// When an order ended otherwise.
    pub async fn already_accepted(&mut self) -> Result<Option<Change>> {
        match self.changes.is_empty() {
            true => Ok(None),
            false => self.accepted().await.map(Some),
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns when nobody listens any more.
async fn follow(crm: &Api, mut cursor: String, changes: &UnboundedSender<Result<Change>>) -> Result<()> {
    loop {
        let path = format!("/v1/events?types=order.fulfilment_changed&wait=25&after={cursor}");
        let batch: Batch = crm.get(&path).await?;
        let at = Instant::now();
        for event in batch.events {
            let change = Change {
                order: event.subject,
                status: event.data.status,
                at,
            };
            if changes.send(Ok(change)).is_err() {
                return Ok(());
            }
        }
        cursor = batch.next_cursor;
    }
}
