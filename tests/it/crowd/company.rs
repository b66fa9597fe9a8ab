//! The company that the crowd runs, and what the clients know of it together.

use super::ledger::Notes;
use serde_json::{Value, json};
use service_kit::testing::Client as Http;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize};
use std::time::{Duration, Instant};
use tests::{eventually, id};
use uuid::Uuid;

use chrono::{Datelike, Days, NaiveDate, Utc};

/// Days that pass in the company in a second: a month in three, so that there is always one to close.
const DAYS: u64 = 10;

pub struct Company {
    pub erp: Http,
    /// Approves what others counted.
    pub second: Http,
    pub warehouse: Uuid,
    pub products: Vec<Uuid>,
    /// With the currency that they buy in.
    pub customers: Vec<(Uuid, &'static str)>,
    pub suppliers: Vec<(Uuid, &'static str)>,
    pub over: AtomicBool,
    pub answered: AtomicUsize,
    /// The last day that is known to be closed, as a day of the common era.
    pub closed: AtomicI32,
    pub known: Mutex<Known>,
    pub notes: Mutex<Notes>,
    /// When it began: the months before are not closed.
    pub first: NaiveDate,
    begun: Instant,
    length: Duration,
}

/// Documents that somebody made and anybody may go on with.
#[derive(Default)]
pub struct Known {
    pub orders: Vec<Uuid>,
    /// Delivery, order, line and quantity.
    pub delivered: Vec<(Uuid, Uuid, Uuid, String)>,
    /// Answers of posted invoices and bills.
    pub invoices: Vec<Value>,
    pub purchases: Vec<Value>,
    pub bills: Vec<Value>,
    pub payments: Vec<Uuid>,
}

/// The first day of a month, so long ago that nothing happens in the future.
fn first_day(length: Duration) -> NaiveDate {
    let now = Utc::now().date_naive();
    let day = now - Days::new(length.as_secs() * DAYS + 60);
    day.with_day(1).expect("a day")
}

impl Company {
    pub async fn found(erp: &Http, crm: &Http, length: Duration) -> Company {
        let first = first_day(length);
        let main = json!({"code": "MAIN", "name": "Main"});
        let warehouse = id(&erp.post("/v1/warehouses", main).await.expect(201));
        let account = json!({"code": "1021", "name": "Euro", "kind": "asset", "liquid": true, "currency": "EUR"});
        let account = id(&erp.post("/v1/accounts", account).await.expect(201));
        let bank = json!({"name": "Euro", "currency": "EUR", "account_id": account});
        erp.post("/v1/bank-accounts", bank).await.expect(201);
        let free = json!({"approval_free_up_to": "100000000"});
        erp.patch("/v1/company/purchasing", free).await.expect(200);
        let mut file = "Date,USD,\n".to_owned();
        for days in (0..length.as_secs() * DAYS + 60).step_by(5) {
            writeln!(file, "{},1.{:02},", first + Days::new(days), 5 + days % 11).expect("text");
        }
        let request = erp.request(reqwest::Method::POST, "/v1/exchange-rate-imports");
        let request = request.header("Content-Type", "text/csv; charset=utf-8").body(file);
        erp.send(request).await.expect(200);

        let (mut products, mut stock) = (Vec::new(), Vec::new());
        for sku in ["A", "B", "C", "D", "E"] {
            let body = json!({"sku": sku, "name": sku, "kind": "goods", "unit": "pcs"});
            let product = id(&erp.post("/v1/products", body).await.expect(201));
            products.push(product);
            stock.push(json!({"product_id": product, "quantity": "1000", "unit_cost": "7.13"}));
        }
        let opening = json!({"warehouse_id": warehouse, "reason": "opening stock", "date": first, "lines": stock});
        erp.post("/v1/stock-adjustments", opening).await.expect(201);
        let (mut customers, mut suppliers) = (Vec::new(), Vec::new());
        for (name, currency) in [("One", "USD"), ("Two", "USD"), ("Three", "EUR")] {
            let body = json!({"name": name, "kind": "company"});
            let customer = id(&crm.post("/v1/customers", body).await.expect(201));
            eventually("the ERP to know the customer", async || {
                let reply = erp.get(&format!("/v1/customers/{customer}")).await;
                (reply.status == 200).then_some(())
            })
            .await;
            customers.push((customer, currency));
            let body = json!({"name": name, "currency": currency});
            suppliers.push((id(&erp.post("/v1/suppliers", body).await.expect(201)), currency));
        }
        Company {
            second: erp.new_key("admin", &[]).await,
            erp: erp.clone(),
            warehouse,
            products,
            customers,
            suppliers,
            over: AtomicBool::new(false),
            answered: AtomicUsize::new(0),
            closed: AtomicI32::new((first - Days::new(1)).num_days_from_ce()),
            known: Mutex::default(),
            notes: Mutex::default(),
            begun: Instant::now(),
            first,
            length,
        }
    }

    /// The day that it is in the company.
    pub fn today(&self) -> NaiveDate {
        let passed = self.begun.elapsed().min(self.length).as_millis() * u128::from(DAYS) / 1_000;
        self.first + Days::new(u64::try_from(passed).unwrap_or_default())
    }
}
