//! Categories of products, as the ERP last told them.

use crate::may;
use crate::replica::{apply_replica, replica, storable};
use crate::schema::categories;
use actix_web::{get, patch, post, put};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{IdPath, SearchText};
use service_kit::{
    Answer, Body, Command, Cursor, Limit, OrNotFound, Page, Path, Problem, Put, Query, Read, Result, Routes, Sort, Tx,
    keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A category as the ERP has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryReplicaIn {
    /// The ERP's version of the record.
    #[schema(minimum = 0)]
    pub source_version: i64,
    /// Replace whatever is stored, for a resync.
    #[serde(default)]
    pub replace: bool,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    pub parent_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
}

/// A category of products. The ERP is its master.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Serialize,
    Deserialize,
    Queryable,
    Selectable,
    Insertable,
    AsChangeset,
    Identifiable,
    ToSchema,
)]
#[diesel(table_name = categories, treat_none_as_null = true)]
pub struct Category {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    /// The category above it, which need not be known here yet.
    pub parent_id: Option<Uuid>,
    pub external_ref: Option<String>,
    /// The ERP's version of the record.
    pub source_version: i64,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

replica!(Category, path: "categories", type: "category");

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CategoriesQuery {
    /// Finds the text anywhere in the name.
    q: Option<SearchText>,
    parent_id: Option<Uuid>,
    external_ref: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `name` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_categories)
        .add(create_category)
        .add(get_category)
        .add(apply_category)
        .add(update_category);
}

/// Categories of products.
#[utoipa::path(tag = "catalogue", params(CategoriesQuery), security(("api_key" = ["products:read"])),
    responses((status = 200, description = "A page of categories", body = Page<Category>)))]
#[get("/categories")]
async fn list_categories(read: Read<may::ReadProducts>, query: Query<CategoriesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = categories::table.select(Category::as_select()).into_boxed();
        if let Some(q) = &query.q {
            found = found.filter(categories::name.ilike(q.contains()));
        }
        if let Some(parent) = query.parent_id {
            found = found.filter(categories::parent_id.eq(parent));
        }
        if let Some(reference) = &query.external_ref {
            found = found.filter(categories::external_ref.eq(reference.as_str().to_owned()));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: categories::id as Uuid => |c: &Category| c.id, [
            "name" => categories::name as String => |c: &Category| c.name.clone(),
            "created_at" => categories::created_at as DateTime<Utc> => |c: &Category| c.created_at,
        ])
    })
    .await
}

/// One category.
#[utoipa::path(tag = "catalogue", params(IdPath), security(("api_key" = ["products:read"])),
    responses((status = 200, description = "The category", body = Category)))]
#[get("/categories/{id}")]
async fn get_category(read: Read<may::ReadProducts>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        categories::table
            .find(path.id)
            .select(Category::as_select())
            .first(conn)
            .or_not_found("category")
    })
    .await
}

/// Apply a category as the ERP has it. For the sync.
#[utoipa::path(tag = "catalogue", params(IdPath), request_body = CategoryReplicaIn,
    security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "The stored category", body = Category),
        (status = 201, description = "The category, new here", body = Category)))]
#[put("/categories/{id}")]
async fn apply_category(
    command: Command<may::ApplyCategories>,
    path: Path<IdPath>,
    body: Body<CategoryReplicaIn>,
) -> Result<Answer, Problem> {
    command.put(move |tx| apply(tx, path.id, &body.0)).await
}

/// Categories are made in the ERP: always `409 not_owner`.
#[utoipa::path(tag = "catalogue", security(("api_key" = ["products:write"])), responses())]
#[post("/categories")]
async fn create_category(_command: Command<may::WriteCatalogue>) -> Result<Answer, Problem> {
    Err(Problem::not_owner(may::ERP, "/v1/categories"))
}

/// Categories are changed in the ERP: always `409 not_owner`.
#[utoipa::path(tag = "catalogue", params(IdPath), security(("api_key" = ["products:write"])), responses())]
#[patch("/categories/{id}")]
async fn update_category(_command: Command<may::WriteCatalogue>, path: Path<IdPath>) -> Result<Answer, Problem> {
    Err(Problem::not_owner(may::ERP, &format!("/v1/categories/{}", path.id)))
}

fn apply(tx: &mut Tx<'_>, id: Uuid, told: &CategoryReplicaIn) -> Result<Put<Category>> {
    let category = Category {
        id,
        name: told.name.clone(),
        description: told.description.clone(),
        parent_id: told.parent_id,
        external_ref: told.external_ref.clone(),
        source_version: told.source_version,
        as_of: storable(told.as_of),
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    apply_replica!(tx, categories, category, replace: told.replace)
}
