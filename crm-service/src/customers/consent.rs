//! Consent: through which channels we may write to a customer or to one of its contacts.
//!
//! Each word on it is a row that is never changed: who said what of which channel, when, where it was said,
//! and on which legal basis. What holds now is derived: the latest word counts, by the day it was said
//! and then by the day it was recorded.
//!
//! A contact follows its own latest word; without one it follows the customer's. What the customer as a
//! whole has withdrawn holds for all of its contacts. Where nothing was ever said, nothing is allowed:
//! [`allows`] is what whoever writes to many asks. Whoever writes to one, by hand, asks [`withdrawn`]: an answer or an
//! offer that was asked for needs no word, but nobody is written to who said no.

use crate::customers::duplicates::normalise;
use crate::customers::queries;
use crate::customers::timeline::{self, Entry};
use crate::may;
use crate::schema::{consents, contacts};
use actix_web::{get, post};
use chrono::{DateTime, SubsecRound, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_kit::db::sql;
use service_kit::http::IdPath;
use service_kit::tx::Emitted;
use service_kit::{
    Answer, Body, Command, Cursor, Faults, Limit, OrNotFound, Page, Path, Problem, Query, Read, Resource, Result,
    Routes, Sight, Sort, Tx, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// A way to reach somebody.
    Channel { Email = "email", Sms = "sms", Phone = "phone", Post = "post" }
}

text_enum! {
    /// What was said.
    ConsentState { Granted = "granted", Withdrawn = "withdrawn" }
}

text_enum! {
    /// Why we may (GDPR, article 6).
    LegalBasis {
        Consent = "consent",
        Contract = "contract",
        LegitimateInterest = "legitimate_interest",
        LegalObligation = "legal_obligation",
    }
}

/// What was said of one channel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentIn {
    /// Minted here when absent.
    pub id: Option<Uuid>,
    /// Who said it; absent, the customer as a whole.
    pub contact_id: Option<Uuid>,
    pub channel: Channel,
    pub state: ConsentState,
    pub legal_basis: LegalBasis,
    /// Where it was said, e.g. `web form`, `trade fair 2026`, `call`.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S", example = "web form")]
    pub source: String,
    #[schema(min_length = 1, max_length = 1000)]
    pub note: Option<String>,
    /// When it was said; now when absent, never later.
    pub decided_at: Option<DateTime<Utc>>,
}

/// What was said of one channel: never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Queryable, Selectable, Insertable, ToSchema)]
#[diesel(table_name = consents)]
pub struct Consent {
    pub id: Uuid,
    pub customer_id: Uuid,
    /// Who said it; `null` is the customer as a whole.
    pub contact_id: Option<Uuid>,
    /// As the contact was called then.
    pub contact_name: Option<String>,
    pub channel: Channel,
    pub state: ConsentState,
    pub legal_basis: LegalBasis,
    pub source: String,
    pub note: Option<String>,
    pub decided_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    /// The user or API key that recorded it.
    pub recorded_by: Uuid,
    pub recorder_name: String,
}

impl Resource for Consent {
    const PATH: &'static str = "consents";
    const TYPE: &'static str = "consent";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        1
    }
}

impl Emitted for Consent {
    const EVENT: &'static str = "consent.changed";
    fn version(&self) -> i64 {
        1
    }
}

/// What holds now for one channel of the customer or of a contact.
#[derive(Debug, Serialize, QueryableByName, ToSchema)]
pub struct ConsentNow {
    /// `null` is the customer as a whole.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub contact_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    pub channel: Channel,
    /// What was said last.
    #[diesel(sql_type = Text)]
    pub state: ConsentState,
    #[diesel(sql_type = Text)]
    pub legal_basis: LegalBasis,
    #[diesel(sql_type = Text)]
    pub source: String,
    #[diesel(sql_type = Timestamptz)]
    pub since: DateTime<Utc>,
}

/// What holds now; where nothing is listed, nothing was said and nothing is allowed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsentsNow {
    pub items: Vec<ConsentNow>,
}

/// Whether we may reach somebody through a channel: the contact, or without one the customer.
pub fn allows(
    conn: &mut PgConnection,
    customer_id: Uuid,
    contact_id: Option<Uuid>,
    channel: Channel,
) -> QueryResult<bool> {
    let now = latest(conn, customer_id)?;
    let said = |of: Option<Uuid>| {
        let latest = now
            .iter()
            .find(|latest| latest.channel == channel && latest.contact_id == of);
        latest.map(|latest| latest.state)
    };
    Ok(decide(said(None), contact_id.and_then(|contact| said(Some(contact)))))
}

