use super::file::{self, ReadLine, ReadStatement};
use super::model::{BankStatement, ImportResult, ImportedStatement, StatementImport};
use super::{camt, csv};
use crate::payments::bank_accounts::{self, BankAccount};
use crate::schema::{bank_accounts as accounts, bank_statements};
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::http::Upload;
use service_kit::{Faults, OrNotFound, Problem, Result, Tx};
use uuid::Uuid;

/// Imports the statements of a file.
///
/// # Errors
/// 404; 400 `malformed_xml`, `malformed_csv`; 422 with every fault.
pub(super) fn import(tx: &mut Tx<'_>, account: Uuid, upload: &Upload) -> Result<StatementImport> {
    // One import of an account at a time: what is known is looked up before it is written.
    accounts::table
        .find(account)
        .for_no_key_update()
        .select(accounts::id)
        .first::<Uuid>(&mut **tx)
        .or_not_found("bank account")?;
    let bank = bank_accounts::find(tx, account)?;
    let mut faults = Faults::default();
    let found = match upload.media_type {
        "text/csv" => {
            let format = bank.csv_format.as_ref().ok_or_else(|| {
                Problem::rule(
                    "no_csv_format",
                    "give the bank account a csv_format that says which column holds what",
                )
            })?;
            let read = csv::read(&upload.bytes, &format.0, &mut faults)?;
            file::check_balance(&read, &mut faults);
            vec![read]
        }
        _ => camt::read(&upload.bytes, &mut faults)?,
    };
    for statement in &found {
        refuse_other_account(&bank, statement, &mut faults);
    }
    faults.check()?;
    let mut statements = Vec::with_capacity(found.len());
    for statement in &found {
        statements.push(store(tx, &bank, statement)?);
    }
    Ok(StatementImport { statements })
}

fn refuse_other_account(bank: &BankAccount, statement: &ReadStatement, faults: &mut Faults) {
    let plain = |number: &str| number.replace(' ', "").to_uppercase();
    let known: Vec<String> = [&bank.iban, &bank.account_number]
        .into_iter()
        .flatten()
        .map(|n| plain(n))
        .collect();
    if let Some(number) = &statement.account
        && !known.is_empty()
        && !known.contains(&plain(number))
    {
        let detail = format!("the statement is of the account {number}");
        faults.add(format!("{}/Acct", statement.pointer), "other_account", detail);
    }
    if statement.currency.is_some_and(|currency| currency != bank.currency) {
        let detail = format!("the bank account is in {}", bank.currency);
        faults.add(format!("{}/Acct/Ccy", statement.pointer), "wrong_currency", detail);
    }
    for line in &statement.lines {
        if bank.currency.round(line.amount) != line.amount || line.amount.abs() >= Decimal::from(10_000_000_000_000_i64)
        {
            let digits = bank.currency.minor_digits();
            let detail = format!("too large, or more than {digits} digits after the point");
            faults.add(format!("{}/Amt", line.pointer), "out_of_range", detail);
        }
    }
}

