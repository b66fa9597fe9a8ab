//! A trading company in eight CSV files: the demo, and what `tandem verify` compares with.
//!
//! The layout is described in `tandem/demo/README.md`; the project's own company lies beside that
//! description and is part of the program. Any folder of that layout can be loaded instead.
//!
//! - [`read`]: the files become a [`Company`], or the list of all their [`faults`]
//! - [`books`]: what the ledger must show of it
//! - [`requests`]: what is sent to the APIs for each record
//! - [`load`]: the steps of loading, in order; `orders`, `settle` and `purchases` are the larger ones
//! - [`sales`]: its people at work in the CRM
//! - [`memory`]: which companies a stack has loaded, in `$TANDEM_DIR/demo.json`
//!
//! Records get UUIDs derived from the ids in the files, so a load that was interrupted goes on
//! where it stopped, and `tandem verify` finds them again. A company is known by the people who
//! work there (see [`Company::namespace`]); figures may change without making another one of it.

pub mod books;
pub mod countries;
pub mod faults;
mod layout;
pub mod load;
pub mod memory;
pub mod orders;
mod purchases;
pub mod read;
mod references;
pub mod requests;
mod rows;
pub mod sales;
mod settle;

use crate::failure::{Context, Result};
use chrono::{Datelike, NaiveDate};
use faults::{Fault, Faults};
use rust_decimal::Decimal;
use service_kit::Currency;
use std::collections::HashMap;
use std::path::Path;
use uuid::Uuid;

/// The namespace of all demo companies.
const NAMESPACE: Uuid = Uuid::from_u128(0x5f3b_1c9e_7d04_5a86_9e21_c48a_0b67_d2f5);

/// What all amounts of a company are in.
pub const CURRENCY: Currency = Currency::USD;

/// A trading company. The rows are in the order of the files.
#[derive(Debug, Clone)]
pub struct Company {
    pub name: String,
    /// Of the UUIDs of its records.
    pub namespace: Uuid,
    /// Of the contents of its files.
    pub digest: Uuid,
    pub customers: Vec<Customer>,
    pub categories: Vec<Category>,
    pub products: Vec<Product>,
    /// With their lines.
    pub orders: Vec<Order>,
    pub suppliers: Vec<Supplier>,
    pub employees: Vec<Employee>,
    /// These are read and checked; the services have no place for them yet.
    pub shippers: usize,
}

#[derive(Debug, Clone)]
pub struct Employee {
    pub id: i64,
    pub last_name: String,
    pub first_name: String,
    pub hired: NaiveDate,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    pub reports_to: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Supplier {
    pub id: i64,
    pub company_name: String,
    pub contact_name: String,
    pub address: String,
    pub city: String,
    pub region: Option<String>,
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    pub phone: String,
}

#[derive(Debug, Clone)]
pub struct Customer {
    pub id: String,
    pub company_name: String,
    pub contact_name: String,
    pub contact_title: String,
    pub address: String,
    pub city: String,
    pub region: Option<String>,
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    pub phone: String,
}

#[derive(Debug, Clone)]
pub struct Category {
    pub id: i64,
    pub name: String,
    pub description: String,
}

#[derive(Debug, Clone)]
pub struct Product {
    pub id: i64,
    pub name: String,
    pub supplier_id: i64,
    pub category_id: i64,
    pub quantity_per_unit: String,
    /// Today's list price.
    pub unit_price: Decimal,
    /// Free to promise once all orders are in.
    pub units_in_stock: i64,
    /// Ordered from the supplier, not here yet.
    pub units_on_order: i64,
    /// From here down it is ordered again; 0: never by itself.
    pub reorder_level: i64,
    pub discontinued: bool,
}

#[derive(Debug, Clone)]
pub struct Order {
    pub id: i64,
    pub customer_id: String,
    /// Who sold it.
    pub employee_id: i64,
    pub order_date: NaiveDate,
    pub required_date: NaiveDate,
    /// Absent while it is open.
    pub shipped_date: Option<NaiveDate>,
    /// What the customer pays for the transport.
    pub freight: Decimal,
    pub lines: Vec<OrderLine>,
    /// In the file.
    pub line: u64,
}

#[derive(Debug, Clone)]
pub struct OrderLine {
    pub product_id: i64,
    pub unit_price: Decimal,
    pub quantity: i64,
    /// A fraction: 0.05 is 5 %.
    pub discount: Decimal,
}

macro_rules! shipped {
    ($($file:literal),+ $(,)?) => {
        &[$(($file, include_str!(concat!("../../demo/", $file)).as_bytes())),+]
    };
}

/// The files of the project's own company.
const SHIPPED: &[(&str, &[u8])] = shipped![
    "customers.csv",
    "suppliers.csv",
    "categories.csv",
    "products.csv",
    "employees.csv",
    "shippers.csv",
    "orders.csv",
    "order_lines.csv",
];

impl Company {
    /// The project's own company.
    ///
    /// # Errors
    /// Never, unless its files were changed by hand.
    pub fn shipped() -> Result<Self> {
        let files: HashMap<&str, &[u8]> = SHIPPED.iter().copied().collect();
        read::company("Tarnbeck Cycle Supply", &files).context(|| "the shipped company is malformed".to_owned())
    }

