//! Categories form a tree; `tree` keeps it one.

mod tree;

use crate::may;
use crate::schema::categories;
use actix_web::{get, patch, post, put};
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{SearchText, present, require_same_id};
use service_kit::tx::Emitted;
use service_kit::{
    Answer, Body, Command, Cursor, Error, IdPath, Limit, OrNotFound, Page, Path, Problem, Put, Query, Read, Resource,
    Result, Routes, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A category of products.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = categories)]
pub struct Category {
    pub id: Uuid,
    pub name: String,
    pub description: Option<String>,
    /// The category above; `null` at the top of the tree.
    pub parent_id: Option<Uuid>,
    pub external_ref: Option<String>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryIn {
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    pub parent_id: Option<Uuid>,
    /// Id in another system; unique.
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryPatch {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(max_length = 4000)]
    pub description: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub parent_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<Option<String>>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CategoriesQuery {
    /// Finds in the name.
    q: Option<SearchText>,
    /// Categories directly below this one.
    parent_id: Option<Uuid>,
    external_ref: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `name`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for Category {
    const PATH: &'static str = "categories";
    const TYPE: &'static str = "category";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Category {
    const EVENT: &'static str = "category.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

impl Category {
    fn is(&self, wanted: &CategoryIn) -> bool {
        (&self.name, &self.description, self.parent_id, &self.external_ref)
            == (
                &wanted.name,
                &wanted.description,
                wanted.parent_id,
                &wanted.external_ref,
            )
    }

    fn with(&self, patch: CategoryPatch) -> CategoryIn {
        CategoryIn {
            id: Some(self.id),
            name: patch.name.unwrap_or_else(|| self.name.clone()),
            description: patch.description.unwrap_or_else(|| self.description.clone()),
            parent_id: patch.parent_id.unwrap_or(self.parent_id),
            external_ref: patch.external_ref.unwrap_or_else(|| self.external_ref.clone()),
        }
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_categories)
        .add(create_category)
        .add(get_category)
        .add(put_category)
        .add(update_category);
}

#[utoipa::path(tag = "catalog", params(CategoriesQuery), security(("api_key" = ["categories:read"])),
    responses((status = 200, description = "A page of categories", body = Page<Category>)))]
#[get("/categories")]
async fn list_categories(read: Read<may::ReadCategories>, query: Query<CategoriesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = categories::table.select(Category::as_select()).into_boxed();
        if let Some(text) = &query.q {
            found = found.filter(categories::name.ilike(text.contains()));
        }
        if let Some(parent) = query.parent_id {
            found = found.filter(categories::parent_id.eq(parent));
        }
        if let Some(reference) = &query.external_ref {
            found = found.filter(categories::external_ref.eq(reference.as_str()));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: categories::id as Uuid => |c: &Category| c.id, [
            "created_at" => categories::created_at as DateTime<Utc> => |c: &Category| c.created_at,
            "name" => categories::name as String => |c: &Category| c.name.clone(),
        ])
    })
    .await
}

#[utoipa::path(tag = "catalog", request_body = CategoryIn, security(("api_key" = ["categories:write"])),
    responses((status = 201, description = "The category", body = Category)))]
#[post("/categories")]
async fn create_category(command: Command<may::WriteCategories>, body: Body<CategoryIn>) -> Result<Answer, Problem> {
    command
        .create(move |tx| {
            create(tx, body.0.id, &body.0)?
                .ok_or_else(|| super::products::taken("/id", "a category with this id exists"))
        })
        .await
}

#[utoipa::path(tag = "catalog", params(IdPath), security(("api_key" = ["categories:read"])),
    responses((status = 200, description = "The category", body = Category)))]
#[get("/categories/{id}")]
async fn get_category(read: Read<may::ReadCategories>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        categories::table
            .find(path.id)
            .select(Category::as_select())
            .first(conn)
            .or_not_found("category")
    })
    .await
}

/// Create a category under an id of your own, or change it with `If-Match`.
#[utoipa::path(tag = "catalog", params(IdPath), request_body = CategoryIn, security(("api_key" = ["categories:write"])),
    responses((status = 200, description = "The category, changed or as it was", body = Category),
              (status = 201, description = "The new category", body = Category)))]
