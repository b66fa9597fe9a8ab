//! One batch of rows in one transaction, with the answers to them.

use super::fields::{Fields, Header};
use super::imports::{self, Answered, Checkpoint, Import, ImportFault, ImportStatus, RowResult, Start};
use super::reader::Record;
use super::{Importable, Importer};
use crate::command::Put;
use crate::db::{Failure, classify};
use crate::http::{Answer, Resource, Validators};
use crate::problem::{Constraint, Error, Problem, Result};
use crate::tx::Tx;
use diesel::connection::SimpleConnection;
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// When rows have to be applied one by one, the transaction ends after this and another goes on.
const ONE_BY_ONE: Duration = Duration::from_secs(2);

/// The result of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Created(Uuid),
    Updated(Uuid),
    Unchanged(Uuid),
}

impl<R: Resource> From<Put<R>> for Done {
    fn from(put: Put<R>) -> Done {
        match put {
            Put::Created(record) => Done::Created(record.id()),
            Put::Updated(record) => Done::Updated(record.id()),
            Put::Unchanged(record) => Done::Unchanged(record.id()),
        }
    }
}

/// A row on its way.
pub struct Entry<R> {
    pub row: R,
    /// Its number in the file, the first row below the names being 1.
    pub number: i64,
    pub key: String,
    done: Option<Done>,
    faults: Vec<ImportFault>,
}

impl<R> Entry<R> {
    /// Adds a fault; the row is rejected.
    pub fn reject(&mut self, column: &str, code: &str, message: impl Into<String>) {
        self.faults.push(ImportFault::at(column, code, message));
    }

    pub fn done(&mut self, done: Done) {
        self.done = Some(done);
    }

    /// Whether it has no fault so far.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Rows that are good by themselves and whose match keys are new in this file.
pub struct Rows<R> {
    entries: Vec<Entry<R>>,
    import: Uuid,
    constraints: &'static [Constraint],
}

impl<R> Deref for Rows<R> {
    type Target = [Entry<R>];
    fn deref(&self) -> &[Entry<R>] {
        &self.entries
    }
}

impl<R> DerefMut for Rows<R> {
    fn deref_mut(&mut self) -> &mut [Entry<R>] {
        &mut self.entries
    }
}

impl<R> Rows<R> {
    /// Applies each row that is still good by itself: for kinds whose rows are documents.
    ///
    /// # Errors
    /// Only when the whole batch has to be started again; what `action` refuses is the row's fault.
    pub fn each(&mut self, tx: &mut Tx<'_>, mut action: impl FnMut(&mut Tx<'_>, &R) -> Result<Done>) -> Result<()> {
        for entry in self.entries.iter_mut().filter(|entry| entry.is_good()) {
            let applied = tx.savepoint(|tx| {
                let done = action(tx, &entry.row)?;
                tx.check_deferred()?;
                Ok(done)
            });
            match applied {
                Ok(done) => entry.done = Some(done),
                Err(error) if starts_again(&error) => return Err(error),
                Err(error) => entry.faults.extend(faults_of(error, self.constraints)),
            }
        }
        Ok(())
    }

    /// The import whose rows they are.
    pub fn import(&self) -> Uuid {
        self.import
    }

    /// Which of these match keys stood in earlier batches of this file and were not rejected. A dry
    /// run has rolled them back, so rows that refer to them have to ask.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn earlier(&self, tx: &mut Tx<'_>, keys: &[&str]) -> Result<Vec<String>> {
        Ok(imports::good_keys(tx, self.import, keys)?)
    }
}

