//! Segments of customers are the CRM's; the back office filters by them.

use crate::given::{self, replicated};
use crate::shop::{Shop, id};
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::testing::Client;
use uuid::Uuid;

const MEMBERS: &str = "/v1/segment-memberships";

fn segment(version: i64, name: &str) -> Value {
    json!({ "source_version": version, "name": name, "description": null, "kind": "rule", "status": "active",
            "rule": "orders.count >= 3", "as_of": "2026-01-02T00:00:00Z" })
}

async fn made(sync: &Client, name: &str) -> Uuid {
    let of = Uuid::now_v7();
    sync.put(&format!("/v1/segments/{of}"), segment(1, name))
        .await
        .expect(201);
    of
}

fn member(membership: Uuid, version: i64, of: Uuid, customer: Uuid, left: bool) -> Value {
    json!({ "id": membership, "segment_id": of, "customer_id": customer, "entered_at": "2026-01-02T00:00:00Z",
            "left_at": left.then_some("2026-02-02T00:00:00Z"), "source_version": version, "as_of": "2026-02-02T00:00:00Z" })
}

async fn apply(sync: &Client, items: &[Value]) -> Vec<Value> {
    let applied = sync.put(MEMBERS, json!({ "items": items })).await.expect(200);
    let results = applied["items"].as_array().unwrap().iter();
    results.map(|item| item["result"].clone()).collect()
}

