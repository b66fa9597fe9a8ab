//! What every operation of every service must do, tested from the OpenAPI document itself: an
//! operation that is added later is tested without anybody thinking of it.
//!
//! ```text
//! conventions::assert_documents(&SERVICE);
//! let erp = TestService::start(SERVICE, |_, _| {}).await;
//! conventions::assert_auth(&erp, &SERVICE).await;
//! conventions::assert_bad_input(&erp, &SERVICE).await;
//! conventions::assert_exports(&erp, &SERVICE).await;
//! conventions::assert_visibility(&crm, &SERVICE, &VISIBILITY).await; // where people sign in
//! ```

mod auth;
mod bad_input;
mod bodies;
mod documents;
mod exports;
#[cfg(test)]
mod tests;
mod visibility;

pub use auth::assert_auth;
pub use bad_input::assert_bad_input;
pub use documents::assert_documents;
pub use exports::assert_exports;
pub use visibility::{Made, Make, Making, Visibility, assert_visibility};

use super::{Client, Reply, TestService};
use crate::auth::{Permission, Role};
use crate::server::Service;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

/// One operation of the document.
struct Operation {
    method: Method,
    /// With its placeholders, e.g. `/v1/products/{id}`.
    path: String,
    /// The permission that it needs.
    scope: String,
    /// It needs no key.
    open: bool,
    document: Value,
}

impl Operation {
    fn all(service: &Service) -> Vec<Operation> {
        let document = service.document();
        let paths = document["paths"].as_object().into_iter().flatten();
        paths
            .flat_map(|(path, item)| {
                let operations = item.as_object().into_iter().flatten();
                operations.map(move |(method, operation)| Operation {
                    method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap_or_default(),
                    path: path.clone(),
                    scope: text(&operation["security"][0]["api_key"][0]),
                    open: crate::openapi::is_open(operation),
                    document: operation.clone(),
                })
            })
            .collect()
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The path with `value` for each id and an unknown word for any other placeholder.
    fn path_with(&self, value: &str) -> String {
        let segments = self.path.split('/').map(|segment| match segment.strip_prefix('{') {
            Some(name) if self.is_id(name.trim_end_matches('}')) => value.to_owned(),
            Some(_) => "unknown".to_owned(),
            None => segment.to_owned(),
        });
        segments.collect::<Vec<_>>().join("/")
    }

    /// The path of a record that does not exist.
    fn path_of_nothing(&self) -> String {
        self.path_with(&Uuid::now_v7().to_string())
    }

    fn has_id(&self) -> bool {
        self.path_with("1") != self.path_with("2")
    }

    fn is_id(&self, name: &str) -> bool {
        self.parameters("path")
            .any(|p| p["name"] == name && p["schema"]["format"] == "uuid")
    }

    fn parameters(&self, place: &'static str) -> impl Iterator<Item = &Value> {
        let parameters = self.document["parameters"].as_array().into_iter().flatten();
        parameters.filter(move |p| p["in"] == place)
    }

    /// The schema of a JSON body, with references resolved in `document`.
    fn body(&self) -> Option<&Value> {
        let content = self.document["requestBody"]["content"].as_object()?;
        let json = content.iter().find(|(media, _)| media.ends_with("json"));
        json.map(|(_, media)| &media["schema"])
    }

    /// Whether a page can send a form instead of JSON.
    fn takes_forms(&self) -> bool {
        !self.document["requestBody"]["content"]["application/x-www-form-urlencoded"].is_null()
    }

    /// Whether a CSV file can be sent.
    fn takes_csv(&self) -> bool {
        !self.document["requestBody"]["content"]["text/csv"].is_null() && !self.takes_xml()
    }

    /// Whether a file in XML (or CSV) can be sent.
    fn takes_xml(&self) -> bool {
        !self.document["requestBody"]["content"]["application/xml"].is_null()
    }

    /// Whether a CSV file is read as it arrives and may have any length.
    fn streams_csv(&self) -> bool {
        let media = &self.document["requestBody"]["content"]["text/csv"];
        !media.is_null() && media["schema"]["$ref"].is_null() && !self.takes_xml()
    }

    /// Whether it is a list that can be had as CSV.
    fn gives_csv(&self) -> bool {
        !self.document["responses"]["200"]["content"]["text/csv"].is_null()
    }

    fn applies_replica(&self) -> bool {
        self.scope == crate::auth::APPLY
    }

    /// It needs a user's session, whatever the user's role.
    fn needs_session(&self) -> bool {
        self.scope == crate::auth::SignedIn::NAME
    }

    /// Whether a key of this role may do it.
    fn is_granted_by(&self, role: Role) -> bool {
        match self.scope.as_str() {
            crate::auth::Authenticated::NAME => true,
            crate::auth::SignedIn::NAME => false,
            scope => (role.grants)(scope),
        }
    }
}

impl Service {
    /// Whether a key can be given this permission by name.
    fn has_permission(&self, name: &str) -> bool {
        self.all_permissions().contains(&name)
    }
}

/// Those who may do everything, each in their own way.
struct Callers {
    admin: Client,
    integration: Client,
    nobody: Client,
    user: Option<Client>,
}

impl Callers {
    async fn of(test: &TestService, service: &Service) -> Self {
        let user = match service.sign_in {
            true => Some(test.user("Administrator", "admin", "all", None).await.client),
            false => None,
        };
        Callers {
            admin: test.client.clone(),
            integration: test.integration(),
            nobody: test.client.with_key(""),
            user,
        }
    }

    /// Who may call an operation.
    fn who_may(&self, operation: &Operation) -> &Client {
        match &self.user {
            _ if operation.open => &self.nobody,
            _ if operation.applies_replica() => &self.integration,
            Some(user) if operation.needs_session() => user,
            _ => &self.admin,
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Gathers everything that is wrong, so that one run names it all.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn add(&mut self, what: &str, finding: impl std::fmt::Display) {
        self.0.push(format!("{what}: {finding}"));
    }

    fn check(&mut self, holds: bool, what: &str, finding: impl std::fmt::Display) {
        if !holds {
            self.add(what, finding);
        }
    }

    /// Checks that the answer is a problem with this status and, when given, this code.
    fn expect_problem(&mut self, what: &str, reply: &Reply, status: u16, code: &str) {
        let is = (reply.status.as_u16(), reply.body["code"].as_str().unwrap_or_default());
        let right = is.0 == status && (code.is_empty() || is.1 == code);
        self.check(right, what, format_args!("expected {status} {code}, got {is:?}"));
        self.expect_well_formed(what, reply);
    }

    /// A refusal is a problem with all its parts.
    fn expect_well_formed(&mut self, what: &str, reply: &Reply) {
        let (status, body) = (reply.status.as_u16(), &reply.body);
        self.check(status < 500, what, format_args!("answered {status}: {body}"));
        if (400..500).contains(&status) {
            let parts = ["type", "title", "detail", "code", "request_id"];
            let complete = parts.iter().all(|part| body[part].is_string()) && body["status"] == status;
            let media = reply.headers.get("content-type").and_then(|v| v.to_str().ok());
            let problem = complete && media == Some("application/problem+json");
            self.check(
                problem,
                what,
                format_args!("not a well-formed problem ({media:?}): {body}"),
            );
        }
    }

    #[track_caller]
    fn assert_none(self) {
        assert!(self.0.is_empty(), "{} findings:\n{}", self.0.len(), self.0.join("\n"));
    }
}
