//! What the tests of deals share.

use crate::sales::{merge, new_id, product, tell_price};
use crate::support::{customer, id};
use chrono::{Days, NaiveDate, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};

/// The pipeline that is there from the beginning.
pub const SALES: &str = "00000000-0000-7000-8000-000000000200";

pub fn today() -> NaiveDate {
    Utc::now().date_naive()
}

pub fn in_days(days: i64) -> NaiveDate {
    match u64::try_from(days) {
        Ok(days) => today() + Days::new(days),
        Err(_) => today() - Days::new(days.unsigned_abs()),
    }
}

pub fn stage(key: &str, probability: &str, next: &[&str]) -> Value {
    json!({ "key": key, "name": key.to_uppercase(), "probability": probability, "next_stages": next })
}

/// A published pipeline: `a` (30 %) ⇄ `b` (50 %) → `c` (80 %), without steps.
pub async fn pipeline(client: &Client, name: &str) -> Value {
    let stages = [
        stage("a", "0.3", &["b"]),
        stage("b", "0.5", &["a", "c"]),
        stage("c", "0.8", &[]),
    ];
    let body = json!({ "name": name, "publish": true, "stages": stages });
    client.post("/v1/pipelines", body).await.expect(201)
}

/// A deal of the customer in the pipeline, with what `more` says of it.
pub async fn deal(client: &Client, customer: &Value, pipeline: &Value, more: Value) -> Value {
    let mut body = json!({ "name": "Tea", "customer_id": id(customer), "pipeline_id": id(pipeline) });
    merge(&mut body, &more);
    client.post("/v1/deals", body).await.expect(201)
}

/// A customer, a pipeline without steps, and a deal there.
pub async fn begun(crm: &TestService, more: Value) -> (Value, Value, Value) {
    let of = customer(&crm.client, "Rancho grande").await;
    let pipeline = pipeline(&crm.client, "Plain").await;
    let deal = deal(&crm.client, &of, &pipeline, more).await;
    (of, pipeline, deal)
}

pub async fn act(client: &Client, deal: &Value, verb: &str, body: Value) -> service_kit::testing::Reply {
    client.post(&format!("/v1/deals/{}/{verb}", id(deal)), body).await
}

pub async fn now(client: &Client, deal: &Value) -> Value {
    client.get(&format!("/v1/deals/{}", id(deal))).await.expect(200)
}

/// A product of the catalogue with a list price in USD.
pub async fn sold(crm: &TestService, sku: &str, price: &str) -> String {
    let sync = crm.integration();
    let id = new_id();
    sync.put(&format!("/v1/products/{id}"), product(1, sku, sku))
        .await
        .expect(201);
    tell_price(&sync, &id, price, json!({})).await;
    id
}

/// What 1 EUR is worth in USD on a day.
pub async fn euro(crm: &TestService, rate: &str, day: NaiveDate) -> Value {
    let body = json!({
        "source_version": 1, "as_of": crate::sales::AS_OF, "date": day, "reference": "EUR", "currency": "USD", "rate": rate,
    });
    let path = format!("/v1/exchange-rates/{}", new_id());
    crm.integration().put(&path, body).await.expect(201)
}

pub fn sql(crm: &TestService, statement: &str) {
    let mut conn = PgConnection::establish(&crm.database.url).unwrap();
    conn.batch_execute(statement).unwrap();
}

pub async fn team(crm: &TestService, name: &str) -> String {
    crm.team(name, None).await
}

/// A sales representative who is signed in, and the id.
pub async fn user(crm: &TestService, name: &str, sees: &str, team: Option<&str>) -> (Client, String) {
    let user = crm.user(name, "sales", sees, team).await;
    (user.client, user.id)
}

pub fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("a page");
    items.iter().map(id).collect()
}

pub async fn list(client: &Client, path: &str) -> Vec<Value> {
    let page = client.get(path).await.expect(200);
    page["items"].as_array().expect("a page").clone()
}
