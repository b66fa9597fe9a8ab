use super::support::{Order, added_up, by_hand, decimal, order, same_as_csv};
use crate::deals::support::euro;
use crate::sales::{order as wanted, placed, report, tell};
use crate::support::{crm, customer, id};
use crate::visibility::company;
use chrono::NaiveDate;
use serde_json::{Value, json};

const MARCH: &str = "from=2026-03-01&to=2026-03-31";

async fn by(crm: &service_kit::testing::TestService, query: &str) -> Value {
    crm.client
        .get(&format!("/v1/analytics/sales?{query}"))
        .await
        .expect(200)
}

#[actix_web::test]
async fn what_the_erp_has_accepted_counts() {
    let crm = crm().await;
    let of = customer(&crm.client, "Rancho grande").await;
    let counted = ["accepted", "on_hold", "partially_delivered", "delivered", "closed"];
    for status in counted
        .into_iter()
        .chain(["draft", "submitted", "rejected", "cancelled"])
    {
        order(
            &crm,
            id(&of),
            &Order {
                status,
                ..Order::default()
            },
        );
    }
    let sales = by(&crm, MARCH).await;
    assert_eq!(
        (&sales["total"]["net"], &sales["total"]["orders"]),
        (&json!("500.00"), &json!(5))
    );
    assert!(sales["as_of"].is_string());
    let lines = added_up(&crm.client, &sales["total"], "net").await;
    assert_eq!((lines.0, lines.1.to_string()), (5, "500.00".to_owned()));
}

#[actix_web::test]
async fn revenue_credits_the_owner_at_the_order_date() {
    let company = company().await;
    let crm = &company.crm;
    let of = customer(&crm.client, "Shared").await;
    let mut body = wanted(&of);
    (body["owner_id"], body["submit"]) = (json!(company.ana.id), json!(true));
    let placed = placed(&crm.client, body).await;
    tell(&crm.integration(), &report(&placed, 1, "confirmed"))
        .await
        .expect(200);
    let assign = format!("/v1/orders/{}/assign", id(&placed));
    let to = json!({ "owner_id": company.sofia.id });
    crm.client.post(&assign, to).await.expect(200);

    let today = placed["order_date"].as_str().unwrap();
    let sales = by(crm, &format!("from={today}&to={today}&by=owner")).await;
    assert_eq!(sales["items"][0]["name"], "Ana");
    assert_eq!(sales["items"][0]["net"], "137.90");
    assert_eq!(sales["items"].as_array().unwrap().len(), 1);
    let sales = by(crm, &format!("from={today}&to={today}&by=team")).await;
    assert_eq!(sales["items"][0]["key"], company.north);
    // Who has it now sees it, and that it was not theirs.
    for (user, net) in [(&company.sofia, "137.90"), (&company.ana, "0.00")] {
        let path = format!("/v1/analytics/sales?from={today}&to={today}");
        assert_eq!(user.client.get(&path).await.expect(200)["total"]["net"], net);
    }
}

