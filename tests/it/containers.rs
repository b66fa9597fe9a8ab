//! Dockerfile and docker-compose.yml, checked without an engine.

use serde_yaml_ng::Value;
use std::path::Path;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn compose() -> Value {
    let mut compose: Value = serde_yaml_ng::from_str(&read("docker-compose.yml")).expect("YAML");
    compose.apply_merge().expect("its anchors");
    compose
}

#[test]
fn compose_runs_three_services_with_a_database_each() {
    let compose = compose();
    let services = compose["services"].as_mapping().expect("services");
    let databases: Vec<&str> = services
        .iter()
        .filter(|(_, s)| s["image"].as_str().is_some_and(|i| i.starts_with("postgres:")))
        .filter_map(|(n, _)| n.as_str())
        .collect();
    assert_eq!(databases.len(), 3, "{databases:?}");
    for (name, service) in services {
        let name = name.as_str().expect("a name");
        assert!(
            service["healthcheck"]["test"].is_sequence(),
            "{name} has a health check"
        );
        if databases.contains(&name) {
            assert!(service["volumes"].is_sequence(), "{name} keeps its data in a volume");
            continue;
        }
        let user = service["user"].as_str().unwrap_or_default();
        assert!(
            !user.is_empty() && !user.starts_with('0') && !user.starts_with("root"),
            "{name} runs as {user:?}"
        );
        assert!(
            service["build"]["target"].is_string(),
            "{name} is built from the Dockerfile"
        );
        assert!(
            service["depends_on"]
                .as_mapping()
                .is_some_and(|d| d.values().all(|d| d["condition"] == "service_healthy")),
            "{name}"
        );
    }
}

#[test]
fn no_secret_stands_in_the_files() {
    let compose = read("docker-compose.yml");
    for line in compose
        .lines()
        .filter(|line| line.contains("_KEY:") || line.contains("PASSWORD:"))
    {
        assert!(line.contains("${"), "a secret comes from the environment: {line}");
    }
    let example = read(".env.example");
    for line in example
        .lines()
        .filter(|line| !line.starts_with('#') && line.contains('='))
    {
        assert!(line.ends_with('='), "the example holds no value: {line}");
    }
}

#[test]
fn the_image_holds_the_three_binaries_and_no_root() {
    let dockerfile = read("Dockerfile");
    let compose = compose();
    for binary in ["erp-service", "crm-service", "integration-sync"] {
        assert!(dockerfile.contains(&format!("AS {binary}")), "a target for {binary}");
        let target = compose["services"]
            .as_mapping()
            .expect("services")
            .values()
            .any(|s| s["build"]["target"] == binary);
        assert!(target, "compose builds {binary}");
    }
    let user = dockerfile
        .lines()
        .rfind(|line| line.starts_with("USER "))
        .expect("a USER line");
    assert!(!user.contains("root") && !user.ends_with(" 0"), "{user}");
}
