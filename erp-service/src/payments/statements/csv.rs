//! Statements as CSV: every bank has its own columns, so each bank account has a mapping.

use super::file::{MOST_LINES, ReadLine, ReadStatement, bounded, hash_of};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use service_kit::{Amount, Faults, Problem, text_enum};
use std::str::FromStr;
use utoipa::ToSchema;

text_enum! {
    /// How the bytes of a file are text.
    CsvEncoding { Utf8 = "utf-8", Windows1252 = "windows-1252", Latin9 = "iso-8859-15", Utf16 = "utf-16" }
}

text_enum! {
    /// How a date is written.
    CsvDateFormat {
        YearMonthDay = "yyyy-mm-dd",
        Compact = "yyyymmdd",
        DotDayMonth = "dd.mm.yyyy",
        DotDayMonthShort = "dd.mm.yy",
        SlashDayMonth = "dd/mm/yyyy",
        SlashMonthDay = "mm/dd/yyyy",
        DashDayMonth = "dd-mm-yyyy",
    }
}

text_enum! {
    /// What stands between whole and fraction; the other one and spaces group digits.
    CsvDecimal { Point = "point", Comma = "comma" }
}

/// Which column of a bank's CSV file holds what. Columns are named as in the header line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvFormat {
    pub encoding: CsvEncoding,
    /// One character, or `tab`.
    #[schema(min_length = 1, max_length = 3, example = ";")]
    pub separator: String,
    /// Lines before the header line.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 100)]
    pub skipped_lines: u8,
    pub date_format: CsvDateFormat,
    pub decimal: CsvDecimal,
    pub columns: CsvColumns,
    /// Words of the sign column that make an amount negative, such as `S` or `Debit`.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub debit_words: Vec<String>,
}

/// Names of columns. Amounts: one signed column, or two without sign, or one with a sign column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvColumns {
    #[schema(min_length = 1, max_length = 100)]
    pub date: String,
    #[schema(min_length = 1, max_length = 100)]
    pub value_date: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub amount: Option<String>,
    /// Says which amounts are negative; see `debit_words`.
    #[schema(min_length = 1, max_length = 100)]
    pub sign: Option<String>,
    /// What went out.
    #[schema(min_length = 1, max_length = 100)]
    pub debit: Option<String>,
    /// What came in.
    #[schema(min_length = 1, max_length = 100)]
    pub credit: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub counterparty_name: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub counterparty_iban: Option<String>,
    /// Joined, where there are several.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub reference: Vec<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub end_to_end_id: Option<String>,
    /// The bank's own reference, unique for the account.
    #[schema(min_length = 1, max_length = 100)]
    pub bank_reference: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    pub transaction_code: Option<String>,
    /// Balance after the line; with it lines are checked one after the other.
    #[schema(min_length = 1, max_length = 100)]
    pub balance: Option<String>,
}

impl CsvFormat {
    /// Faults of the mapping itself.
    pub fn check(&self, pointer: &str, faults: &mut Faults) {
        if self.separator_byte().is_none() {
            faults.add(
                format!("{pointer}/separator"),
                "invalid_input",
                "one ASCII character, or tab",
            );
        }
        let columns = &self.columns;
        let complete = match (&columns.amount, &columns.debit, &columns.credit) {
            (Some(_), None, None) => true,
            (None, Some(_), Some(_)) => columns.sign.is_none(),
            _ => false,
        };
        if !complete {
            let detail = "give either amount, with or without sign, or debit and credit";
            faults.add(format!("{pointer}/columns"), "amount_columns", detail);
        }
        if columns.sign.is_some() && self.debit_words.is_empty() {
            faults.add(
                format!("{pointer}/debit_words"),
                "required",
                "say which words make an amount negative",
            );
        }
        let words = self
            .debit_words
            .iter()
            .enumerate()
            .map(|(index, word)| (format!("{pointer}/debit_words/{index}"), word));
        let references = columns.reference.iter().enumerate();
        let references = references.map(|(index, name)| (format!("{pointer}/columns/reference/{index}"), name));
        for (at, word) in words.chain(references) {
            if word.trim().is_empty() || word.chars().count() > 100 {
                faults.add(at, "out_of_range", "1 to 100 characters");
            }
        }
    }

