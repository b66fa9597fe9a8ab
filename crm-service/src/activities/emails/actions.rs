//! The verbs of e-mails.

use crate::activities::actions::{hang, save};
use crate::activities::emails::compose::{ComposeError, Composed, Draft, File, compose};
use crate::activities::emails::model::{Contents, EmailAttachment, EmailIn, EmailMessage};
use crate::activities::emails::opt_out::{self, bare};
use crate::activities::emails::templates::{self, Written};
use crate::activities::emails::{outbox, queries};
use crate::activities::model::{ActivityDirection, ActivityKind, ActivityRow, ActivityState, EmailDelivery};
use crate::activities::{Activity, queries as activities};
use crate::schema::contacts;
use crate::subjects;
use diesel::prelude::*;
use serde_json::json;
use service_kit::config::Mail;
use service_kit::{Faults, Owned, Problem, Result, Tx};
use uuid::Uuid;

/// What is answered where no mail goes out.
pub fn not_configured() -> Problem {
    let detail = "no mail server is configured: set CRM_SMTP_URL and CRM_MAIL_FROM";
    Problem::conflict("mail_not_configured", detail)
}

/// Writes a message and puts it into the outbox.
///
/// # Errors
/// 422 with every fault.
pub fn send(tx: &mut Tx<'_>, mail: &Mail, input: &EmailIn) -> Result<EmailMessage> {
    send_with(tx, mail, input, &[])
}

/// The same with files.
///
/// # Errors
/// As [`send`].
pub fn send_with(tx: &mut Tx<'_>, mail: &Mail, input: &EmailIn, files: &[File]) -> Result<EmailMessage> {
    let mut faults = Faults::default();
    let mut row = ActivityRow::new(tx.mint(input.id), ActivityKind::Email, tx.now());
    row.direction = Some(ActivityDirection::Out);
    row.subject_type = input.subject_type;
    row.subject_id = input.subject_id;
    row.contact_id = input.contact_id;
    let answered = answered(tx, input, &mut row, &mut faults)?;
    let customer = hang(tx, &mut row, &mut faults)?;
    let whose = match customer {
        Some(customer) => subjects::customer_owner(tx, customer)?,
        None => Owned::default(),
    };
    let owned = Owned::of_new(tx, input.owner_id, input.team_id, whose, &mut faults)?;
    (row.owner_id, row.team_id) = (owned.owner_id, owned.team_id);
    row.to_addresses = recipients(tx, input, answered.as_ref(), &row, &mut faults)?;
    row.cc_addresses = input.cc.iter().map(|address| address.as_str().to_owned()).collect();
    let written = templates::write(tx, input, &row, &mut faults)?;
    let subject = match (&written.subject, &answered) {
        (Some(subject), _) => subject.clone(),
        (None, Some(answered)) => answer_to(&answered.subject),
        (None, None) => {
            if input.template.is_none() {
                faults.add("/subject", "required", "give a subject and a text, or a template");
            }
            String::new()
        }
    };
    let Some(text) = written.text.clone() else {
        if input.template.is_none() {
            faults.add("/text", "required", "what does it say?");
        }
        faults.check()?;
        return Err(Problem::rule("required", "the message has no text").into());
    };
    faults.check()?;
    check_consent(tx, input, &row, answered.as_ref())?;
    let composed = in_wire_form(
        tx,
        mail,
        &row,
        input,
        answered.as_ref(),
        &subject,
        &text,
        &written,
        files,
    )?;
    row.title = subject;
    row.body = Some(text);
    row.from_address = Some(composed.from.clone());
    row.message_id = Some(composed.message_id.clone());
    row.thread_id = Some(answered.as_ref().map_or(row.id, |answered| answered.thread_id));
    row.delivery = Some(EmailDelivery::Queued);
    let contents = Contents {
        activity_id: row.id,
        html: written.html,
        in_reply_to: answered.as_ref().map(|answered| answered.message_id.clone()),
        reference_ids: references(answered.as_ref()),
        bcc_addresses: input.bcc.iter().map(|address| address.as_str().to_owned()).collect(),
        attachments: serde_json::to_value(files.iter().map(attached).collect::<Vec<_>>())?,
        template: written.template,
        language: written.language,
        despite_withdrawn: input.despite_withdrawn.clone(),
    };
    activities::insert(tx, &row)?;
    queries::insert_contents(tx, &contents)?;
    if !files.is_empty() {
        // As with what came in, the files are read from the message.
        queries::keep_source(tx, row.id, &composed.message)?;
    }
    let now = tx.now();
    outbox::put(tx, &composed, Some(row.id), now)?;
    let activity = Activity::from(row);
    tx.changed(None, &activity)?;
    queries::whole(tx, activity)
}

