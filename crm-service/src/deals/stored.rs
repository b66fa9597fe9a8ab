//! A deal as it is stored: its row, its lines, its steps, and how it is shown.

use super::model::{Deal, DealLine};
use super::pipelines::model::StageRow;
use super::pipelines::queries::Way;
use super::status::DealState;
use super::steps;
use crate::schema::{deal_lines, deal_steps, deals};
use chrono::{DateTime, Days, NaiveDate, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::decimal::Fraction;
use service_kit::{Amount, Currency, Discount, Error, Owned, Problem, Quantity, Result, UnitPrice};
use uuid::Uuid;

use super::pipelines::model::StepEvidence;

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = deals, treat_none_as_null = true)]
pub struct DealRow {
    pub id: Uuid,
    pub name: String,
    pub customer_id: Uuid,
    pub contact_id: Option<Uuid>,
    pub pipeline_id: Uuid,
    pub stage_id: Uuid,
    pub stage_key: String,
    pub state: DealState,
    pub currency: Currency,
    pub amount: Option<Amount>,
    pub amount_given: bool,
    pub probability: Fraction,
    pub weighted_amount: Option<Amount>,
    pub expected_close_on: Option<NaiveDate>,
    pub source: Option<String>,
    pub campaign: Option<String>,
    pub next_step: Option<String>,
    pub next_step_on: Option<NaiveDate>,
    pub loss_reason: Option<String>,
    pub competitor: Option<String>,
    pub competitor_id: Option<Uuid>,
    pub closed_on: Option<NaiveDate>,
    pub base_amount: Option<Amount>,
    pub base_currency: Option<Currency>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub stage_entered_at: DateTime<Utc>,
    pub ages_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = deal_lines)]
pub struct LineRow {
    pub id: Uuid,
    pub deal_id: Uuid,
    pub position: i32,
    pub product_id: Uuid,
    pub quantity: Quantity,
    pub unit_price: Option<UnitPrice>,
    pub price_given: bool,
    pub discount: Discount,
    pub line_total: Option<Amount>,
}

/// A step that was completed.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = deal_steps)]
pub struct StepRow {
    pub deal_id: Uuid,
    pub step: String,
    pub evidence: StepEvidence,
    pub evidence_id: Option<Uuid>,
    pub completed_at: DateTime<Utc>,
    pub completed_by: String,
}

/// A deal as it is stored, with its lines in order and the way that it is on.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDeal {
    pub row: DealRow,
    pub lines: Vec<LineRow>,
    pub steps: Vec<StepRow>,
    pub way: Way,
}

impl StoredDeal {
    pub fn owned(&self) -> Owned {
        Owned {
            owner_id: self.row.owner_id,
            team_id: self.row.team_id,
        }
    }

    /// The stage that it is in.
    ///
    /// # Errors
    /// When it is none of its way, which the database refuses.
    pub fn stage(&self) -> Result<&StageRow> {
        let stage = self.way.stages.iter().find(|stage| stage.id == self.row.stage_id);
        stage.ok_or_else(|| Error::Bug(format!("the deal {} is in no stage of its way", self.row.id)))
    }

    /// Enters a stage of `way`.
    pub fn enter(&mut self, stage: &StageRow, at: DateTime<Utc>) {
        self.row.stage_id = stage.id;
        self.row.stage_key.clone_from(&stage.key);
        self.row.probability = stage.probability;
        self.row.stage_entered_at = at;
        self.row.ages_at = ages_at(stage, at);
    }

    /// Computes the amount, unless somebody named it, and what it weighs.
    ///
    /// A line without a price leaves the sum unknown: what is known of it would be too little.
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
            line.line_total = total.map(|total| money(currency, total)).transpose()?;
        }
        if !self.row.amount_given {
            let known: Option<Decimal> = self
                .lines
                .iter()
                .map(|line| line.line_total.map(Amount::value))
                .sum::<Option<Decimal>>();
            let known = known.filter(|_| !self.lines.is_empty());
            self.row.amount = known.map(|sum| money(currency, sum)).transpose()?;
        }
        let weighted = self
            .row
            .amount
            .map(|amount| amount.value() * self.row.probability.value());
        self.row.weighted_amount = weighted.map(|weighted| money(currency, weighted)).transpose()?;
        Ok(())
    }

    /// Counts one more change.
    pub fn count_change(&mut self, now: DateTime<Utc>) {
        self.row.version += 1;
        self.row.revision += 1;
        self.row.updated_at = now;
    }

    /// The deal as it is shown.
    ///
    /// # Errors
    /// When it is in no stage of its way, which is a bug.
    pub fn wire(&self) -> Result<Deal> {
        let (row, stage) = (&self.row, self.stage()?);
        let currency = row.currency;
        let shown = |amount: Option<Amount>, currency: Currency| {
            amount.and_then(|amount| Amount::money(currency, amount.value()))
        };
        let lines = self.lines.iter().map(|line| DealLine {
            id: line.id,
            position: line.position,
            product_id: line.product_id,
            quantity: line.quantity,
            unit_price: line.unit_price,
            price_given: line.price_given,
            discount: line.discount,
            line_total: shown(line.line_total, currency),
        });
        Ok(Deal {
            id: row.id,
            name: row.name.clone(),
            customer_id: row.customer_id,
            contact_id: row.contact_id,
            state: row.state,
            pipeline_id: row.pipeline_id,
            pipeline_version: self.way.number,
            stage: row.stage_key.clone(),
            stage_name: stage.name.clone(),
            stage_entered_at: row.stage_entered_at,
            ages_at: row.ages_at.filter(|_| row.state == DealState::Open),
            next_stages: match row.state {
                DealState::Open => stage.next_stages.clone(),
                DealState::Won | DealState::Lost => Vec::new(),
            },
            currency,
            amount: shown(row.amount, currency),
            amount_given: row.amount_given,
            probability: row.probability,
            weighted_amount: shown(row.weighted_amount, currency),
            expected_close_on: row.expected_close_on,
            source: row.source.clone(),
            campaign: row.campaign.clone(),
            next_step: row.next_step.clone(),
            next_step_on: row.next_step_on,
            loss_reason: row.loss_reason.clone(),
            competitor: row.competitor.clone(),
            competitor_id: row.competitor_id,
            closed_on: row.closed_on,
            base_amount: row.base_currency.and_then(|base| shown(row.base_amount, base)),
            base_currency: row.base_currency,
            owner_id: row.owner_id,
            team_id: row.team_id,
            lines: lines.collect(),
            steps: steps::shown(self),
            allowed_actions: row.state.allowed_actions().to_vec(),
            version: row.version,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// When a deal that entered a stage has been there for too long.
pub fn ages_at(stage: &StageRow, entered_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let days = u64::try_from(stage.ageing_days?).ok()?;
    entered_at.checked_add_days(Days::new(days))
}

/// A sum, rounded to the currency's minor unit.
///
/// # Errors
/// 422 `out_of_range`.
pub fn money(currency: Currency, value: Decimal) -> Result<Amount, Problem> {
    Amount::new(currency.round(value)).map_err(|_| Problem::rule("out_of_range", "the amount is too large"))
}
