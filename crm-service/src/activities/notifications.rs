//! What somebody should know, in the application: reminders, what was assigned to them, what waits for them.
//!
//! A notification is for one user and about one record. It is told once: a reminder has the instant
//! that it was set for, an assignment the instant at which it was made. A client with a key is
//! nobody in particular and has none.

use crate::activities::model::Activity;
use crate::schema::notifications;
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use service_kit::auth::SignedIn;
use service_kit::db::sql;
use service_kit::http::IdPath;
use service_kit::{
    Answer, Command, Cursor, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result, Routes, Sort, Tx,
    keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Something that the user should know.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = notifications)]
pub struct Notification {
    pub id: Uuid,
    /// `reminder`, `activity_assigned` …
    pub kind: String,
    pub title: String,
    /// The record that it is about, e.g. `activity`.
    pub subject_type: String,
    pub subject: Uuid,
    /// The instant that it is about: of a reminder, when it was wanted.
    pub about: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    /// `null` as long as it is unread.
    pub read_at: Option<DateTime<Utc>>,
}

impl Resource for Notification {
    const PATH: &'static str = "me/notifications";
    const TYPE: &'static str = "notification";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        1 + i64::from(self.read_at.is_some())
    }
}

/// How many notifications there are to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NotificationsRead {
    /// How many became read.
    pub read: i64,
}

/// So many characters has a title.
const TITLE: usize = 300;

/// Tells a user something, unless it was told already. A title that is too long is cut.
///
/// # Errors
/// When the database refuses.
pub fn tell(
    conn: &mut PgConnection,
    user: Uuid,
    kind: &'static str,
    title: &str,
    (subject_type, subject): (&'static str, Uuid),
    about: DateTime<Utc>,
) -> QueryResult<bool> {
    let title: String = title.chars().take(TITLE).collect();
    let told = sql(
        "INSERT INTO notifications (id, user_id, kind, title, subject_type, subject, about, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, now())
         ON CONFLICT ON CONSTRAINT notifications_once DO NOTHING",
    )
    .bind::<SqlUuid, _>(Uuid::now_v7())
    .bind::<SqlUuid, _>(user)
    .bind::<Text, _>(kind)
    .bind::<Text, _>(title)
    .bind::<Text, _>(subject_type)
    .bind::<SqlUuid, _>(subject)
    .bind::<Timestamptz, _>(about)
    .run(conn)?;
    Ok(told == 1)
}

/// Tells the owner of an activity that somebody else gave it to them.
pub fn assigned(tx: &mut Tx<'_>, activity: &Activity) -> Result<()> {
    let (row, now) = (&activity.row, tx.now());
    let acting = tx.actor().user.map(|user| user.id);
    match row.owner_id {
        Some(owner) if row.kind.is_planned() && Some(owner) != acting && row.done_at.is_none() => {
            tell(
                tx,
                owner,
                "activity_assigned",
                &row.title,
                (Activity::TYPE, row.id),
                now,
            )?;
        }
        _ => {}
    }
    Ok(())
}

/// As [`assigned`], for many that got the same owner.
pub fn assigned_all(tx: &mut Tx<'_>, activities: &[Activity]) -> Result<()> {
    let (now, acting) = (tx.now(), tx.actor().user.map(|user| user.id));
    let told: Vec<Told<'_>> = activities
        .iter()
        .filter(|activity| activity.row.kind.is_planned() && activity.row.done_at.is_none())
        .filter_map(|activity| Some((activity.row.owner_id?, activity.row.title.as_str(), activity.row.id)))
        .filter(|(owner, _, _)| Some(*owner) != acting)
        .collect();
    Ok(tell_all(tx, "activity_assigned", Activity::TYPE, &told, now)?)
}

/// Whom of which record, with its title.
pub type Told<'a> = (Uuid, &'a str, Uuid);

