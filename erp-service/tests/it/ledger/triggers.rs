//! What the database refuses from whoever writes past the service.

use super::books::Books;

const ONE: &str = "00000000-0000-0000-0000-000000000001";
const TWO: &str = "00000000-0000-0000-0000-000000000002";

fn entry(id: &str, date: &str, journal: &str) -> String {
    format!(
        "INSERT INTO journal_entries (id, number, journal, status, posted_on, description, source_type, source_id, created_by, created_at, updated_at)
         VALUES ('{id}', '{id}', '{journal}', 'posted', '{date}', 'past the service', 'test', '{id}', '{id}', now(), now());"
    )
}

/// Lines of one statement: (account, debit, credit, currency, amount, open item).
fn lines(id: &str, date: &str, lines: &[(&str, &str, &str, &str, &str, &str)]) -> String {
    let selected: Vec<String> = (1..)
        .zip(lines)
        .map(|(position, (account, debit, credit, currency, amount, item))| {
            format!(
                "SELECT '{id}'::uuid, {position}, '{date}'::date, (SELECT id FROM accounts WHERE code = '{account}'),
                 {debit}, {credit}, '{currency}', {amount}, {item}::uuid"
            )
        })
        .collect();
    format!(
        "INSERT INTO journal_entry_lines (entry_id, position, posted_on, account_id, debit, credit, currency, amount, open_item_id) {};",
        selected.join(" UNION ALL ")
    )
}

fn plain(id: &str, date: &str, debit: &str, credit: &str) -> String {
    let (minus, bank) = (format!("-{credit}"), "1020");
    lines(
        id,
        date,
        &[
            ("6010", debit, "0", "USD", debit, "NULL"),
            (bank, "0", credit, "USD", &minus, "NULL"),
        ],
    )
}

#[tokio::test]
async fn entries_balance_and_stay() {
    let books = Books::open().await;
    books.sql("SELECT make_fiscal_year('2026-03-05')").unwrap();
    let whole = entry(ONE, "2026-03-05", "GEN") + &plain(ONE, "2026-03-05", "100", "100");
    books.sql(&whole).unwrap();
    books.assert_sound();
    for (what, statement, refusal) in [
        (
            "unbalanced",
            entry(TWO, "2026-03-05", "GEN") + &plain(TWO, "2026-03-05", "100", "99.99"),
            "does not balance",
        ),
        ("without lines", entry(TWO, "2026-03-05", "GEN"), "does not balance"),
        (
            "lines of another day",
            entry(TWO, "2026-03-05", "GEN") + &plain(TWO, "2026-03-06", "1", "1"),
            "does not balance",
        ),
        (
            "unbalanced in its own currency",
            entry(TWO, "2026-03-05", "GEN")
                + &lines(
                    TWO,
                    "2026-03-05",
                    &[
                        ("6010", "110", "0", "EUR", "100", "NULL"),
                        ("1020", "0", "110", "EUR", "-99", "NULL"),
                    ],
                ),
            "does not balance",
        ),
        (
            "more lines later",
            lines(ONE, "2026-03-05", &[("6010", "1", "0", "USD", "1", "NULL")]).replace(", 1,", ", 3,"),
            "stored with it",
        ),
        (
            "both sides",
            entry(TWO, "2026-03-05", "GEN") + &lines(TWO, "2026-03-05", &[("6010", "1", "1", "USD", "0", "NULL")]),
            "one_side",
        ),
        (
            "a heading",
            entry(TWO, "2026-03-05", "GEN")
                + &lines(
                    TWO,
                    "2026-03-05",
                    &[
                        ("6000", "1", "0", "USD", "1", "NULL"),
                        ("1020", "0", "1", "USD", "-1", "NULL"),
                    ],
                ),
            "does not fit its account",
        ),
        (
            "a changed line",
            "UPDATE journal_entry_lines SET description = 'x'".to_owned(),
            "append-only",
        ),
        (
            "a deleted line",
            "DELETE FROM journal_entry_lines".to_owned(),
            "append-only",
        ),
        (
            "no lines at all",
            "TRUNCATE journal_entry_lines".to_owned(),
            "append-only",
        ),
        (
            "a changed entry",
            "UPDATE journal_entries SET posted_on = '2026-03-06'".to_owned(),
            "immutable",
        ),
        (
            "a posted draft",
            "UPDATE journal_entries SET status = 'draft', number = NULL, draft_lines = '[]'".to_owned(),
            "immutable",
        ),
        (
            "a deleted entry",
            "DELETE FROM journal_entries".to_owned(),
            "a posted entry stays",
        ),
        (
            "changed sums",
            "UPDATE account_months SET debit = 0".to_owned(),
            "append-only",
        ),
        (
            "an account that becomes another kind",
            "UPDATE accounts SET kind = 'asset' WHERE code = '6010'".to_owned(),
            "has entries",
        ),
        (
            "a deleted account",
            "DELETE FROM accounts WHERE code = '6020'".to_owned(),
            "append-only",
        ),
        (
            "two years on one day",
            "INSERT INTO fiscal_years (name, starts_on, ends_on) VALUES ('x', '2026-06-01', '2027-05-31')".to_owned(),
            "no_overlap",
        ),
    ] {
        let refused = books.sql(&statement).expect_err(what);
        assert!(refused.contains(refusal), "{what}: {refused}");
    }
    assert_eq!(books.rows("SELECT count(*) FROM journal_entry_lines"), ["2"]);
    books
        .sql("UPDATE accounts SET name = 'Rents' WHERE code = '6010'")
        .unwrap();
    books.assert_sound();
}

