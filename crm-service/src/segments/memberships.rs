//! Memberships as others keep a copy of them: each a small record with a version, which counts entering, leaving, and moving
//! to the customer that its own became part of.
//!
//! The event `segment.membership_changed` and the list show the same: who keeps a copy begins with the list and goes on with
//! the events, newest version first. One that has ended stays, so that an earlier version that arrives late revives nobody.

use crate::may;
use crate::schema::{customers, segment_members};
use actix_web::get;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use service_kit::{Answer, Cursor, Limit, Page, Problem, Query, Read, Result, Routes, Sort, Tx, keyset_page, visible};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

const CHANGED: &str = "segment.membership_changed";

/// That a customer is in a segment, or was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, QueryableByName, Selectable, ToSchema)]
#[diesel(table_name = segment_members)]
pub struct Membership {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub segment_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub customer_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub entered_at: DateTime<Utc>,
    /// `null`: it is in.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub left_at: Option<DateTime<Utc>>,
    /// Orders its events.
    #[diesel(sql_type = BigInt)]
    pub version: i64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct MembershipsQuery {
    segment_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    /// `true`: only those that have not ended; `false`: only those that have.
    open: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `entered_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(list_segment_memberships);
}

/// Who is in which segment, and was: of all segments, as far as the customers are in sight.
///
/// For whoever keeps a copy; the event `segment.membership_changed` tells what changes.
#[utoipa::path(tag = "segments", params(MembershipsQuery), security(("api_key" = ["segments:read"])),
    responses((status = 200, description = "A page of memberships", body = Page<Membership>)))]
#[get("/segment-memberships")]
async fn list_segment_memberships(
    read: Read<may::ReadSegments>,
    query: Query<MembershipsQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        let mut rows = segment_members::table.select(Membership::as_select()).into_boxed();
        if !sight.sees_all() {
            let seen = customers::table.select(customers::id).into_boxed();
            rows = rows.filter(segment_members::customer_id.eq_any(seen.filter(visible!(&sight, customers))));
        }
        if let Some(segment) = query.segment_id {
            rows = rows.filter(segment_members::segment_id.eq(segment));
        }
        if let Some(customer) = query.customer_id {
            rows = rows.filter(segment_members::customer_id.eq(customer));
        }
        match query.open {
            Some(true) => rows = rows.filter(segment_members::left_at.is_null()),
            Some(false) => rows = rows.filter(segment_members::left_at.is_not_null()),
            None => {}
        }
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort, id: segment_members::id as Uuid => |m: &Membership| m.id, [
            "entered_at" => segment_members::entered_at as DateTime<Utc> => |m: &Membership| m.entered_at,
        ])
    })
    .await
}

/// Tells memberships as they are now.
pub fn tell(tx: &mut Tx<'_>, changed: &[Membership]) -> Result<()> {
    for membership in changed {
        tx.emit(
            CHANGED,
            membership.id,
            membership.version,
            serde_json::to_value(membership)?,
        );
    }
    Ok(())
}

/// Tells memberships that a merge has moved to another customer.
///
/// # Errors
/// When the database refuses.
pub fn moved(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<()> {
    let found = segment_members::table.filter(segment_members::id.eq_any(ids));
    let found: Vec<Membership> = found
        .order(segment_members::id)
        .select(Membership::as_select())
        .load(&mut **tx)?;
    tell(tx, &found)
}
