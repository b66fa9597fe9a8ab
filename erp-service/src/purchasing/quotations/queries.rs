use super::model::{
    AnswerRow, AskedRow, LineRow, QuotationAnswer, QuotationLine, QuotationSupplier, RequestForQuotation, RequestRow,
    RequestsQuery,
};
use crate::schema::{quotation_answers, quotation_lines, quotation_suppliers, requests_for_quotation};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use service_kit::{Error, Page, Quantity, Result, Tx, keyset_page};
use std::collections::HashMap;
use uuid::Uuid;

/// A request with all that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loaded {
    pub row: RequestRow,
    pub lines: Vec<LineRow>,
    pub asked: Vec<AskedRow>,
    pub answers: Vec<AnswerRow>,
}

impl Loaded {
    pub fn shown(&self) -> RequestForQuotation {
        let row = &self.row;
        let lines = self.lines.iter().map(|line| QuotationLine {
            id: line.id,
            position: line.position,
            product_id: line.product_id,
            description: line.description.clone(),
            quantity: line.quantity,
            requisition_line_id: line.requisition_line_id,
            awarded_quantity: line.awarded_quantity,
        });
        let suppliers = self.asked.iter().map(|asked| QuotationSupplier {
            supplier_id: asked.supplier_id,
            declined: asked.declined,
            answered_at: asked.answered_at,
            answers: self.answers_of(asked.supplier_id),
        });
        RequestForQuotation {
            id: row.id,
            // A dry run draws none.
            number: row.number.clone().filter(|number| !number.starts_with("dry run")),
            status: row.status,
            note: row.note.clone(),
            answer_by: row.answer_by,
            warehouse_id: row.warehouse_id,
            external_ref: row.external_ref.clone(),
            lines: lines.collect(),
            suppliers: suppliers.collect(),
            created_by: row.created_by,
            allowed_actions: row.status.allowed_actions().to_vec(),
            version: row.version,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }

    fn answers_of(&self, supplier: Uuid) -> Vec<QuotationAnswer> {
        let answers = self.answers.iter().filter(|answer| answer.supplier_id == supplier);
        answers
            .map(|answer| QuotationAnswer {
                line_id: answer.line_id,
                currency: answer.currency,
                unit_price: answer.unit_price,
                lead_time_days: answer.lead_time_days,
                valid_to: answer.valid_to,
                note: answer.note.clone(),
            })
            .collect()
    }
}

pub(super) fn load(conn: &mut PgConnection, id: Uuid) -> QueryResult<Loaded> {
    let row = requests_for_quotation::table
        .find(id)
        .select(RequestRow::as_select())
        .first(conn)?;
    complete(conn, vec![row])?.pop().ok_or(diesel::NotFound)
}

pub(super) fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<Loaded> {
    requests_for_quotation::table
        .find(id)
        .for_no_key_update()
        .select(requests_for_quotation::id)
        .first::<Uuid>(conn)?;
    load(conn, id)
}

fn complete(conn: &mut PgConnection, rows: Vec<RequestRow>) -> QueryResult<Vec<Loaded>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let lines: Vec<LineRow> = quotation_lines::table
        .filter(quotation_lines::request_id.eq_any(&ids))
        .order(quotation_lines::position)
        .select(LineRow::as_select())
        .load(conn)?;
    let asked: Vec<AskedRow> = quotation_suppliers::table
        .filter(quotation_suppliers::request_id.eq_any(&ids))
        .order(quotation_suppliers::supplier_id)
        .select(AskedRow::as_select())
        .load(conn)?;
    let line_ids: Vec<Uuid> = lines.iter().map(|line| line.id).collect();
    let answers: Vec<AnswerRow> = quotation_answers::table
        .filter(quotation_answers::line_id.eq_any(&line_ids))
        .select(AnswerRow::as_select())
        .load(conn)?;
    let mut of: HashMap<Uuid, Vec<LineRow>> = HashMap::new();
    for line in lines {
        of.entry(line.request_id).or_default().push(line);
    }
    let loaded = rows.into_iter().map(|row| {
        let lines = of.remove(&row.id).unwrap_or_default();
        let here = |answer: &&AnswerRow| lines.iter().any(|line| line.id == answer.line_id);
        Loaded {
            asked: asked
                .iter()
                .filter(|asked| asked.request_id == row.id)
                .cloned()
                .collect(),
            answers: answers.iter().filter(here).cloned().collect(),
            lines,
            row,
        }
    });
    Ok(loaded.collect())
}

