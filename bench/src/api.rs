//! A JSON client for one service. It repeats nothing: what a measured service refuses is a failure.

use crate::failure::{Context, Failure, Result};
use crate::stack::Service;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// Longer than a long-poll.
const TIMEOUT: Duration = Duration::from_secs(60);
const UPLOAD: Duration = Duration::from_secs(1_800);

#[derive(Clone)]
pub struct Api {
    http: Client,
    base: String,
    key: String,
}

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

/// # Errors
/// When it cannot be made.
pub fn http_client() -> Result<Client> {
    // Fails only when there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().timeout(TIMEOUT).build();
    client.context(|| "no HTTP client".to_owned())
}

impl Api {
    pub fn new(http: &Client, service: &Service) -> Self {
        Api {
            http: http.clone(),
            base: service.url.clone(),
            key: service.api_key.clone(),
        }
    }

    /// The same service for somebody else.
    pub fn with_key(&self, key: &str) -> Self {
        Api {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    /// # Errors
    /// When the service refuses or does not answer; so for every method here.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let request = self.http.get(format!("{}{path}", self.base));
        self.answer(request, path).await
    }

    /// # Errors
    /// As [`Api::get`].
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T> {
        let request = self.http.post(format!("{}{path}", self.base)).json(body);
        self.answer(request, path).await
    }

    /// A command without a body.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn command(&self, path: &str) -> Result<Value> {
        let request = self.http.post(format!("{}{path}", self.base));
        self.answer(request, path).await
    }

    /// A CSV file, which may take longer than a request.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn upload<T: DeserializeOwned>(&self, path: &str, file: Vec<u8>) -> Result<T> {
        let request = self.http.post(format!("{}{path}", self.base)).timeout(UPLOAD);
        let request = request.header("Content-Type", "text/csv").body(file);
        self.answer(request, path).await
    }

    /// All items of a list, page by page. `path` has a query.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page: Page<T> = self.get(&format!("{path}{cursor}")).await?;
            items.extend(page.items);
            match page.next_cursor {
                // A cursor is of base64's URL alphabet.
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(items),
            }
        }
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder, path: &str) -> Result<T> {
        let failed = || format!("no answer from {}{path}", self.base);
        let answer = request.bearer_auth(&self.key).send().await.context(failed)?;
        let status = answer.status();
        let body = answer.bytes().await.context(failed)?;
        if !status.is_success() {
            let said = String::from_utf8_lossy(&body);
            return Err(Failure::new(format!("{}{path} answered {status}: {said}", self.base)));
        }
        serde_json::from_slice(&body).context(|| format!("the answer of {}{path} is not understood", self.base))
    }
}
