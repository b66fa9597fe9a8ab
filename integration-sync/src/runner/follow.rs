//! Following the feed. The next batch is fetched while the last one is applied.

use super::apply::collapse;
use super::backoff::Backoff;
use super::deliver::describe;
use super::{End, Shift};
use crate::flow_states::FlowState;
use crate::flow_states::progress::{Batch, Next};
use crate::http::{Api, Event, EventBatch, Reply};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// A batch and when it came.
pub(super) struct Fetched {
    events: Vec<Event>,
    pub(super) next_cursor: String,
    read_at: DateTime<Utc>,
}

/// Why there is no batch.
pub(super) enum FeedTrouble {
    Gone(String),
    Unavailable(String),
}

pub(super) async fn fetch(api: Api, after: String, types: Arc<str>, patient: bool) -> Result<Fetched, FeedTrouble> {
    let reply = match api.events(&after, &types, patient).await {
        Ok(reply) => reply,
        Err(error) => return Err(FeedTrouble::Unavailable(format!("{}: {}", api.system, error.text))),
    };
    let read_at = Utc::now();
    if reply.status == 410 || is_foreign_cursor(&reply) {
        return Err(FeedTrouble::Gone(describe(api.system, &reply)));
    }
    if reply.status != 200 {
        return Err(FeedTrouble::Unavailable(describe(api.system, &reply)));
    }
    match serde_json::from_slice::<EventBatch>(&reply.body) {
        Ok(batch) => Ok(Fetched {
            events: batch.events,
            next_cursor: batch.next_cursor,
            read_at,
        }),
        Err(error) => Err(FeedTrouble::Unavailable(format!(
            "{}: not a batch of events: {error}",
            api.system
        ))),
    }
}

/// A cursor that the source cannot even read leads nowhere, as one of another feed.
pub(super) fn is_foreign_cursor(reply: &Reply) -> bool {
    #[derive(Deserialize)]
    struct Code {
        code: String,
    }
    reply.status == 400
        && serde_json::from_slice::<Code>(&reply.body).is_ok_and(|problem| problem.code == "invalid_cursor")
}

impl Shift<'_> {
    pub(super) fn types(&self) -> Arc<str> {
        self.flow().event_types().collect::<Vec<_>>().join(",").into()
    }

    /// Follows the feed until something ends the shift.
    pub(super) async fn follow(&mut self, mut cursor: String) -> Result<(), End> {
        let (api, types) = (self.runner.courier.apis.of(self.flow().source).clone(), self.types());
        let fetch_after = |cursor: &str, patient| fetch(api.clone(), cursor.to_owned(), types.clone(), patient);
        let mut backoff = Backoff::default();
        let mut fetching = JoinSet::new();
        fetching.spawn(fetch_after(&cursor, true));
        loop {
            let retry_at = self.next_retry;
            tokio::select! {
                Some(fetched) = fetching.join_next() => match fetched {
                    Ok(Ok(batch)) => {
                        backoff.reset();
                        let moved = batch.next_cursor != cursor;
                        cursor.clone_from(&batch.next_cursor);
                        fetching.spawn(fetch_after(&cursor, true));
                        self.take(batch, moved).await?;
                    }
                    Ok(Err(FeedTrouble::Gone(reason))) => return Err(End::Gone(reason)),
                    trouble => {
                        let error = match trouble {
                            Ok(Err(FeedTrouble::Unavailable(error))) => error,
                            _ => "reading the feed ended early".to_owned(),
                        };
                        self.report(FlowState::WaitingForSource, Some(error)).await;
                        sleep(backoff.next()).await;
                        // Answered at once: so that the flow shows as running as soon as it is.
                        fetching.spawn(fetch_after(&cursor, false));
                    }
                },
                () = at(retry_at) => self.try_due().await?,
            }
        }
    }

    /// Applies a batch and saves the cursor behind it.
    async fn take(&mut self, fetched: Fetched, moved: bool) -> Result<(), End> {
        let mut batch = Batch {
            read: fetched.events.len() as i64,
            ..Batch::default()
        };
        for event in &fetched.events {
            let lag = (fetched.read_at - event.time).max(chrono::TimeDelta::zero());
            let histogram = &self.runner.metrics.lag_seconds;
            let seconds = lag.num_microseconds().unwrap_or(i64::MAX) as f64 / 1e6;
            histogram
                .with_label_values(&[self.flow().name, "committed_to_read"])
                .observe(seconds);
            batch.committed_to_read_ms = batch.committed_to_read_ms.max(Some(lag.num_milliseconds()));
            batch.last_event_at = batch.last_event_at.max(Some(event.time));
        }
        let changes: Vec<_> = fetched
            .events
            .into_iter()
            .filter_map(|event| self.flow().change(event))
            .collect();
        let (changes, superseded) = collapse(changes);
        batch.superseded = superseded;
        let units = self.prepare(changes, &mut batch).await?;
        self.apply(units, &mut batch).await;
        if moved || batch.read > 0 {
            return self
                .save(Next::Cursor(fetched.next_cursor), FlowState::Running, batch)
                .await;
        }
        self.report(FlowState::Running, None).await;
        Ok(())
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
