//! Categories, products and prices as the sync tells them.

use crate::sales::{AS_OF, merge, new_id, price, product, tell_price};
use crate::support::{crm, id};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

fn category(version: i64, name: &str) -> Value {
    json!({ "source_version": version, "as_of": AS_OF, "name": name, "description": null, "parent_id": null, "external_ref": null })
}

#[actix_web::test]
async fn a_product_is_complete_before_anything_else_is_known() {
    let crm = crm().await;
    let path = format!("/v1/products/{}", new_id());
    let reply = crm.integration().put(&path, product(7, "CHAI", "Chai")).await;
    assert_eq!(reply.headers["location"], path.as_str());
    let made = reply.expect(201);
    assert_eq!(
        made["availability"],
        json!({ "on_hand": "0", "reserved": "0", "available": "0", "incoming": [], "as_of": null, "warehouses": [] })
    );
    assert_eq!(made["prices"], json!([]));
    assert_eq!((&made["source_version"], &made["as_of"]), (&json!(7), &json!(AS_OF)));
    assert_eq!(crm.client.get(&path).await.expect(200), made);
    let trail = crm
        .client
        .get(&format!("/v1/audit-log?subject={}", id(&made)))
        .await
        .expect(200);
    assert_eq!(trail["items"][0]["changes"]["sku"]["to"], "CHAI");
}

#[actix_web::test]
async fn parts_may_arrive_before_their_product() {
    let crm = crm().await;
    let (sync, product_id, category_id) = (crm.integration(), new_id(), new_id());
    let price_id = tell_price(&sync, &product_id, "18.0000", json!({})).await;
    let mut told = product(1, "CHAI", "Chai");
    told["category_id"] = json!(category_id);
    told["category_name"] = json!("Drinks");
    let path = format!("/v1/products/{product_id}");
    let made = sync.put(&path, told).await.expect(201);
    assert_eq!(made["prices"][0]["id"], price_id.as_str());
    assert_eq!(made["prices"][0]["unit_price"], "18");
    assert_eq!(made["category_name"], "Drinks", "as told with the product");

    let before = crm.client.get(&path).await.etag();
    sync.put(&format!("/v1/categories/{category_id}"), category(1, "Beverages"))
        .await
        .expect(201);
    let now = crm.client.get(&path).await;
    assert_ne!(now.etag(), before);
    assert_eq!(
        now.expect(200)["category_name"],
        "Beverages",
        "as the category is called"
    );
}

#[actix_web::test]
async fn the_newest_version_wins_in_any_order() {
    let crm = crm().await;
    let sync = crm.integration();
    let cases = [
        (format!("/v1/products/{}", new_id()), product(0, "A", "name")),
        (format!("/v1/categories/{}", new_id()), category(0, "name")),
        (format!("/v1/prices/{}", new_id()), price(&new_id(), "1", &json!({}))),
    ];
    for (path, body) in cases {
        let field = if path.contains("prices") {
            "price_list_name"
        } else {
            "name"
        };
        let told = |version: i64, name: &str, replace: bool| {
            let mut told = body.clone();
            merge(
                &mut told,
                &json!({ "source_version": version, "replace": replace, field: name }),
            );
            told
        };
        let newest = sync.put(&path, told(5, "five", false)).await.expect(201);
        for version in [4, 5, 1] {
            let stored = sync.put(&path, told(version, "older", false)).await.expect(200);
            assert_eq!(stored, newest, "{path} version {version} is not newer");
        }
        let six = sync.put(&path, told(6, "six", false)).await.expect(200);
        assert_eq!((&six[field], &six["revision"]), (&json!("six"), &json!(2)));
        let reset = sync.put(&path, told(2, "two", true)).await.expect(200);
        assert_eq!((&reset[field], &reset["source_version"]), (&json!("two"), &json!(2)));
        let again = sync.put(&path, told(2, "two", true)).await.expect(200);
        assert_eq!(again, reset, "{path}: a resync of what is stored changes nothing");
    }
}

