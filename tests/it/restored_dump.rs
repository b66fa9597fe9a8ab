//! A dump restored elsewhere is another feed: old cursors answer 410, and a resync makes both
//! sides equal again.

use serde_json::json;
use service_kit::testing::{ADMIN_KEY, Client, INTEGRATION_KEY, cluster};
use std::process::{Command, Stdio};
use tests::{Stack, eventually};

fn dump_and_restore(from: &str, to: &str) {
    let dump = Command::new("pg_dump")
        .args(["--no-owner", from])
        .output()
        .expect("pg_dump runs");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let mut restore = Command::new("psql")
        .args(["--quiet", "--set=ON_ERROR_STOP=1", to])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("psql runs");
    std::io::Write::write_all(&mut restore.stdin.take().expect("its input"), &dump.stdout).expect("psql reads");
    assert!(restore.wait().expect("psql ends").success());
}

#[tokio::test]
async fn a_restored_crm_and_the_erp_become_equal_again() {
    let mut stack = Stack::start().await;
    let product = stack.product("TEA", "100").await;
    let customer = stack.customer("Chop-suey Chinese").await;
    let before = stack.submit(customer, product, "1").await;
    stack.order_in_crm(before, "accepted").await;
    stack.quiet().await;
    let cursor = stack.crm.get("/v1/events").await.expect(200)["next_cursor"].clone();

    // The backup …
    let name = format!("test_restored_{}", uuid::Uuid::new_v4().simple());
    cluster().create_database(&name).expect("a database");
    let restored = cluster().url(&name);
    dump_and_restore(&stack.crm_service.database.url, &restored);
    // … misses what happens next.
    let after = stack.submit(customer, product, "2").await;
    stack.order_in_crm(after, "accepted").await;
    stack
        .crm
        .patch(&format!("/v1/customers/{customer}"), json!({"name": "Forgotten"}))
        .await
        .expect(200);
    eventually("the new name in the ERP", async || {
        (stack.erp.get(&format!("/v1/customers/{customer}")).await.body["name"] == "Forgotten").then_some(())
    })
    .await;
    stack.quiet().await;

    let address = stack.crm_service.running.address;
    stack.crm_service.running.handle().stop(false).await;
    let mut config = service_kit::config::Config::new(restored, address);
    config.bootstrap_key = Some(ADMIN_KEY.to_owned());
    config.integration_key = Some(INTEGRATION_KEY.to_owned());
    let again = service_kit::server::start(crm_service::app::SERVICE, config, |_, _| {})
        .await
        .expect("the CRM starts again");
    stack.crm = Client::new(format!("http://{address}"), ADMIN_KEY);

    let cursor = cursor.as_str().unwrap_or_default();
    stack
        .crm
        .get(&format!("/v1/events?after={cursor}"))
        .await
        .expect_problem(410, "cursor_expired");

    // What only the ERP still knew comes back; what the CRM owns is as the CRM has it.
    let found = eventually("the lost order in the CRM", async || {
        let reply = stack.crm.get(&format!("/v1/orders/{after}")).await;
        (reply.status == 200 && reply.body["status"] == "accepted").then_some(reply.body)
    })
    .await;
    assert_eq!(
        (&found["lines"][0]["quantity"], &found["total"]["net"]),
        (&json!("2"), &json!("20.00"))
    );
    eventually("the owner's name in the ERP", async || {
        (stack.erp.get(&format!("/v1/customers/{customer}")).await.body["name"] == "Chop-suey Chinese").then_some(())
    })
    .await;
    stack.availability_in_crm(product, "97").await;
    let next = stack.submit(customer, product, "7").await;
    stack.order_in_crm(next, "accepted").await;
    stack.no_dead_letter().await;
    stack.stop_sync().await;
    again.stop().await;
}
