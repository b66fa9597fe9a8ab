//! A company that pays its suppliers: one person proposes, another approves.

use super::books::Books;
use crate::shop::id;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply};
use std::ops::Deref;
use uuid::Uuid;

pub struct Paying {
    pub books: Books,
    /// Another person than the one who enters everything.
    pub second: Client,
    pub bank: Uuid,
}

impl Deref for Paying {
    type Target = Books;
    fn deref(&self) -> &Books {
        &self.books
    }
}

pub const EXOTIC: &str = "GB82WEST12345698765432";
pub const TOKYO: &str = "DE89370400440532013000";

impl Paying {
    pub async fn open() -> Paying {
        let books = Books::open().await;
        let second = books.erp.new_key("admin", &[]).await;
        let banks = books.erp.get("/v1/bank-accounts").await.expect(200);
        let bank = id(&banks["items"][0]);
        let details = json!({ "iban": "NL91ABNA0417164300", "bic": "ABNANL2A" });
        books
            .erp
            .patch(&format!("/v1/bank-accounts/{bank}"), details)
            .await
            .expect(200);
        Paying { books, second, bank }
    }

    pub async fn supplier(&self, name: &str, iban: Option<&str>, more: Value) -> Uuid {
        let mut body = json!({ "name": name, "currency": "USD", "iban": iban });
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        id(&self.erp.post("/v1/suppliers", body).await.expect(201))
    }

    /// What is owed to a supplier, due on a day.
    pub async fn owed(&self, supplier: Uuid, number: &str, amount: &str, due: &str, more: Value) -> Uuid {
        let mut all = json!({ "party_id": supplier, "due_date": due });
        for (name, value) in more.as_object().expect("an object") {
            all[name] = value.clone();
        }
        self.item("bill", number, amount, all).await
    }

    pub async fn credit(&self, supplier: Uuid, number: &str, amount: &str) -> Uuid {
        self.item("supplier_credit_note", number, amount, json!({ "party_id": supplier }))
            .await
    }

    /// A proposal to pay on 10 March what is due in March.
    pub async fn propose(&self, more: Value) -> Value {
        let mut body = json!({ "bank_account_id": self.bank, "pay_date": "2026-03-10", "due_to": "2026-03-31" });
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        self.erp.post("/v1/payment-proposals", body).await.expect(201)
    }

    pub async fn act(&self, who: &Client, proposal: &Value, action: &str, body: Value) -> Reply {
        who.post(&format!("/v1/payment-proposals/{}/{action}", id(proposal)), body)
            .await
    }

    pub async fn approved(&self, proposal: &Value) -> Value {
        self.act(&self.erp, proposal, "submit", json!({})).await.expect(200);
        self.act(&self.second, proposal, "approve", json!({})).await.expect(200)
    }

    pub async fn executed(&self, proposal: &Value) -> Value {
        self.act(&self.erp, proposal, "execute", json!({})).await.expect(200)
    }
}

/// (number, status, left out, amount, discount) of all lines.
pub fn rows(proposal: &Value) -> Vec<[String; 5]> {
    let payments = proposal["payments"].as_array().expect("payments").iter();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    payments
        .flat_map(|payment| payment["lines"].as_array().expect("lines"))
        .map(|line| ["document_number", "status", "left_out", "amount", "discount"].map(|field| text(&line[field])))
        .collect()
}

pub fn expected(rows: &[[&str; 5]]) -> Vec<[String; 5]> {
    rows.iter().map(|row| row.map(str::to_owned)).collect()
}
