//! The timeline of a customer: what happened, here and in the ERP, newest first.
//!
//! Entries are written in the transaction of what they tell, by whichever module did it. What is
//! told twice (a repeated delivery of the sync, a resync) stands here once: a subject's version has
//! at most one entry of a kind.

use crate::customers::queries;
use crate::may;
use crate::schema::timeline_entries;
use actix_web::get;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
pub use service_kit::Owned;
use service_kit::db::sql;
use service_kit::http::IdPath;
use service_kit::{
    Answer, Cursor, Limit, Page, Path, Problem, Query, Read, Resource, Routes, Sight, Tx, text_enum, visible,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Where something happened.
    TimelineSource { Crm = "crm", Erp = "erp" }
}

/// Something that happened, to be told.
#[derive(Debug, Clone)]
pub struct Entry {
    pub customer_id: Uuid,
    pub occurred_at: DateTime<Utc>,
    pub source: TimelineSource,
    /// `customer_created`, `order_submitted`, `delivery` …
    pub kind: &'static str,
    /// The record that it happened to, e.g. `order`.
    pub subject_type: &'static str,
    pub subject: Uuid,
    /// Orders the entries of a subject.
    pub subject_version: i64,
    /// One line for people.
    pub summary: String,
    pub data: Value,
    /// When the source knew it.
    pub as_of: DateTime<Utc>,
    /// Owner and team of the record that it happened to, when it is seen by those who see that
    /// record; else it is seen with the customer.
    pub owned: Option<Owned>,
}

impl Entry {
    /// Something that this command did to a record of the CRM.
    pub fn here<R: Resource>(tx: &Tx<'_>, customer_id: Uuid, kind: &'static str, subject: &R) -> Self {
        Entry {
            customer_id,
            occurred_at: tx.now(),
            source: TimelineSource::Crm,
            kind,
            subject_type: R::TYPE,
            subject: subject.id(),
            subject_version: subject.revision(),
            summary: String::new(),
            data: json!({}),
            as_of: tx.now(),
            owned: None,
        }
    }

    pub fn summary(self, summary: impl Into<String>) -> Self {
        Entry {
            summary: summary.into(),
            ..self
        }
    }

    pub fn data(self, data: Value) -> Self {
        Entry { data, ..self }
    }

    /// Seen by those who see the record, not by all who see the customer.
    pub fn owned(self, owner_id: Option<Uuid>, team_id: Option<Uuid>) -> Self {
        Entry {
            owned: Some(Owned { owner_id, team_id }),
            ..self
        }
    }
}

/// Tells one thing.
pub fn add(conn: &mut PgConnection, entry: Entry) -> QueryResult<()> {
    add_all(conn, &[entry])
}

