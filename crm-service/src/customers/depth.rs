//! Tags, the company above, custom fields: what else is said of a customer.
//!
//! **Tags** are free words, at most 50, each once whatever its case, kept in the order of the alphabet.
//! **A parent** is the company that this one belongs to. The companies are trees of at most ten levels; a trigger
//! sees to it, under a lock on all trees, because two who move companies at once could close a circle that
//! neither sees. **Custom fields** see [`crate::custom_fields`].

use crate::custom_fields::{self, CustomValues, RecordType};
use crate::customers::model::{CustomerCore, CustomerIn, CustomerPatch};
use crate::schema::customers;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use service_kit::db::sql;
use service_kit::{Faults, Result, Tx, visible};
use std::collections::HashSet;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use uuid::Uuid;

/// A word that customers are marked with.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(transparent)]
pub struct Tag(pub String);

impl utoipa::PartialSchema for Tag {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(60))
            .pattern(Some(r"^\S([^\x00-\x1f]*\S)?$"))
            .examples(["trade fair"])
            .into()
    }
}

impl utoipa::ToSchema for Tag {}

/// What an input says; absent is left as it is.
pub struct Depth<'a> {
    tags: Option<&'a [Tag]>,
    parent_id: Option<Option<Uuid>>,
    language: Option<Option<&'a str>>,
    custom_fields: Option<&'a CustomValues>,
    /// The values are all that there are, not only those that change.
    whole: bool,
}

impl<'a> From<&'a CustomerIn> for Depth<'a> {
    fn from(input: &'a CustomerIn) -> Self {
        Depth {
            tags: input.tags.as_deref(),
            parent_id: Some(input.parent_id),
            language: Some(input.language.as_deref()),
            custom_fields: input.custom_fields.as_ref(),
            whole: true,
        }
    }
}

impl<'a> From<&'a CustomerPatch> for Depth<'a> {
    fn from(patch: &'a CustomerPatch) -> Self {
        Depth {
            tags: patch.tags.as_deref(),
            parent_id: patch.parent_id,
            language: patch.language.as_ref().map(Option::as_deref),
            custom_fields: patch.custom_fields.as_ref(),
            whole: false,
        }
    }
}

impl Depth<'_> {
    /// Gives a customer what the input says, and names every fault.
    pub fn apply(&self, tx: &mut Tx<'_>, core: &mut CustomerCore, faults: &mut Faults) -> Result<()> {
        if let Some(tags) = self.tags {
            core.tags = sorted(tags, faults);
        }
        if let Some(parent) = self.parent_id.filter(|parent| *parent != core.parent_id) {
            check_parent(tx, core.id, parent, faults)?;
            core.parent_id = parent;
        }
        if let Some(language) = self.language {
            core.language = language.map(str::to_owned);
        }
        if let Some(given) = self.custom_fields {
            let sight = tx.actor().sight.clone();
            let stored = core.custom_fields.clone();
            let merged = match self.whole {
                true => custom_fields::replace,
                false => custom_fields::merge,
            };
            core.custom_fields = merged(tx, RecordType::Customer, &stored, given, &sight, faults)?;
        }
        Ok(())
    }
}

fn sorted(tags: &[Tag], faults: &mut Faults) -> Vec<String> {
    let mut seen = HashSet::new();
    for (index, tag) in tags.iter().enumerate() {
        if !seen.insert(tag.0.to_lowercase()) {
            faults.add(format!("/tags/{index}"), "duplicate", "this tag stands there already");
        }
    }
    let mut tags: Vec<String> = tags.iter().map(|tag| tag.0.clone()).collect();
    tags.sort_by_cached_key(|tag| tag.to_lowercase());
    tags
}

fn check_parent(tx: &mut Tx<'_>, id: Uuid, parent: Option<Uuid>, faults: &mut Faults) -> Result<()> {
    let Some(parent) = parent else { return Ok(()) };
    if parent == id {
        faults.add("/parent_id", "customer_cycle", "a company is not its own parent");
        return Ok(());
    }
    let sight = tx.actor().sight.clone();
    let found: Option<Uuid> = customers::table
        .filter(customers::id.eq(parent))
        .filter(customers::merged_into.is_null())
        .filter(visible!(&sight, customers))
        .select(customers::id)
        .first(&mut **tx)
        .optional()?;
    if found.is_none() {
        faults.add("/parent_id", "unknown_customer", "there is no such customer");
    }
    lock_trees(tx)?;
    Ok(())
}

/// Whoever moves a company waits here for others who do.
pub fn lock_trees(conn: &mut PgConnection) -> QueryResult<()> {
    const TREES: i64 = 0x6372_6d74_7265_6500;
    sql("SELECT pg_advisory_xact_lock($1)")
        .bind::<BigInt, _>(TREES)
        .run(conn)?;
    Ok(())
}
