//! Imports and the answers to their rows, as they are stored.

use crate::db::sql;
use crate::http::Resource;
use crate::paging::{Cursor, Limit, Page, Sort};
use crate::problem::Result;
use crate::schema::{import_rows, imports};
use crate::text_enum;
use crate::tx::Tx;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Json, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// `open`: the file was not read to its end; send it again under the same id to go on.
    ImportStatus { Open = "open", Completed = "completed" }
}

text_enum! {
    /// What came of a row. In a dry run: what would.
    RowResult { Created = "created", Updated = "updated", Unchanged = "unchanged", Rejected = "rejected" }
}

/// An import of a CSV file.
#[derive(Debug, Clone, Serialize, Deserialize, Queryable, Selectable, QueryableByName, ToSchema)]
#[diesel(table_name = imports)]
pub struct Import {
    pub id: Uuid,
    pub kind: String,
    /// Nothing was changed; the answers say what would be.
    pub dry_run: bool,
    pub status: ImportStatus,
    /// The columns that the file has.
    #[diesel(column_name = column_names)]
    pub columns: Vec<String>,
    /// Rows answered so far.
    #[diesel(column_name = row_count)]
    pub rows: i64,
    #[diesel(column_name = created_rows)]
    pub created: i64,
    #[diesel(column_name = updated_rows)]
    pub updated: i64,
    #[diesel(column_name = unchanged_rows)]
    pub unchanged: i64,
    #[diesel(column_name = rejected_rows)]
    pub rejected: i64,
    /// Bytes of the file behind these rows.
    pub bytes: i64,
    /// The API key.
    pub actor_id: Uuid,
    pub actor: String,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
}

/// A fault of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportFault {
    /// `null` when it is the row as a whole.
    pub column: Option<String>,
    /// Stable code, for programs.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
}

/// The answer to a row.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ImportRow {
    /// Its number in the file; the first row below the names is 1.
    pub row: i64,
    /// The line on which it begins; that of the names is 1.
    pub line: i64,
    pub result: RowResult,
    /// The match key.
    pub key: Option<String>,
    /// The record that was created, updated or found.
    pub record_id: Option<Uuid>,
    /// All faults in one line, for people.
    pub problem: Option<String>,
    pub faults: Vec<ImportFault>,
}

impl Resource for Import {
    const PATH: &'static str = "imports";
    const TYPE: &'static str = "import";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl ImportFault {
    pub(super) fn at(column: &str, code: &str, message: impl Into<String>) -> Self {
        ImportFault {
            column: Some(column.to_owned()),
            code: code.to_owned(),
            message: message.into().chars().take(300).collect(),
        }
    }

    pub(super) fn of_row(code: &str, message: impl Into<String>) -> Self {
        ImportFault {
            column: None,
            ..ImportFault::at("", code, message)
        }
    }
}

/// A row with its answer.
pub(crate) struct Answered {
    pub line: i64,
    pub result: RowResult,
    pub key: Option<String>,
    pub record: Option<Uuid>,
    pub faults: Vec<ImportFault>,
}

/// How much of the file has been seen, and which file that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub rows: i64,
    pub bytes: i64,
    pub digest: [u8; 32],
}

/// What is known of an import before its first row.
pub(super) struct Start<'a> {
    pub id: Uuid,
    pub kind: &'a str,
    pub dry_run: bool,
    pub columns: Vec<&'a str>,
    pub settings: &'a Value,
    pub content_length: Option<i64>,
    pub checkpoint: Checkpoint,
}

/// An import as it was left, with what tells its file from others.
pub(super) struct Left {
    pub import: Import,
    pub content_length: Option<i64>,
    pub settings: Value,
    pub checkpoint: Checkpoint,
}

