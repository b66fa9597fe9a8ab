//! Tax rules: which codes tax a line.

use super::codes::{self, TaxCodeStatus, TaxKind};
use crate::may;
use crate::schema::tax_rules;
use actix_web::{get, post, put};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::http::{SearchText, require_same_id};
use service_kit::{
    Answer, Body, Command, Cursor, Faults, IdPath, Limit, OrNotFound, Page, Path, Problem, Put, Query, Read, Resource,
    Result, Routes, Sort, Tx, keyset_page, text_enum,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

text_enum! {
    /// Who sells: we, or a supplier to us.
    TaxDirection { Sale = "sale", Purchase = "purchase" }
}

/// Its own name in the documents: payments have a direction as well.
pub type Direction = TaxDirection;

/// On these days, lines like these are taxed by these codes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = tax_rules)]
pub struct TaxRule {
    pub id: Uuid,
    pub direction: Direction,
    /// Tax class of the customer or supplier; `null`: any.
    pub party_class: Option<String>,
    /// Country of the customer or supplier; `null`: any.
    pub country: Option<String>,
    /// Tax class of the product; `null`: any.
    pub product_class: Option<String>,
    /// First day; `null`: from the beginning.
    pub valid_from: Option<NaiveDate>,
    /// Last day, included; `null`: without end.
    pub valid_to: Option<NaiveDate>,
    /// In their order; none: not taxed.
    pub codes: Vec<String>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxRuleIn {
    pub id: Option<Uuid>,
    pub direction: Direction,
    /// Tax class of the customer or supplier; absent: any. Those that have none are `standard`.
    #[schema(min_length = 1, max_length = 40, pattern = r"\S")]
    pub party_class: Option<String>,
    /// ISO 3166-1 alpha-2; absent: any.
    #[schema(min_length = 2, max_length = 2, pattern = r"^[A-Z]{2}$")]
    pub country: Option<String>,
    /// Tax class of the product; absent: any. Those that have none are `standard`.
    #[schema(min_length = 1, max_length = 40, pattern = r"\S")]
    pub product_class: Option<String>,
    /// First day; absent: from the beginning.
    pub valid_from: Option<NaiveDate>,
    /// Last day, included; absent: without end.
    pub valid_to: Option<NaiveDate>,
    /// Tax codes in their order, each taken of the same net; none: not taxed.
    #[schema(max_items = 10)]
    pub codes: Vec<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct TaxRulesQuery {
    #[param(inline)]
    direction: Option<Direction>,
    party_class: Option<SearchText>,
    country: Option<SearchText>,
    product_class: Option<SearchText>,
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `created_at`, with `-` for descending.
    sort: Option<Sort>,
}

impl Resource for TaxRule {
    const PATH: &'static str = "tax-rules";
    const TYPE: &'static str = "tax_rule";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_tax_rules)
        .add(create_tax_rule)
        .add(get_tax_rule)
        .add(put_tax_rule);
}

#[utoipa::path(tag = "taxes", params(TaxRulesQuery), security(("api_key" = ["taxes:read"])),
    responses((status = 200, description = "A page of tax rules", body = Page<TaxRule>)))]
#[get("/tax-rules")]
async fn list_tax_rules(read: Read<may::ReadTaxes>, query: Query<TaxRulesQuery>) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let mut found = tax_rules::table.select(TaxRule::as_select()).into_boxed();
        if let Some(direction) = query.direction {
            found = found.filter(tax_rules::direction.eq(direction));
        }
        if let Some(class) = &query.party_class {
            found = found.filter(tax_rules::party_class.eq(class.as_str()));
        }
        if let Some(country) = &query.country {
            found = found.filter(tax_rules::country.eq(country.as_str()));
        }
        if let Some(class) = &query.product_class {
            found = found.filter(tax_rules::product_class.eq(class.as_str()));
        }
        keyset_page!(found, conn, query.limit, query.cursor, query.sort, id: tax_rules::id as Uuid => |r: &TaxRule| r.id, [
            "created_at" => tax_rules::created_at as DateTime<Utc> => |r: &TaxRule| r.created_at,
        ])
    })
    .await
}

/// Say which codes tax which lines. The more particular rule goes first: by the party's class, then by
/// its country, then by the product's class.
#[utoipa::path(tag = "taxes", request_body = TaxRuleIn, security(("api_key" = ["taxes:write"])),
    responses((status = 201, description = "The tax rule", body = TaxRule)))]
#[post("/tax-rules")]
async fn create_tax_rule(command: Command<may::WriteTaxes>, body: Body<TaxRuleIn>) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, body.0.id, &body.0)).await
}

#[utoipa::path(tag = "taxes", params(IdPath), security(("api_key" = ["taxes:read"])),
    responses((status = 200, description = "The tax rule", body = TaxRule)))]
#[get("/tax-rules/{id}")]
async fn get_tax_rule(read: Read<may::ReadTaxes>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let rule = tax_rules::table.find(path.id).select(TaxRule::as_select());
        rule.first(conn).or_not_found("tax rule")
    })
    .await
}

