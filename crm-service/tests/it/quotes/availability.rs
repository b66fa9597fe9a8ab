use super::support::{act, document, in_days, line, quote, sold, today};
use crate::sales::{AS_OF, new_id, product};
use crate::support::{crm, customer, id};
use serde_json::{Value, json};
use service_kit::testing::Client;

async fn tell_stock(sync: &Client, product: &str, version: i64, on_hand: &str, reserved: &str) {
    tell_incoming(sync, product, version, (on_hand, reserved), &[]).await;
}

async fn tell_incoming(
    sync: &Client,
    product: &str,
    version: i64,
    (on_hand, reserved): (&str, &str),
    days: &[(i64, &str)],
) {
    let incoming = days
        .iter()
        .map(|(day, quantity)| json!({ "expected_on": in_days(*day), "quantity": quantity }));
    let item = json!({
        "id": new_id(), "product_id": product, "warehouse_id": "00000000-0000-7000-8000-000000000001",
        "on_hand": on_hand, "reserved": reserved, "source_version": version, "as_of": AS_OF,
        "incoming": incoming.collect::<Vec<_>>(),
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

#[actix_web::test]
async fn a_line_says_from_which_day_on_all_of_it_can_be_there() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Patient").await;
    let (tea, rice) = (sold(&crm, "TEA", "1").await, sold(&crm, "RICE", "1").await);
    tell_incoming(&sync, &tea, 1, ("10", "4"), &[(12, "5"), (9, "20")]).await;
    tell_incoming(&sync, &rice, 1, ("0", "0"), &[(-3, "5")]).await;
    let lines = json!([
        line(&tea, "6"),
        line(&tea, "20"),
        line(&tea, "5"),
        line(&tea, "0.001"),
        line(&rice, "5"),
        line(&rice, "1"),
    ]);
    let draft = quote(&crm.client, &of, json!({ "lines": lines })).await;
    let days = |quote: &Value| -> Vec<Value> {
        let lines = quote["availability"].as_array().unwrap().iter();
        lines.map(|line| line["expected_on"].clone()).collect()
    };
    // Stock, then the ninth day, then the twelfth, then nothing; what is late may come today.
    let expected = [
        json!(today()),
        json!(in_days(9)),
        json!(in_days(12)),
        json!(null),
        json!(today()),
        json!(null),
    ];
    assert_eq!(days(&draft), expected);
    let page = document(&crm.client, &draft).await;
    assert!(page.contains("available from"), "{page}");
    assert!(page.contains("on order"), "{page}");
    // Half of it comes a week later: seen on the next look, without a change of the quote.
    let path = format!("/v1/quotes/{}", id(&draft));
    let before = crm.client.get(&path).await.etag();
    tell_incoming(&sync, &tea, 2, ("10", "4"), &[(9, "10"), (16, "15")]).await;
    let reply = crm.client.get(&path).await;
    assert_ne!(reply.etag(), before);
    let shown = reply.expect(200);
    assert_eq!(
        days(&shown)[..3],
        [json!(today()), json!(in_days(16)), json!(in_days(16))]
    );
    assert_eq!(shown["revision"], draft["revision"]);
}
