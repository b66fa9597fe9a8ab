//! The words of reassignment.

use serde::{Deserialize, Serialize};
use service_kit::text_enum;
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// Which of what hangs on a record goes along.
    GoAlong {
        None = "none",
        /// What belongs to whom the record belonged to.
        OfOwner = "of_owner",
        /// All that is in sight.
        All = "all",
    }
}

impl GoAlong {
    pub fn moves(self) -> bool {
        self != GoAlong::None
    }

    /// Whether what is of this owner goes along with a record of that one.
    pub fn takes(self, owner: Option<Uuid>, records: Option<Uuid>) -> bool {
        match self {
            GoAlong::None => false,
            GoAlong::OfOwner => owner == records,
            GoAlong::All => true,
        }
    }
}

fn none() -> GoAlong {
    GoAlong::None
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReassignIn {
    /// These, or those that the filter finds.
    #[schema(min_items = 1, max_items = 1000)]
    pub customer_ids: Option<Vec<Uuid>>,
    /// In the language of filters; at most 1,000 customers.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "owner = \"anna@example.com\" and country has \"SE\""
    )]
    pub filter: Option<String>,
    /// An active user.
    pub owner_id: Uuid,
    /// Absent: the team of that user.
    pub team_id: Option<Uuid>,
    /// Open deals.
    #[serde(default = "none")]
    #[schema(default = "none")]
    pub deals: GoAlong,
    /// Quotes that are not decided yet.
    #[serde(default = "none")]
    #[schema(default = "none")]
    pub quotes: GoAlong,
    /// What is still to be done.
    #[serde(default = "none")]
    #[schema(default = "none")]
    pub activities: GoAlong,
}

/// What changed hands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reassigned {
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub customers: Vec<Uuid>,
    /// Customers that belonged to them already.
    pub unchanged: Vec<Uuid>,
    pub deals: Vec<Uuid>,
    pub quotes: Vec<Uuid>,
    pub activities: Vec<Uuid>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadsReassignIn {
    /// These, or those that the filter finds.
    #[schema(min_items = 1, max_items = 1000)]
    pub lead_ids: Option<Vec<Uuid>>,
    /// In the language of filters; at most 1,000 leads. Converted ones stay with whom they were.
    #[schema(
        min_length = 1,
        max_length = 4000,
        example = "owner = \"anna@example.com\" and state in (\"new\", \"working\")"
    )]
    pub filter: Option<String>,
    /// An active user.
    pub owner_id: Uuid,
    /// Absent: the team of that user.
    pub team_id: Option<Uuid>,
    /// What is still to be done.
    #[serde(default = "none")]
    #[schema(default = "none")]
    pub activities: GoAlong,
}

/// What changed hands.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadsReassigned {
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub leads: Vec<Uuid>,
    /// Leads that belonged to them already.
    pub unchanged: Vec<Uuid>,
    pub activities: Vec<Uuid>,
}
