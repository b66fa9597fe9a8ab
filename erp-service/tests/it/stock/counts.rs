//! Counting: a sheet, filled in, approved by somebody else, posted.

use super::{adjustment, move_of, moves};
use crate::shop::{Shop, id, line, three};
use serde_json::{Value, json};
use service_kit::testing::Client;
use uuid::Uuid;

async fn sheet(shop: &Shop, blind: bool) -> Value {
    let body = json!({"warehouse_id": shop.warehouse, "blind": blind});
    shop.erp.post("/v1/stock-counts", body).await.expect(201)
}

async fn counted(shop: &Shop, count: &Value, quantity: &str) -> Value {
    let body = json!({"complete": true, "lines": [{"line_id": count["lines"][0]["id"], "counted_quantity": quantity}]});
    let path = format!("/v1/stock-counts/{}/record", id(count));
    shop.erp.post(&path, body).await.expect(200)
}

fn approve(count: &Value) -> String {
    format!("/v1/stock-counts/{}/approve", id(count))
}

async fn second(shop: &Shop) -> Client {
    shop.service.client.new_key("admin", &[]).await
}

async fn stocked(shop: &Shop, quantity: &str, cost: &str) -> Uuid {
    let product = shop.product("A").await;
    let body = adjustment(shop, product, quantity, Some(cost));
    shop.erp.post("/v1/stock-adjustments", body).await.expect(201);
    product
}

