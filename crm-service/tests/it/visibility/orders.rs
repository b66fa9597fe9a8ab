use super::{company, to};
use crate::sales::{merge, new_id, order, report, tell};
use crate::support::{customer, id, timeline_kinds};
use serde_json::{Value, json};
use service_kit::testing::Client;

async fn place(client: &Client, of: &Value, changes: Value) -> Value {
    let mut body = order(of);
    merge(&mut body, &changes);
    client.post("/v1/orders", body).await.expect(201)
}

#[actix_web::test]
async fn an_order_belongs_to_who_placed_it_or_to_the_customers_owner() {
    let company = company().await;
    let of = customer(&company.ana.client, "A").await;
    let owner = |order: &Value| (order["owner_id"].clone(), order["team_id"].clone());
    let anas = (json!(company.ana.id), json!(company.north));
    let sofias = (json!(company.sofia.id), json!(company.south));
    assert_eq!(
        owner(&place(&company.ana.client, &of, json!({ "external_ref": "1" })).await),
        anas
    );
    assert_eq!(
        owner(&place(&company.crm.client, &of, json!({ "external_ref": "2" })).await),
        anas
    );
    let by_otto = place(&company.otto.client, &of, json!({ "external_ref": "3" })).await;
    assert_eq!(owner(&by_otto), (json!(company.otto.id), json!(null)));
    let given = place(
        &company.crm.client,
        &of,
        json!({ "external_ref": "4", "owner_id": company.sofia.id }),
    )
    .await;
    assert_eq!(owner(&given), sofias);
    // A copy is made by somebody as well; a key copies for the owner of the original.
    let copy = format!("/v1/orders/{}/copy", id(&given));
    assert_eq!(
        owner(&company.crm.client.post(&copy, json!({})).await.expect(201)),
        sofias
    );
    assert_eq!(
        owner(&company.otto.client.post(&copy, json!({})).await.expect(201)).0,
        json!(company.otto.id)
    );
    // What the back office places is its customer's owner's.
    let mut told = report(&given, 1, "confirmed");
    merge(
        &mut told["order"],
        &json!({ "id": new_id(), "origin": "erp", "external_ref": null }),
    );
    for line in told["order"]["lines"].as_array_mut().unwrap() {
        line["id"] = json!(new_id());
    }
    let taken_over = tell(&company.crm.integration(), &told).await.expect(201);
    assert_eq!(owner(&taken_over), anas);
    assert_eq!(company.how_many("/v1/orders").await, [3, 0, 2, 3, 7]);
}

#[actix_web::test]
async fn an_order_follows_its_own_owner() {
    let company = company().await;
    let of = customer(&company.ana.client, "A").await;
    let sent = place(
        &company.otto.client,
        &of,
        json!({ "submit": true, "owner_id": company.sofia.id }),
    )
    .await;
    let path = format!("/v1/orders/{}", id(&sent));
    // Ana sees the customer, Sofia the order; nobody but Otto sees both.
    assert_eq!(company.who_gets(&path).await, [false, false, true, false, true]);
    assert_eq!(
        company.how_many(&format!("/v1/orders?customer_id={}", id(&of))).await,
        [0, 0, 1, 0, 1]
    );
    let mut told = report(&sent, 2, "partially_delivered");
    told["order"]["deliveries"] = json!([{ "id": new_id(), "number": "DL-1", "date": "2026-11-20", "lines": [] }]);
    tell(&company.crm.integration(), &told).await.expect(200);
    let all = ["order_submitted", "customer_created"];
    assert!(
        timeline_kinds(&company.otto.client, id(&of))
            .await
            .iter()
            .any(|kind| kind == all[0])
    );
    // The delivery is the ERP's fact about the customer; the order is Sofia's.
    let kinds = timeline_kinds(&company.ana.client, id(&of)).await;
    assert!(!kinds.iter().any(|kind| kind.starts_with("order_")), "{kinds:?}");
    assert!(kinds.contains(&"delivery".to_owned()), "{kinds:?}");
    // Commands of each kind.
    for (verb, body) in [
        ("submit", json!({})),
        ("copy", json!({})),
        ("cancel", json!({})),
        ("assign", to(&company.ana)),
        (
            "change-requests",
            json!({ "requests": [{ "kind": "date", "requested_date": "2099-12-31" }] }),
        ),
    ] {
        company
            .ana
            .client
            .post(&format!("{path}/{verb}"), body)
            .await
            .expect_problem(404, "not_found");
    }
    company
        .ana
        .client
        .patch_matching(&path, "*", json!({ "external_ref": "x" }))
        .await
        .expect_problem(404, "not_found");
    let mut whole = order(&of);
    for field in ["id", "submit"] {
        whole.as_object_mut().unwrap().remove(field);
    }
    company
        .ana
        .client
        .put(&path, whole)
        .await
        .expect_problem(404, "not_found");
    // Given to Ana, it comes with all that was told of it.
    let given = company
        .sofia
        .client
        .post(&format!("{path}/assign"), to(&company.ana))
        .await
        .expect(200);
    assert_eq!(given["owner_id"], json!(company.ana.id));
    assert_eq!(company.who_gets(&path).await, [true, false, false, true, true]);
    let kinds = timeline_kinds(&company.ana.client, id(&of)).await;
    assert_eq!(kinds, timeline_kinds(&company.otto.client, id(&of)).await);
    assert!(
        kinds.contains(&"order_submitted".to_owned()) && kinds.contains(&"order_assigned".to_owned()),
        "{kinds:?}"
    );
}

#[actix_web::test]
async fn an_order_on_a_colleagues_customer_goes_on_but_none_begins() {
    let company = company().await;
    let of = customer(&company.ana.client, "A").await;
    let mut body = order(&of);
    merge(&mut body, &json!({ "external_ref": "of-sofia" }));
    let problem = company
        .sofia
        .client
        .post("/v1/orders", body)
        .await
        .expect_problem(422, "unknown_customer");
    let mut unknown = order(&of);
    merge(
        &mut unknown,
        &json!({ "customer_id": new_id(), "external_ref": "of-nobody" }),
    );
    let same = company
        .sofia
        .client
        .post("/v1/orders", unknown)
        .await
        .expect_problem(422, "unknown_customer");
    assert_eq!(
        (&problem["errors"], &problem["detail"]),
        (&same["errors"], &same["detail"])
    );
    let draft = place(&company.ana.client, &of, json!({})).await;
    let path = format!("/v1/orders/{}", id(&draft));
    company
        .ana
        .client
        .post(&format!("{path}/assign"), to(&company.sofia))
        .await
        .expect(200);
    company
        .sofia
        .client
        .patch(&path, json!({ "requested_date": "2099-12-31" }))
        .await
        .expect(200);
    let own = customer(&company.sofia.client, "B").await;
    let theirs = customer(&company.nils.client, "C").await;
    let reply = company
        .sofia
        .client
        .patch(&path, json!({ "customer_id": theirs["id"] }))
        .await;
    reply.expect_problem(422, "unknown_customer");
    company
        .sofia
        .client
        .post(&format!("{path}/copy"), json!({}))
        .await
        .expect(201);
    company
        .sofia
        .client
        .post(&format!("{path}/submit"), json!({}))
        .await
        .expect(200);
    place(&company.sofia.client, &own, json!({ "external_ref": "own" })).await;
}