    fn separator_byte(&self) -> Option<u8> {
        match (self.separator.as_str(), self.separator.as_bytes()) {
            ("tab", _) => Some(b'\t'),
            (_, [byte])
                if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'"' | b'\n' | b'\r') =>
            {
                Some(*byte)
            }
            _ => None,
        }
    }

    fn date(&self, text: &str) -> Option<NaiveDate> {
        let format = match self.date_format {
            CsvDateFormat::YearMonthDay => "%Y-%m-%d",
            CsvDateFormat::Compact => "%Y%m%d",
            CsvDateFormat::DotDayMonth => "%d.%m.%Y",
            CsvDateFormat::DotDayMonthShort => "%d.%m.%y",
            CsvDateFormat::SlashDayMonth => "%d/%m/%Y",
            CsvDateFormat::SlashMonthDay => "%m/%d/%Y",
            CsvDateFormat::DashDayMonth => "%d-%m-%Y",
        };
        let day = NaiveDate::parse_from_str(text.trim(), format).ok()?;
        // A year of two digits under a format of four would be one of the first century.
        (day >= NaiveDate::from_ymd_opt(1900, 1, 1)? && day <= NaiveDate::from_ymd_opt(2999, 12, 31)?).then_some(day)
    }

    fn amount(&self, text: &str) -> Option<Decimal> {
        let mut plain: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '\u{2019}' | '\u{a0}' | '\u{202f}'))
            .collect();
        let (group, point) = match self.decimal {
            CsvDecimal::Point => (',', '.'),
            CsvDecimal::Comma => ('.', ','),
        };
        plain = plain.replace(group, "").replace(point, ".").replace('\u{2212}', "-");
        // Some banks write the minus at the end, some write the plus.
        let negative = plain.starts_with('-') || plain.ends_with('-');
        let digits = plain.strip_prefix(['-', '+']).unwrap_or(&plain);
        let digits = digits.strip_suffix('-').unwrap_or(digits);
        let value = Amount::from_str(digits).ok()?.value();
        (!value.is_sign_negative()).then_some(if negative { -value } else { value })
    }
}

/// Reads a file by the mapping. Faults point at `/<line>/<column>`; the header line counts.
///
/// # Errors
/// 400 `malformed_csv`; 422 `missing_column`.
pub fn read(bytes: &[u8], format: &CsvFormat, faults: &mut Faults) -> Result<ReadStatement, Problem> {
    let text = decoded(bytes, format.encoding)?;
    let mut rest: &str = &text;
    for _ in 0..format.skipped_lines {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(format.separator_byte().unwrap_or(b';'))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(rest.as_bytes());
    let malformed = |error: csv::Error| {
        let why: String = error.to_string().chars().take(200).collect();
        Problem::bad_request("malformed_csv", format!("the file cannot be read: {why}"))
    };
    let columns = Columns::find(reader.headers().map_err(malformed)?, &format.columns)?;
    let first = u64::from(format.skipped_lines) + 2;
    let mut lines: Vec<ReadLine> = Vec::new();
    let mut balances: Vec<Option<Decimal>> = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(malformed)?;
        if lines.len() >= MOST_LINES {
            return Err(Problem::rule(
                "too_many_lines",
                format!("a file has at most {MOST_LINES} lines"),
            ));
        }
        let row = Row {
            record: &record,
            pointer: format!("/{}", first + index as u64),
        };
        // Totals and blank lines have no date.
        if row.text(columns.date).is_none() {
            continue;
        }
        if let Some(line) = line(&row, &columns, format, faults) {
            balances.push(row.text(columns.balance).and_then(|text| format.amount(text)));
            lines.push(line);
        }
    }
    let (opening_balance, closing_balance) = from_balances(&mut lines, &balances, faults);
    Ok(ReadStatement {
        identification: hash_of(bytes),
        format: "csv",
        account: None,
        currency: None,
        opening_balance,
        closing_balance,
        lines,
        pending: 0,
        pointer: String::new(),
    })
}

