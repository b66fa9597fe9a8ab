//! The words of activities: what goes over the wire and what stands in the table.

use crate::schema::activities;
use crate::subjects::SubjectType;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::present;
use service_kit::tx::Emitted;
use service_kit::{Problem, Resource, text_enum};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// What kind of activity it is.
    ActivityKind {
        /// Something to do, until a day or an instant.
        Task = "task",
        Call = "call",
        Meeting = "meeting",
        /// Something to remember.
        Note = "note",
        /// A text message, logged; it is not sent from here.
        Sms = "sms",
        /// Sent or received here, or logged.
        Email = "email",
    }
}

text_enum! {
    /// Whether it is still to be done.
    ActivityState { Open = "open", Done = "done", Cancelled = "cancelled" }
}

text_enum! {
    ActivityPriority { Low = "low", Normal = "normal", High = "high" }
}

text_enum! {
    /// Whether it came in or went out.
    ActivityDirection { In = "in", Out = "out" }
}

text_enum! {
    /// How a call ended.
    CallOutcome {
        Reached = "reached",
        NoAnswer = "no_answer",
        Busy = "busy",
        LeftMessage = "left_message",
        WrongNumber = "wrong_number",
    }
}

text_enum! {
    /// How an e-mail that went through here stands.
    EmailDelivery { Queued = "queued", Sent = "sent", Failed = "failed", Received = "received" }
}

text_enum! {
    /// What may be done with an activity.
    ActivityAction {
        Edit = "edit",
        Complete = "complete",
        Cancel = "cancel",
        Reopen = "reopen",
        Assign = "assign",
    }
}

/// An activity to be made: planned, or logged as done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    pub kind: ActivityKind,
    #[schema(
        min_length = 1,
        max_length = 300,
        pattern = r"\S",
        example = "Ask about the autumn range"
    )]
    pub title: String,
    /// Notes and text messages need one.
    #[schema(min_length = 1, max_length = 100_000)]
    pub body: Option<String>,
    /// What it is about, with `subject_id`; without both it is about no record.
    pub subject_type: Option<SubjectType>,
    pub subject_id: Option<Uuid>,
    /// A contact of the customer that it concerns.
    pub contact_id: Option<Uuid>,
    /// `normal` when absent.
    pub priority: Option<ActivityPriority>,
    /// The day on which it is due: tasks and calls.
    pub due_on: Option<NaiveDate>,
    /// The instant at which it is due, instead of a day: tasks and calls.
    pub due_at: Option<DateTime<Utc>>,
    /// Meetings.
    pub starts_at: Option<DateTime<Utc>>,
    /// Meetings.
    pub ends_at: Option<DateTime<Utc>>,
    /// Meetings.
    #[schema(min_length = 1, max_length = 300)]
    pub location: Option<String>,
    /// Meetings: names or addresses.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub attendees: Vec<Party>,
    /// Calls, text messages and e-mails.
    pub direction: Option<ActivityDirection>,
    /// The other side's number: calls and text messages.
    #[schema(min_length = 1, max_length = 50)]
    pub phone: Option<String>,
    /// Calls; a call that is done needs one.
    pub outcome: Option<CallOutcome>,
    /// Calls.
    #[schema(minimum = 0, maximum = 1_440)]
    pub duration_minutes: Option<i32>,
    /// E-mails.
    pub from_address: Option<Party>,
    /// E-mails.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub to_addresses: Vec<Party>,
    /// E-mails.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub cc_addresses: Vec<Party>,
    /// A recurrence rule of RFC 5545: completing this makes the next.
    #[schema(min_length = 1, max_length = 500, example = "FREQ=WEEKLY;BYDAY=MO")]
    pub recurrence: Option<String>,
    /// When its owner wants to be reminded of it.
    pub remind_at: Option<DateTime<Utc>>,
    /// `done` logs what has happened already. Notes, text messages and e-mails always are.
    pub state: Option<ActivityState>,
    /// When it happened, if it is done; now when absent.
    pub done_at: Option<DateTime<Utc>>,
    /// Whose it is: the acting user when absent.
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
}

