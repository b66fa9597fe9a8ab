//! What a service does by itself, again and again: fire reminders, send mail, clear away.
//!
//! A task is a round that takes no input, does what is due now, and may be run at any time, any
//! number of times and by several processes at once: the database decides who does what. It runs
//! on a timer, and at once after a commit of events that may have made work for it. Tests run
//! rounds by hand ([`Kit::run_round`]) and switch the timer off
//! ([`Config::background`](crate::config::Config::background)).

use crate::auth::Actor;
use crate::http::Answer;
use crate::problem::{Problem, Result};
use crate::server::Kit;
use crate::tx::{Context, Tx};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// A round under way: whether there is more to do at once.
pub type Round = Pin<Box<dyn Future<Output = Result<bool, Problem>> + Send>>;

/// A task of a service.
#[derive(Debug, Clone, Copy)]
pub struct Background {
    pub name: &'static str,
    pub every: Duration,
    /// Types of events after whose commit (in this process) it does not wait for the timer.
    pub wakes_on: &'static [&'static str],
    pub round: fn(Kit) -> Round,
}

impl Kit {
    /// Runs the rounds of a task until there is nothing more to do.
    ///
    /// # Errors
    /// The round's refusal as a problem.
    pub async fn run_round(&self, task: &Background) -> Result<(), Problem> {
        while (task.round)(self.clone()).await? {}
        Ok(())
    }

    /// Runs an action in the name of the service itself, with audit rows and events.
    ///
    /// # Errors
    /// The action's refusal as a problem.
    pub async fn run_as_service<F>(&self, operation: &str, action: F) -> Result<(), Problem>
    where
        F: Fn(&mut Tx<'_>) -> Result<()> + Send + 'static,
    {
        let context = Context {
            actor: Actor::service(self.name),
            request_id: String::new(),
            operation: operation.to_owned(),
            idempotency_key: None,
            if_match: None,
            dry_run: false,
            time_zone: self.time_zone,
        };
        let done = self.run_command(context, move |tx| {
            action(tx)?;
            Ok(Answer::no_content())
        });
        done.await.map(drop)
    }
}

/// Starts the tasks; they end when the set is dropped.
pub(crate) fn start(kit: &Kit, tasks: &'static [Background]) -> JoinSet<()> {
    let mut running = JoinSet::new();
    for task in tasks {
        running.spawn(repeat(kit.clone(), task));
    }
    running
}

/// A round that has begun ends, also when the service stops: what it does outside of the database
/// would otherwise not be written down.
async fn repeat(kit: Kit, task: &'static Background) {
    let mut timer = interval(task.every);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let types: Vec<String> = task.wakes_on.iter().map(|name| (*name).to_owned()).collect();
    let mut subscription = (!types.is_empty()).then(|| kit.notifier.subscribe(Some(&types)));
    let mut shutdown = kit.shutdown.clone();
    while !*shutdown.borrow() {
        let woken = async {
            match &mut subscription {
                Some(subscription) => subscription.woken().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = shutdown.changed() => break,
            _ = timer.tick() => {}
            () = woken => {}
        }
        loop {
            match (task.round)(kit.clone()).await {
                Ok(true) if !*shutdown.borrow() => {}
                Ok(_) => break,
                Err(problem) => {
                    tracing::warn!(task = task.name, %problem, "waits for its next turn");
                    break;
                }
            }
        }
    }
}

/// Waits until the rounds under way have ended, for some seconds.
pub(crate) async fn stop(mut running: JoinSet<()>) {
    let ended = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(LONGEST_STOP, ended).await.is_err() {
        tracing::warn!("stops although something is still being done");
    }
}

const LONGEST_STOP: Duration = Duration::from_secs(10);
