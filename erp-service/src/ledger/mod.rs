//! The general ledger: every document that moves value leaves a balanced entry here.
//!
//! - An **entry** belongs to a journal and has a posting date, the document that it comes from and at
//!   least two lines; debit = credit in the base currency, and in the document's currency where all
//!   lines share one. A deferred constraint trigger checks it for whoever writes.
//! - Posted entries and their lines never change: a mistake is mirrored by a **reversal**, linked both
//!   ways. Drafts keep their lines in the entry's row, so that lines are always posted ones.
//! - **Accounts by role**: a document asks for the account of a [`Role`] and gets it from posting
//!   rules, which are data; the line says which rule answered.
//! - **Open items** are the subledgers. What is open of an item is the sum of its entry lines, kept by
//!   a trigger, so a subledger and its control account cannot part.
//! - **Numbers** without gaps are drawn last; nothing posts into a closed period, which a trigger checks
//!   after the number is drawn: whoever closes a period holds the numbers of its year.
//!
//! Documents stand above this module and call [`posting_day`], [`rules`], [`numbers::draw`],
//! [`open_items::create`] and, last, [`post`]. Amounts arrive here converted to the base currency.

mod days;
mod entries;
mod entry;
pub mod numbers;
pub mod open_items;
mod posting;
mod references;
mod roles;

pub use days::{PostingDay, posting_day};
pub use entries::JournalEntry;
pub use entry::{Entry, EntryKind, Journal, Line, Source, Sum};
pub use posting::{Posted, post, reverse};
pub use references::{accounts, dimensions_in_use, postable};
pub use roles::{Account, Facts, Role, Rules, rules};

use rust_decimal::Decimal;
use service_kit::problem::Constraint;
use service_kit::{Amount, Currency, Problem, Result, Routes};

pub fn routes(routes: &mut Routes) {
    entries::routes(routes);
}

/// A sum as answers show it: with the minor digits of its currency, and all digits where it has more.
///
/// # Errors
/// 422 `out_of_range` when it is too large.
pub fn shown(currency: Currency, value: Decimal) -> Result<Amount> {
    let amount = match currency.round(value) == value {
        true => Amount::money(currency, value),
        false => Amount::new(value).ok(),
    };
    amount.ok_or_else(|| Problem::rule("out_of_range", "a sum is too large").into())
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "journal_entries_period_open",
        "period_closed",
        "/date",
        "the period of this date is closed",
    ),
    Constraint::conflict(
        "open_items_within_amount",
        "exceeds_open",
        "",
        "more would be allocated than is open",
    ),
    Constraint::conflict(
        "journal_entries_reversed_once",
        "already_reversed",
        "",
        "the entry is reversed already",
    ),
    Constraint::rule(
        "journal_entry_lines_fit_account",
        "account_not_postable",
        "/lines",
        "a heading or a control account is not posted to by hand, and an account in a currency takes only that currency",
    ),
    Constraint::conflict("journal_entries_pkey", "duplicate", "/id", "an entry with this id exists"),
    Constraint::conflict(
        "accounts_in_use",
        "account_in_use",
        "",
        "the account has entries: its kind, control and currency stay, and it stays a heading or none",
    ),
];
