//! Clearings: items settled without money.
//!
//! | kind | what it does |
//! |---|---|
//! | `items` | one item pays for others of the same party: a credit note for invoices, money on account for a bill |
//! | `difference` | a small rest is written off, within the company's limit |
//! | `bad_debt` | what will never be paid is written off, with its tax where the company's setting says so |
//!
//! `posted` → `reversed`: all its items are open again.

use super::amounts::Pot;
use super::documents::{self, AllocationIn, PaymentAllocation, ReversalIn, shown};
use super::parties::{self, PartyType};
use super::settlement::{self, Conditions, Settled, debit_sign, debit_value};
use crate::company::{Company, TaxTreatment};
use crate::ledger::open_items::{self as items, OpenItem};
use crate::ledger::{self, Entry, Journal, PostingDay, Role, Rules, Source, Sum};
use crate::schema::{clearings, open_items};
use crate::{company, may, receivables};
use actix_web::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::http::IdPath;
use service_kit::{
    Amount, Answer, Body, Command, Currency, Cursor, Error, Faults, Limit, OrNotFound, Page, Path, Problem, Query,
    Read, Resource, Result, Routes, Sort, Tx, keyset_page, text_enum,
};
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Why items are cleared without money.
    ClearingKind { Items = "items", Difference = "difference", BadDebt = "bad_debt" }
}

text_enum! {
    /// A reversed clearing has cleared nothing.
    ClearingStatus { Posted = "posted", Reversed = "reversed" }
}

text_enum! {
    /// A small difference, or a debt that will never be paid.
    WriteOffKind { Difference = "difference", BadDebt = "bad_debt" }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearingIn {
    pub id: Option<Uuid>,
    /// What pays: a credit note, money on account.
    pub open_item_id: Uuid,
    /// What it pays for.
    #[schema(min_items = 1, max_items = 500)]
    pub allocations: Vec<AllocationIn>,
    /// Posting date; default today.
    pub date: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteOffIn {
    pub id: Option<Uuid>,
    pub kind: WriteOffKind,
    /// In the item's currency; default all that is open.
    pub amount: Option<Amount>,
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
    /// Posting date; default today.
    pub date: Option<NaiveDate>,
}

/// Items cleared without money.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Clearing {
    pub id: Uuid,
    pub kind: ClearingKind,
    pub status: ClearingStatus,
    /// What paid, or was written off.
    pub open_item_id: Uuid,
    pub party_id: Uuid,
    pub date: NaiveDate,
    /// Of that item.
    pub currency: Currency,
    pub amount: Amount,
    pub reason: Option<String>,
    pub allocations: Vec<PaymentAllocation>,
    pub journal_entry_id: Uuid,
    pub reversed_on: Option<NaiveDate>,
    pub reversal_reason: Option<String>,
    pub reversal_entry_id: Option<Uuid>,
    pub allowed_actions: Vec<&'static str>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = clearings)]
struct ClearingRow {
    id: Uuid,
    kind: ClearingKind,
    status: ClearingStatus,
    open_item_id: Uuid,
    party_id: Uuid,
    posted_on: NaiveDate,
    currency: Currency,
    amount: Decimal,
    reason: Option<String>,
    entry_id: Uuid,
    reversed_on: Option<NaiveDate>,
    reversal_reason: Option<String>,
    reversal_entry_id: Option<Uuid>,
    revision: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ClearingsQuery {
    #[param(inline)]
    kind: Option<ClearingKind>,
    party_id: Option<Uuid>,
    open_item_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `date`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for Clearing {
    const PATH: &'static str = "clearings";
    const TYPE: &'static str = "clearing";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_clearings)
        .add(create_clearing)
        .add(get_clearing)
        .add(reverse_clearing);
}

#[utoipa::path(tag = "payments", params(ClearingsQuery), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "A page of clearings", body = Page<Clearing>)))]
#[get("/clearings")]
async fn list_clearings(read: Read<may::ReadPayments>, query: Query<ClearingsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = clearings::table.select(ClearingRow::as_select()).into_boxed();
        if let Some(kind) = query.kind {
            found = found.filter(clearings::kind.eq(kind));
        }
        if let Some(party) = query.party_id {
            found = found.filter(clearings::party_id.eq(party));
        }
        if let Some(item) = query.open_item_id {
            found = found.filter(clearings::open_item_id.eq(item));
        }
        let page: Result<Page<ClearingRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: clearings::id as Uuid => |c: &ClearingRow| c.id, [
            "created_at" => clearings::created_at as DateTime<Utc> => |c: &ClearingRow| c.created_at,
            "date" => clearings::posted_on as NaiveDate => |c: &ClearingRow| c.posted_on,
        ]);
        let Page { items, next_cursor } = page?;
        Ok(Page {
            items: complete(conn, items)?,
            next_cursor,
        })
    })
    .await
}

/// Clear items with another item of the same party: a credit note against invoices, money on account against a bill.
#[utoipa::path(tag = "payments", request_body = ClearingIn, security(("api_key" = ["payments:post"])),
    responses((status = 201, description = "The clearing", body = Clearing)))]
