use crate::given::{erp, path, product};
use serde_json::{Value, json};
use service_kit::testing::Client;

async fn supplier(erp: &Client) -> Value {
    let body = json!({"name": "Exotic Liquids", "currency": "USD", "lead_time_days": 10});
    erp.post("/v1/suppliers", body).await.expect(201)
}

#[tokio::test]
async fn the_largest_quantity_reached_answers_then_the_latest_day() {
    let service = erp().await;
    let erp = service.client.clone();
    let (supplier, product) = (supplier(&erp).await, product(&erp, "A").await);
    let prices = format!("{}/prices", path("suppliers", &supplier));
    for (price, more) in [
        ("10", json!({"supplier_sku": "X-1"})),
        ("9.50", json!({"valid_from": "2026-07-01"})),
        (
            "8",
            json!({"minimum_quantity": "100", "lead_time_days": 21, "valid_to": "2026-12-31"}),
        ),
    ] {
        let mut body = json!({"product_id": product["id"], "unit_price": price});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        erp.post(&prices, body).await.expect(201);
    }
    let ask = format!("{}/price-quotes", path("suppliers", &supplier));
    for (date, quantity, price, days) in [
        ("2026-06-30", "99.999", json!("10"), 10),
        ("2026-07-01", "5", json!("9.5"), 10),
        ("2026-12-31", "100", json!("8"), 21),
        ("2027-01-01", "100", json!("9.5"), 10),
    ] {
        let body = json!({"date": date, "lines": [{"product_id": product["id"], "quantity": quantity}]});
        let answer = erp.post(&ask, body).await.expect(200);
        let line = &answer["lines"][0];
        assert_eq!(
            (&line["unit_price"], &line["lead_time_days"]),
            (&price, &json!(days)),
            "{answer:#}"
        );
    }
    let body = json!({"currency": "EUR", "lines": [{"product_id": product["id"], "quantity": "1"}]});
    let none = erp.post(&ask, body).await.expect(200);
    assert_eq!(none["lines"][0]["unit_price"], Value::Null);
}

#[tokio::test]
async fn ties_are_refused_and_prices_end() {
    let service = erp().await;
    let erp = service.client.clone();
    let (supplier, product) = (supplier(&erp).await, product(&erp, "A").await);
    let prices = format!("{}/prices", path("suppliers", &supplier));
    let body = json!({"product_id": product["id"], "unit_price": "10"});
    let made = erp.post(&prices, body.clone()).await.expect(201);
    erp.post(&prices, body).await.expect_problem(409, "duplicate_price");
    let at = path("supplier-prices", &made);
    let ended = erp
        .patch(&at, json!({"valid_to": "2026-01-31", "unit_price": "11"}))
        .await
        .expect(200);
    assert_eq!(
        (&ended["valid_to"], &ended["unit_price"], &ended["revision"]),
        (&json!("2026-01-31"), &json!("11"), &json!(2))
    );
    let listed = erp
        .get(&format!(
            "/v1/supplier-prices?product_id={}",
            product["id"].as_str().unwrap()
        ))
        .await
        .expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let wrong =
        json!({"product_id": supplier["id"], "unit_price": "1", "valid_from": "2026-02-01", "valid_to": "2026-01-01"});
    let problem = erp.post(&prices, wrong).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
}
