//! What the ERP reports about orders.

use crate::sales::{AS_OF, merge, new_id, order, order_now, placed, report, submitted, tell};
use crate::support::{crm, customer, events, id, timeline_kinds};
use futures_util::future::join_all;
use serde_json::{Value, json};

fn cancel_path(order: &Value) -> String {
    format!("/v1/orders/{}/cancel", id(order))
}

/// The report with its lines as `changes` has them, one object a line.
fn with_lines(mut report: Value, changes: &[Value]) -> Value {
    for (line, change) in changes.iter().enumerate() {
        merge(&mut report["order"]["lines"][line], change);
    }
    report
}

/// An order that the back office placed.
fn back_office_order(customer: &Value) -> Value {
    let mut order = order(customer);
    merge(
        &mut order,
        &json!({
            "id": new_id(), "origin": "erp", "order_date": "2026-11-20", "requested_date": null, "external_ref": null,
            "version": null, "total": { "net": "137.90", "tax": "0.00", "gross": "137.90" },
        }),
    );
    for (line, total) in [(0, "98.00"), (1, "39.90")] {
        merge(
            &mut order["lines"][line],
            &json!({ "id": new_id(), "position": line + 1, "line_total": total }),
        );
    }
    order["lines"][0]["discount"] = json!("0");
    order
}

#[actix_web::test]
async fn the_decision_shows_in_the_order() {
    let crm = crm().await;
    let of = customer(&crm.client, "Decision").await;
    let sent = submitted(&crm.client, &of).await;
    let short = [json!({ "reserved_quantity": "4", "backordered_quantity": "6" })];
    let accepted = with_lines(report(&sent, 3, "confirmed"), &short);
    let reply = tell(&crm.integration(), &accepted).await;
    assert_eq!(reply.etag(), "\"2\"");
    let now = reply.expect(200);
    assert_eq!((&now["status"], &now["version"]), (&json!("accepted"), &json!(1)));
    assert_eq!(
        now["fulfilment"],
        json!({
            "number": "SO-000001", "status": "confirmed", "as_of": AS_OF, "source_version": 3, "holds": [],
            "delivery": "none", "invoicing": "none", "payment": "none", "total": sent["total"], "uninvoiced": null,
            "requested_date": null, "shipping_address": null,
            "lines": [
                { "id": sent["lines"][0]["id"], "product_id": sent["lines"][0]["product_id"], "quantity": "10", "reserved_quantity": "4", "backordered_quantity": "6", "delivered_quantity": "0",
                  "invoiced_quantity": "0", "returned_quantity": "0" },
                { "id": sent["lines"][1]["id"], "product_id": sent["lines"][1]["product_id"], "quantity": "3", "reserved_quantity": "3", "backordered_quantity": "0", "delivered_quantity": "0",
                  "invoiced_quantity": "0", "returned_quantity": "0" },
            ],
            "deliveries": [],
        })
    );
    assert_eq!((&now["lines"], &now["total"]), (&sent["lines"], &sent["total"]));
    assert_eq!(now["submitted_at"], sent["submitted_at"]);
    assert_eq!(order_now(&crm.client, &sent).await, now);
    let found = crm.client.get("/v1/orders?q=so-0000").await.expect(200);
    assert_eq!(found["items"], json!([now]));

    let told = events(&crm.client, "order.fulfilment_changed", 1).await;
    assert_eq!(
        (&told[0]["subject"], &told[0]["subjectversion"]),
        (&sent["id"], &json!(3))
    );
    assert_eq!(told[0]["data"], now);
    assert_eq!(
        events(&crm.client, "order.submitted", 1).await.len(),
        1,
        "a report echoes nothing"
    );
    let mut kinds = timeline_kinds(&crm.client, id(&of)).await;
    kinds.retain(|kind| kind.starts_with("order_"));
    assert_eq!(
        kinds,
        ["order_submitted", "order_accepted"],
        "newest first, by when it happened"
    );
}