#[post("/clearings")]
async fn create_clearing(command: Command<may::PostPayments>, body: Body<ClearingIn>) -> Result<Answer, Problem> {
    documents::may_write_off(&command, &body.0.allocations)?;
    command.create(move |tx| clear(tx, &body.0)).await
}

#[utoipa::path(tag = "payments", params(IdPath), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "The clearing", body = Clearing)))]
#[get("/clearings/{id}")]
async fn get_clearing(read: Read<may::ReadPayments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.snapshot(move |conn| {
        let row = clearings::table
            .find(path.id)
            .select(ClearingRow::as_select())
            .first(conn)
            .or_not_found("clearing")?;
        one(conn, row)
    })
    .await
}

/// Reverse a clearing: its items are open again.
#[utoipa::path(tag = "payments", params(IdPath), request_body = ReversalIn, security(("api_key" = ["postings:reverse"])),
    responses((status = 200, description = "The reversed clearing", body = Clearing)))]
#[post("/clearings/{id}/reverse")]
async fn reverse_clearing(
    command: Command<may::ReversePostings>,
    path: Path<IdPath>,
    body: Body<ReversalIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| reverse(tx, path.id, &body.0)).await
}

/// Settles items with what another item of the same party is worth.
///
/// # Errors
/// 422 with every fault; 409 `exceeds_open`, `period_closed`.
pub fn clear(tx: &mut Tx<'_>, input: &ClearingIn) -> Result<Clearing> {
    let mut faults = Faults::default();
    lock_party(tx, input.open_item_id, "/open_item_id", &mut faults)?;
    let wanted = documents::expand(tx, &input.allocations, &mut faults)?;
    if wanted.iter().any(|wanted| wanted.item_id == input.open_item_id) {
        faults.add("/allocations", "wrong_direction", "an item does not clear itself");
    }
    faults.check()?;
    let on = ledger::posting_day(tx, input.date)?;
    let mut ids: Vec<Uuid> = wanted.iter().map(|wanted| wanted.item_id).collect();
    ids.push(input.open_item_id);
    receivables::lock_settled(tx, &ids)?;
    let locked = items::lock(tx, &ids)?;
    let source = locked
        .iter()
        .find(|item| item.id == input.open_item_id)
        .ok_or(Error::Stale)?;
    refuse_source(source, &on)?;
    let (company, rules) = (company::settings(tx)?, ledger::rules(tx)?);
    let mut pot = Pot {
        currency: source.currency,
        amount: source.open_amount.abs(),
        base: source.open_base_amount.abs(),
    };
    // What pays is worth the opposite of what it pays for.
    let sign = if debit_value(source).is_sign_negative() {
        Decimal::ONE
    } else {
        Decimal::NEGATIVE_ONE
    };
    let conditions = Conditions {
        company: &company,
        rules: &rules,
        paid_on: on.date,
        posted_on: on.date,
        party_id: source.party_id,
        sign,
    };
    let settled = settlement::settle(tx, &conditions, &mut pot, &wanted, &locked)?;
    let used: Decimal = settled.iter().map(|one| one.paid.amount).sum();
    if used.is_zero() {
        return Err(Problem::rule("nothing_to_allocate", "nothing of the item goes into these items").into());
    }
    let id = tx.mint(input.id);
    let accounts = documents::accounts_of(tx, &locked.iter().collect::<Vec<_>>())?;
    let number = source.document_number.clone();
    let description = format!("Clearing with {}", number.as_deref().unwrap_or("an item on account"));
    let mut entry = Entry::new(
        journal_of(source),
        &on,
        Source::new("clearing", id, number),
        description,
    );
    for one in &settled {
        let taken = Sum {
            base: one.paid.base * sign,
            amount: one.paid.amount * sign,
            currency: one.paid.currency,
        };
        entry.debit(&accounts[&source.account_id], taken).item(source.id);
        one.post(&mut entry, &accounts[&one.item.account_id]);
    }
    let row = ClearingRow {
        reason: input.reason.clone(),
        ..new_row(tx, id, ClearingKind::Items, source, used, entry.id, &on)
    };
    insert(tx, &row)?;
    ledger::post(tx, entry)?;
    for one in &settled {
        documents::note_settlement(tx, "clearing", id, one, (on.date, row.entry_id), Some(source))?;
    }
    let made = self::one(tx, row)?;
    tx.audit(None, &made)?;
    receivables::note_settlement(tx, &ids)?;
    Ok(made)
}

