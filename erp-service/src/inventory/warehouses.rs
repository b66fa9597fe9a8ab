//! Warehouses. The first one made is the default, until another is set.

use crate::may;
use crate::schema::warehouses;
use actix_web::{get, patch, post, put};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::SearchText;
use service_kit::http::{IdPath, Resource};
use service_kit::tx::Emitted;
use service_kit::{
    Answer, Body, Command, Cursor, Limit, OrNotFound, Page, Path, Problem, Put, Query, Read, Result, Routes, Sort, Tx,
    keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Goods on their way between warehouses lie in one of kind `transit`; orders do not reserve there.
    WarehouseKind { Normal = "normal", Transit = "transit" }
}

/// A place where stock lies.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema, PartialEq)]
#[diesel(table_name = warehouses)]
pub struct Warehouse {
    pub id: Uuid,
    pub code: String,
    pub name: String,
    /// Orders that name no warehouse reserve here.
    pub is_default: bool,
    /// `transit` holds goods between two warehouses.
    pub kind: WarehouseKind,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WarehouseIn {
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 40)]
    pub code: String,
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Absent: true for the first warehouse, else false.
    pub is_default: Option<bool>,
    /// Default `normal`; stays.
    #[schema(nullable = false)]
    pub kind: Option<WarehouseKind>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WarehousePatch {
    #[schema(min_length = 1, max_length = 40, nullable = false)]
    pub code: Option<String>,
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub name: Option<String>,
    /// Only `true`: the default moves by setting it elsewhere.
    #[schema(nullable = false)]
    pub is_default: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct WarehousesQuery {
    /// Finds in code and name.
    q: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `code` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for Warehouse {
    const PATH: &'static str = "warehouses";
    const TYPE: &'static str = "warehouse";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Warehouse {
    const EVENT: &'static str = "warehouse.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_warehouses)
        .add(create_warehouse)
        .add(get_warehouse)
        .add(put_warehouse)
        .add(update_warehouse);
}

#[utoipa::path(tag = "inventory", params(WarehousesQuery), security(("api_key" = ["warehouses:read"])),
    responses((status = 200, description = "A page of warehouses", body = Page<Warehouse>)))]
#[get("/warehouses")]
async fn list_warehouses(read: Read<may::ReadWarehouses>, query: Query<WarehousesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = warehouses::table.select(Warehouse::as_select()).into_boxed();
        if let Some(text) = &query.q {
            let pattern = text.contains();
            found = found.filter(warehouses::code.ilike(pattern.clone()).or(warehouses::name.ilike(pattern)));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: warehouses::id as Uuid => |w: &Warehouse| w.id, [
            "code" => warehouses::code as String => |w: &Warehouse| w.code.clone(),
            "created_at" => warehouses::created_at as DateTime<Utc> => |w: &Warehouse| w.created_at,
        ])
    })
    .await
}

#[utoipa::path(tag = "inventory", request_body = WarehouseIn, security(("api_key" = ["warehouses:write"])),
    responses((status = 201, description = "The warehouse", body = Warehouse)))]
#[post("/warehouses")]
async fn create_warehouse(command: Command<may::WriteWarehouses>, body: Body<WarehouseIn>) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, body.0.id, &body.0)).await
}

#[utoipa::path(tag = "inventory", params(IdPath), security(("api_key" = ["warehouses:read"])),
    responses((status = 200, description = "The warehouse", body = Warehouse)))]
#[get("/warehouses/{id}")]
async fn get_warehouse(read: Read<may::ReadWarehouses>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        warehouses::table
            .find(path.id)
            .select(Warehouse::as_select())
            .first(conn)
            .or_not_found("warehouse")
    })
    .await
}

/// Create a warehouse under an id of your own, or change it with `If-Match`.
#[utoipa::path(tag = "inventory", params(IdPath), request_body = WarehouseIn, security(("api_key" = ["warehouses:write"])),
    responses((status = 200, description = "The warehouse, changed or as it was", body = Warehouse), (status = 201, description = "The new warehouse", body = Warehouse)))]
#[put("/warehouses/{id}")]
async fn put_warehouse(
    command: Command<may::WriteWarehouses>,
    path: Path<IdPath>,
    body: Body<WarehouseIn>,
) -> Result<Answer, Problem> {
    command
        .put(move |tx| {
            let WarehouseIn {
                id,
                code,
                name,
                is_default,
                kind,
            } = body.0.clone();
            service_kit::http::require_same_id(id, path.id)?;
            let Some(current) = lock(tx, path.id).optional()? else {
                return create(tx, Some(path.id), &body.0).map(Put::Created);
            };
            if kind.is_some_and(|kind| kind != current.kind) {
                return Err(Problem::conflict("in_use", "a warehouse stays what it is").into());
            }
            let same = current.code == code
                && current.name == name
                && is_default.is_none_or(|wanted| wanted == current.is_default);
            if same {
                return Ok(Put::Unchanged(current));
            }
            let patch = WarehousePatch {
                code: Some(code),
                name: Some(name),
                is_default,
            };
            update(tx, current, &patch).map(Put::Updated)
        })
        .await
}

#[utoipa::path(tag = "inventory", params(IdPath), request_body(content = WarehousePatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["warehouses:write"])), responses((status = 200, description = "The changed warehouse", body = Warehouse)))]
#[patch("/warehouses/{id}")]
async fn update_warehouse(
    command: Command<may::WriteWarehouses>,
    path: Path<IdPath>,
    body: Body<WarehousePatch>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| {
            let current = lock(tx, path.id).or_not_found("warehouse")?;
            update(tx, current, &body.0)
        })
        .await
}

