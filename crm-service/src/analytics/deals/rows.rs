//! The deals that figures are made of.

use crate::analytics::figure::money;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde::Serialize;
use service_kit::{Amount, Currency, Result};
use utoipa::ToSchema;
use uuid::Uuid;

/// A deal of a figure.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DealOfFigure {
    pub deal_id: Uuid,
    pub name: String,
    pub customer_id: Uuid,
    pub pipeline_id: Uuid,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub source: Option<String>,
    /// `open`, `won` or `lost`.
    pub state: String,
    pub opened_on: NaiveDate,
    pub closed_on: Option<NaiveDate>,
    /// Code of the reason that it was lost for.
    pub reason: Option<String>,
    pub competitor: Option<String>,
    pub currency: Currency,
    pub amount: Option<Amount>,
    /// In the company's currency; `null` without an amount or a rate.
    pub value: Option<Amount>,
    /// Funnel: time in the stage so far.
    pub seconds: Option<i64>,
    /// Funnel: what became of it in the stage.
    pub outcome: Option<String>,
    /// The state that this is of.
    pub as_of: DateTime<Utc>,
}

#[derive(Debug, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = SqlUuid)]
    customer_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pipeline_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    owner_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    team_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    source: Option<String>,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Date)]
    opened_on: NaiveDate,
    #[diesel(sql_type = Nullable<Date>)]
    closed_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    loss_reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    competitor: Option<String>,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = Nullable<Numeric>)]
    amount: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    worth: Option<Decimal>,
    #[diesel(sql_type = Nullable<BigInt>)]
    seconds: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    outcome: Option<String>,
}

impl Row {
    pub fn shown(self, base: Currency, as_of: DateTime<Utc>) -> Result<DealOfFigure> {
        Ok(DealOfFigure {
            deal_id: self.id,
            name: self.name,
            customer_id: self.customer_id,
            pipeline_id: self.pipeline_id,
            owner_id: self.owner_id,
            team_id: self.team_id,
            source: self.source,
            state: self.state,
            opened_on: self.opened_on,
            closed_on: self.closed_on,
            reason: self.loss_reason,
            competitor: self.competitor,
            currency: self.currency,
            amount: self.amount.map(|amount| money(self.currency, amount)).transpose()?,
            value: self.worth.map(|worth| money(base, worth)).transpose()?,
            seconds: self.seconds,
            outcome: self.outcome,
            as_of,
        })
    }
}
