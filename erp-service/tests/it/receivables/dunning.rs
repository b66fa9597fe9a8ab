//! Reminders, with figures by hand. The levels that come with the installation: from 7, 21 and 35 days overdue, 14 days between letters;
//! the third one puts the customer on credit hold.

use super::days_ago;
use crate::given;
use crate::shop::{Shop, id};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

impl Shop {
    /// An opening item of the customer that is overdue by so many days; answers the open item's id.
    async fn overdue(&self, customer: Uuid, number: &str, amount: &str, days: u64) -> Uuid {
        let body = json!({"kind": "invoice", "party_id": customer, "document_number": number, "document_date": days_ago(days + 30),
            "due_date": days_ago(days), "currency": "USD", "amount": amount, "date": days_ago(days + 30)});
        let made = self.erp.post("/v1/opening-items", body).await.expect(201);
        made["open_item_id"].as_str().unwrap().parse().unwrap()
    }

    async fn run(&self, body: Value) -> Value {
        self.erp.post("/v1/dunning-runs", body).await.expect(201)
    }

    async fn issue(&self, run: &Value) -> Value {
        let path = format!("{}/issue", given::path("dunning-runs", run));
        self.erp.post(&path, json!({})).await.expect(200)
    }

    async fn pay(&self, item: Uuid, amount: &str) {
        let body = json!({"direction": "in", "party_type": "customer", "party_id": self.customer, "amount": amount,
            "allocations": [{"open_item_id": item}]});
        self.erp.post("/v1/payments", body).await.expect(201);
    }

    async fn item(&self, item: Uuid) -> Value {
        self.erp.get(&format!("/v1/open-items/{item}")).await.expect(200)
    }
}

/// (document, open, days overdue, level before, level) of the items of a letter.
fn items(letter: &Value) -> Vec<(String, String, i64, i64, i64)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_i64().unwrap_or(-1);
    let all = letter["items"].as_array().unwrap().iter();
    all.map(|item| {
        let levels = (number(&item["level_before"]), number(&item["level"]));
        let days = number(&item["days_overdue"]);
        (
            text(&item["document_number"]),
            text(&item["open_amount"]),
            days,
            levels.0,
            levels.1,
        )
    })
    .collect()
}

fn own(rows: &[(&str, &str, i64, i64, i64)]) -> Vec<(String, String, i64, i64, i64)> {
    let owned = rows
        .iter()
        .map(|row| (row.0.to_owned(), row.1.to_owned(), row.2, row.3, row.4));
    owned.collect()
}

