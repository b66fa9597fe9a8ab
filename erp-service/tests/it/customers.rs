use crate::given::{self, replicated};
use crate::shop::Shop;
use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_new_customer_has_terms_of_its_own_and_the_crm_is_told() {
    let service = given::erp().await;
    let (erp, sync) = (&service.client, service.integration());
    let path = format!("/v1/customers/{}", Uuid::now_v7());
    let made = sync.put(&path, replicated(7, "Alfreds Futterkiste")).await.expect(201);
    for (field, value) in [
        ("name", json!("Alfreds Futterkiste")),
        ("grade", json!("B")),
        ("external_ref", json!("ALFKI")),
        ("source_version", json!(7)),
        ("tier", json!(null)),
        ("credit_limit", json!(null)),
        ("credit_currency", json!("USD")),
        ("credit_hold", json!(false)),
        ("blocked", json!(false)),
        ("exposure", json!("0.00")),
        ("version", json!(1)),
        ("revision", json!(1)),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    assert_eq!(made["addresses"][0]["city"], "Berlin");
    assert_eq!(erp.get(&path).await.expect(200), made);
    let events = given::events(erp, "customer.credit_changed").await;
    assert_eq!(given::of(&events, &made), [(1, &made)]);
}

#[tokio::test]
async fn the_newest_version_of_the_crm_stays_and_nothing_echoes() {
    let service = given::erp().await;
    let (erp, sync) = (&service.client, service.integration());
    let path = format!("/v1/customers/{}", Uuid::now_v7());
    let first = sync.put(&path, replicated(5, "Five")).await.expect(201);
    let terms = erp
        .patch(&path, json!({ "tier": "gold", "credit_limit": "1000" }))
        .await
        .expect(200);
    // Older and equal: what is stored stays, and is the answer.
    assert_eq!(sync.put(&path, replicated(4, "Four")).await.expect(200), terms);
    assert_eq!(sync.put(&path, replicated(5, "Other five")).await.expect(200), terms);
    // Newer: applied, the terms untouched.
    let newer = sync.put(&path, replicated(9, "Nine")).await.expect(200);
    assert_eq!(
        (
            &newer["name"],
            &newer["source_version"],
            &newer["tier"],
            &newer["credit_limit"]
        ),
        (&json!("Nine"), &json!(9), &json!("gold"), &json!("1000.00"))
    );
    assert_eq!((&newer["version"], &newer["revision"]), (&json!(2), &json!(3)));
    // A resync replaces whatever the version, once.
    let mut replaced = replicated(3, "Restored");
    replaced["replace"] = json!(true);
    let restored = sync.put(&path, replaced.clone()).await.expect(200);
    assert_eq!(
        (&restored["name"], &restored["source_version"]),
        (&json!("Restored"), &json!(3))
    );
    assert_eq!(sync.put(&path, replaced).await.expect(200), restored);
    let events = given::events(erp, "customer.credit_changed").await;
    let versions: Vec<i64> = given::of(&events, &first)
        .into_iter()
        .map(|(version, _)| version)
        .collect();
    assert_eq!(versions, [1, 2]);
}

#[tokio::test]
async fn versions_that_arrive_at_once_end_in_the_newest() {
    let service = given::erp().await;
    let (erp, sync) = (&service.client, service.integration());
    let path = format!("/v1/customers/{}", Uuid::now_v7());
    let puts = (1..=16).rev().map(|version| {
        let (sync, path) = (sync.clone(), path.clone());
        async move { sync.put(&path, replicated(version, &format!("v{version}"))).await }
    });
    let replies = join_all(puts).await;
    assert_eq!(replies.iter().filter(|reply| reply.status.as_u16() == 201).count(), 1);
    assert!(replies.iter().all(|reply| matches!(reply.status.as_u16(), 200 | 201)));
    let stored = erp.get(&path).await.expect(200);
    assert_eq!((&stored["name"], &stored["version"]), (&json!("v16"), &json!(1)));
    assert_eq!(given::events(erp, "customer.credit_changed").await.len(), 1);
}

#[tokio::test]
async fn changes_of_two_customers_may_arrive_in_any_order() {
    let service = given::erp().await;
    let sync = service.integration();
    let (a, b) = (Uuid::now_v7(), Uuid::now_v7());
    sync.put(&format!("/v1/customers/{a}"), replicated(1, "A"))
        .await
        .expect(201);
    // In the CRM, A gave its external_ref up before B took it; B's change comes first.
    let taken = sync
        .put(&format!("/v1/customers/{b}"), replicated(1, "B"))
        .await
        .expect(201);
    assert_eq!(taken["external_ref"], "ALFKI");
    let mut given_up = replicated(2, "A");
    given_up["external_ref"] = json!(null);
    let given_up = sync.put(&format!("/v1/customers/{a}"), given_up).await.expect(200);
    assert_eq!(given_up["external_ref"], json!(null));
}

#[tokio::test]
async fn users_are_told_who_owns_what() {
    let service = given::erp().await;
    let erp = &service.client;
    let customer = given::customer(&service, "Alfreds").await;
    let path = given::path("customers", &customer);
    let created = erp
        .post("/v1/customers", json!({ "name": "New", "kind": "company" }))
        .await;
    let problem = created.expect_problem(409, "not_owner");
    assert_eq!(
        (&problem["owner"], &problem["owner_path"]),
        (&json!("crm"), &json!("/v1/customers"))
    );
    let foreign = json!({ "name": "Renamed", "email": null, "tier": "gold" });
    let problem = erp.patch(&path, foreign).await.expect_problem(409, "not_owner");
    assert_eq!(problem["owner_path"], json!(path));
    assert_eq!(problem["fields"], json!(["name", "email"]));
    for client in [erp.clone(), erp.new_key("back_office", &[]).await] {
        client
            .put(&path, replicated(2, "Renamed"))
            .await
            .expect_problem(409, "not_owner");
    }
    let viewer = erp.new_key("viewer", &[]).await;
    viewer
        .put(&path, replicated(2, "Renamed"))
        .await
        .expect_problem(403, "forbidden");
    viewer
        .patch_matching(&path, "\"1\"", json!({ "tier": "gold" }))
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(erp.get(&path).await.expect(200), customer);
}

#[tokio::test]
async fn terms_change_with_if_match_and_reasons_go_with_their_cause() {
    let service = given::erp().await;
    let erp = &service.client;
    let customer = given::customer(&service, "Alfreds").await;
    let path = given::path("customers", &customer);
    let blind = erp
        .request(reqwest::Method::PATCH, &path)
        .json(&json!({ "tier": "gold" }));
    erp.send(blind).await.expect_problem(428, "precondition_required");
    let terms = json!({
        "tier": "gold", "tier_reason": "strategic", "credit_limit": "1234.5", "credit_hold": true,
        "credit_hold_reason": "late payer", "blocked": true, "blocked_reason": "embargo"
    });
    let changed = erp.patch(&path, terms.clone()).await.expect(200);
    for (field, value) in terms.as_object().unwrap() {
        let expected = if field == "credit_limit" {
            json!("1234.50")
        } else {
            value.clone()
        };
        assert_eq!(changed[field], expected, "{field}");
    }
    assert_eq!(changed["version"], 2);
    let same = erp.patch(&path, terms).await.expect(200);
    assert_eq!(same, changed);
    let lifted = json!({ "tier": null, "credit_hold": false, "blocked": false, "credit_limit": null });
    let lifted = erp.patch(&path, lifted).await.expect(200);
    for field in [
        "tier",
        "tier_reason",
        "credit_limit",
        "credit_hold_reason",
        "blocked_reason",
    ] {
        assert_eq!(lifted[field], json!(null), "{field}");
    }
    let stale = erp.patch_matching(&path, "\"1\"", json!({ "tier": "gold" })).await;
    let problem = stale.expect_problem(412, "stale");
    assert!(
        problem["changed_fields"]
            .as_array()
            .unwrap()
            .contains(&json!("credit_hold")),
        "{problem:#}"
    );
    let prepaid = erp.patch(&path, json!({ "credit_limit": "0" })).await.expect(200);
    assert_eq!(prepaid["credit_limit"], "0.00");
}

#[tokio::test]
async fn every_fault_of_the_terms_is_named() {
    let service = given::erp().await;
    let erp = &service.client;
    let customer = given::customer(&service, "Alfreds").await;
    let path = given::path("customers", &customer);
    let wrong =
        json!({ "credit_limit": "-1", "tier_reason": "why", "credit_hold_reason": "why", "blocked_reason": "why" });
    let problem = erp.patch(&path, wrong).await.expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/credit_limit", "out_of_range"),
            ("/tier_reason", "reason_without_cause"),
            ("/credit_hold_reason", "reason_without_cause"),
            ("/blocked_reason", "reason_without_cause"),
        ]
    );
    let fine = json!({ "credit_limit": "0.001" });
    erp.patch(&path, fine).await.expect_problem(422, "out_of_range");
    let huge = json!({ "credit_limit": "9".repeat(24) });
    erp.patch(&path, huge).await.expect_problem(422, "out_of_range");
    assert_eq!(erp.get(&path).await.expect(200), customer);
}

