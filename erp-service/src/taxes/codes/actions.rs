use super::model::{RatePeriod, TaxCode, TaxCodeIn, TaxCodePatch, TaxCodeRow, TaxCodeStatus, TaxCodesQuery, TaxKind};
use crate::schema::{tax_codes, tax_rates};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use service_kit::{Faults, OrNotFound, Page, Result, Tx, keyset_page};
use std::collections::HashMap;
use uuid::Uuid;

pub(super) fn find(conn: &mut PgConnection, id: Uuid) -> QueryResult<TaxCode> {
    let row = tax_codes::table.find(id).select(TaxCodeRow::as_select()).first(conn)?;
    let rates = rates_of(conn, &[id])?.remove(&id).unwrap_or_default();
    Ok(row.with(rates))
}

pub(super) fn page(conn: &mut PgConnection, query: &TaxCodesQuery) -> Result<Page<TaxCode>> {
    let Page { items, next_cursor } = rows(conn, query)?;
    let ids: Vec<Uuid> = items.iter().map(|row| row.id).collect();
    let mut rates = rates_of(conn, &ids)?;
    let items = items.into_iter().map(|row| {
        let rates = rates.remove(&row.id).unwrap_or_default();
        row.with(rates)
    });
    Ok(Page {
        items: items.collect(),
        next_cursor,
    })
}

fn rows(conn: &mut PgConnection, query: &TaxCodesQuery) -> Result<Page<TaxCodeRow>> {
    let mut found = tax_codes::table.select(TaxCodeRow::as_select()).into_boxed();
    if let Some(text) = &query.q {
        let pattern = text.contains();
        found = found.filter(
            tax_codes::name
                .ilike(pattern.clone())
                .or(tax_codes::code.ilike(pattern)),
        );
    }
    if let Some(kind) = query.kind {
        found = found.filter(tax_codes::kind.eq(kind));
    }
    if let Some(status) = query.status {
        found = found.filter(tax_codes::status.eq(status));
    }
    if let Some(report_code) = &query.report_code {
        found = found.filter(tax_codes::report_code.eq(report_code.as_str()));
    }
    keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: tax_codes::id as Uuid => |c: &TaxCodeRow| c.id, [
        "created_at" => tax_codes::created_at as DateTime<Utc> => |c: &TaxCodeRow| c.created_at,
        "code" => tax_codes::code as String => |c: &TaxCodeRow| c.code.clone(),
    ])
}

