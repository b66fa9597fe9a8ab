use super::model::{
    PaymentPlanRow, PaymentProposal, PaymentProposalHead, PaymentProposalLine, PaymentProposalStatus,
    PaymentProposalsQuery, ProposalLineRow, ProposalLineStatus, ProposalLinesQuery, ProposalRow, ProposalTotal,
    ProposedPayment, ProposedPaymentStatus,
};
use crate::ledger::open_items::OpenItem;
use crate::payments::bank_accounts::{self, BankAccount};
use crate::payments::documents::shown;
use crate::purchasing::suppliers;
use crate::schema::{
    bank_accounts as banks, open_items, payment_proposal_lines as lines, payment_proposals as proposals,
    proposed_payments as payments,
};
use crate::{company, currencies};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Date, Numeric, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use service_kit::{Currency, OrNotFound, Page, Result, Tx, keyset_page};
use std::collections::HashMap;
use uuid::Uuid;

/// A proposal with its payments and lines, as stored.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub row: ProposalRow,
    pub payments: Vec<PaymentPlanRow>,
    pub lines: Vec<(ProposalLineRow, OpenItem)>,
}

impl Stored {
    pub fn lines_of(&self, payment: Uuid) -> impl Iterator<Item = &(ProposalLineRow, OpenItem)> {
        self.lines
            .iter()
            .filter(move |(line, _)| line.proposed_payment_id == payment)
    }

    pub fn planned(&self) -> impl Iterator<Item = &PaymentPlanRow> {
        self.payments
            .iter()
            .filter(|payment| payment.status == ProposedPaymentStatus::Planned)
    }
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    row: &ProposalRow,
    planned: &[PaymentPlanRow],
    made: &[ProposalLineRow],
) -> Result<()> {
    diesel::insert_into(proposals::table).values(row).execute(&mut **tx)?;
    // A statement takes so many parameters.
    for some in planned.chunks(1000) {
        diesel::insert_into(payments::table).values(some).execute(&mut **tx)?;
    }
    for some in made.chunks(1000) {
        diesel::insert_into(lines::table).values(some).execute(&mut **tx)?;
    }
    Ok(())
}

/// # Errors
/// 404.
pub(super) fn load(conn: &mut PgConnection, id: Uuid) -> Result<Stored> {
    let row = proposals::table
        .find(id)
        .select(ProposalRow::as_select())
        .first(conn)
        .or_not_found("payment proposal")?;
    complete(conn, row)
}

/// The proposal, locked.
///
/// # Errors
/// 404.
pub(super) fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<Stored> {
    let row = proposals::table
        .find(id)
        .for_update()
        .select(ProposalRow::as_select())
        .first(&mut **tx)
        .or_not_found("payment proposal")?;
    complete(tx, row)
}

fn complete(conn: &mut PgConnection, row: ProposalRow) -> Result<Stored> {
    let payments = payments::table
        .filter(payments::proposal_id.eq(row.id))
        .order(payments::position)
        .select(PaymentPlanRow::as_select())
        .load(conn)?;
    let lines = lines::table
        .inner_join(open_items::table)
        .filter(lines::proposal_id.eq(row.id))
        .order(lines::position)
        .select((ProposalLineRow::as_select(), OpenItem::as_select()))
        .load(conn)?;
    Ok(Stored { row, payments, lines })
}

pub(super) fn find(conn: &mut PgConnection, id: Uuid) -> Result<PaymentProposal> {
    let stored = load(conn, id)?;
    view(conn, stored)
}

