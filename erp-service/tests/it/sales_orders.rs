use crate::shop::{Shop, id, line, three};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn confirming_numbers_prices_and_reserves() {
    let shop = Shop::open().await;
    let (a, b) = (shop.stocked("A", "10").await, shop.stocked("B", "1").await);
    let list = shop
        .erp
        .post("/v1/price-lists", json!({"name": "Base", "currency": "USD"}))
        .await
        .expect(201);
    let prices = format!("/v1/price-lists/{}/prices", id(&list));
    shop.erp
        .post(&prices, json!({"product_id": a, "unit_price": "9.80"}))
        .await
        .expect(201);
    let lines = json!([
        {"product_id": a, "quantity": "3"},
        {"product_id": b, "quantity": "4", "unit_price": "14.10", "discount": "0.05"}
    ]);
    let body = json!({"customer_id": shop.customer, "currency": "USD", "lines": lines});
    let draft = shop.erp.post("/v1/sales-orders", body).await.expect(201);
    assert_eq!((&draft["status"], &draft["number"]), (&json!("draft"), &Value::Null));
    let order = shop
        .erp
        .post(&format!("/v1/sales-orders/{}/confirm", id(&draft)), json!({}))
        .await
        .expect(200);
    assert_eq!(order["status"], "confirmed");
    assert!(
        order["number"].as_str().is_some_and(|number| number.starts_with("SO-")),
        "{order:#}"
    );
    assert_eq!(line(&order, 0), three("3", "0", "0"));
    assert_eq!(line(&order, 1), three("1", "3", "0"));
    // 3 × 9.80 and 4 × 14.10 × 0.95 = 53.58.
    assert_eq!(
        (&order["lines"][0]["line_total"], &order["lines"][1]["line_total"]),
        (&json!("29.40"), &json!("53.58"))
    );
    assert_eq!(order["total"], json!({"net": "82.98", "tax": "0.00", "gross": "82.98"}));
    assert_eq!(shop.availability(a).await, three("10", "3", "7"));
    assert_eq!(shop.availability(b).await, three("1", "1", "0"));
    let again = shop
        .erp
        .post(&format!("/v1/sales-orders/{}/confirm", id(&draft)), json!({}))
        .await;
    let problem = again.expect_problem(409, "illegal_transition");
    assert_eq!(
        problem["allowed_actions"],
        json!(["deliver", "amend", "hold", "close", "cancel"])
    );
}

#[tokio::test]
async fn a_total_beyond_what_is_stored_is_refused() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "1").await;
    let largest = json!({"product_id": product, "quantity": "99999999.999", "unit_price": "99999999.9999"});
    for confirm in [false, true] {
        let mut body = shop.order(json!([largest, largest]));
        body["confirm"] = json!(confirm);
        let refused = shop.erp.post("/v1/sales-orders", body).await;
        refused.expect_problem(422, "out_of_range");
    }
    let placed = shop.erp.post("/v1/sales-orders", shop.order(json!([largest]))).await;
    assert_eq!(placed.expect(201)["total"]["net"], "9999999999890000.00");
}

#[tokio::test]
async fn a_verb_based_on_a_stale_order_is_refused() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let mut body = shop.order(json!([{"product_id": product, "quantity": "3", "unit_price": "1"}]));
    body["confirm"] = json!(false);
    let draft = shop.erp.post("/v1/sales-orders", body).await.expect(201);
    let verb = |verb: &str, tag: &str| {
        let path = format!("/v1/sales-orders/{}/{verb}", id(&draft));
        let request = shop.erp.request(Method::POST, &path).header("If-Match", tag);
        shop.erp.send(request.json(&json!({"reason": "stale or not"})))
    };
    let confirm = format!("/v1/sales-orders/{}/confirm", id(&draft));
    let request = shop.erp.request(Method::POST, &confirm).header("If-Match", "\"7\"");
    shop.erp.send(request).await.expect_problem(412, "stale");
    let request = shop.erp.request(Method::POST, &confirm).header("If-Match", "\"1\"");
    let confirmed = shop.erp.send(request).await;
    let etag = confirmed.etag();
    confirmed.expect(200);
    for action in ["hold", "close", "cancel"] {
        verb(action, "\"1\"").await.expect_problem(412, "stale");
    }
    verb("hold", &etag).await.expect(200);
    verb("release", &etag).await.expect_problem(412, "stale");
}

