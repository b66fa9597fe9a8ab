use crate::support::{crm, customer, events, id, timeline_kinds};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::testing::Client;
use uuid::Uuid;

fn whole() -> Value {
    json!({
        "name": "Rancho grande — Ранчо гранде 大牧場 مزرعة",
        "kind": "company",
        "email": "büro@grüße.example",
        "phone": "+54 1 123-5555",
        "tax_id": "AR-30-12345678-9",
        "grade": "B",
        "grade_effective_from": "2026-01-01",
        "external_ref": "RANCH",
        "contacts": [{ "name": "Sergio Gutiérrez", "title": "Sales Representative" }, { "name": "李 小龍" }],
        "addresses": [{ "kind": "office", "street": "Av. del Libertador 900", "city": "Buenos Aires", "country": "AR", "postal_code": "1010" }],
        "legal_entities": [{ "name": "Rancho grande S.A.", "is_default": true, "valid_to": "2026-06-30" },
                           { "name": "Rancho grande S.R.L.", "is_default": true, "valid_from": "2026-07-01" }],
    })
}

async fn put_matching(client: &Client, path: &str, etag: &str, body: &Value) -> service_kit::testing::Reply {
    client
        .send(client.request(Method::PUT, path).header("If-Match", etag).json(body))
        .await
}

fn names(list: &Value) -> Vec<&str> {
    let items = list.as_array().expect("a list");
    items
        .iter()
        .map(|item| item["name"].as_str().expect("a name"))
        .collect()
}

#[actix_web::test]
async fn a_customer_is_made_with_all_its_parts() {
    let crm = crm().await;
    let reply = crm.client.post("/v1/customers", whole()).await;
    assert_eq!(reply.etag(), "\"1\"");
    let location = reply.headers["location"].to_str().unwrap().to_owned();
    let made = reply.expect(201);
    assert_eq!(location, format!("/v1/customers/{}", id(&made)));
    assert_eq!(made["name"], whole()["name"]);
    assert_eq!(made["email"], whole()["email"]);
    assert_eq!(
        (&made["status"], &made["version"], &made["revision"], &made["credit"]),
        (&json!("active"), &json!(1), &json!(1), &Value::Null)
    );
    let mut contacts = names(&made["contacts"]);
    contacts.sort_unstable();
    assert_eq!(contacts, ["Sergio Gutiérrez", "李 小龍"]);
    assert_eq!(made["addresses"][0]["country"], "AR");
    assert_eq!(made["legal_entities"].as_array().unwrap().len(), 2);

    let read = crm.client.get(&location).await;
    assert_eq!(read.etag(), "\"1\"");
    assert_eq!(read.expect(200), made);

    let told = events(&crm.client, "customer.changed", 1).await;
    let mut expected = made.clone();
    expected.as_object_mut().unwrap().remove("credit");
    assert_eq!((told.len(), &told[0]["data"]), (1, &expected));
    assert_eq!(
        (&told[0]["subject"], &told[0]["subjectversion"]),
        (&made["id"], &json!(1))
    );
    assert_eq!(timeline_kinds(&crm.client, id(&made)).await, ["customer_created"]);
}

#[actix_web::test]
async fn ids_and_external_refs_stay_unique() {
    let crm = crm().await;
    let minted = Uuid::now_v7();
    let body = json!({ "id": minted, "name": "Alfreds Futterkiste", "kind": "company", "external_ref": "ALFKI" });
    let made = crm.client.post("/v1/customers", body.clone()).await.expect(201);
    assert_eq!(made["id"], json!(minted));
    crm.client
        .post("/v1/customers", body)
        .await
        .expect_problem(409, "duplicate");
    let twin = json!({ "name": "Other", "kind": "person", "external_ref": "ALFKI" });
    let problem = crm
        .client
        .post("/v1/customers", twin)
        .await
        .expect_problem(409, "duplicate");
    assert_eq!(problem["errors"][0]["pointer"], "/external_ref");
    let elsewhere = json!({ "name": "Other", "kind": "person", "external_ref": "ALFKI" });
    crm.client
        .put(&format!("/v1/customers/{}", Uuid::now_v7()), elsewhere)
        .await
        .expect_problem(409, "duplicate");
    let other = customer(&crm.client, "Other").await;
    crm.client
        .patch(
            &format!("/v1/customers/{}", id(&other)),
            json!({ "external_ref": "ALFKI" }),
        )
        .await
        .expect_problem(409, "duplicate");
}

