use super::smtp::Server;
use super::{customer_of, faults};
use crate::support::{crm, customer, id, timeline_kinds};
use crm_service::activities::emails::outbox::OUTBOX;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply};

pub async fn deliver(client: &Client, message: &str) -> Reply {
    let request = client.request(Method::POST, "/v1/inbound-emails");
    let request = request
        .header("Content-Type", "message/rfc822")
        .body(message.replace('\n', "\r\n"));
    client.send(request).await
}

pub fn message(message_id: &str, headers: &str) -> String {
    format!(
        "From: Maria <Maria@Alfreds.example>\nTo: sales@tandem.example\nMessage-ID: <{message_id}>\n{headers}\nHello\n"
    )
}

async fn contact(client: &Client, customer: &Value, email: &str) -> Value {
    let body = json!({ "name": "Maria Anders", "email": email });
    client
        .post(&format!("/v1/customers/{}/contacts", id(customer)), body)
        .await
        .expect(201)
}

#[actix_web::test]
async fn a_message_finds_its_customer_once() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let bob = crm.user("Bob", "sales", "own", None).await;
    let of = customer_of(&crm, "Alfreds Futterkiste", &ann.id).await;
    let maria = contact(&crm.client, &of, "maria@ALFREDS.example").await;
    let gateway = crm.client.new_key("custom", &["emails:receive"]).await;
    let text = message(
        "1@alfreds.example",
        "Subject: Broken\nDate: Fri, 2 Jan 2026 10:00:00 +0100\n",
    );
    let made = deliver(&gateway, &text).await.expect(201);
    assert_eq!(
        [
            &made["state"],
            &made["direction"],
            &made["customer_id"],
            &made["subject_type"],
            &made["contact_id"],
            &made["owner_id"]
        ],
        [
            &json!("received"),
            &json!("in"),
            &of["id"],
            &json!("customer"),
            &maria["id"],
            &json!(ann.id)
        ]
    );
    assert_eq!(
        [
            &made["subject"],
            &made["text"],
            &made["from_address"],
            &made["done_at"],
            &made["message_id"]
        ],
        [
            &json!("Broken"),
            &json!("Hello\r\n"),
            &json!("Maria <Maria@Alfreds.example>"),
            &json!("2026-01-02T09:00:00Z"),
            &json!("1@alfreds.example")
        ]
    );
    assert_eq!(
        deliver(&gateway, &text).await.expect(200),
        made,
        "delivered again, it is here already"
    );
    assert_eq!(
        timeline_kinds(&crm.client, id(&of)).await,
        ["contact_added", "customer_created", "email_received"]
    );
    let path = format!("/v1/emails/{}", id(&made));
    ann.client.get(&path).await.expect(200);
    bob.client.get(&path).await.expect_problem(404, "not_found");
    assert_eq!(
        super::titles(&ann.client, "/v1/activities?kind=email&q=broken").await,
        ["Broken"]
    );
    let told = ann.client.get("/v1/me/notifications").await.expect(200);
    assert_eq!(
        (&told["items"][0]["kind"], &told["items"][0]["subject"]),
        (&json!("email_received"), &made["id"])
    );
    // One that went to a user's own address is that user's.
    let text = message("2@alfreds.example", "Cc: Bob <BOB@example.com>\n");
    assert_eq!(deliver(&gateway, &text).await.expect(201)["owner_id"], json!(bob.id));
}

