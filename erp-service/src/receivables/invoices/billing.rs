//! Invoices from orders and deliveries: what may be invoiced, in which lines.
//!
//! A line of the invoice is the part of an order line that one delivery brought, so that each has its tax
//! point; what is invoiced before it is delivered stands without one. What drafts hold already is left out.

use super::drafts::{self, new_row};
use super::input::{InvoiceRunIn, OrderInvoiceIn};
use super::model::{Invoice, InvoiceKind, LineKind};
use super::posting::{self, Around};
use super::rows::{InvoiceRow, LineRow};
use crate::customers::Billing;
use crate::receivables::party;
use crate::sales::orders::status::Lifecycle;
use crate::sales::orders::{self, Charge, DeliveryOfOrder, OrderRow, SalesOrder, queries as order_queries};
use crate::{catalog, sales};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Date, Nullable, Numeric, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::{Error, Faults, OrNotFound, Problem, Quantity, Result, Tx, UnitPrice};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use utoipa::ToSchema;
use uuid::Uuid;

type OrderLine = orders::LineRow;

/// What came of invoicing an order.
#[derive(Debug)]
pub(super) enum Outcome {
    Invoiced(Box<Invoice>),
    /// Its legal entity ended before: the order is on hold now.
    Held(Box<SalesOrder>),
}

/// What a run did.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct InvoiceRun {
    pub invoices: Vec<Invoice>,
    /// Orders that are on hold now because their legal entity has ended.
    pub held: Vec<HeldOrder>,
    /// Whether there were more orders than the limit.
    pub more: bool,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct HeldOrder {
    pub order_id: Uuid,
    pub order_number: Option<String>,
    pub reason: String,
}

/// What to invoice of an order.
#[derive(Debug, Default)]
struct Scope {
    /// Only this delivery.
    delivery: Option<Uuid>,
    /// Only what was delivered until then.
    up_to: Option<NaiveDate>,
}

/// Invoices an order: all that may be, or the lines named.
///
/// # Errors
/// 404; 409 `nothing_to_invoice`, `exceeds_invoiceable`; 422 with every fault; what posting refuses.
pub(super) fn order(tx: &mut Tx<'_>, order_id: Uuid, input: &OrderInvoiceIn) -> Result<Outcome> {
    let customer = order_queries::load(tx, order_id)
        .or_not_found("sales order")?
        .0
        .customer_id;
    let customer = drafts::locked_customer(tx, customer)?;
    invoice(tx, order_id, input, &customer, &Scope::default())
}

/// Invoices what one delivery brought.
///
/// # Errors
/// As [`order`].
pub(super) fn delivery(tx: &mut Tx<'_>, delivery_id: Uuid, input: &OrderInvoiceIn) -> Result<Outcome> {
    let order_id = sales::deliveries::order_of(tx, delivery_id).or_not_found("delivery")?;
    let customer = order_queries::load(tx, order_id)?.0.customer_id;
    let customer = drafts::locked_customer(tx, customer)?;
    let scope = Scope {
        delivery: Some(delivery_id),
        ..Scope::default()
    };
    invoice(tx, order_id, input, &customer, &scope)
}