/// Tells several things in one statement, in this order where their instants agree.
pub fn add_all(conn: &mut PgConnection, entries: &[Entry]) -> QueryResult<()> {
    if entries.is_empty() {
        return Ok(());
    }
    sql(
        "INSERT INTO timeline_entries (id, customer_id, occurred_at, source, kind, subject_type, subject,
                                       subject_version, summary, data, as_of, follows_owner, owner_id, team_id)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT ON CONSTRAINT timeline_entries_once DO NOTHING",
    )
    .bind::<Array<SqlUuid>, _>(entries.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(entries.iter().map(|e| e.customer_id).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(entries.iter().map(|e| e.occurred_at).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(entries.iter().map(|e| e.source.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(entries.iter().map(|e| e.kind).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(entries.iter().map(|e| e.subject_type).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(entries.iter().map(|e| e.subject).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(entries.iter().map(|e| e.subject_version).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(entries.iter().map(|e| e.summary.as_str()).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(entries.iter().map(|e| &e.data).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(entries.iter().map(|e| e.as_of).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(entries.iter().map(|e| e.owned.is_some()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(
        entries
            .iter()
            .map(|e| e.owned.and_then(|o| o.owner_id))
            .collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<SqlUuid>>, _>(
        entries
            .iter()
            .map(|e| e.owned.and_then(|o| o.team_id))
            .collect::<Vec<_>>(),
    )
    .run(conn)?;
    Ok(())
}

/// What happened to a record follows its new owner.
pub fn reassign(conn: &mut PgConnection, subject: Uuid, to: Owned) -> QueryResult<()> {
    use timeline_entries::dsl;
    diesel::update(dsl::timeline_entries.filter(dsl::subject.eq(subject).and(dsl::follows_owner)))
        .set((dsl::owner_id.eq(to.owner_id), dsl::team_id.eq(to.team_id)))
        .execute(conn)?;
    Ok(())
}

/// What happened to records follows their new owner.
pub fn reassign_all(conn: &mut PgConnection, subjects: &[Uuid], to: Owned) -> QueryResult<()> {
    use timeline_entries::dsl;
    diesel::update(dsl::timeline_entries.filter(dsl::subject.eq_any(subjects).and(dsl::follows_owner)))
        .set((dsl::owner_id.eq(to.owner_id), dsl::team_id.eq(to.team_id)))
        .execute(conn)?;
    Ok(())
}

/// What happened to a record was about this customer after all.
pub fn follow_customer(conn: &mut PgConnection, subject: Uuid, customer: Uuid) -> QueryResult<()> {
    use timeline_entries::dsl;
    diesel::update(dsl::timeline_entries.filter(dsl::subject.eq(subject)))
        .set(dsl::customer_id.eq(customer))
        .execute(conn)?;
    Ok(())
}

/// Something that happened to a customer.
#[derive(Debug, Serialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = timeline_entries)]
pub struct TimelineEntry {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub occurred_at: DateTime<Utc>,
    pub source: TimelineSource,
    /// `customer_created`, `contact_added`, `order_submitted`, `delivery` …
    pub kind: String,
    /// The record that it happened to, e.g. `order`.
    pub subject_type: String,
    pub subject: Uuid,
    /// Orders the entries of a subject.
    pub subject_version: i64,
    /// One line for people.
    pub summary: String,
    #[schema(value_type = Object)]
    pub data: Value,
    /// When the source knew it.
    pub as_of: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TimelineQuery {
    #[param(inline)]
    source: Option<TimelineSource>,
    /// Only this kind, e.g. `order_submitted`.
    #[param(max_length = 60, pattern = "^[a-z_]+$")]
    kind: Option<String>,
    /// Only what happened to this record.
    subject: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(list_timeline_entries);
}

/// What happened to a customer, newest first.
#[utoipa::path(tag = "customers", params(IdPath, TimelineQuery), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "A page of the timeline", body = Page<TimelineEntry>)))]
#[get("/customers/{id}/timeline")]
async fn list_timeline_entries(
    read: Read<may::ReadCustomers>,
    path: Path<IdPath>,
    query: Query<TimelineQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        queries::require(conn, &sight, path.id, "/timeline")?;
        page(conn, &sight, path.id, &query)
    })
    .await
}

/// The order of the list: by instant, then by the subject's version, which outranks the clock's
/// coarseness, then by the order of telling.
type Key = (DateTime<Utc>, i64, Uuid);
const ORDER: &str = "-occurred_at";

fn page(
    conn: &mut PgConnection,
    sight: &Sight,
    customer: Uuid,
    query: &TimelineQuery,
) -> service_kit::Result<Page<TimelineEntry>> {
    use timeline_entries::dsl;
    let mut entries = dsl::timeline_entries
        .filter(dsl::customer_id.eq(customer))
        .select(TimelineEntry::as_select())
        .into_boxed();
    if !sight.sees_all() {
        let followed = dsl::follows_owner.eq(false);
        entries = entries.filter(followed.or(visible!(sight, timeline_entries)));
    }
    if let Some(source) = query.source {
        entries = entries.filter(dsl::source.eq(source));
    }
    if let Some(kind) = &query.kind {
        entries = entries.filter(dsl::kind.eq(kind.replace('\0', "")));
    }
    if let Some(subject) = query.subject {
        entries = entries.filter(dsl::subject.eq(subject));
    }
    let (limit, cursor) = service_kit::paging::turn(query.limit, query.cursor.as_ref());
    if let Some(cursor) = cursor {
        let (at, version, id) = cursor.decode::<Key>(ORDER)?;
        let same_instant = dsl::subject_version
            .lt(version)
            .or(dsl::subject_version.eq(version).and(dsl::id.lt(id)));
        entries = entries.filter(dsl::occurred_at.lt(at).or(dsl::occurred_at.eq(at).and(same_instant)));
    }
    let rows = entries
        .order((dsl::occurred_at.desc(), dsl::subject_version.desc(), dsl::id.desc()))
        .limit(limit.plus_one())
        .load(conn)?;
    Ok(Page::from_rows(rows, limit, |row: &TimelineEntry| {
        let key: Key = (row.occurred_at, row.subject_version, row.id);
        Cursor::encode(ORDER, &key)
    }))
}
