use super::{activity, faults, task};
use crate::support::{crm, customer, events, id, timeline_kinds};
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

#[actix_web::test]
async fn each_kind_has_its_fields() {
    let crm = crm().await;
    let of = customer(&crm.client, "Alfreds Futterkiste").await;
    let on = json!({ "subject_type": "customer", "subject_id": of["id"] });
    let with = |mut body: Value| {
        body.as_object_mut().unwrap().extend(on.as_object().unwrap().clone());
        body
    };
    let call = activity(
        &crm.client,
        with(
            json!({ "kind": "call", "title": "Autumn range", "direction": "out", "phone": "030-0074321",
                     "due_at": "2026-12-01T09:30:00Z" }),
        ),
    )
    .await;
    assert_eq!(
        (&call["state"], &call["due_on"], &call["due_by"], &call["customer_id"]),
        (
            &json!("open"),
            &json!("2026-12-01"),
            &json!("2026-12-01T09:30:00Z"),
            &of["id"]
        )
    );
    assert_eq!(call["allowed_actions"], json!(["edit", "complete", "cancel", "assign"]));
    let meeting = activity(
        &crm.client,
        with(
            json!({ "kind": "meeting", "title": "Tasting", "starts_at": "2026-12-02T10:00:00Z",
                     "ends_at": "2026-12-02T11:30:00Z", "location": "Berlin", "attendees": ["Maria Anders"] }),
        ),
    )
    .await;
    assert_eq!(
        (&meeting["due_on"], &meeting["due_by"]),
        (&json!("2026-12-02"), &json!("2026-12-02T11:30:00Z"))
    );
    let note = activity(
        &crm.client,
        with(json!({ "kind": "note", "title": "Likes tea", "body": "Only green tea." })),
    )
    .await;
    assert_eq!(
        (&note["state"], &note["allowed_actions"]),
        (&json!("done"), &json!(["edit", "assign"]))
    );
    assert!(note["done_at"].is_string());
    activity(
        &crm.client,
        with(json!({ "kind": "sms", "title": "On my way", "body": "There at ten", "direction": "in", "phone": "1" })),
    )
    .await;
    activity(
        &crm.client,
        with(
            json!({ "kind": "email", "title": "Offer", "direction": "out", "from_address": "me@example.com",
                     "to_addresses": ["maria@alfreds.example"], "done_at": "2026-01-05T08:00:00Z" }),
        ),
    )
    .await;
    let task = activity(
        &crm.client,
        json!({ "kind": "task", "title": "Send the list", "due_on": "2026-12-03" }),
    )
    .await;
    assert_eq!(
        (&task["due_by"], &task["customer_id"], &task["priority"]),
        (&json!("2026-12-04T00:00:00Z"), &Value::Null, &json!("normal"))
    );
    let told = timeline_kinds(&crm.client, id(&of)).await;
    assert_eq!(
        told,
        ["sms", "note", "customer_created", "email"],
        "what is open has not happened"
    );
}

#[actix_web::test]
async fn what_stands_with_the_wrong_kind_or_is_missing_is_named() {
    let crm = crm().await;
    let refused = async |body: Value| {
        let reply = crm.client.post("/v1/activities", body).await;
        assert_eq!(reply.status, 422, "{}", reply.body);
        faults(&reply.body)
    };
    let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    };
    assert_eq!(
        refused(json!({ "kind": "task", "title": "x", "direction": "in", "phone": "1", "outcome": "busy", "duration_minutes": 3,
            "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2026-01-01T00:00:00Z", "location": "here", "attendees": ["me"],
            "from_address": "a", "to_addresses": ["b"], "cc_addresses": ["c"] }))
        .await,
        pairs(&[
            ("/attendees", "not_for_kind"),
            ("/cc_addresses", "not_for_kind"),
            ("/direction", "not_for_kind"),
            ("/duration_minutes", "not_for_kind"),
            ("/ends_at", "not_for_kind"),
            ("/ends_at", "out_of_range"),
            ("/from_address", "not_for_kind"),
            ("/location", "not_for_kind"),
            ("/outcome", "not_for_kind"),
            ("/phone", "not_for_kind"),
            ("/starts_at", "not_for_kind"),
            ("/to_addresses", "not_for_kind"),
        ])
    );
    assert_eq!(
        refused(json!({ "kind": "call", "title": "x", "state": "done", "remind_at": "2026-01-01T00:00:00Z" })).await,
        pairs(&[
            ("/direction", "required"),
            ("/outcome", "required"),
            ("/remind_at", "needs_owner")
        ])
    );
    assert_eq!(
        refused(json!({ "kind": "meeting", "title": "x", "due_on": "2026-01-01", "recurrence": "DAILY" })).await,
        pairs(&[
            ("/due_on", "not_for_kind"),
            ("/ends_at", "required"),
            ("/recurrence", "invalid_recurrence"),
            ("/recurrence", "invalid_recurrence"),
            ("/starts_at", "required"),
        ])
    );
    assert_eq!(
        refused(
            json!({ "kind": "note", "title": "x", "state": "open", "due_on": "2026-01-01", "recurrence": "FREQ=DAILY" })
        )
        .await,
        pairs(&[
            ("/body", "required"),
            ("/due_on", "not_for_kind"),
            ("/recurrence", "not_for_kind"),
            ("/state", "not_for_kind"),
        ])
    );
    assert_eq!(
        refused(json!({ "kind": "task", "title": "x", "state": "cancelled", "done_at": "2999-01-01T00:00:00Z", "recurrence": "FREQ=DAILY",
            "subject_type": "customer", "owner_id": Uuid::now_v7(), "team_id": Uuid::now_v7(), "contact_id": Uuid::now_v7() }))
        .await,
        pairs(&[
            ("/done_at", "out_of_range"),
            ("/due_on", "required"),
            ("/owner_id", "unknown_user"),
            ("/state", "unknown_value"),
            ("/subject_id", "required"),
            ("/team_id", "unknown_team"),
        ])
    );
    for kind in ["customer", "lead", "deal", "quote", "order"] {
        let body = json!({ "kind": "task", "title": "x", "subject_type": kind, "subject_id": Uuid::now_v7(),
                           "due_on": "2026-01-01", "due_at": "2026-01-01T00:00:00Z" });
        assert_eq!(
            refused(body).await,
            pairs(&[("/due_on", "ambiguous"), ("/subject_id", "unknown_subject")])
        );
    }
}

