//! Finding text among a million activities, newest first.
//!
//! There are two ways to it. Reading the list in order until the page is full is quick for a word
//! that stands everywhere, and endless for one that stands hardly anywhere. The trigram index is
//! the other way round. Nobody knows beforehand which word it is, and a plan that stays cannot
//! know either; so the newest rows tell, for each part of the list that the reader sees:
//! 1. the newest 500 rows are read: common words have filled the page here;
//! 2. as many of them have the text as promise a full page within 4,000 rows: they are read;
//! 3. the index, which knows owner and team beside the text, up to 5,000 finds: all that there are
//!    of a rare word, which are then put in order;
//! 4. with more finds than that the word is not rare, it is only not new: the list is read in order
//!    to the end of the page, 10,000 rows at a time.
//!
//! The answer is exact whichever way it was found. A text in which no three letters or digits
//! follow each other has no trigram to look for, and is never asked of the index.

use crate::activities::lists::{self, ActivitiesQuery, Part};
use crate::activities::model::ActivityRow;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use service_kit::Actor;
use service_kit::Sight;
use service_kit::db::{Sql, sql};
use service_kit::http::SearchText;
use std::sync::LazyLock;
use uuid::Uuid;

/// How many rows are read in order, to see how common the text is.
const WALK: i64 = 500;
/// How many rows more may be read in order before the index is asked.
const WALK_ON: i64 = 4_000;
/// How many are read at a time where the index does not help.
const STRIDE: i64 = 10_000;
/// How many finds of the index are put in order.
const FINDS: i64 = 5_000;

/// Where a page begins: newest first.
type Key = (DateTime<Utc>, Uuid);

/// A part of the list: the column whose index has it in order, and its value. No column: the whole.
type Column = (&'static str, Option<Uuid>);

/// What is looked for.
struct Wanted<'a> {
    /// In small letters.
    text: String,
    /// The same for LIKE.
    pattern: String,
    has_trigram: bool,
    query: &'a ActivitiesQuery,
    owner: Option<Uuid>,
    actor: &'a Actor,
    limit: i64,
}

/// The rows of a page, in any order.
///
/// # Errors
/// When the database refuses.
pub fn page(
    conn: &mut PgConnection,
    text: &SearchText,
    query: &ActivitiesQuery,
    actor: &Actor,
    after: Option<Key>,
    limit: i64,
) -> QueryResult<Vec<ActivityRow>> {
    let me = actor.user.map(|user| user.id).unwrap_or_default();
    let mine = (query.mine == Some(true)).then_some(me);
    if query.owner_id.is_some_and(|owner| mine.is_some_and(|me| me != owner)) {
        return Ok(Vec::new());
    }
    let wanted = Wanted {
        text: text.as_str().to_lowercase(),
        pattern: text.contains().to_lowercase(),
        has_trigram: text.has_trigram(),
        query,
        owner: query.owner_id.or(mine),
        actor,
        limit,
    };
    let after = after.unwrap_or_else(the_end);
    let ids = wanted.find(conn, after)?;
    lists::by_ids(conn, &ids)
}

/// Later than every row.
fn the_end() -> Key {
    let day = NaiveDate::from_ymd_opt(9_999, 12, 31).unwrap_or_default();
    (day.and_time(NaiveTime::MIN).and_utc(), Uuid::max())
}

