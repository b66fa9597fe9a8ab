//! Orders of the CRM, as the integration worker applies them.

use crate::shop::{Shop, line, three};
use serde_json::{Value, json};
use uuid::Uuid;

fn submitted(customer: Uuid, version: i64, lines: Value) -> Value {
    json!({"source_version": version, "customer_id": customer, "currency": "USD", "order_date": "2026-01-05", "lines": lines})
}

fn one_line(product: Uuid, quantity: &str) -> Value {
    json!([{"id": Uuid::now_v7(), "product_id": product, "quantity": quantity, "unit_price": "10", "discount": "0"}])
}

#[tokio::test]
async fn the_decision_is_part_of_the_answer_and_a_repeat_changes_nothing() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "3").await;
    let path = format!("/v1/sales-orders/{}", Uuid::now_v7());
    let body = submitted(shop.customer, 1, one_line(product, "5"));
    let order = shop.sync.put(&path, body.clone()).await.expect(201);
    assert_eq!(
        (&order["origin"], &order["status"]),
        (&json!("crm"), &json!("confirmed"))
    );
    assert_eq!(line(&order, 0), three("3", "2", "0"));
    let again = shop.sync.put(&path, body).await.expect(200);
    assert_eq!(again, order);
    assert_eq!(shop.availability(product).await, three("3", "3", "0"));
}

#[tokio::test]
async fn a_rejection_says_why_line_by_line() {
    let shop = Shop::open().await;
    let retired = shop.stocked("A", "3").await;
    shop.erp
        .post(&format!("/v1/products/{retired}/retire"), json!({}))
        .await
        .expect(200);
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let lines = json!([
        {"id": first, "product_id": retired, "quantity": "1", "unit_price": "1"},
        {"id": second, "product_id": Uuid::now_v7(), "quantity": "1", "unit_price": "1"}
    ]);
    let path = format!("/v1/sales-orders/{}", Uuid::now_v7());
    let order = shop
        .sync
        .put(&path, submitted(shop.customer, 1, lines))
        .await
        .expect(201);
    assert_eq!((&order["status"], &order["number"]), (&json!("rejected"), &Value::Null));
    let reasons: Vec<(&str, &str)> = order["rejection"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["line"].as_str().unwrap(), r["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        reasons,
        [
            (first.to_string().as_str(), "retired_product"),
            (second.to_string().as_str(), "unknown_product")
        ]
    );
    let mut unknown = submitted(shop.customer, 1, one_line(retired, "1"));
    unknown["currency"] = json!("ZZZ");
    let order = shop
        .sync
        .put(&format!("/v1/sales-orders/{}", Uuid::now_v7()), unknown)
        .await
        .expect(201);
    assert_eq!(order["rejection"][0]["code"], "unknown_currency");
}

#[tokio::test]
async fn what_an_accepted_quote_promised_is_ordered_though_the_product_was_retired() {
    let shop = Shop::open().await;
    let retired = shop.stocked("A", "3").await;
    shop.erp
        .post(&format!("/v1/products/{retired}/retire"), json!({}))
        .await
        .expect(200);
    let path = format!("/v1/sales-orders/{}", Uuid::now_v7());
    let mut promised = submitted(shop.customer, 1, one_line(retired, "2"));
    promised["quote_id"] = json!(Uuid::now_v7());
    let order = shop.sync.put(&path, promised).await.expect(201);
    assert_eq!(
        (&order["status"], line(&order, 0)),
        (&json!("confirmed"), three("2", "0", "0"))
    );
    assert_eq!(order["lines"][0]["unit_price"], "10");
    // What nobody knows is rejected all the same.
    let mut unknown = submitted(shop.customer, 1, one_line(Uuid::now_v7(), "1"));
    unknown["quote_id"] = json!(Uuid::now_v7());
    let order = shop
        .sync
        .put(&format!("/v1/sales-orders/{}", Uuid::now_v7()), unknown)
        .await
        .expect(201);
    assert_eq!(order["rejection"][0]["code"], "unknown_product");
}

#[tokio::test]
async fn an_order_before_its_customer_names_what_is_missing() {
    let shop = Shop::open().await;
    let (product, stranger) = (shop.stocked("A", "3").await, Uuid::now_v7());
    let path = format!("/v1/sales-orders/{}", Uuid::now_v7());
    let body = submitted(stranger, 1, one_line(product, "1"));
    let problem = shop
        .sync
        .put(&path, body.clone())
        .await
        .expect_problem(409, "reference_missing");
    assert_eq!(problem["missing"], json!([{"type": "customer", "id": stranger}]));
    shop.new_customer(stranger).await;
    shop.sync.put(&path, body).await.expect(201);
}

#[tokio::test]
async fn a_cancellation_is_granted_until_something_has_shipped() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let request = json!({"reason": "ordered twice", "requested_at": "2026-01-06T10:00:00Z"});
    for (ship, answer, status) in [(false, "granted", "cancelled"), (true, "refused", "delivered")] {
        let path = format!("/v1/sales-orders/{}", Uuid::now_v7());
        let mut body = submitted(shop.customer, 1, one_line(product, "2"));
        shop.sync.put(&path, body.clone()).await.expect(201);
        if ship {
            shop.erp
                .post(&format!("{path}/deliveries"), json!({}))
                .await
                .expect(201);
        }
        body["source_version"] = json!(2);
        body["cancellation_request"] = request.clone();
        let order = shop.sync.put(&path, body.clone()).await.expect(200);
        assert_eq!(
            (&order["cancellation"]["state"], &order["status"]),
            (&json!(answer), &json!(status))
        );
        let again = shop.sync.put(&path, body).await.expect(200);
        assert_eq!(again, order);
    }
    assert_eq!(shop.availability(product).await, three("8", "0", "8"));
}

