//! Making or changing the customer of a row.

use super::parts;
use super::row::Row;
use super::undo::Before;
use crate::custom_fields::cells::{self, Definitions};
use crate::customers::duplicates::normalise;
use crate::customers::model::{CustomerIn, CustomerPatch};
use crate::customers::whole::WholeParts;
use crate::customers::{actions, merge, queries};
use crate::schema::customers;
use diesel::prelude::*;
use diesel::sql_types::{Jsonb, Text, Uuid as SqlUuid};
use serde_json::{Value, json};
use service_kit::db::sql;
use service_kit::exchange::{Done, Match, note};
use service_kit::{Error, Faults, Problem, Result, Tx};
use uuid::Uuid;

pub fn upsert(tx: &mut Tx<'_>, import: Uuid, row: &Row, fields: &Definitions) -> Result<Done> {
    let found = match find(tx, &row.by, fields)? {
        Some(id) => merge::survivor(tx, id)?,
        None => None,
    };
    match found {
        Some(id) => change(tx, import, id, row, fields),
        None => make(tx, import, row, fields),
    }
}

fn change(tx: &mut Tx<'_>, import: Uuid, id: Uuid, row: &Row, fields: &Definitions) -> Result<Done> {
    let patch: CustomerPatch = serde_json::from_value(Value::Object(row.body(fields)))?;
    let (before, mut faults) = (queries::lock(tx, id)?, Faults::default());
    let parts = WholeParts {
        contacts: parts::contacts_of(&before.contacts, row.contact.as_ref(), &mut faults)?,
        addresses: parts::addresses_of(&before.addresses, &row.addresses, &mut faults)?,
    };
    let after = actions::patched_with(tx, before.clone(), &patch, &parts, faults)?;
    if after.core.version == before.core.version {
        return Ok(Done::Unchanged(id));
    }
    note(tx, import, (id, after.core.version), Some(&Before::from(&before)))?;
    Ok(Done::Updated(id))
}

fn make(tx: &mut Tx<'_>, import: Uuid, row: &Row, fields: &Definitions) -> Result<Done> {
    let (mut body, mut faults) = (row.body(fields), Faults::default());
    if !body.contains_key("name") {
        faults.add("/name", "required", "a new customer needs a name");
        // So that what else is wrong is told as well.
        body.insert("name".to_owned(), json!("?"));
    }
    body.entry("kind").or_insert_with(|| json!("company"));
    body.insert("owner_id".to_owned(), json!(row.owner_id));
    if let Match::Id(id) = &row.by {
        body.insert("id".to_owned(), json!(id));
    }
    let mut input: CustomerIn = serde_json::from_value(Value::Object(body))?;
    input.contacts = parts::contacts_of(&[], row.contact.as_ref(), &mut faults)?.unwrap_or_default();
    input.addresses = parts::addresses_of(&[], &row.addresses, &mut faults)?.unwrap_or_default();
    let made = actions::create_with(tx, &input, row.allow_duplicate, faults).map_err(in_words)?;
    note(tx, import, (made.core.id, made.core.version), None::<&Before>)?;
    Ok(Done::Created(made.core.id))
}

/// The answer to a row is one line: it names the candidates.
fn in_words(error: Error) -> Error {
    let Error::Problem(problem) = error else {
        return error;
    };
    if problem.code != "possible_duplicate" {
        return Error::Problem(problem);
    }
    let candidates = problem.facts.get("candidates").and_then(Value::as_array);
    let named = candidates.into_iter().flatten().map(|candidate| {
        let text = |field: &str| candidate[field].as_str().unwrap_or_default().to_owned();
        format!("{} ({}, {} %)", text("name"), text("id"), candidate["score"])
    });
    let named: Vec<String> = named.take(3).collect();
    let detail = format!(
        "may be there already: {}; or send it with allow_duplicate",
        named.join(", ")
    );
    Problem::conflict("possible_duplicate", detail).into()
}

/// The customer that a row means.
fn find(tx: &mut Tx<'_>, by: &Match, fields: &Definitions) -> Result<Option<Uuid>> {
    let ids: Vec<Uuid> = match by {
        Match::Nobody => Vec::new(),
        Match::Id(id) => customers::table.find(id).select(customers::id).load(&mut **tx)?,
        Match::Key { column, text } => match column.as_str() {
            "external_ref" => customers::table
                .filter(customers::external_ref.eq(text))
                .select(customers::id)
                .load(&mut **tx)?,
            "email" => by_key(tx, "email", normalise::email(text))?,
            "tax_id" => by_key(tx, "tax_id", normalise::tax_id(text))?,
            custom => match cells::containing(fields, custom, text) {
                Some(wanted) => by_custom_field(tx, wanted)?,
                None => Vec::new(),
            },
        },
    };
    match ids.as_slice() {
        [] => Ok(None),
        [id] => Ok(Some(*id)),
        _ => Err(Problem::conflict("ambiguous", "several customers have this match key; give the id").into()),
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    own: String,
}

/// Customers whose own address or number it is, not that of a contact or legal entity.
fn by_key(tx: &mut Tx<'_>, kind: &str, key: Option<String>) -> Result<Vec<Uuid>> {
    let Some(key) = key else { return Ok(Vec::new()) };
    let found: Vec<Found> = sql(
        "SELECT c.id, coalesce(CASE k.kind WHEN 'email' THEN c.email ELSE c.tax_id END, '') AS own
         FROM customer_keys k JOIN customers c ON c.id = k.customer_id
         WHERE k.kind = $1 AND k.key = $2 AND c.merged_into IS NULL ORDER BY c.id LIMIT 100",
    )
    .bind::<Text, _>(kind)
    .bind::<Text, _>(key.as_str())
    .rows(tx)?;
    let form = |own: &str| match kind {
        "email" => normalise::email(own),
        _ => normalise::tax_id(own),
    };
    let own = found.into_iter().filter(|row| form(&row.own).as_ref() == Some(&key));
    Ok(own.map(|row| row.id).collect())
}

fn by_custom_field(tx: &mut Tx<'_>, wanted: Value) -> Result<Vec<Uuid>> {
    let found: Vec<Found> = sql("SELECT id, '' AS own FROM customers
         WHERE custom_fields @> $1 AND merged_into IS NULL ORDER BY id LIMIT 2")
    .bind::<Jsonb, _>(wanted)
    .rows(tx)?;
    Ok(found.into_iter().map(|row| row.id).collect())
}
