//! A company that buys: a supplier, and a second person who approves.

use crate::shop::{Shop, id};
use serde_json::{Value, json};
use service_kit::testing::Client;
use std::ops::Deref;
use uuid::Uuid;

pub struct Buying {
    pub shop: Shop,
    pub supplier: Uuid,
    /// Another person than the one who enters everything.
    pub second: Client,
}

impl Deref for Buying {
    type Target = Shop;
    fn deref(&self) -> &Shop {
        &self.shop
    }
}

impl Buying {
    pub async fn open() -> Buying {
        let shop = Shop::open().await;
        let supplier = json!({"name": "Exotic Liquids", "currency": "USD", "lead_time_days": 14});
        let supplier = id(&shop.erp.post("/v1/suppliers", supplier).await.expect(201));
        let second = shop.erp.new_key("admin", &[]).await;
        Buying { shop, supplier, second }
    }

    pub fn order_in(&self, lines: Value) -> Value {
        json!({"supplier_id": self.supplier, "submit": true, "lines": lines})
    }

    /// An order that waits for its approval.
    pub async fn submitted(&self, lines: Value) -> Value {
        self.erp
            .post("/v1/purchase-orders", self.order_in(lines))
            .await
            .expect(201)
    }

    pub async fn approve(&self, order: &Value) -> Value {
        let path = format!("/v1/purchase-orders/{}/approve", id(order));
        self.second.post(&path, json!({})).await.expect(200)
    }

    /// An order that is binding.
    pub async fn ordered(&self, lines: Value) -> Value {
        let order = self.submitted(lines).await;
        self.approve(&order).await
    }

    pub async fn get_order(&self, order: &Value) -> Value {
        self.erp
            .get(&format!("/v1/purchase-orders/{}", id(order)))
            .await
            .expect(200)
    }

    pub fn bill_in(&self, number: &str, lines: Value) -> Value {
        json!({"supplier_id": self.supplier, "supplier_number": number, "bill_date": "2026-03-01", "lines": lines})
    }

    pub async fn draft(&self, number: &str, lines: Value) -> Value {
        self.erp
            .post("/v1/supplier-bills", self.bill_in(number, lines))
            .await
            .expect(201)
    }

    /// A bill as posted: perhaps held.
    pub async fn billed(&self, number: &str, order: &Value, quantity: &str, price: &str) -> Value {
        let line = json!({"order_line_id": order["lines"][0]["id"], "quantity": quantity, "unit_price": price});
        let draft = self.draft(number, json!([line])).await;
        self.erp
            .post(&format!("/v1/supplier-bills/{}/post", id(&draft)), json!({}))
            .await
            .expect(200)
    }

    /// Open items of suppliers: (document type, open amount).
    pub fn open_items(&self) -> Vec<(String, String)> {
        super::books::open_items(&self.service)
    }

    /// Limits of the role admin, which every key of these tests has.
    pub async fn limit_admins(&self, amount: &str) {
        let limits = self.erp.get("/v1/purchase-approval-limits").await.expect(200);
        let limits = limits["items"].as_array().unwrap().clone();
        let limit = limits.iter().find(|limit| limit["role"] == "admin").unwrap();
        let path = format!("/v1/purchase-approval-limits/{}", id(limit));
        self.erp.patch(&path, json!({"amount": amount})).await.expect(200);
    }
}

/// A line of a product.
pub fn of(product: Uuid, quantity: &str, price: &str) -> Value {
    json!({"product_id": product, "quantity": quantity, "unit_price": price})
}
