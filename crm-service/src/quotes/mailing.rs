//! A quote goes to the customer by e-mail: its document is a file of the message, which is an activity on the
//! quote and goes out from the outbox as every other message. Consent is asked as of every message.

use super::model::{Quote, QuoteEmailIn};
use super::queries::DocumentRow;
use crate::activities::emails::actions;
use crate::activities::emails::compose::File;
use crate::activities::emails::model::EmailIn;
use crate::subjects::SubjectType;
use service_kit::config::Mail;
use service_kit::{Error, Problem, Result, Tx};
use std::collections::BTreeMap;

/// Puts the document of a quote that was sent into the outbox.
///
/// # Errors
/// 409 `consent_withdrawn`; 422 with every fault, at `/email`.
pub fn mail(
    tx: &mut Tx<'_>,
    mail: &Mail,
    quote: &Quote,
    asked: &QuoteEmailIn,
    name: String,
    document: DocumentRow,
) -> Result<()> {
    let number = quote.number.as_deref().unwrap_or_default();
    let (subject, text) = match asked.template {
        Some(_) => (asked.subject.clone(), asked.text.clone()),
        None => {
            let (subject, text) = words(quote, number, &document.language);
            (
                asked.subject.clone().or(Some(subject)),
                asked.text.clone().or(Some(text)),
            )
        }
    };
    let values = match asked.template {
        Some(_) => BTreeMap::from([
            ("number".to_owned(), number.to_owned()),
            ("title".to_owned(), quote.title.clone()),
            ("valid_until".to_owned(), quote.valid_until.to_string()),
            ("total".to_owned(), format!("{} {}", quote.total.net, quote.currency)),
        ]),
        None => BTreeMap::new(),
    };
    let input = EmailIn {
        to: asked.to.clone(),
        cc: asked.cc.clone(),
        subject,
        text,
        template: asked.template.clone(),
        language: Some(document.language),
        values,
        despite_withdrawn: asked.despite_withdrawn.clone(),
        subject_type: Some(SubjectType::Quote),
        subject_id: Some(quote.id),
        contact_id: asked.contact_id.or(quote.contact_id),
        ..EmailIn::default()
    };
    let file = File {
        name,
        content_type: "text/html; charset=utf-8",
        bytes: document.html.into_bytes(),
    };
    match actions::send_with(tx, mail, &input, &[file]) {
        Ok(_) => Ok(()),
        Err(Error::Problem(problem)) => Err(within(*problem).into()),
        Err(other) => Err(other),
    }
}

/// The faults of the message, where they stand in the body that asked for it.
fn within(mut problem: Problem) -> Problem {
    for fault in &mut problem.errors {
        fault.pointer = format!("/email{}", fault.pointer);
    }
    problem
}

/// Subject and text in the language of the document: German, else English.
fn words(quote: &Quote, number: &str, language: &str) -> (String, String) {
    let (title, until) = (&quote.title, quote.valid_until);
    let (subject, text) = match language.split('-').next() {
        Some("de") => (
            format!("Angebot {number}: {title}"),
            format!(
                "Guten Tag,\n\nanbei unser Angebot {number}, gültig bis {}.\n",
                until.format("%d.%m.%Y")
            ),
        ),
        _ => (
            format!("Quote {number}: {title}"),
            format!(
                "Hello,\n\nplease find attached our quote {number}, valid until {}.\n",
                until.format("%-d %B %Y")
            ),
        ),
    };
    let subject = subject.chars().filter(|c| !c.is_control()).take(300);
    (subject.collect(), text)
}
