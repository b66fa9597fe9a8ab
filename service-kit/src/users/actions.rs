use super::model::{User, UserIn, UserPatch};
use crate::auth::{APPLY, CUSTOM, INTEGRATION};
use crate::command::OrNotFound;
use crate::problem::{Faults, Problem, Result};
use crate::schema::{teams, users};
use crate::server::Kit;
use crate::sessions;
use crate::tx::Tx;
use diesel::prelude::*;
use serde_json::json;
use uuid::Uuid;

pub(super) fn find(conn: &mut PgConnection, id: Uuid) -> Result<User> {
    users::table
        .find(id)
        .select(User::as_select())
        .first(conn)
        .or_not_found("user")
}

pub(super) fn create(tx: &mut Tx<'_>, kit: &Kit, input: &UserIn) -> Result<User> {
    let user = User {
        id: tx.mint(input.id),
        email: input.email.lowercase(),
        name: input.name.clone(),
        role: input.role.clone(),
        permissions: input.permissions.clone(),
        sees: input.sees,
        team_id: input.team_id,
        active: true,
        has_password: false,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    check(tx, kit, &user)?;
    within_own(tx, kit, &user)?;
    diesel::insert_into(users::table)
        .values((
            users::id.eq(user.id),
            users::email.eq(&user.email),
            users::name.eq(&user.name),
            users::role.eq(&user.role),
            users::permissions.eq(&user.permissions),
            users::sees.eq(user.sees),
            users::team_id.eq(user.team_id),
            users::created_at.eq(user.created_at),
            users::updated_at.eq(user.updated_at),
        ))
        .execute(&mut **tx)?;
    tx.audit(None, &user)?;
    Ok(user)
}

pub(super) fn change(tx: &mut Tx<'_>, kit: &Kit, id: Uuid, patch: &UserPatch) -> Result<User> {
    let before = lock(tx, kit, id)?;
    tx.require_match(&before)?;
    let mut after = before.clone();
    if let Some(email) = &patch.email {
        after.email = email.lowercase();
    }
    after.name = patch.name.clone().unwrap_or(after.name);
    after.role = patch.role.clone().unwrap_or(after.role);
    after.permissions = patch.permissions.clone().unwrap_or(after.permissions);
    after.sees = patch.sees.unwrap_or(after.sees);
    after.team_id = patch.team_id.unwrap_or(after.team_id);
    if after == before {
        return Ok(before);
    }
    check(tx, kit, &after)?;
    within_own(tx, kit, &after)?;
    save(tx, &before, after)
}

/// Lets somebody in, or nobody more: their sessions end with it.
pub(super) fn turn(tx: &mut Tx<'_>, kit: &Kit, id: Uuid, active: bool) -> Result<User> {
    let before = lock(tx, kit, id)?;
    tx.match_if_given(&before)?;
    if before.active == active {
        let (verb, state, instead) = match active {
            true => ("activate", "active", "deactivate"),
            false => ("deactivate", "inactive", "activate"),
        };
        return Err(Problem::illegal_transition(verb, state, &[instead]).into());
    }
    let mut after = before.clone();
    after.active = active;
    let after = save(tx, &before, after)?;
    if !active {
        sessions::end_all(tx, id, None)?;
    }
    Ok(after)
}

pub(super) fn set_password(tx: &mut Tx<'_>, kit: &Kit, id: Uuid, hash: &str) -> Result<User> {
    let before = lock(tx, kit, id)?;
    tx.match_if_given(&before)?;
    let after = store_password(tx, &before, hash)?;
    sessions::end_all(tx, id, None)?;
    sessions::forgive(tx, &after.email)?;
    Ok(after)
}

/// Stores the hash of a new password. The audit row says that it changed, and nothing of what it is.
pub(crate) fn store_password(tx: &mut Tx<'_>, before: &User, hash: &str) -> Result<User> {
    let after: User = diesel::update(users::table.find(before.id))
        .set((
            users::password_hash.eq(hash),
            users::revision.eq(before.revision + 1),
            users::updated_at.eq(tx.now()),
        ))
        .returning(User::as_returning())
        .get_result(&mut **tx)?;
    let said = |set: bool| if set { json!("(set)") } else { json!(null) };
    let changes = json!({ "password": { "from": said(before.has_password), "to": "(set anew)" } });
    tx.audit_changes("user", after.id, after.revision, changes);
    Ok(after)
}

pub(super) fn end_sessions(tx: &mut Tx<'_>, kit: &Kit, id: Uuid) -> Result<()> {
    lock(tx, kit, id)?;
    sessions::end_all(tx, id, None)
}

/// The user, locked, if it is one whom this actor may manage.
fn lock(tx: &mut Tx<'_>, kit: &Kit, id: Uuid) -> Result<User> {
    let user: User = users::table
        .find(id)
        .select(User::as_select())
        .for_update()
        .first(&mut **tx)
        .or_not_found("user")?;
    within_own(tx, kit, &user)?;
    Ok(user)
}

fn save(tx: &mut Tx<'_>, before: &User, after: User) -> Result<User> {
    let after = User {
        revision: before.revision + 1,
        updated_at: tx.now(),
        ..after
    };
    diesel::update(users::table.find(after.id))
        .set((
            users::email.eq(&after.email),
            users::name.eq(&after.name),
            users::role.eq(&after.role),
            users::permissions.eq(&after.permissions),
            users::sees.eq(after.sees),
            users::team_id.eq(after.team_id),
            users::active.eq(after.active),
            users::revision.eq(after.revision),
            users::updated_at.eq(after.updated_at),
        ))
        .execute(&mut **tx)?;
    tx.audit(Some(before), &after)?;
    Ok(after)
}

fn check(tx: &mut Tx<'_>, kit: &Kit, user: &User) -> Result<()> {
    let mut faults = Faults::default();
    let roles: Vec<&str> = kit.roles.iter().map(|role| role.name).collect();
    let offered: Vec<&str> = roles.into_iter().filter(|name| *name != INTEGRATION.name).collect();
    if !offered.contains(&user.role.as_str()) {
        let message = format!("expected one of {}", offered.join(", "));
        faults.add("/role", "unknown_value", message);
    }
    for (index, permission) in user.permissions.iter().enumerate() {
        if !kit.permissions.contains(&permission.as_str()) || permission == APPLY {
            let message = format!("there is no permission {permission:?} for a user");
            faults.add(format!("/permissions/{index}"), "unknown_value", message);
        }
    }
    if let Some(team) = user.team_id {
        let found = teams::table.find(team).select(teams::id);
        if found.first::<Uuid>(&mut **tx).optional()?.is_none() {
            faults.add("/team_id", "unknown_team", "there is no team with this id");
        }
    }
    Ok(faults.check()?)
}

/// Nobody makes somebody mightier than themselves, or gets into the place of somebody who is.
fn within_own(tx: &Tx<'_>, kit: &Kit, user: &User) -> Result<()> {
    let role = kit.roles.iter().find(|role| role.name == user.role).unwrap_or(&CUSTOM);
    let holds = |permission: &str| (role.grants)(permission) || user.permissions.iter().any(|p| p == permission);
    let beyond = kit
        .permissions
        .iter()
        .find(|permission| holds(permission) && !tx.actor().may(permission));
    match beyond {
        Some(permission) => Err(Problem::forbidden(permission).into()),
        None => Ok(()),
    }
}
