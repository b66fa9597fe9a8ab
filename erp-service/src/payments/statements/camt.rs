//! CAMT.053: bank to customer statement (ISO 20022), versions camt.053.001.02 to .08 and whatever keeps their elements.
//!
//! The file is read element by element; only one entry at a time is held as a tree. Namespaces and prefixes do not
//! matter, local names do.

use super::file::{MOST_LINES, ReadLine, ReadStatement, bounded};
use chrono::{DateTime, NaiveDate};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use rust_decimal::Decimal;
use service_kit::{Amount, Faults, Problem};
use std::str::FromStr;

const DEEPEST: usize = 40;

/// An element with its children.
#[derive(Debug, Default)]
struct Node {
    name: String,
    currency: Option<String>,
    text: String,
    children: Vec<Node>,
}

impl Node {
    fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first that is found down this path.
    fn at(&self, path: &str) -> Option<&Node> {
        path.split('/').try_fold(self, |node, name| node.child(name))
    }

    fn text_at(&self, path: &str) -> Option<&str> {
        self.at(path)
            .map(|node| node.text.trim())
            .filter(|text| !text.is_empty())
    }
}

/// Reads every statement of a file. Faults point at the elements.
///
/// # Errors
/// 400 `malformed_xml`; 422 `not_camt053`.
pub fn read(bytes: &[u8], faults: &mut Faults) -> Result<Vec<ReadStatement>, Problem> {
    let text = decoded(bytes)?;
    let mut reader = Reader::from_str(&text);
    let mut open: Vec<Node> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut found = Found::default();
    loop {
        let event = reader.read_event().map_err(|error| malformed(&error.to_string()))?;
        match event {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                if path.len() > DEEPEST {
                    return Err(malformed("elements are nested too deep"));
                }
                begin(&start, &path, &mut open, &mut found)?;
            }
            Event::Empty(start) => {
                path.push(start.local_name().as_ref().to_owned());
                begin(&start, &path, &mut open, &mut found)?;
                end(&mut path, &mut open, &mut found, faults)?;
            }
            Event::End(_) => end(&mut path, &mut open, &mut found, faults)?,
            Event::Text(text) => push_text(&mut open, &text.xml10_content()),
            Event::CData(text) => push_text(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => {
                let resolved = reference
                    .resolve_char_ref()
                    .map_err(|error| malformed(&error.to_string()))?;
                let name = reference.xml10_content();
                match (resolved, resolve_predefined_entity(&name)) {
                    (Some(c), _) => push_text(&mut open, c.encode_utf8(&mut [0; 4])),
                    (None, Some(text)) => push_text(&mut open, text),
                    (None, None) => return Err(malformed("entities of its own are not read")),
                }
            }
            Event::DocType(_) => return Err(malformed("a document type is not read")),
            Event::Eof if path.is_empty() => break,
            Event::Eof => return Err(malformed("it ends early")),
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
        }
    }
    if found.statements.is_empty() {
        let detail = "there is no BkToCstmrStmt/Stmt in the file: it is no bank statement of CAMT.053";
        return Err(Problem::rule("not_camt053", detail));
    }
    Ok(found.statements)
}

fn decoded(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, Problem> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let label = head
        .split_once("encoding=")
        .filter(|_| head.trim_start_matches('\u{feff}').starts_with("<?xml"))
        .and_then(|(_, rest)| rest.get(1..)?.split(['"', '\'']).next().map(str::to_owned));
    let encoding = match &label {
        None => encoding_rs::UTF_8,
        Some(label) => {
            encoding_rs::Encoding::for_label(label.as_bytes()).ok_or_else(|| malformed("its encoding is not known"))?
        }
    };
    let (text, _, broken) = encoding.decode(bytes);
    match broken || text.contains('\0') {
        true => Err(malformed("it is not text in its encoding")),
        false => Ok(text),
    }
}

