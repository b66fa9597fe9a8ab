//! The words of e-mails.

use crate::activities::model::{Activity, ActivityDirection, ActivityRow, ActivityState, EmailDelivery};
use crate::customers::email::Email as Address;
use crate::schema::{email_contents, outgoing_mails};
use crate::subjects::SubjectType;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::{Resource, text_enum};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// How a message stands.
    EmailState {
        Queued = "queued",
        Sending = "sending",
        Sent = "sent",
        /// It was refused for good, or too often, or consent was withdrawn before it went out; `retry` sends it anew.
        Failed = "failed",
        Cancelled = "cancelled",
        Received = "received",
    }
}

text_enum! {
    /// What may be done with a message; as with every activity, it can be hung on a record and
    /// assigned.
    EmailAction { Retry = "retry", Cancel = "cancel" }
}

/// A message to be sent.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    /// The contact's address when absent.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub to: Vec<Address>,
    #[serde(default)]
    #[schema(max_items = 25)]
    pub cc: Vec<Address>,
    #[serde(default)]
    #[schema(max_items = 25)]
    pub bcc: Vec<Address>,
    /// Needed without a template and without `answers`.
    #[schema(min_length = 1, max_length = 300, pattern = r"^[^\x00-\x1f]*$")]
    pub subject: Option<String>,
    #[schema(min_length = 1, max_length = 100_000)]
    pub text: Option<String>,
    #[schema(min_length = 1, max_length = 200_000)]
    pub html: Option<String>,
    /// Code of a template, instead of subject and text.
    #[schema(max_length = 60)]
    pub template: Option<String>,
    /// In which language: `de-AT` takes `de` if that is what there is. `en` when absent.
    #[schema(max_length = 6, pattern = "^[a-z]{2,3}(-[A-Z]{2})?$")]
    pub language: Option<String>,
    /// For the placeholders `values.…` of the template, at most 2,000 characters each.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// The message that this one answers: it goes on in its thread and on its record.
    pub answers: Option<Uuid>,
    /// Why it goes out although somebody whom it reaches has withdrawn consent to e-mail: a message that
    /// a contract needs, such as an invoice. Without it such a message is refused (409 `consent_withdrawn`).
    #[schema(min_length = 1, max_length = 300, pattern = r"\S", example = "order confirmation")]
    pub despite_withdrawn: Option<String>,
    pub subject_type: Option<SubjectType>,
    pub subject_id: Option<Uuid>,
    pub contact_id: Option<Uuid>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
}

/// A file in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EmailAttachment {
    pub name: Option<String>,
    pub content_type: String,
    /// Bytes.
    pub size: i64,
}

/// What a message has beside its activity.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = email_contents)]
pub struct Contents {
    pub activity_id: Uuid,
    pub html: Option<String>,
    pub in_reply_to: Option<String>,
    pub reference_ids: Vec<String>,
    pub bcc_addresses: Vec<String>,
    pub attachments: Value,
    pub template: Option<String>,
    pub language: Option<String>,
    pub despite_withdrawn: Option<String>,
}

/// How it stands in the outbox.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = outgoing_mails)]
pub struct Outgoing {
    pub state: EmailState,
    pub attempts: i32,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
}

/// A message that went out or came in here.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EmailMessage {
    /// That of its activity.
    pub id: Uuid,
    pub state: EmailState,
    pub direction: ActivityDirection,
    /// Unique, without the angle brackets.
    pub message_id: String,
    /// Messages that answer each other have the same.
    pub thread_id: Uuid,
    pub in_reply_to: Option<String>,
    pub reference_ids: Vec<String>,
    pub from_address: Option<String>,
    pub to_addresses: Vec<String>,
    pub cc_addresses: Vec<String>,
    pub bcc_addresses: Vec<String>,
    pub subject: String,
    pub text: Option<String>,
    pub html: Option<String>,
    pub attachments: Vec<EmailAttachment>,
    pub template: Option<String>,
    pub language: Option<String>,
    /// Why it went out although consent was withdrawn.
    pub despite_withdrawn: Option<String>,
    pub subject_type: Option<SubjectType>,
    pub subject_id: Option<Uuid>,
    pub customer_id: Option<Uuid>,
    pub contact_id: Option<Uuid>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    /// When it was sent or, as its sender says, written.
    pub done_at: Option<DateTime<Utc>>,
    /// How often it was tried to send it.
    pub attempts: Option<i32>,
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// What the mail server said the last time that it did not take it, or why it was not sent.
    pub last_error: Option<String>,
    pub allowed_actions: Vec<EmailAction>,
    /// That of its activity.
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for EmailMessage {
    const PATH: &'static str = "emails";
    const TYPE: &'static str = "activity";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
    /// The outbox changes without the message: the tag covers both.
    fn etag(&self) -> String {
        let attempts = self.attempts.unwrap_or_default();
        format!("\"{}.{attempts}.{}\"", self.revision, self.state)
    }
    fn matches(&self, tag: &str) -> bool {
        service_kit::http::same_revision(tag, self.revision)
    }
}

impl EmailMessage {
    /// A message from its parts; `None` for an activity that is no message.
    pub fn of(activity: Activity, contents: Contents, outgoing: Option<Outgoing>) -> Option<Self> {
        let row = activity.row;
        let state = state_of(&row, outgoing.as_ref())?;
        let attachments = serde_json::from_value(contents.attachments).unwrap_or_default();
        let queued_or_failed = matches!(state, EmailState::Queued | EmailState::Failed);
        let actions = [
            (EmailAction::Retry, state == EmailState::Failed),
            (EmailAction::Cancel, queued_or_failed),
        ];
        Some(EmailMessage {
            id: row.id,
            state,
            direction: row.direction?,
            message_id: row.message_id?,
            thread_id: row.thread_id?,
            in_reply_to: contents.in_reply_to,
            reference_ids: contents.reference_ids,
            from_address: row.from_address,
            to_addresses: row.to_addresses,
            cc_addresses: row.cc_addresses,
            bcc_addresses: contents.bcc_addresses,
            subject: row.title,
            text: row.body,
            html: contents.html,
            attachments,
            template: contents.template,
            language: contents.language,
            despite_withdrawn: contents.despite_withdrawn,
            subject_type: row.subject_type,
            subject_id: row.subject_id,
            customer_id: row.customer_id,
            contact_id: row.contact_id,
            owner_id: row.owner_id,
            team_id: row.team_id,
            done_at: row.done_at,
            attempts: outgoing.as_ref().map(|outgoing| outgoing.attempts),
            next_attempt_at: outgoing.as_ref().and_then(|outgoing| outgoing.next_attempt_at),
            last_error: outgoing.and_then(|outgoing| outgoing.last_error),
            allowed_actions: actions
                .into_iter()
                .filter(|(_, open)| *open)
                .map(|(action, _)| action)
                .collect(),
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn state_of(row: &ActivityRow, outgoing: Option<&Outgoing>) -> Option<EmailState> {
    match (row.delivery?, outgoing) {
        (EmailDelivery::Received, _) => Some(EmailState::Received),
        _ if row.state == ActivityState::Cancelled => Some(EmailState::Cancelled),
        (_, Some(outgoing)) => Some(outgoing.state),
        (EmailDelivery::Queued, None) => Some(EmailState::Queued),
        (EmailDelivery::Sent, None) => Some(EmailState::Sent),
        (EmailDelivery::Failed, None) => Some(EmailState::Failed),
    }
}
