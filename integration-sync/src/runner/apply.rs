//! Applying a batch: each record once, several requests in flight, until everything is applied,
//! stored for a retry, or parked.

use super::backoff::Backoff;
use super::deliver::Outcome;
use super::{End, Shift};
use crate::dead_letters::{Parked, Refusal};
use crate::flow_states::FlowState;
use crate::flow_states::progress::{Batch, Done, Next};
use crate::flows::{Change, Flow, Request};
use crate::retries::{self, Failed};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::HashMap;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// A record's change, ready to go. For a bulk flow, `request` holds the item.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub kind: &'static str,
    pub subject: Uuid,
    pub version: i64,
    pub replace: bool,
    pub as_of: DateTime<Utc>,
    pub request: Request,
    /// Failed tries so far.
    pub attempts: i32,
}

/// Keeps the newest change of each record, in the order of the feed. Returns how many went.
pub(super) fn collapse(changes: Vec<Change>) -> (Vec<Change>, i64) {
    let mut newest: HashMap<(&'static str, Uuid), usize> = HashMap::with_capacity(changes.len());
    let mut kept: Vec<Option<Change>> = Vec::with_capacity(changes.len());
    let mut superseded = 0;
    for change in changes {
        let key = (change.kind, change.subject);
        let earlier = newest.get(&key).and_then(|at| kept.get_mut(*at));
        if let Some(earlier) = earlier {
            superseded += 1;
            // Feed order is not version order: an early transaction may commit last.
            if earlier.as_ref().is_some_and(|earlier| earlier.version > change.version) {
                continue;
            }
            *earlier = None;
        }
        newest.insert(key, kept.len());
        kept.push(Some(change));
    }
    (kept.into_iter().flatten().collect(), superseded)
}

impl Shift<'_> {
    /// Makes requests of changes; what needs none, or allows none, is noted in the batch.
    pub(super) async fn prepare(&self, changes: Vec<Change>, batch: &mut Batch) -> Result<Vec<Unit>, End> {
        let mut stored = self.stored_retries(&changes).await?;
        let mut units = Vec::with_capacity(changes.len());
        for mut change in changes {
            let mut attempts = 0;
            if let Some(failed) = stored.remove(&(change.kind, change.subject)) {
                if !change.replace && failed.version > change.version {
                    batch.superseded += 1;
                    units.push(failed.into());
                    continue;
                }
                // What a resync could not push yet must still replace what the target has.
                change.replace |= failed.replace;
                attempts = failed.attempts;
            }
            match (self.flow().request)(&change) {
                Ok(Some(request)) => units.push(Unit::new(&change, request, attempts)),
                Ok(None) => batch.skipped += 1,
                Err(error) => batch.parked.push(not_understood(&change, &error)),
            }
        }
        Ok(units)
    }

    async fn stored_retries(&self, changes: &[Change]) -> Result<HashMap<(&'static str, Uuid), Failed>, End> {
        if self.open.retries == 0 || changes.is_empty() {
            return Ok(HashMap::new());
        }
        let (flow, subjects): (_, Vec<Uuid>) = (self.flow(), changes.iter().map(|change| change.subject).collect());
        let stored = self
            .runner
            .kit
            .run_read(move |conn| retries::of_subjects(conn, flow, &subjects))
            .await?;
        Ok(stored
            .into_iter()
            .map(|failed| ((failed.kind, failed.subject), failed))
            .collect())
    }

    /// Returns when nothing of it is left to do; waits as long as the target as a whole is down.
    pub(super) async fn apply(&mut self, units: Vec<Unit>, batch: &mut Batch) {
        let read = Instant::now();
        let mut backoff = Backoff::default();
        let mut waiting = parcels(self.flow(), units);
        loop {
            let (left, down) = self.try_all(waiting, read, batch, &mut backoff).await;
            let Some(error) = down else { return };
            self.wait_for_target(error, &mut backoff).await;
            waiting = parcels(self.flow(), left);
        }
    }

    /// Tries everything until the target turns out to be down; then returns what is left.
    async fn try_all(
        &self,
        waiting: Vec<Vec<Unit>>,
        read: Instant,
        batch: &mut Batch,
        backoff: &mut Backoff,
    ) -> (Vec<Unit>, Option<String>) {
        let (mut left, mut down) = (Vec::new(), None);
        let mut queue = waiting.into_iter();
        let mut in_flight = FuturesUnordered::new();
        loop {
            while down.is_none() && in_flight.len() < self.runner.in_flight {
                let Some(parcel) = queue.next() else { break };
                in_flight.push(self.runner.courier.deliver_parcel(self.flow(), parcel));
            }
            let Some(outcomes) = in_flight.next().await else { break };
            for (unit, outcome) in outcomes {
                match outcome {
                    Outcome::Applied(_) => {
                        backoff.reset();
                        self.observe(read, batch);
                        batch.applied.push(unit.done());
                    }
                    Outcome::Busy(error) => batch.failed.push(unit.failed(error)),
                    Outcome::Refused(refusal) => batch.parked.push(unit.parked(self.flow(), refusal)),
                    Outcome::Down(error) => {
                        down.get_or_insert(error);
                        left.push(unit);
                    }
                }
            }
        }
        left.extend(queue.flatten());
        (left, down)
    }

    fn observe(&self, read: Instant, batch: &mut Batch) {
        let took = read.elapsed();
        let histogram = &self.runner.metrics.lag_seconds;
        histogram
            .with_label_values(&[self.flow().name, "read_to_applied"])
            .observe(took.as_secs_f64());
        let milliseconds = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        batch.read_to_applied_ms = batch.read_to_applied_ms.max(Some(milliseconds));
    }

    async fn wait_for_target(&mut self, error: String, backoff: &mut Backoff) {
        self.report(FlowState::WaitingForTarget, Some(error)).await;
        loop {
            sleep(backoff.next()).await;
            if self.runner.courier.apis.of(self.flow().target).is_healthy().await {
                return;
            }
        }
    }

    /// Tries again what is due.
    pub(super) async fn try_due(&mut self) -> Result<(), End> {
        let flow = self.flow();
        let due = self.runner.kit.run_read(move |conn| retries::due(conn, flow)).await?;
        let mut batch = Batch::default();
        self.apply(due.into_iter().map(Unit::from).collect(), &mut batch).await;
        // How long a retry took says nothing about the way of a change.
        batch.read_to_applied_ms = None;
        self.save(Next::Here, FlowState::Running, batch).await
    }
}

