use crate::support::{crm, customer, events, id, timeline_kinds};
use serde_json::{Value, json};
use uuid::Uuid;

fn facts(version: i64) -> Value {
    json!({
        "source_version": version, "tier": "gold", "credit_limit": "1000", "credit_currency": "USD",
        "credit_hold": false, "blocked": false, "as_of": "2026-11-22T10:00:00Z",
    })
}

#[actix_web::test]
async fn credit_facts_show_in_the_customer_and_echo_nothing() {
    let crm = crm().await;
    let of = customer(&crm.client, "Ernst Handel").await;
    let path = format!("/v1/customers/{}", id(&of));
    let reply = crm.integration().put(&format!("{path}/credit"), facts(3)).await;
    assert_eq!(reply.etag(), "\"2\"");
    let after = reply.expect(200);
    assert_eq!(
        after["credit"],
        json!({
            "tier": "gold", "tiers": null, "credit_limit": "1000.00", "credit_currency": "USD", "credit_hold": false,
            "credit_hold_reason": null, "blocked": false, "blocked_reason": null, "exposure": null,
            "exposure_parts": null, "open_balance": null, "overdue_days": null,
            "source_version": 3, "as_of": "2026-11-22T10:00:00Z",
        })
    );
    assert_eq!((&after["version"], &after["revision"]), (&json!(1), &json!(2)));
    assert_eq!(crm.client.get(&path).await.expect(200), after);

    // The next event of the CRM's own part is the second one, and tells nothing of the replica.
    crm.client.patch(&path, json!({ "name": "Ernst" })).await.expect(200);
    let told = events(&crm.client, "customer.changed", 2).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[1]["subjectversion"], 2);
    assert_eq!(told[1]["data"].get("credit"), None);

    let stale = crm.client.patch_matching(&path, "\"1\"", json!({ "name": "x" })).await;
    let problem = stale.expect_problem(412, "stale");
    assert_eq!(problem["changed_fields"], json!(["credit", "name"]));
}

#[actix_web::test]
async fn the_newest_version_wins_in_any_order() {
    let crm = crm().await;
    let of = customer(&crm.client, "Versions").await;
    let path = format!("/v1/customers/{}/credit", id(&of));
    let sync = crm.integration();
    let held = |version: i64, held: bool| {
        let mut facts = facts(version);
        facts["credit_hold"] = json!(held);
        facts
    };
    let newest = sync.put(&path, held(5, true)).await.expect(200);
    for (version, hold) in [(4, false), (5, false), (1, false)] {
        let stored = sync.put(&path, held(version, hold)).await.expect(200);
        assert_eq!(stored, newest, "version {version} is not newer");
    }
    let mut resync = held(2, false);
    resync["replace"] = json!(true);
    let replaced = sync.put(&path, resync.clone()).await.expect(200);
    assert_eq!(
        (
            &replaced["credit"]["source_version"],
            &replaced["credit"]["credit_hold"],
            &replaced["revision"]
        ),
        (&json!(2), &json!(false), &json!(3))
    );
    let again = sync.put(&path, resync).await.expect(200);
    assert_eq!(again, replaced, "a resync that finds all equal changes nothing");
    assert_eq!(
        timeline_kinds(&crm.client, id(&of)).await.len(),
        3,
        "two changes of the facts and the creation"
    );
}

#[actix_web::test]
async fn only_the_sync_applies_credit_facts() {
    let crm = crm().await;
    let of = customer(&crm.client, "Owned").await;
    let path = format!("/v1/customers/{}/credit", id(&of));
    let problem = crm.client.put(&path, facts(1)).await.expect_problem(409, "not_owner");
    assert_eq!(problem["owner"], "erp");
    let sales = crm.client.new_key("sales", &[]).await;
    sales.put(&path, facts(1)).await.expect_problem(409, "not_owner");
    let viewer = crm.client.new_key("viewer", &[]).await;
    viewer.put(&path, facts(1)).await.expect_problem(403, "forbidden");
    let whole = crm.client.get(&format!("/v1/customers/{}", id(&of))).await.expect(200);
    assert_eq!(whole["credit"], Value::Null);
}

