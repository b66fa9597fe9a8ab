use super::support::{act, begun, deal, euro, in_days, now, today};
use crate::support::{crm, events, id, timeline_kinds};
use serde_json::{Value, json};

#[actix_web::test]
async fn a_deal_is_won_and_a_second_one_of_the_customer_lost() {
    let crm = crm().await;
    let (of, pipeline, first) = begun(&crm, json!({ "amount": "1000" })).await;
    let second = deal(
        &crm.client,
        &of,
        &pipeline,
        json!({ "name": "More tea", "amount": "2000" }),
    )
    .await;
    let won = act(&crm.client, &first, "win", json!({})).await.expect(200);
    assert_eq!(
        (
            &won["state"],
            &won["closed_on"],
            &won["base_amount"],
            &won["base_currency"]
        ),
        (&json!("won"), &json!(today()), &json!("1000.00"), &json!("USD"))
    );
    assert_eq!(won["allowed_actions"], json!(["reopen", "assign"]));
    assert_eq!((&won["stage"], &won["next_stages"]), (&json!("a"), &json!([])));
    let refused = act(&crm.client, &first, "lose", json!({ "reason": "price" }))
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(
        (&refused["state"], &refused["allowed_actions"]),
        (&json!("won"), &json!(["reopen", "assign"]))
    );
    crm.client
        .patch(&format!("/v1/deals/{}", id(&first)), json!({ "name": "Changed" }))
        .await
        .expect_problem(409, "illegal_transition");
    act(
        &crm.client,
        &second,
        "lose",
        json!({ "reason": "nonsense", "closed_on": in_days(1) }),
    )
    .await
    .expect_problem(422, "invalid_input");
    let rival = json!({ "reason": "competitor", "competitor": "Tea & Co", "closed_on": in_days(-1) });
    let lost = act(&crm.client, &second, "lose", rival).await.expect(200);
    assert_eq!(
        (
            &lost["state"],
            &lost["loss_reason"],
            &lost["competitor"],
            &lost["closed_on"]
        ),
        (
            &json!("lost"),
            &json!("competitor"),
            &json!("Tea & Co"),
            &json!(in_days(-1))
        )
    );
    assert_eq!(
        timeline_kinds(&crm.client, id(&of)).await,
        [
            "deal_lost",
            "deal_won",
            "deal_opened",
            "deal_opened",
            "customer_created"
        ]
    );
    let told = events(&crm.client, "deal.changed", 4).await;
    assert_eq!(
        told.iter()
            .map(|event| event["data"]["state"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["open", "open", "won", "lost"]
    );
}

#[actix_web::test]
async fn a_closed_deal_is_reopened_where_it_was() {
    let crm = crm().await;
    let (_, _, deal) = begun(&crm, json!({ "amount": "1000" })).await;
    act(&crm.client, &deal, "reopen", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    act(&crm.client, &deal, "move", json!({ "stage": "b" }))
        .await
        .expect(200);
    act(&crm.client, &deal, "lose", json!({ "reason": "price" }))
        .await
        .expect(200);
    let open = act(&crm.client, &deal, "reopen", json!({})).await.expect(200);
    assert_eq!(
        (
            &open["state"],
            &open["stage"],
            &open["loss_reason"],
            &open["closed_on"],
            &open["base_amount"]
        ),
        (&json!("open"), &json!("b"), &Value::Null, &Value::Null, &Value::Null)
    );
    act(&crm.client, &deal, "move", json!({ "stage": "c" }))
        .await
        .expect(200);
    act(&crm.client, &deal, "win", json!({})).await.expect(200);
}

#[actix_web::test]
async fn a_won_deal_keeps_what_it_was_worth_that_day() {
    let crm = crm().await;
    let (of, pipeline, _) = begun(&crm, json!({})).await;
    let more = json!({ "amount": "4000", "currency": "EUR" });
    let early = deal(&crm.client, &of, &pipeline, more.clone()).await;
    let won = act(&crm.client, &early, "win", json!({})).await.expect(200);
    assert_eq!(won["base_amount"], Value::Null, "no rate, no value");
    euro(&crm, "1.10", today()).await;
    let deal = deal(&crm.client, &of, &pipeline, more).await;
    act(&crm.client, &deal, "win", json!({})).await.expect(200);
    euro(&crm, "1.25", today()).await;
    let kept = now(&crm.client, &deal).await;
    assert_eq!(
        (&kept["base_amount"], &kept["base_currency"], &kept["amount"]),
        (&json!("4400.00"), &json!("USD"), &json!("4000.00"))
    );
}

#[actix_web::test]
async fn a_dry_run_says_what_would_be_and_changes_nothing() {
    let crm = crm().await;
    let (_, _, deal) = begun(&crm, json!({ "amount": "1000" })).await;
    let path = format!("/v1/deals/{}/win?dry_run=true", id(&deal));
    let would = crm.client.post(&path, json!({})).await.expect(200);
    assert_eq!(would["state"], "won");
    assert_eq!(now(&crm.client, &deal).await, deal);
}
