//! Drafts: placing, editing and copying an order. Everything here is the CRM's own.

use super::model::{Order, OrderIn, OrderLineIn, OrderPatch, OrderPutIn};
use super::promised;
use super::queries;
use super::status::{OrderAction, OrderOrigin, OrderStatus};
use super::stored::{LineRow, OrderRow, StoredOrder};
use super::submission;
use crate::customers::{self, CustomerStatus, Standing};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use service_kit::{Currency, Error, Faults, Owned, Problem, Put, Result, Sight, Tx};
use std::collections::HashSet;
use uuid::Uuid;

/// Places an order: a draft, or submitted at once.
pub fn place(tx: &mut Tx<'_>, input: &OrderIn) -> Result<Order> {
    let id = tx.mint(input.id);
    let sight = tx.sight();
    let (mut order, standing) = draft(tx, &sight, id, &Content::from(input))?;
    if input.submit {
        submission::price_and_mark(tx, &mut order, &standing)?;
    }
    if !queries::insert(tx, &order)? {
        return Err(Problem::conflict("duplicate", "there is an order with this id already").into());
    }
    let order = order.wire()?;
    tx.audit(None, &order)?;
    match input.submit {
        true => submission::tell(tx, &order, &standing)?,
        false => emit_changed(tx, &order)?,
    }
    Ok(order)
}

/// Puts the whole content of a draft in place; creates it under this id when there is none.
pub fn put(tx: &mut Tx<'_>, id: Uuid, input: &OrderPutIn) -> Result<Put<Order>> {
    let content = Content::from(input);
    let sight = tx.sight();
    // Looked for once: a twin may make it between two looks.
    let before = match queries::find(tx, &Sight::All, id) {
        Ok(before) if sight.covers(before.row.owner_id, before.row.team_id) => before,
        Ok(_) => return Err(Problem::not_found("order").into()),
        Err(diesel::NotFound) => {
            let (order, _) = draft(tx, &sight, id, &content)?;
            if !queries::insert(tx, &order)? {
                // Another request made it in the meantime: look again.
                return Err(Error::Stale);
            }
            let order = order.wire()?;
            tx.audit(None, &order)?;
            emit_changed(tx, &order)?;
            return Ok(Put::Created(order));
        }
        Err(error) => return Err(error.into()),
    };
    if content.describes(&before) {
        return Ok(Put::Unchanged(before.wire()?));
    }
    edit(tx, before, |order, faults| {
        order.row.customer_id = content.customer_id;
        order.row.currency = content.currency;
        order.row.order_date = content.order_date.unwrap_or(order.row.order_date);
        order.row.requested_date = content.requested_date;
        order.row.external_ref = content.external_ref.map(str::to_owned);
        order.lines = lines(id, content.lines, faults);
    })
    .map(Put::Updated)
}

/// Changes a draft.
pub fn change(tx: &mut Tx<'_>, id: Uuid, patch: &OrderPatch) -> Result<Order> {
    let before = queries::acted_on(tx, id)?;
    edit(tx, before, |order, faults| {
        let row = &mut order.row;
        row.customer_id = patch.customer_id.unwrap_or(row.customer_id);
        row.currency = patch.currency.unwrap_or(row.currency);
        row.order_date = patch.order_date.unwrap_or(row.order_date);
        if let Some(date) = patch.requested_date {
            row.requested_date = date;
        }
        if let Some(reference) = &patch.external_ref {
            row.external_ref = reference.clone();
        }
        if let Some(input) = &patch.lines {
            order.lines = lines(id, input, faults);
        }
    })
}

