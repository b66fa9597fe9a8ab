//! The figures of the Northwind company, as the worked examples and SQL by hand have them.

use super::support::{FULFILMENT, added_up, by_hand, decimal, parsed, run, same_as_csv};
use crate::support::crm;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use service_kit::Currency;
use service_kit::testing::{TestService, User};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// The whole of it: 830 orders.
const ALL: &str = "from=1996-07-01&to=1998-05-31";

/// What a request may take; the best of three, because others compile beside it.
const LIMIT: Duration = Duration::from_millis(200);

const COUNTRIES: [(&str, &str); 21] = [
    ("Argentina", "AR"),
    ("Austria", "AT"),
    ("Belgium", "BE"),
    ("Brazil", "BR"),
    ("Canada", "CA"),
    ("Denmark", "DK"),
    ("Finland", "FI"),
    ("France", "FR"),
    ("Germany", "DE"),
    ("Ireland", "IE"),
    ("Italy", "IT"),
    ("Mexico", "MX"),
    ("Norway", "NO"),
    ("Poland", "PL"),
    ("Portugal", "PT"),
    ("Spain", "ES"),
    ("Sweden", "SE"),
    ("Switzerland", "CH"),
    ("UK", "GB"),
    ("USA", "US"),
    ("Venezuela", "VE"),
];

type Record = HashMap<String, String>;

fn records(file: &str) -> Vec<Record> {
    let path = format!("{}/../../shared/data/northwind/{file}.csv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the company lies beside the checkout");
    let mut rows = parsed(text.trim_start_matches('\u{feff}')).into_iter();
    let header = rows.next().unwrap();
    rows.map(|row| header.iter().cloned().zip(row).collect()).collect()
}

/// A stable id for the record `n` of a kind.
fn uuid(kind: u8, n: impl std::fmt::Display) -> String {
    format!("00000000-0000-7000-80{kind:02}-{:0>12}", n.to_string())
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

pub struct Northwind {
    pub crm: TestService,
    pub employees: Vec<User>,
}

/// The company in a database of its own, its employees as users in the team of their country.
pub async fn northwind() -> Northwind {
    let crm = crm().await;
    let mut employees = Vec::new();
    let mut teams = HashMap::new();
    for country in ["UK", "USA"] {
        teams.insert(country.to_owned(), crm.team(country, None).await);
    }
    let mut owners = HashMap::new();
    for employee in records("employees") {
        let team = &teams[&employee["country"]];
        let user = crm.user(&employee["last_name"], "sales", "own", Some(team)).await;
        owners.insert(employee["employee_id"].clone(), (user.id.clone(), team.clone()));
        employees.push(user);
    }
    run(&crm, &statements(&owners));
    Northwind { crm, employees }
}

fn statements(owners: &HashMap<String, (String, String)>) -> String {
    let mut text = String::from("BEGIN;\n");
    let countries: HashMap<_, _> = COUNTRIES.into_iter().collect();
    let mut customers = HashMap::new();
    for (n, row) in records("customers").iter().enumerate() {
        let id = uuid(1, n);
        let (name, country) = (quoted(&row["company_name"]), countries[&*row["country"]]);
        writeln!(
            text,
            "INSERT INTO customers (id, name, kind, external_ref, created_at, updated_at)
            VALUES ('{id}', {name}, 'company', '{}', now(), now());
            INSERT INTO addresses (id, customer_id, kind, street, city, country, created_at, updated_at)
            VALUES ('{}', '{id}', 'billing', 'x', 'x', '{country}', now(), now());",
            row["customer_id"],
            uuid(2, n)
        )
        .unwrap();
        customers.insert(row["customer_id"].clone(), id);
    }
    for row in records("categories") {
        writeln!(
            text,
            "INSERT INTO categories (id, name, source_version, as_of, revision, created_at, updated_at)
            VALUES ('{}', {}, 1, now(), 1, now(), now());",
            uuid(3, &row["category_id"]),
            quoted(&row["name"])
        )
        .unwrap();
    }
    for row in records("products") {
        let (id, category) = (uuid(4, &row["product_id"]), uuid(3, &row["category_id"]));
        writeln!(text, "INSERT INTO products (id, sku, name, kind, unit, category_id, status, source_version, as_of, revision, created_at, updated_at)
            VALUES ('{id}', 'NW-{}', {}, 'goods', 'pcs', '{category}', 'active', 1, now(), 1, now(), now());",
            row["product_id"], quoted(&row["name"])).unwrap();
    }
    for row in records("orders") {
        let (owner, team) = &owners[&row["employee_id"]];
        let status = if row["shipped_date"].is_empty() {
            "accepted"
        } else {
            "delivered"
        };
        writeln!(text, "INSERT INTO orders (id, origin, status, customer_id, currency, order_date, external_ref, net, submitted_at,
                number, fulfilment, source_version, version, revision, created_at, updated_at, owner_id, team_id)
            VALUES ('{}', 'crm', '{status}', '{}', 'USD', '{}', 'NW-{3}', 0, now(), '{}', '{FULFILMENT}', 1, 1, 1, now(), now(), '{owner}', '{team}');",
            uuid(5, &row["order_id"]), customers[&row["customer_id"]], &row["order_date"][..10], row["order_id"]).unwrap();
    }
    let mut positions: HashMap<String, u32> = HashMap::new();
    for (n, row) in records("order_lines").iter().enumerate() {
        let position = positions.entry(row["order_id"].clone()).or_default();
        *position += 1;
        let total = Currency::USD.line_total(
            row["quantity"].parse().unwrap(),
            row["unit_price"].parse().unwrap(),
            row["discount"].parse().unwrap(),
        );
        writeln!(text, "INSERT INTO order_lines (id, order_id, position, product_id, quantity, unit_price, price_given, discount, line_total)
            VALUES ('{}', '{}', {position}, '{}', {}, {}, false, {}, {});",
            uuid(6, n), uuid(5, &row["order_id"]), uuid(4, &row["product_id"]), row["quantity"], row["unit_price"], row["discount"], total.unwrap()).unwrap();
    }
    text.push_str("UPDATE orders SET net = (SELECT sum(line_total) FROM order_lines WHERE order_id = orders.id);\nCOMMIT; ANALYZE;");
    text
}

