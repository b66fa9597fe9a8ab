//! A customer that turned out to be another one: two names, one debtor.

use crate::given;
use crate::receivables::days_ago;
use crate::shop::{Shop, id};
use futures_util::FutureExt;
use futures_util::future::join;
use serde_json::{Value, json};
use uuid::Uuid;

fn part(version: i64, into: Option<Uuid>) -> Value {
    json!({ "source_version": version, "name": "Acme", "kind": "company", "status": "archived", "merged_into": into,
            "legal_entities": [], "contacts": [], "addresses": [], "as_of": "2026-01-02T00:00:00Z" })
}

fn submitted(customer: Uuid, product: Uuid, price: &str) -> Value {
    json!({ "source_version": 1, "customer_id": customer, "currency": "USD", "order_date": "2026-01-05",
            "lines": [{ "id": Uuid::now_v7(), "product_id": product, "quantity": "1", "unit_price": price, "discount": "0" }] })
}

async fn customer(shop: &Shop, id: Uuid) -> Value {
    shop.erp.get(&format!("/v1/customers/{id}")).await.expect(200)
}

/// A owes 500 and submits 300 during the merge, B owes 200, limit 1,000: accepted once, exposure 1,000; 0.01 more is held.
#[tokio::test]
async fn the_worked_example_of_a_merge() {
    let mut shop = Shop::open().await;
    let product = shop.stocked("A", "50").await;
    let mut pairs = Vec::new();
    // Invoices are numbered in the order of their dates: the old ones of all rounds come first.
    for _ in 0..6 {
        let (a, b) = (Uuid::now_v7(), Uuid::now_v7());
        shop.customer = a;
        shop.new_customer(a).await;
        shop.free("invoice", "500", days_ago(40)).await;
        shop.customer = b;
        shop.new_customer(b).await;
        shop.free("invoice", "200", days_ago(40)).await;
        shop.limit_credit("1000").await;
        pairs.push((a, b));
    }
    for (round, (a, b)) in pairs.into_iter().enumerate() {
        shop.customer = b;
        let order_path = format!("/v1/sales-orders/{}", Uuid::now_v7());
        let order = submitted(a, product, "300.00");
        let merged_path = format!("/v1/customers/{a}");
        let merge = || shop.sync.put(&merged_path, part(2, Some(b))).boxed();
        let submit = || shop.sync.put(&order_path, order.clone()).boxed();
        // Each is delivered twice, and they race.
        let (one, other) = match round % 2 {
            0 => join(join(merge(), submit()), join(submit(), merge())).await,
            _ => join(join(submit(), merge()), join(submit(), merge())).await,
        };
        for reply in [&one.0, &one.1, &other.0, &other.1] {
            assert!(reply.status.is_success(), "{}", reply.body);
        }
        let accepted = shop.erp.get(&order_path).await.expect(200);
        assert_eq!(
            (&accepted["status"], &accepted["customer_id"]),
            (&json!("confirmed"), &json!(a))
        );
        for of in [a, b] {
            let card = customer(&shop, of).await;
            assert_eq!(
                (&card["exposure"], &card["open_balance"], &card["overdue_days"]),
                (&json!("1000.00"), &json!("700.00"), &json!(10)),
                "the card sums both"
            );
        }
        for of in [a, b] {
            let more = shop
                .sync
                .put(
                    &format!("/v1/sales-orders/{}", Uuid::now_v7()),
                    submitted(of, product, "0.01"),
                )
                .await
                .expect(201);
            assert_eq!(
                (&more["status"], &more["holds"][0]["code"]),
                (&json!("on_hold"), &json!("credit"))
            );
        }

        // The open order ends under A, and what it owes is B's to pay.
        let shipped = shop.erp.post(&format!("{order_path}/deliveries"), json!({})).await;
        assert_eq!(shipped.status, 201, "{}", shipped.body);
        let accepted = shop.erp.get(&order_path).await.expect(200);
        let invoice = shop.invoice(&accepted).await;
        assert_eq!(invoice["customer_id"], json!(a));
        let card = customer(&shop, b).await;
        assert_eq!(
            (&card["exposure"], &card["open_balance"]),
            (&json!("1000.00"), &json!("1000.00"))
        );
        let events = given::events(&shop.erp, "customer.credit_changed").await;
        let told = given::of(&events, &card);
        let (version, last) = *told.last().unwrap();
        assert_eq!(
            (version, &last["open_balance"]),
            (card["version"].as_i64().unwrap(), &json!("1000.00"))
        );
    }
}

