//! What accepting and declining do to the deal of a quote.

use super::support::{act, line, now, one_winner, orders, quote, sold};
use crate::deals::support as deals;
use crate::support::{crm, customer, events, id, timeline_kinds};
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};

/// A customer's deal in a pipeline, and a quote of it that was sent.
async fn sent_on(crm: &TestService, client: &Client, pipeline: &Value, name: &str) -> (Value, Value, Value) {
    let of = customer(client, name).await;
    let deal = deals::deal(client, &of, pipeline, json!({})).await;
    let tea = sold(crm, name, "9.50").await;
    let body = json!({ "deal_id": deal["id"], "lines": [line(&tea, "10")] });
    let draft = quote(client, &of, body).await;
    let sent = act(client, &draft, "send", json!({})).await.expect(200);
    (of, deal, sent)
}

/// Its first stage asks for a call, its second for a document and for a field.
async fn demanding(crm: &TestService) -> Value {
    let mut first = deals::stage("a", "0.3", &["b"]);
    first["steps"] = json!([{ "key": "call", "name": "First call", "evidence": "logged_call" }]);
    let mut second = deals::stage("b", "0.5", &["a"]);
    second["steps"] = json!([
        { "key": "contract", "name": "Signed contract", "evidence": "document" },
        { "key": "budget", "name": "Budget", "evidence": "field", "field": "amount", "optional": true },
    ]);
    let body = json!({ "name": "Demanding", "publish": true, "stages": [first, second] });
    crm.client.post("/v1/pipelines", body).await.expect(201)
}

async fn notified(client: &Client) -> Vec<(String, String, String)> {
    let page = client.get("/v1/me/notifications").await.expect(200);
    let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| (text(item, "kind"), text(item, "subject"), text(item, "title")))
        .collect()
}

#[actix_web::test]
async fn accepting_wins_the_deal_and_declining_leaves_it() {
    let crm = crm().await;
    let pipeline = deals::pipeline(&crm.client, "Plain").await;
    let (of, deal, sent) = sent_on(&crm, &crm.client, &pipeline, "Rancho grande").await;
    act(&crm.client, &sent, "decline", json!({})).await.expect(200);
    assert_eq!(deals::now(&crm.client, &deal).await["state"], "open");
    let next = act(&crm.client, &sent, "versions", json!({})).await.expect(201);
    let next = act(&crm.client, &next, "send", json!({})).await.expect(200);
    // A dry run shows it and does nothing.
    act(&crm.client, &next, "accept?dry_run=true", json!({}))
        .await
        .expect(200);
    assert_eq!(deals::now(&crm.client, &deal).await["state"], "open");
    act(&crm.client, &next, "accept", json!({})).await.expect(200);
    let won = deals::now(&crm.client, &deal).await;
    assert_eq!(
        (&won["state"], &won["closed_on"]),
        (&json!("won"), &json!(deals::today()))
    );
    assert_eq!(orders(&crm.client).await.len(), 1);
    let kinds = timeline_kinds(&crm.client, id(&of)).await;
    assert!(kinds.contains(&"deal_won".to_owned()), "{kinds:?}");
    let told = events(&crm.client, "deal.changed", 2).await;
    assert_eq!(told.last().unwrap()["data"]["state"], "won");
    let stays = crm
        .client
        .get(&format!("/v1/deals/{}/stays", id(&deal)))
        .await
        .expect(200);
    assert_eq!(stays["items"][0]["outcome"], "won");
}

#[actix_web::test]
async fn missing_steps_keep_the_deal_open_and_its_owner_is_told() {
    let crm = crm().await;
    let pipeline = demanding(&crm).await;
    let (ann, bob) = (
        crm.user("Ann", "sales", "own", None).await,
        crm.user("Bob", "sales", "own", None).await,
    );
    let (_, deal, sent) = sent_on(&crm, &ann.client, &pipeline, "Rancho grande").await;
    // The quote is Bob's by now, who does not see the deal.
    let assign = json!({ "owner_id": bob.id });
    act(&ann.client, &sent, "assign", assign).await.expect(200);
    let accepted = act(&bob.client, &sent, "accept", json!({})).await.expect(200);
    assert!(accepted["order_id"].is_string());
    assert_eq!(deals::now(&ann.client, &deal).await["state"], "open");
    let told = notified(&ann.client).await;
    assert_eq!(
        told,
        [(
            "deal_not_won".to_owned(),
            id(&deal).to_owned(),
            "Quote accepted, deal not won: Tea. Missing: First call, Signed contract".to_owned()
        )]
    );
    assert_eq!(notified(&bob.client).await, []);
    deals::act(&ann.client, &deal, "win", json!({}))
        .await
        .expect_problem(409, "steps_missing");
}

