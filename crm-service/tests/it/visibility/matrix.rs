//! The matrix: every operation × sight × kind of record. A module that is added makes one of its records
//! below; an operation on a kind that nobody makes fails.

use crate::activities::smtp::Server;
use crate::attachments::pdf;
use crate::deals::support::SALES;
use crate::documents::{invoice, payment, told};
use crate::sales::{order, product, tell_price};
use crate::support::id;
use crm_service::SERVICE;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use service_kit::testing::conventions::{Made, Make, Making, Visibility, assert_visibility};

const VISIBILITY: Visibility = Visibility {
    shared,
    recipes: RECIPES,
    owned: &[
        "customers",
        "contacts",
        "addresses",
        "legal-entities",
        "consents",
        "invoices",
        "payments",
        "prices",
        "orders",
        "deals",
        "activities",
        "emails",
        "attachments",
        "leads",
        "quotes",
        "views",
    ],
    for_all: &[
        "products",
        "categories",
        "exchange-rates",
        "pipelines",
        "loss-reasons",
        "custom-fields",
        "email-templates",
        "segments",
        "grade-runs",
        "lead-forms",
        "lead-scoring-rules",
        "lead-assignment-rules",
        "quote-templates",
        "discount-limits",
        "resources",
        "users",
        "teams",
    ],
    elsewhere: &[
        ("bookings", "that a slot is taken is seen by all, and no more: bookings"),
        ("api-keys", "only for those who see all"),
        ("analysis-runs", "of what their maker saw: analytics::runs"),
        ("plans", "of users and teams, not of records: analytics::plans"),
        ("grade-proposals", "seen with their customers: customer_depth::grades"),
        ("lead-submissions", "seen with their leads: leads::sight"),
        ("imports", "only for those who see all"),
        ("sessions", "one's own: sign_in"),
        ("notifications", "one's own: activities::reminders"),
    ],
    body,
    query: |_| None,
    changing: &["as_of", "read_at", "seconds", "average_seconds"],
};

/// In this order: each may build on what stands before it.
const RECIPES: &[Make] = &[
    customers,
    consents,
    documents,
    prices,
    orders,
    deals,
    activities,
    emails,
    attachments,
    leads,
    quotes,
    views,
];

async fn made(making: &Making<'_>, path: &str, body: Value) -> Value {
    making.client.post(path, body).await.expect(201)
}

fn shared<'a>(making: &'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>> {
    async move {
        let sync = making.test.integration();
        let tea = Made {
            kind: "products",
            id: crate::sales::new_id(),
        };
        let path = format!("/v1/products/{}", tea.id);
        sync.put(&path, product(1, "TEA", "Tea")).await.expect(201);
        let pipeline = Made {
            kind: "pipelines",
            id: SALES.to_owned(),
        };
        let segment = json!({ "name": "Trade fair", "kind": "static" });
        let segment = Made::of("segments", &made(making, "/v1/segments", segment).await);
        vec![tea, pipeline, segment]
    }
    .boxed_local()
}

fn customers<'a>(making: &'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>> {
    async move {
        let name = |what: &str| format!("{} {what}", making.mark);
        let body = json!({
            "name": name("Ltd"), "kind": "company", "external_ref": name("ref"), "tags": [making.mark.to_lowercase()],
            "contacts": [{ "name": name("Maria"), "email": format!("{}@example.com", making.mark.to_lowercase()) }],
            "addresses": [{ "kind": "shipping", "street": name("Street"), "city": "Graz", "country": "AT" }],
            "legal_entities": [{ "name": name("GmbH") }],
        });
        let customer = made(making, "/v1/customers", body).await;
        let path = format!("/v1/segments/{}/members/add", making.id("segments"));
        let member = json!({ "customer_ids": [customer["id"]] });
        making.client.post(&path, member).await.expect(200);
        vec![
            Made::of("customers", &customer),
            Made::of("contacts", &customer["contacts"][0]),
            Made::of("addresses", &customer["addresses"][0]),
            Made::of("legal-entities", &customer["legal_entities"][0]),
        ]
    }
    .boxed_local()
}

fn consents<'a>(making: &'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>> {
    async move {
        let body = json!({ "channel": "sms", "state": "granted", "legal_basis": "consent", "source": making.mark });
        let path = format!("/v1/customers/{}/consents", making.id("customers"));
        vec![Made::of("consents", &made(making, &path, body).await)]
    }
    .boxed_local()
}

/// A file on each kind of record.
fn attachments<'a>(making: &'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>> {
    async move {
        let mut all = Vec::new();
        for (subject, kind) in [("customer", "customers"), ("deal", "deals"), ("order", "orders")] {
            let name = format!("{}.pdf", making.mark);
            all.push(Made::of(
                "attachments",
                &pdf(making.client, (subject, making.id(kind)), &name).await,
            ));
        }
        all
    }
    .boxed_local()
}

fn documents<'a>(making: &'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>> {
    async move {
        let of = json!({ "id": making.id("customers") });
        let number = json!({ "number": making.mark });
        let (invoice, payment) = (invoice(&of, &number), payment(&of, &number));
        for (kind, document) in [("invoice", &invoice), ("payment", &payment)] {
            let (path, body) = told(kind, document, 1);
            making.test.integration().put(&path, body).await.expect(201);
        }
        vec![Made::of("invoices", &invoice), Made::of("payments", &payment)]
    }
    .boxed_local()
}

