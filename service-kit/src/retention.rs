//! Housekeeping: month partitions for events, removal of what is past its time.

use crate::db::sql;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use diesel::{Connection, PgConnection, QueryResult, QueryableByName};

/// Makes the partitions of this month and the next two.
///
/// # Errors
/// When the database refuses.
pub fn make_partitions(conn: &mut PgConnection, now: DateTime<Utc>) -> QueryResult<()> {
    let this_month = now.date_naive().with_day(1).unwrap_or(now.date_naive());
    for month in (0..3).filter_map(|n| this_month.checked_add_months(Months::new(n))) {
        make_partition(conn, month)?;
    }
    Ok(())
}

fn make_partition(conn: &mut PgConnection, month: NaiveDate) -> QueryResult<()> {
    let end = month.checked_add_months(Months::new(1)).unwrap_or(month);
    let name = format!("events_{}", month.format("%Y_%m"));
    conn.batch_execute(&format!(
        "CREATE TABLE IF NOT EXISTS {name} PARTITION OF events FOR VALUES FROM ('{month} 00:00+00') TO ('{end} 00:00+00')
         WITH (toast_tuple_target = 8160)"
    ))
}

#[derive(QueryableByName)]
struct Partition {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Drops event partitions that ended more than `days` ago and remembers in `feed` up to where
/// events are gone; deletes stored answers and the rows and changes of imports older than that, and sessions that
/// are over, a batch at a time.
///
/// # Errors
/// When the database refuses.
pub fn remove_old(conn: &mut PgConnection, now: DateTime<Utc>, days: u32) -> QueryResult<()> {
    let before = now.checked_sub_days(Days::new(days.into())).unwrap_or(now);
    let partitions: Vec<Partition> = sql(
        "SELECT c.relname::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'events'::regclass AND c.relname ~ '^events_[0-9]{4}_[0-9]{2}$'
         ORDER BY c.relname",
    )
    .rows(conn)?;
    for partition in partitions {
        let month = NaiveDate::parse_from_str(&format!("{}_01", partition.name), "events_%Y_%m_%d").ok();
        let end = month.and_then(|month| month.checked_add_months(Months::new(1)));
        if end.is_some_and(|end| end <= before.date_naive()) {
            drop_partition(conn, &partition.name)?;
        }
    }
    while sql("DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM idempotency_keys WHERE created_at < $1 LIMIT $2))")
    .bind::<Timestamptz, _>(before)
    .bind::<BigInt, _>(5_000)
    .run(conn)?
        == 5_000
    {}
    crate::exchange::remove_rows(conn, before)?;
    crate::exchange::remove_changes(conn, before)?;
    crate::sessions::remove_old(conn, now)
}

fn drop_partition(conn: &mut PgConnection, name: &str) -> QueryResult<()> {
    conn.transaction(|conn| {
        conn.batch_execute(&format!(
            "UPDATE feed SET (dropped_transaction, dropped_position) =
                 (SELECT transaction_id, position FROM {name} ORDER BY transaction_id DESC, position DESC LIMIT 1)
             WHERE EXISTS (SELECT FROM {name} WHERE (transaction_id, position) > (dropped_transaction, dropped_position));
             DROP TABLE {name};"
        ))
    })
}
