//! What must be in order before a period closes. Modules contribute their own checks, which `app.rs` collects: the
//! ledger knows none of them.

use super::super::{Role, numbers, shown};
use crate::ledger::entries;
use chrono::NaiveDate;
use diesel::PgConnection;
use diesel::QueryableByName;
use diesel::sql_types::{Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::{Amount, Currency, Result};
use utoipa::ToSchema;
use uuid::Uuid;

service_kit::text_enum! {
    /// Whether a finding refuses the closing or wants a reason.
    CheckKind { Blocker = "blocker", Warning = "warning" }
}

/// A check that a module contributes as a constant.
#[derive(Clone, Copy)]
pub struct Check {
    /// Stable, for programs: warnings are accepted by it.
    pub code: &'static str,
    pub kind: CheckKind,
    /// Nothing when all is in order.
    pub run: fn(&mut PgConnection, &ClosingPeriod) -> Result<Vec<Finding>>,
}

/// The period that is to be closed.
#[derive(Debug, Clone)]
pub struct ClosingPeriod {
    pub id: Uuid,
    pub starts_on: NaiveDate,
    pub ends_on: NaiveDate,
    pub fiscal_year_id: Uuid,
    pub base_currency: Currency,
}

/// Something that is not in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// What is not in order, for people.
    pub message: String,
    /// How much it is about, in the base currency.
    pub amount: Option<Amount>,
    /// Kind of the record at fault, e.g. `journal_entry`.
    pub subject_type: Option<String>,
    pub subject_id: Option<Uuid>,
    /// Where the record, or what explains the amount, is found.
    pub link: Option<String>,
}

impl Finding {
    pub fn new(message: impl Into<String>) -> Self {
        Finding {
            message: message.into(),
            amount: None,
            subject_type: None,
            subject_id: None,
            link: None,
        }
    }

    /// The document that is at fault.
    pub fn subject(mut self, kind: &str, id: Uuid) -> Self {
        self.link = Some(entries::path_of(kind, id));
        (self.subject_type, self.subject_id) = (Some(kind.to_owned()), Some(id));
        self
    }

    pub fn amount(mut self, amount: Amount) -> Self {
        self.amount = Some(amount);
        self
    }

    pub fn link(mut self, path: String) -> Self {
        self.link = Some(path);
        self
    }
}

/// The findings of one check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChecklistItem {
    pub code: String,
    pub kind: CheckKind,
    /// The first 50.
    pub findings: Vec<Finding>,
    pub count: usize,
}

/// What is in the way of closing a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Checklist {
    pub period_id: Uuid,
    /// Whether nothing is in the way, not even a warning.
    pub clear: bool,
    /// These refuse the closing.
    pub blockers: Vec<ChecklistItem>,
    /// Each of these is accepted with a reason, or gone.
    pub warnings: Vec<ChecklistItem>,
}

const SHOWN: usize = 50;

/// Runs every check of every module.
pub(super) fn run(conn: &mut PgConnection, period: &ClosingPeriod, checks: &[&[Check]]) -> Result<Checklist> {
    let (mut blockers, mut warnings) = (Vec::new(), Vec::new());
    for check in checks.iter().copied().flatten() {
        let mut findings = (check.run)(conn, period)?;
        if findings.is_empty() {
            continue;
        }
        let count = findings.len();
        findings.truncate(SHOWN);
        let item = ChecklistItem {
            code: check.code.to_owned(),
            kind: check.kind,
            findings,
            count,
        };
        match check.kind {
            CheckKind::Blocker => blockers.push(item),
            CheckKind::Warning => warnings.push(item),
        }
    }
    Ok(Checklist {
        period_id: period.id,
        clear: blockers.is_empty() && warnings.is_empty(),
        blockers,
        warnings,
    })
}

/// What the ledger can look at by itself.
pub const CHECKS: &[Check] = &[
    Check {
        code: "drafts",
        kind: CheckKind::Blocker,
        run: drafts,
    },
    Check {
        code: "subledger_differs",
        kind: CheckKind::Blocker,
        run: subledgers,
    },
    Check {
        code: "journal_number_gap",
        kind: CheckKind::Blocker,
        run: journal_gaps,
    },
    Check {
        code: "goods_received_not_invoiced",
        kind: CheckKind::Warning,
        run: |conn, period| {
            balance_of(
                conn,
                period,
                Role::GoodsReceivedNotInvoiced,
                "goods received, not invoiced",
            )
        },
    },
    Check {
        code: "stock_in_transit",
        kind: CheckKind::Warning,
        run: |conn, period| balance_of(conn, period, Role::StockInTransit, "goods in transit"),
    },
];

