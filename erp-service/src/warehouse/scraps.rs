//! Scrap: goods that are worth nothing any more, with a reason. A scrap is a stock adjustment of kind
//! `scrap` with a number and a permission of its own; it posts against scrap.

use super::adjustments::{self, AdjustmentKind, StockAdjustment, StockAdjustmentIn, StockAdjustmentLineIn};
use crate::inventory::lots::LotQuantity;
use crate::may;
use actix_web::post;
use chrono::NaiveDate;
use serde::Deserialize;
use service_kit::decimal::SignedQuantity;
use service_kit::{Answer, Body, Command, Faults, Problem, Quantity, Result, Routes};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScrapIn {
    pub id: Option<Uuid>,
    pub warehouse_id: Uuid,
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// Posting date; default today.
    pub date: Option<NaiveDate>,
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<ScrapLineIn>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScrapLineIn {
    pub product_id: Uuid,
    /// What is gone, more than 0.
    pub quantity: Quantity,
    /// Lots and locations that it is taken from; absent: expired lots first.
    #[serde(default)]
    #[schema(max_items = 500, nullable = false)]
    pub lots: Vec<LotQuantity>,
}

pub fn routes(routes: &mut Routes) {
    routes.add(create_scrap);
}

/// Throw goods away. The record is a stock adjustment of kind `scrap`.
#[utoipa::path(tag = "inventory", request_body = ScrapIn, security(("api_key" = ["stock:scrap"])),
    responses((status = 201, description = "The posted adjustment", body = StockAdjustment)))]
#[post("/scraps")]
async fn create_scrap(command: Command<may::ScrapStock>, body: Body<ScrapIn>) -> Result<Answer, Problem> {
    command
        .create(move |tx| {
            let adjustment = as_adjustment(&body.0)?;
            adjustments::adjust(tx, &adjustment)
        })
        .await
}

fn as_adjustment(input: &ScrapIn) -> Result<StockAdjustmentIn> {
    let mut faults = Faults::default();
    let mut lines = Vec::with_capacity(input.lines.len());
    for (index, line) in input.lines.iter().enumerate() {
        match SignedQuantity::new(-line.quantity.value()) {
            Ok(quantity) => lines.push(StockAdjustmentLineIn {
                product_id: line.product_id,
                quantity,
                unit_cost: None,
                lots: line.lots.clone(),
            }),
            Err(error) => faults.add(format!("/lines/{index}/quantity"), "out_of_range", error.to_string()),
        }
    }
    faults.check()?;
    Ok(StockAdjustmentIn {
        id: input.id,
        warehouse_id: input.warehouse_id,
        kind: Some(AdjustmentKind::Scrap),
        reason: input.reason.clone(),
        date: input.date,
        lines,
    })
}
