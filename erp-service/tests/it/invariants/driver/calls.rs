//! Each command as the calls that a client would make.

use super::Driver;
use crate::invariants::commands::Command;
use crate::invariants::model::{Model, Order, Paying, Purchase};
use crate::shop::id;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use service_kit::testing::Reply;
use uuid::Uuid;

fn text(value: &Decimal) -> String {
    value.normalize().to_string()
}

/// The answer, or the problem's code.
fn done(reply: Reply) -> Result<Value, String> {
    match reply.status.as_u16() {
        200 | 201 => Ok(reply.body),
        500.. => Err(format!("{} {:#}", reply.status, reply.body)),
        _ => Err(reply.body["code"]
            .as_str()
            .map_or_else(|| reply.status.to_string(), str::to_owned)),
    }
}

impl Driver {
    /// Does it; the error is the problem's code.
    pub async fn run(&mut self, command: &Command, model: &Model) -> Result<(), String> {
        match command {
            Command::Order(order, date) => self.order(order, *date).await,
            Command::Amend {
                order,
                line,
                quantity,
                unit_price,
            } => {
                let mut change = json!({"line_id": line});
                if let Some(quantity) = quantity {
                    change["quantity"] = json!(text(quantity));
                }
                if let Some(price) = unit_price {
                    change["unit_price"] = json!(text(price));
                }
                let body = json!({"lines": [change]});
                self.post(&format!("/v1/sales-orders/{order}/amend"), body)
                    .await
                    .map(drop)
            }
            Command::Deliver { id, order, date, lines } => {
                let line = |(line, quantity): &(Uuid, Decimal)| json!({"line_id": line, "quantity": text(quantity)});
                let body = json!({"id": id, "date": date, "lines": lines.iter().map(line).collect::<Vec<_>>()});
                let path = format!("/v1/sales-orders/{order}/deliveries");
                self.post(&path, body).await.map(drop)
            }
            Command::Return {
                id,
                order,
                delivery,
                line,
                quantity,
                date,
            } => {
                let asked = json!([{"line_id": line, "delivery_id": delivery, "quantity": text(quantity)}]);
                let body = json!({"id": id, "order_id": order, "reason": "not wanted", "lines": asked});
                self.take_back(*id, body, &text(quantity), *date).await
            }
            Command::Invoice { id, order, date, .. } => {
                let body = json!({"id": id, "date": date, "post": true});
                let made = self.post(&format!("/v1/sales-orders/{order}/invoices"), body).await?;
                self.remember_lines(*id, &made);
                Ok(())
            }
            Command::Credit {
                id,
                invoice,
                date,
                lines: Some(lines),
            } => {
                let ids = &self.lines[invoice];
                let line =
                    |(line, quantity): &(usize, Decimal)| json!({"line_id": ids[*line], "quantity": text(quantity)});
                let body = json!({"id": id, "date": date, "lines": lines.iter().map(line).collect::<Vec<_>>()});
                let path = format!("/v1/invoices/{invoice}/credit-notes");
                self.post(&path, body).await.map(drop)
            }
            Command::Credit {
                id,
                invoice,
                date,
                lines: None,
            } => {
                let body = json!({"id": id, "date": date});
                self.post(&format!("/v1/invoices/{invoice}/cancel"), body)
                    .await
                    .map(drop)
            }
            Command::Purchase(purchase, date) => self.purchase(purchase, *date).await,
            Command::Receive {
                purchase, date, lines, ..
            } => {
                let ids = &self.lines[purchase];
                let line =
                    |(line, quantity): &(usize, Decimal)| json!({"line_id": ids[*line], "quantity": text(quantity)});
                let body = json!({"date": date, "lines": lines.iter().map(line).collect::<Vec<_>>()});
                let path = format!("/v1/purchase-orders/{purchase}/receipts");
                self.post(&path, body).await.map(drop)
            }
            Command::Bill {
                id,
                purchase,
                date,
                lines,
                ..
            } => self.bill((*id, *purchase, *date), lines, model).await,
            Command::Count { product, counted } => self.count(*product, *counted).await,
            Command::Close { until } => self.close(*until).await,
            _ => self.money(command, model).await,
        }
    }

