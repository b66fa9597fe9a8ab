//! Users: made, changed, let in and let out.

use crate::support::{crm, id};
use serde_json::json;

#[actix_web::test]
async fn a_user_is_made_and_changed() {
    let crm = crm().await;
    let team = crm.team("North", None).await;
    let body = json!({
        "name": "Ana Trujillo", "email": "Ana.Trujillo@Example.com", "role": "sales", "permissions": ["api_keys:manage"],
        "sees": "team", "team_id": team,
    });
    let made = crm.client.post("/v1/users", body).await.expect(201);
    assert_eq!(made["email"], "ana.trujillo@example.com");
    assert_eq!(
        (&made["active"], &made["has_password"], &made["revision"]),
        (&json!(true), &json!(false), &json!(1))
    );
    let path = format!("/v1/users/{}", id(&made));
    let changed = crm
        .client
        .patch(&path, json!({ "sees": "own", "team_id": null }))
        .await
        .expect(200);
    assert_eq!(
        (&changed["sees"], &changed["team_id"], &changed["revision"]),
        (&json!("own"), &json!(null), &json!(2))
    );
    crm.client
        .patch_matching(&path, "\"1\"", json!({ "name": "Ana" }))
        .await
        .expect_problem(412, "stale");
    crm.user("Bert", "viewer", "all", Some(&team)).await;
    let found = |query: &str| {
        let (client, path) = (crm.client.clone(), format!("/v1/users?{query}"));
        async move {
            let page = client.get(&path).await.expect(200);
            let names = page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|user| user["name"].as_str().unwrap().to_owned());
            names.collect::<Vec<_>>()
        }
    };
    assert_eq!(found("").await, ["Ana Trujillo", "Bert"]);
    assert_eq!(found("sort=-name").await, ["Bert", "Ana Trujillo"]);
    assert_eq!(found("q=TRUJ").await, ["Ana Trujillo"]);
    assert_eq!(found("role=viewer").await, ["Bert"]);
    assert_eq!(found(&format!("team_id={team}")).await, ["Bert"]);
    assert_eq!(found("active=false").await, Vec::<String>::new());
}

#[actix_web::test]
async fn all_faults_of_a_user_are_named() {
    let crm = crm().await;
    let body = json!({
        "name": "X", "email": "x@example.com", "role": "integration", "permissions": ["orders:read", "orders:fly", "integration:apply"],
        "sees": "own", "team_id": "00000000-0000-7000-8000-000000000000",
    });
    let problem = crm
        .client
        .post("/v1/users", body)
        .await
        .expect_problem(422, "invalid_input");
    let faults: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (&e["pointer"], &e["code"]))
        .collect();
    assert_eq!(
        json!(faults),
        json!([
            ["/role", "unknown_value"],
            ["/permissions/1", "unknown_value"],
            ["/permissions/2", "unknown_value"],
            ["/team_id", "unknown_team"],
        ])
    );
    crm.user("Ana", "sales", "own", None).await;
    let twin = json!({ "name": "Y", "email": "ANA@example.com", "role": "sales", "sees": "own" });
    let problem = crm
        .client
        .post("/v1/users", twin)
        .await
        .expect_problem(409, "duplicate");
    assert_eq!(problem["errors"][0]["pointer"], "/email");
}

#[actix_web::test]
async fn deactivation_and_changes_work_at_once() {
    let crm = crm().await;
    let ana = crm.user("Ana", "sales", "own", None).await;
    let path = format!("/v1/users/{}", ana.id);
    ana.client.get("/v1/customers").await.expect(200);
    crm.client.patch(&path, json!({ "role": "custom" })).await.expect(200);
    ana.client.get("/v1/customers").await.expect_problem(403, "forbidden");
    crm.client.patch(&path, json!({ "role": "sales" })).await.expect(200);
    ana.client.get("/v1/customers").await.expect(200);
    let gone = crm
        .client
        .post(&format!("{path}/deactivate"), json!({}))
        .await
        .expect(200);
    assert_eq!(gone["active"], false);
    ana.client
        .get("/v1/customers")
        .await
        .expect_problem(401, "unauthorized");
    let problem = crm.client.post(&format!("{path}/deactivate"), json!({})).await;
    let problem = problem.expect_problem(409, "illegal_transition");
    assert_eq!(problem["allowed_actions"], json!(["activate"]));
    crm.client
        .post(&format!("{path}/activate"), json!({}))
        .await
        .expect(200);
    // What has ended stays so.
    ana.client
        .get("/v1/customers")
        .await
        .expect_problem(401, "unauthorized");
    let again = crm.session_of(&ana.id);
    again.get("/v1/customers").await.expect(200);
    crm.client.delete(&format!("{path}/sessions")).await.expect(204);
    again.get("/v1/customers").await.expect_problem(401, "unauthorized");
}

#[actix_web::test]
async fn nobody_makes_somebody_mightier_than_themselves() {
    let crm = crm().await;
    let lead = crm.client.new_key("sales", &["users:manage"]).await;
    let user = |name: &str, role: &str, permissions: &[&str]| json!({ "name": name, "email": format!("{name}@example.com"), "role": role, "permissions": permissions, "sees": "own" });
    lead.post("/v1/users", user("a", "sales", &[])).await.expect(201);
    lead.post("/v1/users", user("b", "sales", &["users:manage"]))
        .await
        .expect(201);
    let problem = lead.post("/v1/users", user("c", "admin", &[])).await;
    let problem = problem.expect_problem(403, "forbidden");
    assert!(problem["required_permission"].is_string(), "{problem:#}");
    let problem = lead.post("/v1/users", user("d", "custom", &["api_keys:manage"])).await;
    let problem = problem.expect_problem(403, "forbidden");
    assert_eq!(problem["required_permission"], "api_keys:manage");
    let admin = crm.user("Root", "admin", "all", None).await;
    let path = format!("/v1/users/{}", admin.id);
    lead.patch(&path, json!({ "role": "viewer" }))
        .await
        .expect_problem(403, "forbidden");
    let password = json!({ "password": "a password of mine" });
    lead.post(&format!("{path}/password"), password)
        .await
        .expect_problem(403, "forbidden");
    lead.post(&format!("{path}/deactivate"), json!({}))
        .await
        .expect_problem(403, "forbidden");
    lead.delete(&format!("{path}/sessions"))
        .await
        .expect_problem(403, "forbidden");
    admin.client.get("/v1/users").await.expect(200);
}
