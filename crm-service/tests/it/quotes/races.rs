use super::support::{act, begun, change, line, now, one_winner, orders, people, quote, sent, sold};
use crate::support::{crm, customer, id};
use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::json;

#[actix_web::test]
async fn thirty_two_accept_a_quote_once() {
    let crm = crm().await;
    let (_, _, sent) = sent(&crm).await;
    let replies = join_all((0..32).map(|_| act(&crm.client, &sent, "accept", json!({})))).await;
    one_winner(&replies, &["illegal_transition"]);
    let placed = orders(&crm.client).await;
    assert_eq!((placed.len(), &placed[0]["status"]), (1, &json!("submitted")));
    assert_eq!(now(&crm.client, &sent).await["order_id"], placed[0]["id"]);
}

#[actix_web::test]
async fn thirty_two_times_the_same_click_is_one_answer() {
    let crm = crm().await;
    let (_, _, sent) = sent(&crm).await;
    let click = || {
        let path = format!("/v1/quotes/{}/accept", id(&sent));
        let request = crm.client.request(Method::POST, &path);
        crm.client
            .send(request.header("Idempotency-Key", "click-1").json(&json!({})))
    };
    let replies = join_all((0..32).map(|_| click())).await;
    for reply in &replies {
        assert_eq!((reply.status.as_u16(), &reply.body), (200, &replies[0].body));
    }
    assert_eq!(orders(&crm.client).await.len(), 1);
}

#[actix_web::test]
async fn a_quote_is_accepted_or_declined() {
    let crm = crm().await;
    let (_, _, sent) = sent(&crm).await;
    let replies = join_all((0..32).map(|n| {
        let verb = if n % 2 == 0 { "accept" } else { "decline" };
        act(&crm.client, &sent, verb, json!({}))
    }))
    .await;
    one_winner(&replies, &["illegal_transition"]);
    let won = replies.iter().find(|reply| reply.status == 200).unwrap();
    let expected = usize::from(won.body["state"] == "accepted");
    assert_eq!(orders(&crm.client).await.len(), expected);
    assert_eq!(now(&crm.client, &sent).await["state"], won.body["state"]);
}

#[actix_web::test]
async fn a_version_is_accepted_or_followed_by_another() {
    let crm = crm().await;
    let (_, _, sent) = sent(&crm).await;
    let replies = join_all((0..32).map(|n| {
        let verb = if n % 2 == 0 { "accept" } else { "versions" };
        act(&crm.client, &sent, verb, json!({}))
    }))
    .await;
    one_winner(&replies, &["illegal_transition"]);
    let state = now(&crm.client, &sent).await["state"].clone();
    let (placed, versions) = (
        orders(&crm.client).await.len(),
        crm.client.get("/v1/quotes").await.expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
    );
    match state.as_str() {
        Some("accepted") => assert_eq!((placed, versions), (1, 1)),
        _ => assert_eq!((placed, versions), (0, 2)),
    }
}

#[actix_web::test]
async fn what_is_sent_is_what_was_there_before_or_after_an_edit() {
    let crm = crm().await;
    let (_, _, draft) = begun(&crm).await;
    let path = format!("/v1/quotes/{}", id(&draft));
    let etag = crm.client.get(&path).await.etag();
    let terms = json!({ "terms": "Net 14" });
    let edits = (0..31).map(|_| crm.client.patch_matching(&path, &etag, terms.clone()));
    let (sent, edits) = join(act(&crm.client, &draft, "send", json!({})), join_all(edits)).await;
    let sent = sent.expect(200);
    let edited = edits.iter().filter(|reply| reply.status == 200).count();
    for reply in edits.iter().filter(|reply| reply.status != 200) {
        assert!([409, 412].contains(&reply.status.as_u16()), "{}", reply.body);
    }
    // An edit that came first is in what was sent; one that came late is not there at all.
    let expected = if edited > 0 { json!("Net 14") } else { json!(null) };
    assert_eq!(sent["terms"], expected);
    let shown = now(&crm.client, &draft).await;
    assert_eq!(
        (&shown["terms"], &shown["content_hash"]),
        (&expected, &sent["content_hash"])
    );
}

#[actix_web::test]
async fn thirty_two_send_a_quote_once_and_each_quote_has_its_number() {
    let crm = crm().await;
    let (of, tea, draft) = begun(&crm).await;
    let replies = join_all((0..32).map(|_| act(&crm.client, &draft, "send", json!({})))).await;
    one_winner(&replies, &["illegal_transition"]);
    let mut drafts = Vec::new();
    for _ in 0..4 {
        drafts.push(quote(&crm.client, &of, json!({ "lines": [line(&tea, "1")] })).await);
    }
    let sent = join_all(drafts.iter().map(|draft| act(&crm.client, draft, "send", json!({})))).await;
    let mut numbers: Vec<String> = sent
        .into_iter()
        .map(|reply| reply.expect(200)["number"].as_str().unwrap().to_owned())
        .collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 4);
}

#[actix_web::test]
async fn thirty_two_approve_or_reject_once() {
    let crm = crm().await;
    let (rep, manager) = people(&crm).await;
    let of = customer(&rep, "Discounted").await;
    let tea = sold(&crm, "TEA", "10").await;
    let lines = json!([{ "product_id": tea, "quantity": "1", "discount": "0.2" }]);
    let draft = quote(&rep, &of, json!({ "lines": lines })).await;
    act(&rep, &draft, "request-approval", json!({})).await.expect(200);
    let replies = join_all((0..32).map(|n| match n % 2 {
        0 => act(&manager, &draft, "approve", json!({})),
        _ => act(&manager, &draft, "reject", json!({ "reason": "Too much" })),
    }))
    .await;
    one_winner(&replies, &["illegal_transition"]);
    let approvals = now(&rep, &draft).await["approvals"].clone();
    assert_eq!(approvals.as_array().unwrap().len(), 1);
    // An approval that races a change is for what was approved, whichever came first.
    change(&rep, &draft, json!({ "terms": "Other" })).await.expect(200);
    act(&rep, &draft, "send", json!({}))
        .await
        .expect_problem(409, "approval_required");
}
