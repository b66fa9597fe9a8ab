use erp_service::app::SERVICE;
use service_kit::testing::{TestService, conventions};

#[test]
fn the_document_names_everything_once_and_bounds_every_input() {
    conventions::assert_documents(&SERVICE);
}

#[tokio::test]
async fn every_operation_asks_for_the_permission_that_it_documents() {
    let erp = TestService::start(SERVICE, |_, _| {}).await;
    conventions::assert_auth(&erp, &SERVICE).await;
}

#[tokio::test]
async fn every_list_can_be_had_as_csv() {
    let erp = TestService::start(SERVICE, |_, _| {}).await;
    conventions::assert_exports(&erp, &SERVICE).await;
}

#[tokio::test]
async fn every_operation_refuses_bad_input_and_changes_nothing() {
    let erp = TestService::start(SERVICE, |_, _| {}).await;
    conventions::assert_bad_input(&erp, &SERVICE).await;
}
