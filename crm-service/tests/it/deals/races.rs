use super::support::{act, begun, now};
use crate::support::{crm, events, id};
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::testing::{Reply, TestService};
use std::collections::BTreeMap;

/// Of 32 at once one wins; each of the others is told what the deal is now.
fn one_winner(replies: &[Reply]) {
    let mut seen: BTreeMap<u16, usize> = BTreeMap::new();
    for reply in replies {
        *seen.entry(reply.status.as_u16()).or_default() += 1;
        if reply.status != 200 {
            assert_eq!(reply.body["code"], "illegal_transition", "{}", reply.body);
        }
    }
    assert_eq!(seen, BTreeMap::from([(200, 1), (409, 31)]));
}

fn open_stays(crm: &TestService) -> i64 {
    use diesel::{Connection, QueryableByName, RunQueryDsl};
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let mut conn = diesel::PgConnection::establish(&crm.database.url).unwrap();
    let count: Count = diesel::sql_query("SELECT count(*) AS count FROM deal_stays WHERE left_at IS NULL")
        .get_result(&mut conn)
        .unwrap();
    count.count
}

#[actix_web::test]
async fn thirty_two_win_a_deal_once() {
    let crm = crm().await;
    let (_, _, deal) = begun(&crm, json!({ "amount": "10" })).await;
    let replies = join_all((0..32).map(|_| act(&crm.client, &deal, "win", json!({})))).await;
    one_winner(&replies);
    let told = events(&crm.client, "deal.changed", 2).await;
    assert_eq!((told.len(), open_stays(&crm)), (2, 0));
}

#[actix_web::test]
async fn a_deal_is_won_or_lost() {
    let crm = crm().await;
    let (_, _, deal) = begun(&crm, json!({ "amount": "10" })).await;
    let replies = join_all((0..32).map(|n| {
        let (verb, body) = match n % 2 {
            0 => ("win", json!({})),
            _ => ("lose", json!({ "reason": "price" })),
        };
        act(&crm.client, &deal, verb, body)
    }))
    .await;
    one_winner(&replies);
    let winner = replies.into_iter().find(|reply| reply.status == 200).unwrap();
    let state = winner.body["state"].clone();
    assert_eq!(now(&crm.client, &deal).await["state"], state);
}

#[actix_web::test]
async fn thirty_two_move_a_deal_once() {
    let crm = crm().await;
    let (_, _, deal) = begun(&crm, json!({})).await;
    let replies = join_all((0..32).map(|_| act(&crm.client, &deal, "move", json!({ "stage": "b" })))).await;
    one_winner(&replies);
    assert_eq!(open_stays(&crm), 1);
    let stays = crm
        .client
        .get(&format!("/v1/deals/{}/stays", id(&deal)))
        .await
        .expect(200);
    assert_eq!(stays["items"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn one_of_two_publishes_a_draft() {
    let crm = crm().await;
    let (_, pipeline, _) = begun(&crm, json!({})).await;
    let path = format!("/v1/pipelines/{}", id(&pipeline));
    let stages = json!({ "stages": [super::support::stage("a", "0.1", &[])] });
    crm.client.post(&format!("{path}/draft"), stages).await.expect(200);
    let publish = format!("{path}/publish");
    let replies = join_all((0..32).map(|_| crm.client.post(&publish, json!({})))).await;
    one_winner(&replies);
    let now: Value = crm.client.get(&path).await.expect(200);
    assert_eq!((&now["published"]["number"], &now["draft"]), (&json!(2), &Value::Null));
}
