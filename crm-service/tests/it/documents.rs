//! Invoices, credit notes and payments as the sync tells them.

use crate::sales::{AS_OF, merge, new_id};
use crate::support::{crm, customer, events, id, timeline_kinds};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// An invoice of 100.00 net, 119.00 gross, due on 15 February in one part.
pub fn invoice(of: &Value, changes: &Value) -> Value {
    let mut invoice = json!({
        "id": new_id(), "kind": "invoice", "number": "INV-2026-000001", "status": "posted", "customer_id": of["id"],
        "order_id": new_id(), "credited_invoice_id": null, "return_id": null, "date": "2026-01-15", "currency": "USD",
        "prices_include_tax": false, "payment_terms_id": null, "legal_entity_id": null,
        "party": { "legal_entity_id": null, "name": "Ernst Handel", "tax_id": "AT1", "registration_number": null, "address": null },
        "exchange_rate": "1",
        "lines": [{
            "id": new_id(), "position": 1, "kind": "product", "order_line_id": new_id(), "charge_id": null,
            "product_id": new_id(), "account_id": null, "description": "Chai", "quantity": "10", "unit": "pcs",
            "unit_price": "10.00", "discount": "0", "amount": "100.00", "net": "100.00", "tax_class": null,
            "credited_quantity": "0", "credited_amount": "0.00",
        }],
        "taxes": [{
            "code": "S19", "name": "Standard", "report_code": null, "rate": "0.19", "reverse_charge": false,
            "net": "100.00", "tax": "19.00", "base_net": "100.00", "base_tax": "19.00",
        }],
        "total": { "net": "100.00", "tax": "19.00", "gross": "119.00" }, "base_gross": "119.00", "advances": [],
        "payable": "119.00", "open_amount": "119.00", "credited": "0.00",
        "instalments": [{
            "item_id": new_id(), "due_on": "2026-02-15", "amount": "119.00", "open_amount": "119.00",
            "discount_until": null, "discount": null, "disputed": false, "dunning_level": 0,
        }],
        "allocations": [], "reason": null, "notes": "not for sales", "external_ref": null, "posted_at": AS_OF,
        "version": 1, "revision": 1,
    });
    merge(&mut invoice, changes);
    invoice
}

pub fn payment(of: &Value, changes: &Value) -> Value {
    let mut payment = json!({
        "id": new_id(), "number": "PAY-2026-000001", "status": "posted", "direction": "in", "customer_id": of["id"],
        "currency": "USD", "amount": "119.00", "unallocated": "0.00", "date": "2026-02-01", "reference": "INV-2026-000001",
        "method": "bank_transfer",
        "allocations": [{
            "id": new_id(), "document_type": "invoice", "document_id": new_id(), "document_number": "INV-2026-000001",
            "date": "2026-02-01", "currency": "USD", "cleared": "119.00", "discount": "0.00", "written_off": "0.00",
            "paid": "119.00", "undone_on": null, "journal_entry_id": new_id(),
        }],
        "external_ref": null, "reversed_on": null, "reversal_reason": null,
    });
    merge(&mut payment, changes);
    payment
}

/// The path and body by which the sync tells a document.
pub fn told(kind: &str, document: &Value, version: i64) -> (String, Value) {
    let mut body = json!({ "source_version": version, "as_of": AS_OF });
    body[kind] = document.clone();
    (format!("/v1/{kind}s/{}", id(document)), body)
}

#[actix_web::test]
async fn an_invoice_shows_with_what_is_open_and_when_it_is_due() {
    let crm = crm().await;
    let of = customer(&crm.client, "Ernst Handel").await;
    let document = invoice(&of, &json!({}));
    let (path, body) = told("invoice", &document, 3);
    let reply = crm.integration().put(&path, body).await;
    assert_eq!(reply.headers["location"], path.as_str());
    let made = reply.expect(201);
    assert_eq!(
        (&made["number"], &made["open_amount"], &made["due_on"], &made["as_of"]),
        (
            &json!("INV-2026-000001"),
            &json!("119.00"),
            &json!("2026-02-15"),
            &json!(AS_OF)
        )
    );
    assert_eq!(
        made["total"],
        json!({ "net": "100.00", "tax": "19.00", "gross": "119.00" })
    );
    assert_eq!(made["taxes"][0]["rate"], "0.19");
    assert_eq!((&made["source_version"], &made["revision"]), (&json!(3), &json!(1)));
    assert_eq!(made.get("notes"), None, "the ERP's notes stay there");
    let reply = crm.client.get(&path).await;
    assert_eq!(reply.etag(), "\"1\"");
    assert_eq!(reply.expect(200), made);
    let of_customer = crm
        .client
        .get(&format!("/v1/customers/{}/invoices", id(&of)))
        .await
        .expect(200);
    assert_eq!(of_customer["items"], json!([made]));
    let trail = crm
        .client
        .get(&format!("/v1/audit-log?subject={}", id(&made)))
        .await
        .expect(200);
    assert_eq!(trail["items"][0]["changes"]["open_amount"]["to"], "119.00");
}

