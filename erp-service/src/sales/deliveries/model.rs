use crate::inventory::lots::LotQuantity;
use crate::sales::orders::SalesOrder;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use service_kit::tx::Emitted;
use service_kit::{Amount, Quantity, Resource};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryIn {
    pub id: Option<Uuid>,
    /// Day of shipment; default today, not in the future.
    pub date: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
    /// What to ship; absent: all that is reserved.
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Option<Vec<DeliveryLineIn>>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryLineIn {
    /// Line of the sales order.
    pub line_id: Uuid,
    /// At most what the line has reserved.
    pub quantity: Quantity,
    /// Lots and locations to take it from; what is not named leaves first expired, first out.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub lots: Vec<LotQuantity>,
}

/// A posted delivery.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct Delivery {
    pub id: Uuid,
    pub number: Option<String>,
    /// The sales order.
    pub order_id: Uuid,
    pub order_number: Option<String>,
    pub customer_id: Uuid,
    /// Absent when only services were delivered and there was no warehouse.
    pub warehouse_id: Option<Uuid>,
    pub date: NaiveDate,
    pub external_ref: Option<String>,
    pub lines: Vec<DeliveryLine>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct DeliveryLine {
    pub line_id: Uuid,
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// What it was worth when it left, in the base currency.
    pub value: Amount,
    /// The lots and locations that it left.
    pub lots: Vec<DeliveredLot>,
}

/// What left one lot or location.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct DeliveredLot {
    pub lot_id: Option<Uuid>,
    pub location_id: Option<Uuid>,
    pub quantity: Quantity,
}

/// A new delivery beside its order as it stands now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, PartialEq)]
pub struct PostedDelivery {
    #[serde(flatten)]
    pub delivery: Delivery,
    /// The order after the delivery.
    pub order: SalesOrder,
}

impl Resource for Delivery {
    const PATH: &'static str = "deliveries";
    const TYPE: &'static str = "delivery";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Delivery {
    const EVENT: &'static str = "delivery.posted";
    fn version(&self) -> i64 {
        self.revision
    }
}

impl Resource for PostedDelivery {
    const PATH: &'static str = Delivery::PATH;
    const TYPE: &'static str = Delivery::TYPE;
    fn id(&self) -> Uuid {
        self.delivery.id
    }
    fn revision(&self) -> i64 {
        self.delivery.revision
    }
}
