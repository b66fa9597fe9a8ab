use super::support::{act, begun, change, ids, in_days, let_it_pass, now, sent, today};
use crate::support::{crm, events, id, timeline_kinds};
use crm_service::quotes::expiry::EXPIRY;
use serde_json::json;

#[actix_web::test]
async fn a_quote_is_valid_on_its_last_day_and_expired_on_the_next() {
    let crm = crm().await;
    let (of, _, draft) = begun(&crm).await;
    assert_eq!(draft["valid_until"], json!(in_days(30)));
    change(&crm.client, &draft, json!({ "valid_until": in_days(-1) }))
        .await
        .expect_problem(422, "out_of_range");
    change(&crm.client, &draft, json!({ "valid_until": today() }))
        .await
        .expect(200);
    let sent = act(&crm.client, &draft, "send", json!({})).await.expect(200);
    crm.running.kit.run_round(&EXPIRY).await.unwrap();
    assert_eq!(now(&crm.client, &sent).await["state"], "sent");
    let_it_pass(&crm, &sent);
    // Before anybody has written it down.
    let path = format!("/v1/quotes/{}", id(&sent));
    let shown = crm.client.get(&path).await.expect(200);
    assert_eq!(
        (&shown["state"], &shown["revision"]),
        (&json!("expired"), &sent["revision"])
    );
    for (query, found) in [("state=sent", 0), ("state=expired", 1)] {
        let page = crm.client.get(&format!("/v1/quotes?{query}")).await.expect(200);
        assert_eq!(ids(&page).len(), found, "{query}");
    }
    for _ in 0..2 {
        crm.running.kit.run_round(&EXPIRY).await.unwrap();
    }
    let told = events(&crm.client, "quote.changed", 4).await;
    let states: Vec<_> = told.iter().map(|event| event["data"]["state"].clone()).collect();
    assert_eq!(states, ["draft", "draft", "sent", "expired"]);
    let kinds = timeline_kinds(&crm.client, id(&of)).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "quote_expired").count(), 1);
    act(&crm.client, &sent, "accept", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
}

#[actix_web::test]
async fn a_command_that_comes_first_writes_down_that_a_quote_has_expired() {
    let crm = crm().await;
    let (of, _, sent) = sent(&crm).await;
    let_it_pass(&crm, &sent);
    let nancy = crm.user("Nancy", "sales", "own", None).await;
    let given = act(&crm.client, &sent, "assign", json!({ "owner_id": nancy.id }))
        .await
        .expect(200);
    assert_eq!(
        (&given["state"], &given["owner_id"]),
        (&json!("expired"), &json!(nancy.id))
    );
    let kinds = timeline_kinds(&crm.client, id(&of)).await;
    assert_eq!(kinds[..2], ["quote_assigned", "quote_expired"]);
    crm.running.kit.run_round(&EXPIRY).await.unwrap();
    assert_eq!(now(&crm.client, &sent).await["revision"], given["revision"]);
}
