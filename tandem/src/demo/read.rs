//! From the eight files to a company, or to the list of all their faults.

use super::faults::{Fault, Faults};
use super::layout::{CATEGORIES, CUSTOMERS, EMPLOYEES, Layout, ORDER_LINES, ORDERS, PRODUCTS, SHIPPERS, SUPPLIERS};
use super::references::Ids;
use super::rows::{Row, read};
use super::{Category, Company, Customer, Employee, NAMESPACE, Order, OrderLine, Product, Supplier, countries};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// The longest text that the services take for a name.
const NAME: usize = 200;
const SHORT: usize = 60;

/// Reads a company from the contents of its files by name.
///
/// # Errors
/// With every fault.
pub fn company(name: &str, files: &HashMap<&str, &[u8]>) -> Result<Company, Faults> {
    let mut faults = Vec::new();
    let content = |layout: &Layout| files.get(layout.file);
    let mut customer_ids = Ids::<String>::of(&CUSTOMERS);
    let mut supplier_ids = Ids::<i64>::of(&SUPPLIERS);
    let mut category_ids = Ids::<i64>::of(&CATEGORIES);
    let mut product_ids = Ids::<i64>::of(&PRODUCTS);
    let mut employee_ids = Ids::<i64>::of(&EMPLOYEES);
    let mut shipper_ids = Ids::<i64>::of(&SHIPPERS);
    let mut order_ids = Ids::<i64>::of(&ORDERS);

    let customers = read(&CUSTOMERS, content(&CUSTOMERS), &mut faults, |row| {
        customer(row, &mut customer_ids)
    });
    let suppliers = read(&SUPPLIERS, content(&SUPPLIERS), &mut faults, |row| {
        supplier(row, &mut supplier_ids)
    });
    let mut names = HashSet::new();
    let categories = read(&CATEGORIES, content(&CATEGORIES), &mut faults, |row| {
        category(row, &mut category_ids, &mut names)
    });
    let mut names = HashSet::new();
    let products = read(&PRODUCTS, content(&PRODUCTS), &mut faults, |row| {
        let product = product(row, &mut product_ids, &mut names);
        supplier_ids.mention(row, "supplier_id", &product.supplier_id);
        category_ids.mention(row, "category_id", &product.category_id);
        product
    });
    let employees = read(&EMPLOYEES, content(&EMPLOYEES), &mut faults, |row| {
        employee(row, &mut employee_ids)
    });
    let shippers = read(&SHIPPERS, content(&SHIPPERS), &mut faults, |row| {
        let id = row.integer("shipper_id", 0);
        shipper_ids.own(row, &id);
        row.text("company_name", NAME);
        row.text("phone", SHORT);
    });
    let mut orders = read(&ORDERS, content(&ORDERS), &mut faults, |row| {
        let order = order(row, &mut order_ids);
        let ship_via = row.integer("ship_via", 0);
        customer_ids.mention(row, "customer_id", &order.customer_id);
        employee_ids.mention(row, "employee_id", &order.employee_id);
        shipper_ids.mention(row, "ship_via", &ship_via);
        order
    });
    let mut seen = HashSet::new();
    let lines = read(&ORDER_LINES, content(&ORDER_LINES), &mut faults, |row| {
        let (order_id, line) = order_line(row);
        order_ids.mention(row, "order_id", &order_id);
        product_ids.mention(row, "product_id", &line.product_id);
        if !seen.insert((order_id, line.product_id)) {
            row.fault(
                "product_id",
                format!("{} stands twice in order {order_id}", line.product_id),
            );
        }
        (order_id, line)
    });
    let no_lines_at_all = lines.is_empty();
    give_lines(&mut orders, lines);
    for order in orders.iter().filter(|order| order.lines.is_empty() && !no_lines_at_all) {
        faults.push(Fault::line(
            ORDERS.file,
            order.line,
            format!("order {} has no lines", order.id),
        ));
    }
    customer_ids.check(&mut faults);
    for ids in [
        &supplier_ids,
        &category_ids,
        &product_ids,
        &employee_ids,
        &shipper_ids,
        &order_ids,
    ] {
        ids.check(&mut faults);
    }
    for (layout, rows) in [
        (&CUSTOMERS, customers.len()),
        (&CATEGORIES, categories.len()),
        (&PRODUCTS, products.len()),
        (&EMPLOYEES, employees.len()),
        (&ORDERS, orders.len()),
        (&ORDER_LINES, seen.len()),
    ] {
        let has_a_fault = faults.iter().any(|fault| fault.file == layout.file);
        if rows == 0 && !has_a_fault {
            faults.push(Fault::file(layout.file, "there is nothing below the header"));
        }
    }
    Faults::check(faults)?;
    Ok(Company {
        name: name.to_owned(),
        namespace: Uuid::new_v5(
            &NAMESPACE,
            employees.iter().map(known_by).collect::<String>().as_bytes(),
        ),
        digest: digest(files),
        customers,
        categories,
        products,
        orders,
        suppliers,
        employees,
        shippers: shippers.len(),
    })
}

fn customer(row: &mut Row<'_>, ids: &mut Ids<String>) -> Customer {
    let id = row.text("customer_id", SHORT);
    ids.own(row, &id);
    row.optional("fax", SHORT);
    Customer {
        id,
        company_name: row.text("company_name", NAME),
        contact_name: row.text("contact_name", NAME),
        contact_title: row.text("contact_title", SHORT),
        address: row.text("address", NAME),
        city: row.text("city", SHORT),
        region: row.optional("region", SHORT),
        postal_code: row.optional("postal_code", 20),
        country: country(row, "country"),
        phone: row.text("phone", 40),
    }
}