#[tokio::test]
async fn a_dry_run_shows_everything_and_changes_nothing() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let body = shop.order(json!([{"product_id": product, "quantity": "3", "unit_price": "1"}]));
    let shown = shop.erp.post("/v1/sales-orders?dry_run=true", body).await.expect(200);
    assert_eq!(
        (&shown["status"], &shown["number"]),
        (&json!("confirmed"), &Value::Null)
    );
    assert_eq!(line(&shown, 0), three("3", "0", "0"));
    shop.erp
        .get(&format!("/v1/sales-orders/{}", id(&shown)))
        .await
        .expect_problem(404, "not_found");
    assert_eq!(shop.availability(product).await, three("10", "0", "10"));
}

#[tokio::test]
async fn a_back_office_order_that_cannot_be_confirmed_names_every_line() {
    let shop = Shop::open().await;
    let retired = shop.stocked("A", "10").await;
    let unpriced = shop.stocked("B", "10").await;
    shop.erp
        .post(&format!("/v1/products/{retired}/retire"), json!({}))
        .await
        .expect(200);
    let lines = json!([
        {"product_id": retired, "quantity": "1", "unit_price": "1"},
        {"product_id": unpriced, "quantity": "1"},
        {"product_id": Uuid::now_v7(), "quantity": "1", "unit_price": "1"}
    ]);
    let problem = shop
        .erp
        .post("/v1/sales-orders", shop.order(lines))
        .await
        .expect_problem(422, "invalid_input");
    let faults: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        faults,
        [
            ("/lines/0/product_id", "retired_product"),
            ("/lines/1/unit_price", "no_price"),
            ("/lines/2/product_id", "unknown_product"),
        ]
    );
    let orders = shop.erp.get("/v1/sales-orders").await.expect(200);
    assert_eq!(orders["items"], json!([]));
}

#[tokio::test]
async fn a_draft_is_edited_under_if_match() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let mut body = shop.order(json!([{"product_id": product, "quantity": "3", "unit_price": "2"}]));
    body["confirm"] = json!(false);
    let created = shop.erp.post("/v1/sales-orders", body).await;
    let (etag, path) = (created.etag(), format!("/v1/sales-orders/{}", id(&created.body)));
    let change = json!({"priority": 5, "requested_date": null, "lines": [{"product_id": product, "quantity": "4", "unit_price": "2.5"}]});
    let changed = shop.erp.patch_matching(&path, &etag, change.clone()).await.expect(200);
    assert_eq!(
        (&changed["priority"], &changed["total"]["net"]),
        (&json!(5), &json!("10.00"))
    );
    let problem = shop
        .erp
        .patch_matching(&path, &etag, change)
        .await
        .expect_problem(412, "stale");
    assert_eq!(problem["changed_fields"], json!(["lines", "priority", "total"]));
    shop.erp.post(&format!("{path}/confirm"), json!({})).await.expect(200);
    shop.erp
        .patch(&path, json!({"priority": 1}))
        .await
        .expect_problem(409, "illegal_transition");
}

