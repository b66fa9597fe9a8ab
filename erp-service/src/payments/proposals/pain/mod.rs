//! pain.001.001.09: the customer credit transfer initiation of ISO 20022, as banks take it since November 2025.
//!
//! One message; in it a block for each currency; in the block a transfer for each supplier. Texts have only the characters
//! that every bank takes (`text`), in the lengths of the SEPA guidelines. Transfers in euro are SEPA transfers with
//! shared charges; others are not.

mod text;
mod xml;

use super::execute::{self, remittance};
use super::model::{PaymentProposalStatus, ProposedPaymentStatus};
use super::queries::{self, Stored};
use crate::company;
use crate::payments::bank_accounts::{self, BankAccount};
use crate::schema::payments;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use service_kit::{Currency, Error, Problem, Result};
use std::collections::HashMap;
use text::plain;
use uuid::Uuid;
use xml::Xml;

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/// One supplier's money.
struct Transfer {
    end_to_end_id: String,
    amount: Decimal,
    name: String,
    iban: String,
    bic: Option<String>,
    remittance: String,
}

/// Transfers in one currency.
struct Block {
    currency: Currency,
    transfers: Vec<Transfer>,
}

impl Block {
    fn sum(&self) -> Decimal {
        self.transfers.iter().map(|transfer| transfer.amount).sum()
    }
}

/// The file of a proposal.
///
/// # Errors
/// 404; 409 `not_approved`, `bank_details_changed`, `no_bank_details`, `nothing_to_pay`.
pub(super) fn file(conn: &mut PgConnection, id: Uuid) -> Result<String> {
    let stored = queries::load(conn, id)?;
    if !matches!(
        stored.row.status,
        PaymentProposalStatus::Approved | PaymentProposalStatus::Executed
    ) {
        let detail = format!(
            "a file is made of what is approved; the proposal is {}",
            stored.row.status
        );
        return Err(Problem::conflict("not_approved", detail).into());
    }
    if !queries::changed_bank_details(conn, &stored)?.is_empty() {
        let detail = "bank details changed after the approval: it has to be approved again";
        return Err(Problem::conflict("bank_details_changed", detail).into());
    }
    let bank = bank_accounts::find(conn, stored.row.bank_account_id)?;
    if bank.iban.is_none() && bank.account_number.is_none() {
        let detail = "the bank account has neither an IBAN nor a number";
        return Err(Problem::conflict("no_bank_details", detail).into());
    }
    let blocks = blocks(conn, &stored)?;
    if blocks.is_empty() {
        return Err(Problem::conflict("nothing_to_pay", "nothing is left of it to pay").into());
    }
    let debtor = plain(&company::settings(conn)?.name, 70);
    let on = stored.row.executed_on.unwrap_or(stored.row.pay_date);
    // The same proposal gives the same file.
    let made = stored.row.updated_at;
    message(&stored.row.number, (made, on), &debtor, &bank, &blocks)
        .map_err(|error| Error::Bug(format!("the file cannot be written: {error}")))
}

fn blocks(conn: &mut PgConnection, stored: &Stored) -> Result<Vec<Block>> {
    let executed = stored.row.status == PaymentProposalStatus::Executed;
    let made = match executed {
        true => stood(conn, stored)?,
        false => HashMap::new(),
    };
    let mut blocks: Vec<Block> = Vec::new();
    let mut put = |currency: Currency, transfer: Transfer| match blocks.iter_mut().find(|b| b.currency == currency) {
        Some(block) => block.transfers.push(transfer),
        None => blocks.push(Block {
            currency,
            transfers: vec![transfer],
        }),
    };
    if executed {
        for payment in stored.payments.iter() {
            let Some((number, reference)) = made.get(&payment.id) else {
                continue;
            };
            let transfer = Transfer {
                end_to_end_id: plain(number, 35),
                amount: payment.amount,
                name: plain(payment.account_holder.as_deref().unwrap_or_default(), 70),
                iban: payment.iban.clone().unwrap_or_default(),
                bic: payment.bic.clone(),
                remittance: plain(reference.as_deref().unwrap_or_default(), 140),
            };
            put(payment.currency, transfer);
        }
        return Ok(blocks);
    }
    for current in execute::current(stored, stored.row.pay_date) {
        let payment = &current.payment;
        if payment.status != ProposedPaymentStatus::Planned {
            continue;
        }
        let parts: Vec<_> = current.parts().collect();
        let transfer = Transfer {
            end_to_end_id: plain(&format!("{}-{}", stored.row.number, payment.position), 35),
            amount: payment.amount,
            name: plain(payment.account_holder.as_deref().unwrap_or_default(), 70),
            iban: payment.iban.clone().unwrap_or_default(),
            bic: payment.bic.clone(),
            remittance: plain(&remittance(&parts, 140), 140),
        };
        put(payment.currency, transfer);
    }
    Ok(blocks)
}

