//! Does to the service what is done to the model, and looks at what came of it.

use super::commands::{Command, World, next_month, rates_of};
use super::model::Model;
use crate::given;
use crate::shop::id;
use chrono::{Datelike, NaiveDate};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply, TestService};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// What stands in the books, the warehouse and the subledgers after a command; zeros are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    pub accounts: BTreeMap<String, Decimal>,
    /// On hand, reserved, value.
    pub stock: BTreeMap<Uuid, [Decimal; 3]>,
    /// Open in the item's currency and in the base currency, by document.
    pub items: BTreeMap<Uuid, [Decimal; 2]>,
    /// Reserved, backordered, delivered, invoiced, returned.
    pub lines: BTreeMap<Uuid, [Decimal; 5]>,
    /// Of customers with a limit.
    pub exposure: BTreeMap<Uuid, Decimal>,
}

impl State {
    pub fn of(model: &Model) -> State {
        let some = |figures: &[Decimal]| figures.iter().any(|figure| !figure.is_zero());
        let stock = model
            .stock
            .iter()
            .map(|(id, stock)| (*id, [stock.on_hand, stock.reserved, stock.value]));
        let items = model.items.iter().map(|(id, item)| (*id, [item.open, item.open_base]));
        let lines = model.orders.values().flat_map(|order| &order.lines).map(|line| {
            (
                line.id,
                [
                    line.reserved,
                    line.backordered,
                    line.delivered,
                    line.invoiced,
                    line.returned,
                ],
            )
        });
        let accounts = model
            .accounts
            .iter()
            .map(|(code, balance)| ((*code).to_owned(), *balance));
        State {
            accounts: accounts.filter(|(_, balance)| !balance.is_zero()).collect(),
            stock: stock.filter(|(_, figures)| some(figures)).collect(),
            items: items.filter(|(_, figures)| some(figures)).collect(),
            lines: lines.filter(|(_, figures)| some(figures)).collect(),
            exposure: model.limits.keys().map(|id| (*id, model.exposure(*id))).collect(),
        }
    }

    /// What differs, in words; `self` is the service's.
    pub fn differences(&self, model: &State) -> Vec<String> {
        let mut found = Vec::new();
        compare("account", &self.accounts, &model.accounts, &mut found);
        compare(
            "stock (on hand, reserved, value) of",
            &self.stock,
            &model.stock,
            &mut found,
        );
        compare("open (amount, base) of", &self.items, &model.items, &mut found);
        let what = "line (reserved, backordered, delivered, invoiced, returned)";
        compare(what, &self.lines, &model.lines, &mut found);
        compare("exposure of", &self.exposure, &model.exposure, &mut found);
        found
    }
}

fn compare<K, V>(what: &str, service: &BTreeMap<K, V>, model: &BTreeMap<K, V>, found: &mut Vec<String>)
where
    K: Ord + std::fmt::Display,
    V: PartialEq + std::fmt::Debug,
{
    let keys: std::collections::BTreeSet<&K> = service.keys().chain(model.keys()).collect();
    for key in keys {
        let (is, expected) = (service.get(key), model.get(key));
        if is != expected {
            found.push(format!("{what} {key}: the service has {is:?}, the model {expected:?}"));
        }
    }
}

pub struct Driver {
    pub service: TestService,
    erp: Client,
    /// Approves what the first one entered.
    second: Client,
    conn: PgConnection,
    warehouse: Uuid,
    terms: Uuid,
    /// Lines of purchase orders.
    ordered: HashMap<Uuid, Vec<Uuid>>,
    /// The last entry before the sequence.
    before: Uuid,
    sequences: usize,
    /// When its first sequence begins.
    first: NaiveDate,
}

