//! The conventions find what breaks them.

use super::{Findings, auth, bad_input, documents};
use crate::server::Service;
use crate::testing::TestService;
use crate::{Answer, Body, Command, Path, Problem, Read, Routes};
use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

crate::permissions! {
    ReadThings = "things:read",
    WriteThings = "things:write",
}

#[derive(Serialize, Deserialize, ToSchema)]
struct Thing {
    name: String,
    parts: Vec<i32>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct LoosePath {
    #[param(value_type = uuid::Uuid)]
    id: String,
}

/// Documents another permission than it needs, and bounds nothing.
#[utoipa::path(tag = "things", request_body = Thing, security(("api_key" = ["things:read"])),
    responses((status = 201, description = "A thing", body = Thing)))]
#[post("/things")]
async fn make(_: Command<WriteThings>, body: Body<Thing>) -> Result<Answer, Problem> {
    Answer::json(&body.0).map_err(|_| Problem::internal())
}

/// Takes anything for an id, and documents a permission that there is not.
#[utoipa::path(tag = "things", params(LoosePath), security(("api_key" = ["things:fly"])),
    responses((status = 200, description = "A thing", body = Thing)))]
#[get("/things/{id}")]
async fn get_thing(_: Read<ReadThings>, path: Path<LoosePath>) -> Result<Answer, Problem> {
    Answer::json(&path.id).map_err(|_| Problem::internal())
}

const CARELESS: Service = Service {
    name: "careless",
    title: "Careless",
    description: "Breaks the conventions.",
    migrations: &crate::migrations::KIT,
    routes: |routes: &mut Routes| {
        routes.add(make).add(get_thing);
    },
    roles: &[],
    permissions: ALL,
    constraints: &[],
    imports: &[],
    describe: None,
    sign_in: false,
    background: &[],
};

#[track_caller]
fn assert_found(findings: &Findings, wanted: &[&str]) {
    for wanted in wanted {
        let found = findings.0.iter().any(|finding| finding.contains(wanted));
        assert!(found, "{wanted:?} is not in {:#?}", findings.0);
    }
}

#[test]
fn careless_documents_are_found() {
    let findings = documents::findings(&CARELESS);
    assert_found(
        &findings,
        &[
            "POST /v1/things: operationId \"make\" is not verb_resource",
            "GET /v1/things/{id}: there is no permission \"things:fly\"",
            "POST /v1/things body.name: the string has no maxLength",
            "POST /v1/things body.parts: the array has no maxItems",
            "POST /v1/things body: the object takes unknown fields",
        ],
    );
}

#[tokio::test]
async fn careless_handlers_are_found() {
    let test = TestService::start(CARELESS, |_, _| {}).await;
    let found = auth::findings(&test, &CARELESS).await;
    assert_found(
        &found,
        &[
            "POST /v1/things as viewer: refused with",
            "POST /v1/things as custom: documents things:read, requires \"things:write\"",
            "POST /v1/things with only things:read: answered 403",
            "GET /v1/things/{id} as custom: documents things:fly",
        ],
    );
    let found = bad_input::findings(&test, &CARELESS).await;
    assert_found(
        &found,
        &["GET /v1/things/{id}, unknown id: expected 404 not_found, got (200"],
    );
}
