//! Drafts: placing, editing, copying, finding.

use crate::sales::{merge, new_id, order, order_now, placed, submitted};
use crate::support::{crm, customer, events, id};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply};

async fn put(client: &Client, path: &str, etag: Option<&str>, body: &Value) -> Reply {
    let mut request = client.request(Method::PUT, path).json(body);
    if let Some(etag) = etag {
        request = request.header("If-Match", etag);
    }
    client.send(request).await
}

fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().expect("errors");
    errors.iter().map(|e| e["pointer"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn an_order_is_placed_as_a_draft() {
    let crm = crm().await;
    let of = customer(&crm.client, "Alfreds Futterkiste").await;
    let (order_id, line_id) = (new_id(), new_id());
    let mut body = order(&of);
    merge(
        &mut body,
        &json!({ "id": order_id, "external_ref": "10248", "order_date": "1996-07-04", "requested_date": "1996-08-01" }),
    );
    body["lines"][0]["id"] = json!(line_id);
    let reply = crm.client.post("/v1/orders", body).await;
    assert_eq!(reply.headers["location"], format!("/v1/orders/{order_id}").as_str());
    assert_eq!(reply.etag(), "\"1\"");
    let made = reply.expect(201);
    assert_eq!((&made["status"], &made["origin"]), (&json!("draft"), &json!("crm")));
    assert_eq!(
        made["total"],
        json!({ "net": "137.90", "tax": "0.00", "gross": "137.90" })
    );
    assert_eq!(made["lines"][0]["id"], line_id.as_str());
    assert_eq!(made["lines"][0]["position"], 1);
    assert_eq!(made["lines"][1]["line_total"], "39.90");
    assert_eq!(made["order_date"], "1996-07-04");
    assert_eq!(made["allowed_actions"], json!(["edit", "submit", "cancel", "copy"]));
    assert_eq!(made["submitted_at"], Value::Null);
    for absent in ["rejection", "cancellation", "fulfilment"] {
        assert_eq!(made.get(absent), None);
    }
    assert_eq!(order_now(&crm.client, &made).await, made);

    let told = events(&crm.client, "order.changed", 1).await;
    assert_eq!(
        (&told[0]["subject"], &told[0]["subjectversion"]),
        (&made["id"], &json!(1))
    );
    assert_eq!(told[0]["data"], made);
    let trail = crm
        .client
        .get(&format!("/v1/audit-log?subject={order_id}"))
        .await
        .expect(200);
    assert_eq!(trail["items"][0]["changes"]["status"]["to"], "draft");
}

#[actix_web::test]
async fn a_line_is_rounded_half_to_even_and_may_be_unpriced() {
    let crm = crm().await;
    let of = customer(&crm.client, "Rounding").await;
    for (currency, quantity, price, discount, expected) in [
        ("USD", "1", "0.125", "0", "0.12"),
        ("USD", "1", "0.135", "0", "0.14"),
        ("USD", "3", "0.33", "0.05", "0.94"),
        ("JPY", "1", "2.5", "0", "2"),
        ("KWD", "1", "0.0005", "0", "0.000"),
        ("USD", "99999999.999", "99999999.9999", "0", "9999999999890000.00"),
        ("USD", "1", "5", "1", "0.00"),
    ] {
        let line = json!({ "product_id": new_id(), "quantity": quantity, "unit_price": price, "discount": discount });
        let body = json!({ "customer_id": id(&of), "currency": currency, "lines": [line, { "product_id": new_id(), "quantity": "1" }] });
        let made = placed(&crm.client, body).await;
        assert_eq!(
            made["lines"][0]["line_total"], expected,
            "{quantity} × {price} {currency}"
        );
        assert_eq!(made["total"]["net"], expected);
        assert_eq!(
            (&made["lines"][1]["unit_price"], &made["lines"][1]["line_total"]),
            (&Value::Null, &Value::Null)
        );
    }
}

#[actix_web::test]
async fn every_fault_is_named() {
    let crm = crm().await;
    let of = customer(&crm.client, "Faults").await;
    let twice = new_id();
    let body = json!({
        "customer_id": new_id(), "currency": "USD", "order_date": "2026-05-02", "requested_date": "2026-05-01",
        "lines": [
            { "id": twice, "product_id": new_id(), "quantity": "0" },
            { "id": twice, "product_id": new_id(), "quantity": "1" },
        ],
    });
    let problem = crm
        .client
        .post("/v1/orders", body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        pointers(&problem),
        ["/lines/0/quantity", "/lines/1/id", "/requested_date", "/customer_id"]
    );

    let lines = |line: Value| json!({ "customer_id": id(&of), "currency": "USD", "lines": [line] });
    for (line, pointer) in [
        (json!({ "product_id": new_id(), "quantity": "-1" }), "/lines/0/quantity"),
        (
            json!({ "product_id": new_id(), "quantity": "1e3" }),
            "/lines/0/quantity",
        ),
        (
            json!({ "product_id": new_id(), "quantity": "1.0001" }),
            "/lines/0/quantity",
        ),
        (json!({ "product_id": new_id(), "quantity": 1 }), "/lines/0/quantity"),
        (
            json!({ "product_id": new_id(), "quantity": "1", "unit_price": "-1" }),
            "/lines/0/unit_price",
        ),
        (
            json!({ "product_id": new_id(), "quantity": "1", "unit_price": "123456789" }),
            "/lines/0/unit_price",
        ),
        (
            json!({ "product_id": new_id(), "quantity": "1", "discount": "1.01" }),
            "/lines/0/discount",
        ),
        (json!({ "product_id": "x", "quantity": "1" }), "/lines/0/product_id"),
        (json!({ "quantity": "1" }), "/lines/0/product_id"),
    ] {
        let shown = line.to_string();
        let reply = crm.client.post("/v1/orders", lines(line)).await;
        let problem = reply.expect(422);
        assert_eq!(pointers(&problem), [pointer], "{shown}");
    }
    for (change, pointer) in [
        (json!({ "lines": [] }), "/lines"),
        (json!({ "currency": "XXQ" }), "/currency"),
        (json!({ "external_ref": "a\u{0}b" }), "/external_ref"),
        (json!({ "external_ref": "x".repeat(101) }), "/external_ref"),
        (json!({ "status": "accepted" }), "/status"),
    ] {
        let mut body = order(&of);
        merge(&mut body, &change);
        let problem = crm.client.post("/v1/orders", body).await.expect(422);
        assert_eq!(pointers(&problem), [pointer], "{change}");
    }
    let huge = json!({ "product_id": new_id(), "quantity": "99999999", "unit_price": "99999999" });
    let mut body = order(&of);
    body["lines"] = json!([huge, huge]);
    let problem = crm
        .client
        .post("/v1/orders", body)
        .await
        .expect_problem(422, "out_of_range");
    assert_eq!(pointers(&problem), ["/lines"]);

    let many: Vec<Value> = (0..501)
        .map(|_| json!({ "product_id": new_id(), "quantity": "1" }))
        .collect();
    let mut body = order(&of);
    body["lines"] = json!(many);
    crm.client
        .post("/v1/orders", body.clone())
        .await
        .expect_problem(422, "too_long");
    body["lines"].as_array_mut().unwrap().pop();
    assert_eq!(placed(&crm.client, body).await["lines"][499]["position"], 500);
    let page = crm.client.get("/v1/orders").await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1, "nothing else was stored");
}

#[actix_web::test]
async fn ids_and_references_are_unique() {
    let crm = crm().await;
    let of = customer(&crm.client, "Twice").await;
    let mut body = order(&of);
    merge(&mut body, &json!({ "id": new_id(), "external_ref": "PO-1" }));
    body["lines"][0]["id"] = json!(new_id());
    placed(&crm.client, body.clone()).await;
    crm.client
        .post("/v1/orders", body.clone())
        .await
        .expect_problem(409, "duplicate");
    body["id"] = json!(new_id());
    let problem = crm
        .client
        .post("/v1/orders", body.clone())
        .await
        .expect_problem(409, "duplicate");
    assert_eq!(pointers(&problem), ["/external_ref"]);
    body["external_ref"] = json!("PO-2");
    let problem = crm
        .client
        .post("/v1/orders", body.clone())
        .await
        .expect_problem(409, "duplicate");
    assert_eq!(pointers(&problem), ["/lines"]);
    body["lines"][0]["id"] = Value::Null;
    placed(&crm.client, body).await;
}

#[actix_web::test]
async fn twins_make_one_order() {
    let crm = crm().await;
    let of = customer(&crm.client, "Twins").await;
    let body = order(&of);
    let twins = (0..32).map(|_| crm.client.post_with_key("/v1/orders", "twin", body.clone()));
    let replies = join_all(twins).await;
    let first = replies[0].clone().expect(201);
    for reply in replies {
        assert_eq!(reply.expect(201), first);
    }
    assert_eq!(
        crm.client.get("/v1/orders").await.expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[actix_web::test]
async fn a_draft_is_edited_under_its_etag() {
    let crm = crm().await;
    let (of, other) = (customer(&crm.client, "One").await, customer(&crm.client, "Other").await);
    let made = placed(&crm.client, order(&of)).await;
    let path = format!("/v1/orders/{}", id(&made));
    let patch = |body: Value| crm.client.request(Method::PATCH, &path).json(&body);
    crm.client
        .send(patch(json!({ "currency": "EUR" })))
        .await
        .expect_problem(428, "precondition_required");

    let edit = json!({ "customer_id": id(&other), "currency": "JPY", "external_ref": "A" });
    let edited = crm.client.patch(&path, edit).await;
    assert_eq!(edited.etag(), "\"2\"");
    let edited = edited.expect(200);
    assert_eq!((&edited["version"], &edited["customer_id"]), (&json!(2), &other["id"]));
    assert_eq!(
        edited["total"]["net"], "138",
        "the lines are rounded to the new currency"
    );
    assert_eq!(edited["lines"][0]["id"], made["lines"][0]["id"]);
    assert_eq!(order_now(&crm.client, &made).await, edited);

    let problem = crm
        .client
        .patch_matching(&path, "\"1\"", json!({ "currency": "EUR" }))
        .await
        .expect_problem(412, "stale");
    assert_eq!(
        problem["changed_fields"],
        json!(["currency", "customer_id", "external_ref", "lines", "total"])
    );
    let same = crm
        .client
        .patch(&path, json!({ "currency": "JPY", "external_ref": "A" }))
        .await;
    assert_eq!(same.etag(), "\"2\"", "an edit that changes nothing");
    let cleared = crm
        .client
        .patch(&path, json!({ "external_ref": null }))
        .await
        .expect(200);
    assert_eq!(cleared["external_ref"], Value::Null);

    let line = made["lines"][1]["id"].clone();
    let lines = json!([{ "id": line, "product_id": new_id(), "quantity": "2", "unit_price": "7" }, { "product_id": new_id(), "quantity": "1" }]);
    let replaced = crm.client.patch(&path, json!({ "lines": lines })).await.expect(200);
    assert_eq!(replaced["lines"][0]["id"], line);
    assert_eq!(
        (&replaced["lines"][0]["position"], &replaced["total"]["net"]),
        (&json!(1), &json!("14"))
    );
    assert_eq!(order_now(&crm.client, &made).await, replaced);

    for (wrong, pointer) in [
        (json!({ "customer_id": new_id() }), "/customer_id"),
        (json!({ "requested_date": "1999-01-01" }), "/requested_date"),
        (json!({ "currency": null }), "/currency"),
        (json!({ "lines": null }), "/lines"),
        (json!({ "status": "draft" }), "/status"),
    ] {
        let problem = crm.client.patch(&path, wrong).await.expect(422);
        assert_eq!(pointers(&problem), [pointer]);
    }
    assert_eq!(
        order_now(&crm.client, &made).await,
        replaced,
        "a refused edit changes nothing"
    );
    assert_eq!(events(&crm.client, "order.changed", 4).await.len(), 4);
    let nobody = format!("/v1/orders/{}", new_id());
    crm.client
        .patch_matching(&nobody, "*", json!({}))
        .await
        .expect_problem(404, "not_found");
}

#[actix_web::test]
async fn put_creates_repeats_and_replaces() {
    let crm = crm().await;
    let of = customer(&crm.client, "Put").await;
    let path = format!("/v1/orders/{}", new_id());
    let body = order(&of);
    let made = put(&crm.client, &path, None, &body).await.expect(201);
    assert_eq!((&made["status"], &made["version"]), (&json!("draft"), &json!(1)));
    let repeated = put(&crm.client, &path, None, &body).await.expect(200);
    assert_eq!(repeated, made, "an identical repeat changes nothing");

    let mut changed = body.clone();
    changed["lines"][0]["quantity"] = json!("11");
    put(&crm.client, &path, None, &changed)
        .await
        .expect_problem(428, "precondition_required");
    put(&crm.client, &path, Some("\"7\""), &changed)
        .await
        .expect_problem(412, "stale");
    let replaced = put(&crm.client, &path, Some("\"1\""), &changed).await.expect(200);
    assert_eq!(
        (&replaced["version"], &replaced["total"]["net"]),
        (&json!(2), &json!("147.70"))
    );
    assert_eq!(replaced["order_date"], made["order_date"]);
    assert_eq!(crm.client.get(&path).await.expect(200), replaced);

    crm.client.post(&format!("{path}/submit"), json!({})).await.expect(200);
    let repeated = put(&crm.client, &path, None, &changed).await.expect(200);
    assert_eq!(repeated["status"], "submitted", "a late repeat is harmless");
    put(&crm.client, &path, Some("*"), &body)
        .await
        .expect_problem(409, "illegal_transition");
}

#[actix_web::test]
async fn twin_puts_make_one_order() {
    let crm = crm().await;
    let of = customer(&crm.client, "Twin puts").await;
    let (path, body) = (format!("/v1/orders/{}", new_id()), order(&of));
    let twins = (0..16).map(|_| put(&crm.client, &path, None, &body));
    let replies = join_all(twins).await;
    let created = replies.iter().filter(|reply| reply.status == 201).count();
    let other = replies
        .iter()
        .find(|reply| ![200, 201].contains(&reply.status.as_u16()));
    assert!(other.is_none(), "{:#}", other.map_or(&Value::Null, |reply| &reply.body));
    assert_eq!(created, 1);
    assert_eq!(events(&crm.client, "order.changed", 1).await.len(), 1);
}

#[actix_web::test]
async fn a_submitted_order_is_immutable() {
    let crm = crm().await;
    let of = customer(&crm.client, "Immutable").await;
    let made = submitted(&crm.client, &of).await;
    let path = format!("/v1/orders/{}", id(&made));
    let problem = crm
        .client
        .patch(&path, json!({ "external_ref": "late" }))
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(
        (&problem["state"], &problem["allowed_actions"]),
        (&json!("submitted"), &json!(["request_change", "cancel", "copy"]))
    );
    assert_eq!(order_now(&crm.client, &made).await, made);
}

#[actix_web::test]
async fn a_copy_is_a_new_draft() {
    let crm = crm().await;
    let of = customer(&crm.client, "Copy").await;
    let product_id = new_id();
    crate::sales::tell_price(&crm.integration(), &product_id, "5", json!({})).await;
    let mut body = order(&of);
    merge(
        &mut body,
        &json!({ "external_ref": "PO-9", "order_date": "2020-01-01", "requested_date": "2020-02-01", "submit": true }),
    );
    body["lines"][1] = json!({ "product_id": product_id, "quantity": "2", "discount": "0.1" });
    let original = placed(&crm.client, body).await;
    assert_eq!(original["lines"][1]["unit_price"], "5");

    let path = format!("/v1/orders/{}/copy", id(&original));
    let reply = crm.client.post(&path, json!({})).await;
    let copy = reply.clone().expect(201);
    assert_eq!(reply.headers["location"], format!("/v1/orders/{}", id(&copy)).as_str());
    assert_ne!(copy["id"], original["id"]);
    assert_eq!((&copy["status"], &copy["version"]), (&json!("draft"), &json!(1)));
    assert_eq!(
        (&copy["external_ref"], &copy["requested_date"]),
        (&Value::Null, &Value::Null)
    );
    assert_ne!(copy["order_date"], original["order_date"]);
    assert_ne!(copy["lines"][0]["id"], original["lines"][0]["id"]);
    assert_eq!(copy["lines"][0]["unit_price"], "9.8", "given by somebody");
    assert_eq!(copy["lines"][1]["unit_price"], Value::Null, "found anew when submitted");
    assert_eq!(copy["lines"][1]["discount"], "0.1");
    assert_eq!(order_now(&crm.client, &original).await, original);

    let minted = new_id();
    let named = crm.client.post(&path, json!({ "id": minted })).await.expect(201);
    assert_eq!(named["id"], minted.as_str());
    crm.client
        .post(&path, json!({ "id": minted }))
        .await
        .expect_problem(409, "duplicate");
    let bare = crm.client.send(crm.client.request(Method::POST, &path)).await;
    bare.expect(201);
    crm.client
        .post(&format!("/v1/orders/{}/copy", new_id()), json!({}))
        .await
        .expect_problem(404, "not_found");
}

#[actix_web::test]
async fn an_archived_customer_takes_no_new_orders() {
    let crm = crm().await;
    let of = customer(&crm.client, "Archived").await;
    let other = customer(&crm.client, "Active").await;
    let draft = placed(&crm.client, order(&of)).await;
    let theirs = placed(&crm.client, order(&other)).await;
    let customer_path = format!("/v1/customers/{}", id(&of));
    let etag = crm.client.get(&customer_path).await.etag();
    let archive = crm
        .client
        .request(Method::POST, &format!("{customer_path}/archive"))
        .header("If-Match", etag);
    crm.client.send(archive).await.expect(200);

    let path = |record: &Value| format!("/v1/orders/{}", id(record));
    crm.client
        .post("/v1/orders", order(&of))
        .await
        .expect_problem(409, "customer_archived");
    crm.client
        .post(&format!("{}/submit", path(&draft)), json!({}))
        .await
        .expect_problem(409, "customer_archived");
    crm.client
        .post(&format!("{}/copy", path(&draft)), json!({}))
        .await
        .expect_problem(409, "customer_archived");
    crm.client
        .patch(&path(&theirs), json!({ "customer_id": id(&of) }))
        .await
        .expect_problem(409, "customer_archived");
    crm.client
        .patch(&path(&draft), json!({ "external_ref": "still mine" }))
        .await
        .expect(200);
}

#[actix_web::test]
async fn a_dry_run_changes_nothing() {
    let crm = crm().await;
    let of = customer(&crm.client, "Dry").await;
    let shown = crm.client.post("/v1/orders?dry_run=true", order(&of)).await.expect(200);
    assert_eq!(shown["total"]["net"], "137.90");
    crm.client
        .get(&format!("/v1/orders/{}", id(&shown)))
        .await
        .expect_problem(404, "not_found");
    let made = placed(&crm.client, order(&of)).await;
    let shown = crm
        .client
        .post(&format!("/v1/orders/{}/submit?dry_run=true", id(&made)), json!({}))
        .await
        .expect(200);
    assert_eq!(shown["status"], "submitted");
    assert_eq!(order_now(&crm.client, &made).await, made);
}

#[actix_web::test]
async fn orders_are_found_and_paged() {
    let crm = crm().await;
    let (of, other) = (
        customer(&crm.client, "Found").await,
        customer(&crm.client, "Other").await,
    );
    for (n, date) in ["2026-01-05", "2026-01-03", "2026-01-04", "2026-01-03"]
        .into_iter()
        .enumerate()
    {
        let mut body = order(if n == 3 { &other } else { &of });
        merge(
            &mut body,
            &json!({ "external_ref": format!("PO_{n}"), "order_date": date, "submit": n == 0 }),
        );
        placed(&crm.client, body).await;
    }
    let found = async |query: &str| -> Vec<String> {
        let page = crm.client.get(&format!("/v1/orders?{query}")).await.expect(200);
        let items = page["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|o| o["external_ref"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(found("").await, ["PO_0", "PO_1", "PO_2", "PO_3"]);
    assert_eq!(found("sort=-created_at&limit=2").await, ["PO_3", "PO_2"]);
    assert_eq!(found("status=submitted").await, ["PO_0"]);
    assert_eq!(found(&format!("customer_id={}", id(&other))).await, ["PO_3"]);
    assert_eq!(found("external_ref=PO_2").await, ["PO_2"]);
    assert_eq!(found("q=po_1").await, ["PO_1"]);
    assert_eq!(found("origin=erp").await, Vec::<String>::new());
    assert_eq!(
        found("order_date_from=2026-01-04&sort=order_date").await,
        ["PO_2", "PO_0"]
    );
    assert_eq!(found("order_date_to=2026-01-03").await, ["PO_1", "PO_3"]);

    let mut walked = Vec::new();
    let mut query = "sort=-order_date&limit=1".to_owned();
    loop {
        let page = crm.client.get(&format!("/v1/orders?{query}")).await.expect(200);
        let item = page["items"][0].clone();
        assert_eq!(item, order_now(&crm.client, &item).await, "a list shows whole orders");
        walked.push(item["order_date"].as_str().unwrap().to_owned());
        match page["next_cursor"].as_str() {
            Some(next) => query = format!("sort=-order_date&limit=1&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(walked, ["2026-01-05", "2026-01-04", "2026-01-03", "2026-01-03"]);
    for wrong in [
        "status=nope",
        "sort=total",
        "order_date_from=x",
        "limit=0",
        "q=%00",
        "page=2",
        "cursor=AAAA",
    ] {
        assert_eq!(
            crm.client.get(&format!("/v1/orders?{wrong}")).await.status,
            400,
            "{wrong}"
        );
    }
}