    /// Commands that move money, and what takes documents back.
    async fn money(&self, command: &Command, model: &Model) -> Result<(), String> {
        let done = match command {
            Command::Ask {
                id,
                order,
                amount,
                date,
            } => {
                let body = json!({"id": id, "amount": text(amount), "date": date});
                self.post(&format!("/v1/sales-orders/{order}/prepayments"), body).await
            }
            Command::Advance {
                id,
                prepayment,
                amount,
                date,
                ..
            } => {
                let asked = &model.prepayments[prepayment];
                let body = json!({"id": id, "direction": "in", "party_type": "customer", "party_id": asked.customer,
                    "currency": asked.currency, "amount": text(amount), "date": date, "prepayment_id": prepayment});
                self.post("/v1/payments", body).await
            }
            Command::Pay { id, paying } => self.post("/v1/payments", payment(*id, paying, model)).await,
            Command::Enter {
                id,
                amount,
                currency,
                date,
                rate,
            } => {
                let base = text(&crate::invariants::model::convert(*amount, *rate));
                let lines = json!([
                    {"account": "6030", "debit": text(amount), "currency": currency, "base_amount": base},
                    {"account": crate::invariants::model::bank(currency), "credit": text(amount), "currency": currency, "base_amount": base}]);
                let body = json!({"id": id, "date": date, "description": "Rent", "post": true, "lines": lines});
                self.post("/v1/journal-entries", body).await
            }
            Command::CancelPrepayment { prepayment, date } => {
                let body = json!({"reason": "not wanted", "date": date});
                self.post(&format!("/v1/prepayments/{prepayment}/cancel"), body).await
            }
            Command::ReverseBill { bill, date } => self.reverse(&format!("/v1/supplier-bills/{bill}"), *date).await,
            Command::ReversePayment { payment, date } => self.reverse(&format!("/v1/payments/{payment}"), *date).await,
            Command::ReverseEntry { entry, date } => self.reverse(&format!("/v1/journal-entries/{entry}"), *date).await,
            _ => unreachable!("a command that moves no money: {command:?}"),
        };
        done.map(drop)
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        done(self.erp.post(path, body).await)
    }

    async fn reverse(&self, path: &str, date: NaiveDate) -> Result<Value, String> {
        let body = json!({"reason": "a mistake", "date": date});
        self.post(&format!("{path}/reverse"), body).await
    }

    fn remember_lines(&mut self, document: Uuid, made: &Value) {
        let lines = made["lines"].as_array().expect("lines").iter().map(id).collect();
        self.lines.insert(document, lines);
    }

    async fn order(&self, order: &Order, date: NaiveDate) -> Result<(), String> {
        let lines = order.lines.iter().map(|line| {
            json!({"id": line.id, "product_id": line.product, "quantity": text(&line.quantity),
                "unit_price": text(&line.unit_price), "discount": text(&line.discount)})
        });
        let body = json!({"id": order.id, "customer_id": order.customer, "currency": order.currency, "order_date": date,
            "confirm": true, "lines": lines.collect::<Vec<_>>()});
        self.post("/v1/sales-orders", body).await.map(drop)
    }

    async fn take_back(&self, id: Uuid, asked: Value, quantity: &str, date: NaiveDate) -> Result<(), String> {
        self.post("/v1/sales-returns", asked).await?;
        let path = format!("/v1/sales-returns/{id}");
        let received = self.post(&format!("{path}/receive"), json!({"date": date})).await?;
        let verdict = json!([{"id": received["lines"][0]["id"], "restock": quantity}]);
        let body = json!({"date": date, "lines": verdict});
        self.post(&format!("{path}/inspect"), body).await.map(drop)
    }