/// The first problem code, with the pointer's own code where there is one fault.
fn refusal(reply: &Reply) -> String {
    reply.body["code"]
        .as_str()
        .map_or_else(|| reply.status.to_string(), str::to_owned)
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
        let code = json!({"code": "T20", "name": "20 %", "kind": "output", "rates": rates});
        erp.post("/v1/tax-codes", code).await.expect(201);
        let code = json!({"code": "T20IN", "name": "20 %", "kind": "input", "rates": rates});
        erp.post("/v1/tax-codes", code).await.expect(201);
        for (direction, code) in [("sale", "T20"), ("purchase", "T20IN")] {
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
        Driver {
            conn: PgConnection::establish(&service.database.url).expect("the test database"),
            first: NaiveDate::from_ymd_opt(1984, 1, 1).expect("a day"),
            ordered: HashMap::new(),
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
        for month in [start, next_month(start)] {
            let days = [1, 8, 15, 22, 29].into_iter().filter_map(|day| month.with_day(day));
            for day in days {
                let (dollars, pounds) = rates_of(day);
                for (currency, rate) in [("USD", dollars), ("GBP", pounds)] {
                    let body = json!({"reference": "EUR", "currency": currency, "date": day, "rate": rate.to_string()});
                    self.erp.post("/v1/exchange-rates", body).await.expect(201);
                }
            }
        }
        let mut model = Model::default();
        let mut world = World {
            products: Vec::new(),
            customers: Vec::new(),
            suppliers: Vec::new(),
            start,
        };
        for number in 1..=4_i64 {
            let sku = format!("P-{}-{number}", self.sequences);
            let body = json!({"sku": sku, "name": sku, "kind": "goods", "unit": "pcs"});
            let product = id(&self.erp.post("/v1/products", body).await.expect(201));
            world.products.push(product);
            let (quantity, cost) = (Decimal::from(number * 7 + 3), Decimal::new(977 + number * 3_331, 3));
            let line = json!({"product_id": product, "quantity": quantity.to_string(), "unit_cost": cost.to_string()});
            let body =
                json!({"warehouse_id": self.warehouse, "reason": "opening stock", "date": start, "lines": [line]});
            self.erp.post("/v1/stock-adjustments", body).await.expect(201);
            model.opening_stock(product, quantity, cost);
        }
        for (name, currency) in [("Limited", "USD"), ("Free", "USD"), ("Euro", "EUR"), ("Pound", "GBP")] {
            let customer = id(&given::customer(&self.service, name).await);
            let mut terms = json!({"payment_terms_id": self.terms});
            if name == "Limited" {
                terms["credit_limit"] = json!("3000");
                model.limits.insert(customer, Decimal::from(3_000));
            }
            self.erp
                .patch(&format!("/v1/customers/{customer}"), terms)
                .await
                .expect(200);
            world.customers.push((customer, currency));
        }
        for currency in ["USD", "EUR", "GBP"] {
            let body = json!({"name": currency, "currency": currency, "payment_terms_id": self.terms});
            world
                .suppliers
                .push((id(&self.erp.post("/v1/suppliers", body).await.expect(201)), currency));
        }
        #[derive(QueryableByName)]
        struct Begin {
            #[diesel(sql_type = SqlUuid)]
            entry: Uuid,
            #[diesel(sql_type = Date)]
            closed: NaiveDate,
        }
        let begin: Begin = diesel::sql_query(
            "SELECT (SELECT id FROM journal_entries ORDER BY id DESC LIMIT 1) AS entry,
                coalesce((SELECT max(ends_on) FROM periods WHERE status = 'closed'), '1983-12-31') AS closed",
        )
        .get_result(&mut self.conn)
        .expect("a beginning");
        self.before = begin.entry;
        model.accounts.clear();
        model.closed_to = Some(begin.closed);
        (world, model)
    }

    /// Does it; the error is the problem's code.
    pub async fn run(&mut self, command: &Command, world: &World, model: &Model) -> Result<(), String> {
        let text = |value: &Decimal| value.normalize().to_string();
        match command {
            Command::Order(order, date) => {
                let lines: Vec<Value> = order.lines.iter().map(|line| json!({"id": line.id, "product_id": line.product,
                    "quantity": text(&line.quantity), "unit_price": text(&line.unit_price), "discount": text(&line.discount)})).collect();
                let body = json!({"id": order.id, "customer_id": order.customer, "currency": order.currency, "order_date": date,
                    "confirm": true, "lines": lines});
                done(self.erp.post("/v1/sales-orders", body).await).map(drop)
            }
            Command::Deliver { id, order, date, lines } => {
                let lines: Vec<Value> = lines
                    .iter()
                    .map(|(line, quantity)| json!({"line_id": line, "quantity": text(quantity)}))
                    .collect();
                let body = json!({"id": id, "date": date, "lines": lines});
                done(
                    self.erp
                        .post(&format!("/v1/sales-orders/{order}/deliveries"), body)
                        .await,
                )
                .map(drop)
            }
            Command::Invoice { id, order, date, .. } => {
                let body = json!({"id": id, "date": date, "post": true});
                done(self.erp.post(&format!("/v1/sales-orders/{order}/invoices"), body).await).map(drop)
            }
            Command::Return {
                id: back,
                order,
                delivery,
                line,
                quantity,
                date,
            } => {
                let asked = json!([{"line_id": line, "delivery_id": delivery, "quantity": text(quantity)}]);
                let body = json!({"id": back, "order_id": order, "reason": "not wanted", "lines": asked});
                done(self.erp.post("/v1/sales-returns", body).await)?;
                let path = format!("/v1/sales-returns/{back}");
                let received = done(self.erp.post(&format!("{path}/receive"), json!({"date": date})).await)?;
                let verdict = json!([{"id": received["lines"][0]["id"], "restock": text(quantity)}]);
                done(
                    self.erp
                        .post(&format!("{path}/inspect"), json!({"date": date, "lines": verdict}))
                        .await,
                )
                .map(drop)
            }
            Command::Purchase(purchase, date) => {
                let lines: Vec<Value> = purchase
                    .lines
                    .iter()
                    .map(|line| {
                        json!({"product_id": line.product,
                    "quantity": text(&line.quantity), "unit_price": text(&line.unit_price)})
                    })
                    .collect();
                let body = json!({"id": purchase.id, "supplier_id": purchase.supplier, "order_date": date, "submit": true, "lines": lines});
                let made = done(self.erp.post("/v1/purchase-orders", body).await)?;
                let lines = made["lines"].as_array().expect("lines").iter().map(id).collect();
                self.ordered.insert(purchase.id, lines);
                Ok(())
            }
            Command::Receive {
                purchase, date, lines, ..
            } => {
                let ids = &self.ordered[purchase];
                let lines: Vec<Value> = lines
                    .iter()
                    .map(|(line, quantity)| json!({"line_id": ids[*line], "quantity": text(quantity)}))
                    .collect();
                let body = json!({"date": date, "lines": lines});
                done(
                    self.erp
                        .post(&format!("/v1/purchase-orders/{purchase}/receipts"), body)
                        .await,
                )
                .map(drop)
            }
            Command::Bill {
                id,
                purchase,
                date,
                lines,
                ..
            } => self.bill((*id, *purchase, *date), lines, model).await,
            Command::Count { product, counted } => self.count(*product, *counted).await,
            Command::Pay { id, paying } => {
                let item = &model.items[&paying.document];
                let (direction, party) = if item.receivable {
                    ("in", "customer")
                } else {
                    ("out", "supplier")
                };
                let allocation = json!({"document_id": paying.document, "amount": text(&paying.cleared), "discount": text(&paying.discount)});
                let body = json!({"id": id, "direction": direction, "party_type": party, "party_id": item.party, "currency": item.currency,
                    "amount": text(&paying.amount), "date": paying.date, "allocations": [allocation]});
                done(self.erp.post("/v1/payments", body).await).map(drop)
            }
            Command::Reverse { payment, date } => {
                let body = json!({"reason": "bounced", "date": date});
                done(self.erp.post(&format!("/v1/payments/{payment}/reverse"), body).await).map(drop)
            }
            Command::Close { until } => self.close(*until, world).await,
        }
    }

    /// Enters and posts a bill; what is held for its price is released by somebody else, other held bills are cancelled.
    async fn bill(
        &mut self,
        (bill, purchase, date): (Uuid, Uuid, NaiveDate),
        lines: &[(usize, Decimal, Decimal)],
        model: &Model,
    ) -> Result<(), String> {
        let ids = &self.ordered[&purchase];
        let line = |(index, quantity, price): &(usize, Decimal, Decimal)| json!({"order_line_id": ids[*index], "quantity": quantity.normalize().to_string(), "unit_price": price.normalize().to_string()});
        let lines: Vec<Value> = lines.iter().map(line).collect();
        let purchase = &model.purchases[&purchase];
        let body = json!({"id": bill, "supplier_id": purchase.supplier, "currency": purchase.currency, "supplier_number": bill.to_string(),
            "bill_date": date, "lines": lines});
        done(self.erp.post("/v1/supplier-bills", body).await)?;
        let path = format!("/v1/supplier-bills/{bill}");
        let posted = done(self.erp.post(&format!("{path}/post"), json!({"date": date})).await);
        let problem = match posted {
            Ok(posted) if posted["status"] == "posted" => return Ok(()),
            Ok(held) => {
                let mut findings = held["findings"].as_array().expect("findings").iter();
                if findings.all(|finding| finding["code"] == "price_outside_tolerance") {
                    let body = json!({"reason": "agreed", "date": date});
                    let released = done(self.second.post(&format!("{path}/release"), body).await)?;
                    assert_eq!(released["status"], "posted", "{released:#}");
                    return Ok(());
                }
                "match_held".to_owned()
            }
            Err(problem) => problem,
        };
        done(
            self.erp
                .post(&format!("{path}/cancel"), json!({"reason": "not ours"}))
                .await,
        )
        .expect("a cancelled bill");
        Err(problem)
    }

    async fn count(&self, product: Uuid, counted: Decimal) -> Result<(), String> {
        let body = json!({"warehouse_id": self.warehouse, "product_ids": [product]});
        let sheet = done(self.erp.post("/v1/stock-counts", body).await)?;
        let path = format!("/v1/stock-counts/{}", id(&sheet));
        let line = json!({"line_id": sheet["lines"][0]["id"], "counted_quantity": counted.normalize().to_string()});
        done(
            self.erp
                .post(&format!("{path}/record"), json!({"complete": true, "lines": [line]}))
                .await,
        )?;
        done(self.second.post(&format!("{path}/approve"), json!({})).await).map(drop)
    }

    /// Closes a month; before that its currencies are revalued, and warnings are accepted.
    async fn close(&mut self, until: NaiveDate, _world: &World) -> Result<(), String> {
        let periods = self.erp.get(&format!("/v1/periods?date={until}")).await.expect(200);
        let period = &periods["items"][0];
        assert_eq!(period["ends_on"], json!(until), "{periods:#}");
        let path = format!("/v1/periods/{}", id(period));
        if period["status"] != "closed" {
            let done_already = self.erp.post("/v1/revaluations", json!({"date": until})).await;
            if done_already.status.as_u16() != 201 {
                return Err(format!("revaluation: {:#}", done_already.body));
            }
        }
        let checklist = self.erp.get(&format!("{path}/checklist")).await.expect(200);
        let accept: Vec<Value> = checklist["warnings"]
            .as_array()
            .expect("warnings")
            .iter()
            .map(|warning| json!({"code": warning["code"], "reason": "known"}))
            .collect();
        done(self.erp.post(&format!("{path}/close"), json!({"accept": accept})).await).map(drop)
    }

    /// What the service has of this sequence.
    pub async fn state(&mut self, world: &World, model: &Model) -> State {
        #[derive(QueryableByName)]
        struct Account {
            #[diesel(sql_type = Text)]
            code: String,
            #[diesel(sql_type = Numeric)]
            balance: Decimal,
        }
        #[derive(QueryableByName)]
        struct Figures {
            #[diesel(sql_type = Text)]
            what: String,
            #[diesel(sql_type = SqlUuid)]
            id: Uuid,
            #[diesel(sql_type = Array<Numeric>)]
            figures: Vec<Decimal>,
        }
        let accounts: Vec<Account> = diesel::sql_query(
            "SELECT a.code, sum(l.debit - l.credit) AS balance FROM journal_entry_lines l JOIN accounts a ON a.id = l.account_id
             WHERE l.entry_id > $1 GROUP BY a.code HAVING sum(l.debit - l.credit) <> 0",
        )
        .bind::<SqlUuid, _>(self.before)
        .load(&mut self.conn)
        .expect("the accounts");
        let customers: Vec<Uuid> = world.customers.iter().map(|(id, _)| *id).collect();
        let parties: Vec<Uuid> = customers
            .iter()
            .copied()
            .chain(world.suppliers.iter().map(|(id, _)| *id))
            .collect();
        let found: Vec<Figures> = diesel::sql_query(
            "SELECT 'stock' AS what, product_id AS id, ARRAY[on_hand, reserved, value] AS figures
             FROM stock_levels WHERE product_id = ANY ($1) AND (on_hand <> 0 OR reserved <> 0 OR value <> 0)
             UNION ALL
             SELECT 'item', document_id, ARRAY[sum(open_amount), sum(open_base_amount)] FROM open_items WHERE party_id = ANY ($2)
             GROUP BY document_id HAVING sum(open_amount) <> 0 OR sum(open_base_amount) <> 0
             UNION ALL
             SELECT 'line', l.id, ARRAY[reserved_quantity, backordered_quantity, delivered_quantity, invoiced_quantity, returned_uninvoiced_quantity]
             FROM sales_orders o JOIN sales_order_lines l ON l.order_id = o.id WHERE o.customer_id = ANY ($3)
               AND (reserved_quantity, backordered_quantity, delivered_quantity) <> (0, 0, 0)",
        )
        .bind::<Array<SqlUuid>, _>(&world.products)
        .bind::<Array<SqlUuid>, _>(&parties)
        .bind::<Array<SqlUuid>, _>(&customers)
        .load(&mut self.conn)
        .expect("the figures");
        let mut state = State {
            accounts: accounts
                .into_iter()
                .map(|account| (account.code, account.balance))
                .collect(),
            ..State::default()
        };
        for row in found {
            let figures = row.figures;
            match row.what.as_str() {
                "stock" => drop(state.stock.insert(row.id, figures.try_into().expect("three"))),
                "item" => drop(state.items.insert(row.id, figures.try_into().expect("two"))),
                _ => drop(state.lines.insert(row.id, figures.try_into().expect("five"))),
            }
        }
        for customer in model.limits.keys() {
            let shown = self.erp.get(&format!("/v1/customers/{customer}")).await.expect(200);
            let exposure = shown["exposure"]
                .as_str()
                .expect("an exposure")
                .parse()
                .expect("a decimal");
            state.exposure.insert(*customer, exposure);
        }
        state
    }

    /// What must always hold, of this sequence or of all; empty when it does.
    pub fn broken(&mut self, world: &World, all: bool) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Broken {
            #[diesel(sql_type = Text)]
            what: String,
        }
        let products: Vec<String> = world.products.iter().map(|id| format!("'{id}'")).collect();
        let sql = include_str!("invariants.sql")
            .replace("$since", &format!("'{}'", if all { Uuid::nil() } else { self.before }))
            .replace(
                "$products",
                &match all {
                    true => "SELECT id FROM products".to_owned(),
                    false => products.join(", "),
                },
            );
        self.conn.batch_execute("SET TIME ZONE 'UTC'").expect("a connection");
        let found: Vec<Broken> = diesel::sql_query(sql)
            .load(&mut self.conn)
            .expect("the invariants can be read");
        found.into_iter().map(|broken| broken.what).collect()
    }
}

fn done(reply: Reply) -> Result<Value, String> {
    match reply.status.as_u16() {
        200 | 201 => Ok(reply.body),
        500.. => Err(format!("{} {:#}", reply.status, reply.body)),
        _ => Err(refusal(&reply)),
    }
}
