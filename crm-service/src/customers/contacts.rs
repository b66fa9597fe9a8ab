//! Contacts: the people at a customer.

use crate::customers::email::Email;
use crate::customers::model::{Customer, set};
use crate::customers::parts::{self, Part, stored_in, told_by_fields};
use crate::customers::queries;
use crate::may;
use crate::schema::contacts;
use actix_web::{delete, get, patch, post};
use chrono::{DateTime, Utc};
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
pub struct ContactIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "María Anders")]
    pub name: String,
    /// What they decide, e.g. `purchasing`.
    #[schema(min_length = 1, max_length = 100)]
    pub role: Option<String>,
    /// Their title, e.g. `Sales Representative`.
    #[schema(min_length = 1, max_length = 100)]
    pub title: Option<String>,
    pub email: Option<Email>,
    #[schema(min_length = 1, max_length = 50)]
    pub phone: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactPatch {
    #[schema(nullable = false, min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 100)]
    pub role: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 100)]
    pub title: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    pub email: Option<Option<Email>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(min_length = 1, max_length = 50)]
    pub phone: Option<Option<String>>,
}

/// A person at a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, Insertable, AsChangeset, ToSchema)]
#[diesel(table_name = contacts, treat_none_as_null = true)]
pub struct Contact {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub name: String,
    pub role: Option<String>,
    pub title: Option<String>,
    pub email: Option<Email>,
    pub phone: Option<String>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Resource for Contact {
    const PATH: &'static str = "contacts";
    const TYPE: &'static str = "contact";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Part for Contact {
    type In = ContactIn;
    const WORDS: &'static str = "contact";
    const FIELD: &'static str = "contacts";
    const KINDS: [&'static str; 3] = ["contact_added", "contact_changed", "contact_removed"];

    fn all(customer: &Customer) -> &Vec<Self> {
        &customer.contacts
    }
    fn all_mut(customer: &mut Customer) -> &mut Vec<Self> {
        &mut customer.contacts
    }
    fn new(input: &ContactIn, id: Uuid, customer_id: Uuid, now: DateTime<Utc>) -> Self {
        Contact {
            id,
            customer_id,
            name: input.name.clone(),
            role: input.role.clone(),
            title: input.title.clone(),
            email: input.email.clone(),
            phone: input.phone.clone(),
            revision: 1,
            created_at: now,
            updated_at: now,
        }
    }
    fn label(&self) -> String {
        self.name.clone()
    }
    told_by_fields!();
    stored_in!(contacts);
}

impl From<&Contact> for ContactIn {
    fn from(contact: &Contact) -> Self {
        let contact = contact.clone();
        ContactIn {
            id: Some(contact.id),
            name: contact.name,
            role: contact.role,
            title: contact.title,
            email: contact.email,
            phone: contact.phone,
        }
    }
}

impl ContactPatch {
    pub(super) fn apply(&self, contact: &mut Contact) {
        set(&mut contact.name, &self.name);
        set(&mut contact.role, &self.role);
        set(&mut contact.title, &self.title);
        set(&mut contact.email, &self.email);
        set(&mut contact.phone, &self.phone);
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ContactsQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at` or `name`, with `-` for descending.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_contacts)
        .add(create_contact)
        .add(get_contact)
        .add(update_contact)
        .add(delete_contact);
}

/// The people at a customer.
#[utoipa::path(tag = "customers", params(IdPath, ContactsQuery), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "A page of contacts", body = Page<Contact>)))]
#[get("/customers/{id}/contacts")]
async fn list_contacts(
    read: Read<may::ReadCustomers>,
    path: Path<IdPath>,
    query: Query<ContactsQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        queries::require(conn, &sight, path.id, "/contacts")?;
        let rows = contacts::table.filter(contacts::customer_id.eq(path.id));
        let rows = rows.select(Contact::as_select()).into_boxed();
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort, id: contacts::id as Uuid => |c: &Contact| c.id, [
            "created_at" => contacts::created_at as DateTime<Utc> => |c: &Contact| c.created_at,
            "name" => contacts::name as String => |c: &Contact| c.name.clone(),
        ])
    })
    .await
}

/// Add a person to a customer.
#[utoipa::path(tag = "customers", params(IdPath), request_body = ContactIn, security(("api_key" = ["customers:write"])),
    responses((status = 201, description = "The contact", body = Contact)))]
#[post("/customers/{id}/contacts")]
async fn create_contact(
    command: Command<may::WriteCustomers>,
    path: Path<IdPath>,
    body: Body<ContactIn>,
) -> Result<Answer, Problem> {
    command
        .create(move |tx| parts::add::<Contact>(tx, path.id, &body.0))
        .await
}

#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "The contact", body = Contact)))]
#[get("/contacts/{id}")]
async fn get_contact(read: Read<may::ReadCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| parts::get::<Contact>(conn, &sight, path.id)).await
}

/// Change a contact. The customer's version rises with it.
#[utoipa::path(tag = "customers", params(IdPath), request_body = ContactPatch, security(("api_key" = ["customers:write"])),
    responses((status = 200, description = "The contact", body = Contact)))]
#[patch("/contacts/{id}")]
async fn update_contact(
    command: Command<may::WriteCustomers>,
    path: Path<IdPath>,
    body: Body<ContactPatch>,
) -> Result<Answer, Problem> {
    command
        .run(move |tx| parts::change::<Contact>(tx, path.id, |contact| body.0.apply(contact)))
        .await
}

/// Remove a contact. `If-Match` is obeyed when it is sent.
#[utoipa::path(tag = "customers", params(IdPath), security(("api_key" = ["customers:write"])),
    responses((status = 204, description = "It is gone")))]
#[delete("/contacts/{id}")]
async fn delete_contact(command: Command<may::WriteCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command.answer(move |tx| parts::remove::<Contact>(tx, path.id)).await
}