    async fn purchase(&mut self, purchase: &Purchase, date: NaiveDate) -> Result<(), String> {
        let lines = purchase.lines.iter().map(|line| {
            json!({"product_id": line.product, "quantity": text(&line.quantity), "unit_price": text(&line.unit_price)})
        });
        let body = json!({"id": purchase.id, "supplier_id": purchase.supplier, "order_date": date, "submit": true,
            "lines": lines.collect::<Vec<_>>()});
        let made = self.post("/v1/purchase-orders", body).await?;
        self.remember_lines(purchase.id, &made);
        Ok(())
    }

    /// Enters and posts a bill; what is held for its price is released by somebody else, other held bills are cancelled.
    async fn bill(
        &self,
        (bill, purchase, date): (Uuid, Uuid, NaiveDate),
        lines: &[(usize, Decimal, Decimal)],
        model: &Model,
    ) -> Result<(), String> {
        let ids = &self.lines[&purchase];
        let lines = lines.iter().map(|(index, quantity, price)| {
            json!({"order_line_id": ids[*index], "quantity": text(quantity), "unit_price": text(price)})
        });
        let purchase = &model.purchases[&purchase];
        let body = json!({"id": bill, "supplier_id": purchase.supplier, "currency": purchase.currency,
            "supplier_number": bill.to_string(), "bill_date": date, "lines": lines.collect::<Vec<_>>()});
        self.post("/v1/supplier-bills", body).await?;
        let path = format!("/v1/supplier-bills/{bill}");
        let problem = match self.post(&format!("{path}/post"), json!({"date": date})).await {
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
        let cancelled = self
            .post(&format!("{path}/cancel"), json!({"reason": "not ours"}))
            .await;
        cancelled.expect("a cancelled bill");
        Err(problem)
    }

    async fn count(&self, product: Uuid, counted: Decimal) -> Result<(), String> {
        let body = json!({"warehouse_id": self.warehouse, "product_ids": [product]});
        let sheet = self.post("/v1/stock-counts", body).await?;
        let path = format!("/v1/stock-counts/{}", id(&sheet));
        let line = json!({"line_id": sheet["lines"][0]["id"], "counted_quantity": text(&counted)});
        let body = json!({"complete": true, "lines": [line]});
        self.post(&format!("{path}/record"), body).await?;
        done(self.second.post(&format!("{path}/approve"), json!({})).await).map(drop)
    }

    /// Closes a month; before that its currencies are revalued, and warnings are accepted.
    async fn close(&self, until: NaiveDate) -> Result<(), String> {
        let periods = self.erp.get(&format!("/v1/periods?date={until}")).await.expect(200);
        let period = &periods["items"][0];
        assert_eq!(period["ends_on"], json!(until), "{periods:#}");
        let path = format!("/v1/periods/{}", id(period));
        if period["status"] != "closed" {
            self.post("/v1/revaluations", json!({"date": until})).await?;
        }
        let checklist = self.erp.get(&format!("{path}/checklist")).await.expect(200);
        let accept: Vec<Value> = checklist["warnings"]
            .as_array()
            .expect("warnings")
            .iter()
            .map(|warning| json!({"code": warning["code"], "reason": "known"}))
            .collect();
        self.post(&format!("{path}/close"), json!({"accept": accept}))
            .await
            .map(drop)
    }
}

fn payment(id: Uuid, paying: &Paying, model: &Model) -> Value {
    let item = &model.items[&paying.document];
    let (direction, party) = match item.receivable {
        true => ("in", "customer"),
        false => ("out", "supplier"),
    };
    let mut allocation =
        json!({"document_id": paying.document, "amount": text(&paying.cleared), "discount": text(&paying.discount)});
    if let Some(paid) = &paying.paid {
        allocation["paid"] = json!(text(paid));
    }
    json!({"id": id, "direction": direction, "party_type": party, "party_id": item.party, "currency": paying.bank,
        "amount": text(&paying.amount), "date": paying.date, "allocations": [allocation]})
}
