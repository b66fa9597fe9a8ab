//! The values of custom fields in a record, and what is checked when they are written.

use super::model::{CustomField, FieldType, RecordType, ReferredType};
use crate::schema::custom_fields;
use chrono::NaiveDate;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{Array, Bool, Jsonb, Nullable, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use service_kit::db::sql;
use service_kit::{Amount, Faults, Result, Sight};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// Longest text that a field holds.
pub const LONGEST: usize = 2_000;

/// Values by the key of their field. In an input, `null` takes a value away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
#[serde(transparent)]
pub struct CustomValues(pub BTreeMap<String, Value>);

impl CustomValues {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromSql<Jsonb, Pg> for CustomValues {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let value = <Value as FromSql<Jsonb, Pg>>::from_sql(value)?;
        Ok(serde_json::from_value(value)?)
    }
}

impl ToSql<Jsonb, Pg> for CustomValues {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let value: Map<String, Value> = self.0.clone().into_iter().collect();
        <Value as ToSql<Jsonb, Pg>>::to_sql(&Value::Object(value), &mut out.reborrow())
    }
}

/// What a record holds after a patch: the values given replace those stored, `null` takes one away.
///
/// Names every fault, at `/custom_fields/<key>`. Asks the database only when something is given.
///
/// # Errors
/// When the database refuses.
pub fn merge(
    conn: &mut PgConnection,
    of: RecordType,
    stored: &CustomValues,
    given: &CustomValues,
    sight: &Sight,
    faults: &mut Faults,
) -> Result<CustomValues> {
    if given.is_empty() {
        return Ok(stored.clone());
    }
    let fields = of_keys(conn, of, &given.0.keys().map(String::as_str).collect::<Vec<_>>())?;
    let (mut after, mut references) = (stored.clone(), Vec::new());
    for (key, value) in &given.0 {
        let pointer = format!("/custom_fields/{}", key.replace('~', "~0").replace('/', "~1"));
        let Some(field) = fields.get(key) else {
            faults.add(pointer, "unknown_field", format!("{of}s have no such custom field"));
            continue;
        };
        if value.is_null() {
            after.0.remove(key);
            continue;
        }
        // What stands there may stay, also when the field would not take it any more.
        if stored.0.get(key) == Some(value) {
            continue;
        }
        if field.retired_at.is_some() {
            faults.add(pointer, "retired", "this field is retired and takes no new values");
            continue;
        }
        match read(field, value) {
            Ok(value) => {
                if let (Some(to), Some(id)) = (field.refers_to, value.as_str().and_then(|id| id.parse().ok())) {
                    references.push((to, id, pointer));
                }
                after.0.insert(key.clone(), value);
            }
            Err((code, message)) => faults.add(pointer, code, message),
        }
    }
    for (to, id, pointer) in references {
        if !is_known(conn, to, id, sight)? {
            faults.add(pointer, "unknown_reference", format!("there is no such {to}"));
        }
    }
    Ok(after)
}

/// What a record holds when its values are given whole: those not given go, except of retired fields.
///
/// # Errors
/// When the database refuses.
pub fn replace(
    conn: &mut PgConnection,
    of: RecordType,
    stored: &CustomValues,
    given: &CustomValues,
    sight: &Sight,
    faults: &mut Faults,
) -> Result<CustomValues> {
    let gone: Vec<&str> = stored
        .0
        .keys()
        .map(String::as_str)
        .filter(|key| !given.0.contains_key(*key))
        .collect();
    let mut left = stored.clone();
    if !gone.is_empty() {
        for (key, field) in of_keys(conn, of, &gone)? {
            if field.retired_at.is_none() {
                left.0.remove(&key);
            }
        }
    }
    merge(conn, of, &left, given, sight, faults)
}

/// The definitions behind keys, the retired ones included.
pub fn of_keys(conn: &mut PgConnection, of: RecordType, keys: &[&str]) -> QueryResult<BTreeMap<String, CustomField>> {
    let rows = custom_fields::table
        .filter(custom_fields::record_type.eq(of))
        .filter(custom_fields::key.eq_any(keys))
        .select(CustomField::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(|field| (field.key.clone(), field)).collect())
}

