//! What a line may be, with a score of 0 to 100 and the reasons for it.
//!
//! | reason | points |
//! |---|---|
//! | the document's number stands in the reference | 55 |
//! | the amount is what is open, or what is open less the discount | 30 |
//! | several items named in the reference, or all of a party, come to the amount | 30 |
//! | the party is known by its bank account | 25 |
//! | the party's name is that of the counterparty | 15 |
//! | a payment of the same amount on the account, not matched yet | 90, less 3 for each day between, 10 more when it is named |
//! | a posting rule | 85 |

use super::lines::BankStatementLine;
use super::posting_rules;
use crate::ledger::CashFlowCategory;
use crate::payments::documents::{AllocationIn, PostingIn};
use crate::payments::parties::PartyType;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Date, Integer, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::db::sql;
use service_kit::{Amount, Result, text_enum};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// What a suggestion makes of a line.
    SuggestionKind { Payment = "payment", Allocation = "allocation", Posting = "posting" }
}

/// An item that a line may pay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuggestedAllocation {
    pub open_item_id: Uuid,
    pub document_number: Option<String>,
    pub amount: Amount,
    pub discount: Amount,
}

/// What a line may be. Send its `payment_id`, or its party with allocations, or its postings, to book it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Suggestion {
    pub kind: SuggestionKind,
    pub score: u8,
    pub reasons: Vec<String>,
    pub payment_id: Option<Uuid>,
    pub party_type: Option<PartyType>,
    pub party_id: Option<Uuid>,
    pub party_name: Option<String>,
    pub allocations: Vec<SuggestedAllocation>,
    pub postings: Vec<PostingIn>,
    pub cash_flow_category: Option<CashFlowCategory>,
}

impl SuggestedAllocation {
    pub(super) fn input(&self) -> AllocationIn {
        AllocationIn {
            open_item_id: Some(self.open_item_id),
            amount: Some(self.amount),
            discount: Some(self.discount),
            ..AllocationIn::default()
        }
    }
}

#[derive(Debug, Clone, QueryableByName)]
struct Candidate {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    side: String,
    #[diesel(sql_type = SqlUuid)]
    party_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    party_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    document_number: Option<String>,
    /// Without sign.
    #[diesel(sql_type = Numeric)]
    open: Decimal,
    #[diesel(sql_type = Nullable<Date>)]
    discount_until: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Numeric>)]
    discount: Option<Decimal>,
    #[diesel(sql_type = Bool)]
    named: bool,
    #[diesel(sql_type = Bool)]
    by_account: bool,
    #[diesel(sql_type = Bool)]
    by_name: bool,
}

const SHOWN: usize = 10;

/// What a line may be, the likeliest first.
///
/// # Errors
/// When the database refuses.
pub(super) fn suggestions(conn: &mut PgConnection, line: &BankStatementLine) -> Result<Vec<Suggestion>> {
    if line.payment_id.is_some() {
        return Ok(Vec::new());
    }
    let candidates = candidates(conn, line)?;
    let mut found = Vec::new();
    let amount = line.amount.value().abs();
    let mut by_party: BTreeMap<(String, Uuid), Vec<&Candidate>> = BTreeMap::new();
    for candidate in &candidates {
        by_party
            .entry((candidate.side.clone(), candidate.party_id))
            .or_default()
            .push(candidate);
        found.extend(single(line, candidate, amount));
    }
    for items in by_party.values() {
        found.extend(several(line, items, amount));
        found.extend(in_part(line, items, amount));
    }
    found.extend(payments(conn, line)?);
    found.extend(posting_rules::suggestions(conn, line)?);
    found.sort_by(|a, b| {
        b.score
            .cmp(&a.score)
            .then(a.allocations.len().cmp(&b.allocations.len()))
    });
    found.truncate(SHOWN);
    Ok(found)
}

