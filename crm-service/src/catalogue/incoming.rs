//! What is expected of a product, by day, and when it covers what somebody wants. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use service_kit::Quantity;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Goods that the ERP expects on a day and has not promised to others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncomingStock {
    /// When a date has passed, the goods are late.
    pub expected_on: NaiveDate,
    pub quantity: Quantity,
}

/// Adds what is expected elsewhere to what is expected, day by day.
pub fn merge(expected: &mut Vec<IncomingStock>, more: &[IncomingStock]) {
    let mut days: BTreeMap<NaiveDate, Quantity> = BTreeMap::new();
    for day in expected.iter().chain(more) {
        let sum = days.entry(day.expected_on).or_default();
        *sum = *sum + day.quantity;
    }
    *expected = days
        .into_iter()
        .map(|(expected_on, quantity)| IncomingStock { expected_on, quantity })
        .collect();
}

/// The first day on which free stock with all that has come by then covers a quantity; never before
/// today, for goods that are late may come today at the earliest. None when all that is expected is too little.
pub fn covered_on(
    free: Quantity,
    incoming: &[IncomingStock],
    quantity: Quantity,
    today: NaiveDate,
) -> Option<NaiveDate> {
    let mut there = free;
    if there >= quantity {
        return Some(today);
    }
    let mut days: Vec<&IncomingStock> = incoming.iter().collect();
    days.sort_by_key(|day| day.expected_on);
    days.into_iter().find_map(|day| {
        there = there + day.quantity;
        (there >= quantity).then(|| day.expected_on.max(today))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Days;

    fn day(offset: i64) -> NaiveDate {
        let today = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
        match u64::try_from(offset) {
            Ok(later) => today + Days::new(later),
            Err(_) => today - Days::new(offset.unsigned_abs()),
        }
    }

    fn quantity(of: u64) -> Quantity {
        of.to_string().parse().unwrap()
    }

    fn expected(days: &[(i64, u64)]) -> Vec<IncomingStock> {
        let expected = days.iter().map(|(on, of)| IncomingStock {
            expected_on: day(*on),
            quantity: quantity(*of),
        });
        expected.collect()
    }

    #[test]
    fn stock_covers_today_and_what_comes_covers_on_its_day() {
        let incoming = expected(&[(9, 20), (12, 5)]);
        let on = |of: u64| covered_on(quantity(6), &incoming, quantity(of), day(0));
        assert_eq!(on(0), Some(day(0)));
        assert_eq!(on(6), Some(day(0)));
        assert_eq!(on(7), Some(day(9)));
        assert_eq!(on(26), Some(day(9)));
        assert_eq!(on(27), Some(day(12)));
        assert_eq!(on(31), Some(day(12)));
        assert_eq!(on(32), None);
        assert_eq!(covered_on(quantity(6), &[], quantity(7), day(0)), None);
    }

    #[test]
    fn goods_that_are_late_come_today_at_the_earliest() {
        let incoming = expected(&[(-30, 4), (-1, 4), (3, 4)]);
        let on = |of: u64| covered_on(quantity(0), &incoming, quantity(of), day(0));
        assert_eq!(on(4), Some(day(0)));
        assert_eq!(on(8), Some(day(0)));
        assert_eq!(on(9), Some(day(3)));
    }

    #[test]
    fn days_of_several_warehouses_are_added() {
        let mut sum = expected(&[(1, 5), (4, 1)]);
        merge(&mut sum, &expected(&[(2, 7), (4, 2)]));
        assert_eq!(sum, expected(&[(1, 5), (2, 7), (4, 3)]));
    }

    /// Over many made-up cases: on the day that is named it suffices, and on none before.
    #[test]
    fn the_day_is_the_first_on_which_it_suffices() {
        let mut seed = 7_u64;
        let mut any = |below: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for _ in 0..2_000 {
            let (free, wanted) = (any(10), any(40));
            let mut days: Vec<(i64, u64)> = Vec::new();
            for _ in 0..any(6) {
                days.push((i64::try_from(any(20)).unwrap() - 5, 1 + any(9)));
            }
            let there_on = |on: i64| -> u64 {
                let come: u64 = days
                    .iter()
                    .filter(|(expected, _)| (*expected).max(0) <= on)
                    .map(|(_, of)| of)
                    .sum();
                free + come
            };
            let first = (0..20).find(|on| *on == 0 && free >= wanted || there_on(*on) >= wanted);
            let said = covered_on(quantity(free), &expected(&days), quantity(wanted), day(0));
            assert_eq!(said, first.map(day), "{free} free, {wanted} wanted, {days:?}");
            let more = covered_on(quantity(free), &expected(&days), quantity(wanted + 1), day(0));
            assert!(more.is_none() || more >= said, "more never comes earlier");
        }
    }
}
