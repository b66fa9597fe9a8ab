//! Requests: asking for a prepayment, and cancelling it.

use super::model::{
    AdvanceRow, Prepayment, PrepaymentCancellationIn, PrepaymentIn, PrepaymentRow, PrepaymentStatus, PrepaymentsQuery,
};
use crate::ledger::numbers::{self, Series};
use crate::ledger::open_items::{self, Allocation, NewItem, Side};
use crate::ledger::{self, Entry, Journal, Role, Source, Sum};
use crate::receivables::invoices::settlement;
use crate::receivables::taxation;
use crate::sales::orders::queries as order_queries;
use crate::sales::orders::status::Lifecycle;
use crate::schema::{advances, prepayments};
use crate::{company, customers};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::sum;
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;
use service_kit::{Currency, Error, Faults, OrNotFound, Page, Problem, Result, Tx, keyset_page};
use uuid::Uuid;

pub(super) fn find(conn: &mut PgConnection, id: Uuid) -> Result<Prepayment> {
    let row = prepayments::table
        .find(id)
        .select(PrepaymentRow::as_select())
        .first(conn)
        .or_not_found("prepayment")?;
    let base = company::settings(conn)?.base_currency;
    let advances = advances_of(conn, &[id])?;
    Prepayment::from_rows(row, advances, base)
}

fn advances_of(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<Vec<AdvanceRow>> {
    advances::table
        .filter(advances::prepayment_id.eq_any(ids))
        .order((advances::received_on, advances::id))
        .select(AdvanceRow::as_select())
        .load(conn)
}

pub(super) fn page(conn: &mut PgConnection, query: &PrepaymentsQuery) -> Result<Page<Prepayment>> {
    let mut rows = prepayments::table.select(PrepaymentRow::as_select()).into_boxed();
    if let Some(status) = query.status {
        rows = rows.filter(prepayments::status.eq(status));
    }
    if let Some(customer) = query.customer_id {
        rows = rows.filter(prepayments::customer_id.eq(customer));
    }
    if let Some(order) = query.order_id {
        rows = rows.filter(prepayments::order_id.eq(order));
    }
    let page: Result<Page<PrepaymentRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: prepayments::id as Uuid => |row: &PrepaymentRow| row.id, [
        "created_at" => prepayments::created_at as DateTime<Utc> => |row: &PrepaymentRow| row.created_at,
        "date" => prepayments::date as NaiveDate => |row: &PrepaymentRow| row.date,
    ]);
    let Page { items, next_cursor } = page?;
    let base = company::settings(conn)?.base_currency;
    let all = advances_of(conn, &items.iter().map(|row| row.id).collect::<Vec<_>>())?;
    let items = items.into_iter().map(|row| {
        let own = all.iter().filter(|advance| advance.prepayment_id == row.id);
        let own = own.cloned().collect();
        Prepayment::from_rows(row, own, base)
    });
    Ok(Page {
        items: items.collect::<Result<Vec<_>>>()?,
        next_cursor,
    })
}

/// Locks a prepayment with its advances, after the customer and the order.
pub(super) fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<(PrepaymentRow, Vec<AdvanceRow>)> {
    let row = prepayments::table
        .find(id)
        .for_update()
        .select(PrepaymentRow::as_select())
        .first(&mut **tx)
        .or_not_found("prepayment")?;
    Ok((row, advances_of(tx, &[id])?))
}

