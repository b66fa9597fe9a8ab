use crate::given;
use crate::shop::Shop;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_company_starts_with_net_30_and_may_have_others() {
    let service = given::erp().await;
    let erp = &service.client;
    let company = erp.get("/v1/company").await.expect(200);
    let id = company["payment_terms_id"].as_str().unwrap();
    let default = erp.get(&format!("/v1/payment-terms/{id}")).await.expect(200);
    assert_eq!((&default["code"], &default["net_days"]), (&json!("NET30"), &json!(30)));

    let body = json!({"code": "2-10-NET30", "name": "2 % within 10 days", "net_days": 30, "discount_days": 10, "discount": "0.02"});
    let made = erp.post("/v1/payment-terms", body.clone()).await.expect(201);
    assert_eq!((&made["discount"], &made["instalments"]), (&json!("0.02"), &json!([])));
    erp.post("/v1/payment-terms", body)
        .await
        .expect_problem(409, "duplicate");
    let changed = erp.patch(
        "/v1/company",
        json!({"payment_terms_id": made["id"], "tax_on_advances": false}),
    );
    let changed = changed.await.expect(200);
    assert_eq!(
        (&changed["payment_terms_id"], &changed["tax_on_advances"]),
        (&made["id"], &json!(false))
    );
    let unknown = erp.patch("/v1/company", json!({"payment_terms_id": Uuid::now_v7()}));
    unknown.await.expect_problem(422, "unknown_payment_terms");

    let list = erp.get("/v1/payment-terms?sort=-code&limit=1").await.expect(200);
    assert_eq!(list["items"][0]["code"], "NET30");
    let path = given::path("payment-terms", &default);
    let retired = erp.patch(&path, json!({"status": "retired"})).await.expect(200);
    assert_eq!(retired["status"], "retired");
}

#[tokio::test]
async fn instalments_make_one_and_every_fault_is_named() {
    let service = given::erp().await;
    let erp = &service.client;
    let thirds =
        json!([{"fraction": "0.3", "days": 0}, {"fraction": "0.3", "days": 30}, {"fraction": "0.4", "days": 60}]);
    let body = json!({"code": "THIRDS", "name": "In three", "instalments": thirds});
    let made = erp.post("/v1/payment-terms", body).await.expect(201);
    assert_eq!(made["net_days"], 60);

    let wrong = json!({"code": "X", "name": "X", "net_days": 3, "discount": "0.02",
        "instalments": [{"fraction": "0.5", "days": 30}, {"fraction": "0", "days": 30}]});
    let problem = erp
        .post("/v1/payment-terms", wrong)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/net_days", "either_or"),
            ("/discount", "incomplete"),
            ("/instalments/1/fraction", "out_of_range"),
            ("/instalments/1/days", "out_of_order"),
            ("/instalments", "sum_not_one"),
        ]
    );
    let path = given::path("payment-terms", &made);
    let patch = json!({"instalments": [], "net_days": 7});
    let plain = erp.patch(&path, patch).await.expect(200);
    assert_eq!((&plain["net_days"], &plain["instalments"]), (&json!(7), &json!([])));
}

#[tokio::test]
async fn a_customer_may_have_terms_of_its_own() {
    let shop = Shop::open().await;
    let path = format!("/v1/customers/{}", shop.customer);
    let customer = shop.erp.get(&path).await.expect(200);
    assert_eq!(customer["payment_terms_id"], json!(null));
    let net14 = "00000000-0000-7000-8000-000000000114";
    let patch = json!({"payment_terms_id": net14, "overdue_stop_days": 10, "dunning_blocked": true});
    let changed = shop.erp.patch(&path, patch).await.expect(200);
    assert_eq!(
        (
            &changed["payment_terms_id"],
            &changed["overdue_stop_days"],
            &changed["dunning_blocked"]
        ),
        (&json!(net14), &json!(10), &json!(true))
    );
    let unknown = shop.erp.patch(&path, json!({"payment_terms_id": Uuid::now_v7()})).await;
    unknown.expect_problem(422, "unknown_payment_terms");
    let cleared = shop
        .erp
        .patch(&path, json!({"payment_terms_id": null, "overdue_stop_days": null}))
        .await;
    assert_eq!(cleared.expect(200)["overdue_stop_days"], json!(null));
}
