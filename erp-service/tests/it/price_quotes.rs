use crate::given;
use diesel::{Connection, PgConnection};
use erp_service::pricing;
use serde_json::{Value, json};
use service_kit::Currency;
use service_kit::testing::Client;

async fn quote(erp: &Client, tier: Option<&str>, date: &str, product: &Value, quantity: &str) -> Value {
    let lines = json!([{ "product_id": product["id"], "quantity": quantity }]);
    let body = json!({ "tier": tier, "currency": "USD", "date": date, "lines": lines });
    erp.post("/v1/price-quotes", body).await.expect(200)["lines"][0].clone()
}

#[tokio::test]
async fn the_worked_example_price_and_tier() {
    let service = given::erp().await;
    let erp = &service.client;
    let product = given::product(erp, "P").await;
    // B 9.50 to 30 June, A 9.00 from 1 July.
    let b = given::price_list(erp, Some("B"), "USD").await;
    let a = given::price_list(erp, Some("A"), "USD").await;
    given::price(
        erp,
        &b,
        &product,
        json!({ "unit_price": "9.50", "valid_to": "2026-06-30" }),
    )
    .await;
    given::price(
        erp,
        &a,
        &product,
        json!({ "unit_price": "9.00", "valid_from": "2026-07-01" }),
    )
    .await;
    // An order dated 30 June, entered in July: 9.50.
    assert_eq!(
        quote(erp, Some("B"), "2026-06-30", &product, "1").await["unit_price"],
        "9.5"
    );
    // An order of 1 July: 9.00.
    let july = quote(erp, Some("A"), "2026-07-01", &product, "1").await;
    assert_eq!(july["unit_price"], "9");
    assert_eq!(
        july["explanation"],
        "9 from the price list \"A USD\" of tier A, valid from 2026-07-01"
    );
    // And not a day earlier or later.
    assert_eq!(
        quote(erp, Some("A"), "2026-06-30", &product, "1").await["unit_price"],
        json!(null)
    );
    assert_eq!(
        quote(erp, Some("B"), "2026-07-01", &product, "1").await["unit_price"],
        json!(null)
    );
}

