use crate::auth::{self, Actor, Role};
use crate::problem::{Faults, Result};
use crate::schema::{teams, users};
use crate::tx::Tx;
use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Whom a record is to belong to.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignIn {
    /// An active user.
    pub owner_id: Uuid,
    /// Absent: the team of that user.
    pub team_id: Option<Uuid>,
}

/// Active users who hold a permission and see a record of this owner and team: whom to tell of it. Their
/// [`Actor::id`] is that of the user.
///
/// # Errors
/// When the database refuses.
pub fn who_may(conn: &mut PgConnection, permission: &str, owned: Owned, roles: &[Role]) -> QueryResult<Vec<Actor>> {
    let mut holders = auth::users_with(conn, permission, roles)?;
    holders.retain(|actor| actor.sight.covers(owned.owner_id, owned.team_id));
    Ok(holders)
}

/// Whom a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owned {
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
}

impl Owned {
    /// Whose a new record is: as the input says, else of the acting user, else `otherwise` (for a
    /// client with a key: the owner of the customer, say).
    ///
    /// Faults are added at `/owner_id` and `/team_id`.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn of_new(
        tx: &mut Tx<'_>,
        owner_id: Option<Uuid>,
        team_id: Option<Uuid>,
        otherwise: Owned,
        faults: &mut Faults,
    ) -> QueryResult<Self> {
        let acting = Owned::of_actor(tx.actor());
        let given = Owned::given(tx, owner_id, team_id, faults)?;
        Ok(given.or(acting).unwrap_or(otherwise))
    }

    /// What an input says of a record's owner: that must be an active user, the team must exist,
    /// and without one it is that of the owner. `None` when the input says nothing.
    ///
    /// Faults are added at `/owner_id` and `/team_id`.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn given(
        conn: &mut PgConnection,
        owner_id: Option<Uuid>,
        team_id: Option<Uuid>,
        faults: &mut Faults,
    ) -> QueryResult<Option<Self>> {
        let mut given = Owned { owner_id, team_id };
        if let Some(owner) = owner_id {
            let active = users::table.filter(users::id.eq(owner).and(users::active));
            let team: Option<Option<Uuid>> = active.select(users::team_id).first(conn).optional()?;
            match team {
                Some(team) => given.team_id = team_id.or(team),
                None => faults.add("/owner_id", "unknown_user", "there is no active user with this id"),
            }
        }
        if let Some(team) = team_id {
            let found = teams::table.find(team).select(teams::id);
            if found.first::<Uuid>(conn).optional()?.is_none() {
                faults.add("/team_id", "unknown_team", "there is no team with this id");
            }
        }
        Ok((given != Owned::default()).then_some(given))
    }

    /// Whom a record is assigned to.
    ///
    /// # Errors
    /// 422 `unknown_user`, `unknown_team`.
    pub fn assigned(conn: &mut PgConnection, input: &AssignIn) -> Result<Self> {
        let mut faults = Faults::default();
        let given = Owned::given(conn, Some(input.owner_id), input.team_id, &mut faults)?;
        faults.check()?;
        Ok(given.unwrap_or_default())
    }

    /// The acting user and their team; `None` for a client with a key.
    pub fn of_actor(actor: &Actor) -> Option<Self> {
        actor.user.map(|user| Owned {
            owner_id: Some(user.id),
            team_id: user.team_id,
        })
    }
}
