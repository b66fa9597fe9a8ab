//! Who delivers what a company sells: suppliers, what they ask, reorder levels, and what is on order.

use super::orders::WIDTH;
use super::requests::{self, kind};
use super::{Company, Product, Supplier};
use crate::api::Api;
use crate::failure::Result;
use crate::progress::Progress;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

#[derive(Deserialize)]
struct Status {
    status: String,
}

#[derive(Deserialize)]
struct ApiKey {
    id: Uuid,
    key: String,
}

/// What the purchasing of a company has to get.
pub(super) struct Purchases<'a> {
    pub company: &'a Company,
    pub erp: &'a Api,
    pub progress: &'a Progress,
    pub warehouse: Uuid,
}

impl Purchases<'_> {
    /// Suppliers with their prices, and the levels from which products are ordered again.
    pub(super) async fn suppliers(&self) -> Result<()> {
        let company = self.company;
        let step = self.progress.step(
            "Suppliers and reorder levels",
            company.suppliers.len() + company.products.len(),
        );
        let suppliers = stream::iter(&company.suppliers).map(|supplier| async {
            let path = format!("/v1/suppliers/{}", company.uuid(kind::SUPPLIER, supplier.id));
            self.erp.put(&path, &requests::supplier(supplier)).await?;
            step.tick();
            Ok(())
        });
        suppliers.buffer_unordered(WIDTH).try_collect::<()>().await?;
        let products = stream::iter(&company.products).map(|product| async {
            self.supply(product).await?;
            step.tick();
            Ok(())
        });
        products.buffer_unordered(WIDTH).try_collect::<()>().await?;
        step.done();
        Ok(())
    }

    async fn supply(&self, product: &Product) -> Result<()> {
        let company = self.company;
        let price = requests::supplier_price(company, product);
        let key = company.uuid(kind::SUPPLIER_PRICE, product.id).to_string();
        let path = format!(
            "/v1/suppliers/{}/prices",
            company.uuid(kind::SUPPLIER, product.supplier_id)
        );
        self.erp.post(&path, &key, &price).await?;
        if product.reorder_level > 0 && !product.discontinued {
            let rule = requests::reorder_rule(company, product, self.warehouse);
            let key = company.uuid(kind::REORDER_RULE, product.id).to_string();
            self.erp.post("/v1/reorder-rules", &key, &rule).await?;
        }
        Ok(())
    }

    /// What is on order, one purchase order for each supplier; approved by a second key, as in life.
    pub(super) async fn orders(&self) -> Result<()> {
        let company = self.company;
        let on_order = |supplier: &Supplier| -> Vec<&Product> {
            let of_it = company
                .products
                .iter()
                .filter(|product| product.supplier_id == supplier.id);
            of_it.filter(|product| product.units_on_order > 0).collect()
        };
        let wanted: Vec<(&Supplier, Vec<&Product>)> = company
            .suppliers
            .iter()
            .map(|supplier| (supplier, on_order(supplier)))
            .filter(|(_, products)| !products.is_empty())
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let step = self.progress.step("Purchase orders", wanted.len());
        let approver = self.approver().await?;
        for (supplier, products) in wanted {
            let id = company.uuid(kind::PURCHASE_ORDER, supplier.id);
            let path = format!("/v1/purchase-orders/{id}");
            if self.erp.find::<Status>(&path).await?.is_none() {
                let body = requests::purchase_order(company, id, supplier, &products);
                self.erp.post("/v1/purchase-orders", &id.to_string(), &body).await?;
            }
            let order: Status = self.erp.get(&path).await?;
            if order.status == "awaiting_approval" {
                approver.0.command(&format!("{path}/approve"), &id.to_string()).await?;
            }
            step.tick();
        }
        self.erp.delete(&format!("/v1/api-keys/{}", approver.1)).await?;
        step.done();
        Ok(())
    }

    /// A key for the second person, with a limit that is high enough; it is revoked afterwards.
    async fn approver(&self) -> Result<(Api, Uuid)> {
        let body = json!({ "name": "Approves the demo's purchase orders", "role": "admin" });
        let made = self
            .erp
            .post("/v1/api-keys", &Uuid::new_v4().to_string(), &body)
            .await?;
        let key: ApiKey = crate::api::understood("/v1/api-keys", made)?;
        Ok((self.erp.with_key(&key.key), key.id))
    }
}