/// Open items in the line's currency and direction that its number, its amount or its party bring up.
fn candidates(conn: &mut PgConnection, line: &BankStatementLine) -> Result<Vec<Candidate>> {
    let text = [&line.reference, &line.end_to_end_id, &line.counterparty_name];
    let text: Vec<&str> = text.into_iter().flatten().map(String::as_str).collect();
    let plain: String = text
        .join("|")
        .to_uppercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == '|')
        .collect();
    let rows = sql(
        "SELECT * FROM (
             SELECT i.id, i.side, i.party_id, p.name AS party_name, i.document_number, abs(i.open_amount) AS open,
                    i.discount_until, i.discount, i.due_on,
                    coalesce(length(n.number) >= 3 AND strpos($1, n.number) > 0, false) AS named,
                    coalesce(p.iban = $2, false) OR coalesce(b.known, false) AS by_account,
                    coalesce(length(p.name) >= 3 AND strpos(upper($3), upper(p.name)) > 0, false) AS by_name
             FROM open_items i
             LEFT JOIN LATERAL (
                 SELECT c.name, NULL::text AS iban FROM customers c WHERE c.id = i.party_id
                 UNION ALL SELECT s.name, s.iban FROM suppliers s WHERE s.id = i.party_id LIMIT 1) p ON true
             LEFT JOIN LATERAL (SELECT upper(regexp_replace(i.document_number, '[^A-Za-z0-9]', '', 'g')) AS number) n ON true
             LEFT JOIN LATERAL (
                 SELECT true AS known FROM bank_statement_lines l JOIN payments y ON y.id = l.payment_id
                 WHERE y.party_id = i.party_id AND l.counterparty_iban = $4 LIMIT 1) b ON true
             WHERE i.open_amount <> 0 AND i.currency = $5 AND i.posted_on <= $6
               AND i.side IN ('receivable', 'payable')
               AND (CASE WHEN i.side = 'payable' THEN -i.open_amount ELSE i.open_amount END) * $7 > 0) f
         WHERE named OR by_account OR by_name OR open = $8
            OR (discount_until >= $9 AND abs(open - open * discount - $10) < 0.01)
         ORDER BY named DESC, by_account DESC, by_name DESC, due_on, id LIMIT $11",
    )
    .bind::<Text, _>(plain)
    .bind::<Nullable<Text>, _>(line.counterparty_iban.clone())
    .bind::<Nullable<Text>, _>(line.counterparty_name.clone())
    .bind::<Nullable<Text>, _>(line.counterparty_iban.clone())
    .bind::<Text, _>(line.currency.code())
    .bind::<Date, _>(line.date)
    .bind::<Numeric, _>(line.amount.value())
    .bind::<Numeric, _>(line.amount.value().abs())
    .bind::<Date, _>(line.date)
    .bind::<Numeric, _>(line.amount.value().abs())
    .bind::<Integer, _>(200)
    .rows(conn)?;
    Ok(rows)
}

fn discount_of(line: &BankStatementLine, item: &Candidate) -> Decimal {
    let in_time = item.discount_until.is_some_and(|until| line.date <= until);
    match item.discount.filter(|_| in_time) {
        Some(rate) => line.currency.round(item.open * rate),
        None => Decimal::ZERO,
    }
}

fn single(line: &BankStatementLine, item: &Candidate, amount: Decimal) -> Option<Suggestion> {
    let discount = discount_of(line, item);
    let (taken, reason) = match amount {
        whole if whole == item.open => (Decimal::ZERO, "the amount is what is open"),
        less if !discount.is_zero() && less == item.open - discount => {
            (discount, "the amount is what is open less the discount")
        }
        _ => return None,
    };
    let mut suggestion = of(line, &[(item, amount, taken)])?;
    suggestion.score += 30;
    suggestion.reasons.push(reason.to_owned());
    Some(capped(suggestion))
}

/// Several items of one party that come to the amount: those that are named, else all of them, else some of them.
fn several(line: &BankStatementLine, items: &[&Candidate], amount: Decimal) -> Option<Suggestion> {
    let named: Vec<&Candidate> = items.iter().copied().filter(|item| item.named).collect();
    for (set, reason) in [
        (&named, "the items named come to the amount"),
        (&items.to_vec(), "all open items of the party come to the amount"),
    ] {
        if set.len() < 2 {
            continue;
        }
        let whole: Vec<(&Candidate, Decimal, Decimal)> =
            set.iter().map(|item| (*item, item.open, Decimal::ZERO)).collect();
        let less: Vec<(&Candidate, Decimal, Decimal)> = set
            .iter()
            .map(|item| (*item, item.open - discount_of(line, item), discount_of(line, item)))
            .collect();
        for parts in [whole, less] {
            if parts.iter().map(|(_, part, _)| part).sum::<Decimal>() == amount {
                let mut suggestion = of(line, &parts)?;
                suggestion.score += 30;
                suggestion.reasons.push(reason.to_owned());
                return Some(capped(suggestion));
            }
        }
    }
    let known = items.iter().any(|item| item.by_account || item.by_name || item.named);
    let chosen = subset(items, amount).filter(|chosen| known && chosen.len() > 1)?;
    let parts: Vec<(&Candidate, Decimal, Decimal)> = chosen
        .into_iter()
        .map(|item| (item, item.open, Decimal::ZERO))
        .collect();
    let mut suggestion = of(line, &parts)?;
    suggestion.score += 20;
    suggestion
        .reasons
        .push("some open items of the party come to the amount".to_owned());
    Some(capped(suggestion))
}

/// Some of at most 16 items that come to the amount, the earliest due preferred.
fn subset<'a>(items: &[&'a Candidate], amount: Decimal) -> Option<Vec<&'a Candidate>> {
    let items = &items[..items.len().min(16)];
    (1_u32..1 << items.len())
        .filter(|mask| mask.count_ones() > 1)
        .find(|mask| {
            let chosen = items.iter().enumerate().filter(|(index, _)| mask >> index & 1 == 1);
            chosen.map(|(_, item)| item.open).sum::<Decimal>() == amount
        })
        .map(|mask| {
            items
                .iter()
                .enumerate()
                .filter(|(index, _)| mask >> index & 1 == 1)
                .map(|(_, item)| *item)
                .collect()
        })
}

