//! A company moves in: balances, open items and stock of the time before.

use super::resumed::{at, break_off};
use super::{bad, counts, good, import, rows, send, shown};
use crate::given;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};
use uuid::Uuid;

const BALANCES: &str = "account,debit,credit,currency,base_amount,date,description\n\
     1020,12000.50,,,,2026-03-01,as the bank says\n\
     1030,1000,,EUR,1100,2026-03-01,\n\
     1510,,500,,,2026-03-01,\n\
     1610,2400,,,,2026-03-01,\n\
     2300,,8000,USD,,2026-03-01,\n\
     3010,0,5000,,,2026-03-01,\n";

const ITEMS: &str = "kind,party,document_number,document_date,due_date,currency,amount,base_amount,date\n\
     invoice,ALFKI,RE-1,2026-01-10,2026-02-09,USD,300.00,,2026-03-01\n\
     invoice,ALFKI,RE-2,2026-02-20,2026-03-22,USD,450.25,,2026-03-01\n\
     credit_note,ALFKI,GU-1,2026-02-25,2026-02-25,USD,50.25,,2026-03-01\n\
     invoice,ALFKI,RE-3,2025-11-01,2025-11-30,EUR,100,108.50,2026-03-01\n\
     bill,EXOTIC,B-77,2026-02-01,2026-03-03,USD,620,,2026-03-01\n\
     bill,EXOTIC,B-78,2026-02-15,2026-03-17,EUR,200,220,2026-03-01\n\
     supplier_credit_note,EXOTIC,BC-1,2026-02-20,2026-02-20,USD,20,,2026-03-01\n";

const STOCK: &str = "warehouse,sku,quantity,unit_cost,lot,expires_on,date\n\
     MAIN,TEA,100,6.25,,,2026-03-01\n\
     MAIN,CHEESE,10.5,8.40,L-1,2026-12-31,2026-03-01\n\
     MAIN,CHEESE,4,9.0000,L-2,2027-01-31,2026-03-01\n\
     MAIN,SAW,1,199.99,S-1,,2026-03-01\n\
     SHOP,TEA,20,6.30,,,2026-03-01\n";

const PRODUCTS: &str = "sku,name,kind,unit,tracking\n\
     TEA,Tea,goods,pcs,none\n\
     CHEESE,Cheese,goods,kg,lot\n\
     SAW,Saw,goods,pcs,serial\n\
     HELP,Help,service,h,none\n";

/// A company with a chart, a customer, a supplier, products and two warehouses, and nothing in its books.
async fn company() -> TestService {
    let service = given::erp().await;
    let erp = &service.client;
    given::customer(&service, "Alfreds Futterkiste").await;
    for code in ["MAIN", "SHOP"] {
        erp.post("/v1/warehouses", json!({ "code": code, "name": code }))
            .await
            .expect(201);
    }
    let chart = "code,name,kind,parent,currency,liquid\n\
         1030,Bank EUR,asset,1000,EUR,true\n\
         1610,Software,asset,1000,,\n";
    assert_eq!(counts(&import(erp, "accounts", chart).await), (2, 0, 0, 0));
    let suppliers = "external_ref,name,currency\nEXOTIC,Exotic Liquids,GBP\n";
    assert_eq!(counts(&import(erp, "suppliers", suppliers).await), (1, 0, 0, 0));
    assert_eq!(counts(&import(erp, "products", PRODUCTS).await), (4, 0, 0, 0));
    service
}

/// (account, balance) of the trial balance at the day of the move.
async fn balances(erp: &Client) -> Vec<(String, String)> {
    let report = erp.get("/v1/reports/trial-balance?date=2026-03-01").await.expect(200);
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or("none").to_owned();
    let rows = report["rows"].as_array().into_iter().flatten();
    rows.map(|row| (text(row, "account"), text(row, "balance"))).collect()
}

