//! Records that other records hang on: an activity is about one, a file belongs to one.
//!
//! The one place that knows where each kind of record keeps its owner, its team and its customer.

use crate::schema::{activities, attachments, bookings, customers, deal_steps, deals, leads, orders, quotes};
use diesel::prelude::*;
use service_kit::{Owned, Sight, text_enum};
use uuid::Uuid;

text_enum! {
    /// What kind of record an activity can be about, or a file belong to.
    SubjectType { Customer = "customer", Lead = "lead", Deal = "deal", Quote = "quote", Order = "order" }
}

/// A record of some kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubjectRef {
    pub kind: SubjectType,
    pub id: Uuid,
}

impl SubjectRef {
    pub fn deal(id: Uuid) -> Self {
        SubjectRef {
            kind: SubjectType::Deal,
            id,
        }
    }
}

/// What is taken from the record that something hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    pub customer_id: Option<Uuid>,
    pub owned: Owned,
}

/// The record, if it is there and in sight.
///
/// # Errors
/// When the database refuses.
pub fn find(conn: &mut PgConnection, kind: SubjectType, id: Uuid, sight: &Sight) -> QueryResult<Option<Subject>> {
    type Row = (Option<Uuid>, Option<Uuid>, Option<Uuid>);
    let row: Option<Row> = match kind {
        SubjectType::Customer => customers::table
            .find(id)
            .select((customers::id.nullable(), customers::owner_id, customers::team_id))
            .first(conn)
            .optional()?,
        SubjectType::Order => orders::table
            .find(id)
            .select((orders::customer_id.nullable(), orders::owner_id, orders::team_id))
            .first(conn)
            .optional()?,
        SubjectType::Deal => deals::table
            .find(id)
            .select((deals::customer_id.nullable(), deals::owner_id, deals::team_id))
            .first(conn)
            .optional()?,
        SubjectType::Lead => leads::table
            .find(id)
            .select((leads::customer_id, leads::owner_id, leads::team_id))
            .first(conn)
            .optional()?,
        SubjectType::Quote => quotes::table
            .find(id)
            .select((quotes::customer_id.nullable(), quotes::owner_id, quotes::team_id))
            .first(conn)
            .optional()?,
    };
    Ok(row
        .filter(|(_, owner, team)| sight.covers(*owner, *team))
        .map(|(customer_id, owner_id, team_id)| Subject {
            customer_id,
            owned: Owned { owner_id, team_id },
        }))
}

/// Whether an activity, a file or a booking is about the record.
///
/// # Errors
/// When the database refuses.
pub fn is_in_use(conn: &mut PgConnection, of: SubjectRef) -> QueryResult<bool> {
    macro_rules! any {
        ($table:ident) => {{
            let about = $table::subject_type.eq(of.kind).and($table::subject_id.eq(of.id));
            diesel::select(diesel::dsl::exists($table::table.filter(about))).get_result::<bool>(conn)?
        }};
    }
    Ok(any!(activities) || any!(attachments) || any!(bookings))
}

/// Whose a customer is: what is made for it without an owner goes to them.
///
/// # Errors
/// When the database refuses.
pub fn customer_owner(conn: &mut PgConnection, customer: Uuid) -> QueryResult<Owned> {
    let row: Option<(Option<Uuid>, Option<Uuid>)> = customers::table
        .find(customer)
        .select((customers::owner_id, customers::team_id))
        .first(conn)
        .optional()?;
    let (owner_id, team_id) = row.unwrap_or_default();
    Ok(Owned { owner_id, team_id })
}

/// Whether an attachment proves a step of a deal.
///
/// # Errors
/// When the database refuses.
pub fn proves_step(conn: &mut PgConnection, attachment: Uuid) -> QueryResult<bool> {
    let steps = deal_steps::table.filter(
        deal_steps::evidence
            .eq("document")
            .and(deal_steps::evidence_id.eq(attachment)),
    );
    diesel::select(diesel::dsl::exists(steps)).get_result(conn)
}
