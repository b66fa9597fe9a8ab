//! What HTTP promises, whatever the resource.

use crate::given;
use erp_service::app::SERVICE;
use reqwest::Method;
use serde_json::json;
use service_kit::config::Config;
use service_kit::testing::{ADMIN_KEY, Client, INTEGRATION_KEY, TestDatabase};

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    let service = given::erp().await;
    let erp = &service.client;
    erp.get("/v1/nothing").await.expect_problem(404, "no_such_path");
    erp.get("/nothing").await.expect_problem(404, "no_such_path");
    let reply = erp.delete("/v1/products").await;
    let allow = reply.headers["allow"].to_str().unwrap().to_owned();
    reply.expect_problem(405, "method_not_allowed");
    let mut methods: Vec<&str> = allow.split(", ").collect();
    methods.sort_unstable();
    assert_eq!(methods, ["GET", "POST"]);
    // Without a key a stranger does not even learn which paths exist.
    erp.with_key("")
        .get("/v1/nothing")
        .await
        .expect_problem(401, "unauthorized");
}

#[tokio::test]
async fn bodies_that_are_too_large_or_no_json_are_refused() {
    let service = given::erp().await;
    let erp = &service.client;
    let send = |media: &str, body: String| {
        let request = erp.request(Method::POST, "/v1/products");
        erp.send(request.header("Content-Type", media).body(body))
    };
    let mut largest = given::product_in("A").to_string();
    largest.extend(std::iter::repeat_n(' ', 1024 * 1024 - largest.len()));
    send("application/json; charset=utf-8", largest.clone())
        .await
        .expect(201);
    largest.push(' ');
    send("application/json", largest)
        .await
        .expect_problem(413, "body_too_large");
    let body = given::product_in("B").to_string();
    send("text/plain", body.clone())
        .await
        .expect_problem(415, "unsupported_media_type");
    send("application/jsonx", body.clone())
        .await
        .expect_problem(415, "unsupported_media_type");
    let nameless = erp.request(Method::POST, "/v1/products").body(body);
    erp.send(nameless).await.expect_problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_request_has_an_id_that_finds_it_again() {
    let service = given::erp().await;
    let erp = &service.client;
    let own = erp
        .request(Method::GET, "/v1/products/x")
        .header("X-Request-Id", "my-id-1");
    let reply = erp.send(own).await;
    assert_eq!(reply.headers["x-request-id"], "my-id-1");
    let problem = reply.expect_problem(400, "invalid_path");
    assert_eq!(problem["request_id"], "my-id-1");
    let minted = erp.get("/v1/products").await;
    assert!(minted.headers["x-request-id"].len() >= 16);
}

#[tokio::test]
async fn what_is_open_needs_no_key() {
    let service = given::erp().await;
    let stranger = service.client.with_key("");
    assert_eq!(
        stranger.get("/health/live").await.expect(200),
        json!({ "status": "live" })
    );
    assert_eq!(
        stranger.get("/health/ready").await.expect(200),
        json!({ "status": "ready" })
    );
    let document = stranger.get("/openapi.json").await.expect(200);
    assert_eq!(document, SERVICE.document());
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let metrics = stranger.get("/metrics").await.expect(200);
    let metrics = metrics.as_str().unwrap();
    for name in [
        "http_requests_total",
        "event_horizon_age_seconds",
        "database_connections_free",
    ] {
        assert!(metrics.contains(name), "{name} is missing in {metrics}");
    }
    let docs = stranger.get("/docs/").await.expect(200);
    let page = docs.as_str().unwrap();
    assert!(page.contains("swagger") && !page.contains("https://"), "{page}");
}

#[tokio::test]
async fn a_key_that_asks_too_fast_is_slowed_down_and_the_integration_is_not() {
    let database = TestDatabase::of(&SERVICE);
    let mut config = Config::new(database.url.clone(), ([127, 0, 0, 1], 0).into());
    config.bootstrap_key = Some(ADMIN_KEY.to_owned());
    config.integration_key = Some(INTEGRATION_KEY.to_owned());
    config.requests_per_second = 5;
    config.connections = 2;
    let running = service_kit::server::start(SERVICE, config, |_, _| {}).await.unwrap();
    let admin = Client::new(format!("http://{}", running.address), ADMIN_KEY);
    let integration = admin.with_key(INTEGRATION_KEY);
    let ask = async |client: &Client| {
        let asked = (0..40).map(|_| client.get("/v1/units?limit=1"));
        futures_util::future::join_all(asked).await
    };
    let answers = ask(&admin).await;
    let slowed: Vec<_> = answers
        .into_iter()
        .filter(|reply| reply.status.as_u16() != 200)
        .collect();
    assert!(!slowed.is_empty(), "nobody was slowed down");
    for reply in slowed {
        assert_eq!(reply.headers["retry-after"], "1");
        reply.expect_problem(429, "rate_limited");
    }
    for reply in ask(&integration).await {
        reply.expect(200);
    }
    running.stop().await;
}

#[tokio::test]
async fn parameters_are_what_the_document_says() {
    let service = given::erp().await;
    let erp = &service.client;
    for query in [
        format!("subject_type={}", "x".repeat(61)),
        "subject_type=a%00b".to_owned(),
        "since=2026-01-01".to_owned(),
        "since=9999-12-31T23:59:59-01:00".to_owned(),
        // What the type alone would read.
        "subject=00000000000000000000000000000000".to_owned(),
        "limit=5&limit=6".to_owned(),
    ] {
        let reply = erp.get(&format!("/v1/audit-log?{query}")).await;
        reply.expect_problem(400, "invalid_parameter");
    }
    let both = erp.get("/v1/audit-log?subject=x&limit=0").await;
    let detail = both.expect_problem(400, "invalid_parameter")["detail"].to_string();
    assert!(detail.contains("subject: ") && detail.contains("limit: "), "{detail}");
    let path = "/v1/products/00000000000000000000000000000000";
    erp.get(path).await.expect_problem(400, "invalid_path");
    erp.get("/v1/events?wait=31")
        .await
        .expect_problem(400, "invalid_parameter");
    erp.get("/v1/customers?blocked=true&limit=1").await.expect(200);
    erp.get("/v1/customers?blocked=1")
        .await
        .expect_problem(400, "invalid_parameter");
}

#[tokio::test]
async fn headers_are_what_the_document_says() {
    let service = given::erp().await;
    let erp = &service.client;
    let unit = json!({ "code": "crate", "name": "crate" });
    let spaced = erp.post_with_key("/v1/units", "two words", unit.clone()).await;
    spaced.expect_problem(400, "invalid_header");
    erp.post_with_key("/v1/units", "one-word", unit).await.expect(201);
    let path = given::path("products", &given::product(erp, "A").await);
    let tabbed = erp.patch_matching(&path, "\"1\",\t\"2\"", json!({ "name": "B" })).await;
    tabbed.expect_problem(400, "invalid_header");
}