#[tokio::test]
async fn over_the_limit_waits_on_hold_until_it_is_released() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "100").await;
    shop.limit_credit("1000").await;
    let first = shop.confirmed(product, "62").await;
    assert_eq!(first["status"], "confirmed");
    let held = shop
        .erp
        .post(
            "/v1/sales-orders",
            shop.order(json!([{"product_id": product, "quantity": "1", "unit_price": "380.01"}])),
        )
        .await
        .expect(201);
    assert_eq!(
        (&held["status"], &held["holds"][0]["code"]),
        (&json!("on_hold"), &json!("credit"))
    );
    assert!(held["number"].is_string(), "held orders are numbered");
    assert_eq!(line(&held, 0), three("0", "0", "0"));
    // What is held is not counted: exactly the rest of the limit still passes.
    let exact = shop
        .erp
        .post(
            "/v1/sales-orders",
            shop.order(json!([{"product_id": product, "quantity": "1", "unit_price": "380.00"}])),
        )
        .await
        .expect(201);
    assert_eq!(exact["status"], "confirmed");
    let path = format!("/v1/sales-orders/{}", id(&held));
    shop.erp
        .post(&format!("{path}/deliveries"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    shop.erp
        .post(&format!("{path}/release"), json!({}))
        .await
        .expect_problem(422, "required");
    let released = shop
        .erp
        .post(&format!("{path}/release"), json!({"reason": "paid by phone"}))
        .await
        .expect(200);
    assert_eq!(
        (&released["status"], line(&released, 0)),
        (&json!("confirmed"), three("1", "0", "0"))
    );
    // Released by hand past the limit, it ships.
    shop.erp
        .post(&format!("{path}/deliveries"), json!({}))
        .await
        .expect(201);
    let customer = shop
        .erp
        .get(&format!("/v1/customers/{}", shop.customer))
        .await
        .expect(200);
    assert_eq!(customer["exposure"], "1380.01");
}

#[tokio::test]
async fn zero_means_prepayment_and_shipping_checks_again() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "100").await;
    let order = shop.confirmed(product, "5").await;
    shop.limit_credit("0").await;
    let held = shop.confirmed(product, "1").await;
    assert_eq!(held["status"], "on_hold");
    // The limit came after the confirmation; the order counts once, and still exceeds it.
    let path = format!("/v1/sales-orders/{}/deliveries", id(&order));
    shop.erp
        .post(&path, json!({}))
        .await
        .expect_problem(409, "credit_exceeded");
    shop.limit_credit("50").await;
    shop.erp.post(&path, json!({})).await.expect(201);
}

#[tokio::test]
async fn a_credit_hold_stops_new_orders_and_a_block_refuses_them() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "100").await;
    let customer = format!("/v1/customers/{}", shop.customer);
    shop.erp
        .patch(
            &customer,
            json!({"credit_hold": true, "credit_hold_reason": "late payer"}),
        )
        .await
        .expect(200);
    let held = shop.confirmed(product, "1").await;
    assert_eq!(held["holds"][0]["code"], "credit_hold");
    shop.erp.patch(&customer, json!({"blocked": true})).await.expect(200);
    let refused = shop
        .erp
        .post(
            "/v1/sales-orders",
            shop.order(json!([{"product_id": product, "quantity": "1", "unit_price": "1"}])),
        )
        .await;
    refused.expect_problem(422, "customer_blocked");
}

#[tokio::test]
async fn a_manual_hold_keeps_the_reservation() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "3").await;
    let order = shop.confirmed(product, "5").await;
    let path = format!("/v1/sales-orders/{}", id(&order));
    let held = shop
        .erp
        .post(&format!("{path}/hold"), json!({"reason": "address unclear"}))
        .await
        .expect(200);
    assert_eq!(
        (&held["status"], line(&held, 0)),
        (&json!("on_hold"), three("3", "2", "0"))
    );
    // Stock that comes in passes by what is on hold …
    shop.adjust(product, "2").await;
    assert_eq!(shop.availability(product).await, three("5", "3", "2"));
    // … and is taken at the release.
    let released = shop
        .erp
        .post(&format!("{path}/release"), json!({"reason": "clear"}))
        .await
        .expect(200);
    assert_eq!(line(&released, 0), three("5", "0", "0"));
}