/// Invoices everything that may be, order by order; each is posted.
///
/// # Errors
/// What posting refuses; then nothing is invoiced.
pub(super) fn run(tx: &mut Tx<'_>, input: &InvoiceRunIn) -> Result<InvoiceRun> {
    let up_to = input.up_to.unwrap_or(tx.today());
    let date = input.date.unwrap_or(tx.today());
    posting::not_in_the_future(tx, date)?;
    let limit = input.limit.unwrap_or(50);
    let candidates = candidates(tx, input.customer_id, up_to, limit)?;
    // All locks first, in their order: from the first number on, everybody else waits for this run.
    let mut customers = BTreeMap::new();
    for customer in candidates
        .iter()
        .map(|(_, customer)| *customer)
        .collect::<BTreeSet<_>>()
    {
        customers.insert(customer, drafts::locked_customer(tx, customer)?);
    }
    let orders: Vec<Uuid> = candidates.iter().map(|(order, _)| *order).collect();
    order_queries::lock_many(tx, &orders)?;
    let scope = Scope {
        up_to: Some(up_to),
        ..Scope::default()
    };
    let wanted = OrderInvoiceIn {
        date: Some(date),
        post: true,
        ..OrderInvoiceIn::default()
    };
    let mut done = InvoiceRun {
        invoices: Vec::new(),
        held: Vec::new(),
        more: false,
    };
    for (order_id, customer) in candidates {
        if i64::try_from(done.invoices.len()).unwrap_or(i64::MAX) >= limit {
            done.more = true;
            break;
        }
        let Some(customer) = customers.get(&customer) else {
            continue;
        };
        match invoice(tx, order_id, &wanted, customer, &scope) {
            Ok(Outcome::Invoiced(invoice)) => done.invoices.push(*invoice),
            Ok(Outcome::Held(order)) => done.held.push(HeldOrder {
                order_id,
                order_number: order.number.clone(),
                reason: order
                    .holds
                    .iter()
                    .find(|hold| hold.code == party::HOLD)
                    .map(|hold| hold.reason.clone())
                    .unwrap_or_default(),
            }),
            Err(Error::Problem(problem)) if problem.code == "nothing_to_invoice" => {}
            Err(Error::Problem(problem)) => {
                return Err(problem.fact("order_id", order_id.to_string()).into());
            }
            Err(other) => return Err(other),
        }
    }
    Ok(done)
}

#[derive(QueryableByName)]
struct Candidate {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    customer_id: Uuid,
}

