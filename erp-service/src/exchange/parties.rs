//! Whom rows name: customers and suppliers, by id or by their reference in another system.

use super::named::Named;
use crate::{customers, purchasing::suppliers};
use service_kit::exchange::Entry;
use service_kit::{Result, Tx};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Those of the parties that the rows of a batch name which are there, of one sort.
pub struct Parties {
    ids: HashSet<Uuid>,
    references: HashMap<String, Vec<Uuid>>,
    unknown: (&'static str, &'static str),
}

impl Parties {
    pub fn customers<'a>(tx: &mut Tx<'_>, named: impl Iterator<Item = &'a Named>) -> Result<Self> {
        let (ids, references) = parted(named);
        Ok(Parties {
            ids: customers::exist(tx, &ids)?,
            references: by_reference(customers::ids_by_reference(tx, &references)?),
            unknown: (
                "unknown_customer",
                "there is no such customer here: customers are made in the CRM, with POST /v1/customers, and the sync brings them",
            ),
        })
    }

    pub fn suppliers<'a>(tx: &mut Tx<'_>, named: impl Iterator<Item = &'a Named>) -> Result<Self> {
        let (ids, references) = parted(named);
        Ok(Parties {
            ids: suppliers::exist(tx, &ids)?,
            references: by_reference(suppliers::ids_by_reference(tx, &references)?),
            unknown: ("unknown_supplier", "there is no such supplier"),
        })
    }

    /// The party that is meant, or code and message of the fault.
    pub fn find(&self, named: &Named) -> Result<Uuid, (&'static str, &'static str)> {
        match named {
            Named::Id(id) => self.ids.get(id).copied().ok_or(self.unknown),
            Named::Word(reference) => match self.references.get(reference).map(Vec::as_slice) {
                Some([id]) => Ok(*id),
                Some(_) => Err(("ambiguous", "several have this external_ref; give the id")),
                None => Err(self.unknown),
            },
        }
    }

    /// As [`Parties::find`], with the fault in the row.
    pub fn find_or_reject<R>(
        &self,
        entry: &mut Entry<R>,
        named: impl Fn(&R) -> &Named,
        columns: [&str; 2],
    ) -> Option<Uuid> {
        let named = named(&entry.row);
        let column = if named.id().is_some() { columns[0] } else { columns[1] };
        match self.find(named) {
            Ok(id) => Some(id),
            Err((code, message)) => {
                entry.reject(column, code, message);
                None
            }
        }
    }
}

fn parted<'a>(named: impl Iterator<Item = &'a Named>) -> (Vec<Uuid>, Vec<&'a str>) {
    let (mut ids, mut references) = (Vec::new(), Vec::new());
    for named in named {
        match named {
            Named::Id(id) => ids.push(*id),
            Named::Word(reference) => references.push(reference.as_str()),
        }
    }
    (ids, references)
}

fn by_reference(found: Vec<(String, Uuid)>) -> HashMap<String, Vec<Uuid>> {
    let mut references: HashMap<String, Vec<Uuid>> = HashMap::new();
    for (reference, id) in found {
        references.entry(reference).or_default().push(id);
    }
    references
}
