use super::Importable;
use super::imports::ImportFault;
use super::reader::{Broken, Record};
use super::settings::ImportSettings;
use crate::decimal::{Amount, DecimalError, Fraction, Quantity, SignedQuantity, UnitPrice};
use crate::http::Validators;
use crate::money::Currency;
use crate::problem::{Faults, Problem};
use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// Which column of the list stands where in the file.
#[derive(Debug)]
pub(super) struct Header {
    /// For each field of a record, its column; `None` when it is not looked at.
    columns: Vec<Option<String>>,
    /// What the names of further columns begin with.
    open: Option<&'static str>,
    settings: ImportSettings,
}

impl Header {
    /// Understands the first record. Columns that are `exported` may stand there.
    ///
    /// # Errors
    /// 422 with every column that is unknown, missing or there twice.
    pub fn of(
        record: &Record,
        kind: &Importable,
        exported: &[String],
        settings: &ImportSettings,
    ) -> Result<Self, Problem> {
        if record.broken.is_some() {
            return Err(Problem::rule(
                "malformed_header",
                "the first line must name the columns",
            ));
        }
        let mut faults = Faults::default();
        let (mut columns, mut seen, mut renamed) = (Vec::new(), HashSet::new(), HashSet::new());
        for index in 0..record.len() {
            let name = String::from_utf8_lossy(record.field(index).unwrap_or_default());
            let theirs = name.trim().to_lowercase();
            let shown: String = theirs.chars().take(100).collect();
            let name = match settings.columns.get(&theirs) {
                Some(None) => {
                    renamed.insert(theirs);
                    columns.push(None);
                    continue;
                }
                Some(Some(ours)) => {
                    renamed.insert(theirs);
                    ours.clone()
                }
                None => theirs.to_ascii_lowercase(),
            };
            let is_open = kind.open.is_some_and(|open| name.starts_with(open)) && exported.contains(&name);
            let looked_at = is_open || kind.columns.iter().any(|column| column.name == name);
            if !looked_at && !exported.contains(&name) {
                faults.add(
                    format!("/{shown}"),
                    "unknown_column",
                    format!("there is no column {name:?} here"),
                );
            } else if !seen.insert(name.clone()) {
                faults.add(format!("/{shown}"), "duplicate_column", "the column is there twice");
            }
            columns.push(looked_at.then_some(name));
        }
        for missing in settings.columns.keys().filter(|theirs| !renamed.contains(*theirs)) {
            let shown: String = missing.chars().take(100).collect();
            let message = "columns names it, and the file does not have it";
            faults.add(format!("/{shown}"), "missing_column", message);
        }
        for missing in kind
            .columns
            .iter()
            .filter(|column| column.required && !seen.contains(column.name))
        {
            faults.add(
                format!("/{}", missing.name),
                "missing_column",
                "the file must have this column",
            );
        }
        faults.check()?;
        Ok(Header {
            columns,
            open: kind.open,
            settings: settings.clone(),
        })
    }

    pub fn names(&self) -> Vec<&str> {
        self.columns.iter().flatten().map(String::as_str).collect()
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.as_deref() == Some(name))
    }
}

/// The fields of a row, by column; gathers the faults of the row.
pub struct Fields<'a> {
    header: &'a Header,
    record: &'a Record,
    validators: &'a Validators,
    pub(super) faults: Vec<ImportFault>,
}

/// How a cell becomes JSON.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// As it is.
    Text,
    /// Without spaces around it: codes, numbers, dates.
    Code,
    Boolean,
    Integer,
    /// JSON as an export shows it.
    Json,
}

/// What can stand in a cell.
pub trait Cell: Sized {
    /// # Errors
    /// Code and message of the fault.
    fn parse(text: &str) -> Result<Self, (&'static str, String)>;
}

impl<'a> Fields<'a> {
    /// The fields of a record, or what is wrong with it as a whole.
    pub(super) fn of(header: &'a Header, record: &'a Record, validators: &'a Validators) -> Self {
        let mut fields = Fields {
            header,
            record,
            validators,
            faults: Vec::new(),
        };
        let (code, message) = match record.broken {
            Some(Broken::TooLarge) => ("record_too_long", "the row is longer than 256 KiB".to_owned()),
            Some(Broken::UnclosedQuote) => (
                "unclosed_quote",
                "a quote is opened here and never closed; it takes all lines that follow".to_owned(),
            ),
            None if record.len() != header.columns.len() => (
                "wrong_field_count",
                format!(
                    "the row has {} fields, the first line {}",
                    record.len(),
                    header.columns.len()
                ),
            ),
            None => return fields,
        };
        fields.faults.push(ImportFault::of_row(code, message));
        fields
    }

