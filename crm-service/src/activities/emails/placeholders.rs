//! Placeholders in templates: `{{customer.name}}`, or `{{contact.name|Sir or Madam}}` with what stands
//! there when nothing is known.
//!
//! Beside those of the list below, a template has values of its own, `{{values.amount}}`, which
//! whoever sends it must give. A placeholder that nobody knows is a fault of the template, found
//! when it is saved.

use service_kit::Faults;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of the records that a message is about.
pub const KNOWN: &[&str] = &[
    "customer.name",
    "customer.email",
    "customer.phone",
    "contact.name",
    "contact.title",
    "contact.role",
    "contact.email",
    "contact.phone",
    "sender.name",
    "sender.email",
    "today",
];

/// How values are put into a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Into {
    Text,
    /// Escaped.
    Html,
    /// On one line.
    Line,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Placeholder { name: &'a str, otherwise: Option<&'a str> },
}

/// Adds the faults of a template's text at `pointer`.
pub fn check(text: &str, pointer: &str, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    for piece in pieces(text) {
        match piece {
            Ok(Piece::Placeholder { name, .. }) if !is_known(name) && seen.insert(name) => {
                let shown: String = name.chars().take(60).collect();
                let message = format!(
                    "there is no placeholder {shown:?}; there are {} and values.<name>",
                    KNOWN.join(", ")
                );
                faults.add(pointer, "unknown_placeholder", message);
            }
            Err(rest) => {
                let shown: String = rest.chars().take(40).collect();
                let message = format!("the placeholder that begins at {shown:?} does not end with }}}}");
                faults.add(pointer, "malformed_placeholder", message);
            }
            _ => {}
        }
    }
}

/// The text with its placeholders filled in; names those without a value in `missing`.
pub fn fill(text: &str, values: &BTreeMap<String, String>, into: Into, missing: &mut BTreeSet<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Ok(Piece::Text(text)) | Err(text) => filled.push_str(text),
            Ok(Piece::Placeholder { name, otherwise }) => match values.get(name).map(String::as_str).or(otherwise) {
                Some(value) => put(&mut filled, value, into),
                None => {
                    missing.insert(name.to_owned());
                }
            },
        }
    }
    filled
}

fn put(filled: &mut String, value: &str, into: Into) {
    for c in value.chars() {
        match (into, c) {
            (Into::Html, '&') => filled.push_str("&amp;"),
            (Into::Html, '<') => filled.push_str("&lt;"),
            (Into::Html, '>') => filled.push_str("&gt;"),
            (Into::Html, '"') => filled.push_str("&quot;"),
            (Into::Html, '\'') => filled.push_str("&#39;"),
            (Into::Line, c) if c.is_control() => filled.push(' '),
            (_, c) => filled.push(c),
        }
    }
}

fn is_known(name: &str) -> bool {
    let own = name.strip_prefix("values.");
    KNOWN.contains(&name) || own.is_some_and(is_name)
}

/// Whether a value of a template can be called so.
pub fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    name.len() <= 60
        && chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The text in pieces; the rest of it as an error where a placeholder does not end.
fn pieces(text: &str) -> impl Iterator<Item = Result<Piece<'_>, &str>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(inner) = rest.strip_prefix("{{") else {
            let end = rest.find("{{").unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            rest = after;
            return Some(Ok(Piece::Text(text)));
        };
        // The next opening comes first where one was forgotten to be closed.
        let end = inner.find("}}").filter(|end| !inner[..*end].contains("{{"));
        let Some(end) = end else {
            let next = inner.find("{{").map_or(rest.len(), |next| next + 2);
            let (broken, after) = rest.split_at(next);
            rest = after;
            return Some(Err(broken));
        };
        rest = &inner[end + 2..];
        let (name, otherwise) = match inner[..end].split_once('|') {
            Some((name, otherwise)) => (name, Some(otherwise.trim())),
            None => (&inner[..end], None),
        };
        let name = name.trim();
        Some(Ok(Piece::Placeholder { name, otherwise }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn faults_of(text: &str) -> Vec<(String, String)> {
        let mut faults = Faults::default();
        check(text, "/text", &mut faults);
        let problem = faults.check().err();
        let faults = problem.into_iter().flat_map(|problem| problem.errors);
        faults.map(|fault| (fault.code, fault.message)).collect()
    }

    fn filled(text: &str, into: Into) -> (String, Vec<String>) {
        let values = [("customer.name", "Tom & <Jerry>\r\nBcc: x"), ("values.amount", "12.50")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let mut missing = BTreeSet::new();
        let text = fill(text, &values, into, &mut missing);
        (text, missing.into_iter().collect())
    }

    #[test]
    fn what_is_put_in_is_escaped() {
        let text = "Dear {{ customer.name }}, pay {{values.amount}}";
        assert_eq!(
            filled(text, Into::Html).0,
            "Dear Tom &amp; &lt;Jerry&gt;\r\nBcc: x, pay 12.50"
        );
        assert_eq!(filled(text, Into::Line).0, "Dear Tom & <Jerry>  Bcc: x, pay 12.50");
        assert_eq!(filled(text, Into::Text).0, "Dear Tom & <Jerry>\r\nBcc: x, pay 12.50");
        let (text, missing) = filled(
            "{{contact.name|Sir or Madam}} {{contact.email}} {{values.b}}",
            Into::Text,
        );
        assert_eq!(
            (text.as_str(), missing),
            (
                "Sir or Madam  ",
                vec!["contact.email".to_owned(), "values.b".to_owned()]
            )
        );
    }

    #[test]
    fn a_template_is_told_all_its_faults() {
        assert_eq!(faults_of("{{customer.name}} {{values.x_1|}} {single} }}"), []);
        let codes: Vec<String> = faults_of("{{a}} {{customer.salary}} {{a}} {{values.X}} {{open {{today}} {{end")
            .into_iter()
            .map(|(code, _)| code)
            .collect();
        assert_eq!(
            codes,
            [
                "unknown_placeholder",
                "unknown_placeholder",
                "unknown_placeholder",
                "malformed_placeholder",
                "malformed_placeholder"
            ]
        );
    }

    proptest! {
        /// Nothing but placeholders is taken away.
        #[test]
        fn a_text_without_placeholders_stays(text in "[a{}| é]{0,20}") {
            prop_assume!(!text.contains("{{"));
            prop_assert_eq!(filled(&text, Into::Text).0, text);
        }

        #[test]
        fn pieces_are_the_whole(text in "([a|}é ]|\\{\\{|\\}\\}){0,12}") {
            let length: usize = pieces(&text).map(|piece| match piece {
                Ok(Piece::Text(text)) | Err(text) => text.len(),
                Ok(Piece::Placeholder { .. }) => 0,
            }).sum();
            prop_assert!(length <= text.len());
        }
    }
}
