use crate::given;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn there_is_one_base_list_a_currency_and_one_list_a_tier() {
    let service = given::erp().await;
    let erp = &service.client;
    given::price_list(erp, None, "USD").await;
    given::price_list(erp, None, "EUR").await;
    given::price_list(erp, Some("A"), "USD").await;
    given::price_list(erp, Some("B"), "USD").await;
    for body in [
        json!({ "name": "Second base", "currency": "USD" }),
        json!({ "name": "Second base", "currency": "USD", "tier": null }),
        json!({ "name": "Second A", "currency": "USD", "tier": "A" }),
    ] {
        erp.post("/v1/price-lists", body).await.expect_problem(409, "duplicate");
    }
    let unknown = json!({ "name": "Gold", "currency": "XYZ" });
    let problem = erp
        .post("/v1/price-lists", unknown)
        .await
        .expect_problem(422, "unknown_value");
    assert_eq!(given::faults(&problem), [("/currency", "unknown_value")]);
    let lists = erp.get("/v1/price-lists?currency=USD&sort=name").await.expect(200);
    let names: Vec<&Value> = lists["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|list| &list["name"])
        .collect();
    assert_eq!(names, ["A USD", "B USD", "Base USD"]);
    let lists = erp.get("/v1/price-lists?tier=A").await.expect(200);
    assert_eq!(lists["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_price_carries_its_list_and_is_emitted() {
    let service = given::erp().await;
    let erp = &service.client;
    let product = given::product(erp, "A").await;
    let list = given::price_list(erp, Some("A"), "USD").await;
    let body = json!({ "product_id": product["id"], "unit_price": "9.80", "minimum_quantity": "10", "valid_from": "2026-07-01" });
    let reply = erp
        .post(&format!("{}/prices", given::path("price-lists", &list)), body)
        .await;
    let location = reply.headers["location"].to_str().unwrap().to_owned();
    let made = reply.expect(201);
    assert_eq!(erp.get(&location).await.expect(200), made);
    for (field, value) in [
        ("price_list_id", list["id"].clone()),
        ("price_list_name", json!("A USD")),
        ("currency", json!("USD")),
        ("tier", json!("A")),
        ("product_id", product["id"].clone()),
        ("unit_price", json!("9.8")),
        ("minimum_quantity", json!("10")),
        ("valid_from", json!("2026-07-01")),
        ("valid_to", json!(null)),
        ("version", json!(1)),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    let of_list = erp
        .get(&format!("{}/prices", given::path("price-lists", &list)))
        .await
        .expect(200);
    assert_eq!(of_list["items"], json!([made]));
    let of_product = format!("/v1/prices?product_id={}", product["id"].as_str().unwrap());
    assert_eq!(erp.get(&of_product).await.expect(200)["items"], json!([made]));
    let events = given::events(erp, "price.changed").await;
    assert_eq!(given::of(&events, &made), [(1, &made)]);
}

#[tokio::test]
async fn ties_are_refused_when_saved() {
    let service = given::erp().await;
    let erp = &service.client;
    let (product, other) = (given::product(erp, "A").await, given::product(erp, "B").await);
    let list = given::price_list(erp, None, "USD").await;
    let prices = format!("{}/prices", given::path("price-lists", &list));
    let add = |product: &Value, minimum: Option<&str>, from: Option<&str>| {
        let mut body = json!({ "product_id": product["id"], "unit_price": "1" });
        if let Some(minimum) = minimum {
            body["minimum_quantity"] = json!(minimum);
        }
        if let Some(from) = from {
            body["valid_from"] = json!(from);
        }
        erp.post(&prices, body)
    };
    add(&product, None, None).await.expect(201);
    add(&product, Some("0"), None)
        .await
        .expect_problem(409, "duplicate_price");
    add(&product, Some("0.000"), None)
        .await
        .expect_problem(409, "duplicate_price");
    add(&product, None, Some("2026-01-01")).await.expect(201);
    add(&product, None, Some("2026-01-01"))
        .await
        .expect_problem(409, "duplicate_price");
    add(&product, Some("2"), Some("2026-01-01")).await.expect(201);
    add(&other, None, None).await.expect(201);
}

#[tokio::test]
async fn every_fault_of_a_price_is_named() {
    let service = given::erp().await;
    let erp = &service.client;
    let product = given::product(erp, "A").await;
    let list = given::price_list(erp, None, "USD").await;
    let prices = format!("{}/prices", given::path("price-lists", &list));
    let body = json!({ "product_id": Uuid::now_v7(), "unit_price": "1", "valid_from": "2026-02-01", "valid_to": "2026-01-31" });
    let problem = erp.post(&prices, body).await.expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [("/product_id", "unknown_product"), ("/valid_to", "out_of_range")]
    );
    for (price, code) in [
        ("-1", "out_of_range"),
        ("1e5", "bad_format"),
        ("1.00001", "out_of_range"),
        ("123456789", "out_of_range"),
    ] {
        let body = json!({ "product_id": product["id"], "unit_price": price });
        let reply = erp.post(&prices, body).await;
        assert_eq!(reply.status.as_u16(), 422, "{price}: {}", reply.body);
        assert_eq!(given::faults(&reply.body)[0], ("/unit_price", code), "{price}");
    }
    let nowhere = format!("/v1/price-lists/{}/prices", Uuid::now_v7());
    let body = json!({ "product_id": product["id"], "unit_price": "1" });
    erp.post(&nowhere, body).await.expect_problem(404, "not_found");
    assert_eq!(erp.get("/v1/prices").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_price_is_changed_and_ended_with_if_match() {
    let service = given::erp().await;
    let erp = &service.client;
    let product = given::product(erp, "A").await;
    let list = given::price_list(erp, None, "USD").await;
    let facts = json!({ "unit_price": "9.50", "valid_from": "2026-01-01" });
    let price = given::price(erp, &list, &product, facts).await;
    let path = given::path("prices", &price);
    let blind = erp
        .request(reqwest::Method::PATCH, &path)
        .json(&json!({ "unit_price": "9" }));
    erp.send(blind).await.expect_problem(428, "precondition_required");
    let changed = erp.patch(&path, json!({ "unit_price": "9" })).await.expect(200);
    assert_eq!((&changed["unit_price"], &changed["version"]), (&json!("9"), &json!(2)));
    let stale = erp.patch_matching(&path, "\"1\"", json!({ "unit_price": "8" })).await;
    let problem = stale.expect_problem(412, "stale");
    assert_eq!(problem["changed_fields"], json!(["unit_price"]));
    let ended = erp.patch(&path, json!({ "valid_to": "2026-06-30" })).await.expect(200);
    assert_eq!(ended["valid_to"], "2026-06-30");
    let before = erp.patch(&path, json!({ "valid_to": "2025-12-31" })).await;
    let problem = before.expect_problem(422, "out_of_range");
    assert_eq!(given::faults(&problem), [("/valid_to", "out_of_range")]);
    let open = erp.patch(&path, json!({ "valid_to": null })).await.expect(200);
    assert_eq!(open["valid_to"], json!(null));
    let moved = erp.patch(&path, json!({ "product_id": Uuid::now_v7() })).await;
    moved.expect_problem(422, "unknown_field");
    let events = given::events(erp, "price.changed").await;
    let versions: Vec<i64> = given::of(&events, &price)
        .into_iter()
        .map(|(version, _)| version)
        .collect();
    assert_eq!(versions, [1, 2, 3, 4]);
}

#[tokio::test]
async fn renaming_a_list_emits_its_prices_again() {
    let service = given::erp().await;
    let erp = &service.client;
    let product = given::product(erp, "A").await;
    let list = given::price_list(erp, None, "USD").await;
    let price = given::price(erp, &list, &product, json!({ "unit_price": "1" })).await;
    let renamed = json!({ "name": "Retail" });
    erp.patch(&given::path("price-lists", &list), renamed).await.expect(200);
    let shown = erp.get(&given::path("prices", &price)).await.expect(200);
    assert_eq!(
        (&shown["price_list_name"], &shown["version"]),
        (&json!("Retail"), &json!(2))
    );
    let events = given::events(erp, "price.changed").await;
    assert_eq!(given::of(&events, &price).last(), Some(&(2, &shown)));
    let frozen = erp
        .patch(&given::path("price-lists", &list), json!({ "currency": "EUR" }))
        .await;
    frozen.expect_problem(422, "unknown_field");
}
