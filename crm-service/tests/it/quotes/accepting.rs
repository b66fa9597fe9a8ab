use super::support::{act, change, in_days, let_it_pass, line, now, order_of, orders, quote, retire, sent, sold};
use crate::sales::tell_price;
use crate::support::{crm, customer, events, id, timeline_kinds};
use serde_json::json;

#[actix_web::test]
async fn an_accepted_quote_is_one_submitted_order_at_its_prices() {
    let crm = crm().await;
    let (of, tea, sent) = sent(&crm).await;
    // The list goes from 9.50 to 9.00 before the customer answers.
    let cheaper = json!({ "valid_from": super::support::today(), "minimum_quantity": "1" });
    tell_price(&crm.integration(), &tea, "9.00", cheaper).await;
    let accepted = act(
        &crm.client,
        &sent,
        "accept",
        json!({ "external_ref": "PO 7", "note": "By phone" }),
    )
    .await
    .expect(200);
    assert_eq!(
        (
            &accepted["state"],
            &accepted["decision_note"],
            &accepted["allowed_actions"]
        ),
        (&json!("accepted"), &json!("By phone"), &json!(["assign"]))
    );
    let order = order_of(&crm.client, &accepted).await;
    assert_eq!(
        (
            &order["status"],
            &order["quote_id"],
            &order["external_ref"],
            &order["customer_id"]
        ),
        (&json!("submitted"), &sent["id"], &json!("PO 7"), &of["id"])
    );
    let ordered = &order["lines"][0];
    assert_eq!(
        (&ordered["id"], &ordered["unit_price"], &ordered["line_total"]),
        (&sent["lines"][0]["id"], &json!("9.5"), &json!("95.00"))
    );
    assert_eq!((&order["total"], orders(&crm.client).await.len()), (&sent["total"], 1));
    // Whoever orders today without a quote pays today's price.
    let today = json!({ "customer_id": of["id"], "currency": "USD", "submit": true, "lines": [line(&tea, "10")] });
    let today = crm.client.post("/v1/orders", today).await.expect(201);
    assert_eq!(today["total"]["net"], "90.00");
    // What has become of it is told, with the whole record.
    let told = events(&crm.client, "quote.changed", 3).await;
    let states: Vec<_> = told.iter().map(|event| event["data"]["state"].clone()).collect();
    assert_eq!(states, ["draft", "sent", "accepted"]);
    let submitted = events(&crm.client, "order.submitted", 1).await;
    assert_eq!(submitted[0]["data"]["quote_id"], sent["id"]);
    let kinds = timeline_kinds(&crm.client, id(&of)).await;
    for kind in ["quote_made", "quote_sent", "quote_accepted", "order_submitted"] {
        assert!(kinds.iter().any(|told| told == kind), "{kind} is not in {kinds:?}");
    }
    let found = crm
        .client
        .get(&format!("/v1/orders?quote_id={}", id(&sent)))
        .await
        .expect(200);
    assert_eq!(super::support::ids(&found), [id(&order)]);
}

#[actix_web::test]
async fn a_product_that_was_retired_meanwhile_is_ordered_all_the_same() {
    let crm = crm().await;
    let (of, tea, sent) = sent(&crm).await;
    retire(&crm, &tea, "TEA").await;
    let accepted = act(&crm.client, &sent, "accept", json!({})).await.expect(200);
    assert_eq!(order_of(&crm.client, &accepted).await["total"]["net"], "95.00");
    // What is not offered yet, is not any more.
    let body = json!({ "title": "Late", "customer_id": of["id"], "lines": [line(&tea, "1")] });
    let refused = crm
        .client
        .post("/v1/quotes", body)
        .await
        .expect_problem(422, "product_retired");
    assert_eq!(refused["errors"][0]["pointer"], "/lines/0/product_id");
}

#[actix_web::test]
async fn an_order_that_is_not_submitted_waits_as_a_draft_and_keeps_what_was_promised() {
    let crm = crm().await;
    let (_, tea, sent) = sent(&crm).await;
    let order_id = crate::sales::new_id();
    let body = json!({ "submit": false, "order_id": order_id, "requested_date": in_days(9) });
    let accepted = act(&crm.client, &sent, "accept", body).await.expect(200);
    assert_eq!(accepted["order_id"], json!(order_id));
    let path = format!("/v1/orders/{order_id}");
    let reply = crm.client.get(&path).await;
    let (etag, order) = (reply.etag(), reply.body);
    assert_eq!(
        (&order["status"], &order["requested_date"]),
        (&json!("draft"), &json!(in_days(9)))
    );
    for changes in [json!({ "lines": [line(&tea, "99")] }), json!({ "currency": "EUR" })] {
        let refused = crm.client.patch_matching(&path, &etag, changes).await;
        let refused = refused.expect_problem(409, "promised_by_quote");
        assert_eq!(refused["quote_id"], sent["id"]);
    }
    let moved = json!({ "requested_date": in_days(12) });
    crm.client.patch_matching(&path, &etag, moved).await.expect(200);
    let submitted = crm.client.post(&format!("{path}/submit"), json!({})).await.expect(200);
    assert_eq!(submitted["lines"][0]["unit_price"], "9.5");
    // A copy is an order of its own.
    let copy = crm.client.post(&format!("{path}/copy"), json!({})).await.expect(201);
    assert_eq!(copy["quote_id"], json!(null));
}

