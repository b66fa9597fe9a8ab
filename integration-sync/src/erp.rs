//! What the ERP is sent: its side of the contract, as types.
//!
//! Parts of a record travel as the text that they came in ([`RawValue`]): nothing is parsed that
//! is not looked at.

use crate::crm::Source;
use crate::flows::Request;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// The CRM's part of a customer, read from the CRM's record and sent as it is.
#[derive(Debug, Serialize, Deserialize)]
pub struct Customer<'a> {
    #[serde(borrow)]
    pub name: &'a RawValue,
    #[serde(borrow)]
    pub kind: &'a RawValue,
    #[serde(borrow)]
    pub status: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub grade_effective_from: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub external_ref: Option<&'a RawValue>,
    /// The customer that it turned out to be.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub legal_entities: Vec<LegalEntity<'a>>,
    #[serde(borrow, default)]
    pub contacts: Vec<Contact<'a>>,
    #[serde(borrow, default)]
    pub addresses: Vec<Address<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct LegalEntity<'a> {
    #[serde(borrow)]
    pub id: &'a RawValue,
    #[serde(borrow)]
    pub name: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub registration_number: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub is_default: Option<&'a RawValue>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Contact<'a> {
    #[serde(borrow)]
    pub id: &'a RawValue,
    #[serde(borrow)]
    pub name: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub role: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<&'a RawValue>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Address<'a> {
    #[serde(borrow)]
    pub id: &'a RawValue,
    #[serde(borrow)]
    pub kind: &'a RawValue,
    #[serde(borrow)]
    pub street: &'a RawValue,
    #[serde(borrow)]
    pub city: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub region: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<&'a RawValue>,
    #[serde(borrow)]
    pub country: &'a RawValue,
}

/// The customer's part of a submitted order, read from the CRM's record.
#[derive(Debug, Serialize, Deserialize)]
pub struct SubmittedOrder<'a> {
    #[serde(borrow)]
    pub customer_id: &'a RawValue,
    #[serde(borrow)]
    pub currency: &'a RawValue,
    #[serde(borrow)]
    pub order_date: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub requested_date: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub external_ref: Option<&'a RawValue>,
    /// The quote that was accepted with it.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub quote_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub lines: Vec<SubmittedLine<'a>>,
    /// All that were ever made: the ERP answers each once.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub change_requests: Vec<ChangeRequest<'a>>,
}

/// The customer wants a submitted order changed. The answer, which the CRM's record has as well, does
/// not travel back.
#[derive(Debug, Serialize, Deserialize)]
pub struct ChangeRequest<'a> {
    #[serde(borrow)]
    pub id: &'a RawValue,
    #[serde(borrow)]
    pub requested_at: &'a RawValue,
    #[serde(borrow)]
    pub kind: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub requested_date: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a RawValue>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct SubmittedLine<'a> {
    #[serde(borrow)]
    pub id: &'a RawValue,
    #[serde(borrow)]
    pub product_id: &'a RawValue,
    #[serde(borrow)]
    pub quantity: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<&'a RawValue>,
}

/// The customer wants out of a submitted order.
#[derive(Debug, Serialize)]
pub struct CancellationRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a RawValue>,
    pub requested_at: DateTime<Utc>,
}

/// A segment of the CRM.
#[derive(Debug, Serialize, Deserialize)]
pub struct Segment<'a> {
    #[serde(borrow)]
    pub name: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a RawValue>,
    #[serde(borrow)]
    pub kind: &'a RawValue,
    #[serde(borrow)]
    pub status: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'a RawValue>,
}

/// That a customer is in a segment of the CRM, or was.
#[derive(Debug, Serialize, Deserialize)]
pub struct SegmentMembership<'a> {
    #[serde(borrow)]
    pub segment_id: &'a RawValue,
    #[serde(borrow)]
    pub customer_id: &'a RawValue,
    #[serde(borrow)]
    pub entered_at: &'a RawValue,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<&'a RawValue>,
}

const SEGMENT_MEMBERSHIPS: &str = "/v1/segment-memberships";

/// `PUT /v1/segments/{id}`
///
/// # Errors
/// Never in practice: all parts are JSON. The same holds for the others here.
pub fn put_segment(source: Source, segment: &Segment<'_>) -> serde_json::Result<Request> {
    source.put(format!("/v1/segments/{}", source.id), segment)
}

/// One item for [`put_segment_memberships`].
///
/// # Errors
/// As [`put_segment`].
pub fn segment_membership_item(source: Source, membership: &SegmentMembership<'_>) -> serde_json::Result<Request> {
    #[derive(Serialize)]
    struct Item<'a> {
        id: Uuid,
        #[serde(flatten)]
        membership: &'a SegmentMembership<'a>,
        source_version: i64,
        as_of: DateTime<Utc>,
    }
    let item = Item {
        id: source.id,
        membership,
        source_version: source.version,
        as_of: source.as_of,
    };
    Request::new(SEGMENT_MEMBERSHIPS.to_owned(), &item)
}

/// `PUT /v1/segment-memberships` with many items at once.
pub fn put_segment_memberships(items: &[&str], replace: bool) -> Request {
    Request::of_items(SEGMENT_MEMBERSHIPS, items, replace)
}

/// `PUT /v1/customers/{id}`
///
/// # Errors
/// Never in practice: all parts are JSON.
pub fn put_customer(
    id: Uuid,
    source_version: i64,
    replace: bool,
    as_of: DateTime<Utc>,
    customer: &Customer<'_>,
) -> serde_json::Result<Request> {
    #[derive(Serialize)]
    struct Body<'a> {
        source_version: i64,
        #[serde(skip_serializing_if = "is_false")]
        replace: bool,
        as_of: DateTime<Utc>,
        #[serde(flatten)]
        customer: &'a Customer<'a>,
    }
    Request::new(
        format!("/v1/customers/{id}"),
        &Body {
            source_version,
            replace,
            as_of,
            customer,
        },
    )
}

/// `PUT /v1/sales-orders/{id}`
///
/// # Errors
/// Never in practice: all parts are JSON.
pub fn put_sales_order(
    id: Uuid,
    source_version: i64,
    replace: bool,
    order: &SubmittedOrder<'_>,
    cancellation_request: Option<CancellationRequest<'_>>,
) -> serde_json::Result<Request> {
    #[derive(Serialize)]
    struct Body<'a> {
        source_version: i64,
        #[serde(skip_serializing_if = "is_false")]
        replace: bool,
        #[serde(flatten)]
        order: &'a SubmittedOrder<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cancellation_request: Option<CancellationRequest<'a>>,
    }
    let body = Body {
        source_version,
        replace,
        order,
        cancellation_request,
    };
    Request::new(format!("/v1/sales-orders/{id}"), &body)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}
