use crate::support::{crm, customer, id};
use crm_service::customers::timeline::{Entry, TimelineSource, add_all};
use diesel::{Connection, PgConnection};
use serde_json::json;
use service_kit::testing::TestService;
use uuid::Uuid;

/// Tells of an order what the ERP would: at a minute of an hour, under a version.
fn tell(crm: &TestService, customer: &str, order: Uuid, told: &[(&'static str, i64, u32)]) {
    let mut conn = PgConnection::establish(&crm.database.url).unwrap();
    let entries: Vec<Entry> = told
        .iter()
        .map(|(kind, version, minute)| {
            let at = format!("2031-01-01T10:{minute:02}:00Z").parse().unwrap();
            Entry {
                customer_id: customer.parse().unwrap(),
                occurred_at: at,
                source: TimelineSource::Erp,
                kind,
                subject_type: "order",
                subject: order,
                subject_version: *version,
                summary: format!("{kind} at {minute}"),
                data: json!({ "minute": minute }),
                as_of: at,
                owned: None,
            }
        })
        .collect();
    add_all(&mut conn, &entries).unwrap();
}

#[actix_web::test]
async fn the_newest_comes_first_and_versions_order_one_instant() {
    let crm = crm().await;
    let of = customer(&crm.client, "Told").await;
    let order = Uuid::now_v7();
    tell(
        &crm,
        id(&of),
        order,
        &[
            ("delivery", 3, 7),
            ("order_accepted", 2, 7),
            ("order_submitted", 1, 5),
            ("order_closed", 4, 9),
        ],
    );
    let path = format!("/v1/customers/{}/timeline", id(&of));
    let all = crm.client.get(&path).await.expect(200)["items"].clone();
    let kinds: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "order_closed",
            "delivery",
            "order_accepted",
            "order_submitted",
            "customer_created"
        ]
    );
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = crm.client.get(&format!("{path}?limit=2{cursor}")).await.expect(200);
        paged.extend(page["items"].as_array().unwrap().clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(json!(paged), all);
    let about = crm.client.get(&format!("{path}?subject={order}")).await.expect(200);
    assert_eq!(about["items"].as_array().unwrap().len(), 4);
    let from_erp = crm
        .client
        .get(&format!("{path}?source=erp&kind=delivery"))
        .await
        .expect(200);
    assert_eq!(from_erp["items"], json!([all[1]]));
}

#[actix_web::test]
async fn what_is_told_twice_stands_once() {
    let crm = crm().await;
    let of = customer(&crm.client, "Twice").await;
    let order = Uuid::now_v7();
    for _ in 0..2 {
        tell(
            &crm,
            id(&of),
            order,
            &[("order_accepted", 2, 7), ("order_accepted", 2, 8)],
        );
    }
    let path = format!("/v1/customers/{}/timeline", id(&of));
    let entries = crm.client.get(&path).await.expect(200)["items"].clone();
    assert_eq!(entries.as_array().unwrap().len(), 2, "{entries:#}");
    assert_eq!(entries[0]["data"], json!({ "minute": 7 }), "the first telling stays");
}

#[actix_web::test]
async fn a_timeline_is_that_of_a_customer() {
    let crm = crm().await;
    let of = customer(&crm.client, "Known").await;
    crm.client
        .get(&format!("/v1/customers/{}/timeline", Uuid::now_v7()))
        .await
        .expect_problem(404, "not_found");
    let path = format!("/v1/customers/{}/timeline", id(&of));
    for bad in ["source=web", "cursor=x", "limit=501", "sort=kind", "subject=1"] {
        let reply = crm.client.get(&format!("{path}?{bad}")).await;
        assert_eq!(reply.status, 400, "{bad}");
    }
    let nul = crm.client.get(&format!("{path}?kind=%00")).await;
    assert!(nul.status == 200 || nul.status == 400, "{}", nul.status);
}
