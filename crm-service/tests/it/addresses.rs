use crate::support::{crm, customer, id, timeline_kinds};
use serde_json::json;

#[actix_web::test]
async fn an_address_is_made_changed_and_removed() {
    let crm = crm().await;
    let of = customer(&crm.client, "Ōkami").await;
    let list = format!("/v1/customers/{}/addresses", id(&of));
    let body = json!({ "kind": "shipping", "street": "千代田1-1\nビル5階", "city": "東京", "postal_code": "100-0001", "country": "JP" });
    let made = crm.client.post(&list, body).await.expect(201);
    assert_eq!(
        (&made["street"], &made["region"]),
        (&json!("千代田1-1\nビル5階"), &json!(null))
    );
    let path = format!("/v1/addresses/{}", id(&made));
    let moved = json!({ "kind": "billing", "city": "大阪", "region": "関西", "postal_code": null });
    let changed = crm.client.patch(&path, moved).await.expect(200);
    assert_eq!(
        (
            &changed["kind"],
            &changed["city"],
            &changed["region"],
            &changed["postal_code"],
            &changed["country"]
        ),
        (
            &json!("billing"),
            &json!("大阪"),
            &json!("関西"),
            &json!(null),
            &json!("JP")
        )
    );
    assert_eq!(crm.client.get(&list).await.expect(200)["items"], json!([changed]));
    let whole = crm.client.get(&format!("/v1/customers/{}", id(&of))).await.expect(200);
    assert_eq!((&whole["addresses"], &whole["version"]), (&json!([changed]), &json!(3)));
    assert_eq!(crm.client.delete(&path).await.status, 204);
    assert_eq!(crm.client.get(&list).await.expect(200)["items"], json!([]));
    assert_eq!(
        timeline_kinds(&crm.client, id(&of)).await,
        [
            "address_removed",
            "address_changed",
            "address_added",
            "customer_created"
        ]
    );
}

#[actix_web::test]
async fn a_country_is_a_country() {
    let crm = crm().await;
    let of = customer(&crm.client, "Somewhere").await;
    let list = format!("/v1/customers/{}/addresses", id(&of));
    for country in ["UK", "de", "DEU", "", "EU"] {
        let body = json!({ "kind": "office", "street": "s", "city": "c", "country": country });
        let problem = crm.client.post(&list, body).await.expect_problem(422, "unknown_value");
        assert_eq!(problem["errors"][0]["pointer"], "/country");
    }
    let body = json!({ "kind": "office", "street": "s", "city": "c", "country": "GB" });
    let made = crm.client.post(&list, body).await.expect(201);
    crm.client
        .patch(&format!("/v1/addresses/{}", id(&made)), json!({ "country": null }))
        .await
        .expect(422);
}