#[actix_web::test]
async fn a_rejection_says_why_line_by_line() {
    let crm = crm().await;
    let of = customer(&crm.client, "Rejected").await;
    let sent = submitted(&crm.client, &of).await;
    let mut rejected = report(&sent, 1, "rejected");
    let reasons = json!([
        { "line": sent["lines"][1]["id"], "code": "unknown_product", "message": "there is no such product" },
        { "line": null, "code": "blocked_customer", "message": "the customer is blocked" },
    ]);
    rejected["order"]["rejection"] = reasons;
    let now = tell(&crm.integration(), &rejected).await.expect(200);
    assert_eq!(
        (&now["status"], &now["fulfilment"]["number"]),
        (&json!("rejected"), &Value::Null)
    );
    assert_eq!(
        now["rejection"],
        json!([
            { "line": sent["lines"][1]["id"], "code": "unknown_product", "message": "there is no such product" },
            { "code": "blocked_customer", "message": "the customer is blocked" },
        ])
    );
    let copy = crm
        .client
        .post(&format!("/v1/orders/{}/copy", id(&sent)), json!({}))
        .await
        .expect(201);
    assert_eq!((&copy["status"], copy.get("rejection")), (&json!("draft"), None));
}

#[actix_web::test]
async fn reports_that_arrive_backwards_end_in_the_newest() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Backwards").await;
    let sent = submitted(&crm.client, &of).await;
    let newest = tell(&sync, &report(&sent, 5, "delivered")).await.expect(200);
    for (version, status) in [(4, "partially_delivered"), (5, "cancelled"), (1, "confirmed")] {
        let stored = tell(&sync, &report(&sent, version, status)).await.expect(200);
        assert_eq!(stored, newest, "version {version} is not newer");
    }
    assert_eq!(order_now(&crm.client, &sent).await, newest);

    let mut resync = report(&sent, 2, "on_hold");
    resync["replace"] = json!(true);
    let replaced = tell(&sync, &resync).await.expect(200);
    assert_eq!(
        (&replaced["status"], &replaced["fulfilment"]["source_version"]),
        (&json!("on_hold"), &json!(2))
    );
    assert_eq!(
        tell(&sync, &resync).await.expect(200),
        replaced,
        "again changes nothing"
    );
    assert_eq!(events(&crm.client, "order.fulfilment_changed", 2).await.len(), 2);
}

#[actix_web::test]
async fn reports_at_once_end_in_the_newest() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "At once").await;
    let sent = submitted(&crm.client, &of).await;
    let statuses = ["confirmed", "on_hold", "partially_delivered", "delivered"];
    let reports: Vec<Value> = (0..4).map(|n| report(&sent, n as i64 + 1, statuses[n])).collect();
    for reply in join_all(reports.iter().rev().chain(&reports).map(|report| tell(&sync, report))).await {
        reply.expect(200);
    }
    let now = order_now(&crm.client, &sent).await;
    assert_eq!(
        (&now["status"], &now["fulfilment"]["source_version"]),
        (&json!("delivered"), &json!(4))
    );
}

#[actix_web::test]
async fn holds_and_deliveries_are_told() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Deliveries").await;
    let sent = submitted(&crm.client, &of).await;
    let mut held = report(&sent, 1, "on_hold");
    held["order"]["holds"] =
        json!([{ "code": "credit", "reason": "limit exceeded", "placed_at": AS_OF, "by": "rule" }]);
    let now = tell(&sync, &held).await.expect(200);
    assert_eq!(now["status"], "on_hold");
    assert_eq!(
        now["fulfilment"]["holds"],
        json!([{ "code": "credit", "reason": "limit exceeded", "placed_at": AS_OF }])
    );
    tell(&sync, &report(&sent, 2, "confirmed")).await.expect(200);

    let delivery = |n: i64, quantity: &str| {
        let line = &sent["lines"][0];
        let lines = json!([{ "line_id": line["id"], "product_id": line["product_id"], "quantity": quantity }]);
        json!({ "id": new_id(), "number": format!("D-{n}"), "date": "2026-11-23", "lines": lines })
    };
    let (first, second) = (delivery(1, "4"), delivery(2, "6"));
    let mut partly = with_lines(
        report(&sent, 3, "partially_delivered"),
        &[json!({ "delivered_quantity": "4", "reserved_quantity": "6" })],
    );
    partly["order"]["deliveries"] = json!([first]);
    tell(&sync, &partly).await.expect(200);
    let mut more = partly.clone();
    merge(&mut more, &json!({ "source_version": 4 }));
    more["order"]["deliveries"] = json!([first, second]);
    let now = tell(&sync, &more).await.expect(200);
    assert_eq!(now["fulfilment"]["deliveries"], json!([first, second]));
    assert_eq!(now["fulfilment"]["lines"][0]["delivered_quantity"], "4");

    let page = crm
        .client
        .get(&format!("/v1/customers/{}/timeline?limit=50", id(&of)))
        .await
        .expect(200);
    let told = |kind: &str| {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| e["kind"] == kind)
            .count()
    };
    assert_eq!(told("delivery"), 2, "each delivery once: {page:#}");
    assert_eq!(
        ["order_on_hold", "order_accepted", "order_partially_delivered"].map(told),
        [1, 1, 1],
        "a status that stays is not told again"
    );
}

