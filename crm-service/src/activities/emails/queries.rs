//! The SQL of e-mails.

use crate::activities::Activity;
use crate::activities::emails::model::{Contents, EmailMessage, Outgoing};
use crate::activities::queries as activities;
use crate::schema::{email_contents, outgoing_mails};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Error, Problem, Result, Sight, Tx};
use uuid::Uuid;

/// A message that is in sight.
///
/// # Errors
/// 404 when there is none.
pub fn get(conn: &mut PgConnection, id: Uuid, sight: &Sight) -> Result<EmailMessage> {
    let activity = activities::get(conn, id, sight).map_err(as_email)?;
    whole(conn, activity)
}

/// A message that is in sight of who acts, its activity locked.
///
/// # Errors
/// 404 when there is none.
pub fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<(Activity, EmailMessage)> {
    let activity = activities::lock(tx, id).map_err(as_email)?;
    let email = whole(tx, activity.clone())?;
    Ok((activity, email))
}

/// Who asks for an e-mail is not told of activities.
fn as_email(error: Error) -> Error {
    match error {
        Error::Problem(problem) if problem.code == "not_found" => Problem::not_found("e-mail").into(),
        other => other,
    }
}

/// The message that an activity is.
///
/// # Errors
/// 404 for an activity that is none.
pub fn whole(conn: &mut PgConnection, activity: Activity) -> Result<EmailMessage> {
    let id = activity.row.id;
    let contents = email_contents::table
        .find(id)
        .select(Contents::as_select())
        .first(conn)
        .optional()?;
    let outgoing = outgoing_mails::table
        .filter(outgoing_mails::activity_id.eq(id))
        .select(Outgoing::as_select())
        .first(conn)
        .optional()?;
    let email = contents.and_then(|contents| EmailMessage::of(activity, contents, outgoing));
    email.ok_or_else(|| Problem::not_found("e-mail").into())
}

pub fn insert_contents(conn: &mut PgConnection, contents: &Contents) -> QueryResult<usize> {
    diesel::insert_into(email_contents::table)
        .values(contents)
        .execute(conn)
}

/// Keeps a message as it came, or one with files as it goes out.
pub fn keep_source(conn: &mut PgConnection, id: Uuid, source: &[u8]) -> QueryResult<usize> {
    diesel::update(email_contents::table.find(id))
        .set(email_contents::source.eq(source))
        .execute(conn)
}

pub fn source(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Vec<u8>>> {
    email_contents::table
        .find(id)
        .select(email_contents::source)
        .first(conn)
}

/// Whom an address belongs to.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Correspondent {
    #[diesel(sql_type = SqlUuid)]
    pub customer_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub contact_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub owner_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub team_id: Option<Uuid>,
}

/// The customers, and their contacts, with one of these addresses (in small letters): each customer
/// once, those that are active.
pub fn correspondents(conn: &mut PgConnection, addresses: &[String]) -> QueryResult<Vec<Correspondent>> {
    sql(
        "SELECT DISTINCT ON (c.id) c.id AS customer_id, p.contact_id, c.owner_id, c.team_id
         FROM (SELECT customer_id, id AS contact_id, created_at FROM contacts WHERE lower(email) = ANY($1)
               UNION ALL
               SELECT id, NULL, NULL FROM customers WHERE lower(email) = ANY($2)) p
         JOIN customers c ON c.id = p.customer_id
         WHERE c.status = 'active'
         ORDER BY c.id, p.created_at NULLS LAST, p.contact_id",
    )
    .bind::<Array<Text>, _>(addresses)
    .bind::<Array<Text>, _>(addresses)
    .rows(conn)
}
