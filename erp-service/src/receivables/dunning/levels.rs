//! Levels: when an item is reminded of, with which words, and what it costs.

use super::text;
use crate::schema::dunning_levels;
use crate::{company, may};
use actix_web::{delete, get, patch, post};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service_kit::{
    Amount, Answer, Body, Command, Currency, Cursor, Faults, IdPath, Limit, OrNotFound, Page, Path, Problem, Query,
    Read, Resource, Result, Routes, Sort, Tx, keyset_page,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The words of a level in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DunningText {
    /// ISO 639-1.
    #[schema(min_length = 2, max_length = 2, pattern = "^[a-z]{2}$", example = "en")]
    pub language: String,
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub subject: String,
    /// Paragraphs are parted by an empty line. `{company}`, `{customer}`, `{date}`, `{pay_by}`, `{currency}`, `{open}`, `{credits}`, `{fee}`,
    /// `{total}` and `{level}` stand for what they say.
    #[schema(min_length = 1, max_length = 4000, pattern = r"\S")]
    pub body: String,
}

/// A level of reminders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DunningLevel {
    pub id: Uuid,
    pub level: i16,
    pub name: String,
    /// An item gets there when it is overdue by so many days.
    pub days_overdue: i32,
    /// After a letter of this level, before an item goes to the next one; also the time that the letter gives to pay.
    pub waiting_days: i32,
    /// A letter whose items come to less is not written; in the base currency.
    pub minimum_amount: Amount,
    /// Asked for in the letter and not posted; in the base currency.
    pub fee: Amount,
    /// Who gets a letter of this level goes on credit hold.
    pub credit_hold: bool,
    pub texts: Vec<DunningText>,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DunningLevelIn {
    pub id: Option<Uuid>,
    #[schema(minimum = 1, maximum = 9)]
    pub level: i16,
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub name: String,
    #[schema(minimum = 1, maximum = 3650)]
    pub days_overdue: i32,
    #[schema(minimum = 0, maximum = 3650)]
    pub waiting_days: i32,
    /// In the base currency; default 0.
    pub minimum_amount: Option<Amount>,
    /// In the base currency; default 0.
    pub fee: Option<Amount>,
    #[serde(default)]
    pub credit_hold: bool,
    #[schema(min_items = 1, max_items = 30)]
    pub texts: Vec<DunningText>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DunningLevelPatch {
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", nullable = false)]
    pub name: Option<String>,
    #[schema(minimum = 1, maximum = 3650, nullable = false)]
    pub days_overdue: Option<i32>,
    #[schema(minimum = 0, maximum = 3650, nullable = false)]
    pub waiting_days: Option<i32>,
    #[schema(nullable = false)]
    pub minimum_amount: Option<Amount>,
    #[schema(nullable = false)]
    pub fee: Option<Amount>,
    #[schema(nullable = false)]
    pub credit_hold: Option<bool>,
    /// All of them.
    #[schema(min_items = 1, max_items = 30, nullable = false)]
    pub texts: Option<Vec<DunningText>>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DunningLevelsQuery {
    limit: Option<Limit>,
    cursor: Option<Cursor>,
    /// `level`, with `-` for descending.
    sort: Option<Sort>,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = dunning_levels)]
struct Row {
    id: Uuid,
    level: i16,
    name: String,
    days_overdue: i32,
    waiting_days: i32,
    minimum_amount: Amount,
    fee: Amount,
    credit_hold: bool,
    texts: Value,
    revision: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Resource for DunningLevel {
    const PATH: &'static str = "dunning-levels";
    const TYPE: &'static str = "dunning_level";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

impl Row {
    fn shown(self, base: Currency) -> Result<DunningLevel> {
        Ok(DunningLevel {
            minimum_amount: crate::ledger::shown(base, self.minimum_amount.value())?,
            fee: crate::ledger::shown(base, self.fee.value())?,
            texts: serde_json::from_value(self.texts)?,
            id: self.id,
            level: self.level,
            name: self.name,
            days_overdue: self.days_overdue,
            waiting_days: self.waiting_days,
            credit_hold: self.credit_hold,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

    fn of(level: &DunningLevel) -> Result<Row> {
        Ok(Row {
            texts: serde_json::to_value(&level.texts)?,
            id: level.id,
            level: level.level,
            name: level.name.clone(),
            days_overdue: level.days_overdue,
            waiting_days: level.waiting_days,
            minimum_amount: level.minimum_amount,
            fee: level.fee,
            credit_hold: level.credit_hold,
            revision: level.revision,
            created_at: level.created_at,
            updated_at: level.updated_at,
        })
    }
}

pub(super) fn routes(routes: &mut Routes) {
    routes
        .add(list_dunning_levels)
        .add(create_dunning_level)
        .add(get_dunning_level)
        .add(update_dunning_level)
        .add(delete_dunning_level);
}

#[utoipa::path(tag = "receivables", params(DunningLevelsQuery), security(("api_key" = ["dunning:read"])),
    responses((status = 200, description = "A page of levels", body = Page<DunningLevel>)))]
#[get("/dunning-levels")]
async fn list_dunning_levels(
    read: Read<may::ReadDunning>,
    query: Query<DunningLevelsQuery>,
) -> Result<Answer, Problem> {
    read.json(move |conn| {
        let found = dunning_levels::table.select(Row::as_select()).into_boxed();
        let page: Result<Page<Row>> = keyset_page!(found, conn, query.limit, query.cursor, query.sort,
            id: dunning_levels::id as Uuid => |l: &Row| l.id, [
            "level" => dunning_levels::level as i16 => |l: &Row| l.level,
        ]);
        let Page { items, next_cursor } = page?;
        let base = company::settings(conn)?.base_currency;
        let items = items.into_iter().map(|row| row.shown(base)).collect::<Result<_>>()?;
        Ok(Page { items, next_cursor })
    })
    .await
}

/// Add a level of reminders.
#[utoipa::path(tag = "receivables", request_body = DunningLevelIn, security(("api_key" = ["dunning:write"])),
    responses((status = 201, description = "The level", body = DunningLevel)))]
#[post("/dunning-levels")]
async fn create_dunning_level(
    command: Command<may::WriteDunning>,
    body: Body<DunningLevelIn>,
) -> Result<Answer, Problem> {
    command.create(move |tx| create(tx, &body.0)).await
}

#[utoipa::path(tag = "receivables", params(IdPath), security(("api_key" = ["dunning:read"])),
    responses((status = 200, description = "The level", body = DunningLevel)))]
#[get("/dunning-levels/{id}")]
async fn get_dunning_level(read: Read<may::ReadDunning>, path: Path<IdPath>) -> Result<Answer, Problem> {
    read.one(move |conn| {
        let found = dunning_levels::table.find(path.id).select(Row::as_select());
        let row: Row = found.first(conn).or_not_found("dunning level")?;
        row.shown(company::settings(conn)?.base_currency)
    })
    .await
}

/// Change a level. Letters that are written keep their words.
#[utoipa::path(tag = "receivables", params(IdPath), request_body(content = DunningLevelPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["dunning:write"])), responses((status = 200, description = "The level", body = DunningLevel)))]
#[patch("/dunning-levels/{id}")]
async fn update_dunning_level(
    command: Command<may::WriteDunning>,
    path: Path<IdPath>,
    body: Body<DunningLevelPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, path.id, &body.0)).await
}

