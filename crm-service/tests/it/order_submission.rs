//! Submitting and cancelling.

use crate::sales::{new_id, order, order_now, placed, report, submitted, tell, tell_price, tell_tier};
use crate::support::{crm, customer, events, id, timeline_kinds};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

fn submit_path(order: &Value) -> String {
    format!("/v1/orders/{}/submit", id(order))
}

fn cancel_path(order: &Value) -> String {
    format!("/v1/orders/{}/cancel", id(order))
}

#[actix_web::test]
async fn a_draft_is_submitted_once() {
    let crm = crm().await;
    let of = customer(&crm.client, "Vins et alcools Chevalier").await;
    let draft = placed(&crm.client, order(&of)).await;
    let reply = crm.client.post(&submit_path(&draft), json!({})).await;
    assert_eq!(reply.etag(), "\"2\"");
    let sent = reply.expect(200);
    assert_eq!((&sent["status"], &sent["version"]), (&json!("submitted"), &json!(2)));
    assert!(sent["submitted_at"].is_string());
    assert_eq!(sent["allowed_actions"], json!(["request_change", "cancel", "copy"]));
    assert_eq!(sent["lines"], draft["lines"]);
    assert_eq!(order_now(&crm.client, &draft).await, sent);

    let told = events(&crm.client, "order.submitted", 1).await;
    assert_eq!(
        (&told[0]["subject"], &told[0]["subjectversion"]),
        (&sent["id"], &json!(2))
    );
    assert_eq!(told[0]["data"], sent);
    assert_eq!(timeline_kinds(&crm.client, id(&of)).await[0], "order_submitted");

    let problem = crm
        .client
        .post(&submit_path(&draft), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(problem["state"], "submitted");
    crm.client
        .post(&format!("/v1/orders/{}/submit", new_id()), json!({}))
        .await
        .expect_problem(404, "not_found");
}

#[actix_web::test]
async fn a_verb_based_on_a_stale_order_is_refused() {
    let crm = crm().await;
    let of = customer(&crm.client, "Stale").await;
    let draft = placed(&crm.client, order(&of)).await;
    let turn = |path: String, tag: &'static str| {
        let request = crm.client.request(Method::POST, &path).header("If-Match", tag);
        crm.client.send(request.json(&json!({})))
    };
    turn(submit_path(&draft), "\"7\"").await.expect_problem(412, "stale");
    turn(submit_path(&draft), "\"1\"").await.expect(200);
    turn(cancel_path(&draft), "\"1\"").await.expect_problem(412, "stale");
    turn(cancel_path(&draft), "\"2\"").await.expect(200);
}

#[actix_web::test]
async fn an_order_is_placed_and_submitted_in_one_command() {
    let crm = crm().await;
    let of = customer(&crm.client, "At once").await;
    let sent = submitted(&crm.client, &of).await;
    assert_eq!((&sent["status"], &sent["version"]), (&json!("submitted"), &json!(1)));
    assert_eq!(order_now(&crm.client, &sent).await, sent);
    let told = events(&crm.client, "order.submitted,order.changed", 1).await;
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["type"], &told[0]["data"]), (&json!("order.submitted"), &sent));

    let writer = crm.client.new_key("custom", &["orders:write"]).await;
    let mut body = order(&of);
    placed(&writer, body.clone()).await;
    body["submit"] = json!(true);
    let problem = writer.post("/v1/orders", body).await.expect_problem(403, "forbidden");
    assert_eq!(problem["required_permission"], "orders:submit");
}

#[actix_web::test]
async fn of_many_who_submit_one_wins() {
    let crm = crm().await;
    let of = customer(&crm.client, "Race").await;
    let draft = placed(&crm.client, order(&of)).await;
    let path = submit_path(&draft);
    let replies = join_all((0..32).map(|_| crm.client.post(&path, json!({})))).await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
    assert_eq!(won.len(), 1);
    for reply in lost {
        reply.expect_problem(409, "illegal_transition");
    }
    assert_eq!(order_now(&crm.client, &draft).await["version"], 2);
    assert_eq!(events(&crm.client, "order.submitted", 1).await.len(), 1);
}

#[actix_web::test]
async fn what_is_submitted_is_what_was_last_edited() {
    let crm = crm().await;
    let of = customer(&crm.client, "Edit race").await;
    for _ in 0..8 {
        let draft = placed(&crm.client, order(&of)).await;
        let path = format!("/v1/orders/{}", id(&draft));
        let lines = json!({ "lines": [{ "product_id": new_id(), "quantity": "1", "unit_price": "1" }] });
        let (edited, sent) = futures_util::future::join(
            crm.client.patch_matching(&path, "\"1\"", lines),
            crm.client.post(&submit_path(&draft), json!({})),
        )
        .await;
        let sent = sent.expect(200);
        let expected = match edited.status.as_u16() {
            200 => "1.00",
            _ => {
                edited.expect_problem(409, "illegal_transition");
                "137.90"
            }
        };
        assert_eq!(sent["total"]["net"], expected);
        assert_eq!(order_now(&crm.client, &draft).await, sent);
    }
}

