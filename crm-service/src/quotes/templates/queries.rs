//! The SQL of templates.

use super::model::{QuoteTemplate, QuoteTemplateState, QuoteTemplateVersion, TemplateRow};
use crate::schema::{quote_template_versions, quote_templates};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::collections::HashMap;
use uuid::Uuid;

pub fn get(conn: &mut PgConnection, id: Uuid) -> QueryResult<QuoteTemplate> {
    let row = quote_templates::table
        .find(id)
        .select(TemplateRow::as_select())
        .first(conn)?;
    with_versions(conn, vec![row])?.pop().ok_or(diesel::NotFound)
}

pub fn lock(conn: &mut PgConnection, id: Uuid) -> QueryResult<QuoteTemplate> {
    let row = quote_templates::table
        .find(id)
        .select(TemplateRow::as_select())
        .for_no_key_update()
        .first(conn)?;
    with_versions(conn, vec![row])?.pop().ok_or(diesel::NotFound)
}

/// Gives templates what is published of them, and their drafts.
pub fn with_versions(conn: &mut PgConnection, rows: Vec<TemplateRow>) -> QueryResult<Vec<QuoteTemplate>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut versions: HashMap<(Uuid, QuoteTemplateState), QuoteTemplateVersion> = quote_template_versions::table
        .filter(quote_template_versions::template_id.eq_any(&ids))
        .filter(quote_template_versions::state.ne(QuoteTemplateState::Retired))
        .select(QuoteTemplateVersion::as_select())
        .load(conn)?
        .into_iter()
        .map(|version| ((version.template_id, version.state), version))
        .collect();
    Ok(rows
        .into_iter()
        .map(|row| QuoteTemplate {
            published: versions.remove(&(row.id, QuoteTemplateState::Published)),
            draft: versions.remove(&(row.id, QuoteTemplateState::Draft)),
            id: row.id,
            language: row.language,
            name: row.name,
            revision: row.revision,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
        .collect())
}

/// Stores a new template; false when there is one with this id.
pub fn insert(conn: &mut PgConnection, row: &TemplateRow) -> QueryResult<bool> {
    let made = diesel::insert_into(quote_templates::table)
        .values(row)
        .on_conflict(quote_templates::id)
        .do_nothing()
        .execute(conn)?;
    Ok(made == 1)
}

pub fn touch(conn: &mut PgConnection, id: Uuid, revision: i64, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::update(quote_templates::table.find(id))
        .set((
            quote_templates::revision.eq(revision),
            quote_templates::updated_at.eq(now),
        ))
        .execute(conn)
}

/// Puts the text of the draft in place, which is made when there is none.
pub fn put_draft(
    conn: &mut PgConnection,
    template: Uuid,
    draft: Option<Uuid>,
    html: &str,
    now: DateTime<Utc>,
) -> QueryResult<usize> {
    use quote_template_versions::dsl;
    if let Some(draft) = draft {
        return diesel::update(dsl::quote_template_versions.find(draft))
            .set(dsl::html.eq(html))
            .execute(conn);
    }
    let last: Option<i32> = dsl::quote_template_versions
        .filter(dsl::template_id.eq(template))
        .select(diesel::dsl::max(dsl::number))
        .first(conn)?;
    let version = QuoteTemplateVersion {
        id: Uuid::now_v7(),
        template_id: template,
        number: last.unwrap_or(0) + 1,
        state: QuoteTemplateState::Draft,
        html: html.to_owned(),
        published_at: None,
        created_at: now,
    };
    diesel::insert_into(dsl::quote_template_versions)
        .values(&version)
        .execute(conn)
}

/// Retires what is published.
pub fn retire(conn: &mut PgConnection, template: Uuid) -> QueryResult<usize> {
    use quote_template_versions::dsl;
    let published = dsl::template_id
        .eq(template)
        .and(dsl::state.eq(QuoteTemplateState::Published));
    diesel::update(dsl::quote_template_versions.filter(published))
        .set(dsl::state.eq(QuoteTemplateState::Retired))
        .execute(conn)
}

pub fn publish(conn: &mut PgConnection, draft: Uuid, now: DateTime<Utc>) -> QueryResult<usize> {
    use quote_template_versions::dsl;
    diesel::update(dsl::quote_template_versions.find(draft))
        .set((dsl::state.eq(QuoteTemplateState::Published), dsl::published_at.eq(now)))
        .execute(conn)
}

/// What is published for a language.
#[derive(Debug)]
pub struct Published {
    pub template_id: Uuid,
    pub number: i32,
    pub language: String,
    pub html: String,
}

/// What quotes in a language are shown by: the template of the language, or of the language without
/// its region.
pub fn published(conn: &mut PgConnection, language: &str) -> QueryResult<Option<Published>> {
    let general = language.split('-').next().unwrap_or(language);
    let found: Vec<(Uuid, i32, String, String)> = quote_template_versions::table
        .inner_join(quote_templates::table)
        .filter(quote_template_versions::state.eq(QuoteTemplateState::Published))
        .filter(quote_templates::language.eq_any([language, general]))
        .select((
            quote_templates::id,
            quote_template_versions::number,
            quote_templates::language,
            quote_template_versions::html,
        ))
        .load(conn)?;
    let best = found.into_iter().max_by_key(|(_, _, language, _)| language.len());
    Ok(best.map(|(template_id, number, language, html)| Published {
        template_id,
        number,
        language,
        html,
    }))
}
