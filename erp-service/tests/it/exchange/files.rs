//! What files may look like, and what is wrong with others.

use super::{bad, counts, good, import, rows, send, shown};
use crate::given;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn what_spreadsheets_write_is_read() {
    let service = given::erp().await;
    let erp = &service.client;
    for (number, file) in [
        "\u{feff}sku;name;kind;unit;description\r\nS;\"Käse, \"\"alt\"\"\";goods;kg;\"one\r\ntwo\"\r\n",
        "SKU\tName\tKind\tUnit\tdescription\rS\tKäse, \"alt\"\tgoods\tkg\t\"one\r\ntwo\"\r",
        " sku , name ,kind,unit,description\n\n\nS,\"Käse, \"\"alt\"\"\",GOODS, kg ,\"one\r\ntwo\"\n,,,,\n,,,,",
    ]
    .into_iter()
    .enumerate()
    {
        let made = import(erp, "products", file).await;
        let expected = if number == 0 { (1, 0, 0, 0) } else { (0, 0, 1, 0) };
        let answers = shown(&rows(erp, &made).await);
        assert_eq!(counts(&made), expected, "{file:?}: {answers:?}");
    }
    let product = erp.get("/v1/products?sku=S").await.expect(200)["items"][0].clone();
    assert_eq!(
        (&product["name"], &product["description"], &product["unit"]),
        (&json!("Käse, \"alt\""), &json!("one\r\ntwo"), &json!("kg"))
    );
}

#[tokio::test]
async fn a_header_is_refused_with_all_that_is_wrong_and_nothing_is_begun() {
    let service = given::erp().await;
    let erp = &service.client;
    let reply = send(erp, "kind=products", "name,colour,name,,price\nA,red,B,,1\n").await;
    let problem = reply.expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/colour", "unknown_column"),
            ("/name", "duplicate_column"),
            ("/", "unknown_column"),
            ("/price", "unknown_column"),
            ("/sku", "missing_column"),
        ]
    );
    for (file, code) in [
        (&b""[..], "empty_file"),
        (b"\xEF\xBB\xBF\r\n", "empty_file"),
        (b"sku,na\xEFme\nA,A\n", "wrong_encoding"),
        (b"\xFF\xFEs\0k\0u\0", "wrong_encoding"),
        (b"sku,\"name\nA,A\n", "malformed_header"),
    ] {
        send(erp, "kind=products", file).await.expect_problem(422, code);
    }
    assert_eq!(erp.get("/v1/imports").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn what_is_no_csv_is_refused() {
    let service = given::erp().await;
    let erp = &service.client;
    let send = |name: &'static str, value: &'static str| {
        let request = erp.request(Method::POST, "/v1/imports?kind=products");
        let request = request.header("Content-Type", "text/csv");
        let request = if name == "Content-Type" {
            erp.request(Method::POST, "/v1/imports?kind=products")
                .header(name, value)
        } else {
            request.header(name, value)
        };
        erp.send(request.body("sku,name,kind,unit\n"))
    };
    for (name, value) in [
        ("Content-Type", "application/json"),
        ("Content-Type", "text/csv; charset=windows-1252"),
        ("Content-Encoding", "gzip"),
    ] {
        send(name, value).await.expect_problem(415, "unsupported_media_type");
    }
    send("Content-Type", "Text/CSV; header=present; charset=\"UTF-8\"")
        .await
        .expect(201);
}

#[tokio::test]
async fn each_row_is_told_everything_that_is_wrong_with_it() {
    let service = given::erp().await;
    let erp = &service.client;
    let long = "x".repeat(300_000);
    let mut file = b"sku,name,kind,unit,external_ref\n".to_vec();
    for row in [
        b"A,\xE9t\xE9,goods,pcs,".to_vec(),
        b"B,B\0,goods,pcs,".to_vec(),
        b"C,C,goods".to_vec(),
        b"D,D,goods,pcs,,".to_vec(),
        format!("{},{},goods,{},", "x".repeat(61), "n".repeat(201), "u".repeat(21)).into_bytes(),
        format!("F,{long},goods,pcs,").into_bytes(),
        b"G,   ,goods,pcs,".to_vec(),
        b"H,H,goods,pcs,7".to_vec(),
        b"I,I,goods,pcs,7".to_vec(),
        b"J,J,goods,pcs,".to_vec(),
        b"K,\"K,goods,pcs,\nL,L,goods,pcs,".to_vec(),
    ] {
        file.extend(row);
        file.push(b'\n');
    }
    let made = send(erp, "kind=products", file).await.expect(201);
    let rows = rows(erp, &made).await;
    assert_eq!(
        shown(&rows),
        [
            bad(&[("name", "wrong_encoding")]),
            bad(&[("name", "invalid_character")]),
            bad(&[("", "wrong_field_count")]),
            bad(&[("", "wrong_field_count")]),
            bad(&[("sku", "too_long"), ("name", "too_long"), ("unit", "too_long")]),
            bad(&[("", "record_too_long")]),
            bad(&[("name", "required")]),
            good("created"),
            bad(&[("external_ref", "duplicate")]),
            good("created"),
            bad(&[("", "unclosed_quote")]),
        ]
    );
    assert_eq!(rows[2]["problem"], "the row has 3 fields, the first line 5");
    assert_eq!(counts(&made), (2, 0, 0, 9));
}