#[actix_web::test]
async fn nobody_sums_what_is_out_of_sight() {
    let company = company().await;
    let crm = &company.crm;
    let of = customer(&crm.client, "Shared").await;
    for (user, team, price) in [
        (&company.ana, &company.north, "1"),
        (&company.nils, &company.nordic, "20"),
        (&company.sofia, &company.south, "300"),
    ] {
        let (owner, team) = (Some(&*user.id), Some(&**team));
        let price = Some(price);
        order(
            crm,
            id(&of),
            &Order {
                owner,
                team,
                price,
                ..Order::default()
            },
        );
    }
    order(
        crm,
        id(&of),
        &Order {
            price: Some("4000"),
            ..Order::default()
        },
    );
    for (user, net) in [
        (&company.ana, "1.00"),
        (&company.nils, "20.00"),
        (&company.sofia, "300.00"),
        (&company.lea, "21.00"),
        (&company.otto, "4321.00"),
    ] {
        for by in ["customer", "product", "category", "region", "owner", "team", "month"] {
            let path = format!("/v1/analytics/sales?{MARCH}&by={by}");
            let sales = user.client.get(&path).await.expect(200);
            assert_eq!(sales["total"]["net"], net, "{by}");
            let sum: rust_decimal::Decimal = sales["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| decimal(&f["net"]))
                .sum();
            assert_eq!(sum, decimal(&json!(net)), "{by}");
            for figure in sales["items"].as_array().unwrap().iter().chain([&sales["total"]]) {
                assert_eq!(
                    added_up(&user.client, figure, "net").await.1,
                    decimal(&figure["net"]),
                    "{by}"
                );
            }
            // The customer is nobody's: only who sees all knows the name.
            let named = by == "customer" && net == "4321.00";
            assert_eq!(sales["items"][0]["name"] == "Shared", named);
        }
        // Asking for somebody else by name shows no more.
        let path = format!("/v1/analytics/sales/lines?{MARCH}&owner_id={}", company.sofia.id);
        let seen = user.client.get(&path).await.expect(200)["items"]
            .as_array()
            .unwrap()
            .len();
        assert_eq!(seen, usize::from(["300.00", "4321.00"].contains(&net)));
    }
}

/// EUR 4.55 at 1.10 is 5.005, which goes to the even 5.00, and EUR 4.65 is 5.115: 5.12.
#[actix_web::test]
async fn what_has_no_rate_stands_apart() {
    let crm = crm().await;
    let of = customer(&crm.client, "Rancho grande").await;
    euro(&crm, "1.10", NaiveDate::from_ymd_opt(2026, 3, 5).unwrap()).await;
    let foreign = |price: Option<&'static str>, date: &'static str| Order {
        currency: "EUR",
        price,
        date,
        ..Order::default()
    };
    order(&crm, id(&of), &foreign(Some("4.55"), "2026-03-05"));
    order(&crm, id(&of), &foreign(Some("4.65"), "2026-03-12"));
    order(&crm, id(&of), &foreign(Some("7"), "2026-03-13"));
    order(
        &crm,
        id(&of),
        &Order {
            price: None,
            ..Order::default()
        },
    );
    order(&crm, id(&of), &Order::default());
    let sales = by(&crm, &format!("{MARCH}&by=customer")).await;
    let figure = &sales["items"][0];
    assert_eq!(
        (&figure["net"], &figure["unvalued"], &figure["orders"]),
        (&json!("110.12"), &json!(2), &json!(5))
    );
    let (lines, sum) = added_up(&crm.client, figure, "net").await;
    assert_eq!((lines, sum), (5, decimal(&json!("110.12"))));
    assert_eq!(
        same_as_csv(&crm.client, &format!("/v1/analytics/sales/lines?{MARCH}"), "items").await,
        5
    );
}

#[actix_web::test]
async fn the_rule_in_sql_is_the_rule_of_rates() {
    let crm = crm().await;
    let sync = crm.integration();
    for (day, reference, currency, rate) in [
        ("2026-03-02", "EUR", "USD", "1.25"),
        ("2026-03-02", "EUR", "JPY", "150"),
        ("2026-03-04", "USD", "JPY", "121"),
        ("2026-03-05", "GBP", "USD", "1.3"),
        ("2026-03-09", "EUR", "JPY", "151.5"),
        ("2026-03-09", "EUR", "USD", "1.2"),
    ] {
        let body = json!({ "source_version": 1, "as_of": crate::sales::AS_OF, "date": day, "reference": reference,
            "currency": currency, "rate": rate });
        let path = format!("/v1/exchange-rates/{}", crate::sales::new_id());
        sync.put(&path, body).await.expect(201);
    }
    let mut conn = <diesel::PgConnection as diesel::Connection>::establish(&crm.database.url).unwrap();
    for currency in ["USD", "EUR", "JPY", "GBP", "KWD"] {
        for day in 1..=20 {
            let date = NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
            let (from, to) = (currency.parse().unwrap(), "USD".parse().unwrap());
            let rate = crm_service::currencies::rate(&mut conn, from, to, date).unwrap();
            let statement = format!(
                "SELECT 'rate' AS key, coalesce(round(rate_of_day('{currency}', 'USD', 'EUR', '{date}'), 20)::text, '') AS value"
            );
            let told = by_hand(&crm, &statement)["rate"].parse::<rust_decimal::Decimal>().ok();
            assert_eq!(
                told.map(|rate| rate.round_dp(18).normalize()),
                rate.map(|rate| rate.round_dp(18).normalize()),
                "{currency} {date}"
            );
        }
    }
}

#[actix_web::test]
async fn pages_hold_every_group_once_and_faults_are_named_together() {
    let crm = crm().await;
    for n in 0..7 {
        let of = customer(&crm.client, &format!("Customer {n}, \"the {n}th\"")).await;
        // Two by two with the same net.
        let price = format!("{}", 100 + n / 2);
        order(
            &crm,
            id(&of),
            &Order {
                price: Some(&price),
                ..Order::default()
            },
        );
    }
    let path = format!("/v1/analytics/sales?{MARCH}&by=customer");
    let whole = by(&crm, &format!("{MARCH}&by=customer")).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..4 {
        let page = crm.client.get(&format!("{path}&limit=2{cursor}")).await.expect(200);
        assert_eq!(page["total"]["net"], "709.00");
        seen.extend(page["items"].as_array().unwrap().clone());
        cursor = format!("&cursor={}", page["next_cursor"].as_str().unwrap_or("end"));
    }
    assert!(cursor.ends_with("end"));
    let rows = |items: &[Value]| -> Vec<Value> { items.iter().map(|figure| figure["rows"].clone()).collect() };
    assert_eq!(rows(&seen), rows(whole["items"].as_array().unwrap()));
    assert_eq!(same_as_csv(&crm.client, &path, "items").await, 7);

    let odd = "/v1/analytics/sales?colour=red&from=yesterday&shape=round&limit=0&by=weather";
    let refused = crm.client.get(odd).await.expect_problem(400, "invalid_parameter");
    let detail = refused["detail"].as_str().unwrap();
    for named in ["colour", "shape", "from", "limit", "by"] {
        assert!(detail.contains(named), "{named}: {detail}");
    }
    let odd = "/v1/analytics/sales?from=2026-03-02&to=2026-03-01&key=none";
    let refused = crm.client.get(odd).await.expect_problem(400, "invalid_parameter");
    assert_eq!(refused["errors"].as_array().unwrap().len(), 2, "{refused}");
    let far = "/v1/analytics/sales?from=2000-01-01&to=2026-03-01";
    crm.client.get(far).await.expect_problem(400, "invalid_parameter");
}
