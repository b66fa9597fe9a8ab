//! A stopped ERP does not slow the CRM; orders wait and flow when it is back.

use service_kit::testing::{ADMIN_KEY, Client, INTEGRATION_KEY};
use std::time::{Duration, Instant};
use tests::Stack;

#[tokio::test]
async fn orders_wait_for_a_stopped_erp() {
    let mut stack = Stack::start().await;
    let product = stack.product("TEA", "100").await;
    let customer = stack.customer("Centro comercial Moctezuma").await;
    let first = stack.submit(customer, product, "1").await;
    stack.order_in_crm(first, "accepted").await;

    let address = stack.erp_service.running.address;
    let database = stack.erp_service.database.url.clone();
    stack.erp_service.running.handle().stop(false).await;

    let mut orders = Vec::new();
    for _ in 0..20 {
        let started = Instant::now();
        orders.push(stack.submit(customer, product, "1").await);
        assert!(
            started.elapsed() < Duration::from_secs(2),
            "the CRM waits for the ERP: {:?}",
            started.elapsed()
        );
    }
    let order = stack.crm.get(&format!("/v1/orders/{}", orders[0])).await.expect(200);
    assert_eq!(order["status"], "submitted");

    let mut config = service_kit::config::Config::new(database, address);
    config.bootstrap_key = Some(ADMIN_KEY.to_owned());
    config.integration_key = Some(INTEGRATION_KEY.to_owned());
    let again = service_kit::server::start(erp_service::app::SERVICE, config, |_, _| {})
        .await
        .expect("the ERP starts again");
    stack.erp = Client::new(format!("http://{address}"), ADMIN_KEY);
    for order in orders {
        stack.order_in_crm(order, "accepted").await;
    }
    stack.availability_in_crm(product, "79").await;
    stack.no_dead_letter().await;
    stack.stop_sync().await;
    again.stop().await;
}
