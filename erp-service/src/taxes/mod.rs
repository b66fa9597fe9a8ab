//! Taxes: codes with rates by date, rules that choose codes, the tax of a document, the tax report.
//!
//! - A **tax code** is output tax (what we owe on sales) or input tax (what we get back on
//!   purchases), with **rates** by date that never overlap. Entry lines and posting rules name it by
//!   its `code`, so that stays; it is retired, never deleted.
//! - A **tax rule** says which codes, in their order, tax a line: by direction (sale or purchase), the
//!   tax class of the party, its country, the tax class of the product and the day. Of the rules that
//!   apply, one for the party's class goes first, then one for the country, then one for the product's
//!   class; two of which neither would go first are refused when saved. An absent class counts as
//!   `standard`. A rule without codes exempts; where no rule applies there is no tax, so a company
//!   that has set up none has none. The classes are columns of products, customers and suppliers.
//! - **The tax of a document** ([`compute`]) is rounded once for each code and rate, half away from
//!   zero, or for each line where the company says so (`tax_rounding`). Prices that include tax keep
//!   their gross. Several codes of a line are all taken of the same net.
//! - The rate is that of the **tax point**: the day of the delivery, or of a prepayment received. The
//!   caller passes it to [`determine`].
//! - **A partial credit** takes its share of the tax, and the last one all that is left ([`credit`]).
//! - **Reverse charge**: of a purchase the tax is computed and posted on both sides, so that nothing
//!   is paid to the supplier; of a sale the buyer owes it, so only the base is reported.
//! - **In the ledger** ([`post`]) a tax line carries code, rate, side and what the tax was computed on,
//!   all in the base currency. Where a code makes no tax (rate 0, reverse charge of a sale) there is no
//!   tax line: the line of the revenue or the cost carries the base ([`note_untaxed`]). The tax report
//!   reads nothing else, so it says what the books say.

pub mod codes;
mod compute;
mod credit;
mod determine;
mod posting;
mod preview;
pub mod report;
pub mod rules;

pub use codes::{TaxCode, TaxKind};
pub use compute::{LineTaxes, Rounding, TaxCodeRate, TaxTotal, TaxableLine, Taxed, compute};
pub use credit::{credit, credit_share};
pub use determine::{Party, Taxable, determine};
pub use posting::{Conversion, note_untaxed, post};
pub use preview::DocumentTax;
pub use rules::Direction;

/// The class of products and parties that have none.
pub const STANDARD: &str = "standard";

use service_kit::Routes;
use service_kit::problem::Constraint;

pub fn routes(routes: &mut Routes) {
    codes::routes(routes);
    rules::routes(routes);
    preview::routes(routes);
    report::routes(routes);
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict("tax_codes_pkey", "duplicate", "/id", "a tax code with this id exists"),
    Constraint::conflict(
        "tax_codes_code_unique",
        "duplicate",
        "/code",
        "a tax code with this code exists",
    ),
    Constraint::conflict("tax_rules_pkey", "duplicate", "/id", "a tax rule with this id exists"),
    Constraint::conflict(
        "tax_rules_no_overlap",
        "overlapping_rule",
        "",
        "there is a rule for the same direction, classes and country on some of these days: neither would go first",
    ),
];
