//! When a deal was in which stage.

use super::queries;
use crate::may;
use crate::schema::{deal_stays, pipeline_stages, pipeline_versions};
use actix_web::get;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::IdPath;
use service_kit::{
    Answer, Cursor, Error, Limit, Page, Path, Problem, Query, Read, Result, Routes, Sort, Tx, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// How a deal left a stage.
    StayOutcome {
        /// To another stage.
        Moved = "moved",
        /// To another stage of a newer version of the pipeline.
        Remapped = "remapped",
        Won = "won",
        Lost = "lost",
    }
}

/// A deal's time in a stage.
#[derive(Debug, Serialize, ToSchema)]
pub struct DealStay {
    pub id: Uuid,
    pub deal_id: Uuid,
    /// Key of the stage.
    pub stage: String,
    pub stage_name: String,
    pub pipeline_version: i32,
    pub entered_at: DateTime<Utc>,
    /// `null`: it is still there.
    pub left_at: Option<DateTime<Utc>>,
    pub outcome: Option<StayOutcome>,
    /// Time in the stage, until now if it is still there.
    pub seconds: i64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct StaysQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `entered_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(list_deal_stays);
}

/// The stages that a deal has been in, with when it came and went.
///
/// Every entry has one exit, or the deal is still there.
#[utoipa::path(tag = "deals", params(IdPath, StaysQuery), security(("api_key" = ["deals:read"])),
    responses((status = 200, description = "A page of the history", body = Page<DealStay>)))]
#[get("/deals/{id}/stays")]
async fn list_deal_stays(
    read: Read<may::ReadDeals>,
    path: Path<IdPath>,
    query: Query<StaysQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        if queries::subject(conn, &sight, path.id)?.is_none() {
            return Err(Problem::not_found("deal").into());
        }
        page(conn, path.id, &query)
    })
    .await
}

type Row = (
    (Uuid, Uuid, DateTime<Utc>, Option<DateTime<Utc>>, Option<StayOutcome>),
    (String, String),
    i32,
);

fn page(conn: &mut PgConnection, deal: Uuid, query: &StaysQuery) -> Result<Page<DealStay>> {
    let rows = deal_stays::table
        .inner_join(pipeline_stages::table.inner_join(pipeline_versions::table))
        .filter(deal_stays::deal_id.eq(deal))
        .select((
            (
                deal_stays::id,
                deal_stays::deal_id,
                deal_stays::entered_at,
                deal_stays::left_at,
                deal_stays::outcome,
            ),
            (pipeline_stages::key, pipeline_stages::name),
            pipeline_versions::number,
        ))
        .into_boxed();
    let now = Utc::now();
    let page: Result<Page<Row>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: deal_stays::id as Uuid => |row: &Row| row.0.0, [
        "entered_at" => deal_stays::entered_at as DateTime<Utc> => |row: &Row| row.0.2,
    ]);
    Ok(page?.map(
        |((id, deal_id, entered_at, left_at, outcome), (stage, stage_name), pipeline_version)| DealStay {
            id,
            deal_id,
            stage,
            stage_name,
            pipeline_version,
            entered_at,
            left_at,
            outcome,
            seconds: (left_at.unwrap_or(now) - entered_at).num_seconds().max(0),
        },
    ))
}

/// The deal enters a stage.
pub fn enter(tx: &mut Tx<'_>, deal: Uuid, stage: Uuid, at: DateTime<Utc>) -> Result<()> {
    diesel::insert_into(deal_stays::table)
        .values((
            deal_stays::id.eq(Uuid::now_v7()),
            deal_stays::deal_id.eq(deal),
            deal_stays::stage_id.eq(stage),
            deal_stays::entered_at.eq(at),
        ))
        .execute(&mut **tx)?;
    Ok(())
}

/// The deal leaves the stage that it is in.
pub fn leave(tx: &mut Tx<'_>, deal: Uuid, at: DateTime<Utc>, outcome: StayOutcome) -> Result<()> {
    let open = deal_stays::table.filter(deal_stays::deal_id.eq(deal).and(deal_stays::left_at.is_null()));
    let left = diesel::update(open)
        .set((deal_stays::left_at.eq(Some(at)), deal_stays::outcome.eq(Some(outcome))))
        .execute(&mut **tx)?;
    match left {
        1 => Ok(()),
        _ => Err(Error::Bug(format!("the open deal {deal} was in {left} stages"))),
    }
}

/// The deal stays where it is, which is called the same in another version.
pub fn carry_over(tx: &mut Tx<'_>, deal: Uuid, stage: Uuid) -> Result<()> {
    diesel::update(deal_stays::table.filter(deal_stays::deal_id.eq(deal).and(deal_stays::left_at.is_null())))
        .set(deal_stays::stage_id.eq(stage))
        .execute(&mut **tx)?;
    Ok(())
}