/// Makes a draft of an order, whatever its state and origin.
///
/// Customer, currency, lines and the prices that somebody gave are copied. List prices are not:
/// the copy is dated today and is priced when it is submitted. Neither are the references, which
/// are unique, nor the requested date, which may have passed.
pub fn copy(tx: &mut Tx<'_>, id: Uuid, new_id: Option<Uuid>) -> Result<Order> {
    let original = queries::acted_on(tx, id)?;
    original.state().check(OrderAction::Copy)?;
    let lines: Vec<OrderLineIn> = original
        .lines
        .iter()
        .map(|line| OrderLineIn {
            id: None,
            product_id: line.product_id,
            quantity: line.quantity,
            unit_price: line.unit_price.filter(|_| line.price_given),
            discount: line.discount,
        })
        .collect();
    let content = Content {
        customer_id: original.row.customer_id,
        given: Owned::default(),
        otherwise: Some(original.owned()),
        currency: original.row.currency,
        order_date: None,
        requested_date: None,
        external_ref: None,
        lines: &lines,
    };
    let new_id = tx.mint(new_id);
    // Whoever sees the order may copy it, even on a customer that is somebody else's.
    let (order, _) = draft(tx, &Sight::All, new_id, &content)?;
    if !queries::insert(tx, &order)? {
        return Err(Problem::conflict("duplicate", "there is an order with this id already").into());
    }
    let order = order.wire()?;
    tx.audit(None, &order)?;
    emit_changed(tx, &order)?;
    Ok(order)
}

/// The customer of an order that is to be placed, changed or submitted.
///
/// # Errors
/// 409 `customer_archived`; 422 with the faults, an unknown customer among them.
pub fn customer(tx: &mut Tx<'_>, sight: &Sight, id: Uuid, mut faults: Faults) -> Result<Standing> {
    let standing = customers::standing(tx, sight, id)?;
    if standing.is_none() {
        faults.add("/customer_id", "unknown_customer", "there is no such customer");
    }
    faults.check()?;
    if let Some(survivor) = standing.as_ref().and_then(|standing| standing.merged_into) {
        return Err(customers::merge::refused(survivor).into());
    }
    match standing {
        Some(standing) if standing.status == CustomerStatus::Active => Ok(standing),
        _ => Err(Problem::conflict("customer_archived", "an archived customer takes no new orders").into()),
    }
}

/// What a client says about an order.
pub(super) struct Content<'a> {
    pub customer_id: Uuid,
    /// The owner that is named.
    pub given: Owned,
    /// Whose it is when nobody is named and nobody has signed in; absent for the customer's owner.
    pub otherwise: Option<Owned>,
    pub currency: Currency,
    pub order_date: Option<NaiveDate>,
    pub requested_date: Option<NaiveDate>,
    pub external_ref: Option<&'a str>,
    pub lines: &'a [OrderLineIn],
}

impl Content<'_> {
    /// Whether the order says this already, so that a repeated `PUT` changes nothing.
    fn describes(&self, order: &StoredOrder) -> bool {
        let row = &order.row;
        let same_line = |(said, line): (&OrderLineIn, &LineRow)| {
            said.id.is_none_or(|id| id == line.id)
                && said.product_id == line.product_id
                && said.quantity == line.quantity
                && said.unit_price == line.unit_price.filter(|_| line.price_given)
                && said.discount == line.discount
        };
        row.origin == OrderOrigin::Crm
            && self.customer_id == row.customer_id
            && self.currency == row.currency
            && self.order_date.is_none_or(|date| date == row.order_date)
            && self.requested_date == row.requested_date
            && self.external_ref == row.external_ref.as_deref()
            && self.lines.len() == order.lines.len()
            && self.lines.iter().zip(&order.lines).all(same_line)
    }
}

impl<'a> From<&'a OrderIn> for Content<'a> {
    fn from(input: &'a OrderIn) -> Self {
        Content {
            customer_id: input.customer_id,
            given: Owned {
                owner_id: input.owner_id,
                team_id: input.team_id,
            },
            otherwise: None,
            currency: input.currency,
            order_date: input.order_date,
            requested_date: input.requested_date,
            external_ref: input.external_ref.as_deref(),
            lines: &input.lines,
        }
    }
}

impl<'a> From<&'a OrderPutIn> for Content<'a> {
    fn from(input: &'a OrderPutIn) -> Self {
        Content {
            customer_id: input.customer_id,
            given: Owned::default(),
            otherwise: None,
            currency: input.currency,
            order_date: input.order_date,
            requested_date: input.requested_date,
            external_ref: input.external_ref.as_deref(),
            lines: &input.lines,
        }
    }
}