#[actix_web::test]
async fn a_line_without_a_price_gets_the_tiers_price_of_the_order_date() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Gold").await;
    let (p, unknown) = (new_id(), new_id());
    // Tier B: 9.50 to 30 June, 9.00 from 1 July, 8.00 from 100 pieces on; base 10, from 50 pieces on 7.
    tell_price(&sync, &p, "10", json!({})).await;
    tell_price(&sync, &p, "7", json!({ "minimum_quantity": "50" })).await;
    tell_price(&sync, &p, "9.50", json!({ "tier": "B", "valid_to": "2026-06-30" })).await;
    tell_price(&sync, &p, "9.00", json!({ "tier": "B", "valid_from": "2026-07-01" })).await;
    tell_price(
        &sync,
        &p,
        "8.00",
        json!({ "tier": "B", "valid_from": "2026-07-01", "minimum_quantity": "100" }),
    )
    .await;
    tell_price(&sync, &p, "1", json!({ "tier": "C" })).await;
    tell_price(&sync, &p, "2", json!({ "currency": "EUR" })).await;
    tell_price(&sync, &new_id(), "3", json!({})).await;
    let submit = async |date: &str, currency: &str, lines: Value| {
        let body =
            json!({ "customer_id": id(&of), "currency": currency, "order_date": date, "lines": lines, "submit": true });
        placed(&crm.client, body).await
    };
    let price = async |date: &str, currency: &str, quantity: &str| {
        let lines = json!([{ "product_id": p, "quantity": quantity }]);
        submit(date, currency, lines).await["lines"][0]["unit_price"].clone()
    };
    assert_eq!(
        price("2026-06-30", "USD", "1").await,
        "10",
        "no tier yet: the base list"
    );
    assert_eq!(
        price("2026-06-30", "USD", "50").await,
        "7",
        "the largest minimum reached"
    );
    assert_eq!(price("2026-06-30", "USD", "49.999").await, "10");
    tell_tier(&sync, &of, 1, "B").await;
    assert_eq!(
        price("2026-06-30", "USD", "1").await,
        "9.5",
        "valid_to includes that day"
    );
    assert_eq!(price("2026-07-01", "USD", "1").await, "9");
    assert_eq!(price("2026-07-01", "USD", "100").await, "8");
    assert_eq!(
        price("2026-06-30", "USD", "50").await,
        "9.5",
        "the tier comes before the quantity"
    );
    assert_eq!(
        price("2026-07-01", "EUR", "1").await,
        "2",
        "the base list of the currency"
    );
    assert_eq!(price("2026-07-01", "JPY", "1").await, Value::Null);

    let mixed = json!([
        { "product_id": unknown, "quantity": "1" },
        { "product_id": p, "quantity": "2", "unit_price": "0", "discount": "0.5" },
        { "product_id": p, "quantity": "2", "discount": "0.5" },
    ]);
    let sent = submit("2026-07-01", "USD", mixed).await;
    let prices: Vec<&Value> = sent["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| &l["unit_price"])
        .collect();
    assert_eq!(prices, [&Value::Null, &json!("0"), &json!("9")]);
    assert_eq!(sent["total"]["net"], "9.00", "over the lines that have a price");
    assert_eq!(order_now(&crm.client, &sent).await, sent);
}

#[actix_web::test]
async fn the_price_is_found_when_a_draft_is_submitted() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Later").await;
    let p = new_id();
    let body = json!({ "customer_id": id(&of), "currency": "USD", "lines": [{ "product_id": p, "quantity": "3" }] });
    let draft = placed(&crm.client, body).await;
    assert_eq!(draft["total"]["net"], "0.00");
    tell_price(&sync, &p, "1.115", json!({})).await;
    let sent = crm.client.post(&submit_path(&draft), json!({})).await.expect(200);
    assert_eq!(
        (&sent["lines"][0]["unit_price"], &sent["total"]["net"]),
        (&json!("1.115"), &json!("3.34"))
    );
    assert_eq!(order_now(&crm.client, &draft).await, sent);
}

#[actix_web::test]
async fn a_draft_is_cancelled_at_once() {
    let crm = crm().await;
    let of = customer(&crm.client, "Cancel").await;
    let draft = placed(&crm.client, order(&of)).await;
    let ended = crm
        .client
        .post(&cancel_path(&draft), json!({ "reason": "typo" }))
        .await
        .expect(200);
    assert_eq!((&ended["status"], &ended["version"]), (&json!("cancelled"), &json!(2)));
    assert_eq!(ended.get("cancellation"), None);
    assert_eq!(ended["allowed_actions"], json!(["copy"]));
    let told = events(&crm.client, "order.changed,order.cancellation_requested", 2).await;
    assert_eq!((&told[1]["type"], &told[1]["data"]), (&json!("order.changed"), &ended));
    for path in [cancel_path(&draft), submit_path(&draft)] {
        let problem = crm
            .client
            .post(&path, json!({}))
            .await
            .expect_problem(409, "illegal_transition");
        assert_eq!(problem["state"], "cancelled");
    }
}

