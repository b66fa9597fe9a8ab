use super::books::{Books, lines};
use crate::given;
use serde_json::json;

#[tokio::test]
async fn a_credit_note_pays_for_an_invoice() {
    let books = Books::open().await;
    let invoice = books.invoice("A-1", "100.00").await;
    let credit = books.item("credit_note", "C-1", "30.00", json!({})).await;
    let body = json!({ "open_item_id": credit, "date": "2026-03-05", "allocations": [{ "open_item_id": invoice }] });
    let clearing = books.erp.post("/v1/clearings", body.clone()).await.expect(201);
    assert_eq!(
        (&clearing["kind"], &clearing["amount"]),
        (&json!("items"), &json!("30.00"))
    );
    assert_eq!(
        (books.open_amount(invoice).await, books.open_amount(credit).await),
        ("70.00".into(), "0.00".into())
    );
    books
        .erp
        .post("/v1/clearings", body)
        .await
        .expect_problem(409, "exceeds_open");

    let path = format!("{}/reverse", given::path("clearings", &clearing));
    let reversed = books
        .erp
        .post(&path, json!({ "reason": "wrong invoice" }))
        .await
        .expect(200);
    assert_eq!(
        (&reversed["status"], &reversed["allowed_actions"]),
        (&json!("reversed"), &json!([]))
    );
    assert_eq!(
        (books.open_amount(invoice).await, books.open_amount(credit).await),
        ("100.00".into(), "-30.00".into())
    );
    books
        .erp
        .post(&path, json!({ "reason": "again" }))
        .await
        .expect_problem(409, "illegal_transition");
    books.assert_subledgers();
}

#[tokio::test]
async fn only_opposite_items_of_one_party_clear_each_other() {
    let books = Books::open().await;
    let (first, second) = (
        books.invoice("A-1", "100.00").await,
        books.invoice("A-2", "50.00").await,
    );
    let body = json!({ "open_item_id": first, "allocations": [{ "open_item_id": second }, { "open_item_id": first }] });
    let problem = books
        .erp
        .post("/v1/clearings", body)
        .await
        .expect_problem(422, "wrong_direction");
    assert_eq!(given::faults(&problem), [("/allocations", "wrong_direction")]);
    let body = json!({ "open_item_id": first, "allocations": [{ "open_item_id": second }] });
    books
        .erp
        .post("/v1/clearings", body)
        .await
        .expect_problem(422, "wrong_direction");
}

/// A debt that will never be paid is derecognised (IFRS 9 §5.4.4).
#[tokio::test]
async fn a_bad_debt_is_written_off_with_its_reason() {
    let books = Books::open().await;
    let invoice = books.invoice("A-1", "119.00").await;
    let path = format!("/v1/open-items/{invoice}/write-off");
    let small = json!({ "kind": "difference", "reason": "cents" });
    books
        .erp
        .post(&path, small)
        .await
        .expect_problem(422, "write_off_limit");
    let body = json!({ "kind": "bad_debt", "reason": "insolvency", "date": "2026-06-30" });
    let shown = books
        .erp
        .post(&format!("{path}?dry_run=true"), body.clone())
        .await
        .expect(200);
    assert_eq!(shown["entries"][0]["lines"].as_array().unwrap().len(), 2);
    let clearing = books.erp.post(&path, body.clone()).await.expect(201);
    assert_eq!(
        books.lines(&clearing["journal_entry_id"]),
        lines(&[("1100", "-119"), ("6200", "119")])
    );
    assert_eq!(
        (books.open_amount(invoice).await, &clearing["reason"]),
        ("0.00".into(), &json!("insolvency"))
    );
    books.erp.post(&path, body).await.expect_problem(409, "exceeds_open");
    let reverse = format!("{}/reverse", given::path("clearings", &clearing));
    books
        .erp
        .post(&reverse, json!({ "reason": "paid after all" }))
        .await
        .expect(200);
    assert_eq!(books.open_amount(invoice).await, "119.00");
    books.assert_subledgers();
}
