use super::bodies::faulty_bodies;
use super::{Callers, Findings, Operation, text};
use crate::server::Service;
use crate::testing::{Client, Reply, TestService};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// Every operation × (malformed, mistyped, oversized, unknown): the right problem, never a 500,
/// and nothing changes.
///
/// # Panics
/// Naming everything that was answered otherwise.
pub async fn assert_bad_input(test: &TestService, service: &Service) {
    findings(test, service).await.assert_none();
}

pub(super) async fn findings(test: &TestService, service: &Service) -> Findings {
    let document = service.document();
    let operations = Operation::all(service);
    let callers = Callers::of(test, service).await;
    let before = last_change(&test.client).await;
    let mut tester = Tester {
        findings: Findings::default(),
    };
    for operation in &operations {
        let client = callers.who_may(operation).clone();
        tester.paths(&client, operation).await;
        tester.queries(&client, operation).await;
        tester.headers(&client, operation).await;
        if operation.streams_csv() {
            tester.files(&client, operation).await;
        } else if operation.takes_csv() {
            tester.csv_bodies(&client, operation).await;
        } else if operation.takes_xml() {
            tester.uploads(&client, operation).await;
        }
        if let Some(schema) = operation.body() {
            tester.whole_bodies(&client, operation).await;
            for faulty in faulty_bodies(&document, schema) {
                tester.field(&client, operation, &faulty.pointer, &faulty.body).await;
            }
        }
    }
    tester.methods(&test.client, &operations).await;
    let after = last_change(&test.client).await;
    tester
        .findings
        .check(before == after, "bad input", format_args!("changed something: {after}"));
    tester.findings
}

async fn last_change(admin: &Client) -> Value {
    admin.get("/v1/audit-log?limit=1").await.expect(200)["items"].clone()
}

struct Tester {
    findings: Findings,
}

impl Tester {
    async fn refused(
        &mut self,
        client: &Client,
        operation: &Operation,
        (what, request): (&str, RequestBuilder),
        (status, code): (u16, &str),
    ) -> Reply {
        let what = format!("{}, {what}", operation.name());
        let reply = client.send(request).await;
        self.findings.expect_problem(&what, &reply, status, code);
        self.documented(operation, &what, &reply);
        reply
    }

    /// The document describes the answer.
    fn documented(&mut self, operation: &Operation, what: &str, reply: &Reply) {
        let status = reply.status.as_u16().to_string();
        let described = !operation.document["responses"][&status].is_null();
        self.findings
            .check(described, what, format_args!("{status} is not documented"));
    }

    async fn paths(&mut self, client: &Client, operation: &Operation) {
        if !operation.has_id() {
            return;
        }
        for bad in ["1", "not-a-uuid", "%00", "00000000-0000-0000-0000-00000000000g"] {
            let request = client.request(operation.method.clone(), &operation.path_with(bad));
            let what = format!("id {bad}");
            self.refused(client, operation, (&what, request), (400, "invalid_path"))
                .await;
        }
        if operation.method == Method::GET {
            let request = client.request(Method::GET, &operation.path_of_nothing());
            self.refused(client, operation, ("unknown id", request), (404, "not_found"))
                .await;
        }
    }

    async fn queries(&mut self, client: &Client, operation: &Operation) {
        let path = operation.path_of_nothing();
        let ask = |query: &str| client.request(operation.method.clone(), &format!("{path}?{query}"));
        let mut parameters = operation.parameters("query").peekable();
        if parameters.peek().is_some() {
            let request = ask("no_such_parameter=1");
            self.refused(
                client,
                operation,
                ("unknown parameter", request),
                (400, "invalid_parameter"),
            )
            .await;
        }
        for parameter in parameters {
            let (name, schema) = (text(&parameter["name"]), &parameter["schema"]);
            let long = "x".repeat(5_000);
            // A list below a record that does not exist says so before it looks at its own order.
            let looked_at_late = operation.has_id() && matches!(name.as_str(), "cursor" | "sort");
            let expected = if looked_at_late { (404, "not_found") } else { (400, "") };
            for bad in bad_parameters(&name, schema) {
                let what = format!("{name}={bad}");
                self.refused(client, operation, (&what, ask(&what)), expected).await;
            }
            for odd in [
                "",
                "%00",
                "a%00b",
                "%FF",
                "'",
                "%25",
                "-1",
                "9999999999999999999999",
                long.as_str(),
            ] {
                let what = format!("{}, {name}={:.30}", operation.name(), odd);
                let reply = client.send(ask(&format!("{name}={odd}"))).await;
                self.findings.expect_well_formed(&what, &reply);
                self.documented(operation, &what, &reply);
            }
        }
    }

