//! Settling open items: what clears how much of which item, and the lines that this posts.
//!
//! - **Cash discount**: variable consideration (IFRS 15 §50 and §51) that is taken back from revenue's side when the
//!   customer pays in time; with `discount_tax: adjust` the document's tax goes down in the same proportion.
//! - **Exchange difference**: the difference between the value at which the item was recorded and that of the money that
//!   settles it is profit or loss of the period (IAS 21 §28).
//! - **Write-off**: a difference that is not worth collecting, within the company's limit.
//!
//! Lines are built with the sign of a debit; `sign` is +1 where something owed to us is settled, −1 where we owe.

use super::amounts::{self, Pot};
use super::parties::PartyType;

use crate::company::{Company, TaxTreatment};
use crate::currencies;
pub(super) use crate::ledger::Part;
use crate::ledger::open_items::{OpenItem, Side};
use crate::ledger::{Account, Entry, Role, Rules, Sum};
use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::{Decimal, RoundingStrategy};
use service_kit::db::sql;
use service_kit::{Currency, Faults, Problem, Result, Tx};
use uuid::Uuid;

/// What is asked for one item; amounts are positive.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Where it stands in the input.
    pub pointer: String,
    pub item_id: Uuid,
    /// In the item's currency; `None`: as much as there is money for.
    pub amount: Option<Decimal>,
    /// In the currency of the money, where that is another; `None`: by the day's rate.
    pub paid: Option<Decimal>,
    /// `None`: what comes with paying in time.
    pub discount: Option<Decimal>,
    pub write_off: Option<Decimal>,
}

/// Under which conditions items are settled.
pub(super) struct Conditions<'a> {
    pub company: &'a Company,
    pub rules: &'a Rules,
    /// When the money came or went: decides on the discount and the rate.
    pub paid_on: NaiveDate,
    pub posted_on: NaiveDate,
    pub party_id: Uuid,
    /// +1 settles what is owed to us, −1 what we owe.
    pub sign: Decimal,
}

/// One item settled, before it is posted.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    pub item: OpenItem,
    /// What of the money went into it: amount and base value, positive.
    pub paid: Sum,
    /// What the item loses, with its sign.
    pub cleared: Sum,
    pub discount: Decimal,
    pub written_off: Decimal,
    /// In the base currency; a gain is positive.
    pub exchange_difference: Decimal,
    pub parts: Vec<Part>,
}

/// +1 on a side where debits raise an item, −1 where credits do.
pub(super) fn debit_sign(side: Side) -> Decimal {
    match side {
        Side::Receivable | Side::AdvancesPaid => Decimal::ONE,
        Side::Payable | Side::AdvancesReceived => Decimal::NEGATIVE_ONE,
    }
}

/// The value of an item as a debit.
pub(super) fn debit_value(item: &OpenItem) -> Decimal {
    item.open_amount * debit_sign(item.side)
}

impl Settled {
    /// Adds the lines of the item and of what goes with it.
    pub(super) fn post(&self, entry: &mut Entry, account: &Account) {
        entry.credit(account, self.cleared_as_debit()).item(self.item.id);
        self.parts.iter().for_each(|part| part.post(entry, Decimal::ONE));
    }

    pub(super) fn cleared_as_debit(&self) -> Sum {
        let sign = debit_sign(self.item.side);
        Sum {
            base: self.cleared.base * sign,
            amount: self.cleared.amount * sign,
            currency: self.cleared.currency,
        }
    }
}

/// Spends a pot on items, in the order asked. All faults together.
///
/// # Errors
/// 422 with every fault; 409 `exceeds_open`; 422 `rate_missing`.
pub(super) fn settle(
    tx: &mut Tx<'_>,
    conditions: &Conditions<'_>,
    pot: &mut Pot,
    wanted: &[Wanted],
    items: &[OpenItem],
) -> Result<Vec<Settled>> {
    let mut faults = Faults::default();
    let mut found: Vec<(&Wanted, &OpenItem)> = Vec::with_capacity(wanted.len());
    for asked in wanted {
        let Some(item) = items.iter().find(|item| item.id == asked.item_id) else {
            continue;
        };
        refuse_misfit(conditions, asked, item, &mut faults);
        found.push((asked, item));
    }
    faults.check()?;
    refuse_nothing_open(&found)?;

    let rates = rates(tx, conditions, pot.currency, &found)?;
    let amounts = amounts_of(conditions, *pot, &found, &rates);
    let mut faults = Faults::default();
    let mut planned = Vec::with_capacity(found.len());
    let mut left = pot.amount;
    for (((asked, item), amount), rate) in found.iter().zip(amounts).zip(&rates) {
        let plan = plan(conditions, asked, item, amount, (pot.currency, *rate), &mut faults)?;
        if plan.paid > left {
            let detail = format!("{} {} of the money is left", left.normalize(), pot.currency);
            faults.add(format!("{}/amount", asked.pointer), "exceeds_payment", detail);
        }
        left -= plan.paid.min(left);
        planned.push(plan);
    }
    faults.check()?;

    let mut settled = Vec::with_capacity(found.len());
    for ((_, item), plan) in found.iter().zip(planned) {
        if (plan.amount + plan.discount + plan.write_off).is_zero() {
            continue;
        }
        let paid = Sum {
            base: pot.take(plan.paid, conditions.company.base_currency),
            amount: plan.paid,
            currency: pot.currency,
        };
        settled.push(completed(tx, conditions, item, &plan, paid)?);
    }
    Ok(settled)
}

