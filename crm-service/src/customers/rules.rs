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
