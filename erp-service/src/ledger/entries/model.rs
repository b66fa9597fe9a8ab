use super::super::entry::{Entry, Line};
use super::super::posting::Stored;
use super::super::shown;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::{Amount, Currency, Resource, Result, Tx};
use utoipa::ToSchema;
use uuid::Uuid;

service_kit::text_enum! {
    /// What has become of an entry.
    EntryStatus { Draft = "draft", Posted = "posted", Reversed = "reversed" }
}

service_kit::text_enum! {
    /// The journals that entries are written to by hand.
    ManualJournal { Sales = "SAL", Purchases = "PUR", Bank = "BNK", Stock = "STK", General = "GEN" }
}

service_kit::text_enum! {
    /// What money was for.
    CashFlowCategory { Operating = "operating", Investing = "investing", Financing = "financing" }
}

/// An entry of the general ledger.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct JournalEntry {
    pub id: Uuid,
    /// `null` while it is a draft.
    pub number: Option<String>,
    pub journal: String,
    pub status: EntryStatus,
    /// `regular`, `opening`, `reversal`, `revaluation` or `closing`.
    pub kind: String,
    /// The day that it counts on.
    pub date: NaiveDate,
    pub description: String,
    /// The document that it comes from, e.g. `invoice`; `journal_entry` when it was written by hand.
    pub source_type: String,
    pub source_id: Uuid,
    pub source_number: Option<String>,
    pub reversal_of: Option<Uuid>,
    pub reversed_by: Option<Uuid>,
    /// Sum of the debits, in the base currency.
    pub total: Amount,
    /// Debits less credits, in the base currency: 0 unless it is a draft.
    pub difference: Amount,
    pub lines: Vec<JournalEntryLine>,
    pub links: EntryLinks,
    pub allowed_actions: Vec<String>,
    pub created_by: Uuid,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Where an entry leads.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EntryLinks {
    pub source: Option<String>,
    pub reversal_of: Option<String>,
    pub reversed_by: Option<String>,
}

/// A line of an entry.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct JournalEntryLine {
    pub position: i32,
    pub account_id: Uuid,
    /// Code of the account.
    pub account: String,
    pub account_name: String,
    /// In the base currency.
    pub debit: Amount,
    /// In the base currency.
    pub credit: Amount,
    pub currency: Currency,
    /// In its own currency; a debit is positive.
    pub amount: Amount,
    pub description: Option<String>,
    /// The posting rule that named the account.
    pub rule: Option<String>,
    pub open_item_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub tax_code: Option<String>,
    /// What the tax was computed on, in the base currency, with the sign of the line.
    pub tax_base: Option<Amount>,
    pub cash_flow_category: Option<String>,
}

/// An entry in a list, without its lines.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct JournalEntrySummary {
    pub id: Uuid,
    pub number: Option<String>,
    pub journal: String,
    pub status: EntryStatus,
    pub kind: String,
    pub date: NaiveDate,
    pub description: String,
    pub source_type: String,
    pub source_id: Uuid,
    pub source_number: Option<String>,
    pub reversal_of: Option<Uuid>,
    pub reversed_by: Option<Uuid>,
    /// Sum of the debits, in the base currency.
    pub total: Amount,
    pub links: EntryLinks,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JournalEntryIn {
    pub id: Option<Uuid>,
    /// Default today. A draft may be dated in the future; it is posted when the day has come.
    pub date: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub description: String,
    /// Default `GEN`.
    pub journal: Option<ManualJournal>,
    #[serde(default)]
    #[schema(max_items = 500)]
    pub lines: Vec<JournalEntryLineIn>,
    /// Post it at once; needs `journal_entries:post`.
    #[serde(default)]
    pub post: bool,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JournalEntryPatch {
    #[schema(nullable = false)]
    pub date: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", nullable = false)]
    pub description: Option<String>,
    #[schema(nullable = false)]
    pub journal: Option<ManualJournal>,
    /// All lines anew.
    #[schema(max_items = 500, nullable = false)]
    pub lines: Option<Vec<JournalEntryLineIn>>,
}

/// A line: an account, and one of `debit`, `credit` and `amount`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JournalEntryLineIn {
    pub account_id: Option<Uuid>,
    /// Code of the account, instead of its id.
    #[schema(min_length = 1, max_length = 20)]
    pub account: Option<String>,
    pub debit: Option<Amount>,
    pub credit: Option<Amount>,
    /// Signed: a debit is positive.
    pub amount: Option<Amount>,
    /// Default: the base currency.
    pub currency: Option<Currency>,
    /// What it is worth in the base currency, with the sign of what stands beside it. Default for another
    /// currency: by the rate of the day.
    pub base_amount: Option<Amount>,
    #[schema(min_length = 1, max_length = 500)]
    pub description: Option<String>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    /// On a cash or bank line: what the money was for. Default: what the other accounts say.
    pub cash_flow_category: Option<CashFlowCategory>,
}

