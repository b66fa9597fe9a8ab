//! The company's people at work in the CRM: teams and users, the deals that they have, quotes, leads from
//! a form, a segment, and what they are to reach.
//!
//! Who sold to a customer last looks after it. The rest follows from the order of the files and the day
//! on which the load began, so that it is the same when a load goes on.

use super::orders::WIDTH;
use super::requests::kind;
use super::{Company, Customer, Employee, Product};
use crate::api::{Api, understood};
use crate::failure::Result;
use crate::progress::{Progress, Step};
use chrono::{Datelike, Days, NaiveDate};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Customers with a deal.
const DEALS: usize = 48;
/// The stages of the pipeline that is there from the beginning.
const STAGES: [&str; 4] = ["new", "qualified", "proposal", "negotiation"];

const SOURCES: [&str; 4] = ["website", "fair", "referral", "call"];
const SUBJECTS: [&str; 6] = [
    "Spring stock",
    "Workshop supplies",
    "Trial of the new range",
    "Year's agreement",
    "Second branch",
    "Club edition",
];
const LOST: [&str; 4] = ["price", "competitor", "no_decision", "timing"];

/// Who asks for an offer on the website.
const VISITORS: [(&str, &str, &str); 6] = [
    ("Ingrid Solheim", "Fjord Cycles", "ingrid@fjordcycles.example"),
    ("Marek Dudek", "Rowerownia Dudek", "marek@dudek.example"),
    ("Aoife Brennan", "Canal Street Bikes", "aoife@canalstreet.example"),
    ("Luis Ortega", "Ciclos Ortega", "luis@ortega.example"),
    ("Hannah Weiss", "Radhaus Weiss", "hannah@radhaus.example"),
    ("Tom Abbott", "Abbott & Daughters", "tom@abbott.example"),
];

#[derive(Deserialize)]
struct Form {
    key: String,
}

/// Somebody of the company as a user of the CRM.
pub struct Person {
    pub name: String,
    pub email: String,
    /// `own`, `team` or `all`.
    pub sees: &'static str,
    id: Uuid,
    employee: i64,
    team: Uuid,
}

pub(super) struct Sales<'a> {
    pub company: &'a Company,
    pub crm: &'a Api,
    pub progress: &'a Progress,
    pub password: &'a str,
    pub today: NaiveDate,
}

impl Company {
    pub fn user_uuid(&self, employee: i64) -> Uuid {
        self.uuid(kind::USER, employee)
    }

    /// Who looks after a customer: who sold to it last, else whom its place in the file falls to.
    pub(super) fn owner_of(&self, customer: &Customer) -> Option<Uuid> {
        let last = self.orders.iter().rfind(|order| order.customer_id == customer.id);
        let seller = last.map(|order| order.employee_id);
        let first = self.employees.first().map(|employee| employee.id);
        seller.or(first).map(|employee| self.user_uuid(employee))
    }

    /// Its people, as users of the CRM: who has nobody above sees everything, and whoever leads others sees
    /// those of the same country; that is a team.
    pub fn people(&self) -> Vec<Person> {
        let leads = |who: &Employee| self.employees.iter().any(|other| other.reports_to == Some(who.id));
        let head = |who: &Employee| who.reports_to.is_none() || self.leads_leaders(who);
        let mut taken = BTreeSet::new();
        let people = self.employees.iter().map(|who| {
            let mut name = ascii(&who.last_name);
            if name.is_empty() || !taken.insert(name.clone()) {
                name = format!("{name}{}", who.id);
            }
            let domain = ascii(self.name.split_whitespace().next().unwrap_or_default());
            let domain = if domain.is_empty() { "demo".to_owned() } else { domain };
            Person {
                name: format!("{} {}", who.first_name, who.last_name),
                email: format!("{name}@{domain}.example"),
                sees: match (head(who), leads(who)) {
                    (true, _) => "all",
                    (_, true) => "team",
                    _ => "own",
                },
                id: self.user_uuid(who.id),
                employee: who.id,
                team: self.uuid(kind::TEAM, who.country),
            }
        });
        people.collect()
    }

