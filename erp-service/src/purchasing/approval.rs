//! Who may approve purchases, and payments to suppliers, worth how much: limits by role or key, as data.
//!
//! A limit of a key goes before that of its role; who has neither approves nothing. Above every
//! limit nobody approves: a limit has to be raised first, which leaves its audit row.

use crate::may;
use crate::schema::purchase_approval_limits as limits;
use actix_web::http::StatusCode;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::{
    Amount, Answer, Body, Command, Cursor, Faults, IdPath, Limit, OrNotFound, Page, Path, Problem, Query, Read,
    Resource, Result, Routes, Sort, Tx, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// What a limit is for.
    ApprovalSubject { PurchaseOrders = "purchase_orders", PaymentProposals = "payment_proposals" }
}

/// Up to which value a role or a key approves purchases, or payments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = limits)]
pub struct PurchaseApprovalLimit {
    pub id: Uuid,
    pub role: Option<String>,
    pub api_key_id: Option<Uuid>,
    /// Orders and requisitions, or payment proposals.
    pub subject: ApprovalSubject,
    /// In the base currency.
    pub amount: Amount,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Names a role or a key, one of the two.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseApprovalLimitIn {
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 60)]
    pub role: Option<String>,
    pub api_key_id: Option<Uuid>,
    /// Default `purchase_orders`.
    pub subject: Option<ApprovalSubject>,
    /// In the base currency; 0: approves nothing that costs something.
    pub amount: Amount,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchaseApprovalLimitPatch {
    pub amount: Amount,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PurchaseApprovalLimitsQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for PurchaseApprovalLimit {
    const PATH: &'static str = "purchase-approval-limits";
    const TYPE: &'static str = "purchase_approval_limit";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_purchase_approval_limits)
        .add(create_purchase_approval_limit)
        .add(get_purchase_approval_limit)
        .add(update_purchase_approval_limit);
}

#[utoipa::path(tag = "purchase orders", params(PurchaseApprovalLimitsQuery), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "A page of limits", body = Page<PurchaseApprovalLimit>)))]
#[get("/purchase-approval-limits")]
async fn list_purchase_approval_limits(
    read: Read<may::ReadPurchasing>,
    query: Query<PurchaseApprovalLimitsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let rows = limits::table.select(PurchaseApprovalLimit::as_select()).into_boxed();
        let page: Result<Page<PurchaseApprovalLimit>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: limits::id as Uuid => |l: &PurchaseApprovalLimit| l.id, [
            "created_at" => limits::created_at as DateTime<Utc> => |l: &PurchaseApprovalLimit| l.created_at,
        ]);
        page
    })
    .await
}

/// Let a role or a key approve purchases up to a value.
#[utoipa::path(tag = "purchase orders", request_body = PurchaseApprovalLimitIn, security(("api_key" = ["company:write"])),
    responses((status = 201, description = "The limit", body = PurchaseApprovalLimit)))]
#[post("/purchase-approval-limits")]
async fn create_purchase_approval_limit(
    command: Command<may::WriteCompany>,
    body: Body<PurchaseApprovalLimitIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

#[utoipa::path(tag = "purchase orders", params(IdPath), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "The limit", body = PurchaseApprovalLimit)))]
#[get("/purchase-approval-limits/{id}")]
async fn get_purchase_approval_limit(read: Read<may::ReadPurchasing>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let rows = limits::table.find(path.id).select(PurchaseApprovalLimit::as_select());
        rows.first(conn).or_not_found("purchase approval limit")
    })
    .await
}

/// Raise or lower a limit.
#[utoipa::path(tag = "purchase orders", params(IdPath), request_body(content = PurchaseApprovalLimitPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["company:write"])), responses((status = 200, description = "The changed limit", body = PurchaseApprovalLimit)))]
#[patch("/purchase-approval-limits/{id}")]
async fn update_purchase_approval_limit(
    command: Command<may::WriteCompany>,
    path: Path<IdPath>,
    body: Body<PurchaseApprovalLimitPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, path.id, body.0.amount)).await
}

