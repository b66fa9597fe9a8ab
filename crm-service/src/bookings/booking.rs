//! A booking: who has a resource, from when to when, and what for.

use super::hours::{self, TimeSpan};
use super::resources::{self, BookableResource};
use crate::customers::model::set;
use crate::customers::timeline::{self, Entry};
use crate::schema::{self, activities, bookings};
use crate::subjects::{self, SubjectType};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_kit::http::present;
use service_kit::tx::Emitted;
use service_kit::{Faults, Owned, Problem, Resource, Result, Sight, Tx, text_enum, visible};
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    BookingState { Booked = "booked", Cancelled = "cancelled" }
}

text_enum! {
    /// What may be done with a booking.
    BookingAction { Edit = "edit", Move = "move", Cancel = "cancel" }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    pub resource_id: Uuid,
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"\S",
        example = "Tasting with Alfreds Futterkiste"
    )]
    pub title: String,
    #[schema(min_length = 1, max_length = 2_000)]
    pub description: Option<String>,
    /// Not in the past.
    pub starts_at: DateTime<Utc>,
    /// At most 31 days later.
    pub ends_at: DateTime<Utc>,
    /// What it is about, with `subject_id`.
    pub subject_type: Option<SubjectType>,
    pub subject_id: Option<Uuid>,
    /// The meeting that it is for.
    pub activity_id: Option<Uuid>,
    /// Absent: who books.
    pub owner_id: Option<Uuid>,
    /// Absent: the owner's.
    pub team_id: Option<Uuid>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingMoveIn {
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    /// Absent: the same.
    pub resource_id: Option<Uuid>,
}

