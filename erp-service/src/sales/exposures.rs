//! Tells what orders do to the exposure of their customers: confirmed, cancelled, changed, delivered, closed.
//!
//! Invoices and payments tell a customer's balance in their own transaction. Orders do not: the exposure is summed on demand, and
//! confirming an order must neither sum nor write the row of its customer. So it is done afterwards, from the event feed, which
//! forgets nothing. Each round, in short transactions:
//!
//! 1. the customers of orders that have changed are noted as due, each once, and the place in the feed is kept;
//! 2. those that have waited longest are told one by one: the exposure is summed and goes out as `customer.credit_changed` under
//!    the next version. A customer whose orders change meanwhile is due again.
//!
//! So a customer is told at most once in two seconds, however many orders it places, and what is told is never older than the
//! order that made it due.

use crate::customers;
use chrono::Utc;
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::Deserialize;
use service_kit::background::{Background, Round};
use service_kit::db::sql;
use service_kit::events;
use service_kit::server::Kit;
use service_kit::{Result, Tx};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

pub const EXPOSURES: Background = Background {
    name: "exposures",
    every: Duration::from_secs(2),
    wakes_on: &[],
    round,
};

/// Events in one transaction, and transactions in one round.
const EVENTS: i64 = 1_000;
const READS: usize = 10;

/// Customers in one round, each in a transaction of its own: one that stays open holds back what others
/// have put into the feed since.
const CUSTOMERS: usize = 50;

fn round(kit: Kit) -> Round {
    Box::pin(async move {
        for _ in 0..READS {
            if !kit.run_background(note_due).await? {
                break;
            }
        }
        for _ in 0..CUSTOMERS {
            if kit.run_read(nobody_due).await? {
                break;
            }
            kit.run_as_service("exposures", tell).await?;
        }
        // What is left waits for the next round: orders go first.
        Ok(false)
    })
}

#[derive(Deserialize)]
struct Order {
    customer_id: Uuid,
}

/// Notes whose orders have changed: whether there may be more.
fn note_due(conn: &mut PgConnection) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Place {
        #[diesel(sql_type = Nullable<Text>)]
        cursor: Option<String>,
    }
    // Somebody else is at it.
    let place: Vec<Place> = sql("SELECT cursor FROM exposure_cursor FOR UPDATE SKIP LOCKED").rows(conn)?;
    let Some(place) = place.into_iter().next() else {
        return Ok(false);
    };
    let (told, next) = events::since(conn, place.cursor.as_deref(), &["sales_order.changed"], EVENTS)?;
    let customers: BTreeSet<Uuid> = told
        .iter()
        .map(|event| Ok(serde_json::from_str::<Order>(&event.data)?.customer_id))
        .collect::<Result<_>>()?;
    if !customers.is_empty() {
        sql("INSERT INTO exposures_due (customer_id, since)
             SELECT c.id, $1 FROM unnest($2) AS told (id) JOIN customers c USING (id) ORDER BY c.id
             ON CONFLICT (customer_id) DO NOTHING")
        .bind::<Timestamptz, _>(Utc::now())
        .bind::<Array<SqlUuid>, _>(customers.into_iter().collect::<Vec<_>>())
        .run(conn)?;
    }
    if place.cursor.as_deref() != Some(next.as_str()) {
        sql("UPDATE exposure_cursor SET cursor = $1")
            .bind::<Text, _>(&next)
            .run(conn)?;
    }
    Ok(told.len() as i64 == EVENTS)
}

fn nobody_due(conn: &mut PgConnection) -> Result<bool> {
    Ok(sql("SELECT FROM exposures_due LIMIT 1").run(conn)? == 0)
}

/// Tells the one that has been due for longest.
fn tell(tx: &mut Tx<'_>) -> Result<()> {
    #[derive(QueryableByName)]
    struct Due {
        #[diesel(sql_type = SqlUuid)]
        customer_id: Uuid,
    }
    let due: Vec<Due> = sql("DELETE FROM exposures_due WHERE customer_id IN (
             SELECT customer_id FROM exposures_due ORDER BY since, customer_id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING customer_id")
    .rows(tx)?;
    let due: Vec<Uuid> = due.into_iter().map(|due| due.customer_id).collect();
    customers::note_balance_changed(tx, &due)
}
