use crate::attachments::pdf;
use crate::deals::support::{SALES, deal, sold};
use crate::support::{crm, customer, events, id, timeline_kinds};
use crate::visibility::company;
use crm_service::customers::merge::moves::{MOVES, STAYS};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use futures_util::future::join_all;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};
use uuid::Uuid;

async fn merge(client: &Client, from: &Value, into: &Value) -> service_kit::testing::Reply {
    client
        .post(
            &format!("/v1/customers/{}/merge", id(from)),
            json!({ "into": into["id"] }),
        )
        .await
}

/// An order of a customer, as a draft.
async fn order(client: &Client, of: &Value) -> Value {
    let body = json!({ "customer_id": of["id"], "currency": "EUR",
                       "lines": [{ "product_id": Uuid::now_v7(), "quantity": "1", "unit_price": "300.00" }] });
    client.post("/v1/orders", body).await.expect(201)
}

/// GET without following where it leads: status, code and location.
async fn looked_up(crm: &TestService, path: &str) -> (u16, String, String) {
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .build()
        .unwrap();
    let request = http
        .get(format!("{}{path}", crm.url()))
        .bearer_auth(service_kit::testing::ADMIN_KEY);
    let reply = request.send().await.unwrap();
    let location = reply
        .headers()
        .get("location")
        .map(|l| l.to_str().unwrap().to_owned())
        .unwrap_or_default();
    let status = reply.status().as_u16();
    let body: Value = reply.json().await.unwrap();
    (status, body["code"].as_str().unwrap_or_default().to_owned(), location)
}

