use super::buying::Buying;
use crate::shop::id;
use serde_json::{Value, json};

#[tokio::test]
async fn a_requisition_is_approved_by_somebody_else_and_becomes_one_order_for_each_supplier() {
    let buying = Buying::open().await;
    let (first, second) = (buying.product("A").await, buying.product("B").await);
    let other = json!({"name": "Tokyo Traders", "currency": "USD"});
    let other = id(&buying.erp.post("/v1/suppliers", other).await.expect(201));
    for (supplier, product, price) in [
        (buying.supplier, first, "5"),
        (other, first, "4"),
        (buying.supplier, second, "7"),
    ] {
        let body = json!({"product_id": product, "unit_price": price});
        buying
            .erp
            .post(&format!("/v1/suppliers/{supplier}/prices"), body)
            .await
            .expect(201);
    }
    let lines = json!([{"product_id": first, "quantity": "10", "estimated_price": "4"}, {"product_id": second, "quantity": "2"},
        {"description": "Shelves", "quantity": "1", "estimated_price": "100"}]);
    let body = json!({"reason": "new branch", "submit": true, "lines": lines});
    let made = buying.erp.post("/v1/requisitions", body).await.expect(201);
    assert_eq!(
        (&made["status"], &made["value"], &made["number"]),
        (&json!("submitted"), &json!("140.00"), &Value::Null)
    );
    let path = format!("/v1/requisitions/{}", id(&made));
    buying
        .erp
        .post(&format!("{path}/approve"), json!({}))
        .await
        .expect_problem(403, "maker_may_not_approve");
    buying
        .erp
        .post(&format!("{path}/order"), json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    let approved = buying
        .second
        .post(&format!("{path}/approve"), json!({}))
        .await
        .expect(200);
    assert!(approved["number"].as_str().unwrap().starts_with("REQ-"), "{approved:#}");
    let refused = buying
        .erp
        .post(&format!("{path}/order"), json!({}))
        .await
        .expect_problem(422, "no_supplier");
    assert_eq!(refused["errors"][0]["pointer"], "/lines/2/supplier_id");
    let two: Vec<Value> = made["lines"].as_array().unwrap()[..2]
        .iter()
        .map(|line| json!({"line_id": line["id"]}))
        .collect();
    let ordered = buying
        .erp
        .post(&format!("{path}/order"), json!({"lines": two, "submit": true}))
        .await
        .expect(200);
    assert_eq!(ordered["status"], "approved");
    let orders = ordered["orders"].as_array().unwrap();
    assert_eq!(orders.len(), 2);
    let cheapest = orders
        .iter()
        .find(|order| order["supplier_id"] == json!(other))
        .unwrap();
    assert_eq!(
        (&cheapest["lines"][0]["unit_price"], &cheapest["status"]),
        (&json!("4"), &json!("awaiting_approval"))
    );
    let rest = json!({"lines": [{"line_id": made["lines"][2]["id"], "supplier_id": buying.supplier}]});
    let ordered = buying.erp.post(&format!("{path}/order"), rest).await.expect(200);
    assert_eq!(
        (&ordered["status"], &ordered["orders"][0]["lines"][0]["unit_price"]),
        (&json!("ordered"), &json!("100"))
    );
}

#[tokio::test]
async fn a_rejected_requisition_is_changed_and_submitted_again() {
    let buying = Buying::open().await;
    let body = json!({"submit": true, "lines": [{"description": "Car", "quantity": "1", "estimated_price": "90000"}]});
    let made = buying.erp.post("/v1/requisitions", body).await.expect(201);
    let path = format!("/v1/requisitions/{}", id(&made));
    buying.limit_admins("50000").await;
    buying
        .second
        .post(&format!("{path}/approve"), json!({}))
        .await
        .expect_problem(403, "above_approval_limit");
    let rejected = buying
        .second
        .post(&format!("{path}/reject"), json!({"reason": "too dear"}))
        .await
        .expect(200);
    assert_eq!(
        (&rejected["status"], &rejected["decision"]),
        (&json!("rejected"), &json!("too dear"))
    );
    let lines = json!([{"description": "Bicycle", "quantity": "1", "estimated_price": "900"}]);
    buying.erp.patch(&path, json!({"lines": lines})).await.expect(200);
    buying.erp.post(&format!("{path}/submit"), json!({})).await.expect(200);
    let approved = buying
        .second
        .post(&format!("{path}/approve"), json!({}))
        .await
        .expect(200);
    assert_eq!(
        (&approved["status"], &approved["value"]),
        (&json!("approved"), &json!("900.00"))
    );
}
