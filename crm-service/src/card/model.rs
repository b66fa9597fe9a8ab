//! What a card shows.

use crate::activities::Activity;
use crate::customers::addresses::Address;
use crate::customers::contacts::Contact;
use crate::customers::credit::CustomerCredit;
use crate::customers::legal_entities::LegalEntity;
use crate::customers::model::CustomerCore;
use crate::orders::status::{OrderOrigin, OrderStatus};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use service_kit::decimal::Fraction;
use service_kit::{Amount, Currency};
use utoipa::ToSchema;
use uuid::Uuid;

/// A customer at a glance.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerCard {
    #[serde(flatten)]
    pub core: CustomerCore,
    pub contacts: Vec<Contact>,
    pub addresses: Vec<Address>,
    /// The default one of today.
    #[schema(required = true)]
    pub legal_entity: Option<LegalEntity>,
    /// Balance, overdue days, limit and holds as the ERP told them, of `as_of`.
    #[schema(required = true)]
    pub credit: Option<CustomerCredit>,
    /// Segments that it is in.
    #[schema(required = true)]
    pub segments: Option<Vec<CardSegment>>,
    #[schema(required = true)]
    pub open_deals: Option<CardDeals>,
    #[schema(required = true)]
    pub open_orders: Option<CardOrders>,
    /// The ten that were made last, whatever their status.
    #[schema(required = true)]
    pub recent_orders: Option<Vec<CardOrder>>,
    #[schema(required = true)]
    pub unpaid_invoices: Option<CardInvoices>,
    /// What is to be done next.
    #[schema(required = true)]
    pub next_activity: Option<Activity>,
    /// What was done last.
    #[schema(required = true)]
    pub last_activity: Option<Activity>,
    /// When this was read.
    pub read_at: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CardSegment {
    pub id: Uuid,
    pub name: String,
}

/// The open deals: how many, and the first 20 by expected date.
#[derive(Debug, Serialize, ToSchema)]
pub struct CardDeals {
    pub count: i64,
    pub first: Vec<CardDeal>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CardDeal {
    pub id: Uuid,
    pub name: String,
    pub pipeline_id: Uuid,
    /// Key of the stage.
    pub stage: String,
    pub currency: Currency,
    /// `null`: nobody knows yet.
    pub amount: Option<Amount>,
    pub probability: Fraction,
    pub weighted_amount: Option<Amount>,
    pub expected_close_on: Option<NaiveDate>,
    pub next_step: Option<String>,
    pub next_step_on: Option<NaiveDate>,
    pub owner_id: Option<Uuid>,
}

/// Orders that are not delivered in full yet, drafts included: how many, and the first 20 by date.
#[derive(Debug, Serialize, ToSchema)]
pub struct CardOrders {
    pub count: i64,
    pub first: Vec<CardOrder>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CardOrder {
    pub id: Uuid,
    pub number: Option<String>,
    pub origin: OrderOrigin,
    pub status: OrderStatus,
    pub order_date: NaiveDate,
    pub requested_date: Option<NaiveDate>,
    pub currency: Currency,
    /// Over the lines that have a price.
    pub net: Amount,
    pub owner_id: Option<Uuid>,
}

/// Invoices that are not paid in full: how many, and the first 20 by due date.
#[derive(Debug, Serialize, ToSchema)]
pub struct CardInvoices {
    pub count: i64,
    pub first: Vec<CardInvoice>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CardInvoice {
    pub id: Uuid,
    pub number: Option<String>,
    pub date: NaiveDate,
    pub due_on: Option<NaiveDate>,
    pub currency: Currency,
    /// Gross, less advances.
    pub payable: Amount,
    pub open_amount: Amount,
    /// How long it is overdue today; 0 when it is not.
    pub overdue_days: i64,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
}
