//! A company with open items to pay, and looks into its books.

use crate::given;
use crate::shop::id;
use diesel::prelude::*;
use diesel::sql_types::{Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};
use std::collections::HashMap;
use uuid::Uuid;

pub struct Books {
    pub service: TestService,
    pub erp: Client,
    pub customer: Uuid,
}

impl Books {
    pub async fn open() -> Books {
        let service = given::erp().await;
        let customer = id(&given::customer(&service, "Alfreds Futterkiste").await);
        Books {
            erp: service.client.clone(),
            service,
            customer,
        }
    }

    pub async fn supplier(&self) -> Uuid {
        let body = json!({ "name": "Exotic Liquids", "currency": "USD" });
        id(&self.erp.post("/v1/suppliers", body).await.expect(201))
    }

    /// An opening item with more fields; answers the open item's id.
    pub async fn item(&self, kind: &str, number: &str, amount: &str, more: Value) -> Uuid {
        let mut body = json!({ "kind": kind, "party_id": self.customer, "document_number": number, "document_date": "2026-03-01",
            "due_date": "2026-03-31", "currency": "USD", "amount": amount, "date": "2026-03-01" });
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let made = self.erp.post("/v1/opening-items", body).await.expect(201);
        made["open_item_id"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .expect("an open item")
    }

    pub async fn invoice(&self, number: &str, amount: &str) -> Uuid {
        self.item("invoice", number, amount, json!({})).await
    }

    /// A receipt from the customer with more fields.
    pub fn receipt(&self, amount: &str, more: Value) -> Value {
        let mut body = json!({ "direction": "in", "party_type": "customer", "party_id": self.customer, "amount": amount, "date": "2026-03-10" });
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        body
    }

    pub async fn receive(&self, amount: &str, more: Value) -> Value {
        self.erp
            .post("/v1/payments", self.receipt(amount, more))
            .await
            .expect(201)
    }

    /// What is open of an item, in its currency.
    pub async fn open_amount(&self, item: Uuid) -> String {
        let item = self.erp.get(&format!("/v1/open-items/{item}")).await.expect(200);
        item["open_amount"].as_str().unwrap_or_default().to_owned()
    }

    fn connect(&self) -> PgConnection {
        PgConnection::establish(&self.service.database.url).expect("the test database")
    }

    /// A bank account in another currency, with an account of its own in the chart.
    pub async fn bank_in(&self, currency: &str) -> Value {
        diesel::sql_query("INSERT INTO accounts (code, name, kind, liquid, currency) VALUES ('1021', 'Foreign bank', 'asset', true, $1)")
            .bind::<Text, _>(currency)
            .execute(&mut self.connect())
            .expect("a new account");
        let body = json!({ "name": currency, "currency": currency, "account_id": self.accounts()["1021"] });
        self.erp.post("/v1/bank-accounts", body).await.expect(201)
    }

    /// Ids of the accounts by their codes.
    pub fn accounts(&self) -> HashMap<String, Uuid> {
        #[derive(QueryableByName)]
        struct Account {
            #[diesel(sql_type = Text)]
            code: String,
            #[diesel(sql_type = SqlUuid)]
            id: Uuid,
        }
        let found: Vec<Account> = diesel::sql_query("SELECT code, id FROM accounts")
            .load(&mut self.connect())
            .expect("the accounts");
        found.into_iter().map(|account| (account.code, account.id)).collect()
    }

    /// Lines of an entry: (account, debit − credit) in the base currency, in the order of the accounts.
    pub fn lines(&self, entry: &Value) -> Vec<(String, Decimal)> {
        let entry: Uuid = entry.as_str().and_then(|id| id.parse().ok()).expect("an entry's id");
        #[derive(QueryableByName)]
        struct Line {
            #[diesel(sql_type = Text)]
            code: String,
            #[diesel(sql_type = Numeric)]
            base: Decimal,
        }
        let lines: Vec<Line> = diesel::sql_query(
            "SELECT a.code, sum(l.debit - l.credit) AS base FROM journal_entry_lines l JOIN accounts a ON a.id = l.account_id
             WHERE l.entry_id = $1 GROUP BY 1 ORDER BY 1",
        )
        .bind::<SqlUuid, _>(entry)
        .load(&mut self.connect())
        .expect("the lines");
        lines
            .into_iter()
            .map(|line| (line.code, line.base.normalize()))
            .collect()
    }

    /// Balances of accounts that are not 0: (account, debit − credit).
    pub fn balances(&self) -> Vec<(String, Decimal)> {
        #[derive(QueryableByName)]
        struct Balance {
            #[diesel(sql_type = Text)]
            code: String,
            #[diesel(sql_type = Numeric)]
            base: Decimal,
        }
        let found: Vec<Balance> = diesel::sql_query(
            "SELECT a.code, sum(l.debit - l.credit) AS base FROM journal_entry_lines l JOIN accounts a ON a.id = l.account_id
             GROUP BY 1 HAVING sum(l.debit - l.credit) <> 0 ORDER BY 1",
        )
        .load(&mut self.connect())
        .expect("the balances");
        found
            .into_iter()
            .map(|line| (line.code, line.base.normalize()))
            .collect()
    }

    /// The subledgers come to their control accounts.
    pub fn assert_subledgers(&self) {
        #[derive(QueryableByName)]
        struct Apart {
            #[diesel(sql_type = Text)]
            code: String,
        }
        let apart: Vec<Apart> = diesel::sql_query(
            "SELECT a.code FROM accounts a WHERE a.control IN ('receivable', 'payable', 'advances_received', 'advances_paid')
               AND coalesce((SELECT sum(debit - credit) FROM journal_entry_lines WHERE account_id = a.id), 0)
                <> coalesce((SELECT sum(open_base_amount * CASE WHEN side IN ('payable', 'advances_received') THEN -1 ELSE 1 END)
                             FROM open_items WHERE account_id = a.id), 0)",
        )
        .load(&mut self.connect())
        .expect("the accounts");
        let codes: Vec<String> = apart.into_iter().map(|account| account.code).collect();
        assert!(codes.is_empty(), "control accounts {codes:?} differ from their items");
    }
}

pub fn lines(expected: &[(&str, &str)]) -> Vec<(String, Decimal)> {
    expected
        .iter()
        .map(|(code, base)| {
            (
                (*code).to_owned(),
                base.parse::<Decimal>().expect("a decimal").normalize(),
            )
        })
        .collect()
}
