use crate::schema::revaluations;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::{Amount, Currency, Cursor, Limit, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// What is revalued.
    PositionKind { Receivable = "receivable", Payable = "payable", Bank = "bank" }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevaluationIn {
    pub id: Option<Uuid>,
    /// Before today, because the reversal is of the day after.
    pub date: NaiveDate,
}

/// A revaluation without its lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RevaluationSummary {
    pub id: Uuid,
    /// `null` in a dry run.
    pub number: Option<String>,
    pub date: NaiveDate,
    /// The day of the reversal.
    pub reversed_on: NaiveDate,
    pub currency: Currency,
    /// Sum of the gains, in the base currency.
    pub gain: Amount,
    /// Sum of the losses, in the base currency.
    pub loss: Amount,
    /// `null` when no value had changed.
    pub entry_id: Option<Uuid>,
    pub reversal_entry_id: Option<Uuid>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
}

/// What was open in foreign currency at a date, at the rate of that date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Revaluation {
    #[serde(flatten)]
    pub summary: RevaluationSummary,
    pub lines: Vec<RevaluationLine>,
}

/// An open item or a bank account. Amounts are those of a debit: what we owe is negative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RevaluationLine {
    pub kind: PositionKind,
    pub open_item_id: Option<Uuid>,
    pub document_type: Option<String>,
    pub document_id: Option<Uuid>,
    pub document_number: Option<String>,
    pub party_id: Option<Uuid>,
    pub account_id: Uuid,
    /// Code of the account.
    pub account: String,
    pub currency: Currency,
    /// In its currency.
    pub amount: Amount,
    /// Units of the base currency for 1 of this one; not rounded.
    #[schema(value_type = String, example = "1.12")]
    pub rate: Decimal,
    /// What the books had, in the base currency.
    pub book_value: Amount,
    /// At the rate, in the base currency.
    pub value: Amount,
    /// Unrealised; a gain is positive.
    pub difference: Amount,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = revaluations)]
pub(super) struct RevaluationRow {
    pub id: Uuid,
    pub number: String,
    pub revalued_on: NaiveDate,
    pub reversed_on: NaiveDate,
    pub base_currency: Currency,
    pub gain: Decimal,
    pub loss: Decimal,
    pub entry_id: Option<Uuid>,
    pub reversal_entry_id: Option<Uuid>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
}

impl RevaluationRow {
    pub(super) fn shown(self) -> RevaluationSummary {
        let money = |value| Amount::money(self.base_currency, value).unwrap_or_default();
        RevaluationSummary {
            gain: money(self.gain),
            loss: money(self.loss),
            id: self.id,
            number: Some(self.number),
            date: self.revalued_on,
            reversed_on: self.reversed_on,
            currency: self.base_currency,
            entry_id: self.entry_id,
            reversal_entry_id: self.reversal_entry_id,
            revision: self.revision,
            created_at: self.created_at,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct RevaluationsQuery {
    /// First date.
    pub from: Option<NaiveDate>,
    /// Last date.
    pub to: Option<NaiveDate>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `date` or `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl Resource for Revaluation {
    const PATH: &'static str = "revaluations";
    const TYPE: &'static str = "revaluation";
    fn id(&self) -> Uuid {
        self.summary.id
    }
    fn revision(&self) -> i64 {
        self.summary.revision
    }
}
