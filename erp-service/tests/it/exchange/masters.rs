//! The chart, the terms of customers, and suppliers.

use super::{bad, counts, export, good, import, rows, send, shown};
use crate::given;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};
use uuid::Uuid;

/// A list as it comes out, to be sent back.
async fn exported(erp: &Client, path: &str) -> String {
    let table = export(erp, path).await;
    let quote = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
    let line = |line: &Vec<String>| line.iter().map(quote).collect::<Vec<_>>().join(",") + "\n";
    table.iter().map(line).collect()
}

async fn customer(service: &TestService, reference: &str) -> Value {
    let mut body = given::replicated(1, reference);
    body["external_ref"] = json!(reference);
    let path = format!("/v1/customers/{}", Uuid::now_v7());
    service.integration().put(&path, body).await.expect(201)
}

async fn account(erp: &Client, code: &str) -> Value {
    let chart = erp.get("/v1/accounts?limit=500").await.expect(200);
    let all = chart["items"].as_array().cloned().unwrap_or_default();
    all.into_iter()
        .find(|account| account["code"] == code)
        .unwrap_or(Value::Null)
}

const CHART: &str = "code,name,kind,parent,heading,control,currency,liquid,cash_flow_category\n\
     1600,Intangible assets,asset,1000,true,,,,\n\
     1610,Software,asset,1600,,,,,investing\n\
     1030,Bank EUR,asset,1000,no,,EUR,yes,\n\
     1020,House bank,asset,1000,,,,true,\n";

#[tokio::test]
async fn a_chart_is_matched_by_code_and_stands_below_its_headings() {
    let service = given::erp().await;
    let erp = &service.client;
    let dry = send(erp, "kind=accounts&dry_run=true", CHART).await.expect(200);
    assert_eq!(counts(&dry), (3, 1, 0, 0), "{:#?}", rows(erp, &dry).await);
    assert_eq!(account(erp, "1600").await, Value::Null);
    let made = import(erp, "accounts", CHART).await;
    assert_eq!(counts(&made), (3, 1, 0, 0));
    let (heading, software) = (account(erp, "1600").await, account(erp, "1610").await);
    assert_eq!(
        (
            &heading["heading"],
            &software["parent_id"],
            &software["cash_flow_category"]
        ),
        (&json!(true), &heading["id"], &json!("investing"))
    );
    let bank = account(erp, "1030").await;
    assert_eq!(
        (&bank["currency"], &bank["liquid"], &bank["heading"]),
        (&json!("EUR"), &json!(true), &json!(false))
    );
    assert_eq!(account(erp, "1020").await["name"], "House bank");
    assert_eq!(counts(&import(erp, "accounts", CHART).await), (0, 0, 4, 0));
    let back = import(erp, "accounts", &exported(erp, "/v1/accounts").await).await;
    let all = back["rows"].as_i64().unwrap();
    assert!(all > 40);
    assert_eq!(counts(&back), (0, 0, all, 0));
    // Columns that are not there stay.
    import(erp, "accounts", "code,name\n1610,Programs\n").await;
    let renamed = account(erp, "1610").await;
    assert_eq!(
        (&renamed["name"], &renamed["parent_id"]),
        (&json!("Programs"), &heading["id"])
    );
}

#[tokio::test]
async fn every_fault_of_a_chart_is_named() {
    let service = given::erp().await;
    let erp = &service.client;
    let entry = json!({ "description": "by hand", "date": "2026-03-01", "post": true, "lines": [
        { "account": "6010", "debit": "5" }, { "account": "1010", "credit": "5" }] });
    erp.post("/v1/journal-entries", entry).await.expect(201);
    let file = "code,name,kind,parent,heading,control,currency,liquid,cash_flow_category\n\
         ,,thing,1000,maybe,cash,XXY,often,sometimes\n\
         1611,Under no heading,asset,1010,,,,,\n\
         1612,Of another kind,expense,1000,,,,,\n\
         1613,Under nothing,asset,8888,,,,,\n\
         4999,Liquid income,income,4000,,receivable,,true,\n\
         6010,Rent,asset,1000,,,,,\n\
         1614,Good,asset,1000,,,,,\n\
         1614,Twice,asset,1000,,,,,\n";
    let made = import(erp, "accounts", file).await;
    let rows = rows(erp, &made).await;
    assert_eq!(
        shown(&rows),
        [
            bad(&[
                ("code", "required"),
                ("name", "required"),
                ("kind", "unknown_value"),
                ("heading", "bad_format"),
                ("control", "unknown_value"),
                ("currency", "unknown_value"),
                ("liquid", "bad_format"),
                ("cash_flow_category", "unknown_value"),
            ]),
            bad(&[("parent", "not_a_heading")]),
            bad(&[("parent", "other_kind")]),
            bad(&[("parent", "unknown_account")]),
            bad(&[
                ("control", "wrong_kind"),
                ("liquid", "wrong_kind"),
                ("liquid", "control_account")
            ]),
            bad(&[("code", "account_in_use")]),
            good("created"),
            bad(&[("", "duplicate_row")]),
        ]
    );
    let made = import(erp, "accounts", "code\n1615\n").await;
    assert_eq!(
        shown(&super::rows(erp, &made).await),
        [bad(&[("name", "required"), ("kind", "required")])]
    );
}

