use super::actions;
use super::chart::Chart;
use super::model::{Account, AccountIn, AccountKind, AccountPatch, AccountStatus, ChartOfAccounts, Control};
use crate::may;
use crate::schema::accounts;
use actix_web::{get, patch, post, put};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use service_kit::http::{SearchText, require_same_id};
use service_kit::{
    Answer, Body, Command, Cursor, IdPath, Limit, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes, Sort,
    keyset_page,
};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AccountsQuery {
    /// Finds in code and name.
    q: Option<SearchText>,
    code: Option<SearchText>,
    kind: Option<AccountKind>,
    /// Accounts directly below this heading.
    parent_id: Option<Uuid>,
    heading: Option<bool>,
    control: Option<Control>,
    /// Cash and bank.
    liquid: Option<bool>,
    status: Option<AccountStatus>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `code`, `name` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_accounts)
        .add(get_chart_of_accounts)
        .add(create_account)
        .add(get_account)
        .add(put_account)
        .add(update_account)
        .add(retire_account)
        .add(reactivate_account);
}

#[utoipa::path(tag = "ledger", params(AccountsQuery), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "A page of accounts", body = Page<Account>)))]
#[get("/accounts")]
async fn list_accounts(read: Read<may::ReadLedger>, query: Query<AccountsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = accounts::table.select(Account::as_select()).into_boxed();
        if let Some(text) = &query.q {
            let text = text.contains();
            found = found.filter(accounts::name.ilike(text.clone()).or(accounts::code.ilike(text)));
        }
        if let Some(code) = &query.code {
            found = found.filter(accounts::code.eq(code.as_str()));
        }
        if let Some(kind) = query.kind {
            found = found.filter(accounts::kind.eq(kind));
        }
        if let Some(parent) = query.parent_id {
            found = found.filter(accounts::parent_id.eq(parent));
        }
        if let Some(heading) = query.heading {
            found = found.filter(accounts::heading.eq(heading));
        }
        if let Some(control) = query.control {
            found = found.filter(accounts::control.eq(control));
        }
        if let Some(liquid) = query.liquid {
            found = found.filter(accounts::liquid.eq(liquid));
        }
        if let Some(status) = query.status {
            found = found.filter(accounts::status.eq(status));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: accounts::id as Uuid => |a: &Account| a.id, [
            "code" => accounts::code as String => |a: &Account| a.code.clone(),
            "name" => accounts::name as String => |a: &Account| a.name.clone(),
            "created_at" => accounts::created_at as DateTime<Utc> => |a: &Account| a.created_at,
        ])
    })
    .await
}

/// The whole chart as a tree.
#[utoipa::path(tag = "ledger", security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "The chart", body = ChartOfAccounts)))]
#[get("/chart-of-accounts")]
async fn get_chart_of_accounts(read: Read<may::ReadLedger>) -> Result<Answer, Problem> {
    read.json(|conn| Ok(Chart::load(conn)?.tree())).await
}

#[utoipa::path(tag = "ledger", request_body = AccountIn, security(("api_key" = ["ledger:write"])),
    responses((status = 201, description = "The account", body = Account)))]
#[post("/accounts")]
async fn create_account(command: Command<may::WriteLedger>, body: Body<AccountIn>) -> Result<Answer, Problem> {
    command.create(move |tx| actions::create(tx, &body.0)).await
}

#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "The account", body = Account)))]
#[get("/accounts/{id}")]
async fn get_account(read: Read<may::ReadLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        accounts::table
            .find(path.id)
            .select(Account::as_select())
            .first(conn)
            .or_not_found("account")
    })
    .await
}

/// Create an account under an id of your own, or change it with `If-Match`.
#[utoipa::path(tag = "ledger", params(IdPath), request_body = AccountIn, security(("api_key" = ["ledger:write"])),
    responses((status = 200, description = "The account, changed or as it was", body = Account),
              (status = 201, description = "The new account", body = Account)))]
#[put("/accounts/{id}")]
async fn put_account(
    command: Command<may::WriteLedger>,
    path: Path<IdPath>,
    body: Body<AccountIn>,
) -> Result<Answer, Problem> {
    command
        .put(move |tx| {
            require_same_id(body.0.id, path.id)?;
            actions::put(tx, path.id, &body.0)
        })
        .await
}

/// Change an account. Once there are entries on it, its kind, control and currency stay, and it stays a heading or none.
#[utoipa::path(tag = "ledger", params(IdPath), request_body(content = AccountPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["ledger:write"])), responses((status = 200, description = "The changed account", body = Account)))]
#[patch("/accounts/{id}")]
async fn update_account(
    command: Command<may::WriteLedger>,
    path: Path<IdPath>,
    body: Body<AccountPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| actions::update(tx, path.id, &body.0)).await
}

/// Take an account out of use. It keeps its entries.
#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["ledger:write"])),
    responses((status = 200, description = "The retired account", body = Account)))]
#[post("/accounts/{id}/retire")]
async fn retire_account(command: Command<may::WriteLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::retire(tx, path.id)).await
}

/// Take an account back into use.
#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["ledger:write"])),
    responses((status = 200, description = "The account, in use again", body = Account)))]
#[post("/accounts/{id}/reactivate")]
async fn reactivate_account(command: Command<may::WriteLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.run(move |tx| actions::reactivate(tx, path.id)).await
}
