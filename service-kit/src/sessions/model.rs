use crate::auth::Actor;
use crate::http::Resource;
use crate::schema::{sessions, teams, users};
use crate::server::Kit;
use crate::tx::Tx;
use crate::users::{Sees, User};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// A session, without its token.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = sessions)]
pub struct Session {
    pub id: Uuid,
    pub user_id: Uuid,
    /// What the user signed in with: the `User-Agent`.
    pub user_agent: Option<String>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl Resource for Session {
    const PATH: &'static str = "sessions";
    const TYPE: &'static str = "session";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        1
    }
}

/// A new session: the only time that `token` is shown.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NewSession {
    #[serde(flatten)]
    pub session: Session,
    /// Send it as `Authorization: Bearer <token>`.
    pub token: String,
    pub me: Me,
}

impl Resource for NewSession {
    const PATH: &'static str = Session::PATH;
    const TYPE: &'static str = Session::TYPE;
    fn id(&self) -> Uuid {
        self.session.id
    }
    fn revision(&self) -> i64 {
        1
    }
}

/// Leaves an audit row of a session that was ended.
pub(super) fn audit_end(tx: &mut Tx<'_>, session: Uuid) {
    let now = tx.now();
    let changes = json!({ "revoked_at": { "from": null, "to": now } });
    tx.audit_changes(Session::TYPE, session, 2, changes);
}

/// Who is calling, and what they may.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// Who signed in; `null` for a client with an API key.
    #[schema(required = true)]
    pub user: Option<User>,
    /// Of the user or of the key.
    pub name: String,
    pub role: String,
    /// All that the role and the further permissions grant.
    pub permissions: Vec<String>,
    /// Which of the records that have an owner are there for the caller.
    pub sees: Sees,
    #[schema(required = true)]
    pub team: Option<MyTeam>,
    #[schema(required = true)]
    pub session: Option<Session>,
}

/// The team of the caller.
#[derive(Debug, Serialize, Queryable, ToSchema)]
pub(super) struct MyTeam {
    pub id: Uuid,
    pub name: String,
}

impl Me {
    pub(super) fn of(conn: &mut PgConnection, kit: &Kit, actor: &Actor) -> QueryResult<Self> {
        let (mut user, mut session, mut team) = (None, None, None);
        if let Some(acting) = actor.user {
            user = users::table
                .find(acting.id)
                .select(User::as_select())
                .first(conn)
                .optional()?;
            session = sessions::table
                .find(acting.session_id)
                .select(Session::as_select())
                .first(conn)
                .optional()?;
        }
        if let Some(id) = actor.user.and_then(|user| user.team_id) {
            let found = teams::table.find(id).select((teams::id, teams::name));
            team = found.first(conn).optional()?;
        }
        let permissions = kit.permissions.iter().filter(|permission| actor.may(permission));
        Ok(Me {
            user,
            name: actor.name.to_string(),
            role: actor.role.name.to_owned(),
            permissions: permissions.map(|permission| (*permission).to_owned()).collect(),
            sees: match actor.sight {
                crate::Sight::All => Sees::All,
                crate::Sight::Team { .. } => Sees::Team,
                crate::Sight::Own { .. } => Sees::Own,
            },
            team,
            session,
        })
    }
}
