//! Which records are meant: those with these ids, or those that a filter finds.

use service_kit::{Faults, Result};
use std::collections::HashSet;
use uuid::Uuid;

/// Records of a kind at once.
pub const MOST: usize = 1_000;
/// Records of a kind that go along at once.
const MOST_ALONG: usize = 5_000;

/// What an input says of which records it means.
pub struct Choice<'a> {
    /// The kind, e.g. `customer`.
    pub kind: &'static str,
    pub ids: Option<&'a [Uuid]>,
    pub filter: Option<&'a str>,
}

impl Choice<'_> {
    /// The ids that are meant; `find` asks a filter for at most one more than are possible.
    ///
    /// # Errors
    /// When the filter is at fault.
    pub fn ids(
        &self,
        faults: &mut Faults,
        find: impl FnOnce(&str, &mut Faults) -> Result<Vec<Uuid>>,
    ) -> Result<Vec<Uuid>> {
        let kind = self.kind;
        match (self.ids, self.filter) {
            (Some(ids), None) => Ok(ids.to_vec()),
            (None, Some(text)) => {
                let found = find(text, faults)?;
                if found.len() > MOST {
                    let message = format!("it finds more than {MOST} {kind}s; narrow it");
                    faults.add("/filter", "too_many", message);
                }
                Ok(found)
            }
            (Some(_), Some(_)) => {
                faults.add("/filter", "ambiguous", format!("give {kind}_ids or filter"));
                Ok(Vec::new())
            }
            (None, None) => {
                faults.add(format!("/{kind}_ids"), "required", format!("give {kind}_ids or filter"));
                Ok(Vec::new())
            }
        }
    }

    /// The ids that are given, with their places; none where they are not what is meant.
    pub fn named(&self) -> impl Iterator<Item = (usize, &Uuid)> {
        let ids = self.ids.filter(|_| self.filter.is_none());
        ids.into_iter().flatten().enumerate()
    }

    /// Names the given ids that are not there, not in sight, or there twice.
    pub fn name_missing(&self, there: impl Iterator<Item = Uuid>, faults: &mut Faults) {
        let (there, kind) = (there.collect::<HashSet<Uuid>>(), self.kind);
        let mut seen = HashSet::new();
        for (index, id) in self.named() {
            let pointer = format!("/{kind}_ids/{index}");
            if !there.contains(id) {
                faults.add(pointer, &format!("unknown_{kind}"), format!("there is no such {kind}"));
            } else if !seen.insert(id) {
                faults.add(pointer, "duplicate", format!("this {kind} stands there already"));
            }
        }
    }
}

/// One more than go along, to see that there are too many.
pub fn most_along() -> i64 {
    i64::try_from(MOST_ALONG + 1).unwrap_or(i64::MAX)
}

/// # Errors
/// 422 when more would go along than are possible.
pub fn check_size(pointer: &str, count: usize) -> Result<()> {
    let mut faults = Faults::default();
    if count > MOST_ALONG {
        let message = format!("more than {MOST_ALONG} would go along; take fewer records");
        faults.add(pointer, "too_many", message);
    }
    Ok(faults.check()?)
}
