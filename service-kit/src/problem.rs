//! Problems as RFC 9457 describes them, and the error type of actions.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use utoipa::ToSchema;

/// One fault of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// JSON Pointer (RFC 6901) to the faulty part of the body, or the name of the parameter.
    pub pointer: String,
    /// Stable code, for programs.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
}

/// A refused request: RFC 9457 `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// URI that names the kind of problem; its last segment is `code`.
    pub r#type: String,
    pub title: String,
    #[schema(minimum = 300, maximum = 599)]
    pub status: u16,
    /// What happened in this case.
    pub detail: String,
    /// Stable code, for programs.
    pub code: String,
    /// Every fault of the input, not only the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub request_id: Option<String>,
    /// Facts of this kind of problem, e.g. `allowed_actions` or `owner`.
    #[serde(flatten)]
    #[schema(ignore)]
    pub facts: Map<String, Value>,
    #[serde(skip)]
    #[schema(ignore)]
    pub headers: Vec<(&'static str, String)>,
}

impl Problem {
    /// A problem with a stable `code`; the title is the code in words.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let mut title = code.replace('_', " ");
        if let Some(first) = title.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        Problem {
            r#type: format!("https://tandem.example/problems/{code}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            code: code.to_owned(),
            errors: Vec::new(),
            request_id: None,
            facts: Map::new(),
            headers: Vec::new(),
        }
    }

    pub fn bad_request(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            .header("WWW-Authenticate", "Bearer realm=\"tandem\"")
    }

    pub fn forbidden(permission: &str) -> Self {
        let detail = format!("this key lacks the permission {permission}");
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail).fact("required_permission", permission)
    }

    /// 404 for a record of the given kind, e.g. `sales order`.
    pub fn not_found(kind: &str) -> Self {
        let detail = format!("there is no such {kind}");
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 405 with `Allow`.
    pub(crate) fn method_not_allowed(method: &str, allowed: &str) -> Self {
        let detail = format!("{method} is not possible here; {allowed} is");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).header("Allow", allowed)
    }

    /// 409: the request clashes with the state of a record.
    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 409 `not_owner`: the other system (`erp` or `crm`) is the master of this record.
    pub fn not_owner(owner: &str, path: &str) -> Self {
        let detail = format!("this is a replica; change it in the {} at {path}", owner.to_uppercase());
        Self::conflict("not_owner", detail)
            .fact("owner", owner)
            .fact("owner_path", path)
    }

    /// 409 `reference_missing`: an applied record names another that this side does not have yet.
    pub fn reference_missing(kind: &str, id: uuid::Uuid) -> Self {
        let detail = format!("the {kind} {id} is not known here yet");
        Self::conflict("reference_missing", detail).fact("missing", serde_json::json!([{"type": kind, "id": id}]))
    }

    /// 409 `illegal_transition`, with the current state and what is open.
    pub fn illegal_transition(action: &str, state: &str, allowed: &[&str]) -> Self {
        let detail = format!("cannot {action} while it is {state}");
        Self::conflict("illegal_transition", detail)
            .fact("state", state)
            .fact("allowed_actions", serde_json::json!(allowed))
    }

    /// 422: a rule is broken.
    pub fn rule(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 503 with `Retry-After`.
    pub fn unavailable(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).header("Retry-After", "1")
    }

    /// 500: a bug. The answer says nothing internal; the log does.
    pub fn internal() -> Self {
        let detail = "an unexpected error; the request id finds it in the log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail)
    }

    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        Problem::status_code(self)
    }

    fn error_response(&self) -> HttpResponse {
        let mut problem = self.clone();
        problem.request_id = crate::telemetry::current_request_id();
        let mut response = HttpResponse::build(Problem::status_code(self));
        for (name, value) in &self.headers {
            response.insert_header((*name, value.as_str()));
        }
        response
            .content_type("application/problem+json")
            .body(serde_json::to_vec(&problem).unwrap_or_default())
    }
}

