//! What to order now, and why; and purchase orders of it in one step.

use crate::may;
use crate::purchasing::orders::{self, PurchaseOrder, PurchaseOrderIn, PurchaseOrderLineIn};
use crate::purchasing::prices::{self, Question};
use crate::purchasing::suppliers;
use crate::{company, schema::reorder_rules};
use actix_web::{get, post};
use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Numeric, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::decimal::SignedQuantity;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, Limit, Page, Problem, Quantity, Query, Read, Result, Routes, Tx, UnitPrice,
};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What to order of a product for a warehouse, with the figures that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PurchaseProposal {
    pub rule_id: Uuid,
    pub product_id: Uuid,
    pub warehouse_id: Uuid,
    /// Up to the target.
    pub quantity: Quantity,
    /// Absent: nobody is known to sell it.
    pub supplier_id: Option<Uuid>,
    /// In the supplier's currency; absent: it has no price for the quantity.
    pub unit_price: Option<UnitPrice>,
    pub on_hand: Quantity,
    pub reserved: Quantity,
    pub backordered: Quantity,
    /// Ordered and still to come, drafts too.
    pub incoming: Quantity,
    pub minimum: Quantity,
    pub target: Quantity,
    /// On hand − reserved − backordered + incoming.
    pub projected: SignedQuantity,
    /// All of it in words.
    pub reason: String,
    #[serde(skip)]
    #[schema(ignore)]
    lead_time_days: Option<i32>,
}

/// What was ordered, and what could not be.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OrderedProposals {
    /// One for each supplier.
    pub orders: Vec<PurchaseOrder>,
    pub skipped: Vec<SkippedProposal>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SkippedProposal {
    pub rule_id: Uuid,
    /// `no_supplier` or `no_price`.
    pub code: String,
    pub message: String,
}

/// What to order; absent: all that is proposed.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderProposals {
    /// Submit the purchase orders for approval at once.
    #[serde(default)]
    pub submit: bool,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Option<Vec<OrderProposal>>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderProposal {
    pub rule_id: Uuid,
    /// Absent: as proposed.
    pub quantity: Option<Quantity>,
    /// Absent: as proposed.
    pub supplier_id: Option<Uuid>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ProposalsQuery {
    warehouse_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

pub(super) fn routes(routes: &mut Routes) {
    routes.add(list_purchase_proposals).add(order_purchase_proposals);
}

/// What is to be ordered now, by the reorder rules, and why.
#[utoipa::path(tag = "reordering", params(ProposalsQuery), security(("api_key" = ["purchasing:read"])),
    responses((status = 200, description = "A page of proposals", body = Page<PurchaseProposal>)))]
#[get("/purchase-proposals")]
async fn list_purchase_proposals(
    read: Read<may::ReadPurchasing>,
    query: Query<ProposalsQuery>,
) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| {
        let (limit, cursor) = service_kit::paging::turn(query.limit, query.cursor.as_ref());
        let after = cursor.map(|cursor| cursor.decode::<Uuid>("rule")).transpose()?;
        let found = find(conn, query.warehouse_id, after, limit.plus_one(), today)?;
        Ok(Page::from_rows(found, limit, |last| {
            Cursor::encode("rule", &last.rule_id)
        }))
    })
    .await
}

/// Make purchase orders of what is proposed, one for each supplier.
///
/// What nobody sells, or has no price, is skipped and said so. Nothing is ordered twice.
#[utoipa::path(tag = "reordering", request_body = OrderProposals, security(("api_key" = ["purchase_orders:write"])),
    responses((status = 200, description = "The purchase orders", body = OrderedProposals)))]
#[post("/purchase-proposals")]
async fn order_purchase_proposals(
    command: Command<may::WritePurchaseOrders>,
    body: Body<OrderProposals>,
) -> Result<Answer, Problem> {
    command.answer(move |tx| Ok(Answer::json(&order(tx, &body.0)?)?)).await
}

#[derive(QueryableByName)]
struct Short {
    #[diesel(sql_type = SqlUuid)]
    rule_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    warehouse_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    supplier_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Integer>)]
    lead_time_days: Option<i32>,
    #[diesel(sql_type = Numeric)]
    minimum: Quantity,
    #[diesel(sql_type = Numeric)]
    target: Quantity,
    #[diesel(sql_type = Numeric)]
    on_hand: Quantity,
    #[diesel(sql_type = Numeric)]
    reserved: Quantity,
    #[diesel(sql_type = Numeric)]
    backordered: Quantity,
    #[diesel(sql_type = Numeric)]
    incoming: Quantity,
}

