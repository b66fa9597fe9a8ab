//! Asking and being answered.

use super::model::{
    AnswerRow, AskedRow, LineRow, QuotationAction, QuotationAnswersIn, QuotationStatus, RequestForQuotation,
    RequestForQuotationIn, RequestRow,
};
use super::queries::{self, Loaded};
use crate::inventory::warehouses;
use crate::ledger;
use crate::ledger::numbers::{self, Series};
use crate::purchasing::references::{self, Named};
use crate::purchasing::suppliers;
use service_kit::{Faults, OrNotFound, Quantity, Result, Tx};
use std::collections::HashSet;
use uuid::Uuid;

pub(super) fn create(tx: &mut Tx<'_>, input: &RequestForQuotationIn) -> Result<RequestForQuotation> {
    check(tx, input)?;
    let id = tx.mint(input.id);
    let mut row = RequestRow {
        id,
        number: None,
        status: QuotationStatus::Draft,
        note: input.note.clone(),
        answer_by: input.answer_by,
        warehouse_id: input.warehouse_id,
        external_ref: input.external_ref.clone(),
        created_by: tx.actor().id,
        version: 1,
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    if input.send {
        sent(tx, &mut row)?;
    }
    let lines = input.lines.iter().zip(1..).map(|(line, position)| LineRow {
        id: Uuid::now_v7(),
        request_id: id,
        position,
        product_id: line.product_id,
        description: line.description.clone(),
        quantity: line.quantity,
        requisition_line_id: line.requisition_line_id,
        awarded_quantity: Quantity::ZERO,
    });
    let asked = input.supplier_ids.iter().map(|supplier| AskedRow {
        request_id: id,
        supplier_id: *supplier,
        declined: false,
        answered_at: None,
    });
    let loaded = Loaded {
        row,
        lines: lines.collect(),
        asked: asked.collect(),
        answers: Vec::new(),
    };
    queries::insert(tx, &loaded)?;
    let made = queries::load(tx, id)?.shown();
    tx.changed(None, &made)?;
    Ok(made)
}

fn check(tx: &mut Tx<'_>, input: &RequestForQuotationIn) -> Result<()> {
    let mut faults = Faults::default();
    if let Some(place) = input.warehouse_id
        && !warehouses::exists(tx, place)?
    {
        faults.add("/warehouse_id", "unknown_warehouse", "there is no such warehouse");
    }
    let known = suppliers::exist(tx, &input.supplier_ids)?;
    let mut seen = HashSet::new();
    for (index, supplier) in input.supplier_ids.iter().enumerate() {
        if !known.contains(supplier) {
            faults.add(
                format!("/supplier_ids/{index}"),
                "unknown_supplier",
                "there is no such supplier",
            );
        }
        if !seen.insert(supplier) {
            faults.add(
                format!("/supplier_ids/{index}"),
                "duplicate",
                "the supplier is named twice",
            );
        }
    }
    let named: Vec<Named> = input
        .lines
        .iter()
        .map(|line| Named {
            product_id: line.product_id,
            ..Named::default()
        })
        .collect();
    references::check(tx, &named, &mut faults)?;
    let wanted: Vec<Uuid> = input.lines.iter().filter_map(|line| line.requisition_line_id).collect();
    let requisitioned = crate::purchasing::requisitions::queries::lines_exist(tx, &wanted)?;
    for (index, line) in input.lines.iter().enumerate() {
        let mut fault = |field: &str, code: &str, message: &str| {
            faults.add(format!("/lines/{index}/{field}"), code, message);
        };
        if line.quantity.is_zero() {
            fault("quantity", "out_of_range", "must be more than 0");
        }
        if line.product_id.is_none() && line.description.is_none() {
            fault("product_id", "one_of", "name a product, or say what is needed");
        }
        if line.requisition_line_id.is_some_and(|id| !requisitioned.contains(&id)) {
            fault("requisition_line_id", "unknown_line", "no requisition has such a line");
        }
    }
    Ok(faults.check()?)
}

fn sent(tx: &mut Tx<'_>, row: &mut RequestRow) -> Result<()> {
    let on = ledger::posting_day(tx, None)?;
    let drawn = numbers::draw(tx, Series::RequestForQuotation, &on)?;
    row.number = drawn.or_else(|| Some(format!("dry run {}", row.id)));
    row.status = QuotationStatus::Sent;
    Ok(())
}

/// Locks the request and checks `If-Match`, which verbs need not carry.
pub(super) fn open(tx: &mut Tx<'_>, id: Uuid, action: QuotationAction) -> Result<Loaded> {
    let before = queries::lock(tx, id).or_not_found("request for quotation")?;
    tx.match_if_given(&before.shown())?;
    before.row.status.check(action)?;
    Ok(before)
}

pub(super) fn send(tx: &mut Tx<'_>, id: Uuid) -> Result<RequestForQuotation> {
    let before = open(tx, id, QuotationAction::Send)?;
    let mut row = before.row.clone();
    sent(tx, &mut row)?;
    queries::save(tx, &before, row)
}

pub(super) fn cancel(tx: &mut Tx<'_>, id: Uuid) -> Result<RequestForQuotation> {
    let before = open(tx, id, QuotationAction::Cancel)?;
    let row = RequestRow {
        status: QuotationStatus::Cancelled,
        ..before.row.clone()
    };
    queries::save(tx, &before, row)
}

/// Notes what a supplier answers.
pub(super) fn answer(tx: &mut Tx<'_>, id: Uuid, input: &QuotationAnswersIn) -> Result<RequestForQuotation> {
    let before = open(tx, id, QuotationAction::Answer)?;
    let mut faults = Faults::default();
    let asked = before.asked.iter().find(|asked| asked.supplier_id == input.supplier_id);
    if asked.is_none() {
        faults.add("/supplier_id", "not_asked", "the supplier was not asked");
    }
    if input.declined != input.lines.is_empty() {
        let message = "an answer has lines, unless the supplier declines";
        faults.add("/lines", "one_of", message);
    }
    let mut seen = HashSet::new();
    for (index, line) in input.lines.iter().enumerate() {
        let pointer = format!("/lines/{index}/line_id");
        if !before.lines.iter().any(|of| of.id == line.line_id) {
            faults.add(pointer, "unknown_line", "the request has no such line");
        } else if !seen.insert(line.line_id) {
            faults.add(pointer, "duplicate", "the line is named twice");
        }
    }
    faults.check()?;
    let supplier = suppliers::find(tx, input.supplier_id)?;
    let currency = input.currency.unwrap_or(supplier.currency);
    let answers: Vec<AnswerRow> = input
        .lines
        .iter()
        .map(|line| AnswerRow {
            line_id: line.line_id,
            supplier_id: input.supplier_id,
            currency,
            unit_price: line.unit_price,
            lead_time_days: line.lead_time_days,
            valid_to: line.valid_to,
            note: line.note.clone(),
        })
        .collect();
    let asked = AskedRow {
        request_id: id,
        supplier_id: input.supplier_id,
        declined: input.declined,
        answered_at: Some(tx.now()),
    };
    queries::replace_answers(tx, &asked, &answers)?;
    queries::save(tx, &before, before.row.clone())
}