impl Wanted<'_> {
    fn find(&self, conn: &mut PgConnection, after: Key) -> QueryResult<Vec<Uuid>> {
        let mut found = Vec::new();
        for part in self.parts() {
            found.extend(self.find_in(conn, &part, after)?);
        }
        Ok(found)
    }

    fn find_in(&self, conn: &mut PgConnection, part: &Column, after: Key) -> QueryResult<Vec<Uuid>> {
        let mut walked = self.walk(conn, part, after, WALK)?;
        let mut found = walked.ids.clone();
        let mut may_ask = self.has_trigram;
        while found.len() < self.limit as usize
            && let Some(last) = walked.last()
        {
            let promising = walked.rows_for(self.limit - found.len() as i64);
            if promising.is_none() && may_ask {
                if let Some(all) = self.ask_index(conn, part, after)? {
                    return Ok(all);
                }
                may_ask = false;
            }
            walked = self.walk(conn, part, last, promising.unwrap_or(STRIDE))?;
            found.extend(&walked.ids);
        }
        Ok(found)
    }

    /// From which index the rows are read in order.
    fn parts(&self) -> Vec<Column> {
        let query = self.query;
        let narrowest = [
            ("subject_id", query.subject_id),
            ("thread_id", query.thread_id),
            ("customer_id", query.customer_id),
            ("owner_id", self.owner),
            ("team_id", query.team_id),
        ];
        if let Some(narrowest) = narrowest.into_iter().find(|(_, id)| id.is_some()) {
            return vec![narrowest];
        }
        let parts = lists::parts(query, &self.actor.sight);
        let column = |part| match part {
            Part::Owner(owner) => ("owner_id", Some(owner)),
            Part::Team(team) => ("team_id", Some(team)),
            Part::Whole => ("", None),
        };
        parts.into_iter().map(column).collect()
    }

    fn walk(&self, conn: &mut PgConnection, (column, value): &Column, after: Key, rows: i64) -> QueryResult<Walked> {
        let mut statement = sql(of_column(&WALKS, column))
            .bind::<Timestamptz, _>(after.0)
            .bind::<SqlUuid, _>(after.1);
        if let Some(value) = *value {
            statement = statement.bind::<SqlUuid, _>(value);
        }
        let statement = statement.bind::<BigInt, _>(rows);
        let statement = self.bind(statement, &self.text);
        let mut walked: Walked = statement.bind::<BigInt, _>(self.limit).row(conn)?;
        if walked.read < rows {
            walked.last_at = None;
        }
        Ok(walked)
    }

    /// All of a part that there are, or nothing when there are too many.
    fn ask_index(
        &self,
        conn: &mut PgConnection,
        (column, value): &Column,
        after: Key,
    ) -> QueryResult<Option<Vec<Uuid>>> {
        let mut statement = sql(of_column(&INDEXES, column));
        if let Some(value) = *value {
            statement = statement.bind::<SqlUuid, _>(value);
        }
        let statement = self.bind(statement, &self.pattern);
        let found: Found = statement
            .bind::<BigInt, _>(FINDS + 1)
            .bind::<Timestamptz, _>(after.0)
            .bind::<SqlUuid, _>(after.1)
            .bind::<BigInt, _>(self.limit)
            .row(conn)?;
        Ok((found.finds <= FINDS).then_some(found.ids))
    }

    fn bind<'s>(&'s self, statement: Sql<'s>, text: &'s str) -> Sql<'s> {
        let query = self.query;
        let (all, user, teams) = self.actor.sight.binds();
        statement
            .bind::<Text, _>(text)
            .bind::<Nullable<Text>, _>(query.kind)
            .bind::<Nullable<Text>, _>(query.state)
            .bind::<Nullable<Text>, _>(query.priority)
            .bind::<Nullable<SqlUuid>, _>(self.owner)
            .bind::<Nullable<SqlUuid>, _>(query.team_id)
            .bind::<Nullable<SqlUuid>, _>(query.customer_id)
            .bind::<Nullable<SqlUuid>, _>(query.subject_id)
            .bind::<Nullable<SqlUuid>, _>(query.series_id)
            .bind::<Nullable<SqlUuid>, _>(query.thread_id)
            .bind::<Nullable<Text>, _>(query.subject_type)
            .bind::<Nullable<Date>, _>(query.due_on)
            .bind::<Nullable<Date>, _>(query.due_from)
            .bind::<Nullable<Date>, _>(query.due_to)
            .bind::<Nullable<Bool>, _>(query.overdue)
            .bind::<Bool, _>(all)
            .bind::<Nullable<SqlUuid>, _>(user)
            .bind::<Array<SqlUuid>, _>(teams)
    }
}

#[derive(QueryableByName)]
struct Walked {
    /// How many rows were read.
    #[diesel(sql_type = BigInt)]
    read: i64,
    /// The last of them, unless it is the last of all.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    last_id: Option<Uuid>,
    /// Those that were wanted, as far as the page has room.
    #[diesel(sql_type = Array<SqlUuid>)]
    ids: Vec<Uuid>,
}

impl Walked {
    fn last(&self) -> Option<Key> {
        self.last_at.zip(self.last_id)
    }

