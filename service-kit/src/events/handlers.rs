use super::feed::{self, FeedCursor};
use crate::auth::ReadEvents;
use crate::command::Read;
use crate::http::{Answer, Query};
use crate::openapi::Routes;
use crate::paging::Limit;
use crate::problem::Problem;
use actix_web::get;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// How often a waiting poll looks for commits of other processes.
const OTHER_PROCESSES: Duration = Duration::from_millis(250);
/// How long a woken poll lets transactions below the new events end, at first.
const BELOW_HORIZON: Duration = Duration::from_millis(3);

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    /// Cursor of the last answer; `latest` for only what is new; absent for everything kept.
    #[param(max_length = 200)]
    after: Option<String>,
    /// Event types, separated by commas; absent for all.
    #[param(max_length = 1000)]
    types: Option<String>,
    /// Events at most: 1 to 500.
    limit: Option<Limit>,
    /// Seconds to wait for an event when there is none, at most 30.
    #[param(maximum = 30)]
    wait: Option<u8>,
}

/// A CloudEvents 1.0 event; `data` is the whole record after the change.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Event {
    #[schema(example = "1.0")]
    pub specversion: String,
    /// Unique; a repeat has the same id.
    pub id: Uuid,
    /// The service.
    pub source: String,
    pub r#type: String,
    /// The record.
    pub subject: Uuid,
    pub time: DateTime<Utc>,
    pub datacontenttype: String,
    /// Orders the events of a subject: the feed's order does not.
    pub subjectversion: i64,
    #[schema(value_type = Object)]
    pub data: Box<RawValue>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct EventBatch {
    pub events: Vec<Event>,
    /// Pass it as `after` next time; it moves on even when nothing came.
    pub next_cursor: String,
}

pub fn routes(routes: &mut Routes) {
    routes.add(list_events);
}

/// Follow what changed.
///
/// Answers at once when there is something, else after at most `wait` seconds. Every committed
/// event appears exactly once in the feed's order; de-duplicate by `id`, and order the events of
/// a subject by `subjectversion`.
#[utoipa::path(tag = "events", params(EventsQuery), security(("api_key" = ["events:read"])),
    responses((status = 200, description = "Events and the next cursor", body = EventBatch),
              (status = 410, description = "The cursor is of another feed or too old: resynchronise", body = Problem, content_type = "application/problem+json")))]
#[get("/events")]
async fn list_events(read: Read<ReadEvents>, query: Query<EventsQuery>) -> Result<Answer, Problem> {
    let kit = read.kit().clone();
    let from = match query.after.as_deref() {
        None | Some("") => feed::From::Oldest,
        Some("latest") => feed::From::Latest,
        Some(cursor) => feed::From::After(FeedCursor::decode(cursor)?),
    };
    let types: Option<Vec<String>> = query
        .types
        .as_deref()
        .map(|types| types.split(',').map(|t| t.trim().to_owned()).collect());
    if types
        .iter()
        .flatten()
        .any(|name| name.contains('\0') || name.is_empty())
    {
        return Err(Problem::bad_request(
            "invalid_parameter",
            "types: expected event types separated by commas",
        ));
    }
    let limit = query.limit.map_or(500, Limit::get) as i64;
    let wait = match query.wait.unwrap_or(0) {
        seconds @ 0..=30 => Duration::from_secs(seconds.into()),
        _ => {
            return Err(Problem::bad_request(
                "invalid_parameter",
                "wait: expected 0 to 30 seconds",
            ));
        }
    };
    let deadline = Instant::now() + wait;
    let mut subscription = kit.notifier.subscribe(types.as_deref());
    let mut shutdown = kit.shutdown.clone();
    let (mut from, mut below_horizon) = (from, BELOW_HORIZON);
    loop {
        let wanted = types.clone();
        let batch = kit
            .run_read(move |conn| feed::read(conn, from, wanted.as_deref(), limit))
            .await?;
        let over = Instant::now() >= deadline || *shutdown.borrow() || matches!(from, feed::From::Latest);
        if !batch.events.is_empty() || over {
            return answer(kit.name, batch);
        }
        // What has been looked at is not looked at again.
        from = feed::From::After(batch.next);
        if batch.pending {
            // A transaction below the new events is usually over in a moment; a long one is not.
            tokio::time::sleep(below_horizon).await;
            below_horizon = (below_horizon * 2).min(OTHER_PROCESSES);
            continue;
        }
        below_horizon = BELOW_HORIZON;
        tokio::select! {
            () = subscription.woken() => {}
            _ = shutdown.changed() => {}
            () = tokio::time::sleep_until(deadline.min(Instant::now() + OTHER_PROCESSES)) => {}
        }
    }
}

fn answer(source: &str, batch: feed::Batch) -> Result<Answer, Problem> {
    let events = batch.events.into_iter().map(|event| {
        Ok(Event {
            specversion: "1.0".to_owned(),
            id: event.id,
            source: format!("/{source}"),
            r#type: event.r#type,
            subject: event.subject,
            time: event.occurred_at,
            datacontenttype: "application/json".to_owned(),
            subjectversion: event.subject_version,
            data: RawValue::from_string(event.data)?,
        })
    });
    let answer = events
        .collect::<Result<Vec<_>, serde_json::Error>>()
        .and_then(|events| {
            Answer::json(&EventBatch {
                events,
                next_cursor: batch.next.encode(),
            })
        });
    answer.map_err(|error| crate::Error::from(error).into_problem(&[]))
}
