//! What the two systems show, read through their APIs.

use crate::api::Api;
use crate::failure::Result;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What one system shows, in the words that both share.
#[derive(Debug, Default)]
pub struct Shown {
    pub customers: HashSet<Uuid>,
    pub orders: HashMap<Uuid, Order>,
    pub products: HashMap<Uuid, Product>,
}

/// An order of either system. Lists carry `status`, `total` and `currency`.
#[derive(Debug, Deserialize)]
pub struct Order {
    pub id: Uuid,
    pub customer_id: Uuid,
    pub status: String,
    pub currency: String,
    pub total: Total,
}

#[derive(Debug, Deserialize)]
pub struct Total {
    pub net: Decimal,
}

/// A product with its stock in all warehouses.
#[derive(Debug, Default)]
pub struct Product {
    pub status: String,
    pub stock: Stock,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Stock {
    pub on_hand: Decimal,
    pub reserved: Decimal,
    pub available: Decimal,
}

/// A letter that nobody has dealt with, and on which side it is missing.
#[derive(Debug, Deserialize)]
pub struct DeadLetter {
    pub flow: String,
}

#[derive(Deserialize)]
struct Record {
    id: Uuid,
}

#[derive(Deserialize)]
struct ErpProduct {
    id: Uuid,
    status: String,
}

#[derive(Deserialize)]
struct Availability {
    product_id: Uuid,
    #[serde(flatten)]
    stock: Stock,
}

#[derive(Deserialize)]
struct CrmProduct {
    id: Uuid,
    status: String,
    availability: Stock,
}

impl Shown {
    pub(super) async fn of_erp(erp: &Api) -> Result<Self> {
        let (customers, orders, products, levels) = tokio::try_join!(
            erp.list::<Record>("/v1/customers"),
            erp.list::<Order>("/v1/sales-orders"),
            erp.list::<ErpProduct>("/v1/products"),
            erp.list::<Availability>("/v1/availability"),
        )?;
        let mut stock: HashMap<Uuid, Stock> = HashMap::new();
        for level in levels {
            stock.entry(level.product_id).or_default().add(level.stock);
        }
        let products = products.into_iter().map(|product| {
            let stock = stock.get(&product.id).copied().unwrap_or_default();
            let status = product.status;
            (product.id, Product { status, stock })
        });
        Ok(Shown::new(customers, orders, products.collect()))
    }

    pub(super) async fn of_crm(crm: &Api) -> Result<Self> {
        let (customers, orders, products) = tokio::try_join!(
            crm.list::<Record>("/v1/customers"),
            crm.list::<Order>("/v1/orders"),
            crm.list::<CrmProduct>("/v1/products"),
        )?;
        let products = products.into_iter().map(|product| {
            let (status, stock) = (product.status, product.availability);
            (product.id, Product { status, stock })
        });
        Ok(Shown::new(customers, orders, products.collect()))
    }

    fn new(customers: Vec<Record>, orders: Vec<Order>, products: HashMap<Uuid, Product>) -> Self {
        Shown {
            customers: customers.into_iter().map(|customer| customer.id).collect(),
            orders: orders.into_iter().map(|order| (order.id, order)).collect(),
            products,
        }
    }
}

impl Stock {
    fn add(&mut self, other: Stock) {
        self.on_hand += other.on_hand;
        self.reserved += other.reserved;
        self.available += other.available;
    }
}

/// The letters that are still waiting for somebody.
pub(super) async fn dead_letters(sync: &Api) -> Result<Vec<DeadLetter>> {
    sync.list("/v1/dead-letters?state=open").await
}
