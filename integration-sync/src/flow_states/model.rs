use crate::flows::Flow;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use service_kit::Resource;
use std::hash::{DefaultHasher, Hash, Hasher};
use utoipa::ToSchema;
use uuid::Uuid;

service_kit::text_enum! {
    /// What a flow does at the moment.
    FlowState {
        /// It follows the feed.
        Running = "running",
        /// An operator paused it; changes wait in the feed.
        Paused = "paused",
        /// It pages through the owner and sends everything again.
        Resyncing = "resyncing",
        /// The source does not answer; the flow tries until it does.
        WaitingForSource = "waiting_for_source",
        /// The target as a whole does not answer; the flow tries until it does.
        WaitingForTarget = "waiting_for_target",
        /// The feed answered that its cursor is of another feed, or too old; a resync follows.
        Gone = "gone",
    }
}

/// A flow and where it stands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FlowStatus {
    #[schema(example = "orders-to-erp")]
    pub name: String,
    #[schema(ignore)]
    #[serde(skip)]
    pub id: Uuid,
    /// `erp` or `crm`: whose feed it follows.
    pub source: String,
    /// `erp` or `crm`: where it applies what changed.
    pub target: String,
    pub event_types: Vec<String>,
    pub state: FlowState,
    /// Place in the source's feed; everything up to it is applied, waits for a retry, or is parked.
    pub cursor: Option<String>,
    /// When the newest event that was read happened.
    pub last_event_at: Option<DateTime<Utc>>,
    pub lag: Lag,
    pub counts: Counts,
    pub open_retries: i64,
    pub open_dead_letters: i64,
    pub lease: Option<Lease>,
    /// The resync that is under way or wanted.
    pub resync: Option<Resync>,
    pub resync_finished_at: Option<DateTime<Utc>>,
    /// Why it waits.
    pub last_error: Option<String>,
    /// Counts what operators changed.
    pub revision: i64,
    pub updated_at: DateTime<Utc>,
}

/// How long changes of the last batch took, hop by hop: the longest of each.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Lag {
    pub committed_to_read_ms: Option<i64>,
    pub read_to_applied_ms: Option<i64>,
}

/// What became of changes, since the flow exists.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Events read, and records read at resyncs.
    pub read: i64,
    /// A newer version of the record came with it.
    pub superseded: i64,
    /// Nothing to tell the target (a draft, say).
    pub skipped: i64,
    pub applied: i64,
    /// Tries that failed while the target was healthy.
    pub retried: i64,
    /// Refused by the target: dead letters.
    pub dead: i64,
}

/// Which instance works on the flow.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Lease {
    pub owner: Uuid,
    pub until: DateTime<Utc>,
}

/// A resynchronisation: everything is read from its owner and sent again.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Resync {
    pub requested_at: DateTime<Utc>,
    pub reason: Option<String>,
    /// Whether the first page has been asked for.
    pub begun: bool,
    /// Records read so far.
    pub pushed: i64,
}

/// The row behind it, with the counts of what is open.
#[derive(Debug, QueryableByName)]
pub(super) struct FlowRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Bool)]
    pub paused: bool,
    #[diesel(sql_type = Text)]
    state: FlowState,
    #[diesel(sql_type = Nullable<Text>)]
    last_error: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    cursor: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_event_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    committed_to_read_ms: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    read_to_applied_ms: Option<i64>,
    #[diesel(sql_type = BigInt)]
    read: i64,
    #[diesel(sql_type = BigInt)]
    superseded: i64,
    #[diesel(sql_type = BigInt)]
    skipped: i64,
    #[diesel(sql_type = BigInt)]
    applied: i64,
    #[diesel(sql_type = BigInt)]
    retried: i64,
    #[diesel(sql_type = BigInt)]
    dead: i64,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    lease_owner: Option<Uuid>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    lease_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub resync_requested_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    resync_reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    resync_head: Option<String>,
    #[diesel(sql_type = BigInt)]
    resync_pushed: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    resync_finished_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    revision: i64,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    open_retries: i64,
    #[diesel(sql_type = BigInt)]
    open_dead_letters: i64,
}

impl FlowRow {
    pub(super) fn status_of(self, flow: &Flow) -> FlowStatus {
        let lease = self.lease_owner.zip(self.lease_until);
        let begun = self.resync_head.is_some();
        FlowStatus {
            name: self.name,
            id: self.id,
            source: flow.source.as_str().to_owned(),
            target: flow.target.as_str().to_owned(),
            event_types: flow.event_types().map(str::to_owned).collect(),
            state: if self.paused { FlowState::Paused } else { self.state },
            cursor: self.cursor,
            last_event_at: self.last_event_at,
            lag: Lag {
                committed_to_read_ms: self.committed_to_read_ms,
                read_to_applied_ms: self.read_to_applied_ms,
            },
            counts: Counts {
                read: self.read,
                superseded: self.superseded,
                skipped: self.skipped,
                applied: self.applied,
                retried: self.retried,
                dead: self.dead,
            },
            open_retries: self.open_retries,
            open_dead_letters: self.open_dead_letters,
            lease: lease.map(|(owner, until)| Lease { owner, until }),
            resync: self.resync_requested_at.map(|requested_at| Resync {
                requested_at,
                reason: self.resync_reason,
                begun,
                pushed: self.resync_pushed,
            }),
            resync_finished_at: self.resync_finished_at,
            last_error: self.last_error,
            revision: self.revision,
            updated_at: self.updated_at,
        }
    }
}

impl Resource for FlowStatus {
    const PATH: &'static str = "flows";
    const TYPE: &'static str = "flow";

    fn id(&self) -> Uuid {
        self.id
    }

    fn revision(&self) -> i64 {
        self.revision
    }

    /// The flow itself moves without a new revision, so the tag covers all that is shown.
    fn etag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        serde_json::to_string(self).unwrap_or_default().hash(&mut hasher);
        format!("\"{}.{:x}\"", self.revision, hasher.finish())
    }
}
