//! Every list as CSV: `Accept: text/csv` at a list gets all of it in one stream.
//!
//! The list's own query runs page by page (500 rows, keyset paging), so filters, order, permission
//! and what a page promises under writes are those of the list, and memory holds one page. Columns
//! are the fields of the items; an object's fields stand as `total.net`, an array as JSON.
//!
//! **Formulas.** A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` (or a tab or line
//! break before one of them). Text that does gets an apostrophe in front, and so does text that
//! begins with an apostrophe; plain numbers stay. An import takes that apostrophe away again.
//!
//! An export needs `exports:run` beside the list's permission, and leaves two audit rows: who asked
//! for what, and how many rows went out.

use crate::auth::{Actor, ExportRecords, Permission};
use crate::http::Answer;
use crate::paging::take_turn;
use crate::problem::{Problem, Result};
use crate::server::Kit;
use crate::tx::Context;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use diesel::PgConnection;
use futures_util::stream::{self, LocalBoxStream, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// The lists of a service that can be had as CSV, by operation.
pub(crate) struct Tables(HashMap<String, Arc<Table>>);

/// A list as a table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// The field of the answer that holds the rows.
    rows: String,
    /// Whether there are further pages.
    paged: bool,
    /// Where in a row each column stands.
    columns: Vec<Vec<String>>,
}

impl Tables {
    pub(crate) fn of_document(document: &Value) -> Self {
        let paths = document["paths"].as_object().into_iter().flatten();
        let tables = paths.filter_map(|(path, item)| {
            let operation = &item["get"];
            let csv = !operation["responses"]["200"]["content"]["text/csv"].is_null();
            let table = Table::of(document, path, operation).filter(|_| csv)?;
            Some((path.clone(), Arc::new(table)))
        });
        Tables(tables.collect())
    }

    /// The columns that a list has as CSV.
    pub(super) fn column_names(&self, path: &str) -> Vec<String> {
        let table = self.get(path);
        table
            .iter()
            .flat_map(|table| &table.columns)
            .map(|path| path.join("."))
            .collect()
    }

    pub(crate) fn get(&self, path: &str) -> Option<Arc<Table>> {
        self.0.get(path).cloned()
    }
}

impl Table {
    /// The table that an operation answers: a page of items, or a report that is no single record.
    pub(crate) fn of(document: &Value, path: &str, operation: &Value) -> Option<Self> {
        let answer = fields(
            document,
            &operation["responses"]["200"]["content"]["application/json"]["schema"],
        );
        let has = |name: &str| answer.iter().any(|(field, _)| field == name);
        if path.ends_with('}') || has("id") {
            return None;
        }
        let paged = has("items") && has("next_cursor");
        if !paged && has("next_cursor") {
            return None;
        }
        let mut arrays = answer.iter().filter_map(|(name, schema)| {
            let items = &resolved(document, schema)["items"];
            let columns = columns(document, items, &mut Vec::new());
            (!columns.is_empty()).then_some((name, columns))
        });
        let (rows, columns) = match paged {
            true => arrays.find(|(name, _)| *name == "items")?,
            false => arrays.next()?,
        };
        Some(Table {
            rows: rows.clone(),
            paged,
            columns,
        })
    }
}

/// The schema behind references; of a nullable one, that which is not null.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..8 {
        let branches = ["oneOf", "anyOf"].iter().find_map(|word| schema[word].as_array());
        let branch = branches.into_iter().flatten().find(|branch| branch["type"] != "null");
        schema = match (schema["$ref"].as_str(), branch) {
            (Some(reference), _) => document
                .pointer(reference.trim_start_matches('#'))
                .unwrap_or(&Value::Null),
            (None, Some(branch)) => branch,
            (None, None) => return schema,
        };
    }
    schema
}

/// The fields of an object, those of its parts included.
fn fields<'a>(document: &'a Value, schema: &'a Value) -> Vec<(String, &'a Value)> {
    let schema = resolved(document, schema);
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let mut all: Vec<_> = parts.flat_map(|part| fields(document, part)).collect();
    let own = schema["properties"].as_object().into_iter().flatten();
    all.extend(own.map(|(name, field)| (name.clone(), field)));
    // Until a row shows the order of the fields: the id first.
    all.sort_by_key(|(name, _)| name != "id");
    all
}

fn columns(document: &Value, schema: &Value, path: &mut Vec<String>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (name, field) in fields(document, schema) {
        path.push(name);
        let inner = match path.len() {
            1..=3 => columns(document, field, path),
            _ => Vec::new(),
        };
        match inner.is_empty() {
            true => found.push(path.clone()),
            false => found.extend(inner),
        }
        path.pop();
    }
    found
}

/// A request for a list as CSV.
pub(crate) struct Asked {
    table: Arc<Table>,
    request: HttpRequest,
}