fn decoded(bytes: &[u8], encoding: CsvEncoding) -> Result<String, Problem> {
    let encoding = match encoding {
        CsvEncoding::Utf8 => encoding_rs::UTF_8,
        CsvEncoding::Windows1252 => encoding_rs::WINDOWS_1252,
        CsvEncoding::Latin9 => encoding_rs::ISO_8859_15,
        CsvEncoding::Utf16 => encoding_rs::UTF_16LE,
    };
    let (text, _, broken) = encoding.decode(bytes);
    match broken || text.contains('\0') {
        true => Err(Problem::bad_request(
            "malformed_csv",
            "the file is not text in the encoding of the mapping",
        )),
        false => Ok(text.into_owned()),
    }
}

struct Columns {
    date: Option<usize>,
    value_date: Option<usize>,
    amount: Option<usize>,
    sign: Option<usize>,
    debit: Option<usize>,
    credit: Option<usize>,
    counterparty_name: Option<usize>,
    counterparty_iban: Option<usize>,
    reference: Vec<usize>,
    end_to_end_id: Option<usize>,
    bank_reference: Option<usize>,
    transaction_code: Option<usize>,
    balance: Option<usize>,
}

impl Columns {
    fn find(header: &csv::StringRecord, names: &CsvColumns) -> Result<Self, Problem> {
        let mut faults = Faults::default();
        let mut find = |name: &str| {
            let found = header
                .iter()
                .position(|column| column.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name.trim()));
            if found.is_none() {
                faults.add("/header", "missing_column", format!("there is no column {name:?}"));
            }
            found
        };
        let mut optional = |name: &Option<String>| name.as_deref().and_then(&mut find);
        let columns = Columns {
            value_date: optional(&names.value_date),
            amount: optional(&names.amount),
            sign: optional(&names.sign),
            debit: optional(&names.debit),
            credit: optional(&names.credit),
            counterparty_name: optional(&names.counterparty_name),
            counterparty_iban: optional(&names.counterparty_iban),
            end_to_end_id: optional(&names.end_to_end_id),
            bank_reference: optional(&names.bank_reference),
            transaction_code: optional(&names.transaction_code),
            balance: optional(&names.balance),
            date: find(&names.date),
            reference: names.reference.iter().filter_map(|name| find(name)).collect(),
        };
        faults.check()?;
        Ok(columns)
    }
}

struct Row<'a> {
    record: &'a csv::StringRecord,
    pointer: String,
}

impl Row<'_> {
    fn text(&self, column: Option<usize>) -> Option<&str> {
        column
            .and_then(|column| self.record.get(column))
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    fn bounded(&self, column: Option<usize>, most: usize) -> Option<String> {
        bounded(self.text(column)?, most)
    }
}

