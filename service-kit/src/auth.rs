//! Who is calling, and what they may do.
//!
//! A request carries `Authorization: Bearer <token>`: the API key of a client, or the session token
//! of a user who signed in. Either is 256 random bits, told apart by its prefix; only its SHA-256
//! is stored. A token that was looked up within the last fifth of a second is not looked up again;
//! revoking one forgets them all, so that it works at once in this process and within that time in
//! others. What a handler needs stands in its signature: `Command<may::ConfirmSalesOrders>`.

use crate::db::sql;
use crate::problem::Problem;
use crate::server::Kit;
use crate::sight::Sight;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, ResponseError, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::sql_types::{Array, Binary, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryResult, QueryableByName};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A permission as a type. Declare them with [`permissions!`](crate::permissions).
pub trait Permission: 'static {
    /// `resource:verb`, e.g. `sales_orders:confirm`.
    const NAME: &'static str;

    /// The refusal of an actor who lacks it.
    fn refuse(_actor: &Actor) -> Problem {
        Problem::forbidden(Self::NAME)
    }
}

/// Declares permissions as types in the module `may` of a service.
#[macro_export]
macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name;
            impl $crate::Permission for $name {
                const NAME: &'static str = $text;
            }
        )+
        /// The names of all permissions above.
        pub const ALL: &[&str] = &[$($text),+];
    };
}

/// What everybody may who is let in at all, such as asking who they are.
#[derive(Debug, Clone, Copy)]
pub struct Authenticated;

impl Permission for Authenticated {
    const NAME: &'static str = "authenticated";
}

/// What everybody may who signed in as a user, whatever their role: their own sessions, reminders
/// and the like. A client with a key may not.
#[derive(Debug, Clone, Copy)]
pub struct SignedIn;

impl Permission for SignedIn {
    const NAME: &'static str = "signed_in";

    fn refuse(_actor: &Actor) -> Problem {
        Problem {
            detail: "only for users who signed in with e-mail and password".to_owned(),
            ..Problem::forbidden(Self::NAME)
        }
    }
}

/// Permissions that show, or change, what belongs to everybody: whoever sees only a part of the
/// records has no use of them.
pub const NEED_SIGHT_OF_ALL: &[&str] = &[
    ManageApiKeys::NAME,
    ReadAuditLog::NAME,
    ReadEvents::NAME,
    ReadImports::NAME,
    ImportRecords::NAME,
    crate::users::ManageUsers::NAME,
];

/// Applies replicas; held by the integration role alone.
pub const APPLY: &str = "integration:apply";

permissions! {
    /// Create and revoke API keys.
    ManageApiKeys = "api_keys:manage",
    ReadAuditLog = "audit_log:read",
    ReadEvents = "events:read",
    /// Get lists as CSV; the list's own permission is needed as well.
    ExportRecords = "exports:run",
    ReadImports = "imports:read",
    /// Send CSV files; the permission to write what stands in them is needed as well.
    ImportRecords = "imports:run",
}

/// A role: a name and what it grants.
#[derive(Debug, Clone, Copy)]
pub struct Role {
    pub name: &'static str,
    pub description: &'static str,
    pub grants: fn(&str) -> bool,
}

/// Everything but applying replicas.
pub const ADMIN: Role = Role {
    name: "admin",
    description: "everything but applying replicas",
    grants: |permission| permission != APPLY,
};

/// The sync worker: applies replicas, reads everything.
pub const INTEGRATION: Role = Role {
    name: "integration",
    description: "the integration worker: applies replicas and reads",
    grants: |permission| permission == APPLY || (permission.ends_with(":read") && permission != "audit_log:read"),
};

/// Reads everything.
pub const VIEWER: Role = Role {
    name: "viewer",
    description: "reads everything",
    grants: |permission| permission.ends_with(":read"),
};

/// No permission but those that a key names itself.
pub const CUSTOM: Role = Role {
    name: "custom",
    description: "only the permissions that the key lists",
    grants: |_| false,
};

/// Who makes a request: an API key or a user.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Of the key or of the user.
    pub id: Uuid,
    pub name: Arc<str>,
    pub role: Role,
    permissions: Arc<HashSet<String>>,
    /// Who signed in; none for a client with a key.
    pub user: Option<ActingUser>,
    /// Which of the records that have an owner are there for this actor.
    pub sight: Sight,
}

/// The user behind a session: the owner of what is made under it, unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActingUser {
    pub id: Uuid,
    pub team_id: Option<Uuid>,
    pub session_id: Uuid,
}

impl Actor {
    /// The service itself, for what it does without being asked.
    pub(crate) fn service(name: &'static str) -> Self {
        Actor {
            id: Uuid::nil(),
            name: name.into(),
            role: ADMIN,
            permissions: Arc::default(),
            user: None,
            sight: Sight::All,
        }
    }