#[actix_web::test]
async fn the_newest_version_wins_in_any_order() {
    let crm = crm().await;
    let of = customer(&crm.client, "Versions").await;
    let sync = crm.integration();
    for (kind, document) in [
        ("invoice", invoice(&of, &json!({}))),
        ("payment", payment(&of, &json!({}))),
    ] {
        let at = |version: i64, reference: &str, replace: bool| {
            let mut document = document.clone();
            document["external_ref"] = json!(reference);
            let (path, mut body) = told(kind, &document, version);
            body["replace"] = json!(replace);
            (path, body)
        };
        let (path, body) = at(5, "five", false);
        let newest = sync.put(&path, body).await.expect(201);
        for version in [4, 5, 1] {
            let stored = sync.put(&path, at(version, "older", false).1).await.expect(200);
            assert_eq!(stored, newest, "{kind} version {version} is not newer");
        }
        let six = sync.put(&path, at(6, "six", false).1).await.expect(200);
        assert_eq!((&six["external_ref"], &six["revision"]), (&json!("six"), &json!(2)));
        let reset = sync.put(&path, at(2, "two", true).1).await.expect(200);
        assert_eq!(
            (&reset["external_ref"], &reset["source_version"]),
            (&json!("two"), &json!(2))
        );
        let again = sync.put(&path, at(2, "two", true).1).await.expect(200);
        assert_eq!(again, reset, "{kind}: a resync of what is stored changes nothing");

        let twins = (7..23).map(|version| sync.put(&path, at(version, &version.to_string(), false).1));
        assert!(
            join_all(twins.map(|twin| async { twin.await.status }))
                .await
                .iter()
                .all(|status| *status == 200)
        );
        assert_eq!(crm.client.get(&path).await.expect(200)["external_ref"], "22");
    }
    let kinds = timeline_kinds(&crm.client, id(&of)).await;
    assert_eq!(kinds.len(), 3, "posted, received and the creation: {kinds:?}");
    // Nothing echoes: what comes after it in the feed is the first event there is but for the customer's.
    customer(&crm.client, "Later").await;
    let seen = events(&crm.client, "", 2).await;
    assert!(
        seen.iter().all(|event| event["type"] == "customer.changed"),
        "{seen:#?}"
    );
}