fn malformed(why: &str) -> Problem {
    let why: String = why.chars().take(200).collect();
    Problem::bad_request("malformed_xml", format!("the file is not XML that can be read: {why}"))
}

#[derive(Default)]
struct Found {
    statements: Vec<ReadStatement>,
    entries: usize,
    lines: usize,
}

/// Position of the statement's own children.
const CHILD: usize = 4;

fn in_statement(path: &[String]) -> bool {
    path.len() >= 3 && path[1] == "BkToCstmrStmt" && path[2] == "Stmt"
}

fn begin(start: &BytesStart<'_>, path: &[String], open: &mut Vec<Node>, found: &mut Found) -> Result<(), Problem> {
    if path.len() == 3 && in_statement(path) {
        found.entries = 0;
        found.statements.push(ReadStatement {
            identification: String::new(),
            format: "camt.053",
            account: None,
            currency: None,
            opening_balance: None,
            closing_balance: None,
            lines: Vec::new(),
            pending: 0,
            pointer: format!("/Document/BkToCstmrStmt/Stmt[{}]", found.statements.len() + 1),
        });
    }
    if path.len() >= CHILD && in_statement(path) {
        let currency = start
            .try_get_attribute("Ccy")
            .map_err(|error| malformed(&error.to_string()))?
            .map(|attribute| attribute.value.into_owned());
        open.push(Node {
            name: path.last().cloned().unwrap_or_default(),
            currency,
            ..Node::default()
        });
    }
    Ok(())
}

fn end(path: &mut Vec<String>, open: &mut Vec<Node>, found: &mut Found, faults: &mut Faults) -> Result<(), Problem> {
    if let Some(node) = open.pop() {
        match open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => taken(node, found, faults)?,
        }
    } else if path.len() == 3 && in_statement(path) {
        closed(found, faults);
    }
    path.pop();
    Ok(())
}

fn push_text(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}

/// A child of a statement is complete.
fn taken(node: Node, found: &mut Found, faults: &mut Faults) -> Result<(), Problem> {
    let Some(statement) = found.statements.last_mut() else {
        return Ok(());
    };
    match node.name.as_str() {
        "Id" => statement.identification = bounded(&node.text, 100).unwrap_or_default(),
        "Acct" => {
            let number = node.text_at("Id/IBAN").or_else(|| node.text_at("Id/Othr/Id"));
            statement.account = number.and_then(|number| bounded(number, 40));
            statement.currency = node.text_at("Ccy").and_then(|code| code.parse().ok());
        }
        "Bal" => balance(&node, statement, faults),
        "Ntry" => {
            found.entries += 1;
            let pointer = format!("{}/Ntry[{}]", statement.pointer, found.entries);
            let before = statement.lines.len();
            entry(&node, &pointer, statement, faults);
            found.lines += statement.lines.len() - before;
            if found.lines > MOST_LINES {
                return Err(Problem::rule(
                    "too_many_lines",
                    format!("a file has at most {MOST_LINES} lines"),
                ));
            }
        }
        _ => {}
    }
    Ok(())
}

fn closed(found: &Found, faults: &mut Faults) {
    if let Some(statement) = found.statements.last() {
        if statement.identification.is_empty() {
            faults.add(
                format!("{}/Id", statement.pointer),
                "required",
                "a statement has an identification",
            );
        }
        super::file::check_balance(statement, faults);
    }
}

fn balance(node: &Node, statement: &mut ReadStatement, faults: &mut Faults) {
    let code = node.text_at("Tp/CdOrPrtry/Cd").unwrap_or_default();
    let pointer = format!("{}/Bal[{code}]", statement.pointer);
    // Where several days are in one statement, the first opening and the last closing balance count.
    match code {
        "OPBD" | "PRCD" if statement.opening_balance.is_none() => {
            statement.opening_balance = signed(node, &pointer, statement, faults);
        }
        "CLBD" => statement.closing_balance = signed(node, &pointer, statement, faults),
        _ => {}
    }
}

