//! Opening balances of accounts, by account, currency and day. Each is an entry of the general journal against
//! the opening balance; to correct one, reverse its entry and import it anew.

use crate::ledger::{self, Account, EntryKind, Journal, JournalEntry, NamedAccount, Role, Source, Sum};
use crate::schema::opening_balances;
use crate::{company, currencies, may};
use chrono::NaiveDate;
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::exchange::{Column, Done, Entry, Fields, Importer, Rows};
use service_kit::{Amount, Currency, Faults, Permission, Problem, Resource, Result, Tx};
use std::collections::HashMap;
use uuid::Uuid;

pub struct OpeningBalances;

pub struct Row {
    account: String,
    debit: Option<Amount>,
    credit: Option<Amount>,
    currency: Option<Currency>,
    base_amount: Option<Amount>,
    date: NaiveDate,
    description: Option<String>,
}

/// The match key.
type Place = (Uuid, Currency, NaiveDate);

/// What stands in the table; a debit is positive.
#[derive(Debug, Clone, Copy, Queryable, Selectable)]
#[diesel(table_name = opening_balances)]
struct Posted {
    id: Uuid,
    account_id: Uuid,
    currency: Currency,
    posted_on: NaiveDate,
    amount: Decimal,
    base_amount: Decimal,
    entry_id: Uuid,
}

/// What was taken over at a place.
struct Before {
    id: Uuid,
    amount: Decimal,
    base_amount: Decimal,
    entry_id: Uuid,
    is_reversed: bool,
}

impl Importer for OpeningBalances {
    type Row = Row;
    const KIND: &'static str = "opening-balances";
    const ABOUT: &'static str = "Balances of accounts of the time before, matched by `account`, `currency` and `date`; each is posted against the opening balance. Receivables and payables come in as opening items, stock as opening stock.";
    const READ: &'static str = may::ReadLedger::NAME;
    const WRITE: &'static str = may::PostJournalEntries::NAME;
    const LIST: &'static str = "/v1/journal-entries";
    const COLUMNS: &'static [Column] = &[
        Column::required("account", "code of the account"),
        Column::optional("debit", "one of `debit` and `credit`, in the currency of the row"),
        Column::optional("credit", "the other side"),
        Column::optional("currency", "ISO 4217 code; empty: the base currency"),
        Column::optional(
            "base_amount",
            "the value in the base currency; empty: by the rate of the day",
        ),
        Column::required(
            "date",
            "posting date: the last day of the time before, or the first of the new",
        ),
        Column::optional("description", "at most 400 characters"),
    ];
    const BATCH: usize = 100;

    fn read(fields: &mut Fields<'_>) -> Option<Row> {
        let account = fields.code("account", 20);
        let date: Option<NaiveDate> = fields.value("date");
        let before = fields.faults();
        let row = Row {
            account: String::new(),
            date: date.unwrap_or_default(),
            debit: fields.optional("debit").flatten(),
            credit: fields.optional("credit").flatten(),
            currency: fields.optional("currency").flatten(),
            base_amount: fields.optional("base_amount").flatten(),
            description: fields.optional_text("description", 400).flatten(),
        };
        for (column, amount) in [
            ("debit", row.debit),
            ("credit", row.credit),
            ("base_amount", row.base_amount),
        ] {
            if amount.is_some_and(|amount| amount.value() < Decimal::ZERO) {
                fields.fault(column, "out_of_range", "must not be negative: use the other side");
            }
        }
        let sides = [row.debit, row.credit].into_iter().flatten();
        if sides.filter(|amount| !amount.is_zero()).count() != 1 && fields.faults() == before {
            fields.fault("debit", "required", "give one of debit and credit, and not 0");
        }
        date?;
        Some(Row {
            account: account?,
            ..row
        })
    }

    fn key(row: &Row) -> String {
        let currency = row.currency.map(|currency| currency.to_string()).unwrap_or_default();
        format!("{} | {currency} | {}", row.account, row.date)
    }

    fn apply(tx: &mut Tx<'_>, rows: &mut Rows<Row>) -> Result<()> {
        let known = Known::of(tx, rows)?;
        for entry in rows.iter_mut() {
            known.check(entry);
        }
        let there = there(tx, rows, &known)?;
        rows.each(tx, |tx, row| {
            let account = known.account(row)?;
            let place = (account.id, known.currency(row), row.date);
            match there.get(&place) {
                Some(before) if !before.is_reversed => unchanged(before, row),
                before => take_over(tx, &known, row, account, before.map(|before| before.id)),
            }
        })
    }
}