#[actix_web::test]
async fn the_timeline_tells_the_life_of_an_invoice() {
    let crm = crm().await;
    let of = customer(&crm.client, "Life").await;
    let sync = crm.integration();
    let document = invoice(&of, &json!({}));
    let open = |status: &str, open: &str, credited: &str| {
        let mut document = document.clone();
        merge(
            &mut document,
            &json!({ "status": status, "open_amount": open, "credited": credited }),
        );
        document["instalments"][0]["open_amount"] = json!(open);
        document
    };
    let collected = |level: i64, disputed: bool| {
        let mut document = open("posted", "119.00", "0.00");
        document["instalments"][0]["dunning_level"] = json!(level);
        document["instalments"][0]["disputed"] = json!(disputed);
        document
    };
    let steps = [
        (open("posted", "119.00", "0.00"), vec!["invoice_posted"], "posted"),
        (
            collected(2, false),
            vec!["invoice_reminded"],
            "reminder of level 2, 119.00 USD open",
        ),
        (collected(2, true), vec!["invoice_disputed"], "disputed"),
        (
            collected(2, false),
            vec!["invoice_dispute_lifted"],
            "not disputed any more",
        ),
        (
            open("partially_paid", "69.00", "0.00"),
            vec!["invoice_partially_paid"],
            "69.00 USD open",
        ),
        (open("paid", "0.00", "0.00"), vec!["invoice_paid"], "paid"),
        (
            open("partially_paid", "69.00", "0.00"),
            vec!["invoice_reopened"],
            "open again: 69.00 USD",
        ),
        (
            open("posted", "119.00", "0.00"),
            vec!["invoice_reopened"],
            "open again: 119.00 USD",
        ),
        (
            open("partially_paid", "100.00", "19.00"),
            vec!["invoice_credited"],
            "19.00 USD in all",
        ),
        (
            open("credited", "0.00", "119.00"),
            vec!["invoice_credited"],
            "119.00 USD in all",
        ),
    ];
    let mut expected = vec!["customer_created".to_owned()];
    for (version, (document, kinds, says)) in (1..).zip(steps) {
        let (path, mut body) = told("invoice", &document, version);
        body["as_of"] = json!(format!("2027-01-{version:02}T10:00:00Z"));
        let stored = sync.put(&path, body).await;
        assert!([200, 201].contains(&stored.status.as_u16()), "{:#}", stored.body);
        let page = crm
            .client
            .get(&format!("/v1/customers/{}/timeline?subject={}", id(&of), id(&document)))
            .await
            .expect(200);
        let entries: Vec<&Value> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["subject_version"] == version)
            .collect();
        let found: Vec<&str> = entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
        assert_eq!(found, kinds, "version {version}");
        assert!(entries[0]["summary"].as_str().unwrap().contains(says), "{entries:#?}");
        assert_eq!(
            (&entries[0]["source"], entries[0]["as_of"].is_string()),
            (&json!("erp"), true)
        );
        expected.extend(kinds.into_iter().map(str::to_owned));
    }
    assert_eq!(timeline_kinds(&crm.client, id(&of)).await.len(), expected.len());

    // What was missed in between is told by what arrives.
    let (path, body) = told(
        "invoice",
        &invoice(
            &of,
            &json!({ "status": "paid", "open_amount": "0.00", "instalments": [] }),
        ),
        4,
    );
    assert_eq!(sync.put(&path, body).await.expect(201)["due_on"], Value::Null);
    let note = json!({ "kind": "credit_note", "number": "CN-2026-000001", "open_amount": "-119.00" });
    let (path, body) = told("invoice", &invoice(&of, &note), 1);
    sync.put(&path, body).await.expect(201);
    let kinds = timeline_kinds(&crm.client, id(&of)).await;
    for kind in ["invoice_posted", "invoice_paid"] {
        assert_eq!(kinds.iter().filter(|told| *told == kind).count(), 2, "{kinds:?}");
    }
    assert!(kinds.contains(&"credit_note_posted".to_owned()));
}

#[actix_web::test]
async fn payments_are_received_reversed_and_paid_back() {
    let crm = crm().await;
    let of = customer(&crm.client, "Payments").await;
    let sync = crm.integration();
    let mut received = payment(&of, &json!({}));
    let (path, body) = told("payment", &received, 1);
    let made = sync.put(&path, body).await.expect(201);
    assert_eq!(made["allocations"][0]["cleared"], "119.00");
    assert_eq!(made["allocations"][0].get("journal_entry_id"), None);
    merge(
        &mut received,
        &json!({ "status": "reversed", "reversed_on": "2026-02-10", "reversal_reason": "bounced" }),
    );
    let after = sync.put(&path, told("payment", &received, 2).1).await.expect(200);
    assert_eq!((&after["status"], &after["revision"]), (&json!("reversed"), &json!(2)));
    assert_eq!(crm.client.get(&path).await.expect(200), after);
    let refund = payment(
        &of,
        &json!({ "direction": "out", "number": "PAY-2026-000002", "unallocated": "5.00" }),
    );
    let (path, body) = told("payment", &refund, 1);
    sync.put(&path, body).await.expect(201);
    let kinds = timeline_kinds(&crm.client, id(&of)).await;
    for kind in ["payment_received", "payment_reversed", "refund_paid"] {
        assert!(kinds.contains(&kind.to_owned()), "{kind} in {kinds:?}");
    }
    let of_customer = format!("/v1/customers/{}/payments", id(&of));
    for (query, count) in [
        ("", 2),
        ("?direction=out", 1),
        ("?status=reversed", 1),
        ("?open=true", 1),
        ("?sort=-date", 2),
    ] {
        let page = crm.client.get(&format!("{of_customer}{query}")).await.expect(200);
        assert_eq!(page["items"].as_array().map(Vec::len), Some(count), "{query}");
    }
    let unknown = format!("/v1/customers/{}/payments", new_id());
    crm.client.get(&unknown).await.expect_problem(404, "not_found");
}

