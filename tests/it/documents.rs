//! The committed OpenAPI documents are those of the running routes.

use serde_json::Value;
use service_kit::Service;
use std::path::Path;

fn committed(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi").join(name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("JSON")
}

fn assert_same(service: &Service, name: &str) {
    let (running, committed) = (service.document(), committed(name));
    let paths = |document: &Value| {
        document["paths"]
            .as_object()
            .map(|paths| paths.keys().cloned().collect::<Vec<_>>())
    };
    assert_eq!(paths(&running), paths(&committed), "{name}: run make openapi");
    assert!(
        running == committed,
        "{name} differs from the running routes: run make openapi"
    );
    assert_eq!(service.all_routes().clashing_schemas(), Vec::<String>::new(), "{name}");
}

#[test]
fn the_committed_documents_are_those_of_the_routes() {
    assert_same(&erp_service::app::SERVICE, "erp.json");
    assert_same(&crm_service::app::SERVICE, "crm.json");
    assert_same(&integration_sync::SERVICE, "sync.json");
}
