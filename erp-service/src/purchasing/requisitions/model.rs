use crate::purchasing::orders::PurchaseOrder;
use crate::schema::{requisition_lines, requisitions};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::http::{SearchText, present};
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Cursor, Limit, Problem, Quantity, Resource, Sort, UnitPrice, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    RequisitionStatus {
        Draft = "draft",
        Submitted = "submitted",
        Approved = "approved",
        Rejected = "rejected",
        Ordered = "ordered",
        Cancelled = "cancelled",
    }
}

text_enum! {
    RequisitionAction {
        Edit = "edit",
        Submit = "submit",
        Approve = "approve",
        Reject = "reject",
        Order = "order",
        Cancel = "cancel",
    }
}

impl RequisitionStatus {
    /// The legal transitions.
    pub fn allowed_actions(self) -> &'static [RequisitionAction] {
        use RequisitionAction::{Approve, Cancel, Edit, Order, Reject, Submit};
        match self {
            RequisitionStatus::Draft | RequisitionStatus::Rejected => &[Edit, Submit, Cancel],
            RequisitionStatus::Submitted => &[Edit, Approve, Reject, Cancel],
            RequisitionStatus::Approved => &[Order, Cancel],
            RequisitionStatus::Ordered | RequisitionStatus::Cancelled => &[],
        }
    }

    /// # Errors
    /// 409 `illegal_transition` with the current status and what is open.
    pub fn check(self, action: RequisitionAction) -> Result<(), Problem> {
        let allowed = self.allowed_actions();
        if allowed.contains(&action) {
            return Ok(());
        }
        let names: Vec<&str> = allowed.iter().map(|action| action.as_str()).collect();
        Err(Problem::illegal_transition(action.as_str(), self.as_str(), &names))
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = requisitions, treat_none_as_null = true)]
pub(super) struct RequisitionRow {
    pub id: Uuid,
    pub number: Option<String>,
    pub status: RequisitionStatus,
    pub reason: Option<String>,
    pub needed_by: Option<NaiveDate>,
    pub warehouse_id: Option<Uuid>,
    pub external_ref: Option<String>,
    pub value: Decimal,
    pub decision: Option<String>,
    pub created_by: Uuid,
    pub changed_by: Uuid,
    pub decided_by: Option<Uuid>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = requisition_lines)]
pub struct RequisitionLineRow {
    pub id: Uuid,
    pub requisition_id: Uuid,
    pub position: i32,
    pub product_id: Option<Uuid>,
    pub description: Option<String>,
    pub account_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub quantity: Quantity,
    pub estimated_price: Option<UnitPrice>,
    pub supplier_id: Option<Uuid>,
    pub ordered_quantity: Quantity,
}

/// A requisition.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Requisition {
    pub id: Uuid,
    /// Given by the approval.
    pub number: Option<String>,
    pub status: RequisitionStatus,
    pub reason: Option<String>,
    pub needed_by: Option<NaiveDate>,
    pub warehouse_id: Option<Uuid>,
    pub external_ref: Option<String>,
    /// By the estimates, in the base currency.
    pub value: Amount,
    /// Why it was rejected or cancelled.
    pub decision: Option<String>,
    pub lines: Vec<RequisitionLine>,
    /// Keys, not names.
    pub created_by: Uuid,
    pub changed_by: Uuid,
    pub decided_by: Option<Uuid>,
    pub allowed_actions: Vec<RequisitionAction>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RequisitionLine {
    pub id: Uuid,
    pub position: i32,
    pub product_id: Option<Uuid>,
    pub description: Option<String>,
    pub account_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub quantity: Quantity,
    pub estimated_price: Option<UnitPrice>,
    pub supplier_id: Option<Uuid>,
    pub ordered_quantity: Quantity,
}

/// A requisition beside the purchase orders that it just became.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OrderedRequisition {
    #[serde(flatten)]
    pub requisition: Requisition,
    /// One for each supplier.
    pub orders: Vec<PurchaseOrder>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequisitionIn {
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
    pub needed_by: Option<NaiveDate>,
    /// Where it is needed; absent: the default warehouse.
    pub warehouse_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
    /// Submit it at once.
    #[serde(default)]
    pub submit: bool,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<RequisitionLineIn>,
}

/// A product, or something in words.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequisitionLineIn {
    pub product_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 500)]
    pub description: Option<String>,
    pub account_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub quantity: Quantity,
    /// In the base currency, for the approval.
    pub estimated_price: Option<UnitPrice>,
    /// Preferred.
    pub supplier_id: Option<Uuid>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequisitionPatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub needed_by: Option<Option<NaiveDate>>,
    #[serde(default, deserialize_with = "present")]
    pub warehouse_id: Option<Option<Uuid>>,
    /// Replaces them all.
    #[schema(min_items = 1, max_items = 500, nullable = false)]
    pub lines: Option<Vec<RequisitionLineIn>>,
}

/// What to order of it now; absent: all that is not ordered yet.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderRequisition {
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Option<Vec<OrderRequisitionLine>>,
    /// Submit the purchase orders for approval at once.
    #[serde(default)]
    pub submit: bool,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderRequisitionLine {
    pub line_id: Uuid,
    /// Absent: all that is not ordered yet.
    pub quantity: Option<Quantity>,
    /// Absent: the line's, else the one who asks least for the product.
    pub supplier_id: Option<Uuid>,
    /// In the supplier's currency; absent: what the supplier asks, else the estimate where that is in the same currency.
    pub unit_price: Option<UnitPrice>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct RequisitionsQuery {
    /// Finds in number, reason and reference.
    pub q: Option<SearchText>,
    #[param(inline)]
    pub status: Option<RequisitionStatus>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl Resource for Requisition {
    const PATH: &'static str = "requisitions";
    const TYPE: &'static str = "requisition";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Requisition {
    const EVENT: &'static str = "requisition.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

impl Resource for OrderedRequisition {
    const PATH: &'static str = Requisition::PATH;
    const TYPE: &'static str = Requisition::TYPE;
    fn id(&self) -> Uuid {
        self.requisition.id
    }
    fn revision(&self) -> i64 {
        self.requisition.revision
    }
}

impl Requisition {
    pub(super) fn from_rows(row: &RequisitionRow, lines: &[RequisitionLineRow], base: Currency) -> Self {
        let lines = lines.iter().map(|line| RequisitionLine {
            id: line.id,
            position: line.position,
            product_id: line.product_id,
            description: line.description.clone(),
            account_id: line.account_id,
            department_id: line.department_id,
            project_id: line.project_id,
            quantity: line.quantity,
            estimated_price: line.estimated_price,
            supplier_id: line.supplier_id,
            ordered_quantity: line.ordered_quantity,
        });
        Requisition {
            id: row.id,
            // A dry run draws none.
            number: row.number.clone().filter(|number| !number.starts_with("dry run")),
            status: row.status,
            reason: row.reason.clone(),
            needed_by: row.needed_by,
            warehouse_id: row.warehouse_id,
            external_ref: row.external_ref.clone(),
            value: Amount::money(base, row.value).unwrap_or_default(),
            decision: row.decision.clone(),
            lines: lines.collect(),
            created_by: row.created_by,
            changed_by: row.changed_by,
            decided_by: row.decided_by,
            allowed_actions: row.status.allowed_actions().to_vec(),
            version: row.version,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
