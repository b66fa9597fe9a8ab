//! Credit facts: what the ERP says of a customer's tier, limit, holds and balance. A replica.
//!
//! The sync puts them here, newest version wins. They show as `credit` in the customer and raise
//! its `revision`, for the `ETag`, but not its `version`: the customer as the CRM owns it did not
//! change, so no event goes out.

use crate::customers::model::Customer;
use crate::customers::timeline::{self, Entry, TimelineSource};
use crate::customers::{merge, queries};
use crate::json::AsJson;
use crate::may;
use crate::schema::customer_credits;
use actix_web::put;
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_kit::http::IdPath;
use service_kit::{Amount, Answer, Body, Command, Currency, Error, Faults, Path, Problem, Result, Routes, Tx};
use utoipa::ToSchema;
use uuid::Uuid;

/// Credit facts as the ERP tells them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerCreditIn {
    /// Version of the ERP's part: newer applies, equal or older changes nothing.
    #[schema(minimum = 1)]
    pub source_version: i64,
    /// Apply whatever the version: for a resync.
    #[serde(default)]
    pub replace: bool,
    /// What is in force.
    #[schema(min_length = 1, max_length = 60)]
    pub tier: Option<String>,
    /// Which tier was or will be in force from which day on. Absent: the one above, on every day.
    #[schema(max_items = 500)]
    pub tiers: Option<Vec<DatedTier>>,
    /// Absent is unlimited, 0 is prepayment.
    pub credit_limit: Option<Amount>,
    pub credit_currency: Option<Currency>,
    pub credit_hold: bool,
    #[schema(max_length = 1000)]
    pub credit_hold_reason: Option<String>,
    pub blocked: bool,
    #[schema(max_length = 1000)]
    pub blocked_reason: Option<String>,
    /// What the customer may cost us, in `credit_currency`. Absent, as in the ERP's list of customers: this and what
    /// follows stays as it is known.
    pub exposure: Option<Amount>,
    /// What the exposure consists of.
    pub exposure_parts: Option<ExposureParts>,
    /// Open invoices less unallocated receipts and credit notes, in `credit_currency`.
    pub open_balance: Option<Amount>,
    /// Days that the oldest open invoice was overdue when the ERP said so.
    #[schema(minimum = 0)]
    pub overdue_days: Option<i64>,
    /// When the ERP knew it.
    pub as_of: DateTime<Utc>,
}

/// What an exposure consists of, in `credit_currency`. What is not listed here is ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExposureParts {
    /// Still to be invoiced of confirmed orders, gross.
    pub orders: Amount,
    /// Open invoices.
    pub invoices: Amount,
    /// Unallocated receipts and credit notes; not positive.
    pub credits: Amount,
    /// Advances that no invoice has cleared; not positive.
    pub advances: Amount,
    /// Currencies without a rate: what is in them is not in the sums.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub rates_missing: Vec<Currency>,
}

/// The tier from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DatedTier {
    /// `null`: from ever.
    pub from: Option<NaiveDate>,
    /// `null`: none, which is the base list.
    #[schema(min_length = 1, max_length = 60)]
    pub tier: Option<String>,
}

/// A customer's tiers, as the ERP last told them.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct Tiers {
    now: Option<String>,
    dated: Option<AsJson<Vec<DatedTier>>>,
}

impl Tiers {
    /// The tier whose prices apply on a day.
    pub fn on(&self, day: NaiveDate) -> Option<&str> {
        let Some(AsJson(dated)) = &self.dated else {
            return self.now.as_deref();
        };
        let in_force = dated.iter().filter(|dated| dated.from.is_none_or(|from| from <= day));
        in_force
            .max_by_key(|dated| dated.from)
            .and_then(|dated| dated.tier.as_deref())
    }
}

