//! A company to keep books of: entries by hand, and a look into the database.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use erp_service::app::SERVICE;
use serde_json::{Value, json};
use service_kit::testing::{Client, Reply, TestService};

pub struct Books {
    pub service: TestService,
    pub erp: Client,
}

#[derive(QueryableByName)]
struct Shown {
    #[diesel(sql_type = Text)]
    text: String,
}

impl Books {
    pub async fn open() -> Books {
        let service = TestService::start(SERVICE, |_, _| {}).await;
        let erp = service.client.clone();
        Books { service, erp }
    }

    /// Posts an entry: `[("6010", "100"), ("1020", "-100")]`, a debit is positive.
    pub async fn entry(&self, date: &str, lines: &[(&str, &str)]) -> Value {
        self.try_entry(date, lines).await.expect(201)
    }

    pub async fn try_entry(&self, date: &str, lines: &[(&str, &str)]) -> Reply {
        let mut body = draft(date, lines);
        body["post"] = true.into();
        self.erp.post("/v1/journal-entries", body).await
    }

    pub async fn draft(&self, date: &str, lines: &[(&str, &str)]) -> Value {
        self.erp
            .post("/v1/journal-entries", draft(date, lines))
            .await
            .expect(201)
    }

    /// A connection past the service.
    pub fn database(&self) -> PgConnection {
        PgConnection::establish(&self.service.database.url).unwrap()
    }

    /// Runs statements in one transaction; the refusal in the database's words.
    pub fn sql(&self, statements: &str) -> Result<(), String> {
        let mut conn = self.database();
        conn.transaction(|conn| conn.batch_execute(statements))
            .map_err(|error| error.to_string())
    }

    /// The rows of a query, which gives one column of text.
    pub fn rows(&self, query: &str) -> Vec<String> {
        let rows: Vec<Shown> = diesel::sql_query(format!("SELECT coalesce(x::text, '-') AS text FROM ({query}) q (x)"))
            .load(&mut self.database())
            .unwrap();
        rows.into_iter().map(|row| row.text).collect()
    }

    /// What must hold at every moment, whatever was posted.
    pub fn assert_sound(&self) {
        let parted = "SELECT (a.code, m.debit, l.debit, m.credit, l.credit) FROM accounts a
             LEFT JOIN (SELECT account_id, sum(debit) AS debit, sum(credit) AS credit FROM account_months GROUP BY 1) m ON m.account_id = a.id
             LEFT JOIN (SELECT account_id, sum(debit) AS debit, sum(credit) AS credit FROM journal_entry_lines GROUP BY 1) l ON l.account_id = a.id
             WHERE (m.debit, m.credit) IS DISTINCT FROM (l.debit, l.credit)";
        assert_eq!(self.rows(parted), [""; 0], "sums by month part from the lines");
        let unbalanced = "SELECT entry_id FROM journal_entry_lines GROUP BY entry_id HAVING sum(debit) <> sum(credit)";
        assert_eq!(self.rows(unbalanced), [""; 0], "entries that do not balance");
        let gaps = "SELECT e.journal FROM journal_entries e JOIN fiscal_years y ON e.posted_on BETWEEN y.starts_on AND y.ends_on
             JOIN series_numbers n ON n.series = 'journal:' || e.journal AND n.fiscal_year_id = y.id
             WHERE e.status = 'posted' GROUP BY e.journal, y.id, n.last_number
             HAVING count(*) <> n.last_number OR max(right(e.number, 6))::int <> n.last_number";
        assert_eq!(self.rows(gaps), [""; 0], "numbers with gaps");
    }
}

pub fn draft(date: &str, lines: &[(&str, &str)]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(account, amount)| json!({ "account": account, "amount": amount }))
        .collect();
    json!({ "date": date, "description": "by hand", "lines": lines })
}

/// (account, debit, credit) of the lines of an entry.
pub fn lines(entry: &Value) -> Vec<(&str, &str, &str)> {
    let lines = entry["lines"].as_array().into_iter().flatten();
    lines
        .map(|line| {
            (
                line["account"].as_str().unwrap_or_default(),
                line["debit"].as_str().unwrap_or_default(),
                line["credit"].as_str().unwrap_or_default(),
            )
        })
        .collect()
}

pub fn path(entry: &Value) -> String {
    format!("/v1/journal-entries/{}", entry["id"].as_str().unwrap())
}
