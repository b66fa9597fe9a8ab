use crate::given;
use serde_json::{Value, json};
use service_kit::testing::Client;
use uuid::Uuid;

/// A code with one rate for ever.
pub async fn code(erp: &Client, code: &str, kind: &str, rate: &str) -> Value {
    let rates = json!([{ "rate": rate, "valid_from": "2000-01-01" }]);
    let body = json!({ "code": code, "name": code, "kind": kind, "rates": rates });
    erp.post("/v1/tax-codes", body).await.expect(201)
}

pub async fn rule(erp: &Client, rule: Value) -> Value {
    erp.post("/v1/tax-rules", rule).await.expect(201)
}

/// The codes that tax one line.
async fn codes(erp: &Client, mut document: Value, line: Value) -> Vec<String> {
    document["currency"] = json!("EUR");
    document["lines"] = json!([line]);
    document["lines"][0]["amount"] = json!("100");
    let answer = erp.post("/v1/tax-calculations", document).await.expect(200);
    let codes = answer["lines"][0]["codes"].as_array().unwrap();
    codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_more_particular_rule_goes_first() {
    let service = given::erp().await;
    let erp = &service.client;
    for (name, rate) in [
        ("FULL", "0.19"),
        ("LOW", "0.07"),
        ("EXPORT", "0"),
        ("EU", "0"),
        ("ECO", "0.01"),
    ] {
        code(erp, name, "output", rate).await;
    }
    code(erp, "IN", "input", "0.19").await;
    let sale = |fields: Value| {
        let mut rule = json!({ "direction": "sale" });
        for (name, value) in fields.as_object().unwrap() {
            rule[name] = value.clone();
        }
        rule
    };
    let at = json!({ "direction": "sale", "date": "2026-03-01" });
    assert!(codes(erp, at.clone(), json!({})).await.is_empty(), "no rules, no tax");
    rule(erp, sale(json!({ "codes": ["FULL"] }))).await;
    rule(erp, sale(json!({ "product_class": "reduced", "codes": ["LOW"] }))).await;
    rule(
        erp,
        sale(json!({ "product_class": "battery", "codes": ["FULL", "ECO"] })),
    )
    .await;
    rule(erp, sale(json!({ "country": "CH", "codes": ["EXPORT"] }))).await;
    rule(erp, sale(json!({ "party_class": "eu_business", "codes": ["EU"] }))).await;
    rule(erp, sale(json!({ "party_class": "church", "codes": [] }))).await;
    rule(
        erp,
        json!({ "direction": "purchase", "product_class": "standard", "codes": ["IN"] }),
    )
    .await;

    let with = |field: &str, value: &str| {
        let mut at = at.clone();
        at[field] = json!(value);
        at
    };
    let reduced = json!({ "tax_class": "reduced" });
    assert_eq!(codes(erp, at.clone(), json!({})).await, ["FULL"]);
    assert_eq!(codes(erp, at.clone(), reduced.clone()).await, ["LOW"]);
    assert_eq!(
        codes(erp, at.clone(), json!({ "tax_class": "battery" })).await,
        ["FULL", "ECO"]
    );
    assert_eq!(codes(erp, with("country", "CH"), reduced.clone()).await, ["EXPORT"]);
    assert_eq!(codes(erp, with("country", "FR"), reduced.clone()).await, ["LOW"]);
    let mut both = with("country", "CH");
    both["party_class"] = json!("eu_business");
    assert_eq!(codes(erp, both, json!({})).await, ["EU"]);
    assert!(codes(erp, with("party_class", "church"), json!({})).await.is_empty());
    assert_eq!(codes(erp, with("direction", "purchase"), json!({})).await, ["IN"]);
    assert!(
        codes(erp, with("direction", "purchase"), reduced.clone())
            .await
            .is_empty()
    );

    // The class of a product is the product's.
    let product = given::product(erp, "BOOK").await;
    let line = json!({ "product_id": product["id"] });
    assert_eq!(codes(erp, at.clone(), line.clone()).await, ["FULL"]);
    let changed = erp
        .patch(&given::path("products", &product), json!({ "tax_class": "reduced" }))
        .await
        .expect(200);
    assert_eq!(changed["tax_class"], "reduced");
    assert_eq!(codes(erp, at, line).await, ["LOW"]);
    let events = given::events(erp, "product.changed").await;
    let classes: Vec<&Value> = given::of(&events, &product)
        .into_iter()
        .map(|(_, data)| &data["tax_class"])
        .collect();
    assert_eq!(classes, [&Value::Null, &json!("reduced")]);
}

#[tokio::test]
async fn a_rule_holds_on_its_days_and_ties_are_refused() {
    let service = given::erp().await;
    let erp = &service.client;
    code(erp, "OLD", "output", "0.19").await;
    code(erp, "NEW", "output", "0.21").await;
    let old = json!({ "direction": "sale", "valid_to": "2026-06-30", "codes": ["OLD"] });
    let made = rule(erp, old.clone()).await;
    let new = json!({ "direction": "sale", "valid_from": "2026-06-30", "codes": ["NEW"] });
    erp.post("/v1/tax-rules", new)
        .await
        .expect_problem(409, "overlapping_rule");
    rule(
        erp,
        json!({ "direction": "sale", "valid_from": "2026-07-01", "codes": ["NEW"] }),
    )
    .await;
    for (date, expected) in [("2026-06-30", "OLD"), ("2026-07-01", "NEW")] {
        let at = json!({ "direction": "sale", "date": date });
        assert_eq!(codes(erp, at, json!({})).await, [expected]);
    }
    let path = given::path("tax-rules", &made);
    assert_eq!(erp.get(&path).await.expect(200), made);
    assert_eq!(erp.put(&path, old).await.expect(200), made);
    let exempt = json!({ "direction": "sale", "valid_to": "2026-06-30", "codes": [] });
    erp.put(&path, exempt.clone())
        .await
        .expect_problem(428, "precondition_required");
    let request = erp.request(reqwest::Method::PUT, &path).header("If-Match", "\"1\"");
    let changed = erp.send(request.json(&exempt)).await.expect(200);
    assert_eq!((&changed["codes"], &changed["revision"]), (&json!([]), &json!(2)));
    let listed = erp.get("/v1/tax-rules?direction=sale&limit=1").await.expect(200);
    assert_eq!(listed["items"], json!([changed]));
}

#[tokio::test]
async fn every_fault_of_a_rule_is_named() {
    let service = given::erp().await;
    let erp = &service.client;
    code(erp, "OUT", "output", "0.19").await;
    code(erp, "IN", "input", "0.19").await;
    let retired = code(erp, "GONE", "output", "0.19").await;
    let gone = json!({ "status": "retired" });
    erp.patch(&given::path("tax-codes", &retired), gone).await.expect(200);
    let body = json!({
        "direction": "sale", "valid_from": "2026-02-01", "valid_to": "2026-01-31",
        "codes": ["OUT", "IN", "NONE", "OUT", "GONE"],
    });
    let path = format!("/v1/tax-rules/{}", Uuid::now_v7());
    let problem = erp.put(&path, body).await.expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/valid_to", "out_of_range"),
            ("/codes/1", "wrong_kind"),
            ("/codes/2", "unknown_tax_code"),
            ("/codes/3", "duplicate"),
            ("/codes/4", "retired_tax_code"),
        ]
    );
    assert_eq!(erp.get("/v1/tax-rules").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_customer_has_a_tax_class_of_the_erp() {
    let service = given::erp().await;
    let erp = &service.client;
    let customer = given::customer(&service, "Alfreds").await;
    let path = given::path("customers", &customer);
    assert_eq!(customer["tax_class"], Value::Null);
    let changed = erp
        .patch(&path, json!({ "tax_class": "eu_business" }))
        .await
        .expect(200);
    assert_eq!(changed["tax_class"], "eu_business");
    // What the CRM applies leaves it.
    let newer = given::replicated(2, "Alfreds Futterkiste");
    let applied = service.integration().put(&path, newer).await.expect(200);
    assert_eq!(
        (&applied["tax_class"], &applied["name"]),
        (&json!("eu_business"), &json!("Alfreds Futterkiste"))
    );
}
