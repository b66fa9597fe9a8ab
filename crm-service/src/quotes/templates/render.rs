//! How a template is written: escaped, strict about names, numbers and dates as the language has them.
//!
//! Filters of its own: `money` (an amount with the currency), `number`, `percent`, `date`, and `lines`
//! (a text with its line breaks).

use super::data::Document;
use chrono::{Datelike, NaiveDate};
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use rust_decimal::Decimal;

/// So much work is a template allowed: some hundred times what 500 lines need.
const FUEL: u64 = 5_000_000;
/// So long may a document be.
const LONGEST: usize = 4 << 20;

/// # Errors
/// What is wrong with the template, and in which line.
pub fn document(html: &str, language: &str, data: &Document) -> Result<String, Error> {
    let written = environment(language, data.quote.currency.code()).render_str(html, data)?;
    match written.len() <= LONGEST {
        true => Ok(written),
        false => Err(Error::new(ErrorKind::InvalidOperation, "the document is too long")),
    }
}

fn environment(language: &str, currency: &'static str) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_trim_blocks(true);
    env.set_lstrip_blocks(true);
    env.set_debug(true);
    env.set_fuel(Some(FUEL));
    // Nothing goes in unescaped.
    env.remove_filter("safe");
    let style = Style::of(language);
    env.add_filter("money", move |value: Value| {
        text(&value, |number| Ok(format!("{}\u{a0}{currency}", style.number(number))))
    });
    env.add_filter("number", move |value: Value| {
        text(&value, |number| Ok(style.number(number)))
    });
    env.add_filter("percent", move |value: Value| {
        let hundred = |number: &str| -> Result<String, Error> {
            let value: Decimal = number.parse().map_err(|_| not_a("number", number))?;
            Ok((value * Decimal::ONE_HUNDRED).normalize().to_string())
        };
        text(&value, |number| {
            Ok(format!("{}\u{a0}%", style.number(&hundred(number)?)))
        })
    });
    env.add_filter("date", move |value: Value| {
        text(&value, |date| {
            let date = date.parse().map_err(|_| not_a("date", date))?;
            Ok(style.date(date))
        })
    });
    env.add_filter("lines", |value: Value| -> Result<Vec<String>, Error> {
        defined(&value)?;
        Ok(value.as_str().unwrap_or_default().lines().map(str::to_owned).collect())
    });
    env
}

/// Writes what there is; nothing for what may be missing, and a fault for what nobody knows.
fn text(value: &Value, write: impl FnOnce(&str) -> Result<String, Error>) -> Result<String, Error> {
    defined(value)?;
    match value.kind() {
        ValueKind::None => Ok(String::new()),
        ValueKind::String => write(value.as_str().unwrap_or_default()),
        ValueKind::Number => write(&value.to_string()),
        _ => Err(not_a("value", &value.to_string())),
    }
}

fn defined(value: &Value) -> Result<(), Error> {
    match value.is_undefined() {
        true => Err(Error::from(ErrorKind::UndefinedError)),
        false => Ok(()),
    }
}

fn not_a(what: &str, text: &str) -> Error {
    let text: String = text.chars().take(40).collect();
    Error::new(ErrorKind::InvalidOperation, format!("{text:?} is not a {what}"))
}

/// How numbers and dates are written.
#[derive(Debug, Clone, Copy)]
struct Style {
    thousands: char,
    point: char,
    english: bool,
    dotted_dates: bool,
}

impl Style {
    fn of(language: &str) -> Self {
        let general = language.split('-').next().unwrap_or(language);
        let (thousands, point) = match general {
            "de" | "es" | "it" | "nl" | "pt" | "da" | "tr" | "id" => ('.', ','),
            "fr" | "pl" | "cs" | "sk" | "sv" | "nb" | "fi" | "uk" | "ru" | "bg" => ('\u{a0}', ','),
            _ => (',', '.'),
        };
        Style {
            thousands,
            point,
            english: general == "en",
            dotted_dates: matches!(
                general,
                "de" | "pl" | "cs" | "sk" | "fi" | "nb" | "da" | "ru" | "uk" | "tr"
            ),
        }
    }

    /// A plain decimal such as `-1234.50`.
    fn number(self, plain: &str) -> String {
        let (sign, digits) = match plain.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", plain),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut grouped = String::with_capacity(whole.len() * 2);
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                grouped.push(self.thousands);
            }
            grouped.push(digit);
        }
        match fraction {
            "" => format!("{sign}{grouped}"),
            _ => format!("{sign}{grouped}{}{fraction}", self.point),
        }
    }

    fn date(self, date: NaiveDate) -> String {
        match (self.english, self.dotted_dates) {
            (true, _) => format!("{} {}", date.day(), date.format("%B %Y")),
            (_, true) => date.format("%d.%m.%Y").to_string(),
            _ => date.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates_are_written_as_the_language_has_them() {
        let day = NaiveDate::from_ymd_opt(2026, 7, 5).unwrap();
        for (language, number, date) in [
            ("en", "-1,234,567.50", "5 July 2026"),
            ("de-AT", "-1.234.567,50", "05.07.2026"),
            ("fr", "-1\u{a0}234\u{a0}567,50", "2026-07-05"),
            ("ja", "-1,234,567.50", "2026-07-05"),
        ] {
            let style = Style::of(language);
            assert_eq!(
                (style.number("-1234567.50"), style.date(day)),
                (number.into(), date.into())
            );
        }
        assert_eq!(Style::of("en").number("999"), "999");
    }
}
