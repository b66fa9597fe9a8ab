//! A user's calendar as an iCalendar feed (RFC 5545) under a secret address.
//!
//! Whoever has the address sees the user's own meetings, calls and tasks that are due and bookings, of the last 90 days and in
//! the future, and nothing else; so it is shown once, only its SHA-256 is stored, and making a new one or
//! revoking it ends the old one at once. Everything is an event, also what is due: many calendars show nothing else.

use crate::activities::model::{ActivityKind, ActivityRow, ActivityState};
use crate::bookings::booking::{self, BookingRow};
use crate::schema::activities::dsl;
use crate::schema::calendar_feeds;
use actix_web::{delete, get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use icalendar::{Calendar, Component, Event, EventLike, EventStatus, Property};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_kit::auth::SignedIn;
use service_kit::schema::users;
use service_kit::{Answer, Command, Open, OrNotFound, Path, Problem, Read, Resource, Result, Routes, Tx};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A calendar's address, without the secret.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = calendar_feeds)]
pub struct CalendarFeed {
    pub user_id: Uuid,
    /// Rises with each new address.
    pub revision: i64,
    /// Of the address.
    pub created_at: DateTime<Utc>,
}

/// A new address: the only time that it is shown.
#[derive(Debug, Serialize, ToSchema)]
struct NewCalendarFeed {
    #[serde(flatten)]
    feed: CalendarFeed,
    /// Path of the calendar here. Absent in the answer to a repeated request.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

impl Resource for CalendarFeed {
    const PATH: &'static str = "me/calendar";
    const TYPE: &'static str = "calendar_feed";
    fn id(&self) -> Uuid {
        self.user_id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct CalendarPath {
    /// The secret, with `.ics` behind it.
    #[param(min_length = 47, max_length = 47, pattern = r"^[A-Za-z0-9_-]{43}\.ics$")]
    file: String,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(get_calendar_feed)
        .add(create_calendar_feed)
        .add(revoke_calendar_feed)
        .open(get_calendar);
}

/// Whether the signed-in user's calendar has an address, and since when.
#[utoipa::path(tag = "calendar", security(("api_key" = ["signed_in"])),
    responses((status = 200, description = "The address, without its secret", body = CalendarFeed),
              (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json")))]
#[get("/me/calendar")]
async fn get_calendar_feed(read: Read<SignedIn>) -> Result<Answer, Problem> {
    let me = read.actor().user.map(|user| user.id).unwrap_or_default();
    read.one(move |conn| find(conn, me)).await
}

/// Make an address for the signed-in user's calendar; an older one ends with it.
///
/// The answer shows it once; only its SHA-256 is stored.
#[utoipa::path(tag = "calendar", security(("api_key" = ["signed_in"])),
    responses((status = 201, description = "The address", body = NewCalendarFeed)))]
#[post("/me/calendar")]
async fn create_calendar_feed(command: Command<SignedIn>) -> Result<Answer, Problem> {
    command.answer(create).await
}

/// End the address of the signed-in user's calendar.
#[utoipa::path(tag = "calendar", security(("api_key" = ["signed_in"])),
    responses((status = 204, description = "It is ended"),
              (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json")))]
#[delete("/me/calendar")]
async fn revoke_calendar_feed(command: Command<SignedIn>) -> Result<Answer, Problem> {
    command.answer(revoke).await
}

/// A user's calendar, for programs that show calendars; the address is the key.
#[utoipa::path(tag = "calendar", params(CalendarPath),
    responses((status = 200, description = "An iCalendar file", body = String, content_type = "text/calendar")))]
#[get("/calendars/{file}")]
async fn get_calendar(open: Open, path: Path<CalendarPath>) -> Result<Answer, Problem> {
    let hash = hash(path.file.trim_end_matches(".ics"));
    let text = open.read(move |conn| calendar(conn, &hash, Utc::now())).await?;
    Ok(Answer::text("text/calendar; charset=utf-8", text))
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn find(conn: &mut PgConnection, user: Uuid) -> Result<CalendarFeed> {
    let found = calendar_feeds::table.find(user).select(CalendarFeed::as_select());
    found.first(conn).or_not_found("calendar address")
}

fn create(tx: &mut Tx<'_>) -> Result<Answer> {
    let me = tx.actor().user.map(|user| user.id).unwrap_or_default();
    let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let (hash, now) = (hash(&secret), tx.now());
    let feed: CalendarFeed = diesel::insert_into(calendar_feeds::table)
        .values((
            calendar_feeds::user_id.eq(me),
            calendar_feeds::hash.eq(&hash[..]),
            calendar_feeds::revision.eq(1),
            calendar_feeds::created_at.eq(now),
        ))
        .on_conflict(calendar_feeds::user_id)
        .do_update()
        .set((
            calendar_feeds::hash.eq(&hash[..]),
            calendar_feeds::revision.eq(calendar_feeds::revision + 1),
            calendar_feeds::created_at.eq(now),
        ))
        .returning(CalendarFeed::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(None, &feed)?;
    tx.replay_with(serde_json::to_string(&feed)?);
    let path = Some(format!("/v1/calendars/{secret}.ics"));
    let made = NewCalendarFeed { feed, path };
    Ok(Answer {
        status: 201,
        location: Some("/v1/me/calendar".to_owned()),
        ..Answer::json(&made)?
    })
}

fn revoke(tx: &mut Tx<'_>) -> Result<Answer> {
    let me = tx.actor().user.map(|user| user.id).unwrap_or_default();
    let feed = find(tx, me)?;
    tx.match_if_given(&feed)?;
    diesel::delete(calendar_feeds::table.find(me)).execute(&mut **tx)?;
    let changes = json!({ "created_at": { "from": feed.created_at, "to": null } });
    tx.audit_changes(CalendarFeed::TYPE, me, feed.revision + 1, changes);
    Ok(Answer::no_content())
}

/// A calendar shows what was due in so many days.
const PAST_DAYS: i64 = 90;

/// A calendar shows at most so many activities, and as many bookings.
const MOST: i64 = 2_000;

/// # Errors
/// 404 for an address that nobody has.
pub fn calendar(conn: &mut PgConnection, hash: &[u8; 32], now: DateTime<Utc>) -> Result<String> {
    let owner: Uuid = calendar_feeds::table
        .filter(calendar_feeds::hash.eq(&hash[..]))
        .select(calendar_feeds::user_id)
        .first(conn)
        .or_not_found("calendar")?;
    let owner: (Uuid, String) = users::table
        .filter(users::id.eq(owner).and(users::active))
        .select((users::id, users::name))
        .first(conn)
        .or_not_found("calendar")?;
    let rows: Vec<ActivityRow> = dsl::activities
        .filter(dsl::owner_id.eq(owner.0))
        .filter(dsl::due_by.is_not_null())
        .filter(dsl::due_by.ge(now - TimeDelta::days(PAST_DAYS)))
        .filter(dsl::state.ne(ActivityState::Cancelled))
        .order((dsl::due_by, dsl::id))
        .limit(MOST)
        .select(ActivityRow::as_select())
        .load(conn)?;
    let mut calendar = Calendar::empty();
    calendar
        .append_property(Property::new("VERSION", "2.0"))
        .append_property(Property::new("PRODID", "-//Tandem//CRM//EN"))
        .append_property(Property::new("CALSCALE", "GREGORIAN"));
    calendar.name(&plain(&owner.1));
    for event in rows.iter().filter_map(event) {
        calendar.push(event);
    }
    let since = now - TimeDelta::days(PAST_DAYS);
    for (row, resource) in booking::of_calendar(conn, owner.0, since, MOST)? {
        calendar.push(booked(&row, &resource));
    }
    Ok(calendar.to_string())
}

/// A calendar's text has no control characters but line ends.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').collect()
}

fn event(row: &ActivityRow) -> Option<Event> {
    let mut event = Event::with_uid(&format!("{}@tandem", row.id));
    let done = if row.state == ActivityState::Done { "✓ " } else { "" };
    event
        .timestamp(row.updated_at)
        .sequence(u32::try_from(row.revision).unwrap_or(u32::MAX))
        .summary(&format!("{done}{}", plain(&row.title)))
        .add_property("CATEGORIES", row.kind.as_str().to_uppercase())
        .status(EventStatus::Confirmed);
    if let Some(body) = &row.body {
        let body: String = body.chars().take(2_000).collect();
        event.description(&plain(&body));
    }
    if let Some(location) = &row.location {
        event.location(&plain(location));
    }
    let minutes = row.duration_minutes.filter(|minutes| *minutes > 0).unwrap_or(30);
    match (row.kind, row.starts_at, row.ends_at, row.due_at, row.due_on) {
        (ActivityKind::Meeting, Some(from), Some(to), ..) => {
            event.starts(from).ends(to);
        }
        (_, _, _, Some(at), _) => {
            event.starts(at).ends(at + TimeDelta::minutes(i64::from(minutes)));
        }
        (_, _, _, None, Some(day)) => {
            // Nobody is busy all day because something is due.
            event.all_day(day).add_property("TRANSP", "TRANSPARENT");
        }
        _ => return None,
    }
    Some(event.done())
}

fn booked(row: &BookingRow, resource: &str) -> Event {
    let mut event = Event::with_uid(&format!("{}@tandem", row.id));
    event
        .timestamp(row.updated_at)
        .sequence(u32::try_from(row.revision).unwrap_or(u32::MAX))
        .summary(&plain(&row.title))
        .location(&plain(resource))
        .starts(row.starts_at)
        .ends(row.ends_at)
        .add_property("CATEGORIES", "BOOKING")
        .status(EventStatus::Confirmed);
    if let Some(description) = &row.description {
        event.description(&plain(description));
    }
    event.done()
}
