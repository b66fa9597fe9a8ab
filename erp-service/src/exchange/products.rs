//! Products, by SKU.

use crate::catalog::products::{Product, ProductIn, ProductKind, ProductPatch, Tracking, bulk};
use crate::catalog::{categories, units};
use crate::may;
use service_kit::exchange::{Column, Done, Entry, Fields, Importer, Rows};
use service_kit::{Permission, Result, Tx};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

pub struct Products;

pub struct Row {
    sku: String,
    patch: ProductPatch,
    category: Option<String>,
}

impl Importer for Products {
    type Row = Row;
    const KIND: &'static str = "products";
    const ABOUT: &'static str = "Products, matched by `sku`. A new one needs `name`, `kind` and `unit`.";
    const READ: &'static str = may::ReadProducts::NAME;
    const WRITE: &'static str = may::WriteProducts::NAME;
    const LIST: &'static str = "/v1/products";
    const COLUMNS: &'static [Column] = &[
        Column::required("sku", "the match key; at most 60 characters, without spaces around it"),
        Column::optional("name", "at most 200 characters"),
        Column::optional("description", "at most 4000 characters"),
        Column::optional("kind", "`goods` or `service`"),
        Column::optional("unit", "code of a unit of measure"),
        Column::optional("category_id", "UUID of a category; goes before `category_name`"),
        Column::optional("category_name", "the name of a category, if only one has it"),
        Column::optional("external_ref", "id in another system; unique"),
        Column::optional(
            "tracking",
            "`none`, `lot` or `serial`; goods only, `none` for new products",
        ),
        Column::optional("tax_class", "decides the tax; empty: `standard`"),
    ];

    fn read(fields: &mut Fields<'_>) -> Option<Row> {
        let sku = fields.code("sku", 60);
        let category = fields.optional_text("category_name", 200);
        let category_id = fields.optional("category_id");
        let patch = ProductPatch {
            sku: None,
            name: fields.text("name", 200),
            description: fields.optional_text("description", 4000),
            kind: fields.word("kind"),
            unit: fields.code("unit", 20),
            // A name without an id stands for the category; two empty cells for none.
            category_id: match (category_id, &category) {
                (Some(None), Some(Some(_))) => None,
                (None, Some(None)) => Some(None),
                (given, _) => given,
            },
            external_ref: fields.optional_text("external_ref", 200),
            tracking: fields.word("tracking"),
            tax_class: fields.optional_code("tax_class", 40),
        };
        Some(Row {
            sku: sku?,
            category: category.flatten().filter(|_| patch.category_id.is_none()),
            patch,
        })
    }

    fn key(row: &Row) -> String {
        row.sku.clone()
    }

    fn apply(tx: &mut Tx<'_>, rows: &mut Rows<Row>) -> Result<()> {
        let skus: Vec<&str> = rows.iter().map(|entry| entry.row.sku.as_str()).collect();
        let mut existing = bulk::lock_by_sku(tx, &skus)?;
        let mut known = Known::of(tx, rows)?;
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for entry in rows.iter_mut() {
            known.check(entry);
            let before = existing.remove(&entry.row.sku);
            let Some(wanted) = wanted(entry, before.as_ref()).filter(|wanted| may_be_tracked(entry, wanted)) else {
                continue;
            };
            match before {
                None => {
                    let id = Uuid::now_v7();
                    entry.done(Done::Created(id));
                    new.push((id, wanted));
                }
                Some(before) if before.is(&wanted) => entry.done(Done::Unchanged(before.id)),
                Some(before) => {
                    entry.done(Done::Updated(before.id));
                    changed.push((before, wanted));
                }
            }
        }
        bulk::create(tx, &new)?;
        bulk::update(tx, &changed)
    }
}

