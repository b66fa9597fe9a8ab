//! Routes and their documentation, collected together: the documented handler is the one that runs.

use crate::auth::Role;
use crate::exchange::Table;
use actix_web::Scope;
use actix_web::dev::{HttpServiceFactory, ResourceDef};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use utoipa::openapi::path::Paths;
use utoipa::openapi::{Info, OpenApiBuilder};
use utoipa_actix_web::OpenApiFactory;

/// Collects the handlers of `/v1`, either to serve them or to document them.
pub struct Routes {
    scope: Option<Scope>,
    documentation: Option<Documentation>,
}

#[derive(Default)]
struct Documentation {
    paths: Paths,
    /// As JSON: hundreds of handlers bring the same ones, and as types they take much memory.
    schemas: BTreeMap<String, Value>,
    clashes: BTreeSet<String>,
    /// Methods and paths that need no key.
    open: BTreeSet<(String, String)>,
}

impl Routes {
    pub(crate) fn to_serve() -> Self {
        Routes {
            scope: Some(actix_web::web::scope("/v1")),
            documentation: None,
        }
    }

    pub(crate) fn to_document() -> Self {
        Routes {
            scope: None,
            documentation: Some(Documentation::default()),
        }
    }

    /// Adds a handler with its path, documentation and schemas.
    pub fn add<F>(&mut self, handler: F) -> &mut Self
    where
        F: HttpServiceFactory + OpenApiFactory + 'static,
    {
        if let Some(documentation) = &mut self.documentation {
            documentation.add(&handler);
        }
        self.scope = self.scope.take().map(|scope| scope.service(handler));
        self
    }

    /// Adds a handler that needs no key: its first argument is [`Open`](crate::open::Open).
    pub fn open<F>(&mut self, handler: F) -> &mut Self
    where
        F: HttpServiceFactory + OpenApiFactory + 'static,
    {
        if let Some(documentation) = &mut self.documentation {
            let paths = serde_json::to_value(handler.paths()).unwrap_or_default();
            for (path, item) in paths.as_object().into_iter().flatten() {
                let methods = item.as_object().into_iter().flatten().map(|(method, _)| method);
                let open = methods.map(|method| (method.clone(), path.clone()));
                documentation.open.extend(open);
            }
        }
        self.add(handler)
    }

    pub(crate) fn into_scope(self) -> Option<Scope> {
        self.scope
    }

    /// Names that stand for two different schemas: the later would silently replace the earlier.
    pub(crate) fn clashing_schemas(&self) -> Vec<String> {
        let documentation = self.documentation.iter();
        documentation.flat_map(|it| it.clashes.iter().cloned()).collect()
    }

    /// The OpenAPI 3.1 document, as JSON.
    pub(crate) fn document(self, title: &str, description: &str, roles: &[Role]) -> Value {
        let Documentation {
            paths,
            mut schemas,
            open,
            ..
        } = self.documentation.unwrap_or_default();
        // What every service uses; schemas of parameters are not collected with the handlers.
        schemas.extend([
            shared::<crate::Problem>(),
            shared::<crate::Fault>(),
            shared::<crate::Limit>(),
            shared::<crate::Cursor>(),
            shared::<crate::Sort>(),
            shared::<crate::http::SearchText>(),
        ]);
        let mut info = Info::new(title, env!("CARGO_PKG_VERSION"));
        info.description = Some(description.to_owned());
        let document = OpenApiBuilder::new().info(info).paths(paths).build();
        let mut document = serde_json::to_value(document).unwrap_or_default();
        document["components"] = json!({ "schemas": {} });
        document["components"]["schemas"] = schemas.into_iter().collect();
        if let Value::Object(paths) = document["paths"].take() {
            let paths = paths.into_iter().map(|(path, item)| {
                let open = |method: &str| open.contains(&(method.to_owned(), path.clone()));
                (format!("/v1{path}"), complete(&path, item, open))
            });
            document["paths"] = paths.collect();
        }
        offer_csv(&mut document);
        let roles: Vec<String> = roles
            .iter()
            .map(|role| format!("`{}`: {}", role.name, role.description))
            .collect();
        document["components"]["securitySchemes"] = json!({
            "api_key": {
                "type": "http",
                "scheme": "bearer",
                "description": format!("An API key, or the token of a session, as bearer token; the scope shown at each operation is the permission it needs. `authenticated` has everybody, `signed_in` every user with a session. Roles: {}.", roles.join("; ")),
            }
        });
        document
    }
}

