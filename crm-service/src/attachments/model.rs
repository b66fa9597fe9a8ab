//! The words of attachments.

use crate::schema::attachments;
use crate::subjects::{SubjectRef, SubjectType};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::SearchText;
use service_kit::tx::Emitted;
use service_kit::{Cursor, Limit, Resource, Sort};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A file on a record; its content is at `/v1/attachments/{id}/content`.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = attachments, treat_none_as_null = true)]
pub struct Attachment {
    pub id: Uuid,
    pub subject_type: SubjectType,
    pub subject_id: Uuid,
    /// The customer that it thereby concerns.
    pub customer_id: Option<Uuid>,
    /// Without folders and control characters.
    pub name: String,
    /// As whoever sent it said.
    pub content_type: String,
    /// In bytes.
    pub size: i64,
    /// Of the content, in hexadecimal digits.
    pub sha256: String,
    pub added_by: String,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    /// Counts every change; the `ETag`.
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Attachment {
    const PATH: &'static str = "attachments";
    const TYPE: &'static str = "attachment";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Attachment {
    const EVENT: &'static str = "attachment.changed";
    fn version(&self) -> i64 {
        self.revision
    }
}

impl Attachment {
    pub fn subject(&self) -> SubjectRef {
        SubjectRef {
            kind: self.subject_type,
            id: self.subject_id,
        }
    }
}

/// What a file is hung on, and how it is called. (The command refuses parameters that are not its own.)
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AttachmentQuery {
    #[param(inline)]
    pub subject_type: SubjectType,
    /// The record.
    pub subject_id: Uuid,
    /// Name of the file.
    pub name: SearchText,
    /// Minted here when absent.
    pub id: Option<Uuid>,
    /// Absent: who sends it.
    pub owner_id: Option<Uuid>,
    /// Absent: the team of the owner.
    pub team_id: Option<Uuid>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AttachmentsQuery {
    /// Part of the name.
    pub q: Option<SearchText>,
    #[param(inline)]
    pub subject_type: Option<SubjectType>,
    /// Files of one record.
    pub subject_id: Option<Uuid>,
    /// Files that concern a customer, on whichever record.
    pub customer_id: Option<Uuid>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `name`, with `-` for descending.
    pub sort: Option<Sort>,
}