    /// How many rows probably have so many more, with a quarter added: when they are few enough to
    /// be read in order.
    fn rows_for(&self, missing: i64) -> Option<i64> {
        let found = self.ids.len() as i64;
        let rows = (found > 0).then(|| self.read * missing * 5 / (found * 4))?;
        (rows <= WALK_ON).then_some(rows.max(WALK))
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    finds: i64,
    #[diesel(sql_type = Array<SqlUuid>)]
    ids: Vec<Uuid>,
}

/// What is asked of a row `a` beside its text: the filters, and that it is in sight. The parameters
/// begin at `$first`; each is null when it asks nothing.
fn filters(first: usize) -> (String, usize) {
    let mut all = String::from("true");
    let mut next = first;
    for column in ["kind", "state", "priority"] {
        all += &format!(" AND a.{column} = coalesce(${next}, a.{column})");
        next += 1;
    }
    for column in [
        "owner_id",
        "team_id",
        "customer_id",
        "subject_id",
        "series_id",
        "thread_id",
        "subject_type",
        "due_on",
    ] {
        all += &format!(" AND a.{column} IS NOT DISTINCT FROM coalesce(${next}, a.{column})");
        next += 1;
    }
    for (comparison, end) in [(">=", "-infinity"), ("<=", "infinity")] {
        all += &format!(" AND coalesce(a.due_on, '{end}') {comparison} coalesce(${next}, '{end}')");
        next += 1;
    }
    all += &format!(" AND coalesce(${next} = (a.state = 'open' AND coalesce(a.due_by <= now(), false)), true)");
    next += 1;
    let sight = Sight::condition("a", next);
    (format!("{all} AND {sight}"), next + 3)
}

/// A statement for each column of [`Column`].
type Statements = [(&'static str, String); 6];

fn of_each_column(statement: fn(&str) -> String) -> Statements {
    let columns = ["", "owner_id", "team_id", "customer_id", "subject_id", "thread_id"];
    columns.map(|column| (column, statement(column)))
}

fn of_column<'a>(statements: &'a Statements, column: &str) -> &'a str {
    let found = statements.iter().find(|(of, _)| *of == column);
    &found.unwrap_or(&statements[0]).1
}

static WALKS: LazyLock<Statements> = LazyLock::new(|| of_each_column(walk));
static INDEXES: LazyLock<Statements> = LazyLock::new(|| of_each_column(index));

/// The text is not sought with LIKE here: nobody shall think of the index.
fn walk(column: &str) -> String {
    let (part, rows) = match column {
        "" => (String::new(), 3),
        column => (format!("AND a.{column} = $3"), 4),
    };
    let (filters, limit) = filters(rows + 2);
    format!(
        "WITH walked AS MATERIALIZED (
             SELECT a.id, a.created_at, a.kind, a.state, a.priority, a.owner_id, a.team_id, a.customer_id, a.subject_id,
                    a.series_id, a.thread_id, a.subject_type, a.due_on, a.due_by, a.search_text
             FROM activities a WHERE (a.created_at, a.id) < ($1, $2) {part}
             ORDER BY a.created_at DESC, a.id DESC LIMIT ${rows}),
         last AS (SELECT created_at, id FROM walked ORDER BY created_at, id LIMIT 1)
         SELECT (SELECT count(*) FROM walked) AS read, (SELECT created_at FROM last) AS last_at,
                (SELECT id FROM last) AS last_id,
                ARRAY(SELECT a.id FROM walked a WHERE strpos(a.search_text, ${text}) > 0 AND {filters}
                      ORDER BY a.created_at DESC, a.id DESC LIMIT ${limit}) AS ids",
        text = rows + 1,
    )
}

/// Everything is found before it is put in order: else the order's own index would be read instead.
fn index(column: &str) -> String {
    let (part, text) = match column {
        "" => (String::new(), 1),
        column => (format!("a.{column} = $1 AND "), 2),
    };
    let (filters, next) = filters(text + 1);
    format!(
        "WITH found AS MATERIALIZED (
             SELECT a.id, a.created_at FROM activities a WHERE {part}a.search_text LIKE ${text} AND {filters} LIMIT ${next})
         SELECT (SELECT count(*) FROM found) AS finds,
                ARRAY(SELECT id FROM found WHERE (created_at, id) < (${at}, ${id})
                      ORDER BY created_at DESC, id DESC LIMIT ${limit}) AS ids",
        at = next + 1,
        id = next + 2,
        limit = next + 3,
    )
}
