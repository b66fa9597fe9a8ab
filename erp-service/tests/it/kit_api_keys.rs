//! API keys over the API.

use crate::given;
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_key_works_at_once_until_it_is_revoked() {
    let service = given::erp().await;
    let admin = &service.client;
    let body = json!({ "name": "warehouse terminal", "role": "viewer" });
    let reply = admin.post("/v1/api-keys", body).await;
    let location = reply.headers["location"].to_str().unwrap().to_owned();
    let made = reply.expect(201);
    let client = admin.with_key(made["key"].as_str().unwrap());
    client.get("/v1/products").await.expect(200);
    client
        .post("/v1/products", given::product_in("A"))
        .await
        .expect_problem(403, "forbidden");
    let revoked = admin.delete(&location).await.expect(200);
    assert!(revoked["revoked_at"].is_string(), "{revoked:#}");
    client.get("/v1/products").await.expect_problem(401, "unauthorized");
    // Revoking again changes nothing.
    assert_eq!(admin.delete(&location).await.expect(200), revoked);
    assert_eq!(admin.get(&location).await.expect(200), revoked);
}

#[tokio::test]
async fn the_secret_is_shown_once_and_never_stored() {
    let service = given::erp().await;
    let admin = &service.client;
    let body = json!({ "name": "once", "role": "viewer" });
    let made = admin
        .post_with_key("/v1/api-keys", "make", body.clone())
        .await
        .expect(201);
    let secret = made["key"].as_str().unwrap().to_owned();
    let replay = admin.post_with_key("/v1/api-keys", "make", body).await.expect(201);
    assert_eq!((&replay["id"], &replay["key"]), (&made["id"], &Value::Null));
    for path in ["/v1/api-keys", "/v1/audit-log", &given::path("api-keys", &made)] {
        let shown = admin.get(path).await.expect(200).to_string();
        assert!(!shown.contains(&secret), "{path} shows the secret");
    }
    let mut conn = PgConnection::establish(&service.database.url).unwrap();
    let traces = format!(
        "SELECT (SELECT count(*) FROM api_keys k WHERE k::text LIKE '%{secret}%')
              + (SELECT count(*) FROM idempotency_keys k WHERE k::text LIKE '%{secret}%')
              + (SELECT count(*) FROM audit_log k WHERE k::text LIKE '%{secret}%') AS number"
    );
    assert_eq!(count(&mut conn, &traces), 0);
    assert_eq!(
        count(&mut conn, "SELECT count(*) AS number FROM api_keys WHERE name = 'once'"),
        1
    );
}

fn count(conn: &mut PgConnection, statement: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }
    diesel::sql_query(statement).get_result::<Row>(conn).unwrap().number
}

#[tokio::test]
async fn an_expired_key_is_no_key() {
    let service = given::erp().await;
    let admin = &service.client;
    let past = json!({ "name": "late", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z" });
    let problem = admin
        .post("/v1/api-keys", past)
        .await
        .expect_problem(422, "out_of_range");
    assert_eq!(given::faults(&problem), [("/expires_at", "out_of_range")]);
    let body = json!({ "name": "soon", "role": "viewer", "expires_at": "2999-01-01T00:00:00Z" });
    let made = admin.post("/v1/api-keys", body).await.expect(201);
    let client = admin.with_key(made["key"].as_str().unwrap());
    client.get("/v1/products").await.expect(200);
    let mut conn = PgConnection::establish(&service.database.url).unwrap();
    conn.batch_execute("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE name = 'soon'")
        .unwrap();
    // A key that was good a moment ago may be remembered for a moment.
    let started = Instant::now();
    loop {
        let reply = client.get("/v1/products").await;
        if reply.status.as_u16() == 401 || started.elapsed() > Duration::from_secs(5) {
            reply.expect_problem(401, "unauthorized");
            break;
        }
    }
}

#[tokio::test]
async fn a_key_holds_its_role_and_what_it_names() {
    let service = given::erp().await;
    let admin = &service.client;
    let buyer = admin.new_key("custom", &["products:read", "products:write"]).await;
    let made = given::product(&buyer, "A").await;
    buyer.get(&given::path("products", &made)).await.expect(200);
    let problem = buyer.get("/v1/customers").await.expect_problem(403, "forbidden");
    assert_eq!(problem["required_permission"], "customers:read");
    let wrong =
        json!({ "name": "x", "role": "king", "permissions": ["products:read", "rule:world", "integration:apply"] });
    let problem = admin
        .post("/v1/api-keys", wrong)
        .await
        .expect_problem(422, "unknown_value");
    assert_eq!(
        given::faults(&problem),
        [
            ("/role", "unknown_value"),
            ("/permissions/1", "unknown_value"),
            ("/permissions/2", "unknown_value"),
        ]
    );
    // Who runs the business hands out no keys.
    let back_office = admin.new_key("back_office", &[]).await;
    let key = json!({ "name": "x", "role": "admin" });
    let problem = back_office
        .post("/v1/api-keys", key)
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(problem["required_permission"], "api_keys:manage");
    back_office.get("/v1/audit-log").await.expect(200);
}