#[tokio::test]
async fn cancelling_frees_stock_for_the_orders_that_wait() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let first = shop.confirmed(product, "10").await;
    let second = shop.confirmed(product, "4").await;
    assert_eq!(line(&second, 0), three("0", "4", "0"));
    let path = format!("/v1/sales-orders/{}", id(&first));
    let cancelled = shop
        .erp
        .post(&format!("{path}/cancel"), json!({"reason": "changed mind"}))
        .await
        .expect(200);
    assert_eq!(
        (&cancelled["status"], line(&cancelled, 0)),
        (&json!("cancelled"), three("0", "0", "0"))
    );
    let second = shop
        .erp
        .get(&format!("/v1/sales-orders/{}", id(&second)))
        .await
        .expect(200);
    assert_eq!(line(&second, 0), three("4", "0", "0"));
    assert_eq!(shop.availability(product).await, three("10", "4", "6"));
    shop.erp
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
}

#[tokio::test]
async fn backorders_are_served_by_priority_then_requested_date() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    let place = async |priority: i64, requested: Option<&str>| {
        let mut body = shop.order(json!([{"product_id": product, "quantity": "2", "unit_price": "1"}]));
        body["priority"] = json!(priority);
        body["order_date"] = json!("2026-01-01");
        body["requested_date"] = json!(requested);
        id(&shop.erp.post("/v1/sales-orders", body).await.expect(201))
    };
    let late = place(0, Some("2026-03-01")).await;
    let never = place(0, None).await;
    let soon = place(0, Some("2026-02-01")).await;
    let urgent = place(9, None).await;
    shop.adjust(product, "5").await;
    let mut reserved = Vec::new();
    for order in [urgent, soon, late, never] {
        reserved.push(line(&shop.erp.get(&format!("/v1/sales-orders/{order}")).await.expect(200), 0).0);
    }
    assert_eq!(reserved, ["2", "2", "1", "0"]);
    shop.adjust(product, "3").await;
    assert_eq!(shop.availability(product).await, three("8", "8", "0"));
}

#[tokio::test]
async fn closing_drops_the_rest_with_a_reason() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "3").await;
    let order = shop.confirmed(product, "5").await;
    let path = format!("/v1/sales-orders/{}", id(&order));
    shop.erp
        .post(&format!("{path}/deliveries"), json!({}))
        .await
        .expect(201);
    shop.erp
        .post(&format!("{path}/close"), json!({}))
        .await
        .expect_problem(422, "reason_required");
    let closed = shop
        .erp
        .post(&format!("{path}/close"), json!({"reason": "no longer made"}))
        .await
        .expect(200);
    assert_eq!(
        (&closed["status"], line(&closed, 0)),
        (&json!("closed"), three("0", "0", "3"))
    );
    shop.adjust(product, "2").await;
    assert_eq!(shop.availability(product).await, three("2", "0", "2"));
}

#[tokio::test]
async fn services_need_no_stock() {
    let shop = Shop::open().await;
    let body = json!({"sku": "FIT", "name": "Fitting", "kind": "service", "unit": "h"});
    let service = id(&shop.erp.post("/v1/products", body).await.expect(201));
    let order = shop.confirmed(service, "2").await;
    assert_eq!(line(&order, 0), three("2", "0", "0"));
    let posted = shop
        .erp
        .post(&format!("/v1/sales-orders/{}/deliveries", id(&order)), json!({}))
        .await
        .expect(201);
    assert_eq!(posted["order"]["status"], "delivered");
}

#[tokio::test]
async fn no_oversell_when_64_clients_order_the_last_ten() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (erp, body) = (
            shop.erp.clone(),
            shop.order(json!([{"product_id": product, "quantity": "1", "unit_price": "1"}])),
        );
        clients.spawn(async move { erp.post("/v1/sales-orders", body).await.expect(201) });
    }
    let orders = clients.join_all().await;
    let count = |state: (String, String, String)| orders.iter().filter(|order| line(order, 0) == state).count();
    assert_eq!((count(three("1", "0", "0")), count(three("0", "1", "0"))), (10, 54));
    assert_eq!(shop.availability(product).await, three("10", "10", "0"));
}

