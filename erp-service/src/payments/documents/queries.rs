use super::model::{Payment, PaymentAllocation, PaymentRow, PaymentStatus, PaymentsQuery, shown};
use crate::company;
use crate::ledger::open_items::{self, OpenItem};
use crate::ledger::{self, Account, CashFlowCategory};
use crate::payments::parties::PartyType;
use crate::payments::settlement::{Part, Settled};
use crate::schema::{allocations, open_items as items, payments, settlements};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde_json::Value;
use service_kit::{Currency, Error, OrNotFound, Page, Problem, Result, Tx, keyset_page};
use std::collections::HashMap;
use uuid::Uuid;

/// A settlement with its item, as stored.
#[derive(Debug, Clone)]
pub struct StoredSettlement {
    pub allocation_id: Uuid,
    pub document_id: Uuid,
    pub item_id: Uuid,
    pub source_allocation_id: Option<Uuid>,
    pub paid_currency: Currency,
    pub paid_amount: Decimal,
    pub paid_base: Decimal,
    pub parts: Value,
    pub undone_on: Option<NaiveDate>,
    pub allocated_on: NaiveDate,
    /// What the item lost, with its sign.
    pub amount: Decimal,
    pub base_amount: Decimal,
    pub discount: Decimal,
    pub written_off: Decimal,
    pub exchange_difference: Decimal,
    pub entry_id: Uuid,
    pub document_type: String,
    pub item_document_id: Uuid,
    pub document_number: Option<String>,
    pub instalment: i16,
    pub currency: Currency,
}

impl StoredSettlement {
    pub(in crate::payments) fn parts(&self) -> Result<Vec<Part>> {
        Ok(serde_json::from_value(self.parts.clone())?)
    }

    pub(in crate::payments) fn shown(&self, base: Currency) -> PaymentAllocation {
        PaymentAllocation {
            id: self.allocation_id,
            open_item_id: self.item_id,
            document_type: self.document_type.clone(),
            document_id: self.item_document_id,
            document_number: self.document_number.clone(),
            instalment: self.instalment,
            date: self.allocated_on,
            currency: self.currency,
            cleared: shown(self.currency, self.amount.abs()),
            discount: shown(self.currency, self.discount),
            written_off: shown(self.currency, self.written_off),
            paid: shown(self.paid_currency, self.paid_amount),
            exchange_difference: shown(base, self.exchange_difference),
            journal_entry_id: self.entry_id,
            undone_on: self.undone_on,
        }
    }
}

/// All settlements by these documents, in the order in which they were made.
pub(in crate::payments) fn settlements_of(
    conn: &mut PgConnection,
    documents: &[Uuid],
) -> QueryResult<Vec<StoredSettlement>> {
    settlements::table
        .inner_join(allocations::table)
        .inner_join(items::table)
        .filter(settlements::document_id.eq_any(documents))
        .order((settlements::created_at, settlements::allocation_id))
        .select((
            settlements::allocation_id,
            settlements::document_id,
            settlements::item_id,
            settlements::source_allocation_id,
            settlements::paid_currency,
            settlements::paid_amount,
            settlements::paid_base,
            settlements::parts,
            settlements::undone_on,
            allocations::allocated_on,
            allocations::amount,
            allocations::base_amount,
            allocations::discount,
            allocations::written_off,
            (
                allocations::exchange_difference,
                allocations::entry_id,
                items::document_type,
                items::document_id,
                items::document_number,
                items::instalment,
                items::currency,
            ),
        ))
        .load::<Flat>(conn)
        .map(|rows| rows.into_iter().map(Into::into).collect())
}

type Tail = (Decimal, Uuid, String, Uuid, Option<String>, i16, Currency);
type Flat = (
    Uuid,
    Uuid,
    Uuid,
    Option<Uuid>,
    Currency,
    Decimal,
    Decimal,
    Value,
    Option<NaiveDate>,
    NaiveDate,
    Decimal,
    Decimal,
    Decimal,
    Decimal,
    Tail,
);

