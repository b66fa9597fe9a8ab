//! The service put together: its API, and the tasks that do the work.

use crate::http::{Api, Apis, ClientError, System};
use crate::metrics::Metrics;
use crate::runner::{Board, Courier, Runner, keep};
use crate::{dead_letters, flow_states, flows, may};
use actix_web::web;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use service_kit::config::{Config, ConfigError, parsed, var};
use service_kit::server::{self, Running, ServeError};
use service_kit::{Permission, Role, Routes, Service};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

/// The sync's API.
pub const SERVICE: Service = Service {
    name: "sync",
    title: "Tandem Sync",
    description: "What keeps the ERP and the CRM in step: flows, their lags, and dead letters.",
    migrations: &MIGRATIONS,
    routes,
    roles: &[OPERATOR],
    permissions: may::ALL,
    constraints: &[],
    imports: &[],
    describe: None,
    sign_in: false,
    background: &[],
};

/// The tables of the sync.
pub static MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Runs the flows.
const OPERATOR: Role = Role {
    name: "operator",
    description: "reads everything, manages flows and dead letters",
    grants: |permission| {
        permission.ends_with(":read")
            || permission == may::ManageFlows::NAME
            || permission == may::ManageDeadLetters::NAME
    },
};

fn routes(routes: &mut Routes) {
    flow_states::routes(routes);
    dead_letters::routes(routes);
}

/// Where the two systems are, and the integration keys for them.
#[derive(Clone)]
pub struct Endpoints {
    pub erp_url: String,
    pub erp_key: String,
    pub crm_url: String,
    pub crm_key: String,
}

impl Endpoints {
    /// Reads `ERP_URL`, `ERP_API_KEY`, `CRM_URL`, `CRM_API_KEY`.
    ///
    /// # Errors
    /// Names the one that is missing.
    pub fn from_env() -> Result<Self, ConfigError> {
        let required = |name: &str| var(name).ok_or_else(|| ConfigError::Missing(name.to_owned()));
        Ok(Endpoints {
            erp_url: required("ERP_URL")?,
            erp_key: required("ERP_API_KEY")?,
            crm_url: required("CRM_URL")?,
            crm_key: required("CRM_API_KEY")?,
        })
    }
}

/// What the handlers share with the tasks.
pub struct SyncData {
    pub courier: Courier,
    pub board: Arc<Board>,
}

/// Why the sync does not start.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error("the API does not start")]
    Serve(#[from] ServeError),
    #[error("an endpoint is unusable")]
    Endpoint(#[from] ClientError),
    #[error("the configuration is unusable")]
    Config(#[from] ConfigError),
    #[error("a metric is registered twice")]
    Metrics(#[from] prometheus::Error),
}

/// The sync at work.
pub struct RunningSync {
    /// Its API.
    pub api: Running,
    board: Arc<Board>,
    owner: Uuid,
    runners: JoinSet<()>,
    keeper: JoinSet<()>,
}

impl RunningSync {
    pub fn address(&self) -> SocketAddr {
        self.api.address
    }

    /// Ends the flows, gives their leases up, and stops the API.
    pub async fn stop(mut self) {
        self.board.stop();
        let ended = async { while self.runners.join_next().await.is_some() {} };
        // Whatever still hangs is dropped: all of it may be repeated.
        let _ = timeout(Duration::from_secs(2), ended).await;
        self.runners.shutdown().await;
        self.keeper.shutdown().await;
        let owner = self.owner;
        let release = self
            .api
            .kit
            .run_read(move |conn| flow_states::leases::release(conn, owner));
        // Not released, they lapse within seconds.
        let _ = timeout(Duration::from_secs(1), release).await;
        self.api.stop().await;
    }
}

/// Migrates, listens, starts the flows, and returns.
///
/// `SYNC_IN_FLIGHT` is the number of requests that each flow has under way at once (8).
///
/// # Errors
/// See [`SyncError`].
pub async fn start(config: Config, endpoints: Endpoints) -> Result<RunningSync, SyncError> {
    let in_flight = parsed("SYNC_IN_FLIGHT", "a number", 8_usize)?.max(1);
    let courier = Courier {
        apis: Apis {
            erp: Api::new(System::Erp, &endpoints.erp_url, &endpoints.erp_key)?,
            crm: Api::new(System::Crm, &endpoints.crm_url, &endpoints.crm_key)?,
        },
    };
    let board: Arc<Board> = Arc::default();
    let data = web::Data::new(SyncData {
        courier: courier.clone(),
        board: board.clone(),
    });
    let api = server::start(SERVICE, config, move |_, app| {
        app.app_data(data.clone());
    })
    .await?;
    let metrics = Metrics::register(api.kit.metrics.registry())?;
    let owner = Uuid::now_v7();
    let mut runners = JoinSet::new();
    for flow in flows::FLOWS {
        let runner = Runner {
            flow,
            owner,
            kit: api.kit.clone(),
            courier: courier.clone(),
            board: board.clone(),
            metrics: metrics.clone(),
            in_flight,
        };
        runners.spawn(runner.run());
    }
    let mut keeper = JoinSet::new();
    keeper.spawn(keep(api.kit.clone(), board.clone(), owner));
    Ok(RunningSync {
        api,
        board,
        owner,
        runners,
        keeper,
    })
}

/// Runs the sync until SIGINT or SIGTERM.
///
/// # Errors
/// See [`SyncError`].
pub async fn serve(config: Config, endpoints: Endpoints) -> Result<(), SyncError> {
    let sync = start(config, endpoints).await?;
    if let Some(key) = &sync.api.new_admin_key {
        // The only time that it is shown; it never reaches the log.
        println!("{} admin key (shown once): {key}", SERVICE.name);
    }
    tracing::info!(service = SERVICE.name, address = %sync.address(), "listening");
    server::stop_signal().await;
    sync.stop().await;
    tracing::info!(service = SERVICE.name, "stopped");
    Ok(())
}
