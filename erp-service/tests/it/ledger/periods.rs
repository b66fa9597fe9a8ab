use super::books::{Books, path};
use crate::given;
use serde_json::{Value, json};
use service_kit::testing::Reply;

impl Books {
    pub async fn period(&self, date: &str) -> Value {
        let page = self.erp.get(&format!("/v1/periods?date={date}")).await.expect(200);
        page["items"][0].clone()
    }

    pub async fn close(&self, date: &str) -> Reply {
        let period = self.period(date).await;
        self.erp
            .post(&format!("{}/close", given::path("periods", &period)), json!({}))
            .await
    }

    pub async fn verb(&self, date: &str, verb: &str, body: Value) -> Reply {
        let period = self.period(date).await;
        self.erp
            .post(&format!("{}/{verb}", given::path("periods", &period)), body)
            .await
    }
}

#[tokio::test]
async fn nothing_is_posted_into_a_closed_period_and_a_reversal_lands_in_the_next() {
    let books = Books::open().await;
    let erp = &books.erp;
    let entry = books.entry("2026-01-20", &[("6010", "100"), ("1020", "-100")]).await;
    let january = books.period("2026-01-20").await;
    assert_eq!(
        (&january["name"], &january["status"], &january["allowed_actions"]),
        (&json!("2026-01"), &json!("open"), &json!(["start-closing", "close"]))
    );
    let problem = books
        .close("2026-02-20")
        .await
        .expect_problem(409, "earlier_period_open");
    assert_eq!(problem["first_open_period_id"], january["id"]);
    let shown = books
        .verb("2026-01-20", "close?dry_run=true", json!({}))
        .await
        .expect(200);
    assert_eq!(shown["status"], "closed");
    let closed = books.close("2026-01-20").await.expect(200);
    assert_eq!(
        (&closed["status"], &closed["allowed_actions"]),
        (&json!("closed"), &json!(["reopen"]))
    );
    let late = books.try_entry("2026-01-31", &[("6010", "1"), ("1020", "-1")]).await;
    assert_eq!(
        late.expect_problem(409, "period_closed")["first_open_date"],
        "2026-02-01"
    );
    // Neither into a year before it, which nobody has made.
    let early = books.try_entry("2025-06-30", &[("6010", "1"), ("1020", "-1")]).await;
    assert_eq!(
        early.expect_problem(409, "period_closed")["first_open_date"],
        "2026-02-01"
    );
    let draft = books.draft("2026-01-31", &[("6010", "1"), ("1020", "-1")]).await;
    erp.post(&format!("{}/post", path(&draft)), json!({}))
        .await
        .expect_problem(409, "period_closed");
    erp.delete(&path(&draft)).await;
    let reversal = json!({ "reason": "wrong", "date": "2026-01-25" });
    let mirror = erp
        .post(&format!("{}/reverse", path(&entry)), reversal)
        .await
        .expect(201);
    assert_eq!(
        (&mirror["date"], &mirror["kind"]),
        (&json!("2026-02-01"), &json!("reversal"))
    );
    books.assert_sound();
}

#[tokio::test]
async fn a_blocker_refuses_and_names_what_is_in_the_way() {
    let books = Books::open().await;
    let erp = &books.erp;
    books.entry("2026-01-20", &[("6010", "100"), ("1020", "-100")]).await;
    let draft = books.draft("2026-01-31", &[("6010", "1")]).await;
    books.draft("2026-02-01", &[("6010", "1")]).await;
    let january = books.period("2026-01-20").await;
    let checklist = erp
        .get(&format!("{}/checklist", given::path("periods", &january)))
        .await
        .expect(200);
    assert_eq!(
        (&checklist["clear"], &checklist["warnings"]),
        (&json!(false), &json!([]))
    );
    let blocker = &checklist["blockers"][0];
    assert_eq!(
        (&blocker["code"], &blocker["count"], &blocker["findings"][0]["link"]),
        (&json!("drafts"), &json!(1), &json!(path(&draft)))
    );
    let problem = books.close("2026-01-20").await.expect_problem(409, "period_blocked");
    assert_eq!(problem["blockers"], checklist["blockers"]);
    let accepted =
        json!({ "accept": [{ "code": "drafts", "reason": "never mind" }, { "code": "nonsense", "reason": "x" }] });
    let problem = books
        .verb("2026-01-20", "close", accepted)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [("/accept/0/code", "blocker"), ("/accept/1/code", "unknown_value")]
    );
    erp.delete(&path(&draft)).await;
    books.close("2026-01-20").await.expect(200);
}

#[tokio::test]
async fn a_warning_is_accepted_with_a_reason() {
    let books = Books::open().await;
    // Goods of 40 came without their bill; what is in stock by hand is written past the service.
    books.entry("2026-01-20", &[("5020", "40"), ("2050", "-40")]).await;
    let problem = books
        .close("2026-01-20")
        .await
        .expect_problem(409, "warnings_not_accepted");
    let warning = &problem["warnings"][0];
    assert_eq!(
        (&warning["code"], &warning["findings"][0]["amount"]),
        (&json!("goods_received_not_invoiced"), &json!("-40.00"))
    );
    let accept = json!({ "accept": [{ "code": "goods_received_not_invoiced", "reason": "the bill comes in February" },
                                   { "code": "stock_in_transit", "reason": "not there" }] });
    let closed = books.verb("2026-01-20", "close", accept).await.expect(200);
    assert_eq!(
        closed["accepted"],
        json!([{ "code": "goods_received_not_invoiced", "reason": "the bill comes in February" }])
    );
}

