//! The chart of accounts, by code.

use crate::ledger::accounts::{AccountRow, Upserted, upsert_batch};
use crate::may;
use service_kit::exchange::{Column, Done, Fields, Importer, Rows};
use service_kit::{Permission, Result, Tx};

pub struct Accounts;

impl Importer for Accounts {
    type Row = AccountRow;
    const KIND: &'static str = "accounts";
    const ABOUT: &'static str = "The chart of accounts, matched by `code`. A new account needs `name` and `kind`; a heading stands before what is below it.";
    const READ: &'static str = may::ReadLedger::NAME;
    const WRITE: &'static str = may::WriteLedger::NAME;
    const LIST: &'static str = "/v1/accounts";
    const COLUMNS: &'static [Column] = &[
        Column::required("code", "the match key; at most 20 characters"),
        Column::optional("name", "at most 200 characters"),
        Column::optional("kind", "`asset`, `liability`, `equity`, `income` or `expense`"),
        Column::optional("parent", "code of the heading above it; empty: at the top"),
        Column::optional("heading", "`true`: it sums what is below it; empty: no"),
        Column::optional(
            "control",
            "`receivable`, `payable`, `advances_received`, `advances_paid` or `stock`",
        ),
        Column::optional("currency", "the only currency that it takes"),
        Column::optional("liquid", "`true`: cash or bank; empty: no"),
        Column::optional("cash_flow_category", "`operating`, `investing` or `financing`"),
    ];
    // A whole chart, as a rule: so a dry run, which keeps nothing of a batch, knows all headings.
    const BATCH: usize = 2_000;

    fn read(fields: &mut Fields<'_>) -> Option<AccountRow> {
        let code = fields.code("code", 20);
        let row = AccountRow {
            code: String::new(),
            name: fields.text("name", 200),
            kind: fields.word("kind"),
            parent: fields.optional_code("parent", 20),
            heading: fields.optional("heading").map(Option::unwrap_or_default),
            control: fields.optional_word("control"),
            currency: fields.optional("currency"),
            liquid: fields.optional("liquid").map(Option::unwrap_or_default),
            cash_flow_category: fields.optional_word("cash_flow_category"),
        };
        Some(AccountRow { code: code?, ..row })
    }

    fn key(row: &AccountRow) -> String {
        row.code.clone()
    }

    fn apply(tx: &mut Tx<'_>, rows: &mut Rows<AccountRow>) -> Result<()> {
        let wanted: Vec<AccountRow> = rows.iter().map(|entry| entry.row.clone()).collect();
        let outcomes = upsert_batch(tx, &wanted)?;
        for (entry, outcome) in rows.iter_mut().zip(outcomes) {
            match outcome {
                Ok(Upserted::Created(id)) => entry.done(Done::Created(id)),
                Ok(Upserted::Updated(id)) => entry.done(Done::Updated(id)),
                Ok(Upserted::Unchanged(id)) => entry.done(Done::Unchanged(id)),
                Err(faults) => {
                    for fault in faults {
                        let column = fault.pointer.trim_start_matches('/').trim_end_matches("_id");
                        entry.reject(column, &fault.code, fault.message);
                    }
                }
            }
        }
        Ok(())
    }
}
