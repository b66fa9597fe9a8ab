//! Categories roll up their tree: a step at a time, each step adding up to the one above it.

use super::support::{Order, added_up, all, by_hand, decimal, order, run, same_as_csv};
use crate::support::{crm, customer, id};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use service_kit::testing::TestService;
use std::collections::BTreeMap;

const MARCH: &str = "from=2026-03-01&to=2026-03-31";

/// Categories by number, with the number of the one above.
const TREE: [(u32, &str, Option<u32>); 9] = [
    (1, "Food", None),
    (2, "Fruit", Some(1)),
    (3, "Citrus", Some(2)),
    (4, "Tea", Some(1)),
    (5, "Tools", None),
    // Above it is one that is not known here yet.
    (6, "Orphan", Some(99)),
    // As two changes of the ERP's may look half way: each above the other.
    (7, "Hen", Some(8)),
    (8, "Egg", Some(7)),
    (9, "Empty", Some(5)),
];

fn category(n: u32) -> String {
    format!("00000000-0000-7000-8000-0000000ca{n:03}")
}

fn product(n: u32) -> String {
    format!("00000000-0000-7000-8000-0000000a0{n:03}")
}

/// A product and an order of `10^(n-1)` in each category, and 0.01 of what has none.
async fn shop() -> TestService {
    let crm = crm().await;
    let of = customer(&crm.client, "Rancho grande").await;
    for (n, name, parent) in TREE {
        let parent = parent.map_or("NULL".to_owned(), |parent| format!("'{}'", category(parent)));
        run(
            &crm,
            &format!(
                "INSERT INTO categories (id, name, parent_id, source_version, as_of, revision, created_at, updated_at)
                 VALUES ('{}', '{name}', {parent}, 1, now(), 1, now(), now())",
                category(n)
            ),
        );
    }
    let sold: Vec<(u32, String, Option<u32>)> = (1..=8)
        .map(|n| (n, 10_u32.pow(n - 1).to_string(), Some(n)))
        .chain([(100, "0.01".to_owned(), None)])
        .collect();
    for (n, price, of_category) in &sold {
        let of_category = of_category.map_or("NULL".to_owned(), |n| format!("'{}'", category(n)));
        let product = product(*n);
        run(
            &crm,
            &format!(
                "INSERT INTO products (id, sku, name, kind, unit, category_id, status, source_version, as_of, revision, created_at, updated_at)
                 VALUES ('{product}', 'P-{n}', 'P-{n}', 'goods', 'pcs', {of_category}, 'active', 1, now(), 1, now(), now())"
            ),
        );
        let (price, product) = (Some(&**price), &*product);
        order(
            &crm,
            id(&of),
            &Order {
                price,
                product,
                ..Order::default()
            },
        );
    }
    crm
}

async fn report(crm: &TestService, path: &str) -> Value {
    crm.client.get(path).await.expect(200)
}

fn nets(report: &Value) -> BTreeMap<String, String> {
    let word = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let items = report["items"].as_array().unwrap().iter();
    items
        .map(|figure| (word(&figure["name"]), word(&figure["net"])))
        .collect()
}

fn told(figures: &[(&str, &str)]) -> BTreeMap<String, String> {
    figures
        .iter()
        .map(|(name, net)| ((*name).to_owned(), (*net).to_owned()))
        .collect()
}