#[actix_web::test]
async fn a_submitted_order_is_cancelled_by_request() {
    let crm = crm().await;
    let of = customer(&crm.client, "Request").await;
    let sent = submitted(&crm.client, &of).await;
    let asked = crm
        .client
        .post(&cancel_path(&sent), json!({ "reason": "changed our mind" }))
        .await
        .expect(200);
    assert_eq!((&asked["status"], &asked["version"]), (&json!("submitted"), &json!(2)));
    assert_eq!(
        (&asked["cancellation"]["state"], &asked["cancellation"]["reason"]),
        (&json!("requested"), &json!("changed our mind"))
    );
    assert!(asked["cancellation"]["requested_at"].is_string());
    assert_eq!(asked["allowed_actions"], json!(["copy"]));
    let told = events(&crm.client, "order.cancellation_requested", 1).await;
    assert_eq!((&told[0]["subjectversion"], &told[0]["data"]), (&json!(2), &asked));
    assert_eq!(
        timeline_kinds(&crm.client, id(&of)).await[0],
        "order_cancellation_requested"
    );

    let problem = crm
        .client
        .post(&cancel_path(&sent), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    assert!(problem["detail"].as_str().unwrap().contains("requested already"));
    assert_eq!(order_now(&crm.client, &sent).await, asked);
}

#[actix_web::test]
async fn of_many_who_ask_for_a_cancellation_one_does() {
    let crm = crm().await;
    let of = customer(&crm.client, "Cancel race").await;
    let sent = submitted(&crm.client, &of).await;
    let path = cancel_path(&sent);
    let replies = join_all((0..16).map(|_| crm.client.post(&path, json!({})))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    for reply in replies.into_iter().filter(|reply| reply.status != 200) {
        reply.expect_problem(409, "illegal_transition");
    }
    assert_eq!(order_now(&crm.client, &sent).await["version"], 2);
}

#[actix_web::test]
async fn a_cancellation_races_the_acceptance_and_nothing_is_lost() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Both").await;
    for _ in 0..8 {
        let sent = submitted(&crm.client, &of).await;
        let accepted = report(&sent, 1, "confirmed");
        let (asked, told) =
            futures_util::future::join(crm.client.post(&cancel_path(&sent), json!({})), tell(&sync, &accepted)).await;
        asked.expect(200);
        told.expect(200);
        let now = order_now(&crm.client, &sent).await;
        assert_eq!(
            (&now["status"], &now["cancellation"]["state"]),
            (&json!("accepted"), &json!("requested"))
        );
        assert_eq!((&now["version"], &now["revision"]), (&json!(2), &json!(3)));
    }
}

#[actix_web::test]
async fn a_draft_is_submitted_or_cancelled_but_not_both() {
    let crm = crm().await;
    let of = customer(&crm.client, "Either").await;
    for _ in 0..8 {
        let draft = placed(&crm.client, order(&of)).await;
        let (sent, ended) = futures_util::future::join(
            crm.client.post(&submit_path(&draft), json!({})),
            crm.client.post(&cancel_path(&draft), json!({})),
        )
        .await;
        let now = order_now(&crm.client, &draft).await;
        match sent.status.as_u16() {
            // The cancellation came later, as a request.
            200 => {
                assert_eq!(ended.expect(200)["cancellation"]["state"], "requested");
                assert_eq!(now["status"], "submitted");
            }
            _ => {
                sent.expect_problem(409, "illegal_transition");
                assert_eq!(
                    (&ended.expect(200)["status"], &now["status"]),
                    (&json!("cancelled"), &json!("cancelled"))
                );
            }
        }
    }
}

#[actix_web::test]
async fn what_has_ended_is_not_cancelled() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Ended").await;
    for status in ["rejected", "delivered", "closed", "cancelled"] {
        let sent = submitted(&crm.client, &of).await;
        let now = tell(&sync, &report(&sent, 1, status)).await.expect(200);
        assert_eq!(
            (&now["status"], &now["allowed_actions"]),
            (&json!(status), &json!(["copy"]))
        );
        let problem = crm
            .client
            .post(&cancel_path(&sent), json!({}))
            .await
            .expect_problem(409, "illegal_transition");
        assert_eq!(problem["state"], status);
    }
    for status in ["confirmed", "on_hold", "partially_delivered"] {
        let sent = submitted(&crm.client, &of).await;
        tell(&sync, &report(&sent, 1, status)).await.expect(200);
        crm.client.post(&cancel_path(&sent), json!({})).await.expect(200);
    }
}
