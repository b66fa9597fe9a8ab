use futures_util::future::select_all;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// Wakes the long-polls of this process after a commit, by event type.
#[derive(Default)]
pub struct Notifier {
    types: Mutex<HashMap<String, watch::Sender<()>>>,
}

const ANY: &str = "*";

/// Waits for events that are committed after it was made.
pub struct Subscription(Vec<watch::Receiver<()>>);

impl Notifier {
    /// Subscribes to some event types, or to all of them.
    pub fn subscribe(&self, types: Option<&[String]>) -> Subscription {
        let any = [ANY.to_owned()];
        let mut senders = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = types.unwrap_or(&any).iter();
        Subscription(
            wanted
                .map(|name| senders.entry(name.clone()).or_default().subscribe())
                .collect(),
        )
    }

    /// Tells that events of these types were committed.
    pub fn notify(&self, types: &[&'static str]) {
        if types.is_empty() {
            return;
        }
        let senders = self.types.lock().unwrap_or_else(PoisonError::into_inner);
        for name in types.iter().chain([&ANY]) {
            if let Some(sender) = senders.get(*name) {
                sender.send_replace(());
            }
        }
    }
}

impl Subscription {
    /// Returns once an event was committed since the last call.
    pub async fn woken(&mut self) {
        let waits = self.0.iter_mut().map(|receiver| Box::pin(receiver.changed()));
        let _ = select_all(waits).await;
    }
}
