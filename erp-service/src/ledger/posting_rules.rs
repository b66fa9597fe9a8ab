//! Posting rules: which account a document posts to, by role, and for some roles by product category, warehouse and
//! tax code. The most specific rule answers; every role keeps its plain rule, so that something always does.

use super::accounts::Control;
use super::roles::{Candidate, Facts, Role, rules};
use crate::may;
use crate::schema::{accounts, posting_rules};
use actix_web::{delete, get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_kit::db::sql;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, IdPath, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource,
    Result, Routes, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A posting rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, ToSchema)]
pub struct PostingRule {
    pub id: Uuid,
    pub role: Role,
    /// Only for products in this category or below it.
    pub category_id: Option<Uuid>,
    /// Only in this warehouse.
    pub warehouse_id: Option<Uuid>,
    /// Only with this tax code.
    pub tax_code: Option<String>,
    pub account_id: Uuid,
    /// Code of the account.
    pub account: String,
    pub account_name: String,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostingRuleIn {
    pub id: Option<Uuid>,
    pub role: Role,
    pub category_id: Option<Uuid>,
    pub warehouse_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 40)]
    pub tax_code: Option<String>,
    pub account_id: Option<Uuid>,
    /// Code of the account, instead of its id.
    #[schema(min_length = 1, max_length = 20)]
    pub account: Option<String>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostingRulePatch {
    #[schema(nullable = false)]
    pub account_id: Option<Uuid>,
    /// Code of the account, instead of its id.
    #[schema(min_length = 1, max_length = 20, nullable = false)]
    pub account: Option<String>,
}

/// What a document would ask.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostingExplanationIn {
    pub role: Role,
    pub category_id: Option<Uuid>,
    pub warehouse_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 40)]
    pub tax_code: Option<String>,
}

/// Which account answers, and why.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PostingExplanation {
    pub account_id: Uuid,
    /// Code of the account.
    pub account: String,
    pub account_name: String,
    pub rule_id: Uuid,
    /// The rule that answers, in words.
    pub rule: String,
    /// All rules of the role: those that apply, the most specific first, then the others.
    pub candidates: Vec<Candidate>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PostingRulesQuery {
    role: Option<Role>,
    account_id: Option<Uuid>,
    category_id: Option<Uuid>,
    warehouse_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `role` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for PostingRule {
    const PATH: &'static str = "posting-rules";
    const TYPE: &'static str = "posting_rule";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_posting_rules)
        .add(create_posting_rule)
        .add(create_posting_explanation)
        .add(get_posting_rule)
        .add(update_posting_rule)
        .add(delete_posting_rule);
}

type Columns = (
    posting_rules::id,
    posting_rules::role,
    posting_rules::category_id,
    posting_rules::warehouse_id,
    posting_rules::tax_code,
    posting_rules::account_id,
    accounts::code,
    accounts::name,
    posting_rules::revision,
    posting_rules::created_at,
    posting_rules::updated_at,
);

const COLUMNS: Columns = (
    posting_rules::id,
    posting_rules::role,
    posting_rules::category_id,
    posting_rules::warehouse_id,
    posting_rules::tax_code,
    posting_rules::account_id,
    accounts::code,
    accounts::name,
    posting_rules::revision,
    posting_rules::created_at,
    posting_rules::updated_at,
);

#[utoipa::path(tag = "ledger", params(PostingRulesQuery), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "A page of posting rules", body = Page<PostingRule>)))]
#[get("/posting-rules")]
async fn list_posting_rules(read: Read<may::ReadLedger>, query: Query<PostingRulesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = posting_rules::table
            .inner_join(accounts::table)
            .select(COLUMNS)
            .into_boxed();
        if let Some(role) = query.role {
            found = found.filter(posting_rules::role.eq(role));
        }
        if let Some(account) = query.account_id {
            found = found.filter(posting_rules::account_id.eq(account));
        }
        if let Some(category) = query.category_id {
            found = found.filter(posting_rules::category_id.eq(category));
        }
        if let Some(warehouse) = query.warehouse_id {
            found = found.filter(posting_rules::warehouse_id.eq(warehouse));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: posting_rules::id as Uuid => |rule: &PostingRule| rule.id, [
            "role" => posting_rules::role as String => |rule: &PostingRule| rule.role.as_str().to_owned(),
            "created_at" => posting_rules::created_at as DateTime<Utc> => |rule: &PostingRule| rule.created_at,
        ])
    })
    .await
}

/// Let a role post elsewhere: for a product category, a warehouse or a tax code, or any of them together.
#[utoipa::path(tag = "ledger", request_body = PostingRuleIn, security(("api_key" = ["ledger:write"])),
    responses((status = 201, description = "The rule", body = PostingRule)))]
