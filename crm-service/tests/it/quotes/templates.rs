use super::support::{act, begun, change, document, quote, sold};
use crate::support::{crm, id};
use serde_json::{Value, json};

const PLAIN: &str = "<h1>{{ quote.number }}</h1><p>{{ customer.name }} {{ quote.valid_until|date }}</p>
{% for line in lines %}<p>{{ line.name }}: {{ line.line_total|money }}</p>{% endfor %}<b>{{ total.net|money }}</b>";

async fn template(client: &service_kit::testing::Client, language: &str, html: &str) -> Value {
    let body = json!({ "language": language, "name": "Ours", "html": html, "publish": true });
    client.post("/v1/quote-templates", body).await.expect(201)
}

#[actix_web::test]
async fn a_document_is_in_the_customers_language_and_escaped() {
    let crm = crm().await;
    let body = json!({ "name": "Tee & <Söhne>", "kind": "company", "language": "de-AT",
        "addresses": [{ "kind": "billing", "street": "Ring 1", "city": "Wien", "postal_code": "1010", "country": "AT" }] });
    let of = crm.client.post("/v1/customers", body).await.expect(201);
    let tea = sold(&crm, "TEA", "1234.5").await;
    let terms = "Netto 30 Tage\n<script>alert(1)</script>";
    let lines = json!([{ "product_id": tea, "quantity": "1.5", "discount": "0.025" }]);
    let draft = quote(
        &crm.client,
        &of,
        json!({ "lines": lines, "valid_until": "2031-07-05", "terms": terms }),
    )
    .await;
    let german = document(&crm.client, &draft).await;
    // 1.5 × 1,234.50 × 0.975 = 1,805.46
    for part in [
        "Entwurf",
        "Angebot",
        "Tee &amp; &lt;Söhne&gt;",
        "1010 Wien",
        "05.07.2031",
        "1.234,5",
        "2,5",
        "1.805,46",
        "Netto 30 Tage",
        "&lt;script&gt;",
    ] {
        assert!(german.contains(part), "{part} is not in {german}");
    }
    assert!(!german.contains("<script"));
    change(&crm.client, &draft, json!({ "language": "en" }))
        .await
        .expect(200);
    let sent = act(&crm.client, &draft, "send", json!({})).await.expect(200);
    let english = document(&crm.client, &sent).await;
    for part in ["Q-000001", "Valid until", "5 July 2031", "1,805.46", "on order"] {
        assert!(english.contains(part), "{part} is not in {english}");
    }
    assert!(!english.contains("Draft"));
}

#[actix_web::test]
async fn a_template_is_drafted_published_and_retired_and_what_was_sent_stays() {
    let crm = crm().await;
    let made = template(&crm.client, "en", PLAIN).await;
    assert_eq!(
        (&made["published"]["number"], &made["draft"]),
        (&json!(1), &json!(null))
    );
    let (of, tea, first) = begun(&crm).await;
    act(&crm.client, &first, "send", json!({})).await.expect(200);
    let sent = document(&crm.client, &first).await;
    assert!(
        sent.starts_with("<h1>Q-000001</h1>") && sent.contains("<b>95.00\u{a0}USD</b>"),
        "{sent}"
    );

    let path = format!("/v1/quote-templates/{}", id(&made));
    let next = json!({ "html": PLAIN.replace("<h1>", "<h1>No. ") });
    let drafted = crm.client.post(&format!("{path}/draft"), next).await.expect(200);
    assert_eq!(
        (&drafted["published"]["number"], &drafted["draft"]["number"]),
        (&json!(1), &json!(2))
    );
    let preview = crm.client.get(&format!("{path}/preview")).await.expect(200);
    let preview = preview.as_str().unwrap();
    assert!(
        preview.starts_with("<h1>No. Q-000042</h1>") && preview.contains("Chang"),
        "{preview}"
    );
    let second = quote(&crm.client, &of, json!({ "lines": [super::support::line(&tea, "1")] })).await;
    assert!(!document(&crm.client, &second).await.contains("No. "));
    crm.client.post(&format!("{path}/publish"), json!({})).await.expect(200);
    crm.client
        .post(&format!("{path}/publish"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    assert!(document(&crm.client, &second).await.contains("No. "));
    assert_eq!(document(&crm.client, &first).await, sent);
    let versions = crm.client.get(&format!("{path}/versions")).await.expect(200);
    let states: Vec<_> = versions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["state"].clone())
        .collect();
    assert_eq!(states, ["retired", "published"]);

    crm.client.post(&format!("{path}/retire"), json!({})).await.expect(200);
    crm.client
        .post(&format!("{path}/retire"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    assert!(document(&crm.client, &second).await.contains("Valid until"));
    let body = json!({ "language": "en", "name": "Twice", "html": PLAIN });
    crm.client
        .post("/v1/quote-templates", body)
        .await
        .expect_problem(409, "duplicate");
    // Without a text it begins with the built-in one.
    let body = json!({ "language": "de", "name": "Unseres" });
    let german = crm.client.post("/v1/quote-templates", body).await.expect(201);
    assert!(german["draft"]["html"].as_str().unwrap().contains("Angebot"));
}

#[actix_web::test]
async fn all_faults_of_a_template_are_named_at_once() {
    let crm = crm().await;
    let html = "{{ quote.numbr }}\n{{ customer.name|safe }}\n{% for line in lines %}{{ line.prize }}{% endfor %}\n<script src='x'></script>";
    let body = json!({ "language": "en", "name": "Faulty", "html": html });
    let refused = crm
        .client
        .post("/v1/quote-templates", body)
        .await
        .expect_problem(422, "invalid_input");
    let mut found: Vec<(String, String)> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            assert_eq!(fault["pointer"], "/html");
            let message = fault["message"].as_str().unwrap();
            let place = message.split(':').next().unwrap();
            (place.to_owned(), fault["code"].as_str().unwrap().to_owned())
        })
        .collect();
    found.sort();
    let said = |place: &str, code: &str| (place.to_owned(), code.to_owned());
    assert_eq!(
        found,
        [
            said("a quote tells the number", "missing_part"),
            said("a quote tells the total", "missing_part"),
            said("a quote tells until when it is valid", "missing_part"),
            said("line 1", "unknown_variable"),
            said("line 2", "unknown_function"),
            said("line 3", "unknown_variable"),
            said("line 4", "not_allowed"),
        ]
    );
    let body = json!({ "language": "en", "name": "Open", "html": "{% for line in lines %}" });
    let refused = crm
        .client
        .post("/v1/quote-templates", body)
        .await
        .expect_problem(422, "invalid_input");
    assert!(
        refused["errors"]
            .as_array()
            .unwrap()
            .iter()
            .any(|fault| fault["code"] == "template_syntax")
    );
    assert_eq!(
        crm.client.get("/v1/quote-templates").await.expect(200)["items"],
        json!([])
    );
}
