//! Changes are based on what the client has seen.

use crate::given;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_change_needs_the_tag_and_a_stale_one_learns_what_changed() {
    let service = given::erp().await;
    let erp = &service.client;
    let path = given::path("products", &given::product(erp, "A").await);
    let first = erp.get(&path).await.etag();
    let blind = erp.request(Method::PATCH, &path).json(&json!({ "name": "x" }));
    erp.send(blind).await.expect_problem(428, "precondition_required");
    erp.patch_matching(&path, &first, json!({ "name": "B", "description": "new" }))
        .await
        .expect(200);
    erp.patch(&path, json!({ "sku": "B" })).await.expect(200);
    let stale = erp.patch_matching(&path, &first, json!({ "name": "C" })).await;
    let problem = stale.expect_problem(412, "stale");
    assert_eq!(problem["changed_fields"], json!(["description", "name", "sku"]));
    assert_eq!(problem["etag"], json!(erp.get(&path).await.etag()));
    // Based on the second state, only the last change is news.
    let problem = erp.patch_matching(&path, "\"2\"", json!({ "name": "C" })).await;
    assert_eq!(problem.expect_problem(412, "stale")["changed_fields"], json!(["sku"]));
    for nonsense in ["3", "W/\"3\"", "\"x\"", "\"99\"", "\"\""] {
        let reply = erp.patch_matching(&path, nonsense, json!({ "name": "C" })).await;
        assert_eq!(reply.status.as_u16(), 412, "{nonsense}: {}", reply.body);
    }
    erp.patch_matching(&path, "\"1\", \"3\"", json!({ "name": "C" }))
        .await
        .expect(200);
    erp.patch_matching(&path, "*", json!({ "name": "D" })).await.expect(200);
}

#[tokio::test]
async fn of_many_changes_based_on_one_state_one_wins() {
    let service = given::erp().await;
    let erp = &service.client;
    let path = given::path("products", &given::product(erp, "A").await);
    let changes = (0..12).map(|number| {
        let (erp, path) = (erp.clone(), path.clone());
        async move {
            erp.patch_matching(&path, "\"1\"", json!({ "name": format!("n{number}") }))
                .await
        }
    });
    let mut statuses: Vec<u16> = join_all(changes)
        .await
        .iter()
        .map(|reply| reply.status.as_u16())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(statuses[1..].iter().all(|status| *status == 412), "{statuses:?}");
    assert_eq!(erp.get(&path).await.expect(200)["revision"], 2);
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let service = given::erp().await;
    let erp = &service.client;
    let path = given::path("products", &given::product(erp, "A").await);
    let etag = erp.get(&path).await.etag();
    let conditional = || erp.request(Method::GET, &path).header("If-None-Match", &etag);
    let same = erp.send(conditional()).await;
    assert_eq!((same.status.as_u16(), &same.body), (304, &json!("")));
    erp.patch(&path, json!({ "name": "New" })).await.expect(200);
    erp.send(conditional()).await.expect(200);
}