#[tokio::test]
async fn the_exposure_is_shown_and_is_part_of_the_etag() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let path = format!("/v1/customers/{}", shop.customer);
    let before = shop.erp.get(&path).await;
    shop.confirmed(product, "2").await;
    let conditional = shop.erp.request(reqwest::Method::GET, &path);
    let after = shop.erp.send(conditional.header("If-None-Match", before.etag())).await;
    assert_eq!((after.status.as_u16(), &after.body["exposure"]), (200, &json!("20.00")));
    assert_eq!(after.body["revision"], before.body["revision"]);
    let unchanged = shop.erp.request(reqwest::Method::GET, &path);
    let unchanged = shop.erp.send(unchanged.header("If-None-Match", after.etag())).await;
    assert_eq!(unchanged.status.as_u16(), 304);
    // The terms are what they were, so a change based on the tag from before the order is not stale.
    let changed = shop
        .erp
        .patch_matching(&path, &before.etag(), json!({ "credit_limit": "15" }))
        .await
        .expect(200);
    assert_eq!(
        (&changed["exposure"], &changed["version"]),
        (&json!("20.00"), &json!(2))
    );
}

#[tokio::test]
async fn customers_are_listed_and_found_by_their_terms() {
    let service = given::erp().await;
    let erp = &service.client;
    let customers = [
        given::customer(&service, "Alfreds").await,
        given::customer(&service, "Berglunds").await,
        given::customer(&service, "北京").await,
    ];
    for (index, terms) in [
        json!({ "tier": "gold" }),
        json!({ "blocked": true }),
        json!({ "credit_hold": true }),
    ]
    .into_iter()
    .enumerate()
    {
        erp.patch(&given::path("customers", &customers[index]), terms)
            .await
            .expect(200);
    }
    for (query, expected) in [
        ("sort=name", vec!["Alfreds", "Berglunds", "北京"]),
        ("q=berg", vec!["Berglunds"]),
        ("q=%E4%BA%AC", vec!["北京"]),
        ("tier=gold", vec!["Alfreds"]),
        ("blocked=true", vec!["Berglunds"]),
        ("credit_hold=true", vec!["北京"]),
        ("external_ref=ALFKI&sort=-name&limit=1", vec!["北京"]),
        ("status=archived", vec![]),
    ] {
        let page = erp.get(&format!("/v1/customers?{query}")).await.expect(200);
        let names: Vec<&str> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, expected, "{query}");
    }
}