/// Suppliers whose bank details are not those that were approved.
pub(super) fn changed_bank_details(conn: &mut PgConnection, stored: &Stored) -> Result<Vec<Uuid>> {
    if stored.row.status != PaymentProposalStatus::Approved {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = stored.planned().map(|payment| payment.supplier_id).collect();
    let now = payees(conn, &ids)?;
    let mut changed: Vec<Uuid> = stored
        .planned()
        .filter(|payment| now.get(&payment.supplier_id) != Some(&payee(payment)))
        .map(|payment| payment.supplier_id)
        .collect();
    changed.dedup();
    Ok(changed)
}

/// IBAN, BIC and account holder.
pub(super) type Payee = (Option<String>, Option<String>, Option<String>);

fn payee(payment: &PaymentPlanRow) -> Payee {
    (
        payment.iban.clone(),
        payment.bic.clone(),
        payment.account_holder.clone(),
    )
}

/// Where the money of suppliers goes now.
pub(super) fn payees(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Payee>> {
    let mut found = HashMap::new();
    for supplier in suppliers::all_of(conn, ids)? {
        let holder = Some(supplier.payee().to_owned());
        found.insert(supplier.id, (supplier.iban, supplier.bic, holder));
    }
    Ok(found)
}

/// What the ledger has on the account of a bank account at the end of a day, in its currency.
fn balance(conn: &mut PgConnection, bank: &BankAccount, base: Currency, on: NaiveDate) -> Result<Decimal> {
    #[derive(QueryableByName)]
    struct Balance {
        #[diesel(sql_type = Numeric)]
        balance: Decimal,
    }
    let found: Balance = sql(
        "SELECT coalesce(sum(CASE WHEN $1 THEN debit - credit ELSE amount END), 0) AS balance
         FROM journal_entry_lines WHERE account_id = $2 AND posted_on <= $3",
    )
    .bind::<diesel::sql_types::Bool, _>(bank.currency == base)
    .bind::<SqlUuid, _>(bank.account_id)
    .bind::<Date, _>(on)
    .row(conn)?;
    Ok(found.balance)
}

/// The stored rows as answers show them.
pub(super) fn view(conn: &mut PgConnection, stored: Stored) -> Result<PaymentProposal> {
    let base = company::settings(conn)?.base_currency;
    let bank = bank_accounts::find(conn, stored.row.bank_account_id)?;
    let changed = changed_bank_details(conn, &stored)?;
    let ids: Vec<Uuid> = stored.payments.iter().map(|payment| payment.supplier_id).collect();
    let names = suppliers::names(conn, &ids)?;
    let counts = |payment: &PaymentPlanRow| {
        matches!(
            payment.status,
            ProposedPaymentStatus::Planned | ProposedPaymentStatus::Paid
        )
    };
    let mut totals: Vec<(Currency, i64, Decimal, Decimal)> = Vec::new();
    for payment in stored.payments.iter().filter(|payment| counts(payment)) {
        let discount: Decimal = stored.lines_of(payment.id).map(|(line, _)| line.discount).sum();
        match totals.iter_mut().find(|total| total.0 == payment.currency) {
            Some(total) => {
                total.1 += 1;
                total.2 += payment.amount;
                total.3 += discount;
            }
            None => totals.push((payment.currency, 1, payment.amount, discount)),
        }
    }
    let day = stored.row.executed_on.unwrap_or(stored.row.pay_date);
    let mut total = Decimal::ZERO;
    for (currency, _, amount, _) in &totals {
        total += in_currency(conn, *amount, (*currency, bank.currency), day)?;
    }
    let bank_balance = balance(conn, &bank, base, day)?;
    let left = match stored.row.status {
        PaymentProposalStatus::Executed | PaymentProposalStatus::Cancelled => bank_balance,
        _ => bank_balance - total,
    };
    let payments = stored.payments.iter().map(|payment| ProposedPayment {
        id: payment.id,
        supplier_id: payment.supplier_id,
        supplier_name: names.get(&payment.supplier_id).cloned().unwrap_or_default(),
        currency: payment.currency,
        amount: shown(payment.currency, payment.amount),
        status: payment.status,
        left_out: payment.reason,
        iban: payment.iban.clone(),
        bic: payment.bic.clone(),
        account_holder: payment.account_holder.clone(),
        payment_id: payment.payment_id,
        lines: stored
            .lines_of(payment.id)
            .cloned()
            .map(|(line, item)| shown_line(line, item))
            .collect(),
    });
    Ok(PaymentProposal {
        payments: payments.collect(),
        totals: totals
            .into_iter()
            .map(|(currency, payments, amount, discount)| ProposalTotal {
                currency,
                payments,
                amount: shown(currency, amount),
                discount: shown(currency, discount),
            })
            .collect(),
        total: shown(bank.currency, total),
        bank_balance: shown(bank.currency, bank_balance),
        balance_after: shown(bank.currency, left),
        allowed_actions: stored.row.status.allowed_actions(!changed.is_empty()).to_vec(),
        changed_bank_details: changed,
        head: stored.row.head(bank.currency, base),
    })
}

/// An amount in another currency at the rate of a day, or of the latest day that has passed.
pub(super) fn in_currency(
    conn: &mut PgConnection,
    amount: Decimal,
    (from, to): (Currency, Currency),
    day: NaiveDate,
) -> Result<Decimal> {
    if from == to {
        return Ok(amount);
    }
    let rate = currencies::rate(conn, from, to, day.min(Utc::now().date_naive()))?;
    Ok(currencies::convert(amount, rate, to)?)
}

fn shown_line(line: ProposalLineRow, item: OpenItem) -> PaymentProposalLine {
    PaymentProposalLine {
        id: line.id,
        open_item_id: line.open_item_id,
        supplier_id: item.party_id,
        document_type: item.document_type,
        document_id: item.document_id,
        document_number: line.document_number,
        currency: item.currency,
        due_on: item.due_on,
        discount_until: item.discount_until,
        status: line.status,
        reason: line.reason,
        left_out: line.left_out,
        explanation: line.explanation,
        open_amount: shown(item.currency, line.open_amount),
        amount: shown(item.currency, line.amount),
        discount: shown(item.currency, line.discount),
    }
}

pub(super) fn page(conn: &mut PgConnection, query: &PaymentProposalsQuery) -> Result<Page<PaymentProposalHead>> {
    let mut found = proposals::table.select(ProposalRow::as_select()).into_boxed();
    if let Some(status) = query.status {
        found = found.filter(proposals::status.eq(status));
    }
    if let Some(bank) = query.bank_account_id {
        found = found.filter(proposals::bank_account_id.eq(bank));
    }
    if let Some(supplier) = query.supplier_id {
        let of_supplier = payments::table
            .filter(payments::supplier_id.eq(supplier))
            .select(payments::proposal_id);
        found = found.filter(proposals::id.eq_any(of_supplier));
    }
    if let Some(from) = query.pay_date_from {
        found = found.filter(proposals::pay_date.ge(from));
    }
    if let Some(to) = query.pay_date_to {
        found = found.filter(proposals::pay_date.le(to));
    }
    let page: Result<Page<ProposalRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: proposals::id as Uuid => |p: &ProposalRow| p.id, [
        "created_at" => proposals::created_at as DateTime<Utc> => |p: &ProposalRow| p.created_at,
        "pay_date" => proposals::pay_date as NaiveDate => |p: &ProposalRow| p.pay_date,
    ]);
    let page = page?;
    let base = company::settings(conn)?.base_currency;
    let ids: Vec<Uuid> = page.items.iter().map(|row| row.bank_account_id).collect();
    let currencies: Vec<(Uuid, Currency)> = banks::table
        .filter(banks::id.eq_any(ids))
        .select((banks::id, banks::currency))
        .load(conn)?;
    let currencies: HashMap<Uuid, Currency> = currencies.into_iter().collect();
    Ok(page.map(|row| {
        let currency = currencies.get(&row.bank_account_id).copied().unwrap_or(base);
        row.head(currency, base)
    }))
}

pub(super) fn page_of_lines(conn: &mut PgConnection, query: &ProposalLinesQuery) -> Result<Page<PaymentProposalLine>> {
    type Row = (ProposalLineRow, OpenItem);
    let mut found = lines::table
        .inner_join(open_items::table)
        .select((ProposalLineRow::as_select(), OpenItem::as_select()))
        .into_boxed();
    if let Some(proposal) = query.proposal_id {
        found = found.filter(lines::proposal_id.eq(proposal));
    }
    if let Some(supplier) = query.supplier_id {
        found = found.filter(open_items::party_id.eq(supplier));
    }
    if let Some(item) = query.open_item_id {
        found = found.filter(lines::open_item_id.eq(item));
    }
    if let Some(status) = query.status {
        found = found.filter(lines::status.eq(status));
    }
    let page: Result<Page<Row>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: lines::id as Uuid => |r: &Row| r.0.id, [
        "created_at" => lines::created_at as DateTime<Utc> => |r: &Row| r.0.created_at,
    ]);
    Ok(page?.map(|(line, item)| shown_line(line, item)))
}

