//! What the tests of quotes share.

use crate::sales::{merge, new_id, product, tell_price};
use crate::support::{customer, id};
use chrono::{Days, NaiveDate, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply, TestService};

pub fn today() -> NaiveDate {
    Utc::now().date_naive()
}

pub fn in_days(days: i64) -> NaiveDate {
    match u64::try_from(days) {
        Ok(days) => today() + Days::new(days),
        Err(_) => today() - Days::new(days.unsigned_abs()),
    }
}

/// A product of the catalogue with a base price in USD.
pub async fn sold(crm: &TestService, sku: &str, price: &str) -> String {
    let sync = crm.integration();
    let id = new_id();
    sync.put(&format!("/v1/products/{id}"), product(1, sku, sku))
        .await
        .expect(201);
    if !price.is_empty() {
        tell_price(&sync, &id, price, json!({})).await;
    }
    id
}

/// Tells the CRM that a product is no longer sold.
pub async fn retire(crm: &TestService, product_id: &str, sku: &str) {
    let mut retired = product(2, sku, sku);
    retired["status"] = json!("retired");
    crm.integration()
        .put(&format!("/v1/products/{product_id}"), retired)
        .await
        .expect(200);
}

pub fn line(product: &str, quantity: &str) -> Value {
    json!({ "product_id": product, "quantity": quantity })
}

/// A draft for a customer, with what `more` says of it.
pub async fn quote(client: &Client, customer: &Value, more: Value) -> Value {
    let mut body = json!({ "title": "Tea", "customer_id": id(customer) });
    merge(&mut body, &more);
    client.post("/v1/quotes", body).await.expect(201)
}

/// A customer, tea at 9.50, and a draft of 10 of it.
pub async fn begun(crm: &TestService) -> (Value, String, Value) {
    let of = customer(&crm.client, "Rancho grande").await;
    let tea = sold(crm, "TEA", "9.50").await;
    let draft = quote(&crm.client, &of, json!({ "lines": [line(&tea, "10")] })).await;
    (of, tea, draft)
}

/// The same, sent.
pub async fn sent(crm: &TestService) -> (Value, String, Value) {
    let (of, tea, draft) = begun(crm).await;
    let sent = act(&crm.client, &draft, "send", json!({})).await.expect(200);
    (of, tea, sent)
}

pub async fn act(client: &Client, quote: &Value, verb: &str, body: Value) -> Reply {
    client.post(&format!("/v1/quotes/{}/{verb}", id(quote)), body).await
}

pub async fn now(client: &Client, quote: &Value) -> Value {
    client.get(&format!("/v1/quotes/{}", id(quote))).await.expect(200)
}

pub async fn change(client: &Client, quote: &Value, changes: Value) -> Reply {
    let path = format!("/v1/quotes/{}", id(quote));
    let etag = client.get(&path).await.etag();
    client.patch_matching(&path, &etag, changes).await
}

pub async fn document(client: &Client, quote: &Value) -> String {
    let path = format!("/v1/quotes/{}/document", id(quote));
    let page = client.get(&path).await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    page.expect(200).as_str().expect("a page").to_owned()
}

pub async fn order_of(client: &Client, quote: &Value) -> Value {
    let order = quote["order_id"].as_str().expect("an order");
    client.get(&format!("/v1/orders/{order}")).await.expect(200)
}

pub async fn orders(client: &Client) -> Vec<Value> {
    let page = client.get("/v1/orders").await.expect(200);
    page["items"].as_array().expect("a page").clone()
}

pub fn sql(crm: &TestService, statement: &str) {
    try_sql(crm, statement).unwrap();
}

pub fn try_sql(crm: &TestService, statement: &str) -> Result<(), String> {
    let mut conn = PgConnection::establish(&crm.database.url).unwrap();
    conn.batch_execute(statement).map_err(|error| error.to_string())
}

/// Lets the last day of a sent quote have been yesterday, as if time had passed.
pub fn let_it_pass(crm: &TestService, quote: &Value) {
    sql(
        crm,
        &format!(
            "ALTER TABLE quotes DISABLE TRIGGER quotes_sent_stay;
             UPDATE quotes SET valid_until = '{}' WHERE id = '{}';
             ALTER TABLE quotes ENABLE TRIGGER quotes_sent_stay",
            in_days(-1),
            id(quote)
        ),
    );
}

/// A sales representative and their manager, who sees everything.
pub async fn people(crm: &TestService) -> (Client, Client) {
    let rep = crm.user("Nancy", "sales", "own", None).await;
    let manager = crm.user("Steven", "sales_manager", "all", None).await;
    (rep.client, manager.client)
}

pub fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("a page");
    items.iter().map(id).collect()
}

/// Of all at once one wins; each of the others is told what the quote is now.
pub fn one_winner(replies: &[Reply], codes: &[&str]) {
    let won = replies.iter().filter(|reply| reply.status.is_success()).count();
    for reply in replies.iter().filter(|reply| !reply.status.is_success()) {
        assert_eq!(reply.status, 409, "{}", reply.body);
        let code = reply.body["code"].as_str().unwrap_or_default();
        assert!(codes.contains(&code), "{}", reply.body);
    }
    assert_eq!((won, replies.len()), (1, 32));
}
