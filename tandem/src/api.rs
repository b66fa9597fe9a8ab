//! A JSON client for the services: like any other client's, with the admin key of `stack.json`.
//!
//! Everything that it sends may be repeated (PUT by id, POST with an `Idempotency-Key`), so it
//! does repeat what did not get through: a service that is being restarted is only slow.

use crate::failure::{Context, Failure, Result};
use crate::stack::Running;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use service_kit::Problem;
use std::time::{Duration, Instant};

/// How long a service may be away before we give up.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than a long-poll.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The longest page.
const PAGE: usize = 500;

/// One service, as a client sees it.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    key: String,
}

/// A page of a list.
#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

/// An HTTP client for services on this machine; TLS, where somebody wants it, by rustls with ring.
///
/// # Errors
/// When it cannot be made.
pub fn http_client() -> Result<reqwest::Client> {
    // Fails only when there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .build()
        .context(|| "no HTTP client".to_owned())
}

impl Api {
    pub fn new(http: &reqwest::Client, service: &Running) -> Self {
        Api {
            http: http.clone(),
            base: service.url.clone(),
            key: service.api_key.clone(),
        }
    }

    /// The same service with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Api {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    /// # Errors
    /// When the service refuses or stays away; so for every method here.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let answer = self.send(Method::GET, path, None, None).await?;
        parse(path, &answer)
    }

    /// `None` when there is no such record.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        match self.answer(&Method::GET, path, None, None).await? {
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (status, answer) if status.is_success() => parse(path, &answer).map(Some),
            (_, answer) => Err(refused(&Method::GET, path, &answer)),
        }
    }

    /// All items of a list, page by page. `path` may have a query.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        let joint = if path.contains('?') { '&' } else { '?' };
        loop {
            let page: Page<T> = self.get(&format!("{path}{joint}limit={PAGE}{cursor}")).await?;
            items.extend(page.items);
            match page.next_cursor {
                // A cursor is of base64's URL alphabet.
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(items),
            }
        }
    }

    /// # Errors
    /// As [`Api::get`].
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.send(Method::PUT, path, None, Some(body)).await?;
        parse(path, &answer)
    }

    /// # Errors
    /// As [`Api::get`].
    pub async fn post(&self, path: &str, idempotency_key: &str, body: &Value) -> Result<Value> {
        let answer = self.send(Method::POST, path, Some(idempotency_key), Some(body)).await?;
        parse(path, &answer)
    }

    /// A command without a body.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn command(&self, path: &str, idempotency_key: &str) -> Result<Value> {
        let answer = self.send(Method::POST, path, Some(idempotency_key), None).await?;
        parse(path, &answer)
    }

    /// # Errors
    /// As [`Api::get`].
    pub async fn delete(&self, path: &str) -> Result<()> {
        self.send(Method::DELETE, path, None, None).await.map(|_| ())
    }

    async fn send(&self, method: Method, path: &str, key: Option<&str>, body: Option<&Value>) -> Result<Vec<u8>> {
        let (status, answer) = self.answer(&method, path, key, body).await?;
        match status.is_success() {
            true => Ok(answer),
            false => Err(refused(&method, path, &answer)),
        }
    }

    /// The first answer that is not 'try again'.
    async fn answer(
        &self,
        method: &Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Vec<u8>)> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let mut request = self
                .http
                .request(method.clone(), format!("{}{path}", self.base))
                .bearer_auth(&self.key);
            if let Some(key) = key {
                request = request.header("Idempotency-Key", key);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = read(request).await;
            let patient = started.elapsed() < PATIENCE;
            match answer {
                Ok((StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, _)) | Err(_) if patient => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
                answer => return answer.context(|| format!("{method} {}{path}", self.base)),
            }
        }
    }
}

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<(StatusCode, Vec<u8>)> {
    let answer = request.send().await?;
    let status = answer.status();
    Ok((status, answer.bytes().await?.to_vec()))
}

/// The answer of a command as what it should be.
///
/// # Errors
/// When it is not.
pub fn understood<T: DeserializeOwned>(path: &str, answer: Value) -> Result<T> {
    serde_json::from_value(answer).context(|| format!("the answer of {path} is not what was expected"))
}

fn parse<T: DeserializeOwned>(path: &str, answer: &[u8]) -> Result<T> {
    serde_json::from_slice(answer).context(|| format!("the answer of {path} is not what was expected"))
}

/// What the service said, with every fault that it named.
fn refused(method: &Method, path: &str, answer: &[u8]) -> Failure {
    let said = match serde_json::from_slice::<Problem>(answer) {
        Err(_) => String::from_utf8_lossy(answer).into_owned(),
        Ok(problem) => {
            let faults = problem
                .errors
                .iter()
                .map(|fault| format!("; {} {}", fault.pointer, fault.message));
            format!("{problem}{}", faults.collect::<String>())
        }
    };
    Failure::new(format!("{method} {path} was refused: {said}"))
}
