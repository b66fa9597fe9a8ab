//! The words of segments.

use crate::schema::{segment_members, segments};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::SearchText;
use service_kit::{Cursor, Limit, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Put together by hand, or by a rule.
    SegmentKind { Static = "static", Rule = "rule" }
}

text_enum! {
    /// An archived segment keeps its members as they are.
    SegmentStatus { Active = "active", Archived = "archived" }
}

/// A segment as the CRM has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplicatedSegment {
    /// The CRM's version: newer applies, equal or older leaves what is stored.
    #[schema(minimum = 1)]
    pub source_version: i64,
    /// Apply whatever the version: after one side was restored.
    #[serde(default)]
    pub replace: bool,
    /// When the record was what it is here; absent: now.
    pub as_of: Option<DateTime<Utc>>,
    #[schema(min_length = 1, max_length = 400)]
    pub name: String,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    pub kind: SegmentKind,
    pub status: SegmentStatus,
    /// Who is in it, in the CRM's language of filters.
    #[schema(max_length = 8000)]
    pub rule: Option<String>,
}

/// A group of customers, as the CRM last told it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = segments, treat_none_as_null = true)]
pub struct Segment {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    pub kind: SegmentKind,
    pub status: SegmentStatus,
    /// Who is in it, in the CRM's language of filters.
    pub rule: Option<String>,
    /// The CRM's version.
    pub source_version: i64,
    /// When the segment was what it is here.
    pub as_of: DateTime<Utc>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Segment {
    const PATH: &'static str = "segments";
    const TYPE: &'static str = "segment";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

/// That a customer is in a segment, or was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = segment_members)]
pub struct SegmentMember {
    pub id: Uuid,
    pub segment_id: Uuid,
    pub customer_id: Uuid,
    pub entered_at: DateTime<Utc>,
    /// `null`: it is in.
    pub left_at: Option<DateTime<Utc>>,
    /// The CRM's version.
    pub source_version: i64,
    /// When this was as it is here.
    pub as_of: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SegmentsQuery {
    /// Finds in the name.
    pub q: Option<SearchText>,
    #[param(inline)]
    pub kind: Option<SegmentKind>,
    #[param(inline)]
    pub status: Option<SegmentStatus>,
    /// Segments that this customer is in.
    pub customer_id: Option<Uuid>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `name` or `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SegmentMembersQuery {
    pub customer_id: Option<Uuid>,
    /// Who was in it at this instant; absent: who is in it now.
    pub at: Option<DateTime<Utc>>,
    /// `true`: also those who have left.
    pub history: Option<bool>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `entered_at`, with `-` for descending.
    pub sort: Option<Sort>,
}