/// What goes out as one request: a unit alone, or as many as a bulk request takes.
fn parcels(flow: &Flow, units: Vec<Unit>) -> Vec<Vec<Unit>> {
    let Some(bulk) = &flow.bulk else {
        return units.into_iter().map(|unit| vec![unit]).collect();
    };
    let (replacing, ordinary): (Vec<Unit>, Vec<Unit>) = units.into_iter().partition(|unit| unit.replace);
    let chunks = |units: Vec<Unit>| units.chunks(bulk.most).map(<[Unit]>::to_vec).collect::<Vec<_>>();
    let mut parcels = chunks(replacing);
    parcels.extend(chunks(ordinary));
    parcels
}

fn not_understood(change: &Change, error: &serde_json::Error) -> Parked {
    let reason = format!("no request can be made of this record: {error}");
    Parked {
        kind: change.kind,
        subject: change.subject,
        version: change.version,
        replace: change.replace,
        as_of: change.as_of,
        request: None,
        refusal: Refusal {
            status: None,
            answer: None,
            reason,
        },
    }
}

impl Unit {
    fn new(change: &Change, request: Request, attempts: i32) -> Self {
        Unit {
            kind: change.kind,
            subject: change.subject,
            version: change.version,
            replace: change.replace,
            as_of: change.as_of,
            request,
            attempts,
        }
    }

    fn done(&self) -> Done {
        Done {
            kind: self.kind,
            subject: self.subject,
            version: self.version,
            replace: self.replace,
        }
    }

    fn failed(self, error: String) -> Failed {
        Failed {
            kind: self.kind,
            subject: self.subject,
            version: self.version,
            replace: self.replace,
            as_of: self.as_of,
            request: self.request,
            attempts: self.attempts.saturating_add(1),
            error,
        }
    }

    fn parked(self, flow: &Flow, refusal: Refusal) -> Parked {
        Parked {
            kind: self.kind,
            subject: self.subject,
            version: self.version,
            replace: self.replace,
            as_of: self.as_of,
            request: Some(flow.alone(&self.request, self.replace)),
            refusal,
        }
    }
}

impl From<Failed> for Unit {
    fn from(failed: Failed) -> Self {
        Unit {
            kind: failed.kind,
            subject: failed.subject,
            version: failed.version,
            replace: failed.replace,
            as_of: failed.as_of,
            request: failed.request,
            attempts: failed.attempts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    fn change(kind: &'static str, subject: u128, version: i64) -> Change {
        Change {
            kind,
            subject: Uuid::from_u128(subject),
            version,
            as_of: Utc::now(),
            replace: false,
            data: RawValue::from_string("{}".to_owned()).unwrap(),
        }
    }

    #[test]
    fn the_newest_version_of_each_record_is_kept_whatever_the_order() {
        let changes = vec![
            change("product", 1, 1),
            change("product", 2, 7),
            change("price", 1, 1),
            change("product", 1, 3),
            change("product", 2, 6),
            change("product", 1, 2),
        ];
        let (kept, superseded) = collapse(changes);
        let kept: Vec<_> = kept.iter().map(|c| (c.kind, c.subject.as_u128(), c.version)).collect();
        assert_eq!(kept, [("product", 2, 7), ("price", 1, 1), ("product", 1, 3)]);
        assert_eq!(superseded, 3);
    }
}