#[tokio::test]
async fn the_terms_of_customers_come_in_by_id_or_reference() {
    let service = given::erp().await;
    let erp = &service.client;
    let (alfreds, bolido) = (customer(&service, "ALFKI").await, customer(&service, "BOLID").await);
    let terms = json!({ "code": "NET45", "name": "Net 45", "net_days": 45 });
    let terms = erp.post("/v1/payment-terms", terms).await.expect(201);
    let (terms, id) = (terms["id"].as_str().unwrap(), bolido["id"].as_str().unwrap());
    let file = format!(
        "id,external_ref,tier,tier_reason,tier_valid_to,credit_limit,credit_hold,credit_hold_reason,payment_terms_id,overdue_stop_days,dunning_blocked,tax_class\n\
         ,ALFKI,gold,\"long-standing, pays\",2026-12-31,5000,false,,{terms},30,true,export\n\
         {id},,,,,,true,pays late,,,false,\n"
    );
    let dry = send(erp, "kind=customers&dry_run=true", file.as_str())
        .await
        .expect(200);
    assert_eq!(counts(&dry), (0, 2, 0, 0), "{:#?}", rows(erp, &dry).await);
    assert_eq!(
        erp.get(&given::path("customers", &alfreds)).await.expect(200)["version"],
        alfreds["version"]
    );
    // Those with which the two came.
    assert_eq!(given::events(erp, "customer.credit_changed").await.len(), 2);
    let made = import(erp, "customers", &file).await;
    assert_eq!(shown(&rows(erp, &made).await), [good("updated"), good("updated")]);
    let alfreds = erp.get(&given::path("customers", &alfreds)).await.expect(200);
    let shown = [
        "tier",
        "tier_reason",
        "tier_valid_to",
        "credit_limit",
        "payment_terms_id",
        "tax_class",
    ];
    assert_eq!(
        shown.map(|field| alfreds[field].as_str().unwrap_or("none")),
        ["gold", "long-standing, pays", "2026-12-31", "5000.00", terms, "export"]
    );
    assert_eq!(
        (&alfreds["overdue_stop_days"], &alfreds["dunning_blocked"]),
        (&json!(30), &json!(true))
    );
    let bolido = erp.get(&given::path("customers", &bolido)).await.expect(200);
    assert_eq!(
        (
            &bolido["credit_hold"],
            &bolido["credit_hold_reason"],
            &bolido["credit_limit"]
        ),
        (&json!(true), &json!("pays late"), &json!(null))
    );
    assert_eq!(given::events(erp, "customer.credit_changed").await.len(), 4);
    assert_eq!(counts(&import(erp, "customers", &file).await), (0, 0, 2, 0));
    let back = exported(erp, "/v1/customers").await;
    assert_eq!(counts(&import(erp, "customers", &back).await), (0, 0, 2, 0));
}

#[tokio::test]
async fn customers_themselves_are_made_in_the_crm() {
    let service = given::erp().await;
    let erp = &service.client;
    for reference in ["ALFKI", "BOLID", "TWIN", "TWIN"] {
        customer(&service, reference).await;
    }
    let nobody = Uuid::now_v7();
    let file = format!(
        "id,external_ref,name,tier_reason,tier_valid_to,credit_limit,credit_hold,payment_terms_id,overdue_stop_days\n\
         ,NOBODY,Nobody,,,,false,,\n\
         {nobody},,Nobody,,,,false,,\n\
         ,TWIN,Twin,,,,false,,\n\
         ,,,,,,false,,\n\
         ,ALFKI,Alfreds,because,2026-12-31,-1,false,,\n\
         ,BOLID,Bolido,,soon,\"1,5\",,x,-1\n\
         x,,,,,,false,,1.5\n"
    );
    let made = import(erp, "customers", &file).await;
    let rows = rows(erp, &made).await;
    assert_eq!(
        shown(&rows),
        [
            bad(&[("external_ref", "unknown_customer")]),
            bad(&[("id", "unknown_customer")]),
            bad(&[("external_ref", "ambiguous")]),
            bad(&[("external_ref", "required")]),
            bad(&[
                ("credit_limit", "out_of_range"),
                ("tier_valid_to", "reason_without_cause"),
                ("tier_reason", "reason_without_cause"),
            ]),
            bad(&[
                ("tier_valid_to", "bad_format"),
                ("credit_limit", "bad_format"),
                ("credit_hold", "required"),
                ("payment_terms_id", "bad_format"),
                ("overdue_stop_days", "out_of_range"),
            ]),
            bad(&[("id", "bad_format"), ("overdue_stop_days", "bad_format")]),
        ]
    );
    for row in &rows[..2] {
        let problem = row["problem"].as_str().unwrap();
        assert!(problem.contains("in the CRM, with POST /v1/customers"), "{problem}");
    }
    let file = format!("external_ref,payment_terms_id\nALFKI,{nobody}\n");
    let made = import(erp, "customers", &file).await;
    assert_eq!(
        shown(&super::rows(erp, &made).await),
        [bad(&[("payment_terms_id", "unknown_payment_terms")])]
    );
    // Columns that no list of customers has are a mistake.
    let problem = send(erp, "kind=customers", "external_ref,shoe_size\nALFKI,44\n").await;
    problem.expect_problem(422, "unknown_column");
}

