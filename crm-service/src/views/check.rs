//! What a view says, against what its list accepts.

use super::model::{ViewRow, ViewedRecord};
use crate::custom_fields::{self, RecordType};
use crate::filter::{self, Catalogue, CustomOrder, Filter};
use diesel::PgConnection;
use serde_json::Value;
use service_kit::http::Validators;
use service_kit::{Error, Faults, Problem, Result};
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};

/// The list of a kind of record.
pub fn path_of(record: ViewedRecord) -> &'static str {
    match record {
        ViewedRecord::Customer => "/v1/customers",
        ViewedRecord::Lead => "/v1/leads",
        ViewedRecord::Deal => "/v1/deals",
        ViewedRecord::Quote => "/v1/quotes",
        ViewedRecord::Order => "/v1/orders",
        ViewedRecord::Activity => "/v1/activities",
        ViewedRecord::Invoice => "/v1/invoices",
    }
}

/// What the list can be filtered by in the language of filters.
fn catalogue_of(record: ViewedRecord) -> Option<&'static Catalogue> {
    match record {
        ViewedRecord::Customer => Some(&filter::CUSTOMERS),
        ViewedRecord::Lead => Some(&filter::LEADS),
        _ => None,
    }
}

/// The service as it documents itself, which is how it checks its own input.
struct Known {
    document: Arc<Value>,
    validators: Validators,
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let document = Arc::new(crate::SERVICE.document());
        let validators = Validators::of_document(&document);
        Known { document, validators }
    })
}

/// Names every fault of a view, with pointers into its body.
///
/// # Errors
/// 422; when the database refuses.
pub fn check(conn: &mut PgConnection, view: &ViewRow) -> Result<()> {
    let (list, mut faults) = (path_of(view.record_type), Faults::default());
    let operation = &known().document["paths"][list]["get"];
    if operation.is_null() {
        faults.add("/record_type", "unknown_list", "there is no list of these records");
        return Ok(faults.check()?);
    }
    let mut positions = filters(conn, view, operation, &mut faults)?;
    if let Some(sort) = &view.sort {
        check_sort(conn, view.record_type, sort, operation, &mut faults)?;
    }
    check_columns(conn, view, operation, &mut faults)?;
    match faults.check() {
        Ok(()) => Ok(()),
        Err(problem) if positions.is_empty() => Err(problem.into()),
        Err(problem) => Err(problem.fact("positions", positions.remove(0)).into()),
    }
}

/// Gives the positions of the faults in a text in the language of filters.
fn filters(conn: &mut PgConnection, view: &ViewRow, operation: &Value, faults: &mut Faults) -> Result<Vec<Value>> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let offered: HashSet<&str> = parameters
        .filter(|parameter| parameter["in"] == "query")
        .filter_map(|parameter| parameter["name"].as_str())
        .filter(|name| !["limit", "cursor", "sort"].contains(name))
        .collect();
    let (mut seen, mut positions) = (HashSet::new(), Vec::new());
    for (index, given) in view.filters.0.iter().enumerate() {
        let (name, value) = (given.name.as_str(), given.value.as_str());
        let at = |field: &str| format!("/filters/{index}/{field}");
        if !offered.contains(name) {
            faults.add(at("name"), "unknown_filter", "the list has no such filter");
            continue;
        }
        if !seen.insert(name) {
            faults.add(at("name"), "duplicate", "this filter stands there already");
        }
        let (list, given) = (path_of(view.record_type), [(name, value)].into_iter());
        if let Err(fault) = known().validators.check_parameters("GET", list, "query", given) {
            faults.add(at("value"), "invalid_value", fault);
            continue;
        }
        if name == "filter"
            && let Some(catalogue) = catalogue_of(view.record_type)
            && let Some(problem) = refusal(Filter::of(conn, catalogue, value, &at("value")).map(drop))?
        {
            positions.extend(problem.facts.get("positions").cloned());
            for fault in &problem.errors {
                faults.add(fault.pointer.as_str(), &fault.code, fault.message.as_str());
            }
        }
    }
    Ok(positions)
}

