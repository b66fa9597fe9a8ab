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
    assert_eq!(service.clashing_schemas(), Vec::<String>::new(), "{name}");
}

#[test]
fn the_committed_documents_are_those_of_the_routes() {
    assert_same(&erp_service::app::SERVICE, "erp.json");
    assert_same(&crm_service::app::SERVICE, "crm.json");
    assert_same(&integration_sync::SERVICE, "sync.json");
}

#[tokio::test]
async fn the_documentation_page_works_offline() {
    let service = service_kit::testing::TestService::start(erp_service::app::SERVICE, |_, _| {}).await;
    let open = service.client.with_key("");
    assert_eq!(
        open.get("/openapi.json").await.expect(200),
        erp_service::app::SERVICE.document()
    );
    let page = open.get("/docs/").await.expect(200);
    let page = page.as_str().expect("a page").to_owned();
    let assets: Vec<&str> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| page.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()))
        .collect();
    assert!(assets.iter().any(|asset| asset.ends_with(".js")), "{page}");
    for asset in assets {
        assert!(
            !asset.starts_with("http") && !asset.starts_with("//"),
            "{asset} comes from elsewhere"
        );
        let path = format!("/docs/{}", asset.trim_start_matches("./"));
        assert_eq!(open.get(&path).await.status, 200, "{path}");
    }
    let initializer = open.get("/docs/swagger-initializer.js").await.expect(200);
    assert!(
        initializer
            .as_str()
            .is_some_and(|script| script.contains("/openapi.json"))
    );
}
