//! Making, issuing and discarding runs.

use super::levels::{self, DunningLevel};
use super::model::{
    DroppedItem, DunningLetter, DunningLetterStatus, DunningRun, DunningRunIn, DunningRunStatus, DunningRunSummary,
};
use super::proposal::{Figures, Needless, Reminded, figures, next_level};
use super::queries::{self, Candidate, ItemRow, LetterRow, RunRow};
use super::text;
use crate::customers::{self, Billing};
use crate::ledger::numbers::{self, Series};
use crate::ledger::open_items::{self, OpenItem};
use crate::ledger::{self, shown};
use crate::receivables::invoices::settlement;
use crate::receivables::party::{self, Names, Party};
use crate::{company, receivables};
use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use service_kit::{Currency, Error, Faults, Problem, Result, Tx};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// Collects what is overdue into letters.
///
/// # Errors
/// 422 `future_date`, `unknown_customer`.
pub(super) fn create(tx: &mut Tx<'_>, input: &DunningRunIn) -> Result<DunningRun> {
    let today = tx.today();
    let date = input.date.unwrap_or(today);
    let mut faults = Faults::default();
    if date > today {
        faults.add("/date", "future_date", format!("must not be after today, {today}"));
    }
    let unknown = queries::unknown_customers(tx, &input.customer_ids)?;
    for (index, id) in input.customer_ids.iter().enumerate() {
        if unknown.contains(id) {
            let message = "there is no such customer here";
            faults.add(format!("/customer_ids/{index}"), "unknown_customer", message);
        }
    }
    faults.check()?;
    let row = RunRow {
        id: tx.mint(input.id),
        status: DunningRunStatus::Draft,
        date,
        customer_ids: serde_json::to_value(&input.customer_ids)?,
        currency: input.currency,
        maximum_level: input.maximum_level,
        language: input.language.clone().unwrap_or_else(|| "en".to_owned()),
        reason: None,
        issued_at: None,
        version: 1,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    let (letters, items) = letters(tx, &row, &input.customer_ids)?;
    queries::insert(tx, &row, &letters, &items)?;
    for letter in queries::drafts(tx, row.id)? {
        tx.audit(None, &letter)?;
    }
    let run = queries::complete_run(tx, row)?;
    tx.changed(None, &run.summary)?;
    Ok(run)
}

fn letters(tx: &mut Tx<'_>, run: &RunRow, customer_ids: &[Uuid]) -> Result<(Vec<LetterRow>, Vec<ItemRow>)> {
    let levels = levels::all(tx)?;
    let highest = run.maximum_level.unwrap_or(i16::MAX);
    // They come by customer and currency.
    let mut groups: Vec<Vec<(Candidate, i16)>> = Vec::new();
    for item in queries::candidates(tx, run.date, customer_ids, run.currency)? {
        let known = (item.dunning_level, item.dunned_on);
        let Some(next) = next_level(&levels, known, item.due_on, run.date) else {
            continue;
        };
        if next.level > highest {
            continue;
        }
        match groups.last_mut() {
            Some(group) if (group[0].0.party_id, group[0].0.currency) == (item.party_id, item.currency) => {
                group.push((item, next.level));
            }
            _ => groups.push(vec![(item, next.level)]),
        }
    }
    let customers: Vec<Uuid> = groups.iter().map(|group| group[0].0.party_id).collect();
    let billing = customers::billing_of(tx, &customers)?;
    let credits = queries::credits(tx, &customers)?;
    let company = company::settings(tx)?.name;
    let (mut letters, mut items) = (Vec::new(), Vec::new());
    for group in groups {
        let (first, _) = &group[0];
        let (customer_id, currency) = (first.party_id, first.currency);
        let credit = credits.get(&(customer_id, currency)).copied().unwrap_or_default();
        let reminded: Vec<Reminded> = group
            .iter()
            .map(|(item, level)| Reminded {
                level: *level,
                open: item.open_amount,
                base: item.open_base_amount,
            })
            .collect();
        let (Ok(figures), Some(customer)) = (figures(&levels, &reminded, credit, currency), billing.get(&customer_id))
        else {
            continue;
        };
        let party = party_of(customer, run.date);
        let language = first.language.clone().unwrap_or_else(|| run.language.clone());
        let words = Words::of(&figures, credit, run.date, &language, (&company, &party.name), currency)?;
        let letter = LetterRow {
            id: Uuid::now_v7(),
            run_id: run.id,
            number: None,
            status: DunningLetterStatus::Draft,
            customer_id,
            currency,
            date: run.date,
            pay_by: words.pay_by,
            level: figures.level.level,
            language: words.language,
            party: serde_json::to_value(&party)?,
            open_amount: figures.open,
            credits: credit,
            fee: figures.fee,
            credit_hold: figures.level.credit_hold,
            subject: words.subject,
            body: words.body,
            reason: None,
            issued_at: None,
            version: 1,
            revision: 1,
            created_at: run.created_at,
            updated_at: run.created_at,
        };
        for ((item, level), position) in group.into_iter().zip(1..) {
            items.push(ItemRow {
                letter_id: letter.id,
                position,
                open_item_id: item.id,
                document_type: item.document_type,
                document_id: item.document_id,
                document_number: item.document_number,
                instalment: item.instalment,
                posted_on: item.posted_on,
                due_on: item.due_on,
                amount: item.amount,
                open_amount: item.open_amount,
                days_overdue: i32::try_from((run.date - item.due_on).num_days()).unwrap_or(i32::MAX),
                level_before: item.dunning_level,
                level,
                dropped: None,
            });
        }
        letters.push(letter);
    }
    Ok((letters, items))
}

/// A letter must reach somebody: where no legal entity is valid that day, the customer itself.
fn party_of(customer: &Billing, date: NaiveDate) -> Party {
    let names = Names {
        name: &customer.name,
        tax_id: customer.tax_id.as_deref(),
        legal_entities: &customer.legal_entities,
        addresses: &customer.addresses,
    };
    let none = serde_json::Value::Array(Vec::new());
    let plain = Names {
        legal_entities: &none,
        ..names.clone()
    };
    party::on(&names, None, date)
        .or_else(|_| party::on(&plain, None, date))
        .unwrap_or_else(|_| Party {
            legal_entity_id: None,
            name: customer.name.clone(),
            tax_id: customer.tax_id.clone(),
            registration_number: None,
            address: None,
        })
}

/// What a letter says.
struct Words {
    language: String,
    subject: String,
    body: String,
    pay_by: NaiveDate,
}

impl Words {
    /// In the language asked for, else in English, else in the first that there is.
    fn of(
        figures: &Figures<'_>,
        credits: Decimal,
        date: NaiveDate,
        language: &str,
        (company, customer): (&str, &str),
        currency: Currency,
    ) -> Result<Words> {
        let level: &DunningLevel = figures.level;
        let texts = &level.texts;
        let text = [language, "en"]
            .iter()
            .find_map(|wanted| texts.iter().find(|text| text.language == **wanted))
            .or(texts.first())
            .ok_or_else(|| Error::Bug("a level without words".into()))?;
        let days = Days::new(u64::try_from(level.waiting_days).unwrap_or_default());
        let pay_by = date.checked_add_days(days).unwrap_or(date);
        let open = shown(currency, figures.open)?.to_string();
        let less = shown(currency, credits)?.to_string();
        let fee = shown(currency, figures.fee)?.to_string();
        let total = shown(currency, figures.open - credits + figures.fee)?.to_string();
        let value = |name: &str| match name {
            "company" => company.to_owned(),
            "customer" => customer.to_owned(),
            "date" => date.to_string(),
            "pay_by" => pay_by.to_string(),
            "currency" => currency.to_string(),
            "open" => open.clone(),
            "credits" => less.clone(),
            "fee" => fee.clone(),
            "total" => total.clone(),
            "level" => level.level.to_string(),
            other => format!("{{{other}}}"),
        };
        Ok(Words {
            language: text.language.clone(),
            subject: text::filled(&text.subject, value),
            body: text::filled(&text.body, value),
            pay_by,
        })
    }
}

/// A draft that is to be changed, locked; whoever changes a letter of it holds it.
fn locked_draft(tx: &mut Tx<'_>, id: Uuid, action: &str) -> Result<DunningRunSummary> {
    let row = queries::lock(tx, id)?;
    let status = row.status;
    let run = queries::summary(tx, row)?;
    match status {
        DunningRunStatus::Draft => Ok(run),
        other => Err(Problem::illegal_transition(action, other.as_str(), &[]).into()),
    }
}

/// Issues the letters: numbers, levels of the items, credit holds.
///
/// # Errors
/// 404; 409 `illegal_transition`, `period_closed`.
pub(super) fn issue(tx: &mut Tx<'_>, id: Uuid) -> Result<DunningRun> {
    let before = locked_draft(tx, id, "issue")?;
    tx.match_if_given(&before)?;
    let on = ledger::posting_day(tx, Some(before.date))?;
    let drafts = queries::drafts(tx, id)?;
    let ids: Vec<Uuid> = drafts
        .iter()
        .flat_map(|letter| letter.items.iter().map(|item| item.open_item_id))
        .collect();
    receivables::lock_settled(tx, &ids)?;
    let items = open_items::lock(tx, &ids)?;
    let items: HashMap<Uuid, OpenItem> = items.into_iter().map(|item| (item.id, item)).collect();
    let customers: Vec<Uuid> = drafts.iter().map(|letter| letter.customer_id).collect();
    let exempt = queries::exempt(tx, &customers, before.date)?;
    let credits = queries::credits(tx, &customers)?;
    let levels = levels::all(tx)?;
    let company = company::settings(tx)?.name;

    let (mut letters, mut reminded, mut holds) = (Vec::new(), Vec::new(), BTreeMap::new());
    for draft in drafts {
        let mut letter = draft.clone();
        letter.credits = shown(
            letter.currency,
            credits
                .get(&(letter.customer_id, letter.currency))
                .copied()
                .unwrap_or_default(),
        )?;
        let kept = keep(&mut letter, &items, &exempt)?;
        match figures(&levels, &kept, letter.credits.value(), letter.currency) {
            Ok(figures) => issued(tx, &mut letter, &figures, &company)?,
            Err(needless) => drop_letter(&mut letter, needless),
        }
        letter.allowed_actions = Vec::new();
        letter.version += 1;
        letter.revision += 1;
        letter.updated_at = tx.now();
        let number = match letter.status {
            DunningLetterStatus::Issued => {
                letter.number = numbers::draw(tx, Series::Reminder, &on)?;
                // A dry run draws no number; what is rolled back needs one all the same.
                let stored = letter.number.clone();
                Some(stored.unwrap_or_else(|| format!("dry run {}", letter.id)))
            }
            _ => None,
        };
        queries::close(tx, &letter, number.as_deref())?;
        if letter.status == DunningLetterStatus::Issued {
            let of_letter = letter.items.iter().filter(|item| item.dropped.is_none());
            reminded.extend(of_letter.map(|item| (item.open_item_id, item.level)));
            if letter.credit_hold {
                let number = letter.number.clone().unwrap_or_default();
                let reason = format!("reminder {number} of level {}", letter.level);
                holds.entry(letter.customer_id).or_insert(reason);
            }
        }
        tx.changed(Some(&draft), &letter)?;
        letters.push(letter);
    }
    let ids: Vec<Uuid> = reminded.iter().map(|(id, _)| *id).collect();
    let told = settlement::before(tx, &ids)?;
    queries::advance(tx, &reminded, before.date)?;
    settlement::note_items(tx, told)?;
    for (customer, reason) in holds {
        customers::hold_credit(tx, customer, &reason)?;
    }
    let now = tx.now();
    let row = queries::set_status(tx, id, DunningRunStatus::Issued, None, now)?;
    let summary = queries::summary(tx, row)?;
    tx.changed(Some(&before), &summary)?;
    letters.truncate(500);
    Ok(DunningRun { summary, letters })
}

/// Notes which items are still to be reminded of, with what is open of them now.
fn keep(letter: &mut DunningLetter, items: &HashMap<Uuid, OpenItem>, exempt: &HashSet<Uuid>) -> Result<Vec<Reminded>> {
    let mut kept = Vec::new();
    for reminder in &mut letter.items {
        let Some(item) = items.get(&reminder.open_item_id) else {
            continue;
        };
        reminder.open_amount = shown(item.currency, item.open_amount)?;
        reminder.dropped = if item.open_amount.is_zero() {
            Some(DroppedItem::Paid)
        } else if item.disputed {
            Some(DroppedItem::Disputed)
        } else if exempt.contains(&letter.customer_id) {
            Some(DroppedItem::Exempt)
        } else if item.dunning_level != reminder.level_before {
            Some(DroppedItem::Reminded)
        } else {
            None
        };
        if reminder.dropped.is_none() {
            kept.push(Reminded {
                level: reminder.level,
                open: item.open_amount,
                base: item.open_base_amount,
            });
        }
    }
    Ok(kept)
}

fn issued(tx: &Tx<'_>, letter: &mut DunningLetter, figures: &Figures<'_>, company: &str) -> Result<()> {
    let (credits, currency) = (letter.credits.value(), letter.currency);
    let names = (company, letter.party.name.as_str());
    let words = Words::of(figures, credits, letter.date, &letter.language, names, currency)?;
    letter.status = DunningLetterStatus::Issued;
    letter.issued_at = Some(tx.now());
    letter.level = figures.level.level;
    letter.credit_hold = figures.level.credit_hold;
    letter.open_amount = shown(currency, figures.open)?;
    letter.fee = shown(currency, figures.fee)?;
    letter.total = shown(currency, figures.open - credits + figures.fee)?;
    (letter.subject, letter.body, letter.pay_by) = (words.subject, words.body, words.pay_by);
    Ok(())
}

fn drop_letter(letter: &mut DunningLetter, needless: Needless) {
    letter.status = DunningLetterStatus::Dropped;
    letter.reason = Some(needless.reason().to_owned());
}

/// Takes a letter out of a draft.
///
/// # Errors
/// 404; 409 `illegal_transition`.
pub(super) fn remove(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<DunningLetter> {
    let run_id = queries::letter(tx, id)?.run_id;
    let row = queries::lock(tx, run_id)?;
    let run_before = queries::summary(tx, row)?;
    let before = queries::letter(tx, id)?;
    tx.match_if_given(&before)?;
    if before.status != DunningLetterStatus::Draft {
        return Err(Problem::illegal_transition("remove", before.status.as_str(), &[]).into());
    }
    let after = removed(tx, before, reason)?;
    let now = tx.now();
    let row = queries::set_status(tx, run_id, DunningRunStatus::Draft, None, now)?;
    let run = queries::summary(tx, row)?;
    tx.changed(Some(&run_before), &run)?;
    Ok(after)
}

fn removed(tx: &mut Tx<'_>, before: DunningLetter, reason: &str) -> Result<DunningLetter> {
    let after = DunningLetter {
        status: DunningLetterStatus::Removed,
        reason: Some(reason.to_owned()),
        allowed_actions: Vec::new(),
        version: before.version + 1,
        revision: before.revision + 1,
        updated_at: tx.now(),
        ..before.clone()
    };
    queries::close(tx, &after, None)?;
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

/// Discards a draft with its letters.
///
/// # Errors
/// 404; 409 `illegal_transition`.
pub(super) fn discard(tx: &mut Tx<'_>, id: Uuid, reason: &str) -> Result<DunningRun> {
    let before = locked_draft(tx, id, "discard")?;
    tx.match_if_given(&before)?;
    for letter in queries::drafts(tx, id)? {
        removed(tx, letter, reason)?;
    }
    let now = tx.now();
    let row = queries::set_status(tx, id, DunningRunStatus::Discarded, Some(reason), now)?;
    let run = queries::complete_run(tx, row)?;
    tx.changed(Some(&before), &run.summary)?;
    Ok(run)
}
