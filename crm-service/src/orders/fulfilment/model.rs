use crate::orders::model::{ChangeRequest, OrderRejection, ShippingAddress};
use crate::orders::status::{CancellationState, OrderOrigin, OrderProgress, SalesOrderStatus};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use service_kit::{Amount, Currency, Discount, Quantity, Total, UnitPrice};
use utoipa::ToSchema;
use uuid::Uuid;

/// A report of the ERP about an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FulfilmentIn {
    /// The ERP's version of its sales order.
    #[schema(minimum = 0)]
    pub source_version: i64,
    /// Replace whatever is stored, for a resync.
    #[serde(default)]
    pub replace: bool,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    pub order: ReportedOrder,
}

/// The ERP's sales order. What is not listed here is ignored: the ERP may say more.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ReportedOrder {
    pub id: Uuid,
    #[schema(max_length = 60)]
    pub number: Option<String>,
    pub origin: OrderOrigin,
    pub status: SalesOrderStatus,
    pub delivery: Option<OrderProgress>,
    pub invoicing: Option<OrderProgress>,
    pub payment: Option<OrderProgress>,
    pub customer_id: Uuid,
    pub currency: Currency,
    pub order_date: NaiveDate,
    pub requested_date: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
    /// With the charges; the tax is an estimate.
    pub total: Option<Total>,
    /// Gross that is still to be invoiced.
    pub uninvoiced: Option<Amount>,
    #[schema(max_items = 100)]
    pub holds: Option<Vec<OrderHold>>,
    #[schema(min_items = 1, max_items = 1000)]
    pub lines: Vec<ReportedLine>,
    #[schema(max_items = 2000)]
    pub rejection: Option<Vec<OrderRejection>>,
    pub cancellation: Option<ReportedCancellation>,
    #[schema(max_items = 1000)]
    pub change_requests: Option<Vec<ChangeRequest>>,
    pub shipping_address: Option<ShippingAddress>,
    #[schema(max_items = 5000)]
    pub deliveries: Option<Vec<OrderDelivery>>,
    /// The version of our order that the ERP had applied when it said so.
    #[schema(minimum = 0)]
    pub source_version: Option<i64>,
}

/// A line of the ERP's sales order.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct ReportedLine {
    pub id: Uuid,
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// Null when the ERP could not price it.
    pub unit_price: Option<UnitPrice>,
    /// Whether the price is another than the list price of that day.
    #[serde(default)]
    pub price_differs: bool,
    #[serde(default)]
    pub discount: Discount,
    pub line_total: Option<Amount>,
    #[serde(default)]
    pub reserved_quantity: Quantity,
    #[serde(default)]
    pub backordered_quantity: Quantity,
    #[serde(default)]
    pub delivered_quantity: Quantity,
    #[serde(default)]
    pub invoiced_quantity: Quantity,
    /// What came back of what was delivered.
    #[serde(default)]
    pub returned_quantity: Quantity,
}

/// The ERP's answer to a request for cancellation.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ReportedCancellation {
    pub state: CancellationState,
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

/// What the ERP reports about an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Fulfilment {
    /// The ERP's order number; null while it has none.
    pub number: Option<String>,
    /// In the ERP's own words.
    pub status: SalesOrderStatus,
    /// How far it is delivered; `null` here and below when the ERP has not said so.
    #[serde(default)]
    pub delivery: Option<OrderProgress>,
    #[serde(default)]
    pub invoicing: Option<OrderProgress>,
    #[serde(default)]
    pub payment: Option<OrderProgress>,
    /// As the ERP has it: with charges, and with the tax that it estimates.
    #[serde(default)]
    pub total: Option<Total>,
    /// Gross that is still to be invoiced.
    #[serde(default)]
    pub uninvoiced: Option<Amount>,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    /// The ERP's version of its sales order.
    pub source_version: i64,
    /// Why it waits.
    pub holds: Vec<OrderHold>,
    /// As the ERP has it now; a change that was granted shows here.
    #[serde(default)]
    pub requested_date: Option<NaiveDate>,
    #[serde(default)]
    pub shipping_address: Option<ShippingAddress>,
    /// The lines of the order by their ids.
    pub lines: Vec<LineFulfilment>,
    pub deliveries: Vec<OrderDelivery>,
}

/// What became of a line so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LineFulfilment {
    pub id: Uuid,
    /// As the ERP has it now; a change that was granted shows here.
    #[serde(default)]
    pub product_id: Option<Uuid>,
    #[serde(default)]
    pub quantity: Option<Quantity>,
    pub reserved_quantity: Quantity,
    pub backordered_quantity: Quantity,
    pub delivered_quantity: Quantity,
    #[serde(default)]
    pub invoiced_quantity: Quantity,
    /// What came back of what was delivered.
    #[serde(default)]
    pub returned_quantity: Quantity,
}

/// A reason why an order waits in the ERP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderHold {
    #[schema(max_length = 100)]
    pub code: String,
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
    pub placed_at: Option<DateTime<Utc>>,
}

/// A delivery that the ERP has posted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderDelivery {
    pub id: Uuid,
    #[schema(max_length = 60)]
    pub number: Option<String>,
    pub date: NaiveDate,
    #[schema(max_items = 1000)]
    pub lines: Vec<OrderDeliveryLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderDeliveryLine {
    pub line_id: Uuid,
    pub product_id: Uuid,
    pub quantity: Quantity,
}

impl Fulfilment {
    /// The report with the digits of the order's currency.
    pub fn shown(mut self, currency: Currency) -> Self {
        let money = |amount: Amount| Amount::money(currency, amount.value()).unwrap_or(amount);
        self.total = self.total.map(|total| Total {
            net: money(total.net),
            tax: money(total.tax),
            gross: money(total.gross),
        });
        self.uninvoiced = self.uninvoiced.map(money);
        self
    }
}

impl FulfilmentIn {
    /// The part that is kept as it was reported.
    pub fn report(&self) -> Fulfilment {
        let order = &self.order;
        Fulfilment {
            number: order.number.clone(),
            status: order.status,
            delivery: order.delivery,
            invoicing: order.invoicing,
            payment: order.payment,
            total: order.total,
            uninvoiced: order.uninvoiced,
            as_of: self.as_of,
            source_version: self.source_version,
            holds: order.holds.clone().unwrap_or_default(),
            requested_date: order.requested_date,
            shipping_address: order.shipping_address.clone(),
            lines: order
                .lines
                .iter()
                .map(|line| LineFulfilment {
                    id: line.id,
                    product_id: Some(line.product_id),
                    quantity: Some(line.quantity),
                    reserved_quantity: line.reserved_quantity,
                    backordered_quantity: line.backordered_quantity,
                    delivered_quantity: line.delivered_quantity,
                    invoiced_quantity: line.invoiced_quantity,
                    returned_quantity: line.returned_quantity,
                })
                .collect(),
            deliveries: order.deliveries.clone().unwrap_or_default(),
        }
    }
}