    async fn headers(&mut self, client: &Client, operation: &Operation) {
        let path = operation.path_of_nothing();
        for parameter in operation.parameters("header") {
            let name = text(&parameter["name"]);
            for bad in ["", "x".repeat(600).as_str()] {
                let request = client.request(operation.method.clone(), &path).header(&name, bad);
                let what = format!("{name}: {:.10}", bad);
                self.refused(client, operation, (&what, request), (400, "invalid_header"))
                    .await;
            }
        }
    }

    async fn whole_bodies(&mut self, client: &Client, operation: &Operation) {
        let path = operation.path_of_nothing();
        let send = |media: &str, body: String| {
            let request = client.request(operation.method.clone(), &path);
            request.header("Content-Type", media).body(body)
        };
        let json = "application/json";
        let nested = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        for (what, request, expected) in [
            (
                "malformed JSON",
                send(json, "{\"a\":".to_owned()),
                (400, "malformed_json"),
            ),
            ("endless nesting", send(json, nested), (400, "malformed_json")),
            ("two values", send(json, "{} {}".to_owned()), (400, "malformed_json")),
            (
                "not UTF-8",
                send(json, "x".to_owned()).body(vec![b'"', 0xff, b'"']),
                (400, "malformed_json"),
            ),
            (
                "text",
                send("text/plain", "{}".to_owned()),
                (415, "unsupported_media_type"),
            ),
            (
                "a form",
                send("application/x-www-form-urlencoded", "a=1".to_owned()),
                (415, "unsupported_media_type"),
            ),
            (
                "too large",
                send(json, " ".repeat(1024 * 1024 + 1)),
                (413, "body_too_large"),
            ),
            ("an array", send(json, "[]".to_owned()), (422, "")),
            ("a number", send(json, "1".to_owned()), (422, "")),
            ("null", send(json, "null".to_owned()), (422, "")),
            (
                "an unknown field",
                send(json, "{\"no\\u0000such\": 1}".to_owned()),
                (422, ""),
            ),
        ] {
            if what == "a form" && operation.takes_forms() {
                continue;
            }
            self.refused(client, operation, (what, request), expected).await;
        }
    }

    async fn uploads(&mut self, client: &Client, operation: &Operation) {
        let path = operation.path_of_nothing();
        let send = |media: &str, body: &[u8]| {
            let request = client.request(operation.method.clone(), &path);
            request.header("Content-Type", media).body(body.to_vec())
        };
        for (what, request, expected) in [
            ("JSON", send("application/json", b"{}"), (415, "unsupported_media_type")),
            ("nothing", send("application/xml", b""), (422, "empty_file")),
            ("a file below nothing", send("text/csv", b"a"), (404, "not_found")),
        ] {
            self.refused(client, operation, (what, request), expected).await;
        }
    }

    async fn csv_bodies(&mut self, client: &Client, operation: &Operation) {
        let path = operation.path_of_nothing();
        let send = |media: &str, body: Vec<u8>| {
            let request = client.request(operation.method.clone(), &path);
            request.header("Content-Type", media).body(body)
        };
        for (what, request, expected) in [
            ("not UTF-8", send("text/csv", vec![0xff]), (400, "malformed_csv")),
            ("U+0000", send("text/csv", b"a,\0".to_vec()), (400, "malformed_csv")),
            ("nothing", send("text/csv", Vec::new()), (422, "")),
            (
                "JSON",
                send("application/json", b"{}".to_vec()),
                (415, "unsupported_media_type"),
            ),
        ] {
            self.refused(client, operation, (what, request), expected).await;
        }
    }