/// Writes off what is open of an item, or a part of it.
///
/// A bad debt is derecognised when there is no reasonable expectation of recovering it (IFRS 9 §5.4.4); whether its output
/// tax is claimed back is the country's rule (in the European Union Directive 2006/112/EC, article 90), so a setting.
///
/// # Errors
/// 404; 409 `exceeds_open`; 422 `write_off_limit`, with every fault.
pub fn write_off(tx: &mut Tx<'_>, item_id: Uuid, input: &WriteOffIn) -> Result<Clearing> {
    let mut faults = Faults::default();
    if !lock_party(tx, item_id, "", &mut faults)? {
        return Err(Problem::not_found("open item").into());
    }
    let on = ledger::posting_day(tx, input.date)?;
    receivables::lock_settled(tx, &[item_id])?;
    let locked = items::lock(tx, &[item_id])?;
    let item = locked.first().ok_or(Error::Stale)?;
    refuse_source(item, &on)?;
    let (company, rules) = (company::settings(tx)?, ledger::rules(tx)?);
    let amount = input.amount.map_or(item.open_amount.abs(), |amount| amount.value());
    if amount <= Decimal::ZERO || item.currency.round(amount) != amount {
        faults.add(
            "/amount",
            "out_of_range",
            "above 0, with the digits of the item's currency",
        );
    }
    if input.kind == WriteOffKind::BadDebt
        && (item.side != items::Side::Receivable || item.open_amount.is_sign_negative())
    {
        faults.add("/kind", "not_owed_to_us", "only what a customer owes is a bad debt");
    }
    faults.check()?;
    let settled = written_off(tx, &company, &rules, item, amount, input.kind)?;
    let limit = company.write_off_limit.value();
    if input.kind == WriteOffKind::Difference && settled.cleared.base.abs() > limit {
        let detail = format!(
            "at most {} {} of an item may be written off",
            limit.normalize(),
            company.base_currency
        );
        let mut faults = Faults::default();
        faults.add("/amount", "write_off_limit", detail);
        faults.check()?;
    }

    let id = tx.mint(input.id);
    let kind = match input.kind {
        WriteOffKind::Difference => ClearingKind::Difference,
        WriteOffKind::BadDebt => ClearingKind::BadDebt,
    };
    let accounts = documents::accounts_of(tx, &[item])?;
    let number = item.document_number.clone();
    let description: String = format!(
        "Write-off of {}: {}",
        number.as_deref().unwrap_or("an item"),
        input.reason
    )
    .chars()
    .take(500)
    .collect();
    let mut entry = Entry::new(journal_of(item), &on, Source::new("clearing", id, number), description);
    settled.post(&mut entry, &accounts[&item.account_id]);
    let row = ClearingRow {
        reason: Some(input.reason.clone()),
        ..new_row(tx, id, kind, item, amount, entry.id, &on)
    };
    insert(tx, &row)?;
    ledger::post(tx, entry)?;
    documents::note_settlement(tx, "clearing", id, &settled, (on.date, row.entry_id), None)?;
    let made = one(tx, row)?;
    tx.audit(None, &made)?;
    receivables::note_settlement(tx, &[item_id])?;
    Ok(made)
}

