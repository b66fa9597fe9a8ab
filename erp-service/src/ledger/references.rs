//! What documents may name: accounts that they post to themselves, departments and projects.

use super::roles::Account;
use crate::schema::{accounts, dimensions, journal_entries};
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

/// An account as a line by hand would name it.
#[derive(Debug, Clone)]
pub struct NamedAccount {
    pub account: Account,
    /// The currency that it takes only.
    pub currency: Option<String>,
    /// Why nothing is posted to it by hand: code and message.
    pub refusal: Option<(&'static str, String)>,
}

/// Accounts by code.
///
/// # Errors
/// When the database refuses.
pub fn accounts_by_code(conn: &mut PgConnection, codes: &[&str]) -> QueryResult<HashMap<String, NamedAccount>> {
    type Row = (Uuid, String, String, bool, Option<String>, Option<String>, String);
    let rows: Vec<Row> = accounts::table
        .filter(accounts::code.eq_any(codes))
        .select((
            accounts::id,
            accounts::code,
            accounts::name,
            accounts::heading,
            accounts::control,
            accounts::currency,
            accounts::status,
        ))
        .load(conn)?;
    let named = rows
        .into_iter()
        .map(|(id, code, name, heading, control, currency, status)| {
            let refusal = match (heading, control, status.as_str()) {
                (true, ..) => Some(("heading", format!("{code} is a heading: post to an account below it"))),
                (_, Some(control), _) => {
                    let message = format!("{code} is the control account of {control}: only documents post to it");
                    Some(("control_account", message))
                }
                (_, _, "retired") => Some(("account_retired", format!("{code} is retired"))),
                _ => None,
            };
            let account = Account {
                id,
                code: code.clone(),
                name,
                rule: None,
            };
            let named = NamedAccount {
                account,
                currency,
                refusal,
            };
            (code, named)
        });
    Ok(named.collect())
}

/// Which of these entries were reversed.
///
/// # Errors
/// When the database refuses.
pub fn reversed(conn: &mut PgConnection, entries: &[Uuid]) -> QueryResult<HashSet<Uuid>> {
    if entries.is_empty() {
        return Ok(HashSet::new());
    }
    let reversed = journal_entries::table
        .filter(journal_entries::id.eq_any(entries))
        .filter(journal_entries::reversed_by.is_not_null())
        .select(journal_entries::id);
    Ok(reversed.load(conn)?.into_iter().collect())
}
