use crate::support::{crm, customer, id};
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};

/// A field of customers, by key.
async fn define(client: &Client, key: &str, more: Value) -> Value {
    let mut body = json!({ "record_type": "customer", "key": key, "label": key });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.post("/v1/custom-fields", body).await.expect(201)
}

/// A CRM with one field of each type.
async fn with_fields() -> TestService {
    let crm = crm().await;
    let client = &crm.client;
    define(client, "note", json!({ "type": "text" })).await;
    define(client, "staff", json!({ "type": "number" })).await;
    define(client, "budget", json!({ "type": "money", "currency": "EUR" })).await;
    define(client, "since", json!({ "type": "date" })).await;
    let options = json!([{ "value": "emea" }, { "value": "apac" }]);
    define(client, "region", json!({ "type": "choice", "options": options })).await;
    define(client, "lines", json!({ "type": "multi_choice", "options": options })).await;
    define(client, "vip", json!({ "type": "boolean" })).await;
    define(
        client,
        "advisor",
        json!({ "type": "reference", "refers_to": "customer" }),
    )
    .await;
    crm
}

async fn made(client: &Client, name: &str, values: Value) -> Value {
    let body = json!({ "name": name, "kind": "company", "custom_fields": values });
    client.post("/v1/customers", body).await.expect(201)
}

