//! What a quote promises, as one text that is always the same, and its hash.
//!
//! The text is JSON without white space, fields in the order of the alphabet, decimals without
//! trailing zeros. Whose the quote is, and whose customer after a merge, is no part of it.

use super::stored::StoredQuote;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

#[derive(Serialize)]
struct Content<'a> {
    contact_id: Option<Uuid>,
    currency: &'static str,
    /// Of what was sent.
    document_sha256: Option<&'a str>,
    id: Uuid,
    introduction: Option<&'a str>,
    language: Option<&'a str>,
    lines: Vec<Line<'a>>,
    net: String,
    number: Option<&'a str>,
    requested_date: Option<NaiveDate>,
    terms: Option<&'a str>,
    title: &'a str,
    valid_until: NaiveDate,
    version_number: i32,
}

#[derive(Serialize)]
struct Line<'a> {
    discount: String,
    id: Uuid,
    line_total: Option<String>,
    list_price: Option<String>,
    name: &'a str,
    position: i32,
    product_id: Uuid,
    quantity: String,
    sku: &'a str,
    unit: &'a str,
    unit_price: Option<String>,
}

/// SHA-256 of the quote's content, and of the document that it is sent with.
pub fn hash(quote: &StoredQuote, document_sha256: Option<&str>) -> String {
    sha256(&canonical(quote, document_sha256))
}

/// The text that the hash is of.
pub fn canonical(quote: &StoredQuote, document_sha256: Option<&str>) -> String {
    let row = &quote.row;
    let lines = quote.lines.iter().map(|line| Line {
        discount: plain(line.discount.value()),
        id: line.id,
        line_total: line.line_total.map(|total| plain(total.value())),
        list_price: line.list_price.map(|price| plain(price.value())),
        name: &line.name,
        position: line.position,
        product_id: line.product_id,
        quantity: plain(line.quantity.value()),
        sku: &line.sku,
        unit: &line.unit,
        unit_price: line.unit_price.map(|price| plain(price.value())),
    });
    let content = Content {
        contact_id: row.contact_id,
        currency: row.currency.code(),
        document_sha256,
        id: row.id,
        introduction: row.introduction.as_deref(),
        language: row.language.as_deref(),
        lines: lines.collect(),
        net: plain(row.net.value()),
        // Drawn with sending: an approval does not know it yet.
        number: row.number.as_deref().filter(|_| document_sha256.is_some()),
        requested_date: row.requested_date,
        terms: row.terms.as_deref(),
        title: &row.title,
        valid_until: row.valid_until,
        version_number: row.version_number,
    };
    serde_json::to_string(&content).unwrap_or_default()
}

pub fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn plain(value: Decimal) -> String {
    value.normalize().to_string()
}
