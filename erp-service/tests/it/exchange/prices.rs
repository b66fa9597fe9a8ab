use super::{bad, counts, export, good, import, rows, shown};
use crate::given;
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn prices_are_matched_by_list_product_quantity_and_day() {
    let service = given::erp().await;
    let erp = &service.client;
    let base = given::price_list(erp, None, "USD").await;
    let gold = given::price_list(erp, Some("gold"), "USD").await;
    let chai = given::product(erp, "CHAI").await;
    let old = given::price(erp, &base, &chai, json!({"unit_price": "18", "minimum_quantity": "10"})).await;
    let (list, product) = (gold["id"].as_str().unwrap(), chai["id"].as_str().unwrap());
    let file = format!(
        "price_list_id,price_list_name,product_id,sku,minimum_quantity,valid_from,unit_price,valid_to\n\
         ,Base USD,,CHAI,10,,17.5,2026-12-31\n\
         ,Base USD,,CHAI,,,19,\n\
         ,Base USD,,CHAI,,2027-01-01,20,\n\
         {list},,{product},,0.0,,16,\n"
    );
    let made = import(erp, "prices", &file).await;
    assert_eq!(
        shown(&rows(erp, &made).await),
        [good("updated"), good("created"), good("created"), good("created")]
    );
    let changed = erp.get(&given::path("prices", &old)).await.expect(200);
    assert_eq!(
        (&changed["unit_price"], &changed["valid_to"], &changed["version"]),
        (&json!("17.5"), &json!("2026-12-31"), &json!(2))
    );
    let events = given::events(erp, "price.changed").await;
    assert_eq!(events.len(), 5);
    assert_eq!(given::of(&events, &changed)[1], (2, &changed));
    // Now by the columns of an export.
    let table = export(erp, "/v1/prices").await;
    let file: String = table.iter().map(|line| line.join(",") + "\n").collect();
    assert_eq!(counts(&import(erp, "prices", &file).await), (0, 0, 4, 0));
}

#[tokio::test]
async fn what_a_price_refers_to_must_be_there() {
    let service = given::erp().await;
    let erp = &service.client;
    given::price_list(erp, None, "USD").await;
    for currency in ["EUR", "GBP"] {
        let body = json!({ "name": "Twin", "currency": currency });
        erp.post("/v1/price-lists", body).await.expect(201);
    }
    given::product(erp, "CHAI").await;
    let nobody = Uuid::now_v7();
    let file = format!(
        "price_list_id,price_list_name,sku,minimum_quantity,valid_from,unit_price,valid_to\n\
         ,Nowhere,NOTHING,,,1,\n\
         {nobody},,CHAI,,,1,\n\
         ,Twin,CHAI,,,1,\n\
         ,Base USD,CHAI,-1,2026-02-30,\"1,5\",soon\n\
         ,Base USD,CHAI,,2026-02-01,1,2026-01-31\n\
         ,Base USD,CHAI,,,,\n\
         ,,,,,1,\n"
    );
    let made = import(erp, "prices", &file).await;
    assert_eq!(
        shown(&rows(erp, &made).await),
        [
            bad(&[("price_list_name", "unknown_price_list"), ("sku", "unknown_product")]),
            bad(&[("price_list_id", "unknown_price_list")]),
            bad(&[("price_list_name", "ambiguous")]),
            bad(&[
                ("minimum_quantity", "out_of_range"),
                ("valid_from", "bad_format"),
                ("unit_price", "bad_format"),
                ("valid_to", "bad_format")
            ]),
            bad(&[("valid_to", "out_of_range")]),
            bad(&[("unit_price", "required")]),
            bad(&[("price_list_name", "required"), ("sku", "required")]),
        ]
    );
    // Without the column a new price has none.
    let made = import(erp, "prices", "price_list_name,sku\nBase USD,CHAI\n").await;
    assert_eq!(shown(&rows(erp, &made).await), [bad(&[("unit_price", "required")])]);
}
