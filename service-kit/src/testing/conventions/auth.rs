use super::{Findings, Operation};
use crate::auth::{Authenticated, NEED_SIGHT_OF_ALL, Permission, Role};
use crate::server::Service;
use crate::testing::{Client, INTEGRATION_KEY, Reply, TestService};
use serde_json::json;

/// Every operation × (no key, a wrong key, a revoked key, a key without the permission, each role).
///
/// Operations that apply replicas refuse the roles that write here with 409 `not_owner`, because
/// their users have to be told where the master is. Operations that are documented as open answer
/// without a key. Where people sign in, the same with sessions: one that is over opens nothing; a
/// user of a role may what a key of it may, and what belongs to everybody only with sight of all.
///
/// # Panics
/// Naming every operation that answers otherwise.
pub async fn assert_auth(test: &TestService, service: &Service) {
    findings(test, service).await.assert_none();
}

pub(super) async fn findings(test: &TestService, service: &Service) -> Findings {
    let mut findings = Findings::default();
    let operations = Operation::all(service);
    let revoked = revoked_key(&test.client).await;
    let unknown = test.client.with_key("tdm_nobody_ever_made_this_key_0123456789abcdef");
    let keyless = [
        ("no key", test.client.with_key("")),
        ("unknown key", unknown),
        ("revoked key", revoked),
    ];
    for operation in operations.iter().filter(|operation| operation.open) {
        let what = format!("{}, which is open", operation.name());
        let reply = call(&test.client.with_key(""), operation).await;
        let code = reply.body["code"].as_str().unwrap_or_default();
        findings.check(
            !["unauthorized", "forbidden"].contains(&code),
            &what,
            format_args!("answered {code}"),
        );
        findings.expect_well_formed(&what, &reply);
    }
    if service.sign_in {
        sessions(&mut findings, test, service, &operations).await;
    }
    let operations: Vec<Operation> = operations.into_iter().filter(|operation| !operation.open).collect();
    for operation in &operations {
        for (kind, client) in &keyless {
            let what = format!("{} with {kind}", operation.name());
            let reply = call(client, operation).await;
            findings.expect_problem(&what, &reply, 401, "unauthorized");
            findings.check(
                reply.headers.contains_key("www-authenticate"),
                &what,
                "no WWW-Authenticate",
            );
        }
    }
    for role in service.all_roles() {
        let client = match role.name {
            "integration" => test.client.with_key(INTEGRATION_KEY),
            name => test.client.new_key(name, &[]).await,
        };
        for operation in &operations {
            let what = format!("{} as {}", operation.name(), role.name);
            let reply = call(&client, operation).await;
            expect_decision(&mut findings, &what, operation, role, &reply);
        }
    }
    for scope in scopes(&operations)
        .into_iter()
        .filter(|scope| service.has_permission(scope) && *scope != crate::auth::APPLY)
    {
        only_what_it_names(&mut findings, &test.client, &operations, scope).await;
    }
    findings
}

fn expect_decision(findings: &mut Findings, what: &str, operation: &Operation, role: Role, reply: &Reply) {
    if operation.is_granted_by(role) {
        let refused = matches!(reply.status.as_u16(), 401 | 403);
        findings.check(!refused, what, format_args!("refused with {}", reply.body));
        findings.expect_well_formed(what, reply);
    } else if operation.applies_replica() && (role.grants)("*:write") {
        findings.expect_problem(what, reply, 409, "not_owner");
        let told = reply.body["owner"].is_string() && reply.body["owner_path"].is_string();
        findings.check(told, what, "does not say who the owner is");
    } else {
        findings.expect_problem(what, reply, 403, "forbidden");
        let required = &reply.body["required_permission"];
        findings.check(
            required.as_str() == Some(&operation.scope),
            what,
            format_args!("documents {}, requires {required}", operation.scope),
        );
    }
}

fn scopes(operations: &[Operation]) -> Vec<&str> {
    let mut scopes: Vec<&str> = operations.iter().map(|o| o.scope.as_str()).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}

/// A key with one permission opens the operations of that permission and no others.
async fn only_what_it_names(findings: &mut Findings, admin: &Client, operations: &[Operation], scope: &str) {
    let client = admin.new_key("custom", &[scope]).await;
    for operation in operations {
        let what = format!("{} with only {scope}", operation.name());
        let status = call(&client, operation).await.status.as_u16();
        // A key that writes is told the owner of a replica instead.
        let open = !matches!(status, 401 | 403) && !operation.applies_replica();
        findings.check(
            open == (operation.scope == scope || operation.scope == Authenticated::NAME),
            &what,
            format_args!("answered {status}"),
        );
    }
}

/// Every operation × (a session that was ended, one of a deactivated user, users of each role).
async fn sessions(findings: &mut Findings, test: &TestService, service: &Service, operations: &[Operation]) {
    let ended = test.user("Ended", "admin", "all", None).await;
    let token = test.session_of(&ended.id);
    token.delete("/v1/sessions/current").await.expect(204);
    let gone = test.user("Gone", "admin", "all", None).await;
    let path = format!("/v1/users/{}/deactivate", gone.id);
    test.client.post(&path, json!({})).await.expect(200);
    let keyed = || operations.iter().filter(|operation| !operation.open);
    for operation in keyed() {
        for (kind, client) in [("an ended session", &token), ("a session of nobody", &gone.client)] {
            let what = format!("{} with {kind}", operation.name());
            let reply = call(client, operation).await;
            findings.expect_problem(&what, &reply, 401, "unauthorized");
        }
    }
    for role in service
        .all_roles()
        .into_iter()
        .filter(|role| role.name != "integration")
    {
        for sees in ["all", "own"] {
            let user = test.user(&format!("{} {sees}", role.name), role.name, sees, None).await;
            for operation in keyed() {
                let what = format!("{} as a user ({}, sees {sees})", operation.name(), role.name);
                // Some of these end the session that they are made in.
                let reply = match operation.needs_session() {
                    true => call(&test.session_of(&user.id), operation).await,
                    false => call(&user.client, operation).await,
                };
                let scope = operation.scope.as_str();
                if operation.needs_session() {
                    let refused = matches!(reply.status.as_u16(), 401 | 403);
                    findings.check(!refused, &what, format_args!("refused with {}", reply.body));
                } else if sees == "own" && (role.grants)(scope) && NEED_SIGHT_OF_ALL.contains(&scope) {
                    findings.expect_problem(&what, &reply, 403, "forbidden");
                    findings.check(reply.body["required_sight"] == "all", &what, &reply.body);
                } else {
                    expect_decision(findings, &what, operation, role, &reply);
                }
            }
        }
    }
}

async fn revoked_key(admin: &Client) -> Client {
    let body = json!({ "name": "revoked", "role": "admin" });
    let made = admin.post("/v1/api-keys", body).await.expect(201);
    let path = format!("/v1/api-keys/{}", super::text(&made["id"]));
    admin.delete(&path).await.expect(200);
    admin.with_key(&super::text(&made["key"]))
}

/// Without a body: whoever may call is refused for that, and nothing changes.
async fn call(client: &Client, operation: &Operation) -> Reply {
    let request = client.request(operation.method.clone(), &operation.path_of_nothing());
    client.send(request).await
}