    /// Somebody in whose name an open request acts: a form, a visitor. They hold no permission.
    pub fn outsider(id: Uuid, name: &str) -> Self {
        Actor {
            id,
            name: name.into(),
            role: CUSTOM,
            permissions: Arc::default(),
            user: None,
            sight: Sight::Own { user: id },
        }
    }

    pub fn may(&self, permission: &str) -> bool {
        match permission {
            Authenticated::NAME => true,
            SignedIn::NAME => self.user.is_some(),
            _ => (self.role.grants)(permission) || self.permissions.contains(permission),
        }
    }

    /// # Errors
    /// 403 when the actor lacks the permission, or the sight that goes with it.
    pub fn require<P: Permission>(&self) -> Result<(), Problem> {
        match self.may(P::NAME) {
            true => self.require_sight_for(P::NAME),
            false => Err(P::refuse(self)),
        }
    }

    pub(crate) fn require_sight_for(&self, permission: &str) -> Result<(), Problem> {
        if self.sight.sees_all() || !NEED_SIGHT_OF_ALL.contains(&permission) {
            return Ok(());
        }
        let detail = format!("{permission} is only for those who see all records");
        Err(Problem {
            detail,
            ..Problem::forbidden(permission)
        }
        .fact("required_sight", "all"))
    }

    /// Whether it is somebody who changes records here, and not only a reader.
    pub fn writes(&self) -> bool {
        (self.role.grants)("*:write") || self.permissions.iter().any(|p| p.ends_with(":write"))
    }

    pub fn is_integration(&self) -> bool {
        self.may(APPLY)
    }
}

/// A fresh key for a client: 256 random bits.
pub fn new_key() -> String {
    let bytes: [u8; 32] = rand::random();
    format!("tdm_{}", URL_SAFE_NO_PAD.encode(bytes))
}

pub(crate) fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// A fresh token for a session: 256 random bits.
pub(crate) fn new_session_token() -> String {
    let bytes: [u8; 32] = rand::random();
    format!("{SESSION}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// How the token of a session starts.
const SESSION: &str = "tds_";

#[derive(QueryableByName)]
struct ActorRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Array<Text>)]
    permissions: Vec<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    session_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    team_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    sees: String,
    #[diesel(sql_type = Array<SqlUuid>)]
    teams: Vec<Uuid>,
}

const BY_KEY: &str = "SELECT id, name, role, permissions, NULL::uuid AS session_id, NULL::uuid AS team_id,
        'all' AS sees, '{}'::uuid[] AS teams
     FROM api_keys
     WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())";

const BY_SESSION: &str = "SELECT u.id, u.name, u.role, u.permissions, s.id AS session_id, u.team_id, u.sees,
        ARRAY(WITH RECURSIVE below AS (
                  SELECT t.id FROM teams t WHERE t.id = u.team_id AND u.sees = 'team'
                  UNION SELECT t.id FROM teams t JOIN below ON t.parent_id = below.id)
              SELECT id FROM below) AS teams
     FROM sessions s JOIN users u ON u.id = s.user_id
     WHERE s.hash = $1 AND s.revoked_at IS NULL AND s.expires_at > now() AND u.active";

/// Who stands behind the token of a session, if it is good.
pub(crate) fn of_session(conn: &mut PgConnection, hash: &[u8; 32], roles: &[Role]) -> QueryResult<Option<Actor>> {
    find(conn, BY_SESSION, hash, roles)
}

fn find(
    conn: &mut PgConnection,
    statement: &'static str,
    hash: &[u8; 32],
    roles: &[Role],
) -> QueryResult<Option<Actor>> {
    let rows: Vec<ActorRow> = sql(statement).bind::<Binary, _>(&hash[..]).rows(conn)?;
    Ok(rows.into_iter().next().map(|row| row.actor(roles)))
}

const BY_PERMISSION: &str = "SELECT u.id, u.name, u.role, u.permissions, NULL::uuid AS session_id, u.team_id, u.sees,
        ARRAY(WITH RECURSIVE below AS (
                  SELECT t.id FROM teams t WHERE t.id = u.team_id AND u.sees = 'team'
                  UNION SELECT t.id FROM teams t JOIN below ON t.parent_id = below.id)
              SELECT id FROM below) AS teams
     FROM users u
     WHERE u.active AND (u.role = ANY ($1) OR $2 = ANY (u.permissions))
     ORDER BY u.id";

