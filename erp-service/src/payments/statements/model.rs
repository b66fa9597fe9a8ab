use crate::payments::documents::shown;
use crate::schema::bank_statements;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::{Amount, Currency, Cursor, Limit, Resource, Sort, text_enum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// What a statement was read from.
    StatementFormat { Camt053 = "camt.053", Csv = "csv" }
}

/// A bank statement.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = bank_statements)]
pub struct BankStatement {
    pub id: Uuid,
    pub bank_account_id: Uuid,
    /// The bank's, unique for the account; of a CSV file its hash.
    pub identification: String,
    pub format: StatementFormat,
    pub from_date: Option<NaiveDate>,
    pub to_date: Option<NaiveDate>,
    pub currency: Currency,
    pub opening_balance: Option<Amount>,
    pub closing_balance: Option<Amount>,
    /// New lines that it brought.
    pub line_count: i32,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
}

text_enum! {
    /// Whether a statement is new.
    ImportResult { Imported = "imported", Repeated = "repeated" }
}

/// What an import made of one statement of the file.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ImportedStatement {
    pub identification: String,
    pub result: ImportResult,
    /// The statement; that of before when it is repeated.
    pub statement_id: Option<Uuid>,
    pub lines_imported: usize,
    /// Lines that were known already, which were skipped: where they stand in the file (the first 500).
    pub lines_repeated: Vec<String>,
    /// Entries that the bank has not booked yet, which were left out.
    pub pending_skipped: usize,
}

/// What an import made of a file.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StatementImport {
    pub statements: Vec<ImportedStatement>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct BankStatementsQuery {
    pub bank_account_id: Option<Uuid>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    pub sort: Option<Sort>,
}

impl BankStatement {
    /// With the digits of its currency.
    pub(super) fn shown(self) -> Self {
        let money = |amount: Option<Amount>| amount.map(|amount| shown(self.currency, amount.value()));
        BankStatement {
            opening_balance: money(self.opening_balance),
            closing_balance: money(self.closing_balance),
            ..self
        }
    }
}

impl Resource for BankStatement {
    const PATH: &'static str = "bank-statements";
    const TYPE: &'static str = "bank_statement";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}