fn refuse_misfit(conditions: &Conditions<'_>, asked: &Wanted, item: &OpenItem, faults: &mut Faults) {
    let at = |field: &str| format!("{}{field}", asked.pointer);
    if item.party_id != conditions.party_id {
        let party = PartyType::of_side(item.side);
        faults.add(at(""), "other_party", format!("the item is of another {party}"));
    }
    if asked.paid.is_some() && asked.amount.is_none() {
        faults.add(at("/amount"), "required", "say how much of the item this pays");
    }
    if asked.paid.is_some_and(|paid| paid.is_sign_negative()) {
        faults.add(at("/paid"), "out_of_range", "must not be negative");
    }
    if item.posted_on > conditions.posted_on {
        let detail = format!("the item is dated {}: leave it on account until then", item.posted_on);
        faults.add(at(""), "date_before_item", detail);
    }
    let value = item.amount * debit_sign(item.side) * conditions.sign;
    if value.is_sign_negative() {
        faults.add(
            at(""),
            "wrong_direction",
            "money in settles what is owed to us, money out what we owe",
        );
    }
    for (field, given) in [
        ("/amount", asked.amount),
        ("/discount", asked.discount),
        ("/write_off", asked.write_off),
    ] {
        if given.is_some_and(|given| given.is_sign_negative() || given != item.currency.round(given)) {
            let digits = item.currency.minor_digits();
            faults.add(
                at(field),
                "out_of_range",
                format!("not below 0, and at most {digits} digits after the point"),
            );
        }
    }
}

fn refuse_nothing_open(found: &[(&Wanted, &OpenItem)]) -> Result<(), Problem> {
    match found.iter().find(|(_, item)| item.open_amount.is_zero()) {
        None => Ok(()),
        Some((_, item)) => Err(
            Problem::conflict("exceeds_open", "nothing is open of the item any more")
                .fact("open_item_id", item.id.to_string())
                .fact("open_amount", "0"),
        ),
    }
}

/// What a unit of each item's currency is worth in that of the money.
fn rates(
    tx: &mut Tx<'_>,
    conditions: &Conditions<'_>,
    money: Currency,
    found: &[(&Wanted, &OpenItem)],
) -> Result<Vec<Decimal>> {
    let mut rates = Vec::with_capacity(found.len());
    for (asked, item) in found {
        rates.push(match item.currency == money || asked.paid.is_some() {
            true => Decimal::ONE,
            false => currencies::rate(tx, item.currency, money, conditions.paid_on)?,
        });
    }
    Ok(rates)
}

/// How much money goes into each item where the input does not say: what is left of it, in the order asked. A discount
/// is taken for granted where the money does not reach for all that is open.
fn amounts_of(
    conditions: &Conditions<'_>,
    pot: Pot,
    found: &[(&Wanted, &OpenItem)],
    rates: &[Decimal],
) -> Vec<Decimal> {
    let money = |amount: Decimal, rate: Decimal| amount.checked_mul(rate).unwrap_or(pot.amount);
    let rated = || found.iter().zip(rates);
    let fixed: Decimal = rated()
        .filter_map(|((asked, _), rate)| asked.paid.or_else(|| Some(money(asked.amount?, *rate))))
        .sum();
    let open = |asked: &Wanted, item: &OpenItem| {
        (item.open_amount.abs() - asked.write_off.unwrap_or_default() - asked.discount.unwrap_or_default())
            .max(Decimal::ZERO)
    };
    let all: Decimal = rated()
        .filter(|((asked, _), _)| asked.amount.is_none())
        .map(|((asked, item), rate)| money(open(asked, item), *rate))
        .sum();
    let mut left = (pot.amount - fixed).max(Decimal::ZERO);
    let enough = left >= all;
    let mut amounts = Vec::with_capacity(found.len());
    for ((asked, item), rate) in rated() {
        if let Some(amount) = asked.amount {
            amounts.push(amount);
            continue;
        }
        let mut most = open(asked, item);
        if let (false, None, Some(discount)) = (enough, asked.discount, discount_rate(conditions, item)) {
            most -= item.currency.round(most * discount);
        }
        let affordable = match item.currency == pot.currency {
            true => left,
            false => floor(item.currency, left.checked_div(*rate).unwrap_or_default()),
        };
        let amount = most.min(affordable);
        left = (left - money(amount, *rate)).max(Decimal::ZERO);
        amounts.push(amount);
    }
    amounts
}

