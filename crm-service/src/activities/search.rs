//! Finding text among a million activities, newest first.
//!
//! There are two ways to it. Reading the list in order until the page is full is quick for a word
//! that stands everywhere, and endless for one that stands hardly anywhere. The trigram index is
//! the other way round. Nobody knows beforehand which word it is, and a plan that stays cannot
//! know either; so both are tried, each as far as it is cheap:
//! 1. the newest 2,000 rows of what the reader sees: common words have filled the page here;
//! 2. the index, up to 5,000 finds: all that there are of a rare word, which are then put in order;
//! 3. what has neither filled a page within 2,000 rows nor less than 5,000 finds is not rare: it is
//!    read in order to the end of the page, 10,000 rows at a time.
//!
//! The answer is exact whichever way it was found. A text in which no three letters or digits
//! follow each other has no trigram to look for, and goes the third way.

use crate::activities::lists::{self, ActivitiesQuery, Part};
use crate::activities::model::ActivityRow;
use crate::customers::search::has_trigram;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use service_kit::Actor;
use service_kit::Sight;
use service_kit::db::{Sql, sql};
use service_kit::http::SearchText;
use std::sync::LazyLock;
use uuid::Uuid;

/// How many rows are read in order before the index is asked.
const WALK: i64 = 2_000;
/// How many are read at a time afterwards.
const STRIDE: i64 = 10_000;
/// How many finds of the index are put in order.
const FINDS: i64 = 5_000;

/// Where a page begins: newest first.
type Key = (DateTime<Utc>, Uuid);

/// What is looked for.
struct Wanted<'a> {
    /// In small letters.
    text: String,
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
        let mut unfinished = Vec::new();
        let mut found = Vec::new();
        for part in self.parts() {
            let walked = self.walk(conn, &part, after, WALK)?;
            found.extend(walked.ids.iter().copied());
            if !walked.is_enough(self.limit, WALK) {
                unfinished.push((part, walked));
            }
        }
        if unfinished.is_empty() {
            return Ok(found);
        }
        if has_trigram(&self.text)
            && let Some(all) = self.ask_index(conn, after)?
        {
            return Ok(all);
        }
        for (part, mut walked) in unfinished {
            let mut missing = self.limit - walked.count();
            while missing > 0
                && let Some(last) = walked.last()
            {
                walked = self.walk(conn, &part, last, STRIDE)?;
                found.extend(walked.ids.iter().take(missing.unsigned_abs() as usize));
                missing -= walked.count();
                if walked.read < STRIDE {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// From which index the rows are read in order.
    fn parts(&self) -> Vec<(&'static str, Option<Uuid>)> {
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

    fn walk(
        &self,
        conn: &mut PgConnection,
        (column, value): &(&'static str, Option<Uuid>),
        after: Key,
        rows: i64,
    ) -> QueryResult<Walked> {
        let statement = WALKS.iter().find(|(of, _)| of == column).unwrap_or(&WALKS[0]);
        let mut statement = sql(&statement.1)
            .bind::<Timestamptz, _>(after.0)
            .bind::<SqlUuid, _>(after.1);
        if let Some(value) = *value {
            statement = statement.bind::<SqlUuid, _>(value);
        }
        let statement = statement.bind::<BigInt, _>(rows);
        let statement = self.bind(statement, self.text.clone());
        statement.bind::<BigInt, _>(self.limit).row(conn)
    }

    /// All that there are, or nothing when there are too many.
    fn ask_index(&self, conn: &mut PgConnection, after: Key) -> QueryResult<Option<Vec<Uuid>>> {
        let escaped = self.text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let statement = self.bind(sql(&INDEX), format!("%{escaped}%"));
        let found: Found = statement
            .bind::<BigInt, _>(FINDS + 1)
            .bind::<Timestamptz, _>(after.0)
            .bind::<SqlUuid, _>(after.1)
            .bind::<BigInt, _>(self.limit)
            .row(conn)?;
        Ok((found.finds <= FINDS).then_some(found.ids))
    }

    fn bind<'s>(&'s self, statement: Sql<'s>, text: String) -> Sql<'s> {
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
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    last_id: Option<Uuid>,
    /// Those that were wanted, as far as the page has room.
    #[diesel(sql_type = Array<SqlUuid>)]
    ids: Vec<Uuid>,
}

impl Walked {
    fn count(&self) -> i64 {
        self.ids.len() as i64
    }

    fn is_enough(&self, limit: i64, rows: i64) -> bool {
        self.count() >= limit || self.read < rows
    }

    fn last(&self) -> Option<Key> {
        self.last_at.zip(self.last_id)
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

/// The text is not sought with LIKE here: nobody shall think of the index.
static WALKS: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    let columns = ["", "owner_id", "team_id", "customer_id", "subject_id", "thread_id"];
    columns.map(|column| (column, walk(column))).into()
});

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
static INDEX: LazyLock<String> = LazyLock::new(|| {
    let (filters, next) = filters(2);
    format!(
        "WITH found AS MATERIALIZED (
             SELECT a.id, a.created_at FROM activities a WHERE a.search_text LIKE $1 AND {filters} LIMIT ${next})
         SELECT (SELECT count(*) FROM found) AS finds,
                ARRAY(SELECT id FROM found WHERE (created_at, id) < (${at}, ${id})
                      ORDER BY created_at DESC, id DESC LIMIT ${limit}) AS ids",
        at = next + 1,
        id = next + 2,
        limit = next + 3,
    )
});