#[tokio::test]
async fn orders_deliveries_and_cancellations_at_once_keep_the_books() {
    let shop = Shop::open().await;
    let products = [
        shop.stocked("A", "60").await,
        shop.stocked("B", "40").await,
        shop.stocked("C", "20").await,
    ];
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..12_usize {
        let (erp, customer) = (shop.erp.clone(), shop.customer);
        clients.spawn(async move {
            for round in 0..6_usize {
                let pick = |n: usize| products[(client + round + n) % 3];
                let lines = json!([
                    {"product_id": pick(0), "quantity": "2", "unit_price": "1"},
                    {"product_id": pick(1), "quantity": "1", "unit_price": "1"}
                ]);
                let body = json!({"customer_id": customer, "currency": "USD", "confirm": true, "lines": lines});
                let order = id(&erp.post("/v1/sales-orders", body).await.expect(201));
                let verb = if (client + round) % 2 == 0 {
                    "deliveries"
                } else {
                    "cancel"
                };
                let reply = erp.post(&format!("/v1/sales-orders/{order}/{verb}"), json!({})).await;
                assert!(reply.status.is_success() || reply.status == 409, "{:#}", reply.body);
            }
        });
    }
    clients.join_all().await;
    let mut reserved: std::collections::HashMap<Uuid, i64> = Default::default();
    let mut delivered = reserved.clone();
    let mut waiting = reserved.clone();
    let orders = shop.erp.get("/v1/sales-orders?limit=500").await.expect(200);
    for order in orders["items"].as_array().unwrap() {
        for line in order["lines"].as_array().unwrap() {
            let product: Uuid = line["product_id"].as_str().unwrap().parse().unwrap();
            let number = |field: &str| line[field].as_str().unwrap().parse::<i64>().unwrap();
            *reserved.entry(product).or_default() += number("reserved_quantity");
            *delivered.entry(product).or_default() += number("delivered_quantity");
            *waiting.entry(product).or_default() += number("backordered_quantity");
        }
    }
    for (product, opening) in products.iter().zip([60, 40, 20]) {
        let (on_hand, held, free) = shop.availability(*product).await;
        assert_eq!(on_hand.parse::<i64>().unwrap(), opening - delivered[product]);
        assert_eq!(held.parse::<i64>().unwrap(), reserved[product]);
        assert!(
            free == "0" || waiting[product] == 0,
            "{free} are free while {} wait",
            waiting[product]
        );
    }
}

#[tokio::test]
async fn two_orders_cannot_pass_the_limit_together() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "100").await;
    shop.limit_credit("100").await;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (erp, body) = (
            shop.erp.clone(),
            shop.order(json!([{"product_id": product, "quantity": "1", "unit_price": "30"}])),
        );
        clients.spawn(async move { erp.post("/v1/sales-orders", body).await.expect(201) });
    }
    let orders = clients.join_all().await;
    assert_eq!(orders.iter().filter(|order| order["status"] == "confirmed").count(), 3);
    assert_eq!(orders.iter().filter(|order| order["status"] == "on_hold").count(), 13);
}

