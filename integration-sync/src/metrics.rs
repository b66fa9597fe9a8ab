//! What a flow tells Prometheus.

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};

/// Metrics of all flows; each is labelled with the flow's name.
#[derive(Clone)]
pub struct Metrics {
    /// By hop: `committed_to_read`, `read_to_applied`.
    pub lag_seconds: HistogramVec,
    /// By outcome: `read`, `superseded`, `skipped`, `applied`, `retried`, `dead`.
    pub changes: IntCounterVec,
    pub open_retries: IntGaugeVec,
    pub open_dead_letters: IntGaugeVec,
    pub last_lag_milliseconds: IntGaugeVec,
}

impl Metrics {
    /// # Errors
    /// When two metrics share a name, which is a bug.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let buckets = vec![
            0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0,
        ];
        let lag_seconds = HistogramVec::new(
            HistogramOpts::new("sync_lag_seconds", "Time that a change took for a hop").buckets(buckets),
            &["flow", "hop"],
        )?;
        let changes = IntCounterVec::new(
            Opts::new("sync_changes_total", "What became of changes"),
            &["flow", "outcome"],
        )?;
        let gauge = |name: &str, help: &str, labels: &[&str]| IntGaugeVec::new(Opts::new(name, help), labels);
        let open_retries = gauge("sync_open_retries", "Changes that wait for their next try", &["flow"])?;
        let open_dead_letters = gauge("sync_open_dead_letters", "Changes that the target refused", &["flow"])?;
        let last_lag_milliseconds = gauge(
            "sync_last_lag_milliseconds",
            "Longest time for a hop in the last batch",
            &["flow", "hop"],
        )?;
        registry.register(Box::new(lag_seconds.clone()))?;
        registry.register(Box::new(changes.clone()))?;
        registry.register(Box::new(open_retries.clone()))?;
        registry.register(Box::new(open_dead_letters.clone()))?;
        registry.register(Box::new(last_lag_milliseconds.clone()))?;
        Ok(Metrics {
            lag_seconds,
            changes,
            open_retries,
            open_dead_letters,
            last_lag_milliseconds,
        })
    }
}
