use crate::support::crm;
use crm_service::SERVICE;
use service_kit::testing::conventions;

#[test]
fn the_document_names_everything_once_and_bounds_every_input() {
    conventions::assert_documents(&SERVICE);
}

#[actix_web::test]
async fn every_operation_asks_for_the_permission_that_it_documents() {
    conventions::assert_auth(&crm().await, &SERVICE).await;
}

#[actix_web::test]
async fn every_list_can_be_had_as_csv() {
    conventions::assert_exports(&crm().await, &SERVICE).await;
}

#[actix_web::test]
async fn every_operation_refuses_bad_input_and_changes_nothing() {
    conventions::assert_bad_input(&crm().await, &SERVICE).await;
}

#[test]
fn every_known_constraint_is_named_once() {
    let mut names: Vec<_> = SERVICE.constraints.iter().map(|constraint| constraint.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!((count, names.contains(&"")), (names.len(), false));
}