/// The element's amount with its sign, in the currency of the account.
fn signed(node: &Node, pointer: &str, statement: &mut ReadStatement, faults: &mut Faults) -> Option<Decimal> {
    let amount = node.child("Amt")?;
    let value = match Amount::from_str(amount.text.trim()) {
        Ok(value) if !value.value().is_sign_negative() => value.value(),
        _ => {
            let detail = format!(
                "{:?} is not an amount",
                amount.text.trim().chars().take(40).collect::<String>()
            );
            faults.add(format!("{pointer}/Amt"), "invalid_amount", detail);
            return None;
        }
    };
    if let Some(code) = amount.currency.as_deref() {
        match (code.parse(), statement.currency) {
            (Ok(currency), None) => statement.currency = Some(currency),
            (Ok(currency), Some(known)) if currency == known => {}
            _ => {
                let detail = format!(
                    "{} is not the currency of the account",
                    code.chars().take(10).collect::<String>()
                );
                faults.add(format!("{pointer}/Amt/@Ccy"), "wrong_currency", detail);
            }
        }
    }
    match node.text_at("CdtDbtInd") {
        Some("CRDT") => Some(value),
        Some("DBIT") => Some(-value),
        _ => {
            faults.add(format!("{pointer}/CdtDbtInd"), "unknown_value", "expected CRDT or DBIT");
            None
        }
    }
}

fn date(node: Option<&Node>) -> Option<NaiveDate> {
    let node = node?;
    let day = node.text_at("Dt").and_then(|text| text.get(..10)?.parse().ok());
    let instant = || {
        DateTime::parse_from_rfc3339(node.text_at("DtTm")?)
            .ok()
            .map(|at| at.date_naive())
    };
    day.or_else(instant)
        .or_else(|| node.text_at("DtTm")?.get(..10)?.parse().ok())
}

/// One line, or one for each transaction of a batch that the bank itemises.
fn entry(node: &Node, pointer: &str, statement: &mut ReadStatement, faults: &mut Faults) {
    // A text until version 3, then a code.
    let status = node.text_at("Sts/Cd").or_else(|| node.text_at("Sts"));
    if matches!(status, Some("PDNG" | "INFO" | "FUTR")) {
        statement.pending += 1;
        return;
    }
    let amount = match node.child("Amt") {
        Some(_) => signed(node, pointer, statement, faults),
        None => {
            faults.add(format!("{pointer}/Amt"), "required", "an entry has an amount");
            None
        }
    };
    let booked_on = date(node.child("BookgDt")).or_else(|| date(node.child("ValDt")));
    if booked_on.is_none() {
        faults.add(format!("{pointer}/BookgDt"), "required", "an entry has a booking date");
    }
    let (Some(amount), Some(booked_on)) = (amount, booked_on) else {
        return;
    };
    if amount.is_zero() {
        return;
    }
    let line = ReadLine {
        booked_on,
        value_on: date(node.child("ValDt")),
        amount,
        bank_reference: node.text_at("AcctSvcrRef").and_then(|text| bounded(text, 100)),
        reference: node.text_at("AddtlNtryInf").and_then(|text| bounded(text, 1_000)),
        transaction_code: code(node),
        pointer: pointer.to_owned(),
        ..ReadLine::default()
    };
    let details: Vec<&Node> = node.all("NtryDtls").flat_map(|details| details.all("TxDtls")).collect();
    let parts: Option<Vec<Decimal>> = details.iter().map(|details| part(details, amount)).collect();
    match parts {
        Some(parts) if details.len() > 1 && parts.iter().sum::<Decimal>() == amount => {
            for (index, (details, part)) in details.iter().zip(parts).enumerate() {
                let own = details.text_at("Refs/AcctSvcrRef").and_then(|text| bounded(text, 100));
                let of_batch = line
                    .bank_reference
                    .as_ref()
                    .map(|batch| format!("{batch}/{}", index + 1));
                let itemised = ReadLine {
                    amount: part,
                    // One that all share says nothing about this one.
                    bank_reference: own.filter(|own| Some(own) != line.bank_reference.as_ref()).or(of_batch),
                    pointer: format!("{pointer}/NtryDtls/TxDtls[{}]", index + 1),
                    ..line.clone()
                };
                statement.lines.push(detailed(details, itemised));
            }
        }
        _ => {
            let line = match details.first() {
                Some(details) => detailed(details, line),
                None => line,
            };
            statement.lines.push(line);
        }
    }
}

