//! Which price an order gets: the customer's own, its tier's by the grade of the order's day, or the base list's.

use crate::given;
use crate::shop::{Shop, id};
use serde_json::{Value, json};
use uuid::Uuid;

/// The CRM tells a grade and since when.
async fn graded(shop: &Shop, version: i64, grade: &str, since: &str) {
    let body = json!({
        "source_version": version, "name": "Alfreds Futterkiste", "kind": "company", "status": "active",
        "grade": grade, "grade_effective_from": since,
        "legal_entities": [], "contacts": [], "addresses": [], "as_of": "2026-01-01T00:00:00Z"
    });
    let path = format!("/v1/customers/{}", shop.customer);
    shop.sync.put(&path, body).await.expect(200);
}

async fn price_in(shop: &Shop, list: Value, product: Uuid, unit_price: &str) -> Value {
    let list = shop.erp.post("/v1/price-lists", list).await.expect(201);
    let path = format!("/v1/price-lists/{}/prices", id(&list));
    let price = json!({"product_id": product, "unit_price": unit_price});
    shop.erp.post(&path, price).await.expect(201)
}

async fn means(shop: &Shop, grade: Value, tier: &str) -> Value {
    let body = json!({"grade": grade, "tier": tier});
    shop.erp.post("/v1/grade-tiers", body).await.expect(201)
}

/// The first line of an order of a day.
async fn ordered(shop: &Shop, date: &str, line: Value) -> Value {
    let mut order = shop.order(json!([line]));
    order["order_date"] = json!(date);
    let order = shop.erp.post("/v1/sales-orders", order).await.expect(201);
    order["lines"][0].clone()
}

#[tokio::test]
async fn the_worked_example_price_and_tier() {
    let shop = Shop::open().await;
    let product = shop.stocked("P", "100").await;
    price_in(
        &shop,
        json!({"name": "B", "currency": "USD", "tier": "silver"}),
        product,
        "9.50",
    )
    .await;
    price_in(
        &shop,
        json!({"name": "A", "currency": "USD", "tier": "gold"}),
        product,
        "9.00",
    )
    .await;
    means(&shop, json!("B"), "silver").await;
    means(&shop, json!("A"), "gold").await;
    // B to 30 June, A from 1 July.
    graded(&shop, 2, "B", "2026-01-01").await;
    graded(&shop, 3, "A", "2026-07-01").await;
    let line = json!({"product_id": product, "quantity": "1"});
    // An order dated 30 June, entered in July: 9.50.
    assert_eq!(ordered(&shop, "2026-06-30", line.clone()).await["unit_price"], "9.5");
    // An order of 1 July: 9.00.
    let july = ordered(&shop, "2026-07-01", line).await;
    assert_eq!(july["unit_price"], "9");
    assert_eq!(july["price_explanation"], "9 from the price list \"A\" of tier gold");
    // A quote sent 28 June, accepted 5 July: 9.50 was promised.
    let promised = json!({"product_id": product, "quantity": "1", "unit_price": "9.50"});
    let kept = ordered(&shop, "2026-07-05", promised).await;
    assert_eq!(
        (&kept["unit_price"], &kept["list_price"], &kept["price_differs"]),
        (&json!("9.5"), &json!("9"), &json!(true))
    );
    // Quoted the same, for the same day.
    let quote = json!({"customer_id": shop.customer, "currency": "USD", "date": "2026-06-30",
        "lines": [{"product_id": product, "quantity": "1"}]});
    let quoted = shop.erp.post("/v1/price-quotes", quote).await.expect(200);
    assert_eq!(
        (&quoted["tier"], &quoted["lines"][0]["unit_price"]),
        (&json!("silver"), &json!("9.5"))
    );
}

#[tokio::test]
async fn a_later_grade_that_the_crm_takes_back_is_forgotten() {
    let shop = Shop::open().await;
    let product = shop.stocked("P", "100").await;
    price_in(
        &shop,
        json!({"name": "B", "currency": "USD", "tier": "silver"}),
        product,
        "9.50",
    )
    .await;
    price_in(
        &shop,
        json!({"name": "A", "currency": "USD", "tier": "gold"}),
        product,
        "9.00",
    )
    .await;
    means(&shop, json!("B"), "silver").await;
    means(&shop, json!("A"), "gold").await;
    graded(&shop, 2, "A", "2026-07-01").await;
    graded(&shop, 3, "B", "2026-01-01").await;
    let line = json!({"product_id": product, "quantity": "1"});
    assert_eq!(ordered(&shop, "2026-07-05", line).await["unit_price"], "9.5");
}

