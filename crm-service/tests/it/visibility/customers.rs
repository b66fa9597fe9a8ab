use super::{company, to};
use crate::documents::{invoice, payment, told};
use crate::sales::{new_id, tell_price};
use crate::support::{customer, id, timeline_kinds};
use serde_json::{Value, json};
use service_kit::testing::User;

fn owned(record: &Value) -> (&Value, &Value) {
    (&record["owner_id"], &record["team_id"])
}

#[actix_web::test]
async fn a_customer_belongs_to_who_made_it_or_to_whom_the_input_says() {
    let company = company().await;
    let made = customer(&company.ana.client, "A").await;
    assert_eq!(owned(&made), (&json!(company.ana.id), &json!(company.north)));
    let by_key = customer(&company.crm.client, "B").await;
    assert_eq!(owned(&by_key), (&json!(null), &json!(null)));
    let body = json!({ "name": "C", "kind": "company", "owner_id": company.nils.id });
    let given = company.crm.client.post("/v1/customers", body).await.expect(201);
    assert_eq!(owned(&given), (&json!(company.nils.id), &json!(company.nordic)));
    let body = json!({ "name": "D", "kind": "company", "owner_id": company.nils.id, "team_id": company.south });
    let given = company.crm.client.post("/v1/customers", body).await.expect(201);
    assert_eq!(owned(&given), (&json!(company.nils.id), &json!(company.south)));
    let gone = company.crm.user("Gone", "sales", "own", None).await;
    let path = format!("/v1/users/{}/deactivate", gone.id);
    company.crm.client.post(&path, json!({})).await.expect(200);
    let body = json!({ "name": "E", "kind": "company", "owner_id": gone.id, "team_id": new_id() });
    let problem = company
        .crm
        .client
        .post("/v1/customers", body)
        .await
        .expect_problem(422, "invalid_input");
    let codes: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["unknown_user", "unknown_team"]);
}

#[actix_web::test]
async fn own_team_and_all_see_what_they_should() {
    let company = company().await;
    let mut paths = Vec::new();
    for user in [&company.ana, &company.nils, &company.sofia] {
        let made = customer(&user.client, &format!("Customer of {}", user.email)).await;
        paths.push(format!("/v1/customers/{}", id(&made)));
    }
    let nobodys = customer(&company.crm.client, "Customer of nobody").await;
    paths.push(format!("/v1/customers/{}", id(&nobodys)));
    // Ana, Nils and Sofia: their own; Lea: of North and Nordic; Otto: all.
    assert_eq!(company.who_gets(&paths[0]).await, [true, false, false, true, true]);
    assert_eq!(company.who_gets(&paths[1]).await, [false, true, false, true, true]);
    assert_eq!(company.who_gets(&paths[2]).await, [false, false, true, false, true]);
    assert_eq!(company.who_gets(&paths[3]).await, [false, false, false, false, true]);
    assert_eq!(company.how_many("/v1/customers").await, [1, 1, 1, 2, 4]);
    assert_eq!(company.how_many("/v1/customers?q=Customer of").await, [1, 1, 1, 2, 4]);
    let of_nils = format!("/v1/customers?owner_id={}", company.nils.id);
    assert_eq!(company.how_many(&of_nils).await, [0, 1, 0, 1, 1]);
    let of_south = format!("/v1/customers?team_id={}", company.south);
    assert_eq!(company.how_many(&of_south).await, [0, 0, 1, 0, 1]);
    for child in [
        "contacts",
        "addresses",
        "legal-entities",
        "timeline",
        "invoices",
        "payments",
    ] {
        let path = format!("{}/{child}", paths[1]);
        assert_eq!(
            company.who_gets(&path).await,
            [false, true, false, true, true],
            "{child}"
        );
    }
    // What belongs to everybody, and tells of everything, is not for those who see a part.
    for path in ["/v1/events", "/v1/audit-log", "/v1/api-keys"] {
        for user in [&company.ana, &company.lea] {
            let reply = user.client.get(path).await.expect_problem(403, "forbidden");
            if path != "/v1/api-keys" {
                assert_eq!(reply["required_sight"], "all", "{path}");
            }
        }
    }
    company.otto.client.get("/v1/events").await.expect(200);
    // The team moves: what it sees moves at once.
    let below_south = json!({ "parent_id": company.south });
    company
        .crm
        .client
        .patch(&format!("/v1/teams/{}", company.nordic), below_south)
        .await
        .expect(200);
    assert_eq!(company.who_gets(&paths[1]).await, [false, true, false, false, true]);
}