impl Asked {
    pub(crate) fn by(request: &HttpRequest, kit: &Kit) -> Option<Self> {
        let accept = request
            .headers()
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok());
        // A report takes it as a parameter too: a link to a file says all that there is to say.
        let said = request
            .query_string()
            .split('&')
            .find_map(|pair| pair.strip_prefix("format="));
        let wanted = said.map_or_else(|| accept.is_some_and(wants_csv), |format| format == "csv");
        let table = wanted
            .then(|| kit.document.latest().tables.get(&request.match_pattern()?))
            .flatten()?;
        Some(Asked {
            table,
            request: request.clone(),
        })
    }

    /// Reads the first page, so that what is wrong is still answered as a problem; the rest goes out
    /// as the client takes it.
    pub(crate) async fn answer<T, F>(self, kit: &Data<Kit>, actor: Actor, query: F) -> Result<Answer, Problem>
    where
        T: Serialize,
        F: Fn(&mut PgConnection) -> Result<T> + Send + 'static,
    {
        if !actor.may(ExportRecords::NAME) {
            return Err(ExportRecords::refuse(&actor));
        }
        let query: Arc<Query> = Arc::new(Mutex::new(Box::new(move |conn| {
            Ok(serde_json::to_value(query(conn)?)?)
        })));
        let first = Page::read(kit, &self.table, query.clone(), None).await?;
        // The columns as they are now: some are defined while the service runs.
        let described = kit.document.current(kit).await?;
        let path = self.request.match_pattern().unwrap_or_default();
        let table = described.tables.get(&path).unwrap_or(self.table);
        let list = format!("GET {}", self.request.path());
        let context = Context {
            actor,
            request_id: crate::telemetry::current_request_id().unwrap_or_default(),
            operation: list,
            idempotency_key: None,
            if_match: None,
            dry_run: false,
            time_zone: kit.time_zone,
        };
        let export = Export {
            kit: (***kit).clone(),
            id: Uuid::now_v7(),
            columns: ordered(&table, first.rows.first()),
            table,
            query,
            context,
            rows: 0,
        };
        let filter = self.request.query_string().to_owned();
        export
            .note(1, json!({ "query": { "from": null, "to": filter } }))
            .await?;
        let start = export.header();
        let stream = stream::once(async move { Ok(start) }).chain(stream::unfold(
            Some((export, Some(first))),
            |state| async move {
                let (export, next) = state?;
                match export.step(next).await {
                    Ok(Some((bytes, state))) => Some((Ok(bytes), Some(state))),
                    Ok(None) => None,
                    // The stream breaks off, so that nobody takes a part for the whole.
                    Err(problem) => Some((Err(problem), None)),
                }
            },
        ));
        let name = self
            .request
            .path()
            .rsplit('/')
            .find(|part| part.parse::<Uuid>().is_err())
            .unwrap_or("list")
            .to_owned();
        self.request.extensions_mut().insert(Streamed {
            name,
            body: stream.boxed_local(),
        });
        Ok(Answer::no_content())
    }
}

/// Whether the first media type that the client names of those we have is CSV.
fn wants_csv(accept: &str) -> bool {
    let mut wanted: Vec<(f32, &str)> = Vec::new();
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let quality = parts
            .find_map(|part| part.strip_prefix("q=")?.parse().ok())
            .unwrap_or(1.0);
        wanted.push((quality, media));
    }
    let best = |media: &[&str]| {
        let of_it = wanted
            .iter()
            .filter(|(_, range)| media.iter().any(|m| range.eq_ignore_ascii_case(m)));
        of_it.map(|(quality, _)| *quality).fold(0.0, f32::max)
    };
    let csv = best(&["text/csv"]);
    csv > 0.0 && csv >= best(&["application/json"])
}

type Query = Mutex<Box<dyn Fn(&mut PgConnection) -> Result<Value> + Send>>;

struct Page {
    rows: Vec<Value>,
    next: Option<String>,
}

impl Page {
    async fn read(kit: &Kit, table: &Table, query: Arc<Query>, cursor: Option<String>) -> Result<Page, Problem> {
        let (mut answer, taken) = kit
            .run_read(move |conn| {
                let query = query.lock().unwrap_or_else(PoisonError::into_inner);
                let (answer, taken) = take_turn(cursor.clone(), || query(conn));
                Ok((answer?, taken))
            })
            .await?;
        let next = answer["next_cursor"]
            .as_str()
            .filter(|_| table.paged)
            .map(str::to_owned);
        if next.is_some() && !taken {
            tracing::error!("a list pages without asking whose turn it is");
            return Err(Problem::internal());
        }
        let rows = match answer[&table.rows].take() {
            Value::Array(rows) => rows,
            _ => Vec::new(),
        };
        Ok(Page { rows, next })
    }
}

