//! One task a flow: it reads the feed of the source and applies what changed to the target.
//!
//! The task works while this instance holds the flow's lease and nobody paused it (`board`).
//! Its work is a `Shift`: from loading the position to the moment that something ends it, and
//! it may be dropped at any await, for
//! - every apply may be repeated, and
//! - the cursor moves only after everything before it is applied, stored for a retry, or parked.
//!
//! Within a shift: a resync that is open comes first (`resync`), then the feed is followed
//! (`follow`): a batch is collapsed to the newest change of each record and applied with several
//! requests in flight (`apply`); since a record appears once in a batch, its order is kept. What
//! one request comes to, with missing references brought along, stands in `deliver`.

mod apply;
mod backoff;
mod board;
mod deliver;
mod follow;
mod resync;

pub use board::{Board, keep};
pub use deliver::{Courier, Outcome};

use crate::flow_states::FlowState;
use crate::flow_states::progress::{self, Batch, Fence, Next, Position};
use crate::flows::Flow;
use crate::metrics::Metrics;
use crate::retries::{self, Open};
use backoff::Backoff;
use board::Turn;
use chrono::{DateTime, Utc};
use diesel::PgConnection;
use service_kit::Problem;
use service_kit::server::Kit;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

/// Works on one flow.
pub struct Runner {
    pub flow: &'static Flow,
    /// This instance.
    pub owner: Uuid,
    pub kit: Kit,
    pub courier: Courier,
    pub board: Arc<Board>,
    pub metrics: Metrics,
    /// Requests at once.
    pub in_flight: usize,
}

/// Why a shift ends.
enum End {
    /// The lease, or the resync, is not what it was.
    NotOurs,
    /// The feed knows the cursor no more.
    Gone(String),
    /// Our own database.
    Database(Box<Problem>),
}

impl From<Problem> for End {
    fn from(problem: Problem) -> Self {
        End::Database(Box::new(problem))
    }
}

/// The time between taking up the work on a flow and leaving it.
struct Shift<'r> {
    runner: &'r Runner,
    fence: Fence,
    open: Open,
    next_retry: Option<Instant>,
    /// As reported last.
    state: FlowState,
}

impl Runner {
    /// Works until the board says stop.
    pub async fn run(self) {
        let seat = self.board.seat(self.flow);
        let mut turns = seat.turns();
        let mut backoff = Backoff::default();
        let mut last_resync = None;
        while let Some(epoch) = board::next_turn(&mut turns).await {
            seat.set_working(true);
            let ended = self.shift(epoch, turns.clone(), &mut last_resync).await;
            seat.set_working(false);
            match ended {
                Ok(()) => backoff.reset(),
                Err(end) => {
                    if let End::Database(problem) = end {
                        tracing::warn!(flow = self.flow.name, %problem, "the flow rests for a moment");
                    }
                    self.board.nudge(self.flow);
                    board::rest(&mut turns, backoff.next()).await;
                }
            }
        }
    }

    async fn shift(
        &self,
        epoch: i64,
        turns: watch::Receiver<Turn>,
        last_resync: &mut Option<DateTime<Utc>>,
    ) -> Result<(), End> {
        let fence = Fence {
            flow: self.flow.name,
            owner: self.owner,
            epoch,
        };
        let position = self
            .kit
            .run_read(move |conn| progress::load(conn, fence))
            .await?
            .ok_or(End::NotOurs)?;
        // The board may still show the resync that ended a moment ago.
        *last_resync = position.resync_requested_at.or(*last_resync);
        let mut shift = Shift {
            runner: self,
            fence,
            open: Open::default(),
            next_retry: None,
            state: FlowState::Running,
        };
        let ended = tokio::select! {
            biased;
            () = board::over(turns, epoch, *last_resync) => Ok(()),
            ended = shift.work(position) => ended,
        };
        match ended {
            Err(End::Gone(reason)) => self.mark_gone(fence, reason).await,
            ended => ended,
        }
    }

