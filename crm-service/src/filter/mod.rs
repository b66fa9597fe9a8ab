//! The filter language: conditions on records as text, for lists (`?filter=`), saved views and the rules of segments.
//!
//! ```text
//! grade in ("A", "B") and orders.sum(EUR, 365 days) >= 10000
//!     and (tags has "trade fair" or custom.region = "emea") and not email is empty
//! ```
//!
//! | what | how |
//! |---|---|
//! | joined by | `and`, `or`, `not`, parentheses; `and` binds closer than `or` |
//! | compared | `=` `!=` `<` `<=` `>` `>=`; `in (…)`, `not in (…)` |
//! | text within, whatever its case | `name contains "café"` |
//! | one of several values | `tags has "vip"` |
//! | nothing there | `email is empty`, `email is not empty` |
//! | texts | `"…"` or `'…'`, with `\` before a quote or a backslash that belongs to it |
//! | numbers, days, truth | `12.5`, `2026-01-31`, `today`, `today - 90 days` or `today-90d`, `true`, `false` |
//! | custom fields | `custom.<key>` |
//! | figures | `orders.count`, `orders.count(90 days)`, `orders.sum(EUR)`, `orders.sum(EUR, 365 days)`, `orders.revenue(365 days)`, `activities.count(30 days)` |
//!
//! What is empty is matched by `is empty` and by nothing else: neither `grade = "A"` nor `grade != "A"` nor
//! `not grade = "A"` finds a customer without a grade. So `not` is carried down to the conditions and turned there,
//! and SQL's third truth value never has to be negated.
//!
//! A text becomes tokens ([`lexer`]), a tree with every fault at its position ([`parser`]), is checked
//! against the fields of a kind of record ([`catalogue`]), and becomes a piece of SQL whose values are bound
//! parameters, all of them ([`compile`], [`fragment`]). Figures count the orders, activities and deals that whoever asks
//! may see.

pub mod catalogue;
pub mod compile;
pub mod fragment;
mod leads;
pub mod lexer;
pub mod parser;
mod sort;

pub use catalogue::{CUSTOMERS, Catalogue};
pub use compile::{Filter, Part, Scope, in_sight};
pub use fragment::{Fragment, Statement};
pub use leads::{LEADS, SCORED_LEADS};
pub use sort::CustomOrder;

use serde::Serialize;
use service_kit::problem::Fault;
use service_kit::{Problem, Result};
use utoipa::ToSchema;

/// Longest text of a filter.
pub const LONGEST: usize = 4_000;

/// What is wrong with a filter, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FilterFault {
    /// Of the first character at fault; the first of all is 1.
    pub position: usize,
    /// In characters.
    pub length: usize,
    pub code: &'static str,
    pub message: String,
}

impl FilterFault {
    fn new(span: Span, code: &'static str, message: impl Into<String>) -> Self {
        FilterFault {
            position: span.from + 1,
            length: (span.to - span.from).max(1),
            code,
            message: message.into(),
        }
    }
}

/// Where something stands in the text, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: usize,
    pub to: usize,
}

impl Span {
    fn with(self, end: Span) -> Span {
        Span {
            from: self.from,
            to: end.to,
        }
    }
}

/// Refuses a filter: 400 for a parameter, 422 for a field of a body, with every fault and its position.
pub fn refused(faults: Vec<FilterFault>, pointer: &str) -> Problem {
    let detail = match &faults[..] {
        [one] => format!("at character {}: {}", one.position, one.message),
        many => format!("{} faults in the filter", many.len()),
    };
    let mut problem = match pointer.starts_with('/') {
        true => Problem::rule("invalid_filter", detail),
        false => Problem::bad_request("invalid_filter", detail),
    };
    problem.errors = faults
        .iter()
        .map(|fault| Fault {
            pointer: pointer.to_owned(),
            code: fault.code.to_owned(),
            message: format!("at character {}: {}", fault.position, fault.message),
        })
        .collect();
    problem.fact("positions", serde_json::to_value(faults).unwrap_or_default())
}

/// A filter as it stands in a query, 1 to 4,000 characters.
#[derive(Debug, Clone)]
pub struct FilterText(String);

impl FilterText {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> serde::Deserialize<'de> for FilterText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.is_empty() || text.contains('\0') || text.chars().count() > LONGEST {
            true => Err(serde::de::Error::custom(format!("expected 1 to {LONGEST} characters"))),
            false => Ok(FilterText(text)),
        }
    }
}

impl utoipa::PartialSchema for FilterText {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .min_length(Some(1))
            .max_length(Some(LONGEST))
            .examples([r#"grade in ("A", "B") and orders.count(90 days) > 0"#])
            .into()
    }
}

impl ToSchema for FilterText {}
