//! Lists of activities: a page of them in an order, as far as they are in sight.
//!
//! Among a million rows a page must not cost more than the rows that it shows, whatever part of
//! them its reader sees. So a list is read from the index of whoever is asked for (a customer, an
//! owner, a record); when nobody is, and the reader sees the records of a few teams, from the
//! index of each team and of the reader, as far as a page needs, and put together here. Somebody
//! who sees many teams sees so much of the whole that the whole is read in order.

use crate::activities::model::{Activity, ActivityKind, ActivityPriority, ActivityRow, ActivityState};
use crate::activities::search;
use crate::schema::activities::{self, dsl};
use crate::subjects::SubjectType;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use serde::Deserialize;
use service_kit::http::SearchText;
use service_kit::{Actor, Cursor, Limit, Page, Problem, Result, Sight, Sort, visible};
use utoipa::IntoParams;
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ActivitiesQuery {
    /// Part of the title or text, in any spelling of capitals; the newest come first.
    pub q: Option<SearchText>,
    #[param(inline)]
    pub kind: Option<ActivityKind>,
    #[param(inline)]
    pub state: Option<ActivityState>,
    #[param(inline)]
    pub priority: Option<ActivityPriority>,
    /// Only those of the signed-in user.
    pub mine: Option<bool>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    /// Those that concern a customer, on whichever record they are.
    pub customer_id: Option<Uuid>,
    #[param(inline)]
    pub subject_type: Option<SubjectType>,
    /// Those on a record.
    pub subject_id: Option<Uuid>,
    /// Those of one series.
    pub series_id: Option<Uuid>,
    /// E-mails of one thread.
    pub thread_id: Option<Uuid>,
    /// Those that are open although they were due, or only the others.
    pub overdue: Option<bool>,
    /// Those due on this day.
    pub due_on: Option<NaiveDate>,
    pub due_from: Option<NaiveDate>,
    pub due_to: Option<NaiveDate>,
    pub limit: Option<Limit>,
    pub cursor: Option<Cursor>,
    /// `created_at` or `due` (only those that are open and due at some time), with `-` for
    /// descending; `-created_at` when absent.
    pub sort: Option<Sort>,
}

/// What orders a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Created,
    Due,
}

const OFFERED: &[&str] = &["created_at", "due"];

/// How many teams are read one by one.
const FEW_TEAMS: usize = 8;

/// Which part of the rows a statement reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// What the filters leave.
    Whole,
    Owner(Uuid),
    Team(Uuid),
}

type Rows<'a> = activities::BoxedQuery<'a, Pg>;

/// # Errors
/// 400 for an order or a cursor that the list does not have.
pub fn page(conn: &mut PgConnection, query: &ActivitiesQuery, actor: &Actor) -> Result<Page<Activity>> {
    let sort = query.sort.as_ref().map_or("-created_at", Sort::as_str);
    let (field, descending) = match sort.strip_prefix('-') {
        Some(field) => (field, true),
        None => (sort, false),
    };
    let order = match field {
        "created_at" => Order::Created,
        "due" => Order::Due,
        _ => return Err(service_kit::paging::unknown_sort(sort, OFFERED).into()),
    };
    let (limit, cursor) = service_kit::paging::turn(query.limit, query.cursor.as_ref());
    let after = cursor
        .map(|cursor| cursor.decode::<(DateTime<Utc>, Uuid)>(sort))
        .transpose()?;
    let mine = actor.user.map(|user| user.id).unwrap_or_default();
    let mut rows = match &query.q {
        Some(text) if (order, descending) == (Order::Created, true) => {
            search::page(conn, text, query, actor, after, limit.plus_one())?
        }
        Some(_) => {
            let detail = "sort: what is found is ordered by -created_at";
            return Err(Problem::bad_request("invalid_parameter", detail).into());
        }
        None => {
            let mut rows = Vec::new();
            for part in parts(query, &actor.sight) {
                let selected = within(filtered(query, mine), &part, &actor.sight);
                rows.extend(ordered(conn, selected, order, descending, after, limit.plus_one())?);
            }
            rows
        }
    };
    let key = |row: &ActivityRow| match order {
        Order::Created => (row.created_at, row.id),
        Order::Due => (row.due_by.unwrap_or_default(), row.id),
    };
    rows.sort_by(|a, b| match descending {
        true => key(b).cmp(&key(a)),
        false => key(a).cmp(&key(b)),
    });
    // Somebody's own record may be their team's as well.
    rows.dedup_by_key(|row| row.id);
    let page = Page::from_rows(rows, limit, |row| Cursor::encode(sort, &key(row)));
    Ok(page.map(Activity::from))
}

/// The parts that together are what this reader sees of the list.
pub fn parts(query: &ActivitiesQuery, sight: &Sight) -> Vec<Part> {
    let narrow = query.owner_id.is_some()
        || query.mine == Some(true)
        || query.team_id.is_some()
        || query.customer_id.is_some()
        || query.subject_id.is_some()
        || query.series_id.is_some()
        || query.thread_id.is_some();
    match sight {
        Sight::Own { user } if !narrow => vec![Part::Owner(*user)],
        Sight::Team { user, teams } if !narrow && teams.len() <= FEW_TEAMS => {
            let teams = teams.iter().map(|team| Part::Team(*team));
            teams.chain([Part::Owner(*user)]).collect()
        }
        _ => vec![Part::Whole],
    }
}

