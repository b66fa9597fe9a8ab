//! What orders do to a customer's exposure is told, once for many orders.

use crate::shop::{Shop, id};
use erp_service::sales::exposures::EXPOSURES;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What was told of a customer, once the last of it shows this exposure.
///
/// The feed shows what lies below the horizon of the whole cluster, so a round may find nothing yet.
async fn told(shop: &Shop, customer: Uuid, exposure: &str) -> Vec<Value> {
    let started = Instant::now();
    loop {
        shop.service.running.kit.run_round(&EXPOSURES).await.unwrap();
        let batch = shop
            .erp
            .get("/v1/events?types=customer.credit_changed&limit=500")
            .await
            .expect(200);
        let events = batch["events"].as_array().unwrap().iter();
        let told: Vec<Value> = events.filter(|e| e["subject"] == json!(customer)).cloned().collect();
        if told.last().is_some_and(|last| last["data"]["exposure"] == exposure) {
            return told;
        }
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "never told {exposure}: {told:#?}"
        );
    }
}

#[tokio::test]
async fn confirmed_and_cancelled_orders_are_told_once_for_many() {
    let mut shop = Shop::open().await;
    let product = shop.stocked("TEA", "100").await;
    let (one, other) = (shop.customer, Uuid::now_v7());
    shop.new_customer(other).await;
    // Nothing that happened so far waits any more.
    shop.confirmed(product, "1").await;
    let before = told(&shop, one, "10.00").await.len();
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(id(&shop.confirmed(product, "2").await));
    }
    shop.customer = other;
    shop.confirmed(product, "3").await;
    let last = told(&shop, one, "110.00").await;
    let version = |event: &Value| event["subjectversion"].as_i64().unwrap();
    assert!(last.windows(2).all(|pair| version(&pair[0]) < version(&pair[1])));
    assert!(last.len() <= before + 5, "never more often than there were orders");
    told(&shop, other, "30.00").await;
    for order in &orders {
        let path = format!("/v1/sales-orders/{order}/cancel");
        shop.erp.post(&path, json!({ "reason": "changed" })).await.expect(200);
    }
    let last = told(&shop, one, "10.00").await;
    let shown = shop.erp.get(&format!("/v1/customers/{one}")).await.expect(200);
    assert_eq!(version(last.last().unwrap()), shown["version"].as_i64().unwrap());
    // Whoever has nothing new is not told again.
    shop.service.running.kit.run_round(&EXPOSURES).await.unwrap();
    let again = shop.erp.get(&format!("/v1/customers/{other}")).await.expect(200);
    shop.service.running.kit.run_round(&EXPOSURES).await.unwrap();
    assert_eq!(shop.erp.get(&format!("/v1/customers/{other}")).await.expect(200), again);
}

#[tokio::test]
async fn several_processes_at_once_tell_a_customer_whole() {
    let shop = Shop::open().await;
    let product = shop.stocked("TEA", "100").await;
    let kit = &shop.service.running.kit;
    for round in 1..=8 {
        shop.confirmed(product, "1").await;
        let rounds = (0..8).map(|_| kit.run_round(&EXPOSURES));
        for done in futures_util::future::join_all(rounds).await {
            done.unwrap();
        }
        told(&shop, shop.customer, &format!("{round}0.00")).await;
    }
}
