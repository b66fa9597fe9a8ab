//! A quote as it is stored: its row, its lines and approvals, and how it is shown.

use super::content;
use super::model::{Quote, QuoteApproval, QuoteLine};
use super::status::{ApprovalState, QuoteState, Standing};
use crate::catalogue::PriceTrace;
use crate::json::AsJson;
use crate::schema::{quote_approvals, quote_lines, quotes};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};
use service_kit::{Amount, Currency, Discount, Error, Owned, Problem, Quantity, Result, Total, UnitPrice};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = quotes, treat_none_as_null = true)]
pub struct QuoteRow {
    pub id: Uuid,
    pub root_id: Uuid,
    pub version_number: i32,
    pub supersedes_id: Option<Uuid>,
    pub superseded_by: Option<Uuid>,
    pub number: Option<String>,
    pub title: String,
    pub state: QuoteState,
    pub customer_id: Uuid,
    pub contact_id: Option<Uuid>,
    pub deal_id: Option<Uuid>,
    pub currency: Currency,
    pub language: Option<String>,
    pub valid_until: NaiveDate,
    pub requested_date: Option<NaiveDate>,
    pub introduction: Option<String>,
    pub terms: Option<String>,
    pub net: Amount,
    pub greatest_discount: Discount,
    pub makers: Vec<Uuid>,
    pub content_hash: Option<String>,
    pub sent_at: Option<DateTime<Utc>>,
    pub sent_by: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
    pub decision_note: Option<String>,
    pub order_id: Option<Uuid>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = quote_lines)]
pub struct LineRow {
    pub id: Uuid,
    pub quote_id: Uuid,
    pub position: i32,
    pub product_id: Uuid,
    pub sku: String,
    pub name: String,
    pub unit: String,
    pub quantity: Quantity,
    pub unit_price: Option<UnitPrice>,
    pub price_given: bool,
    pub list_price: Option<UnitPrice>,
    pub discount: Discount,
    pub line_total: Option<Amount>,
    pub price_trace: Option<AsJson<PriceTrace>>,
}

impl LineRow {
    /// How much the line is below the list price, rounded up to what a limit can say: so it is more
    /// than a limit exactly when the line is.
    pub fn discount_from_list(&self) -> Discount {
        let (Some(price), Some(list)) = (self.unit_price, self.list_price) else {
            return self.discount;
        };
        let paid = price.value() * (Decimal::ONE - self.discount.value());
        let Some(share) = paid.checked_div(list.value()) else {
            // Nothing is less than a list price of nothing.
            return Discount::ZERO;
        };
        let discount = (Decimal::ONE - share).max(Decimal::ZERO);
        let rounded = discount.round_dp_with_strategy(4, RoundingStrategy::ToPositiveInfinity);
        Discount::new(rounded).unwrap_or(Discount::ZERO)
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = quote_approvals)]
pub struct ApprovalRow {
    pub id: Uuid,
    pub quote_id: Uuid,
    pub state: ApprovalState,
    pub content_hash: String,
    pub discount: Discount,
    pub note: Option<String>,
    pub requested_by_id: Uuid,
    pub requested_by: String,
    pub requested_at: DateTime<Utc>,
    pub decided_by_id: Option<Uuid>,
    pub decided_by: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
    pub decision_note: Option<String>,
}

/// A quote as it is stored, with its lines in order and its approvals, the oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredQuote {
    pub row: QuoteRow,
    pub lines: Vec<LineRow>,
    pub approvals: Vec<ApprovalRow>,
}

impl StoredQuote {
    pub fn owned(&self) -> Owned {
        Owned {
            owner_id: self.row.owner_id,
            team_id: self.row.team_id,
        }
    }

    pub fn standing(&self) -> Standing {
        Standing {
            state: self.row.state,
            superseded: self.row.superseded_by.is_some(),
        }
    }

    /// Whether it was sent and its last day has passed.
    pub fn has_expired(&self, today: NaiveDate) -> bool {
        self.row.state == QuoteState::Sent && self.row.valid_until < today
    }

    /// Computes line totals, their sum and the greatest discount.
    ///
    /// # Errors
    /// 422 `out_of_range` when the sum is too large.
    pub fn weigh(&mut self) -> Result<(), Problem> {
        let currency = self.row.currency;
        for line in &mut self.lines {
            let total = line
                .unit_price
                .map(|price| currency.line_total(line.quantity, price, line.discount))
                .transpose()?;
            line.line_total = total.map(Amount::new).transpose().map_err(|_| too_large())?;
        }
        let totals = self.lines.iter().filter_map(|line| line.line_total.map(Amount::value));
        self.row.net = Total::of_lines(currency, totals)?.net;
        let discounts = self.lines.iter().map(LineRow::discount_from_list);
        self.row.greatest_discount = discounts.max().unwrap_or_default();
        Ok(())
    }

