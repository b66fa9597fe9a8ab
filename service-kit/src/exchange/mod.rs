//! Lists as CSV, out and in.
//!
//! **Out**: every list that answers JSON pages answers the whole of it as one CSV stream when the
//! request says `Accept: text/csv`, with the same filters, order and permission (`export`). The
//! list itself needs to do nothing for that.
//!
//! **In**: `POST /v1/imports?kind=products` takes a CSV file of any length. A module offers a kind
//! by implementing [`Importer`] and naming it in [`Service::imports`](crate::Service::imports).
//! - The file is read as it arrives (`reader`) and applied in batches, each in one short
//!   transaction together with the answers to its rows and the import's progress (`batch`).
//! - An import has an id, which the caller may mint. The same file sent again under the same id
//!   goes on after the last batch that was committed; another file is refused (`upload`).
//! - Each row has one answer: created, updated, unchanged, or rejected with all its faults. A
//!   rejected row changes nothing and holds no other row back.
//! - A column that the file does not have stays as it is; an empty cell clears.
//! - An import can be taken back if its kind says how (`undo`).
//! - A dry run answers every row too, and leaves nothing but these answers.
//!
//! Memory holds one batch, whatever the length of the file.

mod batch;
mod export;
mod fields;
mod handlers;
mod imports;
mod matching;
mod reader;
mod settings;
mod undo;
mod upload;

pub use batch::{Done, Entry, Rows};
pub(crate) use export::{Asked, Streamed, Table, Tables};
pub use fields::{Cell, Fields, Shape};
pub(crate) use imports::remove_rows;
pub use imports::{Import, ImportFault, ImportStatus, RowResult, find as import};
pub use matching::Match;
pub use settings::ImportSettings;
pub(crate) use undo::remove_changes;
pub use undo::{ImportUndoOutcome, Noted, TakeBack, note};

use crate::openapi::Routes;
use crate::problem::Result;
use crate::tx::Tx;
use serde_json::Value;

/// Brings in one kind of record.
pub trait Importer: 'static {
    /// A row of the file, read.
    type Row;

    /// What the file holds, e.g. `products`.
    const KIND: &'static str;
    /// In a few words, for the documentation.
    const ABOUT: &'static str;
    /// What is needed to read such records: it opens the answers to their rows.
    const READ: &'static str;
    /// What is needed to write such records, beside `imports:run`.
    const WRITE: &'static str;
    /// The list that shows these records, e.g. `/v1/products`: what its CSV has beside the columns
    /// below may stand in a file and is not looked at, so that an export can be edited and sent back.
    const LIST: &'static str;
    const COLUMNS: &'static [Column];
    /// The columns by which a file may ask to be matched, the usual one first; none where that is no choice.
    const MATCHED_BY: &'static [&'static str] = &[];
    /// What the names of further columns begin with, such as those of custom fields: they stand in the file if the list
    /// has them as CSV, are read with [`Fields::open`], and a file may ask to be matched by one.
    const OPEN: Option<&'static str> = None;
    /// How an import of this kind is taken back; none where that is not possible.
    const TAKE_BACK: Option<TakeBack> = None;
    /// Rows in one transaction, which must not take longer than a second or two.
    const BATCH: usize = 500;

    /// Reads a row and names all faults that it has by itself.
    fn read(fields: &mut Fields<'_>) -> Option<Self::Row>;

    /// The match key as text: a file may have each only once.
    fn key(row: &Self::Row) -> String;

    /// Applies rows, in as few statements as possible, and gives each its answer or its faults.
    ///
    /// # Errors
    /// What a row is at fault for is its fault. If this fails nevertheless (two imports may race),
    /// the rows are applied again one by one, and the error becomes the fault of the row.
    fn apply(tx: &mut Tx<'_>, rows: &mut Rows<Self::Row>) -> Result<()>;
}

/// A column of the file.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    /// What stands in it, for the documentation.
    pub about: &'static str,
    /// Whether a file without it is refused.
    pub required: bool,
}

impl Column {
    pub const fn required(name: &'static str, about: &'static str) -> Self {
        Column {
            name,
            about,
            required: true,
        }
    }

    pub const fn optional(name: &'static str, about: &'static str) -> Self {
        Column {
            name,
            about,
            required: false,
        }
    }
}

/// A kind that can be imported: an [`Importer`] as a value.
#[derive(Clone, Copy)]
pub struct Importable {
    pub kind: &'static str,
    pub about: &'static str,
    pub(crate) read: &'static str,
    pub(crate) write: &'static str,
    pub(crate) list: &'static str,
    pub columns: &'static [Column],
    pub(crate) matched_by: &'static [&'static str],
    pub(crate) open: Option<&'static str>,
    pub(crate) take_back: Option<TakeBack>,
    pub(crate) batch: usize,
    pub(crate) apply: batch::Apply,
}

impl Importable {
    pub const fn of<T: Importer>() -> Self {
        Importable {
            kind: T::KIND,
            about: T::ABOUT,
            read: T::READ,
            write: T::WRITE,
            list: T::LIST,
            columns: T::COLUMNS,
            matched_by: T::MATCHED_BY,
            open: T::OPEN,
            take_back: T::TAKE_BACK,
            batch: T::BATCH,
            apply: batch::apply::<T>,
        }
    }
}

/// The routes of a service that imports something.
pub(crate) fn routes(routes: &mut Routes, kinds: &[Importable]) {
    handlers::routes(routes);
    if kinds.iter().any(|kind| kind.take_back.is_some()) {
        undo::routes(routes);
    }
}

/// Writes the kinds of a service into its OpenAPI document.
pub(crate) fn describe(document: &mut Value, kinds: &[Importable]) {
    // Indexing would make the path where a service takes no imports.
    let parameters = document.pointer_mut("/paths/~1v1~1imports/post/parameters");
    let Some(parameters) = parameters.and_then(Value::as_array_mut) else {
        return;
    };
    let kind = parameters.iter_mut().find(|parameter| parameter["name"] == "kind");
    if let Some(kind) = kind {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.kind).collect();
        kind["schema"] = serde_json::json!({ "type": "string", "enum": names });
    }
    let described: Vec<String> = kinds.iter().map(described).collect();
    let operation = &mut document["paths"]["/v1/imports"]["post"];
    let text = operation["description"].as_str().unwrap_or_default();
    operation["description"] = format!("{text}\n\n{}", described.join("\n\n")).into();
}

fn described(kind: &Importable) -> String {
    let mut text = format!("**`{}`** (needs `{}`): {}\n", kind.kind, kind.write, kind.about);
    for column in kind.columns {
        let required = if column.required { ", required" } else { "" };
        text.push_str(&format!("\n- `{}`{required}: {}", column.name, column.about));
    }
    if let Some(open) = kind.open {
        text.push_str(&format!("\n- `{open}…`: those that `GET {}` has as CSV", kind.list));
    }
    if !kind.matched_by.is_empty() {
        let keys = kind.matched_by.iter().map(|key| format!("`{key}`"));
        let keys = keys
            .chain(kind.open.map(|open| format!("`{open}…`")))
            .collect::<Vec<_>>();
        text.push_str(&format!("\n- `match_by`: {}", keys.join(", ")));
    }
    if kind.take_back.is_some() {
        text.push_str("\n- `POST /v1/imports/{id}/undo` takes it back within a day");
    }
    text.push_str(&format!(
        "\n- others that `GET {}` has as CSV are not looked at",
        kind.list
    ));
    text
}
