//! Keeps the services running: starts them, starts one that dies again, and keeps `stack.json`
//! true meanwhile.

use super::child::{Process, Recipe};
use super::ports;
use crate::api::http_client;
use crate::failure::{Failure, Result};
use crate::keys::Keys;
use crate::part::Part;
use crate::progress::Progress;
use crate::stack::{Running, Stack};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A service that ran for so long has earned the shortest pause again.
const HEALTHY: Duration = Duration::from_secs(10);
/// How long the sync, which others do not wait for, may take to stop; then the two others at
/// once. With PostgreSQL's own stop all this stays within 10 seconds.
const STOP_SYNC: Duration = Duration::from_secs(2);
const STOP_OTHERS: Duration = Duration::from_secs(5);

/// How a service is doing.
#[derive(Debug, Clone)]
enum Health {
    Starting,
    Ready,
    /// It ended before it was ever ready.
    Failed(String),
}

/// A service that is kept running.
struct Kept {
    part: Part,
    stop: watch::Sender<Option<Duration>>,
    health: watch::Receiver<Health>,
    task: JoinHandle<()>,
}

/// `stack.json` and what stands in it.
struct Shared {
    directory: PathBuf,
    keys: Keys,
    running: Mutex<BTreeMap<Part, Running>>,
    progress: Progress,
}

/// All three services.
pub struct Keeper {
    kept: Vec<Kept>,
    shared: Arc<Shared>,
}

impl Keeper {
    pub fn new(directory: PathBuf, keys: Keys, progress: Progress) -> Self {
        Keeper {
            kept: Vec::new(),
            shared: Arc::new(Shared {
                directory,
                keys,
                running: Mutex::default(),
                progress,
            }),
        }
    }

    /// Starts a service and keeps it running from now on.
    ///
    /// # Errors
    /// When there is no HTTP client to ask it with.
    pub fn keep(&mut self, recipe: Recipe) -> Result<()> {
        let (stop, stopped) = watch::channel(None);
        let (report, health) = watch::channel(Health::Starting);
        let part = recipe.part;
        let keeping = Keeping {
            recipe,
            http: http_client()?,
            shared: self.shared.clone(),
            report,
            stopped,
        };
        let task = tokio::spawn(keeping.run());
        self.kept.push(Kept {
            part,
            stop,
            health,
            task,
        });
        Ok(())
    }

    /// Waits until all services are ready; `stack.json` is there then.
    ///
    /// # Errors
    /// When one ended before it was ready, with the end of its log.
    pub async fn ready(&mut self) -> Result<Stack> {
        for kept in &mut self.kept {
            let seen = kept.health.wait_for(|health| !matches!(health, Health::Starting)).await;
            match seen.map(|health| health.clone()) {
                Ok(Health::Failed(reason)) => return Err(Failure::new(reason)),
                Ok(_) => {}
                Err(_) => return Err(Failure::new(format!("nobody watches the {} any more", kept.part))),
            }
        }
        self.shared
            .stack()
            .ok_or_else(|| Failure::new("a service that was ready is gone already"))
    }

    /// Stops the sync, which talks to the two others, then these.
    pub async fn stop(self) {
        let (last, first): (Vec<_>, Vec<_>) = self.kept.into_iter().partition(|kept| kept.part != Part::Sync);
        for (kept, patience) in [(first, STOP_SYNC), (last, STOP_OTHERS)] {
            for one in &kept {
                one.stop.send_replace(Some(patience));
            }
            for one in kept {
                let _ = one.task.await;
            }
        }
        if let Err(failure) = Stack::remove(&self.shared.directory) {
            self.shared.progress.say(&failure.with_causes());
        }
    }
}

/// The task that keeps one service running.
struct Keeping {
    recipe: Recipe,
    http: reqwest::Client,
    shared: Arc<Shared>,
    report: watch::Sender<Health>,
    stopped: watch::Receiver<Option<Duration>>,
}

impl Keeping {
    async fn run(mut self) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let started = Instant::now();
            match self.recipe.start() {
                Ok(process) => {
                    let Some(status) = self.watch(process).await else {
                        return;
                    };
                    self.say_ended(status);
                }
                Err(failure) => self.fail(failure.with_causes()),
            }
            if started.elapsed() > HEALTHY {
                pause = SHORTEST_PAUSE;
            }
            tokio::select! {
                _ = stop_requested(&mut self.stopped) => return,
                () = sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// From start to end of a process; `None` when it was we who stopped it.
    async fn watch(&mut self, mut process: Process) -> Option<ExitStatus> {
        let outcome = tokio::select! {
            ready = process.ready(&self.http, self.recipe.bind) => ready,
            patience = stop_requested(&mut self.stopped) => {
                process.stop(patience).await;
                return None;
            }
        };
        if let Err(status) = outcome {
            return Some(status);
        }
        self.shared.is_running(&self.recipe, process.pid);
        self.report.send_replace(Health::Ready);
        tokio::select! {
            status = process.ended() => Some(status),
            patience = stop_requested(&mut self.stopped) => {
                process.stop(patience).await;
                None
            }
        }
    }

    fn say_ended(&self, status: ExitStatus) {
        let (part, log) = (self.recipe.part, self.recipe.log.display());
        let never_ready = matches!(*self.report.borrow(), Health::Starting);
        match never_ready {
            true => self.fail(format!(
                "the {part} ended while starting ({status}); the end of {log}:\n{}",
                self.recipe.last_words()
            )),
            false => self
                .shared
                .progress
                .say(&format!("the {part} ended ({status}); starting it again")),
        }
    }

    fn fail(&self, reason: String) {
        let never_ready = matches!(*self.report.borrow(), Health::Starting);
        match never_ready {
            true => drop(self.report.send_replace(Health::Failed(reason))),
            false => self.shared.progress.say(&reason),
        }
    }
}

/// Returns, with how long that may take, when the service is to stop.
async fn stop_requested(stopped: &mut watch::Receiver<Option<Duration>>) -> Duration {
    match stopped.wait_for(Option::is_some).await {
        Ok(patience) => patience.unwrap_or(STOP_OTHERS),
        // The keeper is gone without a word.
        Err(_) => STOP_OTHERS,
    }
}

impl Shared {
    /// Takes note of a process that is ready, and writes it down once all are.
    fn is_running(&self, recipe: &Recipe, pid: u32) {
        let running = Running {
            url: ports::url(recipe.bind),
            api_key: self.keys.admin(recipe.part).to_owned(),
            pid,
        };
        let mut all = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(recipe.part, running);
        // Under the lock, so that the newest is what stands there in the end.
        if let Some(stack) = stack_of(&all)
            && let Err(failure) = stack.write(&self.directory)
        {
            self.progress.say(&failure.with_causes());
        }
    }

    fn stack(&self) -> Option<Stack> {
        stack_of(&self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn stack_of(running: &BTreeMap<Part, Running>) -> Option<Stack> {
    Some(Stack {
        erp: running.get(&Part::Erp)?.clone(),
        crm: running.get(&Part::Crm)?.clone(),
        sync: running.get(&Part::Sync)?.clone(),
    })
}
