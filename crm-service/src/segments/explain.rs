//! Who would be in a segment, and why somebody is.

use super::model::{ConditionExplanation, SegmentCustomer, SegmentExplanation, SegmentPreview};
use super::queries;
use crate::customers;
use crate::filter::fragment::Bound;
use crate::filter::{CUSTOMERS, Filter, Fragment, Scope, in_sight};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use service_kit::{Problem, Result, Sight};
use uuid::Uuid;

/// How many customers a preview shows.
const SHOWN: i64 = 20;

/// With the eyes of whoever asks.
///
/// # Errors
/// 422 `invalid_filter` with every fault and its position.
pub fn preview(conn: &mut PgConnection, rule: &str, scope: &Scope) -> Result<SegmentPreview> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<SqlUuid>)]
        id: Option<Uuid>,
        #[diesel(sql_type = Nullable<Text>)]
        name: Option<String>,
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let filter = Filter::of(conn, &CUSTOMERS, rule, "/rule")?;
    let matching = Fragment::new(
        "WITH matching AS MATERIALIZED (SELECT customers.id, customers.name FROM customers WHERE customers.merged_into IS NULL AND ",
    )
    .then(in_sight(Fragment::default(), "customers", &scope.sight))
    .sql(" AND ")
    .then(filter.sql(scope))
    .sql(
        ") SELECT first.id, first.name, c.count FROM (SELECT count(*) AS count FROM matching) c
         LEFT JOIN (SELECT * FROM matching ORDER BY name, id LIMIT ",
    )
    .bind(Bound::Count(SHOWN))
    .sql(") first ON true ORDER BY first.name, first.id");
    let rows: Vec<Row> = matching.statement().rows(conn)?;
    Ok(SegmentPreview {
        conditions: filter.parts(scope).into_iter().map(|part| part.words).collect(),
        count: rows.first().map_or(0, |row| row.count),
        customers: rows
            .into_iter()
            .filter_map(|row| {
                Some(SegmentCustomer {
                    id: row.id?,
                    name: row.name?,
                })
            })
            .collect(),
    })
}

/// Why a customer in sight is in a segment, or is not.
///
/// # Errors
/// 404 when there is no such segment, or no such customer in sight.
pub fn explain(
    conn: &mut PgConnection,
    sight: &Sight,
    scope: &Scope,
    segment: Uuid,
    customer: Uuid,
) -> Result<SegmentExplanation> {
    let row = queries::get(conn, segment)?;
    let standing = customers::standing(conn, sight, customer)?;
    let standing = standing.filter(|standing| standing.merged_into.is_none());
    standing.ok_or_else(|| Problem::not_found("customer"))?;
    let membership = queries::membership(conn, segment, customer)?;
    let version = membership
        .as_ref()
        .and_then(|(member, _)| member.rule_version)
        .or(row.rule_version);
    let rule = queries::rule(conn, segment, version)?;
    let seen = membership.as_ref().and_then(|(_, seen)| seen.as_ref());
    let seen: Vec<Option<String>> = seen.map_or(Vec::new(), |seen| {
        serde_json::from_value(seen.clone()).unwrap_or_default()
    });
    let (matches_now, conditions) = match &rule {
        Some(rule) => conditions(conn, sight, scope, rule, customer, &seen)?,
        None => (None, Vec::new()),
    };
    let member = membership.map(|(member, _)| member);
    Ok(SegmentExplanation {
        segment_id: segment,
        customer_id: customer,
        member: member.is_some(),
        entered_at: member.as_ref().map(|member| member.entered_at),
        added_by: member.and_then(|member| member.added_by),
        rule_version: version,
        rule,
        matches_now,
        conditions,
    })
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Nullable<Bool>)]
    matches: Option<bool>,
    #[diesel(sql_type = Array<Nullable<Bool>>)]
    met: Vec<Option<bool>>,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    values: Vec<Option<String>>,
}

fn conditions(
    conn: &mut PgConnection,
    sight: &Sight,
    scope: &Scope,
    rule: &str,
    customer: Uuid,
    seen: &[Option<String>],
) -> Result<(Option<bool>, Vec<ConditionExplanation>)> {
    let filter = Filter::of(conn, &CUSTOMERS, rule, "rule")?;
    let parts = filter.parts(scope);
    let met = Fragment::joined(parts.iter().map(|part| part.condition.clone()), ", ");
    let values = Fragment::joined(parts.iter().map(|part| part.value.clone()), ", ");
    let found: Found = Fragment::new("SELECT (")
        .then(filter.sql(scope))
        .sql(") AS matches, ARRAY")
        .then(met.bracketed())
        .sql("::boolean[] AS met, ARRAY")
        .then(values.bracketed())
        .sql("::text[] AS values FROM customers WHERE customers.id = ")
        .bind(Bound::Id(customer))
        .statement()
        .row(conn)?;
    let hidden = |follows: bool| follows && !sight.sees_all();
    let explained = parts.into_iter().enumerate().map(|(index, part)| {
        let withheld = hidden(part.follows_owners);
        let told = |value: Option<String>| value.filter(|_| !withheld);
        ConditionExplanation {
            condition: part.words,
            met: found.met.get(index).copied().flatten().filter(|_| !withheld),
            value: told(found.values.get(index).cloned().flatten()),
            seen: told(seen.get(index).cloned().flatten()),
            withheld,
        }
    });
    let explained: Vec<ConditionExplanation> = explained.collect();
    // What is withheld must not be told by the outcome either.
    let any_withheld = explained.iter().any(|condition| condition.withheld);
    let matches = (!any_withheld).then_some(found.matches.unwrap_or(false));
    Ok((matches, explained))
}