/// Delete a level. Items that have reached it stay there.
#[utoipa::path(tag = "receivables", params(IdPath), security(("api_key" = ["dunning:write"])),
    responses((status = 204, description = "The level is gone")))]
#[delete("/dunning-levels/{id}")]
async fn delete_dunning_level(command: Command<may::WriteDunning>, path: Path<IdPath>) -> Result<Answer, Problem> {
    command
        .answer(move |tx| {
            let before = lock(tx, path.id)?;
            tx.match_if_given(&before)?;
            diesel::delete(dunning_levels::table.find(path.id)).execute(&mut **tx)?;
            let changes = json!({ "level": { "from": before.level, "to": null } });
            tx.audit_changes(DunningLevel::TYPE, before.id, before.revision + 1, changes);
            Ok(Answer::no_content())
        })
        .await
}

/// All levels, the lowest first.
pub(super) fn all(conn: &mut PgConnection) -> Result<Vec<DunningLevel>> {
    let rows: Vec<Row> = dunning_levels::table
        .order(dunning_levels::level)
        .select(Row::as_select())
        .load(conn)?;
    let base = company::settings(conn)?.base_currency;
    rows.into_iter().map(|row| row.shown(base)).collect()
}

fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<DunningLevel> {
    let row: Row = dunning_levels::table
        .find(id)
        .for_update()
        .select(Row::as_select())
        .first(&mut **tx)
        .or_not_found("dunning level")?;
    row.shown(company::settings(tx)?.base_currency)
}