    /// Adds a fault of the row.
    pub fn fault(&mut self, column: &str, code: &str, message: impl Into<String>) {
        self.faults.push(ImportFault::at(column, code, message));
    }

    /// The text in a column, as far as it is one.
    pub(super) fn peek(&self, column: &str) -> Option<&str> {
        let text = std::str::from_utf8(self.record.field(self.header.place(column)?)?).ok()?;
        (!text.contains('\0')).then(|| super::export::unguarded(text))
    }

    /// The text in a column: `None` when the file does not have it.
    fn cell(&mut self, column: &str) -> Option<String> {
        let index = self.header.place(column)?;
        let Ok(text) = std::str::from_utf8(self.record.field(index).unwrap_or_default()) else {
            self.fault(column, "wrong_encoding", "the text is not UTF-8");
            return None;
        };
        if text.contains('\0') {
            self.fault(column, "invalid_character", "the character U+0000 is not allowed");
            return None;
        }
        Some(super::export::unguarded(text).to_owned())
    }

    /// Text that may be empty: `None` when the file does not have the column, `Some(None)` when the cell is empty.
    pub fn optional_text(&mut self, column: &str, longest: usize) -> Option<Option<String>> {
        let text = self.cell(column)?;
        if text.trim().is_empty() {
            return Some(None);
        }
        let length = text.chars().count();
        if length > longest {
            self.fault(
                column,
                "too_long",
                format!("{length} characters; at most {longest} are possible"),
            );
            return None;
        }
        Some(Some(text))
    }

    /// Text that cannot be empty: `None` when the file does not have the column.
    pub fn text(&mut self, column: &str, longest: usize) -> Option<String> {
        self.filled(column, |fields| fields.optional_text(column, longest))
    }

    /// A code, which has no spaces around it; else as [`Fields::text`].
    pub fn code(&mut self, column: &str, longest: usize) -> Option<String> {
        self.text(column, longest).map(|text| text.trim().to_owned())
    }

    /// A code that may be empty, as [`Fields::optional_text`].
    pub fn optional_code(&mut self, column: &str, longest: usize) -> Option<Option<String>> {
        let code = self.optional_text(column, longest)?;
        Some(code.map(|text| text.trim().to_owned()))
    }

    /// A value that may be empty, as [`Fields::optional_text`].
    pub fn optional<T: Cell>(&mut self, column: &str) -> Option<Option<T>> {
        self.parsed(column, T::parse)
    }

    /// A value that cannot be empty, as [`Fields::text`].
    pub fn value<T: Cell>(&mut self, column: &str) -> Option<T> {
        self.filled(column, |fields| fields.optional(column))
    }

    /// One of the words of an enum, as [`Fields::value`].
    pub fn word<T: DeserializeOwned>(&mut self, column: &str) -> Option<T> {
        self.filled(column, |fields| fields.optional_word(column))
    }

    /// One of the words of an enum that may be empty, as [`Fields::optional_text`].
    pub fn optional_word<T: DeserializeOwned>(&mut self, column: &str) -> Option<Option<T>> {
        self.parsed(column, |text| {
            let value = Value::String(text.to_ascii_lowercase());
            serde_json::from_value(value).map_err(|error| {
                let message = error.to_string();
                let expected = message.split_once("expected ");
                let expected = expected.map_or("another word", |(_, expected)| expected);
                ("unknown_value", format!("expected {expected}"))
            })
        })
    }

    fn filled<T>(&mut self, column: &str, read: impl FnOnce(&mut Self) -> Option<Option<T>>) -> Option<T> {
        let value = read(self)?;
        if value.is_none() {
            self.fault(column, "required", "must not be empty");
        }
        value
    }

