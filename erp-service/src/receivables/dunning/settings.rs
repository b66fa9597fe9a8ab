//! What differs for a customer: the language of its letters, and an exemption with its reason until a date.

use crate::may;
use crate::schema::{customers, dunning_settings};
use actix_web::{get, patch};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::present;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, IdPath, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource,
    Result, Routes, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// How a customer is reminded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = dunning_settings, primary_key(customer_id), treat_none_as_null = true)]
pub struct DunningSettings {
    pub customer_id: Uuid,
    /// `null`: that of the run.
    pub language: Option<String>,
    /// No letters up to and including this day.
    pub exempt_until: Option<NaiveDate>,
    pub exempt_reason: Option<String>,
    /// 0: nothing was ever set.
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DunningSettingsPatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 2, max_length = 2, pattern = "^[a-z]{2}$")]
    pub language: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub exempt_until: Option<Option<NaiveDate>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub exempt_reason: Option<Option<String>>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DunningSettingsQuery {
    /// Customers that are exempt on this day.
    exempt_on: Option<NaiveDate>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for DunningSettings {
    const PATH: &'static str = "dunning-settings";
    const TYPE: &'static str = "dunning_settings";
    fn id(&self) -> Uuid {
        self.customer_id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_dunning_settings)
        .add(get_dunning_settings)
        .add(update_dunning_settings);
}

/// Customers for whom something was set.
#[utoipa::path(tag = "receivables", params(DunningSettingsQuery), security(("api_key" = ["dunning:read"])),
    responses((status = 200, description = "A page of settings", body = Page<DunningSettings>)))]
#[get("/dunning-settings")]
async fn list_dunning_settings(
    read: Read<may::ReadDunning>,
    query: Query<DunningSettingsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = dunning_settings::table
            .select(DunningSettings::as_select())
            .into_boxed();
        if let Some(day) = query.exempt_on {
            found = found.filter(dunning_settings::exempt_until.ge(day));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: dunning_settings::customer_id as Uuid => |s: &DunningSettings| s.customer_id, [
            "created_at" => dunning_settings::created_at as DateTime<Utc> => |s: &DunningSettings| s.created_at,
        ])
    })
    .await
}

/// How a customer is reminded; with its id.
#[utoipa::path(tag = "receivables", params(IdPath), security(("api_key" = ["dunning:read"])),
    responses((status = 200, description = "The settings", body = DunningSettings)))]
#[get("/dunning-settings/{id}")]
async fn get_dunning_settings(read: Read<may::ReadDunning>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| find(conn, path.id)).await
}

/// Change how a customer is reminded; with its id. An exemption has a day and a reason.
#[utoipa::path(tag = "receivables", params(IdPath), request_body(content = DunningSettingsPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["dunning:write"])), responses((status = 200, description = "The settings", body = DunningSettings)))]
#[patch("/dunning-settings/{id}")]
async fn update_dunning_settings(
    command: Command<may::WriteDunning>,
    path: Path<IdPath>,
    body: Body<DunningSettingsPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, path.id, &body.0)).await
}

fn find(conn: &mut PgConnection, customer_id: Uuid) -> Result<DunningSettings> {
    let found: Option<DunningSettings> = dunning_settings::table
        .find(customer_id)
        .select(DunningSettings::as_select())
        .first(conn)
        .optional()?;
    if let Some(settings) = found {
        return Ok(settings);
    }
    let (created_at, updated_at) = customers::table
        .find(customer_id)
        .select((customers::created_at, customers::updated_at))
        .first(conn)
        .or_not_found("customer")?;
    Ok(DunningSettings {
        customer_id,
        language: None,
        exempt_until: None,
        exempt_reason: None,
        revision: 0,
        created_at,
        updated_at,
    })
}

fn update(tx: &mut Tx<'_>, customer_id: Uuid, patch: &DunningSettingsPatch) -> Result<DunningSettings> {
    // The customer's row stands for settings that are not there yet.
    customers::table
        .find(customer_id)
        .for_no_key_update()
        .select(customers::id)
        .first::<Uuid>(&mut **tx)
        .or_not_found("customer")?;
    let before = find(tx, customer_id)?;
    tx.require_match(&before)?;
    let mut after = DunningSettings {
        language: patch.language.clone().unwrap_or_else(|| before.language.clone()),
        exempt_until: patch.exempt_until.unwrap_or(before.exempt_until),
        exempt_reason: patch
            .exempt_reason
            .clone()
            .unwrap_or_else(|| before.exempt_reason.clone()),
        ..before.clone()
    };
    let mut faults = Faults::default();
    match (after.exempt_until, &after.exempt_reason) {
        (Some(_), None) => faults.add("/exempt_reason", "required", "say why the customer is exempt"),
        (None, Some(_)) => faults.add("/exempt_until", "required", "say until when the customer is exempt"),
        _ => {}
    }
    faults.check()?;
    if after == before {
        return Ok(before);
    }
    after.revision += 1;
    after.updated_at = tx.now();
    if before.revision == 0 {
        after.created_at = tx.now();
    }
    diesel::insert_into(dunning_settings::table)
        .values(&after)
        .on_conflict(dunning_settings::customer_id)
        .do_update()
        .set(&after)
        .execute(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}
