//! Orders that were shipped are invoiced on that day, with their freight; and paid, but for the last ones.

use super::orders::WIDTH;
use super::requests::{self, kind};
use super::{Company, Order};
use crate::api::Api;
use crate::failure::Result;
use crate::progress::Progress;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use std::collections::HashSet;
use uuid::Uuid;

#[derive(Deserialize)]
struct Record {
    id: Uuid,
}

/// Invoices what was delivered, in the order of the dates: numbers ascend with them.
pub(super) async fn invoice(company: &Company, erp: &Api, progress: &Progress) -> Result<()> {
    let mut shipped: Vec<&Order> = company.shipped_orders().collect();
    shipped.sort_by_key(|order| (order.delivery_date(), order.id));
    let known = ids(erp, "/v1/invoices?kind=invoice").await?;
    let step = progress.step("Invoices", shipped.len());
    for order in shipped {
        let id = company.uuid(kind::INVOICE, order.id);
        if !known.contains(&id) {
            let path = format!("/v1/sales-orders/{}/invoices", company.order_uuid(order.id));
            erp.post(&path, &id.to_string(), &requests::invoice(id, order)).await?;
        }
        step.tick();
    }
    step.done();
    Ok(())
}

/// Books what customers paid.
pub(super) async fn pay(company: &Company, erp: &Api, progress: &Progress) -> Result<()> {
    let paid: Vec<&Order> = company.paid_orders().collect();
    let known = ids(erp, "/v1/payments").await?;
    let step = progress.step("Payments", paid.len());
    let payments = stream::iter(paid).map(|order| {
        let (known, step) = (&known, &step);
        async move {
            let id = company.uuid(kind::PAYMENT, order.id);
            if !known.contains(&id) {
                let body = requests::payment(company, id, order);
                erp.post("/v1/payments", &id.to_string(), &body).await?;
            }
            step.tick();
            Ok(())
        }
    });
    payments.buffer_unordered(WIDTH).try_collect::<()>().await?;
    step.done();
    Ok(())
}

async fn ids(erp: &Api, list: &str) -> Result<HashSet<Uuid>> {
    let records: Vec<Record> = erp.list(list).await?;
    Ok(records.into_iter().map(|record| record.id).collect())
}