fn line(row: &Row<'_>, columns: &Columns, format: &CsvFormat, faults: &mut Faults) -> Option<ReadLine> {
    let names = &format.columns;
    let fault = |faults: &mut Faults, name: &str, code: &str, text: &str| {
        let shown: String = text.chars().take(40).collect();
        faults.add(
            format!("{}/{name}", row.pointer),
            code,
            format!("{shown:?} is not understood"),
        );
    };
    let day = row.text(columns.date).unwrap_or_default();
    let booked_on = format.date(day);
    if booked_on.is_none() {
        fault(faults, &names.date, "invalid_date", day);
    }
    let mut number = |column: Option<usize>, name: &Option<String>| {
        let text = row.text(column)?;
        let value = format.amount(text);
        if value.is_none() {
            fault(faults, name.as_deref().unwrap_or_default(), "invalid_amount", text);
        }
        value
    };
    let (one, debit, credit) = (
        number(columns.amount, &names.amount),
        number(columns.debit, &names.debit),
        number(columns.credit, &names.credit),
    );
    let sign = row.text(columns.sign).unwrap_or_default();
    let amount = match (one, debit, credit) {
        (Some(amount), ..) if format.debit_words.iter().any(|word| word.eq_ignore_ascii_case(sign)) => -amount.abs(),
        (Some(amount), ..) => amount,
        // Either is left empty or 0.
        (None, debit, credit) => credit.unwrap_or_default().abs() - debit.unwrap_or_default().abs(),
    };
    let references: Vec<&str> = columns
        .reference
        .iter()
        .filter_map(|column| row.text(Some(*column)))
        .collect();
    let booked_on = booked_on.filter(|_| !amount.is_zero())?;
    Some(ReadLine {
        booked_on,
        value_on: row.text(columns.value_date).and_then(|text| format.date(text)),
        amount,
        counterparty_name: row.bounded(columns.counterparty_name, 200),
        counterparty_iban: row
            .bounded(columns.counterparty_iban, 60)
            .and_then(|iban| bounded(&iban.replace(' ', ""), 40)),
        reference: bounded(&references.join(" "), 1_000),
        end_to_end_id: row.bounded(columns.end_to_end_id, 100),
        bank_reference: row.bounded(columns.bank_reference, 100),
        transaction_code: row.bounded(columns.transaction_code, 60),
        pointer: row.pointer.clone(),
    })
}

