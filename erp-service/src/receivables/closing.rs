//! What receivables have to finish before a period closes.

use crate::ledger::checks::{Check, CheckKind, ClosingPeriod, Finding};
use diesel::sql_types::{BigInt, Date, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName};
use service_kit::Result;
use service_kit::db::sql;
use uuid::Uuid;

/// Contributed to the checklist of a period.
pub const CHECKS: &[Check] = &[
    Check {
        code: "draft_invoices",
        kind: CheckKind::Blocker,
        run: drafts,
    },
    Check {
        code: "invoice_number_gap",
        kind: CheckKind::Blocker,
        run: number_gaps,
    },
    Check {
        code: "delivered_not_invoiced",
        kind: CheckKind::Warning,
        run: delivered_not_invoiced,
    },
];

#[derive(QueryableByName)]
struct Document {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    number: Option<String>,
}

fn drafts(conn: &mut PgConnection, period: &ClosingPeriod) -> Result<Vec<Finding>> {
    let drafts: Vec<Document> =
        sql("SELECT id, number FROM invoices WHERE status = 'draft' AND date BETWEEN $1 AND $2 ORDER BY date, id")
            .bind::<Date, _>(period.starts_on)
            .bind::<Date, _>(period.ends_on)
            .rows(conn)?;
    let findings = drafts
        .into_iter()
        .map(|draft| Finding::new("a draft is dated in the period").subject("invoice", draft.id));
    Ok(findings.collect())
}

#[derive(QueryableByName)]
struct Gap {
    #[diesel(sql_type = Text)]
    series: String,
    #[diesel(sql_type = BigInt)]
    drawn: i64,
    #[diesel(sql_type = BigInt)]
    documents: i64,
}

/// Numbers drawn in the fiscal year against the documents that have one.
fn number_gaps(conn: &mut PgConnection, period: &ClosingPeriod) -> Result<Vec<Finding>> {
    let gaps: Vec<Gap> = sql("SELECT n.series, n.last_number AS drawn, count(i.id) AS documents
         FROM series_numbers n JOIN fiscal_years y ON y.id = n.fiscal_year_id
         LEFT JOIN invoices i ON i.kind = n.series AND i.number IS NOT NULL AND i.date BETWEEN y.starts_on AND y.ends_on
         WHERE y.id = $1 AND n.series IN ('invoice', 'credit_note')
         GROUP BY n.series, n.last_number HAVING count(i.id) <> n.last_number ORDER BY n.series")
    .bind::<SqlUuid, _>(period.fiscal_year_id)
    .rows(conn)?;
    let findings = gaps.into_iter().map(|gap| {
        let (series, drawn, documents) = (gap.series.replace('_', " "), gap.drawn, gap.documents);
        Finding::new(format!(
            "{series}: {drawn} numbers are drawn in this year, {documents} documents have one"
        ))
    });
    Ok(findings.collect())
}

/// Orders of which something that was delivered by the end of the period is not invoiced yet.
fn delivered_not_invoiced(conn: &mut PgConnection, period: &ClosingPeriod) -> Result<Vec<Finding>> {
    let orders: Vec<Document> = sql(
        "SELECT o.id, o.number FROM sales_orders o
         WHERE o.uninvoiced_gross > 0 AND o.lifecycle IN ('confirmed', 'closed')
           AND EXISTS (SELECT FROM sales_order_lines l
                       WHERE l.order_id = o.id AND l.delivered_quantity - l.returned_uninvoiced_quantity > l.invoiced_quantity)
           AND EXISTS (SELECT FROM deliveries d WHERE d.order_id = o.id AND d.delivered_on <= $1)
         ORDER BY o.order_date, o.id",
    )
    .bind::<Date, _>(period.ends_on)
    .rows(conn)?;
    let findings = orders.into_iter().map(|order| {
        let number = order.number.as_deref().unwrap_or("an order");
        Finding::new(format!("{number} is delivered and not invoiced")).subject("sales_order", order.id)
    });
    Ok(findings.collect())
}