#[tokio::test]
async fn tier_before_base_then_quantity_then_date() {
    let service = given::erp().await;
    let erp = &service.client;
    let product = given::product(erp, "P").await;
    let (base, gold) = (
        given::price_list(erp, None, "USD").await,
        given::price_list(erp, Some("gold"), "USD").await,
    );
    for (list, facts) in [
        (&base, json!({ "unit_price": "10" })),
        (&base, json!({ "unit_price": "8", "minimum_quantity": "100" })),
        (&gold, json!({ "unit_price": "9", "valid_from": "2026-01-01" })),
        (&gold, json!({ "unit_price": "9.10" })),
        (
            &gold,
            json!({ "unit_price": "8.50", "minimum_quantity": "10", "valid_to": "2026-06-30" }),
        ),
    ] {
        given::price(erp, list, &product, facts).await;
    }
    for (tier, date, quantity, expected) in [
        (None, "2026-03-01", "1", "10"),
        (None, "2026-03-01", "99.999", "10"),
        (None, "2026-03-01", "100", "8"),
        (Some("silver"), "2026-03-01", "1", "10"),
        // The tier's list goes first even where the base list is cheaper.
        (Some("gold"), "2026-03-01", "100", "8.5"),
        (Some("gold"), "2026-07-01", "100", "9"),
        (Some("gold"), "2026-06-30", "10", "8.5"),
        (Some("gold"), "2026-06-30", "9", "9"),
        // No first day is older than any.
        (Some("gold"), "2025-12-31", "1", "9.1"),
        (Some("gold"), "2026-01-01", "1", "9"),
    ] {
        let line = quote(erp, tier, date, &product, quantity).await;
        assert_eq!(line["unit_price"], expected, "{tier:?} {date} {quantity}: {line:#}");
    }
    let line = quote(erp, Some("gold"), "2026-07-01", &product, "100").await;
    let reasons: Vec<(&str, &str)> = line["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["unit_price"].as_str().unwrap(), c["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(
        reasons,
        [
            ("8.5", "valid only to 2026-06-30"),
            ("9", "goes first of those that hold"),
            ("9.1", "the price valid from 2026-01-01 is later"),
            ("8", "the tier's list goes before the base list"),
            ("10", "the tier's list goes before the base list"),
        ]
    );
    let chosen: Vec<&Value> = line["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["chosen"])
        .collect();
    assert_eq!(chosen, [false, true, false, false, false]);
}

#[tokio::test]
async fn a_quote_sums_up_and_says_what_has_no_price() {
    let service = given::erp().await;
    let erp = &service.client;
    let (a, b) = (given::product(erp, "A").await, given::product(erp, "B").await);
    let base = given::price_list(erp, None, "USD").await;
    given::price(erp, &base, &a, json!({ "unit_price": "14.10" })).await;
    let lines = json!([
        { "product_id": a["id"], "quantity": "2.5" },
        { "product_id": b["id"], "quantity": "1" },
    ]);
    let body = json!({ "currency": "USD", "lines": lines });
    let quote = erp.post("/v1/price-quotes", body).await.expect(200);
    assert_eq!(quote["lines"][0]["line_total"], "35.25");
    assert_eq!(quote["lines"][1]["unit_price"], json!(null));
    assert_eq!(
        quote["lines"][1]["explanation"],
        "no base price list in USD has a price for this product"
    );
    assert_eq!(quote["total"], json!(null));
    given::price(erp, &base, &b, json!({ "unit_price": "1", "minimum_quantity": "2" })).await;
    let body = json!({ "tier": "A", "currency": "USD", "lines": lines });
    let quote = erp.post("/v1/price-quotes", body).await.expect(200);
    assert_eq!(
        quote["lines"][1]["explanation"],
        "neither the USD price list of tier A nor the base list has a price for this product that holds on that day for that quantity"
    );
    let lines = json!([{ "product_id": a["id"], "quantity": "2.5" }, { "product_id": b["id"], "quantity": "2" }]);
    let body = json!({ "currency": "USD", "lines": lines });
    let quote = erp.post("/v1/price-quotes", body).await.expect(200);
    assert_eq!(
        quote["total"],
        json!({ "net": "37.25", "tax": "0.00", "gross": "37.25" })
    );
    // Prices of another currency are no prices here.
    let body = json!({ "currency": "EUR", "lines": lines });
    let quote = erp.post("/v1/price-quotes", body).await.expect(200);
    assert_eq!(quote["lines"][0]["unit_price"], json!(null));
}

#[tokio::test]
async fn a_customer_is_quoted_its_tier() {
    let service = given::erp().await;
    let erp = &service.client;
    let product = given::product(erp, "A").await;
    let customer = given::customer(&service, "Alfreds").await;
    let base = given::price_list(erp, None, "USD").await;
    let gold = given::price_list(erp, Some("gold"), "USD").await;
    given::price(erp, &base, &product, json!({ "unit_price": "10" })).await;
    given::price(erp, &gold, &product, json!({ "unit_price": "9" })).await;
    let body = json!({
        "customer_id": customer["id"], "currency": "USD", "lines": [{ "product_id": product["id"], "quantity": "1" }]
    });
    let quote = erp.post("/v1/price-quotes", body.clone()).await.expect(200);
    assert_eq!(
        (&quote["tier"], &quote["lines"][0]["unit_price"]),
        (&json!(null), &json!("10"))
    );
    let terms = json!({ "tier": "gold" });
    erp.patch(&given::path("customers", &customer), terms).await.expect(200);
    let quote = erp.post("/v1/price-quotes", body).await.expect(200);
    assert_eq!(
        (&quote["tier"], &quote["lines"][0]["unit_price"]),
        (&json!("gold"), &json!("9"))
    );
}

#[tokio::test]
async fn every_fault_of_a_quote_is_named_and_nothing_is_stored() {
    let service = given::erp().await;
    let erp = &service.client;
    let nobody = uuid::Uuid::now_v7();
    let body = json!({
        "customer_id": nobody, "tier": "gold", "currency": "USD",
        "lines": [{ "product_id": nobody, "quantity": "1" }, { "product_id": nobody, "quantity": "2" }]
    });
    let problem = erp
        .post("/v1/price-quotes", body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/tier", "ambiguous"),
            ("/customer_id", "unknown_customer"),
            ("/lines/0/product_id", "unknown_product"),
            ("/lines/1/product_id", "unknown_product"),
        ]
    );
    let empty = json!({ "currency": "USD", "lines": [] });
    erp.post("/v1/price-quotes", empty)
        .await
        .expect_problem(422, "too_short");
    let audit = erp.get("/v1/audit-log").await.expect(200);
    assert_eq!(audit["items"], json!([]));
}

/// The rule, written once more and as plainly as possible.
fn plainly<'a>(prices: &'a [Value], tier: Option<&str>, date: &str, quantity: u32) -> Option<&'a Value> {
    let number = |price: &Value| price["minimum_quantity"].as_str().unwrap().parse::<u32>().unwrap();
    let holds = |price: &&Value| {
        let right_list = price["tier"].is_null() || price["tier"].as_str() == tier;
        let begun = price["valid_from"].as_str().is_none_or(|from| from <= date);
        let over = price["valid_to"].as_str().is_some_and(|to| to < date);
        right_list && begun && !over && number(price) <= quantity
    };
    let rank = |price: &&Value| {
        let from = price["valid_from"].as_str().unwrap_or_default().to_owned();
        (price["tier"].is_string(), number(price), from)
    };
    prices.iter().filter(holds).max_by_key(rank)
}