#[actix_web::test]
async fn an_activity_goes_its_way() {
    let crm = crm().await;
    let of = customer(&crm.client, "Blauer See").await;
    let body = json!({ "kind": "call", "title": "Complaint", "direction": "out", "subject_type": "customer", "subject_id": of["id"] });
    let call = activity(&crm.client, body).await;
    let path = format!("/v1/activities/{}", id(&call));
    let refused = crm.client.post(&format!("{path}/complete"), json!({})).await;
    assert_eq!(
        faults(&refused.expect_problem(422, "required")),
        [("/outcome".to_owned(), "required".to_owned())]
    );
    let how = json!({ "outcome": "reached", "duration_minutes": 12, "body": "Two boxes broken" });
    let done = crm.client.post(&format!("{path}/complete"), how).await.expect(200);
    assert_eq!(
        (&done["state"], &done["outcome"], &done["body"], &done["revision"]),
        (&json!("done"), &json!("reached"), &json!("Two boxes broken"), &json!(2))
    );
    assert_eq!(timeline_kinds(&crm.client, id(&of)).await, ["call", "customer_created"]);
    let again = crm.client.post(&format!("{path}/complete"), json!({})).await;
    let problem = again.expect_problem(409, "illegal_transition");
    assert_eq!(problem["allowed_actions"], json!(["edit", "reopen", "assign"]));
    crm.client
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    let open = crm.client.post(&format!("{path}/reopen"), json!({})).await.expect(200);
    assert_eq!((&open["state"], &open["done_at"]), (&json!("open"), &Value::Null));
    let gone = crm.client.post(&format!("{path}/cancel"), json!({})).await.expect(200);
    assert_eq!(gone["allowed_actions"], json!(["reopen", "assign"]));
    crm.client
        .patch(&path, json!({ "title": "x" }))
        .await
        .expect_problem(409, "illegal_transition");
    let told = events(&crm.client, "activity.changed", 4).await;
    assert_eq!(told[3]["data"], gone, "an event tells the whole activity");
}

#[actix_web::test]
async fn of_many_who_complete_it_one_does() {
    let crm = crm().await;
    let made = task(&crm.client, "Once").await;
    let path = format!("/v1/activities/{}/complete", id(&made));
    let replies = join_all((0..32).map(|_| crm.client.post(&path, json!({})))).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1], statuses[31]), (200, 409, 409));
    assert!(
        replies
            .iter()
            .all(|reply| reply.status == 200 || reply.body["code"] == "illegal_transition")
    );
}