#[tokio::test]
async fn nothing_is_posted_into_a_closed_period() {
    let books = Books::open().await;
    books.sql("SELECT make_fiscal_year('2026-03-05')").unwrap();
    let whole = |journal: &str| entry(ONE, "2026-03-05", journal) + &plain(ONE, "2026-03-05", "1", "1");
    books
        .sql("UPDATE periods SET status = 'closed', closed_at = now(), closed_by = '00000000-0000-0000-0000-000000000001' WHERE starts_on <= '2026-03-01'")
        .unwrap();
    let refused = books.sql(&whole("GEN")).unwrap_err();
    assert!(refused.contains("the period of 2026-03-05 is closed"), "{refused}");
    books
        .sql("UPDATE periods SET status = 'closing', closed_at = NULL, closed_by = NULL WHERE starts_on = '2026-03-01'")
        .unwrap();
    let refused = books.sql(&whole("SAL")).unwrap_err();
    assert!(refused.contains("is closing"), "{refused}");
    let nowhere = entry(ONE, "2020-03-05", "GEN") + &plain(ONE, "2020-03-05", "1", "1");
    let refused = books.sql(&nowhere).unwrap_err();
    assert!(refused.contains("is missing"), "{refused}");
    // A draft becomes posted only where that is open, too.
    let draft = entry(TWO, "2026-03-05", "SAL")
        .replace("'posted'", "'draft'")
        .replace(&format!("'{TWO}', 'SAL'"), "NULL, 'SAL'");
    books
        .sql(
            &draft
                .replace("description, source_type", "description, draft_lines, source_type")
                .replace("'past the service',", "'past the service', '[]',"),
        )
        .unwrap();
    let post =
        format!("UPDATE journal_entries SET status = 'posted', number = 'x', draft_lines = NULL WHERE id = '{TWO}'");
    let refused = books.sql(&post).unwrap_err();
    assert!(refused.contains("is closing"), "{refused}");
    // Adjusting entries are what the time of closing is for.
    books.sql(&whole("GEN")).unwrap();
    books.assert_sound();
}

