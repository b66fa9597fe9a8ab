//! Making, changing and assigning quotes, and making the next version of one.

use super::lines::{self, Pricing};
use super::model::{Quote, QuoteIn, QuoteLineIn, QuotePatch, QuoteVersionIn};
use super::status::{QuoteAction, QuoteState};
use super::stored::{LineRow, QuoteRow, StoredQuote};
use super::{expiry, queries};
use crate::customers::CustomerStatus;
use crate::customers::merge;
use crate::customers::model::set;
use crate::customers::reference::{self, Referred};
use crate::customers::timeline::{self, Entry};
use crate::deals::queries as deals;
use crate::{currencies, deals::stored::StoredDeal};
use chrono::{Days, NaiveDate};
use serde_json::json;
use service_kit::users::AssignIn;
use service_kit::{Amount, Discount, Faults, Owned, Problem, Result, Sight, Tx};
use uuid::Uuid;

/// How long a quote is valid unless somebody says otherwise.
const VALID_DAYS: u64 = 30;

/// Makes a draft.
pub fn make(tx: &mut Tx<'_>, input: &QuoteIn) -> Result<Quote> {
    let (id, now) = (tx.mint(input.id), tx.now());
    let mut faults = Faults::default();
    let sight = tx.sight();
    let customer = reference::referred(tx, &sight, input.customer_id)?;
    if customer.is_none() {
        faults.add("/customer_id", "unknown_customer", "there is no such customer");
    }
    let deal = deal(tx, input.deal_id, input.customer_id, &mut faults)?;
    let otherwise = match (&deal, &customer) {
        (Some(deal), _) => deal.owned(),
        (None, Some(customer)) => customer.owned,
        (None, None) => Owned::default(),
    };
    let owned = Owned::of_new(tx, input.owner_id, input.team_id, otherwise, &mut faults)?;
    check_contact(tx, input.customer_id, input.contact_id, &mut faults)?;
    let currency = match (input.currency, &deal) {
        (Some(currency), _) => currency,
        (None, Some(deal)) => deal.row.currency,
        (None, None) => currencies::base_currency(tx)?,
    };
    let valid_until = input.valid_until.unwrap_or_else(|| usual_validity(tx.today()));
    check_validity(tx, valid_until, &mut faults);
    let pricing = Pricing {
        customer_id: input.customer_id,
        tier: tier_today(tx, customer.as_ref()),
        currency,
    };
    let asked = match (&input.lines, &deal) {
        (Some(lines), _) => lines.clone(),
        (None, Some(deal)) => lines_of(deal),
        (None, None) => Vec::new(),
    };
    let lines = lines::put_together(tx, id, &asked, &[], &pricing, &mut faults)?;
    let row = QuoteRow {
        id,
        root_id: id,
        version_number: 1,
        supersedes_id: None,
        superseded_by: None,
        number: None,
        title: input.title.clone(),
        state: QuoteState::Draft,
        customer_id: input.customer_id,
        contact_id: input.contact_id,
        deal_id: input.deal_id,
        currency,
        language: input.language.clone(),
        valid_until,
        requested_date: input.requested_date,
        introduction: input.introduction.clone(),
        terms: input.terms.clone(),
        net: Amount::ZERO,
        greatest_discount: Discount::ZERO,
        makers: vec![tx.actor().id],
        content_hash: None,
        sent_at: None,
        sent_by: None,
        decided_at: None,
        decision_note: None,
        order_id: None,
        owner_id: owned.owner_id,
        team_id: owned.team_id,
        version: 1,
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    let mut quote = StoredQuote {
        row,
        lines,
        approvals: Vec::new(),
    };
    weigh(&mut quote, &mut faults);
    faults.check()?;
    if let Some(customer) = &customer {
        require_active(customer)?;
    }
    store_new(tx, &quote, "quote_made", "Quote made")
}

pub fn change(tx: &mut Tx<'_>, id: Uuid, patch: &QuotePatch) -> Result<Quote> {
    let before = queries::lock(tx, id)?;
    let shown = before.wire()?;
    tx.require_match(&shown)?;
    before.standing().check(QuoteAction::Edit)?;
    let (mut after, mut faults) = (before.clone(), Faults::default());
    let row = &mut after.row;
    set(&mut row.title, &patch.title);
    set(&mut row.contact_id, &patch.contact_id);
    set(&mut row.deal_id, &patch.deal_id);
    set(&mut row.currency, &patch.currency);
    set(&mut row.language, &patch.language);
    set(&mut row.valid_until, &patch.valid_until);
    set(&mut row.requested_date, &patch.requested_date);
    set(&mut row.introduction, &patch.introduction);
    set(&mut row.terms, &patch.terms);
    if row.contact_id != before.row.contact_id {
        check_contact(tx, row.customer_id, row.contact_id, &mut faults)?;
    }
    if row.deal_id != before.row.deal_id {
        deal(tx, row.deal_id, row.customer_id, &mut faults)?;
    }
    if row.valid_until != before.row.valid_until {
        check_validity(tx, row.valid_until, &mut faults);
    }
    let other_currency = row.currency != before.row.currency;
    if patch.lines.is_some() || other_currency || patch.reprice {
        let pricing = pricing(tx, &after.row)?;
        if let Some(input) = &patch.lines {
            after.lines = lines::put_together(tx, id, input, &before.lines, &pricing, &mut faults)?;
        }
        if other_currency || patch.reprice {
            lines::price_anew(tx, &mut after.lines, &pricing)?;
        }
    }
    weigh(&mut after, &mut faults);
    faults.check()?;
    if after == before {
        return Ok(shown);
    }
    let actor = tx.actor().id;
    if !after.row.makers.contains(&actor) {
        after.row.makers.push(actor);
    }
    save(tx, &before, after)
}

/// Makes the next version, a draft with the same content; what was sent before is taken back.
pub fn new_version(tx: &mut Tx<'_>, id: Uuid, input: &QuoteVersionIn) -> Result<Quote> {
    let before = locked(tx, id, QuoteAction::NewVersion)?;
    let (next, now) = (tx.mint(input.id), tx.now());
    let mut faults = Faults::default();
    let valid_until = input.valid_until.unwrap_or_else(|| usual_validity(tx.today()));
    check_validity(tx, valid_until, &mut faults);
    let row = QuoteRow {
        id: next,
        version_number: before.row.version_number + 1,
        supersedes_id: Some(id),
        superseded_by: None,
        state: QuoteState::Draft,
        valid_until,
        makers: vec![tx.actor().id],
        content_hash: None,
        sent_at: None,
        sent_by: None,
        decided_at: None,
        decision_note: None,
        version: 1,
        revision: 1,
        created_at: now,
        updated_at: now,
        ..before.row.clone()
    };
    let lines = before.lines.iter().map(|line| LineRow {
        id: Uuid::now_v7(),
        quote_id: next,
        ..line.clone()
    });
    let mut quote = StoredQuote {
        row,
        lines: lines.collect(),
        approvals: Vec::new(),
    };
    if input.reprice {
        let pricing = pricing(tx, &quote.row)?;
        lines::price_anew(tx, &mut quote.lines, &pricing)?;
    }
    weigh(&mut quote, &mut faults);
    faults.check()?;
    let mut superseded = before.clone();
    superseded.row.superseded_by = Some(next);
    if superseded.row.state == QuoteState::Sent {
        superseded.row.state = QuoteState::Superseded;
    }
    let superseded = save(tx, &before, superseded)?;
    if superseded.state == QuoteState::Superseded {
        tell(
            tx,
            &superseded,
            "quote_superseded",
            "Quote taken back for a new version",
        )?;
    }
    store_new(tx, &quote, "quote_version_made", "New version of a quote")
}

/// Gives a quote to somebody; what is told of it follows.
pub fn assign(tx: &mut Tx<'_>, id: Uuid, to: &AssignIn) -> Result<Quote> {
    let before = locked(tx, id, QuoteAction::Assign)?;
    let owned = Owned::assigned(tx, to)?;
    if owned == before.owned() {
        return before.wire();
    }
    let mut after = before.clone();
    after.row.owner_id = owned.owner_id;
    after.row.team_id = owned.team_id;
    let after = save(tx, &before, after)?;
    timeline::reassign(tx, id, owned)?;
    tell(tx, &after, "quote_assigned", "Quote assigned")?;
    Ok(after)
}

/// Locks a quote for a command that its state must allow, checks `If-Match` if it was sent, and writes
/// down that it has expired if nobody has yet.
pub fn locked(tx: &mut Tx<'_>, id: Uuid, action: QuoteAction) -> Result<StoredQuote> {
    let mut quote = queries::lock(tx, id)?;
    let mut shown = quote.wire()?;
    tx.match_if_given(&shown)?;
    if quote.has_expired(tx.today()) {
        shown = expiry::expire(tx, &quote)?;
        quote.row.state = shown.state;
        quote.row.version = shown.version;
        quote.row.revision = shown.revision;
        quote.row.updated_at = shown.updated_at;
    }
    quote.standing().check(action)?;
    Ok(quote)
}

/// Stores a locked quote under its next version, and tells the world.
pub fn save(tx: &mut Tx<'_>, before: &StoredQuote, mut after: StoredQuote) -> Result<Quote> {
    after.count_change(tx.now());
    queries::update(tx, before, &after)?;
    let (before, after) = (before.wire()?, after.wire()?);
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

fn store_new(tx: &mut Tx<'_>, quote: &StoredQuote, kind: &'static str, what: &str) -> Result<Quote> {
    if !queries::insert(tx, quote)? {
        return Err(Problem::conflict("duplicate", "there is a quote with this id").into());
    }
    let quote = quote.wire()?;
    tx.changed(None, &quote)?;
    tell(tx, &quote, kind, what)?;
    Ok(quote)
}

/// An entry of the customer's timeline that is seen by those who see the quote.
pub fn tell(tx: &mut Tx<'_>, quote: &Quote, kind: &'static str, what: &str) -> Result<()> {
    let data = json!({
        "state": quote.state, "number": quote.number, "version_number": quote.version_number,
        "total": quote.total, "currency": quote.currency, "order_id": quote.order_id,
    });
    let entry = Entry::here(tx, quote.customer_id, kind, quote)
        .summary(format!("{what}: {}", words(quote)))
        .data(data)
        .owned(quote.owner_id, quote.team_id);
    Ok(timeline::add(tx, entry)?)
}

/// What timelines and notifications call a quote.
pub fn words(quote: &Quote) -> String {
    let named = match &quote.number {
        Some(number) => format!("{number}-{} {}", quote.version_number, quote.title),
        None => quote.title.clone(),
    };
    format!("{named} ({} {})", quote.total.net, quote.currency)
}

/// Adds up; what is too large is a fault of the input.
fn weigh(quote: &mut StoredQuote, faults: &mut Faults) {
    if let Err(problem) = quote.weigh() {
        faults.add("/lines", &problem.code, problem.detail);
    }
}

fn usual_validity(today: NaiveDate) -> NaiveDate {
    today.checked_add_days(Days::new(VALID_DAYS)).unwrap_or(today)
}

fn check_validity(tx: &Tx<'_>, valid_until: NaiveDate, faults: &mut Faults) {
    if valid_until < tx.today() {
        faults.add("/valid_until", "out_of_range", "must not be in the past");
    }
}

/// Whoever sees the quote prices it, even on a customer that is somebody else's.
fn pricing(tx: &mut Tx<'_>, row: &QuoteRow) -> Result<Pricing> {
    let customer = reference::referred(tx, &Sight::All, row.customer_id)?;
    Ok(Pricing {
        customer_id: row.customer_id,
        tier: tier_today(tx, customer.as_ref()),
        currency: row.currency,
    })
}

/// The tier of today, at which lines without a price are priced.
fn tier_today(tx: &Tx<'_>, customer: Option<&Referred>) -> Option<String> {
    customer?.tiers.on(tx.today()).map(str::to_owned)
}

/// # Errors
/// 409 `customer_archived`, `merged`.
pub fn require_active(customer: &Referred) -> Result<(), Problem> {
    if let Some(survivor) = customer.merged_into {
        return Err(merge::refused(survivor));
    }
    match customer.status {
        CustomerStatus::Active => Ok(()),
        CustomerStatus::Archived => Err(Problem::conflict(
            "customer_archived",
            "an archived customer takes no new quotes",
        )),
    }
}

fn check_contact(tx: &mut Tx<'_>, customer: Uuid, contact: Option<Uuid>, faults: &mut Faults) -> Result<()> {
    if let Some(contact) = contact
        && !reference::has_contact(tx, customer, contact)?
    {
        faults.add("/contact_id", "unknown_contact", "the customer has no such contact");
    }
    Ok(())
}

/// The deal that a quote is to belong to: in sight, and of the same customer.
fn deal(tx: &mut Tx<'_>, id: Option<Uuid>, customer: Uuid, faults: &mut Faults) -> Result<Option<StoredDeal>> {
    let Some(id) = id else { return Ok(None) };
    let sight = tx.sight();
    let found = match deals::subject(tx, &sight, id)? {
        Some(deal) if deal.customer_id == customer => Some(deals::get(tx, &sight, id)?),
        _ => None,
    };
    if found.is_none() {
        faults.add("/deal_id", "unknown_deal", "the customer has no such deal");
    }
    Ok(found)
}

/// What a deal is about, to be offered.
fn lines_of(deal: &StoredDeal) -> Vec<QuoteLineIn> {
    let lines = deal.lines.iter().map(|line| QuoteLineIn {
        id: None,
        product_id: line.product_id,
        quantity: line.quantity,
        unit_price: line.unit_price.filter(|_| line.price_given),
        discount: line.discount,
    });
    lines.collect()
}