/// Ids of a list, in its order.
async fn listed(erp: &Client, path: &str) -> Vec<Uuid> {
    let page = erp.get(path).await.expect(200);
    page["items"].as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn the_newest_version_of_the_crm_stays() {
    let service = given::erp().await;
    let (erp, sync) = (&service.client, service.integration());
    let of = Uuid::now_v7();
    let path = format!("/v1/segments/{of}");
    let first = sync.put(&path, segment(5, "Regulars")).await.expect(201);
    assert_eq!(
        (&first["name"], &first["source_version"]),
        (&json!("Regulars"), &json!(5))
    );
    assert_eq!(sync.put(&path, segment(4, "Older")).await.expect(200), first);
    assert_eq!(sync.put(&path, segment(5, "Equal")).await.expect(200), first);
    let newer = sync.put(&path, segment(6, "Newer")).await.expect(200);
    assert_eq!((&newer["name"], &newer["revision"]), (&json!("Newer"), &json!(2)));
    let mut restored = segment(2, "Restored");
    restored["replace"] = json!(true);
    let after = sync.put(&path, restored.clone()).await.expect(200);
    assert_eq!(
        (&after["name"], &after["source_version"]),
        (&json!("Restored"), &json!(2))
    );
    assert_eq!(sync.put(&path, restored).await.expect(200), after);
    assert_eq!(erp.get(&path).await.expect(200), after);
    assert_eq!(listed(erp, "/v1/segments?q=stor&kind=rule&status=active").await, [of]);
    assert_eq!(listed(erp, "/v1/segments?status=archived").await, Vec::<Uuid>::new());
}

#[tokio::test]
async fn memberships_arrive_in_any_order_and_any_number_of_times() {
    let shop = Shop::open().await;
    let (erp, sync) = (&shop.erp, &shop.sync);
    let of = made(sync, "Regulars").await;
    let customers: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
    for customer in &customers {
        shop.new_customer(*customer).await;
    }
    let (stays, leaves, again) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let in_it = format!("/v1/customers?segment_id={of}&sort=name");
    // The end arrives before the beginning, and beside something new.
    let late = [
        member(leaves, 2, of, customers[1], true),
        member(stays, 1, of, customers[0], false),
    ];
    assert_eq!(apply(sync, &late).await, ["applied", "applied"]);
    let early = [member(leaves, 1, of, customers[1], false), late[1].clone()];
    assert_eq!(apply(sync, &early).await, ["unchanged", "unchanged"]);
    assert_eq!(listed(erp, &in_it).await, [customers[0]]);
    // It enters again: another membership.
    apply(sync, &[member(again, 1, of, customers[1], false)]).await;
    let mut now = listed(erp, &in_it).await;
    now.sort_unstable();
    let mut expected = customers[..2].to_vec();
    expected.sort_unstable();
    assert_eq!(now, expected);
    let members = format!("/v1/segments/{of}/members");
    assert_eq!(listed(erp, &members).await.len(), 2);
    assert_eq!(listed(erp, &format!("{members}?history=true")).await.len(), 3);
    let then = format!("{members}?at=2026-01-15T00:00:00Z&customer_id={}", customers[1]);
    assert_eq!(listed(erp, &then).await.len(), 2, "that it was in stays known");
    assert_eq!(
        listed(erp, &format!("/v1/segments?customer_id={}", customers[0])).await,
        [of]
    );
    assert_eq!(
        listed(erp, &format!("/v1/segments?customer_id={}", customers[2])).await,
        Vec::<Uuid>::new()
    );
    // A resync replaces whatever the version.
    let replaced = json!({ "items": [member(again, 1, of, customers[2], false)], "replace": true });
    sync.put(MEMBERS, replaced).await.expect(200);
    assert_eq!(
        listed(erp, &format!("/v1/segments?customer_id={}", customers[2])).await,
        [of]
    );
}

#[tokio::test]
async fn versions_that_arrive_at_once_end_in_the_newest() {
    let shop = Shop::open().await;
    let of = made(&shop.sync, "Regulars").await;
    let membership = Uuid::now_v7();
    let tries = (1..=32).map(|version| {
        let left = version % 2 == 0;
        let items = [member(membership, version, of, shop.customer, left)];
        let sync = shop.sync.clone();
        async move { apply(&sync, &items).await }
    });
    join_all(tries).await;
    let history = shop
        .erp
        .get(&format!("/v1/segments/{of}/members?history=true"))
        .await
        .expect(200);
    let shown = &history["items"][0];
    assert_eq!(
        (&shown["source_version"], shown["left_at"].is_string()),
        (&json!(32), true)
    );
    assert_eq!(history["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_missing_is_told_at_once_and_so_is_what_is_wrong() {
    let shop = Shop::open().await;
    let (of, unknown, one) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let told =
        json!({ "items": [member(one, 1, of, unknown, false), member(Uuid::now_v7(), 1, of, shop.customer, false)] });
    let problem = shop
        .sync
        .put(MEMBERS, told)
        .await
        .expect_problem(409, "reference_missing");
    let missing = json!([{ "type": "segment", "id": of }, { "type": "customer", "id": unknown }]);
    assert_eq!(problem["missing"], missing);
    let mut early = member(one, 1, of, shop.customer, true);
    early["left_at"] = json!("2025-01-01T00:00:00Z");
    let told = json!({ "items": [early, member(one, 1, of, shop.customer, false)] });
    let problem = shop.sync.put(MEMBERS, told).await.expect_problem(422, "invalid_input");
    let pointers: Vec<&Value> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| &fault["pointer"])
        .collect();
    assert_eq!(pointers, ["/items/0/left_at", "/items/1/id"]);
}

#[tokio::test]
async fn orders_are_found_by_segment_also_those_of_a_customer_that_became_part_of_a_member() {
    let mut shop = Shop::open().await;
    let product = shop.stocked("TEA", "100").await;
    let (gone, kept, other) = (shop.customer, Uuid::now_v7(), Uuid::now_v7());
    let of = made(&shop.sync, "Regulars").await;
    let mut orders = Vec::new();
    for customer in [gone, kept, other] {
        if customer != gone {
            shop.new_customer(customer).await;
        }
        shop.customer = customer;
        orders.push(id(&shop.confirmed(product, "1").await));
    }
    let membership = Uuid::now_v7();
    apply(&shop.sync, &[member(membership, 1, of, gone, false)]).await;
    let found = format!("/v1/sales-orders?segment_id={of}&sort=created_at");
    assert_eq!(listed(&shop.erp, &found).await, orders[..1]);
    // The CRM moves the membership; the order stays under its name.
    let mut part = replicated(2, "Alfreds");
    part["merged_into"] = json!(kept);
    shop.sync.put(&format!("/v1/customers/{gone}"), part).await.expect(200);
    apply(&shop.sync, &[member(membership, 2, of, kept, false)]).await;
    assert_eq!(listed(&shop.erp, &found).await, orders[..2]);
    assert_eq!(
        listed(&shop.erp, &format!("/v1/customers?segment_id={of}")).await,
        [kept]
    );
    apply(&shop.sync, &[member(membership, 3, of, kept, true)]).await;
    assert_eq!(listed(&shop.erp, &found).await, Vec::<Uuid>::new());
}

#[tokio::test]
async fn users_are_told_who_owns_segments() {
    let shop = Shop::open().await;
    let of = made(&shop.sync, "Regulars").await;
    let path = format!("/v1/segments/{of}");
    let office = shop.erp.new_key("back_office", &[]).await;
    let made = office
        .post("/v1/segments", json!({ "name": "Mine", "kind": "static" }))
        .await;
    let problem = made.expect_problem(409, "not_owner");
    assert_eq!(
        (&problem["owner"], &problem["owner_path"]),
        (&json!("crm"), &json!("/v1/segments"))
    );
    let renamed = office.patch_matching(&path, "\"1\"", json!({ "name": "Mine" })).await;
    assert_eq!(renamed.expect_problem(409, "not_owner")["owner_path"], json!(path));
    office
        .put(&path, segment(2, "Mine"))
        .await
        .expect_problem(409, "not_owner");
    let items = json!({ "items": [member(Uuid::now_v7(), 1, of, shop.customer, false)] });
    office
        .put(MEMBERS, items.clone())
        .await
        .expect_problem(409, "not_owner");
    let viewer = shop.erp.new_key("viewer", &[]).await;
    viewer.put(MEMBERS, items).await.expect_problem(403, "forbidden");
    assert_eq!(viewer.get(&path).await.expect(200)["name"], "Regulars");
}
