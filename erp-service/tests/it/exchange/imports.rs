//! What holds for every kind of import.

use super::{ask_for_csv, bad, column, counts, export, good, import, lines, rows, send, shown};
use crate::given;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn each_row_has_one_answer_and_a_rejected_one_holds_no_other_back() {
    let service = given::erp().await;
    let erp = &service.client;
    let kept = given::product(erp, "KEPT").await;
    let made = import(
        erp,
        "products",
        "sku,name,kind,unit\n\
         NEW,New,goods,pcs\n\
         KEPT,Renamed,goods,pcs\n\
         ,Nameless,thing,furlong\n\
         LAST,Last,service,h\n",
    )
    .await;
    assert_eq!(counts(&made), (2, 1, 0, 1));
    assert_eq!(made["columns"], json!(["sku", "name", "kind", "unit"]));
    let rows = rows(erp, &made).await;
    assert_eq!(
        shown(&rows),
        [
            good("created"),
            good("updated"),
            bad(&[("sku", "required"), ("kind", "unknown_value")]),
            good("created"),
        ]
    );
    assert_eq!(
        (&rows[1]["row"], &rows[1]["line"], &rows[1]["key"]),
        (&json!(2), &json!(3), &json!("KEPT"))
    );
    assert_eq!(rows[1]["record_id"], kept["id"]);
    let problem = rows[2]["problem"].as_str().unwrap();
    assert_eq!(problem, "sku: must not be empty; kind: expected `goods` or `service`");
    let new = erp.get("/v1/products?sku=NEW").await.expect(200)["items"][0].clone();
    assert_eq!((&new["id"], &new["name"]), (&rows[0]["record_id"], &json!("New")));
    // Only the rejected ones, and the import again.
    let path = given::path("imports", &made);
    let rejected = erp.get(&format!("{path}/rows?result=rejected")).await.expect(200);
    assert_eq!(rejected["items"].as_array().unwrap().len(), 1);
    assert_eq!(erp.get(&path).await.expect(200), made);
    assert_eq!(erp.get("/v1/imports").await.expect(200)["items"], json!([made]));
}

#[tokio::test]
async fn every_change_leaves_an_audit_row_and_an_event() {
    let service = given::erp().await;
    let erp = &service.client;
    let kept = given::product(erp, "KEPT").await;
    let file = "sku,name,kind,unit\nKEPT,Renamed,goods,pcs\nNEW,New,goods,pcs\nBAD,,goods,pcs\n";
    let made = import(erp, "products", file).await;
    let events = given::events(erp, "product.changed").await;
    assert_eq!(events.len(), 3);
    let versions: Vec<i64> = given::of(&events, &kept).iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, [1, 2]);
    let subject = kept["id"].as_str().unwrap();
    let log = erp.get(&format!("/v1/audit-log?subject={subject}")).await.expect(200);
    let entry = &log["items"][0];
    assert_eq!(
        (&entry["operation"], &entry["changes"]["name"]),
        (
            &json!("POST /v1/imports"),
            &json!({"from": "Product KEPT", "to": "Renamed"})
        )
    );
    let subject = made["id"].as_str().unwrap();
    let log = erp.get(&format!("/v1/audit-log?subject={subject}")).await.expect(200);
    assert_eq!(
        log["items"][0]["changes"]["status"],
        json!({"from": "open", "to": "completed"})
    );
}

#[tokio::test]
async fn a_dry_run_answers_every_row_and_changes_nothing() {
    let service = given::erp().await;
    let erp = &service.client;
    let kept = given::product(erp, "KEPT").await;
    let id = Uuid::now_v7();
    let file = "sku,name,kind,unit\nKEPT,Renamed,goods,pcs\nNEW,New,goods,pcs\nBAD,Bad,goods,furlong\n";
    let made = send(erp, &format!("kind=products&dry_run=true&id={id}"), file)
        .await
        .expect(200);
    assert_eq!((counts(&made), &made["dry_run"]), ((1, 1, 0, 1), &json!(true)));
    let expected = [good("updated"), good("created"), bad(&[("unit", "unknown_unit")])];
    assert_eq!(shown(&rows(erp, &made).await), expected);
    let products = erp.get("/v1/products").await.expect(200);
    assert_eq!(products["items"], json!([kept]));
    assert_eq!(given::events(erp, "product.changed").await.len(), 1);
    // The id stays that of the dry run.
    let reused = send(erp, &format!("kind=products&id={id}"), file).await;
    reused.expect_problem(409, "other_file");
    let real = import(erp, "products", file).await;
    assert_eq!(counts(&real), counts(&made));
}

