//! What must hold of a customer, as pure functions that name every fault.

use crate::customers::legal_entities::LegalEntity;
use crate::customers::model::{CustomerCore, Grade};
use chrono::NaiveDate;
use service_kit::Faults;
use uuid::Uuid;

/// Gives a customer a grade and the day from which it is effective.
///
/// Without a day, a new grade is effective today, and one that stays keeps its day.
pub fn grade(
    core: &mut CustomerCore,
    grade: Option<Grade>,
    from: Option<NaiveDate>,
    today: NaiveDate,
    faults: &mut Faults,
) {
    let same = grade == core.grade;
    let kept = core.grade_effective_from.filter(|_| same);
    if grade.is_none() && from.is_some() {
        faults.add(
            "/grade_effective_from",
            "needs_grade",
            "there is no grade that could be effective",
        );
    }
    core.grade = grade;
    core.grade_effective_from = grade.map(|_| from.or(kept).unwrap_or(today));
}

/// Each legal entity ends after it begins, and no day has two default ones.
///
/// `pointer_of` says where in the body an entity stands, or nothing when the body does not name
/// it: such an entity was there before and is not at fault.
pub fn legal_entities(entities: &[LegalEntity], faults: &mut Faults, pointer_of: impl Fn(Uuid) -> Option<String>) {
    for entity in entities.iter().filter(|entity| ends_before_it_begins(entity)) {
        if let Some(pointer) = pointer_of(entity.id) {
            faults.add(
                format!("{pointer}/valid_to"),
                "out_of_range",
                "valid_to lies before valid_from",
            );
        }
    }
    let defaults: Vec<_> = entities
        .iter()
        .filter(|entity| entity.is_default && !ends_before_it_begins(entity))
        .collect();
    for (index, one) in defaults.iter().enumerate() {
        for other in defaults.iter().skip(index + 1).filter(|other| overlap(one, other)) {
            // The later one in the list is at fault, unless only the earlier one is in the body.
            let (faulty, clashes_with, pointer) = match (pointer_of(other.id), pointer_of(one.id)) {
                (Some(pointer), _) => (other, one, pointer),
                (None, Some(pointer)) => (one, other, pointer),
                (None, None) => continue,
            };
            let message = format!(
                "{} would be the default legal entity on days when {} is; end one before the other begins",
                faulty.name, clashes_with.name
            );
            faults.add(format!("{pointer}/is_default"), "default_overlaps", message);
        }
    }
}

fn ends_before_it_begins(entity: &LegalEntity) -> bool {
    matches!((entity.valid_from, entity.valid_to), (Some(from), Some(to)) if to < from)
}

/// Whether some day lies in both validities; an absent end is open.
fn overlap(a: &LegalEntity, b: &LegalEntity) -> bool {
    let begins_in_time =
        |from: Option<NaiveDate>, to: Option<NaiveDate>| from.is_none_or(|from| to.is_none_or(|to| from <= to));
    begins_in_time(a.valid_from, b.valid_to) && begins_in_time(b.valid_from, a.valid_to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Days};
    use proptest::prelude::*;

    fn day(offset: Option<u64>) -> Option<NaiveDate> {
        let start = NaiveDate::from_ymd_opt(2026, 6, 28)?;
        offset.and_then(|offset| start.checked_add_days(Days::new(offset)))
    }

    fn entity(is_default: bool, from: Option<u64>, to: Option<u64>) -> LegalEntity {
        LegalEntity {
            id: Uuid::new_v4(),
            customer_id: Uuid::nil(),
            name: "x".to_owned(),
            tax_id: None,
            registration_number: None,
            valid_from: day(from),
            valid_to: day(to),
            is_default,
            revision: 1,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    fn codes(entities: &[LegalEntity]) -> Vec<String> {
        let mut faults = Faults::default();
        legal_entities(entities, &mut faults, |_| Some(String::new()));
        let problem = faults.check().err();
        let faults = problem.into_iter().flat_map(|problem| problem.errors);
        faults.map(|fault| fault.code).collect()
    }

    proptest! {
        /// The rule agrees with looking at every single day, the open ends included.
        #[test]
        fn two_defaults_on_a_day_are_found(
            entities in proptest::collection::vec((any::<bool>(), proptest::option::of(1u64..8), proptest::option::of(1u64..8)), 0..4)
        ) {
            let entities: Vec<_> = entities.into_iter().map(|(default, from, to)| entity(default, from, to)).collect();
            let ordered = !entities.iter().any(ends_before_it_begins);
            prop_assume!(ordered);
            let valid = |entity: &&LegalEntity, on: Option<NaiveDate>| {
                entity.valid_from.is_none_or(|from| Some(from) <= on) && entity.valid_to.is_none_or(|to| on <= Some(to))
            };
            let clash = (0..=9).any(|offset| {
                entities.iter().filter(|entity| entity.is_default && valid(entity, day(Some(offset)))).count() > 1
            });
            prop_assert_eq!(codes(&entities).contains(&"default_overlaps".to_owned()), clash);
        }
    }

    #[test]
    fn a_validity_that_ends_too_early_is_one_fault() {
        let entities = [entity(true, Some(5), Some(4)), entity(true, None, None)];
        assert_eq!(codes(&entities), ["out_of_range"]);
    }
}