#[actix_web::test]
async fn one_record_told_by_many_at_once_ends_in_the_newest() {
    let crm = crm().await;
    let (sync, path) = (crm.integration(), format!("/v1/products/{}", new_id()));
    let told = (1..=16).map(|version| {
        let (sync, path) = (sync.clone(), path.clone());
        async move {
            let body = product(version, "P", &format!("version {version}"));
            sync.put(&path, body).await.status.as_u16()
        }
    });
    let statuses = join_all(told).await;
    assert!(
        statuses.iter().all(|status| [200, 201].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1);
    let stored = crm.client.get(&path).await.expect(200);
    assert_eq!(stored["name"], "version 16");
}

#[actix_web::test]
async fn a_change_of_prices_changes_the_etag_of_the_product() {
    let crm = crm().await;
    let (sync, product_id) = (crm.integration(), new_id());
    let path = format!("/v1/products/{product_id}");
    let first = sync.put(&path, product(1, "P", "P")).await.etag();
    let price_id = tell_price(&sync, &product_id, "1", json!({})).await;
    let second = crm.client.get(&path).await.etag();
    let changed = price(&product_id, "2", &json!({ "source_version": 2 }));
    sync.put(&format!("/v1/prices/{price_id}"), changed).await.expect(200);
    let third = crm.client.get(&path).await.etag();
    assert!(
        first != second && second != third && first != third,
        "{first} {second} {third}"
    );
    let request = crm.client.request(Method::GET, &path).header("If-None-Match", &third);
    assert_eq!(crm.client.send(request).await.status, 304);
}

#[actix_web::test]
async fn the_catalogue_is_changed_in_the_erp() {
    let crm = crm().await;
    let nobody = new_id();
    for (method, path, owner_path) in [
        (Method::POST, "/v1/products".to_owned(), "/v1/products".to_owned()),
        (Method::POST, "/v1/categories".to_owned(), "/v1/categories".to_owned()),
        (
            Method::POST,
            "/v1/prices".to_owned(),
            "/v1/price-lists/{id}/prices".to_owned(),
        ),
        (
            Method::PATCH,
            format!("/v1/products/{nobody}"),
            format!("/v1/products/{nobody}"),
        ),
        (
            Method::PATCH,
            format!("/v1/categories/{nobody}"),
            format!("/v1/categories/{nobody}"),
        ),
        (
            Method::PATCH,
            format!("/v1/prices/{nobody}"),
            format!("/v1/prices/{nobody}"),
        ),
    ] {
        let sales = crm.client.new_key("sales", &[]).await;
        let request = sales.request(method, &path).json(&json!({ "name": "mine" }));
        let problem = sales.send(request).await.expect_problem(409, "not_owner");
        assert_eq!(
            (&problem["owner"], &problem["owner_path"]),
            (&json!("erp"), &json!(owner_path))
        );
    }
    for (path, body) in [
        (format!("/v1/products/{nobody}"), product(1, "A", "A")),
        (format!("/v1/categories/{nobody}"), category(1, "A")),
        (format!("/v1/prices/{nobody}"), price(&nobody, "1", &json!({}))),
    ] {
        crm.client
            .put(&path, body.clone())
            .await
            .expect_problem(409, "not_owner");
        let viewer = crm.client.new_key("viewer", &[]).await;
        viewer.put(&path, body).await.expect_problem(403, "forbidden");
        crm.client.get(&path).await.expect_problem(404, "not_found");
    }
}

#[actix_web::test]
async fn products_are_found_and_paged() {
    let crm = crm().await;
    let (sync, category_id) = (crm.integration(), new_id());
    for (n, name) in ["Chai", "Chang", "Aniseed Syrup", "Chartreuse verte", "Côte de Blaye"]
        .into_iter()
        .enumerate()
    {
        let mut told = product(1, &format!("SKU_{n}"), name);
        if n < 2 {
            told["category_id"] = json!(category_id);
        }
        if n == 2 {
            merge(&mut told, &json!({ "status": "retired", "external_ref": "3" }));
        }
        sync.put(&format!("/v1/products/{}", new_id()), told).await.expect(201);
    }
    let names = |page: Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().clone();
        items.iter().map(|p| p["name"].as_str().unwrap().to_owned()).collect()
    };
    for (query, expected) in [
        ("q=cha", vec!["Chai", "Chang", "Chartreuse verte"]),
        ("q=sku_3", vec!["Chartreuse verte"]),
        ("q=%25", vec![]),
        ("sku=SKU_1", vec!["Chang"]),
        ("status=retired", vec!["Aniseed Syrup"]),
        ("external_ref=3", vec!["Aniseed Syrup"]),
        ("sort=-sku&limit=2", vec!["Côte de Blaye", "Chartreuse verte"]),
    ] {
        let page = crm.client.get(&format!("/v1/products?{query}")).await.expect(200);
        assert_eq!(names(page), expected, "{query}");
    }
    let page = crm
        .client
        .get(&format!("/v1/products?category_id={category_id}"))
        .await
        .expect(200);
    assert_eq!(names(page), ["Chai", "Chang"]);

    let (mut walked, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = crm
            .client
            .get(&format!("/v1/products?limit=2{cursor}"))
            .await
            .expect(200);
        assert!(page["items"][0]["availability"].is_object());
        walked.extend(names(page.clone()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(walked.len(), 5);
    crm.client
        .get("/v1/products?nope=1")
        .await
        .expect_problem(400, "invalid_parameter");
    crm.client
        .get("/v1/products?sort=price")
        .await
        .expect_problem(400, "invalid_parameter");
}

#[actix_web::test]
async fn every_fault_of_a_told_price_is_named() {
    let crm = crm().await;
    let sync = crm.integration();
    let path = format!("/v1/prices/{}", new_id());
    let wrong = price(
        &new_id(),
        "-1",
        &json!({ "currency": "usd", "minimum_quantity": "1e3", "surprise": 1 }),
    );
    let problem = sync.put(&path, wrong).await.expect_problem(422, "invalid_input");
    let pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["pointer"].as_str().unwrap())
        .collect();
    for pointer in ["/unit_price", "/currency", "/minimum_quantity", "/surprise"] {
        assert!(pointers.contains(&pointer), "{pointer} in {pointers:?}");
    }
    let backwards = price(
        &new_id(),
        "1",
        &json!({ "valid_from": "2026-07-01", "valid_to": "2026-06-30" }),
    );
    let problem = sync.put(&path, backwards).await.expect_problem(422, "out_of_range");
    assert_eq!(problem["errors"][0]["pointer"], "/valid_to");
    crm.client.get(&path).await.expect_problem(404, "not_found");
}

#[actix_web::test]
async fn a_replica_echoes_nothing() {
    let crm = crm().await;
    let (sync, product_id) = (crm.integration(), new_id());
    sync.put(&format!("/v1/products/{product_id}"), product(1, "P", "P"))
        .await
        .expect(201);
    tell_price(&sync, &product_id, "1", json!({})).await;
    sync.put(&format!("/v1/categories/{}", new_id()), category(1, "C"))
        .await
        .expect(201);
    // What comes after it in the feed is the first event there is.
    crate::support::customer(&crm.client, "Later").await;
    let types = "customer.changed,product.changed,price.changed,category.changed,availability.changed";
    let seen = crate::support::events(&crm.client, types, 1).await;
    assert_eq!(seen.len(), 1, "{seen:#?}");
    assert_eq!(seen[0]["type"], "customer.changed");
}
