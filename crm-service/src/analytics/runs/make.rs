//! Making an analysis.

use super::model::{AnalysisClass, AnalysisKind, AnalysisRun, AnalysisRunIn, AnalysisSees, AnalysisSubject};
use super::queries::{self, RunRow};
use super::rules::Rule;
use crate::analytics::asked::Period;
use crate::analytics::figure::money;
use crate::analytics::sales::facts::Facts;
use crate::json::AsJson;
use crate::schema::analysis_runs;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Numeric, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;
use service_kit::db::{plan_for_figures, sql};
use service_kit::{Currency, Faults, Result, Sight, Tx};
use uuid::Uuid;

pub fn make(tx: &mut Tx<'_>, input: &AnalysisRunIn) -> Result<AnalysisRun> {
    let subject = input.subject.unwrap_or(match input.kind {
        AnalysisKind::Abc | AnalysisKind::Rfm => AnalysisSubject::Customer,
        AnalysisKind::Xyz => AnalysisSubject::Product,
        AnalysisKind::Bcg => AnalysisSubject::Category,
    });
    let rule = rule(input, subject)?;
    let sight = tx.sight();
    let (sees, owner_id) = match &sight {
        Sight::All => (AnalysisSees::All, None),
        Sight::Team { user, .. } => (AnalysisSees::Team, Some(*user)),
        Sight::Own { user } => (AnalysisSees::Own, Some(*user)),
    };
    let (id, now) = (tx.mint(input.id), tx.now());
    let facts = Facts::of(tx, &sight)?;
    plan_for_figures(tx)?;
    rule.write(tx, &facts, id)?;
    let found = found(tx, id)?;
    let row = RunRow {
        id,
        kind: input.kind,
        subject,
        from_day: rule.period.from,
        to_day: rule.period.to,
        against_from: rule.against.map(|against| against.from),
        against_to: rule.against.map(|against| against.to),
        thresholds: AsJson(rule.thresholds),
        currency: facts.base,
        sees,
        owner_id,
        team_id: None,
        net: found.iter().map(|class| class.net).sum(),
        net_before: rule.against.map(|_| found.iter().map(|class| class.net_before).sum()),
        classes: AsJson(classes(found, facts.base)?),
        as_of: now,
        revision: 1,
        created_at: now,
    };
    diesel::insert_into(analysis_runs::table)
        .values(&row)
        .execute(&mut **tx)?;
    let run = queries::shown(row)?;
    tx.audit(None, &run)?;
    Ok(run)
}

/// Everything wrong with what is asked for, or the rule.
fn rule(input: &AnalysisRunIn, subject: AnalysisSubject) -> Result<Rule> {
    let mut faults = Faults::default();
    let period = days(input.from, input.to, "/to", &mut faults);
    if input.kind == AnalysisKind::Xyz && !period.is_whole_months() {
        faults.add(
            "/from",
            "whole_months",
            "XYZ is over whole months: from a first day to a last one",
        );
    }
    if input.kind == AnalysisKind::Rfm && subject != AnalysisSubject::Customer {
        faults.add("/subject", "not_applicable", "RFM is of customers");
    }
    let against = match (input.kind, input.against_from, input.against_to) {
        (AnalysisKind::Bcg, Some(from), Some(to)) => {
            let against = days(from, to, "/against_to", &mut faults);
            if to >= period.from {
                faults.add("/against_to", "out_of_range", "must end before the period begins");
            } else if !period.with(against).is_bounded() {
                faults.add(
                    "/against_from",
                    "out_of_range",
                    "at most five years before the last day",
                );
            }
            Some(against)
        }
        (AnalysisKind::Bcg, from, to) => {
            for (pointer, given) in [("/against_from", from), ("/against_to", to)] {
                if given.is_none() {
                    faults.add(pointer, "required", "growth is measured against an earlier period");
                }
            }
            None
        }
        (_, None, None) => None,
        _ => {
            faults.add("/against_from", "not_applicable", "only BCG measures growth");
            None
        }
    };
    let thresholds = Rule::filled(input.kind, input.thresholds);
    let given = input.thresholds;
    for (pointer, given, known) in [
        ("a_share", given.a_share.is_some(), thresholds.a_share.is_some()),
        ("b_share", given.b_share.is_some(), thresholds.b_share.is_some()),
        (
            "x_variation",
            given.x_variation.is_some(),
            thresholds.x_variation.is_some(),
        ),
        (
            "y_variation",
            given.y_variation.is_some(),
            thresholds.y_variation.is_some(),
        ),
        (
            "relative_size",
            given.relative_size.is_some(),
            thresholds.relative_size.is_some(),
        ),
        ("scores", given.scores.is_some(), thresholds.scores.is_some()),
    ] {
        if given && !known {
            faults.add(
                format!("/thresholds/{pointer}"),
                "not_applicable",
                "this analysis does not ask for it",
            );
        }
    }
    if thresholds.a_share > thresholds.b_share {
        faults.add("/thresholds/b_share", "out_of_range", "must not be below a_share");
    }
    if thresholds.x_variation > thresholds.y_variation {
        faults.add(
            "/thresholds/y_variation",
            "out_of_range",
            "must not be below x_variation",
        );
    }
    faults.check()?;
    Ok(Rule {
        kind: input.kind,
        by: subject.dimension(),
        period,
        against,
        thresholds,
    })
}

fn days(from: chrono::NaiveDate, to: chrono::NaiveDate, pointer: &str, faults: &mut Faults) -> Period {
    let period = Period { from, to };
    if to < from {
        faults.add(pointer, "out_of_range", "must not be before the first day");
    } else if !period.is_bounded() {
        faults.add(pointer, "out_of_range", "at most five years, in the years 1 to 9998");
    }
    period
}

#[derive(QueryableByName)]
struct Class {
    #[diesel(sql_type = Text)]
    class: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = Numeric)]
    net: Decimal,
    #[diesel(sql_type = Numeric)]
    net_before: Decimal,
    #[diesel(sql_type = BigInt)]
    unvalued: i64,
}

fn found(tx: &mut Tx<'_>, run: Uuid) -> QueryResult<Vec<Class>> {
    sql(
        "SELECT class, count(*) AS count, coalesce(sum(net), 0) AS net, coalesce(sum(net_before), 0) AS net_before,
                sum(unvalued)::bigint AS unvalued
         FROM analysis_run_items WHERE run_id = $1 GROUP BY class ORDER BY class COLLATE \"C\"",
    )
    .bind::<SqlUuid, _>(run)
    .rows(tx)
}

fn classes(found: Vec<Class>, base: Currency) -> Result<Vec<AnalysisClass>> {
    let shown = found.into_iter().map(|one| {
        Ok(AnalysisClass {
            class: one.class,
            count: one.count,
            net: money(base, one.net)?,
            unvalued: one.unvalued,
            rows: String::new(),
        })
    });
    shown.collect()
}
