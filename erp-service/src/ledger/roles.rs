//! Which account a document posts to: roles, and the rules that answer for them.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::{Problem, Result};
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

service_kit::text_enum! {
    /// What an account is for when a document posts to it.
    Role {
        Receivable = "receivable",
        Payable = "payable",
        AdvancesReceived = "advances_received",
        AdvancesPaid = "advances_paid",
        Bank = "bank",
        Cash = "cash",
        Stock = "stock",
        StockInTransit = "stock_in_transit",
        GoodsReceivedNotInvoiced = "goods_received_not_invoiced",
        CostOfGoodsSold = "cost_of_goods_sold",
        Revenue = "revenue",
        FreightRevenue = "freight_revenue",
        OtherCharges = "other_charges",
        TaxOutput = "tax_output",
        TaxInput = "tax_input",
        TaxAdvances = "tax_advances",
        CashDiscountGiven = "cash_discount_given",
        CashDiscountReceived = "cash_discount_received",
        ExchangeGain = "exchange_gain",
        ExchangeLoss = "exchange_loss",
        UnrealisedGain = "unrealised_gain",
        UnrealisedLoss = "unrealised_loss",
        WriteOff = "write_off",
        BadDebt = "bad_debt",
        StockAdjustment = "stock_adjustment",
        CountDifference = "count_difference",
        Scrap = "scrap",
        PriceVariance = "price_variance",
        PurchaseExpense = "purchase_expense",
        OpeningBalance = "opening_balance",
        RetainedEarnings = "retained_earnings",
        Rounding = "rounding",
        BankCharges = "bank_charges",
    }
}

/// An account to post to, and why it is this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: Uuid,
    pub code: String,
    pub name: String,
    /// Which rule named it; absent when the document did.
    pub rule: Option<String>,
}

/// A rule that was asked for its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Candidate {
    pub rule_id: Uuid,
    /// The rule in words.
    pub rule: String,
    pub account_id: Uuid,
    /// Code of the account.
    pub account: String,
    pub account_name: String,
    pub applies: bool,
}

/// What a rule may depend on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    pub category_id: Option<Uuid>,
    pub warehouse_id: Option<Uuid>,
    pub tax_code: Option<&'a str>,
}

#[derive(Debug, Clone, QueryableByName)]
struct Rule {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    category_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    warehouse_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    tax_code: Option<String>,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    category_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    warehouse_code: Option<String>,
}

/// All posting rules, as they are in this transaction.
#[derive(Debug, Clone)]
pub struct Rules {
    rules: Vec<Rule>,
    /// Category → its parent; only when a rule names a category.
    parents: HashMap<Uuid, Option<Uuid>>,
}

#[derive(QueryableByName)]
struct Category {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    parent_id: Option<Uuid>,
}

/// The posting rules, read once for a command.
///
/// # Errors
/// When the database refuses.
pub fn rules(conn: &mut PgConnection) -> Result<Rules> {
    let rules: Vec<Rule> = sql(
        "SELECT r.id, r.role, r.category_id, r.warehouse_id, r.tax_code, r.account_id, a.code, a.name,
                c.name AS category_name, w.code AS warehouse_code
         FROM posting_rules r JOIN accounts a ON a.id = r.account_id
         LEFT JOIN categories c ON c.id = r.category_id LEFT JOIN warehouses w ON w.id = r.warehouse_id",
    )
    .rows(conn)?;
    let by_category = rules.iter().any(|rule| rule.category_id.is_some());
    let parents: Vec<Category> = match by_category {
        true => sql("SELECT id, parent_id FROM categories").rows(conn)?,
        false => Vec::new(),
    };
    Ok(Rules {
        rules,
        parents: parents.into_iter().map(|c| (c.id, c.parent_id)).collect(),
    })
}

#[cfg(test)]
impl Rules {
    /// Rules that name for each role the account that has its name, for tests of what posts.
    pub(crate) fn by_name(roles: &[Role]) -> Self {
        let rule = |role: &Role| Rule {
            id: Uuid::nil(),
            role: role.as_str().to_owned(),
            category_id: None,
            warehouse_id: None,
            tax_code: None,
            account_id: Uuid::now_v7(),
            code: role.as_str().to_owned(),
            name: role.as_str().to_owned(),
            category_name: None,
            warehouse_code: None,
        };
        Rules {
            rules: roles.iter().map(rule).collect(),
            parents: HashMap::new(),
        }
    }
}

impl Rules {
    /// The account of a role that depends on nothing.
    ///
    /// # Errors
    /// 409 `posting_rule_missing`.
    pub fn of(&self, role: Role) -> Result<Account, Problem> {
        self.account(role, &Facts::default())
    }