#[tokio::test]
async fn lists_filter_and_carry_totals() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "3").await;
    let order = shop.confirmed(product, "1").await;
    shop.confirmed(product, "1").await;
    shop.erp
        .post(&format!("/v1/sales-orders/{}/cancel", id(&order)), json!({}))
        .await
        .expect(200);
    let cancelled = shop.erp.get("/v1/sales-orders?status=cancelled").await.expect(200);
    assert_eq!(cancelled["items"].as_array().unwrap().len(), 1);
    assert_eq!(cancelled["items"][0]["total"]["net"], "10.00");
    let found = shop
        .erp
        .get(&format!(
            "/v1/sales-orders?number={}",
            order["number"].as_str().unwrap()
        ))
        .await
        .expect(200);
    assert_eq!(found["items"][0]["id"], order["id"]);
    shop.erp
        .get("/v1/sales-orders?status=lost")
        .await
        .expect_problem(400, "invalid_parameter");
    shop.erp
        .get("/v1/sales-orders?color=red")
        .await
        .expect_problem(400, "invalid_parameter");
}

#[tokio::test]
async fn a_release_from_another_hold_does_not_pass_the_credit_check() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let order = shop.confirmed(product, "5").await;
    let path = format!("/v1/sales-orders/{}", id(&order));
    shop.erp
        .post(&format!("{path}/hold"), json!({"reason": "address unclear"}))
        .await
        .expect(200);
    shop.limit_credit("5").await;
    let still = shop
        .erp
        .post(&format!("{path}/release"), json!({"reason": "clear"}))
        .await
        .expect(200);
    assert_eq!(
        (&still["status"], &still["holds"][0]["code"]),
        (&json!("on_hold"), &json!("credit"))
    );
    shop.erp
        .post(&format!("{path}/deliveries"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    shop.erp
        .post(&format!("{path}/release"), json!({"reason": "paid"}))
        .await
        .expect(200);
    shop.erp
        .post(&format!("{path}/deliveries"), json!({}))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_product_in_use_keeps_its_kind() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    let problem = shop
        .erp
        .patch(&format!("/v1/products/{product}"), json!({"kind": "service"}))
        .await
        .expect_problem(409, "in_use");
    assert_eq!(problem["errors"][0]["pointer"], "/kind");
}

#[tokio::test]
async fn services_are_delivered_without_any_warehouse() {
    let service = service_kit::testing::TestService::start(erp_service::app::SERVICE, |_, _| {}).await;
    let shop = Shop {
        erp: service.client.clone(),
        sync: service.integration(),
        service,
        warehouse: Uuid::now_v7(),
        customer: Uuid::now_v7(),
    };
    shop.new_customer(shop.customer).await;
    let body = json!({"sku": "FIT", "name": "Fitting", "kind": "service", "unit": "h"});
    let fitting = id(&shop.erp.post("/v1/products", body).await.expect(201));
    let order = shop.confirmed(fitting, "2").await;
    let posted = shop
        .erp
        .post(&format!("/v1/sales-orders/{}/deliveries", id(&order)), json!({}))
        .await
        .expect(201);
    assert_eq!(
        (&posted["order"]["status"], &posted["warehouse_id"]),
        (&json!("delivered"), &Value::Null)
    );
}

#[tokio::test]
async fn amounts_beyond_their_bounds_are_refused_with_every_line() {
    let shop = Shop::open().await;
    let product = shop.product("A").await;
    let line = |quantity: &str, price: &str| json!({"product_id": product, "quantity": quantity, "unit_price": price});
    let lines = json!([
        line("99999999.999", "99999999.9999"),
        line("99999999.999", "99999999.9999")
    ]);
    shop.erp
        .post("/v1/sales-orders", shop.order(lines))
        .await
        .expect_problem(422, "out_of_range");
    let mut body = shop.order(json!([line("999999999", "1"), line("1", "1.00001")]));
    body["currency"] = json!("XXQ");
    let problem = shop
        .erp
        .post("/v1/sales-orders", body)
        .await
        .expect_problem(422, "invalid_input");
    let faults: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap()))
        .collect();
    for fault in [
        ("/currency", "unknown_value"),
        ("/lines/0/quantity", "out_of_range"),
        ("/lines/1/unit_price", "out_of_range"),
    ] {
        assert!(faults.contains(&fault), "{fault:?} in {faults:?}");
    }
}
