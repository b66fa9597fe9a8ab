//! pain.001.001.09, read back element by element.

use super::paying::{EXOTIC, Paying, TOKYO};
use crate::shop::id;
use quick_xml::Reader;
use quick_xml::events::Event;
use reqwest::Method;
use serde_json::{Value, json};

/// Every text with the path of its element below the document; attributes follow as `path@name`.
fn flat(xml: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(xml);
    let (mut path, mut found): (Vec<String>, Vec<(String, String)>) = (Vec::new(), Vec::new());
    let mut text = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                path.push(start.name().as_ref().to_owned());
                text.clear();
                for attribute in start.attributes() {
                    let attribute = attribute.unwrap();
                    let name = attribute.key.as_ref();
                    let value = attribute.value.to_string();
                    found.push((format!("{}@{name}", path.join("/")), value));
                }
            }
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::GeneralRef(part) => {
                text.push_str(quick_xml::escape::resolve_predefined_entity(&part.xml10_content()).unwrap());
            }
            Event::End(_) => {
                if !text.trim().is_empty() {
                    found.push((path.join("/"), text.trim().to_owned()));
                }
                text.clear();
                path.pop();
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

async fn file(paying: &Paying, proposal: &Value) -> Vec<(String, String)> {
    let path = format!("/v1/payment-proposals/{}/pain.001", id(proposal));
    let reply = paying.erp.send(paying.erp.request(Method::GET, &path)).await;
    assert_eq!(reply.status, 200, "{:#}", reply.body);
    assert_eq!(reply.headers["content-type"], "application/xml");
    flat(reply.body.as_str().unwrap())
}

/// Below one of the blocks: (element, text).
fn below(found: &[(String, String)], place: &str) -> Vec<(String, String)> {
    found
        .iter()
        .filter_map(|(path, text)| Some((path.strip_prefix(place)?.to_owned(), text.clone())))
        .collect()
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[tokio::test]
async fn the_file_has_every_figure_of_the_proposal() {
    let paying = Paying::open().await;
    paying
        .erp
        .patch("/v1/company", json!({ "name": "Northwind & Söhne" }))
        .await
        .expect(200);
    let body = json!({ "date": "2026-03-09", "reference": "EUR", "currency": "USD", "rate": "1.12" });
    paying.erp.post("/v1/exchange-rates", body).await.expect(201);
    let body = json!({ "date": "2026-03-01", "reference": "EUR", "currency": "USD", "rate": "1.10" });
    paying.erp.post("/v1/exchange-rates", body).await.expect(201);
    let exotic = paying
        .supplier("Exotic Liquids", Some(EXOTIC), json!({ "bic": "NWBKGB2L" }))
        .await;
    paying
        .owed(
            exotic,
            "B-1",
            "1190.00",
            "2026-03-30",
            json!({ "discount": "0.02", "discount_until": "2026-03-15" }),
        )
        .await;
    paying.owed(exotic, "B_2/ä", "10.00", "2026-03-31", json!({})).await;
    let tokyo = paying
        .supplier(
            "Tokyo",
            Some(TOKYO),
            json!({ "legal_name": "Tokyo Träders & Söhne <KG>" }),
        )
        .await;
    paying.owed(tokyo, "T-1", "300.00", "2026-03-31", json!({})).await;
    paying
        .owed(tokyo, "T-2", "70.05", "2026-03-31", json!({ "currency": "EUR" }))
        .await;
    let proposal = paying.propose(json!({ "currencies": ["EUR", "USD"] })).await;
    let path = format!("/v1/payment-proposals/{}/pain.001", id(&proposal));
    paying.erp.get(&path).await.expect_problem(409, "not_approved");
    paying.approved(&proposal).await;

    let found = file(&paying, &proposal).await;
    assert_eq!(
        found[0],
        (
            "Document@xmlns".to_owned(),
            "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09".to_owned()
        )
    );
    let root = "Document/CstmrCdtTrfInitn/";
    let mut header = below(&found, &format!("{root}GrpHdr/"));
    header.retain(|(name, _)| name != "CreDtTm");
    // 1,166.20 + 10.00 + 300.00 + 70.05, whatever the currency.
    assert_eq!(
        header,
        pairs(&[
            ("MsgId", "PP-2026-000001"),
            ("NbOfTxs", "3"),
            ("CtrlSum", "1546.25"),
            ("InitgPty/Nm", "Northwind + Soehne")
        ])
    );
    let debtor = [
        ("ReqdExctnDt/Dt", "2026-03-10"),
        ("Dbtr/Nm", "Northwind + Soehne"),
        ("DbtrAcct/Id/IBAN", "NL91ABNA0417164300"),
        ("DbtrAcct/Ccy", "USD"),
        ("DbtrAgt/FinInstnId/BICFI", "ABNANL2A"),
    ];
    let usd = [
        ("PmtInfId", "PP-2026-000001-USD"),
        ("PmtMtd", "TRF"),
        ("BtchBookg", "false"),
        ("NbOfTxs", "2"),
        ("CtrlSum", "1476.20"),
    ];
    let transfers = [
        ("ChrgBr", "SHAR"),
        ("CdtTrfTxInf/PmtId/EndToEndId", "PP-2026-000001-1"),
        ("CdtTrfTxInf/Amt/InstdAmt@Ccy", "USD"),
        ("CdtTrfTxInf/Amt/InstdAmt", "1176.20"),
        ("CdtTrfTxInf/CdtrAgt/FinInstnId/BICFI", "NWBKGB2L"),
        ("CdtTrfTxInf/Cdtr/Nm", "Exotic Liquids"),
        ("CdtTrfTxInf/CdtrAcct/Id/IBAN", EXOTIC),
        ("CdtTrfTxInf/RmtInf/Ustrd", "B-1, B-2/ae"),
        ("CdtTrfTxInf/PmtId/EndToEndId", "PP-2026-000001-3"),
        ("CdtTrfTxInf/Amt/InstdAmt@Ccy", "USD"),
        ("CdtTrfTxInf/Amt/InstdAmt", "300.00"),
        ("CdtTrfTxInf/Cdtr/Nm", "Tokyo Traeders + Soehne (KG)"),
        ("CdtTrfTxInf/CdtrAcct/Id/IBAN", TOKYO),
        ("CdtTrfTxInf/RmtInf/Ustrd", "T-1"),
    ];
    let eur = [
        ("PmtInfId", "PP-2026-000001-EUR"),
        ("PmtMtd", "TRF"),
        ("BtchBookg", "false"),
        ("NbOfTxs", "1"),
        ("CtrlSum", "70.05"),
        ("PmtTpInf/SvcLvl/Cd", "SEPA"),
    ];
    let euros = [
        ("ChrgBr", "SLEV"),
        ("CdtTrfTxInf/PmtId/EndToEndId", "PP-2026-000001-2"),
        ("CdtTrfTxInf/Amt/InstdAmt@Ccy", "EUR"),
        ("CdtTrfTxInf/Amt/InstdAmt", "70.05"),
        ("CdtTrfTxInf/Cdtr/Nm", "Tokyo Traeders + Soehne (KG)"),
        ("CdtTrfTxInf/CdtrAcct/Id/IBAN", TOKYO),
        ("CdtTrfTxInf/RmtInf/Ustrd", "T-2"),
    ];
    let expected = [&usd[..], &debtor, &transfers, &eur, &debtor, &euros].concat();
    assert_eq!(below(&found, &format!("{root}PmtInf/")), pairs(&expected));

    // Executed, its payments name themselves.
    let executed = paying.executed(&proposal).await;
    let after = file(&paying, &proposal).await;
    let of = |found: &[(String, String)], name: &str| -> Vec<String> {
        found
            .iter()
            .filter(|(path, _)| path.ends_with(name))
            .map(|(_, text)| text.clone())
            .collect()
    };
    assert_eq!(
        of(&after, "EndToEndId"),
        ["PAY-2026-000001", "PAY-2026-000003", "PAY-2026-000002"]
    );
    assert_eq!(of(&after, "InstdAmt"), of(&found, "InstdAmt"));
    assert_eq!(of(&after, "Ustrd"), of(&found, "Ustrd"));
    assert_eq!(after.iter().filter(|(path, _)| path.ends_with("CtrlSum")).count(), 3);

    // What bounced is not sent again.
    let bounced = executed["payments"][1]["payment_id"].as_str().unwrap();
    let path = format!("/v1/payments/{bounced}/reverse");
    paying.erp.post(&path, json!({ "reason": "bounced" })).await.expect(200);
    let left = file(&paying, &proposal).await;
    assert_eq!(of(&left, "GrpHdr/NbOfTxs"), ["2"]);
    assert_eq!(of(&left, "GrpHdr/CtrlSum"), ["1476.20"]);
}