fn code(node: &Node) -> Option<String> {
    let domain = node.text_at("BkTxCd/Domn/Cd").map(|domain| {
        let family = node.text_at("BkTxCd/Domn/Fmly/Cd").unwrap_or_default();
        let sub = node.text_at("BkTxCd/Domn/Fmly/SubFmlyCd").unwrap_or_default();
        format!("{domain}/{family}/{sub}")
    });
    let own = || node.text_at("BkTxCd/Prtry/Cd").map(str::to_owned);
    domain.or_else(own).and_then(|code| bounded(&code, 60))
}

/// The amount of a transaction of a batch, with the batch's sign unless it says otherwise.
fn part(details: &Node, whole: Decimal) -> Option<Decimal> {
    let amount = details
        .child("Amt")
        .or_else(|| details.at("AmtDtls/TxAmt/Amt"))
        .and_then(|amount| Amount::from_str(amount.text.trim()).ok())?
        .value();
    Some(match details.text_at("CdtDbtInd") {
        Some("CRDT") => amount,
        Some("DBIT") => -amount,
        _ if whole.is_sign_negative() => -amount,
        _ => amount,
    })
}

fn detailed(details: &Node, line: ReadLine) -> ReadLine {
    // Who stands on the other side: the debtor of what came in, the creditor of what went out.
    let (party, account, ultimate) = match line.amount.is_sign_negative() {
        false => ("Dbtr", "DbtrAcct", "UltmtDbtr"),
        true => ("Cdtr", "CdtrAcct", "UltmtCdtr"),
    };
    let parties = details.child("RltdPties");
    let name = |of: &str| {
        let party = parties?.child(of)?;
        // Version 8 puts the party one level deeper.
        party
            .text_at("Nm")
            .or_else(|| party.text_at("Pty/Nm"))
            .and_then(|text| bounded(text, 200))
    };
    let iban = || {
        let account = parties?.child(account)?;
        account
            .text_at("Id/IBAN")
            .or_else(|| account.text_at("Id/Othr/Id"))
            .and_then(|text| bounded(&text.replace(' ', ""), 40))
    };
    let given = |path: &str| {
        details
            .text_at(path)
            .filter(|text| *text != "NOTPROVIDED")
            .and_then(|text| bounded(text, 100))
    };
    ReadLine {
        counterparty_name: name(party).or_else(|| name(ultimate)),
        counterparty_iban: iban(),
        reference: remittance(details).or(line.reference.clone()),
        end_to_end_id: given("Refs/EndToEndId"),
        bank_reference: line.bank_reference.clone().or_else(|| given("Refs/AcctSvcrRef")),
        transaction_code: code(details).or(line.transaction_code.clone()),
        ..line
    }
}