/// A name or an address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Party(pub String);

impl utoipa::PartialSchema for Party {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .min_length(Some(1))
            .max_length(Some(320))
            .pattern(Some(r"\S"))
            .into()
    }
}

impl ToSchema for Party {}

/// Changes of an activity. Its kind stays; its state has verbs of its own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityPatch {
    #[schema(nullable = false, min_length = 1, max_length = 300, pattern = r"\S")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 100_000)]
    pub body: Option<Option<String>>,
    /// Hangs it on another record, together with `subject_id`; both `null`: on none.
    #[serde(default, deserialize_with = "present")]
    pub subject_type: Option<Option<SubjectType>>,
    #[serde(default, deserialize_with = "present")]
    pub subject_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "present")]
    pub contact_id: Option<Option<Uuid>>,
    #[schema(nullable = false)]
    pub priority: Option<ActivityPriority>,
    /// `null` takes the due away.
    #[serde(default, deserialize_with = "present")]
    pub due_on: Option<Option<NaiveDate>>,
    /// `null` leaves the day.
    #[serde(default, deserialize_with = "present")]
    pub due_at: Option<Option<DateTime<Utc>>>,
    #[schema(nullable = false)]
    pub starts_at: Option<DateTime<Utc>>,
    #[schema(nullable = false)]
    pub ends_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 300)]
    pub location: Option<Option<String>>,
    #[schema(nullable = false, max_items = 200)]
    pub attendees: Option<Vec<Party>>,
    #[schema(nullable = false)]
    pub direction: Option<ActivityDirection>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 50)]
    pub phone: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub outcome: Option<Option<CallOutcome>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 0, maximum = 1_440)]
    pub duration_minutes: Option<Option<i32>>,
    /// Begins a new series with this activity; `null` makes it the last of its series.
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 500)]
    pub recurrence: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub remind_at: Option<Option<DateTime<Utc>>>,
}

/// How it was done.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityCompletion {
    /// Calls: needed unless known already.
    pub outcome: Option<CallOutcome>,
    /// Calls.
    #[schema(minimum = 0, maximum = 1_440)]
    pub duration_minutes: Option<i32>,
    /// What came of it: replaces the text.
    #[schema(min_length = 1, max_length = 100_000)]
    pub body: Option<String>,
    /// When it was done; now when absent.
    pub done_at: Option<DateTime<Utc>>,
}

/// How it is cancelled.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityCancellation {
    /// Skips this one of a series and makes the next; otherwise the series ends with it.
    #[serde(default)]
    pub continue_series: bool,
}

/// Whose a record is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityAssignment {
    pub owner_id: Uuid,
    /// The team of the new owner when absent.
    pub team_id: Option<Uuid>,
}