/// An export under way.
struct Export {
    kit: Kit,
    id: Uuid,
    table: Arc<Table>,
    columns: Vec<Vec<String>>,
    query: Arc<Query>,
    context: Context,
    rows: u64,
}

/// What is left: the page in hand, or none when everything went out.
type Next = Option<Page>;

impl Export {
    /// Writes the page in hand and gets the next one.
    async fn step(mut self, page: Next) -> Result<Option<(Bytes, (Self, Next))>, Problem> {
        let Some(page) = page else {
            return Ok(None);
        };
        self.rows += page.rows.len() as u64;
        let bytes = self.lines(&page.rows);
        let next = match page.next {
            Some(cursor) => Some(Page::read(&self.kit, &self.table, self.query.clone(), Some(cursor)).await?),
            None => {
                self.note(2, json!({ "rows": { "from": null, "to": self.rows } }))
                    .await?;
                None
            }
        };
        Ok(Some((bytes, (self, next))))
    }

    fn header(&self) -> Bytes {
        let names = self.columns.iter().map(|path| path.join("."));
        written(|writer| writer.write_record(names))
    }

    fn lines(&self, rows: &[Value]) -> Bytes {
        written(|writer| {
            for row in rows {
                for path in &self.columns {
                    writer.write_field(cell(row, path))?;
                }
                writer.write_record(None::<&[u8]>)?;
            }
            Ok(())
        })
    }

    /// Leaves an audit row.
    async fn note(&self, revision: i64, changes: Value) -> Result<(), Problem> {
        let id = self.id;
        let noted = self.kit.run_command(self.context.clone(), move |tx| {
            tx.audit_changes("export", id, revision, changes.clone());
            Ok(Answer::no_content())
        });
        noted.await.map(drop)
    }
}

/// Writing into memory does not fail.
fn written(write: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> csv::Result<()>) -> Bytes {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if let Err(error) = write(&mut writer) {
        tracing::error!(%error, "a row was not written");
    }
    writer.into_inner().unwrap_or_default().into()
}

/// The columns in the order of a row's fields.
fn ordered(table: &Table, row: Option<&Value>) -> Vec<Vec<String>> {
    let mut columns = table.columns.clone();
    if let Some(row) = row {
        columns.sort_by_cached_key(|path| place(row, path));
    }
    columns
}

fn place(row: &Value, path: &[String]) -> Vec<usize> {
    let mut value = row;
    let step = |name: &String| {
        let place = value
            .as_object()
            .and_then(|fields| fields.keys().position(|key| key == name));
        value = &value[name];
        place.unwrap_or(usize::MAX)
    };
    path.iter().map(step).collect()
}

fn cell(row: &Value, path: &[String]) -> String {
    let value = path.iter().fold(row, |value, name| &value[name]);
    match value {
        Value::Null => String::new(),
        Value::String(text) => guarded(text),
        other => other.to_string(),
    }
}

fn is_risky(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\''])
}

/// Text that a spreadsheet does not take for a formula.
fn guarded(text: &str) -> String {
    match is_risky(text) && !is_number(text) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// The text that was guarded, or any other as it is.
pub(super) fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_risky(rest)).unwrap_or(text)
}

/// A negative amount is no formula.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain && digits.starts_with(|c: char| c.is_ascii_digit())
}

/// The body of an answer that is a stream; it waits in the request for the answer to go out.
pub(crate) struct Streamed {
    name: String,
    body: LocalBoxStream<'static, Result<Bytes, Problem>>,
}

impl Streamed {
    pub(crate) fn respond(self) -> HttpResponse {
        let name = format!("attachment; filename=\"{}.csv\"", self.name);
        HttpResponse::Ok()
            .content_type("text/csv; charset=utf-8; header=present")
            .insert_header((header::CONTENT_DISPOSITION, name))
            .streaming(self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_become_text_and_numbers_stay() {
        for (text, shown) in [
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-1+2", "'-1+2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("'tis", "''tis"),
            ("-12.50", "-12.50"),
            ("-", "'-"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(guarded(text), shown);
        }
    }

    #[test]
    fn csv_is_what_the_client_names_first() {
        for accept in [
            "text/csv",
            "text/csv, */*;q=0.1",
            "application/json;q=0.5, text/csv",
            "TEXT/CSV;q=1",
        ] {
            assert!(wants_csv(accept), "{accept}");
        }
        for accept in [
            "*/*",
            "application/json",
            "application/json, text/csv;q=0.5",
            "text/csv;q=0",
            "text/*",
        ] {
            assert!(!wants_csv(accept), "{accept}");
        }
    }

    proptest! {
        #[test]
        fn what_is_guarded_comes_back(text in "[=+@'\\-\t\r1a]{0,5}") {
            let shown = guarded(&text);
            prop_assert_eq!(unguarded(&shown), text);
        }
    }
}
