use super::{days_ago, entry, lines};
use crate::given;
use crate::shop::{Shop, id};
use serde_json::{Value, json};

/// One output tax for everything, with rates by first day.
pub async fn output_tax(shop: &Shop, code: &str, rates: &[(&str, &str, Option<String>)]) {
    let rates: Vec<Value> = rates
        .iter()
        .map(|(rate, from, to)| json!({"rate": rate, "valid_from": from, "valid_to": to}))
        .collect();
    let body = json!({"code": code, "name": code, "kind": "output", "rates": rates});
    shop.erp.post("/v1/tax-codes", body).await.expect(201);
    shop.erp
        .post("/v1/tax-rules", json!({"direction": "sale", "codes": [code]}))
        .await
        .expect(201);
}

async fn invoiced(shop: &Shop, body: Value) -> Value {
    let mut whole = json!({"customer_id": shop.customer, "currency": "USD", "post": true});
    whole["lines"] = body["lines"].clone();
    whole["prices_include_tax"] = json!(body["prices_include_tax"] == true);
    shop.erp.post("/v1/invoices", whole).await.expect(201)
}

/// 100.00 ordered at 19 %, delivered at 16 % → 116.00.
#[tokio::test]
async fn the_worked_example_of_a_rate_that_changes_before_the_delivery() {
    let shop = Shop::open().await;
    let (last, first) = (days_ago(3).to_string(), days_ago(2).to_string());
    output_tax(
        &shop,
        "VAT",
        &[("0.19", "2000-01-01", Some(last)), ("0.16", &first, None)],
    )
    .await;
    let product = shop.product("A").await;
    let stock = json!({"warehouse_id": shop.warehouse, "reason": "opening", "date": days_ago(9), "lines": [{"product_id": product, "quantity": "10"}]});
    shop.erp.post("/v1/stock-adjustments", stock).await.expect(201);
    let mut order = shop.order(json!([{"product_id": product, "quantity": "10", "unit_price": "10"}]));
    order["order_date"] = json!(days_ago(5));
    let order = shop.erp.post("/v1/sales-orders", order).await.expect(201);
    assert_eq!(order["total"]["gross"], "119.00");
    let deliver = format!("/v1/sales-orders/{}/deliveries", id(&order));
    shop.erp.post(&deliver, json!({"date": days_ago(2)})).await.expect(201);
    let path = format!("/v1/sales-orders/{}/invoices", id(&order));
    let shown = shop
        .erp
        .post(&format!("{path}?dry_run=true"), json!({"post": true}))
        .await
        .expect(200);
    assert_eq!(
        entry(&shown, 0),
        lines(&[("4010", "0", "100"), ("2100", "0", "16"), ("1100", "116", "0")])
    );
    let invoice = shop.erp.post(&path, json!({"post": true})).await.expect(201);
    assert_eq!(
        invoice["total"],
        json!({"net": "100.00", "tax": "16.00", "gross": "116.00"})
    );
    assert_eq!(
        (
            &invoice["taxes"][0]["code"],
            &invoice["taxes"][0]["rate"],
            &invoice["taxes"][0]["net"]
        ),
        (&json!("VAT"), &json!("0.16"), &json!("100.00"))
    );
    assert_eq!(invoice["lines"][0]["tax_point"], json!(days_ago(2)));
    assert_eq!(shop.order_now(&order).await["uninvoiced"], "0.00");

    // Whatever the rate is by then, a credit goes back at the invoice's.
    let credit = format!("{}/credit-notes", given::path("invoices", &invoice));
    let half = json!({"lines": [{"line_id": invoice["lines"][0]["id"], "quantity": "5"}]});
    let credit = shop.erp.post(&credit, half).await.expect(201);
    assert_eq!(
        credit["total"],
        json!({"net": "50.00", "tax": "8.00", "gross": "58.00"})
    );
}

/// 3 × 0.33 at 20 % → 0.20 (per line it would be 0.21). 0.50 at 5 % → 0.03.
#[tokio::test]
async fn tax_rounds_once_and_the_last_credit_takes_the_remainder() {
    let shop = Shop::open().await;
    output_tax(&shop, "T20", &[("0.2", "2000-01-01", None)]).await;
    let line = json!({"description": "Sweet", "quantity": "1", "unit_price": "0.33"});
    let invoice = invoiced(&shop, json!({"lines": [line, line, line]})).await;
    assert_eq!(invoice["total"], json!({"net": "0.99", "tax": "0.20", "gross": "1.19"}));
    let path = format!("{}/credit-notes", given::path("invoices", &invoice));
    let mut taxes = Vec::new();
    for line in 0..3 {
        let body = json!({"lines": [{"line_id": invoice["lines"][line]["id"]}]});
        let credit = shop.erp.post(&path, body).await.expect(201);
        taxes.push(credit["total"]["tax"].as_str().unwrap().to_owned());
    }
    assert_eq!(taxes, ["0.07", "0.07", "0.06"]);
    let now = shop.erp.get(&given::path("invoices", &invoice)).await.expect(200);
    assert_eq!(
        (&now["status"], &now["open_amount"]),
        (&json!("credited"), &json!("0.00"))
    );
}

