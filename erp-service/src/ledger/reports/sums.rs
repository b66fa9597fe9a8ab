//! Sums of accounts over days: whole months from the sums that are kept, the rest from the lines.

use chrono::{Datelike, Months, NaiveDate};
use diesel::prelude::*;
use diesel::sql_types::{Date, Numeric, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::sql;
use std::collections::HashMap;
use uuid::Uuid;

/// Debits and credits of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub debit: Decimal,
    pub credit: Decimal,
}

impl Sums {
    /// Debit less credit.
    pub fn balance(self) -> Decimal {
        self.debit - self.credit
    }
}

pub type ByAccount = HashMap<Uuid, Sums>;

/// Days as whole months, and the days before and after them. Ends are exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts {
    months: (NaiveDate, NaiveDate),
    before: (NaiveDate, NaiveDate),
    after: (NaiveDate, NaiveDate),
}

/// Earlier than anything that is posted.
fn beginning() -> NaiveDate {
    NaiveDate::from_ymd_opt(-4000, 1, 1).unwrap_or(NaiveDate::MIN)
}

impl Parts {
    fn of(from: Option<NaiveDate>, to: NaiveDate) -> Parts {
        let from = from.unwrap_or_else(beginning);
        let end = to.succ_opt().unwrap_or(to);
        let first_of = |day: NaiveDate| day.with_day(1).unwrap_or(day);
        let first_whole = match first_of(from) == from {
            true => from,
            false => first_of(from).checked_add_months(Months::new(1)).unwrap_or(end),
        };
        let last_whole = first_of(end);
        if first_whole >= last_whole {
            return Parts {
                months: (end, end),
                before: (from, end),
                after: (end, end),
            };
        }
        Parts {
            months: (first_whole, last_whole),
            before: (from, first_whole),
            after: (last_whole, end),
        }
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Numeric)]
    debit: Decimal,
    #[diesel(sql_type = Numeric)]
    credit: Decimal,
}

fn by_account(rows: Vec<Row>) -> ByAccount {
    let sums = rows.into_iter().map(|row| {
        let sums = Sums {
            debit: row.debit,
            credit: row.credit,
        };
        (row.account_id, sums)
    });
    sums.collect()
}

/// All accounts with lines on these days, both ends included; from the beginning when `from` is absent.
pub fn of_all(conn: &mut PgConnection, from: Option<NaiveDate>, to: NaiveDate) -> QueryResult<ByAccount> {
    let parts = Parts::of(from, to);
    let rows: Vec<Row> = sql("SELECT account_id, sum(debit) AS debit, sum(credit) AS credit FROM (
             SELECT account_id, debit, credit FROM account_months WHERE month >= $1 AND month < $2
             UNION ALL
             SELECT account_id, debit, credit FROM journal_entry_lines WHERE posted_on >= $3 AND posted_on < $4
             UNION ALL
             SELECT account_id, debit, credit FROM journal_entry_lines WHERE posted_on >= $5 AND posted_on < $6
         ) parts GROUP BY account_id")
    .bind::<Date, _>(parts.months.0)
    .bind::<Date, _>(parts.months.1)
    .bind::<Date, _>(parts.before.0)
    .bind::<Date, _>(parts.before.1)
    .bind::<Date, _>(parts.after.0)
    .bind::<Date, _>(parts.after.1)
    .rows(conn)?;
    Ok(by_account(rows))
}

/// One account on these days.
pub fn of_one(conn: &mut PgConnection, account: Uuid, from: Option<NaiveDate>, to: NaiveDate) -> QueryResult<Sums> {
    let parts = Parts::of(from, to);
    let rows: Vec<Row> = sql("SELECT account_id, sum(debit) AS debit, sum(credit) AS credit FROM (
             SELECT account_id, debit, credit FROM account_months WHERE account_id = $1 AND month >= $2 AND month < $3
             UNION ALL
             SELECT account_id, debit, credit FROM journal_entry_lines WHERE account_id = $4 AND posted_on >= $5 AND posted_on < $6
             UNION ALL
             SELECT account_id, debit, credit FROM journal_entry_lines WHERE account_id = $7 AND posted_on >= $8 AND posted_on < $9
         ) parts GROUP BY account_id")
    .bind::<SqlUuid, _>(account)
    .bind::<Date, _>(parts.months.0)
    .bind::<Date, _>(parts.months.1)
    .bind::<SqlUuid, _>(account)
    .bind::<Date, _>(parts.before.0)
    .bind::<Date, _>(parts.before.1)
    .bind::<SqlUuid, _>(account)
    .bind::<Date, _>(parts.after.0)
    .bind::<Date, _>(parts.after.1)
    .rows(conn)?;
    Ok(by_account(rows).remove(&account).unwrap_or_default())
}

