//! What customers owe: terms, invoices, credit notes, exposure, prepayments, statements, reminders.

mod credit_notes;
mod disputes;
mod dunning;
mod exposure;
mod invoices;
mod legal_entities;
mod payment_terms;
mod prepayments;
mod statements;
mod taxes;

use crate::shop::{Shop, id};
use chrono::{Days, NaiveDate, Utc};
use serde_json::{Value, json};

/// Today in the company's time zone, which is UTC in tests, less so many days.
pub fn days_ago(days: u64) -> NaiveDate {
    Utc::now().date_naive() - Days::new(days)
}

/// (account, debit, credit) of the lines of what a dry run would post.
pub fn entry(shown: &Value, index: usize) -> Vec<(String, String, String)> {
    let lines = shown["entries"][index]["lines"].as_array().expect("an entry");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    lines
        .iter()
        .map(|line| (text(&line["account"]), text(&line["debit"]), text(&line["credit"])))
        .collect()
}

/// The lines of an entry as they should be, in a currency with cents.
pub fn lines(wanted: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let cents = |amount: &str| format!("{:.2}", amount.parse::<rust_decimal::Decimal>().expect("an amount"));
    let owned = |(account, debit, credit): &(&str, &str, &str)| ((*account).to_owned(), cents(debit), cents(credit));
    wanted.iter().map(owned).collect()
}

impl Shop {
    /// Ships what an order has reserved.
    pub async fn ship(&self, order: &Value) -> Value {
        let path = format!("/v1/sales-orders/{}/deliveries", id(order));
        self.erp.post(&path, json!({})).await.expect(201)
    }

    /// Invoices what may be of an order, and posts it.
    pub async fn invoice(&self, order: &Value) -> Value {
        let path = format!("/v1/sales-orders/{}/invoices", id(order));
        self.erp.post(&path, json!({"post": true})).await.expect(201)
    }

    pub async fn order_now(&self, order: &Value) -> Value {
        self.erp
            .get(&format!("/v1/sales-orders/{}", id(order)))
            .await
            .expect(200)
    }

    pub async fn customer_now(&self) -> Value {
        self.erp
            .get(&format!("/v1/customers/{}", self.customer))
            .await
            .expect(200)
    }

    /// A posted document with one free line.
    pub async fn free(&self, kind: &str, amount: &str, date: NaiveDate) -> Value {
        let body = json!({"kind": kind, "customer_id": self.customer, "currency": "USD", "date": date, "post": true,
            "lines": [{"description": "Something", "quantity": "1", "unit_price": amount}]});
        self.erp.post("/v1/invoices", body).await.expect(201)
    }
}