const SUPPLIERS: &str = "external_ref,name,currency,legal_name,tax_id,email,lead_time_days,iban,bic,addresses\n\
     EXOTIC,Exotic Liquids,GBP,Exotic Liquids plc,GB123,orders@exotic.example,14,GB29NWBK60161331926819,NWBKGB2L,\"[{\"\"kind\"\":\"\"office\"\",\"\"street\"\":\"\"49 Gilbert St.\"\",\"\"city\"\":\"\"London\"\",\"\"country\"\":\"\"GB\"\"}]\"\n\
     TOKYO,Tokyo Traders,JPY,,,,,,,\n";

#[tokio::test]
async fn suppliers_are_matched_by_reference_or_id() {
    let service = given::erp().await;
    let erp = &service.client;
    let dry = send(erp, "kind=suppliers&dry_run=true", SUPPLIERS).await.expect(200);
    assert_eq!(counts(&dry), (2, 0, 0, 0), "{:#?}", rows(erp, &dry).await);
    assert_eq!(erp.get("/v1/suppliers").await.expect(200)["items"], json!([]));
    let made = import(erp, "suppliers", SUPPLIERS).await;
    let answers = rows(erp, &made).await;
    assert_eq!(shown(&answers), [good("created"), good("created")]);
    let path = format!("/v1/suppliers/{}", answers[0]["record_id"].as_str().unwrap());
    let exotic = erp.get(&path).await.expect(200);
    assert_eq!(
        (
            &exotic["lead_time_days"],
            &exotic["addresses"][0]["city"],
            &exotic["iban"]
        ),
        (&json!(14), &json!("London"), &json!("GB29NWBK60161331926819"))
    );
    assert_eq!(counts(&import(erp, "suppliers", SUPPLIERS).await), (0, 0, 2, 0));
    let back = exported(erp, "/v1/suppliers").await;
    assert_eq!(counts(&import(erp, "suppliers", &back).await), (0, 0, 2, 0));
    // By id, which may be new; what the file has no column for stays.
    let (id, new) = (answers[1]["record_id"].as_str().unwrap(), Uuid::now_v7());
    let file = format!("id,name,currency\n{id},Tokyo Trading,JPY\n{new},Mayumi's,JPY\n");
    let made = import(erp, "suppliers", &file).await;
    assert_eq!(shown(&rows(erp, &made).await), [good("updated"), good("created")]);
    let tokyo = erp.get(&format!("/v1/suppliers/{id}")).await.expect(200);
    assert_eq!(
        (&tokyo["name"], &tokyo["external_ref"], &tokyo["version"]),
        (&json!("Tokyo Trading"), &json!("TOKYO"), &json!(2))
    );
    assert_eq!(given::events(erp, "supplier.changed").await.len(), 4);
}

#[tokio::test]
async fn every_fault_of_a_supplier_is_named() {
    let service = given::erp().await;
    let erp = &service.client;
    import(erp, "suppliers", SUPPLIERS).await;
    let nobody = Uuid::now_v7();
    let file = format!(
        "external_ref,name,currency,email,lead_time_days,iban,bic,addresses,payment_terms_id\n\
         BAD,,XXY,nowhere,-1,nope,X,{{,x\n\
         ,No reference,USD,,,,,,\n\
         TERMS,Terms,USD,,,,,,{nobody}\n\
         GOOD,Good,USD,,,,,,\n\
         GOOD,Twice,USD,,,,,,\n\
         STREET,Street,USD,,,,,\"[{{\"\"kind\"\":\"\"home\"\"}}]\",\n"
    );
    let made = import(erp, "suppliers", &file).await;
    let answers = shown(&rows(erp, &made).await);
    assert_eq!(
        answers[..5],
        [
            bad(&[
                ("addresses", "bad_format"),
                ("name", "required"),
                ("email", "bad_format"),
                ("currency", "unknown_value"),
                ("payment_terms_id", "bad_format"),
                ("iban", "bad_format"),
                ("bic", "bad_format"),
                ("lead_time_days", "out_of_range"),
            ]),
            bad(&[("external_ref", "required")]),
            bad(&[("payment_terms_id", "unknown_payment_terms")]),
            good("created"),
            bad(&[("", "duplicate_row")]),
        ]
    );
    assert_eq!(answers[5].0, "rejected");
    assert!(
        answers[5].1.iter().all(|(column, _)| column.starts_with("addresses")),
        "{answers:?}"
    );
    let made = import(erp, "suppliers", "external_ref,lead_time_days\nNEW,3\nEXOTIC,21\n").await;
    assert_eq!(
        shown(&rows(erp, &made).await),
        [bad(&[("name", "required"), ("currency", "required")]), good("updated")]
    );
}
