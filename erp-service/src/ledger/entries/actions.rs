use super::super::days::posting_day;
use super::super::entry::{Entry, Journal, Line, Source, Sum};
use super::super::posting::{post_lines, reverse as mirror};
use super::lines::{self, DraftLine};
use super::model::{
    JournalEntry, JournalEntryIn, JournalEntryPatch, ManualJournal, PostJournalEntry, ReverseJournalEntry,
};
use super::queries::{self, EntryRow};
use crate::company;
use crate::schema::journal_entries;
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;
use service_kit::{Answer, Currency, Faults, Problem, Resource, Result, Tx};
use std::collections::BTreeSet;
use uuid::Uuid;

pub fn create(tx: &mut Tx<'_>, input: &JournalEntryIn) -> Result<JournalEntry> {
    let base = company::settings(tx)?.base_currency;
    let date = input.date.unwrap_or(tx.today());
    let mut faults = Faults::default();
    let lines = lines::resolve(tx, base, date, &input.lines, &mut faults)?;
    faults.check()?;
    let (id, now) = (tx.mint(input.id), tx.now());
    let row: EntryRow = diesel::insert_into(journal_entries::table)
        .values((
            journal_entries::id.eq(id),
            journal_entries::journal.eq(input.journal.unwrap_or(ManualJournal::General)),
            journal_entries::status.eq("draft"),
            journal_entries::posted_on.eq(date),
            journal_entries::description.eq(&input.description),
            journal_entries::source_type.eq(JournalEntry::TYPE),
            journal_entries::source_id.eq(id),
            journal_entries::draft_lines.eq(serde_json::to_value(&lines)?),
            journal_entries::created_by.eq(tx.actor().id),
            journal_entries::created_at.eq(now),
            journal_entries::updated_at.eq(now),
        ))
        .returning(EntryRow::as_returning())
        .get_result(&mut **tx)?;
    let entry = queries::complete(tx, row)?;
    tx.audit(None, &entry)?;
    match input.post {
        true => post(tx, id, &PostJournalEntry::default()),
        false => Ok(entry),
    }
}