impl Documentation {
    fn add(&mut self, handler: &impl OpenApiFactory) {
        self.paths.merge(handler.paths());
        let mut schemas = Vec::new();
        handler.schemas(&mut schemas);
        for (name, schema) in schemas {
            let schema = serde_json::to_value(schema).unwrap_or_default();
            match self.schemas.get(&name) {
                Some(known) if *known != schema => drop(self.clashes.insert(name)),
                Some(_) => {}
                None => drop(self.schemas.insert(name, schema)),
            }
        }
    }
}

fn shared<T: ToSchema>() -> (String, Value) {
    let schema = serde_json::to_value(T::schema()).unwrap_or_default();
    (T::name().into_owned(), schema)
}

/// Adds to each operation what is the same everywhere: problems, headers, dry run.
fn complete(path: &str, mut item: Value, is_open: impl Fn(&str) -> bool) -> Value {
    let has_etag = path.ends_with('}') || item.get("patch").is_some();
    for (method, operation) in item.as_object_mut().into_iter().flatten() {
        let writes = method != "get";
        let has_body = operation.get("requestBody").is_some();
        let open = is_open(method);
        let mut problems = vec![
            (400, "Malformed request"),
            (429, "Too many requests"),
            (503, "Busy or unavailable: try again"),
        ];
        if open {
            operation["security"] = json!([]);
        } else {
            problems.push((401, "No key, or one that is unknown, expired or revoked"));
            problems.push((403, "The key lacks the permission"));
        }
        if path.contains('{') {
            problems.push((404, "No such record"));
        }
        if writes {
            problems.push((409, "The request clashes with the state of a record"));
            problems.push((422, "A rule is broken; `errors` names every fault"));
        }
        if has_body {
            let csv = &operation["requestBody"]["content"]["text/csv"];
            // A file that is read as it arrives may be as large as it is.
            if csv.is_null() || !csv["schema"]["$ref"].is_null() {
                problems.push((413, "The body is too large"));
            }
            let mail = !operation["requestBody"]["content"]["message/rfc822"].is_null();
            problems.push((
                415,
                match (mail, csv.is_null()) {
                    (true, _) => "The body is not an e-mail message",
                    (false, true) => "The body is not JSON",
                    (false, false) => "The body is not CSV",
                },
            ));
        }
        let replaces = method == "patch" || method == "put" || method == "delete";
        // A verb on a record, such as `POST /orders/{id}/submit`; not what makes a record below it.
        let acts = !open && method == "post" && path.contains('{') && operation["responses"].get("201").is_none();
        if replaces || acts {
            problems.push((412, "The record has changed since that ETag"));
        }
        if replaces {
            problems.push((428, "If-Match is missing"));
        }
        if let Some(responses) = operation["responses"].as_object_mut() {
            for (status, description) in problems {
                responses
                    .entry(status.to_string())
                    .or_insert_with(|| problem_response(description));
            }
            if method == "get" && has_etag {
                let unchanged = json!({ "description": "`If-None-Match` is the ETag of the record as it is" });
                responses.entry("304").or_insert(unchanged);
            }
            responses.sort_keys();
        }
        let mut parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        if method == "post" && !open && !takes_password(path) {
            parameters.push(header(
                "Idempotency-Key",
                "A repeat with the same key and body gets the stored answer",
                200,
                "^[!-~]+$",
            ));
        }
        if replaces || acts {
            parameters.push(header(
                "If-Match",
                "The ETag of the record as you know it",
                500,
                "^[!-~]([ -~]*[!-~])?$",
            ));
        }
        if writes && !open {
            parameters.push(json!({
                "name": "dry_run", "in": "query", "required": false, "schema": { "type": "boolean", "default": false },
                "description": "Compute the whole effect, answer 200 with it, and change nothing; a command that posts shows its journal entries in `entries`",
            }));
        }
        if !parameters.is_empty() {
            operation["parameters"] = Value::Array(parameters);
        }
        dry_run_answer(method, operation);
    }
    item
}