fn within<'a>(rows: Rows<'a>, part: &Part, sight: &Sight) -> Rows<'a> {
    match part {
        // All of it is in sight.
        Part::Owner(owner) => rows.filter(dsl::owner_id.eq(*owner)),
        Part::Team(team) => rows.filter(dsl::team_id.eq(*team)),
        Part::Whole if sight.sees_all() => rows,
        Part::Whole => rows.filter(visible!(sight, activities)),
    }
}

/// Open and due at some time: as the indexes of what is open say it.
const OPEN_AND_DUE: &str = "activities.state = 'open' AND activities.due_by IS NOT NULL";

fn filtered<'a>(query: &ActivitiesQuery, mine: Uuid) -> Rows<'a> {
    let mut rows = activities::table.into_boxed();
    if let Some(kind) = query.kind {
        rows = rows.filter(dsl::kind.eq(kind));
    }
    if let Some(state) = query.state {
        rows = rows.filter(dsl::state.eq(state));
    }
    if let Some(priority) = query.priority {
        rows = rows.filter(dsl::priority.eq(priority));
    }
    if query.mine == Some(true) {
        rows = rows.filter(dsl::owner_id.eq(mine));
    }
    if let Some(owner) = query.owner_id {
        rows = rows.filter(dsl::owner_id.eq(owner));
    }
    if let Some(team) = query.team_id {
        rows = rows.filter(dsl::team_id.eq(team));
    }
    if let Some(customer) = query.customer_id {
        rows = rows.filter(dsl::customer_id.eq(customer));
    }
    if let Some(kind) = query.subject_type {
        rows = rows.filter(dsl::subject_type.eq(kind));
    }
    if let Some(subject) = query.subject_id {
        rows = rows.filter(dsl::subject_id.eq(subject));
    }
    if let Some(series) = query.series_id {
        rows = rows.filter(dsl::series_id.eq(series));
    }
    if let Some(thread) = query.thread_id {
        rows = rows.filter(dsl::thread_id.eq(thread));
    }
    rows = match query.overdue {
        Some(true) => rows.filter(sql::<Bool>(OPEN_AND_DUE)).filter(overdue()),
        Some(false) => rows.filter(diesel::dsl::not(overdue())),
        None => rows,
    };
    if let Some(day) = query.due_on {
        rows = rows.filter(dsl::due_on.eq(day));
    }
    if let Some(day) = query.due_from {
        rows = rows.filter(dsl::due_on.ge(day));
    }
    if let Some(day) = query.due_to {
        rows = rows.filter(dsl::due_on.le(day));
    }
    rows
}

fn overdue() -> diesel::expression::SqlLiteral<Bool> {
    sql("(activities.state = 'open' AND activities.due_by IS NOT NULL AND activities.due_by <= now())")
}

/// The rows after a key, in order, with a limit.
fn ordered(
    conn: &mut PgConnection,
    rows: Rows<'_>,
    order: Order,
    descending: bool,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> QueryResult<Vec<ActivityRow>> {
    macro_rules! in_order {
        ($rows:expr, $column:expr) => {{
            let mut rows = $rows;
            if let Some((at, id)) = after {
                let same = $column.eq(at);
                rows = match descending {
                    true => rows.filter($column.lt(at).or(same.and(dsl::id.lt(id)))),
                    false => rows.filter($column.gt(at).or(same.and(dsl::id.gt(id)))),
                };
            }
            let rows = match descending {
                true => rows.order(($column.desc(), dsl::id.desc())),
                false => rows.order(($column.asc(), dsl::id.asc())),
            };
            rows.select(ActivityRow::as_select()).limit(limit).load(conn)
        }};
    }
    match order {
        Order::Created => in_order!(rows, dsl::created_at),
        Order::Due => {
            let due_by = dsl::due_by.assume_not_null();
            in_order!(rows.filter(sql::<Bool>(OPEN_AND_DUE)), due_by)
        }
    }
}

/// Rows by their ids, in any order.
///
/// # Errors
/// When the database refuses.
pub fn by_ids(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<Vec<ActivityRow>> {
    let rows = activities::table.filter(dsl::id.eq_any(ids));
    rows.select(ActivityRow::as_select()).load(conn)
}

/// The next thing to be done with a customer that is in sight: for its card.
///
/// # Errors
/// When the database refuses.
pub fn next_of(conn: &mut PgConnection, customer: Uuid, sight: &Sight) -> QueryResult<Option<Activity>> {
    let rows = activities::table
        .filter(dsl::customer_id.eq(customer))
        .filter(sql::<Bool>(OPEN_AND_DUE))
        .into_boxed();
    let row = within(rows, &Part::Whole, sight)
        .order((dsl::due_by.asc(), dsl::id.asc()))
        .select(ActivityRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Activity::from))
}

/// What was done with a customer last, as far as that is in sight: for its card.
///
/// # Errors
/// When the database refuses.
pub fn last_of(conn: &mut PgConnection, customer: Uuid, sight: &Sight) -> QueryResult<Option<Activity>> {
    let rows = activities::table
        .filter(dsl::customer_id.eq(customer))
        .filter(sql::<Bool>("activities.state = 'done'"))
        .into_boxed();
    let row = within(rows, &Part::Whole, sight)
        .order((dsl::done_at.desc(), dsl::id.desc()))
        .select(ActivityRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Activity::from))
}
