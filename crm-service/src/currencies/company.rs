//! The company, as the ERP last told it.

use crate::may;
use crate::replica::{apply_replica, replica, storable};
use crate::schema::company;
use actix_web::{get, put};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::IdPath;
use service_kit::{Answer, Body, Command, Currency, OrNotFound, Path, Problem, Put, Read, Result, Routes, Tx};
use utoipa::ToSchema;
use uuid::Uuid;

/// The company as the ERP has it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompanyReplicaIn {
    /// The ERP's version of the record.
    #[schema(minimum = 0)]
    pub source_version: i64,
    /// Replace whatever is stored, for a resync.
    #[serde(default)]
    pub replace: bool,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    pub base_currency: Currency,
    pub reference_currency: Currency,
}

/// The company. The ERP is its master.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = company)]
pub struct Company {
    pub id: Uuid,
    pub name: String,
    /// Figures over several currencies are in this one.
    pub base_currency: Currency,
    /// Exchange rates are quoted against it, and crosses of two others go through it.
    pub reference_currency: Currency,
    /// The ERP's version of the record; 0 until it has told one.
    pub source_version: i64,
    /// When the ERP said so.
    pub as_of: DateTime<Utc>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

replica!(Company, path: "companies", type: "company");

pub fn routes(routes: &mut Routes) {
    routes.add(get_company).add(apply_company);
}

/// The company's name and currencies.
#[utoipa::path(tag = "currencies", security(("api_key" = ["exchange_rates:read"])),
    responses((status = 200, description = "The company", body = Company)))]
#[get("/company")]
async fn get_company(read: Read<may::ReadExchangeRates>) -> Result<Answer, Problem> {
    read.one(|conn| current(conn).or_not_found("company")).await
}

/// Apply the company as the ERP has it. For the sync.
#[utoipa::path(tag = "currencies", params(IdPath), request_body = CompanyReplicaIn,
    security(("api_key" = ["integration:apply"])),
    responses((status = 200, description = "The stored company", body = Company),
        (status = 201, description = "The company, new here", body = Company)))]
#[put("/companies/{id}")]
async fn apply_company(
    command: Command<may::ApplyCompany>,
    path: Path<IdPath>,
    body: Body<CompanyReplicaIn>,
) -> Result<Answer, Problem> {
    command.put(move |tx| apply(tx, path.id, &body.0)).await
}

fn apply(tx: &mut Tx<'_>, id: Uuid, told: &CompanyReplicaIn) -> Result<Put<Company>> {
    let company = Company {
        id,
        name: told.name.clone(),
        base_currency: told.base_currency,
        reference_currency: told.reference_currency,
        source_version: told.source_version,
        as_of: storable(told.as_of),
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    if current(tx)?.id != id {
        return Err(Problem::conflict("duplicate", "there is a company already, under another id").into());
    }
    apply_replica!(tx, company, company, replace: told.replace)
}

pub(super) fn current(conn: &mut PgConnection) -> QueryResult<Company> {
    company::table.select(Company::as_select()).first(conn)
}

/// The currency that figures over several currencies are in.
///
/// # Errors
/// When the database refuses.
pub fn base_currency(conn: &mut PgConnection) -> QueryResult<Currency> {
    company::table.select(company::base_currency).first(conn)
}

/// That currency, and the one that rates are quoted against.
///
/// # Errors
/// When the database refuses.
pub fn base_and_reference(conn: &mut PgConnection) -> QueryResult<(Currency, Currency)> {
    company::table
        .select((company::base_currency, company::reference_currency))
        .first(conn)
}

/// What the company is called.
///
/// # Errors
/// When the database refuses.
pub fn company_name(conn: &mut PgConnection) -> QueryResult<String> {
    company::table.select(company::name).first(conn)
}
