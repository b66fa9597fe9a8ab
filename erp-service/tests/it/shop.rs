//! A small trading company to test with: builders with good defaults.

use erp_service::app::SERVICE;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};
use uuid::Uuid;

pub struct Shop {
    pub service: TestService,
    pub erp: Client,
    pub sync: Client,
    pub warehouse: Uuid,
    pub customer: Uuid,
}

impl Shop {
    /// A service with a warehouse and a customer.
    pub async fn open() -> Shop {
        let service = TestService::start(SERVICE, |_, _| {}).await;
        let (erp, sync) = (service.client.clone(), service.integration());
        let warehouse = id(&erp
            .post("/v1/warehouses", json!({"code": "MAIN", "name": "Main"}))
            .await
            .expect(201));
        let shop = Shop {
            customer: Uuid::now_v7(),
            service,
            erp,
            sync,
            warehouse,
        };
        shop.new_customer(shop.customer).await;
        shop
    }

    pub async fn new_customer(&self, id: Uuid) {
        let body = json!({
            "source_version": 1, "name": "Alfreds Futterkiste", "kind": "company", "status": "active",
            "legal_entities": [], "contacts": [], "addresses": [], "as_of": "2026-01-01T00:00:00Z"
        });
        self.sync.put(&format!("/v1/customers/{id}"), body).await.expect(201);
    }

    pub async fn product(&self, sku: &str) -> Uuid {
        let body = json!({"sku": sku, "name": format!("Product {sku}"), "kind": "goods", "unit": "pcs"});
        id(&self.erp.post("/v1/products", body).await.expect(201))
    }

    pub async fn stocked(&self, sku: &str, quantity: &str) -> Uuid {
        let product = self.product(sku).await;
        self.adjust(product, quantity).await;
        product
    }

    pub async fn adjust(&self, product: Uuid, quantity: &str) -> Value {
        let body = json!({"warehouse_id": self.warehouse, "reason": "found", "lines": [{"product_id": product, "quantity": quantity}]});
        self.erp.post("/v1/stock-adjustments", body).await.expect(201)
    }

    pub fn order(&self, lines: Value) -> Value {
        json!({"customer_id": self.customer, "currency": "USD", "confirm": true, "lines": lines})
    }

    pub async fn confirmed(&self, product: Uuid, quantity: &str) -> Value {
        let lines = json!([{"product_id": product, "quantity": quantity, "unit_price": "10"}]);
        self.erp.post("/v1/sales-orders", self.order(lines)).await.expect(201)
    }

    /// (on hand, reserved, available) of a product.
    pub async fn availability(&self, product: Uuid) -> (String, String, String) {
        let page = self
            .erp
            .get(&format!("/v1/availability?product_id={product}"))
            .await
            .expect(200);
        let item = &page["items"][0];
        let text = |field: &str| item[field].as_str().unwrap_or("none").to_owned();
        (text("on_hand"), text("reserved"), text("available"))
    }

    pub async fn limit_credit(&self, limit: &str) {
        self.erp
            .patch(
                &format!("/v1/customers/{}", self.customer),
                json!({"credit_limit": limit}),
            )
            .await
            .expect(200);
    }
}

pub fn id(record: &Value) -> Uuid {
    record["id"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .expect("a record with an id")
}

/// (reserved, backordered, delivered) of a line.
pub fn line(order: &Value, index: usize) -> (String, String, String) {
    let line = &order["lines"][index];
    let text = |field: &str| line[field].as_str().unwrap_or("none").to_owned();
    (
        text("reserved_quantity"),
        text("backordered_quantity"),
        text("delivered_quantity"),
    )
}

pub fn three(a: &str, b: &str, c: &str) -> (String, String, String) {
    (a.to_owned(), b.to_owned(), c.to_owned())
}
