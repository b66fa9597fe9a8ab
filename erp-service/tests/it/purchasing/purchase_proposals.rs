use super::buying::Buying;
use crate::given::faults;
use crate::shop::id;
use serde_json::{Value, json};

#[tokio::test]
async fn a_proposal_names_its_figures_and_is_not_proposed_twice() {
    let buying = Buying::open().await;
    let (product, unpriced) = (buying.product("A").await, buying.product("B").await);
    let prices = format!("/v1/suppliers/{}/prices", buying.supplier);
    buying
        .erp
        .post(&prices, json!({"product_id": product, "unit_price": "3"}))
        .await
        .expect(201);
    buying.adjust(product, "6").await;
    buying.confirmed(product, "2").await;
    let rule = |product, minimum: &str, target: &str| json!({"product_id": product, "warehouse_id": buying.warehouse, "minimum": minimum, "target": target, "lead_time_days": 4});
    let made = buying
        .erp
        .post("/v1/reorder-rules", rule(product, "5", "20"))
        .await
        .expect(201);
    buying
        .erp
        .post("/v1/reorder-rules", rule(product, "5", "20"))
        .await
        .expect_problem(409, "duplicate");
    let problem = buying
        .erp
        .post("/v1/reorder-rules", rule(unpriced, "5", "4"))
        .await
        .expect_problem(422, "out_of_range");
    assert_eq!(faults(&problem), [("/target", "out_of_range")]);
    buying
        .erp
        .post("/v1/reorder-rules", rule(unpriced, "1", "2"))
        .await
        .expect(201);
    let page = buying.erp.get("/v1/purchase-proposals").await.expect(200);
    let proposals = page["items"].as_array().unwrap();
    assert_eq!(proposals.len(), 2);
    let own = proposals
        .iter()
        .find(|proposal| proposal["product_id"] == json!(product))
        .unwrap();
    assert_eq!(
        (&own["quantity"], &own["projected"], &own["unit_price"]),
        (&json!("16"), &json!("4"), &json!("3"))
    );
    assert_eq!(
        own["reason"],
        "6 on hand − 2 reserved − 0 backordered + 0 incoming = 4, below the minimum of 5; 16 fill up to the target of 20"
    );
    let first = buying.erp.get("/v1/purchase-proposals?limit=1").await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = buying
        .erp
        .get(&format!("/v1/purchase-proposals?limit=1&cursor={cursor}"))
        .await
        .expect(200);
    assert_ne!(first["items"][0]["rule_id"], next["items"][0]["rule_id"]);
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let erp = buying.erp.clone();
        clients.spawn(async move { erp.post("/v1/purchase-proposals", json!({})).await.expect(200) });
    }
    let answers = clients.join_all().await;
    let orders: Vec<&Value> = answers
        .iter()
        .flat_map(|answer| answer["orders"].as_array().unwrap())
        .collect();
    assert_eq!(orders.len(), 1, "{orders:#?}");
    assert_eq!(
        (&orders[0]["lines"][0]["quantity"], &orders[0]["status"]),
        (&json!("16"), &json!("draft"))
    );
    assert!(
        answers
            .iter()
            .all(|answer| answer["skipped"][0]["code"] == "no_supplier")
    );
    let named = json!({"lines": [{"rule_id": made["id"]}]});
    buying
        .erp
        .post("/v1/purchase-proposals", named)
        .await
        .expect_problem(422, "not_proposed");
    // More is sold than comes: backordered goods count.
    buying.confirmed(product, "30").await;
    let page = buying.erp.get("/v1/purchase-proposals").await.expect(200);
    let own = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|proposal| proposal["product_id"] == json!(product))
        .unwrap()
        .clone();
    assert_eq!(
        (
            &own["reserved"],
            &own["backordered"],
            &own["incoming"],
            &own["quantity"]
        ),
        (&json!("6"), &json!("26"), &json!("16"), &json!("30"))
    );
    let off = format!("/v1/reorder-rules/{}", id(&made));
    buying.erp.patch(&off, json!({"active": false})).await.expect(200);
    let page = buying.erp.get("/v1/purchase-proposals").await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
}
