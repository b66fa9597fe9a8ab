//! The checks: pure functions from the files and what is shown to a line of the table each.

use super::Check;
use super::shown::{DeadLetter, Order, Product, Shown, Stock};
use crate::demo::{CURRENCY, Company};
use rust_decimal::Decimal;
use std::collections::HashSet;
use uuid::Uuid;

/// The two systems, as the checks name them.
struct Side<'a> {
    name: &'static str,
    shown: &'a Shown,
    /// What it calls an order that is in stock and has not left.
    open: &'static str,
}

/// What should be there and what is, of one product.
struct ProductFigures<'a> {
    name: String,
    expected: Stock,
    discontinued: bool,
    erp: Option<&'a Product>,
    crm: Option<&'a Product>,
}

/// All checks, in the order of the table.
pub(super) fn all(company: &Company, erp: &Shown, crm: &Shown, dead: &[DeadLetter]) -> Vec<Check> {
    let sides = [
        Side {
            name: "ERP",
            shown: erp,
            open: "confirmed",
        },
        Side {
            name: "CRM",
            shown: crm,
            open: "accepted",
        },
    ];
    let products = figures(company, erp, crm);
    vec![
        customers(company, &sides),
        orders(company, &sides),
        orders_of_these_customers(company, &sides),
        net_total(company, &sides),
        in_status(company, &sides, "orders delivered", true),
        in_status(company, &sides, "orders open", false),
        retired(&products),
        units("products by units available", &products, |stock| stock.available),
        units("products by units on hand", &products, |stock| stock.on_hand),
        reserved(&products),
        dead_letters(dead),
    ]
}

fn check(name: &'static str, expected: impl ToString, [erp, crm]: [String; 2], differences: Vec<String>) -> Check {
    Check {
        name,
        expected: expected.to_string(),
        erp,
        crm: Some(crm),
        differences,
    }
}

fn customers(company: &Company, sides: &[Side<'_>; 2]) -> Check {
    let mut differences = Vec::new();
    let found = sides.each_ref().map(|side| {
        let (there, missing): (Vec<_>, Vec<_>) = company
            .customers
            .iter()
            .partition(|customer| side.shown.customers.contains(&company.customer_uuid(&customer.id)));
        let name = side.name;
        differences.extend(
            missing
                .iter()
                .map(|c| format!("customer {} is not in the {name}", c.id)),
        );
        there.len().to_string()
    });
    check("customers", company.customers.len(), found, differences)
}

/// The company's orders that a side has.
fn found<'a>(company: &'a Company, side: &'a Side<'_>) -> impl Iterator<Item = (&'a crate::demo::Order, &'a Order)> {
    company.orders.iter().filter_map(|order| {
        let shown = side.shown.orders.get(&company.order_uuid(order.id))?;
        Some((order, shown))
    })
}