impl From<Flat> for StoredSettlement {
    fn from(row: Flat) -> Self {
        let (exchange_difference, entry_id, document_type, item_document_id, document_number, instalment, currency) =
            row.14;
        StoredSettlement {
            allocation_id: row.0,
            document_id: row.1,
            item_id: row.2,
            source_allocation_id: row.3,
            paid_currency: row.4,
            paid_amount: row.5,
            paid_base: row.6,
            parts: row.7,
            undone_on: row.8,
            allocated_on: row.9,
            amount: row.10,
            base_amount: row.11,
            discount: row.12,
            written_off: row.13,
            exchange_difference,
            entry_id,
            document_type,
            item_document_id,
            document_number,
            instalment,
            currency,
        }
    }
}

/// Those that still stand.
pub(in crate::payments) fn active_settlements(
    conn: &mut PgConnection,
    document: Uuid,
) -> QueryResult<Vec<StoredSettlement>> {
    let mut all = settlements_of(conn, &[document])?;
    all.retain(|settlement| settlement.undone_on.is_none());
    Ok(all)
}

/// The payment by its id.
///
/// # Errors
/// 404.
pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<Payment> {
    let row = payments::table
        .find(id)
        .select(PaymentRow::as_select())
        .first(conn)
        .or_not_found("payment")?;
    one(conn, row)
}

pub(super) fn one(conn: &mut PgConnection, row: PaymentRow) -> Result<Payment> {
    complete(conn, vec![row])?
        .pop()
        .ok_or_else(|| Problem::not_found("payment").into())
}

pub(super) fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<PaymentRow> {
    payments::table
        .find(id)
        .for_no_key_update()
        .select(PaymentRow::as_select())
        .first(&mut **tx)
        .or_not_found("payment")
}

/// Party of a payment, read without a lock: it never changes.
pub(super) fn party_of(tx: &mut Tx<'_>, id: Uuid) -> Result<Option<(PartyType, Uuid)>> {
    let (kind, party): (Option<PartyType>, Option<Uuid>) = payments::table
        .find(id)
        .select((payments::party_type, payments::party_id))
        .first(&mut **tx)
        .or_not_found("payment")?;
    Ok(kind.zip(party))
}

pub(super) fn complete(conn: &mut PgConnection, rows: Vec<PaymentRow>) -> Result<Vec<Payment>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let base = company::settings(conn)?.base_currency;
    let mut by_payment: HashMap<Uuid, Vec<PaymentAllocation>> = HashMap::new();
    for settlement in settlements_of(conn, &ids)? {
        by_payment
            .entry(settlement.document_id)
            .or_default()
            .push(settlement.shown(base));
    }
    let on_account: Vec<(Uuid, Uuid, Decimal)> = items::table
        .filter(items::document_id.eq_any(&ids))
        .select((items::document_id, items::id, items::open_amount))
        .load(conn)?;
    let on_account: HashMap<Uuid, (Uuid, Decimal)> = on_account
        .into_iter()
        .map(|(payment, item, open)| (payment, (item, open.abs())))
        .collect();
    rows.into_iter()
        .map(|row| {
            let allocations = by_payment.remove(&row.id).unwrap_or_default();
            let rest = on_account.get(&row.id).copied();
            payment(row, allocations, rest, base)
        })
        .collect()
}

pub(super) fn page(conn: &mut PgConnection, query: &PaymentsQuery) -> Result<Page<Payment>> {
    let mut found = payments::table.select(PaymentRow::as_select()).into_boxed();
    if let Some(direction) = query.direction {
        found = found.filter(payments::direction.eq(direction));
    }
    if let Some(status) = query.status {
        found = found.filter(payments::status.eq(status));
    }
    if let Some(kind) = query.party_type {
        found = found.filter(payments::party_type.eq(kind));
    }
    if let Some(party) = query.party_id {
        found = found.filter(payments::party_id.eq(party));
    }
    if let Some(customer) = query.customer_id {
        found = found.filter(
            payments::party_id
                .eq(customer)
                .and(payments::party_type.eq(PartyType::Customer)),
        );
    }
    if let Some(account) = query.bank_account_id {
        found = found.filter(payments::bank_account_id.eq(account));
    }
    if let Some(currency) = query.currency {
        found = found.filter(payments::currency.eq(currency));
    }
    if let Some(from) = query.date_from {
        found = found.filter(payments::posted_on.ge(from));
    }
    if let Some(to) = query.date_to {
        found = found.filter(payments::posted_on.le(to));
    }
    if let Some(text) = &query.q {
        let pattern = text.contains();
        found = found.filter(
            payments::number
                .ilike(pattern.clone())
                .or(payments::reference.ilike(pattern)),
        );
    }
    if let Some(reference) = &query.external_ref {
        found = found.filter(payments::external_ref.eq(reference.as_str()));
    }
    let page: Result<Page<PaymentRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: payments::id as Uuid => |p: &PaymentRow| p.id, [
        "created_at" => payments::created_at as DateTime<Utc> => |p: &PaymentRow| p.created_at,
        "date" => payments::posted_on as NaiveDate => |p: &PaymentRow| p.posted_on,
    ]);
    let Page { items, next_cursor } = page?;
    Ok(Page {
        items: complete(conn, items)?,
        next_cursor,
    })
}

