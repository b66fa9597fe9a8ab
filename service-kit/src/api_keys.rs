//! API keys: made, listed and revoked over the API. The key itself is shown once.

use crate::auth::{ManageApiKeys, Role, hash, new_key};
use crate::command::{Command, OrNotFound, Read};
use crate::http::{Answer, Body, IdPath, Path, Query, Resource};
use crate::keyset_page;
use crate::openapi::Routes;
use crate::paging::{Cursor, Limit, Page, Sort};
use crate::problem::{Faults, Problem, Result};
use crate::schema::api_keys;
use crate::server::Kit;
use crate::tx::Tx;
use actix_web::{delete, get, post, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyIn {
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// One of the roles of this service, or `custom`.
    #[schema(max_length = 60)]
    pub role: String,
    /// Permissions in addition to those of the role, e.g. `sales_orders:confirm`.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub permissions: Vec<String>,
    /// The key stops working then; absent for never.
    pub expires_at: Option<DateTime<Utc>>,
}

/// An API key, without the secret.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = api_keys)]
pub struct ApiKey {
    pub id: Uuid,
    pub name: String,
    pub role: String,
    pub permissions: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub revision: i64,
}

/// A new API key: the only time that `key` is shown.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NewApiKey {
    #[serde(flatten)]
    pub record: ApiKey,
    /// Send it as `Authorization: Bearer <key>`. Absent in the answer to a repeated request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ApiKeysQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `name`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for ApiKey {
    const PATH: &'static str = "api-keys";
    const TYPE: &'static str = "api_key";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Resource for NewApiKey {
    const PATH: &'static str = ApiKey::PATH;
    const TYPE: &'static str = ApiKey::TYPE;
    fn id(&self) -> Uuid {
        self.record.id
    }
    fn revision(&self) -> i64 {
        self.record.revision
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_api_keys)
        .add(create_api_key)
        .add(get_api_key)
        .add(revoke_api_key);
}

#[utoipa::path(tag = "administration", params(ApiKeysQuery), security(("api_key" = ["api_keys:manage"])),
    responses((status = 200, description = "A page of API keys", body = Page<ApiKey>)))]
#[get("/api-keys")]
async fn list_api_keys(read: Read<ManageApiKeys>, query: Query<ApiKeysQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let keys = api_keys::table.select(ApiKey::as_select()).into_boxed();
        keyset_page!(keys, conn, query.limit, query.cursor, query.sort, id: api_keys::id as Uuid => |k: &ApiKey| k.id, [
            "created_at" => api_keys::created_at as DateTime<Utc> => |k: &ApiKey| k.created_at,
            "name" => api_keys::name as String => |k: &ApiKey| k.name.clone(),
        ])
    })
    .await
}

/// Make an API key. The answer shows the key once; only its SHA-256 is stored.
#[utoipa::path(tag = "administration", request_body = ApiKeyIn, security(("api_key" = ["api_keys:manage"])),
    responses((status = 201, description = "The key", body = NewApiKey)))]
#[post("/api-keys")]
async fn create_api_key(
    command: Command<ManageApiKeys>,
    kit: web::Data<Kit>,
    body: Body<ApiKeyIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &kit, &body.0)).await
}

#[utoipa::path(tag = "administration", params(IdPath), security(("api_key" = ["api_keys:manage"])),
    responses((status = 200, description = "The key, without its secret", body = ApiKey)))]
#[get("/api-keys/{id}")]
async fn get_api_key(read: Read<ManageApiKeys>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| find(conn, path.id)).await
}

/// Revoke an API key: it stops working at once.
#[utoipa::path(tag = "administration", params(IdPath), security(("api_key" = ["api_keys:manage"])),
    responses((status = 200, description = "The revoked key", body = ApiKey)))]
#[delete("/api-keys/{id}")]
async fn revoke_api_key(
    command: Command<ManageApiKeys>,
    kit: web::Data<Kit>,
    path: Path<IdPath>,
) -> Result<Answer, Problem> {
    let revoked = command.run(move |tx| revoke(tx, path.id)).await;
    kit.recent_keys.forget();
    revoked
}

