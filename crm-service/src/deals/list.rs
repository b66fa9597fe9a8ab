//! The list of deals: filters, search, order, and what each deal is worth.

use super::model::Deal;
use super::queries;
use super::status::DealState;
use super::stored::DealRow;
use super::value::{self, DealValue, Rates};
use crate::schema::deals;
use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::SearchText;
use service_kit::{Currency, Cursor, Limit, Page, Problem, Result, Sight, Sort, keyset_page, owned_by, visible};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DealsQuery {
    /// Finds the text anywhere in the name.
    pub q: Option<SearchText>,
    #[param(inline)]
    pub state: Option<DealState>,
    pub pipeline_id: Option<Uuid>,
    /// Key of the stage.
    #[param(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$")]
    pub stage: Option<String>,
    pub customer_id: Option<Uuid>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    /// `true`: deals of nobody; `false`: those of somebody.
    pub unowned: Option<bool>,
    /// `true`: deals of no team; `false`: those of one.
    pub teamless: Option<bool>,
    #[param(inline)]
    pub currency: Option<Currency>,
    pub source: Option<SearchText>,
    pub campaign: Option<SearchText>,
    /// Expected to close in this month, e.g. `2026-11`.
    #[param(
        min_length = 7,
        max_length = 7,
        pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$",
        example = "2026-11"
    )]
    pub close_month: Option<String>,
    /// Expected to close on this day or later.
    pub expected_close_from: Option<NaiveDate>,
    /// Expected to close on this day or earlier.
    pub expected_close_to: Option<NaiveDate>,
    /// `true`: deals that nobody says a date of; `false`: the others.
    pub undated: Option<bool>,
    /// Closed on this day or later.
    pub closed_from: Option<NaiveDate>,
    /// Closed on this day or earlier.
    pub closed_to: Option<NaiveDate>,
    /// Code of the reason that they were lost for.
    #[param(min_length = 1, max_length = 40, pattern = "^[a-z0-9_]+$")]
    pub loss_reason: Option<String>,
    /// `true`: open deals that were expected to close before today; `false`: the other open ones.
    pub overdue: Option<bool>,
    /// `true`: open deals whose next step was due before today; `false`: the other open ones.
    pub next_step_overdue: Option<bool>,
    /// `true`: open deals that have been in their stage for too long; `false`: the other open ones.
    pub aged: Option<bool>,
    /// `true`: deals that have a `value`, that is an amount and a rate; `false`: the others.
    pub valued: Option<bool>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, `name` or `expected_close_on`, with `-` for descending.
    pub sort: Option<Sort>,
}

/// A deal, with what it is worth.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedDeal {
    #[serde(flatten)]
    pub deal: Deal,
    /// In the company's currency: of an open deal by today's rate, of a closed one as it was when it
    /// closed. `null` without an amount or a rate.
    #[schema(required = true)]
    pub value: Option<DealValue>,
}

/// What counts as no date in the order of lists.
fn no_date() -> NaiveDate {
    NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or(NaiveDate::MAX)
}