#[post("/posting-rules")]
async fn create_posting_rule(command: Command<may::WriteLedger>, body: Body<PostingRuleIn>) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

/// Ask which account a role posts to, and why. Nothing is stored.
#[utoipa::path(tag = "ledger", request_body = PostingExplanationIn, security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "The account, and the rules that were asked", body = PostingExplanation)))]
#[post("/posting-explanations")]
async fn create_posting_explanation(
    command: Command<may::ReadLedger>,
    body: Body<PostingExplanationIn>,
) -> Result<Answer, Problem> {
    command
        .answer(move |tx| {
            let mut faults = Faults::default();
            check_facts(tx, body.0.category_id, body.0.warehouse_id, &mut faults)?;
            faults.check()?;
            let facts = Facts {
                category_id: body.0.category_id,
                warehouse_id: body.0.warehouse_id,
                tax_code: body.0.tax_code.as_deref(),
            };
            let rules = rules(tx)?;
            // The refusal is the same that a document gets.
            let account = rules.account(body.0.role, &facts)?;
            let candidates = rules.candidates(body.0.role, &facts);
            let first = candidates.first().ok_or_else(|| Problem::not_found("posting rule"))?;
            Ok(Answer::json(&PostingExplanation {
                account_id: account.id,
                account: account.code,
                account_name: account.name,
                rule_id: first.rule_id,
                rule: first.rule.clone(),
                candidates,
            })?)
        })
        .await
}

#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["ledger:read"])),
    responses((status = 200, description = "The rule", body = PostingRule)))]
#[get("/posting-rules/{id}")]
async fn get_posting_rule(read: Read<may::ReadLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| find(conn, path.id)).await
}

/// Let a rule name another account. Documents that are posted already stay where they are.
#[utoipa::path(tag = "ledger", params(IdPath), request_body(content = PostingRulePatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["ledger:write"])), responses((status = 200, description = "The changed rule", body = PostingRule)))]
#[patch("/posting-rules/{id}")]
async fn update_posting_rule(
    command: Command<may::WriteLedger>,
    path: Path<IdPath>,
    body: Body<PostingRulePatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, path.id, &body.0)).await
}

/// Remove a special rule; the next less specific one answers then. `If-Match` is obeyed when it is sent.
#[utoipa::path(tag = "ledger", params(IdPath), security(("api_key" = ["ledger:write"])),
    responses((status = 204, description = "It is gone")))]
#[delete("/posting-rules/{id}")]
async fn delete_posting_rule(command: Command<may::WriteLedger>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.answer(move |tx| delete(tx, path.id)).await
}

fn find(conn: &mut PgConnection, id: Uuid) -> Result<PostingRule> {
    let rule = posting_rules::table
        .inner_join(accounts::table)
        .filter(posting_rules::id.eq(id));
    rule.select(COLUMNS).first(conn).or_not_found("posting rule")
}

fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<PostingRule> {
    let locked = posting_rules::table.find(id).for_update().select(posting_rules::id);
    locked.first::<Uuid>(&mut **tx).or_not_found("posting rule")?;
    find(tx, id)
}

fn create(tx: &mut Tx<'_>, input: &PostingRuleIn) -> Result<PostingRule> {
    let mut faults = Faults::default();
    check_facts(tx, input.category_id, input.warehouse_id, &mut faults)?;
    let account = account(tx, input.role, input.account_id, input.account.as_deref(), &mut faults)?;
    faults.check()?;
    let account = account.ok_or_else(|| Problem::rule("required", "name the account by id or by code"))?;
    let (id, now) = (tx.mint(input.id), tx.now());
    diesel::insert_into(posting_rules::table)
        .values((
            posting_rules::id.eq(id),
            posting_rules::role.eq(input.role),
            posting_rules::category_id.eq(input.category_id),
            posting_rules::warehouse_id.eq(input.warehouse_id),
            posting_rules::tax_code.eq(&input.tax_code),
            posting_rules::account_id.eq(account),
            posting_rules::created_at.eq(now),
            posting_rules::updated_at.eq(now),
        ))
        .execute(&mut **tx)?;
    let rule = find(tx, id)?;
    tx.audit(None, &rule)?;
    Ok(rule)
}

