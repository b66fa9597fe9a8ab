//! Duplicates: the same customer, entered twice.
//!
//! A customer is compared with all others by its name, e-mail addresses, telephone numbers and tax numbers,
//! those of its contacts and legal entities included, in a form that leaves out what does not distinguish
//! ([`normalise`]). These keys stand in a table of their own ([`keys`]), written with every change of the customer; names
//! that are nearly alike are found by their trigrams and judged by the edits between them.
//!
//! Each agreement has a weight, and together they make a score: 1 − ∏(1 − weight), as if each were evidence
//! of its own. Tax numbers that both have and that differ halve it. From `BLOCKS` on, whoever makes
//! the customer is answered `409 possible_duplicate` with the candidates; `?allow_duplicate=true` makes it all the same.
//! Two who make the same customer at once wait for each other at the keys, so that one of them is told.
//!
//! A candidate that is out of sight shows nothing of itself but the team that owns it.

mod handlers;
pub mod keys;
pub mod normalise;

use crate::customers::model::{Customer, CustomerKind};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use keys::Criterion;
use serde::Serialize;
use service_kit::db::sql;
use service_kit::{Problem, Result, Routes, Sight, Tx};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

pub fn routes(routes: &mut Routes) {
    handlers::routes(routes);
}

/// A score from which on a customer is not made without a word.
const BLOCKS: f64 = 0.6;
/// A score that is worth showing.
const SHOWS: f64 = 0.3;
/// Names less alike than that are others.
const LIKE: f64 = 0.75;
/// Candidates in an answer.
const MOST: usize = 10;

/// Somebody who may be the same customer. Out of sight, it has `hidden` and `owner_team` only.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DuplicateCandidate {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub kind: Option<CustomerKind>,
    /// How likely it is the same, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 100)]
    pub score: Option<u8>,
    /// What agrees: `tax_id`, `email`, `name`, `similar_name`, `phone`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub matched: Vec<&'static str>,
    /// There is one, and you may not see it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// The team to ask; `null` when it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    pub owner_team: Option<Option<String>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: CustomerKind,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    owner_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    team_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    team: Option<String>,
    /// Its keys that agree, as `kind` and `key`; near names too.
    #[diesel(sql_type = Array<Text>)]
    kinds: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    keys: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    tax_ids: Vec<String>,
}

/// Who may be the same as this customer, the likeliest first.
pub fn candidates(
    conn: &mut PgConnection,
    customer: &Customer,
    sight: &Sight,
    least: f64,
) -> Result<Vec<DuplicateCandidate>> {
    let own = keys::of(customer);
    if own.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: Vec<(f64, DuplicateCandidate)> = rows(conn, customer.core.id, &own)?
        .into_iter()
        .map(|row| judged(row, &own, sight))
        .filter(|(score, _)| *score >= least)
        .collect();
    found.sort_by(|(one, a), (other, b)| other.total_cmp(one).then(a.id.cmp(&b.id)));
    found.truncate(MOST);
    Ok(found.into_iter().map(|(_, candidate)| candidate).collect())
}

/// Refuses to make a customer that seems to be there already.
///
/// # Errors
/// 409 `possible_duplicate` with the candidates.
pub fn check(tx: &mut Tx<'_>, customer: &Customer, allowed: bool) -> Result<()> {
    if allowed {
        return Ok(());
    }
    wait_for_twins(tx, customer)?;
    let sight = tx.actor().sight.clone();
    let found = candidates(tx, customer, &sight, BLOCKS)?;
    if found.is_empty() {
        return Ok(());
    }
    let detail = match found.len() {
        1 => "there is a customer who may be the same; with ?allow_duplicate=true it is made all the same".to_owned(),
        count => {
            format!(
                "there are {count} customers who may be the same; with ?allow_duplicate=true it is made all the same"
            )
        }
    };
    let problem = Problem::conflict("possible_duplicate", detail);
    Err(problem.fact("candidates", serde_json::to_value(found)?).into())
}

/// Whoever makes a customer with one of these keys waits here for others who do.
fn wait_for_twins(tx: &mut Tx<'_>, customer: &Customer) -> Result<()> {
    let locks: BTreeSet<i64> = keys::of(customer)
        .iter()
        .map(|(kind, key)| {
            let digest: [u8; 32] = Sha256::digest(format!("{} {key}", kind.as_str())).into();
            i64::from_be_bytes([
                digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
            ])
        })
        .collect();
    // In one order for all, so that they do not wait for each other in a circle.
    sql("SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) AS k")
        .bind::<Array<BigInt>, _>(locks.into_iter().collect::<Vec<_>>())
        .run(tx)?;
    Ok(())
}