/// An item that is named and of which the amount is a part.
fn in_part(line: &BankStatementLine, items: &[&Candidate], amount: Decimal) -> Option<Suggestion> {
    let mut named = items.iter().filter(|item| item.named);
    let (item, None) = (named.next()?, named.next()) else {
        return None;
    };
    let full = amount == item.open || amount == item.open - discount_of(line, item);
    if full || amount > item.open {
        return None;
    }
    let suggestion = of(line, &[(item, amount, Decimal::ZERO)])?;
    Some(capped(Suggestion {
        reasons: [
            suggestion.reasons,
            vec!["the amount is a part of what is open".to_owned()],
        ]
        .concat(),
        ..suggestion
    }))
}

/// A suggestion with the points of its items: what all of them have in common counts.
fn of(line: &BankStatementLine, parts: &[(&Candidate, Decimal, Decimal)]) -> Option<Suggestion> {
    let (first, ..) = parts.first()?;
    let all = |is: fn(&Candidate) -> bool| parts.iter().all(|(item, ..)| is(item));
    let mut score = 0;
    let mut reasons = Vec::new();
    for (holds, points, reason) in [
        (
            all(|item| item.named),
            55,
            "the document's number stands in the reference",
        ),
        (
            all(|item| item.by_account),
            25,
            "the party is known by its bank account",
        ),
        (
            all(|item| item.by_name),
            15,
            "the party's name is that of the counterparty",
        ),
    ] {
        if holds {
            score += points;
            reasons.push(reason.to_owned());
        }
    }
    let allocations = parts
        .iter()
        .map(|(item, amount, discount)| SuggestedAllocation {
            open_item_id: item.id,
            document_number: item.document_number.clone(),
            amount: crate::payments::documents::shown(line.currency, *amount),
            discount: crate::payments::documents::shown(line.currency, *discount),
        })
        .collect();
    Some(Suggestion {
        kind: SuggestionKind::Allocation,
        score,
        reasons,
        payment_id: None,
        party_type: Some(if first.side == "payable" {
            PartyType::Supplier
        } else {
            PartyType::Customer
        }),
        party_id: Some(first.party_id),
        party_name: first.party_name.clone(),
        allocations,
        postings: Vec::new(),
        cash_flow_category: None,
    })
}

fn capped(mut suggestion: Suggestion) -> Suggestion {
    suggestion.score = suggestion.score.min(100);
    suggestion
}

#[derive(QueryableByName)]
struct Standing {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    number: Option<String>,
    #[diesel(sql_type = Integer)]
    days: i32,
    #[diesel(sql_type = Bool)]
    named: bool,
}

/// Payments of the same money on the account that no line stands for.
fn payments(conn: &mut PgConnection, line: &BankStatementLine) -> Result<Vec<Suggestion>> {
    let reference = format!(
        "{} {}",
        line.reference.as_deref().unwrap_or_default(),
        line.end_to_end_id.as_deref().unwrap_or_default()
    );
    let found: Vec<Standing> = sql(
        "SELECT p.id, p.number, abs(p.posted_on - $1) AS days,
                coalesce(strpos(upper($2), upper(p.number)) > 0 OR (length(p.reference) >= 3 AND strpos(upper($3), upper(p.reference)) > 0), false) AS named
         FROM payments p
         WHERE p.bank_account_id = $4 AND p.status = 'posted' AND p.posted_on BETWEEN $5::date - 15 AND $6::date + 15
           AND CASE WHEN p.direction = 'in' THEN p.amount - p.bank_charges ELSE -(p.amount + p.bank_charges) END = $7
           AND NOT EXISTS (SELECT FROM bank_statement_lines l WHERE l.payment_id = p.id)
         ORDER BY days, p.id LIMIT 5",
    )
    .bind::<Date, _>(line.date)
    .bind::<Text, _>(&*reference)
    .bind::<Text, _>(&*reference)
    .bind::<SqlUuid, _>(line.bank_account_id)
    .bind::<Date, _>(line.date)
    .bind::<Date, _>(line.date)
    .bind::<Numeric, _>(line.amount.value())
    .rows(conn)?;
    let suggested = found.into_iter().map(|payment| {
        let days = u8::try_from(payment.days.clamp(0, 15)).unwrap_or(15);
        let mut reasons = vec![format!(
            "the payment {} is of this amount, {days} days away",
            payment.number.as_deref().unwrap_or_default()
        )];
        if payment.named {
            reasons.push("its number or reference stands in the reference".to_owned());
        }
        Suggestion {
            kind: SuggestionKind::Payment,
            score: (90 - 3 * days + if payment.named { 10 } else { 0 }).min(100),
            reasons,
            payment_id: Some(payment.id),
            party_type: None,
            party_id: None,
            party_name: None,
            allocations: Vec::new(),
            postings: Vec::new(),
            cash_flow_category: None,
        }
    });
    Ok(suggested.collect())
}
