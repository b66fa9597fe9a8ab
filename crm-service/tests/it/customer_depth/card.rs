use crate::activities::{activity, customer_of};
use crate::deals::support::{deal, in_days, pipeline, today};
use crate::documents::{invoice, told};
use crate::sales::{self, AS_OF};
use crate::support::{crm, customer, id};
use crate::visibility::company;
use serde_json::{Value, json};
use service_kit::testing::Client;

async fn card(client: &Client, of: &Value) -> Value {
    client.get(&format!("/v1/customers/{}/card", id(of))).await.expect(200)
}

#[actix_web::test]
async fn a_card_shows_what_there_is() {
    let crm = crm().await;
    let client = &crm.client;
    let body = json!({
        "name": "Ernst Handel", "kind": "company", "tags": ["vip"], "grade": "B",
        "contacts": [{ "name": "Roland Mendel", "role": "buyer" }],
        "legal_entities": [
            { "name": "Ernst Handel KG", "valid_to": in_days(-1), "is_default": true },
            { "name": "Ernst Handel GmbH", "valid_from": today(), "is_default": true },
            { "name": "Ernst Handel AG", "valid_from": in_days(1), "is_default": false },
        ],
    });
    let of = client.post("/v1/customers", body).await.expect(201);
    let empty = card(client, &of).await;
    assert_eq!(
        (&empty["open_deals"], &empty["open_orders"], &empty["unpaid_invoices"]),
        (
            &json!({ "count": 0, "first": [] }),
            &json!({ "count": 0, "first": [] }),
            &json!({ "count": 0, "first": [] })
        )
    );
    assert_eq!(
        (&empty["credit"], &empty["next_activity"], &empty["segments"]),
        (&json!(null), &json!(null), &json!([]))
    );

    let plain = pipeline(client, "Plain").await;
    let late = deal(
        client,
        &of,
        &plain,
        json!({ "amount": "100", "expected_close_on": in_days(30) }),
    )
    .await;
    let soon = deal(
        client,
        &of,
        &plain,
        json!({ "name": "Coffee", "expected_close_on": in_days(3) }),
    )
    .await;
    let won = deal(client, &of, &plain, json!({ "amount": "5" })).await;
    client
        .post(&format!("/v1/deals/{}/win", id(&won)), json!({}))
        .await
        .expect(200);
    let draft = sales::placed(client, sales::order(&of)).await;
    let sent = sales::submitted(client, &of).await;
    let sync = crm.integration();
    sales::tell(&sync, &sales::report(&sent, 1, "delivered"))
        .await
        .expect(200);
    let facts = json!({
        "source_version": 1, "tier": "gold", "credit_limit": "1000", "credit_currency": "USD", "credit_hold": false,
        "blocked": false, "open_balance": "119", "overdue_days": 12, "as_of": AS_OF,
    });
    sync.put(&format!("/v1/customers/{}/credit", id(&of)), facts)
        .await
        .expect(200);
    let paid = json!({ "status": "paid", "open_amount": "0.00", "number": "INV-2026-000002" });
    for (number, document) in [(1, invoice(&of, &json!({}))), (2, invoice(&of, &paid))] {
        let (path, body) = told("invoice", &document, number);
        sync.put(&path, body).await.expect(201);
    }
    let on = json!({ "subject_type": "customer", "subject_id": of["id"] });
    let about = |more: Value| {
        let mut body = on.clone();
        sales::merge(&mut body, &more);
        body
    };
    activity(
        client,
        about(json!({ "kind": "task", "title": "Later", "due_on": in_days(9) })),
    )
    .await;
    let next = activity(
        client,
        about(json!({ "kind": "task", "title": "Next", "due_on": in_days(1) })),
    )
    .await;
    activity(
        client,
        about(json!({ "kind": "note", "title": "Old", "body": "x", "done_at": "2026-01-02T10:00:00Z" })),
    )
    .await;
    let last = activity(
        client,
        about(json!({ "kind": "note", "title": "New", "body": "x", "done_at": "2026-02-02T10:00:00Z" })),
    )
    .await;
    let body = json!({ "name": "Fair 2026", "kind": "static" });
    let segment = client.post("/v1/segments", body).await.expect(201);
    let members = json!({ "customer_ids": [of["id"]] });
    client
        .post(&format!("/v1/segments/{}/members/add", id(&segment)), members)
        .await
        .expect(200);

    let shown = card(client, &of).await;
    assert_eq!(
        (&shown["name"], &shown["grade"], &shown["tags"]),
        (&json!("Ernst Handel"), &json!("B"), &json!(["vip"]))
    );
    assert_eq!(shown["contacts"][0]["name"], "Roland Mendel");
    assert_eq!(shown["legal_entity"]["name"], "Ernst Handel GmbH");
    assert_eq!(shown["segments"], json!([{ "id": segment["id"], "name": "Fair 2026" }]));
    let deals = &shown["open_deals"];
    assert_eq!(deals["count"], 2);
    assert_eq!(deals["first"][0]["id"], soon["id"]);
    let second = &deals["first"][1];
    assert_eq!(
        (
            &second["id"],
            &second["amount"],
            &second["weighted_amount"],
            &second["stage"]
        ),
        (&late["id"], &json!("100.00"), &json!("30.00"), &json!("a"))
    );
    assert_eq!(deals["first"][0]["amount"], json!(null), "nobody knows, which is not 0");
    let open = &shown["open_orders"];
    assert_eq!(
        (&open["count"], &open["first"][0]["id"], &open["first"][0]["net"]),
        (&json!(1), &draft["id"], &json!("137.90"))
    );
    let recent: Vec<&Value> = shown["recent_orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| &order["id"])
        .collect();
    assert_eq!(recent, [&sent["id"], &draft["id"]]);
    let credit = &shown["credit"];
    assert_eq!(
        (&credit["open_balance"], &credit["overdue_days"], &credit["as_of"]),
        (&json!("119.00"), &json!(12), &json!(AS_OF))
    );
    let unpaid = &shown["unpaid_invoices"];
    // Due on 15 February 2026.
    let overdue = (today() - "2026-02-15".parse::<chrono::NaiveDate>().unwrap()).num_days();
    assert_eq!(
        (
            &unpaid["count"],
            &unpaid["first"][0]["number"],
            &unpaid["first"][0]["open_amount"],
            &unpaid["first"][0]["overdue_days"]
        ),
        (&json!(1), &json!("INV-2026-000001"), &json!("119.00"), &json!(overdue))
    );
    assert_eq!(
        (&shown["next_activity"]["id"], &shown["last_activity"]["id"]),
        (&next["id"], &last["id"])
    );
}

#[actix_web::test]
async fn a_card_shows_what_its_reader_may_see() {
    let c = company().await;
    let crm = &c.crm;
    let of = customer_of(crm, "Shared", &c.ana.id).await;
    let plain = pipeline(&crm.client, "Plain").await;
    for owner in [&c.ana, &c.nils] {
        deal(&crm.client, &of, &plain, json!({ "owner_id": owner.id })).await;
        let mut order = sales::order(&of);
        order["owner_id"] = json!(owner.id);
        sales::placed(&crm.client, order).await;
        let subject = json!({
            "kind": "task", "title": owner.email, "due_on": in_days(1), "subject_type": "customer", "subject_id": of["id"],
            "owner_id": owner.id,
        });
        activity(&crm.client, subject).await;
    }
    let counts = |card: &Value| {
        let recent = card["recent_orders"].as_array().unwrap().len();
        (
            card["open_deals"]["count"].clone(),
            card["open_orders"]["count"].clone(),
            recent,
        )
    };
    for (user, seen) in [(&c.ana, 1), (&c.lea, 2), (&c.otto, 2)] {
        assert_eq!(
            counts(&card(&user.client, &of).await),
            (json!(seen), json!(seen), seen),
            "{}",
            user.email
        );
    }
    assert_eq!(
        card(&c.ana.client, &of).await["next_activity"]["title"],
        json!(c.ana.email)
    );
    let path = format!("/v1/customers/{}/card", id(&of));
    assert_eq!(c.who_gets(&path).await, [true, false, false, true, true]);
}

#[actix_web::test]
async fn a_card_has_no_part_that_its_reader_may_not_read() {
    let crm = crm().await;
    let of = customer(&crm.client, "Secret").await;
    let reader = crm.client.new_key("custom", &["customers:read"]).await;
    let shown = card(&reader, &of).await;
    for part in [
        "open_deals",
        "open_orders",
        "recent_orders",
        "unpaid_invoices",
        "next_activity",
        "last_activity",
        "segments",
    ] {
        assert_eq!(shown[part], json!(null), "{part}");
    }
    let reader = crm.client.new_key("custom", &["customers:read", "deals:read"]).await;
    assert_eq!(card(&reader, &of).await["open_deals"]["count"], 0);
}
