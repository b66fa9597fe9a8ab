use super::books::lines;
use super::paying::{EXOTIC, Paying, TOKYO, expected, rows};
use crate::shop::id;
use diesel::prelude::*;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

fn discount() -> Value {
    json!({ "discount": "0.02", "discount_until": "2026-03-15" })
}

/// Two suppliers to pay, and everything that is left out.
async fn march(paying: &Paying) -> Value {
    let exotic = paying
        .supplier("Exotic Liquids", Some(EXOTIC), json!({ "bic": "NWBKGB2L" }))
        .await;
    paying.owed(exotic, "B-1", "1190.00", "2026-04-30", discount()).await;
    paying.owed(exotic, "B-2", "500.00", "2026-03-20", json!({})).await;
    paying.credit(exotic, "C-1", "119.00").await;
    let tokyo = paying
        .supplier(
            "Tokyo Traders",
            Some(TOKYO),
            json!({ "legal_name": "Tokyo Träders & Söhne" }),
        )
        .await;
    paying.owed(tokyo, "T-1", "300.00", "2026-03-31", json!({})).await;
    paying.owed(tokyo, "T-2", "700.00", "2026-04-15", json!({})).await;
    let disputed = paying.owed(tokyo, "T-3", "80.00", "2026-03-05", json!({})).await;
    dispute(paying, disputed);
    let nowhere = paying.supplier("Umbra", None, json!({})).await;
    paying.owed(nowhere, "N-1", "50.00", "2026-03-05", json!({})).await;
    let blocked = paying
        .supplier("Vins", Some(EXOTIC), json!({ "payments_blocked": true }))
        .await;
    paying.owed(blocked, "X-1", "60.00", "2026-03-05", json!({})).await;
    let small = paying.supplier("Zaanse", Some(EXOTIC), json!({})).await;
    paying.owed(small, "S-1", "4.00", "2026-03-05", json!({})).await;
    paying.receive("2000.00", json!({})).await;
    paying.propose(json!({ "minimum_amount": "5.00" })).await
}

fn dispute(paying: &Paying, item: Uuid) {
    let mut conn = PgConnection::establish(&paying.service.database.url).unwrap();
    diesel::sql_query("UPDATE open_items SET disputed = true WHERE id = $1")
        .bind::<diesel::sql_types::Uuid, _>(item)
        .execute(&mut conn)
        .unwrap();
}

/// Bill 500.00 due, less a credit of 119.00, and 1,190.00 with 2 % until 15 March: 381.00 + 1,166.20 = 1,547.20.
#[tokio::test]
async fn a_proposal_says_what_it_pays_and_why() {
    let paying = Paying::open().await;
    let proposal = march(&paying).await;
    assert_eq!(proposal["number"], "PP-2026-000001");
    assert_eq!(
        rows(&proposal),
        expected(&[
            ["B-2", "proposed", "-", "500.00", "0.00"],
            ["B-1", "proposed", "-", "1166.20", "23.80"],
            ["C-1", "proposed", "-", "-119.00", "0.00"],
            ["T-3", "left_out", "disputed", "0.00", "0.00"],
            ["T-1", "proposed", "-", "300.00", "0.00"],
            ["N-1", "left_out", "no_bank_details", "0.00", "0.00"],
            ["X-1", "left_out", "supplier_blocked", "0.00", "0.00"],
            ["S-1", "left_out", "below_minimum", "0.00", "0.00"],
        ])
    );
    let explained: Vec<&Value> = proposal["payments"][0]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["explanation"])
        .collect();
    assert_eq!(
        explained,
        [
            "due on 2026-03-20",
            "discount of 2 % until 2026-03-15",
            "a credit that pays for other items"
        ]
    );
    assert_eq!(
        (&proposal["payments"][0]["amount"], &proposal["payments"][1]["amount"]),
        (&json!("1547.20"), &json!("300.00"))
    );
    assert_eq!(
        proposal["totals"],
        json!([{ "currency": "USD", "payments": 2, "amount": "1847.20", "discount": "23.80" }])
    );
    assert_eq!(
        (
            &proposal["total"],
            &proposal["bank_balance"],
            &proposal["balance_after"]
        ),
        (&json!("1847.20"), &json!("2000.00"), &json!("152.80"))
    );
    // Nothing of it is proposed twice.
    let again = paying.propose(json!({})).await;
    let held: Vec<[String; 5]> = rows(&again)
        .into_iter()
        .filter(|row| row[2] == "other_proposal")
        .collect();
    assert_eq!(held.len(), 4, "{held:?}");
    assert_eq!(
        rows(&again).iter().filter(|row| row[1] == "proposed").count(),
        1,
        "S-1, without a minimum"
    );
}

