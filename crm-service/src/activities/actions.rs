//! The verbs of activities.

use crate::activities::model::{
    Activity, ActivityAction, ActivityAssignment, ActivityCancellation, ActivityCompletion, ActivityIn, ActivityKind,
    ActivityPatch, ActivityPriority, ActivityRow, ActivityState, EmailDelivery, Party,
};
use crate::activities::{due, emails, notifications, queries, rules, series};
use crate::customers::timeline::{self, Entry};
use crate::subjects;
use serde_json::json;
use service_kit::{Faults, Owned, Result, Tx};
use uuid::Uuid;

pub fn create(tx: &mut Tx<'_>, input: &ActivityIn) -> Result<Activity> {
    let mut faults = Faults::default();
    let mut row = from_input(tx, input);
    let subject = hang(tx, &mut row, &mut faults)?;
    let customers = match subject {
        Some(customer) => subjects::customer_owner(tx, customer)?,
        None => Owned::default(),
    };
    let owned = Owned::of_new(tx, input.owner_id, input.team_id, customers, &mut faults)?;
    (row.owner_id, row.team_id) = (owned.owner_id, owned.team_id);
    if input.due_on.is_some() && (input.due_at.is_some() || input.kind == ActivityKind::Meeting) {
        let (code, message) = match input.kind {
            ActivityKind::Meeting => ("not_for_kind", "the day of a meeting is that of starts_at"),
            _ => ("ambiguous", "give due_on or due_at"),
        };
        faults.add("/due_on", code, message);
    }
    if input.state == Some(ActivityState::Cancelled) {
        faults.add("/state", "unknown_value", "made as cancelled: open or done");
    }
    if input.done_at.is_some() && row.state == ActivityState::Open {
        faults.add(
            "/done_at",
            "not_for_state",
            "only what is done has been done at some time",
        );
    }
    due::settle(&mut row, tx.time_zone());
    series::begin(&mut row, tx.time_zone(), tx.now(), &mut faults);
    rules::check(&row, tx.now(), &mut faults);
    faults.check()?;
    store(tx, row)
}

/// Stores a new activity whose rules were checked, and tells of it.
pub fn store(tx: &mut Tx<'_>, row: ActivityRow) -> Result<Activity> {
    queries::insert(tx, &row)?;
    let activity = Activity::from(row);
    tx.changed(None, &activity)?;
    tell_done(tx, &activity)?;
    notifications::assigned(tx, &activity)?;
    Ok(activity)
}

fn from_input(tx: &Tx<'_>, input: &ActivityIn) -> ActivityRow {
    let now = tx.now();
    let state = match input.state {
        Some(state) => state,
        None if input.kind.is_planned() => ActivityState::Open,
        None => ActivityState::Done,
    };
    let done = state == ActivityState::Done;
    ActivityRow {
        state,
        title: input.title.clone(),
        body: input.body.clone(),
        subject_type: input.subject_type,
        subject_id: input.subject_id,
        contact_id: input.contact_id,
        priority: input.priority.unwrap_or(ActivityPriority::Normal),
        due_on: input.due_on,
        due_at: input.due_at,
        starts_at: input.starts_at,
        ends_at: input.ends_at,
        location: input.location.clone(),
        attendees: texts(&input.attendees),
        direction: input.direction,
        phone: input.phone.clone(),
        outcome: input.outcome,
        duration_minutes: input.duration_minutes,
        from_address: input.from_address.as_ref().map(|party| party.0.clone()),
        to_addresses: texts(&input.to_addresses),
        cc_addresses: texts(&input.cc_addresses),
        recurrence: input.recurrence.clone(),
        remind_at: input.remind_at,
        done_at: input.done_at.or(done.then_some(now)),
        ..ActivityRow::new(tx.mint(input.id), input.kind, now)
    }
}

fn texts(parties: &[Party]) -> Vec<String> {
    parties.iter().map(|party| party.0.clone()).collect()
}

/// Derives the customer from the record that it is about, and checks that record and the contact.
/// Gives the customer.
pub fn hang(tx: &mut Tx<'_>, row: &mut ActivityRow, faults: &mut Faults) -> Result<Option<Uuid>> {
    let sight = tx.actor().sight.clone();
    row.customer_id = match (row.subject_type, row.subject_id) {
        (None, None) => None,
        (Some(kind), Some(id)) => match subjects::find(tx, kind, id, &sight)? {
            Some(subject) => subject.customer_id,
            None => {
                let message = format!("there is no such {kind}");
                faults.add("/subject_id", "unknown_subject", message);
                return Ok(None);
            }
        },
        (Some(_), None) => {
            faults.add("/subject_id", "required", "which record of this type?");
            return Ok(None);
        }
        (None, Some(_)) => {
            faults.add("/subject_type", "required", "what type of record is it?");
            return Ok(None);
        }
    };
    if let Some(contact) = row.contact_id
        && !queries::is_contact(tx, contact, row.customer_id)?
    {
        let message = "the customer that it concerns has no such contact";
        faults.add("/contact_id", "unknown_contact", message);
    }
    Ok(row.customer_id)
}

