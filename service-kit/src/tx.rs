//! The unit of work: one transaction with its audit rows, events and stored answer.

use crate::auth::Actor;
use crate::db::{Failure, classify, sql};
use crate::http::{Answer, Resource};
use crate::idempotency::IdempotencyKey;
use crate::problem::{Error, Problem, Result};
use crate::sight::Sight;
use actix_web::http::StatusCode;
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use chrono_tz::Tz;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::sql_types::{Array, BigInt, Json, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use uuid::Uuid;

/// What a command knows of the request that asked for it.
#[derive(Debug, Clone)]
pub struct Context {
    pub actor: Actor,
    pub request_id: String,
    /// Method and path.
    pub operation: String,
    pub idempotency_key: Option<IdempotencyKey>,
    pub if_match: Option<String>,
    pub dry_run: bool,
    pub time_zone: Tz,
}

/// A transaction in progress; dereferences to the connection.
pub struct Tx<'a> {
    conn: &'a mut PgConnection,
    context: &'a Context,
    now: DateTime<Utc>,
    audit: Vec<AuditEntry>,
    events: Vec<Event>,
    /// Types of the events that are written.
    told: BTreeSet<&'static str>,
    stored_body: Option<String>,
    previews: Map<String, Value>,
    rehearsing: bool,
}

struct AuditEntry {
    subject_type: &'static str,
    subject: Uuid,
    revision: i64,
    changes: Value,
}

struct Event {
    r#type: &'static str,
    subject: Uuid,
    version: i64,
    data: Value,
}

/// A record that this service is the master of: its changes are events.
pub trait Emitted: Resource {
    /// Event type, e.g. `customer.changed`.
    const EVENT: &'static str;

    /// Version of the part that this service owns.
    fn version(&self) -> i64;
}

impl Deref for Tx<'_> {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        self.conn
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.conn
    }
}

impl<'a> Tx<'a> {
    fn new(conn: &'a mut PgConnection, context: &'a Context) -> Self {
        // PostgreSQL keeps microseconds; what is answered must be what is stored.
        let now = Utc::now().trunc_subsecs(6);
        Tx {
            conn,
            context,
            now,
            audit: Vec::new(),
            events: Vec::new(),
            told: BTreeSet::new(),
            stored_body: None,
            previews: Map::new(),
            rehearsing: false,
        }
    }

    pub fn actor(&self) -> &Actor {
        &self.context.actor
    }

    /// Which records are there for whoever acts.
    pub fn sight(&self) -> Sight {
        self.context.actor.sight.clone()
    }

    /// The instant of this command.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The company's time zone: decides what day it is.
    pub fn time_zone(&self) -> Tz {
        self.context.time_zone
    }

    /// Today in the company's time zone.
    pub fn today(&self) -> NaiveDate {
        self.now.with_timezone(&self.context.time_zone).date_naive()
    }

