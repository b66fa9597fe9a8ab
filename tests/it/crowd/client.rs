//! What one client does: it draws the next thing to do, and insists on an answer.

use super::company::Company;
use super::ledger::{Notes, Outcome};
use chrono::{Datelike, Days, Months, NaiveDate};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tests::id;
use uuid::Uuid;

/// How long a request is repeated.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Client {
    company: Arc<Company>,
    number: u64,
    dice: u64,
}

/// A request, with what is known when it is first sent.
struct Request {
    kind: &'static str,
    path: String,
    body: Value,
    /// By a second person.
    second: bool,
    /// Its posting date, if it must not go into a closed month.
    posts_on: Option<NaiveDate>,
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

impl Request {
    fn new(kind: &'static str, path: impl Into<String>, body: Value) -> Self {
        Request {
            kind,
            path: path.into(),
            body,
            second: false,
            posts_on: None,
        }
    }

    fn posting(mut self, date: NaiveDate) -> Self {
        self.posts_on = Some(date);
        self
    }
}

impl Client {
    pub fn new(company: Arc<Company>, number: u64) -> Self {
        Client {
            company,
            number,
            dice: number + 1,
        }
    }

    pub async fn work(mut self) {
        while !self.company.over.load(Ordering::Relaxed) {
            // One client closes, so that everybody knows what is closed.
            if let Some(until) = self.month_over().filter(|_| self.number == 0) {
                self.close(until).await;
            }
            match self.below(100) {
                0..=21 => self.order().await,
                22..=40 => self.deliver().await,
                41..=55 => self.invoice().await,
                56..=67 => self.pay("invoices").await,
                68..=71 => self.take_back().await,
                72..=74 => self.credit().await,
                75..=79 => self.purchase().await,
                80..=86 => self.receive().await,
                87..=90 => self.bill().await,
                91..=93 => self.pay("bills").await,
                94..=95 => self.reverse_payment().await,
                _ => self.count().await,
            }
        }
    }

    fn below(&mut self, most: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % most
    }

    fn one_of<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let most = u64::try_from(from.len()).ok().filter(|most| *most > 0)?;
        from.get(usize::try_from(self.below(most)).ok()?).cloned()
    }