#[actix_web::test]
async fn put_makes_repeats_and_changes() {
    let crm = crm().await;
    let path = format!("/v1/customers/{}", Uuid::now_v7());
    let made = crm.client.put(&path, whole()).await.expect(201);
    let again = crm.client.put(&path, whole()).await.expect(200);
    assert_eq!(again, made, "an identical repeat changes nothing");

    let mut changed = whole();
    changed["name"] = json!("Rancho chico");
    changed["contacts"] = json!([{ "name": "李 小龍" }, { "name": "New" }]);
    crm.client
        .put(&path, changed.clone())
        .await
        .expect_problem(428, "precondition_required");
    put_matching(&crm.client, &path, "\"7\"", &changed)
        .await
        .expect_problem(412, "stale");
    let after = put_matching(&crm.client, &path, "\"1\"", &changed).await.expect(200);
    assert_eq!((&after["version"], &after["revision"]), (&json!(2), &json!(2)));
    assert_eq!(names(&after["contacts"]), ["李 小龍", "New"]);
    let kept = |customer: &Value| {
        let contacts = customer["contacts"].as_array().unwrap().clone();
        contacts.into_iter().find(|contact| contact["name"] == "李 小龍")
    };
    assert_eq!(
        kept(&after),
        kept(&made),
        "a part with the same content is the same part"
    );
    assert_eq!(crm.client.get(&path).await.expect(200), after);

    // The one who knew revision 1 is told what has changed since.
    let stale = put_matching(&crm.client, &path, "\"1\"", &whole()).await;
    let problem = stale.expect_problem(412, "stale");
    assert_eq!(problem["changed_fields"], json!(["contacts", "name"]));
    assert_eq!(events(&crm.client, "customer.changed", 2).await.len(), 2);

    let mismatch = json!({ "id": Uuid::now_v7(), "name": "x", "kind": "person" });
    crm.client.put(&path, mismatch).await.expect_problem(422, "id_mismatch");
}

#[actix_web::test]
async fn a_put_changes_a_part_that_it_names_by_id() {
    let crm = crm().await;
    let made = crm.client.post("/v1/customers", whole()).await.expect(201);
    let contact = &made["contacts"][0];
    let mut body = whole();
    body["contacts"] = json!([{ "id": contact["id"], "name": "Renamed" }]);
    let path = format!("/v1/customers/{}", id(&made));
    let after = put_matching(&crm.client, &path, "\"1\"", &body).await.expect(200);
    let contacts = after["contacts"].as_array().unwrap();
    assert_eq!(contacts.len(), 1);
    assert_eq!(
        (&contacts[0]["id"], &contacts[0]["name"], &contacts[0]["revision"]),
        (&contact["id"], &json!("Renamed"), &json!(2))
    );
    // A part of another customer cannot be taken over.
    let theft = json!({ "name": "Thief", "kind": "person", "contacts": [{ "id": contact["id"], "name": "Mine" }] });
    crm.client
        .post("/v1/customers", theft)
        .await
        .expect_problem(409, "duplicate");
}

#[actix_web::test]
async fn twins_that_put_the_same_customer_make_one() {
    let crm = crm().await;
    let path = format!("/v1/customers/{}", Uuid::now_v7());
    let replies = join_all((0..8).map(|_| crm.client.put(&path, whole()))).await;
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 201]);
    assert!(replies.iter().all(|reply| reply.body == replies[0].body));
}