#[tokio::test]
async fn a_manual_tier_goes_before_the_grade_and_the_default_comes_last() {
    let shop = Shop::open().await;
    let product = shop.stocked("P", "100").await;
    for (tier, price) in [("manual", "8"), ("gold", "9"), ("default", "10")] {
        price_in(
            &shop,
            json!({"name": tier, "currency": "USD", "tier": tier}),
            product,
            price,
        )
        .await;
    }
    let line = json!({"product_id": product, "quantity": "1"});
    means(&shop, Value::Null, "default").await;
    assert_eq!(ordered(&shop, "2026-06-01", line.clone()).await["unit_price"], "10");
    means(&shop, json!("A"), "gold").await;
    graded(&shop, 2, "A", "2026-07-01").await;
    assert_eq!(ordered(&shop, "2026-07-01", line.clone()).await["unit_price"], "9");
    let terms = json!({"tier": "manual", "tier_reason": "anniversary", "tier_valid_to": "2026-08-31"});
    let path = format!("/v1/customers/{}", shop.customer);
    let shown = shop.erp.patch(&path, terms).await.expect(200);
    assert_eq!(shown["tier_valid_to"], "2026-08-31");
    assert_eq!(ordered(&shop, "2026-08-31", line.clone()).await["unit_price"], "8");
    assert_eq!(ordered(&shop, "2026-09-01", line).await["unit_price"], "9");
    // Without a tier there is nothing that could end.
    let gone = shop.erp.patch(&path, json!({"tier": null})).await.expect(200);
    assert_eq!(gone["tier_valid_to"], Value::Null);
    shop.erp
        .patch(&path, json!({"tier_valid_to": "2026-08-31"}))
        .await
        .expect_problem(422, "reason_without_cause");
}

#[tokio::test]
async fn a_customers_own_price_goes_first_and_says_so() {
    let shop = Shop::open().await;
    let product = shop.stocked("P", "100").await;
    price_in(&shop, json!({"name": "Base", "currency": "USD"}), product, "12").await;
    price_in(
        &shop,
        json!({"name": "Gold", "currency": "USD", "tier": "gold"}),
        product,
        "9",
    )
    .await;
    let own = json!({"name": "Agreed in May", "currency": "USD", "customer_id": shop.customer});
    let price = price_in(&shop, own.clone(), product, "10.50").await;
    means(&shop, Value::Null, "gold").await;
    assert_eq!(
        (&price["customer_id"], &price["tier"]),
        (&json!(shop.customer), &Value::Null)
    );
    let line = json!({"product_id": product, "quantity": "1"});
    let first = ordered(&shop, "2026-06-01", line.clone()).await;
    assert_eq!(
        (&first["unit_price"], &first["price_explanation"]),
        (
            &json!("10.5"),
            &json!("10.5 from the customer's own price list \"Agreed in May\"")
        )
    );
    // Another customer gets its tier's.
    let other = Uuid::now_v7();
    shop.new_customer(other).await;
    let mut order = shop.order(json!([line]));
    order["customer_id"] = json!(other);
    let order = shop.erp.post("/v1/sales-orders", order).await.expect(201);
    assert_eq!(order["lines"][0]["unit_price"], "9");
    let quote =
        json!({"customer_id": shop.customer, "currency": "USD", "lines": [{"product_id": product, "quantity": "1"}]});
    let quoted = shop.erp.post("/v1/price-quotes", quote).await.expect(200);
    let reasons: Vec<&str> = quoted["lines"][0]["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|candidate| candidate["reason"].as_str().unwrap())
        .collect();
    assert_eq!(
        reasons,
        [
            "goes first of those that hold",
            "the customer's own list goes first",
            "the customer's own list goes first"
        ]
    );
    // One list a customer and currency, for a customer that exists, and not for a tier as well.
    shop.erp
        .post("/v1/price-lists", own.clone())
        .await
        .expect_problem(409, "duplicate");
    let mut stranger = own.clone();
    stranger["customer_id"] = json!(Uuid::now_v7());
    shop.erp
        .post("/v1/price-lists", stranger)
        .await
        .expect_problem(422, "unknown_customer");
    let mut both = own;
    both["tier"] = json!("gold");
    shop.erp
        .post("/v1/price-lists", both)
        .await
        .expect_problem(422, "ambiguous");
    let events = given::events(&shop.erp, "price.changed").await;
    let told = given::of(&events, &price);
    assert_eq!(told[0].1["customer_id"], json!(shop.customer));
}

#[tokio::test]
async fn grade_tiers_are_listed_corrected_and_unique() {
    let shop = Shop::open().await;
    let made = means(&shop, json!("A"), "gold").await;
    let again = json!({"grade": "A", "tier": "silver"});
    shop.erp
        .post("/v1/grade-tiers", again.clone())
        .await
        .expect_problem(409, "duplicate");
    let mut later = again;
    later["valid_from"] = json!("2026-07-01");
    shop.erp.post("/v1/grade-tiers", later).await.expect(201);
    let page = shop.erp.get("/v1/grade-tiers?grade=A").await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let path = format!("/v1/grade-tiers/{}", id(&made));
    let changed = shop.erp.patch(&path, json!({"tier": "platinum"})).await.expect(200);
    assert_eq!(
        (&changed["tier"], &changed["revision"]),
        (&json!("platinum"), &json!(2))
    );
    assert_eq!(shop.erp.get(&path).await.expect(200), changed);
}
