use super::support::{act, change, now, people, quote, sold};
use crate::support::{crm, customer, events, id, timeline_kinds};
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};

/// A draft of the representative with one line of tea at so much discount.
async fn discounted(crm: &TestService, rep: &Client, name: &str, discount: &str) -> Value {
    let of = customer(rep, name).await;
    let tea = sold(crm, "TEA", "10").await;
    let lines = json!([{ "product_id": tea, "quantity": "10", "discount": discount }]);
    quote(rep, &of, json!({ "lines": lines })).await
}

#[actix_web::test]
async fn up_to_the_limit_a_quote_is_sent_at_once_and_beyond_it_after_approval() {
    let crm = crm().await;
    let (rep, manager) = people(&crm).await;
    let at_limit = discounted(&crm, &rep, "Limit", "0.1").await;
    act(&rep, &at_limit, "send", json!({})).await.expect(200);
    let beyond = discounted(&crm, &rep, "Beyond", "0.1001").await;
    let refused = act(&rep, &beyond, "send", json!({})).await;
    let refused = refused.expect_problem(409, "approval_required");
    assert_eq!(
        (
            &refused["max_discount"],
            &refused["greatest_discount"],
            &refused["lines"][0]["id"]
        ),
        (&json!("0.1"), &json!("0.1001"), &beyond["lines"][0]["id"])
    );
    let note = json!({ "note": "Their first order" });
    let waiting = act(&rep, &beyond, "request-approval", note).await.expect(200);
    assert_eq!(
        (
            &waiting["state"],
            &waiting["allowed_actions"],
            &waiting["approvals"][0]["note"]
        ),
        (
            &json!("in_approval"),
            &json!(["approve", "reject", "withdraw", "assign"]),
            &json!("Their first order")
        )
    );
    // While it waits nobody changes or sends it.
    act(&rep, &beyond, "send", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    change(&rep, &beyond, json!({ "terms": "Net 90" }))
        .await
        .expect_problem(409, "illegal_transition");
    act(&rep, &beyond, "approve", json!({}))
        .await
        .expect_problem(403, "forbidden");
    let approved = act(&manager, &beyond, "approve", json!({ "note": "Once" }))
        .await
        .expect(200);
    let approval = &approved["approvals"][0];
    assert_eq!(
        (
            &approved["state"],
            &approval["state"],
            &approval["decided_by"],
            &approval["decision_note"]
        ),
        (&json!("draft"), &json!("approved"), &json!("Steven"), &json!("Once"))
    );
    assert_eq!(approval["current"], true);
    let sent = act(&rep, &beyond, "send", json!({})).await.expect(200);
    // 10 × 10 × 0.8999
    assert_eq!(
        (&sent["state"], &sent["sent_by"], &sent["total"]["net"]),
        (&json!("sent"), &json!("Nancy"), &json!("89.99"))
    );
    let kinds = timeline_kinds(&crm.client, beyond["customer_id"].as_str().unwrap()).await;
    assert_eq!(
        kinds[..4],
        ["quote_sent", "quote_approved", "quote_approval_requested", "quote_made"]
    );
    let told = events(&crm.client, "quote.changed", 6).await;
    let of_it = told.iter().filter(|event| event["data"]["id"] == beyond["id"]);
    let states: Vec<_> = of_it.map(|event| event["data"]["state"].clone()).collect();
    assert_eq!(states, ["draft", "in_approval", "draft", "sent"]);
}

#[actix_web::test]
async fn a_price_below_the_list_is_a_discount_as_well() {
    let crm = crm().await;
    let (rep, _) = people(&crm).await;
    let of = customer(&rep, "Cheap").await;
    let tea = sold(&crm, "TEA", "10").await;
    // 9.50 less 6 % is 8.93 of 10: 10.7 %.
    let lines = json!([{ "product_id": tea, "quantity": "1", "unit_price": "9.50", "discount": "0.06" }]);
    let draft = quote(&rep, &of, json!({ "lines": lines })).await;
    assert_eq!(draft["greatest_discount"], "0.107");
    act(&rep, &draft, "send", json!({}))
        .await
        .expect_problem(409, "approval_required");
}

#[actix_web::test]
async fn a_change_after_the_approval_asks_anew() {
    let crm = crm().await;
    let (rep, manager) = people(&crm).await;
    let draft = discounted(&crm, &rep, "Changing", "0.2").await;
    act(&rep, &draft, "request-approval", json!({})).await.expect(200);
    act(&manager, &draft, "approve", json!({})).await.expect(200);
    let line = &draft["lines"][0];
    let more = json!([{ "id": line["id"], "product_id": line["product_id"], "quantity": "11", "discount": "0.2" }]);
    for changes in [json!({ "lines": more }), json!({ "terms": "Net 90" })] {
        let changed = change(&rep, &draft, changes).await.expect(200);
        assert_eq!(changed["approvals"][0]["current"], false);
        act(&rep, &draft, "send", json!({}))
            .await
            .expect_problem(409, "approval_required");
    }
    act(&rep, &draft, "request-approval", json!({})).await.expect(200);
    act(&manager, &draft, "approve", json!({})).await.expect(200);
    let sent = act(&rep, &draft, "send", json!({})).await.expect(200);
    let approvals = sent["approvals"].as_array().unwrap().iter();
    let current: Vec<_> = approvals.map(|one| one["current"].clone()).collect();
    assert_eq!(current, [false, true]);
    // So does a new version.
    let next = act(&rep, &sent, "versions", json!({})).await.expect(201);
    assert_eq!(next["approvals"], json!([]));
    act(&rep, &next, "send", json!({}))
        .await
        .expect_problem(409, "approval_required");
}

#[actix_web::test]
async fn who_made_or_changed_it_does_not_approve_it() {
    let crm = crm().await;
    let (rep, manager) = people(&crm).await;
    let other = crm.user("Laura", "sales_manager", "all", None).await.client;
    let draft = discounted(&crm, &rep, "Made", "0.2").await;
    // The manager writes the terms, the representative asks: another manager decides.
    change(&manager, &draft, json!({ "terms": "Net 14" })).await.expect(200);
    act(&rep, &draft, "request-approval", json!({})).await.expect(200);
    act(&manager, &draft, "approve", json!({}))
        .await
        .expect_problem(403, "maker_may_not_approve");
    act(&manager, &draft, "reject", json!({ "reason": "No" }))
        .await
        .expect_problem(403, "maker_may_not_approve");
    act(&other, &draft, "approve", json!({})).await.expect(200);
    // Who asks does not decide either, even of a quote that somebody else made.
    let second = discounted(&crm, &rep, "Asked", "0.2").await;
    act(&other, &second, "request-approval", json!({})).await.expect(200);
    act(&other, &second, "approve", json!({}))
        .await
        .expect_problem(403, "maker_may_not_approve");
    act(&manager, &second, "approve", json!({})).await.expect(200);
}

#[actix_web::test]
async fn nobody_lets_more_pass_than_they_may_offer() {
    let crm = crm().await;
    let (rep, manager) = people(&crm).await;
    let draft = discounted(&crm, &rep, "Much", "0.31").await;
    act(&rep, &draft, "request-approval", json!({})).await.expect(200);
    let refused = act(&manager, &draft, "approve", json!({})).await;
    let refused = refused.expect_problem(403, "above_discount_limit");
    assert_eq!(refused["max_discount"], "0.3");
    act(&crm.client, &draft, "approve", json!({})).await.expect(200);
    act(&rep, &draft, "send", json!({})).await.expect(200);
}

#[actix_web::test]
async fn a_request_is_rejected_or_taken_back() {
    let crm = crm().await;
    let (rep, manager) = people(&crm).await;
    let draft = discounted(&crm, &rep, "Back", "0.2").await;
    act(&rep, &draft, "withdraw", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    act(&rep, &draft, "request-approval", json!({})).await.expect(200);
    let rejected = act(&manager, &draft, "reject", json!({ "reason": "Margin" }))
        .await
        .expect(200);
    let approval = &rejected["approvals"][0];
    assert_eq!(
        (&rejected["state"], &approval["state"], &approval["decision_note"]),
        (&json!("draft"), &json!("rejected"), &json!("Margin"))
    );
    act(&rep, &draft, "send", json!({}))
        .await
        .expect_problem(409, "approval_required");
    act(&rep, &draft, "request-approval", json!({})).await.expect(200);
    let back = act(&rep, &draft, "withdraw", json!({})).await.expect(200);
    assert_eq!(
        (&back["state"], &back["approvals"][1]["state"]),
        (&json!("draft"), &json!("withdrawn"))
    );
    act(&manager, &draft, "approve", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(id(&now(&rep, &draft).await), id(&draft));
}