fn rates_of(conn: &mut PgConnection, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, Vec<RatePeriod>>> {
    let all: Vec<(Uuid, RatePeriod)> = tax_rates::table
        .filter(tax_rates::tax_code_id.eq_any(ids))
        .order((tax_rates::tax_code_id, tax_rates::valid_from))
        .select((tax_rates::tax_code_id, RatePeriod::as_select()))
        .load(conn)?;
    let mut rates: HashMap<Uuid, Vec<RatePeriod>> = HashMap::new();
    for (id, rate) in all {
        rates.entry(id).or_default().push(rate);
    }
    Ok(rates)
}

/// Kind and status of these codes; those that do not exist are missing.
pub(in crate::taxes) fn known(
    conn: &mut PgConnection,
    codes: &[String],
) -> QueryResult<HashMap<String, (TaxKind, TaxCodeStatus)>> {
    let rows: Vec<(String, TaxKind, TaxCodeStatus)> = tax_codes::table
        .filter(tax_codes::code.eq_any(codes))
        .select((tax_codes::code, tax_codes::kind, tax_codes::status))
        .load(conn)?;
    let known = rows.into_iter().map(|(code, kind, status)| (code, (kind, status)));
    Ok(known.collect())
}

pub(super) fn create(tx: &mut Tx<'_>, input: &TaxCodeIn) -> Result<TaxCode> {
    let mut faults = Faults::default();
    check_rates(&mut faults, &input.rates);
    let reverse_report_code = input.reverse_report_code.as_deref();
    check_reverse(&mut faults, input.kind, input.reverse_charge, reverse_report_code);
    faults.check()?;
    let (id, now) = (tx.mint(input.id), tx.now());
    diesel::insert_into(tax_codes::table)
        .values((
            tax_codes::id.eq(id),
            tax_codes::code.eq(&input.code),
            tax_codes::name.eq(&input.name),
            tax_codes::kind.eq(input.kind),
            tax_codes::report_code.eq(&input.report_code),
            tax_codes::reverse_charge.eq(input.reverse_charge),
            tax_codes::reverse_report_code.eq(&input.reverse_report_code),
            tax_codes::created_at.eq(now),
            tax_codes::updated_at.eq(now),
        ))
        .execute(&mut **tx)?;
    insert_rates(tx, id, &input.rates)?;
    let code = find(tx, id)?;
    tx.audit(None, &code)?;
    Ok(code)
}

pub(super) fn update(tx: &mut Tx<'_>, id: Uuid, patch: &TaxCodePatch) -> Result<TaxCode> {
    tax_codes::table
        .find(id)
        .for_update()
        .select(tax_codes::id)
        .first::<Uuid>(&mut **tx)
        .or_not_found("tax code")?;
    let before = find(tx, id)?;
    tx.require_match(&before)?;
    let mut wanted = before.clone();
    wanted.name = patch.name.clone().unwrap_or(wanted.name);
    wanted.report_code = patch.report_code.clone().unwrap_or(wanted.report_code);
    wanted.reverse_report_code = patch.reverse_report_code.clone().unwrap_or(wanted.reverse_report_code);
    wanted.status = patch.status.unwrap_or(wanted.status);
    wanted.rates = patch.rates.clone().unwrap_or(wanted.rates);
    wanted.rates.sort_by_key(|rate| rate.valid_from);
    if wanted == before {
        return Ok(before);
    }
    let mut faults = Faults::default();
    check_rates(&mut faults, patch.rates.as_deref().unwrap_or_default());
    let reverse_report_code = wanted.reverse_report_code.as_deref();
    check_reverse(&mut faults, wanted.kind, wanted.reverse_charge, reverse_report_code);
    faults.check()?;
    diesel::update(tax_codes::table.find(id))
        .set((
            tax_codes::name.eq(&wanted.name),
            tax_codes::report_code.eq(&wanted.report_code),
            tax_codes::reverse_report_code.eq(&wanted.reverse_report_code),
            tax_codes::status.eq(wanted.status),
            tax_codes::revision.eq(tax_codes::revision + 1),
            tax_codes::updated_at.eq(tx.now()),
        ))
        .execute(&mut **tx)?;
    if wanted.rates != before.rates {
        diesel::delete(tax_rates::table.filter(tax_rates::tax_code_id.eq(id))).execute(&mut **tx)?;
        insert_rates(tx, id, &wanted.rates)?;
    }
    let after = find(tx, id)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

fn insert_rates(tx: &mut Tx<'_>, id: Uuid, rates: &[RatePeriod]) -> Result<()> {
    let rows = rates.iter().map(|rate| {
        (
            tax_rates::tax_code_id.eq(id),
            tax_rates::rate.eq(rate.rate),
            tax_rates::valid_from.eq(rate.valid_from),
            tax_rates::valid_to.eq(rate.valid_to),
        )
    });
    diesel::insert_into(tax_rates::table)
        .values(rows.collect::<Vec<_>>())
        .execute(&mut **tx)?;
    Ok(())
}

/// Every period in order, and none on a day of another.
fn check_rates(faults: &mut Faults, rates: &[RatePeriod]) {
    let last = |rate: &RatePeriod| rate.valid_to.unwrap_or(NaiveDate::MAX);
    for (index, rate) in rates.iter().enumerate() {
        if last(rate) < rate.valid_from {
            let pointer = format!("/rates/{index}/valid_to");
            faults.add(pointer, "out_of_range", "must not lie before valid_from");
            continue;
        }
        let earlier = rates[..index]
            .iter()
            .position(|other| other.valid_from <= last(rate) && rate.valid_from <= last(other));
        if let Some(earlier) = earlier {
            let message = format!("holds on days that /rates/{earlier} holds on");
            faults.add(format!("/rates/{index}/valid_from"), "overlapping", message);
        }
    }
}

fn check_reverse(faults: &mut Faults, kind: TaxKind, reverse_charge: bool, report_code: Option<&str>) {
    if report_code.is_some() && !(reverse_charge && kind == TaxKind::Input) {
        let message = "only an input code with reverse charge has a second side";
        faults.add("/reverse_report_code", "not_reverse_charge", message);
    }
}