#[tokio::test]
async fn a_run_reminds_of_what_is_overdue_one_level_at_a_time() {
    let shop = Shop::open().await;
    let other = Uuid::now_v7();
    shop.new_customer(other).await;
    let old = shop.overdue(shop.customer, "A-1", "100.00", 60).await;
    shop.overdue(shop.customer, "A-2", "50.00", 7).await;
    shop.overdue(shop.customer, "A-3", "25.00", 6).await;
    let disputed = shop.overdue(shop.customer, "A-4", "70.00", 40).await;
    let path = format!("/v1/open-items/{disputed}/dispute");
    shop.erp.post(&path, json!({"reason": "never came"})).await.expect(201);
    shop.overdue(other, "B-1", "10.00", 20).await;

    // A look at it keeps nothing.
    let shown = shop
        .erp
        .post("/v1/dunning-runs?dry_run=true", json!({}))
        .await
        .expect(200);
    assert_eq!(shown["letters"].as_array().unwrap().len(), 2);
    let none = shop.erp.get("/v1/dunning-runs").await.expect(200);
    assert_eq!(none["items"], json!([]));

    let run = shop.run(json!({})).await;
    assert_eq!(
        (&run["status"], &run["letter_count"], &run["allowed_actions"]),
        (&json!("draft"), &json!(2), &json!(["issue", "discard"]))
    );
    let find = |run: &Value, customer: Uuid| {
        let letters = run["letters"].as_array().unwrap().iter();
        letters
            .filter(|letter| letter["customer_id"] == json!(customer))
            .cloned()
            .collect::<Vec<_>>()
    };
    let letter = find(&run, shop.customer).remove(0);
    assert_eq!(
        items(&letter),
        own(&[("A-1", "100.00", 60, 0, 1), ("A-2", "50.00", 7, 0, 1)])
    );
    assert_eq!(
        (
            &letter["level"],
            &letter["open_amount"],
            &letter["fee"],
            &letter["total"],
            &letter["number"]
        ),
        (
            &json!(1),
            &json!("150.00"),
            &json!("0.00"),
            &json!("150.00"),
            &Value::Null
        )
    );
    let pay_by = chrono::Utc::now().date_naive() + chrono::Days::new(14);
    let words = letter["body"].as_str().unwrap();
    assert!(
        words.contains(&format!("They come to 150.00 USD. Please pay by {pay_by}")),
        "{words}"
    );
    assert_eq!(shop.item(old).await["dunning_level"], 0);

    let issued = shop.issue(&run).await;
    assert_eq!(issued["status"], "issued");
    let mut numbers: Vec<&str> = issued["letters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["number"].as_str().unwrap())
        .collect();
    numbers.sort_unstable();
    let year = chrono::Datelike::year(&days_ago(0));
    assert_eq!(numbers, [format!("DUN-{year}-000001"), format!("DUN-{year}-000002")]);
    let item = shop.item(old).await;
    assert_eq!(
        (&item["dunning_level"], &item["dunned_on"]),
        (&json!(1), &json!(days_ago(0)))
    );
    assert_eq!(shop.item(disputed).await["dunning_level"], 0);

    // The waiting days of level 1 are not over: however late, nothing goes up again today.
    let again = shop.run(json!({})).await;
    assert_eq!(again["letters"], json!([]));
    let reminded = shop.erp.get("/v1/open-items?dunning_level_from=1").await.expect(200);
    assert_eq!(reminded["items"].as_array().unwrap().len(), 3);

    let events = given::events(&shop.erp, "dunning_letter.changed,dunning_run.changed").await;
    let told: Vec<_> = given::of(&events, &run)
        .into_iter()
        .map(|(_, data)| data["status"].clone())
        .collect();
    assert_eq!(told, [json!("draft"), json!("issued")]);
    let told = given::of(&events, &letter);
    assert_eq!((told.len(), &told[0].1["status"]), (1, &json!("issued")));
    let path = format!("/v1/audit-log?subject={}", id(&letter));
    let audit = shop.erp.get(&path).await.expect(200);
    assert_eq!(audit["items"].as_array().unwrap().len(), 2);
}

/// Letters of 40, 26 and 12 days ago: 100.00 goes up to the third level, with a fee of 11.00, and the customer on hold.
#[tokio::test]
async fn the_last_level_costs_a_fee_and_stops_deliveries() {
    let shop = Shop::open().await;
    let levels = shop.erp.get("/v1/dunning-levels").await.expect(200);
    let known: Vec<_> = levels["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|level| {
            (
                level["level"].clone(),
                level["days_overdue"].clone(),
                level["credit_hold"].clone(),
            )
        })
        .collect();
    assert_eq!(
        known,
        [
            (json!(1), json!(7), json!(false)),
            (json!(2), json!(21), json!(false)),
            (json!(3), json!(35), json!(true))
        ]
    );
    let third = given::path("dunning-levels", &levels["items"][2]);
    let texts = json!([{"language": "en", "subject": "Last call", "body": "{customer}: {open} − {credits} + {fee} = {total} {currency}"}]);
    let patch = json!({"fee": "11.00", "texts": texts});
    shop.erp.patch(&third, patch).await.expect(200);
    shop.overdue(shop.customer, "A-1", "100.00", 60).await;
    // 30.00 on account comes off what is asked for.
    let on_account = json!({"direction": "in", "party_type": "customer", "party_id": shop.customer, "amount": "30.00"});
    shop.erp.post("/v1/payments", on_account).await.expect(201);
    let mut seen = Vec::new();
    for days in [40, 26, 12] {
        let run = shop.run(json!({"date": days_ago(days)})).await;
        let issued = shop.issue(&run).await;
        let letter = &issued["letters"][0];
        seen.push((letter["level"].clone(), letter["fee"].clone(), letter["total"].clone()));
    }
    assert_eq!(
        seen,
        [
            (json!(1), json!("0.00"), json!("70.00")),
            (json!(2), json!("0.00"), json!("70.00")),
            (json!(3), json!("11.00"), json!("81.00"))
        ]
    );
    let letters = shop
        .erp
        .get("/v1/dunning-letters?level=3&status=issued")
        .await
        .expect(200);
    let letter = &letters["items"][0];
    assert_eq!(
        letter["body"],
        "Alfreds Futterkiste: 100.00 − 30.00 + 11.00 = 81.00 USD"
    );
    let customer = shop.customer_now().await;
    assert_eq!(
        (&customer["credit_hold"], &customer["credit_hold_reason"]),
        (
            &json!(true),
            &json!(format!("reminder {} of level 3", letter["number"].as_str().unwrap()))
        )
    );
    let product = shop.stocked("A", "5").await;
    let order = shop.confirmed(product, "1").await;
    assert_eq!(
        (&order["status"], &order["holds"][0]["code"]),
        (&json!("on_hold"), &json!("credit_hold"))
    );
    // The fee is asked for, not posted: the ledger has what was invoiced.
    assert_eq!(customer["open_balance"], "70.00");
    // After the last level there is none.
    let none = shop.run(json!({})).await;
    assert_eq!(none["letters"], json!([]));
}

