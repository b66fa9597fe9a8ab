use super::books::{Books, draft, lines, path};
use crate::given;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn a_draft_is_changed_posted_numbered_and_then_stays() {
    let books = Books::open().await;
    let erp = &books.erp;
    // 100.50 of rent, and the bank is not written yet: a draft need not balance.
    let entry = books.draft("2026-03-05", &[("6010", "100.5")]).await;
    assert_eq!(
        (
            &entry["status"],
            &entry["number"],
            &entry["total"],
            &entry["difference"]
        ),
        (&json!("draft"), &Value::Null, &json!("100.50"), &json!("100.50"))
    );
    assert_eq!(entry["allowed_actions"], json!(["update", "delete", "post"]));
    let post = format!("{}/post", path(&entry));
    erp.post(&post, json!({})).await.expect_problem(422, "too_few_lines");

    let two = json!({ "lines": [
        { "account": "6010", "debit": "100.50", "description": "March" }, { "account": "1020", "credit": "100" } ] });
    let changed = erp.patch(&path(&entry), two).await.expect(200);
    assert_eq!(
        lines(&changed),
        [("6010", "100.50", "0.00"), ("1020", "0.00", "100.00")]
    );
    let problem = erp.post(&post, json!({})).await.expect_problem(422, "unbalanced");
    assert_eq!(
        (&problem["difference"], &problem["currency"]),
        (&json!("0.50"), &json!("USD"))
    );

    let right = json!({ "lines": [
        { "account": "6010", "debit": "100.50", "description": "March" }, { "account": "1020", "credit": "100.50" } ] });
    let changed = erp.patch(&path(&entry), right).await.expect(200);
    assert_eq!(
        (&changed["difference"], &changed["revision"]),
        (&json!("0.00"), &json!(3))
    );
    // A dry run shows the entry and gives no number.
    let shown = erp.post(&format!("{post}?dry_run=true"), json!({})).await.expect(200);
    assert_eq!(
        lines(&shown["entries"][0]),
        [("6010", "100.50", "0.00"), ("1020", "0.00", "100.50")]
    );
    assert_eq!(
        (&shown["number"], &shown["entries"][0]["number"]),
        (&Value::Null, &Value::Null)
    );

    let posted = erp.post(&post, json!({})).await.expect(200);
    assert_eq!(
        (
            &posted["status"],
            &posted["number"],
            &posted["total"],
            &posted["revision"]
        ),
        (&json!("posted"), &json!("GEN-2026-000001"), &json!("100.50"), &json!(4))
    );
    assert_eq!(erp.get(&path(&entry)).await.expect(200), posted);
    let problem = erp
        .post(&post, json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    assert_eq!(
        (&problem["state"], &problem["allowed_actions"]),
        (&json!("posted"), &json!(["reverse"]))
    );
    let late = erp.patch(&path(&entry), json!({ "description": "x" })).await;
    late.expect_problem(409, "illegal_transition");
    erp.delete(&path(&entry))
        .await
        .expect_problem(409, "illegal_transition");
    books.assert_sound();

    let events = given::events(erp, "journal_entry.posted").await;
    let told = given::of(&events, &entry);
    assert_eq!((told.len(), &told[0].1["number"]), (1, &json!("GEN-2026-000001")));
}

#[tokio::test]
async fn every_fault_of_every_line_is_named() {
    let books = Books::open().await;
    let body = json!({ "description": "all wrong", "lines": [
        { "account": "1000", "amount": "1" },
        { "account": "1100", "amount": "1" },
        { "account": "9999", "amount": "1" },
        { "amount": "1" },
        { "account": "6010", "account_id": Uuid::nil(), "amount": "1" },
        { "account": "6010", "debit": "1", "credit": "1" },
        { "account": "6010" },
        { "account": "6010", "amount": "0" },
        { "account": "6010", "debit": "-1" },
        { "account": "6010", "amount": "1.005" },
        { "account": "6010", "amount": "1", "currency": "EUR" },
        { "account": "6010", "amount": "1", "currency": "EUR", "base_amount": "-1.1" },
        { "account": "6010", "amount": "1", "department_id": Uuid::nil(), "project_id": Uuid::nil() },
        { "account": "1300", "amount": "1", "base_amount": "2" },
    ] });
    let problem = books
        .erp
        .post("/v1/journal-entries", body)
        .await
        .expect_problem(422, "invalid_input");
    assert_eq!(
        given::faults(&problem),
        [
            ("/lines/0/account", "heading"),
            ("/lines/1/account", "control_account"),
            ("/lines/2/account", "unknown_account"),
            ("/lines/3/account", "required"),
            ("/lines/4/account", "ambiguous"),
            ("/lines/5/amount", "ambiguous"),
            ("/lines/6/amount", "required"),
            ("/lines/7/amount", "out_of_range"),
            ("/lines/8/debit", "out_of_range"),
            ("/lines/9/amount", "out_of_range"),
            ("/lines/11/base_amount", "opposite_sign"),
            ("/lines/13/base_amount", "differs"),
            ("/lines/13/account", "control_account"),
            ("/lines/12/department_id", "unknown_department"),
            ("/lines/12/project_id", "unknown_project"),
        ]
    );
    assert_eq!(
        books.erp.get("/v1/journal-entries").await.expect(200)["items"],
        json!([])
    );
}

#[tokio::test]
async fn a_line_in_another_currency_has_a_value_in_the_base_currency() {
    let books = Books::open().await;
    let lines_in = json!([
        { "account": "6030", "debit": "100", "currency": "EUR", "base_amount": "110" },
        { "account": "1020", "credit": "100", "currency": "EUR", "base_amount": "110" } ]);
    let body = json!({ "date": "2026-03-05", "description": "in euro", "post": true, "lines": lines_in });
    let entry = books.erp.post("/v1/journal-entries", body).await.expect(201);
    assert_eq!(lines(&entry), [("6030", "110.00", "0.00"), ("1020", "0.00", "110.00")]);
    assert_eq!(
        (&entry["lines"][1]["amount"], &entry["lines"][1]["currency"]),
        (&json!("-100.00"), &json!("EUR"))
    );
    // Balanced in dollars, not in euro, the one currency of its lines.
    let lines_in = json!([
        { "account": "6030", "debit": "100", "currency": "EUR", "base_amount": "110" },
        { "account": "1020", "credit": "99", "currency": "EUR", "base_amount": "110" } ]);
    let body = json!({ "date": "2026-03-05", "description": "in euro", "post": true, "lines": lines_in });
    let problem = books
        .erp
        .post("/v1/journal-entries", body)
        .await
        .expect_problem(422, "unbalanced");
    assert_eq!(
        (&problem["difference"], &problem["currency"]),
        (&json!("1.00"), &json!("EUR"))
    );
    books.assert_sound();
}

#[tokio::test]
async fn a_reversal_mirrors_once_and_not_before_its_original() {
    let books = Books::open().await;
    let erp = &books.erp;
    let entry = books
        .entry("2026-03-05", &[("6010", "100"), ("6020", "50"), ("1020", "-150")])
        .await;
    let reverse = format!("{}/reverse", path(&entry));
    let early = erp
        .post(&reverse, json!({ "reason": "wrong", "date": "2026-03-04" }))
        .await;
    early.expect_problem(422, "date_before_original");
    let late = erp
        .post(&reverse, json!({ "reason": "wrong", "date": "2999-01-01" }))
        .await;
    late.expect_problem(422, "future_date");
    let mirror = erp
        .post(&reverse, json!({ "reason": "wrong", "date": "2026-04-01" }))
        .await
        .expect(201);
    assert_eq!(
        lines(&mirror),
        [
            ("6010", "0.00", "100.00"),
            ("6020", "0.00", "50.00"),
            ("1020", "150.00", "0.00")
        ]
    );
    assert_eq!(
        (
            &mirror["kind"],
            &mirror["number"],
            &mirror["date"],
            &mirror["reversal_of"]
        ),
        (
            &json!("reversal"),
            &json!("GEN-2026-000002"),
            &json!("2026-04-01"),
            &entry["id"]
        )
    );
    let original = erp.get(&path(&entry)).await.expect(200);
    assert_eq!(
        (
            &original["status"],
            &original["reversed_by"],
            &original["links"]["reversed_by"]
        ),
        (&json!("reversed"), &mirror["id"], &json!(path(&mirror)))
    );
    let again = erp.post(&reverse, json!({ "reason": "wrong" })).await;
    again.expect_problem(409, "already_reversed");
    let undo = erp
        .post(&format!("{}/reverse", path(&mirror)), json!({ "reason": "wrong" }))
        .await;
    undo.expect_problem(409, "illegal_transition");
    // Both cancel out.
    assert_eq!(
        books.rows("SELECT sum(debit - credit) FROM journal_entry_lines GROUP BY account_id"),
        ["0.0000"; 3]
    );
    books.assert_sound();
}

#[tokio::test]
async fn an_entry_is_not_posted_in_the_future_and_its_year_is_made_when_needed() {
    let books = Books::open().await;
    let future = books.try_entry("2999-01-01", &[("6010", "1"), ("1020", "-1")]).await;
    let problem = future.expect_problem(422, "future_date");
    assert_eq!(given::faults(&problem), [("/date", "future_date")]);
    // The draft of that creation went with it.
    assert_eq!(books.rows("SELECT count(*) FROM journal_entries"), ["0"]);
    let draft = books.draft("2999-01-01", &[("6010", "1"), ("1020", "-1")]).await;
    assert_eq!(books.rows("SELECT count(*) FROM fiscal_years"), ["0"]);
    let post = format!("{}/post", path(&draft));
    let posted = books.erp.post(&post, json!({ "date": "2025-12-31" })).await.expect(200);
    assert_eq!(
        (&posted["date"], &posted["number"]),
        (&json!("2025-12-31"), &json!("GEN-2025-000001"))
    );
    let next = books.entry("2026-01-01", &[("6010", "1"), ("1020", "-1")]).await;
    assert_eq!(next["number"], "GEN-2026-000001");
    assert_eq!(
        books.rows("SELECT starts_on || ' ' || ends_on FROM fiscal_years ORDER BY starts_on"),
        ["2025-01-01 2025-12-31", "2026-01-01 2026-12-31"]
    );
    assert_eq!(books.rows("SELECT count(*) FROM periods"), ["24"]);
    books.assert_sound();
}

#[tokio::test]
async fn entries_are_found_by_what_they_say() {
    let books = Books::open().await;
    let erp = &books.erp;
    let rent = books.entry("2026-03-05", &[("6010", "100"), ("1020", "-100")]).await;
    let wages = books.entry("2026-04-05", &[("6020", "200"), ("1020", "-200")]).await;
    let open = books.draft("2026-04-06", &[("6020", "7")]).await;
    erp.post(
        &format!("{}/reverse", path(&rent)),
        json!({ "reason": "wrong", "date": "2026-03-06" }),
    )
    .await
    .expect(201);
    for (query, numbers) in [
        (
            "",
            vec!["GEN-2026-000001", "GEN-2026-000003", "GEN-2026-000002", "draft"],
        ),
        ("account=6020", vec!["GEN-2026-000002"]),
        (
            "date_from=2026-03-06&date_to=2026-04-05",
            vec!["GEN-2026-000003", "GEN-2026-000002"],
        ),
        ("status=draft", vec!["draft"]),
        ("status=reversed", vec!["GEN-2026-000001"]),
        ("status=posted&sort=-date", vec!["GEN-2026-000002", "GEN-2026-000003"]),
        ("number=GEN-2026-000002", vec!["GEN-2026-000002"]),
        ("journal=SAL", vec![]),
        ("q=reversal", vec!["GEN-2026-000003"]),
    ] {
        let page = erp.get(&format!("/v1/journal-entries?{query}")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        let found: Vec<&str> = items
            .iter()
            .map(|item| item["number"].as_str().unwrap_or("draft"))
            .collect();
        assert_eq!(found, numbers, "{query}");
    }
    let by_source = format!(
        "/v1/journal-entries?source_type=journal_entry&source_id={}",
        wages["id"].as_str().unwrap()
    );
    let page = erp.get(&by_source).await.expect(200);
    assert_eq!(page["items"][0]["total"], "200.00");
    let account = &wages["lines"][0]["account_id"].as_str().unwrap();
    let page = erp
        .get(&format!("/v1/journal-entries?account_id={account}"))
        .await
        .expect(200);
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    // A draft goes without a trace in the numbers, and leaves one in the audit log.
    let gone = erp.delete(&path(&open)).await;
    assert_eq!(gone.status.as_u16(), 204);
    erp.get(&path(&open)).await.expect_problem(404, "not_found");
    let audit = erp
        .get(&format!("/v1/audit-log?subject={}", open["id"].as_str().unwrap()))
        .await
        .expect(200);
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(2));
    books.assert_sound();
}

#[tokio::test]
async fn writing_posting_and_reversing_are_three_permissions() {
    let books = Books::open().await;
    let writer = books.erp.new_key("custom", &["ledger:write", "ledger:read"]).await;
    let mut body = draft("2026-03-05", &[("6010", "100"), ("1020", "-100")]);
    let entry = writer.post("/v1/journal-entries", body.clone()).await.expect(201);
    writer
        .post(&format!("{}/post", path(&entry)), json!({}))
        .await
        .expect_problem(403, "forbidden");
    body["post"] = true.into();
    let problem = writer
        .post("/v1/journal-entries", body.clone())
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(problem["required_permission"], "journal_entries:post");
    // An id of one's own makes a repeat harmless.
    body["id"] = json!(Uuid::now_v7());
    books.erp.post("/v1/journal-entries", body.clone()).await.expect(201);
    books
        .erp
        .post("/v1/journal-entries", body)
        .await
        .expect_problem(409, "duplicate");
    books.assert_sound();
}

#[tokio::test]
async fn numbers_have_no_gaps_when_many_post_and_some_fail() {
    let books = Books::open().await;
    let posting = (0..24).map(|n| {
        let (amount, other) = (format!("{}", n + 1), format!("-{}", if n % 4 == 0 { n } else { n + 1 }));
        let books = &books;
        async move {
            books
                .try_entry("2026-03-05", &[("6010", &amount), ("1020", &other)])
                .await
                .status
                .as_u16()
        }
    });
    let statuses = futures_util::future::join_all(posting).await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        18,
        "{statuses:?}"
    );
    assert_eq!(books.rows("SELECT last_number FROM series_numbers"), ["18"]);
    books.assert_sound();
}