/// Orders of which something may be invoiced, one more than the limit; those on hold for their legal entity come last.
fn candidates(tx: &mut Tx<'_>, customer: Option<Uuid>, up_to: NaiveDate, limit: i64) -> Result<Vec<(Uuid, Uuid)>> {
    let found: Vec<Candidate> = sql("SELECT o.id, o.customer_id FROM sales_orders o
         WHERE o.uninvoiced_gross > 0 AND o.lifecycle IN ('confirmed', 'closed') AND o.customer_id = coalesce($1, o.customer_id)
           AND EXISTS (SELECT FROM sales_order_lines l WHERE l.order_id = o.id
               AND CASE WHEN o.invoicing_policy = 'ordered' AND o.lifecycle = 'confirmed' THEN l.quantity ELSE l.delivered_quantity END
                   - l.returned_uninvoiced_quantity > l.invoiced_quantity)
           AND (o.invoicing_policy = 'ordered' OR EXISTS (SELECT FROM deliveries d WHERE d.order_id = o.id AND d.delivered_on <= $2))
         ORDER BY o.holds @> '[{\"code\": \"legal_entity\"}]', o.order_date, o.id LIMIT $3")
    .bind::<Nullable<SqlUuid>, _>(customer)
    .bind::<Date, _>(up_to)
    .bind::<BigInt, _>(limit + 1)
    .rows(tx)?;
    Ok(found.into_iter().map(|found| (found.id, found.customer_id)).collect())
}

fn invoice(
    tx: &mut Tx<'_>,
    order_id: Uuid,
    input: &OrderInvoiceIn,
    customer: &Billing,
    scope: &Scope,
) -> Result<Outcome> {
    let date = input.date.unwrap_or(tx.today());
    posting::not_in_the_future(tx, date)?;
    let found = order_queries::lock_many(tx, &[order_id])?.pop();
    let (order, order_lines, deliveries) = found.ok_or_else(|| Problem::not_found("sales order"))?;
    let lifecycle = order.state()?.lifecycle;
    if !matches!(lifecycle, Lifecycle::Confirmed | Lifecycle::Closed) {
        return Err(Problem::illegal_transition("invoice", order.state()?.status().name(), &[]).into());
    }
    let mut row = new_row(
        tx,
        tx.mint(input.id),
        InvoiceKind::Invoice,
        order.customer_id,
        order.currency.parse().map_err(Error::Bug)?,
        date,
    );
    row.order_id = Some(order_id);
    row.prices_include_tax = order.prices_include_tax;
    row.legal_entity_id = order.legal_entity_id;
    row.payment_terms_id = input.payment_terms_id;
    row.notes = input.notes.clone();
    row.external_ref = input.external_ref.clone();
    (row.department_id, row.project_id) = (order.department_id, order.project_id);

    if let Err(problem) = posting::party_of(&row, customer) {
        let order = orders::note_hold(tx, order_id, party::HOLD, Some(&problem.detail))?;
        return Ok(Outcome::Held(Box::new(order)));
    }
    let held = order
        .holds
        .as_array()
        .into_iter()
        .flatten()
        .any(|hold| hold["code"] == party::HOLD);
    if held {
        orders::note_hold(tx, order_id, party::HOLD, None)?;
    }
    let lines = lines(tx, &row, &order, &order_lines, &deliveries, input, scope)?;
    if !input.post {
        return drafts::store_new(tx, row, lines).map(|draft| Outcome::Invoiced(Box::new(draft)));
    }
    let order = orders::note_invoiced(tx, order_id, &deltas(&lines))?;
    let around = Around {
        warehouse_id: order.warehouse_id,
        deduct: input.deduct_advances.unwrap_or(true),
        stored: false,
    };
    let invoice = posting::post(tx, row, lines, customer, around)?;
    Ok(Outcome::Invoiced(Box::new(invoice)))
}

/// What lines take of their order, by order line (quantity) and charge (amount).
pub(super) fn deltas(lines: &[LineRow]) -> Vec<(Uuid, Decimal)> {
    let mut deltas: BTreeMap<Uuid, Decimal> = BTreeMap::new();
    for line in lines {
        if let Some(id) = line.order_line_id {
            *deltas.entry(id).or_default() += line.quantity.value();
        }
        if let Some(id) = line.charge_id {
            *deltas.entry(id).or_default() += line.amount;
        }
    }
    deltas.into_iter().collect()
}

/// What invoices hold of an order: quantities by order line and delivery, amounts by charge; posted ones and drafts.
#[derive(Debug, Default)]
struct Invoiced {
    by_delivery: HashMap<(Uuid, Option<Uuid>), Decimal>,
    drafted: HashMap<Uuid, Decimal>,
    charges_drafted: HashMap<Uuid, Decimal>,
}

#[derive(QueryableByName)]
struct InvoicedRow {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    order_line_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    charge_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    delivery_id: Option<Uuid>,
    #[diesel(sql_type = Bool)]
    draft: bool,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

fn invoiced(tx: &mut Tx<'_>, order_id: Uuid) -> Result<Invoiced> {
    let rows: Vec<InvoicedRow> = sql(
        "SELECT l.order_line_id, l.charge_id, l.delivery_id, i.status = 'draft' AS draft,
                sum(l.quantity) AS quantity, sum(l.amount) AS amount
         FROM invoices i JOIN invoice_lines l ON l.invoice_id = i.id
         WHERE i.order_id = $1 AND i.kind = 'invoice' GROUP BY 1, 2, 3, 4",
    )
    .bind::<SqlUuid, _>(order_id)
    .rows(tx)?;
    let mut invoiced = Invoiced::default();
    for row in rows {
        if let Some(line) = row.order_line_id {
            *invoiced.by_delivery.entry((line, row.delivery_id)).or_default() += row.quantity;
            if row.draft {
                *invoiced.drafted.entry(line).or_default() += row.quantity;
            }
        }
        if let Some(charge) = row.charge_id.filter(|_| row.draft) {
            *invoiced.charges_drafted.entry(charge).or_default() += row.amount;
        }
    }
    Ok(invoiced)
}

/// A part of an order line: the delivery that brought it, with its day.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    delivery: Option<(Uuid, NaiveDate)>,
    quantity: Decimal,
}

/// What of a line's deliveries is not invoiced yet, oldest first; what was invoiced without a
/// delivery, or came back uninvoiced, goes with the oldest.
fn open_parts(line: &OrderLine, deliveries: &[DeliveryOfOrder], invoiced: &Invoiced) -> Vec<Part> {
    let held = |delivery| {
        invoiced
            .by_delivery
            .get(&(line.id, delivery))
            .copied()
            .unwrap_or_default()
    };
    let mut surplus = held(None) + line.returned_uninvoiced_quantity.value();
    let mut parts = Vec::new();
    for delivery in deliveries {
        let brought: Decimal = delivery
            .lines
            .iter()
            .filter(|delivered| delivered.line_id == line.id)
            .map(|delivered| delivered.quantity.value())
            .sum();
        let mut open = (brought - held(Some(delivery.id))).max(Decimal::ZERO);
        let gone = open.min(surplus);
        open -= gone;
        surplus -= gone;
        if !open.is_zero() {
            parts.push(Part {
                delivery: Some((delivery.id, delivery.date)),
                quantity: open,
            });
        }
    }
    parts
}

/// Takes `wanted` from the parts in their order; what they do not cover has no delivery.
fn take(parts: &[Part], mut wanted: Decimal) -> Vec<Part> {
    let mut taken = Vec::new();
    for part in parts {
        let quantity = part.quantity.min(wanted);
        if !quantity.is_zero() {
            taken.push(Part {
                delivery: part.delivery,
                quantity,
            });
            wanted -= quantity;
        }
    }
    if !wanted.is_zero() {
        taken.push(Part {
            delivery: None,
            quantity: wanted,
        });
    }
    taken
}

fn lines(
    tx: &mut Tx<'_>,
    row: &InvoiceRow,
    order: &OrderRow,
    order_lines: &[OrderLine],
    deliveries: &[DeliveryOfOrder],
    input: &OrderInvoiceIn,
    scope: &Scope,
) -> Result<Vec<LineRow>> {
    let lifecycle = order.state()?.lifecycle;
    let invoiced = invoiced(tx, order.id)?;
    let latest = scope.up_to.unwrap_or(row.date).min(row.date);
    let deliveries: Vec<DeliveryOfOrder> = deliveries
        .iter()
        .filter(|delivery| scope.delivery.is_none_or(|id| id == delivery.id))
        .cloned()
        .collect();
    let asked = asked(input, order_lines)?;
    let names = catalog::names(tx, &order_lines.iter().map(|line| line.product_id).collect::<Vec<_>>())?;
    let (mut lines, mut refused) = (Vec::new(), Vec::new());
    for line in order_lines {
        let drafted = invoiced.drafted.get(&line.id).copied().unwrap_or_default();
        let mut free = (line.to_invoice(order.invoicing_policy, lifecycle).value() - drafted).max(Decimal::ZERO);
        let all = open_parts(line, &deliveries, &invoiced);
        let parts: Vec<Part> = all
            .iter()
            .filter(|part| part.delivery.is_none_or(|(_, day)| day <= latest))
            .cloned()
            .collect();
        let delivered: Decimal = parts.iter().map(|part| part.quantity).sum();
        let by_delivery = order.invoicing_policy == crate::company::InvoicingPolicy::Delivered
            || lifecycle == Lifecycle::Closed
            || scope.delivery.is_some();
        if by_delivery {
            free = free.min(delivered);
        }
        let wanted = match &asked {
            None => free,
            Some(asked) => match asked.get(&line.id) {
                None => continue,
                Some(wanted) if wanted.value() > free => {
                    refused.push(serde_json::json!({ "line_id": line.id, "wanted": wanted, "open": free.normalize() }));
                    continue;
                }
                Some(wanted) => wanted.value(),
            },
        };
        let mut before = line.invoiced_quantity.value() + drafted;
        for part in take(&parts, wanted) {
            if part.quantity.is_zero() {
                continue;
            }
            let description = names
                .get(&line.product_id)
                .cloned()
                .unwrap_or_else(|| "Product".to_owned());
            let position = i32::try_from(lines.len() + 1).unwrap_or(i32::MAX);
            let mut made = LineRow::new(row.id, position, LineKind::Product, description);
            made.order_line_id = Some(line.id);
            made.delivery_id = part.delivery.map(|(id, _)| id);
            made.tax_point = part.delivery.map(|(_, day)| day);
            made.product_id = Some(line.product_id);
            made.quantity = quantity(part.quantity)?;
            made.unit = line.unit.clone();
            made.unit_price = line.unit_price.unwrap_or(UnitPrice::ZERO);
            made.discount = line.discount;
            // The difference of what is invoiced after and before: so the parts come to the line's total.
            let total = |up_to| {
                let up_to = quantity(up_to)?;
                Ok::<_, Error>(row.currency.line_total(up_to, made.unit_price, made.discount)?)
            };
            made.amount = total(before + part.quantity)? - total(before)?;
            before += part.quantity;
            lines.push(made);
        }
    }
    if !refused.is_empty() {
        let problem = Problem::conflict("exceeds_invoiceable", "more would be invoiced than may be");
        return Err(problem.fact("lines", refused).into());
    }
    charge_lines(row, order, &invoiced, input, &mut lines)?;
    extra_lines(row, input, &mut lines)?;
    match lines.is_empty() {
        true => Err(Problem::conflict("nothing_to_invoice", "nothing of it may be invoiced").into()),
        false => Ok(lines),
    }
}

fn quantity(value: Decimal) -> Result<Quantity> {
    Quantity::new(value).map_err(|error| Error::Bug(error.to_string()))
}

/// Charges that are not invoiced yet go with goods, or alone when the goods are invoiced already.
fn charge_lines(
    row: &InvoiceRow,
    order: &OrderRow,
    invoiced: &Invoiced,
    input: &OrderInvoiceIn,
    lines: &mut Vec<LineRow>,
) -> Result<()> {
    let goods = !lines.is_empty() || order.invoicing != "none" || order.delivery != "none";
    if input.charges == Some(false) || !goods {
        return Ok(());
    }
    let charges: Vec<Charge> = serde_json::from_value(order.charges.clone())?;
    for charge in charges {
        let drafted = invoiced.charges_drafted.get(&charge.id).copied().unwrap_or_default();
        let open = charge.amount.value() - charge.invoiced_amount.value() - drafted;
        if open <= Decimal::ZERO {
            continue;
        }
        let position = i32::try_from(lines.len() + 1).unwrap_or(i32::MAX);
        let mut made = LineRow::new(row.id, position, LineKind::Charge, charge.description);
        made.charge_id = Some(charge.id);
        made.charge_kind = Some(charge.kind);
        made.quantity = quantity(Decimal::ONE)?;
        let price = UnitPrice::new(open);
        made.unit_price = price.map_err(|_| Problem::rule("out_of_range", "a charge is too large to be invoiced"))?;
        made.amount = open;
        made.tax_class = charge.tax_class;
        lines.push(made);
    }
    Ok(())
}

/// Charges that the order does not have; all faults together.
fn extra_lines(row: &InvoiceRow, input: &OrderInvoiceIn, lines: &mut Vec<LineRow>) -> Result<()> {
    let mut faults = Faults::default();
    for (index, extra) in input.extra_charges.iter().enumerate() {
        let amount = extra.amount.value();
        if amount.is_zero() || row.currency.round(amount) != amount {
            let digits = row.currency.minor_digits();
            let message = format!("must be more than 0, with at most {digits} digits after the point");
            faults.add(format!("/extra_charges/{index}/amount"), "out_of_range", message);
        }
        let position = i32::try_from(lines.len() + 1).unwrap_or(i32::MAX);
        let mut made = LineRow::new(row.id, position, LineKind::Charge, extra.description.clone());
        made.charge_kind = Some(extra.kind);
        made.quantity = quantity(Decimal::ONE)?;
        made.unit_price = extra.amount;
        made.amount = amount;
        made.tax_class = extra.tax_class.clone();
        lines.push(made);
    }
    Ok(faults.check()?)
}

/// The lines asked for; all faults together.
fn asked(input: &OrderInvoiceIn, order_lines: &[OrderLine]) -> Result<Option<BTreeMap<Uuid, Quantity>>, Problem> {
    let Some(lines) = &input.lines else { return Ok(None) };
    let (mut faults, mut asked) = (Faults::default(), BTreeMap::new());
    for (index, line) in lines.iter().enumerate() {
        if line.quantity.is_zero() {
            faults.add(
                format!("/lines/{index}/quantity"),
                "out_of_range",
                "must be more than 0",
            );
        }
        if !order_lines.iter().any(|known| known.id == line.line_id) {
            faults.add(
                format!("/lines/{index}/line_id"),
                "unknown_line",
                "the order has no such line",
            );
        } else if asked.insert(line.line_id, line.quantity).is_some() {
            faults.add(
                format!("/lines/{index}/line_id"),
                "duplicate",
                "the line is named twice",
            );
        }
    }
    faults.check()?;
    Ok(Some(asked))
}