#[actix_web::test]
async fn invoices_are_found_and_paged() {
    let crm = crm().await;
    let (of, other) = (
        customer(&crm.client, "Many").await,
        customer(&crm.client, "Other").await,
    );
    let sync = crm.integration();
    let order = new_id();
    for day in 1..=5 {
        let changes = json!({ "date": format!("2026-01-{day:02}"), "number": format!("INV-{day}") });
        let mut document = invoice(if day == 5 { &other } else { &of }, &changes);
        if day == 2 {
            merge(
                &mut document,
                &json!({ "order_id": order, "status": "paid", "open_amount": "0.00" }),
            );
        }
        if day == 3 {
            document["instalments"][0]["due_on"] = json!("2026-03-01");
        }
        let (path, body) = told("invoice", &document, 1);
        sync.put(&path, body).await.expect(201);
    }
    let days = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["number"].as_str().unwrap()[4..].to_owned())
            .collect()
    };
    for (query, expected) in [
        ("", "12345"),
        (&*format!("?customer_id={}", id(&of)), "1234"),
        (&*format!("?order_id={order}"), "2"),
        ("?status=paid", "2"),
        ("?open=true", "1345"),
        ("?open=false", "2"),
        ("?kind=credit_note", ""),
        ("?number=INV-4", "4"),
        ("?date_from=2026-01-02&date_to=2026-01-04", "234"),
        ("?due_to=2026-02-28", "145"),
        ("?sort=-date&limit=2", "54"),
    ] {
        let page = crm.client.get(&format!("/v1/invoices{query}")).await.expect(200);
        assert_eq!(days(&page).concat(), expected, "{query}");
    }
    let (mut walked, mut cursor) = (String::new(), String::new());
    loop {
        let path = format!("/v1/customers/{}/invoices?sort=-date&limit=3{cursor}", id(&of));
        let page = crm.client.get(&path).await.expect(200);
        walked += &days(&page).concat();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(walked, "4321");
    crm.client
        .get(&format!("/v1/customers/{}/invoices", new_id()))
        .await
        .expect_problem(404, "not_found");
}

#[actix_web::test]
async fn documents_are_changed_in_the_erp() {
    let crm = crm().await;
    let of = customer(&crm.client, "Owned").await;
    let (sales, viewer) = (
        crm.client.new_key("sales", &[]).await,
        crm.client.new_key("viewer", &[]).await,
    );
    for (kind, document) in [
        ("invoice", invoice(&of, &json!({}))),
        ("payment", payment(&of, &json!({}))),
    ] {
        let (path, body) = told(kind, &document, 1);
        let problem = sales.put(&path, body.clone()).await.expect_problem(409, "not_owner");
        assert_eq!(
            (&problem["owner"], &problem["owner_path"]),
            (&json!("erp"), &json!(format!("/v1/{kind}s/{{id}}")))
        );
        viewer.put(&path, body).await.expect_problem(403, "forbidden");
        for (method, path) in [(Method::POST, format!("/v1/{kind}s")), (Method::PATCH, path.clone())] {
            let request = sales.request(method, &path).json(&json!({ "number": "mine" }));
            let problem = sales.send(request).await.expect_problem(409, "not_owner");
            assert_eq!(problem["owner_path"], json!(path));
        }
        crm.client.get(&path).await.expect_problem(404, "not_found");
    }
}

#[actix_web::test]
async fn a_document_waits_for_its_customer_and_faults_are_named() {
    let crm = crm().await;
    let sync = crm.integration();
    let nobody = json!({ "id": new_id() });
    for (kind, document) in [
        ("invoice", invoice(&nobody, &json!({}))),
        ("payment", payment(&nobody, &json!({}))),
    ] {
        let (path, body) = told(kind, &document, 1);
        let problem = sync
            .put(&path, body.clone())
            .await
            .expect_problem(409, "reference_missing");
        assert_eq!(problem["missing"], json!([{ "type": "customer", "id": nobody["id"] }]));
        for (pointer, value) in [
            (format!("/{kind}/id"), json!(new_id())),
            (format!("/{kind}/status"), json!("draft")),
            (format!("/{kind}/currency"), json!("usd")),
            (format!("/{kind}/allocations"), json!("all")),
            ("/source_version".to_owned(), json!(-1)),
            ("/as_of".to_owned(), json!("yesterday")),
        ] {
            let mut wrong = body.clone();
            *wrong.pointer_mut(&pointer).unwrap() = value;
            let problem = sync.put(&path, wrong).await.expect(422);
            assert_eq!(problem["errors"][0]["pointer"], pointer);
        }
    }
}