fn supplier(row: &mut Row<'_>, ids: &mut Ids<i64>) -> Supplier {
    let id = row.integer("supplier_id", 0);
    ids.own(row, &id);
    row.text("contact_title", NAME);
    row.optional("home_page", NAME);
    Supplier {
        id,
        company_name: row.text("company_name", NAME),
        contact_name: row.text("contact_name", NAME),
        address: row.text("address", NAME),
        city: row.text("city", NAME),
        region: row.optional("region", SHORT),
        postal_code: row.optional("postal_code", 20),
        country: country(row, "country"),
        phone: row.text("phone", 40),
    }
}

fn category(row: &mut Row<'_>, ids: &mut Ids<i64>, names: &mut HashSet<String>) -> Category {
    let id = row.integer("category_id", 0);
    ids.own(row, &id);
    Category {
        id,
        name: unique_name(row, names),
        description: row.text("description", 1_000),
    }
}

fn product(row: &mut Row<'_>, ids: &mut Ids<i64>, names: &mut HashSet<String>) -> Product {
    let id = row.integer("product_id", 0);
    ids.own(row, &id);
    Product {
        id,
        name: unique_name(row, names),
        supplier_id: row.integer("supplier_id", 0),
        category_id: row.integer("category_id", 0),
        quantity_per_unit: row.text("quantity_per_unit", NAME),
        unit_price: row.price("unit_price"),
        units_in_stock: row.integer("units_in_stock", 0),
        units_on_order: row.integer("units_on_order", 0),
        reorder_level: row.integer("reorder_level", 0),
        discontinued: row.flag("discontinued"),
    }
}

/// What makes the company this one: who works there.
fn known_by(who: &Employee) -> String {
    format!("{}\t{}\t{}\t{}\n", who.id, who.last_name, who.first_name, who.hired)
}

fn employee(row: &mut Row<'_>, ids: &mut Ids<i64>) -> Employee {
    let id = row.integer("employee_id", 0);
    ids.own(row, &id);
    let (last_name, first_name) = (row.text("last_name", NAME), row.text("first_name", NAME));
    row.text("title", NAME);
    row.date("birth_date");
    let hired = row.date("hire_date");
    row.text("city", NAME);
    let country = country(row, "country");
    row.text("home_phone", SHORT);
    let reports_to = row.optional_integer("reports_to", 0);
    if let Some(superior) = &reports_to {
        ids.mention(row, "reports_to", superior);
    }
    Employee {
        id,
        last_name,
        first_name,
        hired,
        country,
        reports_to,
    }
}

fn order(row: &mut Row<'_>, ids: &mut Ids<i64>) -> Order {
    let id = row.integer("order_id", 0);
    ids.own(row, &id);
    for column in ["ship_name", "ship_address", "ship_city"] {
        row.text(column, NAME);
    }
    for column in ["ship_region", "ship_postal_code"] {
        row.optional(column, NAME);
    }
    country(row, "ship_country");
    Order {
        id,
        customer_id: row.text("customer_id", SHORT),
        employee_id: row.integer("employee_id", 0),
        order_date: row.timestamp("order_date"),
        required_date: row.timestamp("required_date"),
        shipped_date: row.optional_timestamp("shipped_date"),
        freight: row.money("freight"),
        lines: Vec::new(),
        line: row.line,
    }
}

fn order_line(row: &mut Row<'_>) -> (i64, OrderLine) {
    let line = OrderLine {
        product_id: row.integer("product_id", 0),
        unit_price: row.money("unit_price"),
        quantity: row.integer("quantity", 1),
        discount: row.fraction("discount"),
    };
    (row.integer("order_id", 0), line)
}

fn unique_name(row: &mut Row<'_>, names: &mut HashSet<String>) -> String {
    let name = row.text("name", NAME);
    if !name.is_empty() && !names.insert(name.clone()) {
        row.fault("name", format!("{name:?} stands there twice"));
    }
    name
}

fn country(row: &mut Row<'_>, column: &'static str) -> &'static str {
    let name = row.text(column, NAME);
    countries::code(&name).unwrap_or_else(|| {
        if !name.is_empty() {
            row.fault(
                column,
                format!("{name:?} is no country that ISO 3166-1 knows in English"),
            );
        }
        ""
    })
}

fn give_lines(orders: &mut [Order], lines: Vec<(i64, OrderLine)>) {
    let mut by_order: HashMap<i64, Vec<OrderLine>> = HashMap::new();
    for (order_id, line) in lines {
        by_order.entry(order_id).or_default().push(line);
    }
    for order in orders {
        order.lines = by_order.remove(&order.id).unwrap_or_default();
    }
}

/// Of the contents, whatever the order in which they were read.
fn digest(files: &HashMap<&str, &[u8]>) -> Uuid {
    let mut sorted: Vec<_> = files.iter().collect();
    sorted.sort();
    let mut all = Vec::new();
    for (file, content) in sorted {
        all.extend_from_slice(format!("{file}\n{}\n", content.len()).as_bytes());
        all.extend_from_slice(content);
    }
    Uuid::new_v5(&NAMESPACE, &all)
}
