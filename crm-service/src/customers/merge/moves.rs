//! What hangs on a customer, and how it moves to another: one line for each table.
//!
//! A module whose records belong to customers adds its line here, and to the migration of its table the trigger
//! `customer_not_merged`, so that nothing is hung on a customer at the moment when it is merged.

use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use service_kit::db::sql;
use std::collections::HashMap;
use uuid::Uuid;

/// How the rows of a table move.
pub struct Move {
    pub table: &'static str,
    /// `$1` is the survivor, `$2` the customer that is merged; each stands there once, in this order.
    sql: &'static str,
    /// Whether the statement returns the `id`s of what it moved, because each is told.
    returns: bool,
}

const fn moves(table: &'static str, sql: &'static str) -> Move {
    let returns = false;
    Move { table, sql, returns }
}

const fn moves_and_returns(table: &'static str, sql: &'static str) -> Move {
    let returns = true;
    Move { table, sql, returns }
}

/// What has moved, of the tables whose rows are told.
#[derive(Debug, Default)]
pub struct Moved(HashMap<&'static str, Vec<Uuid>>);

impl Moved {
    pub fn of(&self, table: &str) -> &[Uuid] {
        self.0.get(table).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Everything that moves. Revisions rise where a record shows its customer.
pub const MOVES: &[Move] = &[
    moves("contacts", "UPDATE contacts SET customer_id = $1, revision = revision + 1 WHERE customer_id = $2"),
    moves("addresses", "UPDATE addresses SET customer_id = $1, revision = revision + 1 WHERE customer_id = $2"),
    // On no day may two be the default: those of the survivor stay it.
    moves(
        "legal_entities",
        "UPDATE legal_entities e SET customer_id = s.id, revision = revision + 1,
             is_default = e.is_default AND NOT EXISTS (SELECT FROM legal_entities o WHERE o.customer_id = s.id AND o.is_default)
         FROM (SELECT $1::uuid AS id) s WHERE e.customer_id = $2",
    ),
    moves("consents", "UPDATE consents SET customer_id = $1 WHERE customer_id = $2"),
    moves("timeline_entries", "UPDATE timeline_entries SET customer_id = $1 WHERE customer_id = $2"),
    moves("orders", "UPDATE orders SET customer_id = $1, revision = revision + 1 WHERE customer_id = $2"),
    moves_and_returns(
        "deals",
        "UPDATE deals SET customer_id = $1, version = version + 1, revision = revision + 1 WHERE customer_id = $2
         RETURNING id",
    ),
    moves("bookings", "UPDATE bookings SET customer_id = $1, revision = revision + 1 WHERE customer_id = $2"),
    moves("leads", "UPDATE leads SET customer_id = $1, revision = revision + 1 WHERE customer_id = $2"),
    moves("quotes", "UPDATE quotes SET customer_id = $1, revision = revision + 1 WHERE customer_id = $2"),
    // Under the version that its deal has now: the deals come before it.
    moves_and_returns(
        "soft_demand",
        "UPDATE soft_demand d SET customer_id = s.id, version = (SELECT version FROM deals WHERE id = d.deal_id), updated_at = now()
         FROM (SELECT $1::uuid AS id) s WHERE d.customer_id = $2 RETURNING d.deal_id AS id",
    ),
    // The replica shows the customer in the document as well.
    moves(
        "invoices",
        "UPDATE invoices i SET customer_id = s.id, revision = revision + 1,
             document = jsonb_set(i.document::jsonb, '{customer_id}', to_jsonb(s.id))::json
         FROM (SELECT $1::uuid AS id) s WHERE i.customer_id = $2",
    ),
    moves(
        "payments",
        "UPDATE payments p SET customer_id = s.id, revision = revision + 1,
             document = jsonb_set(p.document::jsonb, '{customer_id}', to_jsonb(s.id))::json
         FROM (SELECT $1::uuid AS id) s WHERE p.customer_id = $2",
    ),
    moves(
        "activities",
        "UPDATE activities a SET customer_id = s.id, revision = a.revision + 1,
             subject_id = CASE WHEN a.subject_type = 'customer' THEN s.id ELSE a.subject_id END
         FROM (SELECT $1::uuid AS id) s WHERE a.customer_id = $2",
    ),
    moves(
        "attachments",
        "UPDATE attachments a SET customer_id = s.id, revision = a.revision + 1,
             subject_id = CASE WHEN a.subject_type = 'customer' THEN s.id ELSE a.subject_id END
         FROM (SELECT $1::uuid AS id) s WHERE a.customer_id = $2",
    ),
    // By hand it is in from now on, unless it was; by rule that is found out at the next refresh.
    moves_and_returns(
        "segment_members",
        "UPDATE segment_members m SET customer_id = s.id, version = m.version + 1,
             left_at = CASE WHEN m.left_at IS NULL AND (m.rule_version IS NOT NULL OR EXISTS (
                 SELECT FROM segment_members o
                 WHERE o.segment_id = m.segment_id AND o.customer_id = s.id AND o.left_at IS NULL))
             THEN greatest(m.entered_at, now()) ELSE m.left_at END
         FROM (SELECT $1::uuid AS id) s WHERE m.customer_id = $2 RETURNING m.id",
    ),
    // What was proposed came from the orders of one alone.
    moves(
        "grade_proposals",
        "UPDATE grade_proposals p SET customer_id = s.id, revision = p.revision + 1,
             state = CASE WHEN p.state = 'proposed' THEN 'superseded' ELSE p.state END
         FROM (SELECT $1::uuid AS id) s WHERE p.customer_id = $2",
    ),
    // The survivor's are computed from what it has then.
    moves("customer_keys", "DELETE FROM customer_keys WHERE $1::uuid IS NOT NULL AND customer_id = $2"),
    // The ERP tells the survivor's, which are of both.
    moves("customer_credits", "DELETE FROM customer_credits WHERE $1::uuid IS NOT NULL AND customer_id = $2"),
];

/// What names a customer and stays as it is, because somebody else says whom it names.
pub const STAYS: &[&str] = &[
    // The ERP's: it tells the price anew if it is to be another's.
    "prices",
    // What an analysis found when it was made.
    "analysis_run_items",
];

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Moves everything.
pub fn apply(conn: &mut PgConnection, from: Uuid, into: Uuid) -> QueryResult<Moved> {
    let mut moved = Moved::default();
    for each in MOVES {
        let statement = sql(each.sql).bind::<SqlUuid, _>(into).bind::<SqlUuid, _>(from);
        if each.returns {
            let rows: Vec<Row> = statement.rows(conn)?;
            moved.0.insert(each.table, rows.into_iter().map(|row| row.id).collect());
        } else {
            statement.run(conn)?;
        }
    }
    Ok(moved)
}
