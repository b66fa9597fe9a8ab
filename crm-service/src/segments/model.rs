//! The words of segments.

use crate::schema::{segment_members, segment_rules, segments};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{SearchText, present, same_revision};
use service_kit::tx::Emitted;
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

text_enum! {
    /// What may be done with a segment.
    SegmentAction {
        Edit = "edit",
        Add = "add",
        Remove = "remove",
        Refresh = "refresh",
        Archive = "archive",
        Restore = "restore",
    }
}

/// A segment to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "Sleeping regulars")]
    pub name: String,
    #[schema(min_length = 1, max_length = 1000)]
    pub description: Option<String>,
    pub kind: SegmentKind,
    /// Of a rule segment: who is in it, in the language of filters.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "grade in (\"A\", \"B\") and last_order_on < today-90d"
    )]
    pub rule: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentPatch {
    #[schema(nullable = false, min_length = 1, max_length = 100, pattern = r"\S")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 1000)]
    pub description: Option<Option<String>>,
    /// Another rule is the next version.
    #[schema(nullable = false, min_length = 1, max_length = 4000)]
    pub rule: Option<String>,
}

/// A rule to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentPreviewIn {
    #[schema(min_length = 1, max_length = 4000, example = "orders.count(90 days) >= 3")]
    pub rule: String,
}

/// Customers that are put into a static segment, or taken out of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentMembersIn {
    #[schema(min_items = 1, max_items = 1000)]
    pub customer_ids: Vec<Uuid>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = segments, treat_none_as_null = true)]
pub struct SegmentRow {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    pub kind: SegmentKind,
    pub status: SegmentStatus,
    pub rule_version: Option<i32>,
    pub refreshed_at: Option<DateTime<Utc>>,
    pub due_at: Option<DateTime<Utc>>,
    pub refresh_day: Option<NaiveDate>,
    pub refresh_from: Option<Uuid>,
    pub fault: Option<String>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, ToSchema)]
#[diesel(table_name = segment_rules)]
pub struct SegmentRule {
    pub segment_id: Uuid,
    pub version: i32,
    pub rule: String,
    pub created_by: String,
    pub created_at: DateTime<Utc>,
}

/// A segment as its events tell it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SegmentRecord {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    pub kind: SegmentKind,
    pub status: SegmentStatus,
    /// The rule in force.
    pub rule: Option<String>,
    pub rule_version: Option<i32>,
    pub allowed_actions: Vec<SegmentAction>,
    /// Orders its events.
    pub version: i64,
    /// Counts every change of the segment itself.
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A segment, and how many customers are in it now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Segment {
    #[serde(flatten)]
    pub record: SegmentRecord,
    /// Customers in sight that are in it.
    pub members: i64,
    /// When all its members were up to date; `null` until they first are, and of static segments.
    pub refreshed_at: Option<DateTime<Utc>>,
    /// Whether its members are about to be brought up to date.
    pub refreshing: bool,
    /// Why its rule does not work any more: a custom field is gone, say.
    pub fault: Option<String>,
}