#[tokio::test]
async fn what_was_paid_disputed_or_exempted_since_is_left_out() {
    let shop = Shop::open().await;
    let (second, third) = (Uuid::now_v7(), Uuid::now_v7());
    shop.new_customer(second).await;
    shop.new_customer(third).await;
    let paid = shop.overdue(shop.customer, "A-1", "100.00", 10).await;
    let partly = shop.overdue(shop.customer, "A-2", "50.00", 10).await;
    shop.overdue(second, "B-1", "10.00", 10).await;
    let disputed = shop.overdue(third, "C-1", "10.00", 10).await;
    let run = shop.run(json!({})).await;
    assert_eq!(run["letter_count"], 3);
    shop.pay(paid, "100.00").await;
    shop.pay(partly, "20.00").await;
    let settings = format!("/v1/dunning-settings/{second}");
    let half = json!({"exempt_until": days_ago(0)});
    shop.erp.patch(&settings, half).await.expect_problem(422, "required");
    let exempt = json!({"exempt_until": days_ago(0), "exempt_reason": "payment plan agreed"});
    let exempt = shop.erp.patch(&settings, exempt).await.expect(200);
    assert_eq!(
        (&exempt["revision"], &exempt["exempt_reason"]),
        (&json!(1), &json!("payment plan agreed"))
    );
    let path = format!("/v1/open-items/{disputed}/dispute");
    shop.erp.post(&path, json!({"reason": "never came"})).await.expect(201);

    let issued = shop.issue(&run).await;
    let of = |customer: Uuid| {
        let letters = issued["letters"].as_array().unwrap().iter();
        letters
            .filter(|letter| letter["customer_id"] == json!(customer))
            .cloned()
            .collect::<Vec<_>>()
            .remove(0)
    };
    let letter = of(shop.customer);
    let dropped: Vec<_> = letter["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["dropped"].clone())
        .collect();
    assert_eq!(dropped, [json!("paid"), Value::Null]);
    assert_eq!(
        (&letter["status"], &letter["open_amount"]),
        (&json!("issued"), &json!("30.00"))
    );
    for (customer, why) in [(second, "exempt"), (third, "disputed")] {
        let letter = of(customer);
        assert_eq!(
            (&letter["status"], &letter["items"][0]["dropped"], &letter["number"]),
            (&json!("dropped"), &json!(why), &Value::Null)
        );
    }
    assert_eq!(issued["letter_count"], 1);
    assert_eq!(shop.item(paid).await["dunning_level"], 0);
    assert_eq!(shop.item(partly).await["dunning_level"], 1);

    // Exempt up to and including that day; blocked for good.
    let on = format!("/v1/dunning-settings?exempt_on={}", days_ago(0));
    let exempt = shop.erp.get(&on).await.expect(200);
    assert_eq!(exempt["items"].as_array().unwrap().len(), 1);
    let next = shop.run(json!({"customer_ids": [second]})).await;
    assert_eq!(next["letters"], json!([]));
    let over = json!({"exempt_until": days_ago(1)});
    shop.erp.patch(&settings, over).await.expect(200);
    let next = shop.run(json!({"customer_ids": [second]})).await;
    assert_eq!(next["letter_count"], 1);
    let blocked = json!({"dunning_blocked": true});
    shop.erp
        .patch(&format!("/v1/customers/{second}"), blocked)
        .await
        .expect(200);
    let next = shop.run(json!({"customer_ids": [second]})).await;
    assert_eq!(next["letters"], json!([]));
    let unknown = json!({"customer_ids": [second, Uuid::now_v7()], "date": "2999-01-01"});
    let problem = shop
        .erp
        .post("/v1/dunning-runs", unknown)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [("/date", "future_date"), ("/customer_ids/1", "unknown_customer")]
    );
}