#[actix_web::test]
async fn facts_about_an_unknown_customer_name_it() {
    let crm = crm().await;
    let unknown = Uuid::now_v7();
    let problem = crm
        .integration()
        .put(&format!("/v1/customers/{unknown}/credit"), facts(1))
        .await
        .expect_problem(409, "reference_missing");
    assert_eq!(problem["missing"], json!([{ "type": "customer", "id": unknown }]));
}

#[actix_web::test]
async fn a_limit_is_an_amount_in_a_currency() {
    let crm = crm().await;
    let of = customer(&crm.client, "Limits").await;
    let path = format!("/v1/customers/{}/credit", id(&of));
    let sync = crm.integration();
    let mut bad = facts(1);
    bad["credit_limit"] = json!("-0.01");
    bad["credit_currency"] = Value::Null;
    let problem = sync.put(&path, bad).await.expect_problem(422, "invalid_input");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
    let mut largest = facts(1);
    largest["credit_limit"] = json!("9999999999999999.9999");
    let shown = sync.put(&path, largest).await.expect(200);
    assert_eq!(shown["credit"]["source_version"], 1);
    let mut yen = facts(2);
    (yen["credit_limit"], yen["credit_currency"]) = (json!("5000.0"), json!("JPY"));
    let shown = sync.put(&path, yen).await.expect(200);
    assert_eq!(shown["credit"]["credit_limit"], "5000");
    let mut unlimited = facts(3);
    (unlimited["credit_limit"], unlimited["tier"]) = (Value::Null, Value::Null);
    let shown = sync.put(&path, unlimited).await.expect(200);
    assert_eq!(
        (&shown["credit"]["credit_limit"], &shown["credit"]["tier"]),
        (&Value::Null, &Value::Null)
    );
}

#[actix_web::test]
async fn the_balance_shows_and_the_timeline_leaves_it_to_the_documents() {
    let crm = crm().await;
    let of = customer(&crm.client, "Balance").await;
    let path = format!("/v1/customers/{}", id(&of));
    let sync = crm.integration();
    let mut first = facts(1);
    // After the customer was made, at any time of any day.
    first["as_of"] = json!(chrono::Utc::now() + chrono::Duration::minutes(1));
    sync.put(&format!("{path}/credit"), first).await.expect(200);
    let parts = json!({
        "orders": "20.00", "invoices": "119.00", "credits": "-19.00", "advances": "0.00", "rates_missing": ["CHF"],
    });
    let mut told = facts(2);
    told["exposure"] = json!("120.00");
    told["exposure_parts"] = parts.clone();
    told["open_balance"] = json!("100");
    told["overdue_days"] = json!(12);
    told["as_of"] = json!(chrono::Utc::now() + chrono::Duration::minutes(2));
    told["exposure_parts"]["to_come"] = json!("1.00");
    let after = sync.put(&format!("{path}/credit"), told.clone()).await.expect(200);
    let credit = &after["credit"];
    assert_eq!(
        (&credit["exposure"], &credit["open_balance"], &credit["overdue_days"]),
        (&json!("120.00"), &json!("100.00"), &json!(12))
    );
    assert_eq!(credit["exposure_parts"], parts, "what is not known is left out");
    assert_eq!(crm.client.get(&path).await.expect(200), after);
    assert_eq!(
        timeline_kinds(&crm.client, id(&of)).await,
        ["credit_changed", "customer_created"]
    );
    let terms = sync.put(&format!("{path}/credit"), facts(3)).await.expect(200);
    assert_eq!(
        (&terms["credit"]["open_balance"], &terms["credit"]["exposure_parts"]),
        (&json!("100.00"), &parts),
        "terms without a balance leave it as it is known"
    );
    told["source_version"] = json!(4);
    told["overdue_days"] = json!(-1);
    let problem = sync
        .put(&format!("{path}/credit"), told)
        .await
        .expect_problem(422, "out_of_range");
    assert_eq!(problem["errors"][0]["pointer"], "/overdue_days");
}