/// What the words of the customer and of the contact come to.
fn decide(customer: Option<ConsentState>, contact: Option<ConsentState>) -> bool {
    customer != Some(ConsentState::Withdrawn) && contact.or(customer) == Some(ConsentState::Granted)
}

/// Those of these e-mail addresses that belong to somebody in sight who has withdrawn consent for a channel.
pub fn withdrawn(conn: &mut PgConnection, sight: &Sight, channel: Channel, addresses: &[&str]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for address in addresses {
        let Some(key) = normalise::email(address) else { continue };
        for customer in having_email(conn, sight, &key)? {
            let now = latest(conn, customer)?;
            let said: Vec<Option<Uuid>> = now
                .iter()
                .filter(|latest| latest.channel == channel && latest.state == ConsentState::Withdrawn)
                .map(|latest| latest.contact_id)
                .collect();
            if said.contains(&None) || anybody_has(conn, customer, &said, &key)? {
                found.push((*address).to_owned());
                break;
            }
        }
    }
    Ok(found)
}

/// Customers in sight that have an e-mail address, themselves or with a contact.
fn having_email(conn: &mut PgConnection, sight: &Sight, key: &str) -> QueryResult<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = SqlUuid)]
        customer_id: Uuid,
    }
    let (all, user, teams) = sight.binds();
    let found: Vec<Found> = sql(
        "SELECT k.customer_id FROM customer_keys k JOIN customers c ON c.id = k.customer_id
         WHERE k.kind = 'email' AND k.key = $1 AND ($2 OR c.owner_id = $3 OR c.team_id = ANY($4))
         ORDER BY k.customer_id LIMIT 100",
    )
    .bind::<Text, _>(key)
    .bind::<Bool, _>(all)
    .bind::<Nullable<SqlUuid>, _>(user)
    .bind::<Array<SqlUuid>, _>(teams)
    .rows(conn)?;
    Ok(found.into_iter().map(|row| row.customer_id).collect())
}

/// Whether one of these contacts of a customer has an e-mail address.
fn anybody_has(conn: &mut PgConnection, customer: Uuid, who: &[Option<Uuid>], key: &str) -> QueryResult<bool> {
    let who: Vec<Uuid> = who.iter().copied().flatten().collect();
    let theirs: Vec<Option<String>> = contacts::table
        .filter(contacts::customer_id.eq(customer).and(contacts::id.eq_any(who)))
        .select(contacts::email)
        .load(conn)?;
    let mut keys = theirs.iter().flatten().filter_map(|email| normalise::email(email));
    Ok(keys.any(|other| other == key))
}

/// The latest word of the customer and of each contact on each channel.
pub fn latest(conn: &mut PgConnection, customer_id: Uuid) -> QueryResult<Vec<ConsentNow>> {
    sql(
        "SELECT DISTINCT ON (contact_id, channel) contact_id, channel, state, legal_basis, source, decided_at AS since
         FROM consents WHERE customer_id = $1
         ORDER BY contact_id NULLS FIRST, channel, decided_at DESC, recorded_at DESC, id DESC",
    )
    .bind::<SqlUuid, _>(customer_id)
    .rows(conn)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ConsentsQuery {
    #[param(inline)]
    channel: Option<Channel>,
    /// Only what this contact said.
    contact_id: Option<Uuid>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `-decided_at` or `decided_at`.
    sort: Option<Sort>,
}

pub fn routes(routes: &mut Routes) {
    routes
        .add(list_consents)
        .add(create_consent)
        .add(get_consent)
        .add(list_current_consents);
}

/// Everything that a customer and its contacts ever said, the latest last.
#[utoipa::path(tag = "consent", params(IdPath, ConsentsQuery), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "A page of consents", body = Page<Consent>)))]
#[get("/customers/{id}/consents")]
async fn list_consents(
    read: Read<may::ReadCustomers>,
    path: Path<IdPath>,
    query: Query<ConsentsQuery>,
) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        queries::require(conn, &sight, path.id, "/consents")?;
        let mut rows = consents::table
            .filter(consents::customer_id.eq(path.id))
            .select(Consent::as_select())
            .into_boxed();
        if let Some(channel) = query.channel {
            rows = rows.filter(consents::channel.eq(channel));
        }
        if let Some(contact) = query.contact_id {
            rows = rows.filter(consents::contact_id.eq(contact));
        }
        keyset_page!(rows, conn, query.limit, query.cursor, query.sort, id: consents::id as Uuid => |c: &Consent| c.id, [
            "decided_at" => consents::decided_at as DateTime<Utc> => |c: &Consent| c.decided_at,
        ])
    })
    .await
}

