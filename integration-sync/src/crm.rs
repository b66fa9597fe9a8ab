//! What the CRM is sent: its side of the contract, as types.

use crate::erp::is_false;
use crate::flows::Request;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// What stands beside every replica.
#[derive(Debug, Serialize)]
struct Stamp {
    source_version: i64,
    #[serde(skip_serializing_if = "is_false")]
    replace: bool,
    as_of: DateTime<Utc>,
}

/// Where a replica comes from: whose record, which version, from when.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    pub id: Uuid,
    pub version: i64,
    pub replace: bool,
    pub as_of: DateTime<Utc>,
}

impl Source {
    pub(crate) fn put(&self, path: String, part: &impl Serialize) -> serde_json::Result<Request> {
        #[derive(Serialize)]
        struct Body<'a, P> {
            #[serde(flatten)]
            stamp: Stamp,
            #[serde(flatten)]
            part: &'a P,
        }
        let stamp = Stamp {
            source_version: self.version,
            replace: self.replace,
            as_of: self.as_of,
        };
        Request::new(path, &Body { stamp, part })
    }
}

/// What of the ERP's company the CRM keeps.
#[derive(Debug, Serialize, Deserialize)]
pub struct Company<'a> {
    #[serde(borrow)]
    pub name: &'a RawValue,
    #[serde(borrow)]
    pub base_currency: &'a RawValue,
    #[serde(borrow)]
    pub reference_currency: &'a RawValue,
}

/// An exchange rate of the ERP.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExchangeRate<'a> {
    #[serde(borrow)]
    pub date: &'a RawValue,
    #[serde(borrow)]
    pub reference: &'a RawValue,
    #[serde(borrow)]
    pub currency: &'a RawValue,
    #[serde(borrow)]
    pub rate: &'a RawValue,
}

/// A category of the ERP.
#[derive(Debug, Serialize, Deserialize)]
pub struct Category<'a> {
    #[serde(borrow)]
    pub name: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub external_ref: Option<&'a RawValue>,
}

/// A product of the ERP.
#[derive(Debug, Serialize, Deserialize)]
pub struct Product<'a> {
    #[serde(borrow)]
    pub sku: &'a RawValue,
    #[serde(borrow)]
    pub name: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a RawValue>,
    #[serde(borrow)]
    pub kind: &'a RawValue,
    #[serde(borrow)]
    pub unit: &'a RawValue,
    #[serde(borrow)]
    pub status: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub category_id: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub category_name: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub external_ref: Option<&'a RawValue>,
}

/// A price of the ERP.
#[derive(Debug, Serialize, Deserialize)]
pub struct Price<'a> {
    #[serde(borrow)]
    pub product_id: &'a RawValue,
    #[serde(borrow)]
    pub price_list_id: &'a RawValue,
    #[serde(borrow)]
    pub price_list_name: &'a RawValue,
    #[serde(borrow)]
    pub currency: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub unit_price: &'a RawValue,
    #[serde(borrow)]
    pub minimum_quantity: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<&'a RawValue>,
}

/// The ERP's part of a customer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Credit<'a> {
    /// What is in force, whoever set it.
    #[serde(
        borrow,
        default,
        rename(deserialize = "effective_tier"),
        skip_serializing_if = "Option::is_none"
    )]
    pub tier: Option<&'a RawValue>,
    /// Each from its day on.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tiers: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub credit_limit: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub credit_currency: Option<&'a RawValue>,
    #[serde(borrow)]
    pub credit_hold: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub credit_hold_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    pub blocked: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub blocked_reason: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub exposure: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub exposure_parts: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub open_balance: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub overdue_days: Option<&'a RawValue>,
}

/// A payment of the ERP by or to a customer, which is the party there.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payment<'a> {
    #[serde(borrow)]
    pub id: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub number: Option<&'a RawValue>,
    #[serde(borrow)]
    pub status: &'a RawValue,
    #[serde(borrow)]
    pub direction: &'a RawValue,
    #[serde(borrow, rename(deserialize = "party_id"))]
    pub customer_id: &'a RawValue,
    #[serde(borrow)]
    pub currency: &'a RawValue,
    #[serde(borrow)]
    pub amount: &'a RawValue,
    #[serde(borrow)]
    pub unallocated: &'a RawValue,
    #[serde(borrow)]
    pub date: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<&'a RawValue>,
    #[serde(borrow)]
    pub method: &'a RawValue,
    #[serde(borrow)]
    pub allocations: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub external_ref: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reversed_on: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reversal_reason: Option<&'a RawValue>,
}