/// Active users who hold a permission, as they would act.
pub(crate) fn users_with(conn: &mut PgConnection, permission: &str, roles: &[Role]) -> QueryResult<Vec<Actor>> {
    let granting: Vec<&str> = roles
        .iter()
        .filter(|role| (role.grants)(permission))
        .map(|role| role.name)
        .collect();
    let rows: Vec<ActorRow> = sql(BY_PERMISSION)
        .bind::<Array<Text>, _>(granting)
        .bind::<Text, _>(permission)
        .rows(conn)?;
    Ok(rows.into_iter().map(|row| row.actor(roles)).collect())
}

impl ActorRow {
    fn actor(self, roles: &[Role]) -> Actor {
        Actor {
            id: self.id,
            sight: match self.sees.as_str() {
                "all" => Sight::All,
                "team" => Sight::Team {
                    user: self.id,
                    teams: self.teams.into(),
                },
                _ => Sight::Own { user: self.id },
            },
            user: self.session_id.map(|session_id| ActingUser {
                id: self.id,
                team_id: self.team_id,
                session_id,
            }),
            name: self.name.into(),
            role: roles
                .iter()
                .find(|role| role.name == self.role)
                .copied()
                .unwrap_or(CUSTOM),
            permissions: Arc::new(self.permissions.into_iter().collect()),
        }
    }
}

/// Middleware of `/v1`: turns the key into an [`Actor`] and limits its rate.
pub(crate) async fn authenticate<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, actix_web::Error> {
    if is_open(&request) {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    match actor_of(&request).await {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            next.call(request).await.map(ServiceResponse::map_into_left_body)
        }
        Err(problem) => Ok(request.into_response(problem.error_response()).map_into_right_body()),
    }
}

/// Whether the operation is one that needs no key.
fn is_open(request: &ServiceRequest) -> bool {
    let kit = request.app_data::<web::Data<Kit>>();
    kit.is_some_and(|kit| kit.routes.is_open(request.method().as_str(), request.path()))
}

async fn actor_of(request: &ServiceRequest) -> Result<Actor, Problem> {
    let kit = request
        .app_data::<web::Data<Kit>>()
        .ok_or_else(Problem::internal)?
        .clone();
    let token = bearer(request)?;
    let (statement, hash) = match token.starts_with(SESSION) {
        true => (BY_SESSION, hash(token)),
        false => (BY_KEY, hash(token)),
    };
    let actor = match kit.recent_keys.get(&hash) {
        Some(actor) => actor,
        None => look_up(&kit, statement, hash).await?,
    };
    if !actor.is_integration() {
        kit.rate_limit(actor.id)?;
    }
    Ok(actor)
}

async fn look_up(kit: &Kit, statement: &'static str, hash: [u8; 32]) -> Result<Actor, Problem> {
    let roles = kit.roles.clone();
    let looked_up = kit.recent_keys.generation();
    let actor = kit
        .run_read(move |conn| Ok(find(conn, statement, &hash, &roles)?))
        .await?
        .ok_or_else(|| Problem::unauthorized("the token is unknown, expired or revoked"))?;
    kit.recent_keys.remember(looked_up, hash, &actor);
    Ok(actor)
}

/// Keys that were good a moment ago: a lookup costs a small read about as much again.
#[derive(Default)]
pub(crate) struct RecentKeys(RwLock<Recent>);

#[derive(Default)]
struct Recent {
    /// Rises when keys are forgotten, so that a lookup from before is not remembered afterwards.
    generation: u64,
    keys: HashMap<[u8; 32], (Instant, Actor)>,
}

impl RecentKeys {
    const RECENT: Duration = Duration::from_millis(200);
    /// Only good keys are remembered, so this is hardly ever reached.
    const MOST: usize = 10_000;

    fn get(&self, hash: &[u8; 32]) -> Option<Actor> {
        let recent = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (at, actor) = recent.keys.get(hash)?;
        (at.elapsed() < Self::RECENT).then(|| actor.clone())
    }

    fn generation(&self) -> u64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).generation
    }

    fn remember(&self, generation: u64, hash: [u8; 32], actor: &Actor) {
        let mut recent = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if recent.keys.len() >= Self::MOST {
            recent.keys.clear();
        }
        if recent.generation == generation {
            recent.keys.insert(hash, (Instant::now(), actor.clone()));
        }
    }

    /// Call after a revocation was committed.
    pub(crate) fn forget(&self) {
        let mut recent = self.0.write().unwrap_or_else(PoisonError::into_inner);
        recent.generation += 1;
        recent.keys.clear();
    }
}

fn bearer(request: &ServiceRequest) -> Result<&str, Problem> {
    let header = request
        .headers()
        .get(header::AUTHORIZATION)
        .ok_or_else(|| Problem::unauthorized("send Authorization: Bearer <API key or session token>"))?;
    header
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim())
        .filter(|key| (32..=200).contains(&key.len()))
        .ok_or_else(|| Problem::unauthorized("the Authorization header is not Bearer with an API key or session token"))
}