/// Gathers every fault of an input, so that one answer names them all.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// An answer names at most so many: a body full of faults must not become a larger answer.
    pub const MOST: usize = 500;

    pub fn add(&mut self, pointer: impl Into<String>, code: &str, message: impl Into<String>) {
        if self.0.len() >= Self::MOST {
            return;
        }
        self.0.push(Fault {
            pointer: pointer.into(),
            code: code.to_owned(),
            message: message.into(),
        });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Where one place has both faults, keeps the one that says more.
    pub(crate) fn prefer(&mut self, telling: &str, vague: &str) {
        let told: Vec<String> = self
            .0
            .iter()
            .filter(|fault| fault.code == telling)
            .map(|fault| fault.pointer.clone())
            .collect();
        self.0
            .retain(|fault| fault.code != vague || !told.contains(&fault.pointer));
    }

    /// 422 with all faults, or nothing when there are none.
    ///
    /// The problem's code is that of the faults when they agree, else `invalid_input`.
    pub fn check(self) -> std::result::Result<(), Problem> {
        let Some(first) = self.0.first() else {
            return Ok(());
        };
        let same = self.0.iter().all(|fault| fault.code == first.code);
        let code = if same {
            first.code.clone()
        } else {
            "invalid_input".to_owned()
        };
        let detail = match self.0.len() {
            1 => format!("{}: {}", first.pointer, first.message),
            n => format!("{n} faults in the input"),
        };
        let mut problem = Problem::rule(&code, detail);
        problem.errors = self.0;
        Err(problem)
    }
}

/// What an action can fail with.
#[derive(Debug)]
pub enum Error {
    /// A refusal that the client is told.
    Problem(Box<Problem>),
    /// The database said no: a known constraint becomes its problem, anything else is a bug.
    Database(diesel::result::Error),
    /// What was read before taking locks has changed since: run the command again.
    Stale,
    /// A broken assumption of our own.
    Bug(String),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Error::Problem(Box::new(problem))
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Error::Database(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::Bug(error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Problem(problem) => problem.fmt(f),
            Error::Database(_) => f.write_str("the database refused a statement"),
            Error::Stale => f.write_str("read before locking, changed since"),
            Error::Bug(what) => write!(f, "broken assumption: {what}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Database(error) => Some(error),
            _ => None,
        }
    }
}

/// How a violated constraint is told to the client.
#[derive(Debug, Clone, Copy)]
pub struct Constraint {
    /// Name of the constraint or unique index in the database.
    pub name: &'static str,
    /// 409 or 422.
    pub status: u16,
    pub code: &'static str,
    /// JSON Pointer to the part of the body at fault; empty when there is none.
    pub pointer: &'static str,
    pub message: &'static str,
}

impl Constraint {
    pub const fn conflict(
        name: &'static str,
        code: &'static str,
        pointer: &'static str,
        message: &'static str,
    ) -> Self {
        Constraint {
            name,
            status: 409,
            code,
            pointer,
            message,
        }
    }

    pub const fn rule(name: &'static str, code: &'static str, pointer: &'static str, message: &'static str) -> Self {
        Constraint {
            name,
            status: 422,
            code,
            pointer,
            message,
        }
    }

    fn problem(&self) -> Problem {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::CONFLICT);
        let mut problem = Problem::new(status, self.code, self.message);
        if !self.pointer.is_empty() {
            problem.errors.push(Fault {
                pointer: self.pointer.to_owned(),
                code: self.code.to_owned(),
                message: self.message.to_owned(),
            });
        }
        problem
    }
}

impl Error {
    /// The one conversion from errors to problems. Unknown errors are logged and answered 500.
    pub fn into_problem(self, constraints: &[Constraint]) -> Problem {
        use diesel::result::Error as Db;
        match self {
            Error::Problem(problem) => *problem,
            Error::Stale => Problem::unavailable("busy", "the record kept changing; try again"),
            Error::Database(Db::NotFound) => Problem::not_found("record"),
            Error::Database(Db::DatabaseError(kind, info)) => {
                let known = info.constraint_name().and_then(|name| {
                    constraints
                        .iter()
                        .chain(crate::users::CONSTRAINTS)
                        .find(|c| c.name == name)
                });
                if let Some(constraint) = known {
                    return constraint.problem();
                }
                if crate::db::is_timeout(info.message()) {
                    return Problem::unavailable("busy", "the database took too long; try again");
                }
                tracing::error!(
                    ?kind,
                    message = info.message(),
                    constraint = info.constraint_name(),
                    table = info.table_name(),
                    details = info.details(),
                    "unexpected database error"
                );
                Problem::internal()
            }
            other => {
                tracing::error!(error = %other, source = ?std::error::Error::source(&other), "unexpected error");
                Problem::internal()
            }
        }
    }
}
