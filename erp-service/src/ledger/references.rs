//! What documents may name: accounts that they post to themselves, departments and projects.

use super::roles::Account;
use crate::schema::{accounts, dimensions};
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Those of these accounts that a document's line may name: active, no heading, no control account.
///
/// # Errors
/// When the database refuses.
pub fn postable(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, Account>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, String, String)> = accounts::table
        .filter(accounts::id.eq_any(ids))
        .filter(
            accounts::status
                .eq("active")
                .and(accounts::heading.eq(false))
                .and(accounts::control.is_null())
                .and(accounts::currency.is_null()),
        )
        .select((accounts::id, accounts::code, accounts::name))
        .load(conn)?;
    let accounts = rows.into_iter().map(|(id, code, name)| {
        let account = Account {
            id,
            code,
            name,
            rule: None,
        };
        (id, account)
    });
    Ok(accounts.collect())
}

/// Accounts by id, of whatever kind: those that a posted document names.
///
/// # Errors
/// When the database refuses.
pub fn accounts(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, Account>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, String, String)> = accounts::table
        .filter(accounts::id.eq_any(ids))
        .select((accounts::id, accounts::code, accounts::name))
        .load(conn)?;
    let account = |(id, code, name)| Account {
        id,
        code,
        name,
        rule: None,
    };
    Ok(rows.into_iter().map(|row| (row.0, account(row))).collect())
}

/// Those of these departments and projects that are in use, as (kind, id).
///
/// # Errors
/// When the database refuses.
pub fn dimensions_in_use(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashSet<(String, Uuid)>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let rows: Vec<(String, Uuid)> = dimensions::table
        .filter(dimensions::id.eq_any(ids).and(dimensions::status.eq("active")))
        .select((dimensions::kind, dimensions::id))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}
