use super::{ask_for_csv, column, export};
use crate::{given, shop::Shop};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_list_goes_out_whole_with_its_filters_and_order() {
    let service = given::erp().await;
    let erp = &service.client;
    let file: String = (0..1_201).map(|n| format!("P-{n:04},Product,goods,pcs\n")).collect();
    super::import(erp, "products", &format!("sku,name,kind,unit\n{file}")).await;
    given::product(erp, "OTHER").await;
    let table = export(erp, "/v1/products?q=P-&sort=-sku&limit=3").await;
    // In the order of the record's fields.
    assert_eq!(table[0][..4], ["id", "sku", "name", "description"]);
    assert_eq!(table[0][table[0].len() - 2..], ["created_at", "updated_at"]);
    let expected: Vec<String> = (0..1_201).rev().map(|n| format!("P-{n:04}")).collect();
    assert_eq!(column(&table, "sku"), expected);
    let some = export(erp, "/v1/products?sku=OTHER").await;
    assert_eq!(column(&some, "sku"), ["OTHER"]);
    // Nothing there is a table too.
    let none = export(erp, "/v1/products?sku=NOBODY").await;
    assert_eq!((none.len(), none[0][0].as_str()), (1, "id"));
    // A refusal is a problem as ever.
    let refused = ask_for_csv(erp, "/v1/products?sort=colour").await;
    refused.expect_problem(400, "invalid_parameter");
    ask_for_csv(erp, "/v1/products?colour=red")
        .await
        .expect_problem(400, "invalid_parameter");
    // Somebody who wants JSON gets JSON.
    let json = erp
        .request(Method::GET, "/v1/products")
        .header("Accept", "application/json, text/csv;q=0.5");
    assert_eq!(erp.send(json).await.headers["content-type"], "application/json");
}

#[tokio::test]
async fn text_that_a_spreadsheet_would_run_does_not_begin_as_a_formula() {
    let shop = Shop::open().await;
    let mut body = given::product_in("=HYPERLINK(\"http://x\")");
    body["name"] = json!("+cmd|' /C calc'!A0");
    body["description"] = json!("-5");
    shop.erp.post("/v1/products", body).await.expect(201);
    let table = export(&shop.erp, "/v1/products").await;
    assert_eq!(column(&table, "sku"), ["'=HYPERLINK(\"http://x\")"]);
    assert_eq!(column(&table, "name"), ["'+cmd|' /C calc'!A0"]);
    assert_eq!(column(&table, "description"), ["-5"]);
}

#[tokio::test]
async fn parts_of_a_record_are_columns() {
    let shop = Shop::open().await;
    let product = shop.stocked("A", "10").await;
    shop.confirmed(product, "2").await;
    let table = export(&shop.erp, "/v1/sales-orders").await;
    assert_eq!(column(&table, "total.net"), ["20.00"]);
    let lines: serde_json::Value = serde_json::from_str(&column(&table, "lines")[0]).unwrap();
    assert_eq!(lines[0]["quantity"], "2");
    let moves = export(&shop.erp, "/v1/stock-moves").await;
    assert_eq!(column(&moves, "quantity"), ["10"]);
}

#[tokio::test]
async fn an_export_needs_its_permission_and_is_audited() {
    let service = given::erp().await;
    let erp = &service.client;
    given::product(erp, "A").await;
    let viewer = erp.new_key("viewer", &[]).await;
    let problem = ask_for_csv(&viewer, "/v1/products")
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(problem["required_permission"], "exports:run");
    let exporter = erp.new_key("custom", &["exports:run", "units:read"]).await;
    let problem = ask_for_csv(&exporter, "/v1/products")
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(problem["required_permission"], "products:read");
    export(&exporter, "/v1/units").await;
    export(erp, "/v1/products?sku=A").await;
    let log = erp.get("/v1/audit-log?subject_type=export").await.expect(200);
    let entries = log["items"].as_array().unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (&entry["operation"], &entry["changes"]))
        .collect();
    let (products, units) = (json!("GET /v1/products"), json!("GET /v1/units"));
    assert_eq!(
        (told[0], told[1], told[3].0),
        (
            (&products, &json!({"rows": {"from": null, "to": 1}})),
            (&products, &json!({"query": {"from": null, "to": "sku=A"}})),
            &units
        )
    );
    assert_eq!((entries.len(), &entries[0]["subject"]), (4, &entries[1]["subject"]));
}
