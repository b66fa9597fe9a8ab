//! The figures of the Northwind company, as the worked examples and SQL by hand have them.

use super::support::{FULFILMENT, added_up, all, by_hand, decimal, parsed, run, same_as_csv, sum_at};
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
    abc_and_xyz(&company).await;
    bcg(&company).await;
    rfm(&company).await;
    cohorts(&company).await;
    run(&company.crm, DEALS);
    win_and_loss(&company).await;
    funnel(&company).await;
    plan_and_fact(&company).await;
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

/// Makes an analysis, says how long it took; its classes with how many are in each.
async fn analysis(company: &Northwind, body: Value) -> (Value, BTreeMap<String, i64>) {
    let start = Instant::now();
    let run = company.crm.client.post("/v1/analysis-runs", body).await.expect(201);
    let took = start.elapsed();
    println!("{took:>10.1?}  POST /v1/analysis-runs {}", run["kind"]);
    assert!(took < LIMIT * 2, "{took:?}");
    let classes = run["classes"].as_array().unwrap();
    let count = |one: &Value| {
        (
            one["class"].as_str().unwrap().to_owned(),
            one["count"].as_i64().unwrap(),
        )
    };
    for class in classes {
        let (rows, net) = added_up(&company.crm.client, class, "net").await;
        assert_eq!(
            (rows, net),
            (class["count"].as_i64().unwrap(), decimal(&class["net"])),
            "{class}"
        );
    }
    let nets: Decimal = classes.iter().map(|class| decimal(&class["net"])).sum();
    assert_eq!(nets, decimal(&run["net"]));
    let counts = classes.iter().map(count).collect();
    (run, counts)
}

fn counts(expected: &[(&str, i64)]) -> BTreeMap<String, i64> {
    expected
        .iter()
        .map(|(class, count)| ((*class).to_owned(), *count))
        .collect()
}