/// Create a rule under an id of your own, or change it with `If-Match`. Documents keep their taxes.
#[utoipa::path(tag = "taxes", params(IdPath), request_body = TaxRuleIn, security(("api_key" = ["taxes:write"])),
    responses((status = 200, description = "The tax rule, changed or as it was", body = TaxRule),
              (status = 201, description = "The new tax rule", body = TaxRule)))]
#[put("/tax-rules/{id}")]
async fn put_tax_rule(
    command: Command<may::WriteTaxes>,
    path: Path<IdPath>,
    body: Body<TaxRuleIn>,
) -> Result<Answer, Problem> {
    command
        .put(move |tx| {
            require_same_id(body.0.id, path.id)?;
            replace(tx, path.id, &body.0)
        })
        .await
}

impl TaxRule {
    fn of(id: Uuid, input: &TaxRuleIn, now: DateTime<Utc>) -> Self {
        TaxRule {
            id,
            direction: input.direction,
            party_class: input.party_class.clone(),
            country: input.country.clone(),
            product_class: input.product_class.clone(),
            valid_from: input.valid_from,
            valid_to: input.valid_to,
            codes: input.codes.clone(),
            revision: 1,
            created_at: now,
            updated_at: now,
        }
    }
}

fn create(tx: &mut Tx<'_>, id: Option<Uuid>, input: &TaxRuleIn) -> Result<TaxRule> {
    check(tx, input)?;
    let rule = TaxRule::of(tx.mint(id), input, tx.now());
    diesel::insert_into(tax_rules::table)
        .values((
            tax_rules::id.eq(rule.id),
            tax_rules::direction.eq(rule.direction),
            tax_rules::party_class.eq(&rule.party_class),
            tax_rules::country.eq(&rule.country),
            tax_rules::product_class.eq(&rule.product_class),
            tax_rules::valid_from.eq(rule.valid_from),
            tax_rules::valid_to.eq(rule.valid_to),
            tax_rules::codes.eq(&rule.codes),
            tax_rules::created_at.eq(rule.created_at),
            tax_rules::updated_at.eq(rule.updated_at),
        ))
        .execute(&mut **tx)?;
    tx.audit(None, &rule)?;
    Ok(rule)
}

fn replace(tx: &mut Tx<'_>, id: Uuid, input: &TaxRuleIn) -> Result<Put<TaxRule>> {
    let before = tax_rules::table.find(id).for_update().select(TaxRule::as_select());
    let Some(before) = before.first(&mut **tx).optional()? else {
        return create(tx, Some(id), input).map(Put::Created);
    };
    let after = TaxRule {
        revision: before.revision,
        created_at: before.created_at,
        updated_at: before.updated_at,
        ..TaxRule::of(id, input, tx.now())
    };
    if after == before {
        return Ok(Put::Unchanged(before));
    }
    tx.require_match(&before)?;
    check(tx, input)?;
    let after = TaxRule {
        revision: before.revision + 1,
        updated_at: tx.now(),
        ..after
    };
    diesel::update(tax_rules::table.find(id))
        .set((
            tax_rules::direction.eq(after.direction),
            tax_rules::party_class.eq(&after.party_class),
            tax_rules::country.eq(&after.country),
            tax_rules::product_class.eq(&after.product_class),
            tax_rules::valid_from.eq(after.valid_from),
            tax_rules::valid_to.eq(after.valid_to),
            tax_rules::codes.eq(&after.codes),
            tax_rules::revision.eq(after.revision),
            tax_rules::updated_at.eq(after.updated_at),
        ))
        .execute(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(Put::Updated(after))
}

fn check(tx: &mut Tx<'_>, input: &TaxRuleIn) -> Result<()> {
    let mut faults = Faults::default();
    if let (Some(first), Some(last)) = (input.valid_from, input.valid_to)
        && first > last
    {
        faults.add("/valid_to", "out_of_range", "must not lie before valid_from");
    }
    let kind = match input.direction {
        Direction::Sale => TaxKind::Output,
        Direction::Purchase => TaxKind::Input,
    };
    let names = &input.codes;
    let known = codes::known(tx, names)?;
    for (index, name) in names.iter().enumerate() {
        let pointer = format!("/codes/{index}");
        match known.get(name) {
            _ if names[..index].contains(name) => faults.add(pointer, "duplicate", "the code stands there twice"),
            None => faults.add(pointer, "unknown_tax_code", "there is no such tax code"),
            Some((_, TaxCodeStatus::Retired)) => faults.add(pointer, "retired_tax_code", "the tax code is retired"),
            Some((of, _)) if *of != kind => {
                let message = format!("a {} is taxed by {kind} codes", input.direction);
                faults.add(pointer, "wrong_kind", message);
            }
            Some(_) => {}
        }
    }
    Ok(faults.check()?)
}