#[put("/categories/{id}")]
async fn put_category(
    command: Command<may::WriteCategories>,
    path: Path<IdPath>,
    body: Body<CategoryIn>,
) -> Result<Answer, Problem> {
    command
        .put(move |tx| {
            require_same_id(body.0.id, path.id)?;
            tree::lock(tx, body.0.parent_id)?;
            let Some(current) = lock(tx, path.id).optional()? else {
                let created = create(tx, Some(path.id), &body.0)?;
                return created.map(Put::Created).ok_or(Error::Stale);
            };
            match current.is(&body.0) {
                true => Ok(Put::Unchanged(current)),
                false => update(tx, current, &body.0).map(Put::Updated),
            }
        })
        .await
}

/// Change a category. Moving it below one of its own descendants is refused.
#[utoipa::path(tag = "catalog", params(IdPath), request_body(content = CategoryPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["categories:write"])), responses((status = 200, description = "The changed category", body = Category)))]
#[patch("/categories/{id}")]
async fn update_category(
    command: Command<may::WriteCategories>,
    path: Path<IdPath>,
    body: Body<CategoryPatch>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| {
            tree::lock(tx, body.0.parent_id.flatten())?;
            let current = lock(tx, path.id).or_not_found("category")?;
            let wanted = current.with(body.0.clone());
            update(tx, current, &wanted)
        })
        .await
}

fn lock(tx: &mut Tx<'_>, id: Uuid) -> QueryResult<Category> {
    categories::table
        .find(id)
        .for_update()
        .select(Category::as_select())
        .first(&mut **tx)
}

/// `None` when the id is taken.
fn create(tx: &mut Tx<'_>, id: Option<Uuid>, input: &CategoryIn) -> Result<Option<Category>> {
    let id = tx.mint(id);
    tree::check_parent(tx, id, input.parent_id)?;
    let created: Option<Category> = diesel::insert_into(categories::table)
        .values((
            categories::id.eq(id),
            categories::name.eq(&input.name),
            categories::description.eq(&input.description),
            categories::parent_id.eq(input.parent_id),
            categories::external_ref.eq(&input.external_ref),
            categories::created_at.eq(tx.now()),
            categories::updated_at.eq(tx.now()),
        ))
        .on_conflict(categories::id)
        .do_nothing()
        .returning(Category::as_returning())
        .get_result(&mut **tx)
        .optional()?;
    if let Some(category) = &created {
        tx.changed(None, category)?;
    }
    Ok(created)
}

fn update(tx: &mut Tx<'_>, before: Category, wanted: &CategoryIn) -> Result<Category> {
    tx.require_match(&before)?;
    if before.is(wanted) {
        return Ok(before);
    }
    if before.parent_id != wanted.parent_id {
        tree::check_parent(tx, before.id, wanted.parent_id)?;
    }
    let after: Category = diesel::update(categories::table.find(before.id))
        .set((
            categories::name.eq(&wanted.name),
            categories::description.eq(&wanted.description),
            categories::parent_id.eq(wanted.parent_id),
            categories::external_ref.eq(&wanted.external_ref),
            categories::version.eq(categories::version + 1),
            categories::revision.eq(categories::revision + 1),
            categories::updated_at.eq(tx.now()),
        ))
        .returning(Category::as_returning())
        .get_result(&mut **tx)?;
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

/// Whether there is such a category.
///
/// # Errors
/// When the database refuses.
pub(super) fn is_known(conn: &mut PgConnection, id: Uuid) -> QueryResult<bool> {
    diesel::select(exists(categories::table.find(id))).get_result(conn)
}

/// Which of these categories there are.
///
/// # Errors
/// When the database refuses.
pub fn known(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<std::collections::HashSet<Uuid>> {
    let known = categories::table
        .filter(categories::id.eq_any(ids))
        .select(categories::id);
    Ok(known.load(conn)?.into_iter().collect())
}

/// The categories with these names; a name may stand for several.
///
/// # Errors
/// When the database refuses.
pub fn ids_by_name(conn: &mut PgConnection, names: &[&str]) -> QueryResult<Vec<(String, Uuid)>> {
    categories::table
        .filter(categories::name.eq_any(names))
        .select((categories::name, categories::id))
        .load(conn)
}
