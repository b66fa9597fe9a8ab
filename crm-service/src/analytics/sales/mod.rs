//! Sales by customer, product, category, region, owner, team or month, and the order lines behind them.

pub mod facts;
mod lines;
mod report;

use super::asked::{Period, Refused, Rows};
use chrono::NaiveDate;
use serde::Deserialize;
use service_kit::{Cursor, Limit, Problem, Routes, text_enum};
use utoipa::IntoParams;
use uuid::Uuid;

text_enum! {
    /// What sales are broken down by.
    SalesBy {
        Customer = "customer",
        Product = "product",
        /// The product's own category; rolled up, the one at the top of its tree, or with `category_id`
        /// the one right below that.
        Category = "category",
        /// The country of the customer's address: the billing one, else that of the office, else where goods go.
        Region = "region",
        /// Whose order it was at its date.
        Owner = "owner",
        /// That owner's team then.
        Team = "team",
        /// Of the order date.
        Month = "month",
    }
}

#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SalesQuery {
    /// First order date; that of the month eleven months before the last one when absent.
    pub from: Option<NaiveDate>,
    /// Last order date; today when absent. At most five years after `from`.
    pub to: Option<NaiveDate>,
    /// `month` when absent.
    #[param(inline)]
    pub by: Option<SalesBy>,
    /// Only this group of `by`: an id, a country, a month such as `2026-11`, or `none`.
    #[param(min_length = 1, max_length = 36, pattern = "^[A-Za-z0-9-]+$")]
    pub key: Option<String>,
    pub customer_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    pub category_id: Option<Uuid>,
    /// Whether a category counts with all that are below it. By category, the figures are then those of
    /// the top of the tree, or with `category_id` of its children and of what is in it directly; so they
    /// add up, and `below` leads a step down.
    pub rolled_up: Option<bool>,
    /// ISO 3166-1 alpha-2.
    #[param(min_length = 2, max_length = 2, pattern = "^[A-Z]{2}$")]
    pub country: Option<String>,
    /// Whose orders they were at their dates.
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
}

/// What is asked for, with nothing left open.
#[derive(Debug, Clone)]
pub struct Asked {
    pub period: Period,
    pub by: SalesBy,
    pub query: SalesQuery,
}

/// Where the rows of figures are.
const LINES: &str = "/v1/analytics/sales/lines";
const REPORT: &str = "/v1/analytics/sales";

impl Asked {
    /// # Errors
    /// 400 with everything that is wrong.
    pub fn of(query: &SalesQuery, today: NaiveDate) -> Result<Self, Problem> {
        let mut refused = Refused::default();
        let period = Period::of(query.from, query.to, today, &mut refused);
        if query.key.is_some() && query.by.is_none() {
            refused.add("key", "only with by");
        }
        if query.rolled_up == Some(true) && query.by != Some(SalesBy::Category) && query.category_id.is_none() {
            refused.add("rolled_up", "only by category or with category_id");
        }
        refused.check()?;
        Ok(Asked {
            period,
            by: query.by.unwrap_or(SalesBy::Month),
            query: query.clone(),
        })
    }

    /// The order lines of a group, or of all that is asked for.
    pub(in crate::analytics) fn rows(&self, key: Option<&str>) -> String {
        let key = key.or(self.query.key.as_deref());
        self.narrowed(LINES, key.map(|_| self.by), self.query.category_id)
            .with_some("key", key)
            .path()
    }

    /// The report of what is right below a category.
    fn below(&self, category: Uuid) -> String {
        self.narrowed(REPORT, Some(SalesBy::Category), Some(category)).path()
    }

    fn narrowed(&self, path: &str, by: Option<SalesBy>, category: Option<Uuid>) -> Rows {
        let query = &self.query;
        let rolled_up = query
            .rolled_up
            .filter(|_| by == Some(SalesBy::Category) || category.is_some());
        Rows::at(path, self.period)
            .with_some("by", by)
            .with_some("customer_id", query.customer_id)
            .with_some("product_id", query.product_id)
            .with_some("category_id", category)
            .with_some("rolled_up", rolled_up)
            .with_some("country", query.country.as_deref())
            .with_some("owner_id", query.owner_id)
            .with_some("team_id", query.team_id)
    }
}

/// The order lines that a figure by one dimension is made of.
pub fn rows_of(period: Period, by: SalesBy, key: &str) -> String {
    Rows::at(LINES, period).with("by", by).with("key", key).path()
}

pub fn routes(routes: &mut Routes) {
    report::routes(routes);
    lines::routes(routes);
}
