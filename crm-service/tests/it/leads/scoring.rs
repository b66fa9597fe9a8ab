use super::{act, items, lead, now};
use crate::support::{crm, id};
use serde_json::{Value, json};
use service_kit::testing::Client;

async fn rule(client: &Client, name: &str, condition: &str, points: i32) -> Value {
    let body = json!({ "name": name, "condition": condition, "points": points });
    client.post("/v1/lead-scoring-rules", body).await.expect(201)
}

/// What each rule gave, by name; the score must be their sum.
fn explained(lead: &Value) -> Vec<(String, i64)> {
    let parts = lead["score_parts"].as_array().unwrap();
    let parts: Vec<(String, i64)> = parts
        .iter()
        .map(|part| {
            (
                part["name"].as_str().unwrap().to_owned(),
                part["points"].as_i64().unwrap(),
            )
        })
        .collect();
    let sum: i64 = parts.iter().map(|(_, points)| points).sum();
    assert_eq!(lead["score"].as_i64(), Some(sum));
    parts
}

fn points(given: &[(&str, i64)]) -> Vec<(String, i64)> {
    given
        .iter()
        .map(|(name, points)| ((*name).to_owned(), *points))
        .collect()
}

#[actix_web::test]
async fn a_score_says_which_rules_gave_what() {
    let crm = crm().await;
    rule(&crm.client, "Buyer", r#"job_title contains "buyer""#, 30).await;
    rule(&crm.client, "From the fair", r#"touches.source has "fair""#, 20).await;
    rule(&crm.client, "No e-mail address", "email is empty", -15).await;
    rule(&crm.client, "Came again", "touches.count > 1", 10).await;
    let made = lead(&crm.client, json!({ "job_title": "Head BUYER", "source": "web" })).await;
    assert_eq!(explained(&made), points(&[("Buyer", 30), ("No e-mail address", -15)]));
    let touched = act(&crm.client, &made, "touches", json!({ "source": "fair" }))
        .await
        .expect(200);
    let expected = points(&[
        ("Buyer", 30),
        ("From the fair", 20),
        ("No e-mail address", -15),
        ("Came again", 10),
    ]);
    assert_eq!(explained(&touched), expected);
    let path = format!("/v1/leads/{}", id(&made));
    let changed = crm
        .client
        .patch(&path, json!({ "email": "a@b.example" }))
        .await
        .expect(200);
    assert_eq!(changed["score"], 60);
    assert_eq!(explained(&now(&crm.client, &made).await), explained(&changed));
}

#[actix_web::test]
async fn a_changed_rule_leaves_the_scores_that_it_would_have_given_from_the_beginning() {
    let crm = crm().await;
    let first = lead(&crm.client, json!({ "country": "DE" })).await;
    let other = lead(&crm.client, json!({ "country": "FR", "join": false })).await;
    let gone = super::qualified(&crm.client, json!({ "country": "DE" })).await;
    let gone = act(&crm.client, &gone, "convert", json!({})).await.expect(200);
    let made = rule(&crm.client, "Germany", r#"country = "DE""#, 5).await;
    assert_eq!(explained(&now(&crm.client, &first).await), points(&[("Germany", 5)]));
    assert_eq!(explained(&now(&crm.client, &other).await), []);
    assert_eq!(now(&crm.client, &gone).await, gone, "a converted lead keeps its score");
    let path = format!("/v1/lead-scoring-rules/{}", id(&made));
    let patch = json!({ "condition": "country in (\"DE\", \"FR\")", "points": 7, "name": "Near" });
    crm.client.patch(&path, patch).await.expect(200);
    let later = lead(&crm.client, json!({ "country": "FR", "join": false })).await;
    for lead in [&first, &other, &later] {
        assert_eq!(explained(&now(&crm.client, lead).await), points(&[("Near", 7)]));
    }
    let ranked = items(&crm.client, "/v1/leads?sort=-score&score_from=7").await;
    assert_eq!(ranked.len(), 3);
    crm.client.patch(&path, json!({ "active": false })).await.expect(200);
    for lead in [&first, &other, &later] {
        assert_eq!(explained(&now(&crm.client, lead).await), []);
    }
    // The score is part of what is shown.
    let revision = |lead: &Value| lead["revision"].as_i64().unwrap();
    assert_eq!(revision(&now(&crm.client, &first).await), revision(&first) + 3);
}

#[actix_web::test]
async fn a_faulty_rule_is_answered_with_all_its_faults() {
    let crm = crm().await;
    let body = json!({ "name": "Bad", "condition": "score > 1 and country = 2", "points": 0 });
    let problem = crm
        .client
        .post("/v1/lead-scoring-rules", body)
        .await
        .expect_problem(422, "invalid_filter");
    let codes: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (&fault["pointer"], &fault["code"]))
        .collect();
    assert_eq!(
        codes,
        [
            (&json!("/condition"), &json!("unknown_field")),
            (&json!("/condition"), &json!("wrong_type")),
            (&json!("/points"), &json!("out_of_range"))
        ]
    );
    rule(&crm.client, "Once", "email is empty", 1).await;
    let body = json!({ "name": "Once", "condition": "email is empty", "points": 1 });
    crm.client
        .post("/v1/lead-scoring-rules", body)
        .await
        .expect_problem(409, "duplicate");
}
