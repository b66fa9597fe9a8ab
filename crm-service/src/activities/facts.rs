//! What other modules ask of activities, and tell them.

use crate::schema::activities::{self, dsl};
use crate::subjects::SubjectType;
use diesel::prelude::*;
use uuid::Uuid;

/// Whether an activity is evidence for a record: it is of this kind, about this record, and done.
///
/// # Errors
/// When the database refuses.
pub fn evidence(
    conn: &mut PgConnection,
    kind: &str,
    activity_id: Uuid,
    subject_type: &str,
    subject_id: Uuid,
) -> QueryResult<bool> {
    let found = activities::table
        .find(activity_id)
        .filter(dsl::kind.eq(kind))
        .filter(dsl::subject_type.eq(subject_type).and(dsl::subject_id.eq(subject_id)))
        .filter(dsl::state.eq("done"))
        .select(dsl::id);
    Ok(found.first::<Uuid>(conn).optional()?.is_some())
}

/// A record now concerns this customer (a lead was converted, a deal given one): so do the
/// activities on it.
///
/// # Errors
/// When the database refuses.
pub fn subject_concerns(
    conn: &mut PgConnection,
    subject_type: SubjectType,
    subject_id: Uuid,
    customer: Uuid,
) -> QueryResult<usize> {
    let rows = activities::table.filter(dsl::subject_type.eq(subject_type).and(dsl::subject_id.eq(subject_id)));
    diesel::update(rows).set(dsl::customer_id.eq(customer)).execute(conn)
}

/// A customer was merged into another: its activities are the other's.
///
/// # Errors
/// When the database refuses.
pub fn customer_merged(conn: &mut PgConnection, from: Uuid, into: Uuid) -> QueryResult<usize> {
    let on_it = activities::table.filter(dsl::subject_id.eq(from).and(dsl::subject_type.eq("customer")));
    diesel::update(on_it).set(dsl::subject_id.eq(into)).execute(conn)?;
    let concerning = activities::table.filter(dsl::customer_id.eq(from));
    diesel::update(concerning).set(dsl::customer_id.eq(into)).execute(conn)
}
