//! The words of returns, and their rows.

use crate::inventory::lots::LotQuantity;
use crate::sales::deliveries::DeliveredLot;
use crate::schema::{sales_return_lines, sales_returns};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::tx::Emitted;
use service_kit::{Amount, Currency, Problem, Quantity, Resource, Result, text_enum};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// Where a return stands.
    ReturnStatus {
        Authorised = "authorised", Received = "received", Inspected = "inspected", Completed = "completed",
        Cancelled = "cancelled",
    }
}

text_enum! {
    /// What may be done with a return.
    ReturnAction { Receive = "receive", Inspect = "inspect", Credit = "credit", Cancel = "cancel" }
}

impl ReturnStatus {
    /// The legal transitions.
    pub fn allowed_actions(self) -> &'static [ReturnAction] {
        match self {
            ReturnStatus::Authorised => &[ReturnAction::Receive, ReturnAction::Cancel],
            ReturnStatus::Received => &[ReturnAction::Inspect],
            ReturnStatus::Inspected => &[ReturnAction::Credit],
            ReturnStatus::Completed | ReturnStatus::Cancelled => &[],
        }
    }

    /// # Errors
    /// 409 `illegal_transition`.
    pub fn check(self, action: ReturnAction) -> Result<(), Problem> {
        let allowed = self.allowed_actions();
        if allowed.contains(&action) {
            return Ok(());
        }
        let names: Vec<&str> = allowed.iter().map(|action| action.as_str()).collect();
        Err(Problem::illegal_transition(action.as_str(), self.as_str(), &names))
    }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SalesReturnIn {
    pub id: Option<Uuid>,
    /// The sales order that the goods came with.
    pub order_id: Uuid,
    /// Where they come back to; absent: where they left.
    pub warehouse_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<SalesReturnLineIn>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SalesReturnLineIn {
    /// Line of the sales order.
    pub line_id: Uuid,
    /// The delivery that the goods came with; absent: the oldest of which something is left.
    pub delivery_id: Option<Uuid>,
    /// At most what was delivered and has not come back.
    pub quantity: Quantity,
}

/// What came back; absent lines: all that was authorised.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnReceiptIn {
    /// Posting date; default today.
    pub date: Option<NaiveDate>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Option<Vec<ReturnedLineIn>>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnedLineIn {
    /// Line of the return.
    pub id: Uuid,
    /// At most what was authorised; 0 when nothing of it came.
    pub quantity: Quantity,
    /// Lots that came back, of those that were delivered; needed where these were several.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub lots: Vec<LotQuantity>,
}

/// What becomes of what came back; every line that brought something is named.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnInspectionIn {
    /// Posting date; default today.
    pub date: Option<NaiveDate>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<InspectedLineIn>,
}

/// Both quantities come to what was received.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectedLineIn {
    /// Line of the return.
    pub id: Uuid,
    /// Good enough to be sold.
    #[serde(default)]
    pub restock: Quantity,
    #[serde(default)]
    pub scrap: Quantity,
}

/// A return of a sales order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct SalesReturn {
    pub id: Uuid,
    pub number: Option<String>,
    pub order_id: Uuid,
    pub customer_id: Uuid,
    /// Absent when only services were delivered.
    pub warehouse_id: Option<Uuid>,
    pub status: ReturnStatus,
    pub reason: String,
    pub external_ref: Option<String>,
    pub authorised_on: NaiveDate,
    pub received_on: Option<NaiveDate>,
    pub inspected_on: Option<NaiveDate>,
    pub lines: Vec<SalesReturnLine>,
    pub allowed_actions: Vec<ReturnAction>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct SalesReturnLine {
    pub id: Uuid,
    pub position: i32,
    /// Line of the sales order.
    pub line_id: Uuid,
    pub delivery_id: Uuid,
    pub product_id: Uuid,
    /// As authorised.
    pub quantity: Quantity,
    pub received_quantity: Quantity,
    /// Of what was received: what had not been invoiced, and is not invoiced any more.
    pub uninvoiced_quantity: Quantity,
    /// Of what was received: what is still to be credited.
    pub to_credit_quantity: Quantity,
    pub credited_quantity: Quantity,
    pub restocked_quantity: Quantity,
    pub scrapped_quantity: Quantity,
    /// At which it came in, in the base currency.
    pub value: Amount,
    pub lots: Vec<DeliveredLot>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sales_returns)]
pub struct ReturnRow {
    pub id: Uuid,
    pub number: Option<String>,
    pub order_id: Uuid,
    pub customer_id: Uuid,
    pub warehouse_id: Option<Uuid>,
    pub status: ReturnStatus,
    pub reason: String,
    pub external_ref: Option<String>,
    pub authorised_on: NaiveDate,
    pub received_on: Option<NaiveDate>,
    pub inspected_on: Option<NaiveDate>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sales_return_lines)]
pub struct ReturnLineRow {
    pub id: Uuid,
    pub return_id: Uuid,
    pub position: i32,
    pub line_id: Uuid,
    pub delivery_id: Uuid,
    pub product_id: Uuid,
    pub quantity: Quantity,
    pub received_quantity: Quantity,
    pub uninvoiced_quantity: Quantity,
    pub credited_quantity: Quantity,
    pub restocked_quantity: Quantity,
    pub scrapped_quantity: Quantity,
    pub held_quantity: Quantity,
    pub value: Decimal,
    pub lots: Value,
}

impl ReturnLineRow {
    pub fn to_credit(&self) -> Quantity {
        self.received_quantity
            .less(self.uninvoiced_quantity)
            .less(self.credited_quantity)
    }
}

impl SalesReturn {
    /// Puts the record together from its rows.
    ///
    /// # Errors
    /// When a row holds what it cannot hold, which is a bug.
    pub(super) fn from_rows(row: ReturnRow, lines: Vec<ReturnLineRow>, base: Currency) -> Result<Self> {
        let lines = lines.into_iter().map(|line| {
            Ok(SalesReturnLine {
                to_credit_quantity: line.to_credit(),
                id: line.id,
                position: line.position,
                line_id: line.line_id,
                delivery_id: line.delivery_id,
                product_id: line.product_id,
                quantity: line.quantity,
                received_quantity: line.received_quantity,
                uninvoiced_quantity: line.uninvoiced_quantity,
                credited_quantity: line.credited_quantity,
                restocked_quantity: line.restocked_quantity,
                scrapped_quantity: line.scrapped_quantity,
                value: Amount::money(base, line.value).unwrap_or_default(),
                lots: serde_json::from_value(line.lots)?,
            })
        });
        Ok(SalesReturn {
            lines: lines.collect::<Result<_>>()?,
            id: row.id,
            number: row.number,
            order_id: row.order_id,
            customer_id: row.customer_id,
            warehouse_id: row.warehouse_id,
            status: row.status,
            reason: row.reason,
            external_ref: row.external_ref,
            authorised_on: row.authorised_on,
            received_on: row.received_on,
            inspected_on: row.inspected_on,
            allowed_actions: row.status.allowed_actions().to_vec(),
            version: row.version,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl Resource for SalesReturn {
    const PATH: &'static str = "sales-returns";
    const TYPE: &'static str = "sales_return";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for SalesReturn {
    const EVENT: &'static str = "return.changed";
    fn version(&self) -> i64 {
        self.version
    }
}