/// The value in the form in which it is stored, or code and message of its fault.
pub fn read(field: &CustomField, value: &Value) -> std::result::Result<Value, (&'static str, String)> {
    let text = value.as_str();
    let wrong = |what: &str| {
        (
            "wrong_type",
            format!("{} is of type {}: expected {what}", field.key, field.r#type),
        )
    };
    match field.r#type {
        FieldType::Text => match text.ok_or_else(|| wrong("a text"))? {
            text if text.trim().is_empty() => Err(("too_short", "must not be empty; null takes the value away".into())),
            text if text.chars().count() > LONGEST => Err(("too_long", format!("at most {LONGEST} characters"))),
            text => Ok(text.into()),
        },
        FieldType::Number | FieldType::Money => {
            let amount: Amount = text
                .ok_or_else(|| wrong("a decimal as text, such as \"12.5\""))?
                .parse()
                .map_err(|error: service_kit::decimal::DecimalError| match error {
                    service_kit::decimal::DecimalError::Malformed(_) => ("bad_format", error.to_string()),
                    _ => ("out_of_range", error.to_string()),
                })?;
            Ok(canonical(field, amount)?.into())
        }
        FieldType::Date => {
            let text = text.ok_or_else(|| wrong("a date"))?;
            let plain = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
                Ok(_) if plain => Ok(text.into()),
                _ => Err(("bad_format", "expected a date such as 2026-01-31".into())),
            }
        }
        FieldType::Boolean => match value {
            Value::Bool(_) => Ok(value.clone()),
            _ => Err(wrong("true or false")),
        },
        FieldType::Choice => option(field, text.ok_or_else(|| wrong("one of its options"))?).map(Value::from),
        FieldType::MultiChoice => {
            let chosen = value.as_array().ok_or_else(|| wrong("a list of its options"))?;
            let (mut seen, mut all) = (HashSet::new(), Vec::new());
            for chosen in chosen {
                let chosen = option(field, chosen.as_str().ok_or_else(|| wrong("a list of its options"))?)?;
                if !seen.insert(chosen) {
                    return Err(("duplicate", format!("{chosen:?} stands there twice")));
                }
                all.push(Value::from(chosen));
            }
            match all.is_empty() {
                true => Err(("too_short", "choose something; null takes the value away".into())),
                false => Ok(Value::Array(all)),
            }
        }
        FieldType::Reference => {
            let id = text.and_then(|text| Uuid::try_parse(text).ok().filter(|_| text.len() == 36));
            let id = id.ok_or_else(|| wrong("the id of a record"))?;
            Ok(id.to_string().into())
        }
    }
}

/// One form for each value, so that equal values are equal texts.
pub fn canonical(field: &CustomField, amount: Amount) -> std::result::Result<String, (&'static str, String)> {
    let Some(currency) = field.currency else {
        return Ok(amount.to_string());
    };
    let digits = currency.minor_digits();
    if currency.round(amount.value()) != amount.value() {
        return Err((
            "out_of_range",
            format!("{currency} has {digits} digits after the point"),
        ));
    }
    let shown = Amount::money(currency, amount.value());
    Ok(shown.unwrap_or(amount).to_string())
}

fn option<'a>(field: &CustomField, chosen: &'a str) -> std::result::Result<&'a str, (&'static str, String)> {
    if field.is_option(chosen) {
        return Ok(chosen);
    }
    let offered: Vec<&str> = field
        .choices()
        .iter()
        .map(|option| option.value.as_str())
        .take(20)
        .collect();
    Err(("unknown_value", format!("expected one of {}", offered.join(", "))))
}

