use super::books::{GRNI, STOCK, assert_consistent, balance, balances};
use super::buying::{Buying, of};
use crate::given::faults;
use crate::shop::{id, line, three};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn path(order: &Value) -> String {
    format!("/v1/purchase-orders/{}/receipts", id(order))
}

#[tokio::test]
async fn a_receipt_brings_goods_at_the_orders_price_and_fills_backorders() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let waiting = buying.confirmed(product, "5").await;
    assert_eq!(line(&waiting, 0), three("0", "5", "0"));
    let order = buying.ordered(json!([of(product, "10", "9.80")])).await;
    let early = buying.submitted(json!([of(product, "1", "1")])).await;
    buying
        .erp
        .post(&path(&early), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    let line_id = order["lines"][0]["id"].clone();
    let body = json!({"lines": [{"line_id": line_id, "quantity": "3"}], "supplier_reference": "DN 77"});
    let first = buying.erp.post(&path(&order), body).await.expect(201);
    assert!(first["number"].as_str().unwrap().starts_with("REC-"), "{first:#}");
    assert_eq!(
        (&first["lines"][0]["value"], &first["order"]["status"]),
        (&json!("29.40"), &json!("partially_received"))
    );
    let sale = buying
        .erp
        .get(&format!("/v1/sales-orders/{}", id(&waiting)))
        .await
        .expect(200);
    assert_eq!(line(&sale, 0), three("3", "2", "0"));
    let rest = buying.erp.post(&path(&order), json!({})).await.expect(201);
    assert_eq!(
        (&rest["lines"][0]["quantity"], &rest["order"]["status"]),
        (&json!("7"), &json!("received"))
    );
    buying
        .erp
        .post(&path(&order), json!({}))
        .await
        .expect_problem(409, "nothing_to_receive");
    assert_eq!(buying.availability(product).await, three("10", "5", "5"));
    let books = BTreeMap::from([(STOCK.to_owned(), "98".to_owned()), (GRNI.to_owned(), "-98".to_owned())]);
    assert_eq!(balances(&buying.service), books);
    assert_consistent(&buying.service);
    let listed = buying
        .erp
        .get(&format!("/v1/receipts?order_id={}&sort=-date", id(&order)))
        .await
        .expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    let one = buying
        .erp
        .get(&format!("/v1/receipts/{}", id(&first)))
        .await
        .expect(200);
    assert_eq!(
        (&one["supplier_reference"], &one["number"]),
        (&json!("DN 77"), &first["number"])
    );
    // What was received binds.
    let path = format!("/v1/purchase-orders/{}", id(&order));
    let change = json!({"lines": [{"id": line_id, "product_id": product, "quantity": "10", "unit_price": "9"}]});
    buying
        .erp
        .patch(&path, change)
        .await
        .expect_problem(409, "line_in_progress");
    buying
        .erp
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
}

