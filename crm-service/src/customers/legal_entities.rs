//! Legal entities: in whose name a customer buys, which changes over time.
//!
//! An invoice names one legal entity that was valid that day, so each has its first and last day,
//! both inclusive and both open when absent, and on any day at most one of a customer's is the
//! default. To hand the default over, end the old one and begin the new one.

use crate::customers::model::{Customer, set};
use crate::customers::parts::{self, Part, stored_in, told_by_fields};
use crate::customers::queries;
use crate::may;
use crate::schema::legal_entities;
use actix_web::{delete, get, patch, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{IdPath, present};
use service_kit::{
    Answer, Body, Command, Cursor, Limit, Page, Path, Problem, Query, Read, Resource, Routes, Sort, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LegalEntityIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"\S",
        example = "Alfreds Futterkiste GmbH"
    )]
    pub name: String,
    #[schema(min_length = 1, max_length = 50)]
    pub tax_id: Option<String>,
    /// Number in the register of companies.
    #[schema(min_length = 1, max_length = 50)]
    pub registration_number: Option<String>,
    /// First day; absent for always.
    pub valid_from: Option<NaiveDate>,
    /// Last day, inclusive; absent for no end.
    pub valid_to: Option<NaiveDate>,
    /// Whether documents name it unless told otherwise.
    #[serde(default)]
    pub is_default: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LegalEntityPatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 50)]
    pub tax_id: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 50)]
    pub registration_number: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub valid_from: Option<Option<NaiveDate>>,
    #[serde(default, deserialize_with = "present")]
    pub valid_to: Option<Option<NaiveDate>>,
    #[schema(nullable = false)]
    pub is_default: Option<bool>,
}

/// In whose name a customer buys.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = legal_entities, treat_none_as_null = true)]
pub struct LegalEntity {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub name: String,
    pub tax_id: Option<String>,
    pub registration_number: Option<String>,
    pub valid_from: Option<NaiveDate>,
    pub valid_to: Option<NaiveDate>,
    pub is_default: bool,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for LegalEntity {
    const PATH: &'static str = "legal-entities";
    const TYPE: &'static str = "legal_entity";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Part for LegalEntity {
    type In = LegalEntityIn;
    const WORDS: &'static str = "legal entity";
    const FIELD: &'static str = "legal_entities";
    const KINDS: [&'static str; 3] = ["legal_entity_added", "legal_entity_changed", "legal_entity_removed"];

    fn all(customer: &Customer) -> &Vec<Self> {
        &customer.legal_entities
    }
    fn all_mut(customer: &mut Customer) -> &mut Vec<Self> {
        &mut customer.legal_entities
    }
    fn new(input: &LegalEntityIn, id: Uuid, customer_id: Uuid, now: DateTime<Utc>) -> Self {
        LegalEntity {
            id,
            customer_id,
            name: input.name.clone(),
            tax_id: input.tax_id.clone(),
            registration_number: input.registration_number.clone(),
            valid_from: input.valid_from,
            valid_to: input.valid_to,
            is_default: input.is_default,
            revision: 1,
            created_at: now,
            updated_at: now,
        }
    }
    fn label(&self) -> String {
        self.name.clone()
    }
    told_by_fields!();
    stored_in!(legal_entities);
}

impl LegalEntityPatch {
    fn apply(&self, entity: &mut LegalEntity) {
        set(&mut entity.name, &self.name);
        set(&mut entity.tax_id, &self.tax_id);
        set(&mut entity.registration_number, &self.registration_number);
        set(&mut entity.valid_from, &self.valid_from);
        set(&mut entity.valid_to, &self.valid_to);
        set(&mut entity.is_default, &self.is_default);
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LegalEntitiesQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `name`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_legal_entities)
        .add(create_legal_entity)
        .add(get_legal_entity)
        .add(update_legal_entity)
        .add(delete_legal_entity);
}

/// The legal entities of a customer.
#[utoipa::path(tag = "customers", params(IdPath, LegalEntitiesQuery), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "A page of legal entities", body = Page<LegalEntity>)))]
#[get("/customers/{id}/legal-entities")]
async fn list_legal_entities(
    read: Read<may::ReadCustomers>,
    path: Path<IdPath>,
    query: Query<LegalEntitiesQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        queries::require(conn, &sight, path.id, "/legal-entities")?;
        let rows = legal_entities::table.filter(legal_entities::customer_id.eq(path.id));
        let rows = rows.select(LegalEntity::as_select()).into_boxed();
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort, id: legal_entities::id as Uuid => |e: &LegalEntity| e.id, [
            "created_at" => legal_entities::created_at as DateTime<Utc> => |e: &LegalEntity| e.created_at,
            "name" => legal_entities::name as String => |e: &LegalEntity| e.name.clone(),
        ])
    })
    .await
}

/// Add a legal entity to a customer.
#[utoipa::path(tag = "customers", params(IdPath), request_body = LegalEntityIn, security(("api_key" = ["customers:write"])),
    responses((status = 201, description = "The legal entity", body = LegalEntity)))]
#[post("/customers/{id}/legal-entities")]
async fn create_legal_entity(
    command: Command<may::WriteCustomers>,
    path: Path<IdPath>,
    body: Body<LegalEntityIn>,
) -> Result<Answer, Problem> {
    command
        .create(move |tx| parts::add::<LegalEntity>(tx, path.id, &body.0))
        .await
}

#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "The legal entity", body = LegalEntity)))]
#[get("/legal-entities/{id}")]
async fn get_legal_entity(read: Read<may::ReadCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| parts::get::<LegalEntity>(conn, &sight, path.id))
        .await
}

/// Change a legal entity. The customer's version rises with it.
#[utoipa::path(tag = "customers", params(IdPath), request_body = LegalEntityPatch, security(("api_key" = ["customers:write"])),
    responses((status = 200, description = "The legal entity", body = LegalEntity)))]
#[patch("/legal-entities/{id}")]
async fn update_legal_entity(
    command: Command<may::WriteCustomers>,
    path: Path<IdPath>,
    body: Body<LegalEntityPatch>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| parts::change::<LegalEntity>(tx, path.id, |entity| body.0.apply(entity)))
        .await
}

/// Remove a legal entity. `If-Match` is obeyed when it is sent.
#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:write"])),
    responses((status = 204, description = "It is gone")))]
#[delete("/legal-entities/{id}")]
async fn delete_legal_entity(command: Command<may::WriteCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command
        .answer(move |tx| parts::remove::<LegalEntity>(tx, path.id))
        .await
}
