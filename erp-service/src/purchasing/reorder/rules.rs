//! Reorder rules: unique by product and warehouse; switched off, never deleted.

use crate::catalog;
use crate::inventory::warehouses;
use crate::may;
use crate::purchasing::suppliers;
use crate::schema::reorder_rules;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::present;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, IdPath, Limit, OrNotFound, Page, Path, Problem, Quantity, Query, Read,
    Resource, Result, Routes, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// When to order a product again for a warehouse, and up to how much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = reorder_rules)]
pub struct ReorderRule {
    pub id: Uuid,
    pub product_id: Uuid,
    pub warehouse_id: Uuid,
    /// Below it is ordered.
    pub minimum: Quantity,
    /// Up to it is ordered.
    pub target: Quantity,
    /// Days from order to arrival; `null`: as the supplier says.
    pub lead_time_days: Option<i32>,
    /// Preferred; `null`: who asks least.
    pub supplier_id: Option<Uuid>,
    pub active: bool,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReorderRuleIn {
    pub id: Option<Uuid>,
    pub product_id: Uuid,
    pub warehouse_id: Uuid,
    /// Below it is ordered.
    pub minimum: Quantity,
    /// Up to it is ordered; at least the minimum.
    pub target: Quantity,
    /// Days from order to arrival; absent: as the supplier says.
    #[schema(minimum = 0, maximum = 3650)]
    pub lead_time_days: Option<i32>,
    /// Preferred; absent: who asks least.
    pub supplier_id: Option<Uuid>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReorderRulePatch {
    #[schema(nullable = false)]
    pub minimum: Option<Quantity>,
    #[schema(nullable = false)]
    pub target: Option<Quantity>,
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 0, maximum = 3650)]
    pub lead_time_days: Option<Option<i32>>,
    #[serde(default, deserialize_with = "present")]
    pub supplier_id: Option<Option<Uuid>>,
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ReorderRulesQuery {
    product_id: Option<Uuid>,
    warehouse_id: Option<Uuid>,
    supplier_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for ReorderRule {
    const PATH: &'static str = "reorder-rules";
    const TYPE: &'static str = "reorder_rule";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_reorder_rules)
        .add(create_reorder_rule)
        .add(get_reorder_rule)
        .add(update_reorder_rule);
}

#[utoipa::path(tag = "reordering", params(ReorderRulesQuery), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "A page of rules", body = Page<ReorderRule>)))]
#[get("/reorder-rules")]
async fn list_reorder_rules(
    read: Read<may::ReadPurchasing>,
    query: Query<ReorderRulesQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = reorder_rules::table.select(ReorderRule::as_select()).into_boxed();
        if let Some(product) = query.product_id {
            rows = rows.filter(reorder_rules::product_id.eq(product));
        }
        if let Some(warehouse) = query.warehouse_id {
            rows = rows.filter(reorder_rules::warehouse_id.eq(warehouse));
        }
        if let Some(supplier) = query.supplier_id {
            rows = rows.filter(reorder_rules::supplier_id.eq(supplier));
        }
        let page: Result<Page<ReorderRule>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: reorder_rules::id as Uuid => |r: &ReorderRule| r.id, [
            "created_at" => reorder_rules::created_at as DateTime<Utc> => |r: &ReorderRule| r.created_at,
        ]);
        page
    })
    .await
}

/// Say when a product is to be ordered again for a warehouse.
#[utoipa::path(tag = "reordering", request_body = ReorderRuleIn, security(("api_key" = ["purchase_orders:write"])),
    responses((status = 201, description = "The rule", body = ReorderRule)))]
#[post("/reorder-rules")]
async fn create_reorder_rule(
    command: Command<may::WritePurchaseOrders>,
    body: Body<ReorderRuleIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

#[utoipa::path(tag = "reordering", params(IdPath), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "The rule", body = ReorderRule)))]
#[get("/reorder-rules/{id}")]
async fn get_reorder_rule(read: Read<may::ReadPurchasing>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let rows = reorder_rules::table.find(path.id).select(ReorderRule::as_select());
        rows.first(conn).or_not_found("reorder rule")
    })
    .await
}

