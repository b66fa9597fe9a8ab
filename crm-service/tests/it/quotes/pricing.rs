use super::support::{act, change, in_days, line, now, quote, sold, today};
use crate::sales::{new_id, tell_price, tell_tier};
use crate::support::{crm, customer, id};
use serde_json::{Value, json};

#[actix_web::test]
async fn each_line_says_which_price_answered() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Tiered").await;
    let [base, tiered, own, bulk, none] = [
        sold(&crm, "BASE", "10").await,
        sold(&crm, "TIER", "10").await,
        sold(&crm, "OWN", "10").await,
        sold(&crm, "BULK", "10").await,
        sold(&crm, "NONE", "").await,
    ];
    tell_tier(&sync, &of, 1, "B").await;
    for product in [&tiered, &own] {
        tell_price(
            &sync,
            product,
            "9.50",
            json!({ "tier": "B", "price_list_name": "Tier B" }),
        )
        .await;
    }
    tell_price(
        &sync,
        &own,
        "9.00",
        json!({ "customer_id": id(&of), "price_list_name": "Agreed" }),
    )
    .await;
    tell_price(&sync, &bulk, "8", json!({ "minimum_quantity": "100" })).await;
    let lines: Vec<Value> = [
        (&base, "1"),
        (&tiered, "1"),
        (&own, "1"),
        (&bulk, "99"),
        (&bulk, "100"),
        (&none, "1"),
    ]
    .iter()
    .map(|(product, quantity)| line(product, quantity))
    .collect();
    let draft = quote(&crm.client, &of, json!({ "lines": lines })).await;
    let told: Vec<(Value, Value, Value)> = draft["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let trace = &line["price_trace"];
            (
                line["unit_price"].clone(),
                trace["rule"].clone(),
                trace["price_list_name"].clone(),
            )
        })
        .collect();
    let said = |price: &str, rule: &str, list: &str| (json!(price), json!(rule), json!(list));
    assert_eq!(
        told,
        [
            said("10", "base", "Base"),
            said("9.5", "tier", "Tier B"),
            said("9", "customer", "Agreed"),
            said("10", "base", "Base"),
            said("8", "base", "Base"),
            (json!(null), json!(null), json!(null)),
        ]
    );
    let trace = &draft["lines"][4]["price_trace"];
    assert_eq!(
        (&trace["minimum_quantity"], &trace["priced_on"], &trace["tier"]),
        (&json!("100"), &json!(today()), &json!("B"))
    );
    // 10 + 9.50 + 9 + 99 × 10 + 100 × 8
    assert_eq!(draft["total"]["net"], "1818.50");
    // What has no price cannot be offered.
    let refused = act(&crm.client, &draft, "send", json!({}))
        .await
        .expect_problem(422, "no_price");
    assert_eq!(refused["errors"][0]["pointer"], "/lines/5/unit_price");
}

/// B pays 9.50 until today, A 9.00: whose quote was sent keeps its price, and one of the new tier has the new one.
#[actix_web::test]
async fn the_price_is_that_of_the_tier_on_the_day_and_stays() {
    let crm = crm().await;
    let sync = crm.integration();
    let of = customer(&crm.client, "Promoted").await;
    let tea = sold(&crm, "TEA", "10").await;
    tell_price(&sync, &tea, "9.50", json!({ "tier": "B", "valid_to": today() })).await;
    tell_price(&sync, &tea, "9.00", json!({ "tier": "A", "valid_from": in_days(-3) })).await;
    tell_tier(&sync, &of, 1, "B").await;
    let first = quote(&crm.client, &of, json!({ "lines": [line(&tea, "10")] })).await;
    let second = quote(&crm.client, &of, json!({ "lines": [line(&tea, "10")] })).await;
    act(&crm.client, &first, "send", json!({})).await.expect(200);
    tell_tier(&sync, &of, 2, "A").await;
    let accepted = act(&crm.client, &first, "accept", json!({})).await.expect(200);
    let order = super::support::order_of(&crm.client, &accepted).await;
    assert_eq!(
        (&order["lines"][0]["unit_price"], &order["total"]["net"]),
        (&json!("9.5"), &json!("95.00"))
    );
    // A draft keeps what it says until somebody asks.
    assert_eq!(now(&crm.client, &second).await["total"]["net"], "95.00");
    let again = change(&crm.client, &second, json!({ "reprice": true }))
        .await
        .expect(200);
    assert_eq!(
        (&again["total"]["net"], &again["lines"][0]["price_trace"]["tier"]),
        (&json!("90.00"), &json!("A"))
    );
}

