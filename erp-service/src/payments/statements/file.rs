//! What a file says, whatever its format: pure.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use service_kit::{Currency, Faults};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// A statement as a file tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadStatement {
    /// Unique for the account, by the bank; of a CSV file its hash.
    pub identification: String,
    pub format: &'static str,
    /// IBAN or number of the account, where the file names it.
    pub account: Option<String>,
    pub currency: Option<Currency>,
    pub opening_balance: Option<Decimal>,
    pub closing_balance: Option<Decimal>,
    pub lines: Vec<ReadLine>,
    /// Entries that the bank has not booked yet, which are left out.
    pub pending: usize,
    /// Where it stands in the file.
    pub pointer: String,
}

/// A line as a file tells it; money in is positive.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadLine {
    pub booked_on: NaiveDate,
    pub value_on: Option<NaiveDate>,
    pub amount: Decimal,
    pub counterparty_name: Option<String>,
    pub counterparty_iban: Option<String>,
    pub reference: Option<String>,
    pub end_to_end_id: Option<String>,
    /// The bank's own reference of the line, unique for the account.
    pub bank_reference: Option<String>,
    pub transaction_code: Option<String>,
    pub pointer: String,
}

/// Most lines of one file.
pub const MOST_LINES: usize = 100_000;

/// Text of at most so many characters, without the ends' spaces; `None` when nothing is left.
pub fn bounded(text: &str, most: usize) -> Option<String> {
    let plain: String = text.trim().chars().filter(|c| !c.is_control()).take(most).collect();
    (!plain.is_empty()).then_some(plain)
}

/// The lines come to the closing balance.
pub fn check_balance(statement: &ReadStatement, faults: &mut Faults) {
    let (Some(opening), Some(closing)) = (statement.opening_balance, statement.closing_balance) else {
        return;
    };
    let sum = statement
        .lines
        .iter()
        .try_fold(opening, |sum, line| sum.checked_add(line.amount));
    if sum != Some(closing) {
        let found = sum.unwrap_or_default().normalize();
        let detail = format!(
            "opening balance and lines come to {found}, the closing balance is {}",
            closing.normalize()
        );
        faults.add(statement.pointer.clone(), "balance_differs", detail);
    }
}

/// What each line is known by.
pub fn fingerprints(lines: &[ReadLine]) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    lines
        .iter()
        .map(|line| {
            let known = match &line.bank_reference {
                // Some banks give one reference to several lines.
                Some(reference) => format!("ref:{reference}|{}|{}", line.booked_on, line.amount.normalize()),
                None => {
                    let parts = [
                        &line.reference,
                        &line.end_to_end_id,
                        &line.counterparty_iban,
                        &line.counterparty_name,
                    ];
                    let mut hash = Sha256::new();
                    hash.update(format!("{}|{}", line.booked_on, line.amount.normalize()));
                    for part in parts {
                        hash.update([0]);
                        hash.update(part.as_deref().unwrap_or_default());
                    }
                    format!("hash:{}", hex(&hash.finalize()))
                }
            };
            let index = seen.entry(known.clone()).or_insert(0);
            *index += 1;
            format!("{known}#{index}")
        })
        .collect()
}

/// A file is known by its bytes.
pub fn hash_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lines_count_up_and_references_win() {
        let line = ReadLine {
            amount: Decimal::ONE,
            reference: Some("A-1".to_owned()),
            ..ReadLine::default()
        };
        let named = ReadLine {
            bank_reference: Some("X1".to_owned()),
            ..line.clone()
        };
        let found = fingerprints(&[line.clone(), line.clone(), named]);
        assert!(found[0].ends_with("#1") && found[1].ends_with("#2"), "{found:?}");
        assert_eq!(found[0].split('#').next(), found[1].split('#').next());
        assert_eq!(found[2], "ref:X1|1970-01-01|1#1");
        assert_eq!(fingerprints(&[line]), found[..1]);
    }
}
