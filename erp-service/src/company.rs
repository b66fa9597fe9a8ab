//! Settings of the company: one record, there from the first migration.
//!
//! The base currency is that of credit limits and exposures; it stays once there are customers.

use crate::may;
use crate::schema::company;
use crate::taxes::Rounding;
use actix_web::{get, patch};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::decimal::Fraction;
use service_kit::http::present;
use service_kit::problem::Constraint;
use service_kit::tx::Emitted;
use service_kit::{
    Amount, Answer, Body, Command, Currency, Cursor, Faults, Limit, Page, Problem, Query, Read, Resource, Result,
    Routes, Sort, Tx, keyset_page, text_enum,
};
use std::collections::BTreeMap;
use utoipa::openapi::SchemaFormat;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::{Uuid, uuid};

/// The id of the one record.
pub const ID: Uuid = uuid!("00000000-0000-7000-8000-000000000001");

text_enum! {
    /// What of an order may be invoiced: what was ordered, or what was delivered of it.
    InvoicingPolicy { Ordered = "ordered", Delivered = "delivered" }
}

text_enum! {
    /// Whether the tax of a document is adjusted with what is no longer received of it.
    TaxTreatment { Adjust = "adjust", Keep = "keep" }
}

/// Settings of the company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Company {
    pub id: Uuid,
    pub name: String,
    /// Currency of credit limits and exposures.
    pub base_currency: Currency,
    /// How far below the list price each role may sell before the order is held; roles that are
    /// not named may sell at any price.
    #[schema(example = json!({ "back_office": "0.2" }))]
    pub price_deviation_limits: BTreeMap<String, Fraction>,
    /// What of a sales order may be invoiced unless the order says otherwise.
    pub invoicing_policy: InvoicingPolicy,
    /// Terms of parties that have none of their own.
    pub payment_terms_id: Uuid,
    /// Whether tax is due when an advance is received.
    pub tax_on_advances: bool,
    /// Releases and shipments stop when an invoice is overdue by more days; a customer may have a
    /// number of its own. `null`: never.
    pub overdue_stop_days: Option<i32>,
    /// The month that fiscal years begin in; stays once there is one.
    pub fiscal_year_start_month: i16,
    /// Currency that exchange rates are quoted against and that crosses of two others go through.
    pub reference_currency: Currency,
    /// Whether tax is rounded once for each code and rate of a document, or for each line.
    pub tax_rounding: Rounding,
    /// Whether a cash discount takes its share of the document's tax with it.
    pub discount_tax: TaxTreatment,
    /// Whether the tax on a bad debt is claimed back when it is written off; the country says so.
    pub bad_debt_tax: TaxTreatment,
    /// Largest difference of one item that a payment may write off, in the base currency.
    pub write_off_limit: Amount,
    /// Counts changes, for those that keep a replica.
    pub version: i64,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompanyPatch {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
    #[schema(nullable = false)]
    pub base_currency: Option<Currency>,
    /// Roles to set; `null` removes one, those that are not named stay.
    #[schema(schema_with = limits_patch)]
    pub price_deviation_limits: Option<BTreeMap<String, Option<Fraction>>>,
    #[schema(nullable = false)]
    pub invoicing_policy: Option<InvoicingPolicy>,
    #[schema(nullable = false)]
    pub payment_terms_id: Option<Uuid>,
    #[schema(nullable = false)]
    pub tax_on_advances: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 0, maximum = 3650)]
    pub overdue_stop_days: Option<Option<i32>>,
    #[schema(minimum = 1, maximum = 12, nullable = false)]
    pub fiscal_year_start_month: Option<i16>,
    #[schema(nullable = false)]
    pub reference_currency: Option<Currency>,
    #[schema(nullable = false)]
    pub tax_rounding: Option<Rounding>,
    #[schema(nullable = false)]
    pub discount_tax: Option<TaxTreatment>,
    #[schema(nullable = false)]
    pub bad_debt_tax: Option<TaxTreatment>,
    #[schema(nullable = false)]
    pub write_off_limit: Option<Amount>,
}

