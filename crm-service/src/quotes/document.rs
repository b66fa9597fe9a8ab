//! The document of a quote: HTML made for print, from the template of the customer's language.

use super::queries;
use super::status::QuoteState;
use super::stored::StoredQuote;
use super::templates::{self, render};
use super::{availability, templates::data};
use crate::currencies;
use crate::schema::{addresses, contacts, customers, legal_entities};
use chrono::NaiveDate;
use diesel::prelude::*;
use service_kit::schema::users;
use service_kit::{Problem, Result, Sight};
use uuid::Uuid;

/// A document, and what it was made from.
#[derive(Debug)]
pub struct Made {
    pub html: String,
    pub language: String,
    /// Template and version; none for the built-in one.
    pub template: Option<(Uuid, i32)>,
}

/// What the customer was sent; of a quote that was not, what it would be today.
///
/// # Errors
/// 404 when there is no such quote in sight.
pub fn show(conn: &mut PgConnection, sight: &Sight, today: NaiveDate, id: Uuid) -> Result<String> {
    let quote = queries::get(conn, sight, today, id)?;
    match queries::document(conn, id)? {
        Some(sent) => Ok(sent.html),
        None => Ok(make(conn, &quote, today)?.html),
    }
}

/// Makes the document of a quote as it is.
///
/// # Errors
/// 409 `template_fails` when the template cannot show it.
pub fn make(conn: &mut PgConnection, quote: &StoredQuote, today: NaiveDate) -> Result<Made> {
    let customer = customer(conn, quote, today)?;
    let language = quote.row.language.clone().or(customer.language.clone());
    let wanted = language.as_deref().unwrap_or("en");
    let template = templates::queries::published(conn, wanted)?;
    let data = data(conn, quote, customer, today)?;
    let (html, language, used) = match &template {
        Some(template) => {
            let used = (template.template_id, template.number);
            (template.html.as_str(), template.language.clone(), Some(used))
        }
        None => {
            let (language, html) = templates::built_in(wanted);
            (html, language.to_owned(), None)
        }
    };
    let html = render::document(html, &language, &data).map_err(|error| {
        let line = error.line().unwrap_or_default();
        Problem::conflict(
            "template_fails",
            format!("the template cannot show this quote: line {line}: {error}"),
        )
    })?;
    Ok(Made {
        html,
        language,
        template: used,
    })
}

fn data(conn: &mut PgConnection, quote: &StoredQuote, customer: Party, today: NaiveDate) -> Result<data::Document> {
    let row = &quote.row;
    let shown = quote.wire()?;
    let lines = quote.lines.iter().map(|line| (line.id, line.product_id, line.quantity));
    let (stock, _) = availability::of_lines(conn, lines.collect(), today)?;
    let lines = shown.lines.iter().zip(stock).map(|(line, stock)| data::Line {
        position: line.position,
        sku: line.sku.clone(),
        name: line.name.clone(),
        unit: line.unit.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        list_price: line.list_price,
        discount: line.discount,
        line_total: line.line_total,
        from_stock: stock.from_stock,
        short: stock.short,
        expected_on: stock.expected_on,
    });
    let owner: Option<(String, String)> = match row.owner_id {
        Some(owner) => users::table
            .find(owner)
            .select((users::name, users::email))
            .first(conn)
            .optional()?,
        None => None,
    };
    Ok(data::Document {
        company: data::Company {
            name: currencies::company_name(conn)?,
        },
        quote: data::Head {
            number: row.number.clone(),
            version: row.version_number,
            title: row.title.clone(),
            draft: matches!(row.state, QuoteState::Draft | QuoteState::InApproval),
            date: today,
            valid_until: row.valid_until,
            requested_date: row.requested_date,
            introduction: row.introduction.clone(),
            terms: row.terms.clone(),
            currency: row.currency,
        },
        customer: customer.shown,
        owner: owner.map(|(name, email)| data::Person {
            name,
            email: Some(email),
        }),
        lines: lines.collect(),
        total: shown.total,
    })
}

/// Who it is for, and the language that they are written to in.
struct Party {
    language: Option<String>,
    shown: data::Customer,
}

fn customer(conn: &mut PgConnection, quote: &StoredQuote, today: NaiveDate) -> Result<Party> {
    let id = quote.row.customer_id;
    let (name, tax_id, language): (String, Option<String>, Option<String>) = customers::table
        .find(id)
        .select((customers::name, customers::tax_id, customers::language))
        .first(conn)?;
    type Place = (String, String, Option<String>, Option<String>, String);
    let address: Option<Place> = addresses::table
        .filter(addresses::customer_id.eq(id))
        // Billing, office, shipping.
        .order((addresses::kind, addresses::created_at, addresses::id))
        .select((
            addresses::street,
            addresses::city,
            addresses::region,
            addresses::postal_code,
            addresses::country,
        ))
        .first(conn)
        .optional()?;
    let on_that_day = legal_entities::valid_from
        .is_null()
        .or(legal_entities::valid_from.le(today))
        .and(
            legal_entities::valid_to
                .is_null()
                .or(legal_entities::valid_to.ge(today)),
        );
    let legal: Option<(String, Option<String>)> = legal_entities::table
        .filter(legal_entities::customer_id.eq(id).and(legal_entities::is_default))
        .filter(on_that_day)
        .select((legal_entities::name, legal_entities::tax_id))
        .first(conn)
        .optional()?;
    let contact: Option<(String, Option<String>)> = match quote.row.contact_id {
        Some(contact) => contacts::table
            .find(contact)
            .select((contacts::name, contacts::email))
            .first(conn)
            .optional()?,
        None => None,
    };
    let (name, tax_id) = match legal {
        Some((legal_name, legal_tax_id)) => (legal_name, legal_tax_id.or(tax_id)),
        None => (name, tax_id),
    };
    Ok(Party {
        language,
        shown: data::Customer {
            name,
            tax_id,
            contact: contact.map(|(name, email)| data::Person { name, email }),
            address: address.map(|(street, city, region, postal_code, country)| data::Address {
                street,
                city,
                region,
                postal_code,
                country,
            }),
        },
    })
}
