//! The audit log: who changed what, when, from what to what. Append-only.

use crate::auth::ReadAuditLog;
use crate::command::Read;
use crate::http::{Answer, Query};
use crate::openapi::Routes;
use crate::paging::{Cursor, Limit, Page, Sort};
use crate::problem::Problem;
use crate::schema::audit_log;
use actix_web::get;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AuditLogQuery {
    /// Changes of this record.
    subject: Option<Uuid>,
    /// Changes of this kind of record, e.g. `sales_order`.
    #[param(max_length = 60)]
    subject_type: Option<String>,
    /// Changes by this API key.
    actor_id: Option<Uuid>,
    /// Changes at or after this instant.
    since: Option<DateTime<Utc>>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `occurred_at` (default `-occurred_at`).
    sort: Option<Sort>,
}

/// One change of one record.
#[derive(Debug, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = audit_log)]
pub struct AuditEntry {
    pub id: i64,
    pub occurred_at: DateTime<Utc>,
    /// The API key.
    pub actor_id: Uuid,
    pub actor: String,
    pub request_id: String,
    /// Method and path of the request.
    pub operation: String,
    pub subject_type: String,
    pub subject: Uuid,
    /// Revision of the record after the change.
    pub revision: i64,
    /// `{field: {from, to}}`.
    #[schema(value_type = Object)]
    pub changes: Value,
}

pub fn routes(routes: &mut Routes) {
    routes.add(list_audit_log);
}

/// Who changed what.
#[utoipa::path(tag = "administration", params(AuditLogQuery), security(("api_key" = ["audit_log:read"])),
    responses((status = 200, description = "A page of changes", body = Page<AuditEntry>)))]
#[get("/audit-log")]
async fn list_audit_log(read: Read<ReadAuditLog>, query: Query<AuditLogQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut entries = audit_log::table.select(AuditEntry::as_select()).into_boxed();
        if let Some(subject) = query.subject {
            entries = entries.filter(audit_log::subject.eq(subject));
        }
        if let Some(kind) = &query.subject_type {
            entries = entries.filter(audit_log::subject_type.eq(kind));
        }
        if let Some(actor) = query.actor_id {
            entries = entries.filter(audit_log::actor_id.eq(actor));
        }
        if let Some(since) = query.since {
            entries = entries.filter(audit_log::occurred_at.ge(since));
        }
        // The id rises with time and is the key, so it orders alone.
        let sort = query.sort.as_ref().map_or("-occurred_at", Sort::as_str);
        let (limit, cursor) = crate::paging::turn(query.limit, query.cursor.as_ref());
        let after = cursor.map(|cursor| cursor.decode::<i64>(sort)).transpose()?;
        let entries = match (sort, after) {
            ("-occurred_at", Some(id)) => entries.filter(audit_log::id.lt(id)).order(audit_log::id.desc()),
            ("-occurred_at", None) => entries.order(audit_log::id.desc()),
            ("occurred_at", Some(id)) => entries.filter(audit_log::id.gt(id)).order(audit_log::id.asc()),
            ("occurred_at", None) => entries.order(audit_log::id.asc()),
            _ => return Err(crate::paging::unknown_sort(sort, &["-occurred_at", "occurred_at"]).into()),
        };
        let rows = entries.limit(limit.plus_one()).load(conn)?;
        Ok(Page::from_rows(rows, limit, |row: &AuditEntry| {
            Cursor::encode(sort, &row.id)
        }))
    })
    .await
}
