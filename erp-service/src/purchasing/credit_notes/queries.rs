use super::model::{NoteLineRow, NoteRow, SupplierCreditNote, SupplierCreditNoteLine, SupplierCreditNotesQuery};
use crate::purchasing::taxation;
use crate::schema::{supplier_credit_note_lines, supplier_credit_notes};
use crate::taxes::DocumentTax;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use service_kit::{Amount, Page, Result, Total, keyset_page};
use std::collections::HashMap;
use uuid::Uuid;

pub(super) fn insert(conn: &mut PgConnection, row: &NoteRow, lines: &[NoteLineRow]) -> QueryResult<()> {
    diesel::insert_into(supplier_credit_notes::table)
        .values(row)
        .execute(conn)?;
    diesel::insert_into(supplier_credit_note_lines::table)
        .values(lines)
        .execute(conn)?;
    Ok(())
}

pub(super) fn find(conn: &mut PgConnection, id: Uuid) -> Result<SupplierCreditNote> {
    let row = supplier_credit_notes::table
        .find(id)
        .select(NoteRow::as_select())
        .first(conn)?;
    let mut found = complete(conn, vec![row])?;
    found.pop().ok_or_else(|| diesel::NotFound.into())
}

pub(super) fn page(conn: &mut PgConnection, query: &SupplierCreditNotesQuery) -> Result<Page<SupplierCreditNote>> {
    let mut found = supplier_credit_notes::table.select(NoteRow::as_select()).into_boxed();
    if let Some(supplier) = query.supplier_id {
        found = found.filter(supplier_credit_notes::supplier_id.eq(supplier));
    }
    if let Some(bill) = query.bill_id {
        found = found.filter(supplier_credit_notes::bill_id.eq(bill));
    }
    if let Some(date) = query.date_from {
        found = found.filter(supplier_credit_notes::credit_date.ge(date));
    }
    if let Some(date) = query.date_to {
        found = found.filter(supplier_credit_notes::credit_date.le(date));
    }
    let page: Result<Page<NoteRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: supplier_credit_notes::id as Uuid => |n: &NoteRow| n.id, [
        "created_at" => supplier_credit_notes::created_at as DateTime<Utc> => |n: &NoteRow| n.created_at,
        "credit_date" => supplier_credit_notes::credit_date as NaiveDate => |n: &NoteRow| n.credit_date,
    ]);
    let Page { items, next_cursor } = page?;
    Ok(Page {
        items: complete(conn, items)?,
        next_cursor,
    })
}

fn complete(conn: &mut PgConnection, rows: Vec<NoteRow>) -> Result<Vec<SupplierCreditNote>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let all: Vec<NoteLineRow> = supplier_credit_note_lines::table
        .filter(supplier_credit_note_lines::note_id.eq_any(&ids))
        .order(supplier_credit_note_lines::position)
        .select(NoteLineRow::as_select())
        .load(conn)?;
    let mut lines: HashMap<Uuid, Vec<NoteLineRow>> = HashMap::new();
    for line in all {
        lines.entry(line.note_id).or_default().push(line);
    }
    rows.into_iter()
        .map(|row| shown(&row, &lines.remove(&row.id).unwrap_or_default()))
        .collect()
}

pub(super) fn shown(row: &NoteRow, lines: &[NoteLineRow]) -> Result<SupplierCreditNote> {
    let money = |value| Amount::money(row.currency, value).unwrap_or_default();
    let taxes = taxation::from_json(&row.taxes)?;
    let lines = lines.iter().map(|line| SupplierCreditNoteLine {
        id: line.id,
        return_line_id: line.return_line_id,
        product_id: line.product_id,
        description: line.description.clone(),
        account_id: line.account_id,
        department_id: line.department_id,
        project_id: line.project_id,
        quantity: line.quantity,
        unit_price: line.unit_price,
        line_total: money(line.line_total),
    });
    Ok(SupplierCreditNote {
        id: row.id,
        // A dry run draws none.
        number: Some(row.number.clone()).filter(|number| !number.starts_with("dry run")),
        supplier_id: row.supplier_id,
        supplier_number: row.supplier_number.clone(),
        bill_id: row.bill_id,
        currency: row.currency,
        credit_date: row.credit_date,
        posted_on: row.posted_on,
        reason: row.reason.clone(),
        external_ref: row.external_ref.clone(),
        total: Total {
            net: money(row.net),
            tax: money(row.tax),
            gross: money(row.gross),
        },
        taxes: taxes.iter().map(|total| DocumentTax::of(row.currency, total)).collect(),
        lines: lines.collect(),
        journal_entry_id: row.entry_id,
        created_by: row.created_by,
        revision: 1,
        created_at: row.created_at,
    })
}