    fn leads_leaders(&self, who: &Employee) -> bool {
        let reports = |of: i64| self.employees.iter().filter(move |other| other.reports_to == Some(of));
        reports(who.id).any(|other| reports(other.id).next().is_some())
    }
}

/// The letters of a name, small and without accents.
fn ascii(name: &str) -> String {
    let plain = |letter: char| match letter {
        'à'..='å' => Some('a'),
        'ç' => Some('c'),
        'è'..='ë' => Some('e'),
        'ì'..='ï' => Some('i'),
        'ñ' => Some('n'),
        'ò'..='ö' | 'ø' => Some('o'),
        'ù'..='ü' => Some('u'),
        _ => letter.is_ascii_alphanumeric().then_some(letter),
    };
    name.chars().flat_map(char::to_lowercase).filter_map(plain).collect()
}

impl Sales<'_> {
    /// Before the customers, which are theirs.
    pub async fn people(&self) -> Result<()> {
        let people = self.company.people();
        let step = self.progress.step("Users of the CRM", people.len());
        let mut teams = BTreeSet::new();
        for employee in &self.company.employees {
            if teams.insert(&employee.country) {
                let id = self.company.uuid(kind::TEAM, employee.country);
                let body = json!({ "id": id, "name": format!("Sales {}", employee.country) });
                self.make("/v1/teams", id, &body).await?;
            }
        }
        for person in &people {
            let role = if person.sees == "own" { "sales" } else { "sales_manager" };
            let body = json!({
                "id": person.id, "email": person.email, "name": person.name, "role": role, "sees": person.sees,
                "team_id": person.team,
            });
            self.make("/v1/users", person.id, &body).await?;
            step.tick();
        }
        // It is slow to make, so that it is slow to guess: one of each sight has a password.
        for person in sample(&people) {
            let path = format!("/v1/users/{}/password", person.id);
            let body = json!({ "password": self.password });
            self.crm.post(&path, &self.key(person.id, "password"), &body).await?;
        }
        step.done();
        Ok(())
    }

    /// What they are at.
    pub async fn work(&self) -> Result<()> {
        self.deals().await?;
        self.leads().await?;
        self.plans().await
    }

    /// Makes a record of an id that this company's files say; a second time it is there.
    async fn make(&self, path: &str, id: Uuid, body: &Value) -> Result<Value> {
        self.crm.post(path, &id.to_string(), body).await
    }

    fn key(&self, id: Uuid, verb: &str) -> String {
        Uuid::new_v5(&id, verb.as_bytes()).to_string()
    }

    fn in_days(&self, days: i64) -> NaiveDate {
        let distance = Days::new(days.unsigned_abs());
        let day = match days < 0 {
            true => self.today.checked_sub_days(distance),
            false => self.today.checked_add_days(distance),
        };
        day.unwrap_or(self.today)
    }

    async fn deals(&self) -> Result<()> {
        let customers: Vec<(usize, &Customer)> = self.company.customers.iter().enumerate().take(DEALS).collect();
        let sold: Vec<&Product> = self.company.products.iter().filter(|p| !p.discontinued).collect();
        let step = self.progress.step("Deals, calls and quotes", customers.len());
        let deals = stream::iter(customers).map(|(n, customer)| self.deal(n, customer, &sold, &step));
        deals.buffer_unordered(WIDTH).try_collect::<()>().await?;
        step.done();
        Ok(())
    }

    /// One deal on its way: of ten, four are open, one in each stage, two more new, three won and one lost.
    async fn deal(&self, n: usize, customer: &Customer, sold: &[&Product], step: &Step) -> Result<()> {
        let company = self.company;
        let id = company.uuid(kind::DEAL, &customer.id);
        let owner = company.owner_of(customer);
        let turn = n % 10;
        let reached = match turn {
            0..=3 => turn,
            4..=5 => 0,
            6..=8 => 3,
            _ => 1,
        };
        let days = n as i64;
        let mut body = json!({
            "id": id, "customer_id": company.customer_uuid(&customer.id), "owner_id": owner,
            "contact_id": company.uuid(kind::CONTACT, &customer.id),
            "name": format!("{} for {}", SUBJECTS[n % SUBJECTS.len()], customer.company_name).chars().take(200).collect::<String>(),
            "source": SOURCES[n % SOURCES.len()],
            "expected_close_on": self.in_days(days * 3 % 80 - 6),
        });
        if turn < 4 {
            body["next_step"] = json!("Call back about the samples");
            body["next_step_on"] = json!(self.in_days(days % 9 - 2));
        }
        if turn != 5 && !sold.is_empty() {
            let first = n * 7 % sold.len();
            let lines = (first..sold.len()).take(2 + n % 2).map(|place| {
                json!({ "product_id": company.product_uuid(sold[place].id), "quantity": (4 + (n * 5 + place) % 30).to_string() })
            });
            body["lines"] = lines.collect();
        }
        self.make("/v1/deals", id, &body).await?;
        let call = self.call(id, owner, n).await?;
        let act = async |verb: &str, name: &str, body: &Value| {
            let path = format!("/v1/deals/{id}/{verb}");
            self.crm.post(&path, &self.key(id, name), body).await
        };
        for (place, stage) in STAGES.iter().enumerate().take(reached + 1).skip(1) {
            let evidence = match place {
                1 => json!([{ "step": "first_call", "evidence_id": call }]),
                _ => json!([]),
            };
            act("move", stage, &json!({ "stage": stage, "evidence": evidence })).await?;
        }
        if (2..=3).contains(&turn) && !sold.is_empty() {
            self.quote(id, customer, owner, n).await?;
        }
        match turn {
            6..=8 => {
                let body = json!({ "closed_on": self.in_days(-1 - days * 2 % 75) });
                act("win", "win", &body).await?;
            }
            9 => {
                let reason = LOST[n / 10 % LOST.len()];
                let competitor = (reason == "competitor").then_some("Velo Trade Direct");
                let body =
                    json!({ "reason": reason, "competitor": competitor, "closed_on": self.in_days(-1 - days % 60) });
                act("lose", "lose", &body).await?;
            }
            _ => self.planned(id, owner, n).await?,
        }
        step.tick();
        Ok(())
    }

    /// The first call about a deal, some days ago.
    async fn call(&self, deal: Uuid, owner: Option<Uuid>, n: usize) -> Result<Uuid> {
        let id = Uuid::new_v5(&deal, b"first call");
        let day = self.in_days(-1 - (n as i64 * 5 % 28));
        let body = json!({
            "id": id, "kind": "call", "title": "First call", "direction": if n.is_multiple_of(4) { "in" } else { "out" },
            "state": "done", "outcome": "reached", "duration_minutes": 5 + n % 25, "done_at": format!("{day}T09:30:00Z"),
            "subject_type": "deal", "subject_id": deal, "owner_id": owner,
        });
        self.make("/v1/activities", id, &body).await?;
        Ok(id)
    }

    /// What is to be done for an open deal: a task, some of them late, or a meeting.
    async fn planned(&self, deal: Uuid, owner: Option<Uuid>, n: usize) -> Result<()> {
        let id = Uuid::new_v5(&deal, b"planned");
        let mut body = json!({ "id": id, "subject_type": "deal", "subject_id": deal, "owner_id": owner });
        let day = self.in_days(n as i64 % 12 - 3);
        let fields = match n % 4 {
            3 => json!({
                "kind": "meeting", "title": "Visit with samples", "location": "At the customer's",
                "starts_at": format!("{day}T13:00:00Z"), "ends_at": format!("{day}T14:00:00Z"),
            }),
            _ => json!({ "kind": "task", "title": "Send the price list", "due_on": day }),
        };
        if let (Some(body), Value::Object(fields)) = (body.as_object_mut(), fields) {
            body.extend(fields);
        }
        self.make("/v1/activities", id, &body).await.map(|_| ())
    }

    /// A quote of what the deal is about: drafts, sent ones, and one in three of these declined.
    async fn quote(&self, deal: Uuid, customer: &Customer, owner: Option<Uuid>, n: usize) -> Result<()> {
        let id = Uuid::new_v5(&deal, b"quote");
        let body = json!({
            "id": id, "deal_id": deal, "customer_id": self.company.customer_uuid(&customer.id), "owner_id": owner,
            "title": SUBJECTS[n % SUBJECTS.len()], "terms": "Net 30 days.", "valid_until": self.in_days(30),
        });
        self.make("/v1/quotes", id, &body).await?;
        if n % 10 == 3 {
            self.crm
                .command(&format!("/v1/quotes/{id}/send"), &self.key(id, "send"))
                .await?;
            if n / 10 % 3 == 2 {
                let path = format!("/v1/quotes/{id}/decline");
                let body = json!({ "reason": "Wants fewer of each" });
                self.crm.post(&path, &self.key(id, "decline"), &body).await?;
            }
        }
        Ok(())
    }

    /// A form of the website, those who filled it in, and a segment.
    async fn leads(&self) -> Result<()> {
        let step = self.progress.step("Leads from a form", VISITORS.len());
        let id = self.company.uuid(kind::LEAD_FORM, "website");
        let fields =
            ["name", "company", "email", "message"].map(|name| json!({ "name": name, "required": name == "email" }));
        let body = json!({
            "id": id, "name": "Ask for an offer", "source": "website", "campaign": "autumn", "honeypot": "fax", "fields": fields,
            "allowed_origins": ["https://www.example.com"],
        });
        let path = "/v1/lead-forms";
        let form: Form = understood(path, self.make(path, id, &body).await?)?;
        let sent: Vec<IgnoredAny> = self.crm.list(&format!("{path}/{id}/submissions")).await?;
        for (name, company, email) in VISITORS.iter().skip(sent.len()) {
            let body = json!({ "name": name, "company": company, "email": email,
                "message": "Please send us your trade prices.", "utm_source": "newsletter" });
            let path = format!("/v1/forms/{}/submissions", form.key);
            self.crm.post(&path, &self.key(id, email), &body).await?;
            step.tick();
        }
        step.done();
        let id = self.company.uuid(kind::SEGMENT, "sleeping");
        let body = json!({ "id": id, "name": "Sleeping", "kind": "rule", "rule": "last_order_on < today-90d",
            "description": "No order for 90 days" });
        self.make("/v1/segments", id, &body).await?;
        self.crm
            .command(&format!("/v1/segments/{id}/refresh"), &self.key(id, "refresh"))
            .await?;
        Ok(())
    }

    /// What everybody is to reach this month, and of revenue also in the last month of the files.
    async fn plans(&self) -> Result<()> {
        let sold: HashMap<i64, usize> = self.company.orders.iter().fold(HashMap::new(), |mut sold, order| {
            *sold.entry(order.employee_id).or_default() += 1;
            sold
        });
        let closing = self.company.closing_date();
        let months: BTreeSet<(i32, u32)> = [closing, self.today].map(|day| (day.year(), day.month())).into();
        let people = self.company.people();
        let sellers = people.iter().filter(|person| sold.contains_key(&person.employee));
        let planned: Vec<(Uuid, String, &str, String)> = sellers
            .flat_map(|person| {
                let orders = sold.get(&person.employee).copied().unwrap_or_default();
                let kinds = [
                    ("calls", "6".to_owned()),
                    ("deals", "2".to_owned()),
                    ("revenue", (orders * 60).to_string()),
                ];
                let all = months.iter().flat_map(move |(year, month)| {
                    kinds
                        .clone()
                        .map(|(kind, target)| (person.id, format!("{year:04}-{month:02}"), kind, target))
                });
                all.collect::<Vec<_>>()
            })
            .collect();
        let step = self.progress.step("Plans", planned.len());
        for (owner, month, kind, target) in planned {
            let id = Uuid::new_v5(&owner, format!("{month} {kind}").as_bytes());
            let body = json!({ "id": id, "owner_id": owner, "month": month, "kind": kind, "target": target });
            self.make("/v1/plans", id, &body).await?;
            step.tick();
        }
        step.done();
        Ok(())
    }
}

/// One of each sight: who sees everything, a team, own records.
pub fn sample(people: &[Person]) -> Vec<&Person> {
    let last_of = |sees: &str| people.iter().rfind(|person| person.sees == sees);
    ["all", "team", "own"].into_iter().filter_map(last_of).collect()
}
