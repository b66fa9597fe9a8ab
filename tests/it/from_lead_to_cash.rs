//! From a web form to money: lead, deal with its required steps, quote with what there is in stock,
//! order, delivery, invoice, payment; and the customer's card in the CRM shows all of it.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply};
use tests::{Stack, eventually, id};
use uuid::Uuid;

/// A product with stock and a list price, once the CRM can quote it.
async fn priced(stack: &Stack, sku: &str, quantity: &str, price: &str) -> Uuid {
    let product = stack.product(sku, quantity).await;
    let lists = stack.erp.get("/v1/price-lists").await.expect(200);
    let list = match lists["items"].get(0) {
        Some(list) => id(list),
        None => id(&stack
            .erp
            .post("/v1/price-lists", json!({ "name": "Base", "currency": "USD" }))
            .await
            .expect(201)),
    };
    let body = json!({ "product_id": product, "unit_price": price });
    stack
        .erp
        .post(&format!("/v1/price-lists/{list}/prices"), body)
        .await
        .expect(201);
    eventually("the price in the CRM", async || {
        let prices = stack
            .crm
            .get(&format!("/v1/prices?product_id={product}"))
            .await
            .expect(200);
        prices["items"].get(0).map(|_| ())
    })
    .await;
    product
}

async fn act(crm: &Client, record: &str, verb: &str, body: Value) -> Reply {
    crm.post(&format!("{record}/{verb}"), body).await
}

/// Sends the form as a browser does, without a key.
async fn submit_form(stack: &Stack, form: &Value, fields: Value) -> u16 {
    let url = format!(
        "{}/v1/forms/{}/submissions",
        stack.crm_service.url(),
        form["key"].as_str().expect("a key")
    );
    let sent = reqwest::Client::new()
        .post(url)
        .header("Origin", "https://www.example.com")
        .json(&fields)
        .send()
        .await;
    sent.expect("an answer").status().as_u16()
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().expect("a decimal").parse().expect("a decimal")
}

