//! Lines that a document keeps of what it posted, so that just this can be taken back.

use super::entry::{Entry, Sum};
use super::roles::Account;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::Currency;
use uuid::Uuid;

/// A line beside those of open items: discount, tax, difference; positive is a debit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub account_id: Uuid,
    pub code: String,
    pub name: String,
    pub rule: Option<String>,
    pub currency: Currency,
    pub amount: Decimal,
    pub base: Decimal,
    pub tax_code: Option<String>,
    pub tax_base: Option<Decimal>,
    #[serde(default)]
    pub tax_rate: Option<Decimal>,
    #[serde(default)]
    pub tax_kind: Option<String>,
}

impl Part {
    pub fn new(account: &Account, currency: Currency, amount: Decimal, base: Decimal) -> Self {
        Part {
            account_id: account.id,
            code: account.code.clone(),
            name: account.name.clone(),
            rule: account.rule.clone(),
            currency,
            amount,
            base,
            tax_code: None,
            tax_base: None,
            tax_rate: None,
            tax_kind: None,
        }
    }

    /// Adds the line, or with `factor` −1 its mirror.
    pub fn post(&self, entry: &mut Entry, factor: Decimal) {
        let account = Account {
            id: self.account_id,
            code: self.code.clone(),
            name: self.name.clone(),
            rule: self.rule.clone(),
        };
        let sum = Sum {
            base: self.base * factor,
            amount: self.amount * factor,
            currency: self.currency,
        };
        let line = entry.debit(&account, sum);
        if let Some(code) = &self.tax_code {
            line.tax(code, self.tax_base.unwrap_or_default() * factor);
            (line.tax_rate, line.tax_kind) = (self.tax_rate, self.tax_kind.clone());
        }
    }

    /// Whether it goes to the same account, for the same tax.
    pub fn is_like(&self, other: &Part) -> bool {
        (self.account_id, &self.tax_code, self.tax_rate, &self.tax_kind)
            == (other.account_id, &other.tax_code, other.tax_rate, &other.tax_kind)
    }
}
