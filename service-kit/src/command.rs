//! The two ways to the database: [`Command`] changes, [`Read`] reads.
//!
//! Both are handler arguments whose type names the permission; a handler without one has no way
//! to the database. Put it first: then a caller who may not is told so before anything is parsed.

use crate::auth::{Actor, Permission};
use crate::config::Mail;
use crate::exchange::Asked;
use crate::http::{Answer, BodyHash, Resource};
use crate::idempotency::IdempotencyKey;
use crate::problem::{Problem, Result};
use crate::server::Kit;
use crate::tx::{Context, Tx};
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use diesel::PgConnection;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

/// The right to change something, for an actor who holds `P`.
pub struct Command<P> {
    kit: web::Data<Kit>,
    request: HttpRequest,
    actor: Actor,
    idempotency_key: Option<String>,
    if_match: Option<String>,
    dry_run: bool,
    permission: PhantomData<P>,
}

/// The right to read something, for an actor who holds `P`.
pub struct Read<P> {
    kit: web::Data<Kit>,
    actor: Actor,
    /// The request asks for CSV, and what is read is a table.
    csv: Option<Asked>,
    permission: PhantomData<P>,
}

/// What a `PUT` did.
pub enum Put<R> {
    Created(R),
    Updated(R),
    Unchanged(R),
}

#[derive(Deserialize)]
struct CommandQuery {
    #[serde(default)]
    dry_run: bool,
}

fn authorize<P: Permission>(request: &HttpRequest) -> Result<(web::Data<Kit>, Actor), Problem> {
    let kit = request
        .app_data::<web::Data<Kit>>()
        .ok_or_else(Problem::internal)?
        .clone();
    let actor = request
        .extensions()
        .get::<Actor>()
        .cloned()
        .ok_or_else(|| Problem::unauthorized("no key"))?;
    actor.require::<P>()?;
    Ok((kit, actor))
}

impl<P: Permission> FromRequest for Command<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::new(request))
    }
}

impl<P: Permission> Command<P> {
    fn new(request: &HttpRequest) -> Result<Self, Problem> {
        let (kit, actor) = authorize::<P>(request)?;
        crate::http::require_known_parameters(request)?;
        let query: CommandQuery = crate::http::parse_query(request.query_string())?;
        let idempotency_key = header(request, "Idempotency-Key", 200, |byte| byte.is_ascii_graphic())?
            .filter(|_| request.method() == Method::POST)
            // The hash of the body is kept with the key; it would be one of the password, and a quick one.
            .filter(|_| !crate::openapi::takes_password(request.path()));
        // A list of tags may have spaces.
        let if_match = header(request, "If-Match", 500, |byte| matches!(byte, b' '..=b'~'))?;
        let request = request.clone();
        Ok(Command {
            kit,
            request,
            actor,
            idempotency_key,
            if_match,
            dry_run: query.dry_run,
            permission: PhantomData,
        })
    }

    /// Asks for a second permission, where the input asks for more than the route does.
    ///
    /// # Errors
    /// 403 naming the permission.
    pub fn require<Q: Permission>(&self) -> Result<(), Problem> {
        self.actor.require::<Q>()
    }

    /// Whether `If-Match`, if given, names the record: for handlers that also act outside of the
    /// database, which ask before they do. The action then refuses in words.
    pub fn matches<R: Resource>(&self, record: &R) -> bool {
        let wanted = self.if_match.as_deref();
        wanted.is_none_or(|wanted| crate::tx::is_match(record, wanted))
    }

    /// Whether everything will be rolled back: for handlers that also act outside of the database.
    pub fn dry_run(&self) -> bool {
        self.dry_run
    }

