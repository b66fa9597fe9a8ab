//! Posting an entry, and reversing one.

use super::days::{self, PostingDay};
use super::entries::JournalEntry;
use super::entry::{Entry, EntryKind, Journal, Line, Source, Sum};
use crate::schema::{accounts, journal_entries, journal_entry_lines};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::{Currency, Error, OrNotFound, Problem, Result, Tx};
use uuid::Uuid;

/// A posted entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub id: Uuid,
    /// `None` in a dry run.
    pub number: Option<String>,
}

/// Posts an entry: numbers it in its journal and stores it with its lines, in one statement. Do it last: from
/// here to the commit nobody else posts to this journal. In a dry run the answer shows it in `entries`.
///
/// # Errors
/// An entry that does not balance is a bug of whoever made it.
pub fn post(tx: &mut Tx<'_>, entry: Entry) -> Result<Posted> {
    let lines = entry.compacted();
    let record = post_lines(tx, &entry, &lines)?;
    Ok(Posted {
        id: record.id,
        number: record.number,
    })
}

/// Posts an entry that no document stands behind, with the audit row that an entry by hand has.
///
/// # Errors
/// As [`post`].
pub fn post_alone(tx: &mut Tx<'_>, entry: Entry) -> Result<Posted> {
    let lines = entry.compacted();
    let record = post_lines(tx, &entry, &lines)?;
    tx.audit(None, &record)?;
    Ok(Posted {
        id: record.id,
        number: record.number,
    })
}

/// Posts an entry with its lines as they are; a draft of the same id becomes posted.
pub(super) fn post_lines(tx: &mut Tx<'_>, entry: &Entry, lines: &[Line]) -> Result<JournalEntry> {
    let balance: Decimal = lines.iter().map(|line| line.sum.base).sum();
    if lines.len() < 2 || !balance.is_zero() {
        let detail = format!(
            "entry of {} {} does not balance: {lines:?}",
            entry.source.kind, entry.source.id
        );
        return Err(Error::Bug(detail));
    }
    let stored = insert(tx, entry, lines)?;
    let record = JournalEntry::posted(tx, entry, lines, stored)?;
    tx.preview("entries", || serde_json::to_value(&record).unwrap_or_default());
    tx.emit(
        "journal_entry.posted",
        record.id,
        record.revision,
        serde_json::to_value(&record)?,
    );
    Ok(record)
}

