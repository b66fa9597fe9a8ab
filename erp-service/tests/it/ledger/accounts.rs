use super::books::Books;
use crate::given;
use serde_json::{Value, json};
use service_kit::testing::Client;
use uuid::Uuid;

pub async fn account(erp: &Client, code: &str) -> Value {
    let page = erp.get(&format!("/v1/accounts?code={code}")).await.expect(200);
    page["items"][0].clone()
}

#[tokio::test]
async fn the_chart_is_a_tree_with_a_small_company_in_it() {
    let books = Books::open().await;
    let chart = books.erp.get("/v1/chart-of-accounts").await.expect(200);
    let roots: Vec<(&str, usize)> = chart["roots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|root| {
            (
                root["code"].as_str().unwrap(),
                root["children"].as_array().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(
        roots,
        [
            ("1000", 9),
            ("2000", 6),
            ("3000", 3),
            ("4000", 7),
            ("5000", 4),
            ("6000", 10)
        ]
    );
    let assets = &chart["roots"][0];
    assert_eq!(
        (&assets["heading"], &assets["children"][0]["name"]),
        (&json!(true), &json!("Cash"))
    );
}

#[tokio::test]
async fn accounts_are_made_changed_and_retired() {
    let books = Books::open().await;
    let erp = &books.erp;
    let heading = account(erp, "6000").await;
    let body = json!({ "code": "6070", "name": "Travel", "kind": "expense", "parent_id": heading["id"], "cash_flow_category": "operating" });
    let made = erp.post("/v1/accounts", body.clone()).await.expect(201);
    assert_eq!(
        (&made["heading"], &made["status"], &made["version"]),
        (&json!(false), &json!("active"), &json!(1))
    );
    let problem = erp.post("/v1/accounts", body).await.expect_problem(409, "duplicate");
    assert_eq!(given::faults(&problem), [("/code", "duplicate")]);
    let path = given::path("accounts", &made);
    let changed = erp
        .patch(&path, json!({ "name": "Travelling", "cash_flow_category": null }))
        .await
        .expect(200);
    assert_eq!(
        (&changed["name"], &changed["cash_flow_category"]),
        (&json!("Travelling"), &Value::Null)
    );
    // PUT makes under an id of one's own, and a repeat changes nothing.
    let id = Uuid::now_v7();
    let body = json!({ "code": "1030", "name": "Euro bank", "kind": "asset", "liquid": true, "currency": "EUR" });
    let put = erp.put(&format!("/v1/accounts/{id}"), body.clone()).await.expect(201);
    assert_eq!(erp.put(&format!("/v1/accounts/{id}"), body).await.expect(200), put);

    books.entry("2026-03-05", &[("6070", "10"), ("1010", "-10")]).await;
    for patch in [
        json!({ "kind": "income", "parent_id": null }),
        json!({ "heading": true }),
        json!({ "currency": "EUR" }),
    ] {
        erp.patch(&path, patch).await.expect_problem(409, "account_in_use");
    }
    erp.patch(&path, json!({ "code": "6071" })).await.expect(200);
    let retire = |record: &Value| format!("{}/retire", given::path("accounts", record));
    let retired = erp.post(&retire(&made), json!({})).await.expect(200);
    assert_eq!(retired["status"], "retired");
    let problem = books.try_entry("2026-03-05", &[("6071", "10"), ("1010", "-10")]).await;
    assert_eq!(
        given::faults(&problem.expect_problem(422, "account_retired")),
        [("/lines/0/account", "account_retired")]
    );
    // What rules name, what has something below it and what holds a balance stays in use.
    for (code, refusal) in [
        ("1100", "account_in_rules"),
        ("6000", "has_children"),
        ("1010", "account_in_rules"),
    ] {
        let account = account(erp, code).await;
        erp.post(&retire(&account), json!({}))
            .await
            .expect_problem(409, refusal);
    }
    books.entry("2026-03-05", &[("1500", "10"), ("3010", "-10")]).await;
    let assets = account(erp, "1500").await;
    erp.post(&retire(&assets), json!({}))
        .await
        .expect_problem(409, "balance_not_zero");
    let path = format!("{}/reactivate", given::path("accounts", &made));
    assert_eq!(erp.post(&path, json!({})).await.expect(200)["status"], "active");
    let events = given::events(erp, "account.changed").await;
    let versions: Vec<i64> = given::of(&events, &made).iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn headings_are_of_one_kind_and_never_above_themselves() {
    let books = Books::open().await;
    let erp = &books.erp;
    let top = erp
        .post(
            "/v1/accounts",
            json!({ "code": "7000", "name": "Other", "kind": "expense", "heading": true }),
        )
        .await
        .expect(201);
    let below = json!({ "code": "7100", "name": "Odd", "kind": "expense", "heading": true, "parent_id": top["id"] });
    let below = erp.post("/v1/accounts", below).await.expect(201);
    let cycle = erp
        .patch(&given::path("accounts", &top), json!({ "parent_id": below["id"] }))
        .await;
    cycle.expect_problem(422, "account_cycle");
    let (cash, income) = (account(erp, "1010").await, account(erp, "4000").await);
    let wrong = json!({ "code": "7200", "name": "Wrong", "kind": "expense", "heading": true, "parent_id": income["id"],
                        "control": "stock", "liquid": true, "currency": "EUR" });
    let problem = erp
        .post("/v1/accounts", wrong)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/parent_id", "other_kind"),
            ("/control", "wrong_kind"),
            ("/liquid", "wrong_kind"),
            ("/control", "heading"),
            ("/liquid", "heading"),
            ("/currency", "heading"),
            ("/liquid", "control_account"),
        ]
    );
    let leaf = json!({ "code": "1011", "name": "Till", "kind": "asset", "parent_id": cash["id"] });
    erp.post("/v1/accounts", leaf)
        .await
        .expect_problem(422, "not_a_heading");
    let bare = erp
        .patch(&given::path("accounts", &top), json!({ "heading": false }))
        .await;
    bare.expect_problem(422, "has_children");
    let nowhere = json!({ "code": "1011", "name": "Till", "kind": "asset", "parent_id": Uuid::nil() });
    erp.post("/v1/accounts", nowhere)
        .await
        .expect_problem(422, "unknown_account");
}
