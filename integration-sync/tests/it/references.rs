//! A record may arrive before what it refers to.

use crate::fake::{customer, order};
use crate::stage::{Stage, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

fn missing(kind: &str, id: Uuid) -> Value {
    json!({
        "code": "reference_missing", "detail": format!("the {kind} {id} is not known here yet"), "status": 409,
        "missing": [{ "type": kind, "id": id }],
    })
}

#[tokio::test]
async fn a_missing_customer_is_brought_and_the_order_repeated() {
    let stage = Stage::start().await;
    let (buyer, id) = (Uuid::now_v7(), Uuid::now_v7());
    stage
        .crm
        .set_record(&format!("/v1/customers/{buyer}"), customer(buyer, 4, "Acme"));
    stage.erp.answer_put(id, 409, missing("customer", buyer), 1);
    stage.crm.emit("order.submitted", id, 1, order(id, 1, buyer));
    stage
        .flow_is("orders-to-erp", "applied", |flow| flow["counts"]["applied"] == 1)
        .await;
    let paths: Vec<String> = stage.erp.puts().into_iter().map(|put| put.path).collect();
    let order_path = format!("/v1/sales-orders/{id}");
    assert_eq!(
        paths,
        [order_path.clone(), format!("/v1/customers/{buyer}"), order_path]
    );
    assert_eq!(stage.erp.puts()[1].body["source_version"], 4);
    assert!(stage.open_dead_letters().await.is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn references_of_references_are_brought_too() {
    let stage = Stage::start().await;
    let (category, product, price) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    stage.erp.set_record(
        &format!("/v1/products/{product}"),
        json!({
            "id": product, "sku": "P-1", "name": "Tea", "kind": "goods", "unit": "pcs", "status": "active",
            "category_id": category, "version": 2, "updated_at": "2026-11-01T00:00:00Z",
        }),
    );
    stage.erp.set_record(
        &format!("/v1/categories/{category}"),
        json!({
            "id": category, "name": "Drinks", "version": 1, "updated_at": "2026-11-01T00:00:00Z",
        }),
    );
    stage
        .crm
        .answer_put(format!("/v1/prices/{price}"), 409, missing("product", product), 1);
    stage
        .crm
        .answer_put(format!("/v1/products/{product}"), 409, missing("category", category), 1);
    stage.erp.emit(
        "price.changed",
        price,
        1,
        json!({
            "id": price, "price_list_id": Uuid::now_v7(), "price_list_name": "Base", "currency": "USD", "tier": null,
            "product_id": product, "unit_price": "1.0000", "minimum_quantity": "0.000", "valid_from": null,
            "valid_to": null, "version": 1,
        }),
    );
    stage
        .flow_is("catalogue-to-crm", "applied", |flow| flow["counts"]["applied"] == 1)
        .await;
    let paths: Vec<String> = stage.crm.puts().into_iter().map(|put| put.path).collect();
    let (category, product, price) = (
        format!("/v1/categories/{category}"),
        format!("/v1/products/{product}"),
        format!("/v1/prices/{price}"),
    );
    assert_eq!(
        paths,
        [&price, &product, &category, &product, &price].map(String::as_str)
    );
    stage.stop().await;
}

#[tokio::test]
async fn what_its_owner_does_not_have_either_parks_the_record_alone() {
    let stage = Stage::start().await;
    let (buyer, orphan, good) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    stage
        .erp
        .answer_put(orphan, 409, missing("customer", buyer), usize::MAX);
    stage.crm.emit("order.submitted", orphan, 1, order(orphan, 1, buyer));
    stage.crm.emit("order.submitted", good, 1, order(good, 1, buyer));
    stage
        .flow_is("orders-to-erp", "parked", |flow| flow["open_dead_letters"] == 1)
        .await;
    eventually("the other is applied", async || {
        !stage.erp.puts_to(&format!("/v1/sales-orders/{good}")).is_empty()
    })
    .await;
    let letters = stage.open_dead_letters().await;
    assert_eq!(letters[0]["subject"], json!(orphan));
    assert!(
        letters[0]["reason"]
            .as_str()
            .unwrap()
            .contains("does not have it either"),
        "{}",
        letters[0]["reason"]
    );
    stage.stop().await;
}

#[tokio::test]
async fn what_the_target_itself_owns_is_not_looked_for_elsewhere() {
    let stage = Stage::start().await;
    let id = Uuid::now_v7();
    stage.crm.answer_put(id, 409, missing("customer", id), usize::MAX);
    stage.erp.emit("customer.credit_changed", id, 1, json!({
        "id": id, "tier": null, "credit_limit": null, "credit_currency": "USD", "credit_hold": false, "blocked": false,
        "version": 1,
    }));
    stage
        .flow_is("credit-to-crm", "parked", |flow| flow["open_dead_letters"] == 1)
        .await;
    assert_eq!(stage.crm.puts_to(&format!("/v1/customers/{id}/credit")).len(), 1);
    stage.stop().await;
}

#[tokio::test]
async fn a_reference_that_stays_missing_ends_in_a_dead_letter() {
    let stage = Stage::start().await;
    let (buyer, id) = (Uuid::now_v7(), Uuid::now_v7());
    stage
        .crm
        .set_record(&format!("/v1/customers/{buyer}"), customer(buyer, 1, "Acme"));
    stage.erp.answer_put(id, 409, missing("customer", buyer), usize::MAX);
    stage.crm.emit("order.submitted", id, 1, order(id, 1, buyer));
    stage
        .flow_is("orders-to-erp", "parked", |flow| flow["open_dead_letters"] == 1)
        .await;
    assert_eq!(
        stage.erp.puts_to(&format!("/v1/sales-orders/{id}")).len(),
        2,
        "repeated once"
    );
    stage.stop().await;
}
