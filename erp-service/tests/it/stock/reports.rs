//! What stock was worth on any day, and how it came to that.

use super::{adjustment, day};
use crate::shop::{Shop, id};
use serde_json::{Value, json};

async fn on(shop: &Shop, mut body: Value, days: i64) -> Value {
    body["date"] = json!(day(days));
    shop.erp.post("/v1/stock-adjustments", body).await.expect(201)
}

#[tokio::test]
async fn the_valuation_of_any_day_is_the_balance_of_the_stock_account() {
    let shop = Shop::open().await;
    let (a, b) = (shop.product("A").await, shop.product("B").await);
    on(&shop, adjustment(&shop, a, "10", Some("10")), -20).await;
    on(&shop, adjustment(&shop, b, "4", Some("2.5")), -15).await;
    on(&shop, adjustment(&shop, a, "10", Some("12")), -10).await;
    // Recorded last, dated in between: it leaves at the average of today.
    on(&shop, adjustment(&shop, a, "-5", None), -12).await;
    for (days, total, lines) in [
        (-30, "0.00", 0),
        (-20, "100.00", 1),
        (-15, "110.00", 2),
        (-12, "55.00", 2),
        (0, "175.00", 2),
    ] {
        let path = format!("/v1/reports/stock-valuation?date={}", day(days));
        let report = shop.erp.get(&path).await.expect(200);
        assert_eq!(report["total"], total, "{days}");
        assert_eq!(report["ledger"], total, "{days}");
        assert_eq!(report["lines"].as_array().unwrap().len(), lines);
    }
    let report = shop
        .erp
        .get(&format!("/v1/reports/stock-valuation?product_id={a}"))
        .await
        .expect(200);
    let first = &report["lines"][0];
    assert_eq!(
        (
            &first["sku"],
            &first["warehouse"],
            &first["quantity"],
            &first["value"],
            &first["unit_cost"]
        ),
        (
            &json!("A"),
            &json!("MAIN"),
            &json!("15"),
            &json!("165.00"),
            &json!("11")
        )
    );
    assert_eq!(report["ledger"], Value::Null);
}

#[tokio::test]
async fn the_stock_ledger_runs_by_posting_date() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    on(&shop, adjustment(&shop, product, "10", Some("10")), -20).await;
    on(&shop, adjustment(&shop, product, "10", Some("12")), -10).await;
    let late = on(&shop, adjustment(&shop, product, "-5", None), -12).await;
    let path = format!(
        "/v1/reports/stock-ledger?product_id={product}&from={}&to={}",
        day(-15),
        day(0)
    );
    let report = shop.erp.get(&path).await.expect(200);
    assert_eq!(
        (&report["opening_quantity"], &report["opening_value"]),
        (&json!("10"), &json!("100.00"))
    );
    let lines: Vec<(&str, &str, &str, &str)> = report["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["quantity"].as_str().unwrap(),
                line["value"].as_str().unwrap(),
                line["running_quantity"].as_str().unwrap(),
                line["running_value"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        lines,
        [("-5", "-55.00", "5", "45.00"), ("10", "120.00", "15", "165.00")]
    );
    assert_eq!(report["lines"][0]["document_id"], json!(id(&late)));
    assert_eq!(
        (&report["closing_quantity"], &report["closing_value"]),
        (&json!("15"), &json!("165.00"))
    );
    let quiet = format!(
        "/v1/reports/stock-ledger?product_id={product}&from={}&to={}",
        day(-11),
        day(-11)
    );
    let report = shop.erp.get(&quiet).await.expect(200);
    assert_eq!(
        (&report["opening_value"], &report["closing_value"]),
        (&json!("45.00"), &json!("45.00"))
    );
}
