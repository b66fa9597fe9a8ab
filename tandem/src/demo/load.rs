//! Loading a company into a running stack, through the public APIs as any client would:
//!
//! 1. into the ERP: categories, products, list prices, opening stock; into the CRM: users and their customers
//! 2. the sync brings the catalogue to the CRM and the customers to the ERP
//! 3. all orders through the CRM; the ERP decides
//! 4. what was shipped is delivered in the ERP, and the CRM shows it
//! 5. what was delivered is invoiced, and paid but for the last 60 days
//! 6. suppliers, reorder levels, and what is on order
//! 7. discontinued products are retired, now that the orders that hold them are in
//! 8. what the people of the CRM are at: deals, quotes, leads
//! 9. [`verify`] finds both systems as the files say
//!
//! Every step does only what is missing, so an interrupted load goes on where it stopped.

use super::memory::{Loaded, Memory};
use super::orders::{Orders, WIDTH};
use super::purchases::Purchases;
use super::requests::{self, kind};
use super::sales::Sales;
use super::{CURRENCY, Company, Product, settle};
use crate::api::{Api, http_client};
use crate::failure::{Failure, Result};
use crate::keys::Keys;
use crate::progress::{Progress, Step};
use crate::stack::Stack;
use crate::verify;
use chrono::Utc;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long the sync may take for something before we say so.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Lines of one stock adjustment.
const ADJUSTMENT_LINES: usize = 100;

/// What is the same of every record.
#[derive(Deserialize)]
struct Record {
    id: Uuid,
}

#[derive(Deserialize)]
struct PriceList {
    id: Uuid,
    currency: String,
    tier: Option<String>,
}

#[derive(Deserialize)]
struct Warehouse {
    id: Uuid,
    is_default: bool,
}

#[derive(Deserialize)]
struct CatalogueProduct {
    id: Uuid,
    prices: Vec<Record>,
}

#[derive(Deserialize)]
struct ErpProduct {
    id: Uuid,
    status: String,
}

/// Where a company is loaded to.
struct Loader<'a> {
    company: &'a Company,
    erp: Api,
    crm: Api,
    progress: &'a Progress,
}

/// Loads a company, or what is missing of it, and remembers that in the stack's directory.
///
/// # Errors
/// When a service refuses something, the sync does not keep up, or another company is there.
pub async fn load(directory: &Path, stack: &Stack, company: &Company, progress: &Progress) -> Result<Memory> {
    let started = Instant::now();
    let mut memory = Memory::read(directory)?.unwrap_or_else(|| Memory::of(company));
    memory.check(company, directory)?;
    memory.loaded = None;
    memory.write(directory)?;
    let http = http_client()?;
    let loader = Loader {
        company,
        erp: Api::new(&http, &stack.erp),
        crm: Api::new(&http, &stack.crm),
        progress,
    };
    let keys = Keys::of(directory)?;
    let sales = Sales {
        company,
        crm: &loader.crm,
        progress,
        password: &keys.demo_password,
        today: memory.began_on,
    };
    sales.people().await?;
    tokio::try_join!(loader.catalogue(), loader.customers())?;
    loader.replicas().await?;
    let mut orders = Orders::follow(company, &loader.crm, &loader.erp).await?;
    memory.round_trip = orders.submit(progress).await?.or(memory.round_trip);
    memory.write(directory)?;
    orders.deliver(progress).await?;
    settle::invoice(company, &loader.erp, progress).await?;
    settle::pay(company, &loader.erp, progress).await?;
    loader.purchases().await?;
    loader.retire().await?;
    sales.work().await?;
    loader.reconcile(stack).await?;
    memory.loaded = Some(Loaded {
        at: Utc::now(),
        seconds: started.elapsed().as_secs_f64(),
    });
    memory.write(directory)?;
    Ok(memory)
}

/// Whether the last order of a company is in the CRM.
///
/// # Errors
/// When the CRM does not answer.
pub async fn is_there(stack: &Stack, company: &Company) -> Result<bool> {
    let crm = Api::new(&http_client()?, &stack.crm);
    let Some(order) = company.orders.last() else {
        return Ok(false);
    };
    let found: Option<Record> = crm
        .find(&format!("/v1/orders/{}", company.order_uuid(order.id)))
        .await?;
    Ok(found.is_some())
}

