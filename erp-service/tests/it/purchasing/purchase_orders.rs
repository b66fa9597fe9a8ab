use super::buying::{Buying, of};
use crate::given::{self, events, faults};
use crate::shop::id;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn who_made_or_last_changed_an_order_does_not_approve_it() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let order = buying.submitted(json!([of(product, "10", "9.50")])).await;
    assert_eq!(
        (&order["status"], &order["number"]),
        (&json!("awaiting_approval"), &Value::Null)
    );
    assert_eq!(order["approval"]["value"], "95.00");
    let path = format!("/v1/purchase-orders/{}", id(&order));
    buying
        .erp
        .post(&format!("{path}/approve"), json!({}))
        .await
        .expect_problem(403, "maker_may_not_approve");
    buying.second.patch(&path, json!({"note": "urgent"})).await.expect(200);
    buying
        .second
        .post(&format!("{path}/approve"), json!({}))
        .await
        .expect_problem(403, "maker_may_not_approve");
    let third = buying.erp.new_key("admin", &[]).await;
    let approved = third.post(&format!("{path}/approve"), json!({})).await.expect(200);
    assert_eq!(approved["status"], "ordered");
    assert!(approved["number"].as_str().unwrap().starts_with("PO-"), "{approved:#}");
    assert_eq!(approved["approval"]["approved_value"], "95.00");
    let told = events(&buying.erp, "purchase_order.changed").await;
    let versions: Vec<i64> = given::of(&told, &order).iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, [1, 2, 3]);
}

#[tokio::test]
async fn a_limit_is_to_the_cent_and_above_every_limit_nobody_passes() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    buying.limit_admins("100").await;
    let order = buying.submitted(json!([of(product, "1", "100.01")])).await;
    let path = format!("/v1/purchase-orders/{}/approve", id(&order));
    let refused = buying
        .second
        .post(&path, json!({}))
        .await
        .expect_problem(403, "above_approval_limit");
    assert_eq!(
        (&refused["value"], &refused["limit"], &refused["highest_limit"]),
        (&json!("100.01"), &json!("100"), &json!("10000"))
    );
    let exact = buying.submitted(json!([of(product, "1", "100.00")])).await;
    buying.approve(&exact).await;
    // A limit of the key goes before that of its role.
    let keys = buying.erp.get("/v1/api-keys").await.expect(200);
    let keys = keys["items"].as_array().unwrap().clone();
    let key = keys.iter().find(|key| key["name"] == "admin").unwrap();
    let limit = json!({"api_key_id": key["id"], "amount": "100.01"});
    buying
        .erp
        .post("/v1/purchase-approval-limits", limit.clone())
        .await
        .expect(201);
    buying
        .erp
        .post("/v1/purchase-approval-limits", limit)
        .await
        .expect_problem(409, "duplicate");
    buying.second.post(&path, json!({})).await.expect(200);
    let huge = buying.submitted(json!([of(product, "2000", "10000")])).await;
    let path = format!("/v1/purchase-orders/{}/approve", id(&huge));
    let refused = buying
        .second
        .post(&path, json!({}))
        .await
        .expect_problem(403, "above_approval_limit");
    assert!(refused["detail"].as_str().unwrap().contains("nobody"), "{refused:#}");
    // Approving needs its permission, not only a limit.
    let buyer = buying.erp.new_key("custom", &["purchase_orders:write"]).await;
    buyer.post(&path, json!({})).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn up_to_the_free_value_no_second_person_is_needed() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    buying
        .erp
        .patch("/v1/company/purchasing", json!({"approval_free_up_to": "50"}))
        .await
        .expect(200);
    let small = buying.submitted(json!([of(product, "5", "10")])).await;
    assert_eq!(
        (&small["status"], &small["approval"]["approved_by"]),
        (&json!("ordered"), &Value::Null)
    );
    let larger = buying.submitted(json!([of(product, "5.001", "10")])).await;
    assert_eq!(larger["status"], "awaiting_approval");
}

#[tokio::test]
async fn a_change_that_raises_the_value_is_approved_again() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let order = buying.ordered(json!([of(product, "10", "10")])).await;
    let (path, line) = (
        format!("/v1/purchase-orders/{}", id(&order)),
        order["lines"][0]["id"].clone(),
    );
    let with = |quantity: &str| json!({"lines": [{"id": line, "product_id": product, "quantity": quantity}]});
    let less = buying.erp.patch(&path, with("8")).await.expect(200);
    assert_eq!(
        (&less["status"], &less["total"]["net"]),
        (&json!("ordered"), &json!("80.00"))
    );
    let same = buying.erp.patch(&path, with("10")).await.expect(200);
    assert_eq!(same["status"], "ordered");
    let more = buying.erp.patch(&path, with("11")).await.expect(200);
    assert_eq!(
        (&more["status"], &more["number"]),
        (&json!("awaiting_approval"), &order["number"])
    );
    buying
        .erp
        .post(&format!("{path}/approve"), json!({}))
        .await
        .expect_problem(403, "maker_may_not_approve");
    let rejected = buying
        .second
        .post(&format!("{path}/reject"), json!({"reason": "too much"}))
        .await
        .expect(200);
    assert_eq!(
        (&rejected["status"], &rejected["approval"]["rejection"]),
        (&json!("awaiting_approval"), &json!("too much"))
    );
    let back = buying.erp.patch(&path, with("10")).await.expect(200);
    assert_eq!(back["status"], "ordered");
    buying.erp.patch(&path, with("12")).await.expect(200);
    let again = buying.approve(&order).await;
    assert_eq!(
        (&again["status"], &again["number"], &again["approval"]["approved_value"]),
        (&json!("ordered"), &order["number"], &json!("120.00"))
    );
}

