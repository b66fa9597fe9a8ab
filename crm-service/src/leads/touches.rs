//! Touches: each time that somebody came to us, with what led them here.

use super::capture;
use super::model::{Lead, LeadIn};
use super::queries;
use crate::json::AsJson;
use crate::may;
use crate::schema::lead_touches;
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Jsonb, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_kit::db::sql;
use service_kit::http::IdPath;
use service_kit::{
    Answer, Body, Command, Cursor, Limit, Page, Path, Problem, Query, Read, Routes, Sort, Tx, keyset_page,
};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A contact of somebody with us.
#[derive(Debug, Clone, Serialize, Queryable, Selectable, Insertable, ToSchema)]
#[diesel(table_name = lead_touches)]
pub struct LeadTouch {
    pub id: Uuid,
    pub lead_id: Uuid,
    pub occurred_at: DateTime<Utc>,
    pub form_id: Option<Uuid>,
    pub submission_id: Option<Uuid>,
    /// The import that brought it.
    pub import_id: Option<Uuid>,
    pub source: Option<String>,
    pub campaign: Option<String>,
    pub utm_source: Option<String>,
    pub utm_medium: Option<String>,
    pub utm_campaign: Option<String>,
    pub utm_term: Option<String>,
    pub utm_content: Option<String>,
    pub referrer: Option<String>,
    pub landing_page: Option<String>,
    pub message: Option<String>,
    /// To what the form asks beyond what a lead has.
    #[schema(value_type = Object)]
    pub answers: AsJson<BTreeMap<String, String>>,
}

/// A touch of a lead that is known.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadTouchIn {
    #[schema(min_length = 1, max_length = 5_000)]
    pub message: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub source: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub campaign: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub utm_source: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub utm_medium: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub utm_campaign: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub utm_term: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub utm_content: Option<String>,
    #[schema(min_length = 1, max_length = 2_000)]
    pub referrer: Option<String>,
    #[schema(min_length = 1, max_length = 2_000)]
    pub landing_page: Option<String>,
}

impl From<&LeadTouchIn> for LeadIn {
    fn from(input: &LeadTouchIn) -> Self {
        let input = input.clone();
        LeadIn {
            message: input.message,
            source: input.source,
            campaign: input.campaign,
            utm_source: input.utm_source,
            utm_medium: input.utm_medium,
            utm_campaign: input.utm_campaign,
            utm_term: input.utm_term,
            utm_content: input.utm_content,
            referrer: input.referrer,
            landing_page: input.landing_page,
            ..LeadIn::default()
        }
    }
}

/// Which way a touch came.
#[derive(Debug, Clone, Default)]
pub struct Way {
    pub form_id: Option<Uuid>,
    pub submission_id: Option<Uuid>,
    pub import_id: Option<Uuid>,
    pub answers: BTreeMap<String, String>,
}

/// Notes a touch.
pub fn add(tx: &mut Tx<'_>, lead_id: Uuid, input: &LeadIn, way: &Way) -> QueryResult<()> {
    let input = input.clone();
    let touch = LeadTouch {
        id: Uuid::now_v7(),
        lead_id,
        occurred_at: tx.now(),
        form_id: way.form_id,
        submission_id: way.submission_id,
        import_id: way.import_id,
        source: input.source,
        campaign: input.campaign,
        utm_source: input.utm_source,
        utm_medium: input.utm_medium,
        utm_campaign: input.utm_campaign,
        utm_term: input.utm_term,
        utm_content: input.utm_content,
        referrer: input.referrer,
        landing_page: input.landing_page,
        message: input.message,
        answers: AsJson(way.answers.clone()),
    };
    diesel::insert_into(lead_touches::table)
        .values(&touch)
        .execute(&mut **tx)?;
    Ok(())
}

/// Whether an input says of how somebody came what no touch of the lead says.
pub fn is_news(conn: &mut PgConnection, lead_id: Uuid, input: &LeadIn) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Bool)]
        found: bool,
    }
    let said = json!({
        "source": input.source, "campaign": input.campaign, "utm_source": input.utm_source, "utm_medium": input.utm_medium,
        "utm_campaign": input.utm_campaign, "utm_term": input.utm_term, "utm_content": input.utm_content,
        "referrer": input.referrer, "landing_page": input.landing_page, "message": input.message,
    });
    let row: Found = sql(
        "SELECT said <> '{}' AND NOT EXISTS (SELECT FROM lead_touches t WHERE t.lead_id = $1 AND to_jsonb(t) @> said) AS found
         FROM (SELECT jsonb_strip_nulls($2) AS said) input",
    )
    .bind::<SqlUuid, _>(lead_id)
    .bind::<Jsonb, _>(said)
    .row(conn)?;
    Ok(row.found)
}

/// Takes away the touches that an import brought.
pub fn remove_of_import(conn: &mut PgConnection, lead_id: Uuid, import: Uuid) -> QueryResult<usize> {
    let brought = lead_touches::table.filter(
        lead_touches::lead_id
            .eq(lead_id)
            .and(lead_touches::import_id.eq(import)),
    );
    diesel::delete(brought).execute(conn)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LeadTouchesQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `occurred_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(list_lead_touches).add(create_lead_touch);
}

/// How somebody came to us, each time.
#[utoipa::path(tag = "leads", params(IdPath, LeadTouchesQuery), security(("api_key" = ["leads:read"])),
    responses((status = 200, description = "A page of touches", body = Page<LeadTouch>)))]
#[get("/leads/{id}/touches")]
async fn list_lead_touches(
    read: Read<may::ReadLeads>,
    path: Path<IdPath>,
    query: Query<LeadTouchesQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        queries::get(conn, &sight, path.id)?;
        let rows = lead_touches::table
            .filter(lead_touches::lead_id.eq(path.id))
            .select(LeadTouch::as_select())
            .into_boxed();
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: lead_touches::id as Uuid => |touch: &LeadTouch| touch.id, [
            "occurred_at" => lead_touches::occurred_at as DateTime<Utc> => |touch: &LeadTouch| touch.occurred_at,
        ])
    })
    .await
}

/// Note that somebody came again; of an open lead.
#[utoipa::path(tag = "leads", params(IdPath), request_body = LeadTouchIn, security(("api_key" = ["leads:write"])),
    responses((status = 200, description = "The lead", body = Lead)))]
#[post("/leads/{id}/touches")]
async fn create_lead_touch(
    command: Command<may::WriteLeads>,
    path: Path<IdPath>,
    body: Body<LeadTouchIn>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| capture::touch(tx, path.id, &LeadIn::from(&body.0)))
        .await
}
