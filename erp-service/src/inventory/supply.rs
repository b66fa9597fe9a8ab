//! What is expected to come, by product, warehouse and day. Availability by date and promises read
//! it; whoever expects goods writes it, so that this module knows nothing of purchasing.
//!
//! The id of a supply is minted by the one who announces it; use the id of the purchase order's
//! line (or of the transfer's line), then nobody has to remember another one:
//!
//! ```text
//! supply::announce(tx, &[Supply { id: line.id, product_id, warehouse_id, source_type: "purchase_order",
//!     source_id: order.id, source_number: order.number, expected_on, quantity }])?;     // when ordered
//! supply::change(tx, line.id, new_expected_on, quantity, open_quantity)?;              // moved, amended
//! supply::arrived(tx, &[(line.id, received_now)])?;                                    // with each receipt
//! supply::withdraw(tx, &[line.id])?;                                                   // closed or cancelled
//! ```
//! `open_quantity` is what is still to come; at 0 the row stays as history. Each of these brings
//! [`incoming`] up to date, which goes out with the availability.

use super::holds;
use super::incoming::{self, Pairs};
use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{Array, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::{Quantity, Result, Tx};
use uuid::Uuid;

/// Goods that somebody expects.
#[derive(Debug, Clone)]
pub struct Supply {
    /// Minted by the announcer: the id of the line behind it.
    pub id: Uuid,
    pub product_id: Uuid,
    pub warehouse_id: Uuid,
    /// `purchase_order`, `transfer`, …
    pub source_type: &'static str,
    pub source_id: Uuid,
    pub source_number: Option<String>,
    pub expected_on: NaiveDate,
    /// More than 0.
    pub quantity: Quantity,
}

/// Announces goods that are expected, all of them still to come. A supply that was withdrawn may be
/// announced again under its id.
///
/// # Errors
/// When the database refuses.
pub fn announce(tx: &mut Tx<'_>, supplies: &[Supply]) -> Result<()> {
    if supplies.is_empty() {
        return Ok(());
    }
    let mut pairs: Pairs = supplies.iter().map(|s| (s.warehouse_id, s.product_id)).collect();
    // What was announced for another warehouse is not expected there any more.
    let before: Vec<Place> = sql("SELECT warehouse_id, product_id FROM expected_supply WHERE id = ANY ($1)")
        .bind::<Array<SqlUuid>, _>(supplies.iter().map(|s| s.id).collect::<Vec<_>>())
        .rows(tx)?;
    pairs.extend(places(before));
    sql("INSERT INTO expected_supply AS s (id, product_id, warehouse_id, source_type, source_id, source_number, expected_on,
             quantity, open_quantity, created_at, updated_at)
         SELECT id, product_id, warehouse_id, source_type, source_id, source_number, expected_on, quantity, quantity, $1, $2
         FROM unnest($3, $4, $5, $6, $7, $8, $9, $10)
             AS w(id, product_id, warehouse_id, source_type, source_id, source_number, expected_on, quantity)
         ON CONFLICT (id) DO UPDATE SET product_id = excluded.product_id, warehouse_id = excluded.warehouse_id,
             source_number = excluded.source_number, expected_on = excluded.expected_on, quantity = excluded.quantity,
             open_quantity = excluded.open_quantity, updated_at = excluded.updated_at
         WHERE s.source_id = excluded.source_id AND s.product_id = excluded.product_id")
    .bind::<Timestamptz, _>(tx.now())
    .bind::<Timestamptz, _>(tx.now())
    .bind::<Array<SqlUuid>, _>(supplies.iter().map(|s| s.id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(supplies.iter().map(|s| s.product_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(supplies.iter().map(|s| s.warehouse_id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(supplies.iter().map(|s| s.source_type).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(supplies.iter().map(|s| s.source_id).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(supplies.iter().map(|s| s.source_number.clone()).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(supplies.iter().map(|s| s.expected_on).collect::<Vec<_>>())
    .bind::<Array<Numeric>, _>(supplies.iter().map(|s| s.quantity).collect::<Vec<_>>())
    .run(tx)?;
    incoming::refresh_unlocked(tx, &pairs)
}

/// Changes what is expected: another day, another quantity, of which `open_quantity` is still to
/// come. Does nothing when nobody announced it.
///
/// # Errors
/// When the database refuses.
pub fn change(
    tx: &mut Tx<'_>,
    id: Uuid,
    expected_on: NaiveDate,
    quantity: Quantity,
    open_quantity: Quantity,
) -> Result<()> {
    let changed: Vec<Place> = sql(
        "UPDATE expected_supply SET expected_on = $1, quantity = $2, open_quantity = $3, updated_at = $4 WHERE id = $5
         RETURNING warehouse_id, product_id",
    )
    .bind::<Date, _>(expected_on)
    .bind::<Numeric, _>(quantity)
    .bind::<Numeric, _>(open_quantity)
    .bind::<Timestamptz, _>(tx.now())
    .bind::<SqlUuid, _>(id)
    .rows(tx)?;
    incoming::refresh_unlocked(tx, &places(changed))
}

/// Some of it has come; more than was expected leaves nothing open. Call it after
/// [`receive`](super::levels::receive) and before backorders are filled: what promises have pegged
/// of it becomes stock that they hold.
///
/// # Errors
/// When the database refuses.
pub fn arrived(tx: &mut Tx<'_>, received: &[(Uuid, Quantity)]) -> Result<()> {
    let (ids, quantities): (Vec<Uuid>, Vec<Quantity>) = received.iter().copied().unzip();
    let changed: Vec<Place> = sql(
        "UPDATE expected_supply s SET open_quantity = greatest(s.open_quantity - w.quantity, 0), updated_at = $1
         FROM unnest($2, $3) AS w(id, quantity) WHERE s.id = w.id
         RETURNING s.warehouse_id, s.product_id",
    )
    .bind::<Timestamptz, _>(tx.now())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<Numeric>, _>(quantities)
    .rows(tx)?;
    holds::arrived(tx, received)?;
    incoming::refresh_unlocked(tx, &places(changed))
}

/// Nothing more is expected of these.
///
/// # Errors
/// When the database refuses.
pub fn withdraw(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<()> {
    let changed: Vec<Place> = sql(
        "UPDATE expected_supply SET open_quantity = 0, updated_at = $1 WHERE id = ANY ($2)
         RETURNING warehouse_id, product_id",
    )
    .bind::<Timestamptz, _>(tx.now())
    .bind::<Array<SqlUuid>, _>(ids.to_vec())
    .rows(tx)?;
    incoming::refresh_unlocked(tx, &places(changed))
}

/// Where goods are expected.
#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = SqlUuid)]
    warehouse_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    product_id: Uuid,
}

fn places(places: Vec<Place>) -> Pairs {
    places
        .into_iter()
        .map(|place| (place.warehouse_id, place.product_id))
        .collect()
}
