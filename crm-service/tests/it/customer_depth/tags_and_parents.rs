use crate::support::{crm, customer, id};
use futures_util::future::join_all;
use serde_json::{Value, json};

#[actix_web::test]
async fn tags_are_kept_once_and_in_order() {
    let crm = crm().await;
    let body = json!({ "name": "Tagged", "kind": "company", "tags": ["vip", "Messe Köln", "b"] });
    let made = crm.client.post("/v1/customers", body).await.expect(201);
    assert_eq!(made["tags"], json!(["b", "Messe Köln", "vip"]));
    let path = format!("/v1/customers/{}", id(&made));
    let same = crm
        .client
        .patch(&path, json!({ "tags": ["Messe Köln", "vip", "b"] }))
        .await
        .expect(200);
    assert_eq!(same["revision"], 1, "the same tags in another order are no change");
    let found = crm.client.get("/v1/customers?tag=Messe%20K%C3%B6ln").await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        crm.client.get("/v1/customers?tag=vi").await.expect(200)["items"],
        json!([])
    );
    for bad in [
        json!([" vip"]),
        json!([""]),
        json!(["a\nb"]),
        json!(["x".repeat(61)]),
        json!(vec!["x"; 51]),
    ] {
        let reply = crm.client.patch(&path, json!({ "tags": bad })).await;
        assert_eq!(reply.status, 422, "{bad}: {}", reply.body);
    }
    let none = crm.client.patch(&path, json!({ "tags": [] })).await.expect(200);
    assert_eq!(none["tags"], json!([]));
}

#[actix_web::test]
async fn companies_form_trees() {
    let crm = crm().await;
    let mut chain: Vec<Value> = Vec::new();
    for level in 0..10 {
        let parent = chain.last().map(|parent| parent["id"].clone());
        let body = json!({ "name": format!("Level {level}"), "kind": "company", "parent_id": parent });
        chain.push(crm.client.post("/v1/customers", body).await.expect(201));
    }
    let body = json!({ "name": "Level 10", "kind": "company", "parent_id": chain[9]["id"] });
    crm.client
        .post("/v1/customers", body)
        .await
        .expect_problem(422, "too_deep");
    let top = format!("/v1/customers/{}", id(&chain[0]));
    for below in [0, 1, 9] {
        let reply = crm.client.patch(&top, json!({ "parent_id": chain[below]["id"] })).await;
        assert_eq!(
            reply.expect_problem(422, "customer_cycle")["errors"][0]["pointer"],
            "/parent_id"
        );
    }
    let another = customer(&crm.client, "Holding").await;
    let reply = crm.client.patch(&top, json!({ "parent_id": another["id"] })).await;
    reply.expect_problem(422, "too_deep");
    let bottom = format!("/v1/customers/{}", id(&chain[9]));
    let moved = crm
        .client
        .patch(&bottom, json!({ "parent_id": another["id"] }))
        .await
        .expect(200);
    assert_eq!(moved["parent_id"], another["id"]);
    let of = crm
        .client
        .get(&format!("/v1/customers?parent_id={}", id(&another)))
        .await
        .expect(200);
    assert_eq!(of["items"][0]["name"], "Level 9");
    crm.client
        .patch(&top, json!({ "parent_id": another["id"] }))
        .await
        .expect(200);
}

#[actix_web::test]
async fn two_who_close_a_circle_do_not_both_win() {
    let crm = crm().await;
    for round in 0..8 {
        let (one, other) = (
            customer(&crm.client, &format!("One {round}")).await,
            customer(&crm.client, &format!("Other {round}")).await,
        );
        let set = |of: &Value, parent: &Value| {
            let (client, path, parent) = (
                crm.client.clone(),
                format!("/v1/customers/{}", id(of)),
                parent["id"].clone(),
            );
            async move {
                client
                    .patch(&path, json!({ "parent_id": parent }))
                    .await
                    .status
                    .as_u16()
            }
        };
        let mut statuses = join_all([set(&one, &other), set(&other, &one)]).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422]);
    }
}
