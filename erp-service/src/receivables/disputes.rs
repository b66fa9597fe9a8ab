//! Disputes: what a customer does not agree with.
//!
//! `open` → `lifted`. While a dispute is open, its item is left out of reminders; it is owed and ages all the same. An item has at
//! most one open dispute; those of the past stay, so that an ageing of a past day says what was disputed then.

use super::invoices::settlement;
use crate::ledger::open_items::{self, OpenItem, Side};
use crate::may;
use crate::schema::{disputes, open_items as items};
use crate::{ledger, receivables};
use actix_web::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::http::SearchText;
use service_kit::tx::Emitted;
use service_kit::{
    Amount, Answer, Body, Command, Currency, Cursor, Error, IdPath, Limit, OrNotFound, Page, Path, Problem, Query,
    Read, Resource, Result, Routes, Sort, Tx, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// A lifted dispute holds no reminder back.
    DisputeStatus { Open = "open", Lifted = "lifted" }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisputeIn {
    pub id: Option<Uuid>,
    /// What the customer says.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisputeLiftIn {
    /// How it was settled.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S")]
    pub reason: String,
}

/// An open item that a customer does not agree with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Dispute {
    pub id: Uuid,
    #[schema(inline)]
    pub status: DisputeStatus,
    pub open_item_id: Uuid,
    pub customer_id: Uuid,
    pub document_type: String,
    pub document_id: Uuid,
    pub document_number: Option<String>,
    pub instalment: i16,
    pub currency: Currency,
    /// What was open when it was raised.
    pub amount: Amount,
    pub reason: String,
    pub raised_on: NaiveDate,
    pub lifted_on: Option<NaiveDate>,
    pub lifted_reason: Option<String>,
    pub allowed_actions: Vec<String>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = disputes)]
struct Row {
    id: Uuid,
    status: DisputeStatus,
    open_item_id: Uuid,
    customer_id: Uuid,
    document_type: String,
    document_id: Uuid,
    document_number: Option<String>,
    instalment: i16,
    currency: Currency,
    amount: Decimal,
    reason: String,
    raised_on: NaiveDate,
    lifted_on: Option<NaiveDate>,
    lifted_reason: Option<String>,
    version: i64,
    revision: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DisputesQuery {
    #[param(inline)]
    status: Option<DisputeStatus>,
    customer_id: Option<Uuid>,
    open_item_id: Option<Uuid>,
    document_id: Option<Uuid>,
    document_number: Option<SearchText>,
    currency: Option<Currency>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `raised_on`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for Dispute {
    const PATH: &'static str = "disputes";
    const TYPE: &'static str = "dispute";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Dispute {
    const EVENT: &'static str = "dispute.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

impl Row {
    fn shown(self) -> Result<Dispute> {
        let allowed = match self.status {
            DisputeStatus::Open => vec!["lift".to_owned()],
            DisputeStatus::Lifted => Vec::new(),
        };
        Ok(Dispute {
            amount: ledger::shown(self.currency, self.amount)?,
            allowed_actions: allowed,
            id: self.id,
            status: self.status,
            open_item_id: self.open_item_id,
            customer_id: self.customer_id,
            document_type: self.document_type,
            document_id: self.document_id,
            document_number: self.document_number,
            instalment: self.instalment,
            currency: self.currency,
            reason: self.reason,
            raised_on: self.raised_on,
            lifted_on: self.lifted_on,
            lifted_reason: self.lifted_reason,
            version: self.version,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(dispute_open_item)
        .add(list_disputes)
        .add(get_dispute)
        .add(lift_dispute);
}

/// Note that the customer disputes an open item: it is left out of reminders until the dispute is lifted.
#[utoipa::path(tag = "receivables", params(IdPath), request_body = DisputeIn, security(("api_key" = ["receivables:dispute"])),
    responses((status = 201, description = "The dispute", body = Dispute)))]
#[post("/open-items/{id}/dispute")]
async fn dispute_open_item(
    command: Command<may::DisputeItems>,
    path: Path<IdPath>,
    body: Body<DisputeIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| raise(tx, path.id, &body.0)).await
}

#[utoipa::path(tag = "receivables", params(DisputesQuery), security(("api_key" = ["invoices:read"])),
    responses((status = 200, description = "A page of disputes", body = Page<Dispute>)))]
#[get("/disputes")]
async fn list_disputes(read: Read<may::ReadInvoices>, query: Query<DisputesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| page(conn, &query.0)).await
}

#[utoipa::path(tag = "receivables", params(IdPath), security(("api_key" = ["invoices:read"])),
    responses((status = 200, description = "The dispute", body = Dispute)))]
#[get("/disputes/{id}")]
async fn get_dispute(read: Read<may::ReadInvoices>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let row: Row = disputes::table
            .find(path.id)
            .select(Row::as_select())
            .first(conn)
            .or_not_found("dispute")?;
        row.shown()
    })
    .await
}

/// Lift a dispute, with how it was settled: the item is reminded of again.
#[utoipa::path(tag = "receivables", params(IdPath), request_body = DisputeLiftIn, security(("api_key" = ["receivables:dispute"])),
    responses((status = 200, description = "The lifted dispute", body = Dispute)))]