fn create(tx: &mut Tx<'_>, input: &PurchaseApprovalLimitIn) -> Result<PurchaseApprovalLimit> {
    let mut faults = Faults::default();
    if input.role.is_some() == input.api_key_id.is_some() {
        faults.add("/role", "one_of", "name a role or a key, one of the two");
    }
    let roles = crate::app::SERVICE.all_roles();
    if let Some(role) = &input.role
        && !roles.iter().any(|known| known.name == role)
    {
        let names: Vec<&str> = roles.iter().map(|role| role.name).collect();
        faults.add(
            "/role",
            "unknown_value",
            format!("expected one of {}", names.join(", ")),
        );
    }
    check_amount(&mut faults, input.amount);
    faults.check()?;
    let id = tx.mint(input.id);
    let made = diesel::insert_into(limits::table)
        .values((
            limits::id.eq(id),
            limits::role.eq(&input.role),
            limits::api_key_id.eq(input.api_key_id),
            limits::subject.eq(input.subject.unwrap_or(ApprovalSubject::PurchaseOrders)),
            limits::amount.eq(input.amount),
            limits::created_at.eq(tx.now()),
            limits::updated_at.eq(tx.now()),
        ))
        .returning(PurchaseApprovalLimit::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(None, &made)?;
    Ok(made)
}

fn update(tx: &mut Tx<'_>, id: Uuid, amount: Amount) -> Result<PurchaseApprovalLimit> {
    let before = limits::table
        .find(id)
        .for_update()
        .select(PurchaseApprovalLimit::as_select())
        .first(&mut **tx)
        .or_not_found("purchase approval limit")?;
    tx.require_match(&before)?;
    let mut faults = Faults::default();
    check_amount(&mut faults, amount);
    faults.check()?;
    if before.amount == amount {
        return Ok(before);
    }
    let after = diesel::update(limits::table.find(id))
        .set((
            limits::amount.eq(amount),
            limits::revision.eq(limits::revision + 1),
            limits::updated_at.eq(tx.now()),
        ))
        .returning(PurchaseApprovalLimit::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

fn check_amount(faults: &mut Faults, amount: Amount) {
    if amount.value().is_sign_negative() {
        faults.add("/amount", "out_of_range", "must not be negative");
    }
}

/// What the second person needs: to be another one than those who made it, and a limit.
///
/// # Errors
/// 403 `maker_may_not_approve` or `above_approval_limit`.
pub fn require(tx: &mut Tx<'_>, makers: &[Uuid], value: Decimal) -> Result<()> {
    require_for(tx, ApprovalSubject::PurchaseOrders, makers, value)
}

/// As [`require`], within the limits of a subject.
///
/// # Errors
/// 403 `maker_may_not_approve` or `above_approval_limit`.
pub fn require_for(tx: &mut Tx<'_>, subject: ApprovalSubject, makers: &[Uuid], value: Decimal) -> Result<()> {
    let actor = tx.actor().clone();
    if makers.contains(&actor.id) {
        let detail = "who made or last changed it may not approve it";
        return Err(Problem::new(StatusCode::FORBIDDEN, "maker_may_not_approve", detail).into());
    }
    let rows: Vec<PurchaseApprovalLimit> = limits::table
        .filter(limits::subject.eq(subject))
        .select(PurchaseApprovalLimit::as_select())
        .load(&mut **tx)?;
    let own = rows
        .iter()
        .find(|limit| limit.api_key_id == Some(actor.id))
        .or_else(|| rows.iter().find(|limit| limit.role.as_deref() == Some(actor.role.name)))
        .map_or(Decimal::ZERO, |limit| limit.amount.value());
    if value <= own {
        return Ok(());
    }
    let highest = rows.iter().map(|limit| limit.amount.value()).max().unwrap_or_default();
    let detail = match value > highest {
        true => format!("{} is above every limit; nobody may approve it", value.normalize()),
        false => format!(
            "{} is above the limit of this key, {}",
            value.normalize(),
            own.normalize()
        ),
    };
    let problem = Problem::new(StatusCode::FORBIDDEN, "above_approval_limit", detail)
        .fact("value", value.normalize().to_string())
        .fact("limit", own.normalize().to_string())
        .fact("highest_limit", highest.normalize().to_string());
    Err(problem.into())
}
