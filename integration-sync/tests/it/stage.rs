//! The sync between two fakes.

use crate::fake::{Fake, KEY};
use integration_sync::flows::FLOWS;
use integration_sync::{Endpoints, RunningSync, SERVICE, start};
use serde_json::Value;
use service_kit::config::Config;
use service_kit::testing::{ADMIN_KEY, Client, INTEGRATION_KEY, TestDatabase};
use std::time::{Duration, Instant};

pub struct Stage {
    pub erp: Fake,
    pub crm: Fake,
    pub sync: Option<RunningSync>,
    pub client: Client,
    pub database: TestDatabase,
}

impl Stage {
    /// Everything is up, and the initial load (of nothing) is done.
    pub async fn start() -> Self {
        let stage = Self::prepare().await;
        let stage = stage.with_sync().await;
        stage.settled().await;
        stage
    }

    /// The fakes and a database, without the sync.
    pub async fn prepare() -> Self {
        let (erp, crm) = (Fake::start("erp").await, Fake::start("crm").await);
        let database = TestDatabase::of(&SERVICE);
        Stage {
            erp,
            crm,
            sync: None,
            client: Client::new(String::new(), ADMIN_KEY),
            database,
        }
    }

    pub async fn with_sync(mut self) -> Self {
        let sync = self.another_sync().await;
        self.client = Client::new(format!("http://{}", sync.address()), ADMIN_KEY);
        self.sync = Some(sync);
        self
    }

    /// One more instance on the same database.
    pub async fn another_sync(&self) -> RunningSync {
        let mut config = Config::new(self.database.url.clone(), ([127, 0, 0, 1], 0).into());
        config.bootstrap_key = Some(ADMIN_KEY.to_owned());
        config.integration_key = Some(INTEGRATION_KEY.to_owned());
        config.connections = 4;
        config.workers = 1;
        let endpoints = Endpoints {
            erp_url: self.erp.url(),
            erp_key: KEY.to_owned(),
            crm_url: self.crm.url(),
            crm_key: KEY.to_owned(),
        };
        start(config, endpoints).await.unwrap()
    }

    /// Waits until all flows follow their feeds.
    pub async fn settled(&self) {
        eventually("all flows run", async || {
            let flows = self.client.get("/v1/flows").await.expect(200);
            let flows = flows["items"].as_array().unwrap().clone();
            flows.len() == FLOWS.len()
                && flows
                    .iter()
                    .all(|flow| flow["state"] == "running" && flow["resync"].is_null())
        })
        .await;
    }

    pub async fn flow(&self, name: &str) -> Value {
        self.client.get(&format!("/v1/flows/{name}")).await.expect(200)
    }

    pub async fn flow_is(&self, name: &str, what: &str, is: impl Fn(&Value) -> bool) {
        eventually(&format!("{name}: {what}"), async || is(&self.flow(name).await)).await;
    }

    pub async fn open_dead_letters(&self) -> Vec<Value> {
        let page = self.client.get("/v1/dead-letters?state=open").await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    pub async fn stop(mut self) {
        if let Some(sync) = self.sync.take() {
            sync.stop().await;
        }
    }
}

/// Waits for a condition; says which when it does not come.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < Duration::from_secs(30), "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