#[actix_web::test]
async fn a_deal_out_of_sight_is_won_all_the_same_and_a_closed_one_stays_as_it_is() {
    let crm = crm().await;
    let pipeline = deals::pipeline(&crm.client, "Plain").await;
    let (ann, bob) = (
        crm.user("Ann", "sales", "own", None).await,
        crm.user("Bob", "sales", "own", None).await,
    );
    let (_, deal, sent) = sent_on(&crm, &ann.client, &pipeline, "Rancho grande").await;
    act(&ann.client, &sent, "assign", json!({ "owner_id": bob.id }))
        .await
        .expect(200);
    let path = format!("/v1/deals/{}", id(&deal));
    bob.client.get(&path).await.expect_problem(404, "not_found");
    // If-Match is about the quote, not about the deal.
    let etag = bob.client.get(&format!("/v1/quotes/{}", id(&sent))).await.etag();
    let accept = format!("/v1/quotes/{}/accept", id(&sent));
    let request = bob
        .client
        .request(reqwest::Method::POST, &accept)
        .header("If-Match", etag);
    bob.client.send(request.json(&json!({}))).await.expect(200);
    assert_eq!(deals::now(&ann.client, &deal).await["state"], "won");

    let (_, lost, sent) = sent_on(&crm, &crm.client, &pipeline, "Bon app").await;
    deals::act(&crm.client, &lost, "lose", json!({ "reason": "price" }))
        .await
        .expect(200);
    let before = deals::now(&crm.client, &lost).await;
    act(&crm.client, &sent, "accept", json!({})).await.expect(200);
    assert_eq!(deals::now(&crm.client, &lost).await, before);
    assert_eq!(orders(&crm.client).await.len(), 2);
}

#[actix_web::test]
async fn thirty_two_accept_once_and_the_deal_is_won_once() {
    let crm = crm().await;
    let pipeline = deals::pipeline(&crm.client, "Plain").await;
    let (of, deal, sent) = sent_on(&crm, &crm.client, &pipeline, "Rancho grande").await;
    let replies = join_all((0..32).map(|_| act(&crm.client, &sent, "accept", json!({})))).await;
    one_winner(&replies, &["illegal_transition"]);
    assert_eq!(orders(&crm.client).await.len(), 1);
    assert_eq!(deals::now(&crm.client, &deal).await["state"], "won");
    let kinds = timeline_kinds(&crm.client, id(&of)).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "deal_won").count(), 1);
}

#[actix_web::test]
async fn a_deal_is_lost_or_won_by_its_quote_whoever_comes_first() {
    let crm = crm().await;
    let pipeline = deals::pipeline(&crm.client, "Plain").await;
    let (_, deal, sent) = sent_on(&crm, &crm.client, &pipeline, "Rancho grande").await;
    let lose = json!({ "reason": "price" });
    let replies = join_all((0..32).map(|n| {
        let (crm, sent, deal, lose) = (&crm, &sent, &deal, &lose);
        async move {
            match n % 2 {
                0 => ("accept", act(&crm.client, sent, "accept", json!({})).await),
                _ => ("lose", deals::act(&crm.client, deal, "lose", lose.clone()).await),
            }
        }
    }))
    .await;
    let done = |verb: &str| {
        replies
            .iter()
            .filter(|(did, reply)| *did == verb && reply.status == 200)
            .count()
    };
    for (verb, reply) in &replies {
        assert!([200, 409].contains(&reply.status.as_u16()), "{verb}: {}", reply.body);
    }
    // The customer's yes makes its order in any case.
    assert_eq!((done("accept"), orders(&crm.client).await.len()), (1, 1));
    assert_eq!(now(&crm.client, &sent).await["state"], "accepted");
    let expected = if done("lose") == 1 { "lost" } else { "won" };
    assert_eq!(deals::now(&crm.client, &deal).await["state"], expected);
    assert!(done("lose") <= 1);
}
