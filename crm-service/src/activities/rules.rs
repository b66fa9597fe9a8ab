//! What must hold for an activity of each kind: pure, and naming every fault.

use crate::activities::model::{ActivityKind, ActivityRow, ActivityState};
use chrono::{DateTime, TimeDelta, Utc};
use service_kit::Faults;

use ActivityKind::{Call, Email, Meeting, Note, Sms, Task};

/// The longest meeting, in days.
const LONGEST_MEETING: i64 = 31;

/// Whether each field stands only with the kinds that have it, and each kind has what it needs.
pub fn check(row: &ActivityRow, now: DateTime<Utc>, faults: &mut Faults) {
    fields_of_kind(row, faults);
    needed(row, faults);
    if let (Some(starts_at), Some(ends_at)) = (row.starts_at, row.ends_at) {
        if ends_at <= starts_at {
            faults.add("/ends_at", "out_of_range", "must lie after starts_at");
        } else if ends_at - starts_at > TimeDelta::days(LONGEST_MEETING) {
            faults.add("/ends_at", "out_of_range", "a meeting lasts at most 31 days");
        }
    }
    if row.done_at.is_some_and(|done_at| done_at > now) {
        faults.add("/done_at", "out_of_range", "lies in the future");
    }
    if row.remind_at.is_some() && row.owner_id.is_none() && row.kind.is_planned() {
        faults.add(
            "/remind_at",
            "needs_owner",
            "there is nobody to remind: give it an owner",
        );
    }
}

fn fields_of_kind(row: &ActivityRow, faults: &mut Faults) {
    let fields: [(&str, bool, &[ActivityKind]); 16] = [
        ("due_on", row.due_on.is_some(), &[Task, Call, Meeting]),
        ("due_at", row.due_at.is_some(), &[Task, Call]),
        ("starts_at", row.starts_at.is_some(), &[Meeting]),
        ("ends_at", row.ends_at.is_some(), &[Meeting]),
        ("location", row.location.is_some(), &[Meeting]),
        ("attendees", !row.attendees.is_empty(), &[Meeting]),
        ("direction", row.direction.is_some(), &[Call, Sms, Email]),
        ("phone", row.phone.is_some(), &[Call, Sms]),
        ("outcome", row.outcome.is_some(), &[Call]),
        ("duration_minutes", row.duration_minutes.is_some(), &[Call]),
        ("from_address", row.from_address.is_some(), &[Email]),
        ("to_addresses", !row.to_addresses.is_empty(), &[Email]),
        ("cc_addresses", !row.cc_addresses.is_empty(), &[Email]),
        ("recurrence", row.recurrence.is_some(), &[Task, Call, Meeting]),
        ("remind_at", row.remind_at.is_some(), &[Task, Call, Meeting]),
        (
            "state",
            row.state == ActivityState::Open && !row.is_message(),
            &[Task, Call, Meeting],
        ),
    ];
    for (name, given, kinds) in fields {
        if given && !kinds.contains(&row.kind) {
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            let message = format!(
                "an activity of kind {} has no such field; these have: {}",
                row.kind,
                kinds.join(", ")
            );
            let message = match name {
                "state" => format!("an activity of kind {} is told once it has happened", row.kind),
                _ => message,
            };
            faults.add(format!("/{name}"), "not_for_kind", message);
        }
    }
}

fn needed(row: &ActivityRow, faults: &mut Faults) {
    let done = row.state == ActivityState::Done;
    let needs = [
        (
            row.body.is_none() && matches!(row.kind, Note | Sms),
            "body",
            "a note or text message has a text",
        ),
        (
            row.direction.is_none() && matches!(row.kind, Call | Sms | Email),
            "direction",
            "did it come in or go out?",
        ),
        (
            row.starts_at.is_none() && row.kind == Meeting,
            "starts_at",
            "a meeting has a beginning",
        ),
        (
            row.ends_at.is_none() && row.kind == Meeting,
            "ends_at",
            "a meeting has an end",
        ),
        (
            row.outcome.is_none() && row.kind == Call && done,
            "outcome",
            "how did the call end?",
        ),
        (
            row.recurrence.is_some() && row.due_on.is_none() && matches!(row.kind, Task | Call),
            "due_on",
            "what recurs is due at some time",
        ),
    ];
    for (_, name, message) in needs.into_iter().filter(|(missing, ..)| *missing) {
        faults.add(format!("/{name}"), "required", message);
    }
}