/// What the ERP says of a customer's credit.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CustomerCredit {
    /// The tier whose prices applied at `as_of`.
    pub tier: Option<String>,
    /// Whose prices apply on which day: each from its day on. `null`: the one above, on every day.
    pub tiers: Option<Vec<DatedTier>>,
    /// `null` is unlimited, 0 is prepayment.
    pub credit_limit: Option<Amount>,
    pub credit_currency: Option<Currency>,
    pub credit_hold: bool,
    pub credit_hold_reason: Option<String>,
    pub blocked: bool,
    pub blocked_reason: Option<String>,
    /// What the customer may cost us, in `credit_currency`; this and what follows is `null` until the ERP has told it.
    pub exposure: Option<Amount>,
    pub exposure_parts: Option<ExposureParts>,
    /// Open invoices less unallocated receipts and credit notes, in `credit_currency`.
    pub open_balance: Option<Amount>,
    /// Days that the oldest open invoice was overdue at `as_of`.
    pub overdue_days: Option<i64>,
    pub source_version: i64,
    pub as_of: DateTime<Utc>,
}

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = customer_credits, primary_key(customer_id), treat_none_as_null = true)]
pub struct CreditRow {
    pub customer_id: Uuid,
    tier: Option<String>,
    credit_limit: Option<Amount>,
    credit_currency: Option<Currency>,
    credit_hold: bool,
    credit_hold_reason: Option<String>,
    blocked: bool,
    blocked_reason: Option<String>,
    exposure: Option<Amount>,
    exposure_parts: Option<AsJson<ExposureParts>>,
    open_balance: Option<Amount>,
    overdue_days: Option<i64>,
    source_version: i64,
    as_of: DateTime<Utc>,
    tiers: Option<AsJson<Vec<DatedTier>>>,
}

impl From<CreditRow> for CustomerCredit {
    fn from(row: CreditRow) -> Self {
        // Shown with the minor digits of its currency.
        let shown = |amount: Option<Amount>| {
            let money = amount.zip(row.credit_currency);
            let shown = money.and_then(|(amount, currency)| Amount::money(currency, amount.value()));
            shown.or(amount)
        };
        CustomerCredit {
            credit_limit: shown(row.credit_limit),
            exposure: shown(row.exposure),
            open_balance: shown(row.open_balance),
            tier: row.tier,
            tiers: row.tiers.map(|AsJson(tiers)| tiers),
            credit_currency: row.credit_currency,
            credit_hold: row.credit_hold,
            credit_hold_reason: row.credit_hold_reason,
            blocked: row.blocked,
            blocked_reason: row.blocked_reason,
            exposure_parts: row.exposure_parts.map(|AsJson(parts)| ExposureParts {
                orders: shown(Some(parts.orders)).unwrap_or_default(),
                invoices: shown(Some(parts.invoices)).unwrap_or_default(),
                credits: shown(Some(parts.credits)).unwrap_or_default(),
                advances: shown(Some(parts.advances)).unwrap_or_default(),
                rates_missing: parts.rates_missing,
            }),
            overdue_days: row.overdue_days,
            source_version: row.source_version,
            as_of: row.as_of,
        }
    }
}

pub fn routes(routes: &mut Routes) {
    routes.add(apply_customer_credit);
}

/// Apply the ERP's credit facts; answers with the customer as it then is.
#[utoipa::path(tag = "replicas", params(IdPath), request_body = CustomerCreditIn, security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "The customer", body = Customer)))]
#[put("/customers/{id}/credit")]
async fn apply_customer_credit(
    command: Command<may::ApplyCredit>,
    path: Path<IdPath>,
    body: Body<CustomerCreditIn>,
) -> Result<Answer, Problem> {
    command.run(move |tx| apply(tx, path.id, &body.0)).await
}