/// All accounts together on these days.
pub fn total(conn: &mut PgConnection, from: NaiveDate, to: NaiveDate) -> QueryResult<Sums> {
    let all = of_all(conn, Some(from), to)?;
    let total = all.values().fold(Sums::default(), |total, sums| Sums {
        debit: total.debit + sums.debit,
        credit: total.credit + sums.credit,
    });
    Ok(total)
}

/// What the closing entries of years moved on these days.
pub fn of_closing(conn: &mut PgConnection, from: NaiveDate, to: NaiveDate) -> QueryResult<ByAccount> {
    let rows: Vec<Row> = sql("SELECT l.account_id, sum(l.debit) AS debit, sum(l.credit) AS credit
         FROM journal_entries e JOIN journal_entry_lines l ON l.entry_id = e.id
         WHERE e.kind = 'closing' AND e.posted_on BETWEEN $1 AND $2 GROUP BY l.account_id")
    .bind::<Date, _>(from)
    .bind::<Date, _>(to)
    .rows(conn)?;
    Ok(by_account(rows))
}

/// The lines of a department, a project, or both, on these days.
pub fn of_dimensions(
    conn: &mut PgConnection,
    department: Option<Uuid>,
    project: Option<Uuid>,
    from: NaiveDate,
    to: NaiveDate,
) -> QueryResult<ByAccount> {
    use diesel::sql_types::Nullable;
    let rows: Vec<Row> = match (department, project) {
        (Some(department), project) => sql("SELECT account_id, sum(debit) AS debit, sum(credit) AS credit FROM journal_entry_lines
             WHERE department_id = $1 AND posted_on BETWEEN $2 AND $3 AND (project_id = $4 OR $5::uuid IS NULL) GROUP BY account_id")
        .bind::<SqlUuid, _>(department)
        .bind::<Date, _>(from)
        .bind::<Date, _>(to)
        .bind::<Nullable<SqlUuid>, _>(project)
        .bind::<Nullable<SqlUuid>, _>(project)
        .rows(conn)?,
        (None, project) => sql("SELECT account_id, sum(debit) AS debit, sum(credit) AS credit FROM journal_entry_lines
             WHERE project_id = $1 AND posted_on BETWEEN $2 AND $3 GROUP BY account_id")
        .bind::<Nullable<SqlUuid>, _>(project)
        .bind::<Date, _>(from)
        .bind::<Date, _>(to)
        .rows(conn)?,
    };
    Ok(by_account(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_months_and_what_is_left_at_both_ends() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let parts = |from: &str, to: &str| Parts::of(Some(day(from)), day(to));
        assert_eq!(
            parts("2026-01-15", "2026-04-10"),
            Parts {
                months: (day("2026-02-01"), day("2026-04-01")),
                before: (day("2026-01-15"), day("2026-02-01")),
                after: (day("2026-04-01"), day("2026-04-11")),
            }
        );
        let whole = parts("2026-01-01", "2026-03-31");
        assert_eq!(whole.months, (day("2026-01-01"), day("2026-04-01")));
        assert_eq!((whole.before.0, whole.after.0), (whole.before.1, whole.after.1));
        // Without a whole month, all of it is one part.
        for (from, to) in [
            ("2026-01-15", "2026-01-20"),
            ("2026-01-15", "2026-02-20"),
            ("2026-01-01", "2026-01-30"),
        ] {
            let parts = parts(from, to);
            assert_eq!(
                (parts.months.0, parts.after.0),
                (parts.months.1, parts.after.1),
                "{from}"
            );
            assert_eq!(parts.before, (day(from), day(to).succ_opt().unwrap()));
        }
        let all = Parts::of(None, day("2026-01-31"));
        assert_eq!((all.months.1, all.before.0), (day("2026-02-01"), all.before.1));
    }
}