pub(super) fn left(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Left>> {
    type Row = (Import, Option<i64>, Vec<u8>, i64, Value);
    let found: Option<Row> = imports::table
        .find(id)
        .select((
            Import::as_select(),
            imports::content_length,
            imports::digest,
            imports::checked_rows,
            imports::settings,
        ))
        .first(conn)
        .optional()?;
    Ok(found.map(|(import, content_length, digest, rows, settings)| Left {
        settings,
        checkpoint: Checkpoint {
            rows,
            bytes: import.bytes,
            digest: digest.try_into().unwrap_or_default(),
        },
        import,
        content_length,
    }))
}

/// An import.
///
/// # Errors
/// When there is none, or the database refuses.
pub fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<Import> {
    imports::table.find(id).select(Import::as_select()).first(conn)
}

pub(super) fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Import>> {
    imports::table
        .find(id)
        .for_update()
        .select(Import::as_select())
        .first(conn)
        .optional()
}

/// `None` when there is one with this id.
pub(super) fn insert(tx: &mut Tx<'_>, start: &Start<'_>) -> QueryResult<Option<Import>> {
    let (actor_id, actor, now) = (tx.actor().id, tx.actor().name.to_string(), tx.now());
    diesel::insert_into(imports::table)
        .values((
            imports::id.eq(start.id),
            imports::kind.eq(start.kind),
            imports::dry_run.eq(start.dry_run),
            imports::status.eq(ImportStatus::Open),
            imports::column_names.eq(&start.columns),
            imports::settings.eq(start.settings),
            imports::content_length.eq(start.content_length),
            imports::bytes.eq(start.checkpoint.bytes),
            imports::digest.eq(&start.checkpoint.digest[..]),
            imports::checked_rows.eq(start.checkpoint.rows),
            imports::actor_id.eq(actor_id),
            imports::actor.eq(actor),
            imports::created_at.eq(now),
            imports::updated_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .returning(Import::as_returning())
        .get_result(&mut **tx)
        .optional()
}

/// Notes what was answered.
pub(super) fn advance(
    tx: &mut Tx<'_>,
    before: &Import,
    answers: &[Answered],
    checkpoint: Checkpoint,
    completed: bool,
) -> QueryResult<Import> {
    let count = |result: RowResult| answers.iter().filter(|answer| answer.result == result).count() as i64;
    let now = tx.now();
    sql("UPDATE imports SET row_count = row_count + $1, created_rows = created_rows + $2, updated_rows = updated_rows + $3,
             unchanged_rows = unchanged_rows + $4, rejected_rows = rejected_rows + $5, checked_rows = $6, bytes = $7,
             digest = $8, completed_at = CASE WHEN $9 THEN $10::timestamptz END,
             status = CASE WHEN $11 THEN 'completed' ELSE 'open' END, updated_at = $12, revision = revision + 1
         WHERE id = $13
         RETURNING id, kind, dry_run, status, column_names, row_count, created_rows, updated_rows, unchanged_rows,
             rejected_rows, bytes, actor_id, actor, revision, created_at, updated_at, completed_at")
        .bind::<BigInt, _>(answers.len() as i64)
        .bind::<BigInt, _>(count(RowResult::Created))
        .bind::<BigInt, _>(count(RowResult::Updated))
        .bind::<BigInt, _>(count(RowResult::Unchanged))
        .bind::<BigInt, _>(count(RowResult::Rejected))
        .bind::<BigInt, _>(checkpoint.rows)
        .bind::<BigInt, _>(checkpoint.bytes)
        .bind::<Binary, _>(checkpoint.digest.to_vec())
        .bind::<Bool, _>(completed)
        .bind::<Timestamptz, _>(now)
        .bind::<Bool, _>(completed)
        .bind::<Timestamptz, _>(now)
        .bind::<SqlUuid, _>(before.id)
        .row(tx)
}

pub(super) fn insert_rows(tx: &mut Tx<'_>, import: Uuid, before: i64, answers: &[Answered]) -> Result<()> {
    if answers.is_empty() {
        return Ok(());
    }
    let faults = answers.iter().map(|answer| serde_json::to_value(&answer.faults));
    let faults: Vec<Value> = faults.collect::<Result<_, _>>()?;
    let short = |key: &Option<String>| key.as_ref().map(|key| key.chars().take(500).collect::<String>());
    sql(
        "INSERT INTO import_rows (import_id, row_number, line, result, key, record_id, faults)
         SELECT $1, * FROM unnest($2, $3, $4, $5, $6, $7)",
    )
    .bind::<SqlUuid, _>(import)
    .bind::<Array<BigInt>, _>((1..=answers.len() as i64).map(|n| before + n).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(answers.iter().map(|answer| answer.line).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(answers.iter().map(|answer| answer.result.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(answers.iter().map(|answer| short(&answer.key)).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(answers.iter().map(|answer| answer.record).collect::<Vec<_>>())
    .bind::<Array<Json>, _>(faults)
    .run(tx)?;
    Ok(())
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = BigInt)]
    first: i64,
}

/// The first row of each of these keys in the batches before.
pub(super) fn rows_by_key(conn: &mut PgConnection, import: Uuid, keys: &[&str]) -> QueryResult<Vec<(String, i64)>> {
    let rows: Vec<KeyRow> = sql("SELECT key, min(row_number) AS first FROM import_rows
         WHERE import_id = $1 AND key = ANY ($2) GROUP BY key")
    .bind::<SqlUuid, _>(import)
    .bind::<Array<Text>, _>(keys)
    .rows(conn)?;
    Ok(rows.into_iter().map(|row| (row.key, row.first)).collect())
}

/// Which of these keys stood in a row before that was not rejected.
pub(super) fn good_keys(conn: &mut PgConnection, import: Uuid, keys: &[&str]) -> QueryResult<Vec<String>> {
    import_rows::table
        .filter(import_rows::import_id.eq(import))
        .filter(import_rows::key.eq_any(keys))
        .filter(import_rows::result.ne(RowResult::Rejected))
        .select(import_rows::key.assume_not_null())
        .load(conn)
}

/// A page of the imports of these kinds.
pub(super) fn page(
    conn: &mut PgConnection,
    kinds: &[&str],
    limit: Option<Limit>,
    cursor: &Option<Cursor>,
    sort: &Option<Sort>,
) -> Result<Page<Import>> {
    let found = imports::table
        .filter(imports::kind.eq_any(kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>()))
        .select(Import::as_select())
        .into_boxed();
    crate::keyset_page!(found, conn, limit, cursor, sort, id: imports::id as Uuid => |i: &Import| i.id, [
        "created_at" => imports::created_at as DateTime<Utc> => |i: &Import| i.created_at,
    ])
}

type StoredRow = (i64, i64, RowResult, Option<String>, Option<Uuid>, Value);

/// A page of the answers to an import's rows, in the order of the file.
pub(super) fn rows(
    conn: &mut PgConnection,
    import: Uuid,
    result: Option<RowResult>,
    limit: Option<Limit>,
    cursor: &Option<Cursor>,
) -> Result<Page<ImportRow>> {
    let (limit, cursor) = crate::paging::turn(limit, cursor.as_ref());
    let after = cursor.map(|cursor| cursor.decode::<i64>("row")).transpose()?;
    let mut found = import_rows::table
        .filter(import_rows::import_id.eq(import))
        .filter(import_rows::row_number.gt(after.unwrap_or(0)))
        .select((
            import_rows::row_number,
            import_rows::line,
            import_rows::result,
            import_rows::key,
            import_rows::record_id,
            import_rows::faults,
        ))
        .into_boxed();
    if let Some(result) = result {
        found = found.filter(import_rows::result.eq(result));
    }
    let rows: Vec<StoredRow> = found
        .order(import_rows::row_number)
        .limit(limit.plus_one())
        .load(conn)?;
    let rows = rows.into_iter().map(shown).collect();
    Ok(Page::from_rows(rows, limit, |row: &ImportRow| {
        Cursor::encode("row", &row.row)
    }))
}

fn shown((row, line, result, key, record_id, faults): StoredRow) -> ImportRow {
    let faults: Vec<ImportFault> = serde_json::from_value(faults).unwrap_or_default();
    let told = faults.iter().map(|fault| match &fault.column {
        Some(column) => format!("{column}: {}", fault.message),
        None => fault.message.clone(),
    });
    let problem = told.collect::<Vec<_>>().join("; ");
    ImportRow {
        row,
        line,
        result,
        key,
        record_id,
        problem: Some(problem).filter(|problem| !problem.is_empty()),
        faults,
    }
}

/// Forgets the answers to the rows of imports that were not touched since; what each import did
/// as a whole stays, and so does its id.
pub(crate) fn remove_rows(conn: &mut PgConnection, before: DateTime<Utc>) -> QueryResult<()> {
    while sql("DELETE FROM import_rows WHERE ctid = ANY (ARRAY(
             SELECT r.ctid FROM imports i JOIN import_rows r ON r.import_id = i.id WHERE i.updated_at < $1 LIMIT $2))")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(5_000)
    .run(conn)?
        == 5_000
    {}
    Ok(())
}