/// A new draft, checked but not stored, and its customer.
pub(super) fn draft(
    tx: &mut Tx<'_>,
    sight: &Sight,
    id: Uuid,
    content: &Content<'_>,
) -> Result<(StoredOrder, Standing)> {
    let mut faults = Faults::default();
    let (given, nobody) = (content.given, Owned::default());
    let owned = Owned::of_new(tx, given.owner_id, given.team_id, nobody, &mut faults)?;
    let now = tx.now();
    let row = OrderRow {
        id,
        origin: OrderOrigin::Crm,
        status: OrderStatus::Draft,
        customer_id: content.customer_id,
        currency: content.currency,
        order_date: content.order_date.unwrap_or_else(|| tx.today()),
        requested_date: content.requested_date,
        external_ref: content.external_ref.map(str::to_owned),
        net: Decimal::ZERO,
        submitted_at: None,
        cancellation_state: None,
        cancellation_reason: None,
        cancellation_requested_at: None,
        cancellation_version: None,
        number: None,
        rejection: None,
        fulfilment: None,
        source_version: None,
        version: 1,
        revision: 1,
        created_at: now,
        updated_at: now,
        change_requests: None,
        owner_id: None,
        team_id: None,
        quote_id: None,
    };
    let lines = lines(id, content.lines, &mut faults);
    let mut order = StoredOrder { row, lines };
    check(&mut order, &mut faults);
    let standing = customer(tx, sight, content.customer_id, faults)?;
    let owned = match owned == nobody {
        true => content.otherwise.unwrap_or(standing.owned()),
        false => owned,
    };
    (order.row.owner_id, order.row.team_id) = (owned.owner_id, owned.team_id);
    Ok((order, standing))
}

/// Applies an edit to a draft, under `If-Match`; an edit that changes nothing leaves it as it is.
fn edit(tx: &mut Tx<'_>, before: StoredOrder, apply: impl FnOnce(&mut StoredOrder, &mut Faults)) -> Result<Order> {
    before.state().check(OrderAction::Edit)?;
    let shown = before.wire()?;
    tx.require_match(&shown)?;
    let (mut after, mut faults) = (before.clone(), Faults::default());
    apply(&mut after, &mut faults);
    check(&mut after, &mut faults);
    promised::keep(&before, &after)?;
    match after.row.customer_id == before.row.customer_id {
        true => faults.check()?,
        false => {
            let sight = tx.sight();
            customer(tx, &sight, after.row.customer_id, faults)?;
        }
    }
    if after == before {
        return Ok(shown);
    }
    after.count_own_change(tx.now());
    if !queries::save(tx, &before, &after)? {
        return Err(Error::Stale);
    }
    if after.lines != before.lines {
        queries::replace_lines(tx, after.row.id, &after.lines)?;
    }
    let after = after.wire()?;
    tx.audit(Some(&shown), &after)?;
    emit_changed(tx, &after)?;
    Ok(after)
}

/// The rules of an order's content; computes its totals.
fn check(order: &mut StoredOrder, faults: &mut Faults) {
    if order.row.requested_date.is_some_and(|date| date < order.row.order_date) {
        faults.add("/requested_date", "out_of_range", "must not be before the order date");
    }
    if let Err(problem) = order.compute_totals() {
        faults.add("/lines", &problem.code, problem.detail);
    }
}

/// The lines of an order, numbered as they stand.
fn lines(order_id: Uuid, input: &[OrderLineIn], faults: &mut Faults) -> Vec<LineRow> {
    let mut ids = HashSet::new();
    let numbered = (1..).zip(input);
    numbered
        .map(|(position, line)| {
            let index = position - 1;
            if line.quantity.is_zero() {
                faults.add(
                    format!("/lines/{index}/quantity"),
                    "out_of_range",
                    "must be more than zero",
                );
            }
            let id = line.id.unwrap_or_else(Uuid::now_v7);
            if !ids.insert(id) {
                faults.add(format!("/lines/{index}/id"), "duplicate", "an earlier line has this id");
            }
            LineRow {
                id,
                order_id,
                position,
                product_id: line.product_id,
                quantity: line.quantity,
                unit_price: line.unit_price,
                price_given: line.unit_price.is_some(),
                discount: line.discount,
                line_total: None,
            }
        })
        .collect()
}

pub fn emit_changed(tx: &mut Tx<'_>, order: &Order) -> Result<()> {
    tx.emit("order.changed", order.id, order.version, serde_json::to_value(order)?);
    Ok(())
}
