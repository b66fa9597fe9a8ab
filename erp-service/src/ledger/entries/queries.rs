use super::super::shown;
use super::lines::{self, DraftLine};
use super::model::{EntryLinks, EntryStatus, JournalEntry, JournalEntryLine, JournalEntrySummary, allowed_actions};
use crate::company;
use crate::schema::{accounts, journal_entries, journal_entry_lines};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Numeric, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde_json::Value;
use service_kit::db::sql;
use service_kit::{Currency, OrNotFound, Result};
use std::collections::HashMap;
use uuid::Uuid;

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = journal_entries)]
pub struct EntryRow {
    pub id: Uuid,
    pub number: Option<String>,
    pub journal: String,
    pub status: String,
    pub kind: String,
    pub posted_on: NaiveDate,
    pub description: String,
    pub source_type: String,
    pub source_id: Uuid,
    pub source_number: Option<String>,
    pub reversal_of: Option<Uuid>,
    pub reversed_by: Option<Uuid>,
    pub draft_lines: Option<Value>,
    pub revision: i64,
    pub created_by: Uuid,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl EntryRow {
    pub fn status(&self) -> EntryStatus {
        match (self.status.as_str(), self.reversed_by) {
            ("draft", _) => EntryStatus::Draft,
            (_, Some(_)) => EntryStatus::Reversed,
            _ => EntryStatus::Posted,
        }
    }

    pub fn draft(&self) -> Result<Vec<DraftLine>> {
        match &self.draft_lines {
            Some(lines) => Ok(serde_json::from_value(lines.clone())?),
            None => Ok(Vec::new()),
        }
    }

    fn links(&self) -> EntryLinks {
        EntryLinks::of(&self.source_type, self.source_id, self.reversal_of, self.reversed_by)
    }
}

pub fn get(conn: &mut PgConnection, id: Uuid) -> Result<JournalEntry> {
    let row = journal_entries::table
        .find(id)
        .select(EntryRow::as_select())
        .first(conn)
        .or_not_found("journal entry")?;
    complete(conn, row)
}

pub fn lock(conn: &mut PgConnection, id: Uuid) -> Result<EntryRow> {
    journal_entries::table
        .find(id)
        .for_update()
        .select(EntryRow::as_select())
        .first(conn)
        .or_not_found("journal entry")
}

/// The entry with its lines.
pub fn complete(conn: &mut PgConnection, row: EntryRow) -> Result<JournalEntry> {
    let base = company::settings(conn)?.base_currency;
    let (status, links) = (row.status(), row.links());
    let lines = match status {
        EntryStatus::Draft => draft_lines(conn, base, &row.draft()?)?,
        _ => posted_lines(conn, base, row.id)?,
    };
    let sum = |of: fn(&JournalEntryLine) -> Decimal| lines.iter().map(of).sum::<Decimal>();
    let (debit, credit) = (sum(|line| line.debit.value()), sum(|line| line.credit.value()));
    Ok(JournalEntry {
        id: row.id,
        number: row.number,
        journal: row.journal,
        status,
        allowed_actions: allowed_actions(status, &row.kind, &row.source_type),
        kind: row.kind,
        date: row.posted_on,
        description: row.description,
        source_type: row.source_type,
        source_id: row.source_id,
        source_number: row.source_number,
        reversal_of: row.reversal_of,
        reversed_by: row.reversed_by,
        total: shown(base, debit)?,
        difference: shown(base, debit - credit)?,
        lines,
        links,
        created_by: row.created_by,
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

fn draft_lines(conn: &mut PgConnection, base: Currency, drafted: &[DraftLine]) -> Result<Vec<JournalEntryLine>> {
    let ids: Vec<Uuid> = drafted.iter().map(|line| line.account_id).collect();
    let chart = lines::chart(conn, &ids, &[])?;
    let names: HashMap<Uuid, (&str, &str)> = chart.iter().map(|a| (a.id, (&*a.code, &*a.name))).collect();
    let shown_lines = (1..).zip(drafted).map(|(position, line)| {
        let (code, name) = names.get(&line.account_id).copied().unwrap_or_default();
        let value = line.base.value();
        Ok(JournalEntryLine {
            position,
            account_id: line.account_id,
            account: code.to_owned(),
            account_name: name.to_owned(),
            debit: shown(base, value.max(Decimal::ZERO))?,
            credit: shown(base, (-value).max(Decimal::ZERO))?,
            currency: line.currency,
            amount: shown(line.currency, line.amount.value())?,
            description: line.description.clone(),
            rule: None,
            open_item_id: None,
            department_id: line.department_id,
            project_id: line.project_id,
            tax_code: None,
            tax_base: None,
            cash_flow_category: line.cash_flow_category.map(|category| category.as_str().to_owned()),
        })
    });
    shown_lines.collect()
}

#[derive(Queryable)]
struct LineRow {
    position: i32,
    account_id: Uuid,
    account: String,
    account_name: String,
    debit: Decimal,
    credit: Decimal,
    currency: Currency,
    amount: Decimal,
    description: Option<String>,
    rule: Option<String>,
    open_item_id: Option<Uuid>,
    department_id: Option<Uuid>,
    project_id: Option<Uuid>,
    tax_code: Option<String>,
    tax_base: Option<Decimal>,
    cash_flow_category: Option<String>,
}

fn posted_lines(conn: &mut PgConnection, base: Currency, entry_id: Uuid) -> Result<Vec<JournalEntryLine>> {
    let rows: Vec<LineRow> = journal_entry_lines::table
        .inner_join(accounts::table)
        .filter(journal_entry_lines::entry_id.eq(entry_id))
        .order(journal_entry_lines::position)
        .select((
            journal_entry_lines::position,
            journal_entry_lines::account_id,
            accounts::code,
            accounts::name,
            journal_entry_lines::debit,
            journal_entry_lines::credit,
            journal_entry_lines::currency,
            journal_entry_lines::amount,
            journal_entry_lines::description,
            journal_entry_lines::rule,
            journal_entry_lines::open_item_id,
            journal_entry_lines::department_id,
            journal_entry_lines::project_id,
            journal_entry_lines::tax_code,
            journal_entry_lines::tax_base,
            journal_entry_lines::cash_flow_category,
        ))
        .load(conn)?;
    let lines = rows.into_iter().map(|row| {
        Ok(JournalEntryLine {
            position: row.position,
            account_id: row.account_id,
            account: row.account,
            account_name: row.account_name,
            debit: shown(base, row.debit)?,
            credit: shown(base, row.credit)?,
            currency: row.currency,
            amount: shown(row.currency, row.amount)?,
            description: row.description,
            rule: row.rule,
            open_item_id: row.open_item_id,
            department_id: row.department_id,
            project_id: row.project_id,
            tax_code: row.tax_code,
            tax_base: row.tax_base.map(|value| shown(base, value)).transpose()?,
            cash_flow_category: row.cash_flow_category,
        })
    });
    lines.collect()
}

#[derive(QueryableByName)]
struct EntryTotal {
    #[diesel(sql_type = SqlUuid)]
    entry_id: Uuid,
    #[diesel(sql_type = Numeric)]
    debit: Decimal,
}

/// Entries of a list: their totals in one statement.
pub fn summaries(conn: &mut PgConnection, rows: Vec<EntryRow>) -> Result<Vec<JournalEntrySummary>> {
    let base = company::settings(conn)?.base_currency;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let totals: Vec<EntryTotal> = sql(
        "SELECT entry_id, sum(debit) AS debit FROM journal_entry_lines WHERE entry_id = ANY ($1) GROUP BY entry_id",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .rows(conn)?;
    let totals: HashMap<Uuid, Decimal> = totals.into_iter().map(|total| (total.entry_id, total.debit)).collect();
    let summaries = rows.into_iter().map(|row| {
        let (status, links) = (row.status(), row.links());
        let drafted = row.draft()?;
        let drafted = drafted.iter().map(|line| line.base.value().max(Decimal::ZERO)).sum();
        Ok(JournalEntrySummary {
            total: shown(base, totals.get(&row.id).copied().unwrap_or(drafted))?,
            id: row.id,
            number: row.number,
            journal: row.journal,
            status,
            kind: row.kind,
            date: row.posted_on,
            description: row.description,
            source_type: row.source_type,
            source_id: row.source_id,
            source_number: row.source_number,
            reversal_of: row.reversal_of,
            reversed_by: row.reversed_by,
            links,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    });
    summaries.collect()
}