fn written_off(
    tx: &mut Tx<'_>,
    company: &Company,
    rules: &Rules,
    item: &OpenItem,
    amount: Decimal,
    kind: WriteOffKind,
) -> Result<Settled> {
    let base = company.base_currency;
    let signum = if item.open_amount.is_sign_negative() {
        Decimal::NEGATIVE_ONE
    } else {
        Decimal::ONE
    };
    let cleared = item.share(amount * signum, base)?;
    let lost = Sum {
        base: cleared.base * debit_sign(item.side),
        amount: cleared.amount * debit_sign(item.side),
        currency: item.currency,
    };
    let (account, treatment) = match kind {
        WriteOffKind::Difference => (rules.of(Role::WriteOff)?, TaxTreatment::Keep),
        WriteOffKind::BadDebt => (rules.of(Role::BadDebt)?, company.bad_debt_tax),
    };
    Ok(Settled {
        item: item.clone(),
        paid: Sum {
            base: Decimal::ZERO,
            amount: Decimal::ZERO,
            currency: item.currency,
        },
        cleared,
        discount: Decimal::ZERO,
        written_off: amount,
        exchange_difference: Decimal::ZERO,
        parts: settlement::lost_with_tax(tx, item, &account, lost, base, treatment)?,
    })
}

fn reverse(tx: &mut Tx<'_>, id: Uuid, input: &ReversalIn) -> Result<Clearing> {
    let item: Uuid = clearings::table
        .find(id)
        .select(clearings::open_item_id)
        .first(&mut **tx)
        .or_not_found("clearing")?;
    lock_party(tx, item, "", &mut Faults::default())?;
    let row: ClearingRow = clearings::table
        .find(id)
        .for_no_key_update()
        .select(ClearingRow::as_select())
        .first(&mut **tx)
        .or_not_found("clearing")?;
    let before = one(tx, row.clone())?;
    tx.match_if_given(&before)?;
    if row.status == ClearingStatus::Reversed {
        return Err(Problem::illegal_transition("reverse", "reversed", &[]).into());
    }
    let active = documents::active_settlements(tx, id)?;
    let mut ids: Vec<Uuid> = active.iter().map(|settlement| settlement.item_id).collect();
    ids.push(row.open_item_id);
    receivables::lock_settled(tx, &ids)?;
    items::lock(tx, &ids)?;
    let (posted, on) = ledger::reverse(tx, row.entry_id, input.date, &input.reason)?;
    for settlement in &active {
        documents::note_undone(tx, settlement, on.date, posted.id)?;
    }
    let row: ClearingRow = diesel::update(clearings::table.find(id))
        .set((
            clearings::status.eq(ClearingStatus::Reversed),
            clearings::reversed_on.eq(on.date),
            clearings::reversal_reason.eq(&input.reason),
            clearings::reversal_entry_id.eq(posted.id),
            clearings::revision.eq(clearings::revision + 1),
            clearings::updated_at.eq(tx.now()),
        ))
        .returning(ClearingRow::as_returning())
        .get_result(&mut **tx)?;
    let after = one(tx, row)?;
    tx.audit(Some(&before), &after)?;
    receivables::note_settlement(tx, &ids)?;
    Ok(after)
}