/// A stock level of the ERP.
#[derive(Debug, Deserialize)]
pub struct Level<'a> {
    #[serde(borrow)]
    pub product_id: &'a RawValue,
    #[serde(borrow)]
    pub warehouse_id: &'a RawValue,
    #[serde(borrow)]
    pub on_hand: &'a RawValue,
    #[serde(borrow)]
    pub reserved: &'a RawValue,
    /// Absent in what was announced before there was any.
    #[serde(borrow, default)]
    pub incoming: Option<&'a RawValue>,
}

const AVAILABILITY: &str = "/v1/availability";

/// `PUT /v1/categories/{id}`
///
/// # Errors
/// Never in practice: all parts are JSON. The same holds for the others here.
pub fn put_category(source: Source, category: &Category<'_>) -> serde_json::Result<Request> {
    source.put(format!("/v1/categories/{}", source.id), category)
}

/// `PUT /v1/companies/{id}`
///
/// # Errors
/// As [`put_category`].
pub fn put_company(source: Source, company: &Company<'_>) -> serde_json::Result<Request> {
    source.put(format!("/v1/companies/{}", source.id), company)
}

/// `PUT /v1/exchange-rates/{id}`
///
/// # Errors
/// As [`put_category`].
pub fn put_exchange_rate(source: Source, rate: &ExchangeRate<'_>) -> serde_json::Result<Request> {
    source.put(format!("/v1/exchange-rates/{}", source.id), rate)
}

/// `PUT /v1/products/{id}`
///
/// # Errors
/// As [`put_category`].
pub fn put_product(source: Source, product: &Product<'_>) -> serde_json::Result<Request> {
    source.put(format!("/v1/products/{}", source.id), product)
}

/// `PUT /v1/prices/{id}`
///
/// # Errors
/// As [`put_category`].
pub fn put_price(source: Source, price: &Price<'_>) -> serde_json::Result<Request> {
    source.put(format!("/v1/prices/{}", source.id), price)
}

/// `PUT /v1/customers/{id}/credit`
///
/// # Errors
/// As [`put_category`].
pub fn put_credit(source: Source, credit: &Credit<'_>) -> serde_json::Result<Request> {
    source.put(format!("/v1/customers/{}/credit", source.id), credit)
}

/// `PUT /v1/orders/{id}/fulfilment`, with the whole sales order of the ERP.
///
/// # Errors
/// As [`put_category`].
pub fn put_fulfilment(source: Source, order: &RawValue) -> serde_json::Result<Request> {
    #[derive(Serialize)]
    struct Part<'a> {
        order: &'a RawValue,
    }
    source.put(format!("/v1/orders/{}/fulfilment", source.id), &Part { order })
}

/// `PUT /v1/invoices/{id}`, with the whole invoice or credit note of the ERP.
///
/// # Errors
/// As [`put_category`].
pub fn put_invoice(source: Source, invoice: &RawValue) -> serde_json::Result<Request> {
    #[derive(Serialize)]
    struct Part<'a> {
        invoice: &'a RawValue,
    }
    source.put(format!("/v1/invoices/{}", source.id), &Part { invoice })
}

/// `PUT /v1/payments/{id}`
///
/// # Errors
/// As [`put_category`].
pub fn put_payment(source: Source, payment: &Payment<'_>) -> serde_json::Result<Request> {
    #[derive(Serialize)]
    struct Part<'a> {
        payment: &'a Payment<'a>,
    }
    source.put(format!("/v1/payments/{}", source.id), &Part { payment })
}

/// One item for [`put_availability`].
///
/// # Errors
/// As [`put_category`].
pub fn availability_item(source: Source, level: &Level<'_>) -> serde_json::Result<Request> {
    #[derive(Serialize)]
    struct Item<'a> {
        id: Uuid,
        product_id: &'a RawValue,
        warehouse_id: &'a RawValue,
        on_hand: &'a RawValue,
        reserved: &'a RawValue,
        #[serde(skip_serializing_if = "Option::is_none")]
        incoming: Option<&'a RawValue>,
        source_version: i64,
        as_of: DateTime<Utc>,
    }
    let item = Item {
        id: source.id,
        product_id: level.product_id,
        warehouse_id: level.warehouse_id,
        on_hand: level.on_hand,
        reserved: level.reserved,
        incoming: level.incoming,
        source_version: source.version,
        as_of: source.as_of,
    };
    Request::new(AVAILABILITY.to_owned(), &item)
}

/// `PUT /v1/availability` with many items at once.
pub fn put_availability(items: &[&str], replace: bool) -> Request {
    Request::of_items(AVAILABILITY, items, replace)
}
