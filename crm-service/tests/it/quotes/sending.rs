use super::support::{act, begun, change, document, line, now, quote, sold, try_sql};
use crate::support::{crm, customer, id};
use serde_json::json;

#[actix_web::test]
async fn what_was_sent_does_not_change_any_more() {
    let crm = crm().await;
    let (_, tea, draft) = begun(&crm).await;
    assert_eq!((&draft["number"], &draft["content_hash"]), (&json!(null), &json!(null)));
    let sent = act(&crm.client, &draft, "send", json!({})).await.expect(200);
    assert_eq!(
        (&sent["number"], &sent["version_number"]),
        (&json!("Q-000001"), &json!(1))
    );
    assert_eq!(sent["content_hash"].as_str().map(str::len), Some(64));
    let before = document(&crm.client, &sent).await;
    change(&crm.client, &sent, json!({ "title": "Other" }))
        .await
        .expect_problem(409, "illegal_transition");
    // Nor does anybody with a hand in the database change it.
    for statement in [
        "UPDATE quotes SET net = 1",
        "UPDATE quotes SET terms = 'Other'",
        "UPDATE quotes SET valid_until = valid_until + 1",
        "UPDATE quotes SET content_hash = NULL, sent_at = NULL, sent_by = NULL, state = 'draft'",
        "UPDATE quote_lines SET unit_price = 1",
        "DELETE FROM quote_lines",
        "DELETE FROM quotes",
        "UPDATE quote_documents SET html = ''",
        "DELETE FROM quote_documents",
    ] {
        let refused = try_sql(&crm, statement);
        assert!(refused.is_err(), "{statement} was not refused");
    }
    // The product gets another name; the quote keeps what it said.
    let renamed = crate::sales::product(2, "TEA-2", "Renamed");
    crm.integration()
        .put(&format!("/v1/products/{tea}"), renamed)
        .await
        .expect(200);
    let after = now(&crm.client, &sent).await;
    assert_eq!(
        (&after["lines"][0]["name"], &after["content_hash"]),
        (&json!("TEA"), &sent["content_hash"])
    );
    assert_eq!(document(&crm.client, &sent).await, before);
}

#[actix_web::test]
async fn what_keeps_a_quote_from_being_sent_is_named_at_once() {
    let crm = crm().await;
    let of = customer(&crm.client, "Empty").await;
    let empty = quote(&crm.client, &of, json!({})).await;
    for verb in ["send", "request-approval"] {
        act(&crm.client, &empty, verb, json!({}))
            .await
            .expect_problem(422, "no_lines");
    }
    let (gone, free) = (sold(&crm, "GONE", "1").await, sold(&crm, "FREE", "").await);
    let draft = quote(
        &crm.client,
        &of,
        json!({ "lines": [line(&gone, "1"), line(&free, "1")] }),
    )
    .await;
    super::support::retire(&crm, &gone, "GONE").await;
    super::support::sql(
        &crm,
        &format!(
            "UPDATE quotes SET valid_until = '{}' WHERE id = '{}'",
            super::support::in_days(-1),
            id(&draft)
        ),
    );
    let refused = act(&crm.client, &draft, "send", json!({}))
        .await
        .expect_problem(422, "invalid_input");
    let found: Vec<_> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].clone())
        .collect();
    assert_eq!(found, ["/lines/0/product_id", "/lines/1/unit_price", "/valid_until"]);
}

#[actix_web::test]
async fn a_dry_run_shows_what_would_be_sent_and_draws_no_number() {
    let crm = crm().await;
    let (_, _, draft) = begun(&crm).await;
    let tried = act(&crm.client, &draft, "send?dry_run=true", json!({}))
        .await
        .expect(200);
    assert_eq!((&tried["state"], &tried["number"]), (&json!("sent"), &json!(null)));
    assert_eq!(now(&crm.client, &draft).await["state"], "draft");
    let sent = act(&crm.client, &draft, "send", json!({})).await.expect(200);
    assert_eq!(sent["number"], "Q-000001");
}

#[actix_web::test]
async fn a_quote_of_a_deal_offers_what_the_deal_is_about_and_files_its_document_there() {
    let crm = crm().await;
    let of = customer(&crm.client, "Dealing").await;
    let tea = sold(&crm, "TEA", "9.50").await;
    let lines = json!([line(&tea, "4"), { "product_id": tea, "quantity": "1", "unit_price": "9", "discount": "0.01" }]);
    let deal = json!({ "name": "Shops", "customer_id": of["id"], "lines": lines });
    let deal = crm.client.post("/v1/deals", deal).await.expect(201);
    let draft = quote(&crm.client, &of, json!({ "deal_id": deal["id"] })).await;
    // 4 × 9.50 + 9 × 0.99
    assert_eq!(
        (&draft["total"]["net"], &draft["lines"][1]["price_given"]),
        (&json!("46.91"), &json!(true))
    );
    let sent = act(&crm.client, &draft, "send", json!({})).await.expect(200);
    let filed = format!("/v1/attachments?subject_type=deal&subject_id={}", id(&deal));
    let filed = crm.client.get(&filed).await.expect(200);
    assert_eq!(
        (&filed["items"][0]["name"], &filed["items"][0]["content_type"]),
        (&json!("Q-000001-1.html"), &json!("text/html"))
    );
    let content = format!("/v1/attachments/{}/content", id(&filed["items"][0]));
    let content = crm.client.get(&content).await.expect(200);
    assert_eq!(content, json!(document(&crm.client, &sent).await));
    let other = customer(&crm.client, "Other").await;
    let body = json!({ "title": "Wrong", "customer_id": other["id"], "deal_id": deal["id"] });
    crm.client
        .post("/v1/quotes", body)
        .await
        .expect_problem(422, "unknown_deal");
    let found = crm
        .client
        .get(&format!("/v1/quotes?deal_id={}", id(&deal)))
        .await
        .expect(200);
    assert_eq!(super::support::ids(&found), [id(&sent)]);
    // Notes and files hang on a quote as on any record.
    let note = json!({ "kind": "note", "title": "Called back", "body": "On Friday", "subject_type": "quote", "subject_id": sent["id"] });
    let note = crm.client.post("/v1/activities", note).await.expect(201);
    assert_eq!(note["customer_id"], of["id"]);
}