    /// The account of a role. The most specific rule answers: one for the tax code, then one for the
    /// category or the nearest above it, then one for the warehouse.
    ///
    /// # Errors
    /// 409 `posting_rule_missing`.
    pub fn account(&self, role: Role, facts: &Facts<'_>) -> Result<Account, Problem> {
        let candidates = self.rules.iter().filter(|rule| rule.role == role.as_str());
        let best = candidates
            .filter_map(|rule| Some((self.rank(rule, facts)?, rule)))
            .max_by_key(|(rank, _)| *rank);
        let (_, rule) = best.ok_or_else(|| {
            Problem::conflict(
                "posting_rule_missing",
                format!("no posting rule names the account of {role}"),
            )
            .fact("role", role.as_str())
        })?;
        Ok(Account {
            id: rule.account_id,
            code: rule.code.clone(),
            name: rule.name.clone(),
            rule: Some(rule.explained()),
        })
    }

    /// All rules of a role: those that apply, the one that answers first; then the others.
    pub fn candidates(&self, role: Role, facts: &Facts<'_>) -> Vec<Candidate> {
        let rules = self.rules.iter().filter(|rule| rule.role == role.as_str());
        let mut ranked: Vec<_> = rules.map(|rule| (self.rank(rule, facts), rule)).collect();
        ranked.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.explained().cmp(&other.explained())));
        let candidates = ranked.into_iter().map(|(rank, rule)| Candidate {
            rule_id: rule.id,
            rule: rule.explained(),
            account_id: rule.account_id,
            account: rule.code.clone(),
            account_name: rule.name.clone(),
            applies: rank.is_some(),
        });
        candidates.collect()
    }

    /// `None` when the rule does not apply, else how specific it is.
    fn rank(&self, rule: &Rule, facts: &Facts<'_>) -> Option<(bool, usize, bool)> {
        let by_tax = match &rule.tax_code {
            Some(code) if facts.tax_code == Some(code) => true,
            Some(_) => return None,
            None => false,
        };
        let by_category = match rule.category_id {
            // A tree is never so deep; a nearer category counts more.
            Some(category) => 1_000 - self.distance(facts.category_id, category)?,
            None => 0,
        };
        let by_warehouse = match rule.warehouse_id {
            Some(warehouse) if facts.warehouse_id == Some(warehouse) => true,
            Some(_) => return None,
            None => false,
        };
        Some((by_tax, by_category, by_warehouse))
    }

    /// How many steps up from a category another one is.
    fn distance(&self, from: Option<Uuid>, to: Uuid) -> Option<usize> {
        let above = |category: &Uuid| self.parents.get(category).copied().flatten();
        std::iter::successors(from, above)
            .take(999)
            .position(|category| category == to)
    }
}

impl Rule {
    fn explained(&self) -> String {
        let mut text = self.role.clone();
        for (what, name) in [
            ("tax code", &self.tax_code),
            ("category", &self.category_name),
            ("warehouse", &self.warehouse_code),
        ] {
            if let Some(name) = name {
                text.push_str(&format!(", {what} {name}"));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(category_id: Option<Uuid>, warehouse_id: Option<Uuid>, code: &str) -> Rule {
        Rule {
            id: Uuid::now_v7(),
            role: "revenue".to_owned(),
            category_id,
            warehouse_id,
            tax_code: None,
            account_id: Uuid::now_v7(),
            code: code.to_owned(),
            name: code.to_owned(),
            category_name: None,
            warehouse_code: None,
        }
    }

    #[test]
    fn the_nearest_category_goes_before_the_warehouse_and_the_plain_rule() {
        let (top, middle, leaf, warehouse) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        let rules = Rules {
            rules: vec![
                rule(None, None, "plain"),
                rule(Some(top), None, "top"),
                rule(Some(middle), None, "middle"),
                rule(None, Some(warehouse), "warehouse"),
            ],
            parents: HashMap::from([(top, None), (middle, Some(top)), (leaf, Some(middle))]),
        };
        let code = |category_id, warehouse_id| {
            let facts = Facts {
                category_id,
                warehouse_id,
                tax_code: None,
            };
            rules.account(Role::Revenue, &facts).unwrap().code
        };
        assert_eq!(code(Some(leaf), Some(warehouse)), "middle");
        assert_eq!(code(Some(top), None), "top");
        assert_eq!(code(None, Some(warehouse)), "warehouse");
        assert_eq!(code(Some(Uuid::now_v7()), None), "plain");
        let missing = rules.of(Role::Scrap).unwrap_err();
        assert_eq!(
            (missing.code.as_str(), &missing.facts["role"]),
            ("posting_rule_missing", &"scrap".into())
        );
    }
}