/// Locks the party of an item; `false`, and a fault, when there is no such item.
fn lock_party(tx: &mut Tx<'_>, item: Uuid, pointer: &str, faults: &mut Faults) -> Result<bool> {
    let found: Option<(items::Side, Uuid)> = open_items::table
        .find(item)
        .select((open_items::side, open_items::party_id))
        .first(&mut **tx)
        .optional()?;
    let Some((side, party)) = found else {
        faults.add(pointer, "unknown_open_item", "there is no such open item");
        return Ok(false);
    };
    parties::lock(tx, PartyType::of_side(side), party, pointer, faults)?;
    Ok(true)
}

fn refuse_source(item: &OpenItem, on: &PostingDay) -> Result<(), Problem> {
    if item.open_amount.is_zero() {
        return Err(
            Problem::conflict("exceeds_open", "nothing is open of the item any more")
                .fact("open_item_id", item.id.to_string())
                .fact("open_amount", "0"),
        );
    }
    if item.posted_on > on.date {
        let mut faults = Faults::default();
        faults.add(
            "/date",
            "date_before_item",
            format!("the item is dated {}", item.posted_on),
        );
        return faults.check();
    }
    Ok(())
}

fn journal_of(item: &OpenItem) -> Journal {
    match PartyType::of_side(item.side) {
        PartyType::Customer => Journal::Sales,
        PartyType::Supplier => Journal::Purchases,
    }
}

fn new_row(
    tx: &Tx<'_>,
    id: Uuid,
    kind: ClearingKind,
    item: &OpenItem,
    amount: Decimal,
    entry_id: Uuid,
    on: &PostingDay,
) -> ClearingRow {
    ClearingRow {
        id,
        kind,
        status: ClearingStatus::Posted,
        open_item_id: item.id,
        party_id: item.party_id,
        posted_on: on.date,
        currency: item.currency,
        amount,
        reason: None,
        entry_id,
        reversed_on: None,
        reversal_reason: None,
        reversal_entry_id: None,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    }
}

fn insert(tx: &mut Tx<'_>, row: &ClearingRow) -> Result<()> {
    diesel::insert_into(clearings::table)
        .values((
            clearings::id.eq(row.id),
            clearings::kind.eq(row.kind),
            clearings::open_item_id.eq(row.open_item_id),
            clearings::party_id.eq(row.party_id),
            clearings::posted_on.eq(row.posted_on),
            clearings::currency.eq(row.currency),
            clearings::amount.eq(row.amount),
            clearings::reason.eq(&row.reason),
            clearings::entry_id.eq(row.entry_id),
            clearings::created_at.eq(row.created_at),
            clearings::updated_at.eq(row.updated_at),
        ))
        .execute(&mut **tx)?;
    Ok(())
}

fn one(conn: &mut PgConnection, row: ClearingRow) -> Result<Clearing> {
    complete(conn, vec![row])?
        .pop()
        .ok_or_else(|| Problem::not_found("clearing").into())
}

fn complete(conn: &mut PgConnection, rows: Vec<ClearingRow>) -> Result<Vec<Clearing>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let base = company::settings(conn)?.base_currency;
    let mut allocations: HashMap<Uuid, Vec<PaymentAllocation>> = HashMap::new();
    for settlement in documents::settlements_of(conn, &ids)? {
        allocations
            .entry(settlement.document_id)
            .or_default()
            .push(settlement.shown(base));
    }
    let complete = rows.into_iter().map(|row| Clearing {
        allocations: allocations.remove(&row.id).unwrap_or_default(),
        allowed_actions: match row.status {
            ClearingStatus::Posted => vec!["reverse"],
            ClearingStatus::Reversed => Vec::new(),
        },
        id: row.id,
        kind: row.kind,
        status: row.status,
        open_item_id: row.open_item_id,
        party_id: row.party_id,
        date: row.posted_on,
        currency: row.currency,
        amount: shown(row.currency, row.amount),
        reason: row.reason,
        journal_entry_id: row.entry_id,
        reversed_on: row.reversed_on,
        reversal_reason: row.reversal_reason,
        reversal_entry_id: row.reversal_entry_id,
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
    });
    Ok(complete.collect())
}
