//! Opening items: invoices, bills and credits of the time before that are still open.
//!
//! Each posts its open amount against opening equity, by an entry of the kind `opening`, and is from then on an open item
//! like any other: it is paid, reminded of, aged by its own due date.

use super::documents::shown;
use super::parties::{self, PartyType};

use crate::ledger::open_items::{self, NewItem, Side};
use crate::ledger::{self, Entry, EntryKind, Journal, Role, Source, Sum};
use crate::schema::opening_items;
use crate::{company, currencies, may};
use actix_web::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::decimal::Fraction;
use service_kit::http::{IdPath, SearchText};
use service_kit::{
    Amount, Answer, Body, Command, Currency, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Query, Read,
    Resource, Result, Routes, Sort, Tx, keyset_page, text_enum,
};
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// What an opening item was.
    OpeningItemKind {
        Invoice = "invoice",
        CreditNote = "credit_note",
        Bill = "bill",
        SupplierCreditNote = "supplier_credit_note",
    }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpeningItemIn {
    pub id: Option<Uuid>,
    pub kind: OpeningItemKind,
    /// The customer, or the supplier of a bill or its credit note.
    pub party_id: Uuid,
    /// As printed on it.
    #[schema(min_length = 1, max_length = 60, pattern = r"\S")]
    pub document_number: String,
    pub document_date: NaiveDate,
    pub due_date: NaiveDate,
    pub currency: Currency,
    /// What is still open of it, without sign.
    pub amount: Amount,
    /// Its value in the base currency; absent: by the rate of the posting date.
    pub base_amount: Option<Amount>,
    /// Paid until then, the discount may be taken.
    pub discount_until: Option<NaiveDate>,
    /// A fraction of the amount.
    pub discount: Option<Fraction>,
    /// Posting date; default today.
    pub date: Option<NaiveDate>,
    #[schema(min_length = 1, max_length = 200)]
    pub external_ref: Option<String>,
}

/// An opening item, posted.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = opening_items)]
pub struct OpeningItem {
    pub id: Uuid,
    pub kind: OpeningItemKind,
    pub party_id: Uuid,
    pub document_number: String,
    pub document_date: NaiveDate,
    #[diesel(column_name = posted_on)]
    pub date: NaiveDate,
    pub currency: Currency,
    /// What was open when it was taken over.
    pub amount: Amount,
    pub base_amount: Amount,
    /// What shows how much is open now.
    pub open_item_id: Uuid,
    #[diesel(column_name = entry_id)]
    pub journal_entry_id: Uuid,
    pub external_ref: Option<String>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct OpeningItemsQuery {
    #[param(inline)]
    kind: Option<OpeningItemKind>,
    party_id: Option<Uuid>,
    document_number: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `date`, with `-` for descending.
    sort: Option<Sort>,
}

impl OpeningItem {
    /// With the digits of its currencies.
    fn shown(self, base: Currency) -> Self {
        OpeningItem {
            amount: shown(self.currency, self.amount.value()),
            base_amount: shown(base, self.base_amount.value()),
            ..self
        }
    }
}

impl OpeningItemKind {
    fn party(self) -> PartyType {
        match self {
            OpeningItemKind::Invoice | OpeningItemKind::CreditNote => PartyType::Customer,
            OpeningItemKind::Bill | OpeningItemKind::SupplierCreditNote => PartyType::Supplier,
        }
    }

    /// Whether it is a credit, which lowers what is owed.
    fn is_credit(self) -> bool {
        matches!(self, OpeningItemKind::CreditNote | OpeningItemKind::SupplierCreditNote)
    }
}

impl Resource for OpeningItem {
    const PATH: &'static str = "opening-items";
    const TYPE: &'static str = "opening_item";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_opening_items)
        .add(create_opening_item)
        .add(get_opening_item);
}

#[utoipa::path(tag = "payments", params(OpeningItemsQuery), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "A page of opening items", body = Page<OpeningItem>)))]
#[get("/opening-items")]
async fn list_opening_items(read: Read<may::ReadPayments>, query: Query<OpeningItemsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = opening_items::table.select(OpeningItem::as_select()).into_boxed();
        if let Some(kind) = query.kind {
            found = found.filter(opening_items::kind.eq(kind));
        }
        if let Some(party) = query.party_id {
            found = found.filter(opening_items::party_id.eq(party));
        }
        if let Some(number) = &query.document_number {
            found = found.filter(opening_items::document_number.eq(number.as_str()));
        }
        let base = company::settings(conn)?.base_currency;
        let page: Result<Page<OpeningItem>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: opening_items::id as Uuid => |i: &OpeningItem| i.id, [
            "created_at" => opening_items::created_at as DateTime<Utc> => |i: &OpeningItem| i.created_at,
            "date" => opening_items::posted_on as NaiveDate => |i: &OpeningItem| i.date,
        ]);
        Ok(page?.map(|item| item.shown(base)))
    })
    .await
}

/// Take over an open invoice, bill or credit of the time before, against opening equity.
#[utoipa::path(tag = "payments", request_body = OpeningItemIn, security(("api_key" = ["journal_entries:post"])),
    responses((status = 201, description = "The opening item", body = OpeningItem)))]