impl Loader<'_> {
    async fn catalogue(&self) -> Result<()> {
        let company = self.company;
        let step = self.progress.step(
            "Categories and products",
            company.categories.len() + company.products.len(),
        );
        let categories = stream::iter(&company.categories).map(|category| {
            let path = format!("/v1/categories/{}", company.uuid(kind::CATEGORY, category.id));
            self.put(path, requests::category(category), &step)
        });
        categories.buffer_unordered(WIDTH).try_collect::<()>().await?;
        let products = stream::iter(&company.products).map(|product| {
            let path = format!("/v1/products/{}", company.product_uuid(product.id));
            self.put(path, requests::product(company, product), &step)
        });
        products.buffer_unordered(WIDTH).try_collect::<()>().await?;
        step.done();
        self.prices().await?;
        self.opening_stock().await
    }

    async fn put(&self, path: String, body: serde_json::Value, step: &Step) -> Result<()> {
        self.erp.put(&path, &body).await?;
        step.tick();
        Ok(())
    }

    async fn prices(&self) -> Result<()> {
        let step = self.progress.step("List prices", self.company.products.len());
        let path = format!("/v1/price-lists/{}/prices", self.base_price_list().await?);
        let posted = stream::iter(&self.company.products).map(|product| self.price(&path, product, &step));
        posted.buffer_unordered(WIDTH).try_collect::<()>().await?;
        step.done();
        Ok(())
    }

    async fn price(&self, path: &str, product: &Product, step: &Step) -> Result<()> {
        let key = self.company.uuid(kind::PRICE, product.id).to_string();
        self.erp
            .post(path, &key, &requests::price(self.company, product))
            .await?;
        step.tick();
        Ok(())
    }

    /// There is one base list per currency: ours, unless somebody made one before.
    async fn base_price_list(&self) -> Result<Uuid> {
        let lists: Vec<PriceList> = self.erp.list("/v1/price-lists").await?;
        let is_base = |list: &&PriceList| list.currency == CURRENCY.code() && list.tier.is_none();
        if let Some(list) = lists.iter().find(is_base) {
            return Ok(list.id);
        }
        let id = self.company.uuid(kind::PRICE_LIST, CURRENCY.code());
        let body = requests::price_list(self.company);
        self.erp.post("/v1/price-lists", &id.to_string(), &body).await?;
        Ok(id)
    }

    async fn opening_stock(&self) -> Result<()> {
        let company = self.company;
        let warehouse = self.default_warehouse().await?;
        let opening = company.opening_units();
        let of = |product: &Product| opening.get(&product.id).copied().unwrap_or_default();
        let units: Vec<(&Product, i64)> = company
            .products
            .iter()
            .map(|product| (product, of(product)))
            .filter(|(_, units)| *units > 0)
            .collect();
        let step = self.progress.step("Opening stock", units.len());
        for (number, part) in units.chunks(ADJUSTMENT_LINES).enumerate() {
            let id = company.uuid(kind::OPENING_STOCK, number);
            let body = requests::opening_stock(company, id, warehouse, part);
            self.erp.post("/v1/stock-adjustments", &id.to_string(), &body).await?;
            part.iter().for_each(|_| step.tick());
        }
        step.done();
        Ok(())
    }

    /// Orders that name no warehouse reserve in the default one: ours, unless there is one.
    async fn default_warehouse(&self) -> Result<Uuid> {
        let warehouses: Vec<Warehouse> = self.erp.list("/v1/warehouses").await?;
        if let Some(warehouse) = warehouses.iter().find(|warehouse| warehouse.is_default) {
            return Ok(warehouse.id);
        }
        let id = self.company.uuid(kind::WAREHOUSE, "MAIN");
        self.erp
            .put(&format!("/v1/warehouses/{id}"), &requests::warehouse())
            .await?;
        Ok(id)
    }

    async fn purchases(&self) -> Result<()> {
        let purchases = Purchases {
            company: self.company,
            erp: &self.erp,
            progress: self.progress,
            warehouse: self.default_warehouse().await?,
        };
        purchases.suppliers().await?;
        purchases.orders().await
    }

    async fn customers(&self) -> Result<()> {
        let company = self.company;
        let step = self.progress.step("Customers", company.customers.len());
        let customers = stream::iter(&company.customers).map(|customer| async {
            // The company's customers are those it has, however alike some of them look.
            let path = format!(
                "/v1/customers/{}?allow_duplicate=true",
                company.customer_uuid(&customer.id)
            );
            self.crm.put(&path, &requests::customer(company, customer)).await?;
            step.tick();
            Ok(())
        });
        customers.buffer_unordered(WIDTH).try_collect::<()>().await?;
        step.done();
        Ok(())
    }

    /// Waits for what the other side must know before orders can be entered.
    async fn replicas(&self) -> Result<()> {
        let company = self.company;
        let products: HashSet<Uuid> = company
            .products
            .iter()
            .map(|product| company.product_uuid(product.id))
            .collect();
        let customers: HashSet<Uuid> = company.customers.iter().map(|c| company.customer_uuid(&c.id)).collect();
        let step = self
            .progress
            .step("Each in the other system", products.len() + customers.len());
        let started = Instant::now();
        loop {
            let shown: Vec<CatalogueProduct> = self.crm.list("/v1/products").await?;
            let known: Vec<Record> = self.erp.list("/v1/customers").await?;
            let shown = shown
                .iter()
                .filter(|product| products.contains(&product.id) && !product.prices.is_empty());
            let there = shown.count() + known.iter().filter(|customer| customers.contains(&customer.id)).count();
            step.at(there);
            if there == products.len() + customers.len() {
                step.done();
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                return Err(Failure::new(
                    "the sync does not bring products to the CRM or customers to the ERP: \
                     see its /v1/flows and /v1/dead-letters, and the logs",
                ));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn retire(&self) -> Result<()> {
        let company = self.company;
        let discontinued: Vec<_> = company.products.iter().filter(|product| product.discontinued).collect();
        let step = self.progress.step("Retired products", discontinued.len());
        let products: Vec<ErpProduct> = self.erp.list("/v1/products").await?;
        let retired = products.iter().filter(|product| product.status == "retired");
        let retired: HashSet<Uuid> = retired.map(|product| product.id).collect();
        for product in discontinued {
            let id = company.product_uuid(product.id);
            if !retired.contains(&id) {
                self.erp
                    .command(&format!("/v1/products/{id}/retire"), &id.to_string())
                    .await?;
            }
            step.tick();
        }
        step.done();
        Ok(())
    }

    /// Waits until both systems show what the files say.
    async fn reconcile(&self, stack: &Stack) -> Result<()> {
        let step = self.progress.step("Comparing both with the files", 0);
        let started = Instant::now();
        loop {
            let report = verify::check(stack, self.company).await?;
            if report.is_ok() {
                step.done();
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                return Err(Failure::new(format!(
                    "the company is loaded, but not as its files say:\n{report}"
                )));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
