use super::super::entries::CashFlowCategory;
use crate::schema::accounts;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::present;
use service_kit::tx::Emitted;
use service_kit::{Currency, Resource};
use utoipa::ToSchema;
use uuid::Uuid;

service_kit::text_enum! {
    /// What an account stands for.
    AccountKind { Asset = "asset", Liability = "liability", Equity = "equity", Income = "income", Expense = "expense" }
}

service_kit::text_enum! {
    /// Which subledger an account sums.
    Control {
        Receivable = "receivable",
        Payable = "payable",
        AdvancesReceived = "advances_received",
        AdvancesPaid = "advances_paid",
        Stock = "stock",
    }
}

service_kit::text_enum! {
    /// Whether an account is in use.
    AccountStatus { Active = "active", Retired = "retired" }
}

/// An account of the general ledger, or a heading over accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = accounts)]
pub struct Account {
    pub id: Uuid,
    pub code: String,
    pub name: String,
    pub kind: AccountKind,
    /// The heading above; `null` at the top.
    pub parent_id: Option<Uuid>,
    /// Sums what is below it; nothing is posted to it.
    pub heading: bool,
    /// Set on a control account: its lines come from documents.
    pub control: Option<Control>,
    /// Set on an account that takes one currency only.
    pub currency: Option<Currency>,
    /// Cash or bank.
    pub liquid: bool,
    /// What money is for that comes from or goes to this account.
    pub cash_flow_category: Option<CashFlowCategory>,
    pub status: AccountStatus,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An account with what is below it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AccountNode {
    #[serde(flatten)]
    pub account: Account,
    /// By code.
    #[schema(no_recursion)]
    pub children: Vec<AccountNode>,
}

/// The whole chart as a tree.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChartOfAccounts {
    /// Accounts without a heading above them, by code.
    pub roots: Vec<AccountNode>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountIn {
    pub id: Option<Uuid>,
    /// Unique; the order of the chart.
    #[schema(min_length = 1, max_length = 20, pattern = r"^\S(.*\S)?$")]
    pub code: String,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    pub kind: AccountKind,
    pub parent_id: Option<Uuid>,
    #[serde(default)]
    pub heading: bool,
    pub control: Option<Control>,
    pub currency: Option<Currency>,
    #[serde(default)]
    pub liquid: bool,
    pub cash_flow_category: Option<CashFlowCategory>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountPatch {
    #[schema(min_length = 1, max_length = 20, pattern = r"^\S(.*\S)?$", nullable = false)]
    pub code: Option<String>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
    #[schema(nullable = false)]
    pub kind: Option<AccountKind>,
    #[serde(default, deserialize_with = "present")]
    pub parent_id: Option<Option<Uuid>>,
    #[schema(nullable = false)]
    pub heading: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    pub control: Option<Option<Control>>,
    #[serde(default, deserialize_with = "present")]
    pub currency: Option<Option<Currency>>,
    #[schema(nullable = false)]
    pub liquid: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    pub cash_flow_category: Option<Option<CashFlowCategory>>,
}

impl Resource for Account {
    const PATH: &'static str = "accounts";
    const TYPE: &'static str = "account";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Account {
    const EVENT: &'static str = "account.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

impl Account {
    /// What it says, as input.
    pub fn as_input(&self) -> AccountIn {
        AccountIn {
            id: Some(self.id),
            code: self.code.clone(),
            name: self.name.clone(),
            kind: self.kind,
            parent_id: self.parent_id,
            heading: self.heading,
            control: self.control,
            currency: self.currency,
            liquid: self.liquid,
            cash_flow_category: self.cash_flow_category,
        }
    }

    pub fn with(&self, patch: AccountPatch) -> AccountIn {
        let now = self.as_input();
        AccountIn {
            id: now.id,
            code: patch.code.unwrap_or(now.code),
            name: patch.name.unwrap_or(now.name),
            kind: patch.kind.unwrap_or(now.kind),
            parent_id: patch.parent_id.unwrap_or(now.parent_id),
            heading: patch.heading.unwrap_or(now.heading),
            control: patch.control.unwrap_or(now.control),
            currency: patch.currency.unwrap_or(now.currency),
            liquid: patch.liquid.unwrap_or(now.liquid),
            cash_flow_category: patch.cash_flow_category.unwrap_or(now.cash_flow_category),
        }
    }

    /// Whether entries would read differently if it became this.
    pub fn turns_into(&self, wanted: &AccountIn) -> bool {
        (self.kind, self.heading, self.control, self.currency)
            != (wanted.kind, wanted.heading, wanted.control, wanted.currency)
    }
}