/// Asks for a part of an order's total; posts nothing.
///
/// # Errors
/// 404; 409 `illegal_transition` unless the order is confirmed; 422 `exceeds_order` and other faults.
pub(super) fn request(tx: &mut Tx<'_>, order_id: Uuid, input: &PrepaymentIn) -> Result<Prepayment> {
    let found = order_queries::lock_many(tx, &[order_id])?.pop();
    let (order, ..) = found.ok_or_else(|| Problem::not_found("sales order"))?;
    let state = order.state()?;
    if state.lifecycle != Lifecycle::Confirmed {
        return Err(Problem::illegal_transition("request a prepayment", state.status().name(), &[]).into());
    }
    let currency: Currency = order.currency.parse().map_err(Error::Bug)?;
    let date = input.date.unwrap_or(tx.today());
    let due_on = input.due_on.unwrap_or(date);
    let mut faults = Faults::default();
    if input.fraction.is_some() == input.amount.is_some() {
        faults.add("/fraction", "either_or", "give either a fraction or an amount");
    }
    if due_on < date {
        faults.add("/due_on", "out_of_range", "must not be before the day of the request");
    }
    let pointer = if input.amount.is_some() { "/amount" } else { "/fraction" };
    let gross = match (input.amount, input.fraction) {
        (Some(amount), _) => amount.value(),
        (None, fraction) => currency.round(order.gross * fraction.unwrap_or_default().value()),
    };
    let asked: Option<Decimal> = prepayments::table
        .filter(prepayments::order_id.eq(order_id))
        .filter(prepayments::status.ne(PrepaymentStatus::Cancelled))
        .select(sum(prepayments::gross))
        .first(&mut **tx)?;
    let left = order.gross - asked.unwrap_or_default();
    if gross <= Decimal::ZERO || currency.round(gross) != gross {
        faults.add(
            pointer,
            "out_of_range",
            "must be more than 0, with the digits of the currency",
        );
    } else if gross > left {
        let message = format!("{} of the order's total is not asked for yet", left.normalize());
        faults.add(pointer, "exceeds_order", message);
    }
    faults.check()?;
    let on = ledger::posting_day(tx, Some(date))?;
    let id = tx.mint(input.id);
    let number = numbers::draw(tx, Series::Prepayment, &on)?;
    let row = PrepaymentRow {
        id,
        number: number.unwrap_or_else(|| format!("dry run {id}")),
        status: PrepaymentStatus::Requested,
        customer_id: order.customer_id,
        order_id,
        date,
        due_on,
        currency,
        gross,
        received_gross: Decimal::ZERO,
        notes: input.notes.clone(),
        external_ref: input.external_ref.clone(),
        reason: None,
        version: 1,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    diesel::insert_into(prepayments::table)
        .values(&row)
        .execute(&mut **tx)?;
    let base = company::settings(tx)?.base_currency;
    let made = Prepayment::from_rows(row, Vec::new(), base)?;
    tx.changed(None, &made)?;
    Ok(made)
}

/// Stores a locked prepayment that changed, with its traces.
pub(super) fn store(
    tx: &mut Tx<'_>,
    before: (PrepaymentRow, Vec<AdvanceRow>),
    mut row: PrepaymentRow,
) -> Result<Prepayment> {
    row.version += 1;
    row.revision += 1;
    row.updated_at = tx.now();
    diesel::update(prepayments::table.find(row.id))
        .set((
            prepayments::status.eq(row.status),
            prepayments::received_gross.eq(row.received_gross),
            prepayments::reason.eq(&row.reason),
            prepayments::version.eq(row.version),
            prepayments::revision.eq(row.revision),
            prepayments::updated_at.eq(row.updated_at),
        ))
        .execute(&mut **tx)?;
    let base = company::settings(tx)?.base_currency;
    let before = Prepayment::from_rows(before.0, before.1, base)?;
    let now = advances_of(tx, &[row.id])?;
    let after = Prepayment::from_rows(row, now, base)?;
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

/// Cancels a prepayment: what no invoice has cleared is taken back and becomes an open credit.
///
/// # Errors
/// 404; 409 `illegal_transition`, `period_closed`.
pub(super) fn cancel(tx: &mut Tx<'_>, id: Uuid, input: &PrepaymentCancellationIn) -> Result<Prepayment> {
    let known = find(tx, id)?;
    customers::lock_terms(tx, known.customer_id)?;
    order_queries::lock_many(tx, &[known.order_id])?;
    let (row, advances) = lock(tx, id)?;
    let before = (row.clone(), advances.clone());
    let company = company::settings(tx)?;
    tx.match_if_given(&Prepayment::from_rows(
        row.clone(),
        advances.clone(),
        company.base_currency,
    )?)?;
    if row.status == PrepaymentStatus::Cancelled {
        return Err(Problem::illegal_transition("cancel", row.status.as_str(), &[]).into());
    }
    let mut row = row;
    row.status = PrepaymentStatus::Cancelled;
    row.reason = input.reason.clone();
    let open: Vec<AdvanceRow> = advances
        .into_iter()
        .filter(|advance| !advance.open_gross.is_zero())
        .collect();
    if open.is_empty() {
        return store(tx, before, row);
    }
    let latest = open.iter().map(|advance| advance.received_on).max();
    let date = input.date.unwrap_or(tx.today());
    if latest.is_some_and(|latest| date < latest) {
        let mut faults = Faults::default();
        faults.add("/date", "date_before_original", "must not be before the money came");
        faults.check()?;
    }
    give_back(tx, &row, &open, date, company.base_currency)?;
    let after = store(tx, before, row)?;
    settlement::note_orders(tx, &[after.order_id])?;
    customers::note_balance_changed(tx, &[after.customer_id])?;
    Ok(after)
}

/// Dr Advances, Tax; Cr Receivable: an open credit of the customer.
fn give_back(tx: &mut Tx<'_>, row: &PrepaymentRow, open: &[AdvanceRow], date: NaiveDate, base: Currency) -> Result<()> {
    let on = ledger::posting_day(tx, Some(date))?;
    let rules = ledger::rules(tx)?;
    let number = Some(row.number.clone());
    let source = Source::new("prepayment", row.id, number.clone());
    let description = format!("Prepayment {} cancelled", row.number);
    let mut entry = Entry::new(Journal::Sales, &on, source, description);
    let ids: Vec<Uuid> = open.iter().map(|advance| advance.item_id).collect();
    let items = open_items::lock(tx, &ids)?;
    let accounts = ledger::accounts(tx, &items.iter().map(|item| item.account_id).collect::<Vec<_>>())?;
    let mut cleared = Vec::with_capacity(items.len());
    for item in &items {
        let sum = item.share(item.open_amount, base)?;
        let account = accounts.get(&item.account_id);
        let account = account.ok_or_else(|| Error::Bug("an advance without its account".into()))?;
        entry.debit(account, sum).item(item.id);
        cleared.push((item.id, sum));
    }
    for advance in open {
        let taxes = advance.taxes_open()?;
        taxation::post(&mut entry, &rules, row.currency, &[], &taxes, Decimal::ONE)?;
    }
    let amount: Decimal = open.iter().map(|advance| advance.open_gross).sum();
    let receivable = rules.of(Role::Receivable)?;
    let sum = Sum {
        base: entry.balance(),
        amount,
        currency: row.currency,
    };
    let item = Uuid::now_v7();
    open_items::create(
        tx,
        NewItem {
            id: item,
            side: Side::Receivable,
            party_id: row.customer_id,
            account_id: receivable.id,
            document_type: "prepayment",
            document_id: row.id,
            document_number: number,
            instalment: 1,
            order_id: Some(row.order_id),
            currency: row.currency,
            amount: -amount,
            posted_on: date,
            due_on: date,
            discount_until: None,
            discount: None,
        },
    )?;
    entry.credit(&receivable, sum).item(item);
    let entry_id = entry.id;
    diesel::update(
        advances::table.filter(advances::id.eq_any(open.iter().map(|advance| advance.id).collect::<Vec<_>>())),
    )
    .set((
        advances::open_gross.eq(Decimal::ZERO),
        advances::taxes_open.eq(json!([])),
        advances::cancelled_on.eq(date),
        advances::updated_at.eq(tx.now()),
    ))
    .execute(&mut **tx)?;
    ledger::post(tx, entry)?;
    for (item_id, cleared) in cleared {
        open_items::note_allocation(
            tx,
            &Allocation {
                document_type: "prepayment",
                document_id: row.id,
                item_id,
                on: date,
                cleared,
                discount: Decimal::ZERO,
                written_off: Decimal::ZERO,
                exchange_difference: Decimal::ZERO,
                entry_id,
            },
        )?;
    }
    Ok(())
}