#[tokio::test]
async fn more_than_the_tolerance_is_refused_with_the_lines() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let mut tolerant = of(product, "10", "1");
    tolerant["over_receipt_tolerance"] = json!("0.1");
    let order = buying.ordered(json!([of(product, "10", "1"), tolerant])).await;
    let (strict, tolerant) = (order["lines"][0]["id"].clone(), order["lines"][1]["id"].clone());
    let both =
        |a: &str, b: &str| json!({"lines": [{"line_id": strict, "quantity": a}, {"line_id": tolerant, "quantity": b}]});
    let refused = buying
        .erp
        .post(&path(&order), both("10.001", "11.001"))
        .await
        .expect_problem(409, "over_receipt");
    let lines = refused["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["line_id"], &lines[0]["at_most"], &lines[1]["at_most"]),
        (&strict, &json!("10"), &json!("11"))
    );
    let posted = buying.erp.post(&path(&order), both("10", "11")).await.expect(201);
    assert_eq!(posted["order"]["status"], "received");
    buying
        .erp
        .patch("/v1/company/purchasing", json!({"over_receipt_tolerance": "0.05"}))
        .await
        .expect(200);
    let more = json!({"lines": [{"line_id": strict, "quantity": "0.5"}]});
    buying.erp.post(&path(&order), more.clone()).await.expect(201);
    buying
        .erp
        .post(&path(&order), more)
        .await
        .expect_problem(409, "over_receipt");
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn expenses_are_received_against_their_account() {
    let buying = Buying::open().await;
    let lines = json!([{"description": "Repair of the roof", "quantity": "1", "unit_price": "250"}]);
    let order = buying.ordered(lines).await;
    let shown = buying
        .erp
        .post(&format!("{}?dry_run=true", path(&order)), json!({}))
        .await
        .expect(200);
    assert_eq!((&shown["number"], &shown["warehouse_id"]), (&Value::Null, &Value::Null));
    let lines = shown["entries"][0]["lines"].as_array().unwrap();
    assert_eq!(
        (&lines[0]["account"], &lines[0]["debit"]),
        (&json!("6030"), &json!("250.00"))
    );
    assert_eq!(
        (&lines[1]["account"], &lines[1]["credit"]),
        (&json!("2050"), &json!("250.00"))
    );
    assert!(balances(&buying.service).is_empty());
    buying.erp.post(&path(&order), json!({})).await.expect(201);
    assert_eq!(balance(&buying.service, "6030"), "250");
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn faults_are_named_together_and_dates_checked() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let order = buying.ordered(json!([of(product, "10", "1")])).await;
    let known = order["lines"][0]["id"].clone();
    let body = json!({"lines": [{"line_id": buying.supplier, "quantity": "1"}, {"line_id": known, "quantity": "0"}]});
    let problem = buying
        .erp
        .post(&path(&order), body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        faults(&problem),
        [
            ("/lines/0/line_id", "unknown_line"),
            ("/lines/1/quantity", "out_of_range")
        ]
    );
    buying
        .erp
        .post(&path(&order), json!({"date": "2999-01-01"}))
        .await
        .expect_problem(422, "future_date");
    let posted = buying
        .erp
        .post(&path(&order), json!({"date": "2026-03-05"}))
        .await
        .expect(201);
    assert!(
        posted["number"].as_str().unwrap().starts_with("REC-2026-"),
        "{posted:#}"
    );
    assert_eq!(posted["date"], "2026-03-05");
}

#[tokio::test]
async fn tracked_goods_come_in_lots() {
    let buying = Buying::open().await;
    let body = json!({"sku": "L", "name": "Milk", "kind": "goods", "unit": "pcs", "tracking": "lot"});
    let product = id(&buying.erp.post("/v1/products", body).await.expect(201));
    let order = buying.ordered(json!([of(product, "10", "1")])).await;
    buying
        .erp
        .post(&path(&order), json!({}))
        .await
        .expect_problem(422, "lots_required");
    let lots = json!([{"lot": "B1", "quantity": "4", "expires_on": "2027-01-01"}, {"lot": "B2", "quantity": "6"}]);
    let body = json!({"lines": [{"line_id": order["lines"][0]["id"], "quantity": "10", "lots": lots}]});
    let posted = buying.erp.post(&path(&order), body).await.expect(201);
    assert_eq!(posted["lines"][0]["lots"][0]["lot"], "B1");
    let lots = buying
        .erp
        .get(&format!("/v1/lots?product_id={product}"))
        .await
        .expect(200);
    assert_eq!(lots["items"].as_array().unwrap().len(), 2);
    assert_consistent(&buying.service);
}

#[tokio::test]
async fn many_receipts_of_one_order_at_once_take_in_what_was_ordered() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let order = buying.ordered(json!([of(product, "100", "1")])).await;
    let body = json!({"lines": [{"line_id": order["lines"][0]["id"], "quantity": "20"}]});
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (erp, path, body) = (buying.erp.clone(), path(&order), body.clone());
        clients.spawn(async move { erp.post(&path, body).await });
    }
    let replies = clients.join_all().await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 201).count(),
        5,
        "{replies:#?}"
    );
    assert!(
        replies
            .iter()
            .all(|reply| reply.status == 201 || reply.body["code"] == "over_receipt"),
        "{replies:#?}"
    );
    assert_eq!(buying.availability(product).await, three("100", "0", "100"));
    assert_eq!(buying.get_order(&order).await["status"], "received");
    assert_consistent(&buying.service);
}
