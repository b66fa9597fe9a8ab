//! Which supply a promise rests on: pure.

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use service_kit::Quantity;
use uuid::Uuid;

/// What could serve a promise.
#[derive(Debug, Clone)]
pub struct Sources {
    pub today: NaiveDate,
    /// On hand and neither reserved nor expired.
    pub free: Quantity,
    /// What is expected and still open, in the order of its days.
    pub supplies: Vec<Expected>,
    /// What orders wait for already: they are served by what comes first.
    pub backordered: Quantity,
    /// Days to buy more; `None` when nobody sells it.
    pub lead_time_days: Option<i32>,
}

#[derive(Debug, Clone)]
pub struct Expected {
    pub id: Uuid,
    pub expected_on: NaiveDate,
    pub open: Quantity,
    /// Of it pegged by other promises.
    pub pegged: Quantity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Stock,
    Supply(Uuid),
    LeadTime,
}

/// A quantity with the earliest day on which it can be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub quantity: Quantity,
    pub available_on: NaiveDate,
    pub source: Source,
}

/// Splits a quantity over stock, expected supply and what can still be bought, earliest first. What
/// is bought within the lead time goes before supply that comes later. What nothing can serve is in
/// no part.
pub fn plan(quantity: Quantity, sources: &Sources) -> Vec<Part> {
    let lead = sources.lead_time_days.and_then(|days| {
        let days = u64::try_from(days).ok()?;
        sources.today.checked_add_days(Days::new(days))
    });
    let (mut left, mut waiting) = (quantity, sources.backordered);
    let mut parts = Vec::new();
    let mut take = |available: Quantity, available_on, source, left: &mut Quantity| {
        let quantity = available.min(*left);
        if !quantity.is_zero() {
            *left = *left - quantity;
            parts.push(Part {
                quantity,
                available_on,
                source,
            });
        }
    };
    take(sources.free, sources.today, Source::Stock, &mut left);
    for supply in &sources.supplies {
        // What should have come already may come today.
        let day = supply.expected_on.max(sources.today);
        if lead.is_some_and(|lead| lead < day) {
            break;
        }
        let unpegged = (supply.open.value() - supply.pegged.value()).max(Decimal::ZERO);
        let unpegged = Quantity::new(unpegged).unwrap_or_default();
        let promised = unpegged.min(waiting);
        waiting = waiting - promised;
        take(unpegged - promised, day, Source::Supply(supply.id), &mut left);
    }
    if let Some(lead) = lead {
        let rest = left;
        take(rest, lead, Source::LeadTime, &mut left);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    fn june(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 6, day).unwrap()
    }

    /// The worked example "Promise and hold".
    #[test]
    fn six_now_and_six_on_the_tenth_then_nine_and_three_by_lead_time() {
        let order = Uuid::now_v7();
        let sources = |free: &str, pegged: &str| Sources {
            today: june(1),
            free: quantity(free),
            supplies: vec![Expected {
                id: order,
                expected_on: june(10),
                open: quantity("20"),
                pegged: quantity(pegged),
            }],
            backordered: Quantity::ZERO,
            lead_time_days: Some(14),
        };
        let part = |text: &str, day: u32, source| Part {
            quantity: quantity(text),
            available_on: june(day),
            source,
        };
        assert_eq!(
            plan(quantity("12"), &sources("6", "5")),
            [part("6", 1, Source::Stock), part("6", 10, Source::Supply(order))]
        );
        assert_eq!(
            plan(quantity("12"), &sources("0", "11")),
            [part("9", 10, Source::Supply(order)), part("3", 15, Source::LeadTime)]
        );
    }

    #[test]
    fn orders_that_wait_are_served_first_and_buying_goes_before_what_comes_later() {
        let (soon, late) = (Uuid::now_v7(), Uuid::now_v7());
        let expected = |id, day: u32| Expected {
            id,
            expected_on: june(day),
            open: quantity("10"),
            pegged: Quantity::ZERO,
        };
        let mut sources = Sources {
            today: june(5),
            free: Quantity::ZERO,
            supplies: vec![expected(soon, 2), expected(late, 20)],
            backordered: quantity("7"),
            lead_time_days: Some(10),
        };
        let parts = plan(quantity("5"), &sources);
        let shown: Vec<_> = parts
            .iter()
            .map(|p| (p.quantity.to_string(), p.available_on, p.source))
            .collect();
        assert_eq!(
            shown,
            [
                ("3".to_owned(), june(5), Source::Supply(soon)),
                ("2".to_owned(), june(15), Source::LeadTime)
            ]
        );
        sources.lead_time_days = None;
        let parts = plan(quantity("20"), &sources);
        assert_eq!(parts.iter().map(|part| part.quantity).sum::<Quantity>(), quantity("13"));
    }
}
