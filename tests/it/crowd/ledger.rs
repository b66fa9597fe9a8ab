//! What the clients were answered, and whether the database says the same.

use chrono::NaiveDate;
use diesel::sql_types::{Array, Numeric, Text, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use uuid::Uuid;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Accepted,
    Refused,
}

/// What was asked for and answered.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// By kind and by the problem's code, if it was refused.
    counts: BTreeMap<(&'static str, Option<String>), usize>,
    /// Requests that were sent more than once.
    pub repeated: usize,
    /// By table: documents that were asked for, and whether they were made.
    made: BTreeMap<&'static str, BTreeMap<Uuid, Outcome>>,
    /// By table and status: documents that were asked to go there, and whether they did.
    moved: BTreeMap<(&'static str, &'static str), BTreeMap<Uuid, Outcome>>,
    /// What came and went, by product.
    pub stock: BTreeMap<Uuid, Decimal>,
    /// In the base currency: money on bank accounts, and sales.
    pub banked: Decimal,
    pub sold: Decimal,
    /// What was accepted and should not have been.
    pub wrong: Vec<String>,
    pub closed: Option<NaiveDate>,
}

impl Notes {
    pub fn count(&mut self, kind: &'static str, refused: Option<String>) {
        *self.counts.entry((kind, refused)).or_default() += 1;
    }

    pub fn made(&mut self, table: &'static str, id: Uuid, outcome: Outcome) {
        self.made.entry(table).or_default().insert(id, outcome);
    }

    /// What was refused once may be accepted later, of what anybody goes on with.
    pub fn moved(&mut self, table: &'static str, status: &'static str, id: Uuid, outcome: Outcome) {
        let known = self
            .moved
            .entry((table, status))
            .or_default()
            .entry(id)
            .or_insert(outcome);
        if outcome == Outcome::Accepted {
            *known = outcome;
        }
    }

    pub fn accepted(&self) -> usize {
        let accepted = self.counts.iter().filter(|((_, refused), _)| refused.is_none());
        accepted.map(|(_, count)| count).sum()
    }

    pub fn all(&self) -> usize {
        self.counts.values().sum()
    }
}

impl fmt::Display for Notes {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((kind, refused), count) in &self.counts {
            writeln!(to, "{count:>7}  {kind}: {}", refused.as_deref().unwrap_or("done"))?;
        }
        let (accepted, all, repeated) = (self.accepted(), self.all(), self.repeated);
        write!(
            to,
            "{accepted} of {all} commands accepted, {repeated} requests repeated"
        )?;
        match self.closed {
            Some(day) => write!(to, ", closed to {day}"),
            None => Ok(()),
        }
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    what: String,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

fn rows(conn: &mut PgConnection, sql: &str, ids: &[Uuid]) -> Vec<Row> {
    let query = sql_query(sql).bind::<Array<SqlUuid>, _>(ids);
    query.load(conn).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Everything that is wrong in the database, in words.
pub fn wrong(url: &str, notes: &Notes) -> Vec<String> {
    let mut conn = PgConnection::establish(url).expect("the ERP's database");
    let broken: Vec<Found> = sql_query(include_str!("../../../erp-service/tests/invariants/all.sql"))
        .load(&mut conn)
        .expect("the invariants can be read");
    let mut wrong: Vec<String> = broken.into_iter().map(|found| found.what).collect();
    wrong.extend(notes.wrong.iter().cloned());
    for (table, asked) in &notes.made {
        wrong.extend(not_as_answered(&mut conn, table, asked));
    }
    for ((table, status), asked) in &notes.moved {
        let ids: Vec<Uuid> = asked.keys().copied().collect();
        let sql = format!("SELECT id, status, 0::numeric AS amount FROM {table} WHERE id = ANY ($1)");
        let found: BTreeMap<Uuid, String> = rows(&mut conn, &sql, &ids)
            .into_iter()
            .map(|row| (row.id, row.status))
            .collect();
        for (id, outcome) in asked {
            let there = found.get(id).is_some_and(|is| is == status);
            if there != (*outcome == Outcome::Accepted) {
                let is = found.get(id);
                wrong.push(format!("{table} {id}: {status} was {outcome:?}, and it is {is:?}"));
            }
        }
    }
    wrong.extend(figures(&mut conn, notes));
    wrong
}

/// As many documents as were accepted, and just these; each with one entry, where it has one at all.
fn not_as_answered(conn: &mut PgConnection, table: &str, asked: &BTreeMap<Uuid, Outcome>) -> Vec<String> {
    let sql = format!("SELECT id, '' AS status, 0::numeric AS amount FROM {table} WHERE $1::uuid[] IS NOT NULL");
    let found: BTreeSet<Uuid> = rows(conn, &sql, &[]).into_iter().map(|row| row.id).collect();
    let mut wrong = Vec::new();
    for (id, outcome) in asked {
        if found.contains(id) != (*outcome == Outcome::Accepted) {
            wrong.push(format!(
                "{table} {id} was {outcome:?}, and is there: {}",
                found.contains(id)
            ));
        }
    }
    for id in found.iter().filter(|id| !asked.contains_key(id)) {
        wrong.push(format!("{table} {id} is there, and nobody asked for it"));
    }
    let ids: Vec<Uuid> = asked.keys().copied().collect();
    let twice = "SELECT source_id AS id, kind AS status, count(*)::numeric AS amount FROM journal_entries
                 WHERE source_id = ANY ($1) AND kind IN ('regular', 'reversal') GROUP BY source_id, kind, description HAVING count(*) > 1";
    for row in rows(conn, twice, &ids) {
        wrong.push(format!(
            "{table} {} has {} entries ({})",
            row.id, row.amount, row.status
        ));
    }
    wrong
}

/// Stock, bank and sales are what the answers come to.
fn figures(conn: &mut PgConnection, notes: &Notes) -> Vec<String> {
    let mut wrong = Vec::new();
    let products: Vec<Uuid> = notes.stock.keys().copied().collect();
    let on_hand = "SELECT product_id AS id, '' AS status, on_hand - coalesce((SELECT sum(quantity) FROM stock_moves m
                     WHERE m.product_id = v.product_id AND m.kind NOT IN ('receipt', 'delivery', 'customer_return', 'adjustment')), 0) AS amount
                   FROM stock_levels v WHERE product_id = ANY ($1)";
    for row in rows(conn, on_hand, &products) {
        if notes.stock[&row.id] != row.amount {
            let told = notes.stock[&row.id];
            wrong.push(format!(
                "of {} there are {} without counts; the answers come to {told}",
                row.id, row.amount
            ));
        }
    }
    let balance = "SELECT '00000000-0000-0000-0000-000000000000'::uuid AS id, CASE WHEN a.liquid THEN 'bank' ELSE 'sales' END AS status,
                       sum(l.debit - l.credit) AS amount
                   FROM journal_entry_lines l JOIN accounts a ON a.id = l.account_id JOIN journal_entries e ON e.id = l.entry_id
                   WHERE (a.liquid OR a.code = '4010') AND e.source_type <> 'revaluation' AND $1::uuid[] IS NOT NULL GROUP BY 2";
    for row in rows(conn, balance, &[]) {
        let told = if row.status == "bank" {
            notes.banked
        } else {
            -notes.sold
        };
        if told != row.amount {
            wrong.push(format!("{} is {}; the answers come to {told}", row.status, row.amount));
        }
    }
    wrong
}