pub fn change(tx: &mut Tx<'_>, id: Uuid, patch: &ActivityPatch) -> Result<Activity> {
    let before = queries::lock(tx, id)?;
    tx.require_match(&before)?;
    before.row.check(ActivityAction::Edit)?;
    let (mut row, mut faults) = (before.row.clone(), Faults::default());
    apply(&mut row, patch, &mut faults);
    let hangs_on = |row: &ActivityRow| (row.subject_type, row.subject_id, row.contact_id);
    if hangs_on(&row) != hangs_on(&before.row) {
        // A contact is one of a customer.
        let moved = row.subject_id != before.row.subject_id;
        if moved && patch.contact_id.is_none() {
            row.contact_id = None;
        }
        hang(tx, &mut row, &mut faults)?;
    }
    due::settle(&mut row, tx.time_zone());
    if row.recurrence != before.row.recurrence {
        series::begin(&mut row, tx.time_zone(), tx.now(), &mut faults);
    }
    if row.remind_at != before.row.remind_at {
        row.reminded_at = None;
    }
    rules::check(&row, tx.now(), &mut faults);
    faults.check()?;
    if row == before.row {
        return Ok(before);
    }
    let after = save(tx, &before, row)?;
    follow_customer(tx, &before, &after)?;
    Ok(after)
}

/// Gives the row what the patch says of it.
fn apply(row: &mut ActivityRow, patch: &ActivityPatch, faults: &mut Faults) {
    if row.is_message() {
        for (name, given) in [
            ("title", patch.title.is_some()),
            ("body", patch.body.is_some()),
            ("direction", patch.direction.is_some()),
        ] {
            if given {
                let message = "what was written in a message is not changed";
                faults.add(format!("/{name}"), "immutable", message);
            }
        }
    }
    let set_text = |field: &mut Option<String>, given: &Option<Option<String>>| {
        if let Some(value) = given {
            field.clone_from(value);
        }
    };
    set(&mut row.title, &patch.title);
    set_text(&mut row.body, &patch.body);
    set(&mut row.subject_type, &patch.subject_type);
    set(&mut row.subject_id, &patch.subject_id);
    set(&mut row.contact_id, &patch.contact_id);
    set(&mut row.priority, &patch.priority);
    match (patch.due_on, patch.due_at) {
        (Some(Some(_)), Some(Some(_))) => faults.add("/due_on", "ambiguous", "give due_on or due_at"),
        (Some(Some(_)), _) if row.kind == ActivityKind::Meeting => {
            faults.add("/due_on", "not_for_kind", "the day of a meeting is that of starts_at");
        }
        // A day, or nothing: then there is no time either.
        (Some(day), _) => (row.due_on, row.due_at) = (day, None),
        (None, Some(at)) => row.due_at = at,
        (None, None) => {}
    }
    if let (Some(None), Some(Some(at))) = (patch.due_on, patch.due_at) {
        row.due_at = Some(at);
    }
    set(&mut row.starts_at, &patch.starts_at.map(Some));
    set(&mut row.ends_at, &patch.ends_at.map(Some));
    set_text(&mut row.location, &patch.location);
    set(&mut row.attendees, &patch.attendees.as_deref().map(texts));
    set(&mut row.direction, &patch.direction.map(Some));
    set_text(&mut row.phone, &patch.phone);
    set(&mut row.outcome, &patch.outcome);
    set(&mut row.duration_minutes, &patch.duration_minutes);
    set_text(&mut row.recurrence, &patch.recurrence);
    set(&mut row.remind_at, &patch.remind_at);
}

fn set<T: Clone>(field: &mut T, given: &Option<T>) {
    if let Some(value) = given {
        field.clone_from(value);
    }
}

pub fn complete(tx: &mut Tx<'_>, id: Uuid, how: &ActivityCompletion) -> Result<Activity> {
    let before = queries::lock(tx, id)?;
    tx.match_if_given(&before)?;
    before.row.check(ActivityAction::Complete)?;
    let mut row = before.row.clone();
    row.state = ActivityState::Done;
    row.done_at = Some(how.done_at.unwrap_or(tx.now()));
    set(&mut row.outcome, &how.outcome.map(Some));
    set(&mut row.duration_minutes, &how.duration_minutes.map(Some));
    set(&mut row.body, &how.body.clone().map(Some));
    let mut faults = Faults::default();
    rules::check(&row, tx.now(), &mut faults);
    faults.check()?;
    row.next_id = series::make_next(tx, &before.row)?.or(row.next_id);
    let after = save(tx, &before, row)?;
    tell_done(tx, &after)?;
    Ok(after)
}