/// Numbers and references of the payments that came of it and were not reversed.
fn stood(conn: &mut PgConnection, stored: &Stored) -> Result<HashMap<Uuid, (String, Option<String>)>> {
    let ids: Vec<Uuid> = stored
        .payments
        .iter()
        .filter_map(|payment| payment.payment_id)
        .collect();
    let found: Vec<(Uuid, Option<String>, Option<String>)> = payments::table
        .filter(payments::id.eq_any(ids).and(payments::reversed_on.is_null()))
        .select((payments::id, payments::number, payments::reference))
        .load(conn)?;
    let named = found
        .into_iter()
        .filter_map(|(id, number, reference)| Some((id, (number?, reference))));
    Ok(named.collect())
}

fn message(
    number: &str,
    (made, on): (DateTime<Utc>, NaiveDate),
    debtor: &str,
    bank: &BankAccount,
    blocks: &[Block],
) -> std::io::Result<String> {
    let count: usize = blocks.iter().map(|block| block.transfers.len()).sum();
    let all: Decimal = blocks.iter().map(Block::sum).sum();
    let mut xml = Xml::new(NAMESPACE)?;
    xml.element("CstmrCdtTrfInitn", |xml| {
        xml.element("GrpHdr", |xml| {
            xml.text("MsgId", &plain(number, 35))?;
            xml.text("CreDtTm", &made.to_rfc3339_opts(SecondsFormat::Secs, true))?;
            xml.text("NbOfTxs", &count.to_string())?;
            // Of all currencies, as the standard has it.
            xml.text("CtrlSum", &digits(all))?;
            xml.element("InitgPty", |xml| xml.text("Nm", debtor))
        })?;
        for block in blocks {
            payment_information(xml, number, on, debtor, bank, block)?;
        }
        Ok(())
    })?;
    xml.end()
}

fn payment_information(
    xml: &mut Xml,
    number: &str,
    on: NaiveDate,
    debtor: &str,
    bank: &BankAccount,
    block: &Block,
) -> std::io::Result<()> {
    let euro = block.currency.code() == "EUR";
    xml.element("PmtInf", |xml| {
        xml.text("PmtInfId", &plain(&format!("{number}-{}", block.currency), 35))?;
        xml.text("PmtMtd", "TRF")?;
        // Each transfer is a line of its own on the statement.
        xml.text("BtchBookg", "false")?;
        xml.text("NbOfTxs", &block.transfers.len().to_string())?;
        xml.text("CtrlSum", &digits(block.sum()))?;
        if euro {
            xml.element("PmtTpInf", |xml| xml.element("SvcLvl", |xml| xml.text("Cd", "SEPA")))?;
        }
        xml.element("ReqdExctnDt", |xml| xml.text("Dt", &on.to_string()))?;
        xml.element("Dbtr", |xml| xml.text("Nm", debtor))?;
        xml.element("DbtrAcct", |xml| {
            xml.element("Id", |xml| match (&bank.iban, &bank.account_number) {
                (Some(iban), _) => xml.text("IBAN", iban),
                (None, number) => {
                    let number = plain(number.as_deref().unwrap_or_default(), 34);
                    xml.element("Othr", |xml| xml.text("Id", &number))
                }
            })?;
            xml.text("Ccy", bank.currency.code())
        })?;
        xml.element("DbtrAgt", |xml| agent(xml, bank.bic.as_deref()))?;
        xml.text("ChrgBr", if euro { "SLEV" } else { "SHAR" })?;
        block
            .transfers
            .iter()
            .try_for_each(|transfer| credit_transfer(xml, block.currency, transfer))
    })
}

fn credit_transfer(xml: &mut Xml, currency: Currency, transfer: &Transfer) -> std::io::Result<()> {
    xml.element("CdtTrfTxInf", |xml| {
        xml.element("PmtId", |xml| xml.text("EndToEndId", &transfer.end_to_end_id))?;
        xml.element("Amt", |xml| {
            xml.text_with("InstdAmt", ("Ccy", currency.code()), &digits(transfer.amount))
        })?;
        if let Some(bic) = &transfer.bic {
            xml.element("CdtrAgt", |xml| agent(xml, Some(bic)))?;
        }
        xml.element("Cdtr", |xml| xml.text("Nm", &transfer.name))?;
        xml.element("CdtrAcct", |xml| {
            xml.element("Id", |xml| xml.text("IBAN", &transfer.iban))
        })?;
        match transfer.remittance.is_empty() {
            true => Ok(()),
            false => xml.element("RmtInf", |xml| xml.text("Ustrd", &transfer.remittance)),
        }
    })
}

/// A bank by its BIC; the guidelines have a word for one that is not known.
fn agent(xml: &mut Xml, bic: Option<&str>) -> std::io::Result<()> {
    xml.element("FinInstnId", |xml| match bic {
        Some(bic) => xml.text("BICFI", bic),
        None => xml.element("Othr", |xml| xml.text("Id", "NOTPROVIDED")),
    })
}

/// At least two digits after the point, and no more than there are.
fn digits(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount.to_string()
}
