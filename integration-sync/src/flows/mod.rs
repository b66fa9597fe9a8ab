//! The flows: what goes from where to where.
//!
//! A flow is a pure function from a change to the request that applies it, with the lists that
//! its records can be read from. Everything else (feeds, order, retries, leases) is the same for
//! all of them and stands in [`crate::runner`].
//!
//! A change always holds the whole record, so a flow needs nothing but the newest change of each.

mod availability_to_crm;
mod catalogue_to_crm;
mod credit_to_crm;
mod currencies_to_crm;
mod customers_to_erp;
mod documents_to_crm;
mod fulfilment_to_crm;
mod orders_to_erp;
mod segment_members_to_erp;
mod segments_to_erp;

use crate::crm::Source;
use crate::http::{Event, System};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;
use uuid::Uuid;

/// All flows. Those into the ERP come first; their resync goes first as well.
pub static FLOWS: [&Flow; 10] = [
    &customers_to_erp::FLOW,
    &segments_to_erp::FLOW,
    &segment_members_to_erp::FLOW,
    &orders_to_erp::FLOW,
    &currencies_to_crm::FLOW,
    &catalogue_to_crm::FLOW,
    &availability_to_crm::FLOW,
    &fulfilment_to_crm::FLOW,
    &credit_to_crm::FLOW,
    &documents_to_crm::FLOW,
];

/// One direction of travel.
#[derive(Debug)]
pub struct Flow {
    pub name: &'static str,
    pub source: System,
    pub target: System,
    /// The kinds of record that travel; at a resync in this order.
    pub records: &'static [Record],
    /// The request that applies a change; `None` when it does not concern the target.
    pub request: fn(&Change) -> serde_json::Result<Option<Request>>,
    /// When the target takes many changes in one request.
    pub bulk: Option<Bulk>,
}

/// A kind of record, as its owner shows it.
#[derive(Debug)]
pub struct Record {
    /// As it is called in `missing` of a `reference_missing` problem.
    pub kind: &'static str,
    pub events: &'static [&'static str],
    /// The owner's list of all of them, to which `limit` and `cursor` are added.
    pub list: &'static str,
    /// Where the owner shows one by its id; absent when it does not.
    pub one: Option<&'static str>,
}

/// The newest known state of a record.
#[derive(Debug)]
pub struct Change {
    pub kind: &'static str,
    pub subject: Uuid,
    /// Version of the part that the source owns.
    pub version: i64,
    pub as_of: DateTime<Utc>,
    /// Apply regardless of version: what a resync sends.
    pub replace: bool,
    /// The whole record.
    pub data: Box<RawValue>,
}

/// A `PUT`. For a flow with [`Bulk`], `body` is one item until items are put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    pub body: String,
}

/// How many changes become one request.
#[derive(Debug)]
pub struct Bulk {
    pub most: usize,
    pub request: fn(items: &[&str], replace: bool) -> Request,
    /// The items that the answer does not call applied or unchanged, with what it says of them.
    pub refused: fn(items: &[Uuid], answer: &[u8]) -> Vec<RefusedItem>,
}

/// An item of a bulk request, and what the answer says against it.
pub type RefusedItem = (Uuid, String);

/// What an answer of the usual shape, `{items: [{id, result}]}`, says against items.
fn refused_items(target: &str, items: &[Uuid], answer: &[u8]) -> Vec<RefusedItem> {
    #[derive(Deserialize)]
    struct Answer {
        items: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        id: Uuid,
        result: String,
    }
    let answered = serde_json::from_slice::<Answer>(answer).map(|answer| answer.items);
    let results = answered.unwrap_or_default().into_iter();
    let results: HashMap<Uuid, String> = results.map(|item| (item.id, item.result)).collect();
    let refusal = |id: &Uuid| match results.get(id).map(String::as_str) {
        Some("applied" | "unchanged") => None,
        Some(other) => Some((*id, format!("the {target} answered {other:?} for this item"))),
        None => Some((*id, format!("the {target} did not answer for this item"))),
    };
    items.iter().filter_map(refusal).collect()
}

impl Flow {
    pub fn named(name: &str) -> Option<&'static Flow> {
        FLOWS.into_iter().find(|flow| flow.name == name)
    }

    /// All flows into a system.
    pub fn into(target: System) -> impl Iterator<Item = &'static Flow> {
        FLOWS.into_iter().filter(move |flow| flow.target == target)
    }

    /// The flow that brings records of a kind to a system, if they come from elsewhere.
    pub fn bringing(kind: &str, target: System) -> Option<(&'static Flow, &'static Record)> {
        Flow::into(target).find_map(|flow| Some((flow, flow.record(kind)?)))
    }

    pub fn record(&self, kind: &str) -> Option<&'static Record> {
        self.records.iter().find(|record| record.kind == kind)
    }

    pub fn event_types(&self) -> impl Iterator<Item = &'static str> {
        self.records.iter().flat_map(|record| record.events).copied()
    }

    /// What an event means for this flow; `None` when it is of a type that it does not follow.
    pub fn change(&self, event: Event) -> Option<Change> {
        let record = self
            .records
            .iter()
            .find(|record| record.events.contains(&event.r#type.as_str()))?;
        Some(Change {
            kind: record.kind,
            subject: event.subject,
            version: event.subjectversion,
            as_of: event.time,
            replace: false,
            data: event.data,
        })
    }

    /// The request as it goes out when the change travels alone.
    pub fn alone(&self, item: &Request, replace: bool) -> Request {
        match &self.bulk {
            Some(bulk) => (bulk.request)(&[&item.body], replace),
            None => item.clone(),
        }
    }
}

impl Record {
    /// The current state of a record, as its owner shows it.
    ///
    /// # Errors
    /// When it is not a record of ours.
    pub fn current(&self, data: Box<RawValue>, replace: bool) -> serde_json::Result<Change> {
        #[derive(Deserialize)]
        struct Head {
            id: Uuid,
            version: i64,
            updated_at: Option<DateTime<Utc>>,
            as_of: Option<DateTime<Utc>>,
        }
        let head: Head = serde_json::from_str(data.get())?;
        Ok(Change {
            kind: self.kind,
            subject: head.id,
            version: head.version,
            // Some owners stamp replicated parts with an `as_of` of their own: it counts last.
            as_of: head.updated_at.or(head.as_of).unwrap_or_else(Utc::now),
            replace,
            data,
        })
    }
}

impl Change {
    /// The record, or the parts of it that a flow looks at.
    ///
    /// # Errors
    /// When the record lacks a part.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> serde_json::Result<T> {
        serde_json::from_str(self.data.get())
    }

    pub fn source(&self) -> Source {
        Source {
            id: self.subject,
            version: self.version,
            replace: self.replace,
            as_of: self.as_of,
        }
    }
}

impl Request {
    /// # Errors
    /// When the body cannot be serialised, which is a bug.
    pub fn new(path: String, body: &impl Serialize) -> serde_json::Result<Self> {
        Ok(Request {
            path,
            body: serde_json::to_string(body)?,
        })
    }

    /// Many records at once, each the body of a request of its own.
    pub fn of_items(path: &str, items: &[&str], replace: bool) -> Self {
        let replace = if replace { ",\"replace\":true" } else { "" };
        Request {
            path: path.to_owned(),
            body: format!("{{\"items\":[{}]{replace}}}", items.join(",")),
        }
    }
}
