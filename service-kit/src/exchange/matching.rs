//! By what a row finds its record.

use super::fields::Fields;
use uuid::Uuid;

/// By what a row finds its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    Id(Uuid),
    /// What stands in the column by which the file is matched.
    Key {
        column: String,
        text: String,
    },
    /// Nothing to match by: a new record.
    Nobody,
}

impl Fields<'_> {
    /// The row's `id`, if it has one; else what the file asks to be matched by, `usual` unless told otherwise.
    pub fn matched_by(&mut self, usual: &str) -> Match {
        if let Some(id) = self.optional::<Uuid>("id").flatten() {
            return Match::Id(id);
        }
        let column = self.settings().match_by.clone().unwrap_or_else(|| usual.to_owned());
        match self.peek(&column).map(|text| text.trim().to_owned()) {
            Some(text) if !text.is_empty() => Match::Key { column, text },
            _ => Match::Nobody,
        }
    }
}