async fn found(client: &Client, query: &[(&str, &str)]) -> Vec<String> {
    let request = client.request(reqwest::Method::GET, "/v1/customers").query(query);
    let page = client.send(request).await.expect(200);
    let items = page["items"].as_array().cloned().unwrap_or_default();
    items
        .iter()
        .map(|item| item["name"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[actix_web::test]
async fn values_of_every_type_are_kept_and_changed() {
    let crm = with_fields().await;
    let advisor = customer(&crm.client, "Advisor").await;
    let values = json!({ "note": "likes tea", "staff": "012.50", "budget": "1000", "since": "2020-02-29",
        "region": "emea", "lines": ["apac", "emea"], "vip": false, "advisor": advisor["id"] });
    let of = made(&crm.client, "Whole", values.clone()).await;
    let mut stored = values.clone();
    (stored["staff"], stored["budget"]) = (json!("12.5"), json!("1000.00"));
    assert_eq!(of["custom_fields"], stored);
    let path = format!("/v1/customers/{}", id(&of));
    assert_eq!(crm.client.get(&path).await.expect(200)["custom_fields"], stored);

    let patch = json!({ "custom_fields": { "vip": true, "note": null } });
    let changed = crm.client.patch(&path, patch.clone()).await.expect(200);
    stored["vip"] = json!(true);
    stored.as_object_mut().unwrap().remove("note");
    assert_eq!(changed["custom_fields"], stored);
    let same = crm.client.patch(&path, patch).await.expect(200);
    assert_eq!(same["revision"], 2, "a patch that changes nothing counts nothing");

    let bare = json!({ "name": "Whole", "kind": "company" });
    let put = crm.client.put(&path, bare).await.expect(200);
    assert_eq!(
        put["custom_fields"], stored,
        "a PUT that says nothing of them leaves them"
    );
    let whole = json!({ "name": "Whole", "kind": "company", "custom_fields": { "region": "apac" } });
    let etag = crm.client.get(&path).await.etag();
    let request = crm
        .client
        .request(reqwest::Method::PUT, &path)
        .header("If-Match", etag)
        .json(&whole);
    let put = crm.client.send(request).await.expect(200);
    assert_eq!(put["custom_fields"], json!({ "region": "apac" }));
}

#[actix_web::test]
async fn every_fault_of_the_values_is_named() {
    let crm = with_fields().await;
    let body = json!({ "name": " x", "kind": "company", "parent_id": "00000000-0000-7000-8000-000000000000",
        "tags": ["vip", "VIP"],
        "custom_fields": { "note": 1, "staff": 12.5, "budget": "1.005", "since": "2021-02-29", "region": "mars",
            "lines": ["emea", "emea"], "vip": "yes", "advisor": "00000000-0000-7000-8000-000000000000", "no/such": 1 } });
    let problem = crm
        .client
        .post("/v1/customers", body)
        .await
        .expect_problem(422, "invalid_input");
    let errors = problem["errors"].as_array().unwrap();
    let named: Vec<_> = errors
        .iter()
        .map(|e| (e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        named,
        [
            ("/tags/1", "duplicate"),
            ("/parent_id", "unknown_customer"),
            ("/custom_fields/budget", "out_of_range"),
            ("/custom_fields/lines", "duplicate"),
            ("/custom_fields/no~1such", "unknown_field"),
            ("/custom_fields/note", "wrong_type"),
            ("/custom_fields/region", "unknown_value"),
            ("/custom_fields/since", "bad_format"),
            ("/custom_fields/staff", "wrong_type"),
            ("/custom_fields/vip", "wrong_type"),
            ("/custom_fields/advisor", "unknown_reference"),
        ]
    );
}

#[actix_web::test]
async fn a_retired_field_keeps_its_values_and_takes_no_new_ones() {
    let crm = crm().await;
    let field = define(&crm.client, "region", json!({ "type": "text" })).await;
    let of = made(&crm.client, "Old", json!({ "region": "north" })).await;
    let path = format!("/v1/customers/{}", id(&of));
    crm.client
        .post(&format!("/v1/custom-fields/{}/retire", id(&field)), json!({}))
        .await
        .expect(200);
    assert_eq!(
        crm.client.get(&path).await.expect(200)["custom_fields"],
        json!({ "region": "north" })
    );
    let other = crm
        .client
        .patch(&path, json!({ "custom_fields": { "region": "south" } }))
        .await;
    assert_eq!(
        other.expect_problem(422, "retired")["errors"][0]["pointer"],
        "/custom_fields/region"
    );
    let same = json!({ "name": "New name", "custom_fields": { "region": "north" } });
    crm.client.patch(&path, same).await.expect(200);
    let etag = crm.client.get(&path).await.etag();
    let whole = json!({ "name": "Old", "kind": "company", "custom_fields": {} });
    let put = crm
        .client
        .request(reqwest::Method::PUT, &path)
        .header("If-Match", etag)
        .json(&whole);
    assert_eq!(
        crm.client.send(put).await.expect(200)["custom_fields"],
        json!({ "region": "north" })
    );
    assert_eq!(
        found(&crm.client, &[("filter", "custom.region = \"north\"")]).await,
        ["Old"]
    );
}

#[actix_web::test]
async fn an_option_that_is_gone_stays_where_it_stands() {
    let crm = crm().await;
    let options = json!([{ "value": "a" }, { "value": "b" }]);
    let field = define(&crm.client, "kind", json!({ "type": "choice", "options": options })).await;
    let of = made(&crm.client, "One", json!({ "kind": "a" })).await;
    let path = format!("/v1/custom-fields/{}", id(&field));
    crm.client
        .patch(&path, json!({ "options": [{ "value": "b" }] }))
        .await
        .expect(200);
    let path = format!("/v1/customers/{}", id(&of));
    let kept = json!({ "custom_fields": { "kind": "a" }, "phone": "1" });
    crm.client.patch(&path, kept).await.expect(200);
    crm.client
        .patch(&path, json!({ "custom_fields": { "kind": "b" } }))
        .await
        .expect(200);
    let back = crm
        .client
        .patch(&path, json!({ "custom_fields": { "kind": "a" } }))
        .await;
    back.expect_problem(422, "unknown_value");
}

#[actix_web::test]
async fn customers_are_found_by_their_values() {
    let crm = with_fields().await;
    let client = &crm.client;
    made(
        client,
        "Ada",
        json!({ "note": "50% off_", "staff": "9", "budget": "12.5", "since": "2020-01-01", "region": "emea",
        "lines": ["emea", "apac"], "vip": true }),
    )
    .await;
    made(
        client,
        "Bob",
        json!({ "staff": "10", "budget": "100", "since": "2021-01-01", "region": "apac", "lines": ["apac"],
        "vip": false }),
    )
    .await;
    let cy = made(client, "Cy", json!({})).await;
    made(client, "Di", json!({ "advisor": cy["id"] })).await;
    let advisor = format!("custom.advisor = {}", cy["id"]);
    for (filter, names) in [
        ("custom.region = 'emea'", vec!["Ada"]),
        ("custom.region != 'emea'", vec!["Bob"]),
        ("not custom.region = 'emea'", vec!["Bob"]),
        ("custom.region is empty", vec!["Cy", "Di"]),
        ("not custom.region is empty", vec!["Ada", "Bob"]),
        ("custom.region in ('emea', 'apac')", vec!["Ada", "Bob"]),
        ("custom.region not in ('emea')", vec!["Bob"]),
        ("custom.staff > 9", vec!["Bob"]),
        ("custom.staff = 9.0", vec!["Ada"]),
        ("custom.budget = 12.50", vec!["Ada"]),
        ("custom.budget >= 12.5 and custom.budget < 100", vec!["Ada"]),
        ("custom.since < 2020-06-01", vec!["Ada"]),
        ("custom.lines has 'apac'", vec!["Ada", "Bob"]),
        ("not custom.lines has 'emea'", vec!["Bob"]),
        ("custom.lines is empty", vec!["Cy", "Di"]),
        ("custom.vip = false", vec!["Bob"]),
        ("not custom.vip = false", vec!["Ada"]),
        ("custom.note contains '50% OFF_'", vec!["Ada"]),
        ("custom.note contains '5_%'", vec![]),
        (advisor.as_str(), vec!["Di"]),
        ("custom.staff = 9 or custom.vip = false", vec!["Ada", "Bob"]),
        ("not (custom.staff = 9 or custom.vip = false)", vec![]),
    ] {
        assert_eq!(
            found(client, &[("filter", filter), ("sort", "name")]).await,
            names,
            "{filter}"
        );
    }
}

#[actix_web::test]
async fn a_list_can_be_in_the_order_of_a_custom_field() {
    let crm = with_fields().await;
    let client = &crm.client;
    for (name, values) in [
        ("ten", json!({ "staff": "10", "note": "b", "since": "2021-01-01" })),
        ("nine", json!({ "staff": "9", "note": "a", "since": "2022-01-01" })),
        ("none", json!({})),
        ("also none", json!({})),
        ("minus", json!({ "staff": "-1.5", "note": "a" })),
    ] {
        made(client, name, values).await;
    }
    let all = found(client, &[("sort", "custom.staff")]).await;
    assert_eq!(all, ["minus", "nine", "ten", "none", "also none"]);
    let all = found(client, &[("sort", "-custom.staff")]).await;
    assert_eq!(all, ["ten", "nine", "minus", "also none", "none"]);
    for sort in [
        "custom.staff",
        "-custom.staff",
        "custom.note",
        "-custom.note",
        "custom.since",
        "-custom.since",
        "custom.vip",
    ] {
        let whole = found(client, &[("sort", sort)]).await;
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut query = vec![("sort", sort), ("limit", "1")];
            if !cursor.is_empty() {
                query.push(("cursor", &cursor));
            }
            let page = client
                .send(client.request(reqwest::Method::GET, "/v1/customers").query(&query))
                .await
                .expect(200);
            paged.push(page["items"][0]["name"].as_str().unwrap().to_owned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(paged, whole, "{sort}");
    }
    for bad in ["custom.lines", "custom.nothing", "-custom.", "custom.%00"] {
        client
            .get(&format!("/v1/customers?sort={bad}"))
            .await
            .expect_problem(400, "invalid_parameter");
    }
}

#[actix_web::test]
async fn an_export_has_a_column_for_each_field() {
    let crm = crm().await;
    define(&crm.client, "region", json!({ "type": "text" })).await;
    define(&crm.client, "vip", json!({ "type": "boolean" })).await;
    made(&crm.client, "Ada", json!({ "region": "=north", "vip": true })).await;
    made(&crm.client, "Bob", json!({})).await;
    // The columns are those of the document, which is a second old at most.
    let mut text = String::new();
    for _ in 0..100 {
        let request = crm.client.request(reqwest::Method::GET, "/v1/customers?sort=name");
        let reply = crm.client.send(request.header("Accept", "text/csv")).await;
        text = reply.body.as_str().unwrap().to_owned();
        if text.contains("custom_fields.vip") {
            break;
        }
        actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| {
        lines[0]
            .iter()
            .position(|column| *column == name)
            .unwrap_or_else(|| panic!("no {name}: {text}"))
    };
    let (region, vip) = (column("custom_fields.region"), column("custom_fields.vip"));
    assert_eq!((lines[1][region], lines[1][vip]), ("'=north", "true"));
    assert_eq!((lines[2][region], lines[2][vip]), ("", ""));
}

#[actix_web::test]
async fn a_filter_is_refused_with_every_fault_and_its_place() {
    let crm = with_fields().await;
    let refused = |filter: &str| {
        let request = crm
            .client
            .request(reqwest::Method::GET, "/v1/customers")
            .query(&[("filter", filter)]);
        let client = crm.client.clone();
        async move {
            let problem = client.send(request).await.expect_problem(400, "invalid_filter");
            let places = problem["positions"].as_array().cloned().unwrap_or_default();
            let places = places
                .iter()
                .map(|p| format!("{} {} {}", p["position"], p["length"], p["code"].as_str().unwrap()));
            places.collect::<Vec<_>>().join(", ")
        }
    };
    assert_eq!(
        refused("nam = 'x' and custom.nothing = 1 and grade = 'E'").await,
        "1 3 unknown_field, 15 14 unknown_field, 46 3 unknown_value"
    );
    assert_eq!(
        refused("name = 5 or created_at > 'x' or orders.count = 'x'").await,
        "8 1 wrong_type, 26 3 wrong_type, 48 3 wrong_type"
    );
    assert_eq!(
        refused("tags = 'x' or name has 'x' or grade > 'A' or orders.count contains 'x'").await,
        "1 10 wrong_test, 15 12 wrong_test, 31 11 wrong_test, 46 25 wrong_test"
    );
    assert_eq!(
        refused("orders.sum > 1 or orders.sum(XXQ) > 1 or orders.count(EUR) > 1 or name(3 days) = 'x'").await,
        "1 10 bad_argument, 30 3 bad_argument, 55 3 bad_argument, 72 6 bad_argument"
    );
    assert_eq!(
        refused("custom.vip in (true) or custom.staff has 'x' or parent_id = 'x'").await,
        "1 20 wrong_test, 25 20 wrong_test, 61 3 wrong_type"
    );
    assert_eq!(refused("name = 'x' and (").await, "16 1 unclosed, 17 1 unexpected");
}