    async fn mark_gone(&self, fence: Fence, reason: String) -> Result<(), End> {
        tracing::warn!(
            flow = self.flow.name,
            reason,
            "the feed is another one: everything is sent again"
        );
        let source = self.flow.source;
        let reason = format!("the feed of {source} is another one: {reason}");
        let mark = move |conn: &mut PgConnection| progress::mark_gone(conn, fence, source, &reason);
        let marked = self.kit.run_background(mark).await?;
        self.board.nudge(self.flow);
        if marked { Ok(()) } else { Err(End::NotOurs) }
    }
}

impl Shift<'_> {
    fn flow(&self) -> &'static Flow {
        self.runner.flow
    }

    async fn work(&mut self, position: Position) -> Result<(), End> {
        self.look_at_what_is_open().await?;
        match (position.resync_requested_at, position.cursor.clone()) {
            (Some(requested_at), _) => self.resync(position, requested_at).await,
            (None, Some(cursor)) => self.follow(cursor).await,
            // Cannot be: a flow without a cursor has its first resync before it.
            (None, None) => Err(End::Gone("there is no cursor yet".to_owned())),
        }
    }

    /// Says what the flow is doing; the log only hears of changes.
    async fn report(&mut self, state: FlowState, error: Option<String>) {
        if self.state == state {
            return;
        }
        match &error {
            Some(error) => tracing::warn!(flow = self.flow().name, %state, error, "waiting"),
            None => tracing::info!(flow = self.flow().name, %state, "going on"),
        }
        self.state = state;
        let fence = self.fence;
        let write = move |conn: &mut PgConnection| progress::report(conn, fence, state, error.as_deref());
        // Only for the reader of the flow; the work does not depend on it.
        let _ = self.runner.kit.run_read(write).await;
    }

    async fn save(&mut self, next: Next, state: FlowState, batch: Batch) -> Result<(), End> {
        self.count(&batch);
        let trouble = !batch.failed.is_empty() || !batch.parked.is_empty();
        let (fence, kit) = (self.fence, &self.runner.kit);
        let write = move |conn: &mut PgConnection| progress::save(conn, fence, &next, state, &batch);
        let saved = match trouble {
            true => kit.run_background(write).await?,
            false => kit.run_read(write).await?,
        };
        if !saved {
            return Err(End::NotOurs);
        }
        if self.state != state {
            tracing::info!(flow = self.flow().name, %state, "going on");
            self.state = state;
        }
        if trouble || self.open.retries > 0 || self.open.dead_letters > 0 {
            self.look_at_what_is_open().await?;
        }
        Ok(())
    }

    async fn look_at_what_is_open(&mut self) -> Result<(), End> {
        let name = self.flow().name;
        self.open = self.runner.kit.run_read(move |conn| retries::open(conn, name)).await?;
        self.next_retry = self.open.next_in().map(|wait| Instant::now() + wait);
        let metrics = &self.runner.metrics;
        metrics.open_retries.with_label_values(&[name]).set(self.open.retries);
        metrics
            .open_dead_letters
            .with_label_values(&[name])
            .set(self.open.dead_letters);
        Ok(())
    }

    fn count(&self, batch: &Batch) {
        let (name, metrics) = (self.flow().name, &self.runner.metrics);
        let outcomes = [
            ("read", batch.read),
            ("superseded", batch.superseded),
            ("skipped", batch.skipped),
            ("applied", batch.applied.len() as i64),
            ("retried", batch.failed.len() as i64),
            ("dead", batch.parked.len() as i64),
        ];
        for (outcome, count) in outcomes {
            metrics
                .changes
                .with_label_values(&[name, outcome])
                .inc_by(count.unsigned_abs());
        }
        let hops = [
            ("committed_to_read", batch.committed_to_read_ms),
            ("read_to_applied", batch.read_to_applied_ms),
        ];
        for (hop, lag) in hops {
            if let Some(lag) = lag {
                metrics.last_lag_milliseconds.with_label_values(&[name, hop]).set(lag);
            }
        }
    }
}
