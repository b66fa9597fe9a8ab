//! Defining, changing, retiring.

use super::model::{ChoiceOption, CustomField, CustomFieldIn, CustomFieldPatch, FieldType, RecordType};
use crate::json::AsJson;
use crate::schema::custom_fields;
use diesel::prelude::*;
use service_kit::{Faults, OrNotFound, Problem, Result, Tx};
use std::collections::HashSet;
use uuid::Uuid;

/// A kind of record has at most so many fields that are not retired: every record carries them.
const MOST: i64 = 100;

pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<CustomField> {
    let found = custom_fields::table.find(id).select(CustomField::as_select());
    found.first(conn).or_not_found("custom field")
}

fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<CustomField> {
    let found = custom_fields::table.find(id).select(CustomField::as_select());
    found.for_update().first(&mut **tx).or_not_found("custom field")
}

pub fn create(tx: &mut Tx<'_>, input: &CustomFieldIn) -> Result<CustomField> {
    check(input)?;
    room(tx, input.record_type)?;
    let field = CustomField {
        id: tx.mint(input.id),
        record_type: input.record_type,
        key: input.key.clone(),
        label: input.label.clone(),
        description: input.description.clone(),
        r#type: input.r#type,
        options: input.options.clone().map(AsJson),
        currency: input.currency,
        refers_to: input.refers_to,
        retired_at: None,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    diesel::insert_into(custom_fields::table)
        .values(&field)
        .execute(&mut **tx)?;
    tx.changed(None, &field)?;
    Ok(field)
}

pub fn change(tx: &mut Tx<'_>, id: Uuid, patch: &CustomFieldPatch) -> Result<CustomField> {
    let before = lock(tx, id)?;
    tx.require_match(&before)?;
    let mut after = before.clone();
    if let Some(label) = &patch.label {
        after.label.clone_from(label);
    }
    if let Some(description) = &patch.description {
        after.description.clone_from(description);
    }
    if let Some(options) = &patch.options {
        let mut faults = Faults::default();
        check_options(before.r#type, Some(options), &mut faults);
        faults.check()?;
        after.options = Some(AsJson(options.clone()));
    }
    if after == before {
        return Ok(before);
    }
    save(tx, &before, after)
}

/// A retired field keeps its values and takes no new ones.
pub fn retire(tx: &mut Tx<'_>, id: Uuid) -> Result<CustomField> {
    let before = lock(tx, id)?;
    tx.match_if_given(&before)?;
    if before.retired_at.is_some() {
        return Err(Problem::illegal_transition("retire", "retired", &["restore"]).into());
    }
    let mut after = before.clone();
    after.retired_at = Some(tx.now());
    save(tx, &before, after)
}

pub fn restore(tx: &mut Tx<'_>, id: Uuid) -> Result<CustomField> {
    let before = lock(tx, id)?;
    tx.match_if_given(&before)?;
    if before.retired_at.is_none() {
        return Err(Problem::illegal_transition("restore", "in use", &["retire"]).into());
    }
    room(tx, before.record_type)?;
    let mut after = before.clone();
    after.retired_at = None;
    save(tx, &before, after)
}

fn save(tx: &mut Tx<'_>, before: &CustomField, mut after: CustomField) -> Result<CustomField> {
    after.revision += 1;
    after.updated_at = tx.now();
    diesel::update(custom_fields::table.find(after.id))
        .set(&after)
        .execute(&mut **tx)?;
    tx.changed(Some(before), &after)?;
    Ok(after)
}

/// Two at once may both find the last place; then there is one field more than that.
fn room(tx: &mut Tx<'_>, record_type: RecordType) -> Result<()> {
    let in_use: i64 = custom_fields::table
        .filter(custom_fields::record_type.eq(record_type))
        .filter(custom_fields::retired_at.is_null())
        .count()
        .get_result(&mut **tx)?;
    match in_use < MOST {
        true => Ok(()),
        false => Err(Problem::rule("too_many", format!("a kind of record has at most {MOST} custom fields")).into()),
    }
}

fn check(input: &CustomFieldIn) -> Result<()> {
    let mut faults = Faults::default();
    check_options(input.r#type, input.options.as_deref(), &mut faults);
    let mut fits = |pointer: &str, given: bool, wanted: bool, what: &str| match (given, wanted) {
        (false, true) => faults.add(
            pointer,
            "required",
            format!("a field of type {} needs {what}", input.r#type),
        ),
        (true, false) => faults.add(
            pointer,
            "not_of_this_type",
            format!("a field of type {} has none", input.r#type),
        ),
        _ => {}
    };
    fits(
        "/currency",
        input.currency.is_some(),
        input.r#type == FieldType::Money,
        "a currency",
    );
    fits(
        "/refers_to",
        input.refers_to.is_some(),
        input.r#type == FieldType::Reference,
        "a kind of record to refer to",
    );
    Ok(faults.check()?)
}

fn check_options(of: FieldType, options: Option<&[ChoiceOption]>, faults: &mut Faults) {
    let chooses = matches!(of, FieldType::Choice | FieldType::MultiChoice);
    match options {
        None if chooses => faults.add("/options", "required", "a choice needs options"),
        Some([]) if chooses => faults.add("/options", "too_short", "a choice needs options"),
        Some(_) if !chooses => faults.add("/options", "not_of_this_type", format!("a field of type {of} has none")),
        _ => {}
    }
    let mut seen = HashSet::new();
    for (index, option) in options.unwrap_or_default().iter().enumerate() {
        if !seen.insert(&option.value) {
            let pointer = format!("/options/{index}/value");
            faults.add(pointer, "duplicate", "another option has this value");
        }
    }
}
