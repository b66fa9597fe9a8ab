//! The list of quotes: filters, search, order.

use super::model::Quote;
use super::queries::{self, as_of_today};
use super::status::QuoteState;
use super::stored::QuoteRow;
use crate::schema::quotes;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use serde::Deserialize;
use service_kit::http::SearchText;
use service_kit::{
    Amount, Currency, Cursor, Discount, Limit, Page, Result, Sight, Sort, keyset_page, owned_by, visible,
};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct QuotesQuery {
    /// Finds the text anywhere in number or title.
    pub q: Option<SearchText>,
    /// As it stands today: a sent quote whose last day has passed has expired.
    #[param(inline)]
    pub state: Option<QuoteState>,
    pub customer_id: Option<Uuid>,
    pub deal_id: Option<Uuid>,
    /// All versions of a quote: the id of the first.
    pub root_id: Option<Uuid>,
    /// `true`: only the newest version of each quote; `false`: only the earlier ones.
    pub newest: Option<bool>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    /// `true`: quotes of nobody; `false`: those of somebody.
    pub unowned: Option<bool>,
    /// `true`: quotes of no team; `false`: those of one.
    pub teamless: Option<bool>,
    #[param(inline)]
    pub currency: Option<Currency>,
    /// Valid until this day or later.
    pub valid_from: Option<NaiveDate>,
    /// Valid until this day or earlier.
    pub valid_to: Option<NaiveDate>,
    /// With a line at least so far below its list price.
    #[param(inline)]
    pub discount_from: Option<Discount>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, `valid_until`, `title` or `net`, with `-` for descending.
    pub sort: Option<Sort>,
}

pub fn page(conn: &mut PgConnection, sight: &Sight, today: NaiveDate, query: &QuotesQuery) -> Result<Page<Quote>> {
    let mut rows = quotes::table
        .select(QuoteRow::as_select())
        .filter(visible!(sight, quotes))
        .into_boxed();
    if let Some(q) = &query.q {
        // As the index has it.
        let text = diesel::dsl::sql::<Bool>("(coalesce(quotes.number, '') || ' ' || quotes.title) ILIKE ");
        rows = rows.filter(text.bind::<Text, _>(q.contains()));
    }
    rows = match query.state {
        Some(QuoteState::Sent) => rows.filter(quotes::state.eq(QuoteState::Sent).and(quotes::valid_until.ge(today))),
        Some(QuoteState::Expired) => rows.filter(
            quotes::state
                .eq(QuoteState::Expired)
                .or(quotes::state.eq(QuoteState::Sent).and(quotes::valid_until.lt(today))),
        ),
        Some(state) => rows.filter(quotes::state.eq(state)),
        None => rows,
    };
    if let Some(customer) = query.customer_id {
        rows = rows.filter(quotes::customer_id.eq(customer));
    }
    if let Some(deal) = query.deal_id {
        rows = rows.filter(quotes::deal_id.eq(deal));
    }
    if let Some(root) = query.root_id {
        rows = rows.filter(quotes::root_id.eq(root));
    }
    rows = match query.newest {
        Some(true) => rows.filter(quotes::superseded_by.is_null()),
        Some(false) => rows.filter(quotes::superseded_by.is_not_null()),
        None => rows,
    };
    rows = owned_by!(rows, quotes, query);
    if let Some(currency) = query.currency {
        rows = rows.filter(quotes::currency.eq(currency));
    }
    if let Some(from) = query.valid_from {
        rows = rows.filter(quotes::valid_until.ge(from));
    }
    if let Some(to) = query.valid_to {
        rows = rows.filter(quotes::valid_until.le(to));
    }
    if let Some(discount) = query.discount_from {
        rows = rows.filter(quotes::greatest_discount.ge(discount));
    }
    let page: Result<Page<QuoteRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: quotes::id as Uuid => |row: &QuoteRow| row.id, [
        "created_at" => quotes::created_at as DateTime<Utc> => |row: &QuoteRow| row.created_at,
        "valid_until" => quotes::valid_until as NaiveDate => |row: &QuoteRow| row.valid_until,
        "title" => quotes::title as String => |row: &QuoteRow| row.title.clone(),
        "net" => quotes::net as Amount => |row: &QuoteRow| row.net,
    ]);
    let mut page = page?;
    for row in &mut page.items {
        as_of_today(row, today);
    }
    let stored = queries::with_parts(conn, page.items)?;
    Ok(Page {
        items: stored.iter().map(|quote| quote.wire()).collect::<Result<_>>()?,
        next_cursor: page.next_cursor,
    })
}
