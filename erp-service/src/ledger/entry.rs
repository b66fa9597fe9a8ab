//! An entry before it is posted: pure.

use super::days::PostingDay;
use super::roles::Account;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use service_kit::{Currency, Error, Result};
use uuid::Uuid;

/// Where an entry is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    Sales,
    Purchases,
    Bank,
    Stock,
    General,
    Closing,
}

impl Journal {
    pub const fn code(self) -> &'static str {
        match self {
            Journal::Sales => "SAL",
            Journal::Purchases => "PUR",
            Journal::Bank => "BNK",
            Journal::Stock => "STK",
            Journal::General => "GEN",
            Journal::Closing => "CLS",
        }
    }

    /// Whether its entries may be posted while a period is closing; as the table of journals says.
    pub(super) const fn adjusts(self) -> bool {
        matches!(self, Journal::General | Journal::Closing)
    }

    pub(super) fn of(code: &str) -> Result<Journal> {
        let all = [
            Journal::Sales,
            Journal::Purchases,
            Journal::Bank,
            Journal::Stock,
            Journal::General,
            Journal::Closing,
        ];
        let found = all.into_iter().find(|journal| journal.code() == code);
        found.ok_or_else(|| Error::Bug(format!("unknown journal {code}")))
    }
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EntryKind {
    #[default]
    Regular,
    Opening,
    Reversal,
    Revaluation,
    Closing,
}

impl EntryKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            EntryKind::Regular => "regular",
            EntryKind::Opening => "opening",
            EntryKind::Reversal => "reversal",
            EntryKind::Revaluation => "revaluation",
            EntryKind::Closing => "closing",
        }
    }
}

/// The document that an entry comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// e.g. `invoice`.
    pub kind: String,
    pub id: Uuid,
    pub number: Option<String>,
}

impl Source {
    pub fn new(kind: &str, id: Uuid, number: Option<String>) -> Self {
        Source {
            kind: kind.to_owned(),
            id,
            number,
        }
    }
}

/// An amount in the document's currency with its value in the base currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    pub base: Decimal,
    pub amount: Decimal,
    pub currency: Currency,
}

impl Sum {
    /// An amount that is in the base currency.
    pub fn base(currency: Currency, amount: Decimal) -> Self {
        Sum {
            base: amount,
            amount,
            currency,
        }
    }

    pub fn negated(self) -> Self {
        Sum {
            base: -self.base,
            amount: -self.amount,
            ..self
        }
    }

    pub fn is_zero(self) -> bool {
        self.base.is_zero() && self.amount.is_zero()
    }
}

/// One line; positive is a debit.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub account_id: Uuid,
    pub account_code: String,
    pub account_name: String,
    pub sum: Sum,
    pub rule: Option<String>,
    pub description: Option<String>,
    pub open_item_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub tax_code: Option<String>,
    pub tax_base: Option<Decimal>,
    /// The rate that the tax was computed at; `taxes` fills it in.
    pub tax_rate: Option<Decimal>,
    /// `output` or `input`; `taxes` fills it in.
    pub tax_kind: Option<String>,
    pub cash_flow_category: Option<String>,
    pub revaluation: bool,
}

impl Line {
    /// The open item that the line changes; required on receivable, payable and advance accounts.
    pub fn item(&mut self, id: Uuid) -> &mut Self {
        self.open_item_id = Some(id);
        self
    }

    pub fn dimensions(&mut self, department_id: Option<Uuid>, project_id: Option<Uuid>) -> &mut Self {
        (self.department_id, self.project_id) = (department_id, project_id);
        self
    }

    /// For the tax report: the code and what the tax was computed on, in the base currency, with the
    /// sign of a debit.
    pub fn tax(&mut self, code: &str, base: Decimal) -> &mut Self {
        (self.tax_code, self.tax_base) = (Some(code.to_owned()), Some(base));
        self
    }

    pub fn describe(&mut self, text: impl Into<String>) -> &mut Self {
        self.description = Some(text.into());
        self
    }

    /// On a cash or bank line: what the money was for, where it is not what the account says.
    pub fn cash_flow(&mut self, category: Option<String>) -> &mut Self {
        self.cash_flow_category = category;
        self
    }

    /// The line changes the value of its open item, not what is owed.
    pub fn revaluation(&mut self) -> &mut Self {
        self.revaluation = true;
        self
    }
}

/// An entry that is being put together.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: Uuid,
    pub journal: Journal,
    pub kind: EntryKind,
    pub on: PostingDay,
    pub source: Source,
    pub description: String,
    pub lines: Vec<Line>,
    pub(super) reversal_of: Option<Uuid>,
}