/// Opening and closing balance from a column of balances. Files are in ascending or in descending order; each
/// balance must come from the one before it.
fn from_balances(
    lines: &mut [ReadLine],
    balances: &[Option<Decimal>],
    faults: &mut Faults,
) -> (Option<Decimal>, Option<Decimal>) {
    let known: Option<Vec<Decimal>> = balances.iter().copied().collect();
    let Some(mut known) = known.filter(|known| !known.is_empty()) else {
        return (None, None);
    };
    let chained = |lines: &[ReadLine], known: &[Decimal]| {
        let pairs = lines.iter().skip(1).zip(known.iter().zip(known.iter().skip(1)));
        pairs
            .into_iter()
            .position(|(line, (before, after))| before.checked_add(line.amount) != Some(*after))
    };
    if chained(lines, &known).is_some() {
        let mut turned: Vec<ReadLine> = lines.to_vec();
        let mut turned_balances = known.clone();
        turned.reverse();
        turned_balances.reverse();
        if chained(&turned, &turned_balances).is_none() {
            lines.clone_from_slice(&turned);
            known = turned_balances;
        }
    }
    if let Some(at) = chained(lines, &known) {
        let pointer = lines.get(at + 1).map(|line| line.pointer.clone()).unwrap_or_default();
        faults.add(
            pointer,
            "balance_differs",
            "the balance does not follow from the line before",
        );
    }
    let opening = known
        .first()
        .zip(lines.first())
        .map(|(balance, line)| balance - line.amount);
    (opening, known.last().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn format(more: serde_json::Value) -> CsvFormat {
        let mut format = json!({ "encoding": "windows-1252", "separator": ";", "date_format": "dd.mm.yyyy", "decimal": "comma",
            "columns": { "date": "Buchung", "amount": "Betrag", "counterparty_name": "Name", "reference": ["Zweck"] } });
        for (name, value) in more.as_object().unwrap() {
            format[name] = value.clone();
        }
        serde_json::from_value(format).unwrap()
    }

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_german_file_is_read() {
        let mut faults = Faults::default();
        let file = b"Kontoauszug;\r\nBuchung;Name;Zweck;Betrag\r\n10.03.2026;M\xfcller;\"Rechnung; A-1\";1.190,50\r\n11.03.2026;Bank;Geb\xfchr;-3,00\r\n;Summe;;1.187,50\r\n";
        let found = read(file, &format(json!({ "skipped_lines": 1 })), &mut faults).unwrap();
        assert!(faults.is_empty());
        assert_eq!(
            (found.lines.len(), found.lines[0].amount, found.lines[1].amount),
            (2, dec("1190.50"), dec("-3"))
        );
        assert_eq!(found.lines[0].counterparty_name.as_deref(), Some("Müller"));
        assert_eq!(found.lines[0].reference.as_deref(), Some("Rechnung; A-1"));
        assert_eq!(found.lines[1].pointer, "/4");
    }

    #[test]
    fn signs_come_in_columns_words_and_places() {
        let format = format(json!({}));
        for (text, value) in [
            ("1.234,56-", "-1234.56"),
            ("+5,00", "5"),
            ("1'000,10", "1000.10"),
            ("\u{2212}3,5", "-3.5"),
        ] {
            assert_eq!(format.amount(text), Some(dec(value)), "{text}");
        }
        for text in ["", "--1", "1,2,3", "x", "1e5"] {
            assert_eq!(format.amount(text), None, "{text}");
        }
        let two = super::tests::format(json!({ "columns": { "date": "D", "debit": "Out", "credit": "In" } }));
        let found = read(
            b"D;Out;In\n10.03.2026;5,00;\n10.03.2026;;7,00\n10.03.2026;-1,00;0\n",
            &two,
            &mut Faults::default(),
        )
        .unwrap();
        let amounts: Vec<Decimal> = found.lines.iter().map(|line| line.amount).collect();
        assert_eq!(amounts, [dec("-5"), dec("7"), dec("-1")]);
        let words = super::tests::format(
            json!({ "debit_words": ["S"], "columns": { "date": "D", "amount": "A", "sign": "W" } }),
        );
        let found = read(
            b"D;A;W\n10.03.2026;5,00;S\n10.03.2026;7,00;H\n",
            &words,
            &mut Faults::default(),
        )
        .unwrap();
        let amounts: Vec<Decimal> = found.lines.iter().map(|line| line.amount).collect();
        assert_eq!(amounts, [dec("-5"), dec("7")]);
    }

    #[test]
    fn balances_are_followed_in_both_orders() {
        let with = format(json!({ "columns": { "date": "D", "amount": "A", "balance": "B" } }));
        for file in [
            "D;A;B\n10.03.2026;5,00;105,00\n11.03.2026;-1,00;104,00\n",
            "D;A;B\n11.03.2026;-1,00;104,00\n10.03.2026;5,00;105,00\n",
        ] {
            let mut faults = Faults::default();
            let found = read(file.as_bytes(), &with, &mut faults).unwrap();
            assert!(faults.is_empty());
            assert_eq!(
                (found.opening_balance, found.closing_balance),
                (Some(dec("100")), Some(dec("104")))
            );
            assert_eq!(found.lines[0].amount, dec("5"));
        }
        let mut faults = Faults::default();
        read(
            b"D;A;B\n10.03.2026;5,00;105,00\n11.03.2026;-1,00;103,00\n",
            &with,
            &mut faults,
        )
        .unwrap();
        assert_eq!(faults.check().unwrap_err().errors[0].pointer, "/3");
    }

    #[test]
    fn every_fault_of_a_file_is_named() {
        let mut faults = Faults::default();
        read(
            b"Buchung;Name;Zweck;Betrag\n31.02.2026;a;b;1,00\n10.03.2026;a;b;x\n10.03.26;a;b;1,00\n",
            &format(json!({})),
            &mut faults,
        )
        .unwrap();
        let problem = faults.check().unwrap_err();
        let found: Vec<(&str, &str)> = problem
            .errors
            .iter()
            .map(|fault| (fault.pointer.as_str(), fault.code.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("/2/Buchung", "invalid_date"),
                ("/3/Betrag", "invalid_amount"),
                ("/4/Buchung", "invalid_date")
            ]
        );
        let missing = read(b"Datum;Name\n", &format(json!({})), &mut Faults::default()).unwrap_err();
        assert_eq!((missing.code.as_str(), missing.errors.len()), ("missing_column", 3));
    }
}
