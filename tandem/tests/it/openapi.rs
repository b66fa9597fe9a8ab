//! The OpenAPI documents as files.

use std::fs;
use tandem::openapi;

#[test]
fn the_documents_are_written_the_same_every_time() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    openapi::write(&first.path().join("a/b")).unwrap();
    openapi::write(second.path()).unwrap();
    for name in ["erp.json", "crm.json", "sync.json"] {
        let text = fs::read_to_string(second.path().join(name)).unwrap();
        assert_eq!(fs::read_to_string(first.path().join("a/b").join(name)).unwrap(), text);
        assert!(text.ends_with("}\n"));
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        assert!(document["paths"].as_object().unwrap().len() > 5, "{name}");
    }
}
