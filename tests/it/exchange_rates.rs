//! Exchange rates and the base currency of the ERP give the CRM's figures their values.

use serde_json::{Value, json};
use tests::{Stack, eventually, id};

#[tokio::test]
async fn a_forecast_in_two_currencies_is_worth_what_the_erp_says() {
    let stack = Stack::start().await;
    let today = chrono::Utc::now().date_naive();
    let customer = stack.customer("Ernst Handel").await;
    // The probabilities of the worked example, 30 % and 50 %.
    let stages = json!([
        { "key": "a", "name": "A", "probability": "0.3", "next_stages": ["b"] },
        { "key": "b", "name": "B", "probability": "0.5", "next_stages": [] },
    ]);
    let pipeline = json!({ "name": "Export", "publish": true, "stages": stages });
    let pipeline = stack.crm.post("/v1/pipelines", pipeline).await.expect(201);
    let deal = async |fields: Value| {
        let mut body = json!({
            "name": "A deal", "customer_id": customer, "pipeline_id": pipeline["id"], "expected_close_on": today,
        });
        body.as_object_mut()
            .expect("an object")
            .extend(fields.as_object().expect("an object").clone());
        stack.crm.post("/v1/deals", body).await.expect(201)
    };
    deal(json!({ "amount": "10000", "currency": "USD" })).await;
    let euros = deal(json!({ "amount": "4000", "currency": "EUR" })).await;
    stack
        .crm
        .post(&format!("/v1/deals/{}/move", id(&euros)), json!({ "stage": "b" }))
        .await
        .expect(200);
    deal(json!({})).await;

    let path = format!(
        "/v1/deals/forecast?from={today}&to={today}&pipeline_id={}",
        id(&pipeline)
    );
    let total = async || stack.crm.get(&path).await.expect(200)["total"].clone();
    let before = total().await;
    assert_eq!(
        (&before["open"]["weighted"], &before["unvalued"]["count"]),
        (&json!("3000.00"), &json!(2)),
        "euros are worth nothing known yet"
    );
    let rate = json!({ "date": today, "reference": "EUR", "currency": "USD", "rate": "1.10" });
    stack.erp.post("/v1/exchange-rates", rate).await.expect(201);
    eventually("the forecast to be worth 5,200.00", async || {
        let total = total().await;
        (total["open"]["weighted"] == "5200.00" && total["unvalued"]["count"] == 1).then_some(())
    })
    .await;

    let settings = stack.erp.get("/v1/company").await.expect(200);
    let name = json!({ "name": "Northwind Traders" });
    stack
        .erp
        .patch_matching("/v1/company", &format!("\"{}\"", settings["revision"]), name)
        .await
        .expect(200);
    eventually("the CRM to know the company's name", async || {
        let company = stack.crm.get("/v1/company").await.expect(200);
        (company["name"] == "Northwind Traders").then_some(())
    })
    .await;
    stack.no_dead_letter().await;
}