/// A command of each kind on a customer and its parts.
async fn statuses(user: &User, of: &str, contact: &str) -> Vec<u16> {
    let client = &user.client;
    let mut statuses = Vec::new();
    let customer = format!("/v1/customers/{of}");
    for verb in ["archive", "restore"] {
        statuses.push(
            client
                .post(&format!("{customer}/{verb}"), json!({}))
                .await
                .status
                .as_u16(),
        );
    }
    statuses.push(
        client
            .patch_matching(&customer, "*", json!({ "name": "X" }))
            .await
            .status
            .as_u16(),
    );
    let whole = json!({ "name": "X", "kind": "company" });
    let put = client
        .request("PUT".parse().unwrap(), &customer)
        .header("If-Match", "*")
        .json(&whole);
    statuses.push(client.send(put).await.status.as_u16());
    statuses.push(
        client
            .post(&format!("{customer}/assign"), to(user))
            .await
            .status
            .as_u16(),
    );
    statuses.push(
        client
            .post(&format!("{customer}/contacts"), json!({ "name": "Y" }))
            .await
            .status
            .as_u16(),
    );
    let contact = format!("/v1/contacts/{contact}");
    statuses.push(client.get(&contact).await.status.as_u16());
    statuses.push(
        client
            .patch_matching(&contact, "*", json!({ "name": "Z" }))
            .await
            .status
            .as_u16(),
    );
    statuses.push(client.delete(&contact).await.status.as_u16());
    statuses
}

#[actix_web::test]
async fn a_foreign_customer_is_not_there_for_any_command() {
    let company = company().await;
    let body = json!({ "name": "A", "kind": "company", "contacts": [{ "name": "María" }] });
    let made = company.ana.client.post("/v1/customers", body).await.expect(201);
    let contact = id(&made["contacts"][0]);
    assert_eq!(statuses(&company.sofia, id(&made), contact).await, [404; 9]);
    assert_eq!(
        company
            .crm
            .client
            .get(&format!("/v1/customers/{}", id(&made)))
            .await
            .expect(200),
        made
    );
    assert_eq!(
        statuses(&company.ana, id(&made), contact).await,
        [200, 200, 200, 200, 200, 201, 404, 404, 404],
        "the whole that was put had no contact"
    );
}

#[actix_web::test]
async fn a_customer_is_given_to_somebody_else() {
    let company = company().await;
    let made = customer(&company.ana.client, "A").await;
    let path = format!("/v1/customers/{}", id(&made));
    let assign = format!("{path}/assign");
    company
        .ana
        .client
        .post(&assign, json!({ "owner_id": new_id() }))
        .await
        .expect_problem(422, "unknown_user");
    let given = company.ana.client.post(&assign, to(&company.sofia)).await.expect(200);
    assert_eq!(owned(&given), (&json!(company.sofia.id), &json!(company.south)));
    assert_eq!((&given["version"], &given["revision"]), (&json!(2), &json!(2)));
    assert_eq!(company.who_gets(&path).await, [false, false, true, false, true]);
    // Once more changes nothing; a whole that does not name the owner leaves it.
    let again = company.sofia.client.post(&assign, to(&company.sofia)).await.expect(200);
    assert_eq!(again["revision"], 2);
    let request = company
        .sofia
        .client
        .request("PUT".parse().unwrap(), &path)
        .header("If-Match", "*");
    let put = company
        .sofia
        .client
        .send(request.json(&json!({ "name": "B", "kind": "company" })))
        .await
        .expect(200);
    assert_eq!(owned(&put), owned(&given));
    assert_eq!(
        timeline_kinds(&company.sofia.client, id(&made)).await,
        ["customer_changed", "customer_assigned", "customer_created"]
    );
    let in_event = crate::support::events(&company.crm.client, "customer.changed", 3).await;
    assert_eq!(in_event[1]["data"]["owner_id"], json!(company.sofia.id));
}

#[actix_web::test]
async fn documents_and_prices_are_seen_with_their_customer() {
    let company = company().await;
    let sync = company.crm.integration();
    let product = new_id();
    for user in [&company.ana, &company.sofia] {
        let of = customer(&user.client, &user.email).await;
        let changes = json!({ "number": format!("INV-{}", user.email) });
        let (path, body) = told("invoice", &invoice(&of, &changes), 1);
        sync.put(&path, body).await.expect(201);
        let (paid, body) = told("payment", &payment(&of, &changes), 1);
        sync.put(&paid, body).await.expect(201);
        let price = tell_price(&sync, &product, "9.80", json!({ "customer_id": of["id"] })).await;
        let sees = [
            user.id == company.ana.id,
            false,
            user.id == company.sofia.id,
            user.id == company.ana.id,
            true,
        ];
        assert_eq!(company.who_gets(&path).await, sees);
        assert_eq!(company.who_gets(&paid).await, sees);
        assert_eq!(company.who_gets(&format!("/v1/prices/{price}")).await, sees);
    }
    let of_all = tell_price(&sync, &product, "9.80", json!({})).await;
    assert_eq!(company.who_gets(&format!("/v1/prices/{of_all}")).await, [true; 5]);
    assert_eq!(company.how_many("/v1/invoices").await, [1, 0, 1, 1, 2]);
    assert_eq!(company.how_many("/v1/payments").await, [1, 0, 1, 1, 2]);
    assert_eq!(
        company.how_many(&format!("/v1/prices?product_id={product}")).await,
        [2, 1, 2, 2, 3]
    );
}