pub(super) fn save_payment(tx: &mut Tx<'_>, payment: &PaymentPlanRow) -> Result<()> {
    diesel::update(payments::table.find(payment.id))
        .set(payment)
        .execute(&mut **tx)?;
    Ok(())
}

pub(super) fn save_line(tx: &mut Tx<'_>, line: &ProposalLineRow) -> Result<()> {
    diesel::update(lines::table.find(line.id))
        .set(line)
        .execute(&mut **tx)?;
    Ok(())
}

/// Lets go of all items of a proposal that has come to its end.
pub(super) fn let_go(tx: &mut Tx<'_>, proposal: Uuid) -> Result<()> {
    diesel::update(lines::table.filter(lines::proposal_id.eq(proposal).and(lines::holds)))
        .set(lines::holds.eq(false))
        .execute(&mut **tx)?;
    Ok(())
}

/// Stores a locked proposal that changed, with its audit row.
pub(super) fn save(tx: &mut Tx<'_>, before: &PaymentProposal, row: &ProposalRow) -> Result<PaymentProposal> {
    diesel::update(proposals::table.find(row.id))
        .set((
            proposals::status.eq(row.status),
            proposals::reason.eq(&row.reason),
            proposals::value.eq(row.value),
            proposals::changed_by.eq(row.changed_by),
            proposals::submitted_by.eq(row.submitted_by),
            proposals::approved_by.eq(row.approved_by),
            proposals::approved_at.eq(row.approved_at),
            proposals::executed_by.eq(row.executed_by),
            proposals::executed_on.eq(row.executed_on),
            proposals::revision.eq(row.revision + 1),
            proposals::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    let after = find(tx, row.id)?;
    tx.audit(Some(before), &after)?;
    Ok(after)
}

/// Whether a line may be put back.
pub(super) fn was_removed(line: &ProposalLineRow) -> bool {
    line.status == ProposalLineStatus::Removed
}