pub fn cancel(tx: &mut Tx<'_>, id: Uuid, how: &ActivityCancellation) -> Result<Activity> {
    let before = queries::lock(tx, id)?;
    tx.match_if_given(&before)?;
    before.row.check(ActivityAction::Cancel)?;
    if before.row.is_message() {
        return emails::actions::take_back(tx, &before);
    }
    let mut row = before.row.clone();
    row.state = ActivityState::Cancelled;
    if how.continue_series {
        row.next_id = series::make_next(tx, &before.row)?.or(row.next_id);
    }
    save(tx, &before, row)
}

/// Takes back that it was done or cancelled. What a series made of it meanwhile stays.
pub fn reopen(tx: &mut Tx<'_>, id: Uuid) -> Result<Activity> {
    let before = queries::lock(tx, id)?;
    tx.match_if_given(&before)?;
    before.row.check(ActivityAction::Reopen)?;
    let mut row = before.row.clone();
    row.state = ActivityState::Open;
    row.done_at = None;
    save(tx, &before, row)
}

pub fn assign(tx: &mut Tx<'_>, id: Uuid, to: &ActivityAssignment) -> Result<Activity> {
    let before = queries::lock(tx, id)?;
    tx.match_if_given(&before)?;
    let mut faults = Faults::default();
    let owned = Owned::given(tx, Some(to.owner_id), to.team_id, &mut faults)?;
    faults.check()?;
    let owned = owned.unwrap_or_default();
    let mut row = before.row.clone();
    (row.owner_id, row.team_id) = (owned.owner_id, owned.team_id);
    if row == before.row {
        return Ok(before);
    }
    let after = save(tx, &before, row)?;
    timeline::reassign(tx, id, owned)?;
    if after.row.owner_id != before.row.owner_id {
        notifications::assigned(tx, &after)?;
    }
    Ok(after)
}

/// Stores a locked activity under its next revision, and tells the world.
pub fn save(tx: &mut Tx<'_>, before: &Activity, mut row: ActivityRow) -> Result<Activity> {
    row.revision += 1;
    row.updated_at = tx.now();
    queries::update(tx, &row)?;
    let after = Activity::from(row);
    tx.changed(Some(before), &after)?;
    Ok(after)
}

/// What happened with a customer stands in its timeline, for those who see the activity.
pub fn tell_done(tx: &mut Tx<'_>, activity: &Activity) -> Result<()> {
    let row = &activity.row;
    let (Some(customer), Some(done_at)) = (row.customer_id, row.done_at) else {
        return Ok(());
    };
    let (kind, what) = match (row.kind, row.delivery) {
        (ActivityKind::Call, _) => ("call", "Call"),
        (ActivityKind::Meeting, _) => ("meeting", "Meeting"),
        (ActivityKind::Note, _) => ("note", "Note"),
        (ActivityKind::Sms, _) => ("sms", "Text message"),
        (ActivityKind::Email, Some(EmailDelivery::Received)) => ("email_received", "E-mail received"),
        (ActivityKind::Email, Some(_)) => ("email_sent", "E-mail sent"),
        (ActivityKind::Email, None) => ("email", "E-mail"),
        // What one meant to do and has done is nobody's experience of the customer.
        (ActivityKind::Task, _) => return Ok(()),
    };
    let data = json!({
        "direction": row.direction, "outcome": row.outcome, "duration_minutes": row.duration_minutes,
        "subject_type": row.subject_type, "subject_id": row.subject_id,
    });
    let mut entry = Entry::here(tx, customer, kind, activity)
        .summary(format!("{what}: {}", row.title))
        .data(data)
        .owned(row.owner_id, row.team_id);
    entry.occurred_at = done_at;
    timeline::add(tx, entry)?;
    Ok(())
}

/// An activity that is now about another customer stands in that one's timeline.
fn follow_customer(tx: &mut Tx<'_>, before: &Activity, after: &Activity) -> Result<()> {
    match (before.row.customer_id, after.row.customer_id) {
        (from, to) if from == to => Ok(()),
        (None, Some(_)) if after.row.state == ActivityState::Done => tell_done(tx, after),
        (Some(_), Some(customer)) => Ok(timeline::follow_customer(tx, after.row.id, customer)?),
        _ => Ok(()),
    }
}