#[actix_web::test]
async fn a_repeated_post_with_one_key_makes_one_customer() {
    let crm = crm().await;
    let body = json!({ "name": "Once", "kind": "company" });
    let replies = join_all((0..8).map(|_| crm.client.post_with_key("/v1/customers", "once", body.clone()))).await;
    assert!(
        replies
            .iter()
            .all(|reply| reply.status == 201 && reply.body == replies[0].body)
    );
    let page = crm.client.get("/v1/customers").await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn a_patch_tells_absent_from_null() {
    let crm = crm().await;
    let made = crm.client.post("/v1/customers", whole()).await.expect(201);
    let path = format!("/v1/customers/{}", id(&made));
    let after = crm
        .client
        .patch(&path, json!({ "email": null, "phone": "112" }))
        .await
        .expect(200);
    assert_eq!(
        (&after["email"], &after["phone"], &after["tax_id"]),
        (&Value::Null, &json!("112"), &whole()["tax_id"])
    );
    assert_eq!((&after["version"], &after["revision"]), (&json!(2), &json!(2)));
    let same = crm.client.patch(&path, json!({ "phone": "112" })).await.expect(200);
    assert_eq!(same, after, "a patch that changes nothing counts nothing");
    crm.client
        .patch(&path, json!({ "name": null }))
        .await
        .expect_problem(422, "wrong_type");
    crm.client
        .patch(&path, json!({ "contacts": [] }))
        .await
        .expect_problem(422, "unknown_field");
    crm.client
        .send(crm.client.request(Method::PATCH, &path).json(&json!({ "name": "x" })))
        .await
        .expect_problem(428, "precondition_required");
    let stale = crm.client.patch_matching(&path, "\"1\"", json!({ "name": "x" })).await;
    let problem = stale.expect_problem(412, "stale");
    assert_eq!(problem["changed_fields"], json!(["email", "phone"]));
    assert_eq!(
        timeline_kinds(&crm.client, id(&made)).await,
        ["customer_changed", "customer_created"]
    );
}

#[actix_web::test]
async fn a_grade_has_a_first_day() {
    let crm = crm().await;
    let made = customer(&crm.client, "Graded").await;
    let path = format!("/v1/customers/{}", id(&made));
    let today = chrono::Utc::now().date_naive().to_string();
    let a = crm.client.patch(&path, json!({ "grade": "A" })).await.expect(200);
    assert_eq!((&a["grade"], &a["grade_effective_from"]), (&json!("A"), &json!(today)));
    let dated = json!({ "grade": "A", "grade_effective_from": "2027-01-01" });
    crm.client.patch(&path, dated).await.expect(200);
    let kept = crm.client.patch(&path, json!({ "grade": "A" })).await.expect(200);
    assert_eq!(
        kept["grade_effective_from"], "2027-01-01",
        "the same grade keeps its day"
    );
    let cleared = crm.client.patch(&path, json!({ "grade": null })).await.expect(200);
    assert_eq!(
        (&cleared["grade"], &cleared["grade_effective_from"]),
        (&Value::Null, &Value::Null)
    );
    let dateless = json!({ "grade_effective_from": "2027-01-01" });
    crm.client
        .patch(&path, dateless)
        .await
        .expect_problem(422, "needs_grade");
}

#[actix_web::test]
async fn a_customer_is_archived_and_restored() {
    let crm = crm().await;
    let made = customer(&crm.client, "Sleeper").await;
    let path = format!("/v1/customers/{}", id(&made));
    let (archive_path, restore_path) = (format!("{path}/archive"), format!("{path}/restore"));
    let archive = || crm.client.post(&archive_path, json!({}));
    let restore = || crm.client.post(&restore_path, json!({}));
    let problem = restore().await.expect_problem(409, "illegal_transition");
    assert_eq!(
        (&problem["state"], &problem["allowed_actions"]),
        (&json!("active"), &json!(["archive"]))
    );
    let archived = archive().await.expect(200);
    assert_eq!(
        (&archived["status"], &archived["version"]),
        (&json!("archived"), &json!(2))
    );
    archive().await.expect_problem(409, "illegal_transition");
    let page = crm.client.get("/v1/customers?status=archived").await.expect(200);
    assert_eq!(names(&page["items"]), ["Sleeper"]);
    assert_eq!(restore().await.expect(200)["status"], "active");
    assert_eq!(
        timeline_kinds(&crm.client, id(&made)).await,
        ["customer_restored", "customer_archived", "customer_created"]
    );
}

#[actix_web::test]
async fn the_list_filters_sorts_and_pages() {
    let crm = crm().await;
    for (name, country, grade) in [
        ("Østbanen 50%", "DK", "A"),
        ("Alpha_1", "DE", "B"),
        ("Бета", "DE", "A"),
        ("Gamma", "FR", "C"),
    ] {
        let body = json!({
            "name": name, "kind": "company", "grade": grade, "external_ref": format!("ref {name}"),
            "email": format!("{grade}@{country}.example"),
            "addresses": [{ "kind": "billing", "street": "1", "city": "c", "country": country }],
        });
        crm.client.post("/v1/customers", body).await.expect(201);
    }
    let list = async |query: &[(&str, &str)]| {
        let request = crm.client.request(Method::GET, "/v1/customers").query(query);
        crm.client.send(request).await.expect(200)
    };
    let found = async |query: &[(&str, &str)]| {
        let page = list(query).await;
        names(&page["items"]).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found(&[("q", "бЕТ")]).await, ["Бета"]);
    assert_eq!(found(&[("q", "a@de")]).await, ["Бета"]);
    assert_eq!(found(&[("q", "50%")]).await, ["Østbanen 50%"]);
    assert_eq!(found(&[("q", "a_")]).await, ["Alpha_1"], "_ stands for itself");
    assert_eq!(found(&[("country", "DE")]).await, ["Alpha_1", "Бета"]);
    assert_eq!(found(&[("country", "DE"), ("grade", "A")]).await, ["Бета"]);
    assert_eq!(found(&[("external_ref", "ref Gamma")]).await, ["Gamma"]);
    assert_eq!(found(&[("status", "archived")]).await, Vec::<String>::new());

    for sort in ["created_at", "-created_at", "name", "-name"] {
        let all = found(&[("sort", sort)]).await;
        let (mut paged, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut query = vec![("sort", sort), ("limit", "1")];
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = list(&query).await;
            paged.extend(names(&page["items"]).into_iter().map(str::to_owned));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        assert_eq!((all.len(), &paged), (4, &all), "{sort}");
    }
    for bad in [
        "grade=E",
        "country=UK",
        "sort=phone",
        "limit=0",
        "colour=red",
        "cursor=x",
        "q=",
    ] {
        let reply = crm.client.get(&format!("/v1/customers?{bad}")).await;
        assert_eq!(reply.status, 400, "{bad}: {:#}", reply.body);
    }
}

#[actix_web::test]
async fn every_fault_is_named_and_nothing_is_made() {
    let crm = crm().await;
    let body = json!({
        "name": " ",
        "kind": "shop",
        "email": "not an address",
        "tax_id": "x".repeat(51),
        "colour": "red",
        "contacts": [{ "email": "nowhere" }],
        "addresses": [{ "kind": "billing", "street": "s", "city": "c\u{0}", "country": "UK" }],
    });
    let problem = crm
        .client
        .post("/v1/customers", body)
        .await
        .expect_problem(422, "invalid_input");
    let mut pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/addresses/0/city",
            "/addresses/0/country",
            "/colour",
            "/contacts/0/email",
            "/contacts/0/name",
            "/email",
            "/kind",
            "/name",
            "/tax_id",
        ]
    );
    let twice = Uuid::now_v7();
    let body = json!({
        "name": "x", "kind": "person", "grade_effective_from": "2026-01-01",
        "contacts": [{ "id": twice, "name": "a" }, { "id": twice, "name": "b" }],
        "legal_entities": [{ "name": "a", "valid_from": "2026-02-01", "valid_to": "2026-01-01" },
                           { "name": "b", "is_default": true }, { "name": "c", "is_default": true }],
    });
    let problem = crm
        .client
        .post("/v1/customers", body)
        .await
        .expect_problem(422, "invalid_input");
    let faults: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        faults,
        [
            ("/grade_effective_from", "needs_grade"),
            ("/contacts/1/id", "duplicate"),
            ("/legal_entities/0/valid_to", "out_of_range"),
            ("/legal_entities/2/is_default", "default_overlaps"),
        ]
    );
    let page = crm.client.get("/v1/customers").await.expect(200);
    assert_eq!(page["items"], json!([]));
}