impl Entry {
    pub fn new(journal: Journal, on: &PostingDay, source: Source, description: impl Into<String>) -> Self {
        Entry {
            id: Uuid::now_v7(),
            journal,
            kind: EntryKind::Regular,
            on: on.clone(),
            source,
            description: description.into(),
            lines: Vec::new(),
            reversal_of: None,
        }
    }

    pub fn kind(mut self, kind: EntryKind) -> Self {
        self.kind = kind;
        self
    }

    pub fn date(&self) -> NaiveDate {
        self.on.date
    }

    /// Adds a debit. A negative sum becomes a credit; a line of nothing is dropped when it is posted.
    pub fn debit(&mut self, account: &Account, sum: Sum) -> &mut Line {
        let at = self.lines.len();
        self.lines.push(Line {
            account_id: account.id,
            account_code: account.code.clone(),
            account_name: account.name.clone(),
            sum,
            rule: account.rule.clone(),
            description: None,
            open_item_id: None,
            department_id: None,
            project_id: None,
            tax_code: None,
            tax_base: None,
            tax_rate: None,
            tax_kind: None,
            cash_flow_category: None,
            revaluation: false,
        });
        &mut self.lines[at]
    }

    /// Adds a credit.
    pub fn credit(&mut self, account: &Account, sum: Sum) -> &mut Line {
        self.debit(account, sum.negated())
    }

    /// Debits less credits so far, in the base currency: what is still missing on the credit side.
    pub fn balance(&self) -> Decimal {
        self.lines.iter().map(|line| line.sum.base).sum()
    }

    /// Lines that say the same become one; lines of nothing go.
    pub(super) fn compacted(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            match lines.iter_mut().find(|other| other.says_the_same(line)) {
                Some(other) => {
                    other.sum.base += line.sum.base;
                    other.sum.amount += line.sum.amount;
                    other.tax_base = match (other.tax_base, line.tax_base) {
                        (Some(a), Some(b)) => Some(a + b),
                        (one, None) | (None, one) => one,
                    };
                }
                None => lines.push(line.clone()),
            }
        }
        lines.retain(|line| !line.sum.is_zero());
        lines
    }
}

impl Line {
    /// Everything but the sums is the same, and the side.
    fn says_the_same(&self, other: &Line) -> bool {
        self.account_id == other.account_id
            && self.sum.currency == other.sum.currency
            && self.sum.base.is_sign_negative() == other.sum.base.is_sign_negative()
            && (self.open_item_id, self.department_id, self.project_id, self.revaluation)
                == (
                    other.open_item_id,
                    other.department_id,
                    other.project_id,
                    other.revaluation,
                )
            && (self.tax_rate, &self.tax_kind) == (other.tax_rate, &other.tax_kind)
            && (&self.rule, &self.description, &self.tax_code, &self.cash_flow_category)
                == (
                    &other.rule,
                    &other.description,
                    &other.tax_code,
                    &other.cash_flow_category,
                )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_say_the_same_become_one_and_nothing_is_lost() {
        let on = PostingDay {
            date: NaiveDate::default(),
            fiscal_year_id: Uuid::nil(),
            label: "1970".to_owned(),
            base_currency: Currency::USD,
        };
        let account = |code: &str| Account {
            id: Uuid::now_v7(),
            code: code.to_owned(),
            name: code.to_owned(),
            rule: None,
        };
        let (stock, cost, revenue) = (account("stock"), account("cost"), account("revenue"));
        let usd = |amount: i64| Sum::base(Currency::USD, Decimal::new(amount, 2));
        let mut entry = Entry::new(
            Journal::Stock,
            &on,
            Source::new("delivery", Uuid::nil(), None),
            "two products",
        );
        entry.debit(&cost, usd(1_000));
        entry.credit(&stock, usd(1_000));
        entry.debit(&cost, usd(333));
        entry.credit(&stock, usd(333)).describe("apart");
        entry.debit(&stock, usd(5));
        entry.credit(&cost, usd(5));
        entry.credit(&revenue, usd(0));
        let lines: Vec<(String, Decimal)> = entry
            .compacted()
            .into_iter()
            .map(|line| (line.account_code, line.sum.base))
            .collect();
        let expected = [
            ("cost", 1_333),
            ("stock", -1_000),
            ("stock", -333),
            ("stock", 5),
            ("cost", -5),
        ];
        let expected: Vec<(String, Decimal)> = expected
            .into_iter()
            .map(|(code, cents)| (code.to_owned(), Decimal::new(cents, 2)))
            .collect();
        assert_eq!(lines, expected);
    }
}