fn attached(file: &File) -> EmailAttachment {
    EmailAttachment {
        name: Some(file.name.clone()),
        content_type: file.content_type.to_owned(),
        size: i64::try_from(file.bytes.len()).unwrap_or(i64::MAX),
    }
}

/// The message that is answered, if it is in sight: what is not said otherwise is as there.
fn answered(
    tx: &mut Tx<'_>,
    input: &EmailIn,
    row: &mut ActivityRow,
    faults: &mut Faults,
) -> Result<Option<EmailMessage>> {
    let Some(id) = input.answers else {
        return Ok(None);
    };
    let sight = tx.actor().sight.clone();
    match queries::get(tx, id, &sight) {
        Ok(answered) => {
            if input.subject_type.is_none() && input.subject_id.is_none() {
                row.subject_type = answered.subject_type;
                row.subject_id = answered.subject_id;
                row.contact_id = input.contact_id.or(answered.contact_id);
            }
            Ok(Some(answered))
        }
        Err(service_kit::Error::Problem(problem)) if problem.code == "not_found" => {
            faults.add("/answers", "unknown_email", "there is no such e-mail");
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// To whom it goes: as the input says, else to whom it answers, else to the contact.
fn recipients(
    tx: &mut Tx<'_>,
    input: &EmailIn,
    answered: Option<&EmailMessage>,
    row: &ActivityRow,
    faults: &mut Faults,
) -> Result<Vec<String>> {
    if !input.to.is_empty() {
        return Ok(input.to.iter().map(|address| address.as_str().to_owned()).collect());
    }
    if let Some(answered) = answered {
        return Ok(match answered.direction {
            ActivityDirection::In => answered.from_address.iter().map(|from| bare(from)).collect(),
            ActivityDirection::Out => answered.to_addresses.clone(),
        });
    }
    let email = match row.contact_id {
        Some(contact) => contacts::table
            .find(contact)
            .select(contacts::email)
            .first::<Option<String>>(&mut **tx)
            .optional()?
            .flatten(),
        None => None,
    };
    if email.is_none() {
        let message = match row.contact_id {
            Some(_) => "the contact has no e-mail address",
            None => "to whom is it?",
        };
        faults.add("/to", "required", message);
    }
    Ok(email.into_iter().collect())
}

/// Nobody who has withdrawn consent is written to, but in answer to what they wrote, or for a reason that is named.
fn check_consent(tx: &mut Tx<'_>, input: &EmailIn, row: &ActivityRow, answered: Option<&EmailMessage>) -> Result<()> {
    if input.despite_withdrawn.is_some() {
        return Ok(());
    }
    let answered_sender = answered
        .filter(|answered| answered.direction == ActivityDirection::In)
        .and_then(|answered| answered.from_address.as_deref());
    let copies = input.cc.iter().chain(&input.bcc).map(|address| address.as_str());
    let reached: Vec<&str> = row.to_addresses.iter().map(String::as_str).chain(copies).collect();
    let sight = tx.sight();
    let withdrawn = opt_out::said_no(tx, &sight, &reached, answered_sender)?;
    if withdrawn.is_empty() {
        return Ok(());
    }
    let detail = "consent to e-mail was withdrawn; a message that a contract needs says why in despite_withdrawn";
    Err(Problem::conflict("consent_withdrawn", detail)
        .fact("addresses", json!(withdrawn))
        .into())
}

fn answer_to(subject: &str) -> String {
    let answer = match subject.get(..3) {
        Some(start) if start.eq_ignore_ascii_case("re:") => subject.to_owned(),
        _ => format!("Re: {subject}"),
    };
    answer.chars().take(300).collect()
}

/// The messages before an answer, the last one last; a long conversation keeps its beginning.
fn references(answered: Option<&EmailMessage>) -> Vec<String> {
    const MOST: usize = 30;
    let Some(answered) = answered else {
        return Vec::new();
    };
    let mut all = answered.reference_ids.clone();
    all.push(answered.message_id.clone());
    if all.len() > MOST {
        all.drain(1..=all.len() - MOST);
    }
    all
}

#[expect(clippy::too_many_arguments, reason = "what a message is made of")]
fn in_wire_form(
    tx: &mut Tx<'_>,
    mail: &Mail,
    row: &ActivityRow,
    input: &EmailIn,
    answered: Option<&EmailMessage>,
    subject: &str,
    text: &str,
    written: &Written,
    files: &[File],
) -> Result<Composed> {
    let bcc: Vec<String> = input.bcc.iter().map(|address| address.as_str().to_owned()).collect();
    let writer = tx.actor().user.map(|_| tx.actor().name.to_string());
    let references = references(answered);
    let draft = Draft {
        id: row.id,
        writer: writer.as_deref(),
        to: &row.to_addresses,
        cc: &row.cc_addresses,
        bcc: &bcc,
        subject,
        text,
        html: written.html.as_deref(),
        in_reply_to: answered.map(|answered| answered.message_id.as_str()),
        reference_ids: &references,
        files,
    };
    compose(mail, &draft, tx.now()).map_err(|error| match error {
        ComposeError::Recipient { ref address, .. } => {
            let mut faults = Faults::default();
            for (field, addresses) in [("to", &row.to_addresses), ("cc", &row.cc_addresses), ("bcc", &bcc)] {
                if let Some(index) = addresses.iter().position(|given| given == address) {
                    faults.add(format!("/{field}/{index}"), "bad_format", error.to_string());
                }
            }
            let problem = faults.check().err();
            problem.unwrap_or_else(Problem::internal).into()
        }
        other => {
            tracing::error!(error = %other, "a message cannot be written");
            Problem::conflict("mail_not_configured", other.to_string()).into()
        }
    })
}

/// Sends a message that had failed anew.
///
/// # Errors
/// 404; 409 when it has not failed.
pub fn retry(tx: &mut Tx<'_>, id: Uuid) -> Result<EmailMessage> {
    let (before, email) = queries::lock(tx, id)?;
    tx.match_if_given(&email)?;
    let now = tx.now();
    if before.row.state != ActivityState::Open || !outbox::put_again(tx, id, now)? {
        return Err(not_now("retry", &email));
    }
    let mut row = before.row.clone();
    row.delivery = Some(EmailDelivery::Queued);
    let after = save(tx, &before, row)?;
    queries::whole(tx, after)
}

/// Takes a message back that has not gone out.
///
/// # Errors
/// 404; 409 when it has, or is going out at this moment.
pub fn cancel(tx: &mut Tx<'_>, id: Uuid) -> Result<EmailMessage> {
    let (before, email) = queries::lock(tx, id)?;
    tx.match_if_given(&email)?;
    let after = take_back(tx, &before)?;
    queries::whole(tx, after)
}

/// The same for the activity that a message is.
///
/// # Errors
/// 409 when it has gone out, or is going out at this moment.
pub fn take_back(tx: &mut Tx<'_>, before: &Activity) -> Result<Activity> {
    let id = before.row.id;
    if before.row.state != ActivityState::Open || !outbox::take_back(tx, id)? {
        let email = queries::whole(tx, before.clone())?;
        return Err(not_now("cancel", &email));
    }
    let mut row = before.row.clone();
    row.state = ActivityState::Cancelled;
    save(tx, before, row)
}

fn not_now(action: &str, email: &EmailMessage) -> service_kit::Error {
    let allowed: Vec<&str> = email.allowed_actions.iter().map(|action| action.as_str()).collect();
    Problem::illegal_transition(action, email.state.as_str(), &allowed).into()
}
