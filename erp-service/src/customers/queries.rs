use super::model::{
    CrmPart, Customer, CustomerRow, CustomerWithExposure, CustomersQuery, DatedTier, ExposureParts, OwnPart, Terms,
};
use super::segments;
use crate::company;
use crate::sales::credit::{self, Exposure};
use crate::schema::customers;
use crate::taxes;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Jsonb, Nullable, Text, Uuid as SqlUuid};
use serde_json::Value;
use service_kit::db::sql;
use service_kit::{Amount, Error, Page, Result, keyset_page};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

pub(super) fn row(conn: &mut PgConnection, id: Uuid) -> QueryResult<CustomerRow> {
    customers::table.find(id).select(CustomerRow::as_select()).first(conn)
}

/// The row as it is now, locked; references to the customer need not wait for it.
pub(super) fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<CustomerRow> {
    customers::table
        .find(id)
        .for_no_key_update()
        .select(CustomerRow::as_select())
        .first(conn)
}

pub(super) fn with_exposure(
    conn: &mut PgConnection,
    row: CustomerRow,
    today: NaiveDate,
) -> Result<CustomerWithExposure> {
    let exposure = credit::exposure(conn, row.id, today)?;
    shown(conn, row, &exposure, today)
}

pub(super) fn shown(
    conn: &mut PgConnection,
    row: CustomerRow,
    exposure: &Exposure,
    today: NaiveDate,
) -> Result<CustomerWithExposure> {
    let base = exposure.base;
    let tiers = tiers(conn, &[row.id])?.remove(&row.id).unwrap_or_default();
    let money = |value| Amount::money(base, value).ok_or_else(|| Error::Bug("an exposure beyond its bounds".into()));
    Ok(CustomerWithExposure {
        customer: row.shown(base, tiers, today),
        exposure: money(exposure.total())?,
        exposure_parts: ExposureParts {
            orders: money(exposure.orders)?,
            invoices: money(exposure.invoices)?,
            credits: money(exposure.credits)?,
            advances: money(exposure.advances)?,
            rates_missing: exposure.rates_missing.clone(),
        },
        open_balance: money(exposure.open_balance())?,
        overdue_days: exposure.overdue_days(today),
    })
}

pub(super) fn page(conn: &mut PgConnection, query: &CustomersQuery, today: NaiveDate) -> Result<Page<Customer>> {
    let base = company::settings(conn)?.base_currency;
    let page: Page<CustomerRow> = rows(conn, query)?;
    let ids: Vec<Uuid> = page.items.iter().map(|row| row.id).collect();
    let mut tiers = tiers(conn, &ids)?;
    Ok(page.map(|row| {
        let tiers = tiers.remove(&row.id).unwrap_or_default();
        row.shown(base, tiers, today)
    }))
}

/// The tiers of customers, each from its day on.
fn tiers(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<DatedTier>>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Jsonb)]
        tiers: Value,
    }
    let found: Vec<Found> = sql("SELECT id, customer_tiers(id) AS tiers FROM unnest($1) AS c (id)")
        .bind::<Array<SqlUuid>, _>(ids)
        .rows(conn)?;
    found
        .into_iter()
        .map(|found| Ok((found.id, serde_json::from_value(found.tiers)?)))
        .collect()
}

fn rows(conn: &mut PgConnection, query: &CustomersQuery) -> Result<Page<CustomerRow>> {
    let mut found = customers::table.select(CustomerRow::as_select()).into_boxed();
    if let Some(text) = &query.q {
        found = found.filter(customers::name.ilike(text.contains()));
    }
    if let Some(status) = query.status {
        found = found.filter(customers::status.eq(status));
    }
    if let Some(tier) = &query.tier {
        found = found.filter(customers::tier.eq(tier.as_str()));
    }
    if let Some(held) = query.credit_hold {
        found = found.filter(customers::credit_hold.eq(held));
    }
    if let Some(blocked) = query.blocked {
        found = found.filter(customers::blocked.eq(blocked));
    }
    if let Some(reference) = &query.external_ref {
        found = found.filter(customers::external_ref.eq(reference.as_str()));
    }
    if let Some(segment) = query.segment_id {
        found = found.filter(customers::id.eq_any(segments::members_of(segment)));
    }
    keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: customers::id as Uuid => |c: &CustomerRow| c.id, [
        "created_at" => customers::created_at as DateTime<Utc> => |c: &CustomerRow| c.created_at,
        "name" => customers::name as String => |c: &CustomerRow| c.replicated.name.clone(),
    ])
}

/// Stores a customer that was unknown; `None` when a twin was faster.
pub(super) fn insert(
    conn: &mut PgConnection,
    id: Uuid,
    part: CrmPart,
    (source_version, as_of): (i64, DateTime<Utc>),
    now: DateTime<Utc>,
) -> QueryResult<Option<CustomerRow>> {
    diesel::insert_into(customers::table)
        .values((
            customers::id.eq(id),
            part,
            customers::source_version.eq(source_version),
            customers::as_of.eq(as_of),
            customers::created_at.eq(now),
            customers::updated_at.eq(now),
        ))
        .on_conflict(customers::id)
        .do_nothing()
        .returning(CustomerRow::as_returning())
        .get_result(conn)
        .optional()
}