/// As [`tell`], of many records of a kind.
///
/// # Errors
/// When the database refuses.
pub fn tell_all(
    conn: &mut PgConnection,
    kind: &'static str,
    subject_type: &'static str,
    told: &[Told<'_>],
    about: DateTime<Utc>,
) -> QueryResult<()> {
    sql(
        "INSERT INTO notifications (id, user_id, kind, title, subject_type, subject, about, created_at)
         SELECT a.id, a.owner, $1, a.title, $2, a.subject, $3, now()
         FROM unnest($4, $5, $6, $7) AS a (id, owner, title, subject)
         ON CONFLICT ON CONSTRAINT notifications_once DO NOTHING",
    )
    .bind::<Text, _>(kind)
    .bind::<Text, _>(subject_type)
    .bind::<Timestamptz, _>(about)
    .bind::<Array<SqlUuid>, _>(told.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(told.iter().map(|(owner, _, _)| *owner).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(told.iter().map(|(_, title, _)| *title).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(told.iter().map(|(_, _, subject)| *subject).collect::<Vec<_>>())
    .run(conn)?;
    Ok(())
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_notifications)
        .add(read_all_notifications)
        .add(read_notification);
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct NotificationsQuery {
    /// Only those that are unread, or only those that are read.
    unread: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `-created_at` or `created_at`; the newest first when absent.
    sort: Option<Sort>,
}

/// What the signed-in user should know, newest first.
#[utoipa::path(tag = "notifications", params(NotificationsQuery), security(("api_key" = ["signed_in"])),
    responses((status = 200, description = "A page of notifications", body = Page<Notification>)))]
#[get("/me/notifications")]
async fn list_notifications(read: Read<SignedIn>, query: Query<NotificationsQuery>) -> Result<Answer, Problem> {
    let me = read.actor().user.map(|user| user.id);
    read.json(move |conn| page(conn, me, &query)).await
}

fn page(conn: &mut PgConnection, me: Option<Uuid>, query: &NotificationsQuery) -> Result<Page<Notification>> {
    let mut rows = notifications::table
        .filter(notifications::user_id.eq(me.unwrap_or_default()))
        .select(Notification::as_select())
        .into_boxed();
    rows = match query.unread {
        Some(true) => rows.filter(notifications::read_at.is_null()),
        Some(false) => rows.filter(notifications::read_at.is_not_null()),
        None => rows,
    };
    let newest_first: Option<Sort> = Some(Sort::of("-created_at"));
    let sort = if query.sort.is_some() {
        &query.sort
    } else {
        &newest_first
    };
    keyset_page!(rows, conn, query.limit, query.cursor, sort,
        id: notifications::id as Uuid => |n: &Notification| n.id, [
        "created_at" => notifications::created_at as DateTime<Utc> => |n: &Notification| n.created_at,
    ])
}

/// Say that a notification was read.
#[utoipa::path(tag = "notifications", params(IdPath), security(("api_key" = ["signed_in"])),
    responses((status = 200, description = "The notification", body = Notification)))]
#[post("/me/notifications/{id}/read")]
async fn read_notification(command: Command<SignedIn>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| mark(tx, path.id)).await
}

fn mark(tx: &mut Tx<'_>, id: Uuid) -> Result<Notification> {
    let me = tx.actor().user.map(|user| user.id).unwrap_or_default();
    let mine = notifications::table.filter(notifications::id.eq(id).and(notifications::user_id.eq(me)));
    let before: Notification = mine
        .select(Notification::as_select())
        .for_update()
        .first(&mut **tx)
        .or_not_found("notification")?;
    tx.match_if_given(&before)?;
    if before.read_at.is_some() {
        return Ok(before);
    }
    let after = Notification {
        read_at: Some(tx.now()),
        ..before
    };
    diesel::update(notifications::table.find(id))
        .set(notifications::read_at.eq(after.read_at))
        .execute(&mut **tx)?;
    Ok(after)
}

/// Say that all notifications were read.
#[utoipa::path(tag = "notifications", security(("api_key" = ["signed_in"])),
    responses((status = 200, description = "How many were unread", body = NotificationsRead)))]
#[post("/me/notifications/read-all")]
async fn read_all_notifications(command: Command<SignedIn>) -> Result<Answer, Problem> {
    command
        .answer(|tx| {
            let me = tx.actor().user.map(|user| user.id).unwrap_or_default();
            let rows: Vec<Count> = sql("WITH marked AS (
                     UPDATE notifications SET read_at = now() WHERE user_id = $1 AND read_at IS NULL RETURNING id)
                 SELECT count(*) AS count FROM marked")
            .bind::<SqlUuid, _>(me)
            .rows(tx)?;
            let read = rows.first().map_or(0, |row| row.count);
            Ok(Answer::json(&NotificationsRead { read })?)
        })
        .await
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}
