use super::support::{act, ids, line, quote, sold};
use crate::support::{crm, customer, id, timeline_kinds};
use serde_json::json;

#[actix_web::test]
async fn a_quote_belongs_to_who_makes_it_and_is_out_of_sight_for_others() {
    let crm = crm().await;
    let (north, south) = (crm.team("North", None).await, crm.team("South", None).await);
    let anna = crm.user("Anna", "sales", "own", Some(&north)).await;
    let bert = crm.user("Bert", "sales_manager", "team", Some(&south)).await;
    let lead = crm.user("Lead", "sales_manager", "team", Some(&north)).await;
    let of = customer(&anna.client, "Shared").await;
    let tea = sold(&crm, "TEA", "10").await;
    let lines = json!({ "lines": [{ "product_id": tea, "quantity": "1", "discount": "0.2" }] });
    let mine = quote(&anna.client, &of, lines).await;
    assert_eq!((&mine["owner_id"], &mine["team_id"]), (&json!(anna.id), &json!(north)));
    // A customer out of sight is not there to be offered anything.
    let body = json!({ "title": "Theirs", "customer_id": of["id"] });
    bert.client
        .post("/v1/quotes", body)
        .await
        .expect_problem(422, "unknown_customer");
    // A client with a key makes it for whom the customer belongs to.
    let keyed = quote(&crm.client, &of, json!({ "lines": [line(&tea, "1")] })).await;
    assert_eq!(
        (&keyed["owner_id"], &keyed["team_id"]),
        (&json!(anna.id), &json!(north))
    );

    let path = format!("/v1/quotes/{}", id(&mine));
    let etag = anna.client.get(&path).await.etag();
    for path in [path.clone(), format!("{path}/document")] {
        bert.client.get(&path).await.expect_problem(404, "not_found");
        lead.client.get(&path).await.expect(200);
    }
    bert.client
        .patch_matching(&path, &etag, json!({ "title": "Taken" }))
        .await
        .expect_problem(404, "not_found");
    for (verb, body) in [
        ("versions", json!({})),
        ("request-approval", json!({})),
        ("approve", json!({})),
        ("reject", json!({ "reason": "No" })),
        ("withdraw", json!({})),
        ("send", json!({})),
        ("accept", json!({})),
        ("decline", json!({})),
        ("assign", json!({ "owner_id": bert.id })),
    ] {
        act(&bert.client, &mine, verb, body)
            .await
            .expect_problem(404, "not_found");
    }
    for query in ["", "?q=Tea", "?state=draft"] {
        let list = format!("/v1/quotes{query}");
        assert_eq!(ids(&bert.client.get(&list).await.expect(200)).len(), 0, "{list}");
        assert_eq!(ids(&anna.client.get(&list).await.expect(200)).len(), 2, "{list}");
        assert_eq!(ids(&lead.client.get(&list).await.expect(200)).len(), 2, "{list}");
    }
    // The manager of the team approves what the team offers.
    act(&anna.client, &mine, "request-approval", json!({}))
        .await
        .expect(200);
    act(&lead.client, &mine, "approve", json!({})).await.expect(200);
    act(&anna.client, &mine, "send", json!({})).await.expect(200);

    // Who gets it sees it, and who gave it away does not.
    let given = act(&anna.client, &mine, "assign", json!({ "owner_id": bert.id }))
        .await
        .expect(200);
    assert_eq!(
        (&given["owner_id"], &given["team_id"]),
        (&json!(bert.id), &json!(south))
    );
    anna.client.get(&path).await.expect_problem(404, "not_found");
    bert.client.get(&path).await.expect(200);
    // So is what is told of it, and the order that it becomes.
    let told = timeline_kinds(&anna.client, id(&of)).await;
    assert_eq!(told, ["quote_made", "customer_created"]);
    let accepted = act(&bert.client, &mine, "accept", json!({})).await.expect(200);
    let order = format!("/v1/orders/{}", accepted["order_id"].as_str().unwrap());
    let order_seen = bert.client.get(&order).await.expect(200);
    assert_eq!(
        (&order_seen["owner_id"], &order_seen["team_id"]),
        (&json!(bert.id), &json!(south))
    );
    anna.client.get(&order).await.expect_problem(404, "not_found");
}
