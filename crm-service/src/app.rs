//! The service put together: its routes, roles, permissions, migrations and known constraints.

use crate::{
    activities, analytics, attachments, bookings, calendar, card, catalogue, currencies, custom_fields, customers,
    deals, documents, grades, leads, may, merging, orders, quotes, reassignment, segments, views,
};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use service_kit::auth::{APPLY, ManageApiKeys};
use service_kit::background::Background;
use service_kit::exchange::Importable;
use service_kit::problem::Constraint;
use service_kit::users::ManageUsers;
use service_kit::{Permission, Role, Routes, Service};

/// The CRM.
pub const SERVICE: Service = Service {
    name: "crm",
    title: "Tandem CRM",
    description: "Leads, customers, deals, quotes, activities and orders; the catalogue as sales sees it, and what is delivered, invoiced and paid.",
    migrations: &MIGRATIONS,
    routes,
    roles: &[SALES, SALES_MANAGER],
    permissions: may::ALL,
    constraints: CONSTRAINTS,
    imports: IMPORTS,
    describe: Some(custom_fields::describe::describe),
    sign_in: true,
    background: BACKGROUND,
};

/// The tables of the CRM.
pub static MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Works with customers and orders.
const SALES: Role = Role {
    name: "sales",
    description: "everything but managing API keys, users, pipelines, plans, lead forms, the rules for leads, what can be booked, quote templates and discount limits, approving grades and quotes, and applying replicas",
    grants: |permission| {
        ![
            ManageApiKeys::NAME,
            ManageUsers::NAME,
            APPLY,
            may::WritePipelines::NAME,
            may::WritePlans::NAME,
            may::WriteLeadForms::NAME,
            may::WriteLeadRules::NAME,
            may::ApproveGrades::NAME,
            may::WriteResources::NAME,
            may::ApproveQuotes::NAME,
            may::WriteQuoteTemplates::NAME,
            may::WriteDiscountLimits::NAME,
        ]
        .contains(&permission)
    },
};

/// Leads those who sell.
const SALES_MANAGER: Role = Role {
    name: "sales_manager",
    description: "what sales may, and approving, managing pipelines, rules and templates",
    grants: |permission| {
        ![
            ManageApiKeys::NAME,
            ManageUsers::NAME,
            APPLY,
            may::WriteDiscountLimits::NAME,
        ]
        .contains(&permission)
    },
};

/// What is done without being asked.
const BACKGROUND: &[Background] = &[
    activities::reminders::REMINDERS,
    activities::emails::outbox::OUTBOX,
    segments::refresh::REFRESH,
    quotes::expiry::EXPIRY,
];

/// What can be imported.
const IMPORTS: &[Importable] = &[
    Importable::of::<customers::imports::Customers>(),
    Importable::of::<leads::imports::Leads>(),
];

fn routes(routes: &mut Routes) {
    custom_fields::routes(routes);
    customers::routes(routes);
    attachments::routes(routes);
    segments::routes(routes);
    merging::routes(routes);
    catalogue::routes(routes);
    orders::routes(routes);
    documents::routes(routes);
    activities::routes(routes);
    currencies::routes(routes);
    deals::routes(routes);
    leads::routes(routes);
    bookings::routes(routes);
    calendar::routes(routes);
    analytics::routes(routes);
    card::routes(routes);
    grades::routes(routes);
    reassignment::routes(routes);
    views::routes(routes);
    quotes::routes(routes);
}

/// Of each module, what the database may refuse because of the input.
const PARTS: &[&[Constraint]] = &[
    custom_fields::CONSTRAINTS,
    customers::CONSTRAINTS,
    attachments::CONSTRAINTS,
    segments::CONSTRAINTS,
    grades::CONSTRAINTS,
    views::CONSTRAINTS,
    catalogue::CONSTRAINTS,
    orders::CONSTRAINTS,
    activities::CONSTRAINTS,
    currencies::CONSTRAINTS,
    deals::CONSTRAINTS,
    leads::CONSTRAINTS,
    analytics::CONSTRAINTS,
    quotes::CONSTRAINTS,
    bookings::CONSTRAINTS,
];
const COUNT: usize = {
    let (mut part, mut count) = (0, 0);
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
};
const CONSTRAINTS: &[Constraint] = &joined();

const fn joined() -> [Constraint; COUNT] {
    let mut all = [Constraint::conflict("", "", "", ""); COUNT];
    let (mut part, mut filled) = (0, 0);
    while part < PARTS.len() {
        let mut index = 0;
        while index < PARTS[part].len() {
            all[filled] = PARTS[part][index];
            filled += 1;
            index += 1;
        }
        part += 1;
    }
    all
}