#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostJournalEntry {
    /// Default: the date of the draft.
    pub date: Option<NaiveDate>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReverseJournalEntry {
    /// Default today; not before the entry. Where that period is closed, the first open day after it.
    pub date: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 300, pattern = r"\S")]
    pub reason: String,
}

impl Resource for JournalEntry {
    const PATH: &'static str = "journal-entries";
    const TYPE: &'static str = "journal_entry";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl EntryLinks {
    pub fn of(source_type: &str, source_id: Uuid, reversal_of: Option<Uuid>, reversed_by: Option<Uuid>) -> Self {
        let entry = |id: Uuid| format!("/v1/journal-entries/{id}");
        EntryLinks {
            source: (source_type != JournalEntry::TYPE).then(|| path_of(source_type, source_id)),
            reversal_of: reversal_of.map(entry),
            reversed_by: reversed_by.map(entry),
        }
    }
}

/// Where a document stands: `supplier_bill` → `/v1/supplier-bills/{id}`. A credit note stands with the invoices.
pub fn path_of(kind: &str, id: Uuid) -> String {
    let kind = match kind {
        "credit_note" => "invoice",
        kind => kind,
    };
    let words = kind.replace('_', "-");
    match words.strip_suffix('y') {
        Some(stem) => format!("/v1/{stem}ies/{id}"),
        None => format!("/v1/{words}s/{id}"),
    }
}

/// What may be done to an entry.
pub fn allowed_actions(status: EntryStatus, kind: &str, source_type: &str) -> Vec<String> {
    let by_hand = source_type == JournalEntry::TYPE && kind != "reversal";
    let actions: &[&str] = match status {
        EntryStatus::Draft => &["update", "delete", "post"],
        EntryStatus::Posted if by_hand => &["reverse"],
        _ => &[],
    };
    actions.iter().map(|action| (*action).to_owned()).collect()
}

impl JournalEntry {
    /// An entry as it was just posted.
    pub(in crate::ledger) fn posted(tx: &Tx<'_>, entry: &Entry, lines: &[Line], stored: Stored) -> Result<Self> {
        let base = entry.on.base_currency;
        let total = lines.iter().map(|line| line.sum.base.max(Decimal::ZERO)).sum();
        let lines = (1..).zip(lines).map(|(position, line)| {
            Ok(JournalEntryLine {
                position,
                account_id: line.account_id,
                account: line.account_code.clone(),
                account_name: line.account_name.clone(),
                debit: shown(base, line.sum.base.max(Decimal::ZERO))?,
                credit: shown(base, (-line.sum.base).max(Decimal::ZERO))?,
                currency: line.sum.currency,
                amount: shown(line.sum.currency, line.sum.amount)?,
                description: line.description.clone(),
                rule: line.rule.clone(),
                open_item_id: line.open_item_id,
                department_id: line.department_id,
                project_id: line.project_id,
                tax_code: line.tax_code.clone(),
                tax_base: line.tax_base.map(|value| shown(base, value)).transpose()?,
                cash_flow_category: line.cash_flow_category.clone(),
            })
        });
        Ok(JournalEntry {
            id: entry.id,
            number: Some(stored.number).filter(|_| !tx.dry_run()),
            journal: entry.journal.code().to_owned(),
            status: EntryStatus::Posted,
            kind: entry.kind.as_str().to_owned(),
            date: entry.on.date,
            description: entry.description.clone(),
            source_type: entry.source.kind.clone(),
            source_id: entry.source.id,
            source_number: entry.source.number.clone(),
            reversal_of: entry.reversal_of,
            reversed_by: None,
            total: shown(base, total)?,
            difference: shown(base, Decimal::ZERO)?,
            lines: lines.collect::<Result<_>>()?,
            links: EntryLinks::of(&entry.source.kind, entry.source.id, entry.reversal_of, None),
            allowed_actions: allowed_actions(EntryStatus::Posted, entry.kind.as_str(), &entry.source.kind),
            created_by: stored.created_by,
            revision: stored.revision,
            created_at: stored.created_at,
            updated_at: tx.now(),
        })
    }
}