/// The product as the row wants it, if nothing is wrong with the row.
fn wanted(entry: &mut Entry<Row>, before: Option<&Product>) -> Option<ProductIn> {
    if let Some(before) = before {
        return entry.is_good().then(|| before.with(entry.row.patch.clone()));
    }
    let patch = entry.row.patch.clone();
    for (column, missing) in [
        ("name", patch.name.is_none()),
        ("kind", patch.kind.is_none()),
        ("unit", patch.unit.is_none()),
    ] {
        if missing {
            entry.reject(column, "required", "a new product needs it");
        }
    }
    if !entry.is_good() {
        return None;
    }
    Some(ProductIn {
        id: None,
        sku: entry.row.sku.clone(),
        name: patch.name?,
        description: patch.description.flatten(),
        kind: patch.kind?,
        unit: patch.unit?,
        category_id: patch.category_id.flatten(),
        external_ref: patch.external_ref.flatten(),
        tracking: patch.tracking,
        tax_class: patch.tax_class.flatten(),
    })
}

/// What has no stock has no lots.
fn may_be_tracked(entry: &mut Entry<Row>, wanted: &ProductIn) -> bool {
    let tracked = wanted.tracking.is_some_and(|tracking| tracking != Tracking::None);
    if wanted.kind == ProductKind::Service && tracked {
        entry.reject("tracking", "not_stocked", "a service has no lots");
    }
    entry.is_good()
}

/// What the rows refer to, as far as it is there.
struct Known {
    units: HashSet<String>,
    category_ids: HashSet<Uuid>,
    category_names: HashMap<String, Vec<Uuid>>,
    /// Who has which external reference: the SKU.
    references: HashMap<String, String>,
}

impl Known {
    fn of(tx: &mut Tx<'_>, rows: &Rows<Row>) -> Result<Self> {
        let patches = || rows.iter().map(|entry| &entry.row.patch);
        let units: HashSet<&str> = patches().filter_map(|patch| patch.unit.as_deref()).collect();
        let ids: HashSet<Uuid> = patches().filter_map(|patch| patch.category_id.flatten()).collect();
        let names: HashSet<&str> = rows.iter().filter_map(|entry| entry.row.category.as_deref()).collect();
        let references: Vec<&str> = patches()
            .filter_map(|patch| patch.external_ref.as_ref()?.as_deref())
            .collect();
        let mut category_names: HashMap<String, Vec<Uuid>> = HashMap::new();
        for (name, id) in categories::ids_by_name(tx, &names.into_iter().collect::<Vec<_>>())? {
            category_names.entry(name).or_default().push(id);
        }
        Ok(Known {
            units: units::known(tx, &units.into_iter().collect::<Vec<_>>())?,
            category_ids: categories::known(tx, &ids.into_iter().collect::<Vec<_>>())?,
            category_names,
            references: bulk::holders_of(tx, &references)?,
        })
    }

    fn check(&mut self, entry: &mut Entry<Row>) {
        if let Some(unit) = &entry.row.patch.unit
            && !self.units.contains(unit)
        {
            entry.reject("unit", "unknown_unit", "there is no such unit");
        }
        if let Some(id) = entry.row.patch.category_id.flatten()
            && !self.category_ids.contains(&id)
        {
            entry.reject("category_id", "unknown_category", "there is no such category");
        }
        if let Some(name) = &entry.row.category {
            match self.category_names.get(name).map(Vec::as_slice) {
                Some([id]) => entry.row.patch.category_id = Some(Some(*id)),
                Some(_) => entry.reject("category_name", "ambiguous", "several categories have this name"),
                None => entry.reject("category_name", "unknown_category", "there is no such category"),
            }
        }
        if let Some(Some(reference)) = &entry.row.patch.external_ref {
            let holder = self.references.entry(reference.clone());
            let holder = holder.or_insert_with(|| entry.row.sku.clone());
            if *holder != entry.row.sku {
                let message = format!("the product {holder} has this external_ref");
                entry.reject("external_ref", "duplicate", message);
            }
        }
    }
}