fn floor(currency: Currency, amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(currency.minor_digits(), RoundingStrategy::ToZero)
}

/// The discount that the item still gives.
fn discount_rate(conditions: &Conditions<'_>, item: &OpenItem) -> Option<Decimal> {
    let in_time = item.discount_until.is_some_and(|until| conditions.paid_on <= until);
    item.discount.filter(|rate| in_time && !rate.is_zero())
}

/// Amounts of one settlement, positive; `paid` in the currency of the money.
struct Plan {
    amount: Decimal,
    paid: Decimal,
    discount: Decimal,
    write_off: Decimal,
}

fn plan(
    conditions: &Conditions<'_>,
    asked: &Wanted,
    item: &OpenItem,
    amount: Decimal,
    (money, rate): (Currency, Decimal),
    faults: &mut Faults,
) -> Result<Plan> {
    let at = |field: &str| format!("{}{field}", asked.pointer);
    let open = item.open_amount.abs();
    let write_off = asked.write_off.unwrap_or_default();
    let terms = discount_rate(conditions, item);
    let usual = terms.map_or(Decimal::ZERO, |rate| {
        amounts::discount_with(item.currency, (open - write_off).max(Decimal::ZERO), rate, amount)
    });
    let discount = match asked.discount {
        None => usual,
        Some(given) => {
            let most = terms
                .map_or(Decimal::ZERO, |rate| item.currency.round((amount + given) * rate))
                .max(usual);
            if given > most {
                let (code, detail) = match terms {
                    None => ("no_discount", "no discount is given on this day".to_owned()),
                    Some(_) => (
                        "discount_exceeded",
                        format!("the discount is at most {}", most.normalize()),
                    ),
                };
                faults.add(at("/discount"), code, detail);
            }
            given
        }
    };
    refuse_write_off(conditions, asked, item, write_off, faults);
    let paid = match (item.currency == money, asked.paid) {
        (true, None) => amount,
        (true, Some(paid)) => {
            if paid != amount {
                faults.add(
                    at("/paid"),
                    "invalid_input",
                    "the item is in the currency of the money: leave it out",
                );
            }
            amount
        }
        (false, Some(paid)) => paid,
        (false, None) => currencies::convert(amount, rate, money)?,
    };
    Ok(Plan {
        amount,
        paid,
        discount,
        write_off,
    })
}

fn refuse_write_off(
    conditions: &Conditions<'_>,
    asked: &Wanted,
    item: &OpenItem,
    write_off: Decimal,
    faults: &mut Faults,
) {
    if write_off.is_zero() {
        return;
    }
    let value = amounts::share(
        item.open_base_amount.abs(),
        write_off,
        item.open_amount.abs(),
        conditions.company.base_currency,
    );
    let limit = conditions.company.write_off_limit.value();
    if value > limit {
        let base = conditions.company.base_currency;
        let detail = format!("at most {} {base} of an item may be written off", limit.normalize());
        faults.add(format!("{}/write_off", asked.pointer), "write_off_limit", detail);
    }
}

/// Puts the lines of one settlement together.
fn completed(tx: &mut Tx<'_>, conditions: &Conditions<'_>, item: &OpenItem, plan: &Plan, paid: Sum) -> Result<Settled> {
    let base = conditions.company.base_currency;
    let total = plan.amount + plan.discount + plan.write_off;
    let signum = if item.open_amount.is_sign_negative() {
        Decimal::NEGATIVE_ONE
    } else {
        Decimal::ONE
    };
    let cleared = item.share(total * signum, base)?;
    let mut parts = Vec::new();
    let discount_base = amounts::share(cleared.base.abs(), plan.discount, total, base);
    let rest = total - plan.discount;
    let written_base = match rest.is_zero() {
        true => Decimal::ZERO,
        false => amounts::share(cleared.base.abs() - discount_base, plan.write_off, rest, base),
    };
    if !plan.discount.is_zero() {
        let role = match PartyType::of_side(item.side) {
            PartyType::Customer => Role::CashDiscountGiven,
            PartyType::Supplier => Role::CashDiscountReceived,
        };
        let lost = Sum {
            base: discount_base * conditions.sign,
            amount: plan.discount * conditions.sign,
            currency: item.currency,
        };
        let treatment = conditions.company.discount_tax;
        parts.extend(lost_with_tax(
            tx,
            item,
            &conditions.rules.of(role)?,
            lost,
            base,
            treatment,
        )?);
    }
    if !plan.write_off.is_zero() {
        let account = conditions.rules.of(Role::WriteOff)?;
        let amount = plan.write_off * conditions.sign;
        parts.push(Part::new(
            &account,
            item.currency,
            amount,
            written_base * conditions.sign,
        ));
    }
    // What the money is worth more than what it settles is a gain where it is owed to us, a loss where we owe.
    let exchange_difference = (paid.base + discount_base + written_base - cleared.base.abs()) * conditions.sign;
    if !exchange_difference.is_zero() {
        let role = match exchange_difference.is_sign_negative() {
            true => Role::ExchangeLoss,
            false => Role::ExchangeGain,
        };
        let lost = -exchange_difference;
        parts.push(Part::new(&conditions.rules.of(role)?, base, lost, lost));
    }
    Ok(Settled {
        item: item.clone(),
        paid,
        cleared,
        discount: plan.discount,
        written_off: plan.write_off,
        exchange_difference,
        parts,
    })
}

