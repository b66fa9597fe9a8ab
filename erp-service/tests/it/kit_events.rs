//! The event feed: nothing is skipped, a wait ends with the commit, cursors are honest.

use crate::given;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Bool;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use erp_service::app::SERVICE;
use futures_util::future::join;
use private_postgres::{Cluster, Settings};
use serde_json::{Value, json};
use service_kit::events::FeedCursor;
use service_kit::testing::{ADMIN_KEY, Client, start_on};
use std::time::{Duration, Instant};
use uuid::Uuid;

async fn latest(erp: &Client) -> String {
    let batch = erp.get("/v1/events?after=latest").await.expect(200);
    assert_eq!(batch["events"], json!([]));
    batch["next_cursor"].as_str().unwrap().to_owned()
}

fn subjects(batch: &Value) -> Vec<&str> {
    let events = batch["events"].as_array().into_iter().flatten();
    events.map(|event| event["subject"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_event_is_a_cloud_event_with_the_whole_record() {
    let service = given::erp().await;
    let erp = &service.client;
    let made = given::product(erp, "A").await;
    let events = given::events(erp, "product.changed").await;
    let event = &events[0];
    for (field, value) in [
        ("specversion", json!("1.0")),
        ("source", json!("/erp")),
        ("type", json!("product.changed")),
        ("subject", made["id"].clone()),
        ("subjectversion", json!(1)),
        ("datacontenttype", json!("application/json")),
        ("time", made["created_at"].clone()),
        ("data", made.clone()),
    ] {
        assert_eq!(event[field], value, "{field}");
    }
    assert!(event["id"].as_str().unwrap().parse::<Uuid>().is_ok());
}

#[tokio::test]
async fn the_feed_is_read_in_parts_and_filtered_by_type() {
    let service = given::erp().await;
    let erp = &service.client;
    let mut made = Vec::new();
    for sku in ["A", "B", "C", "D", "E"] {
        made.push(given::product(erp, sku).await);
        given::category(erp, sku).await;
    }
    assert_eq!(given::events(erp, "product.changed").await.len(), 5);
    let (mut seen, mut after) = (Vec::new(), String::new());
    for _ in 0..3 {
        let path = format!("/v1/events?types=product.changed&limit=2&after={after}");
        let batch = erp.get(&path).await.expect(200);
        seen.extend(subjects(&batch).into_iter().map(str::to_owned));
        after = batch["next_cursor"].as_str().unwrap().to_owned();
    }
    let expected: Vec<&str> = made.iter().map(|product| product["id"].as_str().unwrap()).collect();
    assert_eq!(seen, expected);
    // At the end there is nothing more, and after `latest` only what is new.
    let rest = erp
        .get(&format!("/v1/events?types=product.changed&after={after}"))
        .await
        .expect(200);
    assert_eq!(rest["events"], json!([]));
    let cursor = latest(erp).await;
    let new = given::product(erp, "F").await;
    let batch = erp
        .get(&format!("/v1/events?after={cursor}&types=product.changed&wait=20"))
        .await
        .expect(200);
    assert_eq!(subjects(&batch), [new["id"].as_str().unwrap()]);
}

#[tokio::test]
async fn a_wait_ends_with_the_commit_that_it_waits_for() {
    let service = given::erp().await;
    let erp = &service.client;
    let cursor = latest(erp).await;
    let path = format!("/v1/events?after={cursor}&types=price.changed,product.changed&wait=30");
    let watch = Watch::over(&service.database.url);
    let started = Instant::now();
    let (batch, made) = join(erp.get(&path), async {
        watch.until_waiting().await;
        // A type that nobody asked for wakes nobody up to answer.
        given::category(erp, "Tea").await;
        given::product(erp, "A").await
    })
    .await;
    assert_eq!(subjects(&batch.expect(200)), [made["id"].as_str().unwrap()]);
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_wait_without_an_event_ends_in_time() {
    let service = given::erp().await;
    let erp = &service.client;
    let cursor = latest(erp).await;
    let started = Instant::now();
    let batch = erp.get(&format!("/v1/events?after={cursor}&wait=1")).await.expect(200);
    assert_eq!(batch["events"], json!([]));
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(900), "answered after {waited:?}");
    erp.get("/v1/events?wait=31")
        .await
        .expect_problem(400, "invalid_parameter");
}

#[tokio::test]
async fn stopping_answers_those_who_wait_at_once() {
    let service = given::erp().await;
    let erp = service.client.clone();
    let cursor = latest(&erp).await;
    let watch = Watch::over(&service.database.url);
    let waiting = tokio::spawn(async move { erp.get(&format!("/v1/events?after={cursor}&wait=30")).await });
    watch.until_waiting().await;
    let started = Instant::now();
    let _database = service.database;
    service.running.stop().await;
    let batch = waiting.await.unwrap().expect(200);
    assert_eq!(batch["events"], json!([]));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

/// Tells when a poll waits at the feed of a database.
struct Watch(PgConnection);

impl Watch {
    /// From now on.
    fn over(url: &str) -> Self {
        let mut conn = PgConnection::establish(url).unwrap();
        let begin = "CREATE TEMPORARY TABLE began AS SELECT clock_timestamp() AS at";
        conn.batch_execute(begin).unwrap();
        Watch(conn)
    }

    /// Returns once a poll has looked at the feed and found nothing.
    async fn until_waiting(mut self) {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Bool)]
            waiting: bool,
        }
        let look = "SELECT EXISTS (SELECT FROM pg_stat_activity, began
                    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle'
                      AND query LIKE '%pg_current_snapshot%' AND query_start > began.at) AS waiting";
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(20) {
            if diesel::sql_query(look).get_result::<Row>(&mut self.0).unwrap().waiting {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("nobody waits at the feed");
    }
}

#[tokio::test]
async fn a_transaction_that_stays_open_makes_the_feed_skip_nothing() {
    // The horizon is that of a whole cluster, so this test has one of its own.
    let home = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(home.path().join("postgres"));
    settings.durable = false;
    let cluster = Cluster::start(settings).unwrap();
    cluster.create_database("erp").unwrap();
    let url = cluster.url("erp");
    let running = start_on(SERVICE, &url, |_, _| {}).await.unwrap();
    let erp = &Client::new(format!("http://{}", running.address), ADMIN_KEY);
    let cursor = latest(erp).await;
    let held = Uuid::now_v7();
    let mut conn = PgConnection::establish(&url).unwrap();
    conn.batch_execute(&format!(
        "BEGIN; INSERT INTO events (id, type, subject, subject_version, occurred_at, data)
                VALUES (gen_random_uuid(), 'product.changed', '{held}', 1, now(), '{{}}')"
    ))
    .unwrap();
    // Commits later, and before the one that is held open.
    let later = given::product(erp, "A").await;
    let path = |after: &str| format!("/v1/events?after={after}&types=product.changed&wait=10");
    let early = erp
        .get(&format!("/v1/events?after={cursor}&types=product.changed"))
        .await
        .expect(200);
    assert_eq!(early["events"], json!([]), "the feed went past an open transaction");
    let between = early["next_cursor"].as_str().unwrap().to_owned();
    conn.batch_execute("COMMIT").unwrap();
    // Whoever reads on, from before or from in between, sees both in the order of the feed.
    for after in [cursor, between] {
        let (mut seen, mut after) = (Vec::new(), after);
        while seen.len() < 2 {
            let batch = erp.get(&path(&after)).await.expect(200);
            assert_ne!(batch["events"], json!([]), "only {seen:?} came");
            seen.extend(subjects(&batch).into_iter().map(str::to_owned));
            after = batch["next_cursor"].as_str().unwrap().to_owned();
        }
        assert_eq!(seen, [held.to_string(), later["id"].as_str().unwrap().to_owned()]);
    }
    running.stop().await;
    cluster.remove().unwrap();
}

#[tokio::test]
async fn a_cursor_of_another_feed_is_gone_and_nonsense_is_refused() {
    let service = given::erp().await;
    let erp = &service.client;
    given::product(erp, "A").await;
    let foreign = FeedCursor {
        feed_id: Uuid::now_v7(),
        transaction: 1,
        position: 0,
    };
    let gone = erp.get(&format!("/v1/events?after={}", foreign.encode())).await;
    gone.expect_problem(410, "cursor_expired");
    for nonsense in ["x", "bm90aGluZw", "OjE6MQ"] {
        let reply = erp.get(&format!("/v1/events?after={nonsense}")).await;
        reply.expect_problem(400, "invalid_cursor");
    }
}
