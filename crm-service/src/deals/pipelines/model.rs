//! The words of pipelines.

use crate::json::AsJson;
use crate::schema::{pipeline_stages, pipeline_versions, pipelines};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::decimal::Fraction;
use service_kit::tx::Emitted;
use service_kit::{Resource, text_enum};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// An archived pipeline takes no new deals.
    PipelineStatus { Active = "active", Archived = "archived" }
}

text_enum! {
    /// Where a version stands: a retired one still has the deals that entered it.
    VersionState { Draft = "draft", Published = "published", Retired = "retired" }
}

text_enum! {
    /// What proves that a step was done.
    StepEvidence {
        /// A call of the deal's activities.
        LoggedCall = "logged_call",
        /// A document attached to the deal.
        Document = "document",
        /// A field of the deal that is filled.
        Field = "field",
    }
}

text_enum! {
    /// A field of a deal that a step may ask for.
    DealField {
        Amount = "amount",
        Lines = "lines",
        ExpectedCloseOn = "expected_close_on",
        Contact = "contact",
        NextStep = "next_step",
        Source = "source",
        Campaign = "campaign",
        Competitor = "competitor",
    }
}

text_enum! {
    /// What may be done with a pipeline.
    PipelineAction { Draft = "draft", Publish = "publish", Archive = "archive", Restore = "restore" }
}

/// A step of a stage: what is to be done there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StageStep {
    /// What the step is called from version to version; a pipeline has it once.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$", example = "first_call")]
    pub key: String,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    pub evidence: StepEvidence,
    /// With the evidence `field`: which.
    #[serde(default)]
    pub field: Option<DealField>,
    /// Shown, but not asked for. All others are needed to go on from the stage, or past it, and to win.
    #[serde(default)]
    pub optional: bool,
    /// Also needed to lose a deal in this stage.
    #[serde(default)]
    pub on_loss: bool,
}

/// A stage to be.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StageIn {
    /// What the stage is called from version to version.
    #[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$", example = "qualified")]
    pub key: String,
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub name: String,
    /// How likely a deal of this stage is won: `"0.3"` is 30 %.
    pub probability: Fraction,
    /// After how many days in the stage a deal has aged; absent for never.
    #[schema(minimum = 1, maximum = 3650)]
    pub ageing_days: Option<i32>,
    /// Keys of the stages that a deal may go to from here; absent: the following one.
    #[schema(max_items = 30)]
    pub next_stages: Option<Vec<StageKey>>,
    #[serde(default)]
    #[schema(max_items = 20)]
    pub steps: Vec<StageStep>,
}

/// The key of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$")]
pub struct StageKey(pub String);

/// A pipeline to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    /// In the order in which deals go through them.
    #[schema(min_items = 1, max_items = 30)]
    pub stages: Vec<StageIn>,
    /// Publish it at once, so that deals can enter.
    #[serde(default)]
    pub publish: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelinePatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    /// Takes the deals that name no pipeline, in place of the one that did so far. Only `true` changes anything.
    #[schema(nullable = false)]
    pub is_default: Option<bool>,
}

/// The stages of the next version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineDraftIn {
    /// In the order in which deals go through them.
    #[schema(min_items = 1, max_items = 30)]
    pub stages: Vec<StageIn>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = pipelines)]
pub struct PipelineRow {
    pub id: Uuid,
    pub name: String,
    pub status: PipelineStatus,
    pub is_default: bool,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = pipeline_versions)]
pub struct VersionRow {
    pub id: Uuid,
    pub pipeline_id: Uuid,
    pub number: i32,
    pub state: VersionState,
    pub published_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = pipeline_stages)]
pub struct StageRow {
    pub id: Uuid,
    pub version_id: Uuid,
    pub pipeline_id: Uuid,
    pub position: i32,
    pub key: String,
    pub name: String,
    pub probability: Fraction,
    pub ageing_days: Option<i32>,
    pub next_stages: Vec<String>,
    pub steps: AsJson<Vec<StageStep>>,
}

/// A stage of a pipeline's version.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Stage {
    pub id: Uuid,
    pub key: String,
    pub name: String,
    pub position: i32,
    pub probability: Fraction,
    pub ageing_days: Option<i32>,
    pub next_stages: Vec<String>,
    pub steps: Vec<StageStep>,
}

impl From<StageRow> for Stage {
    fn from(row: StageRow) -> Self {
        Stage {
            id: row.id,
            key: row.key,
            name: row.name,
            position: row.position,
            probability: row.probability,
            ageing_days: row.ageing_days,
            next_stages: row.next_stages,
            steps: row.steps.0,
        }
    }
}

/// A version of a pipeline, with its stages in order.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PipelineVersion {
    pub id: Uuid,
    pub number: i32,
    pub state: VersionState,
    pub published_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub stages: Vec<Stage>,
}

/// A pipeline with what deals go through now, and what they are to go through next.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Pipeline {
    pub id: Uuid,
    pub name: String,
    pub status: PipelineStatus,
    /// Takes the deals that name no pipeline.
    pub is_default: bool,
    /// The version that new deals enter; `null` until one is published.
    #[schema(required = true)]
    pub published: Option<PipelineVersion>,
    /// The version that is being prepared.
    #[schema(required = true)]
    pub draft: Option<PipelineVersion>,
    pub allowed_actions: Vec<PipelineAction>,
    pub version: i64,
    /// Counts every change; the `ETag`.
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Pipeline {
    const PATH: &'static str = "pipelines";
    const TYPE: &'static str = "pipeline";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Pipeline {
    const EVENT: &'static str = "pipeline.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

impl Pipeline {
    pub fn of(row: PipelineRow, mut versions: Vec<PipelineVersion>) -> Self {
        let mut take = |state| {
            let index = versions.iter().position(|version| version.state == state)?;
            Some(versions.swap_remove(index))
        };
        let (published, draft) = (take(VersionState::Published), take(VersionState::Draft));
        let mut pipeline = Pipeline {
            id: row.id,
            name: row.name,
            status: row.status,
            is_default: row.is_default,
            published,
            draft,
            allowed_actions: Vec::new(),
            version: row.version,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        };
        pipeline.allowed_actions = pipeline.actions();
        pipeline
    }

    pub fn row(&self) -> PipelineRow {
        PipelineRow {
            id: self.id,
            name: self.name.clone(),
            status: self.status,
            is_default: self.is_default,
            version: self.version,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }

    /// What may be done with it now.
    pub fn actions(&self) -> Vec<PipelineAction> {
        use PipelineAction::{Archive, Draft, Publish, Restore};
        match self.status {
            PipelineStatus::Archived => vec![Restore],
            PipelineStatus::Active => {
                let mut actions = vec![Draft];
                actions.extend(self.draft.is_some().then_some(Publish));
                // Something must take the deals that name no pipeline.
                actions.extend((!self.is_default).then_some(Archive));
                actions
            }
        }
    }
}
