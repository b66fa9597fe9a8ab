//! Saved views.

use crate::support::{crm, id};
use crate::visibility::company;
use serde_json::{Value, json};

fn view(name: &str, more: Value) -> Value {
    let mut body = json!({ "name": name, "record_type": "customer" });
    crate::sales::merge(&mut body, &more);
    body
}

#[actix_web::test]
async fn a_view_is_a_list_under_a_name() {
    let crm = crm().await;
    for (name, grade) in [("Zeta", "A"), ("Alpha", "A"), ("Other", "B")] {
        let body = json!({ "name": name, "kind": "company", "grade": grade });
        crm.client.post("/v1/customers", body).await.expect(201);
    }
    let body = view(
        "Best",
        json!({
            "filters": [{ "name": "filter", "value": "grade = \"A\"" }, { "name": "status", "value": "active" }],
            "sort": "-name", "columns": ["name", "grade", "credit"],
        }),
    );
    let saved = crm.client.post("/v1/views", body).await.expect(201);
    assert_eq!(
        saved["path"],
        "/v1/customers?filter=grade%20%3D%20%22A%22&status=active&sort=-name"
    );
    let page = crm.client.get(saved["path"].as_str().unwrap()).await.expect(200);
    let names: Vec<&str> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Zeta", "Alpha"]);
    let path = format!("/v1/views/{}", id(&saved));
    let changed = crm
        .client
        .patch(&path, json!({ "sort": null, "filters": [] }))
        .await
        .expect(200);
    assert_eq!(
        (&changed["path"], &changed["revision"]),
        (&json!("/v1/customers"), &json!(2))
    );
    crm.client
        .post("/v1/views", view("BEST", json!({})))
        .await
        .expect_problem(409, "duplicate");
    let delete = crm
        .client
        .request(reqwest::Method::DELETE, &path)
        .header("If-Match", "\"2\"");
    crm.client.send(delete).await.expect(204);
    crm.client.get(&path).await.expect_problem(404, "not_found");
}

#[actix_web::test]
async fn what_the_list_would_refuse_is_refused_now_and_all_of_it() {
    let crm = crm().await;
    let faulty = view(
        "Faulty",
        json!({
            "filters": [
                { "name": "status", "value": "asleep" },
                { "name": "colour", "value": "red" },
                { "name": "limit", "value": "5" },
                { "name": "owner_id", "value": "me" },
                { "name": "filter", "value": "grad = 'A' and orders.count > 'x'" },
                { "name": "tag", "value": "a" },
                { "name": "tag", "value": "b" },
            ],
            "sort": "-colour", "columns": ["name", "nothing", "custom.region", "name"],
        }),
    );
    let refused = crm
        .client
        .post("/v1/views", faulty)
        .await
        .expect_problem(422, "invalid_input");
    let faults: Vec<(&str, &str)> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        faults,
        [
            ("/filters/0/value", "invalid_value"),
            ("/filters/1/name", "unknown_filter"),
            ("/filters/2/name", "unknown_filter"),
            ("/filters/3/value", "invalid_value"),
            ("/filters/4/value", "unknown_field"),
            ("/filters/4/value", "wrong_type"),
            ("/filters/6/name", "duplicate"),
            ("/sort", "unknown_sort"),
            ("/columns/1", "unknown_column"),
            ("/columns/2", "unknown_column"),
            ("/columns/3", "duplicate"),
        ]
    );
    let places: Vec<i64> = refused["positions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["position"].as_i64().unwrap())
        .collect();
    assert_eq!(places, [1, 31]);
}

#[actix_web::test]
async fn every_list_takes_the_orders_that_a_view_may_have() {
    let crm = crm().await;
    for (record, sorts) in [
        ("customer", &["created_at", "-name"][..]),
        ("deal", &["name", "-expected_close_on", "created_at"]),
        ("order", &["order_date", "-created_at"]),
        ("activity", &["due", "-created_at"]),
        ("invoice", &["date", "-created_at"]),
    ] {
        for sort in sorts {
            let body =
                json!({ "name": format!("{record} {sort}"), "record_type": record, "sort": sort, "columns": ["id"] });
            let saved = crm.client.post("/v1/views", body).await.expect(201);
            crm.client.get(saved["path"].as_str().unwrap()).await.expect(200);
        }
        let body = json!({ "name": "x", "record_type": record, "sort": "nothing" });
        crm.client
            .post("/v1/views", body)
            .await
            .expect_problem(422, "unknown_sort");
    }
    let field = json!({ "record_type": "customer", "key": "region", "label": "Region", "type": "text" });
    crm.client.post("/v1/custom-fields", field).await.expect(201);
    let body = view(
        "Regions",
        json!({ "sort": "-custom.region", "columns": ["name", "custom.region"] }),
    );
    let saved = crm.client.post("/v1/views", body).await.expect(201);
    crm.client.get(saved["path"].as_str().unwrap()).await.expect(200);
}

#[actix_web::test]
async fn a_view_is_ones_own_until_it_is_shared_with_ones_team() {
    let c = company().await;
    let mine = c
        .ana
        .client
        .post("/v1/views", view("Mine", json!({})))
        .await
        .expect(201);
    let path = format!("/v1/views/{}", id(&mine));
    assert_eq!(mine["owner_id"], json!(c.ana.id));
    // Lea is in Ana's team, Nils in the team below, Otto sees everything.
    assert_eq!(c.who_gets(&path).await, [true, false, false, false, true]);
    assert_eq!(c.how_many("/v1/views").await, [1, 0, 0, 0, 1]);
    c.ana
        .client
        .patch(&path, json!({ "team_id": c.south }))
        .await
        .expect_problem(422, "unknown_team");
    c.ana
        .client
        .patch(&path, json!({ "team_id": c.north }))
        .await
        .expect(200);
    assert_eq!(c.who_gets(&path).await, [true, false, false, true, true]);
    assert_eq!(c.how_many("/v1/views?q=mi").await, [1, 0, 0, 1, 1]);
    // Who it is shared with does not change it, and who does not see it does not know of it.
    c.lea
        .client
        .patch(&path, json!({ "name": "Ours" }))
        .await
        .expect_problem(409, "not_yours");
    c.sofia
        .client
        .patch_matching(&path, "\"2\"", json!({ "name": "Theirs" }))
        .await
        .expect_problem(404, "not_found");
    let delete = c
        .lea
        .client
        .request(reqwest::Method::DELETE, &path)
        .header("If-Match", "\"2\"");
    c.lea.client.send(delete).await.expect_problem(409, "not_yours");
    c.ana.client.patch(&path, json!({ "team_id": null })).await.expect(200);
    c.lea.client.get(&path).await.expect_problem(404, "not_found");
    // Names are one's own.
    c.lea
        .client
        .post("/v1/views", view("Mine", json!({})))
        .await
        .expect(201);
}
