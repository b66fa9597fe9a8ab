//! Rules for lines that no party is behind: charges, interest.

use super::lines::BankStatementLine;
use super::suggest::{Suggestion, SuggestionKind};
use crate::ledger::{self, CashFlowCategory};
use crate::may;
use crate::payments::bank_accounts;
use crate::payments::documents::{Direction, PostingIn, shown};
use crate::schema::bank_posting_rules as table;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::IdPath;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result,
    Routes, Sort, Tx, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// A retired rule suggests nothing.
    BankRuleStatus { Active = "active", Retired = "retired" }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BankPostingRuleIn {
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    /// Of this bank account only.
    pub bank_account_id: Option<Uuid>,
    /// Money in or out only.
    pub direction: Option<Direction>,
    /// Found, whatever the case, in reference, counterparty or transaction code.
    #[schema(min_length = 2, max_length = 100, pattern = r"\S")]
    pub contains: String,
    /// The account on the other side.
    pub account_id: Uuid,
    pub cash_flow_category: Option<CashFlowCategory>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BankPostingRulePatch {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
    #[schema(min_length = 2, max_length = 100, pattern = r"\S", nullable = false)]
    pub contains: Option<String>,
    #[schema(nullable = false)]
    pub account_id: Option<Uuid>,
    #[schema(nullable = false)]
    pub status: Option<BankRuleStatus>,
}

/// Which account bank lines with a text are for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = table)]
pub struct BankPostingRule {
    pub id: Uuid,
    pub name: String,
    pub bank_account_id: Option<Uuid>,
    pub direction: Option<Direction>,
    pub contains: String,
    pub account_id: Uuid,
    pub cash_flow_category: Option<CashFlowCategory>,
    pub status: BankRuleStatus,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct BankPostingRulesQuery {
    #[param(inline)]
    status: Option<BankRuleStatus>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for BankPostingRule {
    const PATH: &'static str = "bank-posting-rules";
    const TYPE: &'static str = "bank_posting_rule";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_bank_posting_rules)
        .add(create_bank_posting_rule)
        .add(get_bank_posting_rule)
        .add(update_bank_posting_rule);
}

#[utoipa::path(tag = "bank statements", params(BankPostingRulesQuery), security(("api_key" = ["bank_statements:read"])),
    responses((status = 200, description = "A page of rules", body = Page<BankPostingRule>)))]
#[get("/bank-posting-rules")]
async fn list_bank_posting_rules(
    read: Read<may::ReadBankStatements>,
    query: Query<BankPostingRulesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = table::table.select(BankPostingRule::as_select()).into_boxed();
        if let Some(status) = query.status {
            found = found.filter(table::status.eq(status));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: table::id as Uuid => |r: &BankPostingRule| r.id, [
            "created_at" => table::created_at as DateTime<Utc> => |r: &BankPostingRule| r.created_at,
        ])
    })
    .await
}

/// Name the account of charges, interest and the like by a text in the line.
#[utoipa::path(tag = "bank statements", request_body = BankPostingRuleIn, security(("api_key" = ["bank_statements:write"])),
    responses((status = 201, description = "The rule", body = BankPostingRule)))]
#[post("/bank-posting-rules")]
async fn create_bank_posting_rule(
    command: Command<may::WriteBankStatements>,
    body: Body<BankPostingRuleIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

#[utoipa::path(tag = "bank statements", params(IdPath), security(("api_key" = ["bank_statements:read"])),
    responses((status = 200, description = "The rule", body = BankPostingRule)))]
#[get("/bank-posting-rules/{id}")]
async fn get_bank_posting_rule(read: Read<may::ReadBankStatements>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        table::table
            .find(path.id)
            .select(BankPostingRule::as_select())
            .first(conn)
            .or_not_found("bank posting rule")
    })
    .await
}

#[utoipa::path(tag = "bank statements", params(IdPath), request_body(content = BankPostingRulePatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["bank_statements:write"])), responses((status = 200, description = "The changed rule", body = BankPostingRule)))]
#[patch("/bank-posting-rules/{id}")]
async fn update_bank_posting_rule(
    command: Command<may::WriteBankStatements>,
    path: Path<IdPath>,
    body: Body<BankPostingRulePatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, path.id, &body.0)).await
}

