//! The parts that a row brings: a contact, and an address for invoices and one for deliveries.
//!
//! A row says which part it means by what the part is: a contact by its e-mail address, else by its name; an address by its
//! kind, and where a customer has several of that by street and city. So the same file, sent again, changes nothing.

use crate::customers::addresses::{Address, AddressIn, AddressKind, AddressPatch};
use crate::customers::contacts::{Contact, ContactIn, ContactPatch};
use crate::customers::parts::{MOST, Part};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use service_kit::exchange::{Fields, Shape};
use service_kit::{Faults, Result};
use utoipa::ToSchema;

/// What a row says of a part: the columns that the file has, as a patch has them.
pub struct PartCells {
    /// What the names of its columns begin with.
    prefix: &'static str,
    fields: Map<String, Value>,
}

const CONTACT: &[(&str, Shape)] = &[
    ("name", Shape::Text),
    ("role", Shape::Text),
    ("title", Shape::Text),
    ("email", Shape::Code),
    ("phone", Shape::Code),
];
const ADDRESS: &[(&str, Shape)] = &[
    ("street", Shape::Text),
    ("city", Shape::Text),
    ("region", Shape::Text),
    ("postal_code", Shape::Code),
    ("country", Shape::Code),
];

pub fn contact(fields: &mut Fields<'_>) -> Option<PartCells> {
    read::<ContactPatch>(fields, "contact_", CONTACT, &["name"])
}

pub fn addresses(fields: &mut Fields<'_>) -> Vec<(AddressKind, PartCells)> {
    let kinds = [(AddressKind::Billing, "billing_"), (AddressKind::Shipping, "shipping_")];
    let said = kinds.into_iter().filter_map(|(kind, prefix)| {
        let cells = read::<AddressPatch>(fields, prefix, ADDRESS, &["street", "city", "country"])?;
        Some((kind, cells))
    });
    said.collect()
}

/// `None` when the row says nothing of the part, or something that is at fault.
fn read<P: DeserializeOwned + ToSchema>(
    fields: &mut Fields<'_>,
    prefix: &'static str,
    columns: &[(&str, Shape)],
    needed: &[&str],
) -> Option<PartCells> {
    let mut object = fields.object_of(prefix, columns);
    if object.values().all(Value::is_null) {
        return None;
    }
    if let Some(Value::String(country)) = object.get_mut("country") {
        country.make_ascii_uppercase();
    }
    // What a part cannot be without is not cleared.
    object.retain(|name, value| !(value.is_null() && needed.contains(&name.as_str())));
    let fields = fields.body_of::<P>(prefix, object.clone()).map(|_| object)?;
    Some(PartCells { prefix, fields })
}

/// All contacts that a customer has then; `None` when the row says nothing of them.
pub fn contacts_of(all: &[Contact], said: Option<&PartCells>, faults: &mut Faults) -> Result<Option<Vec<ContactIn>>> {
    let Some(cells) = said else { return Ok(None) };
    let same = |field: &str, known: Option<&str>| match (cells.fields.get(field).and_then(Value::as_str), known) {
        (Some(said), Some(known)) => said.trim().to_lowercase() == known.trim().to_lowercase(),
        _ => false,
    };
    let by_email = all
        .iter()
        .position(|contact| same("email", contact.email.as_ref().map(|email| email.as_str())));
    let found = by_email.or_else(|| all.iter().position(|contact| same("name", Some(&contact.name))));
    let apply = |patch: &ContactPatch, contact: &mut Contact| patch.apply(contact);
    let mut inputs = all.iter().map(ContactIn::from).collect();
    write(&mut inputs, all, found, cells, json!({}), &["name"], apply, faults)?;
    Ok(Some(inputs))
}

/// All addresses that a customer has then; `None` when the row says nothing of them.
pub fn addresses_of(
    all: &[Address],
    said: &[(AddressKind, PartCells)],
    faults: &mut Faults,
) -> Result<Option<Vec<AddressIn>>> {
    if said.is_empty() {
        return Ok(None);
    }
    let mut inputs = all.iter().map(AddressIn::from).collect();
    for (kind, cells) in said {
        let of_kind: Vec<usize> = (0..all.len()).filter(|index| all[*index].kind == *kind).collect();
        let same = |field: &str, known: &str| {
            let said = cells.fields.get(field).and_then(Value::as_str);
            said.is_some_and(|said| said.trim().to_lowercase() == known.trim().to_lowercase())
        };
        let there = |index: &&usize| same("street", &all[**index].street) && same("city", &all[**index].city);
        let found = match of_kind.as_slice() {
            [] => None,
            [only] => Some(*only),
            several => {
                let found = several.iter().find(there).copied();
                if found.is_none() {
                    let pointer = format!("/{}street", cells.prefix);
                    let message =
                        format!("there are several addresses of the kind {kind}, and none with this street and city");
                    faults.add(pointer, "ambiguous", message);
                    continue;
                }
                found
            }
        };
        let apply = |patch: &AddressPatch, address: &mut Address| patch.apply(address);
        let needed = ["street", "city", "country"];
        write(
            &mut inputs,
            all,
            found,
            cells,
            json!({ "kind": kind }),
            &needed,
            apply,
            faults,
        )?;
    }
    Ok(Some(inputs))
}

/// Writes what a row says of a part into the list of all parts.
#[expect(clippy::too_many_arguments, reason = "what differs between the two kinds of parts")]
fn write<P: Part, Patch: DeserializeOwned>(
    inputs: &mut Vec<P::In>,
    all: &[P],
    found: Option<usize>,
    cells: &PartCells,
    mut body: Value,
    needed: &[&str],
    apply: impl Fn(&Patch, &mut P),
    faults: &mut Faults,
) -> Result<()>
where
    P::In: DeserializeOwned + for<'a> From<&'a P>,
{
    if let Some(index) = found {
        let (patch, mut part) = (
            serde_json::from_value(Value::Object(cells.fields.clone()))?,
            all[index].clone(),
        );
        apply(&patch, &mut part);
        inputs[index] = P::In::from(&part);
        return Ok(());
    }
    let missing: Vec<&&str> = needed
        .iter()
        .filter(|field| !cells.fields.contains_key(**field))
        .collect();
    for field in &missing {
        let message = format!("a new {} needs it", P::WORDS);
        faults.add(format!("/{}{field}", cells.prefix), "required", message);
    }
    if inputs.len() >= MOST {
        let message = format!("a customer has at most {MOST} of {}", P::FIELD);
        faults.add(format!("/{}{}", cells.prefix, needed[0]), "too_many", message);
    } else if let (true, Some(body)) = (missing.is_empty(), body.as_object_mut()) {
        body.extend(cells.fields.clone());
        inputs.push(serde_json::from_value(Value::Object(body.clone()))?);
    }
    Ok(())
}
