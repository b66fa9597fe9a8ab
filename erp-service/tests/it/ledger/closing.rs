//! What other modules contribute to the checklist of a period.

use crate::shop::{Shop, id};
use serde_json::{Value, json};

async fn checklist(shop: &Shop) -> (Vec<String>, Vec<String>, Value) {
    let today = chrono::Utc::now().date_naive();
    let periods = shop.erp.get(&format!("/v1/periods?date={today}")).await.expect(200);
    let path = format!("/v1/periods/{}/checklist", id(&periods["items"][0]));
    let checklist = shop.erp.get(&path).await.expect(200);
    let codes = |kind: &str| {
        let items = checklist[kind].as_array().unwrap();
        let mut codes: Vec<String> = items
            .iter()
            .map(|item| item["code"].as_str().unwrap().to_owned())
            .collect();
        codes.sort();
        codes
    };
    (codes("blockers"), codes("warnings"), checklist.clone())
}

#[tokio::test]
async fn every_module_says_what_it_has_to_finish() {
    let shop = Shop::open().await;
    let erp = &shop.erp;
    let product = shop.stocked("A", "9").await;
    let order = shop.confirmed(product, "5").await;
    assert_eq!(checklist(&shop).await.0, Vec::<String>::new());

    let delivery = format!("/v1/sales-orders/{}/deliveries", id(&order));
    erp.post(&delivery, json!({})).await.expect(201);
    let count = json!({ "warehouse_id": shop.warehouse, "product_ids": [product] });
    let count = erp.post("/v1/stock-counts", count).await.expect(201);
    let line = json!([{ "description": "Advice", "quantity": "1", "unit_price": "100" }]);
    let draft = json!({ "customer_id": shop.customer, "currency": "USD", "lines": line });
    let draft = erp.post("/v1/invoices", draft).await.expect(201);
    let today = chrono::Utc::now().date_naive();
    let supplier = json!({ "name": "Exotic Liquids", "currency": "USD" });
    let supplier = erp.post("/v1/suppliers", supplier).await.expect(201);
    let bill = json!({ "supplier_id": supplier["id"], "supplier_number": "R-1", "bill_date": today, "lines": line });
    let bill = erp.post("/v1/supplier-bills", bill).await.expect(201);
    let rate = json!({ "currency": "USD", "reference": "EUR", "date": today, "rate": "1.10" });
    erp.post("/v1/exchange-rates", rate).await.expect(201);
    let foreign = json!({ "customer_id": shop.customer, "currency": "EUR", "post": true, "lines": line });
    erp.post("/v1/invoices", foreign).await.expect(201);

    let (blockers, warnings, list) = checklist(&shop).await;
    assert_eq!(
        blockers,
        [
            "draft_invoices",
            "revaluation_missing",
            "unapproved_counts",
            "unposted_bills"
        ]
    );
    assert_eq!(warnings, ["delivered_not_invoiced"]);
    let links: Vec<&Value> = list["blockers"]
        .as_array()
        .unwrap()
        .iter()
        .chain(list["warnings"].as_array().unwrap())
        .map(|item| &item["findings"][0]["link"])
        .collect();
    for (kind, record) in [
        ("stock-counts", &count),
        ("invoices", &draft),
        ("supplier-bills", &bill),
        ("sales-orders", &order),
    ] {
        let link = json!(format!("/v1/{kind}/{}", id(record)));
        assert!(links.contains(&&link), "{link} in {links:?}");
        erp.get(link.as_str().unwrap()).await.expect(200);
    }
}

/// What cannot happen by way of the service is seen all the same.
#[tokio::test]
async fn a_missing_number_and_stock_that_differs_are_seen() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "9").await;
    let line = json!([{ "description": "Advice", "quantity": "1", "unit_price": "100" }]);
    let invoice = json!({ "customer_id": shop.customer, "currency": "USD", "post": true, "lines": line });
    shop.erp.post("/v1/invoices", invoice).await.expect(201);
    assert_eq!(checklist(&shop).await.0, Vec::<String>::new());
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, PgConnection};
    let mut database = PgConnection::establish(&shop.service.database.url).unwrap();
    database
        .batch_execute(&format!(
            "UPDATE series_numbers SET last_number = last_number + 1 WHERE series = 'invoice';
             INSERT INTO stock_moves (product_id, warehouse_id, quantity, value, moved_on, kind, document_id, recorded_at)
             SELECT '{product}', '{}', 0, 7, current_date, 'revaluation', gen_random_uuid(), now()",
            shop.warehouse
        ))
        .unwrap();
    assert_eq!(checklist(&shop).await.0, ["invoice_number_gap", "stock_differs"]);
}
