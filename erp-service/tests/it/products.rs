use crate::given;
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn a_product_is_made_found_and_emitted() {
    let service = given::erp().await;
    let erp = &service.client;
    let category = given::category(erp, "Beverages").await;
    let body = json!({
        "sku": "CHAI-10", "name": "Chai", "description": "10 boxes × 20 bags", "kind": "goods", "unit": "box",
        "category_id": category["id"], "external_ref": "1"
    });
    let reply = erp.post("/v1/products", body.clone()).await;
    let (location, etag) = (reply.headers["location"].to_str().unwrap().to_owned(), reply.etag());
    let made = reply.expect(201);
    assert_eq!(location, given::path("products", &made));
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(made[field], *value, "{field}");
    }
    assert_eq!(
        (&made["status"], &made["category_name"], &made["version"]),
        (&json!("active"), &json!("Beverages"), &json!(1))
    );
    let read = erp.get(&location).await;
    assert_eq!(read.etag(), etag);
    assert_eq!(read.expect(200), made);
    let events = given::events(erp, "product.changed").await;
    assert_eq!(given::of(&events, &made), [(1, &made)]);
}

#[tokio::test]
async fn every_fault_is_named_at_once() {
    let service = given::erp().await;
    let erp = &service.client;
    let body = json!({ "sku": "", "name": "n".repeat(201), "kind": "thing", "unit": 7, "colour": "red" });
    let problem = erp
        .post("/v1/products", body)
        .await
        .expect_problem(422, "invalid_input");
    let mut faults = given::faults(&problem);
    faults.sort_unstable();
    faults.dedup_by_key(|(pointer, _)| *pointer);
    assert_eq!(
        faults,
        [
            ("/colour", "unknown_field"),
            ("/kind", "unknown_value"),
            ("/name", "too_long"),
            ("/sku", "bad_format"),
            ("/unit", "wrong_type"),
        ]
    );
    let body = json!({ "sku": "A", "name": "A", "kind": "goods", "unit": "furlong", "category_id": Uuid::now_v7() });
    let problem = erp
        .post("/v1/products", body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [("/unit", "unknown_unit"), ("/category_id", "unknown_category")]
    );
    assert_eq!(erp.get("/v1/products").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn sku_id_and_external_ref_are_unique() {
    let service = given::erp().await;
    let erp = &service.client;
    let mut first = given::product_in("A");
    first["external_ref"] = json!("1");
    let first = erp.post("/v1/products", first).await.expect(201);
    let problem = erp.post("/v1/products", given::product_in("A")).await;
    let problem = problem.expect_problem(409, "duplicate");
    assert_eq!(given::faults(&problem), [("/sku", "duplicate")]);
    let mut second = given::product_in("B");
    second["external_ref"] = json!("1");
    let problem = erp.post("/v1/products", second).await.expect_problem(409, "duplicate");
    assert_eq!(given::faults(&problem), [("/external_ref", "duplicate")]);
    let mut third = given::product_in("C");
    third["id"] = first["id"].clone();
    let problem = erp.post("/v1/products", third).await.expect_problem(409, "duplicate");
    assert_eq!(given::faults(&problem), [("/id", "duplicate")]);
    // SKUs tell upper from lower case, as people do who print them.
    erp.post("/v1/products", given::product_in("a")).await.expect(201);
}

#[tokio::test]
async fn search_looks_in_sku_and_name_and_takes_signs_literally() {
    let service = given::erp().await;
    let erp = &service.client;
    for (sku, name) in [
        ("TEA-1", "Chai"),
        ("X-2", "Green tea 100%"),
        ("Y_3", "Coffee"),
        ("Z-4", "茶"),
    ] {
        let mut body = given::product_in(sku);
        body["name"] = json!(name);
        erp.post("/v1/products", body).await.expect(201);
    }
    for (query, expected) in [
        ("q=tea&sort=sku", vec!["TEA-1", "X-2"]),
        ("q=TEA-1", vec!["TEA-1"]),
        ("q=100%25", vec!["X-2"]),
        ("q=%25", vec!["X-2"]),
        ("q=_", vec!["Y_3"]),
        ("q=%E8%8C%B6", vec!["Z-4"]),
        ("q=%5C", vec![]),
        ("sku=X-2", vec!["X-2"]),
        ("sku=x", vec![]),
        ("status=retired", vec![]),
        ("sort=-sku", vec!["Z-4", "Y_3", "X-2", "TEA-1"]),
    ] {
        let page = erp.get(&format!("/v1/products?{query}")).await.expect(200);
        assert_eq!(skus(&page), expected, "{query}");
    }
}

fn skus(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().into_iter().flatten();
    items.map(|item| item["sku"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_merge_patch_tells_absent_from_null() {
    let service = given::erp().await;
    let erp = &service.client;
    let category = given::category(erp, "Tea").await;
    let mut body = given::product_in("A");
    body["description"] = json!("first");
    body["category_id"] = category["id"].clone();
    let made = erp.post("/v1/products", body).await.expect(201);
    let path = given::path("products", &made);
    let renamed = erp.patch(&path, json!({ "name": "New" })).await.expect(200);
    assert_eq!(
        (&renamed["name"], &renamed["description"], &renamed["category_name"]),
        (&json!("New"), &json!("first"), &json!("Tea"))
    );
    let cleared = json!({ "description": null, "category_id": null });
    let cleared = erp.patch(&path, cleared).await.expect(200);
    assert_eq!(
        (
            &cleared["description"],
            &cleared["category_id"],
            &cleared["category_name"]
        ),
        (&json!(null), &json!(null), &json!(null))
    );
    erp.patch(&path, json!({ "name": null }))
        .await
        .expect_problem(422, "wrong_type");
    // A patch that changes nothing is no change.
    let same = erp.patch(&path, json!({ "name": "New" })).await.expect(200);
    assert_eq!(same, cleared);
    let events = given::events(erp, "product.changed").await;
    let versions: Vec<i64> = given::of(&events, &made)
        .into_iter()
        .map(|(version, _)| version)
        .collect();
    assert_eq!(versions, [1, 2, 3]);
}

#[tokio::test]
async fn a_product_retires_and_comes_back() {
    let service = given::erp().await;
    let erp = &service.client;
    let made = given::product(erp, "A").await;
    let path = given::path("products", &made);
    let (retire, reactivate) = (format!("{path}/retire"), format!("{path}/reactivate"));
    let problem = erp.send(erp.request(reqwest::Method::POST, &reactivate)).await;
    let problem = problem.expect_problem(409, "illegal_transition");
    assert_eq!(
        (&problem["state"], &problem["allowed_actions"]),
        (&json!("active"), &json!(["retire"]))
    );
    let retired = erp.send(erp.request(reqwest::Method::POST, &retire)).await.expect(200);
    assert_eq!(
        (&retired["status"], &retired["version"]),
        (&json!("retired"), &json!(2))
    );
    let problem = erp.send(erp.request(reqwest::Method::POST, &retire)).await;
    problem.expect_problem(409, "illegal_transition");
    let page = erp.get("/v1/products?status=retired").await.expect(200);
    assert_eq!(page["items"], json!([retired]));
    let stale = erp
        .request(reqwest::Method::POST, &reactivate)
        .header("If-Match", "\"1\"");
    erp.send(stale).await.expect_problem(412, "stale");
    let back = erp
        .send(erp.request(reqwest::Method::POST, &reactivate))
        .await
        .expect(200);
    assert_eq!(back["status"], "active");
    let nobody = format!("/v1/products/{}/retire", Uuid::now_v7());
    erp.send(erp.request(reqwest::Method::POST, &nobody))
        .await
        .expect_problem(404, "not_found");
}

#[tokio::test]
async fn many_identical_puts_make_one_product() {
    let service = given::erp().await;
    let erp = &service.client;
    let path = format!("/v1/products/{}", Uuid::now_v7());
    let puts = (0..16).map(|_| erp.put(&path, given::product_in("A")));
    let mut statuses: Vec<u16> = join_all(puts).await.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    let mut expected = vec![200; 15];
    expected.push(201);
    assert_eq!(statuses, expected);
    assert_eq!(given::events(erp, "product.changed").await.len(), 1);
}

#[tokio::test]
async fn the_etag_covers_the_name_of_the_category() {
    let service = given::erp().await;
    let erp = &service.client;
    let category = given::category(erp, "Tea").await;
    let mut body = given::product_in("A");
    body["category_id"] = category["id"].clone();
    let made = erp.post("/v1/products", body).await.expect(201);
    let path = given::path("products", &made);
    let etag = erp.get(&path).await.etag();
    let conditional = || erp.request(reqwest::Method::GET, &path).header("If-None-Match", &etag);
    assert_eq!(erp.send(conditional()).await.status.as_u16(), 304);
    let renamed = json!({ "name": "Teas" });
    erp.patch(&given::path("categories", &category), renamed)
        .await
        .expect(200);
    let fresh = erp.send(conditional()).await.expect(200);
    assert_eq!(fresh["category_name"], "Teas");
    // The product itself is what it was, so a change based on the old tag is not stale.
    erp.patch_matching(&path, &etag, json!({ "name": "Chai" }))
        .await
        .expect(200);
    // And renaming a category emits no product.
    assert_eq!(given::events(erp, "product.changed").await.len(), 2);
}

#[tokio::test]
async fn common_units_are_there_and_others_can_be_added() {
    let service = given::erp().await;
    let erp = &service.client;
    let page = erp.get("/v1/units?limit=500").await.expect(200);
    let codes: Vec<&str> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unit| unit["code"].as_str().unwrap())
        .collect();
    for code in [
        "pcs", "kg", "g", "t", "l", "ml", "m", "m2", "m3", "h", "day", "box", "pack", "pair", "set", "pallet",
        "service",
    ] {
        assert!(codes.contains(&code), "{code} is missing in {codes:?}");
    }
    let crate_ = json!({ "code": "crate", "name": "crate of 24" });
    let reply = erp.post("/v1/units", crate_.clone()).await;
    let location = reply.headers["location"].to_str().unwrap().to_owned();
    let made = reply.expect(201);
    assert_eq!(erp.get(&location).await.expect(200), made);
    erp.post("/v1/units", crate_).await.expect_problem(409, "duplicate");
    let mut product = given::product_in("A");
    product["unit"] = json!("crate");
    assert_eq!(erp.post("/v1/products", product).await.expect(201)["unit"], "crate");
}
