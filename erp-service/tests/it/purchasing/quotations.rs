use super::buying::Buying;
use crate::shop::id;
use serde_json::{Value, json};

#[tokio::test]
async fn answers_are_compared_in_one_currency_and_awarded_in_one_step() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let today = chrono::Utc::now().date_naive().to_string();
    let rate = json!({"reference": "EUR", "currency": "USD", "date": today, "rate": "1.25"});
    buying.erp.post("/v1/exchange-rates", rate).await.expect(201);
    let other = json!({"name": "Pavlova", "currency": "EUR"});
    let other = id(&buying.erp.post("/v1/suppliers", other).await.expect(201));
    let body = json!({"send": true, "supplier_ids": [buying.supplier, other], "lines": [
        {"product_id": product, "quantity": "10"}, {"description": "Installation", "quantity": "1"}]});
    let made = buying.erp.post("/v1/requests-for-quotation", body).await.expect(201);
    assert!(made["number"].as_str().unwrap().starts_with("RFQ-"), "{made:#}");
    let (first, second) = (made["lines"][0]["id"].clone(), made["lines"][1]["id"].clone());
    let path = format!("/v1/requests-for-quotation/{}", id(&made));
    let answer = json!({"supplier_id": buying.supplier, "lines": [
        {"line_id": first, "unit_price": "10.00", "lead_time_days": 5}, {"line_id": second, "unit_price": "50"}]});
    buying.erp.post(&format!("{path}/answers"), answer).await.expect(200);
    // 9.00 EUR at 1.25 are 11.25 USD: dearer, though the number is less.
    let answer =
        json!({"supplier_id": other, "lines": [{"line_id": first, "unit_price": "9.00", "lead_time_days": 2}]});
    buying.erp.post(&format!("{path}/answers"), answer).await.expect(200);
    let table = buying.erp.get(&format!("{path}/comparison")).await.expect(200);
    let rows = table["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    let row = |line: &Value, supplier| {
        rows.iter()
            .find(|row| row["line_id"] == *line && row["supplier_id"] == json!(supplier))
            .unwrap()
    };
    let (own, foreign) = (row(&first, buying.supplier), row(&first, other));
    assert_eq!(
        (&own["base_total"], &foreign["base_total"], &foreign["line_total"]),
        (&json!("100.00"), &json!("112.50"), &json!("90.00"))
    );
    assert_eq!(
        (
            &own["cheapest"],
            &own["fastest"],
            &foreign["cheapest"],
            &foreign["fastest"]
        ),
        (&json!(true), &json!(false), &json!(false), &json!(true))
    );
    assert_eq!(row(&second, other)["unit_price"], Value::Null);
    let csv = buying
        .erp
        .request(reqwest::Method::GET, &format!("{path}/comparison"))
        .header("Accept", "text/csv");
    let csv = buying.erp.send(csv).await;
    let text = csv.body.as_str().unwrap_or_default().to_owned();
    assert_eq!((csv.status.as_u16(), text.lines().count()), (200, 5), "{text}");
    assert!(text.lines().next().unwrap().contains("supplier_name"), "{text}");
    let wrong = json!({"awards": [{"line_id": second, "supplier_id": other}]});
    buying
        .erp
        .post(&format!("{path}/award"), wrong)
        .await
        .expect_problem(422, "no_answer");
    let award = json!({"submit": true, "awards": [{"line_id": first, "supplier_id": other, "quantity": "4"},
        {"line_id": first, "supplier_id": buying.supplier}, {"line_id": second, "supplier_id": buying.supplier}]});
    let awarded = buying
        .erp
        .post(&format!("{path}/award"), award.clone())
        .await
        .expect(200);
    assert_eq!(awarded["status"], "awarded");
    let orders = awarded["orders"].as_array().unwrap();
    let order = |supplier| {
        orders
            .iter()
            .find(|order| order["supplier_id"] == json!(supplier))
            .unwrap()
    };
    assert_eq!(
        (&order(other)["currency"], &order(other)["total"]["net"]),
        (&json!("EUR"), &json!("36.00"))
    );
    assert_eq!(
        (
            &order(buying.supplier)["total"]["net"],
            &order(buying.supplier)["status"]
        ),
        (&json!("110.00"), &json!("awaiting_approval"))
    );
    buying
        .erp
        .post(&format!("{path}/award"), award)
        .await
        .expect_problem(409, "illegal_transition");
}
