//! What is open, by party and document; and writing it off.

use super::clearings::{self, Clearing, WriteOffIn};
use super::documents::shown;
use super::parties::PartyType;
use crate::ledger::open_items::{OpenItem, Side};
use crate::schema::open_items;
use crate::{company, may};
use actix_web::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::decimal::Fraction;
use service_kit::http::{IdPath, SearchText};
use service_kit::{
    Amount, Answer, Body, Command, Currency, Cursor, Limit, OrNotFound, Page, Path, Problem, Query, Read, Result,
    Routes, Sort, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Whether something is open of an item.
    OpenItemState { Open = "open", Cleared = "cleared", Any = "any" }
}

/// What one party owes on one document, or is owed; one for each instalment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = OpenItem)]
pub struct ShownItem {
    pub id: Uuid,
    #[schema(inline)]
    pub side: Side,
    pub party_type: PartyType,
    pub party_id: Uuid,
    pub document_type: String,
    pub document_id: Uuid,
    pub document_number: Option<String>,
    pub instalment: i16,
    pub order_id: Option<Uuid>,
    pub currency: Currency,
    /// Signed: an invoice or a bill is positive, a credit or money on account negative.
    pub amount: Amount,
    pub open_amount: Amount,
    /// The value of what is open in the base currency.
    pub open_base_amount: Amount,
    pub date: NaiveDate,
    pub due_on: NaiveDate,
    /// Days past due of what is open; 0 when it is not due.
    pub overdue_days: i64,
    pub discount_until: Option<NaiveDate>,
    pub discount: Option<Fraction>,
    pub disputed: bool,
    pub dunning_level: i16,
    pub dunned_on: Option<NaiveDate>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct OpenItemsQuery {
    /// Default `open`.
    #[param(inline)]
    state: Option<OpenItemState>,
    #[param(inline)]
    side: Option<Side>,
    party_id: Option<Uuid>,
    document_id: Option<Uuid>,
    document_number: Option<SearchText>,
    order_id: Option<Uuid>,
    currency: Option<Currency>,
    disputed: Option<bool>,
    /// Reminded of at least this level.
    #[param(minimum = 0, maximum = 9)]
    dunning_level_from: Option<i16>,
    /// Due before today, or not.
    overdue: Option<bool>,
    due_to: Option<NaiveDate>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `due_on` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub(super) fn routes(routes: &mut Routes) {
    routes.add(list_open_items).add(get_open_item).add(write_off_open_item);
}

/// Open items of all parties, or of one: what is owed to us and by us, by document and due date.
#[utoipa::path(tag = "payments", params(OpenItemsQuery), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "A page of open items", body = Page<ShownItem>)))]
#[get("/open-items")]
async fn list_open_items(read: Read<may::ReadPayments>, query: Query<OpenItemsQuery>) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| page(conn, &query.0, today)).await
}

#[utoipa::path(tag = "payments", params(IdPath), security(("api_key" = ["payments:read"])),
    responses((status = 200, description = "The open item", body = ShownItem)))]
#[get("/open-items/{id}")]
async fn get_open_item(read: Read<may::ReadPayments>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let today = read.today();
    read.json(move |conn| {
        let item: OpenItem = open_items::table
            .find(path.id)
            .select(OpenItem::as_select())
            .first(conn)
            .or_not_found("open item")?;
        let base = company::settings(conn)?.base_currency;
        Ok(shown_item(item, base, today))
    })
    .await
}

/// Write off what is open of an item: a small difference within the company's limit, or a bad debt with its reason.
#[utoipa::path(tag = "payments", params(IdPath), request_body = WriteOffIn, security(("api_key" = ["receivables:write_off"])),
    responses((status = 201, description = "The clearing that did it", body = Clearing)))]
#[post("/open-items/{id}/write-off")]
async fn write_off_open_item(
    command: Command<may::WriteOff>,
    path: Path<IdPath>,
    body: Body<WriteOffIn>,
) -> Result<Answer, Problem> {
    command
        .create(move |tx| clearings::write_off(tx, path.id, &body.0))
        .await
}

fn page(conn: &mut PgConnection, query: &OpenItemsQuery, today: NaiveDate) -> Result<Page<ShownItem>> {
    let mut found = open_items::table.select(OpenItem::as_select()).into_boxed();
    match query.state.unwrap_or(OpenItemState::Open) {
        OpenItemState::Open => found = found.filter(open_items::open_amount.ne(Decimal::ZERO)),
        OpenItemState::Cleared => found = found.filter(open_items::open_amount.eq(Decimal::ZERO)),
        OpenItemState::Any => {}
    }
    if let Some(side) = query.side {
        found = found.filter(open_items::side.eq(side));
    }
    if let Some(party) = query.party_id {
        found = found.filter(open_items::party_id.eq(party));
    }
    if let Some(document) = query.document_id {
        found = found.filter(open_items::document_id.eq(document));
    }
    if let Some(number) = &query.document_number {
        found = found.filter(open_items::document_number.eq(number.as_str()));
    }
    if let Some(order) = query.order_id {
        found = found.filter(open_items::order_id.eq(order));
    }
    if let Some(currency) = query.currency {
        found = found.filter(open_items::currency.eq(currency));
    }
    if let Some(disputed) = query.disputed {
        found = found.filter(open_items::disputed.eq(disputed));
    }
    if let Some(level) = query.dunning_level_from {
        found = found.filter(open_items::dunning_level.ge(level));
    }
    match query.overdue {
        Some(true) => found = found.filter(open_items::due_on.lt(today)),
        Some(false) => found = found.filter(open_items::due_on.ge(today)),
        None => {}
    }
    if let Some(to) = query.due_to {
        found = found.filter(open_items::due_on.le(to));
    }
    let page: Result<Page<OpenItem>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: open_items::id as Uuid => |i: &OpenItem| i.id, [
        "due_on" => open_items::due_on as NaiveDate => |i: &OpenItem| i.due_on,
        "created_at" => open_items::created_at as DateTime<Utc> => |i: &OpenItem| i.created_at,
    ]);
    let base = company::settings(conn)?.base_currency;
    Ok(page?.map(|item| shown_item(item, base, today)))
}

pub(super) fn shown_item(item: OpenItem, base: Currency, today: NaiveDate) -> ShownItem {
    let overdue = (today - item.due_on).num_days();
    ShownItem {
        id: item.id,
        side: item.side,
        party_type: PartyType::of_side(item.side),
        party_id: item.party_id,
        document_type: item.document_type,
        document_id: item.document_id,
        document_number: item.document_number,
        instalment: item.instalment,
        order_id: item.order_id,
        currency: item.currency,
        amount: shown(item.currency, item.amount),
        open_amount: shown(item.currency, item.open_amount),
        open_base_amount: shown(base, item.open_base_amount),
        date: item.posted_on,
        due_on: item.due_on,
        overdue_days: if item.open_amount.is_zero() { 0 } else { overdue.max(0) },
        discount_until: item.discount_until,
        discount: item.discount.and_then(|discount| Fraction::new(discount).ok()),
        disputed: item.disputed,
        dunning_level: item.dunning_level,
        dunned_on: item.dunned_on,
        created_at: item.created_at,
        updated_at: item.updated_at,
    }
}