#[tokio::test]
async fn from_a_web_form_to_a_paid_invoice() {
    let stack = Stack::start().await;
    let crm = &stack.crm;
    let tea = priced(&stack, "TEA", "20", "9.50").await;

    // A form on a web page becomes a lead.
    let form = json!({
        "name": "Ask for an offer", "allowed_origins": ["https://www.example.com"], "honeypot": "website",
        "source": "web", "campaign": "autumn",
        "fields": [{ "name": "name", "required": true }, { "name": "company" }, { "name": "email", "required": true }],
    });
    let form = crm.post("/v1/lead-forms", form).await.expect(201);
    let fields = json!({ "name": "Maria Anders", "company": "Alfreds Futterkiste", "email": "maria@alfreds.example" });
    assert_eq!(submit_form(&stack, &form, fields).await, 202);
    let leads = crm.get("/v1/leads").await.expect(200);
    let lead = &leads["items"][0];
    assert_eq!((&lead["source"], &lead["campaign"]), (&json!("web"), &json!("autumn")));
    let lead = format!("/v1/leads/{}", id(lead));
    act(crm, &lead, "start", json!({})).await.expect(200);
    act(crm, &lead, "qualify", json!({})).await.expect(200);
    let converted = act(
        crm,
        &lead,
        "convert",
        json!({ "deal": { "name": "Tea for the winter" } }),
    )
    .await
    .expect(200);
    let text = |field: &str| converted[field].as_str().expect("an id").to_owned();
    let (customer, contact, deal_id) = (text("customer_id"), text("contact_id"), text("deal_id"));
    let card = format!("/v1/customers/{customer}/card");

    // The deal leaves no required step behind.
    let deal = format!("/v1/deals/{deal_id}");
    act(crm, &deal, "move", json!({ "stage": "qualified" }))
        .await
        .expect_problem(409, "steps_missing");
    let call = json!({
        "kind": "call", "title": "First call", "direction": "out", "state": "done", "outcome": "reached",
        "subject_type": "deal", "subject_id": deal_id,
    });
    let call = crm.post("/v1/activities", call).await.expect(201);
    let evidence = json!([{ "step": "first_call", "evidence_id": call["id"] }]);
    act(
        crm,
        &deal,
        "move",
        json!({ "stage": "qualified", "evidence": evidence }),
    )
    .await
    .expect(200);
    let close = chrono::Utc::now().date_naive() + chrono::Days::new(20);
    let content = json!({ "expected_close_on": close, "contact_id": contact, "lines": [{ "product_id": tea, "quantity": "12" }] });
    let changed = crm.patch_matching(&deal, "*", content).await.expect(200);
    assert_eq!(changed["amount"], "114.00", "12 at 9.50");
    act(crm, &deal, "move", json!({ "stage": "proposal" }))
        .await
        .expect(200);

    // The quote says what there is; the ERP may be down meanwhile.
    let quote = json!({ "title": "Tea for the winter", "customer_id": customer, "deal_id": deal_id });
    let quote = crm.post("/v1/quotes", quote).await.expect(201);
    let path = format!("/v1/quotes/{}", id(&quote));
    let shown = crm.get(&path).await.expect(200);
    assert_eq!(
        (&shown["lines"][0]["unit_price"], &shown["total"]["net"]),
        (&json!("9.5"), &json!("114.00"))
    );
    let there = &shown["availability"][0];
    assert_eq!((&there["available"], &there["short"]), (&json!("20"), &json!("0")));
    assert!(there["as_of"].is_string());
    let sent = act(crm, &path, "send", json!({})).await.expect(200);
    assert_eq!(sent["state"], "sent");
    let files = crm
        .get(&format!("/v1/attachments?subject_type=deal&subject_id={deal_id}"))
        .await
        .expect(200);
    let evidence = json!([{ "step": "offer", "evidence_id": files["items"][0]["id"] }]);
    act(
        crm,
        &deal,
        "move",
        json!({ "stage": "negotiation", "evidence": evidence }),
    )
    .await
    .expect(200);

    // A new list price changes nothing of what was offered.
    let prices = stack.crm.get(&format!("/v1/prices?product_id={tea}")).await.expect(200);
    let price = format!("/v1/prices/{}", id(&prices["items"][0]));
    stack
        .erp
        .patch_matching(&price, "*", json!({ "unit_price": "11.00" }))
        .await
        .expect(200);
    let accepted = act(crm, &path, "accept", json!({})).await.expect(200);
    let order: Uuid = accepted["order_id"].as_str().expect("an order").parse().expect("an id");
    act(crm, &path, "accept", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    // The customer's yes wins the deal.
    assert_eq!(crm.get(&deal).await.expect(200)["state"], "won");
    stack.order_in_crm(order, "accepted").await;
    let there = stack.erp.get(&format!("/v1/sales-orders/{order}")).await.expect(200);
    assert_eq!(decimal(&there["lines"][0]["unit_price"]), Decimal::new(95, 1));

    // Delivered, invoiced and paid in the ERP.
    let of_order = format!("/v1/sales-orders/{order}");
    stack
        .erp
        .post(&format!("{of_order}/deliveries"), json!({}))
        .await
        .expect(201);
    let invoice = stack
        .erp
        .post(&format!("{of_order}/invoices"), json!({ "post": true }))
        .await
        .expect(201);
    eventually("the unpaid invoice on the card", async || {
        let shown = crm.get(&card).await.expect(200);
        (shown["unpaid_invoices"]["first"][0]["open_amount"] == "114.00" && shown["credit"]["open_balance"] == "114.00")
            .then_some(())
    })
    .await;
    let payment = json!({
        "direction": "in", "party_type": "customer", "party_id": customer, "currency": "USD", "amount": "114.00",
        "allocations": [{ "document_id": invoice["id"] }],
    });
    stack.erp.post("/v1/payments", payment).await.expect(201);
    let shown = eventually("everything paid on the card", async || {
        let shown = crm.get(&card).await.expect(200);
        let paid = shown["unpaid_invoices"]["count"] == 0
            && shown["credit"]["open_balance"] == "0.00"
            && shown["recent_orders"][0]["status"] == "delivered";
        paid.then_some(shown)
    })
    .await;
    assert_eq!(shown["contacts"][0]["name"], "Maria Anders");
    assert_eq!(
        (&shown["open_deals"]["count"], &shown["open_orders"]["count"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(shown["last_activity"]["id"], call["id"]);

    // A second deal of the same customer; it is lost, and its soft demand is withdrawn.
    let second = json!({
        "name": "More tea", "customer_id": customer, "expected_close_on": close,
        "lines": [{ "product_id": tea, "quantity": "50" }],
    });
    let second = crm.post("/v1/deals", second).await.expect(201);
    assert_eq!(crm.get(&card).await.expect(200)["open_deals"]["count"], 1);
    let demand = crm.get("/v1/soft-demand?empty=false").await.expect(200);
    assert_eq!(demand["items"][0]["id"], second["id"]);
    assert_eq!(
        decimal(&demand["items"][0]["lines"][0]["weighted_quantity"]),
        Decimal::from(5),
        "50 at 10 %"
    );
    let loss = json!({ "reason": "competitor", "competitor": "Tea & Co" });
    act(crm, &format!("/v1/deals/{}", id(&second)), "lose", loss)
        .await
        .expect(200);
    let demand = crm.get("/v1/soft-demand?empty=false").await.expect(200);
    assert_eq!(demand["items"], json!([]), "{demand:#}");
    stack.no_dead_letter().await;
}