#[tokio::test]
async fn lines_get_the_suppliers_price_and_the_day_of_arrival() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let prices = format!("/v1/suppliers/{}/prices", buying.supplier);
    let price = json!({"product_id": product, "unit_price": "7.25", "supplier_sku": "EL-1", "lead_time_days": 3, "minimum_quantity": "10"});
    buying.erp.post(&prices, price).await.expect(201);
    let lines = json!([{"product_id": product, "quantity": "10"}, {"description": "Consulting", "quantity": "2", "unit_price": "80"}]);
    let body = json!({"supplier_id": buying.supplier, "order_date": "2026-06-01", "lines": lines});
    let order = buying.erp.post("/v1/purchase-orders", body).await.expect(201);
    let (first, second) = (&order["lines"][0], &order["lines"][1]);
    assert_eq!(
        (&first["unit_price"], &first["line_total"], &first["supplier_sku"]),
        (&json!("7.25"), &json!("72.50"), &json!("EL-1"))
    );
    assert_eq!(
        (&first["expected_date"], &second["expected_date"]),
        (&json!("2026-06-04"), &json!("2026-06-15"))
    );
    assert_eq!(
        (&first["warehouse_id"], &second["warehouse_id"]),
        (&json!(buying.warehouse), &Value::Null)
    );
    assert_eq!(
        (&order["status"], &order["total"]["net"]),
        (&json!("draft"), &json!("232.50"))
    );
    let body = json!({"supplier_id": buying.supplier, "lines": [
        {"product_id": product, "quantity": "9"}, {"quantity": "1", "unit_price": "1"}, {"product_id": Uuid::now_v7(), "quantity": "0", "unit_price": "1"}]});
    let problem = buying
        .erp
        .post("/v1/purchase-orders", body)
        .await
        .expect_problem(422, "invalid_input");
    let found = faults(&problem);
    for fault in [
        ("/lines/0/unit_price", "no_price"),
        ("/lines/1/product_id", "one_of"),
        ("/lines/2/product_id", "unknown_product"),
        ("/lines/2/quantity", "out_of_range"),
    ] {
        assert!(found.contains(&fault), "{problem:#}");
    }
}

#[tokio::test]
async fn drafts_are_cancelled_and_illegal_steps_named() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let body = json!({"supplier_id": buying.supplier, "lines": [of(product, "1", "1")]});
    let draft = buying.erp.post("/v1/purchase-orders", body).await.expect(201);
    let path = format!("/v1/purchase-orders/{}", id(&draft));
    let refused = buying
        .second
        .post(&format!("{path}/approve"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(refused["allowed_actions"], json!(["edit", "submit", "cancel"]));
    let cancelled = buying
        .erp
        .post(&format!("{path}/cancel"), json!({"reason": "not needed"}))
        .await
        .expect(200);
    assert_eq!(
        (
            &cancelled["status"],
            &cancelled["end_reason"],
            &cancelled["allowed_actions"]
        ),
        (&json!("cancelled"), &json!("not needed"), &json!([]))
    );
    let order = buying.ordered(json!([of(product, "1", "1")])).await;
    let path = format!("/v1/purchase-orders/{}", id(&order));
    buying
        .erp
        .post(&format!("{path}/close"), json!({}))
        .await
        .expect_problem(422, "required");
    let closed = buying
        .erp
        .post(&format!("{path}/close"), json!({"reason": "out of stock there"}))
        .await
        .expect(200);
    assert_eq!(closed["status"], "closed");
    buying
        .erp
        .post(&format!("/v1/suppliers/{}/archive", buying.supplier), json!({}))
        .await
        .expect(200);
    let body = buying.order_in(json!([of(product, "1", "1")]));
    buying
        .erp
        .post("/v1/purchase-orders", body)
        .await
        .expect_problem(422, "archived_supplier");
}

#[tokio::test]
async fn many_approvals_at_once_number_the_order_once() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let order = buying.submitted(json!([of(product, "1", "1")])).await;
    let path = format!("/v1/purchase-orders/{}/approve", id(&order));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (second, path) = (buying.second.clone(), path.clone());
        clients.spawn(async move { second.post(&path, json!({})).await });
    }
    let replies = clients.join_all().await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert!(
        replies.iter().all(|reply| reply.status == 200 || reply.status == 409),
        "{replies:#?}"
    );
    let next = buying.ordered(json!([of(product, "1", "1")])).await;
    assert!(next["number"].as_str().unwrap().ends_with("000002"), "{next:#}");
}

#[tokio::test]
async fn a_dry_run_numbers_nothing() {
    let buying = Buying::open().await;
    let product = buying.product("A").await;
    let order = buying.submitted(json!([of(product, "1", "1")])).await;
    let path = format!("/v1/purchase-orders/{}/approve?dry_run=true", id(&order));
    let shown = buying.second.post(&path, json!({})).await.expect(200);
    assert_eq!((&shown["status"], &shown["number"]), (&json!("ordered"), &Value::Null));
    assert_eq!(buying.get_order(&order).await["status"], "awaiting_approval");
}
