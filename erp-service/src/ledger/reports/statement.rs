//! Accounts under their headings, as balance sheet and profit and loss account show them.

use crate::ledger::accounts::{Account, AccountKind};
use crate::ledger::shown;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::{Amount, Currency, Result};
use std::collections::{BTreeMap, HashMap};
use utoipa::ToSchema;
use uuid::Uuid;

/// A row of a statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatementRow {
    pub section: AccountKind,
    /// `null` where the figure is computed, such as the result of the year.
    pub account_id: Option<Uuid>,
    /// Code of the account.
    pub account: Option<String>,
    pub name: String,
    /// How many headings are above it.
    pub depth: u32,
    /// The sum of the rows below it.
    pub heading: bool,
    /// In the base currency, positive on the side that is usual for its section.
    pub amount: Amount,
    /// What it is made of.
    pub link: Option<String>,
}

pub struct Statement<'a> {
    currency: Currency,
    below: HashMap<Option<Uuid>, BTreeMap<&'a str, &'a Account>>,
    /// Signed for the section.
    amounts: HashMap<Uuid, Decimal>,
    link: &'a dyn Fn(&str) -> String,
}

/// On which side an account usually stands: debit is positive for assets and expenses.
pub fn sign(kind: AccountKind) -> Decimal {
    match kind {
        AccountKind::Asset | AccountKind::Expense => Decimal::ONE,
        AccountKind::Liability | AccountKind::Equity | AccountKind::Income => -Decimal::ONE,
    }
}

impl<'a> Statement<'a> {
    /// `balances` are debit less credit.
    pub fn new(
        currency: Currency,
        chart: &'a [Account],
        balances: &HashMap<Uuid, Decimal>,
        link: &'a dyn Fn(&str) -> String,
    ) -> Self {
        let mut below: HashMap<Option<Uuid>, BTreeMap<&str, &Account>> = HashMap::new();
        for account in chart {
            below
                .entry(account.parent_id)
                .or_default()
                .insert(&account.code, account);
        }
        let amounts = chart.iter().filter_map(|account| {
            let balance = balances.get(&account.id).filter(|balance| !balance.is_zero())?;
            Some((account.id, *balance * sign(account.kind)))
        });
        Statement {
            currency,
            amounts: amounts.collect(),
            below,
            link,
        }
    }

    /// The rows of a section and their sum; accounts with nothing are left out, and so are headings over nothing.
    pub fn section(&self, kind: AccountKind, rows: &mut Vec<StatementRow>) -> Result<Decimal> {
        self.rows_below(None, kind, 0, rows).map(|(sum, _)| sum)
    }

    fn rows_below(
        &self,
        parent: Option<Uuid>,
        kind: AccountKind,
        depth: u32,
        rows: &mut Vec<StatementRow>,
    ) -> Result<(Decimal, bool)> {
        let (mut total, mut any) = (Decimal::ZERO, false);
        let accounts = self.below.get(&parent).into_iter().flat_map(BTreeMap::values);
        for account in accounts.filter(|account| account.kind == kind) {
            let at = rows.len();
            let (below, some) = self.rows_below(Some(account.id), kind, depth + 1, rows)?;
            let own = self.amounts.get(&account.id).copied();
            if own.is_none() && !some {
                continue;
            }
            let amount = below + own.unwrap_or_default();
            let row = StatementRow {
                section: kind,
                account_id: Some(account.id),
                account: Some(account.code.clone()),
                name: account.name.clone(),
                depth,
                heading: account.heading,
                amount: shown(self.currency, amount)?,
                link: (!account.heading).then(|| (self.link)(&account.code)),
            };
            rows.insert(at, row);
            total += amount;
            any = true;
        }
        Ok((total, any))
    }
}
