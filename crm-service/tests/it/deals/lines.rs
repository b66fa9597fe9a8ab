use super::support::{act, begun, deal, in_days, now, sold};
use crate::sales::{new_id, product, tell_price, tell_tier};
use crate::support::{crm, events, id};
use serde_json::{Value, json};
use service_kit::testing::Client;

fn pointers(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().expect("faults").iter();
    errors
        .map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap()))
        .collect()
}

#[actix_web::test]
async fn the_amount_is_the_sum_of_the_lines_unless_somebody_names_one() {
    let crm = crm().await;
    let tea = sold(&crm, "TEA", "9.80").await;
    let lines = json!([
        { "product_id": tea, "quantity": "10" },
        { "product_id": tea, "quantity": "3", "unit_price": "14.00", "discount": "0.05" },
    ]);
    // 10 × 9.80 + 3 × 14.00 × 0.95 = 98.00 + 39.90
    let (_, _, deal) = begun(&crm, json!({ "lines": lines })).await;
    assert_eq!(
        (&deal["amount"], &deal["amount_given"], &deal["weighted_amount"]),
        (&json!("137.90"), &json!(false), &json!("41.37"))
    );
    assert_eq!(
        (&deal["lines"][0]["unit_price"], &deal["lines"][0]["price_given"]),
        (&json!("9.8"), &json!(false))
    );
    assert_eq!(deal["lines"][1]["line_total"], "39.90");
    let path = format!("/v1/deals/{}", id(&deal));
    let given = crm
        .client
        .patch(&path, json!({ "amount": "150.555" }))
        .await
        .expect(200);
    assert_eq!(
        (&given["amount"], &given["amount_given"], &given["weighted_amount"]),
        (&json!("150.56"), &json!(true), &json!("45.17"))
    );
    let summed = crm.client.patch(&path, json!({ "amount": null })).await.expect(200);
    assert_eq!(summed["amount"], "137.90");
    let without = crm.client.patch(&path, json!({ "lines": [] })).await.expect(200);
    assert_eq!(
        (&without["amount"], &without["weighted_amount"]),
        (&Value::Null, &Value::Null),
        "unknown is not 0"
    );
}

#[actix_web::test]
async fn lines_have_the_list_price_of_the_customers_tier_and_currency() {
    let crm = crm().await;
    let sync = crm.integration();
    let tea = sold(&crm, "TEA", "9.80").await;
    tell_price(&sync, &tea, "9.00", json!({ "tier": "A" })).await;
    tell_price(&sync, &tea, "8.50", json!({ "currency": "EUR" })).await;
    let (of, pipeline, first) = begun(&crm, json!({ "lines": [{ "product_id": tea, "quantity": "2" }] })).await;
    assert_eq!(first["amount"], "19.60");
    tell_tier(&sync, &of, 1, "A").await;
    let second = deal(
        &crm.client,
        &of,
        &pipeline,
        json!({ "lines": [{ "product_id": tea, "quantity": "2" }] }),
    )
    .await;
    assert_eq!(second["amount"], "18.00");
    // The first keeps the price that it was told, as long as the line is the same.
    let path = format!("/v1/deals/{}", id(&first));
    let line = first["lines"][0]["id"].clone();
    let same = json!({ "lines": [{ "id": line, "product_id": tea, "quantity": "2", "discount": "0.5" }] });
    assert_eq!(crm.client.patch(&path, same).await.expect(200)["amount"], "9.80");
    let more = json!({ "lines": [{ "id": line, "product_id": tea, "quantity": "3" }] });
    assert_eq!(crm.client.patch(&path, more).await.expect(200)["amount"], "27.00");
    let euros = crm.client.patch(&path, json!({ "currency": "EUR" })).await.expect(200);
    assert_eq!(
        (&euros["amount"], &euros["lines"][0]["unit_price"]),
        (&json!("25.50"), &json!("8.5"))
    );
    let yen = crm.client.patch(&path, json!({ "currency": "JPY" })).await.expect(200);
    assert_eq!(
        (&yen["amount"], &yen["lines"][0]["unit_price"]),
        (&Value::Null, &Value::Null),
        "no list has a price in yen"
    );
}

#[actix_web::test]
async fn every_fault_of_a_deal_is_named_at_once() {
    let crm = crm().await;
    let tea = sold(&crm, "TEA", "9.80").await;
    let gone = new_id();
    let mut retired = product(1, "GONE", "Gone");
    retired["status"] = json!("retired");
    crm.integration()
        .put(&format!("/v1/products/{gone}"), retired)
        .await
        .expect(201);
    let line = new_id();
    let body = json!({
        "name": "Faulty", "customer_id": new_id(), "contact_id": new_id(), "pipeline_id": new_id(),
        "owner_id": new_id(), "team_id": new_id(), "amount": "-1", "next_step_on": in_days(1),
        "lines": [
            { "id": line, "product_id": new_id(), "quantity": "1" },
            { "id": line, "product_id": tea, "quantity": "0" },
            { "product_id": gone, "quantity": "1" },
        ],
    });
    let refused = crm
        .client
        .post("/v1/deals", body)
        .await
        .expect_problem(422, "invalid_input");
    let mut found = pointers(&refused);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("/amount", "out_of_range"),
            ("/contact_id", "unknown_contact"),
            ("/customer_id", "unknown_customer"),
            ("/lines/0/product_id", "unknown_product"),
            ("/lines/1/id", "duplicate"),
            ("/lines/1/quantity", "out_of_range"),
            ("/lines/2/product_id", "product_retired"),
            ("/next_step_on", "not_allowed"),
            ("/owner_id", "unknown_user"),
            ("/pipeline_id", "unknown_pipeline"),
            ("/team_id", "unknown_team"),
        ]
    );
}

