//! Free slots: what is left of the working hours.

use super::booking::taken;
use super::hours::{self, TimeSpan};
use super::resources;
use crate::may;
use actix_web::get;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::PgConnection;
use serde::{Deserialize, Serialize};
use service_kit::http::IdPath;
use service_kit::{Answer, Path, Problem, Query, Read, Result, Routes};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The longest time that is looked through at once.
const LONGEST_DAYS: i64 = 31;

/// An answer shows at most so many slots.
const MOST: usize = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct FreeSlotsQuery {
    /// Now when absent.
    from: Option<DateTime<Utc>>,
    /// At most 31 days later; 7 when absent.
    to: Option<DateTime<Utc>>,
    /// How long a slot is; 60 when absent.
    #[param(minimum = 5, maximum = 1_440)]
    minutes: Option<i64>,
}

/// When a resource can be booked.
#[derive(Debug, Serialize, ToSchema)]
struct FreeSlots {
    resource_id: Uuid,
    time_zone: String,
    minutes: i64,
    /// One after the other, from the beginning of each time that is free.
    slots: Vec<TimeSpan>,
    /// Whether there are more than are shown.
    truncated: bool,
}

pub fn routes(routes: &mut Routes) {
    routes.add(list_free_slots);
}

/// When a resource can be booked, within its working hours and from now on.
#[utoipa::path(tag = "bookings", params(IdPath, FreeSlotsQuery), security(("api_key" = ["bookings:read"])),
    responses((status = 200, description = "The free slots", body = FreeSlots)))]
#[get("/resources/{id}/free-slots")]
async fn list_free_slots(
    read: Read<may::ReadBookings>,
    path: Path<IdPath>,
    query: Query<FreeSlotsQuery>,
) -> Result<Answer, Problem> {
    let now = Utc::now();
    read.json(move |conn| {
        let (starts_at, minutes) = (query.from.unwrap_or(now), query.minutes.unwrap_or(60));
        let ends_at = query.to.unwrap_or_else(|| starts_at + TimeDelta::days(7));
        let within = TimeSpan { starts_at, ends_at };
        let (slots, resource) = free(conn, path.id, within, minutes, now)?;
        Ok(FreeSlots {
            resource_id: resource.id,
            time_zone: resource.time_zone,
            minutes,
            truncated: slots.len() > MOST,
            slots: slots.into_iter().take(MOST).collect(),
        })
    })
    .await
}

fn free(
    conn: &mut PgConnection,
    id: Uuid,
    within: TimeSpan,
    minutes: i64,
    now: DateTime<Utc>,
) -> Result<(Vec<TimeSpan>, resources::BookableResource)> {
    let resource = resources::find(conn, id)?;
    if within.ends_at <= within.starts_at || within.ends_at - within.starts_at > TimeDelta::days(LONGEST_DAYS) {
        let detail = format!("to: must lie after from, at most {LONGEST_DAYS} days");
        return Err(Problem::bad_request("invalid_parameter", detail).into());
    }
    if !resource.active {
        return Ok((Vec::new(), resource));
    }
    let within = TimeSpan {
        starts_at: within.starts_at.max(now),
        ends_at: within.ends_at,
    };
    let (weekly, exceptions) = (&resource.working_hours.0, &resource.exceptions.0);
    let open = hours::open_between(weekly, exceptions, resource.zone(), &within);
    let taken = taken(conn, id, &within, None)?;
    let mut slots = Vec::new();
    for gap in open.iter().flat_map(|span| without(span, &taken)) {
        slots.extend(cut(&gap, &within, minutes).take(MOST + 1 - slots.len().min(MOST + 1)));
    }
    Ok((slots, resource))
}

/// What is left of a span without those that are taken, which are in order.
fn without(span: &TimeSpan, taken: &[TimeSpan]) -> Vec<TimeSpan> {
    let (mut left, mut from) = (Vec::new(), span.starts_at);
    for other in taken
        .iter()
        .filter(|other| other.ends_at > span.starts_at && other.starts_at < span.ends_at)
    {
        if other.starts_at > from {
            left.push(TimeSpan {
                starts_at: from,
                ends_at: other.starts_at,
            });
        }
        from = from.max(other.ends_at);
    }
    if from < span.ends_at {
        left.push(TimeSpan {
            starts_at: from,
            ends_at: span.ends_at,
        });
    }
    left
}

/// Slots of a gap, counted from its beginning; those that lie within.
fn cut(gap: &TimeSpan, within: &TimeSpan, minutes: i64) -> impl Iterator<Item = TimeSpan> {
    let (length, gap, within) = (TimeDelta::minutes(minutes), *gap, *within);
    let slot = move |n: i32| {
        let starts_at = gap.starts_at + length * n;
        TimeSpan {
            starts_at,
            ends_at: starts_at + length,
        }
    };
    (0..)
        .map(slot)
        .take_while(move |slot| gap.contains(slot) && slot.ends_at <= within.ends_at)
        .filter(move |slot| within.contains(slot))
}