impl SegmentRow {
    pub fn record(&self, rule: Option<String>) -> SegmentRecord {
        SegmentRecord {
            id: self.id,
            name: self.name.clone(),
            description: self.description.clone(),
            kind: self.kind,
            status: self.status,
            rule,
            rule_version: self.rule_version,
            allowed_actions: self.allowed_actions(),
            // All of it is its own, so each change is told.
            version: self.revision,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    pub fn shown(&self, rule: Option<String>, members: i64) -> Segment {
        Segment {
            record: self.record(rule),
            members,
            refreshed_at: self.refreshed_at,
            refreshing: self.refresh_from.is_some() || (self.refreshed_at.is_none() && self.due_at.is_some()),
            fault: self.fault.clone(),
        }
    }

    pub fn allowed_actions(&self) -> Vec<SegmentAction> {
        use SegmentAction::{Add, Archive, Edit, Refresh, Remove, Restore};
        match (self.status, self.kind) {
            (SegmentStatus::Archived, _) => vec![Restore],
            (SegmentStatus::Active, SegmentKind::Static) => vec![Edit, Add, Remove, Archive],
            (SegmentStatus::Active, SegmentKind::Rule) => vec![Edit, Refresh, Archive],
        }
    }
}

impl Resource for SegmentRecord {
    const PATH: &'static str = "segments";
    const TYPE: &'static str = "segment";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for SegmentRecord {
    const EVENT: &'static str = "segment.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

impl Resource for Segment {
    const PATH: &'static str = "segments";
    const TYPE: &'static str = "segment";
    fn id(&self) -> Uuid {
        self.record.id
    }
    fn revision(&self) -> i64 {
        self.record.revision
    }
    fn etag(&self) -> String {
        let refreshed = self.refreshed_at.map_or(0, |at| at.timestamp_micros());
        let state = i32::from(self.refreshing) + 2 * i32::from(self.fault.is_some());
        format!("\"{}.{}.{refreshed}.{state}\"", self.record.revision, self.members)
    }
    fn matches(&self, tag: &str) -> bool {
        same_revision(tag, self.record.revision)
    }
}

/// A customer in a segment, from an instant on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SegmentMember {
    #[serde(flatten)]
    pub row: MemberRow,
    pub customer_name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = segment_members)]
pub struct MemberRow {
    pub id: Uuid,
    pub segment_id: Uuid,
    pub customer_id: Uuid,
    pub entered_at: DateTime<Utc>,
    /// `null`: it is in.
    pub left_at: Option<DateTime<Utc>>,
    /// Version of the rule that let it in.
    pub entered_version: Option<i32>,
    /// Version of the rule that kept it last.
    pub rule_version: Option<i32>,
    /// Version of the rule that let it go.
    pub left_version: Option<i32>,
    /// Who put it into a static segment.
    pub added_by: Option<String>,
}

/// Who would be in a segment with this rule, as far as they are in sight.
#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentPreview {
    /// The rule's conditions, one by one.
    pub conditions: Vec<String>,
    pub count: i64,
    /// The first of them, by name.
    pub customers: Vec<SegmentCustomer>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentCustomer {
    pub id: Uuid,
    pub name: String,
}

/// Why a customer is in a segment, or is not.
#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentExplanation {
    pub segment_id: Uuid,
    pub customer_id: Uuid,
    /// Whether it is in.
    pub member: bool,
    pub entered_at: Option<DateTime<Utc>>,
    /// Who put it into a static segment.
    pub added_by: Option<String>,
    /// The version of the rule that is explained: that which keeps the customer in, else that in force.
    pub rule_version: Option<i32>,
    pub rule: Option<String>,
    /// Whether it fulfils that rule now; what changed since takes effect at the next refresh.
    pub matches_now: Option<bool>,
    pub conditions: Vec<ConditionExplanation>,
}

/// A condition, and the value that it looks at.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConditionExplanation {
    /// As it stands in the rule.
    pub condition: String,
    /// Whether it is fulfilled now; of what is empty, no condition but `is empty` is.
    pub met: Option<bool>,
    /// What it looks at, now; `null` is empty.
    pub value: Option<String>,
    /// What it looked at when the customer was let in, or first kept by this version of the rule.
    pub seen: Option<String>,
    /// It counts records that the caller does not all see: what it found is not told.
    pub withheld: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SegmentsQuery {
    /// Part of the name.
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
pub struct SegmentMembersQuery {
    /// Who was in it at this instant; absent: who is in it now.
    pub at: Option<DateTime<Utc>>,
    /// `true`: also those who have left.
    pub history: Option<bool>,
    pub customer_id: Option<Uuid>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `entered_at`, with `-` for descending.
    pub sort: Option<Sort>,
}
