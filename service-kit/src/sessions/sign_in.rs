use super::model::{Me, NewSession, Session};
use super::{LASTS, failures};
use crate::auth::{self, Actor};
use crate::email::Email;
use crate::http::{Answer, Body};
use crate::open::Open;
use crate::openapi::Routes;
use crate::passwords::Password;
use crate::problem::{Problem, Result};
use crate::schema::{sessions, users};
use crate::server::Kit;
use crate::tx::Tx;
use actix_web::http::{StatusCode, header};
use actix_web::post;
use chrono::Utc;
use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    email: Email,
    password: Password,
}

pub(super) fn routes(routes: &mut Routes) {
    routes.open(create_session);
}

/// Sign in. The answer shows the token once; only its SHA-256 is stored.
///
/// Needs no key. After five wrong passwords within 15 minutes nobody signs in with that e-mail
/// address for 15 minutes: 429 `too_many_failures` with `Retry-After`.
#[utoipa::path(tag = "sessions", request_body = SignIn,
    responses((status = 201, description = "The session", body = NewSession),
              (status = 401, description = "E-mail address or password is wrong", body = Problem, content_type = "application/problem+json")))]
#[post("/sessions")]
async fn create_session(open: Open, body: Body<SignIn>) -> Result<Answer, Problem> {
    let (email, password) = (body.0.email.lowercase(), body.0.password);
    open.limit("e-mail", &email)?;
    let wanted = email.clone();
    let (locked, candidate) = open
        .read(move |conn| {
            let locked = failures::locked_until(conn, &wanted, Utc::now())?;
            Ok((locked, Candidate::find(conn, &wanted)?))
        })
        .await?;
    if let Some(until) = locked {
        return Err(failures::too_many(until, Utc::now()));
    }
    let hash = candidate.as_ref().map(|candidate| candidate.password_hash.clone());
    let right = open.kit().passwords.verify(password, hash).await?;
    match candidate.filter(|_| right) {
        Some(candidate) => begin(open, email, candidate).await,
        None => Err(fail(&open, email).await?),
    }
}

/// Somebody who can sign in.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
struct Candidate {
    id: Uuid,
    name: String,
    password_hash: String,
}

impl Candidate {
    fn find(conn: &mut PgConnection, email: &str) -> QueryResult<Option<Self>> {
        users::table
            .filter(users::email.eq(email).and(users::active))
            .filter(users::password_hash.is_not_null())
            .select((users::id, users::name, users::password_hash.assume_not_null()))
            .first(conn)
            .optional()
    }

    /// Whether they still can: what would end all their sessions waits until this one is there.
    fn hold(&self, tx: &mut Tx<'_>) -> QueryResult<bool> {
        let same = users::active.and(users::password_hash.eq(&self.password_hash));
        let held = users::table.find(self.id).filter(same).select(users::id).for_share();
        Ok(held.first::<Uuid>(&mut **tx).optional()?.is_some())
    }
}

fn wrong() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "wrong_credentials",
        "the e-mail address or the password is wrong",
    )
    .header("WWW-Authenticate", "Bearer realm=\"tandem\"")
}

async fn fail(open: &Open, email: String) -> Result<Problem, Problem> {
    let now = Utc::now();
    let counted = move |conn: &mut PgConnection| Ok(failures::count(conn, &email, now)?);
    let locked = open.kit().run_background(counted).await?;
    Ok(locked.map_or_else(wrong, |until| failures::too_many(until, now)))
}

async fn begin(open: Open, email: String, candidate: Candidate) -> Result<Answer, Problem> {
    let kit = open.kit().clone();
    let agent = open.request().headers().get(header::USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok());
    let agent: Option<String> = agent.map(|agent| agent.chars().take(200).collect());
    let actor = Actor::outsider(candidate.id, &candidate.name);
    open.run(actor, move |tx| {
        // What was verified must still hold, and nobody else have failed once too often meanwhile.
        if !candidate.hold(tx)? {
            return Err(wrong().into());
        }
        failures::require_none_too_many(tx, &email)?;
        failures::forgive(tx, &email)?;
        let made = insert(tx, &kit, &candidate, agent.as_deref())?;
        Ok(Answer::created(&made)?)
    })
    .await
}

fn insert(tx: &mut Tx<'_>, kit: &Kit, user: &Candidate, agent: Option<&str>) -> Result<NewSession> {
    let token = auth::new_session_token();
    let session = Session {
        id: tx.mint(None),
        user_id: user.id,
        user_agent: agent.map(str::to_owned),
        created_at: tx.now(),
        expires_at: tx.now() + LASTS,
    };
    let hash = auth::hash(&token);
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(session.id),
            sessions::user_id.eq(session.user_id),
            sessions::hash.eq(&hash[..]),
            sessions::user_agent.eq(&session.user_agent),
            sessions::created_at.eq(session.created_at),
            sessions::expires_at.eq(session.expires_at),
        ))
        .execute(&mut **tx)?;
    tx.audit(None, &session)?;
    let actor = auth::of_session(tx, &hash, &kit.roles)?.ok_or_else(wrong)?;
    let me = Me::of(tx, kit, &actor)?;
    Ok(NewSession { session, token, me })
}
