//! Naming all faults of a template before it is stored.
//!
//! The engine stops at the first fault. So the part at fault is blanked out, and the rest is tried
//! again, until nothing is left to complain of.

use super::{data, render};
use minijinja::{Error, ErrorKind};
use service_kit::Faults;
use std::collections::BTreeSet;
use std::ops::Range;

/// So many faults are looked for.
const MOST: usize = 100;

/// What a document must tell, by the names that it is told by.
const NEEDED: &[(&str, &str)] = &[
    ("quote.number", "the number"),
    ("quote.valid_until", "until when it is valid"),
    ("lines", "the lines"),
    ("total.", "the total"),
];

/// What has no place in a document.
const REFUSED: &[&str] = &[
    "<script",
    "<iframe",
    "<object",
    "<embed",
    "<base",
    "<link",
    "<form",
    "javascript:",
    "http-equiv",
    "onload=",
    "onerror=",
    "onclick=",
];

/// Statements that leave the template or its escaping.
const REFUSED_STATEMENTS: &[&str] = &["autoescape", "endautoescape", "include", "import", "from", "extends"];

/// Adds every fault of a template, each with its line.
pub fn check(html: &str, language: &str, pointer: &str, faults: &mut Faults) {
    let mut found: BTreeSet<(usize, &'static str, String)> = BTreeSet::new();
    let small = html.to_ascii_lowercase();
    for part in REFUSED {
        for (at, _) in small.match_indices(part) {
            found.insert((
                line_of(html, at),
                "not_allowed",
                format!("{part} has no place in a document"),
            ));
        }
    }
    let mut text = html.to_owned();
    // From the end, so that what is taken out moves nothing that is still to come.
    for (at, _) in html.rmatch_indices("{%") {
        let statement = html[at + 2..].trim_start_matches(['-', '+']).trim_start();
        let word: String = statement.chars().take_while(char::is_ascii_alphabetic).collect();
        if REFUSED_STATEMENTS.contains(&word.as_str()) {
            found.insert((line_of(html, at), "not_allowed", format!("{word} is not possible here")));
            let end = html[at..].find("%}").map_or(html.len(), |length| at + length + 2);
            fill(&mut text, at..end, "");
        }
    }
    for _ in 0..MOST {
        let Err(error) = attempt(&text, language) else { break };
        let line = error.line().unwrap_or_default();
        let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        let what = error.range().and_then(|range| text.get(range)).unwrap_or_default();
        let what: String = what.trim().chars().take(60).collect();
        let named = if what.is_empty() { what } else { format!(" ({what})") };
        let statement_refused = found.iter().any(|(at, code, _)| *at == line && *code == "not_allowed");
        if !(statement_refused && error.kind() == ErrorKind::SyntaxError) {
            found.insert((line, code(&error), format!("{}{detail}{named}", error.kind())));
        }
        if !blank(&mut text, &error) {
            break;
        }
    }
    for (line, code, message) in found {
        faults.add(pointer, code, format!("line {line}: {message}"));
    }
    for (name, what) in NEEDED {
        if !html.contains(name) {
            faults.add(pointer, "missing_part", format!("a quote tells {what}: {name}"));
        }
    }
}

fn attempt(text: &str, language: &str) -> Result<(), Error> {
    for whole in [true, false] {
        render::document(text, language, &data::sample(whole))?;
    }
    Ok(())
}

fn code(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::SyntaxError => "template_syntax",
        ErrorKind::UndefinedError => "unknown_variable",
        ErrorKind::UnknownFilter | ErrorKind::UnknownFunction | ErrorKind::UnknownMethod | ErrorKind::UnknownTest => {
            "unknown_function"
        }
        _ => "template_fails",
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

/// Takes what is at fault out of the text, and leaves everything else where it is. False when it
/// cannot: the rest then makes no sense without it.
fn blank(text: &mut String, error: &Error) -> bool {
    let Some(range) = error.range().or_else(|| expression_in(text, error.line()?)) else {
        return false;
    };
    let before = text
        .get(..range.start.saturating_add(2).min(text.len()))
        .unwrap_or_default();
    let (expression, statement) = (before.rfind("{{"), before.rfind("{%"));
    match (expression, statement) {
        (Some(start), statement) if statement.is_none_or(|statement| statement < start) => {
            let Some(length) = text[start..].find("}}") else {
                return false;
            };
            fill(text, start..start + length + 2, "")
        }
        // The statement stays, over nothing.
        (_, Some(_)) if error.kind() != ErrorKind::SyntaxError && range.len() >= 2 => fill(text, range, "[]"),
        _ => false,
    }
}

/// The first expression in a line, where the engine does not say which one it is.
fn expression_in(text: &str, line: usize) -> Option<Range<usize>> {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.checked_sub(1)?)
        .map(str::len)
        .sum();
    let at = start + text.get(start..)?.lines().next()?.find("{{")?;
    Some(at..at + 2)
}

fn fill(text: &mut String, range: Range<usize>, with: &str) -> bool {
    let Some(old) = text.get(range.clone()) else {
        return false;
    };
    // Line breaks stay, so that later faults name their lines.
    let blanked: String = old.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
    let kept: String = blanked.chars().skip(with.len()).collect();
    let new = format!("{with}{kept}");
    if new == old {
        return false;
    }
    text.replace_range(range, &new);
    true
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::*;

    fn faults(html: &str) -> Vec<(String, String)> {
        let mut faults = Faults::default();
        check(html, "en", "/html", &mut faults);
        let Err(problem) = faults.check() else {
            return Vec::new();
        };
        problem
            .errors
            .into_iter()
            .map(|fault| (fault.code, fault.message))
            .collect()
    }

    #[test]
    fn the_built_in_templates_have_no_faults() {
        for language in ["en", "de", "de-AT", "fr"] {
            assert_eq!(faults(built_in(language).1), [], "{language}");
        }
    }

    #[test]
    fn every_fault_is_named_with_its_line() {
        let html = "{{ quote.number }} {{ quote.valid_until|date }} {{ total.net|money }}
{{ quote.numbr }}
{{ customer.name|safe }} and {{ customer.nick }}
{{ customer.address.street }}
{% for line in lines %}{{ line.prize }}{{ line.name|shout }}{% endfor %}
{% for entry in quote.entries %}x{% endfor %}
<script>alert(1)</script>
{% include 'other' %}";
        let found = faults(html);
        let lines: Vec<(&str, &str)> = found
            .iter()
            .map(|(code, message)| (code.as_str(), message.split(':').next().unwrap_or_default()))
            .collect();
        for expected in [
            ("unknown_variable", "line 2"),
            ("unknown_function", "line 3"),
            ("unknown_variable", "line 3"),
            ("unknown_variable", "line 4"),
            ("unknown_variable", "line 5"),
            ("unknown_function", "line 5"),
            ("unknown_variable", "line 6"),
            ("not_allowed", "line 7"),
            ("not_allowed", "line 8"),
        ] {
            assert!(lines.contains(&expected), "{expected:?} is not in {found:#?}");
        }
    }

    #[test]
    fn what_a_quote_must_tell_is_asked_for() {
        let codes: Vec<String> = faults("<p>Nothing</p>").into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, ["missing_part"; 4]);
    }

    #[test]
    fn endless_work_is_stopped() {
        let html = "{% for a in range(99999) %}{% for b in range(99999) %}{% set c = 1 %}{% endfor %}{% endfor %}
            {{ quote.number }}{{ quote.valid_until }}{{ lines|length }}{{ total.net }}";
        assert_eq!(faults(html)[0].0, "template_fails");
    }
}
