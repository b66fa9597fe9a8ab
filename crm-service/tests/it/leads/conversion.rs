use super::{act, items, now, qualified};
use crate::activities::faults;
use crate::attachments::pdf;
use crate::support::{crm, customer, events, id, timeline_kinds};
use futures_util::future::join_all;
use serde_json::{Value, json};

#[actix_web::test]
async fn a_lead_becomes_a_customer_a_contact_and_a_deal() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let more = json!({ "email": "maria@alfreds.example", "phone": "+49 30 1234567", "job_title": "Buyer",
                       "source": "fair", "campaign": "autumn", "owner_id": ann.id });
    let lead = qualified(&crm.client, more).await;
    let body = json!({ "deal": { "name": "Tea for 40 shops", "currency": "EUR", "amount": "4000", "expected_close_on": "2026-12-18" } });
    let converted = act(&ann.client, &lead, "convert", body).await.expect(200);
    assert_eq!(
        (&converted["state"], &converted["allowed_actions"]),
        (&json!("converted"), &json!([]))
    );
    let path = format!("/v1/customers/{}", converted["customer_id"].as_str().unwrap());
    let made = ann.client.get(&path).await.expect(200);
    assert_eq!(
        [&made["name"], &made["kind"], &made["email"], &made["owner_id"]],
        [
            &json!("Alfreds Futterkiste"),
            &json!("company"),
            &Value::Null,
            &json!(ann.id)
        ]
    );
    let contact = &made["contacts"][0];
    assert_eq!(
        [
            &contact["id"],
            &contact["name"],
            &contact["email"],
            &contact["phone"],
            &contact["title"]
        ],
        [
            &converted["contact_id"],
            &json!("Maria Anders"),
            &json!("maria@alfreds.example"),
            &json!("+49 30 1234567"),
            &json!("Buyer")
        ]
    );
    let path = format!("/v1/deals/{}", converted["deal_id"].as_str().unwrap());
    let deal = ann.client.get(&path).await.expect(200);
    assert_eq!(
        [
            &deal["name"],
            &deal["amount"],
            &deal["source"],
            &deal["campaign"],
            &deal["owner_id"],
            &deal["contact_id"],
            &deal["state"]
        ],
        [
            &json!("Tea for 40 shops"),
            &json!("4000.00"),
            &json!("fair"),
            &json!("autumn"),
            &json!(ann.id),
            &converted["contact_id"],
            &json!("open")
        ]
    );
    let kinds = timeline_kinds(&ann.client, id(&made)).await;
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    for kind in ["lead_captured", "lead_converted", "customer_created", "deal_opened"] {
        assert!(kinds.contains(&kind.to_owned()), "{kinds:?}");
    }
    // Nothing more becomes of it.
    let problem = act(&ann.client, &lead, "reopen", json!({})).await;
    problem.expect_problem(409, "illegal_transition");
}

#[actix_web::test]
async fn thirty_two_convert_a_lead_once() {
    let crm = crm().await;
    let lead = qualified(&crm.client, json!({})).await;
    let replies = join_all((0..32).map(|_| act(&crm.client, &lead, "convert", json!({})))).await;
    let now = now(&crm.client, &lead).await;
    let won = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(won, 1);
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        let problem = reply.clone().expect_problem(409, "illegal_transition");
        assert_eq!(
            (&problem["customer_id"], &problem["deal_id"], &problem["state"]),
            (&now["customer_id"], &now["deal_id"], &json!("converted"))
        );
    }
    assert_eq!(items(&crm.client, "/v1/customers").await.len(), 1);
    assert_eq!(items(&crm.client, "/v1/deals").await.len(), 1);
}