#[actix_web::test]
async fn of_many_deliveries_at_once_one_makes_the_message() {
    let crm = crm().await;
    let text = message("once@alfreds.example", "References: <first@alfreds.example>\n");
    let replies = join_all((0..32).map(|_| deliver(&crm.client, &text))).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    let here = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!((made, here), (1, 31));
    let list = crm.client.get("/v1/activities?kind=email").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn nobody_guesses_whom_a_message_is_from() {
    let crm = crm().await;
    let (one, other) = (customer(&crm.client, "One").await, customer(&crm.client, "Other").await);
    contact(&crm.client, &one, "maria@alfreds.example").await;
    contact(&crm.client, &one, "maria@alfreds.example").await;
    let made = deliver(&crm.client, &message("1@x", "")).await.expect(201);
    assert_eq!(
        (&made["customer_id"], &made["subject"]),
        (&one["id"], &json!("(no subject)"))
    );
    contact(&crm.client, &other, "maria@alfreds.example").await;
    let made = deliver(&crm.client, &message("2@x", "")).await.expect(201);
    assert_eq!((&made["customer_id"], &made["owner_id"]), (&Value::Null, &Value::Null));
    // Somebody who sees it hangs it where it belongs.
    let path = format!("/v1/activities/{}", id(&made));
    let patch = json!({ "subject_type": "customer", "subject_id": other["id"] });
    assert_eq!(
        crm.client.patch(&path, patch).await.expect(200)["customer_id"],
        other["id"]
    );
    assert!(
        timeline_kinds(&crm.client, id(&other))
            .await
            .contains(&"email_received".to_owned())
    );
    crm.client
        .post(&format!("/v1/customers/{}/archive", id(&other)), json!({}))
        .await
        .expect(200);
    let made = deliver(&crm.client, &message("3@x", "")).await.expect(201);
    assert_eq!(made["customer_id"], one["id"], "an archived customer writes no letters");
}

#[actix_web::test]
async fn an_answer_goes_on_in_the_thread() {
    let server = Server::start();
    let crm = server.crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let of = customer_of(&crm, "Alfreds Futterkiste", &ann.id).await;
    let body = json!({ "to": ["maria@alfreds.example"], "subject": "Offer", "text": "Take it", "subject_type": "customer", "subject_id": of["id"] });
    let offer = ann.client.post("/v1/emails", body).await.expect(201);
    crm.running.kit.run_round(&OUTBOX).await.unwrap();
    let ours = offer["message_id"].as_str().unwrap();
    // Nobody has the address: the thread tells.
    let answer = message(
        "a@alfreds.example",
        &format!("Subject: RE: Offer\nIn-Reply-To: <{ours}>\n"),
    );
    let answer = deliver(&crm.client, &answer).await.expect(201);
    assert_eq!(
        [
            &answer["thread_id"],
            &answer["customer_id"],
            &answer["owner_id"],
            &answer["in_reply_to"],
            &answer["reference_ids"]
        ],
        [
            &offer["thread_id"],
            &of["id"],
            &json!(ann.id),
            &json!(ours),
            &json!([ours])
        ]
    );
    let body = json!({ "answers": answer["id"], "text": "Thanks" });
    let thanks = ann.client.post("/v1/emails", body).await.expect(201);
    assert_eq!(
        [
            &thanks["thread_id"],
            &thanks["subject"],
            &thanks["to_addresses"],
            &thanks["customer_id"],
            &thanks["reference_ids"]
        ],
        [
            &offer["thread_id"],
            &json!("RE: Offer"),
            &json!(["Maria@Alfreds.example"]),
            &of["id"],
            &json!([ours, "a@alfreds.example"])
        ]
    );
    crm.running.kit.run_round(&OUTBOX).await.unwrap();
    let sent = server.deliveries().pop().unwrap();
    assert_eq!(sent.to, ["Maria@Alfreds.example"]);
    assert_eq!(sent.header("In-Reply-To").unwrap(), "<a@alfreds.example>");
    assert_eq!(
        sent.header("References").unwrap(),
        format!("<{ours}> <a@alfreds.example>")
    );
    let thread = format!(
        "/v1/activities?thread_id={}&sort=created_at",
        offer["thread_id"].as_str().unwrap()
    );
    assert_eq!(
        super::titles(&ann.client, &thread).await,
        ["Offer", "RE: Offer", "RE: Offer"]
    );
}

#[actix_web::test]
async fn a_thread_comes_together_in_any_order() {
    let crm = crm().await;
    let texts = [
        message("1@x", ""),
        message("2@x", "In-Reply-To: <1@x>\n"),
        message("3@x", "References: <1@x> <2@x>\n"),
        message("4@x", "In-Reply-To: <3@x>\nReferences: <2@x> <3@x>\n"),
    ];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [3, 0, 2, 1], [1, 3, 0, 2]] {
        let prefix = format!("{order:?}").replace([',', ' ', '[', ']'], "");
        for index in order {
            let text = texts[index]
                .replace('<', &format!("<{prefix}"))
                .replace(&format!("<{prefix}Maria"), "<Maria");
            deliver(&crm.client, &text).await.expect(201);
        }
        let list = crm.client.get("/v1/activities?kind=email&limit=4").await.expect(200);
        let threads: Vec<&Value> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| &item["thread_id"])
            .collect();
        assert!(
            threads.iter().all(|thread| *thread == threads[0]),
            "{order:?}: {threads:?}"
        );
    }
    let alone = deliver(&crm.client, &message("5@y", "In-Reply-To: <unknown@z>\n"))
        .await
        .expect(201);
    assert_eq!(alone["thread_id"], alone["id"]);
}

#[actix_web::test]
async fn a_broken_message_is_answered_with_its_faults() {
    let crm = crm().await;
    let problem = deliver(&crm.client, "Subject: x\n\nx")
        .await
        .expect_problem(422, "required");
    assert_eq!(
        faults(&problem),
        [
            ("From".to_owned(), "required".to_owned()),
            ("Message-ID".to_owned(), "required".to_owned())
        ]
    );
    assert_eq!(deliver(&crm.client, "").await.status, 422);
    deliver(&crm.client, &"x".repeat(21 << 20))
        .await
        .expect_problem(413, "body_too_large");
    let request = crm.client.request(Method::POST, "/v1/inbound-emails").json(&json!({}));
    crm.client
        .send(request)
        .await
        .expect_problem(415, "unsupported_media_type");
    let viewer = crm.client.new_key("viewer", &[]).await;
    deliver(&viewer, &message("1@x", ""))
        .await
        .expect_problem(403, "forbidden");
}

#[actix_web::test]
async fn a_file_in_a_message_is_there() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let text = "From: a@b.example\nMessage-ID: <1@x>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee\n\
        --b\nContent-Type: text/html; name=\"a\\\"b\u{e9}.html\"\nContent-Disposition: attachment; filename=\"offer.html\"\nContent-Transfer-Encoding: base64\n\n\
        PHNjcmlwdD4=\n--b--\n";
    let made = deliver(&crm.client, text).await.expect(201);
    assert_eq!(
        made["attachments"],
        json!([{ "name": "offer.html", "content_type": "text/html", "size": 8 }])
    );
    let path = format!("/v1/emails/{}/attachments", id(&made));
    let file = crm.client.get(&format!("{path}/0")).await;
    assert_eq!((file.status.as_u16(), &file.body), (200, &json!("<script>")));
    assert_eq!(
        file.headers["content-type"], "application/octet-stream",
        "no browser runs it"
    );
    assert_eq!(
        file.headers["content-disposition"],
        "attachment; filename=\"offer.html\""
    );
    crm.client
        .get(&format!("{path}/1"))
        .await
        .expect_problem(404, "not_found");
    ann.client
        .get(&format!("{path}/0"))
        .await
        .expect_problem(404, "not_found");
}
