use crate::email::Email;
use crate::http::{Resource, present};
use crate::schema::users;
use crate::text_enum;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// Which of the records that have an owner somebody sees: their own, those of their team and the
    /// teams below it as well, or all.
    Sees { Own = "own", Team = "team", All = "all" }
}

/// A user to be made. They can sign in as soon as a password was set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    /// What they sign in with; kept in small letters.
    pub email: Email,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    /// One of the roles of this service, or `custom`; `integration` is for keys.
    #[schema(max_length = 60)]
    pub role: String,
    /// Permissions in addition to those of the role, e.g. `orders:cancel`.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub permissions: Vec<String>,
    pub sees: Sees,
    pub team_id: Option<Uuid>,
}

/// Changes of a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    #[schema(nullable = false)]
    pub email: Option<Email>,
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    #[schema(nullable = false, max_length = 60)]
    pub role: Option<String>,
    #[schema(nullable = false, max_items = 200)]
    pub permissions: Option<Vec<String>>,
    #[schema(nullable = false)]
    pub sees: Option<Sees>,
    #[serde(default, deserialize_with = "present")]
    pub team_id: Option<Option<Uuid>>,
}

/// Somebody who works here.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = users)]
pub struct User {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub role: String,
    pub permissions: Vec<String>,
    pub sees: Sees,
    pub team_id: Option<Uuid>,
    /// Whether they may sign in.
    pub active: bool,
    /// Whether a password was set.
    #[diesel(select_expression = users::password_hash.is_not_null())]
    pub has_password: bool,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for User {
    const PATH: &'static str = "users";
    const TYPE: &'static str = "user";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}
