use super::support::{act, begun, deal, ids, in_days, list, today};
use crate::support::{crm, customer, id};
use serde_json::json;

#[actix_web::test]
async fn deals_are_filtered_searched_and_paged() {
    let crm = crm().await;
    let more = json!({
        "name": "Green tea for Lyon", "amount": "10", "expected_close_on": "2031-03-10", "source": "fair", "campaign": "spring",
    });
    let (of, plain, tea) = begun(&crm, more).await;
    let other = customer(&crm.client, "Other").await;
    let rice = deal(
        &crm.client,
        &other,
        &plain,
        json!({ "name": "Rice 100 %", "currency": "EUR" }),
    )
    .await;
    let late = json!({ "name": "Late", "amount": "5", "expected_close_on": in_days(-1) });
    let late = deal(&crm.client, &of, &plain, late).await;
    act(&crm.client, &rice, "move", json!({ "stage": "b" }))
        .await
        .expect(200);
    let lost = deal(&crm.client, &of, &plain, json!({ "name": "Lost" })).await;
    act(&crm.client, &lost, "lose", json!({ "reason": "price" }))
        .await
        .expect(200);
    let (tea, rice, late, lost) = (id(&tea), id(&rice), id(&late), id(&lost));
    let (pipeline, today) = (id(&plain), today());
    for (query, expected) in [
        ("q=tea".to_owned(), vec![tea]),
        ("q=100 %25".to_owned(), vec![rice]),
        ("state=lost".to_owned(), vec![lost]),
        (format!("pipeline_id={pipeline}&stage=b"), vec![rice]),
        (format!("customer_id={}", id(&other)), vec![rice]),
        ("close_month=2031-03".to_owned(), vec![tea]),
        ("close_month=2031-04".to_owned(), vec![]),
        ("expected_close_from=2031-03-10".to_owned(), vec![tea]),
        (format!("expected_close_to={today}"), vec![late]),
        ("undated=true".to_owned(), vec![rice, lost]),
        ("overdue=true".to_owned(), vec![late]),
        ("overdue=false".to_owned(), vec![tea, rice]),
        ("valued=true".to_owned(), vec![tea, late]),
        ("valued=false".to_owned(), vec![rice, lost]),
        ("loss_reason=price".to_owned(), vec![lost]),
        (format!("closed_from={today}&closed_to={today}"), vec![lost]),
        ("currency=EUR".to_owned(), vec![rice]),
        ("source=fair&campaign=spring".to_owned(), vec![tea]),
        ("unowned=true&teamless=true".to_owned(), vec![tea, rice, late, lost]),
        ("unowned=false".to_owned(), vec![]),
        ("sort=expected_close_on".to_owned(), vec![late, tea, rice, lost]),
        ("sort=-name".to_owned(), vec![rice, lost, late, tea]),
    ] {
        let page = crm.client.get(&format!("/v1/deals?{query}")).await.expect(200);
        let (mut found, mut expected) = (ids(&page), expected);
        if !query.starts_with("sort") {
            found.sort_unstable();
            expected.sort_unstable();
        }
        assert_eq!(found, expected, "{query}");
    }
    for sort in ["created_at", "-name", "expected_close_on", "-expected_close_on"] {
        let whole = list(&crm.client, &format!("/v1/deals?sort={sort}")).await;
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = crm
                .client
                .get(&format!("/v1/deals?sort={sort}&limit=1{cursor}"))
                .await
                .expect(200);
            paged.extend(page["items"].as_array().unwrap().clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(paged, whole, "{sort}");
    }
    for bad in [
        "close_month=2031-13",
        "close_month=x",
        "state=closed",
        "owner_id=1",
        "valued=maybe",
    ] {
        let reply = crm.client.get(&format!("/v1/deals?{bad}")).await;
        reply.expect_problem(400, "invalid_parameter");
    }
}

#[actix_web::test]
async fn the_list_goes_out_as_csv() {
    let crm = crm().await;
    let (..) = begun(&crm, json!({ "amount": "10" })).await;
    let request = crm
        .client
        .request(reqwest::Method::GET, "/v1/deals?state=open")
        .header("Accept", "text/csv");
    let text = crm.client.send(request).await.expect(200);
    let lines: Vec<&str> = text.as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    let columns: Vec<&str> = lines[0].split(',').collect();
    for column in ["id", "name", "stage", "amount", "value.weighted"] {
        assert!(columns.contains(&column), "{column} in {columns:?}");
    }
    // From the end, behind the lists, whose cells have commas of their own.
    let behind = columns
        .iter()
        .rev()
        .position(|column| *column == "value.weighted")
        .unwrap();
    let weighted = lines[1].rsplit(',').nth(behind);
    assert_eq!(weighted, Some("3.00"), "30 % of 10.00: {} {}", lines[0], lines[1]);
}
