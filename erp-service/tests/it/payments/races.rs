use super::books::Books;
use serde_json::json;
use tokio::task::JoinSet;

#[tokio::test]
async fn sixteen_clients_pay_one_invoice_once() {
    let books = Books::open().await;
    let item = books.invoice("A-1", "100.00").await;
    let mut clients = JoinSet::new();
    for _ in 0..16 {
        let body = books.receipt(
            "100.00",
            json!({ "allocations": [{ "open_item_id": item, "amount": "100.00" }] }),
        );
        let erp = books.erp.clone();
        clients.spawn(async move { erp.post("/v1/payments", body).await });
    }
    let replies = clients.join_all().await;
    let paid = replies.iter().filter(|reply| reply.status == 201).count();
    let refused = replies
        .iter()
        .filter(|reply| reply.status == 409 && reply.body["code"] == "exceeds_open")
        .count();
    assert_eq!((paid, refused), (1, 15), "{replies:#?}");
    let page = books.erp.get("/v1/payments").await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(books.open_amount(item).await, "0.00");
    books.assert_subledgers();
}

#[tokio::test]
async fn sixteen_parts_come_to_the_whole_and_numbers_have_no_gap() {
    let books = Books::open().await;
    let (first, second) = (books.invoice("A-1", "80.00").await, books.invoice("A-2", "80.00").await);
    let mut clients = JoinSet::new();
    for index in 0..16 {
        // In both orders: items are locked by id, so nobody waits in a circle.
        let (a, b) = if index % 2 == 0 {
            (first, second)
        } else {
            (second, first)
        };
        let allocations = json!([{ "open_item_id": a, "amount": "5.00" }, { "open_item_id": b, "amount": "5.00" }]);
        let body = books.receipt("10.00", json!({ "allocations": allocations }));
        let erp = books.erp.clone();
        clients.spawn(async move { erp.post("/v1/payments", body).await.expect(201) });
    }
    let mut numbers: Vec<String> = clients
        .join_all()
        .await
        .iter()
        .map(|payment| payment["number"].as_str().unwrap().to_owned())
        .collect();
    numbers.sort();
    let expected: Vec<String> = (1..=16).map(|number| format!("PAY-2026-{number:06}")).collect();
    assert_eq!(numbers, expected);
    assert_eq!(
        (books.open_amount(first).await, books.open_amount(second).await),
        ("0.00".into(), "0.00".into())
    );
    books.assert_subledgers();
}
