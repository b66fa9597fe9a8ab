//! kill -9 of each process and of PostgreSQL, with orders flowing: every submitted order ends in
//! the ERP exactly once, with the right status in the CRM.

use serde_json::{Value, json};
use service_kit::testing::Client;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tests::processes::Processes;
use tests::{eventually, eventually_within, id};
use uuid::Uuid;

/// Repeats a request until it is answered; the Idempotency-Key makes that harmless.
async fn insist(client: &Client, path: &str, key: &str, body: &Value) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        match once(client, path, key, body).await {
            Some((200 | 201, answer)) => return answer,
            Some((429 | 503, _)) | None => tokio::time::sleep(Duration::from_millis(20)).await,
            Some((status, answer)) => panic!("{path}: {status} {answer:#}"),
        }
    }
    panic!("no answer to {path}");
}

async fn once(client: &Client, path: &str, key: &str, body: &Value) -> Option<(u16, Value)> {
    let request = client
        .request(reqwest::Method::POST, path)
        .header("Idempotency-Key", key)
        .json(body);
    let response = request.timeout(Duration::from_secs(5)).send().await.ok()?;
    Some((response.status().as_u16(), response.json().await.ok()?))
}

/// Submits orders until told to stop; returns their ids.
async fn orders_flow(
    crm: Client,
    customer: Uuid,
    product: Uuid,
    stop: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
) -> Vec<Uuid> {
    let mut orders = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let order = Uuid::now_v7();
        let lines = json!([{"product_id": product, "quantity": "1", "unit_price": "2"}]);
        let body = json!({"id": order, "customer_id": customer, "currency": "USD", "lines": lines});
        insist(&crm, "/v1/orders", &order.to_string(), &body).await;
        insist(
            &crm,
            &format!("/v1/orders/{order}/submit"),
            &order.to_string(),
            &json!({}),
        )
        .await;
        orders.push(order);
        count.fetch_add(1, Ordering::Relaxed);
    }
    orders
}

