//! Whose turn it is: what the database says of leases, pauses and resyncs, for the tasks here.

use crate::flow_states::leases::{self, Held, LEASE};
use crate::flows::{FLOWS, Flow};
use chrono::{DateTime, Utc};
use service_kit::server::Kit;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// What a flow's task goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Turn {
    /// Epoch of the lease while it is ours.
    epoch: Option<i64>,
    paused: bool,
    resync: Option<DateTime<Utc>>,
    stopping: bool,
}

/// One seat a flow: the `Turn` for its task, and whether the task is at work.
pub struct Board {
    seats: Vec<Seat>,
    nudge: Notify,
}

pub(super) struct Seat {
    flow: &'static str,
    turn: watch::Sender<Turn>,
    working: watch::Sender<bool>,
}

impl Default for Board {
    fn default() -> Self {
        let seat = |flow: &'static Flow| Seat {
            flow: flow.name,
            turn: watch::Sender::default(),
            working: watch::Sender::default(),
        };
        Board {
            seats: FLOWS.into_iter().map(seat).collect(),
            nudge: Notify::new(),
        }
    }
}

impl Board {
    /// Something about this flow has changed in the database: look now, not within a second.
    pub fn nudge(&self, _flow: &'static Flow) {
        self.nudge.notify_one();
    }

    /// Returns once the flow's task here is not at work; gives up after some seconds.
    pub async fn came_to_rest(&self, flow: &'static Flow) {
        let mut working = self.seat(flow).working.subscribe();
        let _ = timeout(Duration::from_secs(3), working.wait_for(|working| !working)).await;
    }

    /// Ends all tasks.
    pub fn stop(&self) {
        for seat in &self.seats {
            seat.turn.send_modify(|turn| turn.stopping = true);
        }
    }

    pub(super) fn seat(&self, flow: &'static Flow) -> &Seat {
        // Every flow has its seat; the first stands in for one that cannot be.
        self.seats
            .iter()
            .find(|seat| seat.flow == flow.name)
            .unwrap_or(&self.seats[0])
    }

    fn show(&self, held: &[Held]) {
        for seat in &self.seats {
            let held = held.iter().find(|held| held.name == seat.flow);
            seat.turn.send_if_modified(|turn| {
                let before = *turn;
                turn.epoch = held.map(|held| held.epoch);
                turn.paused = held.is_some_and(|held| held.paused);
                turn.resync = held.and_then(|held| held.resync_requested_at);
                *turn != before
            });
        }
    }
}

impl Seat {
    pub(super) fn turns(&self) -> watch::Receiver<Turn> {
        self.turn.subscribe()
    }

    pub(super) fn set_working(&self, working: bool) {
        self.working.send_replace(working);
    }
}

/// Waits until the flow is ours to work on; `None` when it is time to stop.
pub(super) async fn next_turn(turns: &mut watch::Receiver<Turn>) -> Option<i64> {
    let ready = turns
        .wait_for(|turn| turn.stopping || (turn.epoch.is_some() && !turn.paused))
        .await;
    ready.ok().filter(|turn| !turn.stopping).and_then(|turn| turn.epoch)
}

/// Returns once the work that was taken up in this epoch is to be left: the lease is gone,
/// somebody paused the flow or wants a resync other than the known one, or it is time to stop.
pub(super) async fn over(mut turns: watch::Receiver<Turn>, epoch: i64, known_resync: Option<DateTime<Utc>>) {
    let over = |turn: &Turn| {
        let resync = turn.resync.is_some() && turn.resync != known_resync;
        turn.stopping || turn.epoch != Some(epoch) || turn.paused || resync
    };
    // An error means that the board is gone, and so are we.
    let _ = turns.wait_for(over).await;
}

/// Rests, but not past the time to stop.
pub(super) async fn rest(turns: &mut watch::Receiver<Turn>, wait: Duration) {
    let _ = timeout(wait, turns.wait_for(|turn| turn.stopping)).await;
}

/// How often leases are renewed; a missed beat or two do not lose them.
const BEAT: Duration = Duration::from_secs(1);

/// Holds the leases of this instance and keeps the board true.
pub async fn keep(kit: Kit, board: Arc<Board>, owner: Uuid) {
    let mut held_until = Instant::now();
    loop {
        let asked = Instant::now();
        let hold = kit.run_read(move |conn| leases::hold(conn, owner));
        match timeout(BEAT + BEAT / 2, hold).await {
            Ok(Ok(held)) => {
                held_until = asked + LEASE;
                board.show(&held);
            }
            // What is saved meanwhile is checked against the lease by the database itself.
            _ if Instant::now() >= held_until => board.show(&[]),
            _ => {}
        }
        tokio::select! {
            () = sleep(BEAT) => {}
            () = board.nudge.notified() => {}
        }
    }
}