#[actix_web::test]
async fn the_erp_prices_what_had_no_price_and_nothing_else() {
    let crm = crm().await;
    let of = customer(&crm.client, "Priced there").await;
    let body = json!({
        "customer_id": id(&of), "currency": "USD", "submit": true,
        "lines": [{ "product_id": new_id(), "quantity": "2" }, { "product_id": new_id(), "quantity": "1", "unit_price": "5" }],
    });
    let sent = placed(&crm.client, body).await;
    assert_eq!(sent["total"]["net"], "5.00");
    let priced = [
        json!({ "unit_price": "1.25", "line_total": "2.50" }),
        json!({ "unit_price": "99", "line_total": "99.00" }),
    ];
    let now = tell(&crm.integration(), &with_lines(report(&sent, 1, "confirmed"), &priced))
        .await
        .expect(200);
    assert_eq!(
        (&now["lines"][0]["unit_price"], &now["lines"][0]["line_total"]),
        (&json!("1.25"), &json!("2.50"))
    );
    assert_eq!(now["lines"][1]["unit_price"], "5", "a given price is a promise");
    assert_eq!(now["total"]["net"], "7.50");
    assert_eq!(order_now(&crm.client, &sent).await, now);
}

#[actix_web::test]
async fn a_cancellation_is_granted_or_refused() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Answers").await;
    let sent = submitted(&crm.client, &of).await;
    let asked = crm
        .client
        .post(&cancel_path(&sent), json!({ "reason": "late" }))
        .await
        .expect(200);
    let mut granted = report(&asked, 2, "cancelled");
    granted["order"]["cancellation"] = json!({ "state": "granted", "reason": null });
    let now = tell(&sync, &granted).await.expect(200);
    assert_eq!(
        (&now["status"], &now["cancellation"]["state"]),
        (&json!("cancelled"), &json!("granted"))
    );
    assert_eq!(now["cancellation"]["reason"], "late");

    let sent = submitted(&crm.client, &of).await;
    let asked = crm.client.post(&cancel_path(&sent), json!({})).await.expect(200);
    let mut refused = report(&asked, 2, "partially_delivered");
    refused["order"]["cancellation"] = json!({ "state": "refused", "reason": "shipped" });
    let now = tell(&sync, &refused).await.expect(200);
    assert_eq!(
        (
            &now["status"],
            &now["cancellation"]["state"],
            &now["cancellation"]["reason"]
        ),
        (&json!("partially_delivered"), &json!("refused"), &json!("shipped"))
    );
    assert_eq!(
        now["allowed_actions"],
        json!(["request_change", "cancel", "copy"]),
        "one may ask again"
    );
}

#[actix_web::test]
async fn a_report_that_has_not_seen_the_request_does_not_answer_it() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Old answers").await;
    let sent = submitted(&crm.client, &of).await;
    crm.client.post(&cancel_path(&sent), json!({})).await.expect(200);
    let accepted = tell(&sync, &report(&sent, 1, "confirmed")).await.expect(200);
    assert_eq!(
        (&accepted["status"], &accepted["cancellation"]["state"]),
        (&json!("accepted"), &json!("requested")),
        "the status is the ERP's, the request stays open"
    );
    let first_request = order_now(&crm.client, &sent).await;
    let answer = |version: i64, seen: &Value| {
        let mut refused = report(seen, version, "confirmed");
        refused["order"]["cancellation"] = json!({ "state": "refused", "reason": "picked" });
        refused
    };
    tell(&sync, &answer(2, &first_request)).await.expect(200);
    let second_request = crm
        .client
        .post(&cancel_path(&sent), json!({ "reason": "please" }))
        .await
        .expect(200);
    let now = tell(&sync, &answer(3, &first_request)).await.expect(200);
    assert_eq!(
        (&now["cancellation"]["state"], &now["cancellation"]["reason"]),
        (&json!("requested"), &json!("please"))
    );
    let now = tell(&sync, &answer(4, &second_request)).await.expect(200);
    assert_eq!(now["cancellation"]["state"], "refused");
}