fn check_account(tx: &mut Tx<'_>, id: Uuid, faults: &mut Faults) -> Result<()> {
    match ledger::known_accounts(tx, &[id])?.get(&id) {
        None => faults.add("/account_id", "unknown_account", "there is no such account"),
        Some(account) if account.heading || account.control.is_some() || account.status != "active" => {
            faults.add(
                "/account_id",
                "account_not_postable",
                "a heading, a control account or a retired account",
            );
        }
        Some(_) => {}
    }
    Ok(())
}

fn create(tx: &mut Tx<'_>, input: &BankPostingRuleIn) -> Result<BankPostingRule> {
    let mut faults = Faults::default();
    check_account(tx, input.account_id, &mut faults)?;
    if let Some(bank) = input.bank_account_id
        && bank_accounts::find(tx, bank).optional()?.is_none()
    {
        faults.add(
            "/bank_account_id",
            "unknown_bank_account",
            "there is no such bank account",
        );
    }
    faults.check()?;
    let id = tx.mint(input.id);
    let made: BankPostingRule = diesel::insert_into(table::table)
        .values((
            table::id.eq(id),
            table::name.eq(&input.name),
            table::bank_account_id.eq(input.bank_account_id),
            table::direction.eq(input.direction),
            table::contains.eq(&input.contains),
            table::account_id.eq(input.account_id),
            table::cash_flow_category.eq(input.cash_flow_category),
            table::created_at.eq(tx.now()),
            table::updated_at.eq(tx.now()),
        ))
        .returning(BankPostingRule::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(None, &made)?;
    Ok(made)
}

fn update(tx: &mut Tx<'_>, id: Uuid, patch: &BankPostingRulePatch) -> Result<BankPostingRule> {
    let before: BankPostingRule = table::table
        .find(id)
        .for_no_key_update()
        .select(BankPostingRule::as_select())
        .first(&mut **tx)
        .or_not_found("bank posting rule")?;
    tx.require_match(&before)?;
    let wanted = BankPostingRule {
        name: patch.name.clone().unwrap_or_else(|| before.name.clone()),
        contains: patch.contains.clone().unwrap_or_else(|| before.contains.clone()),
        account_id: patch.account_id.unwrap_or(before.account_id),
        status: patch.status.unwrap_or(before.status),
        ..before.clone()
    };
    if wanted == before {
        return Ok(before);
    }
    let mut faults = Faults::default();
    check_account(tx, wanted.account_id, &mut faults)?;
    faults.check()?;
    let after: BankPostingRule = diesel::update(table::table.find(id))
        .set((
            table::name.eq(&wanted.name),
            table::contains.eq(&wanted.contains),
            table::account_id.eq(wanted.account_id),
            table::status.eq(wanted.status),
            table::revision.eq(table::revision + 1),
            table::updated_at.eq(tx.now()),
        ))
        .returning(BankPostingRule::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

/// What the rules make of a line.
pub(super) fn suggestions(conn: &mut PgConnection, line: &BankStatementLine) -> Result<Vec<Suggestion>> {
    let direction = if line.amount.value().is_sign_negative() {
        Direction::Out
    } else {
        Direction::In
    };
    let rules: Vec<BankPostingRule> = table::table
        .filter(table::status.eq(BankRuleStatus::Active))
        .filter(
            table::bank_account_id
                .is_null()
                .or(table::bank_account_id.eq(line.bank_account_id)),
        )
        .filter(table::direction.is_null().or(table::direction.eq(direction)))
        .order(table::id)
        .select(BankPostingRule::as_select())
        .load(conn)?;
    let text = [&line.reference, &line.counterparty_name, &line.transaction_code];
    let text: Vec<&str> = text.into_iter().flatten().map(String::as_str).collect();
    let text = text.join("|").to_lowercase();
    let fitting = rules
        .into_iter()
        .filter(|rule| text.contains(&rule.contains.to_lowercase()));
    let suggested = fitting.map(|rule| Suggestion {
        kind: SuggestionKind::Posting,
        score: 85,
        reasons: vec![format!(
            "the rule {:?}: the line contains {:?}",
            rule.name, rule.contains
        )],
        payment_id: None,
        party_type: None,
        party_id: None,
        party_name: None,
        allocations: Vec::new(),
        postings: vec![PostingIn {
            account_id: rule.account_id,
            amount: shown(line.currency, line.amount.value().abs()),
            description: Some(rule.name.clone()),
            department_id: None,
            project_id: None,
        }],
        cash_flow_category: rule.cash_flow_category,
    });
    Ok(suggested.collect())
}
