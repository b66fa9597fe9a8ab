use crate::exchange::Streamed;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use uuid::Uuid;

/// A record with a place of its own: `/v1/<PATH>/<id>`.
pub trait Resource: Serialize {
    /// Plural path segment, e.g. `sales-orders`.
    const PATH: &'static str;
    /// What audit rows call it, e.g. `sales_order`.
    const TYPE: &'static str;

    fn id(&self) -> Uuid;

    /// Counts every change of the whole record; the `ETag`.
    fn revision(&self) -> i64;

    /// The entity tag, for records whose answer shows more than their own revision counts.
    fn etag(&self) -> String {
        format!("\"{}\"", self.revision())
    }

    /// Whether a tag in `If-Match` stands for the record as it is now. Records whose `ETag` covers
    /// more than they own (see [`same_revision`]) let their revision alone decide.
    fn matches(&self, tag: &str) -> bool {
        tag == self.etag()
    }
}

/// Whether a tag `"<revision>"` or `"<revision>.<more>"` names this revision.
pub fn same_revision(tag: &str, revision: i64) -> bool {
    let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    inner.and_then(|inner| inner.split('.').next()) == Some(revision.to_string().as_str())
}

/// A successful answer with its body already serialised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub etag: Option<String>,
    pub location: Option<String>,
    /// JSON unless `media_type` says otherwise; empty for 204.
    pub body: String,
    /// Of the body, where it is no JSON.
    pub media_type: Option<&'static str>,
}

impl Answer {
    /// 200 with a single resource.
    ///
    /// # Errors
    /// When the record cannot be serialised, which is a bug.
    pub fn ok<R: Resource>(record: &R) -> Result<Self, serde_json::Error> {
        Ok(Answer {
            etag: Some(record.etag()),
            ..Answer::json(record)?
        })
    }

    /// 201 with a single resource and its `Location`.
    ///
    /// # Errors
    /// As [`Answer::ok`].
    pub fn created<R: Resource>(record: &R) -> Result<Self, serde_json::Error> {
        let location = Some(format!("/v1/{}/{}", R::PATH, record.id()));
        Ok(Answer {
            status: 201,
            location,
            ..Answer::ok(record)?
        })
    }

    /// 200 with anything else.
    ///
    /// # Errors
    /// As [`Answer::ok`].
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        Ok(Answer {
            status: 200,
            etag: None,
            location: None,
            body: serde_json::to_string(value)?,
            media_type: None,
        })
    }

    /// 200 with a text that is no JSON, such as an XML file.
    pub fn text(media_type: &'static str, body: String) -> Self {
        Answer {
            status: 200,
            etag: None,
            location: None,
            body,
            media_type: Some(media_type),
        }
    }

    /// 204.
    pub fn no_content() -> Self {
        Answer {
            status: 204,
            etag: None,
            location: None,
            body: String::new(),
            media_type: None,
        }
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        if let Some(streamed) = request.extensions_mut().remove::<Streamed>() {
            return streamed.respond();
        }
        let not_modified = self.etag.is_some()
            && request.method() == actix_web::http::Method::GET
            && request.headers().get(header::IF_NONE_MATCH).map(|v| v.as_bytes())
                == self.etag.as_deref().map(str::as_bytes);
        let status = match not_modified {
            true => StatusCode::NOT_MODIFIED,
            false => StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK),
        };
        let mut response = HttpResponse::build(status);
        if let Some(etag) = self.etag {
            response.insert_header((header::ETAG, etag));
        }
        if let Some(location) = self.location {
            response.insert_header((header::LOCATION, location));
        }
        if not_modified || self.body.is_empty() {
            return response.finish();
        }
        let media_type = self.media_type.unwrap_or("application/json");
        response.content_type(media_type).body(self.body)
    }
}