fn rows(conn: &mut PgConnection, own_id: Uuid, own: &BTreeSet<(Criterion, String)>) -> QueryResult<Vec<Row>> {
    let (kinds, keys): (Vec<&str>, Vec<&str>) = own.iter().map(|(kind, key)| (kind.as_str(), key.as_str())).unzip();
    // A customer may have many legal entities; its own name and the first few are enough to look around.
    let names: Vec<&str> = own
        .iter()
        .filter(|(kind, _)| *kind == Criterion::Name)
        .map(|(_, key)| key.as_str())
        .take(5)
        .collect();
    conn.batch_execute("SET LOCAL pg_trgm.similarity_threshold = 0.5")?;
    sql("WITH alike AS (
             SELECT k.customer_id, k.kind, k.key
             FROM unnest($1::text[], $2::text[]) AS w (kind, key)
             JOIN customer_keys k ON k.kind = w.kind AND k.key = w.key
             UNION
             SELECT n.customer_id, 'name', n.key
             FROM unnest($3::text[]) AS own (name)
             CROSS JOIN LATERAL (
                 SELECT k.customer_id, k.key FROM customer_keys k WHERE k.kind = 'name' AND k.key % own.name
                 ORDER BY similarity(k.key, own.name) DESC LIMIT 20) n),
         found AS (
             SELECT customer_id, array_agg(kind ORDER BY kind, key) AS kinds, array_agg(key ORDER BY kind, key) AS keys
             FROM alike WHERE customer_id <> $4 GROUP BY customer_id ORDER BY count(*) DESC LIMIT 200)
         SELECT c.id, c.name, c.kind, c.owner_id, c.team_id, t.name AS team, f.kinds, f.keys,
                ARRAY(SELECT k.key FROM customer_keys k WHERE k.customer_id = c.id AND k.kind = 'tax_id') AS tax_ids
         FROM found f JOIN customers c ON c.id = f.customer_id LEFT JOIN teams t ON t.id = c.team_id
         WHERE c.merged_into IS NULL")
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Text>, _>(names)
    .bind::<SqlUuid, _>(own_id)
    .rows(conn)
}

/// The score of a candidate, and what is shown of it.
fn judged(row: Row, own: &BTreeSet<(Criterion, String)>, sight: &Sight) -> (f64, DuplicateCandidate) {
    let theirs: Vec<(Criterion, &str)> = row
        .kinds
        .iter()
        .zip(&row.keys)
        .filter_map(|(kind, key)| Some((Criterion::of(kind)?, key.as_str())))
        .collect();
    let score = score(own, &theirs, &row.tax_ids);
    let candidate = match sight.covers(row.owner_id, row.team_id) {
        true => DuplicateCandidate {
            id: Some(row.id),
            name: Some(row.name),
            kind: Some(row.kind),
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 100"
            )]
            score: Some((score.total * 100.0).round() as u8),
            matched: score.matched.into_keys().collect(),
            hidden: false,
            owner_team: None,
        },
        false => DuplicateCandidate {
            id: None,
            name: None,
            kind: None,
            score: None,
            matched: Vec::new(),
            hidden: true,
            owner_team: Some(row.team),
        },
    };
    (score.total, candidate)
}

struct Score {
    total: f64,
    /// The weight of each criterion that agrees.
    matched: BTreeMap<&'static str, f64>,
}

fn score(own: &BTreeSet<(Criterion, String)>, theirs: &[(Criterion, &str)], tax_ids: &[String]) -> Score {
    let mut matched = BTreeMap::new();
    for (criterion, key) in theirs {
        if own.contains(&(*criterion, (*key).to_owned())) {
            let weight = match criterion {
                Criterion::TaxId => 0.95,
                Criterion::Email => 0.8,
                Criterion::Name => 0.7,
                Criterion::Phone => 0.6,
            };
            matched.insert(criterion.as_str(), weight);
        }
    }
    if !matched.contains_key("name") {
        let names = own.iter().filter(|(criterion, _)| *criterion == Criterion::Name);
        let near = names.flat_map(|(_, name)| {
            let theirs = theirs.iter().filter(|(criterion, _)| *criterion == Criterion::Name);
            theirs.map(move |(_, other)| normalise::likeness(name, other))
        });
        let likeness = near.fold(0.0, f64::max);
        if likeness >= LIKE {
            matched.insert("similar_name", 0.7 * likeness);
        }
    }
    let mut total = 1.0 - matched.values().fold(1.0, |unlike, weight| unlike * (1.0 - weight));
    let mut own_tax_ids = own
        .iter()
        .filter(|(criterion, _)| *criterion == Criterion::TaxId)
        .peekable();
    if own_tax_ids.peek().is_some() && !tax_ids.is_empty() && !matched.contains_key("tax_id") {
        total /= 2.0;
    }
    Score { total, matched }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(own: &[(Criterion, &str)], theirs: &[(Criterion, &str)], tax_ids: &[&str]) -> f64 {
        let own = own
            .iter()
            .map(|(criterion, key)| (*criterion, (*key).to_owned()))
            .collect();
        let tax_ids: Vec<String> = tax_ids.iter().map(|id| (*id).to_owned()).collect();
        score(&own, theirs, &tax_ids).total
    }

    #[test]
    fn agreements_add_up_and_other_tax_numbers_speak_against_it() {
        use Criterion::{Email, Name, Phone, TaxId};
        let close = |one: f64, other: f64| assert!((one - other).abs() < 1e-9, "{one} {other}");
        close(total(&[(Name, "a")], &[(Name, "a")], &[]), 0.7);
        close(total(&[(Phone, "1")], &[(Phone, "1")], &[]), 0.6);
        close(
            total(&[(Name, "a"), (Email, "e")], &[(Email, "e"), (Name, "a")], &[]),
            0.94,
        );
        close(total(&[(Name, "a"), (TaxId, "1")], &[(Name, "a")], &["2"]), 0.35);
        close(
            total(&[(Name, "a"), (TaxId, "1")], &[(Name, "a"), (TaxId, "1")], &["1"]),
            0.985,
        );
        close(
            total(&[(Name, "futterkiste")], &[(Name, "futterkitse")], &[]),
            0.7 * 10.0 / 11.0,
        );
        close(total(&[(Name, "tandem")], &[(Name, "random")], &[]), 0.0);
    }
}
