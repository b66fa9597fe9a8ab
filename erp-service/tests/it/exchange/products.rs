use super::{bad, counts, export, good, import, rows, shown};
use crate::given;
use serde_json::{Value, json};
use uuid::Uuid;

async fn product(service: &service_kit::testing::TestService, sku: &str) -> Value {
    let page = service.client.get(&format!("/v1/products?sku={sku}")).await.expect(200);
    page["items"][0].clone()
}

#[tokio::test]
async fn columns_that_are_not_there_stay_and_empty_cells_clear() {
    let service = given::erp().await;
    let erp = &service.client;
    let tea = given::category(erp, "Tea").await;
    let file = "sku,name,kind,unit,description,category_name,external_ref\nA,Chai,goods,box,10 × 20,Tea,1\n";
    import(erp, "products", file).await;
    let made = product(&service, "A").await;
    assert_eq!((&made["category_id"], &made["external_ref"]), (&tea["id"], &json!("1")));
    assert_eq!(
        counts(&import(erp, "products", "sku,name\nA,Chai\n").await),
        (0, 0, 1, 0)
    );
    import(erp, "products", "sku,name\nA,Chai tea\n").await;
    let renamed = product(&service, "A").await;
    assert_eq!(
        (&renamed["name"], &renamed["description"], &renamed["category_name"]),
        (&json!("Chai tea"), &json!("10 × 20"), &json!("Tea"))
    );
    import(erp, "products", "sku,description,category_name,external_ref\nA,,,\n").await;
    let cleared = product(&service, "A").await;
    assert_eq!(
        (
            &cleared["description"],
            &cleared["category_id"],
            &cleared["external_ref"],
            &cleared["version"]
        ),
        (&json!(null), &json!(null), &json!(null), &json!(3))
    );
    // A new product needs more than a name.
    let made = import(erp, "products", "sku,name\nB,Chang\n").await;
    assert_eq!(
        shown(&rows(erp, &made).await),
        [bad(&[("kind", "required"), ("unit", "required")])]
    );
}

#[tokio::test]
async fn what_a_row_refers_to_must_be_there() {
    let service = given::erp().await;
    let erp = &service.client;
    for name in ["Tea", "Twin", "Twin"] {
        given::category(erp, name).await;
    }
    let mut taken = given::product_in("TAKEN");
    taken["external_ref"] = json!("7");
    erp.post("/v1/products", taken).await.expect(201);
    let nobody = Uuid::now_v7();
    let file = format!(
        "sku,name,kind,unit,category_id,category_name,external_ref\n\
         A,A,goods,furlong,{nobody},,7\n\
         B,B,goods,pcs,,Twin,\n\
         C,C,goods,pcs,,Coffee,\n\
         D,D,goods,pcs,x,,\n\
         TAKEN,T,goods,pcs,,Tea,7\n"
    );
    let made = import(erp, "products", &file).await;
    assert_eq!(
        shown(&rows(erp, &made).await),
        [
            bad(&[
                ("unit", "unknown_unit"),
                ("category_id", "unknown_category"),
                ("external_ref", "duplicate")
            ]),
            bad(&[("category_name", "ambiguous")]),
            bad(&[("category_name", "unknown_category")]),
            bad(&[("category_id", "bad_format")]),
            good("updated"),
        ]
    );
}

#[tokio::test]
async fn an_export_sent_back_changes_nothing() {
    let service = given::erp().await;
    let erp = &service.client;
    let tea = given::category(erp, "=Tea").await;
    for (sku, name, description) in [
        ("A-1", "Plain", None),
        ("=A1", "'quoted'", Some("@SUM(1)")),
        ("+49", "-dash", Some("two\nlines, \"quoted\"")),
        ("-5", "''two", None),
    ] {
        let mut body = given::product_in(sku);
        body["name"] = json!(name);
        body["description"] = json!(description);
        body["category_id"] = tea["id"].clone();
        erp.post("/v1/products", body).await.expect(201);
    }
    let table = export(erp, "/v1/products?sort=sku").await;
    let quote = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
    let line = |line: &Vec<String>| line.iter().map(quote).collect::<Vec<_>>().join(";") + "\r\n";
    let file: String = table.iter().map(line).collect();
    let made = import(erp, "products", &file).await;
    assert_eq!(counts(&made), (0, 0, 4, 0), "{:#?}", rows(erp, &made).await);
}
