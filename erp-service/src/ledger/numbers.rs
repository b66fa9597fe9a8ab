//! Document numbers without gaps: per series and fiscal year of the posting date.

use super::days::PostingDay;
use chrono::NaiveDate;
use diesel::sql_types::{BigInt, Bool, Date, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryResult, QueryableByName};
use service_kit::db::sql;
use service_kit::{Faults, Result, Tx};
use uuid::Uuid;

/// Series of journals are called `journal:` and the journal's code.
pub(super) const JOURNALS: &str = "journal:";

/// A series of document numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Series {
    Invoice,
    CreditNote,
    Payment,
    PaymentProposal,
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
    pub(super) const fn key(self) -> &'static str {
        match self {
            Series::Invoice => "invoice",
            Series::CreditNote => "credit_note",
            Series::Payment => "payment",
            Series::PaymentProposal => "payment_proposal",
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

#[derive(QueryableByName)]
struct Last {
    #[diesel(sql_type = BigInt)]
    last: i64,
}

/// The last number drawn in a fiscal year; 0 when there is none. As numbers are drawn without gaps, so many documents
/// must have one: a module's check before closing compares it with what it has.
///
/// # Errors
/// When the database refuses.
pub fn last_number(conn: &mut PgConnection, series: Series, fiscal_year_id: Uuid) -> QueryResult<i64> {
    let last: Last = sql(
        "SELECT coalesce(max(last_number), 0) AS last FROM series_numbers WHERE series = $1 AND fiscal_year_id = $2",
    )
    .bind::<Text, _>(series.key())
    .bind::<SqlUuid, _>(fiscal_year_id)
    .row(conn)?;
    Ok(last.last)
}

/// A journal whose entries are not as many as its numbers.
#[derive(Debug, QueryableByName)]
pub(super) struct JournalGap {
    #[diesel(sql_type = Text)]
    pub journal: String,
    #[diesel(sql_type = BigInt)]
    pub drawn: i64,
    #[diesel(sql_type = BigInt)]
    pub entries: i64,
}

/// The journals with a gap in their numbers in a fiscal year: numbers are unique, so a count shows it.
pub(super) fn journal_gaps(conn: &mut PgConnection, fiscal_year_id: Uuid) -> QueryResult<Vec<JournalGap>> {
    sql(
        "SELECT j.code AS journal, coalesce(n.last_number, 0) AS drawn, coalesce(e.entries, 0) AS entries
         FROM journals j
         LEFT JOIN series_numbers n ON n.series = 'journal:' || j.code AND n.fiscal_year_id = $1
         LEFT JOIN (SELECT e.journal, count(*) AS entries FROM fiscal_years y
                    JOIN journal_entries e ON e.posted_on BETWEEN y.starts_on AND y.ends_on AND e.status = 'posted'
                    WHERE y.id = $2 GROUP BY e.journal) e ON e.journal = j.code
         WHERE coalesce(n.last_number, 0) <> coalesce(e.entries, 0) ORDER BY j.code",
    )
    .bind::<SqlUuid, _>(fiscal_year_id)
    .bind::<SqlUuid, _>(fiscal_year_id)
    .rows(conn)
}

/// Holds all series of a fiscal year until the commit, those included that nobody has drawn from: nothing is numbered
/// meanwhile, and so nothing posted. Documents draw theirs before the journal's, so those are held first.
pub(super) fn hold(tx: &mut Tx<'_>, fiscal_year_id: Uuid, starts_on: NaiveDate) -> QueryResult<()> {
    sql(
        "INSERT INTO series_numbers (series, fiscal_year_id, last_number, last_date)
         SELECT key, $1, 0, $2 FROM series ORDER BY key LIKE 'journal:%', key ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(fiscal_year_id)
    .bind::<Date, _>(starts_on)
    .run(tx)?;
    sql("SELECT FROM series_numbers WHERE fiscal_year_id = $1 ORDER BY series LIKE 'journal:%', series FOR UPDATE")
        .bind::<SqlUuid, _>(fiscal_year_id)
        .run(tx)?;
    Ok(())
}