#[actix_web::test]
async fn an_order_of_the_back_office_is_shown_and_read_only() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Counter sale").await;
    let theirs = back_office_order(&of);
    let reply = tell(&sync, &report(&theirs, 1, "confirmed")).await;
    let path = format!("/v1/orders/{}", id(&theirs));
    assert_eq!(reply.headers["location"], path.as_str());
    let now = reply.expect(201);
    assert_eq!(
        (&now["origin"], &now["status"], &now["submitted_at"]),
        (&json!("erp"), &json!("accepted"), &Value::Null)
    );
    assert_eq!(
        (&now["total"]["net"], &now["customer_id"]),
        (&json!("137.90"), &of["id"])
    );
    assert_eq!(now["lines"][1]["id"], theirs["lines"][1]["id"]);
    assert_eq!(now["allowed_actions"], json!(["copy"]));
    assert_eq!(
        crm.client.get("/v1/orders?origin=erp").await.expect(200)["items"],
        json!([now])
    );
    assert_eq!(
        timeline_kinds(&crm.client, id(&of))
            .await
            .iter()
            .filter(|kind| *kind == "order_accepted")
            .count(),
        1
    );

    let owner_path = format!("/v1/sales-orders/{}", id(&theirs));
    for (verb, body) in [("submit", json!({})), ("cancel", json!({}))] {
        let problem = crm
            .client
            .post(&format!("{path}/{verb}"), body)
            .await
            .expect_problem(409, "not_owner");
        assert_eq!(
            (&problem["owner"], &problem["owner_path"]),
            (&json!("erp"), &json!(owner_path))
        );
    }
    crm.client
        .patch(&path, json!({ "external_ref": "mine" }))
        .await
        .expect_problem(409, "not_owner");
    crm.client.put(&path, order(&of)).await.expect_problem(409, "not_owner");
    crm.client.post(&format!("{path}/copy"), json!({})).await.expect(201);

    // The back office amends its order: it is shown as it is there.
    let mut amended = with_lines(
        report(&theirs, 2, "confirmed"),
        &[json!({ "quantity": "1", "line_total": "9.80" })],
    );
    amended["order"]["lines"].as_array_mut().unwrap().pop();
    amended["order"]["external_ref"] = json!("W-1");
    let now = tell(&sync, &amended).await.expect(200);
    assert_eq!(
        (&now["total"]["net"], &now["external_ref"]),
        (&json!("9.80"), &json!("W-1"))
    );
    assert_eq!(now["lines"].as_array().unwrap().len(), 1);
    assert_eq!(crm.client.get(&path).await.expect(200), now);
    assert_eq!(events(&crm.client, "order.fulfilment_changed", 2).await.len(), 2);
}

#[actix_web::test]
async fn references_of_the_back_office_do_not_take_ours() {
    let crm = crm().await;
    let of = customer(&crm.client, "References").await;
    let mut ours = order(&of);
    ours["external_ref"] = json!("PO-1");
    placed(&crm.client, ours).await;
    let mut theirs = back_office_order(&of);
    theirs["external_ref"] = json!("PO-1");
    tell(&crm.integration(), &report(&theirs, 1, "confirmed"))
        .await
        .expect(201);
    let found = crm.client.get("/v1/orders?external_ref=PO-1").await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn an_order_of_an_unknown_customer_waits_for_it() {
    let crm = crm().await;
    let sync = crm.integration();
    let customer_id = new_id();
    let theirs = back_office_order(&json!({ "id": customer_id }));
    let told = report(&theirs, 1, "confirmed");
    let problem = tell(&sync, &told).await.expect_problem(409, "reference_missing");
    assert_eq!(problem["missing"], json!([{ "type": "customer", "id": customer_id }]));
    let body = json!({ "id": customer_id, "name": "Arrives later", "kind": "company" });
    crm.client.post("/v1/customers", body).await.expect(201);
    tell(&sync, &told).await.expect(201);
}

#[actix_web::test]
async fn an_order_that_a_restored_crm_has_forgotten_comes_back() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Restored").await;
    let mut lost = back_office_order(&of);
    merge(
        &mut lost,
        &json!({ "origin": "crm", "version": 4, "external_ref": "PO-7" }),
    );
    let now = tell(&sync, &report(&lost, 9, "confirmed")).await.expect(201);
    assert_eq!(
        (&now["origin"], &now["status"], &now["version"]),
        (&json!("crm"), &json!("accepted"), &json!(4))
    );
    assert_eq!(now["external_ref"], "PO-7");
    let asked = crm.client.post(&cancel_path(&lost), json!({})).await.expect(200);
    assert_eq!(asked["version"], 5, "newer than what the ERP has applied");

    // The dump had it as a draft that was edited and submitted later.
    let draft = placed(&crm.client, order(&of)).await;
    let mut later = with_lines(
        report(&draft, 2, "on_hold"),
        &[json!({ "quantity": "1", "line_total": "9.80" })],
    );
    later["order"]["source_version"] = json!(3);
    let now = tell(&sync, &later).await.expect(200);
    assert_eq!(
        (&now["status"], &now["version"], &now["total"]["net"]),
        (&json!("on_hold"), &json!(3), &json!("49.70"))
    );
    assert!(now["submitted_at"].is_string());
    assert_eq!(order_now(&crm.client, &draft).await, now);
}

