//! Custom fields over HTTP.

use super::actions;
use super::model::{CustomField, CustomFieldIn, CustomFieldPatch, RecordType};
use crate::may;
use crate::schema::custom_fields;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::http::{IdPath, SearchText};
use service_kit::{Answer, Body, Command, Cursor, Limit, Page, Path, Problem, Query, Read, Routes, Sort, keyset_page};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CustomFieldsQuery {
    /// Part of the key or label.
    q: Option<SearchText>,
    #[param(inline)]
    record_type: Option<RecordType>,
    /// Only those that are retired, or only those that are not.
    retired: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `label`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_custom_fields)
        .add(create_custom_field)
        .add(get_custom_field)
        .add(update_custom_field)
        .add(retire_custom_field)
        .add(restore_custom_field);
}

/// The fields that this company has defined for its records.
#[utoipa::path(tag = "custom fields", params(CustomFieldsQuery), security(("api_key" = ["custom_fields:read"])),
    responses((status = 200, description = "A page of custom fields", body = Page<CustomField>)))]
#[get("/custom-fields")]
async fn list_custom_fields(
    read: Read<may::ReadCustomFields>,
    query: Query<CustomFieldsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = custom_fields::table.select(CustomField::as_select()).into_boxed();
        if let Some(text) = &query.q {
            let pattern = text.contains();
            rows = rows.filter(
                custom_fields::key
                    .ilike(pattern.clone())
                    .or(custom_fields::label.ilike(pattern)),
            );
        }
        if let Some(record_type) = query.record_type {
            rows = rows.filter(custom_fields::record_type.eq(record_type));
        }
        if let Some(retired) = query.retired {
            rows = rows.filter(custom_fields::retired_at.is_not_null().eq(retired));
        }
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort, id: custom_fields::id as Uuid => |f: &CustomField| f.id, [
            "created_at" => custom_fields::created_at as DateTime<Utc> => |f: &CustomField| f.created_at,
            "label" => custom_fields::label as String => |f: &CustomField| f.label.clone(),
        ])
    })
    .await
}

/// Define a field. Its values stand in `custom_fields` of each record of that kind; what may stand
/// there is shown in this instance's `/openapi.json`.
#[utoipa::path(tag = "custom fields", request_body = CustomFieldIn, security(("api_key" = ["custom_fields:write"])),
    responses((status = 201, description = "The field", body = CustomField)))]
#[post("/custom-fields")]
async fn create_custom_field(
    command: Command<may::WriteCustomFields>,
    body: Body<CustomFieldIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, &body.0)).await
}

#[utoipa::path(tag = "custom fields", params(IdPath), security(("api_key" = ["custom_fields:read"])),
    responses((status = 200, description = "The field", body = CustomField)))]
#[get("/custom-fields/{id}")]
async fn get_custom_field(read: Read<may::ReadCustomFields>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| actions::find(conn, path.id)).await
}

/// Change what a field is called or offers. Key and type stay.
#[utoipa::path(tag = "custom fields", params(IdPath), request_body = CustomFieldPatch, security(("api_key" = ["custom_fields:write"])),
    responses((status = 200, description = "The field", body = CustomField)))]
#[patch("/custom-fields/{id}")]
async fn update_custom_field(
    command: Command<may::WriteCustomFields>,
    path: Path<IdPath>,
    body: Body<CustomFieldPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::change(tx, path.id, &body.0)).await
}

/// Retire a field: records keep their values, and take no new ones.
#[utoipa::path(tag = "custom fields", params(IdPath), security(("api_key" = ["custom_fields:write"])),
    responses((status = 200, description = "The retired field", body = CustomField)))]
#[post("/custom-fields/{id}/retire")]
async fn retire_custom_field(command: Command<may::WriteCustomFields>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::retire(tx, path.id)).await
}

/// Take a retired field into use again.
#[utoipa::path(tag = "custom fields", params(IdPath), security(("api_key" = ["custom_fields:write"])),
    responses((status = 200, description = "The field", body = CustomField)))]
#[post("/custom-fields/{id}/restore")]
async fn restore_custom_field(command: Command<may::WriteCustomFields>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::restore(tx, path.id)).await
}