fn lock(tx: &mut Tx<'_>, id: Uuid) -> QueryResult<Warehouse> {
    warehouses::table
        .find(id)
        .for_update()
        .select(Warehouse::as_select())
        .first(&mut **tx)
}

fn create(tx: &mut Tx<'_>, id: Option<Uuid>, input: &WarehouseIn) -> Result<Warehouse> {
    let kind = input.kind.unwrap_or(WarehouseKind::Normal);
    let first = kind == WarehouseKind::Normal && default_warehouse(tx)?.is_none();
    let is_default = input.is_default.unwrap_or(first);
    if is_default && kind == WarehouseKind::Transit {
        return Err(Problem::rule("transit_warehouse", "orders do not reserve goods in transit").into());
    }
    if is_default {
        unset_default(tx)?;
    }
    let id = tx.mint(id);
    let warehouse: Warehouse = diesel::insert_into(warehouses::table)
        .values((
            warehouses::id.eq(id),
            warehouses::code.eq(&input.code),
            warehouses::name.eq(&input.name),
            warehouses::is_default.eq(is_default),
            warehouses::kind.eq(kind),
            warehouses::created_at.eq(tx.now()),
            warehouses::updated_at.eq(tx.now()),
        ))
        .returning(Warehouse::as_returning())
        .get_result(&mut **tx)?;
    tx.changed(None, &warehouse)?;
    Ok(warehouse)
}

fn update(tx: &mut Tx<'_>, before: Warehouse, patch: &WarehousePatch) -> Result<Warehouse> {
    tx.require_match(&before)?;
    if patch.is_default == Some(false) && before.is_default {
        return Err(Problem::rule("default_warehouse_needed", "make another warehouse the default instead").into());
    }
    if patch.is_default == Some(true) && before.kind == WarehouseKind::Transit {
        return Err(Problem::rule("transit_warehouse", "orders do not reserve goods in transit").into());
    }
    if patch.is_default == Some(true) && !before.is_default {
        unset_default(tx)?;
    }
    let after: Warehouse = diesel::update(warehouses::table.find(before.id))
        .set((
            patch.code.as_ref().map(|code| warehouses::code.eq(code)),
            patch.name.as_ref().map(|name| warehouses::name.eq(name)),
            patch.is_default.map(|is_default| warehouses::is_default.eq(is_default)),
            warehouses::version.eq(warehouses::version + 1),
            warehouses::revision.eq(warehouses::revision + 1),
            warehouses::updated_at.eq(tx.now()),
        ))
        .returning(Warehouse::as_returning())
        .get_result(&mut **tx)?;
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

fn unset_default(tx: &mut Tx<'_>) -> Result<()> {
    let before: Option<Warehouse> = warehouses::table
        .filter(warehouses::is_default)
        .for_update()
        .select(Warehouse::as_select())
        .first(&mut **tx)
        .optional()?;
    let Some(before) = before else { return Ok(()) };
    let after: Warehouse = diesel::update(warehouses::table.find(before.id))
        .set((
            warehouses::is_default.eq(false),
            warehouses::version.eq(warehouses::version + 1),
            warehouses::revision.eq(warehouses::revision + 1),
            warehouses::updated_at.eq(tx.now()),
        ))
        .returning(Warehouse::as_returning())
        .get_result(&mut **tx)?;
    tx.changed(Some(&before), &after)
}

/// The ids of the warehouses with these codes.
///
/// # Errors
/// When the database refuses.
pub fn ids_by_code(conn: &mut PgConnection, codes: &[&str]) -> QueryResult<std::collections::HashMap<String, Uuid>> {
    let found = warehouses::table
        .filter(warehouses::code.eq_any(codes))
        .select((warehouses::code, warehouses::id))
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// The warehouse that orders reserve in when they name none.
///
/// # Errors
/// When the database refuses.
pub fn default_warehouse(conn: &mut PgConnection) -> QueryResult<Option<Uuid>> {
    warehouses::table
        .filter(warehouses::is_default)
        .select(warehouses::id)
        .first(conn)
        .optional()
}

/// The warehouse that goods lie in while they are on their way; made when there is none.
///
/// # Errors
/// 409 `duplicate` when an ordinary warehouse has the code `TRANSIT`.
pub fn transit(tx: &mut Tx<'_>) -> Result<Uuid> {
    let found: Option<Uuid> = warehouses::table
        .filter(warehouses::kind.eq(WarehouseKind::Transit))
        .order(warehouses::created_at)
        .select(warehouses::id)
        .first(&mut **tx)
        .optional()?;
    match found {
        Some(id) => Ok(id),
        None => {
            let input = WarehouseIn {
                id: None,
                code: "TRANSIT".to_owned(),
                name: "Goods in transit".to_owned(),
                is_default: Some(false),
                kind: Some(WarehouseKind::Transit),
            };
            create(tx, None, &input).map(|warehouse| warehouse.id)
        }
    }
}

/// Whether there is such a warehouse that documents may name: not one for goods in transit.
///
/// # Errors
/// When the database refuses.
pub fn exists(conn: &mut PgConnection, id: Uuid) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(
        warehouses::table
            .find(id)
            .filter(warehouses::kind.eq(WarehouseKind::Normal)),
    ))
    .get_result(conn)
}
