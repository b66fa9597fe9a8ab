//! Open items: what one party owes on one document, and how much of it is still open.
//!
//! An item is made before its first entry line; lines that name it change what is open, by a trigger.
//! Amounts are signed: on the receivable side positive is owed to us (an invoice) and negative is
//! owed by us (a credit note, a payment on account); on the payable side the other way round.

use super::entry::Sum;
use crate::schema::{allocations, open_items};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::{Currency, Error, Problem, Result, Tx};
use uuid::Uuid;

service_kit::text_enum! {
    /// Which subledger an item belongs to.
    Side {
        Receivable = "receivable",
        Payable = "payable",
        AdvancesReceived = "advances_received",
        AdvancesPaid = "advances_paid",
    }
}

/// An item as it stands.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = open_items)]
pub struct OpenItem {
    pub id: Uuid,
    pub side: Side,
    /// A customer or a supplier.
    pub party_id: Uuid,
    pub account_id: Uuid,
    pub document_type: String,
    pub document_id: Uuid,
    pub document_number: Option<String>,
    pub instalment: i16,
    pub order_id: Option<Uuid>,
    pub currency: Currency,
    pub amount: Decimal,
    pub posted_on: NaiveDate,
    pub due_on: NaiveDate,
    pub discount_until: Option<NaiveDate>,
    /// A fraction of the amount.
    pub discount: Option<Decimal>,
    pub open_amount: Decimal,
    pub open_base_amount: Decimal,
    pub revalued_base: Decimal,
    pub disputed: bool,
    pub dunning_level: i16,
    pub dunned_on: Option<NaiveDate>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An item to be made.
#[derive(Debug, Clone)]
pub struct NewItem {
    pub id: Uuid,
    pub side: Side,
    pub party_id: Uuid,
    pub account_id: Uuid,
    pub document_type: &'static str,
    pub document_id: Uuid,
    pub document_number: Option<String>,
    pub instalment: i16,
    pub order_id: Option<Uuid>,
    pub currency: Currency,
    /// Signed, not 0; the lines of its entry must come to exactly this.
    pub amount: Decimal,
    pub posted_on: NaiveDate,
    pub due_on: NaiveDate,
    pub discount_until: Option<NaiveDate>,
    pub discount: Option<Decimal>,
}

/// How a document cleared an item.
#[derive(Debug, Clone)]
pub struct Allocation {
    /// e.g. `payment`.
    pub document_type: &'static str,
    pub document_id: Uuid,
    pub item_id: Uuid,
    pub on: NaiveDate,
    /// What the item lost, with the item's sign.
    pub cleared: Sum,
    /// Of it by a cash discount and by a write-off, in the item's currency.
    pub discount: Decimal,
    pub written_off: Decimal,
    /// Realised, in the base currency; a gain is positive.
    pub exchange_difference: Decimal,
    pub entry_id: Uuid,
}

/// Makes an item; nothing is open of it until an entry line names it.
///
/// # Errors
/// When the database refuses.
pub fn create(tx: &mut Tx<'_>, new: NewItem) -> Result<Uuid> {
    let now = tx.now();
    diesel::insert_into(open_items::table)
        .values((
            open_items::id.eq(new.id),
            open_items::side.eq(new.side),
            open_items::party_id.eq(new.party_id),
            open_items::account_id.eq(new.account_id),
            open_items::document_type.eq(new.document_type),
            open_items::document_id.eq(new.document_id),
            open_items::document_number.eq(new.document_number),
            open_items::instalment.eq(new.instalment),
            open_items::order_id.eq(new.order_id),
            open_items::currency.eq(new.currency),
            (
                open_items::amount.eq(new.amount),
                open_items::posted_on.eq(new.posted_on),
                open_items::due_on.eq(new.due_on),
                open_items::discount_until.eq(new.discount_until),
                open_items::discount.eq(new.discount),
                open_items::created_at.eq(now),
                open_items::updated_at.eq(now),
            ),
        ))
        .execute(&mut **tx)?;
    Ok(new.id)
}

/// Locks items in key order.
///
/// # Errors
/// 404 when one of them does not exist.
pub fn lock(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Vec<OpenItem>> {
    let items: Vec<OpenItem> = open_items::table
        .filter(open_items::id.eq_any(ids))
        .order(open_items::id)
        .for_no_key_update()
        .select(OpenItem::as_select())
        .load(&mut **tx)?;
    let wanted: std::collections::BTreeSet<_> = ids.iter().collect();
    match items.len() == wanted.len() {
        true => Ok(items),
        false => Err(Problem::not_found("open item").into()),
    }
}

/// The items of a document, by instalment; locked.
///
/// # Errors
/// When the database refuses.
pub fn lock_of_document(tx: &mut Tx<'_>, document_id: Uuid) -> Result<Vec<OpenItem>> {
    let ids: Vec<Uuid> = open_items::table
        .filter(open_items::document_id.eq(document_id))
        .select(open_items::id)
        .load(&mut **tx)?;
    let mut items = lock(tx, &ids)?;
    items.sort_by_key(|item| item.instalment);
    Ok(items)
}

impl OpenItem {
    /// What clearing `amount` (in the item's currency, with the item's sign) takes from it: the share of
    /// its base value, and all that is left of it with the last of it.
    ///
    /// # Errors
    /// 409 `exceeds_open` when less is open.
    pub fn share(&self, amount: Decimal, base: Currency) -> Result<Sum> {
        let same_sign = amount.is_zero() || amount.is_sign_negative() == self.open_amount.is_sign_negative();
        if !same_sign || amount.abs() > self.open_amount.abs() {
            let detail = format!(
                "{} {} is open, and {} is to be cleared",
                self.open_amount.abs().normalize(),
                self.currency,
                amount.abs().normalize()
            );
            return Err(Problem::conflict("exceeds_open", detail)
                .fact("open_item_id", self.id.to_string())
                .fact("open_amount", self.open_amount.normalize().to_string())
                .into());
        }
        let value = if amount == self.open_amount {
            self.open_base_amount
        } else {
            let exact = self
                .open_base_amount
                .checked_mul(amount)
                .and_then(|product| product.checked_div(self.open_amount));
            base.round(exact.ok_or_else(|| Error::Bug("an open item beyond its bounds".into()))?)
        };
        Ok(Sum {
            base: value,
            amount,
            currency: self.currency,
        })
    }
}

/// Leaves the row that says which document cleared how much of which item.
///
/// # Errors
/// When the database refuses.
pub fn note_allocation(tx: &mut Tx<'_>, allocation: &Allocation) -> Result<Uuid> {
    let id = Uuid::now_v7();
    diesel::insert_into(allocations::table)
        .values((
            allocations::id.eq(id),
            allocations::document_type.eq(allocation.document_type),
            allocations::document_id.eq(allocation.document_id),
            allocations::item_id.eq(allocation.item_id),
            allocations::allocated_on.eq(allocation.on),
            allocations::amount.eq(allocation.cleared.amount),
            allocations::base_amount.eq(allocation.cleared.base),
            allocations::discount.eq(allocation.discount),
            allocations::written_off.eq(allocation.written_off),
            allocations::exchange_difference.eq(allocation.exchange_difference),
            allocations::entry_id.eq(allocation.entry_id),
            allocations::created_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    Ok(id)
}