/// What the rows refer to, as far as it is there.
struct Known {
    accounts: HashMap<String, NamedAccount>,
    /// That all of them are posted against.
    opening: Account,
    base: Currency,
    today: NaiveDate,
}

impl Known {
    fn of(tx: &mut Tx<'_>, rows: &Rows<Row>) -> Result<Self> {
        let codes: Vec<&str> = rows.iter().map(|entry| entry.row.account.as_str()).collect();
        Ok(Known {
            accounts: ledger::accounts_by_code(tx, &codes)?,
            opening: ledger::rules(tx)?.of(Role::OpeningBalance)?,
            base: company::settings(tx)?.base_currency,
            today: tx.today(),
        })
    }

    fn currency(&self, row: &Row) -> Currency {
        row.currency.unwrap_or(self.base)
    }

    fn account(&self, row: &Row) -> Result<&Account, Problem> {
        let named = self.accounts.get(&row.account).map(|named| &named.account);
        named.ok_or_else(|| Problem::rule("unknown_account", "there is no account with this code"))
    }

    /// Gives the row all faults that it has beside what stands there.
    fn check(&self, entry: &mut Entry<Row>) {
        let (base, currency) = (self.base, self.currency(&entry.row));
        match self.accounts.get(&entry.row.account) {
            None => entry.reject("account", "unknown_account", "there is no account with this code"),
            Some(named) if named.account.id == self.opening.id => {
                let message = "this is the account that opening balances are posted against";
                entry.reject("account", "not_applicable", message);
            }
            Some(named) => {
                if let Some((code, message)) = &named.refusal {
                    entry.reject("account", code, message.clone());
                }
                if let Some(only) = named.currency.as_deref().filter(|only| *only != currency.code()) {
                    let message = format!("{} takes {only} only", named.account.code);
                    entry.reject("currency", "wrong_currency", message);
                }
            }
        }
        let column = if entry.row.is_debit() { "debit" } else { "credit" };
        let (amount, value) = (entry.row.amount(), entry.row.base_amount.map(|value| value.value()));
        for (column, value, of) in [(column, Some(amount), currency), ("base_amount", value, base)] {
            if value.is_some_and(|value| of.round(value) != value) {
                let message = format!("{of} has {} digits after the point", of.minor_digits());
                entry.reject(column, "out_of_range", message);
            }
        }
        if currency == base && value.is_some_and(|value| value != amount) {
            let message = format!("the row is in {base}, the base currency: leave it out");
            entry.reject("base_amount", "differs", message);
        }
        if entry.row.date > self.today {
            entry.reject(
                "date",
                "future_date",
                format!("must not be after today, {}", self.today),
            );
        }
    }
}

impl Row {
    fn is_debit(&self) -> bool {
        self.debit.is_some_and(|amount| !amount.is_zero())
    }

    /// Without sign.
    fn amount(&self) -> Decimal {
        let side = if self.is_debit() { self.debit } else { self.credit };
        side.unwrap_or_default().value()
    }

    fn sign(&self) -> Decimal {
        if self.is_debit() { Decimal::ONE } else { -Decimal::ONE }
    }
}

