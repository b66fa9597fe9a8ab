//! What a template may name.

use chrono::NaiveDate;
use serde::Serialize;
use service_kit::{Amount, Currency, Discount, Quantity, Total, UnitPrice};

#[derive(Debug, Serialize)]
pub struct Document {
    pub company: Company,
    pub quote: Head,
    pub customer: Customer,
    /// Whose quote it is.
    pub owner: Option<Person>,
    pub lines: Vec<Line>,
    pub total: Total,
}

#[derive(Debug, Serialize)]
pub struct Company {
    pub name: String,
}

#[derive(Debug, Serialize)]
pub struct Head {
    /// None as long as no version was sent.
    pub number: Option<String>,
    pub version: i32,
    pub title: String,
    pub draft: bool,
    pub date: NaiveDate,
    pub valid_until: NaiveDate,
    pub requested_date: Option<NaiveDate>,
    pub introduction: Option<String>,
    pub terms: Option<String>,
    pub currency: Currency,
}

#[derive(Debug, Serialize)]
pub struct Customer {
    /// Of the legal entity that is the default one, else of the customer.
    pub name: String,
    pub tax_id: Option<String>,
    pub contact: Option<Person>,
    pub address: Option<Address>,
}

#[derive(Debug, Serialize)]
pub struct Person {
    pub name: String,
    pub email: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Address {
    pub street: String,
    pub city: String,
    pub region: Option<String>,
    pub postal_code: Option<String>,
    pub country: String,
}

#[derive(Debug, Serialize)]
pub struct Line {
    pub position: i32,
    pub sku: String,
    pub name: String,
    pub unit: String,
    pub quantity: Quantity,
    pub unit_price: Option<UnitPrice>,
    pub list_price: Option<UnitPrice>,
    pub discount: Discount,
    pub line_total: Option<Amount>,
    /// Of the quantity, what is there.
    pub from_stock: Quantity,
    /// The rest.
    pub short: Quantity,
    /// The first day on which all of it can be there; none when nobody expects enough.
    pub expected_on: Option<NaiveDate>,
}

fn decimal<T: std::str::FromStr + Default>(text: &str) -> T {
    text.parse().unwrap_or_default()
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

/// A quote with all that there can be, or with as little as there may be.
pub fn sample(whole: bool) -> Document {
    let given = |text: &str| whole.then(|| text.to_owned());
    let person = |name: &str| Person {
        name: name.to_owned(),
        email: given("sample@example.com"),
    };
    let line = |position: i32, name: &str, total: &str| Line {
        position,
        sku: format!("SKU-{position}"),
        name: name.to_owned(),
        unit: "pcs".to_owned(),
        quantity: decimal("120"),
        unit_price: whole.then(|| decimal("9.5")),
        list_price: whole.then(|| decimal("10")),
        discount: decimal(if whole { "0.05" } else { "0" }),
        line_total: whole.then(|| decimal(total)),
        from_stock: decimal(if whole { "100" } else { "0" }),
        short: decimal(if whole { "20" } else { "120" }),
        expected_on: whole.then(|| day(2026, 7, 20)),
    };
    let net: Amount = decimal("2166");
    Document {
        company: Company {
            name: "Sample & Sons".to_owned(),
        },
        quote: Head {
            number: given("Q-000042"),
            version: 2,
            title: "Tea for 40 shops".to_owned(),
            draft: !whole,
            date: day(2026, 6, 28),
            valid_until: day(2026, 7, 31),
            requested_date: whole.then(|| day(2026, 7, 20)),
            introduction: given("Thank you for asking. We are glad to offer:"),
            terms: given("Net 30 days.\nDelivered to your door."),
            currency: Currency::USD,
        },
        customer: Customer {
            name: "Société <Générale> de Thé".to_owned(),
            tax_id: given("FR12345678901"),
            contact: whole.then(|| person("Anaïs Leroy")),
            address: whole.then(|| Address {
                street: "1 Rue du Thé".to_owned(),
                city: "Lyon".to_owned(),
                region: given("Rhône"),
                postal_code: given("69001"),
                country: "FR".to_owned(),
            }),
        },
        owner: whole.then(|| person("Nancy Davolio")),
        lines: vec![line(1, "Chai", "1083"), line(2, "Chang", "1083")],
        total: Total {
            net,
            tax: Amount::ZERO,
            gross: net,
        },
    }
}
