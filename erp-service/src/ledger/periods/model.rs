use crate::schema::{fiscal_years, periods};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::Resource;
use service_kit::tx::Emitted;
use utoipa::ToSchema;
use uuid::Uuid;

service_kit::text_enum! {
    /// What may be posted into a period.
    PeriodStatus {
        Open = "open",
        /// Adjusting entries of the general journal only.
        Closing = "closing",
        Closed = "closed",
    }
}

service_kit::text_enum! {
    /// Whether the year's result has been moved to retained earnings.
    FiscalYearStatus { Open = "open", Closed = "closed" }
}

/// A period of a fiscal year, as a rule a month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Period {
    pub id: Uuid,
    pub fiscal_year_id: Uuid,
    /// Its month, e.g. `2026-03`.
    pub name: String,
    pub starts_on: NaiveDate,
    pub ends_on: NaiveDate,
    pub status: PeriodStatus,
    /// Warnings that were accepted when it was closed.
    pub accepted: Vec<AcceptedWarning>,
    pub closed_at: Option<DateTime<Utc>>,
    /// The API key that closed it.
    pub closed_by: Option<Uuid>,
    /// Why it was opened again.
    pub reopen_reason: Option<String>,
    pub allowed_actions: Vec<String>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A warning that is accepted, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptedWarning {
    #[schema(min_length = 1, max_length = 60)]
    pub code: String,
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}

/// A fiscal year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FiscalYear {
    pub id: Uuid,
    /// Part of the numbers of its documents.
    pub name: String,
    pub starts_on: NaiveDate,
    pub ends_on: NaiveDate,
    pub status: FiscalYearStatus,
    /// The entry that moved the result to retained earnings.
    pub closing_entry_id: Option<Uuid>,
    /// Why it was opened again.
    pub reopen_reason: Option<String>,
    pub periods: Vec<Period>,
    pub allowed_actions: Vec<String>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FiscalYearIn {
    pub id: Option<Uuid>,
    /// Default: `2026`, or `2026-27` where it does not begin in January.
    #[schema(min_length = 1, max_length = 20, pattern = r"^[A-Z0-9]([A-Z0-9-]*[A-Z0-9])?$")]
    pub name: Option<String>,
    /// The first day of a month.
    pub starts_on: NaiveDate,
    /// The last day of a month, at most 24 months from the beginning. Default: a year.
    pub ends_on: Option<NaiveDate>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosePeriod {
    /// The warnings of the checklist, each with the reason why it is no obstacle.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub accept: Vec<AcceptedWarning>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reopen {
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = periods)]
pub struct PeriodRow {
    pub id: Uuid,
    pub fiscal_year_id: Uuid,
    pub starts_on: NaiveDate,
    pub ends_on: NaiveDate,
    pub status: PeriodStatus,
    pub accepted: Value,
    pub closed_at: Option<DateTime<Utc>>,
    pub closed_by: Option<Uuid>,
    pub reopen_reason: Option<String>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = fiscal_years)]
pub struct YearRow {
    pub id: Uuid,
    pub name: String,
    pub starts_on: NaiveDate,
    pub ends_on: NaiveDate,
    pub status: FiscalYearStatus,
    pub closing_entry_id: Option<Uuid>,
    pub reopen_reason: Option<String>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl From<PeriodRow> for Period {
    fn from(row: PeriodRow) -> Self {
        let actions: &[&str] = match row.status {
            PeriodStatus::Open => &["start-closing", "close"],
            PeriodStatus::Closing => &["close", "reopen"],
            PeriodStatus::Closed => &["reopen"],
        };
        Period {
            name: row.starts_on.format("%Y-%m").to_string(),
            allowed_actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            id: row.id,
            fiscal_year_id: row.fiscal_year_id,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            status: row.status,
            accepted: serde_json::from_value(row.accepted).unwrap_or_default(),
            closed_at: row.closed_at,
            closed_by: row.closed_by,
            reopen_reason: row.reopen_reason,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl FiscalYear {
    pub fn of(row: YearRow, periods: Vec<Period>) -> Self {
        let all_closed = periods.iter().all(|period| period.status == PeriodStatus::Closed);
        let actions: &[&str] = match row.status {
            FiscalYearStatus::Open if all_closed => &["close"],
            FiscalYearStatus::Open => &[],
            FiscalYearStatus::Closed => &["reopen"],
        };
        FiscalYear {
            id: row.id,
            name: row.name,
            starts_on: row.starts_on,
            ends_on: row.ends_on,
            status: row.status,
            closing_entry_id: row.closing_entry_id,
            reopen_reason: row.reopen_reason,
            periods,
            allowed_actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl Resource for Period {
    const PATH: &'static str = "periods";
    const TYPE: &'static str = "period";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Period {
    const EVENT: &'static str = "period.changed";
    fn version(&self) -> i64 {
        self.revision
    }
}

impl Resource for FiscalYear {
    const PATH: &'static str = "fiscal-years";
    const TYPE: &'static str = "fiscal_year";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
    /// Its periods are shown with it, and change without it.
    fn etag(&self) -> String {
        let periods: i64 = self.periods.iter().map(|period| period.revision).sum();
        format!("\"{}.{periods}\"", self.revision)
    }
    fn matches(&self, tag: &str) -> bool {
        service_kit::http::same_revision(tag, self.revision)
    }
}

impl Emitted for FiscalYear {
    const EVENT: &'static str = "fiscal_year.changed";
    fn version(&self) -> i64 {
        self.revision
    }
}