#[actix_web::test]
async fn a_dry_run_shows_the_effect_and_changes_nothing() {
    let crm = crm().await;
    let dry = crm.client.post("/v1/customers?dry_run=true", whole()).await.expect(200);
    assert_eq!(dry["name"], whole()["name"]);
    crm.client
        .get(&format!("/v1/customers/{}", id(&dry)))
        .await
        .expect_problem(404, "not_found");
}

#[actix_web::test]
async fn every_change_leaves_an_audit_row() {
    let crm = crm().await;
    let made = customer(&crm.client, "Before").await;
    let path = format!("/v1/customers/{}", id(&made));
    crm.client.patch(&path, json!({ "name": "After" })).await.expect(200);
    let log = crm
        .client
        .get(&format!("/v1/audit-log?subject={}", id(&made)))
        .await
        .expect(200);
    let entries = log["items"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(
        entries[0]["changes"],
        json!({ "name": { "from": "Before", "to": "After" } })
    );
    assert_eq!(
        (
            &entries[0]["actor"],
            &entries[0]["subject_type"],
            &entries[0]["revision"]
        ),
        (&json!("bootstrap"), &json!("customer"), &json!(2))
    );
}

#[actix_web::test]
async fn a_text_is_found_wherever_it_stands_of_a_customer_or_its_contacts() {
    let crm = crm().await;
    let body = json!({
        "name": "Ácme Trading", "kind": "company", "phone": "+49 30 1234567", "tax_id": "DE811", "external_ref": "K-77",
        "contacts": [{ "name": "Jörg Weiß", "email": "joerg@harbour.example", "phone": "0171 99" }],
    });
    crm.client.post("/v1/customers", body).await.expect(201);
    customer(&crm.client, "100%_Tea").await;
    let found = async |text: &str| {
        let page = crm
            .client
            .get(&format!("/v1/customers?q={text}&sort=name"))
            .await
            .expect(200);
        let names = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    // With three letters the index is asked, with fewer the list is read: either knows the same places.
    for text in [
        "ácme", "ÁC", "123456", "67", "DE811", "k-77", "jörg", "Ö", "HARBOUR", "0171",
    ] {
        assert_eq!(found(text).await, ["Ácme Trading"], "{text}");
    }
    for text in ["%25_t", "0%25", "0%25_Te"] {
        assert_eq!(found(text).await, ["100%_Tea"], "{text}");
    }
    for text in ["acmes", "%25%25", "t%25", "harbour joerg"] {
        assert_eq!(found(text).await, [""; 0], "{text}");
    }
    assert_eq!(found("t").await, ["100%_Tea", "Ácme Trading"]);
}
