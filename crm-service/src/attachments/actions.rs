//! The verbs of attachments.

use super::model::{Attachment, AttachmentQuery};
use super::{names, queries};
use crate::customers::timeline::{self, Entry};
use crate::subjects::{self, Subject, SubjectRef};
use serde_json::json;
use service_kit::http::{File, is_media_type};
use service_kit::users::AssignIn;
use service_kit::{Answer, Error, Faults, Owned, Problem, Result, Sight, Tx};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How many files a record may have.
const MOST: i64 = 100;

/// Hangs a file on a record that is in sight.
pub fn upload(tx: &mut Tx<'_>, query: &AttachmentQuery, file: &File) -> Result<Attachment> {
    let subject = SubjectRef {
        kind: query.subject_type,
        id: query.subject_id,
    };
    let (sight, mut faults) = (tx.sight(), Faults::default());
    let found = subjects::find(tx, subject.kind, subject.id, &sight)?;
    if found.is_none() {
        faults.add(
            "subject_id",
            "unknown_subject",
            format!("there is no such {}", subject.kind),
        );
    }
    let of_subject = found.map(|found| found.owned).unwrap_or_default();
    let owned = Owned::of_new(tx, query.owner_id, query.team_id, of_subject, &mut faults)?;
    faults.check()?;
    let found = found.ok_or(Error::Stale)?;
    let id = tx.mint(query.id);
    store(
        tx,
        id,
        (subject, found),
        owned,
        query.name.as_str(),
        &file.content_type,
        &file.bytes,
    )
}

/// Files what another module made, such as the document of a quote on its deal. Whoever acts need not see the record.
///
/// # Errors
/// 422 `unknown_subject`, `too_large`, 409 `too_many_attachments`.
pub fn file(tx: &mut Tx<'_>, subject: SubjectRef, name: &str, content_type: &str, bytes: &[u8]) -> Result<Attachment> {
    let Some(found) = subjects::find(tx, subject.kind, subject.id, &Sight::All)? else {
        return Err(Problem::rule("unknown_subject", format!("there is no such {}", subject.kind)).into());
    };
    if bytes.is_empty() || bytes.len() > 10 * 1024 * 1024 {
        return Err(Problem::rule("too_large", "a file has 1 byte to 10 MiB").into());
    }
    let kind = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let kind = if is_media_type(&kind) {
        &kind
    } else {
        "application/octet-stream"
    };
    let owned = Owned::of_actor(tx.actor()).unwrap_or(found.owned);
    let id = tx.mint(None);
    store(tx, id, (subject, found), owned, name, kind, bytes)
}

fn store(
    tx: &mut Tx<'_>,
    id: Uuid,
    (subject, found): (SubjectRef, Subject),
    owned: Owned,
    name: &str,
    content_type: &str,
    bytes: &[u8],
) -> Result<Attachment> {
    if queries::count_locked(tx, subject)? >= MOST {
        let detail = format!("a record has at most {MOST} files");
        return Err(Problem::conflict("too_many_attachments", detail).into());
    }
    let attachment = Attachment {
        id,
        subject_type: subject.kind,
        subject_id: subject.id,
        customer_id: found.customer_id,
        name: names::harmless(name),
        content_type: content_type.to_owned(),
        size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        sha256: Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
        added_by: tx.actor().name.to_string(),
        owner_id: owned.owner_id,
        team_id: owned.team_id,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    queries::insert(tx, &attachment, bytes)?;
    tx.changed(None, &attachment)?;
    tell(tx, &attachment, "attachment_added", "File added")?;
    Ok(attachment)
}

/// Gives a file to somebody else.
pub fn assign(tx: &mut Tx<'_>, id: Uuid, to: &AssignIn) -> Result<Attachment> {
    let before = queries::lock(tx, id)?;
    tx.match_if_given(&before)?;
    let owned = Owned::assigned(tx, to)?;
    let mut after = before.clone();
    (after.owner_id, after.team_id) = (owned.owner_id, owned.team_id);
    if after == before {
        return Ok(before);
    }
    after.revision += 1;
    after.updated_at = tx.now();
    queries::update(tx, &after)?;
    tx.changed(Some(&before), &after)?;
    timeline::reassign(tx, id, owned)?;
    Ok(after)
}

pub fn remove(tx: &mut Tx<'_>, id: Uuid) -> Result<Answer> {
    let before = queries::lock(tx, id)?;
    tx.require_match(&before)?;
    if subjects::proves_step(tx, id)? {
        let detail = "it proves a step of the deal; prove that by another document first";
        return Err(Problem::conflict("attachment_is_evidence", detail).into());
    }
    queries::delete(tx, id)?;
    let mut gone = before.clone();
    gone.revision += 1;
    gone.updated_at = tx.now();
    tx.audit_changes(
        "attachment",
        id,
        gone.revision,
        json!({ "deleted": { "from": before, "to": null } }),
    );
    tx.emit("attachment.deleted", id, gone.revision, serde_json::to_value(&before)?);
    tell(tx, &gone, "attachment_removed", "File removed")?;
    Ok(Answer::no_content())
}

fn tell(tx: &mut Tx<'_>, attachment: &Attachment, kind: &'static str, words: &str) -> Result<()> {
    let Some(customer) = attachment.customer_id else {
        return Ok(());
    };
    let subject = attachment.subject();
    let entry = Entry::here(tx, customer, kind, attachment)
        .summary(format!("{words}: {}", attachment.name))
        .data(json!({ "name": attachment.name, "subject_type": subject.kind, "subject_id": subject.id }))
        .owned(attachment.owner_id, attachment.team_id);
    Ok(timeline::add(tx, entry)?)
}