fn remittance(details: &Node) -> Option<String> {
    let info = details.child("RmtInf");
    let mut words: Vec<&str> = Vec::new();
    if let Some(info) = info {
        words.extend(info.all("Ustrd").map(|node| node.text.trim()));
        for structured in info.all("Strd") {
            words.extend(structured.text_at("CdtrRefInf/Ref"));
            words.extend(
                structured
                    .all("RfrdDocInf")
                    .filter_map(|document| document.text_at("Nb")),
            );
            words.extend(structured.all("AddtlRmtInf").map(|node| node.text.trim()));
        }
    }
    if words.is_empty() {
        words.extend(details.text_at("AddtlTxInf"));
    }
    bounded(&words.join(" "), 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(body: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt>
             <GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>S1</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>{body}</Stmt></BkToCstmrStmt></Document>"
        )
    }

    fn read_one(body: &str) -> (Vec<ReadStatement>, Faults) {
        let mut faults = Faults::default();
        let found = read(statement(body).as_bytes(), &mut faults).unwrap();
        (found, faults)
    }

    #[test]
    fn a_batch_is_itemised_and_names_are_found_in_both_places() {
        let (found, faults) = read_one(
            "<Ntry><Amt Ccy=\"EUR\">30.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-03-10</Dt></BookgDt>
             <AcctSvcrRef>B7</AcctSvcrRef><NtryDtls>
             <TxDtls><Amt Ccy=\"EUR\">10.00</Amt><RltdPties><Dbtr><Pty><Nm>A &amp; B</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>NL91 ABNA 0417 1643 00</IBAN></Id></DbtrAcct></RltdPties>
             <RmtInf><Ustrd>Invoice</Ustrd><Ustrd>A-1</Ustrd></RmtInf><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs></TxDtls>
             <TxDtls><AmtDtls><TxAmt><Amt Ccy=\"EUR\">20.00</Amt></TxAmt></AmtDtls><RltdPties><Dbtr><Nm>C</Nm></Dbtr></RltdPties>
             <RmtInf><Strd><CdtrRefInf><Ref>RF18A2</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls></Ntry>",
        );
        assert!(faults.is_empty());
        let lines = &found[0].lines;
        assert_eq!(
            (lines.len(), lines[0].amount, lines[1].amount),
            (2, 10.into(), 20.into())
        );
        assert_eq!(lines[0].counterparty_name.as_deref(), Some("A & B"));
        assert_eq!(lines[0].counterparty_iban.as_deref(), Some("NL91ABNA0417164300"));
        assert_eq!(
            (lines[0].reference.as_deref(), lines[0].end_to_end_id.as_deref()),
            (Some("Invoice A-1"), None)
        );
        assert_eq!(
            (lines[1].reference.as_deref(), lines[1].bank_reference.as_deref()),
            (Some("RF18A2"), Some("B7/2"))
        );
    }

    #[test]
    fn pending_entries_are_left_out_and_faults_are_all_named() {
        let (found, faults) = read_one(
            "<Ntry><Amt Ccy=\"EUR\">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts><BookgDt><Dt>2026-03-10</Dt></BookgDt></Ntry>
             <Ntry><Amt Ccy=\"USD\">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts></Ntry>
             <Ntry><Amt Ccy=\"EUR\">1,00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><DtTm>2026-03-10T23:30:00+01:00</DtTm></BookgDt></Ntry>",
        );
        assert_eq!((found[0].pending, found[0].lines.len()), (1, 0));
        let problem = faults.check().unwrap_err();
        let codes: Vec<&str> = problem.errors.iter().map(|fault| fault.code.as_str()).collect();
        assert_eq!(codes, ["wrong_currency", "required", "invalid_amount"]);
        assert_eq!(problem.errors[2].pointer, "/Document/BkToCstmrStmt/Stmt[1]/Ntry[3]/Amt");
    }

    #[test]
    fn what_is_no_statement_is_refused() {
        let refused = |text: &str| read(text.as_bytes(), &mut Faults::default()).unwrap_err().code;
        assert_eq!(refused("<a><b></a>"), "malformed_xml");
        assert_eq!(refused("<Document><BkToCstmrStmt>"), "malformed_xml");
        assert_eq!(refused("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>"), "malformed_xml");
        assert_eq!(refused("<Document/>"), "not_camt053");
        assert_eq!(refused(""), "not_camt053");
        assert_eq!(refused(&"<a>".repeat(50)), "malformed_xml");
        let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Document><x>\xe4</x></Document>";
        assert_eq!(read(latin, &mut Faults::default()).unwrap_err().code, "not_camt053");
    }
}
