use crate::given;
use crate::payments::books::Books;
use serde_json::json;

#[tokio::test]
async fn a_disputed_item_says_so_everywhere_until_it_is_lifted() {
    let books = Books::open().await;
    let body = json!({ "customer_id": books.customer, "currency": "USD", "date": "2026-03-01", "post": true,
        "lines": [{ "description": "Goods", "quantity": "1", "unit_price": "80" }] });
    let invoice = books.erp.post("/v1/invoices", body).await.expect(201);
    let item = invoice["instalments"][0]["item_id"].as_str().unwrap().to_owned();
    books.invoice("OLD-1", "20.00").await;
    let path = format!("/v1/open-items/{item}/dispute");
    let clerk = books.erp.new_key("custom", &["payments:post", "payments:read"]).await;
    let because = json!({ "reason": "half of it was broken" });
    clerk
        .post(&path, because.clone())
        .await
        .expect_problem(403, "forbidden");
    let etag = books.erp.get(&given::path("invoices", &invoice)).await.etag();
    let dispute = books.erp.post(&path, because.clone()).await.expect(201);
    assert_eq!(
        (
            &dispute["status"],
            &dispute["amount"],
            &dispute["document_id"],
            &dispute["reason"]
        ),
        (
            &json!("open"),
            &json!("80.00"),
            &invoice["id"],
            &json!("half of it was broken")
        )
    );
    books
        .erp
        .post(&path, because.clone())
        .await
        .expect_problem(409, "already_disputed");

    // The item, its invoice, the lists and the ageing show it.
    let ids = |page: &serde_json::Value, list: &str, field: &str| {
        let items = page[list].as_array().unwrap().iter();
        items
            .map(|item| item[field].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let disputed = books.erp.get("/v1/open-items?disputed=true").await.expect(200);
    assert_eq!(ids(&disputed, "items", "id"), std::slice::from_ref(&item));
    let others = books.erp.get("/v1/open-items?disputed=false").await.expect(200);
    assert_eq!(others["items"].as_array().unwrap().len(), 1);
    let now = books.erp.get(&given::path("invoices", &invoice)).await;
    assert_ne!(now.etag(), etag);
    assert_eq!(now.body["instalments"][0]["disputed"], true);
    let ageing = books
        .erp
        .get("/v1/reports/receivable-ageing?disputed=true")
        .await
        .expect(200);
    assert_eq!(
        (ids(&ageing, "rows", "open_item_id"), &ageing["totals"]["total"]),
        (vec![item.clone()], &json!("80.00"))
    );
    // It was not disputed yet then.
    let then = books
        .erp
        .get("/v1/reports/receivable-ageing?date=2026-04-30")
        .await
        .expect(200);
    let flags: Vec<_> = then["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["disputed"].clone())
        .collect();
    assert_eq!(flags, [json!(false), json!(false)]);
    let list = format!("/v1/disputes?status=open&customer_id={}", books.customer);
    let list = books.erp.get(&list).await.expect(200);
    assert_eq!(list["items"], json!([dispute]));

    let lift = format!("{}/lift", given::path("disputes", &dispute));
    books
        .erp
        .post(&lift, json!({ "reason": " " }))
        .await
        .expect_problem(422, "bad_format");
    let lifted = books.erp.post(&lift, json!({ "reason": "replaced" })).await.expect(200);
    assert_eq!(
        (&lifted["status"], &lifted["lifted_reason"], &lifted["allowed_actions"]),
        (&json!("lifted"), &json!("replaced"), &json!([]))
    );
    books
        .erp
        .post(&lift, json!({ "reason": "replaced" }))
        .await
        .expect_problem(409, "illegal_transition");
    let none = books.erp.get("/v1/open-items?disputed=true").await.expect(200);
    assert_eq!(none["items"], json!([]));
    // It may be disputed again.
    books.erp.post(&path, because).await.expect(201);

    let events = given::events(&books.erp, "dispute.changed,invoice.changed").await;
    let told: Vec<_> = given::of(&events, &dispute)
        .into_iter()
        .map(|(_, data)| data["status"].clone())
        .collect();
    assert_eq!(told, [json!("open"), json!("lifted")]);
    let flags: Vec<_> = given::of(&events, &invoice)
        .into_iter()
        .map(|(_, data)| data["instalments"][0]["disputed"].clone())
        .collect();
    assert_eq!(flags, [json!(false), json!(true), json!(false), json!(true)]);
    let audit = format!("/v1/audit-log?subject={}", dispute["id"].as_str().unwrap());
    let audit = books.erp.get(&audit).await.expect(200);
    assert_eq!(audit["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn only_what_a_customer_still_owes_is_disputed() {
    let books = Books::open().await;
    let item = books.invoice("A-1", "10.00").await;
    let credit = books.item("credit_note", "C-1", "5.00", json!({})).await;
    let because = json!({ "reason": "wrong" });
    let path = format!("/v1/open-items/{credit}/dispute");
    books
        .erp
        .post(&path, because.clone())
        .await
        .expect_problem(422, "not_owed_to_us");
    books
        .receive("10.00", json!({ "allocations": [{ "open_item_id": item }] }))
        .await;
    let path = format!("/v1/open-items/{item}/dispute");
    books
        .erp
        .post(&path, because.clone())
        .await
        .expect_problem(409, "nothing_open");
    let path = format!("/v1/open-items/{}/dispute", uuid::Uuid::now_v7());
    books.erp.post(&path, because).await.expect_problem(404, "not_found");
}