    /// The company in a folder.
    ///
    /// # Errors
    /// With every fault of the files.
    pub fn read(folder: &Path) -> Result<Self> {
        let canonical = folder
            .canonicalize()
            .context(|| format!("there is no folder {}", folder.display()))?;
        let name = canonical.file_name().unwrap_or(canonical.as_os_str()).to_string_lossy();
        let mut contents = HashMap::new();
        for (file, _) in SHIPPED {
            let path = folder.join(file);
            match std::fs::read(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                content => {
                    let content = content.context(|| format!("cannot read {}", path.display()))?;
                    contents.insert(*file, content);
                }
            }
        }
        let files = contents
            .iter()
            .map(|(file, content)| (*file, content.as_slice()))
            .collect();
        read::company(&name, &files).context(|| format!("{} cannot be loaded", folder.display()))
    }

    /// The UUID of a record.
    pub fn uuid(&self, kind: &str, id: impl std::fmt::Display) -> Uuid {
        Uuid::new_v5(&self.namespace, format!("{kind}/{id}").as_bytes())
    }

    /// Everything older than the first order carries this date: the first of its month.
    pub fn opening_date(&self) -> NaiveDate {
        let first = self.orders.iter().map(|order| order.order_date).min();
        first.and_then(|date| date.with_day(1)).unwrap_or_default()
    }

    pub fn line_count(&self) -> usize {
        self.orders.iter().map(|order| order.lines.len()).sum()
    }

    /// What all orders are worth.
    pub fn net(&self) -> Decimal {
        self.orders.iter().map(Order::net).sum()
    }

    /// What it is made of, in words.
    pub fn contents(&self) -> String {
        format!(
            "{} customers, {} products, {} orders with {} lines, worth {} {CURRENCY}",
            grouped(Decimal::from(self.customers.len())),
            grouped(Decimal::from(self.products.len())),
            grouped(Decimal::from(self.orders.len())),
            grouped(Decimal::from(self.line_count())),
            grouped(CURRENCY.round(self.net())),
        )
    }

    pub fn shipped_orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(|order| order.shipped_date.is_some())
    }

    /// How many units of each product the given orders take.
    fn units(&self, counts: impl Fn(&Order) -> bool) -> HashMap<i64, i64> {
        let mut units = HashMap::new();
        for line in self
            .orders
            .iter()
            .filter(|order| counts(order))
            .flat_map(|order| &order.lines)
        {
            *units.entry(line.product_id).or_default() += line.quantity;
        }
        units
    }

    /// How many units of each product open orders hold reserved.
    pub fn reserved_units(&self) -> HashMap<i64, i64> {
        self.units(|order| order.shipped_date.is_none())
    }

    /// What must be in stock before the first order, so that `units_in_stock` is left free after
    /// the last: that, and everything that any order takes.
    pub fn opening_units(&self) -> HashMap<i64, i64> {
        let mut units = self.units(|_| true);
        for product in &self.products {
            *units.entry(product.id).or_default() += product.units_in_stock;
        }
        units
    }

    /// Orders and deliveries are booked on their own dates, which cannot lie in the future.
    ///
    /// # Errors
    /// With every such date.
    pub fn check_against(&self, today: NaiveDate) -> std::result::Result<(), Faults> {
        let mut faults = Vec::new();
        for order in &self.orders {
            let dates = [
                ("order_date", Some(order.order_date)),
                ("shipped_date", order.shipped_date),
            ];
            for (column, date) in dates {
                if let Some(date) = date.filter(|date| *date > today) {
                    let message = format!("{date} lies in the future: today is {today} on this machine");
                    faults.push(Fault::at("orders.csv", order.line, column, message));
                }
            }
        }
        Faults::check(faults)
    }
}

impl Order {
    /// The sum of the rounded lines.
    pub fn net(&self) -> Decimal {
        self.lines.iter().map(OrderLine::net).sum()
    }

    /// When all of it left; never before it was ordered.
    pub fn delivery_date(&self) -> Option<NaiveDate> {
        self.shipped_date.map(|date| date.max(self.order_date))
    }
}

impl OrderLine {
    /// Rounded half to even to cents. The bounds of the files keep it exact before that.
    pub fn net(&self) -> Decimal {
        CURRENCY.round(Decimal::from(self.quantity) * self.unit_price * (Decimal::ONE - self.discount))
    }
}

/// With a comma between thousands.
fn grouped(number: Decimal) -> String {
    let text = number.to_string();
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [
            ("0", "0"),
            ("830", "830"),
            ("2155", "2,155"),
            ("1265793.02", "1,265,793.02"),
        ] {
            assert_eq!(grouped(number.parse().unwrap()), text);
        }
    }
}
