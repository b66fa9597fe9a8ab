//! Keyset paging: stable under writes, and as fast on page 1,000 as on page 1.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::cell::RefCell;
use utoipa::ToSchema;

use crate::problem::Problem;

/// Items on a page: 1 to 500, 50 unless given.
#[derive(Debug, Clone, Copy)]
pub struct Limit(u16);

impl Default for Limit {
    fn default() -> Self {
        Limit(50)
    }
}

impl Limit {
    /// One more than the page holds, to know whether there is a next one.
    pub fn plus_one(self) -> i64 {
        i64::from(self.0) + 1
    }

    pub fn get(self) -> usize {
        usize::from(self.0)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        match text.parse() {
            Ok(limit @ 1..=500) if text.bytes().all(|b| b.is_ascii_digit()) => Ok(Limit(limit)),
            _ => Err(serde::de::Error::custom("limit: expected a number from 1 to 500")),
        }
    }
}

impl utoipa::PartialSchema for Limit {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Integer)
            .minimum(Some(1))
            .maximum(Some(500))
            .default(Some(50.into()))
            .into()
    }
}

impl ToSchema for Limit {}

/// Where the next page starts; opaque to clients.
#[derive(Debug, Clone)]
pub struct Cursor(String);

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Cursor)
    }
}

impl utoipa::PartialSchema for Cursor {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .max_length(Some(2_000))
            .into()
    }
}

impl ToSchema for Cursor {}

impl Cursor {
    /// Encodes the key of the last row of a page under the name of its order.
    pub fn encode<K: Serialize>(sort: &str, key: &K) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(sort, key)).unwrap_or_default())
    }

    /// The key, if the cursor was made for this order.
    ///
    /// # Errors
    /// 400 `invalid_cursor`.
    pub fn decode<K: DeserializeOwned>(&self, sort: &str) -> Result<K, Problem> {
        let invalid = || Problem::bad_request("invalid_cursor", "the cursor does not belong to this list and order");
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| invalid())?;
        if bytes.windows(6).any(|w| w == b"\\u0000") {
            return Err(invalid());
        }
        let (made_for, key): (String, K) = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
        if made_for == sort { Ok(key) } else { Err(invalid()) }
    }
}

/// A turn of somebody who reads a list to its end, and whether the list has taken it.
struct Turn {
    cursor: Option<Cursor>,
    taken: bool,
}

thread_local! {
    static TURN: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

/// Where a page starts and how long it is: what the request says, unless somebody reads the list
/// page by page to its end, as an export does. Every list that pages asks this.
pub fn turn(limit: Option<Limit>, cursor: Option<&Cursor>) -> (Limit, Option<Cursor>) {
    TURN.with_borrow_mut(|turn| match turn {
        Some(turn) => {
            turn.taken = true;
            (Limit(500), turn.cursor.clone().or_else(|| cursor.cloned()))
        }
        None => (limit.unwrap_or_default(), cursor.cloned()),
    })
}

/// Runs the query of a list for the page at `cursor`, or its first one; says whether it has asked
/// [`turn`], without which it would give the same page for ever.
pub(crate) fn take_turn<T>(cursor: Option<String>, query: impl FnOnce() -> T) -> (T, bool) {
    /// Ends the turn, even if the query panics: the thread goes on to serve others.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            TURN.set(None);
        }
    }
    let cursor = cursor.map(Cursor);
    TURN.set(Some(Turn { cursor, taken: false }));
    let _end = End;
    let page = query();
    let taken = TURN.with_borrow(|turn| turn.as_ref().is_some_and(|turn| turn.taken));
    (page, taken)
}

/// The order of a list: a field name, with `-` in front for descending.
#[derive(Debug, Clone)]
pub struct Sort(String);

impl Sort {
    /// What a list is ordered by when the request does not say.
    pub fn of(order: &str) -> Self {
        Sort(order.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Sort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Sort)
    }
}

impl utoipa::PartialSchema for Sort {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .max_length(Some(60))
            .into()
    }
}

impl ToSchema for Sort {}

/// 400 for an order that a list does not offer.
pub fn unknown_sort(sort: &str, offered: &[&str]) -> Problem {
    let sort: String = sort.chars().take(60).collect();
    Problem::bad_request(
        "invalid_parameter",
        format!("sort: {sort:?} is not one of {}", offered.join(", ")),
    )
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Pass it as `cursor` to get the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page from rows that were asked for with [`Limit::plus_one`].
    pub fn from_rows(mut rows: Vec<T>, limit: Limit, cursor_of: impl FnOnce(&T) -> String) -> Self {
        let more = rows.len() > limit.get();
        rows.truncate(limit.get());
        let next_cursor = rows.last().filter(|_| more).map(cursor_of);
        Page {
            items: rows,
            next_cursor,
        }
    }

    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next_cursor: self.next_cursor,
        }
    }
}

/// Loads one page of a boxed Diesel query in one of the offered orders.
///
/// ```text
/// keyset_page!(query, conn, limit, cursor, sort, id: products::id => |p: &Product| p.id, [
///     "created_at" => products::created_at as DateTime<Utc> => |p: &Product| p.created_at,
///     "name" => products::name as String => |p: &Product| p.name.clone(),
/// ])
/// ```
/// The first order is the default one; each is offered with `-` for descending as well.
#[macro_export]
macro_rules! keyset_page {
    ($query:expr, $conn:expr, $limit:expr, $cursor:expr, $sort:expr,
     id: $id:path as $id_type:ty => $id_of:expr,
     [$($name:literal => $column:path as $kind:ty => $key_of:expr),+ $(,)?]) => {{
        use diesel::prelude::*;
        let (limit, cursor) = $crate::paging::turn($limit, $cursor.as_ref());
        let offered: &[&str] = &[$($name),+];
        let sort: &str = $sort.as_ref().map_or(offered[0], |sort: &$crate::Sort| sort.as_str());
        let cursor: Option<&$crate::Cursor> = cursor.as_ref();
        let query = $query;
        let (field, descending) = match sort.strip_prefix('-') {
            Some(field) => (field, true),
            None => (sort, false),
        };
        match (field, descending) {
            $(
                ($name, false) => {
                    let query = match cursor.map(|c| c.decode::<($kind, $id_type)>(sort)).transpose()? {
                        Some((key, id)) => query.filter($column.gt(key.clone()).or($column.eq(key).and($id.gt(id)))),
                        None => query,
                    };
                    let rows = query.order(($column.asc(), $id.asc())).limit(limit.plus_one()).load($conn)?;
                    Ok($crate::Page::from_rows(rows, limit, |row| $crate::Cursor::encode(sort, &($key_of(row), $id_of(row)))))
                }
                ($name, true) => {
                    let query = match cursor.map(|c| c.decode::<($kind, $id_type)>(sort)).transpose()? {
                        Some((key, id)) => query.filter($column.lt(key.clone()).or($column.eq(key).and($id.lt(id)))),
                        None => query,
                    };
                    let rows = query.order(($column.desc(), $id.desc())).limit(limit.plus_one()).load($conn)?;
                    Ok($crate::Page::from_rows(rows, limit, |row| $crate::Cursor::encode(sort, &($key_of(row), $id_of(row)))))
                }
            )+
            _ => Err($crate::Error::from($crate::paging::unknown_sort(sort, offered))),
        }
    }};
}