/// What the database adds to an entry.
#[derive(QueryableByName)]
pub(super) struct Stored {
    #[diesel(sql_type = Text)]
    pub number: String,
    #[diesel(sql_type = BigInt)]
    pub revision: i64,
    #[diesel(sql_type = SqlUuid)]
    pub created_by: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

fn insert(tx: &mut Tx<'_>, entry: &Entry, lines: &[Line]) -> Result<Stored> {
    let column = |of: fn(&Line) -> Option<Uuid>| lines.iter().map(of).collect::<Vec<_>>();
    let text = |of: fn(&Line) -> Option<String>| lines.iter().map(of).collect::<Vec<_>>();
    // In a dry run the number is drawn too, and goes with everything else.
    let stored: Vec<Stored> = sql(
        "WITH drawn AS (
             INSERT INTO series_numbers AS n (series, fiscal_year_id, last_number, last_date) VALUES ('journal:' || $1, $2, 1, $3)
             ON CONFLICT (series, fiscal_year_id) DO UPDATE
                 SET last_number = n.last_number + 1, last_date = greatest(n.last_date, excluded.last_date)
             RETURNING last_number),
         new_lines AS (
             INSERT INTO journal_entry_lines (entry_id, posted_on, position, account_id, debit, credit, currency, amount, description, rule,
                 open_item_id, department_id, project_id, tax_code, tax_base, cash_flow_category, revaluation,
                 tax_rate, tax_kind)
             SELECT $4, $5, * FROM unnest($6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22))
         INSERT INTO journal_entries (id, number, journal, status, kind, posted_on, description, source_type, source_id, source_number,
             reversal_of, created_by, created_at, updated_at)
         SELECT $23, (SELECT prefix FROM series WHERE key = 'journal:' || $24) || '-' || $25 || '-' || lpad(last_number::text, greatest(6, length(last_number::text)), '0'),
             $26, 'posted', $27, $28, $29, $30, $31, $32, $33, $34, $35, $36
         FROM drawn
         ON CONFLICT (id) DO UPDATE SET
             number = excluded.number, status = excluded.status, posted_on = excluded.posted_on, draft_lines = NULL,
             revision = journal_entries.revision + 1, updated_at = excluded.updated_at
             WHERE journal_entries.status = 'draft'
         RETURNING number, revision, created_by, created_at",
    )
    .bind::<Text, _>(entry.journal.code())
    .bind::<SqlUuid, _>(entry.on.fiscal_year_id)
    .bind::<Date, _>(entry.on.date)
    .bind::<SqlUuid, _>(entry.id)
    .bind::<Date, _>(entry.on.date)
    .bind::<Array<Integer>, _>((1..).zip(lines).map(|(position, _)| position).collect::<Vec<i32>>())
    .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.account_id).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.sum.base.max(Decimal::ZERO)).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| (-line.sum.base).max(Decimal::ZERO)).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(lines.iter().map(|line| line.sum.currency.code()).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(lines.iter().map(|line| line.sum.amount).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(text(|line| line.description.clone()))
    .bind::<Array<Nullable<Text>>, _>(text(|line| line.rule.clone()))
    .bind::<Array<Nullable<SqlUuid>>, _>(column(|line| line.open_item_id))
    .bind::<Array<Nullable<SqlUuid>>, _>(column(|line| line.department_id))
    .bind::<Array<Nullable<SqlUuid>>, _>(column(|line| line.project_id))
    .bind::<Array<Nullable<Text>>, _>(text(|line| line.tax_code.clone()))
    .bind::<Array<Nullable<Numeric>>, _>(lines.iter().map(|line| line.tax_base).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(text(|line| line.cash_flow_category.clone()))
    .bind::<Array<Bool>, _>(lines.iter().map(|line| line.revaluation).collect::<Vec<_>>())
    .bind::<Array<Nullable<Numeric>>, _>(lines.iter().map(|line| line.tax_rate).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(text(|line| line.tax_kind.clone()))
    .bind::<SqlUuid, _>(entry.id)
    .bind::<Text, _>(entry.journal.code())
    .bind::<Text, _>(&*entry.on.label)
    .bind::<Text, _>(entry.journal.code())
    .bind::<Text, _>(entry.kind.as_str())
    .bind::<Date, _>(entry.on.date)
    .bind::<Text, _>(&*entry.description)
    .bind::<Text, _>(&*entry.source.kind)
    .bind::<SqlUuid, _>(entry.source.id)
    .bind::<Nullable<Text>, _>(entry.source.number.clone())
    .bind::<Nullable<SqlUuid>, _>(entry.reversal_of)
    .bind::<SqlUuid, _>(tx.actor().id)
    .bind::<Timestamptz, _>(tx.now())
    .bind::<Timestamptz, _>(tx.now())
    .rows(tx)?;
    let stored = stored.into_iter().next();
    stored.ok_or_else(|| Error::Bug(format!("entry {} is posted already", entry.id)))
}

#[derive(Queryable)]
struct Original {
    journal: String,
    kind: String,
    posted_on: NaiveDate,
    description: String,
    source_type: String,
    source_id: Uuid,
    source_number: Option<String>,
    reversed_by: Option<Uuid>,
}

/// Mirrors a posted entry, linked both ways: dated as asked, not before the original; where that period is
/// closed, on the first open day after it. Open items get back what the entry took from them.
///
/// # Errors
/// 404; 409 `already_reversed`; 422 `date_before_original`; 409 `exceeds_open` when an item that the entry raised
/// has been cleared since.
pub fn reverse(tx: &mut Tx<'_>, entry_id: Uuid, date: Option<NaiveDate>, reason: &str) -> Result<(Posted, PostingDay)> {
    let original = lock_original(tx, entry_id)?;
    let date = date.unwrap_or(tx.today());
    if date > tx.today() {
        let mut faults = service_kit::Faults::default();
        faults.add(
            "/date",
            "future_date",
            format!("must not be after today, {}", tx.today()),
        );
        faults.check()?;
    }
    if date < original.posted_on {
        let detail = format!("the original is dated {}", original.posted_on);
        return Err(Problem::rule("date_before_original", detail).into());
    }
    let journal = Journal::of(&original.journal)?;
    let on = days::first_open_day(tx, date, journal)?;
    mirror(tx, entry_id, original, journal, on, reason)
}

/// Mirrors an entry on a given day, its period be closed or not: for the closing entry of a year.
pub(super) fn reverse_on(tx: &mut Tx<'_>, entry_id: Uuid, on: &PostingDay, reason: &str) -> Result<Posted> {
    let original = lock_original(tx, entry_id)?;
    let journal = Journal::of(&original.journal)?;
    Ok(mirror(tx, entry_id, original, journal, on.clone(), reason)?.0)
}

fn lock_original(tx: &mut Tx<'_>, entry_id: Uuid) -> Result<Original> {
    let original: Original = journal_entries::table
        .find(entry_id)
        .filter(journal_entries::status.eq("posted"))
        .for_no_key_update()
        .select((
            journal_entries::journal,
            journal_entries::kind,
            journal_entries::posted_on,
            journal_entries::description,
            journal_entries::source_type,
            journal_entries::source_id,
            journal_entries::source_number,
            journal_entries::reversed_by,
        ))
        .first(&mut **tx)
        .or_not_found("journal entry")?;
    if original.reversed_by.is_some() {
        return Err(Problem::conflict("already_reversed", "the entry is reversed already").into());
    }
    Ok(original)
}

fn mirror(
    tx: &mut Tx<'_>,
    entry_id: Uuid,
    original: Original,
    journal: Journal,
    on: PostingDay,
    reason: &str,
) -> Result<(Posted, PostingDay)> {
    let source = Source::new(&original.source_type, original.source_id, original.source_number);
    let description: String = format!("Reversal: {reason} ({})", original.description)
        .chars()
        .take(500)
        .collect();
    let mut entry = Entry::new(journal, &on, source, description).kind(match original.kind.as_str() {
        "revaluation" => EntryKind::Revaluation,
        "closing" => EntryKind::Closing,
        _ => EntryKind::Reversal,
    });
    entry.reversal_of = Some(entry_id);
    let lines = mirrored(tx, entry_id)?;
    let (id, now) = (entry.id, tx.now());
    let posted = post_lines(tx, &entry, &lines)?;
    diesel::update(journal_entries::table.find(entry_id))
        .set((
            journal_entries::reversed_by.eq(id),
            journal_entries::revision.eq(journal_entries::revision + 1),
            journal_entries::updated_at.eq(now),
        ))
        .execute(&mut **tx)?;
    let posted = Posted {
        id,
        number: posted.number,
    };
    Ok((posted, on))
}

#[derive(Queryable)]
struct StoredLine {
    account_id: Uuid,
    account_code: String,
    account_name: String,
    debit: Decimal,
    credit: Decimal,
    currency: Currency,
    amount: Decimal,
    description: Option<String>,
    open_item_id: Option<Uuid>,
    department_id: Option<Uuid>,
    project_id: Option<Uuid>,
    tax_code: Option<String>,
    tax_base: Option<Decimal>,
    tax_rate: Option<Decimal>,
    tax_kind: Option<String>,
    cash_flow_category: Option<String>,
    revaluation: bool,
}

fn mirrored(tx: &mut Tx<'_>, entry_id: Uuid) -> Result<Vec<Line>> {
    let lines: Vec<StoredLine> = journal_entry_lines::table
        .inner_join(accounts::table)
        .filter(journal_entry_lines::entry_id.eq(entry_id))
        .order(journal_entry_lines::position)
        .select((
            journal_entry_lines::account_id,
            accounts::code,
            accounts::name,
            journal_entry_lines::debit,
            journal_entry_lines::credit,
            journal_entry_lines::currency,
            journal_entry_lines::amount,
            journal_entry_lines::description,
            journal_entry_lines::open_item_id,
            journal_entry_lines::department_id,
            journal_entry_lines::project_id,
            journal_entry_lines::tax_code,
            journal_entry_lines::tax_base,
            journal_entry_lines::tax_rate,
            journal_entry_lines::tax_kind,
            journal_entry_lines::cash_flow_category,
            journal_entry_lines::revaluation,
        ))
        .load(&mut **tx)?;
    let mirrored = lines.into_iter().map(|line| Line {
        account_id: line.account_id,
        account_code: line.account_code,
        account_name: line.account_name,
        sum: Sum {
            base: line.credit - line.debit,
            amount: -line.amount,
            currency: line.currency,
        },
        rule: Some("reversal".to_owned()),
        description: line.description,
        open_item_id: line.open_item_id,
        department_id: line.department_id,
        project_id: line.project_id,
        tax_code: line.tax_code,
        tax_base: line.tax_base.map(|base| -base),
        tax_rate: line.tax_rate,
        tax_kind: line.tax_kind,
        cash_flow_category: line.cash_flow_category,
        revaluation: line.revaluation,
    });
    Ok(mirrored.collect())
}