fn two(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

/// Each kind with how many rows its file has.
const FILES: [(&str, &str, i64); 3] = [
    ("opening-balances", BALANCES, 6),
    ("opening-items", ITEMS, 7),
    ("opening-stock", STOCK, 5),
];

#[tokio::test]
async fn what_was_taken_over_stands_in_the_books_once() {
    let service = company().await;
    let erp = &service.client;
    for (kind, file, rows_of_file) in FILES {
        let dry = send(erp, &format!("kind={kind}&dry_run=true"), file).await.expect(200);
        assert_eq!(
            counts(&dry),
            (rows_of_file, 0, 0, 0),
            "{kind} {:#?}",
            rows(erp, &dry).await
        );
    }
    assert_eq!(balances(erp).await, []);
    for path in ["/v1/opening-items", "/v1/stock-moves", "/v1/journal-entries"] {
        assert_eq!(erp.get(path).await.expect(200)["items"], json!([]), "{path}");
    }
    for (kind, file, rows_of_file) in FILES {
        assert_eq!(
            counts(&import(erp, kind, file).await),
            (rows_of_file, 0, 0, 0),
            "{kind}"
        );
    }
    for (kind, file, rows_of_file) in FILES {
        assert_eq!(
            counts(&import(erp, kind, file).await),
            (0, 0, rows_of_file, 0),
            "{kind}"
        );
    }

    // 300.00 + 450.25 - 50.25 + 108.50 = 808.50; 620 + 220 - 20 = 820;
    // 625.00 + 88.20 + 36.00 + 199.99 + 126.00 = 1075.19; the rest stands against the opening balance.
    assert_eq!(
        balances(erp).await,
        two(&[
            ("1020", "12000.50"),
            ("1030", "1100.00"),
            ("1100", "808.50"),
            ("1300", "1075.19"),
            ("1510", "-500.00"),
            ("1610", "2400.00"),
            ("2010", "-820.00"),
            ("2300", "-8000.00"),
            ("3010", "-5000.00"),
            ("3020", "-3064.19"),
        ])
    );
    let report = erp.get("/v1/reports/trial-balance?date=2026-03-01").await.expect(200);
    assert_eq!(
        (&report["total"]["balance_debit"], &report["total"]["balance_credit"]),
        (&json!("17384.19"), &json!("17384.19"))
    );
    let ageing = erp
        .get("/v1/reports/receivable-ageing?date=2026-03-01")
        .await
        .expect(200);
    assert_eq!(
        ageing["totals"],
        json!({ "not_due": "400.00", "overdue_1_30": "300.00", "overdue_31_60": "0.00", "overdue_61_90": "0.00",
            "overdue_over_90": "108.50", "total": "808.50" })
    );
    let ageing = erp.get("/v1/reports/payable-ageing?date=2026-03-01").await.expect(200);
    assert_eq!(
        (&ageing["totals"]["not_due"], &ageing["totals"]["total"]),
        (&json!("820.00"), &json!("820.00"))
    );
    let stock = erp.get("/v1/reports/stock-valuation?date=2026-03-01").await.expect(200);
    assert_eq!(
        (&stock["total"], &stock["ledger"]),
        (&json!("1075.19"), &json!("1075.19"))
    );
    let mut lines: Vec<[&str; 4]> = stock["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| ["warehouse", "sku", "quantity", "value"].map(|field| line[field].as_str().unwrap_or("none")))
        .collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            ["MAIN", "CHEESE", "14.5", "124.20"],
            ["MAIN", "SAW", "1", "199.99"],
            ["MAIN", "TEA", "100", "625.00"],
            ["SHOP", "TEA", "20", "126.00"],
        ]
    );
    // One adjustment for each warehouse.
    let documents = erp.get("/v1/stock-adjustments").await.expect(200);
    assert_eq!(documents["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_balance_that_was_reversed_can_be_taken_over_anew() {
    let service = company().await;
    let erp = &service.client;
    let made = import(erp, "opening-balances", BALANCES).await;
    let bank = rows(erp, &made).await[0].clone();
    let path = format!("/v1/journal-entries/{}", bank["record_id"].as_str().unwrap());
    let entry = erp.get(&path).await.expect(200);
    assert_eq!(
        (&entry["kind"], &entry["description"], &entry["date"]),
        (
            &json!("opening"),
            &json!("Opening balance: as the bank says"),
            &json!("2026-03-01")
        )
    );
    let log = erp
        .get(&format!(
            "/v1/audit-log?subject={}",
            bank["record_id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(log.expect(200)["items"][0]["operation"], "POST /v1/imports");

    let corrected = "account,debit,date\n1020,12500.50,2026-03-01\n1610,2400,2026-03-01\n";
    let answers = shown(&rows(erp, &import(erp, "opening-balances", corrected).await).await);
    assert_eq!(answers, [bad(&[("account", "already_posted")]), good("unchanged")]);
    let reason = json!({ "reason": "the statement was misread", "date": "2026-03-01" });
    erp.post(&format!("{path}/reverse"), reason).await;
    let answers = shown(&rows(erp, &import(erp, "opening-balances", corrected).await).await);
    assert_eq!(answers, [good("created"), good("unchanged")]);
    assert_eq!(counts(&import(erp, "opening-balances", corrected).await), (0, 0, 2, 0));
    assert_eq!(balances(erp).await[0], ("1020".to_owned(), "12500.50".to_owned()));
}

#[tokio::test]
async fn every_fault_of_a_balance_is_named() {
    let service = company().await;
    let erp = &service.client;
    let file = "account,debit,credit,currency,base_amount,date\n\
         ,1,,XXY,-1,2026-02-30\n\
         9999,1.005,,,2,2999-01-01\n\
         1000,1,,,,2026-03-01\n\
         1100,1,,,,2026-03-01\n\
         3020,1,,,,2026-03-01\n\
         1030,1,,,,2026-03-01\n\
         1020,1,1,,,2026-03-01\n\
         1020,,,,,\n\
         1020,-1,0,,,2026-03-01\n\
         1020,5,,EUR,,2026-03-01\n\
         1020,7,,,,2026-03-01\n\
         1020,8,,,,2026-03-01\n";
    let made = import(erp, "opening-balances", file).await;
    assert_eq!(
        shown(&rows(erp, &made).await),
        [
            bad(&[
                ("account", "required"),
                ("date", "bad_format"),
                ("currency", "unknown_value"),
                ("base_amount", "out_of_range"),
            ]),
            bad(&[
                ("account", "unknown_account"),
                ("debit", "out_of_range"),
                ("base_amount", "differs"),
                ("date", "future_date"),
            ]),
            bad(&[("account", "heading")]),
            bad(&[("account", "control_account")]),
            bad(&[("account", "not_applicable")]),
            bad(&[("currency", "wrong_currency")]),
            bad(&[("debit", "required")]),
            bad(&[("date", "required"), ("debit", "required")]),
            bad(&[("debit", "out_of_range")]),
            bad(&[("", "rate_missing")]),
            good("created"),
            bad(&[("", "duplicate_row")]),
        ]
    );
    assert_eq!(balances(erp).await, two(&[("1020", "7.00"), ("3020", "-7.00")]));
}

#[tokio::test]
async fn every_fault_of_an_open_item_is_named() {
    let service = company().await;
    let erp = &service.client;
    import(erp, "opening-items", ITEMS).await;
    let before = balances(erp).await;
    let file = "kind,party,party_id,document_number,document_date,due_date,currency,amount,base_amount,discount,discount_until,date\n\
         thing,,,,2026-02-30,soon,XXY,\"1,5\",,x,,\n\
         invoice,NOBODY,,X-1,2026-02-02,2026-02-01,USD,1.005,3,0.02,,2999-01-01\n\
         bill,ALFKI,,X-2,2026-02-01,2026-02-01,USD,5,,,,\n\
         invoice,ALFKI,,X-3,2026-02-01,2026-02-01,EUR,5,,,,2026-03-01\n\
         invoice,ALFKI,,RE-1,2026-01-10,2026-02-09,USD,301,,,,2026-03-01\n\
         invoice,ALFKI,,X-4,2026-02-01,2026-02-01,USD,5,,,,2026-03-01\n\
         invoice,ALFKI,,X-4,2026-02-01,2026-02-01,USD,5,,,,2026-03-01\n\
         bill,EXOTIC,,X-4,2026-02-01,2026-02-01,USD,5,,,,2026-03-01\n";
    let made = import(erp, "opening-items", file).await;
    let answers = rows(erp, &made).await;
    assert_eq!(
        shown(&answers),
        [
            bad(&[
                ("party", "required"),
                ("kind", "unknown_value"),
                ("document_number", "required"),
                ("document_date", "bad_format"),
                ("due_date", "bad_format"),
                ("currency", "unknown_value"),
                ("amount", "bad_format"),
                ("discount", "bad_format"),
            ]),
            bad(&[
                ("party", "unknown_customer"),
                ("amount", "out_of_range"),
                ("discount", "discount_incomplete"),
                ("due_date", "out_of_range"),
                ("base_amount", "invalid_input"),
                ("date", "future_date"),
            ]),
            bad(&[("party", "unknown_supplier")]),
            bad(&[("", "rate_missing")]),
            bad(&[("document_number", "already_posted")]),
            good("created"),
            bad(&[("", "duplicate_row")]),
            good("created"),
        ]
    );
    let problem = answers[1]["problem"].as_str().unwrap();
    assert!(problem.contains("in the CRM, with POST /v1/customers"), "{problem}");
    let after = balances(erp).await;
    // 808.50 + 5 and -820 - 5; what came in stands against each other.
    assert_eq!(
        before,
        two(&[("1100", "808.50"), ("2010", "-820.00"), ("3020", "11.50")])
    );
    assert_eq!(
        after,
        two(&[("1100", "813.50"), ("2010", "-825.00"), ("3020", "11.50")])
    );
}

#[tokio::test]
async fn every_fault_of_stock_is_named() {
    let service = company().await;
    let erp = &service.client;
    import(erp, "opening-stock", STOCK).await;
    let file = "warehouse,sku,quantity,unit_cost,lot,expires_on,date\n\
         ,,0,-1,,soon,2026-02-30\n\
         NOWHERE,NOTHING,1,1,,,2999-01-01\n\
         MAIN,HELP,1,1,,,2026-03-01\n\
         MAIN,CHEESE,1,1,,,2026-03-01\n\
         SHOP,CHEESE,1,1,L-1,2026-11-30,2026-03-01\n\
         SHOP,SAW,2,1,S-2,,2026-03-01\n\
         MAIN,TEA,101,6.25,,,2026-03-01\n\
         MAIN,SAW,1,10.00,S-3,,2026-03-01\n\
         MAIN,SAW,1,10.00,S-3,,2026-03-01\n";
    let made = import(erp, "opening-stock", file).await;
    let answers = shown(&rows(erp, &made).await);
    assert_eq!(
        answers,
        [
            bad(&[
                ("warehouse", "required"),
                ("sku", "required"),
                ("quantity", "out_of_range"),
                ("unit_cost", "out_of_range"),
                ("expires_on", "bad_format"),
                ("date", "bad_format"),
            ]),
            bad(&[
                ("date", "future_date"),
                ("warehouse", "unknown_warehouse"),
                ("sku", "unknown_product"),
            ]),
            bad(&[("sku", "not_stocked")]),
            bad(&[("lot", "lots_required")]),
            bad(&[("expires_on", "lot_differs")]),
            bad(&[("quantity", "serial_is_one_piece")]),
            bad(&[("quantity", "already_posted")]),
            good("created"),
            bad(&[("", "duplicate_row")]),
        ]
    );
    // 1075.19 + 10.00
    let stock = erp.get("/v1/reports/stock-valuation?date=2026-03-01").await.expect(200);
    assert_eq!(
        (&stock["total"], &stock["ledger"]),
        (&json!("1085.19"), &json!("1085.19"))
    );
}

#[tokio::test]
async fn a_closed_period_takes_nothing_over() {
    let service = company().await;
    let erp = &service.client;
    // The first posting makes the year.
    import(erp, "opening-balances", "account,debit,date\n1010,1,2026-01-31\n").await;
    let periods = erp.get("/v1/periods").await.expect(200);
    let january = periods["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|period| period["starts_on"] == "2026-01-01");
    let path = given::path("periods", january.expect("January"));
    for step in ["start-closing", "close"] {
        erp.post(&format!("{path}/{step}"), json!({})).await.expect(200);
    }
    for (kind, file) in [
        (
            "opening-balances",
            "account,debit,date\n1020,1,2026-01-31\n1020,2,2026-02-01\n",
        ),
        (
            "opening-items",
            "kind,party,document_number,document_date,due_date,currency,amount,date\n\
             invoice,ALFKI,A,2026-01-01,2026-01-31,USD,1,2026-01-31\ninvoice,ALFKI,B,2026-01-01,2026-01-31,USD,1,2026-02-01\n",
        ),
        (
            "opening-stock",
            "warehouse,sku,quantity,unit_cost,date\nMAIN,TEA,1,1,2026-01-31\nSHOP,TEA,1,1,2026-02-01\n",
        ),
    ] {
        let made = import(erp, kind, file).await;
        let answers = shown(&rows(erp, &made).await);
        assert_eq!(answers, [bad(&[("", "period_closed")]), good("created")], "{kind}");
    }
}

#[tokio::test]
async fn open_items_go_on_after_the_last_batch() {
    let service = company().await;
    let erp = &service.client;
    let line = |n| format!("invoice,ALFKI,N-{n:03},2026-02-01,2026-03-31,USD,10.00,2026-03-01\n");
    let file = "kind,party,document_number,document_date,due_date,currency,amount,date\n".to_owned()
        + &(0..250).map(line).collect::<String>();
    let id = Uuid::now_v7();
    break_off(&service, "opening-items", id, &file, file.len() * 3 / 5);
    let open = at(erp, id, 100).await;
    assert_eq!((&open["status"], counts(&open)), (&json!("open"), (100, 0, 0, 0)));
    assert_eq!(balances(erp).await, two(&[("1100", "1000.00"), ("3020", "-1000.00")]));
    let made = send(erp, &format!("kind=opening-items&id={id}"), file.as_str())
        .await
        .expect(200);
    assert_eq!((&made["status"], counts(&made)), (&json!("completed"), (250, 0, 0, 0)));
    assert_eq!(balances(erp).await, two(&[("1100", "2500.00"), ("3020", "-2500.00")]));
    // Under another id every row is there already.
    assert_eq!(counts(&import(erp, "opening-items", &file).await), (0, 0, 250, 0));
}
