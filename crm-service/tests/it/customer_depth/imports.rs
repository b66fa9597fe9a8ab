use crate::imported::{bad, good, kept, rows};
use crate::support::{crm, customer, events, id};
use chrono::{Duration, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply, TestService};

async fn send(client: &Client, more: &[(&str, &str)], file: &str) -> Reply {
    crate::imported::send(client, "customers", more, file).await
}

async fn with_fields() -> TestService {
    let crm = crm().await;
    for (key, more) in [
        (
            "region",
            json!({ "type": "choice", "options": [{ "value": "emea" }, { "value": "apac" }] }),
        ),
        ("legacy_no", json!({ "type": "text" })),
        ("vip", json!({ "type": "boolean" })),
    ] {
        let mut body = json!({ "record_type": "customer", "key": key, "label": key });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        crm.client.post("/v1/custom-fields", body).await.expect(201);
    }
    crm
}

async fn find(client: &Client, name: &str) -> Value {
    let page = client.get(&format!("/v1/customers?q={name}")).await.expect(200);
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{name}: {items:?}");
    items[0].clone()
}

#[actix_web::test]
async fn rows_make_change_and_name_all_their_faults() {
    let crm = with_fields().await;
    let client = &crm.client;
    let there =
        json!({ "name": "Alfreds", "kind": "company", "external_ref": "A1", "phone": "030 1", "tags": ["old"] });
    let there = client.post("/v1/customers", there).await.expect(201);
    customer(client, "Müller & Söhne GmbH").await;
    let file = "external_ref,name,kind,email,phone,tags,custom_fields.region,custom_fields.vip\n\
        A1,Alfreds Futterkiste,,office@alfreds.example,,\"vip, fair\",emea,yes\n\
        B1,Berglunds,company,,,,,\n\
        B2,MUELLER UND SOEHNE,company,,,,,\n\
        B3,,company,,,,,\n\
        B4,Bad,firm,nobody,,,,\n\
        B5,Odd,company,,,,mars,perhaps\n\
        B1,Again,company,,,,,\n\
        A1,Twice,company,,,,,\n";
    let dry = send(client, &[("dry_run", "true")], file).await.expect(200);
    let expected = [
        good("updated"),
        good("created"),
        bad(&[("", "possible_duplicate")]),
        bad(&[("name", "required")]),
        bad(&[("email", "bad_format"), ("kind", "unknown_value")]),
        bad(&[
            ("custom_fields.region", "unknown_value"),
            ("custom_fields.vip", "wrong_type"),
        ]),
        bad(&[("", "duplicate_row")]),
        bad(&[("", "duplicate_row")]),
    ];
    assert_eq!(rows(client, &dry).await, expected);
    let path = format!("/v1/customers/{}", id(&there));
    assert_eq!(client.get(&path).await.expect(200), there, "a dry run changes nothing");

    let import = send(client, &[], file).await.expect(201);
    assert_eq!(rows(client, &import).await, expected);
    assert_eq!(
        (&import["created"], &import["updated"], &import["rejected"]),
        (&json!(1), &json!(1), &json!(6))
    );
    let now = client.get(&path).await.expect(200);
    assert_eq!(
        (
            &now["name"],
            &now["email"],
            &now["phone"],
            &now["tags"],
            &now["custom_fields"]
        ),
        (
            &json!("Alfreds Futterkiste"),
            &json!("office@alfreds.example"),
            &Value::Null,
            &json!(["fair", "vip"]),
            &json!({ "region": "emea", "vip": true })
        )
    );
    let all = client
        .get(&format!("/v1/imports/{}/rows?result=rejected", id(&import)))
        .await
        .expect(200);
    let problem = all["items"][0]["problem"].as_str().unwrap();
    assert!(
        problem.contains("Müller & Söhne GmbH") && problem.contains("70 %"),
        "{problem}"
    );

    let again = send(client, &[("id", &uuid::Uuid::now_v7().to_string())], file)
        .await
        .expect(201);
    assert_eq!(
        (&again["created"], &again["unchanged"]),
        (&json!(0), &json!(2)),
        "a repeat changes nothing"
    );
    let allowed = send(
        client,
        &[("allow_duplicate", "true")],
        "external_ref,name\nB2,MUELLER UND SOEHNE\n",
    )
    .await;
    assert_eq!(allowed.expect(201)["created"], 1);
}