#[tokio::test]
async fn a_run_is_issued_once() {
    let shop = Shop::open().await;
    let item = shop.overdue(shop.customer, "A-1", "100.00", 30).await;
    let run = shop.run(json!({})).await;
    // Another draft of the same items: whoever comes second finds nothing.
    let twin = shop.run(json!({})).await;
    let path = format!("{}/issue", given::path("dunning-runs", &run));
    let shown = shop
        .erp
        .post(&format!("{path}?dry_run=true"), json!({}))
        .await
        .expect(200);
    assert_eq!(
        (
            &shown["status"],
            &shown["letters"][0]["status"],
            &shown["letters"][0]["number"]
        ),
        (&json!("issued"), &json!("issued"), &Value::Null)
    );
    let mut clients = JoinSet::new();
    for _ in 0..32 {
        let (erp, path) = (shop.erp.clone(), path.clone());
        clients.spawn(async move { erp.post(&path, json!({})).await });
    }
    let replies = clients.join_all().await;
    let issued = replies.iter().filter(|reply| reply.status == 200).count();
    let refused = replies
        .iter()
        .filter(|reply| reply.status == 409 && reply.body["code"] == "illegal_transition")
        .count();
    assert_eq!((issued, refused), (1, 31), "{replies:#?}");
    let letters = shop.erp.get("/v1/dunning-letters?status=issued").await.expect(200);
    assert_eq!(letters["items"].as_array().unwrap().len(), 1);
    assert_eq!(shop.item(item).await["dunning_level"], 1);
    let twin = shop.issue(&twin).await;
    let letter = &twin["letters"][0];
    assert_eq!(
        (&letter["status"], &letter["items"][0]["dropped"]),
        (&json!("dropped"), &json!("reminded"))
    );
    assert_eq!(shop.item(item).await["dunning_level"], 1);
    let path = format!("{}/discard", given::path("dunning-runs", &run));
    let late = json!({"reason": "too late"});
    shop.erp
        .post(&path, late)
        .await
        .expect_problem(409, "illegal_transition");
}