fn store(tx: &mut Tx<'_>, bank: &BankAccount, read: &ReadStatement) -> Result<ImportedStatement> {
    let known: Option<Uuid> = bank_statements::table
        .filter(bank_statements::bank_account_id.eq(bank.id))
        .filter(bank_statements::identification.eq(&read.identification))
        .select(bank_statements::id)
        .first(&mut **tx)
        .optional()?;
    let mut report = ImportedStatement {
        identification: read.identification.clone(),
        result: ImportResult::Repeated,
        statement_id: known,
        lines_imported: 0,
        lines_repeated: Vec::new(),
        pending_skipped: read.pending,
    };
    if known.is_some() {
        return Ok(report);
    }
    let fingerprints = file::fingerprints(&read.lines);
    let repeated = known_of(tx, bank.id, &fingerprints)?;
    let fresh: Vec<(&ReadLine, &String)> = read
        .lines
        .iter()
        .zip(&fingerprints)
        .filter(|(_, print)| !repeated.contains(*print))
        .collect();
    let of_repeated = read
        .lines
        .iter()
        .zip(&fingerprints)
        .filter(|(_, print)| repeated.contains(*print));
    report.lines_repeated = of_repeated.map(|(line, _)| line.pointer.clone()).take(500).collect();
    report.lines_imported = fresh.len();
    report.result = ImportResult::Imported;
    let statement: BankStatement = diesel::insert_into(bank_statements::table)
        .values((
            bank_statements::id.eq(Uuid::now_v7()),
            bank_statements::bank_account_id.eq(bank.id),
            bank_statements::identification.eq(&read.identification),
            bank_statements::format.eq(read.format),
            bank_statements::from_date.eq(read.lines.iter().map(|line| line.booked_on).min()),
            bank_statements::to_date.eq(read.lines.iter().map(|line| line.booked_on).max()),
            bank_statements::currency.eq(bank.currency),
            bank_statements::opening_balance.eq(read.opening_balance),
            bank_statements::closing_balance.eq(read.closing_balance),
            bank_statements::line_count.eq(i32::try_from(fresh.len()).unwrap_or(i32::MAX)),
            bank_statements::created_at.eq(tx.now()),
        ))
        .returning(BankStatement::as_returning())
        .get_result(&mut **tx)?;
    report.statement_id = Some(statement.id);
    insert_lines(tx, &statement, &fresh)?;
    tx.audit(None, &statement.shown())?;
    Ok(report)
}

fn known_of(tx: &mut Tx<'_>, bank: Uuid, fingerprints: &[String]) -> Result<std::collections::HashSet<String>> {
    #[derive(diesel::QueryableByName)]
    struct Known {
        #[diesel(sql_type = Text)]
        fingerprint: String,
    }
    let known: Vec<Known> =
        sql("SELECT fingerprint FROM bank_statement_lines WHERE bank_account_id = $1 AND fingerprint = ANY($2)")
            .bind::<SqlUuid, _>(bank)
            .bind::<Array<Text>, _>(fingerprints.to_vec())
            .rows(tx)?;
    Ok(known.into_iter().map(|known| known.fingerprint).collect())
}

fn insert_lines(tx: &mut Tx<'_>, statement: &BankStatement, lines: &[(&ReadLine, &String)]) -> Result<()> {
    let text =
        |of: fn(&ReadLine) -> &Option<String>| lines.iter().map(|(line, _)| of(line).clone()).collect::<Vec<_>>();
    sql("INSERT INTO bank_statement_lines (statement_id, bank_account_id, currency, created_at, updated_at, id, position, fingerprint, booked_on,
            value_on, amount, counterparty_name, counterparty_iban, reference, end_to_end_id, bank_reference, transaction_code)
         SELECT $1, $2, $3, $4, $5, * FROM unnest($6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)")
        .bind::<SqlUuid, _>(statement.id)
        .bind::<SqlUuid, _>(statement.bank_account_id)
        .bind::<Text, _>(statement.currency.code())
        .bind::<Timestamptz, _>(tx.now())
        .bind::<Timestamptz, _>(tx.now())
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>((1..).zip(lines).map(|(position, _)| position).collect::<Vec<i32>>())
        .bind::<Array<Text>, _>(lines.iter().map(|(_, print)| (*print).clone()).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(lines.iter().map(|(line, _)| line.booked_on).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(lines.iter().map(|(line, _)| line.value_on).collect::<Vec<_>>())
        .bind::<Array<Numeric>, _>(lines.iter().map(|(line, _)| line.amount).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(text(|line| &line.counterparty_name))
        .bind::<Array<Nullable<Text>>, _>(text(|line| &line.counterparty_iban))
        .bind::<Array<Nullable<Text>>, _>(text(|line| &line.reference))
        .bind::<Array<Nullable<Text>>, _>(text(|line| &line.end_to_end_id))
        .bind::<Array<Nullable<Text>>, _>(text(|line| &line.bank_reference))
        .bind::<Array<Nullable<Text>>, _>(text(|line| &line.transaction_code))
        .run(tx)?;
    Ok(())
}