#[actix_web::test]
async fn an_archived_customer_takes_no_new_deals() {
    let crm = crm().await;
    let (of, pipeline, open) = begun(&crm, json!({})).await;
    crm.client
        .post(&format!("/v1/customers/{}/archive", id(&of)), json!({}))
        .await
        .expect(200);
    let body = json!({ "name": "Late", "customer_id": id(&of), "pipeline_id": id(&pipeline) });
    crm.client
        .post("/v1/deals", body)
        .await
        .expect_problem(409, "customer_archived");
    act(&crm.client, &open, "win", json!({})).await.expect(200);
}

#[actix_web::test]
async fn ids_stay_unique_and_a_repeat_under_a_key_makes_no_second_deal() {
    let crm = crm().await;
    let (of, pipeline, _) = begun(&crm, json!({})).await;
    let minted = new_id();
    let body = json!({ "id": minted, "name": "Once", "customer_id": id(&of), "pipeline_id": id(&pipeline) });
    let first = crm.client.post_with_key("/v1/deals", "k", body.clone()).await;
    let again = crm.client.post_with_key("/v1/deals", "k", body.clone()).await;
    assert_eq!(first.expect(201), again.expect(201));
    crm.client
        .post("/v1/deals", body)
        .await
        .expect_problem(409, "duplicate");
}

#[actix_web::test]
async fn a_next_step_goes_with_its_date() {
    let crm = crm().await;
    let (_, _, deal) = begun(
        &crm,
        json!({ "next_step": "Send samples", "next_step_on": in_days(-1) }),
    )
    .await;
    let late = crm.client.get("/v1/deals?next_step_overdue=true").await.expect(200);
    assert_eq!(super::support::ids(&late), [id(&deal)]);
    let path = format!("/v1/deals/{}", id(&deal));
    let none = crm.client.patch(&path, json!({ "next_step": null })).await.expect(200);
    assert_eq!(none["next_step_on"], Value::Null);
    let late = crm.client.get("/v1/deals?next_step_overdue=true").await.expect(200);
    assert_eq!(super::support::ids(&late), [""; 0]);
    crm.client
        .patch(&path, json!({ "next_step_on": in_days(1) }))
        .await
        .expect_problem(422, "not_allowed");
}

async fn demand(client: &Client, deal: &Value) -> Value {
    let all = super::support::list(client, "/v1/soft-demand").await;
    let mut of = all.into_iter().filter(|demand| demand["id"] == deal["id"]);
    of.next().unwrap_or_default()
}

#[actix_web::test]
async fn a_lost_deal_withdraws_its_soft_demand() {
    let crm = crm().await;
    let (tea, rice) = (sold(&crm, "TEA", "9.80").await, sold(&crm, "RICE", "4.00").await);
    let lines = json!([
        { "product_id": tea, "quantity": "10" }, { "product_id": rice, "quantity": "1.5" },
        { "product_id": tea, "quantity": "5" },
    ]);
    let (_, _, deal) = begun(&crm, json!({ "lines": lines })).await;
    assert_eq!(demand(&crm.client, &deal).await, Value::Null, "nobody knows when");
    let path = format!("/v1/deals/{}", id(&deal));
    crm.client
        .patch(&path, json!({ "expected_close_on": in_days(30) }))
        .await
        .expect(200);
    let told = demand(&crm.client, &deal).await;
    // 15 × 30 % and 1.5 × 30 %
    assert_eq!(
        told["lines"],
        json!([
            { "product_id": tea, "quantity": "15", "weighted_quantity": "4.5" },
            { "product_id": rice, "quantity": "1.5", "weighted_quantity": "0.45" },
        ])
    );
    assert_eq!(
        (&told["expected_on"], &told["probability"], &told["version"]),
        (&json!(in_days(30)), &json!("0.3"), &json!(2))
    );
    // What does not concern it is not told.
    crm.client.patch(&path, json!({ "name": "Renamed" })).await.expect(200);
    act(&crm.client, &deal, "move", json!({ "stage": "b" }))
        .await
        .expect(200);
    act(&crm.client, &deal, "lose", json!({ "reason": "price" }))
        .await
        .expect(200);
    let events = events(&crm.client, "soft_demand.changed", 3).await;
    let seen: Vec<(i64, usize)> = events
        .iter()
        .map(|event| {
            assert_eq!(event["subject"], deal["id"]);
            (
                event["subjectversion"].as_i64().unwrap(),
                event["data"]["lines"].as_array().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(seen, [(2, 2), (4, 2), (5, 0)]);
    assert_eq!(events[1]["data"]["lines"][0]["weighted_quantity"], "7.5");
    assert_eq!(demand(&crm.client, &deal).await["lines"], json!([]));
    let open = crm.client.get("/v1/soft-demand?empty=false").await.expect(200);
    assert_eq!(open["items"], json!([]));
    act(&crm.client, &deal, "reopen", json!({})).await.expect(200);
    let of_rice = crm
        .client
        .get(&format!(
            "/v1/soft-demand?product_id={rice}&expected_from={}&empty=false",
            in_days(30)
        ))
        .await
        .expect(200);
    assert_eq!(of_rice["items"].as_array().unwrap().len(), 1);
    assert_eq!(now(&crm.client, &deal).await["state"], "open");
}