/// Changes of a booking. Another time or resource is a move, under the same conditions.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingPatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub title: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 2_000)]
    pub description: Option<Option<String>>,
    #[schema(nullable = false)]
    pub starts_at: Option<DateTime<Utc>>,
    #[schema(nullable = false)]
    pub ends_at: Option<DateTime<Utc>>,
    #[schema(nullable = false)]
    pub resource_id: Option<Uuid>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingCancelIn {
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

/// A booking as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = bookings, treat_none_as_null = true)]
pub struct BookingRow {
    pub id: Uuid,
    pub resource_id: Uuid,
    pub title: String,
    pub state: BookingState,
    pub starts_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
    pub subject_type: Option<SubjectType>,
    pub subject_id: Option<Uuid>,
    pub activity_id: Option<Uuid>,
    /// The customer that it thereby concerns.
    pub customer_id: Option<Uuid>,
    pub cancel_reason: Option<String>,
    pub description: Option<String>,
    pub owner_id: Option<Uuid>,
    pub team_id: Option<Uuid>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A booking, with what may be done with it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Booking {
    #[serde(flatten)]
    pub row: BookingRow,
    pub allowed_actions: Vec<BookingAction>,
}

impl From<BookingRow> for Booking {
    fn from(row: BookingRow) -> Self {
        let allowed_actions = match row.state {
            BookingState::Booked => vec![BookingAction::Edit, BookingAction::Move, BookingAction::Cancel],
            BookingState::Cancelled => Vec::new(),
        };
        Booking { row, allowed_actions }
    }
}

impl Resource for Booking {
    const PATH: &'static str = "bookings";
    const TYPE: &'static str = "booking";
    fn id(&self) -> Uuid {
        self.row.id
    }
    fn revision(&self) -> i64 {
        self.row.revision
    }
}

impl Emitted for Booking {
    const EVENT: &'static str = "booking.changed";
    fn version(&self) -> i64 {
        self.row.revision
    }
}

/// A booking in sight.
///
/// # Errors
/// 404 when there is none, or none in sight.
pub fn get(conn: &mut PgConnection, sight: &Sight, id: Uuid) -> Result<Booking> {
    let row = bookings::table
        .find(id)
        .select(BookingRow::as_select())
        .first(conn)
        .optional()?;
    seen(sight, row).map(Booking::from)
}

fn seen(sight: &Sight, row: Option<BookingRow>) -> Result<BookingRow> {
    let row = row.filter(|row| sight.covers(row.owner_id, row.team_id));
    Ok(row.ok_or_else(|| Problem::not_found("booking"))?)
}

fn lock(tx: &mut Tx<'_>, id: Uuid, action: BookingAction) -> Result<BookingRow> {
    let row: Option<BookingRow> = bookings::table
        .find(id)
        .select(BookingRow::as_select())
        .for_no_key_update()
        .first(&mut **tx)
        .optional()?;
    let row = seen(&tx.sight(), row)?;
    let shown = Booking::from(row.clone());
    tx.match_if_given(&shown)?;
    if !shown.allowed_actions.contains(&action) {
        return Err(Problem::illegal_transition(action.as_str(), row.state.as_str(), &[]).into());
    }
    Ok(row)
}

/// Books a resource.
pub fn book(tx: &mut Tx<'_>, input: &BookingIn) -> Result<Booking> {
    let (now, mut faults) = (tx.now(), Faults::default());
    let span = TimeSpan {
        starts_at: input.starts_at,
        ends_at: input.ends_at,
    };
    let customer_id = about(tx, input, &mut faults)?;
    let otherwise = match customer_id {
        Some(customer) => subjects::customer_owner(tx, customer)?,
        None => Owned::default(),
    };
    let owned = Owned::of_new(tx, input.owner_id, input.team_id, otherwise, &mut faults)?;
    let resource = resources::lock(tx, input.resource_id)?;
    check(resource.as_ref(), &span, now, &mut faults);
    faults.check()?;
    let row = BookingRow {
        id: tx.mint(input.id),
        resource_id: input.resource_id,
        title: input.title.clone(),
        state: BookingState::Booked,
        starts_at: span.starts_at,
        ends_at: span.ends_at,
        subject_type: input.subject_type,
        subject_id: input.subject_id,
        activity_id: input.activity_id,
        customer_id,
        cancel_reason: None,
        description: input.description.clone(),
        owner_id: owned.owner_id,
        team_id: owned.team_id,
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    require_free(tx, &row)?;
    diesel::insert_into(bookings::table).values(&row).execute(&mut **tx)?;
    let booking = Booking::from(row);
    tx.changed(None, &booking)?;
    tell(tx, &booking, "booking_made", "Booked")?;
    Ok(booking)
}

/// Moves a booking to another time, or to another resource.
pub fn shift(tx: &mut Tx<'_>, id: Uuid, input: &BookingMoveIn) -> Result<Booking> {
    let before = lock(tx, id, BookingAction::Move)?;
    let mut after = before.clone();
    after.resource_id = input.resource_id.unwrap_or(before.resource_id);
    (after.starts_at, after.ends_at) = (input.starts_at, input.ends_at);
    keep(tx, before, after, true)
}

/// Changes what a booking is called and says, and where and when it is.
pub fn change(tx: &mut Tx<'_>, id: Uuid, patch: &BookingPatch) -> Result<Booking> {
    let before = lock(tx, id, BookingAction::Edit)?;
    tx.require_match(&Booking::from(before.clone()))?;
    let mut after = before.clone();
    set(&mut after.title, &patch.title);
    set(&mut after.description, &patch.description);
    set(&mut after.resource_id, &patch.resource_id);
    set(&mut after.starts_at, &patch.starts_at);
    set(&mut after.ends_at, &patch.ends_at);
    // A booking that is over can still be called otherwise.
    let place = |row: &BookingRow| (row.resource_id, row.starts_at, row.ends_at);
    let moved = place(&after) != place(&before);
    keep(tx, before, after, moved)
}

/// Stores what a booking is to be, if its place is free.
fn keep(tx: &mut Tx<'_>, before: BookingRow, after: BookingRow, moved: bool) -> Result<Booking> {
    if moved {
        let (now, mut faults) = (tx.now(), Faults::default());
        let span = TimeSpan {
            starts_at: after.starts_at,
            ends_at: after.ends_at,
        };
        let resource = resources::lock(tx, after.resource_id)?;
        check(resource.as_ref(), &span, now, &mut faults);
        faults.check()?;
    }
    if after == before {
        return Ok(before.into());
    }
    if moved {
        require_free(tx, &after)?;
    }
    let booking = save(tx, before, after)?;
    match moved {
        true => tell(tx, &booking, "booking_moved", "Booking moved")?,
        false => tell(tx, &booking, "booking_changed", "Booking changed")?,
    }
    Ok(booking)
}

/// What a calendar shows of a user's bookings: those that hold and end after an instant, without those of a meeting, which
/// stands there itself. With the names of what is booked.
pub fn of_calendar(
    conn: &mut PgConnection,
    owner: Uuid,
    since: DateTime<Utc>,
    most: i64,
) -> QueryResult<Vec<(BookingRow, String)>> {
    bookings::table
        .inner_join(schema::resources::table)
        .filter(
            bookings::owner_id
                .eq(owner)
                .and(bookings::state.eq(BookingState::Booked)),
        )
        .filter(bookings::ends_at.ge(since).and(bookings::activity_id.is_null()))
        .order((bookings::starts_at, bookings::id))
        .limit(most)
        .select((BookingRow::as_select(), schema::resources::name))
        .load(conn)
}

/// Gives the time back.
pub fn cancel(tx: &mut Tx<'_>, id: Uuid, input: &BookingCancelIn) -> Result<Booking> {
    let before = lock(tx, id, BookingAction::Cancel)?;
    let mut after = before.clone();
    after.state = BookingState::Cancelled;
    after.cancel_reason.clone_from(&input.reason);
    let booking = save(tx, before, after)?;
    tell(tx, &booking, "booking_cancelled", "Booking cancelled")?;
    Ok(booking)
}

fn save(tx: &mut Tx<'_>, before: BookingRow, mut after: BookingRow) -> Result<Booking> {
    after.revision += 1;
    after.updated_at = tx.now();
    diesel::update(bookings::table.find(after.id))
        .set(&after)
        .execute(&mut **tx)?;
    let booking = Booking::from(after);
    tx.changed(Some(&Booking::from(before)), &booking)?;
    Ok(booking)
}

/// The customer that a booking concerns, by what it is about or by its activity.
fn about(tx: &mut Tx<'_>, input: &BookingIn, faults: &mut Faults) -> Result<Option<Uuid>> {
    let (sight, mut customer) = (tx.sight(), None);
    match (input.subject_type, input.subject_id) {
        (Some(kind), Some(id)) => match subjects::find(tx, kind, id, &sight)? {
            Some(subject) => customer = subject.customer_id,
            None => faults.add("/subject_id", "unknown_subject", format!("there is no such {kind}")),
        },
        (None, None) => {}
        (None, Some(_)) => faults.add("/subject_type", "required", "say what kind of record subject_id is of"),
        (Some(_), None) => faults.add("/subject_id", "required", "say which record it is about"),
    }
    if let Some(id) = input.activity_id {
        let found: Option<Option<Uuid>> = activities::table
            .filter(activities::id.eq(id))
            .filter(visible!(&sight, activities))
            .select(activities::customer_id)
            .first(&mut **tx)
            .optional()?;
        match found {
            Some(concerned) => customer = customer.or(concerned),
            None => faults.add("/activity_id", "unknown_activity", "there is no such activity"),
        }
    }
    Ok(customer)
}

/// The longest booking.
const LONGEST_DAYS: i64 = 31;

fn check(resource: Option<&BookableResource>, span: &TimeSpan, now: DateTime<Utc>, faults: &mut Faults) {
    if span.starts_at < now {
        faults.add("/starts_at", "out_of_range", "lies in the past");
    }
    let length = span.ends_at - span.starts_at;
    let whole = length > TimeDelta::zero() && length <= TimeDelta::days(LONGEST_DAYS);
    if !whole {
        let message = format!("must lie after starts_at, at most {LONGEST_DAYS} days");
        faults.add("/ends_at", "out_of_range", message);
    }
    let Some(resource) = resource.filter(|resource| resource.active) else {
        return faults.add("/resource_id", "unknown_resource", "there is no such resource in use");
    };
    let (weekly, exceptions) = (&resource.working_hours.0, &resource.exceptions.0);
    let open = || hours::open_between(weekly, exceptions, resource.zone(), span);
    if whole && !open().iter().any(|open| open.contains(span)) {
        let message = format!("is outside of the working hours of {}", resource.name);
        faults.add("/starts_at", "outside_working_hours", message);
    }
}

/// Under the lock of the resource; the database keeps it too.
fn require_free(tx: &mut Tx<'_>, row: &BookingRow) -> Result<()> {
    let span = TimeSpan {
        starts_at: row.starts_at,
        ends_at: row.ends_at,
    };
    let taken = taken(tx, row.resource_id, &span, Some(row.id))?;
    if taken.is_empty() {
        return Ok(());
    }
    let problem = Problem::conflict("already_booked", "it is booked at this time");
    Err(problem.fact("taken", json!(taken)).into())
}

/// When a resource is booked, in order; whoever asks, and nothing more than the times.
pub fn taken(
    conn: &mut PgConnection,
    resource: Uuid,
    within: &TimeSpan,
    except: Option<Uuid>,
) -> QueryResult<Vec<TimeSpan>> {
    // No booking is longer.
    let earliest = within.starts_at - TimeDelta::days(LONGEST_DAYS);
    let rows: Vec<(DateTime<Utc>, DateTime<Utc>)> = bookings::table
        .filter(
            bookings::resource_id
                .eq(resource)
                .and(bookings::state.eq(BookingState::Booked)),
        )
        .filter(
            bookings::starts_at
                .ge(earliest)
                .and(bookings::starts_at.lt(within.ends_at)),
        )
        .filter(bookings::ends_at.gt(within.starts_at))
        .filter(bookings::id.ne(except.unwrap_or_default()))
        .order(bookings::starts_at)
        .select((bookings::starts_at, bookings::ends_at))
        .load(conn)?;
    let spans = rows
        .into_iter()
        .map(|(starts_at, ends_at)| TimeSpan { starts_at, ends_at });
    Ok(spans.collect())
}

/// The customer's timeline tells it to those who see the booking.
fn tell(tx: &mut Tx<'_>, booking: &Booking, kind: &'static str, words: &str) -> Result<()> {
    let row = &booking.row;
    let Some(customer) = row.customer_id else { return Ok(()) };
    let data = json!({ "resource_id": row.resource_id, "starts_at": row.starts_at, "ends_at": row.ends_at });
    let entry = Entry::here(tx, customer, kind, booking)
        .summary(format!("{words}: {}", row.title))
        .data(data)
        .owned(row.owner_id, row.team_id);
    Ok(timeline::add(tx, entry)?)
}