/// Record what somebody said of a channel. Nothing is overwritten; the latest word holds.
#[utoipa::path(tag = "consent", params(IdPath), request_body = ConsentIn, security(("api_key" = ["customers:write"])),
    responses((status = 201, description = "The consent", body = Consent)))]
#[post("/customers/{id}/consents")]
async fn create_consent(
    command: Command<may::WriteCustomers>,
    path: Path<IdPath>,
    body: Body<ConsentIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| record(tx, path.id, &body.0)).await
}

#[utoipa::path(tag = "consent", params(IdPath), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "The consent", body = Consent)))]
#[get("/consents/{id}")]
async fn get_consent(read: Read<may::ReadCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.one(move |conn| {
        let found: Consent = consents::table
            .find(path.id)
            .select(Consent::as_select())
            .first(conn)
            .or_not_found("consent")?;
        match queries::require(conn, &sight, found.customer_id, "") {
            Ok(()) => Ok(found),
            Err(_) => Err(Problem::not_found("consent").into()),
        }
    })
    .await
}

/// What holds now, for the customer as a whole and for each contact.
#[utoipa::path(tag = "consent", params(IdPath), security(("api_key" = ["customers:read"])),
    responses((status = 200, description = "The latest word on each channel", body = ConsentsNow)))]
#[get("/customers/{id}/consent")]
async fn list_current_consents(read: Read<may::ReadCustomers>, path: Path<IdPath>) -> Result<Answer, Problem> {
    let sight = read.actor().sight.clone();
    read.json(move |conn| {
        queries::require(conn, &sight, path.id, "/consent")?;
        Ok(ConsentsNow {
            items: latest(conn, path.id)?,
        })
    })
    .await
}

/// Records a word on a channel.
pub fn record(tx: &mut Tx<'_>, customer_id: Uuid, input: &ConsentIn) -> Result<Consent> {
    let customer = queries::lock(tx, customer_id)?;
    let mut faults = Faults::default();
    let contact = input.contact_id.map(|id| {
        let found = customer.contacts.iter().find(|contact| contact.id == id);
        if found.is_none() {
            faults.add("/contact_id", "unknown_contact", "the customer has no such contact");
        }
        found
    });
    let decided_at = input.decided_at.map_or_else(|| tx.now(), |at| at.trunc_subsecs(6));
    if decided_at > tx.now() {
        faults.add("/decided_at", "out_of_range", "nobody has decided in the future");
    }
    faults.check()?;
    let contact = contact.flatten();
    let consent = Consent {
        id: tx.mint(input.id),
        customer_id,
        contact_id: contact.map(|contact| contact.id),
        contact_name: contact.map(|contact| contact.name.clone()),
        channel: input.channel,
        state: input.state,
        legal_basis: input.legal_basis,
        source: input.source.clone(),
        note: input.note.clone(),
        decided_at,
        recorded_at: tx.now(),
        recorded_by: tx.actor().id,
        recorder_name: tx.actor().name.to_string(),
    };
    diesel::insert_into(consents::table)
        .values(&consent)
        .execute(&mut **tx)?;
    tx.changed(None, &consent)?;
    let (kind, verb) = match consent.state {
        ConsentState::Granted => ("consent_granted", "granted"),
        ConsentState::Withdrawn => ("consent_withdrawn", "withdrawn"),
    };
    let who = consent.contact_name.as_deref().unwrap_or(&customer.core.name);
    let entry = Entry::here(tx, customer_id, kind, &consent)
        .summary(format!("{who}: consent {verb} for {}", consent.channel))
        .data(json!({ "channel": consent.channel, "source": consent.source, "contact_id": consent.contact_id }));
    timeline::add(tx, entry)?;
    Ok(consent)
}

#[cfg(test)]
mod tests {
    use super::ConsentState::{Granted, Withdrawn};
    use super::decide;

    #[test]
    fn opting_out_wins_and_silence_allows_nothing() {
        for (customer, contact, allowed) in [
            (None, None, false),
            (Some(Granted), None, true),
            (Some(Withdrawn), None, false),
            (None, Some(Granted), true),
            (None, Some(Withdrawn), false),
            (Some(Granted), Some(Withdrawn), false),
            (Some(Withdrawn), Some(Granted), false),
            (Some(Granted), Some(Granted), true),
        ] {
            assert_eq!(decide(customer, contact), allowed, "{customer:?} {contact:?}");
        }
    }
}
