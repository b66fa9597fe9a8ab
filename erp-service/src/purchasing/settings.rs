//! How far receipts and bills may differ from what was ordered, and from which value on an order
//! needs a second person. One record, there from the first migration; amounts in the base currency.

use crate::may;
use crate::schema::purchasing_settings;
use actix_web::{get, patch};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use service_kit::decimal::Fraction;
use service_kit::{Amount, Answer, Body, Command, Faults, Problem, Read, Resource, Result, Routes, Tx};
use utoipa::ToSchema;
use uuid::{Uuid, uuid};

/// The id of the one record.
const ID: Uuid = uuid!("00000000-0000-7000-8000-000000000002");

/// Settings of purchasing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Queryable, Selectable, ToSchema)]
#[diesel(table_name = purchasing_settings)]
pub struct PurchasingSettings {
    pub id: Uuid,
    /// Purchase orders worth up to this, in the base currency, need no second person.
    pub approval_free_up_to: Amount,
    /// Fraction of the ordered quantity that may come on top, unless the line says otherwise.
    pub over_receipt_tolerance: Fraction,
    /// A bill's price may differ from the order's by the lesser of this fraction …
    pub bill_tolerance_fraction: Fraction,
    /// … and this amount in the base currency, per line and cumulative.
    pub bill_tolerance_amount: Amount,
    pub revision: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchasingSettingsPatch {
    #[schema(nullable = false)]
    pub approval_free_up_to: Option<Amount>,
    #[schema(nullable = false)]
    pub over_receipt_tolerance: Option<Fraction>,
    #[schema(nullable = false)]
    pub bill_tolerance_fraction: Option<Fraction>,
    #[schema(nullable = false)]
    pub bill_tolerance_amount: Option<Amount>,
}

impl Resource for PurchasingSettings {
    const PATH: &'static str = "company/purchasing";
    const TYPE: &'static str = "purchasing_settings";
    fn id(&self) -> Uuid {
        self.id
    }
    fn revision(&self) -> i64 {
        self.revision
    }
}

pub fn routes(routes: &mut Routes) {
    routes.add(get_purchasing_settings).add(update_purchasing_settings);
}

/// The tolerances and limits of purchasing.
#[utoipa::path(tag = "administration", security(("api_key" = ["company:read"])),
    responses((status = 200, description = "The settings", body = PurchasingSettings)))]
#[get("/company/purchasing")]
async fn get_purchasing_settings(read: Read<may::ReadCompany>) -> Result<Answer, Problem> {
    read.one(|conn| Ok(settings(conn)?)).await
}

/// Change the tolerances and limits of purchasing.
#[utoipa::path(tag = "administration", request_body(content = PurchasingSettingsPatch, content_type = "application/merge-patch+json"),
    security(("api_key" = ["company:write"])), responses((status = 200, description = "The changed settings", body = PurchasingSettings)))]
#[patch("/company/purchasing")]
async fn update_purchasing_settings(
    command: Command<may::WriteCompany>,
    body: Body<PurchasingSettingsPatch>,
) -> Result<Answer, Problem> {
    command.run(move |tx| update(tx, &body.0)).await
}

/// The settings as they are.
///
/// # Errors
/// When the database refuses.
pub fn settings(conn: &mut PgConnection) -> QueryResult<PurchasingSettings> {
    purchasing_settings::table
        .find(ID)
        .select(PurchasingSettings::as_select())
        .first(conn)
}

fn update(tx: &mut Tx<'_>, patch: &PurchasingSettingsPatch) -> Result<PurchasingSettings> {
    let before = purchasing_settings::table
        .find(ID)
        .for_update()
        .select(PurchasingSettings::as_select())
        .first(&mut **tx)?;
    tx.require_match(&before)?;
    let mut wanted = before.clone();
    wanted.approval_free_up_to = patch.approval_free_up_to.unwrap_or(before.approval_free_up_to);
    wanted.over_receipt_tolerance = patch.over_receipt_tolerance.unwrap_or(before.over_receipt_tolerance);
    wanted.bill_tolerance_fraction = patch.bill_tolerance_fraction.unwrap_or(before.bill_tolerance_fraction);
    wanted.bill_tolerance_amount = patch.bill_tolerance_amount.unwrap_or(before.bill_tolerance_amount);
    let mut faults = Faults::default();
    for (pointer, amount) in [
        ("/approval_free_up_to", wanted.approval_free_up_to),
        ("/bill_tolerance_amount", wanted.bill_tolerance_amount),
    ] {
        if amount.value().is_sign_negative() {
            faults.add(pointer, "out_of_range", "must not be negative");
        }
    }
    faults.check()?;
    if wanted == before {
        return Ok(before);
    }
    let after = diesel::update(purchasing_settings::table.find(ID))
        .set((
            purchasing_settings::approval_free_up_to.eq(wanted.approval_free_up_to),
            purchasing_settings::over_receipt_tolerance.eq(wanted.over_receipt_tolerance),
            purchasing_settings::bill_tolerance_fraction.eq(wanted.bill_tolerance_fraction),
            purchasing_settings::bill_tolerance_amount.eq(wanted.bill_tolerance_amount),
            purchasing_settings::revision.eq(purchasing_settings::revision + 1),
            purchasing_settings::updated_at.eq(tx.now()),
        ))
        .returning(PurchasingSettings::as_returning())
        .get_result(&mut **tx)?;
    tx.audit(Some(&before), &after)?;
    Ok(after)
}