#[actix_web::test]
async fn everything_moves_and_the_old_id_leads_on() {
    let crm = crm().await;
    let client = &crm.client;
    let gone = json!({ "name": "Acme Trading", "kind": "company", "email": "a@acme.example", "phone": "+1 555 111 2222", "tags": ["VIP", "fair"],
        "contacts": [{ "name": "Ann" }], "addresses": [{ "kind": "office", "street": "1 A St", "city": "A", "country": "US" }],
        "legal_entities": [{ "name": "Acme Inc.", "is_default": true }], "external_ref": "A" });
    let gone = client.post("/v1/customers", gone).await.expect(201);
    let kept = json!({ "name": "Acme", "kind": "company", "email": "b@acme.example", "tags": ["vip"], "contacts": [{ "name": "Bob" }],
        "legal_entities": [{ "name": "Acme LLC", "is_default": true }] });
    let kept = client
        .post("/v1/customers?allow_duplicate=true", kept)
        .await
        .expect(201);
    let (from, into) = (
        format!("/v1/customers/{}", id(&gone)),
        format!("/v1/customers/{}", id(&kept)),
    );
    let ordered = order(client, &gone).await;
    let consent = json!({ "channel": "email", "state": "granted", "legal_basis": "contract", "source": "call" });
    client.post(&format!("{from}/consents"), consent).await.expect(201);
    let daughter = json!({ "name": "Daughter", "kind": "company", "parent_id": gone["id"] });
    let daughter = client.post("/v1/customers", daughter).await.expect(201);

    let dry = client
        .post(&format!("{from}/merge?dry_run=true"), json!({ "into": kept["id"] }))
        .await
        .expect(200);
    assert_eq!(dry["contacts"].as_array().unwrap().len(), 2);
    assert_eq!(client.get(&from).await.expect(200)["name"], "Acme Trading");

    let after = merge(client, &gone, &kept).await.expect(200);
    assert_eq!(
        (&after["id"], &after["name"], &after["email"]),
        (&kept["id"], &json!("Acme"), &json!("b@acme.example"))
    );
    assert_eq!(
        (&after["phone"], &after["tags"]),
        (&json!("+1 555 111 2222"), &json!(["fair", "vip"]))
    );
    assert_eq!(after["external_ref"], Value::Null);
    let names: Vec<_> = after["contacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].clone())
        .collect();
    assert_eq!(names, [json!("Ann"), json!("Bob")]);
    let defaults: Vec<_> = after["legal_entities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["name"].clone(), e["is_default"].clone()))
        .collect();
    assert_eq!(
        defaults,
        [(json!("Acme Inc."), json!(false)), (json!("Acme LLC"), json!(true))]
    );
    assert_eq!(client.get(&into).await.expect(200), after);
    assert_eq!(
        client.get(&format!("/v1/orders/{}", id(&ordered))).await.expect(200)["customer_id"],
        kept["id"]
    );
    let consents = client.get(&format!("{into}/consents")).await.expect(200);
    assert_eq!(consents["items"][0]["customer_id"], kept["id"]);
    assert_eq!(
        client
            .get(&format!("/v1/customers/{}", id(&daughter)))
            .await
            .expect(200)["parent_id"],
        kept["id"]
    );
    let kinds = timeline_kinds(client, id(&kept)).await;
    assert_eq!(kinds[0], "customer_merged");
    assert_eq!(kinds.iter().filter(|kind| *kind == "customer_created").count(), 2);

    assert_eq!(looked_up(&crm, &from).await, (308, "merged".into(), into.clone()));
    assert_eq!(
        looked_up(&crm, &format!("{from}/contacts")).await,
        (308, "merged".into(), format!("{into}/contacts"))
    );
    assert_eq!(
        client.get(&from).await.expect(200),
        after,
        "a client that follows finds the survivor"
    );
    let list = client.get("/v1/customers?q=acme").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let all = client.get("/v1/customers?q=acme&include_merged=true").await.expect(200);
    assert_eq!(all["items"][0]["merged_into"], kept["id"]);

    let told = events(client, "customer.merged", 1).await;
    assert_eq!(
        (&told[0]["subject"], &told[0]["data"]["merged_into"]),
        (&gone["id"], &kept["id"])
    );
    assert_eq!(
        told[0]["data"]["legal_entities"].as_array().unwrap().len(),
        1,
        "as it was before its parts moved"
    );
    assert_eq!(
        (&told[0]["subjectversion"], &told[0]["data"]["status"]),
        (&json!(2), &json!("archived"))
    );
    let changed = events(client, "customer.changed", 4).await;
    let survivor: Vec<_> = changed.iter().filter(|e| e["subject"] == kept["id"]).collect();
    assert_eq!(
        survivor.last().unwrap()["data"]["contacts"].as_array().unwrap().len(),
        2
    );
}

#[actix_web::test]
async fn nothing_is_done_to_a_customer_that_is_gone() {
    let crm = crm().await;
    let client = &crm.client;
    let (gone, kept, third) = (
        customer(client, "Gone").await,
        customer(client, "Kept").await,
        customer(client, "Third").await,
    );
    merge(client, &gone, &gone).await.expect_problem(422, "same_customer");
    merge(client, &gone, &json!({ "id": Uuid::now_v7() }))
        .await
        .expect_problem(404, "not_found");
    merge(client, &gone, &kept).await.expect(200);
    let path = format!("/v1/customers/{}", id(&gone));
    let merged = |reply: service_kit::testing::Reply| {
        assert_eq!(reply.expect_problem(409, "merged")["survivor"], kept["id"]);
    };
    merged(merge(client, &gone, &third).await);
    merged(merge(client, &third, &gone).await);
    merged(client.patch_matching(&path, "*", json!({ "name": "x" })).await);
    merged(client.put(&path, json!({ "name": "x", "kind": "company" })).await);
    merged(client.post(&format!("{path}/archive"), json!({})).await);
    merged(client.post(&format!("{path}/contacts"), json!({ "name": "x" })).await);
    let consent = json!({ "channel": "sms", "state": "granted", "legal_basis": "consent", "source": "x" });
    merged(client.post(&format!("{path}/consents"), consent).await);
    let lines = json!([{ "product_id": Uuid::now_v7(), "quantity": "1" }]);
    merged(
        client
            .post(
                "/v1/orders",
                json!({ "customer_id": gone["id"], "currency": "EUR", "lines": lines }),
            )
            .await,
    );
    let child = json!({ "name": "Child", "kind": "company", "parent_id": gone["id"] });
    client
        .post("/v1/customers", child)
        .await
        .expect_problem(422, "unknown_customer");
    // A chain of merges is one step long.
    merge(client, &kept, &third).await.expect(200);
    assert_eq!(looked_up(&crm, &path).await.2, format!("/v1/customers/{}", id(&third)));
    let archived = customer(client, "Archived").await;
    client
        .post(&format!("/v1/customers/{}/archive", id(&archived)), json!({}))
        .await
        .expect(200);
    let into = merge(client, &third, &archived)
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(into["allowed_actions"], json!(["restore"]));
    merge(client, &archived, &third).await.expect(200);
}

#[actix_web::test]
async fn what_the_erp_still_tells_of_it_reaches_the_survivor() {
    let crm = crm().await;
    let client = &crm.client;
    let (gone, kept) = (customer(client, "Gone").await, customer(client, "Kept").await);
    merge(client, &gone, &kept).await.expect(200);
    let sync = crm.integration();
    let credit = json!({ "source_version": 9, "credit_hold": true, "blocked": false, "as_of": "2026-11-22T10:00:00Z" });
    let answer = sync
        .put(&format!("/v1/customers/{}/credit", id(&gone)), credit)
        .await
        .expect(200);
    assert_eq!(
        (&answer["id"], &answer["credit"]),
        (&kept["id"], &Value::Null),
        "the survivor's facts come by themselves"
    );
    let order_id = Uuid::now_v7();
    let report = json!({ "source_version": 1, "as_of": "2026-11-22T10:00:00Z", "order": {
        "id": order_id, "origin": "erp", "status": "confirmed", "number": "SO-1", "customer_id": gone["id"], "currency": "EUR",
        "order_date": "2026-11-22", "lines": [{ "id": Uuid::now_v7(), "product_id": Uuid::now_v7(), "quantity": "1", "unit_price": "5.00",
            "discount": "0", "reserved_quantity": "0", "backordered_quantity": "1", "delivered_quantity": "0" }] } });
    let order = sync
        .put(&format!("/v1/orders/{order_id}/fulfilment"), report)
        .await
        .expect(201);
    assert_eq!(order["customer_id"], kept["id"]);
}

#[actix_web::test]
async fn a_tree_of_companies_stays_one() {
    let crm = crm().await;
    let client = &crm.client;
    let top = customer(client, "Top").await;
    let below = |name: &str, parent: &Value| {
        let (client, body) = (
            client.clone(),
            json!({ "name": name, "kind": "company", "parent_id": parent["id"] }),
        );
        async move { client.post("/v1/customers", body).await.expect(201) }
    };
    let grandmother = below("Grandmother", &top).await;
    let mother = below("Mother", &grandmother).await;
    let daughter = below("Daughter", &mother).await;
    let sister = below("Aunt", &grandmother).await;
    let after = merge(client, &grandmother, &daughter).await.expect(200);
    assert_eq!(after["parent_id"], top["id"]);
    for of in [&mother, &sister] {
        let now = client.get(&format!("/v1/customers/{}", id(of))).await.expect(200);
        assert_eq!(now["parent_id"], daughter["id"]);
    }
}

#[actix_web::test]
async fn of_many_merges_at_once_one_wins_and_nothing_is_left_behind() {
    let crm = crm().await;
    for round in 0..4 {
        let gone = customer(&crm.client, &format!("Gone {round}")).await;
        let survivors = [
            customer(&crm.client, &format!("One {round}")).await,
            customer(&crm.client, &format!("Two {round}")).await,
        ];
        let merges = (0..16).map(|number| {
            let (client, from, into) = (crm.client.clone(), gone.clone(), survivors[number % 2].clone());
            async move { merge(&client, &from, &into).await.status.as_u16() }
        });
        let orders = (0..16).map(|_| {
            let (client, of) = (crm.client.clone(), gone.clone());
            let lines = json!([{ "product_id": Uuid::now_v7(), "quantity": "1" }]);
            let body = json!({ "customer_id": of["id"], "currency": "EUR", "lines": lines });
            async move { client.post("/v1/orders", body).await.status.as_u16() }
        });
        let (merged, ordered) = futures_util::future::join(join_all(merges), join_all(orders)).await;
        assert_eq!(merged.iter().filter(|status| **status == 200).count(), 1, "{merged:?}");
        assert_eq!(merged.iter().filter(|status| **status == 409).count(), 15, "{merged:?}");
        assert!(ordered.iter().all(|status| matches!(status, 201 | 409)), "{ordered:?}");
        let left = crm
            .client
            .get(&format!("/v1/orders?customer_id={}", id(&gone)))
            .await
            .expect(200);
        assert_eq!(left["items"], json!([]), "an order stayed with a customer that is gone");
    }
}

#[actix_web::test]
async fn deals_activities_and_files_move_and_the_timeline_loses_nothing() {
    let crm = crm().await;
    let client = &crm.client;
    let (gone, kept) = (customer(client, "Left").await, customer(client, "Right").await);
    let lines = json!([{ "product_id": sold(&crm, "TEA", "7.00").await, "quantity": "10" }]);
    let more = json!({ "pipeline_id": SALES, "expected_close_on": "2099-06-30", "lines": lines });
    let deal = deal(client, &gone, &json!({ "id": SALES }), more).await;
    let mut activities = Vec::new();
    for (kind, subject) in [("customer", &gone), ("deal", &deal)] {
        let body = json!({ "kind": "note", "title": "Note", "body": "Note", "subject_type": kind, "subject_id": subject["id"] });
        activities.push(client.post("/v1/activities", body).await.expect(201));
    }
    let file = pdf(client, ("customer", id(&gone)), "contract.pdf").await;
    let of_deal = pdf(client, ("deal", id(&deal)), "offer.pdf").await;
    let before = timeline_kinds(client, id(&gone)).await.len() + timeline_kinds(client, id(&kept)).await.len();

    merge(client, &gone, &kept).await.expect(200);
    let now = |kind: &'static str, record: &Value| {
        let path = format!("/v1/{kind}/{}", id(record));
        async move { client.get(&path).await.expect(200) }
    };
    assert_eq!(now("deals", &deal).await["customer_id"], kept["id"]);
    for (kind, record, subject) in [
        ("activities", &activities[0], &kept),
        ("activities", &activities[1], &deal),
        ("attachments", &file, &kept),
        ("attachments", &of_deal, &deal),
    ] {
        let now = now(kind, record).await;
        let hangs_on = (&now["customer_id"], &now["subject_id"]);
        assert_eq!(hangs_on, (&kept["id"], &subject["id"]), "{now}");
    }
    let demand = client.get("/v1/soft-demand").await.expect(200);
    assert_eq!(demand["items"][0]["customer_id"], kept["id"]);
    // Who follows them learns it too, under a version that is newer than what was told before.
    let moved = now("deals", &deal).await;
    assert_eq!(
        moved["version"].as_i64(),
        deal["version"].as_i64().map(|version| version + 1)
    );
    for (kind, shown) in [("deal.changed", &moved), ("soft_demand.changed", &demand["items"][0])] {
        let told = events(client, kind, 2).await;
        let last = told.last().unwrap();
        assert_eq!(
            (&last["data"]["customer_id"], &last["data"]["version"]),
            (&kept["id"], &moved["version"]),
            "{kind}"
        );
        assert_eq!(
            (&last["subjectversion"], &shown["customer_id"]),
            (&moved["version"], &kept["id"]),
            "{kind}"
        );
    }
    assert_eq!(timeline_kinds(client, id(&kept)).await.len(), before + 1);
    let note =
        json!({ "kind": "note", "title": "x", "body": "x", "subject_type": "customer", "subject_id": gone["id"] });
    client.post("/v1/activities", note).await.expect_problem(409, "merged");
    let late = json!({ "name": "Late", "customer_id": gone["id"] });
    client.post("/v1/deals", late).await.expect_problem(409, "merged");
}

#[actix_web::test]
async fn who_merges_sees_both() {
    let company = company().await;
    let (ana, nils, lea) = (&company.ana.client, &company.nils.client, &company.lea.client);
    let (of_ana, of_nils) = (customer(ana, "Anas").await, customer(nils, "Of Nils").await);
    for client in [ana, nils] {
        merge(client, &of_ana, &of_nils).await.expect_problem(404, "not_found");
        merge(client, &of_nils, &of_ana).await.expect_problem(404, "not_found");
    }
    merge(lea, &of_ana, &of_nils).await.expect(200);
    // The old id leads those who see the survivor there, and is not there for others.
    let path = format!("/v1/customers/{}", id(&of_ana));
    ana.get(&path).await.expect_problem(404, "not_found");
    ana.get(&format!("{path}/contacts"))
        .await
        .expect_problem(404, "not_found");
    ana.patch_matching(&path, "*", json!({ "name": "x" }))
        .await
        .expect_problem(404, "not_found");
    assert_eq!(nils.get(&path).await.expect(200)["id"], of_nils["id"]);
}

#[actix_web::test]
async fn merged_into_each_other_at_once_one_of_them_stays() {
    let crm = crm().await;
    let client = &crm.client;
    for round in 0..4 {
        let pair = [
            customer(client, &format!("This {round}")).await,
            customer(client, &format!("That {round}")).await,
        ];
        let merges = join_all((0..32).map(|number| {
            let (client, from, into) = (client.clone(), &pair[number % 2], &pair[1 - number % 2]);
            async move { merge(&client, from, into).await.status.as_u16() }
        }))
        .await;
        assert_eq!(merges.iter().filter(|status| **status == 200).count(), 1, "{merges:?}");
        assert_eq!(merges.iter().filter(|status| **status == 409).count(), 31, "{merges:?}");
        let mut answers = Vec::new();
        for one in &pair {
            answers.push(client.get(&format!("/v1/customers/{}", id(one))).await.expect(200));
        }
        assert_eq!(answers[0], answers[1], "both ids lead to one customer");
        assert_eq!(answers[0]["merged_into"], Value::Null);
    }
}

#[actix_web::test]
async fn whatever_names_a_customer_moves_with_it() {
    #[derive(QueryableByName)]
    struct Table {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Bool)]
        guarded: bool,
    }
    let crm = crm().await;
    let mut conn = PgConnection::establish(&crm.database.url).unwrap();
    // By a foreign key, by the name of the column, or as the record that something hangs on.
    let naming: Vec<Table> = diesel::sql_query(
        "SELECT t.relname::text AS name,
                EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = t.oid AND g.tgname = 'customer_not_merged') AS guarded
         FROM pg_class t
         WHERE t.relkind IN ('r', 'p') AND t.relnamespace = 'public'::regnamespace AND t.relname <> 'customers'
           AND (EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = t.oid AND c.contype = 'f' AND c.confrelid = 'customers'::regclass)
                OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname IN ('customer_id', 'subject_id')))
         ORDER BY 1",
    )
    .load(&mut conn)
    .unwrap();
    let moved: Vec<&str> = MOVES.iter().map(|each| each.table).collect();
    for Table { name, guarded } in &naming {
        let name = name.as_str();
        if STAYS.contains(&name) {
            continue;
        }
        assert!(moved.contains(&name), "{name} has no line in customers/merge/moves.rs");
        // What is computed from others needs no guard of its own.
        let derived = ["customer_credits", "customer_keys", "soft_demand"].contains(&name);
        assert!(*guarded || derived, "{name} lacks the trigger customer_not_merged");
    }
    for each in moved.iter().chain(STAYS) {
        assert!(
            naming.iter().any(|table| table.name == *each),
            "there is no {each} any more"
        );
    }
}
