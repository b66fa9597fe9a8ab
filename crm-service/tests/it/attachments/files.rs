use super::{pdf, upload};
use crate::sales::new_id;
use crate::support::{crm, customer, events, id, timeline_kinds};
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};

/// Of `%PDF-1.7 offer`, by sha256sum.
const SHA256: &str = "036d96459c2590e963b69f96076b12b76c1d7b8f0de0195d9f197fb4f6719ada";

async fn content(client: &Client, file: &Value, etag: &str) -> reqwest::Response {
    let path = format!("/v1/attachments/{}/content", id(file));
    let request = client
        .request(reqwest::Method::GET, &path)
        .header("If-None-Match", etag);
    request.send().await.unwrap()
}

#[actix_web::test]
async fn a_file_is_kept_as_it_came() {
    let crm = crm().await;
    let of = customer(&crm.client, "Rancho grande").await;
    let file = pdf(&crm.client, ("customer", id(&of)), "../Käse \"2026\".pdf").await;
    for (field, value) in [
        ("subject_type", json!("customer")),
        ("subject_id", of["id"].clone()),
        ("customer_id", of["id"].clone()),
        ("name", json!("Käse \"2026\".pdf")),
        ("content_type", json!("application/pdf")),
        ("size", json!(14)),
        ("sha256", json!(SHA256)),
        ("added_by", json!("bootstrap")),
        ("revision", json!(1)),
    ] {
        assert_eq!(file[field], value, "{field}");
    }
    assert_eq!(
        crm.client
            .get(&format!("/v1/attachments/{}", id(&file)))
            .await
            .expect(200),
        file
    );
    let response = content(&crm.client, &file, "\"other\"").await;
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(response.status(), 200);
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"K_se _2026_.pdf\"; filename*=UTF-8''K%C3%A4se%20%222026%22.pdf"
    );
    assert_eq!(header("content-type"), "application/pdf");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("content-security-policy"), "sandbox; default-src 'none'");
    let etag = header("etag");
    assert_eq!(etag, format!("\"{SHA256}\""));
    assert_eq!(&response.bytes().await.unwrap()[..], b"%PDF-1.7 offer");
    let unchanged = content(&crm.client, &file, &etag).await;
    assert_eq!(
        (unchanged.status().as_u16(), unchanged.bytes().await.unwrap().len()),
        (304, 0)
    );
    let told = timeline_kinds(&crm.client, id(&of)).await;
    assert_eq!(told, ["attachment_added", "customer_created"]);
    let event = &events(&crm.client, "attachment.changed", 1).await[0];
    assert_eq!((&event["subject"], &event["data"]), (&file["id"], &file));
}

