//! A system that says what it is told to say: its feed, its records, its answers to `PUT`.

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// The key that the fakes accept.
pub const KEY: &str = "tdm_fake_integration_key_0123456789abcdef";

/// As a status: there is no answer at all.
pub const HANGS: u16 = 0;

/// A `PUT` that came in.
#[derive(Debug, Clone)]
pub struct Put {
    pub path: String,
    pub body: Value,
}

/// How to answer a `PUT` whose path or body contains something.
struct Rule {
    contains: String,
    status: u16,
    body: Value,
    times: usize,
}

#[derive(Default)]
struct State {
    feed: u32,
    events: Vec<Value>,
    records: HashMap<String, Value>,
    lists: HashMap<String, Vec<Value>>,
    puts: Vec<Put>,
    gets: Vec<String>,
    rules: Vec<Rule>,
    down: bool,
    refuses_key: bool,
}

#[derive(Clone)]
pub struct Fake {
    pub name: &'static str,
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    /// Counts changes, to wake long-polls.
    changed: Arc<watch::Sender<u64>>,
    /// While true, `PUT`s are taken in but not answered.
    held: Arc<watch::Sender<bool>>,
    server: Arc<Mutex<ServerHandle>>,
}

impl Fake {
    pub async fn start(name: &'static str) -> Self {
        let (state, changed, held): (Arc<Mutex<State>>, _, _) = Default::default();
        let mut fake = Fake {
            name,
            address: ([127, 0, 0, 1], 0).into(),
            state,
            changed,
            held,
            server: Arc::new(Mutex::new(idle_handle())),
        };
        fake.listen();
        fake
    }

    fn listen(&mut self) {
        let shared = self.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(shared.clone()))
                .default_service(web::to(answer))
        })
        .workers(1)
        .shutdown_timeout(0)
        .disable_signals()
        .bind(self.address)
        .unwrap();
        self.address = server.addrs()[0];
        let server = server.run();
        *self.server.lock().unwrap() = server.handle();
        tokio::spawn(server);
    }

    /// Nobody listens any more.
    pub async fn vanish(&self) {
        let handle = self.server.lock().unwrap().clone();
        self.touch();
        handle.stop(false).await;
    }

    /// Somebody listens again, at the same address.
    pub fn come_back(&mut self) {
        self.listen();
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn touch(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Commits an event.
    pub fn emit(&self, kind: &str, subject: Uuid, version: i64, data: Value) {
        self.emit_all([(kind, subject, version, data)]);
    }

    /// Commits events at once: a poll sees all of them or none.
    pub fn emit_all<'a>(&self, events: impl IntoIterator<Item = (&'a str, Uuid, i64, Value)>) {
        let events: Vec<Value> = events
            .into_iter()
            .map(|(kind, subject, version, data)| {
                json!({
                    "specversion": "1.0", "id": Uuid::new_v4(), "source": format!("/{}", self.name), "type": kind,
                    "subject": subject, "time": Utc::now(), "datacontenttype": "application/json",
                    "subjectversion": version, "data": data,
                })
            })
            .collect();
        self.state().events.extend(events);
        self.touch();
    }

    /// What `GET path` shows.
    pub fn set_record(&self, path: &str, record: Value) {
        self.state().records.insert(path.to_owned(), record);
    }

    /// What the list at `path` shows; two items a page.
    pub fn set_list(&self, path: &str, items: Vec<Value>) {
        self.state().lists.insert(path.to_owned(), items);
    }

    /// Answers the next `times` `PUT`s whose path or body contains `contains` like this.
    pub fn answer_put(&self, contains: impl ToString, status: u16, body: Value, times: usize) {
        self.state().rules.push(Rule {
            contains: contains.to_string(),
            status,
            body,
            times,
        });
    }

    pub fn forget_rules(&self) {
        self.state().rules.clear();
    }

    /// Everything is answered 503, health included.
    pub fn set_down(&self, down: bool) {
        self.state().down = down;
        self.touch();
    }

    /// Our key is not good any more; it is healthy otherwise.
    pub fn refuse_key(&self, refuse: bool) {
        self.state().refuses_key = refuse;
        self.touch();
    }

    /// `PUT`s are taken in but not answered until they are let go.
    pub fn hold_puts(&self, hold: bool) {
        self.held.send_replace(hold);
    }

    /// As if restored from a dump: another feed, with these events in it.
    pub fn restore(&self) {
        let mut state = self.state();
        state.feed += 1;
        state.events.clear();
        drop(state);
        self.touch();
    }

    pub fn puts(&self) -> Vec<Put> {
        self.state().puts.clone()
    }

    pub fn puts_to(&self, path: &str) -> Vec<Value> {
        self.puts()
            .into_iter()
            .filter(|put| put.path == path)
            .map(|put| put.body)
            .collect()
    }

    pub fn forget_puts(&self) {
        self.state().puts.clear();
    }

    pub fn gets(&self) -> Vec<String> {
        self.state().gets.clone()
    }
}