/// Whether the body of a `POST` holds a password.
pub(crate) fn takes_password(path: &str) -> bool {
    path.ends_with("/password")
}

/// Lists can be had as CSV.
fn offer_csv(document: &mut Value) {
    let paths = document["paths"].as_object().into_iter().flatten();
    let lists: Vec<String> = paths
        .filter(|(path, item)| Table::of(document, path, &item["get"]).is_some())
        .map(|(path, _)| path.clone())
        .collect();
    for path in lists {
        let answer = &mut document["paths"][&path]["get"]["responses"]["200"];
        if answer["content"]["text/csv"].is_null() {
            let text = answer["description"].as_str().unwrap_or_default();
            answer["description"] = format!(
                "{text}; with `Accept: text/csv` all of them in one stream, for which `exports:run` is needed too"
            )
            .into();
            answer["content"]["text/csv"] = json!({ "schema": { "type": "string" } });
        }
    }
}

/// A dry run of a creation answers 200 with what 201 would show.
fn dry_run_answer(method: &str, operation: &mut Value) {
    let Some(responses) = operation["responses"].as_object_mut() else {
        return;
    };
    let created = responses.get("201").cloned();
    if let (true, Some(mut created)) = (method != "get", created) {
        created["description"] = "Dry run: what would be made".into();
        responses.entry("200").or_insert(created);
    }
}

fn problem_response(description: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    })
}

fn header(name: &str, description: &str, longest: usize, pattern: &str) -> Value {
    json!({
        "name": name, "in": "header", "required": false, "description": description,
        "schema": { "type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern },
    })
}

/// Which methods each path has, for 405 with `Allow`; and which operations need no key.
pub(crate) struct RouteTable {
    paths: Vec<(ResourceDef, String)>,
    open: Vec<(ResourceDef, String)>,
}

impl RouteTable {
    pub(crate) fn of_document(document: &Value) -> Self {
        let all = || document["paths"].as_object().into_iter().flatten();
        let operations = all().flat_map(|(path, item)| {
            let operations = item.as_object().into_iter().flatten();
            operations.map(move |(method, operation)| (path, method, operation))
        });
        RouteTable {
            open: operations
                .filter(|(_, _, operation)| is_open(operation))
                .map(|(path, method, _)| (ResourceDef::new(path.as_str()), method.to_uppercase()))
                .collect(),
            paths: all()
                .map(|(path, item)| {
                    let methods: Vec<String> = item
                        .as_object()
                        .into_iter()
                        .flatten()
                        .map(|(m, _)| m.to_uppercase())
                        .collect();
                    (ResourceDef::new(path.as_str()), methods.join(", "))
                })
                .collect(),
        }
    }

    pub(crate) fn is_open(&self, method: &str, path: &str) -> bool {
        let mut open = self.open.iter();
        open.any(|(pattern, of)| of == method && pattern.is_match(path))
    }

    /// The methods of the path, if it is one of ours. One without placeholders comes first: the
    /// document has its paths in alphabetical order, and `{` is behind all letters.
    pub(crate) fn allowed(&self, path: &str) -> Option<&str> {
        self.paths
            .iter()
            .find(|(pattern, _)| pattern.is_match(path))
            .map(|(_, methods)| methods.as_str())
    }
}

/// Whether an operation needs no key: it says that it needs nothing, which is more than saying nothing.
pub(crate) fn is_open(operation: &Value) -> bool {
    operation["security"].as_array().is_some_and(Vec::is_empty)
}
