//! Sales: prices by tier, what deliveries cost, amendments, change requests, returns.

mod amendments;
mod change_requests;
mod cost_of_deliveries;
mod lots;
mod price_and_tier;
mod returns;
mod taxes;

use crate::shop::Shop;
use diesel::prelude::*;
use diesel::sql_types::{Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

/// Stock that came at a cost.
pub async fn bought(shop: &Shop, product: Uuid, quantity: &str, unit_cost: &str) {
    let line = json!({"product_id": product, "quantity": quantity, "unit_cost": unit_cost});
    let body = json!({"warehouse_id": shop.warehouse, "reason": "opening stock", "lines": [line]});
    shop.erp.post("/v1/stock-adjustments", body).await.expect(201);
}

/// What the posted entries of a document come to by account: debit − credit.
pub fn postings(shop: &Shop, document: Uuid) -> Vec<(String, String)> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        code: String,
        #[diesel(sql_type = Numeric)]
        balance: Decimal,
    }
    let mut conn = PgConnection::establish(&shop.service.database.url).unwrap();
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT a.code, sum(l.debit - l.credit) AS balance FROM journal_entries e
         JOIN journal_entry_lines l ON l.entry_id = e.id JOIN accounts a ON a.id = l.account_id
         WHERE e.source_id = $1 GROUP BY a.code ORDER BY a.code",
    )
    .bind::<SqlUuid, _>(document)
    .load(&mut conn)
    .unwrap();
    let plain = |value: Decimal| value.normalize().to_string();
    rows.into_iter().map(|row| (row.code, plain(row.balance))).collect()
}

/// The lines of the first entry that a dry run shows: account, debit, credit.
pub fn shown_entry(answer: &Value) -> Vec<(&str, &str, &str)> {
    let lines = answer["entries"][0]["lines"].as_array().expect("an entry").iter();
    lines
        .map(|line| {
            (
                line["account"].as_str().unwrap_or("none"),
                line["debit"].as_str().unwrap_or("none"),
                line["credit"].as_str().unwrap_or("none"),
            )
        })
        .collect()
}

/// Runs SQL on the service's database, for what another module will tell an order.
pub fn execute(shop: &Shop, statement: &str) {
    let mut conn = PgConnection::establish(&shop.service.database.url).unwrap();
    diesel::sql_query(statement).execute(&mut conn).unwrap();
}

/// Delivers so much of each line.
pub async fn deliver(shop: &Shop, order: &Value, quantities: &[&str]) -> Value {
    let lines: Vec<Value> = quantities
        .iter()
        .enumerate()
        .map(|(index, quantity)| json!({"line_id": order["lines"][index]["id"], "quantity": quantity}))
        .collect();
    let path = format!("/v1/sales-orders/{}/deliveries", crate::shop::id(order));
    shop.erp.post(&path, json!({"lines": lines})).await.expect(201)
}
