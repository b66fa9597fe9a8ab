//! What the ledger says, read from its lines.

use diesel::sql_types::{Numeric, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use service_kit::testing::TestService;
use std::collections::BTreeMap;

#[derive(QueryableByName)]
struct Balance {
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Numeric)]
    balance: rust_decimal::Decimal,
}

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Numeric)]
    value: rust_decimal::Decimal,
}

pub const INPUT_TAX: &str = "1200";
pub const STOCK: &str = "1300";
pub const PAYABLE: &str = "2010";
pub const GRNI: &str = "2050";
pub const COGS: &str = "5010";
pub const VARIANCE: &str = "5020";
pub const EXPENSE: &str = "6030";

/// Debits less credits of each account that anything was posted to and that is not 0.
pub fn balances(service: &TestService) -> BTreeMap<String, String> {
    let mut conn = PgConnection::establish(&service.database.url).unwrap();
    let rows: Vec<Balance> = sql_query(
        "SELECT a.code, sum(l.debit - l.credit) AS balance FROM journal_entry_lines l JOIN accounts a ON a.id = l.account_id
         GROUP BY a.code HAVING sum(l.debit - l.credit) <> 0",
    )
    .load(&mut conn)
    .unwrap();
    rows.into_iter()
        .map(|row| (row.code, row.balance.normalize().to_string()))
        .collect()
}

/// What [`balances`] is compared with.
pub fn books(lines: &[(&str, &str)]) -> BTreeMap<String, String> {
    lines
        .iter()
        .map(|(code, sum)| ((*code).to_owned(), (*sum).to_owned()))
        .collect()
}

/// One account; "0" when nothing is on it.
pub fn balance(service: &TestService, code: &str) -> String {
    balances(service).remove(code).unwrap_or_else(|| "0".to_owned())
}

fn value(service: &TestService, query: &str) -> String {
    let mut conn = PgConnection::establish(&service.database.url).unwrap();
    let rows: Vec<Value> = sql_query(query).load(&mut conn).unwrap();
    rows.into_iter().next().unwrap().value.normalize().to_string()
}

/// What all stock is worth by its levels.
pub fn stock(service: &TestService) -> String {
    value(service, "SELECT coalesce(sum(value), 0) AS value FROM stock_levels")
}

/// Of suppliers: (document type, open amount), in the order of their making.
pub fn open_items(service: &TestService) -> Vec<(String, String)> {
    let mut conn = PgConnection::establish(&service.database.url).unwrap();
    let rows: Vec<Balance> = sql_query(
        "SELECT document_type AS code, open_amount AS balance FROM open_items WHERE side = 'payable' ORDER BY created_at, id",
    )
    .load(&mut conn)
    .unwrap();
    rows.into_iter()
        .map(|row| (row.code, row.balance.normalize().to_string()))
        .collect()
}

/// What always holds: stock account = levels; payable account = open items; GRNI = what receipts wait
/// for, less what was billed ahead, less what suppliers have to credit.
pub fn assert_consistent(service: &TestService) {
    assert_eq!(balance(service, STOCK), stock(service), "stock account and levels");
    let open = "SELECT coalesce(-sum(open_base_amount), 0) AS value FROM open_items WHERE side = 'payable'";
    assert_eq!(
        balance(service, PAYABLE),
        value(service, open),
        "payable account and open items"
    );
    let waiting = "SELECT coalesce((SELECT -sum(value - billed_value - returned_value) FROM receipt_lines), 0)
        + coalesce((SELECT sum(value) FROM supplier_bill_matches WHERE receipt_line_id IS NULL AND NOT reversed), 0)
        + coalesce((SELECT sum(expected_credit - credited) FROM supplier_return_lines), 0) AS value";
    assert_eq!(
        balance(service, GRNI),
        value(service, waiting),
        "GRNI and what waits in it"
    );
}