#[tokio::test]
async fn a_second_request_after_a_refusal_is_answered_too() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let path = format!("/v1/sales-orders/{}", Uuid::now_v7());
    let mut body = submitted(shop.customer, 1, one_line(product, "2"));
    shop.sync.put(&path, body.clone()).await.expect(201);
    shop.erp
        .post(&format!("{path}/deliveries"), json!({}))
        .await
        .expect(201);
    let mut versions = Vec::new();
    for (version, requested_at) in [(2, "2026-01-06T10:00:00Z"), (3, "2026-01-07T10:00:00Z")] {
        body["source_version"] = json!(version);
        body["cancellation_request"] = json!({"reason": "again", "requested_at": requested_at});
        let order = shop.sync.put(&path, body.clone()).await.expect(200);
        assert_eq!(order["cancellation"]["requested_at"], requested_at);
        versions.push(order["version"].as_i64());
    }
    assert_eq!(versions, [Some(3), Some(4)], "each answer is an event");
}

#[tokio::test]
async fn a_request_that_overtakes_its_order_cancels_it_at_once() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let path = format!("/v1/sales-orders/{}", Uuid::now_v7());
    let mut newest = submitted(shop.customer, 2, one_line(product, "2"));
    newest["cancellation_request"] = json!({"reason": null, "requested_at": "2026-01-06T10:00:00Z"});
    let order = shop.sync.put(&path, newest.clone()).await.expect(201);
    assert_eq!(
        (&order["status"], &order["cancellation"]["state"]),
        (&json!("cancelled"), &json!("granted"))
    );
    let older = submitted(shop.customer, 1, newest["lines"].clone());
    let unchanged = shop.sync.put(&path, older).await.expect(200);
    assert_eq!(unchanged["status"], "cancelled");
}

#[tokio::test]
async fn twins_of_one_message_make_one_order() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let (path, body) = (
        format!("/v1/sales-orders/{}", Uuid::now_v7()),
        submitted(shop.customer, 1, one_line(product, "2")),
    );
    let mut twins = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (sync, path, body) = (shop.sync.clone(), path.clone(), body.clone());
        twins.spawn(async move { sync.put(&path, body).await });
    }
    let replies = twins.join_all().await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    assert!(replies.iter().all(|reply| reply.status.is_success()), "{replies:#?}");
    assert_eq!(shop.availability(product).await, three("10", "2", "8"));
}

#[tokio::test]
async fn people_do_not_write_the_crm_part() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let path = format!("/v1/sales-orders/{}", Uuid::now_v7());
    let body = submitted(shop.customer, 1, one_line(product, "2"));
    let problem = shop.erp.put(&path, body).await.expect_problem(409, "not_owner");
    assert_eq!(problem["owner"], "crm");
}

#[tokio::test]
async fn without_a_warehouse_an_order_waits_for_the_first_one() {
    let service = service_kit::testing::TestService::start(erp_service::app::SERVICE, |_, _| {}).await;
    let shop = Shop {
        erp: service.client.clone(),
        sync: service.integration(),
        service,
        warehouse: Uuid::now_v7(),
        customer: Uuid::now_v7(),
    };
    shop.new_customer(shop.customer).await;
    let product = shop.product("A").await;
    let path = format!("/v1/sales-orders/{}", Uuid::now_v7());
    let order = shop
        .sync
        .put(&path, submitted(shop.customer, 1, one_line(product, "2")))
        .await
        .expect(201);
    assert_eq!(
        (&order["status"], line(&order, 0)),
        (&json!("confirmed"), three("0", "2", "0"))
    );
    shop.erp
        .post(
            "/v1/warehouses",
            json!({"id": shop.warehouse, "code": "MAIN", "name": "Main"}),
        )
        .await
        .expect(201);
    shop.adjust(product, "2").await;
    let order = shop.erp.get(&path).await.expect(200);
    assert_eq!(line(&order, 0), three("2", "0", "0"));
}

#[tokio::test]
async fn what_the_crm_itself_refuses_is_not_taken() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "3").await;
    let mut body = submitted(shop.customer, 1, one_line(product, "1"));
    body["requested_date"] = json!("2026-01-04");
    let path = format!("/v1/sales-orders/{}", Uuid::now_v7());
    let refused = shop.sync.put(&path, body.clone()).await;
    refused.expect_problem(422, "out_of_range");
    body["requested_date"] = json!("2026-01-05");
    shop.sync.put(&path, body).await.expect(201);
}
