//! Who a document is made out to: the legal entity that is valid that day, copied at posting.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::Problem;
use utoipa::ToSchema;
use uuid::Uuid;

/// The customer as it was on the day of the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Party {
    /// Absent when the customer has no legal entities.
    pub legal_entity_id: Option<Uuid>,
    pub name: String,
    pub tax_id: Option<String>,
    pub registration_number: Option<String>,
    /// The billing address, as the CRM describes it.
    #[schema(value_type = Option<Object>)]
    pub address: Option<Value>,
}

/// A legal entity as the CRM describes it.
#[derive(Debug, Clone, Deserialize)]
struct Entity {
    id: Option<Uuid>,
    name: Option<String>,
    tax_id: Option<String>,
    registration_number: Option<String>,
    valid_from: Option<NaiveDate>,
    valid_to: Option<NaiveDate>,
    #[serde(default)]
    is_default: bool,
}

impl Entity {
    fn is_valid(&self, on: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= on) && self.valid_to.is_none_or(|to| on <= to)
    }
}

/// The customer's part of what is copied.
#[derive(Debug, Clone)]
pub struct Names<'a> {
    pub name: &'a str,
    pub tax_id: Option<&'a str>,
    pub legal_entities: &'a Value,
    pub addresses: &'a Value,
}

/// Why no legal entity can be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub reason: String,
}

impl Ended {
    pub fn problem(self) -> Problem {
        Problem::conflict("legal_entity_ended", self.reason)
    }
}

/// The code of the hold that an order gets when its legal entity has ended.
pub const HOLD: &str = "legal_entity";

/// The party of a document of this day: the wanted legal entity, else the default one, else the first that is
/// valid, else, without any, the customer itself.
///
/// # Errors
/// [`Ended`] when the wanted or default one is not valid on the day, or none is.
pub fn on(customer: &Names<'_>, wanted: Option<Uuid>, day: NaiveDate) -> Result<Party, Ended> {
    let entities: Vec<Entity> = customer
        .legal_entities
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entity| Entity::deserialize(entity).ok())
        .collect();
    let chosen = match wanted {
        Some(id) => Some(
            entities
                .iter()
                .find(|entity| entity.id == Some(id))
                .ok_or_else(|| Ended {
                    reason: "the order's legal entity is not one of the customer any more".to_owned(),
                })?,
        ),
        None => entities
            .iter()
            .find(|entity| entity.is_default)
            .or_else(|| entities.iter().find(|entity| entity.is_valid(day)))
            .or(entities.first()),
    };
    let address = billing_address(customer.addresses);
    let Some(entity) = chosen else {
        return Ok(Party {
            legal_entity_id: None,
            name: customer.name.to_owned(),
            tax_id: customer.tax_id.map(str::to_owned),
            registration_number: None,
            address,
        });
    };
    let name = entity.name.clone().unwrap_or_else(|| customer.name.to_owned());
    if !entity.is_valid(day) {
        let reason = match entity.valid_to.filter(|to| *to < day) {
            Some(to) => format!("the legal entity {name} ended on {to}"),
            None => format!("the legal entity {name} is not valid on {day} yet"),
        };
        return Err(Ended { reason });
    }
    Ok(Party {
        legal_entity_id: entity.id,
        name,
        tax_id: entity.tax_id.clone().or_else(|| customer.tax_id.map(str::to_owned)),
        registration_number: entity.registration_number.clone(),
        address,
    })
}

fn billing_address(addresses: &Value) -> Option<Value> {
    let all = addresses.as_array()?;
    let of_kind = |kind: &str| all.iter().find(|address| address["kind"] == kind);
    of_kind("billing")
        .or_else(|| of_kind("office"))
        .or(all.first())
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_entity_of_the_day_is_named() {
        let (old, new) = (Uuid::now_v7(), Uuid::now_v7());
        let entities = json!([
            {"id": old, "name": "Old GmbH", "tax_id": "DE1", "valid_to": "2026-06-30", "is_default": true},
            {"id": new, "name": "New AG", "valid_from": "2026-07-01"}
        ]);
        let addresses = json!([{"kind": "office", "city": "Bonn"}, {"kind": "billing", "city": "Berlin"}]);
        let names = Names {
            name: "Customer",
            tax_id: Some("DE9"),
            legal_entities: &entities,
            addresses: &addresses,
        };
        let june = on(&names, None, day("2026-06-30")).unwrap();
        assert_eq!((june.name.as_str(), june.tax_id.as_deref()), ("Old GmbH", Some("DE1")));
        assert_eq!(june.address.unwrap()["city"], "Berlin");
        assert!(
            on(&names, None, day("2026-07-01"))
                .unwrap_err()
                .reason
                .contains("ended on 2026-06-30")
        );
        let july = on(&names, Some(new), day("2026-07-01")).unwrap();
        assert_eq!((july.name.as_str(), july.tax_id.as_deref()), ("New AG", Some("DE9")));
        assert!(on(&names, Some(new), day("2026-06-30")).is_err());
        assert!(on(&names, Some(Uuid::now_v7()), day("2026-06-30")).is_err());
    }

    #[test]
    fn a_customer_without_entities_is_named_itself() {
        let none = json!([]);
        let names = Names {
            name: "Ana",
            tax_id: None,
            legal_entities: &none,
            addresses: &none,
        };
        let party = on(&names, None, day("2026-01-01")).unwrap();
        assert_eq!(
            (party.name.as_str(), party.legal_entity_id, party.address),
            ("Ana", None, None)
        );
    }
}
