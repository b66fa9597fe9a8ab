//! Templates of the documents of quotes: one for each language, in versions.
//!
//! A template has at most one draft and one published version. What is published stays as it is:
//! the next version is a draft again, and publishing it retires the one before. A quote is shown by
//! the published template of its language (`de-AT`, else `de`), else by the built-in one, which is
//! there in English and German. Retiring what is published goes back to that.
//!
//! A version is HTML with expressions ([minijinja](https://docs.rs/minijinja), the syntax of Jinja):
//! [`data`] is what they may name, [`render`] how it is written. Everything that is put in is escaped,
//! and there are no scripts. [`check`] names all faults of a version before it is stored, by showing
//! two samples with it: one with all that there can be, one with as little as there may be.

mod actions;
pub mod check;
pub mod data;
mod handlers;
pub mod model;
pub mod queries;
pub mod render;

pub use handlers::routes;

use actix_web::HttpResponse;
use actix_web::http::header;

const ENGLISH: &str = include_str!("en.html");
const GERMAN: &str = include_str!("de.html");

/// The template that is always there, and the language that it is in.
pub fn built_in(language: &str) -> (&'static str, &'static str) {
    match language.split('-').next() {
        Some("de") => ("de", GERMAN),
        _ => ("en", ENGLISH),
    }
}

/// A document as a page of its own, in which nothing runs and nothing is fetched.
pub fn page(html: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        ))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .body(html)
}