fn create(tx: &mut Tx<'_>, input: &DunningLevelIn) -> Result<DunningLevel> {
    let base = company::settings(tx)?.base_currency;
    let money = |amount: Option<Amount>| amount.unwrap_or_default();
    let level = DunningLevel {
        id: tx.mint(input.id),
        level: input.level,
        name: input.name.clone(),
        days_overdue: input.days_overdue,
        waiting_days: input.waiting_days,
        minimum_amount: money(input.minimum_amount),
        fee: money(input.fee),
        credit_hold: input.credit_hold,
        texts: input.texts.clone(),
        revision: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    check(&level, base)?;
    let row = Row::of(&level)?;
    diesel::insert_into(dunning_levels::table)
        .values(&row)
        .execute(&mut **tx)?;
    let level = row.shown(base)?;
    tx.audit(None, &level)?;
    Ok(level)
}

fn update(tx: &mut Tx<'_>, id: Uuid, patch: &DunningLevelPatch) -> Result<DunningLevel> {
    let before = lock(tx, id)?;
    tx.require_match(&before)?;
    let base = company::settings(tx)?.base_currency;
    let mut after = DunningLevel {
        name: patch.name.clone().unwrap_or_else(|| before.name.clone()),
        days_overdue: patch.days_overdue.unwrap_or(before.days_overdue),
        waiting_days: patch.waiting_days.unwrap_or(before.waiting_days),
        minimum_amount: patch.minimum_amount.unwrap_or(before.minimum_amount),
        fee: patch.fee.unwrap_or(before.fee),
        credit_hold: patch.credit_hold.unwrap_or(before.credit_hold),
        texts: patch.texts.clone().unwrap_or_else(|| before.texts.clone()),
        ..before.clone()
    };
    check(&after, base)?;
    if after == before {
        return Ok(before);
    }
    after.revision += 1;
    after.updated_at = tx.now();
    let row = Row::of(&after)?;
    diesel::update(dunning_levels::table.find(id))
        .set(&row)
        .execute(&mut **tx)?;
    let after = row.shown(base)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}

fn check(level: &DunningLevel, base: Currency) -> Result<(), Problem> {
    let mut faults = Faults::default();
    for (pointer, amount) in [("/minimum_amount", level.minimum_amount), ("/fee", level.fee)] {
        if amount.value().is_sign_negative() || base.round(amount.value()) != amount.value() {
            let digits = base.minor_digits();
            let message = format!("not below 0, and at most {digits} digits after the point");
            faults.add(pointer, "out_of_range", message);
        }
    }
    for (index, text) in level.texts.iter().enumerate() {
        if level.texts[..index].iter().any(|other| other.language == text.language) {
            let message = "the language stands there twice";
            faults.add(format!("/texts/{index}/language"), "duplicate", message);
        }
        for (field, words) in [("subject", &text.subject), ("body", &text.body)] {
            if let Some(unknown) = text::unknown_placeholder(words) {
                let message = format!("{{{unknown}}} stands for nothing; there are {}", text::names());
                faults.add(format!("/texts/{index}/{field}"), "unknown_placeholder", message);
            }
        }
    }
    faults.check()
}
