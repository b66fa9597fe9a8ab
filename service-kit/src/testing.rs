//! For tests: a database of one's own in tens of milliseconds, and services on free ports.
//!
//! One cluster serves the whole test run. Each service's schema is migrated once per test process
//! into a template; every test clones it, commits for real, and drops its clone at the end.

pub mod conventions;

use crate::config::Config;
use crate::server::{Kit, Running, ServeError, Service, start};
use actix_web::web;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use private_postgres::Cluster;
use private_postgres::testing::shared_test_cluster;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// The admin key of services started by tests.
pub const ADMIN_KEY: &str = "tdm_test_admin_key_0123456789abcdefghijkl";
/// The integration key of services started by tests.
pub const INTEGRATION_KEY: &str = "tdm_test_integration_key_0123456789abcdef";

/// The cluster of the test run.
///
/// # Panics
/// When PostgreSQL cannot be started: nothing can be tested then.
pub fn cluster() -> &'static Cluster {
    match shared_test_cluster() {
        Ok(cluster) => cluster,
        Err(error) => panic!("no test cluster: {error}: {:?}", std::error::Error::source(error)),
    }
}

/// A database that is dropped with this value.
pub struct TestDatabase {
    pub name: String,
    pub url: String,
}

impl TestDatabase {
    /// A migrated database for a service.
    ///
    /// # Panics
    /// When the database refuses.
    pub fn of(service: &Service) -> Self {
        let template = template(service);
        let name = format!("test_{}_{}", service.name, Uuid::new_v4().simple());
        admin(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        TestDatabase {
            url: cluster().url(&name),
            name,
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        admin(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

#[allow(clippy::expect_used, reason = "a test cannot go on without its cluster")]
fn admin(statement: &str) {
    let mut conn = PgConnection::establish(&cluster().admin_url()).expect("the test cluster accepts connections");
    conn.batch_execute(statement).expect("the test cluster obeys");
}

/// Migrates the template of a service once per process.
#[allow(clippy::expect_used, reason = "a test cannot go on without its template")]
fn template(service: &Service) -> String {
    static TEMPLATES: Mutex<Option<HashMap<&'static str, String>>> = Mutex::new(None);
    let mut templates = TEMPLATES.lock().unwrap_or_else(PoisonError::into_inner);
    let templates = templates.get_or_insert_default();
    if let Some(name) = templates.get(service.name) {
        return name.clone();
    }
    let name = format!("template_{}_{}", service.name, std::process::id());
    admin(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    admin(&format!("CREATE DATABASE {name}"));
    crate::db::migrate(&cluster().url(&name), &[&crate::migrations::KIT, service.migrations])
        .expect("the migrations run");
    templates.insert(service.name, name.clone());
    name
}

/// A service on a free port with a database of its own.
pub struct TestService {
    pub running: Running,
    pub client: Client,
    pub database: TestDatabase,
}

impl TestService {
    /// # Panics
    /// When it does not start.
    pub async fn start<D>(service: Service, data: D) -> Self
    where
        D: Fn(&Kit, &mut web::ServiceConfig) + Clone + Send + 'static,
    {
        Self::start_with(service, |_| {}, data).await
    }

    /// With a configuration of its own.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with<D>(service: Service, configure: impl FnOnce(&mut Config), data: D) -> Self
    where
        D: Fn(&Kit, &mut web::ServiceConfig) + Clone + Send + 'static,
    {
        let database = TestDatabase::of(&service);
        let mut config = test_config(&database.url);
        configure(&mut config);
        let running = match start(service, config, data).await {
            Ok(running) => running,
            Err(error) => panic!("{} does not start: {error}", service.name),
        };
        let client = Client::new(format!("http://{}", running.address), ADMIN_KEY);
        TestService {
            running,
            client,
            database,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.running.address)
    }

    /// A team, made over the API.
    pub async fn team(&self, name: &str, parent: Option<&str>) -> String {
        let body = serde_json::json!({ "name": name, "parent_id": parent });
        let made = self.client.post("/v1/teams", body).await.expect(201);
        made["id"].as_str().unwrap_or_default().to_owned()
    }

    /// A user, made over the API, who has signed in; `sees` is `own`, `team` or `all`.
    pub async fn user(&self, name: &str, role: &str, sees: &str, team: Option<&str>) -> User {
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        let body = serde_json::json!({ "name": name, "email": email, "role": role, "sees": sees, "team_id": team });
        let made = self.client.post("/v1/users", body).await.expect(201);
        let id = made["id"].as_str().unwrap_or_default().to_owned();
        User {
            client: self.session_of(&id),
            id,
            email,
        }
    }

    /// A session of a user without the password: nobody wants to wait for a hash in each test.
    ///
    /// # Panics
    /// When the database refuses.
    #[allow(clippy::expect_used, reason = "a test cannot go on without its session")]
    pub fn session_of(&self, user: &str) -> Client {
        use diesel::RunQueryDsl;
        use diesel::sql_types::{Binary, Text, Uuid as SqlUuid};
        let token = crate::auth::new_session_token();
        let mut conn = PgConnection::establish(&self.database.url).expect("the test database accepts connections");
        diesel::sql_query(
            "INSERT INTO sessions (id, user_id, hash, created_at, expires_at)
             VALUES ($1, $2::uuid, $3, now(), now() + interval '1 hour')",
        )
        .bind::<SqlUuid, _>(Uuid::now_v7())
        .bind::<Text, _>(user)
        .bind::<Binary, _>(&crate::auth::hash(&token)[..])
        .execute(&mut conn)
        .expect("a session");
        self.client.with_key(&token)
    }

    /// A client with the integration key.
    pub fn integration(&self) -> Client {
        self.client.with_key(INTEGRATION_KEY)
    }
}

/// Somebody who has signed in.
pub struct User {
    pub id: String,
    pub email: String,
    pub client: Client,
}

/// Starts a service on a free port with the test keys.
///
/// # Errors
/// See [`ServeError`].
pub async fn start_on<D>(service: Service, url: &str, data: D) -> Result<Running, ServeError>
where
    D: Fn(&Kit, &mut web::ServiceConfig) + Clone + Send + 'static,
{
    start(service, test_config(url), data).await
}

/// The configuration of services started by tests: nothing happens in them by itself.
pub fn test_config(url: &str) -> Config {
    let mut config = Config::new(url.to_owned(), ([127, 0, 0, 1], 0).into());
    config.bootstrap_key = Some(ADMIN_KEY.to_owned());
    config.integration_key = Some(INTEGRATION_KEY.to_owned());
    config.connections = 4;
    config.workers = 1;
    config.requests_per_second = 1_000_000;
    config.open_requests_per_minute = 1_000_000;
    config.background = false;
    config
}

/// A small HTTP client that speaks JSON and asserts on statuses.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    pub base: String,
    key: String,
}

/// An answer read to its end.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Reply {
    /// # Panics
    /// When the status differs; shows the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    /// Expects a problem with this status and code.
    ///
    /// # Panics
    /// When it is another; shows the body.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status.as_u16(), self.body["code"].as_str()),
            (status, Some(code)),
            "{:#}",
            self.body
        );
        assert_eq!(self.headers["content-type"], "application/problem+json");
        self.body
    }

    pub fn etag(&self) -> String {
        self.headers
            .get("etag")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    }
}

impl Client {
    /// # Panics
    /// When no HTTP client can be made.
    #[allow(clippy::expect_used, reason = "only fails without TLS, which is not used")]
    pub fn new(base: String, key: &str) -> Self {
        let http = http_client().expect("an HTTP client");
        Client {
            http,
            base,
            key: key.to_owned(),
        }
    }

    pub fn with_key(&self, key: &str) -> Self {
        Client {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        if self.key.is_empty() {
            request
        } else {
            request.bearer_auth(&self.key)
        }
    }

    /// # Panics
    /// When nothing answers.
    #[allow(clippy::expect_used, reason = "a test wants the answer")]
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("a body");
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Reply { status, headers, body }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn post_with_key(&self, path: &str, idempotency_key: &str, body: Value) -> Reply {
        self.send(
            self.request(Method::POST, path)
                .header("Idempotency-Key", idempotency_key)
                .json(&body),
        )
        .await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// PATCH with the ETag of the record as it is now.
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        let etag = self.get(path).await.etag();
        self.patch_matching(path, &etag, body).await
    }

    pub async fn patch_matching(&self, path: &str, etag: &str, body: Value) -> Reply {
        self.send(self.request(Method::PATCH, path).header("If-Match", etag).json(&body))
            .await
    }

    /// A new key with a role and permissions of its own.
    pub async fn new_key(&self, role: &str, permissions: &[&str]) -> Client {
        let body = serde_json::json!({ "name": role, "role": role, "permissions": permissions });
        let made = self.post("/v1/api-keys", body).await.expect(201);
        self.with_key(made["key"].as_str().unwrap_or_default())
    }
}

/// An HTTP client; TLS by rustls with ring.
///
/// # Errors
/// When it cannot be built.
pub fn http_client() -> reqwest::Result<reqwest::Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A service closes what was idle for five seconds, perhaps just when the next request goes out.
    let idle = std::time::Duration::from_secs(2);
    reqwest::Client::builder().no_proxy().pool_idle_timeout(idle).build()
}