/// An object of fractions or `null`, which the derived schema cannot say.
fn limits_patch() -> utoipa::openapi::Object {
    let limit = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .pattern(Some(r"^(0(\.[0-9]{1,12})?|1(\.0{1,12})?)$"))
        .format(Some(SchemaFormat::Custom("fraction".to_owned())))
        .max_length(Some(40));
    ObjectBuilder::new()
        .additional_properties(Some(limit))
        .examples([serde_json::json!({ "back_office": "0.2" })])
        .build()
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = company)]
struct CompanyRow {
    id: Uuid,
    name: String,
    base_currency: Currency,
    price_deviation_limits: Value,
    invoicing_policy: InvoicingPolicy,
    payment_terms_id: Uuid,
    tax_on_advances: bool,
    overdue_stop_days: Option<i32>,
    fiscal_year_start_month: i16,
    reference_currency: Currency,
    tax_rounding: Rounding,
    discount_tax: TaxTreatment,
    bad_debt_tax: TaxTreatment,
    write_off_limit: Amount,
    revision: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct CompaniesQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "company_base_currency_in_use",
        "base_currency_in_use",
        "/base_currency",
        "there are customers whose limits are in the base currency",
    ),
    Constraint::rule(
        "company_payment_terms_id_fkey",
        "unknown_payment_terms",
        "/payment_terms_id",
        "there are no such payment terms",
    ),
];

impl From<CompanyRow> for Company {
    fn from(row: CompanyRow) -> Self {
        let limits = row.price_deviation_limits.as_object().into_iter().flatten();
        Company {
            id: row.id,
            name: row.name,
            base_currency: row.base_currency,
            price_deviation_limits: limits
                .filter_map(|(role, limit)| Some((role.clone(), limit.as_str()?.parse().ok()?)))
                .collect(),
            invoicing_policy: row.invoicing_policy,
            payment_terms_id: row.payment_terms_id,
            tax_on_advances: row.tax_on_advances,
            overdue_stop_days: row.overdue_stop_days,
            fiscal_year_start_month: row.fiscal_year_start_month,
            reference_currency: row.reference_currency,
            tax_rounding: row.tax_rounding,
            discount_tax: row.discount_tax,
            bad_debt_tax: row.bad_debt_tax,
            write_off_limit: row.write_off_limit,
            version: row.revision,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl Company {
    /// How far below the list price a role may sell, as a fraction; `None`: as far as it likes.
    pub fn price_deviation_limit(&self, role: &str) -> Option<Decimal> {
        self.price_deviation_limits.get(role).map(|limit| limit.value())
    }
}

impl Resource for Company {
    const PATH: &'static str = "company";
    const TYPE: &'static str = "company";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Emitted for Company {
    const EVENT: &'static str = "company.changed";
    fn version(&self) -> i64 {
        self.version
    }
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_company).add(update_company).add(list_companies);
}

/// The settings.
#[utoipa::path(tag = "administration", security(("api_key" = ["company:read"])),
    responses((status = 200, description = "The settings", body = Company)))]
#[get("/company")]
async fn get_company(read: Read<may::ReadCompany>) -> Result<Answer, Problem> {
    read.one(|conn| Ok(settings(conn)?)).await
}

/// The company as a list of one, for whoever pages through every kind of record.
#[utoipa::path(tag = "administration", params(CompaniesQuery), security(("api_key" = ["company:read"])),
    responses((status = 200, description = "A page of one company", body = Page<Company>)))]
#[get("/companies")]
async fn list_companies(read: Read<may::ReadCompany>, query: Query<CompaniesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| page(conn, &query)).await
}

fn page(conn: &mut PgConnection, query: &CompaniesQuery) -> Result<Page<Company>> {
    let rows = company::table.select(CompanyRow::as_select()).into_boxed();
    let page: Page<CompanyRow> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
        id: company::id as Uuid => |row: &CompanyRow| row.id, [
        "created_at" => company::created_at as DateTime<Utc> => |row: &CompanyRow| row.created_at,
    ])?;
    Ok(Page {
        items: page.items.into_iter().map(Company::from).collect(),
        next_cursor: page.next_cursor,
    })
}

