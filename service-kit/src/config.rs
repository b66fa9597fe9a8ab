//! Configuration from the environment: `ERP_DATABASE_URL`, `ERP_BIND` and so on, by prefix.

use chrono_tz::Tz;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

/// What a service process is told from outside.
#[derive(Debug, Clone)]
pub struct Config {
    pub database_url: String,
    pub bind: SocketAddr,
    /// Key registered at start with the role `admin`.
    pub bootstrap_key: Option<String>,
    /// Key registered at start with the role `integration`.
    pub integration_key: Option<String>,
    /// Connections, and so commands and reads that run at once.
    pub connections: u32,
    /// HTTP worker threads.
    pub workers: usize,
    /// Requests a second that one key may make; integration keys have no limit.
    pub requests_per_second: u32,
    /// Requests a minute that one address may make without a key, and that may be made with one e-mail
    /// address when signing in.
    pub open_requests_per_minute: u32,
    /// Whether a proxy stands in front whose `X-Forwarded-For` says where a request came from.
    pub behind_proxy: bool,
    /// How long a request may wait for a connection before it is answered 503.
    pub connection_wait: Duration,
    /// How long a request may take altogether (long-polls add their `wait`).
    pub request_timeout: Duration,
    /// Zone of business dates: decides what "today" is.
    pub time_zone: Tz,
    /// How long events and stored answers are kept, in days; at least 30.
    pub retention_days: u32,
    /// Whether the service does by itself what it has to do by itself; tests run rounds by hand.
    pub background: bool,
    /// How mail goes out; without it, none does.
    pub mail: Option<Mail>,
}

/// How mail goes out.
#[derive(Clone)]
pub struct Mail {
    /// `smtp://host:25`, `smtps://user:password@host`, `smtp://user:password@host:587?tls=required`.
    pub smtp_url: String,
    /// Whom it is from, e.g. `Sales <sales@example.com>`.
    pub from: String,
}

impl std::fmt::Debug for Mail {
    /// Without the address of the server, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("from", &self.from).finish_non_exhaustive()
    }
}

/// A setting that is missing or cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{0} is not set")]
    Missing(String),
    #[error("{name}={value:?} is not understood; expected {expected}")]
    Invalid {
        name: String,
        value: String,
        expected: &'static str,
    },
}

impl Config {
    /// A configuration with the defaults, for a database and an address.
    pub fn new(database_url: String, bind: SocketAddr) -> Self {
        Config {
            database_url,
            bind,
            bootstrap_key: None,
            integration_key: None,
            connections: 8,
            workers: 2,
            requests_per_second: 5_000,
            open_requests_per_minute: 20,
            behind_proxy: false,
            connection_wait: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            time_zone: Tz::UTC,
            retention_days: 30,
            background: true,
            mail: None,
        }
    }

    /// Reads `<PREFIX>_*`, with `default_bind` when `<PREFIX>_BIND` is absent.
    ///
    /// # Errors
    /// Names the variable that is missing or malformed.
    pub fn from_env(prefix: &str, default_bind: &str) -> Result<Self, ConfigError> {
        let url_name = format!("{prefix}_DATABASE_URL");
        let url = var(&url_name).ok_or(ConfigError::Missing(url_name))?;
        let bind_name = format!("{prefix}_BIND");
        let bind = var(&bind_name).unwrap_or_else(|| default_bind.to_owned());
        let bind = bind.parse().map_err(|_| ConfigError::Invalid {
            name: bind_name,
            value: bind.clone(),
            expected: "an address and port such as 127.0.0.1:8081",
        })?;
        let defaults = Config::new(url, bind);
        Ok(Config {
            bootstrap_key: key(&format!("{prefix}_BOOTSTRAP_KEY"))?,
            integration_key: key(&format!("{prefix}_INTEGRATION_KEY"))?,
            connections: parsed(&format!("{prefix}_CONNECTIONS"), "a number", defaults.connections)?.max(1),
            workers: parsed(&format!("{prefix}_WORKERS"), "a number", defaults.workers)?.max(1),
            requests_per_second: parsed(
                &format!("{prefix}_REQUESTS_PER_SECOND"),
                "a number",
                defaults.requests_per_second,
            )?
            .max(1),
            open_requests_per_minute: parsed(
                &format!("{prefix}_OPEN_REQUESTS_PER_MINUTE"),
                "a number",
                defaults.open_requests_per_minute,
            )?
            .max(1),
            behind_proxy: parsed(
                &format!("{prefix}_BEHIND_PROXY"),
                "true or false",
                defaults.behind_proxy,
            )?,
            time_zone: parsed(
                "TANDEM_TIME_ZONE",
                "an IANA time zone such as Europe/Berlin",
                defaults.time_zone,
            )?,
            retention_days: parsed(
                &format!("{prefix}_RETENTION_DAYS"),
                "a number of days",
                defaults.retention_days,
            )?
            .max(30),
            mail: mail(prefix)?,
            ..defaults
        })
    }
}

/// A variable that is set and not empty.
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable parsed, or its default when absent.
///
/// # Errors
/// [`ConfigError::Invalid`] when it is set but malformed.
pub fn parsed<T: FromStr>(name: &str, expected: &'static str, default: T) -> Result<T, ConfigError> {
    match var(name) {
        None => Ok(default),
        Some(value) => value.parse().map_err(|_| ConfigError::Invalid {
            name: name.to_owned(),
            value,
            expected,
        }),
    }
}

fn mail(prefix: &str) -> Result<Option<Mail>, ConfigError> {
    let (url_name, from_name) = (format!("{prefix}_SMTP_URL"), format!("{prefix}_MAIL_FROM"));
    match (var(&url_name), var(&from_name)) {
        (Some(smtp_url), Some(from)) => Ok(Some(Mail { smtp_url, from })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(ConfigError::Missing(from_name)),
        (None, Some(_)) => Err(ConfigError::Missing(url_name)),
    }
}

fn key(name: &str) -> Result<Option<String>, ConfigError> {
    match var(name) {
        Some(key) if key.len() < 32 => Err(ConfigError::Invalid {
            name: name.to_owned(),
            value: "(hidden)".to_owned(),
            expected: "at least 32 random characters",
        }),
        other => Ok(other),
    }
}