#[actix_web::test]
async fn a_given_price_is_kept_beside_the_list_price() {
    let crm = crm().await;
    let (_, tea, draft) = super::support::begun(&crm).await;
    let line_id = draft["lines"][0]["id"].clone();
    let given =
        json!([{ "id": line_id, "product_id": tea, "quantity": "10", "unit_price": "9.12", "discount": "0.05" }]);
    let changed = change(&crm.client, &draft, json!({ "lines": given })).await.expect(200);
    let line = &changed["lines"][0];
    // 9.12 × 0.95 = 8.664 of 9.50: 0.088 below; 10 of them are 86.64.
    assert_eq!(
        (
            &line["id"],
            &line["unit_price"],
            &line["price_given"],
            &line["list_price"],
            &line["discount_from_list"],
            &line["line_total"]
        ),
        (
            &line_id,
            &json!("9.12"),
            &json!(true),
            &json!("9.5"),
            &json!("0.088"),
            &json!("86.64")
        )
    );
    assert_eq!(changed["greatest_discount"], "0.088");
    // Named by its id with the same quantity it keeps the list price; with another it is asked anew.
    tell_price(&crm.integration(), &tea, "8", json!({ "minimum_quantity": "5" })).await;
    let kept = json!([{ "id": line_id, "product_id": tea, "quantity": "10" }]);
    let kept = change(&crm.client, &draft, json!({ "lines": kept })).await.expect(200);
    assert_eq!(
        (&kept["lines"][0]["unit_price"], &kept["lines"][0]["price_given"]),
        (&json!("9.5"), &json!(false))
    );
    let more = json!([{ "id": line_id, "product_id": tea, "quantity": "11" }]);
    let more = change(&crm.client, &draft, json!({ "lines": more })).await.expect(200);
    assert_eq!(more["lines"][0]["unit_price"], "8");
}

#[actix_web::test]
async fn all_faults_of_a_quote_are_named_at_once() {
    let crm = crm().await;
    let of = customer(&crm.client, "Faulty").await;
    let gone = sold(&crm, "GONE", "1").await;
    super::support::retire(&crm, &gone, "GONE").await;
    let same = new_id();
    let body = json!({
        "title": "Faulty", "customer_id": of["id"], "contact_id": new_id(), "deal_id": new_id(), "owner_id": new_id(),
        "valid_until": in_days(-1),
        "lines": [
            { "product_id": new_id(), "quantity": "1" },
            { "id": same, "product_id": gone, "quantity": "0" },
            { "id": same, "product_id": gone, "quantity": "1" },
        ],
    });
    let refused = crm
        .client
        .post("/v1/quotes", body)
        .await
        .expect_problem(422, "invalid_input");
    let mut found: Vec<(&str, &str)> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap()))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("/contact_id", "unknown_contact"),
            ("/deal_id", "unknown_deal"),
            ("/lines/0/product_id", "unknown_product"),
            ("/lines/1/product_id", "product_retired"),
            ("/lines/1/quantity", "out_of_range"),
            ("/lines/2/id", "duplicate"),
            ("/lines/2/product_id", "product_retired"),
            ("/owner_id", "unknown_user"),
            ("/valid_until", "out_of_range"),
        ]
    );
}
