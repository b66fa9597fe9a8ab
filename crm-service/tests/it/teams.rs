//! Teams are a tree, whoever moves them at the same time.

use crate::support::{crm, id};
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::testing::TestService;
use std::collections::HashMap;

async fn parents(crm: &TestService) -> HashMap<String, Value> {
    let page = crm.client.get("/v1/teams").await.expect(200);
    let teams = page["items"].as_array().unwrap().iter();
    teams
        .map(|team| (id(team).to_owned(), team["parent_id"].clone()))
        .collect()
}

#[actix_web::test]
async fn a_team_is_no_part_of_itself() {
    let crm = crm().await;
    let top = crm.team("Sales", None).await;
    let middle = crm.team("North", Some(&top)).await;
    let leaf = crm.team("Nordic", Some(&middle)).await;
    for below in [&top, &middle, &leaf] {
        let reply = crm
            .client
            .patch(&format!("/v1/teams/{top}"), json!({ "parent_id": below }))
            .await;
        let problem = reply.expect_problem(422, "team_cycle");
        assert_eq!(problem["errors"][0]["pointer"], "/parent_id");
    }
    let unknown = json!({ "name": "X", "parent_id": "00000000-0000-7000-8000-000000000000" });
    crm.client
        .post("/v1/teams", unknown)
        .await
        .expect_problem(422, "unknown_team");
    let twin = crm
        .client
        .post("/v1/teams", json!({ "name": "North" }))
        .await
        .expect_problem(409, "duplicate");
    assert_eq!(twin["errors"][0]["pointer"], "/name");
    // Turned round: the leaf becomes the top.
    crm.client
        .patch(&format!("/v1/teams/{leaf}"), json!({ "parent_id": null }))
        .await
        .expect(200);
    crm.client
        .patch(&format!("/v1/teams/{top}"), json!({ "parent_id": leaf }))
        .await
        .expect(200);
    let below = crm.client.get(&format!("/v1/teams?parent_id={leaf}")).await.expect(200);
    assert_eq!(below["items"][0]["name"], "Sales");
}

#[actix_web::test]
async fn teams_moved_at_the_same_time_make_no_cycle() {
    let crm = crm().await;
    let mut teams = Vec::new();
    for n in 0..8 {
        teams.push(crm.team(&format!("Team {n}"), None).await);
    }
    // Each under the next, the last under the first: all at once they would be a ring.
    let moves = (0..32).map(|n| {
        let (team, parent) = (&teams[n % 8], &teams[(n + 1) % 8]);
        let request = crm
            .client
            .request("PATCH".parse().unwrap(), &format!("/v1/teams/{team}"));
        crm.client
            .send(request.header("If-Match", "*").json(&json!({ "parent_id": parent })))
    });
    let refused = join_all(moves)
        .await
        .into_iter()
        .filter(|reply| reply.status == 422)
        .count();
    assert!(refused >= 1);
    let parents = parents(&crm).await;
    let roots = parents.values().filter(|parent| parent.is_null()).count();
    assert_eq!(roots, 1, "{parents:#?}");
    for team in &teams {
        let (mut at, mut steps) = (team.clone(), 0);
        while let Some(parent) = parents[&at].as_str() {
            (at, steps) = (parent.to_owned(), steps + 1);
            assert!(steps <= 8, "a cycle: {parents:#?}");
        }
    }
}