#[tokio::test]
async fn a_merge_keeps_what_open_orders_need_and_a_chain_is_one_step() {
    let shop = Shop::open().await;
    let (a, b, c) = (shop.customer, Uuid::now_v7(), Uuid::now_v7());
    let path = format!("/v1/customers/{a}");
    let mut whole = part(2, None);
    whole["legal_entities"] = json!([{ "id": Uuid::nil(), "name": "Acme Inc." }]);
    shop.sync.put(&path, whole).await.expect(200);
    let missing = shop
        .sync
        .put(&path, part(3, Some(b)))
        .await
        .expect_problem(409, "reference_missing");
    assert_eq!(missing["missing"], json!([{ "type": "customer", "id": b }]));
    shop.new_customer(b).await;
    shop.new_customer(c).await;
    let merged = shop.sync.put(&path, part(3, Some(b))).await.expect(200);
    assert_eq!(
        (&merged["merged_into"], &merged["legal_entities"][0]["name"]),
        (&json!(b), &json!("Acme Inc."))
    );
    let again = shop.sync.put(&path, part(3, Some(b))).await.expect(200);
    assert_eq!(again["revision"], merged["revision"]);
    shop.sync
        .put(&format!("/v1/customers/{b}"), part(2, Some(c)))
        .await
        .expect(200);
    assert_eq!(customer(&shop, a).await["merged_into"], json!(c));

    // The terms of the survivor decide.
    let terms = json!({ "blocked": true });
    shop.erp.patch(&format!("/v1/customers/{c}"), terms).await.expect(200);
    let product = shop.stocked("A", "1").await;
    let late = shop
        .sync
        .put(
            &format!("/v1/sales-orders/{}", Uuid::now_v7()),
            submitted(a, product, "1"),
        )
        .await
        .expect(201);
    assert_eq!(
        (&late["status"], &late["rejection"][0]["code"]),
        (&json!("rejected"), &json!("customer_blocked"))
    );
}

#[tokio::test]
async fn the_tiers_of_a_customer_travel_with_their_dates() {
    let shop = Shop::open().await;
    for body in [
        json!({ "grade": "A", "tier": "gold" }),
        json!({ "grade": "B", "tier": "silver" }),
        json!({ "grade": "B", "tier": "bronze", "valid_from": "2999-01-01" }),
        json!({ "tier": "standard" }),
    ] {
        shop.erp.post("/v1/grade-tiers", body).await.expect(201);
    }
    let path = format!("/v1/customers/{}", shop.customer);
    let tiers = |customer: &Value| (customer["effective_tier"].clone(), customer["tiers"].clone());
    let plain = customer(&shop, shop.customer).await;
    assert_eq!(
        tiers(&plain),
        (json!("standard"), json!([{ "from": null, "tier": "standard" }]))
    );
    let mut graded = part(2, None);
    (graded["grade"], graded["grade_effective_from"]) = (json!("B"), json!("2026-01-01"));
    let silver = shop.sync.put(&path, graded).await.expect(200);
    let dated = json!([{ "from": null, "tier": "standard" }, { "from": "2026-01-01", "tier": "silver" },
                       { "from": "2999-01-01", "tier": "bronze" }]);
    assert_eq!(tiers(&silver), (json!("silver"), dated));
    assert_eq!(
        silver["version"],
        json!(plain["version"].as_i64().unwrap() + 1),
        "another tier is the ERP's to tell"
    );
    let events = given::events(&shop.erp, "customer.credit_changed").await;
    assert_eq!(
        given::of(&events, &silver).last().unwrap().1["effective_tier"],
        "silver"
    );
    let manual = json!({ "tier": "special", "tier_valid_to": "2998-12-31" });
    let special = shop.erp.patch(&path, manual).await.expect(200);
    assert_eq!(
        tiers(&special),
        (
            json!("special"),
            json!([{ "from": null, "tier": "special" }, { "from": "2999-01-01", "tier": "bronze" }])
        )
    );
    let listed = shop.erp.get("/v1/customers").await.expect(200);
    assert_eq!(listed["items"][0]["tiers"], special["tiers"]);
    assert_eq!(id(&special), shop.customer);
}