#[post("/disputes/{id}/lift")]
async fn lift_dispute(
    command: Command<may::DisputeItems>,
    path: Path<IdPath>,
    body: Body<DisputeLiftIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| lift(tx, path.id, &body.0)).await
}

fn page(conn: &mut PgConnection, query: &DisputesQuery) -> Result<Page<Dispute>> {
    let mut found = disputes::table.select(Row::as_select()).into_boxed();
    if let Some(status) = query.status {
        found = found.filter(disputes::status.eq(status));
    }
    if let Some(customer) = query.customer_id {
        found = found.filter(disputes::customer_id.eq(customer));
    }
    if let Some(item) = query.open_item_id {
        found = found.filter(disputes::open_item_id.eq(item));
    }
    if let Some(document) = query.document_id {
        found = found.filter(disputes::document_id.eq(document));
    }
    if let Some(number) = &query.document_number {
        found = found.filter(disputes::document_number.eq(number.as_str()));
    }
    if let Some(currency) = query.currency {
        found = found.filter(disputes::currency.eq(currency));
    }
    let page: Result<Page<Row>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: disputes::id as Uuid => |d: &Row| d.id, [
        "created_at" => disputes::created_at as DateTime<Utc> => |d: &Row| d.created_at,
        "raised_on" => disputes::raised_on as NaiveDate => |d: &Row| d.raised_on,
    ]);
    let Page { items, next_cursor } = page?;
    Ok(Page {
        items: items.into_iter().map(Row::shown).collect::<Result<_>>()?,
        next_cursor,
    })
}

fn raise(tx: &mut Tx<'_>, item_id: Uuid, input: &DisputeIn) -> Result<Dispute> {
    receivables::lock_settled(tx, &[item_id])?;
    let locked = open_items::lock(tx, &[item_id])?;
    let item = locked.first().ok_or(Error::Stale)?;
    refuse(item)?;
    let told = settlement::before(tx, &[item_id])?;
    let row = Row {
        id: tx.mint(input.id),
        status: DisputeStatus::Open,
        open_item_id: item.id,
        customer_id: item.party_id,
        document_type: item.document_type.clone(),
        document_id: item.document_id,
        document_number: item.document_number.clone(),
        instalment: item.instalment,
        currency: item.currency,
        amount: item.open_amount,
        reason: input.reason.clone(),
        raised_on: tx.today(),
        lifted_on: None,
        lifted_reason: None,
        version: 1,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    diesel::insert_into(disputes::table).values(&row).execute(&mut **tx)?;
    set_disputed(tx, item_id, true)?;
    let dispute = row.shown()?;
    tx.changed(None, &dispute)?;
    settlement::note_items(tx, told)?;
    Ok(dispute)
}

fn refuse(item: &OpenItem) -> Result<(), Problem> {
    if item.side != Side::Receivable || item.amount.is_sign_negative() {
        let detail = "only what a customer owes can be disputed";
        return Err(Problem::rule("not_owed_to_us", detail));
    }
    if item.disputed {
        return Err(Problem::conflict("already_disputed", "the item is disputed already"));
    }
    if item.open_amount.is_zero() {
        let detail = "nothing is open of the item any more";
        return Err(Problem::conflict("nothing_open", detail).fact("open_item_id", item.id.to_string()));
    }
    Ok(())
}

fn lift(tx: &mut Tx<'_>, id: Uuid, input: &DisputeLiftIn) -> Result<Dispute> {
    let item_id: Uuid = disputes::table
        .find(id)
        .select(disputes::open_item_id)
        .first(&mut **tx)
        .or_not_found("dispute")?;
    receivables::lock_settled(tx, &[item_id])?;
    open_items::lock(tx, &[item_id])?;
    // Whoever changes a dispute holds its item.
    let row: Row = disputes::table.find(id).select(Row::as_select()).first(&mut **tx)?;
    let before = row.shown()?;
    tx.match_if_given(&before)?;
    if before.status == DisputeStatus::Lifted {
        return Err(Problem::illegal_transition("lift", "lifted", &[]).into());
    }
    let today = tx.today().max(before.raised_on);
    let told = settlement::before(tx, &[item_id])?;
    let row: Row = diesel::update(disputes::table.find(id))
        .set((
            disputes::status.eq(DisputeStatus::Lifted),
            disputes::lifted_on.eq(today),
            disputes::lifted_reason.eq(&input.reason),
            disputes::version.eq(disputes::version + 1),
            disputes::revision.eq(disputes::revision + 1),
            disputes::updated_at.eq(tx.now()),
        ))
        .returning(Row::as_returning())
        .get_result(&mut **tx)?;
    set_disputed(tx, item_id, false)?;
    let after = row.shown()?;
    tx.changed(Some(&before), &after)?;
    settlement::note_items(tx, told)?;
    Ok(after)
}

fn set_disputed(tx: &mut Tx<'_>, item_id: Uuid, disputed: bool) -> QueryResult<usize> {
    let now = tx.now();
    diesel::update(items::table.find(item_id))
        .set((items::disputed.eq(disputed), items::updated_at.eq(now)))
        .execute(&mut **tx)
}