    fn parsed<T>(
        &mut self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, (&'static str, String)>,
    ) -> Option<Option<T>> {
        let text = self.cell(column)?;
        match text.trim() {
            "" => Some(None),
            text => match parse(text) {
                Ok(value) => Some(Some(value)),
                Err((code, message)) => {
                    self.fault(column, code, message);
                    None
                }
            },
        }
    }

    /// The cells of these columns as a JSON object: columns that the file does not have are left
    /// out, empty cells are `null`.
    pub fn object(&mut self, columns: &[(&str, Shape)]) -> Map<String, Value> {
        self.object_of("", columns)
    }

    /// As [`Fields::object`], of columns whose names begin with a prefix, such as those of a part of the record.
    pub fn object_of(&mut self, prefix: &str, columns: &[(&str, Shape)]) -> Map<String, Value> {
        let mut object = Map::new();
        for (name, shape) in columns {
            let column = &format!("{prefix}{name}");
            let Some(text) = self.cell(column) else { continue };
            let value = match (text.trim(), shape) {
                ("", _) => Value::Null,
                (_, Shape::Text) => Value::String(text),
                (trimmed, Shape::Code) => Value::String(trimmed.to_owned()),
                (trimmed, Shape::Boolean) => match bool::parse(trimmed) {
                    Ok(value) => value.into(),
                    Err((code, message)) => {
                        self.fault(column, code, message);
                        continue;
                    }
                },
                (trimmed, Shape::Integer) => match i32::parse(trimmed) {
                    Ok(value) => value.into(),
                    Err((code, message)) => {
                        self.fault(column, code, message);
                        continue;
                    }
                },
                (trimmed, Shape::Json) => match serde_json::from_str(trimmed) {
                    Ok(value) => value,
                    Err(_) => {
                        self.fault(column, "bad_format", "expected JSON, as an export shows it");
                        continue;
                    }
                },
            };
            object.insert((*name).to_owned(), value);
        }
        object
    }

    /// The body of a request, checked by the very rules of the request; its fields are named as the columns.
    pub fn body<T: DeserializeOwned + ToSchema>(&mut self, object: Map<String, Value>) -> Option<T> {
        self.body_of("", object)
    }

    /// As [`Fields::body`], of columns whose names begin with a prefix.
    pub fn body_of<T: DeserializeOwned + ToSchema>(&mut self, prefix: &str, object: Map<String, Value>) -> Option<T> {
        let body = Value::Object(object);
        if let Err(problem) = self.validators.check(&T::name(), &body) {
            for fault in problem.errors {
                let field = fault.pointer.trim_start_matches('/');
                let (column, empty) = (format!("{prefix}{field}"), body.get(field).is_some_and(Value::is_null));
                match fault.code == "wrong_type" && empty {
                    true => self.fault(&column, "required", "must not be empty"),
                    false => self.fault(&column, &fault.code, fault.message),
                }
            }
            return None;
        }
        match serde_json::from_value(body) {
            Ok(body) => Some(body),
            Err(error) => {
                self.faults
                    .push(ImportFault::of_row("invalid_input", error.to_string()));
                None
            }
        }
    }

    /// The cells of the further columns that the file has, see [`Importer::OPEN`](super::Importer::OPEN).
    pub fn open(&mut self) -> Vec<(String, String)> {
        let Some(open) = self.header.open else {
            return Vec::new();
        };
        let names = self.header.columns.iter().flatten();
        let names: Vec<String> = names.filter(|name| name.starts_with(open)).cloned().collect();
        let cells = names.into_iter().filter_map(|name| {
            let text = self.cell(&name)?;
            Some((name, text))
        });
        cells.collect()
    }

    /// How the sender wants the file to be read.
    pub fn settings(&self) -> &ImportSettings {
        &self.header.settings
    }

    /// How many faults were found so far.
    pub fn faults(&self) -> usize {
        self.faults.len()
    }

    /// Whether the file has the column.
    pub fn has(&self, column: &str) -> bool {
        self.header.place(column).is_some()
    }
}

macro_rules! decimal_cells {
    ($($kind:ty),+) => {
        $(impl Cell for $kind {
            fn parse(text: &str) -> Result<Self, (&'static str, String)> {
                text.parse().map_err(|error: DecimalError| {
                    let code = match error {
                        DecimalError::Malformed(_) => "bad_format",
                        DecimalError::OutOfRange { .. } => "out_of_range",
                    };
                    (code, error.to_string())
                })
            }
        })+
    };
}
decimal_cells!(Quantity, SignedQuantity, UnitPrice, Amount, Fraction);

impl Cell for NaiveDate {
    fn parse(text: &str) -> Result<Self, (&'static str, String)> {
        let plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| plain);
        date.ok_or_else(|| ("bad_format", "expected a date such as 2026-01-31".to_owned()))
    }
}

impl Cell for Uuid {
    fn parse(text: &str) -> Result<Self, (&'static str, String)> {
        let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
        id.ok_or_else(|| ("bad_format", "expected a UUID".to_owned()))
    }
}

impl Cell for bool {
    fn parse(text: &str) -> Result<Self, (&'static str, String)> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => Err(("bad_format", "expected true or false".to_owned())),
        }
    }
}

impl Cell for i32 {
    fn parse(text: &str) -> Result<Self, (&'static str, String)> {
        let number = text.parse().ok().filter(|_| !text.starts_with('+'));
        number.ok_or_else(|| ("bad_format", "expected a whole number".to_owned()))
    }
}

impl Cell for Currency {
    fn parse(text: &str) -> Result<Self, (&'static str, String)> {
        let unknown = |_| ("unknown_value", "not an ISO 4217 currency code in use".to_owned());
        text.parse().map_err(unknown)
    }
}