#[tokio::test]
async fn a_blind_count_posts_its_difference_once_somebody_else_approves() {
    let shop = Shop::open().await;
    let product = stocked(&shop, "10", "3").await;
    let count = sheet(&shop, true).await;
    assert_eq!((&count["status"], &count["number"]), (&json!("draft"), &Value::Null));
    let early = shop.erp.post(&approve(&count), json!({})).await;
    early.expect_problem(409, "illegal_transition");
    let path = format!("/v1/stock-counts/{}/record", id(&count));
    let nothing = shop.erp.post(&path, json!({"complete": true})).await;
    nothing.expect_problem(409, "not_counted");
    let handed_in = counted(&shop, &count, "8").await;
    assert_eq!(handed_in["status"], "counted");
    // Whoever counts does not see what the books say.
    assert_eq!(
        (
            &handed_in["lines"][0]["book_quantity"],
            &handed_in["lines"][0]["difference"]
        ),
        (&Value::Null, &Value::Null)
    );
    // Goods move between the count and its approval.
    let order = shop.confirmed(product, "3").await;
    shop.erp
        .post(&format!("/v1/sales-orders/{}/deliveries", id(&order)), json!({}))
        .await
        .expect(201);
    shop.erp
        .post(&approve(&count), json!({}))
        .await
        .expect_problem(409, "same_person");

    let other = second(&shop).await;
    let shown = other
        .post(&format!("{}?dry_run=true", approve(&count)), json!({}))
        .await
        .expect(200);
    let lines = shown["entries"][0]["lines"].as_array().unwrap();
    assert_eq!(
        (&lines[0]["account"], &lines[0]["debit"]),
        (&json!("5030"), &json!("6.00"))
    );
    assert_eq!(
        (&lines[1]["account"], &lines[1]["credit"]),
        (&json!("1300"), &json!("6.00"))
    );
    let posted = other.post(&approve(&count), json!({})).await.expect(200);
    assert!(
        posted["number"]
            .as_str()
            .is_some_and(|number| number.starts_with("CNT-"))
    );
    let line = &posted["lines"][0];
    assert_eq!(
        (&line["book_quantity"], &line["difference"], &line["value"]),
        (&json!("10"), &json!("-2"), &json!("-6.00"))
    );
    assert_eq!(shop.availability(product).await, three("5", "0", "5"));
    assert_eq!(
        moves(&shop, product).await,
        [
            move_of("adjustment", "10", "30"),
            move_of("delivery", "-3", "-9"),
            move_of("count", "-2", "-6")
        ]
    );
    other
        .post(&approve(&count), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
}

#[tokio::test]
async fn what_is_missing_is_taken_back_from_the_least_urgent_order_and_what_is_found_fills_it_again() {
    let shop = Shop::open().await;
    let product = stocked(&shop, "10", "2").await;
    let mut urgent = shop.order(json!([{"product_id": product, "quantity": "6", "unit_price": "10"}]));
    urgent["priority"] = json!(5);
    let urgent = shop.erp.post("/v1/sales-orders", urgent).await.expect(201);
    let other = shop.confirmed(product, "4").await;
    let count = sheet(&shop, false).await;
    counted(&shop, &count, "7").await;
    let approver = second(&shop).await;
    approver.post(&approve(&count), json!({})).await.expect(200);
    let order = async |order: &Value| {
        line(
            &shop
                .erp
                .get(&format!("/v1/sales-orders/{}", id(order)))
                .await
                .expect(200),
            0,
        )
    };
    assert_eq!(order(&urgent).await, three("6", "0", "0"));
    assert_eq!(order(&other).await, three("1", "3", "0"));
    assert_eq!(shop.availability(product).await, three("7", "7", "0"));

    let again = sheet(&shop, false).await;
    counted(&shop, &again, "9").await;
    let posted = approver.post(&approve(&again), json!({})).await.expect(200);
    assert_eq!(posted["lines"][0]["value"], "4.00");
    assert_eq!(order(&other).await, three("3", "1", "0"));
    let report = shop.erp.get("/v1/reports/stock-valuation").await.expect(200);
    assert_eq!(
        (&report["total"], &report["ledger"]),
        (&json!("18.00"), &json!("18.00"))
    );
}

#[tokio::test]
async fn goods_that_the_sheet_does_not_name_are_added_and_a_rejected_sheet_is_counted_again() {
    let shop = Shop::open().await;
    stocked(&shop, "10", "2").await;
    let body = json!({"sku": "MILK", "name": "Milk", "kind": "goods", "unit": "pcs", "tracking": "lot"});
    let milk = id(&shop.erp.post("/v1/products", body).await.expect(201));
    let count = sheet(&shop, false).await;
    let path = format!("/v1/stock-counts/{}", id(&count));
    let found = json!({"lines": [{"line_id": count["lines"][0]["id"], "counted_quantity": "10"}],
        "found": [{"product_id": milk, "lot": "L1", "counted_quantity": "4"}, {"product_id": milk, "counted_quantity": "1"}]});
    let problem = shop
        .erp
        .post(&format!("{path}/record"), found)
        .await
        .expect_problem(422, "required");
    assert_eq!(crate::given::faults(&problem), [("/found/1/lots/0/lot", "required")]);
    let found = json!({"found": [{"product_id": milk, "lot": "L1", "counted_quantity": "4"}]});
    let partly = shop.erp.post(&format!("{path}/record"), found).await.expect(200);
    assert_eq!(
        (&partly["lines"][1]["lot"], &partly["lines"][1]["difference"]),
        (&json!("L1"), &json!("4"))
    );
    counted(&shop, &count, "10").await;
    let approver = second(&shop).await;
    let back = approver
        .post(&format!("{path}/reject"), json!({"reason": "look again"}))
        .await
        .expect(200);
    assert_eq!(
        (&back["status"], &back["lines"][1]["counted_quantity"]),
        (&json!("draft"), &Value::Null)
    );
    let both = json!({"complete": true, "lines": [
        {"line_id": back["lines"][0]["id"], "counted_quantity": "10"}, {"line_id": back["lines"][1]["id"], "counted_quantity": "3"}]});
    shop.erp.post(&format!("{path}/record"), both).await.expect(200);
    approver.post(&format!("{path}/approve"), json!({})).await.expect(200);
    assert_eq!(shop.availability(milk).await, three("3", "0", "3"));
    let cancelled = sheet(&shop, false).await;
    let path = format!("/v1/stock-counts/{}/cancel", id(&cancelled));
    let cancelled = shop.erp.post(&path, json!({"reason": "not today"})).await.expect(200);
    assert_eq!(
        (&cancelled["status"], &cancelled["allowed_actions"]),
        (&json!("cancelled"), &json!([]))
    );
}