/// The rules whose stock is short, in one statement over four modules' tables: asking each of them for each rule would
/// read everything.
fn find(
    conn: &mut PgConnection,
    warehouse: Option<Uuid>,
    after: Option<Uuid>,
    limit: i64,
    today: NaiveDate,
) -> Result<Vec<PurchaseProposal>> {
    let rows: Vec<Short> = sql("
        WITH question (warehouse_id, after) AS (SELECT $1::uuid, $2::uuid)
        SELECT r.id AS rule_id, r.product_id, r.warehouse_id, r.supplier_id, r.lead_time_days, r.minimum, r.target,
               coalesce(l.on_hand, 0) AS on_hand, coalesce(l.reserved, 0) AS reserved, b.backordered, i.incoming
        FROM question q
        JOIN reorder_rules r ON r.active AND (q.warehouse_id IS NULL OR r.warehouse_id = q.warehouse_id)
            AND (q.after IS NULL OR r.id > q.after)
        JOIN warehouses w ON w.id = r.warehouse_id
        LEFT JOIN stock_levels l ON l.product_id = r.product_id AND l.warehouse_id = r.warehouse_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(sl.backordered_quantity), 0) AS backordered
            FROM sales_order_lines sl JOIN sales_orders o ON o.id = sl.order_id
            WHERE sl.known_product_id = r.product_id AND sl.backordered_quantity > 0 AND o.lifecycle = 'confirmed'
              AND (o.warehouse_id = r.warehouse_id OR (o.warehouse_id IS NULL AND w.is_default))) b
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(greatest(pl.quantity + pl.replaced_quantity - pl.received_quantity, 0)), 0)
                   + coalesce((SELECT sum(s.open_quantity) FROM expected_supply s
                               WHERE s.product_id = r.product_id AND s.warehouse_id = r.warehouse_id
                                 AND s.source_type <> 'purchase_order' AND s.open_quantity > 0), 0) AS incoming
            FROM purchase_order_lines pl JOIN purchase_orders o ON o.id = pl.order_id
            WHERE pl.product_id = r.product_id AND pl.warehouse_id = r.warehouse_id
              AND o.lifecycle IN ('draft', 'awaiting_approval', 'ordered')) i
        WHERE coalesce(l.on_hand, 0) - coalesce(l.reserved, 0) - b.backordered + i.incoming < r.minimum
        ORDER BY r.id LIMIT $3")
    .bind::<Nullable<SqlUuid>, _>(warehouse)
    .bind::<Nullable<SqlUuid>, _>(after)
    .bind::<BigInt, _>(limit)
    .rows(conn)?;
    let base = company::settings(conn)?.base_currency;
    let products: Vec<Uuid> = rows.iter().map(|row| row.product_id).collect();
    let cheapest = prices::cheapest(conn, base, today, &products)?;
    let mut proposals = Vec::with_capacity(rows.len());
    for row in rows {
        let supplier = row
            .supplier_id
            .or(cheapest.get(&row.product_id).map(|found| found.supplier_id));
        proposals.push(propose(conn, row, supplier, today)?);
    }
    Ok(proposals)
}

fn propose(conn: &mut PgConnection, row: Short, supplier: Option<Uuid>, today: NaiveDate) -> Result<PurchaseProposal> {
    let projected = row.on_hand.value() - row.reserved.value() - row.backordered.value() + row.incoming.value();
    let quantity = Quantity::new(row.target.value() - projected).unwrap_or(row.target);
    let reason = format!(
        "{} on hand − {} reserved − {} backordered + {} incoming = {}, below the minimum of {}; {quantity} fill up to the target of {}",
        row.on_hand,
        row.reserved,
        row.backordered,
        row.incoming,
        projected.normalize(),
        row.minimum,
        row.target
    );
    Ok(PurchaseProposal {
        rule_id: row.rule_id,
        product_id: row.product_id,
        warehouse_id: row.warehouse_id,
        quantity,
        supplier_id: supplier,
        unit_price: price(conn, supplier, row.product_id, quantity, today)?,
        on_hand: row.on_hand,
        reserved: row.reserved,
        backordered: row.backordered,
        incoming: row.incoming,
        minimum: row.minimum,
        target: row.target,
        projected: SignedQuantity::new(projected).unwrap_or_default(),
        reason,
        lead_time_days: row.lead_time_days,
    })
}

