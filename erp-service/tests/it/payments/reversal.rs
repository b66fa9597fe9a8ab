use super::books::{Books, lines};
use crate::given;
use serde_json::json;

#[tokio::test]
async fn a_bounced_payment_opens_its_items_and_takes_the_discount_back() {
    let books = Books::open().await;
    let more = json!({ "discount": "0.02", "discount_until": "2026-03-15" });
    let item = books.item("invoice", "A-1", "1190.00", more).await;
    let before = books.balances();
    let payment = books
        .receive(
            "1166.20",
            json!({ "bank_charges": "3.00", "allocations": [{ "open_item_id": item }] }),
        )
        .await;
    let path = format!("{}/reverse", given::path("payments", &payment));
    let early = json!({ "reason": "bounced", "date": "2026-03-09" });
    books
        .erp
        .post(&path, early)
        .await
        .expect_problem(422, "date_before_original");
    let reversed = books
        .erp
        .post(&path, json!({ "reason": "bounced", "date": "2026-03-20" }))
        .await
        .expect(200);
    assert_eq!(
        (&reversed["status"], &reversed["reversed_on"]),
        (&json!("reversed"), &json!("2026-03-20"))
    );
    assert_eq!(reversed["allocations"][0]["undone_on"], "2026-03-20");
    assert_eq!(books.open_amount(item).await, "1190.00");
    assert_eq!(books.balances(), before);
    books
        .erp
        .post(&path, json!({ "reason": "again" }))
        .await
        .expect_problem(409, "illegal_transition");
    // It can be paid again, in time and with its discount.
    let again = books
        .receive("1166.20", json!({ "allocations": [{ "open_item_id": item }] }))
        .await;
    assert_eq!(
        (again["number"].as_str(), books.open_amount(item).await.as_str()),
        (Some("PAY-2026-000002"), "0.00")
    );
    books.assert_subledgers();
}

#[tokio::test]
async fn what_is_undone_stands_on_account_and_the_rest_can_still_be_reversed() {
    let books = Books::open().await;
    let (first, second) = (
        books.invoice("A-1", "100.00").await,
        books.invoice("A-2", "50.00").await,
    );
    let before = books.balances();
    let allocations = json!([{ "open_item_id": first }, { "open_item_id": second }]);
    let payment = books.receive("150.00", json!({ "allocations": allocations })).await;
    let path = given::path("payments", &payment);
    let undone = json!({ "allocation_ids": [payment["allocations"][1]["id"]] });
    let after = books
        .erp
        .post(&format!("{path}/unallocate"), undone.clone())
        .await
        .expect(200);
    assert_eq!(after["unallocated"], "50.00");
    assert_eq!(
        (books.open_amount(first).await, books.open_amount(second).await),
        ("0.00".into(), "50.00".into())
    );
    books
        .erp
        .post(&format!("{path}/unallocate"), undone)
        .await
        .expect_problem(422, "unknown_allocation");
    // On account it can go elsewhere; then the whole bounces.
    let third = books.invoice("A-3", "20.00").await;
    let before_third = [before.clone(), lines(&[])].concat();
    assert_eq!(before_third, before);
    let elsewhere = json!({ "allocations": [{ "open_item_id": third }] });
    let after = books.erp.post(&format!("{path}/allocate"), elsewhere).await.expect(200);
    assert_eq!(after["unallocated"], "30.00");
    let reversed = books
        .erp
        .post(&format!("{path}/reverse"), json!({ "reason": "bounced" }))
        .await
        .expect(200);
    assert_eq!(
        (&reversed["unallocated"], &reversed["allowed_actions"]),
        (&json!("0.00"), &json!([]))
    );
    for (item, open) in [(first, "100.00"), (second, "50.00"), (third, "20.00")] {
        assert_eq!(books.open_amount(item).await, open);
    }
    assert_eq!(books.balances(), lines(&[("1100", "170"), ("3020", "-170")]));
    books.assert_subledgers();
}

#[tokio::test]
async fn a_payment_without_a_party_is_mirrored() {
    let books = Books::open().await;
    let accounts = books.accounts();
    let body = json!({ "direction": "in", "amount": "12.00", "date": "2026-03-10", "bank_charges": "1.00",
        "postings": [{ "account_id": accounts["4900"], "amount": "12.00" }] });
    let payment = books.erp.post("/v1/payments", body).await.expect(201);
    assert_eq!(
        books.balances(),
        lines(&[("1020", "11"), ("4900", "-12"), ("6040", "1")])
    );
    let path = format!("{}/reverse", given::path("payments", &payment));
    books.erp.post(&path, json!({ "reason": "mistake" })).await.expect(200);
    assert_eq!(books.balances(), []);
}