/// One line of 3 × 0.33 at 20 %, credited piece by piece: 0.066 is 0.07 twice, and the last takes 0.06: together 0.20. Of 4 × 0.03
/// (0.024 of tax, so 0.02) the first two pieces take a cent each (0.006), and nothing is left for the others.
#[tokio::test]
async fn the_last_piece_takes_what_is_left_of_the_tax() {
    let shop = Shop::open().await;
    output_tax(&shop, "T20", &[("0.2", "2000-01-01", None)]).await;
    for (quantity, price, expected) in [
        ("3", "0.33", vec!["0.07", "0.07", "0.06"]),
        ("4", "0.03", vec!["0.01", "0.01", "0.00", "0.00"]),
    ] {
        let line = json!({"description": "Sweet", "quantity": quantity, "unit_price": price});
        let invoice = invoiced(&shop, json!({"lines": [line]})).await;
        let path = format!("{}/credit-notes", given::path("invoices", &invoice));
        let (mut taxes, mut entries) = (Vec::new(), Vec::new());
        for _ in &expected {
            let body = json!({"lines": [{"line_id": invoice["lines"][0]["id"], "quantity": "1"}]});
            let credit = shop.erp.post(&path, body).await.expect(201);
            taxes.push(credit["total"]["tax"].as_str().unwrap().to_owned());
            entries.push(credit["entry_id"].clone());
        }
        assert_eq!(taxes, expected);
        let now = shop.erp.get(&given::path("invoices", &invoice)).await.expect(200);
        assert_eq!(
            (&now["status"], &now["open_amount"]),
            (&json!("credited"), &json!("0.00"))
        );
        assert!(entries.iter().all(|entry| entry.is_string()), "{entries:?}");
    }
    // Nothing is left on any account but the customer's, which is even.
    let balance = shop.erp.get("/v1/reports/trial-balance").await.expect(200);
    let rows = balance["rows"].as_array().unwrap();
    let even = |row: &&Value| row["balance"] != "0.00" && row["balance"] != Value::Null;
    assert_eq!(rows.iter().filter(even).collect::<Vec<_>>(), Vec::<&Value>::new());
}

#[tokio::test]
async fn half_a_cent_of_tax_is_a_cent() {
    let shop = Shop::open().await;
    output_tax(&shop, "T5", &[("0.05", "2000-01-01", None)]).await;
    let line = json!({"description": "Sweet", "quantity": "1", "unit_price": "0.50"});
    let invoice = invoiced(&shop, json!({"lines": [line]})).await;
    assert_eq!(invoice["total"]["tax"], "0.03");
}

/// Inclusive: gross stays, and credits come to it to the cent.
#[tokio::test]
async fn prices_that_include_tax_keep_their_gross() {
    let shop = Shop::open().await;
    output_tax(&shop, "VAT", &[("0.19", "2000-01-01", None)]).await;
    let lines = json!([
        {"description": "A", "quantity": "3", "unit_price": "9.99"},
        {"description": "B", "quantity": "1", "unit_price": "0.05"}
    ]);
    let invoice = invoiced(&shop, json!({"prices_include_tax": true, "lines": lines})).await;
    // 30.02 × 0.19 ÷ 1.19 = 4.7931
    assert_eq!(
        invoice["total"],
        json!({"net": "25.23", "tax": "4.79", "gross": "30.02"})
    );
    let path = format!("{}/credit-notes", given::path("invoices", &invoice));
    let one = json!({"lines": [{"line_id": invoice["lines"][0]["id"], "quantity": "1"}]});
    let first = shop.erp.post(&path, one).await.expect(201);
    // 9.99 × 0.19 ÷ 1.19 = 1.595
    assert_eq!(first["total"], json!({"net": "8.39", "tax": "1.60", "gross": "9.99"}));
    let rest = shop.erp.post(&path, json!({})).await.expect(201);
    assert_eq!(rest["total"], json!({"net": "16.84", "tax": "3.19", "gross": "20.03"}));
    let now = shop.erp.get(&given::path("invoices", &invoice)).await.expect(200);
    assert_eq!(
        (&now["status"], &now["open_amount"]),
        (&json!("credited"), &json!("0.00"))
    );
}