/// The refusal, if that is what it is.
fn refusal(outcome: Result<()>) -> Result<Option<Problem>> {
    match outcome {
        Ok(()) => Ok(None),
        Err(Error::Problem(problem)) if problem.status < 500 => Ok(Some(*problem)),
        Err(other) => Err(other),
    }
}

fn check_sort(
    conn: &mut PgConnection,
    record: ViewedRecord,
    sort: &str,
    operation: &Value,
    faults: &mut Faults,
) -> Result<()> {
    if let Some(catalogue) = catalogue_of(record)
        && sort.trim_start_matches('-').starts_with("custom.")
    {
        if refusal(CustomOrder::of(conn, catalogue, Some(sort)).map(drop))?.is_some() {
            faults.add("/sort", "unknown_sort", "there is no such custom field with an order");
        }
        return Ok(());
    }
    let offered = orders(operation);
    let name = sort.strip_prefix('-').unwrap_or(sort);
    if !offered.contains(name) {
        let offered: Vec<&str> = offered.into_iter().collect();
        faults.add(
            "/sort",
            "unknown_sort",
            format!("expected one of {}", offered.join(", ")),
        );
    }
    Ok(())
}

/// The orders of a list: what stands in backticks where its parameter `sort` is described.
fn orders(operation: &Value) -> BTreeSet<&str> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let sort = parameters.into_iter().find(|parameter| parameter["name"] == "sort");
    let words = sort.and_then(|sort| sort["description"].as_str()).unwrap_or_default();
    let quoted = words
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|word| word.trim_start_matches('-'));
    quoted.filter(|word| !word.is_empty() && !word.contains('<')).collect()
}

fn check_columns(conn: &mut PgConnection, view: &ViewRow, operation: &Value, faults: &mut Faults) -> Result<()> {
    let document = &known().document;
    let page = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    let mut fields = HashSet::new();
    collect(document, page, &mut |name, schema| {
        if name == "items" {
            collect(document, &schema["items"], &mut |field, _| {
                fields.insert(field.to_owned());
            });
        }
    });
    let keys: Vec<&str> = view
        .column_names
        .iter()
        .filter_map(|column| column.strip_prefix("custom."))
        .collect();
    let custom = match (record_type(view.record_type), keys.is_empty()) {
        (Some(of), false) => custom_fields::values::of_keys(conn, of, &keys)?,
        _ => Default::default(),
    };
    let mut seen = HashSet::new();
    for (index, column) in view.column_names.iter().enumerate() {
        let there = match column.strip_prefix("custom.") {
            Some(key) => custom.contains_key(key),
            None => fields.contains(column),
        };
        if !there {
            let message = "the records of the list have no such field";
            faults.add(format!("/columns/{index}"), "unknown_column", message);
        } else if !seen.insert(column) {
            faults.add(
                format!("/columns/{index}"),
                "duplicate",
                "this column stands there already",
            );
        }
    }
    Ok(())
}

/// Of those that have custom fields.
fn record_type(record: ViewedRecord) -> Option<RecordType> {
    (record == ViewedRecord::Customer).then_some(RecordType::Customer)
}

/// Visits the fields of a schema, through references and joined schemas.
fn collect<'a>(document: &'a Value, schema: &'a Value, visit: &mut dyn FnMut(&'a str, &'a Value)) {
    let mut open = vec![schema];
    // References of a document that lead in a circle end somewhere.
    for _ in 0..100 {
        let Some(schema) = open.pop() else { return };
        if let Some(reference) = schema["$ref"].as_str() {
            open.extend(document.pointer(reference.trim_start_matches('#')));
        }
        open.extend(schema["allOf"].as_array().into_iter().flatten());
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            visit(name, field);
        }
    }
}