pub fn update(tx: &mut Tx<'_>, id: Uuid, patch: &JournalEntryPatch) -> Result<JournalEntry> {
    let row = lock_draft(tx, id, "update")?;
    let before = queries::complete(tx, row.clone())?;
    tx.require_match(&before)?;
    let drafted = row.draft()?;
    let date = patch.date.unwrap_or(row.posted_on);
    let base = company::settings(tx)?.base_currency;
    let lines = match &patch.lines {
        Some(lines) => {
            let mut faults = Faults::default();
            let lines = lines::resolve(tx, base, date, lines, &mut faults)?;
            faults.check()?;
            lines
        }
        None => {
            let mut lines = drafted.clone();
            if date != row.posted_on {
                lines::value(tx, base, date, &mut lines)?;
            }
            lines
        }
    };
    let journal = patch.journal.map_or(row.journal.as_str(), |journal| journal.as_str());
    let description = patch.description.as_ref().unwrap_or(&row.description);
    if (journal, description, date, &lines) == (row.journal.as_str(), &row.description, row.posted_on, &drafted) {
        return Ok(before);
    }
    let row: EntryRow = diesel::update(journal_entries::table.find(id))
        .set((
            journal_entries::journal.eq(journal),
            journal_entries::description.eq(description),
            journal_entries::posted_on.eq(date),
            journal_entries::draft_lines.eq(serde_json::to_value(&lines)?),
            journal_entries::revision.eq(journal_entries::revision + 1),
            journal_entries::updated_at.eq(tx.now()),
        ))
        .returning(EntryRow::as_returning())
        .get_result(&mut **tx)?;
    let after = queries::complete(tx, row)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

/// Removes a draft; nothing of it was ever posted.
pub fn delete(tx: &mut Tx<'_>, id: Uuid) -> Result<Answer> {
    let row = lock_draft(tx, id, "delete")?;
    let draft = queries::complete(tx, row)?;
    tx.match_if_given(&draft)?;
    diesel::delete(journal_entries::table.find(id)).execute(&mut **tx)?;
    let changes =
        json!({ "deleted": { "from": false, "to": true }, "description": { "from": draft.description, "to": null } });
    tx.audit_changes(JournalEntry::TYPE, id, draft.revision + 1, changes);
    Ok(Answer::no_content())
}

pub fn post(tx: &mut Tx<'_>, id: Uuid, input: &PostJournalEntry) -> Result<JournalEntry> {
    let row = lock_draft(tx, id, "post")?;
    let before = queries::complete(tx, row.clone())?;
    tx.match_if_given(&before)?;
    let on = posting_day(tx, Some(input.date.unwrap_or(row.posted_on)))?;
    let mut drafted = row.draft()?;
    if on.date != row.posted_on {
        lines::value(tx, on.base_currency, on.date, &mut drafted)?;
    }
    let lines = checked(tx, &drafted)?;
    refuse_unbalanced(&drafted, on.base_currency)?;
    let mut entry = Entry::new(
        Journal::of(&row.journal)?,
        &on,
        Source::new(JournalEntry::TYPE, id, None),
        row.description,
    );
    entry.id = id;
    let after = post_lines(tx, &entry, &lines)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

/// Mirrors an entry that was written by hand; answers the mirror.
pub fn reverse(tx: &mut Tx<'_>, id: Uuid, input: &ReverseJournalEntry) -> Result<JournalEntry> {
    let row = queries::lock(tx, id)?;
    let before = queries::complete(tx, row)?;
    tx.match_if_given(&before)?;
    if before.source_type != JournalEntry::TYPE {
        let detail = format!("it was made by a document, {}: reverse that", before.source_type);
        return Err(Problem::conflict("made_by_document", detail)
            .fact("source_type", before.source_type)
            .fact("source", before.links.source)
            .into());
    }
    if before.reversed_by.is_none() && !before.allowed_actions.iter().any(|action| action == "reverse") {
        return Err(refused("reverse", &before).into());
    }
    let (mirrored, _) = mirror(tx, id, input.date, &input.reason)?;
    let after = queries::get(tx, id)?;
    tx.audit(Some(&before), &after)?;
    let mut reversal = queries::get(tx, mirrored.id)?;
    reversal.number = mirrored.number;
    tx.audit(None, &reversal)?;
    Ok(reversal)
}

fn lock_draft(tx: &mut Tx<'_>, id: Uuid, action: &str) -> Result<EntryRow> {
    let row = queries::lock(tx, id)?;
    match row.status.as_str() {
        "draft" => Ok(row),
        _ => {
            let entry = queries::complete(tx, row)?;
            Err(refused(action, &entry).into())
        }
    }
}

fn refused(action: &str, entry: &JournalEntry) -> Problem {
    let allowed: Vec<&str> = entry.allowed_actions.iter().map(String::as_str).collect();
    Problem::illegal_transition(action, entry.status.as_str(), &allowed)
}

/// The lines of a draft as they are posted; the chart may have changed since it was written.
fn checked(tx: &mut Tx<'_>, drafted: &[DraftLine]) -> Result<Vec<Line>> {
    let ids: Vec<Uuid> = drafted.iter().map(|line| line.account_id).collect();
    let chart = lines::chart(tx, &ids, &[])?;
    let mut faults = Faults::default();
    let mut lines = Vec::with_capacity(drafted.len());
    for (index, line) in drafted.iter().enumerate() {
        let (pointer, currency) = (format!("/lines/{index}/account"), format!("/lines/{index}/currency"));
        let Some(account) = chart.iter().find(|account| account.id == line.account_id) else {
            faults.add(pointer, "unknown_account", "there is no such account");
            continue;
        };
        lines::check_account(account, line.currency, &pointer, &currency, &mut faults);
        lines.push(Line {
            account_id: account.id,
            account_code: account.code.clone(),
            account_name: account.name.clone(),
            sum: Sum {
                base: line.base.value(),
                amount: line.amount.value(),
                currency: line.currency,
            },
            rule: None,
            description: line.description.clone(),
            open_item_id: None,
            department_id: line.department_id,
            project_id: line.project_id,
            tax_code: None,
            tax_base: None,
            tax_rate: None,
            tax_kind: None,
            cash_flow_category: line.cash_flow_category.map(|category| category.as_str().to_owned()),
            revaluation: false,
        });
    }
    faults.check()?;
    Ok(lines)
}

/// Debit = credit in the base currency, and in the lines' own where they share one.
fn refuse_unbalanced(lines: &[DraftLine], base: Currency) -> Result<(), Problem> {
    if lines.len() < 2 {
        return Err(Problem::rule("too_few_lines", "an entry has at least two lines"));
    }
    let difference: Decimal = lines.iter().map(|line| line.base.value()).sum();
    let currencies: BTreeSet<&str> = lines.iter().map(|line| line.currency.code()).collect();
    let in_document: Decimal = match currencies.len() {
        1 => lines.iter().map(|line| line.amount.value()).sum(),
        _ => Decimal::ZERO,
    };
    if difference.is_zero() && in_document.is_zero() {
        return Ok(());
    }
    let (difference, currency) = match difference.is_zero() {
        false => (difference, base),
        true => (in_document, lines[0].currency),
    };
    let side = if difference.is_sign_positive() {
        "debits"
    } else {
        "credits"
    };
    let shown = currency.round(difference);
    let detail = format!("the {side} are {} {currency} more", shown.abs());
    Err(Problem::rule("unbalanced", detail)
        .fact("difference", shown.to_string())
        .fact("currency", currency.code()))
}