fn find(conn: &mut PgConnection, id: Uuid) -> Result<ApiKey> {
    api_keys::table
        .find(id)
        .select(ApiKey::as_select())
        .first(conn)
        .or_not_found("API key")
}

fn create(tx: &mut Tx<'_>, kit: &Kit, input: &ApiKeyIn) -> Result<NewApiKey> {
    let mut faults = Faults::default();
    if !kit.roles.iter().any(|role| role.name == input.role) {
        let offered: Vec<_> = kit.roles.iter().map(|role| role.name).collect();
        faults.add(
            "/role",
            "unknown_value",
            format!("expected one of {}", offered.join(", ")),
        );
    }
    for (index, permission) in input.permissions.iter().enumerate() {
        if !kit.permissions.contains(&permission.as_str()) {
            faults.add(
                format!("/permissions/{index}"),
                "unknown_value",
                format!("there is no permission {permission:?}"),
            );
        } else if permission == crate::auth::APPLY {
            faults.add(
                format!("/permissions/{index}"),
                "unknown_value",
                "only the role integration may apply replicas",
            );
        }
    }
    if input.expires_at.is_some_and(|at| at <= tx.now()) {
        faults.add("/expires_at", "out_of_range", "must lie in the future");
    }
    faults.check()?;
    let (key, id) = (new_key(), tx.mint(None));
    let record: ApiKey = diesel::insert_into(api_keys::table)
        .values((
            api_keys::id.eq(id),
            api_keys::name.eq(&input.name),
            api_keys::role.eq(&input.role),
            api_keys::permissions.eq(&input.permissions),
            api_keys::hash.eq(&hash(&key)[..]),
            api_keys::created_at.eq(tx.now()),
            api_keys::expires_at.eq(input.expires_at),
        ))
        .returning(ApiKey::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(None, &record)?;
    tx.replay_with(serde_json::to_string(&record)?);
    Ok(NewApiKey { record, key: Some(key) })
}

fn revoke(tx: &mut Tx<'_>, id: Uuid) -> Result<ApiKey> {
    let before = find(tx, id)?;
    tx.match_if_given(&before)?;
    if before.revoked_at.is_some() {
        return Ok(before);
    }
    let after: ApiKey = diesel::update(api_keys::table.find(id))
        .set((
            api_keys::revoked_at.eq(tx.now()),
            api_keys::revision.eq(api_keys::revision + 1),
        ))
        .returning(ApiKey::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

/// Registers a key that was given from outside, at start. A key that was revoked stays revoked.
///
/// # Errors
/// When the database refuses.
pub fn register(conn: &mut PgConnection, name: &str, role: &Role, key: &str) -> QueryResult<()> {
    diesel::insert_into(api_keys::table)
        .values((
            api_keys::id.eq(Uuid::now_v7()),
            api_keys::name.eq(name),
            api_keys::role.eq(role.name),
            api_keys::permissions.eq(Vec::<String>::new()),
            api_keys::hash.eq(&hash(key)[..]),
        ))
        .on_conflict(api_keys::hash)
        .do_nothing()
        .execute(conn)?;
    Ok(())
}

/// Makes the first admin key, unless there is a working one.
///
/// # Errors
/// When the database refuses.
pub fn bootstrap(conn: &mut PgConnection) -> QueryResult<Option<String>> {
    let working = api_keys::table
        .filter(
            api_keys::role
                .eq(crate::auth::ADMIN.name)
                .and(api_keys::revoked_at.is_null()),
        )
        .filter(
            api_keys::expires_at
                .is_null()
                .or(api_keys::expires_at.gt(diesel::dsl::now)),
        );
    if diesel::select(diesel::dsl::exists(working)).get_result::<bool>(conn)? {
        return Ok(None);
    }
    let key = new_key();
    register(conn, "bootstrap", &crate::auth::ADMIN, &key)?;
    Ok(Some(key))
}
