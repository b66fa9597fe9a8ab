use super::{act, items, lead, now};
use crate::imported::{bad, good, kept, rows, undo};
use crate::support::{crm, events, id};
use futures_util::future::join_all;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply};

async fn send(client: &Client, more: &[(&str, &str)], file: &str) -> Reply {
    crate::imported::send(client, "leads", more, file).await
}

async fn named(client: &Client, label: &str) -> Value {
    let found = items(client, &format!("/v1/leads?q={label}")).await;
    assert_eq!(found.len(), 1, "{label}: {found:?}");
    found[0].clone()
}

async fn touches(client: &Client, lead: &Value) -> Vec<Value> {
    items(client, &format!("/v1/leads/{}/touches", id(lead))).await
}

#[actix_web::test]
async fn rows_make_change_and_touch_leads_and_name_all_their_faults() {
    let crm = crm().await;
    let client = &crm.client;
    for (key, r#type) in [("shops", "number"), ("legacy_no", "text")] {
        let body = json!({ "record_type": "lead", "key": key, "label": key, "type": r#type });
        client.post("/v1/custom-fields", body).await.expect(201);
    }
    let rule = json!({ "name": "From the fair", "condition": "touches.source has \"fair\"", "points": 10 });
    client.post("/v1/lead-scoring-rules", rule).await.expect(201);
    let ann = crm.user("Ann", "sales", "own", None).await;
    let rule =
        json!({ "name": "Germany", "position": 1, "countries": ["DE"], "method": "round_robin", "members": [ann.id] });
    let rule = client.post("/v1/lead-assignment-rules", rule).await.expect(201);
    let known =
        json!({ "name": "Maria Anders", "company": null, "email": "maria@alfreds.example", "external_ref": null });
    let known = lead(client, known).await;
    let other =
        json!({ "name": "Ana Trujillo", "company": null, "email": "ana@trujillo.example", "external_ref": "T-0" });
    lead(client, other).await;
    let file = "external_ref,name,company,email,phone,country,source,campaign,utm_source,custom_fields.shops\n\
        L-1,Hanna Moos,Blauer See,hanna@blauer.example,,de,fair,autumn,newsletter,4\n\
        L-2,Maria A.,Alfreds Futterkiste,MARIA@alfreds.example,,,fair,autumn,,\n\
        L-3,,,,,,fair,,,\n\
        L-4,Bad,,nobody,,XX,,,,many\n\
        L-5,Worse,,,,,,,,many\n\
        T-1,Ana,,ana@trujillo.example,,,fair,,,\n\
        L-1,Again,,,,,,,,\n";
    let expected = [
        good("created"),
        good("updated"),
        bad(&[("email", "required")]),
        bad(&[("country", "unknown_value"), ("email", "bad_format")]),
        bad(&[("custom_fields.shops", "bad_format")]),
        bad(&[("", "possible_duplicate")]),
        bad(&[("", "duplicate_row")]),
    ];
    let dry = send(client, &[("dry_run", "true")], file).await.expect(200);
    assert_eq!(rows(client, &dry).await, expected);
    assert_eq!(now(client, &known).await, known, "a dry run changes nothing");
    assert_eq!(items(client, "/v1/leads").await.len(), 2);

    let import = send(client, &[], file).await.expect(201);
    assert_eq!(rows(client, &import).await, expected);
    let hanna = named(client, "Hanna").await;
    assert_eq!(
        [
            &hanna["external_ref"],
            &hanna["country"],
            &hanna["score"],
            &hanna["owner_id"],
            &hanna["assigned_by"],
            &hanna["custom_fields"]["shops"]
        ],
        [
            &json!("L-1"),
            &json!("DE"),
            &json!(10),
            &json!(ann.id),
            &rule["id"],
            &json!("4")
        ]
    );
    let touch = &touches(client, &hanna).await[0];
    assert_eq!(
        [
            &touch["source"],
            &touch["campaign"],
            &touch["utm_source"],
            &touch["import_id"]
        ],
        [&json!("fair"), &json!("autumn"), &json!("newsletter"), &import["id"]]
    );
    // Who is known is touched; what was not known of them is now, and what was known stays.
    let maria = now(client, &known).await;
    assert_eq!(
        [
            &maria["name"],
            &maria["company"],
            &maria["external_ref"],
            &maria["touch_count"],
            &maria["score"]
        ],
        [
            &json!("Maria Anders"),
            &json!("Alfreds Futterkiste"),
            &json!("L-2"),
            &json!(2),
            &json!(10)
        ]
    );
    let told = ann.client.get("/v1/me/notifications").await.expect(200);
    let told = told["items"].as_array().unwrap();
    assert_eq!(
        (told.len(), &told[0]["kind"]),
        (1, &json!("leads_imported")),
        "once for the file"
    );
    let problem = client
        .get(&format!("/v1/imports/{}/rows?result=rejected", id(&import)))
        .await
        .expect(200);
    assert!(problem["items"].to_string().contains("T-0"), "{problem}");

    let again = send(client, &[("columns", r#"{"external_ref":"external_ref"}"#)], file)
        .await
        .expect(201);
    assert_eq!(
        (&again["created"], &again["updated"], &again["unchanged"]),
        (&json!(0), &json!(1), &json!(1)),
        "Maria is named by her reference now, so the row changes her name"
    );
    assert_eq!(touches(client, &maria).await.len(), 2);
    assert_eq!(now(client, &known).await["name"], "Maria A.");
    let allowed = "external_ref,name,email\nT-1,Ana,ana@trujillo.example\n";
    let allowed = send(client, &[("allow_duplicate", "true")], allowed).await.expect(201);
    assert_eq!(allowed["created"], 1);
}

#[actix_web::test]
async fn other_match_keys_find_open_leads() {
    let crm = crm().await;
    let client = &crm.client;
    let field = json!({ "record_type": "lead", "key": "legacy_no", "label": "No", "type": "text" });
    client.post("/v1/custom-fields", field).await.expect(201);
    let more = json!({ "email": "maria@alfreds.example", "phone": "+49 30 0074321", "custom_fields": { "legacy_no": "0007" } });
    let maria = lead(client, more).await;
    for (key, file, city) in [
        ("email", "email,city\nMARIA@Alfreds.example,Berlin\n", "Berlin"),
        ("phone", "phone,city\n0049 30 0074321,Potsdam\n", "Potsdam"),
        (
            "custom_fields.legacy_no",
            "custom_fields.legacy_no,city\n0007,Kiel\n",
            "Kiel",
        ),
    ] {
        let import = send(client, &[("match_by", key)], file).await.expect(201);
        assert_eq!(rows(client, &import).await, [good("updated")], "{key}");
        assert_eq!(now(client, &maria).await["city"], city, "{key}");
    }
    assert_eq!(
        now(client, &maria).await["touch_count"],
        1,
        "none of that says how somebody came"
    );
    let body = json!({ "reason": "no_need" });
    act(client, &maria, "disqualify", body).await.expect(200);
    let by_id = format!("id,city\n{},Bonn\n", id(&maria));
    let import = send(client, &[], &by_id).await.expect(201);
    assert_eq!(rows(client, &import).await, [bad(&[("", "illegal_transition")])]);
    let import = send(
        client,
        &[("match_by", "email")],
        "email,city\nmaria@alfreds.example,Bonn\n",
    )
    .await
    .expect(201);
    assert_eq!(
        rows(client, &import).await,
        [good("created")],
        "who comes again is a new lead"
    );
    let taken = json!({ "external_ref": "X" });
    let body = json!({ "name": "One", "external_ref": "X" });
    client.post("/v1/leads", body).await.expect(201);
    let two = client.post("/v1/leads", json!({ "name": "Two" })).await.expect(201);
    let path = format!("/v1/leads/{}", id(&two));
    client.patch(&path, taken).await.expect_problem(409, "duplicate");
    let found = client
        .get("/v1/leads?filter=external_ref%20%3D%20%22X%22")
        .await
        .expect(200);
    assert_eq!(found["items"][0]["name"], "One");
}

#[actix_web::test]
async fn an_import_of_leads_is_taken_back_but_for_what_was_changed_since() {
    let crm = crm().await;
    let client = &crm.client;
    let maria = lead(
        client,
        json!({ "email": "maria@alfreds.example", "external_ref": "L-1", "source": "web" }),
    )
    .await;
    let ana = lead(
        client,
        json!({ "name": "Ana", "company": null, "email": "ana@trujillo.example" }),
    )
    .await;
    let before = [now(client, &maria).await, now(client, &ana).await];
    let file = "external_ref,name,email,source,city\n\
        L-1,Maria A.,new@alfreds.example,fair,Berlin\n\
        L-2,Ana T.,ana@trujillo.example,fair,\n\
        L-3,Hanna Moos,hanna@blauer.example,fair,\n\
        L-4,Peter,peter@example.com,fair,\n\
        L-5,Sven,sven@example.com,fair,\n";
    let import = send(client, &[], file).await.expect(201);
    assert_eq!((&import["created"], &import["updated"]), (&json!(3), &json!(2)));
    let (hanna, peter, sven) = (
        named(client, "Hanna").await,
        named(client, "Peter").await,
        named(client, "Sven").await,
    );
    act(client, &peter, "qualify", json!({})).await.expect(200);
    let call = json!({ "kind": "task", "title": "Call", "subject_type": "lead", "subject_id": id(&sven) });
    client.post("/v1/activities", call).await.expect(201);

    let undone = undo(client, &import).await.expect(200);
    assert_eq!(
        (&undone["restored"], &undone["withdrawn"], &undone["kept"]),
        (&json!(2), &json!(1), &json!(2))
    );
    assert_eq!(
        kept(client, &import).await,
        [
            (peter["id"].clone(), json!("changed_since")),
            (sven["id"].clone(), json!("in_use"))
        ]
    );
    for (lead, before) in [&maria, &ana].into_iter().zip(&before) {
        let mut now = now(client, lead).await;
        assert_eq!(now["version"], 3, "it is told as a change");
        for counted in ["version", "revision", "updated_at"] {
            now[counted] = before[counted].clone();
        }
        assert_eq!(&now, before);
        assert_eq!(touches(client, lead).await.len(), 1);
    }
    let gone = now(client, &hanna).await;
    assert_eq!(
        [&gone["state"], &gone["disqualified_reason"], &gone["external_ref"]],
        [&json!("disqualified"), &json!("other"), &Value::Null]
    );
    undo(client, &import).await.expect_problem(409, "already_undone");
    // The mended file makes the lead anew.
    let mended = send(
        client,
        &[],
        "external_ref,name,email\nL-3,Hanna Moos,hanna@blauer.example\n",
    )
    .await;
    assert_eq!(mended.expect(201)["created"], 1);
    let told = events(client, "lead.changed", 12).await;
    assert!(
        told.iter()
            .any(|e| e["subject"] == hanna["id"] && e["data"]["state"] == "disqualified")
    );
}

#[actix_web::test]
async fn files_that_race_with_each_other_and_with_a_form_make_each_lead_once() {
    let crm = crm().await;
    let client = &crm.client;
    let [ann, bob] = [
        crm.user("Ann", "sales", "own", None).await,
        crm.user("Bob", "sales", "own", None).await,
    ];
    let rule = json!({ "name": "All", "position": 1, "method": "round_robin", "members": [ann.id, bob.id] });
    client.post("/v1/lead-assignment-rules", rule).await.expect(201);
    let line = |n: usize| format!("Somebody {n},somebody{n}@example.com,fair\n");
    let forward: String = (0..20).map(line).collect();
    let backward: String = (0..20).rev().map(line).collect();
    let files = (0..8).map(|n| {
        let lines = if n % 2 == 0 { &forward } else { &backward };
        let file = format!("name,email,source\n{lines}");
        async move { send(client, &[], &file).await.expect(201) }
    });
    let captured = (0..20).map(|n| async move {
        let body = json!({ "name": "From the web", "email": format!("somebody{n}@example.com") });
        let reply = client.post("/v1/leads", body).await;
        assert!(reply.status == 200 || reply.status == 201, "{}", reply.body);
    });
    let (imports, _) = futures_util::future::join(join_all(files), join_all(captured)).await;
    assert!(imports.iter().all(|import| import["rejected"] == 0), "{imports:?}");
    let leads = items(client, "/v1/leads?limit=100").await;
    assert_eq!(leads.len(), 20);
    let anns = leads.iter().filter(|lead| lead["owner_id"] == json!(ann.id)).count();
    assert_eq!(anns, 10, "turns are fair");
}
