//! The SQL of cards: what hangs on the customer in one statement, beside the customer itself.

use super::model::{CardDeal, CardDeals, CardInvoice, CardInvoices, CardOrder, CardOrders, CardSegment, CustomerCard};
use crate::customers::legal_entities::LegalEntity;
use crate::json::AsJson;
use crate::{activities, customers, segments};
use chrono::{NaiveDate, SubsecRound, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Json, Nullable, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Amount, Currency, Result, Sight};
use uuid::Uuid;

/// Which parts of the card the caller may read.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    pub deals: bool,
    pub orders: bool,
    pub invoices: bool,
    pub activities: bool,
    pub segments: bool,
}

#[derive(QueryableByName)]
struct Hanging {
    #[diesel(sql_type = BigInt)]
    deal_count: i64,
    #[diesel(sql_type = Json)]
    deals: AsJson<Vec<CardDeal>>,
    #[diesel(sql_type = BigInt)]
    order_count: i64,
    #[diesel(sql_type = Json)]
    orders: AsJson<Vec<CardOrder>>,
    #[diesel(sql_type = Json)]
    recent: AsJson<Vec<CardOrder>>,
    #[diesel(sql_type = BigInt)]
    invoice_count: i64,
    #[diesel(sql_type = Json)]
    invoices: AsJson<Vec<CardInvoice>>,
}

/// # Errors
/// 404 when there is no such customer in sight, 308 `merged`.
pub fn card(conn: &mut PgConnection, sight: &Sight, today: NaiveDate, shown: Shown, id: Uuid) -> Result<CustomerCard> {
    // One that became part of another leads to the card of that one.
    customers::queries::require(conn, sight, id, "/card")?;
    let customer = customers::queries::get(conn, sight, id)?;
    let hanging = hanging(conn, sight, today, id)?;
    let segments = match shown.segments {
        true => Some(segments::names_of(conn, id)?),
        false => None,
    };
    let (next_activity, last_activity) = match shown.activities {
        true => (
            activities::next_of(conn, id, sight)?,
            activities::last_of(conn, id, sight)?,
        ),
        false => (None, None),
    };
    Ok(CustomerCard {
        legal_entity: customer
            .legal_entities
            .into_iter()
            .find(|entity| is_default_on(entity, today)),
        contacts: customer.contacts,
        addresses: customer.addresses,
        credit: customer.credit,
        core: customer.core,
        segments: segments.map(|named| named.into_iter().map(|(id, name)| CardSegment { id, name }).collect()),
        open_deals: shown.deals.then(|| CardDeals {
            count: hanging.deal_count,
            first: hanging.deals.0.into_iter().map(CardDeal::shown).collect(),
        }),
        open_orders: shown.orders.then(|| CardOrders {
            count: hanging.order_count,
            first: hanging.orders.0.into_iter().map(CardOrder::shown).collect(),
        }),
        recent_orders: shown
            .orders
            .then(|| hanging.recent.0.into_iter().map(CardOrder::shown).collect()),
        unpaid_invoices: shown.invoices.then(|| CardInvoices {
            count: hanging.invoice_count,
            first: hanging.invoices.0.into_iter().map(CardInvoice::shown).collect(),
        }),
        next_activity,
        last_activity,
        read_at: Utc::now().trunc_subsecs(6),
    })
}

fn is_default_on(entity: &LegalEntity, day: NaiveDate) -> bool {
    let begun = entity.valid_from.is_none_or(|from| from <= day);
    entity.is_default && begun && entity.valid_to.is_none_or(|to| day <= to)
}

/// With the minor digits of its currency.
fn money(amount: Amount, currency: Currency) -> Amount {
    Amount::money(currency, amount.value()).unwrap_or(amount)
}

impl CardDeal {
    fn shown(mut self) -> Self {
        self.amount = self.amount.map(|amount| money(amount, self.currency));
        self.weighted_amount = self.weighted_amount.map(|amount| money(amount, self.currency));
        self
    }
}

impl CardOrder {
    fn shown(mut self) -> Self {
        self.net = money(self.net, self.currency);
        self
    }
}

impl CardInvoice {
    fn shown(mut self) -> Self {
        self.payable = money(self.payable, self.currency);
        self.open_amount = money(self.open_amount, self.currency);
        self
    }
}

fn hanging(conn: &mut PgConnection, sight: &Sight, today: NaiveDate, id: Uuid) -> QueryResult<Hanging> {
    let (all, user, teams) = sight.binds();
    sql(
        "WITH q AS MATERIALIZED (SELECT $1 AS customer, $2 AS today, $3 AS sees_all, $4 AS me, $5 AS teams),
         open_deals AS (
             SELECT d.id, d.name, d.pipeline_id, d.stage_key AS stage, d.currency, d.amount::text, d.probability::text,
                    d.weighted_amount::text, d.expected_close_on, d.next_step, d.next_step_on, d.owner_id, d.close_key
             FROM deals d, q
             WHERE d.customer_id = q.customer AND d.state = 'open'
               AND (q.sees_all OR d.owner_id = q.me OR d.team_id = ANY(q.teams))),
         open_orders AS (
             SELECT o.id, o.number, o.origin, o.status, o.order_date, o.requested_date, o.currency, o.net::text, o.owner_id
             FROM orders o, q
             WHERE o.customer_id = q.customer
               AND o.status IN ('draft', 'submitted', 'accepted', 'on_hold', 'partially_delivered')
               AND (q.sees_all OR o.owner_id = q.me OR o.team_id = ANY(q.teams))),
         recent_orders AS (
             SELECT o.id, o.number, o.origin, o.status, o.order_date, o.requested_date, o.currency, o.net::text, o.owner_id
             FROM orders o, q
             WHERE o.customer_id = q.customer AND (q.sees_all OR o.owner_id = q.me OR o.team_id = ANY(q.teams))
             ORDER BY o.created_at DESC, o.id DESC LIMIT 10),
         unpaid AS (
             SELECT i.id, i.number, i.date, i.due_on, i.document->>'currency' AS currency, i.document->>'payable' AS payable,
                    i.document->>'open_amount' AS open_amount, greatest(0, coalesce(q.today - i.due_on, 0)) AS overdue_days,
                    i.as_of
             FROM invoices i, q
             WHERE i.customer_id = q.customer AND i.kind = 'invoice' AND i.is_open)
         SELECT (SELECT count(*) FROM open_deals) AS deal_count,
             (SELECT coalesce(json_agg(x), '[]') FROM (SELECT * FROM open_deals ORDER BY close_key, id LIMIT 20) x) AS deals,
             (SELECT count(*) FROM open_orders) AS order_count,
             (SELECT coalesce(json_agg(x), '[]') FROM (SELECT * FROM open_orders ORDER BY order_date, id LIMIT 20) x) AS orders,
             (SELECT coalesce(json_agg(x), '[]') FROM recent_orders x) AS recent,
             (SELECT count(*) FROM unpaid) AS invoice_count,
             (SELECT coalesce(json_agg(x), '[]') FROM (SELECT * FROM unpaid ORDER BY due_on, id LIMIT 20) x) AS invoices",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Date, _>(today)
    .bind::<Bool, _>(all)
    .bind::<Nullable<SqlUuid>, _>(user)
    .bind::<Array<SqlUuid>, _>(teams)
    .row(conn)
}
