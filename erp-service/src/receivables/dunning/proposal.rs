//! Which items are reminded of, and what a letter about them comes to. Pure.

use super::levels::DunningLevel;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use service_kit::Currency;

/// The level that an item goes to: the next one, if it is overdue by its days and the waiting days of its present level
/// have passed since its last letter.
pub(super) fn next_level(
    levels: &[DunningLevel],
    (level, dunned_on): (i16, Option<NaiveDate>),
    due_on: NaiveDate,
    on: NaiveDate,
) -> Option<&DunningLevel> {
    let next = levels.iter().find(|next| next.level > level)?;
    let waiting = levels.iter().find(|known| known.level == level);
    let waiting = waiting.map_or(0, |known| i64::from(known.waiting_days));
    let waited = dunned_on.is_none_or(|last| (on - last).num_days() >= waiting.max(1));
    let overdue = (on - due_on).num_days() >= i64::from(next.days_overdue);
    (waited && overdue).then_some(next)
}

/// An item in a letter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reminded {
    /// Where it goes.
    pub level: i16,
    pub open: Decimal,
    /// Its value in the base currency.
    pub base: Decimal,
}

/// What a letter comes to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures<'a> {
    pub level: &'a DunningLevel,
    pub open: Decimal,
    pub fee: Decimal,
}

/// Why there is no letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needless {
    NothingLeft,
    CoveredByCredits,
    BelowMinimum,
}

impl Needless {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Needless::NothingLeft => "nothing is left to remind of",
            Needless::CoveredByCredits => "the customer's credits cover it",
            Needless::BelowMinimum => "it comes to less than the minimum of its level",
        }
    }
}

/// A letter about these items: of the level of the highest, with its fee at the rate that the items have in the books.
pub(super) fn figures<'a>(
    levels: &'a [DunningLevel],
    items: &[Reminded],
    credits: Decimal,
    currency: Currency,
) -> Result<Figures<'a>, Needless> {
    let highest = items.iter().map(|item| item.level).max();
    let level = levels.iter().find(|level| Some(level.level) == highest);
    let level = level.ok_or(Needless::NothingLeft)?;
    let open: Decimal = items.iter().map(|item| item.open).sum();
    let base: Decimal = items.iter().map(|item| item.base).sum();
    if open <= credits {
        return Err(Needless::CoveredByCredits);
    }
    if base < level.minimum_amount.value() {
        return Err(Needless::BelowMinimum);
    }
    let fee = match base.is_zero() {
        true => Decimal::ZERO,
        false => currency.round(level.fee.value() * (open / base)),
    };
    Ok(Figures { level, open, fee })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Days};
    use service_kit::Amount;
    use uuid::Uuid;

    fn level(level: i16, days_overdue: i32, waiting_days: i32) -> DunningLevel {
        DunningLevel {
            id: Uuid::nil(),
            level,
            name: String::new(),
            days_overdue,
            waiting_days,
            minimum_amount: "10".parse().unwrap(),
            fee: Amount::new(Decimal::from(i64::from(level) * 11)).unwrap(),
            credit_hold: false,
            texts: Vec::new(),
            revision: 1,
            created_at: DateTime::default(),
            updated_at: DateTime::default(),
        }
    }

    #[test]
    fn an_item_goes_up_one_level_after_its_days_and_its_waiting_time() {
        let levels = [level(1, 7, 14), level(2, 21, 10), level(4, 30, 0)];
        let due: NaiveDate = "2026-03-01".parse().unwrap();
        let day = |days: u64| due + Days::new(days);
        for (at, dunned, days, next) in [
            (0, None, 6, None),
            (0, None, 7, Some(1)),
            // However late: one level at a time.
            (0, None, 400, Some(1)),
            (1, Some(7), 20, None),
            (1, Some(7), 21, Some(2)),
            // Overdue enough, not waited enough.
            (1, Some(15), 28, None),
            (1, Some(15), 29, Some(2)),
            // A level that is missing is passed over.
            (2, Some(25), 35, Some(4)),
            (4, Some(40), 400, None),
            // Never twice on a day, even without waiting time.
            (3, Some(40), 40, None),
        ] {
            let found = next_level(&levels, (at, dunned.map(day)), due, day(days));
            assert_eq!(found.map(|level| level.level), next, "level {at} after {days} days");
        }
    }

    #[test]
    fn a_letter_has_the_level_and_the_fee_of_its_highest_item() {
        let levels = [level(1, 7, 14), level(2, 21, 10)];
        let item = |level: i16, open: i64, base: i64| Reminded {
            level,
            open: Decimal::from(open),
            base: Decimal::from(base),
        };
        let euro = "EUR".parse().unwrap();
        // 22.00 in the base currency, items worth 1.10 each.
        let letter = figures(&levels, &[item(1, 60, 66), item(2, 40, 44)], Decimal::ZERO, euro).unwrap();
        let expected = (2, Decimal::from(100), "20.00".parse().unwrap());
        assert_eq!((letter.level.level, letter.open, letter.fee), expected);
        let refused = |items: &[Reminded], credits: i64| figures(&levels, items, Decimal::from(credits), euro).err();
        assert_eq!(refused(&[], 0), Some(Needless::NothingLeft));
        assert_eq!(refused(&[item(3, 50, 50)], 0), Some(Needless::NothingLeft));
        assert_eq!(refused(&[item(1, 9, 9)], 0), Some(Needless::BelowMinimum));
        assert_eq!(refused(&[item(1, 50, 55)], 50), Some(Needless::CoveredByCredits));
    }
}