/// A handle to nothing, until the server runs.
fn idle_handle() -> ServerHandle {
    HttpServer::new(App::new)
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap()
        .run()
        .handle()
}

async fn answer(fake: web::Data<Fake>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    if fake.state().down {
        return HttpResponse::ServiceUnavailable().finish();
    }
    let path = request.path().to_owned();
    if path == "/health/ready" {
        return HttpResponse::Ok().finish();
    }
    let authorized = request
        .headers()
        .get("authorization")
        .is_some_and(|v| v == format!("Bearer {KEY}").as_str());
    if !authorized || fake.state().refuses_key {
        return problem(401, json!({ "code": "unauthorized", "detail": "the key is unknown" }));
    }
    match request.method().as_str() {
        "PUT" => put(&fake, path, serde_json::from_slice(&body).unwrap()).await,
        "GET" if path == "/v1/events" => events(&fake, &request).await,
        _ => get(&fake, path, &request),
    }
}

fn problem(status: u16, body: Value) -> HttpResponse {
    HttpResponse::build(status.try_into().unwrap())
        .content_type("application/problem+json")
        .json(body)
}

async fn put(fake: &Fake, path: String, body: Value) -> HttpResponse {
    let scripted = {
        let mut state = fake.state();
        state.puts.push(Put {
            path: path.clone(),
            body: body.clone(),
        });
        let text = format!("{path} {body}");
        let rule = state
            .rules
            .iter_mut()
            .find(|rule| rule.times > 0 && text.contains(&rule.contains));
        rule.map(|rule| {
            rule.times -= 1;
            (rule.status, rule.body.clone())
        })
    };
    let _ = fake.held.subscribe().wait_for(|held| !held).await;
    match scripted {
        Some((HANGS, _)) => std::future::pending().await,
        Some((status, body)) => problem(status, body),
        None if ["/v1/availability", "/v1/segment-memberships"].contains(&path.as_str()) => {
            let items = body["items"].as_array().unwrap().iter();
            let results: Vec<Value> = items
                .map(|item| json!({ "id": item["id"], "result": "applied" }))
                .collect();
            HttpResponse::Ok().json(json!({ "items": results }))
        }
        None => HttpResponse::Ok().json(body),
    }
}

fn query(request: &HttpRequest) -> HashMap<String, String> {
    web::Query::<HashMap<String, String>>::from_query(request.query_string())
        .unwrap()
        .into_inner()
}

async fn events(fake: &Fake, request: &HttpRequest) -> HttpResponse {
    let query = query(request);
    let types: Vec<&str> = query["types"].split(',').collect();
    let mut changed = fake.changed.subscribe();
    let limit: usize = query["limit"].parse().unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(query["wait"].parse().unwrap());
    loop {
        changed.mark_unchanged();
        {
            let state = fake.state();
            if state.down || state.refuses_key {
                return HttpResponse::build(if state.down { 503 } else { 401 }.try_into().unwrap()).finish();
            }
            let head = format!("{}:{}", state.feed, state.events.len());
            if query["after"] == "latest" {
                return HttpResponse::Ok().json(json!({ "events": [], "next_cursor": head }));
            }
            let (feed, position) = query["after"].split_once(':').unwrap();
            if feed != state.feed.to_string() {
                return problem(
                    410,
                    json!({ "code": "cursor_expired", "detail": "the cursor is of another feed" }),
                );
            }
            let new = state.events.iter().enumerate().skip(position.parse().unwrap());
            let new: Vec<(usize, &Value)> = new
                .filter(|(_, event)| types.contains(&event["type"].as_str().unwrap()))
                .take(limit)
                .collect();
            let head = match new.last() {
                Some((last, _)) if new.len() == limit => format!("{}:{}", state.feed, last + 1),
                _ => head,
            };
            let new: Vec<&Value> = new.into_iter().map(|(_, event)| event).collect();
            if !new.is_empty() || tokio::time::Instant::now() >= deadline {
                return HttpResponse::Ok().json(json!({ "events": new, "next_cursor": head }));
            }
        }
        let _ = tokio::time::timeout_at(deadline, changed.changed()).await;
    }
}

