//! A list in the order of a custom field: `sort=custom.<key>`, with `-` for descending. Records without a value come last.

use super::catalogue::Catalogue;
use super::compile::custom_value;
use super::fragment::{Bound, Fragment};
use crate::custom_fields::{self, CustomField, CustomValues, FieldType};
use diesel::PgConnection;
use serde_json::Value;
use service_kit::{Cursor, Problem, Result};
use uuid::Uuid;

/// The order of one list by one field.
pub struct CustomOrder {
    table: &'static str,
    field: CustomField,
    descending: bool,
    /// As the list was asked for.
    pub sort: String,
}

/// The value of the last row, if it has one, and its id.
type Key = (Option<String>, Uuid);

impl CustomOrder {
    /// The order that a parameter names; `None` when it does not name a custom field.
    ///
    /// # Errors
    /// 400 for a field that does not exist or that has no order.
    pub fn of(conn: &mut PgConnection, catalogue: &'static Catalogue, sort: Option<&str>) -> Result<Option<Self>> {
        let Some(sort) = sort else { return Ok(None) };
        let (name, descending) = match sort.strip_prefix('-') {
            Some(name) => (name, true),
            None => (sort, false),
        };
        let Some(key) = name.strip_prefix("custom.") else {
            return Ok(None);
        };
        let field = match key.contains('\0') {
            true => None,
            false => custom_fields::values::of_keys(conn, catalogue.record_type, &[key])?.remove(key),
        };
        match field {
            Some(field) if field.r#type != FieldType::MultiChoice => Ok(Some(CustomOrder {
                table: catalogue.table,
                field,
                descending,
                sort: sort.to_owned(),
            })),
            _ => Err(
                Problem::bad_request("invalid_parameter", "sort: there is no such custom field with an order").into(),
            ),
        }
    }

    fn value(&self) -> Fragment {
        custom_value(&format!("{}.custom_fields", self.table), &self.field)
    }

    /// `ORDER BY` of it.
    pub fn by(&self) -> Fragment {
        let direction = if self.descending { "DESC" } else { "ASC" };
        let table = self.table;
        self.value()
            .sql(&format!(" {direction} NULLS LAST, {table}.id {direction}"))
    }

    /// The rows behind a cursor.
    ///
    /// # Errors
    /// 400 for a cursor of another list.
    pub fn behind(&self, cursor: &Cursor) -> Result<Fragment> {
        let (value, id): Key = cursor.decode(&self.sort)?;
        let sign = if self.descending { "<" } else { ">" };
        let by_id = |fragment: Fragment| fragment.sql(&format!("{}.id {sign} ", self.table)).bind(Bound::Id(id));
        let Some(value) = value else {
            return Ok(by_id(self.value().sql(" IS NULL AND ")));
        };
        let invalid = || Problem::bad_request("invalid_cursor", "the cursor does not belong to this list and order");
        let bound = match self.field.r#type {
            FieldType::Number | FieldType::Money => Bound::Number(value.parse().map_err(|_| invalid())?),
            FieldType::Date => Bound::Day(value.parse().map_err(|_| invalid())?),
            FieldType::Boolean => Bound::Bool(value.parse().map_err(|_| invalid())?),
            FieldType::Reference => Bound::Id(value.parse().map_err(|_| invalid())?),
            FieldType::Text | FieldType::Choice | FieldType::MultiChoice => Bound::Text(value),
        };
        let further = self.value().sql(&format!(" {sign} ")).bind(bound.clone());
        let same = by_id(self.value().sql(" = ").bind(bound).sql(" AND "));
        let without = self.value().sql(" IS NULL");
        Ok(Fragment::joined(
            [further, Fragment::joined([same], ""), without],
            " OR ",
        ))
    }

    /// The cursor behind a row.
    pub fn cursor(&self, values: &CustomValues, id: Uuid) -> String {
        let value = values.0.get(&self.field.key).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let key: Key = (value, id);
        Cursor::encode(&self.sort, &key)
    }
}
