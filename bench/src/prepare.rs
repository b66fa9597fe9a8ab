//! What is measured with: 1,000 products with stock that never ends and a list price, and 1,000
//! customers, as many as the reference schema has.

use crate::api::{Api, http_client};
use crate::failure::{Failure, Result};
use crate::stack::Stack;
use futures_util::{StreamExt, TryStreamExt, stream};
use rand::Rng;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

const PRODUCTS: usize = 1_000;
const CUSTOMERS: usize = 1_000;
const STOCK: &str = "90000000";
/// Requests that are under way at once.
const WIDTH: usize = 8;
/// The longest list of lines that a document may have.
const ADJUSTMENT_LINES: usize = 500;
/// How long the sync may take to bring everything to the other side.
const PATIENCE: Duration = Duration::from_secs(300);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A stack that can take orders.
pub struct Shop {
    pub erp: Api,
    pub crm: Api,
    pub sync: Api,
    pub products: Vec<Uuid>,
    pub customers: Vec<Uuid>,
}

/// An order that does not exist yet.
pub struct NewOrder {
    pub id: Uuid,
    /// Of all lines.
    pub quantity: u64,
    pub body: Value,
}

#[derive(Deserialize)]
struct Record {
    id: Uuid,
}

#[derive(Deserialize)]
struct CatalogueProduct {
    prices: Vec<Record>,
    availability: Availability,
}

#[derive(Deserialize)]
struct Availability {
    available: String,
}

impl Shop {
    /// Fills an empty stack.
    ///
    /// # Errors
    /// When a service refuses something, or the sync does not bring it across.
    pub async fn open(stack: &Stack) -> Result<Self> {
        let started = Instant::now();
        let http = http_client()?;
        let mut shop = Shop {
            erp: Api::new(&http, &stack.erp),
            crm: Api::new(&http, &stack.crm),
            sync: Api::new(&http, &stack.sync),
            products: Vec::new(),
            customers: Vec::new(),
        };
        println!("Preparing {PRODUCTS} products with stock and prices, {CUSTOMERS} customers");
        shop.products = shop.make_products().await?;
        shop.make_prices().await?;
        shop.make_stock().await?;
        shop.customers = shop.make_customers().await?;
        shop.wait_for_replicas().await?;
        println!(
            "  done in {:.1} s; both systems know all of them",
            started.elapsed().as_secs_f64()
        );
        Ok(shop)
    }

    /// An order as the CRM takes it, to be submitted at once. Like the reference statements: a
    /// random customer, three random products, one to five pieces of each.
    pub fn order(&self) -> NewOrder {
        let mut random = rand::rng();
        let (id, pieces) = (Uuid::now_v7(), random.random_range(1..=5));
        let thirds = [0..333, 333..666, 666..self.products.len()];
        let lines: Vec<Value> = thirds
            .into_iter()
            .map(|third| json!({ "product_id": self.products[random.random_range(third)], "quantity": pieces.to_string() }))
            .collect();
        let customer = self.customers[random.random_range(0..self.customers.len())];
        NewOrder {
            id,
            quantity: pieces * 3,
            body: json!({ "id": id, "customer_id": customer, "currency": "USD", "submit": true, "lines": lines }),
        }
    }

    /// Confirmed orders in the ERP, three lines each.
    ///
    /// # Errors
    /// When the ERP refuses.
    pub async fn sales_orders(&self, count: usize) -> Result<Vec<Uuid>> {
        let orders = stream::iter(0..count).map(|_| async {
            let mut body = self.order().body;
            if let Some(fields) = body.as_object_mut() {
                fields.remove("submit");
                fields.insert("confirm".to_owned(), true.into());
            }
            let order: Record = self.erp.post("/v1/sales-orders", &body).await?;
            Ok(order.id)
        });
        orders.buffered(WIDTH).try_collect().await
    }

    async fn make_products(&self) -> Result<Vec<Uuid>> {
        let products = stream::iter(1..=PRODUCTS).map(|number| async move {
            let body = json!({ "sku": format!("BENCH-{number:04}"), "name": format!("Part {number}"),
                "kind": "goods", "unit": "pcs" });
            let product: Record = self.erp.post("/v1/products", &body).await?;
            Ok(product.id)
        });
        products.buffered(WIDTH).try_collect().await
    }

    async fn make_prices(&self) -> Result<()> {
        let body = json!({ "name": "Bench prices", "currency": "USD" });
        let list: Record = self.erp.post("/v1/price-lists", &body).await?;
        let path = format!("/v1/price-lists/{}/prices", list.id);
        let prices = stream::iter(self.products.iter().enumerate()).map(|(index, product)| {
            let body = json!({ "product_id": product, "unit_price": format!("{}.50", 10 + index) });
            let path = &path;
            async move { self.erp.post::<Value>(path, &body).await.map(|_| ()) }
        });
        prices.buffered(WIDTH).try_collect().await
    }

    async fn make_stock(&self) -> Result<()> {
        let body = json!({ "code": "BENCH", "name": "Bench warehouse" });
        let warehouse: Record = self.erp.post("/v1/warehouses", &body).await?;
        for part in self.products.chunks(ADJUSTMENT_LINES) {
            let lines: Vec<Value> = part
                .iter()
                .map(|id| json!({ "product_id": id, "quantity": STOCK }))
                .collect();
            let body = json!({ "warehouse_id": warehouse.id, "reason": "Opening stock", "lines": lines });
            let _: Value = self.erp.post("/v1/stock-adjustments", &body).await?;
        }
        Ok(())
    }

    async fn make_customers(&self) -> Result<Vec<Uuid>> {
        let customers = stream::iter(1..=CUSTOMERS).map(|number| async move {
            let body = json!({ "name": format!("Customer {number} Ltd"), "kind": "company",
                "email": format!("c{number}@example.com") });
            let customer: Record = self.crm.post("/v1/customers?allow_duplicate=true", &body).await?;
            Ok(customer.id)
        });
        customers.buffered(WIDTH).try_collect().await
    }

    /// Until the CRM can price and show every product, and the ERP knows every customer.
    async fn wait_for_replicas(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            let products: Vec<CatalogueProduct> = self.crm.list("/v1/products?limit=500").await?;
            let ready = |product: &&CatalogueProduct| {
                !product.prices.is_empty() && product.availability.available.starts_with(STOCK)
            };
            let products = products.iter().filter(ready).count();
            let customers = self.erp.list::<Record>("/v1/customers?limit=500").await?.len();
            if (products, customers) == (PRODUCTS, CUSTOMERS) {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                return Err(Failure::new(format!(
                    "after {} s the CRM has {products} of {PRODUCTS} products and the ERP {customers} of {CUSTOMERS} customers",
                    PATIENCE.as_secs()
                )));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