#[post("/opening-items")]
async fn create_opening_item(
    command: Command<may::PostJournalEntries>,
    body: Body<OpeningItemIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

#[utoipa::path(tag = "payments", params(IdPath), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "The opening item", body = OpeningItem)))]
#[get("/opening-items/{id}")]
async fn get_opening_item(read: Read<may::ReadPayments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let item: OpeningItem = opening_items::table
            .find(path.id)
            .select(OpeningItem::as_select())
            .first(conn)
            .or_not_found("opening item")?;
        Ok(item.shown(company::settings(conn)?.base_currency))
    })
    .await
}

/// Those of these documents that were taken over, by kind, party and number.
///
/// # Errors
/// When the database refuses.
pub fn find_documents(
    conn: &mut PgConnection,
    parties: &[Uuid],
    numbers: &[&str],
) -> QueryResult<HashMap<(OpeningItemKind, Uuid, String), OpeningItem>> {
    let found: Vec<OpeningItem> = opening_items::table
        .filter(opening_items::party_id.eq_any(parties))
        .filter(opening_items::document_number.eq_any(numbers))
        .select(OpeningItem::as_select())
        .load(conn)?;
    let by_document = |item: OpeningItem| ((item.kind, item.party_id, item.document_number.clone()), item);
    Ok(found.into_iter().map(by_document).collect())
}

/// Takes over one.
///
/// # Errors
/// 422 with every fault; 409 `duplicate`, `period_closed`.
pub fn create(tx: &mut Tx<'_>, input: &OpeningItemIn) -> Result<OpeningItem> {
    let base = company::settings(tx)?.base_currency;
    let mut faults = Faults::default();
    check(input, base, &mut faults);
    let party = input.kind.party();
    parties::lock(tx, party, input.party_id, "/party_id", &mut faults)?;
    faults.check()?;
    let on = ledger::posting_day(tx, input.date)?;
    let value = value_of(tx, input, base, on.date)?;
    let rules = ledger::rules(tx)?;
    let side = party.side();
    let control = rules.of(match side {
        Side::Receivable | Side::AdvancesReceived => Role::Receivable,
        Side::Payable | Side::AdvancesPaid => Role::Payable,
    })?;

    let (id, item_id) = (tx.mint(input.id), tx.mint(None));
    let signed = if input.kind.is_credit() {
        -input.amount.value()
    } else {
        input.amount.value()
    };
    let source = Source::new("opening_item", id, Some(input.document_number.clone()));
    let description = format!(
        "Opening balance: {} {}",
        input.kind.as_str().replace('_', " "),
        input.document_number
    );
    let mut entry = Entry::new(Journal::General, &on, source, description).kind(EntryKind::Opening);
    let owed = Sum {
        base: if input.kind.is_credit() { -value } else { value },
        amount: signed,
        currency: input.currency,
    };
    let opening = rules.of(Role::OpeningBalance)?;
    let debit = if side == Side::Receivable { owed } else { owed.negated() };
    entry.debit(&control, debit).item(item_id);
    entry.credit(&opening, debit);

    open_items::create(
        tx,
        NewItem {
            id: item_id,
            side,
            party_id: input.party_id,
            account_id: control.id,
            document_type: "opening_item",
            document_id: id,
            document_number: Some(input.document_number.clone()),
            instalment: 1,
            order_id: None,
            currency: input.currency,
            amount: signed,
            posted_on: on.date,
            due_on: input.due_date,
            discount_until: input.discount_until,
            discount: input.discount.map(|discount| discount.value()),
        },
    )?;
    let made: OpeningItem = diesel::insert_into(opening_items::table)
        .values((
            opening_items::id.eq(id),
            opening_items::kind.eq(input.kind),
            opening_items::party_id.eq(input.party_id),
            opening_items::document_number.eq(&input.document_number),
            opening_items::document_date.eq(input.document_date),
            opening_items::posted_on.eq(on.date),
            opening_items::currency.eq(input.currency),
            opening_items::amount.eq(input.amount),
            opening_items::base_amount.eq(value),
            opening_items::open_item_id.eq(item_id),
            opening_items::entry_id.eq(entry.id),
            opening_items::external_ref.eq(&input.external_ref),
            opening_items::created_at.eq(tx.now()),
        ))
        .returning(OpeningItem::as_returning())
        .get_result(&mut **tx)?;
    ledger::post(tx, entry)?;
    let made = made.shown(base);
    tx.audit(None, &made)?;
    Ok(made)
}

/// What is wrong with it by itself.
pub fn check(input: &OpeningItemIn, base: Currency, faults: &mut Faults) {
    super::amounts::check_positive(faults, "/amount", input.amount, input.currency);
    if input.discount.is_some() != input.discount_until.is_some() {
        faults.add(
            "/discount",
            "discount_incomplete",
            "a discount and the last day for it go together",
        );
    }
    if input.discount.is_some_and(|discount| !discount.is_proper()) {
        faults.add("/discount", "out_of_range", "must be between 0 and 1");
    }
    if input.due_date < input.document_date {
        faults.add("/due_date", "out_of_range", "must not be before the document's date");
    }
    if let Some(value) = input.base_amount {
        super::amounts::check_positive(faults, "/base_amount", value, base);
        if input.currency == base && value != input.amount {
            let message = "the item is in the base currency: leave it out";
            faults.add("/base_amount", "invalid_input", message);
        }
    }
}

fn value_of(tx: &mut Tx<'_>, input: &OpeningItemIn, base: Currency, on: NaiveDate) -> Result<Decimal> {
    match input.base_amount {
        Some(value) => Ok(value.value()),
        None => {
            let rate = currencies::rate(tx, input.currency, base, on)?;
            Ok(currencies::convert(input.amount.value(), rate, base)?)
        }
    }
}