#[actix_web::test]
async fn a_change_keeps_the_rules_and_follows_the_record() {
    let crm = crm().await;
    let (one, other) = (customer(&crm.client, "One").await, customer(&crm.client, "Other").await);
    let contact = crm
        .client
        .post(
            &format!("/v1/customers/{}/contacts", id(&one)),
            json!({ "name": "Ann" }),
        )
        .await
        .expect(201);
    let body = json!({ "kind": "note", "title": "Birthday", "body": "In May", "subject_type": "customer",
                       "subject_id": one["id"], "contact_id": contact["id"] });
    let note = activity(&crm.client, body).await;
    let path = format!("/v1/activities/{}", id(&note));
    let patch = json!({ "subject_id": other["id"], "contact_id": contact["id"] });
    crm.client
        .patch(&path, patch)
        .await
        .expect_problem(422, "unknown_contact");
    let moved = crm
        .client
        .patch(&path, json!({ "subject_id": other["id"] }))
        .await
        .expect(200);
    assert_eq!(
        (&moved["customer_id"], &moved["contact_id"]),
        (&other["id"], &Value::Null)
    );
    assert_eq!(
        timeline_kinds(&crm.client, id(&one)).await,
        ["contact_added", "customer_created"]
    );
    assert_eq!(
        timeline_kinds(&crm.client, id(&other)).await,
        ["note", "customer_created"]
    );
    let patch = json!({ "body": null, "due_on": "2026-01-01", "outcome": "busy" });
    let problem = crm
        .client
        .patch(&path, patch)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(faults(&problem).len(), 3, "{problem}");
    let same = crm
        .client
        .patch(&path, json!({ "title": "Birthday" }))
        .await
        .expect(200);
    assert_eq!(same["revision"], 2, "a patch that changes nothing counts nothing");
    let stale = crm.client.patch_matching(&path, "\"1\"", json!({ "title": "x" })).await;
    assert_eq!(
        stale.expect_problem(412, "stale")["changed_fields"],
        json!(["contact_id", "customer_id", "subject_id"])
    );
    let freed = crm
        .client
        .patch(&path, json!({ "subject_type": null, "subject_id": null }))
        .await
        .expect(200);
    assert_eq!(freed["customer_id"], Value::Null);
    // A contact that is removed takes nothing with it.
    let body = json!({ "kind": "note", "title": "x", "body": "x", "subject_type": "customer", "subject_id": one["id"],
                       "contact_id": contact["id"] });
    let about = activity(&crm.client, body).await;
    crm.client
        .delete(&format!("/v1/contacts/{}", id(&contact)))
        .await
        .expect(204);
    let left = crm
        .client
        .get(&format!("/v1/activities/{}", id(&about)))
        .await
        .expect(200);
    assert_eq!(left["contact_id"], Value::Null);
}

#[actix_web::test]
async fn due_is_a_day_or_an_instant() {
    let crm = crm().await;
    let made = activity(
        &crm.client,
        json!({ "kind": "task", "title": "x", "due_on": "2026-12-03" }),
    )
    .await;
    let path = format!("/v1/activities/{}", id(&made));
    let due = async |patch: Value| {
        let it = crm.client.patch(&path, patch).await.expect(200);
        [it["due_on"].clone(), it["due_at"].clone(), it["due_by"].clone()]
    };
    let day = |day: &str, next: &str| [json!(day), Value::Null, json!(next)];
    let instant = [
        json!("2026-12-05"),
        json!("2026-12-05T08:00:00Z"),
        json!("2026-12-05T08:00:00Z"),
    ];
    assert_eq!(due(json!({ "due_at": "2026-12-05T09:00:00+01:00" })).await, instant);
    assert_eq!(
        due(json!({ "due_at": null })).await,
        day("2026-12-05", "2026-12-06T00:00:00Z")
    );
    assert_eq!(
        due(json!({ "due_on": null, "due_at": "2026-12-05T08:00:00Z" })).await,
        instant
    );
    assert_eq!(
        due(json!({ "due_on": "2026-12-07" })).await,
        day("2026-12-07", "2026-12-08T00:00:00Z")
    );
    assert_eq!(
        due(json!({ "due_on": null })).await,
        [Value::Null, Value::Null, Value::Null]
    );
    let both = json!({ "due_on": "2026-12-07", "due_at": "2026-12-05T08:00:00Z" });
    crm.client.patch(&path, both).await.expect_problem(422, "ambiguous");
}

#[actix_web::test]
async fn an_order_leads_to_its_customer_and_done_is_evidence() {
    let crm = crm().await;
    let of = customer(&crm.client, "Chop-suey Chinese").await;
    let order = crm
        .client
        .post(
            "/v1/orders",
            json!({ "customer_id": of["id"], "currency": "EUR", "lines": [
            { "product_id": Uuid::now_v7(), "quantity": "1" }] }),
        )
        .await
        .expect(201);
    let body = json!({ "kind": "call", "title": "Ready?", "direction": "in", "subject_type": "order", "subject_id": order["id"] });
    let call = activity(&crm.client, body).await;
    assert_eq!(call["customer_id"], of["id"]);
    let mut conn = super::conn(&crm);
    let uuid = |value: &Value| value["id"].as_str().unwrap().parse::<Uuid>().unwrap();
    let mut evidence = |kind: &str, on: &str| {
        crm_service::activities::evidence(&mut conn, kind, uuid(&call), on, uuid(&order)).unwrap()
    };
    assert!(!evidence("call", "order"), "it is not done");
    let path = format!("/v1/activities/{}/complete", id(&call));
    crm.client
        .post(&path, json!({ "outcome": "reached" }))
        .await
        .expect(200);
    assert!(evidence("call", "order"));
    assert!(!evidence("meeting", "order") && !evidence("call", "deal"));
}