#[actix_web::test]
async fn only_what_is_sent_and_valid_is_accepted() {
    let crm = crm().await;
    let (_, _, draft) = super::support::begun(&crm).await;
    let refused = act(&crm.client, &draft, "accept", json!({})).await;
    let refused = refused.expect_problem(409, "illegal_transition");
    assert_eq!(refused["state"], "draft");
    let sent = act(&crm.client, &draft, "send", json!({})).await.expect(200);
    let late = json!({ "requested_date": in_days(-1) });
    let refused = act(&crm.client, &sent, "accept", late)
        .await
        .expect_problem(422, "out_of_range");
    assert_eq!(refused["errors"][0]["pointer"], "/requested_date");
    let_it_pass(&crm, &sent);
    let refused = act(&crm.client, &sent, "accept", json!({})).await;
    let refused = refused.expect_problem(409, "illegal_transition");
    assert_eq!(
        (&refused["state"], &refused["allowed_actions"]),
        (&json!("expired"), &json!(["new_version", "assign"]))
    );
    assert_eq!(orders(&crm.client).await.len(), 0);
}

#[actix_web::test]
async fn a_dry_run_and_a_refusal_leave_nothing_behind() {
    let crm = crm().await;
    let (of, tea, sent) = sent(&crm).await;
    let path = format!("/v1/quotes/{}/accept?dry_run=true", id(&sent));
    let tried = crm.client.post(&path, json!({})).await.expect(200);
    assert_eq!(tried["state"], "accepted");
    crm.client
        .post(
            "/v1/orders",
            json!({ "customer_id": of["id"], "currency": "USD", "external_ref": "PO 1", "lines": [line(&tea, "1")] }),
        )
        .await
        .expect(201);
    act(&crm.client, &sent, "accept", json!({ "external_ref": "PO 1" }))
        .await
        .expect_problem(409, "duplicate");
    assert_eq!(
        (&now(&crm.client, &sent).await["state"], orders(&crm.client).await.len()),
        (&json!("sent"), 1)
    );
}

#[actix_web::test]
async fn who_may_not_order_does_not_accept() {
    let crm = crm().await;
    let (_, _, sent) = sent(&crm).await;
    let quoting = crm.client.new_key("custom", &["quotes:write", "quotes:read"]).await;
    act(&quoting, &sent, "accept", json!({}))
        .await
        .expect_problem(403, "forbidden");
    let placing = crm.client.new_key("custom", &["quotes:write", "orders:write"]).await;
    let refused = act(&placing, &sent, "accept", json!({}))
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(refused["required_permission"], "orders:submit");
    act(&placing, &sent, "accept", json!({ "submit": false }))
        .await
        .expect(200);
}

#[actix_web::test]
async fn a_declined_quote_says_why_and_an_archived_customer_orders_nothing() {
    let crm = crm().await;
    let (of, tea, first) = sent(&crm).await;
    let declined = act(&crm.client, &first, "decline", json!({ "reason": "Too dear" }))
        .await
        .expect(200);
    assert_eq!(
        (&declined["state"], &declined["decision_note"]),
        (&json!("declined"), &json!("Too dear"))
    );
    act(&crm.client, &first, "accept", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    let second = quote(&crm.client, &of, json!({ "lines": [line(&tea, "1")] })).await;
    act(&crm.client, &second, "send", json!({})).await.expect(200);
    crm.client
        .post(&format!("/v1/customers/{}/archive", id(&of)), json!({}))
        .await
        .expect(200);
    act(&crm.client, &second, "accept", json!({}))
        .await
        .expect_problem(409, "customer_archived");
}

#[actix_web::test]
async fn sums_are_those_of_rounded_lines_in_the_currency() {
    let crm = crm().await;
    let of = customer(&crm.client, "Sums").await;
    let tea = sold(&crm, "TEA", "").await;
    // 3 × 0.335 = 1.005 and 1 × 0.335 each round half to even; 7 × 1.10 × 0.95 = 7.315.
    let lines = json!([
        { "product_id": tea, "quantity": "3", "unit_price": "0.335" },
        { "product_id": tea, "quantity": "1", "unit_price": "0.335" },
        { "product_id": tea, "quantity": "7", "unit_price": "1.10", "discount": "0.05" },
    ]);
    let draft = quote(&crm.client, &of, json!({ "lines": lines })).await;
    let totals: Vec<_> = draft["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["line_total"].clone())
        .collect();
    assert_eq!(totals, ["1.00", "0.34", "7.32"]);
    assert_eq!(draft["total"]["net"], "8.66");
    // In yen there are no cents: 1.005 → 1, 0.335 → 0, 7.315 → 7.
    let yen = change(&crm.client, &draft, json!({ "currency": "JPY" }))
        .await
        .expect(200);
    assert_eq!(yen["total"]["net"], "8");
    let sent = act(&crm.client, &draft, "send", json!({})).await.expect(200);
    let accepted = act(&crm.client, &sent, "accept", json!({})).await.expect(200);
    let order = order_of(&crm.client, &accepted).await;
    assert_eq!((&order["currency"], &order["total"]), (&json!("JPY"), &sent["total"]));
}