/// What [`Importable`] keeps of an [`Importer`].
pub(crate) type Apply = fn(&mut Tx<'_>, &Work) -> Result<Vec<Answered>>;

/// What a batch is to do. It may be done more than once, like every command.
pub struct Work {
    pub(super) id: Uuid,
    pub(super) kind: &'static Importable,
    pub(super) dry_run: bool,
    pub(super) header: Arc<Header>,
    pub(super) settings: serde_json::Value,
    pub(super) content_length: Option<i64>,
    pub(super) records: Arc<[Record]>,
    /// How many of the records an earlier transaction has answered.
    pub(super) from: usize,
    /// Rows of the file before those that are left.
    pub(super) before: i64,
    /// Where the file is checked up to, before and after these rows.
    pub(super) start: Checkpoint,
    pub(super) end: Checkpoint,
    /// Whether the file ends here.
    pub(super) last: bool,
    pub(super) constraints: &'static [Constraint],
    pub(super) validators: Arc<Validators>,
    /// How many of the records were answered.
    pub(super) answered: AtomicUsize,
}

impl Work {
    fn rows(&self) -> &[Record] {
        &self.records[self.from..]
    }
}

/// Applies a batch, stores its answers and the import's progress.
pub(super) fn store(tx: &mut Tx<'_>, work: &Work) -> Result<Answer> {
    // A plan made for an empty table may read all of it for each batch, once it is full.
    tx.batch_execute("SET LOCAL plan_cache_mode = force_custom_plan")?;
    let before = match imports::lock(tx, work.id)? {
        Some(import) => import,
        None => begin(tx, work)?,
    };
    if before.rows != work.before || before.status != ImportStatus::Open {
        let detail = "another request sends a file under this id; ask for the import before going on";
        return Err(Problem::conflict("import_in_progress", detail).into());
    }
    let answers = match work.dry_run {
        true => tx.rehearse(|tx| (work.kind.apply)(tx, work))?,
        false => (work.kind.apply)(tx, work)?,
    };
    let whole = answers.len() == work.rows().len();
    imports::insert_rows(tx, work.id, work.before, &answers)?;
    let checkpoint = if whole { work.end } else { work.start };
    let after = imports::advance(tx, &before, &answers, checkpoint, whole && work.last)?;
    if after.completed_at.is_some() {
        tx.audit(Some(&before), &after)?;
    }
    work.answered.store(answers.len(), Ordering::SeqCst);
    Ok(Answer::ok(&after)?)
}

fn begin(tx: &mut Tx<'_>, work: &Work) -> Result<Import> {
    let start = Start {
        id: work.id,
        kind: work.kind.kind,
        dry_run: work.dry_run,
        columns: work.header.names(),
        settings: &work.settings,
        content_length: work.content_length,
        checkpoint: work.start,
    };
    // A twin may have begun it: look again.
    let import = imports::insert(tx, &start)?.ok_or(Error::Stale)?;
    tx.audit(None, &import)?;
    Ok(import)
}

/// Applies all rows at once, or, if that fails, one by one.
pub(super) fn apply<T: Importer>(tx: &mut Tx<'_>, work: &Work) -> Result<Vec<Answered>> {
    let started = Instant::now();
    let mut seen = HashMap::new();
    match tx.savepoint(|tx| attempt::<T>(tx, work, 0..work.rows().len(), &mut seen)) {
        Err(error) if !starts_again(&error) => tracing::info!(%error, "a batch is applied row by row"),
        outcome => return outcome,
    }
    seen.clear();
    let mut answers = Vec::with_capacity(work.rows().len());
    for index in 0..work.rows().len() {
        if index > 0 && started.elapsed() > ONE_BY_ONE {
            break;
        }
        match tx.savepoint(|tx| attempt::<T>(tx, work, index..index + 1, &mut seen)) {
            Ok(answer) => answers.extend(answer),
            Err(error) if starts_again(&error) => return Err(error),
            Err(error) => {
                let key = key_of::<T>(work, index);
                if let Some(key) = &key {
                    seen.insert(key.clone(), work.before + index as i64 + 1);
                }
                answers.push(Answered {
                    line: work.rows()[index].line,
                    result: RowResult::Rejected,
                    key,
                    record: None,
                    faults: faults_of(error, work.constraints),
                });
            }
        }
    }
    Ok(answers)
}

fn key_of<T: Importer>(work: &Work, index: usize) -> Option<String> {
    let mut fields = Fields::of(&work.header, &work.rows()[index], &work.validators);
    T::read(&mut fields).map(|row| T::key(&row))
}

/// Reads the rows, finds keys that the file has twice, and applies what is good.
fn attempt<T: Importer>(
    tx: &mut Tx<'_>,
    work: &Work,
    range: std::ops::Range<usize>,
    seen: &mut HashMap<String, i64>,
) -> Result<Vec<Answered>> {
    let mut answers: Vec<Answered> = Vec::with_capacity(range.len());
    let (mut good, mut places) = (Vec::new(), Vec::new());
    for index in range {
        let record = &work.rows()[index];
        let mut fields = Fields::of(&work.header, record, &work.validators);
        // A row that is broken as a whole has no fields to speak of.
        let row = if fields.faults() == 0 {
            T::read(&mut fields)
        } else {
            None
        };
        let key = row.as_ref().map(|row| T::key(row));
        let faults = fields.faults;
        if let (Some(row), Some(key), true) = (row, &key, faults.is_empty()) {
            places.push(answers.len());
            good.push(Entry {
                row,
                number: work.before + index as i64 + 1,
                key: key.clone(),
                done: None,
                faults: Vec::new(),
            });
        }
        answers.push(Answered {
            line: record.line,
            result: RowResult::Rejected,
            key,
            record: None,
            faults,
        });
    }
    let twice = repeated(tx, work, &good, seen)?;
    let mut rows = Rows {
        entries: Vec::with_capacity(good.len()),
        import: work.id,
        constraints: work.constraints,
    };
    let mut open = Vec::with_capacity(good.len());
    for ((entry, place), first) in good.into_iter().zip(places).zip(twice) {
        match first {
            Some(first) => answers[place].faults.push(ImportFault::of_row(
                "duplicate_row",
                format!("row {first} of the file is for the same record"),
            )),
            None => {
                rows.entries.push(entry);
                open.push(place);
            }
        }
    }
    if !rows.entries.is_empty() {
        T::apply(tx, &mut rows)?;
        tx.check_deferred()?;
    }
    for (entry, place) in rows.entries.into_iter().zip(open) {
        let answer = &mut answers[place];
        (answer.result, answer.record) = match (entry.done, entry.faults.is_empty()) {
            (Some(Done::Created(id)), true) => (RowResult::Created, Some(id)),
            (Some(Done::Updated(id)), true) => (RowResult::Updated, Some(id)),
            (Some(Done::Unchanged(id)), true) => (RowResult::Unchanged, Some(id)),
            (_, false) => (RowResult::Rejected, None),
            (None, true) => return Err(Error::Bug(format!("row {} has no answer", entry.number))),
        };
        answer.faults = entry.faults;
    }
    Ok(answers)
}

/// For each row, the earlier row of the file with the same key.
fn repeated<R>(
    tx: &mut Tx<'_>,
    work: &Work,
    rows: &[Entry<R>],
    seen: &mut HashMap<String, i64>,
) -> Result<Vec<Option<i64>>> {
    let keys: Vec<&str> = rows.iter().map(|entry| entry.key.as_str()).collect();
    if work.before > 0 && !keys.is_empty() {
        seen.extend(imports::rows_by_key(tx, work.id, &keys)?);
    }
    let mut first_with = |entry: &Entry<R>| match seen.get(&entry.key) {
        Some(first) => Some(*first),
        None => {
            seen.insert(entry.key.clone(), entry.number);
            None
        }
    };
    Ok(rows.iter().map(&mut first_with).collect())
}

/// Whether the transaction is to be run again as a whole.
fn starts_again(error: &Error) -> bool {
    match error {
        Error::Stale => true,
        Error::Database(error) => classify(error) != Failure::Other,
        _ => false,
    }
}

/// The faults of a row that an action has refused.
fn faults_of(error: Error, constraints: &[Constraint]) -> Vec<ImportFault> {
    let problem = error.into_problem(constraints);
    if problem.errors.is_empty() {
        return vec![ImportFault::of_row(&problem.code, problem.detail)];
    }
    let faults = problem.errors.into_iter().take(50).map(|fault| {
        // What stands in a part of the record has a column of its own, such as custom_fields.region.
        let column = fault
            .pointer
            .trim_start_matches('/')
            .replacen("custom_fields/", "custom_fields.", 1);
        ImportFault {
            column: Some(column).filter(|column| !column.is_empty()),
            code: fault.code,
            message: fault.message,
        }
    });
    faults.collect()
}