#[tokio::test]
async fn only_the_last_closed_period_opens_again() {
    let books = Books::open().await;
    let erp = &books.erp;
    books.entry("2026-01-20", &[("6010", "100"), ("1020", "-100")]).await;
    books.close("2026-01-20").await.expect(200);
    books.close("2026-02-20").await.expect(200);
    let reason = json!({ "reason": "a bill was forgotten" });
    let problem = books
        .verb("2026-01-20", "reopen", reason.clone())
        .await
        .expect_problem(409, "later_period_closed");
    assert_eq!(problem["last_closed_period_id"], books.period("2026-02-20").await["id"]);
    books
        .verb("2026-02-20", "reopen", json!({}))
        .await
        .expect_problem(422, "required");
    let open = books.verb("2026-02-20", "reopen", reason.clone()).await.expect(200);
    assert_eq!(
        (&open["status"], &open["reopen_reason"]),
        (&json!("open"), &reason["reason"])
    );
    books
        .verb("2026-02-20", "reopen", reason.clone())
        .await
        .expect_problem(409, "illegal_transition");
    books.entry("2026-02-27", &[("6010", "7"), ("1020", "-7")]).await;
    let audit = erp
        .get(&format!("/v1/audit-log?subject={}", open["id"].as_str().unwrap()))
        .await
        .expect(200);
    let changes = audit["items"].to_string();
    assert!(changes.contains("a bill was forgotten"), "{changes}");
    let events = given::events(erp, "period.changed").await;
    let told: Vec<&str> = given::of(&events, &open)
        .iter()
        .map(|(_, data)| data["status"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["closed", "open"]);
    // The month that is not over does not close.
    let today = books.rows("SELECT current_date")[0].clone();
    books.entry(&today, &[("6010", "7"), ("1020", "-7")]).await;
    for month in ["02", "03", "04", "05", "06", "07", "08", "09", "10"] {
        books.close(&format!("2026-{month}-20")).await.expect(200);
    }
    let unfinished = books.close(&today).await;
    unfinished.expect_problem(409, "period_not_over");
    books.assert_sound();
}

#[tokio::test]
async fn while_closing_only_adjustments_are_posted() {
    let books = Books::open().await;
    books.entry("2026-01-20", &[("6010", "100"), ("1020", "-100")]).await;
    let sale = json!({ "date": "2026-01-20", "journal": "SAL", "description": "cash sale", "post": true,
        "lines": [{ "account": "1010", "debit": "5" }, { "account": "4010", "credit": "5" }] });
    let sold = books.erp.post("/v1/journal-entries", sale.clone()).await.expect(201);
    let closing = books.verb("2026-01-20", "start-closing", json!({})).await.expect(200);
    assert_eq!(closing["allowed_actions"], json!(["close", "reopen"]));
    books
        .erp
        .post("/v1/journal-entries", sale)
        .await
        .expect_problem(409, "period_closed");
    books.entry("2026-01-31", &[("6050", "3"), ("1510", "-3")]).await;
    // The mirror of a sale waits for an open period; that of an adjustment need not.
    let reverse = |entry: &Value| format!("{}/reverse", path(entry));
    let body = json!({ "reason": "wrong", "date": "2026-01-21" });
    let mirror = books.erp.post(&reverse(&sold), body).await.expect(201);
    assert_eq!(mirror["date"], "2026-02-01");
    books.close("2026-01-20").await.expect(200);
    books.assert_sound();
}

#[tokio::test]
async fn a_posting_waits_for_the_closing_and_finds_it_closed() {
    let books = Books::open().await;
    books.entry("2026-01-20", &[("6010", "1"), ("1020", "-1")]).await;
    let posting = (0..30).map(|n| {
        let books = &books;
        async move {
            if n == 12 {
                return books.close("2026-01-20").await.status.as_u16();
            }
            let date = if n % 2 == 0 { "2026-01-21" } else { "2026-02-21" };
            books
                .try_entry(date, &[("6010", "1"), ("1020", "-1")])
                .await
                .status
                .as_u16()
        }
    });
    let statuses = futures_util::future::join_all(posting).await;
    assert_eq!(statuses[12], 200, "{statuses:?}");
    for (n, status) in statuses.iter().enumerate() {
        let allowed: &[u16] = if n % 2 == 0 { &[201, 409] } else { &[201] };
        assert!(n == 12 || allowed.contains(status), "{n}: {status}");
    }
    // Nothing is in January that was posted after it closed.
    let late = "SELECT count(*) FROM journal_entries e, periods p
         WHERE p.starts_on = '2026-01-01' AND e.posted_on BETWEEN p.starts_on AND p.ends_on AND e.created_at > p.closed_at
           AND e.number > (SELECT max(number) FROM journal_entries WHERE created_at < p.closed_at)";
    assert_eq!(books.rows(late), ["0"]);
    books.assert_sound();
}

#[tokio::test]
async fn a_gap_in_the_numbers_and_a_subledger_apart_are_found() {
    let books = Books::open().await;
    books.entry("2026-01-20", &[("6010", "1"), ("1020", "-1")]).await;
    books
        .sql("UPDATE series_numbers SET last_number = last_number + 1")
        .unwrap();
    books
        .sql(
            "ALTER TABLE account_months DISABLE TRIGGER USER;
              INSERT INTO account_months SELECT id, '2026-01-01', 0, 10, 0 FROM accounts WHERE code = '1100';
              ALTER TABLE account_months ENABLE TRIGGER USER",
        )
        .unwrap();
    let problem = books.close("2026-01-20").await.expect_problem(409, "period_blocked");
    let found: Vec<(&str, &str)> = problem["blockers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["code"].as_str().unwrap(),
                item["findings"][0]["message"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("subledger_differs", "account 1100 is 10, its open items are 0"),
            (
                "journal_number_gap",
                "journal GEN: 2 numbers are drawn in this year, 1 entries have one"
            ),
        ]
    );
}
