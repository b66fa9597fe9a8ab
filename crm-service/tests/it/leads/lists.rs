use super::{act, items, labels, lead};
use crate::support::{crm, id};
use reqwest::Method;
use serde_json::json;

#[actix_web::test]
async fn leads_are_found_filtered_and_ordered() {
    let crm = crm().await;
    let ann = crm.user("Ann", "sales", "own", None).await;
    let tea = json!({ "company": "Tea & Co", "email": "a@tea.example", "country": "DE", "source": "fair", "owner_id": ann.id });
    let tea = lead(&crm.client, tea).await;
    lead(&crm.client, json!({ "company": "Café René", "phone": "+33 1 555 0100", "country": "FR", "campaign": "autumn", "utm_source": "newsletter" })).await;
    let zebra = lead(&crm.client, json!({ "company": "Zebra", "name": "Zoë" })).await;
    act(&crm.client, &zebra, "disqualify", json!({ "reason": "duplicate" }))
        .await
        .expect(200);
    let owned = format!("owner_id={}", ann.id);
    for (query, expected) in [
        ("sort=label", vec!["Café René", "Tea & Co", "Zebra"]),
        ("sort=-label&limit=1", vec!["Zebra"]),
        ("sort=-created_at", vec!["Zebra", "Café René", "Tea & Co"]),
        ("q=ZO%C3%8B", vec!["Zebra"]),
        ("q=555+01", vec!["Café René"]),
        ("q=tea.example", vec!["Tea & Co"]),
        ("state=new&sort=label", vec!["Café René", "Tea & Co"]),
        ("open=false", vec!["Zebra"]),
        ("disqualified_reason=duplicate", vec!["Zebra"]),
        ("country=FR", vec!["Café René"]),
        ("source=fair", vec!["Tea & Co"]),
        ("campaign=autumn", vec!["Café René"]),
        (owned.as_str(), vec!["Tea & Co"]),
        ("unowned=true&sort=label", vec!["Café René", "Zebra"]),
        ("filter=utm.source%20has%20%22newsletter%22", vec!["Café René"]),
        ("filter=owner%20%3D%20%22ann%40example.com%22", vec!["Tea & Co"]),
        ("score_from=1", vec![]),
    ] {
        assert_eq!(
            labels(&crm.client, &format!("/v1/leads?{query}")).await,
            expected,
            "{query}"
        );
    }
    // Page by page, and as a file.
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = crm
            .client
            .get(&format!("/v1/leads?sort=last_touch_at&limit=1{cursor}"))
            .await
            .expect(200);
        seen.push(page["items"][0]["label"].as_str().unwrap().to_owned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["Tea & Co", "Café René", "Zebra"]);
    let request = crm
        .client
        .request(Method::GET, "/v1/leads?state=new&sort=label")
        .header("Accept", "text/csv");
    let file = crm.client.send(request).await.expect(200);
    let lines: Vec<&str> = file.as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("id,label,name,company"), "{}", lines[0]);
    assert!(lines[2].contains("Tea & Co"));
    assert_eq!(
        items(&crm.client, &format!("/v1/leads/{}/touches", id(&tea)))
            .await
            .len(),
        1
    );
}

#[actix_web::test]
async fn a_view_of_leads_knows_their_filters() {
    let crm = crm().await;
    let view = |filter: &str| {
        json!({ "name": "Hot", "record_type": "lead", "sort": "-score", "columns": ["label", "score"],
                "filters": [{ "name": "filter", "value": filter }] })
    };
    crm.client.post("/v1/views", view("score >= 50")).await.expect(201);
    let refused = crm.client.post("/v1/views", view("colour = 1")).await.expect(422);
    assert_eq!(refused["errors"][0]["pointer"], "/filters/0/value");
}
