//! What `tandem up` says when everything runs.

use crate::demo::memory::{Loaded, RoundTrip};
use crate::demo::{CURRENCY, Company};
use crate::directory::Directory;
use crate::part::Part;
use crate::stack::Stack;
use rust_decimal::Decimal;
use std::fmt::Write;

/// What became of the demo.
pub enum Demo<'a> {
    /// Nothing was loaded, now or before.
    None,
    LoadedNow(&'a Company, Loaded),
    /// By an earlier run.
    LoadedBefore(String, Loaded),
}

/// The summary; it ends in a line break.
pub fn text(stack: &Stack, directory: &Directory, private_postgres: bool, demo: &Demo<'_>) -> String {
    let mut text = String::from("\nTandem is running.\n\n");
    for part in Part::ALL {
        let service = stack.of(part);
        let name = part.name().to_uppercase();
        let _ = writeln!(
            text,
            "  {name:<5} {:<30} key {}",
            format!("{}/docs/", service.url),
            service.api_key
        );
    }
    text.push('\n');
    match demo {
        Demo::None => text.push_str("  Demo  none\n"),
        Demo::LoadedNow(company, loaded) => {
            let _ = writeln!(text, "  Demo  {}", described(company));
            let _ = writeln!(
                text,
                "        loaded in {:.1} s; both systems agree with its files",
                loaded.seconds
            );
            push_round_trip(&mut text, loaded.round_trip);
        }
        Demo::LoadedBefore(name, loaded) => {
            let day = loaded.at.format("%Y-%m-%d %H:%M");
            let _ = writeln!(text, "  Demo  {name}, loaded on {day} UTC");
            push_round_trip(&mut text, loaded.round_trip);
        }
    }
    let path = directory.path().display();
    if private_postgres {
        let _ = writeln!(text, "  Data  {}", directory.postgres().display());
    }
    let _ = writeln!(text, "  Logs  {}", directory.logs().display());
    let _ = writeln!(
        text,
        "  Keys  {path}/keys.json; addresses and process ids {path}/stack.json"
    );
    text.push_str("\nCtrl-C stops everything.\n");
    text
}

fn described(company: &Company) -> String {
    format!(
        "{}: {} customers, {} products, {} orders with {} lines, worth {} {CURRENCY}",
        company.name,
        company.customers.len(),
        company.products.len(),
        grouped(Decimal::from(company.orders.len())),
        grouped(Decimal::from(company.line_count())),
        grouped(CURRENCY.round(company.net())),
    )
}

fn push_round_trip(text: &mut String, round_trip: Option<RoundTrip>) {
    if let Some(RoundTrip {
        orders,
        median_milliseconds,
    }) = round_trip
    {
        let _ = writeln!(
            text,
            "        an order submitted in the CRM came back accepted in {median_milliseconds} ms (median of {orders})"
        );
    }
}

/// With a comma between thousands.
fn grouped(number: Decimal) -> String {
    let text = number.to_string();
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [
            ("0", "0"),
            ("830", "830"),
            ("2155", "2,155"),
            ("1265793.02", "1,265,793.02"),
        ] {
            assert_eq!(grouped(number.parse().unwrap()), text);
        }
    }
}