fn update(tx: &mut Tx<'_>, id: Uuid, patch: &PostingRulePatch) -> Result<PostingRule> {
    let before = lock(tx, id)?;
    tx.require_match(&before)?;
    if patch.account_id.is_none() && patch.account.is_none() {
        return Ok(before);
    }
    let mut faults = Faults::default();
    let account = account(tx, before.role, patch.account_id, patch.account.as_deref(), &mut faults)?;
    faults.check()?;
    let Some(account) = account.filter(|account| *account != before.account_id) else {
        return Ok(before);
    };
    diesel::update(posting_rules::table.find(id))
        .set((
            posting_rules::account_id.eq(account),
            posting_rules::revision.eq(posting_rules::revision + 1),
            posting_rules::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    let after = find(tx, id)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

fn delete(tx: &mut Tx<'_>, id: Uuid) -> Result<Answer> {
    let rule = lock(tx, id)?;
    tx.match_if_given(&rule)?;
    if rule.category_id.is_none() && rule.warehouse_id.is_none() && rule.tax_code.is_none() {
        let detail = format!(
            "it is the plain rule of {}, which answers when no other does: change it",
            rule.role
        );
        return Err(Problem::conflict("last_rule", detail).into());
    }
    diesel::delete(posting_rules::table.find(id)).execute(&mut **tx)?;
    let changes = json!({ "deleted": { "from": false, "to": true }, "account": { "from": rule.account, "to": null } });
    tx.audit_changes(PostingRule::TYPE, id, rule.revision + 1, changes);
    Ok(Answer::no_content())
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Bool)]
    category: bool,
    #[diesel(sql_type = Bool)]
    warehouse: bool,
}

fn check_facts(
    conn: &mut PgConnection,
    category_id: Option<Uuid>,
    warehouse_id: Option<Uuid>,
    faults: &mut Faults,
) -> Result<()> {
    let known: Known = sql("SELECT EXISTS (SELECT FROM categories WHERE id = $1) AS category,
                EXISTS (SELECT FROM warehouses WHERE id = $2) AS warehouse")
    .bind::<Nullable<SqlUuid>, _>(category_id)
    .bind::<Nullable<SqlUuid>, _>(warehouse_id)
    .row(conn)?;
    if category_id.is_some() && !known.category {
        faults.add("/category_id", "unknown_category", "there is no such category");
    }
    if warehouse_id.is_some() && !known.warehouse {
        faults.add("/warehouse_id", "unknown_warehouse", "there is no such warehouse");
    }
    Ok(())
}

#[derive(Queryable)]
struct Target {
    id: Uuid,
    code: String,
    heading: bool,
    control: Option<Control>,
    currency: Option<String>,
    liquid: bool,
    status: String,
}

/// The account named, if a role can post to it.
fn account(
    conn: &mut PgConnection,
    role: Role,
    id: Option<Uuid>,
    code: Option<&str>,
    faults: &mut Faults,
) -> Result<Option<Uuid>> {
    let pointer = if id.is_some() { "/account_id" } else { "/account" };
    match (id, code) {
        (None, None) => faults.add(pointer, "required", "name the account by id or by code"),
        (Some(_), Some(_)) => faults.add("/account", "ambiguous", "name the account by id or by code, not both"),
        _ => {}
    }
    let targets: Vec<Target> = accounts::table
        .filter(accounts::id.nullable().eq(id).or(accounts::code.nullable().eq(code)))
        .select((
            accounts::id,
            accounts::code,
            accounts::heading,
            accounts::control,
            accounts::currency,
            accounts::liquid,
            accounts::status,
        ))
        .load(conn)?;
    let Some(target) = targets.into_iter().next() else {
        if id.is_some() || code.is_some() {
            faults.add(pointer, "unknown_account", "there is no such account");
        }
        return Ok(None);
    };
    if target.heading {
        faults.add(pointer, "heading", format!("{} is a heading", target.code));
    }
    if target.status == "retired" {
        faults.add(pointer, "account_retired", format!("{} is retired", target.code));
    }
    if target.currency.is_some() {
        let message = format!("{} takes one currency only", target.code);
        faults.add(pointer, "wrong_currency", message);
    }
    if !target.heading && target.control != control_of(role) {
        let message = match control_of(role) {
            Some(control) => format!("{role} posts to a control account of {control}"),
            None => format!("{} is a control account: {role} does not post there", target.code),
        };
        faults.add(pointer, "wrong_control", message);
    }
    if matches!(role, Role::Bank | Role::Cash) && !target.liquid && !target.heading {
        faults.add(
            pointer,
            "not_liquid",
            format!("{} is neither cash nor bank", target.code),
        );
    }
    Ok(Some(target.id))
}

/// Which subledger a role belongs to.
fn control_of(role: Role) -> Option<Control> {
    match role {
        Role::Receivable => Some(Control::Receivable),
        Role::Payable => Some(Control::Payable),
        Role::AdvancesReceived => Some(Control::AdvancesReceived),
        Role::AdvancesPaid => Some(Control::AdvancesPaid),
        Role::Stock | Role::StockInTransit => Some(Control::Stock),
        _ => None,
    }
}
