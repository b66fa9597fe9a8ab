//! What stock was worth on a day, and whether the ledger says the same.
//!
//! A day's stock is that of now less all that moved after it: the nearer the day, the less is read.
//! Averages follow the order of recording, this follows the posting date.

use chrono::NaiveDate;
use diesel::sql_types::{Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryResult, QueryableByName};
use rust_decimal::Decimal;
use service_kit::db::sql;
use uuid::Uuid;

/// Σ valuation beside the balance of the stock accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Comparison {
    /// What the moves up to the day are worth.
    #[diesel(sql_type = Numeric)]
    pub valuation: Decimal,
    /// The balance of all accounts that stock or goods in transit post to.
    #[diesel(sql_type = Numeric)]
    pub ledger: Decimal,
}

impl Comparison {
    pub fn difference(&self) -> Decimal {
        self.valuation - self.ledger
    }

    pub fn matches(&self) -> bool {
        self.valuation == self.ledger
    }
}

/// Compares stock with the ledger at the end of a day: for the closing of a period.
///
/// # Errors
/// When the database refuses.
pub fn matches_ledger(conn: &mut PgConnection, date: NaiveDate) -> QueryResult<Comparison> {
    sql("SELECT (SELECT coalesce(sum(value), 0) FROM stock_levels)
              - (SELECT coalesce(sum(value), 0) FROM stock_moves WHERE moved_on > $1) AS valuation,
             (SELECT coalesce(sum(l.debit - l.credit), 0) FROM journal_entry_lines l
              WHERE l.posted_on <= $2 AND l.account_id IN (
                  SELECT id FROM accounts WHERE control = 'stock'
                  UNION SELECT account_id FROM posting_rules WHERE role IN ('stock', 'stock_in_transit'))) AS ledger")
    .bind::<Date, _>(date)
    .bind::<Date, _>(date)
    .row(conn)
}

/// One product in one warehouse on a day.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct Line {
    #[diesel(sql_type = SqlUuid)]
    pub product_id: Uuid,
    #[diesel(sql_type = Text)]
    pub sku: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub category_id: Option<Uuid>,
    #[diesel(sql_type = SqlUuid)]
    pub warehouse_id: Uuid,
    #[diesel(sql_type = Text)]
    pub warehouse: String,
    #[diesel(sql_type = Numeric)]
    pub quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    pub value: Decimal,
}

/// What narrows a valuation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    pub warehouse_id: Option<Uuid>,
    pub product_id: Option<Uuid>,
    pub category_id: Option<Uuid>,
}

/// Stock at the end of a day, by SKU and warehouse; what was neither there nor worth anything is left out.
///
/// # Errors
/// When the database refuses.
pub fn at(conn: &mut PgConnection, date: NaiveDate, filter: Filter) -> QueryResult<Vec<Line>> {
    sql("WITH later AS (
             SELECT product_id, warehouse_id, sum(quantity) AS quantity, sum(value) AS value
             FROM stock_moves WHERE moved_on > $1 GROUP BY product_id, warehouse_id),
         wanted (warehouse_id, product_id, category_id) AS (SELECT $2::uuid, $3::uuid, $4::uuid)
         SELECT l.product_id, p.sku, p.name, p.category_id, l.warehouse_id, w.code AS warehouse,
                l.on_hand - coalesce(later.quantity, 0) AS quantity, l.value - coalesce(later.value, 0) AS value
         FROM stock_levels l CROSS JOIN wanted
         JOIN products p ON p.id = l.product_id JOIN warehouses w ON w.id = l.warehouse_id
         LEFT JOIN later ON later.product_id = l.product_id AND later.warehouse_id = l.warehouse_id
         WHERE l.last_move_on IS NOT NULL
           AND (l.on_hand <> coalesce(later.quantity, 0) OR l.value <> coalesce(later.value, 0))
           AND (wanted.warehouse_id IS NULL OR l.warehouse_id = wanted.warehouse_id)
           AND (wanted.product_id IS NULL OR l.product_id = wanted.product_id)
           AND (wanted.category_id IS NULL OR p.category_id = wanted.category_id)
         ORDER BY p.sku, w.code")
    .bind::<Date, _>(date)
    .bind::<Nullable<SqlUuid>, _>(filter.warehouse_id)
    .bind::<Nullable<SqlUuid>, _>(filter.product_id)
    .bind::<Nullable<SqlUuid>, _>(filter.category_id)
    .rows(conn)
}

/// A move with what was there after it, in the order of posting dates.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct Step {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub move_id: i64,
    #[diesel(sql_type = Date)]
    pub date: NaiveDate,
    #[diesel(sql_type = SqlUuid)]
    pub warehouse_id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = SqlUuid)]
    pub document_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub lot_id: Option<Uuid>,
    #[diesel(sql_type = Numeric)]
    pub quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    pub value: Decimal,
    #[diesel(sql_type = Numeric)]
    pub running_quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    pub running_value: Decimal,
}

/// The moves of a product between two days; moves between locations are left out, they change nothing.
///
/// # Errors
/// When the database refuses.
pub fn steps(
    conn: &mut PgConnection,
    product_id: Uuid,
    warehouse_id: Option<Uuid>,
    from: NaiveDate,
    to: NaiveDate,
) -> QueryResult<Vec<Step>> {
    sql("WITH wanted (product_id, warehouse_id) AS (SELECT $1::uuid, $2::uuid)
         SELECT * FROM (
             SELECT m.id AS move_id, m.moved_on AS date, m.warehouse_id, m.kind, m.document_id, m.lot_id, m.quantity, m.value,
                    sum(m.quantity) OVER (ORDER BY m.moved_on, m.id) AS running_quantity,
                    sum(m.value) OVER (ORDER BY m.moved_on, m.id) AS running_value
             FROM wanted JOIN stock_moves m ON m.product_id = wanted.product_id
             WHERE (wanted.warehouse_id IS NULL OR m.warehouse_id = wanted.warehouse_id)
               AND m.kind <> 'relocation' AND m.moved_on <= $3) steps
         WHERE date >= $4 ORDER BY date, move_id")
    .bind::<SqlUuid, _>(product_id)
    .bind::<Nullable<SqlUuid>, _>(warehouse_id)
    .bind::<Date, _>(to)
    .bind::<Date, _>(from)
    .rows(conn)
}