/// Waits until this many more orders were submitted.
async fn more_orders(count: &AtomicUsize, more: usize) {
    let goal = count.load(Ordering::Relaxed) + more;
    eventually_within(Duration::from_secs(90), "more orders", async || {
        (count.load(Ordering::Relaxed) >= goal).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_survives_the_death_of_each_process() {
    let home = tempfile::tempdir().expect("a directory");
    let mut processes = Processes::up(home.path(), &["--no-demo"]);
    let stack = processes.ready(Duration::from_secs(90)).await;
    let (erp, crm, sync) = (
        Processes::client(&stack, "erp"),
        Processes::client(&stack, "crm"),
        Processes::client(&stack, "sync"),
    );
    let warehouse = id(&erp
        .post("/v1/warehouses", json!({"code": "MAIN", "name": "Main"}))
        .await
        .expect(201));
    let product = id(&erp
        .post(
            "/v1/products",
            json!({"sku": "A", "name": "A", "kind": "goods", "unit": "pcs"}),
        )
        .await
        .expect(201));
    let lines = json!([{"product_id": product, "quantity": "90000"}]);
    erp.post(
        "/v1/stock-adjustments",
        json!({"warehouse_id": warehouse, "reason": "opening", "lines": lines}),
    )
    .await
    .expect(201);
    let customer = id(&crm
        .post("/v1/customers", json!({"name": "Comércio Mineiro", "kind": "company"}))
        .await
        .expect(201));

    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let flows: Vec<_> = (0..4)
        .map(|_| tokio::spawn(orders_flow(crm.clone(), customer, product, stop.clone(), count.clone())))
        .collect();
    more_orders(&count, 20).await;
    for service in ["sync", "erp", "crm"] {
        let stack = processes.ready(Duration::from_secs(30)).await;
        let pid = stack[service]["pid"].as_u64().expect("a pid");
        Processes::signal(pid, "KILL");
        more_orders(&count, 20).await;
        eventually(&format!("{service} to be restarted"), async || {
            let stack: Value = serde_json::from_slice(&std::fs::read(home.path().join("stack.json")).ok()?).ok()?;
            let again = Processes::client(&stack, service);
            let ready = again
                .request(reqwest::Method::GET, "/health/ready")
                .send()
                .await
                .is_ok_and(|reply| reply.status() == 200);
            (stack[service]["pid"].as_u64() != Some(pid) && ready).then_some(())
        })
        .await;
    }
    let cluster = private_postgres::Cluster::find(home.path().join("postgres"))
        .expect("its directory")
        .expect("a cluster");
    Processes::signal(cluster.pid().expect("a pid").into(), "KILL");
    more_orders(&count, 20).await;
    stop.store(true, Ordering::Relaxed);
    let mut submitted = Vec::new();
    for flow in flows {
        submitted.extend(flow.await.expect("the flow of orders goes on"));
    }

    for order in &submitted {
        eventually(&format!("order {order} to be accepted"), async || {
            let reply = crm.get(&format!("/v1/orders/{order}")).await;
            (reply.body["status"] == "accepted").then_some(())
        })
        .await;
    }
    // Exactly once: as many orders as were submitted, each with a number of its own.
    let (mut cursor, mut ids, mut numbers) = (String::new(), HashSet::new(), HashSet::new());
    loop {
        let page = erp
            .get(&format!("/v1/sales-orders?limit=500{cursor}"))
            .await
            .expect(200);
        for order in page["items"].as_array().into_iter().flatten() {
            assert!(ids.insert(id(order)), "{order:#}");
            assert!(numbers.insert(order["number"].clone()), "{order:#}");
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(ids, submitted.iter().copied().collect());
    let level = erp
        .get(&format!("/v1/availability?product_id={product}"))
        .await
        .expect(200);
    assert_eq!(level["items"][0]["reserved"], submitted.len().to_string());
    let letters = sync.get("/v1/dead-letters?state=open").await.expect(200);
    assert_eq!(letters["items"], json!([]));

    let (code, took) = processes.interrupt().await;
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(
        !home.path().join("stack.json").exists(),
        "a stopped stack has no stack.json"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_end_when_their_parent_is_killed_and_the_server_is_adopted() {
    let home = tempfile::tempdir().expect("a directory");
    let mut first = Processes::up(home.path(), &["--no-demo"]);
    let stack = first.ready(Duration::from_secs(90)).await;
    let erp = Processes::client(&stack, "erp");
    erp.post("/v1/warehouses", json!({"code": "MAIN", "name": "Main"}))
        .await
        .expect(201);
    let cluster = private_postgres::Cluster::find(home.path().join("postgres"))
        .expect("its directory")
        .expect("a cluster");
    let server = cluster.pid();
    Processes::signal(first.pid().into(), "KILL");
    for service in ["erp", "crm", "sync"] {
        let pid = stack[service]["pid"].as_u64().expect("a pid");
        eventually(&format!("{service} to end with its parent"), async || {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
            // A process that ended but was not reaped yet is a zombie.
            state.is_none_or(|state| state.contains(") Z ")).then_some(())
        })
        .await;
    }
    assert!(cluster.is_ready(), "the server goes on");
    std::fs::remove_file(home.path().join("stack.json")).ok();
    let mut second = Processes::up(home.path(), &["--no-demo"]);
    let again = second.ready(Duration::from_secs(60)).await;
    assert_eq!(cluster.pid(), server, "adopted, not started anew");
    assert_eq!(again["erp"]["api_key"], stack["erp"]["api_key"]);
    let warehouses = Processes::client(&again, "erp").get("/v1/warehouses").await.expect(200);
    assert_eq!(warehouses["items"][0]["code"], "MAIN");
    assert_eq!(second.interrupt().await.0, Some(0));
}
