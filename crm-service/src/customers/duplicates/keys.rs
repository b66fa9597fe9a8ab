//! The keys of a customer, as they stand in the table.

use super::normalise;
use crate::customers::model::Customer;
use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use service_kit::db::sql;
use std::collections::BTreeSet;
use uuid::Uuid;

/// What somebody is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criterion {
    TaxId,
    Email,
    Name,
    Phone,
}

impl Criterion {
    pub const fn as_str(self) -> &'static str {
        match self {
            Criterion::TaxId => "tax_id",
            Criterion::Email => "email",
            Criterion::Name => "name",
            Criterion::Phone => "phone",
        }
    }

    pub fn of(kind: &str) -> Option<Self> {
        let all = [Criterion::TaxId, Criterion::Email, Criterion::Name, Criterion::Phone];
        all.into_iter().find(|criterion| criterion.as_str() == kind)
    }
}

/// All keys of a customer, those of its contacts and legal entities included.
pub fn of(customer: &Customer) -> BTreeSet<(Criterion, String)> {
    let core = &customer.core;
    let mut keys = BTreeSet::new();
    let mut add = |criterion, key: Option<String>| keys.extend(key.map(|key| (criterion, key)));
    add(Criterion::Name, normalise::name(&core.name));
    add(
        Criterion::Email,
        core.email.as_ref().and_then(|email| normalise::email(email.as_str())),
    );
    add(Criterion::Phone, core.phone.as_deref().and_then(normalise::phone));
    add(Criterion::TaxId, core.tax_id.as_deref().and_then(normalise::tax_id));
    for entity in &customer.legal_entities {
        add(Criterion::Name, normalise::name(&entity.name));
        add(Criterion::TaxId, entity.tax_id.as_deref().and_then(normalise::tax_id));
    }
    for contact in &customer.contacts {
        add(
            Criterion::Email,
            contact
                .email
                .as_ref()
                .and_then(|email| normalise::email(email.as_str())),
        );
        add(Criterion::Phone, contact.phone.as_deref().and_then(normalise::phone));
    }
    keys
}

/// Compares the customer with nobody until it is changed.
pub fn forget(conn: &mut PgConnection, customer: Uuid) -> QueryResult<()> {
    sql("DELETE FROM customer_keys WHERE customer_id = $1")
        .bind::<SqlUuid, _>(customer)
        .run(conn)?;
    Ok(())
}

/// Makes the keys in the table those of the customer as it is.
pub fn store(conn: &mut PgConnection, customer: &Customer) -> QueryResult<()> {
    let keys = of(customer);
    let (kinds, keys): (Vec<&str>, Vec<&str>) = keys.iter().map(|(kind, key)| (kind.as_str(), key.as_str())).unzip();
    sql(
        "WITH wanted AS (SELECT * FROM unnest($1::text[], $2::text[]) AS w (kind, key)),
         gone AS (
             DELETE FROM customer_keys k WHERE k.customer_id = $3
             AND NOT EXISTS (SELECT FROM wanted w WHERE w.kind = k.kind AND w.key = k.key))
         INSERT INTO customer_keys (customer_id, kind, key) SELECT $4, kind, key FROM wanted ON CONFLICT DO NOTHING",
    )
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(keys)
    .bind::<SqlUuid, _>(customer.core.id)
    .bind::<SqlUuid, _>(customer.core.id)
    .run(conn)?;
    Ok(())
}
