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

pub mod accounts;
pub mod ageing;
mod corrections;
mod days;
mod dimensions;
mod entries;
mod entry;
pub mod numbers;
pub mod open_items;
mod part;
pub mod periods;
mod posting;
mod posting_rules;
mod references;
pub mod reports;
mod roles;
pub mod seed;
mod series;

pub use corrections::{KnownAccount, known_accounts, post_reversal, reversal_day, undo_allocation};
pub use days::{PostingDay, posting_day};
pub use entries::{CashFlowCategory, JournalEntry, path_of};
pub use entry::{Entry, EntryKind, Journal, Line, Source, Sum};
pub use part::Part;
pub use periods::checks;
pub use posting::{Posted, post, post_alone, reverse};
pub use references::{NamedAccount, accounts, accounts_by_code, dimensions_in_use, postable, reversed};
pub use roles::{Account, Facts, Role, Rules, rules};

use rust_decimal::Decimal;
use service_kit::problem::Constraint;
use service_kit::{Amount, Currency, Problem, Result, Routes};

pub fn routes(routes: &mut Routes) {
    accounts::routes(routes);
    posting_rules::routes(routes);
    series::routes(routes);
    dimensions::routes(routes);
    entries::routes(routes);
    periods::routes(routes);
    reports::routes(routes);
}

/// A sum as answers show it: with the minor digits of its currency, and all digits where it has more.
///
/// # Errors
/// 422 `out_of_range` when it is too large.
pub fn shown(currency: Currency, value: Decimal) -> Result<Amount> {
    // What was negated may be a negative 0.
    let value = if value.is_zero() { Decimal::ZERO } else { value };
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
    Constraint::conflict(
        "allocations_reversed_once",
        "already_undone",
        "",
        "the allocation is undone already",
    ),
    Constraint::rule(
        "journal_entry_lines_fit_account",
        "account_not_postable",
        "/lines",
        "a heading or a control account is not posted to by hand, and an account in a currency takes only that currency",
    ),
    Constraint::conflict(
        "accounts_code_unique",
        "duplicate",
        "/code",
        "an account with this code exists",
    ),
    Constraint::conflict(
        "posting_rules_one_answer",
        "duplicate",
        "",
        "there is a rule for these facts: change it",
    ),
    Constraint::conflict("posting_rules_pkey", "duplicate", "/id", "a rule with this id exists"),
    Constraint::conflict(
        "dimensions_code_unique",
        "duplicate",
        "/code",
        "one with this code exists",
    ),
    Constraint::conflict("dimensions_pkey", "duplicate", "/id", "one with this id exists"),
    Constraint::conflict(
        "series_prefix_unique",
        "duplicate",
        "/prefix",
        "another series has this prefix",
    ),
    Constraint::conflict(
        "fiscal_years_pkey",
        "duplicate",
        "/id",
        "a fiscal year with this id exists",
    ),
    Constraint::conflict(
        "fiscal_years_name_unique",
        "duplicate",
        "/name",
        "a fiscal year with this name exists",
    ),
    Constraint::conflict(
        "fiscal_years_no_overlap",
        "overlaps",
        "/starts_on",
        "another fiscal year has some of these days",
    ),
    Constraint::conflict(
        "company_fiscal_years_exist",
        "fiscal_years_exist",
        "/fiscal_year_start_month",
        "there are fiscal years, which begin in this month",
    ),
    Constraint::conflict(
        "company_base_currency_posted",
        "base_currency_in_use",
        "/base_currency",
        "there are journal entries, whose values are in the base currency",
    ),
    Constraint::conflict(
        "journal_entries_pkey",
        "duplicate",
        "/id",
        "an entry with this id exists",
    ),
    Constraint::conflict(
        "accounts_in_use",
        "account_in_use",
        "",
        "the account has entries: its kind, control and currency stay, and it stays a heading or none",
    ),
];