/// An activity as it stands in the table.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = activities, treat_none_as_null = true)]
pub struct ActivityRow {
    pub id: Uuid,
    pub kind: ActivityKind,
    pub state: ActivityState,
    pub title: String,
    pub body: Option<String>,
    pub subject_type: Option<SubjectType>,
    pub subject_id: Option<Uuid>,
    /// The customer that it concerns, by its subject.
    pub customer_id: Option<Uuid>,
    pub contact_id: Option<Uuid>,
    pub priority: ActivityPriority,
    /// The day on which it is due; of a meeting, the day on which it begins.
    pub due_on: Option<NaiveDate>,
    /// The instant at which it is due, if it has one.
    pub due_at: Option<DateTime<Utc>>,
    /// From when on it is overdue.
    pub due_by: Option<DateTime<Utc>>,
    pub starts_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
    pub location: Option<String>,
    pub attendees: Vec<String>,
    pub direction: Option<ActivityDirection>,
    pub phone: Option<String>,
    pub outcome: Option<CallOutcome>,
    pub duration_minutes: Option<i32>,
    pub from_address: Option<String>,
    pub to_addresses: Vec<String>,
    pub cc_addresses: Vec<String>,
    /// Of an e-mail that went through here: what `GET /v1/emails/{id}` shows more of.
    pub message_id: Option<String>,
    /// E-mails that answer each other have the same.
    pub thread_id: Option<Uuid>,
    pub delivery: Option<EmailDelivery>,
    pub recurrence: Option<String>,
    /// The first activity of its series.
    pub series_id: Option<Uuid>,
    #[serde(skip)]
    pub series_start: Option<NaiveDateTime>,
    #[serde(skip)]
    pub occurs_at: Option<NaiveDateTime>,
    /// The next one of its series, which this one made when it ended.
    pub next_id: Option<Uuid>,
    pub remind_at: Option<DateTime<Utc>>,
    #[serde(skip)]
    pub reminded_at: Option<DateTime<Utc>>,
    pub done_at: Option<DateTime<Utc>>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    /// Counts every change; the `ETag`.
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Something that was done or is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Activity {
    #[serde(flatten)]
    pub row: ActivityRow,
    pub allowed_actions: Vec<ActivityAction>,
}

impl From<ActivityRow> for Activity {
    fn from(row: ActivityRow) -> Self {
        let allowed_actions = row.allowed_actions();
        Activity { row, allowed_actions }
    }
}

impl Resource for Activity {
    const PATH: &'static str = "activities";
    const TYPE: &'static str = "activity";
    fn id(&self) -> Uuid {
        self.row.id
    }
    fn revision(&self) -> i64 {
        self.row.revision
    }
}

impl Emitted for Activity {
    const EVENT: &'static str = "activity.changed";
    fn version(&self) -> i64 {
        self.row.revision
    }
}

impl ActivityKind {
    /// Whether such a thing is planned first; the others are told once they have happened.
    pub fn is_planned(self) -> bool {
        matches!(self, ActivityKind::Task | ActivityKind::Call | ActivityKind::Meeting)
    }
}

impl ActivityRow {
    /// An open activity of which nothing else is known yet.
    pub fn new(id: Uuid, kind: ActivityKind, now: DateTime<Utc>) -> Self {
        ActivityRow {
            id,
            kind,
            state: ActivityState::Open,
            title: String::new(),
            body: None,
            subject_type: None,
            subject_id: None,
            customer_id: None,
            contact_id: None,
            priority: ActivityPriority::Normal,
            due_on: None,
            due_at: None,
            due_by: None,
            starts_at: None,
            ends_at: None,
            location: None,
            attendees: Vec::new(),
            direction: None,
            phone: None,
            outcome: None,
            duration_minutes: None,
            from_address: None,
            to_addresses: Vec::new(),
            cc_addresses: Vec::new(),
            message_id: None,
            thread_id: None,
            delivery: None,
            recurrence: None,
            series_id: None,
            series_start: None,
            occurs_at: None,
            next_id: None,
            remind_at: None,
            reminded_at: None,
            done_at: None,
            owner_id: None,
            team_id: None,
            revision: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether it is a message that went through here: what was written is not changed any more.
    pub fn is_message(&self) -> bool {
        self.message_id.is_some()
    }

    pub fn allowed_actions(&self) -> Vec<ActivityAction> {
        use ActivityAction::{Assign, Cancel, Complete, Edit, Reopen};
        match (self.state, self.kind.is_planned()) {
            (ActivityState::Open, true) => vec![Edit, Complete, Cancel, Assign],
            // A message on its way.
            (ActivityState::Open, false) => vec![Edit, Cancel, Assign],
            (ActivityState::Done, true) => vec![Edit, Reopen, Assign],
            (ActivityState::Done, false) => vec![Edit, Assign],
            (ActivityState::Cancelled, true) => vec![Reopen, Assign],
            (ActivityState::Cancelled, false) => vec![Assign],
        }
    }

    /// # Errors
    /// 409 `illegal_transition` with what is open.
    pub fn check(&self, action: ActivityAction) -> Result<(), Problem> {
        let allowed = self.allowed_actions();
        if allowed.contains(&action) {
            return Ok(());
        }
        let allowed: Vec<&str> = allowed.into_iter().map(ActivityAction::as_str).collect();
        Err(Problem::illegal_transition(
            action.as_str(),
            self.state.as_str(),
            &allowed,
        ))
    }
}
