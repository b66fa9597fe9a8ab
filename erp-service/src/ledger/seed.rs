//! Many entries at once, for measurements: as if they had been posted one by one, numbers and all.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date};
use service_kit::db::sql;

/// Entries in one statement.
const BATCH: i64 = 50_000;

/// Posts entries of two lines in the general journal, spread evenly over these days and over the accounts that are written to
/// by hand.
///
/// # Errors
/// When the database refuses, e.g. because one of the days is in a closed period.
pub fn entries(conn: &mut PgConnection, from: NaiveDate, to: NaiveDate, count: u32) -> QueryResult<()> {
    let days = (to - from).num_days() + 1;
    let count = i64::from(count);
    conn.transaction(|conn| {
        sql("SELECT make_fiscal_year(month::date) FROM generate_series($1::timestamp, $2::timestamp, interval '1 month') month")
            .bind::<Date, _>(from)
            .bind::<Date, _>(to)
            .run(conn)?;
        sql("SELECT make_fiscal_year($1)").bind::<Date, _>(to).run(conn)?;
        let mut first = 0;
        while first < count {
            batch(conn, from, days, count, (first, (first + BATCH).min(count)))?;
            first += BATCH;
        }
        Ok(())
    })
}

fn batch(conn: &mut PgConnection, from: NaiveDate, days: i64, count: i64, (first, end): (i64, i64)) -> QueryResult<()> {
    sql("WITH leaf AS MATERIALIZED (
             SELECT id, row_number() OVER (ORDER BY code) - 1 AS n, count(*) OVER () AS of
             FROM accounts WHERE NOT heading AND control IS NULL AND currency IS NULL AND status = 'active'),
         day AS MATERIALIZED (
             SELECT i, $1 + (i * $2 / $3)::int AS posted_on FROM generate_series($4, $5 - 1) i),
         new AS MATERIALIZED (
             SELECT gen_random_uuid() AS id, d.i, d.posted_on, y.id AS year, y.name,
                    coalesce(s.last_number, 0) + row_number() OVER (PARTITION BY y.id ORDER BY d.i) AS number
             FROM day d JOIN fiscal_years y ON d.posted_on BETWEEN y.starts_on AND y.ends_on
             LEFT JOIN series_numbers s ON s.series = 'journal:GEN' AND s.fiscal_year_id = y.id),
         numbered AS (
             INSERT INTO series_numbers (series, fiscal_year_id, last_number, last_date)
             SELECT 'journal:GEN', year, max(number), max(posted_on) FROM new GROUP BY year
             ON CONFLICT (series, fiscal_year_id) DO UPDATE SET last_number = excluded.last_number, last_date = excluded.last_date),
         entered AS (
             INSERT INTO journal_entries (id, number, journal, status, posted_on, description, source_type, source_id, created_by, created_at, updated_at)
             SELECT id, 'GEN-' || name || '-' || lpad(number::text, greatest(6, length(number::text)), '0'), 'GEN', 'posted', posted_on,
                    'measured', 'journal_entry', id, '00000000-0000-0000-0000-000000000000', now(), now()
             FROM new)
         INSERT INTO journal_entry_lines (entry_id, position, posted_on, account_id, debit, credit, currency, amount)
         SELECT new.id, side.position, new.posted_on, leaf.id, greatest(v.amount, 0), greatest(-v.amount, 0), c.base_currency, v.amount
         FROM new CROSS JOIN company c
         CROSS JOIN (VALUES (1, 0, 1), (2, 7, -1)) side (position, shift, sign)
         CROSS JOIN LATERAL (SELECT side.sign * (new.i % 1000 + 1)::numeric AS amount) v
         JOIN leaf ON leaf.n = (new.i + side.shift) % leaf.of")
    .bind::<Date, _>(from)
    .bind::<BigInt, _>(days)
    .bind::<BigInt, _>(count)
    .bind::<BigInt, _>(first)
    .bind::<BigInt, _>(end)
    .run(conn)?;
    Ok(())
}