#[actix_web::test]
async fn a_page_that_was_uploaded_is_only_ever_saved() {
    let crm = crm().await;
    let of = customer(&crm.client, "Rancho grande").await;
    let subject = ("customer", id(&of));
    let page = upload(&crm.client, subject, "x.html", "text/html; charset=utf-8", b"<script>")
        .await
        .expect(201);
    assert_eq!(page["content_type"], "text/html");
    let response = content(&crm.client, &page, "").await;
    let disposition = response.headers()["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("attachment;"), "{disposition}");
    assert_eq!(
        response.headers()["content-security-policy"],
        "sandbox; default-src 'none'"
    );
    // What is no media type is not repeated to whoever downloads it.
    let odd = upload(&crm.client, subject, "x", "text/html<b>", b"1")
        .await
        .expect(201);
    assert_eq!(odd["content_type"], "application/octet-stream");
}

#[actix_web::test]
async fn every_byte_and_ten_megabytes_are_kept_and_not_one_more() {
    let crm = crm().await;
    let of = customer(&crm.client, "Rancho grande").await;
    let subject = ("customer", id(&of));
    let mut bytes: Vec<u8> = (0..=255).cycle().take(10 * 1024 * 1024).collect();
    let file = upload(&crm.client, subject, "all.bin", "", &bytes).await.expect(201);
    assert_eq!(
        (&file["size"], &file["content_type"]),
        (&json!(10_485_760), &json!("application/octet-stream"))
    );
    assert_eq!(content(&crm.client, &file, "").await.bytes().await.unwrap(), bytes);
    bytes.push(1);
    upload(&crm.client, subject, "more.bin", "", &bytes)
        .await
        .expect_problem(413, "body_too_large");
    upload(&crm.client, subject, "none.bin", "", b"")
        .await
        .expect_problem(422, "empty_file");
}

#[actix_web::test]
async fn all_faults_of_a_file_are_told() {
    let crm = crm().await;
    let (nobody, nothing) = (new_id(), new_id());
    let path =
        format!("/v1/attachments?subject_type=deal&subject_id={nothing}&name=a&owner_id={nobody}&team_id={nothing}");
    let request = crm.client.request(reqwest::Method::POST, &path).body("x");
    let refused = crm.client.send(request).await.expect_problem(422, "invalid_input");
    let faults = refused["errors"].as_array().unwrap();
    let codes: Vec<&str> = faults.iter().map(|fault| fault["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["unknown_subject", "unknown_user", "unknown_team"]);
    let path = format!("/v1/attachments?subject_type=deal&subject_id={nothing}&name=a&folder=b");
    let request = crm.client.request(reqwest::Method::POST, &path).body("x");
    crm.client.send(request).await.expect_problem(400, "invalid_parameter");
}

#[actix_web::test]
async fn files_are_listed_and_removed() {
    let crm = crm().await;
    let (of, other) = (customer(&crm.client, "One").await, customer(&crm.client, "Other").await);
    let plain = crate::deals::support::pipeline(&crm.client, "Plain").await;
    let deal = crate::deals::support::deal(&crm.client, &of, &plain, json!({})).await;
    let b = pdf(&crm.client, ("customer", id(&of)), "b.pdf").await;
    let a = pdf(&crm.client, ("deal", id(&deal)), "a.pdf").await;
    let elsewhere = pdf(&crm.client, ("customer", id(&other)), "c.pdf").await;
    let names = |query: String| {
        let client = crm.client.clone();
        async move {
            let page = client.get(&format!("/v1/attachments?{query}")).await.expect(200);
            let items = page["items"].as_array().unwrap().clone();
            items
                .iter()
                .map(|file| file["name"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(
        names(format!("customer_id={}&sort=name", id(&of))).await,
        ["a.pdf", "b.pdf"]
    );
    assert_eq!(
        names(format!("subject_type=deal&subject_id={}", id(&deal))).await,
        ["a.pdf"]
    );
    assert_eq!(names("q=C.&sort=-name".to_owned()).await, ["c.pdf"]);
    assert_eq!(a["customer_id"], of["id"]);
    let path = format!("/v1/attachments/{}", id(&b));
    crm.client
        .delete(&path)
        .await
        .expect_problem(428, "precondition_required");
    let delete = |etag: &str| {
        crm.client
            .request(reqwest::Method::DELETE, &path)
            .header("If-Match", etag)
    };
    crm.client.send(delete("\"7\"")).await.expect_problem(412, "stale");
    crm.client.send(delete("\"1\"")).await.expect(204);
    crm.client.get(&path).await.expect_problem(404, "not_found");
    crm.client
        .get(&format!("{path}/content"))
        .await
        .expect_problem(404, "not_found");
    assert_eq!(names("sort=name".to_owned()).await, ["a.pdf", "c.pdf"]);
    assert_eq!(stored(&crm), 2, "the content goes with it");
    let log = crm
        .client
        .get(&format!("/v1/audit-log?subject={}", id(&b)))
        .await
        .expect(200);
    assert_eq!(log["items"][0]["changes"]["deleted"]["from"]["name"], "b.pdf");
    assert_eq!(
        events(&crm.client, "attachment.deleted", 1).await[0]["subject"],
        b["id"]
    );
    let _ = elsewhere;
}

#[actix_web::test]
async fn a_repeat_with_the_same_key_is_one_file() {
    let crm = crm().await;
    let of = customer(&crm.client, "Rancho grande").await;
    let send = |name: &str| {
        let path = format!(
            "/v1/attachments?subject_type=customer&subject_id={}&name={name}",
            id(&of)
        );
        let request = crm.client.request(reqwest::Method::POST, &path);
        crm.client.send(request.header("Idempotency-Key", "once").body("same"))
    };
    let first = send("a.txt").await.expect(201);
    assert_eq!(send("a.txt").await.expect(201), first);
    // The name belongs to what was asked.
    send("b.txt").await.expect_problem(422, "idempotency_key_reused");
    assert_eq!(stored(&crm), 1);
}

fn stored(crm: &TestService) -> i64 {
    use diesel::{Connection, QueryableByName, RunQueryDsl};
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let mut conn = diesel::PgConnection::establish(&crm.database.url).unwrap();
    let count: Count = diesel::sql_query("SELECT count(*) AS count FROM attachment_contents")
        .get_result(&mut conn)
        .unwrap();
    count.count
}

#[actix_web::test]
async fn files_of_a_lead_are_those_of_the_customer_that_it_becomes() {
    let crm = crm().await;
    let client = &crm.client;
    let body = json!({ "name": "Maria Anders", "company": "Alfreds Futterkiste" });
    let lead = client.post("/v1/leads", body).await.expect(201);
    let file = pdf(client, ("lead", id(&lead)), "card.pdf").await;
    assert_eq!(file["customer_id"], Value::Null);
    for verb in ["qualify", "convert"] {
        client
            .post(&format!("/v1/leads/{}/{verb}", id(&lead)), json!({}))
            .await
            .expect(200);
    }
    let lead = client.get(&format!("/v1/leads/{}", id(&lead))).await.expect(200);
    let path = format!("/v1/attachments?customer_id={}", lead["customer_id"].as_str().unwrap());
    let files = client.get(&path).await.expect(200);
    assert_eq!(
        (&files["items"][0]["id"], &files["items"][0]["subject_type"]),
        (&file["id"], &json!("lead"))
    );
}