fn get(fake: &Fake, path: String, request: &HttpRequest) -> HttpResponse {
    let mut state = fake.state();
    state.gets.push(format!("{path}?{}", request.query_string()));
    if let Some(record) = state.records.get(&path) {
        return HttpResponse::Ok().json(record);
    }
    const LISTS: [&str; 13] = [
        "/v1/segments",
        "/v1/segment-memberships",
        "/v1/companies",
        "/v1/exchange-rates",
        "/v1/customers",
        "/v1/orders",
        "/v1/categories",
        "/v1/products",
        "/v1/prices",
        "/v1/availability",
        "/v1/sales-orders",
        "/v1/invoices",
        "/v1/payments",
    ];
    if !LISTS.contains(&path.as_str()) {
        return problem(404, json!({ "code": "not_found", "detail": "there is no such record" }));
    }
    let items = state.lists.get(&path).cloned().unwrap_or_default();
    let start: usize = query(request).get("cursor").map_or(0, |cursor| cursor.parse().unwrap());
    let page: Vec<&Value> = items.iter().skip(start).take(2).collect();
    let next = (start + 2 < items.len()).then(|| (start + 2).to_string());
    HttpResponse::Ok().json(json!({ "items": page, "next_cursor": next }))
}

/// Records as the two systems show them.
pub fn customer(id: Uuid, version: i64, name: &str) -> Value {
    json!({
        "id": id, "name": name, "kind": "company", "status": "active", "email": "office@example.com", "phone": null,
        "tax_id": null, "grade": "A", "grade_effective_from": "2026-01-01", "external_ref": "C-1",
        "legal_entities": [{
            "id": Uuid::from_u128(7), "customer_id": id, "name": "Acme GmbH", "tax_id": "DE1", "registration_number": null,
            "valid_from": null, "valid_to": null, "is_default": true, "revision": 1, "created_at": now(), "updated_at": now(),
        }],
        "contacts": [{
            "id": Uuid::from_u128(8), "customer_id": id, "name": "Zoë", "role": "buyer", "title": null, "email": null,
            "phone": "+49 30 1", "revision": 1, "created_at": now(), "updated_at": now(),
        }],
        "addresses": [{
            "id": Uuid::from_u128(9), "customer_id": id, "kind": "billing", "street": "Am Hafen 1", "city": "Kiel",
            "region": null, "postal_code": "24103", "country": "DE", "revision": 1, "created_at": now(), "updated_at": now(),
        }],
        "credit": null, "version": version, "revision": version, "created_at": now(), "updated_at": now(),
    })
}

pub fn order(id: Uuid, version: i64, customer: Uuid) -> Value {
    json!({
        "id": id, "origin": "crm", "status": "submitted", "customer_id": customer, "currency": "USD",
        "order_date": "2026-11-02", "requested_date": null, "external_ref": null,
        "total": { "net": "19.00", "tax": "0.00", "gross": "19.00" },
        "lines": [{
            "id": Uuid::from_u128(11), "position": 1, "product_id": Uuid::from_u128(12), "quantity": "2.000",
            "unit_price": "9.5000", "discount": "0.0000", "line_total": "19.00",
        }],
        "rejection": null, "cancellation": null, "fulfilment": null, "allowed_actions": ["cancel", "copy"],
        "submitted_at": now(), "version": version, "revision": version, "created_at": now(), "updated_at": now(),
    })
}

pub fn sales_order(id: Uuid, version: i64, status: &str) -> Value {
    json!({
        "id": id, "number": "SO-1", "origin": "crm", "status": status, "lifecycle": "confirmed", "delivery": "none",
        "invoicing": "none", "payment": "none", "holds": [], "customer_id": Uuid::from_u128(1), "currency": "USD",
        "order_date": "2026-11-02", "requested_date": null, "warehouse_id": null, "priority": 0, "external_ref": null,
        "total": { "net": "19.00", "tax": "0.00", "gross": "19.00" },
        "lines": [{
            "id": Uuid::from_u128(11), "position": 1, "product_id": Uuid::from_u128(12), "quantity": "2.000",
            "unit": "pcs", "unit_price": "9.5000", "list_price": "9.5000", "price_differs": false,
            "price_explanation": null, "discount": "0.0000", "line_total": "19.00", "reserved_quantity": "2.000",
            "backordered_quantity": "0.000", "delivered_quantity": "0.000",
        }],
        "rejection": [], "cancellation": null, "end_reason": null, "deliveries": [], "allowed_actions": ["close"],
        "source_version": 1, "version": version, "revision": version, "confirmed_at": now(), "created_at": now(),
        "updated_at": now(),
    })
}