#[derive(QueryableByName)]
struct Draft {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Date)]
    posted_on: NaiveDate,
    #[diesel(sql_type = Text)]
    description: String,
}

fn drafts(conn: &mut PgConnection, period: &ClosingPeriod) -> Result<Vec<Finding>> {
    let drafts: Vec<Draft> = sql("SELECT id, posted_on, description FROM journal_entries
         WHERE status = 'draft' AND posted_on BETWEEN $1 AND $2 ORDER BY posted_on, id")
    .bind::<Date, _>(period.starts_on)
    .bind::<Date, _>(period.ends_on)
    .rows(conn)?;
    let findings = drafts.into_iter().map(|draft| {
        let message = format!("a draft of {}: {}", draft.posted_on, draft.description);
        Finding::new(message).subject("journal_entry", draft.id)
    });
    Ok(findings.collect())
}

#[derive(QueryableByName)]
struct Subledger {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Numeric)]
    ledger: Decimal,
    #[diesel(sql_type = Numeric)]
    items: Decimal,
}

/// Each control account against the sum of its open items, as they are now: by way of the trigger that keeps both
/// they cannot differ, and closing is the time to see that they do not.
fn subledgers(conn: &mut PgConnection, period: &ClosingPeriod) -> Result<Vec<Finding>> {
    let differing: Vec<Subledger> = sql(
        "SELECT a.id, a.code, coalesce(m.balance, 0) AS ledger, coalesce(i.open, 0) AS items
         FROM accounts a
         LEFT JOIN (SELECT account_id, sum(debit - credit) AS balance FROM account_months GROUP BY account_id) m ON m.account_id = a.id
         LEFT JOIN (SELECT account_id, sum((open_base_amount + revalued_base) * CASE WHEN side IN ('payable', 'advances_received') THEN -1 ELSE 1 END) AS open
                    FROM open_items GROUP BY account_id) i ON i.account_id = a.id
         WHERE a.control IN ('receivable', 'payable', 'advances_received', 'advances_paid')
           AND coalesce(m.balance, 0) <> coalesce(i.open, 0)
         ORDER BY a.code",
    )
    .rows(conn)?;
    let findings = differing.into_iter().map(|differing| {
        let message = format!(
            "account {} is {}, its open items are {}",
            differing.code,
            differing.ledger.normalize(),
            differing.items.normalize()
        );
        let amount = shown(period.base_currency, differing.ledger - differing.items)?;
        Ok(Finding::new(message).subject("account", differing.id).amount(amount))
    });
    findings.collect()
}

fn journal_gaps(conn: &mut PgConnection, period: &ClosingPeriod) -> Result<Vec<Finding>> {
    let gaps = numbers::journal_gaps(conn, period.fiscal_year_id)?;
    let findings = gaps.into_iter().map(|gap| {
        Finding::new(format!(
            "journal {}: {} numbers are drawn in this year, {} entries have one",
            gap.journal, gap.drawn, gap.entries
        ))
    });
    Ok(findings.collect())
}

#[derive(QueryableByName)]
struct Balance {
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Nullable<Numeric>)]
    balance: Option<Decimal>,
}

/// The accounts that a role posts to, where they are not 0 at the end of the period.
fn balance_of(conn: &mut PgConnection, period: &ClosingPeriod, role: Role, what: &str) -> Result<Vec<Finding>> {
    let balances: Vec<Balance> = sql("SELECT a.code, sum(l.debit - l.credit) AS balance
         FROM accounts a JOIN journal_entry_lines l ON l.account_id = a.id AND l.posted_on <= $1
         WHERE a.id IN (SELECT account_id FROM posting_rules WHERE role = $2)
         GROUP BY a.code HAVING sum(l.debit - l.credit) <> 0 ORDER BY a.code")
    .bind::<Date, _>(period.ends_on)
    .bind::<Text, _>(role.as_str())
    .rows(conn)?;
    let findings = balances.into_iter().map(|found| {
        let balance = found.balance.unwrap_or_default();
        let message = format!("{what}: account {} is {}", found.code, balance.normalize());
        let link = format!(
            "/v1/reports/general-ledger?account={}&from={}&to={}",
            found.code, period.starts_on, period.ends_on
        );
        Ok(Finding::new(message)
            .amount(shown(period.base_currency, balance)?)
            .link(link))
    });
    findings.collect()
}
