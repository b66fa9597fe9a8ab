use super::support::{act, line, quote, sold, today};
use crate::sales::{AS_OF, new_id, product};
use crate::support::{crm, customer, id};
use serde_json::{Value, json};
use service_kit::testing::Client;

async fn tell_stock(sync: &Client, product: &str, version: i64, on_hand: &str, reserved: &str) {
    let item = json!({
        "id": new_id(), "product_id": product, "warehouse_id": "00000000-0000-7000-8000-000000000001",
        "on_hand": on_hand, "reserved": reserved, "source_version": version, "as_of": AS_OF,
    });
    sync.put("/v1/availability", json!({ "items": [item] }))
        .await
        .expect(200);
}

#[actix_web::test]
async fn each_line_says_what_there_is_and_as_of_when() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Stocked").await;
    let (tea, rice, advice) = (sold(&crm, "TEA", "1").await, sold(&crm, "RICE", "1").await, new_id());
    let mut service = product(1, "ADVICE", "Advice");
    service["kind"] = json!("service");
    sync.put(&format!("/v1/products/{advice}"), service).await.expect(201);
    tell_stock(&sync, &tea, 1, "10", "4").await;
    let lines = json!([
        line(&tea, "5"),
        line(&tea, "3"),
        line(&rice, "2"),
        { "product_id": advice, "quantity": "8", "unit_price": "100" },
    ]);
    let draft = quote(&crm.client, &of, json!({ "lines": lines })).await;
    let said = |quote: &Value| -> Vec<[Value; 4]> {
        let lines = quote["availability"].as_array().unwrap().iter();
        lines
            .map(|line| ["available", "from_stock", "short", "expected_on"].map(|field| line[field].clone()))
            .collect()
    };
    let today = json!(today());
    // Of the 6 that are available the first line takes 5; nobody has told anything of the rice.
    assert_eq!(
        said(&draft),
        [
            [json!("6"), json!("5"), json!("0"), today.clone()],
            [json!("1"), json!("1"), json!("2"), json!(null)],
            [json!("0"), json!("0"), json!("2"), json!(null)],
            [json!("8"), json!("8"), json!("0"), today.clone()],
        ]
    );
    let instants: Vec<Value> = draft["availability"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["as_of"].clone())
        .collect();
    assert_eq!(instants, [json!(AS_OF), json!(AS_OF), json!(null), json!(null)]);
    // What changes in the warehouse is seen, without a change of the quote.
    let path = format!("/v1/quotes/{}", id(&draft));
    let before = crm.client.get(&path).await.etag();
    tell_stock(&sync, &tea, 2, "20", "4").await;
    let reply = crm.client.get(&path).await;
    assert_ne!(reply.etag(), before);
    let shown = reply.expect(200);
    assert_eq!(said(&shown)[1], [json!("11"), json!("3"), json!("0"), today]);
    assert_eq!(shown["revision"], draft["revision"]);
    // Nor does it stand in the way of one who knows the quote as it was.
    crm.client
        .patch_matching(&path, &before, json!({ "title": "Other" }))
        .await
        .expect(200);
    crm.client
        .patch_matching(&path, &before, json!({ "title": "Third" }))
        .await
        .expect_problem(412, "stale");
    // What is short is offered all the same.
    act(&crm.client, &draft, "send", json!({})).await.expect(200);
}
