use crate::http::Validators;
use crate::problem::Problem;
use crate::server::Kit;
use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// Largest body of an ordinary request: 1 MiB.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Largest CSV file that a command reads as a whole: 8 MiB.
pub const CSV_LIMIT: usize = 8 * BODY_LIMIT;

/// SHA-256 of the body, for the `Idempotency-Key`; an absent body counts as an empty one.
#[derive(Clone, Copy)]
pub(crate) struct BodyHash(pub [u8; 32]);

/// A JSON body that fulfils the schema of `T`. Name it after the permission in the handler.
pub struct Body<T>(pub T);

/// A JSON body that may be absent; then it is `T::default()`.
pub struct OptionalBody<T>(pub T);

/// An object that fulfils the schema of `T`, as JSON or as a page sends a form: then its values are
/// texts, and those of one name stand with commas between them. Document it with both media types.
pub struct FormBody<T>(pub T);

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest for FormBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = collect(&request, payload, BODY_LIMIT).await?;
            if media_type(&request) != "application/x-www-form-urlencoded" {
                require_json(&request)?;
                return parse(kit(&request)?, &bytes).map(FormBody);
            }
            let value = form_fields(&bytes)?;
            kit(&request)?.check(&T::name(), &value)?;
            typed(&value).map(FormBody)
        })
    }
}

fn form_fields(bytes: &[u8]) -> Result<Value, Problem> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes)
        .map_err(|error| Problem::bad_request("malformed_form", format!("the body is not a form: {error}")))?;
    let mut fields = serde_json::Map::new();
    for (name, value) in pairs {
        match fields.get_mut(&name) {
            Some(Value::String(known)) => {
                known.push_str(", ");
                known.push_str(&value);
            }
            _ => {
                fields.insert(name, Value::String(value));
            }
        }
    }
    Ok(Value::Object(fields))
}

/// A `text/csv` body in UTF-8, read as a whole. Document it with `content_type = "text/csv"`.
pub struct CsvText(pub String);

impl FromRequest for CsvText {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = collect(&request, payload, CSV_LIMIT).await?;
            if media_type(&request) != "text/csv" {
                return Err(unsupported("send text/csv"));
            }
            match String::from_utf8(bytes.to_vec()) {
                Ok(text) if !text.contains('\0') => Ok(CsvText(text)),
                _ => Err(Problem::bad_request("malformed_csv", "the body is not text in UTF-8")),
            }
        })
    }
}

impl utoipa::PartialSchema for CsvText {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("Text in UTF-8, comma separated values"))
            .max_length(Some(CSV_LIMIT))
            .into()
    }
}

impl ToSchema for CsvText {}

/// Largest file that a command reads as a whole: 20 MiB.
pub const UPLOAD_LIMIT: usize = 20 * BODY_LIMIT;

/// A file in XML or CSV, read as a whole, its encoding left to the reader. Document it with `content_type = "application/xml"`
/// and `"text/csv"`.
pub struct Upload {
    /// `application/xml` or `text/csv`.
    pub media_type: &'static str,
    pub bytes: Bytes,
}

impl FromRequest for Upload {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let media_type = match media_type(&request).as_str() {
                "application/xml" | "text/xml" => "application/xml",
                "text/csv" => "text/csv",
                _ => return Err(unsupported("send application/xml or text/csv")),
            };
            let bytes = collect(&request, payload, UPLOAD_LIMIT).await?;
            match bytes.is_empty() {
                true => Err(Problem::rule("empty_file", "the file is empty")),
                false => Ok(Upload { media_type, bytes }),
            }
        })
    }
}

impl utoipa::PartialSchema for Upload {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("A file in XML or CSV"))
            .max_length(Some(UPLOAD_LIMIT))
            .into()
    }
}

impl ToSchema for Upload {}

/// An e-mail message as it came (RFC 5322), read as a whole. Document it with
/// `content_type = "message/rfc822"`.
pub struct MessageFile(pub Bytes);

impl FromRequest for MessageFile {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if media_type(&request) != "message/rfc822" {
                return Err(unsupported("send message/rfc822"));
            }
            collect(&request, payload, UPLOAD_LIMIT).await.map(MessageFile)
        })
    }
}