#[actix_web::test]
async fn an_unknown_order_told_by_many_at_once_is_made_once() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Once").await;
    let told = report(&back_office_order(&of), 1, "confirmed");
    let replies = join_all((0..16).map(|_| tell(&sync, &told))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 15);
    assert_eq!(events(&crm.client, "order.fulfilment_changed", 1).await.len(), 1);
}

#[actix_web::test]
async fn a_faulty_report_is_refused_whole() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Faulty").await;
    let sent = submitted(&crm.client, &of).await;
    let path = format!("/v1/orders/{}/fulfilment", id(&sent));
    for (pointer, value) in [
        ("/order/id", json!(new_id())),
        ("/order/status", json!("draft")),
        ("/order/lines/0/quantity", json!("0")),
        ("/order/lines/1/id", sent["lines"][0]["id"].clone()),
        ("/order/lines/1/line_total", json!("100000000000000000")),
        ("/order/lines/0/reserved_quantity", json!("-1")),
        ("/source_version", json!(-1)),
        ("/as_of", json!("yesterday")),
    ] {
        let mut wrong = report(&sent, 1, "confirmed");
        *wrong.pointer_mut(pointer).unwrap() = value;
        let problem = sync.put(&path, wrong).await.expect(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    assert_eq!(order_now(&crm.client, &sent).await, sent);
    let told = report(&sent, 1, "confirmed");
    let problem = crm
        .client
        .put(&path, told.clone())
        .await
        .expect_problem(409, "not_owner");
    assert_eq!(problem["owner"], "erp");
    let viewer = crm.client.new_key("viewer", &[]).await;
    viewer.put(&path, told).await.expect_problem(403, "forbidden");
}

#[actix_web::test]
async fn invoicing_and_payment_show_and_are_told_once() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Paid").await;
    let sent = submitted(&crm.client, &of).await;
    for (version, invoicing, payment) in [
        (1, "none", "none"),
        (2, "full", "partial"),
        (3, "full", "full"),
        (4, "full", "full"),
    ] {
        let mut told = report(&sent, version, "delivered");
        merge(
            &mut told["order"],
            &json!({ "delivery": "full", "invoicing": invoicing, "payment": payment, "uninvoiced": "12.5" }),
        );
        told["order"]["lines"][0]["invoiced_quantity"] = json!("10");
        told["order"]["lines"][0]["returned_quantity"] = json!("1");
        let fulfilment = tell(&sync, &told).await.expect(200)["fulfilment"].clone();
        assert_eq!(
            (
                &fulfilment["invoicing"],
                &fulfilment["payment"],
                &fulfilment["uninvoiced"]
            ),
            (&json!(invoicing), &json!(payment), &json!("12.50"))
        );
        assert_eq!(
            (
                &fulfilment["lines"][0]["invoiced_quantity"],
                &fulfilment["lines"][0]["returned_quantity"]
            ),
            (&json!("10"), &json!("1"))
        );
    }
    let kinds = timeline_kinds(&crm.client, id(&of)).await;
    for kind in ["order_invoiced", "order_paid"] {
        assert_eq!(kinds.iter().filter(|told| *told == kind).count(), 1, "{kinds:?}");
    }
}