#[tokio::test]
async fn a_key_that_the_file_has_twice_is_rejected_wherever_it_stands() {
    let service = given::erp().await;
    let erp = &service.client;
    let mut file = "sku,name,kind,unit\nTWICE,One,goods,pcs\nTWICE,Two,goods,pcs\n".to_owned();
    // Into the next batch.
    for number in 0..600 {
        file.push_str(&format!("P-{number},Product,goods,pcs\n"));
    }
    file.push_str("TWICE,Three,goods,pcs\n");
    for query in ["kind=products&dry_run=true", "kind=products"] {
        let made = send(erp, query, file.as_str()).await;
        let made = made.body;
        assert_eq!(counts(&made), (601, 0, 0, 2), "{query}");
        let rows = rows(erp, &made).await;
        let shown = shown(&rows);
        assert_eq!(shown[1], bad(&[("", "duplicate_row")]));
        assert_eq!(shown[602], bad(&[("", "duplicate_row")]));
        assert_eq!(rows[602]["problem"], "row 1 of the file is for the same record");
    }
    let found = erp.get("/v1/products?sku=TWICE").await.expect(200);
    assert_eq!(found["items"][0]["name"], "One");
}

#[tokio::test]
async fn the_answers_can_be_had_as_csv() {
    let service = given::erp().await;
    let erp = &service.client;
    let made = import(erp, "products", "sku,name,kind,unit\nA,A,goods,pcs\n=B,,goods,pcs\n").await;
    let table = export(erp, &format!("{}/rows", given::path("imports", &made))).await;
    assert_eq!(
        table[0],
        ["row", "line", "result", "key", "record_id", "problem", "faults"]
    );
    assert_eq!(column(&table, "row"), ["1", "2"]);
    assert_eq!(column(&table, "key"), ["A", "'=B"]);
    assert_eq!(column(&table, "problem"), ["", "name: must not be empty"]);
}

#[tokio::test]
async fn an_import_needs_the_permission_of_its_kind() {
    let service = given::erp().await;
    let erp = &service.client;
    let file = "sku,name,kind,unit\nA,A,goods,pcs\n";
    let runner = erp
        .new_key("custom", &["imports:run", "imports:read", "exports:run"])
        .await;
    let problem = send(&runner, "kind=products", file)
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(problem["required_permission"], "products:write");
    let writer = erp.new_key("custom", &["products:write"]).await;
    let problem = send(&writer, "kind=products", file)
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(problem["required_permission"], "imports:run");
    let both = erp.new_key("custom", &["imports:run", "products:write"]).await;
    let made = send(&both, "kind=products", file).await.expect(201);
    // Its answers are for those who may read products.
    let path = given::path("imports", &made);
    assert_eq!(runner.get("/v1/imports").await.expect(200)["items"], json!([]));
    for path in [path.clone(), format!("{path}/rows")] {
        let problem = runner.get(&path).await.expect_problem(403, "forbidden");
        assert_eq!(problem["required_permission"], "products:read");
    }
    ask_for_csv(&runner, &format!("{path}/rows"))
        .await
        .expect_problem(403, "forbidden");
    let reader = erp.new_key("viewer", &[]).await;
    assert_eq!(reader.get(&path).await.expect(200), made);
}

#[tokio::test]
async fn a_replay_under_an_idempotency_key_is_harmless() {
    let service = given::erp().await;
    let erp = &service.client;
    let replay = |dry_run: &str, file: &str| {
        let request = erp.request(Method::POST, &format!("/v1/imports?kind=products{dry_run}"));
        let request = request
            .header("Content-Type", "text/csv")
            .header("Idempotency-Key", "once");
        erp.send(request.body(file.to_owned()))
    };
    let file = "sku,name,kind,unit\nA,A,goods,pcs\n";
    replay("&dry_run=true", file).await.expect(200);
    let first = replay("", file).await.expect(201);
    let again = replay("", file).await.expect(200);
    assert_eq!(again, first);
    let other = replay("", "sku,name,kind,unit\nB,B,goods,pcs\n").await;
    other.expect_problem(422, "idempotency_key_reused");
    assert_eq!(given::events(erp, "product.changed").await.len(), 1);
}

#[tokio::test]
async fn kinds_and_their_columns_are_documented() {
    let service = given::erp().await;
    let erp = &service.client;
    let kinds = erp.get("/v1/import-kinds").await.expect(200);
    let kinds = kinds["items"].as_array().unwrap();
    let names: Vec<&Value> = kinds.iter().map(|kind| &kind["kind"]).collect();
    let document = erp.get("/openapi.json").await.expect(200);
    let operation = &document["paths"]["/v1/imports"]["post"];
    let parameters = operation["parameters"].as_array().unwrap();
    let kind = parameters.iter().find(|parameter| parameter["name"] == "kind").unwrap();
    assert_eq!(json!(names), kind["schema"]["enum"]);
    for kind in kinds {
        for column in kind["columns"].as_array().unwrap() {
            let shown = format!("`{}`", column["name"].as_str().unwrap());
            let text = operation["description"].as_str().unwrap();
            assert!(text.contains(&shown), "{shown} is not described");
        }
    }
    send(erp, "kind=nothing", "a")
        .await
        .expect_problem(400, "invalid_parameter");
    send(erp, "", "a").await.expect_problem(400, "invalid_parameter");
    send(erp, "kind=products&no=1", "a")
        .await
        .expect_problem(400, "invalid_parameter");
    assert_eq!(lines("a,b\n"), [["a", "b"]]);
}