/// Whether there is such a record for whoever asks.
fn is_known(conn: &mut PgConnection, to: ReferredType, id: Uuid, sight: &Sight) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Bool)]
        found: bool,
    }
    let (all, user, teams) = sight.binds();
    // The parameters are the same everywhere, also where nobody owns the record.
    let text = match to {
        ReferredType::Customer => {
            "SELECT EXISTS (SELECT FROM customers r WHERE r.id = $1 AND ($2 OR r.owner_id = $3 OR r.team_id = ANY($4))) AS found"
        }
        ReferredType::Contact => {
            "SELECT EXISTS (SELECT FROM contacts c JOIN customers r ON r.id = c.customer_id
             WHERE c.id = $1 AND ($2 OR r.owner_id = $3 OR r.team_id = ANY($4))) AS found"
        }
        ReferredType::Order => {
            "SELECT EXISTS (SELECT FROM orders r WHERE r.id = $1 AND ($2 OR r.owner_id = $3 OR r.team_id = ANY($4))) AS found"
        }
        ReferredType::User => {
            "SELECT EXISTS (SELECT FROM users WHERE id = $1 AND ($2 OR $3::uuid IS NULL OR $4::uuid[] IS NOT NULL)) AS found"
        }
        ReferredType::Product => {
            "SELECT EXISTS (SELECT FROM products WHERE id = $1 AND ($2 OR $3::uuid IS NULL OR $4::uuid[] IS NOT NULL)) AS found"
        }
    };
    let row: Found = sql(text)
        .bind::<SqlUuid, _>(id)
        .bind::<Bool, _>(all)
        .bind::<Nullable<SqlUuid>, _>(user)
        .bind::<Array<SqlUuid>, _>(teams)
        .row(conn)?;
    Ok(row.found)
}

#[cfg(test)]
mod tests {
    use super::super::model::ChoiceOption;
    use super::*;
    use crate::json::AsJson;
    use chrono::DateTime;
    use serde_json::json;

    fn field(kind: FieldType) -> CustomField {
        let options = ["a", "b"].map(|value| ChoiceOption {
            value: value.to_owned(),
            label: None,
        });
        CustomField {
            id: Uuid::nil(),
            record_type: RecordType::Customer,
            key: "k".to_owned(),
            label: "K".to_owned(),
            description: None,
            r#type: kind,
            options: Some(AsJson(options.into())),
            currency: (kind == FieldType::Money).then(|| "EUR".parse().unwrap()),
            refers_to: None,
            retired_at: None,
            revision: 1,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn equal_values_are_stored_alike() {
        for (kind, given, stored) in [
            (FieldType::Number, json!("012.50"), json!("12.5")),
            (FieldType::Number, json!("-0"), json!("0")),
            (FieldType::Money, json!("12.5"), json!("12.50")),
            (FieldType::Money, json!("7"), json!("7.00")),
            (FieldType::Date, json!("2026-02-28"), json!("2026-02-28")),
            (FieldType::MultiChoice, json!(["b", "a"]), json!(["b", "a"])),
            (
                FieldType::Reference,
                json!("AAAAAAAA-0000-7000-8000-000000000001"),
                json!("aaaaaaaa-0000-7000-8000-000000000001"),
            ),
        ] {
            assert_eq!(read(&field(kind), &given), Ok(stored), "{kind} {given}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (kind, given, code) in [
            (FieldType::Text, json!(1), "wrong_type"),
            (FieldType::Text, json!("  "), "too_short"),
            (FieldType::Text, json!("x".repeat(2_001)), "too_long"),
            (FieldType::Number, json!(12.5), "wrong_type"),
            (FieldType::Number, json!("1e5"), "bad_format"),
            (FieldType::Number, json!("12345678901234567"), "out_of_range"),
            (FieldType::Money, json!("1.005"), "out_of_range"),
            (FieldType::Date, json!("2026-02-29"), "bad_format"),
            (FieldType::Date, json!("2026-2-1"), "bad_format"),
            (FieldType::Boolean, json!("true"), "wrong_type"),
            (FieldType::Choice, json!("c"), "unknown_value"),
            (FieldType::MultiChoice, json!("a"), "wrong_type"),
            (FieldType::MultiChoice, json!(["a", "a"]), "duplicate"),
            (FieldType::MultiChoice, json!(["a", "c"]), "unknown_value"),
            (FieldType::MultiChoice, json!([]), "too_short"),
            (FieldType::Reference, json!("x"), "wrong_type"),
        ] {
            let fault = read(&field(kind), &given).expect_err("a fault");
            assert_eq!(fault.0, code, "{kind} {given}");
        }
    }
}
