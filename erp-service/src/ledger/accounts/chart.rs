//! The chart in memory, to check a change against: it has hundreds of accounts, seldom thousands.

use super::model::{Account, AccountIn, AccountKind, AccountNode, ChartOfAccounts};
use crate::schema::accounts;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use service_kit::{Faults, Tx};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

pub struct Chart {
    by_id: HashMap<Uuid, Account>,
}

impl Chart {
    /// The chart, with all other changes to it kept out: two moves at once could close a circle that
    /// neither of them sees.
    pub fn locked(tx: &mut Tx<'_>) -> QueryResult<Chart> {
        tx.batch_execute("LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE")?;
        Self::load(tx)
    }

    pub fn load(conn: &mut PgConnection) -> QueryResult<Chart> {
        let all: Vec<Account> = accounts::table.select(Account::as_select()).load(conn)?;
        Ok(Chart {
            by_id: all.into_iter().map(|account| (account.id, account)).collect(),
        })
    }

    pub fn get(&self, id: Uuid) -> Option<&Account> {
        self.by_id.get(&id)
    }

    pub fn by_code(&self, code: &str) -> Option<&Account> {
        self.by_id.values().find(|account| account.code == code)
    }

    pub fn put(&mut self, account: Account) {
        self.by_id.insert(account.id, account);
    }

    fn children(&self, id: Uuid) -> impl Iterator<Item = &Account> {
        self.by_id.values().filter(move |account| account.parent_id == Some(id))
    }

    pub fn has_children(&self, id: Uuid) -> bool {
        self.children(id).next().is_some()
    }

    /// Every fault of an account as it is wanted, whose id is `id`.
    pub fn check(&self, id: Uuid, wanted: &AccountIn, faults: &mut Faults) {
        if let Some(other) = self.by_code(&wanted.code).filter(|other| other.id != id) {
            let message = format!("the account {} has this code", other.name);
            faults.add("/code", "duplicate", message);
        }
        if let Some(parent_id) = wanted.parent_id {
            match self.get(parent_id) {
                _ if self.ancestors(parent_id).contains(&id) => {
                    faults.add("/parent_id", "account_cycle", "the account would be above itself")
                }
                None => faults.add("/parent_id", "unknown_account", "there is no such account"),
                Some(parent) if !parent.heading => {
                    faults.add("/parent_id", "not_a_heading", format!("{} is no heading", parent.code))
                }
                Some(parent) if parent.kind != wanted.kind => {
                    let message = format!("the heading {} is of kind {}", parent.code, parent.kind);
                    faults.add("/parent_id", "other_kind", message);
                }
                Some(_) => {}
            }
        }
        if !wanted.heading && self.has_children(id) {
            faults.add("/heading", "has_children", "there are accounts below it");
        }
        if self.children(id).any(|child| child.kind != wanted.kind) {
            faults.add("/kind", "other_kind", "the accounts below it are of another kind");
        }
        let balance_sheet = matches!(wanted.kind, AccountKind::Asset | AccountKind::Liability);
        for (field, set) in [("control", wanted.control.is_some()), ("liquid", wanted.liquid)] {
            if set && !balance_sheet {
                faults.add(format!("/{field}"), "wrong_kind", "only for assets and liabilities");
            }
        }
        for (field, set) in [
            ("control", wanted.control.is_some()),
            ("liquid", wanted.liquid),
            ("currency", wanted.currency.is_some()),
        ] {
            if set && wanted.heading {
                faults.add(format!("/{field}"), "heading", "a heading is not posted to");
            }
        }
        if wanted.liquid && wanted.control.is_some() {
            faults.add("/liquid", "control_account", "a control account is not cash or bank");
        }
    }

    /// An account with everything above it.
    fn ancestors(&self, id: Uuid) -> HashSet<Uuid> {
        let mut seen = HashSet::new();
        let mut next = Some(id);
        while let Some(id) = next.filter(|id| seen.insert(*id)) {
            next = self.get(id).and_then(|account| account.parent_id);
        }
        seen
    }

    /// As a tree, by code.
    pub fn tree(self) -> ChartOfAccounts {
        let mut below: HashMap<Option<Uuid>, BTreeMap<String, Account>> = HashMap::new();
        for account in self.by_id.into_values() {
            let siblings = below.entry(account.parent_id).or_default();
            siblings.insert(account.code.clone(), account);
        }
        ChartOfAccounts {
            roots: nodes(None, &mut below),
        }
    }
}

fn nodes(parent: Option<Uuid>, below: &mut HashMap<Option<Uuid>, BTreeMap<String, Account>>) -> Vec<AccountNode> {
    let accounts = below.remove(&parent).unwrap_or_default();
    accounts
        .into_values()
        .map(|account| AccountNode {
            children: nodes(Some(account.id), below),
            account,
        })
        .collect()
}
