//! The program itself: what a container and an operator see of it.

use crate::support::crm;
use std::process::{Command, Output};

async fn run(arguments: &'static [&str], variables: Vec<(&'static str, String)>) -> Output {
    let run = move || {
        Command::new(env!("CARGO_BIN_EXE_crm-service"))
            .args(arguments)
            .env_remove("CRM_DATABASE_URL")
            .env_remove("CRM_BIND")
            .envs(variables)
            .output()
    };
    actix_web::web::block(run).await.unwrap().unwrap()
}

#[actix_web::test]
async fn the_health_check_tells_a_ready_service_from_none() {
    let crm = crm().await;
    let there = crm.running.address.to_string();
    let ready = run(&["health"], vec![("CRM_BIND", there.clone())]).await;
    assert!(ready.status.success(), "{ready:?}");
    crm.running.stop().await;
    let gone = run(&["health"], vec![("CRM_BIND", there)]).await;
    assert_eq!(gone.status.code(), Some(1), "{gone:?}");
}

#[actix_web::test]
async fn a_missing_setting_is_named() {
    let refused = run(&[], Vec::new()).await;
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("CRM_DATABASE_URL is not set"), "{said}");
}
