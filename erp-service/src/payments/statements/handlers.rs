use super::actions;
use super::model::{BankStatement, BankStatementsQuery, StatementImport};
use crate::may;
use crate::schema::bank_statements;
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use service_kit::http::{IdPath, Upload};
use service_kit::{Answer, Command, OrNotFound, Page, Path, Problem, Query, Read, Result, Routes, keyset_page};
use std::sync::Arc;
use uuid::Uuid;

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(import_bank_statements)
        .add(list_bank_statements)
        .add(get_bank_statement);
}

/// Import statements of a bank account: CAMT.053 as `application/xml`, or CSV by the account's `csv_format` as `text/csv`.
///
/// Nothing comes in twice: known statements and lines are skipped and reported. One fault refuses the whole file, and all faults are named.
#[utoipa::path(tag = "bank statements", params(IdPath), request_body(content((Upload = "application/xml"), (Upload = "text/csv"))),
    security(("api_key" = ["bank_statements:write"])), responses((status = 200, description = "What was imported", body = StatementImport)))]
#[post("/bank-accounts/{id}/statements")]
async fn import_bank_statements(
    command: Command<may::WriteBankStatements>,
    path: Path<IdPath>,
    upload: Upload,
) -> Result<Answer, Problem> {
    let upload = Arc::new(upload);
    command
        .answer(move |tx| Ok(Answer::json(&actions::import(tx, path.id, &upload)?)?))
        .await
}

#[utoipa::path(tag = "bank statements", params(BankStatementsQuery), security(("api_key" = ["bank_statements:read"])),
    responses((status = 200, description = "A page of bank statements", body = Page<BankStatement>)))]
#[get("/bank-statements")]
async fn list_bank_statements(
    read: Read<may::ReadBankStatements>,
    query: Query<BankStatementsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = bank_statements::table.select(BankStatement::as_select()).into_boxed();
        if let Some(account) = query.bank_account_id {
            found = found.filter(bank_statements::bank_account_id.eq(account));
        }
        let page: Result<Page<BankStatement>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: bank_statements::id as Uuid => |s: &BankStatement| s.id, [
            "created_at" => bank_statements::created_at as DateTime<Utc> => |s: &BankStatement| s.created_at,
        ]);
        Ok(page?.map(BankStatement::shown))
    })
    .await
}

#[utoipa::path(tag = "bank statements", params(IdPath), security(("api_key" = ["bank_statements:read"])),
    responses((status = 200, description = "The bank statement", body = BankStatement)))]
#[get("/bank-statements/{id}")]
async fn get_bank_statement(read: Read<may::ReadBankStatements>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let statement: BankStatement = bank_statements::table
            .find(path.id)
            .select(BankStatement::as_select())
            .first(conn)
            .or_not_found("bank statement")?;
        Ok(statement.shown())
    })
    .await
}
