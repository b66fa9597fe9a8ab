//! How deals go: the funnel of those that were opened in a period, and why those that were closed in one
//! were won or lost. Figures are in the company's currency: an open deal at today's rate, a closed one at
//! that of the day it closed, as the list of deals shows them.

mod facts;
mod funnel;
mod rows;
mod win_loss;

use super::asked::{Period, Refused, Rows};
use chrono::NaiveDate;
use serde::Deserialize;
use service_kit::http::SearchText;
use service_kit::{Cursor, Limit, Problem, Routes, text_enum};
use utoipa::IntoParams;
use uuid::Uuid;

text_enum! {
    /// What figures of deals are broken down by.
    DealsBy {
        Owner = "owner",
        Team = "team",
        Source = "source",
        Campaign = "campaign",
        Pipeline = "pipeline",
        Customer = "customer",
        /// Why it was lost.
        Reason = "reason",
        /// Whom it was lost to.
        Competitor = "competitor",
        /// In which it was opened (funnel) or closed (win and loss).
        Month = "month",
    }
}

/// What is asked for, with nothing left open.
#[derive(Debug, Clone)]
struct Asked {
    period: Period,
    by: DealsBy,
    key: Option<String>,
    pipeline_id: Option<Uuid>,
    owner_id: Option<Uuid>,
    team_id: Option<Uuid>,
    source: Option<String>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DealFiguresQuery {
    /// First day on which deals were opened or closed; that of the month eleven months before the last one
    /// when absent.
    from: Option<NaiveDate>,
    /// Last such day; today when absent. At most five years after `from`.
    to: Option<NaiveDate>,
    /// Absent: `pipeline` for the funnel, `reason` for win and loss.
    #[param(inline)]
    by: Option<DealsBy>,
    /// Only this group of `by`: an id, a word, a month such as `2026-11`, or `none`.
    key: Option<SearchText>,
    pipeline_id: Option<Uuid>,
    owner_id: Option<Uuid>,
    team_id: Option<Uuid>,
    source: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
}

impl Asked {
    fn of(query: &DealFiguresQuery, otherwise: DealsBy, today: NaiveDate) -> Result<Self, Problem> {
        let mut refused = Refused::default();
        let period = Period::of(query.from, query.to, today, &mut refused);
        if query.key.is_some() && query.by.is_none() {
            refused.add("key", "only with by");
        }
        refused.check()?;
        Ok(Asked {
            period,
            by: query.by.unwrap_or(otherwise),
            key: query.key.as_ref().map(|key| key.as_str().to_owned()),
            pipeline_id: query.pipeline_id,
            owner_id: query.owner_id,
            team_id: query.team_id,
            source: query.source.as_ref().map(|source| source.as_str().to_owned()),
            limit: query.limit,
            cursor: query.cursor.clone(),
        })
    }

    /// The deals of a group, or of all that is asked for.
    fn rows(&self, path: &str, key: Option<&str>) -> Rows {
        let key = key.or(self.key.as_deref());
        Rows::at(path, self.period)
            .with_some("by", key.map(|_| self.by))
            .with_some("key", key)
            .with_some("pipeline_id", self.pipeline_id)
            .with_some("owner_id", self.owner_id)
            .with_some("team_id", self.team_id)
            .with_some("source", self.source.as_deref())
    }
}

pub fn routes(routes: &mut Routes) {
    funnel::routes(routes);
    win_loss::routes(routes);
}
