//! What lines of purchasing documents refer to, looked up once for all of them, with every fault.

use crate::catalog::{self, ProductFacts};
use crate::inventory::warehouses;
use crate::ledger;
use diesel::PgConnection;
use service_kit::{Faults, Result};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What a line names.
#[derive(Debug, Clone, Default)]
pub struct Named {
    pub product_id: Option<Uuid>,
    pub account_id: Option<Uuid>,
    pub department_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub warehouse_id: Option<Uuid>,
}

/// What there is of it.
#[derive(Debug, Default)]
pub struct Known {
    pub products: HashMap<Uuid, ProductFacts>,
}

impl Known {
    pub fn stocked(&self, product_id: Option<Uuid>) -> bool {
        product_id
            .and_then(|id| self.products.get(&id))
            .is_some_and(|facts| facts.stocked)
    }
}

/// Looks everything up and adds a fault at `/lines/<index>/…` for what does not exist.
///
/// # Errors
/// When the database refuses.
pub fn check(conn: &mut PgConnection, lines: &[Named], faults: &mut Faults) -> Result<Known> {
    let all = |of: fn(&Named) -> Option<Uuid>| lines.iter().filter_map(of).collect::<Vec<Uuid>>();
    let products = catalog::facts(conn, &all(|line| line.product_id))?;
    let accounts = ledger::postable(conn, &all(|line| line.account_id))?;
    let mut dimensions = all(|line| line.department_id);
    dimensions.extend(all(|line| line.project_id));
    let dimensions = ledger::dimensions_in_use(conn, &dimensions)?;
    let mut places = HashSet::new();
    for place in all(|line| line.warehouse_id).into_iter().collect::<HashSet<_>>() {
        if warehouses::exists(conn, place)? {
            places.insert(place);
        }
    }
    for (index, line) in lines.iter().enumerate() {
        let mut missing = |field: &str, code: &str, what: &str| {
            faults.add(
                format!("/lines/{index}/{field}"),
                code,
                format!("there is no such {what}"),
            );
        };
        if line.product_id.is_some_and(|id| !products.contains_key(&id)) {
            missing("product_id", "unknown_product", "product");
        }
        if line.account_id.is_some_and(|id| !accounts.contains_key(&id)) {
            missing("account_id", "unknown_account", "account that a line may name");
        }
        let is = |kind: &str, id: Uuid| dimensions.contains(&(kind.to_owned(), id));
        if line.department_id.is_some_and(|id| !is("department", id)) {
            missing("department_id", "unknown_department", "department");
        }
        if line.project_id.is_some_and(|id| !is("project", id)) {
            missing("project_id", "unknown_project", "project");
        }
        if line.warehouse_id.is_some_and(|id| !places.contains(&id)) {
            missing("warehouse_id", "unknown_warehouse", "warehouse");
        }
    }
    Ok(Known { products })
}