/// What a supplier asks for so much of a product, in its own currency.
fn price(
    conn: &mut PgConnection,
    supplier: Option<Uuid>,
    product: Uuid,
    quantity: Quantity,
    today: NaiveDate,
) -> Result<Option<UnitPrice>> {
    let Some(supplier) = supplier else { return Ok(None) };
    let supplier = suppliers::find(conn, supplier)?;
    let question = Question {
        supplier_id: supplier.id,
        currency: supplier.currency,
        date: today,
    };
    let found = prices::answers(conn, question, &[(product, quantity)])?;
    Ok(found.into_iter().next().flatten().map(|found| found.unit_price))
}

/// Orders what is proposed. The rules are locked first, so a twin sees the orders of the first.
fn order(tx: &mut Tx<'_>, input: &OrderProposals) -> Result<OrderedProposals> {
    let today = tx.today();
    reorder_rules::table
        .order(reorder_rules::id)
        .for_update()
        .select(reorder_rules::id)
        .load::<Uuid>(&mut **tx)?;
    let mut proposals = find(tx, None, None, i64::from(i32::MAX), today)?;
    if let Some(lines) = &input.lines {
        proposals = chosen(tx, lines, proposals)?;
    }
    let (mut groups, mut skipped) = (BTreeMap::new(), Vec::new());
    for proposal in proposals {
        let skip = match (proposal.supplier_id, proposal.unit_price) {
            (None, _) => Some(("no_supplier", "nobody is known to sell it")),
            (Some(_), None) => Some(("no_price", "the supplier has no price for the quantity")),
            (Some(supplier), Some(_)) => {
                let lines: &mut Vec<PurchaseOrderLineIn> = groups.entry(supplier).or_default();
                let days = proposal.lead_time_days.and_then(|days| u64::try_from(days).ok());
                lines.push(PurchaseOrderLineIn {
                    product_id: Some(proposal.product_id),
                    quantity: proposal.quantity,
                    warehouse_id: Some(proposal.warehouse_id),
                    expected_date: days.and_then(|days| today.checked_add_days(Days::new(days))),
                    ..PurchaseOrderLineIn::default()
                });
                None
            }
        };
        if let Some((code, message)) = skip {
            skipped.push(SkippedProposal {
                rule_id: proposal.rule_id,
                code: code.to_owned(),
                message: message.to_owned(),
            });
        }
    }
    let mut made = Vec::new();
    for (supplier_id, lines) in groups {
        // An order holds so many lines as a request may.
        for lines in lines.chunks(500) {
            let order = PurchaseOrderIn {
                id: None,
                supplier_id,
                currency: None,
                order_date: None,
                warehouse_id: None,
                external_ref: None,
                supplier_reference: None,
                note: Some("By reorder rules".to_owned()),
                submit: input.submit,
                lines: lines.to_vec(),
            };
            made.push(orders::place(tx, &order)?);
        }
    }
    Ok(OrderedProposals { orders: made, skipped })
}

/// The named proposals, as somebody wants them.
fn chosen(tx: &mut Tx<'_>, lines: &[OrderProposal], proposals: Vec<PurchaseProposal>) -> Result<Vec<PurchaseProposal>> {
    let today = tx.today();
    let mut open: BTreeMap<Uuid, PurchaseProposal> = proposals
        .into_iter()
        .map(|proposal| (proposal.rule_id, proposal))
        .collect();
    let asked: Vec<Uuid> = lines.iter().filter_map(|line| line.supplier_id).collect();
    let known = suppliers::exist(tx, &asked)?;
    let (mut faults, mut chosen) = (Faults::default(), Vec::with_capacity(lines.len()));
    for (index, line) in lines.iter().enumerate() {
        let mut fault = |field: &str, code: &str, message: &str| {
            faults.add(format!("/lines/{index}/{field}"), code, message);
        };
        if line.quantity.is_some_and(|quantity| quantity.is_zero()) {
            fault("quantity", "out_of_range", "must be more than 0");
        }
        if line.supplier_id.is_some_and(|id| !known.contains(&id)) {
            fault("supplier_id", "unknown_supplier", "there is no such supplier");
            continue;
        }
        let Some(mut proposal) = open.remove(&line.rule_id) else {
            fault(
                "rule_id",
                "not_proposed",
                "nothing is proposed by this rule, or no more",
            );
            continue;
        };
        proposal.quantity = line.quantity.unwrap_or(proposal.quantity);
        proposal.supplier_id = line.supplier_id.or(proposal.supplier_id);
        proposal.unit_price = price(tx, proposal.supplier_id, proposal.product_id, proposal.quantity, today)?;
        chosen.push(proposal);
    }
    faults.check()?;
    Ok(chosen)
}