#[tokio::test]
async fn the_statement_agrees_with_the_rule_for_any_prices() {
    let service = given::erp().await;
    let erp = &service.client;
    let product = given::product(erp, "P").await;
    let lists = [
        given::price_list(erp, None, "USD").await,
        given::price_list(erp, Some("A"), "USD").await,
        given::price_list(erp, Some("B"), "USD").await,
    ];
    let mut random = Random(42);
    let mut prices = Vec::new();
    for number in 1..=120 {
        let from = random.below(6);
        let mut body = json!({
            "product_id": product["id"], "unit_price": number.to_string(), "minimum_quantity": random.below(4).to_string(),
        });
        if from > 0 {
            body["valid_from"] = json!(format!("2026-01-{:02}", from * 4));
        }
        if random.below(2) == 0 {
            body["valid_to"] = json!(format!("2026-01-{:02}", from * 4 + 1 + random.below(6)));
        }
        let list = &lists[random.below(3)];
        let reply = erp
            .post(&format!("{}/prices", given::path("price-lists", list)), body)
            .await;
        match reply.status.as_u16() {
            201 => prices.push(reply.body),
            _ => drop(reply.expect_problem(409, "duplicate_price")),
        }
    }
    assert!(prices.len() > 30, "only {} prices", prices.len());
    let mut conn = PgConnection::establish(&service.database.url).unwrap();
    let id = product["id"].as_str().unwrap().parse().unwrap();
    for _ in 0..300 {
        let (tier, day, quantity) = (
            [None, Some("A"), Some("B"), Some("C")][random.below(4)],
            1 + random.below(31),
            random.below(5) as u32,
        );
        let date = format!("2026-01-{day:02}");
        let lines = [(id, quantity.to_string().parse().unwrap())];
        let found = pricing::prices_for(
            &mut conn,
            pricing::Buyer::of_tier(tier),
            Currency::USD,
            date.parse().unwrap(),
            &lines,
        )
        .unwrap();
        let expected = plainly(&prices, tier, &date, quantity);
        assert_eq!(
            found[0].as_ref().map(|found| found.price_id.to_string()),
            expected.map(|price| price["id"].as_str().unwrap().to_owned()),
            "{tier:?} {date} {quantity}"
        );
    }
}

/// Numbers that are the same at every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}