    /// One of the newest: those are what others work on as well.
    fn recent<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let newest = from.len().saturating_sub(60);
        self.one_of(&from[newest..])
    }

    /// Mostly today; now and then a day of the last weeks, which may be closed.
    fn day(&mut self) -> NaiveDate {
        let today = self.company.today();
        match self.below(8) {
            0 => (today - Days::new(self.below(40))).max(self.company.first),
            _ => today,
        }
    }

    fn note(&self, note: impl FnOnce(&mut Notes)) {
        note(&mut self.company.notes.lock().expect("the notes"));
    }

    /// Sends it until it is answered, under one Idempotency-Key; `None` when it is refused.
    async fn insist(&self, request: Request) -> Option<Value> {
        let company = &self.company;
        let http = if request.second { &company.second } else { &company.erp };
        let closed = NaiveDate::from_num_days_from_ce_opt(company.closed.load(Ordering::SeqCst));
        let key = Uuid::now_v7().to_string();
        let begun = Instant::now();
        let mut sent = 0;
        loop {
            assert!(begun.elapsed() < PATIENCE, "no answer to {}", request.path);
            sent += 1;
            let reply = http
                .request(reqwest::Method::POST, &request.path)
                .header("Idempotency-Key", &key)
                .json(&request.body)
                .timeout(Duration::from_secs(10));
            let answer = match reply.send().await {
                Ok(reply) => Some((reply.status().as_u16(), reply.json::<Value>().await.ok())),
                Err(_) => None,
            };
            let (outcome, answer) = match answer {
                Some((200 | 201, Some(answer))) => (Outcome::Accepted, answer),
                Some((400..=428 | 430..=499, Some(answer))) => (Outcome::Refused, answer),
                None | Some((429 | 503, _) | (_, None)) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
                Some((status, answer)) => panic!("{} {}: {status} {answer:#?}", request.path, request.body),
            };
            company.answered.fetch_add(1, Ordering::Relaxed);
            self.note(|notes| {
                let refused = answer["code"].as_str().filter(|_| outcome == Outcome::Refused);
                notes.count(request.kind, refused.map(str::to_owned));
                notes.repeated += usize::from(sent > 1);
                let late = request.posts_on.zip(closed).filter(|(on, closed)| on <= closed);
                if let (Outcome::Accepted, Some((on, closed))) = (outcome, late) {
                    notes
                        .wrong
                        .push(format!("{} went to {on}, closed to {closed}", request.path));
                }
            });
            return (outcome == Outcome::Accepted).then_some(answer);
        }
    }

    /// Makes a document with an id of ours.
    async fn make(&self, table: &'static str, id: Uuid, request: Request) -> Option<Value> {
        let answer = self.insist(request).await;
        let outcome = if answer.is_some() {
            Outcome::Accepted
        } else {
            Outcome::Refused
        };
        self.note(|notes| notes.made(table, id, outcome));
        answer
    }

    /// Takes a document to another status.
    async fn take(&self, table: &'static str, status: &'static str, id: Uuid, request: Request) -> Option<Value> {
        let answer = self.insist(request).await;
        let outcome = if answer.is_some() {
            Outcome::Accepted
        } else {
            Outcome::Refused
        };
        self.note(|notes| notes.moved(table, status, id, outcome));
        answer
    }

    fn stock(&self, lines: &Value, field: &str, sign: Decimal) {
        self.note(|notes| {
            for line in lines.as_array().into_iter().flatten() {
                if let Some(product) = line["product_id"].as_str().and_then(|id| id.parse().ok()) {
                    *notes.stock.entry(product).or_insert(Decimal::from(1_000)) += decimal(&line[field]) * sign;
                }
            }
        });
    }

    async fn order(&mut self) {
        let company = Arc::clone(&self.company);
        let order = Uuid::now_v7();
        let Some((customer, currency)) = self.one_of(&company.customers) else {
            return;
        };
        let mut lines = Vec::new();
        for product in &company.products {
            if self.below(3) == 0 {
                let (quantity, cents) = (self.below(5) + 1, self.below(3_000) + 500);
                let price = Decimal::new(i64::try_from(cents).expect("a price"), 2).to_string();
                lines.push(json!({"product_id": product, "quantity": quantity.to_string(), "unit_price": price}));
            }
        }
        if lines.is_empty() {
            return;
        }
        let body = json!({"id": order, "customer_id": customer, "currency": currency, "order_date": company.today(),
            "confirm": true, "lines": lines});
        let request = Request::new("order", "/v1/sales-orders", body);
        if self.make("sales_orders", order, request).await.is_some() {
            company.known.lock().expect("the documents").orders.push(order);
        }
    }

    fn some_order(&mut self) -> Option<Uuid> {
        let orders = self.company.known.lock().expect("the documents").orders.clone();
        self.recent(&orders)
    }

    async fn deliver(&mut self) {
        let Some(order) = self.some_order() else { return };
        let (delivery, date) = (Uuid::now_v7(), self.day());
        let path = format!("/v1/sales-orders/{order}/deliveries");
        let request = Request::new("delivery", path, json!({"id": delivery, "date": date})).posting(date);
        let Some(made) = self.make("deliveries", delivery, request).await else {
            return;
        };
        self.stock(&made["lines"], "quantity", Decimal::NEGATIVE_ONE);
        let mut known = self.company.known.lock().expect("the documents");
        for line in made["lines"].as_array().into_iter().flatten() {
            let of = line["line_id"].as_str().and_then(|id| id.parse().ok()).expect("a line");
            let quantity = line["quantity"].as_str().unwrap_or_default().to_owned();
            known.delivered.push((delivery, order, of, quantity));
        }
    }

    async fn take_back(&mut self) {
        let delivered = self.company.known.lock().expect("the documents").delivered.clone();
        let Some((delivery, order, line, quantity)) = self.recent(&delivered) else {
            return;
        };
        let (back, date) = (Uuid::now_v7(), self.day());
        let lines = json!([{"line_id": line, "delivery_id": delivery, "quantity": quantity}]);
        let body = json!({"id": back, "order_id": order, "reason": "not wanted", "lines": lines});
        let request = Request::new("return", "/v1/sales-returns", body);
        if self.make("sales_returns", back, request).await.is_none() {
            return;
        }
        let path = format!("/v1/sales-returns/{back}/receive");
        let request = Request::new("return received", path, json!({"date": date})).posting(date);
        let Some(received) = self.insist(request).await else {
            return;
        };
        self.stock(&received["lines"], "received_quantity", Decimal::ONE);
        let verdict = json!([{"id": received["lines"][0]["id"], "restock": quantity}]);
        let path = format!("/v1/sales-returns/{back}/inspect");
        let body = json!({"lines": verdict});
        self.insist(Request::new("return inspected", path, body)).await;
    }

    async fn invoice(&mut self) {
        let Some(order) = self.some_order() else { return };
        let (invoice, date) = (Uuid::now_v7(), self.company.today());
        let path = format!("/v1/sales-orders/{order}/invoices");
        let body = json!({"id": invoice, "date": date, "post": true});
        let request = Request::new("invoice", path, body).posting(date);
        if let Some(made) = self.make("invoices", invoice, request).await {
            self.note(|notes| notes.sold += decimal(&made["base_gross"]));
            self.company.known.lock().expect("the documents").invoices.push(made);
        }
    }

    async fn credit(&mut self) {
        let invoices = self.company.known.lock().expect("the documents").invoices.clone();
        let Some(invoice) = self.recent(&invoices) else { return };
        let (credit, date) = (Uuid::now_v7(), self.company.today());
        let lines = json!([{"line_id": invoice["lines"][0]["id"], "quantity": "1"}]);
        let path = format!("/v1/invoices/{}/credit-notes", id(&invoice));
        let body = json!({"id": credit, "date": date, "lines": lines});
        let request = Request::new("credit note", path, body).posting(date);
        if let Some(made) = self.make("invoices", credit, request).await {
            self.note(|notes| notes.sold -= decimal(&made["base_gross"]));
        }
    }

    /// Pays all of an invoice or a bill, or a part of it.
    async fn pay(&mut self, what: &str) {
        let (documents, direction, party_type, party) = {
            let known = self.company.known.lock().expect("the documents");
            match what {
                "bills" => (known.bills.clone(), "out", "supplier", "supplier_id"),
                _ => (known.invoices.clone(), "in", "customer", "customer_id"),
            }
        };
        let Some(document) = self.recent(&documents) else {
            return;
        };
        let (payment, date) = (Uuid::now_v7(), self.day());
        let mut amount = decimal(&document["total"]["gross"]);
        if self.below(3) == 0 {
            amount = (amount / Decimal::from(2)).round_dp(2);
        }
        let allocations = json!([{"document_id": document["id"], "amount": amount.to_string()}]);
        let body = json!({"id": payment, "direction": direction, "party_type": party_type, "party_id": document[party],
            "currency": document["currency"], "amount": amount.to_string(), "date": date, "allocations": allocations});
        let request = Request::new("payment", "/v1/payments", body).posting(date);
        if let Some(made) = self.make("payments", payment, request).await {
            let value = decimal(&made["base_amount"]);
            self.note(|notes| notes.banked += if direction == "in" { value } else { -value });
            self.company.known.lock().expect("the documents").payments.push(payment);
        }
    }

    async fn reverse_payment(&mut self) {
        let payments = self.company.known.lock().expect("the documents").payments.clone();
        let Some(payment) = self.recent(&payments) else { return };
        let path = format!("/v1/payments/{payment}/reverse");
        let body = json!({"reason": "bounced", "date": self.company.today()});
        let request = Request::new("reversal of a payment", path, body);
        if let Some(made) = self.take("payments", "reversed", payment, request).await {
            let value = decimal(&made["base_amount"]);
            self.note(|notes| notes.banked -= if made["direction"] == "in" { value } else { -value });
        }
    }

    async fn purchase(&mut self) {
        let company = Arc::clone(&self.company);
        let order = Uuid::now_v7();
        let Some((supplier, currency)) = self.one_of(&company.suppliers) else {
            return;
        };
        let Some(product) = self.one_of(&company.products) else {
            return;
        };
        let (quantity, price) = (self.below(60) + 20, self.below(900) + 100);
        let price = Decimal::new(i64::try_from(price).expect("a price"), 2).to_string();
        let lines = json!([{"product_id": product, "quantity": quantity.to_string(), "unit_price": price}]);
        let body = json!({"id": order, "supplier_id": supplier, "order_date": company.today(), "submit": true, "lines": lines});
        let request = Request::new("purchase order", "/v1/purchase-orders", body);
        if let Some(mut made) = self.make("purchase_orders", order, request).await {
            made["currency"] = json!(currency);
            company.known.lock().expect("the documents").purchases.push(made);
        }
    }

    fn some_purchase(&mut self) -> Option<Value> {
        let purchases = self.company.known.lock().expect("the documents").purchases.clone();
        self.recent(&purchases)
    }

    /// A fifth of what was ordered.
    async fn receive(&mut self) {
        let Some(purchase) = self.some_purchase() else { return };
        let (receipt, date) = (Uuid::now_v7(), self.day());
        let line = &purchase["lines"][0];
        let quantity = (decimal(&line["quantity"]) / Decimal::from(5)).round_dp(3).to_string();
        let body = json!({"id": receipt, "date": date, "lines": [{"line_id": line["id"], "quantity": quantity}]});
        let path = format!("/v1/purchase-orders/{}/receipts", id(&purchase));
        let request = Request::new("receipt", path, body).posting(date);
        if let Some(made) = self.make("receipts", receipt, request).await {
            self.stock(&made["lines"], "quantity", Decimal::ONE);
        }
    }

    async fn bill(&mut self) {
        let Some(purchase) = self.some_purchase() else { return };
        let (bill, date) = (Uuid::now_v7(), self.day());
        let line = &purchase["lines"][0];
        let quantity = (decimal(&line["quantity"]) / Decimal::from(5)).round_dp(3).to_string();
        let lines = json!([{"order_line_id": line["id"], "quantity": quantity, "unit_price": line["unit_price"]}]);
        let body = json!({"id": bill, "supplier_id": purchase["supplier_id"], "currency": purchase["currency"],
            "supplier_number": bill.to_string(), "bill_date": date, "lines": lines});
        let request = Request::new("bill", "/v1/supplier-bills", body);
        if self.make("supplier_bills", bill, request).await.is_none() {
            return;
        }
        let path = format!("/v1/supplier-bills/{bill}");
        let request = Request::new("bill posted", format!("{path}/post"), json!({"date": date})).posting(date);
        match self.insist(request).await {
            Some(made) if made["status"] == "posted" => {
                self.note(|notes| notes.moved("supplier_bills", "posted", bill, Outcome::Accepted));
                self.company.known.lock().expect("the documents").bills.push(made);
            }
            // A bill of a month that was closed meanwhile, or of what has not come, is nobody's.
            _ => {
                let request = Request::new(
                    "bill cancelled",
                    format!("{path}/cancel"),
                    json!({"reason": "not ours"}),
                );
                self.take("supplier_bills", "cancelled", bill, request).await;
            }
        }
    }

    /// Counts a product, one more or less than there was a moment ago.
    async fn count(&mut self) {
        let Some(product) = self.one_of(&self.company.products.clone()) else {
            return;
        };
        let sheet = Uuid::now_v7();
        let body = json!({"id": sheet, "warehouse_id": self.company.warehouse, "product_ids": [product]});
        let request = Request::new("count", "/v1/stock-counts", body);
        let Some(made) = self.make("stock_counts", sheet, request).await else {
            return;
        };
        let line = &made["lines"][0];
        let level = self.get(&format!("/v1/availability?product_id={product}")).await;
        let off = if self.below(2) == 0 {
            Decimal::ONE
        } else {
            Decimal::NEGATIVE_ONE
        };
        let counted = (decimal(&level["items"][0]["on_hand"]) + off)
            .max(Decimal::ZERO)
            .to_string();
        let body = json!({"complete": true, "lines": [{"line_id": line["id"], "counted_quantity": counted}]});
        let path = format!("/v1/stock-counts/{sheet}");
        self.insist(Request::new("count recorded", format!("{path}/record"), body))
            .await;
        let mut request = Request::new("count approved", format!("{path}/approve"), json!({}));
        request.second = true;
        if self.take("stock_counts", "posted", sheet, request).await.is_none() {
            self.insist(Request::new("count cancelled", format!("{path}/cancel"), json!({})))
                .await;
        }
    }

    /// The last day of the next month to close, if it is over.
    fn month_over(&self) -> Option<NaiveDate> {
        let closed = NaiveDate::from_num_days_from_ce_opt(self.company.closed.load(Ordering::SeqCst))?;
        let until = closed + Days::new(1) + Months::new(1) - Days::new(1);
        (until < self.company.today()).then_some(until)
    }

    async fn close(&mut self, until: NaiveDate) {
        let request = Request::new("revaluation", "/v1/revaluations", json!({"date": until}));
        self.insist(request).await;
        let found = self.get(&format!("/v1/periods?date={until}")).await;
        let path = format!("/v1/periods/{}", id(&found["items"][0]));
        let checklist = self.get(&format!("{path}/checklist")).await;
        let warnings = checklist["warnings"].as_array().into_iter().flatten();
        let accept: Vec<Value> = warnings
            .map(|warning| json!({"code": warning["code"], "reason": "known"}))
            .collect();
        let request = Request::new("period close", format!("{path}/close"), json!({"accept": accept}));
        if self.insist(request).await.is_some() {
            self.company.closed.store(until.num_days_from_ce(), Ordering::SeqCst);
            self.note(|notes| notes.closed = Some(until));
        }
    }

    async fn get(&self, path: &str) -> Value {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let request = self.company.erp.request(reqwest::Method::GET, path);
            if let Ok(reply) = request.timeout(Duration::from_secs(10)).send().await
                && reply.status() == 200
                && let Ok(body) = reply.json().await
            {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no answer to {path}");
    }
}
