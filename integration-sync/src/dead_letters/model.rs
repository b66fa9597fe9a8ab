use crate::flows::Request;
use crate::schema::dead_letters;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::Resource;
use utoipa::ToSchema;
use uuid::Uuid;

service_kit::text_enum! {
    /// Whether somebody still has to act.
    DeadLetterState {
        Open = "open",
        /// A later version of the record was applied, or a retry was.
        Resolved = "resolved",
        Discarded = "discarded",
    }
}

/// A change that the target refused.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeadLetter {
    pub id: Uuid,
    #[schema(example = "orders-to-erp")]
    pub flow: String,
    /// Kind of record, e.g. `order`.
    pub subject_type: String,
    /// The record; the same id in both systems.
    pub subject: Uuid,
    /// Version of the record that was refused.
    pub version: i64,
    /// What was sent; `null` when no request could be made of the event.
    pub request: Option<SentRequest>,
    /// What came back; `null` when the target was not asked.
    pub answer: Option<ReceivedAnswer>,
    /// Why it is parked.
    pub reason: String,
    pub state: DeadLetterState,
    /// How it was resolved, or why it was discarded.
    pub resolution: Option<String>,
    pub attempts: i32,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    pub revision: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SentRequest {
    #[schema(example = "PUT")]
    pub method: String,
    pub path: String,
    #[schema(value_type = Object)]
    pub body: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReceivedAnswer {
    pub status: i32,
    /// As text, at most 16,000 characters.
    pub body: String,
}

/// Why a dead letter is given up.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardIn {
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
}

/// The row behind a dead letter.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = dead_letters)]
pub struct DeadLetterRow {
    pub id: Uuid,
    pub flow: String,
    pub kind: String,
    pub subject: Uuid,
    pub version: i64,
    pub replace: bool,
    pub path: Option<String>,
    pub request: Option<Value>,
    pub status: Option<i32>,
    pub answer: Option<String>,
    pub reason: String,
    pub attempts: i32,
    pub state: DeadLetterState,
    pub resolution: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    pub revision: i64,
}

/// A change to park.
#[derive(Debug, Clone)]
pub struct Parked {
    pub kind: &'static str,
    pub subject: Uuid,
    pub version: i64,
    pub replace: bool,
    pub as_of: DateTime<Utc>,
    /// As it went out.
    pub request: Option<Request>,
    pub refusal: Refusal,
}

/// Why a change cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Absent when the target was not asked.
    pub status: Option<u16>,
    pub answer: Option<String>,
    pub reason: String,
}

impl From<DeadLetterRow> for DeadLetter {
    fn from(row: DeadLetterRow) -> Self {
        let request = row.path.zip(row.request);
        DeadLetter {
            id: row.id,
            flow: row.flow,
            subject_type: row.kind,
            subject: row.subject,
            version: row.version,
            request: request.map(|(path, body)| SentRequest {
                method: "PUT".to_owned(),
                path,
                body,
            }),
            answer: row.status.map(|status| ReceivedAnswer {
                status,
                body: row.answer.unwrap_or_default(),
            }),
            reason: row.reason,
            state: row.state,
            resolution: row.resolution,
            attempts: row.attempts,
            created_at: row.created_at,
            updated_at: row.updated_at,
            closed_at: row.closed_at,
            revision: row.revision,
        }
    }
}

impl Resource for DeadLetter {
    const PATH: &'static str = "dead-letters";
    const TYPE: &'static str = "dead_letter";

    fn id(&self) -> Uuid {
        self.id
    }

    fn revision(&self) -> i64 {
        self.revision
    }
}
