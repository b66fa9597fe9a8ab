//! Payment terms: when customers pay us, and we our suppliers.
//!
//! Net days from the document's date, at the end of that month where the terms say so; a cash discount
//! for who pays early; or instalments, each a fraction of the total with days of its own. The company has default terms,
//! a customer or supplier may have its own. A document takes its due days when it is posted, so terms
//! may change afterwards; they are retired, never deleted.

mod schedule;

pub use schedule::Due;

use crate::may;
use crate::schema::{company, payment_terms};
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_kit::decimal::Fraction;
use service_kit::http::present;
use service_kit::problem::Constraint;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, IdPath, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource,
    Result, Routes, Sort, Tx, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Retired terms are not given to anybody any more.
    TermsStatus { Active = "active", Retired = "retired" }
}

/// A part of the total with its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Instalment {
    /// Of the total; all together make 1.
    pub fraction: Fraction,
    /// From the document's date.
    #[schema(minimum = 0, maximum = 3650)]
    pub days: i32,
}

/// Payment terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentTerms {
    pub id: Uuid,
    pub code: String,
    pub name: String,
    /// Days from the document's date; of the last instalment where there are several.
    pub net_days: i32,
    /// Due at the end of the month in which the days are over.
    pub end_of_month: bool,
    /// Who pays within so many days may take the discount.
    pub discount_days: Option<i32>,
    pub discount: Option<Fraction>,
    /// Empty: the total is due at once after the net days.
    pub instalments: Vec<Instalment>,
    pub status: TermsStatus,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentTermsIn {
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 40, pattern = r"^\S+$", example = "NET30-2")]
    pub code: String,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    /// Either this or `instalments`.
    #[schema(minimum = 0, maximum = 3650)]
    pub net_days: Option<i32>,
    #[serde(default)]
    pub end_of_month: bool,
    #[schema(minimum = 0, maximum = 3650)]
    pub discount_days: Option<i32>,
    pub discount: Option<Fraction>,
    #[serde(default)]
    #[schema(max_items = 36)]
    pub instalments: Vec<Instalment>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentTermsPatch {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
    #[schema(minimum = 0, maximum = 3650, nullable = false)]
    pub net_days: Option<i32>,
    #[schema(nullable = false)]
    pub end_of_month: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    #[schema(minimum = 0, maximum = 3650)]
    pub discount_days: Option<Option<i32>>,
    #[serde(default, deserialize_with = "present")]
    pub discount: Option<Option<Fraction>>,
    /// Replaces them all; empty: one payment after the net days.
    #[schema(max_items = 36, nullable = false)]
    pub instalments: Option<Vec<Instalment>>,
    #[schema(nullable = false)]
    pub status: Option<TermsStatus>,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = payment_terms)]
