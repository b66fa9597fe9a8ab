use crate::{eventually, id};
use integration_sync::{Endpoints, RunningSync};
use serde_json::{Value, json};
use service_kit::config::Config;
use service_kit::testing::{ADMIN_KEY, Client, INTEGRATION_KEY, TestDatabase, TestService};
use uuid::Uuid;

/// The three services in this process, each with a database of its own.
pub struct Stack {
    pub erp_service: TestService,
    pub crm_service: TestService,
    pub sync_database: TestDatabase,
    /// Absent while a test has stopped it.
    pub running_sync: Option<RunningSync>,
    pub erp: Client,
    pub crm: Client,
    pub sync: Client,
    pub warehouse: Uuid,
}

impl Stack {
    /// Starts everything, with one warehouse.
    ///
    /// # Panics
    /// When a service does not start.
    pub async fn start() -> Stack {
        let erp_service = TestService::start(erp_service::app::SERVICE, |_, _| {}).await;
        let crm_service = TestService::start(crm_service::app::SERVICE, |_, _| {}).await;
        let sync_database = TestDatabase::of(&integration_sync::SERVICE);
        let (erp, crm) = (erp_service.client.clone(), crm_service.client.clone());
        let warehouse = erp
            .post("/v1/warehouses", json!({"code": "MAIN", "name": "Main"}))
            .await
            .expect(201);
        let mut stack = Stack {
            sync: Client::new(String::new(), ADMIN_KEY),
            warehouse: id(&warehouse),
            running_sync: None,
            erp_service,
            crm_service,
            sync_database,
            erp,
            crm,
        };
        stack.start_sync().await;
        stack
    }

    /// Starts the sync (again).
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_sync(&mut self) {
        let running = start_sync(&self.sync_database.url, self.endpoints()).await;
        self.sync = Client::new(format!("http://{}", running.address()), ADMIN_KEY);
        self.running_sync = Some(running);
    }

    /// Stops the sync.
    pub async fn stop_sync(&mut self) {
        if let Some(running) = self.running_sync.take() {
            running.stop().await;
        }
    }

    pub fn endpoints(&self) -> Endpoints {
        Endpoints {
            erp_url: self.erp_service.url(),
            erp_key: INTEGRATION_KEY.to_owned(),
            crm_url: self.crm_service.url(),
            crm_key: INTEGRATION_KEY.to_owned(),
        }
    }

    /// A product in the ERP with stock, once the CRM knows both.
    ///
    /// # Panics
    /// When the CRM does not learn of it.
    pub async fn product(&self, sku: &str, quantity: &str) -> Uuid {
        let body = json!({"sku": sku, "name": format!("Product {sku}"), "kind": "goods", "unit": "pcs"});
        let product = id(&self.erp.post("/v1/products", body).await.expect(201));
        self.adjust(product, quantity).await;
        self.availability_in_crm(product, quantity).await;
        product
    }

    /// # Panics
    /// When the ERP refuses.
    pub async fn adjust(&self, product: Uuid, quantity: &str) {
        let lines = json!([{"product_id": product, "quantity": quantity}]);
        let body = json!({"warehouse_id": self.warehouse, "reason": "count", "lines": lines});
        self.erp.post("/v1/stock-adjustments", body).await.expect(201);
    }

    /// Waits until the CRM shows this much available.
    ///
    /// # Panics
    /// When it does not.
    pub async fn availability_in_crm(&self, product: Uuid, available: &str) -> Value {
        eventually(&format!("{available} of {product} available in the CRM"), async || {
            let reply = self.crm.get(&format!("/v1/products/{product}")).await;
            (reply.status == 200 && reply.body["availability"]["available"] == available).then_some(reply.body)
        })
        .await
    }

    /// A customer in the CRM.
    ///
    /// # Panics
    /// When the CRM refuses.
    pub async fn customer(&self, name: &str) -> Uuid {
        id(&self
            .crm
            .post("/v1/customers", json!({"name": name, "kind": "company"}))
            .await
            .expect(201))
    }

    /// An order of one product, submitted in the CRM.
    ///
    /// # Panics
    /// When the CRM refuses.
    pub async fn submit(&self, customer: Uuid, product: Uuid, quantity: &str) -> Uuid {
        let lines = json!([{"product_id": product, "quantity": quantity, "unit_price": "10"}]);
        let body = json!({"customer_id": customer, "currency": "USD", "lines": lines});
        let order = id(&self.crm.post("/v1/orders", body).await.expect(201));
        self.crm
            .post(&format!("/v1/orders/{order}/submit"), json!({}))
            .await
            .expect(200);
        order
    }

    /// Waits until the CRM shows the order in this status.
    ///
    /// # Panics
    /// When it does not.
    pub async fn order_in_crm(&self, order: Uuid, status: &str) -> Value {
        eventually(&format!("order {order} to be {status} in the CRM"), async || {
            let body = self.crm.get(&format!("/v1/orders/{order}")).await.expect(200);
            (body["status"] == status).then_some(body)
        })
        .await
    }

    /// Waits until no flow has anything left to read, apply or retry.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn quiet(&self) {
        let mut last = None;
        eventually("the flows to be quiet", async || {
            let counts = (
                self.newest_event(&self.erp).await,
                self.newest_event(&self.crm).await,
                self.applied().await,
            );
            let same = last.as_ref() == Some(&counts);
            last = Some(counts);
            // Quiet is what stays the same over a time in which an event would have come through.
            tokio::time::sleep(std::time::Duration::from_millis(400)).await;
            same.then_some(())
        })
        .await;
    }

    /// How many events a service has.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn newest_event(&self, service: &Client) -> usize {
        let (mut cursor, mut count) = (String::new(), 0);
        loop {
            let page = service
                .get(&format!("/v1/events?after={cursor}&limit=500"))
                .await
                .expect(200);
            let events = page["events"].as_array().map_or(0, Vec::len);
            count += events;
            cursor = page["next_cursor"].as_str().unwrap_or_default().to_owned();
            if events < 500 {
                return count;
            }
        }
    }

    async fn applied(&self) -> String {
        let flows = self.sync.get("/v1/flows").await.expect(200);
        let counts = flows["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|flow| flow["counts"].to_string());
        counts.collect()
    }

    /// # Panics
    /// When there is a dead letter; shows it.
    pub async fn no_dead_letter(&self) {
        let letters = self.sync.get("/v1/dead-letters?state=open").await.expect(200);
        assert_eq!(letters["items"], json!([]), "{letters:#}");
    }
}

/// Starts a sync on a free port.
///
/// # Panics
/// When it does not start.
pub async fn start_sync(database_url: &str, endpoints: Endpoints) -> RunningSync {
    let mut config = Config::new(database_url.to_owned(), ([127, 0, 0, 1], 0).into());
    config.bootstrap_key = Some(ADMIN_KEY.to_owned());
    config.workers = 1;
    config.connections = 6;
    match integration_sync::start(config, endpoints).await {
        Ok(running) => running,
        Err(error) => panic!("the sync does not start: {error}"),
    }
}