pub fn segment(id: Uuid, version: i64, name: &str) -> Value {
    json!({
        "id": id, "name": name, "description": "Who buys often", "kind": "rule", "status": "active",
        "rule": "orders.count(90 days) >= 3", "rule_version": 1, "allowed_actions": ["edit", "refresh", "archive"],
        "version": version, "revision": version, "created_at": now(), "updated_at": now(), "members": 3,
        "refreshed_at": now(), "refreshing": false, "fault": null,
    })
}

pub fn membership(id: Uuid, version: i64, segment: Uuid, customer: Uuid) -> Value {
    json!({
        "id": id, "segment_id": segment, "customer_id": customer, "entered_at": now(),
        "left_at": (version > 1).then(now), "version": version,
    })
}

pub fn level(id: Uuid, version: i64, on_hand: &str) -> Value {
    json!({
        "id": id, "product_id": Uuid::from_u128(12), "warehouse_id": Uuid::from_u128(13), "on_hand": on_hand,
        "reserved": "1.000", "available": on_hand, "version": version, "as_of": now(),
    })
}

pub fn invoice(id: Uuid, version: i64, status: &str) -> Value {
    json!({
        "id": id, "kind": "invoice", "number": "INV-1", "status": status, "customer_id": Uuid::from_u128(1),
        "order_id": null, "credited_invoice_id": null, "return_id": null, "date": "2026-11-02", "currency": "USD",
        "prices_include_tax": false, "payment_terms_id": null, "legal_entity_id": null,
        "party": { "legal_entity_id": null, "name": "Acme", "tax_id": null, "registration_number": null, "address": null },
        "exchange_rate": "1",
        "lines": [{
            "id": Uuid::from_u128(14), "position": 1, "kind": "product", "order_line_id": null, "charge_id": null,
            "delivery_id": null, "product_id": Uuid::from_u128(12), "account_id": null, "credited_line_id": null,
            "description": "Tea", "quantity": "2.000", "unit": "pcs", "unit_price": "9.5000", "discount": "0.0000",
            "amount": "19.00", "net": "19.00", "tax_class": null, "taxes": [], "tax_point": null,
            "department_id": null, "project_id": null, "credited_quantity": "0", "credited_amount": "0.00",
        }],
        "taxes": [{
            "code": "S19", "name": "Standard", "report_code": null, "rate": "0.19", "reverse_charge": false,
            "net": "19.00", "tax": "3.61", "base_net": "19.00", "base_tax": "3.61",
        }],
        "total": { "net": "19.00", "tax": "3.61", "gross": "22.61" }, "base_gross": "22.61", "advances": [],
        "payable": "22.61", "open_amount": "22.61", "credited": "0.00",
        "instalments": [{
            "item_id": Uuid::from_u128(15), "due_on": "2026-12-02", "amount": "22.61", "open_amount": "22.61",
            "discount_until": "2026-11-12", "discount": "0.02", "disputed": false, "dunning_level": 0,
        }],
        "allocations": [], "reason": null, "notes": null, "external_ref": null, "department_id": null,
        "project_id": null, "entry_id": null, "allowed_actions": ["credit"], "posted_at": now(),
        "version": version, "revision": version, "created_at": now(), "updated_at": now(),
    })
}

pub fn payment(id: Uuid, version: i64, party_type: Option<&str>) -> Value {
    json!({
        "id": id, "number": "PAY-1", "status": "posted", "direction": "in", "party_type": party_type,
        "party_id": party_type.map(|_| Uuid::from_u128(1)), "bank_account_id": id, "currency": "USD", "amount": "22.61",
        "bank_charges": "0.00", "base_amount": "22.61", "unallocated": "0.00", "open_item_id": null,
        "date": "2026-11-03", "reference": "INV-1", "method": "bank_transfer", "cash_flow_category": null,
        "allocations": [{
            "id": id, "open_item_id": id, "document_type": "invoice", "document_id": id, "document_number": "INV-1",
            "instalment": 1, "date": "2026-11-03", "currency": "USD", "cleared": "22.61", "discount": "0.00",
            "written_off": "0.00", "paid": "22.61", "exchange_difference": "0.00", "journal_entry_id": id,
            "undone_on": null,
        }],
        "postings": [], "external_ref": null, "journal_entry_id": id, "reversed_on": null, "reversal_reason": null,
        "reversal_entry_id": null, "allowed_actions": ["reverse"], "version": version, "revision": version,
        "created_at": now(), "updated_at": now(),
    })
}

fn now() -> DateTime<Utc> {
    Utc::now()
}
