//! Resources and their bookings.

mod booking;
mod resources;
mod slots;

use crate::sales::merge;
use crate::support::id;
use chrono::{Datelike, Days, NaiveDate, Utc, Weekday};
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply};

/// A Monday at least a week ahead.
fn monday() -> NaiveDate {
    let soon = Utc::now().date_naive() + Days::new(7);
    let ahead = (7 - soon.weekday().num_days_from_monday()) % 7;
    let day = soon + Days::new(u64::from(ahead));
    assert_eq!(day.weekday(), Weekday::Mon);
    day
}

/// An instant of that day, in UTC.
fn at(day: NaiveDate, time: &str) -> String {
    format!("{day}T{time}:00Z")
}

/// A room that is open from Monday to Friday, 9 to 12 and 13 to 17, UTC.
async fn room(client: &Client, more: Value) -> Value {
    let hours = (1..=5).flat_map(|weekday| {
        [("09:00", "12:00"), ("13:00", "17:00")].map(|(from, to)| json!({ "weekday": weekday, "from": from, "to": to }))
    });
    let mut body = json!({
        "name": "Showroom", "kind": "room", "time_zone": "UTC", "working_hours": hours.collect::<Vec<_>>(),
    });
    merge(&mut body, &more);
    client.post("/v1/resources", body).await.expect(201)
}

async fn book(client: &Client, resource: &Value, day: NaiveDate, times: (&str, &str)) -> Reply {
    let body = json!({
        "resource_id": id(resource), "title": "Tasting", "starts_at": at(day, times.0), "ends_at": at(day, times.1),
    });
    client.post("/v1/bookings", body).await
}