/// What is agreed with a customer.
fn prices<'a>(making: &'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>> {
    async move {
        let agreed = json!({ "customer_id": making.id("customers") });
        let id = tell_price(&making.test.integration(), making.id("products"), "9.80", agreed).await;
        vec![Made { kind: "prices", id }]
    }
    .boxed_local()
}

fn orders<'a>(making: &'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>> {
    async move {
        let mut body = order(&json!({ "id": making.id("customers") }));
        body["external_ref"] = json!(format!("{} order", making.mark));
        body["submit"] = json!(true);
        vec![Made::of("orders", &made(making, "/v1/orders", body).await)]
    }
    .boxed_local()
}

fn deals<'a>(making: &'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>> {
    async move {
        let body = json!({
            "name": format!("{} deal", making.mark), "customer_id": making.id("customers"), "pipeline_id": SALES,
            "currency": "EUR", "expected_close_on": "2099-06-30", "source": making.mark,
            "lines": [{ "product_id": making.id("products"), "quantity": "10", "unit_price": "7.00" }],
        });
        vec![Made::of("deals", &made(making, "/v1/deals", body).await)]
    }
    .boxed_local()
}

fn activities<'a>(making: &'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>> {
    async move {
        let mut all = Vec::new();
        for (subject, kind) in [("customer", "customers"), ("deal", "deals"), ("order", "orders")] {
            let body = json!({
                "kind": "task", "title": format!("{} to do", making.mark), "due_on": "2099-06-30",
                "subject_type": subject, "subject_id": making.id(kind),
            });
            all.push(Made::of("activities", &made(making, "/v1/activities", body).await));
        }
        all
    }
    .boxed_local()
}

fn emails<'a>(making: &'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>> {
    async move {
        let body = json!({
            "to": [format!("{}@example.com", making.mark.to_lowercase())], "subject": format!("{} offer", making.mark),
            "text": making.mark, "subject_type": "customer", "subject_id": making.id("customers"),
        });
        vec![Made::of("emails", &made(making, "/v1/emails", body).await)]
    }
    .boxed_local()
}

fn leads<'a>(making: &'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>> {
    async move {
        let mail = format!("{}@leads.example", making.mark.to_lowercase());
        let body = json!({ "name": format!("{} lead", making.mark), "company": making.mark, "email": mail, "source": making.mark });
        vec![Made::of("leads", &made(making, "/v1/leads", body).await)]
    }
    .boxed_local()
}

fn quotes<'a>(making: &'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>> {
    async move {
        let line = json!({ "product_id": making.id("products"), "quantity": "10", "unit_price": "7.00" });
        let body = json!({
            "title": format!("{} quote", making.mark), "customer_id": making.id("customers"),
            "deal_id": making.id("deals"), "currency": "EUR", "lines": [line],
        });
        vec![Made::of("quotes", &made(making, "/v1/quotes", body).await)]
    }
    .boxed_local()
}

fn views<'a>(making: &'a Making<'a>) -> LocalBoxFuture<'a, Vec<Made>> {
    async move {
        let body = json!({ "name": format!("{} view", making.mark), "record_type": "customer" });
        vec![Made::of("views", &made(making, "/v1/views", body).await)]
    }
    .boxed_local()
}

/// Bodies that a schema does not give away.
fn body(operation: &str, making: &Making<'_>) -> Option<Value> {
    let line = json!({ "product_id": making.id("products"), "quantity": "10", "unit_price": "7.00" });
    Some(match operation {
        "POST /v1/orders" => order(&json!({ "id": making.id("customers") })),
        "PUT /v1/orders/{id}" => order(&json!({ "id": making.id("customers") })),
        "POST /v1/orders/{id}/change-requests" => {
            json!({ "requests": [{ "kind": "date", "requested_date": "2099-12-31" }] })
        }
        "POST /v1/deals" => json!({ "name": "Tea", "customer_id": making.id("customers"), "lines": [line] }),
        "PATCH /v1/deals/{id}" => json!({ "lines": [line] }),
        "POST /v1/customers/{id}/merge" => json!({ "into": making.id("customers") }),
        "POST /v1/quotes" => json!({ "title": "Tea", "customer_id": making.id("customers"), "lines": [line] }),
        "PATCH /v1/quotes/{id}" => json!({ "lines": [line] }),
        "POST /v1/deals/{id}/lose" => json!({ "reason": "price" }),
        "POST /v1/activities" => {
            json!({ "kind": "note", "title": "Note", "body": "Note", "subject_type": "customer", "subject_id": making.id("customers") })
        }
        "POST /v1/emails" => {
            json!({ "to": ["x@example.com"], "subject": "x", "text": "x", "subject_type": "customer", "subject_id": making.id("customers") })
        }
        _ => return None,
    })
}

#[actix_web::test]
async fn nobody_learns_of_a_record_that_is_out_of_their_sight() {
    let mail = Server::start();
    let crm = mail.crm().await;
    assert_visibility(&crm, &SERVICE, &VISIBILITY).await;
    // A word on the marks: they are in what everybody sees of their own.
    let own = crm.client.get("/v1/customers?q=Vermilion").await.expect(200);
    assert!(!id(&own["items"][0]).is_empty());
}