struct Row {
    id: Uuid,
    code: String,
    name: String,
    net_days: i32,
    end_of_month: bool,
    discount_days: Option<i32>,
    discount: Option<Fraction>,
    instalments: Value,
    status: TermsStatus,
    revision: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PaymentTermsQuery {
    #[param(inline)]
    status: Option<TermsStatus>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `code` or `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl Row {
    fn shown(self) -> Result<PaymentTerms> {
        Ok(PaymentTerms {
            id: self.id,
            code: self.code,
            name: self.name,
            net_days: self.net_days,
            end_of_month: self.end_of_month,
            discount_days: self.discount_days,
            discount: self.discount,
            instalments: serde_json::from_value(self.instalments)?,
            status: self.status,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl Resource for PaymentTerms {
    const PATH: &'static str = "payment-terms";
    const TYPE: &'static str = "payment_terms";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub const CONSTRAINTS: &[Constraint] = &[
    Constraint::conflict(
        "payment_terms_pkey",
        "duplicate",
        "/id",
        "payment terms with this id exist",
    ),
    Constraint::conflict(
        "payment_terms_code_unique",
        "duplicate",
        "/code",
        "payment terms with this code exist",
    ),
];

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_payment_terms)
        .add(create_payment_terms)
        .add(get_payment_terms)
        .add(update_payment_terms);
}

#[utoipa::path(tag = "administration", params(PaymentTermsQuery), security(("api_key" = ["company:read"])),
    responses((status = 200, description = "A page of payment terms", body = Page<PaymentTerms>)))]
#[get("/payment-terms")]
async fn list_payment_terms(read: Read<may::ReadCompany>, query: Query<PaymentTermsQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut rows = payment_terms::table.select(Row::as_select()).into_boxed();
        if let Some(status) = query.status {
            rows = rows.filter(payment_terms::status.eq(status));
        }
        let page: Result<Page<Row>> = keyset_page!(rows, conn, query.limit, query.cursor, query.sort,
            id: payment_terms::id as Uuid => |row: &Row| row.id, [
            "code" => payment_terms::code as String => |row: &Row| row.code.clone(),
            "created_at" => payment_terms::created_at as DateTime<Utc> => |row: &Row| row.created_at,
        ]);
        let Page { items, next_cursor } = page?;
        Ok(Page {
            items: items.into_iter().map(Row::shown).collect::<Result<Vec<_>>>()?,
            next_cursor,
        })
    })
    .await
}

/// Add payment terms: net days, or instalments whose fractions make 1.
#[utoipa::path(tag = "administration", request_body = PaymentTermsIn, security(("api_key" = ["company:write"])),
    responses((status = 201, description = "The payment terms", body = PaymentTerms)))]
#[post("/payment-terms")]
async fn create_payment_terms(
    command: Command<may::WriteCompany>,
    body: Body<PaymentTermsIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

#[utoipa::path(tag = "administration", params(IdPath), security(("api_key" = ["company:read"])),
    responses((status = 200, description = "The payment terms", body = PaymentTerms)))]
#[get("/payment-terms/{id}")]
async fn get_payment_terms(read: Read<may::ReadCompany>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| find(conn, path.id)).await
}

/// Change payment terms. Documents that are posted keep their due days.
#[utoipa::path(tag = "administration", params(IdPath), request_body(content = PaymentTermsPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["company:write"])), responses((status = 200, description = "The payment terms", body = PaymentTerms)))]
#[patch("/payment-terms/{id}")]
async fn update_payment_terms(
    command: Command<may::WriteCompany>,
    path: Path<IdPath>,
    body: Body<PaymentTermsPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, path.id, &body.0)).await
}

/// Terms by id.
///
/// # Errors
/// 404 when there are none.
pub fn find(conn: &mut PgConnection, id: Uuid) -> Result<PaymentTerms> {
    let row: Row = payment_terms::table
        .find(id)
        .select(Row::as_select())
        .first(conn)
        .or_not_found("payment terms")?;
    row.shown()
}

/// The terms that a document takes: those it names, else those of its party, else the company's.
///
/// # Errors
/// 404 when the named ones do not exist.
pub fn of(conn: &mut PgConnection, named: Option<Uuid>) -> Result<PaymentTerms> {
    let id = match named {
        Some(id) => id,
        None => company::table.select(company::payment_terms_id).first(conn)?,
    };
    find(conn, id)
}

/// Whether these terms may be given to somebody.
///
/// # Errors
/// When the database refuses.
pub fn is_active(conn: &mut PgConnection, id: Uuid) -> QueryResult<bool> {
    let active = payment_terms::table
        .find(id)
        .filter(payment_terms::status.eq(TermsStatus::Active));
    diesel::select(diesel::dsl::exists(active)).get_result(conn)
}

fn create(tx: &mut Tx<'_>, input: &PaymentTermsIn) -> Result<PaymentTerms> {
    let mut faults = Faults::default();
    if input.net_days.is_some() != input.instalments.is_empty() {
        faults.add("/net_days", "either_or", "give either net days or instalments");
    }
    let terms = PaymentTerms {
        id: tx.mint(input.id),
        code: input.code.clone(),
        name: input.name.clone(),
        net_days: input.net_days.unwrap_or(0),
        end_of_month: input.end_of_month,
        discount_days: input.discount_days,
        discount: input.discount,
        instalments: input.instalments.clone(),
        status: TermsStatus::Active,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    check(&terms, &mut faults);
    faults.check()?;
    let terms = with_net_days(terms);
    diesel::insert_into(payment_terms::table)
        .values((
            payment_terms::id.eq(terms.id),
            columns(&terms)?,
            payment_terms::created_at.eq(terms.created_at),
        ))
        .execute(&mut **tx)?;
    tx.audit(None, &terms)?;
    Ok(terms)
}

/// Instalments say the net days themselves.
fn with_net_days(mut terms: PaymentTerms) -> PaymentTerms {
    if let Some(last) = terms.instalments.iter().map(|part| part.days).max() {
        terms.net_days = last;
    }
    terms
}

fn check(terms: &PaymentTerms, faults: &mut Faults) {
    if terms.discount_days.is_some() != terms.discount.is_some() {
        faults.add("/discount", "incomplete", "a cash discount has days and a fraction");
    }
    if let Some(discount) = terms.discount
        && (discount.is_zero() || discount.value() >= rust_decimal::Decimal::ONE)
    {
        faults.add("/discount", "out_of_range", "must be more than 0 and less than 1");
    }
    let mut days = -1;
    for (index, part) in terms.instalments.iter().enumerate() {
        if part.fraction.is_zero() {
            faults.add(
                format!("/instalments/{index}/fraction"),
                "out_of_range",
                "must be more than 0",
            );
        }
        if part.days <= days {
            faults.add(
                format!("/instalments/{index}/days"),
                "out_of_order",
                "must be more than those before",
            );
        }
        days = part.days;
    }
    let sum: rust_decimal::Decimal = terms.instalments.iter().map(|part| part.fraction.value()).sum();
    if !terms.instalments.is_empty() && sum != rust_decimal::Decimal::ONE {
        faults.add(
            "/instalments",
            "sum_not_one",
            format!("the fractions make {}, not 1", sum.normalize()),
        );
    }
}

type Columns<'a> = (
    diesel::dsl::Eq<payment_terms::code, &'a str>,
    diesel::dsl::Eq<payment_terms::name, &'a str>,
    diesel::dsl::Eq<payment_terms::net_days, i32>,
    diesel::dsl::Eq<payment_terms::end_of_month, bool>,
    diesel::dsl::Eq<payment_terms::discount_days, Option<i32>>,
    diesel::dsl::Eq<payment_terms::discount, Option<Fraction>>,
    diesel::dsl::Eq<payment_terms::instalments, Value>,
    diesel::dsl::Eq<payment_terms::status, TermsStatus>,
    diesel::dsl::Eq<payment_terms::updated_at, DateTime<Utc>>,
);

fn columns(terms: &PaymentTerms) -> Result<Columns<'_>> {
    Ok((
        payment_terms::code.eq(&*terms.code),
        payment_terms::name.eq(&*terms.name),
        payment_terms::net_days.eq(terms.net_days),
        payment_terms::end_of_month.eq(terms.end_of_month),
        payment_terms::discount_days.eq(terms.discount_days),
        payment_terms::discount.eq(terms.discount),
        payment_terms::instalments.eq(serde_json::to_value(&terms.instalments)?),
        payment_terms::status.eq(terms.status),
        payment_terms::updated_at.eq(terms.updated_at),
    ))
}

fn update(tx: &mut Tx<'_>, id: Uuid, patch: &PaymentTermsPatch) -> Result<PaymentTerms> {
    let row: Row = payment_terms::table
        .find(id)
        .for_no_key_update()
        .select(Row::as_select())
        .first(&mut **tx)
        .or_not_found("payment terms")?;
    let before = row.shown()?;
    tx.require_match(&before)?;
    let mut after = PaymentTerms {
        name: patch.name.clone().unwrap_or_else(|| before.name.clone()),
        net_days: patch.net_days.unwrap_or(before.net_days),
        end_of_month: patch.end_of_month.unwrap_or(before.end_of_month),
        discount_days: patch.discount_days.unwrap_or(before.discount_days),
        discount: patch.discount.unwrap_or(before.discount),
        instalments: patch.instalments.clone().unwrap_or_else(|| before.instalments.clone()),
        status: patch.status.unwrap_or(before.status),
        ..before.clone()
    };
    let mut faults = Faults::default();
    if patch.net_days.is_some() && !after.instalments.is_empty() {
        faults.add("/net_days", "either_or", "instalments have days of their own");
    }
    check(&after, &mut faults);
    faults.check()?;
    after = with_net_days(after);
    if after == before {
        return Ok(before);
    }
    after.updated_at = tx.now();
    after.revision += 1;
    diesel::update(payment_terms::table.find(id))
        .set((columns(&after)?, payment_terms::revision.eq(after.revision)))
        .execute(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}