#[actix_web::test]
async fn a_category_counts_with_all_below_it() {
    let crm = shop().await;
    let path = format!("/v1/analytics/sales?{MARCH}&by=category&rolled_up=true");
    let top = report(&crm, &path).await;
    assert_eq!(
        nets(&top),
        told(&[
            ("Food", "1111.00"),
            ("Tools", "10000.00"),
            ("Orphan", "100000.00"),
            ("Hen", "1000000.00"),
            ("Egg", "10000000.00"),
            ("none", "0.01"),
        ])
    );
    // By hand, from each category up to where its tree ends.
    let by_hand = by_hand(
        &crm,
        "WITH RECURSIVE up AS (
             SELECT id AS category, id AS at, parent_id AS above, 0 AS steps FROM categories
             UNION ALL
             SELECT u.category, c.id, c.parent_id, u.steps + 1 FROM up u JOIN categories c ON c.id = u.above WHERE u.steps < 5)
         SELECT t.at::text AS key, round(sum(l.line_total), 2)::text AS value
         FROM (SELECT DISTINCT ON (category) * FROM up ORDER BY category, steps DESC) t
         JOIN products p ON p.category_id = t.category JOIN order_lines l ON l.product_id = p.id
         WHERE t.steps < 5 GROUP BY 1",
    );
    for figure in top["items"].as_array().unwrap() {
        let key = figure["key"].as_str().unwrap_or_default();
        if !["Hen", "Egg", ""].contains(&figure["name"].as_str().unwrap_or_default()) {
            assert_eq!(figure["net"].as_str(), by_hand.get(key).map(|net| &**net), "{figure}");
        }
    }
    assert_eq!(same_as_csv(&crm.client, &path, "items").await, 6);

    // Without it, each is for itself.
    let own = report(&crm, &format!("/v1/analytics/sales?{MARCH}&by=category")).await;
    assert_eq!(own["items"].as_array().unwrap().len(), 9);
    assert!(
        own["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|figure| figure["below"].is_null())
    );
    assert_eq!(own["total"]["net"], top["total"]["net"]);
}

/// The figures of a report add up to its total, each is what its rows add up to, and what leads a step
/// down adds up to the figure that it leads from. Answers how many steps down there were.
async fn adds_up(crm: &TestService, first: Value) -> usize {
    let (mut reports, mut steps) = (vec![first], 0);
    while let Some(one) = reports.pop() {
        let figures = one["items"].as_array().unwrap();
        let sum: Decimal = figures.iter().map(|figure| decimal(&figure["net"])).sum();
        assert_eq!(sum, decimal(&one["total"]["net"]), "{one}");
        for figure in figures.iter().chain([&one["total"]]) {
            let rows = added_up(&crm.client, figure, "net").await;
            assert_eq!(
                rows,
                (figure["lines"].as_i64().unwrap(), decimal(&figure["net"])),
                "{figure}"
            );
        }
        for figure in figures {
            if let Some(below) = figure["below"].as_str() {
                let below = report(crm, below).await;
                assert_eq!(below["total"]["net"], figure["net"]);
                reports.push(below);
                steps += 1;
            }
        }
        assert!(steps < 20, "a way down ends");
    }
    steps
}

#[actix_web::test]
async fn each_step_down_the_tree_adds_up() {
    let crm = shop().await;
    let top = report(&crm, &format!("/v1/analytics/sales?{MARCH}&by=category&rolled_up=true")).await;
    // Food and Fruit; Tools, with an empty one below. Hen and Egg lead nowhere.
    assert_eq!(adds_up(&crm, top).await, 3);

    let food = format!("/v1/analytics/sales?{MARCH}&by=category&category_id={}", category(1));
    assert_eq!(nets(&report(&crm, &food).await), told(&[("Food", "1.00")]));
    let food = format!("{food}&rolled_up=true");
    let in_food = report(&crm, &food).await;
    assert_eq!(
        nets(&in_food),
        told(&[("Food", "1.00"), ("Fruit", "110.00"), ("Tea", "1000.00")])
    );
    // What narrows goes along, whatever it is broken down by.
    for by in ["month", "product", "customer", "region"] {
        let path = format!(
            "/v1/analytics/sales?{MARCH}&by={by}&category_id={}&rolled_up=true",
            category(2)
        );
        let fruit = report(&crm, &path).await;
        assert_eq!(
            (&fruit["total"]["net"], &fruit["total"]["lines"]),
            (&json!("110.00"), &json!(2)),
            "{by}"
        );
        adds_up(&crm, fruit).await;
    }
    let product = format!("{food}&product_id={}", product(3));
    assert_eq!(nets(&report(&crm, &product).await), told(&[("Fruit", "100.00")]));

    // Said without a category it would mean nothing.
    let odd = format!("/v1/analytics/sales?{MARCH}&by=month&rolled_up=true");
    crm.client.get(&odd).await.expect_problem(400, "invalid_parameter");
    let nobody = format!(
        "/v1/analytics/sales/lines?{MARCH}&category_id={}&rolled_up=true",
        category(50)
    );
    assert!(all(&crm.client, &nobody).await.is_empty());
}