#[derive(QueryableByName)]
struct TaxLine {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    tax_code: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Numeric)]
    base: Decimal,
    #[diesel(sql_type = Numeric)]
    tax_base: Decimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    tax_rate: Option<Decimal>,
    #[diesel(sql_type = Nullable<Text>)]
    tax_kind: Option<String>,
    #[diesel(sql_type = Numeric)]
    gross: Decimal,
}

/// The lines of what is lost of an item: the net part on `account`, and, where tax is adjusted, the document's tax in
/// proportion to what is lost of the document, per code, half away from zero.
pub(super) fn lost_with_tax(
    tx: &mut Tx<'_>,
    item: &OpenItem,
    account: &Account,
    lost: Sum,
    base: Currency,
    treatment: TaxTreatment,
) -> Result<Vec<Part>> {
    let lines = match treatment {
        TaxTreatment::Keep => Vec::new(),
        TaxTreatment::Adjust => tax_lines(tx, item)?,
    };
    let mut net = Part::new(account, lost.currency, lost.amount, lost.base);
    let mut parts = Vec::with_capacity(lines.len() + 1);
    for line in lines {
        let half_up = |value: Decimal, currency: Currency| {
            let exact = value
                .checked_mul(lost.amount.abs())
                .and_then(|product| product.checked_div(line.gross));
            let digits = currency.minor_digits();
            exact
                .unwrap_or_default()
                .round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
        };
        let (amount, value) = (-half_up(line.amount, lost.currency), -half_up(line.base, base));
        if amount.is_zero() && value.is_zero() {
            continue;
        }
        net.amount -= amount;
        net.base -= value;
        let account = Account {
            id: line.account_id,
            code: line.code.clone(),
            name: line.name.clone(),
            rule: Some("tax of the document".to_owned()),
        };
        parts.push(Part {
            tax_base: Some(-half_up(line.tax_base, base)),
            tax_code: Some(line.tax_code.clone()),
            tax_rate: line.tax_rate,
            tax_kind: line.tax_kind.clone(),
            ..Part::new(&account, lost.currency, amount, value)
        });
    }
    parts.insert(0, net);
    Ok(parts)
}

/// The tax that the item's document posted, by account and code, and the gross of the document.
fn tax_lines(tx: &mut Tx<'_>, item: &OpenItem) -> Result<Vec<TaxLine>> {
    let lines = sql(
        "SELECT l.account_id, a.code, a.name, l.tax_code, l.tax_rate, l.tax_kind, sum(l.amount) AS amount, sum(l.debit - l.credit) AS base,
                coalesce(sum(l.tax_base), 0) AS tax_base,
                (SELECT abs(sum(i.amount)) FROM open_items i WHERE i.document_id = $1 AND i.side = $2) AS gross
         FROM journal_entries e JOIN journal_entry_lines l ON l.entry_id = e.id JOIN accounts a ON a.id = l.account_id
         WHERE e.source_id = $3 AND e.source_type = $4 AND e.status = 'posted' AND l.tax_code IS NOT NULL
           AND l.currency = $5 AND a.kind IN ('asset', 'liability') AND a.control IS NULL
           AND l.tax_rate IS DISTINCT FROM 0
         GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(l.amount) <> 0 ORDER BY 2, 4",
    )
    .bind::<SqlUuid, _>(item.document_id)
    .bind::<Text, _>(item.side.as_str())
    .bind::<SqlUuid, _>(item.document_id)
    .bind::<Text, _>(&*item.document_type)
    .bind::<Text, _>(item.currency.code())
    .rows(tx)?;
    Ok(lines)
}
