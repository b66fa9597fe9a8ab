//! Finding a text among a hundred thousand customers and their contacts.
//!
//! A rare text is found by the trigram index, and the few that have it are then filtered and put in
//! order. A common one fills the page soon when the list is read in its order. Nobody knows
//! beforehand which it is, so the index is asked first, and no further than `FEW` finds.

use crate::schema::{contacts, customers};
use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::http::SearchText;
use uuid::Uuid;

/// How many finds are put in order.
const FEW: i64 = 2_000;

type Condition = Box<dyn BoxableExpression<customers::table, Pg, SqlType = Bool>>;

/// The condition that a customer, or a contact of it, has the text: in a name, e-mail address or
/// phone number, in the tax id or the external reference, whatever its case.
///
/// # Errors
/// When the database refuses.
pub fn has_text(conn: &mut PgConnection, text: &SearchText) -> QueryResult<Condition> {
    let pattern = text.contains().to_lowercase();
    if text.has_trigram() {
        let found = finds(conn, &pattern)?;
        if found.len() as i64 <= FEW {
            return Ok(Box::new(customers::id.eq_any(found)));
        }
    }
    let contact = contacts::table
        .filter(contacts::customer_id.eq(customers::id))
        .filter(contacts::search_text.like(pattern.clone()));
    Ok(Box::new(customers::search_text.like(pattern).or(exists(contact))))
}

fn finds(conn: &mut PgConnection, pattern: &str) -> QueryResult<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Array<SqlUuid>)]
        ids: Vec<Uuid>,
    }
    let found: Found = sql("SELECT ARRAY(
             (SELECT id FROM customers WHERE search_text LIKE $1 LIMIT $2)
             UNION
             (SELECT customer_id FROM contacts WHERE search_text LIKE $3 LIMIT $4)) AS ids")
    .bind::<Text, _>(pattern)
    .bind::<BigInt, _>(FEW + 1)
    .bind::<Text, _>(pattern)
    .bind::<BigInt, _>(FEW + 1)
    .row(conn)?;
    Ok(found.ids)
}