#[actix_web::test]
async fn a_lead_joins_a_customer_that_is_there() {
    let crm = crm().await;
    let of = customer(&crm.client, "Alfreds Futterkiste").await;
    let contact = json!({ "name": "Maria", "email": "MARIA@alfreds.example" });
    let contact = crm
        .client
        .post(&format!("/v1/customers/{}/contacts", id(&of)), contact)
        .await
        .expect(201);
    let known = qualified(&crm.client, json!({ "email": "maria@alfreds.example" })).await;
    let body = json!({ "customer_id": id(&of), "without_deal": true });
    let converted = act(&crm.client, &known, "convert", body).await.expect(200);
    assert_eq!(
        [
            &converted["customer_id"],
            &converted["contact_id"],
            &converted["deal_id"]
        ],
        [&of["id"], &contact["id"], &Value::Null]
    );
    let other = qualified(
        &crm.client,
        json!({ "name": "Thomas Hardy", "email": "thomas@alfreds.example" }),
    )
    .await;
    let converted = act(&crm.client, &other, "convert", json!({ "customer_id": id(&of) }))
        .await
        .expect(200);
    let now = crm.client.get(&format!("/v1/customers/{}", id(&of))).await.expect(200);
    let names: Vec<_> = now["contacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|contact| &contact["name"])
        .collect();
    assert_eq!(names, ["Maria", "Thomas Hardy"]);
    assert_eq!(converted["contact_id"], now["contacts"][1]["id"]);
    let archived = customer(&crm.client, "Gone").await;
    crm.client
        .post(&format!("/v1/customers/{}/archive", id(&archived)), json!({}))
        .await
        .expect(200);
    let third = qualified(&crm.client, json!({ "join": false })).await;
    act(&crm.client, &third, "convert", json!({ "customer_id": id(&archived) }))
        .await
        .expect_problem(409, "customer_archived");
    assert_eq!(
        super::now(&crm.client, &third).await["state"],
        "qualified",
        "all of it or nothing"
    );
}

#[actix_web::test]
async fn who_may_be_a_customer_already_is_named() {
    let crm = crm().await;
    let of = customer(&crm.client, "Alfreds Futterkiste").await;
    let lead = qualified(&crm.client, json!({})).await;
    let refused = act(&crm.client, &lead, "convert", json!({})).await;
    let problem = refused.expect_problem(409, "possible_duplicate");
    assert_eq!(problem["candidates"][0]["id"], of["id"]);
    assert_eq!(now(&crm.client, &lead).await["state"], "qualified");
    let converted = act(&crm.client, &lead, "convert?allow_duplicate=true", json!({}))
        .await
        .expect(200);
    assert_ne!(converted["customer_id"], of["id"]);
}

#[actix_web::test]
async fn a_person_becomes_a_person() {
    let crm = crm().await;
    let lead = json!({ "name": "Maria Anders", "email": "maria@home.example" });
    let lead = crm.client.post("/v1/leads", lead).await.expect(201);
    act(&crm.client, &lead, "qualify", json!({})).await.expect(200);
    let converted = act(&crm.client, &lead, "convert", json!({})).await.expect(200);
    let path = format!("/v1/customers/{}", converted["customer_id"].as_str().unwrap());
    let made = crm.client.get(&path).await.expect(200);
    assert_eq!(
        [&made["kind"], &made["email"], &made["contacts"][0]["name"]],
        [&json!("person"), &json!("maria@home.example"), &json!("Maria Anders")]
    );
}

#[actix_web::test]
async fn a_faulty_conversion_is_answered_with_all_its_faults() {
    let crm = crm().await;
    let lead = qualified(&crm.client, json!({})).await;
    let nobody = "00000000-0000-7000-8000-000000000001";
    let body =
        json!({ "customer_id": nobody, "customer_name": "Other", "deal": { "pipeline_id": nobody, "amount": "-1" } });
    let problem = act(&crm.client, &lead, "convert", body)
        .await
        .expect_problem(422, "invalid_input");
    let expected = [
        ("/customer_id", "unknown_customer"),
        ("/customer_name", "not_allowed"),
        ("/deal/amount", "out_of_range"),
        ("/deal/pipeline_id", "unknown_pipeline"),
    ];
    assert_eq!(
        faults(&problem),
        expected.map(|(at, code)| (at.to_owned(), code.to_owned()))
    );
    let key = crm.client.new_key("custom", &["leads:write"]).await;
    act(&key, &lead, "convert", json!({}))
        .await
        .expect_problem(403, "forbidden");
}

#[actix_web::test]
async fn the_files_of_a_converted_lead_are_told_with_their_customer() {
    let crm = crm().await;
    let lead = qualified(&crm.client, json!({})).await;
    let file = pdf(&crm.client, ("lead", id(&lead)), "enquiry.pdf").await;
    let converted = act(&crm.client, &lead, "convert", json!({})).await.expect(200);
    let path = format!("/v1/attachments/{}", id(&file));
    let shown = crm.client.get(&path).await.expect(200);
    assert_eq!(
        (&shown["customer_id"], &shown["revision"]),
        (&converted["customer_id"], &json!(2))
    );
    let told = events(&crm.client, "attachment.changed", 2).await;
    assert_eq!((&told[1]["subjectversion"], &told[1]["data"]), (&json!(2), &shown));
}
