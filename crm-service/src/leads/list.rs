//! The list of leads: filters, search, order.

use super::model::{Lead, LeadRow};
use super::state::{DisqualifiedReason, LeadState};
use crate::customers::country::Country;
use crate::filter::{CustomOrder, Filter, FilterText, LEADS, Scope};
use crate::schema::leads;
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use serde::Deserialize;
use service_kit::http::SearchText;
use service_kit::{Cursor, Limit, Page, Result, Sort, keyset_page, owned_by, visible};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct LeadsQuery {
    /// Finds the text anywhere in name, company, e-mail address and telephone number.
    pub q: Option<SearchText>,
    #[param(inline)]
    pub state: Option<LeadState>,
    /// `true`: new, working and qualified ones; `false`: the others.
    pub open: Option<bool>,
    #[param(inline)]
    pub disqualified_reason: Option<DisqualifiedReason>,
    pub source: Option<SearchText>,
    pub campaign: Option<SearchText>,
    #[param(inline)]
    pub country: Option<Country>,
    pub form_id: Option<Uuid>,
    pub customer_id: Option<Uuid>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    /// `true`: leads of nobody; `false`: those of somebody.
    pub unowned: Option<bool>,
    /// `true`: leads of no team; `false`: those of some team.
    pub teamless: Option<bool>,
    #[param(minimum = -1_000_000, maximum = 1_000_000)]
    pub score_from: Option<i32>,
    #[param(minimum = -1_000_000, maximum = 1_000_000)]
    pub score_to: Option<i32>,
    pub created_from: Option<DateTime<Utc>>,
    /// Before this instant.
    pub created_to: Option<DateTime<Utc>>,
    /// Conditions in the language of filters, such as `score >= 50 and utm.source has "newsletter"`.
    #[param(inline)]
    pub filter: Option<FilterText>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at`, `label`, `score`, `last_touch_at` or `custom.<key>`, with `-` for descending.
    pub sort: Option<Sort>,
}

pub fn page(conn: &mut PgConnection, query: &LeadsQuery, scope: &Scope) -> Result<Page<Lead>> {
    let mut rows = leads::table.select(LeadRow::as_select()).into_boxed();
    rows = rows.filter(visible!(&scope.sight, leads));
    if let Some(q) = &query.q {
        // As the index says it.
        let text = "(coalesce(leads.name, '') || ' ' || coalesce(leads.company, '') || ' ' || coalesce(leads.email, '') \
                    || ' ' || coalesce(leads.phone, '')) ILIKE ";
        rows = rows.filter(sql::<Bool>(text).bind::<Text, _>(q.contains()));
    }
    if let Some(state) = query.state {
        rows = rows.filter(leads::state.eq(state));
    }
    rows = match query.open {
        Some(true) => rows.filter(leads::state.eq_any(LeadState::OPEN)),
        Some(false) => rows.filter(leads::state.ne_all(LeadState::OPEN)),
        None => rows,
    };
    if let Some(reason) = query.disqualified_reason {
        rows = rows.filter(leads::disqualified_reason.eq(reason));
    }
    if let Some(source) = &query.source {
        rows = rows.filter(leads::source.eq(source.as_str().to_owned()));
    }
    if let Some(campaign) = &query.campaign {
        rows = rows.filter(leads::campaign.eq(campaign.as_str().to_owned()));
    }
    if let Some(country) = query.country {
        rows = rows.filter(leads::country.eq(country));
    }
    if let Some(form) = query.form_id {
        rows = rows.filter(leads::form_id.eq(form));
    }
    if let Some(customer) = query.customer_id {
        rows = rows.filter(leads::customer_id.eq(customer));
    }
    rows = owned_by!(rows, leads, query);
    if let Some(from) = query.score_from {
        rows = rows.filter(leads::score.ge(from));
    }
    if let Some(to) = query.score_to {
        rows = rows.filter(leads::score.le(to));
    }
    if let Some(from) = query.created_from {
        rows = rows.filter(leads::created_at.ge(from));
    }
    if let Some(to) = query.created_to {
        rows = rows.filter(leads::created_at.lt(to));
    }
    if let Some(text) = &query.filter {
        rows = rows.filter(Filter::of(conn, &LEADS, text.as_str(), "filter")?.sql(scope));
    }
    if let Some(order) = CustomOrder::of(conn, &LEADS, query.sort.as_ref().map(Sort::as_str))? {
        let (limit, cursor) = service_kit::paging::turn(query.limit, query.cursor.as_ref());
        if let Some(cursor) = cursor {
            rows = rows.filter(order.behind(&cursor)?);
        }
        let found = rows.order(order.by()).limit(limit.plus_one()).load(conn)?;
        let page = Page::from_rows(found, limit, |row: &LeadRow| order.cursor(&row.custom_fields, row.id));
        return Ok(page.map(Lead::from));
    }
    let page: Result<Page<LeadRow>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: leads::id as Uuid => |row: &LeadRow| row.id, [
        "created_at" => leads::created_at as DateTime<Utc> => |row: &LeadRow| row.created_at,
        "label" => leads::label as String => |row: &LeadRow| row.label.clone(),
        "score" => leads::score as i32 => |row: &LeadRow| row.score,
        "last_touch_at" => leads::last_touch_at as DateTime<Utc> => |row: &LeadRow| row.last_touch_at,
    ]);
    Ok(page?.map(Lead::from))
}
