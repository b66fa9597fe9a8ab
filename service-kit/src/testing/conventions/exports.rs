use super::{Callers, Findings, Operation, text};
use crate::server::Service;
use crate::testing::TestService;

/// Every list as CSV: a header line that names what its items show, the right media type, and
/// only with the permission for it.
///
/// # Panics
/// Naming every list that answers otherwise.
pub async fn assert_exports(test: &TestService, service: &Service) {
    let mut findings = Findings::default();
    let operations = Operation::all(service);
    let callers = Callers::of(test, service).await;
    let reader = match service.sign_in {
        true => Some(test.user("Reader", "custom", "own", None).await.client),
        false => None,
    };
    let lists: Vec<&Operation> = operations.iter().filter(|operation| operation.gives_csv()).collect();
    findings.check(!lists.is_empty(), service.name, "no list can be had as CSV");
    for operation in lists {
        let client = match operation.needs_session() {
            true => reader.clone().unwrap_or_else(|| test.client.clone()),
            false => test.client.new_key("custom", &[&operation.scope]).await,
        };
        let ask = |client: &crate::testing::Client| {
            let request = client.request(operation.method.clone(), &path_with_what_it_needs(operation));
            request.header("Accept", "text/csv")
        };
        let what = format!("{} as CSV", operation.name());
        let below_a_record = operation.path.contains('{');
        let refused = client.send(ask(&client)).await;
        findings.expect_problem(&what, &refused, 403, "forbidden");
        let reply = test.client.send(ask(callers.who_may(operation))).await;
        if below_a_record {
            findings.expect_problem(&what, &reply, 404, "not_found");
            continue;
        }
        // A report about a record that does not exist.
        if names_a_record(operation) && reply.status.as_u16() == 400 {
            continue;
        }
        let media = reply
            .headers
            .get("content-type")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let right = reply.status.as_u16() == 200 && media.starts_with("text/csv");
        findings.check(right, &what, format_args!("{} {media}: {}", reply.status, reply.body));
        let header = text(&reply.body).lines().next().map(str::to_owned).unwrap_or_default();
        findings.check(header.contains(','), &what, format_args!("no columns: {header:?}"));
    }
    findings.assert_none();
}

fn names_a_record(operation: &Operation) -> bool {
    let mut needed = operation
        .parameters("query")
        .filter(|parameter| parameter["required"] == true);
    needed.any(|parameter| text(&parameter["schema"]["format"]) == "uuid")
}

/// The path, with the parameters that a report cannot do without.
fn path_with_what_it_needs(operation: &Operation) -> String {
    let needed = operation
        .parameters("query")
        .filter(|parameter| parameter["required"] == true);
    let given = needed.map(|parameter| {
        let (name, schema) = (text(&parameter["name"]), &parameter["schema"]);
        let value = match (schema["format"].as_str(), schema["enum"][0].as_str()) {
            (Some("date"), _) => "2026-01-31",
            (Some("uuid"), _) => "00000000-0000-7000-8000-000000000000",
            (_, Some(word)) => word,
            _ => "EUR",
        };
        format!("{name}={value}")
    });
    format!(
        "{}?{}",
        operation.path_of_nothing(),
        given.collect::<Vec<_>>().join("&")
    )
}