async fn abc_and_xyz(company: &Northwind) {
    let body = json!({ "kind": "abc", "from": "1996-07-01", "to": "1998-05-31" });
    let (run, found) = analysis(company, body).await;
    assert_eq!(found, counts(&[("A", 34), ("B", 27), ("C", 28), ("inactive", 2)]));
    assert_eq!(run["net"], "1265793.02");
    let path = format!("/v1/analysis-runs/{}/items?", run["id"].as_str().unwrap());
    company.get(&path).await;
    assert_eq!(same_as_csv(&company.crm.client, &path, "items").await, 91);
    for item in all(&company.crm.client, &path)
        .await
        .iter()
        .filter(|item| item["class"] != "inactive")
        .step_by(9)
    {
        assert_eq!(
            added_up(&company.crm.client, item, "net").await.1,
            decimal(&item["net"])
        );
    }

    let body = json!({ "kind": "xyz", "from": "1996-07-01", "to": "1998-04-30" });
    let (run, found) = analysis(company, body).await;
    assert_eq!(found, counts(&[("Y", 25), ("Z", 52)]));
    let path = format!("/v1/analysis-runs/{}/items?", run["id"].as_str().unwrap());
    let told: BTreeMap<String, String> = all(&company.crm.client, &path)
        .await
        .iter()
        .map(|item| {
            (
                item["subject_id"].as_str().unwrap().to_owned(),
                item["variation"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let by_hand = by_hand(&company.crm,
        "SELECT p.id::text AS key, trim_scale(round(stddev_pop(coalesce(m.quantity, 0)) / avg(coalesce(m.quantity, 0)), 6))::text AS value
         FROM products p CROSS JOIN generate_series(DATE '1996-07-01', DATE '1998-04-01', interval '1 month') AS t (month)
         LEFT JOIN (SELECT l.product_id, date_trunc('month', o.order_date) AS month, sum(l.quantity) AS quantity
                    FROM orders o JOIN order_lines l ON l.order_id = o.id GROUP BY 1, 2) AS m
             ON m.product_id = p.id AND m.month = t.month
         GROUP BY p.id");
    assert_eq!(told, by_hand);
}

async fn bcg(company: &Northwind) {
    let body = json!({ "kind": "bcg", "from": "1997-07-01", "to": "1997-12-31", "against_from": "1996-07-01", "against_to": "1996-12-31" });
    let (run, found) = analysis(company, body).await;
    assert_eq!(found, counts(&[("cow", 2), ("question_mark", 3), ("star", 3)]));
    assert_eq!(run["growth"].as_str().unwrap()[..6], *"0.6129");
    let items = all(
        &company.crm.client,
        &format!("/v1/analysis-runs/{}/items?", run["id"].as_str().unwrap()),
    )
    .await;
    let mut of_class: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for item in &items {
        of_class
            .entry(item["class"].as_str().unwrap())
            .or_default()
            .push(item["name"].as_str().unwrap());
    }
    of_class.values_mut().for_each(|names| names.sort_unstable());
    assert_eq!(of_class["star"], ["Dairy Products", "Meat/Poultry", "Seafood"]);
    assert_eq!(of_class["cow"], ["Beverages", "Confections"]);
    assert_eq!(of_class["question_mark"], ["Condiments", "Grains/Cereals", "Produce"]);
}

async fn rfm(company: &Northwind) {
    let body = json!({ "kind": "rfm", "from": "1996-07-01", "to": "1998-05-31" });
    let (run, _) = analysis(company, body).await;
    let items = all(
        &company.crm.client,
        &format!("/v1/analysis-runs/{}/items?", run["id"].as_str().unwrap()),
    )
    .await;
    let told: BTreeMap<String, String> = items
        .iter()
        .map(|item| {
            (
                item["subject_id"].as_str().unwrap().to_owned(),
                item["class"].as_str().unwrap().to_owned(),
            )
        })
        .filter(|(_, class)| class != "inactive")
        .collect();
    let by_hand = by_hand(&company.crm,
        "WITH c AS (SELECT customer_id AS id, max(order_date) AS r, count(*) AS f, sum(net) AS m FROM orders GROUP BY 1)
         SELECT id::text AS key, concat(
             1 + floor(5.0 * (SELECT count(*) FROM c w WHERE w.r < c.r) / 89),
             1 + floor(5.0 * (SELECT count(*) FROM c w WHERE w.f < c.f) / 89),
             1 + floor(5.0 * (SELECT count(*) FROM c w WHERE w.m < c.m) / 89)) AS value FROM c");
    assert_eq!((told.len(), told), (89, by_hand));
}

async fn cohorts(company: &Northwind) {
    let path = format!("/v1/analytics/cohorts?{ALL}");
    let report = company.get(&path).await;
    let total = &report["total"];
    assert_eq!(
        (&total["customers"], &total["repeated_within"], &total["repeated_ever"]),
        (&json!(89), &json!(54), &json!(88))
    );
    let cohorts = report["cohorts"].as_array().unwrap();
    for (count, rows) in [
        ("customers", "rows"),
        ("repeated_within", "rows_within"),
        ("repeated_ever", "rows_ever"),
    ] {
        let sum: i64 = cohorts.iter().map(|cohort| cohort[count].as_i64().unwrap()).sum();
        assert_eq!(total[count], sum);
        for cohort in cohorts.iter().chain([total]) {
            let listed = all(&company.crm.client, cohort[rows].as_str().unwrap()).await.len();
            assert_eq!(cohort[count], listed, "{cohort}");
        }
    }
    company.get(total["rows"].as_str().unwrap()).await;
    assert_eq!(same_as_csv(&company.crm.client, &path, "cohorts").await, cohorts.len());
}

/// A deal for each order: six of ten won, three lost, one still open; one of seven without an amount, half
/// of them came as far as `proposal`.
const DEALS: &str = "BEGIN;
CREATE TEMPORARY TABLE n AS SELECT o.*, row_number() OVER (ORDER BY o.id) AS n FROM orders o;
CREATE TEMPORARY TABLE made AS
    SELECT ('00000000-0000-7000-8007-' || lpad(n::text, 12, '0'))::uuid AS id, n, n % 2 = 0 AS far, customer_id, owner_id, team_id,
           CASE WHEN n % 10 < 6 THEN 'won' WHEN n % 10 < 9 THEN 'lost' ELSE 'open' END AS state,
           CASE WHEN n % 7 > 0 THEN net END AS amount, order_date AS closed, order_date - 20 AS opened
    FROM n;
INSERT INTO deals (id, name, customer_id, pipeline_id, stage_id, stage_key, state, currency, amount, amount_given, probability,
    weighted_amount, expected_close_on, source, campaign, loss_reason, competitor, closed_on, base_amount, base_currency, owner_id,
    team_id, stage_entered_at, version, revision, created_at, updated_at)
SELECT id, 'Deal ' || n, customer_id, '00000000-0000-7000-8000-000000000200',
       ('00000000-0000-7000-8000-00000000021' || CASE WHEN far THEN 3 ELSE 2 END)::uuid,
       CASE WHEN far THEN 'proposal' ELSE 'qualified' END, state, 'USD', amount, amount IS NOT NULL, 0.5, round(amount / 2, 2),
       closed, CASE n % 3 WHEN 0 THEN 'fair' WHEN 1 THEN 'web, \"search\"' END, CASE n % 4 WHEN 0 THEN 'spring' END,
       CASE WHEN state = 'lost' THEN CASE n % 3 WHEN 0 THEN 'price' WHEN 1 THEN 'timing' ELSE 'competitor' END END,
       CASE WHEN state = 'lost' AND n % 3 = 2 THEN 'Rival ' || n % 5 END, CASE WHEN state <> 'open' THEN closed END,
       CASE WHEN state <> 'open' THEN amount END, CASE WHEN state <> 'open' AND amount IS NOT NULL THEN 'USD' END, owner_id, team_id,
       opened + 10, 1, 1, opened + time '12:00', opened FROM made;
INSERT INTO deal_stays (id, deal_id, stage_id, entered_at, left_at, outcome)
SELECT gen_random_uuid(), id, ('00000000-0000-7000-8000-00000000021' || s)::uuid, opened + 3 * s,
       CASE WHEN s < CASE WHEN far THEN 3 ELSE 2 END THEN opened + 3 * (s + 1) WHEN state <> 'open' THEN closed::timestamptz END,
       CASE WHEN s < CASE WHEN far THEN 3 ELSE 2 END THEN 'moved' WHEN state <> 'open' THEN state END
FROM made CROSS JOIN generate_series(1, 3) AS s WHERE s < 3 OR far;
COMMIT; ANALYZE;";

async fn win_and_loss(company: &Northwind) {
    let crm = &company.crm;
    for (by, key) in [
        ("reason", "loss_reason"),
        ("competitor", "competitor"),
        ("owner", "owner_id::text"),
        ("team", "team_id::text"),
        ("source", "source"),
        ("campaign", "campaign"),
        ("pipeline", "pipeline_id::text"),
        ("customer", "customer_id::text"),
        ("month", "substr(closed_on::text, 1, 7)"),
    ] {
        let path = format!("/v1/analytics/win-loss?{ALL}&by={by}");
        let report = company.get(&format!("{path}&limit=100")).await;
        let by_hand = by_hand(
            crm,
            &format!(
                "SELECT coalesce({key}, 'none') AS key, concat_ws(' ', count(*) FILTER (WHERE state = 'won'),
                 round(coalesce(sum(amount) FILTER (WHERE state = 'won'), 0), 2),
                 count(*) FILTER (WHERE state = 'won' AND amount IS NULL), count(*) FILTER (WHERE state = 'lost'),
                 round(coalesce(sum(amount) FILTER (WHERE state = 'lost'), 0), 2),
                 count(*) FILTER (WHERE state = 'lost' AND amount IS NULL)) AS value
             FROM deals WHERE state <> 'open' GROUP BY 1"
            ),
        );
        let told: BTreeMap<String, String> = report["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                let text = |field: &str| one[field].as_str().unwrap().to_owned();
                let value = format!(
                    "{} {} {} {} {} {}",
                    one["won"],
                    text("won_value"),
                    one["won_unvalued"],
                    one["lost"],
                    text("lost_value"),
                    one["lost_unvalued"]
                );
                (text("key"), value)
            })
            .collect();
        assert_eq!(told, by_hand, "{by}");
        for figure in report["items"]
            .as_array()
            .unwrap()
            .iter()
            .take(2)
            .chain([&report["total"]])
        {
            for part in ["won", "lost"] {
                let rows = sum_at(&crm.client, &figure[format!("{part}_rows")], "/value").await;
                assert_eq!(
                    rows,
                    (
                        figure[part].as_i64().unwrap(),
                        decimal(&figure[format!("{part}_value")])
                    ),
                    "{by}"
                );
            }
        }
        company.get(report["total"]["won_rows"].as_str().unwrap()).await;
        assert_eq!(same_as_csv(&crm.client, &path, "items").await, by_hand.len());
    }
}

async fn funnel(company: &Northwind) {
    let crm = &company.crm;
    let opened = "from=1996-06-01&to=1998-05-31";
    let report = company
        .get(&format!("/v1/analytics/funnel?{opened}&by=owner&limit=100"))
        .await;
    let by_hand = by_hand(crm,
        "SELECT d.owner_id || ' ' || s.key AS key, concat_ws(' ', count(*), round(sum(d.amount), 2), count(*) FILTER (WHERE d.amount IS NULL),
             count(*) FILTER (WHERE d.state = 'won' OR s.key = 'new' OR (s.key = 'qualified' AND d.stage_key = 'proposal' )),
             count(*) FILTER (WHERE d.state = 'open' AND s.key = d.stage_key), count(*) FILTER (WHERE d.state = 'lost' AND s.key = d.stage_key)) AS value
         FROM deals d JOIN deal_stays y ON y.deal_id = d.id JOIN pipeline_stages s ON s.id = y.stage_id GROUP BY d.owner_id, s.key");
    let told: BTreeMap<String, String> = report["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |field: &str| one[field].as_str().unwrap().to_owned();
            let value = format!(
                "{} {} {} {} {} {}",
                one["entered"],
                text("value"),
                one["unvalued"],
                one["went_on"],
                one["still_there"],
                one["lost"]
            );
            (format!("{} {}", text("key"), text("stage")), value)
        })
        .collect();
    assert_eq!(told, by_hand);
    assert_eq!(report["total"]["opened"], 830);
    company.get(report["items"][0]["rows"].as_str().unwrap()).await;
    for by in ["team", "source", "campaign", "pipeline", "customer", "month"] {
        company.get(&format!("/v1/analytics/funnel?{opened}&by={by}")).await;
    }
}

async fn plan_and_fact(company: &Northwind) {
    let crm = &company.crm;
    for owner in &company.employees {
        let body = json!({ "owner_id": owner.id, "month": "1997-05", "kind": "revenue", "target": "6000" });
        crm.client.post("/v1/plans", body).await.expect(201);
    }
    let path = format!("/v1/analytics/kpis?{ALL}");
    company.get(&path).await;
    let facts = all(&crm.client, &format!("{path}&kind=revenue")).await;
    let told: Decimal = facts.iter().map(|kpi| decimal(&kpi["fact"])).sum();
    assert_eq!(told.to_string(), "1265793.02");
    company.get(facts[0]["rows"].as_str().unwrap()).await;
    for by in ["month", "owner", "team"] {
        let report = company.get(&format!("/v1/analytics/forecast?{ALL}&by={by}")).await;
        let revenue: Decimal = report["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| decimal(&one["revenue"]))
            .sum();
        assert_eq!(revenue.to_string(), "1265793.02");
    }
}
