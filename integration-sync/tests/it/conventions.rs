use crate::stage::Stage;
use integration_sync::SERVICE;
use service_kit::testing::{TestService, conventions};

#[test]
fn the_document_names_everything_once_and_bounds_every_input() {
    conventions::assert_documents(&SERVICE);
}

async fn service() -> (TestService, impl Sized) {
    let Stage {
        sync,
        client,
        database,
        erp,
        crm,
    } = Stage::start().await;
    let sync = sync.unwrap();
    (
        TestService {
            running: sync.api,
            client,
            database,
        },
        (erp, crm),
    )
}

#[tokio::test]
async fn every_operation_asks_for_the_permission_that_it_documents() {
    let (service, _fakes) = service().await;
    conventions::assert_auth(&service, &SERVICE).await;
}

#[tokio::test]
async fn every_list_can_be_had_as_csv() {
    let (service, _fakes) = service().await;
    conventions::assert_exports(&service, &SERVICE).await;
}

#[tokio::test]
async fn every_operation_refuses_bad_input_and_changes_nothing() {
    let (service, _fakes) = service().await;
    conventions::assert_bad_input(&service, &SERVICE).await;
}
