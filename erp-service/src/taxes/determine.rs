//! Which codes tax the lines of a document, at which rates.

use super::STANDARD;
use super::codes::TaxKind;
use super::compute::TaxCodeRate;
use super::rules::Direction;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use service_kit::db::sql;
use service_kit::decimal::TaxRate;
use service_kit::{Problem, Result};
use uuid::Uuid;

/// What decides on the tax at the party's side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// Absent: `standard`.
    pub tax_class: Option<String>,
    /// ISO 3166-1 alpha-2, of where the goods go to or come from.
    pub country: Option<String>,
}

/// What is taxed: a product, by its class, or something else with a class of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taxable<'a> {
    Product(Uuid),
    /// Absent: `standard`.
    Class(Option<&'a str>),
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    line: i64,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: TaxKind,
    #[diesel(sql_type = Nullable<Text>)]
    report_code: Option<String>,
    #[diesel(sql_type = Bool)]
    reverse_charge: bool,
    #[diesel(sql_type = Nullable<Numeric>)]
    rate: Option<TaxRate>,
}

/// The codes of each line with the rates of the tax point, in one statement for all lines.
///
/// # Errors
/// 422 `tax_rate_missing` when a code has no rate on that day.
pub fn determine(
    conn: &mut PgConnection,
    direction: Direction,
    party: &Party,
    lines: &[Taxable<'_>],
    tax_point: NaiveDate,
) -> Result<Vec<Vec<TaxCodeRate>>> {
    let products = lines.iter().map(|line| match line {
        Taxable::Product(id) => Some(*id),
        Taxable::Class(_) => None,
    });
    let classes = lines.iter().map(|line| match line {
        Taxable::Product(_) => None,
        Taxable::Class(class) => Some(class.unwrap_or(STANDARD)),
    });
    let found: Vec<Found> = sql(
        "SELECT a.line, c.code, c.name, c.kind, c.report_code, c.reverse_charge, v.rate
         FROM unnest($1, $2) WITH ORDINALITY AS a (product_id, class, line)
         LEFT JOIN products p ON p.id = a.product_id
         CROSS JOIN LATERAL (
             SELECT r.codes FROM tax_rules r
             WHERE r.direction = $3 AND (r.party_class IS NULL OR r.party_class = $4) AND (r.country IS NULL OR r.country = $5)
               AND (r.product_class IS NULL OR r.product_class = coalesce(a.class, p.tax_class, 'standard'))
               AND daterange(r.valid_from, r.valid_to, '[]') @> $6
             ORDER BY r.party_class IS NOT NULL DESC, r.country IS NOT NULL DESC, r.product_class IS NOT NULL DESC LIMIT 1) rule
         CROSS JOIN LATERAL unnest(rule.codes) WITH ORDINALITY AS n (code, position)
         JOIN tax_codes c ON c.code = n.code
         LEFT JOIN tax_rates v ON v.tax_code_id = c.id AND daterange(v.valid_from, v.valid_to, '[]') @> $7
         ORDER BY a.line, n.position",
    )
    .bind::<Array<Nullable<SqlUuid>>, _>(products.collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(classes.collect::<Vec<_>>())
    .bind::<Text, _>(direction)
    .bind::<Text, _>(party.tax_class.as_deref().unwrap_or(STANDARD))
    .bind::<Nullable<Text>, _>(party.country.as_deref())
    .bind::<Date, _>(tax_point)
    .bind::<Date, _>(tax_point)
    .rows(conn)?;
    let mut codes = vec![Vec::new(); lines.len()];
    for found in found {
        let rate = found.rate.ok_or_else(|| {
            let detail = format!("the tax code {} has no rate on {tax_point}", found.code);
            Problem::rule("tax_rate_missing", detail)
                .fact("tax_code", found.code.clone())
                .fact("date", tax_point.to_string())
        })?;
        let at = usize::try_from(found.line - 1).unwrap_or_default();
        codes[at].push(TaxCodeRate {
            code: found.code,
            name: found.name,
            kind: found.kind,
            report_code: found.report_code,
            rate,
            reverse_charge: found.reverse_charge,
        });
    }
    Ok(codes)
}
