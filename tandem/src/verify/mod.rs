//! `tandem verify DIR`: does a running stack hold what the files of a company say?
//!
//! Everything is looked up by the UUIDs derived from the files, in both systems, and compared
//! exactly. [`Report`] is the table that is printed; a check that fails says which records differ.

mod books;
mod checks;
mod shown;

use crate::api::{Api, http_client};
use crate::demo::Company;
use crate::failure::Result;
use crate::stack::Stack;
use std::fmt;

pub use shown::Shown;

/// Records named under a check that fails.
const NAMED: usize = 10;

/// One line of the table: what the files say, and what the two systems show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    pub expected: String,
    pub erp: String,
    /// `None` where it is the ERP's alone.
    pub crm: Option<String>,
    /// Which records differ, and how.
    pub differences: Vec<String>,
}

impl Check {
    fn of_crm(&self) -> &str {
        self.crm.as_deref().unwrap_or("–")
    }

    pub fn is_ok(&self) -> bool {
        self.expected == self.erp
            && self.crm.as_ref().is_none_or(|crm| *crm == self.expected)
            && self.differences.is_empty()
    }
}

/// All checks of a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub checks: Vec<Check>,
}

impl Report {
    pub fn is_ok(&self) -> bool {
        self.checks.iter().all(Check::is_ok)
    }
}

/// Compares a running stack with the files of a company.
///
/// # Errors
/// When a service does not answer; a difference is no error but a check that fails.
pub async fn check(stack: &Stack, company: &Company) -> Result<Report> {
    let http = http_client()?;
    let (erp, crm, sync) = (
        Api::new(&http, &stack.erp),
        Api::new(&http, &stack.crm),
        Api::new(&http, &stack.sync),
    );
    let books = books::shown(&erp, company);
    let (books, erp, crm, dead) = tokio::try_join!(
        books,
        Shown::of_erp(&erp),
        Shown::of_crm(&crm),
        shown::dead_letters(&sync)
    )?;
    let mut checks = checks::all(company, &erp, &crm, &dead);
    checks.extend(books::all(company, &books));
    Ok(Report { checks })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |cell: fn(&Check) -> &str, title: &str| {
            let cells = self.checks.iter().map(|check| cell(check).chars().count());
            cells.chain([title.len()]).max().unwrap_or_default()
        };
        let (name, expected) = (width(|c| c.name, "check"), width(|c| &c.expected, "expected"));
        let (erp, crm) = (width(|c| &c.erp, "ERP"), width(Check::of_crm, "CRM"));
        writeln!(
            f,
            "{:<name$}  {:>expected$}  {:>erp$}  {:>crm$}  ok",
            "check", "expected", "ERP", "CRM"
        )?;
        for check in &self.checks {
            let verdict = if check.is_ok() { "yes" } else { "NO" };
            writeln!(
                f,
                "{:<name$}  {:>expected$}  {:>erp$}  {:>crm$}  {verdict}",
                check.name,
                check.expected,
                check.erp,
                check.of_crm()
            )?;
        }
        for check in self.checks.iter().filter(|check| !check.differences.is_empty()) {
            writeln!(f, "\n{}:", check.name)?;
            for difference in check.differences.iter().take(NAMED) {
                writeln!(f, "  {difference}")?;
            }
            if check.differences.len() > NAMED {
                writeln!(f, "  and {} more", check.differences.len() - NAMED)?;
            }
        }
        Ok(())
    }
}
