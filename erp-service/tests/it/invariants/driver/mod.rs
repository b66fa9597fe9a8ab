//! Does to the service what is done to the model, and looks at what came of it.

mod calls;
mod state;

pub use state::State;

use super::commands::{World, next_month, rates_of};
use super::model::Model;
use crate::given;
use crate::shop::id;
use chrono::{Datelike, NaiveDate};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Date, Uuid as SqlUuid};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use service_kit::testing::{Client, TestService};
use std::collections::HashMap;
use std::fmt::Write;
use uuid::Uuid;

pub struct Driver {
    service: TestService,
    erp: Client,
    /// Approves what the first one entered.
    second: Client,
    conn: PgConnection,
    warehouse: Uuid,
    terms: Uuid,
    /// Lines of purchase orders and of invoices.
    lines: HashMap<Uuid, Vec<Uuid>>,
    /// The last entry before the sequence.
    before: Uuid,
    pub sequences: usize,
    /// When its first sequence begins.
    first: NaiveDate,
}

impl Driver {
    pub async fn start() -> Driver {
        let service = given::erp().await;
        let erp = service.client.clone();
        let second = erp.new_key("admin", &[]).await;
        let warehouse = json!({"code": "MAIN", "name": "Main"});
        let warehouse = id(&erp.post("/v1/warehouses", warehouse).await.expect(201));
        let terms =
            json!({"code": "2IN10", "name": "2 % in 10 days", "net_days": 30, "discount": "0.02", "discount_days": 10});
        let terms = id(&erp.post("/v1/payment-terms", terms).await.expect(201));
        let rates = json!([{"rate": "0.2", "valid_from": "1980-01-01"}]);
        for (direction, kind, code) in [("sale", "output", "T20"), ("purchase", "input", "T20IN")] {
            let taxed = json!({"code": code, "name": "20 %", "kind": kind, "rates": rates});
            erp.post("/v1/tax-codes", taxed).await.expect(201);
            let rule = json!({"direction": direction, "codes": [code]});
            erp.post("/v1/tax-rules", rule).await.expect(201);
        }
        let free = json!({"approval_free_up_to": "100000000"});
        erp.patch("/v1/company/purchasing", free).await.expect(200);
        for (code, currency) in [("1021", "EUR"), ("1022", "GBP")] {
            let account =
                json!({"code": code, "name": currency, "kind": "asset", "liquid": true, "currency": currency});
            let account = id(&erp.post("/v1/accounts", account).await.expect(201));
            let bank = json!({"name": currency, "currency": currency, "account_id": account});
            erp.post("/v1/bank-accounts", bank).await.expect(201);
        }
        let mut conn = PgConnection::establish(&service.database.url).expect("the test database");
        conn.batch_execute("SET TIME ZONE 'UTC'; SET jit = off")
            .expect("a connection");
        Driver {
            conn,
            first: NaiveDate::from_ymd_opt(1999, 1, 1).expect("a day"),
            lines: HashMap::new(),
            before: Uuid::nil(),
            sequences: 0,
            service,
            erp,
            second,
            warehouse,
            terms,
        }
    }

    /// A world for the next sequence, with some stock, and the model of it.
    pub async fn world(&mut self) -> (World, Model) {
        let mut start = self.first;
        for _ in 0..self.sequences * 2 + 1 {
            start = next_month(start);
        }
        self.sequences += 1;
        self.set_rates(start).await;
        let mut model = Model::default();
        model.closed_to = Some(self.begin());
        let mut world = World {
            products: Vec::new(),
            customers: Vec::new(),
            suppliers: Vec::new(),
            start,
        };
        let mut lines: Vec<Value> = Vec::new();
        for number in 1..=4_i64 {
            let sku = format!("P-{}-{number}", self.sequences);
            let body = json!({"sku": sku, "name": sku, "kind": "goods", "unit": "pcs"});
            let product = id(&self.erp.post("/v1/products", body).await.expect(201));
            world.products.push(product);
            let (quantity, cost) = (Decimal::from(number * 7 + 3), Decimal::new(977 + number * 3_331, 3));
            lines.push(json!({"product_id": product, "quantity": quantity.to_string(), "unit_cost": cost.to_string()}));
            model.opening_stock(product, quantity, cost);
        }
        let body = json!({"warehouse_id": self.warehouse, "reason": "opening stock", "date": start, "lines": lines});
        self.erp.post("/v1/stock-adjustments", body).await.expect(201);
        for (name, currency) in [("Limited", "USD"), ("Free", "USD"), ("Euro", "EUR"), ("Pound", "GBP")] {
            let customer = id(&given::customer(&self.service, name).await);
            let mut terms = json!({"payment_terms_id": self.terms});
            if name == "Limited" {
                terms["credit_limit"] = json!("3000");
                model.limits.insert(customer, Decimal::from(3_000));
            }
            let path = format!("/v1/customers/{customer}");
            self.erp.patch(&path, terms).await.expect(200);
            world.customers.push((customer, currency));
        }
        for currency in ["USD", "EUR", "GBP"] {
            let body = json!({"name": currency, "currency": currency, "payment_terms_id": self.terms});
            let supplier = id(&self.erp.post("/v1/suppliers", body).await.expect(201));
            world.suppliers.push((supplier, currency));
        }
        (world, model)
    }

    /// Rates of two months, as the ECB publishes them.
    async fn set_rates(&self, start: NaiveDate) {
        let mut file = "Date,USD,GBP,\n".to_owned();
        for month in [start, next_month(start)] {
            for day in [1, 8, 15, 22, 29].into_iter().filter_map(|day| month.with_day(day)) {
                let (dollars, pounds) = rates_of(day);
                writeln!(file, "{day},{dollars},{pounds},").expect("text");
            }
        }
        let request = self.erp.request(Method::POST, "/v1/exchange-rate-imports");
        let request = request.header("Content-Type", "text/csv; charset=utf-8").body(file);
        self.erp.send(request).await.expect(200);
    }

    /// Notes where the sequence begins; answers up to which day the books are closed.
    fn begin(&mut self) -> NaiveDate {
        #[derive(QueryableByName)]
        struct Begin {
            #[diesel(sql_type = SqlUuid)]
            entry: Uuid,
            #[diesel(sql_type = Date)]
            closed: NaiveDate,
        }
        let begin: Begin = diesel::sql_query(
            "SELECT coalesce((SELECT id FROM journal_entries ORDER BY id DESC LIMIT 1), '00000000-0000-0000-0000-000000000000') AS entry,
                coalesce((SELECT max(ends_on) FROM periods WHERE status = 'closed'), '1998-12-31') AS closed",
        )
        .get_result(&mut self.conn)
        .expect("a beginning");
        self.before = begin.entry;
        begin.closed
    }
}
