//! The service, put together from its modules.

use crate::ledger::checks::Check;
use crate::{
    catalog, company, currencies, customers, exchange, inventory, ledger, may, migrations, payment_terms, payments,
    pricing, purchasing, receivables, revaluations, sales, taxes, warehouse,
};
use service_kit::auth::APPLY;
use service_kit::problem::Constraint;
use service_kit::{Role, Routes, Service};

pub const SERVICE: Service = Service {
    name: "erp",
    title: "Tandem ERP",
    description: "Products, prices, stock, sales and purchase orders, deliveries, invoices, payments and the general ledger.",
    migrations: &migrations::ERP,
    routes,
    roles: &[BACK_OFFICE],
    permissions: may::ALL,
    constraints: &CONSTRAINTS,
    imports: exchange::IMPORTS,
    describe: None,
    sign_in: false,
    background: &[sales::exposures::EXPOSURES],
};

/// Runs the ERP's business.
pub const BACK_OFFICE: Role = Role {
    name: "back_office",
    description: "everything but API keys and applying replicas",
    grants: |permission| permission != "api_keys:manage" && permission != APPLY,
};

fn routes(routes: &mut Routes) {
    catalog::routes(routes);
    pricing::routes(routes);
    customers::routes(routes);
    inventory::routes(routes);
    sales::routes(routes);
    warehouse::routes(routes);
    company::routes(routes);
    payment_terms::routes(routes);
    ledger::routes(routes);
    currencies::routes(routes);
    revaluations::routes(routes);
    taxes::routes(routes);
    receivables::routes(routes);
    payments::routes(routes);
    purchasing::routes(routes);
    exchange::routes(routes);
}

/// What must be in order before a period is closed, by module.
pub const CHECKS: &[&[Check]] = &[
    ledger::checks::CHECKS,
    revaluations::CHECKS,
    warehouse::CHECKS,
    receivables::CHECKS,
    payments::CHECKS,
    purchasing::bills::CHECKS,
];

const LISTS: &[&[Constraint]] = &[
    catalog::CONSTRAINTS,
    pricing::CONSTRAINTS,
    customers::CONSTRAINTS,
    inventory::CONSTRAINTS,
    sales::CONSTRAINTS,
    warehouse::CONSTRAINTS,
    company::CONSTRAINTS,
    payment_terms::CONSTRAINTS,
    ledger::CONSTRAINTS,
    currencies::CONSTRAINTS,
    revaluations::CONSTRAINTS,
    taxes::CONSTRAINTS,
    receivables::CONSTRAINTS,
    payments::CONSTRAINTS,
    payments::proposals::CONSTRAINTS,
    purchasing::CONSTRAINTS,
    exchange::CONSTRAINTS,
];

static CONSTRAINTS: [Constraint; count(LISTS)] = concatenate(LISTS);

const fn count(lists: &[&[Constraint]]) -> usize {
    let (mut total, mut list) = (0, 0);
    while list < lists.len() {
        total += lists[list].len();
        list += 1;
    }
    total
}

const fn concatenate<const N: usize>(lists: &[&[Constraint]]) -> [Constraint; N] {
    let mut all = [Constraint::conflict("", "", "", ""); N];
    let (mut next, mut list) = (0, 0);
    while list < lists.len() {
        let mut index = 0;
        while index < lists[list].len() {
            all[next] = lists[list][index];
            next += 1;
            index += 1;
        }
        list += 1;
    }
    all
}
