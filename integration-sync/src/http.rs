//! How the sync talks to the ERP and the CRM: one client each, with connections that stay open.

use crate::flows::Request;
use actix_web::web::Bytes;
use chrono::{DateTime, Utc};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// One of the two systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum System {
    Erp,
    Crm,
}

impl System {
    pub const fn as_str(self) -> &'static str {
        match self {
            System::Erp => "erp",
            System::Crm => "crm",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            System::Erp => "the ERP",
            System::Crm => "the CRM",
        })
    }
}

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("the URL of {0} is not an http(s) address: {1:?}")]
    Url(System, String),
    #[error("the key for {0} cannot stand in a header")]
    Key(System),
    #[error("no HTTP client")]
    Client(#[from] reqwest::Error),
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub body: Bytes,
}

/// Nothing, or not all of it, came back.
#[derive(Debug, Clone)]
pub struct NoAnswer {
    /// Nobody listens there.
    pub unreachable: bool,
    pub text: String,
}

/// An event as the feed shows it.
#[derive(Debug, Deserialize)]
pub struct Event {
    pub r#type: String,
    pub subject: Uuid,
    pub subjectversion: i64,
    pub time: DateTime<Utc>,
    pub data: Box<RawValue>,
}

#[derive(Debug, Deserialize)]
pub struct EventBatch {
    pub events: Vec<Event>,
    pub next_cursor: String,
}

/// One page of a list.
#[derive(Debug, Deserialize)]
pub struct RecordPage {
    pub items: Vec<Box<RawValue>>,
    pub next_cursor: Option<String>,
}

/// A client of one system.
#[derive(Debug, Clone)]
pub struct Api {
    pub system: System,
    base: String,
    client: reqwest::Client,
}

/// Both of them.
#[derive(Debug, Clone)]
pub struct Apis {
    pub erp: Api,
    pub crm: Api,
}

impl Apis {
    pub fn of(&self, system: System) -> &Api {
        match system {
            System::Erp => &self.erp,
            System::Crm => &self.crm,
        }
    }
}

/// How long the feed may wait before it answers that nothing happened.
const WAIT_SECONDS: u8 = 25;
const ANSWER: Duration = Duration::from_secs(10);

impl Api {
    /// # Errors
    /// When URL or key are unusable.
    pub fn new(system: System, url: &str, key: &str) -> Result<Self, ClientError> {
        let parsed = reqwest::Url::parse(url).ok();
        if !parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            return Err(ClientError::Url(system, url.to_owned()));
        }
        let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| ClientError::Key(system))?;
        bearer.set_sensitive(true);
        // Fails only when one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, bearer)]))
            .connect_timeout(Duration::from_secs(2))
            .timeout(ANSWER)
            // Shorter than the services keep an idle connection: none dies under a request.
            .pool_idle_timeout(Duration::from_secs(4))
            .tcp_nodelay(true)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Api {
            system,
            base: url.trim_end_matches('/').to_owned(),
            client,
        })
    }

    /// Sends a change.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn put(&self, request: &Request) -> Result<Reply, NoAnswer> {
        let send = || {
            let put = self.client.put(format!("{}{}", self.base, request.path));
            self.finish(put.header(CONTENT_TYPE, JSON).body(request.body.clone()))
        };
        match send().await {
            // A kept connection may end in the moment that it is used: a repeat does no harm.
            Err(trouble) if trouble.broken => send().await.map_err(Into::into),
            answered => answered.map_err(Into::into),
        }
    }

    /// Reads something.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn get(&self, path: &str) -> Result<Reply, NoAnswer> {
        let get = || self.finish(self.client.get(format!("{}{path}", self.base)));
        match get().await {
            Err(trouble) if trouble.broken => get().await.map_err(Into::into),
            answered => answered.map_err(Into::into),
        }
    }

    /// Reads the event feed; with `patient` it waits for an event when there is none.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn events(&self, after: &str, types: &str, patient: bool) -> Result<Reply, NoAnswer> {
        let wait = if patient { WAIT_SECONDS } else { 0 };
        let url = format!(
            "{}/v1/events?after={after}&types={types}&limit=500&wait={wait}",
            self.base
        );
        let limit = ANSWER + Duration::from_secs(wait.into());
        self.finish(self.client.get(url).timeout(limit))
            .await
            .map_err(Into::into)
    }

    /// Whether the system as a whole is able to work.
    pub async fn is_healthy(&self) -> bool {
        let probe = self
            .client
            .get(format!("{}/health/ready", self.base))
            .timeout(Duration::from_secs(3));
        matches!(self.finish(probe).await, Ok(reply) if reply.status < 500)
    }

    async fn finish(&self, request: reqwest::RequestBuilder) -> Result<Reply, Trouble> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let body = response.bytes().await?;
        Ok(Reply { status, body })
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

struct Trouble {
    /// Neither a refused connection nor a timeout.
    broken: bool,
    unreachable: bool,
    text: String,
}

impl From<reqwest::Error> for Trouble {
    fn from(error: reqwest::Error) -> Self {
        let (unreachable, timeout) = (error.is_connect(), error.is_timeout());
        let error = error.without_url();
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            text = format!("{text}: {inner}");
            source = inner.source();
        }
        Trouble {
            broken: !unreachable && !timeout,
            unreachable,
            text,
        }
    }
}

impl From<Trouble> for NoAnswer {
    fn from(trouble: Trouble) -> Self {
        NoAnswer {
            unreachable: trouble.unreachable,
            text: trouble.text,
        }
    }
}