pub fn apply(tx: &mut Tx<'_>, customer_id: Uuid, input: &CustomerCreditIn) -> Result<Customer> {
    check(input)?;
    let missing = || Problem::reference_missing("customer", customer_id);
    let survivor = merge::survivor(tx, customer_id)?.ok_or_else(missing)?;
    if survivor != customer_id {
        // The ERP tells the survivor's facts, which are of both, by themselves.
        let sight = tx.sight();
        return queries::get(tx, &sight, survivor);
    }
    let before = queries::lock(tx, customer_id)?;
    let known = before.credit.as_ref();
    if input.source_version <= known.map_or(0, |known| known.source_version) && !input.replace {
        return Ok(before);
    }
    let parts = input.exposure_parts.as_ref();
    let parts = parts.or(known.and_then(|known| known.exposure_parts.as_ref()));
    let row = CreditRow {
        customer_id,
        tier: input.tier.clone(),
        credit_limit: input.credit_limit,
        credit_currency: input.credit_currency,
        credit_hold: input.credit_hold,
        credit_hold_reason: input.credit_hold_reason.clone(),
        blocked: input.blocked,
        blocked_reason: input.blocked_reason.clone(),
        exposure: input.exposure.or(known.and_then(|known| known.exposure)),
        exposure_parts: parts.cloned().map(AsJson),
        open_balance: input.open_balance.or(known.and_then(|known| known.open_balance)),
        overdue_days: input.overdue_days.or(known.and_then(|known| known.overdue_days)),
        source_version: input.source_version,
        as_of: input.as_of.trunc_subsecs(6),
        tiers: input.tiers.clone().map(AsJson),
    };
    store(tx, &row)?;
    let mut after = before.clone();
    after.credit = Some(row.into());
    if after == before {
        return Ok(before);
    }
    after.core.revision += 1;
    after.core.updated_at = tx.now();
    queries::update(tx, &after.core)?;
    tx.audit(Some(&before), &after)?;
    tell(tx, &before, &after)?;
    Ok(after)
}

fn check(input: &CustomerCreditIn) -> Result<()> {
    let mut faults = Faults::default();
    if let Some(limit) = input.credit_limit {
        if limit.value() < Decimal::ZERO {
            faults.add("/credit_limit", "out_of_range", "a credit limit is not negative");
        }
        if input.credit_currency.is_none() {
            faults.add("/credit_currency", "required", "a credit limit needs its currency");
        }
    }
    Ok(faults.check()?)
}

fn store(tx: &mut Tx<'_>, row: &CreditRow) -> Result<usize> {
    diesel::insert_into(customer_credits::table)
        .values(row)
        .on_conflict(customer_credits::customer_id)
        .do_update()
        .set(row)
        .execute(&mut **tx)
        .map_err(Error::from)
}

/// A line in the timeline when the terms differ. What moves the balance has lines of its own: orders, invoices and
/// payments.
fn tell(tx: &mut Tx<'_>, before: &Customer, after: &Customer) -> Result<()> {
    let Some(credit) = &after.credit else {
        return Ok(());
    };
    let facts = |credit: &CustomerCredit| CustomerCredit {
        exposure: None,
        exposure_parts: None,
        open_balance: None,
        overdue_days: None,
        source_version: 0,
        as_of: DateTime::UNIX_EPOCH,
        ..credit.clone()
    };
    if before.credit.as_ref().map(facts) == Some(facts(credit)) {
        return Ok(());
    }
    let entry = Entry {
        source: TimelineSource::Erp,
        subject_version: credit.source_version,
        occurred_at: credit.as_of,
        as_of: credit.as_of,
        ..Entry::here(tx, after.core.id, "credit_changed", after)
    };
    let entry = entry.summary(summary(credit)).data(json!({ "credit": credit }));
    Ok(timeline::add(tx, entry)?)
}

fn summary(credit: &CustomerCredit) -> String {
    let limit = match (credit.credit_limit, credit.credit_currency) {
        (Some(limit), Some(currency)) => format!("limit {limit} {currency}"),
        _ => "no limit".to_owned(),
    };
    let tier = credit.tier.as_deref().unwrap_or("none");
    let mut words = format!("Credit: {limit}, tier {tier}");
    if credit.credit_hold {
        words.push_str(", on hold");
    }
    if credit.blocked {
        words.push_str(", blocked");
    }
    words
}