    /// The company's time zone, e.g. `Europe/Berlin`.
    pub fn zone(&self) -> &'static str {
        self.context.time_zone.name()
    }

    /// Whether everything will be rolled back: draw no document number then.
    pub fn dry_run(&self) -> bool {
        self.context.dry_run || self.rehearsing
    }

    /// Does work that, when it fails, leaves this transaction as it was before; for work on many
    /// records of which one may be refused.
    ///
    /// # Errors
    /// Those of the work.
    pub fn savepoint<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let (audit, events) = (self.audit.len(), self.events.len());
        AnsiTransactionManager::begin_transaction(&mut *self.conn)?;
        match work(self) {
            Ok(done) => {
                AnsiTransactionManager::commit_transaction(&mut *self.conn)?;
                Ok(done)
            }
            Err(error) => {
                AnsiTransactionManager::rollback_transaction(&mut *self.conn)?;
                self.audit.truncate(audit);
                self.events.truncate(events);
                Err(error)
            }
        }
    }

    /// Does work as a dry run within a command that is none: what it answers stays, all that it did
    /// is rolled back.
    ///
    /// # Errors
    /// Those of the work.
    pub fn rehearse<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let (audit, events) = (self.audit.len(), self.events.len());
        AnsiTransactionManager::begin_transaction(&mut *self.conn)?;
        let rehearsing = std::mem::replace(&mut self.rehearsing, true);
        let done = work(self);
        self.rehearsing = rehearsing;
        AnsiTransactionManager::rollback_transaction(&mut *self.conn)?;
        self.audit.truncate(audit);
        self.events.truncate(events);
        done
    }

    /// Lets deferred constraints speak now instead of at the end.
    ///
    /// # Errors
    /// The violation of one.
    pub fn check_deferred(&mut self) -> Result<()> {
        self.batch_execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")?;
        Ok(())
    }

    /// The id that the caller minted, or a new one.
    pub fn mint(&self, given: Option<Uuid>) -> Uuid {
        given.unwrap_or_else(Uuid::now_v7)
    }

    /// What a repeat of this command gets as body instead of the answer (which holds a secret).
    pub fn replay_with(&mut self, body: String) {
        self.stored_body = Some(body);
    }

    /// Shows what a dry run would make beside the record itself: the answer of a dry run has it in
    /// the array `field`. Without a dry run this does nothing.
    pub fn preview(&mut self, field: &'static str, made: impl FnOnce() -> Value) {
        if self.context.dry_run
            && let Value::Array(shown) = self.previews.entry(field).or_insert_with(|| Value::Array(Vec::new()))
        {
            shown.push(made());
        }
    }

    /// The body of a dry run: the record with what was previewed.
    fn with_previews(&mut self, answer: Answer) -> Result<Answer> {
        let previews = std::mem::take(&mut self.previews);
        if previews.is_empty() {
            return Ok(answer);
        }
        let mut body: Value = serde_json::from_str(&answer.body)?;
        if let Some(fields) = body.as_object_mut() {
            fields.extend(previews);
        }
        Ok(Answer {
            body: body.to_string(),
            ..answer
        })
    }

    /// Leaves an audit row that says what changed from what to what.
    ///
    /// # Errors
    /// When a record cannot be serialised, which is a bug.
    pub fn audit<R: Resource>(&mut self, before: Option<&R>, after: &R) -> Result<()> {
        let before = before.map(serde_json::to_value).transpose()?;
        let after_value = serde_json::to_value(after)?;
        self.audit_value::<R>(before, &after_value, after.id(), after.revision());
        Ok(())
    }

    /// Leaves an audit row and the record's event.
    ///
    /// # Errors
    /// When a record cannot be serialised, which is a bug.
    pub fn changed<R: Emitted>(&mut self, before: Option<&R>, after: &R) -> Result<()> {
        let before = before.map(serde_json::to_value).transpose()?;
        let after_value = serde_json::to_value(after)?;
        self.audit_value::<R>(before, &after_value, after.id(), after.revision());
        self.emit(R::EVENT, after.id(), after.version(), after_value);
        Ok(())
    }

    fn audit_value<R: Resource>(&mut self, before: Option<Value>, after: &Value, subject: Uuid, revision: i64) {
        let changes = difference(before.as_ref(), after);
        self.audit.push(AuditEntry {
            subject_type: R::TYPE,
            subject,
            revision,
            changes,
        });
    }

    /// Leaves an audit row with changes that are put together by hand.
    pub fn audit_changes(&mut self, subject_type: &'static str, subject: Uuid, revision: i64, changes: Value) {
        self.audit.push(AuditEntry {
            subject_type,
            subject,
            revision,
            changes,
        });
    }

    /// Emits an event: `data` is the whole record, `version` orders the events of a subject.
    pub fn emit(&mut self, r#type: &'static str, subject: Uuid, version: i64, data: Value) {
        self.events.push(Event {
            r#type,
            subject,
            version,
            data,
        });
    }

    /// Compares `If-Match` with the record as it is now, under its lock.
    ///
    /// # Errors
    /// 428 when the header is missing, 412 naming the fields that changed since when it is stale.
    pub fn require_match<R: Resource>(&mut self, current: &R) -> Result<()> {
        let Some(wanted) = self.context.if_match.clone() else {
            let detail = "send If-Match with the ETag of the record as you know it";
            return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "precondition_required", detail).into());
        };
        self.check_match(current, &wanted)
    }

    /// Compares `If-Match` with the record when the client sent it: for verbs that do not need it.
    ///
    /// # Errors
    /// 412 when it is stale.
    pub fn match_if_given<R: Resource>(&mut self, current: &R) -> Result<()> {
        match self.context.if_match.clone() {
            Some(wanted) => self.check_match(current, &wanted),
            None => Ok(()),
        }
    }

    fn check_match<R: Resource>(&mut self, current: &R, wanted: &str) -> Result<()> {
        let etag = current.etag();
        if is_match(current, wanted) {
            return Ok(());
        }
        let known = wanted
            .trim_matches('"')
            .split('.')
            .next()
            .unwrap_or_default()
            .parse::<i64>()
            .unwrap_or(i64::MAX);
        let fields = fields_changed_since(self.conn, current.id(), known)?;
        let detail = match fields.is_empty() {
            true => "the record is not the one that this ETag stands for".to_owned(),
            false => format!("the record has changed since: {}", fields.join(", ")),
        };
        let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "stale", detail)
            .fact("changed_fields", fields)
            .fact("etag", etag);
        Err(problem.into())
    }

    /// Writes audit rows and events, in one statement: a round trip less on every command.
    ///
    /// This happens at the end by itself. A command that changes very many records calls it on the
    /// way, so as not to hold all their events.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn flush(&mut self) -> Result<()> {
        if self.audit.is_empty() && self.events.is_empty() {
            return Ok(());
        }
        let (entries, events) = (std::mem::take(&mut self.audit), std::mem::take(&mut self.events));
        self.told.extend(events.iter().map(|event| event.r#type));
        sql("WITH audited AS (
                 INSERT INTO audit_log (occurred_at, actor_id, actor, request_id, operation, subject_type, subject, revision, changes)
                 SELECT $1, $2, $3, $4, $5, * FROM unnest($6, $7, $8, $9))
             INSERT INTO events (occurred_at, id, type, subject, subject_version, data)
             SELECT $10, * FROM unnest($11, $12, $13, $14, $15)")
            .bind::<Timestamptz, _>(self.now)
            .bind::<SqlUuid, _>(self.context.actor.id)
            .bind::<Text, _>(&*self.context.actor.name)
            .bind::<Text, _>(&self.context.request_id)
            .bind::<Text, _>(&self.context.operation)
            .bind::<Array<Text>, _>(entries.iter().map(|e| e.subject_type).collect::<Vec<_>>())
            .bind::<Array<SqlUuid>, _>(entries.iter().map(|e| e.subject).collect::<Vec<_>>())
            .bind::<Array<BigInt>, _>(entries.iter().map(|e| e.revision).collect::<Vec<_>>())
            .bind::<Array<Json>, _>(entries.iter().map(|e| &e.changes).collect::<Vec<_>>())
            .bind::<Timestamptz, _>(self.now)
            .bind::<Array<SqlUuid>, _>(events.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(events.iter().map(|e| e.r#type).collect::<Vec<_>>())
            .bind::<Array<SqlUuid>, _>(events.iter().map(|e| e.subject).collect::<Vec<_>>())
            .bind::<Array<BigInt>, _>(events.iter().map(|e| e.version).collect::<Vec<_>>())
            .bind::<Array<Json>, _>(events.iter().map(|e| &e.data).collect::<Vec<_>>())
            .run(self.conn)?;
        Ok(())
    }
}

/// Whether `If-Match` names the record as it is.
pub(crate) fn is_match<R: Resource>(current: &R, wanted: &str) -> bool {
    wanted == "*" || wanted.split(',').any(|tag| current.matches(tag.trim()))
}

/// `{field: {from, to}}` for every top-level field that differs.
///
/// Of a new record the plain fields are shown: its parts stand in the record, and in the `from` of
/// whatever changes them first, so writing them here as well would say nothing new.
fn difference(before: Option<&Value>, after: &Value) -> Value {
    let noise = |field: &str| {
        matches!(
            field,
            "id" | "revision" | "version" | "updated_at" | "created_at" | "allowed_actions"
        )
    };
    let fields = after
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(field, _)| !noise(field));
    let changes: Map<String, Value> = match before {
        None => fields
            .filter(|(_, to)| !to.is_null() && !to.is_array() && !to.is_object())
            .map(|(field, to)| (field.clone(), serde_json::json!({ "from": null, "to": to })))
            .collect(),
        Some(before) => fields
            .filter(|(field, to)| before.get(field).unwrap_or(&Value::Null) != *to)
            .map(|(field, to)| {
                (
                    field.clone(),
                    serde_json::json!({ "from": before.get(field), "to": to }),
                )
            })
            .collect(),
    };
    Value::Object(changes)
}

fn fields_changed_since(conn: &mut PgConnection, subject: Uuid, revision: i64) -> Result<Vec<String>> {
    #[derive(QueryableByName)]
    struct Field {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let fields: Vec<Field> = sql("SELECT DISTINCT name FROM audit_log, json_object_keys(changes) AS name
         WHERE subject = $1 AND revision > $2 ORDER BY name LIMIT 100")
    .bind::<SqlUuid, _>(subject)
    .bind::<BigInt, _>(revision)
    .rows(conn)?;
    Ok(fields.into_iter().map(|field| field.name).collect())
}

/// How an attempt at a command ended.
pub(crate) enum Attempt {
    Done {
        answer: Answer,
        events: Vec<&'static str>,
    },
    /// Nothing was committed; the connection is gone.
    ConnectionLost,
    /// The connection broke while committing: nobody knows.
    OutcomeUnknown,
    /// Another transaction won.
    Retry,
    Refused(Error),
}

/// Runs an action in one transaction on one connection.
pub(crate) fn attempt(
    conn: &mut PgConnection,
    context: &Context,
    action: &dyn Fn(&mut Tx<'_>) -> Result<Answer>,
) -> Attempt {
    if let Err(error) = AnsiTransactionManager::begin_transaction(conn) {
        return failed(error.into());
    }
    let (outcome, events) = {
        let mut tx = Tx::new(conn, context);
        let outcome = run(&mut tx, context, action);
        (outcome, tx.told.into_iter().collect())
    };
    let answer = match outcome {
        Ok(answer) if !context.dry_run => answer,
        ended => {
            if AnsiTransactionManager::rollback_transaction(conn).is_err() && ended.is_ok() {
                return Attempt::ConnectionLost;
            }
            return match ended {
                Ok(answer) => Attempt::Done {
                    answer: Answer {
                        status: if answer.body.is_empty() { 204 } else { 200 },
                        location: None,
                        etag: None,
                        ..answer
                    },
                    events: Vec::new(),
                },
                Err(error) => failed(error),
            };
        }
    };
    match AnsiTransactionManager::commit_transaction(conn) {
        Ok(()) => Attempt::Done { answer, events },
        Err(error) => match classify(&error) {
            Failure::ConnectionLost => Attempt::OutcomeUnknown,
            Failure::Retry => Attempt::Retry,
            Failure::Other => Attempt::Refused(error.into()),
        },
    }
}

fn run(tx: &mut Tx<'_>, context: &Context, action: &dyn Fn(&mut Tx<'_>) -> Result<Answer>) -> Result<Answer> {
    let key = context.idempotency_key.as_ref().filter(|_| !context.dry_run);
    if let Some(stored) = key.map(|key| key.claim(tx)).transpose()?.flatten() {
        return Ok(stored);
    }
    let answer = action(tx)?;
    if context.dry_run {
        tx.batch_execute("SET CONSTRAINTS ALL IMMEDIATE")?;
        return tx.with_previews(answer);
    }
    tx.flush()?;
    if let Some(key) = key {
        let body = tx.stored_body.take();
        key.store(tx, &answer, body.as_deref().unwrap_or(&answer.body))?;
    }
    Ok(answer)
}

fn failed(error: Error) -> Attempt {
    match &error {
        Error::Stale => Attempt::Retry,
        Error::Database(database) => match classify(database) {
            Failure::ConnectionLost => Attempt::ConnectionLost,
            Failure::Retry => Attempt::Retry,
            Failure::Other => Attempt::Refused(error),
        },
        _ => Attempt::Refused(error),
    }
}
