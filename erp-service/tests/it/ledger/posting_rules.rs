use super::accounts::account;
use super::books::Books;
use crate::given;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn the_most_specific_rule_answers_and_says_why() {
    let books = Books::open().await;
    let erp = &books.erp;
    let top = given::category(erp, "Food").await;
    let below = json!({ "name": "Cheese", "parent_id": top["id"] });
    let below = erp.post("/v1/categories", below).await.expect(201);
    let other = given::category(erp, "Tools").await;
    let warehouse = erp
        .post("/v1/warehouses", json!({ "code": "MAIN", "name": "Main" }))
        .await
        .expect(201);
    let food = json!({ "code": "4011", "name": "Food sold", "kind": "income" });
    erp.post("/v1/accounts", food).await.expect(201);
    let rule = |facts: Value, account: &str| {
        let mut body = json!({ "role": "revenue", "account": account });
        body.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
        body
    };
    let by_category = erp
        .post("/v1/posting-rules", rule(json!({ "category_id": top["id"] }), "4011"))
        .await
        .expect(201);
    erp.post(
        "/v1/posting-rules",
        rule(json!({ "warehouse_id": warehouse["id"] }), "4030"),
    )
    .await
    .expect(201);
    erp.post("/v1/posting-rules", rule(json!({ "tax_code": "ZERO" }), "4900"))
        .await
        .expect(201);
    let again = erp
        .post("/v1/posting-rules", rule(json!({ "tax_code": "ZERO" }), "4010"))
        .await;
    again.expect_problem(409, "duplicate");
    let category =
        |category: &Value| json!({ "role": "revenue", "category_id": category["id"], "warehouse_id": warehouse["id"] });
    for (question, account, why) in [
        (json!({ "role": "revenue" }), "4010", "revenue"),
        (category(&below), "4011", "revenue, category Food"),
        (category(&other), "4030", "revenue, warehouse MAIN"),
        (
            json!({ "role": "revenue", "category_id": top["id"], "tax_code": "ZERO" }),
            "4900",
            "revenue, tax code ZERO",
        ),
        (json!({ "role": "revenue", "tax_code": "FULL" }), "4010", "revenue"),
        (
            json!({ "role": "receivable", "category_id": top["id"] }),
            "1100",
            "receivable",
        ),
    ] {
        let answer = erp.post("/v1/posting-explanations", question.clone()).await.expect(200);
        assert_eq!(
            (&answer["account"], &answer["rule"]),
            (&json!(account), &json!(why)),
            "{question}"
        );
    }
    let answer = erp.post("/v1/posting-explanations", category(&below)).await.expect(200);
    let candidates: Vec<(&str, bool)> = answer["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (rule["account"].as_str().unwrap(), rule["applies"].as_bool().unwrap()))
        .collect();
    assert_eq!(
        candidates,
        [("4011", true), ("4030", true), ("4010", true), ("4900", false)]
    );
    // Gone, the next one answers; the plain rule of a role stays.
    assert_eq!(
        erp.delete(&given::path("posting-rules", &by_category))
            .await
            .status
            .as_u16(),
        204
    );
    let answer = erp.post("/v1/posting-explanations", category(&below)).await.expect(200);
    assert_eq!(answer["account"], "4030");
    let plain = erp.get("/v1/posting-rules?role=scrap").await.expect(200)["items"][0].clone();
    erp.delete(&given::path("posting-rules", &plain))
        .await
        .expect_problem(409, "last_rule");
    let unknown = json!({ "role": "revenue", "category_id": Uuid::nil(), "warehouse_id": Uuid::nil() });
    let problem = erp
        .post("/v1/posting-explanations", unknown)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/category_id", "unknown_category"),
            ("/warehouse_id", "unknown_warehouse")
        ]
    );
}

#[tokio::test]
async fn a_role_posts_only_where_its_lines_fit() {
    let books = Books::open().await;
    let erp = &books.erp;
    for (role, target, refusal) in [
        ("receivable", "1020", "wrong_control"),
        ("revenue", "1100", "wrong_control"),
        ("revenue", "4000", "heading"),
        ("bank", "6010", "not_liquid"),
        ("stock", "1500", "wrong_control"),
        ("revenue", "9999", "unknown_account"),
    ] {
        let rule = erp.get(&format!("/v1/posting-rules?role={role}")).await.expect(200)["items"][0].clone();
        let changed = erp
            .patch(&given::path("posting-rules", &rule), json!({ "account": target }))
            .await;
        let problem = changed.expect_problem(422, refusal);
        assert_eq!(given::faults(&problem), [("/account", refusal)], "{role} {target}");
    }
    let rule = erp.get("/v1/posting-rules?role=bank").await.expect(200)["items"][0].clone();
    let cash = account(erp, "1010").await;
    let changed = erp
        .patch(
            &given::path("posting-rules", &rule),
            json!({ "account_id": cash["id"] }),
        )
        .await
        .expect(200);
    assert_eq!((&changed["account"], &changed["revision"]), (&json!("1010"), &json!(2)));
    let problem = erp
        .post("/v1/posting-rules", json!({ "role": "revenue" }))
        .await
        .expect_problem(422, "required");
    assert_eq!(given::faults(&problem), [("/account", "required")]);
}
