use super::days_ago;
use crate::given;
use crate::shop::{Shop, id};
use serde_json::{Value, json};
use uuid::Uuid;

async fn with_entities(shop: &Shop, version: i64, entities: Value) {
    let body = json!({
        "source_version": version, "name": "Alfreds Futterkiste", "kind": "company", "status": "active", "tax_id": "DE1",
        "legal_entities": entities, "contacts": [], "as_of": "2026-01-01T00:00:00Z",
        "addresses": [{"kind": "shipping", "city": "Bonn"}, {"kind": "billing", "city": "Berlin", "country": "DE"}]
    });
    shop.sync
        .put(&format!("/v1/customers/{}", shop.customer), body)
        .await
        .expect(200);
}

/// Party data is copied at posting. A legal entity that ended before invoicing puts the order on hold. Credit notes keep
/// the invoice's entity.
#[tokio::test]
async fn the_worked_example_of_legal_entities() {
    let shop = Shop::open().await;
    let (old, new) = (Uuid::now_v7(), Uuid::now_v7());
    let (gmbh, ag) = (
        json!({"id": old, "name": "Alfreds GmbH", "tax_id": "DE2", "valid_from": "2020-01-01", "is_default": true}),
        json!({"id": new, "name": "Alfreds AG", "valid_from": days_ago(1), "is_default": true}),
    );
    with_entities(&shop, 2, json!([gmbh])).await;
    let product = shop.stocked("A", "5").await;
    let order = shop.confirmed(product, "2").await;
    shop.ship(&order).await;
    let invoice = shop.invoice(&order).await;
    assert_eq!(
        invoice["party"],
        json!({"legal_entity_id": old, "name": "Alfreds GmbH", "tax_id": "DE2", "registration_number": null,
            "address": {"kind": "billing", "city": "Berlin", "country": "DE"}})
    );

    let mut ended = gmbh.clone();
    ended["valid_to"] = json!(days_ago(1));
    with_entities(&shop, 3, json!([ended])).await;
    let order = shop.confirmed(product, "1").await;
    let delivery = shop.ship(&order).await;
    let path = format!("/v1/sales-orders/{}/invoices", id(&order));
    let held = shop.erp.post(&path, json!({"post": true})).await.expect(200);
    assert_eq!(
        (&held["id"], &held["holds"][0]["code"]),
        (&order["id"], &json!("legal_entity"))
    );
    assert_eq!(
        held["holds"][0]["reason"],
        format!("the legal entity Alfreds GmbH ended on {}", days_ago(1))
    );
    let run = shop.erp.post("/v1/invoice-runs", json!({})).await.expect(200);
    assert_eq!(
        (&run["invoices"], &run["held"][0]["order_id"]),
        (&json!([]), &order["id"])
    );
    // Nobody made a document, and there is none to hold where there is no order.
    let free = json!({"customer_id": shop.customer, "currency": "USD", "post": true,
        "lines": [{"description": "Something", "quantity": "1", "unit_price": "1"}]});
    shop.erp
        .post("/v1/invoices", free)
        .await
        .expect_problem(409, "legal_entity_ended");
    assert_eq!(
        shop.erp.get("/v1/invoices").await.expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    ended["is_default"] = json!(false);
    with_entities(&shop, 4, json!([ended, ag])).await;
    let by_delivery = format!("/v1/deliveries/{}/invoice", id(&delivery));
    let second = shop.erp.post(&by_delivery, json!({"post": true})).await.expect(201);
    assert_eq!(
        (
            &second["party"]["name"],
            &second["party"]["tax_id"],
            &second["legal_entity_id"]
        ),
        (&json!("Alfreds AG"), &json!("DE1"), &json!(new))
    );
    assert_eq!(shop.order_now(&order).await["holds"], json!([]));

    let credit = format!("{}/credit-notes", given::path("invoices", &invoice));
    let credit = shop.erp.post(&credit, json!({})).await.expect(201);
    assert_eq!(
        (&credit["party"], &credit["legal_entity_id"]),
        (&invoice["party"], &json!(old))
    );
    let unchanged = shop.erp.get(&given::path("invoices", &invoice)).await.expect(200);
    assert_eq!(unchanged["party"], invoice["party"]);
}