#[actix_web::test]
async fn other_names_of_columns_and_other_match_keys() {
    let crm = with_fields().await;
    let client = &crm.client;
    for (name, more) in [
        (
            "First",
            json!({ "email": "first@example.com", "tax_id": "DE 111 222 333" }),
        ),
        ("Second", json!({ "custom_fields": { "legacy_no": "0007" } })),
    ] {
        let mut body = json!({ "name": name, "kind": "company" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.post("/v1/customers", body).await.expect(201);
    }
    let columns = r#"{"Firma":"phone","Mail":"email","Notiz":null}"#;
    let with = |match_by| [("columns", columns), ("match_by", match_by)];
    let file = "Mail;Firma;Notiz\nFIRST@example.com;111;x\n";
    let import = send(client, &with("email"), file).await.expect(201);
    assert_eq!(
        (&import["updated"], &import["columns"]),
        (&json!(1), &json!(["email", "phone"]))
    );
    let file = "tax_id,phone\nde111222333,222\n";
    send(client, &[("match_by", "tax_id")], file).await.expect(201);
    assert_eq!(find(client, "First").await["phone"], "222");
    let file = "custom_fields.legacy_no,phone\n0007,333\n";
    let import = send(client, &[("match_by", "custom_fields.legacy_no")], file)
        .await
        .expect(201);
    assert_eq!(import["updated"], 1);
    assert_eq!(find(client, "Second").await["phone"], "333");

    let unknown = send(client, &with("email"), "Mail,Other\nx,y\n")
        .await
        .expect_problem(422, "invalid_input");
    let faults: Vec<_> = unknown["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (&f["pointer"], &f["code"]))
        .collect();
    let (unknown, missing) = (json!("unknown_column"), json!("missing_column"));
    assert_eq!(
        faults,
        [
            (&json!("/other"), &unknown),
            (&json!("/firma"), &missing),
            (&json!("/notiz"), &missing)
        ]
    );
    for (name, value) in [("columns", "x"), ("match_by", "name"), ("allow_duplicate", "maybe")] {
        send(client, &[(name, value)], "name\nx\n")
            .await
            .expect_problem(400, "invalid_parameter");
    }
    // The same file under the same id, but to be read otherwise, is another import.
    let minted = uuid::Uuid::now_v7().to_string();
    send(client, &[("id", &minted)], "name\nThird\n").await.expect(201);
    send(client, &[("id", &minted), ("allow_duplicate", "true")], "name\nThird\n")
        .await
        .expect_problem(409, "other_file");
    // An export can be edited and sent back.
    let export = client
        .request(Method::GET, "/v1/customers")
        .header("Accept", "text/csv");
    let reply = client.send(export).await;
    let file = reply.body.as_str().unwrap().to_owned();
    assert!(
        file.lines().next().unwrap().contains("custom_fields.legacy_no"),
        "{file}"
    );
    let back = send(client, &[], &file).await.expect(201);
    assert_eq!(
        (&back["unchanged"], &back["rejected"]),
        (&json!(3), &json!(0)),
        "{file}"
    );
    let audit = client.get("/v1/audit-log?limit=100").await.expect(200);
    assert!(
        audit["items"].to_string().contains("/v1/customers"),
        "who exported what is kept"
    );
}

#[actix_web::test]
async fn an_import_is_taken_back_but_for_what_was_changed_since() {
    let crm = with_fields().await;
    let client = &crm.client;
    for name in ["One", "Two", "Three"] {
        let body = json!({ "name": name, "kind": "company", "external_ref": name, "phone": "old", "custom_fields": { "vip": true } });
        client.post("/v1/customers", body).await.expect(201);
    }
    let before = [find(client, "One").await, find(client, "Two").await];
    let file = "external_ref,name,phone,custom_fields.vip,custom_fields.region\n\
        One,Uno,new,,emea\nTwo,Dos,new,,\nThree,Three,old,yes,\nFour,Cuatro,new,,\nFive,Cinco,new,,\n";
    let import = send(client, &[], file).await.expect(201);
    assert_eq!(
        (&import["created"], &import["updated"], &import["unchanged"]),
        (&json!(2), &json!(2), &json!(1))
    );
    let (dos, cinco) = (find(client, "Dos").await, find(client, "Cinco").await);
    client
        .patch(&format!("/v1/customers/{}", id(&dos)), json!({ "phone": "newer" }))
        .await
        .expect(200);
    let lines = json!([{ "product_id": uuid::Uuid::now_v7(), "quantity": "1" }]);
    let order = json!({ "customer_id": cinco["id"], "currency": "EUR", "lines": lines });
    client.post("/v1/orders", order).await.expect(201);

    let undo = format!("/v1/imports/{}/undo", id(&import));
    let dry = client
        .post(&format!("{undo}?dry_run=true"), json!({}))
        .await
        .expect(200);
    assert_eq!(
        (&dry["restored"], &dry["withdrawn"], &dry["kept"]),
        (&json!(1), &json!(1), &json!(2))
    );
    assert_eq!(find(client, "Uno").await["phone"], "new");
    let undone = client.post(&undo, json!({})).await.expect(200);
    assert_eq!(
        (&undone["restored"], &undone["withdrawn"], &undone["kept"]),
        (&json!(1), &json!(1), &json!(2))
    );
    let one = find(client, "One").await;
    for field in ["name", "phone", "custom_fields", "external_ref", "tags"] {
        assert_eq!(one[field], before[0][field], "{field}");
    }
    assert_eq!(one["version"], 3, "it is told as a change");
    assert_eq!(find(client, "Dos").await["phone"], "newer");
    let four = find(client, "Cuatro").await;
    assert_eq!(
        (&four["status"], &four["external_ref"]),
        (&json!("archived"), &Value::Null)
    );
    assert_eq!(find(client, "Cinco").await["status"], "active");
    let kept = kept(client, &import).await;
    assert_eq!(
        kept,
        [
            (dos["id"].clone(), json!("changed_since")),
            (cinco["id"].clone(), json!("in_use"))
        ]
    );
    client
        .post(&undo, json!({}))
        .await
        .expect_problem(409, "already_undone");
    // The mended file is no duplicate of what was taken back.
    let mended = send(client, &[], "external_ref,name\nFour,Cuatro\n").await.expect(201);
    assert_eq!(mended["created"], 1);
    let told = events(client, "customer.changed", 11).await;
    assert!(
        told.iter()
            .any(|e| e["data"]["name"] == "Cuatro" && e["data"]["status"] == "archived")
    );
}

#[actix_web::test]
async fn what_is_not_taken_back() {
    let crm = with_fields().await;
    let client = &crm.client;
    let undo = |import: &Value| {
        let path = format!("/v1/imports/{}/undo", id(import));
        async move { client.post(&path, json!({})).await }
    };
    undo(&json!({ "id": uuid::Uuid::now_v7().to_string() }))
        .await
        .expect_problem(404, "not_found");
    let dry = send(client, &[("dry_run", "true")], "name\nDry\n").await.expect(200);
    undo(&dry).await.expect_problem(409, "not_undoable");
    let old = send(client, &[], "name\nOld\n").await.expect(201);
    let yesterday = Utc::now() - Duration::hours(25);
    let mut conn = PgConnection::establish(&crm.database.url).unwrap();
    let statement = format!(
        "UPDATE imports SET completed_at = '{}' WHERE id = '{}'",
        yesterday.to_rfc3339(),
        id(&old)
    );
    conn.batch_execute(&statement).unwrap();
    undo(&old).await.expect_problem(409, "undo_too_late");
    let new = send(client, &[], "name\nNew\n").await.expect(201);
    let reader = client.new_key("custom", &["imports:run"]).await;
    let refused = reader.post(&format!("/v1/imports/{}/undo", id(&new)), json!({})).await;
    refused.expect_problem(403, "forbidden");
    undo(&new).await.expect(200);
}

#[actix_web::test]
async fn of_thirty_two_who_take_it_back_one_does() {
    let crm = with_fields().await;
    let client = &crm.client;
    let file: String = (0..20)
        .map(|n| format!("R{n},Customer number {n},x{n}@example.com\n"))
        .collect();
    let file = format!("external_ref,name,email\n{file}");
    let import = send(client, &[("allow_duplicate", "true")], &file).await.expect(201);
    assert_eq!(import["created"], 20);
    let path = format!("/v1/imports/{}/undo", id(&import));
    let all = join_all((0..32).map(|_| {
        let (client, path) = (client.clone(), path.clone());
        async move { client.post(&path, json!({})).await }
    }))
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = all.into_iter().partition(|reply| reply.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 31));
    for reply in lost {
        reply.expect_problem(409, "already_undone");
    }
    for reply in won {
        assert_eq!(reply.expect(200)["withdrawn"], 20);
    }
    let left = client.get("/v1/customers?status=active").await.expect(200);
    assert_eq!(left["items"], json!([]));
}

#[actix_web::test]
async fn a_row_brings_a_contact_two_addresses_and_a_language_and_undoing_takes_them_away() {
    let crm = with_fields().await;
    let client = &crm.client;
    let body = json!({ "name": "Alfreds", "kind": "company", "external_ref": "A1", "language": "en",
        "contacts": [{ "name": "Maria Anders", "role": "sales", "email": "maria@alfreds.example" }, { "name": "Otto" }],
        "addresses": [{ "kind": "billing", "street": "Obere Str. 57", "city": "Berlin", "country": "DE" }] });
    let there = client.post("/v1/customers", body).await.expect(201);
    let two = json!([{ "kind": "billing", "street": "One", "city": "Graz", "country": "AT" },
                     { "kind": "billing", "street": "Two", "city": "Graz", "country": "AT" }]);
    let body = json!({ "name": "Twofold", "kind": "company", "external_ref": "A2", "addresses": two });
    let twofold = client.post("/v1/customers", body).await.expect(201);
    let file = "external_ref,name,language,contact_name,contact_role,contact_email,contact_phone,billing_street,billing_city,\
                billing_country,shipping_street,shipping_city,shipping_postal_code,shipping_country\n\
        A1,Alfreds,de,Maria Anders,purchasing,MARIA@alfreds.example,,Neue Str. 1,Berlin,de,Hafen 2,Hamburg,20457,DE\n\
        A2,Twofold,,,,,,Two,Graz,DE,,,,\n\
        A3,Teahouse Linz,de-AT,Jo,,jo@teahouse.example,1,,,,,,,\n\
        A4,Bad,german,,buyer,nobody,,Street,,Atlantis,,,,\n\
        A5,Incomplete,,,buyer,,,Street,,DE,,Hamburg,,\n\
        A2,Third,,,,,,,,,,,,\n";
    let import = send(client, &[], file).await.expect(201);
    assert_eq!(
        rows(client, &import).await,
        [
            good("updated"),
            good("updated"),
            good("created"),
            bad(&[
                ("billing_country", "unknown_value"),
                ("contact_email", "bad_format"),
                ("language", "bad_format")
            ]),
            bad(&[
                ("billing_city", "required"),
                ("contact_name", "required"),
                ("shipping_country", "required"),
                ("shipping_street", "required")
            ]),
            bad(&[("", "duplicate_row")]),
        ]
    );
    let of = |record: &Value| format!("/v1/customers/{}", id(record));
    let now = client.get(&of(&there)).await.expect(200);
    assert_eq!(
        (&now["version"], &now["language"]),
        (&json!(2), &json!("de")),
        "one change of the whole"
    );
    assert_eq!(
        [
            &now["contacts"][0]["id"],
            &now["contacts"][0]["role"],
            &now["contacts"][1]["name"],
            &now["addresses"][0]["id"]
        ],
        [
            &there["contacts"][0]["id"],
            &json!("purchasing"),
            &json!("Otto"),
            &there["addresses"][0]["id"]
        ]
    );
    assert_eq!(
        [
            &now["addresses"][0]["street"],
            &now["addresses"][1]["kind"],
            &now["addresses"][1]["postal_code"]
        ],
        [&json!("Neue Str. 1"), &json!("shipping"), &json!("20457")]
    );
    let changed = client.get(&of(&twofold)).await.expect(200);
    assert_eq!(
        [&changed["addresses"][0]["country"], &changed["addresses"][1]["country"]],
        [&json!("AT"), &json!("DE")]
    );
    let made = find(client, "Linz").await;
    assert_eq!(client.get(&of(&made)).await.expect(200)["contacts"][0]["phone"], "1");

    let unclear = "external_ref,billing_street,billing_city\nA2,Three,Graz\n";
    let unclear = send(client, &[], unclear).await.expect(201);
    assert_eq!(rows(client, &unclear).await, [bad(&[("billing_street", "ambiguous")])]);
    let again = send(client, &[("columns", r#"{"name":"name"}"#)], file)
        .await
        .expect(201);
    assert_eq!(
        (&again["unchanged"], &again["updated"]),
        (&json!(3), &json!(0)),
        "a repeat changes nothing"
    );

    let undone = crate::imported::undo(client, &import).await.expect(200);
    assert_eq!(
        (&undone["restored"], &undone["withdrawn"], &undone["kept"]),
        (&json!(2), &json!(1), &json!(0))
    );
    let back = client.get(&of(&there)).await.expect(200);
    assert_eq!(back["language"], "en");
    for (part, field) in [
        ("contacts", "role"),
        ("contacts", "email"),
        ("addresses", "street"),
        ("addresses", "id"),
    ] {
        let all = |customer: &Value| -> Vec<Value> {
            let parts = customer[part].as_array().unwrap().iter();
            parts.map(|part| part[field].clone()).collect()
        };
        assert_eq!(all(&back), all(&there), "{part} {field}");
    }
    let gone = client.get(&of(&made)).await.expect(200);
    assert_eq!((&gone["status"], &gone["contacts"]), (&json!("archived"), &json!([])));
}