/// What was taken over for these accounts on these days.
fn there(tx: &mut Tx<'_>, rows: &Rows<Row>, known: &Known) -> Result<HashMap<Place, Before>> {
    let accounts: Vec<Uuid> = rows
        .iter()
        .filter_map(|entry| known.account(&entry.row).ok())
        .map(|a| a.id)
        .collect();
    let days: Vec<NaiveDate> = rows.iter().map(|entry| entry.row.date).collect();
    let found: Vec<Posted> = opening_balances::table
        .filter(opening_balances::account_id.eq_any(accounts))
        .filter(opening_balances::posted_on.eq_any(days))
        .order(opening_balances::id)
        .for_update()
        .select(Posted::as_select())
        .load(&mut **tx)?;
    let entries: Vec<Uuid> = found.iter().map(|posted| posted.entry_id).collect();
    let reversed = ledger::reversed(tx, &entries)?;
    let before = |posted: Posted| {
        let place = (posted.account_id, posted.currency, posted.posted_on);
        let before = Before {
            id: posted.id,
            amount: posted.amount,
            base_amount: posted.base_amount,
            is_reversed: reversed.contains(&posted.entry_id),
            entry_id: posted.entry_id,
        };
        (place, before)
    };
    Ok(found.into_iter().map(before).collect())
}

/// Posts a balance, `anew` when its entry was reversed.
fn take_over(tx: &mut Tx<'_>, known: &Known, row: &Row, account: &Account, anew: Option<Uuid>) -> Result<Done> {
    let on = ledger::posting_day(tx, Some(row.date))?;
    let sum = sum(tx, known, row)?;
    let id = Uuid::now_v7();
    let description = match &row.description {
        Some(text) => format!("Opening balance: {text}"),
        None => format!("Opening balance of {} {}", account.code, account.name),
    };
    // Its own source, as an entry by hand, so that it can be reversed as one.
    let source = Source::new(JournalEntry::TYPE, id, None);
    let mut entry = ledger::Entry::new(Journal::General, &on, source, description).kind(EntryKind::Opening);
    entry.id = id;
    entry.debit(account, sum);
    entry.credit(&known.opening, sum);
    let now = tx.now();
    let values = (
        opening_balances::amount.eq(sum.amount),
        opening_balances::base_amount.eq(sum.base),
        opening_balances::entry_id.eq(id),
        opening_balances::created_at.eq(now),
    );
    match anew {
        Some(balance) => diesel::update(opening_balances::table.find(balance))
            .set(values)
            .execute(&mut **tx)?,
        None => diesel::insert_into(opening_balances::table)
            .values((
                opening_balances::id.eq(Uuid::now_v7()),
                opening_balances::account_id.eq(account.id),
                opening_balances::currency.eq(sum.currency),
                opening_balances::posted_on.eq(on.date),
                values,
            ))
            .execute(&mut **tx)?,
    };
    ledger::post_alone(tx, entry)?;
    Ok(Done::Created(id))
}

/// The balance with its value, a debit being positive.
fn sum(tx: &mut Tx<'_>, known: &Known, row: &Row) -> Result<Sum> {
    let (currency, amount) = (known.currency(row), row.amount());
    let value = match row.base_amount {
        Some(value) => value.value(),
        None => {
            let rate = currencies::rate(tx, currency, known.base, row.date)?;
            currencies::convert(amount, rate, known.base)?
        }
    };
    Ok(Sum {
        base: row.sign() * value,
        amount: row.sign() * amount,
        currency,
    })
}

/// What was posted stays; the same again is no fault.
fn unchanged(before: &Before, row: &Row) -> Result<Done> {
    let value = row.base_amount.map(|value| row.sign() * value.value());
    // Without a value of its own, a row is not compared with that of the rates at the time.
    if before.amount != row.sign() * row.amount() || value.is_some_and(|value| value != before.base_amount) {
        let mut faults = Faults::default();
        let message = "another balance was taken over for this account, currency and day: reverse its entry first";
        faults.add("/account", "already_posted", message);
        faults.check()?;
    }
    Ok(Done::Unchanged(before.entry_id))
}