/// Change a rule, or switch it off.
#[utoipa::path(tag = "reordering", params(IdPath), request_body(content = ReorderRulePatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["purchase_orders:write"])), responses((status = 200, description = "The changed rule", body = ReorderRule)))]
#[patch("/reorder-rules/{id}")]
async fn update_reorder_rule(
    command: Command<may::WritePurchaseOrders>,
    path: Path<IdPath>,
    body: Body<ReorderRulePatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, path.id, &body.0)).await
}

fn create(tx: &mut Tx<'_>, input: &ReorderRuleIn) -> Result<ReorderRule> {
    let mut faults = Faults::default();
    match catalog::facts(tx, &[input.product_id])?.get(&input.product_id) {
        None => faults.add("/product_id", "unknown_product", "there is no such product"),
        Some(facts) if !facts.stocked => faults.add("/product_id", "not_stocked", "a service has no stock"),
        Some(_) => {}
    }
    if !warehouses::exists(tx, input.warehouse_id)? {
        faults.add("/warehouse_id", "unknown_warehouse", "there is no such warehouse");
    }
    check(tx, input.minimum, input.target, input.supplier_id, &mut faults)?;
    faults.check()?;
    let id = tx.mint(input.id);
    let made = diesel::insert_into(reorder_rules::table)
        .values((
            reorder_rules::id.eq(id),
            reorder_rules::product_id.eq(input.product_id),
            reorder_rules::warehouse_id.eq(input.warehouse_id),
            reorder_rules::minimum.eq(input.minimum),
            reorder_rules::target.eq(input.target),
            reorder_rules::lead_time_days.eq(input.lead_time_days),
            reorder_rules::supplier_id.eq(input.supplier_id),
            reorder_rules::created_at.eq(tx.now()),
            reorder_rules::updated_at.eq(tx.now()),
        ))
        .returning(ReorderRule::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(None, &made)?;
    Ok(made)
}

fn check(
    tx: &mut Tx<'_>,
    minimum: Quantity,
    target: Quantity,
    supplier: Option<Uuid>,
    faults: &mut Faults,
) -> Result<()> {
    if target.is_zero() || target < minimum {
        faults.add(
            "/target",
            "out_of_range",
            "must be more than 0 and at least the minimum",
        );
    }
    if let Some(supplier) = supplier
        && suppliers::exist(tx, &[supplier])?.is_empty()
    {
        faults.add("/supplier_id", "unknown_supplier", "there is no such supplier");
    }
    Ok(())
}

fn update(tx: &mut Tx<'_>, id: Uuid, patch: &ReorderRulePatch) -> Result<ReorderRule> {
    let before = reorder_rules::table
        .find(id)
        .for_update()
        .select(ReorderRule::as_select())
        .first(&mut **tx)
        .or_not_found("reorder rule")?;
    tx.require_match(&before)?;
    let mut wanted = before.clone();
    wanted.minimum = patch.minimum.unwrap_or(before.minimum);
    wanted.target = patch.target.unwrap_or(before.target);
    wanted.lead_time_days = patch.lead_time_days.unwrap_or(before.lead_time_days);
    wanted.supplier_id = patch.supplier_id.unwrap_or(before.supplier_id);
    wanted.active = patch.active.unwrap_or(before.active);
    if wanted == before {
        return Ok(before);
    }
    let mut faults = Faults::default();
    check(tx, wanted.minimum, wanted.target, wanted.supplier_id, &mut faults)?;
    faults.check()?;
    let after = diesel::update(reorder_rules::table.find(id))
        .set((
            reorder_rules::minimum.eq(wanted.minimum),
            reorder_rules::target.eq(wanted.target),
            reorder_rules::lead_time_days.eq(wanted.lead_time_days),
            reorder_rules::supplier_id.eq(wanted.supplier_id),
            reorder_rules::active.eq(wanted.active),
            reorder_rules::revision.eq(reorder_rules::revision + 1),
            reorder_rules::updated_at.eq(tx.now()),
        ))
        .returning(ReorderRule::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}
