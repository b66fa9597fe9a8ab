//! A quote with what there is of its products, as the ERP last told it: no call leaves the CRM.

use super::model::Quote;
use super::queries;
use crate::catalogue::{self, ProductKind, covered_on};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use diesel::PgConnection;
use serde::Serialize;
use service_kit::http::same_revision;
use service_kit::{Quantity, Resource, Result, Sight};
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// What there is for a line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QuoteLineAvailability {
    pub line_id: Uuid,
    pub product_id: Uuid,
    pub quantity: Quantity,
    /// Available of the product over all warehouses, less what earlier lines of the quote take.
    pub available: Quantity,
    /// Of the quantity, what could be delivered from stock.
    pub from_stock: Quantity,
    /// The rest.
    pub short: Quantity,
    /// The first day on which all of it can be there: today when stock suffices, and for services; else when
    /// stock and what the ERP expects by then and has not promised to others suffice, after what earlier lines
    /// take. Goods that are late may come today. Null when nobody expects enough.
    pub expected_on: Option<NaiveDate>,
    /// When the ERP said so; null when it has told nothing of the product yet, and for services.
    pub as_of: Option<DateTime<Utc>>,
}

/// A quote, and what there is for its lines.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ShownQuote {
    #[serde(flatten)]
    pub quote: Quote,
    /// One for each line.
    pub availability: Vec<QuoteLineAvailability>,
    /// Changes of stock and day, which change what is shown.
    #[serde(skip)]
    pub shown: (i64, i32),
}

impl Resource for ShownQuote {
    const PATH: &'static str = Quote::PATH;
    const TYPE: &'static str = Quote::TYPE;
    fn id(&self) -> Uuid {
        self.quote.id
    }
    fn revision(&self) -> i64 {
        self.quote.revision
    }
    fn etag(&self) -> String {
        let (stock, day) = self.shown;
        format!("\"{}.{stock}.{day}\"", self.quote.revision)
    }
    fn matches(&self, tag: &str) -> bool {
        same_revision(tag, self.quote.revision)
    }
}

/// A quote in sight, with what there is for its lines today.
///
/// # Errors
/// 404 when there is none, or none in sight.
pub fn get(conn: &mut PgConnection, sight: &Sight, today: NaiveDate, id: Uuid) -> Result<ShownQuote> {
    let quote = queries::get(conn, sight, today, id)?.wire()?;
    with_availability(conn, quote, today)
}

/// # Errors
/// When the database refuses.
pub fn with_availability(conn: &mut PgConnection, quote: Quote, today: NaiveDate) -> Result<ShownQuote> {
    let lines = quote.lines.iter().map(|line| (line.id, line.product_id, line.quantity));
    let (availability, changes) = of_lines(conn, lines.collect(), today)?;
    Ok(ShownQuote {
        quote,
        availability,
        shown: (changes, today.num_days_from_ce()),
    })
}

/// What there is for lines, each taking its part before the next, and how often that changed.
///
/// # Errors
/// When the database refuses.
pub fn of_lines(
    conn: &mut PgConnection,
    lines: Vec<(Uuid, Uuid, Quantity)>,
    today: NaiveDate,
) -> Result<(Vec<QuoteLineAvailability>, i64)> {
    let ids: Vec<Uuid> = lines.iter().map(|(_, product, _)| *product).collect();
    let products = catalogue::described(conn, &ids)?;
    let stock = catalogue::stock(conn, &ids)?;
    let changes = stock.values().map(|(_, revisions)| *revisions).sum();
    let mut taken: HashMap<Uuid, Quantity> = HashMap::new();
    let of_line = |(line_id, product_id, quantity): (Uuid, Uuid, Quantity)| {
        let service = products
            .get(&product_id)
            .is_some_and(|product| product.kind == ProductKind::Service);
        let level = stock.get(&product_id).map(|(level, _)| level);
        let there = level.map(|level| level.available).unwrap_or_default();
        let taken = taken.entry(product_id).or_default();
        let available = match service {
            true => quantity,
            false => there.less(*taken),
        };
        let from_stock = available.min(quantity);
        let short = quantity.less(from_stock);
        // Earlier lines take of stock and of what comes.
        *taken = *taken + quantity;
        let incoming = level.map(|level| &*level.incoming).unwrap_or_default();
        let expected_on = match service {
            true => Some(today),
            false => covered_on(there, incoming, *taken, today),
        };
        QuoteLineAvailability {
            line_id,
            product_id,
            quantity,
            available,
            from_stock,
            short,
            expected_on,
            as_of: level.and_then(|level| level.as_of),
        }
    };
    Ok((lines.into_iter().map(of_line).collect(), changes))
}