pub fn page(conn: &mut PgConnection, sight: &Sight, today: NaiveDate, query: &DealsQuery) -> Result<Page<ListedDeal>> {
    let mut rows = deals::table
        .select(DealRow::as_select())
        .filter(visible!(sight, deals))
        .into_boxed();
    if let Some(q) = &query.q {
        rows = rows.filter(deals::name.ilike(q.contains()));
    }
    if let Some(state) = query.state {
        rows = rows.filter(deals::state.eq(state));
    }
    if let Some(pipeline) = query.pipeline_id {
        rows = rows.filter(deals::pipeline_id.eq(pipeline));
    }
    if let Some(stage) = &query.stage {
        rows = rows.filter(deals::stage_key.eq(stage.clone()));
    }
    if let Some(customer) = query.customer_id {
        rows = rows.filter(deals::customer_id.eq(customer));
    }
    rows = owned_by!(rows, deals, query);
    if let Some(currency) = query.currency {
        rows = rows.filter(deals::currency.eq(currency));
    }
    if let Some(source) = &query.source {
        rows = rows.filter(deals::source.eq(source.as_str().to_owned()));
    }
    if let Some(campaign) = &query.campaign {
        rows = rows.filter(deals::campaign.eq(campaign.as_str().to_owned()));
    }
    if let Some((first, last)) = query.close_month.as_deref().map(month).transpose()? {
        rows = rows.filter(deals::close_key.between(first, last));
    }
    if let Some(from) = query.expected_close_from {
        rows = rows.filter(deals::close_key.ge(from).and(deals::expected_close_on.is_not_null()));
    }
    if let Some(to) = query.expected_close_to {
        rows = rows.filter(deals::close_key.le(to).and(deals::expected_close_on.is_not_null()));
    }
    rows = match query.undated {
        Some(true) => rows.filter(deals::expected_close_on.is_null()),
        Some(false) => rows.filter(deals::expected_close_on.is_not_null()),
        None => rows,
    };
    if let Some(from) = query.closed_from {
        rows = rows.filter(deals::closed_on.ge(from));
    }
    if let Some(to) = query.closed_to {
        rows = rows.filter(deals::closed_on.le(to));
    }
    if let Some(reason) = &query.loss_reason {
        rows = rows.filter(deals::loss_reason.eq(reason.clone()));
    }
    let open = deals::state.eq(DealState::Open);
    rows = match query.overdue {
        Some(true) => rows.filter(open.and(deals::close_key.lt(today))),
        Some(false) => rows.filter(open.and(deals::close_key.ge(today))),
        None => rows,
    };
    rows = match query.next_step_overdue {
        Some(true) => rows.filter(open.and(deals::next_step_on.lt(today))),
        Some(false) => rows.filter(open.and(deals::next_step_on.is_null().or(deals::next_step_on.ge(today)))),
        None => rows,
    };
    let now = Utc::now();
    rows = match query.aged {
        Some(true) => rows.filter(open.and(deals::ages_at.lt(now))),
        Some(false) => rows.filter(open.and(deals::ages_at.is_null().or(deals::ages_at.ge(now)))),
        None => rows,
    };
    if let Some(valued) = query.valued {
        let rates = Rates::of_open_deals(conn, today)?;
        let (rated, _) = rates.known();
        let by_rate = open.and(deals::amount.is_not_null()).and(deals::currency.eq_any(rated));
        let kept = deals::state
            .ne(DealState::Open)
            .and(deals::base_amount.is_not_null())
            .and(deals::base_currency.is_not_distinct_from(rates.base));
        rows = match valued {
            true => rows.filter(by_rate.or(kept)),
            false => rows.filter(diesel::dsl::not(by_rate.or(kept))),
        };
    }
    let page: Result<Page<DealRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: deals::id as Uuid => |row: &DealRow| row.id, [
        "created_at" => deals::created_at as DateTime<Utc> => |row: &DealRow| row.created_at,
        "name" => deals::name as String => |row: &DealRow| row.name.clone(),
        "expected_close_on" => deals::close_key as NaiveDate =>
            |row: &DealRow| row.expected_close_on.unwrap_or_else(no_date),
    ]);
    let page = page?;
    let values = value::values(conn, &page.items, today)?;
    let stored = queries::with_parts(conn, page.items)?;
    let listed = stored.iter().zip(values).map(|(deal, value)| {
        let deal = deal.wire()?;
        Ok(ListedDeal { deal, value })
    });
    Ok(Page {
        items: listed.collect::<Result<_>>()?,
        next_cursor: page.next_cursor,
    })
}

/// First and last day of a month such as `2026-11`.
fn month(text: &str) -> Result<(NaiveDate, NaiveDate), Problem> {
    let first = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok();
    let days = first.and_then(|first| {
        let next = first.checked_add_months(Months::new(1))?;
        Some((first, next.checked_sub_days(Days::new(1))?))
    });
    days.ok_or_else(|| Problem::bad_request("invalid_parameter", "close_month: expected a month such as 2026-11"))
}