impl Northwind {
    /// Asks thrice, says how long the fastest took, and refuses what is too slow.
    pub async fn get(&self, path: &str) -> Value {
        let mut best = Duration::MAX;
        let mut answer = Value::Null;
        for _ in 0..3 {
            let start = Instant::now();
            answer = self.crm.client.get(path).await.expect(200);
            best = best.min(start.elapsed());
        }
        println!("{best:>10.1?}  {path:.120}");
        assert!(best < LIMIT, "{path} took {best:?}");
        answer
    }
}

#[actix_web::test]
#[cfg_attr(not(shared_data), ignore = "needs ../shared/data/northwind beside the checkout")]
async fn the_figures_of_northwind() {
    let company = northwind().await;
    sales_by_each_dimension(&company).await;
}

async fn sales_by_each_dimension(company: &Northwind) {
    let crm = &company.crm;
    for (by, key) in [
        ("customer", "o.customer_id::text"),
        ("product", "l.product_id::text"),
        (
            "category",
            "(SELECT category_id FROM products WHERE id = l.product_id)::text",
        ),
        (
            "region",
            "(SELECT country FROM addresses a WHERE a.customer_id = o.customer_id)",
        ),
        ("owner", "o.owner_id::text"),
        ("team", "o.team_id::text"),
        ("month", "substr(o.order_date::text, 1, 7)"),
    ] {
        let path = format!("/v1/analytics/sales?{ALL}&by={by}");
        let report = company.get(&format!("{path}&limit=100")).await;
        let by_hand = by_hand(crm, &format!(
            "SELECT {key} AS key, count(DISTINCT o.id) || ' ' || count(*) || ' ' || trim_scale(sum(l.quantity)) || ' ' || round(sum(l.line_total), 2) AS value
             FROM orders o JOIN order_lines l ON l.order_id = o.id GROUP BY 1"));
        let told: BTreeMap<String, String> = report["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|figure| {
                let text = |field: &str| figure[field].as_str().unwrap().to_owned();
                let value = format!(
                    "{} {} {} {}",
                    figure["orders"],
                    figure["lines"],
                    text("quantity"),
                    text("net")
                );
                (text("key"), value)
            })
            .collect();
        assert_eq!(told, by_hand, "{by}");
        let total = &report["total"];
        assert_eq!(
            (&total["orders"], &total["lines"], &total["net"]),
            (&json!(830), &json!(2155), &json!("1265793.02")),
            "{by}"
        );
        let nets: Decimal = report["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|figure| decimal(&figure["net"]))
            .sum();
        assert_eq!(nets, decimal(&total["net"]), "{by}");
        for figure in report["items"].as_array().unwrap().iter().take(3).chain([total]) {
            let rows = added_up(&crm.client, figure, "net").await;
            assert_eq!(
                rows,
                (figure["lines"].as_i64().unwrap(), decimal(&figure["net"])),
                "{by}"
            );
        }
        company.get(report["items"][0]["rows"].as_str().unwrap()).await;
        assert_eq!(same_as_csv(&crm.client, &path, "items").await, by_hand.len());
    }
    // Who sees own orders sums own orders.
    let fuller = &company.employees[1];
    let own = fuller
        .client
        .get(&format!("/v1/analytics/sales?{ALL}&by=owner"))
        .await
        .expect(200);
    assert_eq!(
        (own["items"].as_array().unwrap().len(), &own["total"]["orders"]),
        (1, &json!(96))
    );
    assert_eq!(own["items"][0]["key"], fuller.id);
}
