//! The demo companies load, reconcile, and are not loaded twice.

use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::processes::{Processes, tandem};

/// Debug builds take their time; the product's own limit is measured on a release build.
const LOADING: Duration = Duration::from_secs(400);

fn verify(home: &Path, company: &[&str]) -> String {
    let output = Command::new(tandem())
        .arg("verify")
        .args(company)
        .env("TANDEM_DIR", home)
        .output()
        .expect("tandem runs");
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{table}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    table
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shipped_company_reconciles_and_is_loaded_once() {
    let home = tempfile::tempdir().expect("a directory");
    let mut processes = Processes::up(home.path(), &[]);
    processes.says("Ctrl-C", LOADING).await;
    verify(home.path(), &[]);
    let stack = processes.ready(Duration::from_secs(5)).await;
    let newest = Processes::client(&stack, "crm")
        .get("/v1/orders?sort=-created_at&limit=1")
        .await
        .expect(200);
    assert_eq!(processes.interrupt().await.0, Some(0));

    let mut again = Processes::up(home.path(), &[]);
    again.says("Ctrl-C", Duration::from_secs(60)).await;
    verify(home.path(), &[]);
    let stack = again.ready(Duration::from_secs(5)).await;
    let still = Processes::client(&stack, "crm")
        .get("/v1/orders?sort=-created_at&limit=1")
        .await
        .expect(200);
    assert_eq!(newest["items"][0]["id"], still["items"][0]["id"]);
    let (code, took) = again.interrupt().await;
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data/northwind beside the checkout")]
async fn northwind_reconciles() {
    let northwind = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/northwind");
    let home = tempfile::tempdir().expect("a directory");
    let mut processes = Processes::up(home.path(), &["--demo", northwind]);
    processes.says("Ctrl-C", LOADING).await;
    let table = verify(home.path(), &[northwind]);
    for figure in ["91", "830", "1265793.02", "809", "21", "1198"] {
        assert!(table.contains(figure), "{figure} in\n{table}");
    }
    // The same figures, asked of the services themselves.
    let stack = processes.ready(Duration::from_secs(5)).await;
    for (service, path) in [("erp", "/v1/sales-orders"), ("crm", "/v1/orders")] {
        let client = Processes::client(&stack, service);
        let (mut cursor, mut orders, mut delivered, mut cents) = (String::new(), 0, 0, 0_i64);
        loop {
            let page = client.get(&format!("{path}?limit=500{cursor}")).await.expect(200);
            for order in page["items"].as_array().into_iter().flatten() {
                orders += 1;
                delivered += usize::from(order["status"] == "delivered");
                let net = order["total"]["net"].as_str().expect("a net total");
                cents += net.replace('.', "").parse::<i64>().expect("cents");
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!((orders, delivered, cents), (830, 809, 126_579_302), "{service}");
    }
    let letters = Processes::client(&stack, "sync")
        .get("/v1/dead-letters")
        .await
        .expect(200);
    assert_eq!(letters["items"], json!([]));
    assert_eq!(processes.interrupt().await.0, Some(0));
}
