use crate::problem::Problem;
use crate::server::Kit;
use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::future::{Ready, ready};
use std::ops::Deref;
use utoipa::IntoParams;
use uuid::Uuid;

/// The path `/v1/<records>/{id}`.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct IdPath {
    /// UUID of the record; the same in both systems.
    pub id: Uuid,
}

/// Path parameters; malformed ones are answered 400.
pub struct Path<T>(pub T);

/// Query parameters; malformed and unknown ones are answered 400.
pub struct Query<T>(pub T);

impl<T> Deref for Path<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Deref for Query<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Path<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let parsed = actix_web::web::Path::<T>::from_request(request, payload).into_inner();
        let not_understood =
            |error: String| Problem::bad_request("invalid_path", format!("the path is not understood: {error}"));
        ready(match parsed {
            Ok(path) => check_parameters(request, "path", request.match_info().iter())
                .map(|()| Path(path.into_inner()))
                .map_err(not_understood),
            Err(error) => Err(of_another_path(request).unwrap_or_else(|| not_understood(error.to_string()))),
        })
    }
}

/// `PATCH /deals/forecast` comes to `/deals/{id}`, which it does not mean: the path is there by itself,
/// with other methods.
fn of_another_path(request: &HttpRequest) -> Option<Problem> {
    let kit = request.app_data::<Data<Kit>>()?;
    let methods = kit.routes.allowed(request.path())?;
    let mut known = methods.split(", ");
    let meant = known.any(|method| method == request.method().as_str());
    (!meant).then(|| Problem::method_not_allowed(request.method().as_str(), methods))
}

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(query_of(request).map(Query))
    }
}

fn query_of<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Problem> {
    let text = request.query_string();
    if !text.is_empty() {
        let pairs: Pairs<'_> = parse_query(text)?;
        let values = pairs.iter().map(|(name, value)| (&**name, &**value));
        let faults = check_parameters(request, "query", values).err();
        let faults: Vec<String> = faults.into_iter().chain(unknown_parameters(request, &pairs)).collect();
        if !faults.is_empty() {
            return Err(Problem::bad_request("invalid_parameter", faults.join("; ")));
        }
    }
    parse_query(text)
}

type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// What the operation has no parameter for, as the OpenAPI document says: each of them (of 20), in words.
fn unknown_parameters(request: &HttpRequest, pairs: &Pairs<'_>) -> Vec<String> {
    let (Some(kit), Some(path)) = (request.app_data::<Data<Kit>>(), request.match_pattern()) else {
        return Vec::new();
    };
    let known = |name: &str| kit.validators.has_parameter(request.method().as_str(), &path, name);
    let unknown = pairs.iter().filter(|(name, _)| !known(name)).take(20);
    unknown
        .map(|(name, _)| format!("unknown parameter {:?}", name.chars().take(100).collect::<String>()))
        .collect()
}

/// Parameters are checked against the OpenAPI document before the types read them.
fn check_parameters<'a>(
    request: &HttpRequest,
    place: &'static str,
    values: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(), String> {
    let (Some(kit), Some(path)) = (request.app_data::<Data<Kit>>(), request.match_pattern()) else {
        return Ok(());
    };
    kit.validators
        .check_parameters(request.method().as_str(), &path, place, values)
}

/// Refuses parameters in the query that the operation does not have, as the OpenAPI document says.
pub(crate) fn require_known_parameters(request: &HttpRequest) -> Result<(), Problem> {
    let text = request.query_string();
    if text.is_empty() {
        return Ok(());
    }
    let unknown = unknown_parameters(request, &parse_query(text)?);
    match unknown.is_empty() {
        true => Ok(()),
        false => {
            Err(of_another_path(request)
                .unwrap_or_else(|| Problem::bad_request("invalid_parameter", unknown.join("; "))))
        }
    }
}

pub(crate) fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    serde_urlencoded::from_str(query).map_err(|error| {
        let text: String = error.to_string().chars().take(300).collect();
        Problem::bad_request("invalid_parameter", text)
    })
}

/// Text to search for: 1 to 200 characters.
#[derive(Debug, Clone)]
pub struct SearchText(String);

impl SearchText {
    /// As a pattern for `ILIKE` that finds the text anywhere.
    pub fn contains(&self) -> String {
        let escaped = self.0.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{escaped}%")
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether three letters or digits follow each other: else a trigram index has nothing to look
    /// for.
    pub fn has_trigram(&self) -> bool {
        let mut run = 0;
        self.0.chars().any(|c| {
            run = if c.is_alphanumeric() { run + 1 } else { 0 };
            run >= 3
        })
    }
}

impl<'de> Deserialize<'de> for SearchText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        if text.contains('\0') {
            return Err(serde::de::Error::custom("the character U+0000 is not allowed"));
        }
        if text.is_empty() || text.chars().count() > 200 {
            return Err(serde::de::Error::custom("expected 1 to 200 characters"));
        }
        Ok(SearchText(text.into_owned()))
    }
}

impl utoipa::PartialSchema for SearchText {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .min_length(Some(1))
            .max_length(Some(200))
            .into()
    }
}

impl utoipa::ToSchema for SearchText {}

/// The id in a body may be left out; given, it must be that of the path.
///
/// # Errors
/// 422 `id_mismatch`.
pub fn require_same_id(in_body: Option<Uuid>, in_path: Uuid) -> Result<(), Problem> {
    match in_body {
        Some(id) if id != in_path => Err(Problem::rule(
            "id_mismatch",
            "the id in the body is not the one in the path",
        )),
        _ => Ok(()),
    }
}
