//! Resynchronisation: everything is read from its owner and sent again. It is the answer to a feed
//! that is gone and what an operator may ask for, and then replaces what the target has; and it is
//! the initial load, where newer versions win as always.
//!
//! The feed's head is taken before the first page, so what changes meanwhile is followed
//! afterwards. How far it is stands in the database: another instance goes on from there.

use super::backoff::Backoff;
use super::deliver::describe;
use super::follow::{FeedTrouble, fetch, is_foreign_cursor};
use super::{End, Shift};
use crate::flow_states::FlowState;
use crate::flow_states::progress::{self, Batch, Next, Position};
use crate::flows::Record;
use crate::http::RecordPage;
use chrono::{DateTime, Utc};
use diesel::PgConnection;
use service_kit::Result as KitResult;
use std::time::Duration;
use tokio::time::sleep;

impl Shift<'_> {
    pub(super) async fn resync(&mut self, position: Position, requested_at: DateTime<Utc>) -> Result<(), End> {
        let fence = self.fence;
        if position.resync_head.is_none() {
            self.let_others_resync_first().await?;
            let head = self.head_of_feed().await;
            self.guarded(move |conn| progress::begin_resync(conn, fence, requested_at, &head))
                .await?;
            self.state = FlowState::Resyncing;
            tracing::info!(flow = self.flow().name, "resync begins");
        }
        let first = usize::try_from(position.resync_list).unwrap_or_default();
        let mut page = position.resync_page;
        for (list, record) in self.flow().records.iter().enumerate().skip(first) {
            loop {
                let records = self.page_of(record, &mut page).await;
                let more = records.next_cursor.clone();
                let list = list as i32 + i32::from(more.is_none());
                let next = Next::Page {
                    requested_at,
                    list,
                    page: more.clone(),
                };
                self.push(record, records, position.resync_replace, next).await?;
                page = more;
                if page.is_none() {
                    break;
                }
            }
        }
        self.guarded(move |conn| progress::finish_resync(conn, fence, requested_at))
            .await?;
        tracing::info!(flow = self.flow().name, "resync is done");
        self.runner.board.nudge(self.flow());
        Ok(())
    }

    async fn let_others_resync_first(&self) -> Result<(), End> {
        let flow = self.flow();
        while self
            .runner
            .kit
            .run_read(move |conn| progress::others_resync_first(conn, flow))
            .await?
        {
            sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    async fn head_of_feed(&mut self) -> String {
        let mut backoff = Backoff::default();
        loop {
            let api = self.runner.courier.apis.of(self.flow().source).clone();
            let error = match fetch(api, "latest".to_owned(), self.types(), false).await {
                Ok(batch) => return batch.next_cursor,
                Err(FeedTrouble::Gone(error) | FeedTrouble::Unavailable(error)) => error,
            };
            self.report(FlowState::WaitingForSource, Some(error)).await;
            sleep(backoff.next()).await;
        }
    }

    /// One page of the owner's list; waits as long as the owner does not answer.
    async fn page_of(&mut self, record: &'static Record, page: &mut Option<String>) -> RecordPage {
        let mut backoff = Backoff::default();
        loop {
            let api = self.runner.courier.apis.of(self.flow().source);
            let separator = if record.list.contains('?') { '&' } else { '?' };
            let cursor = page
                .as_deref()
                .map(|cursor| format!("&cursor={cursor}"))
                .unwrap_or_default();
            let error = match api.get(&format!("{}{separator}limit=500{cursor}", record.list)).await {
                Ok(reply) if reply.status == 200 => match serde_json::from_slice(&reply.body) {
                    Ok(records) => return records,
                    Err(error) => format!("{}: not a page of records: {error}", api.system),
                },
                Ok(reply) if page.is_some() && is_foreign_cursor(&reply) => {
                    // A new release of the owner pages in another way: this list starts again.
                    *page = None;
                    continue;
                }
                Ok(reply) => describe(api.system, &reply),
                Err(error) => format!("{}: {}", api.system, error.text),
            };
            self.report(FlowState::WaitingForSource, Some(error)).await;
            sleep(backoff.next()).await;
        }
    }

    async fn push(
        &mut self,
        record: &'static Record,
        records: RecordPage,
        replace: bool,
        next: Next,
    ) -> Result<(), End> {
        let mut batch = Batch {
            read: records.items.len() as i64,
            ..Batch::default()
        };
        let mut changes = Vec::with_capacity(records.items.len());
        for item in records.items {
            match record.current(item, replace) {
                Ok(change) => changes.push(change),
                // Without an id there is nothing to park; the owner breaks its own contract.
                Err(error) => tracing::error!(flow = self.flow().name, %error, "a record without id or version"),
            }
        }
        let units = self.prepare(changes, &mut batch).await?;
        self.apply(units, &mut batch).await;
        batch.read_to_applied_ms = None;
        self.save(next, FlowState::Resyncing, batch).await
    }

    /// Writes something that only the owner of the lease may.
    async fn guarded<F>(&self, write: F) -> Result<(), End>
    where
        F: Fn(&mut PgConnection) -> KitResult<bool> + Send + 'static,
    {
        match self.runner.kit.run_read(write).await? {
            true => Ok(()),
            false => Err(End::NotOurs),
        }
    }
}
