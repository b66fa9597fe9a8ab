//! Ids within and between the files: each stands once, and what is mentioned is there.

use super::faults::Fault;
use super::layout::Layout;
use super::rows::Row;
use std::collections::HashSet;
use std::fmt::Display;
use std::hash::Hash;

/// A cell of `file` that names a record.
struct Mention<T> {
    file: &'static str,
    line: u64,
    column: &'static str,
    id: T,
}

/// A file's ids, and who mentions ids of it.
pub(super) struct Ids<T> {
    file: &'static str,
    column: &'static str,
    all: HashSet<T>,
    mentions: Vec<Mention<T>>,
}

impl<T: Hash + Eq + Display + Clone> Ids<T> {
    pub(super) fn of(layout: &Layout) -> Self {
        Ids {
            file: layout.file,
            column: layout.columns[0],
            all: HashSet::new(),
            mentions: Vec::new(),
        }
    }

    /// The row's own id. A cell that is at fault already is left at that, here and below.
    pub(super) fn own(&mut self, row: &mut Row<'_>, id: &T) {
        if row.is_sound(self.column) && !self.all.insert(id.clone()) {
            row.fault(self.column, format!("{id} stands there twice"));
        }
    }

    pub(super) fn mention(&mut self, row: &Row<'_>, column: &'static str, id: &T) {
        if row.is_sound(column) {
            self.mentions.push(Mention {
                file: row.file(),
                line: row.line,
                column,
                id: id.clone(),
            });
        }
    }

    /// Faults for mentions of what is not there. A file without a single id has its own fault.
    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        for mention in self.mentions.iter().filter(|_| !self.all.is_empty()) {
            if !self.all.contains(&mention.id) {
                let message = format!("{} is not in {}", mention.id, self.file);
                faults.push(Fault::at(mention.file, mention.line, mention.column, message));
            }
        }
    }
}