/// Change settings. The base currency stays once there are customers.
#[utoipa::path(tag = "administration", request_body(content = CompanyPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["company:write"])), responses((status = 200, description = "The changed settings", body = Company)))]
#[patch("/company")]
async fn update_company(command: Command<may::WriteCompany>, body: Body<CompanyPatch>) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, &body.0)).await
}

/// The settings as they are.
///
/// # Errors
/// When the database refuses.
pub fn settings(conn: &mut PgConnection) -> QueryResult<Company> {
    let row: CompanyRow = company::table.find(ID).select(CompanyRow::as_select()).first(conn)?;
    Ok(row.into())
}

fn update(tx: &mut Tx<'_>, patch: &CompanyPatch) -> Result<Company> {
    let row: CompanyRow = company::table
        .find(ID)
        .for_update()
        .select(CompanyRow::as_select())
        .first(&mut **tx)?;
    let before = Company::from(row);
    tx.require_match(&before)?;
    let wanted = Company {
        price_deviation_limits: merged_limits(&before, patch)?,
        name: patch.name.clone().unwrap_or_else(|| before.name.clone()),
        base_currency: patch.base_currency.unwrap_or(before.base_currency),
        payment_terms_id: patch.payment_terms_id.unwrap_or(before.payment_terms_id),
        invoicing_policy: patch.invoicing_policy.unwrap_or(before.invoicing_policy),
        tax_on_advances: patch.tax_on_advances.unwrap_or(before.tax_on_advances),
        overdue_stop_days: patch.overdue_stop_days.unwrap_or(before.overdue_stop_days),
        fiscal_year_start_month: patch.fiscal_year_start_month.unwrap_or(before.fiscal_year_start_month),
        reference_currency: patch.reference_currency.unwrap_or(before.reference_currency),
        tax_rounding: patch.tax_rounding.unwrap_or(before.tax_rounding),
        discount_tax: patch.discount_tax.unwrap_or(before.discount_tax),
        bad_debt_tax: patch.bad_debt_tax.unwrap_or(before.bad_debt_tax),
        write_off_limit: patch.write_off_limit.unwrap_or(before.write_off_limit),
        ..before.clone()
    };
    if wanted == before {
        return Ok(before);
    }
    let row: CompanyRow = diesel::update(company::table.find(ID))
        .set((
            company::name.eq(&wanted.name),
            company::base_currency.eq(wanted.base_currency),
            company::price_deviation_limits.eq(serde_json::to_value(&wanted.price_deviation_limits)?),
            company::payment_terms_id.eq(wanted.payment_terms_id),
            company::invoicing_policy.eq(wanted.invoicing_policy),
            company::tax_on_advances.eq(wanted.tax_on_advances),
            company::overdue_stop_days.eq(wanted.overdue_stop_days),
            company::fiscal_year_start_month.eq(wanted.fiscal_year_start_month),
            company::reference_currency.eq(wanted.reference_currency),
            company::tax_rounding.eq(wanted.tax_rounding),
            company::discount_tax.eq(wanted.discount_tax),
            company::bad_debt_tax.eq(wanted.bad_debt_tax),
            company::write_off_limit.eq(wanted.write_off_limit),
            company::revision.eq(company::revision + 1),
            company::updated_at.eq(tx.now()),
        ))
        .returning(CompanyRow::as_returning())
        .get_result(&mut **tx)?;
    let after = Company::from(row);
    tx.changed(Some(&before), &after)?;
    Ok(after)
}

fn merged_limits(before: &Company, patch: &CompanyPatch) -> Result<BTreeMap<String, Fraction>, Problem> {
    let roles = crate::app::SERVICE.all_roles();
    let mut faults = Faults::default();
    let mut limits = before.price_deviation_limits.clone();
    for (role, limit) in patch.price_deviation_limits.iter().flatten() {
        if !roles.iter().any(|known| known.name == role) {
            let names: Vec<&str> = roles.iter().map(|role| role.name).collect();
            let pointer = format!("/price_deviation_limits/{}", role.replace('~', "~0").replace('/', "~1"));
            faults.add(
                pointer,
                "unknown_value",
                format!("expected one of {}", names.join(", ")),
            );
        }
        match limit {
            Some(limit) => limits.insert(role.clone(), *limit),
            None => limits.remove(role),
        };
    }
    faults.check()?;
    Ok(limits)
}
