//! Mail that comes in: one activity for each `Message-ID`, in its thread, with its customer.
//!
//! A message goes on in the thread of what it answers, and is then about the same record and
//! belongs to the same owner. Otherwise its sender's address tells: it concerns the one active
//! customer that has it, itself or as a contact's; where several have it, nobody guesses. It
//! belongs to the user whose address it was sent to, else to the customer's owner, else to nobody:
//! then those who see all see it and can hang it on a record.

use crate::activities::actions::tell_done;
use crate::activities::emails::model::{Contents, EmailMessage};
use crate::activities::emails::parse::{self, Incoming};
use crate::activities::emails::queries::{self, Correspondent};
use crate::activities::emails::threads::{self, Before};
use crate::activities::model::{ActivityDirection, ActivityKind, ActivityRow, ActivityState, EmailDelivery};
use crate::activities::{Activity, notifications, queries as activities};
use crate::schema::activities::dsl;
use crate::subjects::SubjectType;
use diesel::prelude::*;
use service_kit::schema::users;
use service_kit::{Faults, Owned, Put, Resource, Result, Tx};
use uuid::Uuid;

/// Takes in a message; one that is here already stays as it is.
///
/// # Errors
/// 422 with every fault of the message.
pub fn receive(tx: &mut Tx<'_>, source: &[u8]) -> Result<Put<EmailMessage>> {
    let mut faults = Faults::default();
    let read = parse::read(source, &mut faults);
    faults.check()?;
    let incoming = read.ok_or_else(|| service_kit::Error::Bug("a message without faults is read".to_owned()))?;
    let oldest = incoming.reference_ids.first().unwrap_or(&incoming.message_id);
    threads::lock(tx, oldest)?;
    if oldest != &incoming.message_id {
        // Two deliveries of one message name the same oldest one; a message with this id that names
        // another is caught by the constraint.
        threads::lock(tx, &incoming.message_id)?;
    }
    if let Some(known) = known(tx, &incoming.message_id)? {
        return Ok(Put::Unchanged(queries::whole(tx, known)?));
    }
    let related = threads::related(tx, &incoming.message_id, &incoming.reference_ids)?;
    let mut row = row_of(tx, &incoming);
    row.thread_id = Some(threads::join(tx, &related)?.unwrap_or(row.id));
    match related.first() {
        Some(before) => go_on(tx, &mut row, before)?,
        None => attach(tx, &mut row, &incoming)?,
    }
    activities::insert(tx, &row)?;
    let contents = Contents {
        activity_id: row.id,
        html: incoming.html,
        in_reply_to: incoming.in_reply_to,
        reference_ids: incoming.reference_ids,
        bcc_addresses: Vec::new(),
        attachments: serde_json::to_value(&incoming.attachments)?,
        template: None,
        language: None,
        despite_withdrawn: None,
    };
    queries::insert_contents(tx, &contents)?;
    queries::keep_source(tx, row.id, source)?;
    let activity = Activity::from(row);
    tx.changed(None, &activity)?;
    tell_done(tx, &activity)?;
    tell_owner(tx, &activity)?;
    Ok(Put::Created(queries::whole(tx, activity)?))
}

fn known(tx: &mut Tx<'_>, message_id: &str) -> Result<Option<Activity>> {
    let row = dsl::activities
        .filter(dsl::message_id.eq(message_id))
        .select(ActivityRow::as_select());
    let row: Option<ActivityRow> = row.first(&mut **tx).optional()?;
    Ok(row.map(Activity::from))
}

fn row_of(tx: &Tx<'_>, incoming: &Incoming) -> ActivityRow {
    let now = tx.now();
    ActivityRow {
        title: incoming.subject.clone(),
        body: incoming.text.clone(),
        state: ActivityState::Done,
        // A sender's clock may be wrong, but nothing arrives before it was written.
        done_at: Some(incoming.date.filter(|date| *date <= now).unwrap_or(now)),
        direction: Some(ActivityDirection::In),
        from_address: Some(incoming.from_shown.clone()),
        to_addresses: incoming.to.clone(),
        cc_addresses: incoming.cc.clone(),
        message_id: Some(incoming.message_id.clone()),
        delivery: Some(EmailDelivery::Received),
        ..ActivityRow::new(Uuid::now_v7(), ActivityKind::Email, now)
    }
}

/// An answer is about what the message before it is about.
fn go_on(tx: &mut Tx<'_>, row: &mut ActivityRow, before: &Before) -> Result<()> {
    let before: ActivityRow = dsl::activities
        .find(before.id)
        .select(ActivityRow::as_select())
        .first(&mut **tx)?;
    row.subject_type = before.subject_type;
    row.subject_id = before.subject_id;
    row.customer_id = before.customer_id;
    row.contact_id = before.contact_id;
    (row.owner_id, row.team_id) = (before.owner_id, before.team_id);
    Ok(())
}

/// A new conversation is with whoever has the sender's address.
fn attach(tx: &mut Tx<'_>, row: &mut ActivityRow, incoming: &Incoming) -> Result<()> {
    let all = queries::correspondents(tx, std::slice::from_ref(&incoming.from))?;
    let customer: Option<&Correspondent> = match all.as_slice() {
        [one] => Some(one),
        _ => None,
    };
    let mut owned = recipient(tx, incoming)?;
    if let Some(customer) = customer {
        row.subject_type = Some(SubjectType::Customer);
        row.subject_id = Some(customer.customer_id);
        row.customer_id = Some(customer.customer_id);
        row.contact_id = customer.contact_id;
        owned = owned.or(Some(Owned {
            owner_id: customer.owner_id,
            team_id: customer.team_id,
        }));
    }
    let owned = owned.unwrap_or_default();
    (row.owner_id, row.team_id) = (owned.owner_id, owned.team_id);
    Ok(())
}

/// The user that it was sent to.
fn recipient(tx: &mut Tx<'_>, incoming: &Incoming) -> Result<Option<Owned>> {
    let addresses: Vec<String> = incoming
        .to
        .iter()
        .chain(&incoming.cc)
        .map(|address| address.to_lowercase())
        .collect();
    let found: Vec<(String, Uuid, Option<Uuid>)> = users::table
        .filter(users::email.eq_any(&addresses).and(users::active))
        .select((users::email, users::id, users::team_id))
        .load(&mut **tx)?;
    let first = addresses
        .iter()
        .find_map(|address| found.iter().find(|(email, ..)| email == address));
    Ok(first.map(|(_, owner, team)| Owned {
        owner_id: Some(*owner),
        team_id: *team,
    }))
}

fn tell_owner(tx: &mut Tx<'_>, activity: &Activity) -> Result<()> {
    if let Some(owner) = activity.row.owner_id {
        let (subject, at) = ((Activity::TYPE, activity.row.id), activity.row.created_at);
        notifications::tell(tx, owner, "email_received", &activity.row.title, subject, at)?;
    }
    Ok(())
}
