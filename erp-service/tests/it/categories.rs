use crate::given;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use futures_util::future::join;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_category_is_made_found_and_emitted() {
    let service = given::erp().await;
    let erp = &service.client;
    let body = json!({ "name": "Beverages", "description": "Soft drinks, coffees, teas", "external_ref": "1" });
    let reply = erp.post("/v1/categories", body).await;
    let location = reply.headers["location"].to_str().unwrap().to_owned();
    let made = reply.expect(201);
    assert_eq!(location, given::path("categories", &made));
    assert_eq!(erp.get(&location).await.expect(200), made);
    assert_eq!(
        (&made["version"], &made["revision"], &made["parent_id"]),
        (&json!(1), &json!(1), &json!(null))
    );
    let found = erp.get("/v1/categories?external_ref=1").await.expect(200);
    assert_eq!(found["items"], json!([made]));
    let found = erp.get("/v1/categories?q=bever").await.expect(200);
    assert_eq!(found["items"], json!([made]));
    let events = given::events(erp, "category.changed").await;
    assert_eq!(given::of(&events, &made), [(1, &made)]);
}

#[tokio::test]
async fn put_creates_repeats_and_changes_with_if_match() {
    let service = given::erp().await;
    let erp = &service.client;
    let path = format!("/v1/categories/{}", Uuid::now_v7());
    let made = erp.put(&path, json!({ "name": "Tea" })).await.expect(201);
    let same = erp
        .put(&path, json!({ "name": "Tea", "parent_id": null }))
        .await
        .expect(200);
    assert_eq!(same, made);
    erp.put(&path, json!({ "name": "Teas" }))
        .await
        .expect_problem(428, "precondition_required");
    let request = |etag: &str| {
        let request = erp.request(reqwest::Method::PUT, &path);
        request.header("If-Match", etag).json(&json!({ "name": "Teas" }))
    };
    let changed = erp.send(request("\"1\"")).await.expect(200);
    assert_eq!((&changed["name"], &changed["version"]), (&json!("Teas"), &json!(2)));
    let stale = json!({ "name": "Tee" });
    let problem = erp
        .patch_matching(&path, "\"1\"", stale)
        .await
        .expect_problem(412, "stale");
    assert_eq!(problem["changed_fields"], json!(["name"]));
    let other = erp.put(&path, json!({ "id": Uuid::now_v7(), "name": "Teas" })).await;
    other.expect_problem(422, "id_mismatch");
    let events = given::events(erp, "category.changed").await;
    let versions: Vec<i64> = given::of(&events, &made)
        .into_iter()
        .map(|(version, _)| version)
        .collect();
    assert_eq!(versions, [1, 2]);
}

#[tokio::test]
async fn no_category_is_its_own_ancestor() {
    let service = given::erp().await;
    let erp = &service.client;
    let top = given::category(erp, "top").await;
    let below = json!({ "name": "below", "parent_id": top["id"] });
    let below = erp.post("/v1/categories", below).await.expect(201);
    let lowest = json!({ "name": "lowest", "parent_id": below["id"] });
    let lowest = erp.post("/v1/categories", lowest).await.expect(201);
    for parent in [&top, &below, &lowest] {
        let patch = json!({ "parent_id": parent["id"] });
        let problem = erp.patch(&given::path("categories", &top), patch).await;
        let problem = problem.expect_problem(422, "category_cycle");
        assert_eq!(given::faults(&problem), [("/parent_id", "category_cycle")]);
    }
    let id = Uuid::now_v7();
    let own = json!({ "id": id, "name": "its own parent", "parent_id": id });
    erp.post("/v1/categories", own)
        .await
        .expect_problem(422, "category_cycle");
    let nowhere = json!({ "name": "nowhere", "parent_id": Uuid::now_v7() });
    erp.post("/v1/categories", nowhere)
        .await
        .expect_problem(422, "unknown_category");
    // A move that closes no circle is fine, and so is a way back to the top.
    let moved = json!({ "parent_id": top["id"] });
    erp.patch(&given::path("categories", &lowest), moved).await.expect(200);
    let freed = json!({ "parent_id": null });
    let freed = erp.patch(&given::path("categories", &lowest), freed).await.expect(200);
    assert_eq!(freed["parent_id"], json!(null));
    let children = format!("/v1/categories?parent_id={}", top["id"].as_str().unwrap());
    assert_eq!(erp.get(&children).await.expect(200)["items"], json!([below]));
}

#[tokio::test]
async fn two_moves_at_once_close_no_circle() {
    let service = given::erp().await;
    let erp = &service.client;
    for round in 0..10 {
        let a = given::category(erp, &format!("a{round}")).await;
        let b = given::category(erp, &format!("b{round}")).await;
        let (path_a, path_b) = (given::path("categories", &a), given::path("categories", &b));
        let (one, two) = join(
            erp.patch_matching(&path_a, "\"1\"", json!({ "parent_id": b["id"] })),
            erp.patch_matching(&path_b, "\"1\"", json!({ "parent_id": a["id"] })),
        )
        .await;
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{} {}", one.body, two.body);
    }
}

#[tokio::test]
async fn the_database_refuses_a_circle_too() {
    let service = given::erp().await;
    let erp = &service.client;
    let top = given::category(erp, "top").await;
    let below = json!({ "name": "below", "parent_id": top["id"] });
    let below = erp.post("/v1/categories", below).await.expect(201);
    let mut conn = PgConnection::establish(&service.database.url).unwrap();
    let circle = format!(
        "UPDATE categories SET parent_id = '{}' WHERE id = '{}'",
        below["id"].as_str().unwrap(),
        top["id"].as_str().unwrap()
    );
    match conn.batch_execute(&circle) {
        Err(diesel::result::Error::DatabaseError(_, info)) => {
            assert_eq!(info.constraint_name(), Some("categories_acyclic"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_external_ref_is_unique() {
    let service = given::erp().await;
    let erp = &service.client;
    erp.post("/v1/categories", json!({ "name": "a", "external_ref": "1" }))
        .await
        .expect(201);
    let second = erp
        .post("/v1/categories", json!({ "name": "b", "external_ref": "1" }))
        .await;
    let problem = second.expect_problem(409, "duplicate");
    assert_eq!(given::faults(&problem), [("/external_ref", "duplicate")]);
    let third = given::category(erp, "c").await;
    let taken = json!({ "external_ref": "1" });
    let problem = erp.patch(&given::path("categories", &third), taken).await;
    problem.expect_problem(409, "duplicate");
    let again = json!({ "id": third["id"], "name": "d" });
    erp.post("/v1/categories", again).await.expect_problem(409, "duplicate");
}