#[tokio::test]
async fn letters_are_removed_with_a_reason_and_printed() {
    let shop = Shop::open().await;
    let other = Uuid::now_v7();
    let body = json!({"source_version": 1, "name": "Bär & <Söhne>", "kind": "company", "status": "active", "legal_entities": [],
        "contacts": [], "addresses": [{"kind": "billing", "street": "Hauptstr. 29", "postal_code": "3012", "city": "Bern", "country": "CH"}],
        "as_of": "2026-01-01T00:00:00Z"});
    shop.sync.put(&format!("/v1/customers/{other}"), body).await.expect(201);
    shop.overdue(shop.customer, "A-1", "100.00", 10).await;
    let kept = shop.overdue(other, "B<1>", "1234.50", 10).await;
    let settings = format!("/v1/dunning-settings/{other}");
    shop.erp.patch(&settings, json!({"language": "de"})).await.expect(200);
    let run = shop.run(json!({})).await;
    let letter = |customer: Uuid| {
        let letters = run["letters"].as_array().unwrap().iter();
        letters
            .filter(|letter| letter["customer_id"] == json!(customer))
            .cloned()
            .collect::<Vec<_>>()
            .remove(0)
    };
    let path = format!("{}/remove", given::path("dunning-letters", &letter(shop.customer)));
    shop.erp.post(&path, json!({})).await.expect_problem(422, "required");
    let because = json!({"reason": "we talk to them"});
    let removed = shop.erp.post(&path, because.clone()).await.expect(200);
    assert_eq!(
        (&removed["status"], &removed["reason"]),
        (&json!("removed"), &json!("we talk to them"))
    );
    shop.erp
        .post(&path, because)
        .await
        .expect_problem(409, "illegal_transition");
    let clerk = shop.erp.new_key("custom", &["dunning:read", "dunning:write"]).await;
    let issue = format!("{}/issue", given::path("dunning-runs", &run));
    clerk.post(&issue, json!({})).await.expect_problem(403, "forbidden");
    let issued = shop.issue(&run).await;
    assert_eq!(issued["letter_count"], 1);
    let about = format!("/v1/dunning-letters?open_item_id={kept}");
    let letters = shop.erp.get(&about).await.expect(200);
    let letter = &letters["items"][0];
    assert_eq!(
        (&letter["language"], &letter["subject"]),
        (&json!("de"), &json!("Zahlungserinnerung"))
    );
    let page = shop.erp.get(letter["page"].as_str().unwrap()).await;
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let page = page.expect(200);
    let page = page.as_str().unwrap();
    let number = letter["number"].as_str().unwrap();
    for part in [
        "<html lang=\"de\">",
        "Bär &amp; &lt;Söhne&gt;<br>Hauptstr. 29<br>3012 Bern<br>CH",
        "B&lt;1&gt;",
        "1234.50 USD",
        number,
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("<Söhne>") && !page.contains("Mahngebühr"), "{page}");
    let csv = shop.erp.get("/v1/dunning-letters").await.expect(200);
    assert_eq!(csv["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn levels_are_data() {
    let shop = Shop::open().await;
    let text = |body: &str| json!([{"language": "en", "subject": "Pay", "body": body}]);
    let level = |level: i16, body: &str| json!({"level": level, "name": "Own", "days_overdue": 1, "waiting_days": 3, "minimum_amount": "50", "texts": text(body)});
    shop.erp
        .post("/v1/dunning-levels", level(1, "x"))
        .await
        .expect_problem(409, "duplicate");
    let wrong = json!({"level": 4, "name": "Own", "days_overdue": 1, "waiting_days": 3, "fee": "-1", "texts": [
        {"language": "en", "subject": "Pay", "body": "{tottal}"}, {"language": "en", "subject": "Pay", "body": "x"}]});
    let problem = shop
        .erp
        .post("/v1/dunning-levels", wrong)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/fee", "out_of_range"),
            ("/texts/0/body", "unknown_placeholder"),
            ("/texts/1/language", "duplicate")
        ]
    );
    let levels = shop.erp.get("/v1/dunning-levels").await.expect(200);
    for known in levels["items"].as_array().unwrap() {
        let path = given::path("dunning-levels", known);
        shop.erp.delete(&path).await.expect(204);
    }
    shop.erp
        .post("/v1/dunning-levels", level(5, "{total}"))
        .await
        .expect(201);
    let item = shop.overdue(shop.customer, "A-1", "49.99", 2).await;
    let small = shop.run(json!({})).await;
    assert_eq!(small["letters"], json!([]));
    shop.overdue(shop.customer, "A-2", "0.01", 1).await;
    let lower = shop.run(json!({"maximum_level": 4})).await;
    assert_eq!(lower["letters"], json!([]));
    let other = shop.run(json!({"currency": "EUR"})).await;
    assert_eq!(other["letters"], json!([]));
    let run = shop.run(json!({"currency": "USD", "maximum_level": 5})).await;
    assert_eq!(
        (&run["letters"][0]["level"], &run["letters"][0]["body"]),
        (&json!(5), &json!("50.00"))
    );
    let path = format!("{}/discard", given::path("dunning-runs", &run));
    let discarded = shop.erp.post(&path, json!({"reason": "a test"})).await.expect(200);
    assert_eq!(
        (
            &discarded["status"],
            &discarded["letters"][0]["status"],
            &discarded["letter_count"]
        ),
        (&json!("discarded"), &json!("removed"), &json!(0))
    );
    // Credits that cover it: no letter.
    let on_account = json!({"direction": "in", "party_type": "customer", "party_id": shop.customer, "amount": "50.00"});
    shop.erp.post("/v1/payments", on_account).await.expect(201);
    let covered = shop.run(json!({})).await;
    assert_eq!(covered["letters"], json!([]));
    assert_eq!(shop.item(item).await["dunning_level"], 0);
}
