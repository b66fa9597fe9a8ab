//! For documents that undo a part of what they posted: accounts by id, reversals with lines of their own.

use super::days::{self, PostingDay};
use super::entry::{Entry, EntryKind, Journal};
use super::posting::{Posted, post};
use super::roles::Account;
use crate::schema::{accounts, allocations, journal_entries};
use chrono::NaiveDate;
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::{Currency, Faults, OrNotFound, Problem, Result, Tx};
use std::collections::HashMap;
use uuid::Uuid;

/// An account as a document that names one needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = accounts)]
pub struct KnownAccount {
    pub id: Uuid,
    pub code: String,
    pub name: String,
    pub heading: bool,
    pub control: Option<String>,
    pub currency: Option<Currency>,
    pub liquid: bool,
    pub status: String,
}

impl KnownAccount {
    /// To post to, named by the document.
    pub fn named(&self) -> Account {
        Account {
            id: self.id,
            code: self.code.clone(),
            name: self.name.clone(),
            rule: None,
        }
    }
}

/// Those of the accounts that exist.
///
/// # Errors
/// When the database refuses.
pub fn known_accounts(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, KnownAccount>> {
    let found: Vec<KnownAccount> = accounts::table
        .filter(accounts::id.eq_any(ids))
        .select(KnownAccount::as_select())
        .load(conn)?;
    Ok(found.into_iter().map(|account| (account.id, account)).collect())
}

/// The day on which a document of `original` is undone: as asked, not before it and not in the future; where that
/// period is closed, the first open day after it.
///
/// # Errors
/// 422 `future_date`, `date_before_original`; 409 `period_closed`.
pub fn reversal_day(
    tx: &mut Tx<'_>,
    asked: Option<NaiveDate>,
    original: NaiveDate,
    journal: Journal,
) -> Result<PostingDay> {
    let today = tx.today();
    let date = asked.unwrap_or(today);
    let mut faults = Faults::default();
    if date > today {
        faults.add("/date", "future_date", format!("must not be after today, {today}"));
    }
    if date < original {
        faults.add(
            "/date",
            "date_before_original",
            format!("the original is dated {original}"),
        );
    }
    faults.check()?;
    days::first_open_day(tx, date, journal)
}

/// Posts an entry as the reversal of another, linked both ways. For documents of which a part was undone before,
/// so that mirroring the entry would undo that part twice.
///
/// # Errors
/// 409 `already_reversed`.
pub fn post_reversal(tx: &mut Tx<'_>, mut entry: Entry, original: Uuid) -> Result<Posted> {
    let reversed_by: Option<Uuid> = journal_entries::table
        .find(original)
        .for_no_key_update()
        .select(journal_entries::reversed_by)
        .first(&mut **tx)
        .or_not_found("journal entry")?;
    if reversed_by.is_some() {
        return Err(Problem::conflict("already_reversed", "the entry is reversed already").into());
    }
    (entry.kind, entry.reversal_of) = (EntryKind::Reversal, Some(original));
    let (id, now) = (entry.id, tx.now());
    let posted = post(tx, entry)?;
    diesel::update(journal_entries::table.find(original))
        .set((
            journal_entries::reversed_by.eq(id),
            journal_entries::revision.eq(journal_entries::revision + 1),
            journal_entries::updated_at.eq(now),
        ))
        .execute(&mut **tx)?;
    Ok(posted)
}

/// Leaves the row that takes an allocation back.
///
/// # Errors
/// 409 `already_undone`.
pub fn undo_allocation(tx: &mut Tx<'_>, allocation: Uuid, on: NaiveDate, entry_id: Uuid) -> Result<Uuid> {
    #[derive(Queryable)]
    struct Stored {
        document_type: String,
        document_id: Uuid,
        item_id: Uuid,
        amount: Decimal,
        base_amount: Decimal,
        discount: Decimal,
        written_off: Decimal,
        exchange_difference: Decimal,
    }
    let stored: Stored = allocations::table
        .find(allocation)
        .select((
            allocations::document_type,
            allocations::document_id,
            allocations::item_id,
            allocations::amount,
            allocations::base_amount,
            allocations::discount,
            allocations::written_off,
            allocations::exchange_difference,
        ))
        .first(&mut **tx)
        .or_not_found("allocation")?;
    let id = Uuid::now_v7();
    diesel::insert_into(allocations::table)
        .values((
            allocations::id.eq(id),
            allocations::document_type.eq(stored.document_type),
            allocations::document_id.eq(stored.document_id),
            allocations::item_id.eq(stored.item_id),
            allocations::allocated_on.eq(on),
            allocations::amount.eq(-stored.amount),
            allocations::base_amount.eq(-stored.base_amount),
            allocations::discount.eq(-stored.discount),
            allocations::written_off.eq(-stored.written_off),
            allocations::exchange_difference.eq(-stored.exchange_difference),
            allocations::entry_id.eq(entry_id),
            allocations::reversal_of.eq(allocation),
            allocations::created_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    Ok(id)
}
