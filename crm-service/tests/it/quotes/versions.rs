use super::support::{act, change, ids, in_days, let_it_pass, now, sent};
use crate::sales::tell_price;
use crate::support::{crm, id};
use serde_json::json;

#[actix_web::test]
async fn a_new_version_takes_the_earlier_one_back() {
    let crm = crm().await;
    let (_, tea, first) = sent(&crm).await;
    tell_price(&crm.integration(), &tea, "9.00", json!({ "minimum_quantity": "2" })).await;
    let second = act(&crm.client, &first, "versions", json!({ "valid_until": in_days(5) }))
        .await
        .expect(201);
    assert_eq!(
        (
            &second["version_number"],
            &second["number"],
            &second["root_id"],
            &second["supersedes_id"],
            &second["state"]
        ),
        (
            &json!(2),
            &json!("Q-000001"),
            &first["id"],
            &first["id"],
            &json!("draft")
        )
    );
    // It keeps the prices; its lines are its own.
    assert_eq!(
        (&second["total"], &second["valid_until"]),
        (&first["total"], &json!(in_days(5)))
    );
    assert_ne!(second["lines"][0]["id"], first["lines"][0]["id"]);
    let taken_back = now(&crm.client, &first).await;
    assert_eq!(
        (
            &taken_back["state"],
            &taken_back["superseded_by"],
            &taken_back["content_hash"]
        ),
        (&json!("superseded"), &second["id"], &first["content_hash"])
    );
    for verb in ["accept", "decline", "versions", "send"] {
        let refused = act(&crm.client, &first, verb, json!({}))
            .await
            .expect_problem(409, "illegal_transition");
        assert_eq!(refused["state"], "superseded");
    }
    // A draft is changed, not followed by another.
    act(&crm.client, &second, "versions", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    let again = change(&crm.client, &second, json!({ "reprice": true }))
        .await
        .expect(200);
    assert_eq!(again["total"]["net"], "90.00");
    let sent = act(&crm.client, &second, "send", json!({})).await.expect(200);
    assert_ne!(sent["content_hash"], first["content_hash"]);
    let accepted = act(&crm.client, &second, "accept", json!({})).await.expect(200);
    act(&crm.client, &second, "versions", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    for (query, expected) in [
        (format!("root_id={}", id(&first)), vec![id(&first), id(&second)]),
        ("newest=true".to_owned(), vec![id(&second)]),
        ("newest=false".to_owned(), vec![id(&first)]),
        ("q=Q-000001".to_owned(), vec![id(&first), id(&second)]),
    ] {
        let page = crm.client.get(&format!("/v1/quotes?{query}")).await.expect(200);
        assert_eq!(ids(&page), expected, "{query}");
    }
    assert_eq!(
        super::support::order_of(&crm.client, &accepted).await["total"]["net"],
        "90.00"
    );
}

#[actix_web::test]
async fn what_was_declined_or_has_expired_may_have_one_successor() {
    let crm = crm().await;
    let (_, _, first) = sent(&crm).await;
    act(&crm.client, &first, "decline", json!({})).await.expect(200);
    let second = act(&crm.client, &first, "versions", json!({ "reprice": true }))
        .await
        .expect(201);
    let declined = now(&crm.client, &first).await;
    assert_eq!(
        (&declined["state"], &declined["allowed_actions"]),
        (&json!("declined"), &json!(["assign"]))
    );
    act(&crm.client, &first, "versions", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    let second = act(&crm.client, &second, "send", json!({})).await.expect(200);
    let_it_pass(&crm, &second);
    let third = act(&crm.client, &second, "versions", json!({})).await.expect(201);
    assert_eq!((&third["version_number"], &third["root_id"]), (&json!(3), &first["id"]));
    let expired = now(&crm.client, &second).await;
    assert_eq!(
        (&expired["state"], &expired["superseded_by"]),
        (&json!("expired"), &third["id"])
    );
}