    /// Asks for a second permission that is known only now.
    ///
    /// # Errors
    /// 403 naming the permission.
    pub fn require_named(&self, permission: &str) -> Result<(), Problem> {
        match self.actor.may(permission) {
            true => self.actor.require_sight_for(permission),
            false => Err(Problem::forbidden(permission)),
        }
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    pub(crate) fn kit(&self) -> &Kit {
        &self.kit
    }

    /// How mail goes out, if it does.
    pub fn mail(&self) -> Option<Arc<Mail>> {
        self.kit.mail.clone()
    }

    /// For work that is more than one transaction: the `Idempotency-Key` is then the caller's to mind.
    pub(crate) fn into_parts(self) -> (web::Data<Kit>, HttpRequest, Context, Option<String>) {
        let context = Context {
            operation: format!("{} {}", self.request.method(), self.request.path()),
            actor: self.actor,
            request_id: crate::telemetry::current_request_id().unwrap_or_default(),
            idempotency_key: None,
            if_match: None,
            dry_run: self.dry_run,
            time_zone: self.kit.time_zone,
        };
        (self.kit, self.request, context, self.idempotency_key)
    }

    /// Runs an action that changes an existing record; answers 200 with it.
    ///
    /// # Errors
    /// The action's refusal as a problem.
    pub async fn run<R, F>(self, action: F) -> Result<Answer, Problem>
    where
        R: Resource,
        F: Fn(&mut Tx<'_>) -> Result<R> + Send + 'static,
    {
        self.answer(move |tx| Ok(Answer::ok(&action(tx)?)?)).await
    }

    /// Runs an action that makes a record; answers 201 with it and its `Location`.
    ///
    /// # Errors
    /// The action's refusal as a problem.
    pub async fn create<R, F>(self, action: F) -> Result<Answer, Problem>
    where
        R: Resource,
        F: Fn(&mut Tx<'_>) -> Result<R> + Send + 'static,
    {
        self.answer(move |tx| Ok(Answer::created(&action(tx)?)?)).await
    }

    /// Runs an action that makes, changes or leaves a record; answers 201 or 200.
    ///
    /// # Errors
    /// The action's refusal as a problem.
    pub async fn put<R, F>(self, action: F) -> Result<Answer, Problem>
    where
        R: Resource,
        F: Fn(&mut Tx<'_>) -> Result<Put<R>> + Send + 'static,
    {
        self.answer(move |tx| {
            Ok(match action(tx)? {
                Put::Created(record) => Answer::created(&record)?,
                Put::Updated(record) | Put::Unchanged(record) => Answer::ok(&record)?,
            })
        })
        .await
    }

    /// Runs an action that makes its own answer.
    ///
    /// # Errors
    /// The action's refusal as a problem.
    pub async fn answer<F>(self, action: F) -> Result<Answer, Problem>
    where
        F: Fn(&mut Tx<'_>) -> Result<Answer> + Send + 'static,
    {
        let operation = format!("{} {}", self.request.method(), self.request.path());
        let body_hash = match self.request.extensions().get::<BodyHash>() {
            Some(hash) => hash.0,
            None => Sha256::digest(b"").into(),
        };
        let idempotency_key = self.idempotency_key.map(|key| IdempotencyKey {
            api_key_id: self.actor.id,
            operation: operation.clone(),
            key,
            body_hash,
        });
        let context = Context {
            actor: self.actor,
            request_id: crate::telemetry::current_request_id().unwrap_or_default(),
            operation,
            idempotency_key,
            if_match: self.if_match,
            dry_run: self.dry_run,
            time_zone: self.kit.time_zone,
        };
        self.kit.run_command(context, action).await
    }
}

impl<P: Permission> FromRequest for Read<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authorize::<P>(request).map(|(kit, actor)| Read {
            csv: Asked::by(request, &kit),
            kit,
            actor,
            permission: PhantomData,
        }))
    }
}

impl<P: Permission> Read<P> {
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    pub(crate) fn kit(&self) -> &web::Data<Kit> {
        &self.kit
    }

    /// Today in the company's time zone.
    pub fn today(&self) -> chrono::NaiveDate {
        chrono::Utc::now().with_timezone(&self.kit.time_zone).date_naive()
    }

    /// The company's time zone: decides what day it is.
    pub fn time_zone(&self) -> chrono_tz::Tz {
        self.kit.time_zone
    }

    /// The company's time zone, e.g. `Europe/Berlin`.
    pub fn zone(&self) -> &'static str {
        self.kit.time_zone.name()
    }

    /// One record.
    ///
    /// # Errors
    /// The query's refusal as a problem.
    pub async fn one<R, F>(self, query: F) -> Result<Answer, Problem>
    where
        R: Resource,
        F: Fn(&mut PgConnection) -> Result<R> + Send + 'static,
    {
        self.kit.run_read(move |conn| Ok(Answer::ok(&query(conn)?)?)).await
    }

    /// A file that is no JSON, put together by several statements that must see the same state.
    ///
    /// # Errors
    /// The query's refusal as a problem.
    pub async fn file<F>(self, media_type: &'static str, query: F) -> Result<Answer, Problem>
    where
        F: Fn(&mut PgConnection) -> Result<String> + Send + 'static,
    {
        self.kit
            .run_read(move |conn| {
                conn.build_transaction()
                    .repeatable_read()
                    .read_only()
                    .run(|conn| Ok(Answer::text(media_type, query(conn)?)))
            })
            .await
    }

    /// Anything else, such as a page. A list goes out as CSV if the request wants that.
    ///
    /// # Errors
    /// The query's refusal as a problem.
    pub async fn json<T, F>(self, query: F) -> Result<Answer, Problem>
    where
        T: serde::Serialize,
        F: Fn(&mut PgConnection) -> Result<T> + Send + 'static,
    {
        if let Some(asked) = self.csv {
            return asked.answer(&self.kit, self.actor, query).await;
        }
        self.kit.run_read(move |conn| Ok(Answer::json(&query(conn)?)?)).await
    }

    /// What a handler puts its own answer together from, such as a file.
    ///
    /// # Errors
    /// The query's refusal as a problem.
    pub async fn fetch<T, F>(self, query: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: Fn(&mut PgConnection) -> Result<T> + Send + 'static,
    {
        self.kit.run_read(query).await
    }

    /// One record put together by several statements that must see the same state.
    ///
    /// # Errors
    /// The query's refusal as a problem.
    pub async fn snapshot<R, F>(self, query: F) -> Result<Answer, Problem>
    where
        R: Resource,
        F: Fn(&mut PgConnection) -> Result<R> + Send + 'static,
    {
        self.kit
            .run_read(move |conn| {
                conn.build_transaction()
                    .repeatable_read()
                    .read_only()
                    .run(|conn| Ok(Answer::ok(&query(conn)?)?))
            })
            .await
    }
}

fn header(
    request: &HttpRequest,
    name: &'static str,
    longest: usize,
    allowed: fn(u8) -> bool,
) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get(name) else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(text) if !text.is_empty() && text.len() <= longest && text.bytes().all(allowed) => Ok(Some(text.to_owned())),
        _ => Err(Problem::bad_request(
            "invalid_header",
            format!("{name}: expected 1 to {longest} visible ASCII characters"),
        )),
    }
}

/// 404 in words when a query found nothing.
pub trait OrNotFound<T> {
    /// # Errors
    /// 404 naming the kind of record.
    fn or_not_found(self, kind: &str) -> Result<T>;
}

impl<T> OrNotFound<T> for diesel::QueryResult<T> {
    fn or_not_found(self, kind: &str) -> Result<T> {
        self.map_err(|error| match error {
            diesel::result::Error::NotFound => Problem::not_found(kind).into(),
            other => other.into(),
        })
    }
}
