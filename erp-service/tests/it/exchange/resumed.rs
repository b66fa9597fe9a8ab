//! A file that breaks off, and goes on.

use super::{counts, rows, send};
use crate::given;
use serde_json::{Value, json};
use service_kit::testing::{ADMIN_KEY, Client, TestService};
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use uuid::Uuid;

fn file(rows: usize) -> String {
    let lines = (0..rows).map(|n| format!("P-{n:05},Product {n},goods,pcs\r\n"));
    "sku,name,kind,unit\r\n".to_owned() + &lines.collect::<String>()
}

/// Sends the first bytes of a file and hangs up.
pub fn break_off(service: &TestService, kind: &str, id: Uuid, file: &str, sent: usize) {
    let mut stream = TcpStream::connect(service.running.address).unwrap();
    let length = file.len();
    write!(
        stream,
        "POST /v1/imports?kind={kind}&id={id} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN_KEY}\r\n\
         Content-Type: text/csv\r\nContent-Length: {length}\r\n\r\n{}",
        &file[..sent]
    )
    .unwrap();
}

/// The import when it has answered so many rows.
pub async fn at(erp: &Client, id: Uuid, rows: i64) -> Value {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        let import = erp.get(&format!("/v1/imports/{id}")).await.body;
        if import["rows"] == rows {
            return import;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{:#}", erp.get(&format!("/v1/imports/{id}")).await.body);
}

#[tokio::test]
async fn the_same_file_goes_on_after_the_last_batch() {
    let service = given::erp().await;
    let erp = &service.client;
    let (id, file) = (Uuid::now_v7(), file(1_200));
    break_off(&service, "products", id, &file, file.len() * 3 / 5);
    let open = at(erp, id, 500).await;
    assert_eq!((&open["status"], counts(&open)), (&json!("open"), (500, 0, 0, 0)));
    let query = format!("kind=products&id={id}");
    let made = send(erp, &query, file.as_str()).await.expect(200);
    // Nothing was applied again: then the first rows would be unchanged.
    assert_eq!(
        (&made["status"], counts(&made)),
        (&json!("completed"), (1_200, 0, 0, 0))
    );
    assert_eq!(made["bytes"], json!(file.len()));
    let numbers: Vec<i64> = rows(erp, &made)
        .await
        .iter()
        .map(|row| row["row"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=1_200).collect::<Vec<_>>());
    assert_eq!(send(erp, &query, file.as_str()).await.expect(200), made);
    let events = given::events(erp, "product.changed").await;
    assert_eq!(events.len(), 1_200);
}

#[tokio::test]
async fn another_file_under_the_same_id_is_refused() {
    let service = given::erp().await;
    let erp = &service.client;
    let (id, file) = (Uuid::now_v7(), file(1_200));
    break_off(&service, "products", id, &file, file.len() * 3 / 5);
    at(erp, id, 500).await;
    let query = format!("kind=products&id={id}");
    let other_row = file.replace("Product 499,", "Product x99,");
    let other_header = file.replacen("name,kind", "kind,name", 1);
    let longer = format!("{file}\r\n");
    for other in [
        other_row,
        other_header,
        longer,
        file[..10_000].to_owned(),
        String::new(),
    ] {
        send(erp, &query, other).await.expect_problem(409, "other_file");
    }
    for query in [format!("kind=prices&id={id}"), format!("{query}&dry_run=true")] {
        send(erp, &query, file.as_str()).await.expect_problem(409, "other_file");
    }
    assert_eq!(at(erp, id, 500).await["revision"], 2);
    send(erp, &query, file.as_str()).await.expect(200);
    // And when it is completed.
    let changed = file.replace("Product 1199", "Product 1l99");
    for other in [changed, format!("{file}\r\n"), file[..500].to_owned()] {
        send(erp, &query, other).await.expect_problem(409, "other_file");
    }
}

#[tokio::test]
async fn many_who_send_the_same_file_at_once_import_it_once() {
    let service = given::erp().await;
    let erp = &service.client;
    let (id, file) = (Uuid::now_v7(), file(1_200));
    let query = format!("kind=products&id={id}");
    let sent = (0..8).map(|_| send(erp, &query, file.as_str()));
    for reply in futures_util::future::join_all(sent).await {
        match reply.status.as_u16() {
            200 | 201 => assert_eq!(counts(&reply.body), (1_200, 0, 0, 0)),
            _ => drop(reply.expect_problem(409, "import_in_progress")),
        }
    }
    let made = send(erp, &query, file.as_str()).await.expect(200);
    assert_eq!(
        (&made["status"], counts(&made)),
        (&json!("completed"), (1_200, 0, 0, 0))
    );
    assert_eq!(given::events(erp, "product.changed").await.len(), 1_200);
}

#[tokio::test]
async fn imports_of_the_same_products_at_once_leave_each_with_one_answer() {
    let service = given::erp().await;
    let erp = &service.client;
    let forth = file(700);
    let mut lines: Vec<&str> = forth.split_inclusive('\n').skip(1).collect();
    lines.reverse();
    let back = "sku,name,kind,unit\r\n".to_owned() + &lines.concat();
    let sent = [&forth, &back, &forth, &back].map(|file| send(erp, "kind=products", file.as_str()));
    let mut created = 0;
    for reply in futures_util::future::join_all(sent).await {
        let made = reply.expect(201);
        let (new, _, _, rejected) = counts(&made);
        created += new;
        // A row may have lost against its twin; it says so.
        let rows = rows(erp, &made).await;
        let lost = rows
            .iter()
            .filter(|row| row["faults"][0]["code"] == "duplicate")
            .count();
        assert_eq!(lost as i64, rejected, "{rows:#?}");
    }
    assert_eq!(created, 700);
}