pub(super) fn apply(
    conn: &mut PgConnection,
    id: Uuid,
    part: &CrmPart,
    (source_version, as_of): (i64, DateTime<Utc>),
    now: DateTime<Utc>,
) -> QueryResult<CustomerRow> {
    diesel::update(customers::table.find(id))
        .set((
            part,
            customers::source_version.eq(source_version),
            customers::as_of.eq(as_of),
            customers::revision.eq(customers::revision + 1),
            customers::updated_at.eq(now),
        ))
        .returning(CustomerRow::as_returning())
        .get_result(conn)
}

pub(super) fn set_own(
    conn: &mut PgConnection,
    id: Uuid,
    own: &OwnPart,
    now: DateTime<Utc>,
) -> QueryResult<CustomerRow> {
    diesel::update(customers::table.find(id))
        .set((
            own,
            customers::version.eq(customers::version + 1),
            customers::revision.eq(customers::revision + 1),
            customers::updated_at.eq(now),
        ))
        .returning(CustomerRow::as_returning())
        .get_result(conn)
}

/// The terms of a customer, which are those of the customer that it turned out to be; `None` when it is unknown.
///
/// # Errors
/// When the database refuses.
pub fn terms(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Terms>> {
    let found: Option<Terms> = customers::table
        .find(id)
        .select(Terms::as_select())
        .first(conn)
        .optional()?;
    match found.as_ref().and_then(|terms| terms.merged_into) {
        Some(survivor) => terms(conn, survivor),
        None => Ok(found),
    }
}

/// The terms, locked until the end of the transaction: whoever decides on credit waits here.
///
/// # Errors
/// When the database refuses.
pub fn lock_terms(conn: &mut PgConnection, id: Uuid) -> QueryResult<Option<Terms>> {
    let found: Option<Terms> = customers::table
        .find(id)
        .for_no_key_update()
        .select(Terms::as_select())
        .first(conn)
        .optional()?;
    match found.as_ref().and_then(|terms| terms.merged_into) {
        Some(survivor) => lock_terms(conn, survivor),
        None => Ok(found),
    }
}

/// Where a customer's balance counts: with itself, or with the customer that it turned out to be.
///
/// # Errors
/// When the database refuses; `NotFound`.
pub fn survivor(conn: &mut PgConnection, id: Uuid) -> QueryResult<Uuid> {
    let survivor: Option<Uuid> = customers::table.find(id).select(customers::merged_into).first(conn)?;
    Ok(survivor.unwrap_or(id))
}

/// Those that pointed at a customer point at the one that it turned out to be.
pub(super) fn shorten(conn: &mut PgConnection, id: Uuid, survivor: Uuid) -> QueryResult<usize> {
    diesel::update(customers::table.filter(customers::merged_into.eq(id)))
        .set(customers::merged_into.eq(survivor))
        .execute(conn)
}

/// Whether the CRM knows this legal entity of the customer.
///
/// # Errors
/// When the database refuses.
pub fn has_legal_entity(conn: &mut PgConnection, id: Uuid, entity: Uuid) -> QueryResult<bool> {
    let wanted = serde_json::json!([{ "id": entity }]);
    let of_customer = customers::table.filter(customers::id.eq(id).and(customers::legal_entities.contains(wanted)));
    diesel::select(diesel::dsl::exists(of_customer)).get_result(conn)
}

/// Which of these customers are here.
///
/// # Errors
/// When the database refuses.
pub fn exist(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashSet<Uuid>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let known = customers::table.filter(customers::id.eq_any(ids)).select(customers::id);
    Ok(known.load(conn)?.into_iter().collect())
}

/// The customers with these references; the CRM may have several with the same one.
///
/// # Errors
/// When the database refuses.
pub fn ids_by_reference(conn: &mut PgConnection, references: &[&str]) -> QueryResult<Vec<(String, Uuid)>> {
    if references.is_empty() {
        return Ok(Vec::new());
    }
    customers::table
        .filter(customers::external_ref.eq_any(references))
        .select((customers::external_ref.assume_not_null(), customers::id))
        .load(conn)
}

/// The tier of a customer on a day: the manual one, else what its grade of that day means, else the
/// default.
///
/// # Errors
/// When the database refuses.
pub fn tier_on(conn: &mut PgConnection, id: Uuid, day: NaiveDate) -> QueryResult<Option<String>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Nullable<Text>)]
        tier: Option<String>,
    }
    let found: Found = sql("SELECT customer_tier($1, $2) AS tier")
        .bind::<SqlUuid, _>(id)
        .bind::<Date, _>(day)
        .row(conn)?;
    Ok(found.tier)
}

/// What of a customer decides on taxes: its class, and the country that its goods go to.
///
/// # Errors
/// When the database refuses; `NotFound`.
pub fn tax_party(conn: &mut PgConnection, id: Uuid) -> QueryResult<taxes::Party> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Nullable<Text>)]
        tax_class: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        country: Option<String>,
    }
    let found: Found = sql("SELECT tax_class, (
             SELECT upper(a ->> 'country') FROM jsonb_array_elements(addresses) a
             WHERE jsonb_typeof(a) = 'object' AND a ->> 'country' ~ '^[A-Za-z]{2}$'
             ORDER BY a ->> 'kind' = 'shipping' DESC NULLS LAST, a ->> 'kind' = 'billing' DESC NULLS LAST LIMIT 1) AS country
         FROM customers WHERE id = $1")
    .bind::<SqlUuid, _>(id)
    .row(conn)?;
    Ok(taxes::Party {
        tax_class: found.tax_class,
        country: found.country,
    })
}