fn payment(
    row: PaymentRow,
    allocations: Vec<PaymentAllocation>,
    on_account: Option<(Uuid, Decimal)>,
    base: Currency,
) -> Result<Payment> {
    let unallocated = on_account.map_or(Decimal::ZERO, |(_, open)| open);
    let mut allowed_actions = Vec::new();
    if row.status == PaymentStatus::Posted {
        if !unallocated.is_zero() {
            allowed_actions.push("allocate");
        }
        if allocations.iter().any(|allocation| allocation.undone_on.is_none()) {
            allowed_actions.push("unallocate");
        }
        allowed_actions.push("reverse");
    }
    Ok(Payment {
        id: row.id,
        number: row.number,
        status: row.status,
        direction: row.direction,
        party_type: row.party_type,
        party_id: row.party_id,
        bank_account_id: row.bank_account_id,
        currency: row.currency,
        amount: shown(row.currency, row.amount),
        bank_charges: shown(row.currency, row.bank_charges),
        base_amount: shown(base, row.base_amount),
        unallocated: shown(row.currency, unallocated),
        open_item_id: on_account.map(|(item, _)| item),
        date: row.posted_on,
        reference: row.reference,
        method: row.method,
        cash_flow_category: row.cash_flow_category,
        allocations,
        postings: serde_json::from_value(row.postings)?,
        external_ref: row.external_ref,
        journal_entry_id: row.entry_id,
        reversed_on: row.reversed_on,
        reversal_reason: row.reversal_reason,
        reversal_entry_id: row.reversal_entry_id,
        allowed_actions,
        version: row.version,
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// Saves a new payment; its entry follows in the same transaction.
pub(super) fn insert(tx: &mut Tx<'_>, row: &PaymentRow) -> Result<()> {
    diesel::insert_into(payments::table)
        .values((
            (
                payments::id.eq(row.id),
                payments::number.eq(&row.number),
                payments::direction.eq(row.direction),
                payments::party_type.eq(row.party_type),
                payments::party_id.eq(row.party_id),
                payments::bank_account_id.eq(row.bank_account_id),
                payments::currency.eq(row.currency),
                payments::amount.eq(row.amount),
                payments::bank_charges.eq(row.bank_charges),
                payments::base_amount.eq(row.base_amount),
                payments::bank_charges_base.eq(row.bank_charges_base),
            ),
            payments::posted_on.eq(row.posted_on),
            payments::reference.eq(&row.reference),
            payments::method.eq(row.method),
            payments::cash_flow_category.eq(row.cash_flow_category),
            payments::postings.eq(&row.postings),
            payments::external_ref.eq(&row.external_ref),
            payments::entry_id.eq(row.entry_id),
            payments::created_at.eq(row.created_at),
            payments::updated_at.eq(row.updated_at),
        ))
        .execute(&mut **tx)?;
    Ok(())
}

/// Counts a change of the payment: of what it has allocated.
pub(super) fn touch(tx: &mut Tx<'_>, id: Uuid) -> Result<PaymentRow> {
    let row = diesel::update(payments::table.find(id))
        .set((
            payments::version.eq(payments::version + 1),
            payments::revision.eq(payments::revision + 1),
            payments::updated_at.eq(tx.now()),
        ))
        .returning(PaymentRow::as_returning())
        .get_result(&mut **tx)?;
    Ok(row)
}

pub(super) fn mark_reversed(
    tx: &mut Tx<'_>,
    id: Uuid,
    (on, reason, entry_id): (NaiveDate, &str, Uuid),
) -> Result<PaymentRow> {
    let row = diesel::update(payments::table.find(id))
        .set((
            payments::status.eq(PaymentStatus::Reversed),
            payments::reversed_on.eq(on),
            payments::reversal_reason.eq(reason),
            payments::reversal_entry_id.eq(entry_id),
            payments::version.eq(payments::version + 1),
            payments::revision.eq(payments::revision + 1),
            payments::updated_at.eq(tx.now()),
        ))
        .returning(PaymentRow::as_returning())
        .get_result(&mut **tx)?;
    Ok(row)
}

/// Leaves the rows that say what cleared an item, and how to undo just this.
pub(in crate::payments) fn note_settlement(
    tx: &mut Tx<'_>,
    document_type: &'static str,
    document_id: Uuid,
    settled: &Settled,
    (on, entry_id): (NaiveDate, Uuid),
    source: Option<&OpenItem>,
) -> Result<()> {
    let note = |item_id, cleared, discount, written_off, exchange_difference| open_items::Allocation {
        document_type,
        document_id,
        item_id,
        on,
        cleared,
        discount,
        written_off,
        exchange_difference,
        entry_id,
    };
    let allocation_id = open_items::note_allocation(
        tx,
        &note(
            settled.item.id,
            settled.cleared,
            settled.discount,
            settled.written_off,
            settled.exchange_difference,
        ),
    )?;
    let mut source_allocation_id = None;
    if let Some(source) = source.filter(|_| !settled.paid.amount.is_zero()) {
        let taken = if source.open_amount.is_sign_negative() {
            settled.paid.negated()
        } else {
            settled.paid
        };
        let taken = note(source.id, taken, Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        source_allocation_id = Some(open_items::note_allocation(tx, &taken)?);
    }
    diesel::insert_into(settlements::table)
        .values((
            settlements::allocation_id.eq(allocation_id),
            settlements::document_type.eq(document_type),
            settlements::document_id.eq(document_id),
            settlements::item_id.eq(settled.item.id),
            settlements::source_item_id.eq(source.map(|source| source.id)),
            settlements::source_allocation_id.eq(source_allocation_id),
            settlements::paid_currency.eq(settled.paid.currency),
            settlements::paid_amount.eq(settled.paid.amount),
            settlements::paid_base.eq(settled.paid.base),
            settlements::parts.eq(serde_json::to_value(&settled.parts)?),
            settlements::created_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    Ok(())
}

/// The accounts of items, to post to.
pub(in crate::payments) fn accounts_of(tx: &mut Tx<'_>, items: &[&OpenItem]) -> Result<HashMap<Uuid, Account>> {
    let mut ids: Vec<Uuid> = items.iter().map(|item| item.account_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let known = ledger::known_accounts(tx, &ids)?;
    ids.into_iter()
        .map(|id| {
            let account = known
                .get(&id)
                .ok_or_else(|| Error::Bug(format!("an item on the unknown account {id}")))?;
            Ok((id, account.named()))
        })
        .collect()
}

/// The open items of a document, the earliest due first, not locked.
pub(in crate::payments) fn by_document(
    conn: &mut PgConnection,
    documents: &[Uuid],
) -> QueryResult<Vec<(Uuid, Uuid, Decimal)>> {
    items::table
        .filter(
            items::document_id
                .eq_any(documents)
                .and(items::open_amount.ne(Decimal::ZERO)),
        )
        .order((items::document_id, items::due_on, items::instalment))
        .select((items::document_id, items::id, items::open_amount))
        .load(conn)
}

/// For what the cash flow report is told.
pub(super) fn category(category: Option<CashFlowCategory>) -> Option<String> {
    category.map(|category| category.as_str().to_owned())
}

/// Those of the items that exist.
pub(super) fn existing(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<std::collections::HashSet<Uuid>> {
    let found: Vec<Uuid> = items::table
        .filter(items::id.eq_any(ids))
        .select(items::id)
        .load(conn)?;
    Ok(found.into_iter().collect())
}