pub(super) fn insert(tx: &mut Tx<'_>, loaded: &Loaded) -> QueryResult<()> {
    diesel::insert_into(requests_for_quotation::table)
        .values(&loaded.row)
        .execute(&mut **tx)?;
    diesel::insert_into(quotation_lines::table)
        .values(&loaded.lines)
        .execute(&mut **tx)?;
    diesel::insert_into(quotation_suppliers::table)
        .values(&loaded.asked)
        .execute(&mut **tx)?;
    Ok(())
}

/// Replaces what a supplier answered.
pub(super) fn replace_answers(tx: &mut Tx<'_>, asked: &AskedRow, answers: &[AnswerRow]) -> QueryResult<()> {
    let lines = quotation_lines::table
        .filter(quotation_lines::request_id.eq(asked.request_id))
        .select(quotation_lines::id);
    diesel::delete(
        quotation_answers::table
            .filter(quotation_answers::supplier_id.eq(asked.supplier_id))
            .filter(quotation_answers::line_id.eq_any(lines)),
    )
    .execute(&mut **tx)?;
    diesel::insert_into(quotation_answers::table)
        .values(answers)
        .execute(&mut **tx)?;
    diesel::update(quotation_suppliers::table.find((asked.request_id, asked.supplier_id)))
        .set((
            quotation_suppliers::declined.eq(asked.declined),
            quotation_suppliers::answered_at.eq(asked.answered_at),
        ))
        .execute(&mut **tx)?;
    Ok(())
}

pub(super) fn note_awarded(tx: &mut Tx<'_>, line: Uuid, quantity: Quantity) -> QueryResult<()> {
    diesel::update(quotation_lines::table.find(line))
        .set(quotation_lines::awarded_quantity.eq(quotation_lines::awarded_quantity + quantity))
        .execute(&mut **tx)?;
    Ok(())
}

/// Stores what changed of a locked request, counts the change, and tells the world.
pub(super) fn save(tx: &mut Tx<'_>, before: &Loaded, mut row: RequestRow) -> Result<RequestForQuotation> {
    row.revision += 1;
    row.version += 1;
    row.updated_at = tx.now();
    let same = requests_for_quotation::id
        .eq(row.id)
        .and(requests_for_quotation::revision.eq(before.row.revision));
    let touched = diesel::update(requests_for_quotation::table.filter(same))
        .set(&row)
        .execute(&mut **tx)?;
    if touched != 1 {
        return Err(Error::Stale);
    }
    let after = load(tx, row.id)?.shown();
    tx.changed(Some(&before.shown()), &after)?;
    Ok(after)
}

pub(super) fn page(conn: &mut PgConnection, query: &RequestsQuery) -> Result<Page<RequestForQuotation>> {
    let mut found = requests_for_quotation::table
        .select(RequestRow::as_select())
        .into_boxed();
    if let Some(text) = &query.q {
        let pattern = text.contains();
        found = found.filter(
            requests_for_quotation::number
                .ilike(pattern.clone())
                .or(requests_for_quotation::note.ilike(pattern.clone()))
                .or(requests_for_quotation::external_ref.ilike(pattern)),
        );
    }
    if let Some(status) = query.status {
        found = found.filter(requests_for_quotation::status.eq(status));
    }
    if let Some(supplier) = query.supplier_id {
        let asked = quotation_suppliers::table
            .filter(quotation_suppliers::supplier_id.eq(supplier))
            .select(quotation_suppliers::request_id);
        found = found.filter(requests_for_quotation::id.eq_any(asked));
    }
    let page: Result<Page<RequestRow>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
        id: requests_for_quotation::id as Uuid => |r: &RequestRow| r.id, [
        "created_at" => requests_for_quotation::created_at as DateTime<Utc> => |r: &RequestRow| r.created_at,
    ]);
    let Page { items, next_cursor } = page?;
    Ok(Page {
        items: complete(conn, items)?.iter().map(Loaded::shown).collect(),
        next_cursor,
    })
}