    /// Counts one more change.
    pub fn count_change(&mut self, now: DateTime<Utc>) {
        self.row.version += 1;
        self.row.revision += 1;
        self.row.updated_at = now;
    }

    /// The approval that was given for the quote as it is.
    pub fn approval(&self) -> Option<&ApprovalRow> {
        let content = content::hash(self, None);
        let mut approvals = self.approvals.iter().rev();
        approvals.find(|approval| approval.state == ApprovalState::Approved && approval.content_hash == content)
    }

    /// The quote as it is shown.
    ///
    /// # Errors
    /// When a stored sum is out of range, which is a bug.
    pub fn wire(&self) -> Result<Quote> {
        let row = &self.row;
        let content = content::hash(self, None);
        let lines = self.lines.iter().map(|line| QuoteLine {
            id: line.id,
            position: line.position,
            product_id: line.product_id,
            sku: line.sku.clone(),
            name: line.name.clone(),
            unit: line.unit.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            price_given: line.price_given,
            list_price: line.list_price,
            discount: line.discount,
            discount_from_list: line.discount_from_list(),
            line_total: line
                .line_total
                .and_then(|total| Amount::money(row.currency, total.value())),
            price_trace: line.price_trace.clone().map(|trace| trace.0),
        });
        let approvals = self.approvals.iter().map(|approval| QuoteApproval {
            id: approval.id,
            state: approval.state,
            discount: approval.discount,
            current: approval.content_hash == content,
            note: approval.note.clone(),
            requested_by: approval.requested_by.clone(),
            requested_at: approval.requested_at,
            decided_by: approval.decided_by.clone(),
            decided_at: approval.decided_at,
            decision_note: approval.decision_note.clone(),
        });
        let total = Total::new(row.currency, row.net.value());
        Ok(Quote {
            id: row.id,
            root_id: row.root_id,
            version_number: row.version_number,
            supersedes_id: row.supersedes_id,
            superseded_by: row.superseded_by,
            number: row.number.clone(),
            title: row.title.clone(),
            state: row.state,
            customer_id: row.customer_id,
            contact_id: row.contact_id,
            deal_id: row.deal_id,
            currency: row.currency,
            language: row.language.clone(),
            valid_until: row.valid_until,
            requested_date: row.requested_date,
            introduction: row.introduction.clone(),
            terms: row.terms.clone(),
            lines: lines.collect(),
            total: total.ok_or_else(|| Error::Bug("a stored sum is out of range".to_owned()))?,
            greatest_discount: row.greatest_discount,
            approvals: approvals.collect(),
            content_hash: row.content_hash.clone(),
            sent_at: row.sent_at,
            sent_by: row.sent_by.clone(),
            decided_at: row.decided_at,
            decision_note: row.decision_note.clone(),
            order_id: row.order_id,
            owner_id: row.owner_id,
            team_id: row.team_id,
            allowed_actions: self.standing().allowed_actions().to_vec(),
            version: row.version,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn too_large() -> Problem {
    Problem::rule("out_of_range", "the total is too large")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(price: &str, list: Option<&str>, discount: &str) -> LineRow {
        LineRow {
            id: Uuid::nil(),
            quote_id: Uuid::nil(),
            position: 1,
            product_id: Uuid::nil(),
            sku: "TEA".into(),
            name: "Tea".into(),
            unit: "pcs".into(),
            quantity: "1".parse().unwrap(),
            unit_price: Some(price.parse().unwrap()),
            price_given: true,
            list_price: list.map(|list| list.parse().unwrap()),
            discount: discount.parse().unwrap(),
            line_total: None,
            price_trace: None,
        }
    }

    #[test]
    fn a_discount_is_what_is_paid_below_the_list_price() {
        for (price, list, discount, expected) in [
            ("10", Some("10"), "0", "0"),
            ("9", Some("10"), "0", "0.1"),
            // 9 × 0.9 = 8.1 of 10
            ("9", Some("10"), "0.1", "0.19"),
            // 1 of 3 less is 0.33333…, and more than 0.3333
            ("2", Some("3"), "0", "0.3334"),
            ("12", Some("10"), "0", "0"),
            ("12", Some("10"), "0.5", "0.4"),
            ("5", None, "0.05", "0.05"),
            ("0", Some("0"), "0.5", "0"),
        ] {
            let line = line(price, list, discount);
            assert_eq!(
                line.discount_from_list().to_string(),
                expected,
                "{price} {list:?} {discount}"
            );
        }
    }
}