impl utoipa::PartialSchema for MessageFile {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("An e-mail message (RFC 5322)"))
            .max_length(Some(UPLOAD_LIMIT))
            .into()
    }
}

impl ToSchema for MessageFile {}

/// Largest file that is kept: 10 MiB.
pub const FILE_LIMIT: usize = 10 * BODY_LIMIT;

/// A file of any kind, to be kept as it is. Document it with `content_type = "application/octet-stream"`. What
/// stands in the query belongs to the request as much as the body, also for its `Idempotency-Key`.
pub struct File {
    /// As the request says it; `application/octet-stream` when it says nothing that is a media type.
    pub content_type: String,
    pub bytes: Bytes,
}

impl FromRequest for File {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = collect(&request, payload, FILE_LIMIT).await?;
            let mut hash = Sha256::new();
            hash.update(request.query_string());
            hash.update([0]);
            hash.update(&bytes);
            request.extensions_mut().insert(BodyHash(hash.finalize().into()));
            if bytes.is_empty() {
                return Err(Problem::rule("empty_file", "the file is empty"));
            }
            let content_type = media_type(&request);
            let content_type = match is_media_type(&content_type) {
                true => content_type,
                false => "application/octet-stream".to_owned(),
            };
            Ok(File { content_type, bytes })
        })
    }
}

/// `type/subtype` of RFC 9110 tokens, of no more than 100 characters.
pub fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        !part.is_empty() && part.bytes().all(allowed)
    };
    let parts = text.split_once('/');
    text.len() <= 100 && parts.is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

impl utoipa::PartialSchema for File {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some(
                "A file of any kind; its media type is the Content-Type of the request",
            ))
            .max_length(Some(FILE_LIMIT))
            .into()
    }
}

impl ToSchema for File {}

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = collect(&request, payload, BODY_LIMIT).await?;
            require_json(&request)?;
            parse(kit(&request)?, &bytes).map(Body)
        })
    }
}

impl<T: DeserializeOwned + ToSchema + Default + 'static> FromRequest for OptionalBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = collect(&request, payload, BODY_LIMIT).await?;
            if bytes.is_empty() {
                return Ok(OptionalBody(T::default()));
            }
            require_json(&request)?;
            parse(kit(&request)?, &bytes).map(OptionalBody)
        })
    }
}

fn kit(request: &HttpRequest) -> Result<&Validators, Problem> {
    let kit = request
        .app_data::<actix_web::web::Data<Kit>>()
        .ok_or_else(Problem::internal)?;
    Ok(&kit.validators)
}

async fn collect(request: &HttpRequest, mut payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::bad_request("incomplete_body", "the body ended early"))?;
        if body.len() + chunk.len() > limit {
            let detail = format!("a body may have at most {limit} bytes");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail));
        }
        body.extend_from_slice(&chunk);
    }
    request.extensions_mut().insert(BodyHash(Sha256::digest(&body).into()));
    Ok(body.freeze())
}

fn require_json(request: &HttpRequest) -> Result<(), Problem> {
    match media_type(request).as_str() {
        "application/json" | "application/merge-patch+json" => Ok(()),
        _ => Err(unsupported(
            "send application/json (or application/merge-patch+json with PATCH)",
        )),
    }
}

/// The media type of the body without its parameters, in small letters.
fn media_type(request: &HttpRequest) -> String {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().to_ascii_lowercase()
}

fn unsupported(detail: &str) -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
}

fn parse<T: DeserializeOwned + ToSchema>(validators: &Validators, bytes: &[u8]) -> Result<T, Problem> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Problem::bad_request("malformed_json", format!("the body is not JSON: {error}")))?;
    validators.check(&T::name(), &value)?;
    typed(&value)
}

/// The schema has found every fault by now; what only the type can refuse, it tells in words.
fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    T::deserialize(value).map_err(|error| {
        let text: String = error.to_string().chars().take(300).collect();
        Problem::rule("invalid_input", text)
    })
}
