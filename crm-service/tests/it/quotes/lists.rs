use super::support::{act, begun, ids, in_days, line, quote};
use crate::support::{crm, customer, id};
use reqwest::Method;
use serde_json::json;

#[actix_web::test]
async fn quotes_are_filtered_searched_sorted_and_exported() {
    let crm = crm().await;
    let (of, tea, small) = begun(&crm).await;
    let other = customer(&crm.client, "Other").await;
    let more = json!({ "title": "Rice 100 %", "currency": "EUR", "valid_until": in_days(5),
        "lines": [{ "product_id": tea, "quantity": "100", "unit_price": "4" }] });
    let large = quote(&crm.client, &other, more).await;
    let last = quote(
        &crm.client,
        &of,
        json!({ "title": "Tea again", "lines": [line(&tea, "20")] }),
    )
    .await;
    act(&crm.client, &last, "send", json!({})).await.expect(200);
    let [small, large, last] = [id(&small), id(&large), id(&last)];
    for (query, expected) in [
        ("q=tea".to_owned(), vec![small, last]),
        ("q=100 %25".to_owned(), vec![large]),
        ("q=q-000001".to_owned(), vec![last]),
        ("state=draft".to_owned(), vec![small, large]),
        ("state=sent".to_owned(), vec![last]),
        (format!("customer_id={}", id(&other)), vec![large]),
        ("currency=EUR".to_owned(), vec![large]),
        (format!("valid_to={}", in_days(5)), vec![large]),
        (format!("valid_from={}", in_days(6)), vec![small, last]),
        ("unowned=true&teamless=true".to_owned(), vec![small, large, last]),
        ("unowned=false".to_owned(), vec![]),
        ("sort=-net".to_owned(), vec![large, last, small]),
        ("sort=net".to_owned(), vec![small, last, large]),
        ("sort=-title".to_owned(), vec![last, small, large]),
        ("sort=valid_until&limit=1".to_owned(), vec![large]),
    ] {
        let page = crm.client.get(&format!("/v1/quotes?{query}")).await.expect(200);
        assert_eq!(ids(&page), expected, "{query}");
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = crm
            .client
            .get(&format!("/v1/quotes?limit=1&sort=-net{cursor}"))
            .await
            .expect(200);
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [large, last, small]);
    let request = crm
        .client
        .request(Method::GET, "/v1/quotes?state=sent")
        .header("Accept", "text/csv");
    let csv = crm.client.send(request).await.expect(200);
    let csv = csv.as_str().unwrap();
    assert!(csv.contains("Q-000001") && csv.contains("190.00"), "{csv}");
    assert_eq!(csv.lines().count(), 2);
}
