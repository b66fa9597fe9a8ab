//! Document numbers without gaps: per series and fiscal year of the posting date.

use super::days::PostingDay;
use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Date, Nullable, Text, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Faults, Result, Tx};

/// A series of document numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Series {
    Invoice,
    CreditNote,
    Payment,
    Bill,
    SupplierCreditNote,
    Prepayment,
    Transfer,
    Count,
    Scrap,
    Return,
    Receipt,
    SupplierReturn,
    PurchaseOrder,
    Requisition,
    RequestForQuotation,
    Revaluation,
    Reminder,
    Adjustment,
}

impl Series {
    const fn key(self) -> &'static str {
        match self {
            Series::Invoice => "invoice",
            Series::CreditNote => "credit_note",
            Series::Payment => "payment",
            Series::Bill => "bill",
            Series::SupplierCreditNote => "supplier_credit_note",
            Series::Prepayment => "prepayment",
            Series::Transfer => "transfer",
            Series::Count => "count",
            Series::Scrap => "scrap",
            Series::Return => "return",
            Series::Receipt => "receipt",
            Series::SupplierReturn => "supplier_return",
            Series::PurchaseOrder => "purchase_order",
            Series::Requisition => "requisition",
            Series::RequestForQuotation => "request_for_quotation",
            Series::Revaluation => "revaluation",
            Series::Reminder => "reminder",
            Series::Adjustment => "adjustment",
        }
    }
}

#[derive(QueryableByName)]
struct Drawn {
    #[diesel(sql_type = Text)]
    prefix: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Bool)]
    ascending: bool,
    #[diesel(sql_type = Nullable<Date>)]
    before: Option<NaiveDate>,
}

/// Draws the next number, such as `INV-2026-000001`. From here to the commit nobody else draws one, so
/// do it last. `None` in a dry run.
///
/// # Errors
/// 422 `date_before_last` when the series ascends and a later document has its number already.
pub fn draw(tx: &mut Tx<'_>, series: Series, on: &PostingDay) -> Result<Option<String>> {
    // A dry run draws too, so that it is refused what would be refused; the number goes with everything else.
    // The update sees the row as it is once it is locked; the date before it comes along.
    let drawn: Drawn = sql(
        "INSERT INTO series_numbers AS n (series, fiscal_year_id, last_number, last_date)
         VALUES ($1, $2, 1, $3)
         ON CONFLICT (series, fiscal_year_id) DO UPDATE
             SET last_number = n.last_number + 1, last_date = greatest(n.last_date, excluded.last_date)
         RETURNING last_number AS number, last_date AS before,
             (SELECT prefix FROM series WHERE key = n.series) AS prefix,
             (SELECT ascending FROM series WHERE key = n.series) AS ascending",
    )
    .bind::<Text, _>(series.key())
    .bind::<SqlUuid, _>(on.fiscal_year_id)
    .bind::<Date, _>(on.date)
    .row(tx)?;
    if let Some(last) = drawn.before.filter(|last| drawn.ascending && *last > on.date) {
        let mut faults = Faults::default();
        let message = format!("a document of this series is dated {last}; numbers ascend in date");
        faults.add("/date", "date_before_last", message);
        faults.check()?;
    }
    let number = format!("{}-{}-{:06}", drawn.prefix, on.label, drawn.number);
    Ok(Some(number).filter(|_| !tx.dry_run()))
}
