//! Words of letters: placeholders filled in, and the page that is printed. Pure.

use super::model::DunningLetter;
use serde_json::Value;
use std::fmt::Write;

const PLACEHOLDERS: &[&str] = &[
    "company", "customer", "date", "pay_by", "currency", "open", "credits", "fee", "total", "level",
];

/// All placeholders, for a message.
pub(super) fn names() -> String {
    let names: Vec<String> = PLACEHOLDERS.iter().map(|name| format!("{{{name}}}")).collect();
    names.join(", ")
}

/// Text, and what stands between braces. A brace that is not closed, or has no word after it, is text.
fn pieces(text: &str) -> impl Iterator<Item = Result<&str, &str>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let word = |at: usize| {
            let name = rest[at + 1..].split_once('}')?.0;
            let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            (plain && !name.is_empty()).then_some(name)
        };
        let next = rest.match_indices('{').find_map(|(at, _)| Some((at, word(at)?)));
        let (piece, end) = match next {
            Some((0, name)) => (Ok(name), name.len() + 2),
            Some((at, _)) => (Err(&rest[..at]), at),
            None => (Err(rest), rest.len()),
        };
        rest = &rest[end..];
        Some(piece)
    })
}

/// The first placeholder that there is not.
pub(super) fn unknown_placeholder(text: &str) -> Option<&str> {
    pieces(text).find_map(|piece| piece.ok().filter(|name| !PLACEHOLDERS.contains(name)))
}

/// The text with its placeholders filled in.
pub(super) fn filled(text: &str, value: impl Fn(&str) -> String) -> String {
    pieces(text)
        .map(|piece| match piece {
            Ok(name) => value(name),
            Err(text) => text.to_owned(),
        })
        .collect()
}

/// The labels of the printed page.
struct Labels {
    document: &'static str,
    date: &'static str,
    due_on: &'static str,
    days: &'static str,
    amount: &'static str,
    open: &'static str,
    credits: &'static str,
    fee: &'static str,
    total: &'static str,
    number: &'static str,
}

const ENGLISH: Labels = Labels {
    document: "Document",
    date: "Date",
    due_on: "Due on",
    days: "Days overdue",
    amount: "Amount",
    open: "Open",
    credits: "Less credits",
    fee: "Reminder fee",
    total: "To pay",
    number: "Number",
};

const GERMAN: Labels = Labels {
    document: "Beleg",
    date: "Datum",
    due_on: "Fällig am",
    days: "Tage überfällig",
    amount: "Betrag",
    open: "Offen",
    credits: "Abzüglich Guthaben",
    fee: "Mahngebühr",
    total: "Zu zahlen",
    number: "Nummer",
};

const STYLE: &str = "@page { size: A4; margin: 25mm 20mm } body { font: 11pt/1.45 sans-serif; color: #000; max-width: 170mm; margin: 0 auto }
address { font-style: normal; margin: 12mm 0 } h1 { font-size: 14pt } table { width: 100%; border-collapse: collapse; margin: 6mm 0 }
th, td { text-align: left; padding: 1.5mm 2mm; border-bottom: 0.2mm solid #999 } .n { text-align: right } tr { break-inside: avoid }
tfoot td { border: 0 } .sum td { font-weight: bold; border-top: 0.4mm solid #000 } .meta { float: right; text-align: right }";

/// The letter as a page to print: one file, without scripts or anything from elsewhere.
pub(super) fn page(letter: &DunningLetter, company: &str) -> String {
    let labels = if letter.language == "de" { GERMAN } else { ENGLISH };
    let mut html = String::new();
    // Writing into a string does not fail.
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{}</title><style>{STYLE}</style></head>\n<body>\n",
        escaped(&letter.language),
        escaped(&letter.subject),
    );
    let number = letter.number.as_deref().unwrap_or("–");
    let _ = writeln!(
        html,
        "<p class=\"meta\">{}<br>{}: {}<br>{}: {}</p>",
        escaped(company),
        labels.number,
        escaped(number),
        labels.date,
        letter.date
    );
    let address: Vec<String> = address(letter).iter().map(|line| escaped(line)).collect();
    let _ = writeln!(html, "<address>{}</address>", address.join("<br>"));
    let _ = writeln!(html, "<h1>{}</h1>", escaped(&letter.subject));
    for paragraph in letter.body.split("\n\n") {
        let _ = writeln!(html, "<p>{}</p>", escaped(paragraph.trim()).replace('\n', "<br>"));
    }
    let _ = writeln!(
        html,
        "<table>\n<thead><tr><th>{}</th><th>{}</th><th>{}</th><th class=\"n\">{}</th><th class=\"n\">{}</th><th class=\"n\">{}</th></tr></thead>\n<tbody>",
        labels.document, labels.date, labels.due_on, labels.days, labels.amount, labels.open
    );
    for item in letter.items.iter().filter(|item| item.dropped.is_none()) {
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escaped(item.document_number.as_deref().unwrap_or("–")),
            item.date,
            item.due_on,
            item.days_overdue,
            item.amount,
            item.open_amount
        );
    }
    html.push_str("</tbody>\n<tfoot>\n");
    let mut foot = |class: &str, label: &str, amount: String| {
        let _ = writeln!(
            html,
            "<tr{class}><td colspan=\"5\" class=\"n\">{label}</td><td class=\"n\">{amount}</td></tr>"
        );
    };
    foot("", labels.open, letter.open_amount.to_string());
    if !letter.credits.is_zero() {
        foot("", labels.credits, format!("−{}", letter.credits));
    }
    if !letter.fee.is_zero() {
        foot("", labels.fee, letter.fee.to_string());
    }
    let total = format!("{} {}", letter.total, letter.currency);
    foot(" class=\"sum\"", labels.total, total);
    html.push_str("</tfoot>\n</table>\n</body>\n</html>\n");
    html
}

fn address(letter: &DunningLetter) -> Vec<String> {
    let mut lines = vec![letter.party.name.clone()];
    let Some(address) = &letter.party.address else {
        return lines;
    };
    let text = |field: &str| {
        address
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    lines.push(text("street"));
    lines.push(format!("{} {}", text("postal_code"), text("city")).trim().to_owned());
    lines.push(text("country"));
    lines.retain(|line| !line.is_empty());
    lines
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        let value = |name: &str| format!("<{name}>");
        for (text, shown) in [
            ("{total} {currency}", "<total> <currency>"),
            ("a{total}", "a<total>"),
            ("{", "{"),
            ("{}", "{}"),
            ("{ total }", "{ total }"),
            ("{{total}}", "{<total>}"),
            ("ü{fee}ü", "ü<fee>ü"),
            ("", ""),
        ] {
            assert_eq!(filled(text, value), shown);
        }
        assert_eq!(unknown_placeholder("{total} {tottal}"), Some("tottal"));
        assert_eq!(unknown_placeholder("{total} { x }"), None);
    }
}
