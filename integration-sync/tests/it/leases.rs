//! One instance works on a flow; another takes over.

use crate::fake::customer;
use crate::stage::{Stage, eventually};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::json;
use service_kit::testing::{ADMIN_KEY, Client};
use uuid::Uuid;

fn path(id: Uuid) -> String {
    format!("/v1/customers/{id}")
}

impl Stage {
    fn sql(&self, statement: &str) {
        PgConnection::establish(&self.database.url)
            .unwrap()
            .batch_execute(statement)
            .unwrap();
    }
}

#[tokio::test]
async fn a_second_instance_waits_and_takes_over_when_the_first_stops() {
    let mut stage = Stage::start().await;
    let owner = stage.flow("customers-to-erp").await["lease"]["owner"].clone();
    let second = stage.another_sync().await;
    let (before, after) = (Uuid::now_v7(), Uuid::now_v7());
    stage
        .crm
        .emit("customer.changed", before, 1, customer(before, 1, "before"));
    stage
        .flow_is("customers-to-erp", "applied", |flow| flow["counts"]["applied"] == 1)
        .await;
    assert_eq!(stage.flow("customers-to-erp").await["lease"]["owner"], owner);

    stage.sync.take().unwrap().stop().await;
    stage.client = Client::new(format!("http://{}", second.address()), ADMIN_KEY);
    stage
        .crm
        .emit("customer.changed", after, 1, customer(after, 1, "after"));
    stage
        .flow_is("customers-to-erp", "applied", |flow| flow["counts"]["applied"] == 2)
        .await;
    assert_ne!(stage.flow("customers-to-erp").await["lease"]["owner"], owner);
    assert_eq!(stage.erp.puts_to(&path(before)).len(), 1);
    assert_eq!(stage.erp.puts_to(&path(after)).len(), 1);
    second.stop().await;
}

#[tokio::test]
async fn a_lease_of_somebody_who_died_is_taken_over_when_it_lapses() {
    let stage = Stage::prepare().await;
    let dead = Uuid::now_v7();
    stage.sql(&format!(
        "UPDATE flow_states SET lease_owner = '{dead}', lease_until = now() + interval '2 seconds'"
    ));
    let id = Uuid::now_v7();
    let stage = stage.with_sync().await;
    stage.crm.emit("customer.changed", id, 1, customer(id, 1, "Acme"));
    assert_eq!(stage.flow("customers-to-erp").await["lease"]["owner"], json!(dead));
    assert!(stage.erp.puts().is_empty());
    stage.settled().await;
    assert_ne!(stage.flow("customers-to-erp").await["lease"]["owner"], json!(dead));
    stage.stop().await;
}

#[tokio::test]
async fn an_instance_that_lost_its_lease_does_not_move_the_cursor() {
    let stage = Stage::start().await;
    let id = Uuid::now_v7();
    let before = stage.flow("customers-to-erp").await;
    stage.erp.hold_puts(true);
    stage.crm.emit("customer.changed", id, 1, customer(id, 1, "Acme"));
    eventually("the request is under way", async || {
        stage.erp.puts_to(&path(id)).len() == 1
    })
    .await;
    // Somebody else took the flow, thinking that this instance is dead.
    let thief = Uuid::now_v7();
    stage.sql(&format!(
        "UPDATE flow_states SET lease_owner = '{thief}', lease_until = now() + interval '3 seconds', lease_epoch = lease_epoch + 1"
    ));
    stage.erp.hold_puts(false);
    stage
        .flow_is("customers-to-erp", "back with us", |flow| {
            flow["lease"]["owner"] == before["lease"]["owner"]
        })
        .await;
    // What was under way when the lease was lost counted for nothing, and is applied again.
    stage
        .flow_is("customers-to-erp", "applied", |flow| flow["counts"]["applied"] == 1)
        .await;
    assert!(stage.erp.puts_to(&path(id)).len() >= 2);
    stage.stop().await;
}
