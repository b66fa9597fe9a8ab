//! The moving average, with the figures of the worked example "Stock value".

use super::{adjustment, move_of, moves};
use crate::shop::{Shop, id};
use serde_json::{Value, json};

async fn adjust(shop: &Shop, body: Value) -> Value {
    shop.erp.post("/v1/stock-adjustments", body).await.expect(201)
}

#[tokio::test]
async fn three_units_worth_ten_leave_as_3_33_3_34_3_33() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    // 3 units at 3.3333 are worth 10.00.
    let came = adjust(&shop, adjustment(&shop, product, "3", Some("3.3333"))).await;
    assert_eq!(came["lines"][0]["value"], "10.00");
    for value in ["-3.33", "-3.34", "-3.33"] {
        let gone = adjust(&shop, adjustment(&shop, product, "-1", None)).await;
        assert_eq!(gone["lines"][0]["value"], value);
    }
    let expected = [("3", "10"), ("-1", "-3.33"), ("-1", "-3.34"), ("-1", "-3.33")];
    assert_eq!(
        moves(&shop, product).await,
        expected.map(|(quantity, value)| move_of("adjustment", quantity, value))
    );
}

#[tokio::test]
async fn a_delivery_takes_the_average() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    adjust(&shop, adjustment(&shop, product, "10", Some("10"))).await;
    adjust(&shop, adjustment(&shop, product, "10", Some("12"))).await;
    let order = shop.confirmed(product, "5").await;
    let path = format!("/v1/sales-orders/{}/deliveries", id(&order));
    shop.erp.post(&path, json!({})).await.expect(201);
    assert_eq!(
        moves(&shop, product).await,
        [
            move_of("adjustment", "10", "100"),
            move_of("adjustment", "10", "120"),
            move_of("delivery", "-5", "-55"),
        ]
    );
}

#[tokio::test]
async fn stock_without_a_cost_comes_at_the_average_then_at_the_last_cost_then_at_nothing() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    let first = adjust(&shop, adjustment(&shop, product, "2", None)).await;
    assert_eq!(first["lines"][0]["value"], "0.00");
    adjust(&shop, adjustment(&shop, product, "1", Some("10"))).await;
    // 3 units are worth 10.00, so 2 more are worth 6.67.
    let average = adjust(&shop, adjustment(&shop, product, "2", None)).await;
    assert_eq!(average["lines"][0]["value"], "6.67");
    adjust(&shop, adjustment(&shop, product, "-5", None)).await;
    let last = adjust(&shop, adjustment(&shop, product, "4", None)).await;
    assert_eq!(last["lines"][0]["value"], "13.34");
}

#[tokio::test]
async fn an_adjustment_shows_the_entry_it_would_make() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    let mut body = adjustment(&shop, product, "10", Some("10"));
    body["kind"] = "opening".into();
    let shown = shop
        .erp
        .post("/v1/stock-adjustments?dry_run=true", body.clone())
        .await
        .expect(200);
    assert_eq!(shown["number"], Value::Null);
    let entry = &shown["entries"][0];
    let line = |index: usize| {
        let line = &entry["lines"][index];
        (
            line["account"].clone(),
            line["debit"].clone(),
            line["credit"].clone(),
            line["rule"].clone(),
        )
    };
    assert_eq!(entry["journal"], "STK");
    assert_eq!(line(0), ("1300".into(), "100.00".into(), "0.00".into(), "stock".into()));
    assert_eq!(
        line(1),
        ("3020".into(), "0.00".into(), "100.00".into(), "opening_balance".into())
    );
    assert_eq!(moves(&shop, product).await, []);

    let opening = adjust(&shop, body).await;
    assert!(
        opening["number"]
            .as_str()
            .is_some_and(|number| number.starts_with("ADJ-") && number.ends_with("-000001"))
    );
    let lost = shop
        .erp
        .post(
            "/v1/stock-adjustments?dry_run=true",
            adjustment(&shop, product, "-3", None),
        )
        .await
        .expect(200);
    let lines = lost["entries"][0]["lines"].as_array().unwrap();
    assert_eq!(
        (&lines[0]["account"], &lines[0]["debit"]),
        (&"5030".into(), &"30.00".into())
    );
    assert_eq!(
        (&lines[1]["account"], &lines[1]["credit"]),
        (&"1300".into(), &"30.00".into())
    );
}

#[tokio::test]
async fn what_is_gone_has_no_cost_of_its_own() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "5").await;
    let body = adjustment(&shop, product, "-1", Some("3"));
    let problem = shop
        .erp
        .post("/v1/stock-adjustments", body)
        .await
        .expect_problem(422, "not_applicable");
    assert_eq!(problem["errors"][0]["pointer"], "/lines/0/unit_cost");
    // 99,999,999 units at 99,999,999 would be worth more than a column holds exactly.
    let body = adjustment(&shop, product, "99999000", Some("99999999"));
    let refused = shop.erp.post("/v1/stock-adjustments", body).await;
    refused.expect_problem(422, "out_of_range");
}

/// The database takes the same shares as the rule in words: ties, last units, thirds.
#[test]
fn the_database_and_the_rule_agree() {
    use diesel::prelude::*;
    use erp_service::inventory::average::share;
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};
    use rust_decimal::Decimal;
    use service_kit::testing::TestDatabase;
    use service_kit::{Currency, Quantity};

    diesel::define_sql_function! {
        fn stock_share(value: diesel::sql_types::Numeric, on_hand: diesel::sql_types::Numeric,
            quantity: diesel::sql_types::Numeric, digits: diesel::sql_types::Integer) -> diesel::sql_types::Numeric;
    }
    let database = TestDatabase::of(&erp_service::app::SERVICE);
    let conn = std::cell::RefCell::new(PgConnection::establish(&database.url).unwrap());
    let yen: Currency = "JPY".parse().unwrap();
    let dinar: Currency = "KWD".parse().unwrap();
    let small = (0u64..2_000, 1u64..20, 1u64..20);
    let large = (0u64..9_000_000_000_000_000, 1u64..99_999_999_000, 1u64..99_999_999_000);
    let cases = (prop_oneof![small, large], 0usize..3);
    let mut runner = TestRunner::new(Config::with_cases(1_000));
    let outcome = runner.run(&cases, |((minor, on_hand, quantity), currency)| {
        let base = [yen, Currency::USD, dinar][currency];
        let digits = base.minor_digits();
        let value = Decimal::new(i64::try_from(minor).unwrap() / 1_000 * 10_i64.pow(digits), digits)
            + Decimal::new(i64::try_from(minor).unwrap() % 1_000, digits);
        let mills = |mills: u64| Quantity::new(Decimal::new(i64::try_from(mills).unwrap(), 3)).unwrap();
        let (on_hand, quantity) = (mills(on_hand), mills(quantity));
        let stored: Decimal = diesel::select(stock_share(
            value,
            on_hand.value(),
            quantity.value(),
            i32::try_from(digits).unwrap(),
        ))
        .get_result(&mut *conn.borrow_mut())
        .unwrap();
        prop_assert_eq!(stored, share(value, on_hand, quantity, base));
        Ok(())
    });
    outcome.unwrap();
}