    /// Files that are none, for each kind that there is.
    async fn files(&mut self, client: &Client, operation: &Operation) {
        let kind = operation
            .parameters("query")
            .find(|parameter| parameter["name"] == "kind");
        let kinds = kind.and_then(|kind| kind["schema"]["enum"].as_array().cloned());
        for kind in kinds.unwrap_or_default() {
            let path = format!("{}?kind={}", operation.path_of_nothing(), text(&kind));
            let send = |media: &str, body: &[u8]| {
                let request = client.request(operation.method.clone(), &path);
                request.header("Content-Type", media).body(body.to_vec())
            };
            for (what, request, expected) in [
                ("JSON", send("application/json", b"{}"), (415, "unsupported_media_type")),
                (
                    "another charset",
                    send("text/csv; charset=utf-16", b"a"),
                    (415, "unsupported_media_type"),
                ),
                ("nothing", send("text/csv", b""), (422, "empty_file")),
                ("nothing but lines", send("text/csv", b"\r\n\n\n"), (422, "empty_file")),
                (
                    "UTF-16",
                    send("text/csv", b"\xFF\xFEs\0k\0u\0\n\0"),
                    (422, "wrong_encoding"),
                ),
                (
                    "no UTF-8",
                    send("text/csv", b"\xE9t\xE9,b\n1,2"),
                    (422, "wrong_encoding"),
                ),
                ("unknown columns", send("text/csv", b"no_such,\0,\"\n1,2"), (422, "")),
                ("no columns", send("text/csv", b",,,\n"), (422, "")),
                ("an unclosed quote", send("text/csv", b"\"sku,name\n1,2"), (422, "")),
                (
                    "an endless first line",
                    send("text/csv", "x".repeat(1024 * 1024).as_bytes()),
                    (422, "malformed_header"),
                ),
            ] {
                self.refused(client, operation, (what, request), expected).await;
            }
        }
    }

    async fn field(&mut self, client: &Client, operation: &Operation, pointer: &str, body: &Value) {
        let path = operation.path_of_nothing();
        let request = client.request(operation.method.clone(), &path).json(body);
        let shown: String = body.to_string().chars().take(80).collect();
        let reply = self.refused(client, operation, (&shown, request), (422, "")).await;
        let errors = reply.body["errors"].as_array().cloned().unwrap_or_default();
        let named = errors.iter().any(|error| text(&error["pointer"]).starts_with(pointer));
        let what = format!("{}, {shown}", operation.name());
        self.findings.check(
            named,
            &what,
            format_args!("no fault at {pointer}: {:?}", reply.body["errors"]),
        );
    }

    /// 405 with `Allow` for what a path does not have.
    async fn methods(&mut self, admin: &Client, operations: &[Operation]) {
        for operation in operations {
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                if operations
                    .iter()
                    .any(|o| o.path == operation.path && o.method == method)
                {
                    continue;
                }
                let what = format!("{method} {}", operation.path);
                let reply = admin.send(admin.request(method, &operation.path_of_nothing())).await;
                self.findings.expect_problem(&what, &reply, 405, "method_not_allowed");
                let allow = reply
                    .headers
                    .get("allow")
                    .and_then(|v| v.to_str().ok())
                    .unwrap_or_default();
                let named = allow.split(", ").any(|allowed| allowed == operation.method.as_str());
                self.findings.check(named, &what, format_args!("Allow: {allow}"));
            }
        }
    }
}

/// Values that are certainly wrong for a query parameter.
fn bad_parameters(name: &str, schema: &Value) -> Vec<&'static str> {
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|k| *k != "null").map(text).unwrap_or_default(),
        kind => text(kind),
    };
    match (name, kind.as_str(), schema["format"].as_str()) {
        ("limit", ..) => vec!["0", "501", "-1", "1.5", "x", "%2B1"],
        ("cursor" | "after", ..) => vec!["garbage", "e30", "WyIiLG51bGxd", "%25"],
        ("sort", ..) => vec!["no_such_field", "-no_such_field"],
        (_, _, Some("uuid" | "date" | "date-time")) => vec!["x", "2026-13-45"],
        (_, "integer", _) => vec!["x", "1.5", "99999999999999999999"],
        (_, "boolean", _) => vec!["x", "2"],
        _ => Vec::new(),
    }
}
