//! The SQL of attachments. [`get`] and [`lock`] are the only ways to one.

use super::model::{Attachment, AttachmentsQuery};
use crate::schema::{attachment_contents, attachments};
use crate::subjects::{SubjectRef, SubjectType};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use service_kit::db::sql;
use service_kit::{OrNotFound, Page, Problem, Result, Sight, Tx, keyset_page, visible};
use uuid::Uuid;

/// # Errors
/// 404 when there is none, or none in sight.
pub fn get(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> Result<Attachment> {
    let found = attachments::table.find(id).select(Attachment::as_select()).first(conn);
    seen(found.or_not_found("attachment")?, sight)
}

/// An attachment in the actor's sight, locked.
///
/// # Errors
/// 404 when there is none, or none in sight.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<Attachment> {
    let sight = tx.sight();
    let found = attachments::table.find(id).select(Attachment::as_select()).for_update();
    seen(found.first(&mut **tx).or_not_found("attachment")?, &sight)
}

fn seen(attachment: Attachment, sight: &Sight) -> Result<Attachment> {
    match sight.covers(attachment.owner_id, attachment.team_id) {
        true => Ok(attachment),
        false => Err(Problem::not_found("attachment").into()),
    }
}

pub fn content(conn: &mut PgConnection, id: Uuid) -> QueryResult<Vec<u8>> {
    attachment_contents::table
        .find(id)
        .select(attachment_contents::bytes)
        .first(conn)
}

/// How many files a record has; others who hang one there wait.
pub fn count_locked(conn: &mut PgConnection, subject: SubjectRef) -> QueryResult<i64> {
    sql("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 1633969251))")
        .bind::<SqlUuid, _>(subject.id)
        .run(conn)?;
    let there = attachments::table
        .filter(attachments::subject_id.eq(subject.id))
        .filter(attachments::subject_type.eq(subject.kind));
    there.count().get_result(conn)
}

pub fn insert(conn: &mut PgConnection, attachment: &Attachment, bytes: &[u8]) -> QueryResult<()> {
    diesel::insert_into(attachments::table)
        .values(attachment)
        .execute(conn)?;
    diesel::insert_into(attachment_contents::table)
        .values((
            attachment_contents::attachment_id.eq(attachment.id),
            attachment_contents::bytes.eq(bytes),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn update(conn: &mut PgConnection, attachment: &Attachment) -> QueryResult<usize> {
    diesel::update(attachments::table.find(attachment.id))
        .set(attachment)
        .execute(conn)
}

pub fn delete(conn: &mut PgConnection, id: Uuid) -> QueryResult<usize> {
    diesel::delete(attachments::table.find(id)).execute(conn)
}

pub fn page(conn: &mut PgConnection, sight: &Sight, query: &AttachmentsQuery) -> Result<Page<Attachment>> {
    let mut rows = attachments::table.select(Attachment::as_select()).into_boxed();
    rows = rows.filter(visible!(sight, attachments));
    if let Some(text) = &query.q {
        rows = rows.filter(attachments::name.ilike(text.contains()));
    }
    if let Some(kind) = query.subject_type {
        rows = rows.filter(attachments::subject_type.eq(kind));
    }
    if let Some(subject) = query.subject_id {
        rows = rows.filter(attachments::subject_id.eq(subject));
    }
    if let Some(customer) = query.customer_id {
        rows = rows.filter(attachments::customer_id.eq(customer));
    }
    if let Some(owner) = query.owner_id {
        rows = rows.filter(attachments::owner_id.eq(owner));
    }
    if let Some(team) = query.team_id {
        rows = rows.filter(attachments::team_id.eq(team));
    }
    keyset_page!(rows, conn, query.limit, query.cursor, query.sort, id: attachments::id as Uuid => |a: &Attachment| a.id, [
        "created_at" => attachments::created_at as DateTime<Utc> => |a: &Attachment| a.created_at,
        "name" => attachments::name as String => |a: &Attachment| a.name.clone(),
    ])
}

/// Whether a file hangs on this record: then it is evidence there.
///
/// # Errors
/// When the database refuses.
pub fn evidence(conn: &mut PgConnection, subject: SubjectRef, id: Uuid) -> QueryResult<bool> {
    let there = attachments::table
        .filter(attachments::id.eq(id))
        .filter(attachments::subject_id.eq(subject.id))
        .filter(attachments::subject_type.eq(subject.kind))
        .select(attachments::id)
        // So that nobody removes what is about to prove something.
        .for_share();
    Ok(there.first::<Uuid>(conn).optional()?.is_some())
}

/// A record now concerns this customer (a lead was converted): so do the files on it, and each is told.
///
/// # Errors
/// When the database refuses.
pub fn subject_concerns(tx: &mut Tx<'_>, kind: SubjectType, subject: Uuid, customer: Uuid) -> Result<()> {
    let there: Vec<Attachment> = attachments::table
        .filter(attachments::subject_id.eq(subject))
        .filter(attachments::subject_type.eq(kind))
        .order(attachments::id)
        .select(Attachment::as_select())
        .for_update()
        .load(&mut **tx)?;
    for before in there {
        let mut after = before.clone();
        after.customer_id = Some(customer);
        after.revision += 1;
        after.updated_at = tx.now();
        update(tx, &after)?;
        tx.changed(Some(&before), &after)?;
    }
    Ok(())
}
