//! The private PostgreSQL cluster: started, watched, restarted when it dies, stopped last.

use crate::failure::{Context, Failure, Result};
use crate::part::Part;
use crate::progress::Progress;
use private_postgres::{Cluster, Settings};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// A server that lives and does not answer for so long is started anew.
const DEAF: Duration = Duration::from_secs(30);
const NEXT_ATTEMPT: Duration = Duration::from_secs(2);

/// The URL of each service's database.
pub type Urls = Vec<(Part, String)>;

/// The cluster, in the care of a thread of its own: everything about it blocks, and what it has
/// begun it ends, so that a start that is broken off leaves no server behind.
#[derive(Debug)]
pub struct Database {
    started: Option<oneshot::Receiver<Result<Urls>>>,
    stop: Sender<()>,
    guard: JoinHandle<Result<()>>,
}

impl Database {
    /// Begins to start or adopt the cluster, with a database for each of `parts`.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn begin(directory: &Path, parts: Vec<Part>, progress: &Progress) -> Result<Self> {
        let settings = Settings::new(directory);
        let (tell, started) = oneshot::channel();
        let (stop, stopped) = mpsc::channel();
        let progress = progress.clone();
        let care = move || match start(settings, &parts) {
            Err(failure) => {
                let _ = tell.send(Err(failure));
                Ok(())
            }
            Ok((cluster, urls)) => {
                let _ = tell.send(Ok(urls));
                watch(&cluster, &stopped, &progress);
                cluster.stop().context(|| "PostgreSQL does not stop".to_owned())
            }
        };
        let guard = thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(care)
            .context(|| "no thread".to_owned())?;
        Ok(Database {
            started: Some(started),
            stop,
            guard,
        })
    }

    /// Waits until it runs.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub async fn urls(&mut self) -> Result<Urls> {
        let gone = || Failure::new("the thread that starts PostgreSQL has ended early");
        let started = self.started.take().ok_or_else(gone)?;
        started.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Stops the server and waits for its end.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop(self) -> Result<()> {
        let _ = self.stop.send(());
        let joined = tokio::task::spawn_blocking(move || self.guard.join()).await;
        match joined {
            Ok(Ok(stopped)) => stopped,
            _ => Err(Failure::new("the thread that watches PostgreSQL has ended early")),
        }
    }
}

fn start(settings: Settings, parts: &[Part]) -> Result<(Cluster, Urls)> {
    let cluster = Cluster::start(settings).context(|| "PostgreSQL cannot be started".to_owned())?;
    for part in parts {
        if let Err(error) = cluster.create_database(part.name()) {
            let _ = cluster.stop();
            return Err(error).context(|| format!("the database {} cannot be made", part.name()));
        }
    }
    let urls = parts.iter().map(|part| (*part, cluster.url(part.name()))).collect();
    Ok((cluster, urls))
}

/// Until told to stop, starts the server again whenever it is gone.
fn watch(cluster: &Cluster, stopped: &mpsc::Receiver<()>, progress: &Progress) {
    let mut answered = Instant::now();
    let mut pause = LOOK_AGAIN;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        pause = LOOK_AGAIN;
        if cluster.is_ready() {
            answered = Instant::now();
        } else if cluster.pid().is_none() || answered.elapsed() > DEAF {
            progress.say("PostgreSQL is gone; starting it again");
            match cluster.restart() {
                Ok(()) => answered = Instant::now(),
                Err(error) => {
                    progress.say(&format!("PostgreSQL does not start: {error}"));
                    pause = NEXT_ATTEMPT;
                }
            }
        }
    }
}