#[tokio::test]
async fn control_accounts_are_the_sums_of_their_items() {
    let books = Books::open().await;
    books.sql("SELECT make_fiscal_year('2026-03-05')").unwrap();
    let item = |id: &str, side: &str, account: &str, amount: &str| {
        format!(
            "INSERT INTO open_items (id, side, party_id, account_id, document_type, document_id, currency, amount, posted_on, due_on, created_at, updated_at)
             SELECT '{id}', '{side}', '{id}', id, 'invoice', '{id}', 'EUR', {amount}, '2026-03-05', '2026-04-04', now(), now() FROM accounts WHERE code = '{account}';"
        )
    };
    let open = || books.rows("SELECT (open_amount, open_base_amount, revalued_base) FROM open_items ORDER BY id");
    let quoted = format!("'{ONE}'");
    let without = entry(ONE, "2026-03-05", "SAL")
        + &lines(
            ONE,
            "2026-03-05",
            &[
                ("1100", "1100", "0", "EUR", "1000", "NULL"),
                ("4010", "0", "1100", "EUR", "-1000", "NULL"),
            ],
        );
    let refused = books.sql(&without).unwrap_err();
    assert!(refused.contains("does not fit its account"), "{refused}");
    // EUR 1,000 invoiced at 1.10.
    let invoice = item(ONE, "receivable", "1100", "1000")
        + &entry(ONE, "2026-03-05", "SAL")
        + &lines(
            ONE,
            "2026-03-05",
            &[
                ("1100", "1100", "0", "EUR", "1000", &quoted),
                ("4010", "0", "1100", "EUR", "-1000", "NULL"),
            ],
        );
    books.sql(&invoice).unwrap();
    assert_eq!(open(), ["(1000.0000,1100.0000,0.0000)"]);
    // A payable grows with its credits.
    let two = format!("'{TWO}'");
    let bill = item(TWO, "payable", "2010", "500")
        + &entry(TWO, "2026-03-06", "PUR")
        + &lines(
            TWO,
            "2026-03-06",
            &[
                ("6030", "550", "0", "EUR", "500", "NULL"),
                ("2010", "0", "550", "EUR", "-500", &two),
            ],
        );
    books.sql(&bill).unwrap();
    assert_eq!(open(), ["(1000.0000,1100.0000,0.0000)", "(500.0000,550.0000,0.0000)"]);
    // EUR 600 received at 1.08, cleared at 1.10: 12 lost.
    let three = "00000000-0000-0000-0000-000000000003";
    let payment = |received: &str, cleared: &str, euros: &str, loss: &str| {
        let (minus, sum) = (format!("-{euros}"), euros);
        entry(three, "2026-03-10", "BNK")
            + &lines(
                three,
                "2026-03-10",
                &[
                    ("1020", received, "0", "EUR", sum, "NULL"),
                    ("1100", "0", cleared, "EUR", &minus, &quoted),
                    ("6300", loss, "0", "USD", loss, "NULL"),
                ],
            )
    };
    let too_much = books.sql(&payment("1188", "1210", "1100", "22")).unwrap_err();
    assert!(too_much.contains("open_items_within_amount"), "{too_much}");
    let rest_of_value = books.sql(&payment("1080", "1090", "1000", "10")).unwrap_err();
    assert!(rest_of_value.contains("open_items_nothing_left"), "{rest_of_value}");
    books.sql(&payment("648", "660", "600", "12")).unwrap();
    assert_eq!(open()[0], "(400.0000,440.0000,0.0000)");
    for statement in [
        "UPDATE open_items SET open_amount = 0",
        "UPDATE open_items SET amount = 5",
        "DELETE FROM open_items",
    ] {
        books.sql(statement).expect_err(statement);
    }
    books.sql("UPDATE open_items SET disputed = true").unwrap();
    let control = "SELECT sum(l.debit - l.credit) FROM journal_entry_lines l JOIN accounts a ON a.id = l.account_id WHERE a.control IS NOT NULL GROUP BY a.code ORDER BY a.code";
    assert_eq!(books.rows(control), ["440.0000", "-550.0000"]);
    books.assert_sound();
}