fn orders(company: &Company, sides: &[Side<'_>; 2]) -> Check {
    let mut differences = Vec::new();
    let counts = sides.each_ref().map(|side| {
        let there: HashSet<i64> = found(company, side).map(|(order, _)| order.id).collect();
        let missing = company.orders.iter().filter(|order| !there.contains(&order.id));
        differences.extend(missing.map(|order| format!("order {} is not in the {}", order.id, side.name)));
        let strangers = found(company, side)
            .filter(|(order, shown)| shown.customer_id != company.customer_uuid(&order.customer_id));
        let name = side.name;
        differences
            .extend(strangers.map(|(order, _)| format!("order {} has another customer in the {name}", order.id)));
        there.len().to_string()
    });
    check("orders", company.orders.len(), counts, differences)
}

/// Finds orders that were made twice: they would have another id.
fn orders_of_these_customers(company: &Company, sides: &[Side<'_>; 2]) -> Check {
    let customers: HashSet<Uuid> = company.customers.iter().map(|c| company.customer_uuid(&c.id)).collect();
    let counts = sides.each_ref().map(|side| {
        let all = side.shown.orders.values();
        all.filter(|order| customers.contains(&order.customer_id))
            .count()
            .to_string()
    });
    check("orders of these customers", company.orders.len(), counts, Vec::new())
}

fn net_total(company: &Company, sides: &[Side<'_>; 2]) -> Check {
    let mut differences = Vec::new();
    let totals = sides.each_ref().map(|side| {
        let mut sum = Decimal::ZERO;
        for (order, shown) in found(company, side) {
            let expected = order.net();
            if shown.total.net != expected || shown.currency != CURRENCY.code() {
                let (net, currency, name) = (shown.total.net, &shown.currency, side.name);
                differences.push(format!(
                    "order {} is worth {expected} {CURRENCY} and not {net} {currency} as in the {name}",
                    order.id
                ));
            }
            sum += shown.total.net;
        }
        CURRENCY.round(sum).to_string()
    });
    check(
        "net total of the orders, USD",
        CURRENCY.round(company.net()),
        totals,
        differences,
    )
}

fn in_status(company: &Company, sides: &[Side<'_>; 2], name: &'static str, shipped: bool) -> Check {
    let expected = company
        .orders
        .iter()
        .filter(|order| order.shipped_date.is_some() == shipped)
        .count();
    let mut differences = Vec::new();
    let counts = sides.each_ref().map(|side| {
        let status = if shipped { "delivered" } else { side.open };
        let (mut right, name) = (0, side.name);
        for (order, shown) in found(company, side).filter(|(order, _)| order.shipped_date.is_some() == shipped) {
            match shown.status == status {
                true => right += 1,
                false => differences.push(format!(
                    "order {} is {} in the {name}, not {status}",
                    order.id, shown.status
                )),
            }
        }
        right.to_string()
    });
    check(name, expected, counts, differences)
}

fn figures<'a>(company: &Company, erp: &'a Shown, crm: &'a Shown) -> Vec<ProductFigures<'a>> {
    let reserved = company.reserved_units();
    let of = |product: &crate::demo::Product| {
        let id = company.product_uuid(product.id);
        let available = Decimal::from(product.units_in_stock);
        let reserved = Decimal::from(reserved.get(&product.id).copied().unwrap_or_default());
        ProductFigures {
            name: format!("product {} ({})", product.id, product.name),
            expected: Stock {
                on_hand: available + reserved,
                reserved,
                available,
            },
            discontinued: product.discontinued,
            erp: erp.products.get(&id),
            crm: crm.products.get(&id),
        }
    };
    company.products.iter().map(of).collect()
}

/// How many products have one figure right on each side.
fn right(
    products: &[ProductFigures<'_>],
    expected: impl Fn(&ProductFigures<'_>) -> String,
    shown: impl Fn(&Product) -> String,
) -> ([String; 2], Vec<String>) {
    let mut differences = Vec::new();
    let mut side = |name: &str, of: &dyn for<'a> Fn(&ProductFigures<'a>) -> Option<&'a Product>| {
        let mut right = 0;
        for product in products {
            let (expected, shown) = (expected(product), of(product).map(&shown));
            match shown {
                Some(shown) if shown == expected => right += 1,
                Some(shown) => differences.push(format!("{}: {shown} in the {name}, not {expected}", product.name)),
                None => differences.push(format!("{} is not in the {name}", product.name)),
            }
        }
        right.to_string()
    };
    let counts = [side("ERP", &|product| product.erp), side("CRM", &|product| product.crm)];
    (counts, differences)
}

fn retired(products: &[ProductFigures<'_>]) -> Check {
    let status = |retired| if retired { "retired" } else { "active" };
    let (counts, differences) = right(products, |p| status(p.discontinued).to_owned(), |p| p.status.clone());
    check("products active or retired", products.len(), counts, differences)
}

fn units(name: &'static str, products: &[ProductFigures<'_>], of: fn(&Stock) -> Decimal) -> Check {
    let (counts, differences) = right(
        products,
        |product| of(&product.expected).normalize().to_string(),
        |product| of(&product.stock).normalize().to_string(),
    );
    check(name, products.len(), counts, differences)
}

fn reserved(products: &[ProductFigures<'_>]) -> Check {
    let sum = |of: fn(&ProductFigures<'_>) -> Decimal| {
        let sum: Decimal = products.iter().map(of).sum();
        sum.normalize().to_string()
    };
    let reserved = |product: Option<&Product>| product.map_or(Decimal::ZERO, |product| product.stock.reserved);
    let shown = [
        products.iter().map(|product| reserved(product.erp)).sum::<Decimal>(),
        products.iter().map(|product| reserved(product.crm)).sum::<Decimal>(),
    ];
    let shown = shown.map(|sum| sum.normalize().to_string());
    check(
        "units reserved",
        sum(|product| product.expected.reserved),
        shown,
        Vec::new(),
    )
}

/// By the side on which the change is missing.
fn dead_letters(dead: &[DeadLetter]) -> Check {
    let on = |side: &str| {
        dead.iter()
            .filter(|letter| letter.flow.ends_with(side))
            .count()
            .to_string()
    };
    check("dead letters", 0, [on("-to-erp"), on("-to-crm")], Vec::new())
}
