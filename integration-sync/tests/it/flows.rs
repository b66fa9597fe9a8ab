//! The list of flows, and what the metrics say of them.

use crate::fake::{customer, invoice, payment};
use crate::stage::Stage;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn all_flows_are_listed_with_where_they_stand() {
    let stage = Stage::start().await;
    let flows = stage.client.get("/v1/flows").await.expect(200);
    let shown: Vec<(&str, &str, &str)> = flows["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            (
                f["name"].as_str().unwrap(),
                f["source"].as_str().unwrap(),
                f["target"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("customers-to-erp", "crm", "erp"),
            ("segments-to-erp", "crm", "erp"),
            ("segment-members-to-erp", "crm", "erp"),
            ("orders-to-erp", "crm", "erp"),
            ("currencies-to-crm", "erp", "crm"),
            ("catalogue-to-crm", "erp", "crm"),
            ("availability-to-crm", "erp", "crm"),
            ("fulfilment-to-crm", "erp", "crm"),
            ("credit-to-crm", "erp", "crm"),
            ("documents-to-crm", "erp", "crm"),
        ]
    );
    assert_eq!(flows["next_cursor"], Value::Null);
    let orders = stage.flow("orders-to-erp").await;
    assert_eq!(
        orders["event_types"],
        json!([
            "order.submitted",
            "order.cancellation_requested",
            "order.change_requested"
        ])
    );
    stage
        .client
        .get("/v1/flows/no-such-flow")
        .await
        .expect_problem(404, "not_found");
    stage
        .client
        .post("/v1/flows/no-such-flow/pause", json!({}))
        .await
        .expect_problem(404, "not_found");
    stage.stop().await;
}

#[tokio::test]
async fn the_lag_of_each_hop_is_a_metric() {
    let stage = Stage::start().await;
    let id = Uuid::now_v7();
    stage.crm.emit("customer.changed", id, 1, customer(id, 1, "Acme"));
    stage
        .flow_is("customers-to-erp", "applied", |flow| flow["counts"]["applied"] == 1)
        .await;
    let metrics = stage.client.get("/metrics").await.expect(200);
    let metrics = metrics.as_str().unwrap();
    for line in [
        "sync_lag_seconds_count{flow=\"customers-to-erp\",hop=\"committed_to_read\"} 1",
        "sync_lag_seconds_count{flow=\"customers-to-erp\",hop=\"read_to_applied\"} 1",
        "sync_changes_total{flow=\"customers-to-erp\",outcome=\"applied\"} 1",
        "sync_open_retries{flow=\"orders-to-erp\"} 0",
        "sync_open_dead_letters{flow=\"orders-to-erp\"} 0",
    ] {
        assert!(metrics.contains(line), "no {line} in\n{metrics}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn drafts_and_payments_of_others_stay_in_the_erp() {
    let stage = Stage::start().await;
    let [draft, posted, of_supplier, of_nobody, of_customer] = [(); 5].map(|()| Uuid::now_v7());
    stage.erp.emit_all([
        ("invoice.changed", draft, 1, invoice(draft, 1, "draft")),
        (
            "payment.changed",
            of_supplier,
            1,
            payment(of_supplier, 1, Some("supplier")),
        ),
        ("payment.changed", of_nobody, 1, payment(of_nobody, 1, None)),
        ("invoice.changed", posted, 2, invoice(posted, 2, "posted")),
        (
            "payment.changed",
            of_customer,
            1,
            payment(of_customer, 1, Some("customer")),
        ),
    ]);
    stage
        .flow_is("documents-to-crm", "both", |flow| flow["counts"]["applied"] == 2)
        .await;
    let mut paths: Vec<String> = stage.crm.puts().into_iter().map(|put| put.path).collect();
    paths.sort();
    assert_eq!(
        paths,
        [format!("/v1/invoices/{posted}"), format!("/v1/payments/{of_customer}")]
    );
    let told = &stage.crm.puts_to(&format!("/v1/payments/{of_customer}"))[0];
    assert_eq!(told["payment"]["customer_id"], json!(Uuid::from_u128(1)));
    assert_eq!(told["payment"].get("journal_entry_id"), None);
    stage.stop().await;
}
