use super::support::{act, begun, deal, ids, in_days, sold, team, user};
use crate::support::{crm, customer, id};
use serde_json::{Value, json};
use service_kit::testing::Client;

async fn kinds(client: &Client, customer: &str) -> Vec<String> {
    crate::support::timeline_kinds(client, customer).await
}

#[actix_web::test]
async fn a_deal_belongs_to_who_opens_it_and_is_out_of_sight_for_others() {
    let crm = crm().await;
    let (north, south) = (team(&crm, "North").await, team(&crm, "South").await);
    let (anna_client, anna) = user(&crm, "Anna", "own", Some(&north)).await;
    let (bert_client, bert) = user(&crm, "Bert", "own", Some(&south)).await;
    let (lead, _) = user(&crm, "Lead", "team", Some(&north)).await;
    let of = customer(&crm.client, "Shared").await;
    let plain = super::support::pipeline(&crm.client, "Plain").await;
    super::support::sql(
        &crm,
        &format!(
            "UPDATE customers SET owner_id = '{anna}', team_id = '{north}' WHERE id = '{}'",
            id(&of)
        ),
    );
    let tea = sold(&crm, "TEA", "10").await;
    let more = json!({ "lines": [{ "product_id": tea, "quantity": "1" }], "expected_close_on": in_days(9) });
    let mine = deal(&anna_client, &of, &plain, more).await;
    assert_eq!((&mine["owner_id"], &mine["team_id"]), (&json!(anna), &json!(north)));
    // A customer out of sight is not there to hang a deal on.
    let body = json!({ "name": "Theirs", "customer_id": id(&of), "pipeline_id": id(&plain) });
    bert_client
        .post("/v1/deals", body)
        .await
        .expect_problem(422, "unknown_customer");
    // A client with a key gives the deal to whom the customer belongs.
    let keyed = deal(&crm.client, &of, &plain, json!({})).await;
    assert_eq!((&keyed["owner_id"], &keyed["team_id"]), (&json!(anna), &json!(north)));

    let path = format!("/v1/deals/{}", id(&mine));
    lead.get(&path).await.expect(200);
    let etag = anna_client.get(&path).await.etag();
    bert_client.get(&path).await.expect_problem(404, "not_found");
    bert_client
        .get(&format!("{path}/stays"))
        .await
        .expect_problem(404, "not_found");
    bert_client
        .patch_matching(&path, &etag, json!({ "name": "Taken" }))
        .await
        .expect_problem(404, "not_found");
    for (verb, body) in [
        ("move", json!({ "stage": "b" })),
        ("win", json!({})),
        ("lose", json!({ "reason": "price" })),
        ("reopen", json!({})),
        ("assign", json!({ "owner_id": bert })),
        ("change-version", json!({})),
        ("steps/any/complete", json!({})),
    ] {
        act(&bert_client, &mine, verb, body)
            .await
            .expect_problem(404, "not_found");
    }
    for path in ["/v1/deals", "/v1/deals?q=Tea", "/v1/soft-demand"] {
        let theirs = bert_client.get(path).await.expect(200);
        assert_eq!(ids(&theirs), [""; 0], "{path}");
        assert!(!ids(&anna_client.get(path).await.expect(200)).is_empty(), "{path}");
        assert!(!ids(&lead.get(path).await.expect(200)).is_empty(), "{path}");
    }

    // Who gets it sees it, and who gave it away does not.
    let given = act(&anna_client, &mine, "assign", json!({ "owner_id": bert }))
        .await
        .expect(200);
    assert_eq!((&given["owner_id"], &given["team_id"]), (&json!(bert), &json!(south)));
    bert_client.get(&path).await.expect(200);
    anna_client.get(&path).await.expect_problem(404, "not_found");
    lead.get(&path).await.expect_problem(404, "not_found");
    assert_eq!(ids(&bert_client.get("/v1/soft-demand").await.expect(200)), [id(&mine)]);
    act(&bert_client, &mine, "assign", json!({ "owner_id": id(&of) }))
        .await
        .expect_problem(422, "unknown_user");
    // What is told of it follows its owner.
    let told = kinds(&crm.client, id(&of)).await;
    assert_eq!(
        told,
        ["deal_assigned", "deal_opened", "deal_opened", "customer_created"]
    );
    let owners = owners_of_entries(&crm.database.url, id(&mine));
    assert_eq!(owners, [Some(bert.clone()), Some(bert)]);
}

fn owners_of_entries(url: &str, deal: &str) -> Vec<Option<String>> {
    use diesel::{Connection, QueryableByName, RunQueryDsl};
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
        owner: Option<String>,
    }
    let mut conn = diesel::PgConnection::establish(url).unwrap();
    let rows: Vec<Row> = diesel::sql_query(format!(
        "SELECT owner_id::text AS owner FROM timeline_entries WHERE subject = '{deal}' AND follows_owner"
    ))
    .load(&mut conn)
    .unwrap();
    rows.into_iter().map(|row| row.owner).collect()
}

#[actix_web::test]
async fn who_does_not_see_everything_does_not_map_everybodys_deals() {
    let crm = crm().await;
    let (_, pipeline, _) = begun(&crm, json!({})).await;
    let (client, user) = user(&crm, "Admin of a team", "team", None).await;
    super::support::sql(&crm, &format!("UPDATE users SET role = 'admin' WHERE id = '{user}'"));
    let path = format!("/v1/pipelines/{}/remap-deals", id(&pipeline));
    client.post(&path, json!({})).await.expect_problem(403, "forbidden");
    let done: Value = crm.client.post(&path, json!({})).await.expect(200);
    assert_eq!(done["moved"], 0);
}
