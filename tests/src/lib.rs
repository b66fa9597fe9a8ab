//! What the stories stand on: the three services together, in this process ([`Stack`]) or as
//! processes that can be killed ([`processes`]), and [`eventually`], which waits for a condition.

pub mod processes;
mod stack;

pub use stack::Stack;

use serde_json::Value;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a condition may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again until the answer is `Some`.
///
/// # Panics
/// When patience ends; `what` says what was waited for.
pub async fn eventually<T, F>(what: &str, mut ask: F) -> T
where
    F: AsyncFnMut() -> Option<T>,
{
    eventually_within(PATIENCE, what, &mut ask).await
}

/// [`eventually`] with a patience of its own.
///
/// # Panics
/// When patience ends.
pub async fn eventually_within<T, F>(patience: Duration, what: &str, mut ask: F) -> T
where
    F: AsyncFnMut() -> Option<T>,
{
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < patience, "waited {patience:?} in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The id of a record.
///
/// # Panics
/// When it has none.
pub fn id(record: &Value) -> Uuid {
    match record["id"].as_str().map(str::parse) {
        Some(Ok(id)) => id,
        _ => panic!("a record with an id, not {record:#}"),
    }
}