#[tokio::test]
async fn somebody_else_approves_and_executing_pays_each_supplier_once() {
    let paying = Paying::open().await;
    let proposal = march(&paying).await;
    paying
        .act(&paying.erp, &proposal, "execute", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    paying
        .act(&paying.erp, &proposal, "submit", json!({}))
        .await
        .expect(200);
    paying
        .act(&paying.erp, &proposal, "approve", json!({}))
        .await
        .expect_problem(403, "maker_may_not_approve");
    let approved = paying
        .act(&paying.second, &proposal, "approve", json!({}))
        .await
        .expect(200);
    assert_eq!(
        (&approved["value"], &approved["status"]),
        (&json!("1847.20"), &json!("approved"))
    );

    let shown = paying
        .act(&paying.erp, &proposal, "execute?dry_run=true", json!({}))
        .await
        .expect(200);
    let entries = shown["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 3, "the credit, and two payments: {entries:#?}");
    let executed = paying.executed(&proposal).await;
    assert_eq!(
        (&executed["status"], &executed["executed_on"], &executed["bank_balance"]),
        (&json!("executed"), &json!("2026-03-10"), &json!("152.80"))
    );
    let payments = paying
        .erp
        .get("/v1/payments?direction=out&sort=created_at")
        .await
        .expect(200);
    let payments = payments["items"].as_array().unwrap();
    let mut numbers: Vec<&str> = payments
        .iter()
        .map(|payment| payment["number"].as_str().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["PAY-2026-000002", "PAY-2026-000003"]);
    let exotic = payments.iter().find(|payment| payment["amount"] == "1547.20").unwrap();
    assert_eq!(
        (&exotic["id"], &exotic["reference"], &exotic["unallocated"]),
        (
            &executed["payments"][0]["payment_id"],
            &json!("B-2, B-1, C-1"),
            &json!("0.00")
        )
    );
    assert_eq!(
        paying.lines(&exotic["journal_entry_id"]),
        lines(&[("1020", "-1547.20"), ("2010", "1571"), ("4100", "-23.80")])
    );
    // 894.00 are still owed: T-2, T-3, N-1, X-1 and S-1.
    assert_eq!(
        paying.balances(),
        lines(&[
            ("1020", "152.80"),
            ("1100", "-2000"),
            ("2010", "-894"),
            ("3020", "2765"),
            ("4100", "-23.80")
        ])
    );
    paying.assert_subledgers();
    paying
        .act(&paying.erp, &proposal, "execute", json!({}))
        .await
        .expect_problem(409, "illegal_transition");
    let held = paying
        .erp
        .get("/v1/payment-proposal-lines?status=paid")
        .await
        .expect(200);
    assert_eq!(held["items"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn what_was_paid_or_disputed_meanwhile_is_dropped() {
    let paying = Paying::open().await;
    let exotic = paying.supplier("Exotic Liquids", Some(EXOTIC), json!({})).await;
    let first = paying.owed(exotic, "B-1", "100.00", "2026-03-10", json!({})).await;
    paying.owed(exotic, "B-2", "200.00", "2026-03-20", json!({})).await;
    let disputed = paying.owed(exotic, "B-3", "300.00", "2026-03-25", json!({})).await;
    let lost = paying.owed(exotic, "B-4", "400.00", "2026-04-25", discount()).await;
    let tokyo = paying.supplier("Tokyo Traders", Some(TOKYO), json!({})).await;
    let paid = paying.owed(tokyo, "T-1", "50.00", "2026-03-10", json!({})).await;
    let proposal = paying.propose(json!({})).await;
    paying.approved(&proposal).await;
    for (supplier, item, amount) in [(exotic, first, "1.00"), (tokyo, paid, "50.00")] {
        let body = json!({ "direction": "out", "party_type": "supplier", "party_id": supplier, "amount": amount, "date": "2026-03-10",
            "allocations": [{ "open_item_id": item }] });
        paying.erp.post("/v1/payments", body).await.expect(201);
    }
    dispute(&paying, disputed);
    let executed = paying
        .act(&paying.erp, &proposal, "execute", json!({ "date": "2026-03-16" }))
        .await
        .expect(200);
    assert_eq!(
        rows(&executed),
        expected(&[
            ["B-1", "dropped", "paid_meanwhile", "0.00", "0.00"],
            ["B-2", "paid", "-", "200.00", "0.00"],
            ["B-3", "dropped", "disputed", "0.00", "0.00"],
            ["B-4", "dropped", "discount_lost", "0.00", "0.00"],
            ["T-1", "dropped", "paid_meanwhile", "0.00", "0.00"],
        ])
    );
    assert_eq!(
        (
            &executed["payments"][0]["status"],
            &executed["payments"][0]["amount"],
            &executed["payments"][1]["status"]
        ),
        (&json!("paid"), &json!("200.00"), &json!("dropped"))
    );
    assert_eq!(
        (paying.open_amount(first).await, paying.open_amount(lost).await),
        ("99.00".into(), "400.00".into())
    );
    paying.assert_subledgers();
    // What was dropped may be proposed again.
    let next = paying.propose(json!({ "pay_date": "2026-03-16" })).await;
    assert_eq!(rows(&next)[0][1], "proposed");
}

#[tokio::test]
async fn lines_of_a_draft_are_taken_out_and_paid_in_part() {
    let paying = Paying::open().await;
    let exotic = paying.supplier("Exotic Liquids", Some(EXOTIC), json!({})).await;
    let big = paying.owed(exotic, "B-1", "1190.00", "2026-03-30", discount()).await;
    paying.owed(exotic, "B-2", "500.00", "2026-03-20", json!({})).await;
    paying.credit(exotic, "C-1", "600.00").await;
    let proposal = paying.propose(json!({})).await;
    // 600.00 pay B-2 and 100.00 of B-1: 2 % of 1,090.00 is 21.80.
    assert_eq!(proposal["payments"][0]["amount"], "1068.20");
    let line = |number: usize| proposal["payments"][0]["lines"][number]["id"].clone();
    let path = format!("/v1/payment-proposals/{}", id(&proposal));
    let alone = json!({ "lines": [{ "id": line(1), "included": false }] });
    paying
        .erp
        .patch(&path, alone)
        .await
        .expect_problem(422, "credits_exceed");
    let bad = json!({ "lines": [{ "id": line(0), "amount": "500.01" }, { "id": Uuid::nil(), "included": true }] });
    let problem = paying.erp.patch(&path, bad).await;
    assert_eq!(problem.status, 422, "{:#}", problem.body);
    assert_eq!(problem.body["errors"].as_array().unwrap().len(), 2);
    let part = json!({ "lines": [{ "id": line(2), "included": false }, { "id": line(0), "included": false }, { "id": line(1), "amount": "583.10" }] });
    let changed = paying.erp.patch(&path, part).await.expect(200);
    assert_eq!(
        rows(&changed),
        expected(&[
            ["B-2", "removed", "removed", "0.00", "0.00"],
            ["B-1", "proposed", "-", "583.10", "11.90"],
            ["C-1", "removed", "removed", "0.00", "0.00"],
        ])
    );
    // What was taken out is free for another proposal.
    let other = paying.propose(json!({})).await;
    assert_eq!(
        rows(&other)[0][1..3],
        ["left_out".to_owned(), "credits_exceed".to_owned()]
    );
    paying.approved(&proposal).await;
    paying
        .erp
        .patch(&path, json!({ "lines": [{ "id": line(0), "included": true }] }))
        .await
        .expect_problem(409, "illegal_transition");
    paying.executed(&proposal).await;
    assert_eq!(paying.open_amount(big).await, "595.00");
    paying.assert_subledgers();
}

#[tokio::test]
async fn bank_details_are_checked_and_a_change_asks_for_another_approval() {
    let paying = Paying::open().await;
    let clerk = paying
        .erp
        .new_key("custom", &["suppliers:write", "suppliers:read"])
        .await;
    let body = json!({ "name": "Exotic Liquids", "currency": "USD" });
    let exotic = id(&clerk.post("/v1/suppliers", body).await.expect(201));
    let path = format!("/v1/suppliers/{exotic}");
    let refused = clerk
        .patch(&path, json!({ "iban": EXOTIC }))
        .await
        .expect_problem(403, "forbidden");
    assert_eq!(refused["required_permission"], "suppliers:bank_details");
    clerk.patch(&path, json!({ "phone": "1" })).await.expect(200);
    let wrong = json!({ "iban": "GB82WEST12345698765433", "bic": "NWBK1B2L" });
    let problem = paying.erp.patch(&path, wrong).await;
    let mut codes: Vec<&str> = problem.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["code"].as_str().unwrap())
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, ["invalid_bic", "invalid_iban"]);
    paying.erp.patch(&path, json!({ "iban": EXOTIC })).await.expect(200);

    paying.owed(exotic, "B-1", "100.00", "2026-03-10", json!({})).await;
    let proposal = paying.propose(json!({})).await;
    paying.approved(&proposal).await;
    let third = paying.erp.new_key("admin", &[]).await;
    third.patch(&path, json!({ "iban": TOKYO })).await.expect(200);
    let audit = paying
        .erp
        .get(&format!("/v1/audit-log?subject={exotic}&limit=1"))
        .await
        .expect(200);
    assert!(audit["items"][0]["changes"].to_string().contains(TOKYO), "{audit:#}");
    let problem = paying.act(&paying.erp, &proposal, "execute", json!({})).await;
    let problem = problem.expect_problem(409, "bank_details_changed");
    assert_eq!(problem["supplier_ids"], json!([exotic]));
    let file = format!("/v1/payment-proposals/{}/pain.001", id(&proposal));
    paying.erp.get(&file).await.expect_problem(409, "bank_details_changed");
    paying
        .act(&third, &proposal, "approve", json!({}))
        .await
        .expect_problem(403, "maker_may_not_approve");
    let again = paying
        .act(&paying.second, &proposal, "approve", json!({}))
        .await
        .expect(200);
    assert_eq!(again["payments"][0]["iban"], TOKYO);
    paying.executed(&proposal).await;
}

#[tokio::test]
async fn above_the_limit_nobody_approves() {
    let paying = Paying::open().await;
    let exotic = paying.supplier("Exotic Liquids", Some(EXOTIC), json!({})).await;
    paying.owed(exotic, "B-1", "100.01", "2026-03-10", json!({})).await;
    let limits = paying.erp.get("/v1/purchase-approval-limits").await.expect(200);
    let limit = limits["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|l| l["role"] == "admin" && l["subject"] == "payment_proposals");
    let path = format!("/v1/purchase-approval-limits/{}", id(limit.unwrap()));
    paying.erp.patch(&path, json!({ "amount": "100" })).await.expect(200);
    let proposal = paying.propose(json!({})).await;
    paying
        .act(&paying.erp, &proposal, "submit", json!({}))
        .await
        .expect(200);
    paying
        .act(&paying.second, &proposal, "approve", json!({}))
        .await
        .expect_problem(403, "above_approval_limit");
    let draft = paying
        .act(&paying.second, &proposal, "reject", json!({ "reason": "too much" }))
        .await
        .expect(200);
    assert_eq!(
        (&draft["status"], &draft["reason"]),
        (&json!("draft"), &json!("too much"))
    );
    let ended = paying
        .act(&paying.erp, &proposal, "cancel", json!({ "reason": "no money" }))
        .await
        .expect(200);
    assert_eq!(ended["allowed_actions"], json!([]));
    assert_eq!(rows(&paying.propose(json!({})).await)[0][1], "proposed");
}

#[tokio::test]
async fn of_thirty_two_at_once_one_wins() {
    let paying = Paying::open().await;
    let exotic = paying.supplier("Exotic Liquids", Some(EXOTIC), json!({})).await;
    let item = paying.owed(exotic, "B-1", "100.00", "2026-03-10", json!({})).await;
    let proposal = paying.propose(json!({})).await;
    paying
        .act(&paying.erp, &proposal, "submit", json!({}))
        .await
        .expect(200);
    for (action, who) in [("approve", &paying.second), ("execute", &paying.erp)] {
        let mut clients = JoinSet::new();
        for _ in 0..32 {
            let (who, path) = (who.clone(), format!("/v1/payment-proposals/{}/{action}", id(&proposal)));
            clients.spawn(async move { who.post(&path, json!({})).await });
        }
        let replies = clients.join_all().await;
        let won = replies.iter().filter(|reply| reply.status == 200).count();
        let late = replies
            .iter()
            .filter(|reply| reply.body["code"] == "illegal_transition")
            .count();
        assert_eq!((won, late), (1, 31), "{action}: {replies:#?}");
    }
    assert_eq!(paying.open_amount(item).await, "0.00");
    let payments = paying.erp.get("/v1/payments").await.expect(200);
    assert_eq!(payments["items"].as_array().unwrap().len(), 1);
    paying.assert_subledgers();
}

#[tokio::test]
async fn of_proposals_at_once_one_holds_an_item() {
    let paying = Paying::open().await;
    let exotic = paying.supplier("Exotic Liquids", Some(EXOTIC), json!({})).await;
    for number in 1..=3 {
        paying
            .owed(exotic, &format!("B-{number}"), "10.00", "2026-03-10", json!({}))
            .await;
    }
    let mut clients = JoinSet::new();
    for _ in 0..16 {
        let erp = paying.erp.clone();
        let body = json!({ "bank_account_id": paying.bank, "pay_date": "2026-03-10" });
        clients.spawn(async move { erp.post("/v1/payment-proposals", body).await.expect(201) });
    }
    let made = clients.join_all().await;
    let held = made.iter().flat_map(rows).filter(|row| row[1] == "proposed").count();
    let refused = made
        .iter()
        .flat_map(rows)
        .filter(|row| row[2] == "other_proposal")
        .count();
    assert_eq!((held, refused), (3, 45));
}

/// EUR 1,000 at 1.10 = 1,100.00; paid on the 10th at 1.12 = 1,120.00 from the account in dollars: 20.00 lost.
#[tokio::test]
async fn another_currency_is_paid_at_the_rate_of_the_day() {
    let paying = Paying::open().await;
    for (date, rate) in [("2026-03-01", "1.10"), ("2026-03-10", "1.12")] {
        let body = json!({ "date": date, "reference": "EUR", "currency": "USD", "rate": rate });
        paying.erp.post("/v1/exchange-rates", body).await.expect(201);
    }
    let exotic = paying.supplier("Exotic Liquids", Some(EXOTIC), json!({})).await;
    paying
        .owed(exotic, "E-1", "1000.00", "2026-03-10", json!({ "currency": "EUR" }))
        .await;
    paying.owed(exotic, "D-1", "10.00", "2026-03-10", json!({})).await;
    assert_eq!(
        rows(&paying.propose(json!({})).await).len(),
        1,
        "the bank account's currency alone"
    );
    let proposal = paying.propose(json!({ "currencies": ["EUR"] })).await;
    assert_eq!(
        (&proposal["payments"][0]["amount"], &proposal["total"]),
        (&json!("1000.00"), &json!("1120.00"))
    );
    paying.approved(&proposal).await;
    let executed = paying.executed(&proposal).await;
    let payment = executed["payments"][0]["payment_id"].as_str().unwrap();
    let payment = paying.erp.get(&format!("/v1/payments/{payment}")).await.expect(200);
    assert_eq!(
        (&payment["amount"], &payment["allocations"][0]["exchange_difference"]),
        (&json!("1120.00"), &json!("-20.00"))
    );
    assert_eq!(
        paying.lines(&payment["journal_entry_id"]),
        lines(&[("1020", "-1120"), ("2010", "1100"), ("6300", "20")])
    );
    paying.assert_subledgers();
}
